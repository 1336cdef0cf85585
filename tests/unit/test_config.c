/* Configuration: layers, types, places of errors. */
#include "check.h"

#include "job/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Target {
  int64_t whole;
  double real;
  bool flag;
  int choice;
  char text[OPTION_TEXT];
  IntList list;
  double time;
} Target;

static const Option options[] = {
    {"whole", OPT_INT, offsetof(Target, whole), "3", 1, 10, NULL, "", "a whole number"},
    {"real", OPT_FLOAT, offsetof(Target, real), "0.5", 0, 1, NULL, "", "a real number"},
    {"flag", OPT_BOOL, offsetof(Target, flag), "false", 0, 0, NULL, "", "a flag"},
    {"choice", OPT_CHOICE, offsetof(Target, choice), "red", 0, 0, "red|green", "", "a colour"},
    {"text", OPT_TEXT, offsetof(Target, text), "", 0, 0, NULL, "", "a text"},
    {"list", OPT_INTS, offsetof(Target, list), "[1, 2]", 0, 100, NULL, "", "a list"},
    {"time", OPT_FLOAT, offsetof(Target, time), "5m", 0, 100000, NULL, OPTION_SECONDS, "a time"},
};

static Status resolve(const char *yaml, const char *override, Target *target, Config **out) {
  CHECK_OK(config_create(out));
  CHECK_OK(config_declare(*out, "part", options, COUNT_OF(options), target));
  Status status = config_read_yaml_text(*out, CONFIG_FILE, yaml, strlen(yaml), "file.yaml");
  if (status == OK && override) status = config_parse_override(*out, override);
  return status == OK ? config_resolve(*out) : status;
}

static void values_come_from_the_strongest_layer(void **state) {
  (void)state;
  Target target;
  Config *config;
  CHECK_OK(resolve("part:\n  whole: 4\n  real: 0.25\n  flag: yes\n  choice: green\n  list: [5, 6, 7]\n  text: 'a: b'\n",
                   "part.whole=9", &target, &config));
  assert_int_equal(target.whole, 9);
  assert_true(target.real == 0.25);
  assert_true(target.flag);
  assert_int_equal(target.choice, 1);
  assert_int_equal(target.list.count, 3);
  assert_int_equal(target.list.item[2], 7);
  assert_string_equal(target.text, "a: b");
  assert_string_equal(config_origin(config, "part.whole"), "command line");
  assert_string_equal(config_origin(config, "part.real"), "file.yaml:3:9");
  config_destroy(config);
}

static void dump_reads_back_the_same(void **state) {
  (void)state;
  Target target, again;
  Config *config, *second;
  char *text = NULL;
  size_t size;
  CHECK_OK(resolve("part: {whole: 4, list: [9], text: \"it's: {odd}\"}", NULL, &target, &config));
  FILE *file = open_memstream(&text, &size);
  CHECK_OK(config_dump(config, file, true));
  fclose(file);
  CHECK_OK(resolve(text, NULL, &again, &second));
  assert_memory_equal(again.text, target.text, strlen(target.text) + 1);
  assert_int_equal(again.list.item[0], 9);
  config_destroy(config);
  config_destroy(second);
  free(text);
}

static void bad_input_names_its_place(void **state) {
  (void)state;
  static const struct {
    const char *yaml, *override, *says;
  } row[] = {
      {"part:\n  whle: 4\n", NULL, "file.yaml:2:9: unknown key 'part.whle', did you mean 'part.whole'?"},
      {"part:\n  whole: 4x\n", NULL, "file.yaml:2:10: part.whole: '4x' is not a whole number"},
      {"part:\n  whole: 40\n", NULL, "is outside 1 .. 10"},
      {"part: {choice: blue}\n", NULL, "is not one of red|green"},
      {"part: {flag: maybe}\n", NULL, "is not true or false"},
      {"part: {list: [1, x]}\n", NULL, "is not a list of integers"},
      {"part: {whole: 1, whole: 2}\n", NULL, "is given twice"},
      {"part: [1\n", NULL, "not valid YAML"},
      {"# x\n\t\npart:\n  whole: 4\n\treal: 1\n", NULL,
       "file.yaml:5:1: a tab indents this line; YAML takes spaces only"},
      {"part:\n  \twhole: [4\n", NULL, "file.yaml:2:3: a tab indents this line"},
      {"", "part.whole=4m", "'4m' is not a whole number, did you mean 4M (million)?"},
      {"", "part.time=1:70", "'1:70' is not a time: seconds, or 20s, 5m, 2h, 1:30:00, 1-12:00:00"},
      {"", "part.time=3d", "'3d' is outside 0 .. 100000"},
      {"- 1\n", NULL, "expected 'key: value' lines"},
      {"", "nonsense", "'nonsense' is not key=value"},
      {"", "part.real=2", "command line: part.real: '2' is outside 0 .. 1"},
  };
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    Target target;
    Config *config;
    assert_int_equal(resolve(row[i].yaml, row[i].override, &target, &config), ERR_USAGE);
    if (!strstr(status_message(), row[i].says)) fail_msg("expected '%s' in '%s'", row[i].says, status_message());
    config_destroy(config);
  }
}

static void times_are_kept_in_seconds(void **state) {
  (void)state;
  Target target;
  Config *config;
  CHECK_OK(resolve("part: {time: 1:30:00}", NULL, &target, &config));
  assert_true(target.time == 5400);
  assert_string_equal(config_value(config, "part.time"), "5400"); /* what a checkpoint keeps, any program reads */
  config_destroy(config);
  CHECK_OK(resolve("", NULL, &target, &config));
  assert_true(target.time == 300);
  config_destroy(config);
  CHECK_OK(resolve("", "part.time=2.50", &target, &config));
  assert_string_equal(config_value(config, "part.time"), "2.50");
  config_destroy(config);
}

static void unknown_keys_find_the_one_that_was_meant(void **state) {
  (void)state;
  static const struct {
    const char *key, *says;
  } row[] = {
      {"lr", "'lr', did you mean 'learner.rate'?"},
      {"learning_rate", "did you mean 'learner.rate'?"},
      {"ppo.learning_rate", "did you mean 'learner.rate'?"},
      {"ent_coef", "did you mean 'learner.entropy'?"},
      {"clip_coef", "did you mean 'ppo.clip'?"},
      {"gae_lambda", "did you mean 'learner.lambda'?"},
      {"num_envs", "did you mean 'actors.slots'?"},
      {"total_timesteps", "did you mean 'frames'?"},
      {"width", "did you mean 'net.hidden'?"},
      {"rate", "did you mean 'learner.rate'?"},
      {"net.rate", "did you mean 'learner.rate'?"},
      {"lanes", "did you mean 'actors.lanes'?"},
      {"actors.lane", "did you mean 'actors.lanes'?"},
      {"actor.lanes", "did you mean 'actors.lanes'?"},
      {"seconds", "did you mean 'checkpoint.seconds' or 'metrics.seconds'?"},
      {"planes", "did you mean 'env.planes'?"},
      {"learner.entorpy", "did you mean 'learner.entropy'?"},
      {"learner.zzzz", "'learner.zzzz'; 'agon config schema' lists all"}, /* its section alone suggests nothing */
      {"nonsense.key", "'nonsense.key'; 'agon config schema' lists all"},
      {"x", "'x'; 'agon config schema' lists all"},
  };
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    char pair[64];
    const char *pairs[] = {pair};
    if (strstr(row[i].says, "ppo.") && !algo_find("ppo")) continue; /* it may be taken out */
    snprintf(pair, sizeof pair, "%s=1", row[i].key);
    JobConfigSource source = {.game = "connect_four", .overrides = pairs, .override_count = 1};
    JobConfig *settings;
    assert_int_equal(job_config_create(&source, &settings), ERR_USAGE);
    if (!strstr(status_message(), row[i].says)) fail_msg("expected '%s' in '%s'", row[i].says, status_message());
  }
}

static void presets_lie_under_the_file(void **state) {
  (void)state;
  const char *pairs[] = {"league.preset=alphastar-pseudocode", "league.exploiter_live_above=0.4"};
  JobConfigSource source = {.game = "tic_tac_toe", .overrides = pairs, .override_count = 2};
  JobConfig *settings;
  CHECK_OK(job_config_create(&source, &settings));
  assert_true(settings->league.exploiter_past_share == 0);
  assert_true(settings->league.exploiter_live_above == 0.4);
  assert_true(settings->league.memory == 100);
  job_config_destroy(settings);
}

static void settings_that_do_not_fit_are_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "actors.lanes=48", "actors.lanes=256", "actors.eval_share=0.9", "league.self_share=0.9", "env.nothing=1",
      "actors.slots=0",  "pace=slow"};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    const char *pairs[] = {bad[i], "actors.lanes=4"};
    bool lanes = strstr(bad[i], "lanes") != NULL;
    JobConfigSource source = {.game = "tic_tac_toe", .overrides = pairs, .override_count = lanes ? 1 : 2};
    JobConfig *settings;
    assert_int_equal(job_config_create(&source, &settings), ERR_USAGE);
  }
  JobConfigSource none = {.game = "tic_tac_to"};
  JobConfig *settings;
  assert_int_equal(job_config_create(&none, &settings), ERR_USAGE);
  assert_non_null(strstr(status_message(), "tic_tac_toe"));
}

/* A run's facts stand in for a plug-in's code, which need not be there; facts that no game has are refused. */
static void plugins_are_known_by_their_facts(void **state) {
  (void)state;
  static const char stored[] = "game: /nowhere/coin.so\nenv:\n  rounds: 5\nleague:\n  mains: 2\n";
  GameFacts facts = {.name = "coin", .title = (char[]){"coin rounds=5"}, .teams = 2, .builtins = 1}, back;
  JobConfig *settings;
  Tree tree = {0};
  bool known;
  CHECK_OK(job_config_create(&(JobConfigSource){.stored = stored, .facts = &facts}, &settings));
  assert_null(settings->env);
  assert_string_equal(settings->game.title, "coin rounds=5");
  assert_string_equal(config_value(settings->config, "env.rounds"), "5");
  assert_int_equal(settings->league.mains, 2);
  assert_int_equal(settings->league.anchors, 1);
  job_config_destroy(settings);
  assert_int_equal(job_config_create(&(JobConfigSource){.stored = stored}, &settings), ERR_USAGE);
  assert_non_null(strstr(status_message(), "names the plug-in /nowhere/coin.so, whose code would run"));

  CHECK_OK(facts_load(&tree, &back, &known));
  assert_false(known);
  for (int wrong = 0; wrong < 8; wrong++) {
    char title[] = "coin rounds=5";
    char path[] = "/home/m\303\274nze/coin.so";
    char accepted[] = "00000000000000000000000000000001";
    facts.plugin = path;
    facts.accepted = accepted;
    facts.version = 3;
    snprintf(facts.build, sizeof facts.build, wrong == 5 ? "no hash" : "00000000000000000000000000000002");
    if (wrong == 6) path[0] = '\033';
    if (wrong == 7) accepted[0] = '\n';
    if (wrong == 1) title[4] = '\n';
    facts.title = title;
    facts.teams = wrong == 2 ? 0 : 2;
    facts.builtins = wrong == 3 ? 1u << 9 : 1;
    facts.reward_low = wrong == 4 ? NAN : -1;
    CHECK_OK(facts_save(&facts, &tree));
    assert_int_equal(facts_load(&tree, &back, &known), wrong ? ERR_FORMAT : OK);
    assert_true(known);
    if (!wrong) {
      assert_string_equal(back.title, title);
      assert_string_equal(back.plugin, path);
      assert_string_equal(back.accepted, accepted);
      assert_string_equal(back.build, facts.build);
      assert_int_equal(back.version, 3);
    }
    facts_free(&back);
    tree_free(&tree);
  }
}

static Status read_text(const char *text, size_t size) {
  Config *config;
  CHECK_OK(config_create(&config));
  const Status status = config_read_yaml_text(config, CONFIG_FILE, text, size, "deep.yaml");
  config_destroy(config);
  return status;
}

/* A few lines that stand for billions, and brackets without an end: refused at once, by place. */
static void what_would_take_for_ever_is_refused(void **state) {
  (void)state;
  enum { DEEP = 100000, LEVELS = 13 };
  char *text = malloc(2 * DEEP + 64);
  alarm(20); /* ends the test in place of waiting */
  size_t size = (size_t)sprintf(text, "x: ");
  memset(text + size, '[', DEEP);
  memset(text + size + DEEP, ']', DEEP);
  assert_int_equal(read_text(text, size + 2 * DEEP), ERR_USAGE);
  assert_non_null(strstr(status_message(), "deep.yaml:1:67: nested too deep"));
  memset(text + size, '{', DEEP);
  assert_int_equal(read_text(text, size + DEEP), ERR_USAGE);
  assert_non_null(strstr(status_message(), "nested too deep"));
  /* of empty mappings: no key of them is ever looked up */
  size = (size_t)sprintf(text, "a0: &a0 {}\n");
  for (int level = 1; level <= LEVELS; level++) {
    size += (size_t)sprintf(text + size, "a%d: &a%d\n", level, level);
    for (int i = 0; i < 10; i++)
      size += (size_t)sprintf(text + size, "  k%d: *a%d\n", i, level - 1);
  }
  assert_int_equal(read_text(text, size), ERR_USAGE);
  if (!strstr(status_message(), "too many values, with all that aliases stand for"))
    fail_msg("%s", status_message());
  size = (size_t)sprintf(text, "a0: &a0 []\n");
  for (int level = 1; level <= LEVELS; level++)
    size += (size_t)sprintf(text + size, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d]\n", level, level,
                            level - 1, level - 1, level - 1, level - 1, level - 1);
  assert_int_equal(read_text(text, size), ERR_USAGE);
  alarm(0);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_come_from_the_strongest_layer),
      cmocka_unit_test(what_would_take_for_ever_is_refused),
      cmocka_unit_test(dump_reads_back_the_same),
      cmocka_unit_test(bad_input_names_its_place),
      cmocka_unit_test(times_are_kept_in_seconds),
      cmocka_unit_test(unknown_keys_find_the_one_that_was_meant),
      cmocka_unit_test(presets_lie_under_the_file),
      cmocka_unit_test(settings_that_do_not_fit_are_refused),
      cmocka_unit_test(plugins_are_known_by_their_facts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

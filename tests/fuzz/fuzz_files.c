/* Files that somebody made: a real run's checkpoint or player file with values, sizes and types changed or columns
 * missing, under valid digests and seals; and its texts with bytes changed. Every command that reads a run looks at it,
 * and a job resumes from it: each ends, well or with a message, in little memory. */
#include "fuzz.h"

#include "base/file.h"
#include "cli/cli.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS = 3000 }; /* of a resumed world */

static char good[64]; /* the real run */

/* --- columns --- */
static void change_value(AgonRng *rng, const Item *item) {
  size_t elements = item->count * item->width;
  if (!elements) return;
  char *at = (char *)item->data + item->size * rng_below(rng, (uint32_t)elements);
  uint64_t value = 0;
  float f32;
  double f64;
  switch (item->type) {
  case STORE_F32:
    memcpy(&f32, at, 4);
    f32 = (float)fuzz_real(rng, (double)f32);
    memcpy(at, &f32, 4);
    break;
  case STORE_F64:
    memcpy(&f64, at, 8);
    f64 = fuzz_real(rng, f64);
    memcpy(at, &f64, 8);
    break;
  case STORE_TEXT: {
    static const char *const names[] = {"../../x", "/etc/passwd", "", ".", "a b", "main_0", "%s%n", "\x01\xff", "-x"};
    const char *name = names[rng_below(rng, (uint32_t)COUNT_OF(names))];
    if (rng_below(rng, 2))
      at[rng_below(rng, (uint32_t)item->size)] = (char)rng_below(rng, 256);
    else if (rng_below(rng, 4) == 0)
      memset(at, 'x', item->size); /* it ends nowhere */
    else
      memcpy(at, name, strlen(name) + 1 < item->size ? strlen(name) + 1 : item->size);
    break;
  }
  default:
    memcpy(&value, at, item->size);
    value = fuzz_number(rng, value);
    memcpy(at, &value, item->size);
  }
}

static void change_count(AgonRng *rng, Item *item) {
  static const size_t few[] = {0, 1, 2, 7};
  size_t row = item->width * item->size, old = item->count;
  size_t count = rng_below(rng, 2) ? few[rng_below(rng, 4)] : rng_below(rng, 2) ? old + 1 : old ? old - 1 : 0;
  char *data = calloc(count + 1, row);
  assert_non_null(data);
  memcpy(data, item->data, (count < old ? count : old) * row);
  if (count > old && old) memcpy(data + old * row, item->data, row);
  free(item->data);
  item->data = data;
  item->count = count;
}

/* The same bytes as numbers of another type, or in rows of another width. */
static void change_shape(AgonRng *rng, Item *item) {
  static const size_t size[] = {4, 8, 4, 4, 8, 1, 0};
  size_t bytes = item->count * item->width * item->size;
  if (rng_below(rng, 2)) {
    static const size_t widths[] = {1, 2, 3, 6, 12};
    item->width = widths[rng_below(rng, 5)];
  } else {
    item->type = (StoreType)rng_below(rng, 7);
    item->size = item->type == STORE_TEXT ? 1 + rng_below(rng, 64) : size[item->type];
  }
  item->count = bytes / (item->width * item->size);
}

static void change_tree(AgonRng *rng, Tree *tree) {
  for (uint32_t n = 1 + rng_below(rng, 3); n > 0; n--) {
    Item *item = &tree->item[rng_below(rng, (uint32_t)tree->items)];
    bool attribute = item->path[0] == '@';
    uint32_t how = rng_below(rng, 10);
    if (how < 6 || (attribute && how < 9))
      change_value(rng, item);
    else if (how < 8)
      change_count(rng, item);
    else if (how < 9)
      change_shape(rng, item);
    else {
      free(item->data);
      *item = tree->item[--tree->items];
    }
  }
}

/* Without what store_write adds. */
static void strip(Tree *tree) {
  for (size_t i = 0; i < tree->items;) {
    Item *item = &tree->item[i];
    if (strcmp(item->path, "@kind") && strcmp(item->path, "@schema_version") && strcmp(item->path, "@digest")) {
      i++;
      continue;
    }
    free(item->data);
    *item = tree->item[--tree->items];
  }
}

static void change_file(AgonRng *rng, const char *path, const char *kind) {
  Tree tree;
  CHECK_OK(store_read(path, kind, &tree));
  strip(&tree);
  change_tree(rng, &tree);
  CHECK_OK(store_write(&tree, kind, path));
  tree_free(&tree);
}

/* --- texts --- */
static void change_text(AgonRng *rng, const char *path) {
  static const char *const words[] = {"nan", "inf", "-1", "1e308", "99999999999999999999", "\"", ",", "{", "[", "\n"};
  char *text;
  size_t size;
  CHECK_OK(file_read(path, &text, &size));
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  size_t at = size ? rng_below(rng, (uint32_t)size) : 0, gone = rng_below(rng, 4);
  const char *word = words[rng_below(rng, (uint32_t)COUNT_OF(words))];
  if (rng_below(rng, 4) == 0) size = at; /* a torn end */
  fwrite(text, 1, at, file);
  if (rng_below(rng, 2)) fputs(word, file);
  if (at + gone < size) fwrite(text + at + gone, 1, size - at - gone, file);
  fclose(file);
  free(text);
}

/* --- readers --- */
static int run_command(const char *name, const char *const *words, size_t count) {
  char *argv[16], *copy[16] = {NULL};
  for (size_t i = 0; i < count; i++) argv[i] = copy[i] = strdup(words[i]);
  Status status = ERR_INTERNAL;
  for (size_t i = 0; i < command_count; i++)
    if (!strcmp(commands[i]->name, name)) status = commands[i]->run((int)count, argv);
  for (size_t i = 0; i < count; i++) free(copy[i]);
  if (getenv("FUZZ_SHOW")) fprintf(stderr, "%s: %s\n", name, status == OK ? "good" : status_message());
  return status;
}

#define RUN(name, ...)                                                                                                 \
  run_command(name, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* How many of the commands that read a run do not end well. */
static int read_everything(const char *run, const char *player) {
  char csv[96], games[96], page[96], lines[96];
  int failed = 0;
  snprintf(csv, sizeof csv, "%s/games.csv", run);
  snprintf(games, sizeof games, "%s/replays.jsonl", run);
  snprintf(page, sizeof page, "%s/report.html", run);
  snprintf(lines, sizeof lines, "%s/lines", run);
  failed += RUN("league", "show", run) != OK;
  failed += RUN("league", "show", run, "--json") != OK;
  failed += RUN("league", "dryrun", run, "--matches", "100") != OK;
  failed += RUN("report", run, "--out", page) != OK;
  failed += RUN("rate", run, "--json") != OK;
  failed += RUN("rate", csv, "--dynamics") != OK;
  failed += RUN("checkpoint", "verify", run) != OK;
  failed += RUN("checkpoint", "info", run) != OK;
  failed += RUN("status", run) != OK;
  failed += RUN("exploit", run, "--player", "snapshots", "--json") != OK;
  failed += RUN("exploit", run, "--player", "nash") != OK;
  failed += RUN("exploit", run, "--player", player) != OK;
  failed += RUN("replay", games) != OK;
  failed += RUN("eval", run, "--players", "main_0,random", "--games", "4") != OK;
  assert_non_null(freopen(lines, "r", stdin));
  failed += RUN("query", run, "--player", player, "--json") != OK;
  return failed;
}

static void one_of(AgonRng *rng, const char *folder, const char *part, const char *end, char *out, size_t size) {
  char path[128], name[64][96];
  size_t count = 0;
  snprintf(path, sizeof path, "%s/%s", folder, part);
  DIR *open = opendir(path);
  assert_non_null(open);
  for (struct dirent *entry; (entry = readdir(open)) && count < 64;) {
    size_t length = strlen(entry->d_name);
    if (length < 96 && length > strlen(end) && !strcmp(entry->d_name + length - strlen(end), end))
      strcpy(name[count++], entry->d_name);
  }
  closedir(open);
  assert_true(count > 0);
  for (size_t i = 1; i < count; i++) /* by name, whatever the order of the folder */
    for (size_t j = i; j > 0 && strcmp(name[j - 1], name[j]) > 0; j--) {
      char hold[96];
      memcpy(hold, name[j], sizeof hold);
      memcpy(name[j], name[j - 1], sizeof hold);
      memcpy(name[j - 1], hold, sizeof hold);
    }
  snprintf(out, size, "%s/%s", path, name[rng_below(rng, (uint32_t)count)]);
}

static uint64_t newest_generation(const char *folder) {
  RunFolder run;
  uint64_t *list, newest;
  size_t count;
  CHECK_OK(run_open(folder, &run));
  CHECK_OK(run_generations(&run, &list, &count));
  newest = list[0];
  free(list);
  return newest;
}

/* A job resumes from the run; and if it has written a checkpoint, so does another, from that. *well: neither failed. */
static int go_on(const char *run, int ranks, uint64_t seed, bool *well) {
  uint64_t before = newest_generation(run);
  FuzzWorld world = {.ranks = ranks, .seed = seed, .steps = STEPS, .stored = true}, again = world;
  int code = fuzz_world(&world, run);
  if (getenv("FUZZ_SHOW")) fprintf(stderr, "resume: %s\n", world.failed ? status_message() : "goes on");
  *well = !world.failed;
  if (code != FUZZ_DONE || newest_generation(run) == before) return code;
  code = fuzz_world(&again, run);
  if (getenv("FUZZ_SHOW")) fprintf(stderr, "once more: %s\n", again.failed ? status_message() : "goes on");
  *well &= !again.failed;
  return code == FUZZ_DONE && again.refused ? FUZZ_LOST : code;
}

static int one_file(void *context, uint64_t seed) {
  (void)context;
  static const char *const texts[] = {"games.csv",   "replays.jsonl", "metrics.jsonl",
                                      "status.json", "config.yaml",   "lines"};
  char run[64], path[256], player[64] = "main_0-000000";
  AgonRng rng = rng_stream(seed, 2, 0, RNG_TEST);
  fuzz_folder(run);
  fuzz_shell("cp -r %s/. %s", good, run);
  uint32_t what = rng_below(&rng, 10);
  if (what < 7) {
    one_of(&rng, run, "checkpoints", ".h5", path, sizeof path);
    change_file(&rng, path, "checkpoint");
  } else if (what < 8) {
    one_of(&rng, run, "players", ".h5", path, sizeof path);
    change_file(&rng, path, "player");
    const char *name = strrchr(path, '/') + 1;
    snprintf(player, sizeof player, "%.*s", (int)(strlen(name) - strlen("-12345678.h5")), name);
  } else {
    snprintf(path, sizeof path, "%s/%s", run, texts[rng_below(&rng, (uint32_t)COUNT_OF(texts))]);
    change_text(&rng, path);
  }
  if (getenv("FUZZ_SHOW")) fprintf(stderr, "changed %s\n", path);
  assert_non_null(freopen("/dev/null", "w", stdout));
  read_everything(run, player);
  bool well;
  int code = what < 8 ? go_on(run, 1 + (int)rng_below(&rng, 4), seed, &well) : FUZZ_DONE;
  fuzz_folder_remove(run);
  return code;
}

static uint64_t first = 1;
static long count = 40;

static void made_up_files_are_refused_with_a_sentence(void **state) {
  (void)state;
  FuzzTotals totals = fuzz_run("made-up files", one_file, NULL, first, count, 1500);
  assert_int_equal(totals.crashed, 0);
  assert_int_equal(totals.stuck, 0);
  assert_int_equal(totals.greedy, 0);
}

/* In a child: the run itself stays as it is. */
static int resume_intact(void *context, uint64_t seed) {
  (void)context;
  char run[64];
  bool well;
  fuzz_folder(run);
  fuzz_shell("cp -r %s/. %s", good, run);
  int code = go_on(run, 3, seed, &well);
  fuzz_folder_remove(run);
  return well ? code : FUZZ_LOST;
}

/* Else all that follows would be refused for another reason. */
static void what_is_intact_goes_on(void **state) {
  (void)state;
  FuzzTotals totals = fuzz_run("intact files", resume_intact, NULL, 1, 1, 1500);
  assert_int_equal(totals.crashed + totals.stuck + totals.greedy, 0);
}

/* A run with frozen players, evaluation games, a games.csv and recorded games. */
static int make_run(void **state) {
  (void)state;
  static const char *const pairs[] = {"game=kuhn_poker",
                                      "net.hidden=[8]",
                                      "actors.slots=16",
                                      "actors.lanes=8",
                                      "actors.lane_episodes=4",
                                      "actors.unroll=8",
                                      "actors.eval_share=.25",
                                      "frames=3k",
                                      "league.frame_scale=1",
                                      "league.main_snapshot_max=600",
                                      "league.main_snapshot_min=200",
                                      "league.exploiter_snapshot_max=800",
                                      "league.league_snapshot_max=800",
                                      "checkpoint.keep=1",
                                      "metrics.seconds=0.1",
                                      "pace=pipelined"};
  char path[96], replays[96];
  fuzz_folder(good);
  FuzzWorld world = {.pairs = pairs, .count = COUNT_OF(pairs), .ranks = 3, .seed = 1};
  assert_int_equal(fuzz_world(&world, good), FUZZ_DONE);
  assert_false(world.failed);
  snprintf(path, sizeof path, "%s/lines", good);
  CHECK_OK(file_write_whole(path, "\n0 1 pass\n1 2 bet\n", 17));
  snprintf(path, sizeof path, "%s/config.yaml", good);
  if (!file_exists(path)) CHECK_OK(file_write_whole(path, "game: kuhn_poker  # file\n", 25));
  snprintf(replays, sizeof replays, "%s/replays.jsonl", good);
  int screen = dup(1);
  assert_non_null(freopen("/dev/null", "w", stdout));
  CHECK_OK(RUN("eval", good, "--players", "main_0,main_0-000000,random", "--games", "8", "--replays", replays));
  int failed = read_everything(good, "main_0-000000"); /* what is intact is read by all */
  fflush(stdout);
  dup2(screen, 1);
  close(screen);
  assert_int_equal(failed, 0);
  assert_true(file_exists(replays));
  return 0;
}

int main(int argc, char **argv) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  fuzz_arguments(argc, argv, &first, &count);
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_intact_goes_on),
                                     cmocka_unit_test(made_up_files_are_refused_with_a_sentence)};
  return cmocka_run_group_tests(tests, make_run, NULL);
}

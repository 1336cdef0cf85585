/* Lines that somebody has altered: games.csv, metrics.jsonl, status.json and what `agon query` reads. A few hundred of
 * each: nothing crashes, and what is taken is whole. */
#include "check.h"
#include "folder.h"

#include "base/file.h"
#include "base/rng.h"
#include "cli/cli.h"
#include "run/series.h"
#include "run/progress.h"
#include "eval/games.h"
#include "eval/line.h"
#include "metrics/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 400, RECORDS = 6, TEXT = 4096 };

static char folder[FOLDER_PATH];

/* One to three places of a text: a byte of another value, some cut out, a word put in or in place of a number, or the
 * end torn off. */
static void alter(AgonRng *rng, char text[TEXT]) {
  static const char *const words[] = {"nan",
                                      "inf",
                                      "-inf",
                                      "-1",
                                      "1e308",
                                      "0x10",
                                      "9e15",
                                      "9223372036854775807",
                                      "99999999999999999999",
                                      "\"",
                                      ",",
                                      "{",
                                      "[",
                                      "]",
                                      "}",
                                      ":",
                                      "null",
                                      "0",
                                      "1.5",
                                      "\n",
                                      "%s%n",
                                      " "};
  for (uint32_t n = 1 + rng_below(rng, 3); n > 0; n--) {
    char out[TEXT + 64];
    size_t size = strlen(text), at = size ? rng_below(rng, (uint32_t)size) : 0, gone = rng_below(rng, 4);
    const char *word = words[rng_below(rng, (uint32_t)COUNT_OF(words))];
    switch (rng_below(rng, 5)) {
    case 0:
      if (size) text[at] = (char)(1 + rng_below(rng, 255));
      continue;
    case 1:
      if (rng_below(rng, 4) == 0) text[at] = 0;
      continue;
    case 2: /* instead of a number */
      at += strcspn(text + at, "0123456789");
      gone = strspn(text + at, "0123456789.");
      break;
    case 3: word = ""; break;
    default: gone = 0;
    }
    if (at + gone > size) gone = size - at;
    snprintf(out, sizeof out, "%.*s%s%s", (int)at, text, word, text + at + gone);
    memcpy(text, out, TEXT - 1);
    text[TEXT - 1] = 0;
  }
}

static void put(const char *name, const char *text, char path[64]) {
  snprintf(path, 64, "%s/%s", folder, name);
  CHECK_OK(file_write_whole(path, text, strlen(text)));
}

static const GameTerms terms = {.env = "kuhn_poker", .seed = 9};

static void games_that_are_taken_are_whole(void **state) {
  (void)state;
  static const MatchTally three = {{{3, 2, 1, 0, 2.5, 3}, {3, 0, 0, 3, -3, 3}}, {{1, 0, 1, 1, 0}}, 4.25, false, {0}, {0}, false};
  char path[64], good[TEXT], text[TEXT], *read;
  size_t size;
  snprintf(path, sizeof path, "%s/good.csv", folder);
  for (uint64_t i = 0; i < 4; i++) CHECK_OK(games_append(path, &terms, "a, \"b\"", i & 1 ? "c" : "d", 3 * i, &three));
  CHECK_OK(file_read(path, &read, &size));
  assert_true(size < TEXT);
  memcpy(good, read, size);
  good[size] = 0;
  free(read);
  size_t refused = 0;
  for (uint64_t seed = 1; seed <= LINES; seed++) {
    AgonRng rng = rng_stream(seed, 3, 0, RNG_TEST);
    Games games = {0};
    snprintf(text, sizeof text, "%s", good);
    alter(&rng, text);
    put("games.csv", text, path);
    Status status = games_read(path, &terms, &games);
    refused += status != OK;
    if (status != OK && (status != ERR_FORMAT || !strstr(status_message(), path)))
      fail_msg("seed %llu: %s", (unsigned long long)seed, status_message());
    for (size_t i = 0; i < games.meetings; i++) {
      assert_true(match_tally_is_whole(&games.meeting[i].tally));
      assert_true(games.meeting[i].next < UINT64_C(1) << 60);
      assert_true(games.meeting[i].a < games.meeting[i].b && games.meeting[i].b < games.players);
    }
    games_free(&games);
  }
  assert_in_range(refused, LINES / 4, LINES - 1);
}

/* By hand, as drawn lines meet them seldom. */
static void games_that_do_not_add_up_are_refused(void **state) {
  (void)state;
  static const char *const line[] = {
      "9223372036854775807,2,1,0,0,0,3,1,0,1,1,0,-.5,6,3,4", /* first pair: what comes next would wrap */
      "0,9223372036854775807,9223372036854775807,2,0,0,0,0,0,0,0,0,-.5,6,3,4", /* games that wrap to 0 */
      "0,2,1,0,0,0,3,9,0,1,1,0,-.5,6,3,4",                                     /* more pairs than games */
      "0,2,1,0,0,0,3,1,0,1,1,0,nan,6,3,4",
      "0,2,1,0,0,0,3,1,0,1,1,0,-.5,-6,3,4",
      "0,2,1,0,0,0,3,1,0,1,1,0,-.5,6,3,inf",
      "0,2,1,0,0,0,4,1,0,1,1,0,-.5,6,3,4"};
  char path[64], *text;
  size_t size;
  snprintf(path, sizeof path, "%s/header.csv", folder);
  static const MatchTally one = {{{1, 1, 0, 0, 1, 1}, {1, 1, 0, 0, 1, 1}}, {{0, 0, 0, 0, 1}}, 4, false, {0}, {0}, false};
  CHECK_OK(games_append(path, &terms, "a", "b", 0, &one));
  CHECK_OK(file_read(path, &text, &size));
  *strchr(text, '\n') = 0;
  for (size_t i = 0; i < COUNT_OF(line); i++) {
    char all[TEXT];
    Games games = {0};
    snprintf(all, sizeof all, "%s\nkuhn_poker,0,0,9,a,b,%s\n", text, line[i]);
    put("games.csv", all, path);
    if (games_read(path, &terms, &games) != ERR_FORMAT || !strstr(status_message(), "line 2"))
      fail_msg("taken: %s", line[i]);
    games_free(&games);
  }
  free(text);
}

static void write_records(double first, double last) {
  Metrics *metrics;
  CHECK_OK(metrics_open(folder, &(MetricsStart){.step = first, .resumed = first > 1}, &metrics));
  for (double step = first; step <= last; step++) {
    Record record = {.count = 0};
    record_set(&record, "global_step", step);
    record_set(&record, "charts/value", 10 * step);
    CHECK_OK(metrics_write(metrics, &record));
  }
  metrics_close(metrics);
}

/* A job that was killed in a write leaves half a line. The next one's first line is not joined to it. */
static void a_torn_line_costs_no_other(void **state) {
  (void)state;
  char path[64], *text;
  size_t size;
  SeriesSet set;
  snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
  write_records(1, 3);
  CHECK_OK(file_read(path, &text, &size));
  CHECK_OK(file_write_whole(path, text, size - 9)); /* the third is torn */
  free(text);
  write_records(4, 5);
  CHECK_OK(series_read(path, 0, &set));
  const Series *value = series_find(&set, "charts/value");
  assert_non_null(value);
  assert_int_equal(value->count, 4);
  const double x[] = {1, 2, 4, 5};
  for (size_t i = 0; i < 4; i++) {
    CHECK_NEAR(value->x[i], x[i], 0);
    CHECK_NEAR(value->y[i], 10 * x[i], 0);
  }
  series_free(&set);
  CHECK_OK(file_read(path, &text, &size));
  size_t lines = 0;
  for (const char *at = text; (at = strchr(at, '\n')); at++) lines++;
  assert_int_equal(lines, 5);
  free(text);
  file_ops()->remove(path);
}

static void metrics_that_are_taken_are_in_order(void **state) {
  (void)state;
  char path[64], good[TEXT] = "", text[TEXT];
  for (int i = 1; i <= RECORDS; i++)
    snprintf(good + strlen(good), TEXT - strlen(good), "{\"global_step\":%d.0,\"charts/value\":%d.5,\"a/b\":1e3}\n",
             100 * i, i);
  for (uint64_t seed = 1; seed <= LINES; seed++) {
    AgonRng rng = rng_stream(seed, 4, 0, RNG_TEST);
    SeriesSet set;
    snprintf(text, sizeof text, "%s", good);
    alter(&rng, text);
    put("metrics.jsonl", text, path);
    CHECK_OK(series_read(path, seed & 1 ? 0 : 150, &set));
    for (size_t s = 0; s < set.count; s++)
      for (size_t i = 0; i < set.series[s].count; i++) {
        assert_true(isfinite(set.series[s].x[i]) && isfinite(set.series[s].y[i]));
        assert_true(i == 0 || set.series[s].x[i] > set.series[s].x[i - 1]);
      }
    series_free(&set);
  }
  /* a line that does not say when it was is of no use, and does no harm */
  snprintf(text, sizeof text, "%.4000s{\"charts/value\":7}\n", good);
  SeriesSet set;
  put("metrics.jsonl", text, path);
  CHECK_OK(series_read(path, 0, &set));
  assert_int_equal(series_find(&set, "charts/value")->count, RECORDS);
  series_free(&set);
}

static Status show_status(void) {
  char *argv[] = {folder};
  for (size_t i = 0; i < command_count; i++)
    if (!strcmp(commands[i]->name, "status")) return commands[i]->run(1, argv);
  return ERR_INTERNAL;
}

static void altered_status_is_shown_or_refused(void **state) {
  (void)state;
  static const char *const good =
      "{\"state\":\"running\",\"global_step\":1000,\"target\":5000,\"seconds\":12.5,\"reason\":\"x\",\"players\":"
      "[{\"name\":\"main_0\",\"role\":\"main\",\"frozen\":false,\"frames\":500,\"score\":0.5},{\"name\":\"main_0-"
      "000000\","
      "\"frozen\":true,\"frames\":0,\"score\":null}],\"warnings\":[\"one\",\"two\"]}";
  static const char *const odd[] = {"[]", "1", "\"x\"", "{\"warnings\":[1,null,{}]}", "{\"players\":[1,[],{}]}",
                                    "",   "{"};
  char path[64], text[TEXT];
  size_t shown = 0;
  snprintf(path, sizeof path, "%s/checkpoints", folder);
  CHECK_OK(file_make_folders(path));
  put("checkpoints/000001.h5", "", path);
  fflush(stdout);
  int screen = dup(1);
  assert_non_null(freopen("/dev/null", "w", stdout));
  for (uint64_t seed = 0; seed < LINES; seed++) {
    AgonRng rng = rng_stream(seed, 5, 0, RNG_TEST);
    snprintf(text, sizeof text, "%s", seed < COUNT_OF(odd) ? odd[seed] : good);
    if (seed > COUNT_OF(odd)) alter(&rng, text);
    put("status.json", text, path);
    Status status = show_status();
    shown += status == OK;
    if (seed < 3) assert_int_equal(status, ERR_RUN); /* JSON, but no status */
    if (status != OK && (status != ERR_RUN || !strstr(status_message(), path)))
      fail_msg("'%s': %s", text, status_message());
  }
  fflush(stdout);
  dup2(screen, 1);
  close(screen);
  assert_in_range(shown, 1, LINES - 1);
}

/* Each line is played, or refused with a sentence; and the next one finds the game as if nothing had been. */
static void lines_of_play_are_played_or_refused(void **state) {
  (void)state;
  static const char *const game[] = {"kuhn_poker", "tic_tac_toe", "goofspiel", "leduc_poker"};
  static const char *const good[] = {"0 1 pass bet", "4 0 8 2", "0 0 1 1", "0 1 call"};
  size_t played = 0, refused = 0;
  for (size_t g = 0; g < COUNT_OF(game); g++) {
    Env *env;
    Position position;
    CHECK_OK(env_create_from(game[g], NULL, 0, &env));
    CHECK_OK(position_create(env, &position));
    for (uint64_t seed = 1; seed <= LINES / 2; seed++) {
      AgonRng rng = rng_stream(seed, 6, (uint32_t)g, RNG_TEST);
      char text[TEXT];
      snprintf(text, sizeof text, "%s", good[g]);
      alter(&rng, text);
      CHECK_OK(position_reset(&position, (AgonRng){0}));
      Status status = position_play_line(&position, text);
      played += status == OK;
      refused += status == ERR_USAGE;
      if (status != OK && (status != ERR_USAGE || !*status_message()))
        fail_msg("%s: '%s': %s", game[g], text, status_message());
    }
    CHECK_OK(position_reset(&position, (AgonRng){0}));
    CHECK_OK(position_play_line(&position, ""));
    position_destroy(&position);
    env_destroy(env);
  }
  assert_in_range(played, 1, 2 * LINES);
  assert_in_range(refused, LINES / 2, 2 * LINES);
}

static int set_up(void **state) {
  (void)state;
  folder_make(folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  folder_remove(folder);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(games_that_are_taken_are_whole),     cmocka_unit_test(games_that_do_not_add_up_are_refused),
      cmocka_unit_test(a_torn_line_costs_no_other),         cmocka_unit_test(metrics_that_are_taken_are_in_order),
      cmocka_unit_test(altered_status_is_shown_or_refused), cmocka_unit_test(lines_of_play_are_played_or_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* What people read of a running league: rates are of the job that measured them, nothing is shown that was not
 * measured, nothing exceeds what was asked for. */
#include "check.h"
#include "folder.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "run/series.h"
#include "job/config.h"
#include "league/display.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Scene {
  char folder[64];
  RunFolder run;
  JobConfig *settings;
  League league;
  Numbers report[3];
  uint64_t dropped[3];
  int64_t now;
  char line[1024]; /* the last of the log */
  int rated;       /* calls */
  int64_t cost;    /* of one, nanoseconds */
  Display *display;
} Scene;

/* main_0 stands as player 3, main_exploiter_0 is bounded, the last is unknown.
 */
static Status scene_rate(void *context, LearnerRating *out) {
  Scene *scene = context;
  scene->now += scene->cost;
  scene->rated++;
  out[0] = (LearnerRating){3, {.known = true, .elo = 312.4, .low = 280.1, .high = 344.7, .games = 500}};
  out[1] = (LearnerRating){3, {.known = true, .bound = 1, .elo = 900, .low = 560, .high = 1300, .games = 20}};
  out[2] = (LearnerRating){.as = 2};
  return OK;
}

static int64_t scene_now(void *context) { return ((Scene *)context)->now; }
static void keep_line(void *context, const char *line) {
  snprintf(((Scene *)context)->line, sizeof((Scene *)context)->line, "%s", line);
}

static Progress progress(const Scene *scene, uint64_t frames) {
  return (Progress){.tick = frames / 100,
                    .frames = frames,
                    .steps = 2 * frames,
                    .episodes = frames / 10,
                    .seconds = 1000 + clock_seconds(scene->now),
                    .reason = "running",
                    .report = scene->report,
                    .dropped = scene->dropped};
}

/* A job that goes on with a run of `frames` frames, 1,000 seconds old. */
static void open_scene(Scene *scene, uint64_t frames, uint32_t teams) {
  JobConfigSource source = {.game = "tic_tac_toe"};
  *scene = (Scene){.folder = ""};
  folder_make(scene->folder);
  CHECK_OK(run_lock(scene->folder, &scene->run));
  CHECK_OK(job_config_create(&source, &scene->settings));
  CHECK_OK(league_create(&scene->settings->league, 1, -1, 1, &scene->league));
  DisplaySetup setup = {.league = &scene->league,
                        .run = &scene->run,
                        .clock = {scene_now, scene},
                        .env = {.game = "tic_tac_toe", .teams = teams, .metric_count = 1},
                        .frames_target = 9000000,
                        .metrics_seconds = 5,
                        .progress_seconds = 10,
                        .actors = 2,
                        .learners = 1,
                        .resumed = frames > 0,
                        .rate = scene_rate,
                        .context = scene};
  Progress begin = progress(scene, frames);
  CHECK_OK(display_create(&setup, &begin, &scene->display));
  log_set_sink(keep_line, scene);
}

static void close_scene(Scene *scene) {
  display_destroy(scene->display);
  league_free(&scene->league);
  job_config_destroy(scene->settings);
  run_close(&scene->run);
  log_set_sink(NULL, NULL);
  folder_remove(scene->folder);
}

static double last_of(const Scene *scene, const char *name) {
  char path[128];
  SeriesSet set;
  snprintf(path, sizeof path, "%s/metrics.jsonl", scene->folder);
  CHECK_OK(series_read(path, 0, &set));
  const Series *series = series_find(&set, name);
  double value = series && series->count ? series->y[series->count - 1] : -1;
  series_free(&set);
  return value;
}

static json_t *status_of(const Scene *scene) {
  char path[128];
  snprintf(path, sizeof path, "%s/status.json", scene->folder);
  json_t *root = json_load_file(path, 0, NULL);
  assert_non_null(root);
  return root;
}

static void expect_line(const Scene *scene, const char *part) {
  if (!strstr(scene->line, part)) fail_msg("'%s' is not in '%s'", part, scene->line);
}

static void rates_are_of_this_job(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 8000000, 2);
  scene.now += 5 * 1000000000ll;
  assert_true(display_metrics_due(scene.display));
  assert_false(display_line_due(scene.display));
  Progress now = progress(&scene, 8001000);
  CHECK_OK(display_metrics(scene.display, &now));
  CHECK_NEAR(last_of(&scene, "charts/SPS"), 200, 1e-6);
  CHECK_NEAR(last_of(&scene, "charts/env_steps_per_second"), 400, 1e-6);
  scene.now += 5 * 1000000000ll;
  now = progress(&scene, 8003000);
  display_line(scene.display, &now);
  expect_line(&scene, "8.00 M of 9.00 M frames, 300 frames/s,");
  CHECK_OK(display_metrics(scene.display, &now));
  CHECK_NEAR(last_of(&scene, "charts/SPS"), 400, 1e-6);
  scene.now += 1000000; /* a moment later nothing can be measured: the rate of the job so far */
  CHECK_OK(display_metrics(scene.display, &now));
  CHECK_NEAR(last_of(&scene, "charts/SPS"), 300, 0.1);
  close_scene(&scene);
}

static void nothing_is_shown_that_was_not_measured(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 0, 2);
  Progress now = progress(&scene, 0);
  display_line(scene.display, &now);
  expect_line(&scene, "0 of 9.00 M frames, n/a frames/s,");
  expect_line(&scene, "entropy n/a");
  if (strstr(scene.line, "50 %") || strstr(scene.line, "first snapshot")) fail_msg("%s", scene.line);
  CHECK_OK(display_metrics(scene.display, &now));
  CHECK_NEAR(last_of(&scene, "charts/SPS"), -1, 0);
  CHECK_NEAR(last_of(&scene, "main_0/mean_return"), -1, 0);
  CHECK_OK(display_status(scene.display, &now, "running"));
  json_t *root = status_of(&scene), *main = json_array_get(json_object_get(root, "players"), 0);
  assert_true(json_is_null(json_object_get(main, "score")));
  assert_true(json_is_null(json_object_get(main, "return")));
  assert_true(json_is_null(json_object_get(main, "entropy")));
  json_decref(root);
  close_scene(&scene);
}

/* Who takes the best choice but for chance has no entropy worth telling, but an epsilon. */
static void who_explores_has_an_epsilon(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 0, 2);
  Progress now = progress(&scene, 1000);
  Numbers said[2] = {{.count = 0}};
  now.report = said;
  numbers_set(&said[0], "value_loss", 3);
  numbers_set(&said[0], "epsilon", .25);
  display_line(scene.display, &now);
  expect_line(&scene, "; epsilon 0.25");
  CHECK_OK(display_status(scene.display, &now, "running"));
  json_t *root = status_of(&scene), *main = json_array_get(json_object_get(root, "players"), 0);
  CHECK_NEAR(json_number_value(json_object_get(main, "epsilon")), .25, 1e-9);
  assert_null(json_object_get(main, "entropy"));
  json_decref(root);
  said[0].count = 0;
  numbers_set(&said[0], "entropy", 1.5);
  display_line(scene.display, &now);
  expect_line(&scene, "; entropy 1.50");
  close_scene(&scene);
}

static void no_more_than_all(void **state) {
  (void)state;
  char text[40];
  Scene scene;
  open_scene(&scene, 0, 2);
  scene.now += 1000000000;
  Progress now = progress(&scene, 9012345);
  display_line(scene.display, &now);
  expect_line(&scene, "9.00 M of 9.00 M frames, 9.01 M frames/s,");
  assert_string_equal(text_done(2670000, 9e6, text, sizeof text), "2.67 M of 9.00 M");
  assert_int_equal(text_percent(9012345, 9e6), 100);
  assert_int_equal(text_percent(8999999, 9e6), 99);
  assert_int_equal(text_percent(0, 9e6), 0);
  close_scene(&scene);
}

/* What is rated is shown as it is, with what it stands for; not more often than a fiftieth of the time allows; and at
 * the end in any case. */
static void ratings_as_they_are(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 0, 2);
  scene.cost = 100000000;
  scene.now += 5 * 1000000000ll;
  Progress now = progress(&scene, 1000);
  display_line(scene.display, &now);
  expect_line(&scene, "Elo main_0 n/a, main_exploiter_0 n/a, league_exploiter_0 n/a;");
  CHECK_OK(display_metrics(scene.display, &now));
  assert_int_equal(scene.rated, 1);
  CHECK_NEAR(last_of(&scene, "main_0/rating/elo"), 312.4, 1e-9);
  CHECK_NEAR(last_of(&scene, "main_0/rating/low"), 280.1, 1e-9);
  CHECK_NEAR(last_of(&scene, "main_0/rating/high"), 344.7, 1e-9);
  CHECK_NEAR(last_of(&scene, "league_exploiter_0/rating/elo"), -1, 0);
  display_line(scene.display, &now);
  expect_line(&scene, "Elo main_0 +312 [+280, +345], main_exploiter_0 >= +560, league_exploiter_0 n/a;");
  CHECK_OK(display_status(scene.display, &now, "running"));
  json_t *root = status_of(&scene), *players = json_object_get(root, "players"),
         *rating = json_object_get(json_array_get(players, 0), "rating");
  assert_string_equal(json_string_value(json_object_get(rating, "as")), "main_0-000000");
  CHECK_NEAR(json_number_value(json_object_get(rating, "elo")), 312.4, 1e-9);
  assert_true(json_is_null(json_object_get(json_array_get(players, 2), "rating")));
  json_decref(root);
  scene.now += 4800000000ll; /* 4.8 s after 0.1 s of rating: too soon */
  now = progress(&scene, 2000);
  CHECK_OK(display_metrics(scene.display, &now));
  assert_int_equal(scene.rated, 1);
  scene.now += 300000000;
  now = progress(&scene, 3000);
  CHECK_OK(display_metrics(scene.display, &now));
  assert_int_equal(scene.rated, 2);
  CHECK_OK(display_finish(scene.display, &now, "finished"));
  assert_int_equal(scene.rated, 3);
  close_scene(&scene);
}

static double waits_of(const Scene *scene, const char *what) {
  json_t *root = status_of(scene);
  const json_t *waits = json_object_get(root, "actor_waits");
  double value = json_is_null(waits) ? -2 : json_number_value(json_object_get(waits, what));
  json_decref(root);
  return value;
}

/* Each actor's mean since the look before; one that said nothing since then is as it was. */
static void actors_say_how_they_wait(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene, 0, 2);
  Progress now = progress(&scene, 1000);
  Results results = {.actor = 1, .waits = -1}; /* a transport without a clock */
  display_count(scene.display, &results);
  CHECK_OK(display_status(scene.display, &now, "running"));
  CHECK_NEAR(waits_of(&scene, "mean"), -2, 0);
  const Results told[] = {{.actor = 0, .waits = 0.125}, {.actor = 1, .waits = 0.5}, {.actor = 1, .waits = 1}};
  for (size_t i = 0; i < COUNT_OF(told); i++) display_count(scene.display, &told[i]);
  CHECK_OK(display_status(scene.display, &now, "running"));
  CHECK_NEAR(waits_of(&scene, "mean"), (0.125 + 0.75) / 2, 1e-9);
  CHECK_NEAR(waits_of(&scene, "most"), 0.75, 1e-9);
  CHECK_NEAR(waits_of(&scene, "actor"), 1, 0);
  results = (Results){.actor = 0, .waits = 0.875};
  display_count(scene.display, &results);
  CHECK_OK(display_status(scene.display, &now, "running"));
  CHECK_NEAR(waits_of(&scene, "mean"), (0.875 + 0.75) / 2, 1e-9);
  CHECK_NEAR(waits_of(&scene, "actor"), 0, 0);
  close_scene(&scene);
}

/* Four episodes of the main at home with returns 1, 2, 3, 6; others' and evaluation's are not its own. */
static void returns_of_training_episodes(void **state) {
  (void)state;
  Scene scene;
  Results results = {.metric = {6}, .episodes = 12};
  PairResults pair[3] = {
      {.home = 0, .tally.games = 4, .tally.wins = 4, .tally.returns = 12, .tally.squares = 50, .length = 40},
      {.home = 1, .tally.games = 4, .tally.wins = 4, .tally.returns = 400, .tally.squares = 40000},
      {.home = 0, .tally.games = 4, .tally.wins = 4, .tally.returns = 800, .tally.squares = 160000, .eval = 1}};
  open_scene(&scene, 0, 1);
  results.pair = pair;
  results.pairs = 3;
  display_count(scene.display, &results);
  scene.now += 5 * 1000000000ll;
  Progress now = progress(&scene, 1000);
  CHECK_OK(display_metrics(scene.display, &now));
  CHECK_NEAR(last_of(&scene, "main_0/mean_return"), 3, 1e-9);
  CHECK_NEAR(last_of(&scene, "main_0/return_deviation"), 2.1602468994692869, 1e-8); /* sqrt(14 / 3) */
  CHECK_NEAR(last_of(&scene, "main_0/return_episodes"), 4, 0);
  CHECK_NEAR(last_of(&scene, "main_exploiter_0/mean_return"), 100, 1e-9);
  CHECK_NEAR(last_of(&scene, "league_exploiter_0/mean_return"), -1, 0);
  CHECK_NEAR(last_of(&scene, "env/metric_0"), 0.5, 1e-9); /* a metric without a name */
  display_line(scene.display, &now);
  expect_line(&scene, "team return main_0 3, deviation 2.16, 4 episodes in training; main_exploiter_0 100,");
  CHECK_OK(display_status(scene.display, &now, "running"));
  json_t *root = status_of(&scene),
         *ret = json_object_get(json_array_get(json_object_get(root, "players"), 0), "return");
  CHECK_NEAR(json_number_value(json_object_get(ret, "mean")), 3, 1e-9);
  CHECK_NEAR(json_number_value(json_object_get(ret, "episodes")), 4, 0);
  json_decref(root);
  CHECK_OK(display_metrics(scene.display, &now)); /* an interval without episodes, then another: no longer of late */
  assert_true(display_returns(scene.display, 0).games < 1);
  char path[128], *prom;
  size_t size;
  snprintf(path, sizeof path, "%s/metrics.prom", scene.folder);
  CHECK_OK(file_read(path, &prom, &size));
  assert_null(strstr(prom, "mean_return"));
  free(prom);
  close_scene(&scene);
}

static const Baseline standing_by[] = {
    {"random", {.known = true, .episodes = 20, .mean = -80, .low = -82, .high = -78, .metric = {4}}},
    {"noop", {.known = true, .episodes = 20, .mean = -72.5, .low = NAN, .high = NAN, .metric = {0}}}};

/* The main has earned what a call's number says; others are not learned here. */
static Status scene_evaluate(void *context, uint64_t frames, TeamScore *out, const Baseline **baseline,
                             size_t *baselines) {
  Scene *scene = context;
  scene->now += scene->cost;
  scene->rated++;
  out[0] = (TeamScore){.known = true,
                       .frames = frames,
                       .episodes = 20,
                       .mean = -30 - scene->rated,
                       .low = -32 - scene->rated,
                       .high = -28 - scene->rated,
                       .metric = {1.25}};
  *baseline = standing_by;
  *baselines = COUNT_OF(standing_by);
  return OK;
}

/* Where one team plays: what was evaluated stands in line, status and metrics, beside who needs no training; not more
 * often than a twentieth of the time allows, and at the end in any case. Nothing of a league is told. */
static void evaluations_of_a_team(void **state) {
  (void)state;
  static const char *const metric[] = {"collisions"};
  Scene scene;
  open_scene(&scene, 0, 1);
  display_destroy(scene.display);
  DisplaySetup setup = {.league = &scene.league,
                        .run = &scene.run,
                        .clock = {scene_now, &scene},
                        .env = {.game = "spread",
                                .teams = 1,
                                .return_factor = 3,
                                .return_words = "sum over 3 agents",
                                .metric_names = metric,
                                .metric_count = 1},
                        .frames_target = 9000000,
                        .metrics_seconds = 5,
                        .progress_seconds = 10,
                        .actors = 1,
                        .learners = 1,
                        .evaluate = scene_evaluate,
                        .context = &scene};
  Progress now = progress(&scene, 0);
  CHECK_OK(display_create(&setup, &now, &scene.display));
  PairResults pair = {.home = 0, .tally.games = 2, .tally.wins = 2, .tally.returns = -20, .tally.squares = 202};
  Results results = {.metric = {6}, .episodes = 2, .pair = &pair, .pairs = 1};
  display_count(scene.display, &results);
  display_line(scene.display, &now);
  expect_line(&scene, "n/a frames/s, tick 0, team return main_0 -30, deviation 4.24, 2 episodes in training;");
  scene.cost = 100000000;
  scene.now += 5 * 1000000000ll;
  now = progress(&scene, 1000);
  CHECK_OK(display_metrics(scene.display, &now));
  expect_line(&scene, "baseline noop      team return -72.5; collisions 0");
  assert_int_equal(scene.rated, 1);
  CHECK_NEAR(last_of(&scene, "main_0/eval/return"), -31, 1e-9);
  CHECK_NEAR(last_of(&scene, "main_0/eval/return_low"), -33, 1e-9);
  CHECK_NEAR(last_of(&scene, "main_0/eval/collisions"), 1.25, 1e-9);
  CHECK_NEAR(last_of(&scene, "random/eval/return_high"), -78, 1e-9);
  CHECK_NEAR(last_of(&scene, "noop/eval/return"), -72.5, 1e-9);
  CHECK_NEAR(last_of(&scene, "noop/eval/return_low"), -1, 0); /* cannot be told */
  CHECK_NEAR(last_of(&scene, "main_exploiter_0/eval/return"), -1, 0);
  CHECK_NEAR(last_of(&scene, "main_0/mean_return"), -30, 1e-9); /* told as the sum, too */
  CHECK_NEAR(last_of(&scene, "league/players"), -1, 0);
  CHECK_NEAR(last_of(&scene, "matchmaking/self"), -1, 0);
  CHECK_NEAR(last_of(&scene, "charts/frozen_decisions_per_second"), -1, 0);
  display_line(scene.display, &now);
  expect_line(&scene, "team return main_0 -31 [-33, -29], collisions 1.25, in training -30; main_exploiter_0 n/a");
  if (strstr(scene.line, "players,")) fail_msg("%s", scene.line);
  CHECK_OK(display_status(scene.display, &now, "running"));
  json_t *root = status_of(&scene);
  const json_t *of = json_object_get(json_array_get(json_object_get(root, "players"), 0), "evaluation");
  CHECK_NEAR(json_number_value(json_object_get(of, "mean")), -31, 1e-9);
  CHECK_NEAR(json_number_value(json_object_get(of, "frames")), 1000, 0);
  CHECK_NEAR(json_number_value(json_object_get(json_object_get(of, "metrics"), "collisions")), 1.25, 1e-9);
  of = json_object_get(json_object_get(root, "baselines"), "noop");
  CHECK_NEAR(json_number_value(json_object_get(of, "mean")), -72.5, 1e-9);
  assert_true(json_is_null(json_object_get(of, "low")));
  assert_true(json_is_null(json_object_get(json_array_get(json_object_get(root, "players"), 1), "evaluation")));
  assert_string_equal(json_string_value(json_object_get(root, "return_is")), "sum over 3 agents");
  json_decref(root);
  scene.now += 1800000000ll; /* 1.8 s after 0.1 s of evaluation: too soon */
  CHECK_OK(display_metrics(scene.display, &now));
  assert_int_equal(scene.rated, 1);
  scene.now += 300000000;
  CHECK_OK(display_metrics(scene.display, &now));
  assert_int_equal(scene.rated, 2);
  CHECK_OK(display_finish(scene.display, &now, "finished"));
  assert_int_equal(scene.rated, 3);
  expect_line(&scene, "team return main_0 -33 [-35, -31]");
  close_scene(&scene);
}

/* Where what one gains is not what the others lose: what players earn, and how all fare in training episodes of late (of
 * the last two records), stand before who has won. */
static void mixed_motives_are_told_by_returns(void **state) {
  (void)state;
  static const char *const metric[] = {"own_share", "welfare"};
  Scene scene;
  open_scene(&scene, 0, 2);
  display_destroy(scene.display);
  DisplaySetup setup = {.league = &scene.league,
                        .run = &scene.run,
                        .clock = {scene_now, &scene},
                        .env = {.game = "coin_game",
                                .teams = 2,
                                .metric_names = metric,
                                .metric_count = 2,
                                .general_sum = true},
                        .frames_target = 9000000,
                        .metrics_seconds = 5,
                        .progress_seconds = 10,
                        .actors = 1,
                        .learners = 1,
                        .context = &scene};
  Progress now = progress(&scene, 0);
  CHECK_OK(display_create(&setup, &now, &scene.display));
  display_line(scene.display, &now);
  expect_line(&scene,
              "return main_0 n/a, main_exploiter_0 n/a, league_exploiter_0 n/a; Elo main_0");
  CHECK_OK(display_status(scene.display, &now, "running"));
  json_t *root = status_of(&scene);
  assert_true(json_is_null(json_object_get(root, "measures")));
  json_decref(root);
  PairResults pair = {
      .home = 0, .tally.games = 4, .tally.wins = 4, .tally.returns = -12, .tally.squares = 50};
  Results results = {.metric = {6, -24}, .episodes = 12, .pair = &pair, .pairs = 1};
  display_count(scene.display, &results);
  scene.now += 5 * 1000000000ll;
  now = progress(&scene, 1000);
  CHECK_OK(display_metrics(scene.display, &now));
  CHECK_NEAR(last_of(&scene, "env/own_share"), .5, 1e-9);
  CHECK_NEAR(last_of(&scene, "env/welfare"), -2, 1e-9);
  results = (Results){.metric = {4, 4}, .episodes = 4};
  display_count(scene.display, &results);
  display_line(scene.display, &now); /* 10 of 16, -20 of 16 */
  expect_line(&scene, "return main_0 -3, main_exploiter_0 n/a, league_exploiter_0 n/a; own_share "
                      "0.625, welfare -1.25");
  CHECK_OK(display_status(scene.display, &now, "running"));
  root = status_of(&scene);
  const json_t *measures = json_object_get(root, "measures");
  assert_true(json_is_true(json_object_get(root, "general_sum")));
  CHECK_NEAR(json_number_value(json_object_get(measures, "own_share")), .625, 1e-9);
  CHECK_NEAR(json_number_value(json_object_get(measures, "welfare")), -1.25, 1e-9);
  json_decref(root);
  CHECK_OK(display_metrics(scene.display, &now));
  CHECK_OK(display_metrics(scene.display,
                           &now)); /* two intervals without an episode: no longer of late */
  display_line(scene.display, &now);
  expect_line(&scene, "league_exploiter_0 n/a; Elo");
  close_scene(&scene);
}

int main(void) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rates_are_of_this_job),
      cmocka_unit_test(nothing_is_shown_that_was_not_measured),
      cmocka_unit_test(who_explores_has_an_epsilon),
      cmocka_unit_test(no_more_than_all),
      cmocka_unit_test(ratings_as_they_are),
      cmocka_unit_test(actors_say_how_they_wait),
      cmocka_unit_test(returns_of_training_episodes),
      cmocka_unit_test(evaluations_of_a_team),
      cmocka_unit_test(mixed_motives_are_told_by_returns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

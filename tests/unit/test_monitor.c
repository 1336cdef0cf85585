/* What the league tells people, from what comes in: whose reports are believed, what is kept of
 * them, when the log says who is left out, and what stands in status.json in the end. */
#include "check.h"
#include "folder.h"

#include "base/log.h"
#include "job/config.h"
#include "league/monitor.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int actor_rank[] = {1};
static const int learner_rank[] = {2, 3};
static const int64_t second = 1000000000;

typedef struct Scene {
  char folder[FOLDER_PATH];
  RunFolder run;
  League league; /* mains 0, 1; their snapshots 2, 3 */
  SimWorld *world;
  Members *members;
  Monitor *monitor;
  int64_t now;
  char line[1024]; /* the last of the log */
} Scene;

static int64_t scene_now(void *context) {
  return ((Scene *)context)->now;
}

static void keep_line(void *context, const char *line) {
  Scene *scene = context;
  snprintf(scene->line, sizeof scene->line, "%s", line);
}

static void open_league(League *league) {
  JobConfigSource source = {.game = "tic_tac_toe"};
  JobConfig *settings;
  CHECK_OK(job_config_create(&source, &settings));
  LeagueConfig config = settings->league;
  config.mains = 2;
  config.main_exploiters = 0;
  config.league_exploiters = 0;
  CHECK_OK(league_create(&config, 1, -1, 1, league));
  job_config_destroy(settings);
}

static RunPosition position(const Scene *scene, uint64_t frames) {
  return (RunPosition){
      .tick = frames / 100,
      .frames = frames,
      .steps = 2 * frames,
      .episodes = frames / 10,
      .end_tick = NEVER,
      .seconds = clock_seconds(scene->now),
  };
}

static void open_scene(Scene *scene) {
  const MembersSetup members = {
      .actor_rank = actor_rank,
      .actors = 1,
      .learner_rank = learner_rank,
      .learners = 2,
      .groups = 2,
      .lanes = 1,
      .opponents = 1,
      .lane_steps = 10,
      .lane_rows = 20,
  };
  *scene = (Scene){.run = {.lock = -1}};
  folder_make(scene->folder);
  CHECK_OK(run_lock(scene->folder, &scene->run));
  open_league(&scene->league);
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 4}, &scene->world));
  CHECK_OK(members_create(&members, sim_rank(scene->world, 0), 0, &scene->members));
  const DisplaySetup setup = {
      .league = &scene->league,
      .run = &scene->run,
      .clock = {scene_now, scene},
      .env = {.game = "tic_tac_toe", .teams = 2},
      .frames_target = 9000,
      .metrics_seconds = 5,
      .progress_seconds = 10,
      .actors = 1,
      .learners = 2,
  };
  const RunPosition begin = position(scene, 0);
  CHECK_OK(monitor_create(&setup, &begin, 0, &scene->monitor));
  log_set_sink(keep_line, scene);
}

static void close_scene(Scene *scene) {
  log_set_sink(NULL, NULL);
  monitor_destroy(scene->monitor);
  members_destroy(scene->members);
  sim_destroy(scene->world);
  league_free(&scene->league);
  run_close(&scene->run);
  folder_remove(scene->folder);
}

/* A report as it comes from a rank. */
static Status report(Scene *scene, int from, uint32_t player, uint64_t version, uint64_t dropped,
                     double entropy) {
  WireReport said = {.player = player, .version = version, .dropped = dropped};
  Bytes bytes = {0};
  const Message message = {.peer = from};
  if (entropy >= 0) numbers_set(&said.numbers, "entropy", entropy);
  report_encode(&said, &bytes);
  Reader body = reader_over(bytes.data, bytes.size);
  Status status = monitor_take_report(scene->monitor, scene->members, &message, &body);
  bytes_free(&bytes);
  return status;
}

/* A number of a player in status.json; -1: null. */
static double shown(const Scene *scene, size_t player, const char *what) {
  char path[128];
  snprintf(path, sizeof path, "%s/status.json", scene->folder);
  json_t *root = json_load_file(path, 0, NULL);
  assert_non_null(root);
  const json_t *value =
      json_object_get(json_array_get(json_object_get(root, "players"), player), what);
  double number = json_is_number(value) ? json_number_value(value) : -1;
  json_decref(root);
  return number;
}

static void expect_text(const Scene *scene, const char *what, const char *expected) {
  char path[128];
  snprintf(path, sizeof path, "%s/status.json", scene->folder);
  json_t *root = json_load_file(path, 0, NULL);
  assert_non_null(root);
  assert_string_equal(json_string_value(json_object_get(root, what)), expected);
  json_decref(root);
}

/* Player p is learned by the p-th group: ranks 2 and 3. */
static void reports_come_from_who_learns(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene);
  CHECK_OK(report(&scene, 2, 0, 1, 0, 1.5));
  CHECK_OK(report(&scene, 3, 1, 1, 0, 1.5));
  assert_int_equal(report(&scene, 3, 0, 2, 0, 1.5), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "player 0 is not learned there"));
  assert_int_equal(report(&scene, 1, 0, 2, 0, 1.5), ERR_FORMAT); /* an actor */
  assert_int_equal(report(&scene, 2, 2, 2, 0, 1.5), ERR_FORMAT); /* frozen */
  assert_int_equal(report(&scene, 2, 99, 2, 0, 1.5), ERR_FORMAT);
  close_scene(&scene);
}

static void counters_only_go_forward(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene);
  CHECK_OK(report(&scene, 2, 0, 5, 7, 1));
  CHECK_OK(report(&scene, 2, 0, 5, 7, 1)); /* nothing was learned */
  CHECK_OK(report(&scene, 3, 1, 1, 0, 1)); /* another's counters are its own */
  assert_int_equal(report(&scene, 2, 0, 4, 7, 1), ERR_FORMAT);
  assert_int_equal(report(&scene, 2, 0, 6, 6, 1), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "player 0 have gone back"));
  CHECK_OK(report(&scene, 2, 0, 6, 8, 1)); /* what was refused has left nothing behind */
  close_scene(&scene);
}

/* An update without experience says nothing of the losses: those of the last with any stand. */
static void the_last_numbers_stand(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene);
  RunPosition now = position(&scene, 1000);
  CHECK_OK(monitor_show(scene.monitor, &now, 3, "running"));
  CHECK_NEAR(shown(&scene, 0, "entropy"), -1, 0);
  CHECK_OK(report(&scene, 2, 0, 1, 0, 1.25));
  CHECK_OK(report(&scene, 2, 0, 2, 0, -1));
  CHECK_OK(report(&scene, 3, 1, 1, 0, 0.5));
  assert_int_equal(report(&scene, 2, 0, 1, 0, 9), ERR_FORMAT);
  CHECK_OK(monitor_show(scene.monitor, &now, 3, "running"));
  CHECK_NEAR(shown(&scene, 0, "entropy"), 1.25, 1e-9);
  CHECK_NEAR(shown(&scene, 1, "entropy"), 0.5, 1e-9);
  close_scene(&scene);
}

/* Who is left out of the meta-game, once for each change: three by name, the others counted. */
static void who_is_left_out_is_said_once(void **state) {
  (void)state;
  Scene scene;
  uint32_t id;
  open_scene(&scene);
  monitor_note_unmeasured(scene.monitor);
  assert_string_equal(scene.line, "");
  for (int i = 0; i < 3; i++) {
    char name[32];
    snprintf(name, sizeof name, "main_0-%06d", i + 1);
    CHECK_OK(league_add(&scene.league, name, ROLE_MAIN, true, 0, &id));
  }
  scene.league.player[2].unmeasured = true;
  monitor_note_unmeasured(scene.monitor);
  assert_string_equal(scene.line, "meta-game of 4 past players; left out until they have met all "
                                  "others: 1 (main_0-000000)");
  *scene.line = 0;
  monitor_note_unmeasured(scene.monitor);
  assert_string_equal(scene.line, "");
  scene.league.player[2].unmeasured = false;
  scene.league.player[3].unmeasured = true; /* another one, and as many */
  monitor_note_unmeasured(scene.monitor);
  assert_non_null(strstr(scene.line, "others: 1 (main_1-000000)"));
  for (size_t i = 2; i < scene.league.players; i++)
    scene.league.player[i].unmeasured = true;
  monitor_note_unmeasured(scene.monitor);
  assert_non_null(strstr(scene.line, "of 0 past players"));
  assert_non_null(strstr(scene.line, "5 (main_0-000000, main_1-000000, main_0-000001, ...)"));
  *scene.line = 0;
  for (size_t i = 2; i < scene.league.players; i++)
    scene.league.player[i].unmeasured = false;
  monitor_note_unmeasured(scene.monitor);
  assert_string_equal(scene.line, ""); /* nobody is left out: there is nothing to say */
  close_scene(&scene);
}

static void looks_are_half_a_second_apart(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene);
  scene.now = 10 * second;
  assert_true(monitor_look_due(scene.monitor));
  assert_false(monitor_look_due(scene.monitor));
  scene.now += second / 2 - 1;
  assert_false(monitor_look_due(scene.monitor));
  scene.now += 1;
  assert_true(monitor_look_due(scene.monitor));
  scene.now += 5 * second; /* a long pause is one look, not ten */
  assert_true(monitor_look_due(scene.monitor));
  assert_false(monitor_look_due(scene.monitor));
  close_scene(&scene);
}

static void the_end_is_written_down(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene);
  RunPosition now = position(&scene, 1000);
  scene.now += second;
  CHECK_OK(monitor_show(scene.monitor, &now, 3, "waiting for two actors"));
  expect_text(&scene, "state", "running");
  expect_text(&scene, "reason", "waiting for two actors");
  now = position(&scene, 9000);
  CHECK_OK(monitor_finish(scene.monitor, &now, 4, "the frames are done", "finished"));
  expect_text(&scene, "state", "finished");
  expect_text(&scene, "reason", "the frames are done");
  close_scene(&scene);
}

int main(void) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reports_come_from_who_learns),
      cmocka_unit_test(counters_only_go_forward),
      cmocka_unit_test(the_last_numbers_stand),
      cmocka_unit_test(who_is_left_out_is_said_once),
      cmocka_unit_test(looks_are_half_a_second_apart),
      cmocka_unit_test(the_end_is_written_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

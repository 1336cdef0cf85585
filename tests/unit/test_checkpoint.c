/* Checkpoints: pieces of a cut in whatever order they come make the same file, from which a run
 * goes on; what does not belong to the cut is refused, and what contradicts itself is not written.
 */
#include "check.h"
#include "folder.h"

#include "base/file.h"
#include "job/config.h"
#include "league/checkpoint.h"
#include "store/counters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool written; /* by the last checkpoint_write */

enum { ACTORS = 2, PLAYERS = 2, LANES = 5, PIECES = LANES + ACTORS + PLAYERS };
enum { GAMES = 2, FRAMES = 4, STEPS = 6 }; /* of each actor */

static const int actor_rank[] = {1, 2};
static const int learner_rank[] = {3, 4};
enum { LANE_SEATS = 2, LEARNERS = 2 }; /* seats of a lane's slots */
static const size_t fed[ACTORS] = {0, 1};
static const size_t owner[LANES] = {0, 0, 1, 1, 1};
static const char *const lane_state[LANES] = {"zero", "first lane", "2", "the third", "last"};
static const char hash[] = "00112233445566778899aabbccddeeff";

typedef struct Scene {
  char folder[FOLDER_PATH];
  RunFolder run;
  Tree header;
  League league; /* mains 0, 1; their snapshots 2, 3 */
  SimWorld *world;
  Members *members;
  RunPosition position;
  Bytes tables;
  Checkpoint *checkpoint;
  int64_t now;
  bool state_is_bad; /* what check_state says */
  bool keeping;      /* the learners share both players, and keep what the actors play */
} Scene;

static int64_t scene_now(void *context) {
  return ((Scene *)context)->now;
}

static Status check_state(void *context, const Tree *state) {
  const Scene *scene = context;
  assert_non_null(tree_find(state, "policy"));
  return scene->state_is_bad ? status_set(ERR_FORMAT, "nobody could go on from it") : OK;
}

static void open_league(League *league) {
  JobConfigSource source = {.game = "tic_tac_toe"};
  JobConfig *settings;
  CHECK_OK(job_config_create(&source, &settings));
  LeagueConfig config = settings->league;
  config.mains = PLAYERS;
  config.main_exploiters = 0;
  config.league_exploiters = 0;
  CHECK_OK(league_create(&config, 1, -1, 1, league));
  for (size_t i = PLAYERS; i < league->players; i++)
    snprintf(league->player[i].hash, sizeof league->player[i].hash, "%s", hash);
  job_config_destroy(settings);
}

static Checkpoint *new_checkpoint(Scene *scene, const Tree *resume) {
  Checkpoint *checkpoint;
  const CheckpointSetup setup = {
      .run = &scene->run,
      .header = &scene->header,
      .keep = 3,
      .clock = {scene_now, scene},
      .patience = 10,
      .actors = ACTORS,
      .keepers = members_keepers(scene->members),
      .check_state = check_state,
      .context = scene,
  };
  CHECK_OK(checkpoint_create(&setup, resume, &scene->league, &scene->position, &checkpoint));
  return checkpoint;
}

static Members *new_members(Scene *scene) {
  const MembersSetup setup = {
      .actor_rank = actor_rank,
      .actors = ACTORS,
      .learner_rank = learner_rank,
      .learners = PLAYERS,
      .groups = scene->keeping ? 1 : PLAYERS,
      .lanes = LANES,
      .opponents = 1,
      .lane_steps = 10,
      .lane_rows = 20,
      .lane_seats = scene->keeping ? LANE_SEATS : 0,
      .fed = fed,
  };
  Members *members;
  CHECK_OK(members_create(&setup, sim_rank(scene->world, 0), 0, &members));
  return members;
}

/* What an actor has played in a tick: games of main 0 against a snapshot, or (away 0) itself. */
static Results results_of(PairResults *pair, FrameCount *frame, uint32_t actor, uint32_t away) {
  *pair = (PairResults){.away = away, .tally = {.games = GAMES, .wins = GAMES}, .length = STEPS};
  *frame = (FrameCount){.player = actor, .frames = FRAMES};
  return (Results){
      .actor = actor,
      .pair = pair,
      .pairs = 1,
      .frame = frame,
      .frames = 1,
      .steps = STEPS,
      .episodes = GAMES,
  };
}

/* One tick: actor 0 plays a snapshot, which the payoff counts; actor 1 main 0 against itself, which
 * only the ledger does. */
static void play(Scene *scene) {
  for (uint32_t actor = 0; actor < ACTORS; actor++) {
    PairResults pair;
    FrameCount frame;
    const Message message = {.peer = actor_rank[actor]};
    const Results results = results_of(&pair, &frame, actor, actor == 0 ? 3 : 0);
    CHECK_OK(members_take_results(scene->members, &scene->league, &message, &results));
    CHECK_OK(league_merge(&scene->league, &results));
    checkpoint_count(scene->checkpoint, &results);
    scene->position.frames += FRAMES;
    scene->position.steps += STEPS;
    scene->position.episodes += GAMES;
  }
  league_settle(&scene->league);
  scene->position.tick++;
}

static void open_scene_of(Scene *scene, bool keeping) {
  *scene = (Scene){.run = {.lock = -1},
                   .keeping = keeping,
                   .position = {.end_tick = NEVER, .frozen_decisions = 8, .seconds = 12.5}};
  folder_make(scene->folder);
  CHECK_OK(run_lock(scene->folder, &scene->run));
  CHECK_OK(tree_put_text(&scene->header, "@about", "a test"));
  bytes_put(&scene->tables, "tables", 6);
  open_league(&scene->league);
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 5}, &scene->world));
  scene->members = new_members(scene);
  scene->checkpoint = new_checkpoint(scene, NULL);
  play(scene);
}

static void open_scene(Scene *scene) {
  open_scene_of(scene, false);
}

static void close_scene(Scene *scene) {
  checkpoint_destroy(scene->checkpoint);
  members_destroy(scene->members);
  league_free(&scene->league);
  sim_destroy(scene->world);
  tree_free(&scene->header);
  bytes_free(&scene->tables);
  run_close(&scene->run);
  folder_remove(scene->folder);
}

static void open_cut(Scene *scene, bool end) {
  checkpoint_open(scene->checkpoint, 0, end, end, PLAYERS);
}

static void capture(Scene *scene) {
  CHECK_OK(checkpoint_capture(scene->checkpoint, &scene->league, &scene->position, &scene->tables));
}

/* A piece of an actor's state, or (lane WIRE_NO_LANE) its last. */
static Status say_lane(Scene *scene, int from, uint32_t actor, uint32_t lane, const char *state,
                       uint64_t acted) {
  Bytes bytes = {0};
  const Message message = {.peer = from};
  WireActorState said = {.actor = actor, .lane = lane};
  if (lane == (uint32_t)WIRE_NO_LANE) {
    said.acted = acted;
    said.episodes = GAMES;
    said.steps = STEPS;
  }
  actor_state_encode(&said, &bytes);
  bytes_put(&bytes, state, strlen(state));
  Reader body = reader_over(bytes.data, bytes.size);
  Status status = checkpoint_take_actor(scene->checkpoint, scene->members, &message, &body);
  bytes_free(&bytes);
  return status;
}

/* A player's columns as the learner sends them, with what it has learned from; extra: one column
 * more, of this type, or NULL. */
static Status say_player(Scene *scene, int from, uint32_t player, uint64_t learned,
                         const char *extra, StoreType type) {
  const float policy[] = {1, 2, 3, (float)player};
  uint64_t counters[PLAYER_COUNTERS] = {0};
  Bytes bytes = {0};
  Tree tree = {0};
  const Message message = {.peer = from};
  counters[PLAYER_FRAMES] = learned;
  CHECK_OK(tree_put(&tree, "policy", STORE_F32, COUNT_OF(policy), 1, policy));
  CHECK_OK(tree_put(&tree, PLAYER_COUNTERS_COLUMN, STORE_U64, PLAYER_COUNTERS, 1, counters));
  if (extra && type == STORE_TEXT) CHECK_OK(tree_put_text(&tree, extra, "a text"));
  if (extra && type == STORE_F32) CHECK_OK(tree_put(&tree, extra, type, 1, 1, policy));
  player_state_encode(&(WirePlayerState){.player = player}, &bytes);
  tree_encode(&tree, &bytes);
  Reader body = reader_over(bytes.data, bytes.size);
  Status status =
      checkpoint_take_learner(scene->checkpoint, &scene->league, scene->members, &message, &body);
  tree_free(&tree);
  bytes_free(&bytes);
  return status;
}

/* Piece n of a whole cut: the lanes, then the actors' ends, then the players. An actor's end comes
 * after its lanes in any order that there can be. */
static void give_piece(Scene *scene, size_t n) {
  if (n < LANES) {
    const uint32_t actor = (uint32_t)owner[n];
    CHECK_OK(say_lane(scene, actor_rank[actor], actor, (uint32_t)n, lane_state[n], 0));
  } else if (n < LANES + ACTORS) {
    const uint32_t actor = (uint32_t)(n - LANES);
    CHECK_OK(say_lane(scene, actor_rank[actor], actor, (uint32_t)WIRE_NO_LANE, "", FRAMES));
  } else {
    const uint32_t player = (uint32_t)(n - LANES - ACTORS);
    CHECK_OK(say_player(scene, learner_rank[player], player, FRAMES, NULL, STORE_F32));
  }
}

static const size_t orders[][PIECES] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8},
    {8, 7, 4, 3, 2, 6, 1, 0, 5},
    {1, 3, 0, 5, 8, 2, 4, 6, 7},
};

/* The whole cut, in one of the orders. */
static void write_whole(Scene *scene, size_t order, bool end) {
  open_cut(scene, end);
  capture(scene);
  for (size_t i = 0; i < PIECES; i++) {
    assert_false(checkpoint_is_whole(scene->checkpoint));
    give_piece(scene, orders[order][i]);
  }
  assert_true(checkpoint_is_whole(scene->checkpoint));
  CHECK_OK(checkpoint_write(scene->checkpoint, &scene->league, scene->members, &written));
  assert_false(checkpoint_cut(scene->checkpoint)->open);
}

/* --- a disk that refuses --- */
static struct {
  int refuses; /* files that are begun, so many */
  int asked;
} disk;

static int disk_create(const char *path) {
  (void)path;
  disk.asked++;
  errno = ENOSPC;
  return disk.refuses-- > 0 ? -1 : 0;
}

static int disk_sync(int descriptor, const char *path) {
  (void)path;
  return fsync(descriptor);
}

static const FileOps disk_ops = {disk_create, disk_sync, rename, unlink};

/* What cannot be written stays open and whole, and is the same file when it can; without an end of
 * it the job's ends by itself, and the generation before is as it was. */
static void a_cut_waits_for_the_disk(void **state) {
  (void)state;
  const int64_t second = 1000000000;
  Scene scene;
  Tree tree;
  uint64_t generation;
  open_scene(&scene);
  open_cut(&scene, false);
  capture(&scene);
  for (size_t i = 0; i < PIECES; i++)
    give_piece(&scene, i);
  file_set_ops(&disk_ops);
  disk.refuses = 3;
  disk.asked = 0;
  const int64_t since = scene.now;
  do {
    CHECK_OK(checkpoint_write(scene.checkpoint, &scene.league, scene.members, &written));
    assert_true(checkpoint_is_whole(scene.checkpoint) != written);
    assert_true(written || disk.asked == 0 || checkpoint_generation(scene.checkpoint) == 0);
    scene.now += second / 10;
  } while (!written && scene.now < since + 9 * second);
  assert_true(written);
  assert_int_equal(disk.asked, 4);
  CHECK_NEAR((double)(scene.now - since) / (double)second, .5 + 1 + 2, .5);
  assert_true(checkpoint_failing(scene.checkpoint) == 0);
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  assert_int_equal(generation, 1);
  CHECK_OK(ledger_check(&tree));
  tree_free(&tree);
  /* the next one never comes */
  disk.refuses = 1000;
  scene.position.tick++;
  open_cut(&scene, false);
  capture(&scene);
  for (size_t i = 0; i < PIECES; i++)
    give_piece(&scene, i);
  Status status = OK;
  const int64_t again = scene.now;
  for (; status == OK && scene.now < again + 60 * second; scene.now += second / 10)
    status = checkpoint_write(scene.checkpoint, &scene.league, scene.members, &written);
  assert_int_equal(status, ERR_IO);
  CHECK_NEAR((double)(scene.now - again) / (double)second, 10, .3);
  assert_non_null(strstr(status_message(), "checkpoint 000002: "));
  assert_non_null(strstr(status_message(), "No space left on device"));
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  assert_int_equal(generation, 1);
  tree_free(&tree);
  file_set_ops(NULL);
  close_scene(&scene);
}

/* --- what is written --- */
static void the_file_holds_the_cut(void **state) {
  (void)state;
  Scene scene;
  Tree tree;
  uint64_t generation;
  const Item *item;
  RunPosition read;
  char text[32];
  open_scene(&scene);
  scene.position.end_tick = 1;
  write_whole(&scene, 0, false);
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  assert_true(generation == 1 && checkpoint_generation(scene.checkpoint) == 1);
  CHECK_OK(checkpoint_position(&tree, &read));
  assert_true(read.tick == 1 && read.checkpoint_tick == 1 && read.end_tick == 1);
  assert_true(read.frames == 2 * FRAMES && read.steps == 2 * STEPS && read.episodes == 2 * GAMES);
  assert_true(read.frozen_decisions == 8 && read.seconds >= 12.5 && read.seconds <= 12.5);
  CHECK_OK(tree_get(&tree, LEDGER_PATH, STORE_U64, LEDGER_COUNT, &item));
  const uint64_t *ledger = item->data;
  assert_true(ledger[LEDGER_ACTED] == 2 * FRAMES && ledger[LEDGER_STEPS] == 2 * STEPS);
  assert_true(ledger[LEDGER_EPISODES] == 2 * GAMES && ledger[LEDGER_OTHER_GAMES] == GAMES);
  CHECK_OK(tree_get(&tree, "run/next_tables", STORE_U8, 6, &item));
  assert_memory_equal(item->data, "tables", 6);
  CHECK_OK(tree_get(&tree, "players/main_1/policy", STORE_F32, 4, &item));
  assert_true(((const float *)item->data)[3] == 1);
  CHECK_OK(tree_get_text(&tree, "@about", text, sizeof text));
  assert_string_equal(text, "a test");
  tree_free(&tree);
  close_scene(&scene);
}

/* Whoever sends first: the same bytes. */
static void the_order_of_pieces_does_not_show(void **state) {
  (void)state;
  char digest[COUNT_OF(orders)][HASH_TEXT];
  for (size_t order = 0; order < COUNT_OF(orders); order++) {
    Scene scene;
    Tree tree;
    uint64_t generation;
    open_scene(&scene);
    write_whole(&scene, order, false);
    CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
    CHECK_OK(tree_get_text(&tree, "@digest", digest[order], sizeof *digest));
    tree_free(&tree);
    close_scene(&scene);
    assert_string_equal(digest[order], digest[0]);
  }
}

/* The next cut of the job has nothing of the first in it. */
static void cuts_follow_one_another(void **state) {
  (void)state;
  Scene scene;
  Tree tree;
  uint64_t generation;
  open_scene(&scene);
  scene.now = 3 * INT64_C(1000000000);
  CHECK_NEAR(checkpoint_age(scene.checkpoint), 3, 1e-9);
  write_whole(&scene, 0, false);
  CHECK_NEAR(checkpoint_age(scene.checkpoint), 0, 1e-9);
  write_whole(&scene, 1, true); /* nothing was played in between */
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  assert_int_equal(generation, 2);
  CHECK_OK(ledger_check(&tree));
  tree_free(&tree);
  close_scene(&scene);
}

/* Only a run that was at its end is finished, and only if no more frames are asked for. */
static void a_finished_run_is_told_from_a_stopped_one(void **state) {
  (void)state;
  for (int end = 0; end < 2; end++) {
    Scene scene;
    Tree tree;
    uint64_t generation;
    bool finished;
    open_scene(&scene);
    write_whole(&scene, 0, end == 1);
    CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
    CHECK_OK(checkpoint_finished(&tree, 2 * FRAMES, &finished));
    assert_int_equal(finished, end);
    CHECK_OK(checkpoint_finished(&tree, 2 * FRAMES + 1, &finished));
    assert_false(finished);
    tree_free(&tree);
    close_scene(&scene);
  }
}

/* A snapshot that was ordered before the cut and arrives after the capture. */
static void a_late_snapshot_gets_its_name(void **state) {
  (void)state;
  Scene scene;
  Tree tree;
  uint64_t generation;
  const Item *item;
  open_scene(&scene);
  scene.league.player[3].hash[0] = 0;
  checkpoint_name_policy(scene.checkpoint, 3, hash); /* no cut knows it: nothing happens */
  open_cut(&scene, false);
  capture(&scene);
  for (size_t i = 0; i < PIECES; i++)
    give_piece(&scene, i);
  checkpoint_name_policy(scene.checkpoint, 99, hash);
  checkpoint_name_policy(scene.checkpoint, 3, hash);
  CHECK_OK(checkpoint_write(scene.checkpoint, &scene.league, scene.members, &written));
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  CHECK_OK(tree_get(&tree, "league/hash", STORE_TEXT, 4, &item));
  assert_string_equal((const char *)item->data + 3 * item->size, hash);
  tree_free(&tree);
  close_scene(&scene);
}

/* --- what is refused --- */
static void expect_refused(Status status, const char *says) {
  assert_int_equal(status, ERR_FORMAT);
  if (!strstr(status_message(), says)) fail_msg("not '%s', but: %s", says, status_message());
}

static void pieces_that_no_cut_lacks_are_refused(void **state) {
  (void)state;
  const uint32_t last = (uint32_t)WIRE_NO_LANE;
  Scene scene;
  open_scene(&scene);
  expect_refused(say_lane(&scene, 1, 0, 0, "x", 0), "no checkpoint waits for the state of actor 0");
  expect_refused(say_player(&scene, 3, 0, FRAMES, NULL, STORE_F32), "no checkpoint waits");
  open_cut(&scene, false);
  capture(&scene);
  expect_refused(say_lane(&scene, 2, 0, 0, "x", 0), "actor 0"); /* from another's rank */
  expect_refused(say_lane(&scene, 1, 0, 2, "x", 0), "lane 2 is empty or not of actor 0");
  expect_refused(say_lane(&scene, 1, 0, 0, "", 0), "lane 0 is empty");
  CHECK_OK(say_lane(&scene, 1, 0, 0, "x", 0));
  expect_refused(say_lane(&scene, 1, 0, 0, "x", 0), "lane 0 came twice");
  CHECK_OK(say_lane(&scene, 1, 0, last, "", FRAMES));
  expect_refused(say_lane(&scene, 1, 0, 1, "x", 0), "no checkpoint waits for the state of actor 0");
  expect_refused(say_lane(&scene, 2, 1, last, "", FRAMES + 1), "actor 1 counts 5 decisions acted");
  expect_refused(say_player(&scene, 4, 0, FRAMES, NULL, STORE_F32), "learned on another rank");
  expect_refused(say_player(&scene, 3, 2, FRAMES, NULL, STORE_F32), "the state of player 2");
  expect_refused(say_player(&scene, 3, 0, FRAMES, "note", STORE_TEXT), "player 0: dataset 'note'");
  close_scene(&scene);
}

static void states_are_held_to_what_can_be_resumed(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene);
  open_cut(&scene, false);
  capture(&scene);
  scene.state_is_bad = true;
  expect_refused(say_player(&scene, 3, 0, FRAMES, NULL, STORE_F32),
                 "player 0: nobody could go on from it");
  scene.state_is_bad = false;
  CHECK_OK(say_player(&scene, 3, 0, FRAMES, NULL, STORE_F32));
  expect_refused(say_player(&scene, 3, 0, FRAMES, NULL, STORE_F32),
                 "the state of player 0 came twice");
  expect_refused(say_player(&scene, 4, 1, FRAMES, "a/b", STORE_F32), "is no name of a column");
  close_scene(&scene);
}

/* The learner has learned from one decision fewer than were acted: nothing is written. */
static void what_contradicts_itself_is_not_written(void **state) {
  (void)state;
  Scene scene;
  open_scene(&scene);
  open_cut(&scene, false);
  capture(&scene);
  for (size_t i = 0; i + 1 < PIECES; i++)
    give_piece(&scene, i);
  CHECK_OK(say_player(&scene, 4, 1, FRAMES - 1, NULL, STORE_F32));
  expect_refused(checkpoint_write(scene.checkpoint, &scene.league, scene.members, &written),
                 "the checkpoint of tick 0 is not written: the state of player 1 from rank 4: it "
                 "contradicts itself: main_1 acted 4, but learned from and dropped 3");
  assert_false(run_has_checkpoint(&scene.run));
  close_scene(&scene);
}

/* An actor that plays on before it has sent its state: its games would be counted, and played
 * again. */
static void results_wait_for_the_state(void **state) {
  (void)state;
  Scene scene;
  PairResults pair;
  FrameCount frame;
  open_scene(&scene);
  Results results = results_of(&pair, &frame, 1, 0);
  results.tick = 1;
  CHECK_OK(checkpoint_check_order(scene.checkpoint, &results)); /* no cut is open */
  open_cut(&scene, false);
  capture(&scene);
  expect_refused(checkpoint_check_order(scene.checkpoint, &results),
                 "actor 1 went on without the state of a checkpoint");
  results.tick = 0;
  CHECK_OK(checkpoint_check_order(scene.checkpoint, &results));
  results.tick = 1;
  for (size_t i = 0; i < LANES + ACTORS; i++)
    give_piece(&scene, i);
  CHECK_OK(checkpoint_check_order(scene.checkpoint, &results));
  close_scene(&scene);
}

/* --- going on --- */
static uint64_t *number_at(const Tree *tree, const char *path, size_t row) {
  const Item *item;
  CHECK_OK(tree_get(tree, path, STORE_U64, -1, &item));
  assert_true(row < item->count);
  return (uint64_t *)item->data + row;
}

/* A job that goes on counts from what the file says, and its own cut adds up. */
static void the_ledger_goes_on(void **state) {
  (void)state;
  Scene scene;
  Tree tree;
  uint64_t generation;
  open_scene(&scene);
  write_whole(&scene, 0, false);
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  CHECK_OK(checkpoint_position(&tree, &scene.position));
  checkpoint_destroy(scene.checkpoint);
  members_destroy(scene.members);
  scene.members = new_members(&scene); /* actors of a new job have counted nothing yet */
  scene.checkpoint = new_checkpoint(&scene, &tree);
  tree_free(&tree);
  play(&scene);
  open_cut(&scene, false);
  capture(&scene);
  for (size_t i = 0; i < LANES + ACTORS; i++)
    give_piece(&scene, i);
  for (uint32_t p = 0; p < PLAYERS; p++)
    CHECK_OK(say_player(&scene, learner_rank[p], p, 2 * FRAMES, NULL, STORE_F32));
  CHECK_OK(checkpoint_write(scene.checkpoint, &scene.league, scene.members, &written));
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  assert_int_equal(generation, 2);
  assert_int_equal(*number_at(&tree, LEDGER_PATH, LEDGER_ACTED), 4 * FRAMES);
  assert_int_equal(*number_at(&tree, LEDGER_PATH, LEDGER_OTHER_GAMES), 2 * GAMES);
  tree_free(&tree);
  close_scene(&scene);
}

/* What no run can have reached is named; so is a file whose sums are wrong. */
static void impossible_positions_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *path;
    size_t row;
    uint64_t value;
    const char *says;
  } bad[] = {
      {RUN_COUNTERS_PATH, RUN_STEPS, UINT64_C(1) << 53, "row 3 is an impossible count"},
      {RUN_COUNTERS_PATH, RUN_CHECKPOINT_TICK, 5, "is a checkpoint of the future"},
      {"run/end", 0, 4, "is no tick in which the run can end"},
  };
  Scene scene;
  Tree tree;
  Checkpoint *none = NULL;
  uint64_t generation;
  RunPosition read;
  open_scene(&scene);
  write_whole(&scene, 0, false);
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    uint64_t *number = number_at(&tree, bad[i].path, bad[i].row);
    const uint64_t good = *number;
    *number = bad[i].value;
    expect_refused(checkpoint_position(&tree, &read), bad[i].says);
    *number = good;
  }
  double *seconds = tree_find(&tree, "run/seconds")->data;
  *seconds = -1;
  expect_refused(checkpoint_position(&tree, &read), "is no number of seconds");
  *seconds = 1;
  CHECK_OK(checkpoint_position(&tree, &read));
  ++*number_at(&tree, LEDGER_PATH, LEDGER_STEPS);
  const CheckpointSetup setup = {
      .run = &scene.run, .header = &scene.header, .clock = {scene_now, &scene}, .actors = ACTORS};
  expect_refused(checkpoint_create(&setup, &tree, &scene.league, &read, &none),
                 "actors made env steps");
  assert_null(none);
  tree_free(&tree);
  close_scene(&scene);
}

/* The next message that has come to a rank, of this kind; its body. */
static Message *next_message(Scene *scene, int rank, WireKind kind, Reader *body) {
  WireKind got;
  sim_round(scene->world);
  Transport *transport = sim_rank(scene->world, rank);
  Message *message = transport->ops->receive(transport);
  if (!message) fail_msg("nothing has come to rank %d", rank);
  CHECK_OK(wire_open(message, &got, body));
  assert_int_equal(got, kind);
  return message;
}

/* Lanes come back to the actors that have them, players to those who learn them. */
static void everybody_gets_what_was_theirs(void **state) {
  (void)state;
  Scene scene;
  Tree tree;
  Reader body;
  uint64_t generation;
  open_scene(&scene);
  write_whole(&scene, 1, false);
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  CHECK_OK(checkpoint_restore(&tree, &scene.league, scene.members));
  for (uint32_t lane = 0; lane < LANES; lane++) {
    WireLane got;
    Message *message = next_message(&scene, actor_rank[owner[lane]], WIRE_RESTORE_LANE, &body);
    CHECK_OK(lane_decode(&got, &body));
    assert_int_equal(got.lane, lane);
    assert_int_equal(got.size, strlen(lane_state[lane]));
    assert_memory_equal(got.state, lane_state[lane], got.size);
    message_release(message);
  }
  for (uint32_t p = 0; p < PLAYERS; p++) {
    WirePlayerState got;
    Tree part = {0};
    const Item *policy;
    Message *message = next_message(&scene, learner_rank[p], WIRE_RESTORE_PLAYER, &body);
    CHECK_OK(player_state_decode(&got, &body));
    assert_int_equal(got.player, p);
    Reader columns = reader_over(got.tree, got.size);
    CHECK_OK(tree_decode(&part, &columns));
    assert_int_equal(part.items, 2);
    CHECK_OK(tree_get(&part, "policy", STORE_F32, 4, &policy));
    assert_true(((const float *)policy->data)[3] == (float)p);
    tree_free(&part);
    message_release(message);
  }
  tree_free(&tree);
  close_scene(&scene);
}

/* A part of a piece of what a learner keeps. */
static Status say_part(Scene *scene, int from, uint32_t player, uint32_t lane, uint32_t part,
                       uint32_t parts, const char *state) {
  Bytes bytes = {0};
  const Message message = {.peer = from};
  const WireReplay said = {.player = player, .lane = lane, .part = part, .parts = parts};
  replay_state_encode(&said, &bytes);
  bytes_put(&bytes, state, strlen(state));
  Reader body = reader_over(bytes.data, bytes.size);
  Status status =
      checkpoint_take_replay(scene->checkpoint, &scene->league, scene->members, &message, &body);
  bytes_free(&bytes);
  return status;
}

/* A whole piece. */
static Status say_kept(Scene *scene, int from, uint32_t player, uint32_t lane, const char *state) {
  return say_part(scene, from, player, lane, 0, 1, state);
}

/* What is kept in a seat; seat 3 of player 1 is empty. */
static bool kept_in(uint32_t player, uint32_t seat, char out[16]) {
  snprintf(out, 16, "p%u s%u", player, seat);
  return player == 0 || seat != 3;
}

/* A cut of learners that keep experience is whole when each of them has said all that it keeps. */
static void write_kept(Scene *scene) {
  open_cut(scene, false);
  capture(scene);
  for (size_t i = 0; i < LANES + ACTORS; i++) give_piece(scene, i);
  for (uint32_t p = 0; p < PLAYERS; p++) {
    CHECK_OK(say_player(scene, learner_rank[0], p, FRAMES, NULL, STORE_F32));
    for (uint32_t m = LEARNERS; m-- > 0;) { /* the second first */
      char state[16];
      for (uint32_t seat = 0; seat < LANES * LANE_SEATS; seat++)
        if (fed[owner[seat / LANE_SEATS]] == m && kept_in(p, seat, state)) {
          if (seat != 1) {
            CHECK_OK(say_kept(scene, learner_rank[m], p, seat, state));
            continue;
          }
          CHECK_OK(say_part(scene, learner_rank[m], p, seat, 1, 2, state + 2)); /* in any order */
          state[2] = 0;
          CHECK_OK(say_part(scene, learner_rank[m], p, seat, 0, 2, state));
        }
      expect_refused(say_kept(scene, 1, p, (uint32_t)WIRE_NO_LANE, "x"), "is learned on other ranks");
      expect_refused(say_kept(scene, learner_rank[m], p, m ? 9 : 0, "again"), "came twice");
      assert_false(checkpoint_is_whole(scene->checkpoint));
      CHECK_OK(say_kept(scene, learner_rank[m], p, (uint32_t)WIRE_NO_LANE, "owed"));
      expect_refused(say_kept(scene, learner_rank[m], p, 8, "late"), "came twice");
    }
  }
  assert_true(checkpoint_is_whole(scene->checkpoint));
  CHECK_OK(checkpoint_write(scene->checkpoint, &scene->league, scene->members, &written));
}

/* The next piece of kept experience that has come to a learner. */
static void expect_kept(Scene *scene, size_t learner, uint32_t player, uint32_t lane, const char *state) {
  Reader body;
  WireReplay got;
  Message *message = next_message(scene, learner_rank[learner], WIRE_RESTORE_REPLAY, &body);
  CHECK_OK(replay_state_decode(&got, &body));
  assert_int_equal(got.player, player);
  assert_int_equal(got.lane, lane);
  assert_true(got.part == 0 && got.parts == 1);
  assert_int_equal(got.size, strlen(state));
  assert_memory_equal(got.state, state, got.size);
  message_release(message);
}

/* Twice, since a cut must leave nothing to the next. Each seat goes to the learner whose actors
 * have its slot, and what is counted to both. Whoever keeps nothing is given nothing. */
static void kept_experience_comes_back(void **state) {
  (void)state;
  Scene scene;
  Tree tree;
  Reader body;
  uint64_t generation;
  open_scene_of(&scene, true);
  write_kept(&scene);
  write_kept(&scene);
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  assert_int_equal(generation, 2);
  CHECK_OK(checkpoint_restore(&tree, &scene.league, scene.members));
  for (uint32_t p = 0; p < PLAYERS; p++) {
    for (size_t l = 0; l < LEARNERS; l++)
      message_release(next_message(&scene, learner_rank[l], WIRE_RESTORE_PLAYER, &body));
    for (uint32_t seat = 0; seat < LANES * LANE_SEATS; seat++) {
      char kept[16];
      if (kept_in(p, seat, kept)) expect_kept(&scene, fed[owner[seat / LANE_SEATS]], p, seat, kept);
    }
    for (size_t l = 0; l < LEARNERS; l++) expect_kept(&scene, l, p, (uint32_t)WIRE_NO_LANE, "owed");
  }
  members_destroy(scene.members);
  scene.keeping = false;
  scene.members = new_members(&scene);
  CHECK_OK(checkpoint_restore(&tree, &scene.league, scene.members));
  for (uint32_t p = 0; p < PLAYERS; p++) {
    message_release(next_message(&scene, learner_rank[p], WIRE_RESTORE_PLAYER, &body));
    Transport *transport = sim_rank(scene.world, learner_rank[p]);
    sim_round(scene.world);
    assert_null(transport->ops->receive(transport));
  }
  tree_free(&tree);
  close_scene(&scene);
}

/* Lanes out of order, and ends that leave their bytes. */
static void damaged_lanes_are_refused(void **state) {
  (void)state;
  Scene scene;
  Tree tree;
  uint64_t generation;
  open_scene(&scene);
  write_whole(&scene, 0, false);
  CHECK_OK(run_read_checkpoint(&scene.run, &tree, &generation));
  uint32_t *id = tree_find(&tree, "lanes/id")->data;
  uint64_t *end = tree_find(&tree, "lanes/end")->data;
  id[2] = 1;
  expect_refused(checkpoint_restore(&tree, &scene.league, scene.members),
                 "'lanes/id', row 2 is not above the row before it");
  id[2] = 2;
  end[1] = 0;
  expect_refused(checkpoint_restore(&tree, &scene.league, scene.members), "'lanes/end', row 1");
  end[1] = strlen(lane_state[0]) + strlen(lane_state[1]);
  end[LANES - 1]--; /* a byte is nobody's */
  expect_refused(checkpoint_restore(&tree, &scene.league, scene.members), "'lanes/end', row 4");
  end[LANES - 1]++;
  CHECK_OK(checkpoint_restore(&tree, &scene.league, scene.members));
  tree_free(&tree);
  close_scene(&scene);
}

int main(void) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cut_waits_for_the_disk),
      cmocka_unit_test(the_file_holds_the_cut),
      cmocka_unit_test(the_order_of_pieces_does_not_show),
      cmocka_unit_test(cuts_follow_one_another),
      cmocka_unit_test(a_finished_run_is_told_from_a_stopped_one),
      cmocka_unit_test(a_late_snapshot_gets_its_name),
      cmocka_unit_test(pieces_that_no_cut_lacks_are_refused),
      cmocka_unit_test(states_are_held_to_what_can_be_resumed),
      cmocka_unit_test(what_contradicts_itself_is_not_written),
      cmocka_unit_test(results_wait_for_the_state),
      cmocka_unit_test(the_ledger_goes_on),
      cmocka_unit_test(impossible_positions_are_refused),
      cmocka_unit_test(everybody_gets_what_was_theirs),
      cmocka_unit_test(kept_experience_comes_back),
      cmocka_unit_test(damaged_lanes_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

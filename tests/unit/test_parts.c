/* The parts of the league role, each by itself: who is in, which tables are played by, and the
 * library of frozen policies. Messages are made by the wire's own encoders. */
#include "check.h"
#include "folder.h"

#include "base/file.h"
#include "job/config.h"
#include "league/library.h"
#include "league/members.h"
#include "league/timetable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4 };

/* Two mains and a snapshot of each: ids 0, 1; 2, 3. */
static void open_league(League *league) {
  JobConfigSource source = {.game = "tic_tac_toe"};
  JobConfig *settings;
  CHECK_OK(job_config_create(&source, &settings));
  LeagueConfig config = settings->league;
  config.mains = 2;
  config.main_exploiters = 0;
  config.league_exploiters = 0;
  CHECK_OK(league_create(&config, 1, -1, 1, league));
  assert_int_equal(league->players, 4);
  job_config_destroy(settings);
}

/* The next message that has come to a rank, or NULL. */
static Message *next_message(SimWorld *world, int rank) {
  sim_round(world);
  Transport *transport = sim_rank(world, rank);
  return transport->ops->receive(transport);
}

static Reader reader_of(const Bytes *bytes) {
  return reader_over(bytes->data, bytes->size);
}

/* --- members --- */
static const int actor_rank[] = {1, 2};
static const int learner_rank[] = {3, 4};

static Members *open_members(SimWorld *world, uint64_t tick) {
  const MembersSetup setup = {
      .actor_rank = actor_rank,
      .actors = 2,
      .learner_rank = learner_rank,
      .learners = 2,
      .groups = 2,
      .lanes = 5,
      .opponents = 1,
      .lane_steps = 10,
      .lane_rows = 20,
  };
  Members *members;
  CHECK_OK(members_create(&setup, sim_rank(world, 0), tick, &members));
  return members;
}

/* Results of one pair's games as an actor could send them. */
static Results results_of(PairResults *pair, FrameCount *frame, uint32_t actor, uint64_t tick) {
  *pair = (PairResults){.home = 0, .away = 3, .tally = {.games = 2, .wins = 2}, .length = 6};
  *frame = (FrameCount){.player = 0, .frames = 4};
  return (Results){
      .actor = actor,
      .tick = tick,
      .pair = pair,
      .pairs = 1,
      .frame = frame,
      .frames = 1,
      .steps = 6,
      .episodes = 2,
  };
}

static void results_are_held_to_what_can_be(void **state) {
  (void)state;
  SimWorld *world;
  League league;
  PairResults pair;
  FrameCount frame;
  Message from_first = {.peer = 1}, from_second = {.peer = 2};
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 5}, &world));
  open_league(&league);
  Members *members = open_members(world, 7);
  Results good = results_of(&pair, &frame, 0, 7);
  const Results first = good;
  assert_int_equal(members_take_results(members, &league, &from_second, &first), ERR_FORMAT);
  struct {
    const char *what;
    Results results;
    PairResults pair;
    FrameCount frame;
  } bad[] = {
      {"another tick", first, pair, frame},
      {"more episodes than games", first, pair, frame},
      {"more games than steps", first, pair, frame},
      {"more steps than lanes", first, pair, frame},
      {"more frames than lanes", first, pair, frame},
      {"no such player", first, pair, frame},
      {"who is not learning", first, pair, frame},
  };
  bad[0].results.tick = 8;
  bad[1].results.episodes = 3;
  bad[2].pair.length = 1;
  bad[3].results.steps = 21; /* two lanes of ten */
  bad[4].frame.frames = 41;  /* two lanes of twenty */
  bad[5].pair.away = 4;
  bad[6].frame.player = 2;
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    bad[i].results.pair = &bad[i].pair;
    bad[i].results.frame = &bad[i].frame;
    Status status = members_take_results(members, &league, &from_first, &bad[i].results);
    if (status != ERR_FORMAT) fail_msg("%s is taken", bad[i].what);
  }
  CHECK_OK(members_take_results(members, &league, &from_first, &first));
  assert_int_equal(members_take_results(members, &league, &from_first, &first), ERR_FORMAT);
  good.tick = 8;
  CHECK_OK(members_take_results(members, &league, &from_first, &good));
  WireActorState counts = {.actor = 0, .acted = 8, .episodes = 4, .steps = 12};
  CHECK_OK(members_check_counts(members, &counts));
  counts.steps++;
  assert_int_equal(members_check_counts(members, &counts), ERR_FORMAT);
  members_destroy(members);
  league_free(&league);
  sim_destroy(world);
}

/* Lanes go to the actor that has them now; those of a larger run are dealt out, and raise what
 * their actor can have played. */
static void lanes_find_their_actor(void **state) {
  (void)state;
  SimWorld *world;
  League league;
  PairResults pair;
  FrameCount frame;
  Message from_second = {.peer = 2}, *message;
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 5}, &world));
  open_league(&league);
  Members *members = open_members(world, 0);
  const size_t owner[] = {0, 0, 1, 1, 1, 1 /* surplus */, 0};
  for (uint32_t lane = 0; lane < COUNT_OF(owner); lane++)
    assert_int_equal(members_lane_actor(members, lane), owner[lane]);
  CHECK_OK(members_restore_lane(members, &(WireLane){.lane = 5, .state = "kept", .size = 4}));
  message = next_message(world, 2);
  assert_non_null(message);
  message_release(message);
  Results results = results_of(&pair, &frame, 1, 0);
  frame.frames = 81; /* three lanes of its own and one more, of twenty each */
  assert_int_equal(members_take_results(members, &league, &from_second, &results), ERR_FORMAT);
  frame.frames = 80;
  CHECK_OK(members_take_results(members, &league, &from_second, &results));
  assert_int_equal(members_player_rank(members, 0), 3);
  assert_int_equal(members_player_rank(members, 1), 4);
  members_destroy(members);
  league_free(&league);
  sim_destroy(world);
}

static Status bye(Members *members, const char *role, uint32_t index, int from, bool ending) {
  RoleProfile profile = {.index = index};
  Bytes bytes = {0};
  Message message = {.peer = from};
  snprintf(profile.role, sizeof profile.role, "%s", role);
  profile_encode(&profile, &bytes);
  Reader body = reader_of(&bytes);
  Status status = members_take_bye(members, &message, &body, ending);
  bytes_free(&bytes);
  return status;
}

static void members_go_once_and_at_the_end(void **state) {
  (void)state;
  SimWorld *world;
  size_t count;
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 5}, &world));
  Members *members = open_members(world, 0);
  assert_int_equal(bye(members, "actor", 0, 1, false), ERR_FORMAT);
  assert_int_equal(bye(members, "actor", 0, 2, true), ERR_FORMAT); /* from another's rank */
  CHECK_OK(bye(members, "actor", 0, 1, true));
  assert_int_equal(bye(members, "actor", 0, 1, true), ERR_FORMAT);
  CHECK_OK(bye(members, "learner", 0, 3, true));
  CHECK_OK(bye(members, "learner", 1, 4, true));
  assert_false(members_gone(members));
  CHECK_OK(bye(members, "actor", 1, 2, true));
  assert_true(members_gone(members));
  assert_string_equal(members_profiles(members, &count)[1].role, "learner");
  assert_int_equal(count, 4);
  members_destroy(members);
  sim_destroy(world);
}

/* --- timetable --- */
static void tables_are_made_when_they_are_due(void **state) {
  (void)state;
  League league;
  Timetable *timetable, *loaded;
  Table *place;
  Bytes bytes = {0};
  Tree tree = {0};
  open_league(&league);
  CHECK_OK(timetable_create(2, &timetable));         /* four players: every third tick */
  assert_true(timetable_due(timetable, &league, 1)); /* there is none yet */
  CHECK_OK(league_table(&league, timetable_current(timetable)));
  CHECK_OK(timetable_place(timetable, 4, &place));
  assert_true(place->tick == 4 && place->flags == 0 && place->homes == 2);
  place->flags = TABLE_SAVE;
  for (uint64_t tick = 4; tick < 10; tick++)
    assert_int_equal(timetable_due(timetable, &league, tick), tick % 3 == 0);
  timetable_renew(timetable);
  assert_true(timetable_due(timetable, &league, 4));
  CHECK_OK(timetable_place(timetable, 5, &place));
  assert_false(timetable_due(timetable, &league, 4));
  assert_true(timetable_at(timetable, 4)->tick == 4 && timetable_at(timetable, 5)->tick == 5);
  timetable_renew(timetable);
  CHECK_OK(timetable_encode(timetable, 5, 1, &bytes));
  CHECK_OK(tree_put(&tree, "run/next_tables", STORE_U8, bytes.size, 1, bytes.data));
  CHECK_OK(timetable_create(2, &loaded));
  CHECK_OK(timetable_load(loaded, &league, &tree));
  assert_true(timetable_due(loaded, &league, 4)); /* the players had changed */
  assert_true(timetable_at(loaded, 5)->tick == 5 && timetable_at(loaded, 5)->flags == 0);
  assert_int_equal(timetable_current(loaded)->homes, 2);
  league.learning = 1; /* a league that cannot have such a table */
  assert_int_equal(timetable_load(loaded, &league, &tree), ERR_FORMAT);
  league.learning = 2;
  tree_free(&tree);
  bytes_free(&bytes);
  timetable_destroy(timetable);
  timetable_destroy(loaded);
  league_free(&league);
}

/* --- library --- */
typedef struct Shelves {
  char folder[FOLDER_PATH];
  RunFolder run;
  Tree header;
  League league;
  SimWorld *world;
  Library *books;
  int64_t now;
  double patience;
} Shelves;

static int64_t shelves_now(void *context) {
  return ((Shelves *)context)->now;
}

static void open_library(Shelves *shelves) {
  const LibrarySetup setup = {
      .run = &shelves->run,
      .header = &shelves->header,
      .block = BLOCK,
      .transport = sim_rank(shelves->world, 0),
      .clock = {shelves_now, shelves},
      .patience = shelves->patience,
  };
  CHECK_OK(library_create(&setup, &shelves->books));
}

static void open_shelves(Shelves *shelves) {
  *shelves = (Shelves){.run = {.lock = -1}};
  folder_make(shelves->folder);
  CHECK_OK(run_lock(shelves->folder, &shelves->run));
  CHECK_OK(tree_put_text(&shelves->header, "@about", "a test"));
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 2}, &shelves->world));
  open_league(&shelves->league);
  open_library(shelves);
}

static void close_shelves(Shelves *shelves) {
  library_destroy(shelves->books);
  league_free(&shelves->league);
  sim_destroy(shelves->world);
  tree_free(&shelves->header);
  run_close(&shelves->run);
}

/* As the manager does. */
static void enter(Shelves *shelves, const Shelved *shelved) {
  if (!shelved->written) return;
  memcpy(shelves->league.player[shelved->player].hash, shelved->hash, sizeof shelved->hash);
}

static Status snapshot(Shelves *shelves, uint32_t player, const float *policy) {
  Bytes bytes = {0};
  Shelved shelved;
  frozen_encode(&(WireFrozen){player, policy}, BLOCK, &bytes);
  Reader body = reader_of(&bytes);
  Status status = library_take_snapshot(shelves->books, &shelves->league, &body, &shelved);
  if (status == OK) enter(shelves, &shelved);
  bytes_free(&bytes);
  return status;
}

static Status ask(Shelves *shelves, uint32_t player) {
  Bytes bytes = {0};
  Message message = {.peer = 1};
  fetch_encode(&(WireFetch){player}, &bytes);
  Reader body = reader_of(&bytes);
  Status status = library_take_fetch(shelves->books, &shelves->league, &message, &body);
  bytes_free(&bytes);
  return status;
}

/* Whoever asks for a snapshot that is on its way gets it when it is here, and not before. */
static void a_fetch_waits_for_its_snapshot(void **state) {
  (void)state;
  Shelves shelves;
  const float policy[BLOCK] = {1, 2, 3, 4};
  WireKind kind;
  Reader body;
  WireFrozen frozen;
  open_shelves(&shelves);
  assert_int_equal(snapshot(&shelves, 2, policy), ERR_FORMAT); /* nobody ordered it */
  assert_int_equal(ask(&shelves, 0), ERR_FORMAT);              /* learning, not frozen */
  CHECK_OK(library_expect(shelves.books, 2));
  assert_false(library_is_whole(shelves.books));
  CHECK_OK(ask(&shelves, 2));
  assert_null(next_message(shelves.world, 1));
  CHECK_OK(snapshot(&shelves, 2, policy));
  assert_true(library_is_whole(shelves.books));
  CHECK_OK(library_answer(shelves.books, &shelves.league));
  Message *message = next_message(shelves.world, 1);
  assert_non_null(message);
  CHECK_OK(wire_open(message, &kind, &body));
  assert_int_equal(kind, WIRE_FROZEN);
  CHECK_OK(frozen_decode(&frozen, BLOCK, &body));
  assert_int_equal(frozen.player, 2);
  assert_memory_equal(frozen.value, policy, sizeof policy);
  message_release(message);
  CHECK_OK(library_answer(shelves.books, &shelves.league));
  assert_null(next_message(shelves.world, 1)); /* answered once */
  close_shelves(&shelves);
}

/* What another job reads is the file; a file with another policy than the league names is refused.
 */
static void files_hold_what_the_league_names(void **state) {
  (void)state;
  Shelves shelves;
  const float policy[BLOCK] = {1, 2, 3, 4};
  const float *read;
  char hash[HASH_TEXT];
  open_shelves(&shelves);
  CHECK_OK(library_write(shelves.books, &shelves.league, 2, policy, hash));
  memcpy(shelves.league.player[2].hash, hash, sizeof hash);
  library_destroy(shelves.books);
  open_library(&shelves); /* with an empty memory */
  CHECK_OK(library_read(shelves.books, &shelves.league, 2, &read));
  assert_memory_equal(read, policy, sizeof policy);
  library_destroy(shelves.books);
  open_library(&shelves);
  char *last = &shelves.league.player[2].hash[strlen(hash) - 1];
  *last = *last == '0' ? '1' : '0'; /* beyond what is in the file's name */
  assert_int_equal(library_read(shelves.books, &shelves.league, 2, &read), ERR_FORMAT);
  close_shelves(&shelves);
}

/* A disk that refuses to begin files. */
static struct {
  bool refuses;
  int asked;
} disk;

static int disk_create(const char *path) {
  (void)path;
  disk.asked++;
  errno = EIO;
  return disk.refuses ? -1 : 0;
}

static int disk_sync(int descriptor, const char *path) {
  (void)path;
  return fsync(descriptor);
}

static const FileOps disk_ops = {disk_create, disk_sync, rename, unlink};

/* A snapshot that cannot be written is kept and tried again, not too often; whoever asks for it
 * waits; when the disk is well it is there as if nothing had been. */
static void a_snapshot_waits_for_the_disk(void **state) {
  (void)state;
  const float policy[2][BLOCK] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
  const int64_t second = 1000000000;
  Shelves shelves;
  Shelved shelved;
  Reader body;
  WireKind kind;
  open_shelves(&shelves);
  const uint32_t first = (uint32_t)shelves.league.learning;
  library_destroy(shelves.books);
  shelves.patience = 60;
  open_library(&shelves);
  file_set_ops(&disk_ops);
  disk.refuses = true;
  disk.asked = 0;
  for (uint32_t i = 0; i < 2; i++)
    CHECK_OK(library_expect(shelves.books, first + i));
  for (uint32_t i = 0; i < 2; i++)
    CHECK_OK(snapshot(&shelves, first + i, policy[i]));
  assert_int_equal(disk.asked, 1); /* the second knows that there is no use */
  assert_false(library_is_whole(shelves.books));
  CHECK_OK(ask(&shelves, first));
  for (; shelves.now < 30 * second; shelves.now += second / 10) {
    CHECK_OK(library_retry(shelves.books, &shelves.league, &shelved));
    assert_false(shelved.written);
  }
  assert_true(disk.asked > 4 && disk.asked < 9);
  CHECK_NEAR(library_failing(shelves.books), 30, .2);
  sim_round(shelves.world);
  assert_null(sim_rank(shelves.world, 1)->ops->receive(sim_rank(shelves.world, 1)));
  disk.refuses = false;
  shelves.now += 20 * second;
  for (int i = 0; i < 2; i++) {
    CHECK_OK(library_retry(shelves.books, &shelves.league, &shelved));
    assert_true(shelved.written);
    enter(&shelves, &shelved);
  }
  CHECK_OK(library_retry(shelves.books, &shelves.league, &shelved));
  assert_false(shelved.written);
  assert_true(library_is_whole(shelves.books) && library_failing(shelves.books) == 0);
  CHECK_OK(library_answer(shelves.books, &shelves.league));
  sim_round(shelves.world);
  Message *message = sim_rank(shelves.world, 1)->ops->receive(sim_rank(shelves.world, 1));
  assert_non_null(message);
  CHECK_OK(wire_open(message, &kind, &body));
  WireFrozen lent;
  CHECK_OK(frozen_decode(&lent, BLOCK, &body));
  assert_memory_equal(lent.value, policy[0], sizeof policy[0]);
  message_release(message);
  /* and when there is no end of it, the job ends */
  disk.refuses = true;
  CHECK_OK(library_expect(shelves.books, first));
  const float other[BLOCK] = {9};
  CHECK_OK(snapshot(&shelves, first, other));
  Status status = OK;
  int64_t since = shelves.now;
  while (status == OK && shelves.now < since + 100 * second) {
    shelves.now += second / 10;
    status = library_retry(shelves.books, &shelves.league, &shelved);
  }
  assert_int_equal(status, ERR_IO);
  CHECK_NEAR((double)(shelves.now - since) / (double)second, 60, .2);
  assert_non_null(strstr(status_message(), "tried for 60 s (checkpoint.patience)"));
  file_set_ops(NULL);
  close_shelves(&shelves);
}

int main(void) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(results_are_held_to_what_can_be),
      cmocka_unit_test(lanes_find_their_actor),
      cmocka_unit_test(members_go_once_and_at_the_end),
      cmocka_unit_test(tables_are_made_when_they_are_due),
      cmocka_unit_test(a_fetch_waits_for_its_snapshot),
      cmocka_unit_test(a_snapshot_waits_for_the_disk),
      cmocka_unit_test(files_hold_what_the_league_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

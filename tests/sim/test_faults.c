/* Whole runs over the simulated transport under a seeded schedule of misfortunes: killed at any step, a rank lost
 * first, crashes inside file operations (what was not synced is lost), failing disks, writes that fail within a file,
 * stops of all kinds, clocks that jump forward and back, other numbers of ranks. After every life: what was
 * acknowledged loads, with all players that it names, and adds up. At the end: the run has ended, and in the
 * deterministic paces on the same ranks its league and policies are, byte for byte, those of the run that nothing
 * happened to.
 *
 * AGON_FAULT_SEEDS: how many schedules (100); AGON_FAULT_FIRST: the first one's seed. */
#include "check.h"
#include "folder.h"

#include "base/file.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "job/rank.h"
#include "league/checkpoint.h"
#include "league/ledger.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_RANKS = 5, PACES = 3, MEMORIES = 3, LIVES = 40, UNSYNCED = 64 };
enum { STEP_NS = 200000 };
enum { LOCKSTEP, PIPELINED, FREE }; /* paces */

/* --- the disk --- */
typedef enum DiskFault { DISK_GOOD, DISK_CRASH_BEFORE, DISK_CRASH_AFTER, DISK_EIO, DISK_FULL, DISK_WRITE } DiskFault;

static struct Disk {
  DiskFault fault;
  uint32_t left; /* operations until it happens */
  bool happened, dead;
  rlim_t room; /* DISK_WRITE: so far into one file writing goes well, also if HDF5 writes it */
  bool due, limited;
  char unsynced[UNSYNCED][PATH_MAX]; /* files whose contents a crash may lose */
  AgonRng rng;
} disk;

static void forget(const char *path) {
  for (int i = 0; i < UNSYNCED; i++)
    if (!strcmp(disk.unsynced[i], path)) disk.unsynced[i][0] = 0;
}

static void remember(const char *path) {
  forget(path);
  for (int i = 0; i < UNSYNCED; i++)
    if (!disk.unsynced[i][0]) {
      snprintf(disk.unsynced[i], sizeof disk.unsynced[i], "%s", path);
      return;
    }
}

/* The power is gone: nothing works any more, and what was not synced ends somewhere. */
static void crash(void) {
  disk.dead = true;
  for (int i = 0; i < UNSYNCED; i++)
    if (disk.unsynced[i][0] && truncate(disk.unsynced[i], (off_t)rng_below(&disk.rng, 3000)) == 0)
      forget(disk.unsynced[i]);
}

/* Files of this process may be so long; longer ones fail as they are written. The limit is there while one file is. */
static void limit_files(rlim_t bytes) {
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = bytes;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  disk.limited = bytes != RLIM_INFINITY;
}

static void lift_limit(void) {
  if (disk.limited) limit_files(RLIM_INFINITY);
}

/* Whether the operation is to do its work; *result: what it returns. */
static bool goes_on(int *result) {
  *result = -1;
  errno = EIO;
  if (disk.dead) return false;
  *result = 0;
  if (disk.fault == DISK_GOOD || disk.left == 0 || --disk.left) return true;
  if (disk.fault == DISK_WRITE) return disk.due = true; /* with the next file that is begun */
  disk.happened = true;
  *result = -1;
  errno = disk.fault == DISK_FULL ? ENOSPC : EIO;
  if (disk.fault == DISK_CRASH_BEFORE) crash();
  return disk.fault == DISK_CRASH_AFTER;
}

static int finish(int result, int planned) {
  if (planned < 0) {
    crash();
    errno = EIO;
  }
  return planned < 0 ? planned : result;
}

static int disk_create(const char *path) {
  int planned;
  lift_limit();
  if (!goes_on(&planned)) return planned;
  remember(path);
  if (disk.due) limit_files(disk.room);
  disk.due = false;
  return finish(0, planned);
}

static int disk_sync(int descriptor, const char *path) {
  int planned;
  (void)descriptor; /* nothing here survives this process: only the bookkeeping counts */
  lift_limit();
  if (!goes_on(&planned)) return planned;
  forget(path);
  return finish(0, planned);
}

static int disk_rename(const char *from, const char *to) {
  int planned;
  lift_limit();
  if (!goes_on(&planned)) return planned;
  int result = rename(from, to);
  for (int i = 0; i < UNSYNCED; i++)
    if (!strcmp(disk.unsynced[i], from)) snprintf(disk.unsynced[i], sizeof disk.unsynced[i], "%s", to);
  return finish(result, planned);
}

static int disk_remove(const char *path) {
  int planned;
  disk.happened |= disk.limited; /* what could not be written is removed; what could is synced or renamed first */
  lift_limit();
  if (!goes_on(&planned)) return planned;
  int result = unlink(path);
  forget(path);
  return finish(result, planned);
}

static const FileOps disk_ops = {disk_create, disk_sync, disk_rename, disk_remove};

/* --- schedules --- */
typedef enum Event {
  EVENT_NONE,
  EVENT_KILL,
  EVENT_LOSE_RANK,
  EVENT_STOP,
  EVENT_STOP_FILE,
  EVENT_TIME,
  EVENT_DISK,
  EVENT_WRITE
} Event;
enum { EVENTS = EVENT_WRITE + 1 };

typedef struct Life {
  Event event;
  long at; /* scheduler steps */
  int ranks;
  uint64_t seed; /* of the scheduler */
  uint32_t delay;
  int slow, host;
  int64_t jump; /* of the clock, forward or back, at half of `at` */
} Life;

typedef struct Run {
  int pace, memory, ranks;
  bool moves; /* to other numbers of ranks */
  char folder[64];
} Run;

static uint64_t seed_now;
static int lives_now;
/* The newest generation that the log told of, in this folder; shared, so that children tell of it, too. */
static uint64_t *acknowledged;

static void hear(void *context, const char *line) {
  (void)context;
  unsigned long long generation;
  if (strstr(line, " frames, -")) fail_msg("a negative rate: %s", line);
  if (sscanf(line, "checkpoint %llu:", &generation) == 1) *acknowledged = generation;
}

static int64_t virtual_now(void *context) { return *(int64_t *)context; }

static JobConfig *job_config_of(const Run *run, const Life *life) {
  static const char *const pace[] = {"pace=lockstep", "pace=pipelined", "pace=free"};
  static const char *const memory[] = {"net.memory=none", "net.memory=gru", "net.memory=lstm"};
  const char *pairs[] = {"net.hidden=[8]",
                         "net.normalise_observations=true",
                         "net.memory_size=8",
                         "actors.slots=8",
                         "actors.lanes=4",
                         "actors.lane_episodes=4",
                         "actors.unroll=6",
                         "frames=1500",
                         "league.preset=alphastar-paper",
                         "league.frame_scale=1",
                         "league.main_snapshot_min=300",
                         "league.main_snapshot_max=300",
                         "league.exploiter_snapshot_min=100",
                         "league.exploiter_snapshot_max=200",
                         "league.league_snapshot_min=100",
                         "league.league_snapshot_max=300",
                         "league.min_games=4",
                         "checkpoint.ticks=4",
                         "metrics.seconds=1000",
                         "ppo.epochs=1",
                         "ppo.minibatches=2",
                         pace[run->pace],
                         memory[run->memory],
                         life->ranks > 3 ? "learner.ranks=2" : "learner.ranks=1",
                         life->event == EVENT_TIME ? "max_seconds=1" : "max_seconds=0",
                         /* what was refused is written later, or the job ends with it */
                         life->seed & 1 ? "checkpoint.patience=20" : "checkpoint.patience=0"};
  JobConfigSource source = {.game = "tic_tac_toe", .overrides = pairs, .override_count = COUNT_OF(pairs)};
  JobConfig *settings;
  CHECK_OK(job_config_create(&source, &settings));
  return settings;
}

static void happen(const Life *life, long step, SimWorld *sim, Manager *manager, const char *folder, int64_t *now) {
  char path[128];
  if (step == life->at / 2 + 1) *now += life->jump;
  if (step != life->at) return;
  if (life->event == EVENT_TIME) *now += 2000000000;
  if (life->event == EVENT_STOP) manager_request_stop(manager, "the test asks for it");
  if (life->event == EVENT_LOSE_RANK) sim_kill(sim, (int)(life->seed % (uint64_t)life->ranks));
  if (life->event != EVENT_STOP_FILE) return;
  snprintf(path, sizeof path, "%s/stop", folder);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fclose(file);
}

/* Whether the job is over; a lost rank ends it some time later, as launchers do. */
static bool is_over(const Life *life, long step) {
  if (life->event == EVENT_KILL) return step >= life->at;
  return life->event == EVENT_LOSE_RANK && (life->ranks == 1 || step >= life->at + 300);
}

static void step_all(const Life *life, SimWorld *sim, Rank **node, const char *folder, int64_t *now) {
  for (long step = 1;; step++) {
    bool progress, done = true;
    if (step > 3000000) fail_msg("life %d does not end", lives_now);
    happen(life, step, sim, rank_manager(node[0]), folder, now);
    if (is_over(life, step)) return;
    int rank = sim_choose(sim);
    Status status = OK;
    if (rank_done(node[rank])) /* as leave_together does */
      for (Message *m; (m = sim_rank(sim, rank)->ops->receive(sim_rank(sim, rank)));) message_release(m);
    else
      status = rank_step(node[rank], &progress);
    if (disk.dead || (status != OK && disk.happened)) return; /* the job ends with exit code 5, or is dead anyway */
    CHECK_OK(status);
    sim_round(sim);
    *now += STEP_NS;
    for (int i = 0; i < life->ranks; i++) done &= rank_done(node[i]);
    if (done) return;
  }
}

static void live(const Run *run, const Life *life) {
  JobConfig *settings = job_config_of(run, life);
  Topology topology;
  RunFolder folder;
  Tree header, resume = {0};
  SimWorld *sim;
  uint64_t generation = 0;
  int64_t now = 0;
  Rank *node[MOST_RANKS] = {NULL};
  CHECK_OK(job_config_topology(settings, life->ranks, &topology));
  CHECK_OK(run_lock(run->folder, &folder));
  bool resuming = run_has_checkpoint(&folder);
  if (resuming) CHECK_OK(run_read_checkpoint(&folder, &resume, &generation));
  CHECK_OK(rank_header(settings, &header));
  CHECK_OK(sim_create(
      &(SimConfig){.seed = life->seed, .ranks = life->ranks, .delay = life->delay, .ranks_per_host = life->host},
      &sim));
  if (life->slow >= 0) sim_slow(sim, life->slow, 10);
  file_set_ops(&disk_ops);
  Status status = OK;
  for (int i = 0; i < life->ranks && status == OK; i++) {
    RankSetup setup = {.settings = settings,
                       .topology = &topology,
                       .transport = sim_rank(sim, i),
                       .clock = {virtual_now, &now},
                       .run = &folder,
                       .resume = resuming ? &resume : NULL,
                       .generation = generation,
                       .header = &header};
    status = rank_create(&setup, &node[i]);
  }
  if (status != OK && !disk.happened) CHECK_OK(status);
  if (status == OK) step_all(life, sim, node, run->folder, &now);
  for (int i = 0; i < life->ranks; i++) rank_destroy(node[i]);
  file_set_ops(NULL);
  sim_destroy(sim);
  tree_free(&header);
  tree_free(&resume);
  topology_free(&topology);
  job_config_destroy(settings);
  run_close(&folder);
}

/* --- what must hold --- */
/* The snapshots that a checkpoint names load, and hold what it says. No two are equal: each is of what was learned
 * since the one before; had a reset come first, two of them would hold the same initial weights. In pace free the order
 * comes from the league's count of frames and is obeyed when it arrives: what was counted since may have been learned
 * before the last order was obeyed, so that two snapshots of the same life, one after the other, may be equal. */
static void check_players(const Run *run, const Tree *tree) {
  const Item *name, *frozen, *hash, *parent, *life, *policy;
  CHECK_OK(tree_get(tree, "league/name", STORE_TEXT, -1, &name));
  CHECK_OK(tree_get(tree, "league/frozen", STORE_U32, (int64_t)name->count, &frozen));
  CHECK_OK(tree_get(tree, "league/hash", STORE_TEXT, (int64_t)name->count, &hash));
  CHECK_OK(tree_get(tree, "league/parent", STORE_I32, (int64_t)name->count, &parent));
  CHECK_OK(tree_get(tree, "league/life", STORE_U32, (int64_t)name->count, &life));
  for (size_t i = 0; i < name->count; i++) {
    char path[256], text[HASH_TEXT];
    const char *who = (char *)name->data + i * name->size, *want = (char *)hash->data + i * hash->size;
    const int32_t *model = parent->data;
    const uint32_t *lives = life->data;
    bool chain = true; /* those of the same life between the two are equal, too */
    Tree player;
    if (!((uint32_t *)frozen->data)[i]) continue;
    snprintf(path, sizeof path, "%s/players/%s-%.8s.h5", run->folder, who, want);
    CHECK_OK(store_read(path, "player", &player));
    CHECK_OK(tree_get(&player, "policy", STORE_F32, -1, &policy));
    hash_text(hash_bytes(policy->data, policy->count * policy->size), text);
    assert_string_equal(text, want);
    tree_free(&player);
    for (size_t j = i; j-- > 0;) {
      if (!((uint32_t *)frozen->data)[j]) continue;
      bool same_life = model[j] == model[i] && lives[j] == lives[i];
      bool equal = !strcmp(want, (char *)hash->data + j * hash->size);
      if (equal && !(run->pace == FREE && same_life && chain))
        fail_msg("%s and %s are equal", who, (char *)name->data + j * name->size);
      chain &= equal || !same_life;
    }
  }
}

/* The newest checkpoint, if there is one; false: none has been written yet. */
static bool check_newest(const Run *run, Tree *out) {
  RunFolder folder = {.lock = -1};
  uint64_t generation;
  snprintf(folder.path, sizeof folder.path, "%s", run->folder);
  if (!run_has_checkpoint(&folder)) {
    assert_int_equal(*acknowledged, 0);
    return false;
  }
  CHECK_OK(run_read_checkpoint(&folder, out, &generation));
  if (generation < *acknowledged)
    fail_msg("checkpoint %llu was acknowledged, %llu is the newest that loads", (unsigned long long)*acknowledged,
             (unsigned long long)generation);
  CHECK_OK(ledger_check(out));
  check_players(run, out);
  return true;
}

static bool check_life(const Run *run) {
  Tree tree;
  bool finished = false;
  if (!check_newest(run, &tree)) return false;
  CHECK_OK(checkpoint_finished(&tree, 1500, &finished));
  tree_free(&tree);
  return finished;
}

/* In a process of its own: after a failed write HDF5 may not be left in the usual way. */
static void live_apart(const Run *run, const Life *life) {
  int code;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    live(run, life);
    _exit(0);
  }
  assert_int_equal(waitpid(child, &code, 0), child);
  if (!WIFEXITED(code) || WEXITSTATUS(code)) fail_msg("a life whose disk refuses a write fails");
}

static bool is_compared(const char *path) {
  if (!strncmp(path, "league/", 7) || !strncmp(path, "payoff/", 7)) return true;
  return !strncmp(path, "players/", 8);
}

static void compare(const Tree *whole, const Tree *tree) {
  for (size_t i = 0; i < whole->items; i++) {
    const Item *one = &whole->item[i], *other = tree_find(tree, one->path);
    if (!is_compared(one->path)) continue;
    if (!other || one->count != other->count || memcmp(one->data, other->data, one->count * one->width * one->size))
      fail_msg("%s is not that of the undisturbed run", one->path);
  }
}

/* --- runs --- */
static void fresh(Run *run) {
  folder_make(run->folder);
  *acknowledged = 0;
  disk = (struct Disk){.fault = DISK_GOOD};
}

/* The end of the run that nothing happens to; kept for all schedules of its kind. */
static const Tree *undisturbed(const Run *like) {
  static Tree kept[PACES][MEMORIES][MOST_RANKS + 1];
  Tree *tree = &kept[like->pace][like->memory][like->ranks];
  if (tree->items) return tree;
  Run run = *like;
  fresh(&run);
  live(&run, &(Life){.ranks = like->ranks, .seed = 1, .slow = -1});
  assert_true(check_newest(&run, tree));
  folder_remove(run.folder);
  return tree;
}

static Life draw_life(AgonRng *rng, const Run *run) {
  static const int64_t hour = 3600000000000;
  Life life = {.event = (Event)rng_below(rng, EVENTS), .ranks = run->ranks, .slow = -1};
  life.at = 1 + (long)rng_below(rng, rng_below(rng, 2) ? 6000 : 500);
  life.seed = rng_next(rng);
  life.delay = rng_below(rng, 30);
  life.host = (int)rng_below(rng, 3);
  if (rng_below(rng, 4) == 0) life.slow = (int)rng_below(rng, (uint32_t)life.ranks);
  if (rng_below(rng, 3) == 0) life.jump = rng_below(rng, 2) ? hour : -hour;
  if (run->moves) life.ranks = 1 + (int)rng_below(rng, MOST_RANKS);
  if (life.slow >= life.ranks) life.slow = -1;
  disk.fault = life.event == EVENT_WRITE  ? DISK_WRITE
               : life.event == EVENT_DISK ? (DiskFault)(1 + rng_below(rng, DISK_FULL))
                                          : DISK_GOOD;
  disk.left = 1 + rng_below(rng, 60);
  disk.room = rng_below(rng, 64u << rng_below(rng, 10)); /* files are of 2 to 50 kB */
  return life;
}

static void play_schedule(uint64_t seed) {
  AgonRng rng = rng_stream(seed, 0, 0, RNG_TEST);
  Run run = {.pace = (int)(seed % PACES), .memory = (int)(seed / PACES % MEMORIES)};
  run.ranks = 1 + (int)rng_below(&rng, MOST_RANKS);
  run.moves = rng_below(&rng, 4) == 0;
  const Tree *whole = run.pace != FREE && !run.moves ? undisturbed(&run) : NULL;
  uint32_t disturbed = 1 + rng_below(&rng, 6);
  bool finished = false;
  fresh(&run);
  for (lives_now = 1; !finished; lives_now++) {
    Life life = draw_life(&rng, &run);
    if (lives_now > (int)disturbed) life.event = EVENT_NONE, disk.fault = DISK_GOOD;
    if (lives_now > LIVES) fail_msg("no end after %d lives", LIVES);
    disk.happened = disk.dead = false;
    disk.rng = rng_stream(seed, 1, (uint32_t)lives_now, RNG_TEST);
    memset(disk.unsynced, 0, sizeof disk.unsynced);
    if (disk.fault == DISK_WRITE)
      live_apart(&run, &life);
    else
      live(&run, &life);
    finished = check_life(&run);
  }
  Tree tree;
  assert_true(check_newest(&run, &tree));
  if (whole) compare(whole, &tree);
  tree_free(&tree);
  folder_remove(run.folder);
}

static uint64_t number_from(const char *name, uint64_t fallback) {
  const char *text = getenv(name);
  return text ? strtoull(text, NULL, 10) : fallback;
}

static void every_schedule_ends_well(void **state) {
  (void)state;
  uint64_t first = number_from("AGON_FAULT_FIRST", 1), count = number_from("AGON_FAULT_SEEDS", 100);
  log_set_sink(hear, NULL);
  for (seed_now = first; seed_now < first + count; seed_now++) play_schedule(seed_now);
  seed_now = 0;
}

static int say_seed(void **state) {
  (void)state;
  file_set_ops(NULL);
  log_set_sink(NULL, NULL);
  if (!seed_now) return 0;
  fprintf(stderr, "schedule %llu fails in life %d; again: AGON_FAULT_FIRST=%llu AGON_FAULT_SEEDS=1 tests/sim_faults\n",
          (unsigned long long)seed_now, lives_now, (unsigned long long)seed_now);
  return 0;
}

/* --- planted violations --- */
#ifdef AGON_CHECKED
typedef struct Found {
  Breach breach;
  SimWorld *sim;
} Found;

static void keep_first(void *context, const Breach *breach) {
  Found *found = context;
  if (sim_aborted(found->sim, NULL)) return;
  found->breach = *breach;
  Transport *transport = sim_rank(found->sim, breach->rank);
  transport->ops->abort(transport, 1, breach->condition);
}

/* The clock of one rank; once it is broken, that rank breaks an invariant whenever it asks for the time. */
typedef struct Watch {
  int64_t *now;
  bool broken;
} Watch;

static int64_t watch_now(void *context) {
  const Watch *watch = context;
  INVARIANT(!watch->broken);
  return *watch->now;
}

static void violations_end_the_job_by_rank_and_tick(void **state) {
  (void)state;
  for (int league = 0; league < 2; league++) {
    Run run = {.pace = 0, .ranks = 5};
    Life life = {.ranks = 5, .slow = -1};
    fresh(&run);
    JobConfig *settings = job_config_of(&run, &life);
    Topology topology;
    RunFolder folder;
    Tree header;
    Found found = {.breach = {.rank = -1}};
    Rank *node[5];
    int64_t now = 0;
    Watch watch[5];
    uint64_t planted = 0;
    int exit_code = 0;
    CHECK_OK(job_config_topology(settings, 5, &topology));
    int rank = league ? 0 : topology.actor_rank[0];
    assert_true(league || rank > 0);
    CHECK_OK(run_lock(run.folder, &folder));
    CHECK_OK(rank_header(settings, &header));
    CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 5}, &found.sim));
    for (int i = 0; i < 5; i++) {
      watch[i] = (Watch){&now, false};
      CHECK_OK(rank_create(&(RankSetup){.settings = settings,
                                        .topology = &topology,
                                        .transport = sim_rank(found.sim, i),
                                        .clock = {watch_now, &watch[i]},
                                        .run = &folder,
                                        .header = &header},
                           &node[i]));
    }
    invariant_set_handler(keep_first, &found);
    for (int step = 0; step < 100000 && !sim_aborted(found.sim, &exit_code); step++) {
      bool progress;
      Status status = rank_step(node[sim_choose(found.sim)], &progress);
      if (found.breach.rank < 0) CHECK_OK(status); /* a rank may fail of what broke its invariant */
      sim_round(found.sim);
      uint64_t tick = manager_summary(rank_manager(node[0])).ticks;
      if (planted || tick < 5) continue;
      planted = tick;
      if (league) /* its books are falsified */
        manager_league(rank_manager(node[0]))->player[1].frames++;
      else
        watch[rank].broken = true;
    }
    for (int i = 0; i < 5; i++) watch[i].broken = false;
    invariant_set_handler(breach_fails_the_test, NULL);
    assert_int_equal(exit_code, 1);
    assert_int_equal(found.breach.rank, rank);
    if (league) assert_int_equal(found.breach.tick, 5);
    assert_true(found.breach.tick >= 4);
    for (int i = 0; i < 5; i++) rank_destroy(node[i]);
    sim_destroy(found.sim);
    tree_free(&header);
    topology_free(&topology);
    job_config_destroy(settings);
    run_close(&folder);
    folder_remove(run.folder);
  }
}
#endif

int main(void) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  signal(SIGXFSZ, SIG_IGN); /* as the program does */
  acknowledged = mmap(NULL, sizeof *acknowledged, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (acknowledged == MAP_FAILED) return 1;
  const struct CMUnitTest tests[] = {
#ifdef AGON_CHECKED
      cmocka_unit_test(violations_end_the_job_by_rank_and_tick),
#endif
      cmocka_unit_test_teardown(every_schedule_ends_well, say_seed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "fuzz.h"

#include "folder.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 60, CALM = 40000 };

void fuzz_shell(const char *format, ...) {
  char command[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(command, sizeof command, format, args);
  va_end(args);
  assert_int_equal(system(command), 0);
}

/* The first one is made before any child is, so that the root is the program's. */
void fuzz_folder(char path[64]) { folder_make(path); }

void fuzz_folder_remove(const char *path) { folder_remove(path); }

void fuzz_arguments(int argc, char **argv, uint64_t *first, long *count) {
  if (argc > 1) *first = strtoull(argv[1], NULL, 10);
  if (argc > 2) *count = strtol(argv[2], NULL, 10);
}

/* --- children --- */
FuzzTotals fuzz_run(const char *what, FuzzOne one, void *context, uint64_t first, long count, long megabytes) {
  FuzzTotals totals = {.seeds = count};
  for (uint64_t seed = first; seed < first + (uint64_t)count; seed++) {
    int status;
    struct rusage used;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure ends the child, not the test around it */
      alarm(SECONDS);
      int code = one(context, seed);
      fflush(NULL);
      _exit(code);
    }
    assert_int_equal(wait4(child, &status, 0, &used), child);
    bool stuck = (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) ||
                 (WIFEXITED(status) && WEXITSTATUS(status) == FUZZ_STUCK);
    bool crashed = !stuck && !(WIFEXITED(status) && WEXITSTATUS(status) == FUZZ_DONE);
    bool greedy = !stuck && !crashed && used.ru_maxrss / 1024 > megabytes;
    totals.stuck += stuck;
    totals.crashed += crashed;
    totals.greedy += greedy;
    if (stuck || crashed || greedy)
      fprintf(stderr, "%s: seed %llu %s (status %x, %ld MB)\n", what, (unsigned long long)seed,
              stuck                                                   ? "is stuck"
              : WIFEXITED(status) && WEXITSTATUS(status) == FUZZ_LOST ? "writes what nobody can read"
              : crashed                                               ? "crashes"
                                                                      : "takes too much memory",
              (unsigned)status, used.ru_maxrss / 1024);
  }
  fprintf(stderr, "%s: %ld seeds, %ld crashed, %ld stuck, %ld took over %ld MB\n", what, totals.seeds, totals.crashed,
          totals.stuck, totals.greedy, megabytes);
  return totals;
}

/* --- numbers --- */
uint64_t fuzz_number(AgonRng *rng, uint64_t old) {
  static const uint64_t edges[] = {
      0,          1,          2,          63,         64,         127,           255,        256,
      65535,      65536,      1000000,    0x7fffffff, 0x80000000, 0xfffffffe,    0xffffffff, 1ull << 32,
      1ull << 40, 1ull << 53, 1ull << 62, 1ull << 63, UINT64_MAX, UINT64_MAX - 1};
  switch (rng_below(rng, 5)) {
  case 0: return edges[rng_below(rng, (uint32_t)COUNT_OF(edges))];
  case 1: return old + 1 + rng_below(rng, 4);
  case 2: return old - 1 - rng_below(rng, 4);
  case 3: return old ^ (1ull << rng_below(rng, 64));
  default: return (uint64_t)rng_next(rng) << 32 | rng_next(rng);
  }
}

double fuzz_real(AgonRng *rng, double old) {
  static const double edges[] = {0, -1, 1, 0.5, 1e300, -1e300, 1e-320, 1e18, -0.0};
  switch (rng_below(rng, 5)) {
  case 0: return NAN;
  case 1: return rng_below(rng, 2) ? INFINITY : -INFINITY;
  case 2: return -old;
  case 3: return old + 1;
  default: return edges[rng_below(rng, (uint32_t)COUNT_OF(edges))];
  }
}

/* --- worlds --- */
static int64_t virtual_now(void *context) { return *(int64_t *)context; }

static bool all_done(Rank *const *node, int ranks) {
  for (int i = 0; i < ranks; i++)
    if (!rank_done(node[i])) return false;
  return true;
}

/* One step of a rank that the scheduler chooses. Not OK: it failed, and with it the job. */
static Status step_one(SimWorld *sim, Rank *const *node, bool *progress) {
  int rank = sim_choose(sim);
  Transport *transport = sim_rank(sim, rank);
  *progress = false;
  Status status = OK;
  if (!rank_done(node[rank]))
    status = rank_step(node[rank], progress);
  else /* as leave_together does */
    for (Message *m; (m = transport->ops->receive(transport)); *progress = true) message_release(m);
  sim_round(sim);
  return status;
}

static int play(FuzzWorld *world, SimWorld *sim, Rank *const *node, int64_t *now) {
  long calm = 0;
  for (long step = 0; !all_done(node, world->ranks); step++) {
    bool progress;
    if (world->steps && step == world->steps) return FUZZ_DONE;
    world->status = step_one(sim, node, &progress);
    world->failed = world->status != OK;
    if (world->failed) return FUZZ_DONE;
    calm = progress ? 0 : calm + 1;
    if (calm > CALM) return FUZZ_STUCK;
    *now += 1000;
  }
  return FUZZ_DONE;
}

static Status start_nodes(FuzzWorld *world, const JobConfig *settings, const Topology *topology, SimWorld *sim,
                          RunFolder *run, Tree *resume, uint64_t generation, int64_t *now, Tree *header,
                          Rank **node) {
  TRY_RETURN(rank_header(settings, header));
  for (int i = 0; i < world->ranks; i++) {
    if (world->prepare) world->prepare(world->context, sim_rank(sim, i));
    RankSetup setup = {.settings = settings,
                       .topology = topology,
                       .transport = sim_rank(sim, i),
                       .clock = {virtual_now, now},
                       .run = run,
                       .resume = resume,
                       .generation = generation,
                       .header = header};
    TRY_RETURN(rank_create(&setup, &node[i]));
  }
  return OK;
}

int fuzz_world(FuzzWorld *world, const char *folder) {
  JobConfigSource source = {.game = "tic_tac_toe", .overrides = world->pairs, .override_count = world->count};
  JobConfig *settings = NULL;
  Topology topology = {0};
  RunFolder run = {.lock = -1};
  Tree header = {0}, resume = {0};
  SimWorld *sim = NULL;
  Rank *node[16] = {NULL};
  const Item *config;
  uint64_t generation = 0;
  int64_t now = 0;
  Status status = OK;
  int code = FUZZ_DONE;
  TRY(run_lock(folder, &run));
  bool resuming = run_has_checkpoint(&run);
  if (resuming) TRY(run_read_checkpoint(&run, &resume, &generation));
  if (resuming && world->stored) {
    TRY(tree_get(&resume, "config", STORE_TEXT, 1, &config));
    source = (JobConfigSource){.stored = config->data};
  }
  TRY(job_config_create(&source, &settings));
  TRY(job_config_topology(settings, world->ranks, &topology));
  if (settings->actors.lanes < (int64_t)topology.actors) goto done;
  TRY(sim_create(&(SimConfig){.seed = world->seed, .ranks = world->ranks, .delay = 10, .ranks_per_host = 1}, &sim));
  TRY(start_nodes(world, settings, &topology, sim, &run, resuming ? &resume : NULL, generation, &now, &header, node));
  code = play(world, sim, node, &now);
done:
  if (status != OK) {
    world->failed = world->refused = true;
    world->status = status;
  }
  for (int i = 0; i < world->ranks; i++) rank_destroy(node[i]);
  sim_destroy(sim);
  tree_free(&header);
  tree_free(&resume);
  topology_free(&topology);
  job_config_destroy(settings);
  run_close(&run);
  return code;
}

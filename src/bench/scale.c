/* Benchmarks of the control plane: league tables by number of players; and a whole job over the
 * simulated transport with the real league, the real learner front end, the real trees and
 * messages, and actors that only pretend to play. What is measured is the processor time of the
 * league's and the learner's own code. */
#include "base/file.h"
#include "bench/bench.h"
#include "job/rank.h"
#include "league/manager.h"
#include "learner/learner.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS = 8, GAMES = 3 /* each of a puppet's tick */ };

/* --- a league of many players --- */

/* Frozen players with 100 games against each learning player, won at rates that differ. */
static Status add_players(League *league, size_t frozen) {
  char name[PLAYER_NAME];
  uint32_t id;
  for (size_t i = league->players - league->learning; i < frozen; i++) {
    snprintf(name, sizeof name, "past-%06zu", i);
    TRY_RETURN(league_add(league, name, ROLE_MAIN, true, 0, &id));
    snprintf(league->player[id].hash, HASH_TEXT, "%032zx", i);
    /* rates that differ from player to player */
    for (uint32_t home = 0; home < league->learning; home++) {
      double wins = (double)(20 + (i * 37 + home * 11) % 60);
      Tally tally = {.games = 100, .wins = wins, .losses = 100 - wins};
      TRY_RETURN(payoff_add(&league->payoff, home, id, &tally, 0, 0, PAYOFF_TRAIN));
    }
  }
  league_settle(league);
  return OK;
}

/* A league of this size as it would be after a long run. */
static Status many_players(const JobConfig *s, size_t frozen, League *league) {
  TRY_RETURN(league_create(&s->league, 1, -1, 1, league));
  return add_players(league, frozen);
}

/* The counts of one actor's tick: 32 pairs. */
static Status some_results(const League *league, Results *results) {
  for (uint32_t i = 0; i < 32; i++) {
    uint32_t past =
        (uint32_t)(league->learning + (i * 7919u) % (league->players - league->learning));
    PairResults key = {
        .home = i % (uint32_t)league->learning, .away = past, .branch = BRANCH_PFSP, .seat = i & 1};
    PairResults *pair = results_pair(results, &key);
    if (!pair) return ERR_MEMORY;
    tally_add(&pair->tally, &(Tally){.games = 3, .wins = 2, .losses = 1});
    pair->outcome += 2;
    pair->length += 60;
  }
  return OK;
}

/* How long the league computes a table, and merges an actor's counts, with this many frozen
 * players. */
static Status league_of(Bench *bench, const JobConfig *s, size_t frozen) {
  Status status = OK;
  League league = {0};
  Table table = {0};
  Results results = {0};
  Bytes bytes = {0};
  char what[96];
  enum { TIMES = 9, MERGES = 100 };
  double compute[TIMES], merge[TIMES];
  TRY(many_players(s, frozen, &league));
  TRY(some_results(&league, &results));
  for (int i = 0; i < TIMES; i++) {
    int64_t start = clock_now(&bench->clock);
    TRY(league_table(&league, &table));
    bytes.size = 0;
    table_encode(&table, &bytes);
    compute[i] = 1e6 * bench_seconds(bench, start);
    start = clock_now(&bench->clock);
    for (int n = 0; n < MERGES; n++) {
      TRY(league_merge(&league, &results));
      league_settle(&league);
    }
    merge[i] = 1e6 * bench_seconds(bench, start) / MERGES;
  }
  snprintf(what, sizeof what, "%zu frozen players: a table of %.0f kB, computed and encoded",
           frozen, (double)bytes.size * 1e-3);
  TRY(bench_add(bench, "league", what, "us", compute, TIMES, 0, NULL));
  snprintf(what, sizeof what, "%zu frozen players: %zu pairs of an actor's tick merged", frozen,
           results.pairs);
  TRY(bench_add(bench, "league", what, "us", merge, TIMES, 0, NULL));
done:
  bytes_free(&bytes);
  table_free(&table);
  results_free(&results);
  league_free(&league);
  return status;
}

/* From ten players to ten thousand. */
Status bench_league(Bench *bench) {
  Status status = OK;
  JobConfig *settings = NULL;
  const char *extra[] = {"league.preset=alphastar-paper", "actors.eval_share=0.0625"};
  TRY(bench_settings(bench, extra, COUNT_OF(extra), &settings));
  for (size_t frozen = 10; frozen <= 10000; frozen *= 10)
    TRY(league_of(bench, settings, frozen));
done:
  job_config_destroy(settings);
  return status;
}

/* --- saving --- */
/* Saves a checkpoint, loads it again, and writes a plain file of as many bytes; rates in bytes a
 * second. */
static Status save_once(const Bench *bench, RunFolder *run, const Tree *tree, size_t bytes,
                        uint64_t generation, double *save, double *load, double *raw) {
  Tree back = {0};
  char path[PATH_MAX];
  char *junk;
  uint64_t found;
  int64_t start = clock_now(&bench->clock);
  TRY_RETURN(run_write_checkpoint(run, generation, tree, 3));
  *save = (double)bytes / bench_seconds(bench, start);
  start = clock_now(&bench->clock);
  TRY_RETURN(run_read_checkpoint(run, &back, &found));
  *load = (double)bytes / bench_seconds(bench, start);
  tree_free(&back);
  TRY_RETURN(run_path(run, path, sizeof path, "raw"));
  TRY_RETURN(NEW_ARRAY(junk, bytes));
  start = clock_now(&bench->clock);
  Status status = file_write_durable(path, junk, bytes);
  *raw = (double)bytes / bench_seconds(bench, start);
  free(junk);
  return status;
}

/* A checkpoint of 1,000 players beside a plain file of as many bytes, which is what the disk
 * allows. */
Status bench_checkpoint(Bench *bench) {
  Status status = OK;
  JobConfig *settings = NULL;
  Net *net = NULL;
  League league = {0};
  Tree tree = {0};
  RunFolder run = {.lock = -1};
  float *block = NULL;
  char folder[] = "/tmp/agon-bench-XXXXXX", path[96], what[96], command[128];
  double save[9], load[9], raw[9], share;
  const char *extra[] = {"league.preset=alphastar-paper"};
  bool made = false;
  TRY(bench_settings(bench, extra, COUNT_OF(extra), &settings));
  TRY(net_create(&settings->net, &settings->env->layout, &settings->env->spec, &net));
  TRY(NEW_ARRAY(block, net->block));
  TRY(many_players(settings, 1000, &league));
  TRY(league_save(&league, &tree));
  /* three policies and two moments each, as learners send them */
  for (size_t p = 0; p < league.learning; p++)
    for (int i = 0; i < 5; i++) {
      snprintf(path, sizeof path, "players/%s/%d", league.player[p].name, i);
      TRY(tree_put(&tree, path, STORE_F32, net->block, 1, block));
    }
  if (!mkdtemp(folder)) TRY(status_set(ERR_IO, "cannot make a folder in /tmp"));
  made = true;
  TRY(run_lock(folder, &run));
  size_t bytes = 0;
  for (size_t i = 0; i < tree.items; i++)
    bytes += tree.item[i].count * tree.item[i].width * tree.item[i].size;
  for (int i = 0; i < 9; i++)
    TRY(save_once(bench, &run, &tree, bytes, (uint64_t)i + 1, &save[i], &load[i], &raw[i]));
  TRY(bench_add(bench, "checkpoint", "plain file of the same bytes, durable", "B/s", raw, 9, 0,
                NULL));
  snprintf(what, sizeof what, "save, %zu players, %.1f MB", league.players, (double)bytes * 1e-6);
  TRY(bench_add(bench, "checkpoint", what, "B/s", save, 9, raw[4], "the plain file"));
  share = 100 * (double)bytes / save[4] / settings->manager.checkpoint_seconds;
  TRY(bench_add(bench, "checkpoint", "load and verify", "B/s", load, 9, 0, NULL));
  TRY(bench_add(bench, "checkpoint", "share of run time at the configured interval", "%", &share, 1,
                0, NULL));
done:
  run_close(&run);
  if (made) {
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) status = status == OK ? ERR_IO : status;
  }
  tree_free(&tree);
  league_free(&league);
  net_destroy(net);
  job_config_destroy(settings);
  free(block);
  return status;
}

/* --- a whole job --- */

/* An actor that only pretends to play: it keeps the order of messages, and sends the same
 * experience in every tick. */
typedef struct Puppet {
  Transport *transport;
  const int *fed;
  int below[TREE_FAN_OUT], weights_below[TREE_FAN_OUT];
  size_t belows, weights_belows;
  uint32_t index;
  uint64_t tick, has_table, has_weights; /* ticks + 1 for which they are here */
  size_t weights;
  bool done;
} Puppet;

/* The whole simulated job. */
typedef struct Show {
  JobConfig *settings;
  Net *net;
  Algo *algo;
  Topology topology;
  SimWorld *world;
  Manager *manager;
  Learner **learner;
  Puppet *puppet;
  RunFolder run;
  Tree header;
  char folder[32];
  bool made;
  int below[TREE_FAN_OUT], (*learner_below)[TREE_FAN_OUT], *member;
  Bytes *batch; /* (learning) what every puppet sends each tick, encoded */
  size_t frames, learning;
  WireOut wire;
  Results results;
  double league_seconds, learner_seconds;
} Show;

/* Processor time, not time that passed: the machine may be busy with other things. */
static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Policies stay zero, as nobody plays with them. */
static void zero_policy(void *context, uint32_t player, float *block) {
  (void)context;
  (void)player;
  (void)block;
}

/* All of a team act in every row. */
static void fill_flags(Batch *batch) {
  const RowFormat *f = &batch->format;
  size_t cells = format_cells(f);
  for (size_t i = 0; f->flags && i < batch->rows * cells; i++)
    batch->flags[i] = f->agent_of[i % cells] == NO_AGENT ? 0 : ROW_FLAGS;
}

/* A batch of 16 unrolls of 16 decisions of one player (of its first team, where rows are of teams),
 * encoded into `out`. */
static Status make_batch(Show *show, uint32_t player, Bytes *out) {
  const JobConfig *s = show->settings;
  Batch batch;
  RowFormat format = job_config_format(s, show->net);
  TRY_RETURN(batch_create(&format, &batch));
  Status status = batch_reserve(&batch, 256, 16);
  for (uint32_t u = 0; u < 16 && status == OK; u++)
    batch.unroll[u] =
        (Unroll){.rows = 16, .first = 16 * u, .end = END_TERMINATED, .fresh = 1, .player = player};
  batch.rows = 256;
  batch.unrolls = 16;
  if (status == OK) {
    memset(batch.mask, 1, batch.rows * column_bytes(&format, COLUMN_MASK));
    fill_flags(&batch);
  }
  if (status == OK) batch_encode(&batch, out);
  if (status == OK) show->frames = batch_learned(&batch);
  batch_destroy(&batch);
  return status == OK && out->failed ? ERR_MEMORY : status;
}

/* Also for one that was only half opened. */
static void show_close(Show *show) {
  char command[64];
  manager_destroy(show->manager);
  for (size_t l = 0; show->learner && l < show->topology.learners; l++)
    learner_destroy(show->learner[l]);
  sim_destroy(show->world);
  run_close(&show->run);
  tree_free(&show->header);
  topology_free(&show->topology);
  results_free(&show->results);
  for (size_t p = 0; show->batch && p < show->learning; p++)
    bytes_free(&show->batch[p]);
  free(show->batch);
  bytes_free(&show->wire.bytes);
  algo_destroy(show->algo);
  net_destroy(show->net);
  job_config_destroy(show->settings);
  free(show->learner);
  free(show->puppet);
  free(show->learner_below);
  free(show->member);
  if (!show->made) return;
  snprintf(command, sizeof command, "rm -rf %s", show->folder);
  if (system(command) != 0) return;
}

/* Each puppet knows to whom it passes tables and weights on, as actors do. */
static Status open_puppets(Show *show) {
  const Topology *t = &show->topology;
  TRY_RETURN(NEW_ARRAY(show->puppet, t->actors));
  for (size_t a = 0; a < t->actors; a++) {
    Puppet *puppet = &show->puppet[a];
    size_t first, count;
    size_t member = topology_fed_member(t, a);
    topology_feeders(t, member, &first, &count);
    puppet->transport = sim_rank(show->world, t->actor_rank[a]);
    puppet->index = (uint32_t)a;
    puppet->fed = &t->learner_rank[member];
    puppet->belows = topology_below(t->actor_rank, t->actors, (long)a, puppet->below);
    puppet->weights_belows =
        topology_below(t->actor_rank + first, count, (long)(a - first), puppet->weights_below);
  }
  return OK;
}

/* What the role of a rank lives on. */
static RoleContext role_of(const Bench *bench, const Show *show, int rank) {
  return (RoleContext){
      .pace = (Pace)show->settings->run.pace,
      .seed = 1,
      .transport = sim_rank(show->world, rank),
      .clock = bench->clock,
      .net = show->net,
      .format = job_config_format(show->settings, show->net),
      .learning_players = show->learning,
  };
}

/* Real learners, all of one group, with a small network. */
static Status open_learners(Bench *bench, Show *show) {
  const Topology *t = &show->topology;
  const JobConfig *s = show->settings;
  TRY_RETURN(NEW_ARRAY(show->learner, t->learners));
  TRY_RETURN(NEW_ARRAY(show->learner_below, t->learners));
  for (size_t l = 0; l < t->learners; l++) {
    size_t first, count;
    topology_feeders(t, l, &first, &count);
    LearnerSetup setup = {
        .role = role_of(bench, show, t->learner_rank[l]),
        .config = s->learner,
        .algo = show->algo,
        .index = l,
        .groups = 1,
        .member = l,
        .members = t->members,
        .member_rank = t->learner_rank,
        .first_actor = first,
        .actor_rank = t->actor_rank + first,
        .actors = count,
        .below = show->learner_below[l],
        .belows = topology_below(t->actor_rank + first, count, -1, show->learner_below[l])};
    TRY_RETURN(learner_create(&setup, &show->learner[l]));
  }
  return OK;
}

/* Assignments that leave an algorithm one optimiser step an update, where its options say how many.
 */
typedef struct OneStep {
  char pair[2][48];
} OneStep;

/* Settings that leave an algorithm one optimiser step an update, where its options say how many:
 * its arithmetic is not what is measured. */
static OneStep one_step(const AlgoOps *algo) {
  OneStep step;
  size_t count = 0;
  for (size_t i = 0; i < COUNT_OF(step.pair); i++)
    snprintf(step.pair[i], sizeof step.pair[i], "seed=1");
  for (size_t i = 0; i < algo->option_count && count < COUNT_OF(step.pair); i++) {
    const char *name = algo->options[i].name;
    if (strcmp(name, "epochs") && strcmp(name, "minibatches")) continue;
    snprintf(step.pair[count], sizeof step.pair[count], "%s.%s=1", algo->name, name);
    count++;
  }
  return step;
}

/* Snapshots and checkpoints are put off for ever, so that only the ticks are measured. */
static Status read_settings(const Bench *bench, size_t actors, size_t learners, Show *show) {
  char lanes[40], slots[40], ranks[40];
  snprintf(lanes, sizeof lanes, "actors.lanes=%zu", actors);
  snprintf(slots, sizeof slots, "actors.slots=%zu", actors);
  snprintf(ranks, sizeof ranks, "learner.ranks=%zu", learners);
  OneStep step = one_step(algo_ops(0));
  const char *extra[] = {"league.preset=alphastar-paper",
                         "net.hidden=[8]",
                         "placement=split",
                         step.pair[0],
                         step.pair[1],
                         "checkpoint.seconds=0",
                         "frames=1000G",
                         lanes,
                         slots,
                         ranks,
                         "league.main_snapshot_min=1000G",
                         "league.exploiter_snapshot_max=1000G",
                         "league.main_snapshot_max=1000G",
                         "league.league_snapshot_max=1000G",
                         "metrics.progress=86400"};
  return bench_settings(bench, extra, COUNT_OF(extra), &show->settings);
}

/* A real league with its tick machine. */
static Status open_manager(const Bench *bench, size_t lanes, Show *show) {
  const JobConfig *s = show->settings;
  const Topology *t = &show->topology;
  ManagerSetup setup = {
      .role = role_of(bench, show, 0),
      .config = s->manager,
      .league = s->league,
      .hooks = {.initial = zero_policy},
      .members = {.actor_rank = t->actor_rank,
                  .actors = t->actors,
                  .below = show->below,
                  .belows = topology_below(t->actor_rank, t->actors, -1, show->below),
                  .learner_rank = t->learner_rank,
                  .learners = t->learners,
                  .groups = 1,
                  .lanes = lanes,
                  .opponents = 1,
                  .lane_steps = show->learning * show->frames + PAIRS * GAMES,
                  .lane_rows = show->learning * show->frames},
      .return_low = -1,
      .return_high = 1,
      .run = &show->run,
      .header = &show->header,
  };
  return manager_create(&setup, &show->manager);
}

/* Puts the job together, as job/rank does for a real one. */
static Status show_open(Bench *bench, size_t actors, size_t learners, size_t frozen, Show *show) {
  Status status = OK;
  *show = (Show){.run = {.lock = -1}};
  TRY(read_settings(bench, actors, learners, show));
  const JobConfig *s = show->settings;
  show->learning = league_learners(&s->league);
  TRY(net_create(&s->net, &s->env->layout, &s->env->spec, &show->net));
  TRY(job_config_algo(s, show->net, &show->algo));
  TRY(job_config_topology(s, (int)(actors + learners), &show->topology));
  TRY(sim_create(&(SimConfig){.seed = 1, .ranks = show->topology.size}, &show->world));
  snprintf(show->folder, sizeof show->folder, "/tmp/agon-bench-XXXXXX");
  if (!mkdtemp(show->folder)) TRY(status_set(ERR_IO, "cannot make a folder in /tmp"));
  show->made = true;
  TRY(run_lock(show->folder, &show->run));
  TRY(rank_header(s, &show->header));
  TRY(NEW_ARRAY(show->batch, show->learning));
  for (uint32_t p = 0; p < show->learning; p++)
    TRY(make_batch(show, p, &show->batch[p]));
  TRY(open_manager(bench, actors, show));
  TRY(add_players(manager_league(show->manager), frozen));
  TRY(open_learners(bench, show));
  TRY(open_puppets(show));
done:
  if (status != OK) show_close(show);
  return status;
}

/* What an actor sends in a tick: a batch for each learning player, the tick's end, and the counts
 * of a few pairs. */
static Status perform(Show *show, Puppet *puppet) {
  Transport *transport = puppet->transport;
  Bytes *out = &show->wire.bytes;
  for (uint32_t p = 0; p < show->learning; p++) {
    const WireUnrolls unrolls = {
        .tick = puppet->tick,
        .player = p,
        .actor = puppet->index,
        .batch = show->batch[p].data,
        .size = show->batch[p].size,
    };
    wire_begin(&show->wire, WIRE_UNROLLS);
    unrolls_encode(&unrolls, out);
    TRY_RETURN(wire_send(transport, puppet->fed[0], &show->wire));
    TRY_RETURN(results_frames(&show->results, p, show->frames));
  }
  const WireTickEnd end = {
      .tick = puppet->tick,
      .actor = puppet->index,
      .frames = show->learning * show->frames,
  };
  wire_begin(&show->wire, WIRE_TICK_END);
  tick_end_encode(&end, out);
  TRY_RETURN(wire_send(transport, puppet->fed[0], &show->wire));
  size_t players = manager_league(show->manager)->players;
  for (uint32_t i = 0; i < PAIRS; i++) {
    uint32_t away = (uint32_t)(show->learning + (puppet->index * PAIRS + i + puppet->tick * 131) %
                                                    (players - show->learning));
    PairResults key = {.home = i % (uint32_t)show->learning, .away = away, .branch = BRANCH_PFSP};
    PairResults *pair = results_pair(&show->results, &key);
    if (!pair) return ERR_MEMORY;
    pair->tally = (Tally){.games = GAMES, .wins = 2, .losses = 1};
    pair->outcome = 2;
    pair->length = 60;
    show->results.episodes += GAMES;
  }
  show->results.actor = puppet->index;
  show->results.tick = puppet->tick;
  show->results.steps = show->frames * show->learning;
  wire_begin(&show->wire, WIRE_RESULTS);
  results_encode(&show->results, out);
  results_clear(&show->results);
  puppet->tick++;
  return wire_send(transport, 0, &show->wire);
}

/* Notes tables and weights, and passes them on down the trees. */
static Status puppet_receive(Puppet *puppet, Message *message, size_t learning) {
  WireKind kind;
  Reader body;
  TRY_RETURN(wire_open(message, &kind, &body));
  if (kind == WIRE_TABLE) {
    Table head = {0};
    TRY_RETURN(table_decode_head(&head, &body));
    puppet->has_table = head.tick + 1;
    return wire_forward(puppet->transport, puppet->below, puppet->belows, message);
  }
  if (kind != WIRE_WEIGHTS) return OK;
  if (++puppet->weights % learning == 0) puppet->has_weights++;
  return wire_forward(puppet->transport, puppet->weights_below, puppet->weights_belows, message);
}

/* Rank 0 is league and learner at once; time goes to whom the message was for. */
static Status run_rank0(Show *show, bool *progress) {
  Transport *transport = sim_rank(show->world, 0);
  for (Message *message; (message = transport->ops->receive(transport));) {
    WireKind kind;
    Reader body;
    double start = cpu_seconds();
    Status status = wire_open(message, &kind, &body);
    bool learn = status == OK && wire_route(kind)->to == WIRE_LEARNER;
    if (status == OK && learn) status = learner_receive(show->learner[0], kind, message, &body);
    if (status == OK && !learn) status = manager_receive(show->manager, kind, message, &body);
    message_release(message);
    *(learn ? &show->learner_seconds : &show->league_seconds) += cpu_seconds() - start;
    TRY_RETURN(status);
    *progress = true;
  }
  double start = cpu_seconds();
  bool moved;
  TRY_RETURN(manager_step(show->manager, &moved));
  show->league_seconds += cpu_seconds() - start;
  *progress |= moved;
  return OK;
}

/* Learner 0 gets its messages with the league's. */
static Status run_learner(Show *show, size_t l, bool *progress) {
  Transport *transport = sim_rank(show->world, (int)l);
  for (Message *message; l > 0 && (message = transport->ops->receive(transport));) {
    WireKind kind;
    Reader body;
    Status status = wire_open(message, &kind, &body);
    if (status == OK) status = learner_receive(show->learner[l], kind, message, &body);
    message_release(message);
    TRY_RETURN(status);
  }
  bool moved;
  TRY_RETURN(learner_step(show->learner[l], &moved));
  *progress |= moved;
  return OK;
}

/* Rounds of the simulation until the league has counted this many ticks. */
static Status run_until(Show *show, uint64_t tick) {
  while (manager_summary(show->manager).ticks < tick) {
    bool progress = false;
    TRY_RETURN(run_rank0(show, &progress));
    for (size_t l = 0; l < show->topology.learners; l++)
      TRY_RETURN(run_learner(show, l, &progress));
    for (size_t a = 0; a < show->topology.actors; a++) {
      Puppet *puppet = &show->puppet[a];
      for (Message *m; (m = puppet->transport->ops->receive(puppet->transport));) {
        Status status = puppet_receive(puppet, m, show->learning);
        message_release(m);
        TRY_RETURN(status);
      }
      if (puppet->tick < puppet->has_table && puppet->tick < puppet->has_weights)
        TRY_RETURN(perform(show, puppet));
    }
    sim_round(show->world);
  }
  return OK;
}

/* Seconds of learner 0's front end: receiving, decoding, publishing. Its arithmetic is not in
 * them. */
static double front_end(const Show *show) {
  return show->learner_seconds + learner_front_seconds(show->learner[0]);
}

/* Runs one size of job for a few ticks, and says at how many frames a second league and learner
 * would be busy all the time. */
static Status scale_of(Bench *bench, size_t actors, size_t learners, size_t frozen) {
  Status status = OK;
  Show show;
  char what[96];
  uint64_t ticks = actors >= 4096 ? 4 : 8;
  TRY_RETURN(show_open(bench, actors, learners, frozen, &show));
  TRY(run_until(&show, 2)); /* the first tables are whole */
  const TransportStats before = sim_rank(show.world, 0)->stats;
  double league = show.league_seconds;
  double learner = front_end(&show);
  TRY(run_until(&show, 2 + ticks));
  const TransportStats *after = &sim_rank(show.world, 0)->stats;
  double frames = (double)(ticks * show.frames * show.learning * actors);
  league = (show.league_seconds - league) / frames;
  /* learner 0 takes one part of the frames */
  learner = (front_end(&show) - learner) / frames * (double)learners;
  if (bench->screen)
    fprintf(bench->screen,
            "scale      %6zu actors %2zu learners %6zu players: rank 0 per tick %7.0f messages "
            "in, %3.0f out, %8.0f kB out; per frame %.1f B in, league %.2f ns, learner front end "
            "%.1f ns\n",
            actors, learners, frozen,
            (double)(after->messages_received - before.messages_received) / (double)ticks,
            (double)(after->messages_sent - before.messages_sent) / (double)ticks,
            (double)(after->bytes_sent - before.bytes_sent) / (double)ticks * 1e-3,
            (double)(after->bytes_received - before.bytes_received) / frames, league * 1e9,
            learner * 1e9);
  double share = 100 * league * 10e6;
  double most = 1 / league;
  double front = 1 / learner;
  snprintf(what, sizeof what, "%zu actors, %zu players: league's share of a core at 10 M frames/s",
           actors, frozen);
  TRY(bench_add(bench, "scale", what, "%", &share, 1, 0, NULL));
  snprintf(what, sizeof what, "%zu actors, %zu players: the league saturates at", actors, frozen);
  TRY(bench_add(bench, "scale", what, "frames/s", &most, 1, 0, NULL));
  snprintf(what, sizeof what, "%zu actors, %zu players: one learner's front end at", actors,
           frozen);
  TRY(bench_add(bench, "scale", what, "frames/s", &front, 1, 0, NULL));
done:
  show_close(&show);
  return status;
}

/* A series over actors, one over players, and one job with 16 learners. */
Status bench_scale(Bench *bench) {
  if (bench->actors || bench->players)
    return scale_of(bench, bench->actors ? (size_t)bench->actors : 4096, 1,
                    bench->players ? (size_t)bench->players : 1000);
  for (size_t actors = 64; actors <= 16384; actors *= 4)
    TRY_RETURN(scale_of(bench, actors, 1, 1000));
  for (size_t frozen = 10; frozen <= 10000; frozen *= 10)
    TRY_RETURN(scale_of(bench, 4096, 1, frozen));
  return scale_of(bench, 4096, 16, 1000);
}

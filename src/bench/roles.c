/* Benchmarks of one core: environments, the actor role, updates. The actor is the real one, over a
 * simulated transport; the bench plays league and learner, handing out tables and weights and
 * taking experience. */
#include "actors/actor.h"
#include "bench/bench.h"
#include "learner/train/update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- environments --- */
enum { GAMES = 1024, BLOCK = 64 };

/* Many games of one env, and what is needed to step them without networks. */
typedef struct Arena {
  const Env *env;
  uint8_t *block, *rows, *masks;
  void *state[GAMES];
  const void **viewed; /* (BLOCK * agents + 1) what is observed: which agent of which game */
  uint32_t *agent, *game;
  uint8_t *flags; /* (BLOCK * agents) */
  float *global;  /* (global_state_size), where the env has it */
  AgonRng rng[GAMES];
  AgonRandom random[GAMES];
  AgonAction *action; /* (GAMES, agents, heads) */
  float *reward, *opening;
  AgonStatus status[GAMES];
  uint32_t episode;
  size_t made; /* states that the env must destroy, if it creates */
  uint64_t dice;
} Arena;

/* Accepts NULL. */
static void arena_close(Arena *arena) {
  if (!arena) return;
  for (size_t i = 0; i < arena->made && arena->env->table->destroy; i++)
    arena->env->table->destroy(arena->env->params, arena->state[i]);
  free(arena->block);
  free(arena->rows);
  free(arena->masks);
  free(arena->action);
  free(arena->reward);
  free(arena->opening);
  free(arena->viewed);
  free(arena->agent);
  free(arena->game);
  free(arena->flags);
  free(arena->global);
  free(arena);
}

/* A new game in place `i`, with a stream of its own. */
static void arena_restart(Arena *arena, size_t i) {
  arena->rng[i] = rng_stream(1, (uint32_t)i, arena->episode++, RNG_ENV);
  env_reset(arena->env, arena->state[i], &arena->rng[i], arena->opening);
}

/* States are 16 bytes apart or a multiple of it, as plug-ins may use vectors. */
static Status arena_open(const Env *env, Arena **out) {
  Status status = OK;
  Arena *arena = NULL;
  size_t size = (env->spec.episode_size + 15) & ~(size_t)15;
  size_t most = GAMES * env->spec.agents;
  TRY(NEW_ARRAY(arena, 1));
  arena->env = env;
  arena->dice = 88172645463325252ull;
  TRY(NEW_ARRAY(arena->block, GAMES * size));
  TRY(NEW_ARRAY(arena->rows, most * env->observation_bytes));
  TRY(NEW_ARRAY(arena->masks, most * env->action_count + 8));
  TRY(NEW_ARRAY(arena->action, most * env->layout.heads));
  TRY(NEW_ARRAY(arena->reward, most));
  TRY(NEW_ARRAY(arena->opening, env->spec.agents));
  TRY(NEW_ARRAY(arena->viewed, BLOCK * env->spec.agents + 1));
  TRY(NEW_ARRAY(arena->agent, BLOCK * env->spec.agents + 1));
  TRY(NEW_ARRAY(arena->game, BLOCK * env->spec.agents + 1));
  TRY(NEW_ARRAY(arena->flags, BLOCK * env->spec.agents));
  TRY(NEW_ARRAY(arena->global, env->spec.global_state_size + 1));
  for (size_t i = 0; i < GAMES; i++) {
    arena->state[i] = arena->block + i * size;
    arena->random[i] = rng_handle(&arena->rng[i]);
    TRY(env_make(env, arena->state[i]));
    arena->made = i + 1;
    arena_restart(arena, i);
  }
  *out = arena;
  arena = NULL;
done:
  arena_close(arena);
  return status;
}

/* One of the legal choices, all alike. Up to eight are drawn without branches: a product gives each
 * byte the count of legal ones up to it, and the first byte over the drawn number is found by its
 * borrow bit. */
static inline uint32_t pick_legal(const uint8_t *mask, uint32_t size, uint32_t random) {
  const uint64_t ones = 0x0101010101010101ull;
  if (size > 8) {
    uint32_t choice = (uint32_t)(((uint64_t)random * size) >> 32);
    while (!mask[choice])
      choice = choice + 1 == size ? 0 : choice + 1;
    return choice;
  }
  uint64_t legal = 0;
  memcpy(&legal, mask, 8); /* rows are followed by others, or by room */
  legal &= size == 8 ? ~0ull : (1ull << (8 * size)) - 1;
  uint64_t counts = legal * ones;
  uint64_t drawn = ((uint64_t)random * (counts >> 56)) >> 32;
  return (uint32_t)__builtin_ctzll(((counts | ones << 7) - (drawn + 1) * ones) & ones << 7) / 8;
}

/* The next of the bench's own dice (xorshift), so that the env is what is measured. */
static inline uint64_t throw_dice(uint64_t dice) {
  dice ^= dice << 13;
  dice ^= dice >> 7;
  return dice ^ dice << 17;
}

/* A random legal action for each view, by its mask row. What the loop reads lies in locals: stores
 * to actions could otherwise be to any of it. */
static void pick_all(Arena *arena, size_t views) {
  const Env *env = arena->env;
  const AgonKind *layout = &env->layout;
  const uint32_t *head_size = layout->head_size;
  const uint32_t *game = arena->game;
  const uint32_t *agent = arena->agent;
  const size_t agents = env->spec.agents;
  const size_t heads = layout->heads;
  const bool box = layout->action_kind == AGON_BOX;
  const uint8_t *mask = arena->masks;
  AgonAction *actions = arena->action;
  uint64_t dice = arena->dice;
  if (heads == 1 && !box) { /* what most games are */
    const uint32_t size = head_size[0];
    for (size_t v = 0; v < views; v++, mask += size) {
      dice = throw_dice(dice);
      actions[game[v] * agents + agent[v]].choice =
          (int32_t)pick_legal(mask, size, (uint32_t)(dice >> 32));
    }
    arena->dice = dice;
    return;
  }
  for (size_t v = 0; v < views; v++) {
    AgonAction *action = actions + (game[v] * agents + agent[v]) * heads;
    for (size_t h = 0; h < heads; h++) {
      dice = throw_dice(dice);
      if (box)
        action[h].value = 0;
      else
        action[h].choice = (int32_t)pick_legal(mask, head_size[h], (uint32_t)(dice >> 32));
      mask += box ? 1 : head_size[h];
    }
  }
  arena->dice = dice;
}

/* One step of the games from `first` on, a block that stays in the nearest cache: who acts, views,
 * actions, steps, restarts. Returns how many observations were made. */
static size_t arena_step(Arena *arena, size_t first) {
  const Env *env = arena->env;
  const bool together = env->table->step_many != NULL;
  uint8_t *flags = arena->flags;
  const void **viewed = arena->viewed;
  uint32_t *game = arena->game;
  uint32_t *agent = arena->agent;
  size_t views = 0;
  size_t agents = env->spec.agents;
  size_t heads = env->layout.heads;
  env_flags(env, BLOCK, (const void *const *)(arena->state + first), flags);
  for (size_t i = first; i < first + BLOCK; i++) {
    const uint8_t *flag = flags + (i - first) * agents;
    for (uint32_t a = 0; a < agents; a++) {
      viewed[views] = arena->state[i];
      game[views] = (uint32_t)i;
      agent[views] = a;
      views += flag[a] & AGON_ACTS; /* no branch: who acts is hard to predict */
    }
  }
  env_view(env, views, viewed, agent, arena->rows, arena->masks);
  for (size_t i = first; i < first + BLOCK && env->spec.global_state_size; i++)
    env->table->global_state(env->params, arena->state[i], arena->global);
  pick_all(arena, views);
  memset(arena->reward + first * agents, 0, BLOCK * agents * sizeof *arena->reward);
  if (together)
    env_call_step_many(env, BLOCK, arena->state + first, arena->action + first * agents * heads,
                       arena->random + first, arena->reward + first * agents,
                       arena->status + first);
  for (size_t i = first; i < first + BLOCK; i++) {
    float *reward = arena->reward + i * agents;
    if (!together)
      arena->status[i] = env_call_step(env, arena->state[i], arena->action + i * agents * heads,
                                       &arena->random[i], reward);
    if (arena->status[i] == AGON_CHANCE)
      arena->status[i] = env_settle(env, arena->state[i], AGON_CHANCE, &arena->rng[i], reward);
    if (arena->status[i] != AGON_RUNNING) arena_restart(arena, i);
  }
  return views;
}

/* Environment steps a second on one core. The bound counts the bytes that must be touched: state,
 * read and written, and rows. */
Status bench_env(Bench *bench) {
  Status status = OK;
  JobConfig *settings = NULL;
  Arena *arena = NULL;
  double rate[64];
  char what[96];
  TRY(bench_settings(bench, NULL, 0, &settings));
  TRY(arena_open(settings->env, &arena));
  size_t views = 0;
  size_t steps = 0;
  size_t count = bench->repeats < 64 ? (size_t)bench->repeats : 64;
  for (size_t i = 0; i < count; i++) {
    int64_t start = clock_now(&bench->clock);
    for (steps = 0, views = 0; bench_seconds(bench, start) < bench->seconds; steps += 64 * GAMES)
      for (int n = 0; n < 64; n++)
        for (size_t first = 0; first < GAMES; first += BLOCK)
          views += arena_step(arena, first);
    rate[i] = (double)steps / bench_seconds(bench, start);
  }
  snprintf(what, sizeof what, "%s, %d games, %.2g observations%s a step", settings->table->name,
           GAMES, (double)views / (double)steps,
           settings->env->spec.global_state_size ? " and the global state" : "");
  const Env *env = settings->env;
  double bytes =
      (double)views / (double)steps * (double)(env->observation_bytes + env->action_count) +
      4.0 * (double)env->spec.global_state_size + 2.0 * (double)env->spec.episode_size;
  TRY(bench_add(bench, "env", what, "steps/s", rate, count, bench_copy_peak(bench) / bytes,
                "bytes of state and rows at memcpy's rate"));
done:
  arena_close(arena);
  job_config_destroy(settings);
  return status;
}

/* --- acting --- */

/* A real actor on one simulated rank; the bench is everybody else, on the other. */
typedef struct Stage {
  JobConfig *settings;
  Net *net;
  SimWorld *world;
  Actor *actor;
  float *block;
  WireOut wire;
  uint64_t tick, frames, frozen;
  size_t opponents;
  Batch *keep; /* experience of the last tick is added here, if wanted */
} Stage;

/* Also for one that was only half opened. */
static void stage_close(Stage *stage) {
  actor_destroy(stage->actor);
  sim_destroy(stage->world);
  net_destroy(stage->net);
  job_config_destroy(stage->settings);
  bytes_free(&stage->wire.bytes);
  free(stage->block);
}

/* Against many frozen opponents there are more slots, as with a real league. */
static Status stage_open(Bench *bench, size_t opponents, Stage *stage) {
  static const int bench_rank = 0;
  Status status = OK;
  *stage = (Stage){.opponents = opponents};
  static const char *const crowd[] = {"actors.slots=1024", "actors.lanes=8",
                                      "actors.lane_episodes=512"};
  TRY(bench_settings(bench, crowd, opponents ? COUNT_OF(crowd) : 0, &stage->settings));
  const JobConfig *s = stage->settings;
  TRY(net_create(&s->net, &s->env->layout, &s->env->spec, &stage->net));
  TRY(NEW_ARRAY(stage->block, stage->net->block));
  net_init(stage->net, 1, 0, stage->block);
  TRY(sim_create(&(SimConfig){.ranks = 2, .seed = 1}, &stage->world));
  ActorSetup setup = {.role = {.pace = PACE_LOCKSTEP,
                               .seed = 1,
                               .transport = sim_rank(stage->world, 1),
                               .clock = clock_system(),
                               .net = stage->net,
                               .format = job_config_format(s, stage->net),
                               .learning_players = 1},
                      .config = s->actors,
                      .env = s->env,
                      .actors = 1,
                      .fed_rank = &bench_rank,
                      .groups = 1};
  TRY(actor_create(&setup, &stage->actor));
  wire_begin(&stage->wire, WIRE_BEGIN);
  start_encode(&(WireStart){.tick = 0}, &stage->wire.bytes);
  TRY(wire_send(sim_rank(stage->world, 0), 1, &stage->wire));
done:
  if (status != OK) stage_close(stage);
  return status;
}

/* Sends weights and the table of the next tick: the player against itself, or against each of
 * `opponents` frozen ones alike. */
static Status stage_prompt(Stage *stage) {
  Status status = OK;
  Transport *transport = sim_rank(stage->world, 0);
  HomeEntry home = {0, 0, 1, 0, stage->opponents ? (uint32_t)stage->opponents : 1};
  MatchEntry *match = NULL;
  const WireWeights weights = {.version = stage->tick, .tick = stage->tick, .value = stage->block};
  wire_begin(&stage->wire, WIRE_WEIGHTS);
  weights_encode(&weights, stage->net->block, &stage->wire.bytes);
  TRY(wire_send(transport, 1, &stage->wire));
  TRY(NEW_ARRAY(match, home.count));
  for (uint32_t i = 0; i < home.count; i++) {
    match[i] = (MatchEntry){0, 0, 1, MATCH_LIVE | MATCH_AWAY_LEARNS, BRANCH_SELF};
    if (stage->opponents)
      match[i] = (MatchEntry){0, 1 + i, 1.0f / (float)home.count, 0, BRANCH_PFSP};
  }
  Table table = {.tick = stage->tick,
                 .version = 1,
                 .home = &home,
                 .homes = 1,
                 .match = match,
                 .matches = home.count};
  wire_begin(&stage->wire, WIRE_TABLE);
  table_encode(&table, &stage->wire.bytes);
  TRY(wire_send(transport, 1, &stage->wire));
  stage->tick++;
done:
  free(match);
  return status;
}

/* What a league and a learner would do with a message: policies are given on demand, experience is
 * kept or dropped, results are counted. */
static Status stage_take(Stage *stage, Message *message, bool *ended) {
  WireKind kind;
  Reader body;
  Results results = {0};
  TRY_RETURN(wire_open(message, &kind, &body));
  if (kind == WIRE_FETCH) {
    WireFetch asked;
    TRY_RETURN(fetch_decode(&asked, &body));
    wire_begin(&stage->wire, WIRE_FROZEN);
    frozen_encode(&(WireFrozen){asked.player, stage->block}, stage->net->block, &stage->wire.bytes);
    return wire_send(sim_rank(stage->world, 0), 1, &stage->wire);
  }
  if (kind == WIRE_UNROLLS && stage->keep) {
    WireUnrolls unrolls;
    TRY_RETURN(unrolls_decode(&unrolls, &body));
    return unrolls_batch(&unrolls, stage->keep);
  }
  if (kind != WIRE_RESULTS) return OK;
  Status status = results_decode(&results, &body);
  for (size_t i = 0; i < results.frames; i++)
    stage->frames += results.frame[i].frames;
  stage->frozen += results.decisions_frozen;
  results_free(&results);
  *ended = true;
  return status;
}

/* One tick of the actor, with everything that it sends and receives. */
static Status stage_tick(Stage *stage) {
  bool ended = false, progress;
  Transport *own = sim_rank(stage->world, 0);
  Transport *its = sim_rank(stage->world, 1);
  TRY_RETURN(stage_prompt(stage));
  while (!ended) {
    for (Message *message; (message = its->ops->receive(its));) {
      WireKind kind;
      Reader body;
      Status status = wire_open(message, &kind, &body);
      if (status == OK) status = actor_receive(stage->actor, kind, message, &body);
      message_release(message);
      TRY_RETURN(status);
    }
    TRY_RETURN(actor_step(stage->actor, &progress));
    for (Message *message; (message = own->ops->receive(own));) {
      Status status = stage_take(stage, message, &ended);
      message_release(message);
      TRY_RETURN(status);
    }
  }
  return OK;
}

/* Decisions a second, learned from or not. All ranks act; their rates are added up. */
static Status act_with(Bench *bench, size_t opponents, double *out_median) {
  Status status = OK;
  Stage stage;
  double rate[64];
  char what[96], by[112];
  size_t count = bench->repeats < 64 ? (size_t)bench->repeats : 64;
  TRY_RETURN(stage_open(bench, opponents, &stage));
  for (int i = 0; i < 3; i++)
    TRY(stage_tick(&stage)); /* first policies are fetched, caches fill */
  for (size_t i = 0; i < count; i++) {
    stage.frozen = 0;
    stage.frames = 0;
    int64_t start = clock_now(&bench->clock);
    while (bench_seconds(bench, start) < bench->seconds)
      TRY(stage_tick(&stage));
    rate[i] = (double)(stage.frames + stage.frozen) / bench_seconds(bench, start);
    TRY(bench_total(bench, &rate[i]));
  }
  int ranks = bench->transport ? bench->transport->size : 1;
  double flops = graph_flops_forward(&stage.net->graph);
  double bound = ranks * bench_fma_peak(bench) / flops;
  if (opponents)
    snprintf(what, sizeof what, "%zu frozen opponent%s, %lld slots in %lld lanes, cache of %lld",
             opponents, opponents == 1 ? "" : "s", (long long)stage.settings->actors.slots,
             (long long)stage.settings->actors.lanes, (long long)stage.settings->actors.cache);
  else
    snprintf(what, sizeof what, "self-play, %s, %lld slots, chunks of %lld, %d rank%s",
             stage.settings->table->name, (long long)stage.settings->actors.slots,
             (long long)stage.settings->actors.chunk, ranks, ranks == 1 ? "" : "s");
  snprintf(by, sizeof by, "%.1f kFLOP a decision at the FMA peak%s", flops * 1e-3,
           ranks == 1 ? "" : " of each rank");
  TRY(bench_add(bench, "act", what, "decisions/s", rate, count, bound, by));
  *out_median = rate[count / 2];
done:
  stage_close(&stage);
  return status;
}

/* Self-play, one frozen opponent, a thousand: many policies make small batches. */
Status bench_act(Bench *bench) {
  double one, many, ratio;
  TRY_RETURN(act_with(bench, 0, &one));
  TRY_RETURN(act_with(bench, 1, &one));
  TRY_RETURN(act_with(bench, 1000, &many));
  ratio = 100 * many / one;
  return bench_add(bench, "act", "1,000 opponents, share of the rate with one", "%", &ratio, 1, 0,
                   NULL);
}

/* --- learning --- */
/* A batch is one tick of real experience; every update starts from the same batch. */
Status bench_learn(Bench *bench) {
  Status status = OK;
  Stage stage;
  Batch batch = {0};
  TrainState pupil = {0};
  Update *update = NULL;
  Algo *algo = NULL;
  double rate[64], shares[6] = {0};
  char what[96], by[112];
  size_t count = bench->repeats < 64 ? (size_t)bench->repeats : 64;
  TRY_RETURN(stage_open(bench, 0, &stage));
  const JobConfig *s = stage.settings;
  RowFormat format = job_config_format(s, stage.net);
  TRY(batch_create(&format, &batch));
  TRY(stage_tick(&stage));
  stage.keep = &batch;
  TRY(stage_tick(&stage));
  TRY(job_config_algo(s, stage.net, &algo));
  const TrainShape shape = {.algo = algo, .seed = 1};
  TRY(train_state_create(&shape, 0, &pupil));
  AlgoPlan plan = algo_plan(s->algo, s->algo_config);
  UpdateTimes before = {0};
  TRY(update_create(&(UpdateSetup){.algo = algo, .config = &s->learner, .seed = 1}, &update));
  for (size_t i = 0; i <= count; i++) {
    uint64_t frames = 0;
    bool more = true, progress;
    int64_t start = clock_now(&bench->clock);
    do {
      TRY(update_begin(update, &pupil, &batch, NULL, NULL));
      for (more = true; more;)
        TRY(update_step(update, &more, &progress));
      frames += batch_learned(&batch);
    } while (bench_seconds(bench, start) < bench->seconds && i > 0); /* the first warms up */
    if (i > 0) rate[i - 1] = (double)frames / bench_seconds(bench, start);
    if (i == 0) before = *update_times(update);
  }
  double flops = algo_cost(algo);
  snprintf(what, sizeof what, "%s, %zu frames, %zu epochs of %zu minibatches", s->algo->name,
           batch_learned(&batch), plan.epochs, plan.minibatches);
  snprintf(by, sizeof by, "%.2f MFLOP a frame at the FMA peak", flops * 1e-6);
  TRY(bench_add(bench, "learn", what, "frames/s", rate, count, bench_fma_peak(bench) / flops, by));
  const UpdateTimes *t = update_times(update);
  const int64_t part[5] = {t->batch - before.batch, t->forward - before.forward,
                           t->loss - before.loss, t->backward - before.backward,
                           t->optimise - before.optimise};
  double all = 0;
  for (int i = 0; i < 5; i++)
    all += (double)part[i];
  for (int i = 0; i < 5; i++)
    shares[i] = 100 * (double)part[i] / all;
  if (bench->screen)
    fprintf(bench->screen,
            "%-10s %% of time: batch %.1f, forward %.1f, loss %.1f, backward %.1f, optimise %.1f\n",
            "", shares[0], shares[1], shares[2], shares[3], shares[4]);
done:
  update_destroy(update);
  train_state_destroy(&pupil);
  algo_destroy(algo);
  batch_destroy(&batch);
  stage_close(&stage);
  return status;
}

/* What is learned from instead of the env's rewards: differences by hand and by copies that the test steps itself,
 * mixtures by hand, shaping by exact calculation over a small tree; and that returns stay the env's own. */
#include "check.h"

#include "actors/recorder.h"
#include "learner/gather.h"
#include "play/rewards.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STAY, NORTH, SOUTH, WEST, EAST };
enum { MOST = 8, BOTH = AGON_ACTS | AGON_ALIVE };

static Env *make_env(const char *name, const char *const *pairs, size_t count) {
  Env *env;
  CHECK_OK(env_create_from(name, pairs, count, &env));
  return env;
}

static Rewards *make(const Env *env, RewardsConfig config) {
  Rewards *rewards;
  CHECK_OK(rewards_check(env, &config));
  CHECK_OK(rewards_create(env, &config, &rewards));
  return rewards;
}

/* --- differences by hand --- */

/* Three goals on the diagonal of 5 x 5, three agents. A slot around the episode, and the step that is made in it. */
typedef struct Scene {
  Env *env;
  PlaySlot slot;
  bool record[1];
  double earned[MOST];
} Scene;

static void open_scene(Scene *scene, const char *cost) {
  const char *pairs[] = {"agents=3", "size=5", "goals=fixed", cost};
  float none[MOST] = {0};
  *scene = (Scene){.env = make_env("goal_cells", pairs, 4), .record = {true}};
  scene->slot.state = calloc(1, scene->env->spec.episode_size);
  scene->slot.record = scene->record;
  scene->slot.env_rng = rng_stream(1, 2, 3, RNG_TEST);
  env_reset(scene->env, scene->slot.state, &scene->slot.env_rng, none);
}

static void close_scene(Scene *scene) {
  free(scene->slot.state);
  env_destroy(scene->env);
}

/* One agent walks to a cell, as near as `short_of`. */
static void walk(Scene *scene, uint32_t agent, int row, int column, int short_of) {
  for (int steps = 0; steps < 40; steps++) {
    float at[3], none[MOST] = {0};
    AgonAction action[MOST] = {{STAY}};
    scene->env->table->position(scene->env->params, scene->slot.state, agent, at);
    const int down = row - (int)at[1], right = column - (int)at[0];
    if (abs(down) + abs(right) <= short_of) return;
    action[agent].choice = down > 0 ? SOUTH : down < 0 ? NORTH : right > 0 ? EAST : WEST;
    env_step(scene->env, scene->slot.state, action, &scene->slot.env_rng, none);
  }
  fail_msg("agent %u does not get there", agent);
}

/* What each learns from a step with these choices, which is not made. */
static void expect(Scene *scene, int difference, const int choice[3], const double wanted[3]) {
  Rewards *rewards = make(scene->env, (RewardsConfig){.difference = difference});
  uint8_t flags[MOST];
  float others[MOST], gain[MOST] = {0};
  AgonAction action[MOST] = {{STAY}};
  void *copy = malloc(scene->env->spec.episode_size), *kept = malloc(scene->env->spec.episode_size);
  AgonRng rng = scene->slot.env_rng;
  for (int a = 0; a < 3; a++) action[a].choice = choice[a];
  memcpy(copy, scene->slot.state, scene->env->spec.episode_size);
  memcpy(kept, scene->slot.state, scene->env->spec.episode_size);
  env_flags_of(scene->env, scene->slot.state, flags);
  CHECK_OK(rewards_compare(rewards, &scene->slot, flags, action, others));
  assert_memory_equal(kept, scene->slot.state, scene->env->spec.episode_size); /* copies were stepped */
  assert_memory_equal(&rng, &scene->slot.env_rng, sizeof rng);
  env_step(scene->env, copy, action, &rng, gain);
  const float *learned = rewards_learned(rewards, &scene->slot, flags, others, gain);
  for (int a = 0; a < 3; a++)
    if (fabs((double)learned[a] - wanted[a]) > 0)
      fail_msg("agent %d learns from %g, not %g", a, (double)learned[a], wanted[a]);
  rewards_destroy(rewards);
  free(copy);
  free(kept);
}

/* A and B stand on goals, C is one step from the last one. */
static void differences_in_goal_cells(void **state) {
  (void)state;
  static const char *const cost[] = {"step_cost=0", "step_cost=0.5"}; /* paid in any case: in no difference */
  for (int i = 0; i < 2; i++) {
    Scene scene;
    open_scene(&scene, cost[i]);
    walk(&scene, 0, 0, 0, 0);
    walk(&scene, 1, 2, 2, 0);
    walk(&scene, 2, 4, 4, 1);
    float at[3];
    scene.env->table->position(scene.env->params, scene.slot.state, 2, at);
    const int on = (int)at[1] < 4 ? SOUTH : EAST;
    /* C arrives: had it done nothing, nobody would be paid; had it not been there, the others would */
    expect(&scene, DIFFERENCE_IDLE, (int[]){STAY, STAY, on}, (double[]){0, 0, 10});
    expect(&scene, DIFFERENCE_WITHOUT, (int[]){STAY, STAY, on}, (double[]){0, 0, 0});
    /* C stays: only without it would the others be paid */
    expect(&scene, DIFFERENCE_IDLE, (int[]){STAY, STAY, STAY}, (double[]){0, 0, 0});
    expect(&scene, DIFFERENCE_WITHOUT, (int[]){STAY, STAY, STAY}, (double[]){0, 0, -10});
    /* C arrives as A leaves */
    expect(&scene, DIFFERENCE_IDLE, (int[]){SOUTH, STAY, on}, (double[]){-10, 0, 0});
    expect(&scene, DIFFERENCE_WITHOUT, (int[]){SOUTH, STAY, on}, (double[]){-10, 0, 0});
    close_scene(&scene);
  }
}

/* --- differences by other means --- */

typedef struct Games {
  const Env *env;
  Policy policy;
  int difference;
  uint32_t episodes;
  void *before; /* the first slot's episode, as the step begins */
  AgonRng rng;
  uint8_t flags[64];
  AgonAction action[64];
  size_t compared, felt;
  double own[2], seen; /* returns: by the env's rewards; sum of what was learned */
} Games;

static bool on_begin(void *context, PlaySlot *slot) {
  Games *games = context;
  if (slot->episode == games->episodes) return false;
  for (uint32_t t = 0; t < games->env->spec.teams; t++) {
    slot->policy[t] = &games->policy;
    slot->record[t] = t == 0;
  }
  return true;
}
static void on_decided(void *context, PlaySlot *slot, const Decision *decision) {
  (void)context, (void)slot, (void)decision;
}

static void on_traced(void *context, PlaySlot *slot, TraceKind kind, const AgonAction *actions, uint32_t outcome) {
  Games *games = context;
  (void)outcome;
  if (kind != TRACE_STEP) return;
  memcpy(games->before, slot->state, games->env->spec.episode_size);
  memcpy(games->action, actions, games->env->spec.agents * games->env->layout.heads * sizeof *actions);
  games->rng = slot->env_rng;
  env_flags_of(games->env, slot->state, games->flags);
}

/* The team's reward of a step from the kept position, with agent `less` idle. Sum: the games tested say so. */
static double team_without(Games *games, uint32_t less) {
  const Env *env = games->env;
  void *copy = malloc(env->spec.episode_size);
  AgonAction action[64];
  AgonRng rng = games->rng;
  float gain[64] = {0};
  double sum = 0, count = 0;
  memcpy(copy, games->before, env->spec.episode_size);
  memcpy(action, games->action, env->spec.agents * env->layout.heads * sizeof *action);
  if (less != NO_AGENT) action[less] = *env_kind(env, less)->idle;
  env_step(env, copy, action, &rng, gain);
  for (uint32_t a = 0; a < env->spec.agents; a++)
    if (env->spec.team_of[a] == 0 && (env->spec.flags & AGON_RETURNS_ADD || games->flags[a] & AGON_ALIVE)) {
      sum += (double)gain[a];
      count++;
    }
  free(copy);
  return env->spec.flags & AGON_RETURNS_ADD ? sum : sum / count;
}

static void on_rewarded(void *context, PlaySlot *slot, const float *reward) {
  Games *games = context;
  (void)slot;
  for (uint32_t a = 0; a < games->env->spec.agents; a++) {
    games->seen += (double)reward[a];
    if (games->env->spec.team_of[a] != 0) continue;
    const double wanted =
        games->flags[a] & AGON_ACTS ? team_without(games, NO_AGENT) - team_without(games, a) : 0;
    CHECK_NEAR(reward[a], (float)wanted, 1e-6);
    games->compared++;
    games->felt += fabs(wanted) > 0;
  }
}

static void on_unseen(void *context, PlaySlot *slot, const float *reward) { (void)context, (void)slot, (void)reward; }

static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  Games *games = context;
  (void)how, (void)outcome;
  games->own[0] += slot->team_return[0];
}

/* Plays random episodes in one slot; `config` NULL: the env's own rewards. */
static void play(Games *games, const RewardsConfig *config, bool check) {
  Play *room;
  PlaySlot *slot;
  PlayHooks hooks = {games, on_begin, on_decided, on_rewarded, on_ended, on_traced, NULL, NULL};
  size_t live = 1;
  if (!check) hooks.rewarded = on_unseen;
  CHECK_OK(builtin_create("random", games->env, &games->policy.builtin));
  CHECK_OK(play_create(games->env, NULL, 77, 5, 0, &hooks, &room));
  if (config) CHECK_OK(play_learn_by(room, config));
  games->before = malloc(games->env->spec.episode_size);
  CHECK_OK(play_add_slot(room, 3, &slot));
  while (live) CHECK_OK(play_step(room, &live));
  play_destroy(room);
  policy_release(&games->policy);
  builtin_destroy(games->policy.builtin);
  free(games->before);
}

/* A game that steps many episodes at once, made of one that does not. */
static const Env *one_by_one;
static size_t most_at_once;

static void step_many(const void *params, size_t count, void *const *episodes, const AgonAction *actions,
                      const AgonRandom *random, float *reward, AgonStatus *status, AgonError *error) {
  const size_t agents = one_by_one->spec.agents, heads = one_by_one->layout.heads;
  most_at_once = count > most_at_once ? count : most_at_once;
  for (size_t i = 0; i < count; i++)
    status[i] = one_by_one->table->step(params, episodes[i], actions + i * agents * heads, &random[i],
                                        reward + i * agents, error);
}

/* In games of sums and of means, of one team and two: each difference is that of two steps which the test makes. Returns
 * are those of the same games without it. */
static void differences_are_those_of_two_steps(void **state) {
  (void)state;
  static const char *const forage[] = {"size=5", "players=3", "food=3", "max_food_level=1", "penalty=0.1"};
  static const char *const cells[] = {"size=4", "agents=2"};
  static const char *const fight[] = {"limit=40"};
  static const struct { const char *name; const char *const *pairs; size_t count; uint32_t episodes; } game[] = {
      {"foraging", forage, 5, 20}, {"goal_cells", cells, 2, 60}, {"skirmish", fight, 1, 6}};
  for (size_t i = 0; i < 2 * COUNT_OF(game); i++) {
    const bool together = i >= COUNT_OF(game);
    const size_t g = i % COUNT_OF(game);
    Env *env = make_env(game[g].name, game[g].pairs, game[g].count);
    AgonEnv with_many = *env->table;
    with_many.step_many = step_many;
    one_by_one = env;
    if (together) env->table = &with_many;
    const RewardsConfig idle = {.difference = DIFFERENCE_IDLE};
    CHECK_OK(rewards_check(env, &idle));
    Games with = {.env = env, .episodes = game[g].episodes}, plain = with;
    play(&with, &idle, true);
    play(&plain, NULL, false);
    if (with.felt < 10) fail_msg("%s: only %zu of %zu differences are not 0", game[g].name, with.felt, with.compared);
    CHECK_NEAR(with.own[0], plain.own[0], 0);
    if (together && most_at_once < 2) fail_msg("%s: copies are not stepped together", game[g].name);
    most_at_once = 0;
    env_destroy(env);
  }
}

/* --- mixtures --- */

static void expect_mixed(const Env *env, RewardsConfig config, double *earned, const float *reward, size_t count,
                         const double *wanted) {
  bool record[2] = {true, true};
  uint8_t flags[MOST] = {BOTH, BOTH, BOTH, BOTH};
  float others[MOST] = {0};
  PlaySlot slot = {.record = record, .earned = earned};
  Rewards *rewards = make(env, config);
  const float *learned = rewards_learned(rewards, &slot, flags, others, reward);
  for (size_t a = 0; a < count; a++) CHECK_NEAR(learned[a], wanted[a], 1e-6);
  rewards_destroy(rewards);
}

static void mixtures_by_hand(void **state) {
  (void)state;
  static const char *const three[] = {"agents=3"};
  Env *team = make_env("goal_cells", three, 1);
  Env *two = make_env("matrix_game", NULL, 0); /* two teams of one */
  double earned[MOST] = {0};
  expect_mixed(team, (RewardsConfig){.team = .25}, NULL, (float[]){8, 0, 4}, 3, (double[]){7, 1, 4});
  expect_mixed(team, (RewardsConfig){.team = 1}, NULL, (float[]){8, 0, 4}, 3, (double[]){4, 4, 4});
  expect_mixed(two, (RewardsConfig){.social = SOCIAL_SHARED}, NULL, (float[]){3, 1}, 2, (double[]){2, 2});
  expect_mixed(two, (RewardsConfig){.matrix = "[[1, 0.5], [-1, 2]]"}, NULL, (float[]){3, 1}, 2, (double[]){3.5, -1});
  /* e = 3, 1: the one who leads by 2 minds half of it, the other twice; then e = 1.5, 2.5 */
  const RewardsConfig minds = {.social = SOCIAL_INEQUITY, .alpha = 2, .beta = .5, .smoothing = .5};
  expect_mixed(two, minds, earned, (float[]){3, 1}, 2, (double[]){2, -3});
  expect_mixed(two, minds, earned, (float[]){0, 2}, 2, (double[]){-2, 1.5});
  /* among three: means over the two others */
  memset(earned, 0, sizeof earned);
  expect_mixed(team, (RewardsConfig){.social = SOCIAL_INEQUITY, .alpha = 1, .beta = 1}, earned, (float[]){4, 2, 0}, 3,
               (double[]){4 - 3, 2 - 2, 0 - 3});
  env_destroy(team);
  env_destroy(two);
}

/* Where nothing is asked for nothing is made. */
static void nothing_is_done_by_default(void **state) {
  (void)state;
  Env *env = make_env("goal_cells", NULL, 0);
  assert_null(make(env, (RewardsConfig){0}));
  assert_null(make(env, (RewardsConfig){.shaping = 1})); /* the learner's */
  env_destroy(env);
}

static void refusals_say_why(void **state) {
  (void)state;
  static const struct { const char *game; RewardsConfig config; const char *why; } case_of[] = {
      {"two_step", {.difference = DIFFERENCE_IDLE}, "two_step names none"},
      {"foraging", {.difference = DIFFERENCE_WITHOUT}, "foraging has no `remove`"},
      {"foraging", {.shaping = 1}, "foraging declares none"},
      {"goal_cells", {.matrix = "1"}, "between teams, and goal_cells has one"},
      {"matrix_game", {.matrix = "[[1,2],[3]]"}, "a row for each of the 2 teams"},
      {"matrix_game", {.matrix = "[[1,2],[3,4,5]]"}, "a row for each of the 2 teams"},
      {"matrix_game", {.matrix = "[[1,2],[3,x]]"}, "a row for each of the 2 teams"},
      {"matrix_game", {.matrix = "[[1,2],[3,4]]", .social = SOCIAL_SHARED}, "leave one out"},
      {"goal_cells", {.difference = DIFFERENCE_IDLE, .social = SOCIAL_SHARED}, "goes with neither"},
  };
  for (size_t i = 0; i < COUNT_OF(case_of); i++) {
    Env *env = make_env(case_of[i].game, NULL, 0);
    assert_int_equal(rewards_check(env, &case_of[i].config), ERR_USAGE);
    if (!strstr(status_message(), case_of[i].why)) fail_msg("case %zu: %s", i, status_message());
    env_destroy(env);
  }
}

/* --- shaping --- */

static RowFormat shaped_format(const Env *env) {
  return (RowFormat){.observation_bytes = env->observation_bytes,
                     .choices = env->action_count,
                     .heads = 1,
                     .head_size = env->layout.head_size,
                     .cells = env->spec.agents,
                     .potential = true};
}

static const TrainState learner = {.version = 4};

/* Shapes what is in a batch of unrolls of player 0, as it does when they arrive. The result is borrowed. */
static Batch *shape(Gather *gather, const Batch *batch) {
  Bytes bytes = {0};
  batch_encode(batch, &bytes);
  const WireUnrolls unrolls = {.batch = bytes.data, .size = bytes.size};
  gather_begin(gather, &learner);
  CHECK_OK(gather_add(gather, &unrolls));
  bytes_free(&bytes);
  return gather_batch(gather);
}

static void add_row(Batch *batch, const float *reward, const float *phi) {
  const void *const value[COLUMNS] = {[COLUMN_REWARD] = reward, [COLUMN_POTENTIAL] = phi};
  CHECK_OK(batch_add_row(batch, value));
}

/* An episode cut into three unrolls, as ticks cut it. With gamma = 1/2 and potentials in eighths floats are exact. */
static void shaping_telescopes(void **state) {
  (void)state;
  enum { STEPS = 12 };
  static const double gamma = .5, weight = 3;
  Env *env = make_env("goal_cells", (const char *[]){"agents=2"}, 1);
  const RowFormat format = shaped_format(env);
  for (int end = END_OPEN; end <= END_TRUNCATED; end++) {
    const void *const none[COLUMNS] = {NULL};
    float phi[STEPS + 1][2];
    Batch batch;
    Gather *gather;
    CHECK_OK(batch_create(&format, &batch));
    CHECK_OK(gather_create(&format, PACE_LOCKSTEP, 3, &gather));
    gather_shape(gather, gamma, weight);
    for (int t = 0; t <= STEPS; t++)
      for (int c = 0; c < 2; c++) phi[t][c] = (float)((t * 7 + c * 5) % 16 - 9) / 8;
    for (int first = 0; first < STEPS; first += 4) {
      const bool last = first + 4 == STEPS;
      const Unroll unroll = {.rows = 4, .end = (uint8_t)(last ? end : END_OPEN), .first = (uint32_t)batch.rows};
      CHECK_OK(batch_add_unroll(&batch, &unroll, none));
      for (int t = first; t < first + (int)unroll_span(&unroll); t++) add_row(&batch, (float[]){0, 0}, phi[t]);
    }
    const Unroll next = {.rows = 1, .end = END_OPEN, .first = (uint32_t)batch.rows}; /* of another episode */
    CHECK_OK(batch_add_unroll(&batch, &next, none));
    for (int t = 0; t < 2; t++) add_row(&batch, (float[]){0, 0}, (float[]){5, 5});
    const Batch *shaped = shape(gather, &batch);
    for (int c = 0; c < 2; c++) {
      double sum = 0;
      for (int t = 0; t < STEPS; t++) {
        const Unroll *unroll = &shaped->unroll[t / 4];
        sum += pow(gamma, t) * (double)shaped->reward[(unroll->first + (uint32_t)t % 4) * 2 + (uint32_t)c];
      }
      const double behind = end == END_TERMINATED ? 0 : (double)phi[STEPS][c];
      CHECK_NEAR(sum, weight * (pow(gamma, STEPS) * behind - (double)phi[0][c]), 1e-9);
    }
    batch_destroy(&batch);
    gather_destroy(gather);
  }
  env_destroy(env);
}

/* A tree of joint actions: best value from here, in `depth` steps, unshaped and shaped; at the cut the unshaped value is 0,
 * and the shaped one, as everywhere, less the potential. *best: the joint actions that are best, as a set. */
typedef struct Tree {
  const Env *env;
  const RowFormat *format;
  Gather *gather;
  size_t edges, ties;
} Tree;

enum { JOINT = 25 };
static const double tree_gamma = .5;

static double team_potential(const Env *env, const void *episode) {
  float phi[MOST];
  double sum = 0;
  env->table->potential(env->params, episode, phi);
  for (uint32_t a = 0; a < env->spec.agents; a++) sum += (double)phi[a];
  return sum;
}

/* What the step's row gives to the team, in sum, once it has gone through the learner's shaping. */
static double shaped_reward(Tree *tree, const void *before, const void *after, AgonStatus how, const float *gain) {
  const void *const none[COLUMNS] = {NULL};
  const Unroll unroll = {.rows = 1, .end = how == AGON_TERMINATED ? END_TERMINATED : END_OPEN};
  float now[MOST], next[MOST];
  Batch batch;
  CHECK_OK(batch_create(tree->format, &batch));
  CHECK_OK(batch_add_unroll(&batch, &unroll, none));
  tree->env->table->potential(tree->env->params, before, now);
  tree->env->table->potential(tree->env->params, after, next);
  add_row(&batch, gain, now);
  if (how != AGON_TERMINATED) add_row(&batch, (float[MOST]){0}, next);
  const Batch *shaped = shape(tree->gather, &batch);
  const double sum = (double)shaped->reward[0] + (double)shaped->reward[1];
  batch_destroy(&batch);
  return sum;
}

static double walk_tree(Tree *tree, const void *episode, int depth, double *shaped) {
  const Env *env = tree->env;
  double plain[JOINT], with[JOINT], best = -1e9, best_with = -1e9;
  if (depth == 0) {
    *shaped = -team_potential(env, episode);
    return 0;
  }
  for (int joint = 0; joint < JOINT; joint++) {
    AgonAction action[2] = {{joint / 5}, {joint % 5}};
    AgonRng rng = {0};
    float gain[MOST] = {0};
    void *after = malloc(env->spec.episode_size);
    double behind = 0, behind_with = 0;
    memcpy(after, episode, env->spec.episode_size);
    const AgonStatus how = env_step(env, after, action, &rng, gain);
    assert_true(how == AGON_RUNNING || how == AGON_TERMINATED);
    if (how == AGON_RUNNING) behind = walk_tree(tree, after, depth - 1, &behind_with);
    plain[joint] = (double)gain[0] + (double)gain[1] + tree_gamma * behind;
    with[joint] = shaped_reward(tree, episode, after, how, gain) + tree_gamma * behind_with;
    best = plain[joint] > best ? plain[joint] : best;
    best_with = with[joint] > best_with ? with[joint] : best_with;
    tree->edges++;
    free(after);
  }
  const double phi = team_potential(env, episode);
  for (int joint = 0; joint < JOINT; joint++) {
    CHECK_NEAR(with[joint], plain[joint] - phi, 1e-9);
    assert_int_equal(plain[joint] > best - 1e-9, with[joint] > best_with - 1e-9);
    tree->ties += plain[joint] > best - 1e-9;
  }
  *shaped = best_with;
  return best;
}

/* All joint policies of two agents for three steps, from several boards: the same joint actions are best, in every
 * position, and Q with shaping is Q less the potential (Ng, Harada and Russell 1999; Wiewiora 2003). */
static void shaping_keeps_what_is_best(void **state) {
  (void)state;
  Env *env = make_env("goal_cells", (const char *[]){"agents=2", "size=4", "step_cost=0.25"}, 3);
  const RowFormat format = shaped_format(env);
  Tree tree = {.env = env, .format = &format};
  AgonRng rng = rng_stream(4, 5, 6, RNG_TEST);
  void *episode = malloc(env->spec.episode_size);
  int found = 0;
  CHECK_OK(gather_create(&format, PACE_LOCKSTEP, 3, &tree.gather));
  gather_shape(tree.gather, tree_gamma, 1);
  for (int board = 0; board < 3; board++) {
    float none[MOST] = {0};
    double shaped;
    env_reset(env, episode, &rng, none);
    found += walk_tree(&tree, episode, 3, &shaped) > 0;
  }
  assert_true(found > 0 && tree.edges > 30000); /* some board is solved within the tree */
  assert_true(tree.ties < tree.edges);          /* and not all actions are as good */
  gather_destroy(tree.gather);
  free(episode);
  env_destroy(env);
}

/* --- the column --- */

/* What the recorder writes beside each decision, of agents and of teams, and behind the last one. */
typedef struct Tape {
  const Env *env;
  const Net *net;
  Policy policy;
  Recorder *recorder;
  Batch batch;
  uint32_t episodes;
  float phi[64][64][MOST]; /* (episode, step, agent) as the game was there */
} Tape;

static bool tape_begin(void *context, PlaySlot *slot) {
  Tape *tape = context;
  if (slot->episode == tape->episodes) return false;
  slot->policy[0] = &tape->policy;
  slot->record[0] = true;
  return true;
}
static void note(Tape *tape, const PlaySlot *slot) {
  tape->env->table->potential(tape->env->params, slot->state, tape->phi[slot->episode][slot->steps]);
}
static void tape_decided(void *context, PlaySlot *slot, const Decision *decision) {
  note(context, slot);
  recorder_decided(((Tape *)context)->recorder, 0, slot, decision);
}
static void tape_stepped(void *context, PlaySlot *slot, const uint8_t *flags) {
  recorder_stepped(((Tape *)context)->recorder, 0, slot, flags);
}
static void tape_rewarded(void *context, PlaySlot *slot, const float *reward) {
  (void)slot;
  recorder_rewarded(((Tape *)context)->recorder, 0, reward);
}
static void tape_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  (void)outcome;
  note(context, slot);
  recorder_ended(((Tape *)context)->recorder, 0, slot, how);
}
static Batch *tape_batch(void *context, uint32_t player) {
  (void)player;
  return &((Tape *)context)->batch;
}
static Status tape_values(void *context, uint32_t player, size_t count, const void *observations,
                          const uint32_t *agents, const float *states, float *out) {
  (void)context, (void)player, (void)observations, (void)agents, (void)states;
  for (size_t i = 0; i < count; i++) out[i] = 0;
  return OK;
}

static void the_column_is_the_games_potential(void **state) {
  (void)state;
  static const NetConfig config = {.hidden = {.count = 1, .item = {8}}, .init_gain = 1};
  Env *env = make_env("goal_cells", (const char *[]){"agents=3", "size=4", "limit=11"}, 3);
  for (int teams = 0; teams < 2; teams++) {
    Tape *tape = calloc(1, sizeof *tape);
    uint32_t agent_of[9];
    Net *net;
    Play *room;
    PlaySlot *slot;
    size_t live = 1;
    RowFormat format = shaped_format(env);
    team_cells(&env->spec, agent_of);
    format.cells = teams ? 3 : 1;
    format.flags = teams;
    format.agents = teams ? 3 : 0;
    format.agent_of = teams ? agent_of : NULL;
    *tape = (Tape){.env = env, .episodes = 9};
    CHECK_OK(net_create(&config, &env->layout, &env->spec, &net));
    float *block = calloc(net->block, sizeof *block);
    net_init(net, 1, 0, block);
    tape->policy.block = block;
    const PlayHooks hooks = {tape, tape_begin, tape_decided, tape_rewarded, tape_ended, NULL, tape_stepped, NULL};
    CHECK_OK(play_create(env, net, 8, 5, 0, &hooks, &room));
    CHECK_OK(recorder_create(env, &format, &tape->recorder));
    CHECK_OK(recorder_add_slot(tape->recorder));
    CHECK_OK(batch_create(&format, &tape->batch));
    CHECK_OK(play_add_slot(room, 0, &slot));
    for (int step = 1; live; step++) {
      CHECK_OK(play_step(room, &live));
      if (step % 4) continue; /* a tick */
      for (uint32_t a = 0; slot->live && a < 3; a++) recorder_closed(tape->recorder, 0, slot, a);
      CHECK_OK(recorder_collect(tape->recorder, &(RecorderHooks){tape, tape_batch, tape_values}));
    }
    CHECK_OK(recorder_collect(tape->recorder, &(RecorderHooks){tape, tape_batch, tape_values}));
    size_t rows = 0, closing = 0;
    for (size_t u = 0; u < tape->batch.unrolls; u++) {
      const Unroll *unroll = &tape->batch.unroll[u];
      for (size_t r = 0; r < unroll_span(unroll); r++)
        for (size_t c = 0; c < format.cells; c++) {
          const size_t agent = teams ? c : unroll->agent;
          CHECK_NEAR(tape->batch.potential[(unroll->first + r) * format.cells + c],
                     tape->phi[unroll->episode][unroll->step + r][agent], 0);
          rows++;
        }
      closing += unroll->end != END_TERMINATED;
    }
    assert_true(rows > 100 && closing > 10);
    policy_release(&tape->policy);
    play_destroy(room);
    recorder_destroy(tape->recorder);
    batch_destroy(&tape->batch);
    net_destroy(net);
    free(block);
    free(tape);
  }
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(differences_in_goal_cells),
      cmocka_unit_test(differences_are_those_of_two_steps),
      cmocka_unit_test(mixtures_by_hand),
      cmocka_unit_test(nothing_is_done_by_default),
      cmocka_unit_test(refusals_say_why),
      cmocka_unit_test(shaping_telescopes),
      cmocka_unit_test(shaping_keeps_what_is_best),
      cmocka_unit_test(the_column_is_the_games_potential),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

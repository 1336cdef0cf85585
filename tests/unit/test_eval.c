/* Exact walks against published values, and matches. */
#include "check.h"

#include "eval/eval.h"
#include "eval/exhibit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Env *make_env(const char *name) {
  Env *env;
  CHECK_OK(env_create_from(name, NULL, 0, &env));
  return env;
}

/* A policy written as a function, in the shape of a built-in. */
static void (*written)(const void *episode, uint32_t agent, float *out);
static void probabilities(BuiltinPolicy *self, const void *episode, uint32_t agent, const uint8_t *mask, float *out) {
  (void)self, (void)mask;
  written(episode, agent, out);
}
static void free_policy(BuiltinPolicy *self) { free(self); }
static const BuiltinOps written_ops = {.name = "written", .probabilities = probabilities, .destroy = free_policy};

static ExactResult exploit(Env *env, void (*policy)(const void *, uint32_t, float *), TreeCounts *counts) {
  GameTree *tree;
  ExactResult result;
  Contestant who = {.net = NULL};
  BuiltinPolicy *builtin = calloc(1, sizeof *builtin);
  builtin->ops = &written_ops;
  builtin->env = env;
  who.policy.builtin = builtin;
  written = policy;
  Contestant *member = &who;
  const double one = 1;
  Mixture mixture = {&member, &one, 1};
  CHECK_OK(tree_build(env, 1000000, &tree));
  CHECK_OK(tree_exploit(tree, &mixture, &result));
  if (counts) *counts = tree_counts(tree);
  tree_destroy(tree);
  contestant_destroy(&who);
  return result;
}

static void uniform(const void *episode, uint32_t agent, float *out) {
  (void)episode, (void)agent;
  out[0] = out[1] = .5f;
}

static void always_pass(const void *episode, uint32_t agent, float *out) {
  (void)episode, (void)agent;
  out[0] = 1;
  out[1] = 0;
}

/* Kuhn's equilibrium family, alpha = 0.2; reads the observation rather than the episode. */
static Env *kuhn;
static void equilibrium(const void *episode, uint32_t agent, float *out) {
  const double alpha = .2;
  uint8_t row[11];
  kuhn->table->observe(kuhn->params, episode, agent, row);
  int card = row[2] ? 0 : row[3] ? 1 : 2;
  bool opened = row[5] || row[6], bet_first = row[6], second = row[7] || row[8];
  double bet;
  if (!opened)
    bet = card == 0 ? alpha : card == 1 ? 0 : 3 * alpha;
  else if (!second && bet_first)
    bet = card == 0 ? 0 : card == 1 ? 1. / 3 : 1;
  else if (!second)
    bet = card == 0 ? 1. / 3 : card == 1 ? 0 : 1;
  else
    bet = card == 0 ? 0 : card == 1 ? alpha + 1. / 3 : 1;
  out[0] = (float)(1 - bet);
  out[1] = (float)bet;
}

/* Values of OpenSpiel's tests. */
static void kuhn_poker_values(void **state) {
  (void)state;
  TreeCounts counts;
  kuhn = make_env("kuhn_poker");
  ExactResult even = exploit(kuhn, uniform, &counts), passing = exploit(kuhn, always_pass, NULL),
              best = exploit(kuhn, equilibrium, NULL);
  CHECK_NEAR(even.nash_conv, 11. / 12, 1e-6);
  CHECK_NEAR(even.best_response[0], .5, 1e-6);
  CHECK_NEAR(even.best_response[1], 5. / 12, 1e-6);
  CHECK_NEAR(passing.nash_conv, 2, 1e-6);
  CHECK_NEAR(best.nash_conv, 0, 1e-6);
  CHECK_NEAR(best.value[0], -1. / 18, 1e-6);
  assert_int_equal(counts.histories - counts.chance, 54);
  assert_int_equal(counts.information_sets[0] + counts.information_sets[1], 12);
  env_destroy(kuhn);
}

/* In double precision: what single precision would leave is a thousand times more. */
static void walks_are_exact(void **state) {
  (void)state;
  kuhn = make_env("kuhn_poker");
  CHECK_NEAR(exploit(kuhn, uniform, NULL).nash_conv, 11. / 12, 1e-14);
  CHECK_NEAR(exploit(kuhn, equilibrium, NULL).nash_conv, 0, 1e-7); /* its probabilities are floats */
  env_destroy(kuhn);
  static const char *const option = "payoff=[[0.1, -0.3, 0.2], [0.7, 0.1, -0.9], [-0.2, 0.3, 0.4]]";
  Env *env;
  GameTree *tree;
  Contestant random;
  ExactMatch match;
  CHECK_OK(env_create_from("matrix_game", &option, 1, &env));
  CHECK_OK(contestant_builtin("random", env, &random));
  CHECK_OK(tree_build(env, 1000, &tree));
  for (int seat = 0; seat < 2; seat++) {
    CHECK_OK(tree_match(tree, &random, &random, seat, &match));
    CHECK_NEAR(match.win + match.draw + match.loss, 1, 1e-15);
    CHECK_NEAR(match.win, seat ? 3. / 9 : 6. / 9, 1e-15);
  }
  tree_destroy(tree);
  contestant_destroy(&random);
  env_destroy(env);
}

static void leduc_poker_values(void **state) {
  (void)state;
  Env *env = make_env("leduc_poker");
  GameTree *tree;
  Contestant random;
  ExactResult result;
  CHECK_OK(contestant_builtin("random", env, &random));
  CHECK_OK(tree_build(env, 1000000, &tree));
  Contestant *member = &random;
  const double one = 1;
  CHECK_OK(tree_exploit(tree, &(Mixture){&member, &one, 1}, &result));
  CHECK_NEAR(result.nash_conv, 4.747222, 1e-5); /* OpenSpiel's exploitability test: 2.373611 per player */
  assert_int_equal(tree_counts(tree).information_sets[0] + tree_counts(tree).information_sets[1], 936);
  tree_destroy(tree);
  contestant_destroy(&random);
  env_destroy(env);
}

/* Best responses against brute force: all 64 pure strategies of a seat in Kuhn poker, against mixed play. */
static int brute_seat;
static unsigned brute_code;
static void pure_or_mixed(const void *episode, uint32_t agent, float *out) {
  uint8_t row[11];
  int card = 0, moves = 0;
  kuhn->table->observe(kuhn->params, episode, agent, row);
  while (!row[2 + card]) card++;
  for (int m = 0; m < 6; m++) moves += row[5 + m];
  /* a seat decides with three cards at two moments; the last move of the other tells them apart */
  int moment = agent == 0 ? moves > 0 : row[6] != 0, set = 2 * card + moment;
  float bet = (float)(1 + (set * 7 + (int)agent * 3) % 9) / 10.0f;
  if ((int)agent == brute_seat) bet = brute_code >> set & 1 ? 1.0f : 0.0f;
  out[0] = 1 - bet;
  out[1] = bet;
}

static void best_responses_by_brute_force(void **state) {
  (void)state;
  kuhn = make_env("kuhn_poker");
  brute_seat = -1;
  ExactResult mixed = exploit(kuhn, pure_or_mixed, NULL);
  for (brute_seat = 0; brute_seat < 2; brute_seat++) {
    double best = -10;
    for (brute_code = 0; brute_code < 64; brute_code++)
      best = fmax(best, exploit(kuhn, pure_or_mixed, NULL).value[brute_seat]);
    CHECK_NEAR(mixed.best_response[brute_seat], best, 1e-6);
  }
  CHECK_NEAR(mixed.nash_conv, mixed.best_response[0] + mixed.best_response[1], 1e-6);
  env_destroy(kuhn);
}

/* A mixture is drawn per episode: thirds of the pure strategies are the equilibrium of rock-paper-scissors; the seats'
 * simultaneous moves must not see each other. */
static int32_t pure_choice[3] = {0, 1, 2};
static void pure_probabilities(BuiltinPolicy *self, const void *episode, uint32_t agent, const uint8_t *mask,
                               float *out) {
  (void)episode, (void)agent, (void)mask;
  for (int i = 0; i < 3; i++) out[i] = 0;
  out[*(const int32_t *)(const void *)self->env] = 1;
}
static const BuiltinOps pure_ops = {.name = "pure", .probabilities = pure_probabilities, .destroy = free_policy};

static void mixtures_are_drawn_per_episode(void **state) {
  (void)state;
  Env *env = make_env("matrix_game");
  GameTree *tree;
  ExactResult result;
  Contestant who[3] = {{.net = NULL}};
  Contestant *member[3];
  const double third[3] = {1. / 3, 1. / 3, 1. / 3};
  for (int i = 0; i < 3; i++) {
    BuiltinPolicy *builtin = calloc(1, sizeof *builtin);
    builtin->ops = &pure_ops;
    builtin->env = (const Env *)(const void *)&pure_choice[i];
    who[i].policy.builtin = builtin;
    member[i] = &who[i];
  }
  CHECK_OK(tree_build(env, 1000, &tree));
  CHECK_OK(tree_exploit(tree, &(Mixture){member, third, 3}, &result));
  CHECK_NEAR(result.nash_conv, 0, 1e-6);
  CHECK_OK(tree_exploit(tree, &(Mixture){member, third, 1}, &result)); /* rock alone loses to paper */
  CHECK_NEAR(result.nash_conv, 2, 1e-6);
  tree_destroy(tree);
  for (int i = 0; i < 3; i++) contestant_destroy(&who[i]);
  env_destroy(env);
}

/* Exact values of play that keeps the value, and of its matches by sampling. */
static void tic_tac_toe_minimax(void **state) {
  (void)state;
  Env *env = make_env("tic_tac_toe");
  GameTree *tree;
  Contestant minimax, random;
  ExactMatch seat[2];
  MatchTally result;
  const Tally *score = result.seat;
  CHECK_OK(contestant_builtin("minimax", env, &minimax));
  CHECK_OK(contestant_builtin("random", env, &random));
  CHECK_OK(tree_build(env, 1000000, &tree));
  assert_int_equal(tree_counts(tree).histories, 549946);
  for (int s = 0; s < 2; s++) {
    CHECK_OK(tree_match(tree, &minimax, &random, s, &seat[s]));
    CHECK_NEAR(seat[s].loss, 0, 1e-12);
  }
  CHECK_NEAR((seat[0].win + seat[1].win) / 2, .8726, 1e-4);
  CHECK_OK(eval_match(env, &minimax, &random, &(MatchPlan){.seed = 3, .pairs = 2000}, &result));
  for (int s = 0; s < 2; s++) {
    CHECK_NEAR(score[s].games, 2000, 0);
    CHECK_NEAR(score[s].losses, 0, 0);
    CHECK_NEAR(score[s].wins / 2000, seat[s].win, .03);
  }
  CHECK_OK(eval_match(env, &minimax, &minimax, &(MatchPlan){.seed = 3, .pairs = 50}, &result));
  CHECK_NEAR(score[0].draws + score[1].draws, 100, 0);
  tree_destroy(tree);
  contestant_destroy(&minimax);
  contestant_destroy(&random);
  env_destroy(env);
}

/* The idle action of each agent's own kind; no player where a kind has none. */
static void noop_does_nothing(void **state) {
  (void)state;
  Env *env = make_env("simple_speaker_listener");
  Contestant who;
  AgonAction action[2] = {{7}, {7}};
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  CHECK_OK(contestant_builtin("noop", env, &who));
  BuiltinPolicy *noop = who.policy.builtin;
  for (uint32_t a = 0; a < 2; a++) {
    noop->ops->act(noop, NULL, a, NULL, &rng, &action[a]);
    assert_int_equal(action[a].choice, env_kind(env, a)->idle->choice);
    assert_int_equal(action[a].choice, 0);
  }
  contestant_destroy(&who);
  env_destroy(env);
  env = make_env("tic_tac_toe");
  assert_int_equal(contestant_builtin("noop", env, &who), ERR_USAGE);
  assert_non_null(strstr(status_message(), "noop"));
  env_destroy(env);
}

static void walks_refuse_what_they_cannot(void **state) {
  (void)state;
  Env *env = make_env("skirmish");
  GameTree *tree;
  Contestant who;
  assert_int_equal(tree_build(env, 1000, &tree), ERR_USAGE);
  assert_int_equal(contestant_builtin("minimax", env, &who), ERR_USAGE);
  env_destroy(env);
  env = make_env("connect_four");
  assert_int_equal(tree_build(env, 100000, &tree), ERR_USAGE);
  env_destroy(env);
}

/* The positions of an episode, one behind another. */
typedef struct Shown {
  uint8_t state[16][256];
  uint32_t count;
} Shown;

static Status on_shown(void *context, const Position *position, uint32_t step) {
  Shown *shown = context;
  const size_t size = position->env->spec.episode_size;
  assert_true(step == shown->count && step < 16 && size <= sizeof shown->state[0]);
  memcpy(shown->state[shown->count++], position->episode, size);
  return OK;
}

/* The player's memory moves on, but nobody tells it what is done. */
static Status show_nothing_done(void *agent, const Position *position) {
  const AgentView view = position_view(position);
  return agent_follow(agent, &view);
}

/* A game of a player against itself, word by word. */
static void play_alone(const Env *env, Contestant *who, Status (*stepping)(void *, const Position *), Shown *shown) {
  Position position;
  Agent agent;
  CHECK_OK(agent_create(who, env, env->spec.agents, &agent));
  CHECK_OK(position_create(env, &position));
  position.stepping = stepping;
  position.context = &agent;
  CHECK_OK(position_reset(&position, rng_stream(1, 0, 0, RNG_TEST)));
  CHECK_OK(on_shown(shown, &position, 0));
  while (position.status == AGON_RUNNING) {
    const AgentView view = position_view(&position);
    const Thought *thought;
    size_t count;
    char word[ACTION_WORD];
    CHECK_OK(agent_look(&agent, &view, &thought, &count));
    assert_int_equal(count, 1);
    CHECK_OK(position_play(&position, action_word(env, thought->best, word)));
    CHECK_OK(on_shown(shown, &position, shown->count));
  }
  position_destroy(&position);
  agent_destroy(&agent);
}

/* Who is told what it did last plays before those who look on as it plays by itself; not being told it would play
 * otherwise. */
static void exhibits_tell_what_was_done_last(void **state) {
  (void)state;
  Env *env = make_env("tic_tac_toe");
  size_t others = 0;
  for (int memory = 0; memory < 2; memory++)
    for (uint32_t seed = 0; seed < 10; seed++) {
      const NetConfig config = {
          .hidden = {{16}, 1}, .init_gain = 3, .memory = memory, .memory_size = 8, .last_action = true};
      Net *net;
      Contestant who;
      Shown seen = {.count = 0}, alone = {.count = 0}, untold = {.count = 0};
      uint32_t steps;
      CHECK_OK(net_create(&config, &env->layout, &env->spec, &net));
      float *block = calloc(net->block, sizeof *block);
      net_init(net, 1 + seed, 0, block);
      CHECK_OK(contestant_policy("one", &config, env, block, net->block, &who));
      Contestant *const team[2] = {&who, &who};
      const ExhibitPlan plan = {.team = team, .rng = rng_stream(1, 0, 0, RNG_TEST), .shown = on_shown, .context = &seen};
      CHECK_OK(eval_exhibit(env, &plan, &steps));
      play_alone(env, &who, position_show, &alone);
      play_alone(env, &who, show_nothing_done, &untold);
      assert_int_equal(steps + 1, seen.count);
      assert_int_equal(seen.count, alone.count);
      assert_memory_equal(seen.state, alone.state, sizeof seen.state);
      others += memcmp(&untold, &alone, sizeof alone) != 0;
      contestant_destroy(&who);
      free(block);
      net_destroy(net);
    }
  assert_true(others >= 5);
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kuhn_poker_values),
      cmocka_unit_test(walks_are_exact),
      cmocka_unit_test(leduc_poker_values),
      cmocka_unit_test(best_responses_by_brute_force),
      cmocka_unit_test(mixtures_are_drawn_per_episode),
      cmocka_unit_test(tic_tac_toe_minimax),
      cmocka_unit_test(noop_does_nothing),
      cmocka_unit_test(walks_refuse_what_they_cannot),
      cmocka_unit_test(exhibits_tell_what_was_done_last),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

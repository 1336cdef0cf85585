/* my_game: sealed bids for prizes of chance.
 *
 * Two players have the same number of coins. In each round a prize is drawn, and both bid coins for
 * it at once; both pay what they bid, and the higher bid gets the prize. Equal bids get nothing.
 * Whose prizes are worth more in the end has won.
 *
 * A game in which both act at the same time: `flags` says so of both, and `step` has an action of
 * each. To make yours of it, begin with Episode, then `step` (the rules) and `observe` (what a
 * player sees); agon/env.h explains each function. `agon env check` after every change finds most
 * mistakes.
 */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROUNDS = 10, MOST_COINS = 30, MOST_WORTH = 9 };

/* What the options chose. It is written once, by configure. */
typedef struct Params {
  uint32_t rounds, coins, worth;
  uint32_t head_size; /* of the kind, which depends on the options and therefore lies here */
  AgonKind kind;
} Params;

/* The whole state of a game: copying these bytes copies the game. */
typedef struct Episode {
  uint8_t coins[2];  /* that each has left */
  uint8_t points[2]; /* what the prizes of each are worth */
  uint8_t round;     /* rounds that are over */
  uint8_t prize;     /* what is bid for; 0: it is still to be drawn */
  uint8_t bid[2];    /* of the round before */
} Episode;

static const AgonEnvOption options[] = {
    {"rounds", AGON_OPT_INT, "3", 1, MOST_ROUNDS, NULL, "prizes in a game"},
    {"coins", AGON_OPT_INT, "6", 1, MOST_COINS, NULL, "coins that each begins with"},
    {"worth", AGON_OPT_INT, "3", 1, MOST_WORTH, NULL, "a prize is worth 1 to this"},
};

/* A choice is a bid, so that there is one more than there are coins. */
static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  Params *params = block;
  params->rounds = (uint32_t)atoi(values[0]);
  params->coins = (uint32_t)atoi(values[1]);
  params->worth = (uint32_t)atoi(values[2]);
  params->head_size = params->coins + 1;
  const uint32_t seen = 2 * (params->coins + 1) + params->worth + params->rounds + 1;
  params->kind = (AgonKind){.observation_type = AGON_F32,
                            .observation_shape = {seen, 1, 1},
                            .observation_low = -1,
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = &params->head_size};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &params->kind,
                        .chance = params->worth,
                        .step_limit = params->rounds,
                        .flags = AGON_ZERO_SUM | AGON_SIMULTANEOUS | AGON_PERFECT_INFORMATION |
                                 AGON_ENUMERATES_CHANCE,
                        .reward_low = -1,
                        .reward_high = 1,
                        .metrics = 1};
  return 0;
}

/* A game begins with chance: the first prize is drawn. */
static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)random;
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  memset(episode, 0, sizeof *episode);
  episode->coins[0] = (uint8_t)params->coins;
  episode->coins[1] = (uint8_t)params->coins;
  return AGON_CHANCE;
}

/* Chance that is told like this, rather than drawn in `step`, lets game trees be walked: values,
 * best responses and exploitability are then exact. */
static uint32_t chance_outcomes(const void *block, const void *state, double *probability) {
  (void)state;
  const Params *params = block;
  for (uint32_t i = 0; i < params->worth; i++)
    probability[i] = 1.0 / params->worth;
  return params->worth;
}

static AgonStatus chance_apply(const void *block, void *state, uint32_t outcome, float *reward,
                               AgonError *error) {
  (void)block;
  (void)reward;
  (void)error;
  ((Episode *)state)->prize = (uint8_t)(outcome + 1);
  return AGON_RUNNING;
}

/* 1: player 0 is ahead, -1: player 1 is. */
static int ahead(const Episode *episode) {
  return (episode->points[0] > episode->points[1]) - (episode->points[0] < episode->points[1]);
}

/* The host only passes legal bids on, so nothing is checked here. Rewards add up over the game. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random;
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  for (uint32_t p = 0; p < 2; p++) {
    episode->bid[p] = (uint8_t)actions[p].choice;
    episode->coins[p] = (uint8_t)(episode->coins[p] - episode->bid[p]);
  }
  if (episode->bid[0] != episode->bid[1]) {
    const uint32_t winner = episode->bid[0] > episode->bid[1] ? 0 : 1;
    episode->points[winner] = (uint8_t)(episode->points[winner] + episode->prize);
  }
  episode->prize = 0;
  episode->round++;
  if (episode->round < params->rounds) return AGON_CHANCE;
  reward[0] += (float)ahead(episode);
  reward[1] -= (float)ahead(episode);
  return AGON_TERMINATED;
}

/* One-hot: one's own coins, the other's, the prize, the rounds that are over; last by how much one
 * is ahead, of what can be won in all. Both know everything but the other's bid. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  const int lead = episode->points[agent] - episode->points[1 - agent];
  float *row = out;
  memset(row, 0, params->kind.observation_shape[0] * sizeof *row);
  row[episode->coins[agent]] = 1;
  row += params->coins + 1;
  row[episode->coins[1 - agent]] = 1;
  row += params->coins + 1;
  if (episode->prize) row[episode->prize - 1] = 1;
  row += params->worth;
  if (episode->round < params->rounds) row[episode->round] = 1;
  row[params->rounds] = (float)lead / (float)(params->rounds * params->worth);
}

/* Nobody bids what it does not have. */
static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  const Params *params = block;
  const Episode *episode = state;
  for (uint32_t bid = 0; bid <= params->coins; bid++)
    row[bid] = bid <= episode->coins[agent];
}

/* Both act in every round; after the end nobody does. */
static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  const int over = episode->round == params->rounds;
  flag[0] = (uint8_t)(AGON_ALIVE | (over ? 0 : AGON_ACTS));
  flag[1] = flag[0];
}

/* 1 won, 0 lost, and a draw is half of either. */
static void outcome(const void *block, const void *state, float *out) {
  (void)block;
  out[0] = 0.5f + 0.5f * (float)ahead(state);
  out[1] = 1.0f - out[0];
}

/* What is counted of a game: means of it stand in metrics, `status` and the report. */
static const char *const metric_names[] = {"coins_kept"};

static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  const Episode *episode = state;
  values[0] = (float)(episode->coins[0] + episode->coins[1]) / 2;
}

/* For `play` and `watch`. Choices without names are told by their numbers, which is right here. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  char before[48] = "";
  char now[48] = "";
  if (episode->round)
    snprintf(before, sizeof before, "last bids %u and %u\n", episode->bid[0], episode->bid[1]);
  if (episode->prize) snprintf(now, sizeof now, "the prize is worth %u\n", episode->prize);
  snprintf(text, size, "round %u of %u\ncoins  %2u %2u\npoints %2u %2u\n%s%s",
           episode->round + (episode->prize ? 1u : 0u), params->rounds, episode->coins[0],
           episode->coins[1], episode->points[0], episode->points[1], before, now);
}

/* A player by rule, for ratings to measure against: it spends its coins in proportion to what the
 * prize is worth, beside what is still to be expected, give or take one. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  const Params *params = block;
  const Episode *episode = state;
  const int coins = episode->coins[agent];
  const double later = (params->rounds - episode->round - 1) * (params->worth + 1) / 2.0;
  int bid = (int)(coins * episode->prize / (episode->prize + later) + 0.5);
  bid += (int)agon_random_below(random, 3) - 1;
  if (later <= 0 || bid > coins) bid = coins;
  action->choice = bid < 0 ? 0 : bid;
}

static const AgonEnv env_my_game = {
    AGON_ENV_SIZES,
    .version = 1, /* another number when the rules change: old results are then another game's */
    .name = "my_game",
    .summary = "sealed bids for prizes of chance",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .mask = mask,
    .outcome = outcome,
    .chance_outcomes = chance_outcomes,
    .chance_apply = chance_apply,
    .metrics = metrics,
    .metric_names = metric_names,
    .render = render,
    .scripted = scripted,
};

/* A plug-in exports this one function. */
const AgonEnv *agon_env(void) {
  return &env_my_game;
}

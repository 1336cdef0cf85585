/* Kuhn poker (Kuhn 1950): three cards, one each, ante 1, one bet of 1. Actions: pass (or fold), bet
 * (or call). */
#include "agon/env.h"

#include <string.h>

/* The whole state of a game. */
typedef struct Episode {
  uint8_t card[2]; /* 0 jack, 1 queen, 2 king */
  uint8_t dealt;   /* cards so far */
  uint8_t moves;
  uint8_t move[3]; /* 0 pass, 1 bet */
  uint8_t over;
  int8_t won; /* chips that player 0 wins */
  uint8_t pad[3];
} Episode;

static const uint32_t choices[] = {2};
static const AgonKind kind = {.observation_type = AGON_U8,
                              .observation_shape = {11, 1, 1},
                              .observation_high = 1,
                              .heads = 1,
                              .head_size = choices};

/* There are no options. */
static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)values;
  (void)params;
  (void)error;
  *spec = (AgonEnvSpec){.params_size = 0,
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &kind,
                        .chance = 3,
                        .step_limit = 3,
                        .flags = AGON_ZERO_SUM | AGON_ENUMERATES_CHANCE,
                        .reward_low = -2,
                        .reward_high = 2};
  return 0;
}

/* Two chance moves deal the cards, first agent 0's. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  memset(block, 0, sizeof(Episode));
  return AGON_CHANCE;
}

/* The second card is one of the two that are left. */
static uint32_t chance_outcomes(const void *params, const void *block, double *probability) {
  (void)params;
  const Episode *episode = block;
  for (uint8_t c = 0; c < 3; c++)
    probability[c] = episode->dealt == 0 ? 1.0 / 3 : c == episode->card[0] ? 0.0 : 0.5;
  return 3;
}

static AgonStatus chance_apply(const void *params, void *block, uint32_t pick, float *reward,
                               AgonError *error) {
  (void)params;
  (void)reward;
  (void)error;
  Episode *episode = block;
  episode->card[episode->dealt++] = (uint8_t)pick;
  return episode->dealt < 2 ? AGON_CHANCE : AGON_RUNNING;
}

/* The game ends with a fold, a call, or two passes; only a pass and a bet go on. */
static AgonStatus step(const void *params, void *block, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  Episode *episode = block;
  uint8_t player = episode->moves & 1;
  uint8_t bet = actions[player].choice == 1;
  episode->move[episode->moves++] = bet;
  uint8_t previous = episode->moves >= 2 ? episode->move[episode->moves - 2] : 0;
  int8_t high = episode->card[0] > episode->card[1] ? 1 : -1;
  if (episode->moves < 2) return AGON_RUNNING;
  if (!bet && previous)
    episode->won = player == 0 ? -1 : 1; /* folded */
  else if (!bet)
    episode->won = high; /* both passed */
  else if (previous)
    episode->won = (int8_t)(2 * high); /* called */
  else
    return AGON_RUNNING;
  episode->over = 1;
  reward[0] += episode->won;
  reward[1] -= episode->won;
  return AGON_TERMINATED;
}

/* One-hot: seat (2), own card (3), moves so far (3 x pass, bet). */
static void observe(const void *params, const void *block, uint32_t agent, void *out) {
  (void)params;
  const Episode *episode = block;
  uint8_t *row = out;
  memset(row, 0, 11);
  row[agent] = 1;
  row[2 + episode->card[agent]] = 1;
  for (uint8_t m = 0; m < episode->moves; m++)
    row[5 + 2 * m + episode->move[m]] = 1;
}

/* Both actions are always legal. */
static void mask(const void *params, const void *block, uint32_t agent, uint8_t *row) {
  (void)params;
  (void)block;
  (void)agent;
  row[1] = 1;
  row[0] = 1;
}

/* Agents take turns, agent 0 first. */
static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = block;
  flag[1] = AGON_ALIVE;
  flag[0] = AGON_ALIVE;
  if (!episode->over) flag[episode->moves & 1] |= AGON_ACTS;
}

/* Somebody always wins. */
static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  out[0] = ((const Episode *)block)->won > 0 ? 1.0f : 0.0f;
  out[1] = 1.0f - out[0];
}

static const char *action_name(const void *params, uint32_t head, uint32_t choice) {
  (void)params;
  (void)head;
  return choice ? "bet" : "pass";
}

static const char *observation_name(const void *params, uint32_t index) {
  static const char *const name[] = {"you are first",      "you are second",  "you hold a jack",
                                     "you hold a queen",   "you hold a king", "first passed",
                                     "first bet",          "second passed",   "second bet",
                                     "first passed again", "first called"};
  (void)params;
  return name[index];
}

const AgonEnv env_kuhn_poker = {
    AGON_ENV_SIZES,
    .name = "kuhn_poker",
    .summary = "the smallest poker: three cards, one bet",
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .mask = mask,
    .flags = flags,
    .outcome = outcome,
    .chance_outcomes = chance_outcomes,
    .chance_apply = chance_apply,
    .action_name = action_name,
    .observation_name = observation_name,
};

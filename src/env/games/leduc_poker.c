/* Leduc poker (Southey et al. 2005) with OpenSpiel's rules: two suits of three ranks, ante 1,
 * raises of 2 and then 4, two raises a round, one public card between the rounds. Fold is legal
 * only when there is something to call. */
#include "agon/env.h"

#include <string.h>

enum { FOLD, CALL, RAISE, MAX_MOVES = 4 };

/* The whole state of a game. */
typedef struct Episode {
  uint8_t card[3];            /* private 0, private 1, public; rank = card / 2 */
  uint8_t dealt;              /* cards so far */
  uint8_t round, raises;      /* raises: in this round */
  uint8_t moves[2];           /* in each round */
  uint8_t move[2][MAX_MOVES]; /* [round]: CALL or RAISE */
  uint8_t stake[2];           /* chips in the pot, by player */
  uint8_t player;             /* whose turn it is */
  uint8_t over;
  int8_t won; /* chips that player 0 wins */
} Episode;

static const uint32_t choices[] = {3};
static const AgonKind kind = {.observation_type = AGON_U8,
                              .observation_shape = {2 + 6 + 6 + 2 * MAX_MOVES * 2, 1, 1},
                              .observation_high = 1,
                              .heads = 1,
                              .head_size = choices};

/* There are no options. The most that can be lost is 1 + 2 * 2 + 2 * 4. */
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
                        .chance = 6,
                        .step_limit = 8,
                        .flags = AGON_ZERO_SUM | AGON_ENUMERATES_CHANCE,
                        .reward_low = -13,
                        .reward_high = 13};
  return 0;
}

/* The ante is in the pot; chance deals one card to each. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  Episode *episode = block;
  memset(episode, 0, sizeof *episode);
  episode->stake[1] = 1;
  episode->stake[0] = 1;
  return AGON_CHANCE;
}

/* Each card that is left, with equal probability. */
static uint32_t chance_outcomes(const void *params, const void *block, double *probability) {
  (void)params;
  const Episode *episode = block;
  for (uint8_t c = 0; c < 6; c++) {
    probability[c] = 1.0 / (6 - episode->dealt);
    for (uint8_t d = 0; d < episode->dealt; d++)
      if (episode->card[d] == c) probability[c] = 0;
  }
  return 6;
}

/* The first two cards are private, the third is public. */
static AgonStatus chance_apply(const void *params, void *block, uint32_t pick, float *reward,
                               AgonError *error) {
  (void)params;
  (void)reward;
  (void)error;
  Episode *episode = block;
  episode->card[episode->dealt++] = (uint8_t)pick;
  return episode->dealt < 2 ? AGON_CHANCE : AGON_RUNNING;
}

/* Ends the game; `won` is what agent 0 gets from agent 1. */
static AgonStatus settle(Episode *episode, int8_t won, float *reward) {
  episode->over = 1;
  episode->won = won;
  reward[0] += won;
  reward[1] -= won;
  return AGON_TERMINATED;
}

/* What agent 0 wins: a pair with the public card beats everything, then the higher rank. */
static int8_t showdown(const Episode *episode) {
  int own = episode->card[0] / 2;
  int other = episode->card[1] / 2;
  int shared = episode->card[2] / 2;
  int first = own + (own == shared ? 10 : 0);
  int second = other + (other == shared ? 10 : 0);
  if (first == second) return 0;
  return (int8_t)(first > second ? episode->stake[1] : -episode->stake[0]);
}

/* A call matches the other's stake, a raise adds to it. A round ends with a call that does not open
 * it. */
static AgonStatus step(const void *params, void *block, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  Episode *episode = block;
  uint8_t player = episode->player;
  uint8_t other = (uint8_t)(1 - player);
  int move = actions[player].choice;
  if (move == FOLD)
    return settle(episode, (int8_t)(player == 0 ? -episode->stake[0] : episode->stake[1]), reward);
  episode->move[episode->round][episode->moves[episode->round]++] = (uint8_t)move;
  episode->stake[player] = episode->stake[other];
  episode->player = other;
  if (move == RAISE) {
    episode->stake[player] = (uint8_t)(episode->stake[player] + (episode->round ? 4 : 2));
    episode->raises++;
    return AGON_RUNNING;
  }
  if (episode->moves[episode->round] == 1) return AGON_RUNNING; /* a check opens */
  if (episode->round == 1) return settle(episode, showdown(episode), reward);
  episode->round = 1;
  episode->raises = 0;
  episode->player = 0;
  return AGON_CHANCE;
}

/* One-hot: seat (2), own card (6), public card (6), moves (2 rounds x 4 x call, raise). */
static void observe(const void *params, const void *block, uint32_t agent, void *out) {
  (void)params;
  const Episode *episode = block;
  uint8_t *row = out;
  memset(row, 0, 14 + 4 * MAX_MOVES);
  row[agent] = 1;
  row[2 + episode->card[agent]] = 1;
  if (episode->dealt == 3) row[8 + episode->card[2]] = 1;
  for (int r = 0; r < 2; r++)
    for (int m = 0; m < episode->moves[r]; m++)
      row[14 + (r * MAX_MOVES + m) * 2 + (episode->move[r][m] == RAISE)] = 1;
}

/* Two raises a round; fold needs something to call. */
static void mask(const void *params, const void *block, uint32_t agent, uint8_t *row) {
  (void)params;
  const Episode *episode = block;
  row[FOLD] = episode->stake[1 - agent] > episode->stake[agent];
  row[CALL] = 1;
  row[RAISE] = episode->raises < 2;
}

/* Whose turn it is stands in the episode, as agent 0 begins each round. */
static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = block;
  flag[1] = AGON_ALIVE;
  flag[0] = AGON_ALIVE;
  if (!episode->over) flag[episode->player] |= AGON_ACTS;
}

/* An even showdown is a draw. */
static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  int won = ((const Episode *)block)->won;
  out[0] = won > 0 ? 1.0f : won < 0 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

static const char *action_name(const void *params, uint32_t head, uint32_t choice) {
  static const char *const name[] = {"fold", "call", "raise"};
  (void)params;
  (void)head;
  return name[choice];
}

static const char *observation_name(const void *params, uint32_t index) {
  static const char *const name[14 + 4 * MAX_MOVES] = {
      "you are first",          "you are second",         "you hold a jack",
      "you hold a jack",        "you hold a queen",       "you hold a queen",
      "you hold a king",        "you hold a king",        "the board is a jack",
      "the board is a jack",    "the board is a queen",   "the board is a queen",
      "the board is a king",    "the board is a king",    "move 1: call",
      "move 1: raise",          "move 2: call",           "move 2: raise",
      "move 3: call",           "move 3: raise",          "move 4: call",
      "move 4: raise",          "round 2, move 1: call",  "round 2, move 1: raise",
      "round 2, move 2: call",  "round 2, move 2: raise", "round 2, move 3: call",
      "round 2, move 3: raise", "round 2, move 4: call",  "round 2, move 4: raise"};
  (void)params;
  return name[index];
}

/* Raises with a pair or a king, calls with a queen before the board and whenever it is free, else
 * folds. */
static void scripted(const void *params, const void *block, uint32_t agent,
                     const AgonRandom *random, AgonAction *action) {
  (void)random;
  const Episode *episode = block;
  uint8_t legal[3];
  int own = episode->card[agent] / 2;
  bool pair = episode->round && own == episode->card[2] / 2;
  mask(params, block, agent, legal);
  int wish = pair || own == 2              ? RAISE
             : own == 1 && !episode->round ? CALL
             : legal[FOLD]                 ? FOLD
                                           : CALL;
  action->choice = legal[wish] ? wish : CALL;
}

const AgonEnv env_leduc_poker = {
    AGON_ENV_SIZES,
    .name = "leduc_poker",
    .summary = "poker with six cards, two rounds and a public card",
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
    .scripted = scripted,
    .observation_name = observation_name,
};

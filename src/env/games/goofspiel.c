/* Goofspiel with OpenSpiel's rules for two players: both bid a card at once for the turned-up
 * prize; the higher bid takes it, a tie discards it. With one card left the last bids are made at
 * once by the rules. In imperfect information only the result of a round is seen, not the other's
 * card. */
#include "agon/env.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CARDS = 13 };
enum { RANDOM, DESCENDING };                 /* order of the prizes */
enum { WIN_LOSS, POINTS, POINT_DIFFERENCE }; /* what is paid at the end */

/* What the options chose. */
typedef struct Params {
  uint32_t cards;
  int order, returns;
  uint32_t imperfect;
  uint32_t head_size; /* of the kind, which depends on the options and therefore lies here */
  AgonKind kind;
} Params;

/* The whole state of a game. */
typedef struct Episode {
  uint16_t hand[2];      /* bit c = card c still in hand */
  uint16_t prizes;       /* bit p = prize p not yet turned up */
  uint8_t round, turned; /* rounds played, prizes turned up */
  uint8_t prize[MAX_CARDS];
  uint8_t bid[2][MAX_CARDS];
  uint8_t points[2];
  uint8_t over;
} Episode;

static const AgonEnvOption options[] = {
    {"cards", AGON_OPT_INT, "5", 2, MAX_CARDS, NULL, "cards in each hand"},
    {"prizes", AGON_OPT_CHOICE, "random", 0, 0, "random|descending",
     "order in which prizes are turned up"},
    {"returns", AGON_OPT_CHOICE, "win_loss", 0, 0, "win_loss|points|point_difference",
     "reward at the end"},
    {"information", AGON_OPT_CHOICE, "imperfect", 0, 0, "imperfect|perfect",
     "whether the other's bids are seen"},
};

/* The spaces depend on the number of cards, so the kind lies in the params. */
static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  Params *params = block;
  uint32_t n = (uint32_t)atoi(values[0]);
  *params = (Params){.cards = n,
                     .order = strcmp(values[1], "random") ? DESCENDING : RANDOM,
                     .returns = !strcmp(values[2], "win_loss") ? WIN_LOSS
                                : !strcmp(values[2], "points") ? POINTS
                                                               : POINT_DIFFERENCE,
                     .imperfect = !strcmp(values[3], "imperfect")};
  float most = params->returns == WIN_LOSS ? 1.0f : (float)(n * (n + 1) / 2);
  params->head_size = n;
  params->kind = (AgonKind){.observation_type = AGON_U8,
                            .observation_shape = {n * (3 * n + 3), 1, 1},
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = &params->head_size};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &params->kind,
                        .chance = n,
                        .step_limit = n - 1,
                        .flags = AGON_SIMULTANEOUS | AGON_ENUMERATES_CHANCE |
                                 (params->returns == POINTS ? 0u : AGON_ZERO_SUM) |
                                 (params->imperfect ? 0u : AGON_PERFECT_INFORMATION),
                        .reward_low = params->returns == POINTS ? 0 : -most,
                        .reward_high = most};
  return 0;
}

/* Turns the prize with this number up; it is worth its number plus one. */
static void turn_up(Episode *episode, uint32_t prize) {
  episode->prizes &= (uint16_t) ~(1u << prize);
  episode->prize[episode->turned++] = (uint8_t)prize;
}

/* The highest card of a set. */
static uint32_t top_bit(uint32_t bits) {
  return 31u - (uint32_t)__builtin_clz(bits);
}

/* Both bids of a round at once: the higher one takes the prize, a tie nobody. */
static void bid(Episode *episode, uint32_t first, uint32_t second) {
  uint32_t card[2] = {first, second};
  for (int p = 0; p < 2; p++) {
    episode->hand[p] &= (uint16_t) ~(1u << card[p]);
    episode->bid[p][episode->round] = (uint8_t)card[p];
  }
  uint8_t worth = (uint8_t)(episode->prize[episode->round] + 1);
  if (first > second) episode->points[0] = (uint8_t)(episode->points[0] + worth);
  if (second > first) episode->points[1] = (uint8_t)(episode->points[1] + worth);
  episode->round++;
}

/* One card each and one prize are left, so there is no choice: the rules make the last bids. */
static AgonStatus last_round(const Params *params, Episode *episode, float *reward) {
  if (episode->turned == episode->round) turn_up(episode, top_bit(episode->prizes));
  bid(episode, top_bit(episode->hand[0]), top_bit(episode->hand[1]));
  int difference = episode->points[0] - episode->points[1];
  float sign = difference > 0 ? 1.0f : difference < 0 ? -1.0f : 0.0f;
  episode->over = 1;
  for (int p = 0; p < 2; p++) {
    if (params->returns == WIN_LOSS)
      reward[p] += p ? -sign : sign;
    else if (params->returns == POINTS)
      reward[p] += episode->points[p];
    else
      reward[p] += (float)(p ? -difference : difference);
  }
  return AGON_TERMINATED;
}

/* What comes after a round: the end, chance (a random prize), or the next lower prize. */
static AgonStatus next(const Params *params, Episode *episode, float *reward) {
  if (episode->round == params->cards - 1) return last_round(params, episode, reward);
  if (params->order == RANDOM) return AGON_CHANCE;
  turn_up(episode, top_bit(episode->prizes));
  return AGON_RUNNING;
}

/* All cards in hand, all prizes down. */
static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)random;
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  float none[2] = {0, 0};
  memset(episode, 0, sizeof *episode);
  episode->prizes = (uint16_t)((1u << params->cards) - 1);
  episode->hand[1] = episode->prizes;
  episode->hand[0] = episode->prizes;
  return next(params, episode, none);
}

/* Any prize that is left, with equal probability. */
static uint32_t chance_outcomes(const void *block, const void *state, double *probability) {
  const Params *params = block;
  const Episode *episode = state;
  uint32_t left = (uint32_t)__builtin_popcount(episode->prizes);
  for (uint32_t p = 0; p < params->cards; p++)
    probability[p] = episode->prizes >> p & 1 ? 1.0 / left : 0.0;
  return params->cards;
}

/* The drawn prize is turned up. */
static AgonStatus chance_apply(const void *block, void *state, uint32_t pick, float *reward,
                               AgonError *error) {
  (void)block;
  (void)reward;
  (void)error;
  turn_up(state, pick);
  return AGON_RUNNING;
}

/* Both act at once. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random;
  (void)error;
  bid(state, (uint32_t)actions[0].choice, (uint32_t)actions[1].choice);
  return next(block, state, reward);
}

/* One-hot, for each of n rounds: prize (n), own bid (n), the other's bid (n, zero unless
 * information is perfect), result (won, tied, lost). */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  uint32_t n = params->cards;
  uint32_t width = 3 * n + 3;
  uint8_t *row = out;
  memset(row, 0, (size_t)n * width);
  for (uint32_t r = 0; r < episode->turned; r++)
    row[r * width + episode->prize[r]] = 1;
  for (uint32_t r = 0; r < episode->round; r++) {
    uint8_t own = episode->bid[agent][r];
    uint8_t other = episode->bid[1 - agent][r];
    row[r * width + n + own] = 1;
    if (!params->imperfect) row[r * width + 2 * n + other] = 1;
    row[r * width + 3 * n + (own > other ? 0 : own == other ? 1 : 2)] = 1;
  }
}

/* The cards that are still in hand. */
static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  const Params *params = block;
  const Episode *episode = state;
  for (uint32_t c = 0; c < params->cards; c++)
    row[c] = episode->hand[agent] >> c & 1;
}

/* Both act until the game is over. */
static void flags(const void *block, const void *state, uint8_t *flag) {
  (void)block;
  const Episode *episode = state;
  flag[1] = (uint8_t)(AGON_ALIVE | (episode->over ? 0 : AGON_ACTS));
  flag[0] = flag[1];
}

/* Points decide who wins, whatever is paid. */
static void outcome(const void *block, const void *state, float *out) {
  (void)block;
  const Episode *episode = state;
  int difference = episode->points[0] - episode->points[1];
  out[0] = difference > 0 ? 1.0f : difference < 0 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

/* Bids the card that equals the prize, else the nearest higher one, else its highest. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)block;
  (void)random;
  const Episode *episode = state;
  uint32_t hand = episode->hand[agent];
  uint32_t enough = hand & ~((1u << episode->prize[episode->round]) - 1u);
  action->choice = (int32_t)(enough ? (uint32_t)__builtin_ctz(enough) : top_bit(hand));
}

const AgonEnv env_goofspiel = {
    AGON_ENV_SIZES,
    .name = "goofspiel",
    .summary = "bidding cards for prizes, both at once, with or without sight of the other's bids",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .mask = mask,
    .flags = flags,
    .outcome = outcome,
    .chance_outcomes = chance_outcomes,
    .chance_apply = chance_apply,
    .scripted = scripted,
};

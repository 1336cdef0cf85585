/* Liar's dice with one die each, as in OpenSpiel: players in turn raise a bid "at least q dice show
 * face f" or call the last bidder a liar. The highest face is wild. The bidder wins if the bid
 * holds, the caller otherwise. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FACES = 6, MOST_BIDS = 2 * MOST_FACES };

/* What the options chose. */
typedef struct Params {
  uint32_t faces, bids;
  uint32_t head_size; /* of the kind, which depends on the options and therefore lies here */
  AgonKind kind;
} Params;

/* The whole state of a game. */
typedef struct Episode {
  uint8_t die[2];                    /* 0 .. faces - 1 */
  uint8_t rolled, moves, last, over; /* last: bid, bids = none yet */
  uint8_t bid_by[MOST_BIDS];         /* 0 nobody, 1 or 2 = agent + 1 */
  int8_t won;                        /* for agent 0 */
  uint8_t pad;
} Episode;

static const AgonEnvOption options[] = {
    {"faces", AGON_OPT_INT, "6", 2, MOST_FACES, NULL, "sides of a die; the highest is wild"},
};

/* One action for each bid, and one more to call the bidder a liar. */
static int configure(const char *const *values, void *params, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  Params *p = params;
  p->faces = (uint32_t)strtol(values[0], NULL, 10);
  p->bids = 2 * p->faces;
  p->head_size = p->bids + 1;
  p->kind = (AgonKind){.observation_type = AGON_U8,
                       .observation_shape = {2 + p->faces + 2 * p->bids, 1, 1},
                       .observation_high = 1,
                       .heads = 1,
                       .head_size = &p->head_size};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &p->kind,
                        .chance = p->faces,
                        .step_limit = p->bids + 1,
                        .flags = AGON_ZERO_SUM | AGON_ENUMERATES_CHANCE,
                        .reward_low = -1,
                        .reward_high = 1};
  return 0;
}

/* Two chance moves roll the dice, first agent 0's. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)random;
  (void)error;
  Episode *episode = block;
  memset(episode, 0, sizeof *episode);
  episode->last = (uint8_t)((const Params *)params)->bids;
  return AGON_CHANCE;
}

/* Dice are fair. */
static uint32_t chance_outcomes(const void *params, const void *block, double *probability) {
  (void)block;
  uint32_t faces = ((const Params *)params)->faces;
  for (uint32_t f = 0; f < faces; f++)
    probability[f] = 1.0 / faces;
  return faces;
}

static AgonStatus chance_apply(const void *params, void *block, uint32_t pick, float *reward,
                               AgonError *error) {
  (void)params;
  (void)reward;
  (void)error;
  Episode *episode = block;
  episode->die[episode->rolled++] = (uint8_t)pick;
  return episode->rolled < 2 ? AGON_CHANCE : AGON_RUNNING;
}

/* Whether a bid is true. Bids are numbered in rising order: one of face 0, ... one of the wild
 * face, two of face 0, ... */
static bool holds(const Params *p, const Episode *episode, uint32_t bid) {
  uint32_t face = bid % p->faces;
  uint32_t quantity = bid / p->faces + 1;
  uint32_t count = 0;
  for (int i = 0; i < 2; i++)
    count += episode->die[i] == face || episode->die[i] == p->faces - 1;
  return count >= quantity;
}

/* A bid goes on, a call ends the game. */
static AgonStatus step(const void *params, void *block, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random;
  (void)error;
  const Params *p = params;
  Episode *episode = block;
  uint32_t agent = episode->moves & 1u;
  uint32_t choice = (uint32_t)actions[agent].choice;
  episode->moves++;
  if (choice < p->bids) {
    episode->last = (uint8_t)choice;
    episode->bid_by[choice] = (uint8_t)(agent + 1);
    return AGON_RUNNING;
  }
  bool caller_wins = !holds(p, episode, episode->last);
  episode->over = 1;
  episode->won = (agent == 0) == caller_wins ? 1 : -1;
  reward[0] += episode->won;
  reward[1] -= episode->won;
  return AGON_TERMINATED;
}

/* One-hot: seat (2), own die (faces), bids by agent 0 (bids), bids by agent 1 (bids). */
static void observe(const void *params, const void *block, uint32_t agent, void *out) {
  const Params *p = params;
  const Episode *episode = block;
  uint8_t *row = out;
  memset(row, 0, 2 + p->faces + 2 * p->bids);
  row[agent] = 1;
  row[2 + episode->die[agent]] = 1;
  for (uint32_t b = 0; b < p->bids; b++)
    if (episode->bid_by[b]) row[2 + p->faces + (episode->bid_by[b] - 1u) * p->bids + b] = 1;
}

/* Any higher bid; a call only once there is a bid. */
static void mask(const void *params, const void *block, uint32_t agent, uint8_t *row) {
  (void)agent;
  const Params *p = params;
  const Episode *episode = block;
  bool first = episode->last == p->bids;
  for (uint32_t b = 0; b < p->bids; b++)
    row[b] = first || b > episode->last;
  row[p->bids] = !first;
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
  static const char *const name[2][MOST_FACES] = {{"1x1", "1x2", "1x3", "1x4", "1x5", "1x6"},
                                                  {"2x1", "2x2", "2x3", "2x4", "2x5", "2x6"}};
  const Params *p = params;
  (void)head;
  return choice >= p->bids ? "liar" : name[choice / p->faces][choice % p->faces];
}

/* Both dice: for people who look on, not for players. */
static void render(const void *params, const void *block, char *text, size_t size) {
  const Params *p = params;
  const Episode *episode = block;
  const char *bid = episode->last == p->bids ? "no bid" : action_name(params, 0, episode->last);
  snprintf(text, size, "dice %d %d, %s\n", episode->die[0] + 1, episode->die[1] + 1, bid);
}

const AgonEnv env_liars_dice = {
    AGON_ENV_SIZES,
    .name = "liars_dice",
    .summary = "bluffing with one die each",
    .options = options,
    .option_count = sizeof options / sizeof *options,
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
    .action_name = action_name,
    .render = render,
};

/* Kuhn poker (Kuhn 1950): one card more than players, one each, ante 1, one bet of 1. Actions: pass
 * (or fold), bet (or call). With more than two players by the rules of Szafron, Gibson and
 * Sturtevant 2013 (three players, four cards), as OpenSpiel 1.5 has them for up to ten: who bets
 * first is answered by all others once, in turn, and the highest card of those who paid takes
 * all. */
#include "agon/env.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 10, COLUMNS = 6 * MOST - 1, NAME = 28 };

/* What the option chose. An episode is bytes: the cards (players), then one by one those below. */
typedef struct Params {
  uint32_t players;
  uint32_t dealt; /* where in the episode: cards dealt so far */
  uint32_t moves; /* made so far */
  uint32_t move;  /* (2 players - 1) 0 pass, 1 bet */
  uint32_t over;
  uint32_t won;  /* of two players: chips that player 0 wins; of more: who wins */
  float rake;    /* share of what is won in a called bet that the house keeps */
  float jackpot; /* what the house pays to who loses a called bet with the second highest card */
  uint32_t head_size;
  AgonKind kind;
  char name[COLUMNS][NAME]; /* of what is observed */
} Params;

static const AgonEnvOption options[] = {
    {"players", AGON_OPT_INT, "2", 2, MOST, NULL, "players; one card more than these"},
    {"rake", AGON_OPT_FLOAT, "0", 0, 1, NULL,
     "share of what is won that the house keeps where a bet was called: the game is then "
     "general-sum"},
    {"jackpot", AGON_OPT_FLOAT, "0", 0, 100, NULL,
     "chips that the house pays to who loses a called bet with the second highest card: likewise"},
};

/* For people: two and three players have cards with faces. */
static void name_card(const Params *params, uint32_t card, char *out) {
  static const char *const face[] = {"a jack", "a queen", "a king", "an ace"};
  if (params->players <= 3)
    snprintf(out, NAME, "you hold %s", face[card & 3]);
  else
    snprintf(out, NAME, "you hold card %u of %u", card + 1, params->players + 1);
}

/* Of an observation's columns, in their order. */
static void name_columns(Params *params) {
  static const char *const nth[] = {"first", "second",  "third",  "fourth", "fifth",
                                    "sixth", "seventh", "eighth", "ninth",  "tenth"};
  const uint32_t n = params->players;
  char(*name)[NAME] = params->name;
  for (uint32_t p = 0; p < n; p++)
    snprintf(*name++, NAME, "you are %s", nth[p]);
  for (uint32_t c = 0; c <= n; c++)
    name_card(params, c, *name++);
  for (uint32_t m = 0; m < 2 * n - 1; m++) {
    const char *who = nth[m % n];
    snprintf(*name++, NAME, m < n ? "%s passed" : "%s passed again", who);
    snprintf(*name++, NAME, m < n ? "%s bet" : "%s called", who);
  }
}

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  Params *params = block;
  const uint32_t n = (uint32_t)atoi(values[0]);
  const float rake = strtof(values[1], NULL);
  const float jackpot = strtof(values[2], NULL);
  const float most = 2 * (float)(n - 1);
  *params = (Params){
      .players = n,
      .dealt = n,
      .moves = n + 1,
      .move = n + 2,
      .over = 3 * n + 1,
      .won = 3 * n + 2,
      .rake = rake,
      .jackpot = jackpot,
      .head_size = 2,
      .kind = {.observation_type = AGON_U8,
               .observation_shape = {6 * n - 1, 1, 1},
               .observation_high = 1,
               .heads = 1,
               .head_size = &params->head_size},
  };
  name_columns(params);
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = (3 * n + 3 + 3) / 4 * 4,
                        .agents = n,
                        .teams = n,
                        .kinds = 1,
                        .kind = &params->kind,
                        .chance = n + 1,
                        .step_limit = 2 * n - 1,
                        .flags = AGON_ENUMERATES_CHANCE |
                                 (rake > 0 || jackpot > 0 ? 0u : (uint32_t)AGON_ZERO_SUM),
                        .reward_low = -2,
                        .reward_high = most > jackpot - 2 ? most : jackpot - 2};
  return 0;
}

static size_t size_of(const Params *params) {
  return (3 * (size_t)params->players + 3 + 3) / 4 * 4;
}

/* Chance moves deal the cards, first agent 0's. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)random;
  (void)error;
  memset(block, 0, size_of(params));
  return AGON_CHANCE;
}

/* Any card that is left, with equal probability. */
static uint32_t chance_outcomes(const void *block, const void *state, double *probability) {
  const Params *params = block;
  const uint8_t *episode = state;
  const uint32_t dealt = episode[params->dealt];
  const uint32_t cards = params->players + 1;
  for (uint32_t c = 0; c < cards; c++)
    probability[c] = 1.0 / (double)(cards - dealt);
  for (uint32_t p = 0; p < dealt; p++)
    probability[episode[p]] = 0;
  return cards;
}

static AgonStatus chance_apply(const void *block, void *state, uint32_t pick, float *reward,
                               AgonError *error) {
  (void)reward;
  (void)error;
  const Params *params = block;
  uint8_t *episode = state;
  episode[episode[params->dealt]++] = (uint8_t)pick;
  return episode[params->dealt] < params->players ? AGON_CHANCE : AGON_RUNNING;
}

/* Who bet first; as many as there are players: nobody has. */
static uint32_t first_bet(const Params *params, const uint8_t *episode) {
  const uint32_t n = params->players;
  for (uint32_t p = 0; p < n && p < episode[params->moves]; p++)
    if (episode[params->move + p]) return p;
  return n;
}

/* Whether a player has put a second chip in: it bet, or called when its turn came. */
static bool has_paid(const Params *params, const uint8_t *episode, uint32_t player) {
  const uint32_t n = params->players;
  const uint32_t bettor = first_bet(params, episode);
  if (bettor == n) return false;
  return episode[params->move + player + (player < bettor ? n : 0)] != 0;
}

/* The highest card of those who paid, or of all where nobody did. */
static uint32_t winner_of(const Params *params, const uint8_t *episode) {
  const uint32_t n = params->players;
  const bool bet = first_bet(params, episode) < n;
  uint32_t winner = n;
  for (uint32_t p = 0; p < n; p++) {
    if (bet && !has_paid(params, episode, p)) continue;
    if (winner == n || episode[p] > episode[winner]) winner = p;
  }
  return winner;
}

/* The winner gets what the others have put in. Where a bet was called the house keeps its share,
 * and pays who could not believe that the highest card was against it. */
static AgonStatus pay(const Params *params, uint8_t *episode, float *reward) {
  const uint32_t winner = winner_of(params, episode);
  const uint32_t second = params->players - 1; /* of all cards, the highest but one */
  uint32_t pot = 0;
  bool called = false;
  for (uint32_t p = 0; p < params->players; p++) {
    const bool paid = has_paid(params, episode, p);
    const uint32_t chips = paid ? 2 : 1;
    if (p == winner) continue;
    pot += chips;
    called |= paid;
    reward[p] -= (float)chips;
    if (paid && episode[p] == second) reward[p] += params->jackpot;
  }
  reward[winner] += (float)pot * (called ? 1 - params->rake : 1);
  episode[params->over] = 1;
  if (params->players > 2)
    episode[params->won] = (uint8_t)winner;
  else
    episode[params->won] = (uint8_t)(winner == 0 ? pot : 256 - pot);
  return AGON_TERMINATED;
}

/* The game ends when all have passed, or when all others have answered the first bet. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random;
  (void)error;
  const Params *params = block;
  uint8_t *episode = state;
  const uint32_t n = params->players;
  const uint32_t made = episode[params->moves];
  episode[params->move + made] = actions[made % n].choice == 1;
  episode[params->moves]++;
  const uint32_t bettor = first_bet(params, episode);
  const uint32_t last = bettor < n ? bettor + n : n;
  return made + 1 < last ? AGON_RUNNING : pay(params, episode, reward);
}

/* One-hot: seat (players), own card (players + 1), moves so far (2 players - 1, x pass, bet). */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const uint8_t *episode = state;
  const uint32_t n = params->players;
  uint8_t *row = out;
  memset(row, 0, 6 * (size_t)n - 1);
  row[agent] = 1;
  row[n + episode[agent]] = 1;
  for (uint32_t m = 0; m < episode[params->moves]; m++)
    row[2 * n + 1 + 2 * m + episode[params->move + m]] = 1;
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
static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const uint8_t *episode = state;
  memset(flag, AGON_ALIVE, params->players);
  if (!episode[params->over]) flag[episode[params->moves] % params->players] |= AGON_ACTS;
}

/* Somebody always wins. Of more than two players those who lost one chip stand before those who
 * lost two: what teams' outcomes are for is to be compared. */
static void outcome(const void *block, const void *state, float *out) {
  const Params *params = block;
  const uint32_t winner = winner_of(params, state);
  for (uint32_t p = 0; p < params->players; p++) {
    const bool cheap = params->players > 2 && !has_paid(params, state, p);
    out[p] = p == winner ? 1.0f : cheap ? 0.25f : 0.0f;
  }
}

static const char *action_name(const void *params, uint32_t head, uint32_t choice) {
  (void)params;
  (void)head;
  return choice ? "bet" : "pass";
}

static const char *observation_name(const void *params, uint32_t index) {
  return ((const Params *)params)->name[index];
}

const AgonEnv env_kuhn_poker = {
    AGON_ENV_SIZES,
    .name = "kuhn_poker",
    .summary = "the smallest poker: one card each, one bet; for two to ten players",
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
    .action_name = action_name,
    .observation_name = observation_name,
};

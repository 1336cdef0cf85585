/* my_game: poker with one card and one exchange.
 *
 * A deck has two cards of each rank. Both players pay one chip and get a card that the other does
 * not see. In turn each may keep it or exchange it, once, for one from the deck. Then the first may
 * bet a chip or pass, and the other answers; who is bet against bets too (calls) or passes (folds).
 * The higher card takes all; equal ones take back what they paid.
 *
 * A game of turns in which players see different things. What matters most is `observe`: it must
 * tell a player all that it has seen itself so far, and nothing that it has not. To make yours of
 * it, begin with Episode, then `step` and `observe`; agon/env.h explains each function.
 * `agon env check` after every change finds most mistakes; `agon exploit` says exactly how far a
 * player is from one that cannot be beaten.
 */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RANKS = 13, COPIES = 2 };
enum { KEEP, SWAP, PASS, BET, CHOICES };
/* Decisions of a game in their order: each keeps or swaps; then first, second, first bet. */
enum { SWAPS = 2, MOST_MOVES = 5 };

/* What the options chose. It is written once, by configure. */
typedef struct Params {
  uint32_t ranks;
  AgonKind kind;
} Params;

/* The whole state of a game: copying these bytes copies the game. */
typedef struct Episode {
  uint8_t left[MOST_RANKS]; /* cards of each rank in the deck */
  uint8_t first[2];         /* the rank that each was dealt */
  uint8_t card[2];          /* the rank that each holds */
  uint8_t dealt;            /* how many have their first card */
  uint8_t drawing;          /* player, plus 1, who is about to get another card */
  uint8_t moves;
  uint8_t move[MOST_MOVES];
  uint8_t over;
  int8_t won; /* chips that player 0 gets from player 1 */
} Episode;

static const AgonEnvOption options[] = {
    {"ranks", AGON_OPT_INT, "5", 2, MOST_RANKS, NULL, "ranks in the deck, two cards of each"},
};

static const uint32_t choices[] = {CHOICES};

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  Params *params = block;
  params->ranks = (uint32_t)atoi(values[0]);
  params->kind = (AgonKind){.observation_type = AGON_U8,
                            .observation_shape = {2 + 2 * params->ranks + 2 * MOST_MOVES, 1, 1},
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = choices};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &params->kind,
                        .chance = params->ranks,
                        .step_limit = MOST_MOVES,
                        .flags = AGON_ZERO_SUM | AGON_ENUMERATES_CHANCE,
                        .reward_low = -2,
                        .reward_high = 2,
                        .metrics = 1};
  return 0;
}

/* A full deck; chance deals. */
static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)random;
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  memset(episode, 0, sizeof *episode);
  memset(episode->left, COPIES, params->ranks);
  return AGON_CHANCE;
}

/* Any card of the deck, with equal probability. */
static uint32_t chance_outcomes(const void *block, const void *state, double *probability) {
  const Params *params = block;
  const Episode *episode = state;
  uint32_t left = 0;
  for (uint32_t r = 0; r < params->ranks; r++)
    left += episode->left[r];
  for (uint32_t r = 0; r < params->ranks; r++)
    probability[r] = (double)episode->left[r] / left;
  return params->ranks;
}

/* The drawn card goes to whom it is for: first to both, later to who exchanges. */
static AgonStatus chance_apply(const void *block, void *state, uint32_t rank, float *reward,
                               AgonError *error) {
  (void)block;
  (void)reward;
  (void)error;
  Episode *episode = state;
  episode->left[rank]--;
  if (episode->drawing) {
    episode->card[episode->drawing - 1] = (uint8_t)rank;
    episode->drawing = 0;
    return AGON_RUNNING;
  }
  episode->first[episode->dealt] = (uint8_t)rank;
  episode->card[episode->dealt] = (uint8_t)rank;
  episode->dealt++;
  return episode->dealt < 2 ? AGON_CHANCE : AGON_RUNNING;
}

/* Players take turns, also in the second round. */
static uint32_t to_move(const Episode *episode) {
  return episode->moves % 2;
}

static int has_bet(const Episode *episode, uint32_t index) {
  return index < episode->moves && episode->move[index] == BET;
}

/* Whether nothing is left to be said: the first's bet was answered, or both have passed, or the
 * second's bet was answered. */
static int is_done(const Episode *episode) {
  if (episode->moves < SWAPS + 2) return 0;
  if (episode->moves == MOST_MOVES) return 1;
  return has_bet(episode, SWAPS) || !has_bet(episode, SWAPS + 1);
}

/* What player 0 gets from player 1: who does not answer a bet loses what it paid. */
static int won_by_first(const Episode *episode) {
  const int first = has_bet(episode, SWAPS) || has_bet(episode, SWAPS + 2);
  const int second = has_bet(episode, SWAPS + 1);
  if (first != second) return first ? 1 : -1;
  if (episode->card[0] == episode->card[1]) return 0;
  return (episode->card[0] > episode->card[1] ? 1 : -1) * (first ? 2 : 1);
}

/* The host only passes legal moves on, so nothing is checked here. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)block;
  (void)random;
  (void)error;
  Episode *episode = state;
  const uint32_t player = to_move(episode);
  episode->move[episode->moves++] = (uint8_t)actions[player].choice;
  if (actions[player].choice == SWAP) {
    episode->drawing = (uint8_t)(player + 1);
    return AGON_CHANCE;
  }
  if (!is_done(episode)) return AGON_RUNNING;
  episode->over = 1;
  episode->won = (int8_t)won_by_first(episode);
  reward[0] += episode->won;
  reward[1] -= episode->won;
  return AGON_TERMINATED;
}

/* One-hot: the seat, one's own card as dealt and as it is now, and all moves so far, which both
 * have seen. The card that was given away stays among it: a player may not forget what it knows. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  uint8_t *row = out;
  memset(row, 0, params->kind.observation_shape[0]);
  row[agent] = 1;
  row += 2;
  row[episode->first[agent]] = 1;
  row += params->ranks;
  row[episode->card[agent]] = 1;
  row += params->ranks;
  for (uint32_t m = 0; m < episode->moves; m++)
    row[2 * m + episode->move[m] % 2] = 1;
}

/* First about the card, then about chips. */
static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  (void)block;
  (void)agent;
  const int swaps = ((const Episode *)state)->moves < SWAPS;
  row[KEEP] = (uint8_t)swaps;
  row[SWAP] = (uint8_t)swaps;
  row[PASS] = (uint8_t)!swaps;
  row[BET] = (uint8_t)!swaps;
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  (void)block;
  const Episode *episode = state;
  flag[1] = AGON_ALIVE;
  flag[0] = AGON_ALIVE;
  if (!episode->over) flag[to_move(episode)] |= AGON_ACTS;
}

/* 1 won, 0 lost, and a draw is half of either. */
static void outcome(const void *block, const void *state, float *out) {
  (void)block;
  const int won = ((const Episode *)state)->won;
  out[0] = won > 0 ? 1.0f : won < 0 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

/* What is counted of a game: means of it stand in metrics, `status` and the report. */
static const char *const metric_names[] = {"swaps"};

static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  const Episode *episode = state;
  values[0] = (float)((episode->move[0] == SWAP) + (episode->move[1] == SWAP));
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[CHOICES] = {"keep", "swap", "pass", "bet"};
  (void)block;
  (void)head;
  return name[choice];
}

/* What both have said, and the cards; `play` shows a person only what its player sees. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Episode *episode = state;
  char said[MOST_MOVES * 6 + 1] = "";
  for (uint32_t m = 0, at = 0; m < episode->moves; m++)
    at += (uint32_t)snprintf(said + at, sizeof said - at, " %s",
                             action_name(block, 0, episode->move[m]));
  snprintf(text, size, "cards %u and %u;%s\n", episode->card[0] + 1, episode->card[1] + 1,
           episode->moves ? said : " nothing was said");
}

/* What `play` tells a person, whom the picture would tell the other's card. */
static const char *observation_name(const void *block, uint32_t index) {
  static const char *const dealt[MOST_RANKS] = {
      "you got 1", "you got 2", "you got 3",  "you got 4",  "you got 5",  "you got 6", "you got 7",
      "you got 8", "you got 9", "you got 10", "you got 11", "you got 12", "you got 13"};
  static const char *const held[MOST_RANKS] = {
      "you hold 1",  "you hold 2",  "you hold 3", "you hold 4", "you hold 5",
      "you hold 6",  "you hold 7",  "you hold 8", "you hold 9", "you hold 10",
      "you hold 11", "you hold 12", "you hold 13"};
  static const char *const said[2 * MOST_MOVES] = {
      "first kept", "first swapped", "second kept", "second swapped", "first passed",
      "first bet",  "second passed", "second bet",  "first folded",   "first called"};
  const uint32_t ranks = ((const Params *)block)->ranks;
  if (index < 2) return index ? "you are second" : "you are first";
  if (index < 2 + ranks) return dealt[index - 2];
  if (index < 2 + 2 * ranks) return held[index - 2 - ranks];
  return said[index - 2 - 2 * ranks];
}

/* A player by rule, for ratings to measure against: exchanges the lower half, bets on the highest
 * third, and answers with the upper half. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)random;
  const Params *params = block;
  const Episode *episode = state;
  const uint32_t rank = episode->card[agent];
  const int upper = 2 * rank + 1 >= params->ranks;
  const int answers = has_bet(episode, episode->moves - 1u);
  if (episode->moves < SWAPS)
    action->choice = upper ? KEEP : SWAP;
  else
    action->choice = (answers ? upper : 3 * rank >= 2 * params->ranks) ? BET : PASS;
}

static const AgonEnv env_my_game = {
    AGON_ENV_SIZES,
    .version = 1, /* another number when the rules change: old results are then another game's */
    .name = "my_game",
    .summary = "poker with one card each, one exchange and one bet",
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
    .action_name = action_name,
    .observation_name = observation_name,
    .render = render,
    .scripted = scripted,
};

/* A plug-in exports this one function. */
const AgonEnv *agon_env(void) {
  return &env_my_game;
}

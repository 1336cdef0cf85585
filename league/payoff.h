/* The payoff between players, sparse, per ordered pair: raw (never decayed), decayed (what matchmaking sees) and eval
 * (from evaluation lanes, counted apart). A match is entered in both orders; a player against itself is not entered. */
#pragma once
#include "base/status.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Tally {
  double games, wins, draws, losses, returns, squares; /* for the home player */
} Tally;

typedef struct Pair {
  uint32_t away;
  Tally raw, decayed, eval;
  double since; /* raw games since the home player's last snapshot or reset */
} Pair;

typedef struct PairRow {
  Pair *pair; /* sorted by away */
  size_t pairs, room;
} PairRow;

typedef struct Payoff {
  PairRow *row; /* by home id */
  size_t rows, room;
  double decay; /* per game; 1 = never */
} Payoff;

void payoff_free(Payoff *payoff);
const Pair *payoff_find(const Payoff *payoff, uint32_t home, uint32_t away);  /* NULL: never met */
Status payoff_pair(Payoff *payoff, uint32_t home, uint32_t away, Pair **out); /* finds or adds */
/* Decayed games of a player against all, and of them its score: wins and half the draws. */
void payoff_score(const Payoff *payoff, uint32_t player, double *games, double *score);
typedef enum PayoffPart { PAYOFF_TRAIN, PAYOFF_EVAL, PAYOFF_RAW_ONLY } PayoffPart;
/* k of n games in bulk: decayed = old * d^n + (k / n) (1 - d^n) / (1 - d); away's tally is the mirror. */
Status payoff_add(Payoff *payoff, uint32_t home, uint32_t away, const Tally *home_tally, double away_returns,
                  double away_squares, PayoffPart part);
/* (wins + draws / 2) / games of the decayed tally; 0.5 without games. */
double payoff_win_rate(const Payoff *payoff, uint32_t home, uint32_t away);
/* The decayed mean return rescaled by low .. high to 0 .. 1; 0.5 without games. */
double payoff_return_rate(const Payoff *payoff, uint32_t home, uint32_t away, double low, double high);
void payoff_forget(Payoff *payoff, uint32_t player);  /* a reset: its decayed row and column are cleared */
void payoff_restart(Payoff *payoff, uint32_t player); /* a snapshot or reset: min_games counts anew */
Status payoff_inherit(Payoff *payoff, uint32_t child, uint32_t parent); /* decayed row and column are copied */
Status payoff_save(const Payoff *payoff, Tree *tree);
Status payoff_load(Payoff *payoff, const Tree *tree);

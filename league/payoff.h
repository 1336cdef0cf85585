/* The payoff between players, sparse, per ordered pair and per seat of the row's player: raw (never decayed), decayed
 * (what matchmaking sees) and eval (from evaluation lanes, counted apart). Games are gathered over a tick and entered
 * at its end, in both orders: what is remembered depends neither on the number of actors that played them nor on which
 * seat reported first. A player against itself is not entered. */
#pragma once
#include "base/status.h"
#include "meta/tally.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Pair {
  uint32_t away;
  uint32_t gathered;                             /* 1 + index of the tick's games with home on the first seat */
  Tally decayed[SEATS], raw[SEATS], eval[SEATS]; /* by the seat that home had */
  double since[SEATS];                           /* of the decayed games, those after home's last snapshot or reset */
} Pair;

typedef struct PairRow {
  Pair *pair; /* sorted by away */
  size_t pairs, room;
} PairRow;

typedef enum PayoffPart { PAYOFF_TRAIN, PAYOFF_EVAL, PAYOFF_RAW_ONLY, PAYOFF_PARTS } PayoffPart;

/* A tick's games of one pair in one order of seats: first's and second's side of each part. */
typedef struct Gathered {
  uint32_t player[SEATS];
  Tally part[PAYOFF_PARTS][SEATS];
} Gathered;

typedef struct Payoff {
  PairRow *row; /* by home id */
  size_t rows, room;
  double decay; /* of a seat's memory, per game in that seat; 1 = never */
  Gathered *gathered;
  size_t gathers, gather_room;
} Payoff;

void payoff_free(Payoff *payoff);
const Pair *payoff_find(const Payoff *payoff, uint32_t home, uint32_t away);  /* NULL: never met */
Status payoff_pair(Payoff *payoff, uint32_t home, uint32_t away, Pair **out); /* finds or adds */

/* Games in which `first` had the first seat and `second` the other, for the present tick; the tally is first's. */
Status payoff_add(Payoff *payoff, uint32_t first, uint32_t second, const Tally *tally, double second_returns,
                  double second_squares, PayoffPart part);
/* Enters what the tick has gathered. k of n games of a seat in bulk: decayed = old * d^n + (k / n) (1 - d^n) / (1 - d),
 * once for each pair and seat. */
void payoff_settle(Payoff *payoff);

/* Whether every pair's games are seen alike from both sides, and all numbers are finite. */
bool payoff_symmetric(const Payoff *payoff);

/* Seats that the home player's decayed rates against `away` come from: 0 = never met, 1 = one seat only, 2 = both. */
int payoff_seats_known(const Payoff *payoff, uint32_t home, uint32_t away);
/* The mean over the known seats of (wins + draws / 2) / games of the decayed tallies; 0.5 without games. */
double payoff_win_rate(const Payoff *payoff, uint32_t home, uint32_t away);
/* The same of returns: half of the difference between home's and away's mean return; 0 without games. */
double payoff_margin(const Payoff *payoff, uint32_t home, uint32_t away);
/* Decayed games of a player against all, and of them its score, by the win rates. */
void payoff_score(const Payoff *payoff, uint32_t player, double *games, double *score);
/* Over all games, raw and eval: the tally of whoever had the first seat. */
Tally payoff_first_seat(const Payoff *payoff);

void payoff_forget(Payoff *payoff, uint32_t player);  /* a reset: its decayed row and column are cleared */
void payoff_restart(Payoff *payoff, uint32_t player); /* a snapshot or reset: min_games counts anew */
Status payoff_inherit(Payoff *payoff, uint32_t child, uint32_t parent); /* decayed row and column are copied */
Status payoff_save(const Payoff *payoff, Tree *tree);                   /* of a settled payoff */
Status payoff_load(Payoff *payoff, size_t players, const Tree *tree);

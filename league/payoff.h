/* The payoff between players, sparse, per ordered pair and per seat of the row's player: raw (never
 * decayed), decayed (what matchmaking sees) and eval (from evaluation lanes, counted apart). Games
 * are gathered over a tick and entered at its end, in both orders: what is remembered depends
 * neither on the number of actors that played them nor on which seat reported first. A player
 * against itself is not entered. */
#pragma once
#include "base/status.h"
#include "meta/tally.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* What home knows of away. Arrays by the seat that home had. */
typedef struct Pair {
  uint32_t away;
  uint32_t gathered; /* 1 + index of the tick's games with home on the first seat; 0: none */
  Tally decayed[SEATS];
  Tally raw[SEATS];
  Tally eval[SEATS];
  double since[SEATS]; /* of the decayed games, those after home's last snapshot or reset */
} Pair;

typedef struct PairRow {
  Pair *pair; /* owned; sorted by away */
  size_t pairs;
  size_t room;
} PairRow;

/* What a game counts for. */
typedef enum PayoffPart {
  PAYOFF_TRAIN,    /* of players as they are now: decayed and raw */
  PAYOFF_EVAL,     /* of an evaluation lane */
  PAYOFF_RAW_ONLY, /* of a player that has been reset since it began */
  PAYOFF_PARTS
} PayoffPart;

/* A tick's games of one pair in one order of seats: first's and second's side of each part. */
typedef struct Gathered {
  uint32_t player[SEATS];
  Tally part[PAYOFF_PARTS][SEATS];
} Gathered;

typedef struct Payoff {
  PairRow *row; /* owned; by home id */
  size_t rows;
  size_t room;
  double decay;       /* of a seat's memory, per game in that seat; 1 = never */
  bool one_seat;      /* players have a side that they always play: each pair meets in one seat */
  Gathered *gathered; /* owned; of the present tick */
  size_t gathers;
  size_t gather_room;
} Payoff;

void payoff_free(Payoff *payoff);
/* Borrowed until a pair is added; NULL: never met. */
const Pair *payoff_find(const Payoff *payoff, uint32_t home, uint32_t away);
/* Finds or adds. */
Status payoff_pair(Payoff *payoff, uint32_t home, uint32_t away, Pair **out);

/* Games in which `first` had the first seat and `second` the other, for the present tick; the tally
 * is first's. */
Status payoff_add(Payoff *payoff, uint32_t first, uint32_t second, const Tally *tally,
                  double second_returns, double second_squares, PayoffPart part);
/* Enters what the tick has gathered. k of n games of a seat in bulk: decayed = old * d^n + (k / n)
 * (1 - d^n) / (1 - d), once for each pair and seat. */
void payoff_settle(Payoff *payoff);

/* Whether every pair's games are seen alike from both sides, and all numbers are finite. */
bool payoff_symmetric(const Payoff *payoff);

/* Seats that the home player's decayed rates against `away` come from: 0 = never met, 1 = one seat
 * only, 2 = both. */
int payoff_seats_known(const Payoff *payoff, uint32_t home, uint32_t away);
/* How many games, evenly dealt over the seats that a pair can meet in, would tell its rate as well:
 * of both seats, 0 if one has none; or all, where pairs meet in one seat. */
double payoff_effective(const Payoff *payoff, double first, double second);
/* The mean over the known seats of (wins + draws / 2) / games of the decayed tallies; 0.5 without
 * games. */
double payoff_win_rate(const Payoff *payoff, uint32_t home, uint32_t away);
/* The same of returns: half of the difference between home's and away's mean return; 0 without
 * games. */
double payoff_margin(const Payoff *payoff, uint32_t home, uint32_t away);
/* Decayed games of a player against all, and of them its score, by the win rates. */
void payoff_score(const Payoff *payoff, uint32_t player, double *games, double *score);
/* Over all games, raw and eval: the tally of whoever had the first seat. */
Tally payoff_first_seat(const Payoff *payoff);
/* How many of these are of training. */
double payoff_trained(const Payoff *payoff);
/* What games of training and of evaluation are worth in an interval, as games that do not depend on
 * each other: of more than two teams the N - 1 of an episode of training count as one. */
double payoff_independent(uint32_t teams, double trained, double evaluated);

/* A reset: the player's decayed row and column are cleared. */
void payoff_forget(Payoff *payoff, uint32_t player);
/* A snapshot or reset: league.min_games counts anew. */
void payoff_restart(Payoff *payoff, uint32_t player);
/* A snapshot that is believed to play as its parent: decayed row and column are copied. */
Status payoff_inherit(Payoff *payoff, uint32_t child, uint32_t parent);
/* Players have other ids from now on: id p is map[p], and no two are the same. The payoff is
 * settled. ERR_MEMORY; then nothing has changed. */
Status payoff_renumber(Payoff *payoff, const uint32_t *map);
/* Columns of a checkpoint; the payoff is settled. */
Status payoff_save(const Payoff *payoff, Tree *tree);
/* ERR_FORMAT for what no settled payoff of so many players holds; *payoff is the caller's to free
 * then, too. */
Status payoff_load(Payoff *payoff, size_t players, const Tree *tree);

/* Ratings from counts of games, and the tests of chess engines on pairs of games. Pure arithmetic; never inf or nan. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Games of `a` (who has the first seat) against `b`. */
typedef struct Meeting {
  uint32_t a, b;
  double wins, draws, losses; /* of a */
} Meeting;

typedef struct RatingOptions {
  double prior;      /* virtual wins each way added to every meeting; > 0 keeps ratings finite */
  bool seats, draws; /* fit the first seat's advantage, and the rate of draws */
  uint32_t anchor;   /* player at 0 Elo; >= players: the mean is 0 */
  size_t bootstraps; /* resamples for the intervals; 0 = none */
  uint64_t seed;
} RatingOptions;

typedef struct Rated {
  double elo, low, high; /* 95 % interval; without bootstraps, or with a bound, by the curvature of the likelihood, the
                            others held */
  double games;
  int bound;     /* +1: never lost or drew, elo is only a lower bound; -1: never won or drew */
  size_t island; /* players of different islands are not connected by games: their ratings cannot be compared */
} Rated;

typedef struct RatingFit {
  double seat; /* Elo of sitting first */
  double draw; /* Davidson's nu: at equal strength draws / wins of one side = nu */
  size_t islands;
  double log_likelihood;
} RatingFit;

/* Bradley-Terry (1952) with Davidson's draws (1970) and a seat effect (Davidson and Beaver 1977), maximum likelihood
 * with the prior: P(a wins) = g A / (g A + B + nu sqrt(g A B)), A = 10^(elo_a / 400). out: (players). */
Status meta_bradley_terry(const Meeting *meeting, size_t meetings, size_t players, const RatingOptions *options,
                          Rated *out, RatingFit *fit);

/* Pairs of games (seats swapped, one opening): count[k] pairs in which a scored k / 2 of 2 points. */
typedef struct Pentanomial {
  double count[5];
} Pentanomial;
typedef struct EloBlock {
  double pairs, score, elo, error; /* error: half of the 95 % interval in Elo, as chess tools print it */
  double low, high, superiority;   /* superiority: likelihood that a is stronger, 0..1 */
  int bound;                       /* as in Rated: all pairs 2-0 (+1) or 0-2 (-1): elo is the nearest end */
} EloBlock;
EloBlock meta_elo_block(const Pentanomial *pairs);
/* Log-likelihood ratio of "a is elo1 stronger" against "elo0", by the generalised SPRT over pentanomial frequencies:
 * each hypothesis at its maximum likelihood with the mean fixed. Wald's bounds: accept elo1 above log((1 - beta) /
 * alpha), elo0 below log(beta / (1 - alpha)). */
double meta_sprt(const Pentanomial *pairs, double elo0, double elo1);
double meta_sprt_upper(double alpha, double beta);
double meta_sprt_lower(double alpha, double beta);

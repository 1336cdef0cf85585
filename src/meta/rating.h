/* Ratings from counts of games, and the tests of chess engines on pairs of games. Pure arithmetic;
 * never inf or nan.
 *
 * One scale everywhere: a player that is D Elo stronger is expected to score 1 / (1 + 10^(-D /
 * 400)) of the points, a draw being half a point and both seats counting alike. Seats and draws so
 * change no one's rating, only its interval. The unit of evidence is the pair of games with swapped
 * seats and one opening: its two games are not independent. */
#pragma once
#include "base/status.h"
#include "meta/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A score with its interval, and what both are worth in Elo. */
typedef struct EloBlock {
  double pairs, score, score_low, score_high; /* 0..1, with the 95 % interval */
  double elo, low, high, error; /* error: half of the interval in Elo, as chess tools print it */
  double superiority;           /* likelihood that a is stronger, 0..1 */
  int bound;                    /* all pairs 2-0 (+1) or 0-2 (-1): only low (high) says anything */
} EloBlock;
/* Wilson's interval with the variance of pairs in place of that of single games (half a pair more,
 * spread over all results, is added to it) and Student's t in place of the normal:
 * tests/unit/test_coverage.c shows what it covers. No pairs: a score of 0.5 between 0 and 1. */
EloBlock meta_elo_block(const Pentanomial *pairs);
/* The same from single games that are independent of one another. */
EloBlock meta_elo_block_of_games(double wins, double draws, double losses);
double meta_quantile(double freedom); /* 97.5 % of Student's t; at least one degree of freedom */
/* The difference in Elo at which `score`, 0..1, is expected; infinite at both ends. */
double meta_elo(double score);
/* The score expected, 0..1, of who is `elo` stronger. */
double meta_expected_score(double elo);

/* Log-likelihood ratio of "a is elo1 stronger" against "elo0", by the generalised SPRT over
 * pentanomial frequencies: each hypothesis at its maximum likelihood with the mean fixed. Wald's
 * bounds: accept elo1 above log((1 - beta) / alpha), elo0 below log(beta / (1 - alpha)). */
double meta_sprt(const Pentanomial *pairs, double elo0, double elo1);
double meta_sprt_upper(double alpha, double beta);
double meta_sprt_lower(double alpha, double beta);

/* The mean of both seats' scores, however many games each has; of the one seat that is known, where
 * it is one. No games: 0.5. */
double meta_meeting_score(const Meeting *meeting);

enum { RATING_MOST = 4096 /* players */, RATING_MEAN = UINT32_MAX };

/* What the ratings are to be measured from, and with what prior. */
typedef struct RatingOptions {
  double prior; /* virtual wins each way added to every meeting; 0: plain maximum likelihood */
  /* (players) whose intervals are wanted: the others are left unknown; NULL: all */
  const bool *only;
  /* player at 0 Elo; RATING_MEAN: the mean of those who can be compared both ways is 0 */
  uint32_t anchor;
} RatingOptions;

/* A player's rating. */
typedef struct Rated {
  bool known; /* games connect the player with the anchor; else the four below say nothing */
  /* +1: no one on the anchor's side ever took a point off its side: low is all that is known; -1:
   * high */
  int bound;
  double elo, low, high; /* with the 95 % interval of the difference to the anchor */
  double games;          /* played, known or not */
  size_t island;         /* players of different islands are not connected by games */
} Rated;

/* What is said of all meetings together. */
typedef struct RatingFit {
  size_t islands;
  uint32_t anchor; /* the player at 0 Elo; RATING_MEAN: several */
  /* mean score of whoever sits first, over meetings in both seats; negative: unknown */
  double first_seat;
  double draws;      /* share of all games */
  size_t one_seated; /* meetings that are known from one seat only */
} RatingFit;

/* Bradley-Terry (1952) on the scores of meetings: the ratings at which every player's expected
 * points are those that it made (with the prior). Newton's method on the whole concave likelihood;
 * ERR_INTERNAL if it does not converge, ERR_USAGE for more than RATING_MOST players. Intervals:
 * H^-1 M H^-1 of differences to the anchor, H the whole Hessian, M the observed variance of
 * meetings by pairs, so that draws, seats and shared openings are in them. out: (players). */
Status meta_bradley_terry(const Meeting *meeting, size_t meetings, size_t players,
                          const RatingOptions *options, Rated *out, RatingFit *fit);

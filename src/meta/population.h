/* Populations as games: which mixtures of players matter, and how far one rating tells the story. Payoff tables are
 * (n, n), row-major, of the row's player against the column's. Pure arithmetic. */
#pragma once
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* alpha-rank (Omidshafiei et al. 2019, single population, eq. 2-4): stationary distribution of the chain in which a
 * mutant j takes over a population of m players i. a: payoffs in any units; alpha: selection strength per unit, > 0. */
Status meta_alpha_rank(const double *a, size_t n, double m, double alpha, double *out);
/* Nash averaging (Balduzzi et al. 2018): the maximum-entropy Nash equilibrium of the antisymmetric part of a. skill (n,
 * may be NULL): payoff of each player against that equilibrium. ERR_INTERNAL if it does not converge. */
Status meta_nash_average(const double *a, size_t n, double *mix, double *skill);
/* Meta-games need every entry of their table: who never met is no draw. met: (n, n), symmetric, non-zero where two have
 * met; the diagonal does not matter. in (n): 1 for the players of a set of which all have met one another and to which
 * no one can be added. Who misses most others goes first, among these the one with the lowest number (the oldest).
 * Returns their count. */
size_t meta_all_met(const unsigned char *met, size_t n, unsigned char *in);
/* The rows and columns of `in` out of a (n, n) table; out: (count, count). */
void meta_select(const double *a, size_t n, const unsigned char *in, double *out);
/* Replicator dynamics x' = x (A x - x'Ax) from x (n), by steps of fourth-order Runge-Kutta; path: (steps + 1, n). */
Status meta_replicator(const double *a, size_t n, const double *x, double step, size_t steps, double *path);

typedef struct Transitivity {
  double explained;  /* share of the variance of scores (about 0.5) that the ratings' curve explains, 0..1 */
  uint32_t cycle[3]; /* i beats j beats k beats i, with the largest smallest margin */
  double margin;     /* that smallest margin over 0.5; <= 0: there is no cycle */
} Transitivity;
/* score: (n, n) expected score 0..1, negative = never met; elo: (n), NAN: not rated. explained is negative where no
 * rated players met. */
Transitivity meta_transitivity(const double *score, const double *elo, size_t n);

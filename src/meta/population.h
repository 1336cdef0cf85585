/* Populations as games: which mixtures of players matter, and how far one rating tells the story.
 * Payoff tables are (n, n), row-major, of the row's player against the column's. Pure
 * arithmetic. */
#pragma once
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* alpha-rank (Omidshafiei et al. 2019, single population, eq. 2-4): how often a population of m
 * players, taken over now and then by mutants that do well against it, consists of each. a (n, n):
 * payoffs in any unit; alpha: strength of selection per that unit, > 0. out (n) sums to 1.
 * ERR_MEMORY. */
Status meta_alpha_rank(const double *a, size_t n, double m, double alpha, double *out);
/* Nash averaging (Balduzzi et al. 2018): the equilibrium of the largest entropy of the
 * antisymmetric part of a (n, n), mix (n), which copies of a player do not change. skill (n, may be
 * NULL): payoff of each player against that mixture, at most 0. ERR_INTERNAL if it does not
 * converge, ERR_MEMORY. */
Status meta_nash_average(const double *a, size_t n, double *mix, double *skill);
/* Meta-games need every entry of their table: players that never met are no draw. met (n, n):
 * symmetric, not 0 where two have met; the diagonal does not matter. in (n): 1 for the members of a
 * set of which all have met one another and to which no one can be added. Who misses most others
 * goes first, among these the one with the lowest number (the oldest). Returns how many are in; 0
 * also without memory. */
size_t meta_all_met(const unsigned char *met, size_t n, unsigned char *in);
/* The same between two sides, where only players of different sides can meet. side (n): any two
 * values; of met (n, n), only entries between the sides matter. in (n): members of both sides, each
 * of whom has met all members of the other; whoever is out lacks one of them. If any two have met,
 * neither side is empty; else nobody is in. Who misses the largest share of the other side goes
 * first, among these the one with the highest number (the newest); the last of a side stays.
 * *count: how many are in. ERR_MEMORY. */
Status meta_sides_met(const unsigned char *met, const unsigned char *side, size_t n,
                      unsigned char *in, size_t *count);
/* Copies the rows and columns of `in` out of a (n, n) to out (count, count). */
void meta_select(const double *a, size_t n, const unsigned char *in, double *out);
/* Replicator dynamics x' = x (A x - x'Ax) from x (n), by `steps` steps of fourth-order Runge-Kutta,
 * each of length `step`. path (steps + 1, n). ERR_MEMORY. */
Status meta_replicator(const double *a, size_t n, const double *x, double step, size_t steps,
                       double *path);

/* How far one rating a player tells the whole story. */
typedef struct Transitivity {
  /* share of the variance of scores (about 0.5) that the ratings' curve explains, 0..1 */
  double explained;
  uint32_t cycle[3]; /* i beats j beats k beats i, with the largest smallest margin */
  double margin;     /* that smallest margin over 0.5; <= 0: there is no cycle */
} Transitivity;

/* score (n, n): expected score of the row's player, 0..1, negative where they never met; elo (n):
 * NAN where not rated. `explained` is negative where no rated players met. */
Transitivity meta_transitivity(const double *score, const double *elo, size_t n);

/* The empirical game of two populations: who each side can send, and what both sides earn on
 * average where two of them meet; and its equilibria. */
#pragma once
#include "eval/standing.h"
#include "meta/equilibrium.h"

typedef enum Solution { SOLVE_CE, SOLVE_CCE, SOLVE_NASH } Solution; /* the first two as Concept */
#define SOLUTION_NAMES CONCEPT_NAMES "|nash"

/* A solved game. Its arrays are owned. */
typedef struct Empirical {
  size_t count[SEATS];
  uint32_t *member[SEATS]; /* (count) numbers of the players of a side */
  double *payoff;          /* (SEATS, count[0], count[1]) mean returns of both */
  double *joint;           /* (count[0], count[1]) the equilibrium; of Nash the product of both */
  double fewest;           /* games of a pair that met least */
  EquilibriumFacts facts;
} Empirical;

/* Among those who entered the standing's meta-games, which must be on mean returns. One population
 * is both sides, which its players meet only in others: what two copies of one earn together is
 * known only where that is the same for all. ERR_USAGE says why there is no solution: nobody
 * entered, returns of one side only are known, Nash of a general-sum game, too many players. Codes
 * of equilibrium_find. *out is the caller's (empirical_free), on failure too. */
Status empirical_solve(const Standing *standing, Solution solution, Selection selection,
                       Empirical *out);
void empirical_free(Empirical *empirical);

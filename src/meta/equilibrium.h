/* Correlated equilibria of games in normal form, of any number of players and with whatever
 * payoffs: somebody draws a joint strategy from a known distribution and tells each player its own
 * part. In a correlated equilibrium (CE, Aumann 1974) no player gains by answering what it was told
 * with something else; in a coarse one (CCE, Moulin and Vial 1978) none gains by saying, before it
 * is told anything, that it will always play one strategy. Every Nash equilibrium is a CE, every CE
 * a CCE. They are linear constraints: a Nash equilibrium is hard to find where the game is not
 * zero-sum, these are a linear program. Pure arithmetic. */
#pragma once
#include "base/status.h"

#include <stddef.h>

enum { EQUILIBRIUM_PLAYERS = 8 };

/* A game. A joint strategy is a number: the last player's strategy runs fastest. Borrowed. */
typedef struct NormalForm {
  size_t players;       /* 1 .. EQUILIBRIUM_PLAYERS */
  const size_t *count;  /* (players) strategies of each, at least 1 */
  const double *payoff; /* (players, joint strategies) */
} NormalForm;

typedef enum Concept { CONCEPT_CE, CONCEPT_CCE } Concept;
#define CONCEPT_NAMES "ce|cce"

/* Which of the equilibria, as there are many. WELFARE: one with the largest sum of payoffs, a
 * vertex of these where several have it. GINI: the one with the largest Gini impurity 1 - sum of
 * squares (Marris et al. 2021), the only one that is so even, and full of all that it can contain.
 */
typedef enum Selection { SELECT_WELFARE, SELECT_GINI } Selection;
#define SELECTION_NAMES "welfare|gini"

/* The product of all counts. */
size_t equilibrium_joint(const NormalForm *game);
/* The strategy of `player` in a joint strategy. */
size_t equilibrium_part(const NormalForm *game, size_t joint, size_t player);

/* How large a game may be: joint strategies times constraints. */
#define EQUILIBRIUM_ROOM ((size_t)1 << 24)
/* Constraints of a concept: for a CE every other strategy than each one that can be told, for a CCE
 * every strategy. */
size_t equilibrium_constraints(const NormalForm *game, Concept concept);

/* The equilibrium, to `joint` (joint strategies), which sums to 1. What is left to gain in it
 * (equilibrium_measure) is at most 1e-7 of the largest difference between payoffs, or 1e-9 for each
 * constraint where that is more; the Gini impurity is within 1e-7 of the largest (told by a bound
 * from the dual), the welfare is what the linear program found. ERR_USAGE: over EQUILIBRIUM_ROOM;
 * ERR_INTERNAL: a program was not solved (payoffs that are not finite); ERR_MEMORY. */
Status equilibrium_find(const NormalForm *game, Concept concept, Selection selection,
                        double *joint);

/* What a joint distribution is worth. Gaps are what deviations would win, each player's best one,
 * summed over the players, so that 0 says that nobody gains. */
typedef struct EquilibriumFacts {
  double value[EQUILIBRIUM_PLAYERS]; /* expected payoff of each */
  double welfare;                    /* their sum */
  double gini;                       /* 1 - sum of squares, 0 .. 1 */
  double ce_gap;                     /* by answering each advice as is best */
  double cce_gap;                    /* by one strategy whatever the advice */
  double nash_gap; /* NashConv where everybody plays its own part of it, and all by themselves */
} EquilibriumFacts;
/* joint: (joint strategies), sums to 1. ERR_MEMORY. */
Status equilibrium_measure(const NormalForm *game, const double *joint, EquilibriumFacts *out);
/* A player's own part: out (its strategies). */
void equilibrium_marginal(const NormalForm *game, const double *joint, size_t player, double *out);

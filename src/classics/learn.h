/* Learning by tables, in one process: every agent of a game of few observations is a learner with a
 * table of its own, by what it sees. */
#pragma once
#include "agent/contestant.h"
#include "classics/classics.h"

/* What is learned, and how. Rates go from the first number to the second: of learning and of
 * temperature by equal factors, epsilon by equal steps. */
typedef struct LearnPlan {
  const Env *env; /* borrowed, with the next two */
  const ClassicOps *ops;
  /* Who has all teams but the one that learns, which is another one in each episode; NULL: all
   * learn. */
  Contestant *against;
  uint64_t steps; /* of the env, chance moves not counted */
  uint64_t seed;
  double initial; /* worths at first */
  double rate[2], epsilon[2];
  double temperature[2]; /* 0: choices are explored by epsilon */
  double down, leniency, cooling, discount;
} LearnPlan;

enum { CURVE_POINTS = 100 };

/* How it went up to a step. */
typedef struct CurvePoint {
  uint64_t step, episodes;
  size_t rows;    /* of all learners */
  uint64_t flips; /* so often has agent 0 changed its mind about its first observation */
} CurvePoint;

/* What came of it. Start from {0}. */
typedef struct Learned {
  ClassicLearner *learner; /* (agents) */
  uint32_t agents, teams;
  uint64_t *flips; /* (agents) changes of the best choice at an agent's first observation */
  CurvePoint point[CURVE_POINTS];
  size_t points;
  double
      *returns; /* (points, teams) mean over the episodes that ended since the point before; NAN */
  ClassicRates last;
  AgonRng rng; /* the learners' draws */
} Learned;

/* Learns; learned_free is due in any case, and the plan must outlive it. ERR_USAGE where the game
 * is not one for the algorithm: it says why. ERR_ENV, ERR_INTERNAL, ERR_MEMORY. */
Status learn(const LearnPlan *plan, Learned *out);
void learned_free(Learned *learned);
/* What all learners would do, explored no more (a softmax stays one), as rows of a table. The
 * arrays of *out are the caller's (learned_rows_free). ERR_MEMORY. */
Status learned_rows(const LearnPlan *plan, const Learned *learned, TableRows *out);
void learned_rows_free(TableRows *rows);
/* Plays episodes by what was learned, from a stream of their own; mean[team] of a team's return
 * (the mean over its agents). With `against` only the return of the team that learned counts, whose
 * turn it is, and all entries are its. ERR_ENV, ERR_MEMORY. */
Status learned_play(const LearnPlan *plan, Learned *learned, uint64_t episodes, double *mean);

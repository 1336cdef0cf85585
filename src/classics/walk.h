/* How a rule of learning moves two players of a game in normal form, as a path of points. */
#pragma once
#include "meta/dynamics.h"
#include "meta/lola.h"

#include "base/status.h"

#include <stdbool.h>

enum { WALK_POINTS = 1000 };

/* What a rule goes by. */
typedef struct WalkPlan {
  const Bimatrix *form; /* borrowed */
  double rate;          /* or length of a step */
  double entropy;       /* policy-gradient: the bonus */
  double inner;         /* lola: rate of the other's next step */
  double discount;      /* lola: of a round */
  Exploration exploration;
  uint64_t steps, seed;
} WalkPlan;

/* Where both are. */
typedef struct WalkState {
  double x[DYNAMICS_MOST], y[DYNAMICS_MOST]; /* probabilities, or frequencies */
  double q[2][DYNAMICS_MOST];                /* worths */
  double logits[2][LOLA_LOGITS];
  double value[2]; /* what both are paid a round */
  double rounds;
  AgonRng rng;
} WalkState;

/* A rule. */
typedef struct WalkOps {
  const char *name;
  const char *summary;
  uint64_t steps; /* defaults */
  double rate;
  bool averaged; /* draws its choices: points are means over the steps between them */
  bool iterated; /* of a game of two choices each, played for ever; points are how often the first
                    is made */
  void (*begin)(const WalkPlan *plan, WalkState *state);
  void (*step)(const WalkPlan *plan, WalkState *state);
  /* Where probabilities go; NULL: they alone do not say. */
  void (*field)(const WalkPlan *plan, const double *x, const double *y, double *dx, double *dy);
} WalkOps;

/* A path. Start from {0}. */
typedef struct Walk {
  size_t points, width; /* width: rows + columns, x and behind it y */
  uint64_t *step;       /* (points) */
  double *at;           /* (points, width) */
  double *value;        /* (points, 2) */
  uint64_t flips[2];    /* how often each one's most probable choice changed */
  double moved;         /* most that a probability moved within the last quarter */
} Walk;

extern const WalkOps *const walks[];
extern const size_t walk_count;
/* By name, or NULL. */
const WalkOps *walk_named(const char *name);
/* Walks from a start that the seed draws; walk_free is due in any case. ERR_USAGE where the game is
 * not one for the rule, ERR_MEMORY. */
Status walk_run(const WalkOps *ops, const WalkPlan *plan, Walk *out);
void walk_free(Walk *walk);

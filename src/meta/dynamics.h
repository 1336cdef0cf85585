/* How learning moves two players of a game in normal form: one step of a rule at a time, and the
 * fields that rules follow. Pure arithmetic over x (rows), y (columns): both players' probabilities
 * of their choices. */
#pragma once
#include "base/rng.h"

#include <stddef.h>

enum { DYNAMICS_MOST = 16 }; /* choices a player */

/* A game of two, which choose at once; its tables are borrowed. */
typedef struct Bimatrix {
  size_t rows, columns; /* each at most DYNAMICS_MOST */
  const double *a, *b;  /* (rows, columns) what the row's player is paid, and the column's */
} Bimatrix;

/* What each is paid on average. */
void form_value(const Bimatrix *game, const double *x, const double *y, double value[2]);
/* Replicator dynamics of two populations: x_i' = x_i ((A y)_i - x.A y), and y likewise. */
void replicator_field(const Bimatrix *game, const double *x, const double *y, double *dx,
                      double *dy);
/* Moves x and y along it, by one step of fourth-order Runge-Kutta. */
void replicator_step(const Bimatrix *game, double step, double *x, double *y);
/* Exact policy gradient of softmax policies with a bonus of `entropy` times their entropies: how
 * probabilities move where logits move along the gradient. */
void gradient_field(const Bimatrix *game, double entropy, const double *x, const double *y,
                    double *dx, double *dy);
/* Moves both logits by `rate` of the gradient, at once. Probabilities must be > 0. */
void gradient_step(const Bimatrix *game, double rate, double entropy, double *x, double *y);
/* Where Boltzmann Q-learning of infinitely small rate goes (Tuyls, 't Hoen and Vanschoenwinkel
 * 2006): the replicator's field over the temperature, and a pull towards the middle. */
void boltzmann_field(const Bimatrix *game, double temperature, const double *x, const double *y,
                     double *dx, double *dy);
/* Fictitious play (Brown 1951): both answer best to what the other has done so far, x and y being
 * the frequencies of `rounds` rounds; of equally good choices the first is taken. */
void fictitious_step(const Bimatrix *game, double rounds, double *x, double *y);
/* The same as a direction: towards the best answers. */
void fictitious_field(const Bimatrix *game, const double *x, const double *y, double *dx,
                      double *dy);

/* How a Q-learner explores: softmax of its worths where the temperature is > 0, else the best
 * (equals alike) but with probability epsilon any. */
typedef struct Exploration {
  double epsilon, temperature;
} Exploration;

/* The probabilities of `count` choices by which it acts. */
void explore(const Exploration *how, const double *q, size_t count, double *out);
/* One round of two Q-learners, each of which sees its own payoff only: draws both choices, and
 * updates both worths, q_row (rows) and q_column (columns). */
void q_round(const Bimatrix *game, const Exploration *how, double rate, AgonRng *rng, double *q_row,
             double *q_column);

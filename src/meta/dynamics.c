#include "meta/dynamics.h"

#include "meta/tabular.h"

#include <math.h>
#include <string.h>

/* What each of the row player's choices is paid against y. */
static void pay_rows(const Bimatrix *game, const double *y, double *out) {
  for (size_t i = 0; i < game->rows; i++) {
    out[i] = 0;
    for (size_t j = 0; j < game->columns; j++)
      out[i] += game->a[i * game->columns + j] * y[j];
  }
}

/* What each of the column player's is paid against x. */
static void pay_columns(const Bimatrix *game, const double *x, double *out) {
  for (size_t j = 0; j < game->columns; j++) {
    out[j] = 0;
    for (size_t i = 0; i < game->rows; i++)
      out[j] += game->b[i * game->columns + j] * x[i];
  }
}

static double dot(const double *x, const double *y, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += x[i] * y[i];
  return sum;
}

void form_value(const Bimatrix *game, const double *x, const double *y, double value[2]) {
  double pays[DYNAMICS_MOST];
  pay_rows(game, y, pays);
  value[0] = dot(x, pays, game->rows);
  pay_columns(game, x, pays);
  value[1] = dot(y, pays, game->columns);
}

/* p_i (worth_i - mean worth): both the replicator and gradients of a softmax have this form. */
static void select_by(const double *worth, const double *p, size_t n, double *out) {
  const double mean = dot(p, worth, n);
  for (size_t i = 0; i < n; i++)
    out[i] = p[i] * (worth[i] - mean);
}

void replicator_field(const Bimatrix *game, const double *x, const double *y, double *dx,
                      double *dy) {
  double pays[DYNAMICS_MOST];
  pay_rows(game, y, pays);
  select_by(pays, x, game->rows, dx);
  pay_columns(game, x, pays);
  select_by(pays, y, game->columns, dy);
}

/* Rounding must not take a probability below 0, nor their sum from 1. */
static void put_right(double *p, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    if (p[i] < 0) p[i] = 0;
    sum += p[i];
  }
  for (size_t i = 0; i < n; i++)
    p[i] /= sum;
}

void replicator_step(const Bimatrix *game, double step, double *x, double *y) {
  static const double ahead[4] = {0, .5, .5, 1};
  static const double share[4] = {1 / 6., 1 / 3., 1 / 3., 1 / 6.};
  double dx[DYNAMICS_MOST] = {0}, dy[DYNAMICS_MOST] = {0};
  double sum_x[DYNAMICS_MOST] = {0}, sum_y[DYNAMICS_MOST] = {0};
  double at_x[DYNAMICS_MOST], at_y[DYNAMICS_MOST];
  for (int k = 0; k < 4; k++) {
    for (size_t i = 0; i < game->rows; i++)
      at_x[i] = x[i] + ahead[k] * step * dx[i];
    for (size_t j = 0; j < game->columns; j++)
      at_y[j] = y[j] + ahead[k] * step * dy[j];
    replicator_field(game, at_x, at_y, dx, dy);
    for (size_t i = 0; i < game->rows; i++)
      sum_x[i] += share[k] * dx[i];
    for (size_t j = 0; j < game->columns; j++)
      sum_y[j] += share[k] * dy[j];
  }
  for (size_t i = 0; i < game->rows; i++)
    x[i] += step * sum_x[i];
  for (size_t j = 0; j < game->columns; j++)
    y[j] += step * sum_y[j];
  put_right(x, game->rows);
  put_right(y, game->columns);
}

/* The gradient of a softmax's logits: of the payoff, and of the entropy, whose part of a choice's
 * worth is minus the logarithm of its probability. */
static void climb(const double *pays, double entropy, const double *p, size_t n, double *out) {
  double worth[DYNAMICS_MOST];
  for (size_t i = 0; i < n; i++)
    worth[i] = pays[i] - (p[i] > 0 ? entropy * log(p[i]) : 0);
  select_by(worth, p, n, out);
}

/* Both gradients, of logits. */
static void climb_both(const Bimatrix *game, double entropy, const double *x, const double *y,
                       double *of_x, double *of_y) {
  double pays[DYNAMICS_MOST];
  pay_rows(game, y, pays);
  climb(pays, entropy, x, game->rows, of_x);
  pay_columns(game, x, pays);
  climb(pays, entropy, y, game->columns, of_y);
}

void gradient_field(const Bimatrix *game, double entropy, const double *x, const double *y,
                    double *dx, double *dy) {
  double of_x[DYNAMICS_MOST], of_y[DYNAMICS_MOST];
  climb_both(game, entropy, x, y, of_x, of_y);
  select_by(of_x, x, game->rows, dx);
  select_by(of_y, y, game->columns, dy);
}

/* Moves logits, which are the logarithms of p, along `of`. */
static void move_logits(double *p, const double *of, double rate, size_t n) {
  double logit[DYNAMICS_MOST];
  for (size_t i = 0; i < n; i++)
    logit[i] = log(fmax(p[i], 1e-300)) + rate * of[i];
  boltzmann(logit, n, 1, p);
}

void gradient_step(const Bimatrix *game, double rate, double entropy, double *x, double *y) {
  double of_x[DYNAMICS_MOST], of_y[DYNAMICS_MOST];
  climb_both(game, entropy, x, y, of_x, of_y);
  move_logits(x, of_x, rate, game->rows);
  move_logits(y, of_y, rate, game->columns);
}

/* The pull is that of the entropy. */
void boltzmann_field(const Bimatrix *game, double temperature, const double *x, const double *y,
                     double *dx, double *dy) {
  climb_both(game, temperature, x, y, dx, dy);
  for (size_t i = 0; i < game->rows; i++)
    dx[i] /= temperature;
  for (size_t j = 0; j < game->columns; j++)
    dy[j] /= temperature;
}

/* The first of the highest. */
static size_t best_of(const double *worth, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (worth[i] > worth[best]) best = i;
  return best;
}

void fictitious_field(const Bimatrix *game, const double *x, const double *y, double *dx,
                      double *dy) {
  double pays[DYNAMICS_MOST];
  pay_rows(game, y, pays);
  const size_t row = best_of(pays, game->rows);
  pay_columns(game, x, pays);
  const size_t column = best_of(pays, game->columns);
  for (size_t i = 0; i < game->rows; i++)
    dx[i] = (i == row) - x[i];
  for (size_t j = 0; j < game->columns; j++)
    dy[j] = (j == column) - y[j];
}

void fictitious_step(const Bimatrix *game, double rounds, double *x, double *y) {
  double dx[DYNAMICS_MOST], dy[DYNAMICS_MOST];
  fictitious_field(game, x, y, dx, dy);
  for (size_t i = 0; i < game->rows; i++)
    x[i] += dx[i] / (rounds + 1);
  for (size_t j = 0; j < game->columns; j++)
    y[j] += dy[j] / (rounds + 1);
}

void explore(const Exploration *how, const double *q, size_t count, double *out) {
  if (how->temperature > 0) {
    boltzmann(q, count, how->temperature, out);
    return;
  }
  const double top = q[best_of(q, count)];
  size_t best = 0;
  for (size_t i = 0; i < count; i++)
    best += q[i] >= top;
  for (size_t i = 0; i < count; i++)
    out[i] = how->epsilon / (double)count + (q[i] >= top ? (1 - how->epsilon) / (double)best : 0);
}

void q_round(const Bimatrix *game, const Exploration *how, double rate, AgonRng *rng, double *q_row,
             double *q_column) {
  double p[DYNAMICS_MOST];
  explore(how, q_row, game->rows, p);
  const size_t row = rng_pick(rng, p, game->rows);
  explore(how, q_column, game->columns, p);
  const size_t column = rng_pick(rng, p, game->columns);
  q_update(&q_row[row], rate, game->a[row * game->columns + column]);
  q_update(&q_column[column], rate, game->b[row * game->columns + column]);
}

#include "meta/lola.h"

#include <math.h>
#include <stddef.h>

/* A number with its derivatives along two directions, and the mixed second one. */
typedef struct Dual {
  double v, a, b, ab;
} Dual;

static Dual constant(double v) {
  return (Dual){.v = v};
}

static Dual plus(Dual x, Dual y) {
  return (Dual){x.v + y.v, x.a + y.a, x.b + y.b, x.ab + y.ab};
}

static Dual minus(Dual x, Dual y) {
  return (Dual){x.v - y.v, x.a - y.a, x.b - y.b, x.ab - y.ab};
}

static Dual times(Dual x, Dual y) {
  return (Dual){x.v * y.v, x.a * y.v + x.v * y.a, x.b * y.v + x.v * y.b,
                x.ab * y.v + x.a * y.b + x.b * y.a + x.v * y.ab};
}

/* f(x) of a function whose value and derivatives at x.v are known. */
static Dual chain(Dual x, double f, double first, double second) {
  return (Dual){f, first * x.a, first * x.b, first * x.ab + second * x.a * x.b};
}

static Dual over(Dual x, Dual y) {
  const double r = 1 / y.v;
  return times(x, chain(y, r, -r * r, 2 * r * r * r));
}

static Dual logistic(Dual x) {
  const double s = 1 / (1 + exp(-x.v));
  return chain(x, s, s * (1 - s), s * (1 - s) * (1 - 2 * s));
}

/* The probabilities of the four pairs of choices. */
static void pair_up(Dual row, Dual column, Dual out[4]) {
  const Dual not_row = minus(constant(1), row);
  const Dual not_column = minus(constant(1), column);
  out[0] = times(row, column);
  out[1] = times(row, not_column);
  out[2] = times(not_row, column);
  out[3] = times(not_row, not_column);
}

/* Solves m z = r for two right sides, by elimination: m is diagonally dominant, as a discount is
 * below 1, and needs no pivots. */
static void solve(Dual m[4][6]) {
  for (int c = 0; c < 4; c++)
    for (int r = 0; r < 4; r++) {
      if (r == c) continue;
      const Dual factor = over(m[r][c], m[c][c]);
      for (int k = c; k < 6; k++)
        m[r][k] = minus(m[r][k], times(factor, m[c][k]));
    }
  for (int r = 0; r < 4; r++)
    for (int k = 4; k < 6; k++)
      m[r][k] = over(m[r][k], m[r][r]);
}

/* V = p0 (I - discount P)^-1 payoff. The column's player sees a pair of choices the other way
 * round. */
static void evaluate(const IteratedGame *game, Dual logits[2][LOLA_LOGITS], Dual value[2]) {
  static const int seen[2][4] = {{0, 1, 2, 3}, {0, 2, 1, 3}};
  Dual m[4][6], begin[4];
  pair_up(logistic(logits[0][0]), logistic(logits[1][0]), begin);
  for (int s = 0; s < 4; s++) {
    Dual next[4];
    pair_up(logistic(logits[0][1 + seen[0][s]]), logistic(logits[1][1 + seen[1][s]]), next);
    for (int t = 0; t < 4; t++)
      m[s][t] = minus(constant(s == t), times(constant(game->discount), next[t]));
    m[s][4] = constant(game->payoff[0][s]);
    m[s][5] = constant(game->payoff[1][s]);
  }
  solve(m);
  for (int p = 0; p < 2; p++) {
    value[p] = constant(0);
    for (int s = 0; s < 4; s++)
      value[p] = plus(value[p], times(begin[s], m[s][4 + p]));
  }
}

/* Logits without a direction. */
static void lift(double logits[2][LOLA_LOGITS], Dual out[2][LOLA_LOGITS]) {
  for (int p = 0; p < 2; p++)
    for (int k = 0; k < LOLA_LOGITS; k++)
      out[p][k] = constant(logits[p][k]);
}

void lola_value(const IteratedGame *game, double logits[2][LOLA_LOGITS], double value[2]) {
  Dual at[2][LOLA_LOGITS], found[2];
  lift(logits, at);
  evaluate(game, at, found);
  value[0] = found[0].v;
  value[1] = found[1].v;
}

/* The value of a game that pays 1 for it. */
void lola_first_choices(const IteratedGame *game, double logits[2][LOLA_LOGITS], double share[2]) {
  const IteratedGame counting = {{{1, 1, 0, 0}, {1, 0, 1, 0}}, game->discount};
  lola_value(&counting, logits, share);
  share[0] *= 1 - game->discount;
  share[1] *= 1 - game->discount;
}

/* One evaluation for each pair of an own logit and one of the other's. */
void lola_gradient(const IteratedGame *game, double logits[2][LOLA_LOGITS], int player,
                   double inner, double out[LOLA_LOGITS]) {
  const int other = 1 - player;
  Dual at[2][LOLA_LOGITS], value[2];
  lift(logits, at);
  for (int k = 0; k < LOLA_LOGITS; k++) {
    at[player][k].a = 1;
    out[k] = 0;
    for (int l = 0; l < LOLA_LOGITS; l++) {
      at[other][l].b = 1;
      evaluate(game, at, value);
      at[other][l].b = 0;
      if (l == 0) out[k] += value[player].a;
      out[k] += inner * value[player].b * value[other].ab;
    }
    at[player][k].a = 0;
  }
}

void lola_step(const IteratedGame *game, double rate, double inner, double logits[2][LOLA_LOGITS]) {
  double move[2][LOLA_LOGITS];
  for (int p = 0; p < 2; p++)
    lola_gradient(game, logits, p, inner, move[p]);
  for (int p = 0; p < 2; p++)
    for (int k = 0; k < LOLA_LOGITS; k++)
      logits[p][k] += rate * move[p][k];
}

#include "meta/tabular.h"

#include "meta/meta.h"

#include <math.h>
#include <string.h>

void q_update(double *q, double rate, double target) {
  *q += rate * (target - *q);
}

void hysteretic_update(double *q, double up, double down, double target) {
  q_update(q, target >= *q ? up : down, target);
}

/* A pair that is cold is not forgiven: it learns as Q-learning does. */
void lenient_update(double *q, double *temperature, double rate, double target, double leniency,
                    double cooling, double unit) {
  const double forgiven = 1 - exp(-leniency * *temperature);
  *temperature *= cooling;
  if (target >= *q || unit >= forgiven) q_update(q, rate, target);
}

/* --- zero-sum stage games --- */

enum { SIMPLEX_MOST = 16, SIMPLEX_TURNS = 500 };

/* The column player's program, as a tableau: maximise the sum of y >= 0 where a y <= 1, a being the
 * payoffs, moved up so that all are at least 1. Rows are the row player's choices; columns the
 * other one's, then slacks, then the right sides; the last row is the objective. */
typedef struct Tableau {
  size_t rows, columns;
  double cell[SIMPLEX_MOST + 1][2 * SIMPLEX_MOST + 1];
  size_t basic[SIMPLEX_MOST]; /* (rows) whose column a row stands for */
} Tableau;

/* Divides the row by its pivot, and clears the column elsewhere. */
static void turn(Tableau *t, size_t row, size_t column) {
  const size_t width = t->rows + t->columns + 1;
  const double pivot = t->cell[row][column];
  for (size_t k = 0; k < width; k++)
    t->cell[row][k] /= pivot;
  for (size_t r = 0; r <= t->rows; r++) {
    const double factor = t->cell[r][column];
    if (r == row || factor == 0) continue;
    for (size_t k = 0; k < width; k++)
      t->cell[r][k] -= factor * t->cell[row][k];
  }
  t->basic[row] = column;
}

/* The row that limits a column's growth; of equals that with the lowest number in the basis (Bland
 * 1977: so that no basis comes twice). t->rows: none does. */
static size_t limiting_row(const Tableau *t, size_t column) {
  const size_t right = t->rows + t->columns;
  size_t best = t->rows;
  for (size_t r = 0; r < t->rows; r++) {
    if (t->cell[r][column] < 1e-11) continue;
    if (best == t->rows) {
      best = r;
      continue;
    }
    const double now = t->cell[r][right] * t->cell[best][column];
    const double then = t->cell[best][right] * t->cell[r][column];
    if (now < then || (now == then && t->basic[r] < t->basic[best])) best = r;
  }
  return best;
}

/* A simplex of a stage game's size: a linear programming library takes longer to set it up than to
 * solve it. False: it has not come to an end; then the library must. */
static bool solve_stage(const double *q, size_t own, size_t other, double *mix, double *value) {
  Tableau t = {.rows = own, .columns = other};
  const size_t right = own + other;
  double low = q[0];
  if (own > SIMPLEX_MOST || other > SIMPLEX_MOST) return false;
  for (size_t i = 1; i < own * other; i++)
    low = fmin(low, q[i]);
  for (size_t r = 0; r < own; r++) {
    for (size_t c = 0; c < other; c++)
      t.cell[r][c] = q[r * other + c] - low + 1;
    t.cell[r][other + r] = 1;
    t.cell[r][right] = 1;
    t.basic[r] = other + r;
  }
  for (size_t c = 0; c < other; c++)
    t.cell[own][c] = -1;
  for (int turns = 0;; turns++) {
    size_t column = 0;
    while (column < right && t.cell[own][column] > -1e-11)
      column++;
    if (column == right) break;
    const size_t row = limiting_row(&t, column);
    if (row == own || turns == SIMPLEX_TURNS) return false;
    turn(&t, row, column);
  }
  const double sum = t.cell[own][right]; /* of y: the inverse of what the moved game is worth */
  if (!(sum > 0)) return false;
  for (size_t r = 0; r < own; r++)
    mix[r] = fmax(0, t.cell[own][other + r] / sum);
  *value = 1 / sum + low - 1;
  return true;
}

Status minimax_value(const double *q, size_t own, size_t other, double *mix, double *value) {
  for (size_t i = 0; i < own * other; i++)
    if (!isfinite(q[i]))
      return status_set(ERR_INTERNAL, "a worth of a stage game is %g: its learning diverged", q[i]);
  if (solve_stage(q, own, other, mix, value)) return OK;
  return meta_nash(q, own, other, mix, NULL, value);
}

Status minimax_update(double *q, size_t own, size_t other, size_t at, double rate, double target,
                      double *mix, double *value) {
  q_update(&q[at], rate, target);
  return minimax_value(q, own, other, mix, value);
}

/* --- equilibria of two players, support by support --- */

/* A game as one of its players sees it: rows are its choices. */
typedef struct Side {
  const double *payoff;
  size_t own, other;  /* choices */
  size_t row, column; /* steps in `payoff` of an own and of another choice */
} Side;

/* What a side is paid for a pair of choices. */
static double paid(const Side *side, size_t own, size_t other) {
  return side->payoff[own * side->row + other * side->column];
}

/* Solves m x = right of n equations, in place, by elimination with the largest pivots; the answer
 * is the last column. False: they have no single answer. */
static bool solve(double m[NASH_MOST + 1][NASH_MOST + 2], size_t n) {
  for (size_t c = 0; c < n; c++) {
    size_t best = c;
    for (size_t r = c + 1; r < n; r++)
      if (fabs(m[r][c]) > fabs(m[best][c])) best = r;
    if (fabs(m[best][c]) < 1e-12) return false;
    for (size_t k = c; k <= n; k++) {
      const double swap = m[c][k];
      m[c][k] = m[best][k];
      m[best][k] = swap;
    }
    for (size_t r = 0; r < n; r++) {
      if (r == c) continue;
      const double factor = m[r][c] / m[c][c];
      for (size_t k = c; k <= n; k++)
        m[r][k] -= factor * m[c][k];
    }
  }
  for (size_t r = 0; r < n; r++)
    m[r][n] /= m[r][r];
  return true;
}

/* The mixture over `theirs` under which all of `ours` pay `side` the same, and more than all other
 * choices do. Both supports are bits, of as many choices. False: there is none. */
static bool make_indifferent(const Side *side, unsigned ours, unsigned theirs, double *mix,
                             double *value) {
  const double slack = 1e-9;
  double m[NASH_MOST + 1][NASH_MOST + 2];
  size_t n = 0;
  for (size_t i = 0; i < side->own; i++) {
    size_t k = 0;
    if (!(ours >> i & 1)) continue;
    for (size_t j = 0; j < side->other; j++)
      if (theirs >> j & 1) m[n][k++] = paid(side, i, j);
    m[n][k++] = -1; /* what they all pay */
    m[n][k] = 0;
    n++;
  }
  for (size_t k = 0; k < n; k++)
    m[n][k] = 1;
  m[n][n] = 0;
  m[n][n + 1] = 1;
  if (!solve(m, n + 1)) return false;
  memset(mix, 0, side->other * sizeof *mix);
  for (size_t j = 0, k = 0; j < side->other; j++) {
    if (!(theirs >> j & 1)) continue;
    mix[j] = m[k++][n + 1];
    if (mix[j] < -slack) return false;
    if (mix[j] < 0) mix[j] = 0;
  }
  *value = m[n][n + 1];
  for (size_t i = 0; i < side->own; i++) {
    double pays = 0;
    for (size_t j = 0; j < side->other; j++)
      pays += mix[j] * paid(side, i, j);
    if (pays > *value + slack * (1 + fabs(*value))) return false;
  }
  return true;
}

/* What both are paid on average where all choices are alike. */
static void play_uniformly(const Side side[2], double *row_mix, double *column_mix,
                           double value[2]) {
  const size_t rows = side[0].own;
  const size_t columns = side[1].own;
  for (size_t i = 0; i < rows; i++)
    row_mix[i] = 1 / (double)rows;
  for (size_t j = 0; j < columns; j++)
    column_mix[j] = 1 / (double)columns;
  for (int p = 0; p < 2; p++) {
    value[p] = 0;
    for (size_t i = 0; i < side[p].own; i++)
      for (size_t j = 0; j < side[p].other; j++)
        value[p] += paid(&side[p], i, j) / (double)(rows * columns);
  }
}

/* Where one pays the other all equilibria are worth the same, and any two answers to what the game
 * is worth are one: the simplex finds them at once. False: it is no such game, or was not solved.
 */
static bool solve_zero_sum(const double *a, const double *b, size_t rows, size_t columns,
                           double *row_mix, double *column_mix, double value[2]) {
  double turned[NASH_MOST * NASH_MOST];
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) {
      if (a[i * columns + j] != -b[i * columns + j]) return false;
      turned[j * rows + i] = b[i * columns + j];
    }
  if (!solve_stage(turned, columns, rows, column_mix, &value[1])) return false;
  if (!solve_stage(a, rows, columns, row_mix, &value[0])) return false;
  value[1] = -value[0];
  return true;
}

/* Games whose payoffs are in general position have equilibria of equal supports only; where two
 * payoffs are equal others may be missed. */
bool nash_value(const double *a, const double *b, size_t rows, size_t columns, double *row_mix,
                double *column_mix, double value[2]) {
  const Side side[2] = {{a, rows, columns, columns, 1}, {b, columns, rows, 1, columns}};
  bool found = false;
  play_uniformly(side, row_mix, column_mix, value);
  if (rows > NASH_MOST || columns > NASH_MOST) return false;
  if (solve_zero_sum(a, b, rows, columns, row_mix, column_mix, value)) return true;
  play_uniformly(side, row_mix, column_mix, value);
  for (int size = 1; size <= NASH_MOST; size++)
    for (unsigned ours = 1; ours < 1u << rows; ours++) {
      if (__builtin_popcount(ours) != size) continue;
      for (unsigned theirs = 1; theirs < 1u << columns; theirs++) {
        double x[NASH_MOST], y[NASH_MOST], paid_to[2];
        if (__builtin_popcount(theirs) != size) continue;
        if (!make_indifferent(&side[0], ours, theirs, y, &paid_to[0])) continue;
        if (!make_indifferent(&side[1], theirs, ours, x, &paid_to[1])) continue;
        if (found && paid_to[0] + paid_to[1] <= value[0] + value[1] + 1e-9) continue;
        found = true;
        memcpy(row_mix, x, rows * sizeof *x);
        memcpy(column_mix, y, columns * sizeof *y);
        memcpy(value, paid_to, sizeof paid_to);
      }
    }
  return found;
}

bool nash_update(double *a, double *b, size_t rows, size_t columns, size_t at, double rate,
                 const double target[2], double *row_mix, double *column_mix, double value[2]) {
  q_update(&a[at], rate, target[0]);
  q_update(&b[at], rate, target[1]);
  return nash_value(a, b, rows, columns, row_mix, column_mix, value);
}

void boltzmann(const double *q, size_t count, double temperature, double *out) {
  double top = q[0];
  double sum = 0;
  for (size_t i = 1; i < count; i++)
    top = fmax(top, q[i]);
  for (size_t i = 0; i < count; i++) {
    out[i] = exp((q[i] - top) / temperature);
    sum += out[i];
  }
  for (size_t i = 0; i < count; i++)
    out[i] /= sum;
}

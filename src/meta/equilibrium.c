#include "meta/equilibrium.h"

#include "meta/dense.h"
#include "meta/lp.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

size_t equilibrium_joint(const NormalForm *game) {
  size_t joint = 1;
  for (size_t p = 0; p < game->players; p++)
    joint *= game->count[p];
  return joint;
}

/* How far apart two joint strategies lie that differ by one in the player's part. */
static size_t stride_of(const NormalForm *game, size_t player) {
  size_t stride = 1;
  for (size_t p = player + 1; p < game->players; p++)
    stride *= game->count[p];
  return stride;
}

size_t equilibrium_part(const NormalForm *game, size_t joint, size_t player) {
  return joint / stride_of(game, player) % game->count[player];
}

size_t equilibrium_constraints(const NormalForm *game, Concept concept) {
  size_t rows = 0;
  for (size_t p = 0; p < game->players; p++)
  rows += concept == CONCEPT_CE ? game->count[p] * (game->count[p] - 1) : game->count[p];
  return rows;
}

/* What the player gains in a joint strategy if it plays `instead` of its part. */
static double gain_of(const NormalForm *game, size_t joints, size_t joint, size_t player,
                      size_t stride, size_t instead) {
  const double *payoff = game->payoff + player * joints;
  const size_t own = joint / stride % game->count[player];
  return payoff[joint + (instead - own) * stride] - payoff[joint];
}

/* The constraints of a concept as rows g of gains: an equilibrium x has g'x <= 0 for all of them.
 */
typedef struct Gains {
  size_t joints, rows;
  double *row; /* (rows, joints) */
} Gains;

/* One row of gains by playing `instead`: of a CE only where `told` is the advice; told = count of
 * the player: whatever it is. */
static void fill_row(const NormalForm *game, size_t joints, size_t player, size_t told,
                     size_t instead, double *row) {
  const size_t stride = stride_of(game, player);
  for (size_t joint = 0; joint < joints; joint++) {
    const size_t own = joint / stride % game->count[player];
    const bool counts = told == game->count[player] || told == own;
    row[joint] = counts ? gain_of(game, joints, joint, player, stride, instead) : 0;
  }
}

/* Payoffs differ by 1 at most afterwards, so that tolerances mean the same in any unit. Returns the
 * largest difference between two payoffs of one player; 0: nobody can gain anything. */
static double spread_of(const NormalForm *game, size_t joints) {
  double spread = 0;
  for (size_t p = 0; p < game->players; p++) {
    double low = INFINITY, high = -INFINITY;
    for (size_t joint = 0; joint < joints; joint++) {
      low = fmin(low, game->payoff[p * joints + joint]);
      high = fmax(high, game->payoff[p * joints + joint]);
    }
    spread = fmax(spread, high - low);
  }
  return spread;
}

/* All rows, in units of the spread; rows in which nothing can be gained are left out. */
static Status fill_gains(const NormalForm *game, Concept concept, double spread, Gains *out) {
  const size_t joints = out->joints;
  TRY_RETURN(NEW_ARRAY(out->row, equilibrium_constraints(game, concept) * joints + 1));
  for (size_t p = 0; p < game->players; p++) {
    const size_t own = game->count[p];
    for (size_t told = concept == CONCEPT_CE ? 0 : own; told <= own; told++)
      for (size_t instead = 0; instead < own && (told < own || concept == CONCEPT_CCE); instead++) {
        double *row = out->row + out->rows * joints;
        bool gains = false;
        if (told == instead) continue;
        fill_row(game, joints, p, told, instead, row);
        for (size_t joint = 0; joint < joints; joint++) {
          row[joint] /= spread;
          gains |= row[joint] > 0;
        }
        out->rows += gains;
      }
  }
  return OK;
}

/* Rounding leaves numbers below 0 and sums beside 1. */
static void make_distribution(double *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    x[i] = x[i] > 0 ? x[i] : 0;
    sum += x[i];
  }
  for (size_t i = 0; i < n; i++)
    x[i] /= sum;
}

/* --- the largest welfare --- */

/* How far a row of gains, in units of the spread, may be over 0. */
#define GAIN_TOLERANCE 1e-9

static double least_of(const double *x, size_t n) {
  double least = INFINITY;
  for (size_t i = 0; i < n; i++)
    least = fmin(least, x[i]);
  return least;
}

/* One linear program over the joint strategies. Payoffs count from each player's least one on:
 * where they are all far from 0, what differs between them would drown. */
static Status largest_welfare(const NormalForm *game, const Gains *gains, double spread,
                              double *joint) {
  Status status = OK;
  const size_t n = gains->joints;
  Lp lp;
  TRY(lp_create(n, gains->rows + 1, &lp));
  lp.tolerance = GAIN_TOLERANCE;
  for (size_t j = 0; j < n; j++) {
    for (size_t r = 0; r < gains->rows; r++)
      *lp_at(&lp, j, r) = gains->row[r * n + j];
    *lp_at(&lp, j, gains->rows) = 1;
    lp.high[j] = 1;
  }
  for (size_t p = 0; p < game->players; p++) {
    const double *payoff = game->payoff + p * n;
    const double least = least_of(payoff, n);
    for (size_t j = 0; j < n; j++)
      lp.cost[j] -= (payoff[j] - least) / spread;
  }
  for (size_t r = 0; r < gains->rows; r++)
    lp.row_low[r] = -LP_NO_LIMIT;
  lp.row_low[gains->rows] = 1;
  lp.row_high[gains->rows] = 1;
  TRY(lp_minimise(&lp));
  memcpy(joint, lp.solution, n * sizeof *joint);
  make_distribution(joint, n);
done:
  lp_destroy(&lp);
  return status;
}

/* --- the largest Gini impurity --- */

/* To minimise x'x among x >= 0 with g'x <= 0 and sum x = 1. Without the sum these x are a cone, and
 * its member of the smallest length for its sum has the direction of the projection of (1, ..., 1)
 * on the cone. That projection r is what is left of (1, ..., 1) when the nearest sum of multiples
 * >= 0 of the rows g and of the negative unit vectors is taken off (Moreau): non-negative least
 * squares, by the active set method of Lawson and Hanson (1974), which ends after finitely many
 * steps. Multipliers of unit vectors (`zero`: x_i = 0) are told by those of the rows, so that the
 * equations are of the active rows alone, over the places that are not zero.
 *
 * Whatever the multipliers are, no equilibrium has a smaller x'x than 1 / r'r for r = max(0, 1 -
 * sum of multiples): by that the result is judged. */
typedef struct Cone {
  size_t n, rows;
  double *row;    /* (rows, n) of length 1 */
  double *x;      /* (n) what is left: r */
  double *lambda; /* (rows) multipliers, 0 where not active */
  double *slack;  /* (n) of the unit vectors, 0 where not zero */
  bool *zero;     /* (n) */
  bool *barred;   /* (rows) too close to active ones to enter now */
  size_t *active; /* rows, in the order in which they came */
  size_t actives;
  double *gram;   /* (most active, most active) of the active rows over the places not zero */
  double *factor; /* (actives, actives) */
  double *next;   /* (most active) */
  double *wish;   /* (n) next multipliers of the unit vectors; 1 - multiples elsewhere */
  double *defect; /* (most active) */
  size_t most;
  bool patient; /* one constraint at a time, whatever it takes */
} Cone;

static double dot_where(const Cone *c, const double *a, const double *b) {
  double sum = 0;
  for (size_t i = 0; i < c->n; i++)
    if (!c->zero[i]) sum += a[i] * b[i];
  return sum;
}

static const double *active_row(const Cone *c, size_t k) {
  return c->row + c->active[k] * c->n;
}

/* A place becomes zero (sign -1) or free again (1). */
static void set_zero(Cone *c, size_t i, bool zero) {
  const double sign = zero ? -1 : 1;
  c->zero[i] = zero;
  for (size_t p = 0; p < c->actives; p++)
    for (size_t q = 0; q <= p; q++)
      c->gram[p * c->most + q] += sign * active_row(c, p)[i] * active_row(c, q)[i];
}

static void enter_row(Cone *c, size_t r) {
  const size_t at = c->actives++;
  c->active[at] = r;
  for (size_t q = 0; q <= at; q++)
    c->gram[at * c->most + q] = dot_where(c, active_row(c, at), active_row(c, q));
}

/* The rows behind it move up. */
static void drop_row(Cone *c, size_t at) {
  c->lambda[c->active[at]] = 0;
  for (size_t p = at + 1; p < c->actives; p++) {
    for (size_t q = 0; q <= p; q++)
      if (q != at) c->gram[(p - 1) * c->most + (q < at ? q : q - 1)] = c->gram[p * c->most + q];
    c->active[p - 1] = c->active[p];
  }
  c->actives--;
}

/* wish := 1 - the active rows times `next`, everywhere. */
static void take_off(Cone *c) {
  for (size_t i = 0; i < c->n; i++)
    c->wish[i] = 1;
  for (size_t k = 0; k < c->actives; k++) {
    const double *row = active_row(c, k);
    for (size_t i = 0; i < c->n; i++)
      c->wish[i] -= c->next[k] * row[i];
  }
}

/* The active rows' products anew: what is taken off place by place leaves rounding behind, which is
 * too much where little is left of a row. */
static void refresh_gram(Cone *c) {
  for (size_t p = 0; p < c->actives; p++)
    for (size_t q = 0; q <= p; q++)
      c->gram[p * c->most + q] = dot_where(c, active_row(c, p), active_row(c, q));
}

/* next: the multipliers with which nothing of the active rows is left over the free places,
 * improved twice; wish: what is left. false: the rows are not independent to rounding. *off: what
 * is left of them all the same. */
static bool solve_by_gram(Cone *c, double *off) {
  const size_t k = c->actives;
  *off = 0;
  for (size_t p = 0; p < k; p++) {
    for (size_t q = 0; q <= p; q++)
      c->factor[p * k + q] = c->gram[p * c->most + q];
    c->next[p] = 0;
    for (size_t i = 0; i < c->n; i++)
      c->next[p] += c->zero[i] ? 0 : active_row(c, p)[i];
  }
  if (k && !dense_factor(c->factor, k)) return false;
  if (k) dense_solve(c->factor, k, c->next);
  for (int turn = 0; turn < 3; turn++) {
    take_off(c);
    *off = 0;
    for (size_t p = 0; p < k; p++) {
      c->defect[p] = dot_where(c, active_row(c, p), c->wish);
      *off = fmax(*off, fabs(c->defect[p]));
    }
    if (turn == 2 || k == 0) break;
    dense_solve(c->factor, k, c->defect);
    for (size_t p = 0; p < k; p++)
      c->next[p] += c->defect[p];
  }
  return true;
}

/* Rows that hardly differ any more over the free places are held apart by a little on the diagonal:
 * what that does to the multipliers, the bound of the dual judges. */
static bool solve_active(Cone *c) {
  double off;
  if (solve_by_gram(c, &off) && off < 1e-13 * (double)c->n) return true;
  refresh_gram(c);
  if (solve_by_gram(c, &off)) return true;
  if (!c->patient) return false;
  for (size_t p = 0; p < c->actives; p++)
    c->gram[p * c->most + p] += 1e-12 * c->gram[p * c->most + p] + 1e-18;
  return solve_by_gram(c, &off);
}

/* How far one may go from `from` >= 0 towards `to` before it is below 0. */
static double room_to(double from, double to) {
  return to > 0 ? 1 : from / (from - to);
}

/* Goes from the present multipliers towards the next ones as far as all stay over 0; who reaches 0
 * is let go. Returns whether it got there. */
static bool move_on(Cone *c) {
  double step = 1;
  for (size_t k = 0; k < c->actives; k++)
    step = fmin(step, room_to(c->lambda[c->active[k]], c->next[k]));
  for (size_t i = 0; i < c->n; i++)
    if (c->zero[i]) step = fmin(step, room_to(c->slack[i], -c->wish[i]));
  for (size_t k = c->actives; k-- > 0;) {
    double *lambda = &c->lambda[c->active[k]];
    const bool ends = step < 1 && room_to(*lambda, c->next[k]) <= step;
    *lambda += step * (c->next[k] - *lambda);
    if (ends) drop_row(c, k);
  }
  for (size_t i = 0; i < c->n; i++) {
    const bool ends = c->zero[i] && step < 1 && room_to(c->slack[i], -c->wish[i]) <= step;
    if (c->zero[i]) c->slack[i] += step * (-c->wish[i] - c->slack[i]);
    if (!ends) continue;
    c->slack[i] = 0;
    set_zero(c, i, false);
  }
  return step >= 1;
}

/* x: what is left, 0 where zero. */
static void set_left(Cone *c) {
  for (size_t i = 0; i < c->n; i++)
    c->x[i] = c->zero[i] ? 0 : c->wish[i];
}

/* What is most against the constraints, as a share of the sum of what is left: a place below 0
 * (*place; n: it is none), or a row in which there is gain (*row; rows: it is none). */
static double worst_of(const Cone *c, size_t *row, size_t *place) {
  double sum = 0, worst = 0;
  *row = c->rows;
  *place = c->n;
  for (size_t i = 0; i < c->n; i++)
    sum += c->x[i];
  for (size_t i = 0; i < c->n; i++)
    if (!c->zero[i] && -c->x[i] > worst) {
      worst = -c->x[i];
      *place = i;
    }
  for (size_t r = 0; r < c->rows; r++) {
    double gain = 0;
    if (c->lambda[r] > 0 || c->barred[r]) continue;
    for (size_t i = 0; i < c->n; i++)
      gain += c->row[r * c->n + i] * c->x[i];
    if (gain <= worst) continue;
    worst = gain;
    *row = r;
    *place = c->n;
  }
  return worst / fmax(sum, 1e-300);
}

/* All places below 0, or the one that is furthest, become zero; `back`: what became so is free
 * again. */
static void enter_places(Cone *c, size_t place, bool all, bool back) {
  for (size_t i = 0; i < c->n; i++)
    if (c->zero[i] == back && c->x[i] < 0 && (all || i == place)) set_zero(c, i, !back);
}

/* Constraints enter, a row or places, and those go that this makes needless. Where many places at
 * once leave active rows without any difference, one does not. false: the row cannot be told from
 * those that are active. */
static bool admit(Cone *c, size_t row, size_t place, bool all) {
  if (place < c->n)
    enter_places(c, place, all, false);
  else
    enter_row(c, row);
  bool good = solve_active(c);
  if (!good && place < c->n && all) {
    enter_places(c, place, true, true);
    return admit(c, row, place, false);
  }
  if (!good && place == c->n) {
    drop_row(c, c->actives - 1);
    c->barred[row] = true;
    return solve_active(c);
  }
  while (good && !move_on(c))
    good = solve_active(c);
  if (place < c->n || good) memset(c->barred, 0, c->rows * sizeof *c->barred);
  return good;
}

static double square_of(const double *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += x[i] > 0 ? x[i] * x[i] : 0;
  return sum;
}

/* Rows of length 1: none is more urgent for its unit. */
static void scale_rows(Cone *c) {
  for (size_t r = 0; r < c->rows; r++) {
    double *row = c->row + r * c->n;
    double square = 0;
    for (size_t i = 0; i < c->n; i++)
      square += row[i] * row[i];
    for (size_t i = 0; i < c->n; i++)
      row[i] /= sqrt(square);
  }
}

/* What x'x has over the least that it could be, by the multipliers as they are. */
static double square_over_bound(const Cone *c, const double *x, double *left) {
  double own = 0, square = 0;
  for (size_t i = 0; i < c->n; i++)
    left[i] = 1;
  for (size_t r = 0; r < c->rows; r++)
    for (size_t i = 0; i < c->n && c->lambda[r] > 0; i++)
      left[i] -= c->lambda[r] * c->row[r * c->n + i];
  for (size_t i = 0; i < c->n; i++) {
    square += left[i] > 0 ? left[i] * left[i] : 0;
    own += x[i] * x[i];
  }
  return own - 1 / square;
}

/* Lends the method its memory. */
static Status cone_create(const Gains *gains, Cone *c) {
  Status status = OK;
  const size_t n = gains->joints;
  *c = (Cone){.n = n, .rows = gains->rows, .row = gains->row};
  c->most = (n < gains->rows ? n : gains->rows) + 1; /* more are not independent */
  TRY(NEW_ARRAY(c->x, n));
  TRY(NEW_ARRAY(c->lambda, c->rows + 1));
  TRY(NEW_ARRAY(c->slack, n));
  TRY(NEW_ARRAY(c->zero, n));
  TRY(NEW_ARRAY(c->barred, c->rows + 1));
  TRY(NEW_ARRAY(c->active, c->most));
  TRY(NEW_ARRAY(c->gram, c->most * c->most));
  TRY(NEW_ARRAY(c->factor, c->most * c->most));
  TRY(NEW_ARRAY(c->next, c->most));
  TRY(NEW_ARRAY(c->wish, n));
  TRY(NEW_ARRAY(c->defect, c->most));
done:
  return status;
}

static void cone_destroy(Cone *c) {
  free(c->x);
  free(c->lambda);
  free(c->slack);
  free(c->zero);
  free(c->barred);
  free(c->active);
  free(c->gram);
  free(c->factor);
  free(c->next);
  free(c->wish);
  free(c->defect);
}

/* From the beginning, until no constraint asks for anything. Many places at once are quicker; that
 * each step comes nearer is certain of one constraint. Returns what is most against them. */
static double project(Cone *c, bool patient) {
  double worst = 0, before = INFINITY;
  bool all = !patient;
  c->patient = patient;
  c->actives = 0;
  memset(c->lambda, 0, c->rows * sizeof *c->lambda);
  memset(c->slack, 0, c->n * sizeof *c->slack);
  memset(c->zero, 0, c->n * sizeof *c->zero);
  memset(c->barred, 0, c->rows * sizeof *c->barred);
  solve_active(c);
  set_left(c);
  for (size_t turn = 0; turn < 20 * (c->n + c->rows) + 100; turn++) {
    size_t row, place;
    worst = worst_of(c, &row, &place);
    if (worst < 1e-12 || (row < c->rows && c->actives == c->most)) break;
    if (!admit(c, row, place, all)) break;
    set_left(c);
    const double square = square_of(c->x, c->n);
    all = !patient && square < before;
    before = fmin(square, before);
  }
  return worst;
}

/* The rows of `gains` are scaled in place. */
static Status largest_gini(const Gains *gains, double *joint) {
  Status status = OK;
  double over = INFINITY;
  Cone c;
  TRY(cone_create(gains, &c));
  scale_rows(&c);
  for (int patient = 0; patient < 2; patient++) {
    const double worst = project(&c, patient);
    memcpy(joint, c.x, c.n * sizeof *joint);
    make_distribution(joint, c.n);
    over = square_over_bound(&c, joint, c.wish);
    if (worst < 1e-10 && over < 1e-7) break;
  }
  if (!(over < 1e-7))
    TRY(status_set(ERR_INTERNAL,
                   "the most even equilibrium over %zu joint strategies was not found (%.2g over "
                   "the bound)",
                   c.n, over));
done:
  cone_destroy(&c);
  return status;
}

/* --- both --- */

/* What may be left to gain, in units of the spread: each constraint its tolerance, as the gap is a
 * sum over what breaks them. */
static double gap_limit(const NormalForm *game, Concept concept) {
  return fmax(1e-7, GAIN_TOLERANCE * (double)equilibrium_constraints(game, concept));
}

/* That what was found is an equilibrium is measured, whatever the method says of itself. */
static Status check_gap(const NormalForm *game, Concept concept, double spread,
                        const double *joint) {
  EquilibriumFacts facts;
  TRY_RETURN(equilibrium_measure(game, joint, &facts));
  const double gap = concept == CONCEPT_CE ? facts.ce_gap : facts.cce_gap;
  if (gap <= gap_limit(game, concept) * spread) return OK;
  return status_set(ERR_INTERNAL,
                    "no equilibrium was found: %.2g are left to gain, of payoffs that "
                    "differ by %.3g",
                    gap, spread);
}

Status equilibrium_find(const NormalForm *game, Concept concept, Selection selection,
                        double *joint) {
  Status status = OK;
  Gains gains = {.joints = equilibrium_joint(game)};
  const size_t rows = equilibrium_constraints(game, concept);
  const double spread = spread_of(game, gains.joints);
  if (gains.joints > EQUILIBRIUM_ROOM / (rows + 1))
    return status_set(ERR_USAGE,
                      "%zu joint strategies with %zu constraints are too many to be solved (their "
                      "product may be %zu)",
                      gains.joints, rows, EQUILIBRIUM_ROOM);
  if (!isfinite(spread)) return status_set(ERR_INTERNAL, "payoffs of a game are not finite");
  TRY(fill_gains(game, concept, spread > 0 ? spread : 1, &gains));
  if (selection == SELECT_WELFARE)
    TRY(largest_welfare(game, &gains, spread > 0 ? spread : 1, joint));
  else
    TRY(largest_gini(&gains, joint));
  TRY(check_gap(game, concept, spread, joint));
done:
  free(gains.row);
  return status;
}

/* --- what a distribution is worth --- */

void equilibrium_marginal(const NormalForm *game, const double *joint, size_t player, double *out) {
  const size_t joints = equilibrium_joint(game);
  const size_t stride = stride_of(game, player);
  memset(out, 0, game->count[player] * sizeof *out);
  for (size_t j = 0; j < joints; j++)
    out[j / stride % game->count[player]] += joint[j];
}

/* What a player gains by its best deviation: `each` advice answered by itself, or all alike. win
 * (its strategies): room. */
static double best_gain(const NormalForm *game, const double *joint, size_t player, bool each,
                        double *win) {
  const size_t joints = equilibrium_joint(game);
  const size_t stride = stride_of(game, player);
  const size_t own = game->count[player];
  double sum = 0;
  for (size_t told = 0; told < (each ? own : 1); told++) {
    double best = 0;
    memset(win, 0, own * sizeof *win);
    for (size_t j = 0; j < joints; j++) {
      if (joint[j] <= 0 || (each && j / stride % own != told)) continue;
      for (size_t instead = 0; instead < own; instead++)
        win[instead] += joint[j] * gain_of(game, joints, j, player, stride, instead);
    }
    for (size_t instead = 0; instead < own; instead++)
      best = fmax(best, win[instead]);
    sum += best;
  }
  return sum;
}

/* Everybody draws its own part by itself: the product of the marginals, to `out` (joint). */
static Status spread_apart(const NormalForm *game, const double *joint, double *out) {
  const size_t joints = equilibrium_joint(game);
  double *marginal;
  TRY_RETURN(NEW_ARRAY(marginal, joints));
  for (size_t j = 0; j < joints; j++)
    out[j] = 1;
  for (size_t p = 0; p < game->players; p++) {
    equilibrium_marginal(game, joint, p, marginal);
    for (size_t j = 0; j < joints; j++)
      out[j] *= marginal[equilibrium_part(game, j, p)];
  }
  free(marginal);
  return OK;
}

Status equilibrium_measure(const NormalForm *game, const double *joint, EquilibriumFacts *out) {
  Status status = OK;
  const size_t joints = equilibrium_joint(game);
  double *apart = NULL;
  double *win = NULL;
  *out = (EquilibriumFacts){.gini = 1};
  TRY(NEW_ARRAY(apart, joints));
  TRY(NEW_ARRAY(win, joints));
  TRY(spread_apart(game, joint, apart));
  for (size_t j = 0; j < joints; j++)
    out->gini -= joint[j] * joint[j];
  for (size_t p = 0; p < game->players; p++) {
    for (size_t j = 0; j < joints; j++)
      out->value[p] += joint[j] * game->payoff[p * joints + j];
    out->welfare += out->value[p];
    out->ce_gap += best_gain(game, joint, p, true, win);
    out->cce_gap += best_gain(game, joint, p, false, win);
    out->nash_gap += best_gain(game, apart, p, false, win);
  }
done:
  free(apart);
  free(win);
  return status;
}

/* Nash averaging finds the support by a linear program and the entropy's maximum by Newton's method
 * on its dual; alpha-rank solves its chain directly. */
#include "meta/population.h"

#include "meta/dense.h"
#include "meta/lp.h"
#include "meta/rating.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- alpha-rank --- */
/* Probability that one player s among m - 1 players r takes over the whole population: 1 / (1 +
 * sum_l prod_(k <= l) exp(-alpha (f_s - f_r))), where with k of s about f_s = ((k - 1) a_ss + (m -
 * k) a_sr) / (m - 1) and f_r = (k a_rs + (m - k - 1) a_rr) / (m - 1). */
static double fixation(const double *a, size_t n, size_t r, size_t s, double m, double alpha) {
  double sum = 1, log_product = 0;
  for (double k = 1; k < m; k++) {
    double fs = ((k - 1) * a[s * n + s] + (m - k) * a[s * n + r]) / (m - 1);
    double fr = (k * a[r * n + s] + (m - k - 1) * a[r * n + r]) / (m - 1);
    log_product -= alpha * (fs - fr);
    sum += exp(fmin(log_product, 600));
  }
  return 1 / sum;
}

/* The stationary distribution of the chain p (n, n), which is overwritten: x p = x, sum x = 1. By
 * the elimination of Grassmann, Taksar and Heyman (1985), which subtracts nothing, so that even
 * tiny probabilities keep all their digits. */
static void stationary(double *p, size_t n, double *x) {
  for (size_t k = n; k-- > 1;) {
    double out = 0;
    for (size_t j = 0; j < k; j++)
      out += p[k * n + j];
    for (size_t i = 0; i < k; i++)
      p[i * n + k] = out > 0 ? p[i * n + k] / out : 0;
    for (size_t i = 0; i < k; i++)
      for (size_t j = 0; j < k; j++)
        p[i * n + j] += p[i * n + k] * p[k * n + j];
  }
  double sum = 1;
  x[0] = 1;
  for (size_t k = 1; k < n; k++) {
    x[k] = 0;
    for (size_t i = 0; i < k; i++)
      x[k] += x[i] * p[i * n + k];
    sum += x[k];
  }
  for (size_t k = 0; k < n; k++)
    x[k] /= sum;
}

/* A chain needs a way from each player to every other, hence the smallest probability of 1e-280. */
Status meta_alpha_rank(const double *a, size_t n, double m, double alpha, double *out) {
  double *p;
  if (n == 1) {
    out[0] = 1;
    return OK;
  }
  TRY_RETURN(NEW_ARRAY(p, n * n));
  for (size_t r = 0; r < n; r++)
    for (size_t s = 0; s < n; s++)
      p[r * n + s] = r == s ? 0 : fmax(fixation(a, n, r, s, m, alpha), 1e-280) / (double)(n - 1);
  stationary(p, n, out);
  free(p);
  return OK;
}

/* --- who may enter --- */

/* missing[i] = how many of the others player i has not met. */
static void count_missing(const unsigned char *met, size_t n, size_t *missing) {
  for (size_t i = 0; i < n; i++) {
    missing[i] = 0;
    for (size_t j = 0; j < n; j++)
      missing[i] += i != j && !met[i * n + j];
  }
}

/* Takes in again, latest first, each who has met all that are in: kept out only by somebody that
 * went after it. Returns how many. */
static size_t add_back(const unsigned char *met, size_t n, unsigned char *in) {
  size_t added = 0;
  for (size_t i = n; i-- > 0;) {
    bool fits = !in[i];
    for (size_t j = 0; j < n && fits; j++)
      fits = !in[j] || met[i * n + j];
    in[i] |= fits;
    added += fits;
  }
  return added;
}

/* Greedy: the largest such set is as hard to find as the largest clique of a graph. */
size_t meta_all_met(const unsigned char *met, size_t n, unsigned char *in) {
  size_t *missing = malloc((n + 1) * sizeof *missing);
  size_t left = n;
  memset(in, missing != NULL, n);
  if (!missing) return 0;
  count_missing(met, n, missing);
  for (;;) {
    size_t worst = n;
    for (size_t i = 0; i < n; i++)
      if (in[i] && missing[i] && (worst == n || missing[i] > missing[worst])) worst = i;
    if (worst == n) break;
    in[worst] = 0;
    left--;
    for (size_t j = 0; j < n; j++)
      missing[j] -= j != worst && !met[worst * n + j] && in[j];
  }
  free(missing);
  return left + add_back(met, n, in);
}

/* Two sides: who is still in. of[i]: 0 for the first player's side, 1 for the other. */
typedef struct Sides {
  const unsigned char *met;
  size_t n;
  unsigned char *in;
  unsigned char *of; /* (n) */
  size_t *missing;   /* (n) how many of the other side's members player i has not met */
  size_t left[2];    /* members of each side */
} Sides;

/* Whether i and j could meet and have not. */
static bool lacks(const Sides *s, size_t i, size_t j) {
  return s->of[i] != s->of[j] && !s->met[i * s->n + j];
}

/* Whether i lacks at least as large a share of the other side as j does. Shares, not numbers, so
 * that many newcomers to one side do not drive out the few of the other; their denominators are
 * multiplied out. */
static bool lacks_as_much(const Sides *s, size_t i, size_t j) {
  const size_t can_meet_i = s->left[!s->of[i]];
  const size_t can_meet_j = s->left[!s->of[j]];
  return s->missing[i] * can_meet_j >= s->missing[j] * can_meet_i;
}

/* Who goes next; n: all that are in have met, or nobody of the two sides has. While two members
 * have met, two still have when the next has gone. For if every such pair were its own, the others
 * of its side would lack everybody, and it would not be the next, as it does not. */
static size_t next_out(const Sides *s) {
  size_t worst = s->n;
  for (size_t i = 0; i < s->n; i++) {
    if (!s->in[i] || s->missing[i] == 0 || s->left[s->of[i]] == 1) continue;
    if (worst == s->n || lacks_as_much(s, i, worst)) worst = i;
  }
  return worst;
}

static void take_out(Sides *s, size_t i) {
  s->in[i] = 0;
  s->left[s->of[i]]--;
  for (size_t j = 0; j < s->n; j++)
    s->missing[j] -= lacks(s, i, j);
}

/* Takes in again, latest first, each who has met all members of the other side: kept out only by
 * somebody that went after it. */
static void add_back_sides(Sides *s) {
  for (size_t i = s->n; i-- > 0;) {
    if (s->in[i] || s->missing[i] > 0) continue;
    s->in[i] = 1;
    s->left[s->of[i]]++;
    for (size_t j = 0; j < s->n; j++)
      s->missing[j] += lacks(s, i, j);
  }
}

/* Greedy, as for one population. */
Status meta_sides_met(const unsigned char *met, const unsigned char *side, size_t n,
                      unsigned char *in, size_t *count) {
  Status status = OK;
  bool some = false;
  Sides s = {.met = met, .n = n, .in = in};
  TRY(NEW_ARRAY(s.of, n + 1));
  TRY(NEW_ARRAY(s.missing, n + 1));
  for (size_t i = 0; i < n; i++) {
    in[i] = 1;
    s.of[i] = side[i] != side[0];
    s.left[s.of[i]]++;
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      s.missing[i] += lacks(&s, i, j);
      some |= s.of[i] != s.of[j] && met[i * n + j];
    }
  if (some) {
    for (size_t i = next_out(&s); i < n; i = next_out(&s))
      take_out(&s, i);
    add_back_sides(&s);
  } else {
    memset(in, 0, n);
  }
  *count = some ? s.left[0] + s.left[1] : 0;
done:
  free(s.of);
  free(s.missing);
  return status;
}

/* Copies, row by row, what both row and column of which are in. */
void meta_select(const double *a, size_t n, const unsigned char *in, double *out) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; in[i] && j < n; j++)
      if (in[j]) *out++ = a[i * n + j];
}

/* --- Nash averaging --- */
/* Which players are in any equilibrium of the antisymmetric b (n, n), and one equilibrium x with
 * all of them. Equilibria are the x >= 0 with x'b >= 0 and sum x = 1; without the sum they form a
 * cone. In a cone any member can be as large as one likes, so that the maximum of the sum of
 * min(x_i, 1) is 1 for each i that is in any equilibrium and 0 for the others: one linear program
 * finds them. Its variables are min(x_i, 1) and what x_i has beyond. */
static Status largest_support(const double *b, size_t n, unsigned char *in, double *x) {
  Status status = OK;
  double sum = 0;
  Lp lp;
  TRY(lp_create(2 * n, n, &lp));
  for (size_t i = 0; i < 2 * n; i++) {
    for (size_t j = 0; j < n; j++)
      *lp_at(&lp, i, j) = b[i % n * n + j];
    lp.high[i] = i < n ? 1 : LP_NO_LIMIT;
    lp.cost[i] = i < n ? -1 : 0;
  }
  for (size_t j = 0; j < n; j++)
    lp.row_high[j] = LP_NO_LIMIT;
  TRY(lp_minimise(&lp));
  for (size_t i = 0; i < n; i++) {
    in[i] = lp.solution[i] > 0.5;
    x[i] = in[i] ? lp.solution[i] + fmax(lp.solution[n + i], 0) : 0;
    sum += x[i];
  }
  if (sum <= 0) TRY(status_set(ERR_INTERNAL, "no equilibrium of %zu players was found", n));
  for (size_t i = 0; i < n; i++)
    x[i] /= sum;
done:
  lp_destroy(&lp);
  return status;
}

/* The dual of "the equilibrium of the largest entropy": x_i ~ exp(sum_j lambda_j b_ij) over the
 * support, where lambda minimises the log of the sum of these. Against a member of the support
 * every equilibrium scores 0, so its lambda is free; the lambdas of all others are >= 0. */
typedef struct Dual {
  const double *b;
  size_t n;
  const unsigned char *in;
  double *lambda, *x, *slope; /* (n) */
  double *trial, *trial_x;
  double *hessian, *move; /* over the indices that may move */
  size_t *index;
} Dual;

/* The dual's value at lambda, and its x (n). The largest exponent is taken out first, so that exp
 * cannot overflow. */
static double log_partition(const Dual *d, const double *lambda, double *x) {
  double top = -1e300, sum = 0;
  size_t n = d->n;
  for (size_t i = 0; i < n; i++) {
    x[i] = 0;
    if (!d->in[i]) continue;
    for (size_t j = 0; j < n; j++)
      x[i] += lambda[j] * d->b[i * n + j];
    top = fmax(top, x[i]);
  }
  for (size_t i = 0; i < n; i++) {
    x[i] = d->in[i] ? exp(x[i] - top) : 0;
    sum += x[i];
  }
  for (size_t i = 0; i < n; i++)
    x[i] /= sum;
  return top + log(sum);
}

/* Fills slope[j], the payoff of x against j, which is the dual's derivative by lambda_j. Returns
 * how far x is from the optimum: the largest slope along which its lambda may still move. */
static double slopes(Dual *d) {
  double worst = 0;
  for (size_t j = 0; j < d->n; j++) {
    d->slope[j] = 0;
    for (size_t i = 0; i < d->n; i++)
      d->slope[j] += d->x[i] * d->b[i * d->n + j];
    worst = fmax(worst, d->in[j] || d->lambda[j] > 0 ? fabs(d->slope[j]) : -d->slope[j]);
  }
  return worst;
}

/* The Hessian over the `count` lambdas of d->index: the covariance of their columns of b under
 * x. */
static void covariance(Dual *d, size_t count) {
  for (size_t p = 0; p < count; p++)
    for (size_t q = 0; q <= p; q++) {
      /* b is antisymmetric: its rows stand for its columns, as two signs cancel */
      const double *one = d->b + d->index[p] * d->n;
      const double *other = d->b + d->index[q] * d->n;
      double sum = 0;
      for (size_t i = 0; i < d->n; i++)
        sum += d->x[i] * one[i] * other[i];
      d->hessian[p * count + q] = sum - d->slope[d->index[p]] * d->slope[d->index[q]];
    }
}

/* Fills d->move (n) with a Newton step over the lambdas that are not held at 0, and 0 for those
 * that are. false: the Hessian is singular. */
static bool newton_move(Dual *d) {
  size_t n = d->n;
  size_t free_count = 0;
  for (size_t j = 0; j < n; j++)
    if (d->in[j] || d->lambda[j] > 0 || d->slope[j] < 0) d->index[free_count++] = j;
  covariance(d, free_count);
  for (size_t p = 0; p < free_count; p++) {
    d->hessian[p * free_count + p] +=
        1e-9; /* there may be directions along which nothing changes */
    d->move[p] = d->slope[d->index[p]];
  }
  if (!dense_factor(d->hessian, free_count)) return false;
  dense_solve(d->hessian, free_count, d->move);
  for (size_t j = 0; j < n; j++)
    d->trial[j] = 0; /* the step of every lambda */
  for (size_t p = 0; p < free_count; p++)
    d->trial[d->index[p]] = d->move[p];
  memcpy(d->move, d->trial, n * sizeof *d->move);
  return true;
}

/* Halves the step until the dual's value does not rise; what it was and where is then in trial and
 * trial_x. Returns the value. */
static double step_down(Dual *d, double value) {
  double next = 0, length = 1;
  for (int halving = 0; halving < 60; halving++, length /= 2) {
    for (size_t j = 0; j < d->n; j++) {
      double to = d->lambda[j] - length * d->move[j];
      d->trial[j] = d->in[j] ? to : fmax(to, 0);
    }
    next = log_partition(d, d->trial, d->trial_x);
    if (next <= value + 1e-14 * fabs(value)) break;
  }
  return next;
}

/* Newton's method with halved steps. That it converged is asked of the slopes, not of the length of
 * the last step. */
static Status most_even(Dual *d, double *mix) {
  double value = log_partition(d, d->lambda, d->x);
  double worst = slopes(d);
  for (int turn = 0; turn < 300 && worst > 1e-11; turn++) {
    if (!newton_move(d)) break;
    value = step_down(d, value);
    memcpy(d->lambda, d->trial, d->n * sizeof *d->lambda);
    memcpy(d->x, d->trial_x, d->n * sizeof *d->x);
    worst = slopes(d);
  }
  memcpy(mix, d->x, d->n * sizeof *mix);
  return worst < 1e-7 ? OK
                      : status_set(ERR_INTERNAL,
                                   "Nash averaging over %zu players did not converge (%.2g left)",
                                   d->n, worst);
}

/* Lends the method its memory: six rows of n and a matrix in one piece. */
static Status most_even_of(const double *b, size_t n, const unsigned char *in, double *mix) {
  Status status = OK;
  double *room = NULL;
  Dual d = {.b = b, .n = n, .in = in};
  TRY(NEW_ARRAY(room, 6 * n + n * n));
  TRY(NEW_ARRAY(d.index, n));
  d.lambda = room;
  d.x = room + n;
  d.slope = room + 2 * n;
  d.trial = room + 3 * n;
  d.trial_x = room + 4 * n;
  d.move = room + 5 * n;
  d.hessian = room + 6 * n;
  TRY(most_even(&d, mix));
done:
  free(room);
  free(d.index);
  return status;
}

/* Only the antisymmetric part counts: what both get on average, whoever plays whom, is nobody's
 * skill. It is scaled to a largest entry of 1, so that the tolerances mean the same in any unit. */
Status meta_nash_average(const double *a, size_t n, double *mix, double *skill) {
  Status status = OK;
  double *b = NULL, scale = 0;
  unsigned char *in = NULL;
  TRY(NEW_ARRAY(b, n * n));
  TRY(NEW_ARRAY(in, n));
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      b[i * n + j] = (a[i * n + j] - a[j * n + i]) / 2;
      scale = fmax(scale, fabs(b[i * n + j]));
    }
  if (scale > 0)
    for (size_t i = 0; i < n * n; i++)
      b[i] /= scale;
  TRY(largest_support(b, n, in, mix));
  TRY(most_even_of(b, n, in, mix));
  for (size_t i = 0; skill && i < n; i++) {
    skill[i] = 0;
    for (size_t j = 0; j < n; j++)
      skill[i] += b[i * n + j] * scale * mix[j];
  }
done:
  free(b);
  free(in);
  return status;
}

/* --- replicator dynamics --- */

/* out := x (A x - x'Ax): who earns more than the mean grows. */
static void flow(const double *a, size_t n, const double *x, double *out) {
  double mean = 0;
  for (size_t i = 0; i < n; i++) {
    out[i] = 0;
    for (size_t j = 0; j < n; j++)
      out[i] += a[i * n + j] * x[j];
    mean += x[i] * out[i];
  }
  for (size_t i = 0; i < n; i++)
    out[i] = x[i] * (out[i] - mean);
}

/* Rounding lets the sum of x drift from 1 and entries fall below 0; each step puts both right. */
Status meta_replicator(const double *a, size_t n, const double *x, double step, size_t steps,
                       double *path) {
  double *k;
  TRY_RETURN(NEW_ARRAY(k, 5 * n));
  double *mid = k + 4 * n;
  memcpy(path, x, n * sizeof *x);
  for (size_t s = 0; s < steps; s++) {
    const double *from = path + s * n;
    const double weight[4] = {0, 0.5, 0.5, 1};
    double *to = path + (s + 1) * n;
    double sum = 0;
    for (int q = 0; q < 4; q++) {
      for (size_t i = 0; i < n; i++)
        mid[i] = from[i] + (q ? step * weight[q] * k[(size_t)(q - 1) * n + i] : 0);
      flow(a, n, mid, k + (size_t)q * n);
    }
    for (size_t i = 0; i < n; i++) {
      to[i] = fmax(from[i] + step / 6 * (k[i] + 2 * k[n + i] + 2 * k[2 * n + i] + k[3 * n + i]), 0);
      sum += to[i];
    }
    for (size_t i = 0; i < n; i++)
      to[i] /= sum;
  }
  free(k);
  return OK;
}

/* --- transitivity --- */

/* How much of the scores' distance from 0.5 is gone when the ratings' expectation is taken off,
 * 0..1; -1: nobody rated met. */
static double explained_by(const double *score, const double *elo, size_t n) {
  double all = 0, left = 0;
  bool met = false;
  for (size_t i = 0; i < n; i++)
    for (size_t j = i + 1; j < n; j++) {
      double s = score[i * n + j];
      if (s < 0 || isnan(elo[i]) || isnan(elo[j])) continue;
      double expected = meta_expected_score(elo[i] - elo[j]);
      met = true;
      all += (s - 0.5) * (s - 0.5);
      left += (s - expected) * (s - expected);
    }
  if (!met) return -1;
  return all > 0 ? fmax(1 - left / all, 0) : 1;
}

/* Looks at all triples. Most are passed over at once, as their first win is no larger than the best
 * cycle's smallest. */
static void widest_cycle(const double *score, size_t n, Transitivity *out) {
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++) {
      double first = score[i * n + j] - 0.5;
      if (first <= out->margin) continue;
      for (uint32_t k = 0; k < n; k++) {
        double least = fmin(first, fmin(score[j * n + k] - 0.5, score[k * n + i] - 0.5));
        if (least <= out->margin) continue;
        out->margin = least;
        out->cycle[0] = i;
        out->cycle[1] = j;
        out->cycle[2] = k;
      }
    }
}

/* 1 and no cycle is a ladder; rock, paper, scissors has 0 and the margin 0.5. */
Transitivity meta_transitivity(const double *score, const double *elo, size_t n) {
  Transitivity out = {.explained = explained_by(score, elo, n)};
  widest_cycle(score, n, &out);
  return out;
}

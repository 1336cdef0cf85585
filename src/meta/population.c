/* Nash averaging finds the support by a linear program and the entropy's maximum by Newton's method on its dual;
 * alpha-rank solves its chain directly. */
#include "meta/population.h"

#include "meta/dense.h"
#include "meta/lp.h"
#include "meta/rating.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- alpha-rank --- */
/* Probability that one player s takes over m - 1 players r: 1 / (1 + sum_l prod_k exp(-alpha (f_s - f_r))), where with
 * k of s about f_s = ((k - 1) a_ss + (m - k) a_sr) / (m - 1) and f_r = (k a_rs + (m - k - 1) a_rr) / (m - 1). */
static double fixation(const double *a, size_t n, size_t r, size_t s, double m, double alpha) {
  double sum = 1, log_product = 0;
  for (double k = 1; k < m; k++) {
    double fs = ((k - 1) * a[s * n + s] + (m - k) * a[s * n + r]) / (m - 1),
           fr = (k * a[r * n + s] + (m - k - 1) * a[r * n + r]) / (m - 1);
    log_product -= alpha * (fs - fr);
    sum += exp(fmin(log_product, 600));
  }
  return 1 / sum;
}

/* Solves x P = x, sum x = 1 by the elimination of Grassmann, Taksar and Heyman: no subtractions, so no cancellation. */
static void stationary(double *p, size_t n, double *x) {
  for (size_t k = n; k-- > 1;) {
    double out = 0;
    for (size_t j = 0; j < k; j++) out += p[k * n + j];
    for (size_t i = 0; i < k; i++) p[i * n + k] = out > 0 ? p[i * n + k] / out : 0;
    for (size_t i = 0; i < k; i++)
      for (size_t j = 0; j < k; j++) p[i * n + j] += p[i * n + k] * p[k * n + j];
  }
  double sum = 1;
  x[0] = 1;
  for (size_t k = 1; k < n; k++) {
    x[k] = 0;
    for (size_t i = 0; i < k; i++) x[k] += x[i] * p[i * n + k];
    sum += x[k];
  }
  for (size_t k = 0; k < n; k++) x[k] /= sum;
}

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
size_t meta_all_met(const unsigned char *met, size_t n, unsigned char *in) {
  size_t *missing = malloc((n + 1) * sizeof *missing), left = n;
  memset(in, missing != NULL, n);
  if (!missing) return 0;
  for (size_t i = 0; i < n; i++) {
    missing[i] = 0;
    for (size_t j = 0; j < n; j++) missing[i] += i != j && !met[i * n + j];
  }
  for (;;) {
    size_t worst = n;
    for (size_t i = 0; i < n; i++)
      if (in[i] && missing[i] && (worst == n || missing[i] > missing[worst])) worst = i;
    if (worst == n) break;
    in[worst] = 0;
    left--;
    for (size_t j = 0; j < n; j++) missing[j] -= j != worst && !met[worst * n + j] && in[j];
  }
  for (size_t i = n; i-- > 0;) { /* whom only those kept out that went later */
    bool fits = !in[i];
    for (size_t j = 0; j < n && fits; j++) fits = !in[j] || met[i * n + j];
    in[i] |= fits;
    left += fits;
  }
  free(missing);
  return left;
}

void meta_select(const double *a, size_t n, const unsigned char *in, double *out) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; in[i] && j < n; j++)
      if (in[j]) *out++ = a[i * n + j];
}

/* --- Nash averaging --- */
/* The equilibria of the antisymmetric b are x >= 0 with x'b >= 0, sum x = 1: without the sum, a cone. In a cone any
 * member can be as large as one likes, so that the maximum of the sum of min(x_i, 1) is 1 for each i that is in any
 * equilibrium, and 0 for the others: one linear program finds the largest support. Its variables are min(x_i, 1) and
 * what x_i has beyond. */
static Status largest_support(const double *b, size_t n, unsigned char *in, double *x) {
  Status status = OK;
  double sum = 0;
  Lp lp;
  TRY(lp_create(2 * n, n, &lp));
  for (size_t i = 0; i < 2 * n; i++) {
    for (size_t j = 0; j < n; j++) *lp_at(&lp, i, j) = b[i % n * n + j];
    lp.high[i] = i < n ? 1 : LP_NO_LIMIT;
    lp.cost[i] = i < n ? -1 : 0;
  }
  for (size_t j = 0; j < n; j++) lp.row_high[j] = LP_NO_LIMIT;
  TRY(lp_minimise(&lp));
  for (size_t i = 0; i < n; i++) {
    in[i] = lp.solution[i] > 0.5;
    x[i] = in[i] ? lp.solution[i] + fmax(lp.solution[n + i], 0) : 0;
    sum += x[i];
  }
  if (sum <= 0) TRY(status_set(ERR_INTERNAL, "no equilibrium of %zu players was found", n));
  for (size_t i = 0; i < n; i++) x[i] /= sum;
done:
  lp_destroy(&lp);
  return status;
}

/* The dual of the maximum entropy over the equilibria: x_i ~ exp(sum_j lambda_j b_ij) over the support, lambda
 * minimising the log of the sum. Against a member of the support every equilibrium scores 0, so its lambda is free; the
 * others' are >= 0. */
typedef struct Dual {
  const double *b;
  size_t n;
  const unsigned char *in;
  double *lambda, *x, *slope; /* (n) */
  double *trial, *trial_x;
  double *hessian, *move; /* over the indices that may move */
  size_t *index;
} Dual;

static double log_partition(const Dual *d, const double *lambda, double *x) {
  double top = -1e300, sum = 0;
  size_t n = d->n;
  for (size_t i = 0; i < n; i++) {
    x[i] = 0;
    if (!d->in[i]) continue;
    for (size_t j = 0; j < n; j++) x[i] += lambda[j] * d->b[i * n + j];
    top = fmax(top, x[i]);
  }
  for (size_t i = 0; i < n; i++) sum += x[i] = d->in[i] ? exp(x[i] - top) : 0;
  for (size_t i = 0; i < n; i++) x[i] /= sum;
  return top + log(sum);
}

/* The slopes (payoffs of x against each), and how far x is from the best: what a lambda may still gain by. */
static double slopes(Dual *d) {
  double worst = 0;
  for (size_t j = 0; j < d->n; j++) {
    d->slope[j] = 0;
    for (size_t i = 0; i < d->n; i++) d->slope[j] += d->x[i] * d->b[i * d->n + j];
    worst = fmax(worst, d->in[j] || d->lambda[j] > 0 ? fabs(d->slope[j]) : -d->slope[j]);
  }
  return worst;
}

/* A Newton step over the lambdas that are not held at 0; the Hessian is the covariance of b's columns under x. */
static bool newton_move(Dual *d) {
  size_t n = d->n, free_count = 0;
  for (size_t j = 0; j < n; j++)
    if (d->in[j] || d->lambda[j] > 0 || d->slope[j] < 0) d->index[free_count++] = j;
  for (size_t p = 0; p < free_count; p++) {
    for (size_t q = 0; q <= p; q++) {
      double sum = 0;
      const double *one = d->b + d->index[p] * n, *other = d->b + d->index[q] * n; /* rows are minus columns */
      for (size_t i = 0; i < n; i++) sum += d->x[i] * one[i] * other[i];
      d->hessian[p * free_count + q] = sum - d->slope[d->index[p]] * d->slope[d->index[q]];
    }
    d->hessian[p * free_count + p] += 1e-9; /* directions along which nothing changes */
    d->move[p] = d->slope[d->index[p]];
  }
  if (!dense_factor(d->hessian, free_count)) return false;
  dense_solve(d->hessian, free_count, d->move);
  for (size_t j = 0; j < n; j++) d->trial[j] = 0; /* the step of every lambda */
  for (size_t p = 0; p < free_count; p++) d->trial[d->index[p]] = d->move[p];
  memcpy(d->move, d->trial, n * sizeof *d->move);
  return true;
}

static Status most_even(Dual *d, double *mix) {
  double value = log_partition(d, d->lambda, d->x), worst = slopes(d);
  for (int turn = 0; turn < 300 && worst > 1e-11; turn++) {
    double length = 1, next = 0;
    if (!newton_move(d)) break;
    for (int halving = 0; halving < 60; halving++, length /= 2) {
      for (size_t j = 0; j < d->n; j++) {
        double to = d->lambda[j] - length * d->move[j];
        d->trial[j] = d->in[j] ? to : fmax(to, 0);
      }
      next = log_partition(d, d->trial, d->trial_x);
      if (next <= value + 1e-14 * fabs(value)) break;
    }
    value = next;
    memcpy(d->lambda, d->trial, d->n * sizeof *d->lambda);
    memcpy(d->x, d->trial_x, d->n * sizeof *d->x);
    worst = slopes(d);
  }
  memcpy(mix, d->x, d->n * sizeof *mix);
  return worst < 1e-7
             ? OK
             : status_set(ERR_INTERNAL, "Nash averaging over %zu players did not converge (%.2g left)", d->n, worst);
}

static Status most_even_of(const double *b, size_t n, const unsigned char *in, double *mix) {
  Status status = OK;
  double *room = NULL;
  Dual d = {.b = b, .n = n, .in = in};
  TRY(NEW_ARRAY(room, 6 * n + n * n));
  TRY(NEW_ARRAY(d.index, n));
  d.lambda = room, d.x = room + n, d.slope = room + 2 * n, d.trial = room + 3 * n, d.trial_x = room + 4 * n;
  d.move = room + 5 * n, d.hessian = room + 6 * n;
  TRY(most_even(&d, mix));
done:
  free(room);
  free(d.index);
  return status;
}

Status meta_nash_average(const double *a, size_t n, double *mix, double *skill) {
  Status status = OK;
  double *b = NULL, scale = 0;
  unsigned char *in = NULL;
  TRY(NEW_ARRAY(b, n * n));
  TRY(NEW_ARRAY(in, n));
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) scale = fmax(scale, fabs(b[i * n + j] = (a[i * n + j] - a[j * n + i]) / 2));
  if (scale > 0)
    for (size_t i = 0; i < n * n; i++) b[i] /= scale;
  TRY(largest_support(b, n, in, mix));
  TRY(most_even_of(b, n, in, mix));
  for (size_t i = 0; skill && i < n; i++) {
    skill[i] = 0;
    for (size_t j = 0; j < n; j++) skill[i] += b[i * n + j] * scale * mix[j];
  }
done:
  free(b);
  free(in);
  return status;
}

/* --- replicator dynamics --- */
static void flow(const double *a, size_t n, const double *x, double *out) {
  double mean = 0;
  for (size_t i = 0; i < n; i++) {
    out[i] = 0;
    for (size_t j = 0; j < n; j++) out[i] += a[i * n + j] * x[j];
    mean += x[i] * out[i];
  }
  for (size_t i = 0; i < n; i++) out[i] = x[i] * (out[i] - mean);
}

Status meta_replicator(const double *a, size_t n, const double *x, double step, size_t steps, double *path) {
  double *k;
  TRY_RETURN(NEW_ARRAY(k, 5 * n));
  double *mid = k + 4 * n;
  memcpy(path, x, n * sizeof *x);
  for (size_t s = 0; s < steps; s++) {
    const double *from = path + s * n, weight[4] = {0, 0.5, 0.5, 1};
    double *to = path + (s + 1) * n, sum = 0;
    for (int q = 0; q < 4; q++) {
      for (size_t i = 0; i < n; i++) mid[i] = from[i] + (q ? step * weight[q] * k[(size_t)(q - 1) * n + i] : 0);
      flow(a, n, mid, k + (size_t)q * n);
    }
    for (size_t i = 0; i < n; i++) {
      to[i] = fmax(from[i] + step / 6 * (k[i] + 2 * k[n + i] + 2 * k[2 * n + i] + k[3 * n + i]), 0);
      sum += to[i];
    }
    for (size_t i = 0; i < n; i++) to[i] /= sum;
  }
  free(k);
  return OK;
}

/* --- transitivity --- */
Transitivity meta_transitivity(const double *score, const double *elo, size_t n) {
  Transitivity out = {.explained = 1};
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
  if (all > 0) out.explained = fmax(1 - left / all, 0);
  if (!met) out.explained = -1;
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++) {
      double first = score[i * n + j] - 0.5;
      if (first <= out.margin) continue;
      for (uint32_t k = 0; k < n; k++) {
        double least = fmin(first, fmin(score[j * n + k] - 0.5, score[k * n + i] - 0.5));
        if (least > out.margin) {
          out.margin = least;
          out.cycle[0] = i, out.cycle[1] = j, out.cycle[2] = k;
        }
      }
    }
  return out;
}

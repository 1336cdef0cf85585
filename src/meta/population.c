/* Nash averaging finds the support by linear programs and the entropy's maximum by its dual; alpha-rank solves its
 * chain directly. */
#include "meta/population.h"

#include "meta/lp.h"
#include "meta/meta.h"

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
/* maximise x_target subject to x'b >= 0 for all columns of the antisymmetric b, sum x = 1, x >= 0. The value of the
 * game is 0, so these x are all its equilibria. */
static Status most_of(const double *b, size_t n, size_t target, double slack, double *x) {
  Status status = OK;
  Lp lp;
  TRY(lp_create(n, n + 1, &lp));
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) *lp_at(&lp, i, j) = b[i * n + j];
    *lp_at(&lp, i, n) = 1;
    lp.high[i] = 1;
    lp.row_low[i] = -slack;
    lp.row_high[i] = LP_NO_LIMIT;
  }
  lp.row_low[n] = lp.row_high[n] = 1;
  lp.cost[target] = -1;
  TRY(lp_minimise(&lp));
  for (size_t i = 0; i < n; i++) x[i] = lp.solution[i] > 0 ? lp.solution[i] : 0;
done:
  lp_destroy(&lp);
  return status;
}

static double log_partition(const double *b, size_t n, const unsigned char *in, const double *lambda, double *x) {
  double top = -1e300, sum = 0;
  for (size_t i = 0; i < n; i++) {
    x[i] = 0;
    if (!in[i]) continue;
    for (size_t j = 0; j < n; j++) x[i] += lambda[j] * b[i * n + j];
    top = fmax(top, x[i]);
  }
  for (size_t i = 0; i < n; i++) sum += x[i] = in[i] ? exp(x[i] - top) : 0;
  for (size_t i = 0; i < n; i++) x[i] /= sum;
  return top + log(sum);
}

/* Maximum entropy over the equilibria with support `in`: x_i ~ exp(sum_j lambda_j b_ij), lambda >= 0 minimising the log
 * of the sum, by projected gradient steps of adapting length. x holds an equilibrium, which stays where the steps do
 * not reach a better one. */
static Status most_even(const double *b, size_t n, const unsigned char *in, double *x) {
  Status status = OK;
  double *lambda = NULL, *trial = NULL, *now = NULL, *other = NULL, step = 1;
  TRY(NEW_ARRAY(lambda, n));
  TRY(NEW_ARRAY(trial, n));
  TRY(NEW_ARRAY(now, n));
  TRY(NEW_ARRAY(other, n));
  double value = log_partition(b, n, in, lambda, now);
  for (int turn = 0; turn < 20000; turn++) {
    double worst = 0;
    for (size_t j = 0; j < n; j++) {
      double slope = 0;
      for (size_t i = 0; i < n; i++) slope += now[i] * b[i * n + j];
      trial[j] = fmax(lambda[j] - step * slope, 0);
      worst = fmax(worst, fmax(-slope, lambda[j] > 0 ? fabs(slope) : 0));
    }
    if (worst < 1e-10) break;
    double next = log_partition(b, n, in, trial, other);
    if (next > value) {
      if ((step /= 2) < 1e-12) break;
      continue;
    }
    step *= 1.3;
    value = next;
    memcpy(lambda, trial, n * sizeof *lambda);
    memcpy(now, other, n * sizeof *now);
  }
  double worst = 0;
  for (size_t j = 0; j < n; j++) {
    double slope = 0;
    for (size_t i = 0; i < n; i++) slope += now[i] * b[i * n + j];
    worst = fmax(worst, -slope);
  }
  if (worst < 1e-6) memcpy(x, now, n * sizeof *x);
done:
  free(lambda);
  free(trial);
  free(now);
  free(other);
  return status;
}

Status meta_nash_average(const double *a, size_t n, size_t exact, double *mix, double *skill) {
  Status status = OK;
  double *b = NULL, *x = NULL, scale = 0;
  unsigned char *in = NULL;
  TRY(NEW_ARRAY(b, n * n));
  TRY(NEW_ARRAY(x, n));
  TRY(NEW_ARRAY(in, n));
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) scale = fmax(scale, fabs(b[i * n + j] = (a[i * n + j] - a[j * n + i]) / 2));
  if (scale > 0)
    for (size_t i = 0; i < n * n; i++) b[i] /= scale;
  if (n > exact) {
    TRY(meta_nash(b, n, n, mix, NULL, NULL));
  } else {
    for (size_t i = 0; i < n; i++) mix[i] = 0;
    for (size_t i = 0; i < n; i++) { /* the mean of these equilibria has the largest support */
      TRY(most_of(b, n, i, 1e-12, x));
      in[i] = x[i] > 1e-9;
      for (size_t j = 0; j < n; j++) mix[j] += x[j] / (double)n;
    }
    TRY(most_even(b, n, in, mix));
  }
  for (size_t i = 0; skill && i < n; i++) {
    skill[i] = 0;
    for (size_t j = 0; j < n; j++) skill[i] += b[i * n + j] * scale * mix[j];
  }
done:
  free(b);
  free(x);
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
  for (size_t i = 0; i < n; i++)
    for (size_t j = i + 1; j < n; j++) {
      double s = score[i * n + j];
      if (s < 0) continue;
      double expected = 1 / (1 + pow(10, (elo[j] - elo[i]) / 400));
      all += (s - 0.5) * (s - 0.5);
      left += (s - expected) * (s - expected);
    }
  if (all > 0) out.explained = fmax(1 - left / all, 0);
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

#include "meta/seeds.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- Student's t --- */
/* The continued fraction of the incomplete beta function, by Lentz; converges fast for
 * x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x) {
  enum { MOST = 10000 };
  const double tiny = 1e-300;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  if (fabs(d) < tiny) d = tiny;
  d = 1 / d;
  double h = d;
  for (int m = 1; m <= MOST; m++) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + even * d;
    if (fabs(d) < tiny) d = tiny;
    c = 1 + even / c;
    if (fabs(c) < tiny) c = tiny;
    d = 1 / d;
    h *= d * c;
    d = 1 + odd * d;
    if (fabs(d) < tiny) d = tiny;
    c = 1 + odd / c;
    if (fabs(c) < tiny) c = tiny;
    d = 1 / d;
    h *= d * c;
    if (fabs(d * c - 1) < 1e-15) break;
  }
  return h;
}

static double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

/* The regularised incomplete beta function. */
static double beta_part(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* The probability of being further from 0 than t, on both sides: exact far out too, where
 * 1 - student_below would round to 0. */
static double student_beyond(double t, double freedom) {
  return beta_part(freedom / 2, 0.5, freedom / (freedom + t * t));
}

double student_below(double t, double freedom) {
  const double tail = student_beyond(t, freedom) / 2;
  return t < 0 ? tail : 1 - tail;
}

/* By halving: slow beside a series, but there are few calls, and it cannot fail to converge. */
double student_quantile(double probability, double freedom) {
  if (probability < 0.5) return -student_quantile(1 - probability, freedom);
  const double tail = 2 * (1 - probability);
  double low = 0;
  double high = 1;
  if (tail <= 0) return INFINITY;
  while (student_beyond(high, freedom) > tail)
    high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-15 * high; i++) {
    const double middle = (low + high) / 2;
    if (student_beyond(middle, freedom) > tail)
      low = middle;
    else
      high = middle;
  }
  return (low + high) / 2;
}

/* --- one sample --- */
static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

static double mean_of(const double *value, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += value[i];
  return sum / (double)count;
}

/* By count - 1. */
static double variance_of(const double *value, size_t count) {
  const double mean = mean_of(value, count);
  double sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += (value[i] - mean) * (value[i] - mean);
  return count > 1 ? sum / (double)(count - 1) : NAN;
}

Status seeds_summarise(const double *value, size_t count, SeedSummary *out) {
  double *sorted;
  *out = (SeedSummary){.count = count};
  TRY_RETURN(NEW_ARRAY(sorted, count));
  memcpy(sorted, value, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_value);
  out->mean = mean_of(value, count);
  out->deviation = sqrt(variance_of(value, count));
  out->median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
  out->least = sorted[0];
  out->most = sorted[count - 1];
  out->low = out->high = NAN;
  if (count > 1) {
    const double half =
        student_quantile(0.975, (double)(count - 1)) * out->deviation / sqrt((double)count);
    out->low = out->mean - half;
    out->high = out->mean + half;
  }
  free(sorted);
  return OK;
}

/* --- ranks --- */
/* So many samples are ranked exactly; the normal distribution is close enough beyond. */
enum { EXACT = 50 };

/* Twice the rank of each value, so that those which are equal share a whole number; their sum of
 * t^3 - t goes into *ties. ERR_MEMORY. */
static Status rank_twice(const double *value, size_t count, uint32_t *rank, double *ties) {
  double *sorted;
  *ties = 0;
  TRY_RETURN(NEW_ARRAY(sorted, count));
  memcpy(sorted, value, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, by_value);
  for (size_t i = 0, end; i < count; i = end) {
    for (end = i + 1; end < count && !(sorted[end] > sorted[i]);)
      end++;
    const double equal = (double)(end - i);
    *ties += equal * equal * equal - equal;
    for (size_t k = 0; k < count; k++)
      if (!(value[k] < sorted[i]) && !(value[k] > sorted[i])) rank[k] = (uint32_t)(i + end + 1);
  }
  free(sorted);
  return OK;
}

/* The share of all ways in which a sum can come about that lie at least as far from `centre` as
 * `sum` does. ways (sums + 1). */
static double share_beyond(const double *ways, size_t sums, double centre, double sum) {
  const double far = fabs(sum - centre) - 1e-9;
  double all = 0;
  double beyond = 0;
  for (size_t s = 0; s <= sums; s++) {
    all += ways[s];
    if (fabs((double)s - centre) >= far) beyond += ways[s];
  }
  return fmin(beyond / all, 1);
}

/* Two-sided p of a normal z. */
static double normal_beyond(double z) {
  return erfc(fabs(z) / sqrt(2));
}

/* Mann-Whitney: every choice of count_a of the ranks is as likely as that of the first sample, if
 * both are drawn from one distribution. Ties are in the ranks, so the test stays exact with them;
 * above EXACT samples by the normal distribution, corrected for ties and continuity. */
static Status mann_whitney(const double *a, size_t count_a, const double *b, size_t count_b,
                           double *out) {
  Status status = OK;
  const size_t all = count_a + count_b;
  double *value = NULL;
  uint32_t *rank = NULL;
  double *ways = NULL; /* (count_a + 1, sums + 1) choices of so many with that sum */
  double ties;
  double sum = 0;
  TRY(NEW_ARRAY(value, all));
  TRY(NEW_ARRAY(rank, all));
  memcpy(value, a, count_a * sizeof *value);
  memcpy(value + count_a, b, count_b * sizeof *value);
  TRY(rank_twice(value, all, rank, &ties));
  for (size_t i = 0; i < count_a; i++)
    sum += rank[i];
  const double n = (double)all;
  const double centre = (double)count_a * (n + 1); /* of twice the ranks */
  if (all > EXACT) {
    const double spread = (double)count_a * (double)count_b / 12 * (n + 1 - ties / (n * (n - 1)));
    const double off = fmax(fabs(sum - centre) / 2 - 0.5, 0);
    *out = spread > 0 ? normal_beyond(off / sqrt(spread)) : 1;
    goto done;
  }
  const size_t sums = all * (all + 1);
  TRY(NEW_ARRAY(ways, (count_a + 1) * (sums + 1)));
  ways[0] = 1;
  for (size_t i = 0; i < all; i++)
    for (size_t k = count_a; k-- > 0;)
      for (size_t s = 0; s + rank[i] <= sums; s++)
        ways[(k + 1) * (sums + 1) + s + rank[i]] += ways[k * (sums + 1) + s];
  *out = share_beyond(ways + count_a * (sums + 1), sums, centre, sum);
done:
  free(ways);
  free(rank);
  free(value);
  return status;
}

/* Wilcoxon's signed ranks: each difference is as likely to have the other sign. Differences of 0
 * are left out, as usual. */
static Status signed_ranks(const double *difference, size_t count, double *out) {
  Status status = OK;
  double *size = NULL;
  uint32_t *rank = NULL;
  bool *positive = NULL;
  double *ways = NULL;
  size_t kept = 0;
  double ties;
  double sum = 0;
  double total = 0;
  TRY(NEW_ARRAY(size, count));
  TRY(NEW_ARRAY(rank, count));
  TRY(NEW_ARRAY(positive, count));
  for (size_t i = 0; i < count; i++)
    if (fabs(difference[i]) > 0) {
      positive[kept] = difference[i] > 0;
      size[kept++] = fabs(difference[i]);
    }
  *out = 1;
  if (!kept) goto done;
  TRY(rank_twice(size, kept, rank, &ties));
  for (size_t i = 0; i < kept; i++) {
    total += rank[i];
    sum += positive[i] ? rank[i] : 0;
  }
  if (kept > EXACT) {
    const double n = (double)kept;
    const double spread = n * (n + 1) * (2 * n + 1) / 24 - ties / 48;
    const double off = fmax(fabs(sum - total / 2) / 2 - 0.5, 0);
    *out = spread > 0 ? normal_beyond(off / sqrt(spread)) : 1;
    goto done;
  }
  const size_t sums = (size_t)total;
  TRY(NEW_ARRAY(ways, sums + 1));
  ways[0] = 1;
  for (size_t i = 0; i < kept; i++)
    for (size_t s = sums + 1; s-- > rank[i];)
      ways[s] += ways[s - rank[i]];
  *out = share_beyond(ways, sums, total / 2, sum);
done:
  free(ways);
  free(positive);
  free(rank);
  free(size);
  return status;
}

/* --- two samples --- */
/* From a difference, its standard error and the degrees of freedom. */
static void tell_difference(SeedTest *out, double error, double freedom) {
  out->freedom = freedom;
  if (!(error > 0)) { /* nothing varies */
    out->t = NAN;
    out->p = fabs(out->difference) > 0 ? NAN : 1;
    out->low = out->high = out->difference;
    return;
  }
  out->t = out->difference / error;
  out->p = student_beyond(out->t, freedom);
  const double half = student_quantile(0.975, freedom) * error;
  out->low = out->difference - half;
  out->high = out->difference + half;
}

Status seeds_compare(const double *a, size_t count_a, const double *b, size_t count_b,
                     SeedTest *out) {
  *out = (SeedTest){.low = NAN, .high = NAN, .t = NAN, .freedom = NAN, .p = NAN, .p_rank = NAN};
  out->difference = mean_of(a, count_a) - mean_of(b, count_b);
  TRY_RETURN(mann_whitney(a, count_a, b, count_b, &out->p_rank));
  if (count_a < 2 || count_b < 2) return OK;
  const double va = variance_of(a, count_a) / (double)count_a;
  const double vb = variance_of(b, count_b) / (double)count_b;
  const double freedom =
      (va + vb) * (va + vb) / (va * va / (double)(count_a - 1) + vb * vb / (double)(count_b - 1));
  tell_difference(out, sqrt(va + vb), freedom);
  return OK;
}

Status seeds_compare_paired(const double *a, const double *b, size_t count, SeedTest *out) {
  Status status = OK;
  double *difference = NULL;
  *out = (SeedTest){.low = NAN, .high = NAN, .t = NAN, .freedom = NAN, .p = NAN, .p_rank = NAN};
  TRY(NEW_ARRAY(difference, count));
  for (size_t i = 0; i < count; i++)
    difference[i] = a[i] - b[i];
  out->difference = mean_of(difference, count);
  TRY(signed_ranks(difference, count, &out->p_rank));
  if (count > 1)
    tell_difference(out, sqrt(variance_of(difference, count) / (double)count), (double)(count - 1));
done:
  free(difference);
  return status;
}

/* --- several comparisons --- */
typedef struct Placed {
  double p;
  size_t place;
} Placed;

static int by_p(const void *a, const void *b) {
  const Placed *x = a;
  const Placed *y = b;
  if (x->p < y->p || x->p > y->p) return x->p < y->p ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

Status seeds_holm(double *p, size_t count) {
  Placed *order;
  size_t known = 0;
  double so_far = 0;
  TRY_RETURN(NEW_ARRAY(order, count));
  for (size_t i = 0; i < count; i++)
    if (!isnan(p[i])) order[known++] = (Placed){p[i], i};
  qsort(order, known, sizeof *order, by_p);
  for (size_t i = 0; i < known; i++) {
    so_far = fmax(so_far, fmin((double)(known - i) * order[i].p, 1));
    p[order[i].place] = so_far;
  }
  free(order);
  return OK;
}

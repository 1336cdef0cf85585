/* What numbers of several seeds say: of one configuration an interval, of two whether they differ.
 * Pure functions of arrays. A seed is one sample; what it was measured by (games, episodes) is not
 * looked at. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* One configuration over its seeds. */
typedef struct SeedSummary {
  size_t count;
  double mean, deviation; /* deviation: of the sample, by count - 1; NAN below two */
  double low, high;       /* 95 % interval of the mean, Student's t; NAN below two */
  double median;
  double least, most;
} SeedSummary;

/* Of a difference of means, first minus second. */
typedef struct SeedTest {
  double difference;
  double low, high; /* its 95 % interval, Student's t */
  double t, freedom;
  double p;      /* two-sided, of Welch's t or, paired, Student's; NAN where it cannot be told */
  double p_rank; /* two-sided, of ranks: Mann-Whitney or, paired, Wilcoxon's signed ranks */
} SeedTest;

/* ERR_MEMORY. count >= 1. */
Status seeds_summarise(const double *value, size_t count, SeedSummary *out);
/* Two samples that have nothing to do with each other. Where both do not vary at all, p is 1 if
 * they are equal, else NAN: nothing is known of how they would vary. ERR_MEMORY. */
Status seeds_compare(const double *a, size_t count_a, const double *b, size_t count_b,
                     SeedTest *out);
/* The same where a[i] and b[i] share a seed. ERR_MEMORY. */
Status seeds_compare_paired(const double *a, const double *b, size_t count, SeedTest *out);
/* Holm's correction for `count` comparisons, in place: each p becomes what it is compared with the
 * level by, so that the chance of any false difference stays below it. NANs are left out.
 * ERR_MEMORY. */
Status seeds_holm(double *p, size_t count);

/* Student's t with `freedom` degrees: the probability of at most t, and the t of a probability
 * within 0..1. */
double student_below(double t, double freedom);
double student_quantile(double probability, double freedom);

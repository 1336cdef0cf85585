/* Statistics over seeds against numbers of scipy 1.17.1 (t, ttest_ind, ttest_rel, mannwhitneyu, wilcoxon), and, where
 * it has no exact test with ties, against counting all permutations. */
#include "check.h"

#include "meta/seeds.h"

#include <math.h>

static const double a[] = {0.512, 0.488, 0.531, 0.547, 0.495};
static const double b[] = {0.601, 0.588, 0.57, 0.622, 0.533};

static void students_distribution(void **state) {
  (void)state;
  CHECK_NEAR(student_below(-2.5, 1), 0.121118941590843, 1e-13);
  CHECK_NEAR(student_below(0.3, 2.7), 0.607116733652776, 1e-13);
  CHECK_NEAR(student_below(1.96, 4), 0.939222680074908, 1e-13);
  CHECK_NEAR(student_below(5, 9), 0.999630516045098, 1e-13);
  CHECK_NEAR(student_below(-12, 30), 2.79009270759963e-13, 1e-24);
  CHECK_NEAR(student_below(2, 1000), 0.977114826753374, 1e-12);
  CHECK_NEAR(student_quantile(.975, 1), 12.7062047361747, 1e-10);
  CHECK_NEAR(student_quantile(.975, 4), 2.77644510519779, 1e-11);
  CHECK_NEAR(student_quantile(.95, 2.5), 2.55821861413594, 1e-11);
  CHECK_NEAR(student_quantile(.005, 9), -3.24983554159213, 1e-11);
  CHECK_NEAR(student_quantile(.975, 99), 1.98421695158642, 1e-11);
  CHECK_NEAR(student_quantile(.9999, 3), 22.203742273205, 1e-8);
}

static void one_sample(void **state) {
  (void)state;
  const double four[] = {4, 1, 3, 10};
  SeedSummary s;
  CHECK_OK(seeds_summarise(a, 5, &s));
  CHECK_NEAR(s.mean, .5146, 1e-12);
  CHECK_NEAR(s.deviation, 0.02458251411064379, 1e-12);
  CHECK_NEAR(s.low, 0.48407677724347764, 1e-12);
  CHECK_NEAR(s.high, 0.5451232227565225, 1e-12);
  CHECK_NEAR(s.median, .512, 0);
  CHECK_NEAR(s.least, .488, 0);
  CHECK_NEAR(s.most, .547, 0);
  CHECK_OK(seeds_summarise(four, 4, &s));
  CHECK_NEAR(s.median, 3.5, 0);
  CHECK_OK(seeds_summarise(four, 1, &s)); /* of one nothing is known but itself */
  CHECK_NEAR(s.mean, 4, 0);
  assert_true(isnan(s.low) && isnan(s.high) && isnan(s.deviation));
}

static void two_samples(void **state) {
  (void)state;
  const double c[] = {1, 2, 2, 3, 7, 8}, d[] = {2, 4, 9, 9};
  const double equal[] = {1, 1, 1}, other[] = {2, 2, 2};
  SeedTest t;
  CHECK_OK(seeds_compare(a, 5, b, 5, &t));
  CHECK_NEAR(t.difference, -.0682, 1e-12);
  CHECK_NEAR(t.t, -3.65695474388867, 1e-11);
  CHECK_NEAR(t.freedom, 7.31912551228048, 1e-10);
  CHECK_NEAR(t.p, 0.0074978774299225, 1e-13);
  CHECK_NEAR(t.low, -0.111912011568563, 1e-12);
  CHECK_NEAR(t.high, -0.0244879884314366, 1e-12);
  CHECK_NEAR(t.p_rank, 0.0158730158730159, 1e-14);
  CHECK_OK(seeds_compare(c, 6, d, 4, &t));
  CHECK_NEAR(t.p_rank, 44 / 210., 1e-14); /* with ties: all 210 choices counted */
  CHECK_OK(seeds_compare(equal, 3, equal, 3, &t));
  CHECK_NEAR(t.p, 1, 0);
  CHECK_NEAR(t.p_rank, 1, 0);
  CHECK_OK(seeds_compare(equal, 3, other, 3, &t)); /* that differ without varying: t says nothing */
  assert_true(isnan(t.p));
  CHECK_NEAR(t.p_rank, .1, 1e-14);
  CHECK_OK(seeds_compare(a, 1, b, 5, &t));
  assert_true(isnan(t.p) && isfinite(t.p_rank));
}

static void pairs(void **state) {
  (void)state;
  const double one[] = {1.5, 0, .5, 2, 0, 3, 0}, two[] = {0, .5, 0, 0, 0, 0, .5};
  SeedTest t;
  CHECK_OK(seeds_compare_paired(a, b, 5, &t));
  CHECK_NEAR(t.t, -5.34610173266658, 1e-10);
  CHECK_NEAR(t.freedom, 4, 0);
  CHECK_NEAR(t.p, 0.0059010586772833, 1e-13);
  CHECK_NEAR(t.low, -0.103618996054166, 1e-12);
  CHECK_NEAR(t.high, -0.0327810039458336, 1e-12);
  CHECK_NEAR(t.p_rank, .0625, 1e-14);
  CHECK_OK(seeds_compare_paired(one, two, 7, &t)); /* 1.5 -.5 .5 2 0 3 -.5: ties, and a zero */
  CHECK_NEAR(t.p_rank, 16 / 64., 1e-14);
}

/* Above the size that is counted out: the normal distribution, with both corrections. */
static void many_samples(void **state) {
  (void)state;
  double e[40], g[40], h[40], k[40], m[60], zero[60] = {0};
  SeedTest t;
  for (int i = 0; i < 40; i++) {
    e[i] = fmod((i + 1) * .37, 1);
    g[i] = fmod((i + 41) * .37, 1) * 1.1 + .1;
    h[i] = floor(e[i] * 8) / 8;
    k[i] = floor(g[i] * 8) / 8;
  }
  for (int i = 0; i < 60; i++)
    m[i] = fmod((i + 1) * .37, 1) - .35;
  CHECK_OK(seeds_compare(e, 40, g, 40, &t));
  CHECK_NEAR(t.p_rank, 0.0912674380355135, 1e-12);
  CHECK_OK(seeds_compare(h, 40, k, 40, &t));
  CHECK_NEAR(t.p_rank, 0.0771890623258457, 1e-12);
  CHECK_OK(seeds_compare_paired(m, zero, 60, &t));
  CHECK_NEAR(t.p_rank, 0.000594332270544868, 1e-9);
}

static void holms_correction(void **state) {
  (void)state;
  double p[] = {.01, NAN, .04, .03, .005}; /* R: p.adjust(c(.01, .04, .03, .005), "holm") */
  CHECK_OK(seeds_holm(p, 5));
  CHECK_NEAR(p[0], .03, 1e-15);
  assert_true(isnan(p[1]));
  CHECK_NEAR(p[2], .06, 1e-15);
  CHECK_NEAR(p[3], .06, 1e-15);
  CHECK_NEAR(p[4], .02, 1e-15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(students_distribution), cmocka_unit_test(one_sample),   cmocka_unit_test(two_samples),
      cmocka_unit_test(pairs),                 cmocka_unit_test(many_samples), cmocka_unit_test(holms_correction),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

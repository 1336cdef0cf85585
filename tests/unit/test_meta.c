/* Nash equilibria and ratings against known values. */
#include "check.h"

#include "meta/meta.h"

static void biased_rock_paper_scissors(void **state) {
  (void)state;
  const double a[9] = {0, -25, 50, 25, 0, -5, -50, 5, 0},
               expected[3] = {1 / 16., 10 / 16., 5 / 16.}; /* OpenSpiel's regret matching test */
  double row[3], column[3], value;
  CHECK_OK(meta_nash(a, 3, 3, row, column, &value));
  for (int i = 0; i < 3; i++) {
    CHECK_NEAR(row[i], expected[i], 1e-9);
    CHECK_NEAR(column[i], expected[i], 1e-9);
  }
  CHECK_NEAR(value, 0, 1e-9);
}

static void games_that_are_not_square(void **state) {
  (void)state;
  const double a[6] = {3, -1, 2, -2, 4, 1}; /* columns 0 and 1 support it: x = (3/5, 2/5), value 1 */
  double row[2], column[3], value;
  CHECK_OK(meta_nash(a, 2, 3, row, column, &value));
  CHECK_NEAR(row[0], .6, 1e-9);
  CHECK_NEAR(column[0], .5, 1e-9);
  CHECK_NEAR(column[2], 0, 1e-9);
  CHECK_NEAR(value, 1, 1e-9);
  const double dominated[9] = {0, -1, -1, 1, 0, -1, 1, 1, 0};
  CHECK_OK(meta_nash(dominated, 3, 3, column, NULL, NULL));
  CHECK_NEAR(column[2], 1, 1e-9);
}

static void elo_of_counts(void **state) {
  (void)state;
  Rating two_to_one = meta_rate(2, 0, 1);
  CHECK_NEAR(two_to_one.elo, 120.411998, 1e-5); /* Bradley-Terry, 2-1, in Elo */
  Rating all = meta_rate(100, 0, 0), none = meta_rate(0, 0, 100), drawn = meta_rate(0, 50, 0);
  assert_true(all.elo < 1000 && all.low < all.elo && all.elo <= all.high && all.high < 2000);
  CHECK_NEAR(all.elo, -none.elo, 1e-9);
  CHECK_NEAR(drawn.elo, 0, 1e-9);
  Rating many = meta_rate(550, 100, 350);
  assert_true(many.low < many.elo && many.elo < many.high && many.low > 0);
}

static void wilson_interval(void **state) {
  (void)state;
  double low, high;
  meta_interval(.5, 100, &low, &high); /* textbook: 0.4038 to 0.5962 */
  CHECK_NEAR(low, .4038, 1e-3);
  CHECK_NEAR(high, .5962, 1e-3);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(biased_rock_paper_scissors),
                                     cmocka_unit_test(games_that_are_not_square), cmocka_unit_test(elo_of_counts),
                                     cmocka_unit_test(wilson_interval)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

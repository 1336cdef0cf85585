/* Names beside the lines of a picture: apart from one another, and never on the axis' labels. */
#include "check.h"

#include "report/chart.h"

#include <math.h>

static const double ends[][4] = {
    {0, 0, 0, 40},      /* three lie on the axis */
    {0, .5, 40, 40},    /* two pairs */
    {40, 40, 40, 40},   /* all at the top */
    {20, 20.5, 21, 19}, /* in the middle */
};

static void names_stand_apart_and_above_the_axis(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT_OF(ends); i++) {
    Bytes out = {0};
    Chart chart;
    chart_begin_picture(&chart, &out, "title", "frames", 0, 1, 0, 40);
    for (size_t name = 0; name < 4; name++)
      chart_name(&chart, ends[i][name], "c0", "name");
    assert_false(out.failed);
    assert_int_equal(chart.names, 4);
    for (size_t a = 0; a < 4; a++) {
      assert_true(chart.taken[a] <= chart.height - chart.bottom + 4);
      assert_true(chart.taken[a] > 0);
      for (size_t b = 0; b < a; b++)
        assert_true(fabs(chart.taken[a] - chart.taken[b]) >= 13);
    }
    bytes_free(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(names_stand_apart_and_above_the_axis)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a learner takes of the experience of teams: which rows are too old, how many decisions that
 * is, and how old the others are. */
#include "check.h"

#include "learner/gather.h"

#include <string.h>

/* Agents 0 and 1 are a team, 2 another. */
enum { CELLS = 2, ROWS = 3 };
static const uint32_t agent_of[] = {0, 1, 0, 1, 2, NO_AGENT};
static const RowFormat format = {.observation_bytes = 1,
                                 .choices = 2,
                                 .heads = 1,
                                 .cells = CELLS,
                                 .flags = true,
                                 .agents = 3,
                                 .agent_of = agent_of};

/* An unroll of three rows, of which the second agent acts in the first two only. */
static void add_unroll(Batch *batch, const Unroll *what) {
  static const uint8_t flags[][CELLS] = {{ROW_FLAGS, ROW_FLAGS},
                                         {ROW_FLAGS, ROW_FLAGS},
                                         {ROW_FLAGS, ROW_ENTERED},
                                         {ROW_FLAGS, ROW_ENTERED}};
  const void *column[COLUMNS] = {NULL};
  Unroll unroll = *what;
  unroll.player = 1;
  unroll.rows = ROWS;
  unroll.first = (uint32_t)batch->rows;
  CHECK_OK(batch_add_unroll(batch, &unroll, column));
  for (size_t row = 0; row < unroll_span(&unroll); row++) {
    column[COLUMN_FLAGS] = flags[row];
    CHECK_OK(batch_add_row(batch, column));
  }
}

/* Sends the batch through the gather, as an actor does. */
static Status send(Gather *gather, const Batch *batch) {
  Bytes bytes = {0};
  batch_encode(batch, &bytes);
  const WireUnrolls unrolls = {.player = 1, .batch = bytes.data, .size = bytes.size};
  Status status = gather_add(gather, &unrolls);
  bytes_free(&bytes);
  return status;
}

/* Rows go as a whole, and are counted by who acted in them. */
static void the_age_of_teams_is_counted_by_decisions(void **state) {
  (void)state;
  static const struct {
    Unroll unroll;
    Pace pace;
    uint32_t dropped, skip, kept;
    double lag;
  } with[] = {
      {{.version = 8, .first_version = 8, .life = 2, .first_life = 2}, PACE_FREE, 0, 0, 1, 1},
      /* a row that was carried for too long: both of its decisions go */
      {{.version = 8, .first_version = 1, .life = 2, .first_life = 2}, PACE_FREE, 2, 1, 1, 1},
      {{.version = 9, .first_version = 8, .life = 2, .first_life = 2}, PACE_FREE, 0, 0, 1, .4},
      {{.version = 8, .first_version = 1, .life = 2, .first_life = 2}, PACE_LOCKSTEP, 0, 0, 1, 3.8},
      /* of another life */
      {{.version = 8, .first_version = 8, .life = 2, .first_life = 1}, PACE_LOCKSTEP, 2, 1, 1, 1},
      {{.version = 8, .first_version = 8, .life = 1, .first_life = 1}, PACE_LOCKSTEP, 5, 0, 0, 0},
      /* all are too old, but for what an end closes */
      {{.version = 1, .first_version = 1, .life = 2, .first_life = 2}, PACE_FREE, 5, 0, 0, 0},
      {{.version = 1, .first_version = 1, .life = 2, .first_life = 2, .end = END_TRUNCATED},
       PACE_FREE,
       4,
       2,
       1,
       8},
  };
  for (size_t i = 0; i < COUNT_OF(with); i++) {
    const TrainState player = {.player = 1, .life = 2, .version = 9};
    Gather *gather;
    Batch batch;
    CHECK_OK(batch_create(&format, &batch));
    CHECK_OK(gather_create(&format, with[i].pace, 3, &gather));
    gather_begin(gather, &player);
    add_unroll(&batch, &with[i].unroll);
    CHECK_OK(send(gather, &batch));
    assert_int_equal(gather_dropped(gather), with[i].dropped);
    assert_int_equal(gather_batch(gather)->unrolls, with[i].kept);
    if (with[i].kept) assert_int_equal(gather_batch(gather)->unroll[0].skip, with[i].skip);
    assert_int_equal(batch_learned(gather_batch(gather)), 5 - with[i].dropped);
    CHECK_NEAR(gather_lag(gather), with[i].lag, 1e-9);
    gather_destroy(gather);
    batch_destroy(&batch);
  }
}

/* What is of another player, of a version to come, or of an agent who is not the first of a team,
 * is refused. */
static void what_nobody_played_is_refused(void **state) {
  (void)state;
  static const struct {
    Unroll unroll;
    uint32_t player;
    const char *says;
  } with[] = {{{.version = 9, .first_version = 9, .life = 2, .first_life = 2}, 1, NULL},
              {{.version = 9, .first_version = 9, .life = 2, .first_life = 2}, 0, "of player 0"},
              {{.version = 10, .first_version = 9, .life = 2, .first_life = 2}, 1, "version 10"},
              {{.version = 9, .first_version = 9, .life = 2, .first_life = 2, .agent = 1},
               1,
               "rows and unrolls disagree"}};
  for (size_t i = 0; i < COUNT_OF(with); i++) {
    const TrainState player = {.player = 1, .life = 2, .version = 9};
    Gather *gather;
    Batch batch;
    CHECK_OK(batch_create(&format, &batch));
    CHECK_OK(gather_create(&format, PACE_LOCKSTEP, 3, &gather));
    gather_begin(gather, &player);
    add_unroll(&batch, &with[i].unroll);
    batch.unroll[0].player = with[i].player;
    assert_int_equal(send(gather, &batch), with[i].says ? ERR_FORMAT : OK);
    if (with[i].says) assert_non_null(strstr(status_message(), with[i].says));
    gather_destroy(gather);
    batch_destroy(&batch);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_age_of_teams_is_counted_by_decisions),
      cmocka_unit_test(what_nobody_played_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

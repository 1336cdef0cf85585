/* The batch of an update: whose experience it may be, what of it is too old, and how it is cut into
 * shards. Experience comes as the wire brings it. */
#include "check.h"

#include "learner/gather.h"

#include <string.h>

enum { PLAYER = 4, VERSION = 20, LIFE = 2, MAX_LAG = 3, ALL = 9 };

static const uint32_t heads[] = {3};
static const RowFormat format = {
    .observation_bytes = 4,
    .choices = 3,
    .heads = 1,
    .state = 2,
    .head_size = heads,
};
static const TrainState player = {
    .player = PLAYER, .life = LIFE, .version = VERSION, .min_version = 5};

/* An unroll of the player as it is now; slot tells it apart. */
static Unroll fresh(uint32_t slot, uint32_t rows) {
  return (Unroll){
      .version = VERSION,
      .first_version = VERSION,
      .life = LIFE,
      .first_life = LIFE,
      .player = PLAYER,
      .slot = slot,
      .rows = rows,
      .end = END_OPEN,
  };
}

/* Sends unrolls in one message of an actor. Rows observe 100 a slot + their number in the unroll.
 */
static Status add(Gather *gather, uint32_t actor, const Unroll *unroll, size_t count) {
  Batch batch;
  Bytes bytes = {0};
  CHECK_OK(batch_create(&format, &batch));
  for (size_t u = 0; u < count; u++) {
    const void *none[COLUMNS] = {NULL};
    Unroll sent = unroll[u];
    sent.first = (uint32_t)batch.rows;
    CHECK_OK(batch_add_unroll(&batch, &sent, none));
    for (size_t row = 0; row < unroll_span(&sent); row++) {
      const float seen = (float)(100 * sent.slot + row);
      const void *value[COLUMNS] = {[COLUMN_OBSERVATION] = &seen};
      CHECK_OK(batch_add_row(&batch, value));
    }
  }
  batch_encode(&batch, &bytes);
  const WireUnrolls unrolls = {
      .player = PLAYER, .actor = actor, .batch = bytes.data, .size = bytes.size};
  Status status = gather_add(gather, &unrolls);
  bytes_free(&bytes);
  batch_destroy(&batch);
  return status;
}

static Gather *open_gather(Pace pace) {
  Gather *gather;
  CHECK_OK(gather_create(&format, pace, MAX_LAG, &gather));
  gather_begin(gather, &player);
  return gather;
}

/* The unrolls that are kept are those of the slots, in this order, each with its own rows. */
static void expect_slots(Gather *gather, const uint32_t *slot, size_t count) {
  const Batch *batch = gather_batch(gather);
  assert_int_equal(batch->unrolls, count);
  for (size_t u = 0; u < count; u++) {
    const Unroll *unroll = &batch->unroll[u];
    assert_int_equal(unroll->slot, slot[u]);
    for (size_t row = 0; row < unroll_span(unroll); row++) {
      float seen;
      memcpy(&seen, batch->observation + (unroll->first + row) * sizeof seen, sizeof seen);
      CHECK_NEAR(seen, 100 * slot[u] + row, 0);
    }
  }
}

static void each_actor_is_a_shard(void **state) {
  (void)state;
  static const uint32_t slots[] = {1, 2, 3, 4, 5};
  const Unroll unroll[] = {fresh(1, 3), fresh(2, 1), fresh(3, 2), fresh(4, 5), fresh(5, 1)};
  Gather *gather = open_gather(PACE_LOCKSTEP);
  CHECK_OK(add(gather, 7, unroll, 2));
  CHECK_OK(add(gather, 7, unroll + 2, 1)); /* the same actor's next message */
  CHECK_OK(add(gather, 0, unroll + 3, 2));
  CHECK_OK(add(gather, 3, NULL, 0)); /* who had nothing to say of this player */
  const Shards *shards = gather_shards(gather);
  assert_int_equal(shards->count, 3);
  assert_true(shards->actor[0] == 7 && shards->actor[1] == 0 && shards->actor[2] == 3);
  assert_true(shards->unroll_end[0] == 3 && shards->unroll_end[1] == 5 &&
              shards->unroll_end[2] == 5);
  expect_slots(gather, slots, COUNT_OF(slots));
  assert_int_equal(batch_learned(gather_batch(gather)), 12);
  assert_int_equal(gather_dropped(gather), 0);
  gather_begin(gather, &player); /* the next update has nothing of this one */
  assert_true(gather_batch(gather)->unrolls == 0 && gather_shards(gather)->count == 0);
  CHECK_NEAR(gather_lag(gather), 0, 0);
  gather_destroy(gather);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  struct {
    const char *says;
    Unroll unroll[2];
  } bad[] = {
      {"unroll 0 is empty", {fresh(1, 0), fresh(2, 1)}},
      {"unroll 1 is of version 20 of player 5, who is 4 at 20", {fresh(1, 1), fresh(2, 1)}},
      {"unroll 1 is of version 21 of player 4", {fresh(1, 1), fresh(2, 1)}},
      {"unroll 0 is of version 20 of player 4", {fresh(1, 1), fresh(2, 1)}},
  };
  bad[1].unroll[1].player = 5;
  bad[2].unroll[1].version = VERSION + 1;
  bad[3].unroll[0].first_version = VERSION + 1; /* the decision that was open before */
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    const Unroll before = fresh(9, 1);
    Gather *gather = open_gather(PACE_FREE);
    CHECK_OK(add(gather, 0, &before, 1));
    assert_int_equal(add(gather, 1, bad[i].unroll, 2), ERR_FORMAT);
    if (!strstr(status_message(), bad[i].says))
      fail_msg("not '%s', but: %s", bad[i].says, status_message());
    gather_destroy(gather);
  }
}

/* Of a life before, or from before the weights were set back: never learned from, at any pace. */
static void former_lives_are_dropped(void **state) {
  (void)state;
  static const uint32_t kept[] = {1, 3, 5};
  static const Pace paces[] = {PACE_LOCKSTEP, PACE_PIPELINED, PACE_FREE};
  for (size_t i = 0; i < COUNT_OF(paces); i++) {
    Unroll unroll[] = {fresh(1, 2), fresh(2, 3), fresh(3, 4), fresh(4, 2), fresh(5, 1)};
    Gather *gather = open_gather(paces[i]);
    unroll[1].life = unroll[1].first_life = LIFE - 1; /* all of it */
    unroll[2].first_life = LIFE - 1;                  /* the decision that was open */
    unroll[3].version = unroll[3].first_version = 4;  /* of this life by number, but too early */
    unroll[3].end = END_TERMINATED;                   /* which excuses nothing */
    CHECK_OK(add(gather, 0, unroll, COUNT_OF(unroll)));
    assert_int_equal(gather_dropped(gather), 3 + 1 + 2);
    expect_slots(gather, kept, COUNT_OF(kept));
    assert_int_equal(gather_batch(gather)->unroll[1].skip, 1);
    assert_int_equal(batch_learned(gather_batch(gather)), 2 + 3 + 1);
    assert_int_equal(gather_shards(gather)->unroll_end[0], COUNT_OF(kept));
    gather_destroy(gather);
  }
}

/* Pace free: what is more than MAX_LAG versions behind; but not the decision that an episode's end
 * closes. In the other paces experience is never late. */
static void late_decisions_are_dropped_but_for_ends(void **state) {
  (void)state;
  for (int free_pace = 0; free_pace < 2; free_pace++) {
    static const uint32_t some[] = {1, 3, 4, 5}, all[] = {1, 2, 3, 4, 5};
    Unroll unroll[] = {fresh(1, 2), fresh(2, 2), fresh(3, 3), fresh(4, 3), fresh(5, 1)};
    Gather *gather = open_gather(free_pace ? PACE_FREE : PACE_PIPELINED);
    unroll[0].version = unroll[0].first_version = VERSION - MAX_LAG; /* just in time */
    for (int i = 1; i < 4; i++)
      unroll[i].version = unroll[i].first_version = VERSION - MAX_LAG - 1;
    unroll[2].end = END_TERMINATED;
    unroll[3].end = END_TRUNCATED;
    unroll[4].first_version = VERSION - MAX_LAG - 1;
    unroll[4].end = END_TERMINATED; /* its only decision is the carried one, and closes */
    CHECK_OK(add(gather, 0, unroll, COUNT_OF(unroll)));
    assert_int_equal(gather_dropped(gather), free_pace ? 2 + 2 + 2 : 0);
    expect_slots(gather, free_pace ? some : all, free_pace ? COUNT_OF(some) : COUNT_OF(all));
    const Unroll *kept = gather_batch(gather)->unroll;
    if (free_pace) assert_true(kept[0].skip == 0 && kept[1].skip == 2 && kept[2].skip == 2);
    gather_destroy(gather);
  }
}

/* An unroll's first decision may be older than the others; what is dropped does not count. */
static void lag_is_the_mean_over_what_is_kept(void **state) {
  (void)state;
  Unroll unroll[] = {fresh(1, 3), fresh(2, 1), fresh(3, 2)};
  Gather *gather = open_gather(PACE_PIPELINED);
  unroll[0].version = VERSION - 1;
  unroll[0].first_version = VERSION - 4;
  unroll[2].first_version = VERSION - 8;
  unroll[2].first_life = LIFE - 1;
  CHECK_OK(add(gather, 0, unroll, COUNT_OF(unroll)));
  CHECK_NEAR(gather_lag(gather), (4 + 1 + 1 + 0 + 0) / 5.0, 1e-12);
  gather_destroy(gather);
}

/* However an actor's experience is cut into messages, the batch is the same. */
static void messages_do_not_show(void **state) {
  (void)state;
  Unroll unroll[ALL];
  Gather *whole = open_gather(PACE_FREE);
  Gather *pieces = open_gather(PACE_FREE);
  for (uint32_t i = 0; i < ALL; i++) {
    unroll[i] = fresh(i, 1 + i % 3);
    unroll[i].version = unroll[i].first_version = VERSION - i;
    unroll[i].end = (uint8_t)(i % 2 ? END_OPEN : END_TERMINATED);
  }
  CHECK_OK(add(whole, 2, unroll, ALL));
  for (size_t i = 0; i < ALL; i++)
    CHECK_OK(add(pieces, 2, unroll + i, 1));
  const Batch *a = gather_batch(whole);
  const Batch *b = gather_batch(pieces);
  assert_true(a->unrolls == b->unrolls && a->unrolls > 0 && a->unrolls < ALL);
  for (size_t u = 0; u < a->unrolls; u++)
    assert_true(a->unroll[u].slot == b->unroll[u].slot && a->unroll[u].skip == b->unroll[u].skip);
  assert_true(gather_dropped(whole) == gather_dropped(pieces) && gather_dropped(whole) > 0);
  assert_int_equal(gather_shards(pieces)->count, 1);
  assert_int_equal(gather_shards(pieces)->unroll_end[0], a->unrolls);
  CHECK_NEAR(gather_lag(whole), gather_lag(pieces), 0);
  gather_destroy(whole);
  gather_destroy(pieces);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_actor_is_a_shard),
      cmocka_unit_test(what_cannot_be_is_refused),
      cmocka_unit_test(former_lives_are_dropped),
      cmocka_unit_test(late_decisions_are_dropped_but_for_ends),
      cmocka_unit_test(lag_is_the_mean_over_what_is_kept),
      cmocka_unit_test(messages_do_not_show),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

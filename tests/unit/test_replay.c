/* Replay: what is joined, what is forgotten, how draws are dealt, and that it comes back from a
 * checkpoint. */
#include "check.h"

#include "data/replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 5, QUOTA = 3, LONGEST = 8, CELLS = 2 };

static const uint32_t agent_of[2 * CELLS] = {0, 1, NO_AGENT, NO_AGENT};

static const RowFormat format = {.observation_bytes = 4,
                                 .choices = 2,
                                 .heads = 1,
                                 .state = 1,
                                 .cells = CELLS,
                                 .global = 1,
                                 .flags = true,
                                 .agents = 2,
                                 .agent_of = agent_of};

static Replay *make(void) {
  const ReplaySetup setup = {.format = format, .lanes = LANES, .quota = QUOTA, .longest = LONGEST};
  Replay *replay;
  CHECK_OK(replay_create(&setup, &replay));
  return replay;
}

/* An unroll of `rows` decisions of an episode from its row `at` on; row t of the episode has the
 * reward `mark` + t, and its state is mark too. */
static void fill(Batch *batch, uint32_t episode, uint32_t at, uint32_t rows, UnrollEnd end, float mark) {
  const Unroll unroll = {.rows = rows,
                         .end = (uint8_t)end,
                         .fresh = at == 0,
                         .first = (uint32_t)batch->rows,
                         .episode = episode,
                         .step = at,
                         .until = at + rows};
  const float state[CELLS] = {mark, -mark};
  const void *const own[COLUMNS] = {[COLUMN_STATE] = state};
  CHECK_OK(batch_add_unroll(batch, &unroll, own));
  for (uint32_t t = 0; t < unroll_span(&unroll); t++) {
    float seen[CELLS] = {mark + (float)(at + t), 0};
    float reward[CELLS] = {t < rows ? mark + (float)(at + t) : 0, 1};
    uint8_t flags[CELLS] = {ROW_FLAGS, ROW_FLAGS};
    const void *const value[COLUMNS] = {[COLUMN_OBSERVATION] = seen,
                                        [COLUMN_REWARD] = reward,
                                        [COLUMN_FLAGS] = flags,
                                        [COLUMN_GLOBAL] = &seen[0]};
    CHECK_OK(batch_add_row(batch, value));
  }
}

static void add(Replay *replay, size_t lane, uint32_t episode, uint32_t at, uint32_t rows, UnrollEnd end, float mark) {
  Batch batch;
  CHECK_OK(batch_create(&format, &batch));
  fill(&batch, episode, at, rows, end, mark);
  CHECK_OK(replay_add(replay, lane, &batch, 0));
  batch_destroy(&batch);
}

/* Draws from a lane until it is this item, of so many. */
static Batch item_of(const Replay *replay, size_t lane, uint64_t serial, size_t items) {
  Batch batch;
  ReplayDraw draw = {.serial = UINT64_MAX};
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  assert_int_equal(replay_items(replay, lane), items);
  CHECK_OK(batch_create(&format, &batch));
  while (draw.serial != serial) {
    batch_clear(&batch);
    CHECK_OK(replay_draw(replay, lane, 0, &rng, &batch, &draw));
  }
  assert_int_equal(batch.unrolls, 1);
  assert_true(batch_is_whole(&batch));
  return batch;
}

/* Draws from a lane that has one item. */
static Batch only(const Replay *replay, size_t lane) {
  return item_of(replay, lane, 0, 1);
}

/* Row t of an item of the episode with this mark, from step `at` on. */
static void check_rows(const Batch *batch, float mark, uint32_t at) {
  const Unroll *unroll = &batch->unroll[0];
  for (uint32_t t = 0; t < unroll_span(unroll); t++) {
    float seen;
    memcpy(&seen, batch->observation + (size_t)t * CELLS * 4, 4);
    assert_true(seen == mark + (float)(at + t));
    assert_true(batch->global[t] == seen);
    if (t < unroll->rows) assert_true(batch->reward[t * CELLS] == seen);
  }
}

/* An episode that comes in three ticks is one item: its rows in their order, each once, its first
 * state and its end. */
static void episodes_are_joined(void **state) {
  (void)state;
  for (int end = END_TERMINATED; end <= END_TRUNCATED; end++) {
    Replay *replay = make();
    add(replay, 2, 7, 0, 2, END_OPEN, 100);
    add(replay, 2, 7, 2, 3, END_OPEN, 100);
    assert_int_equal(replay_total(replay), 0);
    add(replay, 2, 7, 5, 1, (UnrollEnd)end, 100);
    Batch item = only(replay, 2);
    assert_int_equal(item.unroll[0].rows, 6);
    assert_int_equal(item.unroll[0].end, end);
    assert_int_equal(item.unroll[0].fresh, 1);
    assert_int_equal(item.unroll[0].episode, 7);
    assert_true(item.state[0] == 100 && item.state[1] == -100);
    check_rows(&item, 100, 0);
    batch_destroy(&item);
    replay_destroy(replay);
  }
}

/* What does not go on with what is pending begins anew, and what was pending is an item by itself.
 * Ends of other lanes do not matter. */
static void what_is_torn_is_not_joined(void **state) {
  (void)state;
  Replay *replay = make();
  add(replay, 0, 1, 0, 2, END_OPEN, 100);
  add(replay, 1, 1, 0, 2, END_OPEN, 500);
  add(replay, 0, 2, 0, 3, END_TERMINATED, 200); /* of episode 1 the rest was lost */
  Batch item = item_of(replay, 0, 0, 2);
  assert_true(item.unroll[0].rows == 2 && item.unroll[0].end == END_OPEN);
  check_rows(&item, 100, 0);
  batch_destroy(&item);
  item = item_of(replay, 0, 1, 2);
  assert_int_equal(item.unroll[0].rows, 3);
  check_rows(&item, 200, 0);
  batch_destroy(&item);
  assert_int_equal(replay_items(replay, 1), 0);
  add(replay, 1, 1, 2, 1, END_TERMINATED, 500);
  item = only(replay, 1);
  assert_int_equal(item.unroll[0].rows, 3);
  check_rows(&item, 500, 0);
  batch_destroy(&item);
  add(replay, 4, 3, 0, 2, END_OPEN, 700);
  add(replay, 4, 3, 4, 2, END_TERMINATED, 700); /* rows 2 and 3 were too old to be learned from */
  item = item_of(replay, 4, 1, 2);
  assert_true(item.unroll[0].rows == 2 && item.unroll[0].step == 4 && item.unroll[0].fresh == 0);
  check_rows(&item, 700, 4);
  batch_destroy(&item);
  add(replay, 3, 9, 4, 2, END_TERMINATED, 300); /* from its middle on */
  item = only(replay, 3);
  assert_int_equal(item.unroll[0].fresh, 0);
  check_rows(&item, 300, 4);
  batch_destroy(&item);
  replay_destroy(replay);
}

/* Longer episodes are kept in pieces, each with a row that closes it and its own first state. */
static void long_episodes_come_in_pieces(void **state) {
  (void)state;
  Replay *replay = make();
  add(replay, 0, 1, 0, 5, END_OPEN, 10);
  add(replay, 0, 1, 5, 3, END_OPEN, 10);
  Batch item;
  add(replay, 0, 1, 8, 4, END_OPEN, 10); /* 8 rows are full */
  item = only(replay, 0);
  assert_int_equal(item.unroll[0].rows, 8);
  assert_int_equal(item.unroll[0].end, END_OPEN);
  assert_int_equal(item.rows, 9);
  check_rows(&item, 10, 0);
  batch_destroy(&item);
  add(replay, 0, 1, 12, 4, END_TERMINATED, 10);
  assert_int_equal(replay_items(replay, 0), 2);
  replay_destroy(replay);
}

/* A lane holds its quota, the newest; a reset forgets all, what is pending too. */
static void the_oldest_leaves(void **state) {
  (void)state;
  Replay *replay = make();
  bool seen[10] = {false};
  AgonRng rng = rng_stream(2, 0, 0, RNG_TEST);
  for (uint32_t e = 0; e < 10; e++) add(replay, 1, e, 0, 2, END_TERMINATED, 100 * (float)e);
  assert_int_equal(replay_items(replay, 1), QUOTA);
  assert_int_equal(replay_total(replay), QUOTA);
  const ReplaySetup setup = {.format = format, .lanes = LANES, .quota = QUOTA, .longest = LONGEST};
  assert_true((double)replay_bytes(replay) <= replay_bound(&setup, 1));
  for (int i = 0; i < 100; i++) {
    Batch batch;
    ReplayDraw draw;
    CHECK_OK(batch_create(&format, &batch));
    CHECK_OK(replay_draw(replay, 1, 0, &rng, &batch, &draw));
    seen[batch.unroll[0].episode] = true;
    assert_true(fabs(draw.chance - 1.0 / 3) < 1e-12);
    batch_destroy(&batch);
  }
  for (uint32_t e = 0; e < 10; e++) assert_int_equal(seen[e], e >= 7);
  add(replay, 1, 10, 0, 2, END_OPEN, 0);
  replay_forget(replay);
  assert_int_equal(replay_total(replay), 0);
  assert_int_equal(replay_bytes(replay), 0);
  add(replay, 1, 10, 2, 2, END_TERMINATED, 0);
  Batch item = only(replay, 1);
  assert_int_equal(item.unroll[0].rows, 2); /* not joined to what was forgotten */
  batch_destroy(&item);
  replay_destroy(replay);
}

/* Each lane gets its share of every batch, but for less than one draw; over many batches each item
 * is drawn as often as any other. */
static void draws_are_dealt_by_items(void **state) {
  (void)state;
  const float count[LANES] = {1, 0, 10, 5, 0};
  uint32_t order[LANES], lane[8], all[LANES] = {0};
  enum { ROUNDS = 4000 };
  for (uint32_t u = 0; u < ROUNDS; u++) {
    uint32_t got[LANES] = {0};
    AgonRng rng = rng_stream(3, 0, u, RNG_REPLAY);
    replay_deal(count, LANES, 8, &rng, order, lane);
    for (int d = 0; d < 8; d++) got[lane[d]]++;
    for (int l = 0; l < LANES; l++) {
      float share = 8 * count[l] / 16;
      assert_true((float)got[l] > share - 1 && (float)got[l] < share + 1);
      all[l] += got[l];
    }
  }
  for (int l = 0; l < LANES; l++) {
    float share = ROUNDS * 8 * count[l] / 16; /* deviation at most sqrt(ROUNDS) / 2 */
    assert_true(fabsf((float)all[l] - share) < 5 * 32);
  }
}

/* In proportion to priority^exponent; new items come first; of what has left nothing is set. */
static void priorities_weigh_the_draws(void **state) {
  (void)state;
  Replay *replay = make();
  Batch batch;
  AgonRng rng = rng_stream(4, 0, 0, RNG_TEST);
  int drawn[3] = {0};
  CHECK_OK(batch_create(&format, &batch));
  for (uint32_t e = 0; e < 3; e++) add(replay, 0, e, 0, 1, END_TERMINATED, 0);
  for (uint32_t e = 0; e < 3; e++) replay_prefer(replay, &(ReplayDraw){.serial = e}, (double[]){1, 4, 9}[e]);
  for (int i = 0; i < 6000; i++) {
    ReplayDraw draw;
    batch_clear(&batch);
    CHECK_OK(replay_draw(replay, 0, .5, &rng, &batch, &draw));
    drawn[draw.serial]++;
    assert_true(fabs(draw.chance - (double)(draw.serial + 1) / 6) < 1e-12);
  }
  for (int e = 0; e < 3; e++) assert_true(abs(drawn[e] - 1000 * (e + 1)) < 200);
  add(replay, 0, 3, 0, 1, END_TERMINATED, 0); /* item 0 leaves; this one weighs 9 */
  replay_prefer(replay, &(ReplayDraw){.serial = 0}, 1e9);
  memset(drawn, 0, sizeof drawn);
  for (int i = 0; i < 2000; i++) {
    ReplayDraw draw;
    batch_clear(&batch);
    CHECK_OK(replay_draw(replay, 0, 1, &rng, &batch, &draw));
    drawn[draw.serial - 1]++;
  }
  for (int e = 0; e < 3; e++) assert_true(abs(drawn[e] - 2000 * (int[]){4, 9, 9}[e] / 22) < 150);
  batch_destroy(&batch);
  replay_destroy(replay);
}

/* Same draws after a save as before, pending episodes go on, and damage is refused. */
static void lanes_come_back(void **state) {
  (void)state;
  Replay *replay = make(), *other = make();
  Bytes bytes = {0}, again = {0};
  for (uint32_t e = 0; e < 5; e++) add(replay, 4, e, 0, 1 + e, END_TRUNCATED, 100 * (float)e);
  replay_prefer(replay, &(ReplayDraw){.lane = 4, .serial = 3}, 6);
  add(replay, 4, 5, 0, 2, END_OPEN, 50);
  replay_encode(replay, 4, &bytes);
  add(other, 4, 9, 0, 2, END_TERMINATED, 7); /* gives way */
  Reader reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(replay_decode(other, 4, &reader));
  CHECK_OK(reader_finish(&reader, "lane"));
  assert_int_equal(replay_bytes(other), replay_bytes(replay));
  assert_int_equal(replay_total(other), QUOTA);
  add(replay, 4, 5, 2, 2, END_TERMINATED, 50);
  add(other, 4, 5, 2, 2, END_TERMINATED, 50);
  bytes.size = 0;
  replay_encode(replay, 4, &bytes);
  replay_encode(other, 4, &again);
  assert_int_equal(bytes.size, again.size);
  assert_memory_equal(bytes.data, again.data, bytes.size);
  for (size_t size = 0; size < bytes.size; size++) {
    Reader cut = reader_over(bytes.data, size);
    assert_int_equal(replay_decode(other, 4, &cut), ERR_FORMAT);
    assert_int_equal(replay_items(other, 4), 0);
    assert_int_equal(replay_bytes(other), 0);
  }
  const ReplaySetup less = {.format = format, .lanes = LANES, .quota = 2, .longest = LONGEST};
  Replay *small;
  CHECK_OK(replay_create(&less, &small));
  reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(replay_decode(small, 4, &reader));
  assert_int_equal(replay_items(small, 4), 2);
  replay_destroy(small);
  bytes_free(&bytes);
  bytes_free(&again);
  replay_destroy(replay);
  replay_destroy(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(episodes_are_joined),        cmocka_unit_test(what_is_torn_is_not_joined),
      cmocka_unit_test(long_episodes_come_in_pieces), cmocka_unit_test(the_oldest_leaves),
      cmocka_unit_test(draws_are_dealt_by_items),   cmocka_unit_test(priorities_weigh_the_draws),
      cmocka_unit_test(lanes_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

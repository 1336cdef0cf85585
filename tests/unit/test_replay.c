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

/* Priorities to this power; pieces that overlap by so much. */
static Replay *make_with(size_t quota, double exponent, size_t overlap) {
  const ReplaySetup setup = {.format = format,
                             .lanes = LANES,
                             .quota = quota,
                             .longest = LONGEST,
                             .exponent = exponent,
                             .overlap = overlap};
  Replay *replay;
  CHECK_OK(replay_create(&setup, &replay));
  return replay;
}

static Replay *make(void) {
  return make_with(QUOTA, 0, 0);
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
    CHECK_OK(replay_draw(replay, lane, &rng, &batch, &draw));
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
    CHECK_OK(replay_draw(replay, 1, &rng, &batch, &draw));
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

/* In proportion to priority^exponent; new items get what is expected of them; of what has left
 * nothing is set. */
static void priorities_weigh_the_draws(void **state) {
  (void)state;
  Replay *replay = make_with(QUOTA, .5, 0);
  Batch batch;
  AgonRng rng = rng_stream(4, 0, 0, RNG_TEST);
  int drawn[3] = {0};
  CHECK_OK(batch_create(&format, &batch));
  assert_true(replay_mass(replay, 0) == 0 && replay_highest(replay, 0) == 0);
  for (uint32_t e = 0; e < 3; e++) add(replay, 0, e, 0, 1, END_TERMINATED, 0);
  CHECK_NEAR(replay_mass(replay, 0), 3, 1e-12);
  for (uint32_t e = 0; e < 3; e++)
    replay_prefer(replay, &(ReplayDraw){.serial = e}, (double[]){1, 4, 9}[e]);
  CHECK_NEAR(replay_mass(replay, 0), 6, 1e-12);
  assert_true(replay_highest(replay, 0) == 9 && replay_mass(replay, 1) == 0);
  for (int i = 0; i < 6000; i++) {
    ReplayDraw draw;
    batch_clear(&batch);
    CHECK_OK(replay_draw(replay, 0, &rng, &batch, &draw));
    drawn[draw.serial]++;
    assert_int_equal(batch.unroll[0].episode, draw.serial);
    assert_true(fabs(draw.chance - (double)(draw.serial + 1) / 6) < 1e-12);
  }
  for (int e = 0; e < 3; e++) assert_true(abs(drawn[e] - 1000 * (e + 1)) < 200);
  replay_expect(replay, 16);
  add(replay, 0, 3, 0, 1, END_TERMINATED, 0); /* item 0 leaves; this one weighs 4 */
  replay_prefer(replay, &(ReplayDraw){.serial = 0}, 1e9);
  assert_true(replay_highest(replay, 0) == 9);
  CHECK_NEAR(replay_mass(replay, 0), 2 + 3 + 4, 1e-12);
  memset(drawn, 0, sizeof drawn);
  for (int i = 0; i < 9000; i++) {
    ReplayDraw draw;
    batch_clear(&batch);
    CHECK_OK(replay_draw(replay, 0, &rng, &batch, &draw));
    drawn[draw.serial - 1]++;
  }
  for (int e = 0; e < 3; e++) assert_true(abs(drawn[e] - 1000 * (e + 2)) < 250);
  batch_destroy(&batch);
  replay_destroy(replay);
}

/* Of lanes of any size, full or not, around the end of the ring: each item is drawn with the chance
 * that is given, they add up to 1, and what weighs nearly nothing is nearly never drawn. */
static void the_tree_of_weights_is_exact(void **state) {
  (void)state;
  static const size_t quotas[] = {1, 2, 3, 7, 8, 13};
  AgonRng rng = rng_stream(5, 0, 0, RNG_TEST);
  for (size_t q = 0; q < COUNT_OF(quotas); q++)
    for (uint32_t items = 1; items < 3 * quotas[q]; items += 2) {
      Replay *replay = make_with(quotas[q], 1, 0);
      double weight[64], sum = 0, seen[64] = {0}, chances = 0;
      Batch batch;
      CHECK_OK(batch_create(&format, &batch));
      for (uint32_t e = 0; e < items; e++) {
        add(replay, 2, e, 0, 1, END_TERMINATED, 0);
        weight[e] = e % 3 ? 1 + rng_unit(&rng) : 1e-9;
        replay_prefer(replay, &(ReplayDraw){.lane = 2, .serial = e}, weight[e]);
      }
      const uint32_t first = items > quotas[q] ? items - (uint32_t)quotas[q] : 0;
      for (uint32_t e = first; e < items; e++) sum += weight[e];
      CHECK_NEAR(replay_mass(replay, 2), sum, 1e-9);
      for (int i = 0; i < 400; i++) {
        ReplayDraw draw;
        batch_clear(&batch);
        CHECK_OK(replay_draw(replay, 2, &rng, &batch, &draw));
        assert_true(draw.serial >= first && draw.serial < items);
        assert_int_equal(batch.unroll[0].episode, draw.serial);
        CHECK_NEAR(draw.chance, weight[draw.serial] / sum, 1e-9);
        seen[draw.serial] = draw.chance;
      }
      for (uint32_t e = first; e < items; e++) chances += seen[e];
      if (sum > 1) CHECK_NEAR(chances, 1, 1e-6);
      batch_destroy(&batch);
      replay_destroy(replay);
    }
}

/* A piece begins with the end of the one before it, in whole unrolls, with the state of the first
 * of them: of unrolls of 2 rows, 3 rows of overlap are two. So all rows but those that are repeated
 * are there once. */
static void pieces_overlap(void **state) {
  (void)state;
  Replay *replay = make_with(8, 0, 3);
  for (uint32_t at = 0; at < 16; at += 2)
    add(replay, 0, 1, at, 2, at < 14 ? END_OPEN : END_TERMINATED, 10 * (float)(1 + at));
  /* steps 0-7, 4-11, 8-15 */
  assert_int_equal(replay_items(replay, 0), 3);
  AgonRng rng = rng_stream(6, 0, 0, RNG_TEST);
  for (uint32_t seen = 0; seen != 7;) {
    Batch item;
    ReplayDraw draw;
    CHECK_OK(batch_create(&format, &item));
    CHECK_OK(replay_draw(replay, 0, &rng, &item, &draw));
    const Unroll *unroll = &item.unroll[0];
    const uint32_t at = 4 * (uint32_t)draw.serial;
    assert_true(unroll->rows == 8 && unroll->step == at && unroll->fresh == (at == 0));
    assert_int_equal(draw.repeats, at ? 4 : 0);
    assert_int_equal(unroll->end, at == 8 ? END_TERMINATED : END_OPEN);
    assert_true(item.state[0] == 10 * (float)(1 + at));
    for (uint32_t t = 0; t < 8; t++) {
      uint32_t from = (at + t) / 2 * 2;
      assert_true(item.reward[t * CELLS] == 10 * (float)(1 + from) + (float)(at + t));
    }
    seen |= 1u << draw.serial;
    batch_destroy(&item);
  }
  /* what is torn repeats nothing */
  add(replay, 1, 1, 0, 8, END_OPEN, 1);
  add(replay, 1, 2, 0, 8, END_OPEN, 1);
  add(replay, 1, 2, 8, 6, END_OPEN, 1);       /* the unroll of 8 does not fit before it */
  add(replay, 1, 2, 14, 8, END_TERMINATED, 1); /* nor this one behind that of 6 */
  assert_int_equal(replay_items(replay, 1), 4);
  for (int i = 0; i < 20; i++) {
    Batch item;
    ReplayDraw draw;
    CHECK_OK(batch_create(&format, &item));
    CHECK_OK(replay_draw(replay, 1, &rng, &item, &draw));
    assert_int_equal(draw.repeats, 0);
    batch_destroy(&item);
  }
  replay_destroy(replay);
}

/* Same draws after a save as before, pending episodes go on, and damage is refused. */
static void lanes_come_back(void **state) {
  (void)state;
  Replay *replay = make_with(QUOTA, .7, 2), *other = make_with(QUOTA, .7, 2);
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
  assert_true(replay_highest(other, 4) == 6);
  assert_true(replay_mass(other, 4) == replay_mass(replay, 4));
  Replay *both[2] = {replay, other};
  for (int i = 0; i < 2; i++) { /* the second piece begins with the end of the first */
    add(both[i], 4, 5, 2, 4, END_OPEN, 50);
    add(both[i], 4, 5, 6, 4, END_TERMINATED, 50);
    Batch item = item_of(both[i], 4, 6, QUOTA);
    assert_int_equal(item.unroll[0].rows, 8);
    batch_destroy(&item);
    replay_prefer(both[i], &(ReplayDraw){.lane = 4, .serial = 6}, 3);
  }
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

/* Before priorities and pieces that overlap: items without either, and what is pending. */
static void lanes_of_earlier_programs_are_read(void **state) {
  (void)state;
  Replay *replay = make_with(QUOTA, .5, 2);
  Bytes bytes = {0};
  bytes_u8(&bytes, 1);
  bytes_u64(&bytes, 11);
  bytes_u64(&bytes, 2);
  for (uint32_t e = 0; e < 3; e++) {
    Batch batch;
    Bytes item = {0};
    CHECK_OK(batch_create(&format, &batch));
    fill(&batch, e, 0, 2, e == 2 ? END_OPEN : END_TERMINATED, 100 * (float)e);
    batch_encode(&batch, &item);
    if (e == 2) bytes_u8(&bytes, 1);
    if (e < 2) bytes_f64(&bytes, 1);
    if (e < 2) bytes_u64(&bytes, item.size);
    bytes_put(&bytes, item.data, item.size);
    bytes_free(&item);
    batch_destroy(&batch);
  }
  Reader reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(replay_decode(replay, 3, &reader));
  CHECK_OK(reader_finish(&reader, "lane"));
  assert_true(replay_items(replay, 3) == 2 && replay_mass(replay, 3) == 2);
  add(replay, 3, 2, 2, 1, END_TERMINATED, 200);
  Batch item = item_of(replay, 3, 13, 3);
  assert_int_equal(item.unroll[0].rows, 3);
  batch_destroy(&item);
  bytes_free(&bytes);
  replay_destroy(replay);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(episodes_are_joined),        cmocka_unit_test(what_is_torn_is_not_joined),
      cmocka_unit_test(long_episodes_come_in_pieces), cmocka_unit_test(the_oldest_leaves),
      cmocka_unit_test(draws_are_dealt_by_items),   cmocka_unit_test(priorities_weigh_the_draws),
      cmocka_unit_test(the_tree_of_weights_is_exact), cmocka_unit_test(pieces_overlap),
      cmocka_unit_test(lanes_come_back),            cmocka_unit_test(lanes_of_earlier_programs_are_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

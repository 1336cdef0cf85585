/* Learning from kept experience: how many updates a tick has, and that several ranks draw together
 * what one would draw alone. */
#include "check.h"

#include "learner/rehearsal.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 6, TEAMS = 2, CELLS = 2, ROWS = 4, MOST = 64 };

static const uint8_t team_of[4] = {0, 0, 1, 1};
static const uint32_t agent_of[4 * CELLS] = {0, 1, NO_AGENT, NO_AGENT, 2, 3, NO_AGENT, NO_AGENT};
static const RowFormat format = {.observation_bytes = 4,
                                 .choices = 2,
                                 .heads = 1,
                                 .state = 1,
                                 .cells = CELLS,
                                 .flags = true,
                                 .agents = 4,
                                 .agent_of = agent_of};

static Rehearsal *make(const ReplayConfig *config) {
  const RehearsalSetup setup = {.config = config,
                                .format = format,
                                .seed = 5,
                                .player = 3,
                                .slots = SLOTS,
                                .training = SLOTS,
                                .teams = TEAMS,
                                .team_of = team_of};
  Rehearsal *rehearsal;
  CHECK_OK(rehearsal_create(&setup, &rehearsal));
  return rehearsal;
}

/* A whole episode of ROWS rows, in each of which both cells act. */
static void play(Rehearsal *rehearsal, uint32_t slot, uint32_t team, uint32_t episode, uint32_t skip, bool fresh) {
  Batch batch;
  const Unroll unroll = {.rows = ROWS,
                         .end = END_TERMINATED,
                         .fresh = fresh,
                         .slot = slot,
                         .agent = (uint16_t)(2 * team),
                         .episode = episode,
                         .skip = skip};
  const uint8_t flags[CELLS] = {ROW_FLAGS, ROW_FLAGS};
  const void *const nothing[COLUMNS] = {NULL};
  const void *const value[COLUMNS] = {[COLUMN_FLAGS] = flags};
  CHECK_OK(batch_create(&format, &batch));
  CHECK_OK(batch_add_unroll(&batch, &unroll, nothing));
  for (int t = 0; t < ROWS; t++) CHECK_OK(batch_add_row(&batch, value));
  CHECK_OK(rehearsal_add(rehearsal, &batch));
  batch_destroy(&batch);
}

/* Ranks sum up their counts. */
static void sum(Rehearsal *const *rehearsal, size_t ranks) {
  size_t n = rehearsal_count(SLOTS, TEAMS);
  float total[SLOTS * TEAMS + 1] = {0};
  float *part[4];
  assert_int_equal(n, SLOTS * TEAMS + 1);
  for (size_t r = 0; r < ranks; r++) {
    part[r] = rehearsal_counts(rehearsal[r]);
    for (size_t i = 0; i < n; i++) total[i] += part[r][i];
  }
  for (size_t r = 0; r < ranks; r++) {
    memcpy(part[r], total, sizeof total);
    rehearsal_counted(rehearsal[r]);
  }
}

static int by_value(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* What the ranks draw together, in order of slot, team and episode. */
static size_t draw(Rehearsal *const *rehearsal, size_t ranks, uint32_t *out) {
  size_t count = 0;
  for (size_t r = 0; r < ranks; r++) {
    const Batch *batch;
    assert_true(rehearsal_due(rehearsal[r]));
    CHECK_OK(rehearsal_draw(rehearsal[r], &batch));
    for (size_t u = 0; u < batch->unrolls; u++) {
      const Unroll *unroll = &batch->unroll[u];
      out[count++] = unroll->slot << 16 | (uint32_t)unroll->agent << 8 | unroll->episode;
    }
  }
  qsort(out, count, sizeof *out, by_value);
  return count;
}

static const ReplayConfig usual = {
    .size = 36, .longest = 8, .batch = 16, .warmup = 10, .ratio = 2, .burn_in = 3};

/* Ranks 1, 2 and 3 hold the same 36 episodes, each those of its slots; what is drawn from them,
 * batch for batch, is the same. */
static void draws_do_not_depend_on_ranks(void **state) {
  (void)state;
  uint32_t drawn[3][5][MOST];
  for (size_t ranks = 1; ranks <= 3; ranks++) {
    Rehearsal *rehearsal[3];
    for (size_t r = 0; r < ranks; r++) rehearsal[r] = make(&usual);
    for (uint32_t e = 0; e < 3; e++)
      for (uint32_t slot = 0; slot < SLOTS; slot++)
        for (uint32_t team = 0; team < TEAMS; team++)
          if (slot != 4 || e == 0) /* not all hold as many */
            play(rehearsal[slot * ranks / SLOTS], slot, team, e, 0, true);
    sum(rehearsal, ranks);
    for (size_t u = 0; u < 5; u++) {
      assert_int_equal(draw(rehearsal, ranks, drawn[ranks - 1][u]), usual.batch);
      assert_memory_equal(drawn[ranks - 1][u], drawn[0][u], (size_t)usual.batch * sizeof(uint32_t));
      if (u) assert_memory_not_equal(drawn[0][u], drawn[0][u - 1], (size_t)usual.batch * sizeof(uint32_t));
    }
    for (size_t r = 0; r < ranks; r++) rehearsal_destroy(rehearsal[r]);
  }
}

/* Updates follow the frames acted: none before the warm-up, and none is owed for it; then ratio
 * frames are learned for each, over many ticks. A reset forgets all of it. */
static void updates_follow_frames(void **state) {
  (void)state;
  Rehearsal *rehearsal = make(&usual);
  double learned = 0;
  double acted = 0;
  for (uint32_t e = 0; e < 9; e++) play(rehearsal, 0, 0, e, 0, true);
  sum(&rehearsal, 1);
  assert_true(rehearsal_items(rehearsal) < 10); /* of a lane no more than its quota */
  assert_false(rehearsal_due(rehearsal));
  for (uint32_t e = 0; e < 200; e++) {
    play(rehearsal, e % SLOTS, e % TEAMS, e, 0, true);
    play(rehearsal, e % SLOTS, e % TEAMS, e, 1, true); /* stale: counted, not kept */
    sum(&rehearsal, 1);
    assert_int_equal(rehearsal_acted(rehearsal), (2 * ROWS - 1) * CELLS);
    if (rehearsal_items(rehearsal) < 10) {
      assert_false(rehearsal_due(rehearsal));
      continue;
    }
    acted += (2 * ROWS - 1) * CELLS;
    while (rehearsal_due(rehearsal)) {
      const Batch *batch;
      CHECK_OK(rehearsal_draw(rehearsal, &batch));
      rehearsal_learned(rehearsal, (double)batch_learned(batch));
      learned += (double)batch_learned(batch);
    }
  }
  assert_true(learned >= usual.ratio * acted && learned < usual.ratio * acted + 16.0 * ROWS * CELLS);
  rehearsal_forget(rehearsal);
  assert_int_equal(rehearsal_bytes(rehearsal), 0);
  sum(&rehearsal, 1);
  assert_false(rehearsal_due(rehearsal));
  rehearsal_destroy(rehearsal);
}

/* Only pieces from the middle of an episode burn in, and never all of their rows. */
static void pieces_burn_in(void **state) {
  (void)state;
  for (int burn = 1; burn <= 9; burn += 8)
    for (int fresh = 0; fresh < 2; fresh++) {
      ReplayConfig config = usual;
      config.burn_in = burn;
      config.warmup = 1;
      Rehearsal *rehearsal = make(&config);
      const Batch *batch;
      play(rehearsal, 1, 1, 0, 0, fresh);
      sum(&rehearsal, 1);
      CHECK_OK(rehearsal_draw(rehearsal, &batch));
      assert_int_equal(batch->unrolls, usual.batch);
      for (size_t u = 0; u < batch->unrolls; u++)
        assert_int_equal(batch->unroll[u].skip, fresh ? 0 : burn < ROWS ? burn : ROWS - 1);
      rehearsal_destroy(rehearsal);
    }
}

/* All lanes and what is counted, into a rehearsal that then draws and owes as the first does. */
static void it_goes_on_from_a_checkpoint(void **state) {
  (void)state;
  Rehearsal *all[2] = {make(&usual), make(&usual)};
  uint32_t drawn[2][MOST];
  Bytes bytes = {0};
  for (uint32_t e = 0; e < 3; e++)
    for (uint32_t slot = 0; slot < SLOTS; slot++)
      play(all[0], slot, slot % TEAMS, e, 0, true);
  sum(all, 1);
  draw(all, 1, drawn[0]);
  rehearsal_learned(all[0], 7);
  rehearsal_begin(all[0], 77);
  for (size_t lane = 0; lane < rehearsal_lanes(all[0]); lane++) {
    assert_int_equal(rehearsal_has(all[0], lane), lane / TEAMS % TEAMS == lane % TEAMS);
    bytes.size = 0;
    rehearsal_encode_lane(all[0], lane, &bytes);
    Reader reader = reader_over(bytes.data, bytes.size);
    if (rehearsal_has(all[0], lane)) CHECK_OK(rehearsal_decode_lane(all[1], lane, &reader));
    assert_int_equal(rehearsal_decode_lane(all[1], rehearsal_lanes(all[1]), &reader), ERR_FORMAT);
  }
  bytes.size = 0;
  rehearsal_encode(all[0], &bytes);
  Reader cut = reader_over(bytes.data, bytes.size - 1);
  assert_int_equal(rehearsal_decode(all[1], &cut), ERR_FORMAT);
  Reader reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(rehearsal_decode(all[1], &reader));
  assert_int_equal(rehearsal_acting(all[1]), 77);
  for (int i = 0; i < 2; i++) {
    play(all[i], 0, 0, 9, 0, true);
    sum(&all[i], 1);
    draw(&all[i], 1, drawn[i]);
    bytes.size = 0;
    rehearsal_encode(all[i], &bytes);
    assert_int_equal(bytes.size, 24);
    memcpy(drawn[i] + usual.batch, bytes.data, bytes.size);
  }
  assert_memory_equal(drawn[0], drawn[1], ((size_t)usual.batch + 6) * sizeof(uint32_t));
  bytes_free(&bytes);
  rehearsal_destroy(all[0]);
  rehearsal_destroy(all[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(draws_do_not_depend_on_ranks),
      cmocka_unit_test(updates_follow_frames),
      cmocka_unit_test(pieces_burn_in),
      cmocka_unit_test(it_goes_on_from_a_checkpoint),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

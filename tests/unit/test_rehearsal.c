/* Learning from kept experience: how many updates a tick has, and that several ranks draw together
 * what one would draw alone. */
#include "check.h"

#include "learner/rehearsal.h"

#include <math.h>
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

static Rehearsal *make_of(const ReplayConfig *config, size_t seats, bool recurrent) {
  const RehearsalSetup setup = {.config = config,
                                .format = format,
                                .seed = 5,
                                .player = 3,
                                .slots = SLOTS,
                                .training = SLOTS,
                                .seats = seats,
                                .teams = TEAMS,
                                .team_of = team_of,
                                .recurrent = recurrent};
  Rehearsal *rehearsal;
  CHECK_OK(rehearsal_create(&setup, &rehearsal));
  return rehearsal;
}

static Rehearsal *make(const ReplayConfig *config) { return make_of(config, TEAMS, true); }

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
  const bool weighed = rehearsal_recounts(rehearsal[0]);
  const ReplayConfig config = {.priority = weighed};
  size_t n = rehearsal_count(&config, SLOTS, TEAMS);
  float total[3 * SLOTS * TEAMS + 1] = {0};
  float *part[4];
  assert_int_equal(n, SLOTS * TEAMS * (weighed ? 3 : 1) + 1);
  for (size_t r = 0; r < ranks; r++) {
    part[r] = rehearsal_counts(rehearsal[r]);
    for (size_t i = 0; i < n; i++) total[i] += part[r][i];
  }
  for (size_t r = 0; r < ranks; r++) {
    memcpy(part[r], total, n * sizeof *total);
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
    Rehearsed rehearsed;
    assert_true(rehearsal_due(rehearsal[r]));
    CHECK_OK(rehearsal_draw(rehearsal[r], 0, &rehearsed));
    assert_true(!rehearsed.weight && !rehearsed.error);
    for (size_t u = 0; u < rehearsed.batch->unrolls; u++) {
      const Unroll *unroll = &rehearsed.batch->unroll[u];
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

/* Who plays one team only has one seat of each slot, and keeps as much there as others do in all of them: a warm-up of
 * the whole replay ends. */
static void one_team_fills_the_replay(void **state) {
  (void)state;
  ReplayConfig config = usual;
  config.warmup = config.size;
  for (uint32_t team = 0; team < TEAMS; team++) {
    Rehearsal *rehearsal = make_of(&config, 1, true);
    for (uint32_t e = 0; e < 20; e++)
      for (uint32_t slot = 0; slot < SLOTS; slot++) play(rehearsal, slot, team, e, 0, true);
    sum(&rehearsal, 1);
    CHECK_NEAR(rehearsal_items(rehearsal), (double)config.size, 0);
    assert_true(rehearsal_due(rehearsal));
    rehearsal_destroy(rehearsal);
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
    rehearsal_begin(rehearsal, e);
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
      Rehearsed rehearsed;
      CHECK_OK(rehearsal_draw(rehearsal, 0, &rehearsed));
      rehearsal_learned(rehearsal, (double)batch_learned(rehearsed.batch));
      learned += (double)batch_learned(rehearsed.batch);
    }
  }
  assert_true(learned >= usual.ratio * acted && learned < usual.ratio * acted + 16.0 * ROWS * CELLS);
  rehearsal_forget(rehearsal);
  assert_int_equal(rehearsal_bytes(rehearsal), 0);
  sum(&rehearsal, 1);
  assert_false(rehearsal_due(rehearsal));
  rehearsal_destroy(rehearsal);
}

/* A piece of an episode whose beginning was never seen burns in, but not all of its rows. */
static void pieces_burn_in(void **state) {
  (void)state;
  for (int burn = 1; burn <= 9; burn += 8)
    for (int fresh = 0; fresh < 2; fresh++) {
      ReplayConfig config = usual;
      config.burn_in = burn;
      config.warmup = 1;
      Rehearsal *rehearsal = make(&config);
      Rehearsed rehearsed;
      play(rehearsal, 1, 1, 0, 0, fresh);
      sum(&rehearsal, 1);
      CHECK_OK(rehearsal_draw(rehearsal, 0, &rehearsed));
      assert_int_equal(rehearsed.batch->unrolls, usual.batch);
      for (size_t u = 0; u < rehearsed.batch->unrolls; u++)
        assert_int_equal(rehearsed.batch->unroll[u].skip, fresh ? 0 : burn < ROWS ? burn : ROWS - 1);
      rehearsal_destroy(rehearsal);
    }
}

/* Steps of the episode that is played in unrolls. */
enum { LENGTH = 31 };

/* An episode of LENGTH steps in unrolls of 4, 3, 4, 1, ... rows, of which any two fit into a piece. */
static void play_in_unrolls(Rehearsal *rehearsal) {
  static const uint32_t rows[] = {4, 3, 4, 1, 4, 4, 2, 3, 1, 1, 4};
  const uint8_t flags[CELLS] = {ROW_FLAGS, ROW_FLAGS};
  const void *const nothing[COLUMNS] = {NULL};
  const void *const value[COLUMNS] = {[COLUMN_FLAGS] = flags};
  uint32_t at = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const bool last = at + rows[i] == LENGTH;
    const Unroll unroll = {.rows = rows[i],
                           .end = last ? END_TERMINATED : END_OPEN,
                           .fresh = at == 0,
                           .step = at,
                           .until = last ? 0 : at + rows[i]};
    Batch batch;
    CHECK_OK(batch_create(&format, &batch));
    CHECK_OK(batch_add_unroll(&batch, &unroll, nothing));
    for (size_t t = 0; t < unroll_span(&unroll); t++) CHECK_OK(batch_add_row(&batch, value));
    CHECK_OK(rehearsal_add(rehearsal, &batch));
    batch_destroy(&batch);
    at += rows[i];
  }
  assert_int_equal(at, LENGTH);
}

/* Whatever unrolls an episode came in, and however many rows are to lead memory up: each row is learned from in one piece,
 * and in one only. Where no layer has a memory nothing leads up to anything, even if what an agent did last is kept. */
static void each_row_is_learned_from_in_one_piece(void **state) {
  (void)state;
  for (int recurrent = 0; recurrent < 2; recurrent++)
    for (int burn = 0; burn <= 5; burn++) {
      ReplayConfig config = usual;
      bool learned[LENGTH][LENGTH] = {{false}}; /* by the step that a piece begins with */
      size_t repeated = 0;
      config.size = 20 * SLOTS * TEAMS;
      config.burn_in = burn;
      config.warmup = 1;
      Rehearsal *rehearsal = make_of(&config, TEAMS, recurrent);
      play_in_unrolls(rehearsal);
      sum(&rehearsal, 1);
      for (int i = 0; i < 40; i++) {
        Rehearsed rehearsed;
        CHECK_OK(rehearsal_draw(rehearsal, 0, &rehearsed));
        for (size_t u = 0; u < rehearsed.batch->unrolls; u++) {
          const Unroll *unroll = &rehearsed.batch->unroll[u];
          repeated += unroll->skip;
          for (uint32_t t = unroll->skip; t < unroll->rows; t++) learned[unroll->step][unroll->step + t] = true;
        }
      }
      assert_true((repeated > 0) == (recurrent && burn > 0));
      for (size_t t = 0; t < LENGTH; t++) {
        size_t pieces = 0;
        for (size_t from = 0; from < LENGTH; from++) pieces += learned[from][t];
        if (pieces != 1) fail_msg("memory %d, burn-in %d: row %zu is learned from in %zu pieces", recurrent, burn, t, pieces);
      }
      rehearsal_destroy(rehearsal);
    }
}

/* --- priorities --- */

static const ReplayConfig weighed = {.size = 36,
                                     .longest = 8,
                                     .batch = 16,
                                     .warmup = 10,
                                     .ratio = 500,
                                     .priority = .6,
                                     .importance = .4,
                                     .priority_mix = .9,
                                     .priority_least = .01};

/* What somebody makes of an episode, and how much its losses counted. */
typedef struct Weighed {
  uint32_t name;
  float weight;
} Weighed;

/* The errors that an update finds in an episode: its own, and smaller the later it is. */
static void err(const Unroll *unroll, float update, float *error) {
  error[0] = (float)(1 + unroll->slot * 7 % 5 + unroll->episode) / (1 + update);
  error[1] = error[0] / 2;
}

static float *error_at(const Rehearsed *rehearsed, size_t u) {
  return rehearsed->error + 2 * u;
}

/* One batch, drawn, learned from, and counted again. */
static size_t draw_weighed(Rehearsal *const *rehearsal, size_t ranks, float update, double progress,
                           Weighed *out) {
  size_t count = 0;
  for (size_t r = 0; r < ranks; r++) {
    Rehearsed rehearsed;
    CHECK_OK(rehearsal_draw(rehearsal[r], progress, &rehearsed));
    for (size_t u = 0; u < rehearsed.batch->unrolls; u++) {
      const Unroll *unroll = &rehearsed.batch->unroll[u];
      assert_true(error_at(&rehearsed, u)[0] == 0);
      err(unroll, update, error_at(&rehearsed, u));
      out[count].name = unroll->slot << 16 | (uint32_t)unroll->agent << 8 | unroll->episode;
      out[count++].weight = rehearsed.weight[u];
    }
    rehearsal_learned(rehearsal[r], 10);
  }
  sum(rehearsal, ranks);
  qsort(out, count, sizeof *out, by_value);
  return count;
}

/* Episodes are drawn by what 40 updates found in them, and weigh in by it: batch for batch the same
 * on any number of ranks, to the bit. */
static void priorities_do_not_depend_on_ranks(void **state) {
  (void)state;
  static Weighed drawn[3][40][MOST];
  double spread[3];
  for (size_t ranks = 1; ranks <= 3; ranks++) {
    Rehearsal *rehearsal[3];
    for (size_t r = 0; r < ranks; r++) rehearsal[r] = make(&weighed);
    for (uint32_t e = 0; e < 6; e++) {
      for (uint32_t slot = 0; slot < SLOTS; slot++)
        for (uint32_t team = 0; team < TEAMS; team++)
          if (slot != 4 || e == 0) play(rehearsal[slot * ranks / SLOTS], slot, team, e, 0, true);
      for (size_t r = 0; r < ranks; r++) rehearsal_begin(rehearsal[r], e);
      sum(rehearsal, ranks);
      for (size_t u = 10 * e; e < 4 && u < 10 * (e + 1); u++) {
        Weighed *batch = drawn[ranks - 1][u];
        assert_int_equal(draw_weighed(rehearsal, ranks, (float)u, 0, batch), weighed.batch);
        assert_memory_equal(batch, drawn[0][u], (size_t)weighed.batch * sizeof *batch);
      }
    }
    spread[ranks - 1] = rehearsal_spread(rehearsal[ranks - 1]);
    for (size_t r = 0; r < ranks; r++) {
      assert_true(rehearsal_spread(rehearsal[r]) == spread[0]);
      rehearsal_destroy(rehearsal[r]);
    }
  }
  assert_true(spread[0] > 1.2);
}

/* What each episode is drawn with, N times, to the power beta, makes its weight, and beta rises to
 * 1: then draws and weights together count each episode alike. */
static void weights_put_right_what_priorities_distort(void **state) {
  (void)state;
  for (int late = 0; late < 2; late++) {
    Rehearsal *rehearsal = make(&weighed);
    double mass = 0, counted[SLOTS] = {0}, chance[SLOTS], all = 0;
    Weighed batch[MOST];
    for (uint32_t slot = 0; slot < SLOTS; slot++)
      for (uint32_t e = 0; e < 2; e++) play(rehearsal, slot, 0, e, 0, true);
    rehearsal_begin(rehearsal, 0);
    sum(&rehearsal, 1);
    /* all are drawn once, and so get what they are preferred by: 12 items of 16 draws */
    for (int i = 0; i < 60; i++) draw_weighed(&rehearsal, 1, 0, late, batch);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
      for (uint32_t e = 0; e < 2; e++) {
        float error[2];
        err(&(Unroll){.slot = slot, .episode = e}, 0, error);
        double weight = pow(.9 * (double)error[0] + .1 * (double)error[1] + .01, .6);
        mass += weight;
        if (e == 0) chance[slot] = weight;
      }
    CHECK_NEAR(rehearsal_spread(rehearsal), pow(.95 * 6 + .01, .6) * 12 / mass, 1e-5);
    for (int i = 0; i < 4000; i++) {
      draw_weighed(&rehearsal, 1, 0, late, batch);
      for (size_t d = 0; d < (size_t)weighed.batch; d++) {
        const uint32_t slot = batch[d].name >> 16;
        if ((batch[d].name & 0xff) == 0) {
          CHECK_NEAR(batch[d].weight, pow(12 * chance[slot] / mass, late ? -1 : -.4), 1e-4);
          counted[slot] += (double)batch[d].weight;
        }
        all += (double)batch[d].weight;
      }
    }
    CHECK_NEAR(rehearsal_importance(rehearsal), late ? 1 : .4, 1e-12);
    for (uint32_t slot = 0; late && slot < SLOTS; slot++)
      CHECK_NEAR(counted[slot] / all, 1.0 / 12, .004);
    rehearsal_destroy(rehearsal);
  }
}

/* Priorities, what is expected of new episodes, and beta are in a checkpoint: what follows is drawn
 * as if nothing had been. Without what was learned last, it is not. */
static void priorities_come_back(void **state) {
  (void)state;
  Rehearsal *all[3] = {make(&weighed), make(&weighed), make(&weighed)};
  static Weighed drawn[3][12][MOST];
  Bytes bytes = {0};
  for (uint32_t e = 0; e < 3; e++)
    for (uint32_t slot = 0; slot < SLOTS; slot++) play(all[0], slot, slot % TEAMS, e, 0, true);
  rehearsal_begin(all[0], 0);
  sum(all, 1);
  for (int u = 0; u < 6; u++) draw_weighed(all, 1, (float)u, 0, drawn[0][u]);
  for (int i = 1; i < 3; i++) {
    for (size_t lane = 0; lane < rehearsal_lanes(all[0]); lane++) {
      if (!rehearsal_has(all[0], lane)) continue;
      bytes.size = 0;
      rehearsal_encode_lane(all[0], lane, &bytes);
      Reader reader = reader_over(bytes.data, bytes.size);
      CHECK_OK(rehearsal_decode_lane(all[i], lane, &reader));
    }
    bytes.size = 0;
    rehearsal_encode(all[0], &bytes);
    Reader reader = reader_over(bytes.data, i == 1 ? bytes.size : bytes.size - 8);
    CHECK_OK(rehearsal_decode(all[i], &reader)); /* the third: of a program without priorities */
  }
  for (int i = 0; i < 3; i++) {
    play(all[i], 0, 0, 9, 0, true);
    rehearsal_begin(all[i], 1);
    sum(&all[i], 1);
    for (int u = 0; u < 12; u++) draw_weighed(&all[i], 1, (float)u, .5, drawn[i][u]);
  }
  assert_memory_equal(drawn[0], drawn[1], sizeof drawn[0]);
  assert_memory_not_equal(drawn[0], drawn[2], sizeof drawn[0]);
  rehearsal_forget(all[0]);
  play(all[0], 0, 0, 0, 0, true);
  rehearsal_begin(all[0], 2);
  sum(all, 1);
  CHECK_NEAR(rehearsal_spread(all[0]), 1, 1e-12); /* as at the start */
  bytes_free(&bytes);
  for (int i = 0; i < 3; i++) rehearsal_destroy(all[i]);
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
    assert_int_equal(bytes.size, 32);
    memcpy(drawn[i] + usual.batch, bytes.data, bytes.size);
  }
  assert_memory_equal(drawn[0], drawn[1], ((size_t)usual.batch + 8) * sizeof(uint32_t));
  bytes_free(&bytes);
  rehearsal_destroy(all[0]);
  rehearsal_destroy(all[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(draws_do_not_depend_on_ranks),
      cmocka_unit_test(one_team_fills_the_replay),
      cmocka_unit_test(updates_follow_frames),
      cmocka_unit_test(pieces_burn_in),
      cmocka_unit_test(each_row_is_learned_from_in_one_piece),
      cmocka_unit_test(it_goes_on_from_a_checkpoint),
      cmocka_unit_test(priorities_do_not_depend_on_ranks),
      cmocka_unit_test(weights_put_right_what_priorities_distort),
      cmocka_unit_test(priorities_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

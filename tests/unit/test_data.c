/* Returns and advantages against published numbers; batches and their encoding. */
#include "check.h"

#include "base/rng.h"
#include "data/batch.h"
#include "data/layout.h"
#include "data/returns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* rlax's tests of generalised advantage estimation. */
static void gae_matches_rlax(void **state) {
  (void)state;
  const float r[2][5] = {{0, 0, 1, 0, -.5f}, {0, 0, 0, 0, 1}},
              v[2][6] = {{1, 4, -3, -2, -1, -1}, {-3, -2, -1, 0, 5, -1}};
  const float d[2][5] = {{.99f, .99f, .99f, .99f, .99f}, {.9f, .9f, .9f, 0, .9f}};
  const double one[2][5] = {{-1.45118, -4.4557, 2.5396, .5249, -.49}, {3, 2, 1, 0, -4.9}},
               seven[5] = {-.676979, -5.248167, 2.4846, .6704, -.49};
  float a[5];
  for (int i = 0; i < 2; i++) {
    returns_gae(r[i], d[i], v[i], v[i][5], 1, 5, a);
    for (int t = 0; t < 5; t++) CHECK_NEAR(a[t], one[i][t], 1e-4);
  }
  returns_gae(r[0], d[0], v[0], v[0][5], .7f, 5, a);
  for (int t = 0; t < 5; t++) CHECK_NEAR(a[t], seven[t], 1e-4);
}

static void lambda_returns_match_rlax(void **state) {
  (void)state;
  const float r[5] = {1, 0, -1, 0, 1}, d[5] = {.5f, .9f, 1, .5f, .8f}, v[5] = {3, 1, 5, -5, 3};
  const double expected[5] = {1.6460547, .72281253, .7375001, .6500001, 3.4};
  float g[5];
  returns_lambda(r, d, v, .75f, 5, g);
  for (int t = 0; t < 5; t++) CHECK_NEAR(g[t], expected[t], 1e-5);
}

/* The test of the IMPALA authors' scalable_agent. */
static void vtrace_matches_scalable_agent(void **state) {
  (void)state;
  float log_rho[5], discount[5], r[5], v[5], vs[5], a[5];
  const double targets[5] = {.200182, 2.709682, 8.513628, 11.932397, 7.33},
               advantages[5] = {.200182, 1.709682, 6.513628, 10.876614, 1.98};
  for (int t = 0; t < 5; t++) {
    log_rho[t] = 5 * ((float)t / 5 - .5f);
    discount[t] = .9f;
    r[t] = v[t] = (float)t;
  }
  returns_vtrace(r, discount, v, 1, log_rho, 3.7f, 2.2f, 1, 5, vs, a);
  for (int t = 0; t < 5; t++) {
    CHECK_NEAR(vs[t], targets[t], 1e-5);
    CHECK_NEAR(a[t], advantages[t], 1e-5);
  }
}

/* On-policy V-trace with lambda 1 is the n-step return (Espeholt et al. 2018, remark 1). */
static void vtrace_on_policy_is_the_return(void **state) {
  (void)state;
  const float r[3] = {1, 2, 3}, d[3] = {.5f, .5f, .5f}, v[3] = {9, 8, 7}, zero[3] = {0, 0, 0};
  float vs[3], a[3];
  returns_vtrace(r, d, v, 4, zero, 1, 1, 1, 3, vs, a);
  CHECK_NEAR(vs[0], 1 + .5 * (2 + .5 * (3 + .5 * 4)), 1e-5);
}

/* By hand from the definition: follow the trajectory where it beats the value, else stop at the value. */
static void upgo_by_hand(void **state) {
  (void)state;
  const float r[3] = {0, 1, 0}, d[3] = {1, 1, 1}, v[3] = {.2f, .5f, .9f}, zero[3] = {0, 0, 0};
  float a[3];
  /* q_2 = 0 + bootstrap .1 = .1 < v_2 = .9: G_1 = 1 + v_2 = 1.9; q_1 = 1 + .9 = 1.9 >= v_1: G_0 = 0 + G_1 = 1.9; G_2 =
   * .1 */
  returns_upgo(r, d, v, .1f, zero, 3, a);
  CHECK_NEAR(a[2], .1 - .9, 1e-6);
  CHECK_NEAR(a[1], 1.9 - .5, 1e-6);
  CHECK_NEAR(a[0], 1.9 - .2, 1e-6);
}

static void fill(Batch *batch, uint8_t end, uint32_t rows, uint8_t tag) {
  CHECK_OK(batch_reserve(batch, rows + 1, 1));
  Unroll *unroll = &batch->unroll[batch->unrolls++];
  *unroll = (Unroll){.version = 5,
                     .first_version = end == END_OPEN ? 3 : 5, /* open: carried from an earlier tick */
                     .player = 1,
                     .life = 2,
                     .first_life = 2,
                     .slot = 3,
                     .agent = 1,
                     .end = end,
                     .fresh = 1,
                     .rows = rows,
                     .first = (uint32_t)batch->rows};
  size_t span = unroll_span(unroll);
  memset(batch->observation + batch->rows * batch->format.observation_bytes, tag,
         span * batch->format.observation_bytes);
  for (size_t i = 0; i < span; i++) batch->reward[batch->rows + i] = (float)(tag + i);
  batch->rows += span;
}

static void batches_survive_encoding(void **state) {
  (void)state;
  RowFormat format = {.observation_bytes = 3, .choices = 2, .heads = 1, .state = 2};
  Batch batch, copy;
  Bytes bytes = {0};
  CHECK_OK(batch_create(&format, &batch));
  CHECK_OK(batch_create(&format, &copy));
  fill(&batch, END_OPEN, 2, 10);
  fill(&batch, END_TERMINATED, 3, 20);
  assert_int_equal(batch.rows, 6);
  assert_int_equal(batch_learned(&batch), 5);
  batch_encode(&batch, &bytes);
  CHECK_OK(batch_append(&copy, &batch, 1)); /* decode appends */
  Reader reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(batch_decode(&copy, &reader));
  CHECK_OK(reader_finish(&reader, "batch"));
  assert_int_equal(copy.unrolls, 3);
  for (uint32_t i = 1; i < 3; i++) {
    assert_int_equal(unroll_version(&copy.unroll[i], 0), i == 1 ? 3 : 5);
    assert_true(unroll_version(&copy.unroll[i], 1) == 5 && unroll_life(&copy.unroll[i], 0) == 2);
  }
  assert_int_equal(copy.unroll[1].first, 3);
  assert_int_equal(copy.unroll[2].first, 6);
  assert_memory_equal(copy.observation + 9, batch.observation, batch.rows * 3);
  assert_true(copy.reward[6] == 20);
  for (size_t size = 0; size < bytes.size; size++) { /* every truncation is noticed, and nothing is appended */
    Reader cut = reader_over(bytes.data, size);
    size_t rows = copy.rows;
    assert_int_equal(batch_decode(&copy, &cut), ERR_FORMAT);
    assert_int_equal(copy.rows, rows);
  }
  batch_destroy(&batch);
  batch_destroy(&copy);
  bytes_free(&bytes);
}

/* An action that is no choice of its head would be an index beyond a row of logits. */
static void actions_that_are_none_are_refused(void **state) {
  (void)state;
  static const uint32_t sizes[1] = {2};
  static const int32_t bad[] = {2, -1, INT32_MAX, INT32_MIN};
  RowFormat format = {
      .observation_bytes = 3, .choices = 2, .heads = 1, .state = 2, .head_size = sizes};
  for (size_t i = 0; i <= COUNT_OF(bad); i++) {
    Batch batch, copy;
    Bytes bytes = {0};
    CHECK_OK(batch_create(&format, &batch));
    CHECK_OK(batch_create(&format, &copy));
    fill(&batch, END_OPEN, 2, 10);
    for (size_t row = 0; row < batch.rows; row++) batch.action[row] = 1;
    if (i < COUNT_OF(bad)) batch.action[1] = bad[i];
    batch_encode(&batch, &bytes);
    Reader reader = reader_over(bytes.data, bytes.size);
    assert_int_equal(batch_decode(&copy, &reader), i < COUNT_OF(bad) ? ERR_FORMAT : OK);
    assert_int_equal(copy.rows, i < COUNT_OF(bad) ? 0 : 3);
    if (i < COUNT_OF(bad)) assert_non_null(strstr(status_message(), "row 1, head 0"));
    batch_destroy(&batch);
    batch_destroy(&copy);
    bytes_free(&bytes);
  }
}

/* The array of a column. */
static unsigned char *column_of(const Batch *batch, ColumnId id) {
  unsigned char *data;
  memcpy(&data, (const char *)batch + batch_column[id].at, sizeof data);
  return data;
}

static size_t elements(const Batch *batch, ColumnId id) {
  return batch_column[id].per == PER_ROW ? batch->rows : batch->unrolls;
}

/* Rows of single agents, and of teams of two and of one: the third agent is alone. */
static const uint32_t in_cell[] = {0, 1, 0, 1, 2, NO_AGENT};
static const RowFormat formats[] = {
    {.observation_bytes = 5, .choices = 3, .heads = 2, .state = 4},
    {.observation_bytes = 5,
     .choices = 3,
     .heads = 2,
     .state = 4,
     .cells = 2,
     .global = 3,
     .flags = true,
     .agents = 3,
     .agent_of = in_cell},
};

/* Any state that the agent in that cell can be in. */
static uint8_t some_flags(const Batch *batch, size_t cell, AgonRng *rng) {
  static const uint8_t can[] = {0, AGON_ALIVE, AGON_ALIVE | ROW_ENTERED, ROW_ENTERED, ROW_FLAGS};
  size_t cells = format_cells(&batch->format);
  uint8_t flags = can[rng_below(rng, COUNT_OF(can))];
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    size_t row = cell / cells;
    if (row < unroll->first || row >= unroll->first + unroll_span(unroll)) continue;
    if (batch->format.agent_of[unroll->agent * cells + cell % cells] == NO_AGENT) return 0;
  }
  return flags;
}

/* Three unrolls whose every column holds numbers of its own. */
static void fill_columns(Batch *batch, AgonRng *rng) {
  const void *const nothing[COLUMNS] = {NULL};
  bool flags = batch->format.flags;
  for (uint32_t u = 0; u < 3; u++) {
    Unroll unroll = {.rows = u + 2,
                     .end = (uint8_t)u,
                     .first = (uint32_t)batch->rows,
                     .agent = u == 1 ? 2 : 0,
                     .episode = flags ? 70 + u : 0,
                     .step = flags ? 80 + u : 0,
                     .until = flags ? 90 + u : 0};
    CHECK_OK(batch_add_unroll(batch, &unroll, nothing));
    for (size_t r = 0; r < unroll_span(&unroll); r++) CHECK_OK(batch_add_row(batch, nothing));
  }
  for (ColumnId id = 0; id < COLUMNS; id++) {
    size_t count = elements(batch, id) * column_width(&batch->format, id);
    unsigned char *data = column_of(batch, id);
    for (size_t i = 0; i < count; i++) {
      float number = (float)rng_normal(rng);
      if (id == COLUMN_FLAGS)
        data[i] = some_flags(batch, i, rng);
      else if (batch_column[id].type == TYPE_BYTE)
        data[i] = (unsigned char)rng_below(rng, 256);
      else
        memcpy(data + 4 * i, &number, 4);
    }
  }
}

static void check_columns(const Batch *a, size_t row_a, size_t unroll_a, const Batch *b, size_t row_b, size_t unroll_b,
                          size_t rows, size_t unrolls) {
  for (ColumnId id = 0; id < COLUMNS; id++) {
    bool by_row = batch_column[id].per == PER_ROW;
    size_t bytes = column_bytes(&a->format, id);
    const unsigned char *left = column_of(a, id) + (by_row ? row_a : unroll_a) * bytes;
    const unsigned char *right = column_of(b, id) + (by_row ? row_b : unroll_b) * bytes;
    if (memcmp(left, right, (by_row ? rows : unrolls) * bytes)) fail_msg("column %s differs", batch_column[id].name);
  }
}

/* Whatever columns there are, each is copied, moved, sent and received whole. */
static void check_columns_go_along(const RowFormat *format) {
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  Batch batch, copy;
  Bytes bytes = {0};
  CHECK_OK(batch_create(format, &batch));
  CHECK_OK(batch_create(format, &copy));
  fill_columns(&batch, &rng);
  assert_true(batch_is_whole(&batch));
  size_t rows = batch.rows, first = batch.unroll[1].first, span = unroll_span(&batch.unroll[1]);
  CHECK_OK(batch_append(&copy, &batch, 1));
  check_columns(&copy, 0, 0, &batch, first, 1, span, 1);
  batch_encode(&batch, &bytes);
  for (size_t size = 0; size < bytes.size; size++) {
    Reader cut = reader_over(bytes.data, size);
    assert_int_equal(batch_decode(&copy, &cut), ERR_FORMAT);
    assert_int_equal(copy.rows, span);
  }
  Reader reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(batch_decode(&copy, &reader));
  CHECK_OK(reader_finish(&reader, "batch"));
  assert_true(batch_is_whole(&copy));
  check_columns(&copy, span, 1, &batch, 0, 0, rows, 3);
  for (size_t u = 0; u < 3; u++) {
    const Unroll *sent = &batch.unroll[u], *got = &copy.unroll[1 + u];
    assert_true(got->agent == sent->agent && got->first == sent->first + span);
    assert_true(got->episode == sent->episode && got->step == sent->step);
    assert_true(got->until == sent->until);
  }
  batch_move_row(&copy, 0, span + 4);
  batch_move_unroll(&copy, 0, 3);
  check_columns(&copy, 0, 0, &batch, 4, 2, 1, 1);
  assert_int_equal(copy.unroll[0].rows, 4);
  const void *value[COLUMNS];
  for (ColumnId id = 0; id < COLUMNS; id++)
    value[id] = column_of(&batch, id) + column_bytes(format, id);
  CHECK_OK(batch_add_row(&copy, value));
  CHECK_OK(batch_add_unroll(&copy, &batch.unroll[1], value));
  check_columns(&copy, copy.rows - 1, copy.unrolls - 1, &batch, 1, 1, 1, 1);
  batch_destroy(&batch);
  batch_destroy(&copy);
  bytes_free(&bytes);
}

static void every_column_goes_along(void **state) {
  (void)state;
  for (size_t f = 0; f < COUNT_OF(formats); f++)
    check_columns_go_along(&formats[f]);
}

/* A number that is none, in any column of numbers, is refused, and nothing of its message is
 * kept. */
static void numbers_that_are_none_are_refused(void **state) {
  (void)state;
  size_t refused = 0;
  for (size_t i = 0; i < COUNT_OF(formats) * COLUMNS; i++) {
    ColumnId id = (ColumnId)(i % COLUMNS);
    const RowFormat *format = &formats[i / COLUMNS];
    AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
    Batch batch, copy;
    Bytes bytes = {0};
    if (column_width(format, id) == 0 || id == COLUMN_FLAGS) continue;
    CHECK_OK(batch_create(format, &batch));
    CHECK_OK(batch_create(format, &copy));
    fill_columns(&batch, &rng);
    memset(column_of(&batch, id) + column_bytes(format, id), 0xff, 4); /* a float: not a number */
    batch_encode(&batch, &bytes);
    Reader reader = reader_over(bytes.data, bytes.size);
    bool numbers = batch_column[id].type == TYPE_FLOAT;
    assert_int_equal(batch_is_whole(&batch), !numbers);
    assert_int_equal(batch_decode(&copy, &reader), numbers ? ERR_FORMAT : OK);
    assert_int_equal(copy.rows, numbers ? 0 : batch.rows);
    refused += numbers;
    batch_destroy(&batch);
    batch_destroy(&copy);
    bytes_free(&bytes);
  }
  assert_int_equal(refused, 8); /* state, log_prob, value, reward; state, log_prob, reward, global */
}

/* Experience of single agents is sent byte by byte as it was before there were teams: an actor or a
 * checkpoint of then is understood. */
static void one_cell_is_sent_as_ever(void **state) {
  (void)state;
  static const uint8_t expected[] = {
      1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, /* unrolls, rows */
      5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, /* version, player, life */
      3, 0, 0, 0, 1, 1, 4, 0, 1, 0, 0, 0,             /* slot; fresh, end, agent; rows */
      0, 0, 0, 63,                                    /* state .5 */
      9, 8, 7, 1, 0, 2, 0, 0, 0,                      /* observation, mask, action */
      0, 0, 128, 191, 0, 0, 0, 64, 0, 0, 128, 64,     /* -1, 2, 4 */
  };
  const RowFormat with[] = {
      {.observation_bytes = 3, .choices = 2, .heads = 1, .state = 1},
      {.observation_bytes = 3, .choices = 2, .heads = 1, .state = 1, .cells = 1},
  };
  const Unroll unroll = {.version = 5,
                         .first_version = 5,
                         .player = 1,
                         .life = 2,
                         .first_life = 2,
                         .slot = 3,
                         .agent = 4,
                         .end = END_TERMINATED,
                         .fresh = 1,
                         .rows = 1};
  const uint8_t observation[] = {9, 8, 7}, mask[] = {1, 0};
  const int32_t action = 2;
  const float half = .5f, log_prob = -1, value = 2, reward = 4;
  const void *const column[COLUMNS] = {
      [COLUMN_STATE] = &half,        [COLUMN_OBSERVATION] = observation, [COLUMN_MASK] = mask,
      [COLUMN_ACTION] = &action,     [COLUMN_LOG_PROB] = &log_prob,      [COLUMN_VALUE] = &value,
      [COLUMN_REWARD] = &reward,
  };
  for (size_t f = 0; f < COUNT_OF(with); f++) {
    Batch batch;
    Bytes bytes = {0};
    CHECK_OK(batch_create(&with[f], &batch));
    CHECK_OK(batch_add_unroll(&batch, &unroll, column));
    CHECK_OK(batch_add_row(&batch, column));
    batch_encode(&batch, &bytes);
    assert_int_equal(bytes.size, sizeof expected);
    assert_memory_equal(bytes.data, expected, sizeof expected);
    batch_destroy(&batch);
    bytes_free(&bytes);
  }
}

/* Two rows of a team of two, of which the second agent acts in the first row only, and a row to
 * bootstrap from. */
static void two_cells(Batch *batch, uint32_t agent, uint32_t skip) {
  static const uint8_t flags[3][2] = {
      {ROW_FLAGS, ROW_FLAGS}, {ROW_FLAGS, ROW_ENTERED}, {ROW_FLAGS, ROW_ENTERED}};
  const Unroll unroll = {
      .rows = 2, .agent = (uint16_t)agent, .skip = skip, .first = (uint32_t)batch->rows};
  const void *column[COLUMNS] = {NULL};
  CHECK_OK(batch_add_unroll(batch, &unroll, column));
  for (size_t row = 0; row < 3; row++) {
    column[COLUMN_FLAGS] = flags[row];
    CHECK_OK(batch_add_row(batch, column));
  }
}

/* A frame is what an agent did, not a row. */
static void frames_are_cells_that_acted(void **state) {
  (void)state;
  Batch batch;
  CHECK_OK(batch_create(&formats[1], &batch));
  two_cells(&batch, 0, 0);
  assert_int_equal(batch_learned(&batch), 3);
  two_cells(&batch, 0, 1);
  assert_int_equal(batch_learned(&batch), 4);
  assert_true(batch_is_whole(&batch));
  batch_destroy(&batch);
}

/* Flags and owners that no recorder gives would be indices into tables, or memory of nobody. */
static void cells_of_nobody_are_refused(void **state) {
  (void)state;
  static const struct {
    uint16_t agent;
    uint8_t acts[2]; /* of the first row */
    const char *says;
  } with[] = {
      {0, {ROW_FLAGS, ROW_FLAGS}, NULL},
      {0, {ROW_FLAGS, 0}, NULL},
      {2, {ROW_FLAGS, 0}, NULL},
      {1, {ROW_FLAGS, ROW_FLAGS}, "rows and unrolls"}, /* not the first of its team */
      {3, {ROW_FLAGS, ROW_FLAGS}, "rows and unrolls"}, /* not an agent */
      {0, {ROW_FLAGS, 8}, "row 0, cell 1"},
      {0, {AGON_ACTS | AGON_ALIVE, 0}, "row 0, cell 0"},
      {2, {ROW_FLAGS, AGON_ALIVE}, "row 0, cell 1"},
  };
  for (size_t i = 0; i < COUNT_OF(with); i++) {
    Batch batch, copy;
    Bytes bytes = {0};
    CHECK_OK(batch_create(&formats[1], &batch));
    CHECK_OK(batch_create(&formats[1], &copy));
    two_cells(&batch, 0, 0);
    two_cells(&copy, 0, 0);
    memset(batch.flags, 0, 6);
    memcpy(batch.flags, with[i].acts, 2);
    batch.unroll[0].agent = with[i].agent;
    batch_encode(&batch, &bytes);
    Reader reader = reader_over(bytes.data, bytes.size);
    assert_int_equal(batch_decode(&copy, &reader), with[i].says ? ERR_FORMAT : OK);
    if (with[i].says) assert_non_null(strstr(status_message(), with[i].says));
    assert_int_equal(copy.unrolls, with[i].says ? 1 : 2);
    batch_destroy(&batch);
    batch_destroy(&copy);
    bytes_free(&bytes);
  }
}

/* Whatever a message has been turned into, what is taken of it can be worked with. */
static void altered_messages_are_whole_or_refused(void **state) {
  (void)state;
  static const uint32_t sizes[] = {1 << 30, 1 << 30};
  size_t taken = 0, refused = 0;
  for (uint64_t seed = 0; seed < 4000; seed++) {
    AgonRng rng = rng_stream(seed, 0, 0, RNG_TEST);
    RowFormat format = formats[seed % COUNT_OF(formats)];
    Batch batch, copy;
    Bytes bytes = {0};
    format.head_size = sizes;
    CHECK_OK(batch_create(&format, &batch));
    CHECK_OK(batch_create(&format, &copy));
    fill_columns(&batch, &rng);
    memset(batch.action, 0, batch.rows * column_bytes(&format, COLUMN_ACTION));
    batch_encode(&batch, &bytes);
    for (uint32_t n = 1 + rng_below(&rng, 3); n > 0; n--) {
      size_t most = rng_below(&rng, 2) ? bytes.size : 3 * 40 + 16; /* heads are what leads astray */
      bytes.data[rng_below(&rng, (uint32_t)most)] ^= (uint8_t)(1u << rng_below(&rng, 8));
    }
    Reader reader = reader_over(bytes.data, bytes.size);
    if (batch_decode(&copy, &reader) == OK) {
      assert_true(batch_is_whole(&copy));
      assert_true(batch_learned(&copy) <= copy.rows * format_cells(&format));
      taken++;
    } else {
      assert_true(copy.rows == 0 && copy.unrolls == 0);
      refused++;
    }
    batch_destroy(&batch);
    batch_destroy(&copy);
    bytes_free(&bytes);
  }
  assert_true(taken > 100 && refused > 100);
}

/* An action is looked at in every cell. */
static void actions_of_all_cells_are_checked(void **state) {
  (void)state;
  static const uint32_t sizes[] = {2, 3};
  RowFormat format = formats[1];
  format.head_size = sizes;
  for (size_t i = 0; i < 3 * 2 * 2; i++) {
    Batch batch, copy;
    Bytes bytes = {0};
    char says[64];
    CHECK_OK(batch_create(&format, &batch));
    CHECK_OK(batch_create(&format, &copy));
    two_cells(&batch, 0, 0);
    batch.action[i] = (int32_t)sizes[i % 2];
    batch_encode(&batch, &bytes);
    Reader reader = reader_over(bytes.data, bytes.size);
    assert_int_equal(batch_decode(&copy, &reader), ERR_FORMAT);
    snprintf(says, sizeof says, "row %zu, head %zu, cell %zu", i / 4, i % 2, i / 2 % 2);
    assert_non_null(strstr(status_message(), says));
    batch_destroy(&batch);
    batch_destroy(&copy);
    bytes_free(&bytes);
  }
}

/* Cells of a row lie side by side in a unit; each has a state of its own to begin from. */
static void cells_lie_side_by_side(void **state) {
  (void)state;
  static uint32_t actor[] = {0, 1};
  static size_t unroll_end[] = {2, 3};
  static const int32_t all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
  static const int32_t learned[] = {0, 1, 2, 3, 8, 9, 12, 13, 14, 15};
  /* units of seven steps: two unrolls of three rows and padding; one unroll and padding */
  static const int32_t row[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, -1, -1,
                                12, 13, 14, 15, 16, 17, -1, -1, -1, -1, -1, -1, -1, -1};
  static const int32_t restart[] = {1, 2,  -1, -1, -1, -1, 0,  0,  -1, -1, -1, -1, -1, -1,
                                    5, 6,  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  const Shards shards = {.actor = actor, .unroll_end = unroll_end, .count = 2};
  Layout layout = {0};
  Batch batch;
  CHECK_OK(batch_create(&formats[1], &batch));
  two_cells(&batch, 0, 0);
  two_cells(&batch, 0, 1);
  two_cells(&batch, 0, 0);
  batch.unroll[1].fresh = 1;
  CHECK_OK(layout_rows(&layout, &batch, &shards, false));
  assert_true(layout.T == 1 && layout.cells == 2 && layout.units == 9);
  assert_memory_equal(layout.row, all, sizeof all);
  assert_true(layout.shard_end[0] == 6 && layout.shard_end[1] == 9);
  CHECK_OK(layout_rows(&layout, &batch, &shards, true));
  assert_int_equal(layout.units, 5);
  assert_memory_equal(layout.row, learned, sizeof learned);
  for (size_t i = 0; i < 10; i++)
    assert_int_equal(layout.restart[i], 0);
  CHECK_OK(layout_sequences(&layout, &batch, &shards, 7));
  assert_true(layout.T == 7 && layout.cells == 2 && layout.units == 2);
  assert_memory_equal(layout.row, row, sizeof row);
  assert_memory_equal(layout.restart, restart, sizeof restart);
  assert_true(layout.shard_end[0] == 1 && layout.shard_end[1] == 2);
  layout_free(&layout);
  batch_destroy(&batch);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gae_matches_rlax),
      cmocka_unit_test(lambda_returns_match_rlax),
      cmocka_unit_test(vtrace_matches_scalable_agent),
      cmocka_unit_test(vtrace_on_policy_is_the_return),
      cmocka_unit_test(upgo_by_hand),
      cmocka_unit_test(batches_survive_encoding),
      cmocka_unit_test(actions_that_are_none_are_refused),
      cmocka_unit_test(every_column_goes_along),
      cmocka_unit_test(numbers_that_are_none_are_refused),
      cmocka_unit_test(one_cell_is_sent_as_ever),
      cmocka_unit_test(frames_are_cells_that_acted),
      cmocka_unit_test(cells_of_nobody_are_refused),
      cmocka_unit_test(altered_messages_are_whole_or_refused),
      cmocka_unit_test(actions_of_all_cells_are_checked),
      cmocka_unit_test(cells_lie_side_by_side),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

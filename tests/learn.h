/* An update alone, before a small problem: for the tests of learning. */
#pragma once
#include "config/config.h"
#include "learner/train/update_fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Bench {
  Net *net;
  LearnConfig config;
  void *algo_config;
  const AlgoOps *algo;
  Algo *made; /* with its parts */
  Update *update;
  TrainState pupil;
  Batch batch;
} Bench;

static inline void set_defaults(const Option *table, size_t count, void *target) {
  Config *config;
  CHECK_OK(config_create(&config));
  CHECK_OK(config_declare(config, "x", table, count, target));
  CHECK_OK(config_resolve(config));
  config_destroy(config);
}

static inline TrainShape shape_of(const Bench *b) {
  return (TrainShape){.algo = b->made, .seed = 1};
}

static inline Update *new_update(const Bench *b, const Reducer *reducer) {
  Update *update;
  const UpdateSetup setup = {
      .algo = b->made, .config = &b->config, .seed = 1, .reducer = reducer};
  CHECK_OK(update_create(&setup, &update));
  return update;
}

/* What rows an algorithm with its defaults wants; those of teams are of one agent here, and the
 * global state is its observation. */
static inline RowFormat rows_wanted(const AlgoOps *algo, const void *own, const AgonKind *layout) {
  AlgoNeeds needs = algo_needs(algo, own, layout);
  RowFormat format = {.cells = 1, .flags = needs.rows == ROWS_TEAM, .global = needs.global ? 2 : 0};
  return format;
}

/* rows: cells, flags and global state of the experience; NULL: as the algorithm wants it.
 * separate: the value has a trunk of its own. */
static inline void open_bench_full(Bench *b, const AlgoOps *algo, int memory, bool popart,
                                   bool separate, const RowFormat *rows) {
  static const uint32_t head_size[] = {3};
  AgonKind layout = {.observation_type = AGON_F32,
                      .observation_shape = {2, 1, 1},
                      .action_kind = AGON_DISCRETE,
                      .heads = 1,
                      .head_size = head_size};
  NetConfig net = {.precision = 0}; /* which is not among its options */
  set_defaults(net_options, net_option_count, &net);
  net.hidden = (IntList){{16}, 1};
  net.memory = memory;
  net.memory_size = 8;
  net.separate = separate;
  net.normalise_returns = popart;
  net.normalise_observations = popart;
  *b = (Bench){.algo = algo};
  set_defaults(learn_options, learn_option_count, &b->config);
  b->algo_config = calloc(1, b->algo->config_size + 1);
  set_defaults(b->algo->options, b->algo->option_count, b->algo_config);
  net.rule = algo_needs(algo, b->algo_config, &layout).rule;
  CHECK_OK(net_create(&net, &layout, NULL, &b->net));
  RowFormat format = rows ? *rows : rows_wanted(algo, b->algo_config, &layout);
  format.observation_bytes = 8;
  format.choices = 3;
  format.heads = 1;
  format.state = (uint32_t)b->net->graph.state_size;
  CHECK_OK(algo_create(algo, b->algo_config, b->net, &format, &b->made));
  const TrainShape shape = shape_of(b);
  CHECK_OK(train_state_create(&shape, 0, &b->pupil));
  b->update = new_update(b, NULL);
  CHECK_OK(batch_create(&format, &b->batch));
}

static inline void open_bench_with(Bench *b, const AlgoOps *algo, int memory, bool popart,
                                   const RowFormat *rows) {
  open_bench_full(b, algo, memory, popart, false, rows);
}

static inline void open_bench_separate(Bench *b, const AlgoOps *algo, const RowFormat *rows) {
  open_bench_full(b, algo, 0, false, true, rows);
}

static inline void open_bench(Bench *b, const AlgoOps *algo, int memory, bool popart) {
  open_bench_with(b, algo, memory, popart, NULL);
}

static inline void close_bench(Bench *b) {
  update_destroy(b->update);
  train_state_destroy(&b->pupil);
  batch_destroy(&b->batch);
  algo_destroy(b->made);
  net_destroy(b->net);
  free(b->algo_config);
}

/* Probabilities and value of the pupil's policy at an observation (memory zero); where outputs are
 * worths, of a policy that explores a little. */
static inline float look(Bench *b, float x, float y, float *p) {
  Activations space;
  float logits[3], value, state[16] = {0};
  const float row[2] = {x, y};
  Sequences seq = {.B = 1, .T = 1, .states = state, .S = b->net->graph.state_size};
  CHECK_OK(activations_create(&b->net->graph, 1, false, &space));
  float *packed = net_pack_create(b->net, false);
  net_pack(b->net, b->pupil.block, false, packed);
  net_load(b->net, row, NULL, 1, &space);
  net_forward(b->net, b->pupil.block, packed, &space, &seq, logits, &value, NULL);
  free(packed);
  if (b->net->config.rule == RULE_GREEDY_Q)
    dist_greedy(&b->net->space, logits, NULL, .15f, logits);
  else
    dist_normalise(&b->net->space, logits, NULL, logits);
  if (b->net->config.rule == RULE_MIXED) {
    net_set_epsilon(b->net, b->pupil.block, .15f); /* as an update must know it */
    dist_mix_rows(&b->net->space, logits, .15f, 1, logits);
  }
  for (int i = 0; i < 3; i++)
    p[i] = expf(logits[i]);
  activations_destroy(&space);
  return value;
}

/* A row with the present policy's own log-probability and value: on-policy experience. */
static inline void add_row(Bench *b, AgonRng *rng, float x, float y,
                           float (*reward)(float, float, int)) {
  float p[3], value = look(b, x, y, p);
  double weight[3] = {(double)p[0], (double)p[1], (double)p[2]};
  int action = (int)rng_pick(rng, weight, 3);
  CHECK_OK(batch_reserve(&b->batch, 1, 1));
  Batch *batch = &b->batch;
  size_t row = batch->rows++;
  const float both[2] = {x, y};
  memcpy(batch->observation + row * 8, both, 8);
  memset(batch->mask + row * 3, 1, 3);
  batch->action[row] = action;
  batch->log_prob[row] = logf(p[action]);
  if (batch->format.flags)
    batch->flags[row] = ROW_FLAGS;
  else
    batch->value[row] = value;
  if (batch->format.global) memcpy(batch->global + row * 2, both, sizeof both);
  batch->reward[row] = reward(x, y, action);
}

static inline void unroll(Bench *b, uint32_t rows, uint8_t end) {
  Batch *batch = &b->batch;
  CHECK_OK(batch_reserve(batch, 1, 1));
  batch->unroll[batch->unrolls] =
      (Unroll){.rows = rows,
               .end = end,
               .fresh = 1,
               .first = (uint32_t)(batch->rows - rows - (end != END_TERMINATED))};
  memset(batch->state + batch->unrolls * batch->format.state, 0,
         batch->format.state * sizeof(float));
  batch->unrolls++;
}

static inline void update(Bench *b) {
  bool more = true, progress;
  CHECK_OK(update_begin(b->update, &b->pupil, &b->batch, NULL, NULL));
  while (more)
    CHECK_OK(update_step(b->update, &more, &progress));
  batch_clear(&b->batch);
}

/* The right action depends on the sign of x. */
static inline float by_sign(float x, float y, int action) {
  (void)y;
  return action == (x > 0 ? 2 : 0) ? 1.0f : 0.0f;
}

static inline void bandit(Bench *b, int updates) {
  AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
  for (int u = 0; u < updates; u++) {
    for (int i = 0; i < 128; i++) {
      add_row(b, &rng, (float)rng_unit(&rng) * 2 - 1, 1, by_sign);
      unroll(b, 1, END_TERMINATED);
    }
    update(b);
  }
}

/* A second member that holds the same rows: every sum is twice this one's, but for what opens an
 * update, where each member writes to its own place. `fault`: its copy of the weights differs. */
typedef struct Twin {
  bool fault;
  const Net *net;
  size_t sums, floats;
} Twin;

static inline Status twin_start(void *context, float *values, size_t count) {
  Twin *twin = context;
  size_t opening = update_opening(twin->net, 2), each = opening - update_opening(twin->net, 1);
  bool opens = count == opening && values[0] > 0 && values[each] == 0;
  for (size_t i = opens ? 2 * each : 0; i < count; i++)
    values[i] *= 2;
  if (opens) memcpy(values + each, values, each * sizeof *values);
  if (opens && twin->fault) values[2 * each] += 1;
  twin->sums++;
  twin->floats += count;
  return OK;
}

static inline Status twin_test(void *context, bool *done) {
  (void)context;
  *done = true;
  return OK;
}

/* Sums of two members in one process: the k-th that the one starts is added to the k-th of the
 * other as soon as both are there. */
enum { SUMS_OPEN = 64 };
typedef struct Sums {
  float *values[2][SUMS_OPEN];
  size_t count[2][SUMS_OPEN];
  size_t started[2], done;
} Sums;
typedef struct Seat {
  Sums *sums;
  size_t self;
} Seat;

static inline Status sums_start(void *context, float *values, size_t count) {
  const Seat *seat = context;
  Sums *s = seat->sums;
  size_t at = s->started[seat->self]++ % SUMS_OPEN;
  assert_true(s->started[seat->self] - s->done <= SUMS_OPEN);
  s->values[seat->self][at] = values;
  s->count[seat->self][at] = count;
  while (s->done < s->started[0] && s->done < s->started[1]) {
    size_t k = s->done++ % SUMS_OPEN;
    assert_int_equal(s->count[0][k], s->count[1][k]);
    for (size_t i = 0; i < s->count[0][k]; i++)
      s->values[0][k][i] = s->values[1][k][i] = s->values[0][k][i] + s->values[1][k][i];
  }
  return OK;
}

static inline Status sums_test(void *context, bool *done) {
  const Seat *seat = context;
  *done = seat->sums->done == seat->sums->started[seat->self];
  return OK;
}

/* Gives the member its part of the whole's experience, that of one actor, and begins. */
static inline void begin_part(Bench *b, const Bench *whole, size_t from, size_t to, Shards *shards) {
  *shards->unroll_end = to - from;
  for (size_t u = from; u < to; u++)
    CHECK_OK(batch_append(&b->batch, &whole->batch, u));
  CHECK_OK(update_begin(b->update, &b->pupil, &b->batch, shards, NULL));
}

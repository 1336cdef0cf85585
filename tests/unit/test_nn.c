/* Networks: finite differences of every operation and of whole networks, distributions, Adam, initialisation. */
#include "check.h"

#include "nn/adam.h"
#include "nn/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

static float noise(AgonRng *rng) { return (float)rng_normal(rng); }

/* Loss = sum of fixed random weights times the output tensor. */
typedef struct Bench {
  Graph graph;
  Activations space;
  Sequences seq;
  float params[MOST], input[MOST], weight[MOST];
  size_t inputs, outputs;
  int out;
} Bench;

static double loss(Bench *bench, const float *params) {
  double sum = 0;
  memcpy(bench->space.value[0], bench->input, bench->inputs * sizeof(float));
  graph_forward(&bench->graph, params, NULL, &bench->space, &bench->seq, NULL);
  for (size_t i = 0; i < bench->outputs; i++)
    sum += (double)bench->weight[i] * (double)bench->space.value[bench->out][i];
  return sum;
}

static void check_gradient(Bench *bench, size_t B, size_t T, uint32_t seed) {
  AgonRng rng = rng_stream(seed, 1, 0, RNG_TEST);
  size_t R = B * T;
  float gradient[MOST] = {0};
  graph_finish(&bench->graph);
  assert_true(bench->graph.params < MOST);
  CHECK_OK(activations_create(&bench->graph, R, true, &bench->space));
  bench->seq.B = B;
  bench->seq.T = T;
  bench->inputs = R * bench->graph.width[0];
  bench->outputs = R * bench->graph.width[bench->out];
  for (size_t i = 0; i < bench->graph.params; i++) bench->params[i] = 0.5f * noise(&rng);
  for (size_t i = 0; i < bench->inputs; i++) bench->input[i] = noise(&rng);
  for (size_t i = 0; i < bench->outputs; i++) bench->weight[i] = noise(&rng);
  loss(bench, bench->params);
  memcpy(bench->space.grad[bench->out], bench->weight, bench->outputs * sizeof(float));
  graph_backward(&bench->graph, bench->params, NULL, gradient, &bench->space, &bench->seq, NULL, NULL);
  for (size_t i = 0; i < bench->graph.params; i++) {
    float copy[MOST];
    const float step = 2e-3f;
    memcpy(copy, bench->params, sizeof copy);
    copy[i] += step;
    double up = loss(bench, copy);
    copy[i] -= 2 * step;
    double numeric = (up - loss(bench, copy)) / (2.0 * (double)step);
    CHECK_NEAR(gradient[i], numeric, 2e-2 * (1 + fabs(numeric)));
  }
  activations_destroy(&bench->space);
}

static void dense_gradients(void **state) {
  (void)state;
  for (int act = ACT_NONE; act <= ACT_SOFTPLUS; act++) {
    Bench *bench = calloc(1, sizeof *bench);
    graph_begin(&bench->graph, 5);
    bool kink = act == ACT_RELU || act == ACT_ABS;
    int at = graph_dense(&bench->graph, "a", 0, 6, kink ? ACT_NONE : (Activation)act);
    bench->out = graph_dense(&bench->graph, "b", at, 3, ACT_NONE);
    check_gradient(bench, 4, 1, 3);
    free(bench);
  }
}

/* Far out they neither overflow nor lose what they are; at a kink the derivative is the one that is written. */
static void activations_follow_their_definitions(void **state) {
  (void)state;
  const float x[5] = {-200, -1, 0, 2, 200};
  const struct {
    Activation act;
    double y[5], slope[5];
  } told[] = {
      {ACT_ABS, {200, 1, 0, 2, 200}, {-1, -1, 0, 1, 1}},
      {ACT_ELU, {-1, -0.6321205588, 0, 2, 200}, {0, 0.3678794412, 1, 1, 1}},
      {ACT_SIGMOID, {0, 0.2689414214, 0.5, 0.8807970780, 1}, {0, 0.1966119332, 0.25, 0.1049935854, 0}},
      {ACT_SOFTPLUS, {0, 0.3132616875, 0.6931471806, 2.1269280110, 200}, {0, 0.2689414214, 0.5, 0.8807970780, 1}},
  };
  for (size_t k = 0; k < COUNT_OF(told); k++) {
    float y[5], pre[5] = {0}, d[5] = {1, 1, 1, 1, 1};
    memcpy(y, x, sizeof y);
    act_forward(told[k].act, y, pre, 5);
    act_backward(told[k].act, d, y, pre, 5);
    for (int i = 0; i < 5; i++) {
      CHECK_NEAR(y[i], told[k].y[i], 1e-6);
      CHECK_NEAR(d[i], told[k].slope[i], 1e-6);
    }
  }
}

/* ELU below 0 to a few parts in ten million, also next to 0, where e^x - 1 taken literally has few digits left. */
static void elu_is_exact_near_zero(void **state) {
  (void)state;
  enum { N = 4096 };
  static float x[N], y[N];
  for (int i = 0; i < N; i++) x[i] = -(float)pow(10, -9 + 11.0 * i / N); /* -1e-9 to -100 */
  memcpy(y, x, sizeof y);
  act_forward(ACT_ELU, y, NULL, N);
  for (int i = 0; i < N; i++) {
    double exact = expm1((double)x[i]);
    if (fabs((double)y[i] - exact) > 4e-7 * fabs(exact)) fail_msg("elu(%g) = %.9g, not %.9g", (double)x[i], (double)y[i], exact);
  }
}

/* ReLU's kink spoils differences near 0: checked against its definition. */
static void relu_follows_its_definition(void **state) {
  (void)state;
  float x[4] = {-1, 2, -3, 4}, d[4] = {5, 6, 7, 8};
  act_forward(ACT_RELU, x, NULL, 4);
  act_backward(ACT_RELU, d, x, NULL, 4);
  const float y[4] = {0, 2, 0, 4}, dx[4] = {0, 6, 0, 8};
  assert_memory_equal(x, y, sizeof x);
  assert_memory_equal(d, dx, sizeof d);
}

static void norm_gradients(void **state) {
  (void)state;
  Bench *bench = calloc(1, sizeof *bench);
  graph_begin(&bench->graph, 4);
  int at = graph_dense(&bench->graph, "a", 0, 6, ACT_TANH);
  at = graph_norm(&bench->graph, "n", at);
  bench->out = graph_dense(&bench->graph, "b", at, 3, ACT_NONE);
  check_gradient(bench, 5, 1, 4);
  free(bench);
}

static void conv_gradients(void **state) {
  (void)state;
  Bench *bench = calloc(1, sizeof *bench);
  ConvShape first = {.in_channels = 2,
                     .in_height = 4,
                     .in_width = 3,
                     .out_channels = 3,
                     .out_height = 4,
                     .out_width = 3,
                     .kernel = 3,
                     .stride = 1,
                     .pad = 1,
                     .step_channel = 12,
                     .step_y = 3,
                     .step_x = 1};
  ConvShape second = {.in_channels = 3,
                      .in_height = 4,
                      .in_width = 3,
                      .out_channels = 2,
                      .out_height = 2,
                      .out_width = 1,
                      .kernel = 2,
                      .stride = 2,
                      .pad = 0,
                      .step_channel = 1,
                      .step_y = 9,
                      .step_x = 3};
  graph_begin(&bench->graph, 24);
  int at = graph_conv(&bench->graph, "a", 0, first, ACT_TANH);
  bench->out = graph_conv(&bench->graph, "b", at, second, ACT_GELU);
  check_gradient(bench, 3, 1, 5);
  free(bench);
}

/* Two branches of one tensor: their gradients add up. */
static void shared_tensor_gradients(void **state) {
  (void)state;
  Bench *bench = calloc(1, sizeof *bench);
  graph_begin(&bench->graph, 3);
  int trunk = graph_dense(&bench->graph, "a", 0, 5, ACT_TANH);
  int left = graph_dense(&bench->graph, "b", trunk, 4, ACT_TANH);
  graph_dense(&bench->graph, "c", trunk, 4, ACT_TANH);
  bench->out = graph_norm(&bench->graph, "n", left);
  graph_finish(&bench->graph);
  assert_true(bench->graph.op[1].beta[0] == 1.0f && bench->graph.op[2].beta[0] == 0.0f);
  free(bench);
}

/* Loss of an output, as in `loss`, and of a hidden tensor that is an output, too. */
static double loss_of_both(Bench *bench, int hidden, const float *weight, size_t count) {
  double sum = loss(bench, bench->params);
  for (size_t i = 0; i < count; i++)
    sum += (double)weight[i] * (double)bench->space.value[hidden][i];
  return sum;
}

/* A tensor that the caller gives a gradient and another op reads: the op adds to what was given. */
static void what_the_caller_gives_is_added_to(void **state) {
  (void)state;
  enum { R = 4, HIDDEN = 6, OUT = 3 };
  const float step = 2e-3f;
  Bench *bench = calloc(1, sizeof *bench);
  AgonRng rng = rng_stream(7, 1, 0, RNG_TEST);
  float gradient[MOST] = {0};
  float weight[R * HIDDEN];
  graph_begin(&bench->graph, 5);
  const int hidden = graph_dense(&bench->graph, "a", 0, HIDDEN, ACT_TANH);
  bench->out = graph_dense(&bench->graph, "b", hidden, OUT, ACT_NONE);
  graph_output(&bench->graph, hidden);
  graph_output(&bench->graph, bench->out);
  graph_finish(&bench->graph);
  CHECK_OK(activations_create(&bench->graph, R, true, &bench->space));
  bench->seq = (Sequences){.B = R, .T = 1};
  bench->inputs = R * 5;
  bench->outputs = R * OUT;
  for (size_t i = 0; i < bench->graph.params; i++)
    bench->params[i] = 0.5f * noise(&rng);
  for (size_t i = 0; i < bench->inputs; i++)
    bench->input[i] = noise(&rng);
  for (size_t i = 0; i < bench->outputs; i++)
    bench->weight[i] = noise(&rng);
  for (size_t i = 0; i < R * HIDDEN; i++)
    weight[i] = noise(&rng);
  loss(bench, bench->params);
  memcpy(bench->space.grad[hidden], weight, sizeof weight);
  memcpy(bench->space.grad[bench->out], bench->weight, bench->outputs * sizeof(float));
  graph_backward(&bench->graph, bench->params, NULL, gradient, &bench->space, &bench->seq, NULL,
                 NULL);
  for (size_t i = 0; i < bench->graph.params; i++) {
    const float here = bench->params[i];
    bench->params[i] = here + step;
    const double up = loss_of_both(bench, hidden, weight, R * HIDDEN);
    bench->params[i] = here - step;
    const double down = loss_of_both(bench, hidden, weight, R * HIDDEN);
    const double numeric = (up - down) / (2.0 * (double)step);
    bench->params[i] = here;
    CHECK_NEAR(gradient[i], numeric, 2e-2 * (1 + fabs(numeric)));
  }
  activations_destroy(&bench->space);
  free(bench);
}

static void recurrent_gradients(void **state) {
  (void)state;
  for (int way = 0; way < 4; way++) {
    int kind = way & 1;
    Bench *bench = calloc(1, sizeof *bench);
    graph_begin(&bench->graph, 3);
    int at = graph_dense(&bench->graph, "a", 0, 4, ACT_TANH);
    at = kind ? graph_lstm(&bench->graph, "m", at, 4) : graph_gru(&bench->graph, "m", at, 4);
    bench->out = graph_dense(&bench->graph, "b", at, 2, ACT_NONE);
    static float states[3 * 8] = {0,   0,   0,    0,   0,    0,   0,   0, .1f, -.2f, .3f, .4f,
                                  .2f, .1f, -.5f, .6f, -.3f, .2f, .1f, 0, .4f, .3f,  .2f, .1f};
    static const int32_t restart[10] = {0, 1, -1, -1, 2, -1, -1, 0, -1, -1}; /* B = 2, T = 5 */
    static const uint8_t hold[10] = {0, 1, 1, 0, 1, 0, 1, 0, 0, 1}; /* first, in the middle, last, at a restart */
    bench->seq = (Sequences){.restart = restart, .states = states, .S = bench->graph.state_size};
    if (way & 2) bench->seq.hold = hold;
    check_gradient(bench, 2, 5, 6);
    free(bench);
  }
}

/* A sequence played step by step with carried states gives the outputs of the whole. */
static void recurrent_steps_equal_sequences(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    Graph graph;
    graph_begin(&graph, 3);
    int out = kind ? graph_lstm(&graph, "m", 0, 4) : graph_gru(&graph, "m", 0, 4);
    graph_finish(&graph);
    float params[MOST], input[5 * 3], carried[8] = {0}, next[8], zero[8] = {0};
    AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
    for (size_t i = 0; i < graph.params; i++) params[i] = noise(&rng);
    for (int i = 0; i < 15; i++) input[i] = noise(&rng);
    Activations whole, one;
    CHECK_OK(activations_create(&graph, 5, false, &whole));
    CHECK_OK(activations_create(&graph, 1, false, &one));
    const int32_t restart[5] = {0, -1, -1, -1, -1};
    Sequences all = {.B = 1, .T = 5, .restart = restart, .states = zero, .S = graph.state_size};
    memcpy(whole.value[0], input, sizeof input);
    graph_forward(&graph, params, NULL, &whole, &all, NULL);
    for (int t = 0; t < 5; t++) {
      Sequences step = {.B = 1, .T = 1, .states = carried, .S = graph.state_size};
      memcpy(one.value[0], input + t * 3, 3 * sizeof(float));
      graph_forward(&graph, params, NULL, &one, &step, next);
      for (int i = 0; i < 4; i++) CHECK_NEAR(one.value[out][i], whole.value[out][t * 4 + i], 1e-6);
      memcpy(carried, next, sizeof carried);
    }
    activations_destroy(&whole);
    activations_destroy(&one);
  }
}

/* Rows that are held are as good as not there: outputs, last state and gradients are those of the sequence
 * without them, their own output is the state that passes through, and their input counts for nothing. */
static void held_rows_are_as_good_as_absent(void **state) {
  (void)state;
  enum { LONG = 6, SHORT = 3, IN = 3, H = 4 };
  static const uint8_t hold[LONG] = {1, 0, 1, 0, 0, 1};
  static const int kept[SHORT] = {1, 3, 4};
  static const int32_t restart[LONG] = {0, -1, -1, -1, -1, -1};
  for (int kind = 0; kind < 2; kind++) {
    Graph graph;
    graph_begin(&graph, IN);
    graph_want_gradient(&graph, 0);
    int out = kind ? graph_lstm(&graph, "m", 0, H) : graph_gru(&graph, "m", 0, H);
    graph_finish(&graph);
    float params[MOST], first[2 * H], last[2][2 * H], gradient[2][MOST] = {{0}};
    AgonRng rng = rng_stream(4, 0, 0, RNG_TEST);
    for (size_t i = 0; i < graph.params; i++) params[i] = noise(&rng);
    for (int i = 0; i < 2 * H; i++) first[i] = 0.5f * noise(&rng);
    Activations whole, without;
    CHECK_OK(activations_create(&graph, LONG, true, &whole));
    CHECK_OK(activations_create(&graph, SHORT, true, &without));
    for (int i = 0; i < LONG * IN; i++) whole.value[0][i] = noise(&rng);
    for (int r = 0; r < SHORT; r++)
      memcpy(without.value[0] + r * IN, whole.value[0] + kept[r] * IN, IN * sizeof(float));
    Sequences with_holds = {.B = 1, .T = LONG, .restart = restart, .states = first, .S = graph.state_size, .hold = hold};
    Sequences alone = {.B = 1, .T = SHORT, .restart = restart, .states = first, .S = graph.state_size};
    graph_forward(&graph, params, NULL, &whole, &with_holds, last[0]);
    graph_forward(&graph, params, NULL, &without, &alone, last[1]);
    for (int r = 0; r < SHORT; r++)
      assert_memory_equal(whole.value[out] + kept[r] * H, without.value[out] + r * H, H * sizeof(float));
    assert_memory_equal(last[0], last[1], graph.state_size * sizeof(float));
    assert_memory_equal(whole.value[out], first, H * sizeof(float));
    assert_memory_equal(whole.value[out] + 2 * H, whole.value[out] + H, H * sizeof(float));
    assert_memory_equal(whole.value[out] + 5 * H, whole.value[out] + 4 * H, H * sizeof(float));
    /* a held row's output has the gradient of its state: added to that of the row which made it */
    for (int i = 0; i < LONG * H; i++) whole.grad[out][i] = noise(&rng);
    for (int i = 0; i < H; i++) {
      const float *d = whole.grad[out];
      without.grad[out][i] = d[H + i] + d[2 * H + i];
      without.grad[out][H + i] = d[3 * H + i];
      without.grad[out][2 * H + i] = d[4 * H + i] + d[5 * H + i];
    }
    graph_backward(&graph, params, NULL, gradient[0], &whole, &with_holds, NULL, NULL);
    graph_backward(&graph, params, NULL, gradient[1], &without, &alone, NULL, NULL);
    double size = 0;
    for (size_t i = 0; i < graph.params; i++) {
      CHECK_NEAR(gradient[0][i], gradient[1][i], 1e-5);
      size += fabs((double)gradient[1][i]);
    }
    assert_true(size > 1);
    for (int r = 0; r < LONG; r++)
      for (int i = 0; hold[r] && i < IN; i++) assert_true(whole.grad[0][r * IN + i] == 0);
    for (int r = 0; r < SHORT; r++)
      for (int i = 0; i < IN; i++) CHECK_NEAR(whole.grad[0][kept[r] * IN + i], without.grad[0][r * IN + i], 1e-5);
    activations_destroy(&whole);
    activations_destroy(&without);
  }
}

/* --- each op of the table, and its gradients --- */
/* y = a * b + c: an op of three inputs, of this test only. */
static void blend_shape(Graph *graph, Op *op, const char *name) {
  (void)graph;
  (void)name;
  op->out_width = op->in_width;
}

static void blend_forward(const OpRun *run) {
  for (size_t i = 0; i < run->rows * run->op->out_width; i++)
    run->y[i] = run->x[0][i] * run->x[1][i] + run->x[2][i];
}

static void add_to(float *dx, float beta, float value) {
  *dx = beta == 0.0f ? value : beta * *dx + value;
}

static void blend_backward(const OpRun *run) {
  const Op *op = run->op;
  for (size_t i = 0; i < run->rows * op->out_width; i++) {
    float d = run->dy[i];
    if (run->dx[0]) add_to(run->dx[0] + i, op->beta[0], d * run->x[1][i]);
    if (run->dx[1]) add_to(run->dx[1] + i, op->beta[1], d * run->x[0][i]);
    if (run->dx[2]) add_to(run->dx[2] + i, op->beta[2], d);
  }
}

static const OpOps op_blend = {
    .name = "blend", .shape = blend_shape, .forward = blend_forward, .backward = blend_backward};

/* What a graph is made of: `ops` between the input and the output, as that op wants it. Teams are of two. */
static int add_any(Graph *graph, const OpOps *ops, int in) {
  const ConvShape conv = {.in_channels = 2,
                          .in_height = 3,
                          .in_width = 3,
                          .out_channels = 2,
                          .out_height = 2,
                          .out_width = 2,
                          .kernel = 2,
                          .stride = 1,
                          .step_channel = 9,
                          .step_y = 3,
                          .step_x = 1};
  Op with = {.in = {in}, .inputs = 1, .act = ACT_NONE};
  if (ops == &op_dense || ops == &op_gru || ops == &op_lstm || ops == &op_product) with.out_width = 4;
  if (ops == &op_conv) {
    with.conv = conv;
    with.act = ACT_GELU;
  }
  if (ops == &op_broadcast) with = (Op){.out_width = 4};
  if (ops == &op_rescale) with.column = 7;
  if (ops == &op_input) with = (Op){.out_width = 4};
  if (ops == &op_slice) with.column = 3, with.out_width = 7;
  if (ops == &op_act) with.act = ACT_ELU;
  if (ops == &op_affine) with.scale = -1.5f, with.shift = .5f;
  if (ops == &op_unfold || ops == &op_spread) with.in[0] = graph_fold(graph, in);
  if (ops == &op_blend || ops == &op_join || ops == &op_add) {
    with.inputs = 3;
    with.in[1] = graph_dense(graph, "other", in, ops == &op_join ? 5 : 18, ACT_TANH);
    with.in[2] = in;
  }
  if (ops == &op_mul) {
    with.inputs = 2;
    with.in[1] = graph_dense(graph, "other", in, 18, ACT_TANH);
  }
  if (ops == &op_matvec) {
    with.inputs = 2;
    with.in[1] = graph_dense(graph, "other", in, 18 * 2, ACT_TANH);
    with.out_width = 2;
  }
  if (ops == &op_mix || ops == &op_attend) {
    with.in[0] = graph_input(graph, graph->cells, LEVEL_AGENT);
    with.inputs = ops == &op_mix ? 2 : 4;
    with.in[1] = with.in[2] = with.in[3] = in;
  }
  return graph_add(graph, ops, "op", &with);
}

/* Loss of the last tensor at a block and an input. */
typedef struct Slope {
  Graph graph;
  Activations space;
  Sequences seq;
  float block[MOST], input[MOST], weight[MOST];
  int out;
} Slope;

/* Floats of a tensor in a run. */
static size_t floats_of(const Slope *s, int tensor) {
  size_t rows = s->seq.B * s->seq.T;
  return (s->graph.level[tensor] == LEVEL_TEAM ? rows / s->graph.cells : rows) * s->graph.width[tensor];
}

static double slope_loss(Slope *s) {
  double sum = 0;
  memcpy(s->space.value[0], s->input, floats_of(s, 0) * sizeof(float));
  graph_forward(&s->graph, s->block, NULL, &s->space, &s->seq, NULL);
  for (size_t i = 0; i < floats_of(s, s->out); i++)
    sum += (double)s->weight[i] * (double)s->space.value[s->out][i];
  return sum;
}

/* `count` gradients against finite differences of what `at` holds. */
static void check_slopes(Slope *s, const char *name, const char *what, float *at, const float *gradient, size_t count) {
  const float step = 2e-3f;
  for (size_t i = 0; i < count; i++) {
    float here = at[i];
    at[i] = here + step;
    double up = slope_loss(s);
    at[i] = here - step;
    double numeric = (up - slope_loss(s)) / (2.0 * (double)step);
    at[i] = here;
    if (!(fabs((double)gradient[i] - numeric) <= 2e-2 * (1 + fabs(numeric))))
      fail_msg("%s, %s %zu: gradient %.5f, by differences %.5f", name, what, i, (double)gradient[i], numeric);
  }
}

static void try_op(const OpOps *ops, bool behind) {
  static float states[3 * 8] = {0, 0, 0, 0, 0, 0, 0, 0, .1f, -.2f, .3f, .4f, .2f, .1f, -.5f, .6f};
  static const int32_t restart[6] = {0, 1, -1, -1, 2, -1}; /* B = 2, T = 3 */
  Slope *s = calloc(1, sizeof *s);
  AgonRng rng = rng_stream(9, behind, 0, RNG_TEST);
  float gradient[MOST] = {0};
  graph_begin_team(&s->graph, 2, 18, LEVEL_AGENT);
  graph_want_gradient(&s->graph, 0);
  int at = behind ? graph_dense(&s->graph, "first", 0, 18, ACT_TANH) : 0;
  s->out = add_any(&s->graph, ops, at);
  if (behind) s->out = graph_dense(&s->graph, "last", s->out, 2, ACT_NONE);
  graph_finish(&s->graph);
  size_t block = s->graph.params + s->graph.constants;
  assert_true(s->out > 0 && block < MOST);
  CHECK_OK(activations_create(&s->graph, 6, true, &s->space));
  s->seq = (Sequences){.B = 2, .T = 3, .restart = restart, .states = states, .S = s->graph.state_size};
  for (size_t i = 0; i < block; i++) s->block[i] = 0.5f * noise(&rng);
  for (size_t i = 0; i < 6 * 18; i++) s->input[i] = noise(&rng);
  if (ops == &op_normalise) s->input[5] = 100; /* is clipped */
  for (size_t i = 0; i < floats_of(s, s->out); i++) s->weight[i] = noise(&rng);
  slope_loss(s);
  /* gradients that the caller sets: of the output, and nothing in the other columns that rescale leaves; all else
   * must be written, whatever stood there */
  for (int t = 0; t < s->graph.tensors; t++)
    for (size_t i = 0; i < floats_of(s, t); i++) s->space.grad[t][i] = ops == &op_rescale || ops == &op_broadcast ? 0 : NAN;
  memcpy(s->space.grad[s->out], s->weight, floats_of(s, s->out) * sizeof(float));
  graph_backward(&s->graph, s->block, NULL, gradient, &s->space, &s->seq, NULL, NULL);
  float input_gradient[6 * 18];
  memcpy(input_gradient, s->space.grad[0], sizeof input_gradient);
  check_slopes(s, ops->name, "parameter", s->block, gradient, s->graph.params);
  check_slopes(s, ops->name, "input", s->input, input_gradient, ops == &op_broadcast && !behind ? 0 : 6 * 18);
  activations_destroy(&s->space);
  free(s);
}

/* Alone, where the input's gradient is asked for, and between two layers. */
static void every_op_has_the_gradients_of_its_outputs(void **state) {
  (void)state;
  for (size_t i = 0; op_at(i); i++)
    for (int behind = 0; behind < 2; behind++)
      if (op_at(i) != &op_input && op_at(i) != &op_stop && /* those two: below */
          op_at(i) != &op_mix && op_at(i) != &op_attend)   /* and these: test_messages.c */
        try_op(op_at(i), behind);
  try_op(&op_blend, false);
  try_op(&op_blend, true);
}

static void every_op_is_a_whole_table(void **state) {
  (void)state;
  for (size_t i = 0; op_at(i); i++) {
    const OpOps *ops = op_at(i);
    Graph graph;
    OpMatrix matrix[OP_MATRICES];
    assert_true(ops->name && ops->shape && ops->forward && ops->backward);
    for (size_t k = 0; k < i; k++) assert_string_not_equal(ops->name, op_at(k)->name);
    graph_begin_team(&graph, 2, 18, LEVEL_AGENT);
    int out = add_any(&graph, ops, 0);
    graph_finish(&graph);
    assert_true(out > 0 && out + 1 == graph.tensors && graph.width[out] > 0);
    const Op *op = &graph.op[graph.ops - 1];
    size_t packed = 0;
    for (size_t m = 0; ops->pack && m < ops->pack(op, matrix); m++) packed += matrix[m].K * matrix[m].N;
    assert_true(packed <= graph.params && graph.packed[0] >= packed);
    if (ops->flops) assert_true(ops->flops(op) >= 2 * (double)packed);
    assert_int_equal(graph_add(&graph, ops, "op", &(Op){.in = {-1}, .inputs = 1, .out_width = 4}), -1);
    while (graph_norm(&graph, "fill", 0) >= 0) continue;
    Op with = *op;
    with.heads = NULL;
    assert_int_equal(graph_add(&graph, ops, "op", &with), -1); /* no room */
  }
}

/* Nobody pays for a gradient that nobody wants: below the first trained layer there is none, unless the
 * input's is asked for. */
static void gradients_are_kept_where_they_are_wanted(void **state) {
  (void)state;
  for (int asked = 0; asked < 2; asked++) {
    Graph graph;
    Activations space;
    graph_begin(&graph, 6);
    if (asked) graph_want_gradient(&graph, 0);
    int at = graph_normalise(&graph, 0);
    at = graph_dense(&graph, "a", at, 5, ACT_TANH);
    graph_dense(&graph, "b", at, 3, ACT_NONE);
    graph_finish(&graph);
    assert_true(graph.op[0].wanted[0] == asked && graph.op[1].wanted[0] == asked && graph.op[2].wanted[0]);
    assert_true(graph_flops_train(&graph) == (asked ? 3 : 2) * 2.0 * 30 + 3 * 2.0 * 15);
    CHECK_OK(activations_create(&graph, 4, true, &space));
    assert_true((space.grad[0] != NULL) == asked);
    activations_destroy(&space);
  }
}

/* Inputs of both levels, each with its gradient if asked for: a loss that takes all ways between the levels. */
static void inputs_of_both_levels_have_their_gradients(void **state) {
  (void)state;
  enum { N = 3, TEAMS = 4, OWN = 2, STATE = 5 };
  Slope *s = calloc(1, sizeof *s);
  AgonRng rng = rng_stream(12, 0, 0, RNG_TEST);
  float gradient[MOST] = {0}, team[TEAMS * STATE], own_gradient[N * TEAMS * OWN];
  Graph *graph = &s->graph;
  graph_begin_team(graph, N, OWN, LEVEL_AGENT);
  int team_input = graph_input(graph, STATE, LEVEL_TEAM);
  int silent = graph_input(graph, 1, LEVEL_AGENT);
  graph_want_gradient(graph, 0);
  graph_want_gradient(graph, team_input);
  int spread = graph_spread(graph, graph_dense(graph, "state", team_input, 3, ACT_TANH));
  int joined = graph_join(graph, (int[]){0, spread, silent}, 3);
  int own = graph_dense(graph, "own", joined, 2, ACT_TANH);
  int folded = graph_fold(graph, own);
  int mixed = graph_mul(graph, folded, graph_dense(graph, "weights", team_input, N * 2, ACT_SIGMOID));
  int back = graph_unfold(graph, mixed);
  s->out = graph_sum(graph, graph_add_up(graph, (int[]){back, own}, 2));
  graph_finish(graph);
  assert_true(s->out > 0 && graph->level[s->out] == LEVEL_AGENT && graph->level[mixed] == LEVEL_TEAM);
  CHECK_OK(activations_create(graph, N * TEAMS, true, &s->space));
  assert_true(s->space.grad[silent] == NULL && s->space.grad[team_input] != NULL);
  assert_ptr_equal(s->space.value[folded], s->space.value[own]); /* folding moves nothing */
  assert_ptr_equal(s->space.value[back], s->space.value[mixed]);
  s->seq = (Sequences){.B = N * 2, .T = 2};
  for (size_t i = 0; i < graph->params; i++) s->block[i] = 0.5f * noise(&rng);
  for (int i = 0; i < N * TEAMS * OWN; i++) s->input[i] = noise(&rng);
  for (int i = 0; i < TEAMS * STATE; i++) s->space.value[team_input][i] = noise(&rng);
  for (int i = 0; i < N * TEAMS; i++) s->space.value[silent][i] = noise(&rng), s->weight[i] = noise(&rng);
  slope_loss(s);
  for (int r = 0; r < N * TEAMS; r++) /* a team's row for each of its agents */
    for (int i = 0; i < 3; i++)
      assert_true(s->space.value[spread][r * 3 + i] == s->space.value[graph->op[spread - 1].in[0]][r / N * 3 + i]);
  for (int t = 0; t < graph->tensors; t++)
    for (size_t i = 0; s->space.grad[t] && i < floats_of(s, t); i++) s->space.grad[t][i] = NAN;
  memcpy(s->space.grad[s->out], s->weight, sizeof(float) * N * TEAMS);
  graph_backward(graph, s->block, NULL, gradient, &s->space, &s->seq, NULL, NULL);
  memcpy(own_gradient, s->space.grad[0], sizeof own_gradient);
  memcpy(team, s->space.grad[team_input], sizeof team);
  check_slopes(s, "levels", "parameter", s->block, gradient, graph->params);
  check_slopes(s, "levels", "own input", s->input, own_gradient, N * TEAMS * OWN);
  check_slopes(s, "levels", "team input", s->space.value[team_input], team, TEAMS * STATE);
  activations_destroy(&s->space);
  free(s);
}

/* y = x stop(x): half of the derivative of its square; where only a stop reads, there is none. */
static void stops_end_gradients(void **state) {
  (void)state;
  for (int first = 0; first < 2; first++) { /* whichever reads first */
    Graph graph;
    Activations space;
    Sequences seq = {.B = 2, .T = 1};
    graph_begin(&graph, 2);
    int lost = graph_input(&graph, 2, LEVEL_AGENT);
    graph_want_gradient(&graph, 0);
    graph_want_gradient(&graph, lost);
    int doubled = first ? graph_affine(&graph, 0, 2, 0) : -1;
    int stopped = graph_stop(&graph, 0);
    if (!first) doubled = graph_affine(&graph, 0, 2, 0);
    int out = graph_mul(&graph, doubled, graph_mul(&graph, stopped, graph_stop(&graph, lost)));
    graph_finish(&graph);
    const Op *last = &graph.op[out - 1];
    assert_true(last->wanted[0] && !last->wanted[1]); /* nobody pays for what is lost */
    CHECK_OK(activations_create(&graph, 2, true, &space));
    for (int i = 0; i < 4; i++) {
      space.value[0][i] = (float)i - 1.5f;
      space.value[lost][i] = 3;
      space.grad[0][i] = space.grad[lost][i] = NAN;
      space.grad[out][i] = 1;
    }
    graph_forward(&graph, NULL, NULL, &space, &seq, NULL);
    graph_backward(&graph, NULL, NULL, NULL, &space, &seq, NULL, NULL);
    for (int i = 0; i < 4; i++) {
      float x = (float)i - 1.5f;
      CHECK_NEAR(space.value[out][i], 6 * x * x, 1e-6);
      CHECK_NEAR(space.grad[0][i], 6 * x, 1e-6);
      assert_true(space.grad[lost][i] == 0);
    }
    activations_destroy(&space);
  }
}

static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  Graph graph;
  graph_begin_team(&graph, 3, 4, LEVEL_AGENT);
  int team = graph_input(&graph, 4, LEVEL_TEAM);
  int wide = graph_input(&graph, 5, LEVEL_AGENT);
  size_t ops = graph.ops;
  assert_int_equal(graph_add_up(&graph, (int[]){0, wide}, 2), -1); /* widths */
  assert_int_equal(graph_mul(&graph, wide, 0), -1);
  assert_int_equal(graph_mul(&graph, 0, team), -1); /* levels */
  assert_int_equal(graph_join(&graph, (int[]){0, wide, team}, 3), -1);
  assert_int_equal(graph_join(&graph, (int[]){0, 0, 0, 0, 0}, 5), -1);
  assert_int_equal(graph_add_up(&graph, (int[]){0}, 1), -1);
  assert_int_equal(graph_slice(&graph, 0, 2, 3), -1);
  assert_int_equal(graph_slice(&graph, 0, 2, 0), -1);
  assert_int_equal(graph_fold(&graph, team), -1);
  assert_int_equal(graph_unfold(&graph, 0), -1);
  assert_int_equal(graph_unfold(&graph, team), -1); /* 4 columns are not 3 agents' */
  assert_int_equal(graph_spread(&graph, 0), -1);
  assert_int_equal(graph_matvec(&graph, 0, wide, 2), -1);
  assert_int_equal(graph_gru(&graph, "m", team, 4), -1); /* memory is an agent's */
  assert_int_equal(graph_lstm(&graph, "m", team, 4), -1);
  assert_int_equal(graph_slice(&graph, -1, 0, 1), -1);
  assert_true(graph.ops == ops && graph.tensors == 3 && graph.views == 0 && graph.state_size == 0);
  assert_true(graph_slice(&graph, 0, 2, 2) > 0 && graph_matvec(&graph, 0, graph_join(&graph, (int[]){0, 0}, 2), 2) > 0);
}

/* Of a team's rows each agent bears its share. */
static void flops_of_teams_are_shared(void **state) {
  (void)state;
  Graph graph;
  graph_begin_team(&graph, 4, 10, LEVEL_TEAM);
  int at = graph_dense(&graph, "a", 0, 6, ACT_TANH);
  graph_dense(&graph, "b", graph_spread(&graph, at), 5, ACT_NONE);
  graph_finish(&graph);
  assert_true(graph_flops_forward(&graph) == 2.0 * 60 / 4 + 2.0 * 30);
  assert_true(graph_flops_train(&graph) == 2 * 2.0 * 60 / 4 + 3 * 2.0 * 30);
  graph_begin(&graph, 3); /* of two inputs only the matrix is wanted */
  graph_matvec(&graph, 0, graph_dense(&graph, "w", 0, 6, ACT_NONE), 2);
  graph_finish(&graph);
  assert_true(graph_flops_forward(&graph) == 2.0 * 18 + 2.0 * 6);
  assert_true(graph_flops_train(&graph) == 2 * 2.0 * 18 + 2 * 2.0 * 6);
}

/* The whole network is one list: what normalises observations is its first op, what gives the value its
 * unit its last, and their constants lie behind the parameters, in the block's order. */
static void a_network_is_one_list(void **state) {
  (void)state;
  for (int separate = 0; separate < 2; separate++) {
    AgonKind layout = {.observation_type = AGON_F32,
                       .observation_shape = {3, 1, 1},
                       .action_kind = AGON_BOX,
                       .heads = 2};
    NetConfig config = {
        .hidden = {{4}, 1}, .activation = 1, .separate = separate, .normalise_observations = true};
    Net *net;
    CHECK_OK(net_create(&config, &layout, NULL, &net));
    const Graph *graph = &net->graph;
    assert_ptr_equal(graph->op[0].ops, &op_normalise);
    assert_ptr_equal(graph->op[graph->ops - 1].ops, &op_rescale);
    assert_int_equal(net->mean_at, graph->params);
    assert_int_equal(net->scale_at, graph->params + 3);
    assert_int_equal(net->return_at, graph->params + 6);
    assert_int_equal(net->block, graph->params + 8);
    /* what the list computes is what the formulas say */
    float block[256], gradient[256] = {0}, logits[2 * 4], value[2];
    const float rows[2 * 3] = {1, 2, 300, -1, .5f, 2};
    net_init(net, 1, 0, block);
    for (int i = 0; i < 3; i++) block[net->mean_at + (size_t)i] = (float)i, block[net->scale_at + (size_t)i] = .5f;
    Activations space;
    Sequences seq = {.B = 2, .T = 1};
    CHECK_OK(activations_create(graph, 2, true, &space));
    net_load(net, rows, NULL, 2, &space);
    net_forward(net, block, NULL, &space, &seq, logits, value, NULL);
    float raw = value[0];
    CHECK_NEAR(space.value[1][0], .5, 1e-7);
    CHECK_NEAR(space.value[1][2], 10, 1e-7); /* 149, clipped */
    block[net->return_at] = 7;
    block[net->return_at + 1] = 3;
    net_forward(net, block, NULL, &space, &seq, logits, value, NULL);
    CHECK_NEAR(value[0], 7 + 3 * (double)raw, 1e-5);
    /* and the gradient of the value's bias is that unit */
    const float d_logits[2 * 4] = {0}, d_value[2] = {1, 0};
    net_backward(net, block, NULL, gradient, &space, &seq, d_logits, d_value, NULL, NULL);
    for (size_t v = 0; v < graph->views; v++)
      if (!strcmp(graph->view[v].name, "value.bias")) CHECK_NEAR(gradient[graph->view[v].offset], 3, 1e-6);
    activations_destroy(&space);
    net_destroy(net);
  }
}

static ActionSpace activations_of(AgonActionKind kind) {
  static const uint32_t head_size[] = {4, 3};
  AgonKind layout = {.action_kind = kind, .heads = kind == AGON_DISCRETE ? 1 : 2, .head_size = head_size};
  return action_space(&layout);
}

static void distribution_gradients(void **state) {
  (void)state;
  AgonRng rng = rng_stream(9, 0, 0, RNG_TEST);
  for (int kind = AGON_DISCRETE; kind <= AGON_BOX; kind++) {
    ActionSpace space = activations_of((AgonActionKind)kind);
    const uint8_t mask[7] = {1, kind == AGON_BOX, 1, 1, 1, 1, 1};
    float logits[8], other[8], row[8], other_row[8], d[8];
    for (uint32_t i = 0; i < space.width; i++) logits[i] = noise(&rng), other[i] = noise(&rng);
    dist_normalise(&space, other, mask, other_row);
    dist_normalise(&space, logits, mask, row);
    AgonAction action[2];
    float probability[8];
    dist_probabilities(&space, row, 1, probability);
    dist_sample(&space, row, probability, &rng, false, action);
    CHECK_NEAR(dist_backward(&space, row, probability, other_row, action, 0.7f, -0.3f, 0.4f, d),
               dist_entropy(&space, row), 1e-5);
    for (uint32_t i = 0; i < space.width; i++) {
      double side[2];
      for (int s = 0; s < 2; s++) {
        float moved[8], line[8];
        memcpy(moved, logits, sizeof moved);
        moved[i] += s ? -1e-3f : 1e-3f;
        dist_normalise(&space, moved, mask, line);
        side[s] = 0.7 * (double)dist_log_prob(&space, line, action) - 0.3 * (double)dist_entropy(&space, line) +
                  0.4 * (double)dist_kl(&space, line, other_row);
      }
      CHECK_NEAR(d[i], (side[0] - side[1]) / 2e-3, 5e-3);
    }
  }
}

/* The pull towards a teacher is the gradient of KL(teacher || row), by differences; and where both agree there is none. */
static void a_teacher_pulls_by_the_gradient_of_its_kl(void **state) {
  (void)state;
  static const AgonActionKind kinds[] = {AGON_DISCRETE, AGON_MULTI_DISCRETE, AGON_BOX};
  AgonRng rng = rng_stream(6, 0, 0, RNG_TEST);
  for (int i = 0; i < 60; i++) {
    const ActionSpace space = activations_of(kinds[i % 3]);
    const uint8_t mask[8] = {1, (uint8_t)(i % 2), 1, 1, 1, 1, 1, 1};
    float logits[8], taught[8], row[8], teacher[8], own[8], probability[8], d[8] = {0};
    for (uint32_t k = 0; k < space.width; k++) logits[k] = noise(&rng), taught[k] = noise(&rng);
    dist_normalise(&space, logits, mask, row);
    dist_normalise(&space, taught, mask, teacher);
    const bool box = space.kind == AGON_BOX;
    for (uint32_t k = 0; k < space.width; k++) { /* probabilities; of a box means and deviations */
      const bool log = !box || k >= space.heads;
      if (log) teacher[k] = expf(teacher[k]);
      own[k] = log ? expf(row[k]) : row[k];
      if (box && !mask[k % space.heads] && log) teacher[k] = own[k] = 1;
    }
    if (!box && i % 6 < 3) teacher[0] = 0; /* what it never does */
    dist_probabilities(&space, row, 1, probability);
    const float kl = dist_teach(&space, row, probability, teacher, 1, d);
    double sum = 0;
    for (uint32_t k = 0; !box && k < space.width; k++)
      if (teacher[k] > 0 && row[k] > -1e29f) sum += (double)teacher[k] * (log((double)teacher[k]) - (double)row[k]);
    if (!box) CHECK_NEAR(kl, sum, 1e-4);
    for (uint32_t k = 0; k < space.width && (box || teacher[0] > 0); k++) {
      double side[2];
      for (int s = 0; s < 2; s++) {
        float moved[8], line[8], p[8], ignored[8] = {0};
        memcpy(moved, logits, sizeof moved);
        moved[k] += s ? -1e-3f : 1e-3f;
        dist_normalise(&space, moved, mask, line);
        dist_probabilities(&space, line, 1, p);
        side[s] = (double)dist_teach(&space, line, p, teacher, 0, ignored);
        for (uint32_t c = 0; c < space.width; c++) assert_true(ignored[c] == 0);
      }
      CHECK_NEAR(d[k], (side[0] - side[1]) / 2e-3, 1e-2 * (1 + fabs((double)d[k])));
    }
    float same[8] = {0};
    CHECK_NEAR(dist_teach(&space, row, probability, own, 3, same), 0, 1e-5);
    for (uint32_t k = 0; k < space.width; k++) CHECK_NEAR(same[k], 0, 1e-5);
  }
}

/* A component of a box that a kind lacks is no part of the action: the rest is as if there were no more. */
static void masked_components_are_no_part_of_an_action(void **state) {
  (void)state;
  AgonRng rng = rng_stream(5, 0, 0, RNG_TEST);
  const ActionSpace two = activations_of(AGON_BOX);
  const ActionSpace one = {.kind = AGON_BOX, .heads = 1, .head_size = {1}, .choices = 1, .width = 2};
  const uint8_t mask[2] = {1, 0}, all[2] = {1, 1};
  for (int i = 0; i < 200; i++) {
    float logits[4], other[4], row[4], other_row[4], d[4] = {7, 7, 7, 7}, alone[2], alone_other[2], d_alone[2];
    AgonAction action[2];
    for (int k = 0; k < 4; k++) logits[k] = noise(&rng), other[k] = noise(&rng);
    dist_normalise(&two, logits, all, row);
    assert_memory_equal(row, logits, sizeof row);
    dist_normalise(&two, logits, mask, row);
    dist_normalise(&two, other, mask, other_row);
    dist_sample(&two, row, NULL, &rng, i % 2, action);
    assert_true(action[1].value == 0);
    alone[0] = logits[0], alone[1] = logits[2], alone_other[0] = other[0], alone_other[1] = other[2];
    CHECK_NEAR(dist_log_prob(&two, row, action), dist_log_prob(&one, alone, action), 0);
    CHECK_NEAR(dist_entropy(&two, row), dist_entropy(&one, alone), 0);
    CHECK_NEAR(dist_kl(&two, row, other_row), dist_kl(&one, alone, alone_other), 0);
    dist_backward(&two, row, NULL, other_row, action, 0.7f, -0.3f, 0.4f, d);
    dist_backward(&one, alone, NULL, alone_other, action, 0.7f, -0.3f, 0.4f, d_alone);
    dist_add_kl(&two, row, NULL, other_row, 0.5f, d);
    dist_add_kl(&one, alone, NULL, alone_other, 0.5f, d_alone);
    assert_true(d[1] == 0 && d[3] == 0);
    CHECK_NEAR(d[0], d_alone[0], 0);
    CHECK_NEAR(d[2], d_alone[1], 0);
  }
}

static void sampling_respects_masks_and_probabilities(void **state) {
  (void)state;
  ActionSpace space = activations_of(AGON_DISCRETE);
  const uint8_t mask[4] = {1, 0, 1, 1};
  float row[4] = {0, 5, logf(2), 0};
  int count[4] = {0};
  AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
  dist_normalise(&space, row, mask, row);
  float probability[4];
  dist_probabilities(&space, row, 1, probability);
  for (int i = 0; i < 40000; i++) {
    AgonAction action;
    dist_sample(&space, row, probability, &rng, false, &action);
    count[action.choice]++;
  }
  assert_int_equal(count[1], 0);
  CHECK_NEAR(count[2] / 40000.0, 0.5, 0.01);
  AgonAction best;
  dist_sample(&space, row, NULL, &rng, true, &best);
  assert_int_equal(best.choice, 2);
}

static void initial_weights_are_orthogonal(void **state) {
  (void)state;
  Graph graph;
  graph_begin(&graph, 20);
  graph_dense(&graph, "a", 0, 8, ACT_NONE);
  graph_finish(&graph);
  float params[200];
  AgonRng rng = rng_stream(1, 0, 0, RNG_INIT);
  graph_init_orthogonal(&graph, params, "a.weight", 2.0f, &rng);
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 8; j++) {
      double dot = 0;
      for (int k = 0; k < 20; k++) dot += (double)params[i * 20 + k] * (double)params[j * 20 + k];
      CHECK_NEAR(dot, i == j ? 4 : 0, 1e-4);
    }
}

/* The first step of Adam moves each parameter by the rate against the sign of its gradient (Kingma & Ba 2015,
 * section 2.1). */
static void adam_first_steps(void **state) {
  (void)state;
  Adam adam = {0.9f, 0.999f, 1e-8f};
  float p[3] = {1, 2, 3}, m[3] = {0}, v[3] = {0}, g[3] = {0.5f, -4, 0};
  adam_step(&adam, p, m, v, g, 3, 1, 0.1f, 1.0f);
  CHECK_NEAR(p[0], 0.9, 1e-5);
  CHECK_NEAR(p[1], 2.1, 1e-5);
  CHECK_NEAR(p[2], 3.0, 1e-7);
  CHECK_NEAR(gradient_norm(g, 3), sqrt(16.25), 1e-6);
}

static void flops_are_counted(void **state) {
  (void)state;
  Graph graph;
  graph_begin(&graph, 86);
  int at = graph_dense(&graph, "a", 0, 256, ACT_TANH);
  at = graph_dense(&graph, "b", at, 256, ACT_TANH);
  graph_dense(&graph, "c", at, 8, ACT_NONE);
  graph_finish(&graph);
  assert_true(graph_flops_forward(&graph) == 179200);
  assert_true(graph_flops_train(&graph) == 2 * 2.0 * 86 * 256 + 3 * 2.0 * (256 * 256 + 256 * 8));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(elu_is_exact_near_zero),
      cmocka_unit_test(dense_gradients),
      cmocka_unit_test(activations_follow_their_definitions),
      cmocka_unit_test(relu_follows_its_definition),
      cmocka_unit_test(norm_gradients),
      cmocka_unit_test(conv_gradients),
      cmocka_unit_test(shared_tensor_gradients),
      cmocka_unit_test(what_the_caller_gives_is_added_to),
      cmocka_unit_test(recurrent_gradients),
      cmocka_unit_test(recurrent_steps_equal_sequences),
      cmocka_unit_test(held_rows_are_as_good_as_absent),
      cmocka_unit_test(every_op_has_the_gradients_of_its_outputs),
      cmocka_unit_test(every_op_is_a_whole_table),
      cmocka_unit_test(gradients_are_kept_where_they_are_wanted),
      cmocka_unit_test(inputs_of_both_levels_have_their_gradients),
      cmocka_unit_test(stops_end_gradients),
      cmocka_unit_test(what_does_not_fit_is_refused),
      cmocka_unit_test(flops_of_teams_are_shared),
      cmocka_unit_test(a_network_is_one_list),
      cmocka_unit_test(distribution_gradients),
      cmocka_unit_test(a_teacher_pulls_by_the_gradient_of_its_kl),
      cmocka_unit_test(masked_components_are_no_part_of_an_action),
      cmocka_unit_test(sampling_respects_masks_and_probabilities),
      cmocka_unit_test(initial_weights_are_orthogonal),
      cmocka_unit_test(adam_first_steps),
      cmocka_unit_test(flops_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

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
  for (int act = ACT_NONE; act <= ACT_GELU; act++) {
    Bench *bench = calloc(1, sizeof *bench);
    graph_begin(&bench->graph, 5);
    int at = graph_dense(&bench->graph, "a", 0, 6, act == ACT_RELU ? ACT_NONE : (Activation)act);
    bench->out = graph_dense(&bench->graph, "b", at, 3, act == ACT_RELU ? ACT_NONE : ACT_NONE);
    check_gradient(bench, 4, 1, 3);
    free(bench);
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
  assert_true(bench->graph.op[1].beta == 1.0f && bench->graph.op[2].beta == 0.0f);
  free(bench);
}

static void recurrent_gradients(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    Bench *bench = calloc(1, sizeof *bench);
    graph_begin(&bench->graph, 3);
    int at = graph_dense(&bench->graph, "a", 0, 4, ACT_TANH);
    at = kind ? graph_lstm(&bench->graph, "m", at, 4) : graph_gru(&bench->graph, "m", at, 4);
    bench->out = graph_dense(&bench->graph, "b", at, 2, ACT_NONE);
    static float states[3 * 8] = {0,   0,   0,    0,   0,    0,   0,   0, .1f, -.2f, .3f, .4f,
                                  .2f, .1f, -.5f, .6f, -.3f, .2f, .1f, 0, .4f, .3f,  .2f, .1f};
    static const int32_t restart[10] = {0, 1, -1, -1, 2, -1, -1, 0, -1, -1}; /* B = 2, T = 5 */
    bench->seq = (Sequences){.restart = restart, .states = states, .S = bench->graph.state_size};
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

static ActionSpace activations_of(AgonActionKind kind) {
  AgonEnvSpec spec = {.action_kind = kind, .heads = kind == AGON_DISCRETE ? 1 : 2, .head_size = {4, 3}};
  return action_space(&spec);
}

static void distribution_gradients(void **state) {
  (void)state;
  AgonRng rng = rng_stream(9, 0, 0, RNG_TEST);
  for (int kind = AGON_DISCRETE; kind <= AGON_BOX; kind++) {
    ActionSpace space = activations_of((AgonActionKind)kind);
    const uint8_t mask[7] = {1, 0, 1, 1, 1, 1, 1};
    float logits[8], other[8], row[8], other_row[8], d[8];
    for (uint32_t i = 0; i < space.width; i++) logits[i] = noise(&rng), other[i] = noise(&rng);
    dist_normalise(&space, other, mask, other_row);
    dist_normalise(&space, logits, mask, row);
    AgonAction action;
    float probability[8];
    dist_probabilities(&space, row, 1, probability);
    dist_sample(&space, row, probability, &rng, false, &action);
    CHECK_NEAR(dist_backward(&space, row, probability, other_row, &action, 0.7f, -0.3f, 0.4f, d),
               dist_entropy(&space, row), 1e-5);
    for (uint32_t i = 0; i < space.width; i++) {
      double side[2];
      for (int s = 0; s < 2; s++) {
        float moved[8], line[8];
        memcpy(moved, logits, sizeof moved);
        moved[i] += s ? -1e-3f : 1e-3f;
        dist_normalise(&space, moved, mask, line);
        side[s] = 0.7 * (double)dist_log_prob(&space, line, &action) - 0.3 * (double)dist_entropy(&space, line) +
                  0.4 * (double)dist_kl(&space, line, other_row);
      }
      CHECK_NEAR(d[i], (side[0] - side[1]) / 2e-3, 5e-3);
    }
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
    count[action.choice[0]]++;
  }
  assert_int_equal(count[1], 0);
  CHECK_NEAR(count[2] / 40000.0, 0.5, 0.01);
  AgonAction best;
  dist_sample(&space, row, NULL, &rng, true, &best);
  assert_int_equal(best.choice[0], 2);
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
      cmocka_unit_test(dense_gradients),
      cmocka_unit_test(relu_follows_its_definition),
      cmocka_unit_test(norm_gradients),
      cmocka_unit_test(conv_gradients),
      cmocka_unit_test(shared_tensor_gradients),
      cmocka_unit_test(recurrent_gradients),
      cmocka_unit_test(recurrent_steps_equal_sequences),
      cmocka_unit_test(distribution_gradients),
      cmocka_unit_test(sampling_respects_masks_and_probabilities),
      cmocka_unit_test(initial_weights_are_orthogonal),
      cmocka_unit_test(adam_first_steps),
      cmocka_unit_test(flops_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

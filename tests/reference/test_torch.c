/* Networks, heads and optimiser against PyTorch's numbers (torch_numbers.h, made by make_torch.py). */
#include "check.h"

#include "nn/adam.h"
#include "nn/dist.h"
#include "nn/graph.h"
#include "reference/torch_numbers.h"

#include <stdlib.h>
#include <string.h>

static void to_float(const double *from, size_t count, float *to) {
  for (size_t i = 0; i < count; i++) to[i] = (float)from[i];
}

typedef struct Numbers {
  const double *params, *input, *weight, *output, *gradient;
  size_t param_count, input_count, output_count;
} Numbers;

static void compare(Graph *graph, int out, const Sequences *seq, const Numbers *n) {
  Activations space;
  graph_finish(graph);
  assert_int_equal(graph->params, n->param_count);
  CHECK_OK(activations_create(graph, seq->B * seq->T, true, &space));
  float *params = calloc(n->param_count, sizeof *params), *gradient = calloc(n->param_count, sizeof *gradient);
  to_float(n->params, n->param_count, params);
  to_float(n->input, n->input_count, space.value[0]);
  graph_forward(graph, params, NULL, &space, seq, NULL);
  for (size_t i = 0; i < n->output_count; i++) CHECK_NEAR(space.value[out][i], n->output[i], 2e-5);
  to_float(n->weight, n->output_count, space.grad[out]);
  graph_backward(graph, params, NULL, gradient, &space, seq, NULL, NULL);
  for (size_t i = 0; i < n->param_count; i++) CHECK_NEAR(gradient[i], n->gradient[i], 1e-4);
  free(params);
  free(gradient);
  activations_destroy(&space);
}

static void recurrent(bool lstm, const Numbers *n) {
  Graph graph;
  static const float zero[8] = {0};
  static const int32_t restart[6] = {0, 0, -1, -1, -1, -1}; /* T = 3, B = 2 */
  graph_begin(&graph, 5);
  int at = graph_dense(&graph, "a", 0, 6, lstm ? ACT_GELU : ACT_TANH);
  at = graph_norm(&graph, "n", at);
  at = lstm ? graph_lstm(&graph, "m", at, 4) : graph_gru(&graph, "m", at, 4);
  at = graph_dense(&graph, "b", at, 3, ACT_NONE);
  Sequences seq = {.B = 2, .T = 3, .restart = restart, .states = zero, .S = graph.state_size};
  compare(&graph, at, &seq, n);
}

#define NUMBERS(name)                                                                                                  \
  (Numbers) {                                                                                                          \
    name##_params, name##_input, name##_weight, name##_output, name##_gradient, COUNT_OF(name##_params),               \
        COUNT_OF(name##_input), COUNT_OF(name##_output)                                                                \
  }

static void gru(void **state) {
  (void)state;
  recurrent(false, &NUMBERS(gru));
}

static void lstm(void **state) {
  (void)state;
  recurrent(true, &NUMBERS(lstm));
}

static void convolution(void **state) {
  (void)state;
  Graph graph;
  ConvShape first = {.in_channels = 2,
                     .in_height = 4,
                     .in_width = 5,
                     .out_channels = 3,
                     .out_height = 4,
                     .out_width = 5,
                     .kernel = 3,
                     .stride = 1,
                     .pad = 1,
                     .step_channel = 20,
                     .step_y = 5,
                     .step_x = 1};
  ConvShape second = {.in_channels = 3,
                      .in_height = 4,
                      .in_width = 5,
                      .out_channels = 2,
                      .out_height = 2,
                      .out_width = 2,
                      .kernel = 2,
                      .stride = 2,
                      .pad = 0,
                      .step_channel = 1,
                      .step_y = 15,
                      .step_x = 3};
  graph_begin(&graph, 40);
  int at = graph_conv(&graph, "a", 0, first, ACT_GELU);
  at = graph_conv(&graph, "b", at, second, ACT_RELU);
  Sequences seq = {.B = 2, .T = 1};
  compare(&graph, at, &seq, &NUMBERS(conv));
}

static void clipped_adam(void **state) {
  (void)state;
  static const double *const gradients[3] = {adam_gradient_0, adam_gradient_1, adam_gradient_2};
  float p[6], m[6] = {0}, v[6] = {0}, g[6];
  Adam adam = {0.9f, 0.999f, 1e-5f};
  to_float(adam_start, 6, p);
  for (uint64_t step = 0; step < 3; step++) {
    to_float(gradients[step], 6, g);
    double norm = gradient_norm(g, 6);
    adam_step(&adam, p, m, v, g, 6, step + 1, 0.01f, norm > 0.5 ? (float)(0.5 / norm) : 1.0f);
  }
  for (int i = 0; i < 6; i++) CHECK_NEAR(p[i], adam_end[i], 2e-6);
}

static void heads(void **state) {
  (void)state;
  ActionSpace categorical = {.kind = AGON_DISCRETE, .heads = 1, .head_size = {4}, .choices = 4, .width = 4};
  ActionSpace box = {.kind = AGON_BOX, .heads = 2, .head_size = {1, 1}, .choices = 2, .width = 4};
  const uint8_t mask[4] = {1, 0, 1, 1};
  float row[4], other[4];
  AgonAction action = {.choice = 2}, both[2];
  to_float(categorical_logits, 4, row);
  dist_normalise(&categorical, row, mask, row);
  CHECK_NEAR(dist_log_prob(&categorical, row, &action), categorical_numbers[0], 1e-5);
  CHECK_NEAR(dist_entropy(&categorical, row), categorical_numbers[1], 1e-5);
  to_float(normal_row, 4, row);
  to_float(normal_other, 4, other);
  float numbers[2];
  to_float(normal_action, 2, numbers);
  for (int i = 0; i < 2; i++) both[i].value = numbers[i];
  CHECK_NEAR(dist_log_prob(&box, row, both), normal_numbers[0], 1e-4);
  CHECK_NEAR(dist_entropy(&box, row), normal_numbers[1], 1e-5);
  CHECK_NEAR(dist_kl(&box, row, other), normal_numbers[2], 1e-4);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(gru), cmocka_unit_test(lstm), cmocka_unit_test(convolution),
                                     cmocka_unit_test(clipped_adam), cmocka_unit_test(heads)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every table of kernels that this processor can run against definitions in double precision, over shapes with all
 * kinds of edges; and networks in bfloat16 against the same in float32. */
#include "check.h"

#include "base/rng.h"
#include "nn/kernels/kernels.h"
#include "nn/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *numbers(size_t count, uint32_t stream) {
  AgonRng rng = rng_stream(11, stream, 0, RNG_TEST);
  float *out = aligned_alloc(64, (count * sizeof(float) + 127) & ~(size_t)63);
  for (size_t i = 0; i < count; i++) out[i] = (float)rng_normal(&rng) * 0.5f;
  return out;
}

static double rounded(float x) { /* to bfloat16, nearest even */
  uint32_t bits;
  memcpy(&bits, &x, 4);
  bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  memcpy(&x, &bits, 4);
  return (double)x;
}

static double identity(float x) { return (double)x; }

typedef struct Ways {
  const char *name;
  void (*multiply)(const Product *product);
  size_t (*packed_size)(size_t K, size_t N);
  void (*pack)(float *packed, const float *b, size_t b_row, size_t b_column, size_t K, size_t N);
  double (*seen)(float x);
} Ways;

/* All layouts of A and B, packed and not, with each epilogue. */
static void check_product(const Ways *ways, size_t M, size_t N, size_t K) {
  float *a = numbers(M * K, 1), *b = numbers(K * N, 2), *bias = numbers(N, 3), *start = numbers(M * N, 4),
        *y = numbers(M * N, 5), *c = numbers(M * N, 6);
  float *packed = aligned_alloc(64, (ways->packed_size(K, N) * sizeof(float) + 63) & ~(size_t)63);
  for (int way = 0; way < 32; way++) {
    bool a_turned = way & 1, b_turned = way & 2, use_packed = way & 4, add = way & 8, below = way & 16;
    Product p = {.M = M, .N = N, .K = K, .a = a, .b = b, .c = c, .c_row = N, .accumulate = add};
    p.a_row = a_turned ? 1 : K;
    p.a_column = a_turned ? M : 1;
    p.b_row = b_turned ? 1 : N;
    p.b_column = b_turned ? K : 1;
    if (use_packed) {
      ways->pack(packed, b, p.b_row, p.b_column, K, N);
      p.packed = packed;
    }
    if (below)
      p.below = way & 1 ? ACT_TANH : ACT_RELU, p.y = y, p.y_row = N;
    else
      p.bias = bias, p.act = way & 1 ? ACT_TANH : way & 2 ? ACT_RELU : ACT_NONE;
    memcpy(c, start, M * N * sizeof *c);
    ways->multiply(&p);
    for (size_t i = 0; i < M; i++)
      for (size_t j = 0; j < N; j++) {
        double sum = add ? (double)start[i * N + j] : 0, size = 1;
        for (size_t k = 0; k < K; k++) {
          double term = ways->seen(a[i * p.a_row + k * p.a_column]) * ways->seen(b[k * p.b_row + j * p.b_column]);
          sum += term;
          size += fabs(term);
        }
        double out = (double)y[i * N + j];
        if (p.bias) sum += (double)bias[j];
        if (p.act == ACT_TANH) sum = tanh(sum);
        if (p.act == ACT_RELU) sum = fmax(sum, 0);
        if (p.below == ACT_TANH) sum *= 1 - out * out;
        if (p.below == ACT_RELU) sum = out > 0 ? sum : 0;
        if (!(fabs((double)c[i * N + j] - sum) < 1e-6 * size))
          fail_msg("%s, %zu x %zu x %zu, way %d: (%zu,%zu) is %.9g, expected %.9g", ways->name, M, N, K, way, i, j,
                   (double)c[i * N + j], sum);
      }
  }
  free(a), free(b), free(bias), free(start), free(y), free(c), free(packed);
}

static void check_shapes(const Ways *ways) {
  static const size_t shape[][3] = {{1, 1, 1},    {1, 64, 3},   {5, 7, 33},   {6, 64, 84},   {13, 70, 40},
                                    {17, 16, 64}, {33, 130, 9}, {97, 20, 70}, {14, 48, 513}, {3, 1030, 5}};
  for (size_t s = 0; s < COUNT_OF(shape); s++) check_product(ways, shape[s][0], shape[s][1], shape[s][2]);
}

static void products_follow_their_definition(void **state) {
  (void)state;
  for (size_t i = 0; kernels_at(i); i++) {
    const Kernels *k = kernels_at(i);
    if (k->supported()) check_shapes(&(Ways){k->name, k->multiply, k->packed_size, k->pack, identity});
  }
  for (size_t i = 0; bf16_at(i); i++) {
    const Bf16Kernels *k = bf16_at(i);
    if (k->supported()) check_shapes(&(Ways){k->name, k->multiply, k->packed_size, k->pack, rounded});
  }
}

/* Products and gradients of rows of ones equal those of the same rows as numbers. */
static void ones_stand_for_rows(void **state) {
  (void)state;
  enum { R = 37, K = 43, N = 75 };
  for (size_t t = 0; kernels_at(t); t++) {
    const Kernels *k = kernels_at(t);
    if (!k->supported()) continue;
    float *w = numbers(N * K, 1), *b = numbers(N, 2), *dy = numbers(R * N, 3), *x = calloc(R * K, sizeof *x), *y[2],
          *dw[2];
    float *packed = aligned_alloc(64, (k->packed_size(K, N) * sizeof(float) + 63) & ~(size_t)63),
          *scratch = calloc(K * (N + 64), sizeof *scratch);
    uint32_t first[R + 1] = {0};
    uint16_t column[R * K];
    AgonRng rng = rng_stream(3, 0, 0, RNG_TEST);
    for (uint32_t r = 0; r < R; r++) {
      first[r + 1] = first[r];
      for (uint32_t i = 0; i < K; i++)
        if (rng_below(&rng, r + 1) < 4) column[first[r + 1]++] = (uint16_t)i, x[r * K + i] = 1;
    }
    for (int i = 0; i < 2; i++) y[i] = numbers(R * N, 4), dw[i] = numbers(N * K, 5);
    k->pack(packed, w, 1, K, K, N);
    k->sparse_forward(y[0], first, column, packed, b, ACT_TANH, R, K, N);
    k->sparse_gradient(dw[0], dy, first, column, scratch, R, K, N);
    k->multiply(&(Product){.M = R,
                           .N = N,
                           .K = K,
                           .a = x,
                           .a_row = K,
                           .a_column = 1,
                           .packed = packed,
                           .c = y[1],
                           .c_row = N,
                           .bias = b,
                           .act = ACT_TANH});
    k->multiply(&(Product){.M = N,
                           .N = K,
                           .K = R,
                           .a = dy,
                           .a_row = 1,
                           .a_column = N,
                           .b = x,
                           .b_row = K,
                           .b_column = 1,
                           .c = dw[1],
                           .c_row = K,
                           .accumulate = true});
    for (size_t i = 0; i < R * N; i++) CHECK_NEAR(y[0][i], y[1][i], 2e-6);
    for (size_t i = 0; i < N * K; i++) CHECK_NEAR(dw[0][i], dw[1][i], 1e-5);
    for (int i = 0; i < 2; i++) free(y[i]), free(dw[i]);
    free(w), free(b), free(dy), free(x), free(packed), free(scratch);
  }
}

static void check_functions(const Kernels *k) {
  enum { COUNT = 1003 };
  float *x = numbers(COUNT, 1), *y = numbers(COUNT, 1), *d = numbers(COUNT, 2), sums[17] = {0};
  for (int i = 0; i < COUNT; i++) x[i] = y[i] = x[i] * (float)(1 << (i % 8)) * 0.2f; /* small and large */
  k->activate(ACT_TANH, y, COUNT);
  for (int i = 0; i < COUNT; i++) CHECK_NEAR(y[i], tanh((double)x[i]), 3e-7 * (1e-3 + fabs(tanh((double)x[i]))) + 1e-9);
  memcpy(d, x, COUNT * sizeof *d);
  k->derive(ACT_TANH, d, y, COUNT);
  for (int i = 0; i < COUNT; i++) CHECK_NEAR(d[i], (double)x[i] * (1 - (double)y[i] * (double)y[i]), 1e-5);
  k->exponentials(y, x, COUNT);
  for (int i = 0; i < COUNT; i++) CHECK_NEAR(y[i], exp((double)x[i]), 5e-7 * exp((double)x[i]));
  float masked[3] = {-1e30f, 0, -2}, out[3];
  k->exponentials(out, masked, 3);
  assert_true(out[0] == 0 && out[1] == 1);
  k->column_sums(sums, x, 59, 17);
  for (int n = 0; n < 17; n++) {
    double sum = 0;
    for (int r = 0; r < 59; r++) sum += (double)x[r * 17 + n];
    CHECK_NEAR(sums[n], sum, 1e-4);
  }
  double square = 0;
  for (int i = 0; i < COUNT; i++) square += (double)x[i] * (double)x[i];
  CHECK_NEAR(k->square_sum(x, COUNT), square, 1e-9 * square);
  free(x), free(y), free(d);
}

static void check_softmax(const Kernels *k) {
  static const size_t widths[] = {1, 3, 5, 7, 12, 13, 16, 17, 40};
  AgonRng rng = rng_stream(8, 0, 0, RNG_TEST);
  for (size_t w = 0; w < COUNT_OF(widths); w++) {
    enum { R = 41 }; /* rows side by side, and some that are left */
    size_t width = widths[w];
    float logits[R * 45], out[R * 45];
    uint8_t mask[R * 45];
    for (size_t i = 0; i < R * (width + 2); i++) logits[i] = 5 * (float)rng_normal(&rng);
    for (size_t i = 0; i < R * width; i++) mask[i] = i % width == 0 || rng_below(&rng, 3) > 0;
    for (int masked = 0; masked < 2; masked++) {
      k->log_softmax(out, logits, width + 2, masked ? mask : NULL, R, width);
      for (size_t r = 0; r < R; r++) {
        double sum = 0;
        for (size_t i = 0; i < width; i++)
          if (!masked || mask[r * width + i]) sum += exp((double)logits[r * (width + 2) + i]);
        for (size_t i = 0; i < width; i++) {
          double expected = (double)logits[r * (width + 2) + i] - log(sum);
          if (masked && !mask[r * width + i])
            assert_true(out[r * width + i] == -1e30f);
          else
            CHECK_NEAR(out[r * width + i], expected, 5e-6 * (1 + fabs(expected)));
        }
        /* a row is the same to the last bit alone as among others */
        float alone[45];
        k->log_softmax(alone, logits + r * (width + 2), width + 2,
                       masked ? mask + r * width : NULL, 1, width);
        assert_memory_equal(alone, out + r * width, width * sizeof *alone);
      }
      float place[R * 45];
      memcpy(place, logits, R * (width + 2) * sizeof *place);
      k->log_softmax(place, place, width + 2, masked ? mask : NULL, R, width);
      assert_memory_equal(place, out, R * width * sizeof *place);
    }
  }
}

static double logistic(double x) { return 1 / (1 + exp(-x)); }

static void check_gates(const Kernels *k) {
  for (size_t H = 5; H <= 37; H += 16) {
    float *gate = numbers(4 * H, 1), *hidden = numbers(3 * H, 2), *h = numbers(H, 3), *y = numbers(H, 4),
          *c = numbers(H, 5), *before = numbers(4 * H, 1);
    k->gru_row(y, gate, hidden, h, H);
    for (size_t i = 0; i < H; i++) {
      double r = logistic((double)before[i] + (double)hidden[i]),
             z = logistic((double)before[H + i] + (double)hidden[H + i]),
             n = tanh((double)before[2 * H + i] + r * (double)hidden[2 * H + i]);
      CHECK_NEAR(y[i], (1 - z) * n + z * (double)h[i], 2e-6);
      CHECK_NEAR(gate[2 * H + i], n, 1e-6);
    }
    memcpy(gate, before, 4 * H * sizeof *gate);
    k->lstm_row(y, c, gate, h, H);
    for (size_t i = 0; i < H; i++) {
      double cell = logistic((double)before[H + i]) * (double)h[i] +
                    logistic((double)before[i]) * tanh((double)before[2 * H + i]);
      CHECK_NEAR(c[i], cell, 2e-6);
      CHECK_NEAR(y[i], logistic((double)before[3 * H + i]) * tanh(cell), 2e-6);
    }
    free(gate), free(hidden), free(h), free(y), free(c), free(before);
  }
}

static void functions_follow_their_definition(void **state) {
  (void)state;
  for (size_t i = 0; kernels_at(i); i++) {
    if (!kernels_at(i)->supported()) continue;
    check_functions(kernels_at(i));
    check_softmax(kernels_at(i));
    check_gates(kernels_at(i));
  }
}

/* Outputs and gradient of a network over random boards; returns the gradient, the caller's. */
static float *gradient_of(const char *memory, int precision, float *logits, size_t *count) {
  enum { R = 96 };
  static const uint32_t choices[] = {7};
  AgonKind layout = {.observation_type = AGON_F32,
                     .observation_shape = {50, 1, 1},
                     .action_kind = AGON_DISCRETE,
                     .heads = 1,
                     .head_size = choices};
  NetConfig config = {
      .hidden = {{128, 96}, 2}, .activation = 1, .init_gain = 1.4, .memory_size = 64, .precision = precision};
  config.memory = !strcmp(memory, "gru") ? 1 : !strcmp(memory, "lstm") ? 2 : 0;
  Net *net;
  Activations space;
  CHECK_OK(net_create(&config, &layout, NULL, &net));
  CHECK_OK(activations_create(&net->graph, R, true, &space));
  float *block = calloc(net->block, sizeof *block), *packed = net_pack_create(net, true), *rows = numbers(R * 50, 1),
        *d_logits = numbers(R * 7, 2), *d_value = numbers(R, 3), value[R], state[256] = {0};
  float *gradient = calloc(net->graph.params, sizeof *gradient);
  int32_t restart[R];
  for (int i = 0; i < R; i++) restart[i] = i < 12 ? 0 : -1;
  Sequences seq = {.B = 12, .T = 8, .restart = restart, .states = state, .S = net->graph.state_size};
  net_init(net, 1, 0, block);
  net_pack(net, block, true, packed);
  net_load(net, rows, NULL, R, &space);
  net_forward(net, block, packed, &space, &seq, logits, value, NULL);
  net_backward(net, block, packed, gradient, &space, &seq, d_logits, d_value, NULL, NULL);
  *count = net->graph.params;
  free(block), free(packed), free(rows), free(d_logits), free(d_value);
  activations_destroy(&space);
  net_destroy(net);
  return gradient;
}

/* bfloat16 keeps 8 bits of each factor: gradients of whole networks stay within 2 % of float32's, in norm, and point
 * the same way; outputs within a hundredth of theirs. */
static void bfloat16_gradients_stay_near(void **state) {
  (void)state;
  static const char *const memory[] = {"none", "gru", "lstm"};
  for (size_t t = 0; bf16_at(t); t++) {
    if (!bf16_at(t)->supported()) continue;
    bf16_choose(bf16_at(t));
    for (int m = 0; m < 3; m++) {
      float logits[2][96 * 7], *gradient[2];
      size_t count;
      double gap = 0, size = 0, out_gap = 0, out_size = 0;
      for (int p = 0; p < 2; p++) gradient[p] = gradient_of(memory[m], p, logits[p], &count);
      for (size_t i = 0; i < count; i++) {
        double d = (double)gradient[1][i] - (double)gradient[0][i];
        gap += d * d;
        size += (double)gradient[0][i] * (double)gradient[0][i];
      }
      for (size_t i = 0; i < 96 * 7; i++) {
        double d = (double)logits[1][i] - (double)logits[0][i];
        out_gap += d * d;
        out_size += (double)logits[0][i] * (double)logits[0][i];
      }
      if (!(gap > 0 && sqrt(gap / size) < 0.02))
        fail_msg("%s, %s: gradient off by %.3g", bf16_at(t)->name, memory[m], sqrt(gap / size));
      if (!(sqrt(out_gap / out_size) < 0.01))
        fail_msg("%s, %s: outputs off by %.3g", bf16_at(t)->name, memory[m], sqrt(out_gap / out_size));
      free(gradient[0]), free(gradient[1]);
    }
  }
  bf16_choose(NULL);
}

/* The packed weights, the ones of boards and the fused derivatives give the gradient of the plain path. */
static void packed_and_plain_agree(void **state) {
  (void)state;
  enum { R = 40 };
  static const uint32_t choices[] = {7};
  AgonKind layout = {.observation_type = AGON_U8,
                     .observation_shape = {2, 6, 7},
                     .action_kind = AGON_DISCRETE,
                     .heads = 1,
                     .head_size = choices};
  for (int separate = 0; separate < 2; separate++)
    for (size_t t = 0; kernels_at(t); t++) {
      if (!kernels_at(t)->supported()) continue;
      CHECK_OK(kernels_choose(kernels_at(t)->name));
      NetConfig config = {.hidden = {{40, 30}, 2}, .activation = 1, .init_gain = 1.4, .separate = separate};
      Net *net;
      CHECK_OK(net_create(&config, &layout, NULL, &net));
      size_t params = net->graph.params;
      uint8_t rows[R * 84];
      AgonRng rng = rng_stream(2, 0, 0, RNG_TEST);
      for (size_t i = 0; i < sizeof rows; i++) rows[i] = rng_below(&rng, 5) == 0;
      float *block = calloc(net->block, sizeof *block), *packed = net_pack_create(net, true),
            *d_logits = numbers(R * 7, 2), *d_value = numbers(R, 3), logits[2][R * 7], value[2][R], *gradient[2];
      net_init(net, 1, 0, block);
      net_pack(net, block, true, packed);
      for (int plain = 0; plain < 2; plain++) {
        Activations space;
        Sequences seq = {.B = R, .T = 1};
        gradient[plain] = calloc(params, sizeof(float));
        CHECK_OK(activations_create(&net->graph, R, true, &space));
        net_load(net, rows, NULL, R, &space);
        assert_true(space.ones);
        if (plain) {
          space.ones = false;
          for (size_t i = 0; i < sizeof rows; i++) space.value[0][i] = rows[i];
        }
        net_forward(net, block, plain ? NULL : packed, &space, &seq, logits[plain], value[plain], NULL);
        net_backward(net, block, plain ? NULL : packed, gradient[plain], &space, &seq, d_logits, d_value, NULL, NULL);
        activations_destroy(&space);
      }
      for (int i = 0; i < R * 7; i++) CHECK_NEAR(logits[0][i], logits[1][i], 1e-5);
      for (int i = 0; i < R; i++) CHECK_NEAR(value[0][i], value[1][i], 1e-5);
      for (size_t i = 0; i < params; i++) CHECK_NEAR(gradient[0][i], gradient[1][i], 1e-4);
      free(block), free(packed), free(d_logits), free(d_value), free(gradient[0]), free(gradient[1]);
      net_destroy(net);
    }
  CHECK_OK(kernels_choose("auto"));
  assert_int_equal(kernels_choose("nonsense"), ERR_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_follow_their_definition),
      cmocka_unit_test(ones_stand_for_rows),
      cmocka_unit_test(functions_follow_their_definition),
      cmocka_unit_test(bfloat16_gradients_stay_near),
      cmocka_unit_test(packed_and_plain_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

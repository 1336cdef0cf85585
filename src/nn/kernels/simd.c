/* The kernels, in GCC's vector types; this file is compiled once per instruction set (KERNEL_NAME,
 * and LANES floats a vector). A tile of C, at most `most_rows` x (1..VECTORS vectors), stays in
 * registers while k runs: per step one load per vector of B and one broadcast per row of A, so that
 * only the multiply-adds bound it (Goto & van de Geijn 2008). */
#include "nn/kernels/vector.h"

#if LANES == 16
enum { VECTORS = 4 };
static const size_t most_rows[VECTORS + 1] = {0, 14, 12, 8, 6};
#elif LANES == 8
enum { VECTORS = 2 };
static const size_t most_rows[VECTORS + 1] = {0, 8, 6};
#else
enum { VECTORS = 2 };
static const size_t most_rows[VECTORS + 1] = {0, 8, 4};
#endif
enum { PANEL = VECTORS * LANES, ROWS = 14, DEPTH = 512 };

/* --- tiles --- */
typedef struct Strip { /* what a tile multiplies */
  const float *a;
  const float *b; /* rows of whole vectors, one after another */
  size_t a_row;
  size_t a_column;
  size_t depth;
} Strip;

/* c (rows, vectors * LANES), dense */
/* clang-format off */
#define TILE(rows, vectors)                                                                                            \
  static void tile_##rows##_##vectors(float *c, const Strip *s) {                                                      \
    Vector sum[rows][vectors] = {{{0}}};                                                                               \
    const float *a = s->a, *b = s->b;                                                                                  \
    size_t a_row = s->a_row, a_column = s->a_column;                                                                   \
    for (size_t k = s->depth; k > 0; k--) {                                                                            \
      Vector line[vectors];                                                                                            \
      _Pragma("GCC unroll 16") for (int j = 0; j < vectors; j++) line[j] = load(b + j * LANES);                        \
      _Pragma("GCC unroll 16") for (int i = 0; i < rows; i++) {                                                        \
        Vector x = splat(a[(size_t)i * a_row]);                                                                        \
        _Pragma("GCC unroll 16") for (int j = 0; j < vectors; j++) sum[i][j] += x * line[j];                           \
      }                                                                                                                \
      a += a_column;                                                                                                   \
      b += vectors * LANES;                                                                                            \
    }                                                                                                                  \
    _Pragma("GCC unroll 16") for (int i = 0; i < rows; i++) _Pragma("GCC unroll 16") for (int j = 0; j < vectors; j++) \
        store(c + (i * vectors + j) * LANES, sum[i][j]);                                                               \
  }

#define UP_TO_4(DO, v) DO(1, v) DO(2, v) DO(3, v) DO(4, v)
#define UP_TO_6(DO, v) UP_TO_4(DO, v) DO(5, v) DO(6, v)
#define UP_TO_8(DO, v) UP_TO_6(DO, v) DO(7, v) DO(8, v)
#define UP_TO_12(DO, v) UP_TO_8(DO, v) DO(9, v) DO(10, v) DO(11, v) DO(12, v)
#define UP_TO_14(DO, v) UP_TO_12(DO, v) DO(13, v) DO(14, v)
#define ENTRY(rows, vectors) [rows] = tile_##rows##_##vectors,

typedef void (*Tile)(float *c, const Strip *strip);
#if LANES == 16
UP_TO_14(TILE, 1) UP_TO_12(TILE, 2) UP_TO_8(TILE, 3) UP_TO_6(TILE, 4)
static const Tile tiles[VECTORS + 1][ROWS + 1] = {
    {NULL}, {UP_TO_14(ENTRY, 1)}, {UP_TO_12(ENTRY, 2)}, {UP_TO_8(ENTRY, 3)}, {UP_TO_6(ENTRY, 4)}};
#elif LANES == 8
UP_TO_8(TILE, 1) UP_TO_6(TILE, 2)
static const Tile tiles[VECTORS + 1][ROWS + 1] = {{NULL}, {UP_TO_8(ENTRY, 1)}, {UP_TO_6(ENTRY, 2)}};
#else
UP_TO_8(TILE, 1) UP_TO_4(TILE, 2)
static const Tile tiles[VECTORS + 1][ROWS + 1] = {{NULL}, {UP_TO_8(ENTRY, 1)}, {UP_TO_4(ENTRY, 2)}};
#endif
/* clang-format on */

/* --- packing --- */
static size_t packed_size(size_t K, size_t N) {
  return K * (N / PANEL * PANEL + vectors_of(N % PANEL) * LANES);
}

/* One panel: `depth` rows of `vectors` vectors; columns beyond `columns` are zero. */
static void pack_panel(float *restrict to, const float *restrict b, size_t b_row, size_t b_column,
                       size_t depth, size_t columns) {
  size_t width = vectors_of(columns) * LANES;
  if (b_column == 1) {
    for (size_t k = 0; k < depth; k++, to += width, b += b_row) {
      memcpy(to, b, columns * sizeof *to);
      memset(to + columns, 0, (width - columns) * sizeof *to);
    }
    return;
  }
  size_t squares = b_row == 1 ? columns / LANES * LANES : 0;
  size_t deep = depth / LANES * LANES;
  for (size_t k = 0; k < depth; k++)
    for (size_t j = columns; j < width; j++)
      to[k * width + j] = 0;
  for (size_t j = 0; j < squares; j += LANES) {
    for (size_t k = 0; k < deep; k += LANES)
      turn_square(to + k * width + j, width, b + k + j * b_column, b_column);
    for (size_t k = deep; k < depth; k++)
      for (size_t i = j; i < j + LANES; i++)
        to[k * width + i] = b[k + i * b_column];
  }
  for (size_t j = squares; j < columns; j++)
    for (size_t k = 0; k < depth; k++)
      to[k * width + j] = b[k * b_row + j * b_column];
}

/* Panel after panel, each (K, width) with whole vectors. */
static void pack(float *packed, const float *b, size_t b_row, size_t b_column, size_t K, size_t N) {
  for (size_t n = 0; n < N; n += PANEL) {
    size_t columns = N - n < PANEL ? N - n : PANEL;
    pack_panel(packed, b + n * b_column, b_row, b_column, K, columns);
    packed += K * vectors_of(columns) * LANES;
  }
}

/* All rows of C against `depth` rows of one panel; the rows are shared out evenly over the
 * tiles. */
static void multiply_panel(const Product *p, Place *at, const float *panel, size_t k0,
                           size_t depth) {
  float tile[ROWS * PANEL] __attribute__((aligned(64)));
  size_t vectors = vectors_of(at->columns);
  size_t most = most_rows[vectors];
  size_t count = (p->M + most - 1) / most;
  at->width = vectors * LANES;
  Strip strip = {.b = panel, .a_row = p->a_row, .a_column = p->a_column, .depth = depth};
  for (size_t t = 0; t < count; t++) {
    at->row = p->M * t / count;
    at->rows = p->M * (t + 1) / count - at->row;
    strip.a = p->a + at->row * p->a_row + k0 * p->a_column;
    tiles[vectors][at->rows](tile, &strip);
    finish_tile(p, at, tile);
  }
}

/* Panel by panel of B, and within it DEPTH rows at a time, which fit the L1 cache while all rows of
 * A pass by. B is packed on the way where it has not been before. */
static void multiply(const Product *p) {
  static _Thread_local float scratch[DEPTH * PANEL] __attribute__((aligned(64)));
  const float *packed = p->packed;
  for (size_t n = 0; n < p->N; n += PANEL) {
    Place at = {.column = n, .columns = p->N - n < PANEL ? p->N - n : PANEL};
    size_t width = vectors_of(at.columns) * LANES;
    for (size_t k = 0; k < p->K || k == 0; k += DEPTH) {
      size_t depth = p->K - k < DEPTH ? p->K - k : DEPTH;
      at.first = k == 0;
      at.last = k + depth >= p->K;
      if (!packed)
        pack_panel(scratch, p->b + k * p->b_row + n * p->b_column, p->b_row, p->b_column, depth,
                   at.columns);
      multiply_panel(p, &at, packed ? packed + k * width : scratch, k, depth);
    }
    if (packed) packed += p->K * width;
  }
}

/* --- sparse rows of ones --- */
static void sparse_forward(float *y, const uint32_t *first, const uint16_t *column,
                           const float *packed, const float *bias, Activation act, size_t R,
                           size_t K, size_t N) {
  for (size_t n = 0; n < N; n += PANEL) {
    size_t columns = N - n < PANEL ? N - n : PANEL;
    size_t vectors = vectors_of(columns);
    size_t width = vectors * LANES;
    for (size_t r = 0; r < R; r++) {
      Vector sum[VECTORS];
      Vector more[VECTORS] = {{0}};
      for (size_t j = 0; j < VECTORS; j++)
        sum[j] = j < vectors ? fetch(bias + n + j * LANES, columns - j * LANES) : (Vector){0};
      const uint16_t *at = column + first[r];
      const uint16_t *end = column + first[r + 1];
      if (vectors == VECTORS) {
        for (; at + 1 < end; at += 2) {
          const float *w = packed + at[0] * (size_t)PANEL;
          const float *u = packed + at[1] * (size_t)PANEL;
          for (size_t j = 0; j < VECTORS; j++) {
            sum[j] += load(w + j * LANES);
            more[j] += load(u + j * LANES);
          }
        }
        for (size_t j = 0; j < VECTORS; j++)
          sum[j] += more[j];
      }
      for (; at < end; at++)
        for (size_t j = 0; j < vectors; j++)
          sum[j] += load(packed + *at * width + j * LANES);
      for (size_t j = 0; j < vectors; j++)
        put(y + r * N + n + j * LANES, activated(act, sum[j]), columns - j * LANES);
    }
    packed += K * width;
  }
}

/* dw (N,K) += dy' x for an x of zeros and ones: dy is added to the rows of the ones, a panel of
 * columns at a time in `scratch` (K, width), then turned into dw's layout. */
static void sparse_gradient(float *dw, const float *dy, const uint32_t *first,
                            const uint16_t *column, float *scratch, size_t R, size_t K, size_t N) {
  for (size_t n = 0; n < N; n += PANEL) {
    size_t columns = N - n < PANEL ? N - n : PANEL;
    size_t vectors = vectors_of(columns);
    size_t width = vectors * LANES;
    memset(scratch, 0, K * width * sizeof *scratch);
    for (size_t r = 0; r < R; r++) {
      Vector d[VECTORS];
      for (size_t j = 0; j < vectors; j++)
        d[j] = fetch(dy + r * N + n + j * LANES, columns - j * LANES);
      for (const uint16_t *at = column + first[r], *end = column + first[r + 1]; at < end; at++) {
        float *w = scratch + *at * width;
        for (size_t j = 0; j < vectors; j++)
          store(w + j * LANES, load(w + j * LANES) + d[j]);
      }
    }
    for (size_t j = 0; j < columns; j++)
      for (size_t k = 0; k < K; k++)
        dw[(n + j) * K + k] += scratch[k * width + j];
  }
}

/* --- one pass over memory --- */
static void activate(Activation act, float *x, size_t count) {
  for (size_t i = 0; i < count; i += LANES)
    put(x + i, activated(act, fetch(x + i, count - i)), count - i);
}

/* d *= act'(y), of the activation's outputs y: they are all that is kept of the forward pass. */
static void derive(Activation act, float *d, const float *y, size_t count) {
  for (size_t i = 0; i < count; i += LANES)
    put(d + i, derived(act, fetch(d + i, count - i), fetch(y + i, count - i)), count - i);
}

/* The gradient of a bias. */
static void column_sums(float *restrict sum, const float *restrict x, size_t R, size_t N) {
  for (size_t n = 0; n < N; n += PANEL) {
    size_t columns = N - n < PANEL ? N - n : PANEL;
    Vector total[VECTORS] = {{0}};
    if (columns == PANEL)
      for (size_t r = 0; r < R; r++)
        for (size_t j = 0; j < VECTORS; j++)
          total[j] += load(x + r * N + n + j * LANES);
    else
      for (size_t r = 0; r < R; r++)
        for (size_t j = 0; j * LANES < columns; j++)
          total[j] += fetch(x + r * N + n + j * LANES, columns - j * LANES);
    for (size_t j = 0; j * LANES < columns; j++)
      put(sum + n + j * LANES, fetch(sum + n + j * LANES, columns - j * LANES) + total[j],
          columns - j * LANES);
  }
}

#define MASKED -1e30f

/* Over the lanes, in order. */
static inline float sum_of(Vector v) {
  float sum = 0;
  for (int i = 0; i < LANES; i++)
    sum += v[i];
  return sum;
}

/* The largest lane. */
static inline float top_of(Vector v) {
  float top = v[0];
  for (int i = 1; i < LANES; i++)
    top = v[i] > top ? v[i] : top;
  return top;
}

/* The widest rows of which LANES are worked on side by side: wider ones fill a vector well enough.
 */
enum { FEW = LANES < 12 ? LANES : 12 };

/* log_softmax of LANES rows of few choices, a row in each lane: with a row in a vector most of its
 * lanes would be empty. A row of at most LANES choices is summed in the same order either way, so
 * that its numbers are the same to the last bit, in whatever company it comes. */
static void log_softmax_few(float *out, const float *logits, size_t stride, const uint8_t *mask,
                            size_t width) {
  float line[FEW * LANES] __attribute__((aligned(64))); /* (width, LANES): a choice of all rows */
  float shift[LANES] __attribute__((aligned(64)));
  Vector top = splat(MASKED);
  Vector sum = {0};
  for (size_t r = 0; r < LANES; r++)
    for (size_t i = 0; i < width; i++)
      line[i * LANES + r] = !mask || mask[r * width + i] ? logits[r * stride + i] : MASKED;
  for (size_t i = 0; i < width; i++)
    top = larger(top, load(line + i * LANES));
  for (size_t i = 0; i < width; i++) {
    Vector v = load(line + i * LANES);
    sum += (Vector)((Whole)exp_of(v - top) & (v > MASKED));
  }
  for (size_t r = 0; r < LANES; r++)
    shift[r] = top[r] + logf(sum[r]);
  for (size_t i = 0; i < width; i++) {
    Vector v = load(line + i * LANES);
    Whole legal = v > MASKED;
    Vector result = v - load(shift);
    store(line + i * LANES, (Vector)(((Whole)result & legal) | ((Whole)splat(MASKED) & ~legal)));
  }
  for (size_t r = 0; r < LANES; r++)
    for (size_t i = 0; i < width; i++)
      out[r * width + i] = line[i * LANES + r];
}

/* x - log(sum exp x) over legal choices, with the largest taken off first, against overflow. Lanes
 * beyond the width count as illegal. */
static void log_softmax(float *out, const float *logits, size_t stride, const uint8_t *mask,
                        size_t R, size_t width) {
  size_t done = 0;
  for (; width <= FEW && done + LANES <= R; done += LANES)
    log_softmax_few(out + done * width, logits + done * stride, stride,
                    mask ? mask + done * width : NULL, width);
  for (size_t r = done; r < R; r++) {
    const float *from = logits + r * stride;
    float *to = out + r * width;
    float line[LANES];
    Vector top = splat(MASKED);
    Vector sum = {0};
    for (size_t at = 0; at < width; at += LANES) {
      size_t count = width - at < LANES ? width - at : LANES;
      for (size_t i = 0; i < LANES; i++)
        line[i] = i < count && (!mask || mask[r * width + at + i]) ? from[at + i] : MASKED;
      Vector v = load(line);
      top = larger(top, v);
      put(to + at, v, count);
    }
    float most = top_of(top);
    for (size_t at = 0; at < width; at += LANES) {
      size_t count = width - at < LANES ? width - at : LANES;
      Vector v = fetch(to + at, count);
      Whole legal = v > MASKED;
      if (count < LANES)
        for (size_t i = count; i < LANES; i++)
          legal[i] = 0;
      sum += (Vector)((Whole)exp_of(v - most) & legal);
    }
    float shift = most + logf(sum_of(sum));
    for (size_t i = 0; i < width; i++)
      to[i] = to[i] > MASKED ? to[i] - shift : MASKED;
  }
}

/* exp(x), and 0 for illegal choices. */
static void exponentials(float *out, const float *x, size_t count) {
  for (size_t i = 0; i < count; i += LANES) {
    Vector v = fetch(x + i, count - i);
    put(out + i, (Vector)((Whole)exp_of(v) & (v > MASKED)), count - i);
  }
}

static void adam(float *restrict params, float *restrict m, float *restrict v,
                 const float *restrict gradient, size_t count, const AdamStep *s) {
  float b1 = s->beta1;
  float b2 = s->beta2;
  float c1 = 1 - b1;
  float c2 = 1 - b2;
  for (size_t i = 0; i < count; i++) {
    float g = gradient[i] * s->scale;
    m[i] = b1 * m[i] + c1 * g;
    v[i] = b2 * v[i] + c2 * g * g;
    params[i] -= s->rate * (m[i] * s->correct1) / (sqrtf(v[i] * s->correct2) + s->epsilon);
  }
}

/* In double, eight sums side by side in a fixed order. */
static double square_sum(const float *x, size_t count) {
  double sum[8] = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; j++)
      sum[j] += (double)x[i + j] * (double)x[i + j];
  for (; i < count; i++)
    sum[0] += (double)x[i] * (double)x[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static inline Vector logistic_of(Vector x) {
  return 0.5f + 0.5f * tanh_of(0.5f * x);
}

/* r, z = logistic(x + h); n = tanh(x_n + r h_n); y = n + z (h - n). The gates are kept for the
 * backward pass. */
static void gru_row(float *y, float *gate, const float *hidden, const float *h, size_t H) {
  for (size_t i = 0; i < H; i += LANES) {
    size_t n = H - i;
    float *g = gate + i;
    const float *u = hidden + i;
    Vector r = logistic_of(fetch(g, n) + fetch(u, n));
    Vector z = logistic_of(fetch(g + H, n) + fetch(u + H, n));
    Vector fresh = tanh_of(fetch(g + 2 * H, n) + r * fetch(u + 2 * H, n));
    put(g, r, n);
    put(g + H, z, n);
    put(g + 2 * H, fresh, n);
    put(y + i, fresh + z * (fetch(h + i, n) - fresh), n);
  }
}

/* c = f p + i g; y = o tanh(c). The gates are kept for the backward pass. */
static void lstm_row(float *y, float *c, float *gate, const float *p, size_t H) {
  for (size_t i = 0; i < H; i += LANES) {
    size_t n = H - i;
    float *g = gate + i;
    Vector in = logistic_of(fetch(g, n));
    Vector forget = logistic_of(fetch(g + H, n));
    Vector fresh = tanh_of(fetch(g + 2 * H, n));
    Vector show = logistic_of(fetch(g + 3 * H, n));
    Vector cell = forget * fetch(p + i, n) + in * fresh;
    put(g, in, n);
    put(g + H, forget, n);
    put(g + 2 * H, fresh, n);
    put(g + 3 * H, show, n);
    put(c + i, cell, n);
    put(y + i, show * tanh_of(cell), n);
  }
}

/* Twelve chains in named variables, which stay in registers; the empty asm keeps each step. */
#define CHAINS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define DECLARE(c) Vector a##c = x;
#if defined(__AVX__)
#define STEP(c)                                                                                    \
  a##c = a##c * x + y;                                                                             \
  __asm__ volatile("" : "+v"(a##c));
#else
#define STEP(c) a##c = a##c * x + y;
#endif
#define ADD(c) sum += a##c[0];

/* Twelve independent chains of multiply-adds hide the latency of each. `sink` keeps the compiler
 * from dropping them. */
static double spin(size_t steps) {
  Vector x = splat(.999f);
  Vector y = splat(.001f);
  volatile float sink;
  float sum = 0;
  CHAINS(DECLARE)
  for (size_t s = 0; s < steps; s++) {
    CHAINS(STEP)
  }
  CHAINS(ADD)
  sink = sum;
  (void)sink;
  return 2.0 * LANES * 12 * (double)steps;
}

/* Of the instruction set that this file was compiled for. */
static bool supported(void) {
#if defined(__AVX512F__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__AVX2__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

const Kernels KERNEL_TABLE = {.name = KERNEL_NAME,
                              .supported = supported,
                              .multiply = multiply,
                              .packed_size = packed_size,
                              .pack = pack,
                              .sparse_forward = sparse_forward,
                              .sparse_gradient = sparse_gradient,
                              .activate = activate,
                              .derive = derive,
                              .column_sums = column_sums,
                              .log_softmax = log_softmax,
                              .exponentials = exponentials,
                              .adam = adam,
                              .square_sum = square_sum,
                              .spin = spin,
                              .gru_row = gru_row,
                              .lstm_row = lstm_row};

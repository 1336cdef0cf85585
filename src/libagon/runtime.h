/* How an exported agent decides: the functions that run a Model. They need C11 and libm, and no
 * memory but what they are given. libagon compiles them for several instruction sets (run.c);
 * `agon export --format c` writes them in front of an agent's numbers, without the parts that it
 * has no use for. */
#pragma once
#include "libagon/model.h"

#include <math.h>
#include <string.h>

/* --- vectors --- */

#if defined(__GNUC__)
#if defined(__AVX__)
#include <immintrin.h>
#endif
#if defined(__AVX512F__)
#define MODEL_LANES 16
#define MODEL_TILE(DO, v) DO(1, v) DO(2, v) DO(4, v) DO(8, v) DO(12, v)
#elif defined(__AVX__)
#define MODEL_LANES 8
#define MODEL_TILE(DO, v) DO(1, v) DO(2, v) DO(4, v) DO(6, v)
#else
#define MODEL_LANES 4
#define MODEL_TILE(DO, v) DO(1, v) DO(2, v) DO(4, v)
#endif
typedef float Vector __attribute__((vector_size(MODEL_LANES * 4)));
typedef float Loose __attribute__((vector_size(MODEL_LANES * 4), aligned(4), may_alias));
typedef int32_t Whole __attribute__((vector_size(MODEL_LANES * 4)));
#define MODEL_UNROLL _Pragma("GCC unroll 16")
/* The compiler shall keep a pointer in a register instead of making it anew from others. */
#define MODEL_KEEP(pointer) __asm__("" : "+r"(pointer))

#if defined(__AVX512F__)
static inline Vector vector_min(Vector a, Vector b) {
  return (Vector)_mm512_min_ps((__m512)a, (__m512)b);
}

static inline Vector vector_max(Vector a, Vector b) {
  return (Vector)_mm512_max_ps((__m512)a, (__m512)b);
}
#elif defined(__AVX__)
static inline Vector vector_min(Vector a, Vector b) {
  return (Vector)_mm256_min_ps((__m256)a, (__m256)b);
}

static inline Vector vector_max(Vector a, Vector b) {
  return (Vector)_mm256_max_ps((__m256)a, (__m256)b);
}
#else
static inline Vector vector_min(Vector a, Vector b) {
  Whole pick = a < b;
  return (Vector)(((Whole)a & pick) | ((Whole)b & ~pick));
}

static inline Vector vector_max(Vector a, Vector b) {
  Whole pick = a > b;
  return (Vector)(((Whole)a & pick) | ((Whole)b & ~pick));
}
#endif

static inline Vector vector_of(float x) {
  return x - (Vector){0};
}

#if !defined(__AVX512F__)
static inline float *vector_lane(Vector *v, size_t i) {
  return (float *)v + i;
}
#endif

/* x where it is said, else 0. */
static inline Vector vector_where(Whole where, Vector x) {
  return (Vector)((Whole)x & where);
}

/* 2 to the power of a whole number, which is given with 1.5 * 2^23 added. */
static inline Vector vector_power(Vector whole) {
  return (Vector)(((Whole)whole << 23) + 0x3f800000);
}

/* a * b + c, rounded once where the processor can: a compiler in strict C11 would not. */
static inline Vector vector_add_product(Vector a, Vector b, Vector c) {
#if defined(__AVX512F__)
  return (Vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
  return (Vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}
#else
#define MODEL_LANES 1
#define MODEL_TILE(DO, v) DO(1, v) DO(2, v) DO(4, v)
typedef float Vector;
typedef float Loose;
#define MODEL_UNROLL
#define MODEL_KEEP(pointer) (void)(pointer)

static inline Vector vector_min(Vector a, Vector b) {
  return a < b ? a : b;
}

static inline Vector vector_max(Vector a, Vector b) {
  return a > b ? a : b;
}

static inline Vector vector_of(float x) {
  return x;
}

static inline float *vector_lane(Vector *v, size_t i) {
  return v + i;
}

static inline Vector vector_where(bool where, Vector x) {
  return where ? x : 0;
}

static inline Vector vector_power(Vector whole) {
  return ldexpf(1, (int)(whole - 12582912.0f));
}

static inline Vector vector_add_product(Vector a, Vector b, Vector c) {
  return a * b + c;
}
#endif

/* The first `count` numbers; the others are 0. */
static inline Vector vector_get(const float *p, size_t count) {
  Vector v = vector_of(0);
  if (count >= MODEL_LANES) return *(const Loose *)p;
#if defined(__AVX512F__)
  v = (Vector)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#else
  for (size_t i = 0; i < count; i++)
    *vector_lane(&v, i) = p[i];
#endif
  return v;
}

static inline void vector_put(float *p, Vector v, size_t count) {
  if (count >= MODEL_LANES)
    *(Loose *)p = v;
  else
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
#else
    for (size_t i = 0; i < count; i++)
      p[i] = *vector_lane(&v, i);
#endif
}

/* part: tanh */
/* x P(x^2) / Q(x^2), a fit to 2e-8. */
static inline Vector vector_tanh(Vector x) {
  x = vector_min(vector_max(x, vector_of(-9.0f)), vector_of(9.0f));
  Vector u = x * x;
  Vector p = u * 1.335520612e-08f + 2.060952696e-05f;
  Vector q = u * 7.776796628e-07f + 3.285681035e-04f;
  p = p * u + 3.495617326e-03f;
  q = q * u + 2.587709562e-02f;
  p = p * u + 1.338105101e-01f;
  q = q * u + 4.671436668e-01f;
  p = p * u + 9.999999797e-01f;
  q = q * u + 1.0f;
#if defined(__AVX512F__) && MODEL_LANES == 16
  Vector r = (Vector)_mm512_rcp14_ps((__m512)q);
  x = x * p * (r * (2.0f - q * r));
#else
  x = x * p / q;
#endif
  return vector_min(vector_max(x, vector_of(-1.0f)), vector_of(1.0f));
}
/* part end */

/* part: memory */
static inline Vector vector_logistic(Vector x) {
  return vector_tanh(x * 0.5f) * 0.5f + 0.5f;
}
/* part end */

static void model_activate(uint32_t act, float *x, size_t count) {
  /* part: gelu */
  for (size_t i = 0; act == MODEL_GELU && i < count; i++)
    x[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752f));
  /* part end */
  /* part: tanh */
  for (size_t i = 0; act == MODEL_TANH && i < count; i += MODEL_LANES)
    vector_put(x + i, vector_tanh(vector_get(x + i, count - i)), count - i);
  /* part end */
  for (size_t i = 0; act == MODEL_RELU && i < count; i++)
    x[i] = x[i] > 0 ? x[i] : 0;
}

/* --- products --- */

/* A panel: two vectors of outputs, or one where there are no more. */
static inline size_t panel_vectors(size_t columns) {
  return columns > MODEL_LANES ? 2 : 1;
}

static size_t packed_size(size_t K, size_t N) {
  size_t size = 0;
  for (size_t n = 0; n < N; n += 2 * MODEL_LANES)
    size += K * panel_vectors(N - n) * MODEL_LANES;
  return size;
}

/* part: half */
/* Rounded to bfloat16, ties to even. */
static inline float to_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static const float *to_halves(float *to, const float *from, size_t count) {
  for (size_t i = 0; i < count; i++)
    to[i] = to_half(from[i]);
  return to;
}
/* part end */

/* w (N, K) panel by panel: for each k the weights of its outputs side by side. */
static float *pack_matrix(float *to, const float *w, uint32_t half, size_t K, size_t N) {
  float *at = to;
  for (size_t n = 0; n < N; n += 2 * MODEL_LANES) {
    const size_t wide = panel_vectors(N - n) * MODEL_LANES;
    for (size_t k = 0; k < K; k++)
      for (size_t j = 0; j < wide; j++)
        *at++ = n + j < N ? w[(n + j) * K + k] : 0;
  }
  /* part: half */
  if (half) to_halves(to, to, (size_t)(at - to));
  /* part end */
  (void)half;
  return at;
}

/* A tile of outputs stays in registers while k runs; the bias comes last, since a large one would
 * take digits from the sum. Three rows share a pointer: one for each row would be more than there
 * are registers for. */
#define MODEL_DEFINE(rows, vectors)                                                                \
  static void tile_##rows##_##vectors(float *y, size_t N, const float *x, const float *w,          \
                                      size_t K, const float *bias, float floor) {                  \
    Vector sum[rows][vectors];                                                                     \
    const float *at[(rows + 2) / 3];                                                               \
    MODEL_UNROLL for (size_t i = 0; i < rows; i += 3) at[i / 3] = x + i * K;                       \
    MODEL_UNROLL for (int i = 0; i < rows; i++) MODEL_UNROLL for (int j = 0; j < vectors; j++)     \
        sum[i][j] = vector_of(0);                                                                  \
    for (size_t k = 0; k < K; k++, w += vectors * MODEL_LANES) {                                   \
      Vector line[vectors];                                                                        \
      MODEL_UNROLL for (int j = 0; j < vectors; j++) line[j] =                                     \
          *(const Loose *)(w + j * MODEL_LANES);                                                   \
      MODEL_UNROLL for (size_t i = 0; i < rows; i++) {                                             \
        Vector one = vector_of(at[i / 3][i % 3 * K]);                                              \
        MODEL_UNROLL for (int j = 0; j < vectors; j++) sum[i][j] =                                 \
            vector_add_product(one, line[j], sum[i][j]);                                           \
      }                                                                                            \
      MODEL_UNROLL for (int i = 0; i < (rows + 2) / 3; i++) {                                      \
        at[i]++;                                                                                   \
        MODEL_KEEP(at[i]);                                                                         \
      }                                                                                            \
    }                                                                                              \
    MODEL_UNROLL for (size_t i = 0; i < rows; i++)                                                 \
            MODEL_UNROLL for (int j = 0; j < vectors; j++) *                                       \
        (Loose *)(y + i * N + j * MODEL_LANES) =                                                   \
        vector_max(sum[i][j] + *(const Loose *)(bias + j * MODEL_LANES), vector_of(floor));        \
  }
MODEL_TILE(MODEL_DEFINE, 1)
MODEL_TILE(MODEL_DEFINE, 2)

typedef struct ModelTile {
  size_t rows;
  void (*run[2])(float *y, size_t N, const float *x, const float *w, size_t K, const float *bias,
                 float floor);
} ModelTile;
#define MODEL_ENTRY(rows, v) {rows, {tile_##rows##_1, tile_##rows##_2}},
static const ModelTile model_tile[] = {MODEL_TILE(MODEL_ENTRY, 0)};

/* What is not 0 in a few rows, row by row: on a board that is little. */
enum { MODEL_FEW = 4096 };
typedef struct ModelFew {
  size_t rows;
  size_t end[MODEL_ROWS];               /* of each row's; it begins where the one before ends */
  uint32_t at[MODEL_FEW + MODEL_LANES]; /* which input */
  float value[MODEL_FEW + MODEL_LANES];
} ModelFew;

/* Puts what is not 0 of a row's inputs behind the n that are there; returns how many there are
 * then. */
static inline size_t find_more(ModelFew *few, size_t n, const float *x, size_t K) {
  size_t k = 0;
#if defined(__AVX512F__)
  Whole at = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (; k + MODEL_LANES <= K; k += MODEL_LANES, at += MODEL_LANES) {
    const __m512 v = _mm512_loadu_ps(x + k);
    const __mmask16 pick = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    _mm512_storeu_ps(few->value + n, _mm512_maskz_compress_ps(pick, v));
    _mm512_storeu_si512(few->at + n, _mm512_maskz_compress_epi32(pick, (__m512i)at));
    n += (size_t)__builtin_popcount(pick);
  }
#endif
  for (; k < K; k++) {
    few->at[n] = (uint32_t)k;
    few->value[n] = x[k];
    n += x[k] != 0;
  }
  return n;
}

/* Of as many rows as have room for sure; K <= MODEL_FEW. */
static void find_few(ModelFew *few, const float *x, size_t R, size_t K) {
  size_t n = 0;
  for (few->rows = 0; few->rows < R && few->rows < MODEL_ROWS && n + K <= MODEL_FEW; few->rows++)
    few->end[few->rows] = n = find_more(few, n, x + few->rows * K, K);
}

/* A row's outputs of some panels, which lie `panel` numbers apart: the sums that a tile makes, but
 * for products with 0. */
#define MODEL_DEFINE_FEW(panels, vectors)                                                          \
  static void few_##panels##_##vectors(float *y, const ModelFew *few, size_t from, size_t to,      \
                                       const float *w, size_t panel, const float *bias,            \
                                       float floor) {                                              \
    Vector sum[panels * vectors];                                                                  \
    MODEL_UNROLL for (int i = 0; i < panels * vectors; i++) sum[i] = vector_of(0);                 \
    for (; from < to; from++) {                                                                    \
      const float *line = w + (size_t)few->at[from] * vectors * MODEL_LANES;                       \
      const Vector one = vector_of(few->value[from]);                                              \
      MODEL_UNROLL for (size_t i = 0; i < panels * vectors; i++) sum[i] = vector_add_product(      \
          one, *(const Loose *)(line + i / vectors * panel + i % vectors * MODEL_LANES), sum[i]);  \
    }                                                                                              \
    MODEL_UNROLL for (int i = 0; i < panels * vectors; i++) * (Loose *)(y + i * MODEL_LANES) =     \
        vector_max(sum[i] + *(const Loose *)(bias + i * MODEL_LANES), vector_of(floor));           \
  }
MODEL_DEFINE_FEW(4, 2)
MODEL_DEFINE_FEW(1, 2)
MODEL_DEFINE_FEW(1, 1)

/* Whether rows seem to have so little that is not 0 that one at a time is less work than a tile of
 * them: the first, the last and one between are looked at. Of one row there is no tile. */
static bool is_few(const float *x, size_t R, size_t K) {
  uint32_t count = 0;
  if (K > MODEL_FEW || R == 1) return K <= MODEL_FEW;
  for (size_t i = 0; i < 3; i++)
    for (size_t k = 0; k < K; k++)
      count += x[i * (R - 1) / 2 * K + k] != 0;
  return 4 * count < 3 * K;
}

/* A panel of a product: `columns` of its outputs are there. Where that is less than all, tiles are
 * put into `room` and copied. */
typedef struct ModelPanel {
  const float *w, *bias;
  float *y;
  size_t K, N, columns, wide;
  float floor; /* of what is put down: 0, or none */
  uint32_t act;
  float zero[8 * MODEL_LANES], room[12 * 2 * MODEL_LANES];
} ModelPanel;

/* The last step of some rows from y on, which a tile has made. */
static void finish_rows(const ModelPanel *p, float *y, size_t rows) {
  for (size_t i = 0; i < rows; i++) {
    if (p->columns < p->wide) memcpy(y + i * p->N, p->room + i * p->wide, p->columns * sizeof *y);
    if (p->act == MODEL_TANH || p->act == MODEL_GELU)
      model_activate(p->act, y + i * p->N, p->columns);
  }
}

static void panel_dense(ModelPanel *p, const float *x, size_t R) {
  const bool whole = p->columns == p->wide;
  size_t which = sizeof model_tile / sizeof *model_tile - 1;
  for (size_t r = 0; r < R; r += model_tile[which].rows) {
    float *y = p->y + r * p->N;
    while (model_tile[which].rows > R - r)
      which--;
    model_tile[which].run[p->wide > MODEL_LANES](whole ? y : p->room, whole ? p->N : p->wide,
                                                 x + r * p->K, p->w, p->K, p->bias, p->floor);
    finish_rows(p, y, model_tile[which].rows);
  }
}

static void panel_few(ModelPanel *p, const ModelFew *few) {
  const bool whole = p->columns == p->wide;
  for (size_t r = 0, from = 0; r < few->rows; from = few->end[r++]) {
    float *y = p->y + r * p->N;
    float *to = whole ? y : p->room;
    if (p->wide > 2 * MODEL_LANES)
      few_4_2(to, few, from, few->end[r], p->w, p->K * 2 * MODEL_LANES, p->bias, p->floor);
    else if (p->wide > MODEL_LANES)
      few_1_2(to, few, from, few->end[r], p->w, 0, p->bias, p->floor);
    else
      few_1_1(to, few, from, few->end[r], p->w, 0, p->bias, p->floor);
    finish_rows(p, y, 1);
  }
}

/* All panels, of rows or of what is not 0 in them. */
static void multiply_rows(float *y, const float *x, const ModelFew *few, const float *packed,
                          const float *bias, uint32_t act, size_t R, size_t K, size_t N) {
  ModelPanel p = {.w = packed, .K = K, .N = N, .act = act};
  p.floor = act == MODEL_RELU ? 0 : -INFINITY;
  for (size_t n = 0; n < N; n += p.wide) {
    p.wide = panel_vectors(N - n) * MODEL_LANES;
    if (few && N - n >= 8 * MODEL_LANES) p.wide = 8 * MODEL_LANES;
    p.columns = N - n < p.wide ? N - n : p.wide;
    p.y = y + n;
    p.bias = bias && p.columns == p.wide ? bias + n : p.zero;
    if (bias && p.columns < p.wide) memcpy(p.zero, bias + n, p.columns * sizeof *bias);
    if (few)
      panel_few(&p, few);
    else
      panel_dense(&p, x, R);
    p.w += K * p.wide;
  }
}

/* y (R, N) = act(x (R, K) w^T + bias); returns where the next packed matrix begins. */
static const float *multiply(float *y, const float *x, const float *packed, const float *bias,
                             uint32_t act, size_t R, size_t K, size_t N) {
  if (is_few(x, R, K)) {
    ModelFew few;
    for (size_t r = 0; r < R; r += few.rows) {
      find_few(&few, x + r * K, R - r, K);
      multiply_rows(y + r * N, NULL, &few, packed, bias, act, few.rows, K, N);
    }
  } else {
    multiply_rows(y, x, NULL, packed, bias, act, R, K, N);
  }
  return packed + packed_size(K, N);
}

/* --- steps --- */

/* The matrices of a step: (K, N) of the first and the second; 0: there is none. */
static void step_matrices(const Model *m, const ModelStep *s, size_t out[4]) {
  const size_t K = m->tensor[s->in[0]];
  const size_t N = m->tensor[s->out];
  memset(out, 0, 4 * sizeof *out);
  if (s->op == MODEL_DENSE || s->op == MODEL_PRODUCT) {
    out[0] = K;
    out[1] = N;
  } else if (s->op == MODEL_CONV) {
    out[0] = (size_t)s->conv.channels * s->conv.kernel * s->conv.kernel;
    out[1] = s->conv.out_channels;
  } else if (s->op == MODEL_GRU || s->op == MODEL_LSTM) {
    out[0] = K;
    out[2] = N;
    out[1] = out[3] = (s->op == MODEL_GRU ? 3 : 4) * N;
  }
}

/* Floats of the packed matrices of one copy. */
static size_t model_packed(const Model *m) {
  size_t size = 0;
  size_t k[4];
  for (size_t i = 0; i < m->steps; i++) {
    step_matrices(m, &m->step[i], k);
    size += packed_size(k[0], k[1]) + packed_size(k[2], k[3]);
  }
  return size;
}

/* Of all copies; `to` has room for copies * model_packed floats. */
static void model_pack(const Model *m, float *to) {
  size_t k[4];
  for (size_t c = 0; c < m->copies; c++)
    for (size_t i = 0; i < m->steps; i++) {
      const ModelStep *s = &m->step[i];
      const float *block = m->block + c * m->stride;
      step_matrices(m, s, k);
      to = pack_matrix(to, block + s->weight, s->half, k[0], k[1]);
      to = pack_matrix(to, block + s->weight_h, s->half, k[2], k[3]);
    }
}

/* part: sizes */
/* Floats that a step needs beside its tensors, for `rows` rows. */
static size_t step_scratch(const Model *m, const ModelStep *s, size_t rows) {
  const size_t N = m->tensor[s->out];
  const size_t halves = s->half ? rows * m->tensor[s->in[0]] : 0;
  if (s->op == MODEL_GRU) return rows * 7 * N + halves;
  if (s->op == MODEL_LSTM) return rows * 9 * N + halves;
  if (s->op == MODEL_DENSE || s->op == MODEL_PRODUCT) return halves;
  if (s->op == MODEL_ATTEND) return 2 * (size_t)m->team;
  if (s->op == MODEL_CONV)
    return (size_t)s->conv.out_height * s->conv.out_width * s->conv.channels * s->conv.kernel *
           s->conv.kernel;
  return 0;
}
/* part end */

/* Rows that are worked on at once: whole teams. */
static size_t model_chunk(const Model *m) {
  return m->team >= MODEL_ROWS ? m->team : MODEL_ROWS / m->team * m->team;
}

/* part: sizes */
/* Floats of scratch that one call of model_act needs. */
static size_t model_scratch(const Model *m) {
  const size_t rows = model_chunk(m);
  size_t size = rows * (2 * (size_t)m->memory + m->width + 1);
  size_t most = 0;
  for (size_t t = 0; t < m->tensors; t++)
    size += rows * m->tensor[t];
  for (size_t i = 0; i < m->steps; i++) {
    const size_t own = step_scratch(m, &m->step[i], rows);
    most = own > most ? own : most;
  }
  return size + most;
}
/* part end */

/* What one chunk of rows is run with. */
typedef struct ModelRun {
  const Model *m;
  const float *block; /* of the copy */
  size_t R;
  float *tensor[MODEL_STEPS + 2];
  float *before, *after; /* (R, memory) */
  float *row;            /* (R, width) */
  float *scratch;
  size_t *source; /* (R) which rows these are */
} ModelRun;

/* part: conv */
/* Each place's row holds what its kernel sees; beyond the edge that is 0. */
static void conv_columns(float *column, const float *image, const ModelConv *c) {
  for (uint32_t y = 0; y < c->out_height; y++)
    for (uint32_t x = 0; x < c->out_width; x++)
      for (uint32_t p = 0; p < c->channels; p++)
        for (uint32_t i = 0; i < c->kernel; i++)
          for (uint32_t j = 0; j < c->kernel; j++) {
            const uint32_t iy = y * c->stride + i - c->pad; /* wraps below 0 */
            const uint32_t ix = x * c->stride + j - c->pad;
            const bool inside = iy < c->height && ix < c->width;
            *column++ = inside ? image[(size_t)p * c->step_channel + (size_t)iy * c->step_y +
                                       (size_t)ix * c->step_x]
                               : 0.0f;
          }
}

static const float *run_conv(const ModelRun *run, const ModelStep *s, const float *packed) {
  const size_t taps = (size_t)s->conv.channels * s->conv.kernel * s->conv.kernel;
  const size_t places = (size_t)s->conv.out_height * s->conv.out_width;
  const size_t K = run->m->tensor[s->in[0]];
  const size_t N = run->m->tensor[s->out];
  for (size_t r = 0; r < run->R; r++) {
    conv_columns(run->scratch, run->tensor[s->in[0]] + r * K, &s->conv);
    /* part: half */
    if (s->half) to_halves(run->scratch, run->scratch, places * taps);
    /* part end */
    multiply(run->tensor[s->out] + r * N, run->scratch, packed, run->block + s->bias, s->act,
             places, taps, s->conv.out_channels);
  }
  return packed + packed_size(taps, s->conv.out_channels);
}
/* part end */

/* part: memory */
/* h' = n + z (h - n), n = tanh(x_n + r h_n). */
static void gru_row(float *y, const float *g, const float *u, const float *h, size_t H) {
  for (size_t i = 0; i < H; i += MODEL_LANES) {
    const size_t n = H - i;
    Vector r = vector_logistic(vector_get(g + i, n) + vector_get(u + i, n));
    Vector z = vector_logistic(vector_get(g + H + i, n) + vector_get(u + H + i, n));
    Vector fresh = vector_tanh(vector_get(g + 2 * H + i, n) + r * vector_get(u + 2 * H + i, n));
    vector_put(y + i, fresh + z * (vector_get(h + i, n) - fresh), n);
  }
}

/* c' = f c + i g; h' = o tanh(c'). */
static void lstm_row(float *y, float *c, const float *g, const float *u, const float *p, size_t H) {
  for (size_t i = 0; i < H; i += MODEL_LANES) {
    const size_t n = H - i;
    Vector in = vector_logistic(vector_get(g + i, n) + vector_get(u + i, n));
    Vector forget = vector_logistic(vector_get(g + H + i, n) + vector_get(u + H + i, n));
    Vector fresh = vector_tanh(vector_get(g + 2 * H + i, n) + vector_get(u + 2 * H + i, n));
    Vector show = vector_logistic(vector_get(g + 3 * H + i, n) + vector_get(u + 3 * H + i, n));
    Vector cell = forget * vector_get(p + i, n) + in * fresh;
    vector_put(c + i, cell, n);
    vector_put(y + i, show * vector_tanh(cell), n);
  }
}

static const float *run_memory(const ModelRun *run, const ModelStep *s, const float *packed) {
  const Model *m = run->m;
  const size_t K = m->tensor[s->in[0]];
  const size_t H = m->tensor[s->out];
  const size_t G = (s->op == MODEL_GRU ? 3 : 4) * H;
  float *h = run->scratch;
  float *gate = h + run->R * H;
  float *hidden = gate + run->R * G;
  for (size_t r = 0; r < run->R; r++)
    memcpy(h + r * H, run->before + r * m->memory + s->state_at, H * sizeof *h);
  const float *x = run->tensor[s->in[0]];
  /* part: half */
  if (s->half) {
    to_halves(h, h, run->R * H);
    x = to_halves(hidden + run->R * G, x, run->R * K);
  }
  /* part end */
  packed = multiply(gate, x, packed, run->block + s->bias, MODEL_NONE, run->R, K, G);
  packed = multiply(hidden, h, packed, run->block + s->bias_h, MODEL_NONE, run->R, H, G);
  for (size_t r = 0; r < run->R; r++) {
    const float *old = run->before + r * m->memory + s->state_at;
    float *new = run->after + r * m->memory + s->state_at;
    float *y = run->tensor[s->out] + r * H;
    if (s->op == MODEL_GRU)
      gru_row(y, gate + r * G, hidden + r * G, old, H);
    else
      lstm_row(y, new + H, gate + r * G, hidden + r * G, old + H, H);
    memcpy(new, y, H * sizeof *y);
  }
  return packed;
}
/* part end */

/* part: layer_norm */
static void run_norm(const ModelRun *run, const ModelStep *s) {
  const size_t N = run->m->tensor[s->out];
  const float *gain = run->block + s->weight;
  const float *bias = run->block + s->bias;
  for (size_t r = 0; r < run->R; r++) {
    const float *x = run->tensor[s->in[0]] + r * N;
    float *y = run->tensor[s->out] + r * N;
    float mean = 0;
    float variance = 0;
    for (size_t n = 0; n < N; n++)
      mean += x[n];
    mean /= (float)N;
    for (size_t n = 0; n < N; n++)
      variance += (x[n] - mean) * (x[n] - mean);
    const float scale = 1.0f / sqrtf(variance / (float)N + 1e-5f);
    for (size_t n = 0; n < N; n++)
      y[n] = (x[n] - mean) * scale * gain[n] + bias[n];
  }
}
/* part end */

/* part: normalise */
static void run_normalise(const ModelRun *run, const ModelStep *s) {
  const size_t N = run->m->tensor[s->out];
  const float *scale = run->block + s->weight;
  const float *mean = run->block + s->bias;
  for (size_t r = 0; r < run->R; r++)
    for (size_t n = 0; n < N; n++) {
      const float v = (run->tensor[s->in[0]][r * N + n] - mean[n]) * scale[n];
      run->tensor[s->out][r * N + n] = v < -10.0f ? -10.0f : v > 10.0f ? 10.0f : v;
    }
}
/* part end */

/* part: talk */
/* Inputs side by side, or added up. */
static void run_join(const ModelRun *run, const ModelStep *s) {
  const size_t N = run->m->tensor[s->out];
  for (size_t r = 0; r < run->R; r++) {
    float *y = run->tensor[s->out] + r * N;
    for (size_t i = 0; i < s->inputs; i++) {
      const size_t K = run->m->tensor[s->in[i]];
      const float *x = run->tensor[s->in[i]] + r * K;
      for (size_t k = 0; s->op == MODEL_ADD && k < K; k++)
        y[k] = i ? y[k] + x[k] : x[k];
      if (s->op == MODEL_ADD) continue;
      memcpy(y, x, K * sizeof *y);
      y += K;
    }
  }
}

/* Adds what the agents of a team say to one another, each by its share. */
static void hear(float *y, const float *share, const float *said, size_t team, size_t N) {
  memset(y, 0, N * sizeof *y);
  for (size_t j = 0; j < team; j++)
    for (size_t n = 0; share[j] > 0 && n < N; n++)
      y[n] += share[j] * said[j * N + n];
}

static void run_mix(const ModelRun *run, const ModelStep *s) {
  const size_t team = run->m->team;
  const size_t N = run->m->tensor[s->out];
  for (size_t r = 0; r < run->R; r++) {
    float *link = run->tensor[s->in[0]] + r * team;
    float *y = run->tensor[s->out] + r * N;
    float sum = 0;
    for (size_t j = 0; j < team; j++)
      sum += link[j];
    hear(y, link, run->tensor[s->in[1]] + r / team * team * N, team, N);
    for (size_t n = 0; sum > 1 && n < N; n++)
      y[n] /= sum;
  }
}
/* part end */

/* part: attend */
/* How many scores come before the j-th: higher ones, and equal ones that stand before it. */
static size_t score_rank(const float *score, size_t team, size_t j) {
  size_t rank = 0;
  for (size_t k = 0; k < team; k++)
    rank += score[k] > score[j] || (k < j && !(score[j] > score[k]));
  return rank;
}

/* Shares of 1, of the `top` highest scores (0: of all); -INFINITY is not heard. */
static void share_out(float *share, const float *score, size_t team, size_t top) {
  float most = -INFINITY;
  float sum = 0;
  for (size_t j = 0; j < team; j++)
    most = score[j] > most ? score[j] : most;
  for (size_t j = 0; j < team; j++) {
    const bool heard = !isinf(score[j]) && (top == 0 || score_rank(score, team, j) < top);
    share[j] = heard ? expf(score[j] - most) : 0.0f;
    sum += share[j];
  }
  for (size_t j = 0; sum > 0 && j < team; j++)
    share[j] /= sum;
}

static void run_attend(const ModelRun *run, const ModelStep *s) {
  const size_t team = run->m->team;
  const size_t D = run->m->tensor[s->in[1]];
  const size_t N = run->m->tensor[s->out];
  const float scale = 1.0f / sqrtf((float)D);
  float *score = run->scratch;
  float *share = score + team;
  for (size_t r = 0; r < run->R; r++) {
    const size_t first = r / team * team;
    const float *query = run->tensor[s->in[1]] + r * D;
    for (size_t j = 0; j < team; j++) {
      const float *key = run->tensor[s->in[2]] + (first + j) * D;
      float sum = 0;
      for (size_t d = 0; d < D; d++)
        sum += query[d] * key[d];
      score[j] = run->tensor[s->in[0]][r * team + j] > 0 ? scale * sum : -INFINITY;
    }
    share_out(share, score, team, s->top);
    hear(run->tensor[s->out] + r * N, share, run->tensor[s->in[3]] + first * N, team, N);
  }
}
/* part end */

/* One step over all rows; returns where the next one's packed matrices begin. */
static const float *run_step(const ModelRun *run, const ModelStep *s, const float *packed) {
  const Model *m = run->m;
  const size_t K = m->tensor[s->in[0]];
  const size_t N = m->tensor[s->out];
  const float *x = run->tensor[s->in[0]];
  float *y = run->tensor[s->out];
  switch (s->op) {
  case MODEL_DENSE:
  case MODEL_PRODUCT:
    /* part: half */
    if (s->half) x = to_halves(run->scratch, x, run->R * K);
    /* part end */
    return multiply(y, x, packed, s->op == MODEL_DENSE ? run->block + s->bias : NULL, s->act,
                    run->R, K, N);
  case MODEL_BROADCAST:
    for (size_t r = 0; r < run->R; r++)
      memcpy(y + r * N, run->block + s->bias, N * sizeof *y);
    break;
  /* part: conv */
  case MODEL_CONV: return run_conv(run, s, packed);
  /* part end */
  /* part: layer_norm */
  case MODEL_NORM: run_norm(run, s); break;
  /* part end */
  /* part: normalise */
  case MODEL_NORMALISE: run_normalise(run, s); break;
  /* part end */
  case MODEL_RESCALE:
    for (size_t r = 0; r < run->R; r++)
      y[r] = x[r * K + s->column] * run->block[s->weight] + run->block[s->bias];
    break;
  /* part: memory */
  case MODEL_GRU:
  case MODEL_LSTM: return run_memory(run, s, packed);
  /* part end */
  /* part: talk */
  case MODEL_JOIN:
  case MODEL_ADD: run_join(run, s); break;
  case MODEL_ACT:
    memcpy(y, x, run->R * N * sizeof *y);
    model_activate(s->act, y, run->R * N);
    break;
  case MODEL_MIX: run_mix(run, s); break;
  /* part end */
  /* part: attend */
  case MODEL_ATTEND: run_attend(run, s); break;
  /* part end */
  default: break;
  }
  return packed;
}

/* --- rows in --- */

static inline bool has_numbers(const Model *m) {
  return m->rule == MODEL_NUMBERS || m->rule == MODEL_SQUASHED;
}

static uint32_t agent_of(const ModelRows *rows, size_t row) {
  return rows->agents ? rows->agents[row] : 0;
}

static float *memory_of(const Model *m, const ModelRows *rows, size_t row) {
  return rows->memory + (rows->slot ? rows->slot[row] : row) * (size_t)m->memory;
}

/* part: inputs */
/* The numbers of an input that stand for place `which` of a one-hot; what is no place is nothing.
 */
static void put_one(const Model *m, float *at, size_t which, size_t count, float value) {
  for (size_t i = 0; which < count && i < m->span; i++)
    at[which * m->span + i] = value;
}
/* part end */

static void to_floats(float *restrict to, const uint8_t *restrict from, size_t count) {
  for (size_t i = 0; i < count; i++)
    to[i] = from[i];
}

/* An observation, who the agent is, and what it did last. */
static void load_row(const ModelRun *run, const ModelRows *rows, size_t at) {
  const Model *m = run->m;
  const size_t O = m->observation;
  const size_t row = run->source[at];
  float *x = run->tensor[0] + at * m->tensor[0];
  memset(x + O, 0, (m->tensor[0] - O) * sizeof *x);
  if (m->bytes)
    to_floats(x, (const uint8_t *)rows->observations + row * O, O);
  else
    memcpy(x, (const float *)rows->observations + row * O, O * sizeof *x);
  /* part: inputs */
  const float *last = run->before + at * m->memory + m->recurrent;
  const uint32_t agent = agent_of(rows, row);
  x += O;
  if (m->ids && agent < m->agents) put_one(m, x, m->id_of[agent], m->ids, 1);
  x += (size_t)m->ids * m->span;
  for (size_t h = 0, from = 0; m->last_inputs && h < m->lasts; from += m->head_size[h++])
    if (has_numbers(m))
      put_one(m, x, h, m->last_inputs, last[h]);
    else if (last[h] >= 1 && last[h] <= (float)m->head_size[h])
      put_one(m, x, from + (size_t)last[h] - 1, m->last_inputs, 1);
  /* part end */
}

/* part: talk */
static bool is_alive(const ModelRows *rows, size_t row) {
  return !rows->alive || rows->alive[row];
}

/* The square of how far two rows' agents are apart. */
static double apart(const ModelRows *rows, size_t a, size_t b) {
  double sum = 0;
  for (size_t i = 0; i < 3; i++) {
    const double gap = (double)rows->positions[a * 3 + i] - (double)rows->positions[b * 3 + i];
    sum += gap * gap;
  }
  return sum;
}

/* Whether fewer than `nearest` teammates in the game are nearer than row b is, of equally near ones
 * those before it. */
static bool is_near(const Model *m, const ModelRows *rows, size_t first, size_t own, size_t b) {
  const double far = apart(rows, own, b);
  size_t nearer = 0;
  for (size_t k = first; k < first + m->team; k++) {
    if (k == own || k == b || !is_alive(rows, k)) continue;
    const double other = apart(rows, own, k);
    nearer += other < far || (k < b && !(other > far));
  }
  return nearer < m->nearest;
}

/* Whom the agent at a place hears: those of its team that are in the game and speak to it. */
static void load_links(const ModelRun *run, const ModelRows *rows, size_t at) {
  const Model *m = run->m;
  const size_t row = run->source[at];
  const size_t first = row / m->team * m->team;
  const size_t first_at = at / m->team * m->team;
  float *link = run->tensor[m->links] + at * m->team;
  const bool far = m->talk == TALK_NEAREST && m->nearest < m->team - 1;
  for (size_t j = 0; j < m->team; j++) {
    const float *last = run->before + (first_at + j) * m->memory + m->recurrent;
    bool hears = first + j != row && is_alive(rows, row) && is_alive(rows, first + j);
    if (hears && m->gates) hears = last[m->lasts] > 0.5f;
    if (hears && far) hears = is_near(m, rows, first, row, first + j);
    link[j] = hears;
  }
}
/* part end */

/* --- what is done --- */

/* A number that seed, row and head decide. */
static uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/* Within 0 .. 1, without 1. */
static double unit_of(uint64_t seed, uint64_t row, uint64_t which) {
  return (double)(mixed(mixed(mixed(seed) ^ row) ^ which) >> 11) * 0x1p-53;
}

/* part: numbers */
/* Box and Muller. */
static double normal_of(uint64_t seed, uint64_t row, uint64_t which) {
  const double u = 1 - unit_of(seed, row, 2 * which);
  return sqrt(-2 * log(u)) * cos(6.283185307179586 * unit_of(seed, row, 2 * which + 1));
}
/* part end */

/* part: choices */
/* e to the power of x, where that is no more than 0: 2 to the whole part of x / log 2, times a
 * polynomial of the rest, within 2e-7 of it; 0 below -87. */
static inline Vector vector_exp(Vector x) {
  const Vector within = vector_max(x, vector_of(-87.0f));
  const Vector whole = within * 1.44269504f + 12582912.0f; /* adding that rounds */
  const Vector power = whole - 12582912.0f;
  const Vector r = within - power * 0.693359375f + power * 2.12194440e-4f;
  Vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return vector_where(x >= -87.0f, (p * r * r + r + 1.0f) * vector_power(whole));
}

/* Probabilities of one head's choices, in place; where nothing is allowed all are 0. */
static void soften(float *x, const uint8_t *mask, uint32_t size) {
  float top = MODEL_MASKED;
  float sum = 0;
  for (uint32_t i = 0; i < size; i++) {
    x[i] = mask && !mask[i] ? MODEL_MASKED : x[i];
    top = x[i] > top ? x[i] : top;
  }
  if (!(top > MODEL_MASKED)) top = 0;
  for (uint32_t i = 0; i < size; i += MODEL_LANES)
    vector_put(x + i, vector_exp(vector_get(x + i, size - i) - top), size - i);
  for (uint32_t i = 0; i < size; i++)
    sum += x[i];
  const float share = sum > 0 ? 1 / sum : 0;
  for (uint32_t i = 0; i < size; i += MODEL_LANES)
    vector_put(x + i, vector_get(x + i, size - i) * share, size - i);
}

/* The first of the best that are allowed; `size`: none is. */
static uint32_t best_of(const float *x, const uint8_t *mask, uint32_t size) {
  uint32_t best = size;
  for (uint32_t i = 0; i < size; i++)
    if ((!mask || mask[i]) && (best == size || x[i] > x[best])) best = i;
  return best;
}

/* part: worths */
/* All on the best of the worths, in place; returns what that is worth. */
static float take_best(float *x, uint32_t best, uint32_t size) {
  const float worth = best < size ? x[best] : 0;
  for (uint32_t i = 0; i < size; i++)
    x[i] = i == best;
  return worth;
}
/* part end */

/* By their probabilities; rounding may leave a rest, which is the last possible one's. */
static uint32_t draw(const float *x, uint32_t size, double u) {
  uint32_t best = 0;
  for (uint32_t i = 0; i < size; i++) {
    if (!(x[i] > 0)) continue;
    u -= (double)x[i];
    best = i;
    if (u < 0) break;
  }
  return best;
}

/* Choices of a row: x (width) becomes probabilities. */
static void choose(const Model *m, const ModelRows *rows, size_t row, float *x, float *last,
                   float *value) {
  const uint32_t outer = m->heads - m->inner;
  const uint32_t own = m->choices - (m->inner ? m->head_size[m->heads - 1] : 0);
  const uint8_t *mask = rows->masks ? rows->masks + row * own : NULL;
  float log_prob = 0;
  for (uint32_t h = 0, at = 0; h < m->heads; at += m->head_size[h++]) {
    const uint32_t size = m->head_size[h];
    const uint8_t *allowed = mask && h < outer ? mask + at : NULL;
    const bool greedy = rows->greedy || m->rule == MODEL_WORTHS;
    uint32_t choice = greedy ? best_of(x + at, allowed, size) : 0;
    /* part: worths */
    if (m->rule == MODEL_WORTHS) *value = take_best(x + at, choice, size) + (h ? *value : 0);
    /* part end */
    if (m->rule != MODEL_WORTHS) soften(x + at, allowed, size);
    if (!greedy) choice = draw(x + at, size, unit_of(rows->seed, row, h));
    if (choice == size) choice = 0;
    if (h < outer) {
      if (rows->log_prob) log_prob += x[at + choice] > 0 ? logf(x[at + choice]) : MODEL_MASKED;
      if (rows->choice) rows->choice[row * outer + h] = (int32_t)choice;
      if (h < m->lasts) last[h] = (float)(choice + 1);
    } else {
      last[m->lasts] = (float)choice;
    }
  }
  (void)value;
  if (rows->log_prob) rows->log_prob[row] = log_prob;
  if (rows->probability) memcpy(rows->probability + (size_t)row * own, x, own * sizeof *x);
}
/* part end */

/* part: numbers */
/* Numbers of a row, of means and log deviations x (width), in half-ranges around the middle of
 * their range. */
static void choose_numbers(const Model *m, const ModelRows *rows, size_t row, const float *x,
                           float *last) {
  const uint32_t N = m->heads;
  const uint32_t agent = agent_of(rows, row) < m->agents ? agent_of(rows, row) : 0;
  const uint8_t *mask = rows->masks ? rows->masks + row * N : NULL;
  const bool squashed = m->rule == MODEL_SQUASHED;
  float log_prob = 0;
  for (uint32_t h = 0; h < N; h++) {
    const bool there = !mask || mask[h];
    const float low = m->low[agent * N + h];
    const float high = m->high[agent * N + h];
    const float half = high / 2 - low / 2;
    const float middle = low + half;
    const float mean = !there ? 0 : squashed ? tanhf(x[h]) : x[h];
    const float deviation = there && !squashed ? expf(x[N + h]) : 0;
    const float z = rows->greedy || deviation <= 0 ? 0 : (float)normal_of(rows->seed, row, h);
    const float taken = mean + deviation * z;
    const float real = middle + half * taken;
    if (deviation > 0) log_prob -= 0.5f * z * z + x[N + h] + 0.91893853320467274f;
    if (rows->number) rows->number[row * N + h] = real < low ? low : real > high ? high : real;
    if (rows->probability) {
      rows->probability[row * 2 * N + h] = middle + half * mean;
      rows->probability[row * 2 * N + N + h] = half * deviation;
    }
    if (h < m->lasts) last[h] = taken;
  }
  if (rows->log_prob) rows->log_prob[row] = log_prob;
}
/* part end */

/* The outputs of the row at a place, side by side. */
static const float *outputs(const ModelRun *run, size_t at) {
  const Model *m = run->m;
  const bool numbers = has_numbers(m);
  const size_t N = numbers ? m->heads : m->width;
  float *x = run->row + at * m->width;
  memset(x, 0, m->width * sizeof *x);
  memcpy(x, run->tensor[m->logits] + at * m->tensor[m->logits], N * sizeof *x);
  if (m->spread >= 0) memcpy(x + N, run->tensor[m->spread] + at * N, N * sizeof *x);
  return x;
}

/* A number that nothing can be made of: no number, or beyond the limit. */
static bool is_bad(float x, float limit) {
  return !(x >= -limit && x <= limit);
}

static int check_outputs(const ModelRun *run, ModelFault *fault) {
  const Model *m = run->m;
  for (size_t at = 0; at < run->R; at++) {
    const float *x = outputs(run, at);
    const float value = run->tensor[m->value][at];
    for (size_t i = 0; i < m->width; i++)
      if (is_bad(x[i], MODEL_LARGEST)) {
        *fault = (ModelFault){run->source[at], i, x[i]};
        return MODEL_BAD_OUTPUT;
      }
    if (is_bad(value, 3e38f)) {
      *fault = (ModelFault){run->source[at], m->width, value};
      return MODEL_BAD_OUTPUT;
    }
  }
  return MODEL_FINE;
}

/* Decides the rows of a chunk. Memories move only if all of it can be. */
static int run_chunk(ModelRun *run, const float *packed, const ModelRows *rows, ModelFault *fault) {
  const Model *m = run->m;
  for (size_t at = 0; m->memory && at < run->R; at++)
    memcpy(run->before + at * m->memory, memory_of(m, rows, run->source[at]),
           m->memory * sizeof(float));
  for (size_t at = 0; at < run->R; at++) {
    load_row(run, rows, at);
    /* part: talk */
    if (m->links >= 0) load_links(run, rows, at);
    /* part end */
  }
  for (size_t i = 0; i < m->steps; i++) {
    /* part: watch */
    if (rows->watch)
      rows->watch(rows->watcher, (size_t)(run->block - m->block) / m->stride, i,
                  run->tensor[m->step[i].in[0]], run->R);
    /* part end */
    packed = run_step(run, &m->step[i], packed);
  }
  const int status = check_outputs(run, fault);
  for (size_t at = 0; status == MODEL_FINE && at < run->R; at++) {
    const size_t row = run->source[at];
    if (rows->acts && !rows->acts[row]) continue;
    float *last = run->after + at * m->memory + m->recurrent;
    float *x = run->row + at * m->width;
    float value = run->tensor[m->value][at];
    /* part: numbers */
    if (has_numbers(m)) choose_numbers(m, rows, row, x, last);
    /* part end */
    /* part: choices */
    if (!has_numbers(m)) choose(m, rows, row, x, last, &value);
    /* part end */
    if (rows->value) rows->value[row] = value;
    if (m->memory)
      memcpy(memory_of(m, rows, row), run->after + at * m->memory, m->memory * sizeof(float));
  }
  return status;
}

/* Where everything lies in the scratch (model_scratch floats). */
static void lay_out(const Model *m, float *scratch, ModelRun *run) {
  const size_t rows = model_chunk(m);
  run->m = m;
  for (size_t t = 0; t < m->tensors; t++) {
    run->tensor[t] = scratch;
    scratch += rows * m->tensor[t];
  }
  run->before = scratch;
  run->after = run->before + rows * m->memory;
  run->row = run->after + rows * m->memory;
  run->scratch = run->row + rows * m->width;
}

/* Decides all rows: MODEL_FINE, or what is wrong, with where. source: model_chunk numbers. */
static int model_act(const Model *m, const float *packed, float *scratch, size_t *source,
                     const ModelRows *rows, ModelFault *fault) {
  const size_t chunk = model_chunk(m);
  const size_t O = m->observation;
  ModelRun run = {.source = source};
  lay_out(m, scratch, &run);
  for (size_t i = 0; !m->bytes && i < rows->count * O; i++)
    if (is_bad(((const float *)rows->observations)[i], 3.402823466e38f)) {
      *fault = (ModelFault){i / O, i % O, ((const float *)rows->observations)[i]};
      return MODEL_BAD_OBSERVATION;
    }
  for (size_t c = 0; c < m->copies; c++, packed += model_packed(m)) {
    run.block = m->block + c * m->stride;
    for (size_t row = 0; row < rows->count;) {
      for (run.R = 0; row < rows->count && run.R < chunk; row++) {
        const uint32_t agent = agent_of(rows, row);
        const size_t own = m->copies > 1 && agent < m->agents ? m->copy_of[agent] : 0;
        if (own == c) source[run.R++] = row;
      }
      const int status = run.R ? run_chunk(&run, packed, rows, fault) : MODEL_FINE;
      if (status != MODEL_FINE) return status;
    }
  }
  return MODEL_FINE;
}

/* Vectors of LANES floats in GCC's vector types, and what is done with them in more than one
 * kernel: activations, transposes, the epilogue of a tile. Included by files that are compiled once
 * per instruction set. */
#pragma once
#include "nn/kernels/kernels.h"

#include <math.h>
#include <string.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

typedef float Vector __attribute__((vector_size(LANES * 4)));
typedef float Loose __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t Whole __attribute__((vector_size(LANES * 4)));

/* Unaligned; so is store. */
static inline Vector load(const float *p) {
  return *(const Loose *)p;
}
static inline void store(float *p, Vector v) {
  *(Loose *)p = v;
}

/* x in every lane. */
static inline Vector splat(float x) {
  return x - (Vector){0};
}

/* Lane by lane; so is larger. */
static inline Vector smaller(Vector a, Vector b) {
  Whole pick = a < b;
  return (Vector)(((Whole)a & pick) | ((Whole)b & ~pick));
}
static inline Vector larger(Vector a, Vector b) {
  Whole pick = a > b;
  return (Vector)(((Whole)a & pick) | ((Whole)b & ~pick));
}

/* --- activations --- */
static inline Vector reciprocal(Vector x) {
#ifdef __AVX512F__
  Vector r = (Vector)_mm512_rcp14_ps((__m512)x);
  return r * (2.0f - x * r);
#else
  return 1.0f / x;
#endif
}

/* x P(x^2) / Q(x^2) on [-9, 9]: a fit of this project's own, relative error 2e-8 before
 * rounding. */
static inline Vector tanh_of(Vector x) {
  x = smaller(larger(x, splat(-9.0f)), splat(9.0f));
  Vector u = x * x;
  Vector p = u * 1.335520612e-08f + 2.060952696e-05f;
  Vector q = u * 7.776796628e-07f + 3.285681035e-04f;
  p = p * u + 3.495617326e-03f;
  q = q * u + 2.587709562e-02f;
  p = p * u + 1.338105101e-01f;
  q = q * u + 4.671436668e-01f;
  p = p * u + 9.999999797e-01f;
  q = q * u + 1.0f;
  return smaller(larger(x * p * reciprocal(q), splat(-1.0f)), splat(1.0f));
}

/* Cephes' expf: x = n log 2 + r, a polynomial in r, times 2^n by way of the exponent's bits. x is
 * clamped to -87 .. 88, where neither 2^n nor the result leaves float's range. */
static inline Vector exp_of(Vector x) {
  x = smaller(larger(x, splat(-87.0f)), splat(88.0f));
  Vector shifted = x * 1.44269504088896341f + 12582912.0f;
  Vector n = shifted - 12582912.0f;
  Vector r = x - n * 0.693359375f - n * -2.12194440e-4f;
  Vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * (Vector)(((Whole)shifted - 0x4B400000 + 127) << 23);
}

/* act is known when this is compiled: the branch goes. */
static inline Vector activated(Activation act, Vector x) {
  return act == ACT_TANH ? tanh_of(x) : act == ACT_RELU ? larger(x, splat(0)) : x;
}

/* d * act'(x), by y = act(x): 1 - y^2 for tanh, y > 0 for relu. */
static inline Vector derived(Activation act, Vector d, Vector y) {
  if (act == ACT_TANH) return d * (1.0f - y * y);
  if (act == ACT_RELU) return (Vector)((Whole)d & (y > 0.0f));
  return d;
}

#ifndef __clang__
/* Turns a square of LANES x LANES: at distance s, quadrants off the diagonal change places (Eklundh
 * 1972). */
static inline void turn_square(float *to, size_t to_row, const float *from, size_t from_row) {
  Vector v[LANES];
  for (size_t i = 0; i < LANES; i++)
    v[i] = load(from + i * from_row);
  _Pragma("GCC unroll 4") for (int s = LANES / 2; s >= 1; s /= 2) {
    Whole low, high;
    for (int l = 0; l < LANES; l++) {
      low[l] = l & s ? LANES + l - s : l;
      high[l] = l & s ? LANES + l : l + s;
    }
    _Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) {
      if (i & s) continue;
      Vector a = v[i];
      Vector b = v[i + s];
      v[i] = __builtin_shuffle(a, b, low);
      v[i + s] = __builtin_shuffle(a, b, high);
    }
  }
  for (size_t i = 0; i < LANES; i++)
    store(to + i * to_row, v[i]);
}
#else
static inline void turn_square(float *to, size_t to_row, const float *from, size_t from_row) {
  for (size_t k = 0; k < LANES; k++)
    for (size_t j = 0; j < LANES; j++)
      to[k * to_row + j] = from[j * from_row + k];
}
#endif

static inline size_t vectors_of(size_t columns) {
  return (columns + LANES - 1) / LANES;
}

/* --- epilogues --- */
typedef struct Place { /* of a tile in C */
  size_t row;
  size_t rows;
  size_t column;
  size_t columns;
  size_t width;
  bool first; /* this is the first block of k */
  bool last;  /* this is the last one */
} Place;

/* One vector of a tile at c; a partial one goes through a buffer. */
static inline Vector fetch(const float *p, size_t count) {
  if (count >= LANES) return load(p);
  Vector v = {0};
  for (size_t i = 0; i < count; i++)
    v[i] = p[i];
  return v;
}

/* Stores the first `count` lanes. */
static inline void put(float *p, Vector v, size_t count) {
  if (count >= LANES)
    store(p, v);
  else
    for (size_t i = 0; i < count; i++)
      p[i] = v[i];
}

/* The epilogue of a tile, with both activations known when this is compiled. */
static inline void finish_with(const Product *p, const Place *at, const float *tile, Activation act,
                               Activation below) {
  bool add = p->accumulate || !at->first;
  for (size_t i = 0; i < at->rows; i++) {
    float *c = p->c + (at->row + i) * p->c_row + at->column;
    const float *y = below != ACT_NONE ? p->y + (at->row + i) * p->y_row + at->column : NULL;
    for (size_t j = 0; j < at->columns; j += LANES) {
      size_t count = at->columns - j;
      Vector v = load(tile + i * at->width + j);
      if (add) v += fetch(c + j, count);
      if (at->last) {
        if (p->bias) v += fetch(p->bias + at->column + j, count);
        v = activated(act, v);
        if (below != ACT_NONE) v = derived(below, v, fetch(y + j, count));
      }
      put(c + j, v, count);
    }
  }
}

/* Picks the epilogue; only the last part of the depth has activations. */
static inline void finish_tile(const Product *p, const Place *at, const float *tile) {
  Activation act = at->last ? p->act : ACT_NONE;
  Activation below = at->last ? p->below : ACT_NONE;
  if (act == ACT_TANH)
    finish_with(p, at, tile, ACT_TANH, ACT_NONE);
  else if (act == ACT_RELU)
    finish_with(p, at, tile, ACT_RELU, ACT_NONE);
  else if (below == ACT_TANH)
    finish_with(p, at, tile, ACT_NONE, ACT_TANH);
  else if (below == ACT_RELU)
    finish_with(p, at, tile, ACT_NONE, ACT_RELU);
  else
    finish_with(p, at, tile, ACT_NONE, ACT_NONE);
}

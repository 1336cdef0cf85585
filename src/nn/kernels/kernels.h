/* Dense arithmetic at the speed of the core: one table of functions per instruction set, chosen
 * when the program runs. A weight matrix is *packed* once per version into panels of columns, so
 * that a product streams it from cache; activations, biases and the derivative of the layer below
 * are applied to a tile while it is in registers or L1. All is one thread. Letters: R rows, K
 * inputs, N outputs. */
#pragma once
#include "base/status.h"
#include "nn/ops/ops.h"

#include <stdbool.h>

/* C (M,N) = epilogue(A (M,K) B (K,N)). Everything is borrowed. */
typedef struct Product {
  size_t M;
  size_t N;
  size_t K;
  const float *a;
  size_t a_row; /* element (i,k) of A is a[i * a_row + k * a_column] */
  size_t a_column;
  const void *packed; /* B in panels, or NULL: */
  const float *b; /* element (k,j) of B is b[k * b_row + j * b_column]; one of the strides is 1 */
  size_t b_row;
  size_t b_column;
  float *c;
  size_t c_row;
  /* The epilogue, in this order: + c (accumulate), + bias (N), activation, * derivative of the
   * activation `below` by its outputs y (M,N; stride y_row). */
  bool accumulate;
  const float *bias;
  Activation act;
  Activation below;
  const float *y;
  size_t y_row;
} Product;

typedef struct AdamStep {
  float beta1;
  float beta2;
  float epsilon;
  float rate;
  float scale;    /* of the gradient */
  float correct1; /* 1 / (1 - beta1^step) */
  float correct2; /* 1 / (1 - beta2^step) */
} AdamStep;

typedef struct Kernels {
  const char *name;
  bool (*supported)(void);
  void (*multiply)(const Product *product);
  /* Floats of a packed B (K,N). */
  size_t (*packed_size)(size_t K, size_t N);
  void (*pack)(float *packed, const float *b, size_t b_row, size_t b_column, size_t K, size_t N);
  /* y (R,N) = act(x B + bias) where x (R,K) is given by its non-zero entries: column[first[r] ..
   * first[r+1]-1]. */
  void (*sparse_forward)(float *y, const uint32_t *first, const uint16_t *column,
                         const float *packed, const float *bias, Activation act, size_t R, size_t K,
                         size_t N);
  /* dw (N,K) += dy^T x for the same x; scratch: K * (N + 64) floats. */
  void (*sparse_gradient)(float *dw, const float *dy, const uint32_t *first, const uint16_t *column,
                          float *scratch, size_t R, size_t K, size_t N);
  void (*activate)(Activation act, float *x, size_t count); /* relu and tanh, in place */
  void (*derive)(Activation act, float *d, const float *y,
                 size_t count); /* relu and tanh: d *= act'(y) */
  void (*column_sums)(float *sum, const float *x, size_t R, size_t N); /* sum (N) += over rows */
  /* Masked log-softmax of R rows of one head: masked choices -1e30; mask may be NULL. In place
   * allowed. */
  void (*log_softmax)(float *out, const float *logits, size_t stride, const uint8_t *mask, size_t R,
                      size_t width);
  void (*exponentials)(float *out, const float *x, size_t count); /* 0 where x is -1e30 (masked) */
  void (*adam)(float *params, float *m, float *v, const float *gradient, size_t count,
               const AdamStep *step);
  double (*square_sum)(const float *x, size_t count);
  /* Runs `steps` rounds of independent multiply-adds in registers; returns how many FLOPs that was.
   * For measuring peaks. */
  double (*spin)(size_t steps);
  /* One row of a GRU step (PyTorch's gates r, z, n): gate (3H) holds the input products and becomes
   * the gates; hidden (3H) the hidden products; h (H) the state before; y (H) the state after. */
  void (*gru_row)(float *y, float *gate, const float *hidden, const float *h, size_t H);
  /* One row of an LSTM step (i, f, g, o): gate (4H) likewise, with both products in it; p (H) and c
   * (H) the cell before and after. */
  void (*lstm_row)(float *y, float *c, float *gate, const float *p, size_t H);
} Kernels;

/* Products of operands rounded to bfloat16, summed in float32; layouts of their own. */
typedef struct Bf16Kernels {
  const char *name;
  bool (*supported)(void); /* and faster than float32 here */
  void (*multiply)(const Product *product);
  size_t (*packed_size)(size_t K, size_t N); /* in floats */
  void (*pack)(float *packed, const float *b, size_t b_row, size_t b_column, size_t K, size_t N);
} Bf16Kernels;

/* NULL where the processor gains nothing from bfloat16: AMX tiles, else AVX512-BF16 where it runs
 * at the double rate. */
const Bf16Kernels *bf16_kernels(void);
/* Every table compiled in, plain C last; NULL past the end. */
const Bf16Kernels *bf16_at(size_t index);
void bf16_choose(const Bf16Kernels *table); /* for tests; NULL: automatic again */

/* The table in use: the best that this processor supports unless kernels_choose named another. */
const Kernels *kernels(void);
/* Every table compiled in, best first; NULL past the end. */
const Kernels *kernels_at(size_t index);
/* "auto" or a name; ERR_USAGE if this processor lacks it. At start-up. */
Status kernels_choose(const char *name);

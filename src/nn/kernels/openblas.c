#include "nn/kernels/openblas.h"

#include "nn/kernels/kernels.h"

#include <cblas.h>
#include <string.h>

void gemm_set_threads(int threads) {
  openblas_set_num_threads(threads);
}
const char *gemm_library(void) {
  return openblas_get_config();
}

extern const Kernels kernel_plain;

static size_t packed_size(size_t K, size_t N) {
  return K * N;
}

/* "Packed" is plain row-major (K,N). */
static void pack(float *packed, const float *b, size_t b_row, size_t b_column, size_t K, size_t N) {
  for (size_t k = 0; k < K; k++)
    for (size_t n = 0; n < N; n++)
      packed[k * N + n] = b[k * b_row + n * b_column];
}

/* What our own kernels do to a tile in registers is another pass over memory here. */
static void epilogue(const Product *p) {
  for (size_t i = 0; i < p->M; i++) {
    float *c = p->c + i * p->c_row;
    for (size_t j = 0; p->bias && j < p->N; j++)
      c[j] += p->bias[j];
    if (p->act != ACT_NONE) kernel_plain.activate(p->act, c, p->N);
    if (p->below != ACT_NONE) kernel_plain.derive(p->below, c, p->y + i * p->y_row, p->N);
  }
}

/* BLAS wants whole rows with a leading dimension, transposed or not, where Product has two strides,
 * of which one is 1. */
static void multiply(const Product *p) {
  if (!p->M || !p->N) return;
  bool a_turned = p->a_row == 1 && p->a_column != 1;
  bool b_turned = !p->packed && p->b_row == 1 && p->b_column != 1;
  size_t a_step = a_turned ? p->a_column : p->a_row;
  size_t b_step = b_turned ? p->b_column : p->packed ? p->N : p->b_row;
  if (!a_turned && a_step < p->K) a_step = p->K; /* of a single row: any will do */
  if (!b_turned && b_step < p->N) b_step = p->N;
  cblas_sgemm(CblasRowMajor, a_turned ? CblasTrans : CblasNoTrans,
              b_turned ? CblasTrans : CblasNoTrans, (int)p->M, (int)p->N, (int)p->K, 1.0f, p->a,
              (int)a_step, p->packed ? p->packed : p->b, (int)b_step, p->accumulate ? 1.0f : 0.0f,
              p->c, (int)p->c_row);
  epilogue(p);
}

static void sparse_forward(float *y, const uint32_t *first, const uint16_t *column,
                           const float *packed, const float *bias, Activation act, size_t R,
                           size_t K, size_t N) {
  (void)K;
  for (size_t r = 0; r < R; r++) {
    float *row = y + r * N;
    memcpy(row, bias, N * sizeof *row);
    for (uint32_t i = first[r]; i < first[r + 1]; i++)
      for (size_t n = 0; n < N; n++)
        row[n] += packed[column[i] * N + n];
  }
  if (act != ACT_NONE) kernel_plain.activate(act, y, R * N);
}

static bool supported(void) {
  return true;
}

static Kernels table;

/* OpenBLAS multiplies; all else is the plain kernels'. */
const Kernels *gemm_kernels(void) {
  if (table.name) return &table;
  table = kernel_plain; /* everything but products */
  table.multiply = multiply;
  table.packed_size = packed_size;
  table.pack = pack;
  table.sparse_forward = sparse_forward;
  table.supported = supported;
  table.name = "openblas";
  return &table;
}

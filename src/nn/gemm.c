#include "nn/gemm.h"

#include <cblas.h>

void gemm_set_threads(int threads) { openblas_set_num_threads(threads); }
const char *gemm_library(void) { return openblas_get_config(); }

void gemm_nt(size_t m, size_t n, size_t k, const float *a, const float *b, float beta, float *c) {
  if (!m || !n) return;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, 1.0f, a, (int)k, b, (int)k, beta, c,
              (int)n);
}

void gemm_nn(size_t m, size_t n, size_t k, const float *a, const float *b, float beta, float *c) {
  if (!m || !n) return;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)n, (int)k, 1.0f, a, (int)k, b, (int)n, beta, c,
              (int)n);
}

void gemm_tn(size_t m, size_t n, size_t k, const float *a, const float *b, float beta, float *c) {
  if (!m || !n) return;
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)m, (int)n, (int)k, 1.0f, a, (int)m, b, (int)n, beta, c,
              (int)n);
}

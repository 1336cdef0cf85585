/* Matrix products, row-major, float32. The only place that calls BLAS; one thread per rank. */
#pragma once
#include <stddef.h>

void gemm_set_threads(int threads);
const char *gemm_library(void); /* name and version of the BLAS, for the banner */
/* c (m,n) = a (m,k) * b (n,k)^T + beta * c */
void gemm_nt(size_t m, size_t n, size_t k, const float *a, const float *b, float beta, float *c);
/* c (m,n) = a (m,k) * b (k,n) + beta * c */
void gemm_nn(size_t m, size_t n, size_t k, const float *a, const float *b, float beta, float *c);
/* c (m,n) = a (k,m)^T * b (k,n) + beta * c */
void gemm_tn(size_t m, size_t n, size_t k, const float *a, const float *b, float beta, float *c);

/* OpenBLAS as one of the kernel tables: the reference that the others are tested against, and what
 * `kernels: openblas` chooses. The only place that calls BLAS; one thread per rank. */
#pragma once
#include "nn/kernels/kernels.h"

void gemm_set_threads(int threads);
const char *gemm_library(void); /* name and version of the BLAS, for the banner */
const Kernels *gemm_kernels(void);

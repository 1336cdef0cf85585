/* What this core can do: fused multiply-adds per second in registers, and OpenBLAS's sgemm. Prints GFLOP/s. */
#include "nn/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef float Wide __attribute__((vector_size(64)));

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double fma_peak(void) {
  enum { CHAINS = 16, STEPS = 20000000 };
  Wide a[CHAINS], x = {0}, y = {0};
  for (int i = 0; i < 16; i++) x[i] = .999f, y[i] = .001f;
  for (int c = 0; c < CHAINS; c++) a[c] = x;
  double start = now();
  for (int s = 0; s < STEPS / CHAINS * 4; s++)
    for (int c = 0; c < CHAINS; c++) {
      a[c] = a[c] * x + y;
      __asm__ volatile("" : "+v"(a[c])); /* keep each chain in its register */
    }
  double took = now() - start, sum = 0;
  for (int c = 0; c < CHAINS; c++) sum += (double)a[c][0];
  return sum > 0 ? 2.0 * 16 * STEPS * 4 / took * 1e-9 : 0;
}

static double gemm_rate(size_t n) {
  float *a = calloc(n * n, sizeof *a), *b = calloc(n * n, sizeof *b), *c = calloc(n * n, sizeof *c);
  if (!a || !b || !c) return 0;
  double best = 0;
  for (int i = 0; i < 5; i++) {
    double start = now();
    gemm_nt(n, n, n, a, b, 0, c);
    double rate = 2.0 * (double)(n * n * n) / (now() - start) * 1e-9;
    if (rate > best) best = rate;
  }
  free(a);
  free(b);
  free(c);
  return best;
}

int main(void) {
  gemm_set_threads(1);
  printf("fma %.1f\nsgemm_1024 %.1f\nsgemm_256 %.1f\n", fma_peak(), gemm_rate(1024), gemm_rate(256));
  return 0;
}

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

/* Twelve independent chains in named variables, which stay in registers; the empty asm keeps each step. */
#define CHAINS(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define DECLARE(c) Wide a##c = x;
#define STEP(c)                                                                                                        \
  a##c = a##c * x + y;                                                                                                 \
  __asm__ volatile("" : "+v"(a##c));
#define ADD(c) sum += (double)a##c[0];

static double fma_peak(void) {
  const long steps = 20000000;
  Wide x, y;
  for (int i = 0; i < 16; i++) x[i] = .999f, y[i] = .001f;
  CHAINS(DECLARE)
  double start = now();
  for (long s = 0; s < steps; s++) {
    CHAINS(STEP)
  }
  double took = now() - start, sum = 0;
  CHAINS(ADD)
  return sum > 0 ? 2.0 * 16 * 12 * (double)steps / took * 1e-9 : 0;
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

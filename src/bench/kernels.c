/* Benchmark of dense products as networks use them: forward with bias and tanh fused, the gradient
 * of the weights, and the gradient of the inputs with the derivative below fused; the kernels in
 * use, OpenBLAS with separate passes, and bfloat16. */
#include "bench/bench.h"
#include "nn/kernels/openblas.h"
#include "nn/kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>

/* A product and its operands. */
typedef struct Shape {
  size_t R, N; /* rows; inputs and outputs */
  float *x, *y, *w, *dw, *bias;
} Shape;

/* Also for one that was only half made. */
static void shape_free(Shape *s) {
  free(s->x);
  free(s->y);
  free(s->w);
  free(s->dw);
  free(s->bias);
}

/* Numbers of the size that occur in networks: denormal ones would be slow, and zeros could be
 * skipped. */
static Status shape_open(size_t R, size_t N, Shape *s) {
  Status status = OK;
  *s = (Shape){.R = R, .N = N};
  TRY(NEW_ARRAY(s->x, R * N));
  TRY(NEW_ARRAY(s->y, R * N));
  TRY(NEW_ARRAY(s->w, N * N));
  TRY(NEW_ARRAY(s->dw, N * N));
  TRY(NEW_ARRAY(s->bias, N));
  for (size_t i = 0; i < R * N; i++)
    s->x[i] = (float)(i % 13) * 0.1f - 0.6f;
  for (size_t i = 0; i < N * N; i++)
    s->w[i] = (float)(i % 7) * 0.01f - 0.03f;
done:
  if (status != OK) shape_free(s);
  return status;
}

/* By insertion, as there are few. */
static void sort(double *sample, int count) {
  for (int i = 1; i < count; i++)
    for (int j = i; j > 0 && sample[j - 1] > sample[j]; j--) {
      double swap = sample[j];
      sample[j] = sample[j - 1];
      sample[j - 1] = swap;
    }
}

/* The median FLOP/s of one product, each sample of at least 0.2 GFLOP. */
static double rate_of(Bench *bench, void (*multiply)(const Product *), const Product *p) {
  enum { SAMPLES = 5 };
  double flops = 2.0 * (double)p->M * (double)p->N * (double)p->K;
  double sample[SAMPLES];
  int times = 1 + (int)(2e8 / flops);
  for (int i = 0; i < SAMPLES; i++) {
    int64_t start = clock_now(&bench->clock);
    for (int n = 0; n < times; n++)
      multiply(p);
    sample[i] = flops * times / bench_seconds(bench, start);
  }
  sort(sample, SAMPLES);
  return sample[SAMPLES / 2];
}

/* Times the three products of a dense layer with one table of kernels. */
static Status by_table(Bench *bench, const char *name, void (*multiply)(const Product *),
                       size_t (*packed_size)(size_t, size_t),
                       void (*pack)(float *, const float *, size_t, size_t, size_t, size_t),
                       const Shape *s) {
  char what[96];
  size_t R = s->R;
  size_t N = s->N;
  float *packed = aligned_alloc(64, (packed_size(N, N) * sizeof(float) + 63) & ~(size_t)63);
  if (!packed) return status_set(ERR_MEMORY, "out of memory packing");
  pack(packed, s->w, 1, N, N, N);
  Product forward = {.M = R,
                     .N = N,
                     .K = N,
                     .a = s->x,
                     .a_row = N,
                     .a_column = 1,
                     .packed = packed,
                     .c = s->y,
                     .c_row = N,
                     .bias = s->bias,
                     .act = ACT_TANH};
  Product gradient = {.M = N,
                      .N = N,
                      .K = R,
                      .a = s->y,
                      .a_row = 1,
                      .a_column = N,
                      .b = s->x,
                      .b_row = N,
                      .b_column = 1,
                      .c = s->dw,
                      .c_row = N};
  Product back = {.M = R,
                  .N = N,
                  .K = N,
                  .a = s->x,
                  .a_row = N,
                  .a_column = 1,
                  .packed = packed,
                  .c = s->y,
                  .c_row = N,
                  .below = ACT_TANH,
                  .y = s->x,
                  .y_row = N};
  double rates[3] = {
      rate_of(bench, multiply, &forward),
      rate_of(bench, multiply, &gradient),
      rate_of(bench, multiply, &back),
  };
  static const char *const part[3] = {"forward + tanh", "weight gradient", "input gradient"};
  Status status = OK;
  for (int i = 0; i < 3 && status == OK; i++) {
    snprintf(what, sizeof what, "%s, %zu rows x %zu wide, %s", name, R, N, part[i]);
    status = bench_add(bench, "kernels", what, "FLOP/s", &rates[i], 1, bench_fma_peak(bench),
                       "the FMA peak");
  }
  free(packed);
  return status;
}

/* All tables that this machine can run, over the shapes that networks have. */
Status bench_kernels(Bench *bench) {
  static const size_t rows[] = {8, 32, 128, 512, 2048, 8192};
  static const size_t widths[] = {32, 128, 256, 1024};
  for (size_t w = 0; w < COUNT_OF(widths); w++)
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
      Shape shape;
      const Kernels *own = kernels();
      const Kernels *blas = gemm_kernels();
      const Bf16Kernels *half = bf16_kernels();
      TRY_RETURN(shape_open(rows[r], widths[w], &shape));
      Status status =
          by_table(bench, own->name, own->multiply, own->packed_size, own->pack, &shape);
      if (status == OK && own != blas)
        status = by_table(bench, blas->name, blas->multiply, blas->packed_size, blas->pack, &shape);
      if (status == OK && half) {
        char name[32];
        snprintf(name, sizeof name, "bf16 %s", half->name);
        status = by_table(bench, name, half->multiply, half->packed_size, half->pack, &shape);
      }
      shape_free(&shape);
      TRY_RETURN(status);
    }
  return OK;
}

/* Arithmetic between tensors, row by row: what mixers are made of. */
#include "nn/graph.h"

#include <string.h>

/* Whether all inputs are as wide as the first. */
static bool same_widths(const Graph *graph, const Op *op) {
  for (size_t k = 1; k < op->inputs; k++)
    if (graph->width[op->in[k]] != graph->width[op->in[0]]) return false;
  return true;
}

static void same_shape(Graph *graph, Op *op, const char *name) {
  (void)graph;
  (void)name;
  op->out_width = op->in_width;
}

static double one_each(const Op *op) {
  return (double)op->out_width;
}

/* The input stays as it is: others may read it. */
static void act_run(const OpRun *run) {
  size_t count = run->rows * run->op->out_width;
  memcpy(run->y, run->x[0], count * sizeof *run->y);
  act_forward(run->op->act, run->y, NULL, count);
}

static void act_run_back(const OpRun *run) {
  const Op *op = run->op;
  size_t count = run->rows * op->out_width;
  if (!run->dx[0]) return;
  act_backward(op->act, run->dy, run->y, run->x[0], count);
  op_put(run->dx[0], op->beta[0], run->dy, count);
}

const OpOps op_act = {
    .name = "act",
    .shape = same_shape,
    .forward = act_run,
    .backward = act_run_back,
};

static void affine_run(const OpRun *run) {
  size_t count = run->rows * run->op->out_width;
  float scale = run->op->scale;
  float shift = run->op->shift;
  float *restrict y = run->y;
  const float *restrict x = run->x[0];
  for (size_t i = 0; i < count; i++)
    y[i] = x[i] * scale + shift;
}

static void affine_run_back(const OpRun *run) {
  const Op *op = run->op;
  if (!run->dx[0]) return;
  op_put_scaled(run->dx[0], op->beta[0], op->scale, run->dy, run->rows * op->out_width);
}

const OpOps op_affine = {
    .name = "affine",
    .shape = same_shape,
    .forward = affine_run,
    .backward = affine_run_back,
    .flops = one_each,
};

static bool add_fits(const Graph *graph, const Op *op) {
  return op->inputs >= 2 && same_widths(graph, op);
}

static void add_run(const OpRun *run) {
  size_t count = run->rows * run->op->out_width;
  memcpy(run->y, run->x[0], count * sizeof *run->y);
  for (size_t k = 1; k < run->op->inputs; k++)
    op_put(run->y, 1.0f, run->x[k], count);
}

static void add_run_back(const OpRun *run) {
  const Op *op = run->op;
  for (size_t k = 0; k < op->inputs; k++)
    if (run->dx[k]) op_put(run->dx[k], op->beta[k], run->dy, run->rows * op->out_width);
}

const OpOps op_add = {
    .name = "add",
    .fits = add_fits,
    .shape = same_shape,
    .forward = add_run,
    .backward = add_run_back,
    .flops = one_each,
};

static bool mul_fits(const Graph *graph, const Op *op) {
  return op->inputs == 2 && same_widths(graph, op);
}

/* out = beta out + a b. */
static void put_products(float *restrict out, float beta, const float *a, const float *b,
                         size_t count) {
  if (beta == 0.0f)
    for (size_t i = 0; i < count; i++)
      out[i] = a[i] * b[i];
  else
    for (size_t i = 0; i < count; i++)
      out[i] = beta * out[i] + a[i] * b[i];
}

static void mul_run(const OpRun *run) {
  put_products(run->y, 0.0f, run->x[0], run->x[1], run->rows * run->op->out_width);
}

/* One input after the other: they may be the same tensor. */
static void mul_run_back(const OpRun *run) {
  const Op *op = run->op;
  for (size_t k = 0; k < 2; k++)
    if (run->dx[k])
      put_products(run->dx[k], op->beta[k], run->dy, run->x[1 - k], run->rows * op->out_width);
}

const OpOps op_mul = {
    .name = "mul",
    .fits = mul_fits,
    .shape = same_shape,
    .forward = mul_run,
    .backward = mul_run_back,
    .flops = one_each,
};

static void sum_shape(Graph *graph, Op *op, const char *name) {
  (void)graph;
  (void)name;
  op->out_width = 1;
}

static void sum_run(const OpRun *run) {
  size_t N = run->op->in_width;
  for (size_t r = 0; r < run->rows; r++) {
    float sum = 0;
    for (size_t n = 0; n < N; n++)
      sum += run->x[0][r * N + n];
    run->y[r] = sum;
  }
}

static void sum_run_back(const OpRun *run) {
  size_t N = run->op->in_width;
  for (size_t r = 0; run->dx[0] && r < run->rows; r++)
    for (size_t n = 0; n < N; n++)
      op_put(run->dx[0] + r * N + n, run->op->beta[0], run->dy + r, 1);
}

static double sum_flops(const Op *op) {
  return (double)op->in_width;
}

const OpOps op_sum = {
    .name = "sum",
    .shape = sum_shape,
    .forward = sum_run,
    .backward = sum_run_back,
    .flops = sum_flops,
};

/* The width is the caller's to say. */
static void given_shape(Graph *graph, Op *op, const char *name) {
  (void)graph;
  (void)op;
  (void)name;
}

static bool matvec_fits(const Graph *graph, const Op *op) {
  return op->inputs == 2 && op->out_width > 0 &&
         graph->width[op->in[1]] == graph->width[op->in[0]] * op->out_width;
}

/* K numbers times a matrix (K, N) that lies row-major in the second input's row. */
static void matvec_run(const OpRun *run) {
  size_t K = run->op->in_width;
  size_t N = run->op->out_width;
  memset(run->y, 0, run->rows * N * sizeof *run->y);
  for (size_t r = 0; r < run->rows; r++)
    for (size_t k = 0; k < K; k++) {
      float x = run->x[0][r * K + k];
      const float *restrict w = run->x[1] + (r * K + k) * N;
      float *restrict y = run->y + r * N;
      for (size_t n = 0; n < N; n++)
        y[n] += x * w[n];
    }
}

static void matvec_run_back(const OpRun *run) {
  const Op *op = run->op;
  size_t K = op->in_width;
  size_t N = op->out_width;
  for (size_t at = 0; at < run->rows * K; at++) { /* row at / K, number at % K of it */
    const float *d = run->dy + at / K * N;
    const float *w = run->x[1] + at * N;
    float dot = 0;
    for (size_t n = 0; n < N; n++)
      dot += d[n] * w[n];
    if (run->dx[0]) op_put(run->dx[0] + at, op->beta[0], &dot, 1);
    if (run->dx[1]) op_put_scaled(run->dx[1] + at * N, op->beta[1], run->x[0][at], d, N);
  }
}

static double matvec_flops(const Op *op) {
  return 2 * (double)op->in_width * (double)op->out_width;
}

const OpOps op_matvec = {
    .name = "matvec",
    .fits = matvec_fits,
    .shape = given_shape,
    .forward = matvec_run,
    .backward = matvec_run_back,
    .flops = matvec_flops,
};

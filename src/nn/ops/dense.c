/* Dense layers, activations, and a vector that is the same on every row. */
#include "nn/graph.h"
#include "nn/kernels/kernels.h"
#include "nn/kernels/vmath.h"

#include <math.h>
#include <string.h>

/* log(1 + exp(x)), without overflow. */
static float softplus(float x) {
  return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)));
}

/* GELU (Hendrycks and Gimpel 2016) is the exact one, with erf. */
void act_forward(Activation act, float *restrict x, float *restrict pre, size_t count) {
  switch (act) {
  case ACT_NONE: break;
  case ACT_RELU:
  case ACT_TANH: kernels()->activate(act, x, count); break;
  case ACT_GELU:
    for (size_t i = 0; i < count; i++) {
      if (pre) pre[i] = x[i];
      x[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752f));
    }
    break;
  case ACT_ABS:
    for (size_t i = 0; i < count; i++) {
      if (pre) pre[i] = x[i];
      x[i] = fabsf(x[i]);
    }
    break;
  case ACT_ELU:
    for (size_t i = 0; i < count; i++)
      x[i] = x[i] > 0.0f ? x[i] : vexpm1f(x[i]);
    break;
  case ACT_SIGMOID:
    for (size_t i = 0; i < count; i++)
      x[i] = 1.0f / (1.0f + expf(-x[i]));
    break;
  case ACT_SOFTPLUS:
    for (size_t i = 0; i < count; i++)
      x[i] = softplus(x[i]);
    break;
  }
}

/* Of |x| at 0 the derivative is taken as 0. */
void act_backward(Activation act, float *restrict d, const float *restrict y,
                  const float *restrict pre, size_t count) {
  switch (act) {
  case ACT_NONE: break;
  case ACT_RELU:
  case ACT_TANH: kernels()->derive(act, d, y, count); break;
  case ACT_GELU:
    for (size_t i = 0; i < count; i++) {
      float x = pre[i];
      float cdf = 0.5f * (1.0f + erff(x * 0.70710678118654752f));
      d[i] *= cdf + x * 0.3989422804014327f * expf(-0.5f * x * x);
    }
    break;
  case ACT_ABS:
    for (size_t i = 0; i < count; i++)
      d[i] *= (float)((pre[i] > 0.0f) - (pre[i] < 0.0f));
    break;
  case ACT_ELU:
    for (size_t i = 0; i < count; i++)
      d[i] *= y[i] > 0.0f ? 1.0f : 1.0f + y[i];
    break;
  case ACT_SIGMOID:
    for (size_t i = 0; i < count; i++)
      d[i] *= y[i] * (1.0f - y[i]);
    break;
  case ACT_SOFTPLUS: /* the sigmoid of x is 1 - exp(-y) */
    for (size_t i = 0; i < count; i++)
      d[i] *= -expm1f(-y[i]);
    break;
  }
}

/* In the precision that the weight was packed for. */
static void multiply(const Weight *w, const Product *product) {
  if (w->bf16)
    bf16_kernels()->multiply(product);
  else
    kernels()->multiply(product);
}

/* A product with w's transpose: w is stored (N, K). */
void dense_forward(float *y, float beta, const float *x, const Ones *ones, const Weight *w,
                   const float *b, Activation act, size_t R, size_t K, size_t N) {
  if (ones) {
    kernels()->sparse_forward(y, ones->first, ones->column, w->forward, b, act, R, K, N);
    return;
  }
  Product product = {.M = R,
                     .N = N,
                     .K = K,
                     .a = x,
                     .a_row = K,
                     .a_column = 1,
                     .packed = w->forward,
                     .b = w->w,
                     .b_row = 1,
                     .b_column = K,
                     .c = y,
                     .c_row = N,
                     .accumulate = beta != 0.0f,
                     .bias = b,
                     .act = act};
  multiply(w, &product);
}

/* What the layer below gets: a product with w as it is stored. */
void dense_down(float *dx, float beta, Activation below, const float *dy, const float *x,
                const Weight *w, size_t R, size_t K, size_t N) {
  Product down = {.M = R,
                  .N = K,
                  .K = N,
                  .a = dy,
                  .a_row = N,
                  .a_column = 1,
                  .packed = w->back,
                  .b = w->w,
                  .b_row = K,
                  .b_column = 1,
                  .c = dx,
                  .c_row = K,
                  .accumulate = beta != 0.0f,
                  .below = below,
                  .y = x,
                  .y_row = K};
  multiply(w, &down);
}

/* The gradient of w is a product over the rows, added to what is there. dw NULL: nobody wants it.
 */
void dense_backward(float *dx, float beta, Activation below, float *dw, float *db, const float *dy,
                    const float *x, const Ones *ones, float *scratch, const Weight *w, size_t R,
                    size_t K, size_t N) {
  Product gradient = {.M = N,
                      .N = K,
                      .K = R,
                      .a = dy,
                      .a_row = 1,
                      .a_column = N,
                      .b = x,
                      .b_row = K,
                      .b_column = 1,
                      .c = dw,
                      .c_row = K,
                      .accumulate = true};
  if (dw && ones)
    kernels()->sparse_gradient(dw, dy, ones->first, ones->column, scratch, R, K, N);
  else if (dw)
    multiply(w, &gradient);
  if (db) kernels()->column_sums(db, dy, R, N);
  if (dx) dense_down(dx, beta, below, dy, x, w, R, K, N);
}

/* --- as ops --- */

/* Heads are one layer whose columns have several names. */
static void dense_shape(Graph *graph, Op *op, const char *name) {
  const OpHeads one = {&name, &op->out_width, 1};
  const OpHeads *heads = op->heads ? op->heads : &one;
  size_t width = 0;
  op->weight = graph->params;
  for (size_t i = 0; i < heads->count; i++)
    graph_view(graph, heads->names[i], "weight", 2, (size_t[]){heads->widths[i], op->in_width});
  op->bias = graph->params;
  for (size_t i = 0; i < heads->count; i++) {
    graph_view(graph, heads->names[i], "bias", 1, (size_t[]){heads->widths[i]});
    width += heads->widths[i];
  }
  op->out_width = width;
  op->keep_width = act_keeps_input(op->act) ? width : 0;
  op->exact = op->act == ACT_NONE; /* what ends a network: the policy and the value */
}

/* What the product cannot apply itself comes after it. */
static void dense_run(const OpRun *run) {
  const Op *op = run->op;
  Activation fused = act_is_fused(op->act) ? op->act : ACT_NONE;
  Weight w = op_weight(run, 0);
  dense_forward(run->y, 0.0f, run->x[0], run->ones, &w, run->block + op->bias, fused, run->rows,
                op->in_width, op->out_width);
  if (!fused) act_forward(op->act, run->y, run->keep, run->rows * op->out_width);
}

/* The derivative may have been applied already by who read the output. */
static void dense_run_back(const OpRun *run) {
  const Op *op = run->op;
  Weight w = op_weight(run, 0);
  if (!op->derived) act_backward(op->act, run->dy, run->y, run->keep, run->rows * op->out_width);
  dense_backward(run->dx[0], op->beta[0], op->below, op_gradient(run, op->weight),
                 op_gradient(run, op->bias), run->dy, run->x[0], run->ones, run->scratch, &w,
                 run->rows, op->in_width, op->out_width);
}

static double dense_flops(const Op *op) {
  return 2 * (double)op->in_width * (double)op->out_width;
}

static size_t dense_pack(const Op *op, OpMatrix out[OP_MATRICES]) {
  out[0] = (OpMatrix){op->weight, op->in_width, op->out_width};
  return 1;
}

/* Scratch for the gradient of weights that read ones. */
static size_t dense_scratch(const Op *op, bool training) {
  return training && op->reads_ones ? op->in_width * (op->out_width + 64) : 0;
}

const OpOps op_dense = {
    .name = "dense",
    .takes_ones = true,
    .takes_below = true,
    .gives_act = true,
    .shape = dense_shape,
    .forward = dense_run,
    .backward = dense_run_back,
    .flops = dense_flops,
    .pack = dense_pack,
    .scratch = dense_scratch,
};

/* A layer that another one's bias serves, too: two products that are added are one of their inputs
 * side by side. */
static void product_shape(Graph *graph, Op *op, const char *name) {
  op->weight = graph_view(graph, name, "weight", 2, (size_t[]){op->out_width, op->in_width});
  op->exact = true;
}

static void product_run(const OpRun *run) {
  const Op *op = run->op;
  Weight w = op_weight(run, 0);
  dense_forward(run->y, 0.0f, run->x[0], NULL, &w, NULL, ACT_NONE, run->rows, op->in_width,
                op->out_width);
}

static void product_run_back(const OpRun *run) {
  const Op *op = run->op;
  Weight w = op_weight(run, 0);
  dense_backward(run->dx[0], op->beta[0], op->below, op_gradient(run, op->weight), NULL, run->dy,
                 run->x[0], NULL, NULL, &w, run->rows, op->in_width, op->out_width);
}

const OpOps op_product = {
    .name = "product",
    .takes_below = true,
    .shape = product_shape,
    .forward = product_run,
    .backward = product_run_back,
    .flops = dense_flops,
    .pack = dense_pack,
};

/* One parameter for each column. */
static void broadcast_shape(Graph *graph, Op *op, const char *name) {
  op->bias = graph_view(graph, name, "value", 1, (size_t[]){op->out_width});
}

static void broadcast_run(const OpRun *run) {
  size_t N = run->op->out_width;
  for (size_t r = 0; r < run->rows; r++)
    memcpy(run->y + r * N, run->block + run->op->bias, N * sizeof *run->y);
}

/* The gradient of what stands on every row is the sum over the rows. */
static void broadcast_run_back(const OpRun *run) {
  size_t N = run->op->out_width;
  float *db = op_gradient(run, run->op->bias);
  for (size_t r = 0; db && r < run->rows; r++)
    for (size_t n = 0; n < N; n++)
      db[n] += run->dy[r * N + n];
}

const OpOps op_broadcast = {
    .name = "broadcast",
    .shape = broadcast_shape,
    .forward = broadcast_run,
    .backward = broadcast_run_back,
};

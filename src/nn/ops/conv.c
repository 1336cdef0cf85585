/* Convolutions, as products with a matrix of columns. */
#include "nn/graph.h"

#include <string.h>

/* One image's column matrix (positions, in_channels * kernel * kernel), and its gradient. */
size_t conv_scratch(const ConvShape *s) {
  return s->out_height * s->out_width * s->in_channels * s->kernel * s->kernel * 2;
}

/* Each position's row holds what its kernel sees; beyond the edge that is 0. */
static void gather_columns(float *column, const float *image, const ConvShape *s) {
  for (size_t y = 0; y < s->out_height; y++)
    for (size_t x = 0; x < s->out_width; x++)
      for (size_t c = 0; c < s->in_channels; c++)
        for (size_t i = 0; i < s->kernel; i++)
          for (size_t j = 0; j < s->kernel; j++) {
            size_t iy = y * s->stride + i - s->pad;
            size_t ix = x * s->stride + j - s->pad; /* wraps below zero: fails the test */
            *column++ = iy < s->in_height && ix < s->in_width
                            ? image[c * s->step_channel + iy * s->step_y + ix * s->step_x]
                            : 0.0f;
          }
}

/* The transpose of gather_columns: adds each gradient to where its number came from. */
static void scatter_columns(float *image, const float *column, const ConvShape *s) {
  for (size_t y = 0; y < s->out_height; y++)
    for (size_t x = 0; x < s->out_width; x++)
      for (size_t c = 0; c < s->in_channels; c++)
        for (size_t i = 0; i < s->kernel; i++)
          for (size_t j = 0; j < s->kernel; j++, column++) {
            size_t iy = y * s->stride + i - s->pad;
            size_t ix = x * s->stride + j - s->pad;
            if (iy < s->in_height && ix < s->in_width)
              image[c * s->step_channel + iy * s->step_y + ix * s->step_x] += *column;
          }
}

/* A product with the column matrix, image by image, so that the matrix stays in the cache. */
void conv_forward(float *y, const float *x, const Weight *w, const float *b, Activation act,
                  float *column, const ConvShape *s, size_t R) {
  size_t places = s->out_height * s->out_width;
  size_t taps = s->in_channels * s->kernel * s->kernel;
  size_t image = s->in_channels * s->in_height * s->in_width;
  for (size_t r = 0; r < R; r++) {
    gather_columns(column, x + r * image, s);
    dense_forward(y + r * places * s->out_channels, 0.0f, column, NULL, w, b, act, places, taps,
                  s->out_channels);
  }
}

/* The columns are gathered again: keeping them would take more memory than all else. */
void conv_backward(float *dx, float beta, float *dw, float *db, const float *dy, const float *x,
                   const Weight *w, float *column, const ConvShape *s, size_t R) {
  size_t places = s->out_height * s->out_width;
  size_t taps = s->in_channels * s->kernel * s->kernel;
  size_t image = s->in_channels * s->in_height * s->in_width;
  float *dcolumn = column + places * taps;
  for (size_t r = 0; r < R; r++) {
    gather_columns(column, x + r * image, s);
    dense_backward(dx ? dcolumn : NULL, 0.0f, ACT_NONE, dw, db, dy + r * places * s->out_channels,
                   column, NULL, NULL, w, places, taps, s->out_channels);
    if (!dx) continue;
    if (beta == 0.0f) memset(dx + r * image, 0, image * sizeof *dx);
    scatter_columns(dx + r * image, dcolumn, s);
  }
}

/* --- as an op --- */

/* As PyTorch's Conv2d names its parameters. */
static void conv_shape(Graph *graph, Op *op, const char *name) {
  const ConvShape *s = &op->conv;
  op->out_width = s->out_channels * s->out_height * s->out_width;
  op->weight = graph_view(graph, name, "weight", 4,
                          (size_t[]){s->out_channels, s->in_channels, s->kernel, s->kernel});
  op->bias = graph_view(graph, name, "bias", 1, (size_t[]){s->out_channels});
  op->keep_width = act_keeps_input(op->act) ? op->out_width : 0;
}

/* What the product cannot apply itself comes after it. */
static void conv_run(const OpRun *run) {
  const Op *op = run->op;
  Activation fused = act_is_fused(op->act) ? op->act : ACT_NONE;
  Weight w = op_weight(run, 0);
  conv_forward(run->y, run->x[0], &w, run->block + op->bias, fused, run->scratch, &op->conv,
               run->rows);
  if (!fused) act_forward(op->act, run->y, run->keep, run->rows * op->out_width);
}

/* The derivative may have been applied already by who read the output. */
static void conv_run_back(const OpRun *run) {
  const Op *op = run->op;
  Weight w = op_weight(run, 0);
  if (!op->derived) act_backward(op->act, run->dy, run->y, run->keep, run->rows * op->out_width);
  conv_backward(run->dx[0], op->beta[0], op_gradient(run, op->weight), op_gradient(run, op->bias),
                run->dy, run->x[0], &w, run->scratch, &op->conv, run->rows);
}

/* Inputs of one output. */
static size_t conv_taps(const Op *op) {
  return op->conv.in_channels * op->conv.kernel * op->conv.kernel;
}

static double conv_flops(const Op *op) {
  return 2 * (double)op->out_width * (double)conv_taps(op);
}

/* The kernels see a convolution as a dense layer. */
static size_t conv_pack(const Op *op, OpMatrix out[OP_MATRICES]) {
  out[0] = (OpMatrix){op->weight, conv_taps(op), op->conv.out_channels};
  return 1;
}

static size_t conv_columns(const Op *op, bool training) {
  (void)training;
  return conv_scratch(&op->conv);
}

const OpOps op_conv = {
    .name = "conv",
    .gives_act = true,
    .shape = conv_shape,
    .forward = conv_run,
    .backward = conv_run_back,
    .flops = conv_flops,
    .pack = conv_pack,
    .scratch = conv_columns,
};

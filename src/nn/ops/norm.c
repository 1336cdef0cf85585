/* Layer normalisation, with parameters that are trained; and by running moments, which are
 * constants of the block: of observations before the first layer, of value targets behind the last.
 */
#include "nn/graph.h"

#include <math.h>

/* Two passes, mean and then variance: one pass would lose digits where the mean is large. */
void norm_forward(float *y, float *stat, const float *x, const float *gain, const float *bias,
                  size_t R, size_t N) {
  for (size_t r = 0; r < R; r++) {
    const float *row = x + r * N;
    float mean = 0;
    float variance = 0;
    for (size_t n = 0; n < N; n++)
      mean += row[n];
    mean /= (float)N;
    for (size_t n = 0; n < N; n++)
      variance += (row[n] - mean) * (row[n] - mean);
    float scale = 1.0f / sqrtf(variance / (float)N + 1e-5f);
    for (size_t n = 0; n < N; n++)
      y[r * N + n] = (row[n] - mean) * scale * gain[n] + bias[n];
    stat[2 * r] = mean;
    stat[2 * r + 1] = scale;
  }
}

/* The gradient of x has no part along the mean, nor along the normalised row: both were taken
 * out. */
void norm_backward(float *dx, float beta, float *dgain, float *dbias, const float *dy,
                   const float *x, const float *stat, const float *gain, size_t R, size_t N) {
  for (size_t r = 0; r < R; r++) {
    const float *row = x + r * N;
    const float *d = dy + r * N;
    float mean = stat[2 * r];
    float scale = stat[2 * r + 1];
    float sum = 0;
    float dot = 0;
    for (size_t n = 0; n < N; n++) {
      float hat = (row[n] - mean) * scale;
      float g = d[n] * gain[n];
      if (dgain) dgain[n] += d[n] * hat;
      if (dbias) dbias[n] += d[n];
      sum += g;
      dot += g * hat;
    }
    if (!dx) continue;
    sum /= (float)N;
    dot /= (float)N;
    for (size_t n = 0; n < N; n++) {
      float hat = (row[n] - mean) * scale;
      float value = (d[n] * gain[n] - sum - hat * dot) * scale;
      dx[r * N + n] = beta == 0.0f ? value : beta * dx[r * N + n] + value;
    }
  }
}

/* Observations far out are clipped, so that one odd number does not decide. */
void normalise_forward(float *y, const float *x, const float *mean, const float *scale, size_t R,
                       size_t N) {
  for (size_t r = 0; r < R; r++)
    for (size_t n = 0; n < N; n++) {
      float value = (x[r * N + n] - mean[n]) * scale[n];
      y[r * N + n] = value < -NORMALISE_MOST  ? -NORMALISE_MOST
                     : value > NORMALISE_MOST ? NORMALISE_MOST
                                              : value;
    }
}

/* Where it was clipped nothing depends on x. */
void normalise_backward(float *dx, float beta, const float *dy, const float *y, const float *scale,
                        size_t R, size_t N) {
  for (size_t r = 0; r < R; r++)
    for (size_t n = 0; n < N; n++) {
      size_t at = r * N + n;
      float value = fabsf(y[at]) < NORMALISE_MOST ? dy[at] * scale[n] : 0.0f;
      dx[at] = beta == 0.0f ? value : beta * dx[at] + value;
    }
}

/* --- as ops --- */

/* As PyTorch's LayerNorm names its parameters. Mean and scale of each row are kept. */
static void norm_shape(Graph *graph, Op *op, const char *name) {
  op->out_width = op->in_width;
  op->weight = graph_view(graph, name, "weight", 1, (size_t[]){op->out_width});
  op->bias = graph_view(graph, name, "bias", 1, (size_t[]){op->out_width});
  op->keep_width = 2;
}

static void norm_run(const OpRun *run) {
  const Op *op = run->op;
  norm_forward(run->y, run->keep, run->x[0], run->block + op->weight, run->block + op->bias,
               run->rows, op->out_width);
}

static void norm_run_back(const OpRun *run) {
  const Op *op = run->op;
  norm_backward(run->dx[0], op->beta[0], op_gradient(run, op->weight), op_gradient(run, op->bias),
                run->dy, run->x[0], run->keep, run->block + op->weight, run->rows, op->out_width);
}

const OpOps op_norm = {
    .name = "norm",
    .shape = norm_shape,
    .forward = norm_run,
    .backward = norm_run_back,
};

/* Mean and scale are constants: nobody trains them by gradients. */
static void normalise_shape(Graph *graph, Op *op, const char *name) {
  (void)name;
  op->out_width = op->in_width;
  op->bias = graph_constants(graph, op->in_width);
  op->weight = graph_constants(graph, op->in_width);
}

static void normalise_run(const OpRun *run) {
  const Op *op = run->op;
  normalise_forward(run->y, run->x[0], run->block + op->bias, run->block + op->weight, run->rows,
                    op->in_width);
}

/* Only if somebody below wants the gradient. */
static void normalise_run_back(const OpRun *run) {
  const Op *op = run->op;
  if (run->dx[0])
    normalise_backward(run->dx[0], op->beta[0], run->dy, run->y, run->block + op->weight, run->rows,
                       op->in_width);
}

const OpOps op_normalise = {
    .name = "normalise",
    .shape = normalise_shape,
    .forward = normalise_run,
    .backward = normalise_run_back,
};

/* Mean and scale are constants: nobody trains them by gradients. */
static void rescale_shape(Graph *graph, Op *op, const char *name) {
  (void)name;
  op->out_width = 1;
  op->bias = graph_constants(graph, 1);
  op->weight = graph_constants(graph, 1);
}

/* Turns a normalised value into one in the unit of returns. */
static void rescale_run(const OpRun *run) {
  const Op *op = run->op;
  const float *column = run->x[0] + op->column;
  float mean = run->block[op->bias];
  float scale = run->block[op->weight];
  for (size_t r = 0; r < run->rows; r++)
    run->y[r] = column[r * op->in_width] * scale + mean;
}

/* Sets its own column, whatever beta says: what is there is left from an earlier pass, also where
 * the caller has just given the gradients of the other columns. */
static void rescale_run_back(const OpRun *run) {
  const Op *op = run->op;
  float scale = run->block[op->weight];
  if (!run->dx[0]) return;
  for (size_t r = 0; r < run->rows; r++)
    run->dx[0][r * op->in_width + op->column] = run->dy[r] * scale;
}

const OpOps op_rescale = {
    .name = "rescale",
    .shape = rescale_shape,
    .forward = rescale_run,
    .backward = rescale_run_back,
};

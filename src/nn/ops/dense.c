#include "nn/ops/ops.h"

#include "nn/kernels/kernels.h"

#include <math.h>
#include <string.h>

void act_forward(Activation act, float *restrict x, float *restrict pre, size_t count) {
  switch (act) {
  case ACT_NONE: break;
  case ACT_RELU:
  case ACT_TANH: kernels()->activate(act, x, count); break;
  case ACT_GELU: /* Hendrycks & Gimpel 2016, with erf */
    for (size_t i = 0; i < count; i++) {
      if (pre) pre[i] = x[i];
      x[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752f));
    }
    break;
  }
}

void act_backward(Activation act, float *restrict d, const float *restrict y, const float *restrict pre, size_t count) {
  switch (act) {
  case ACT_NONE: break;
  case ACT_RELU:
  case ACT_TANH: kernels()->derive(act, d, y, count); break;
  case ACT_GELU:
    for (size_t i = 0; i < count; i++) {
      float x = pre[i], cdf = 0.5f * (1.0f + erff(x * 0.70710678118654752f));
      d[i] *= cdf + x * 0.3989422804014327f * expf(-0.5f * x * x);
    }
    break;
  }
}

static void multiply(const Weight *w, const Product *product) {
  if (w->bf16)
    bf16_kernels()->multiply(product);
  else
    kernels()->multiply(product);
}

void dense_forward(float *y, float beta, const float *x, const Ones *ones, const Weight *w, const float *b,
                   Activation act, size_t R, size_t K, size_t N) {
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

void dense_down(float *dx, float beta, Activation below, const float *dy, const float *x, const Weight *w, size_t R,
                size_t K, size_t N) {
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

void dense_backward(float *dx, float beta, Activation below, float *dw, float *db, const float *dy, const float *x,
                    const Ones *ones, float *scratch, const Weight *w, size_t R, size_t K, size_t N) {
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
  if (ones)
    kernels()->sparse_gradient(dw, dy, ones->first, ones->column, scratch, R, K, N);
  else
    multiply(w, &gradient);
  kernels()->column_sums(db, dy, R, N);
  if (dx) dense_down(dx, beta, below, dy, x, w, R, K, N);
}

void norm_forward(float *y, float *stat, const float *x, const float *gain, const float *bias, size_t R, size_t N) {
  for (size_t r = 0; r < R; r++) {
    const float *row = x + r * N;
    float mean = 0, variance = 0;
    for (size_t n = 0; n < N; n++) mean += row[n];
    mean /= (float)N;
    for (size_t n = 0; n < N; n++) variance += (row[n] - mean) * (row[n] - mean);
    float scale = 1.0f / sqrtf(variance / (float)N + 1e-5f);
    for (size_t n = 0; n < N; n++) y[r * N + n] = (row[n] - mean) * scale * gain[n] + bias[n];
    stat[2 * r] = mean;
    stat[2 * r + 1] = scale;
  }
}

void norm_backward(float *dx, float beta, float *dgain, float *dbias, const float *dy, const float *x,
                   const float *stat, const float *gain, size_t R, size_t N) {
  for (size_t r = 0; r < R; r++) {
    const float *row = x + r * N, *d = dy + r * N;
    float mean = stat[2 * r], scale = stat[2 * r + 1], sum = 0, dot = 0;
    for (size_t n = 0; n < N; n++) {
      float hat = (row[n] - mean) * scale, g = d[n] * gain[n];
      dgain[n] += d[n] * hat;
      dbias[n] += d[n];
      sum += g;
      dot += g * hat;
    }
    if (!dx) continue;
    sum /= (float)N;
    dot /= (float)N;
    for (size_t n = 0; n < N; n++) {
      float hat = (row[n] - mean) * scale, value = (d[n] * gain[n] - sum - hat * dot) * scale;
      dx[r * N + n] = beta == 0.0f ? value : beta * dx[r * N + n] + value;
    }
  }
}

/* Convolution: one image at a time through a column matrix (positions, in_channels * kernel * kernel). */
size_t conv_scratch(const ConvShape *s) {
  return s->out_height * s->out_width * s->in_channels * s->kernel * s->kernel * 2;
}

static void gather_columns(float *column, const float *image, const ConvShape *s) {
  for (size_t y = 0; y < s->out_height; y++)
    for (size_t x = 0; x < s->out_width; x++)
      for (size_t c = 0; c < s->in_channels; c++)
        for (size_t i = 0; i < s->kernel; i++)
          for (size_t j = 0; j < s->kernel; j++) {
            size_t iy = y * s->stride + i - s->pad,
                   ix = x * s->stride + j - s->pad; /* wraps below zero: fails the test */
            *column++ = iy < s->in_height && ix < s->in_width
                            ? image[c * s->step_channel + iy * s->step_y + ix * s->step_x]
                            : 0.0f;
          }
}

static void scatter_columns(float *image, const float *column, const ConvShape *s) {
  for (size_t y = 0; y < s->out_height; y++)
    for (size_t x = 0; x < s->out_width; x++)
      for (size_t c = 0; c < s->in_channels; c++)
        for (size_t i = 0; i < s->kernel; i++)
          for (size_t j = 0; j < s->kernel; j++, column++) {
            size_t iy = y * s->stride + i - s->pad, ix = x * s->stride + j - s->pad;
            if (iy < s->in_height && ix < s->in_width)
              image[c * s->step_channel + iy * s->step_y + ix * s->step_x] += *column;
          }
}

void conv_forward(float *y, const float *x, const Weight *w, const float *b, Activation act, float *column,
                  const ConvShape *s, size_t R) {
  size_t places = s->out_height * s->out_width, taps = s->in_channels * s->kernel * s->kernel;
  size_t image = s->in_channels * s->in_height * s->in_width;
  for (size_t r = 0; r < R; r++) {
    gather_columns(column, x + r * image, s);
    dense_forward(y + r * places * s->out_channels, 0.0f, column, NULL, w, b, act, places, taps, s->out_channels);
  }
}

void conv_backward(float *dx, float beta, float *dw, float *db, const float *dy, const float *x, const Weight *w,
                   float *column, const ConvShape *s, size_t R) {
  size_t places = s->out_height * s->out_width, taps = s->in_channels * s->kernel * s->kernel;
  size_t image = s->in_channels * s->in_height * s->in_width;
  float *dcolumn = column + places * taps;
  for (size_t r = 0; r < R; r++) {
    gather_columns(column, x + r * image, s);
    dense_backward(dx ? dcolumn : NULL, 0.0f, ACT_NONE, dw, db, dy + r * places * s->out_channels, column, NULL, NULL,
                   w, places, taps, s->out_channels);
    if (!dx) continue;
    if (beta == 0.0f) memset(dx + r * image, 0, image * sizeof *dx);
    scatter_columns(dx + r * image, dcolumn, s);
  }
}

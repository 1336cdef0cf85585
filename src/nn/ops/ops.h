/* Pure functions over arrays, forward and backward. Letters: R rows, N width, T time, B sequences,
 * H hidden, S state. Rows of a recurrent batch are time-major: row = t * B + b. Backward functions
 * add to parameter gradients. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* ELU (Clevert et al. 2016), with slope 1 at 0. Those behind GELU are what mixers and gates are
 * made of; a user does not choose them. */
typedef enum Activation {
  ACT_NONE,
  ACT_RELU,
  ACT_TANH,
  ACT_GELU,
  ACT_ABS,
  ACT_ELU,
  ACT_SIGMOID,
  ACT_SOFTPLUS
} Activation;
#define ACTIVATION_CHOICES "none|relu|tanh|gelu"

/* Whether the derivative needs the input; that of the others follows from the output. */
static inline int act_keeps_input(Activation act) {
  return act == ACT_GELU || act == ACT_ABS;
}

/* In place over count values. Where act_keeps_input, they are kept in pre (count) for the backward
 * pass, unless it is NULL. */
void act_forward(Activation act, float *x, float *pre, size_t count);
/* d (count) becomes the gradient before the activation; y is the output, pre the input where
 * act_keeps_input (else it is not read). */
void act_backward(Activation act, float *d, const float *y, const float *pre, size_t count);

/* A weight matrix w (N,K), and its packed forms (kernel.h) for the forward and the backward
 * product; NULL: packed on the fly, which pays only for many rows. */
typedef struct Weight {
  const float *w;
  const float *forward;
  const float *back;
  int bf16; /* its products are in bfloat16, and packed for that */
} Weight;

/* Rows that hold only zeros and ones, by the places of the ones: those of row r stand in column,
 * from first[r] on to before first[r + 1]. */
typedef struct Ones {
  const uint32_t *first;
  const uint16_t *column;
} Ones;

/* Whether dense products apply the activation themselves. */
static inline int act_is_fused(Activation act) {
  return act == ACT_RELU || act == ACT_TANH;
}

/* y (R,N) = act(x (R,K) w^T + b (N) + beta y); act: a fused one or ACT_NONE; b may be NULL. `ones`,
 * if not NULL, stands for x (then beta 0). */
void dense_forward(float *y, float beta, const float *x, const Ones *ones, const Weight *w,
                   const float *b, Activation act, size_t R, size_t K, size_t N);
/* dx (R,K) = (dy (R,N) w + beta dx) * below'(x), where x is the output of the activation `below` (a
 * fused one or ACT_NONE: then x may be NULL). */
void dense_down(float *dx, float beta, Activation below, const float *dy, const float *x,
                const Weight *w, size_t R, size_t K, size_t N);
/* dw += dy^T x; db += column sums; and dx as above: each unless it is NULL. `ones`, if not NULL,
 * stands for x, with scratch of K * (N + 64) floats. */
void dense_backward(float *dx, float beta, Activation below, float *dw, float *db, const float *dy,
                    const float *x, const Ones *ones, float *scratch, const Weight *w, size_t R,
                    size_t K, size_t N);

/* y = (x - mean) / sqrt(var + 1e-5) * gain + bias per row; stat (R,2) keeps mean and 1/sqrt. Ba et
 * al. 2016. */
void norm_forward(float *y, float *stat, const float *x, const float *gain, const float *bias,
                  size_t R, size_t N);
/* Adds to dgain and dbias; dx = beta dx + the gradient: each unless it is NULL. */
void norm_backward(float *dx, float beta, float *dgain, float *dbias, const float *dy,
                   const float *x, const float *stat, const float *gain, size_t R, size_t N);

/* y = (x - mean) * scale per column, clipped to +-NORMALISE_MOST; the gradient is 0 where it was.
 */
#define NORMALISE_MOST 10.0f
void normalise_forward(float *y, const float *x, const float *mean, const float *scale, size_t R,
                       size_t N);
void normalise_backward(float *dx, float beta, const float *dy, const float *y, const float *scale,
                        size_t R, size_t N);

/* Sizes of a convolution; `kernel`, `stride` and `pad` are the same in both directions. */
typedef struct ConvShape {
  size_t in_channels;
  size_t in_height;
  size_t in_width;
  size_t out_channels;
  size_t out_height;
  size_t out_width;
  size_t kernel;
  size_t stride;
  size_t pad;
  /* strides of the input layout: CHW for the first layer, HWC after it */
  size_t step_channel;
  size_t step_y;
  size_t step_x;
} ConvShape;
/* Output layout HWC: y (R, out_height * out_width, out_channels); w (out_channels, in_channels,
 * kernel, kernel). column: scratch of conv_scratch floats. */
size_t conv_scratch(const ConvShape *shape);
void conv_forward(float *y, const float *x, const Weight *w, const float *b, Activation act,
                  float *column, const ConvShape *shape, size_t R);
void conv_backward(float *dx, float beta, float *dw, float *db, const float *dy, const float *x,
                   const Weight *w, float *column, const ConvShape *shape, size_t R);

/* Where a recurrent batch starts afresh: restart[row] >= 0 takes state restart[row] of `states`
 * before that row, -1 goes on from the row before it in time. NULL: every row restarts from its own
 * state (acting, T = 1). hold[row] = 1: the state passes through that row unchanged, whatever the
 * input (an agent that is out of the game): the output is the state's hidden part, and in the
 * backward pass the gradient goes to the row before and nowhere else. */
typedef struct Sequences {
  size_t B;
  size_t T;
  const int32_t *restart; /* (T*B) or NULL */
  const float *states;    /* (any, S) */
  size_t S;               /* floats per state */
  const uint8_t *hold;    /* (T*B) or NULL: no row is held */
} Sequences;

/* GRU, PyTorch's gate order r, z, n: w_x (3H,K), w_h (3H,H), b_x (3H), b_h (3H). y (T*B,H). keep:
 * gru_keep(H) floats a row. state_at: offset of this layer's H floats in a state. */
size_t gru_keep(size_t H);
void gru_forward(float *y, float *keep, const float *x, const Weight *w_x, const Weight *w_h,
                 const float *b_x, const float *b_h, const Sequences *seq, size_t state_at,
                 size_t K, size_t H);
void gru_backward(float *dx, float beta, Activation below, float *dw_x, float *dw_h, float *db_x,
                  float *db_h, float *dy, float *keep, const float *x, const Weight *w_x,
                  const Weight *w_h, const Sequences *seq, size_t K, size_t H);
/* LSTM, PyTorch's gate order i, f, g, o: w_x (4H,K), w_h (4H,H). State: h (H) then c (H). */
size_t lstm_keep(size_t H);
void lstm_forward(float *y, float *keep, const float *x, const Weight *w_x, const Weight *w_h,
                  const float *b_x, const float *b_h, const Sequences *seq, size_t state_at,
                  size_t K, size_t H);
void lstm_backward(float *dx, float beta, Activation below, float *dw_x, float *dw_h, float *db_x,
                   float *db_h, float *dy, float *keep, const float *x, const Weight *w_x,
                   const Weight *w_h, const Sequences *seq, size_t K, size_t H);
/* The cell state of the last row of each sequence, for state_out. */
const float *lstm_cell(const float *keep, size_t row, size_t H);

/* What agents of a team hear of one another (messages.c): y (R,W) from x (R,W), where rows r / N *
 * N
 * .. + N - 1 are a team's, and links (R,N) say how much row r's agent hears of each of them:
 *
 *   y_r = sum_j links_rj x_j / max(1, sum_j links_rj)
 *
 * over j in their order, those with 0 passed over. mix_backward: dx = beta dx + the gradient. */
void mix_forward(float *y, const float *links, const float *x, size_t R, size_t N, size_t W);
void mix_backward(float *dx, float beta, const float *dy, const float *links, size_t R, size_t N,
                  size_t W);

/* Sizes of attention: R rows, teams of N, keys of D numbers, messages of W. */
typedef struct Attention {
  size_t R, N, D, W;
} Attention;

/* y_r = sum_j a_rj x_j, a_r the softmax of query_r . key_j / sqrt(D) over those that it hears
 * (links above 0), or of these the `top` with the highest scores (0: all; of equal ones the first).
 * Who hears nobody gets 0. share (R,N) keeps a. */
void attend_forward(float *y, float *share, const float *links, const float *query,
                    const float *key, const float *x, size_t top, const Attention *size);
/* Adds to d_query, d_key (R,D) and d_x (R,W), each unless it is NULL. slope: scratch of N. */
void attend_backward(float *d_query, float *d_key, float *d_x, const float *dy, const float *share,
                     const float *query, const float *key, const float *x, float *slope,
                     const Attention *size);

/* GRU and LSTM over time-major rows. Products with the inputs are one big gemm over all rows, those
 * with the hidden state one gemm per time step; weight gradients are again one gemm each. */
#include "nn/graph.h"
#include "nn/kernels/kernels.h"

#include <math.h>
#include <string.h>

/* The hidden vector that enters row (t, b): from a stored state or from the row before it. */
static const float *entering(const Sequences *seq, const float *y, size_t t, size_t b,
                             size_t state_at, size_t H) {
  size_t row = t * seq->B + b;
  if (!seq->restart) return seq->states + row * seq->S + state_at;
  if (seq->restart[row] >= 0) return seq->states + (size_t)seq->restart[row] * seq->S + state_at;
  return y + (row - seq->B) * H;
}

/* Whether the row continues the row before it in time. */
static int goes_on(const Sequences *seq, size_t row) {
  return seq->restart && seq->restart[row] < 0;
}

/* Whether the state passes through the row as it is. */
static int held(const Sequences *seq, size_t row) {
  return seq->hold && seq->hold[row];
}

/* What a row keeps for the backward pass, in blocks over all rows: h_prev (R,H), gates r, z, n
 * (R,3H), and the hidden part of all gates (R,3H). */
size_t gru_keep(size_t H) {
  return 7 * H;
}

/* The input's part of the gates is one product over all rows; only the hidden part must go step by
 * step. */
void gru_forward(float *y, float *keep, const float *x, const Weight *w_x, const Weight *w_h,
                 const float *b_x, const float *b_h, const Sequences *seq, size_t state_at,
                 size_t K, size_t H) {
  size_t B = seq->B;
  size_t R = B * seq->T;
  float *before = keep;
  float *gate = before + R * H;
  float *hidden = gate + R * 3 * H;
  dense_forward(gate, 0.0f, x, NULL, w_x, b_x, ACT_NONE, R, K, 3 * H);
  for (size_t t = 0; t < seq->T; t++) {
    size_t first = t * B;
    for (size_t b = 0; b < B; b++)
      memcpy(before + (first + b) * H, entering(seq, y, t, b, state_at, H), H * sizeof *y);
    dense_forward(hidden + first * 3 * H, 0.0f, before + first * H, NULL, w_h, b_h, ACT_NONE, B, H,
                  3 * H);
    for (size_t row = first; row < first + B; row++)
      if (held(seq, row))
        memcpy(y + row * H, before + row * H, H * sizeof *y);
      else
        kernels()->gru_row(y + row * H, gate + row * 3 * H, hidden + row * 3 * H, before + row * H,
                           H);
  }
}

/* One row's backward step. g (3H): gates, which become gradients before their activations; u (3H):
 * hidden parts, which become gradients of the hidden products; d (H): gradient of h, which becomes
 * that part of h_prev's gradient that does not go through the gates. h (H): h_prev. */
static void gru_row_back(float *restrict g, float *restrict u, float *restrict d,
                         const float *restrict h, size_t H) {
  for (size_t i = 0; i < H; i++) {
    float r = g[i];
    float z = g[H + i];
    float n = g[2 * H + i];
    float hn = u[2 * H + i];
    float dn = d[i] * (1.0f - z) * (1.0f - n * n);
    float dz = d[i] * (h[i] - n) * z * (1.0f - z);
    float dr = dn * hn * r * (1.0f - r);
    g[i] = dr;
    g[H + i] = dz;
    g[2 * H + i] = dn;
    u[i] = dr;
    u[H + i] = dz;
    u[2 * H + i] = dn * r;
    d[i] *= z;
  }
}

/* Backward through time, in place: gates and hidden parts become gradients, for the products over
 * all rows at the end. In a held row these are 0, and d is already h_prev's. */
void gru_backward(float *dx, float beta, Activation below, float *dw_x, float *dw_h, float *db_x,
                  float *db_h, float *dy, float *keep, const float *x, const Weight *w_x,
                  const Weight *w_h, const Sequences *seq, size_t K, size_t H) {
  size_t B = seq->B;
  size_t R = B * seq->T;
  float *before = keep;
  float *gate = before + R * H;
  float *hidden = gate + R * 3 * H;
  for (size_t t = seq->T; t-- > 0;) {
    size_t first = t * B;
    for (size_t row = first; row < first + B; row++)
      if (held(seq, row)) {
        memset(gate + row * 3 * H, 0, 3 * H * sizeof *gate);
        memset(hidden + row * 3 * H, 0, 3 * H * sizeof *hidden);
      } else {
        gru_row_back(gate + row * 3 * H, hidden + row * 3 * H, dy + row * H, before + row * H, H);
      }
    if (t == 0) break;
    /* d (rows of t) holds dh_prev: add the path through the gates, then hand it to the rows of t-1
     */
    dense_down(dy + first * H, 1.0f, ACT_NONE, hidden + first * 3 * H, NULL, w_h, B, H, 3 * H);
    for (size_t b = 0; b < B; b++) {
      if (!goes_on(seq, first + b)) continue;
      float *restrict earlier = dy + (first + b - B) * H;
      const float *restrict later = dy + (first + b) * H;
      for (size_t i = 0; i < H; i++)
        earlier[i] += later[i];
    }
  }
  dense_backward(dx, beta, below, dw_x, db_x, gate, x, NULL, NULL, w_x, R, K, 3 * H);
  dense_backward(NULL, 0.0f, ACT_NONE, dw_h, db_h, hidden, before, NULL, NULL, w_h, R, H, 3 * H);
}

/* What a row keeps, in blocks over all rows: c (R,H), first, for lstm_cell; h_prev (R,H), c_prev
 * (R,H), gates (R,4H). */
size_t lstm_keep(size_t H) {
  return 7 * H;
}

/* The cells are the first block. */
const float *lstm_cell(const float *keep, size_t row, size_t H) {
  return keep + row * H;
}

/* The cell vector that enters a row; in a stored state it lies behind the hidden one. */
static const float *entering_cell(const Sequences *seq, const float *cell, size_t t, size_t b,
                                  size_t state_at, size_t H) {
  return entering(seq, cell, t, b, state_at + H, H);
}

/* Both biases are added up front, so that the hidden product adds to the gates in place. */
void lstm_forward(float *y, float *keep, const float *x, const Weight *w_x, const Weight *w_h,
                  const float *b_x, const float *b_h, const Sequences *seq, size_t state_at,
                  size_t K, size_t H) {
  size_t B = seq->B;
  size_t R = B * seq->T;
  float *cell = keep;
  float *before = cell + R * H;
  float *cell_before = before + R * H;
  float *gate = cell_before + R * H;
  dense_forward(gate, 0.0f, x, NULL, w_x, b_x, ACT_NONE, R, K, 4 * H);
  for (size_t row = 0; row < R; row++)
    for (size_t i = 0; i < 4 * H; i++)
      gate[row * 4 * H + i] += b_h[i];
  for (size_t t = 0; t < seq->T; t++) {
    size_t first = t * B;
    for (size_t b = 0; b < B; b++) {
      memcpy(before + (first + b) * H, entering(seq, y, t, b, state_at, H), H * sizeof *y);
      memcpy(cell_before + (first + b) * H, entering_cell(seq, cell, t, b, state_at, H),
             H * sizeof *y);
    }
    dense_forward(gate + first * 4 * H, 1.0f, before + first * H, NULL, w_h, NULL, ACT_NONE, B, H,
                  4 * H);
    for (size_t row = first; row < first + B; row++)
      if (held(seq, row)) {
        memcpy(y + row * H, before + row * H, H * sizeof *y);
        memcpy(cell + row * H, cell_before + row * H, H * sizeof *cell);
      } else {
        kernels()->lstm_row(y + row * H, cell + row * H, gate + row * 4 * H, cell_before + row * H,
                            H);
      }
  }
}

/* One row's backward step. g (4H): gates, which become gradients before their activations; c (H):
 * the cell, which becomes the gradient of c_prev; d (H): gradient of h; p (H): c_prev. later (H):
 * the gradient of c from the next step, NULL at the end of an unroll. */
static void lstm_row_back(float *restrict g, float *restrict c, const float *restrict d,
                          const float *restrict p, const float *later, size_t H) {
  for (size_t i = 0; i < H; i++) {
    float in = g[i];
    float forget = g[H + i];
    float fresh = g[2 * H + i];
    float show = g[3 * H + i];
    float squashed = tanhf(c[i]);
    float dc = d[i] * show * (1.0f - squashed * squashed) + (later ? later[i] : 0.0f);
    g[i] = dc * fresh * in * (1.0f - in);
    g[H + i] = dc * p[i] * forget * (1.0f - forget);
    g[2 * H + i] = dc * in * (1.0f - fresh * fresh);
    g[3 * H + i] = d[i] * squashed * show * (1.0f - show);
    c[i] = dc * forget;
  }
}

/* A held row's backward step: gates (g, 4H) have no part in it, and the gradient of c comes from
 * the next step alone. */
static void lstm_row_passes(float *restrict g, float *restrict c, const float *later, size_t H) {
  memset(g, 0, 4 * H * sizeof *g);
  for (size_t i = 0; i < H; i++)
    c[i] = later ? later[i] : 0.0f;
}

/* As gru_backward. The gradient of c that flows back is kept in the block of cells, whose rows are
 * not needed any more once they were used. */
void lstm_backward(float *dx, float beta, Activation below, float *dw_x, float *dw_h, float *db_x,
                   float *db_h, float *dy, float *keep, const float *x, const Weight *w_x,
                   const Weight *w_h, const Sequences *seq, size_t K, size_t H) {
  size_t B = seq->B;
  size_t R = B * seq->T;
  float *cell = keep;
  float *before = cell + R * H;
  float *cell_before = before + R * H;
  float *gate = cell_before + R * H;
  /* gradient of c flowing back: kept in the cell block of the row it belongs to, once used */
  float *carry = NULL;
  for (size_t t = seq->T; t-- > 0;) {
    size_t first = t * B;
    carry = cell + (t + 1 < seq->T ? (first + B) * H : 0);
    for (size_t b = 0; b < B; b++) {
      size_t row = first + b;
      bool linked = t + 1 < seq->T && goes_on(seq, row + B);
      const float *later = linked ? carry + b * H : NULL;
      if (held(seq, row))
        lstm_row_passes(gate + row * 4 * H, cell + row * H, later, H);
      else
        lstm_row_back(gate + row * 4 * H, cell + row * H, dy + row * H, cell_before + row * H,
                      later, H);
    }
    if (t == 0) break;
    /* the product below replaces d: where it is h_prev's gradient it goes on before */
    for (size_t b = 0; seq->hold && b < B; b++) {
      if (!held(seq, first + b) || !goes_on(seq, first + b)) continue;
      for (size_t i = 0; i < H; i++)
        dy[(first + b - B) * H + i] += dy[(first + b) * H + i];
    }
    /* gradient of h_prev */
    dense_down(dy + first * H, 0.0f, ACT_NONE, gate + first * 4 * H, NULL, w_h, B, H, 4 * H);
    for (size_t b = 0; b < B; b++) {
      if (!goes_on(seq, first + b)) continue;
      for (size_t i = 0; i < H; i++)
        dy[(first + b - B) * H + i] += dy[(first + b) * H + i];
    }
  }
  dense_backward(dx, beta, below, dw_x, db_x, gate, x, NULL, NULL, w_x, R, K, 4 * H);
  dense_backward(NULL, 0.0f, ACT_NONE, dw_h, db_h, gate, before, NULL, NULL, w_h, R, H, 4 * H);
}

/* --- as ops --- */

/* As PyTorch names its parameters. */
static void recurrent_shape(Graph *graph, Op *op, const char *name, size_t gates, size_t states) {
  size_t H = op->out_width;
  op->weight = graph_view(graph, name, "weight_ih", 2, (size_t[]){gates * H, op->in_width});
  op->weight_h = graph_view(graph, name, "weight_hh", 2, (size_t[]){gates * H, H});
  op->bias = graph_view(graph, name, "bias_ih", 1, (size_t[]){gates * H});
  op->bias_h = graph_view(graph, name, "bias_hh", 1, (size_t[]){gates * H});
  op->state_at = graph->state_size;
  graph->state_size += states * H;
}

/* The matrix of the inputs, and that of the hidden state. */
static size_t recurrent_pack(const Op *op, size_t gates, OpMatrix out[OP_MATRICES]) {
  size_t H = op->out_width;
  out[0] = (OpMatrix){op->weight, op->in_width, gates * H};
  out[1] = (OpMatrix){op->weight_h, H, gates * H};
  return 2;
}

/* Puts the hidden vector after the last step of each sequence into state_out. */
static void save_hidden(const OpRun *run) {
  const Sequences *seq = run->sequences;
  size_t H = run->op->out_width;
  size_t first = (seq->T - 1) * seq->B;
  for (size_t b = 0; b < seq->B; b++)
    memcpy(run->state_out + b * seq->S + run->op->state_at, run->y + (first + b) * H,
           H * sizeof *run->y);
}

/* The cell after the last step, behind the hidden vector. */
static void save_cell(const OpRun *run) {
  const Sequences *seq = run->sequences;
  size_t H = run->op->out_width;
  size_t first = (seq->T - 1) * seq->B;
  for (size_t b = 0; b < seq->B; b++)
    memcpy(run->state_out + b * seq->S + run->op->state_at + H, lstm_cell(run->keep, first + b, H),
           H * sizeof *run->y);
}

/* Memory is an agent's: sequences are of that level. */
static bool recurrent_fits(const Graph *graph, const Op *op) {
  return graph->cells == 1 || op->level == LEVEL_AGENT;
}

static void gru_shape(Graph *graph, Op *op, const char *name) {
  recurrent_shape(graph, op, name, 3, 1);
  op->keep_width = gru_keep(op->out_width);
}

static void gru_run(const OpRun *run) {
  const Op *op = run->op;
  Weight w = op_weight(run, 0);
  Weight w_h = op_weight(run, 1);
  gru_forward(run->y, run->keep, run->x[0], &w, &w_h, run->block + op->bias,
              run->block + op->bias_h, run->sequences, op->state_at, op->in_width, op->out_width);
  if (run->state_out) save_hidden(run);
}

static void gru_run_back(const OpRun *run) {
  const Op *op = run->op;
  Weight w = op_weight(run, 0);
  Weight w_h = op_weight(run, 1);
  gru_backward(run->dx[0], op->beta[0], op->below, op_gradient(run, op->weight),
               op_gradient(run, op->weight_h), op_gradient(run, op->bias),
               op_gradient(run, op->bias_h), run->dy, run->keep, run->x[0], &w, &w_h,
               run->sequences, op->in_width, op->out_width);
}

/* Three gates. */
static double gru_flops(const Op *op) {
  return 6 * (double)op->out_width * (double)(op->in_width + op->out_width);
}

static size_t gru_pack(const Op *op, OpMatrix out[OP_MATRICES]) {
  return recurrent_pack(op, 3, out);
}

const OpOps op_gru = {
    .name = "gru",
    .takes_below = true,
    .fits = recurrent_fits,
    .shape = gru_shape,
    .forward = gru_run,
    .backward = gru_run_back,
    .flops = gru_flops,
    .pack = gru_pack,
};

static void lstm_shape(Graph *graph, Op *op, const char *name) {
  recurrent_shape(graph, op, name, 4, 2);
  op->keep_width = lstm_keep(op->out_width);
}

static void lstm_run(const OpRun *run) {
  const Op *op = run->op;
  Weight w = op_weight(run, 0);
  Weight w_h = op_weight(run, 1);
  lstm_forward(run->y, run->keep, run->x[0], &w, &w_h, run->block + op->bias,
               run->block + op->bias_h, run->sequences, op->state_at, op->in_width, op->out_width);
  if (!run->state_out) return;
  save_hidden(run);
  save_cell(run);
}

static void lstm_run_back(const OpRun *run) {
  const Op *op = run->op;
  Weight w = op_weight(run, 0);
  Weight w_h = op_weight(run, 1);
  lstm_backward(run->dx[0], op->beta[0], op->below, op_gradient(run, op->weight),
                op_gradient(run, op->weight_h), op_gradient(run, op->bias),
                op_gradient(run, op->bias_h), run->dy, run->keep, run->x[0], &w, &w_h,
                run->sequences, op->in_width, op->out_width);
}

/* Four gates. */
static double lstm_flops(const Op *op) {
  return 8 * (double)op->out_width * (double)(op->in_width + op->out_width);
}

static size_t lstm_pack(const Op *op, OpMatrix out[OP_MATRICES]) {
  return recurrent_pack(op, 4, out);
}

const OpOps op_lstm = {
    .name = "lstm",
    .takes_below = true,
    .fits = recurrent_fits,
    .shape = lstm_shape,
    .forward = lstm_run,
    .backward = lstm_run_back,
    .flops = lstm_flops,
    .pack = lstm_pack,
};

#include "nn/graph.h"

#include "nn/kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void graph_begin(Graph *graph, size_t input_width) {
  *graph = (Graph){.tensors = 1};
  graph->width[0] = input_width;
}

static size_t add_view(Graph *graph, const char *name, const char *part, size_t dims, const size_t *shape) {
  View *view = &graph->view[graph->views++];
  snprintf(view->name, sizeof view->name, "%s.%s", name, part);
  view->offset = graph->params;
  view->dims = dims;
  view->count = 1;
  for (size_t i = 0; i < dims; i++) {
    view->shape[i] = shape[i];
    view->count *= shape[i];
  }
  graph->params += view->count;
  return view->offset;
}

static Op *add_op(Graph *graph, OpKind kind, int in, size_t width) {
  if (in < 0 || graph->ops == GRAPH_OPS || graph->views + 4 > GRAPH_VIEWS) return NULL;
  Op *op = &graph->op[graph->ops++];
  *op = (Op){.kind = kind, .in = in, .out = graph->tensors, .in_width = graph->width[in], .out_width = width};
  graph->width[graph->tensors++] = width;
  return op;
}

int graph_dense(Graph *graph, const char *name, int in, size_t width, Activation act) {
  Op *op = add_op(graph, OP_DENSE, in, width);
  if (!op) return -1;
  op->act = act;
  op->weight = add_view(graph, name, "weight", 2, (size_t[]){width, op->in_width});
  op->bias = add_view(graph, name, "bias", 1, (size_t[]){width});
  op->keep_width = act == ACT_GELU ? width : 0;
  return op->out;
}

int graph_heads(Graph *graph, const char *const *names, const size_t *widths, size_t count, int in) {
  size_t width = 0;
  for (size_t i = 0; i < count; i++) width += widths[i];
  if (graph->views + 2 * count > GRAPH_VIEWS) return -1;
  Op *op = add_op(graph, OP_DENSE, in, width);
  if (!op) return -1;
  op->weight = graph->params;
  for (size_t i = 0; i < count; i++) add_view(graph, names[i], "weight", 2, (size_t[]){widths[i], op->in_width});
  op->bias = graph->params;
  for (size_t i = 0; i < count; i++) add_view(graph, names[i], "bias", 1, (size_t[]){widths[i]});
  return op->out;
}

int graph_conv(Graph *graph, const char *name, int in, ConvShape shape, Activation act) {
  Op *op = add_op(graph, OP_CONV, in, shape.out_channels * shape.out_height * shape.out_width);
  if (!op) return -1;
  op->act = act;
  op->conv = shape;
  op->weight =
      add_view(graph, name, "weight", 4, (size_t[]){shape.out_channels, shape.in_channels, shape.kernel, shape.kernel});
  op->bias = add_view(graph, name, "bias", 1, (size_t[]){shape.out_channels});
  op->keep_width = act == ACT_GELU ? op->out_width : 0;
  return op->out;
}

int graph_norm(Graph *graph, const char *name, int in) {
  if (in < 0) return -1;
  Op *op = add_op(graph, OP_NORM, in, graph->width[in]);
  if (!op) return -1;
  op->weight = add_view(graph, name, "weight", 1, (size_t[]){op->out_width});
  op->bias = add_view(graph, name, "bias", 1, (size_t[]){op->out_width});
  op->keep_width = 2;
  return op->out;
}

static int add_recurrent(Graph *graph, const char *name, int in, size_t H, OpKind kind) {
  Op *op = add_op(graph, kind, in, H);
  if (!op) return -1;
  size_t gates = kind == OP_GRU ? 3 : 4;
  op->weight = add_view(graph, name, "weight_ih", 2, (size_t[]){gates * H, op->in_width});
  op->weight_h = add_view(graph, name, "weight_hh", 2, (size_t[]){gates * H, H});
  op->bias = add_view(graph, name, "bias_ih", 1, (size_t[]){gates * H});
  op->bias_h = add_view(graph, name, "bias_hh", 1, (size_t[]){gates * H});
  op->keep_width = kind == OP_GRU ? gru_keep(H) : lstm_keep(H);
  op->state_at = graph->state_size;
  graph->state_size += kind == OP_GRU ? H : 2 * H;
  return op->out;
}

int graph_gru(Graph *graph, const char *name, int in, size_t width) {
  return add_recurrent(graph, name, in, width, OP_GRU);
}
int graph_lstm(Graph *graph, const char *name, int in, size_t width) {
  return add_recurrent(graph, name, in, width, OP_LSTM);
}

int graph_broadcast(Graph *graph, const char *name, size_t width) {
  Op *op = add_op(graph, OP_BROADCAST, 0, width);
  if (!op) return -1;
  op->bias = add_view(graph, name, "value", 1, (size_t[]){width});
  return op->out;
}

/* Every part starts on a cache line. */
static size_t padded(size_t count) { return (count + 15) & ~(size_t)15; }

/* The matrices of an op: (rows of the packed product, columns). */
static size_t op_matrices(const Op *op, size_t shape[2][2]) {
  size_t H = op->out_width, gates = op->kind == OP_GRU ? 3 : 4;
  switch (op->kind) {
  case OP_DENSE: shape[0][0] = op->in_width, shape[0][1] = H; return 1;
  case OP_CONV:
    shape[0][0] = op->conv.in_channels * op->conv.kernel * op->conv.kernel, shape[0][1] = op->conv.out_channels;
    return 1;
  case OP_GRU:
  case OP_LSTM:
    shape[0][0] = op->in_width, shape[0][1] = gates * H;
    shape[1][0] = H, shape[1][1] = gates * H;
    return 2;
  case OP_NORM:
  case OP_BROADCAST: break;
  }
  return 0;
}

/* Layers wide enough to gain; never the heads, whose outputs are the policy, nor what reads ones. */
static bool gains_by_bf16(const Graph *graph, const Op *op) {
  if (!graph->bf16 || !bf16_kernels() || op->out_width < 32 || (op->in == 0 && graph->takes_ones)) return false;
  if (op->kind == OP_DENSE) return op->act != ACT_NONE;
  return op->kind == OP_CONV || op->kind == OP_GRU || op->kind == OP_LSTM;
}

static void plan_packing(Graph *graph) {
  size_t at = 0;
  for (size_t i = 0; i < graph->ops; i++) graph->op[i].bf16 = gains_by_bf16(graph, &graph->op[i]);
  for (int back = 0; back < 2; back++) {
    for (size_t i = 0; i < graph->ops; i++) {
      Op *op = &graph->op[i];
      size_t shape[2][2], count = op_matrices(op, shape);
      for (size_t m = 0; m < count; m++) {
        op->pack[2 * m + (size_t)back] = at;
        size_t K = shape[m][back], N = shape[m][!back];
        at += padded(op->bf16 ? bf16_kernels()->packed_size(K, N) : kernels()->packed_size(K, N));
      }
    }
    graph->packed[back] = at;
  }
}

void graph_finish(Graph *graph) {
  bool written[GRAPH_OPS + 1] = {false};
  graph->takes_ones = graph->width[0] <= UINT16_MAX;
  for (size_t i = graph->ops; i-- > 0;) {
    Op *op = &graph->op[i];
    if (op->kind == OP_BROADCAST) continue;
    op->beta = written[op->in] ? 1.0f : 0.0f;
    written[op->in] = true;
    if (op->in == 0 && op->kind != OP_DENSE) graph->takes_ones = false;
  }
  for (size_t i = 0; i < graph->ops; i++) { /* the first reader of a tensor is the last to add to its gradient */
    Op *maker = &graph->op[i];
    if ((maker->kind != OP_DENSE && maker->kind != OP_CONV) || !act_is_fused(maker->act)) continue;
    size_t reader = i + 1;
    while (reader < graph->ops && (graph->op[reader].kind == OP_BROADCAST || graph->op[reader].in != maker->out))
      reader++;
    if (reader == graph->ops) continue;
    OpKind kind = graph->op[reader].kind;
    if (kind != OP_DENSE && kind != OP_GRU && kind != OP_LSTM) continue;
    graph->op[reader].below = maker->act;
    maker->derived = true;
  }
  plan_packing(graph);
}

void graph_pack(const Graph *graph, const float *params, bool training, float *packed) {
  for (size_t i = 0; i < graph->ops; i++) {
    const Op *op = &graph->op[i];
    size_t shape[2][2], count = op_matrices(op, shape);
    for (size_t m = 0; m < count; m++) {
      size_t K = shape[m][0], N = shape[m][1];
      const float *w = params + (m ? op->weight_h : op->weight);
      void (*pack)(float *, const float *, size_t, size_t, size_t, size_t) =
          op->bf16 ? bf16_kernels()->pack : kernels()->pack;
      pack(packed + op->pack[2 * m], w, 1, K, K, N);
      if (training) pack(packed + op->pack[2 * m + 1], w, K, 1, N, K);
    }
  }
}

/* Modified Gram-Schmidt on whichever of rows and columns are fewer; shape (rows, everything else). */
void graph_init_orthogonal(const Graph *graph, float *params, const char *name, float gain, AgonRng *rng) {
  for (size_t v = 0; v < graph->views; v++) {
    const View *view = &graph->view[v];
    if (strcmp(view->name, name)) continue;
    size_t rows = view->shape[0], columns = view->count / rows;
    size_t count = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
    size_t step = rows < columns ? 1 : columns, jump = rows < columns ? columns : 1;
    float *w = params + view->offset;
    for (size_t i = 0; i < view->count; i++) w[i] = (float)rng_normal(rng);
    for (size_t a = 0; a < count; a++) {
      for (size_t b = 0; b < a; b++) {
        double dot = 0;
        for (size_t k = 0; k < length; k++) dot += (double)w[a * jump + k * step] * w[b * jump + k * step];
        for (size_t k = 0; k < length; k++) w[a * jump + k * step] -= (float)dot * w[b * jump + k * step];
      }
      double norm = 0;
      for (size_t k = 0; k < length; k++) norm += (double)w[a * jump + k * step] * w[a * jump + k * step];
      for (size_t k = 0; k < length; k++) w[a * jump + k * step] *= (float)(1.0 / sqrt(norm + 1e-30));
    }
    for (size_t i = 0; i < view->count; i++) w[i] *= gain;
  }
}

static double op_flops(const Op *op) {
  double H = (double)op->out_width, K = (double)op->in_width;
  switch (op->kind) {
  case OP_DENSE: return 2 * K * H;
  case OP_CONV: return 2 * H * (double)(op->conv.in_channels * op->conv.kernel * op->conv.kernel);
  case OP_GRU: return 6 * H * (K + H);
  case OP_LSTM: return 8 * H * (K + H);
  case OP_NORM:
  case OP_BROADCAST: break;
  }
  return 0;
}

double graph_flops_forward(const Graph *graph) {
  double sum = 0;
  for (size_t i = 0; i < graph->ops; i++) sum += op_flops(&graph->op[i]);
  return sum;
}

double graph_flops_train(const Graph *graph) {
  double sum = 0;
  for (size_t i = 0; i < graph->ops; i++) sum += op_flops(&graph->op[i]) * (graph->op[i].in == 0 ? 2 : 3);
  return sum;
}

Status activations_create(const Graph *graph, size_t rows, bool training, Activations *out) {
  *out = (Activations){.rows = rows, .training = training};
  size_t total = 0, scratch = 0;
  for (int t = 0; t < graph->tensors; t++) total += padded(rows * graph->width[t]) * (training ? 2 : 1);
  for (size_t i = 0; i < graph->ops; i++) {
    total += padded(rows * graph->op[i].keep_width);
    const Op *op = &graph->op[i];
    size_t need = op->kind == OP_CONV ? conv_scratch(&op->conv)
                  : training && graph->takes_ones && op->in == 0 && op->weight != op->bias
                      ? op->in_width * (op->out_width + 64)
                      : 0;
    if (need > scratch) scratch = need;
  }
  size_t ones = graph->takes_ones ? padded(rows + 1) + padded((rows * graph->width[0] + 1) / 2) : 0;
  total += padded(scratch) + ones;
  out->block = aligned_alloc(64, (total * sizeof(float) + 63) & ~(size_t)63);
  if (!out->block) return status_set(ERR_MEMORY, "out of memory: %zu rows of activations", rows);
  memset(out->block, 0, total * sizeof(float));
  float *at = out->block;
  for (int t = 0; t < graph->tensors; t++) {
    out->value[t] = at;
    at += padded(rows * graph->width[t]);
    if (!training) continue;
    out->grad[t] = at;
    at += padded(rows * graph->width[t]);
  }
  for (size_t i = 0; i < graph->ops; i++) {
    out->keep[i] = at;
    at += padded(rows * graph->op[i].keep_width);
  }
  out->scratch = at;
  at += padded(scratch);
  if (ones) {
    out->first = (uint32_t *)at;
    out->column = (uint16_t *)(at + padded(rows + 1));
  }
  return OK;
}

void activations_destroy(Activations *space) {
  free(space->block);
  *space = (Activations){0};
}

static void save_state(const Op *op, const Activations *space, size_t index, const Sequences *seq, float *state_out) {
  size_t H = op->out_width, first = (seq->T - 1) * seq->B;
  for (size_t b = 0; b < seq->B; b++) {
    float *state = state_out + b * seq->S + op->state_at;
    memcpy(state, space->value[op->out] + (first + b) * H, H * sizeof *state);
    if (op->kind == OP_LSTM) memcpy(state + H, lstm_cell(space->keep[index], first + b, H), H * sizeof *state);
  }
}

static Weight weight_of(const Op *op, const float *params, const float *packed, size_t which, bool training) {
  const float *w = params + (which ? op->weight_h : op->weight);
  if (!packed) return (Weight){w, NULL, NULL, op->bf16};
  return (Weight){w, packed + op->pack[2 * which], training ? packed + op->pack[2 * which + 1] : NULL, op->bf16};
}

void graph_forward(const Graph *graph, const float *params, const float *packed, Activations *space,
                   const Sequences *seq, float *state_out) {
  size_t R = seq->B * seq->T;
  Ones ones = {space->first, space->column};
  for (size_t i = 0; i < graph->ops; i++) {
    const Op *op = &graph->op[i];
    const float *x = space->value[op->in], *b = params + op->bias;
    float *y = space->value[op->out];
    Activation fused = act_is_fused(op->act) ? op->act : ACT_NONE;
    Weight w = weight_of(op, params, packed, 0, false), w_h = weight_of(op, params, packed, 1, false);
    switch (op->kind) {
    case OP_DENSE:
      dense_forward(y, 0.0f, x, space->ones && op->in == 0 ? &ones : NULL, &w, b, fused, R, op->in_width,
                    op->out_width);
      if (!fused) act_forward(op->act, y, space->keep[i], R * op->out_width);
      break;
    case OP_CONV:
      conv_forward(y, x, &w, b, fused, space->scratch, &op->conv, R);
      if (!fused) act_forward(op->act, y, space->keep[i], R * op->out_width);
      break;
    case OP_NORM: norm_forward(y, space->keep[i], x, w.w, b, R, op->out_width); break;
    case OP_GRU:
      gru_forward(y, space->keep[i], x, &w, &w_h, b, params + op->bias_h, seq, op->state_at, op->in_width,
                  op->out_width);
      if (state_out) save_state(op, space, i, seq, state_out);
      break;
    case OP_LSTM:
      lstm_forward(y, space->keep[i], x, &w, &w_h, b, params + op->bias_h, seq, op->state_at, op->in_width,
                   op->out_width);
      if (state_out) save_state(op, space, i, seq, state_out);
      break;
    case OP_BROADCAST:
      for (size_t r = 0; r < R; r++) memcpy(y + r * op->out_width, b, op->out_width * sizeof *y);
      break;
    }
  }
}

static size_t op_begins(const Op *op) { return op->kind == OP_BROADCAST ? op->bias : op->weight; }

void graph_backward(const Graph *graph, const float *params, const float *packed, float *gradient, Activations *space,
                    const Sequences *seq, GraphDone done, void *context) {
  size_t R = seq->B * seq->T;
  Ones ones = {space->first, space->column};
  for (size_t i = graph->ops; i-- > 0;) {
    const Op *op = &graph->op[i];
    const float *x = space->value[op->in];
    float *dy = space->grad[op->out], *dx = op->in == 0 ? NULL : space->grad[op->in];
    float *dw = gradient + op->weight, *db = gradient + op->bias;
    Weight w = weight_of(op, params, packed, 0, true), w_h = weight_of(op, params, packed, 1, true);
    bool own = (op->kind == OP_DENSE || op->kind == OP_CONV) && !op->derived;
    if (own) act_backward(op->act, dy, space->value[op->out], space->keep[i], R * op->out_width);
    switch (op->kind) {
    case OP_DENSE:
      dense_backward(dx, op->beta, op->below, dw, db, dy, x, space->ones && op->in == 0 ? &ones : NULL, space->scratch,
                     &w, R, op->in_width, op->out_width);
      break;
    case OP_CONV: conv_backward(dx, op->beta, dw, db, dy, x, &w, space->scratch, &op->conv, R); break;
    case OP_NORM: norm_backward(dx, op->beta, dw, db, dy, x, space->keep[i], w.w, R, op->out_width); break;
    case OP_GRU:
      gru_backward(dx, op->beta, op->below, dw, gradient + op->weight_h, db, gradient + op->bias_h, dy, space->keep[i],
                   x, &w, &w_h, seq, op->in_width, op->out_width);
      break;
    case OP_LSTM:
      lstm_backward(dx, op->beta, op->below, dw, gradient + op->weight_h, db, gradient + op->bias_h, dy, space->keep[i],
                    x, &w, &w_h, seq, op->in_width, op->out_width);
      break;
    case OP_BROADCAST:
      for (size_t r = 0; r < R; r++)
        for (size_t n = 0; n < op->out_width; n++) db[n] += dy[r * op->out_width + n];
      break;
    }
    if (done) done(context, op_begins(op));
  }
}

#include "nn/graph.h"

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

void graph_finish(Graph *graph) {
  bool written[GRAPH_OPS + 1] = {false};
  for (size_t i = graph->ops; i-- > 0;) {
    Op *op = &graph->op[i];
    if (op->kind == OP_BROADCAST) continue;
    op->beta = written[op->in] ? 1.0f : 0.0f;
    written[op->in] = true;
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

/* Every part starts on a cache line. */
static size_t padded(size_t count) { return (count + 15) & ~(size_t)15; }

Status space_create(const Graph *graph, size_t rows, bool training, Space *out) {
  *out = (Space){.rows = rows, .training = training};
  size_t total = 0, scratch = 0;
  for (int t = 0; t < graph->tensors; t++) total += padded(rows * graph->width[t]) * (training ? 2 : 1);
  for (size_t i = 0; i < graph->ops; i++) {
    total += padded(rows * graph->op[i].keep_width);
    if (graph->op[i].kind == OP_CONV && conv_scratch(&graph->op[i].conv) > scratch)
      scratch = conv_scratch(&graph->op[i].conv);
  }
  total += padded(scratch);
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
  return OK;
}

void space_destroy(Space *space) {
  free(space->block);
  *space = (Space){0};
}

static void save_state(const Op *op, const Space *space, size_t index, const Sequences *seq, float *state_out) {
  size_t H = op->out_width, first = (seq->T - 1) * seq->B;
  for (size_t b = 0; b < seq->B; b++) {
    float *state = state_out + b * seq->S + op->state_at;
    memcpy(state, space->value[op->out] + (first + b) * H, H * sizeof *state);
    if (op->kind == OP_LSTM) memcpy(state + H, lstm_cell(space->keep[index], first + b, H), H * sizeof *state);
  }
}

void graph_forward(const Graph *graph, const float *params, Space *space, const Sequences *seq, float *state_out) {
  size_t R = seq->B * seq->T;
  for (size_t i = 0; i < graph->ops; i++) {
    const Op *op = &graph->op[i];
    const float *x = space->value[op->in], *w = params + op->weight, *b = params + op->bias;
    float *y = space->value[op->out];
    switch (op->kind) {
    case OP_DENSE:
      dense_forward(y, x, w, b, R, op->in_width, op->out_width);
      act_forward(op->act, y, space->keep[i], R * op->out_width);
      break;
    case OP_CONV:
      conv_forward(y, x, w, b, space->scratch, &op->conv, R);
      act_forward(op->act, y, space->keep[i], R * op->out_width);
      break;
    case OP_NORM: norm_forward(y, space->keep[i], x, w, b, R, op->out_width); break;
    case OP_GRU:
      gru_forward(y, space->keep[i], x, w, params + op->weight_h, b, params + op->bias_h, seq, op->state_at,
                  op->in_width, op->out_width);
      if (state_out) save_state(op, space, i, seq, state_out);
      break;
    case OP_LSTM:
      lstm_forward(y, space->keep[i], x, w, params + op->weight_h, b, params + op->bias_h, seq, op->state_at,
                   op->in_width, op->out_width);
      if (state_out) save_state(op, space, i, seq, state_out);
      break;
    case OP_BROADCAST:
      for (size_t r = 0; r < R; r++) memcpy(y + r * op->out_width, b, op->out_width * sizeof *y);
      break;
    }
  }
}

void graph_backward(const Graph *graph, const float *params, float *gradient, Space *space, const Sequences *seq) {
  size_t R = seq->B * seq->T;
  for (size_t i = graph->ops; i-- > 0;) {
    const Op *op = &graph->op[i];
    const float *x = space->value[op->in], *w = params + op->weight;
    float *dy = space->grad[op->out], *dx = op->in == 0 ? NULL : space->grad[op->in];
    float *dw = gradient + op->weight, *db = gradient + op->bias;
    switch (op->kind) {
    case OP_DENSE:
      act_backward(op->act, dy, space->value[op->out], space->keep[i], R * op->out_width);
      dense_backward(dx, op->beta, dw, db, dy, x, w, R, op->in_width, op->out_width);
      break;
    case OP_CONV:
      act_backward(op->act, dy, space->value[op->out], space->keep[i], R * op->out_width);
      conv_backward(dx, op->beta, dw, db, dy, x, w, space->scratch, &op->conv, R);
      break;
    case OP_NORM: norm_backward(dx, op->beta, dw, db, dy, x, space->keep[i], w, R, op->out_width); break;
    case OP_GRU:
      gru_backward(dx, op->beta, dw, gradient + op->weight_h, db, gradient + op->bias_h, dy, space->keep[i], x, w,
                   params + op->weight_h, seq, op->in_width, op->out_width);
      break;
    case OP_LSTM:
      lstm_backward(dx, op->beta, dw, gradient + op->weight_h, db, gradient + op->bias_h, dy, space->keep[i], x, w,
                    params + op->weight_h, seq, op->in_width, op->out_width);
      break;
    case OP_BROADCAST:
      for (size_t r = 0; r < R; r++)
        for (size_t n = 0; n < op->out_width; n++) db[n] += dy[r * op->out_width + n];
      break;
    }
  }
}

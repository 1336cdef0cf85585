/* A network as a recorded list of operations over one flat parameter block. Forward replays the list over R rows,
 * backward replays it in reverse; nothing is allocated on the way. Tensor 0 is the input. */
#pragma once
#include "base/rng.h"
#include "base/status.h"
#include "nn/ops.h"

enum { GRAPH_OPS = 40, GRAPH_VIEWS = 120 };

typedef enum OpKind { OP_DENSE, OP_CONV, OP_NORM, OP_GRU, OP_LSTM, OP_BROADCAST } OpKind;

/* A named layer parameter: a view into the flat block, PyTorch's layout (out, in), row-major. */
typedef struct View {
  char name[32];
  size_t offset, shape[4], dims, count;
} View;

typedef struct Op {
  OpKind kind;
  Activation act;
  int in, out;
  size_t in_width, out_width;
  size_t weight, bias, weight_h, bias_h; /* offsets into the parameters */
  float beta;                            /* 1 if another op has already written the input's gradient */
  ConvShape conv;
  size_t state_at;
  size_t keep_width; /* floats per row kept for the backward pass */
} Op;

typedef struct Graph {
  Op op[GRAPH_OPS];
  size_t ops;
  size_t width[GRAPH_OPS + 1]; /* of tensor i */
  int tensors;
  View view[GRAPH_VIEWS];
  size_t views;
  size_t params;     /* floats in the flat block */
  size_t state_size; /* floats of recurrent state per row; 0 = feed-forward */
} Graph;

void graph_begin(Graph *graph, size_t input_width);
/* Each returns the output tensor, or -1 when the graph is full. `name` prefixes the views. */
int graph_dense(Graph *graph, const char *name, int in, size_t width, Activation act);
int graph_conv(Graph *graph, const char *name, int in, ConvShape shape, Activation act);
int graph_norm(Graph *graph, const char *name, int in);
int graph_gru(Graph *graph, const char *name, int in, size_t width);
int graph_lstm(Graph *graph, const char *name, int in, size_t width);
int graph_broadcast(Graph *graph, const char *name, size_t width); /* the same free vector on every row */
void graph_finish(Graph *graph);                                   /* after the last op: plans gradients */

/* Orthogonal rows times gain (Saxe et al. 2013); biases 0, norm gains 1. `view` by name. */
void graph_init_orthogonal(const Graph *graph, float *params, const char *view, float gain, AgonRng *rng);
/* Multiply-adds times two per row: forward, and forward + backward. */
double graph_flops_forward(const Graph *graph);
double graph_flops_train(const Graph *graph);

/* Buffers for up to `rows` rows; training also holds gradients and what the backward pass needs. */
typedef struct Space {
  float *block;
  float *value[GRAPH_OPS + 1]; /* tensor i: (rows, width[i]) */
  float *grad[GRAPH_OPS + 1];  /* likewise; grad[0] is not kept */
  float *keep[GRAPH_OPS];
  float *scratch;
  size_t rows;
  bool training;
} Space;

Status space_create(const Graph *graph, size_t rows, bool training, Space *out);
void space_destroy(Space *space);

/* Input in space->value[0]. state_out (B,S) may be NULL. */
void graph_forward(const Graph *graph, const float *params, Space *space, const Sequences *seq, float *state_out);
/* space->grad of the output tensors must be set for all rows; adds to gradient (params floats). */
void graph_backward(const Graph *graph, const float *params, float *gradient, Space *space, const Sequences *seq);

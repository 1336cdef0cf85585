/* A network as a recorded list of operations (op.h) over one flat block of parameters. Forward
 * replays the list over R rows, backward replays it in reverse; nothing is allocated on the way.
 * Tensor 0 is the input. Behind the parameters the block holds constants: numbers that ops read and
 * nobody trains by gradients, such as the moments of observations. */
#pragma once
#include "base/rng.h"
#include "base/status.h"
#include "nn/op.h"

enum { GRAPH_OPS = 48, GRAPH_VIEWS = 120 };

/* A named layer parameter: a view into the flat block, PyTorch's layout (out, in), row-major. */
typedef struct View {
  char name[32];
  size_t offset;
  size_t shape[4];
  size_t dims;
  size_t count;
} View;

/* A network: its ops in order, and where everything lies. */
typedef struct Graph {
  Op op[GRAPH_OPS];
  size_t ops;
  size_t width[GRAPH_OPS + 1]; /* of tensor i */
  int tensors;
  View view[GRAPH_VIEWS]; /* of the parameters */
  size_t views;
  size_t params;     /* floats that are trained, at the head of the block */
  size_t constants;  /* floats behind them */
  size_t state_size; /* floats of recurrent state per row; 0 = feed-forward */
  /* floats of the packed weights: for the forward pass alone, and with the backward pass */
  size_t packed[2];
  bool takes_ones; /* only dense layers read the input, so that it may be given by its ones */
  /* To be set before graph_finish: */
  bool bf16;           /* wide layers multiply in bfloat16, if the processor gains by it */
  bool input_gradient; /* the backward pass leaves the gradient of tensor 0, too */
} Graph;

/* An empty graph whose input has this width. */
void graph_begin(Graph *graph, size_t input_width);
/* Adds an op of which the fields of the first half are given; returns its tensor, or -1 when the
 * graph is full or an input is -1, so that only the last result need be looked at. `name` prefixes
 * its views. Those below are made of it. */
int graph_add(Graph *graph, const OpOps *ops, const char *name, const Op *with);
int graph_dense(Graph *graph, const char *name, int in, size_t width, Activation act);
int graph_conv(Graph *graph, const char *name, int in, ConvShape shape, Activation act);
int graph_norm(Graph *graph, const char *name, int in);
int graph_gru(Graph *graph, const char *name, int in, size_t width);
int graph_lstm(Graph *graph, const char *name, int in, size_t width);
/* The same vector of parameters on every row. */
int graph_broadcast(Graph *graph, const char *name, size_t width);
/* Several dense heads without activation on one tensor, as one product: output columns in the order
 * of the heads, whose widths sum up; views NAME.weight for each, then NAME.bias for each. */
int graph_heads(Graph *graph, const char *const *names, const size_t *widths, size_t count, int in);
/* (x - mean) * scale per column, clipped to +-10. Constants: mean (width), scale (width). */
int graph_normalise(Graph *graph, int in);
/* column * scale + mean, (R,1). Constants: mean, scale. Of that column of its input nothing else
 * may read, and the other columns' gradients are left to the caller (graph_output). */
int graph_rescale(Graph *graph, int in, size_t column);
/* Marks a tensor, not the input, whose gradient the caller sets before each backward pass: ops that
 * read it add theirs. What no op reads is such a tensor in any case. */
void graph_output(Graph *graph, int tensor);
/* After the last op: plans gradients and packing, and places the constants. */
void graph_finish(Graph *graph);

/* For ops: a new parameter NAME.PART of this shape; returns its offset in the block. */
size_t graph_view(Graph *graph, const char *name, const char *part, size_t dims,
                  const size_t *shape);
/* For ops: a new stretch of constants; returns its offset from their beginning. */
size_t graph_constants(Graph *graph, size_t count);

/* Rearranges the weights for the kernels in use (packed: graph->packed[training] floats, 64-byte
 * aligned); once per version of the parameters. */
void graph_pack(const Graph *graph, const float *params, bool training, float *packed);

/* Orthogonal rows times gain (Saxe et al. 2013); biases 0, norm gains 1. `view` by name. */
void graph_init_orthogonal(const Graph *graph, float *params, const char *view, float gain,
                           AgonRng *rng);
/* Multiply-adds times two per row: forward, and forward + backward. */
double graph_flops_forward(const Graph *graph);
double graph_flops_train(const Graph *graph);

/* Buffers for up to `rows` rows; training also holds gradients and what the backward pass needs. */
typedef struct Activations {
  float *block;
  float *value[GRAPH_OPS + 1]; /* tensor i: (rows, width[i]) */
  float *grad[GRAPH_OPS + 1];  /* likewise; grad[0] only if the graph wants it */
  float *keep[GRAPH_OPS];
  float *scratch;
  uint32_t *first; /* (rows + 1) and column: the input by its ones (graph->takes_ones) */
  uint16_t *column;
  bool ones; /* the input is given so, not in value[0] */
  size_t rows;
  bool training;
} Activations;

/* Buffers of a graph, the caller's (activations_destroy). ERR_MEMORY. */
Status activations_create(const Graph *graph, size_t rows, bool training, Activations *out);
/* Accepts one that is all zero. */
void activations_destroy(Activations *space);

/* Input in space->value[0], or by its ones. params: the block, with its constants. packed may be
 * NULL; if not, it must be of these params (and of training for the backward pass). state_out (B,S)
 * may be NULL. */
void graph_forward(const Graph *graph, const float *params, const float *packed, Activations *space,
                   const Sequences *seq, float *state_out);
/* Called when the gradient of params from `offset` on is complete. */
typedef void (*GraphDone)(void *context, size_t offset);
/* space->grad of the tensors that graph_output marks, and of all that no op reads, must be set for
 * all rows (but for the column that a rescale reads); adds to gradient (params floats). done may be
 * NULL. */
void graph_backward(const Graph *graph, const float *params, const float *packed, float *gradient,
                    Activations *space, const Sequences *seq, GraphDone done, void *context);

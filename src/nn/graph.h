/* A network as a recorded list of operations (op.h) over one flat block of parameters. Forward
 * replays the list over R rows, backward replays it in reverse; nothing is allocated on the way.
 * Tensor 0 is the input; there may be more (graph_input).
 *
 * Teams: row (t, b, n) of an agent-level tensor is row (t * B + b) * N + n, where B counts teams,
 * and N, `cells`, is the number of agents of a team, those out of the game included; a team-level
 * tensor has a row for each (t, b). With cells = 1 both are the same. Sequences always speak of
 * agents: B * N of them, T steps. Behind the parameters the block holds constants: numbers that ops
 * read and nobody trains by gradients, such as the moments of observations. */
#pragma once
#include "base/rng.h"
#include "base/status.h"
#include "nn/op.h"

enum { GRAPH_OPS = 96, GRAPH_VIEWS = 256 };

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
  Level level[GRAPH_OPS + 1];  /* likewise */
  bool asked[GRAPH_OPS + 1];   /* of an input: the backward pass leaves its gradient */
  int tensors;
  View view[GRAPH_VIEWS]; /* of the parameters */
  size_t views;
  size_t cells;      /* agents of a team; 1: rows are rows */
  size_t params;     /* floats that are trained, at the head of the block */
  size_t constants;  /* floats behind them */
  size_t state_size; /* floats of recurrent state per row; 0 = feed-forward */
  /* floats of the packed weights: for the forward pass alone, and with the backward pass */
  size_t packed[2];
  bool takes_ones; /* only dense layers read the input, so that it may be given by its ones */
  /* Sets of parameters that rows are dealt out to, each run as a graph of its own; 0: one. */
  size_t copies;
  /* To be set before graph_finish: */
  bool bf16; /* wide layers multiply in bfloat16, if the processor gains by it */
} Graph;

/* An empty graph whose input has this width. */
void graph_begin(Graph *graph, size_t input_width);
/* The same for teams of `cells` agents; tensor 0 is of that level. */
void graph_begin_team(Graph *graph, size_t cells, size_t input_width, Level level);
/* The backward pass shall leave the gradient of that input (0, or of graph_input) in space->grad:
 * of all its rows, 0 where nothing depends on it. Something must read it. Before graph_finish. */
void graph_want_gradient(Graph *graph, int input);
/* Adds an op of which the fields of the first half are given; returns its tensor, or -1 when the
 * graph is full, an input is -1, or the inputs do not fit the op, so that only the last result need
 * be looked at. `name` prefixes its views. Those below are made of it; all inputs of an op are of
 * one level, which is that of its tensor unless it says otherwise. */
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
/* A further input: the caller fills space->value of it before each forward pass. */
int graph_input(Graph *graph, size_t width, Level level);
/* y = x W: dense without bias or activation. */
int graph_product(Graph *graph, const char *name, int in, size_t width);
/* Columns column .. column + width - 1; and up to OP_INPUTS tensors side by side. */
int graph_slice(Graph *graph, int in, size_t column, size_t width);
int graph_join(Graph *graph, const int *in, size_t count);
/* From (R, w) of agents to (R / cells, cells * w) of teams, and back: no number moves. */
int graph_fold(Graph *graph, int in);
int graph_unfold(Graph *graph, int in);
/* Each agent gets its team's row: from (R / cells, w) to (R, w). */
int graph_spread(Graph *graph, int in);
/* The same numbers, through which no gradient passes. */
int graph_stop(Graph *graph, int in);
/* Elementwise: act(x); x * scale + shift with fixed numbers; the sum of two to OP_INPUTS tensors;
 * the product of two. */
int graph_act(Graph *graph, int in, Activation act);
int graph_affine(Graph *graph, int in, float scale, float shift);
int graph_add_up(Graph *graph, const int *in, size_t count);
int graph_mul(Graph *graph, int a, int b);
/* Of all columns of a row: (R, 1). */
int graph_sum(Graph *graph, int in);
/* y_j = sum_i x_i W_ij: x (R, K), the matrix (R, K * width) with row i from column i * width on. */
int graph_matvec(Graph *graph, int x, int matrix, size_t width);
/* What each agent hears of its team: links (R, cells), an input that gets no gradient, says of
 * whom; x (R, w) is what each says (mix_forward). The same weighed by attention: query and key of
 * one width (attend_forward); top: most that are heard, 0: all. */
int graph_mix(Graph *graph, int links, int x);
int graph_attend(Graph *graph, int links, int query, int key, int x, size_t top);
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

/* w (rows, columns): orthogonal rows, or columns where these are fewer, times gain (Saxe et al.
 * 2013). */
void init_orthogonal(float *w, size_t rows, size_t columns, float gain, AgonRng *rng);
/* The same for a view by its name, seen as (first dimension, everything else). */
void graph_init_orthogonal(const Graph *graph, float *params, const char *view, float gain,
                           AgonRng *rng);
/* The gain of a matrix, by its view; `context` is the caller's. */
typedef float (*GraphGain)(const void *context, const View *view);
/* The whole block (params + constants) at the start: matrices orthogonal, with their gains; biases
 * 0; norms, normalisers and scales such that they change nothing but what they must. */
void graph_init(const Graph *graph, float *block, GraphGain gain, const void *context,
                AgonRng *rng);
/* Multiply-adds times two per agent-level row: forward, and forward + backward. */
double graph_flops_forward(const Graph *graph);
double graph_flops_train(const Graph *graph);

/* Buffers for up to `rows` rows of agents, a multiple of graph->cells; training also holds
 * gradients and what the backward pass needs. */
typedef struct Activations {
  float *block;
  float *value[GRAPH_OPS + 1]; /* tensor i: (rows, width[i]), of its level's rows */
  float *grad[GRAPH_OPS + 1];  /* likewise; of inputs only if asked for */
  float *keep[GRAPH_OPS];
  float *scratch;
  uint32_t *first; /* (rows + 1) and column: the input by its ones (graph->takes_ones) */
  uint16_t *column;
  bool ones; /* the input is given so, not in value[0] */
  /* Of several copies of the parameters (graph->copies): which of the rows brought in lies where,
   * copy by copy, with its part of the Sequences. Filled by those who bring rows in (net_load). */
  uint32_t *source;  /* (rows) */
  int32_t *restart;  /* (rows) */
  uint8_t *hold;     /* (rows) */
  float *state;      /* (rows, state_size) after the last step */
  size_t *copy_rows; /* (copies) */
  size_t rows;
  bool training;
} Activations;

/* Buffers of a graph, the caller's (activations_destroy). ERR_MEMORY. */
Status activations_create(const Graph *graph, size_t rows, bool training, Activations *out);
/* Accepts one that is all zero. */
void activations_destroy(Activations *space);

/* Inputs in space->value, the first perhaps by its ones. params: the block, with its constants.
 * packed may be NULL; if not, it must be of these params (and of training for the backward pass).
 * state_out (B,S) may be NULL. */
void graph_forward(const Graph *graph, const float *params, const float *packed, Activations *space,
                   const Sequences *seq, float *state_out);
/* Called when the gradient of params from `offset` on is complete. */
typedef void (*GraphDone)(void *context, size_t offset);
/* space->grad of the tensors that graph_output marks, and of all that no op reads, must be set for
 * all rows (but for the column that a rescale reads); adds to gradient (params floats), or, where
 * that is NULL, works out nothing but the gradients of tensors. done may be NULL. */
void graph_backward(const Graph *graph, const float *params, const float *packed, float *gradient,
                    Activations *space, const Sequences *seq, GraphDone done, void *context);

/* What an operation of a network is: a table of functions (OpOps), a place in a graph (Op), and
 * what its functions are given when it runs (OpRun).
 *
 * An op reads up to three tensors and makes one. A tensor has R rows; its width is the op's. Its
 * parameters are views into the flat block of the graph. */
#pragma once
#include "nn/ops/ops.h"

#include <stdbool.h>

enum { OP_INPUTS = 3, OP_MATRICES = 2 };

struct Graph;
struct OpOps;

/* Several dense layers as one: columns in their order. */
typedef struct OpHeads {
  const char *const *names;
  const size_t *widths;
  size_t count;
} OpHeads;

/* An op's place in a graph. Fields of the second half are filled by graph_add and graph_finish. */
typedef struct Op {
  const struct OpOps *ops;
  int in[OP_INPUTS]; /* tensors */
  size_t inputs;
  size_t out_width;
  Activation act;
  ConvShape conv;
  size_t column;        /* rescale: of its input, which it reads */
  const OpHeads *heads; /* borrowed while the op is added */

  int out;            /* tensor */
  size_t in_width;    /* of in[0] */
  size_t weight;      /* offset into the block */
  size_t bias;        /* likewise */
  size_t weight_h;    /* of recurrent weights */
  size_t bias_h;      /* and their bias */
  size_t first_param; /* offset of those that are trained */
  size_t params;      /* how many these are */
  size_t constants;   /* how many it has: then weight and bias are theirs */
  bool exact;         /* its products are never in bfloat16 */
  size_t state_at;    /* of its recurrent state in a row's */
  size_t keep_width;  /* floats per row kept for the backward pass */
  /* Whether the caller sets the gradient of `out` before the backward pass (graph_output): then all
   * readers of `out` add to it. */
  bool given;
  /* 1 if somebody has already written that input's gradient: another reader, or the caller; 0 if
   * what is there is nobody's. Rescale takes no notice of it: it sets its own column, which nobody
   * else may write, and leaves the others as they are. */
  float beta[OP_INPUTS];
  bool wanted[OP_INPUTS]; /* whether anybody needs that input's gradient */
  Activation below; /* of the op that made in[0]: its derivative is applied with in[0]'s gradient */
  bool derived;     /* the gradient of `out` arrives with this op's own derivative applied */
  bool bf16;        /* products in bfloat16 */
  bool reads_ones;  /* in[0] is the network's input, and may be given by its ones */
  size_t pack[OP_MATRICES][2]; /* offsets into the packed weights: forward, back */
} Op;

/* A matrix of parameters: (K, N) is what it multiplies and what comes out. */
typedef struct OpMatrix {
  size_t at; /* offset into the block, (N, K) row-major */
  size_t K;
  size_t N;
} OpMatrix;

/* One run over all rows. Arrays have `rows` rows. */
typedef struct OpRun {
  const Op *op;
  size_t rows;
  const float *block;  /* the parameters, and what lies behind them */
  const float *packed; /* NULL: nothing is packed */
  bool training;       /* packed for the backward pass, too */
  const Sequences *sequences;
  const float *x[OP_INPUTS];
  const Ones *ones; /* stands for x[0]; NULL: it does not */
  float *y;
  float *keep;    /* (rows, keep_width) */
  float *scratch; /* as many floats as the op's `scratch` says */
  /* forward: recurrent states after the last step (B, S); NULL: nobody wants them */
  float *state_out;
  /* Backward. dx[i] is NULL where nobody wants that input's gradient; else it is
   * beta[i] * dx[i] + the gradient (of rescale: see Op.beta). dy may be overwritten. */
  float *dy;
  float *dx[OP_INPUTS];
  float *gradient; /* of the block, to be added to */
} OpRun;

/* What an op can do. */
typedef struct OpOps {
  const char *name;
  bool takes_ones;  /* can read its input by the places of its ones */
  bool takes_below; /* applies `below` with in[0]'s gradient */
  bool gives_act;   /* the derivative of its activation may be applied by its reader */
  /* Sets what follows from the inputs and the fields of the first half: out_width, keep_width,
   * views (graph_view) and state. */
  void (*shape)(struct Graph *graph, Op *op, const char *name);
  void (*forward)(const OpRun *run);
  void (*backward)(const OpRun *run);
  double (*flops)(const Op *op); /* of a row, forward; NULL: as good as none */
  size_t (*pack)(const Op *op, OpMatrix out[OP_MATRICES]); /* matrices to pack; NULL: none */
  size_t (*scratch)(const Op *op, bool training);          /* floats; NULL: none */
} OpOps;

extern const OpOps op_dense;     /* y = act(x w^T + b) */
extern const OpOps op_broadcast; /* the same free vector on every row */
extern const OpOps op_conv;
extern const OpOps op_norm;      /* layer normalisation */
extern const OpOps op_normalise; /* by a running mean and deviation, clipped */
extern const OpOps op_rescale; /* one column, by a running mean and deviation: PopArt's last step */
extern const OpOps op_gru;
extern const OpOps op_lstm;
const OpOps *op_at(size_t index); /* each of them; NULL past the end */

/* A matrix of the op that runs, with its packed forms. */
static inline Weight op_weight(const OpRun *run, size_t which) {
  const Op *op = run->op;
  const float *w = run->block + (which ? op->weight_h : op->weight);
  Weight weight = {.w = w, .bf16 = op->bf16};
  if (run->packed) weight.forward = run->packed + op->pack[which][0];
  if (run->packed && run->training) weight.back = run->packed + op->pack[which][1];
  return weight;
}

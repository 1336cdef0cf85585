/* What an operation of a network is: a table of functions (OpOps), a place in a graph (Op), and
 * what its functions are given when it runs (OpRun).
 *
 * An op reads up to four tensors and makes one. Its width is the op's, its number of rows follows
 * from its level. Parameters are views into the flat block of the graph. */
#pragma once
#include "nn/ops/ops.h"

#include <stdbool.h>
#include <string.h>

enum { OP_INPUTS = 4, OP_MATRICES = 2 };

/* What a tensor's rows stand for. Of the agent level there are R rows, one for each agent of each
 * team step; of the team level R / cells, one for each team step. */
typedef enum Level { LEVEL_AGENT, LEVEL_TEAM } Level;

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
  size_t column; /* rescale, slice: of its input, which it reads (the first of these) */
  float scale;   /* affine */
  float shift;   /* likewise */
  size_t top;    /* attend: most that an agent hears; 0: all */
  Level level;   /* of its tensor; given where there are no inputs, else theirs, or of shape */
  const OpHeads *heads; /* borrowed while the op is added */

  int out;                  /* tensor */
  size_t cells;             /* of the graph */
  size_t in_width;          /* of in[0] */
  size_t widths[OP_INPUTS]; /* of all inputs */
  size_t weight;            /* offset into the block */
  size_t bias;              /* likewise */
  size_t weight_h;          /* of recurrent weights */
  size_t bias_h;            /* and their bias */
  size_t first_param;       /* offset of those that are trained */
  size_t params;            /* how many these are */
  size_t constants;         /* how many it has: then weight and bias are theirs */
  bool exact;               /* its products are never in bfloat16 */
  size_t state_at;          /* of its recurrent state in a row's */
  size_t keep_width;        /* floats per row kept for the backward pass */
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

/* One run over all rows. Arrays have as many rows as their levels say. */
typedef struct OpRun {
  const Op *op;
  size_t rows;         /* of y; the inputs', too, unless the op changes the level */
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
  float *gradient; /* of the block, to be added to; NULL: nobody wants it (op_gradient) */
} OpRun;

/* What an op can do. */
typedef struct OpOps {
  const char *name;
  bool takes_ones;  /* can read its input by the places of its ones */
  bool takes_below; /* applies `below` with in[0]'s gradient */
  bool gives_act;   /* the derivative of its activation may be applied by its reader */
  bool same_value;  /* y is x[0] in other words: both lie in the same memory */
  bool stops;       /* nobody gets a gradient by way of its output */
  /* Whether the inputs' levels and widths, and the fields of the first half, are such as it takes;
   * NULL: any. All inputs are of one level, op->level. */
  bool (*fits)(const struct Graph *graph, const Op *op);
  /* Sets what follows from the inputs and the fields of the first half: out_width, keep_width,
   * views (graph_view), state, and the level if it is another one than the inputs'. */
  void (*shape)(struct Graph *graph, Op *op, const char *name);
  void (*forward)(const OpRun *run);
  void (*backward)(const OpRun *run);
  double (*flops)(const Op *op); /* of a row, forward; NULL: as good as none */
  size_t (*pack)(const Op *op, OpMatrix out[OP_MATRICES]); /* matrices to pack; NULL: none */
  size_t (*scratch)(const Op *op, bool training);          /* floats; NULL: none */
} OpOps;

extern const OpOps op_input;     /* what the caller puts there */
extern const OpOps op_dense;     /* y = act(x w^T + b) */
extern const OpOps op_product;   /* y = x w^T */
extern const OpOps op_broadcast; /* the same free vector on every row */
extern const OpOps op_conv;
extern const OpOps op_norm;      /* layer normalisation */
extern const OpOps op_normalise; /* by a running mean and deviation, clipped */
extern const OpOps op_rescale; /* one column, by a running mean and deviation: PopArt's last step */
extern const OpOps op_gru;
extern const OpOps op_lstm;
extern const OpOps op_slice;      /* some of the columns */
extern const OpOps op_join;       /* columns side by side */
extern const OpOps op_fold;       /* a team's rows side by side: one row of the team */
extern const OpOps op_unfold;     /* back */
extern const OpOps op_spread;     /* a team's row for each of its agents */
extern const OpOps op_stop;       /* the same numbers, through which no gradient passes */
extern const OpOps op_act;        /* an activation by itself */
extern const OpOps op_affine;     /* x * scale + shift, both fixed */
extern const OpOps op_add;        /* the sum of two to four, elementwise */
extern const OpOps op_mul;        /* the product of two, elementwise */
extern const OpOps op_sum;        /* of all columns */
extern const OpOps op_matvec;     /* y_j = sum_i x_i W_ij: each row has a matrix of its own */
extern const OpOps op_mix;        /* the mean of what an agent hears of its team */
extern const OpOps op_attend;     /* the same, weighed by how well query and key agree */
const OpOps *op_at(size_t index); /* each of them; NULL past the end */

/* Numbers that join a gradient: dx = beta dx + d. What beta 0 replaces may be no number. */
static inline void op_put(float *restrict dx, float beta, const float *restrict d, size_t count) {
  if (beta == 0.0f) {
    memcpy(dx, d, count * sizeof *dx);
    return;
  }
  for (size_t i = 0; i < count; i++)
    dx[i] = beta * dx[i] + d[i];
}

/* The same with d scaled by one number. */
static inline void op_put_scaled(float *restrict dx, float beta, float scale,
                                 const float *restrict d, size_t count) {
  for (size_t i = 0; i < count; i++)
    dx[i] = (beta == 0.0f ? 0.0f : beta * dx[i]) + scale * d[i];
}

/* Where the gradient of the parameters from `offset` on is added up; NULL: nowhere. */
static inline float *op_gradient(const OpRun *run, size_t offset) {
  return run->gradient ? run->gradient + offset : NULL;
}

/* A matrix of the op that runs, with its packed forms. */
static inline Weight op_weight(const OpRun *run, size_t which) {
  const Op *op = run->op;
  const float *w = run->block + (which ? op->weight_h : op->weight);
  Weight weight = {.w = w, .bf16 = op->bf16};
  if (run->packed) weight.forward = run->packed + op->pack[which][0];
  if (run->packed && run->training) weight.back = run->packed + op->pack[which][1];
  return weight;
}

/* An exported agent: a Model, which is a list of steps over one block of numbers, and rows that it
 * is to decide. libagon reads it from a file (format.h); `agon export --format c` writes it down as
 * C. Letters: R rows, K numbers that go in, N that come out, H of a memory. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_INPUTS = 4, MODEL_STEPS = 96, MODEL_ROWS = 96, MODEL_PANEL = 32 };

typedef enum ModelOp {
  MODEL_DENSE,     /* act(x w^T + b) */
  MODEL_PRODUCT,   /* x w^T */
  MODEL_BROADCAST, /* the same numbers on every row */
  MODEL_CONV,      /* rows of channels x height x width in, of places x channels out */
  MODEL_NORM,      /* layer normalisation */
  MODEL_NORMALISE, /* (x - mean) * scale, within -10 .. 10 */
  MODEL_RESCALE,   /* one column * scale + mean */
  MODEL_GRU,       /* gates r, z, n, as PyTorch has them */
  MODEL_LSTM,      /* gates i, f, g, o */
  MODEL_JOIN,      /* columns side by side */
  MODEL_ADD,       /* the sum of all inputs */
  MODEL_ACT,       /* an activation by itself */
  MODEL_MIX,       /* the mean of what a row hears of its team */
  MODEL_ATTEND,    /* the same by attention: links, query, key, message */
  MODEL_OPS
} ModelOp;

typedef enum ModelAct { MODEL_NONE, MODEL_RELU, MODEL_TANH, MODEL_GELU, MODEL_ACTS } ModelAct;

/* What is made of the outputs. */
typedef enum ModelRule {
  MODEL_CHOICES,  /* logits of choices */
  MODEL_NUMBERS,  /* means, with log standard deviations behind them */
  MODEL_WORTHS,   /* worths of choices, of which the best is taken */
  MODEL_SQUASHED, /* numbers whose tanh is taken, without chance */
  MODEL_RULES
} ModelRule;

/* Who is heard. */
typedef enum ModelTalk { TALK_NONE, TALK_ALL, TALK_GATED, TALK_NEAREST, TALK_KINDS } ModelTalk;

/* A convolution; step_*: from one number of its input to the next in that direction. */
typedef struct ModelConv {
  uint32_t channels, height, width;
  uint32_t out_channels, out_height, out_width;
  uint32_t kernel, stride, pad;
  uint32_t step_channel, step_y, step_x;
} ModelConv;

/* Reads tensors in[0 .. inputs - 1], makes tensor out. Offsets are into the block. */
typedef struct ModelStep {
  uint32_t op, act, inputs;
  uint32_t in[MODEL_INPUTS];
  uint32_t out;
  uint32_t weight, bias;     /* NORMALISE, RESCALE: scale, mean */
  uint32_t weight_h, bias_h; /* GRU, LSTM: of what is remembered */
  uint32_t column;           /* RESCALE: which one */
  uint32_t state_at;         /* GRU, LSTM: where theirs begins in a row's memory */
  uint32_t top;              /* ATTEND: most that are heard; 0: all */
  uint32_t half;             /* 1: its products are of numbers rounded to bfloat16 */
  ModelConv conv;
} ModelStep;

/* An agent. All arrays are borrowed. */
typedef struct Model {
  /* a row of observations: bytes, or else floats */
  uint32_t bytes, observation;
  /* behind it in tensor 0: a one-hot of who the agent is, and of what it did last; each number
   * `span` times */
  uint32_t ids, span, last_inputs;
  /* a row's memory: of layers, what it did last, whether it speaks */
  uint32_t recurrent, lasts, gates, memory;
  uint32_t agents, team;           /* `team` rows come together; 1: each by itself */
  uint32_t copies, stride;         /* sets of parameters, and floats from one to the next */
  const uint32_t *id_of, *copy_of; /* (agents) */
  uint32_t rule, heads, inner, choices, width; /* inner: of the heads, the last */
  const uint32_t *head_size;                   /* (heads); of numbers 1 */
  const float *low, *high;                     /* (agents, heads) of numbers */
  uint32_t talk, nearest;
  uint32_t tensors;
  const uint32_t *tensor;               /* (tensors) widths */
  int32_t links, logits, spread, value; /* tensors; -1: there is none. spread: log deviations */
  uint32_t steps;
  const ModelStep *step;
  const float *block;
} Model;

/* Rows to decide, and where the answers go; what may be NULL is marked. */
typedef struct ModelRows {
  size_t count;
  const void *observations; /* (count, observation) */
  const uint8_t *masks;     /* (count, choices but inner ones) 1: may be done; NULL: all */
  const uint32_t *agents;   /* (count) who; NULL: agent 0 */
  const uint8_t *alive;     /* (count) in the game; NULL: all */
  const uint8_t *acts;      /* (count) 0: is there for its team alone; NULL: all act */
  const float *positions;   /* (count, 3) for TALK_NEAREST */
  const uint32_t *slot;     /* (count) whose memory; NULL: row i's is i */
  float *memory;            /* (slots, memory) */
  bool greedy;
  uint64_t seed;
  int32_t *choice;    /* (count, outer heads) or NULL */
  float *number;      /* likewise; one of the two */
  float *probability; /* (count, outer width); of numbers means and deviations; NULL */
  float *log_prob;    /* (count) NULL */
  float *value;       /* (count) NULL */
  /* part: watch */
  /* is shown what each step of a copy reads first: x (R, width of that tensor); NULL */
  void (*watch)(void *watcher, size_t copy, size_t step, const float *x, size_t R);
  void *watcher;
  /* part end */
} ModelRows;

enum { MODEL_FINE, MODEL_BAD_OBSERVATION, MODEL_BAD_OUTPUT };
typedef struct ModelFault {
  size_t row, element;
  float value;
} ModelFault;

#define MODEL_MASKED -1e30f
#define MODEL_LARGEST 1e20f

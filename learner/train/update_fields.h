/* The inside of an update. For learner/train and its tests only: algorithms see an Experience and a
 * Pass, everybody else the functions of update.h. */
#pragma once
#include "learner/train/update.h"

typedef enum UpdatePhase {
  TRAIN_MOMENTS,
  TRAIN_MINIBATCH,
  TRAIN_GRADIENT,
  TRAIN_STATS
} UpdatePhase;

/* Count, mean and sum of squares around the mean. */
typedef struct Spread {
  double count;
  double mean;
  double squares;
} Spread;

/* Scratch of the rows that lie in the network at once, (rows, ...) each. */
typedef struct PassScratch {
  float *logits;      /* (rows, width) */
  float *probability; /* (rows, width) */
  float *d_logits;    /* (rows, width) */
  float *value;       /* (rows) */
  float *d_value;     /* (rows) */
  int32_t *row_of;    /* (rows) */
  int32_t *restarts;  /* (rows) */
  uint8_t *raw;       /* (rows, observation bytes) */
  uint8_t *mask;      /* (rows, choices) */
  size_t rows;
} PassScratch;

struct Update {
  const Net *net;
  const LearnConfig *config;
  const AlgoOps *algo;
  uint64_t seed;
  Reducer reducer;
  Clock clock;
  UpdateTimes times;
  UpdatePhase phase;
  int64_t waiting; /* since when for a sum; 0 = not */
  Activations space;
  float *packed;
  TrainState *state;
  const Batch *batch;
  const Shards *shards;
  Shards whole; /* one shard for all, where the caller names none */
  uint32_t whole_actor;
  size_t whole_end;
  Layout all;     /* every row */
  Layout learned; /* rows to learn from */

  /* What the algorithm sees: the columns below, and what of them it may write. */
  Experience experience;
  float *log_prob_now;
  float *value_now;
  float *advantage;
  float *target;
  float *discount;
  bool *is_learned;
  float *pull; /* weight of the KL to the reference */
  size_t row_room;
  float *reference_row; /* (rows, width) normalised, if the reference is on */
  float *before_row;    /* the same of the policy before the update, if the algorithm is proximal */
  size_t reference_room;
  size_t before_room;

  float *states; /* (1 + unrolls, S) state 0 is zero */
  size_t states_room;
  uint32_t *order; /* units in random order; behind them, the minibatch's */
  size_t order_room;
  PassScratch scratch;
  /* (trained + UPDATE_SCALARS) of the policy's parameters, of what is trained of each part, and the
   * sums of the losses. */
  float *gradient;
  size_t trained;
  size_t summed;  /* what of it has been given to the reducer: from here on */
  LossSums sums;  /* of the minibatch, this member's */
  float *moments; /* what opens an update, then what the normalisers sum */
  size_t moment_count;
  size_t dealt; /* units of the members before this one: its own are dealt out to minibatches from
                   there on */
  Spread advantages; /* over all members' rows */
  Spread targets;    /* over all members' rows */
  double *centre;    /* (observations) near the mean of the batch's */
  double *gap;       /* (2 observations) */
  float vote[UPDATE_VOTES];
  float digest;  /* of this member's copy of the weights */
  Status failed; /* of a sum that was started inside the backward pass */
  AlgoPlan plan;
  size_t epoch;
  size_t at; /* minibatch of the epoch */
  bool stopped;
  AlgoStats stats;
};

/* --- passes.c --- */
/* Adds what has passed since *since to *spent. */
void update_charge(Update *update, int64_t *since, int64_t *spent);
/* Lays the batch's rows out as units for the network, all of them and those to learn from. */
Status update_lay_out(Update *update);
size_t update_units_per_pass(const Layout *layout);
/* Brings `count` units (of the list `unit`, or NULL: all in order), from the `first` on, into the
 * network's input. forget: sequences start from memory zero, not from the acting policy's. */
Status update_gather(Update *update, const Layout *layout, const uint32_t *unit, size_t first,
                     size_t count, bool forget, Sequences *out);
/* Every row through `block`: whole normalised rows into rows_out; or, if it is NULL,
 * log-probabilities of the actions and values into log_prob_now and value_now. */
Status update_evaluate(Update *update, const float *block, float *rows_out);
/* A pass over what update_gather brought in. */
Pass update_pass(Update *update, const Sequences *sequences, int64_t *since);
void update_scratch_free(PassScratch *scratch);

/* The inside of an update. For learner/train and its tests only: algorithms see an Experience and a
 * Pass, everybody else the functions of update.h. */
#pragma once
#include "learner/train/moments.h"
#include "learner/train/partner.h"
#include "learner/train/passes.h"
#include "learner/train/update.h"

typedef enum UpdatePhase {
  TRAIN_MOMENTS,
  TRAIN_DIRECTION, /* in which the partner's weights would do this player most good */
  TRAIN_MINIBATCH,
  TRAIN_GRADIENT,
  TRAIN_STATS
} UpdatePhase;

struct Update {
  const Algo *algo;
  const AlgoOps *ops;        /* the algorithm's */
  const Net *net;            /* likewise */
  const LearnConfig *config; /* of the player in update, which may be ... */
  const LearnConfig *config_of_all;
  uint64_t seed;
  Reducer reducer;
  Clock clock;
  UpdateTimes times;
  UpdatePhase phase;
  int64_t waiting; /* since when for a sum; 0 = not */
  Passes passes;   /* the batch as the network sees it */
  TrainState *state;
  const Batch *batch;
  const Shards *shards;
  Shards whole; /* one shard for all, where the caller names none */
  uint32_t whole_actor;
  size_t whole_end;

  /* What the algorithm sees: the columns below, and what of them it may write. */
  Experience experience;
  float *log_prob_now;
  float *value_now;
  float *advantage;
  float *target;
  float *discount;
  bool *is_learned;
  bool *is_valued;
  float *pull;  /* weight of the KL to the reference */
  float *lanes; /* (TRAJECTORY_LANES, rows of the longest unroll) */
  size_t lane_room;
  size_t row_room;
  float *reference_row; /* (cells, width) normalised, if the reference is on */
  float *before_row;    /* the same of the policy before the update, if the algorithm is proximal */
  float *teacher_row; /* (cells, width) of the cells that are learned from, if there is a teacher */
  size_t teacher_room;
  size_t reference_room;
  size_t before_room;

  uint32_t *order; /* units in random order; behind them, the minibatch's */
  size_t order_room;
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
  Spread advantages; /* over all members' learned cells */
  Spread targets;    /* over all members' valued cells */
  Moments normaliser;
  float vote[UPDATE_VOTES];
  float digest;  /* of this member's copy of the weights */
  Status failed; /* of a sum that was started inside the backward pass */
  AlgoPlan plan;
  Partner *partner; /* NULL: the algorithm has none */
  size_t epoch;
  size_t at; /* minibatch of the epoch */
  bool stopped;
  bool spoiled; /* what was to be learned from is not finite: nothing of it is taken in */
  AlgoStats stats;
};

/* Lays a batch out and looks at it by the state's weights: what is known of each row, and what the
 * algorithm makes of it. The first half of update_begin; a partner's experience has no other. */
Status update_view(Update *update, TrainState *state, const Batch *batch, const Shards *shards);

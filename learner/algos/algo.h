/* What an algorithm is: a table of functions over a Update. The update (update.c) lays out the batch, evaluates it,
 * cuts minibatches and steps the optimiser; an algorithm says what each row's targets and loss gradients are. */
#pragma once
#include "base/clock.h"
#include "base/option.h"
#include "data/batch.h"
#include "data/layout.h"
#include "nn/adam.h"
#include "nn/net.h"

enum { DECAY_LINEAR, DECAY_GEOMETRIC, DECAY_ROOT };
enum { CHOICE_FALSE, CHOICE_TRUE, CHOICE_AUTO };

typedef struct LearnConfig {
  int algorithm;
  double gamma, lambda;
  double rate, rate_end, epsilon, clip_norm;
  double entropy, entropy_end;
  double value_weight;
  double reference, reference_end; /* weight of KL(policy || reference policy) */
  int64_t reference_every;         /* updates between moves of the reference; 0 = it stands */
  double average;                  /* decay of the average of the weights, per update; 0 = none is kept */
  int normalise_advantages;        /* CHOICE_FALSE, ... */
  double return_decay;
  int64_t reference_burn;
  int64_t ranks, groups;
  int64_t max_lag;
  int64_t
      longest; /* steps of a sequence of a recurrent net: unroll + 2, set from actors.unroll; 0 = the longest unroll */
  int decay;   /* DECAY_LINEAR, ... */
  double horizon; /* frames of the run, all players together; set from its budget */
} LearnConfig;
extern const Option learn_options[];
extern const size_t learn_option_count;

/* A player in training: all that its updates read and write. Arrays are owned. */
typedef struct TrainState {
  uint32_t player, life;
  uint64_t version;                /* updates so far, never reset */
  uint64_t min_version;            /* older experience belongs to a former life and is dropped */
  uint64_t frames, dropped, steps; /* learned from; dropped; optimiser steps since the last reset */
  uint64_t life_frames;
  uint64_t run_frames; /* of all players, up to the last update: how far the run is */
  double life_horizon; /* frames of its lives, if it is reset; 0 = it never is */
  float *block;        /* (net->block) the policy */
  float *acting;       /* (net->block) the policy that was published before it (pace pipelined) */
  float *reference;    /* (net->block) */
  float *average;      /* (net->block) exponential average of the policy over updates, if learner.average > 0 */
  float *m, *v;        /* (params) */
  double *stat;        /* (2 * observations + 3) counts, means and squares of the normalisers */
} TrainState;

typedef struct AlgoStats {
  double policy_loss, value_loss, entropy, kl, kl_reference, clipped, gradient_norm, rows, minibatches, rate;
} AlgoStats;

/* Sums over the learner ranks that share a player, in the order of the ranks, so that all of them get the same bits.
 * start: adds `count` floats to what is being summed (in place; borrowed until test says so); test: whether all that
 * was started is done. Every member must start the same sums in the same order. NULL functions: the rank is alone. */
typedef struct Reducer {
  void *context;
  size_t members, self;
  Status (*start)(void *context, float *values, size_t count);
  Status (*test)(void *context, bool *done);
} Reducer;

typedef enum UpdatePhase { TRAIN_MOMENTS, TRAIN_MINIBATCH, TRAIN_GRADIENT, TRAIN_STATS } UpdatePhase;

/* Count, mean and sum of squares around the mean. */
typedef struct Spread {
  double count, mean, squares;
} Spread;

/* Nanoseconds by what they were spent on. */
typedef struct UpdateTimes {
  int64_t batch, forward, loss, backward, reduce, optimise;
} UpdateTimes;

enum { UPDATE_VOTES = 4 };   /* summed with the advantages, for the caller: in at the beginning, out at the end */
enum { UPDATE_SCALARS = 8 }; /* summed with each gradient: rows and the statistics of the losses */

typedef struct Update {
  const Net *net;
  const LearnConfig *config;
  const struct AlgoOps *algo;
  const void *algo_config;
  uint64_t seed;
  Reducer reducer;
  Clock clock;
  UpdateTimes times;
  UpdatePhase phase;
  int64_t waiting; /* since when for a sum; 0 = not */
  Activations space;
  float *packed;
  TrainState *state;
  Batch *batch;
  const Shards *shards;
  Shards whole; /* one shard for all, where the caller names none */
  uint32_t whole_actor;
  size_t whole_end;
  Layout all, learned; /* every row; rows to learn from */
  /* per batch row */
  float *log_prob_now, *value_now; /* by the weights before the update, where evaluated */
  float *advantage, *target, *discount;
  float *reference_row; /* (rows, width) normalised, if the reference is on */
  float *before_row;    /* the same of the policy before the update, if the algorithm is proximal */
  bool *is_learned;
  float *pull; /* weight of the KL to the reference */
  size_t row_room, reference_room, before_room;
  float *states; /* (1 + unrolls, S) state 0 is zero */
  size_t states_room;
  uint32_t *order;
  size_t order_room;
  float *gradient; /* (params + UPDATE_SCALARS) */
  size_t summed;   /* what of it has been given to the reducer: from here on */
  float *moments;  /* what opens an update, then what the normalisers sum */
  size_t moment_count;
  size_t dealt; /* units of the members before this one: its own are dealt out to minibatches from there on */
  Spread advantages, targets; /* over all members' rows */
  double *centre, *gap;       /* (observations) near the mean of the batch's; (2 observations) */
  float vote[UPDATE_VOTES];
  float digest;  /* of this member's copy of the weights */
  Status failed; /* of a sum that was started inside the backward pass */
  /* scratch of a pass */
  float *logits, *probability, *value, *d_logits, *d_value;
  int32_t *rows_of, *restarts;
  uint8_t *raw, *mask;
  size_t scratch_rows;
  size_t epoch, at, epochs, minibatches; /* `at`: minibatch of the epoch */
  bool stopped;
  AlgoStats stats;
} Update;

/* One learned row's loss derivatives, filled by the algorithm. */
typedef struct RowLoss {
  float by_log_prob, by_value, policy_loss, value_loss;
  bool clipped;
  float log_ratio, ratio;
} RowLoss;

typedef struct AlgoOps {
  const char *name, *summary;
  const Option *options; /* section <name>.* */
  size_t option_count, config_size;
  void (*plan)(Update *update, size_t *epochs, size_t *minibatches, bool *evaluate);
  /* Fills advantage and target of all learned rows; value_now and log_prob_now are there if `evaluate` was set. */
  void (*targets)(Update *update);
  RowLoss (*row)(const Update *update, size_t row, float log_prob, float value);
  bool (*stop)(const Update *update, double mean_kl); /* after a minibatch */
  double (*proximal)(const Update *update);           /* weight of KL(policy || policy before the update); NULL: none */
  bool normalises;                                    /* whether learner.normalise_advantages: auto means true */
} AlgoOps;

/* For `targets`: the value (of a column of the batch's rows) that closes an unroll, and the whole of it by GAE from the
 * values seen when acting. */
float bootstrap_of(const Unroll *unroll, const float *value);
void targets_gae(Update *update);

const AlgoOps *algo_ops(size_t index); /* NULL past the end */
const AlgoOps *algo_find(const char *name);

/* reducer NULL: alone. */
size_t update_opening(const Net *net, size_t members); /* floats of an update's first sum */
Status update_create(const Net *net, const LearnConfig *config, const AlgoOps *algo, const void *algo_config,
                     uint64_t seed, const Reducer *reducer, Update **out);
void update_destroy(Update *update);
/* Starts an update of the state from this rank's part of the batch, which may be empty (all are borrowed until it
 * ends). shards NULL: the batch is one shard. Among several members, all must start the same updates in the same order.
 */
Status update_begin(Update *update, TrainState *state, Batch *batch, const Shards *shards);
/* At most one minibatch; *more is false after the last, when the state's version has moved. *progress is false when it
 * only waited for the other members. stats.rows is 0 when no member had experience. */
Status update_step(Update *update, bool *more, bool *progress);

Status train_state_create(const Net *net, uint64_t seed, uint32_t player, TrainState *out);
void train_state_destroy(TrainState *state);
void train_state_reset(const Net *net, uint64_t seed, TrainState *state,
                       const float *source); /* source NULL: initial weights */
size_t train_state_stat_count(const Net *net);
/* What is frozen when a snapshot is taken: the average where one is kept, else the policy. */
const float *train_state_snapshot(const LearnConfig *config, const TrainState *state);
/* Value of a schedule from a to b at the state's progress, through the run, or through its life if it is reset: linear;
 * where both are positive also geometric, or as 1 / sqrt(time), the schedule of magnetic mirror descent's paper. */
double learn_schedule(const LearnConfig *config, const TrainState *state, double a, double b);

/* One update of a player from one batch: targets, then minibatches of forward, loss, backward, a
 * sum over the learner ranks that share the player, and a step of Adam. It is a state machine,
 * because sums over ranks take time in which the rank has other things to do. */
#pragma once
#include "learner/train/state.h"

/* Means over the minibatches of an update, and what it was made of. */
typedef struct AlgoStats {
  double policy_loss;
  double value_loss;
  double entropy;
  double kl;
  double kl_reference;
  double kl_teacher;
  double clipped;
  double gradient_norm;
  double messages; /* heard in a team's step */
  double rows;     /* learned from, by all members; 0: nobody had experience */
  double minibatches;
  double policy_steps; /* minibatches in which the policy did not rest: its numbers are of these */
  double skipped;      /* minibatches by which nothing was stepped: their numbers were not finite */
  double met; /* share of what was learned from in which the other player is one that learns */
  double rate;
} AlgoStats;

/* Sums over the learner ranks that share a player, in the order of the ranks, so that all of them
 * get the same bits. Every member must start the same sums in the same order. */
typedef struct Reducer {
  void *context;
  size_t members;
  size_t self;
  /* Adds `count` floats to what is being summed, in place; borrowed until `test` says so. */
  Status (*start)(void *context, float *values, size_t count);
  Status (*test)(void *context, bool *done); /* whether all that was started is done */
} Reducer;

/* Numbers of the caller that are summed over the members as an update begins. */
enum { UPDATE_VOTES = 4 };

/* All is borrowed for the update's life. */
typedef struct UpdateSetup {
  const Algo *algo;
  const LearnConfig *config;
  uint64_t seed;
  const Clock *clock;     /* copied; NULL: the system's */
  const Reducer *reducer; /* copied; NULL: the rank is alone */
} UpdateSetup;

typedef struct Update Update;

size_t update_opening(const Net *net, size_t members); /* floats of an update's first sum */
Status update_create(const UpdateSetup *setup, Update **out);
void update_destroy(Update *update);
/* Starts an update of the state from this rank's part of the batch, which may be empty (all are
 * borrowed until it ends). shards NULL: the batch is one shard. votes (UPDATE_VOTES) NULL: zeros.
 * Among several members, all must start the same updates in the same order. */
Status update_begin(Update *update, TrainState *state, const Batch *batch, const Shards *shards,
                    const float *votes);
/* Of the update that begins next, and of no other. weight: (unrolls) how much the losses of each
 * count; error: (unrolls, 2), cleared, gets the largest and the mean error of each. Both are
 * borrowed until it ends; NULL: all count alike, nobody asks. For algorithms that learn from kept
 * experience. */
void update_weigh(Update *update, const float *weight, float *error);
/* Of the update that begins next, and of no other, for an algorithm that shapes how the other
 * player learns (AlgoOps.shape): that player, with the weights that it had when the state that is
 * updated had its own, and this rank's part of its experience of the same ticks. It may be the same
 * player with the same experience, where that meets itself. Borrowed until the update ends. Among
 * several members, all must say it. */
void update_meet(Update *update, TrainState *other, const Batch *batch, const Shards *shards);
/* At most one minibatch. What is not finite is never stepped by: by learner.on_nan the update fails
 * (ERR_INTERNAL, naming player, part and layer), and the state is as the last good step left it; or
 * it is passed over, and counted (AlgoStats.skipped). Among several members all do the same, since
 * what is looked at is summed. *more is false after the last, when the state's version has moved.
 * *progress is false when it only waited for the other members. */
Status update_step(Update *update, bool *more, bool *progress);

/* Of the update under way, or of the last one. */
const AlgoStats *update_stats(const Update *update);
const float *update_votes(const Update *update);       /* (UPDATE_VOTES) summed over the members */
bool update_waits(const Update *update);               /* for the other members */
const UpdateTimes *update_times(const Update *update); /* of all updates so far */

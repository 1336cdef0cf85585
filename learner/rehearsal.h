/* Learning from kept experience, for one player: what of the replay an update learns from, and how
 * many updates a tick has.
 *
 * A tick goes like this, alike on all ranks that share the player: its unrolls are added; the ranks
 * sum up what each of them holds (rehearsal_counts); then, as long as one is due, a batch is drawn
 * and learned from. How many that are follows from the frames that were acted, never from time, and
 * what is drawn from the stream of (seed, player, draw): so runs repeat, on any number of ranks.
 *
 * Where items have priorities (Schaul et al., arXiv 1511.05952), what they weigh changes with every
 * update, and so is summed up before each: lane by lane, of which each is one rank's, so that the
 * sum is exact, and every rank deals the draws by the same numbers. */
#pragma once
#include "base/option.h"
#include "data/replay.h"

/* The section replay.* of the configuration. */
typedef struct ReplayConfig {
  int64_t size;          /* episodes, of all ranks together */
  int64_t longest;       /* rows of an item */
  int64_t batch;         /* items that an optimiser step learns from */
  int64_t warmup;        /* items before the first */
  double ratio;          /* frames learned from for each that is acted */
  int64_t burn_in;       /* leading rows of a piece of an episode that only lead memory up */
  bool saved;            /* in checkpoints */
  double priority;       /* alpha: items are drawn in proportion to priority^alpha; 0: all alike */
  double importance;     /* beta: how much of what that distorts is put right, at the beginning */
  double priority_mix;   /* eta: of the largest error of an item; the rest is of the mean */
  double priority_least; /* added to each priority */
} ReplayConfig;
extern const Option replay_options[];
extern const size_t replay_option_count;

/* All is borrowed for the rehearsal's life. */
typedef struct RehearsalSetup {
  const ReplayConfig *config;
  RowFormat format;
  uint64_t seed;
  uint32_t player;
  size_t slots;           /* of the job */
  size_t training;        /* slots of them that are learned from; at least 1 */
  size_t seats;           /* of a slot that are ever the player's: all teams, or that of its side */
  size_t teams;           /* of the env */
  const uint8_t *team_of; /* (agents) */
  /* Layers of the network have a memory, which burn_in leads up. What an agent did last is kept
   * with it, but is right from the first row on. */
  bool recurrent;
} RehearsalSetup;

typedef struct Rehearsal Rehearsal;
/* ERR_MEMORY; then *out is NULL. */
Status rehearsal_create(const RehearsalSetup *setup, Rehearsal **out);
/* Accepts NULL. */
void rehearsal_destroy(Rehearsal *rehearsal);
/* Episodes that a seat keeps, so that those of the training slots are config->size together. seats:
 * of a slot that are ever the player's. */
size_t rehearsal_quota(const ReplayConfig *config, size_t training, size_t seats);
/* Floats of rehearsal_counts. */
size_t rehearsal_count(const ReplayConfig *config, size_t slots, size_t teams);
/* A tick begins, whose experience is learned from by weights that are `version` now. In pace
 * pipelined they are those that play the tick after the next. */
void rehearsal_begin(Rehearsal *rehearsal, uint64_t version);
uint64_t rehearsal_acting(const Rehearsal *rehearsal); /* what rehearsal_begin was last told */
/* Keeps a tick's unrolls. Those of which the first rows are of a former life (skip) are let go of.
 * ERR_MEMORY. */
Status rehearsal_add(Rehearsal *rehearsal, const Batch *batch);
/* What this rank holds, to be summed over all ranks that share the player, in place; borrowed until
 * rehearsal_counted, which is to be called when that is done. */
float *rehearsal_counts(Rehearsal *rehearsal);
void rehearsal_counted(Rehearsal *rehearsal);
/* Whether they change by every update, and are to be summed up again before the next batch. */
bool rehearsal_recounts(const Rehearsal *rehearsal);
/* Whether an update is due. */
bool rehearsal_due(const Rehearsal *rehearsal);
/* A batch to learn from: this rank's part of it, which may be empty. */
typedef struct Rehearsed {
  const Batch *batch;
  /* Of each of its unrolls, where items have priorities; else NULL: how much its losses count, and
   * room for the largest and the mean error that the update finds in it. */
  const float *weight;
  float *error; /* (unrolls, 2) */
} Rehearsed;

/* Draws the next batch; *out is borrowed until the next call. progress: of the run, from 0 to 1.
 * ERR_MEMORY. */
Status rehearsal_draw(Rehearsal *rehearsal, double progress, Rehearsed *out);
/* An update has learned from what was drawn: so many frames, on all ranks together. Its errors are
 * the items' priorities from now on. */
void rehearsal_learned(Rehearsal *rehearsal, double frames);
/* A new life begins: nothing of the former one is kept, and nothing is owed. */
void rehearsal_forget(Rehearsal *rehearsal);

/* Frames acted in the tick that was counted last, on all ranks. */
uint64_t rehearsal_acted(const Rehearsal *rehearsal);
double rehearsal_items(const Rehearsal *rehearsal); /* of all ranks, as counted last */
size_t rehearsal_bytes(const Rehearsal *rehearsal); /* kept on this rank now */
/* Of all ranks, as counted last: how many times likelier than the mean item an item of the highest
 * priority is to be drawn. 1 where there are no priorities. */
double rehearsal_spread(const Rehearsal *rehearsal);
/* Beta, in the batch that was drawn last. */
double rehearsal_importance(const Rehearsal *rehearsal);

/* --- checkpoints --- */
size_t rehearsal_lanes(const Rehearsal *rehearsal);
bool rehearsal_has(const Rehearsal *rehearsal, size_t lane); /* anything, on this rank */
/* What a lane holds on this rank, and then what is counted (owed, drawn, the version that acts, the
 * priority of what is new), which is the same on all. On failure of decoding (ERR_FORMAT,
 * ERR_MEMORY) the lane is empty. */
void rehearsal_encode_lane(const Rehearsal *rehearsal, size_t lane, Bytes *out);
Status rehearsal_decode_lane(Rehearsal *rehearsal, size_t lane, Reader *reader);
void rehearsal_encode(const Rehearsal *rehearsal, Bytes *out);
Status rehearsal_decode(Rehearsal *rehearsal, Reader *reader);

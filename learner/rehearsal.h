/* Learning from kept experience, for one player: what of the replay an update learns from, and how
 * many updates a tick has.
 *
 * A tick goes like this, alike on all ranks that share the player: its unrolls are added; the ranks
 * sum up what each of them holds (rehearsal_counts); then, as long as one is due, a batch is drawn
 * and learned from. How many that are follows from the frames that were acted, never from time, and
 * what is drawn from the stream of (seed, player, draw): so runs repeat, on any number of ranks. */
#pragma once
#include "base/option.h"
#include "data/replay.h"

/* The section replay.* of the configuration. */
typedef struct ReplayConfig {
  int64_t size;    /* episodes, of all ranks together */
  int64_t longest; /* rows of an item */
  int64_t batch;   /* items that an optimiser step learns from */
  int64_t warmup;  /* items before the first */
  double ratio;    /* frames learned from for each that is acted */
  int64_t burn_in; /* leading rows of a piece of an episode that only lead memory up */
  bool saved;      /* in checkpoints */
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
  size_t teams;           /* of the env */
  const uint8_t *team_of; /* (agents) */
} RehearsalSetup;

typedef struct Rehearsal Rehearsal;
/* ERR_MEMORY; then *out is NULL. */
Status rehearsal_create(const RehearsalSetup *setup, Rehearsal **out);
/* Accepts NULL. */
void rehearsal_destroy(Rehearsal *rehearsal);
/* Episodes that a seat keeps, so that those of the training slots are config->size together. */
size_t rehearsal_quota(const ReplayConfig *config, size_t training, size_t teams);
/* Floats of rehearsal_counts. */
size_t rehearsal_count(size_t slots, size_t teams);
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
/* Whether an update is due. */
bool rehearsal_due(const Rehearsal *rehearsal);
/* This rank's part of the next batch, which may be empty; *out is borrowed until the next call.
 * ERR_MEMORY. */
Status rehearsal_draw(Rehearsal *rehearsal, const Batch **out);
/* An update has learned from so many frames, on all ranks together. */
void rehearsal_learned(Rehearsal *rehearsal, double frames);
/* A new life begins: nothing of the former one is kept, and nothing is owed. */
void rehearsal_forget(Rehearsal *rehearsal);

/* Frames acted in the tick that was counted last, on all ranks. */
uint64_t rehearsal_acted(const Rehearsal *rehearsal);
double rehearsal_items(const Rehearsal *rehearsal); /* of all ranks, as counted last */
size_t rehearsal_bytes(const Rehearsal *rehearsal); /* kept on this rank now */

/* --- checkpoints --- */
size_t rehearsal_lanes(const Rehearsal *rehearsal);
bool rehearsal_has(const Rehearsal *rehearsal, size_t lane); /* anything, on this rank */
/* What a lane holds on this rank, and then what is counted (owed, drawn, the version that acts),
 * which is the same on all. On failure of decoding (ERR_FORMAT, ERR_MEMORY) the lane is empty. */
void rehearsal_encode_lane(const Rehearsal *rehearsal, size_t lane, Bytes *out);
Status rehearsal_decode_lane(Rehearsal *rehearsal, size_t lane, Reader *reader);
void rehearsal_encode(const Rehearsal *rehearsal, Bytes *out);
Status rehearsal_decode(Rehearsal *rehearsal, Reader *reader);

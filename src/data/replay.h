/* Experience that is kept, to be drawn and learned from again and again (Lin 1992): the items of
 * one player.
 *
 * An item is a whole episode, joined from the unrolls in which it came; or, where episodes are
 * longer than `longest`, as much of one as fits. Items lie in lanes. A lane is the seat of a slot:
 * a name that stays the same whichever rank plays the slot. Draws are dealt over the lanes of all
 * ranks together (replay_deal), and only then is an item drawn within its lane, so that a batch
 * holds the same items on any number of learner ranks, each of which keeps the lanes of its own
 * actors.
 *
 * It knows rows and unrolls, and nothing of networks. */
#pragma once
#include "base/rng.h"
#include "data/batch.h"

typedef struct ReplaySetup {
  RowFormat format;
  size_t lanes;   /* of all ranks together */
  size_t quota;   /* items of a lane; the oldest makes room for the newest */
  size_t longest; /* rows of an item, without the one that closes it; at least an unroll's */
  /* Rows that a piece repeats of the one before it, so that its memory is led up by rows that were
   * learned from there (Kapturowski et al. 2019): whole unrolls that hold so many, if they fit. */
  size_t overlap;
  /* Of priorities, alpha: an item is drawn in proportion to priority^exponent (Schaul et al.,
   * arXiv 1511.05952, section 3.3). 0: all are equally likely, and there are no priorities. */
  double exponent;
} ReplaySetup;

typedef struct Replay Replay;

/* Most bytes that a replay of this setup takes, if `lanes` of its lanes are kept here. */
double replay_bound(const ReplaySetup *setup, size_t lanes);
/* On failure *out is NULL. */
Status replay_create(const ReplaySetup *setup, Replay **out);
/* Accepts NULL. */
void replay_destroy(Replay *replay);
/* Adds an unroll to its lane, in the order in which the lane's experience was made. It becomes part
 * of an item when its episode ends. ERR_MEMORY; then the unroll is not there, and what was is. */
Status replay_add(Replay *replay, size_t lane, const Batch *batch, size_t index);
/* Items of a lane, and of all lanes kept here. */
size_t replay_items(const Replay *replay, size_t lane);
size_t replay_total(const Replay *replay);
bool replay_has(const Replay *replay, size_t lane); /* items, or the beginning of one */
/* Bytes that are kept now: of items, and of episodes that have not ended. */
size_t replay_bytes(const Replay *replay);
/* Nothing is kept any more: the player begins a new life. */
void replay_forget(Replay *replay);

/* Deals `draws` draws to lanes: lane_of[0 .. draws - 1], each lane getting its share of `count` but
 * for less than one. count: (lanes) items of each, of all ranks together, or what they weigh
 * (replay_mass); not all 0. order: (lanes) scratch. */
void replay_deal(const float *count, size_t lanes, size_t draws, AgonRng *rng, uint32_t *order,
                 uint32_t *lane_of);

/* An item that was drawn. */
typedef struct ReplayDraw {
  size_t lane;
  uint64_t serial;  /* of the item within its lane */
  double chance;    /* with which the lane gives it */
  uint32_t repeats; /* leading rows that the piece before it ended with */
} ReplayDraw;

/* Appends an item of a lane that has some to the batch. ERR_MEMORY; then the batch is what it
 * was. */
Status replay_draw(const Replay *replay, size_t lane, AgonRng *rng, Batch *out, ReplayDraw *draw);

/* --- priorities; where the exponent is 0, nothing of this does anything --- */

/* What new items get from now on: the highest priority that any item of any rank was ever given, so
 * that each is drawn soon. It is 1 until then. */
void replay_expect(Replay *replay, double priority);
/* Sets the priority of an item, if it is still there. Above 0. */
void replay_prefer(Replay *replay, const ReplayDraw *draw, double priority);
/* What a lane's items weigh together: the sum of priority^exponent. */
double replay_mass(const Replay *replay, size_t lane);
/* The highest priority that an item of the lane was given; 0 if there was none. */
double replay_highest(const Replay *replay, size_t lane);

/* A lane as it is kept in a checkpoint, with the beginning of the episode that has not ended. */
void replay_encode(const Replay *replay, size_t lane, Bytes *out);
/* Of more items than the quota, the newest stay. ERR_FORMAT if it is damaged or of another format:
 * then the lane is empty. */
Status replay_decode(Replay *replay, size_t lane, Reader *reader);

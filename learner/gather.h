/* The batch of an update: the experience of one player in one tick, less what is too old to be
 * learned from, in shards by the actor that acted it. */
#pragma once
#include "learner/train/state.h"
#include "learner/train/update.h"
#include "role/role.h"
#include "wire/messages.h"

typedef struct Gather Gather;
/* max_lag: pace free: versions that a decision may be behind the weights that learn from it. */
Status gather_create(const RowFormat *format, Pace pace, uint64_t max_lag, Gather **out);
void gather_destroy(Gather *gather);
/* From now on rewards of what comes are shaped by the column of potentials, which the format has:
 * weight (gamma Phi(next) - Phi(now)) is added, with Phi = 0 after an episode's end and that of the
 * last position where it was cut short (Ng, Harada and Russell 1999). */
void gather_shape(Gather *gather, double gamma, double weight);
/* An empty batch, of this player (borrowed until the next). */
void gather_begin(Gather *gather, const TrainState *state);
/* Adds what an actor sent; of one actor after another. ERR_FORMAT unless it is of this player and
 * of weights that there have been. */
Status gather_add(Gather *gather, const WireUnrolls *unrolls);
Batch *gather_batch(Gather *gather);
const Shards *gather_shards(const Gather *gather);
/* Decisions that were too old, or of a life before. */
uint64_t gather_dropped(const Gather *gather);
/* Updates between the weights that acted and those that learn, over the decisions that are
 * kept. */
double gather_lag(const Gather *gather);

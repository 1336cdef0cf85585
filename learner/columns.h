/* A player in training as named columns: what a checkpoint keeps of it. */
#pragma once
#include "learner/train/state.h"
#include "store/store.h"

/* average: whether the average of its policy is kept. */
Status columns_put(const Net *net, bool average, const TrainState *state, Tree *out);
/* ERR_FORMAT unless a learner can go on from these columns. */
Status columns_check(const Net *net, const Tree *columns);
/* Sets the state to what the columns say; they have been checked. */
void columns_take(const Tree *columns, TrainState *state);

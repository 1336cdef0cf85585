/* A player in training as named columns: what a checkpoint keeps of it. Each part is a column of
 * its own name, with Adam's moments beside it; one who has no part but the policy is stored as
 * before there were others. */
#pragma once
#include "learner/train/state.h"
#include "store/store.h"

/* average: whether the average of its policy is kept. */
Status columns_put(const Net *net, bool average, const TrainState *state, Tree *out);
/* ERR_FORMAT, naming the column, unless a player of this shape can go on from these columns. */
Status columns_check(const TrainShape *shape, const Tree *columns);
/* Sets the state to what the columns say; they have been checked. */
Status columns_take(const Tree *columns, TrainState *state);

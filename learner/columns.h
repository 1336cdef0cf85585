/* A player in training as named columns: what a checkpoint keeps of it. Each part is a column of
 * its own name, with Adam's moments beside it; one who has no part but the policy is stored as
 * before there were others. */
#pragma once
#include "learner/train/state.h"
#include "store/store.h"

/* average: whether the average of its policy is kept. */
Status columns_put(const Net *net, bool average, const TrainState *state, Tree *out);
/* ERR_FORMAT, naming the column, unless a player of this shape can go on from these columns. What
 * it has no use for is not looked at. */
Status columns_check(const TrainShape *shape, const Tree *columns);
/* The same of the algorithm's own parts alone. */
Status columns_check_parts(const Algo *algo, const Tree *columns);
/* Whether a player that learns by it takes, or may take, a column of this name. */
bool columns_takes(const Algo *algo, const char *name);
/* ERR_INTERNAL, naming algorithm and part, unless each part has columns of its own: for whoever
 * writes an algorithm. The names that a part cannot have are told at AlgoPart. */
Status columns_check_names(const Algo *algo);
/* Sets the state to what the columns say; they have been checked. */
Status columns_take(const Tree *columns, TrainState *state);

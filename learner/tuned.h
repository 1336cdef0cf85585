/* Numbers that are tuned for each player as it learns (league/tune.h), in its section learner. */
#pragma once
#include "learner/algos/algo.h"
#include "wire/messages.h"

/* Puts in what is tuned (not 0). What has a start and an end is the same from start to end: its
 * schedule is what tuning makes of it. */
void tuned_take(const double tuned[TUNABLES], LearnConfig *config);

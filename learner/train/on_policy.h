/* What several algorithms that learn from their own policy's experience have in common. */
#pragma once
#include "learner/algos/algo.h"

/* The value that closes an unroll, of a column with one value for each row of the batch: 0 where
 * the episode terminated. */
float bootstrap_of(const Unroll *unroll, const float *value);
/* AlgoOps.targets: generalised advantage estimation from the values seen when acting; the value's
 * target is advantage + value. */
void targets_gae(const Experience *experience);
/* AlgoOps.pass: forward; for each learned row the algorithm's own loss, entropy and the KLs to the
 * reference and to the policy before the update; backward. */
void pass_rows(const Pass *pass, LossSums *sums);

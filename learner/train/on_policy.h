/* What several algorithms that learn from their own policy's experience have in common. */
#pragma once
#include "learner/algos/algo.h"

/* What one agent goes through in an unroll: the numbers of one cell, step after step. */
typedef struct Trajectory {
  size_t rows;
  const float *reward, *discount, *value;
  float bootstrap; /* the value behind the last row; 0 where the episode terminated */
  /* Log of the present policy's probability of each action over the acting one's; 0 where nobody
   * acted. NULL: the batch was not evaluated. */
  const float *log_rho;
  float *advantage, *target; /* to be filled */
  float *scratch;            /* (rows) */
} Trajectory;
typedef void TargetsOf(const Experience *experience, const Trajectory *trajectory);
/* Hands out the trajectory of each cell of each unroll, with its values from the column `value`. */
void follow_cells(const Experience *experience, const float *value, TargetsOf *targets);
/* AlgoOps.targets: generalised advantage estimation from experience->value; the value's target is
 * advantage + value. */
void targets_gae(const Experience *experience);
/* The policy's part of a cell's loss by PPO (Schulman et al. 2017, eq. 7): the advantage times the
 * ratio of the new to the old probability, but no more than what the ratio held within 1 +- clip
 * earns. Beyond it, on the side that the advantage pushes to, there is no gradient, so that one
 * batch can be gone through several times. */
RowLoss loss_clipped(const Experience *experience, size_t row, float log_prob, float clip);
/* AlgoOps.pass: forward; for each learned cell the algorithm's own loss, entropy and the KLs to the
 * reference and to the policy before the update, and that of the teacher to it; backward. */
void pass_rows(const Pass *pass, LossSums *sums);

/* The normalisers of observations and returns: what a rank adds to them, and how they move by the sum over ranks. */
#pragma once
#include "learner/algos/algo.h"

size_t moments_count(const Net *net);                    /* floats to sum over the ranks; 1 if nothing is normalised */
void moments_gather(const Trainer *trainer, float *out); /* this rank's part of the batch */
void moments_apply(const Net *net, Pupil *pupil, const float *sum); /* after the update */

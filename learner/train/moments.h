/* The normalisers of observations and returns: what a rank adds to them, and how they move by the
 * sum over ranks. Sums travel as float32, so they are taken from where the numbers are: first of
 * all from the normaliser's own mean, then, of squares, from the mean that those sums gave. */
#pragma once
#include "learner/train/update.h"

size_t moments_count(const Net *net); /* floats to sum over the ranks as an update ends */
void moments_open(const Update *update,
                  float *out); /* this rank's part of the batch, as an update opens */
void moments_centre(const Update *update, const float *sum);
void moments_gather(const Update *update, float *out); /* the same, as it ends */
void moments_apply(const Update *update, const float *sum);
/* Running moments as a block that was copied from elsewhere has them, of as many observations as
 * the state has seen. */
void moments_copy(const Net *net, TrainState *state);

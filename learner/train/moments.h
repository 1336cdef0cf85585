/* The normalisers of observations and returns: what a rank adds to them, and how they move by the
 * sum over ranks. Sums travel as float32, so they are taken from where the numbers are: first of
 * all from the normaliser's own mean, then, of squares, from the mean that those sums gave. */
#pragma once
#include "learner/train/state.h"

/* Count, mean and sum of squares around the mean. */
typedef struct Spread {
  double count;
  double mean;
  double squares;
} Spread;

/* Between the two rounds of sums. Without normalisation of observations both do nothing. Arrays are
 * owned. */
typedef struct Moments {
  const Net *net;
  double *centre; /* (observations) near the mean of the batch's */
  double *gap;    /* (2 observations) sums of gaps to the centre, then of their squares */
} Moments;

/* ERR_MEMORY leaves *out to be freed. */
Status moments_create(const Net *net, Moments *out);
void moments_free(Moments *moments);
size_t moments_count(const Net *net); /* floats to sum over the ranks as an update ends */
/* As an update opens: this rank's part of the first sum, over the cells of the batch that are
 * learned from, (observations) floats to `out`. */
void moments_open(Moments *moments, const TrainState *state, const Batch *batch,
                  const bool *is_learned, float *out);
/* The first sum over all members, and how many rows they have. */
void moments_centre(Moments *moments, double rows, const float *sum);
/* As it ends: this rank's part of the second sum, moments_count floats to `out`. */
void moments_gather(Moments *moments, const Batch *batch, const bool *is_learned, float *out);
/* The second sum over all members moves the player's normaliser of observations. rows > 0. */
void moments_observations(const Moments *moments, TrainState *state, double rows, const float *sum);
/* The spread of the value targets over all members (count > 0) moves the player's normaliser of
 * returns, which keeps the share `keep` of what it was, and with it the heads that value, of which
 * there is one or more: they are in one unit. */
void moments_returns(const ValueHead *head, size_t heads, TrainState *state, const Spread *targets,
                     double keep);
/* Running deviation of the value targets. The state has seen some. */
double moments_deviation(const TrainState *state);
/* Running moments as a block that was copied from elsewhere has them, of as many observations as
 * the state has seen. */
void moments_copy(const Net *net, TrainState *state);

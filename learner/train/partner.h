/* The other player of an update's games, who learns at the same time, for algorithms that shape how
 * it does (AlgoOps.shape). Nothing more is recorded or sent for it: both players' experience comes
 * to the same learner rank anyway, and is put together there.
 *
 * The direction is the gradient of this player's value by the partner's weights: over the steps
 * that both have, the sum of this player's advantage times the gradient of the partner's
 * log-probability of what it did, divided by the number of trajectories. Along it the partner's
 * log-probabilities are differentiated by central differences, two passes forward, so that no
 * second derivative of a network is ever formed. */
#pragma once
#include "learner/train/update.h"

/* Floats that are summed over the members besides the direction's. */
enum { PARTNER_SCALARS = 2 };

typedef struct Partner Partner;
/* seen: an update of the same algorithm, which is used to look at the partner's experience and is
 * the partner's own from now on, also on failure. */
Status partner_create(const Net *net, Update *seen, Partner **out);
void partner_destroy(Partner *partner);
/* Of the next update; batch NULL: nobody is met. */
void partner_set(Partner *partner, TrainState *state, const Batch *batch, const Shards *shards);
bool partner_is_met(const Partner *partner);
/* Looks at its experience by its own weights, and finds what of it belongs to which rows of this
 * player's batch. */
Status partner_begin(Partner *partner, const Batch *own);
/* This rank's part of the direction, not yet divided: (net->trained + PARTNER_SCALARS). */
Status partner_direction(Partner *partner, const Experience *own, float *out);
/* From the sum of all parts: slopes, which the experience is then shown with the rest. *out_met: of
 * the cells learned from, by all members, how many have a partner's beside them. */
Status partner_slopes(Partner *partner, const float *sum, Experience *own, double *out_met);

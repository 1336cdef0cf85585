/* How well all fare together, from what each earned in an episode: for games in which what one
 * gains is not what the others lose. */
#pragma once
#include "agon/env.h"

#include <stddef.h>

/* In the order of their names. welfare: the mean of what all earned. minimum: of the one who earned
 * least. gini: how unequal they are, 0 (all alike) to 1 - 1 / count (one has all): the mean
 * absolute difference of two over twice the mean absolute return. Where nobody's return is negative
 * that is the usual coefficient, whose denominator, twice the mean, may be 0 or less elsewhere;
 * this one is 0 only where all returns are, and all are then alike. (Raffinetti, Siletti and
 * Vernizzi 2015, but for a factor of count / (count - 1).) */
enum { SOCIAL_WELFARE, SOCIAL_MINIMUM, SOCIAL_GINI, SOCIAL_NUMBERS };
#define SOCIAL_NAMES "welfare|minimum|gini"

/* Numbers measured of an episode at most: the env's own metrics and these. */
enum { MEASURES = AGON_MAX_METRICS + SOCIAL_NUMBERS };

/* What was measured of games, summed. */
typedef struct Measured {
  double games;
  double sum[MEASURES];
} Measured;
void measured_add(Measured *to, const Measured *from);

/* Of count >= 1 finite returns. */
void social_of(const double *returns, size_t count, double out[SOCIAL_NUMBERS]);

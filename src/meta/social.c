#include "meta/social.h"

#include <math.h>

void measured_add(Measured *to, const Measured *from) {
  to->games += from->games;
  for (size_t i = 0; i < MEASURES; i++)
    to->sum[i] += from->sum[i];
}

/* Every pair once: of at most 1,024, at the end of an episode. */
void social_of(const double *returns, size_t count, double out[SOCIAL_NUMBERS]) {
  double sum = 0;
  double size = 0;
  double apart = 0;
  double least = returns[0];
  for (size_t i = 0; i < count; i++) {
    sum += returns[i];
    size += fabs(returns[i]);
    least = fmin(least, returns[i]);
    for (size_t j = 0; j < i; j++)
      apart += fabs(returns[i] - returns[j]);
  }
  out[SOCIAL_WELFARE] = sum / (double)count;
  out[SOCIAL_MINIMUM] = least;
  out[SOCIAL_GINI] = size > 0 ? apart / ((double)count * size) : 0;
}

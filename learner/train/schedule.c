#include "learner/train/schedule.h"

#include "learner/algos/algo.h"

#include <math.h>

/* From a (progress 0) to b (progress 1). A geometric one, and one with the root of progress, need
 * both ends above 0; else it is linear. */
double schedule_at(int decay, double a, double b, double progress) {
  bool positive = a > 0 && b > 0;
  if (decay == DECAY_GEOMETRIC && positive) return a * pow(b / a, progress);
  if (decay == DECAY_ROOT && positive) return a / sqrt(1 + (a * a / (b * b) - 1) * progress);
  return a + (b - a) * progress;
}

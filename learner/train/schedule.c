#include "learner/train/schedule.h"

#include "learner/algos/algo.h"

#include <math.h>

double schedule_at(int decay, double a, double b, double progress) {
  bool positive = a > 0 && b > 0;
  if (decay == DECAY_GEOMETRIC && positive) return a * pow(b / a, progress);
  if (decay == DECAY_ROOT && positive) return a / sqrt(1 + (a * a / (b * b) - 1) * progress);
  return a + (b - a) * progress;
}

/* What has a value at the start and one at the end, and how it goes from one to the other. */
#pragma once

/* Value between a and b at `progress` (0 to 1). decay: DECAY_LINEAR, or, where both are above 0,
 * DECAY_GEOMETRIC or DECAY_ROOT (as 1 / sqrt(time), the schedule of magnetic mirror descent's
 * paper); else linear as well. */
double schedule_at(int decay, double a, double b, double progress);

// The public header stands alone in C++17.
#include "agon/env.h"

static uint32_t four(AgonRng *) { return 4; }

int main() {
  AgonRng rng{};
  AgonRandom random{&rng, four};
  return agon_random_below(&random, 10) == 0 && agon_random_unit(&random) < 1 ? 0 : 1;
}

// The public headers stand alone in C++17, and a table can be made in it.
#include "agon/env.h"

static uint32_t four(AgonRng *) { return 4; }

static AgonEnv table() {
  AgonEnv env{};
  env.abi = AGON_ENV_ABI;
  env.struct_size = sizeof(AgonEnv);
  env.spec_size = sizeof(AgonEnvSpec);
  env.kind_size = sizeof(AgonKind);
  env.option_size = sizeof(AgonEnvOption);
  return env;
}

int main() {
  AgonRng rng{};
  AgonRandom random{&rng, four};
  return agon_random_below(&random, 10) == 0 && agon_random_unit(&random) < 1 && table().abi == 2 ? 0 : 1;
}

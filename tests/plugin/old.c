/* A plug-in of another ABI: must be refused before anything else of it is read. */
#include "agon/env.h"

static const AgonEnv table = {.abi = AGON_ENV_ABI + 1, .struct_size = 1};

const AgonEnv *agon_env(void);
const AgonEnv *agon_env(void) { return &table; }

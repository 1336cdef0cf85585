/* Compiled once for each instruction set; RUN_TABLE is what its functions are known by. */
#include "libagon/run.h"
#include "libagon/runtime.h"

const RunOps RUN_TABLE = {model_packed, model_pack, model_scratch, model_chunk, model_act};

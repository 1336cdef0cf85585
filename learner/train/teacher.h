/* What a teacher says of a batch (Teacher in learner/algos/algo.h). */
#pragma once
#include "learner/algos/algo.h"

/* Asks about the cells that are wanted (cells), some at a time. agents (cells): of the env. out
 * (cells, width): those cells' rows are written, the others' left. Codes of Teacher.ask,
 * ERR_MEMORY. */
Status teacher_look(const Teacher *teacher, const Net *net, const Batch *batch, const bool *wanted,
                    const uint32_t *agents, float *out);

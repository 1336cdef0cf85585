/* What several algorithms that learn from kept experience have in common: passes that hold whole
 * unrolls, each with the row that closes it (AlgoPlan.sequences). */
#pragma once
#include "learner/algos/algo.h"

/* What is done with an unroll that lies in unit b of a pass, from its step t on: its row i, of cell
 * c, is row ((t + i) * units + b) * N + c of the pass. */
typedef void VisitUnroll(void *work, const Unroll *unroll, size_t t, size_t b);
/* Every unroll of a pass. */
void visit_unrolls(const Pass *pass, VisitUnroll *visit, void *work);

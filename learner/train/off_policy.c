#include "learner/train/off_policy.h"

#include "base/invariant.h"

/* Unrolls lie one behind another in each unit, and behind them padding. */
void visit_unrolls(const Pass *pass, VisitUnroll *visit, void *work) {
  const Batch *batch = pass->experience->batch;
  const size_t N = format_cells(&batch->format);
  const size_t units = pass->sequences->B / N;
  for (size_t b = 0; b < units; b++)
    for (size_t t = 0; t < pass->sequences->T;) {
      const int32_t cell = pass->row_of[(t * units + b) * N];
      if (cell < 0) {
        t++;
        continue;
      }
      const Unroll *unroll = batch_unroll_at(batch, (size_t)cell / N);
      INVARIANT(unroll->first == (size_t)cell / N);
      visit(work, unroll, t, b);
      t += unroll_span(unroll);
    }
}

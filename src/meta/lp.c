#include "meta/lp.h"

#include <coin/Clp_C_Interface.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Zeroed arrays: a bound or cost that is not set is 0. The tolerance is CLP's own. */
Status lp_create(size_t variables, size_t rows, Lp *out) {
  Status status = OK;
  *out = (Lp){.variables = variables, .rows = rows, .tolerance = 1e-7};
  TRY(NEW_ARRAY(out->low, variables));
  TRY(NEW_ARRAY(out->high, variables));
  TRY(NEW_ARRAY(out->cost, variables));
  TRY(NEW_ARRAY(out->row_low, rows));
  TRY(NEW_ARRAY(out->row_high, rows));
  TRY(NEW_ARRAY(out->element, variables * rows));
  TRY(NEW_ARRAY(out->solution, variables));
done:
  return status;
}

/* Also for one that was only half made. */
void lp_destroy(Lp *lp) {
  free(lp->low);
  free(lp->high);
  free(lp->cost);
  free(lp->row_low);
  free(lp->row_high);
  free(lp->element);
  free(lp->solution);
}

/* Stored by variable, as CLP wants columns. */
double *lp_at(Lp *lp, size_t variable, size_t row) {
  return &lp->element[variable * lp->rows + row];
}

/* CLP scales a program, and what keeps the tolerance in its units may miss it in those of the
 * program. It says so, and then goes on from there without scaling, as where it failed. */
static bool solve(Clp_Simplex *model) {
  enum { OPTIMAL = 0, OPTIMAL_BUT_SCALED = 2 /* the least such secondary status */ };
  const bool solved = Clp_dual(model, 0) == 0 && Clp_status(model) == OPTIMAL;
  if (solved && Clp_secondaryStatus(model) < OPTIMAL_BUT_SCALED) return true;
  Clp_scaling(model, 0);
  return Clp_primal(model, 0) == 0 && Clp_status(model) == OPTIMAL;
}

/* The matrix is handed over as if it were sparse with every entry present: all rows in each
 * column. */
Status lp_minimise(Lp *lp) {
  Status status = OK;
  size_t elements = lp->variables * lp->rows;
  CoinBigIndex *start = NULL;
  int *index = NULL;
  Clp_Simplex *model = NULL;
  TRY(NEW_ARRAY(start, lp->variables + 1));
  TRY(NEW_ARRAY(index, elements));
  for (size_t v = 0; v <= lp->variables; v++)
    start[v] = (CoinBigIndex)(v * lp->rows);
  for (size_t i = 0; i < elements; i++)
    index[i] = (int)(i % lp->rows);
  model = Clp_newModel();
  Clp_setLogLevel(model, 0);
  Clp_loadProblem(model, (int)lp->variables, (int)lp->rows, start, index, lp->element, lp->low,
                  lp->high, lp->cost, lp->row_low, lp->row_high);
  Clp_setPrimalTolerance(model, lp->tolerance);
  Clp_setDualTolerance(model, lp->tolerance);
  if (!solve(model))
    TRY(status_set(ERR_INTERNAL, "a linear program of %zu variables and %zu rows was not solved",
                   lp->variables, lp->rows));
  memcpy(lp->solution, Clp_primalColumnSolution(model), lp->variables * sizeof *lp->solution);
done:
  if (model) Clp_deleteModel(model);
  free(start);
  free(index);
  return status;
}

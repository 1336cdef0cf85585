/* Dense linear programs (COIN-OR CLP): minimise cost'x, row_low <= A x <= row_high, low <= x <=
 * high. */
#pragma once
#include "base/status.h"

#include <stddef.h>

#define LP_NO_LIMIT 1e300

/* A linear program; fill in what is not 0, then minimise. */
typedef struct Lp {
  size_t variables, rows;
  double *low, *high, *cost;  /* (variables), zero at first */
  double *row_low, *row_high; /* (rows), zero at first */
  double *element;            /* (variables, rows) */
  double *solution;           /* (variables) */
  double tolerance; /* by how much a limit may be missed, and a reduced cost its sign; 1e-7 at
                     * first. Less where numbers are about 1 */
} Lp;

/* Allocates the arrays. ERR_MEMORY; lp_destroy is due in any case. */
Status lp_create(size_t variables, size_t rows, Lp *out);
void lp_destroy(Lp *lp);
/* The coefficient of a variable in a row, borrowed. */
double *lp_at(Lp *lp, size_t variable, size_t row);
/* Writes the minimiser to lp->solution. ERR_INTERNAL if there is none or it was not found,
 * ERR_MEMORY. */
Status lp_minimise(Lp *lp);

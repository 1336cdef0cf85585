/* Games between players as matrices: pure arithmetic over tables of results. */
#pragma once
#include "base/status.h"

#include <stddef.h>

/* Nash equilibrium of the zero-sum game with row payoffs a (rows, columns), by linear programming (CLP): the row
 * player's mixture (rows), the column player's (columns), the value. Outputs may be NULL. */
Status meta_nash(const double *a, size_t rows, size_t columns, double *row_mix, double *column_mix, double *value);

/* Wilson interval for a share of n trials at 95 %. */
void meta_interval(double share, double n, double *low, double *high);

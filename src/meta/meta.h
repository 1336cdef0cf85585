/* Games between players as matrices: pure arithmetic over tables of results. */
#pragma once
#include "base/status.h"

#include <stddef.h>

/* A Nash equilibrium of the zero-sum game whose row player is paid a (rows, columns), by linear
 * programming (CLP): the row player's mixture (rows), the column player's (columns), and the value.
 * Each output may be NULL. ERR_MEMORY; ERR_INTERNAL if a program cannot be solved (payoffs that are
 * not finite). */
Status meta_nash(const double *a, size_t rows, size_t columns, double *row_mix, double *column_mix,
                 double *value);

/* The 95 % Wilson interval for a share of `n` trials, n > 0; within [0, 1]. */
void meta_interval(double share, double n, double *low, double *high);

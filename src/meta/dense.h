/* Dense symmetric positive definite systems. Row-major (n, n); only the lower triangle is read and
 * written. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* a = L L', in place. False: a is not positive definite (to rounding). */
bool dense_factor(double *a, size_t n);
/* x := a^-1 x for the factor L of a. x: (n). */
void dense_solve(const double *factor, size_t n, double *x);

/* Symmetric positive definite systems of which most entries are 0, several right-hand sides at
 * once. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many right-hand sides are solved side by side; what one comes to does not depend on others.
 */
enum { SPARSE_LANES = 8 };

/* A symmetric (n, n) matrix. Entry i of row r, for first[r] <= i < first[r + 1], is value[i] in
 * column[i]; both triangles are stored. The diagonal (over 0) is kept apart. */
typedef struct Sparse {
  size_t n, *first;
  uint32_t *column;
  double *value, *diagonal;
  double *work; /* of solving: (4, n, SPARSE_LANES) */
} Sparse;

/* An n by n matrix with room for `entries` off the diagonal, all zero. ERR_MEMORY; sparse_free is
 * due in any case. */
Status sparse_create(size_t n, size_t entries, Sparse *out);
void sparse_free(Sparse *a);
/* x := a^-1 b by conjugate gradients, preconditioned by the diagonal. b, x: (n, SPARSE_LANES);
 * right-hand sides of 0 give 0. solved[lane] says that its residual is as small as rounding allows;
 * where it is false another method is needed. */
void sparse_solve(const Sparse *a, const double *b, double *x, bool solved[SPARSE_LANES]);

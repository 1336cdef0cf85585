/* Symmetric positive definite systems of which most entries are 0, several right-hand sides at once. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPARSE_LANES = 8 }; /* right-hand sides, solved side by side; what one comes to does not depend on the others */

/* Entry i of row r, for first[r] <= i < first[r + 1]: value[i] in column[i]. The diagonal (over 0) is kept apart. */
typedef struct Sparse {
  size_t n, *first;
  uint32_t *column;
  double *value, *diagonal;
  double *work; /* of solving: (4, n, SPARSE_LANES) */
} Sparse;

/* With room for `entries` of them. On failure, too, the caller frees. */
Status sparse_create(size_t n, size_t entries, Sparse *out);
void sparse_free(Sparse *a);
/* x := a^-1 b by conjugate gradients, preconditioned by the diagonal. b, x: (n, SPARSE_LANES). solved[lane]: its
 * residual is as small as rounding lets it be; else it needs another method. Right-hand sides of 0 give 0. */
void sparse_solve(const Sparse *a, const double *b, double *x, bool solved[SPARSE_LANES]);

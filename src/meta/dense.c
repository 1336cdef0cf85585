#include "meta/dense.h"

#include <math.h>

/* Four sums side by side, so that the compiler may use vectors without changing the order of
 * anything. */
static double dot(const double *a, const double *b, size_t n) {
  double sum[4] = {0};
  size_t k = 0;
  for (; k + 4 <= n; k += 4)
    for (size_t i = 0; i < 4; i++)
      sum[i] += a[k + i] * b[k + i];
  for (; k < n; k++)
    sum[0] += a[k] * b[k];
  return sum[0] + sum[1] + (sum[2] + sum[3]);
}

/* Cholesky, row by row. A pivot that is not clearly above 0 (relative to what stood there) means
 * that the matrix is singular up to rounding. */
bool dense_factor(double *a, size_t n) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      double *row = a + i * n;
      double left = row[j] - dot(row, a + j * n, j);
      if (i > j) {
        row[j] = left / a[j * n + j];
        continue;
      }
      if (!(left > 1e-14 * fabs(row[i]))) return false;
      row[i] = sqrt(left);
    }
  return true;
}

/* Forward through L, then back through its transpose. */
void dense_solve(const double *factor, size_t n, double *x) {
  for (size_t i = 0; i < n; i++) {
    x[i] -= dot(factor + i * n, x, i);
    x[i] /= factor[i * n + i];
  }
  for (size_t i = n; i-- > 0;) {
    x[i] /= factor[i * n + i];
    for (size_t k = 0; k < i; k++)
      x[k] -= factor[i * n + k] * x[i];
  }
}

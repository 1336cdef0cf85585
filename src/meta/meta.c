#include "meta/meta.h"

#include "meta/lp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The row player's best mixture x and what it guarantees, v, of the game sign * a: maximise v
 * subject to sum_r x_r a[r][c] - v >= 0 for all c, sum x = 1, x >= 0. The variables of the linear
 * program are x and then v. `transposed` says that `a` is stored (columns, rows), which gives the
 * column player's view without a copy. */
static Status solve_rows(const double *a, size_t rows, size_t columns, double sign, int transposed,
                         double *mix, double *value) {
  Status status = OK;
  Lp lp;
  TRY(lp_create(rows + 1, columns + 1, &lp));
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c++)
      *lp_at(&lp, r, c) = sign * (transposed ? a[c * rows + r] : a[r * columns + c]);
    *lp_at(&lp, r, columns) = 1;
    lp.high[r] = 1;
  }
  for (size_t c = 0; c < columns; c++) {
    *lp_at(&lp, rows, c) = -1;
    lp.row_high[c] = LP_NO_LIMIT;
  }
  lp.low[rows] = -LP_NO_LIMIT;
  lp.high[rows] = LP_NO_LIMIT;
  lp.cost[rows] = -1;
  lp.row_high[columns] = 1;
  lp.row_low[columns] = 1;
  TRY(lp_minimise(&lp));
  for (size_t r = 0; r < rows; r++)
    mix[r] = lp.solution[r] > 0 ? lp.solution[r] : 0;
  *value = sign * lp.solution[rows];
done:
  lp_destroy(&lp);
  return status;
}

/* Two linear programs, each for one player: the column player is the row player of the negative
 * transpose. */
Status meta_nash(const double *a, size_t rows, size_t columns, double *row_mix, double *column_mix,
                 double *value) {
  Status status = OK;
  double *mix = NULL, best = 0;
  TRY(NEW_ARRAY(mix, rows > columns ? rows : columns));
  if (row_mix || value) {
    TRY(solve_rows(a, rows, columns, 1, 0, mix, &best));
    if (row_mix) memcpy(row_mix, mix, rows * sizeof *mix);
    if (value) *value = best;
  }
  if (column_mix) {
    TRY(solve_rows(a, columns, rows, -1, 1, mix, &best));
    memcpy(column_mix, mix, columns * sizeof *mix);
  }
done:
  free(mix);
  return status;
}

/* Wilson (1927): unlike the usual interval it stays within [0, 1], and has a width at shares of 0
 * and 1 too. */
void meta_interval(double share, double n, double *low, double *high) {
  const double z = 1.959964;
  double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
  double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  *low = fmax(centre - half, 0);
  *high = fmin(centre + half, 1);
}

#include "meta/meta.h"

#include <coin/Clp_C_Interface.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* maximise v subject to sum_r x_r a[r][c] - v >= 0 for all c, sum x = 1, x >= 0; columns of the program: x, v. */
static Status solve_rows(const double *a, size_t rows, size_t columns, double sign, int transposed, double *mix,
                         double *value) {
  Status status = OK;
  size_t n = rows + 1, m = columns + 1;
  double *low = NULL, *high = NULL, *cost = NULL, *row_low = NULL, *row_high = NULL, *element = NULL;
  CoinBigIndex *start = NULL;
  int *index = NULL;
  Clp_Simplex *model = NULL;
  TRY(NEW_ARRAY(low, n));
  TRY(NEW_ARRAY(high, n));
  TRY(NEW_ARRAY(cost, n));
  TRY(NEW_ARRAY(row_low, m));
  TRY(NEW_ARRAY(row_high, m));
  TRY(NEW_ARRAY(start, n + 1));
  TRY(NEW_ARRAY(element, n * m));
  TRY(NEW_ARRAY(index, n * m));
  size_t count = 0;
  for (size_t r = 0; r < rows; r++) {
    start[r] = (CoinBigIndex)count;
    for (size_t c = 0; c < columns; c++) {
      element[count] = sign * (transposed ? a[c * rows + r] : a[r * columns + c]);
      index[count++] = (int)c;
    }
    element[count] = 1;
    index[count++] = (int)columns;
    high[r] = 1;
  }
  start[rows] = (CoinBigIndex)count;
  for (size_t c = 0; c < columns; c++) {
    element[count] = -1;
    index[count++] = (int)c;
    row_high[c] = 1e300;
  }
  start[n] = (CoinBigIndex)count;
  low[rows] = -1e300;
  high[rows] = 1e300;
  cost[rows] = -1;
  row_low[columns] = row_high[columns] = 1;
  model = Clp_newModel();
  Clp_setLogLevel(model, 0);
  Clp_loadProblem(model, (int)n, (int)m, start, index, element, low, high, cost, row_low, row_high);
  if (Clp_dual(model, 0) != 0 || Clp_status(model) != 0)
    TRY(status_set(ERR_INTERNAL, "the linear program of a %zu x %zu game was not solved", rows, columns));
  const double *solution = Clp_primalColumnSolution(model);
  for (size_t r = 0; r < rows; r++) mix[r] = solution[r] > 0 ? solution[r] : 0;
  *value = sign * solution[rows];
done:
  if (model) Clp_deleteModel(model);
  free(low);
  free(high);
  free(cost);
  free(row_low);
  free(row_high);
  free(start);
  free(element);
  free(index);
  return status;
}

Status meta_nash(const double *a, size_t rows, size_t columns, double *row_mix, double *column_mix, double *value) {
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

double meta_elo(double score) { return -400 * log10(1 / score - 1); }

void meta_interval(double share, double n, double *low, double *high) {
  const double z = 1.959964;
  double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
  double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  *low = fmax(centre - half, 0);
  *high = fmin(centre + half, 1);
}

static double inside(double score, double games) {
  double edge = 1 / (2 * games);
  return score < edge ? edge : score > 1 - edge ? 1 - edge : score;
}

Rating meta_rate(double wins, double draws, double losses) {
  double games = wins + draws + losses, score = (wins + draws / 2) / games;
  double variance =
      (wins * (1 - score) * (1 - score) + draws * (0.5 - score) * (0.5 - score) + losses * score * score) / games;
  double full = score * (1 - score); /* of win-or-loss games; draws make the interval narrower */
  double effective = variance > 0 ? games * full / variance : games;
  Rating rating = {.score = score};
  meta_interval(score, effective, &rating.score_low, &rating.score_high);
  rating.elo = meta_elo(inside(score, games));
  rating.low = meta_elo(inside(rating.score_low, 2 * games));
  rating.high = meta_elo(inside(rating.score_high, 2 * games));
  return rating;
}

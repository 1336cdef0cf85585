#include "meta/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = SPARSE_LANES, STEPS = 400 };
/* Residuals relative to the right-hand side's length: at which steps end by what the method
 * believes its residual to be, and which one is accepted when it is computed anew. */
#define TOLERANCE 1e-12
#define ACCEPTED 1e-10

typedef double Lanes[LANES];

/* One entry more than needed, as an array may have none. */
Status sparse_create(size_t n, size_t entries, Sparse *out) {
  *out = (Sparse){.n = n};
  TRY_RETURN(NEW_ARRAY(out->first, n + 1));
  TRY_RETURN(NEW_ARRAY(out->column, entries + 1));
  TRY_RETURN(NEW_ARRAY(out->value, entries + 1));
  TRY_RETURN(NEW_ARRAY(out->diagonal, n + 1));
  return NEW_ARRAY(out->work, 4 * n * LANES + 1);
}

void sparse_free(Sparse *a) {
  free(a->first);
  free(a->column);
  free(a->value);
  free(a->diagonal);
  free(a->work);
  *a = (Sparse){.n = 0};
}

/* Row by row, each lane by itself and in one order, so that vectors over the lanes change no
 * result. */
static void multiply(const Sparse *a, const Lanes *x, Lanes *y) {
  for (size_t r = 0; r < a->n; r++) {
    Lanes sum;
    for (int l = 0; l < LANES; l++)
      sum[l] = a->diagonal[r] * x[r][l];
    for (size_t i = a->first[r]; i < a->first[r + 1]; i++) {
      const double *other = x[a->column[i]];
      const double value = a->value[i];
      for (int l = 0; l < LANES; l++)
        sum[l] += value * other[l];
    }
    memcpy(y[r], sum, sizeof sum);
  }
}

/* The inner products of all lanes, each added up in the order of rows. */
static void dot(const Lanes *x, const Lanes *y, size_t n, Lanes out) {
  Lanes sum = {0};
  for (size_t r = 0; r < n; r++)
    for (int l = 0; l < LANES; l++)
      sum[l] += x[r][l] * y[r][l];
  memcpy(out, sum, sizeof sum);
}

/* z = D^-1 r: dividing by the diagonal evens out rows of very different weight, here players with
 * very different numbers of games. */
static void precondition(const Sparse *a, const Lanes *r, Lanes *z) {
  for (size_t i = 0; i < a->n; i++)
    for (int l = 0; l < LANES; l++)
      z[i][l] = r[i][l] / a->diagonal[i];
}

/* Conjugate gradients (Hestenes and Stiefel, 1952) from x = 0 and r = b. norm: |b|^2 of each lane.
 * z, p and q are scratch: the preconditioned residual, the direction, and a times the direction. A
 * lane that has come to its end stays as it is: its steps have length 0. */
static void descend(const Sparse *a, const Lanes norm, Lanes *x, Lanes *r, Lanes *z, Lanes *p,
                    Lanes *q) {
  size_t n = a->n;
  Lanes rz, next, pq, rr, alpha, beta;
  precondition(a, (const Lanes *)r, z);
  memcpy(p, z, n * sizeof *p);
  dot((const Lanes *)r, (const Lanes *)z, n, rz);
  memcpy(rr, norm, sizeof rr);
  for (int step = 0; step < STEPS; step++) {
    bool left[LANES], any = false;
    for (int l = 0; l < LANES; l++) {
      left[l] = rr[l] > TOLERANCE * TOLERANCE * norm[l];
      any |= left[l];
    }
    if (!any) return;
    multiply(a, (const Lanes *)p, q);
    dot((const Lanes *)p, (const Lanes *)q, n, pq);
    for (int l = 0; l < LANES; l++)
      alpha[l] = left[l] && pq[l] > 0 ? rz[l] / pq[l] : 0;
    for (size_t i = 0; i < n; i++)
      for (int l = 0; l < LANES; l++) {
        x[i][l] += alpha[l] * p[i][l];
        r[i][l] -= alpha[l] * q[i][l];
      }
    precondition(a, (const Lanes *)r, z);
    dot((const Lanes *)r, (const Lanes *)z, n, next);
    dot((const Lanes *)r, (const Lanes *)r, n, rr);
    for (int l = 0; l < LANES; l++) {
      beta[l] = left[l] && rz[l] > 0 ? next[l] / rz[l] : 0;
      rz[l] = next[l];
    }
    for (size_t i = 0; i < n; i++)
      for (int l = 0; l < LANES; l++)
        p[i][l] = z[i][l] + beta[l] * p[i][l];
  }
}

/* The residual that the method carries along drifts from the true one; so the true one is computed
 * at the end, and decides whether a lane counts as solved. */
void sparse_solve(const Sparse *a, const double *b, double *x, bool solved[SPARSE_LANES]) {
  size_t n = a->n;
  Lanes *r = (Lanes *)a->work;
  Lanes *z = r + n;
  Lanes *p = z + n;
  Lanes *q = p + n;
  Lanes norm, rest;
  memset(x, 0, n * sizeof *r);
  memcpy(r, b, n * sizeof *r);
  dot((const Lanes *)r, (const Lanes *)r, n, norm);
  descend(a, norm, (Lanes *)x, r, z, p, q);
  multiply(a, (const Lanes *)x, q);
  for (size_t i = 0; i < n; i++)
    for (int l = 0; l < LANES; l++)
      r[i][l] = b[i * LANES + (size_t)l] - q[i][l];
  dot((const Lanes *)r, (const Lanes *)r, n, rest);
  for (int l = 0; l < LANES; l++)
    solved[l] = rest[l] <= ACCEPTED * ACCEPTED * norm[l];
}

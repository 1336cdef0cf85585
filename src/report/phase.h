/* Phase pictures: where the probabilities of two players go, as SVG files of their own. */
#pragma once
#include "base/bytes.h"

#include <stddef.h>

/* A path of probabilities. */
typedef struct PhasePath {
  /* (points, step) In the square x is the first element of a row, y that at `second`; in the
   * simplex the three from the first element on count. */
  const double *at;
  size_t points, step, second;
  const char *css;   /* the class of its colour: "c0" .. "c7" */
  const char *label; /* appears when one points at it */
} PhasePath;

/* What is drawn. */
typedef struct PhasePicture {
  const char *title;
  const char *note;     /* a line below it; "" */
  const char *label[3]; /* square: of x and of y; simplex: of the corners */
  const PhasePath *path;
  size_t paths;
  /* Arrows: the direction at a point, of x and y (square) or of three probabilities; NULL: none. */
  void (*field)(const void *context, const double *point, double *direction);
  const void *context;
} PhasePicture;

/* The unit square of two players' first probabilities. */
void phase_square(Bytes *out, const PhasePicture *picture);
/* The triangle of three probabilities. */
void phase_simplex(Bytes *out, const PhasePicture *picture);

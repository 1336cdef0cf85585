/* What one learner knows: a row for each thing that its agent has observed, found by table_key.
 * Choices are counted among those that are allowed there. */
#pragma once
#include "base/status.h"

#include <stdint.h>

enum { ROWS_MOST = 4000000 }; /* of a learner: more, and the game is too large for a table */

/* All that a learner knows. The arrays grow together; indices of rows stay. */
typedef struct LearnedRows {
  size_t choices; /* of the env's layout: A below */
  size_t width;   /* numbers of a row that are the algorithm's: worths, and behind them counts */
  size_t worths;
  size_t count;
  size_t room; /* for so many rows */
  uint64_t *key;
  double *numbers; /* (rows, width) */
  double *mix;     /* (rows, A) what a solved stage game says, among the allowed choices */
  double *value;   /* (rows, 2) of the stage game, to agents 0 and 1; else unused */
  uint64_t *visits;
  uint8_t *own, *other; /* (rows, A) which choices are allowed here, and to the other one */
  size_t *place;        /* (places) 1 + index of a row, 0: empty */
  size_t places;        /* a power of two */
} LearnedRows;

/* rows_destroy is due in any case. ERR_MEMORY. */
Status rows_create(size_t choices, size_t worths, size_t counts, LearnedRows *out);
void rows_destroy(LearnedRows *rows);
/* Index of the row of this key, or rows->count. */
size_t rows_find(const LearnedRows *rows, uint64_t key);
/* Adds a row, of a key that has none, with all worths at `initial` and a uniform mix. other: NULL
 * where nobody else matters. ERR_USAGE beyond ROWS_MOST, ERR_MEMORY. */
Status rows_add(LearnedRows *rows, uint64_t key, const uint8_t *own, const uint8_t *other,
                double initial, size_t *out);
/* How many of the choices are allowed. */
size_t rows_allowed(const uint8_t *mask, size_t choices);
/* The action behind the n-th allowed choice. */
uint32_t rows_action(const uint8_t *mask, size_t n);

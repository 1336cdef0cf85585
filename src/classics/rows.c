#include "classics/rows.h"

#include <stdlib.h>
#include <string.h>

/* Rows themselves come with the first one. */
Status rows_create(size_t choices, size_t worths, size_t counts, LearnedRows *out) {
  *out =
      (LearnedRows){.choices = choices, .width = worths + counts, .worths = worths, .places = 64};
  return NEW_ARRAY(out->place, out->places);
}

void rows_destroy(LearnedRows *rows) {
  free(rows->key);
  free(rows->numbers);
  free(rows->mix);
  free(rows->value);
  free(rows->visits);
  free(rows->own);
  free(rows->other);
  free(rows->place);
  *rows = (LearnedRows){.count = 0};
}

/* The place of a key, or the empty one where it would go. */
static size_t place_of(const LearnedRows *rows, uint64_t key) {
  size_t at = key & (rows->places - 1);
  while (rows->place[at] && rows->key[rows->place[at] - 1] != key)
    at = (at + 1) & (rows->places - 1);
  return at;
}

size_t rows_find(const LearnedRows *rows, uint64_t key) {
  const size_t known = rows->place[place_of(rows, key)];
  return known ? known - 1 : rows->count;
}

/* Twice as many places, so that at most half are taken. */
static Status spread(LearnedRows *rows) {
  size_t *place;
  if (2 * (rows->count + 1) <= rows->places) return OK;
  TRY_RETURN(NEW_ARRAY(place, 2 * rows->places));
  free(rows->place);
  rows->place = place;
  rows->places *= 2;
  for (size_t i = 0; i < rows->count; i++)
    rows->place[place_of(rows, rows->key[i])] = i + 1;
  return OK;
}

/* Makes room for `needed` rows in all arrays: each goes by a capacity of its own, so that they keep
 * step. */
static Status grow(LearnedRows *rows, size_t needed) {
  const size_t A = rows->choices;
  const size_t room = needed <= rows->room ? rows->room : needed < 64 ? 64 : 2 * needed;
  size_t keys = rows->room;
  size_t visits = rows->room;
  size_t numbers = rows->room * rows->width;
  size_t mixes = rows->room * A;
  size_t values = rows->room * 2;
  size_t own = rows->room * A;
  size_t other = rows->room * A;
  TRY_RETURN(GROW(rows->key, keys, room));
  TRY_RETURN(GROW(rows->visits, visits, room));
  TRY_RETURN(GROW(rows->numbers, numbers, room * rows->width));
  TRY_RETURN(GROW(rows->mix, mixes, room * A));
  TRY_RETURN(GROW(rows->value, values, room * 2));
  TRY_RETURN(GROW(rows->own, own, room * A));
  TRY_RETURN(GROW(rows->other, other, room * A));
  rows->room = room;
  return OK;
}

size_t rows_allowed(const uint8_t *mask, size_t choices) {
  size_t allowed = 0;
  for (size_t i = 0; i < choices; i++)
    allowed += mask[i] != 0;
  return allowed;
}

uint32_t rows_action(const uint8_t *mask, size_t n) {
  uint32_t action = 0;
  for (;; action++)
    if (mask[action] && n-- == 0) return action;
}

/* A value of the stage game, before anything is known of it, is what its numbers say. */
Status rows_add(LearnedRows *rows, uint64_t key, const uint8_t *own, const uint8_t *other,
                double initial, size_t *out) {
  const size_t A = rows->choices;
  const size_t i = rows->count;
  if (i == ROWS_MOST)
    return status_set(ERR_USAGE,
                      "an agent has seen more than %d different observations: this game is too "
                      "large for a table (agon train learns it with networks)",
                      ROWS_MOST);
  TRY_RETURN(grow(rows, i + 1));
  TRY_RETURN(spread(rows));
  const size_t allowed = rows_allowed(own, A);
  for (size_t k = 0; k < rows->width; k++)
    rows->numbers[i * rows->width + k] = k < rows->worths ? initial : 0;
  for (size_t k = 0; k < A; k++)
    rows->mix[i * A + k] = k < allowed ? 1 / (double)allowed : 0;
  rows->value[2 * i] = rows->value[2 * i + 1] = initial;
  memcpy(rows->own + i * A, own, A);
  if (other) memcpy(rows->other + i * A, other, A);
  rows->key[i] = key;
  rows->visits[i] = 0;
  rows->place[place_of(rows, key)] = i + 1;
  rows->count++;
  *out = i;
  return OK;
}

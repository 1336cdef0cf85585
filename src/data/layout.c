#include "data/layout.h"

#include <stdlib.h>

void layout_free(Layout *layout) {
  free(layout->row);
  free(layout->restart);
  free(layout->shard_end);
  *layout = (Layout){0};
}

/* Both columns have the same room. */
static Status reserve(Layout *layout, size_t entries) {
  size_t room = layout->room;
  TRY_RETURN(GROW(layout->row, room, entries));
  room = layout->room;
  TRY_RETURN(GROW(layout->restart, room, entries));
  layout->room = room;
  return OK;
}

/* An empty layout of units of T steps. */
static Status begin(Layout *layout, const Batch *batch, const Shards *shards, size_t T) {
  layout->T = T;
  layout->cells = format_cells(&batch->format);
  layout->units = 0;
  layout->shards = shards->count;
  return GROW(layout->shard_end, layout->shard_room, shards->count);
}

/* Puts all cells of a batch row at step `at`, counted over all units. */
static void put_row(Layout *layout, size_t at, size_t row) {
  size_t cells = layout->cells;
  for (size_t c = 0; c < cells; c++)
    layout->row[at * cells + c] = (int32_t)(row * cells + c);
}

/* Without recurrent state each row is a unit of its own, in the batch's order. shards: where each
 * actor's units end. */
Status layout_rows(Layout *layout, const Batch *batch, const Shards *shards, bool learned_only) {
  TRY_RETURN(begin(layout, batch, shards, 1));
  TRY_RETURN(reserve(layout, batch->rows * layout->cells));
  size_t u = 0;
  for (size_t s = 0; s < shards->count; s++) {
    for (; u < shards->unroll_end[s]; u++) {
      const Unroll *unroll = &batch->unroll[u];
      size_t span = learned_only ? unroll->rows : unroll_span(unroll);
      for (size_t t = learned_only ? unroll->skip : 0; t < span; t++)
        put_row(layout, layout->units++, unroll->first + t);
    }
    layout->shard_end[s] = layout->units;
  }
  for (size_t i = 0; i < layout->units * layout->cells; i++)
    layout->restart[i] = 0;
  return OK;
}

/* Another unit, of nothing yet: each of its steps goes on from the one before. */
static Status add_unit(Layout *layout) {
  size_t entries = layout->T * layout->cells;
  size_t first = layout->units * entries;
  TRY_RETURN(reserve(layout, first + entries));
  for (size_t i = 0; i < entries; i++) {
    layout->row[first + i] = -1;
    layout->restart[first + i] = i < layout->cells ? 0 : -1;
  }
  layout->units++;
  return OK;
}

/* From step `at` on each cell has the state that it had before unroll u. */
static void put_restart(Layout *layout, size_t at, size_t u, bool fresh) {
  size_t cells = layout->cells;
  for (size_t c = 0; c < cells; c++)
    layout->restart[at * cells + c] = fresh ? 0 : (int32_t)(1 + u * cells + c);
}

/* Unrolls are put one behind another into a unit until the next does not fit; what is left of it is
 * padding. A shard begins a unit of its own. */
Status layout_sequences(Layout *layout, const Batch *batch, const Shards *shards, size_t T) {
  for (size_t u = 0; u < batch->unrolls; u++) {
    size_t span = unroll_span(&batch->unroll[u]);
    if (span > T) T = span;
  }
  TRY_RETURN(begin(layout, batch, shards, T));
  size_t u = 0;
  for (size_t s = 0; s < shards->count; s++) {
    size_t used = T;
    for (; u < shards->unroll_end[s]; u++) {
      const Unroll *unroll = &batch->unroll[u];
      size_t span = unroll_span(unroll);
      if (used + span > T || (layout->apart && layout->apart[u])) {
        TRY_RETURN(add_unit(layout));
        used = 0;
      }
      size_t at = (layout->units - 1) * T + used;
      for (size_t t = 0; t < span; t++)
        put_row(layout, at + t, unroll->first + t);
      put_restart(layout, at, u, unroll->fresh);
      used += span;
    }
    layout->shard_end[s] = layout->units;
  }
  return OK;
}

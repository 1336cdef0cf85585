#include "data/layout.h"

#include <stdlib.h>

void layout_free(Layout *layout) {
  free(layout->row);
  free(layout->restart);
  free(layout->shard_end);
  *layout = (Layout){0};
}

/* Both columns have the same room. */
static Status reserve(Layout *layout, size_t cells) {
  size_t room = layout->room;
  TRY_RETURN(GROW(layout->row, room, cells));
  room = layout->room;
  TRY_RETURN(GROW(layout->restart, room, cells));
  layout->room = room;
  return OK;
}

/* An empty layout of units of T steps. */
static Status begin(Layout *layout, const Shards *shards, size_t T) {
  layout->T = T;
  layout->units = 0;
  layout->shards = shards->count;
  return GROW(layout->shard_end, layout->shard_room, shards->count);
}

/* Without recurrent state each row is a unit of its own, in the batch's order. shards: where each
 * actor's units end. */
Status layout_rows(Layout *layout, const Batch *batch, const Shards *shards, bool learned_only) {
  TRY_RETURN(begin(layout, shards, 1));
  TRY_RETURN(reserve(layout, batch->rows));
  size_t u = 0;
  for (size_t s = 0; s < shards->count; s++) {
    for (; u < shards->unroll_end[s]; u++) {
      const Unroll *unroll = &batch->unroll[u];
      size_t span = learned_only ? unroll->rows : unroll_span(unroll);
      for (size_t t = learned_only ? unroll->skip : 0; t < span; t++) {
        layout->row[layout->units] = (int32_t)(unroll->first + t);
        layout->restart[layout->units++] = 0;
      }
    }
    layout->shard_end[s] = layout->units;
  }
  return OK;
}

/* Another unit, of nothing yet: each of its steps goes on from the one before. */
static Status add_unit(Layout *layout) {
  size_t T = layout->T;
  size_t first = layout->units * T;
  TRY_RETURN(reserve(layout, first + T));
  for (size_t t = 0; t < T; t++) {
    layout->row[first + t] = -1;
    layout->restart[first + t] = t == 0 ? 0 : -1;
  }
  layout->units++;
  return OK;
}

/* Unrolls are put one behind another into a unit until the next does not fit; what is left of it is
 * padding. A shard begins a unit of its own. */
Status layout_sequences(Layout *layout, const Batch *batch, const Shards *shards, size_t T) {
  for (size_t u = 0; u < batch->unrolls; u++) {
    size_t span = unroll_span(&batch->unroll[u]);
    if (span > T) T = span;
  }
  TRY_RETURN(begin(layout, shards, T));
  size_t u = 0;
  for (size_t s = 0; s < shards->count; s++) {
    size_t used = T;
    for (; u < shards->unroll_end[s]; u++) {
      const Unroll *unroll = &batch->unroll[u];
      size_t span = unroll_span(unroll);
      if (used + span > T) {
        TRY_RETURN(add_unit(layout));
        used = 0;
      }
      size_t at = (layout->units - 1) * T + used;
      for (size_t t = 0; t < span; t++)
        layout->row[at + t] = (int32_t)(unroll->first + t);
      layout->restart[at] = unroll->fresh ? 0 : (int32_t)(u + 1);
      used += span;
    }
    layout->shard_end[s] = layout->units;
  }
  return OK;
}

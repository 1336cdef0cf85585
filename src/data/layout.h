/* How experience lies for the network: units of T steps, each of all cells of a row. Feed-forward
 * units are single rows; recurrent ones are sequences that hold one unroll after another. Units
 * never mix shards (the experience of one actor), so that which rows share a minibatch does not
 * depend on how many learner ranks share the work. */
#pragma once
#include "data/batch.h"

typedef struct Layout {
  size_t T;
  size_t cells; /* of a row of the batch */
  size_t units;
  int32_t *row;     /* (units, T, cells) cell index in the batch, or -1 */
  int32_t *restart; /* (units, T, cells) as in Sequences */
  size_t room;
  /* (unrolls) Those that may not stand in one sequence with the unroll before them; borrowed, and
   * set before sequences are laid out. NULL: all may. */
  const uint8_t *apart;
  size_t *shard_end; /* (shards) units up to the end of each shard */
  size_t shards;
  size_t shard_room;
} Layout;

/* The experience of several actors in one batch: actor[i] gave the unrolls before unroll_end[i]. */
typedef struct Shards {
  uint32_t *actor;
  size_t *unroll_end;
  size_t count;
  size_t room;
} Shards;

void layout_free(Layout *layout);
/* learned_only: without the rows that only bootstrap, and those that are skipped. */
Status layout_rows(Layout *layout, const Batch *batch, const Shards *shards, bool learned_only);
/* Sequences of T steps; 0: of the longest unroll. restart counts stored states from 1 (cell c of
 * unroll u has state 1 + u * cells + c). */
Status layout_sequences(Layout *layout, const Batch *batch, const Shards *shards, size_t T);

/* Experience: rows in columns, grouped in unrolls. An unroll is a run of consecutive decisions of one agent of one team
 * in one episode and one tick, all by one player: `rows` decisions and, unless the episode terminated, one row more
 * whose value bootstraps (the agent's own next decision, what it must decide on at the tick's end, or the final
 * observation). Only the first decision may be older than the tick: one that was open at its beginning. */
#pragma once
#include "base/bytes.h"

typedef struct RowFormat {
  size_t observation_bytes;
  uint32_t choices;          /* bytes of a mask row */
  uint32_t heads;            /* 32-bit words of an action */
  uint32_t state;            /* floats of recurrent state kept per unroll */
  const uint32_t *head_size; /* (heads) choices of each, borrowed; NULL: actions are not indices (BOX) */
} RowFormat;

typedef enum UnrollEnd { END_OPEN = 0, END_TERMINATED = 1, END_TRUNCATED = 2 } UnrollEnd;

typedef struct Unroll {
  uint64_t version, first_version; /* of the weights that decided; that took the first decision */
  uint32_t life, first_life;       /* the same of the player's life */
  uint32_t player;
  uint32_t slot;
  uint16_t agent;
  uint8_t end;    /* UnrollEnd */
  uint8_t fresh;  /* starts the episode: recurrent state is zero */
  uint32_t rows;  /* decisions */
  uint32_t first; /* index of its first row in the batch */
  uint32_t skip; /* leading decisions that are not learned from, but lead recurrent state up to the rest; not encoded */
} Unroll;

typedef struct Batch {
  RowFormat format;
  size_t rows, row_room; /* decisions and bootstrap rows */
  uint8_t *observation;  /* (rows, observation_bytes) */
  uint8_t *mask;         /* (rows, choices) */
  int32_t *action;       /* (rows, heads); BOX: float bits */
  float *log_prob;       /* (rows) behaviour */
  float *value;          /* (rows) behaviour: by the weights that acted, in bootstrap rows too */
  float *reward;         /* (rows) all that the agent received until its next decision or the end */
  Unroll *unroll;
  size_t unrolls, unroll_room;
  float *state; /* (unrolls, format.state) recurrent state before the first row */
} Batch;

size_t unroll_span(const Unroll *unroll); /* rows in the batch: decisions, and bootstrap if there is one */
uint64_t unroll_version(const Unroll *unroll, size_t row); /* of the weights that took decision `row` */
uint32_t unroll_life(const Unroll *unroll, size_t row);
Status batch_create(const RowFormat *format, Batch *out);
void batch_destroy(Batch *batch);
void batch_clear(Batch *batch);
/* Makes room for rows and unrolls beyond those present. */
Status batch_reserve(Batch *batch, size_t rows, size_t unrolls);
/* Appends unroll `index` of `from`. */
Status batch_append(Batch *batch, const Batch *from, size_t index);
size_t batch_learned(const Batch *batch); /* decisions less those that are skipped */
/* Whether unrolls and rows agree and all numbers are finite (for invariants). */
bool batch_is_whole(const Batch *batch);
void batch_encode(const Batch *batch, Bytes *out);
/* Appends what is encoded; ERR_FORMAT if it does not fit the format, its counts contradict each other or an action is
 * no choice of its head. */
Status batch_decode(Batch *batch, Reader *reader);

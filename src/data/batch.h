/* Experience: rows in columns, grouped in unrolls. Which columns there are stands in one table
 * (batch_column); a column more is a line there, and a pointer in Batch. An unroll is a run of
 * consecutive decisions of one agent of one team in one episode and one tick, all by one player:
 * `rows` decisions and, unless the episode terminated, one row more whose value bootstraps (the
 * agent's own next decision, what it must decide on at the tick's end, or the final observation).
 * Only the first decision may be older than the tick: one that was open at its beginning. */
#pragma once
#include "agon/env.h"
#include "base/bytes.h"

/* How wide the columns of a batch are. */
typedef struct RowFormat {
  size_t observation_bytes;
  uint32_t choices; /* bytes of a mask row */
  uint32_t heads;   /* 32-bit words of an action */
  uint32_t state;   /* floats of recurrent state kept per unroll */
  const uint32_t
      *head_size; /* (heads) choices of each, borrowed; NULL: actions are not indices (BOX) */
} RowFormat;

/* The columns of a batch, in the order in which they travel. */
typedef enum ColumnId {
  COLUMN_STATE,
  COLUMN_OBSERVATION,
  COLUMN_MASK,
  COLUMN_ACTION,
  COLUMN_LOG_PROB,
  COLUMN_VALUE,
  COLUMN_REWARD,
  COLUMNS
} ColumnId;

typedef enum ColumnType {
  TYPE_BYTE,
  TYPE_WORD, /* 32 bits of anything */
  TYPE_FLOAT /* and finite: a message with another value is refused */
} ColumnType;

/* Which number of the format says how wide it is. */
typedef enum ColumnWidth {
  WIDTH_ONE,
  WIDTH_OBSERVATION,
  WIDTH_CHOICES,
  WIDTH_HEADS,
  WIDTH_STATE
} ColumnWidth;

typedef enum ColumnPer { PER_ROW, PER_UNROLL } ColumnPer;

/* What all that reserves, copies, sends and checks a batch walks over; see batch.c. */
typedef struct Column {
  const char *name;
  ColumnType type;
  ColumnPer per;
  ColumnWidth width; /* elements of a row, or of an unroll */
  size_t at;         /* offset of its array in Batch */
} Column;
extern const Column batch_column[COLUMNS];

typedef enum UnrollEnd { END_OPEN = 0, END_TERMINATED = 1, END_TRUNCATED = 2 } UnrollEnd;

typedef struct Unroll {
  uint64_t version;       /* of the weights that decided */
  uint64_t first_version; /* of those that took the first decision */
  uint32_t life;          /* the player's life in which it decided */
  uint32_t first_life;    /* that of the first decision */
  uint32_t player;
  uint32_t slot;
  uint16_t agent;
  uint8_t end;    /* UnrollEnd */
  uint8_t fresh;  /* starts the episode: recurrent state is zero */
  uint32_t rows;  /* decisions */
  uint32_t first; /* index of its first row in the batch */
  uint32_t skip;  /* leading decisions that are not learned from, but lead recurrent state up to the
                     rest; not encoded */
} Unroll;

typedef struct Batch {
  RowFormat format;
  size_t rows; /* decisions and bootstrap rows */
  size_t row_room;
  uint8_t *observation; /* (rows, observation_bytes) */
  uint8_t *mask;        /* (rows, choices) */
  int32_t *action;      /* (rows, heads); BOX: float bits */
  float *log_prob;      /* (rows) behaviour */
  float *value;         /* (rows) behaviour: by the weights that acted, in bootstrap rows too */
  float *reward;        /* (rows) all that the agent received until its next decision or the end */
  Unroll *unroll;
  size_t unrolls;
  size_t unroll_room;
  float *state; /* (unrolls, format.state) recurrent state before the first row */
} Batch;

/* A row's action: a row of components, which are indices, or the bits of floats. */
static inline const AgonAction *batch_action(const Batch *batch, size_t row) {
  return (const AgonAction *)(batch->action + row * batch->format.heads);
}

size_t unroll_span(
    const Unroll *unroll); /* rows in the batch: decisions, and bootstrap if there is one */
uint64_t unroll_version(const Unroll *unroll,
                        size_t row); /* of the weights that took decision `row` */
uint32_t unroll_life(const Unroll *unroll, size_t row);

size_t column_width(const RowFormat *format, ColumnId id);
size_t column_bytes(const RowFormat *format, ColumnId id); /* of one row, or of one unroll */
Status batch_create(const RowFormat *format, Batch *out);
void batch_destroy(Batch *batch);
void batch_clear(Batch *batch);
/* Makes room for rows and unrolls beyond those present. */
Status batch_reserve(Batch *batch, size_t rows, size_t unrolls);
/* Appends a row, or an unroll's own columns with what is said of it, from one pointer for each
 * column of that kind, not into this batch; NULL: zeros. On failure the batch is what it was. */
Status batch_add_row(Batch *batch, const void *const value[COLUMNS]);
Status batch_add_unroll(Batch *batch, const Unroll *unroll, const void *const value[COLUMNS]);
/* Appends unroll `index` of `from`, with its rows. */
Status batch_append(Batch *batch, const Batch *from, size_t index);
/* Puts unroll `from` into the place of unroll `to`; rows stay where they are. */
void batch_move_unroll(Batch *batch, size_t to, size_t from);
/* Puts row `from` into the place of row `to`. */
void batch_move_row(Batch *batch, size_t to, size_t from);
size_t batch_learned(const Batch *batch); /* decisions less those that are skipped */
/* Whether unrolls and rows agree and all numbers are finite (for invariants). */
bool batch_is_whole(const Batch *batch);
void batch_encode(const Batch *batch, Bytes *out);
/* Appends what is encoded; ERR_FORMAT if it does not fit the format, its counts contradict each
 * other, a number is not finite or an action is no choice of its head. On failure nothing is
 * appended. */
Status batch_decode(Batch *batch, Reader *reader);

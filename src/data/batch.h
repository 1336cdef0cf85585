/* Experience: rows in columns, grouped in unrolls. Which columns there are stands in one table
 * (batch_column); a column more is a line there, and a pointer in Batch. An unroll is a run of
 * consecutive decisions of one agent of one team in one episode and one tick, all by one player:
 * `rows` decisions and, unless the episode terminated, one row more whose value bootstraps (the
 * agent's own next decision, what it must decide on at the tick's end, or the final observation).
 * Only the first decision may be older than the tick: one that was open at its beginning.
 *
 * A row has one or more cells. With one cell it is a decision of one agent. With more it is a team
 * row: a step at which somebody of the team acts, and a cell for each of its agents, whether it
 * acts, waits or is out of the game (`flags` says which); the unroll is the team's. Most columns
 * are per cell, (rows, cells, width): cell c of row i lies at the *cell index* i * cells + c, so
 * that code which goes by cell index need not know how many cells a row has. Recurrent state is
 * (unrolls, cells, state). In the cell of an agent that does not act, the action is 0, its
 * log-probability 0 and its mask all ones; a cell without an agent (in games whose teams are of
 * different sizes) is 0 but for that mask. */
#pragma once
#include "agon/env.h"
#include "base/bytes.h"

/* How wide the columns of a batch are: of one cell, where it is not said of what. */
typedef struct RowFormat {
  size_t observation_bytes;
  uint32_t choices; /* bytes of a mask row */
  uint32_t heads;   /* 32-bit words of an action */
  uint32_t state;   /* floats of recurrent state kept per unroll */
  const uint32_t
      *head_size;  /* (heads) choices of each, borrowed; NULL: actions are not indices (BOX) */
  uint32_t cells;  /* of a row: agents of the largest team; 0 is read as 1 */
  uint32_t global; /* floats of the global state in a row */
  /* What each cell's agent does is a column, and episode and step of each unroll are there. Then
   * there are no values of those who acted: the learner values all cells itself. */
  bool flags;
  bool potential;  /* what the game's potential is of each cell's agent is a column */
  bool position;   /* where each cell's agent is, is a column; with flags only */
  uint32_t agents; /* rows of agent_of */
  /* (agents, cells), borrowed: who is in the cells of an unroll of agent a, NO_AGENT for nobody.
   * NULL: the one cell is that agent's own. */
  const uint32_t *agent_of;
} RowFormat;

#define NO_AGENT UINT32_MAX

/* In the column of flags, besides the env's AGON_ACTS and AGON_ALIVE. */
enum {
  ROW_ENTERED = 4, /* the agent has acted in this episode, now or before */
  ROW_FLAGS = AGON_ACTS | AGON_ALIVE | ROW_ENTERED
};

/* Cells of a row, also where the format does not say. */
static inline size_t format_cells(const RowFormat *format) {
  return format->cells ? format->cells : 1;
}

/* Agents of the largest team. */
uint32_t team_largest(const AgonEnvSpec *spec);
/* Who is in which cell, where rows are of whole teams: (agents, team_largest), as agent_of wants
 * it; the same for all agents of a team, in their order. */
void team_cells(const AgonEnvSpec *spec, uint32_t *agent_of);
/* How many teams agent_of has; out (agents), unless NULL, gets the team of each agent, counted from
 * 0. Without agent_of: 1, and out is left alone. */
size_t format_teams(const RowFormat *format, uint32_t *out);

/* The columns of a batch, in the order in which they travel. */
typedef enum ColumnId {
  COLUMN_STATE,
  COLUMN_OBSERVATION,
  COLUMN_MASK,
  COLUMN_ACTION,
  COLUMN_LOG_PROB,
  COLUMN_VALUE,
  COLUMN_REWARD,
  COLUMN_FLAGS,
  COLUMN_GLOBAL,
  COLUMN_POTENTIAL,
  COLUMN_POSITION,
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
  WIDTH_STATE,
  WIDTH_VALUE, /* 1 where there are no flags */
  WIDTH_FLAGS,
  WIDTH_GLOBAL,
  WIDTH_POTENTIAL,
  WIDTH_POSITION
} ColumnWidth;

typedef enum ColumnPer { PER_ROW, PER_UNROLL } ColumnPer;

/* Whether a row (or an unroll) has so much of it once, or for each of its cells. */
typedef enum ColumnOf { OF_CELL, OF_ROW } ColumnOf;

/* What all that reserves, copies, sends and checks a batch walks over; see batch.c. */
typedef struct Column {
  const char *name;
  ColumnType type;
  ColumnPer per;
  ColumnOf of;
  ColumnWidth width; /* elements of a cell, or of a row */
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
  uint16_t agent; /* of a team's unroll: its first */
  uint8_t end;    /* UnrollEnd */
  uint8_t fresh;  /* starts the episode: recurrent state is zero */
  uint32_t rows;  /* decisions */
  uint32_t first; /* index of its first row in the batch */
  uint32_t skip;  /* leading decisions that are not learned from, but lead recurrent state up to the
                     rest; not encoded */
  /* Encoded where there are flags: by them the unrolls of an episode can be joined. */
  uint32_t episode; /* of the slot */
  uint32_t step;    /* of the env, at which its first row was decided */
  uint32_t until;   /* step of the row that closes it; what goes on from it begins there */
} Unroll;

typedef struct Batch {
  RowFormat format;
  size_t rows; /* decisions and bootstrap rows */
  size_t row_room;
  uint8_t *observation; /* (rows, cells, observation_bytes) */
  uint8_t *mask;        /* (rows, cells, choices) */
  int32_t *action;      /* (rows, cells, heads); BOX: float bits */
  float *log_prob;      /* (rows, cells) behaviour */
  float *value;   /* (rows, cells) behaviour: by the weights that acted, in bootstrap rows too; not
                     there where there are flags */
  float *reward;  /* (rows, cells) all that the agent is to learn from until the next row or the
                     end: the env's own rewards, or what `rewards.*` makes of them */
  uint8_t *flags; /* (rows, cells) AGON_ACTS | AGON_ALIVE | ROW_ENTERED; format.flags */
  float *global;  /* (rows, format.global) the env's state, as the team's row was decided */
  float *potential; /* (rows, cells) the env's potential then; format.potential */
  float *position;  /* (rows, cells, 3) where the agents were then; format.position */
  Unroll *unroll;
  size_t unrolls;
  size_t unroll_room;
  float *state; /* (unrolls, cells, format.state) recurrent state before the first row */
} Batch;

/* A cell's action: a row of components, which are indices, or the bits of floats. */
static inline const AgonAction *batch_action(const Batch *batch, size_t cell) {
  return (const AgonAction *)(batch->action + cell * batch->format.heads);
}

size_t unroll_span(
    const Unroll *unroll); /* rows in the batch: decisions, and bootstrap if there is one */
uint64_t unroll_version(const Unroll *unroll,
                        size_t row); /* of the weights that took decision `row` */
uint32_t unroll_life(const Unroll *unroll, size_t row);

/* Elements, and bytes, of one row, or of one unroll: of all its cells. */
size_t column_width(const RowFormat *format, ColumnId id);
size_t column_bytes(const RowFormat *format, ColumnId id);
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
/* The env's agent of each cell, into out (rows, cells): NO_AGENT where there is none. */
void batch_agents(const Batch *batch, uint32_t *out);
/* The unroll that a row of the batch belongs to. */
const Unroll *batch_unroll_at(const Batch *batch, size_t row);
/* How many agents the team of an unroll has: cells that are not empty places. */
size_t batch_members(const Batch *batch, const Unroll *unroll);
/* Decisions of agents in `rows` rows from `first` on: of several of a team in each. */
size_t batch_acts(const Batch *batch, size_t first, size_t rows);
/* Frames: decisions of agents, less those in rows that are skipped. */
size_t batch_learned(const Batch *batch);
/* Whether unrolls, rows and flags agree and all numbers are finite (for invariants). */
bool batch_is_whole(const Batch *batch);
void batch_encode(const Batch *batch, Bytes *out);
/* Appends what is encoded; ERR_FORMAT if it does not fit the format, its counts contradict each
 * other, a number is not finite, an action is no choice of its head, an unroll's agent is not
 * one, or flags are none of their cell. On failure nothing is appended. */
Status batch_decode(Batch *batch, Reader *reader);

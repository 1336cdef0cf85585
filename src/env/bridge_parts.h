/* What the parts of the bridge share: the worker process (bridge_worker.c), its live environments
 * (bridge_cells.c), and the table of functions over both (bridge.c). Nobody else includes it. */
#pragma once
#include "agon/env.h"
#include "base/bytes.h"
#include "base/embedded.h"
#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/* Requests, as deploy/python/bridge/agon_worker.py knows them. */
enum {
  BRIDGE_HELLO = 1,
  BRIDGE_MAP,
  BRIDGE_STEP,
  BRIDGE_CHANCE,
  BRIDGE_RESET,
  BRIDGE_REBUILD,
  BRIDGE_VIEW,
  BRIDGE_RENDER,
  BRIDGE_STATE
};

/* The worker's modules, compiled in (deploy/python/bridge). */
extern const Embedded bridge_source[];

/* A worker process, and memory that it shares with this one. After a failure that it cannot go on
 * from it is dead, and every request fails with what is in `end`. */
typedef struct BridgeWorker {
  pid_t pid;
  int socket, memory;
  int patience; /* seconds without a sign of life, after which it is given up; 0: no limit */
  uint8_t *map;
  size_t map_size;
  /* Signs of life, which it writes: the cell that it is at (-1: none), and the moves of its
   * episode; and the seed of each cell's episode. NULL until the memory is laid out. */
  volatile int32_t *pulse;
  const volatile uint32_t *seed;
  bool dead;
  int32_t stuck; /* once it is dead: the cell that it was at, or -1 */
  char end[256];
  Bytes answer; /* payload of the last answer, ended by a 0 */
} BridgeWorker;

/* NULL: python3 of PATH. */
extern const char *bridge_python;
/* Whether a stop was asked for; NULL: nobody does. */
extern bool (*bridge_stop_asked)(void *context);
extern void *bridge_stop_context;

/* Starts the process (patience and stuck are set, the rest is not); nothing is asked yet. -1 and
 * error->text if it cannot be started. */
int bridge_worker_start(BridgeWorker *worker, AgonError *error);
/* Ends it, also one that never started ({.socket = -1, .memory = -1}). */
void bridge_worker_stop(BridgeWorker *worker);
/* Shares `size` zeroed bytes, which take room as they are written to. */
int bridge_worker_share(BridgeWorker *worker, size_t size, AgonError *error);
/* One request and its answer, in worker->answer. `count` goes with a request without a payload. -1
 * and error->text: what the worker says, or how it ended, or that there was no sign of life for its
 * patience, or for a while after a stop was asked for. */
int bridge_worker_ask(BridgeWorker *worker, uint32_t code, uint32_t count, const void *payload,
                      size_t size, AgonError *error);

/* The head of an episode's block; the moves follow, `width` words each: what was done, or the
 * outcome of a chance move in the first. */
typedef struct BridgePast {
  uint64_t seed;
  uint64_t digest; /* of seed and moves so far */
  uint32_t moves;
  int32_t status; /* AgonStatus after the last of them */
} BridgePast;

/* One live environment, and the past that has led it to where it is. */
typedef struct BridgeCell {
  uint64_t seed, digest, used; /* used: the count of moves when it was last touched */
  uint32_t moves;
  uint32_t next;          /* the cell after it in its bucket, plus 1; 0: none */
  uint32_t newer, older;  /* neighbours in its list, plus 1 */
  bool ended, held, kept; /* held: in a batch that is being made; kept: in a bucket */
} BridgeCell;

/* Cells in the order of their last use. */
typedef struct BridgeList {
  uint32_t newest, oldest; /* plus 1 */
} BridgeList;

/* What the worker writes, an entry a cell. */
typedef struct BridgeMemory {
  int32_t *cell, *words; /* the request: (batch), (batch, width) */
  int32_t *status;
  float *reward;         /* (cells, agents) of the last move */
  double *total;         /* (cells, agents) since the episode began */
  uint8_t *flags, *have; /* (cells, agents); have: what the agent sees is written */
  int32_t *chances;      /* outcomes of the pending chance move, with the next */
  double *chance;        /* (cells, spec.chance) */
  float *state;          /* (cells, global_state_size) */
  uint8_t *rows, *masks; /* (cells, row_bytes), (cells, mask_bytes) */
  int32_t *pulse;        /* (2) */
  uint32_t *seed;        /* (cells) as the environment was given it */
} BridgeMemory;

/* A configured environment. */
typedef struct Bridge {
  BridgeWorker worker;
  BridgeMemory memory;
  AgonEnvSpec spec;
  bool turns;  /* never do two act at once: a move is the acting agent's row alone */
  bool seeded; /* the seed decides something */
  bool exact;  /* an episode can be rebuilt from its past */
  bool masked;
  uint32_t heads, width, rows; /* rows: most moves of an episode */
  size_t row_bytes, mask_bytes;
  size_t *row_at, *mask_at; /* (agents) where an agent's begins in its cell's */
  size_t *row_size, *mask_size;
  uint32_t cells, batch, live; /* most there may be, most in one request, live ones */
  BridgeCell *cell;
  BridgeList running, ended;
  uint32_t buckets; /* a power of two */
  uint32_t *bucket; /* cell plus 1; 0: empty */
  uint64_t clock;   /* moves made */
  int32_t root;     /* the status in which every episode begins */
  Bytes begun;      /* episodes to be begun: cell and seed of each */
  AgonError why;    /* of the last environment that could not be rebuilt */
  AgonError fault;  /* of the last that could not begin */
  /* what the spec points to */
  json_t *said; /* the worker's description, whose texts names are */
  AgonKind *kind;
  uint8_t *team_of, *kind_of;
  uint32_t *choices;
  float *values;
  const char **agent_name, **observation_name;
  const char ***action_name; /* (heads) of one kind; NULL: none */
  size_t observation_names;
  double *team; /* (teams) room for returns */
  uint32_t *size;
} Bridge;

static inline int32_t *bridge_moves(const BridgePast *past) {
  return (int32_t *)(uintptr_t)(past + 1);
}

/* Room for cells and their index; the memory is there. */
int bridge_cells_create(Bridge *bridge, AgonError *error);
void bridge_cells_destroy(Bridge *bridge);
/* The cell that is where this past leads, rebuilt if there is none; bridge->cells, and bridge->why,
 * if it cannot be. */
uint32_t bridge_cells_find(Bridge *bridge, const BridgePast *past);
/* Begins an episode of this seed. */
AgonStatus bridge_cells_begin(Bridge *bridge, BridgePast *past, uint64_t seed, AgonError *error);
/* Takes the cell of this past for a move: it is found by nobody until bridge_cells_moved, which
 * notes where it has come to. */
uint32_t bridge_cells_take(Bridge *bridge, const BridgePast *past);
void bridge_cells_moved(Bridge *bridge, uint32_t index, const BridgePast *past);
/* Adds a move to a past; its status is the caller's to set. */
void bridge_past_add(const Bridge *bridge, BridgePast *past, const int32_t *words);

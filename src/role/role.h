/* What actors, learners and the league have in common: the pace of the job, and what each role of a
 * rank is given to live on. A role's own setup says only what is its own. */
#pragma once
#include "base/clock.h"
#include "data/batch.h"
#include "nn/net.h"
#include "transport/transport.h"

/* How far roles wait for each other. A tick is a fixed number of env steps of every slot. */
typedef enum Pace {
  PACE_LOCKSTEP,  /* actors play a tick by the weights that all ticks before it have led to */
  PACE_PIPELINED, /* actors play one tick while the one before is being learned */
  PACE_FREE       /* nobody waits for anybody: as it comes */
} Pace;
#define PACE_NAMES "lockstep|pipelined|free"

/* How many ticks the actors play ahead of the learners, in the deterministic paces. */
static inline uint64_t pace_lag(Pace pace) {
  return pace == PACE_PIPELINED ? 1 : 0;
}

/* The same for all roles of a rank, and but for the transport for all ranks of a job; all pointers
 * are borrowed, and outlive the roles. */
typedef struct RoleContext {
  Pace pace;
  uint64_t seed; /* of the run */
  Transport *transport;
  Clock clock;
  const Net *net;
  RowFormat format;        /* of experience */
  size_t learning_players; /* ids 0 .. learning_players - 1 */
  int league_rank;
  const int64_t *idle; /* nanoseconds that this rank has waited with nothing to do; may be NULL */
} RoleContext;

/* The roles of one rank and the delivery of its messages. */
#pragma once
#include "job/config.h"
#include "job/sources.h"
#include "job/topology.h"

typedef struct Rank Rank;

typedef struct RankSetup {
  const JobConfig *settings;
  const Topology *topology;
  const Sources *sources; /* whom its players learn from; NULL: nobody */
  Transport *transport;
  Clock clock;
  /* rank 0 only: */
  RunFolder *run;
  Tree *resume;
  uint64_t generation;
  const Tree *header;
  /* The first snapshots hold this policy instead of initial weights; may be NULL. */
  const float *target;
} RankSetup;

/* Collective where several learner ranks share players (they then share memory within hosts). */
Status rank_create(const RankSetup *setup, Rank **out);
void rank_destroy(Rank *rank);
/* Delivers what has arrived and steps each role once. */
Status rank_step(Rank *rank, bool *progress);
void rank_idle(Rank *rank,
               int64_t nanoseconds); /* the caller waited, as no role had anything to do */
bool rank_done(const Rank *rank);
Manager *rank_manager(Rank *rank); /* rank 0, else NULL */
/* Columns that describe a run and its network: configuration, layers, versions. The tree is the
 * caller's. */
Status rank_header(const JobConfig *settings, Tree *out);

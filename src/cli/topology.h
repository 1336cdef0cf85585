/* Which rank does what: a pure function of placement, learner ranks and job size. */
#pragma once
#include "base/status.h"

#include <stdbool.h>

typedef struct Topology {
  int size;
  bool shared;
  int *actor_rank;   /* (actors), owned */
  int *learner_rank; /* (learners), owned */
  size_t actors, learners;
} Topology;

/* placement: 0 auto, 1 split, 2 shared. The league is on rank 0. ERR_USAGE when the job is too small for what is asked.
 */
Status topology_plan(int placement, size_t learners, int size, Topology *out);
void topology_free(Topology *topology);
/* Index of the rank among actors (learners), or -1. */
int topology_actor(const Topology *topology, int rank);
int topology_learner(const Topology *topology, int rank);

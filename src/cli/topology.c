#include "cli/topology.h"

#include <stdlib.h>

Status topology_plan(int placement, size_t learners, int size, Topology *out) {
  *out = (Topology){.size = size, .shared = size == 1 || placement == 2, .learners = learners};
  if ((size_t)size < learners || (!out->shared && (size_t)size < learners + 1))
    return status_set(
        ERR_USAGE,
        "learner.ranks is %zu, but the job has %d rank%s: start more ranks, or set placement=shared or learner.ranks=1",
        learners, size, size == 1 ? "" : "s");
  size_t first = out->shared ? 0 : learners;
  out->actors = (size_t)size - first;
  TRY_RETURN(NEW_ARRAY(out->actor_rank, out->actors));
  TRY_RETURN(NEW_ARRAY(out->learner_rank, learners));
  for (size_t a = 0; a < out->actors; a++) out->actor_rank[a] = (int)(first + a);
  for (size_t l = 0; l < learners; l++) out->learner_rank[l] = (int)l;
  return OK;
}

void topology_free(Topology *topology) {
  free(topology->actor_rank);
  free(topology->learner_rank);
  *topology = (Topology){0};
}

int topology_actor(const Topology *topology, int rank) {
  int index = topology->shared ? rank : rank - (int)topology->learners;
  return index >= 0 && index < (int)topology->actors ? index : -1;
}

int topology_learner(const Topology *topology, int rank) { return rank < (int)topology->learners ? rank : -1; }

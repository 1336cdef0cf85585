#include "job/topology.h"

#include <stdlib.h>

/* Arithmetic of one minibatch that makes another learner rank worth its part in the sums: a few
 * tenths of a millisecond. */
static const double least_flops = 2e7;

/* Every rank acts and learns while a minibatch keeps all of them busy: nothing idles, and
 * experience stays where it was made. In larger jobs there are as many learners as that allows, or
 * as their share of the arithmetic asks for, whichever is fewer. */
static void choose(int placement, size_t *learners, const TopologyLoad *load, int size,
                   bool *shared) {
  size_t most = (size_t)(load->minibatch_flops / least_flops);
  size_t all = (size_t)size;
  double share = load->learn_flops / (load->learn_flops + load->act_flops);
  if (most == 0) most = 1;
  *shared = size == 1 || placement == 2 ||
            (placement == 0 && (*learners ? *learners == all : all <= most));
  if (*learners) return;
  *learners = *shared ? all : (size_t)((double)all * share + 0.5);
  if (*learners > most) *learners = most;
  if (!*shared && *learners >= all) *learners = all - 1;
  if (*learners == 0) *learners = 1;
}

/* Learners are the first ranks, actors the last, or all. */
Status topology_plan(int placement, size_t learners, size_t groups, const TopologyLoad *load,
                     int size, Topology *out) {
  *out = (Topology){.size = size};
  choose(placement, &learners, load, size, &out->shared);
  if (groups == 0) groups = 1;
  out->learners = learners;
  out->groups = groups;
  out->members = learners / groups;
  if (groups > learners || learners % groups)
    return status_set(ERR_USAGE,
                      "learner.groups (%zu) must divide the number of learner ranks (%zu)", groups,
                      learners);
  if ((size_t)size < learners || (!out->shared && (size_t)size < learners + 1))
    return status_set(ERR_USAGE,
                      "learner.ranks is %zu, but the job has %d rank%s: start more ranks, or set "
                      "placement=shared or learner.ranks=0",
                      learners, size, size == 1 ? "" : "s");
  size_t first = out->shared ? 0 : learners;
  out->actors = (size_t)size - first;
  TRY_RETURN(NEW_ARRAY(out->actor_rank, out->actors));
  TRY_RETURN(NEW_ARRAY(out->learner_rank, learners));
  for (size_t a = 0; a < out->actors; a++)
    out->actor_rank[a] = (int)(first + a);
  for (size_t l = 0; l < learners; l++)
    out->learner_rank[l] = (int)l;
  return OK;
}

/* The struct is then empty. */
void topology_free(Topology *topology) {
  free(topology->actor_rank);
  free(topology->learner_rank);
  *topology = (Topology){0};
}

/* Where ranks only do one of both, actors come behind the learners. */
int topology_actor(const Topology *topology, int rank) {
  int index = topology->shared ? rank : rank - (int)topology->learners;
  return index >= 0 && index < (int)topology->actors ? index : -1;
}

/* Learners are the first ranks, in order. */
int topology_learner(const Topology *topology, int rank) {
  return rank < (int)topology->learners ? rank : -1;
}

/* In contiguous blocks, as even as can be. */
size_t topology_fed_member(const Topology *topology, size_t actor) {
  return actor * topology->members / topology->actors;
}

/* Looks for the block by asking each actor: once, at the start. */
void topology_feeders(const Topology *topology, size_t member, size_t *first, size_t *count) {
  size_t from = 0;
  while (from < topology->actors && topology_fed_member(topology, from) < member)
    from++;
  size_t to = from;
  while (to < topology->actors && topology_fed_member(topology, to) == member)
    to++;
  *first = from;
  *count = to - from;
}

/* Each sender splits the range below it into contiguous parts, headed by their first: ranks of one
 * host mostly stand side by side, so that most of the tree's edges stay within hosts. The loop goes
 * down from the source to the range of `place`. */
size_t topology_below(const int *actor_rank, size_t count, long place, int *rank) {
  size_t from = 0;
  size_t to = count;
  size_t below = 0;
  for (bool found = place < 0;;) {
    size_t next_from = from;
    size_t next_to = from;
    for (size_t i = 0; i < TREE_FAN_OUT; i++) {
      size_t head = from + (to - from) * i / TREE_FAN_OUT;
      size_t end = from + (to - from) * (i + 1) / TREE_FAN_OUT;
      if (head == end) continue;
      if (found)
        rank[below++] = actor_rank[head];
      else if ((size_t)place >= head && (size_t)place < end) {
        next_from = head;
        next_to = end;
      }
    }
    if (found || next_from == next_to) return below;
    found = (size_t)place == next_from;
    from = next_from + 1;
    to = next_to;
  }
}

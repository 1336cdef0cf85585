/* Which rank does what: a pure function of placement, learner ranks and job size.
 *
 * Learners form `groups` of `members` each: players are dealt out to groups, the members of a group
 * share each of its players (data-parallel). Learner l is member l / groups of group l % groups.
 * Actors feed one member of each group, in contiguous blocks; where every rank acts and learns, an
 * actor feeds the learner of its own rank. Weights and tables go down trees of actors, so that no
 * sender's work grows with the number of ranks. */
#pragma once
#include "base/status.h"

#include <stdbool.h>

enum { TREE_FAN_OUT = 4 };

/* Which ranks act and which learn. */
typedef struct Topology {
  int size;
  bool shared;
  int *actor_rank;   /* (actors), owned */
  int *learner_rank; /* (learners), owned */
  size_t actors;
  size_t learners;
  size_t groups;
  size_t members;
} Topology;

/* The arithmetic of the job, in FLOP, by which numbers of ranks are chosen where nobody says
 * them. */
typedef struct TopologyLoad {
  double act_flops;       /* per learned frame */
  double learn_flops;     /* per learned frame */
  double minibatch_flops; /* forward and backward, over all learners */
} TopologyLoad;

/* placement: 0 auto, 1 split, 2 shared; learners, groups: 0 for auto. The league is on rank 0. *out
 * is the caller's (topology_free), on failure too. ERR_USAGE when the job is too small for what is
 * asked, ERR_MEMORY. */
Status topology_plan(int placement, size_t learners, size_t groups, const TopologyLoad *load,
                     int size, Topology *out);
void topology_free(Topology *topology);
/* Index of the rank among actors (learners), or -1. */
int topology_actor(const Topology *topology, int rank);
int topology_learner(const Topology *topology, int rank);
/* The member (of every group) that the actor feeds; and the actors first .. first+count-1 that feed
 * a member. */
size_t topology_fed_member(const Topology *topology, size_t actor);
void topology_feeders(const Topology *topology, size_t member, size_t *first, size_t *count);
/* Ranks below a place of a tree over `count` actors: of its source (place -1), or of the actor at
 * `place`. Returns how many of rank[TREE_FAN_OUT]. */
size_t topology_below(const int *actor_rank, size_t count, long place, int *rank);

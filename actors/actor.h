/* The actor role: weights in, experience out. A state machine: a step is one env step of all its
 * slots. */
#pragma once
#include "actors/options.h"
#include "env/stages.h"
#include "play/rewards.h"
#include "role/role.h"
#include "wire/wire.h"

/* Lists are borrowed. */
typedef struct ActorSetup {
  RoleContext role;
  ActorConfig config;
  RewardsConfig rewards;
  int64_t max_lag; /* pace free: ticks that may wait at the learners */
  const Env *env;
  const Stages *stages; /* of the curriculum, borrowed; may be NULL */
  size_t index;         /* this actor among all */
  size_t actors;
  const int *fed_rank; /* (groups) the learner of each group that gets this actor's experience: of
                          players p with p % groups == group */
  size_t groups;
  const int *weights_below; /* (weights_belows) ranks to which weights are passed on, and ... */
  size_t weights_belows;
  const int *tables_below; /* (tables_belows) ... tables */
  size_t tables_belows;
} ActorSetup;

typedef struct Actor Actor;
/* On failure nothing is left; what `setup` borrows must outlive the actor. */
Status actor_create(const ActorSetup *setup, Actor **out);
void actor_destroy(Actor *actor);
/* Takes one message of the kinds that go to actors, and passes weights and tables on to the actors
 * below this one. */
Status actor_receive(Actor *actor, WireKind kind, Message *message, Reader *body);
/* One env step of all slots, or, where a table or weights are missing, nothing; *progress: it did
 * something. */
Status actor_step(Actor *actor, bool *progress);
bool actor_done(const Actor *actor);

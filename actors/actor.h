/* The actor role: weights in, experience out. A state machine: step does one env step of all its slots, or a message.
 */
#pragma once
#include "actors/options.h"
#include "base/clock.h"
#include "env/env.h"
#include "nn/net.h"
#include "role/role.h"
#include "wire/wire.h"

typedef struct ActorSetup {
  ActorConfig config;
  Pace pace;
  int64_t max_lag; /* pace free: ticks that may wait at the learners */
  const Env *env;
  const Net *net;
  RowFormat format; /* of the experience that it records */
  uint64_t seed;
  Transport *transport;
  Clock clock;
  size_t index, actors; /* this actor among all */
  const int *fed_rank;  /* (groups) the learner of each group that gets this actor's experience: of players p with
                           p % groups == group */
  size_t groups;
  const int *weights_below, *tables_below; /* ranks to which weights and tables are passed on */
  size_t weights_belows, tables_belows;
  int league_rank;
  const int64_t *idle;     /* nanoseconds that this rank has waited with nothing to do; may be NULL */
  size_t learning_players; /* ids 0 .. learning_players-1 */
} ActorSetup;

typedef struct Actor Actor;
size_t actor_lane_slots(const ActorConfig *config); /* games that a lane plays at a time */
Status actor_create(const ActorSetup *setup, Actor **out);
void actor_destroy(Actor *actor);
/* Takes one message of the kinds that go to actors, and passes weights and tables on to the actors below this one. */
Status actor_receive(Actor *actor, WireKind kind, Message *message, Reader *body);
Status actor_step(Actor *actor, bool *progress);
bool actor_done(const Actor *actor);
uint64_t actor_tick(const Actor *actor);

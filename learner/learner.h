/* The learner role: experience in, weights out. Owns the learning players that are dealt to it and updates them one
 * after another; a step is one minibatch. */
#pragma once
#include "base/clock.h"
#include "learner/algos/algo.h"
#include "transport/transport.h"
#include "wire/wire.h"

typedef struct LearnerSetup {
  LearnConfig config;
  const AlgoOps *algo;
  const void *algo_config;
  int pace; /* lockstep, pipelined, free: 0, 1, 2 */
  const Net *net;
  RowFormat format;
  uint64_t seed;
  Transport *transport;
  Clock clock;
  size_t index, learners; /* this learner among all: it owns players p with p % learners == index */
  const int *actor_rank;  /* (actors) */
  size_t actors;
  int league_rank;
  size_t learning_players;
} LearnerSetup;

typedef struct Learner Learner;
Status learner_create(const LearnerSetup *setup, Learner **out);
void learner_destroy(Learner *learner);
/* May keep the message (it retains it); `body` stands behind the envelope. */
Status learner_receive(Learner *learner, WireKind kind, Message *message, Reader *body);
Status learner_step(Learner *learner, bool *progress);
bool learner_done(const Learner *learner);

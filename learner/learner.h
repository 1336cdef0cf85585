/* The learner role: experience in, weights out. Updates the learning players of its group one after another, together
 * with the group's other members; a step is at most one minibatch. */
#pragma once
#include "base/clock.h"
#include "learner/algos/algo.h"
#include "store/store.h"
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
  size_t index;           /* among all learners */
  size_t group, groups;   /* it learns the players p with p % groups == group */
  size_t member, members; /* of the group; members share every one of its players */
  const int *member_rank; /* (members) */
  void *const *shared;    /* memory that ranks of one host share, learner_shared_bytes for each learner; or NULL */
  size_t first_actor;     /* that feeds this learner, by index */
  const int *actor_rank;  /* (actors) those that feed it */
  size_t actors;
  const int *below; /* (belows) where its weights go first; those ranks pass them on */
  size_t belows;
  const int64_t *idle; /* nanoseconds that this rank has waited with nothing to do; may be NULL */
  int league_rank;
  size_t learning_players;
  const double *life; /* (learning_players) frames of a life, 0 = never reset; NULL: nobody is */
} LearnerSetup;

typedef struct Learner Learner;
/* What a learner wants of start_shared; members: of its group. */
size_t learner_shared_bytes(const Net *net, size_t members);
Status learner_create(const LearnerSetup *setup, Learner **out);
void learner_destroy(Learner *learner);
/* May keep the message (it retains it); `body` stands behind the envelope. */
Status learner_receive(Learner *learner, WireKind kind, Message *message, Reader *body);
Status learner_step(Learner *learner, bool *progress);
/* What a snapshot of a player learned here would be, now; NULL for others. Borrowed. */
const float *learner_policy(const Learner *learner, uint32_t player);
/* ERR_FORMAT unless a learner can go on from this state of a player, the columns of its WIRE_LEARNER_STATE. */
Status learner_check_state(const Net *net, const Tree *state);
double learner_front_seconds(const Learner *learner); /* decoding, dropping, publishing so far */
bool learner_done(const Learner *learner);

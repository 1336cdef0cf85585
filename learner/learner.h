/* The learner role: experience in, weights out. Updates the learning players of its group one after
 * another, together with the group's other members; a step is at most one minibatch. */
#pragma once
#include "learner/rehearsal.h"
#include "learner/train/state.h"
#include "role/role.h"
#include "store/store.h"
#include "wire/wire.h"

/* Lists are borrowed. */
typedef struct LearnerSetup {
  RoleContext role;
  LearnConfig config;
  const Algo *algo;
  size_t index; /* among all learners */
  size_t group; /* it learns the players p with p % groups == group */
  size_t groups;
  size_t member; /* of the group; members share every one of its players */
  size_t members;
  const int *member_rank;  /* (members) */
  const int *learner_rank; /* (groups * members) of all learners, by index */
  void *const *shared;     /* memory that ranks of one host share, learner_shared_bytes for each
                              learner; or NULL */
  size_t first_actor;      /* that feeds this learner, by index */
  const int *actor_rank;   /* (actors) those that feed it */
  size_t actors;
  const int *below; /* (belows) where its weights go first; those ranks pass them on */
  size_t belows;
  double shaping;     /* weight of the env's potential, of which the format then has a column */
  const double *life; /* (learning_players) frames of a life, 0 = never reset; NULL: nobody is */
  const LearnConfig *own;         /* (learning_players) of each; NULL: `config` for all */
  const Teacher *const *teacher;  /* (learning_players) NULL: none; NULL: nobody has one */
  const Inheritance *inheritance; /* NULL: lives begin at random */
  const ReplayConfig *replay;     /* NULL: experience is learned from once, and not kept */
  size_t slots;                   /* of the job; read if experience is kept, with what follows */
  size_t training;                /* slots that are learned from */
  size_t seats;                   /* of a slot that one player ever takes */
  size_t teams;                   /* of the env */
  const uint8_t *team_of;         /* (agents) */
} LearnerSetup;

typedef struct Learner Learner;
/* What a learner wants of start_shared. members: of its group; counts: rehearsal_count where
 * experience is kept, else 0. */
size_t learner_shared_bytes(const Algo *algo, size_t members, size_t counts);
Status learner_create(const LearnerSetup *setup, Learner **out);
void learner_destroy(Learner *learner);
/* May keep the message (it retains it); `body` stands behind the envelope. */
Status learner_receive(Learner *learner, WireKind kind, Message *message, Reader *body);
Status learner_step(Learner *learner, bool *progress);
/* What a snapshot of a player learned here would be, now; NULL for others. Borrowed. */
const float *learner_policy(const Learner *learner, uint32_t player);
double learner_front_seconds(const Learner *learner); /* decoding, dropping, publishing so far */
bool learner_done(const Learner *learner);

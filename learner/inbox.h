/* What has come in for a learner and waits to be used: experience and ends of ticks from the actors
 * that feed it, directives from the league. Each sender's messages are held to what is due from it;
 * experience is handed out in the order of actors, whatever the order of arrival. */
#pragma once
#include "role/role.h"
#include "wire/wire.h"

typedef struct LearnerInboxSetup {
  Pace pace;
  size_t first_actor;    /* that feeds this learner, by index */
  const int *actor_rank; /* (actors) those that feed it; borrowed */
  size_t actors;
  size_t group; /* it learns the players p with p % groups == group */
  size_t groups;
  size_t learning_players;
  size_t block; /* floats of a policy */
} LearnerInboxSetup;

typedef struct LearnerInbox LearnerInbox;
Status learner_inbox_create(const LearnerInboxSetup *setup, LearnerInbox **out);
void learner_inbox_destroy(LearnerInbox *inbox);
/* The job begins: `tick` is the first that every actor will play. */
void learner_inbox_begin(LearnerInbox *inbox, uint64_t tick);

/* --- taking in --- */
/* ERR_FORMAT for what is not due from its sender, who or which then is named. Messages that are
 * kept are retained. */
Status learner_inbox_take_unrolls(LearnerInbox *inbox, Message *message, Reader *body);
Status learner_inbox_take_tick_end(LearnerInbox *inbox, const Message *message, Reader *body);
/* tick: the one that is being learned or comes next; in the deterministic paces each tick has a
 * directive of its own. */
Status learner_inbox_take_directive(LearnerInbox *inbox, uint64_t tick, Message *message,
                                    Reader *body);

/* --- experience --- */
/* Whether all experience of a tick is here; pace free: as much as a tick has, or what remains
 * before a cut that an actor has marked. */
bool learner_inbox_is_ready(const LearnerInbox *inbox, uint64_t tick);
bool learner_inbox_sees_cut(const LearnerInbox *inbox); /* some actor has marked the next cut */
/* Every actor has marked the next cut, and all before its mark is being learned. */
bool learner_inbox_all_marked(const LearnerInbox *inbox);
void learner_inbox_cut_done(LearnerInbox *inbox); /* the next mark is of the next cut */
/* What is here is learned from now on: what comes after this is of the next update. */
void learner_inbox_close_tick(LearnerInbox *inbox);
/* Hands out the experience of a player in this tick (pace free: all that is here) and lets go of
 * it. On failure what has not been handed out stays. */
typedef Status TakeUnrolls(void *context, const WireUnrolls *unrolls);
Status learner_inbox_hand_out(LearnerInbox *inbox, uint32_t player, uint64_t tick,
                              TakeUnrolls *take, void *context);
/* Frames acted by these actors, of all players, in the ticks that are now learned from; each is
 * told once. */
uint64_t learner_inbox_acted(LearnerInbox *inbox, uint64_t tick);
/* Pace free: ticks of an actor that have been taken for learning. */
uint64_t learner_inbox_credit(const LearnerInbox *inbox, size_t actor);

/* --- directives --- */
bool learner_inbox_has_directive(const LearnerInbox *inbox);
/* The next directive, which there is; its policies are borrowed until it is dropped. */
Status learner_inbox_directive(const LearnerInbox *inbox, Directive *out);
/* In the deterministic paces: ERR_FORMAT if it says another thing of its tick's cut than the
 * actors. */
Status learner_inbox_check_cut(const LearnerInbox *inbox, const Directive *directive);
void learner_inbox_drop_directive(LearnerInbox *inbox);

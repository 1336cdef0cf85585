/* Who is in the job: which rank is which actor and which learner, which lanes an actor has, and
 * how far each of them has come with what it owes the league. Whatever a member says is held here
 * against who may say it, and against what it has said before. */
#pragma once
#include "league/league.h"
#include "wire/wire.h"

typedef struct MembersSetup {
  const int *actor_rank; /* (actors); this and the other lists are borrowed */
  size_t actors;
  const int *below; /* (belows) actors that get tables from here; the others get them from those */
  size_t belows;
  const int *learner_rank; /* (learners) */
  size_t learners;
  size_t groups;       /* learner l learns the players p with p % groups == l % groups */
  size_t lanes;        /* of the job; dealt out to the actors */
  size_t opponents;    /* in a game of training: one for each other team */
  uint64_t lane_steps; /* env steps that a lane can make in a tick */
  uint64_t lane_rows;  /* decisions that can be learned from, and others, in a lane's tick */
  /* Seats of a lane's slots, whose experience learners keep; 0: they keep none. */
  size_t lane_seats;
  const size_t *fed; /* (actors) which member of each group an actor feeds */
} MembersSetup;

typedef struct Members Members;
/* tick: the first whose results the league waits for. */
Status members_create(const MembersSetup *setup, Transport *transport, uint64_t tick,
                      Members **out);
void members_destroy(Members *members);
size_t members_actors(const Members *members);

/* --- telling them --- */
/* Each sends what has been begun and encoded in *wire, and empties it. */
Status members_tell_actors(const Members *members, WireOut *wire);
Status members_tell_learners(const Members *members, WireOut *wire);
Status members_pass_table(const Members *members, WireOut *wire); /* down the tree of actors */
/* Gives a lane of a checkpoint to whichever actor has it now. Lanes of a run that had more than
 * this job are spread over the actors: they are surplus, and play until their episodes have ended.
 */
Status members_restore_lane(Members *members, const WireLane *lane);
/* Gives the columns of a learning player's state to all learners of its group. */
Status members_restore_player(Members *members, uint32_t player, const Tree *state);
/* Gives a piece of kept experience to the learner whose actors have its seat now, or, if it is the
 * last, to all of the group. A seat that this job does not have is let go of. */
Status members_restore_replay(Members *members, const WireReplay *piece);
/* Learners that share each player; 0: they keep no experience. */
size_t members_keepers(const Members *members);

/* --- hearing them --- */
/* ERR_FORMAT unless the actor that a message names is on the rank that sent it. */
Status members_check_actor(const Members *members, const Message *message, uint32_t actor);
size_t members_lane_actor(const Members *members, uint32_t lane); /* who has it */
/* The rank that speaks for a learning player: its group's first learner. */
int members_player_rank(const Members *members, uint32_t player);

/* Which member of the player's group sent a message. ERR_FORMAT if none did. */
Status members_find_keeper(const Members *members, const Message *message, uint32_t player,
                           size_t *out);

/* Takes note of an actor's results. ERR_FORMAT unless they are of the actor's next tick, of
 * players that there are, add up, and are no more than its lanes can have played. */
Status members_take_results(Members *members, const League *league, const Message *message,
                            const Results *results);
/* ERR_FORMAT unless what an actor has counted of its own is what its results have said. */
Status members_check_counts(const Members *members, const WireActorState *counts);

/* Takes a BYE; ending: whether the job is about to end, so that members may go. */
Status members_take_bye(Members *members, const Message *message, Reader *body, bool ending);
bool members_gone(const Members *members);                                  /* all of them */
const RoleProfile *members_profiles(const Members *members, size_t *count); /* borrowed */

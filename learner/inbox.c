#include "learner/inbox.h"

#include <stdlib.h>
#include <string.h>

enum {
  AHEAD = 4, /* ticks that an actor may have ended before they are learned from */
  /* That may wait. In pace free an update learns from several ticks where learners are slow, and
   * one directive is obeyed after each, but every round of results may bring one with orders. */
  DIRECTIVES = 256
};

/* A message of unrolls, kept until its tick is learned. */
typedef struct Parcel {
  Message *message;
  WireUnrolls unrolls; /* leads into the message */
} Parcel;

/* What the actors' tables said of a tick. */
typedef struct TickFlags {
  uint64_t tick; /* plus 1; 0: nothing yet */
  uint32_t flags;
} TickFlags;

/* One actor, as its learner knows it. */
typedef struct Feeder {
  uint64_t ended;        /* ticks whose end it has announced */
  uint64_t taken;        /* of them, those that have been taken for learning */
  uint64_t marked;       /* cuts that it has marked in this job */
  uint64_t acted[AHEAD]; /* by tick: frames of all players, not yet told; pace free: any ticks */
} Feeder;

struct LearnerInbox {
  LearnerInboxSetup setup;
  Feeder *feeder; /* (actors) */
  uint64_t *came; /* (learning_players, actors) 1 + tick of the last experience */
  Parcel *parcel;
  size_t parcels;
  size_t parcel_room;
  TickFlags flags[AHEAD]; /* by tick */
  uint64_t cuts;          /* that have been made in this job */
  Message *directive[DIRECTIVES];
  size_t directives;
  uint64_t directives_taken; /* in this job */
};

/* On failure nothing is left. */
Status learner_inbox_create(const LearnerInboxSetup *setup, LearnerInbox **out) {
  Status status = OK;
  LearnerInbox *inbox = NULL;
  TRY(NEW_ARRAY(inbox, 1));
  inbox->setup = *setup;
  TRY(NEW_ARRAY(inbox->feeder, setup->actors));
  TRY(NEW_ARRAY(inbox->came, setup->learning_players * setup->actors));
  *out = inbox;
  inbox = NULL;
done:
  learner_inbox_destroy(inbox);
  return status;
}

void learner_inbox_destroy(LearnerInbox *inbox) {
  if (!inbox) return;
  for (size_t i = 0; i < inbox->parcels; i++) {
    message_release(inbox->parcel[i].message);
  }
  for (size_t i = 0; i < inbox->directives; i++) {
    message_release(inbox->directive[i]);
  }
  free(inbox->feeder);
  free(inbox->came);
  free(inbox->parcel);
  free(inbox);
}

/* The tick that the job begins with: the first of which anything may come. */
void learner_inbox_begin(LearnerInbox *inbox, uint64_t tick) {
  for (size_t a = 0; a < inbox->setup.actors; a++) {
    inbox->feeder[a].ended = tick;
    inbox->feeder[a].taken = tick;
  }
}

/* --- taking in --- */
/* Whether the actor that a message names feeds this learner from the rank that sent it; *out: its
 * place among the feeders. */
static Status find_feeder(const LearnerInbox *inbox, const Message *message, uint32_t actor,
                          size_t *out) {
  const LearnerInboxSetup *setup = &inbox->setup;
  size_t at = (size_t)actor - setup->first_actor;
  if (at >= setup->actors || setup->actor_rank[at] != message->peer)
    return status_set(ERR_FORMAT, "it names actor %u, who is not on that rank", actor);
  *out = at;
  return OK;
}

/* ERR_FORMAT, with both ticks in words. Messages of one sender stay in order, so another tick means
 * that one was lost. */
static Status due_tick(const char *what, uint64_t tick, uint64_t due) {
  if (tick == due) return OK;
  return status_set(ERR_FORMAT, "%s of tick %llu where that of tick %llu is due", what,
                    (unsigned long long)tick, (unsigned long long)due);
}

/* Keeps the message itself (a reference), not a copy: unrolls are decoded straight into the batch
 * when their tick is learned. ERR_FORMAT for experience of a player that is learned elsewhere, out
 * of order, or sent twice. */
Status learner_inbox_take_unrolls(LearnerInbox *inbox, Message *message, Reader *body) {
  const LearnerInboxSetup *setup = &inbox->setup;
  WireUnrolls unrolls;
  size_t actor = 0;
  TRY_RETURN(unrolls_decode(&unrolls, body));
  const uint32_t player = unrolls.player;
  if (player >= setup->learning_players || player % setup->groups != setup->group)
    return status_set(ERR_FORMAT, "experience of a player that is not learned here");
  TRY_RETURN(find_feeder(inbox, message, unrolls.actor, &actor));
  TRY_RETURN(due_tick("experience", unrolls.tick, inbox->feeder[actor].ended));
  uint64_t *came = &inbox->came[player * setup->actors + actor];
  if (*came == unrolls.tick + 1)
    return status_set(ERR_FORMAT, "experience of tick %llu came twice",
                      (unsigned long long)unrolls.tick);
  TRY_RETURN(GROW(inbox->parcel, inbox->parcel_room, inbox->parcels + 1));
  *came = unrolls.tick + 1;
  inbox->parcel[inbox->parcels++] = (Parcel){message_retain(message), unrolls};
  return OK;
}

/* An actor has sent all of a tick. All actors play by the same table, so in the deterministic paces
 * they must agree on whether a checkpoint follows. */
Status learner_inbox_take_tick_end(LearnerInbox *inbox, const Message *message, Reader *body) {
  WireTickEnd end;
  size_t actor = 0;
  TRY_RETURN(tick_end_decode(&end, body));
  TRY_RETURN(find_feeder(inbox, message, end.actor, &actor));
  Feeder *feeder = &inbox->feeder[actor];
  TRY_RETURN(due_tick("the end", end.tick, feeder->ended));
  const uint32_t flags = end.flags & (TABLE_SAVE | TABLE_STOP);
  TickFlags *said = &inbox->flags[end.tick % AHEAD];
  if (inbox->setup.pace != PACE_FREE && said->tick == end.tick + 1 && said->flags != flags)
    return status_set(ERR_FORMAT, "the actors disagree on whether tick %llu is saved",
                      (unsigned long long)end.tick);
  *said = (TickFlags){end.tick + 1, flags};
  feeder->ended = end.tick + 1;
  feeder->acted[end.tick % AHEAD] += end.frames;
  if (flags & TABLE_SAVE) feeder->marked++;
  return OK;
}

Status learner_inbox_take_directive(LearnerInbox *inbox, uint64_t tick, Message *message,
                                    Reader *body) {
  const LearnerInboxSetup *setup = &inbox->setup;
  Directive directive;
  if (inbox->directives == DIRECTIVES) return status_set(ERR_FORMAT, "directives pile up");
  TRY_RETURN(directive_decode(&directive, setup->block, body));
  if (directive.number != inbox->directives_taken++)
    return status_set(ERR_FORMAT, "it is not the directive that comes next");
  if (setup->pace != PACE_FREE)
    TRY_RETURN(due_tick("it is", directive.tick, tick + inbox->directives));
  for (size_t i = 0; i < directive.orders; i++)
    if (directive.order[i].player >= setup->learning_players)
      return status_set(ERR_FORMAT, "an order for player %u, who is not learning",
                        directive.order[i].player);
  inbox->directive[inbox->directives++] = message_retain(message);
  return OK;
}

/* --- experience --- */
bool learner_inbox_sees_cut(const LearnerInbox *inbox) {
  for (size_t a = 0; a < inbox->setup.actors; a++)
    if (inbox->feeder[a].marked > inbox->cuts) return true;
  return false;
}

/* Whether the next update may begin. Deterministic paces: all actors have ended the tick. Pace
 * free: there are as many fresh ticks as actors, from whomever; near a cut one is enough, since
 * actors that stand still at it send no more. */
bool learner_inbox_is_ready(const LearnerInbox *inbox, uint64_t tick) {
  const LearnerInboxSetup *setup = &inbox->setup;
  uint64_t fresh = 0;
  for (size_t a = 0; a < setup->actors; a++) {
    const Feeder *feeder = &inbox->feeder[a];
    if (setup->pace != PACE_FREE && feeder->ended <= tick) return false;
    fresh += feeder->ended - feeder->taken;
  }
  if (setup->pace != PACE_FREE) return true;
  return fresh >= (learner_inbox_sees_cut(inbox) ? 1 : setup->actors);
}

/* Pace free: all actors have passed the cut, and everything they sent before it is learned. An
 * actor's marker comes with the end of its last tick before the cut, as in Chandy and Lamport's
 * snapshots (1985). */
bool learner_inbox_all_marked(const LearnerInbox *inbox) {
  for (size_t a = 0; a < inbox->setup.actors; a++) {
    const Feeder *feeder = &inbox->feeder[a];
    if (feeder->marked <= inbox->cuts || feeder->ended != feeder->taken) return false;
  }
  return true;
}

void learner_inbox_cut_done(LearnerInbox *inbox) {
  inbox->cuts++;
}

/* Ticks, then actors, then players: the batch must not depend on the order of arrival. */
static int by_actor(const void *a, const void *b) {
  const WireUnrolls *x = &((const Parcel *)a)->unrolls;
  const WireUnrolls *y = &((const Parcel *)b)->unrolls;
  if (x->tick != y->tick) return x->tick < y->tick ? -1 : 1;
  if (x->actor != y->actor) return x->actor < y->actor ? -1 : 1;
  return x->player < y->player ? -1 : x->player > y->player;
}

/* Sorts what has come and counts it as taken, which is what actors are credited for. */
void learner_inbox_close_tick(LearnerInbox *inbox) {
  if (inbox->parcels) qsort(inbox->parcel, inbox->parcels, sizeof *inbox->parcel, by_actor);
  for (size_t a = 0; a < inbox->setup.actors; a++) {
    inbox->feeder[a].taken = inbox->feeder[a].ended;
  }
}

Status learner_inbox_hand_out(LearnerInbox *inbox, uint32_t player, uint64_t tick,
                              TakeUnrolls *take, void *context) {
  Status status = OK;
  size_t kept = 0;
  for (size_t i = 0; i < inbox->parcels; i++) {
    Parcel parcel = inbox->parcel[i];
    bool of_tick = inbox->setup.pace == PACE_FREE || parcel.unrolls.tick == tick;
    if (status == OK && of_tick && parcel.unrolls.player == player) {
      status = take(context, &parcel.unrolls);
      if (status == OK) {
        message_release(parcel.message);
        continue;
      }
    }
    inbox->parcel[kept++] = parcel;
  }
  inbox->parcels = kept;
  return status;
}

/* Frames acted that have not been asked for yet: of this tick, or, in pace free, of all that have
 * come. */
uint64_t learner_inbox_acted(LearnerInbox *inbox, uint64_t tick) {
  uint64_t sum = 0;
  for (size_t a = 0; a < inbox->setup.actors; a++)
    for (size_t t = 0; t < AHEAD; t++) {
      if (inbox->setup.pace != PACE_FREE && t != tick % AHEAD) continue;
      sum += inbox->feeder[a].acted[t];
      inbox->feeder[a].acted[t] = 0;
    }
  return sum;
}

/* How many ticks of the actor have been taken. */
uint64_t learner_inbox_credit(const LearnerInbox *inbox, size_t actor) {
  return inbox->feeder[actor].taken;
}

/* --- directives --- */
bool learner_inbox_has_directive(const LearnerInbox *inbox) {
  return inbox->directives > 0;
}

/* Decodes the oldest; blocks in *out point into its message, and live until
 * learner_inbox_drop_directive. */
Status learner_inbox_directive(const LearnerInbox *inbox, Directive *out) {
  WireKind kind;
  Reader body;
  TRY_RETURN(wire_open(inbox->directive[0], &kind, &body));
  return directive_decode(out, inbox->setup.block, &body);
}

/* The league orders the cut of learners and actors by different messages: ERR_FORMAT if they do not
 * say the same. */
Status learner_inbox_check_cut(const LearnerInbox *inbox, const Directive *directive) {
  const TickFlags *said = &inbox->flags[directive->tick % AHEAD];
  if (inbox->setup.pace == PACE_FREE || said->tick != directive->tick + 1) return OK;
  if (said->flags == directive->flags) return OK;
  return status_set(ERR_FORMAT, "league and actors disagree on whether tick %llu is saved",
                    (unsigned long long)directive->tick);
}

/* The oldest has been obeyed. */
void learner_inbox_drop_directive(LearnerInbox *inbox) {
  message_release(inbox->directive[0]);
  inbox->directives--;
  memmove(inbox->directive, inbox->directive + 1, inbox->directives * sizeof *inbox->directive);
}

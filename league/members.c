#include "league/members.h"

#include <stdlib.h>
#include <string.h>

/* What an actor's results add up to in this job. */
typedef struct Said {
  uint64_t acted; /* decisions to learn from */
  uint64_t episodes;
  uint64_t steps;
} Said;

/* One actor, as the league knows it. */
typedef struct ActorMember {
  uint64_t tick;  /* whose results come next */
  size_t surplus; /* lanes of a larger run that it was given */
  Said said;
} ActorMember;

struct Members {
  MembersSetup setup;
  Transport *transport; /* borrowed */
  ActorMember *actor;   /* (actors) */
  RoleProfile *profile; /* of those who have gone */
  size_t profiles;
  size_t profile_room;
  WireOut wire;
};

Status members_create(const MembersSetup *setup, Transport *transport, uint64_t tick,
                      Members **out) {
  Status status = OK;
  Members *members = NULL;
  TRY(NEW_ARRAY(members, 1));
  members->setup = *setup;
  members->transport = transport;
  TRY(NEW_ARRAY(members->actor, setup->actors));
  for (size_t a = 0; a < setup->actors; a++)
    members->actor[a].tick = tick;
  *out = members;
  members = NULL;
done:
  members_destroy(members);
  return status;
}

void members_destroy(Members *members) {
  if (!members) return;
  bytes_free(&members->wire.bytes);
  free(members->actor);
  free(members->profile);
  free(members);
}

size_t members_actors(const Members *members) {
  return members->setup.actors;
}

/* --- telling them --- */
Status members_tell_actors(const Members *members, WireOut *wire) {
  const MembersSetup *setup = &members->setup;
  return wire_send_many(members->transport, setup->actor_rank, setup->actors, wire);
}

Status members_tell_learners(const Members *members, WireOut *wire) {
  const MembersSetup *setup = &members->setup;
  return wire_send_many(members->transport, setup->learner_rank, setup->learners, wire);
}

/* Only to the actors at the top of the tree; each passes it on to those below. */
Status members_pass_table(const Members *members, WireOut *wire) {
  return wire_send_many(members->transport, members->setup.below, members->setup.belows, wire);
}

/* The first of an actor's own lanes; they end where those of the next actor begin. */
static size_t first_lane(const MembersSetup *setup, size_t actor) {
  return setup->lanes * actor / setup->actors;
}

/* A lane beyond those of the configuration, from a checkpoint of a larger job, goes to any actor,
 * to end its games. */
size_t members_lane_actor(const Members *members, uint32_t lane) {
  const MembersSetup *setup = &members->setup;
  for (size_t a = 0; a < setup->actors && lane < setup->lanes; a++)
    if (lane >= first_lane(setup, a) && lane < first_lane(setup, a + 1)) return a;
  return lane % setup->actors;
}

/* ERR_MEMORY, or what the transport says. */
Status members_restore_lane(Members *members, const WireLane *lane) {
  size_t actor = members_lane_actor(members, lane->lane);
  members->actor[actor].surplus += lane->lane >= members->setup.lanes;
  wire_begin(&members->wire, WIRE_RESTORE_LANE);
  lane_encode(lane, &members->wire.bytes);
  return wire_send(members->transport, members->setup.actor_rank[actor], &members->wire);
}

/* To all ranks of the player's group: each member holds a whole copy. */
Status members_restore_player(Members *members, uint32_t player, const Tree *state) {
  const MembersSetup *setup = &members->setup;
  for (size_t l = player % setup->groups; l < setup->learners; l += setup->groups) {
    wire_begin(&members->wire, WIRE_RESTORE_PLAYER);
    player_state_encode(&(WirePlayerState){.player = player}, &members->wire.bytes);
    tree_encode(state, &members->wire.bytes);
    TRY_RETURN(wire_send(members->transport, setup->learner_rank[l], &members->wire));
  }
  return OK;
}

/* Which learner of a player's group has a seat's experience; false: this job has no such seat. */
static bool keeper_of(const Members *members, const WireReplay *piece, size_t *out) {
  const MembersSetup *setup = &members->setup;
  const size_t lane = piece->lane / setup->lane_seats;
  if (lane >= setup->lanes) return false;
  const size_t actor = members_lane_actor(members, (uint32_t)lane);
  *out = setup->fed[actor] * setup->groups + piece->player % setup->groups;
  return true;
}

Status members_restore_replay(Members *members, const WireReplay *piece) {
  const MembersSetup *setup = &members->setup;
  const bool last = piece->lane == (uint32_t)WIRE_NO_LANE;
  size_t keeper = 0;
  if (!last && !keeper_of(members, piece, &keeper)) return OK;
  for (size_t l = piece->player % setup->groups; l < setup->learners; l += setup->groups) {
    if (!last && l != keeper) continue;
    wire_begin(&members->wire, WIRE_RESTORE_REPLAY);
    replay_state_encode(piece, &members->wire.bytes);
    TRY_RETURN(wire_send(members->transport, setup->learner_rank[l], &members->wire));
  }
  return OK;
}

size_t members_keepers(const Members *members) {
  const MembersSetup *setup = &members->setup;
  return setup->lane_seats ? setup->learners / setup->groups : 0;
}

/* --- hearing them --- */
Status members_find_keeper(const Members *members, const Message *message, uint32_t player,
                           size_t *out) {
  const MembersSetup *setup = &members->setup;
  for (size_t l = player % setup->groups; l < setup->learners; l += setup->groups) {
    *out = l / setup->groups;
    if (setup->learner_rank[l] == message->peer) return OK;
  }
  return status_set(ERR_FORMAT, "player %u is learned on other ranks", player);
}

Status members_check_actor(const Members *members, const Message *message, uint32_t actor) {
  const MembersSetup *setup = &members->setup;
  if (actor < setup->actors && setup->actor_rank[actor] == message->peer) return OK;
  return status_set(ERR_FORMAT, "it names actor %u, who is on another rank", actor);
}

/* The first member of the player's group, which speaks for it. */
int members_player_rank(const Members *members, uint32_t player) {
  return members->setup.learner_rank[player % members->setup.groups];
}

/* ERR_FORMAT, with both in words. */
static Status at_most(const char *what, uint64_t value, const char *than, uint64_t most) {
  if (value <= most) return OK;
  return status_set(ERR_FORMAT, "%llu %s, but %s %llu", (unsigned long long)value, what, than,
                    (unsigned long long)most);
}

/* Frames learned from, over all players. */
static uint64_t frames_of(const Results *results) {
  uint64_t frames = 0;
  for (size_t i = 0; i < results->frames; i++)
    frames += results->frame[i].frames;
  return frames;
}

/* Counts that add up, and are no more than the actor's lanes can have played. */
static Status check_sums(const Members *members, const Results *results) {
  const MembersSetup *setup = &members->setup;
  size_t a = results->actor;
  uint64_t lanes = first_lane(setup, a + 1) - first_lane(setup, a) + members->actor[a].surplus;
  uint64_t games = 0;
  for (size_t i = 0; i < results->pairs; i++) {
    const PairResults *pair = &results->pair[i];
    uint64_t met = (uint64_t)pair->tally.games;
    games += met;
    TRY_RETURN(at_most("games", met, "their length in env steps is", pair->length));
  }
  if (!results_add_up(results, setup->opponents))
    return status_set(ERR_FORMAT, "%llu episodes ended, but %llu games with %zu opponents in each",
                      (unsigned long long)results->episodes, (unsigned long long)games,
                      setup->opponents);
  TRY_RETURN(at_most("episodes ended", results->episodes, "the env steps are", results->steps));
  TRY_RETURN(at_most("env steps", results->steps, "a tick has", lanes * setup->lane_steps));
  uint64_t rows = lanes * setup->lane_rows;
  TRY_RETURN(at_most("decisions to learn from", frames_of(results), "a tick has", rows));
  return at_most("decisions of frozen players", results->decisions_frozen, "a tick has", rows);
}

/* Whether the league has all the players that they name. */
static Status check_players(const League *league, const Results *results) {
  for (size_t i = 0; i < results->pairs; i++) {
    const PairResults *pair = &results->pair[i];
    bool met = pair->eval ? is_opponent(pair->away, league->players) : pair->away < league->players;
    if (pair->home >= league->players || !met)
      return status_set(ERR_FORMAT, "games of players %u and %u, of %zu", pair->home, pair->away,
                        league->players);
  }
  for (size_t i = 0; i < results->frames; i++)
    if (results->frame[i].player >= league->learning)
      return status_set(ERR_FORMAT, "frames of player %u, who is not learning",
                        results->frame[i].player);
  return OK;
}

Status members_take_results(Members *members, const League *league, const Message *message,
                            const Results *results) {
  TRY_RETURN(members_check_actor(members, message, results->actor));
  ActorMember *actor = &members->actor[results->actor];
  if (results->tick != actor->tick)
    return status_set(ERR_FORMAT, "they are of tick %llu where those of tick %llu are due",
                      (unsigned long long)results->tick, (unsigned long long)actor->tick);
  TRY_RETURN(check_players(league, results));
  TRY_RETURN(check_sums(members, results));
  actor->tick++;
  actor->said.acted += frames_of(results);
  actor->said.episodes += results->episodes;
  actor->said.steps += results->steps;
  return OK;
}

/* ERR_FORMAT, with both in words. */
static Status same_count(uint32_t actor, const char *what, uint64_t own, uint64_t said) {
  if (own == said) return OK;
  return status_set(ERR_FORMAT, "actor %u counts %llu %s, but its results %llu", actor,
                    (unsigned long long)own, what, (unsigned long long)said);
}

/* What an actor counts itself must be what its results have said: a message lost or taken twice
 * shows here, before it is saved. */
Status members_check_counts(const Members *members, const WireActorState *counts) {
  const uint32_t actor = counts->actor;
  const Said *said = &members->actor[actor].said;
  TRY_RETURN(same_count(actor, "decisions acted", counts->acted, said->acted));
  TRY_RETURN(same_count(actor, "episodes ended", counts->episodes, said->episodes));
  return same_count(actor, "env steps made", counts->steps, said->steps);
}

static Status check_bye(const Members *members, const Message *message, const RoleProfile *profile,
                        bool ending) {
  const MembersSetup *setup = &members->setup;
  bool is_actor = !strcmp(profile->role, "actor"); /* else a learner */
  const int *rank = is_actor ? setup->actor_rank : setup->learner_rank;
  size_t count = is_actor ? setup->actors : setup->learners;
  if (profile->index >= count || message->peer != rank[profile->index])
    return status_set(ERR_FORMAT, "%s %u is on another rank", profile->role, profile->index);
  for (size_t i = 0; i < members->profiles; i++) {
    const RoleProfile *gone = &members->profile[i];
    if (!strcmp(gone->role, profile->role) && gone->index == profile->index)
      return status_set(ERR_FORMAT, "%s %u has gone before", profile->role, profile->index);
  }
  if (ending) return OK;
  return status_set(ERR_FORMAT, "%s %u goes, though the job does not end", profile->role,
                    profile->index);
}

/* ERR_FORMAT for a member that leaves although nobody has told it to, or leaves twice. */
Status members_take_bye(Members *members, const Message *message, Reader *body, bool ending) {
  RoleProfile profile;
  TRY_RETURN(profile_decode(&profile, body));
  TRY_RETURN(check_bye(members, message, &profile, ending));
  TRY_RETURN(GROW(members->profile, members->profile_room, members->profiles + 1));
  members->profile[members->profiles++] = profile;
  return OK;
}

/* All have said good-bye. */
bool members_gone(const Members *members) {
  return members->profiles >= members->setup.actors + members->setup.learners;
}

const RoleProfile *members_profiles(const Members *members, size_t *count) {
  *count = members->profiles;
  return members->profile;
}

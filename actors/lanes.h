/* Lanes: groups of slots that play one matchup, renewed from the matchmaking table after a quota of
 * episodes *started*. The matchup after the present one is drawn ahead, so that its policies are
 * here when it is needed. Numbers of lanes and slots are job-wide: on another number of ranks the
 * same lanes are dealt out anew. */
#pragma once
#include "actors/options.h"
#include "actors/policy_cache.h"
#include "actors/recorder.h"
#include "env/stages.h"
#include "wire/wire.h"

/* Whom home meets in one team: who it is, by which entry of the table it was drawn. */
typedef struct Opponent {
  MatchEntry entry;
  uint32_t life;
} Opponent;

/* Home, and who has the other teams: in training each is drawn by itself from home's matches; in
 * evaluation all are the same player. */
typedef struct Matchup {
  uint32_t home;
  uint32_t home_life;
  uint32_t drawn; /* by the lane's own count; 0: none yet */
  /* (match_opponents) The i-th has the team that comes i + 1 after home's, as around a table. */
  Opponent opponent[AGON_MAX_TEAMS - 1];
} Matchup;

/* How a game is seated, of which two teams are compared. */
typedef struct Seating {
  uint8_t home; /* the team that home has, or that of its teams which is compared */
  uint8_t away; /* evaluation: the team that it is compared with */
  bool crowd;   /* evaluation: the opponent has team `away` alone, home all others */
} Seating;

/* Which lanes evaluate: a deterministic, even share of the ids. */
bool lane_is_eval(uint32_t id, double share);
/* Lanes of actor `index` of `actors`: ids first .. first+count-1 of `lanes`. */
void lane_range(size_t lanes, size_t actors, size_t index, size_t *first, size_t *count);
/* Opponents in a game of so many teams: one for each other team; by itself a team plays as if there
 * were one. */
size_t match_opponents(uint32_t teams);
/* Which of them has a team that home has not. */
size_t match_opponent_at(uint32_t teams, uint32_t home, uint32_t team);
/* Draws a matchup from the table, of an evaluation lane or another, for so many teams. False if
 * there is none. */
bool matchup_draw(const Table *table, uint32_t teams, bool eval, AgonRng *rng, Matchup *out);
/* As the lane's state in a checkpoint has it. Decoding sets reader->bad unless it is one that a
 * table can have, or none. */
void matchup_encode(const Matchup *match, uint32_t teams, Bytes *out);
void matchup_decode(Matchup *match, uint32_t teams, Reader *reader);
/* The seats of game number `turn` of a slot. Over successive turns home has every team equally
 * often. In evaluation one of the two players has one team and the other all others; over
 * 2 teams (teams - 1) turns each is alone on every team, and compared with every other one, equally
 * often. With two teams that is simply: they change seats. */
Seating lane_seating(uint32_t teams, bool eval, uint32_t turn);

/* All but the config is borrowed. */
typedef struct LanesSetup {
  ActorConfig config;
  uint64_t seed;
  size_t index; /* of this actor among all */
  size_t actors;
  size_t learning_players; /* their policies come by themselves */
  const Env *env;
  const Stages *stages; /* of the curriculum; may be NULL */
  Play *play;           /* plays the slots; its hook `begin` is to call lanes_begin_episode */
  Recorder *recorder;   /* records them */
  PolicyCache *cache;
  /* Asks for a frozen player's policy. */
  Status (*fetch)(void *context, uint32_t player);
  void *context;
} LanesSetup;

typedef struct Lanes Lanes;
size_t lanes_slots_each(const ActorConfig *config); /* games that a lane plays at a time */
Status lanes_create(const LanesSetup *setup, Lanes **out);
void lanes_destroy(Lanes *lanes);

/* --- of a running episode --- */
/* What the hooks of play must know of a slot. */
typedef struct LaneSlot {
  size_t index; /* in the recorder */
  bool eval;
  Seating seating;
  Matchup match;
} LaneSlot;
const LaneSlot *lanes_slot(const PlaySlot *slot);
/* An episode may begin: *agreed, and policies and teams to record are set in the slot. */
Status lanes_begin_episode(Lanes *lanes, const Table *table, PlaySlot *slot, bool *agreed);
void lanes_end_episode(Lanes *lanes, const PlaySlot *slot); /* its policies are needed no more */

/* --- of a tick --- */
/* Every lane draws ahead from the table, where it has not yet. */
Status lanes_draw_ahead(Lanes *lanes, const Table *table);
/* Whether all policies that the next step may need are here; slots of a checkpoint are then bound
 * to theirs. */
bool lanes_are_ready(Lanes *lanes);
/* The tick ends: who must act next will do so with other weights, so that what it has done until
 * now ends here. */
void lanes_close_unrolls(Lanes *lanes);

/* A frozen player has failed, and plays no more in this job: its games are broken off (play's slots
 * are idle), and who is drawn against it waits for another draw. ERR_MEMORY. */
Status lanes_give_up(Lanes *lanes, uint32_t player);

/* --- states --- */
size_t lanes_count(const Lanes *lanes);
uint32_t lanes_id(const Lanes *lanes, size_t lane);
/* Surplus after a resume on fewer lanes, and its last episode has ended. */
bool lanes_is_finished(const Lanes *lanes, size_t lane);
Status lanes_encode(const Lanes *lanes, size_t lane, Bytes *out);
/* Before the job begins. A lane that is none of this actor's is adopted until its episodes end. */
Status lanes_restore(Lanes *lanes, const WireLane *sent);
/* Players of the league have other ids from now on: p, of so many, is map[p]; LANES_GONE: it plays
 * no more, and its games are abandoned. After restoring, before the job begins. ERR_FORMAT: a lane
 * has players that there are not. */
enum { LANES_GONE = -1 };
Status lanes_renumber(Lanes *lanes, const uint32_t *map, size_t players);
/* Restored games that cannot go on, since their env cannot save them or a player of theirs is gone;
 * each is told once. */
uint64_t lanes_take_abandoned(Lanes *lanes);

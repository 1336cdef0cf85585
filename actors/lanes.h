/* Lanes: groups of slots that play one matchup, renewed from the matchmaking table after a quota of episodes *started*.
 * The matchup after the present one is drawn ahead, so that its policies are here when it is needed. Numbers of lanes
 * and slots are job-wide: on another number of ranks the same lanes are dealt out anew. */
#pragma once
#include "actors/policy_cache.h"
#include "actors/options.h"
#include "actors/recorder.h"
#include "wire/wire.h"

typedef struct Matchup {
  MatchEntry entry;
  uint32_t home_life, away_life;
  uint32_t drawn; /* 0: none yet */
} Matchup;

typedef struct LaneSlot {
  PlaySlot *play;
  size_t index;  /* in the recorder */
  Matchup match; /* of the running episode */
  uint8_t seat;  /* team that home plays */
} LaneSlot;

typedef struct Lane {
  uint32_t id;
  bool eval, retiring; /* retiring: surplus after a resume; starts no more episodes */
  bool restored;
  uint32_t started, quota, draws;
  AgonRng rng;
  Matchup now, next;
  LaneSlot *slot;
  size_t slots;
} Lane;

/* Which lanes evaluate: a deterministic, even share of the ids. */
bool lane_is_eval(uint32_t id, double share);
/* Lanes of actor `index` of `actors`: ids first .. first+count-1 of `lanes`. */
void lane_range(size_t lanes, size_t actors, size_t index, size_t *first, size_t *count);
/* Draws a matchup from the table with the lane's stream. False if the table has none for it. */
bool lane_draw(Lane *lane, const Table *table, Matchup *out);
void matchup_encode(const Matchup *match, Bytes *out);
void matchup_decode(Matchup *match, Reader *reader); /* bad unless it is one that a table can have, or none */

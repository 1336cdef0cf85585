/* Who learns in a run: of a new one what the configuration asks for, of one that goes on those that
 * its checkpoint has, who may have been added, named and retired by hand. Every rank has it, since
 * all must agree on the players' ids, which are their places in it. */
#pragma once
#include "league/league.h"

typedef struct RosterEntry {
  char name[PLAYER_NAME];
  uint8_t role;           /* Role */
  uint8_t side;           /* 1 + the team that it always plays; 0: all seats in turn */
  double tuned[TUNABLES]; /* its numbers by now (league/tune.h); 0: none yet, or not tuned */
} RosterEntry;

typedef struct Roster {
  RosterEntry *entry; /* owned */
  size_t count;
} Roster;

void roster_free(Roster *roster);
/* Of a new run. ERR_USAGE: more than WIRE_LEARNERS; ERR_MEMORY. *out is then empty, as below. */
Status roster_of_config(const LeagueConfig *config, Roster *out);
/* ERR_FORMAT: the checkpoint is damaged. */
Status roster_of_checkpoint(const Tree *checkpoint, Roster *out);
/* For the other ranks. Without memory out->failed is set. */
void roster_encode(const Roster *roster, Bytes *out);
Status roster_decode(Roster *out, Reader *reader);
/* The first name of a role (of a side) that nobody has yet: "main_2", "prey_main_0". taken: asked
 * of each. */
Status roster_name(const LeagueConfig *config, Role role, uint32_t side,
                   bool (*taken)(const void *context, const char *name), const void *context,
                   char out[PLAYER_NAME]);

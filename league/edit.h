/* A league changed by hand, between two jobs: players join, retire, get other names and are rolled
 * back. Pure: what a change means for weights, unfinished games and files is for the caller
 * (job/edit.h), who gets the new id of each player. */
#pragma once
#include "league/league.h"

/* Makes room in `map` (league->players before the change) for where each player went. On failure
 * the league may be changed in part, and is of no further use. */

/* A learning player joins behind the others that learn. parent: whose copy it is, by its old id;
 * -1: nobody's. ERR_USAGE: the name is taken or none that it can have, or WIRE_LEARNERS learn
 * already. */
Status edit_join(League *league, const char *name, Role role, uint8_t side, int64_t parent,
                 uint32_t *out_id, uint32_t *map);
/* A frozen player joins as the youngest; its hash is the caller's to fill in. */
Status edit_import(League *league, const char *name, Role role, uint8_t side, const char *reason,
                   uint32_t *out_id);
/* A learning player becomes a frozen one, the youngest, under its name: what it has done stays in
 * the payoff. ERR_USAGE: it is frozen, or the last main (of its side). */
Status edit_retire(League *league, uint32_t id, uint32_t *out_id, uint32_t *map);
/* ERR_USAGE: the name is taken or none that it can have. */
Status edit_rename(League *league, uint32_t id, const char *name);
/* A learning player begins a new life from a frozen one, or (-1) from initial weights. What others
 * remember of their games with it goes. */
Status edit_rollback(League *league, uint32_t id, int64_t source);
/* The youngest snapshot of a player; -1: it has none. */
int64_t edit_last_snapshot(const League *league, uint32_t id);
/* Learning players of a role: of all, or, where sides are separate, of the side that has more. */
int64_t edit_count(const League *league, Role role);
/* Enters a change into the lineage, as plain text: '?' stands for other letters, and "..." for the
 * middle of one that is too long. */
Status edit_record(League *league, uint64_t when, uint64_t frames, const char *who,
                   const char *what);

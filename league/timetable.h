/* The tables that actors play by: the last one computed, and those published for ticks that are not
 * complete yet. A table costs in proportion to the players, so it is computed every so many ticks
 * in proportion to them, too: the cost per tick stays the same. In between, and unless players
 * change, actors play by the one they have. */
#pragma once
#include "league/league.h"

typedef struct Timetable Timetable;
/* period: players per tick between two computed tables. */
Status timetable_create(size_t period, Timetable **out);
void timetable_destroy(Timetable *timetable);

/* The players have changed: the next table must be computed. */
void timetable_renew(Timetable *timetable);
/* Whether the table of a tick must be computed, into timetable_current, before it is placed. */
bool timetable_due(const Timetable *timetable, const League *league, uint64_t tick);
Table *timetable_current(Timetable *timetable);
/* The current table into the place of `tick`, without flags; borrowed until that of two ticks on.
 */
Status timetable_place(Timetable *timetable, uint64_t tick, Table **out);
/* The table that is in the place of `tick`, with the tick that it is of; no homes: none yet. */
const Table *timetable_at(const Timetable *timetable, uint64_t tick);

/* For a checkpoint before `tick`, with the tables of so many ticks more (at most 1) that are
 * published already. ERR_FORMAT for tables that this league cannot have. */
Status timetable_encode(const Timetable *timetable, uint64_t tick, uint64_t ahead, Bytes *out);
Status timetable_load(Timetable *timetable, const League *league, const Tree *checkpoint);

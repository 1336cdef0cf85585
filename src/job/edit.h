/* A run's league changed by hand, between two jobs. Changes are made one after another on what its
 * newest checkpoint holds; edit_write puts them down as the next generation, and the one before
 * stays. A job goes on from it on any number of ranks, as if the league had always been so: games
 * of players that are gone are abandoned, all others go on, and the matchmaking table is made anew.
 */
#pragma once
#include "job/config.h"
#include "league/edit.h"

typedef struct Edit Edit;
/* Locks the run: ERR_RUN while a job trains it, or where there is none. Codes of
 * run_read_checkpoint and job_config_create too. */
Status edit_open(const char *run, Edit **out);
/* The same of a checkpoint that a job is about to go on from: tree, settings and folder are
 * borrowed, and edit_finish puts the changes into them. */
Status edit_begin(Tree *tree, JobConfig *settings, RunFolder *run, Edit **out);
void edit_close(Edit *edit);

/* Each says in ERR_USAGE what it was given that cannot be; the edit is then of no further use.
 * Names may be NULL where a default is told. */

/* A player joins and learns. from: a player of this run, RUN:PLAYER or a player's file, whose
 * weights it begins with; NULL: initial ones. side: its team by name or number, where sides are
 * separate; else NULL. Name: the first free one of the role. */
Status edit_add(Edit *edit, const char *role, const char *name, const char *side, const char *from);
/* A player that learns becomes a frozen one. */
Status edit_retire_player(Edit *edit, const char *name);
/* A copy of a player learns on its own: of one that learns, with all of its training; of a frozen
 * one, from its weights. role: NULL: the same. */
Status edit_fork(Edit *edit, const char *player, const char *name, const char *role);
/* A player begins anew from a snapshot: its last; `to` another player, or "initial" weights. */
Status edit_reset(Edit *edit, const char *player, const char *to);
Status edit_rename_player(Edit *edit, const char *player, const char *name);
/* A player of another run, RUN:PLAYER or a file, joins as a frozen one. role: NULL: what it was. */
Status edit_bring(Edit *edit, const char *from, const char *name, const char *role);
/* A guest joins, or leaves and comes back (league.guests); its file is the run's already. */
Status edit_invite(Edit *edit, const LeagueGuest *guest);
Status edit_guest_leaves(Edit *edit, const char *name, bool leaves);
/* A frozen player's file is missing or damaged, or there again (lost.h). */
Status edit_lose(Edit *edit, const char *player, bool lost);
/* As many players more as `now` asks for in league.mains and so on than `before` did. */
Status edit_grow(Edit *edit, const LeagueConfig *before, const LeagueConfig *now);

/* As it is by now; the lines of what was done are the last of its changes. Borrowed. */
const League *edit_league(const Edit *edit);
uint64_t edit_abandoned(const Edit *edit); /* games, known after edit_finish */
/* Puts the league as it is now, with its lanes and settings, into the checkpoint. */
Status edit_finish(Edit *edit);
/* Writes what edit_open has read and edit_finish has made; *generation is its number. */
Status edit_write(Edit *edit, uint64_t *generation);

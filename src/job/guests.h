/* Guests: players from outside that sit in the league (league.guests.NAME=PLAYER). The run keeps
 * what they are: their texts and hashes in the checkpoint, copies of their files in players/. */
#pragma once
#include "agent/contestant.h"
#include "job/config.h"

/* Declares the keys that were given. */
Status guests_declare(Config *config);
/* Their names and texts, into settings->guest. ERR_USAGE names the key that is wrong. */
Status guests_take(JobConfig *settings, const JobConfigSource *source);
void guests_free(JobConfig *settings);
/* --accept-guests: programs that a run's own file names (exec:COMMAND) may be started. Else those
 * may that the command line or a configuration file names in this very job. */
void guests_accept(bool programs);

/* Of a new run: each is looked at and tried, so that what cannot play shows before anything begins;
 * their hashes are filled in. Codes of guest_read and guest_create. */
Status guests_look(JobConfig *settings);
/* Puts copies of their files into the run's folder. ERR_USAGE: one has changed meanwhile. */
Status guests_keep(const JobConfig *settings, const RunFolder *run);
/* Of a run that is gone on with: those of its checkpoint are what they were (ERR_USAGE: a file or a
 * command has changed), may be started, and newcomers join, those that are named no more leave: in
 * the checkpoint, with a line each in its lineage. Codes of edit_begin too. */
Status guests_settle(JobConfig *settings, Tree *checkpoint, RunFolder *run);

/* A guest of a run for games outside of training; folder: the run's. *out is the caller's
 * (contestant_destroy). ERR_USAGE: it is a program that only the run's file names. */
Status guests_contestant(const JobConfig *settings, const Player *player, const char *folder,
                         const Env *env, Contestant *out);

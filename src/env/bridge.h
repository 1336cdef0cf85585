/* Environments of other people's libraries, in the user's own Python: `gymnasium:CartPole-v1`,
 * `pettingzoo:mpe2.simple_spread_v3`, `openspiel:leduc_poker`, `python:MODULE:FACTORY`. Each
 * configured one has a worker process, which holds the live environments; an episode's block is
 * flat: its seed and the moves so far, from which a live one is rebuilt where there is none. */
#pragma once
#include "agon/env.h"
#include "base/status.h"

#include <stdbool.h>

/* Whether a name begins with one of these libraries. */
bool bridge_is(const char *name);
/* Whether playing it runs code that the name itself chooses (a module of the user's), so that a
 * stored name opens nothing by itself. */
bool bridge_runs_named_code(const char *name);
/* Which Python is to be used: a program, or NULL for python3 of PATH. Kept for the whole process;
 * said once, by the command line, before anything is opened. */
void bridge_use_python(const char *program);
/* What tells whether a stop was asked for; `asked` is called a few times a second while an
 * environment is waited for that does not answer, which is then not waited for much longer. NULL:
 * nothing does. Kept for the whole process. */
void bridge_heed_stop(bool (*asked)(void *context), void *context);
/* A table of this name; *out_plugin is the caller's (env_plugin_close), and *out lives as long.
 * Nothing is started before it is configured. ERR_USAGE where the name says too little or is too
 * long, ERR_MEMORY. */
Status bridge_open(const char *name, const AgonEnv **out, void **out_plugin);
/* Why something failed where agon/env.h has no way to say so (what is seen, whose turn it is):
 * zeros stand for it, and nothing that was made of them is good. Empty where nothing did, in this
 * process; the text is the bridge's. */
const char *bridge_fault(void);
/* Whether an option says how a table's environment is run, and not what is played: it may change on
 * a resume, and players meet across it. */
bool bridge_option_is_aside(const AgonEnv *table, const char *option);
/* To be called before the table's configure, of any table: tells a bridge's params its name. */
void bridge_prepare(const AgonEnv *table, void *params);

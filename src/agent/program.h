/* Players that are programs of their own: `exec:COMMAND`. The program is started once and asked for
 * every action by a line of JSON; the protocol is in README.md here. */
#pragma once
#include "agent/builtin.h"

enum { PROGRAM_NAME = 64 };

/* Whether a player's text is one: "exec:COMMAND", or "exec@SECONDS:COMMAND" with its patience. */
bool program_named(const char *text);
/* Starts it by a shell and waits until it is ready to play `env`; the name that it gives itself, or
 * "program", goes to `name`. *out is the caller's (builtin_destroy), which ends the program.
 * ERR_USAGE for a text that is none, ERR_ENV where the program does not answer as it must, ERR_IO,
 * ERR_MEMORY. */
Status program_create(const char *text, const Env *env, char name[PROGRAM_NAME],
                      BuiltinPolicy **out);

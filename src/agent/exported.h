/* Players from files of `agon export --format agon`, which libagon decides for. They are held as
 * built-ins are, and see one position at a time: an agent with a memory, or one that hears its
 * team, plays from its snapshot. */
#pragma once
#include "agent/builtin.h"
#include "base/hash.h"

enum { EXPORTED_NAME = 96 };

/* Opens a file for playing `env`: `name` becomes the player's, *hash that of the file. *out is the
 * caller's (builtin_destroy). ERR_USAGE where it is of another game or cannot play one position at
 * a time, ERR_FORMAT where the file is damaged, ERR_IO, ERR_MEMORY. */
Status exported_create(const char *path, const Env *env, char name[EXPORTED_NAME], Hash *hash,
                       BuiltinPolicy **out);
/* The same of a file's bytes, which may go afterwards; where: what they are, for messages. */
Status exported_of_bytes(const char *where, const void *bytes, size_t size, const Env *env,
                         char name[EXPORTED_NAME], BuiltinPolicy **out);

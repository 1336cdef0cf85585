/* Plug-ins that files name: whose code may run, where it lies today, and whether it is still what
 * it was. */
#pragma once
#include "job/facts.h"

/* Opening a plug-in runs its code, so a path that stands in a file (a checkpoint, a player, a
 * recorded game) opens nothing unless the user names that plug-in, in AGON_PLUGINS: this takes what
 * it says (paths, separated by ':'; borrowed for as long as the process lives; NULL: none). */
void plugins_allow(const char *paths);
/* --accept-env: whoever gave it says that a plug-in's other builds have the same rules. */
void plugins_accept(bool others);
/* Whether --accept-env was given. */
bool plugins_accepted(void);

/* The path by which the plug-in `game` that a file (`where`, for the message) names is to be
 * opened: that of AGON_PLUGINS which is the same file, or has the bytes that `recorded` knows
 * (NULL: nothing is known), or at least the same name, which plugin_check_build then looks into. A
 * built-in game's name is itself. ERR_USAGE where there is none.
 */
Status plugin_find(const char *game, const GameFacts *recorded, const char *where, char *out,
                   size_t size);
/* The same for a recorded game, which names a plug-in by its path or by what it calls itself. */
Status plugin_find_named(const char *game, const char *where, char *out, size_t size);
/* ERR_USAGE where both are of plug-ins whose bytes differ and neither --accept-env nor an earlier
 * one takes them for the same game. */
Status plugin_check_build(const GameFacts *then, const GameFacts *now, const char *where);

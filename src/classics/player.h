/* A learned table as a file: a player that eval, match, exploit, play and query open. */
#pragma once
#include "agent/contestant.h"
#include "store/store.h"

/* How such files say what they are. */
#define TABLE_FILE_KIND "table"

/* ERR_USAGE where a player cannot be written there: its file ends in .h5, and is called as a player
 * may be. */
Status table_file_check(const char *path);
/* Writes the table under the name of the file without its folder and .h5, and says which algorithm
 * it is of. ERR_USAGE where that is no name, ERR_IO, ERR_MEMORY. */
Status table_file_write(const char *path, const char *algorithm, const Env *env,
                        const TableRows *rows);
/* A player from the contents of a file of that kind; `label` NULL: its name. *out is the caller's
 * (contestant_destroy). ERR_USAGE where it is of another game, ERR_FORMAT, ERR_MEMORY. */
Status table_file_player(const Tree *tree, const char *path, const char *label, const Env *env,
                         Contestant *out);

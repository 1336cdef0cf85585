/* A new game to begin with: a file of `templates/`, which are games that work, under its own name.
 */
#pragma once
#include "base/embedded.h"
#include "base/status.h"

/* The files of src/env/templates. */
extern const Embedded templates[];

/* The name of the index-th kind of game, "board" of board.c; NULL past the end. */
const char *scaffold_kind(size_t index, char *out, size_t size);

/* Writes FOLDER/NAME with NAME.c and its CMakeLists.txt, which looks for agon's headers in
 * `headers` first. ERR_USAGE, and nothing is written: the name is none for a game, there is no such
 * kind, or FOLDER/NAME exists. ERR_IO, ERR_MEMORY. */
Status scaffold_plugin(const char *folder, const char *name, const char *kind, const char *headers);

/* The same for a built-in game, in the checkout `root`: src/env/games/NAME.c, its line in
 * src/env/env.c, and one in the table of games that tests/conformance/test_env.c checks. */
Status scaffold_builtin(const char *root, const char *name, const char *kind);

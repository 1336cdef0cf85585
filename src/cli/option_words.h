/* The words behind --env. */
#pragma once
#include "cli/cli.h"

/* ERR_USAGE where one of word[0 .. count-1] is no option of an env: a run that was named beside
 * --env is said to be one, of its own game. */
Status option_words_check(const char *const *word, size_t count, const char *env);

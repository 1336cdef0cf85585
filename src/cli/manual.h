/* What the tables of commands, flags and keys say, written as manual pages and as completion for
 * shells: the build runs the program to make what is installed, so that none of it can be out of
 * date. */
#pragma once
#include "base/status.h"

#include <stdio.h>

/* agon.1, and agon-COMMAND.1 for each command, into a folder that exists. ERR_IO where one cannot
 * be written. */
Status manual_write_pages(const char *folder);
/* shell: "bash" or "zsh"; ERR_USAGE for others. */
Status manual_print_completion(const char *shell, FILE *out);

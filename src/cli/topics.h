/* What 'agon help' explains beside commands: keys of the configuration, their sections, and
 * terms. */
#pragma once
#include "config/config.h"

#include <stdbool.h>
#include <stdio.h>

/* `word`: a key, or what other programs call it; a section, or "keys" for all of them; a term, or
 * "terms" for all. ERR_USAGE, with what may be meant, where it is none of these. */
Status topic_print(const char *word, FILE *out, size_t width);
/* Calls `visit` for each key of a configuration, with its option. */
Status topic_each_key(ConfigVisit visit, void *context);
/* What a section is about; NULL where there is none of that name. Keys of one that has a command's
 * name are asked for as NAME.* */
const char *topic_section(const char *name);

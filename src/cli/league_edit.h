/* agon league add|retire|fork|reset|rename|import. */
#pragma once
#include "cli/cli.h"

/* Whether a word is one of these. */
bool league_edits(const char *word);
/* Makes the change, and says what it was. */
Status league_edit(const Command *command, const Arguments *arguments);

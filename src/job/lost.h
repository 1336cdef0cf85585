/* Frozen players whose files are missing or damaged. A league goes on without them: they are marked
 * lost, keep what they have played, and are met again once their files are back. */
#pragma once
#include "job/edit.h"

/* Looks at the file of every frozen player; *lost and *found: how many have become either since the
 * league was saved. A warning says what is wrong with each. ERR_MEMORY. */
Status lost_look(const League *league, const char *folder, size_t *lost, size_t *found);
/* Marks them, having looked once more. Codes of edit_lose, ERR_MEMORY. */
Status lost_mark(Edit *edit, const char *folder);
/* Of a run that is gone on with: the checkpoint becomes one without them, and its lineage says so.
 * Codes of edit_begin. */
Status lost_settle(JobConfig *settings, Tree *checkpoint, RunFolder *run);

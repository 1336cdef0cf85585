/* What a rank says when it dies of a signal, before whoever launched it says that it has died:
 * which code it was in, in which game at which step, and how to see it again. */
#pragma once

/* From now on, in front of what MPI does then. again: a command, borrowed until crash_forget; NULL:
 * there is none. */
void crash_watch(int rank, long long seed, const char *again);
void crash_forget(void);

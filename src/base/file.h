/* Files and folders: durable writes, and the lock of a run folder. */
#pragma once
#include "base/status.h"

#include <stdbool.h>

/* The calls on which durability rests. Tests replace them: to fail, to crash within, or to watch
 * their order. */
typedef struct FileOps {
  /* PATH is about to be written from its beginning: 0, or -1 and errno to refuse */
  int (*create)(const char *path);
  int (*sync)(int descriptor, const char *path);
  int (*rename)(const char *from, const char *to);
  int (*remove)(const char *path);
} FileOps;

/* Replaces the calls of the whole process; the table is borrowed, NULL brings back the system's
 * own. */
void file_set_ops(const FileOps *ops);
const FileOps *file_ops(void);

/* Reads a whole file and adds a terminating 0, which *size does not count (NULL: not wanted). *out
 * is the caller's (free). ERR_IO, ERR_MEMORY; then *out is not set. */
Status file_read(const char *path, char **out, size_t *size);
/* Writes `size` bytes so that a power cut leaves the old file or the new one: aside, fsync, rename,
 * fsync of the folder. ERR_IO. */
Status file_write_durable(const char *path, const void *data, size_t size);
/* The same without fsync: readers never see half a file, but a power cut may lose it. ERR_IO. */
Status file_write_whole(const char *path, const void *data, size_t size);
/* The second half of file_write_durable, for a file that is complete under the name `aside` in the
 * same folder. ERR_IO; then `path` is as it was, or renamed and not yet synced. */
Status file_sync_rename(const char *aside, const char *path);
/* Makes the folder `path` with all above it; fine if it exists. ERR_IO. */
Status file_make_folders(const char *path);
/* Whether anything has that name, of whatever kind; false also where it may not be looked at. */
bool file_exists(const char *path);
bool file_is_folder(const char *path);
/* Whether another process holds the lock file `path`; leave to read it is enough, and no file means
 * no lock. Locks of this process do not show. ERR_IO. */
Status file_locked(const char *path, bool *out);
/* The ERR_RUN of a lock file that another job holds. */
Status file_lock_is_held(const char *path);
/* Whether a system that knows no locks at all is good enough: file_lock then warns in place of
 * failing. Of the whole process. */
void file_locks_optional(bool optional);
/* Takes the exclusive lock file `path`, made if it is missing; it is held until *out_fd is closed
 * or the process ends. ERR_RUN if another process holds it, ERR_IO. Where the system has no locks
 * by fcntl, one by flock does. */
Status file_lock(const char *path, int *out_fd);

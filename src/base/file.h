/* Files and folders: durable writes, and the lock of a run folder. */
#pragma once
#include "base/status.h"

#include <stdbool.h>

/* The calls on which durability rests. Tests replace them: to fail, to crash within, or to watch their order. */
typedef struct FileOps {
  int (*create)(const char *path); /* PATH is about to be written from its beginning: 0, or -1 and errno to refuse */
  int (*sync)(int descriptor, const char *path);
  int (*rename)(const char *from, const char *to);
  int (*remove)(const char *path);
} FileOps;
void file_set_ops(const FileOps *ops); /* of the whole process, borrowed; NULL: the system's own */
const FileOps *file_ops(void);

/* Reads a whole file, adding a terminating 0; *out is the caller's. */
Status file_read(const char *path, char **out, size_t *size);
/* Writes aside, fsyncs, renames over `path`, fsyncs the folder. */
Status file_write_durable(const char *path, const void *data, size_t size);
/* The same without fsync: readers never see half a file, a power cut may lose it. */
Status file_write_whole(const char *path, const void *data, size_t size);
Status file_sync_rename(const char *aside, const char *path); /* fsync aside, rename, fsync folder */
Status file_make_folders(const char *path);
bool file_exists(const char *path);
bool file_is_folder(const char *path);
/* Whether another process holds the lock PATH; needs no more than leave to read it. Locks of this process do not show.
 */
Status file_locked(const char *path, bool *out);
/* Takes the exclusive lock PATH (kept open in *out_fd until closed); ERR_RUN if another process holds it. */
Status file_lock(const char *path, int *out_fd);

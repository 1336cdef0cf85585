/* A file is durable when its bytes and the name of it in its folder are both on the disk. So a
 * write goes to NAME.new, is synced, renamed over NAME (readers see the old file or the new one,
 * never half of either), and the folder is synced. */
#include "base/file.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The hook that tests use to refuse or watch a write; the system itself has nothing to do here. */
static int system_create(const char *path) {
  (void)path;
  return 0;
}

/* The path is only for tests, which tell files apart by it. */
static int system_sync(int descriptor, const char *path) {
  (void)path;
  return fsync(descriptor);
}

static const FileOps system_ops = {system_create, system_sync, rename, unlink};
static const FileOps *current_ops = &system_ops;

/* One table for the whole process: durability is tested by processes that have nothing else to
 * do. */
void file_set_ops(const FileOps *ops) {
  current_ops = ops ? ops : &system_ops;
}
const FileOps *file_ops(void) {
  return current_ops;
}

/* The size is not asked for beforehand: files under /proc say 0, and a file may grow while it is
 * read. */
Status file_read(const char *path, char **out, size_t *size) {
  Status status = OK;
  char *text = NULL;
  FILE *file = fopen(path, "rb");
  if (!file) return status_set(ERR_IO, "cannot read %s: %s", path, strerror(errno));
  size_t used = 0, room = 4096;
  TRY(mem_array(&text, room + 1, 1));
  for (size_t got; (got = fread(text + used, 1, room - used, file)) > 0;) {
    used += got;
    if (used < room) continue;
    char *grown = realloc(text, room * 2 + 1);
    if (!grown) TRY(status_set(ERR_MEMORY, "out of memory reading %s", path));
    text = grown;
    room *= 2;
  }
  if (ferror(file)) TRY(status_set(ERR_IO, "cannot read %s: %s", path, strerror(errno)));
  text[used] = 0;
  *out = text;
  text = NULL;
  if (size) *size = used;
done:
  free(text);
  fclose(file);
  return status;
}

/* Syncs the folder that holds `path`: until then a rename may be lost in a power cut. */
static Status sync_folder_of(const char *path) {
  char copy[PATH_MAX];
  snprintf(copy, sizeof copy, "%s", path);
  const char *folder = dirname(copy);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return status_set(ERR_IO, "cannot open folder %s: %s", folder, strerror(errno));
  int failed = current_ops->sync(fd, folder);
  close(fd);
  return failed ? status_set(ERR_IO, "cannot sync folder %s: %s", folder, strerror(errno)) : OK;
}

/* Gives the finished file `aside` its real name, in one step. */
static Status rename_over(const char *aside, const char *path) {
  if (!current_ops->rename(aside, path)) return OK;
  return status_set(ERR_IO, "cannot rename %s to %s: %s", aside, path, strerror(errno));
}

/* The bytes must be on the disk before the name points at them; in the other order a power cut
 * could leave an empty file under the real name. */
Status file_sync_rename(const char *aside, const char *path) {
  int fd = open(aside, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return status_set(ERR_IO, "cannot open %s: %s", aside, strerror(errno));
  int failed = current_ops->sync(fd, aside);
  int code = errno;
  close(fd);
  if (failed) return status_set(ERR_IO, "cannot sync %s: %s", aside, strerror(code));
  TRY_RETURN(rename_over(aside, path));
  return sync_folder_of(path);
}

/* Writes `data` to "`path`.new" and puts that name into `aside`. On failure the half-written file
 * is removed. */
static Status write_aside(const char *path, char *aside, size_t aside_size, const void *data,
                          size_t size) {
  TRY_RETURN(status_set(snprintf(aside, aside_size, "%s.new", path) < (int)aside_size ? OK : ERR_IO,
                        "path too long: %s", path));
  FILE *file = current_ops->create(aside) ? NULL : fopen(aside, "wb");
  if (!file) return status_set(ERR_IO, "cannot write %s: %s", aside, strerror(errno));
  bool bad = fwrite(data, 1, size, file) != size;
  if (fclose(file) || bad) {
    Status status = status_set(ERR_IO, "cannot write %s: %s", aside, strerror(errno));
    current_ops->remove(aside);
    return status;
  }
  return OK;
}

/* Both writers begin with the file aside; they differ in whether anything is synced. */
Status file_write_durable(const char *path, const void *data, size_t size) {
  char aside[PATH_MAX];
  TRY_RETURN(write_aside(path, aside, sizeof aside, data, size));
  return file_sync_rename(aside, path);
}

Status file_write_whole(const char *path, const void *data, size_t size) {
  char aside[PATH_MAX];
  TRY_RETURN(write_aside(path, aside, sizeof aside, data, size));
  return rename_over(aside, path);
}

/* Makes `path` and all folders above it. Others may make the same ones at the same time: that one
 * exists already is no failure. */
Status file_make_folders(const char *path) {
  char part[PATH_MAX];
  if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
    return status_set(ERR_IO, "path too long: %s", path);
  for (char *at = part + 1;; at++) {
    char letter = *at;
    if (letter && letter != '/') continue;
    *at = 0;
    if (mkdir(part, 0777) && errno != EEXIST)
      return status_set(ERR_IO, "cannot make folder %s: %s", part, strerror(errno));
    *at = letter;
    if (!letter) break;
  }
  struct stat info;
  if (stat(path, &info) || !S_ISDIR(info.st_mode))
    return status_set(ERR_IO, "%s is not a folder", path);
  return OK;
}

bool file_exists(const char *path) {
  return access(path, F_OK) == 0;
}

bool file_is_folder(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Asks without taking the lock. The system answers for other processes only. */
Status file_locked(const char *path, bool *out) {
  *out = false;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return OK;
  if (fd < 0) return status_set(ERR_IO, "cannot open lock %s: %s", path, strerror(errno));
  struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
  int failed = fcntl(fd, F_GETLK, &range);
  int code = errno;
  *out = !failed && range.l_type != F_UNLCK;
  if (failed) { /* as file_lock then does */
    *out = flock(fd, LOCK_SH | LOCK_NB) != 0;
    failed = *out && errno != EWOULDBLOCK;
    *out = *out && !failed;
  }
  close(fd);
  return failed ? status_set(ERR_IO, "cannot look at lock %s: %s", path, strerror(code)) : OK;
}

static bool optional_locks;

void file_locks_optional(bool optional) {
  optional_locks = optional;
}

Status file_lock_is_held(const char *path) {
  return status_set(ERR_RUN,
                    "another job is running in this folder (it holds %s): wait for it, stop it "
                    "with 'agon stop', or use another --run-dir",
                    path);
}

/* Where fcntl knows no locks, as on some network file systems (ENOLCK): those of flock, if there
 * are any. */
static Status lock_otherwise(const char *path, int fd, int why) {
  if (!flock(fd, LOCK_EX | LOCK_NB)) return OK;
  if (errno == EWOULDBLOCK) return file_lock_is_held(path);
  if (!optional_locks)
    return status_set(ERR_IO,
                      "cannot lock %s: %s: where a file system has no locks, agon train --no-lock "
                      "goes on without; see to it that no other job runs in the folder",
                      path, strerror(why));
  log_warning("%s: this file system has no locks: nothing keeps another job out of the folder",
              path);
  return OK;
}

/* The lock belongs to the process and goes with it, so that a killed job leaves no stale lock
 * behind. */
Status file_lock(const char *path, int *out_fd) {
  Status status = OK;
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return status_set(ERR_IO, "cannot open lock %s: %s", path, strerror(errno));
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(fd, F_SETLK, &range)) {
    const bool held = errno == EACCES || errno == EAGAIN;
    status = held ? file_lock_is_held(path) : lock_otherwise(path, fd, errno);
  }
  if (status != OK)
    close(fd);
  else
    *out_fd = fd;
  return status;
}

/* The run folder: lock, generations of checkpoints, immutable player files. */
#include "store/store.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAMAGED ".damaged"
#define GENERATIONS UINT64_C(1000000000000) /* numbers below this are ours */

/* Every path within a run folder is made here or below. */
Status run_path(const RunFolder *run, char *out, size_t size, const char *name) {
  return text_format(out, size, "%s/%s", run->path, name);
}

/* Only names it: nothing is opened or made. */
static Status name_folder(const char *path, RunFolder *out) {
  *out = (RunFolder){.lock = -1};
  if (!*path) return status_set(ERR_USAGE, "the name of the run folder is empty");
  return text_format(out->path, sizeof out->path, "%s", path);
}

/* The lock is not asked for: what a reader reads has been renamed into place whole. */
Status run_open(const char *path, RunFolder *out) {
  TRY_RETURN(name_folder(path, out));
  if (!run_has_checkpoint(out))
    return status_set(ERR_RUN, "%s holds no run (no checkpoints/*.h5 in it)", path);
  return OK;
}

/* What is told to whoever wants a folder that is locked, by its lock file or without one. */
static Status folder_is_held(const RunFolder *run) {
  char path[PATH_MAX];
  bool held;
  TRY_RETURN(run_path(run, path, sizeof path, "lock"));
  if (file_locked(path, &held) == OK && held) return file_lock_is_held(path);
  return status_set(ERR_RUN,
                    "another job is running in %s, though its lock file has been removed: wait for "
                    "it, stop it with 'agon stop', or use another --run-dir",
                    run->path);
}

/* Locks a folder of the run: whoever removes the lock file does not remove this one. It goes with
 * the process, too. Where the system cannot lock folders it is not missed. */
static Status lock_folder(RunFolder *run) {
  char path[PATH_MAX];
  TRY_RETURN(run_path(run, path, sizeof path, "checkpoints"));
  const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return OK;
  if (!flock(folder, LOCK_EX | LOCK_NB)) {
    run->guard = folder + 1;
    return OK;
  }
  const bool held = errno == EWOULDBLOCK;
  close(folder);
  return held ? folder_is_held(run) : OK;
}

/* Folders come first, as the lock is a file in one. The file is locked last: whoever may not have
 * the folder never holds it, not even for a moment in which run_keep_lock may look. */
Status run_lock(const char *path, RunFolder *out) {
  char name[PATH_MAX];
  static const char *const folder[] = {"checkpoints", "players"};
  TRY_RETURN(name_folder(path, out));
  for (size_t i = 0; i < COUNT_OF(folder); i++) {
    TRY_RETURN(run_path(out, name, sizeof name, folder[i]));
    TRY_RETURN(file_make_folders(name));
  }
  TRY_RETURN(run_path(out, name, sizeof name, "lock"));
  TRY_RETURN(lock_folder(out));
  return file_lock(name, &out->lock);
}

/* Another file of the same name has another inode, and no lock. */
Status run_keep_lock(RunFolder *run) {
  char path[PATH_MAX];
  struct stat own;
  struct stat there;
  int lock;
  TRY_RETURN(run_path(run, path, sizeof path, "lock"));
  if (run->lock < 0 || fstat(run->lock, &own)) return OK;
  const bool gone = stat(path, &there) != 0;
  if (gone ? errno != ENOENT : own.st_ino == there.st_ino && own.st_dev == there.st_dev) return OK;
  const Status status = file_lock(path, &lock);
  if (status == ERR_RUN)
    return status_set(ERR_RUN,
                      "%s was removed, and another job has taken the folder: this one ends, and "
                      "writes nothing more",
                      path);
  if (status != OK) return OK; /* it is tried again */
  close(run->lock);
  run->lock = lock;
  log_warning("%s was removed while the job runs; it is there again", path);
  return OK;
}

void run_close(RunFolder *run) {
  if (run->lock >= 0) close(run->lock);
  run->lock = -1;
  if (run->guard > 0) close(run->guard - 1);
  run->guard = 0;
  free(run->good);
  run->good = NULL;
  run->goods = 0;
  run->good_room = 0;
}

/* Order for qsort, largest number first. */
static int newest_first(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a;
  uint64_t y = *(const uint64_t *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* Whether `name` is a number and a suffix exactly as this program writes them; other names are
 * somebody else's, and are left alone. */
static bool is_generation(const char *name, const char *suffix, uint64_t *out) {
  char want[64];
  *out = strtoull(name, NULL, 10);
  snprintf(want, sizeof want, "%06" PRIu64 "%s", *out, suffix);
  return *out < GENERATIONS && !strcmp(name, want);
}

/* The numbers of all files in checkpoints/ that end with one of the suffixes, newest first. No
 * folder means none. */
static Status list_generations(const RunFolder *run, const char *const *suffix, size_t suffixes,
                               uint64_t **out, size_t *count) {
  char path[PATH_MAX];
  uint64_t generation;
  size_t room = 0;
  *out = NULL;
  *count = 0;
  TRY_RETURN(run_path(run, path, sizeof path, "checkpoints"));
  DIR *folder = opendir(path);
  if (!folder) return OK;
  for (struct dirent *entry; (entry = readdir(folder));)
    for (size_t i = 0; i < suffixes; i++) {
      if (!is_generation(entry->d_name, suffix[i], &generation) ||
          GROW(*out, room, *count + 1) != OK)
        continue;
      (*out)[(*count)++] = generation;
    }
  closedir(folder);
  if (*count) qsort(*out, *count, sizeof **out, newest_first);
  return OK;
}

Status run_generations(const RunFolder *run, uint64_t **out, size_t *count) {
  return list_generations(run, (const char *const[]){".h5"}, 1, out, count);
}

/* Damaged files count: a number is never used twice, so that no old file is taken for a new one. */
Status run_next_generation(const RunFolder *run, uint64_t *out) {
  uint64_t *list;
  size_t count;
  Status status =
      list_generations(run, (const char *const[]){".h5", ".h5" DAMAGED}, 2, &list, &count);
  *out = count ? list[0] + 1 : 1;
  free(list);
  return status;
}

bool run_has_checkpoint(const RunFolder *run) {
  uint64_t *list;
  size_t count;
  bool has = run_generations(run, &list, &count) == OK && count > 0;
  free(list);
  return has;
}

/* checkpoints/000123.h5 */
static Status generation_path(const RunFolder *run, uint64_t generation, char *out, size_t size) {
  return text_format(out, size, "%s/checkpoints/%06" PRIu64 ".h5", run->path, generation);
}

/* Renames a damaged generation out of the way, and says so. What somebody wrote is never deleted on
 * suspicion. */
static void set_aside(const RunFolder *run, uint64_t generation) {
  char path[PATH_MAX], aside[PATH_MAX];
  if (generation_path(run, generation, path, sizeof path) != OK) return;
  if (text_format(aside, sizeof aside, "%s" DAMAGED, path) != OK) return;
  if (file_ops()->rename(path, aside))
    log_warning("cannot rename %s to %s: %s", path, aside, strerror(errno));
  else
    log_warning("%s is damaged, and is kept as %s", path, aside);
}

/* Notes that this job knows the generation to be whole. */
static Status note_good(RunFolder *run, uint64_t generation) {
  TRY_RETURN(GROW(run->good, run->good_room, run->goods + 1));
  run->good[run->goods++] = generation;
  return OK;
}

/* Removes a generation older than those that are kept, if it is whole. A damaged one is set
 * aside. */
static Status remove_old(const RunFolder *run, uint64_t generation) {
  char path[PATH_MAX];
  bool damaged;
  TRY_RETURN(generation_path(run, generation, path, sizeof path));
  if (store_check(path, &damaged) == OK)
    file_ops()->remove(path);
  else if (damaged)
    set_aside(run, generation);
  return OK;
}

/* Keeps the `keep` newest known to be whole. Until there are that many, older ones stay: they may
 * be all there is. */
static Status prune(RunFolder *run, size_t keep) {
  char path[PATH_MAX];
  uint64_t *list = NULL;
  size_t count = 0;
  Status status = OK;
  for (; run->goods > keep; memmove(run->good, run->good + 1, --run->goods * sizeof *run->good)) {
    TRY_RETURN(generation_path(run, run->good[0], path, sizeof path));
    file_ops()->remove(path);
  }
  if (run->goods < keep) return OK;
  TRY(run_generations(run, &list, &count));
  for (size_t i = 0; i < count; i++)
    if (list[i] < run->good[0]) TRY(remove_old(run, list[i]));
done:
  free(list);
  return status;
}

/* The old ones go only after the new one is durable. */
Status run_write_checkpoint(RunFolder *run, uint64_t generation, const Tree *tree, size_t keep) {
  char path[PATH_MAX];
  TRY_RETURN(generation_path(run, generation, path, sizeof path));
  TRY_RETURN(tree_check_numbers(tree));
  TRY_RETURN(store_write(tree, "checkpoint", path));
  TRY_RETURN(note_good(run, generation));
  return prune(run, keep);
}

/* Goes from the newest back. Files are set aside only after a good one was found: if none can be
 * read, the folder is left as it is. */
Status run_read_checkpoint(RunFolder *run, Tree *out, uint64_t *generation) {
  char path[PATH_MAX];
  uint64_t *list = NULL;
  size_t count = 0, skipped = 0, at = 0;
  bool damaged;
  Status status = OK;
  TRY_RETURN(run_generations(run, &list, &count));
  if (count == 0) status = status_set(ERR_RUN, "%s holds no checkpoint", run->path);
  for (; at < count; at++) {
    TRY(generation_path(run, list[at], path, sizeof path));
    status = store_load(path, "checkpoint", out, &damaged);
    if (status == OK || !(damaged || status == ERR_IO)) break;
    log_warning("%s; trying the generation before it", status_message());
    if (damaged) list[skipped++] = list[at];
  }
  if (status != OK) goto done;
  *generation = list[at];
  if (run->lock < 0) goto done;
  TRY(note_good(run, list[at]));
  for (size_t i = 0; i < skipped; i++)
    set_aside(run, list[i]);
done:
  free(list);
  return status;
}

/* The name is for people, the digits of the hash make it unique. */
Status run_player_path(const RunFolder *run, const char *name, Hash hash, char *out, size_t size) {
  char text[HASH_TEXT];
  hash_text(hash, text);
  return text_format(out, size, "%s/players/%s-%.8s.h5", run->path, name, text);
}

/* A command that ends in a file's name is none. */
bool run_guest_is_file(const char *text) {
  return strncmp(text, "exec:", 5) != 0 && strncmp(text, "exec@", 5) != 0 &&
         (text_ends_in(text, ".agon") || text_ends_in(text, ".onnx"));
}

/* Named by the content alone: one file may be several guests. */
Status run_guest_path(const char *folder, const char *text, const char hash[HASH_TEXT], char *out,
                      size_t size) {
  if (!run_guest_is_file(text)) return status_set(ERR_USAGE, "guest %.200s is no file", text);
  return text_format(out, size, "%s/players/guest-%.8s%s", folder, hash, strrchr(text, '.'));
}

Status run_frozen_path(const char *folder, const char *name, const char hash[HASH_TEXT],
                       const char *guest, char *out, size_t size) {
  out[0] = 0;
  if (!*guest) return text_format(out, size, "%s/players/%s-%.8s.h5", folder, name, hash);
  return run_guest_is_file(guest) ? run_guest_path(folder, guest, hash, out, size) : OK;
}

/* A resumed job freezes the same player again, with the same bytes and so the same name. */
Status run_write_player(const RunFolder *run, const char *name, Hash hash, const Tree *tree) {
  char path[PATH_MAX];
  TRY_RETURN(tree_check_numbers(tree));
  TRY_RETURN(run_player_path(run, name, hash, path, sizeof path));
  if (file_exists(path)) {
    Tree old;
    if (store_read(path, "player", &old) ==
        OK) { /* the same bytes by their name: written before a crash */
      tree_free(&old);
      return OK;
    }
  }
  return store_write(tree, "player", path);
}

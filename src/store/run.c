/* The run folder: lock, generations of checkpoints, immutable player files. */
#include "store/store.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Status run_path(const RunFolder *run, char *out, size_t size, const char *name) {
  return text_format(out, size, "%s/%s", run->path, name);
}

Status run_open(const char *path, RunFolder *out) {
  out->lock = -1;
  TRY_RETURN(text_format(out->path, sizeof out->path, "%s", path));
  if (!run_has_checkpoint(out)) return status_set(ERR_RUN, "%s holds no run (no checkpoints/*.h5 in it)", path);
  return OK;
}

Status run_lock(const char *path, RunFolder *out) {
  char name[PATH_MAX];
  static const char *const folder[] = {"checkpoints", "players"};
  out->lock = -1;
  TRY_RETURN(text_format(out->path, sizeof out->path, "%s", path));
  for (size_t i = 0; i < COUNT_OF(folder); i++) {
    TRY_RETURN(run_path(out, name, sizeof name, folder[i]));
    TRY_RETURN(file_make_folders(name));
  }
  TRY_RETURN(run_path(out, name, sizeof name, "lock"));
  return file_lock(name, &out->lock);
}

void run_close(RunFolder *run) {
  if (run->lock >= 0) close(run->lock);
  run->lock = -1;
}

static int newest_first(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

Status run_generations(const RunFolder *run, uint64_t **out, size_t *count) {
  char path[PATH_MAX];
  size_t room = 0;
  *out = NULL;
  *count = 0;
  TRY_RETURN(run_path(run, path, sizeof path, "checkpoints"));
  DIR *folder = opendir(path);
  if (!folder) return OK;
  for (struct dirent *entry; (entry = readdir(folder));) {
    char *end;
    uint64_t generation = strtoull(entry->d_name, &end, 10);
    if (end == entry->d_name || strcmp(end, ".h5")) continue;
    if (GROW(*out, room, *count + 1) != OK) break;
    (*out)[(*count)++] = generation;
  }
  closedir(folder);
  if (*count) qsort(*out, *count, sizeof **out, newest_first);
  return OK;
}

bool run_has_checkpoint(const RunFolder *run) {
  uint64_t *list;
  size_t count;
  bool has = run_generations(run, &list, &count) == OK && count > 0;
  free(list);
  return has;
}

static Status generation_path(const RunFolder *run, uint64_t generation, char *out, size_t size) {
  return text_format(out, size, "%s/checkpoints/%06" PRIu64 ".h5", run->path, generation);
}

Status run_write_checkpoint(const RunFolder *run, uint64_t generation, const Tree *tree, size_t keep) {
  char path[PATH_MAX];
  uint64_t *list = NULL;
  size_t count = 0;
  TRY_RETURN(generation_path(run, generation, path, sizeof path));
  TRY_RETURN(store_write(tree, "checkpoint", path));
  TRY_RETURN(run_generations(run, &list, &count));
  for (size_t i = keep; i < count; i++)
    if (generation_path(run, list[i], path, sizeof path) == OK) file_ops()->remove(path);
  free(list);
  return OK;
}

Status run_read_checkpoint(const RunFolder *run, Tree *out, uint64_t *generation) {
  char path[PATH_MAX];
  uint64_t *list = NULL;
  size_t count = 0;
  TRY_RETURN(run_generations(run, &list, &count));
  Status status = status_set(ERR_RUN, "%s holds no checkpoint", run->path);
  for (size_t i = 0; i < count; i++) {
    status = generation_path(run, list[i], path, sizeof path);
    if (status == OK) status = store_read(path, "checkpoint", out);
    *generation = list[i];
    if (status == OK) break;
    log_line("warning: %s; trying the generation before it", status_message());
  }
  free(list);
  return status;
}

Status run_player_path(const RunFolder *run, const char *name, Hash hash, char *out, size_t size) {
  char text[HASH_TEXT];
  hash_text(hash, text);
  return text_format(out, size, "%s/players/%s-%.8s.h5", run->path, name, text);
}

Status run_write_player(const RunFolder *run, const char *name, Hash hash, const Tree *tree) {
  char path[PATH_MAX];
  TRY_RETURN(run_player_path(run, name, hash, path, sizeof path));
  if (file_exists(path)) {
    Tree old;
    if (store_read(path, "player", &old) == OK) { /* the same bytes by their name: written before a crash */
      tree_free(&old);
      return OK;
    }
  }
  return store_write(tree, "player", path);
}

#include "store/spool.h"

#include "base/invariant.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct Spool {
  int file;
  uint64_t size;
};

/* A name is needed for a moment only: a file that is open stays when its name goes. */
Status spool_open(const char *folder, Spool **out) {
  char path[PATH_MAX];
  Spool *spool;
  *out = NULL;
  TRY_RETURN(text_format(path, sizeof path, "%s/spool-XXXXXX", folder));
  TRY_RETURN(NEW_ARRAY(spool, 1));
  spool->file = mkstemp(path);
  if (spool->file < 0) {
    free(spool);
    return status_set(ERR_IO, "cannot make a file in %s: %s", folder, strerror(errno));
  }
  unlink(path);
  *out = spool;
  return OK;
}

void spool_close(Spool *spool) {
  if (!spool) return;
  close(spool->file);
  free(spool);
}

Status spool_add(Spool *spool, const void *bytes, size_t size, SpoolPart *out) {
  const char *from = bytes;
  size_t done = 0;
  while (done < size) {
    ssize_t wrote = pwrite(spool->file, from + done, size - done, (off_t)(spool->size + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0)
      return status_set(ERR_IO, "cannot keep experience for a checkpoint: %s (is the disk full?)",
                        strerror(errno));
    done += (size_t)wrote;
  }
  *out = (SpoolPart){spool->size, size};
  spool->size += size;
  return OK;
}

/* What lies in one piece. */
static Status read_piece(const Spool *spool, uint64_t at, char *out, size_t size) {
  INVARIANT(at + size <= spool->size);
  while (size > 0) {
    ssize_t got = pread(spool->file, out, size, (off_t)at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return status_set(ERR_IO, "cannot read experience back for a checkpoint: %s",
                        got ? strerror(errno) : "its file has become shorter");
    out += got;
    at += (uint64_t)got;
    size -= (size_t)got;
  }
  return OK;
}

Status spool_read(const Spool *spool, const SpoolPart *part, size_t parts, uint64_t from, void *out,
                  size_t size) {
  char *to = out;
  for (size_t i = 0; i < parts && size > 0; i++) {
    if (from >= part[i].size) {
      from -= part[i].size;
      continue;
    }
    const size_t left = part[i].size - (size_t)from;
    const size_t take = left < size ? left : size;
    TRY_RETURN(read_piece(spool, part[i].at + from, to, take));
    to += take;
    size -= take;
    from = 0;
  }
  INVARIANT(size == 0);
  return OK;
}

void spool_clear(Spool *spool) {
  spool->size = 0;
  if (ftruncate(spool->file, 0)) return; /* then it is written over */
}

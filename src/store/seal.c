#include "store/seal.h"

#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BLOCK = 1 << 20, SEAL_SIZE = 60, SUPERBLOCK = 48 };

/* What could not be done with which file, and what the system says to it. */
static Status failed(const char *what, const char *path) {
  return status_set(ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

/* The digest of the first `size` bytes: each block of a megabyte is hashed and joined to what came
 * before, so that a file of any length needs the memory of one block. */
static Status digest_of(FILE *file, const char *path, uint64_t size, Hash *out) {
  uint8_t *block;
  *out = (Hash){0, 0};
  TRY_RETURN(NEW_ARRAY(block, BLOCK));
  Status status = fseeko(file, 0, SEEK_SET) ? failed("read", path) : OK;
  for (uint64_t left = size; left && status == OK;) {
    size_t part = left < BLOCK ? (size_t)left : BLOCK;
    if (fread(block, 1, part, file) != part) status = failed("read", path);
    *out = hash_join(*out, hash_bytes(block, part));
    left -= part;
  }
  free(block);
  return status;
}

/* The length of an open file; moves its position. */
static Status size_of(FILE *file, const char *path, uint64_t *out) {
  off_t end = fseeko(file, 0, SEEK_END) ? -1 : ftello(file);
  *out = (uint64_t)end;
  return end < 0 ? failed("read", path) : OK;
}

/* The line that is the seal: its length is always SEAL_SIZE, so that it is found by counting from
 * the file's end. */
static void seal_text(uint64_t size, Hash digest, char text[SEAL_SIZE + 1]) {
  char hex[HASH_TEXT];
  hash_text(digest, hex);
  snprintf(text, SEAL_SIZE + 1, "agon seal %016" PRIx64 " %s\n", size, hex);
}

/* The digest is of the bytes as they can be read back, not of those that were meant to be
 * written. */
Status seal_put(const char *path) {
  Status status = OK;
  Hash digest;
  uint64_t size;
  char text[SEAL_SIZE + 1];
  FILE *file = fopen(path, "r+b");
  if (!file) return failed("open", path);
  TRY(size_of(file, path, &size));
  TRY(digest_of(file, path, size, &digest));
  seal_text(size, digest, text);
  if (fseeko(file, 0, SEEK_END) || fwrite(text, 1, SEAL_SIZE, file) != SEAL_SIZE)
    TRY(failed("write", path));
done:
  if (fclose(file) && status == OK) status = failed("write", path);
  return status;
}

/* Whether the HDF5 part ends where the file ends, that is, nothing lies behind it. Its superblock
 * (versions 2 and 3) holds the address of its end, eight bytes at byte 28, lowest first. */
static bool ends_itself(const uint8_t *head, uint64_t size) {
  static const uint8_t signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  uint64_t end = 0;
  if (size < SUPERBLOCK || memcmp(head, signature, 8) || (head[8] != 2 && head[8] != 3) ||
      head[9] != 8)
    return false;
  for (int i = 7; i >= 0; i--)
    end = end << 8 | head[28 + i];
  return end == size;
}

/* A file whose HDF5 part ends with it was never sealed. One whose HDF5 part ends before must have
 * our seal there. */
Status seal_check(const char *path, Seal *out) {
  Status status = OK;
  Hash digest;
  uint64_t size;
  uint8_t head[SUPERBLOCK] = {0};
  char text[SEAL_SIZE + 1] = "", want[SEAL_SIZE + 1];
  struct stat about;
  *out = SEAL_BROKEN;
  /* to open a pipe that nobody writes to would wait for ever */
  if (!stat(path, &about) && !S_ISREG(about.st_mode))
    return status_set(ERR_IO, "cannot read %s: it is no regular file", path);
  FILE *file = fopen(path, "rb");
  if (!file) return failed("read", path);
  TRY(size_of(file, path, &size));
  if (size < SUPERBLOCK + SEAL_SIZE) goto done;
  if (fseeko(file, 0, SEEK_SET) || fread(head, 1, SUPERBLOCK, file) != SUPERBLOCK)
    TRY(failed("read", path));
  if (fseeko(file, -SEAL_SIZE, SEEK_END) || fread(text, 1, SEAL_SIZE, file) != SEAL_SIZE)
    TRY(failed("read", path));
  if (ends_itself(head, size)) {
    *out = SEAL_NONE;
    goto done;
  }
  if (strncmp(text, "agon seal ", 10)) goto done;
  TRY(digest_of(file, path, size - SEAL_SIZE, &digest));
  seal_text(size - SEAL_SIZE, digest, want);
  if (!memcmp(text, want, SEAL_SIZE)) *out = SEAL_WHOLE;
done:
  fclose(file);
  return status;
}

/* Files of named columns, HDF5 on disk. A Tree is built or read in memory; writing is aside, fsync, rename, fsync of
 * the folder. Every dataset carries Fletcher32; one digest over all names, types, shapes and bytes is checked on load,
 * and before that the file's seal, over its very bytes. A file without a seal, of an older program, still loads.
 * Paths are "group/name"; "@name" is an attribute of the root. */
#pragma once
#include "base/bytes.h"
#include "base/hash.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Files of kind "player" have not changed since version STORE_SCHEMA_PLAYER. */
enum { STORE_SCHEMA = 3, STORE_SCHEMA_PLAYER = 2, STORE_PATH = 96 };

typedef enum StoreType { STORE_F32, STORE_F64, STORE_I32, STORE_U32, STORE_U64, STORE_U8, STORE_TEXT } StoreType;

typedef struct Item {
  char path[STORE_PATH];
  StoreType type;
  size_t size;  /* bytes per element; TEXT: of the fixed-length field */
  size_t count; /* rows */
  size_t width; /* elements per row; 1 = a plain column */
  void *data;   /* owned: count * width * size bytes */
} Item;

typedef struct Tree {
  Item *item;
  size_t items, room;
  char *origin; /* the file that it was read from, named in messages; NULL: not of a file; owned */
} Tree;

void tree_free(Tree *tree);
/* Copies count * width elements in. ERR_INTERNAL if the path is taken. */
Status tree_put(Tree *tree, const char *path, StoreType type, size_t count, size_t width, const void *data);
/* A column of `count` texts of fixed field size (terminated inside the field). */
Status tree_put_texts(Tree *tree, const char *path, size_t count, size_t field, const char *texts);
Status tree_put_text(Tree *tree, const char *path, const char *text); /* one text of any length, as bytes if long */
Status tree_put_u64(Tree *tree, const char *path, uint64_t value);
Status tree_put_f64(Tree *tree, const char *path, double value);
/* Copies all columns of another tree in. */
Status tree_put_all(Tree *tree, const Tree *from);
/* Whether `left` bytes can hold so many rows; without rows they need none. What files and messages claim is held to it
 * before there is memory for it, and what is written too, so that it can be read. */
bool tree_fits(size_t left, size_t count, size_t width, size_t size);
const Item *tree_find(const Tree *tree, const char *path);
/* A plain column: finds and checks type, (if >= 0) count, and that texts end inside their field; ERR_FORMAT naming file
 * and path otherwise. What the numbers mean is the caller's to check, with tree_fault. */
Status tree_get(const Tree *tree, const char *path, StoreType type, int64_t count, const Item **out);
/* The same with `width` elements a row. */
Status tree_get_table(const Tree *tree, const char *path, StoreType type, int64_t count, size_t width,
                      const Item **out);
/* ERR_FORMAT: file, dataset, row (none if negative), and what is wrong there. */
Status tree_fault(const Tree *tree, const char *path, int64_t row, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Every element is a finite number; the column was found by tree_get or tree_get_table. */
Status tree_check_finite(const Tree *tree, const Item *item);
Status tree_get_u64(const Tree *tree, const char *path, uint64_t *out);
Status tree_get_f64(const Tree *tree, const char *path, double *out);
Status tree_get_text(const Tree *tree, const char *path, char *out, size_t size);
Hash tree_digest(const Tree *tree);
/* For messages between ranks. */
void tree_encode(const Tree *tree, Bytes *out);
Status tree_decode(Tree *tree, Reader *reader);

/* `kind` ("checkpoint", "player") and the schema version become attributes. Durable when it returns OK. */
Status store_write(const Tree *tree, const char *kind, const char *path);
/* Reads and verifies everything; ERR_FORMAT names the file and the damage. Takes no more memory than the file is long:
 * nothing in it is compressed. */
Status store_read(const char *path, const char *kind, Tree *out);
/* The same; *damaged, on failure: whether the file is not what somebody wrote, rather than one that cannot be opened or
 * that another version of this program reads. */
Status store_load(const char *path, const char *kind, Tree *out, bool *damaged);
/* Whether the file is what somebody wrote: of one that has a seal, only that is looked at. */
Status store_check(const char *path, bool *damaged);
const char *store_library(void);

/* --- the run folder --- */
typedef struct RunFolder {
  char path[3072];
  int lock;       /* descriptor, -1 = not held */
  uint64_t *good; /* (goods) generations that this job wrote or verified, oldest first; only where the lock is held */
  size_t goods, good_room;
} RunFolder;
/* Opens for reading; ERR_RUN if there is no run. */
Status run_open(const char *path, RunFolder *out);
/* Creates the folders if needed and takes the lock. */
Status run_lock(const char *path, RunFolder *out);
void run_close(RunFolder *run);
bool run_has_checkpoint(const RunFolder *run);
Status run_path(const RunFolder *run, char *out, size_t size, const char *name);
/* Generations present, newest first; the array is the caller's. */
Status run_generations(const RunFolder *run, uint64_t **out, size_t *count);
/* The number after the highest present, whole or damaged. */
Status run_next_generation(const RunFolder *run, uint64_t *out);
/* Then removes all but the `keep` newest that this job wrote or verified. What is older than these is verified first;
 * damaged files, and newer ones of unknown origin, count for nothing and stay. */
Status run_write_checkpoint(RunFolder *run, uint64_t generation, const Tree *tree, size_t keep);
/* The newest generation that is not damaged; one that only another version of this program reads is an error. Where an
 * older one must stand in, a warning says so, and with the lock held the damaged files become NAME.damaged. */
Status run_read_checkpoint(RunFolder *run, Tree *out, uint64_t *generation);
/* players/NAME-HASH8.h5; `path` out may be NULL. */
Status run_write_player(const RunFolder *run, const char *name, Hash hash, const Tree *tree);
Status run_player_path(const RunFolder *run, const char *name, Hash hash, char *out, size_t size);

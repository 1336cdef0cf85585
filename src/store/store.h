/* Files of named columns, HDF5 on disk. A Tree is built or read in memory; writing is aside, fsync,
 * rename, fsync of the folder. Every dataset carries Fletcher32; one digest over all names, types,
 * shapes and bytes is checked on load, and before that the file's seal, over its very bytes. A file
 * without a seal, of an older program, still loads. Paths are "group/name"; "@name" is an attribute
 * of the root. */
#pragma once
#include "base/bytes.h"
#include "base/hash.h"
#include "base/status.h"
#include "store/spool.h"

#include <stdbool.h>
#include <stdint.h>

/* Files of kind "player" have not changed since version STORE_SCHEMA_PLAYER. */
enum { STORE_SCHEMA = 3, STORE_SCHEMA_PLAYER = 2, STORE_PATH = 96 };

typedef enum StoreType {
  STORE_F32,
  STORE_F64,
  STORE_I32,
  STORE_U32,
  STORE_U64,
  STORE_U8,
  STORE_TEXT
} StoreType;

/* A column: `count` rows of `width` elements. */
typedef struct Item {
  char path[STORE_PATH];
  StoreType type;
  size_t size;  /* bytes per element; TEXT: of the fixed-length field */
  size_t count; /* rows */
  size_t width; /* elements per row; 1 = a plain column */
  void *data;   /* owned: count * width * size bytes; NULL: they lie in the spool */
  /* A long column that is on its way into a file: where its bytes are. Never in a tree that was
   * read. */
  const Spool *spool;
  SpoolPart *part; /* (parts) owned */
  size_t parts;
} Item;

/* The contents of a file, or of one to be written. Start from {0}; columns are in no order. */
typedef struct Tree {
  Item *item;
  size_t items, room;
  char *origin; /* the file that it was read from, named in messages; NULL: not of a file; owned */
} Tree;

/* Frees all columns; the tree is then empty and can be used again. */
void tree_free(Tree *tree);
/* Copies count * width elements in. ERR_INTERNAL if the path is taken, ERR_USAGE if it is too long,
 * ERR_MEMORY; then the tree is as it was. So do all that follow. */
Status tree_put(Tree *tree, const char *path, StoreType type, size_t count, size_t width,
                const void *data);
/* A column of `count` texts, each in a field of `field` bytes with a 0 inside. */
Status tree_put_texts(Tree *tree, const char *path, size_t count, size_t field, const char *texts);
/* One text of any length. */
Status tree_put_text(Tree *tree, const char *path, const char *text);
Status tree_put_u64(Tree *tree, const char *path, uint64_t value);
/* A column of bytes that lie in a spool, one part behind another. The parts are copied; the spool
 * is borrowed until the tree is freed. Such a tree can be written, and nothing else. */
Status tree_put_spooled(Tree *tree, const char *path, const Spool *spool, const SpoolPart *part,
                        size_t parts);
Status tree_put_f64(Tree *tree, const char *path, double value);
/* Copies all columns of another tree in; on failure some of them are there. */
Status tree_put_all(Tree *tree, const Tree *from);
/* Whether `count` rows of `width` elements of `size` bytes fit into `left` bytes. What files and
 * messages claim is compared with their length before memory is taken for it; and so is what is
 * written, so that it can be read. */
bool tree_fits(size_t left, size_t count, size_t width, size_t size);
/* Lets go of a column, if there is one of that path. */
void tree_drop(Tree *tree, const char *path);
/* The column, borrowed; NULL if there is none. Nothing about it is checked. */
const Item *tree_find(const Tree *tree, const char *path);
/* The columns whose paths begin with `prefix` ("players/main_0/"), by what their paths say behind
 * it. They stay the tree's: *out is for looking, and is given back by tree_view_free. ERR_MEMORY;
 * *out is then empty. */
Status tree_view(const Tree *tree, const char *prefix, Tree *out);
void tree_view_free(Tree *view);
/* Finds a column of one element a row and checks its type, its number of rows (unless `count` < 0),
 * and that texts end inside their field. *out is borrowed. ERR_FORMAT names file and path. What the
 * numbers mean is for the caller to check, who reports it by tree_fault. */
Status tree_get(const Tree *tree, const char *path, StoreType type, int64_t count,
                const Item **out);
/* The same with `width` elements a row. */
Status tree_get_table(const Tree *tree, const char *path, StoreType type, int64_t count,
                      size_t width, const Item **out);
/* Returns ERR_FORMAT with a message of file, dataset, row (none if negative) and what is wrong
 * there. */
Status tree_fault(const Tree *tree, const char *path, int64_t row, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* ERR_FORMAT, with the row, if an element is infinite or NaN. The column (F32 or F64) was found by
 * tree_get or tree_get_table. */
Status tree_check_finite(const Tree *tree, const Item *item);
/* The same of all columns of numbers, but for what has not been measured (counters.h): what holds
 * one that is none is never written into a run, and no file with one is whole. */
Status tree_check_numbers(const Tree *tree);
/* Columns of one value. ERR_FORMAT if it is missing, of another type, or (a text) does not fit into
 * out[size]. */
Status tree_get_u64(const Tree *tree, const char *path, uint64_t *out);
Status tree_get_f64(const Tree *tree, const char *path, double *out);
Status tree_get_text(const Tree *tree, const char *path, char *out, size_t size);
/* A hash of all names, types, shapes and bytes but "@digest" itself; the order of columns does not
 * matter. */
Hash tree_digest(const Tree *tree);
/* The same of a tree with columns in a spool. ERR_IO, ERR_MEMORY. */
Status tree_digest_all(const Tree *tree, Hash *out);
/* Bytes of a column at a time, where it lies in a spool, and of a chunk in a file. */
enum { STORE_CHUNK = 4 << 20 };
/* For messages between ranks: appends the whole tree. Without memory out->failed is set. */
void tree_encode(const Tree *tree, Bytes *out);
/* Adds the columns of such a message to the tree. ERR_FORMAT if it is damaged, ERR_MEMORY; the tree
 * is then the caller's to free, with some of the columns. */
Status tree_decode(Tree *tree, Reader *reader);

/* Writes a file that is durable when this returns OK; until then `path` is as it was. `kind`
 * ("checkpoint", "player") and the schema version become attributes. ERR_IO; ERR_INTERNAL for a
 * tree that could not be read back. */
Status store_write(const Tree *tree, const char *kind, const char *path);
/* Reads and verifies everything; *out is the caller's (tree_free), and needs no freeing on failure.
 * ERR_FORMAT names the file and the damage (a number that is not finite, too), ERR_IO, ERR_MEMORY.
 * What is no regular file is not opened: it might never answer. It takes no more memory than the
 * file is long: nothing in it is compressed. */
Status store_read(const char *path, const char *kind, Tree *out);
/* The same, for any kind if `kind` is NULL. On failure *damaged says whether the file is not what
 * somebody wrote; it is false for one that cannot be opened, or that only another version of this
 * program reads. */
Status store_load(const char *path, const char *kind, Tree *out, bool *damaged);
/* OK if the file is what somebody wrote, of any kind; of one that has a seal, only the seal is
 * looked at. */
Status store_check(const char *path, bool *damaged);
/* "HDF5 1.10.8", for the banner. */
const char *store_library(void);

/* --- the run folder --- */

/* A run's folder. Start with run_open or run_lock. */
typedef struct RunFolder {
  char path[3072];
  int lock;  /* descriptor, -1 = not held */
  int guard; /* 1 + the descriptor of a lock on the folder itself; 0: none */
  /* (goods) generations that this job wrote or verified, oldest first; only where the lock is
   * held */
  uint64_t *good;
  size_t goods, good_room;
} RunFolder;

/* For reading, beside a job that may be writing. ERR_RUN if there is no run, ERR_USAGE. */
Status run_open(const char *path, RunFolder *out);
/* For writing: makes the folders if needed and takes the lock, which run_close gives back. ERR_RUN
 * if another job holds it, ERR_IO, ERR_USAGE. */
Status run_lock(const char *path, RunFolder *out);
/* Looks whether the lock file is still there, and makes it again where somebody has removed it.
 * ERR_RUN: another job has taken the folder meanwhile, and nothing may be written any more. */
Status run_keep_lock(RunFolder *run);
/* Gives the lock back; also after a failed run_lock. */
void run_close(RunFolder *run);
/* Whether any generation is there, whole or not. */
bool run_has_checkpoint(const RunFolder *run);
/* The path of the file `name` in the run folder. ERR_USAGE if it is too long. */
Status run_path(const RunFolder *run, char *out, size_t size, const char *name);
/* The numbers of the checkpoints that are there, newest first; *out is the caller's (free), also
 * when empty. */
Status run_generations(const RunFolder *run, uint64_t **out, size_t *count);
/* The number for the next checkpoint: one above the highest that is there, whole or set aside as
 * damaged. */
Status run_next_generation(const RunFolder *run, uint64_t *out);
/* Writes a generation, then removes all but the `keep` newest that this job wrote or verified.
 * Older ones are verified before they are removed: damaged files are kept aside for somebody to
 * look at. Newer ones of unknown origin stay and count for nothing. ERR_IO, ERR_MEMORY,
 * ERR_INTERNAL. */
Status run_write_checkpoint(RunFolder *run, uint64_t generation, const Tree *tree, size_t keep);
/* Reads the newest generation that is not damaged; *out is the caller's (tree_free). One that only
 * another version of this program reads is an error (ERR_FORMAT), as is no checkpoint at all
 * (ERR_RUN). Where an older one must stand in, a warning says so, and with the lock held the
 * damaged files are renamed to NAME.damaged. */
Status run_read_checkpoint(RunFolder *run, Tree *out, uint64_t *generation);
/* Writes a frozen player once; a whole file of that name is left as it is. ERR_IO, ERR_INTERNAL,
 * ERR_MEMORY. */
Status run_write_player(const RunFolder *run, const char *name, Hash hash, const Tree *tree);
/* players/NAME-HASH8.h5: eight digits of the hash tell apart what had the same name before a
 * crash. */
Status run_player_path(const RunFolder *run, const char *name, Hash hash, char *out, size_t size);
/* players/guest-HASH8.agon or .onnx: the run's own copy of a guest's file; text: its name; folder:
 * the run's. Of those that are no files, ERR_USAGE. */
Status run_guest_path(const char *folder, const char *text, const char hash[HASH_TEXT], char *out,
                      size_t size);
/* The file of a frozen player: a guest's copy, or NAME-HASH8.h5; guest: its text, else "". out is
 * empty for guests that are no files. */
Status run_frozen_path(const char *folder, const char *name, const char hash[HASH_TEXT],
                       const char *guest, char *out, size_t size);
/* Whether a guest's text (league.guests) names a file. */
bool run_guest_is_file(const char *text);

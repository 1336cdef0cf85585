/* The only HDF5. File format bounds V110 (metadata has checksums), Fletcher32 on every dataset, a
 * digest of our own over all contents, and a seal over all bytes. Links and attributes are stored
 * compactly: heaps and B-trees are what the library trusts most when they are damaged. */
#include "store/store.h"

#include "base/file.h"
#include "base/invariant.h"
#include "base/text.h"
#include "store/seal.h"

#include <errno.h>
#include <hdf5.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A copy of the library's type for an element in memory; the caller closes it. The library converts
 * byte order when it differs in the file. */
static hid_t native_type(StoreType type, size_t size) {
  switch (type) {
  case STORE_F32: return H5Tcopy(H5T_NATIVE_FLOAT);
  case STORE_F64: return H5Tcopy(H5T_NATIVE_DOUBLE);
  case STORE_I32: return H5Tcopy(H5T_NATIVE_INT32);
  case STORE_U32: return H5Tcopy(H5T_NATIVE_UINT32);
  case STORE_U64: return H5Tcopy(H5T_NATIVE_UINT64);
  case STORE_U8: return H5Tcopy(H5T_NATIVE_UINT8);
  case STORE_TEXT: {
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, size);
    return text;
  }
  }
  return -1;
}

/* Which of our types a file's type is; false for any other. Texts of variable length are refused,
 * as their bytes lie in a heap. */
static bool known_type(hid_t type, StoreType *out) {
  static const StoreType plain[] = {STORE_F32, STORE_F64, STORE_I32,
                                    STORE_U32, STORE_U64, STORE_U8};
  if (H5Tget_class(type) == H5T_STRING) {
    *out = STORE_TEXT;
    return H5Tis_variable_str(type) == 0;
  }
  for (size_t i = 0; i < COUNT_OF(plain); i++) {
    hid_t native = native_type(plain[i], 0);
    bool same = H5Tequal(type, native) > 0;
    H5Tclose(native);
    if (!same) continue;
    *out = plain[i];
    return true;
  }
  return false;
}

/* Items whose path begins with '@' are attributes of the file's root, without the '@'. */
static bool write_attribute(hid_t file, const Item *item) {
  hid_t type = native_type(item->type, item->size);
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate2(file, item->path + 1, type, space, H5P_DEFAULT, H5P_DEFAULT);
  bool good = attribute >= 0 && H5Awrite(attribute, type, item->data) >= 0;
  if (attribute >= 0 && H5Aclose(attribute) < 0) good = false;
  H5Sclose(space);
  H5Tclose(type);
  return good;
}

/* Makes the groups above `path` that are not there yet ("players/main_0" needs "players"). */
static bool make_groups(hid_t file, const char *path) {
  char part[STORE_PATH];
  hid_t plan = H5Pcreate(H5P_GROUP_CREATE);
  bool good = H5Pset_link_phase_change(plan, 65535, 0) >= 0;
  for (const char *slash = strchr(path, '/'); slash && good; slash = strchr(slash + 1, '/')) {
    snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
    if (H5Lexists(file, part, H5P_DEFAULT) > 0) continue;
    hid_t group = H5Gcreate2(file, part, H5P_DEFAULT, plan, H5P_DEFAULT);
    good = group >= 0 && H5Gclose(group) >= 0;
  }
  H5Pclose(plan);
  return good;
}

/* The bytes of a column that lie in a spool, one chunk of the file at a time. */
static bool write_spooled(hid_t set, hid_t space, const Item *item) {
  uint8_t *window = malloc(STORE_CHUNK);
  bool good = window != NULL;
  for (hsize_t at = 0; good && at < item->count; at += STORE_CHUNK) {
    hsize_t size = item->count - at < STORE_CHUNK ? item->count - at : STORE_CHUNK;
    hid_t memory = H5Screate_simple(1, &size, NULL);
    good = spool_read(item->spool, item->part, item->parts, at, window, size) == OK &&
           H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, NULL, &size, NULL) >= 0 &&
           H5Dwrite(set, H5T_NATIVE_UINT8, memory, space, H5P_DEFAULT, window) >= 0;
    H5Sclose(memory);
  }
  free(window);
  return good;
}

/* Datasets that are not empty are stored in chunks of at most 4 MiB, as Fletcher32 checksums belong
 * to chunks. Times are not stored, so that equal contents give equal files. */
static bool write_dataset(hid_t file, const Item *item) {
  hsize_t dims[2] = {item->count, item->width};
  hsize_t chunk[2] = {item->count, item->width};
  int rank = item->width == 1 ? 1 : 2;
  if (!make_groups(file, item->path)) return false;
  hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(layout, 0);
  if (item->count && item->width) {
    size_t row = item->width * item->size;
    size_t most = STORE_CHUNK / (row ? row : 1);
    if (chunk[0] > (most ? most : 1)) chunk[0] = most ? most : 1;
    H5Pset_chunk(layout, rank, chunk);
    H5Pset_fletcher32(layout);
  }
  hid_t type = native_type(item->type, item->size);
  hid_t space = H5Screate_simple(rank, dims, NULL);
  hid_t set = H5Dcreate2(file, item->path, type, space, H5P_DEFAULT, layout, H5P_DEFAULT);
  bool good = set >= 0;
  if (good && item->spool)
    good = write_spooled(set, space, item);
  else if (good && item->count && item->width)
    good = H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, item->data) >= 0;
  if (set >= 0 && H5Dclose(set) < 0) good = false; /* a full disk may show only here */
  H5Sclose(space);
  H5Tclose(type);
  H5Pclose(layout);
  return good;
}

/* Only the newest format: its metadata has checksums. */
static hid_t access_list(void) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  return access;
}

/* Writes all columns into a new file. A full disk may show only when the file is flushed or closed,
 * so both are looked at. */
static Status write_aside(const Tree *tree, const char *path) {
  if (file_ops()->create(path))
    return status_set(ERR_IO, "cannot create %s: %s", path, strerror(errno));
  hid_t access = access_list();
  hid_t plan = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_link_phase_change(plan, 65535, 0);
  H5Pset_attr_phase_change(plan, 65535, 0);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, plan, access);
  H5Pclose(plan);
  H5Pclose(access);
  if (file < 0) return status_set(ERR_IO, "cannot create %s: %s", path, strerror(errno));
  bool good = true;
  for (size_t i = 0; i < tree->items && good; i++)
    good = tree->item[i].path[0] == '@' ? write_attribute(file, &tree->item[i])
                                        : write_dataset(file, &tree->item[i]);
  if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) good = false;
  if (H5Fclose(file) < 0) good = false;
  if (good) return OK;
  return status_set(ERR_IO, "cannot write %s: %s (is the disk full?)", path, strerror(errno));
}

/* Whether the file holds what was just written; asked in checked builds only. */
static bool reads_back(const char *path, const char *kind, const char *digest) {
  Tree tree;
  char text[HASH_TEXT] = "";
  if (store_read(path, kind, &tree) != OK) return false;
  hash_text(tree_digest(&tree), text);
  tree_free(&tree);
  return !strcmp(text, digest);
}

/* Refuses what store_read would refuse, before anything is written. */
static Status check_storable(const Tree *tree) {
  for (size_t i = 0; i < tree->items; i++) {
    const Item *item = &tree->item[i];
    if (!tree_fits(SIZE_MAX, item->count, item->width, item->size))
      return status_set(ERR_INTERNAL,
                        "dataset '%s' of %zu rows of %zu by %zu bytes cannot be stored", item->path,
                        item->count, item->width, item->size);
    if (item->path[0] == '@' && (item->count != 1 || item->width != 1))
      return status_set(ERR_INTERNAL,
                        "attribute '%s' of %zu rows of %zu cannot be stored: it can hold one value",
                        item->path, item->count, item->width);
  }
  return OK;
}

/* The digest is of the tree with its kind and version, without the digest itself. */
Status store_write(const Tree *tree, const char *kind, const char *path) {
  Status status = OK;
  char aside[PATH_MAX], digest[HASH_TEXT];
  Hash sum;
  Tree full = {0};
  TRY_RETURN(check_storable(tree));
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  TRY(text_format(aside, sizeof aside, "%s.new", path));
  full.items = tree->items; /* borrows the caller's items, owns the three added */
  TRY(NEW_ARRAY(full.item, tree->items + 3));
  full.room = tree->items + 3;
  memcpy(full.item, tree->item, tree->items * sizeof *full.item);
  TRY(tree_put_text(&full, "@kind", kind));
  TRY(tree_put_u64(&full, "@schema_version", STORE_SCHEMA));
  TRY(tree_digest_all(&full, &sum));
  hash_text(sum, digest);
  TRY(tree_put_text(&full, "@digest", digest));
  TRY(write_aside(&full, aside));
  TRY(seal_put(aside));
  TRY(file_sync_rename(aside, path));
  /* numbers that are not finite are refused by whoever reads, and by run_write_checkpoint */
  INVARIANT(tree_check_numbers(tree) != OK || reads_back(path, kind, digest));
done:
  if (status != OK) file_ops()->remove(aside);
  for (size_t i = tree->items; i < full.items; i++)
    free(full.item[i].data);
  free(full.item);
  return status;
}

/* What the library's callbacks fill; `status` is the first failure. */
typedef struct Loading {
  Tree *tree;
  Status status;
  size_t left; /* bytes that the rest of the file can still hold: what claims more is made up */
} Loading;

/* Takes `count` rows out of what the file can still hold, before memory is allocated for them: a
 * damaged header may ask for any amount. */
static Status claim(Loading *loading, const char *name, size_t count, size_t width, size_t size) {
  if (!tree_fits(loading->left, count, width, size))
    return tree_fault(loading->tree, name, -1,
                      "claims %zu rows of %zu by %zu bytes, more than the file holds", count, width,
                      size);
  loading->left -= count * width * size;
  return OK;
}

/* Reads one dataset into the tree. A read that fails leaves the column in the tree, where it is
 * freed with it. */
static Status read_dataset(hid_t set, const char *name, Loading *loading) {
  Tree *tree = loading->tree;
  Status status = OK;
  hsize_t dims[2] = {1, 1};
  hid_t type = H5Dget_type(set);
  hid_t space = H5Dget_space(set);
  hid_t memory = -1;
  int rank = H5Sget_simple_extent_ndims(space);
  StoreType kind = STORE_U8;
  if (rank < 1 || rank > 2 || !known_type(type, &kind))
    TRY(tree_fault(tree, name, -1, "has a foreign shape or type"));
  H5Sget_simple_extent_dims(space, dims, NULL);
  size_t size = H5Tget_size(type);
  size_t width = rank == 2 ? dims[1] : 1;
  TRY(claim(loading, name, dims[0], width, size));
  TRY(GROW(tree->item, tree->room, tree->items + 1));
  Item *item = &tree->item[tree->items];
  *item = (Item){.type = kind, .size = size, .count = dims[0], .width = width};
  TRY(text_format(item->path, sizeof item->path, "%s", name));
  TRY(mem_array(&item->data, item->count * item->width, size));
  tree->items++;
  memory = native_type(kind, size);
  if (item->count && item->width &&
      H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, item->data) < 0)
    TRY(tree_fault(tree, name, -1, "is damaged (its checksum does not match)"));
done:
  if (memory >= 0) H5Tclose(memory);
  H5Sclose(space);
  H5Tclose(type);
  return status;
}

/* Called by the library for each object of the file; groups are skipped, as paths name them. */
static herr_t visit_object(hid_t file, const char *name, const H5O_info_t *info, void *context) {
  Loading *loading = context;
  if (info->type != H5O_TYPE_DATASET) return 0;
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set < 0) {
    loading->status = tree_fault(loading->tree, name, -1, "cannot be opened");
    return -1;
  }
  loading->status = read_dataset(set, name, loading);
  H5Dclose(set);
  return loading->status == OK ? 0 : -1;
}

/* Called by the library for each attribute. One byte more than its size is allocated: a text may
 * lack its end. */
static herr_t visit_attribute(hid_t file, const char *name, const H5A_info_t *info, void *context) {
  (void)info;
  Loading *loading = context;
  char path[STORE_PATH];
  StoreType kind;
  hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
  hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
  bool one = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
  size_t size = type >= 0 ? H5Tget_size(type) : 0;
  loading->status = tree_fault(loading->tree, name, -1, "(an attribute) is damaged or foreign");
  if (one && known_type(type, &kind) &&
      snprintf(path, sizeof path, "@%s", name) < (int)sizeof path &&
      claim(loading, path, 1, 1, size) == OK) {
    hid_t memory = native_type(kind, size);
    char *value = calloc(1, size + 1);
    if (value && H5Aread(attribute, memory, value) >= 0)
      loading->status = kind == STORE_TEXT ? tree_put_texts(loading->tree, path, 1, size, value)
                                           : tree_put(loading->tree, path, kind, 1, 1, value);
    free(value);
    H5Tclose(memory);
  }
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  if (attribute >= 0) H5Aclose(attribute);
  return loading->status == OK ? 0 : -1;
}

/* Whether it is the kind of file that is wanted (NULL: any), of a version that can be read, with
 * the contents it had. *damaged is set to false where the file is only of another version. */
static Status check_identity(const Tree *tree, const char *kind, bool *damaged) {
  char text[64], digest[HASH_TEXT];
  uint64_t schema;
  TRY_RETURN(tree_get_text(tree, "@kind", text, sizeof text));
  if (kind && strcmp(text, kind))
    return status_set(ERR_FORMAT, "it is a '%s' file, not a '%s'", text, kind);
  TRY_RETURN(tree_get_u64(tree, "@schema_version", &schema));
  bool same = schema == STORE_SCHEMA || (schema == STORE_SCHEMA_PLAYER && !strcmp(text, "player"));
  *damaged = same;
  if (!same)
    return status_set(ERR_FORMAT, "its schema version is %llu, this program reads %d",
                      (unsigned long long)schema, STORE_SCHEMA);
  TRY_RETURN(tree_get_text(tree, "@digest", text, sizeof text));
  hash_text(tree_digest(tree), digest);
  if (strcmp(text, digest))
    return status_set(ERR_FORMAT, "its contents do not match its digest: the file is damaged");
  return tree_check_numbers(tree);
}

/* In this order: the seal over all bytes, before the library touches the file; then structure; then
 * the digest. */
Status store_load(const char *path, const char *kind, Tree *out, bool *damaged) {
  Seal seal;
  struct stat info;
  *out = (Tree){0};
  *damaged = false;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  TRY_RETURN(seal_check(path, &seal));
  if (stat(path, &info)) return status_set(ERR_IO, "cannot read %s: %s", path, strerror(errno));
  *damaged = true;
  if (seal == SEAL_BROKEN)
    return status_set(
        ERR_FORMAT,
        "%s: its bytes do not match its seal: it is damaged, truncated or of another program",
        path);
  Loading loading = {out, OK, (size_t)info.st_size};
  hid_t access = access_list();
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  if (file < 0)
    return status_set(ERR_FORMAT, "%s: it is no HDF5 file, or is truncated or damaged", path);
  hsize_t index = 0;
  bool good = H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_object, &loading) >= 0;
  if (good)
    good = H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, &index, visit_attribute, &loading) >= 0;
  if (!good && loading.status == OK)
    loading.status = status_set(ERR_FORMAT, "its structure is damaged");
  H5Fclose(file);
  if (loading.status == OK) loading.status = check_identity(out, kind, damaged);
  *damaged &= loading.status == ERR_FORMAT;
  if (loading.status != OK) {
    tree_free(out);
    return status_context(loading.status, "%s", path);
  }
  out->origin = strdup(path);
  return out->origin ? OK : status_set(ERR_MEMORY, "out of memory reading %s", path);
}

/* For those to whom it does not matter why a file cannot be read. */
Status store_read(const char *path, const char *kind, Tree *out) {
  bool damaged;
  return store_load(path, kind, out, &damaged);
}

/* A whole seal is enough, and costs one reading of the file. */
Status store_check(const char *path, bool *damaged) {
  Seal seal;
  Tree tree;
  *damaged = false;
  TRY_RETURN(seal_check(path, &seal));
  if (seal == SEAL_WHOLE) return OK;
  Status status = store_load(path, NULL, &tree, damaged);
  if (status == OK) tree_free(&tree);
  return status;
}

const char *store_library(void) {
  static char text[48];
  unsigned major, minor, release;
  H5get_libversion(&major, &minor, &release);
  snprintf(text, sizeof text, "HDF5 %u.%u.%u", major, minor, release);
  return text;
}

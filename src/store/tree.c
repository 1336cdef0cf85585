#include "store/store.h"

#include "base/invariant.h"
#include "base/text.h"
#include "store/counters.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of an element, in the order of StoreType; texts have any length, in letters. */
static const size_t type_size[] = {4, 8, 4, 4, 8, 1, 1};

void tree_free(Tree *tree) {
  for (size_t i = 0; i < tree->items; i++) {
    free(tree->item[i].data);
    free(tree->item[i].part);
  }
  free(tree->item);
  free(tree->origin);
  *tree = (Tree){0};
}

/* Copies a column into the tree. NULL for `data` leaves it zero. On failure the tree is as it
 * was. */
static Status put(Tree *tree, const char *path, StoreType type, size_t size, size_t count,
                  size_t width, const void *data) {
  if (tree_find(tree, path)) return status_set(ERR_INTERNAL, "dataset %s is written twice", path);
  TRY_RETURN(GROW(tree->item, tree->room, tree->items + 1));
  Item *item = &tree->item[tree->items];
  *item = (Item){.type = type, .size = size, .count = count, .width = width};
  TRY_RETURN(text_format(item->path, sizeof item->path, "%s", path));
  TRY_RETURN(mem_array(&item->data, count * width, size));
  if (count && width && data) memcpy(item->data, data, count * width * size);
  tree->items++;
  return OK;
}

Status tree_put(Tree *tree, const char *path, StoreType type, size_t count, size_t width,
                const void *data) {
  return put(tree, path, type, type_size[type], count, width, data);
}

Status tree_put_texts(Tree *tree, const char *path, size_t count, size_t field, const char *texts) {
  return put(tree, path, STORE_TEXT, field, count, 1, texts);
}

/* The field is just long enough for this text and its terminating 0. */
Status tree_put_text(Tree *tree, const char *path, const char *text) {
  return put(tree, path, STORE_TEXT, strlen(text) + 1, 1, 1, text);
}

Status tree_put_u64(Tree *tree, const char *path, uint64_t value) {
  return tree_put(tree, path, STORE_U64, 1, 1, &value);
}

Status tree_put_f64(Tree *tree, const char *path, double value) {
  return tree_put(tree, path, STORE_F64, 1, 1, &value);
}

Status tree_put_spooled(Tree *tree, const char *path, const Spool *spool, const SpoolPart *part,
                        size_t parts) {
  size_t bytes = 0;
  for (size_t i = 0; i < parts; i++)
    bytes += part[i].size;
  TRY_RETURN(put(tree, path, STORE_U8, 1, 0, 1, NULL));
  Item *item = &tree->item[tree->items - 1];
  Status status = NEW_ARRAY(item->part, parts);
  if (status != OK) {
    free(item->data);
    tree->items--;
    return status;
  }
  if (parts) memcpy(item->part, part, parts * sizeof *part);
  item->spool = spool;
  item->parts = parts;
  item->count = bytes;
  return OK;
}

/* ERR_INTERNAL where both trees have a column of the same name. */
Status tree_put_all(Tree *tree, const Tree *from) {
  for (size_t i = 0; i < from->items; i++) {
    const Item *item = &from->item[i];
    TRY_RETURN(put(tree, item->path, item->type, item->size, item->count, item->width, item->data));
  }
  return OK;
}

/* Trees have at most a few hundred columns: looking at them one by one is fast enough. */
const Item *tree_find(const Tree *tree, const char *path) {
  for (size_t i = 0; i < tree->items; i++)
    if (!strcmp(tree->item[i].path, path)) return &tree->item[i];
  return NULL;
}

void tree_drop(Tree *tree, const char *path) {
  for (size_t i = 0; i < tree->items; i++) {
    if (strcmp(tree->item[i].path, path)) continue;
    free(tree->item[i].data);
    free(tree->item[i].part);
    tree->item[i] = tree->item[--tree->items]; /* columns are in no order */
    return;
  }
}

/* Data and origin are those of the tree: only the list of columns is the view's own. */
Status tree_view(const Tree *tree, const char *prefix, Tree *out) {
  const size_t length = strlen(prefix);
  *out = (Tree){.origin = tree->origin};
  TRY_RETURN(NEW_ARRAY(out->item, tree->items));
  for (size_t i = 0; i < tree->items; i++) {
    const Item *item = &tree->item[i];
    if (strncmp(item->path, prefix, length)) continue;
    Item *seen = &out->item[out->items++];
    *seen = *item;
    memcpy(seen->path, item->path + length, strlen(item->path + length) + 1);
  }
  return OK;
}

void tree_view_free(Tree *view) {
  free(view->item);
  *view = (Tree){0};
}

/* Messages begin with the file's name where the tree came from one. */
Status tree_fault(const Tree *tree, const char *path, int64_t row, const char *format, ...) {
  char what[256], place[32] = "";
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  if (row >= 0) snprintf(place, sizeof place, ", row %lld", (long long)row);
  return status_set(ERR_FORMAT, "%s%sdataset '%s'%s %s", tree->origin ? tree->origin : "",
                    tree->origin ? ": " : "", path, place, what);
}

/* By division, as the product of three numbers from a damaged file may overflow. */
bool tree_fits(size_t left, size_t count, size_t width, size_t size) {
  if (!size || !width) return false;
  return !count || (size <= left && width <= left / size && count <= left / size / width);
}

/* A text without a terminating 0 in its field would be read beyond its end by everyone after. */
static Status check_texts(const Tree *tree, const Item *item) {
  for (size_t i = 0; i < item->count; i++)
    if (!memchr((const char *)item->data + i * item->size, 0, item->size))
      return tree_fault(tree, item->path, (int64_t)i, "has no end inside its field");
  return OK;
}

/* Everything is checked here once, so that callers can index the data without looking again. */
Status tree_get_table(const Tree *tree, const char *path, StoreType type, int64_t count,
                      size_t width, const Item **out) {
  const Item *item = tree_find(tree, path);
  if (!item) return tree_fault(tree, path, -1, "is missing");
  if (item->type != type) return tree_fault(tree, path, -1, "has the wrong type");
  if (item->width != width)
    return tree_fault(tree, path, -1, "has %zu columns, expected %zu", item->width, width);
  if (count >= 0 && item->count != (size_t)count)
    return tree_fault(tree, path, -1, "has %zu rows, expected %lld", item->count, (long long)count);
  if (type == STORE_TEXT) TRY_RETURN(check_texts(tree, item));
  *out = item;
  return OK;
}

Status tree_get(const Tree *tree, const char *path, StoreType type, int64_t count,
                const Item **out) {
  return tree_get_table(tree, path, type, count, 1, out);
}

/* Looks fast at all of them; only if there is a bad one does it look for the row to name. */
Status tree_check_finite(const Tree *tree, const Item *item) {
  size_t elements = item->count * item->width;
  const float *f32 = item->data;
  const double *f64 = item->data;
  if (item->type == STORE_F32 ? finite_floats(f32, elements) : finite_doubles(f64, elements))
    return OK;
  for (size_t i = 0; i < elements; i++)
    if (item->type == STORE_F32 ? !finite_floats(f32 + i, 1) : !finite_doubles(f64 + i, 1))
      return tree_fault(tree, item->path, (int64_t)(i / item->width), "is not a finite number");
  return OK;
}

Status tree_check_numbers(const Tree *tree) {
  for (size_t i = 0; i < tree->items; i++) {
    const Item *item = &tree->item[i];
    const bool floats = item->type == STORE_F32 || item->type == STORE_F64;
    if (!floats || !strcmp(item->path, CURRICULUM_MEASURE_PATH)) continue;
    TRY_RETURN(tree_check_finite(tree, item));
  }
  return OK;
}

Status tree_get_u64(const Tree *tree, const char *path, uint64_t *out) {
  const Item *item;
  TRY_RETURN(tree_get(tree, path, STORE_U64, 1, &item));
  memcpy(out, item->data, sizeof *out);
  return OK;
}

Status tree_get_f64(const Tree *tree, const char *path, double *out) {
  const Item *item;
  TRY_RETURN(tree_get(tree, path, STORE_F64, 1, &item));
  memcpy(out, item->data, sizeof *out);
  return OK;
}

/* A text that does not fit is an error, not cut: it may be a name that is compared later. */
Status tree_get_text(const Tree *tree, const char *path, char *out, size_t size) {
  const Item *item;
  TRY_RETURN(tree_get(tree, path, STORE_TEXT, 1, &item));
  size_t length = strlen(item->data);
  if (length >= size)
    return tree_fault(tree, path, -1, "is a text of more than %zu letters", size - 1);
  memcpy(out, item->data, length + 1);
  return OK;
}

/* Order for qsort. */
static int by_path(const void *a, const void *b) {
  const Item *const *x = a, *const *y = b;
  return strcmp((*x)->path, (*y)->path);
}

/* Columns are taken in the order of their names, as a file returns them in another order than they
 * were put in. The digest does not cover itself. Without memory it is zero, which matches no
 * file. */
/* The hash of a column's bytes. */
static Status digest_item(const Item *item, Hash *out) {
  Status status = OK;
  HashStream *stream = NULL;
  uint8_t *window = NULL;
  if (!item->spool) {
    *out = hash_bytes(item->data, item->count * item->width * item->size);
    return OK;
  }
  TRY_RETURN(NEW_ARRAY(window, STORE_CHUNK));
  stream = hash_begin();
  if (!stream) TRY(status_set(ERR_MEMORY, "out of memory writing a checkpoint"));
  for (size_t at = 0; at < item->count; at += STORE_CHUNK) {
    size_t size = item->count - at < STORE_CHUNK ? item->count - at : STORE_CHUNK;
    TRY(spool_read(item->spool, item->part, item->parts, at, window, size));
    hash_add(stream, window, size);
  }
done:
  free(window);
  if (stream) *out = hash_end(stream);
  return status;
}

Status tree_digest_all(const Tree *tree, Hash *out) {
  Status status = OK;
  Hash digest = {0, 0};
  const Item **order;
  TRY_RETURN(NEW_ARRAY(order, tree->items));
  for (size_t i = 0; i < tree->items; i++)
    order[i] = &tree->item[i];
  qsort(order, tree->items, sizeof(const Item *), by_path);
  for (size_t i = 0; i < tree->items; i++) {
    const Item *item = order[i];
    Hash bytes;
    if (!strcmp(item->path, "@digest")) continue;
    uint64_t shape[4] = {item->type, item->size, item->count, item->width};
    TRY(digest_item(item, &bytes));
    digest = hash_join(digest, hash_bytes(item->path, strlen(item->path)));
    digest = hash_join(digest, hash_bytes(shape, sizeof shape));
    digest = hash_join(digest, bytes);
  }
  *out = digest;
done:
  free(order);
  return status;
}

Hash tree_digest(const Tree *tree) {
  Hash digest;
  return tree_digest_all(tree, &digest) == OK ? digest : (Hash){0, 0};
}

/* A column after the other: name, type, shape, bytes. */
void tree_encode(const Tree *tree, Bytes *out) {
  bytes_u32(out, (uint32_t)tree->items);
  for (size_t i = 0; i < tree->items; i++) {
    const Item *item = &tree->item[i];
    bytes_text(out, item->path);
    bytes_u32(out, item->type);
    bytes_u64(out, item->size);
    bytes_u64(out, item->width);
    bytes_u64(out, item->count);
    bytes_put(out, item->data, item->count * item->width * item->size);
  }
}

/* What a sender claims is compared with the bytes that are left before memory is taken for it. */
Status tree_decode(Tree *tree, Reader *reader) {
  uint32_t items = reader_u32(reader);
  for (uint32_t i = 0; i < items && !reader->bad; i++) {
    char path[STORE_PATH];
    reader_text(reader, path, sizeof path);
    uint32_t type = reader_u32(reader);
    uint64_t size = reader_u64(reader);
    uint64_t width = reader_u64(reader);
    uint64_t count = reader_u64(reader);
    uint64_t left = reader->size - reader->at;
    bool plain = type <= STORE_TEXT && (type == STORE_TEXT || size == type_size[type]);
    if (!plain || !tree_fits(left, count, width, size)) reader->bad = true;
    const void *data = reader->bad ? NULL : reader_take(reader, (size_t)(count * width * size));
    if (!data) break;
    TRY_RETURN(put(tree, path, (StoreType)type, (size_t)size, (size_t)count, (size_t)width, data));
  }
  return reader->bad ? status_set(ERR_FORMAT, "a state message is damaged") : OK;
}

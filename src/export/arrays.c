/* Arrays of numbers in the formats of numpy and safetensors. */
#include "export/export.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- npz: an archive of arrays, each with a head that says what it is --- */

enum { ZIP_LOCAL = 0x04034b50, ZIP_ENTRY = 0x02014b50, ZIP_END = 0x06054b50 };
enum { ZIP_DAY = 1 << 5 | 1 /* the first of January 1980: the same agent, the same bytes */ };

static void put_u16(Bytes *out, size_t value) {
  const uint16_t small = (uint16_t)value;
  bytes_put(out, &small, sizeof small);
}

static size_t bytes_of(const ExportArray *array) {
  size_t size = array->type[2] == '1' ? 1 : 4;
  for (size_t d = 0; d < array->dims; d++)
    size *= array->shape[d];
  return size;
}

/* An array as a file of its own, version 1.0 of the format. */
static void put_npy(const ExportArray *array, Bytes *out) {
  char shape[160] = "";
  char head[320];
  size_t used = 0;
  for (size_t d = 0; d < array->dims; d++)
    used += (size_t)snprintf(shape + used, sizeof shape - used, "%zu, ", array->shape[d]);
  size_t size = (size_t)snprintf(head, sizeof head,
                                 "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }",
                                 array->type, shape);
  while ((10 + size + 1) % 64 != 0)
    head[size++] = ' ';
  head[size++] = '\n';
  bytes_put(out, "\223NUMPY\1\0", 8);
  put_u16(out, size);
  bytes_put(out, head, size);
  bytes_put(out, array->data, bytes_of(array));
}

/* The fields that a file's own head and its line in the directory share. */
static void put_zip_fields(Bytes *out, const Bytes *file, size_t name) {
  put_u16(out, 20); /* version that it takes */
  put_u16(out, 0);
  put_u16(out, 0); /* stored as it is */
  put_u16(out, 0);
  put_u16(out, ZIP_DAY);
  bytes_u32(out, format_checksum(file->data, file->size));
  bytes_u32(out, (uint32_t)file->size);
  bytes_u32(out, (uint32_t)file->size);
  put_u16(out, name);
  put_u16(out, 0);
}

/* One array into the archive, and its line into the directory. */
static void put_member(const ExportArray *array, Bytes *out, Bytes *directory) {
  Bytes file = {0};
  char name[128];
  const size_t at = out->size;
  const size_t size = (size_t)snprintf(name, sizeof name, "%.100s.npy", array->name);
  put_npy(array, &file);
  bytes_u32(out, ZIP_LOCAL);
  put_zip_fields(out, &file, size);
  bytes_put(out, name, size);
  bytes_put(out, file.data, file.size);
  bytes_u32(directory, ZIP_ENTRY);
  put_u16(directory, 20);
  put_zip_fields(directory, &file, size);
  put_u16(directory, 0);
  put_u16(directory, 0);
  put_u16(directory, 0);
  bytes_u32(directory, 0);
  bytes_u32(directory, (uint32_t)at);
  bytes_put(directory, name, size);
  out->failed |= file.failed;
  bytes_free(&file);
}

Status export_arrays(const ExportArray *array, size_t count, Bytes *out) {
  Bytes directory = {0};
  for (size_t i = 0; i < count; i++)
    put_member(&array[i], out, &directory);
  const size_t at = out->size;
  bytes_put(out, directory.data, directory.size);
  bytes_u32(out, ZIP_END);
  put_u16(out, 0);
  put_u16(out, 0);
  put_u16(out, count);
  put_u16(out, count);
  bytes_u32(out, (uint32_t)directory.size);
  bytes_u32(out, (uint32_t)at);
  put_u16(out, 0);
  const bool whole = !directory.failed && !out->failed;
  bytes_free(&directory);
  if (out->size > UINT32_MAX || count > UINT16_MAX)
    return status_set(ERR_USAGE, "more than 4 GB do not fit into an .npz file");
  return whole ? OK : status_set(ERR_MEMORY, "out of memory writing arrays");
}

/* --- the layers of an agent --- */

/* A layer of one copy, or, where there are several, of all of them behind one another, which
 * `buffer` then holds. */
static void take_layer(const AgentFile *file, const FormatView *view, float *buffer,
                       ExportArray *out) {
  const Model *m = &file->model;
  *out = (ExportArray){.name = view->name, .type = "<f4", .data = m->block + view->offset};
  if (m->copies > 1) {
    for (size_t c = 0; c < m->copies; c++)
      memcpy(buffer + c * view->count, m->block + c * m->stride + view->offset,
             view->count * sizeof *buffer);
    out->shape[out->dims++] = m->copies;
    out->data = buffer;
  }
  for (size_t d = 0; d < view->dims; d++)
    out->shape[out->dims++] = view->shape[d];
}

/* All layers; *array and *buffer are the caller's (free), on failure too. */
static Status take_layers(const AgentFile *file, ExportArray **array, float **buffer) {
  size_t used = 0;
  *buffer = NULL;
  TRY_RETURN(NEW_ARRAY(*array, file->views + 1));
  for (size_t i = 0; i < file->views; i++)
    used += file->view[i].count;
  TRY_RETURN(NEW_ARRAY(*buffer, file->model.copies * used + 1));
  used = 0;
  for (size_t i = 0; i < file->views; i++) {
    take_layer(file, &file->view[i], *buffer + used, &(*array)[i]);
    used += file->model.copies * file->view[i].count;
  }
  return OK;
}

Status export_npz(const AgentFile *file, Bytes *out) {
  Status status = OK;
  ExportArray *array = NULL;
  float *buffer = NULL;
  TRY(take_layers(file, &array, &buffer));
  array[file->views] = (ExportArray){.name = "metadata",
                                     .type = "|u1",
                                     .dims = 1,
                                     .shape = {strlen(file->metadata)},
                                     .data = file->metadata};
  TRY(export_arrays(array, file->views + 1, out));
done:
  free(array);
  free(buffer);
  return status;
}

/* The head's line of an array, whose bytes lie from `at` on. */
static json_t *tensor_json(const ExportArray *array, size_t at) {
  json_t *shape = json_array();
  for (size_t d = 0; d < array->dims; d++)
    json_array_append_new(shape, json_integer((json_int_t)array->shape[d]));
  return json_pack("{s:s,s:o,s:[II]}", "dtype", "F32", "shape", shape, "data_offsets",
                   (json_int_t)at, (json_int_t)(at + bytes_of(array)));
}

/* A head of JSON behind its length, padded so that the numbers lie at multiples of 8. */
Status export_safetensors(const AgentFile *file, Bytes *out) {
  Status status = OK;
  ExportArray *array = NULL;
  float *buffer = NULL;
  char *text = NULL;
  size_t at = 0;
  json_t *root = json_pack("{s:{s:s,s:s}}", "__metadata__", "format", "pt", "agon", file->metadata);
  TRY(take_layers(file, &array, &buffer));
  for (size_t i = 0; i < file->views; i++) {
    json_object_set_new(root, array[i].name, tensor_json(&array[i], at));
    at += bytes_of(&array[i]);
  }
  text = root ? json_dumps(root, JSON_COMPACT) : NULL;
  if (!text) TRY(status_set(ERR_MEMORY, "out of memory writing arrays"));
  const size_t size = (strlen(text) + 7) & ~(size_t)7;
  bytes_u64(out, size);
  bytes_put(out, text, strlen(text));
  for (size_t i = strlen(text); i < size; i++)
    bytes_u8(out, ' ');
  for (size_t i = 0; i < file->views; i++)
    bytes_put(out, array[i].data, bytes_of(&array[i]));
  if (out->failed) TRY(status_set(ERR_MEMORY, "out of memory writing arrays"));
done:
  json_decref(root);
  free(text);
  free(array);
  free(buffer);
  return status;
}

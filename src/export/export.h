/* Agents for use outside of agon: a player's network as one list of steps, and files of it in
 * several formats. All of them are made of what libagon reads back, so that they cannot differ. */
#pragma once
#include "agent/contestant.h"
#include "base/bytes.h"
#include "libagon/format.h"

#include <jansson.h>

/* The player to be exported; all borrowed. It has a network. */
typedef struct ExportSource {
  const Contestant *who;
  const char *player; /* its name */
  const Env *env;
  const json_t *facts; /* object: what else is known of it, which becomes part of the metadata */
} ExportSource;

/* The file of format `agon`. The caller frees *out, on failure too. ERR_USAGE where the network has
 * layers that nobody reads, ERR_MEMORY. */
Status export_agent(const ExportSource *source, Bytes *out);
/* The same file read back; the caller's (format_free). ERR_FORMAT, ERR_MEMORY. */
Status export_read(const Bytes *bytes, AgentFile *out);
/* A copy of the file with other numbers, of which it has `count`. The caller frees *out, on failure
 * too. ERR_MEMORY. */
Status export_with_numbers(const Bytes *agent, const float *block, size_t count, Bytes *out);

/* --- other formats, of such a file; the caller frees *out, on failure too. ERR_MEMORY. --- */

/* numpy's: one array for each layer, and `metadata`, JSON as bytes. */
Status export_npz(const AgentFile *file, Bytes *out);
/* Hugging Face's: the same, with the metadata in its header. */
Status export_safetensors(const AgentFile *file, Bytes *out);

/* A named array of numbers. */
typedef struct ExportArray {
  const char *name;
  const char *type; /* numpy's: "<f4", "|u1", "<i4" */
  size_t dims;
  size_t shape[5];
  const void *data; /* borrowed */
} ExportArray;

/* A .npz file of such arrays. ERR_MEMORY. */
Status export_arrays(const ExportArray *array, size_t count, Bytes *out);

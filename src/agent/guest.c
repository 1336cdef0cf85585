#include "agent/guest.h"

#include "agent/exported.h"
#include "agent/onnx.h"
#include "agent/program.h"
#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST = 64 << 20 /* bytes of a file that is looked into because a command names it */ };

bool guest_is_file(const char *text) {
  return !program_named(text) && (text_ends_in(text, ".agon") || text_ends_in(text, ".onnx"));
}

/* A word of a command that names a file: a script, weights. What it holds is a part of the player;
 * what cannot be read, or is no plain file, is not. */
static Status add_word(const char *word, Hash *hash) {
  struct stat info;
  char *bytes;
  size_t size;
  if (stat(word, &info) || !S_ISREG(info.st_mode) || info.st_size > LARGEST) return OK;
  const Status status = file_read(word, &bytes, &size);
  if (status == ERR_MEMORY) return status;
  if (status != OK) return OK;
  *hash = hash_join(*hash, hash_bytes(bytes, size));
  free(bytes);
  return OK;
}

/* Words are what spaces and quotes part: a shell may see others, but a script's name is one. */
static Status hash_program(const char *text, Hash *out) {
  char word[GUEST_TEXT];
  *out = hash_bytes(text, strlen(text));
  for (const char *at = strchr(text, ':') + 1; *at;) {
    at += strspn(at, " \t\"'");
    const size_t length = strcspn(at, " \t\"'");
    if (length > 0 && length < sizeof word) {
      memcpy(word, at, length);
      word[length] = 0;
      TRY_RETURN(add_word(word, out));
    }
    at += length;
  }
  return OK;
}

Status guest_read(const char *text, char **bytes, size_t *size, Hash *hash) {
  *bytes = NULL;
  *size = 0;
  if (program_named(text) && strchr(text, ':')) return hash_program(text, hash);
  if (guest_is_file(text)) {
    TRY_RETURN(file_read(text, bytes, size));
    *hash = hash_bytes(*bytes, *size);
    return OK;
  }
  if (!builtin_find(text))
    return status_set(ERR_USAGE,
                      "'%.200s' is no player from outside: a built-in (random, scripted, "
                      "alphabeta-4), exec:COMMAND, FILE.agon or FILE.onnx",
                      text);
  *hash = hash_bytes(text, strlen(text));
  return OK;
}

Status guest_create(const char *name, const char *text, const void *bytes, size_t size,
                    const Env *env, BuiltinPolicy **out) {
  char own[EXPORTED_NAME]; /* no shorter than PROGRAM_NAME */
  const Status status = program_named(text)           ? program_create(text, env, own, out)
                        : text_ends_in(text, ".onnx") ? onnx_of_bytes(text, bytes, size, env, out)
                        : guest_is_file(text) ? exported_of_bytes(text, bytes, size, env, own, out)
                                              : builtin_create(text, env, out);
  if (status != OK) return status_context(status, "guest %s in %s", name, env->title);
  snprintf((*out)->guest, sizeof(*out)->guest, "%s", name);
  return OK;
}

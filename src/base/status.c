/* The message lives in thread-local storage so that libraries can fail without printing. */
#include "base/status.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char message[1024];

/* Formats the message of this failure; an earlier one is overwritten. */
Status status_set(Status code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  return code;
}

/* Puts what was being done in front: "cannot load run: cannot read x.h5: no such file". Heads are
 * cut at 255 letters and the old message at 700, so that both stay whole enough to be read. */
Status status_context(Status code, const char *format, ...) {
  char old[sizeof message], head[256];
  memcpy(old, message, sizeof old);
  va_list args;
  va_start(args, format);
  vsnprintf(head, sizeof head, format, args);
  va_end(args);
  snprintf(message, sizeof message, "%s: %.700s", head, old);
  return code;
}

/* Valid until the next failure of this thread. */
const char *status_message(void) {
  return message;
}

/* What the shell sees; these numbers are promised to scripts. */
int status_exit_code(Status code) {
  switch (code) {
  case OK: return 0;
  case ERR_USAGE: return 2;
  case ERR_RUN: return 3;
  case ERR_FORMAT: return 4;
  case ERR_IO: return 5;
  case ERR_MEMORY: return 6;
  case ERR_ENV: return 7;
  case ERR_INTERNAL: break;
  }
  return 1;
}

/* One item at least is allocated, so that NULL always means that memory ran out. What is more than
 * there can be is not even asked for: sanitizers would end the program over it. */
Status mem_array(void *out_pointer, size_t count, size_t size) {
  const size_t items = count ? count : 1;
  const size_t bytes = size ? size : 1;
  void *block = items <= SIZE_MAX / 2 / bytes ? calloc(items, bytes) : NULL;
  memcpy(out_pointer, &block, sizeof block);
  // cppcheck-suppress memleak ; the block went out through out_pointer
  return block ? OK : status_set(ERR_MEMORY, "out of memory (%zu items of %zu bytes)", count, size);
}

/* Doubles the capacity until `needed` fit; the new part is zeroed, so that arrays of structs start
 * empty. The pointer is copied by memcpy, as *pointer may be of any pointer type. */
Status mem_grow(void *pointer, size_t *capacity, size_t needed, size_t size) {
  if (needed <= *capacity) return OK;
  size_t room = *capacity ? *capacity : 16;
  if (needed > SIZE_MAX / 2 / size)
    return status_set(ERR_MEMORY, "out of memory (%zu items of %zu bytes)", needed, size);
  while (room < needed)
    room *= 2;
  void *old;
  memcpy(&old, pointer, sizeof old);
  char *block = room > SIZE_MAX / size ? NULL : realloc(old, room * size);
  if (!block) return status_set(ERR_MEMORY, "out of memory (%zu items of %zu bytes)", room, size);
  memset(block + *capacity * size, 0, (room - *capacity) * size);
  memcpy(pointer, &block, sizeof block);
  *capacity = room;
  return OK;
}

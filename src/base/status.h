/* Status codes and the one thread-local message of the last failure: what, where, and what to
 * do. */
#pragma once
#include <stddef.h>

typedef enum Status {
  OK = 0,
  ERR_USAGE = -1,    /* bad flag, key or value: exit code 2 */
  ERR_RUN = -2,      /* run folder exists, is missing or is locked: exit code 3 */
  ERR_FORMAT = -3,   /* damaged, truncated or foreign file or message: exit code 4 */
  ERR_IO = -4,       /* the operating system refused: exit code 5 */
  ERR_MEMORY = -5,   /* exit code 6 */
  ERR_ENV = -6,      /* an environment or plug-in broke its contract: exit code 7 */
  ERR_INTERNAL = -7, /* a broken promise of our own: exit code 1 */
} Status;

/* Records the message and returns `code`. */
Status status_set(Status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts "context: " before the message and returns `code`. */
Status status_context(Status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The message of this thread's last failure; borrowed, and valid until the next one. */
const char *status_message(void);
/* The exit code that the program documents for a status; 0 for OK. */
int status_exit_code(Status code);

/* Allocates `count` zeroed items of `size` bytes into the pointer that out_pointer points at; the
 * caller's, by free. ERR_MEMORY; the pointer is then NULL. */
Status mem_array(void *out_pointer, size_t count, size_t size);
/* Reallocates the array at *pointer, which has *capacity items of `size` bytes, to hold at least
 * `needed`; new items are zero. ERR_MEMORY; then the array is still the caller's, as it was. */
Status mem_grow(void *pointer, size_t *capacity, size_t needed, size_t size);

#define TRY(call)                                                                                  \
  do {                                                                                             \
    status = (call);                                                                               \
    if (status != OK) goto done;                                                                   \
  } while (0)
#define TRY_RETURN(call)                                                                           \
  do {                                                                                             \
    Status try_status_ = (call);                                                                   \
    if (try_status_ != OK) return try_status_;                                                     \
  } while (0)
#define NEW_ARRAY(pointer, count) mem_array(&(pointer), (count), sizeof *(pointer))
#define GROW(pointer, capacity, needed)                                                            \
  mem_grow(&(pointer), &(capacity), (needed), sizeof *(pointer))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

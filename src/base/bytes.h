/* Byte strings: an appending writer and a bounds-checked reader. Numbers are little-endian (the
 * only byte order that the supported machines have; checked when compiled). A reader that runs past
 * its end sets `bad` and yields zeros. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* A string of bytes that grows. Start from {0}. */
typedef struct Bytes {
  uint8_t *data; /* owned; release with bytes_free */
  size_t size, capacity;
  bool failed; /* memory ran out while appending */
} Bytes;

/* A place in bytes that belong to somebody else. `at` counts from their beginning. */
typedef struct Reader {
  const uint8_t *data;
  size_t size, at;
  bool bad;
} Reader;

/* Also for an empty string; the struct can be used again afterwards. */
void bytes_free(Bytes *bytes);
/* Adds `size` bytes of unset memory at the end and returns where they begin, valid until the next
 * call that appends. NULL (and `failed`) without memory; what was there before stays. */
void *bytes_extend(Bytes *bytes, size_t size);
/* Appends: raw bytes; a number; a text with its length. Without memory they do nothing but set
 * `failed`. */
void bytes_put(Bytes *bytes, const void *data, size_t size);
void bytes_u8(Bytes *bytes, uint8_t value);
void bytes_u32(Bytes *bytes, uint32_t value);
void bytes_u64(Bytes *bytes, uint64_t value);
void bytes_f64(Bytes *bytes, double value);
void bytes_text(Bytes *bytes, const char *text);

Reader reader_over(const void *data, size_t size);
/* The next `size` bytes, borrowed from the input; NULL (and `bad`) if fewer are left. */
const void *reader_take(Reader *reader, size_t size);
/* Copies the next `size` bytes to `out`, or zeros if fewer are left. */
void reader_get(Reader *reader, void *out, size_t size);
uint8_t reader_u8(Reader *reader);
uint32_t reader_u32(Reader *reader);
uint64_t reader_u64(Reader *reader);
double reader_f64(Reader *reader);
/* A text as bytes_text wrote it, copied to out[size] with a terminating 0; empty and `bad` if it
 * does not fit. */
void reader_text(Reader *reader, char *out, size_t size);
/* Reads a count of items of `item_size` bytes each. 0 and `bad` if that many cannot be in what is
 * left. */
size_t reader_count(Reader *reader, size_t item_size);
/* ERR_FORMAT unless everything was read and nothing was short; `what` names the message or file for
 * the user. */
Status reader_finish(const Reader *reader, const char *what);

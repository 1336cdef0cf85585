/* Byte strings: an appending writer and a bounds-checked reader. Numbers are little-endian (the only byte order that
 * the supported machines have; checked when compiled). A reader that runs past its end sets `bad` and yields zeros. */
#pragma once
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Bytes {
  uint8_t *data; /* owned; release with bytes_free */
  size_t size, capacity;
  bool failed; /* memory ran out while appending */
} Bytes;

typedef struct Reader {
  const uint8_t *data;
  size_t size, at;
  bool bad;
} Reader;

void bytes_free(Bytes *bytes);
void *bytes_extend(Bytes *bytes, size_t size); /* uninitialised room at the end; NULL (and failed) without memory */
void bytes_put(Bytes *bytes, const void *data, size_t size);
void bytes_u8(Bytes *bytes, uint8_t value);
void bytes_u32(Bytes *bytes, uint32_t value);
void bytes_u64(Bytes *bytes, uint64_t value);
void bytes_f64(Bytes *bytes, double value);
void bytes_text(Bytes *bytes, const char *text);

Reader reader_over(const void *data, size_t size);
const void *reader_take(Reader *reader, size_t size); /* borrowed; NULL when short */
void reader_get(Reader *reader, void *out, size_t size);
uint8_t reader_u8(Reader *reader);
uint32_t reader_u32(Reader *reader);
uint64_t reader_u64(Reader *reader);
double reader_f64(Reader *reader);
void reader_text(Reader *reader, char *out, size_t size);
/* A count of items of `item_size` bytes each that must still fit into what is left. */
size_t reader_count(Reader *reader, size_t item_size);
Status reader_finish(const Reader *reader, const char *what); /* ERR_FORMAT unless all was read and nothing was short */

/* Appending never reports a failure by itself: `failed` stays set, so that a writer of many fields
 * is checked once, at its end. A Reader keeps `bad` in the same way. */
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "agon's wire format is little-endian");

/* Releases the bytes and leaves an empty string that can be appended to again. */
void bytes_free(Bytes *bytes) {
  free(bytes->data);
  *bytes = (Bytes){0};
}

/* Capacity doubles, so that appending byte by byte costs constant time on average. The limit of a
 * quarter of SIZE_MAX keeps the doubling from overflowing. */
void *bytes_extend(Bytes *bytes, size_t size) {
  if (size > SIZE_MAX / 4 - bytes->size) {
    bytes->failed = true;
    return NULL;
  }
  if (bytes->size + size > bytes->capacity) {
    size_t room = bytes->capacity ? bytes->capacity * 2 : 256;
    while (room < bytes->size + size)
      room *= 2;
    uint8_t *grown = realloc(bytes->data, room);
    if (!grown) {
      bytes->failed = true;
      return NULL;
    }
    bytes->data = grown;
    bytes->capacity = room;
  }
  bytes->size += size;
  return bytes->data + bytes->size - size;
}

/* Copies `size` bytes to the end; the typed versions below do it for one value in the machine's
 * byte order. */
void bytes_put(Bytes *bytes, const void *data, size_t size) {
  void *room = bytes_extend(bytes, size);
  if (room && size) memcpy(room, data, size);
}

void bytes_u8(Bytes *bytes, uint8_t value) {
  bytes_put(bytes, &value, 1);
}
void bytes_u32(Bytes *bytes, uint32_t value) {
  bytes_put(bytes, &value, 4);
}
void bytes_u64(Bytes *bytes, uint64_t value) {
  bytes_put(bytes, &value, 8);
}
void bytes_f64(Bytes *bytes, double value) {
  bytes_put(bytes, &value, 8);
}

/* A text is written as its length in four bytes, then its letters, without a terminating 0. */
void bytes_text(Bytes *bytes, const char *text) {
  uint32_t size = (uint32_t)strlen(text);
  bytes_u32(bytes, size);
  bytes_put(bytes, text, size);
}

/* A reader at the beginning of bytes that it borrows. */
Reader reader_over(const void *data, size_t size) {
  return (Reader){.data = data, .size = size};
}

/* Nothing more is given once anything was short: what follows a damaged length has no meaning. */
const void *reader_take(Reader *reader, size_t size) {
  if (reader->bad || size > reader->size - reader->at) {
    reader->bad = true;
    return NULL;
  }
  reader->at += size;
  return reader->data + reader->at - size;
}

/* Fills `out` with zeros where the input ends, so that no caller reads memory that was never
 * set. */
void reader_get(Reader *reader, void *out, size_t size) {
  const void *data = reader_take(reader, size);
  if (data && size) memcpy(out, data, size);
  if (!data) memset(out, 0, size);
}

/* The typed readers give 0 where the input has ended. */
uint8_t reader_u8(Reader *reader) {
  uint8_t value;
  reader_get(reader, &value, 1);
  return value;
}

uint32_t reader_u32(Reader *reader) {
  uint32_t value;
  reader_get(reader, &value, 4);
  return value;
}

uint64_t reader_u64(Reader *reader) {
  uint64_t value;
  reader_get(reader, &value, 8);
  return value;
}

double reader_f64(Reader *reader) {
  double value;
  reader_get(reader, &value, 8);
  return value;
}

/* Reads a text into out[size]. It must fit with its terminating 0 and hold no 0 itself; otherwise
 * the reader is bad. */
void reader_text(Reader *reader, char *out, size_t size) {
  uint32_t length = reader_u32(reader);
  if (length >= size) reader->bad = true;
  const void *text = reader_take(reader, length);
  out[0] = 0;
  if (!text) return;
  if (memchr(text, 0, length)) reader->bad = true;
  memcpy(out, text, length);
  out[length] = 0;
}

/* A count is compared with what is left before anyone allocates for it, so that a damaged one
 * cannot ask for terabytes. */
size_t reader_count(Reader *reader, size_t item_size) {
  uint64_t count = reader_u64(reader);
  if (!item_size) item_size = 1; /* items of no bytes would let any count pass */
  if (count > (reader->size - reader->at) / item_size) reader->bad = true;
  return reader->bad ? 0 : (size_t)count;
}

/* A message that is longer than it should be is as wrong as one that is too short. */
Status reader_finish(const Reader *reader, const char *what) {
  if (reader->bad)
    return status_set(ERR_FORMAT, "%s is too short or damaged (at byte %zu of %zu)", what,
                      reader->at, reader->size);
  if (reader->at != reader->size)
    return status_set(ERR_FORMAT, "%s has %zu bytes too many", what, reader->size - reader->at);
  return OK;
}

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "agon's wire format is little-endian");

void bytes_free(Bytes *bytes) {
  free(bytes->data);
  *bytes = (Bytes){0};
}

void *bytes_extend(Bytes *bytes, size_t size) {
  if (size > SIZE_MAX / 4 - bytes->size) {
    bytes->failed = true;
    return NULL;
  }
  if (bytes->size + size > bytes->capacity) {
    size_t room = bytes->capacity ? bytes->capacity * 2 : 256;
    while (room < bytes->size + size) room *= 2;
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

void bytes_put(Bytes *bytes, const void *data, size_t size) {
  void *room = bytes_extend(bytes, size);
  if (room && size) memcpy(room, data, size);
}

void bytes_u8(Bytes *bytes, uint8_t value) { bytes_put(bytes, &value, 1); }
void bytes_u32(Bytes *bytes, uint32_t value) { bytes_put(bytes, &value, 4); }
void bytes_u64(Bytes *bytes, uint64_t value) { bytes_put(bytes, &value, 8); }
void bytes_f64(Bytes *bytes, double value) { bytes_put(bytes, &value, 8); }

void bytes_text(Bytes *bytes, const char *text) {
  uint32_t size = (uint32_t)strlen(text);
  bytes_u32(bytes, size);
  bytes_put(bytes, text, size);
}

Reader reader_over(const void *data, size_t size) { return (Reader){.data = data, .size = size}; }

const void *reader_take(Reader *reader, size_t size) {
  if (reader->bad || size > reader->size - reader->at) {
    reader->bad = true;
    return NULL;
  }
  reader->at += size;
  return reader->data + reader->at - size;
}

void reader_get(Reader *reader, void *out, size_t size) {
  const void *data = reader_take(reader, size);
  if (data && size) memcpy(out, data, size);
  if (!data) memset(out, 0, size);
}

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

size_t reader_count(Reader *reader, size_t item_size) {
  uint64_t count = reader_u64(reader);
  if (!item_size) item_size = 1; /* items of no bytes would let any count pass */
  if (count > (reader->size - reader->at) / item_size) reader->bad = true;
  return reader->bad ? 0 : (size_t)count;
}

Status reader_finish(const Reader *reader, const char *what) {
  if (reader->bad)
    return status_set(ERR_FORMAT, "%s is too short or damaged (at byte %zu of %zu)", what, reader->at, reader->size);
  if (reader->at != reader->size)
    return status_set(ERR_FORMAT, "%s has %zu bytes too many", what, reader->size - reader->at);
  return OK;
}

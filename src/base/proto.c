#include "base/proto.h"

#include <string.h>

/* How a value is written, the lowest three bits of what stands before it. */
enum { VARINT = 0, FIXED64 = 1, DELIMITED = 2, FIXED32 = 5 };

/* Seven bits a byte, lowest first; the top bit says that more follow. */
static void put_varint(Bytes *out, uint64_t value) {
  for (; value > 127; value >>= 7)
    bytes_u8(out, (uint8_t)(value | 128));
  bytes_u8(out, (uint8_t)value);
}

static void put_tag(Bytes *out, uint32_t field, uint32_t type) {
  put_varint(out, field << 3 | type);
}

void proto_int(Bytes *out, uint32_t field, uint64_t value) {
  put_tag(out, field, VARINT);
  put_varint(out, value);
}

void proto_f32(Bytes *out, uint32_t field, float value) {
  put_tag(out, field, FIXED32);
  bytes_put(out, &value, sizeof value);
}

void proto_f64(Bytes *out, uint32_t field, double value) {
  put_tag(out, field, FIXED64);
  bytes_f64(out, value);
}

void proto_bytes(Bytes *out, uint32_t field, const void *data, size_t size) {
  put_tag(out, field, DELIMITED);
  put_varint(out, size);
  bytes_put(out, data, size);
}

void proto_text(Bytes *out, uint32_t field, const char *text) {
  proto_bytes(out, field, text, strlen(text));
}

void proto_message(Bytes *out, uint32_t field, Bytes *message) {
  proto_bytes(out, field, message->data, message->size);
  out->failed |= message->failed;
  bytes_free(message);
}

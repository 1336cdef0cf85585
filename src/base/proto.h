/* Fields of protocol buffers, written one after another: what event files and ONNX are made of. A
 * field is its number, how it is written, and its value; a message within a message is its bytes.
 * Without memory `failed` of the bytes is set, as by every writer of base/bytes.h. */
#pragma once
#include "base/bytes.h"

/* Whole numbers, flags and choices. */
void proto_int(Bytes *out, uint32_t field, uint64_t value);
void proto_f32(Bytes *out, uint32_t field, float value);
void proto_f64(Bytes *out, uint32_t field, double value);
void proto_bytes(Bytes *out, uint32_t field, const void *data, size_t size);
void proto_text(Bytes *out, uint32_t field, const char *text);
/* A message within a message, which is then empty again: it needs no bytes_free. */
void proto_message(Bytes *out, uint32_t field, Bytes *message);

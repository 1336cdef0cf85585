/* The envelope: 4 bytes "AGON", 4 bytes version, 4 bytes kind, 4 bytes check sum of kind and body.
 */
#include "wire/wire.h"

#include <string.h>

enum { MAGIC = 0x4e4f4741, HEADER = 16, SUM_AT = 12 };

/* Over kind and body: a message that lost or changed a byte is refused before anything in it is
 * believed. */
static uint32_t check_sum(const uint8_t *message, size_t size) {
  Hash body = hash_bytes(message + HEADER, size - HEADER);
  Hash head = hash_bytes(message, SUM_AT);
  return (uint32_t)hash_join(head, body).low;
}

/* The check sum is filled in when the message goes out. */
void wire_begin(WireOut *out, WireKind kind) {
  out->bytes.size = 0;
  bytes_u32(&out->bytes, MAGIC);
  bytes_u32(&out->bytes, WIRE_VERSION);
  bytes_u32(&out->bytes, kind);
  bytes_u32(&out->bytes, 0);
}

/* Makes a message of what was built, and empties `out` for the next. */
static Status take(WireOut *out, Message **message) {
  if (out->bytes.failed) return status_set(ERR_MEMORY, "out of memory building a message");
  *message = message_create(out->bytes.size);
  if (!*message) return status_set(ERR_MEMORY, "out of memory building a message");
  uint32_t sum = check_sum(out->bytes.data, out->bytes.size);
  memcpy(out->bytes.data + SUM_AT, &sum, sizeof sum);
  memcpy((*message)->data, out->bytes.data, out->bytes.size);
  out->bytes.size = 0;
  return OK;
}

Status wire_send(Transport *transport, int to, WireOut *out) {
  return wire_send_many(transport, &to, 1, out);
}

/* Each receiver holds a reference to the one message. */
Status wire_forward(Transport *transport, const int *to, size_t count, Message *message) {
  Status status = OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    status = transport->ops->send(transport, to[i], message_retain(message));
    if (status != OK) message_release(message);
  }
  return status;
}

/* Encoded once, however many receive it. */
Status wire_send_many(Transport *transport, const int *to, size_t count, WireOut *out) {
  Message *message = NULL;
  if (count == 0) return OK;
  Status status = take(out, &message);
  if (status == OK) status = wire_forward(transport, to, count, message);
  message_release(message);
  return status;
}

/* In this order: is it ours, of this version, of a known kind, and whole. */
Status wire_open(const Message *message, WireKind *kind, Reader *reader) {
  *reader = reader_over(message->data, message->size);
  uint32_t magic = reader_u32(reader);
  uint32_t version = reader_u32(reader);
  uint32_t code = reader_u32(reader);
  uint32_t sum = reader_u32(reader);
  if (reader->bad || magic != MAGIC)
    return status_set(ERR_FORMAT, "rank %d sent something that is no agon message", message->peer);
  if (version != WIRE_VERSION)
    return status_set(
        ERR_FORMAT,
        "rank %d speaks wire version %u, this program %d: run the same build on all hosts",
        message->peer, version, WIRE_VERSION);
  if (code < 1 || code >= WIRE_LAST)
    return status_set(ERR_FORMAT, "rank %d sent an unknown message kind %u", message->peer, code);
  if (sum != check_sum(message->data, message->size))
    return status_set(ERR_FORMAT,
                      "a %s message from rank %d is damaged: its check sum does not match",
                      wire_name((WireKind)code), message->peer);
  *kind = (WireKind)code;
  return OK;
}

/* The envelope: every message is a header (magic, version, kind, check sum of kind and body) and
 * the body, of which messages.h knows what it says. */
#pragma once
#include "transport/transport.h"
#include "wire/messages.h"

/* A message being built; used again for the next one. */
typedef struct WireOut {
  Bytes bytes; /* owned; release with bytes_free */
} WireOut;
/* Starts a message; its body is appended to out->bytes, by the encoder of its kind. */
void wire_begin(WireOut *out, WireKind kind);
/* Sends and empties `out`. ERR_MEMORY, ERR_IO; the message is then lost. */
Status wire_send(Transport *transport, int to, WireOut *out);
/* The same message to several ranks, without copying. On failure some of them may get it. */
Status wire_send_many(Transport *transport, const int *to, size_t count, WireOut *out);
/* Passes a message that has arrived on to other ranks, without copying; the caller keeps its
 * reference. */
Status wire_forward(Transport *transport, const int *to, size_t count, Message *message);
/* Checks the envelope; *reader stands at the body. ERR_FORMAT for foreign, damaged or newer
 * messages, naming the rank they came from. */
Status wire_open(const Message *message, WireKind *kind, Reader *reader);

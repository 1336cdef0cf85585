/* The pool: freed buffers wait here to be received into again. One per thread. */
#include "transport/transport.h"

#include "base/invariant.h"

#include <stdlib.h>
#include <string.h>

enum { POOL = 64 };

static _Thread_local Message *pool[POOL];

Message *message_create(size_t size) {
  Message *message = NULL;
  for (int i = 0; i < POOL && !message; i++) {
    if (!pool[i] || pool[i]->capacity < size || pool[i]->capacity > 4 * size + 4096) continue;
    message = pool[i];
    pool[i] = NULL;
  }
  if (!message) {
    message = calloc(1, sizeof *message);
    if (!message) return NULL;
    message->capacity = size ? size : 1;
    message->data = malloc(message->capacity);
    if (!message->data) {
      free(message);
      return NULL;
    }
  }
  message->size = size;
  message->refs = 1;
  return message;
}

Message *message_retain(Message *message) {
  INVARIANT(message->refs > 0);
  message->refs++;
  return message;
}

void message_release(Message *message) {
  INVARIANT(!message || message->refs > 0);
  if (!message || --message->refs > 0) return;
  for (int i = 0; i < POOL; i++) {
    if (pool[i]) continue;
    pool[i] = message;
    return;
  }
  free(message->data);
  free(message);
}

void message_pool_clear(void) {
  for (int i = 0; i < POOL; i++) {
    if (!pool[i]) continue;
    free(pool[i]->data);
    free(pool[i]);
    pool[i] = NULL;
  }
}

void transport_destroy(Transport *transport) {
  if (transport) transport->ops->destroy(transport);
}

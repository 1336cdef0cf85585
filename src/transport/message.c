/* The pool: freed buffers wait here to be received into again. One per thread. */
#include "transport/transport.h"

#include "base/invariant.h"

#include <stdlib.h>
#include <string.h>

enum { POOL = 64 };

static _Thread_local Message *pool[POOL];

/* Takes a buffer from the pool if one is large enough and not more than four times too large (and a
 * bit), so that small messages do not hold large buffers. */
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

/* One more holder: a message to many ranks is encoded once and retained for each. */
Message *message_retain(Message *message) {
  INVARIANT(message->refs > 0);
  message->refs++;
  return message;
}

/* The last holder's release puts the buffer into the pool, or frees it if the pool is full. */
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

/* For the end of a thread, so that leak checkers find nothing. */
void message_pool_clear(void) {
  for (int i = 0; i < POOL; i++) {
    if (!pool[i]) continue;
    free(pool[i]->data);
    free(pool[i]);
    pool[i] = NULL;
  }
}

/* The rest is the implementation's. */
void transport_destroy(Transport *transport) {
  if (transport) transport->ops->destroy(transport);
}

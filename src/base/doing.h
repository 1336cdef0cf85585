/* In whose code this process is at the moment, written down before code of others is called: a
 * signal handler has nothing else to go by when that code dies. Plain stores, which cost nothing.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { DOING_MANY = UINT32_MAX /* several games at once: which of them is not known */ };

typedef struct Doing {
  const char *role; /* whose step of this rank it is; NULL: nobody's */
  const char *game; /* the env whose code runs; NULL: none does */
  const char *call; /* and which of its functions */
  uint32_t slot;
  uint32_t episode;
  uint32_t step;
  uint64_t tick; /* the actor's */
} Doing;

/* One for each thread, as simulated ranks are threads. It is not to be read but by whoever tells of
 * the process's end. */
extern _Thread_local Doing doing;

/* Code of a game is about to be called ... */
static inline void doing_call(const char *game, const char *call, uint32_t slot, uint32_t episode,
                              uint32_t step) {
  doing.call = call;
  doing.slot = slot;
  doing.episode = episode;
  doing.step = step;
  doing.game = game;
}

/* ... and has come back. */
static inline void doing_own(void) {
  doing.game = NULL;
}

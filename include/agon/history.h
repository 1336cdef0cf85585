/* agon/history.h - any environment that is deterministic, made flat.
 *
 * A game engine, a simulator, a wrapped library: its state lies somewhere on the heap and can be
 * neither copied nor written down. But where seed and actions decide all that happens, they *are*
 * its state. So the episode's block holds the seed and the actions so far, which is flat; and the
 * live object is only a cache, rebuilt by playing the actions again where it is not at hand. That
 * gives copies, exact resume, walks of game trees and `agon play` to an env that knows nothing of
 * them.
 *
 * An env gives an AgonLive (five functions over one live object) and calls, in its own functions of
 * agon/env.h:
 *
 * - configure: agon_history_open, whose result is kept in params, and agon_history_size for
 *   spec->episode_size
 * - unconfigure: agon_history_close
 * - reset and step: agon_history_reset and agon_history_step
 * - all others: agon_history_live(history, episode), the live object in that episode's state. It is
 *   NULL if it could not be rebuilt: then write zeros, and the next step fails with the reason.
 *
 * Cost: with as many live objects as episodes are in play (most_live: the host's slots, or more), a
 * step is a look into a hash table, as objects of ended episodes are taken before those of running
 * ones. A copy that goes its own way costs one replay. Randomness comes from the seed alone; chance
 * moves that are to be enumerated (AGON_CHANCE) belong into an env that is flat by itself. So do
 * `reset_with` and `remove`: knobs and removals are no part of the history, and would be forgotten
 * where an object is rebuilt, so that such an env leaves both NULL. Header-only, C11 and C++17
 * clean; one thread at a time.
 */
#ifndef AGON_HISTORY_H
#define AGON_HISTORY_H

#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an env can do with one live object. */
typedef struct AgonLive {
  void *(*open)(const void *params, AgonError *error); /* NULL and error->text if it cannot */
  void (*close)(void *live);
  /* A new episode that the seed decides; any number of times. */
  AgonStatus (*restart)(void *live, uint64_t seed, AgonError *error);
  /* As `step` of agon/env.h; rows of agents that do not act are 0. */
  AgonStatus (*step)(void *live, const AgonAction *actions, float *reward, AgonError *error);
  void (*flags)(const void *live, uint8_t *flags);
} AgonLive;

/* The head of an episode's block; the actions follow, `agents * heads` components a step. */
typedef struct AgonPast {
  uint64_t seed;
  uint64_t digest; /* of seed and actions so far */
  uint32_t steps;
  int32_t status; /* AgonStatus after the last of them */
} AgonPast;

/* One live object, and the past that has led it to where it is. */
typedef struct AgonLiveSlot {
  void *object;
  uint64_t seed, digest;
  uint32_t steps;
  uint32_t next;  /* the slot after it in its bucket, plus 1; 0: none */
  uint64_t stamp; /* when it was last used; 0: its episode has ended, it is taken first */
} AgonLiveSlot;

typedef struct AgonHistory {
  const AgonLive *ops;
  const void *params;
  size_t width; /* components of a step */
  uint32_t agents, heads, step_limit;
  uint32_t live, most; /* slots in use, and at most */
  uint32_t buckets;    /* a power of two */
  uint32_t *bucket;    /* slot plus 1; 0: empty */
  AgonLiveSlot *slot;
  float *reward; /* of steps that are only played again */
  uint8_t *flags;
  uint64_t clock;
  uint64_t replays, replayed; /* how often an object was rebuilt, and the steps that took */
  AgonError why;              /* of the last object that could not be rebuilt */
} AgonHistory;

/* Bytes of an episode's block, for spec->episode_size. heads: those of the widest kind. */
static inline size_t agon_history_size(const AgonEnvSpec *spec, uint32_t heads) {
  return sizeof(AgonPast) + (size_t)spec->step_limit * spec->agents * heads * sizeof(AgonAction);
}

static inline void agon_history_close(AgonHistory *history) {
  if (!history) return;
  for (uint32_t i = 0; history->slot && i < history->live; i++)
    if (history->slot[i].object) history->ops->close(history->slot[i].object);
  free(history->bucket);
  free(history->slot);
  free(history->reward);
  free(history->flags);
  free(history);
}

/* For an env with the spec's agents and step_limit; params and ops must stay where they are. NULL
 * and error->text without memory. */
static inline AgonHistory *agon_history_open(const AgonLive *ops, const void *params,
                                             const AgonEnvSpec *spec, uint32_t heads,
                                             uint32_t most_live, AgonError *error) {
  AgonHistory *history = (AgonHistory *)calloc(1, sizeof *history);
  uint32_t buckets = 16;
  while (buckets < 2 * most_live && buckets < 1u << 30)
    buckets *= 2;
  if (history) {
    history->ops = ops;
    history->params = params;
    history->width = (size_t)spec->agents * heads;
    history->agents = spec->agents;
    history->heads = heads;
    history->step_limit = spec->step_limit;
    history->most = most_live ? most_live : 1;
    history->buckets = buckets;
    history->bucket = (uint32_t *)calloc(buckets, sizeof *history->bucket);
    history->slot = (AgonLiveSlot *)calloc(history->most, sizeof *history->slot);
    history->reward = (float *)calloc(spec->agents, sizeof *history->reward);
    history->flags = (uint8_t *)calloc(spec->agents, sizeof *history->flags);
  }
  if (history && history->bucket && history->slot && history->reward && history->flags)
    return history;
  agon_history_close(history);
  snprintf(error->text, sizeof error->text, "out of memory for %u live objects", most_live);
  return NULL;
}

static inline uint64_t agon_history_mix(uint64_t digest, uint32_t word) {
  digest = (digest ^ word) * 0x9E3779B97F4A7C15ull;
  return digest ^ digest >> 29;
}

static inline AgonAction *agon_history_actions(const AgonPast *past) {
  return (AgonAction *)(uintptr_t)(past + 1);
}

/* The bucket in which a slot of this digest is, or would be. */
static inline uint32_t *agon_history_bucket(AgonHistory *history, uint64_t digest) {
  return &history->bucket[(digest ^ digest >> 32) & (history->buckets - 1)];
}

/* Whether a step may follow: an ended episode's object is only looked at once more, if at all. */
static inline bool agon_history_goes_on(const AgonPast *past) {
  return past->status == AGON_RUNNING || past->status == AGON_CHANCE;
}

static inline void agon_history_enter(AgonHistory *history, uint32_t index, const AgonPast *past) {
  AgonLiveSlot *slot = &history->slot[index];
  uint32_t *bucket = agon_history_bucket(history, past->digest);
  slot->seed = past->seed;
  slot->digest = past->digest;
  slot->steps = past->steps;
  slot->next = *bucket;
  slot->stamp = agon_history_goes_on(past) ? ++history->clock : 0;
  *bucket = index + 1;
}

static inline void agon_history_leave(AgonHistory *history, uint32_t index) {
  uint32_t *at = agon_history_bucket(history, history->slot[index].digest);
  while (*at && *at != index + 1)
    at = &history->slot[*at - 1].next;
  if (*at) *at = history->slot[index].next;
}

/* An object to be used for another past: a new one, or that of an ended episode, or else the one
 * that has not been used for longest. It is in no bucket. history->most where none can be made. */
static inline uint32_t agon_history_spare(AgonHistory *history) {
  uint32_t index = 0;
  if (history->live < history->most) {
    index = history->live;
    history->slot[index].object = history->ops->open(history->params, &history->why);
    if (!history->slot[index].object) return history->most;
    history->live++;
    return index;
  }
  for (uint32_t i = 1; i < history->live; i++)
    if (history->slot[i].stamp < history->slot[index].stamp) index = i;
  agon_history_leave(history, index);
  return index;
}

/* Takes an object whose state is not known any more out of use. */
static inline void agon_history_drop(AgonHistory *history, uint32_t index) {
  uint32_t last = --history->live;
  history->ops->close(history->slot[index].object);
  if (index != last) { /* the last slot takes its place */
    AgonPast past;
    uint64_t stamp = history->slot[last].stamp;
    agon_history_leave(history, last);
    past.seed = history->slot[last].seed;
    past.digest = history->slot[last].digest;
    past.steps = history->slot[last].steps;
    past.status = AGON_RUNNING;
    history->slot[index].object = history->slot[last].object;
    agon_history_enter(history, index, &past);
    history->slot[index].stamp = stamp;
  }
  history->slot[last].object = NULL;
}

/* Plays a past again; the object is at its end, or dropped (and history->why says why). */
static inline bool agon_history_replay(AgonHistory *history, uint32_t index, const AgonPast *past) {
  void *object = history->slot[index].object;
  AgonStatus status = history->ops->restart(object, past->seed, &history->why);
  history->replays++;
  for (uint32_t i = 0; i < past->steps && status == AGON_RUNNING; i++) {
    memset(history->reward, 0, history->agents * sizeof *history->reward);
    status = history->ops->step(object, agon_history_actions(past) + i * history->width,
                                history->reward, &history->why);
    history->replayed++;
  }
  if ((int32_t)status == past->status) return true;
  if (status != AGON_FAILED || !history->why.text[0])
    snprintf(history->why.text, sizeof history->why.text,
             "%u steps played again end with status %d instead of %d: the env is not decided by "
             "seed and actions alone",
             past->steps, (int)status, (int)past->status);
  return false;
}

/* Index of the object that is where this past leads, rebuilt if there is none; history->most if it
 * cannot be. */
static inline uint32_t agon_history_find(AgonHistory *history, const AgonPast *past) {
  for (uint32_t at = *agon_history_bucket(history, past->digest); at;
       at = history->slot[at - 1].next) {
    AgonLiveSlot *slot = &history->slot[at - 1];
    if (slot->digest != past->digest || slot->seed != past->seed || slot->steps != past->steps)
      continue;
    slot->stamp = agon_history_goes_on(past) ? ++history->clock : 0;
    return at - 1;
  }
  history->why.text[0] = 0;
  if (past->steps > history->step_limit) {
    snprintf(history->why.text, sizeof history->why.text,
             "a history of %u steps, more than step_limit (%u)", past->steps, history->step_limit);
    return history->most;
  }
  uint32_t index = agon_history_spare(history);
  if (index == history->most) return index;
  bool whole = agon_history_replay(history, index, past);
  agon_history_enter(history, index, past);
  if (whole) return index;
  agon_history_leave(history, index);
  agon_history_drop(history, index);
  return history->most;
}

static inline void *agon_history_live(AgonHistory *history, const void *episode) {
  uint32_t index = agon_history_find(history, (const AgonPast *)episode);
  return index == history->most ? NULL : history->slot[index].object;
}

/* Begins an episode of this seed. */
static inline AgonStatus agon_history_begin(AgonHistory *history, void *episode, uint64_t seed,
                                            AgonError *error) {
  AgonPast *past = (AgonPast *)episode;
  memset(episode, 0, sizeof *past + history->step_limit * history->width * sizeof(AgonAction));
  past->seed = seed;
  past->digest = agon_history_mix(agon_history_mix(0, (uint32_t)seed), (uint32_t)(seed >> 32));
  past->status = AGON_FAILED;
  history->why.text[0] = 0;
  uint32_t index = agon_history_spare(history);
  if (index == history->most) {
    *error = history->why;
    return AGON_FAILED;
  }
  AgonStatus status = history->ops->restart(history->slot[index].object, seed, error);
  past->status = status;
  agon_history_enter(history, index, past);
  if (status != AGON_FAILED) return status;
  agon_history_leave(history, index);
  agon_history_drop(history, index);
  return status;
}

/* The env's `reset`: a seed is drawn from `random`. */
static inline AgonStatus agon_history_reset(AgonHistory *history, void *episode,
                                            const AgonRandom *random, AgonError *error) {
  return agon_history_begin(history, episode, agon_random_seed(random), error);
}

/* Writes the step into the history, and makes it. */
static inline AgonStatus agon_history_step(AgonHistory *history, void *episode,
                                           const AgonAction *actions, float *reward,
                                           AgonError *error) {
  AgonPast *past = (AgonPast *)episode;
  uint32_t index = agon_history_find(history, past);
  if (index == history->most) {
    *error = history->why;
    return AGON_FAILED;
  }
  if (past->steps >= history->step_limit) {
    snprintf(error->text, sizeof error->text, "a step beyond step_limit (%u)", history->step_limit);
    return AGON_FAILED;
  }
  AgonAction *row = agon_history_actions(past) + past->steps * history->width;
  uint64_t digest = past->digest;
  memset(history->flags, 0, history->agents);
  history->ops->flags(history->slot[index].object, history->flags);
  for (uint32_t a = 0; a < history->agents; a++)
    for (uint32_t h = 0; h < history->heads; h++) {
      size_t at = (size_t)a * history->heads + h;
      uint32_t word = 0;
      if (history->flags[a] & AGON_ACTS) memcpy(&word, &actions[at], sizeof word);
      memcpy(&row[at], &word, sizeof word);
      digest = agon_history_mix(digest, word);
    }
  agon_history_leave(history, index);
  AgonStatus status = history->ops->step(history->slot[index].object, row, reward, error);
  past->digest = digest;
  past->steps++;
  past->status = status;
  agon_history_enter(history, index, past);
  if (status != AGON_FAILED) return status;
  agon_history_leave(history, index);
  agon_history_drop(history, index);
  return status;
}

#ifdef __cplusplus
}
#endif
#endif

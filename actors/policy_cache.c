#include "actors/policy_cache.h"

#include "base/invariant.h"
#include "base/text.h"
#include "wire/messages.h"

#include <stdlib.h>
#include <string.h>

typedef struct Entry {
  Policy policy;
  uint32_t player;
  float *block;
  bool here;
  bool learning; /* or a guest: it stays */
  bool wanted;
  int pins;
  uint64_t used;
} Entry;

struct PolicyCache {
  size_t block;
  size_t capacity;
  size_t count;
  size_t room;
  Policy builtin[BUILTINS]; /* those that can play the env */
  Entry **entry;            /* pointers: policies must not move while slots refer to them */
  Entry **of;               /* by player id */
  size_t of_room;
  Entry *spare; /* the last one evicted: the next newcomer takes its memory */
  uint64_t clock;
};

/* block_floats: of a policy. capacity: how many frozen policies are kept; those in play stay beyond
 * it, and learning players' are not counted. */
Status cache_create(size_t block_floats, size_t capacity, PolicyCache **out) {
  TRY_RETURN(NEW_ARRAY(*out, 1));
  (*out)->block = block_floats;
  (*out)->capacity = capacity;
  return OK;
}

/* Built-in players are no networks: they are always here, with ids from BUILTIN_FIRST on. They
 * exist for games of several teams, and only where they can play the env. */
Status cache_add_builtins(PolicyCache *cache, const Env *env) {
  for (int b = 0; b < BUILTINS; b++) {
    Policy *policy = &cache->builtin[b];
    char name[16];
    text_choice_name(BUILTIN_NAMES, b, name, sizeof name);
    policy->player = BUILTIN_FIRST + (uint32_t)b;
    if (env->spec.teams > 1 && builtin_find(name)->supports(env))
      TRY_RETURN(builtin_create(name, env, &policy->builtin));
  }
  return OK;
}

/* A policy may hold packed weights besides the block; a guest's is the cache's. */
static void entry_free(Entry *entry) {
  policy_release(&entry->policy);
  builtin_destroy(entry->policy.builtin);
  free(entry->block);
  free(entry);
}

void cache_destroy(PolicyCache *cache) {
  if (!cache) return;
  for (int b = 0; b < BUILTINS; b++) {
    policy_release(&cache->builtin[b]);
    builtin_destroy(cache->builtin[b].builtin);
  }
  for (size_t i = 0; i < cache->count; i++)
    entry_free(cache->entry[i]);
  if (cache->spare) entry_free(cache->spare);
  free(cache->entry);
  free(cache->of);
  free(cache);
}

/* The entry of a player, here or only wanted; NULL: nobody asked for it. */
static Entry *lookup(const PolicyCache *cache, uint32_t player) {
  return player < cache->of_room ? cache->of[player] : NULL;
}

/* The same, made if there is none, out of the spare if possible. NULL: out of memory. */
static Entry *obtain(PolicyCache *cache, uint32_t player) {
  Entry *entry = lookup(cache, player);
  if (entry) return entry;
  if (GROW(cache->of, cache->of_room, (size_t)player + 1) != OK ||
      GROW(cache->entry, cache->room, cache->count + 1) != OK)
    return NULL;
  entry = cache->spare;
  if (!entry && NEW_ARRAY(entry, 1) != OK) return NULL;
  cache->spare = NULL;
  entry->player = player;
  cache->of[player] = entry;
  cache->entry[cache->count++] = entry;
  return entry;
}

/* Counts as a use. NULL: not here yet. Borrowed until the next cache_put. */
Policy *cache_find(PolicyCache *cache, uint32_t player) {
  if (is_builtin(player)) return &cache->builtin[player - BUILTIN_FIRST];
  Entry *entry = lookup(cache, player);
  if (!entry || !entry->here) return NULL;
  entry->used = ++cache->clock;
  return &entry->policy;
}

bool cache_wants(const PolicyCache *cache, uint32_t player) {
  const Entry *entry = lookup(cache, player);
  return entry && entry->wanted;
}

/* Frozen policies whose weights are here. */
size_t cache_frozen(const PolicyCache *cache) {
  size_t count = 0;
  for (size_t i = 0; i < cache->count; i++)
    count += cache->entry[i]->here && !cache->entry[i]->learning;
  return count;
}

/* Least recently used first. Policies of learning players stay, and so do pinned ones, which some
 * episode plays by now. The last one to go is kept as a spare, because the next to come needs just
 * such a block. */
static void evict(PolicyCache *cache) {
  while (cache_frozen(cache) > cache->capacity) {
    size_t oldest = cache->count;
    for (size_t i = 0; i < cache->count; i++) {
      const Entry *entry = cache->entry[i];
      if (!entry->here || entry->learning || entry->pins > 0) continue;
      if (oldest == cache->count || entry->used < cache->entry[oldest]->used) oldest = i;
    }
    if (oldest == cache->count) return; /* everything is in use */
    cache->of[cache->entry[oldest]->player] = NULL;
    Entry *gone = cache->entry[oldest];
    if (cache->spare) entry_free(cache->spare);
    gone->wanted = false;
    gone->here = false;
    gone->pins = 0;
    cache->spare = gone;
    cache->entry[oldest] = cache->entry[--cache->count];
  }
}

Status cache_put(PolicyCache *cache, uint32_t player, uint32_t life, uint64_t version,
                 bool learning, const void *block) {
  Entry *entry = obtain(cache, player);
  if (!entry) return ERR_MEMORY;
  if (!entry->block) TRY_RETURN(NEW_ARRAY(entry->block, cache->block));
  INVARIANT(!learning || !entry->here || version >= entry->policy.version);
  INVARIANT(finite_floats(block, cache->block));
  memcpy(entry->block, block, cache->block * sizeof(float));
  entry->policy.player = player;
  entry->policy.life = life;
  entry->policy.version = version;
  entry->policy.block = entry->block;
  entry->policy.stale = true;
  entry->here = true;
  entry->learning = learning;
  entry->wanted = false;
  entry->used = ++cache->clock;
  if (!learning) {
    entry->pins++; /* not the newcomer itself */
    evict(cache);
    entry->pins--;
  }
  return OK;
}

/* Starting a program anew would cost more than keeping it: it is never evicted. */
Status cache_put_guest(PolicyCache *cache, uint32_t player, BuiltinPolicy *guest) {
  Entry *entry = obtain(cache, player);
  if (!entry) {
    builtin_destroy(guest);
    return ERR_MEMORY;
  }
  INVARIANT(!entry->here);
  free(entry->block); /* of whoever had the entry before */
  policy_release(&entry->policy);
  entry->block = NULL;
  entry->policy = (Policy){.player = player, .builtin = guest};
  entry->here = true;
  entry->learning = true;
  entry->wanted = false;
  entry->used = ++cache->clock;
  return OK;
}

/* change: +1 when an episode begins with the player, -1 when it ends. */
void cache_pin(PolicyCache *cache, uint32_t player, int change) {
  if (is_builtin(player)) return; /* always here */
  Entry *entry = obtain(cache, player);
  if (entry) entry->pins += change;
  INVARIANT(!entry || entry->pins >= 0);
}

/* *fetch: the caller is to ask the league for it; false for what is here or on its way. ERR_FORMAT
 * for a built-in player that cannot play this env: no table of this run can name it. */
Status cache_want(PolicyCache *cache, uint32_t player, bool *fetch) {
  *fetch = false;
  if (is_builtin(player)) {
    if (cache->builtin[player - BUILTIN_FIRST].builtin) return OK;
    return status_set(ERR_FORMAT, "a match against a built-in player that cannot play this env");
  }
  Entry *entry = obtain(cache, player);
  if (!entry) return ERR_MEMORY;
  *fetch = !entry->here && !entry->wanted;
  entry->wanted = true;
  return OK;
}

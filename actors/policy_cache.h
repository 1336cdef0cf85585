/* Policies by player id: learning players are pushed, frozen ones fetched once and kept while they
 * fit (least recently used goes first; what a lane or a running episode uses is pinned), and
 * built-in ones are always here. */
#pragma once
#include "play/play.h"

typedef struct PolicyCache PolicyCache;

Status cache_create(size_t block_floats, size_t capacity, PolicyCache **out);
void cache_destroy(PolicyCache *cache);
/* The built-in players that can play the env, of evaluation lanes. */
Status cache_add_builtins(PolicyCache *cache, const Env *env);
/* The policy, or NULL while it is not here. */
Policy *cache_find(PolicyCache *cache, uint32_t player);
/* Copies the block in; learning players are never evicted. */
Status cache_put(PolicyCache *cache, uint32_t player, uint32_t life, uint64_t version,
                 bool learning, const void *block);
/* A guest's player, which is the cache's from now on, on failure too. It stays. */
Status cache_put_guest(PolicyCache *cache, uint32_t player, BuiltinPolicy *guest);
void cache_pin(PolicyCache *cache, uint32_t player,
               int change); /* +1 or -1; ids that are not here count, too */
/* True once per player until it arrives: the caller should fetch it. ERR_FORMAT for a built-in
 * player that cannot play the env. */
Status cache_want(PolicyCache *cache, uint32_t player, bool *fetch);
bool cache_wants(const PolicyCache *cache, uint32_t player); /* fetched, and not yet here */
size_t cache_frozen(const PolicyCache *cache);

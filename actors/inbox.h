/* What has come in for an actor and waits for its tick: matchmaking tables from the league, weights
 * from the learners. In the deterministic paces each is for one tick, and every tick has its own;
 * in pace free the newest is what counts - but a table with a cut in it is never passed over. */
#pragma once
#include "actors/policy_cache.h"
#include "role/role.h"
#include "wire/wire.h"

typedef struct ActorInbox ActorInbox;
/* block: floats of a policy. */
Status actor_inbox_create(Pace pace, size_t learning_players, size_t block, ActorInbox **out);
void actor_inbox_destroy(ActorInbox *inbox);
/* The job begins with this tick. False if what has come before is of another one. */
bool actor_inbox_begin(ActorInbox *inbox, uint64_t tick);
/* ERR_FORMAT for what does not come next. */
Status actor_inbox_take_table(ActorInbox *inbox, Reader *body);
Status actor_inbox_take_weights(ActorInbox *inbox, Reader *body);

bool actor_inbox_has_table(const ActorInbox *inbox, uint64_t tick); /* pace free: any */
bool actor_inbox_has_weights(const ActorInbox *inbox, uint32_t player, uint64_t tick);
/* The tick's table into *present, which keeps its entries where the table says that they are the
 * same; *found: there was one. */
Status actor_inbox_use_table(ActorInbox *inbox, uint64_t tick, Table *present, bool *found);
/* All weights of the tick into the cache. */
Status actor_inbox_use_weights(ActorInbox *inbox, uint64_t tick, PolicyCache *cache);

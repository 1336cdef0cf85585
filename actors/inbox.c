#include "actors/inbox.h"

#include <stdlib.h>
#include <string.h>

enum {
  TABLES = 4, /* that may wait */
  WEIGHTS = 4 /* of one player */
};
#define NO_TICK UINT64_MAX

/* Ticks of what one sender sends, one after another; the first may be here before the job's first
 * tick is known. */
typedef struct Due {
  bool known;
  uint64_t first;
  uint64_t next;
} Due;

/* Whether `tick` is the one that is due; the next one is due then. The first to arrive sets the
 * count. */
static bool due_take(Due *due, uint64_t tick) {
  if (!due->known) *due = (Due){true, tick, tick};
  return tick == due->next++;
}

/* Whether the job may begin with `tick`: it is what arrived first, or nothing has arrived yet. */
static bool due_begin(Due *due, uint64_t tick) {
  if (!due->known) *due = (Due){true, tick, tick};
  return due->first == tick;
}

/* A policy that waits for its tick. */
typedef struct Waiting {
  bool full;
  uint64_t tick;
  uint64_t version;
  uint32_t life;
  float *block; /* owned, kept for the next; (block) */
} Waiting;

/* What comes in of one learning player. */
typedef struct PlayerWeights {
  Due due;
  uint64_t newest; /* version that has come */
  Waiting waiting[WEIGHTS];
} PlayerWeights;

struct ActorInbox {
  Pace pace;
  size_t learning_players;
  size_t block;
  Due table_due;
  Table table[TABLES];    /* tick = NO_TICK where none waits */
  PlayerWeights *weights; /* (learning_players) */
};

/* block: floats of a policy. On failure nothing is left. */
Status actor_inbox_create(Pace pace, size_t learning_players, size_t block, ActorInbox **out) {
  Status status = OK;
  ActorInbox *inbox = NULL;
  TRY(NEW_ARRAY(inbox, 1));
  inbox->pace = pace;
  inbox->block = block;
  for (size_t i = 0; i < TABLES; i++) {
    inbox->table[i].tick = NO_TICK;
  }
  TRY(NEW_ARRAY(inbox->weights, learning_players));
  inbox->learning_players = learning_players;
  *out = inbox;
  inbox = NULL;
done:
  actor_inbox_destroy(inbox);
  return status;
}

void actor_inbox_destroy(ActorInbox *inbox) {
  if (!inbox) return;
  for (size_t p = 0; p < inbox->learning_players; p++)
    for (size_t i = 0; i < WEIGHTS; i++) {
      free(inbox->weights[p].waiting[i].block);
    }
  for (size_t i = 0; i < TABLES; i++) {
    table_free(&inbox->table[i]);
  }
  free(inbox->weights);
  free(inbox);
}

/* False: tables or weights here are of another tick than the one the league begins with. In pace
 * free weights bear no tick that anybody waits for. */
bool actor_inbox_begin(ActorInbox *inbox, uint64_t tick) {
  bool good = due_begin(&inbox->table_due, tick);
  for (size_t p = 0; p < inbox->learning_players && inbox->pace != PACE_FREE; p++) {
    good = due_begin(&inbox->weights[p].due, tick) && good;
  }
  return good;
}

/* --- tables --- */
/* Where the next table can be put: in pace free also over one that has not been used, unless it has
 * a cut. */
static Table *table_place(ActorInbox *inbox) {
  for (size_t i = 0; i < TABLES; i++) {
    Table *place = &inbox->table[i];
    if (place->tick == NO_TICK) return place;
    if (inbox->pace == PACE_FREE && !(place->flags & TABLE_SAVE)) return place;
  }
  return NULL;
}

/* Decodes straight into a free place. A table flagged TABLE_SAME has no entries: those in use
 * stay. */
Status actor_inbox_take_table(ActorInbox *inbox, Reader *body) {
  Table *place = table_place(inbox);
  if (!place)
    return status_set(ERR_INTERNAL, "matchmaking tables arrive faster than the pace allows");
  /* pace free: entries that have not been used are still news if the next table has the same */
  bool news = place->tick != NO_TICK && !(place->flags & TABLE_SAME);
  TRY_RETURN(table_decode(place, body));
  TRY_RETURN(reader_finish(body, "the body"));
  if (!due_take(&inbox->table_due, place->tick))
    return status_set(ERR_FORMAT, "a table of tick %llu is not the one that comes next",
                      (unsigned long long)place->tick);
  if (!(place->flags & TABLE_SAME))
    TRY_RETURN(table_check(place, inbox->learning_players, WIRE_PLAYERS));
  if (news) place->flags &= ~(uint32_t)TABLE_SAME;
  return OK;
}

/* Index of the tick's table (pace free: of the oldest), or TABLES. */
static size_t find_table(const ActorInbox *inbox, uint64_t tick) {
  size_t oldest = TABLES;
  for (size_t i = 0; i < TABLES; i++) {
    const Table *table = &inbox->table[i];
    if (table->tick == NO_TICK) continue;
    if (inbox->pace != PACE_FREE && table->tick == tick) return i;
    if (inbox->pace != PACE_FREE) continue;
    if (oldest == TABLES || table->tick < inbox->table[oldest].tick) oldest = i;
  }
  return oldest;
}

bool actor_inbox_has_table(const ActorInbox *inbox, uint64_t tick) {
  return find_table(inbox, tick) < TABLES;
}

/* Moves the table of `tick` into *present, if it has arrived (*found), and frees its place. */
Status actor_inbox_use_table(ActorInbox *inbox, uint64_t tick, Table *present, bool *found) {
  size_t at = find_table(inbox, tick);
  *found = at < TABLES;
  if (!*found) return OK;
  Table *table = &inbox->table[at];
  if (table->flags & TABLE_SAME)
    table_head(present, table);
  else
    TRY_RETURN(table_copy(present, table));
  table->tick = NO_TICK;
  return OK;
}

/* --- weights --- */
/* In pace free the newest takes the place of all others. */
static Waiting *weights_place(const ActorInbox *inbox, PlayerWeights *weights) {
  if (inbox->pace == PACE_FREE) return &weights->waiting[0];
  for (size_t i = 0; i < WEIGHTS; i++)
    if (!weights->waiting[i].full) return &weights->waiting[i];
  return NULL;
}

/* Keeps a copy, since the message is released before the tick comes. Versions of a player never go
 * back. */
Status actor_inbox_take_weights(ActorInbox *inbox, Reader *body) {
  WireWeights news;
  TRY_RETURN(weights_decode(&news, inbox->block, body));
  if (news.player >= inbox->learning_players)
    return status_set(ERR_FORMAT, "player %u is not learning", news.player);
  PlayerWeights *weights = &inbox->weights[news.player];
  if (news.version < weights->newest)
    return status_set(
        ERR_FORMAT, "weights of player %u are of version %llu, older than those here, %llu",
        news.player, (unsigned long long)news.version, (unsigned long long)weights->newest);
  if (inbox->pace != PACE_FREE && !due_take(&weights->due, news.tick))
    return status_set(ERR_FORMAT, "weights of player %u for tick %llu are not those that come next",
                      news.player, (unsigned long long)news.tick);
  Waiting *place = weights_place(inbox, weights);
  if (!place) return status_set(ERR_INTERNAL, "weights arrive faster than the pace allows");
  if (!place->block) TRY_RETURN(NEW_ARRAY(place->block, inbox->block));
  memcpy(place->block, news.value, inbox->block * sizeof(float));
  place->full = true;
  place->tick = news.tick;
  place->version = news.version;
  place->life = news.life;
  weights->newest = news.version;
  return OK;
}

/* Index of the player's weights for the tick (pace free: of any), or WEIGHTS. */
static size_t find_weights(const ActorInbox *inbox, uint32_t player, uint64_t tick) {
  const Waiting *waiting = inbox->weights[player].waiting;
  for (size_t i = 0; i < WEIGHTS; i++)
    if (waiting[i].full && (inbox->pace == PACE_FREE || waiting[i].tick == tick)) return i;
  return WEIGHTS;
}

bool actor_inbox_has_weights(const ActorInbox *inbox, uint32_t player, uint64_t tick) {
  return find_weights(inbox, player, tick) < WEIGHTS;
}

/* Puts the weights that are due at `tick` into the cache, all players' at once: policies change
 * between ticks, never within one. */
Status actor_inbox_use_weights(ActorInbox *inbox, uint64_t tick, PolicyCache *cache) {
  for (uint32_t p = 0; p < inbox->learning_players; p++) {
    size_t at = find_weights(inbox, p, tick);
    if (at == WEIGHTS) continue;
    Waiting *waiting = &inbox->weights[p].waiting[at];
    TRY_RETURN(cache_put(cache, p, waiting->life, waiting->version, true, waiting->block));
    waiting->full = false;
  }
  return OK;
}

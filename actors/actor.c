/* Ticks: wait for the tick's table and weights, play `unroll` env steps of every slot, send unrolls, results and, at a
 * cut, the whole state. In the deterministic paces nothing that timing decides enters: weights and tables carry the
 * tick that they are for. */
#include "actors/actor.h"

#include "actors/lanes.h"
#include "base/invariant.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

typedef struct PendingWeights {
  uint64_t tick, version;
  uint32_t player, life;
  void *block;
  bool full;
} PendingWeights;

/* Ticks of what one sender sends, one after another; the first may be here before the job's first tick is known. */
typedef struct Due {
  bool known;
  uint64_t first, next;
} Due;

static bool due_take(Due *due, uint64_t tick) {
  if (!due->known) *due = (Due){true, tick, tick};
  return tick == due->next++;
}

static bool due_begin(Due *due, uint64_t tick) {
  if (!due->known) *due = (Due){true, tick, tick};
  return due->first == tick;
}

enum { PENDING_TABLES = 4, PENDING_WEIGHTS = 4 };

typedef enum Phase { PHASE_RESTORE, PHASE_WAIT, PHASE_PLAY, PHASE_HELD, PHASE_DONE } Phase;

struct Actor {
  ActorSetup setup;
  Phase phase;
  uint64_t tick, steps;
  Table table, pending_table[PENDING_TABLES]; /* pending: tick = UINT64_MAX when empty */
  PendingWeights *pending;                    /* (learning_players, PENDING_WEIGHTS) */
  Due table_due, *weights_due;                /* weights_due: (learning_players) */
  PolicyCache *cache;
  Policy builtin[BUILTINS]; /* of evaluation lanes; those that can play the env */
  Play *play;
  Recorder *recorder;
  Lane *lane;
  size_t lanes, lane_room, slots;
  uint8_t *flags; /* (agents) of one slot */
  Batch *out;     /* (learning_players) */
  Results results;
  WireOut wire;
  uint64_t credit, sent; /* pace free: ticks consumed, ticks sent */
  uint64_t cut_done;     /* pace free: 1 + tick of the last table whose cut was made */
  Status failed;
  int64_t started, waited, packing, since, idle_before; /* since: when the present wait began; idle_before: the rank's
                                                           idle time until then, which is no part of it */
  uint64_t frames, before[3];
  uint64_t open_before; /* decisions that were open when this job began */
  uint64_t abandoned;   /* games of the job before that cannot go on; not yet said */
};

static int64_t idle_of(const Actor *actor) { return actor->setup.idle ? *actor->setup.idle : 0; }

static void begin_wait(Actor *actor) {
  actor->since = clock_now(&actor->setup.clock);
  actor->idle_before = idle_of(actor);
}

static void end_wait(Actor *actor) {
  actor->waited += clock_now(&actor->setup.clock) - actor->since - (idle_of(actor) - actor->idle_before);
}

/* --- hooks of play --- */
static Lane *lane_of(Actor *actor, const PlaySlot *slot, LaneSlot **out) {
  LaneSlot *seat = slot->owner;
  *out = seat;
  return &actor->lane[seat->index / actor->lane[0].slots];
}

/* Who plays: NULL while its weights are not here. */
static Policy *policy_of(Actor *actor, uint32_t player) {
  if (is_builtin(player)) return &actor->builtin[player - BUILTIN_FIRST];
  return cache_find(actor->cache, player);
}

static void pin(Actor *actor, uint32_t player, int change) {
  if (!is_builtin(player)) cache_pin(actor->cache, player, change);
}

static void pin_match(Actor *actor, const Matchup *match, int change) {
  if (!match->drawn) return;
  pin(actor, match->entry.home, change);
  pin(actor, match->entry.away, change);
}

static Status want(Actor *actor, uint32_t player) {
  bool fetch;
  if (player < actor->setup.learning_players) return OK;
  if (is_builtin(player) && !actor->builtin[player - BUILTIN_FIRST].builtin)
    return status_set(ERR_FORMAT, "a match against a built-in player that cannot play this env");
  if (is_builtin(player)) return OK;
  TRY_RETURN(cache_want(actor->cache, player, &fetch));
  if (!fetch) return OK;
  wire_begin(&actor->wire, WIRE_FETCH);
  fetch_encode(&(WireFetch){player}, &actor->wire.bytes);
  return wire_send(actor->setup.transport, actor->setup.league_rank, &actor->wire);
}

/* Draws the matchup after the present one, if there is none yet, and asks for its policies. */
static Status draw_ahead(Actor *actor, Lane *lane) {
  if (lane->next.drawn || lane->retiring || !lane_draw(lane, &actor->table, &lane->next)) return OK;
  pin_match(actor, &lane->next, 1);
  TRY_RETURN(want(actor, lane->next.entry.home));
  return want(actor, lane->next.entry.away);
}

static bool match_here(Actor *actor, const Matchup *match) {
  return policy_of(actor, match->entry.home) && policy_of(actor, match->entry.away);
}

static bool on_begin(void *context, PlaySlot *slot) {
  Actor *actor = context;
  LaneSlot *seat;
  Lane *lane = lane_of(actor, slot, &seat);
  const AgonEnvSpec *spec = &actor->setup.env->spec;
  if (lane->retiring) return false;
  if (!lane->now.drawn || lane->started >= lane->quota) {
    if (!lane->next.drawn) return false;
    if (lane->now.drawn) lane->started = 0; /* the first matchup keeps the lane's stagger */
    pin_match(actor, &lane->now, -1);
    lane->now = lane->next;
    lane->next = (Matchup){0};
    if (draw_ahead(actor, lane) != OK) actor->failed = ERR_IO;
  }
  lane->started++;
  INVARIANT(lane->now.drawn && lane->started <= lane->quota);
  seat->match = lane->now;
  seat->seat = (uint8_t)((slot->episode + slot->id) % spec->teams);
  pin_match(actor, &seat->match, 1);
  for (uint32_t team = 0; team < spec->teams; team++) {
    bool home = team == seat->seat;
    slot->policy[team] = policy_of(actor, home ? lane->now.entry.home : lane->now.entry.away);
    slot->record[team] = !lane->eval && (home || (lane->now.entry.flags & MATCH_AWAY_LEARNS));
  }
  return true;
}

static void on_decided(void *context, PlaySlot *slot, const Decision *decision) {
  Actor *actor = context;
  recorder_decided(actor->recorder, ((LaneSlot *)slot->owner)->index, slot, decision);
}

static void on_rewarded(void *context, PlaySlot *slot, const float *reward) {
  Actor *actor = context;
  recorder_rewarded(actor->recorder, ((LaneSlot *)slot->owner)->index, reward);
}

static void count_result(Actor *actor, const PlaySlot *slot, const LaneSlot *seat, const Lane *lane,
                         const float *outcome) {
  const AgonEnvSpec *spec = &actor->setup.env->spec;
  PairResults key = {.home = seat->match.entry.home,
                     .away = seat->match.entry.away,
                     .home_life = seat->match.home_life,
                     .away_life = seat->match.away_life,
                     .seat = seat->seat,
                     .eval = lane->eval,
                     .branch = seat->match.entry.branch};
  PairResults *pair = results_pair(&actor->results, &key);
  if (!pair) {
    actor->failed = ERR_MEMORY;
    return;
  }
  float own = outcome[seat->seat];
  double other = 0;
  for (uint32_t t = 0; t < spec->teams; t++)
    if (t != seat->seat) other += slot->team_return[t] / (spec->teams > 1 ? spec->teams - 1 : 1);
  tally_game(&pair->tally, own, slot->team_return[seat->seat]);
  pair->outcome += (double)own;
  pair->away_return += other;
  pair->away_square += other * other;
  if (own > 0.5f && seat->match.entry.probability > 0) pair->wins_over_p += 1.0 / (double)seat->match.entry.probability;
  pair->length += slot->steps;
}

static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  Actor *actor = context;
  const Env *env = actor->setup.env;
  LaneSlot *seat;
  Lane *lane = lane_of(actor, slot, &seat);
  recorder_ended(actor->recorder, seat->index, slot, how);
  count_result(actor, slot, seat, lane, outcome);
  pin_match(actor, &seat->match, -1);
  actor->results.episodes++;
  if (!env->table->metrics) return;
  float values[AGON_MAX_METRICS] = {0};
  env->table->metrics(env->params, slot->state, values);
  for (uint32_t i = 0; i < env->spec.metrics; i++) actor->results.metric[i] += (double)values[i];
}

/* --- life cycle --- */
size_t actor_lane_slots(const ActorConfig *config) {
  size_t each = (size_t)(config->slots / config->lanes);
  return each ? each : 1;
}

static Status add_lane(Actor *actor, uint32_t id, bool retiring) {
  const ActorConfig *config = &actor->setup.config;
  size_t each = actor_lane_slots(config);
  TRY_RETURN(GROW(actor->lane, actor->lane_room, actor->lanes + 1));
  Lane *lane = &actor->lane[actor->lanes];
  uint32_t quota = (uint32_t)config->lane_episodes > each ? (uint32_t)config->lane_episodes : (uint32_t)each;
  *lane = (Lane){.id = id,
                 .eval = lane_is_eval(id, config->eval_share),
                 .retiring = retiring,
                 .quota = quota,
                 .started = (uint32_t)((uint64_t)quota * id / (uint64_t)config->lanes %
                                       (quota - each + 1)), /* a step renews a lane at most once */
                 .rng = rng_stream(actor->setup.seed, id, 0, RNG_MATCH),
                 .slots = each};
  TRY_RETURN(NEW_ARRAY(lane->slot, each));
  actor->lanes++;
  for (size_t i = 0; i < each; i++) {
    TRY_RETURN(play_add_slot(actor->play, (uint32_t)(id * each + i), &lane->slot[i].play));
    TRY_RETURN(recorder_add_slot(actor->recorder));
    lane->slot[i].index = actor->slots++;
    lane->slot[i].play->owner = &lane->slot[i];
  }
  return OK;
}

static Status add_builtins(Actor *actor) {
  const Env *env = actor->setup.env;
  for (int b = 0; b < BUILTINS; b++) {
    char name[16];
    text_choice_name(BUILTIN_NAMES, b, name, sizeof name);
    if (env->spec.teams == 2 && builtin_find(name)->supports(env))
      TRY_RETURN(builtin_create(name, env, &actor->builtin[b].builtin));
    actor->builtin[b].player = BUILTIN_FIRST + (uint32_t)b;
  }
  return OK;
}

Status actor_create(const ActorSetup *setup, Actor **out) {
  Status status = OK;
  Actor *actor = NULL;
  size_t first, count;
  TRY(NEW_ARRAY(actor, 1));
  actor->setup = *setup;
  for (size_t i = 0; i < PENDING_TABLES; i++) actor->pending_table[i].tick = UINT64_MAX;
  TRY(NEW_ARRAY(actor->pending, setup->learning_players * PENDING_WEIGHTS));
  TRY(NEW_ARRAY(actor->weights_due, setup->learning_players));
  TRY(NEW_ARRAY(actor->flags, setup->env->spec.agents));
  TRY(NEW_ARRAY(actor->out, setup->learning_players));
  TRY(cache_create(setup->net->block, (size_t)setup->config.cache, &actor->cache));
  TRY(add_builtins(actor));
  TRY(recorder_create(setup->env, &setup->format, &actor->recorder));
  for (size_t p = 0; p < setup->learning_players; p++) TRY(batch_create(&setup->format, &actor->out[p]));
  PlayHooks hooks = {actor, on_begin, on_decided, on_rewarded, on_ended, NULL};
  TRY(play_create(setup->env, setup->net, setup->seed, (size_t)setup->config.chunk, setup->net->graph.state_size,
                  &hooks, &actor->play));
  play_open_randomly(actor->play, (uint32_t)setup->config.openings, true);
  lane_range((size_t)setup->config.lanes, setup->actors, setup->index, &first, &count);
  for (size_t i = 0; i < count; i++) TRY(add_lane(actor, (uint32_t)(first + i), false));
  actor->started = clock_now(&setup->clock);
  begin_wait(actor);
  *out = actor;
  actor = NULL;
done:
  actor_destroy(actor);
  return status;
}

void actor_destroy(Actor *actor) {
  if (!actor) return;
  play_destroy(actor->play);
  recorder_destroy(actor->recorder);
  cache_destroy(actor->cache);
  for (int b = 0; b < BUILTINS; b++) {
    policy_release(&actor->builtin[b]);
    builtin_destroy(actor->builtin[b].builtin);
  }
  for (size_t i = 0; i < actor->lanes; i++) free(actor->lane[i].slot);
  for (size_t i = 0; actor->pending && i < actor->setup.learning_players * PENDING_WEIGHTS; i++)
    free(actor->pending[i].block);
  for (size_t p = 0; actor->out && p < actor->setup.learning_players; p++) batch_destroy(&actor->out[p]);
  for (size_t i = 0; i < PENDING_TABLES; i++) table_free(&actor->pending_table[i]);
  table_free(&actor->table);
  results_free(&actor->results);
  bytes_free(&actor->wire.bytes);
  free(actor->lane);
  free(actor->pending);
  free(actor->weights_due);
  free(actor->out);
  free(actor->flags);
  free(actor);
}

bool actor_done(const Actor *actor) { return actor->phase == PHASE_DONE; }
uint64_t actor_tick(const Actor *actor) { return actor->tick; }

/* --- messages --- */
static Status take_weights(Actor *actor, Reader *body) {
  WireWeights news;
  TRY_RETURN(weights_decode(&news, actor->setup.net->block, body));
  const uint32_t player = news.player;
  if (player >= actor->setup.learning_players) return status_set(ERR_FORMAT, "player %u is not learning", player);
  const Policy *present = cache_find(actor->cache, player);
  uint64_t newest = present ? present->version : 0; /* of those here, and of those that wait for their tick */
  for (size_t i = 0; i < PENDING_WEIGHTS; i++) {
    const PendingWeights *waiting = &actor->pending[player * PENDING_WEIGHTS + i];
    if (waiting->full && waiting->version > newest) newest = waiting->version;
  }
  if (news.version < newest)
    return status_set(ERR_FORMAT, "weights of player %u are of version %llu, older than those here, %llu", player,
                      (unsigned long long)news.version, (unsigned long long)newest);
  if (actor->setup.pace != PACE_FREE && !due_take(&actor->weights_due[player], news.tick))
    return status_set(ERR_FORMAT, "weights of player %u for tick %llu are not those that come next", player,
                      (unsigned long long)news.tick);
  PendingWeights *row = &actor->pending[player * PENDING_WEIGHTS], *place = NULL;
  for (size_t i = 0; i < PENDING_WEIGHTS; i++) {
    if (actor->setup.pace == PACE_FREE) { /* the newest wins */
      place = &row[0];
      break;
    }
    if (!row[i].full) place = &row[i];
  }
  if (!place) return status_set(ERR_INTERNAL, "weights arrive faster than the pace allows");
  if (!place->block) TRY_RETURN(mem_array(&place->block, actor->setup.net->block, sizeof(float)));
  memcpy(place->block, news.value, actor->setup.net->block * sizeof(float));
  *place = (PendingWeights){news.tick, news.version, player, news.life, place->block, true};
  return OK;
}

static Status take_table(Actor *actor, Reader *body) {
  for (size_t i = 0; i < PENDING_TABLES; i++) {
    Table *place = &actor->pending_table[i];
    if (actor->setup.pace != PACE_FREE && place->tick != UINT64_MAX) continue;
    if (actor->setup.pace == PACE_FREE && place->tick != UINT64_MAX && (place->flags & TABLE_SAVE))
      continue; /* a cut is never skipped */
    uint64_t tick;
    bool news = place->tick != UINT64_MAX && !(place->flags & TABLE_SAME); /* pace free: entries not yet used */
    TRY_RETURN(table_decode(place, body));
    TRY_RETURN(reader_finish(body, "the body"));
    tick = place->tick;
    if (!due_take(&actor->table_due, tick))
      return status_set(ERR_FORMAT, "a table of tick %llu is not the one that comes next", (unsigned long long)tick);
    if (!(place->flags & TABLE_SAME)) TRY_RETURN(table_check(place, actor->setup.learning_players, WIRE_PLAYERS));
    if (news) place->flags &= ~(uint32_t)TABLE_SAME;
    return OK;
  }
  return status_set(ERR_INTERNAL, "matchmaking tables arrive faster than the pace allows");
}

static Status take_frozen(Actor *actor, Reader *body) {
  WireFrozen frozen;
  TRY_RETURN(frozen_decode(&frozen, actor->setup.net->block, body));
  if (!cache_wants(actor->cache, frozen.player))
    return status_set(ERR_FORMAT, "player %u was not asked for", frozen.player);
  return cache_put(actor->cache, frozen.player, 0, 0, false, frozen.value);
}

static Status restore_slot(Actor *actor, Lane *lane, LaneSlot *seat, Reader *state) {
  const AgonEnvSpec *spec = &actor->setup.env->spec;
  uint32_t slot = seat->play->id;
  bool abandoned;
  TRY_RETURN(slot_decode(actor->play, seat->play, state, &abandoned));
  matchup_decode(&seat->match, state);
  seat->seat = reader_u8(state);
  TRY_RETURN(recorder_decode(actor->recorder, seat->index, state));
  if (abandoned) recorder_abandoned(actor->recorder, seat->index);
  actor->abandoned += abandoned;
  if (state->bad || seat->seat >= spec->teams || seat->play->id != slot || seat->play->steps > spec->step_limit ||
      (seat->play->live && !seat->match.drawn))
    return status_set(ERR_FORMAT, "the state of slot %u is damaged", slot);
  if (!seat->play->live) return OK;
  pin_match(actor, &seat->match, 1);
  for (uint32_t team = 0; team < spec->teams; team++) {
    bool home = team == seat->seat;
    seat->play->record[team] = !lane->eval && (home || (seat->match.entry.flags & MATCH_AWAY_LEARNS));
  }
  TRY_RETURN(want(actor, seat->match.entry.home));
  return want(actor, seat->match.entry.away);
}

static Status take_lane(Actor *actor, Reader *body) {
  WireLane sent;
  TRY_RETURN(lane_decode(&sent, body));
  Reader state = reader_over(sent.state, sent.size);
  const uint32_t id = sent.lane;
  const size_t each = actor_lane_slots(&actor->setup.config);
  Lane *lane = NULL;
  if (actor->phase != PHASE_RESTORE || id >= UINT32_MAX / each)
    return status_set(ERR_FORMAT, "lane %u is not one that can be restored", id);
  for (size_t i = 0; i < actor->lanes; i++)
    if (actor->lane[i].id == id) lane = &actor->lane[i];
  if (!lane) { /* surplus from a larger run: adopted until its episodes end */
    TRY_RETURN(add_lane(actor, id, true));
    lane = &actor->lane[actor->lanes - 1];
  }
  if (lane->restored) return status_set(ERR_FORMAT, "lane %u came twice", id);
  lane->restored = true;
  lane->started = reader_u32(&state);
  lane->draws = reader_u32(&state);
  reader_get(&state, &lane->rng, sizeof lane->rng);
  matchup_decode(&lane->now, &state);
  matchup_decode(&lane->next, &state);
  size_t slots = reader_u32(&state);
  if (state.bad) return status_set(ERR_FORMAT, "the state of lane %u is damaged", id);
  if (slots != lane->slots)
    return status_set(ERR_USAGE,
                      "actors.slots / actors.lanes may not change on resume (%zu slots per lane before, %zu now)",
                      slots, lane->slots);
  const Matchup *both[2] = {&lane->now, &lane->next};
  for (int i = 0; i < 2; i++) {
    if (!both[i]->drawn) continue;
    pin_match(actor, both[i], 1);
    TRY_RETURN(want(actor, both[i]->entry.home));
    TRY_RETURN(want(actor, both[i]->entry.away));
  }
  for (size_t i = 0; i < slots; i++) TRY_RETURN(restore_slot(actor, lane, &lane->slot[i], &state));
  return reader_finish(&state, "the state of a lane");
}

static Status take_begin(Actor *actor, Reader *body) {
  WireStart start;
  TRY_RETURN(start_decode(&start, body));
  bool good = actor->phase == PHASE_RESTORE && due_begin(&actor->table_due, start.tick);
  for (size_t p = 0; p < actor->setup.learning_players && actor->setup.pace != PACE_FREE; p++)
    good = due_begin(&actor->weights_due[p], start.tick) && good;
  if (!good) return status_set(ERR_FORMAT, "tick %llu is not where the job begins", (unsigned long long)start.tick);
  actor->open_before = recorder_open(actor->recorder);
  actor->tick = start.tick;
  actor->phase = PHASE_WAIT;
  return OK;
}

static Status take_credit(Actor *actor, Reader *body) {
  WireCredit credit;
  TRY_RETURN(credit_decode(&credit, body));
  if (credit.ticks < actor->credit || credit.ticks > actor->tick)
    return status_set(ERR_FORMAT, "%llu ticks of %llu cannot be learned", (unsigned long long)credit.ticks,
                      (unsigned long long)actor->tick);
  actor->credit = credit.ticks;
  return OK;
}

Status actor_receive(Actor *actor, WireKind kind, Message *message, Reader *body) {
  const ActorSetup *setup = &actor->setup;
  INVARIANT_AT(setup->transport->rank, actor->tick);
  switch (kind) {
  case WIRE_WEIGHTS:
    TRY_RETURN(wire_forward(setup->transport, setup->weights_below, setup->weights_belows, message));
    return take_weights(actor, body);
  case WIRE_TABLE:
    TRY_RETURN(wire_forward(setup->transport, setup->tables_below, setup->tables_belows, message));
    return take_table(actor, body);
  case WIRE_FROZEN: return take_frozen(actor, body);
  case WIRE_RESTORE_LANE: return take_lane(actor, body);
  case WIRE_BEGIN: return take_begin(actor, body);
  case WIRE_CREDIT: return take_credit(actor, body);
  case WIRE_RESUME:
    if (actor->phase == PHASE_HELD) actor->phase = PHASE_WAIT;
    return reader_finish(body, "the body");
  default: return status_set(ERR_INTERNAL, "an actor was sent a %s message", wire_name(kind));
  }
}

/* --- a tick --- */
static Table *pick_table(Actor *actor) {
  Table *oldest = NULL;
  for (size_t i = 0; i < PENDING_TABLES; i++) {
    Table *table = &actor->pending_table[i];
    if (table->tick == UINT64_MAX) continue;
    if (actor->setup.pace != PACE_FREE && table->tick == actor->tick) return table;
    if (actor->setup.pace == PACE_FREE && (!oldest || table->tick < oldest->tick)) oldest = table;
  }
  return oldest;
}

static PendingWeights *pick_weights(Actor *actor, size_t player) {
  PendingWeights *row = &actor->pending[player * PENDING_WEIGHTS];
  for (size_t i = 0; i < PENDING_WEIGHTS; i++)
    if (row[i].full && (actor->setup.pace == PACE_FREE || row[i].tick == actor->tick)) return &row[i];
  return NULL;
}

static bool tick_ready(Actor *actor) {
  bool free_pace = actor->setup.pace == PACE_FREE;
  if (free_pace && actor->sent > actor->credit + (uint64_t)actor->setup.max_lag) return false;
  bool first = free_pace && actor->table.homes == 0;
  if ((!free_pace || first) && !pick_table(actor)) return false;
  for (size_t p = 0; p < actor->setup.learning_players; p++)
    if ((!free_pace || !cache_find(actor->cache, (uint32_t)p)) && !pick_weights(actor, p)) return false;
  return true;
}

static Status tick_begin(Actor *actor) {
  Table *table = pick_table(actor);
  if (table) {
    if (table->flags & TABLE_SAME)
      table_head(&actor->table, table);
    else
      TRY_RETURN(table_copy(&actor->table, table));
    table->tick = UINT64_MAX;
  } else {
    actor->table.flags = 0; /* pace free: an old table's cut is done */
  }
  INVARIANT(actor->setup.pace == PACE_FREE || actor->table.tick == actor->tick);
  for (size_t p = 0; p < actor->setup.learning_players; p++) {
    PendingWeights *weights = pick_weights(actor, p);
    if (!weights) continue;
    TRY_RETURN(cache_put(actor->cache, weights->player, weights->life, weights->version, true, weights->block));
    weights->full = false;
  }
  for (size_t i = 0; i < actor->lanes; i++) TRY_RETURN(draw_ahead(actor, &actor->lane[i]));
  const PlayStats *stats = play_stats(actor->play);
  actor->before[0] = stats->decisions;
  actor->before[1] = stats->decisions_recorded;
  actor->before[2] = stats->steps;
  actor->steps = 0;
  actor->phase = PHASE_PLAY;
  end_wait(actor);
  return OK;
}

/* All policies that the next step may need are here; slots restored from a checkpoint are bound to theirs. */
static bool policies_here(Actor *actor) {
  const AgonEnvSpec *spec = &actor->setup.env->spec;
  for (size_t i = 0; i < actor->lanes; i++) {
    Lane *lane = &actor->lane[i];
    if (lane->next.drawn && !match_here(actor, &lane->next)) return false;
    if (lane->now.drawn && !match_here(actor, &lane->now)) return false;
    for (size_t s = 0; s < lane->slots; s++) {
      LaneSlot *seat = &lane->slot[s];
      if (!seat->play->live || seat->play->policy[0]) continue;
      if (!match_here(actor, &seat->match)) return false;
      for (uint32_t team = 0; team < spec->teams; team++)
        seat->play->policy[team] =
            policy_of(actor, team == seat->seat ? seat->match.entry.home : seat->match.entry.away);
    }
  }
  return true;
}

static Batch *batch_for(void *context, uint32_t player) { return &((Actor *)context)->out[player]; }

static Status values_for(void *context, uint32_t player, size_t count, const void *observations, const float *states,
                         float *out) {
  Actor *actor = context;
  return play_values(actor->play, cache_find(actor->cache, player), count, observations, states, out);
}

static void close_slot(Actor *actor, const LaneSlot *seat) {
  const Env *env = actor->setup.env;
  const PlaySlot *slot = seat->play;
  uint8_t *flags = actor->flags;
  env_flags_of(env, slot->state, flags);
  for (uint32_t a = 0; a < env->spec.agents; a++)
    if (slot->record[env->spec.team_of[a]] && (flags[a] & AGON_ACTS))
      recorder_closed(actor->recorder, seat->index, slot, a);
}

/* Who must act will do so with other weights: what it has done until now ends here. */
static void close_unrolls(Actor *actor) {
  for (size_t i = 0; i < actor->lanes; i++) {
    const Lane *lane = &actor->lane[i];
    for (size_t s = 0; s < lane->slots && !lane->eval; s++)
      if (lane->slot[s].play->live) close_slot(actor, &lane->slot[s]);
  }
}

static Status send_unrolls(Actor *actor) {
  const ActorSetup *setup = &actor->setup;
  uint64_t frames = 0;
  close_unrolls(actor);
  if (recorder_failed(actor->recorder)) return status_set(ERR_MEMORY, "out of memory recording experience");
  TRY_RETURN(recorder_collect(actor->recorder, &(RecorderHooks){actor, batch_for, values_for}));
  for (size_t p = 0; p < setup->learning_players; p++) {
    Batch *batch = &actor->out[p];
    size_t learned = batch_learned(batch);
    if (!batch->unrolls) continue;
    INVARIANT(batch_is_whole(batch));
    TRY_RETURN(results_frames(&actor->results, (uint32_t)p, learned));
    frames += learned;
    actor->frames += learned;
    const WireUnrolls unrolls = {.tick = actor->tick, .player = (uint32_t)p, .actor = (uint32_t)setup->index};
    wire_begin(&actor->wire, WIRE_UNROLLS);
    unrolls_encode(&unrolls, &actor->wire.bytes);
    batch_encode(batch, &actor->wire.bytes);
    batch_clear(batch);
    TRY_RETURN(wire_send(setup->transport, setup->fed_rank[p % setup->groups], &actor->wire));
  }
  const WireTickEnd end = {
      .tick = actor->tick,
      .actor = (uint32_t)setup->index,
      .flags = actor->table.flags,
      .frames = frames,
  };
  wire_begin(&actor->wire, WIRE_TICK_END);
  tick_end_encode(&end, &actor->wire.bytes);
  return wire_send_many(setup->transport, setup->fed_rank, setup->groups, &actor->wire);
}

static uint64_t games_of(const Results *results) {
  uint64_t games = 0;
  for (size_t i = 0; i < results->pairs; i++) games += (uint64_t)results->pair[i].tally.games;
  return games;
}

static Status send_results(Actor *actor) {
  INVARIANT(games_of(&actor->results) == actor->results.episodes);
  const PlayStats *stats = play_stats(actor->play);
  actor->results.actor = (uint32_t)actor->setup.index;
  actor->results.tick = actor->tick;
  actor->results.steps = stats->steps - actor->before[2];
  actor->results.abandoned = actor->abandoned;
  actor->abandoned = 0;
  actor->results.decisions_frozen =
      (stats->decisions - actor->before[0]) - (stats->decisions_recorded - actor->before[1]);
  wire_begin(&actor->wire, WIRE_RESULTS);
  results_encode(&actor->results, &actor->wire.bytes);
  results_clear(&actor->results);
  return wire_send(actor->setup.transport, actor->setup.league_rank, &actor->wire);
}

static Status send_lane(Actor *actor, const Lane *lane) {
  Bytes *out = &actor->wire.bytes;
  wire_begin(&actor->wire, WIRE_ACTOR_STATE);
  actor_state_encode(&(WireActorState){.actor = (uint32_t)actor->setup.index, .lane = lane->id}, out);
  bytes_u32(out, lane->started);
  bytes_u32(out, lane->draws);
  bytes_put(out, &lane->rng, sizeof lane->rng);
  matchup_encode(&lane->now, out);
  matchup_encode(&lane->next, out);
  bytes_u32(out, (uint32_t)lane->slots);
  for (size_t i = 0; i < lane->slots; i++) {
    const LaneSlot *seat = &lane->slot[i];
    TRY_RETURN(slot_encode(actor->play, seat->play, out));
    matchup_encode(&seat->match, out);
    bytes_u8(out, seat->seat);
    recorder_encode(actor->recorder, seat->index, out);
  }
  return wire_send(actor->setup.transport, actor->setup.league_rank, &actor->wire);
}

static bool lane_finished(const Lane *lane) {
  if (!lane->retiring) return false;
  for (size_t i = 0; i < lane->slots; i++)
    if (lane->slot[i].play->live) return false;
  return true;
}

/* A last piece without a lane tells the league that this actor's state is complete, and what it did in this job by its
 * own count. */
static Status send_state(Actor *actor) {
  const PlayStats *stats = play_stats(actor->play);
  uint64_t acted = actor->open_before + stats->decisions_recorded - recorder_open(actor->recorder);
  INVARIANT(acted == actor->frames);
  for (size_t i = 0; i < actor->lanes; i++)
    if (!lane_finished(&actor->lane[i])) TRY_RETURN(send_lane(actor, &actor->lane[i]));
  const WireActorState counts = {
      .actor = (uint32_t)actor->setup.index,
      .lane = (uint32_t)WIRE_NO_LANE,
      .acted = acted,
      .episodes = stats->episodes,
      .steps = stats->steps,
  };
  wire_begin(&actor->wire, WIRE_ACTOR_STATE);
  actor_state_encode(&counts, &actor->wire.bytes);
  return wire_send(actor->setup.transport, actor->setup.league_rank, &actor->wire);
}

static Status send_bye(Actor *actor) {
  const PlayStats *stats = play_stats(actor->play);
  RoleProfile profile = {.role = "actor", .index = (uint32_t)actor->setup.index};
  Numbers *numbers = &profile.numbers;
  numbers_set(numbers, "seconds", clock_seconds(clock_now(&actor->setup.clock) - actor->started));
  numbers_set(numbers, "wait", clock_seconds(actor->waited));
  numbers_set(numbers, "idle", clock_seconds(idle_of(actor)));
  numbers_set(numbers, "pack", clock_seconds(actor->packing));
  numbers_set(numbers, "env", clock_seconds(stats->env_ns));
  numbers_set(numbers, "forward", clock_seconds(stats->forward_ns));
  numbers_set(numbers, "sample", clock_seconds(stats->sample_ns));
  numbers_set(numbers, "record", clock_seconds(stats->record_ns));
  numbers_set(numbers, "frames", (double)actor->frames);
  numbers_set(numbers, "decisions", (double)stats->decisions);
  numbers_set(numbers, "steps", (double)stats->steps);
  wire_begin(&actor->wire, WIRE_BYE);
  profile_encode(&profile, &actor->wire.bytes);
  return wire_send(actor->setup.transport, actor->setup.league_rank, &actor->wire);
}

static Status tick_end(Actor *actor) {
  int64_t start = clock_now(&actor->setup.clock);
  TRY_RETURN(send_unrolls(actor));
  TRY_RETURN(send_results(actor));
  actor->packing += clock_now(&actor->setup.clock) - start;
  bool free_pace = actor->setup.pace == PACE_FREE;
  bool cut = (actor->table.flags & TABLE_SAVE) && !(free_pace && actor->cut_done == actor->table.tick + 1);
  actor->tick++;
  actor->sent++;
  actor->phase = PHASE_WAIT;
  begin_wait(actor);
  if (cut) {
    actor->cut_done = actor->table.tick + 1;
    TRY_RETURN(send_state(actor));
    if (free_pace) actor->phase = PHASE_HELD;
  }
  if (!(actor->table.flags & TABLE_STOP)) return OK;
  actor->phase = PHASE_DONE;
  return send_bye(actor);
}

Status actor_step(Actor *actor, bool *progress) {
  INVARIANT_AT(actor->setup.transport->rank, actor->tick);
  *progress = false;
  if (actor->failed != OK) return actor->failed;
  if (actor->phase == PHASE_WAIT) {
    if (!tick_ready(actor)) return OK;
    TRY_RETURN(tick_begin(actor));
    *progress = true;
  }
  if (actor->phase != PHASE_PLAY || !policies_here(actor)) return OK;
  size_t live;
  *progress = true;
  TRY_RETURN(play_step(actor->play, &live));
  if (++actor->steps < (uint64_t)actor->setup.config.unroll) return OK;
  return tick_end(actor);
}

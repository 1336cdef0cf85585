/* Per tick: collect every actor's experience; update each own player; obey the league's directive; publish. In the
 * deterministic paces experience is merged in the order of actors, whatever the order of arrival. */
#include "learner/learner.h"

#include "base/invariant.h"
#include "learner/train/update.h"
#include "store/store.h"
#include "wire/allreduce.h"

#include <stdlib.h>
#include <string.h>

enum { LOCKSTEP = 0, PIPELINED = 1, FREE = 2 };

typedef struct Parcel { /* a message of unrolls, kept until its tick is complete */
  Message *message;
  WireUnrolls unrolls; /* leads into the message */
} Parcel;

/* What the actors' tables said of a tick. */
typedef struct TickFlags {
  uint64_t tick; /* plus 1; 0: nothing yet */
  uint32_t flags;
} TickFlags;

typedef enum Phase { PHASE_RESTORE, PHASE_COLLECT, PHASE_UPDATE, PHASE_ORDERS, PHASE_DONE } Phase;

struct Learner {
  LearnerSetup setup;
  Phase phase;
  uint64_t tick;
  TrainState *state; /* own players only */
  size_t pupils;
  Update *update;
  Parcel *parcel;
  size_t parcels, parcel_room;
  uint64_t *ended;       /* (actors) ticks whose end this actor has announced */
  uint64_t *came;        /* (pupils, actors) 1 + tick of the last experience */
  uint64_t *acted;       /* (actors, AHEAD) frames of all players by tick, not yet counted */
  uint64_t *credited;    /* (actors) pace free: ticks consumed */
  uint64_t *marked;      /* (actors) pace free: cut markers seen */
  uint64_t markers;      /* cuts made so far */
  TickFlags flags[4];    /* by tick */
  Message *directive[4]; /* waiting */
  size_t directives;
  uint64_t directives_taken; /* in this job */
  Batch batch;
  Shards shards;
  Allreduce *summer; /* NULL: the only member */
  size_t current;    /* state in update */
  bool updating;
  float vote[UPDATE_VOTES]; /* of the members together, in the last update */
  uint64_t dropped;         /* of this member, in the present update */
  WireOut wire;
  int64_t started, busy_receive, busy_publish;
  int64_t idle_seen, idle_reducing; /* of the rank: as of the last step; and while a sum was awaited */
  uint64_t frames;                  /* learned here */
  int64_t waits_since, waits_idle;  /* when the present stretch began, and what the rank had been idle by then */
  uint64_t waits_tick;              /* in which it began */
  double waits;                     /* share of the last stretch in which the rank had nothing to do */
  double lag;                       /* of the batch being learned */
};

/* What members agree on with each update (pace free): that all have the next directive; how many have not seen all
 * marks of the next cut; rows dropped; and frames, of all players, that were acted in the ticks being learned. */
enum { VOTE_DIRECTIVE, VOTE_UNMARKED, VOTE_DROPPED, VOTE_ACTED };

enum { COUNTERS = 8 /* of a player's state */ };
enum { AHEAD = 4 /* ticks that an actor may have ended before they are learned from; pace free: summed at once */ };

static uint64_t lag_of(const Learner *learner) { return learner->setup.pace == PIPELINED ? 1 : 0; }

/* Two gradients, or the moments that open an update and those that end it. */
static size_t sum_room(const Net *net, size_t members) {
  return 2 * (net->graph.params + UPDATE_SCALARS) + 2 * update_opening(net, members);
}

size_t learner_shared_bytes(const Net *net, size_t members) { return allreduce_shared_bytes(sum_room(net, members)); }

static Status start_sum(void *context, float *values, size_t count) {
  Learner *learner = context;
  TRY_RETURN(allreduce_start(learner->summer, values, count));
  learner->setup.transport->ops->unsent(learner->setup.transport); /* drives what is under way */
  return OK;
}

static Status test_sum(void *context, bool *done) { return allreduce_test(((Learner *)context)->summer, done); }

Status learner_create(const LearnerSetup *setup, Learner **out) {
  Status status = OK;
  Learner *learner = NULL;
  TRY(NEW_ARRAY(learner, 1));
  learner->setup = *setup;
  learner->started = clock_now(&setup->clock);
  TRY(NEW_ARRAY(learner->state, setup->learning_players));
  TRY(NEW_ARRAY(learner->ended, setup->actors));
  TRY(NEW_ARRAY(learner->acted, setup->actors * AHEAD));
  TRY(NEW_ARRAY(learner->credited, setup->actors));
  TRY(NEW_ARRAY(learner->marked, setup->actors));
  TRY(NEW_ARRAY(learner->came, setup->learning_players * setup->actors));
  TRY(batch_create(&setup->format, &learner->batch));
  if (setup->members > 1)
    TRY(allreduce_create(&(AllreduceSetup){.transport = setup->transport,
                                           .rank = setup->member_rank,
                                           .members = setup->members,
                                           .self = setup->member,
                                           .shared = setup->shared,
                                           .room = sum_room(setup->net, setup->members)},
                         &learner->summer));
  for (size_t p = setup->group; p < setup->learning_players; p += setup->groups) {
    TRY(train_state_create(setup->net, setup->seed, (uint32_t)p, &learner->state[learner->pupils]));
    if (setup->life) learner->state[learner->pupils].life_horizon = setup->life[p];
    learner->pupils++;
  }
  Reducer reducer = {learner, setup->members, setup->member, start_sum, test_sum};
  TRY(update_create(&(UpdateSetup){.net = setup->net,
                                   .config = &learner->setup.config,
                                   .algo = setup->algo,
                                   .algo_config = setup->algo_config,
                                   .seed = setup->seed,
                                   .clock = &setup->clock,
                                   .reducer = &reducer},
                    &learner->update));
  *out = learner;
  learner = NULL;
done:
  learner_destroy(learner);
  return status;
}

void learner_destroy(Learner *learner) {
  if (!learner) return;
  for (size_t i = 0; i < learner->parcels; i++) message_release(learner->parcel[i].message);
  for (size_t i = 0; i < learner->directives; i++) message_release(learner->directive[i]);
  for (size_t i = 0; i < learner->pupils; i++) train_state_destroy(&learner->state[i]);
  update_destroy(learner->update);
  allreduce_destroy(learner->summer);
  batch_destroy(&learner->batch);
  free(learner->shards.actor);
  free(learner->shards.unroll_end);
  bytes_free(&learner->wire.bytes);
  free(learner->state);
  free(learner->parcel);
  free(learner->ended);
  free(learner->came);
  free(learner->acted);
  free(learner->credited);
  free(learner->marked);
  free(learner);
}

const float *learner_policy(const Learner *learner, uint32_t player) {
  for (size_t i = 0; i < learner->pupils; i++)
    if (learner->state[i].player == player) return train_state_snapshot(&learner->setup.config, &learner->state[i]);
  return NULL;
}

double learner_front_seconds(const Learner *learner) {
  return clock_seconds(learner->busy_receive + learner->busy_publish);
}

bool learner_done(const Learner *learner) { return learner->phase == PHASE_DONE; }

static TrainState *own_pupil(Learner *learner, uint32_t player) {
  for (size_t i = 0; i < learner->pupils; i++)
    if (learner->state[i].player == player) return &learner->state[i];
  return NULL;
}

/* --- publishing --- */
static Status publish(Learner *learner, const TrainState *state, const float *block, uint64_t version, uint64_t tick) {
  INVARIANT(version <= state->version && finite_floats(block, learner->setup.net->block));
  const WireWeights weights = {
      .player = state->player,
      .life = state->life,
      .version = version,
      .tick = tick,
      .value = block,
  };
  wire_begin(&learner->wire, WIRE_WEIGHTS);
  weights_encode(&weights, learner->setup.net->block, &learner->wire.bytes);
  return wire_send_many(learner->setup.transport, learner->setup.below, learner->setup.belows, &learner->wire);
}

/* Weights for the first tick, and in pipelined for the one after it. */
static Status publish_first(Learner *learner) {
  for (size_t i = 0; i < learner->pupils; i++) {
    TrainState *state = &learner->state[i];
    if (lag_of(learner))
      TRY_RETURN(publish(learner, state, state->acting, state->version ? state->version - 1 : 0, learner->tick));
    TRY_RETURN(publish(learner, state, state->block, state->version, learner->tick + lag_of(learner)));
  }
  return OK;
}

/* --- messages --- */
static Status restore_player(Learner *learner, Reader *body);

static Status take_unrolls(Learner *learner, Message *message, Reader *body) {
  WireUnrolls unrolls;
  TRY_RETURN(unrolls_decode(&unrolls, body));
  size_t actor = (size_t)unrolls.actor - learner->setup.first_actor;
  const TrainState *state = own_pupil(learner, unrolls.player);
  if (!state) return status_set(ERR_FORMAT, "experience of a player that is not learned here");
  if (actor >= learner->setup.actors || learner->setup.actor_rank[actor] != message->peer)
    return status_set(ERR_FORMAT, "it names actor %u, who is not on that rank", unrolls.actor);
  if (unrolls.tick != learner->ended[actor])
    return status_set(ERR_FORMAT, "experience of tick %llu where that of tick %llu is due",
                      (unsigned long long)unrolls.tick, (unsigned long long)learner->ended[actor]);
  uint64_t *came = &learner->came[(size_t)(state - learner->state) * learner->setup.actors + actor];
  if (*came == unrolls.tick + 1)
    return status_set(ERR_FORMAT, "experience of tick %llu came twice", (unsigned long long)unrolls.tick);
  *came = unrolls.tick + 1;
  TRY_RETURN(GROW(learner->parcel, learner->parcel_room, learner->parcels + 1));
  learner->parcel[learner->parcels++] = (Parcel){message_retain(message), unrolls};
  return OK;
}

static Status take_tick_end(Learner *learner, const Message *message, Reader *body) {
  WireTickEnd end;
  TRY_RETURN(tick_end_decode(&end, body));
  const uint64_t tick = end.tick;
  const size_t actor = (size_t)end.actor - learner->setup.first_actor;
  if (actor >= learner->setup.actors || learner->setup.actor_rank[actor] != message->peer)
    return status_set(ERR_FORMAT, "it names an actor who is not on that rank");
  if (tick != learner->ended[actor])
    return status_set(ERR_FORMAT, "the end of tick %llu where that of tick %llu is due", (unsigned long long)tick,
                      (unsigned long long)learner->ended[actor]);
  const uint32_t flags = end.flags & (TABLE_SAVE | TABLE_STOP);
  TickFlags *of_tick = &learner->flags[tick % COUNT_OF(learner->flags)];
  if (learner->setup.pace != FREE && of_tick->tick == tick + 1 && of_tick->flags != flags)
    return status_set(ERR_FORMAT, "the actors disagree on whether tick %llu is saved", (unsigned long long)tick);
  *of_tick = (TickFlags){tick + 1, flags};
  learner->ended[actor] = tick + 1;
  learner->acted[actor * AHEAD + tick % AHEAD] += end.frames;
  if (flags & TABLE_SAVE) learner->marked[actor]++;
  return OK;
}

/* In the deterministic paces there is one directive for each tick, which saves if the tick's table did. */
static Status take_directive(Learner *learner, Message *message, Reader *body) {
  Directive directive;
  if (learner->directives == COUNT_OF(learner->directive)) return status_set(ERR_FORMAT, "directives pile up");
  TRY_RETURN(directive_decode(&directive, learner->setup.net->block, body));
  if (directive.number != learner->directives_taken++)
    return status_set(ERR_FORMAT, "it is not the directive that comes next");
  uint64_t due = learner->tick + learner->directives;
  if (learner->setup.pace != FREE && directive.tick != due)
    return status_set(ERR_FORMAT, "it is of tick %llu where that of tick %llu is due",
                      (unsigned long long)directive.tick, (unsigned long long)due);
  for (size_t i = 0; i < directive.orders; i++)
    if (directive.order[i].player >= learner->setup.learning_players)
      return status_set(ERR_FORMAT, "an order for player %u, who is not learning", directive.order[i].player);
  learner->directive[learner->directives++] = message_retain(message);
  return OK;
}

static Status check_flags(const Learner *learner, const Directive *directive) {
  const TickFlags *of_tick = &learner->flags[directive->tick % COUNT_OF(learner->flags)];
  if (learner->setup.pace == FREE || of_tick->tick != directive->tick + 1 || of_tick->flags == directive->flags)
    return OK;
  return status_set(ERR_FORMAT, "league and actors disagree on whether tick %llu is saved",
                    (unsigned long long)directive->tick);
}

static Status take_learn(Learner *learner, Reader *body) {
  WireStart start;
  TRY_RETURN(start_decode(&start, body));
  if (learner->phase != PHASE_RESTORE) return status_set(ERR_FORMAT, "the job has begun before");
  learner->tick = start.tick;
  for (size_t a = 0; a < learner->setup.actors; a++) learner->ended[a] = learner->credited[a] = start.tick;
  learner->phase = PHASE_COLLECT;
  return publish_first(learner);
}

Status learner_receive(Learner *learner, WireKind kind, Message *message, Reader *body) {
  INVARIANT_AT(learner->setup.transport->rank, learner->tick);
  switch (kind) {
  case WIRE_UNROLLS: return take_unrolls(learner, message, body);
  case WIRE_TICK_END: return take_tick_end(learner, message, body);
  case WIRE_DIRECTIVE: return take_directive(learner, message, body);
  case WIRE_RESTORE_PLAYER: return restore_player(learner, body);
  case WIRE_SUM_PART:
  case WIRE_SUM_WHOLE:
    if (!learner->summer) break;
    return allreduce_receive(learner->summer, kind, message, body);
  case WIRE_LEARN: return take_learn(learner, body);
  default: break;
  }
  return status_set(ERR_INTERNAL, "a learner was sent a %s message", wire_name(kind));
}

/* --- state of a player, by named columns --- */
static Status tree_of_pupil(const Learner *learner, const TrainState *state, Tree *tree) {
  size_t params = learner->setup.net->graph.params, block = learner->setup.net->block;
  uint64_t counters[COUNTERS] = {state->life,    state->version, state->min_version, state->frames,
                                 state->dropped, state->steps,   state->life_frames, state->run_frames};
  TRY_RETURN(tree_put(tree, "policy", STORE_F32, block, 1, state->block));
  TRY_RETURN(tree_put(tree, "policy_acting", STORE_F32, block, 1, state->acting));
  TRY_RETURN(tree_put(tree, "policy_reference", STORE_F32, block, 1, state->reference));
  if (learner->setup.config.average > 0)
    TRY_RETURN(tree_put(tree, "policy_average", STORE_F32, block, 1, state->average));
  TRY_RETURN(tree_put(tree, "adam_m", STORE_F32, params, 1, state->m));
  TRY_RETURN(tree_put(tree, "adam_v", STORE_F32, params, 1, state->v));
  TRY_RETURN(tree_put(tree, "normaliser", STORE_F64, train_state_stat_count(learner->setup.net), 1, state->stat));
  return tree_put(tree, "counters", STORE_U64, COUNTERS, 1, counters);
}

static void copy_column(const Tree *tree, const char *path, void *out) {
  const Item *item = tree_find(tree, path);
  memcpy(out, item->data, item->count * item->size);
}

/* Where none is kept, it begins at the policy. */
static const char *average_of(const Tree *state) {
  return tree_find(state, "policy_average") ? "policy_average" : "policy";
}

/* Adam divides by the root of its second moments; versions and frames only grow. */
Status learner_check_state(const Net *net, const Tree *state) {
  const size_t params = net->graph.params, stats = train_state_stat_count(net);
  const struct {
    const char *path;
    StoreType type;
    size_t count;
  } column[] = {{"policy", STORE_F32, net->block},
                {"policy_acting", STORE_F32, net->block},
                {"policy_reference", STORE_F32, net->block},
                {average_of(state), STORE_F32, net->block},
                {"adam_m", STORE_F32, params},
                {"adam_v", STORE_F32, params},
                {"normaliser", STORE_F64, stats}};
  const Item *item;
  for (size_t i = 0; i < COUNT_OF(column); i++) {
    TRY_RETURN(tree_get(state, column[i].path, column[i].type, (int64_t)column[i].count, &item));
    TRY_RETURN(tree_check_finite(state, item));
  }
  TRY_RETURN(tree_get(state, "adam_v", STORE_F32, (int64_t)params, &item));
  for (size_t i = 0; i < params; i++)
    if (((const float *)item->data)[i] < 0) return tree_fault(state, "adam_v", (int64_t)i, "is below 0");
  TRY_RETURN(tree_get(state, "counters", STORE_U64, COUNTERS, &item));
  const uint64_t *counters = item->data;
  for (int i = 0; i < COUNTERS; i++)
    if (counters[i] >> 53) return tree_fault(state, "counters", i, "is an impossible count");
  if (counters[0] > UINT32_MAX) return tree_fault(state, "counters", 0, "is an impossible count of lives");
  if (counters[2] > counters[1]) return tree_fault(state, "counters", 2, "is a version of the future");
  if (counters[6] > counters[3]) return tree_fault(state, "counters", 6, "is more frames than there were");
  return OK;
}

static Status restore_player(Learner *learner, Reader *body) {
  Status status = OK;
  Tree tree = {0};
  uint64_t counters[COUNTERS];
  WirePlayerState sent;
  TRY_RETURN(player_state_decode(&sent, body));
  Reader columns = reader_over(sent.tree, sent.size);
  TrainState *state = own_pupil(learner, sent.player);
  if (!state || learner->phase != PHASE_RESTORE)
    return status_set(ERR_FORMAT, "state of a player that is not restored here");
  TRY(tree_decode(&tree, &columns));
  TRY(reader_finish(&columns, "the body"));
  TRY(learner_check_state(learner->setup.net, &tree));
  copy_column(&tree, "policy", state->block);
  copy_column(&tree, "policy_acting", state->acting);
  copy_column(&tree, "policy_reference", state->reference);
  copy_column(&tree, average_of(&tree), state->average);
  copy_column(&tree, "adam_m", state->m);
  copy_column(&tree, "adam_v", state->v);
  copy_column(&tree, "normaliser", state->stat);
  copy_column(&tree, "counters", counters);
  state->life = (uint32_t)counters[0];
  state->version = counters[1];
  state->min_version = counters[2];
  state->frames = counters[3];
  state->dropped = counters[4];
  state->steps = counters[5];
  state->life_frames = counters[6];
  state->run_frames = counters[7];
done:
  tree_free(&tree);
  return status == OK ? OK : status_context(status, "the stored state of player %u", sent.player);
}

static Status send_state(Learner *learner) {
  if (learner->setup.member != 0) return OK; /* all members hold the same */
  for (size_t i = 0; i < learner->pupils; i++) {
    Tree tree = {0};
    Status status = tree_of_pupil(learner, &learner->state[i], &tree);
    wire_begin(&learner->wire, WIRE_LEARNER_STATE);
    player_state_encode(&(WirePlayerState){.player = learner->state[i].player}, &learner->wire.bytes);
    tree_encode(&tree, &learner->wire.bytes);
    tree_free(&tree);
    TRY_RETURN(status);
    TRY_RETURN(wire_send(learner->setup.transport, learner->setup.league_rank, &learner->wire));
  }
  return OK;
}

/* --- collecting --- */
static bool tick_complete(const Learner *learner) {
  const LearnerSetup *setup = &learner->setup;
  if (setup->pace != FREE) {
    for (size_t a = 0; a < setup->actors; a++)
      if (learner->ended[a] <= learner->tick) return false;
    return true;
  }
  uint64_t fresh = 0;
  bool cutting = false;
  for (size_t a = 0; a < setup->actors; a++) {
    fresh += learner->ended[a] - learner->credited[a];
    cutting |= learner->marked[a] > learner->markers;
  }
  /* members also update with nothing of their own: at a cut, which others may not have reached, and to agree on a
   * directive, which may come when all actors are held */
  if (learner->summer && (cutting || learner->directives)) return true;
  return fresh >= (cutting ? 1 : setup->actors);
}

static int by_actor(const void *a, const void *b) {
  const WireUnrolls *x = &((const Parcel *)a)->unrolls, *y = &((const Parcel *)b)->unrolls;
  if (x->tick != y->tick) return x->tick < y->tick ? -1 : 1;
  if (x->actor != y->actor) return x->actor < y->actor ? -1 : 1;
  return x->player < y->player ? -1 : x->player > y->player;
}

/* Unrolls are of the player that they say, and not of its future. */
static Status check_unrolls(const Learner *learner, const TrainState *state, size_t from) {
  for (size_t u = from; u < learner->batch.unrolls; u++) {
    const Unroll *unroll = &learner->batch.unroll[u];
    if (unroll->rows == 0) return status_set(ERR_FORMAT, "experience message: unroll %zu is empty", u - from);
    if (unroll->player != state->player || unroll->version > state->version || unroll->first_version > state->version)
      return status_set(ERR_FORMAT, "experience message: unroll %zu is of version %llu of player %u, who is %u at %llu",
                        u - from, (unsigned long long)unroll->version, unroll->player, state->player,
                        (unsigned long long)state->version);
  }
  return OK;
}

/* Leading decisions of an unroll that are not to be learned from: those of a former life, and in pace free those that
 * lag too far - but never the decision that an episode's end closes: ends are what all other values rest on. */
static uint32_t stale_rows(const Learner *learner, const TrainState *state, const Unroll *unroll) {
  uint64_t lag = (uint64_t)learner->setup.config.max_lag;
  for (uint32_t row = 0; row < unroll->rows; row++) {
    uint64_t version = unroll_version(unroll, row);
    bool former = unroll_life(unroll, row) != state->life || version < state->min_version;
    bool closes = row + 1 == unroll->rows && unroll->end != END_OPEN;
    bool late = learner->setup.pace == FREE && version + lag < state->version && !closes;
    if (!former && !late) return row;
  }
  return unroll->rows;
}

/* Marks or removes what is stale of the unrolls from `from` on. */
static void drop_stale(Learner *learner, const TrainState *state, size_t from) {
  Batch *batch = &learner->batch;
  size_t kept = from;
  for (size_t u = from; u < batch->unrolls; u++) {
    Unroll *unroll = &batch->unroll[u];
    unroll->skip = stale_rows(learner, state, unroll);
    learner->dropped += unroll->skip;
    if (unroll->skip == unroll->rows) continue;
    if (kept != u) batch_move_unroll(batch, kept, u);
    kept++;
  }
  batch->unrolls = kept;
}

/* One parcel into the batch; parcels of one actor form a shard. */
static Status take_parcel(Learner *learner, const TrainState *state, Parcel *parcel) {
  Shards *shards = &learner->shards;
  const uint32_t actor = parcel->unrolls.actor;
  size_t from = learner->batch.unrolls, room = shards->room;
  TRY_RETURN(unrolls_batch(&parcel->unrolls, &learner->batch));
  TRY_RETURN(check_unrolls(learner, state, from));
  drop_stale(learner, state, from);
  if (!shards->count || shards->actor[shards->count - 1] != actor) {
    TRY_RETURN(GROW(shards->actor, room, shards->count + 1));
    room = shards->room;
    TRY_RETURN(GROW(shards->unroll_end, room, shards->count + 1));
    shards->room = room;
    shards->actor[shards->count++] = actor;
  }
  shards->unroll_end[shards->count - 1] = learner->batch.unrolls;
  message_release(parcel->message);
  parcel->message = NULL;
  return OK;
}

static bool all_marked(const Learner *learner) {
  for (size_t a = 0; a < learner->setup.actors; a++)
    if (learner->marked[a] <= learner->markers || learner->ended[a] != learner->credited[a]) return false;
  return true;
}

/* Updates between the weights that acted and those that learn from it, over this member's rows. */
static double mean_lag(const Batch *batch, const TrainState *state) {
  double sum = 0, rows = 0;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    if (unroll->skip == unroll->rows) continue;
    double others = (double)(unroll->rows - unroll->skip - 1); /* all but the first are of the same weights */
    sum += (double)(state->version - unroll_version(unroll, unroll->skip));
    sum += others * (double)(state->version - unroll->version);
    rows += others + 1;
  }
  return rows > 0 ? sum / rows : 0;
}

/* Frames acted in the ticks that are now learned from, by this member's actors; each is told once. */
static uint64_t take_acted(Learner *learner) {
  uint64_t sum = 0;
  for (size_t i = 0; i < learner->setup.actors * AHEAD; i++) {
    if (learner->setup.pace != FREE && i % AHEAD != learner->tick % AHEAD) continue;
    sum += learner->acted[i];
    learner->acted[i] = 0;
  }
  return sum;
}

static Status start_pupil(Learner *learner) {
  TrainState *state = &learner->state[learner->current];
  int64_t start = clock_now(&learner->setup.clock);
  batch_clear(&learner->batch);
  learner->shards.count = 0;
  learner->dropped = 0;
  size_t kept = 0;
  for (size_t i = 0; i < learner->parcels; i++) {
    Parcel *parcel = &learner->parcel[i];
    const WireUnrolls *unrolls = &parcel->unrolls;
    if (unrolls->player == state->player && (learner->setup.pace == FREE || unrolls->tick == learner->tick)) {
      TRY_RETURN(take_parcel(learner, state, parcel));
      continue;
    }
    Parcel waiting = *parcel;
    parcel->message = NULL; /* each message is in the list once, whenever a parcel fails */
    learner->parcel[kept++] = waiting;
  }
  learner->parcels = kept;
  if (learner->setup.pace == PIPELINED) memcpy(state->acting, state->block, learner->setup.net->block * sizeof(float));
  learner->frames += batch_learned(&learner->batch);
  learner->lag = mean_lag(&learner->batch, state);
  float vote[UPDATE_VOTES];
  vote[VOTE_DIRECTIVE] = learner->directives > 0;
  vote[VOTE_UNMARKED] = !all_marked(learner);
  vote[VOTE_DROPPED] = (float)learner->dropped;
  vote[VOTE_ACTED] = learner->current == 0 ? (float)take_acted(learner) : 0;
  learner->busy_receive += clock_now(&learner->setup.clock) - start;
  return update_begin(learner->update, state, &learner->batch, &learner->shards, vote);
}

/* A stretch goes from the first report of one tick to that of the next: a tick's other reports follow at once, so that
 * what lies between them would say nothing. */
static void count_waits(Learner *learner) {
  if (!learner->setup.idle || learner->waits_tick == learner->tick + 1) return;
  int64_t now = clock_now(&learner->setup.clock), idle = *learner->setup.idle;
  int64_t since = learner->waits_tick ? learner->waits_since : learner->started;
  if (now > since) learner->waits = (double)(idle - learner->waits_idle) / (double)(now - since);
  learner->waits_since = now;
  learner->waits_idle = idle;
  learner->waits_tick = learner->tick + 1;
}

static Status send_report(Learner *learner, const TrainState *state) {
  const AlgoStats *stats = update_stats(learner->update);
  WireReport report = {
      .tick = learner->tick,
      .player = state->player,
      .version = state->version,
      .frames = state->frames,
      .dropped = state->dropped,
  };
  Numbers *numbers = &report.numbers;
  if (learner->setup.member != 0) return OK;
  count_waits(learner);
  if (stats->rows > 0) {
    numbers_set(numbers, "policy_loss", stats->policy_loss);
    numbers_set(numbers, "value_loss", stats->value_loss);
    numbers_set(numbers, "entropy", stats->entropy);
    numbers_set(numbers, "approx_kl", stats->kl);
    numbers_set(numbers, "kl_reference", stats->kl_reference);
    numbers_set(numbers, "clipped", stats->clipped);
    numbers_set(numbers, "gradient_norm", stats->gradient_norm);
    numbers_set(numbers, "learning_rate", stats->rate);
    numbers_set(numbers, "batch", stats->rows);
    numbers_set(numbers, "lag", learner->lag);
    if (learner->setup.idle) numbers_set(numbers, "waits", learner->waits);
  }
  wire_begin(&learner->wire, WIRE_REPORT);
  report_encode(&report, &learner->wire.bytes);
  return wire_send(learner->setup.transport, learner->setup.league_rank, &learner->wire);
}

/* --- orders --- */
static Status obey_order(Learner *learner, const Order *order) {
  TrainState *state = own_pupil(learner, order->player);
  if (!state) return OK; /* another learner's */
  if (order->snapshot_id && learner->setup.member == 0) {
    const float *policy = train_state_snapshot(&learner->setup.config, state);
    wire_begin(&learner->wire, WIRE_SNAPSHOT);
    frozen_encode(&(WireFrozen){order->snapshot_id, policy}, learner->setup.net->block, &learner->wire.bytes);
    TRY_RETURN(wire_send(learner->setup.transport, learner->setup.league_rank, &learner->wire));
  }
  if (order->reset != RESET_NONE)
    train_state_reset(learner->setup.net, learner->setup.seed, state, order->reset == RESET_COPY ? order->block : NULL);
  return OK;
}

static Status send_bye(Learner *learner) {
  RoleProfile profile = {.role = "learner", .index = (uint32_t)learner->setup.index};
  Numbers *numbers = &profile.numbers;
  const UpdateTimes *times = update_times(learner->update);
  numbers_set(numbers, "seconds", clock_seconds(clock_now(&learner->setup.clock) - learner->started));
  numbers_set(numbers, "idle", learner->setup.idle ? clock_seconds(*learner->setup.idle) : 0);
  numbers_set(numbers, "receive", clock_seconds(learner->busy_receive));
  numbers_set(numbers, "batch", clock_seconds(times->batch));
  numbers_set(numbers, "forward", clock_seconds(times->forward));
  numbers_set(numbers, "loss", clock_seconds(times->loss));
  numbers_set(numbers, "backward", clock_seconds(times->backward));
  numbers_set(numbers, "reduce", clock_seconds(times->reduce - learner->idle_reducing));
  numbers_set(numbers, "optimise", clock_seconds(times->optimise));
  numbers_set(numbers, "publish", clock_seconds(learner->busy_publish));
  numbers_set(numbers, "frames", (double)learner->frames);
  wire_begin(&learner->wire, WIRE_BYE);
  profile_encode(&profile, &learner->wire.bytes);
  return wire_send(learner->setup.transport, learner->setup.league_rank, &learner->wire);
}

/* Pace free: whether the next directive may be obeyed now. Alone: it is here, and if it saves, all before the cut is
 * learned. Among members: all had it before the last update, and then nobody lacked a mark. */
static bool may_obey(const Learner *learner, const Directive *directive) {
  bool cut = directive->flags & DIRECTIVE_SAVE;
  if (learner->setup.pace != FREE) return true;
  if (!learner->summer) return !cut || all_marked(learner);
  return learner->vote[VOTE_DIRECTIVE] == (float)learner->setup.members && (!cut || learner->vote[VOTE_UNMARKED] == 0);
}

static Status obey(Learner *learner, bool *progress) {
  WireKind kind;
  Reader body;
  Directive directive;
  bool free_pace = learner->setup.pace == FREE;
  if (learner->directives == 0) {
    if (free_pace) learner->phase = PHASE_COLLECT;
    return OK;
  }
  Message *message = learner->directive[0];
  TRY_RETURN(wire_open(message, &kind, &body));
  TRY_RETURN(directive_decode(&directive, learner->setup.net->block, &body));
  if (!may_obey(learner, &directive)) {
    learner->phase = PHASE_COLLECT; /* learn what is left first */
    return OK;
  }
  TRY_RETURN(check_flags(learner, &directive));
  *progress = true;
  memset(learner->vote, 0, sizeof learner->vote);
  for (size_t i = 0; i < directive.orders; i++) TRY_RETURN(obey_order(learner, &directive.order[i]));
  uint32_t flags = directive.flags;
  message_release(message);
  memmove(learner->directive, learner->directive + 1, --learner->directives * sizeof(Message *));
  if (flags & DIRECTIVE_SAVE) {
    learner->markers++;
    TRY_RETURN(send_state(learner));
  }
  if (flags & DIRECTIVE_STOP) {
    learner->phase = PHASE_DONE;
    return send_bye(learner);
  }
  if (free_pace && !directive.orders) return OK;
  int64_t start = clock_now(&learner->setup.clock);
  for (size_t i = 0; i < learner->pupils; i++)
    TRY_RETURN(publish(learner, &learner->state[i], learner->state[i].block, learner->state[i].version,
                       learner->tick + 1 + lag_of(learner)));
  learner->busy_publish += clock_now(&learner->setup.clock) - start;
  if (free_pace) return OK;
  learner->tick++;
  learner->phase = PHASE_COLLECT;
  return OK;
}

/* --- the machine --- */
static Status finish_pupil(Learner *learner) {
  if (learner->pupils == 0) {
    learner->phase = PHASE_ORDERS;
    return OK;
  }
  TrainState *state = &learner->state[learner->current];
  if (learner->current == 0) memcpy(learner->vote, update_votes(learner->update), sizeof learner->vote);
  state->dropped += (uint64_t)update_votes(learner->update)[VOTE_DROPPED];
  TRY_RETURN(send_report(learner, state));
  if (++learner->current < learner->pupils) return start_pupil(learner);
  for (size_t i = 0; i < learner->pupils; i++) learner->state[i].run_frames += (uint64_t)learner->vote[VOTE_ACTED];
  learner->phase = PHASE_ORDERS;
  if (learner->setup.pace != FREE) return OK;
  for (size_t i = 0; i < learner->pupils; i++)
    TRY_RETURN(publish(learner, &learner->state[i], learner->state[i].block, learner->state[i].version, 0));
  learner->tick++;
  for (size_t a = 0; a < learner->setup.actors; a++) {
    if (learner->setup.group != 0) break; /* one group speaks for all */
    wire_begin(&learner->wire, WIRE_CREDIT);
    credit_encode(&(WireCredit){learner->credited[a]}, &learner->wire.bytes);
    TRY_RETURN(wire_send(learner->setup.transport, learner->setup.actor_rank[a], &learner->wire));
  }
  return OK;
}

/* Among members in pace free, a directive is obeyed right after the update whose votes allow it. */
static bool obeys_now(const Learner *learner) {
  if (learner->phase == PHASE_ORDERS) return true;
  return learner->phase == PHASE_COLLECT && learner->setup.pace == FREE && learner->directives && !learner->summer;
}

static void count_idle(Learner *learner) {
  if (!learner->setup.idle) return;
  if (update_waits(learner->update)) learner->idle_reducing += *learner->setup.idle - learner->idle_seen;
  learner->idle_seen = *learner->setup.idle;
}

Status learner_step(Learner *learner, bool *progress) {
  INVARIANT_AT(learner->setup.transport->rank, learner->tick);
  *progress = false;
  count_idle(learner);
  if (obeys_now(learner)) TRY_RETURN(obey(learner, progress));
  if (learner->phase == PHASE_COLLECT && tick_complete(learner)) {
    *progress = true;
    if (learner->parcels) qsort(learner->parcel, learner->parcels, sizeof *learner->parcel, by_actor);
    memcpy(learner->credited, learner->ended, learner->setup.actors * sizeof *learner->ended);
    learner->current = 0;
    learner->phase = PHASE_UPDATE;
    return learner->pupils ? start_pupil(learner) : OK;
  }
  if (learner->phase != PHASE_UPDATE) return OK;
  bool more = false, stepped = true;
  if (learner->pupils) TRY_RETURN(update_step(learner->update, &more, &stepped));
  *progress = stepped;
  return more ? OK : finish_pupil(learner);
}

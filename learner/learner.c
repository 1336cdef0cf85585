/* Per tick: the inbox has every actor's experience; each own player is updated from it; then the
 * league's directive is obeyed, and the weights go out. In the deterministic paces that is one
 * directive for each tick. In pace `free` updates follow each other as experience comes, and a
 * directive is obeyed between two of them. */
#include "learner/learner.h"

#include "base/invariant.h"
#include "learner/columns.h"
#include "learner/gather.h"
#include "learner/inbox.h"
#include "learner/train/update.h"
#include "learner/tuned.h"
#include "wire/allreduce.h"

#include <stdlib.h>
#include <string.h>

typedef enum Phase {
  PHASE_RESTORE, /* until LEARN: players of a checkpoint are given back */
  PHASE_COLLECT,
  PHASE_COUNT, /* the ranks that share the player sum up what they keep of it */
  PHASE_UPDATE,
  PHASE_ORDERS,
  PHASE_ADOPT, /* players that others have are waited for, which own ones are to go on as */
  PHASE_SAVE,  /* what is kept goes to the league, a piece at a time */
  PHASE_DONE
} Phase;

/* In pace `free` the learner ranks that share a player must obey a directive after the same update.
 * So each update sums four numbers over those ranks. */
enum {
  VOTE_DIRECTIVE, /* ranks that have the next directive: it is obeyed only when all have */
  VOTE_UNMARKED,  /* ranks that wait for an actor's mark of the next cut: it is saved only at 0 */
  VOTE_DROPPED,   /* decisions thrown away as too old, or of a life before */
  VOTE_ACTED      /* frames, of all players, that were acted in the ticks being learned */
};

/* Where the rank's time goes; in nanoseconds unless it says otherwise. */
typedef struct Activity {
  int64_t started;
  int64_t receive; /* decoding and dropping */
  int64_t publish;
  int64_t idle_seen;     /* the rank's idle time as of the last step */
  int64_t idle_reducing; /* of it, while a sum was awaited */
  uint64_t waits_tick;   /* 1 + tick in which the present stretch began */
  int64_t waits_since;   /* when that was, and ... */
  int64_t waits_idle;    /* ... what the rank had been idle by then */
  double waits;          /* share of the last stretch in which the rank had nothing to do */
} Activity;

/* What is left to be done of a directive whose orders are obeyed. */
typedef struct Rest {
  uint32_t flags;
  bool orders; /* it had some */
} Rest;

/* An own player that is to go on as one that is learned elsewhere. */
typedef struct Adoption {
  size_t index; /* among those learned here */
  uint32_t source;
  double tuned[TUNABLES];
} Adoption;

/* Players that have been sent to be copied from. They may come before the directive that wants
 * them. */
typedef struct Adopting {
  uint64_t number;    /* of the directive that is obeyed, or is next */
  Adoption *adoption; /* (players) those that wait */
  size_t adoptions;
  Message **message; /* each a TRAINING, retained */
  size_t messages;
  size_t room;
} Adopting;

/* What is kept of experience, on its way into a checkpoint: at most a seat's bytes are encoded, and
 * a piece of them is under way. */
typedef struct Saving {
  size_t player; /* of those learned here */
  size_t lane;   /* being sent, or to be sent next; behind them comes what is counted of all */
  Bytes state;   /* of it, encoded; empty: it is not yet */
  uint32_t part; /* to be sent next */
  bool waits;    /* for the league to have put down the last one */
} Saving;

enum { SIDES = 2 /* of a game whose players are shown each other's experience */ };

struct Learner {
  LearnerSetup setup;
  Phase phase;
  uint64_t tick; /* being learned, or to be learned next */
  LearnerInbox *inbox;
  /* (players) where both sides of a game are learned from together; else all are gathered by the
   * first, one after another. */
  Gather *gather[SIDES];
  Update *update;
  Allreduce *sum; /* over the members; NULL: the only one */

  TrainState *state; /* (players) those learned here */
  size_t players;
  size_t current;        /* state in update */
  bool partners;         /* players are shown each other's experience (AlgoNeeds.partner) */
  float *opening[SIDES]; /* (players, net->block) likewise: their weights as the tick began */
  TrainState met;        /* the partner in the present update, with those; nothing of it is owned */
  Rehearsal **rehearsal; /* (players); NULL: experience is not kept */
  uint64_t updates;      /* of the current player in this tick */
  AlgoStats stats;       /* means over these */
  Bytes restored;        /* of a piece of kept experience, the parts that have come */
  uint32_t restored_parts;
  Saving saving;
  Adopting adopting;
  Rest rest;                /* in PHASE_ADOPT and PHASE_SAVE */
  LearnConfig *tuned;       /* (players) what each has of its own once it has been tuned */
  float vote[UPDATE_VOTES]; /* of the members together, in the last update */
  uint64_t frames;          /* learned here */
  double lag;               /* of the batch being learned */

  Activity activity;
  WireOut wire;
};

/* --- life cycle --- */
/* Floats of the largest sums that may be under way together: two gradients, or the moments that
 * open an update and those that end it. */
static size_t sum_room(const Algo *algo, size_t members, size_t counts) {
  size_t gradient = algo_trained(algo) + UPDATE_SCALARS;
  return 2 * gradient + 2 * update_opening(algo->net, members) + counts;
}

/* Bytes of memory shared among the ranks of a host, for sums of gradients. */
size_t learner_shared_bytes(const Algo *algo, size_t members, size_t counts) {
  return allreduce_shared_bytes(sum_room(algo, members, counts));
}

/* What the players that are learned here are made of. */
static TrainShape shape_of(const LearnerSetup *setup) {
  return (TrainShape){
      .algo = setup->algo, .seed = setup->role.seed, .inheritance = setup->inheritance};
}

/* Begins to add up `values` over the ranks that share the players; they belong to the sum until
 * test_sum says that it is done. */
static Status start_sum(void *context, float *values, size_t count) {
  Learner *learner = context;
  Transport *transport = learner->setup.role.transport;
  TRY_RETURN(allreduce_start(learner->sum, values, count));
  transport->ops->unsent(transport); /* drives what is under way */
  return OK;
}

/* Never waits: a rank that also acts goes on acting meanwhile. */
static Status test_sum(void *context, bool *done) {
  return allreduce_test(((Learner *)context)->sum, done);
}

/* Floats that are summed to know what is kept. */
static size_t counts_of(const LearnerSetup *setup) {
  return setup->replay ? rehearsal_count(setup->replay, setup->slots, setup->teams) : 0;
}

/* A learner alone sums nothing. */
static Status create_sum(Learner *learner) {
  const LearnerSetup *setup = &learner->setup;
  const AllreduceSetup sum = {
      .transport = setup->role.transport,
      .rank = setup->member_rank,
      .members = setup->members,
      .self = setup->member,
      .shared = setup->shared,
      .room = sum_room(setup->algo, setup->members, counts_of(setup)),
  };
  return setup->members > 1 ? allreduce_create(&sum, &learner->sum) : OK;
}

/* The create_ functions below hand each part what it needs of the setup. None sees the learner: to
 * the update it is the context of its Reducer, handed back to start_sum and test_sum. */
static Status create_inbox(Learner *learner) {
  const LearnerSetup *setup = &learner->setup;
  const LearnerInboxSetup inbox = {
      .pace = setup->role.pace,
      .first_actor = setup->first_actor,
      .actor_rank = setup->actor_rank,
      .actors = setup->actors,
      .group = setup->group,
      .groups = setup->groups,
      .learning_players = setup->role.learning_players,
      .block = setup->role.net->block,
  };
  return learner_inbox_create(&inbox, &learner->inbox);
}

static Status create_update(Learner *learner) {
  const LearnerSetup *setup = &learner->setup;
  const Reducer reducer = {
      .context = learner,
      .members = setup->members,
      .self = setup->member,
      .start = start_sum,
      .test = test_sum,
  };
  const UpdateSetup update = {
      .config = &setup->config,
      .algo = setup->algo,
      .seed = setup->role.seed,
      .clock = &setup->role.clock,
      .reducer = &reducer,
  };
  return update_create(&update, &learner->update);
}

/* What is kept of a player's experience. */
static Status create_rehearsal(const LearnerSetup *setup, uint32_t player, Rehearsal **out) {
  const RehearsalSetup rehearsal = {
      .config = setup->replay,
      .format = setup->role.format,
      .seed = setup->role.seed,
      .player = player,
      .slots = setup->slots,
      .training = setup->training,
      .seats = setup->seats,
      .teams = setup->teams,
      .team_of = setup->team_of,
      .recurrent = setup->role.net->recurrent > 0,
  };
  return setup->replay ? rehearsal_create(&rehearsal, out) : OK;
}

/* Players p with p % groups == group are learned here. */
static Status create_players(Learner *learner) {
  const LearnerSetup *setup = &learner->setup;
  const RoleContext *role = &setup->role;
  const TrainShape shape = shape_of(setup);
  TRY_RETURN(columns_check_names(setup->algo)); /* before any checkpoint is written */
  TRY_RETURN(NEW_ARRAY(learner->state, role->learning_players));
  TRY_RETURN(NEW_ARRAY(learner->rehearsal, role->learning_players));
  TRY_RETURN(NEW_ARRAY(learner->tuned, role->learning_players));
  TRY_RETURN(NEW_ARRAY(learner->adopting.adoption, role->learning_players));
  for (size_t p = setup->group; p < role->learning_players; p += setup->groups) {
    TrainState *state = &learner->state[learner->players];
    TRY_RETURN(train_state_create(&shape, (uint32_t)p, state));
    if (setup->life) state->life_horizon = setup->life[p];
    if (setup->own) state->config = &setup->own[p];
    if (setup->teacher) state->teacher = setup->teacher[p];
    learner->players++;
    TRY_RETURN(create_rehearsal(setup, (uint32_t)p, &learner->rehearsal[learner->players - 1]));
  }
  return OK;
}

/* What each of the players that are gathered by themselves has come by, and its weights then. */
static Status create_gathers(Learner *learner) {
  const LearnerSetup *setup = &learner->setup;
  const RoleContext *role = &setup->role;
  /* what is kept is never too old */
  const uint64_t lag = setup->replay ? (uint64_t)INT64_MAX : (uint64_t)setup->config.max_lag;
  const size_t count = learner->partners ? learner->players : 1;
  if (count > SIDES)
    return status_set(ERR_INTERNAL, "%zu players are learned here, of a game of two", count);
  for (size_t i = 0; i < count; i++) {
    TRY_RETURN(gather_create(&role->format, role->pace, lag, &learner->gather[i]));
    gather_shape(learner->gather[i], setup->config.gamma, setup->shaping);
    if (learner->partners) TRY_RETURN(NEW_ARRAY(learner->opening[i], role->net->block));
  }
  return OK;
}

/* On failure nothing is left; what setup points to is borrowed. */
Status learner_create(const LearnerSetup *setup, Learner **out) {
  Status status = OK;
  Learner *learner = NULL;
  const RoleContext *role = &setup->role;
  TRY(NEW_ARRAY(learner, 1));
  learner->setup = *setup;
  learner->activity.started = clock_now(&role->clock);
  learner->partners = setup->algo->ops->shape != NULL;
  TRY(create_inbox(learner));
  TRY(create_sum(learner));
  TRY(create_players(learner));
  TRY(create_gathers(learner));
  TRY(create_update(learner));
  *out = learner;
  learner = NULL;
done:
  learner_destroy(learner);
  return status;
}

void learner_destroy(Learner *learner) {
  if (!learner) return;
  for (size_t i = 0; i < learner->players; i++) {
    train_state_destroy(&learner->state[i]);
    rehearsal_destroy(learner->rehearsal[i]);
  }
  update_destroy(learner->update);
  allreduce_destroy(learner->sum);
  for (size_t i = 0; i < SIDES; i++) {
    gather_destroy(learner->gather[i]);
    free(learner->opening[i]);
  }
  learner_inbox_destroy(learner->inbox);
  bytes_free(&learner->wire.bytes);
  bytes_free(&learner->restored);
  bytes_free(&learner->saving.state);
  for (size_t i = 0; i < learner->adopting.messages; i++)
    message_release(learner->adopting.message[i]);
  free(learner->adopting.message);
  free(learner->adopting.adoption);
  free(learner->tuned);
  free(learner->rehearsal);
  free(learner->state);
  free(learner);
}

/* NULL: the player is learned by another group. */
static TrainState *own_player(const Learner *learner, uint32_t player) {
  for (size_t i = 0; i < learner->players; i++)
    if (learner->state[i].player == player) return &learner->state[i];
  return NULL;
}

/* What a snapshot of the player would hold. Borrowed until the next update; NULL: learned
 * elsewhere. */
const float *learner_policy(const Learner *learner, uint32_t player) {
  const TrainState *state = own_player(learner, player);
  return state ? train_state_snapshot(&learner->setup.config, state) : NULL;
}

/* Time spent on messages rather than on learning: what a faster transport could save. */
double learner_front_seconds(const Learner *learner) {
  return clock_seconds(learner->activity.receive + learner->activity.publish);
}

bool learner_done(const Learner *learner) {
  return learner->phase == PHASE_DONE;
}

/* Sends the message being built in learner->wire; the buffer is reused. */
static Status tell_league(Learner *learner) {
  const RoleContext *role = &learner->setup.role;
  return wire_send(role->transport, role->league_rank, &learner->wire);
}

/* --- weights out --- */
static Status publish(Learner *learner, const TrainState *state, const float *block,
                      uint64_t version, uint64_t tick) {
  const LearnerSetup *setup = &learner->setup;
  const size_t size = setup->role.net->block;
  INVARIANT(version <= state->version);
  /* a pass over what is copied into the message next; what is not finite would make every actor's
   * moves, and the next checkpoint, of no use */
  if (!finite_floats(block, size))
    return status_set(ERR_INTERNAL,
                      "player %u: its weights are not finite after %llu updates (seed %llu): they "
                      "are neither published nor saved; lower learner.rate, and go on from the "
                      "last checkpoint",
                      state->player, (unsigned long long)version,
                      (unsigned long long)setup->role.seed);
  const WireWeights weights = {
      .player = state->player,
      .life = state->life,
      .version = version,
      .tick = tick,
      .value = block,
  };
  wire_begin(&learner->wire, WIRE_WEIGHTS);
  weights_encode(&weights, size, &learner->wire.bytes);
  return wire_send_many(setup->role.transport, setup->below, setup->belows, &learner->wire);
}

/* The present weights of all own players, for a tick. */
static Status publish_all(Learner *learner, uint64_t tick) {
  for (size_t i = 0; i < learner->players; i++) {
    const TrainState *state = &learner->state[i];
    TRY_RETURN(publish(learner, state, state->block, state->version, tick));
  }
  return OK;
}

/* Weights for the first tick, and in pace pipelined for the one after it: the first is then played
 * by those that were published before. */
static Status publish_first(Learner *learner) {
  const uint64_t lag = pace_lag(learner->setup.role.pace);
  for (size_t i = 0; i < learner->players && lag; i++) {
    const TrainState *state = &learner->state[i];
    const Rehearsal *rehearsal = learner->rehearsal[i];
    uint64_t before = state->version ? state->version - 1 : 0;
    if (rehearsal) before = rehearsal_acting(rehearsal); /* a tick has several updates */
    TRY_RETURN(publish(learner, state, state->acting, before, learner->tick));
  }
  return publish_all(learner, learner->tick + lag);
}

/* --- states --- */
static Status restore_player(Learner *learner, Reader *body) {
  Status status = OK;
  Tree tree = {0};
  WirePlayerState sent;
  TRY_RETURN(player_state_decode(&sent, body));
  Reader columns = reader_over(sent.tree, sent.size);
  TrainState *state = own_player(learner, sent.player);
  if (!state || learner->phase != PHASE_RESTORE)
    return status_set(ERR_FORMAT, "state of a player that is not restored here");
  TRY(tree_decode(&tree, &columns));
  TRY(reader_finish(&columns, "the body"));
  const TrainShape shape = shape_of(&learner->setup);
  TRY(columns_check(&shape, &tree));
  TRY(columns_take(&tree, state));
done:
  tree_free(&tree);
  if (status == OK) return OK;
  return status_context(status, "the stored state of player %u", sent.player);
}

/* A piece of what was kept of a player's experience. Parts come in their order, and are put
 * together. */
static Status restore_replay(Learner *learner, Reader *body) {
  WireReplay sent;
  Bytes *whole = &learner->restored;
  TRY_RETURN(replay_state_decode(&sent, body));
  const TrainState *state = own_player(learner, sent.player);
  if (!state || !learner->setup.replay || learner->phase != PHASE_RESTORE)
    return status_set(ERR_FORMAT, "experience that is not kept here");
  if (sent.part != learner->restored_parts)
    return status_set(ERR_FORMAT, "part %u of kept experience where part %u is due", sent.part,
                      learner->restored_parts);
  bytes_put(whole, sent.state, sent.size);
  if (whole->failed) return status_set(ERR_MEMORY, "out of memory taking kept experience");
  if (++learner->restored_parts < sent.parts) return OK;
  Reader piece = reader_over(whole->data, whole->size);
  Rehearsal *rehearsal = learner->rehearsal[state - learner->state];
  const bool last = sent.lane == (uint32_t)WIRE_NO_LANE;
  Status status = last ? rehearsal_decode(rehearsal, &piece)
                       : rehearsal_decode_lane(rehearsal, sent.lane, &piece);
  if (status == OK) status = reader_finish(&piece, "the piece");
  learner->restored_parts = 0;
  whole->size = 0;
  return status == OK ? OK : status_context(status, "what was kept of player %u", sent.player);
}

/* One player's whole state, for a checkpoint. */
static Status send_state(Learner *learner, const TrainState *state) {
  const LearnerSetup *setup = &learner->setup;
  Status status = OK;
  Tree tree = {0};
  TRY(columns_put(setup->role.net, setup->config.average > 0, state, &tree));
  wire_begin(&learner->wire, WIRE_LEARNER_STATE);
  player_state_encode(&(WirePlayerState){.player = state->player}, &learner->wire.bytes);
  tree_encode(&tree, &learner->wire.bytes);
  TRY(tell_league(learner));
done:
  tree_free(&tree);
  return status;
}

/* Sends the next part of what has been encoded of a seat, or (behind the last one) of all; what
 * follows is then to be encoded once it is the last. */
static Status send_part(Learner *learner) {
  const RoleContext *role = &learner->setup.role;
  Saving *saving = &learner->saving;
  const Bytes *state = &saving->state;
  const size_t lanes = rehearsal_lanes(learner->rehearsal[saving->player]);
  const size_t at = (size_t)saving->part * REPLAY_PART;
  const WireReplay piece = {
      .player = learner->state[saving->player].player,
      .lane = saving->lane < lanes ? (uint32_t)saving->lane : (uint32_t)WIRE_NO_LANE,
      .part = saving->part,
      .parts = (uint32_t)((state->size + REPLAY_PART - 1) / REPLAY_PART),
      .state = state->data + at,
      .size = state->size - at < REPLAY_PART ? state->size - at : REPLAY_PART,
  };
  wire_begin(&learner->wire, WIRE_REPLAY_STATE);
  replay_state_encode(&piece, &learner->wire.bytes);
  TRY_RETURN(wire_send(role->transport, role->league_rank, &learner->wire));
  saving->waits = true;
  if (++saving->part < piece.parts) return OK;
  saving->part = 0;
  saving->state.size = 0;
  if (saving->lane++ < lanes) return OK;
  saving->lane = 0;
  saving->player++;
  return OK;
}

/* Encodes what is to be sent next: a seat that has something, then what is counted. */
static Status encode_next(Learner *learner) {
  Saving *saving = &learner->saving;
  const Rehearsal *rehearsal = learner->rehearsal[saving->player];
  const size_t lanes = rehearsal_lanes(rehearsal);
  while (saving->lane < lanes && !rehearsal_has(rehearsal, saving->lane))
    saving->lane++;
  if (saving->lane < lanes)
    rehearsal_encode_lane(rehearsal, saving->lane, &saving->state);
  else
    rehearsal_encode(rehearsal, &saving->state);
  return saving->state.failed ? status_set(ERR_MEMORY, "out of memory sending kept experience")
                              : OK;
}

/* All members hold the same of a player: the first one speaks for them. What they keep of its
 * experience each of them sends, which takes a while (PHASE_SAVE). */
static Status send_states(Learner *learner) {
  for (size_t i = 0; i < learner->players && learner->setup.member == 0; i++)
    TRY_RETURN(send_state(learner, &learner->state[i]));
  return OK;
}

/* A TRAINING that has been checked; it stays where it is. */
static Status open_training(const Message *message, WireTraining *out) {
  WireKind kind;
  Reader body;
  TRY_RETURN(wire_open(message, &kind, &body));
  return training_decode(out, &body);
}

/* A player that is learned elsewhere, for an own one to go on as. */
static Status take_training(Learner *learner, Message *message, Reader *body) {
  const LearnerSetup *setup = &learner->setup;
  Adopting *adopting = &learner->adopting;
  const TrainShape shape = shape_of(setup);
  Status status = OK;
  Tree tree = {0};
  WireTraining sent;
  WireTraining other;
  TRY_RETURN(training_decode(&sent, body));
  const size_t group = sent.player % setup->groups;
  if (sent.player >= setup->role.learning_players || group == setup->group ||
      !setup->learner_rank || message->peer != setup->learner_rank[group])
    return status_set(ERR_FORMAT, "player %u, which is not learned there", sent.player);
  for (size_t i = 0; i < adopting->messages; i++) {
    TRY_RETURN(open_training(adopting->message[i], &other));
    if (other.player == sent.player && other.number == sent.number)
      return status_set(ERR_FORMAT, "player %u comes twice", sent.player);
  }
  if (sent.number < adopting->number)
    return status_set(ERR_FORMAT, "player %u for directive %llu, which is obeyed", sent.player,
                      (unsigned long long)sent.number);
  Reader columns = reader_over(sent.tree, sent.size);
  TRY(tree_decode(&tree, &columns));
  TRY(reader_finish(&columns, "the body"));
  TRY(columns_check(&shape, &tree));
  TRY(GROW(adopting->message, adopting->room, adopting->messages + 1));
  adopting->message[adopting->messages++] = message_retain(message);
done:
  tree_free(&tree);
  return status;
}

/* --- messages --- */
static Status take_learn(Learner *learner, Reader *body) {
  WireStart start;
  TRY_RETURN(start_decode(&start, body));
  if (learner->phase != PHASE_RESTORE) return status_set(ERR_FORMAT, "the job has begun before");
  learner->tick = start.tick;
  learner_inbox_begin(learner->inbox, start.tick);
  learner->phase = PHASE_COLLECT;
  return publish_first(learner);
}

/* The tick of the first directive that is not obeyed yet. While players are waited for, or what is
 * kept is being saved, the tick's own has been. */
static uint64_t next_directive(const Learner *learner) {
  return learner->tick + (learner->phase == PHASE_ADOPT || learner->phase == PHASE_SAVE);
}

/* The message stays the caller's; the inbox keeps a reference where it wants one. */
Status learner_receive(Learner *learner, WireKind kind, Message *message, Reader *body) {
  LearnerInbox *inbox = learner->inbox;
  INVARIANT_AT(learner->setup.role.transport->rank, learner->tick);
  switch (kind) {
  case WIRE_UNROLLS: return learner_inbox_take_unrolls(inbox, message, body);
  case WIRE_TICK_END: return learner_inbox_take_tick_end(inbox, message, body);
  case WIRE_DIRECTIVE:
    return learner_inbox_take_directive(inbox, next_directive(learner), message, body);
  case WIRE_RESTORE_PLAYER: return restore_player(learner, body);
  case WIRE_RESTORE_REPLAY: return restore_replay(learner, body);
  case WIRE_TRAINING: return take_training(learner, message, body);
  case WIRE_SUM_PART:
  case WIRE_SUM_WHOLE:
    if (!learner->sum) break;
    return allreduce_receive(learner->sum, kind, message, body);
  case WIRE_LEARN: return take_learn(learner, body);
  case WIRE_REPLAY_TAKEN:
    if (!learner->saving.waits) break;
    learner->saving.waits = false;
    return OK;
  default: break;
  }
  return status_set(ERR_INTERNAL, "a learner was sent a %s message", wire_name(kind));
}

/* --- an update --- */
/* What has come in of the player in update. */
static Gather *current_gather(const Learner *learner) {
  return learner->gather[learner->partners ? learner->current : 0];
}

static bool is_ready(const Learner *learner) {
  const LearnerInbox *inbox = learner->inbox;
  if (learner_inbox_is_ready(inbox, learner->tick)) return true;
  if (learner->setup.role.pace != PACE_FREE || !learner->sum) return false;
  /* members also update with nothing of their own: at a cut, which others may not have reached, and
   * to agree on a directive, which may come when all actors are held */
  return learner_inbox_sees_cut(inbox) || learner_inbox_has_directive(inbox);
}

static Status add_unrolls(void *context, const WireUnrolls *unrolls) {
  return gather_add(context, unrolls);
}

/* What the ranks that share the player agree on as the first of its updates begins. */
static void cast_votes(Learner *learner, float vote[UPDATE_VOTES]) {
  LearnerInbox *inbox = learner->inbox;
  vote[VOTE_DIRECTIVE] = learner_inbox_has_directive(inbox);
  vote[VOTE_UNMARKED] = !learner_inbox_all_marked(inbox);
  vote[VOTE_DROPPED] = (float)gather_dropped(current_gather(learner));
  vote[VOTE_ACTED] = 0;
  if (learner->current == 0) vote[VOTE_ACTED] = (float)learner_inbox_acted(inbox, learner->tick);
}

/* Shows the update the other player, as it was when the tick began: both learn at once, whoever is
 * updated first. A player that is the only one meets itself. */
static void show_partner(Learner *learner) {
  const size_t other = learner->players - 1 - learner->current;
  if (!learner->partners) return;
  learner->met = learner->state[other];
  learner->met.block = learner->opening[other];
  learner->met.part[0].block = learner->opening[other];
  update_meet(learner->update, &learner->met, gather_batch(learner->gather[other]),
              gather_shards(learner->gather[other]));
}

/* Learns from the tick's own experience. */
static Status learn_once(Learner *learner) {
  Gather *gather = current_gather(learner);
  float vote[UPDATE_VOTES];
  cast_votes(learner, vote);
  show_partner(learner);
  return update_begin(learner->update, &learner->state[learner->current], gather_batch(gather),
                      gather_shards(gather), vote);
}

/* One of the tick's updates from kept experience. The first is made in any case, if need be from
 * nothing: by its votes the ranks agree, and a version of the weights is due each tick. */
static Status rehearse(Learner *learner) {
  Rehearsal *rehearsal = learner->rehearsal[learner->current];
  TrainState *state = &learner->state[learner->current];
  Rehearsed rehearsed = {.batch = gather_batch(current_gather(learner))};
  float vote[UPDATE_VOTES] = {0};
  if (rehearsal_due(rehearsal)) {
    const double progress = train_state_progress(&learner->setup.config, state);
    TRY_RETURN(rehearsal_draw(rehearsal, progress, &rehearsed));
  } else {
    batch_clear(gather_batch(current_gather(learner)));
  }
  if (learner->updates++ == 0) cast_votes(learner, vote);
  update_weigh(learner->update, rehearsed.weight, rehearsed.error);
  return update_begin(learner->update, state, rehearsed.batch, NULL, vote);
}

/* Begins to find out what all ranks keep together of the current player's experience. */
static Status count_kept(Learner *learner) {
  float *counts = rehearsal_counts(learner->rehearsal[learner->current]);
  learner->phase = PHASE_COUNT;
  return learner->sum ? start_sum(learner, counts, counts_of(&learner->setup)) : OK;
}

/* Keeps the tick's experience. */
static Status keep(Learner *learner) {
  Rehearsal *rehearsal = learner->rehearsal[learner->current];
  TRY_RETURN(rehearsal_add(rehearsal, gather_batch(current_gather(learner))));
  learner->updates = 0;
  return count_kept(learner);
}

/* Once it is known, the updates that are due follow each other. */
static Status count(Learner *learner, bool *progress) {
  *progress = true;
  if (learner->sum) TRY_RETURN(test_sum(learner, progress));
  if (!*progress) return OK;
  rehearsal_counted(learner->rehearsal[learner->current]);
  learner->phase = PHASE_UPDATE;
  return rehearse(learner);
}

/* Takes what is here of a player's experience. */
static Status gather_player(Learner *learner, Gather *gather, size_t index) {
  const Clock *clock = &learner->setup.role.clock;
  const TrainState *state = &learner->state[index];
  const int64_t start = clock_now(clock);
  gather_begin(gather, state);
  TRY_RETURN(
      learner_inbox_hand_out(learner->inbox, state->player, learner->tick, add_unrolls, gather));
  learner->activity.receive += clock_now(clock) - start;
  return OK;
}

/* Both players of a game, before either of them is updated. */
static Status gather_partners(Learner *learner) {
  const size_t bytes = learner->setup.role.net->block * sizeof(float);
  for (size_t i = 0; i < learner->players && learner->partners; i++) {
    memcpy(learner->opening[i], learner->state[i].block, bytes);
    TRY_RETURN(gather_player(learner, learner->gather[i], i));
  }
  return OK;
}

/* The updates of the current player begin, with what is here of its experience. */
static Status begin_update(Learner *learner) {
  const RoleContext *role = &learner->setup.role;
  Gather *gather = current_gather(learner);
  TrainState *state = &learner->state[learner->current];
  if (!learner->partners) TRY_RETURN(gather_player(learner, gather, learner->current));
  if (role->pace == PACE_PIPELINED)
    memcpy(state->acting, state->block, role->net->block * sizeof(float));
  if (learner->setup.replay) rehearsal_begin(learner->rehearsal[learner->current], state->version);
  learner->frames += batch_learned(gather_batch(gather));
  learner->lag = gather_lag(gather);
  return learner->setup.replay ? keep(learner) : learn_once(learner);
}

/* A stretch goes from the first report of one tick to that of the next: a tick's other reports
 * follow at once, so that what lies between them would say nothing. */
static void count_waits(Learner *learner) {
  const RoleContext *role = &learner->setup.role;
  Activity *activity = &learner->activity;
  if (!role->idle || activity->waits_tick == learner->tick + 1) return;
  int64_t now = clock_now(&role->clock);
  int64_t idle = *role->idle;
  int64_t since = activity->waits_tick ? activity->waits_since : activity->started;
  if (now > since) activity->waits = (double)(idle - activity->waits_idle) / (double)(now - since);
  activity->waits_since = now;
  activity->waits_idle = idle;
  activity->waits_tick = learner->tick + 1;
}

/* What is kept of the player's experience, and how much is made of it. */
static void put_replay(const Learner *learner, Numbers *numbers) {
  const Rehearsal *rehearsal = learner->rehearsal[learner->current];
  if (!rehearsal) return;
  numbers_set(numbers, "updates", (double)learner->updates);
  numbers_set(numbers, "replay_items", rehearsal_items(rehearsal));
  numbers_set(numbers, "replay_mb", (double)rehearsal_bytes(rehearsal) * 1e-6);
  if (!rehearsal_recounts(rehearsal)) return;
  numbers_set(numbers, "priority_spread", rehearsal_spread(rehearsal));
  numbers_set(numbers, "importance", rehearsal_importance(rehearsal));
}

/* How often the decisions of the tick took any choice, by chance alone, or how much noise was in
 * their numbers. */
static void put_exploration(const Learner *learner, Numbers *numbers) {
  const Net *net = learner->setup.role.net;
  const float *policy = learner->state[learner->current].block;
  const char *name = net->config.rule == RULE_SQUASHED ? "noise" : "epsilon";
  if (net->epsilon_at) numbers_set(numbers, name, (double)net_epsilon(net, policy));
}

/* What the tick's updates have to report, as metrics. */
static void put_stats(const Learner *learner, Numbers *numbers) {
  const AlgoStats *stats = &learner->stats;
  put_replay(learner, numbers);
  put_exploration(learner, numbers);
  if (stats->skipped > 0) numbers_set(numbers, "skipped", stats->skipped);
  if (stats->rows <= 0) return; /* nobody had experience */
  numbers_set(numbers, "policy_loss", stats->policy_loss);
  numbers_set(numbers, "value_loss", stats->value_loss);
  const ActionRule rule = learner->setup.role.net->config.rule;
  if (rule != RULE_GREEDY_Q && rule != RULE_SQUASHED)
    numbers_set(numbers, "entropy", stats->entropy);
  numbers_set(numbers, "approx_kl", stats->kl);
  numbers_set(numbers, "kl_reference", stats->kl_reference);
  if (learner->state[learner->current].teacher)
    numbers_set(numbers, "kl_teacher", stats->kl_teacher);
  numbers_set(numbers, "clipped", stats->clipped);
  numbers_set(numbers, "gradient_norm", stats->gradient_norm);
  if (net_talks(learner->setup.role.net)) numbers_set(numbers, "messages", stats->messages);
  if (learner->partners) numbers_set(numbers, "met", stats->met);
  numbers_set(numbers, "learning_rate", stats->rate);
  numbers_set(numbers, "batch", stats->rows);
  numbers_set(numbers, "lag", learner->lag);
  if (learner->setup.role.idle) numbers_set(numbers, "waits", learner->activity.waits);
}

/* All members have the same weights and, after the sums, the same losses: the first speaks for
 * all. */
static Status send_report(Learner *learner, const TrainState *state) {
  WireReport report = {
      .tick = learner->tick,
      .player = state->player,
      .version = state->version,
      .frames = state->frames,
      .dropped = state->dropped,
  };
  if (learner->setup.member != 0) return OK;
  count_waits(learner);
  put_stats(learner, &report.numbers);
  wire_begin(&learner->wire, WIRE_REPORT);
  report_encode(&report, &learner->wire.bytes);
  return tell_league(learner);
}

/* Pace free: actors may play on as far as their experience has been taken. One group speaks for
 * all. */
static Status send_credits(Learner *learner) {
  const LearnerSetup *setup = &learner->setup;
  for (size_t a = 0; a < setup->actors && setup->group == 0; a++) {
    const WireCredit credit = {learner_inbox_credit(learner->inbox, a)};
    wire_begin(&learner->wire, WIRE_CREDIT);
    credit_encode(&credit, &learner->wire.bytes);
    TRY_RETURN(wire_send(setup->role.transport, setup->actor_rank[a], &learner->wire));
  }
  return OK;
}

/* Means over the updates of a tick, each of which is a mean over its minibatches; of what is said
 * of the policy, over those that moved it. The rate is the last one's. */
static void gather_stats(Learner *learner) {
  const AlgoStats *last = update_stats(learner->update);
  AlgoStats *all = &learner->stats;
  double *mean[] = {&all->policy_loss, &all->entropy,       &all->kl,        &all->kl_reference,
                    &all->clipped,     &all->gradient_norm, &all->kl_teacher};
  const double value[] = {last->policy_loss,  last->entropy, last->kl,
                          last->kl_reference, last->clipped, last->gradient_norm,
                          last->kl_teacher};
  const double updates = learner->updates ? (double)learner->updates : 1;
  if (learner->updates <= 1) *all = (AlgoStats){0};
  all->skipped += last->skipped;
  all->value_loss += (last->value_loss - all->value_loss) / updates;
  all->rows += (last->rows - all->rows) / updates;
  all->messages += (last->messages - all->messages) / updates;
  all->met += (last->met - all->met) / updates;
  if (last->policy_steps > 0) all->policy_steps++; /* here: updates that moved it */
  for (size_t i = 0; last->policy_steps > 0 && i < COUNT_OF(mean); i++)
    *mean[i] += (value[i] - *mean[i]) / all->policy_steps;
  all->rate = last->rate;
}

/* An update counts the frames that it learned from. Of kept experience that is the same again and
 * again: there a player's frames are those that it acted. */
static void count_rehearsed(Learner *learner) {
  Rehearsal *rehearsal = learner->rehearsal[learner->current];
  TrainState *state = &learner->state[learner->current];
  uint64_t learned = (uint64_t)update_stats(learner->update)->rows;
  uint64_t acted = learner->updates == 1 ? rehearsal_acted(rehearsal) : 0;
  state->frames = state->frames - learned + acted;
  state->life_frames = state->life_frames - learned + acted;
  if (rehearsal_due(rehearsal)) rehearsal_learned(rehearsal, (double)learned);
}

/* Takes what an update of the current player was told by the ranks that share it. The votes are
 * those of the tick's first. */
static void take_votes(Learner *learner) {
  const float *vote = update_votes(learner->update);
  TrainState *state = &learner->state[learner->current];
  if (learner->updates > 1) return;
  if (learner->current == 0) memcpy(learner->vote, vote, sizeof learner->vote);
  state->dropped += (uint64_t)vote[VOTE_DROPPED];
}

/* An update of the current player is done: its next one begins, if one is due; else the next
 * player's, or the tick's updates are over. */
static Status finish_update(Learner *learner) {
  Rehearsal *rehearsal = learner->rehearsal[learner->current];
  TrainState *state = &learner->state[learner->current];
  take_votes(learner);
  gather_stats(learner);
  if (rehearsal) count_rehearsed(learner);
  if (rehearsal && rehearsal_due(rehearsal))
    return rehearsal_recounts(rehearsal) ? count_kept(learner) : rehearse(learner);
  TRY_RETURN(send_report(learner, state));
  if (++learner->current < learner->players) return begin_update(learner);
  for (size_t i = 0; i < learner->players; i++) {
    learner->state[i].run_frames += (uint64_t)learner->vote[VOTE_ACTED];
    train_state_explore(learner->setup.algo, &learner->state[i]);
  }
  learner->phase = PHASE_ORDERS;
  if (learner->setup.role.pace != PACE_FREE) return OK;
  TRY_RETURN(publish_all(learner, 0));
  learner->tick++;
  return send_credits(learner);
}

/* --- orders --- */
static Status obey_order(Learner *learner, const Order *order) {
  const LearnerSetup *setup = &learner->setup;
  const RoleContext *role = &setup->role;
  TrainState *state = own_player(learner, order->player);
  if (!state) return OK; /* another learner's */
  if (order->snapshot_id && setup->member == 0) {
    const float *policy = train_state_snapshot(&setup->config, state);
    const WireFrozen snapshot = {order->snapshot_id, policy};
    wire_begin(&learner->wire, WIRE_SNAPSHOT);
    frozen_encode(&snapshot, role->net->block, &learner->wire.bytes);
    TRY_RETURN(tell_league(learner));
  }
  if (order->reset == RESET_NONE || order->reset == RESET_ADOPT) return OK;
  const TrainShape shape = shape_of(setup);
  const float *source = order->reset == RESET_COPY ? order->block : NULL;
  if (setup->replay) rehearsal_forget(learner->rehearsal[state - learner->state]);
  return train_state_reset(&shape, state, source);
}

/* --- going on as another player --- */
/* Whether an earlier order of the directive has sent the player to the same group. */
static bool is_sent(const LearnerSetup *setup, const Directive *directive, const Order *order) {
  for (const Order *other = directive->order; other < order; other++)
    if (other->reset == RESET_ADOPT && other->source == order->source &&
        other->player % setup->groups == order->player % setup->groups)
      return true;
  return false;
}

/* A player that is copied goes to all learners of another group. */
static Status send_training(Learner *learner, const TrainState *state, uint64_t number,
                            size_t group) {
  const LearnerSetup *setup = &learner->setup;
  Status status = OK;
  Tree tree = {0};
  const WireTraining training = {.number = number, .player = state->player};
  TRY(columns_put(setup->role.net, setup->config.average > 0, state, &tree));
  for (size_t m = 0; m < setup->members; m++) {
    wire_begin(&learner->wire, WIRE_TRAINING);
    training_encode(&training, &learner->wire.bytes);
    tree_encode(&tree, &learner->wire.bytes);
    TRY(wire_send(setup->role.transport, setup->learner_rank[m * setup->groups + group],
                  &learner->wire));
  }
done:
  tree_free(&tree);
  return status;
}

/* Its experience is of a player that is no more. */
static void adopt(Learner *learner, const Adoption *adoption, const TrainState *source) {
  TrainState *state = &learner->state[adoption->index];
  LearnConfig *tuned = &learner->tuned[adoption->index];
  *tuned = state->config ? *state->config : learner->setup.config;
  tuned_take(adoption->tuned, tuned);
  state->config = tuned;
  if (learner->setup.replay) rehearsal_forget(learner->rehearsal[adoption->index]);
  train_state_adopt(learner->setup.algo, state, source);
}

/* Who is copied is the same before and after the directive's other orders (league/tune.h), so that
 * their order does not matter. Own players are copied at once, those of others are waited for. */
static Status begin_adoptions(Learner *learner, const Directive *directive) {
  const LearnerSetup *setup = &learner->setup;
  Adopting *adopting = &learner->adopting;
  adopting->number = directive->number;
  for (const Order *order = directive->order; order < directive->order + directive->orders;
       order++) {
    if (order->reset != RESET_ADOPT) continue;
    const TrainState *state = own_player(learner, order->player);
    const TrainState *source = own_player(learner, order->source);
    if (!state && source && setup->member == 0 && !is_sent(setup, directive, order))
      TRY_RETURN(send_training(learner, source, directive->number, order->player % setup->groups));
    if (!state) continue;
    Adoption adoption = {.index = (size_t)(state - learner->state), .source = order->source};
    memcpy(adoption.tuned, order->tuned, sizeof adoption.tuned);
    if (source)
      adopt(learner, &adoption, source);
    else
      adopting->adoption[adopting->adoptions++] = adoption;
  }
  return OK;
}

/* What has been sent of a player for the present directive; NULL: it is not here yet. */
static Message *find_training(const Adopting *adopting, uint32_t player) {
  WireTraining sent;
  for (size_t i = 0; i < adopting->messages; i++)
    if (open_training(adopting->message[i], &sent) == OK && sent.player == player &&
        sent.number == adopting->number)
      return adopting->message[i];
  return NULL;
}

static Status adopt_message(Learner *learner, const Adoption *adoption, const Message *message) {
  const TrainShape shape = shape_of(&learner->setup);
  Status status = OK;
  Tree tree = {0};
  TrainState source = {0};
  WireTraining sent;
  TRY(open_training(message, &sent));
  Reader columns = reader_over(sent.tree, sent.size);
  TRY(tree_decode(&tree, &columns));
  TRY(train_state_create(&shape, sent.player, &source));
  TRY(columns_take(&tree, &source));
  adopt(learner, adoption, &source);
done:
  train_state_destroy(&source);
  tree_free(&tree);
  return status;
}

/* Messages of the directive that is obeyed are of no more use. */
static void drop_trainings(Adopting *adopting) {
  size_t kept = 0;
  WireTraining sent;
  for (size_t i = 0; i < adopting->messages; i++) {
    Message *message = adopting->message[i];
    if (open_training(message, &sent) == OK && sent.number > adopting->number)
      adopting->message[kept++] = message;
    else
      message_release(message);
  }
  adopting->messages = kept;
  adopting->adoptions = 0;
}

/* The last message: where this rank's time went, in seconds. Waiting for sums is counted less what
 * the rank slept in it. */
static Status send_bye(Learner *learner) {
  const RoleContext *role = &learner->setup.role;
  const Activity *activity = &learner->activity;
  const UpdateTimes *times = update_times(learner->update);
  const int64_t now = clock_now(&role->clock);
  RoleProfile profile = {.role = "learner", .index = (uint32_t)learner->setup.index};
  Numbers *numbers = &profile.numbers;
  numbers_set(numbers, "seconds", clock_seconds(now - activity->started));
  numbers_set(numbers, "idle", role->idle ? clock_seconds(*role->idle) : 0);
  numbers_set(numbers, "receive", clock_seconds(activity->receive));
  numbers_set(numbers, "batch", clock_seconds(times->batch));
  numbers_set(numbers, "forward", clock_seconds(times->forward));
  numbers_set(numbers, "loss", clock_seconds(times->loss));
  numbers_set(numbers, "backward", clock_seconds(times->backward));
  numbers_set(numbers, "reduce", clock_seconds(times->reduce - activity->idle_reducing));
  numbers_set(numbers, "optimise", clock_seconds(times->optimise));
  numbers_set(numbers, "publish", clock_seconds(activity->publish));
  numbers_set(numbers, "frames", (double)learner->frames);
  wire_begin(&learner->wire, WIRE_BYE);
  profile_encode(&profile, &learner->wire.bytes);
  return tell_league(learner);
}

/* Pace free: whether the next directive may be obeyed now. Alone: it is here, and if it saves, all
 * before the cut is learned. Among members: all had it before the last update, and then nobody
 * lacked a mark. */
static bool may_obey(const Learner *learner, const Directive *directive) {
  const LearnerSetup *setup = &learner->setup;
  bool cut = directive->flags & DIRECTIVE_SAVE;
  if (setup->role.pace != PACE_FREE) return true;
  if (!learner->sum) return !cut || learner_inbox_all_marked(learner->inbox);
  bool all_have = learner->vote[VOTE_DIRECTIVE] == (float)setup->members;
  return all_have && (!cut || learner->vote[VOTE_UNMARKED] == 0);
}

/* Freezes and resets as the directive says, and lets go of it. */
static Status obey_orders(Learner *learner, const Directive *directive) {
  for (size_t i = 0; i < directive->orders; i++) {
    TRY_RETURN(obey_order(learner, &directive->order[i]));
  }
  TRY_RETURN(begin_adoptions(learner, directive));
  learner->rest = (Rest){.flags = directive->flags, .orders = directive->orders > 0};
  learner_inbox_drop_directive(learner->inbox); /* its policies are gone with it */
  return OK;
}

/* What follows a directive's orders: the end, or the weights that result. */
static Status obey_rest(Learner *learner) {
  const RoleContext *role = &learner->setup.role;
  const bool free_pace = role->pace == PACE_FREE;
  if (learner->rest.flags & DIRECTIVE_STOP) {
    learner->phase = PHASE_DONE;
    return send_bye(learner);
  }
  if (free_pace && !learner->rest.orders) return OK; /* the weights are those that are published */
  const int64_t start = clock_now(&role->clock);
  TRY_RETURN(publish_all(learner, learner->tick + 1 + pace_lag(role->pace)));
  learner->activity.publish += clock_now(&role->clock) - start;
  if (free_pace) return OK;
  learner->tick++;
  learner->phase = PHASE_COLLECT;
  return OK;
}

/* Sends what is kept, a piece at a time: the next when the league has the last one on the disk. So
 * neither holds more of it than one. Then the rest of the directive is obeyed. */
static Status save(Learner *learner, bool *progress) {
  Saving *saving = &learner->saving;
  if (saving->waits) return OK;
  *progress = true;
  if (saving->player < learner->players) {
    if (saving->state.size == 0) TRY_RETURN(encode_next(learner));
    return send_part(learner);
  }
  bytes_free(&saving->state);
  learner->phase = PHASE_ORDERS;
  return obey_rest(learner);
}

/* Players are as the directive wants them: saves them, if it says so, and obeys the rest. */
static Status finish_orders(Learner *learner) {
  const LearnerSetup *setup = &learner->setup;
  const bool keeps = setup->replay && setup->replay->saved && learner->players > 0;
  learner->adopting.number++;
  if (!(learner->rest.flags & DIRECTIVE_SAVE)) return obey_rest(learner);
  learner_inbox_cut_done(learner->inbox);
  TRY_RETURN(send_states(learner));
  if (!keeps) return obey_rest(learner);
  learner->saving.player = 0;
  learner->saving.lane = 0;
  learner->phase = PHASE_SAVE;
  return OK;
}

/* Goes on once all players that own ones are to go on as are here. */
static Status await_adoptions(Learner *learner, bool *progress) {
  Adopting *adopting = &learner->adopting;
  for (size_t i = 0; i < adopting->adoptions; i++)
    if (!find_training(adopting, adopting->adoption[i].source)) return OK;
  *progress = true;
  for (size_t i = 0; i < adopting->adoptions; i++) {
    const Adoption *adoption = &adopting->adoption[i];
    TRY_RETURN(adopt_message(learner, adoption, find_training(adopting, adoption->source)));
  }
  drop_trainings(adopting);
  learner->phase = PHASE_ORDERS;
  return finish_orders(learner);
}

/* Obeys the next directive if it is due: freezes, resets and saves between two updates, then
 * publishes the weights that result. In the deterministic paces there is one after each tick; in
 * pace free whenever the league sends one. */
static Status obey(Learner *learner, bool *progress) {
  const bool free_pace = learner->setup.role.pace == PACE_FREE;
  Directive directive;
  if (!learner_inbox_has_directive(learner->inbox)) {
    if (free_pace) learner->phase = PHASE_COLLECT;
    return OK;
  }
  TRY_RETURN(learner_inbox_directive(learner->inbox, &directive));
  if (!may_obey(learner, &directive)) {
    learner->phase = PHASE_COLLECT; /* learn what is left first */
    return OK;
  }
  TRY_RETURN(learner_inbox_check_cut(learner->inbox, &directive));
  *progress = true;
  memset(learner->vote, 0, sizeof learner->vote);
  TRY_RETURN(obey_orders(learner, &directive));
  if (learner->adopting.adoptions == 0) return finish_orders(learner);
  learner->phase = PHASE_ADOPT;
  return OK;
}

/* --- the machine --- */
/* Among members in pace free, a directive is obeyed right after the update whose votes allow it. */
static bool obeys_now(const Learner *learner) {
  if (learner->phase == PHASE_ORDERS) return true;
  bool between = learner->phase == PHASE_COLLECT && learner->setup.role.pace == PACE_FREE;
  return between && !learner->sum && learner_inbox_has_directive(learner->inbox);
}

/* What the rank was idle since the last step it was so for want of a sum, if it awaits one. */
static void count_idle(Learner *learner) {
  const int64_t *idle = learner->setup.role.idle;
  Activity *activity = &learner->activity;
  if (!idle) return;
  if (update_waits(learner->update)) activity->idle_reducing += *idle - activity->idle_seen;
  activity->idle_seen = *idle;
}

/* A tick's updates begin; without players there is nothing to update. */
static Status begin_tick(Learner *learner) {
  learner_inbox_close_tick(learner->inbox);
  learner->current = 0;
  learner->phase = learner->players ? PHASE_UPDATE : PHASE_ORDERS;
  TRY_RETURN(gather_partners(learner));
  return learner->players ? begin_update(learner) : OK;
}

/* One piece of work, or none (*progress false). An update of a player is one minibatch a call, so
 * that a rank that also acts is never kept from it for long. */
Status learner_step(Learner *learner, bool *progress) {
  INVARIANT_AT(learner->setup.role.transport->rank, learner->tick);
  *progress = false;
  count_idle(learner);
  if (learner->phase == PHASE_ADOPT) return await_adoptions(learner, progress);
  if (learner->phase == PHASE_SAVE) return save(learner, progress);
  if (obeys_now(learner)) TRY_RETURN(obey(learner, progress));
  if (learner->phase == PHASE_COLLECT && is_ready(learner)) {
    *progress = true;
    return begin_tick(learner);
  }
  if (learner->phase == PHASE_COUNT) return count(learner, progress);
  if (learner->phase != PHASE_UPDATE) return OK;
  bool more = false;
  TRY_RETURN(update_step(learner->update, &more, progress));
  return more ? OK : finish_update(learner);
}

/* Ticks: wait for the tick's table and weights, play `unroll` env steps of every slot, send
 * unrolls, results and, at a cut, the whole state. In the deterministic paces nothing that timing
 * decides enters: weights and tables carry the tick that they are for. */
#include "actors/actor.h"

#include "actors/inbox.h"
#include "actors/lanes.h"
#include "base/doing.h"
#include "agent/guest.h"
#include "base/invariant.h"
#include "play/measures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Phase {
  PHASE_RESTORE, /* until BEGIN: lanes of a checkpoint are given back */
  PHASE_WAIT,    /* for the tick's table and weights */
  PHASE_PLAY,
  PHASE_HELD, /* pace free: until the cut is saved */
  PHASE_DONE
} Phase;

/* Where the rank's time goes, in nanoseconds. */
typedef struct Activity {
  int64_t started;
  int64_t waited;      /* for tables and weights */
  int64_t packing;     /* unrolls and results */
  int64_t since;       /* when the present wait began, and ... */
  int64_t idle_before; /* ... the rank's idle time until then, which is no part of it */
  int64_t told;        /* when results were last sent, and ... */
  int64_t idle_told;   /* ... the rank's idle time until then */
} Activity;

struct Actor {
  ActorSetup setup;
  Phase phase;
  uint64_t tick;
  uint64_t steps; /* of the present tick */
  Table table;    /* the present one */

  ActorInbox *inbox;
  PolicyCache *cache;
  Play *play;
  Recorder *recorder;
  Lanes *lanes;

  Batch *out; /* (learning_players) unrolls of the tick */
  Results results;
  Measures measures;
  double measured[MEASURES]; /* of the last episode */
  WireOut wire;
  PlayStats before; /* as the tick began */

  uint64_t credit;      /* pace free: ticks consumed by the learners */
  uint64_t sent;        /* pace free: ticks sent */
  uint64_t cut_done;    /* pace free: 1 + tick of the last table whose cut was made */
  uint64_t frames;      /* decisions to learn from, sent in this job */
  uint64_t open_before; /* decisions that were open when this job began */
  Status failed;        /* in a hook of play */
  Activity activity;
};

/* --- time --- */
static int64_t now_of(const Actor *actor) {
  return clock_now(&actor->setup.role.clock);
}

/* Nanoseconds this rank's loop has slept for want of anything to do; 0 where nobody counts them. */
static int64_t idle_of(const Actor *actor) {
  return actor->setup.role.idle ? *actor->setup.role.idle : 0;
}

/* From here on the actor waits for weights or a table. Time is charged to the profile when the wait
 * ends, less what the loop slept meanwhile, which is counted on its own. */
static void begin_wait(Actor *actor) {
  actor->activity.since = now_of(actor);
  actor->activity.idle_before = idle_of(actor);
}

static void end_wait(Actor *actor) {
  Activity *activity = &actor->activity;
  int64_t idle = idle_of(actor) - activity->idle_before;
  activity->waited += now_of(actor) - activity->since - idle;
}

/* The share of the time since the last call (or the start) in which the rank had nothing to do, 0
 * to 1; -1 where nobody measures it. */
static double take_waits(Actor *actor) {
  Activity *activity = &actor->activity;
  const int64_t now = now_of(actor);
  const int64_t idle = idle_of(actor);
  const double spent = (double)(now - activity->told);
  const double share = spent > 0 ? (double)(idle - activity->idle_told) / spent : 0;
  activity->told = now;
  activity->idle_told = idle;
  if (!actor->setup.role.idle) return -1;
  return share > 1 ? 1 : share < 0 ? 0 : share;
}

/* Sends the message being built in actor->wire to the league; the buffer is reused. */
static Status tell_league(Actor *actor) {
  const RoleContext *role = &actor->setup.role;
  return wire_send(role->transport, role->league_rank, &actor->wire);
}

/* --- hooks of play --- */
static bool on_begin(void *context, PlaySlot *slot) {
  Actor *actor = context;
  bool agreed;
  Status status = lanes_begin_episode(actor->lanes, &actor->table, slot, &agreed);
  if (status != OK) actor->failed = status;
  return agreed;
}

/* Hooks of play. What happens in a slot is passed on to the recorder under the slot's index. */
static void on_decided(void *context, PlaySlot *slot, const Decision *decision) {
  Actor *actor = context;
  recorder_decided(actor->recorder, lanes_slot(slot)->index, slot, decision);
}

static void on_stepped(void *context, PlaySlot *slot, const uint8_t *flags) {
  Actor *actor = context;
  recorder_stepped(actor->recorder, lanes_slot(slot)->index, slot, flags);
}

static void on_rewarded(void *context, PlaySlot *slot, const float *reward) {
  Actor *actor = context;
  recorder_rewarded(actor->recorder, lanes_slot(slot)->index, reward);
}

/* What home made of the game, 0 .. 1, beside another team. Two teams' outcomes say it by
 * themselves, and so does that of one that plays alone; of more, those of the two are compared. */
static float points(uint32_t teams, const float *outcome, uint32_t home, uint32_t other) {
  if (teams <= 2) return outcome[home];
  if (outcome[home] > outcome[other]) return 1;
  return outcome[home] < outcome[other] ? 0 : 0.5f;
}

/* Enters a finished episode into the results of home and one of its opponents, who had the teams
 * `own` and `other`. What is entered is home's view. wins_over_p sums 1 / probability of the wins:
 * the importance weight by which OpenAI Five's quality update (arXiv 1912.06680, appendix N) makes
 * up for opponents being drawn unevenly. There is nobody to return a Status to inside a step of
 * play, so a failure is kept in actor->failed. */
static void count_pair(Actor *actor, const PlaySlot *slot, const float *outcome,
                       const Opponent *opponent, uint32_t own, uint32_t other) {
  const LaneSlot *lane = lanes_slot(slot);
  const uint32_t teams = actor->setup.env->spec.teams;
  const MatchEntry *entry = &opponent->entry;
  const PairResults key = {
      .home = lane->match.home,
      .away = entry->away,
      .home_life = lane->match.home_life,
      .away_life = opponent->life,
      .seat = own > other,
      .eval = lane->eval,
      .branch = entry->branch,
  };
  PairResults *pair = results_pair(&actor->results, &key);
  if (!pair) {
    actor->failed = ERR_MEMORY;
    return;
  }
  const float gained = points(teams, outcome, own, other);
  const double away = teams > 1 ? slot->team_return[other] : 0;
  tally_game(&pair->tally, gained, slot->team_return[own]);
  pair->outcome += (double)gained;
  pair->away_return += away;
  pair->away_square += away * away;
  pair->length += slot->steps;
  if (gained > 0.5f && entry->probability > 0)
    pair->wins_over_p += 1.0 / (double)entry->probability;
}

/* In training each other team is another opponent, drawn by itself. In evaluation all others are
 * one, of whose teams one is compared: games that rest on each other would pass for as many, and
 * intervals would be too narrow. */
static void count_result(Actor *actor, const PlaySlot *slot, const float *outcome) {
  const LaneSlot *lane = lanes_slot(slot);
  const Seating *seating = &lane->seating;
  const uint32_t teams = actor->setup.env->spec.teams;
  for (uint32_t team = 0; team < teams; team++) {
    const bool counts = lane->eval || teams <= 2 ? team == seating->away : team != seating->home;
    if (!counts) continue;
    const size_t i = match_opponent_at(teams, seating->home, team);
    count_pair(actor, slot, outcome, &lane->match.opponent[i], seating->home, team);
  }
}

/* What the curriculum goes by: episodes that began in the stage in which they have ended. */
static void count_stage(Actor *actor, const PlaySlot *slot) {
  const Stages *stages = actor->setup.stages;
  const LaneSlot *lane = lanes_slot(slot);
  if (!stages || actor->table.stage >= stages->count) return;
  if (lane->eval || slot->stage != 1 + actor->table.stage) return;
  const double measure =
      stages->metric >= 0 ? actor->measured[stages->metric] : slot->team_return[lane->seating.home];
  actor->results.staged++;
  actor->results.staged_sum += measure;
}

/* The match is counted before lanes_end_episode, which unpins its policies. */
static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  Actor *actor = context;
  recorder_ended(actor->recorder, lanes_slot(slot)->index, slot, how);
  count_result(actor, slot, outcome);
  actor->results.episodes++;
  const Measures *measures = &actor->measures;
  measures_take(measures, slot->state, measures->of_agents ? NULL : slot->team_return,
                actor->measured);
  if (!finite_doubles(actor->measured, measures->count))
    recorder_fail(actor->recorder,
                  status_set(ERR_ENV,
                             "env %s: slot %u, episode %u, step %u: one of its metrics is not "
                             "finite ('agon env check' says which)",
                             actor->setup.env->table->name, slot->id, slot->episode, slot->steps));
  for (size_t i = 0; i < measures->count; i++)
    actor->results.metric[i] += actor->measured[i];
  count_stage(actor, slot);
  lanes_end_episode(actor->lanes, slot);
}

/* A guest cannot be asked any more: the actor plays on without it, and the league, which is told
 * why, saves what there is and ends the job. */
static Status give_up(Actor *actor, uint32_t player) {
  WireFault fault = {.player = player};
  snprintf(fault.text, sizeof fault.text, "%s", status_message());
  TRY_RETURN(lanes_give_up(actor->lanes, player));
  wire_begin(&actor->wire, WIRE_FAULT);
  fault_encode(&fault, &actor->wire.bytes);
  return tell_league(actor);
}

static bool on_failed(void *context, const Policy *policy) {
  Actor *actor = context;
  if (!*policy->builtin->guest || policy->builtin->failed == ERR_MEMORY) return false;
  const Status status = give_up(actor, policy->player);
  if (status != OK) actor->failed = status;
  return true;
}

/* Asks the league for a frozen player's policy. */
static Status fetch(void *context, uint32_t player) {
  Actor *actor = context;
  wire_begin(&actor->wire, WIRE_FETCH);
  fetch_encode(&(WireFetch){player}, &actor->wire.bytes);
  return tell_league(actor);
}

/* --- life cycle --- */
static Status create_play(Actor *actor) {
  const ActorSetup *setup = &actor->setup;
  const ActorConfig *config = &setup->config;
  const RoleContext *role = &setup->role;
  const PlayHooks hooks = {
      .context = actor,
      .begin = on_begin,
      .decided = on_decided,
      .stepped = role->format.flags ? on_stepped : NULL,
      .rewarded = on_rewarded,
      .ended = on_ended,
      .failed = on_failed,
  };
  const size_t memory = role->net->graph.state_size;
  TRY_RETURN(play_create(setup->env, role->net, role->seed, (size_t)config->chunk, memory, &hooks,
                         &actor->play));
  play_open_randomly(actor->play, (uint32_t)config->openings, true);
  TRY_RETURN(play_learn_by(actor->play, &setup->rewards));
  return recorder_create(setup->env, &role->format, &actor->recorder);
}

static Status create_lanes(Actor *actor) {
  const ActorSetup *setup = &actor->setup;
  const LanesSetup lanes = {
      .config = setup->config,
      .seed = setup->role.seed,
      .index = setup->index,
      .actors = setup->actors,
      .learning_players = setup->role.learning_players,
      .env = setup->env,
      .stages = setup->stages,
      .play = actor->play,
      .recorder = actor->recorder,
      .cache = actor->cache,
      .fetch = fetch,
      .context = actor,
  };
  return lanes_create(&lanes, &actor->lanes);
}

/* On failure nothing is left: *out is untouched. What setup points to (env, net, ranks) stays the
 * caller's and must outlive the actor. */
Status actor_create(const ActorSetup *setup, Actor **out) {
  Status status = OK;
  Actor *actor = NULL;
  const RoleContext *role = &setup->role;
  const size_t block = role->net->block;
  const size_t players = role->learning_players;
  TRY(NEW_ARRAY(actor, 1));
  actor->setup = *setup;
  TRY(actor_inbox_create(role->pace, players, block, &actor->inbox));
  TRY(cache_create(block, (size_t)setup->config.cache, &actor->cache));
  TRY(cache_add_builtins(actor->cache, setup->env));
  measures_of(setup->env, &actor->measures);
  TRY(NEW_ARRAY(actor->out, players));
  for (size_t p = 0; p < players; p++) {
    TRY(batch_create(&role->format, &actor->out[p]));
  }
  TRY(create_play(actor));
  TRY(create_lanes(actor));
  actor->activity.started = now_of(actor);
  actor->activity.told = actor->activity.started;
  actor->activity.idle_told = idle_of(actor);
  begin_wait(actor);
  *out = actor;
  actor = NULL;
done:
  actor_destroy(actor);
  return status;
}

void actor_destroy(Actor *actor) {
  if (!actor) return;
  lanes_destroy(actor->lanes);
  play_destroy(actor->play);
  recorder_destroy(actor->recorder);
  cache_destroy(actor->cache);
  actor_inbox_destroy(actor->inbox);
  for (size_t p = 0; actor->out && p < actor->setup.role.learning_players; p++) {
    batch_destroy(&actor->out[p]);
  }
  table_free(&actor->table);
  results_free(&actor->results);
  bytes_free(&actor->wire.bytes);
  free(actor->out);
  free(actor);
}

bool actor_done(const Actor *actor) {
  return actor->phase == PHASE_DONE;
}

/* --- messages --- */
static Status take_frozen(Actor *actor, Reader *body) {
  WireFrozen frozen;
  TRY_RETURN(frozen_decode(&frozen, actor->setup.role.net->block, body));
  if (!cache_wants(actor->cache, frozen.player))
    return status_set(ERR_FORMAT, "player %u was not asked for", frozen.player);
  return cache_put(actor->cache, frozen.player, 0, 0, false, frozen.value);
}

/* A player from outside: made, and a program started, here and now. */
static Status take_guest(Actor *actor, Reader *body) {
  WireGuest guest;
  BuiltinPolicy *player;
  TRY_RETURN(guest_decode(&guest, body));
  if (!cache_wants(actor->cache, guest.player))
    return status_set(ERR_FORMAT, "player %u was not asked for", guest.player);
  const Status status =
      guest_create(guest.name, guest.text, guest.bytes, guest.size, actor->setup.env, &player);
  if (status != OK) return status == ERR_MEMORY ? status : give_up(actor, guest.player);
  return cache_put_guest(actor->cache, guest.player, player);
}

/* A lane of the checkpoint that is resumed from. ERR_FORMAT once play has begun. */
static Status take_lane(Actor *actor, Reader *body) {
  WireLane sent;
  TRY_RETURN(lane_decode(&sent, body));
  if (actor->phase != PHASE_RESTORE)
    return status_set(ERR_FORMAT, "lane %u is not one that can be restored", sent.lane);
  return lanes_restore(actor->lanes, &sent);
}

/* The league says which tick the job begins with. Only now may the actor play: all its lanes are
 * restored. */
static Status take_begin(Actor *actor, Reader *body) {
  WireStart start;
  TRY_RETURN(start_decode(&start, body));
  if (actor->phase != PHASE_RESTORE || !actor_inbox_begin(actor->inbox, start.tick))
    return status_set(ERR_FORMAT, "tick %llu is not where the job begins",
                      (unsigned long long)start.tick);
  actor->open_before = recorder_open(actor->recorder);
  actor->tick = start.tick;
  actor->phase = PHASE_WAIT;
  return OK;
}

/* Flow control: how many ticks of this actor its learner has taken. It never falls, and never
 * passes what was sent. */
static Status take_credit(Actor *actor, Reader *body) {
  WireCredit credit;
  TRY_RETURN(credit_decode(&credit, body));
  if (credit.ticks < actor->credit || credit.ticks > actor->tick)
    return status_set(ERR_FORMAT, "%llu ticks of %llu cannot be learned",
                      (unsigned long long)credit.ticks, (unsigned long long)actor->tick);
  actor->credit = credit.ticks;
  return OK;
}

/* What is broadcast goes on down the tree of actors before it is used here. The message stays the
 * caller's. */
Status actor_receive(Actor *actor, WireKind kind, Message *message, Reader *body) {
  const ActorSetup *setup = &actor->setup;
  Transport *transport = setup->role.transport;
  INVARIANT_AT(transport->rank, actor->tick);
  switch (kind) {
  case WIRE_WEIGHTS:
    TRY_RETURN(wire_forward(transport, setup->weights_below, setup->weights_belows, message));
    return actor_inbox_take_weights(actor->inbox, body);
  case WIRE_TABLE:
    TRY_RETURN(wire_forward(transport, setup->tables_below, setup->tables_belows, message));
    return actor_inbox_take_table(actor->inbox, body);
  case WIRE_FROZEN: return take_frozen(actor, body);
  case WIRE_GUEST: return take_guest(actor, body);
  case WIRE_RESTORE_LANE: return take_lane(actor, body);
  case WIRE_BEGIN: return take_begin(actor, body);
  case WIRE_CREDIT: return take_credit(actor, body);
  case WIRE_RESUME:
    if (actor->phase == PHASE_HELD) actor->phase = PHASE_WAIT;
    return reader_finish(body, "the body");
  default: return status_set(ERR_INTERNAL, "an actor was sent a %s message", wire_name(kind));
  }
}

/* --- a tick begins --- */
/* Pace free: whoever is too far ahead of the learners waits; else only the very first tick needs a
 * table and weights. */
static bool tick_ready(const Actor *actor) {
  const RoleContext *role = &actor->setup.role;
  const bool free_pace = role->pace == PACE_FREE;
  if (free_pace && actor->sent > actor->credit + (uint64_t)actor->setup.max_lag) return false;
  bool needs_table = !free_pace || actor->table.homes == 0;
  if (needs_table && !actor_inbox_has_table(actor->inbox, actor->tick)) return false;
  for (uint32_t p = 0; p < role->learning_players; p++) {
    bool needs_weights = !free_pace || !cache_find(actor->cache, p);
    if (needs_weights && !actor_inbox_has_weights(actor->inbox, p, actor->tick)) return false;
  }
  return true;
}

/* Takes the tick's table and weights into use. Lanes draw the matches after next already now, so
 * that frozen policies have a tick's time to arrive. */
static Status tick_begin(Actor *actor) {
  bool found;
  TRY_RETURN(actor_inbox_use_table(actor->inbox, actor->tick, &actor->table, &found));
  if (!found) actor->table.flags = 0; /* pace free: an old table's cut is done */
  INVARIANT(actor->setup.role.pace == PACE_FREE || actor->table.tick == actor->tick);
  TRY_RETURN(actor_inbox_use_weights(actor->inbox, actor->tick, actor->cache));
  TRY_RETURN(lanes_draw_ahead(actor->lanes, &actor->table));
  actor->before = *play_stats(actor->play);
  actor->steps = 0;
  actor->phase = PHASE_PLAY;
  end_wait(actor);
  return OK;
}

/* --- a tick ends --- */
static Batch *batch_for(void *context, uint32_t player) {
  return &((Actor *)context)->out[player];
}

static Status values_for(void *context, uint32_t player, size_t count, const void *observations,
                         const uint32_t *agents, const float *states, float *out) {
  Actor *actor = context;
  Policy *policy = cache_find(actor->cache, player);
  return play_values(actor->play, policy, count, observations, agents, states, out);
}

/* The tick's unrolls of one player, to the learner of its group. */
static Status send_batch(Actor *actor, uint32_t player) {
  const ActorSetup *setup = &actor->setup;
  Batch *batch = &actor->out[player];
  const WireUnrolls unrolls = {
      .tick = actor->tick,
      .player = player,
      .actor = (uint32_t)setup->index,
  };
  INVARIANT(batch_is_whole(batch));
  wire_begin(&actor->wire, WIRE_UNROLLS);
  unrolls_encode(&unrolls, &actor->wire.bytes);
  batch_encode(batch, &actor->wire.bytes);
  batch_clear(batch);
  return wire_send(setup->role.transport, setup->fed_rank[player % setup->groups], &actor->wire);
}

/* Tells all learner groups that this tick's experience is complete, with the frames in it, so that
 * a learner knows without counting messages when it may start; `flags` pass on the league's cut. */
static Status send_tick_end(Actor *actor, uint64_t frames) {
  const ActorSetup *setup = &actor->setup;
  const WireTickEnd end = {
      .tick = actor->tick,
      .actor = (uint32_t)setup->index,
      .flags = actor->table.flags,
      .frames = frames,
  };
  wire_begin(&actor->wire, WIRE_TICK_END);
  tick_end_encode(&end, &actor->wire.bytes);
  return wire_send_many(setup->role.transport, setup->fed_rank, setup->groups, &actor->wire);
}

/* Unrolls are cut at the tick's end: whoever is to act next closes with the value of where it
 * stands. One message for each player with experience. */
static Status send_unrolls(Actor *actor) {
  const RecorderHooks hooks = {actor, batch_for, values_for};
  uint64_t frames = 0;
  lanes_close_unrolls(actor->lanes);
  TRY_RETURN(recorder_failed(actor->recorder));
  TRY_RETURN(recorder_collect(actor->recorder, &hooks));
  for (uint32_t p = 0; p < actor->setup.role.learning_players; p++) {
    const uint64_t learned = batch_learned(&actor->out[p]);
    if (!actor->out[p].unrolls) continue;
    TRY_RETURN(results_frames(&actor->results, p, learned));
    TRY_RETURN(send_batch(actor, p));
    frames += learned;
  }
  actor->frames += frames;
  return send_tick_end(actor, frames);
}

/* Results hold counts of this tick only: running totals of play are sent as differences. */
static Status send_results(Actor *actor) {
  const PlayStats *now = play_stats(actor->play);
  const PlayStats *before = &actor->before;
  Results *results = &actor->results;
  uint64_t decisions = now->decisions - before->decisions;
  uint64_t recorded = now->decisions_recorded - before->decisions_recorded;
  INVARIANT(results_add_up(results, match_opponents(actor->setup.env->spec.teams)));
  results->actor = (uint32_t)actor->setup.index;
  results->tick = actor->tick;
  results->stage = actor->table.stage;
  results->steps = now->steps - before->steps;
  results->decisions_frozen = decisions - recorded;
  results->abandoned = lanes_take_abandoned(actor->lanes);
  results->waits = take_waits(actor);
  wire_begin(&actor->wire, WIRE_RESULTS);
  results_encode(results, &actor->wire.bytes);
  results_clear(results);
  return tell_league(actor);
}

/* One lane, whole: its matches, random stream, games in progress and open decisions. A message
 * each, since a resumed job may deal the lanes out to other actors. */
static Status send_lane(Actor *actor, size_t lane) {
  const WireActorState state = {
      .actor = (uint32_t)actor->setup.index,
      .lane = lanes_id(actor->lanes, lane),
  };
  wire_begin(&actor->wire, WIRE_ACTOR_STATE);
  actor_state_encode(&state, &actor->wire.bytes);
  TRY_RETURN(lanes_encode(actor->lanes, lane, &actor->wire.bytes));
  return tell_league(actor);
}

/* A last piece without a lane tells the league that this actor's state is complete, and what it did
 * in this job by its own count. */
static Status send_state(Actor *actor) {
  const PlayStats *stats = play_stats(actor->play);
  const uint64_t open = recorder_open(actor->recorder);
  const WireActorState counts = {
      .actor = (uint32_t)actor->setup.index,
      .lane = (uint32_t)WIRE_NO_LANE,
      .acted = actor->open_before + stats->decisions_recorded - open,
      .episodes = stats->episodes,
      .steps = stats->steps,
  };
  INVARIANT(counts.acted == actor->frames);
  for (size_t i = 0; i < lanes_count(actor->lanes); i++)
    if (!lanes_is_finished(actor->lanes, i)) TRY_RETURN(send_lane(actor, i));
  wire_begin(&actor->wire, WIRE_ACTOR_STATE);
  actor_state_encode(&counts, &actor->wire.bytes);
  return tell_league(actor);
}

/* The last message: where this rank's time went, in seconds, for the summary that is shown at the
 * end. */
static Status send_bye(Actor *actor) {
  const PlayStats *stats = play_stats(actor->play);
  const Activity *activity = &actor->activity;
  RoleProfile profile = {.role = "actor", .index = (uint32_t)actor->setup.index};
  Numbers *numbers = &profile.numbers;
  numbers_set(numbers, "seconds", clock_seconds(now_of(actor) - activity->started));
  numbers_set(numbers, "wait", clock_seconds(activity->waited));
  numbers_set(numbers, "idle", clock_seconds(idle_of(actor)));
  numbers_set(numbers, "pack", clock_seconds(activity->packing));
  numbers_set(numbers, "env", clock_seconds(stats->env_ns));
  numbers_set(numbers, "forward", clock_seconds(stats->forward_ns));
  numbers_set(numbers, "sample", clock_seconds(stats->sample_ns));
  numbers_set(numbers, "record", clock_seconds(stats->record_ns));
  numbers_set(numbers, "frames", (double)actor->frames);
  numbers_set(numbers, "decisions", (double)stats->decisions);
  numbers_set(numbers, "steps", (double)stats->steps);
  wire_begin(&actor->wire, WIRE_BYE);
  profile_encode(&profile, &actor->wire.bytes);
  return tell_league(actor);
}

/* Sends the tick off, and, where its table orders a checkpoint, the state of the actor right after
 * it: the cut. In pace free the actor then stands still (PHASE_HELD) until it is told to go on. */
static Status tick_end(Actor *actor) {
  const bool free_pace = actor->setup.role.pace == PACE_FREE;
  const int64_t start = now_of(actor);
  TRY_RETURN(send_unrolls(actor));
  TRY_RETURN(send_results(actor));
  actor->activity.packing += now_of(actor) - start;
  /* pace free: a table may be played for several ticks, but its cut is made once */
  bool made = free_pace && actor->cut_done == actor->table.tick + 1;
  bool cut = (actor->table.flags & TABLE_SAVE) && !made;
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

/* --- the machine --- */
Status actor_step(Actor *actor, bool *progress) {
  INVARIANT_AT(actor->setup.role.transport->rank, actor->tick);
  *progress = false;
  if (actor->failed != OK) return actor->failed;
  if (actor->phase == PHASE_WAIT) {
    if (!tick_ready(actor)) return OK;
    TRY_RETURN(tick_begin(actor));
    *progress = true;
  }
  if (actor->phase != PHASE_PLAY || !lanes_are_ready(actor->lanes)) return OK;
  size_t live;
  *progress = true;
  doing.tick = actor->tick;
  TRY_RETURN(play_step(actor->play, &live));
  if (++actor->steps < (uint64_t)actor->setup.config.unroll) return OK;
  return tick_end(actor);
}

/* Per tick: all actors' results in, merged in the order of actors; then snapshots and resets are
 * decided, the learners get their directive and the actors the next table. In pace `free` a tick is
 * one round of results, one from each actor on the average, whichever of their own ticks those are
 * of. What each part of the league knows of all this is its own: see manager.h. */
#include "league/manager.h"

#include "base/file.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/text.h"
#include "league/checkpoint.h"
#include "league/library.h"
#include "league/monitor.h"
#include "league/timetable.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Manager {
  ManagerSetup setup;
  League league;
  Curriculum curriculum;
  Members *members;
  Timetable *timetable;
  Library *library;
  Checkpoint *checkpoint;
  Monitor *monitor;

  bool begun;
  bool done;
  RunPosition run; /* seconds: of the jobs before this one */
  uint64_t frames_before;
  int64_t started;
  char reason[64];  /* what the run does, or why it ends */
  char fault[1000]; /* of the first guest that has failed */

  Results *arrival; /* not yet merged */
  size_t arrivals;
  size_t arrival_room;

  Directive directive;
  uint64_t directives; /* sent in this job */

  bool actors_have; /* the entries of the current table have been sent in this job */
  bool unpublished; /* a tick is merged, but its table waits for an open cut */
  uint64_t publish_tick;
  bool want_save;
  bool want_stop;
  WireOut wire;
};

/* How many ticks the actors play ahead of the learners. */
static uint64_t lag_of(const Manager *manager) {
  return pace_lag(manager->setup.role.pace);
}

static double seconds_since(const Manager *manager, int64_t then) {
  return clock_seconds(clock_now(&manager->setup.role.clock) - then);
}

/* Where the run stands, the time of this job included. */
static RunPosition position_of(const Manager *manager) {
  RunPosition position = manager->run;
  position.seconds += seconds_since(manager, manager->started);
  return position;
}

/* --- beginning --- */
/* Goes on from where the checkpoint's run stood. Its last tick is known again only if it is still
 * to come and this job is to play no more frames; else it is found anew. */
static Status restore_league(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  RunPosition *run = &manager->run;
  TRY_RETURN(league_load(&manager->league, setup->resume));
  TRY_RETURN(checkpoint_position(setup->resume, run));
  TRY_RETURN(curriculum_load(&manager->curriculum, setup->resume, run->frames));
  bool ahead = run->end_tick != NEVER && run->end_tick >= run->tick;
  if (!ahead || run->frames < (uint64_t)setup->config.frames) run->end_tick = NEVER;
  manager->frames_before = run->frames;
  return timetable_load(manager->timetable, &manager->league, setup->resume);
}

/* Freezes a new player: its policy is written, and the league gets to know its hash. */
static Status write_player(Manager *manager, uint32_t id, const float *policy) {
  char hash[HASH_TEXT];
  TRY_RETURN(library_write(manager->library, &manager->league, id, policy, hash));
  memcpy(manager->league.player[id].hash, hash, sizeof hash);
  return OK;
}

/* A new league has one snapshot of each main, so that there is someone to meet. */
static Status write_first_snapshots(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  float *policy;
  TRY_RETURN(NEW_ARRAY(policy, setup->role.net->block));
  Status status = OK;
  for (uint32_t id = 0; id < manager->league.players && status == OK; id++) {
    const Player *player = &manager->league.player[id];
    if (!player->frozen || player->role == ROLE_GUEST) continue;
    setup->hooks.initial(setup->hooks.context, (uint32_t)player->parent, policy);
    status = write_player(manager, id, policy);
  }
  free(policy);
  return status;
}

/* Those who have weights, and those who are asked. */
static Status begin_league(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  for (size_t i = 0; i < setup->guests; i++)
    TRY_RETURN(league_add_guest(&manager->league, &setup->guest[i]));
  return write_first_snapshots(manager);
}

/* The create_ functions below hand each part what it needs of the setup, and nothing of the
 * manager: no part sees another. */
static Status create_library(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  const LibrarySetup library = {
      .run = setup->run,
      .header = setup->header,
      .block = setup->role.net->block,
      .transport = setup->role.transport,
      .clock = setup->role.clock,
      .patience = setup->config.patience,
  };
  return library_create(&library, &manager->library);
}

static Status create_checkpoint(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  const CheckpointSetup checkpoint = {
      .run = setup->run,
      .curriculum = &manager->curriculum,
      .header = setup->header,
      .keep = (size_t)setup->config.keep,
      .clock = setup->role.clock,
      .patience = setup->config.patience,
      .actors = setup->members.actors,
      .keepers = members_keepers(manager->members),
      .generation = setup->generation,
      .check_state = setup->hooks.check_state,
      .context = setup->hooks.context,
  };
  return checkpoint_create(&checkpoint, setup->resume, &manager->league, &manager->run,
                           &manager->checkpoint);
}

static Status create_monitor(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  const DisplaySetup display = {
      .league = &manager->league,
      .curriculum = &manager->curriculum,
      .run = setup->run,
      .clock = setup->role.clock,
      .env = setup->env,
      .frames_target = (uint64_t)setup->config.frames,
      .metrics_seconds = setup->config.metrics_seconds,
      .progress_seconds = setup->config.progress_seconds,
      .actors = setup->members.actors,
      .learners = setup->members.learners,
      .resumed = setup->resume != NULL,
      .about = setup->about,
      .observe = setup->hooks.observe,
      .rate = setup->hooks.rate,
      .evaluate = setup->hooks.evaluate,
      .context = setup->hooks.context,
  };
  manager->setup.about = NULL; /* it was borrowed for this */
  return monitor_create(&display, &manager->run, setup->generation, &manager->monitor);
}

/* On failure nothing is left. A new run writes its first snapshots here, before any member asks for
 * them; a resumed one reads its league, and sends the members their state in the first step. */
Status manager_create(const ManagerSetup *setup, Manager **out) {
  Status status = OK;
  Manager *manager = NULL;
  TRY(NEW_ARRAY(manager, 1));
  manager->setup = *setup;
  manager->started = clock_now(&setup->role.clock);
  manager->run.end_tick = NEVER;
  snprintf(manager->reason, sizeof manager->reason, "%s", "running");
  TRY(league_create(&setup->league, setup->role.seed, setup->return_low, setup->return_high,
                    &manager->league));
  curriculum_create(&setup->curriculum, &manager->curriculum);
  TRY(timetable_create((size_t)setup->league.table_players, &manager->timetable));
  TRY(create_library(manager));
  if (setup->resume)
    TRY(restore_league(manager));
  else
    TRY(begin_league(manager));
  TRY(league_take_rules(&manager->league, setup->rules));
  tune_begin(&manager->league);
  TRY(members_create(&setup->members, setup->role.transport, manager->run.tick, &manager->members));
  TRY(create_checkpoint(manager));
  TRY(create_monitor(manager));
  *out = manager;
  manager = NULL;
done:
  manager_destroy(manager);
  return status;
}

void manager_destroy(Manager *manager) {
  if (!manager) return;
  monitor_destroy(manager->monitor);
  checkpoint_destroy(manager->checkpoint);
  library_destroy(manager->library);
  timetable_destroy(manager->timetable);
  members_destroy(manager->members);
  league_free(&manager->league);
  for (size_t i = 0; i < manager->arrival_room; i++)
    results_free(&manager->arrival[i]);
  free(manager->arrival);
  bytes_free(&manager->wire.bytes);
  free(manager);
}

/* --- directives --- */
static const char *reset_text(uint32_t reset) {
  if (reset == RESET_COPY) return ", its model restarts from a past main";
  if (reset == RESET_INITIAL) return ", its model restarts from initial weights";
  return "";
}

/* The order of a tick to all learners. Policies to reset from are sent along, since only the league
 * reads the run folder; snapshots that are ordered are expected from now on. */
static Status send_directive(Manager *manager) {
  Directive *directive = &manager->directive;
  const League *league = &manager->league;
  for (size_t i = 0; i < directive->orders; i++) {
    Order *order = &directive->order[i];
    if (order->reset == RESET_COPY)
      TRY_RETURN(library_read(manager->library, league, order->source_frozen, &order->block));
    if (!order->snapshot_id) continue;
    TRY_RETURN(library_expect(manager->library, order->snapshot_id));
    const Player *player = &league->player[order->snapshot_id];
    log_line("snapshot %s (%s)%s", player->name, player->reason, reset_text(order->reset));
  }
  directive->number = manager->directives++;
  wire_begin(&manager->wire, WIRE_DIRECTIVE);
  directive_encode(directive, manager->setup.role.net->block, &manager->wire.bytes);
  return members_tell_learners(manager->members, &manager->wire);
}

/* What the learners do at the cut. The end of the run freezes the mains; the end of a job is no
 * event in the league. */
static Status order_save(Manager *manager) {
  const Cut *cut = checkpoint_cut(manager->checkpoint);
  manager->directive.flags = DIRECTIVE_SAVE | (cut->stop ? DIRECTIVE_STOP : 0);
  if (!cut->end) return OK;
  return league_force_snapshots(&manager->league, &manager->directive, "end");
}

/* --- tables --- */
/* Whether the table of `tick` is to have a cut. The last tick of the run has one always; once it is
 * known, no earlier one, so that the last never waits for another. Else if it is wanted, and the
 * league has captured its own part of the one before. In the deterministic paces these are rules of
 * ticks, whatever the clock says. */
static bool cut_due(const Manager *manager, uint64_t tick) {
  const Cut *cut = checkpoint_cut(manager->checkpoint);
  bool wanted = manager->want_save || manager->want_stop;
  bool ending = manager->run.end_tick != NEVER;
  if (manager->setup.role.pace == PACE_FREE) return !cut->open && (wanted || ending);
  if (ending) return tick == manager->run.end_tick;
  return wanted && !(cut->open && !cut->captured);
}

/* A cut after this tick. If the run's end is due, it is the last. */
static void open_cut(Manager *manager, uint64_t tick) {
  bool end = manager->run.end_tick != NEVER;
  bool stop = manager->want_stop || end;
  checkpoint_open(manager->checkpoint, tick, stop, end, manager->league.learning);
  manager->want_save = false;
  manager->run.checkpoint_tick = tick + 1;
  if (end) snprintf(manager->reason, sizeof manager->reason, "the frames are done");
}

/* The table of `tick` into its place; *same: its entries are those that the actors have. */
static Status make_table(Manager *manager, uint64_t tick, Table **out, bool *same) {
  Timetable *timetable = manager->timetable;
  bool due = timetable_due(timetable, &manager->league, tick);
  *same = !due && manager->actors_have;
  if (due) {
    TRY_RETURN(league_table(&manager->league, timetable_current(timetable)));
    monitor_note_unmeasured(manager->monitor);
  }
  TRY_RETURN(timetable_place(timetable, tick, out));
  (*out)->stage = manager->curriculum.stage;
  return OK;
}

/* `same`: the actors have its entries, so that only its head is sent. */
static Status send_table(Manager *manager, const Table *table, bool same) {
  Table head = *table;
  head.flags |= same ? TABLE_SAME : 0;
  wire_begin(&manager->wire, WIRE_TABLE);
  table_encode(&head, &manager->wire.bytes);
  return members_pass_table(manager->members, &manager->wire);
}

/* Publishes the table of `tick`, with a cut in it if one is due. */
static Status publish_table(Manager *manager, uint64_t tick) {
  Table *table;
  bool same;
  bool cut = cut_due(manager, tick);
  TRY_RETURN(make_table(manager, tick, &table, &same));
  manager->actors_have = true;
  if (cut) {
    open_cut(manager, tick);
    table->flags = TABLE_SAVE;
    if (checkpoint_cut(manager->checkpoint)->stop) table->flags |= TABLE_STOP;
  }
  TRY_RETURN(send_table(manager, table, same));
  if (!cut || manager->setup.role.pace != PACE_FREE) return OK;
  /* pace free: the learners are told at once and save when all actors have marked the cut */
  manager->directive.orders = 0;
  TRY_RETURN(order_save(manager));
  return send_directive(manager);
}

/* The table that a merged tick leads to. In the deterministic paces it waits while it is to have a
 * cut and the one before is still being collected: which tick is cut must not depend on how long
 * saving takes. */
static Status publish_next(Manager *manager) {
  const Cut *cut = checkpoint_cut(manager->checkpoint);
  uint64_t tick = manager->publish_tick;
  if (manager->setup.role.pace != PACE_FREE && cut->open && cut_due(manager, tick)) return OK;
  manager->unpublished = false;
  return publish_table(manager, tick);
}

/* Pipelined, the tick before the job's last is merged: the table after the last one is due now,
 * though only the next job will play it. */
static Status make_unplayed_table(Manager *manager, uint64_t merged) {
  const Cut *cut = checkpoint_cut(manager->checkpoint);
  uint64_t tick = merged + 1 + lag_of(manager);
  Table *table;
  bool same;
  if (manager->setup.role.pace != PACE_PIPELINED || tick != cut->tick + 1) return OK;
  return make_table(manager, tick, &table, &same);
}

/* --- a tick --- */
/* Why the next table should have a cut. */
static void look_for_reasons(Manager *manager) {
  const ManagerConfig *config = &manager->setup.config;
  RunPosition *run = &manager->run;
  /* two lags on, as the table of a tick a lag on may have a cut in it, which must be captured
   * before the last */
  if (run->frames >= (uint64_t)config->frames && run->end_tick == NEVER)
    run->end_tick = run->tick + 2 * lag_of(manager);
  uint64_t due = run->checkpoint_tick + (uint64_t)config->checkpoint_ticks;
  if (config->checkpoint_ticks && run->tick >= due) manager->want_save = true;
  if (config->max_seconds > 0 && seconds_since(manager, manager->started) >= config->max_seconds)
    manager_request_stop(manager, "the time is up");
  if (config->job_frames && run->frames >= (uint64_t)config->job_frames && run->end_tick == NEVER)
    manager_request_stop(manager, "this job's frames are done");
  if (config->checkpoint_seconds > 0 && !checkpoint_cut(manager->checkpoint)->open &&
      checkpoint_age(manager->checkpoint) >= config->checkpoint_seconds)
    manager->want_save = true;
}

/* Tells everyone that the job begins, and publishes the tables of its first ticks. */
static Status begin(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  const uint64_t first = manager->run.tick;
  if (setup->resume) {
    TRY_RETURN(checkpoint_restore(setup->resume, &manager->league, manager->members));
    look_for_reasons(manager); /* as when the saved tick was merged */
  }
  wire_begin(&manager->wire, WIRE_BEGIN);
  start_encode(&(WireStart){first}, &manager->wire.bytes);
  TRY_RETURN(members_tell_actors(manager->members, &manager->wire));
  wire_begin(&manager->wire, WIRE_LEARN);
  start_encode(&(WireStart){first}, &manager->wire.bytes);
  TRY_RETURN(members_tell_learners(manager->members, &manager->wire));
  for (uint64_t tick = first; tick <= first + lag_of(manager); tick++) {
    const Table *stored = timetable_at(manager->timetable, tick);
    bool have =
        setup->resume && stored->homes && stored->tick == tick && setup->role.pace != PACE_FREE;
    if (have)
      TRY_RETURN(send_table(manager, stored, false));
    else
      TRY_RETURN(publish_table(manager, tick));
  }
  manager->begun = true;
  return OK;
}

/* The run's own counters; what the payoff counts is entered by league_merge. */
static void count_results(Manager *manager, const Results *results) {
  RunPosition *run = &manager->run;
  run->steps += results->steps;
  run->episodes += results->episodes;
  run->frozen_decisions += results->decisions_frozen;
  for (size_t i = 0; i < results->frames; i++)
    run->frames += results->frame[i].frames;
  curriculum_count(&manager->curriculum, results);
  checkpoint_count(manager->checkpoint, results);
  monitor_count(manager->monitor, results);
}

/* Ticks in order, actors in order: sums of floating-point numbers must not depend on which message
 * came first. */
static int by_arrival(const void *a, const void *b) {
  const Results *x = a;
  const Results *y = b;
  if (x->tick != y->tick) return x->tick < y->tick ? -1 : 1;
  return x->actor < y->actor ? -1 : x->actor > y->actor;
}

/* Whether the players' frames are the run's. */
static bool frames_agree(const Manager *manager) {
  uint64_t sum = manager->league.retired_frames;
  for (size_t p = 0; p < manager->league.learning; p++)
    sum += manager->league.player[p].frames;
  return sum == manager->run.frames;
}

/* Merges the arrivals of the present tick (pace free: all), in order. */
static Status merge(Manager *manager) {
  size_t kept = 0;
  uint64_t abandoned = 0;
  qsort(manager->arrival, manager->arrivals, sizeof *manager->arrival, by_arrival);
  for (size_t i = 0; i < manager->arrivals; i++) {
    Results arrival = manager->arrival[i];
    if (manager->setup.role.pace != PACE_FREE && arrival.tick != manager->run.tick) {
      /* what is merged keeps its memory, for later arrivals */
      manager->arrival[i] = manager->arrival[kept];
      manager->arrival[kept++] = arrival;
      continue;
    }
    TRY_RETURN(league_merge(&manager->league, &arrival));
    count_results(manager, &arrival);
    abandoned += arrival.abandoned;
  }
  manager->arrivals = kept;
  if (abandoned)
    log_line("abandoned %llu unfinished game%s of the job before, which %s does not save; others "
             "begin in their place",
             (unsigned long long)abandoned, abandoned == 1 ? "" : "s", manager->setup.env.game);
  league_settle(&manager->league);
  INVARIANT(frames_agree(manager));
  return OK;
}

/* In pace free any results will do, as many as there are actors; otherwise one of each actor for
 * this very tick. */
static bool tick_complete(const Manager *manager) {
  size_t count = 0;
  for (size_t i = 0; i < manager->arrivals; i++)
    count += manager->setup.role.pace == PACE_FREE || manager->arrival[i].tick == manager->run.tick;
  return count >= manager->setup.members.actors;
}

/* The league's own part of the cut, as it is between two ticks. */
static Status capture(Manager *manager) {
  Bytes tables = {0};
  const RunPosition position = position_of(manager);
  Status status = timetable_encode(manager->timetable, position.tick, lag_of(manager), &tables);
  if (status == OK)
    status = checkpoint_capture(manager->checkpoint, &manager->league, &position, &tables);
  bytes_free(&tables);
  return status;
}

/* The next stage of the curriculum, where it is due; the tables after this tick say it. */
static void advance_stage(Manager *manager) {
  Curriculum *curriculum = &manager->curriculum;
  const uint64_t frames = manager->run.frames;
  const uint64_t began = curriculum->began[curriculum->stage];
  if (!curriculum_advance(curriculum, frames)) return;
  char spent[24];
  log_line("stage %u of %zu begins, after %s frames in the one before: %s", curriculum->stage + 1,
           curriculum->rule.stages + 1, text_scaled((double)(frames - began), spent, sizeof spent),
           curriculum_text(curriculum));
}

/* Merges the tick, decides, and tells the learners; the table that follows is due. */
static Status complete_tick(Manager *manager) {
  const Cut *cut = checkpoint_cut(manager->checkpoint);
  Directive *directive = &manager->directive;
  bool free_pace = manager->setup.role.pace == PACE_FREE;
  TRY_RETURN(merge(manager));
  advance_stage(manager);
  const uint64_t tick = manager->run.tick;
  bool cut_now = cut->open && !cut->captured && cut->tick == tick && !free_pace;
  bool stop = cut->open && cut->stop;
  directive->tick = tick;
  directive->flags = 0;
  directive->orders = 0;
  /* pace free: the learners may have saved already, and obey nothing after that */
  if (!(free_pace && stop)) TRY_RETURN(league_decide(&manager->league, directive));
  /* the end of the run freezes its mains as they have become, and nobody learns on */
  if (!stop || (!free_pace && !cut->end)) TRY_RETURN(tune_decide(&manager->league, directive));
  if (directive->orders) timetable_renew(manager->timetable);
  if (cut_now) TRY_RETURN(order_save(manager));
  if (!free_pace || directive->orders) TRY_RETURN(send_directive(manager));
  manager->run.tick++;
  look_for_reasons(manager);
  if (cut_now) TRY_RETURN(capture(manager));
  if (stop) return make_unplayed_table(manager, tick);
  manager->publish_tick = tick + 1 + lag_of(manager);
  manager->unpublished = true;
  return OK;
}

/* --- messages --- */
static Status take_results(Manager *manager, const Message *message, Reader *body) {
  TRY_RETURN(GROW(manager->arrival, manager->arrival_room, manager->arrivals + 1));
  Results *results = &manager->arrival[manager->arrivals++];
  TRY_RETURN(results_decode(results, body));
  TRY_RETURN(members_take_results(manager->members, &manager->league, message, results));
  if (manager->setup.role.pace == PACE_FREE) return OK;
  return checkpoint_check_order(manager->checkpoint, results);
}

/* A frozen player whose file is there: named by its hash, and lent to those who wait for it. */
static Status put_on_shelf(Manager *manager, const Shelved *shelved) {
  if (!shelved->written) return OK;
  memcpy(manager->league.player[shelved->player].hash, shelved->hash, sizeof shelved->hash);
  checkpoint_name_policy(manager->checkpoint, shelved->player, shelved->hash);
  return library_answer(manager->library, &manager->league);
}

/* A frozen player's weights, from its learner. */
static Status take_snapshot(Manager *manager, Reader *body) {
  Shelved shelved;
  TRY_RETURN(library_take_snapshot(manager->library, &manager->league, body, &shelved));
  return put_on_shelf(manager, &shelved);
}

/* Those that could not be written when they came. */
static Status retry_snapshots(Manager *manager, bool *progress) {
  Shelved shelved;
  do {
    TRY_RETURN(library_retry(manager->library, &manager->league, &shelved));
    TRY_RETURN(put_on_shelf(manager, &shelved));
    *progress |= shelved.written;
  } while (shelved.written);
  return OK;
}

/* The actor goes on without it until all is saved. */
static Status take_fault(Manager *manager, Reader *body) {
  WireFault fault;
  const League *league = &manager->league;
  TRY_RETURN(fault_decode(&fault, body));
  if (fault.player >= league->players || !league->player[fault.player].guest)
    return status_set(ERR_FORMAT, "player %u, which has failed, is no guest", fault.player);
  if (!*manager->fault) {
    log_line("guest %s has failed; this job saves, and ends", league->player[fault.player].name);
    snprintf(manager->fault, sizeof manager->fault, "%s", fault.text);
  }
  manager_request_stop(manager, "a guest has failed");
  return OK;
}

/* `message` stays the caller's. ERR_FORMAT for what its sender cannot mean; the job ends then,
 * rather than count wrongly. */
Status manager_receive(Manager *manager, WireKind kind, const Message *message, Reader *body) {
  const League *league = &manager->league;
  const Members *members = manager->members;
  INVARIANT_AT(manager->setup.role.transport->rank, manager->run.tick);
  switch (kind) {
  case WIRE_RESULTS: return take_results(manager, message, body);
  case WIRE_FETCH: return library_take_fetch(manager->library, league, message, body);
  case WIRE_FAULT: return take_fault(manager, body);
  case WIRE_SNAPSHOT: return take_snapshot(manager, body);
  case WIRE_REPORT: return monitor_take_report(manager->monitor, members, message, body);
  case WIRE_ACTOR_STATE: return checkpoint_take_actor(manager->checkpoint, members, message, body);
  case WIRE_LEARNER_STATE:
    return checkpoint_take_learner(manager->checkpoint, league, members, message, body);
  case WIRE_REPLAY_STATE:
    TRY_RETURN(checkpoint_take_replay(manager->checkpoint, league, members, message, body));
    wire_begin(&manager->wire, WIRE_REPLAY_TAKEN);
    return wire_send(manager->setup.role.transport, message->peer, &manager->wire);
  case WIRE_BYE:
    return members_take_bye(manager->members, message, body,
                            checkpoint_cut(manager->checkpoint)->stop);
  default: return status_set(ERR_INTERNAL, "the league was sent a %s message", wire_name(kind));
  }
}

/* --- steps --- */
static Status look_around(Manager *manager) {
  char path[PATH_MAX];
  if (!monitor_look_due(manager->monitor)) return OK;
  TRY_RETURN(run_keep_lock(manager->setup.run));
  TRY_RETURN(run_path(manager->setup.run, path, sizeof path, "stop"));
  if (file_exists(path)) manager_request_stop(manager, "a stop file was found");
  const RunPosition now = position_of(manager);
  uint64_t generation = checkpoint_generation(manager->checkpoint);
  monitor_note_unsaved(manager->monitor, fmax(checkpoint_failing(manager->checkpoint),
                                              library_failing(manager->library)));
  return monitor_show(manager->monitor, &now, generation, manager->reason);
}

/* Writes the cut if all of it is here. In pace `free` the league's own part is captured last, when
 * the actors are held: then nothing is between them. */
static Status close_cut(Manager *manager, bool *progress) {
  const Cut *cut = checkpoint_cut(manager->checkpoint);
  bool free_pace = manager->setup.role.pace == PACE_FREE;
  if (!checkpoint_is_whole(manager->checkpoint) || !library_is_whole(manager->library)) return OK;
  if (!cut->captured && free_pace) {
    TRY_RETURN(merge(manager));
    TRY_RETURN(capture(manager));
  }
  if (!cut->captured) return OK;
  INVARIANT(free_pace || cut->tick + 1 <= manager->run.tick);
  bool written;
  TRY_RETURN(checkpoint_write(manager->checkpoint, &manager->league, manager->members, &written));
  *progress |= written;
  if (!written || !free_pace || cut->stop) return OK;
  wire_begin(&manager->wire, WIRE_RESUME);
  return members_tell_actors(manager->members, &manager->wire);
}

/* The job's last cut is written, and all have gone. */
static Status finish(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  bool end = checkpoint_cut(manager->checkpoint)->end;
  char path[PATH_MAX];
  TRY_RETURN(run_path(setup->run, path, sizeof path, "stop"));
  if (file_exists(path)) file_ops()->remove(path);
  if (end && setup->hooks.end) TRY_RETURN(setup->hooks.end(setup->hooks.context));
  const RunPosition now = position_of(manager);
  uint64_t generation = checkpoint_generation(manager->checkpoint);
  TRY_RETURN(monitor_finish(manager->monitor, &now, generation, manager->reason,
                            end ? "finished" : "stopped"));
  manager->done = true;
  return OK;
}

/* Does what can be done without waiting: publishes a table, completes a tick whose results are all
 * here, writes a checkpoint that is whole. After the last cut no tick is completed: what still
 * arrives belongs to nobody. */
Status manager_step(Manager *manager, bool *progress) {
  const Cut *cut = checkpoint_cut(manager->checkpoint);
  INVARIANT_AT(manager->setup.role.transport->rank, manager->run.tick);
  *progress = false;
  if (manager->done) return OK;
  if (!manager->begun) {
    *progress = true;
    return begin(manager);
  }
  TRY_RETURN(look_around(manager));
  if (manager->unpublished) TRY_RETURN(publish_next(manager));
  bool leaving = cut->open && cut->stop && cut->captured;
  if (!manager->unpublished && !leaving && tick_complete(manager)) {
    *progress = true;
    TRY_RETURN(complete_tick(manager));
    if (manager->unpublished) TRY_RETURN(publish_next(manager));
  }
  TRY_RETURN(retry_snapshots(manager, progress));
  TRY_RETURN(close_cut(manager, progress));
  if (cut->open || !cut->stop || !members_gone(manager->members)) return OK;
  return finish(manager);
}

/* The first reason given is the one that is shown. */
void manager_request_stop(Manager *manager, const char *reason) {
  if (!manager->want_stop) snprintf(manager->reason, sizeof manager->reason, "%s", reason);
  manager->want_stop = true;
}

const char *manager_fault(const Manager *manager) {
  return manager->fault;
}

bool manager_done(const Manager *manager) {
  return manager->done;
}

League *manager_league(Manager *manager) {
  return &manager->league;
}

/* Pointers in it are borrowed from the manager. */
ManagerSummary manager_summary(const Manager *manager) {
  const RunPosition *run = &manager->run;
  ManagerSummary summary = {
      .ticks = run->tick,
      .frames = run->frames,
      .frames_this_job = run->frames - manager->frames_before,
      .frozen_decisions = run->frozen_decisions,
      .steps = run->steps,
      .episodes = run->episodes,
      .seconds = seconds_since(manager, manager->started),
      .seconds_before = run->seconds,
      .reason = manager->reason,
      .league = &manager->league,
      .rating = monitor_ratings(manager->monitor),
      .score = display_scores(monitor_display(manager->monitor)),
      .generation = checkpoint_generation(manager->checkpoint),
      .checkpoint_seconds = checkpoint_seconds(manager->checkpoint),
  };
  summary.baseline = display_baselines(monitor_display(manager->monitor), &summary.baselines);
  summary.profile = members_profiles(manager->members, &summary.profiles);
  return summary;
}

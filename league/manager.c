/* Per tick: all actors' results in, merged in the order of actors; then snapshots and resets are decided, the learners
 * get their directive and the actors the next table. A cut (checkpoint) is announced in a table, so that every role
 * makes it at the same tick; the league's own part is captured when that tick is merged, the rest arrives in pieces. */
#include "league/manager.h"

#include "base/file.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/text.h"
#include "league/display.h"
#include "league/ledger.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOCKSTEP = 0, PIPELINED = 1, FREE = 2, BLOCKS = 64 };

typedef struct FrozenBlock {
  uint32_t player;
  float *block;
  uint64_t used;
} FrozenBlock;

typedef struct Fetch {
  int rank;
  uint32_t player;
} Fetch;

/* A checkpoint in the making. */
typedef struct Cut {
  bool open, captured;
  bool stop; /* the job ends with it */
  bool end;  /* so does the run: its mains are frozen, and nothing is left to be played */
  uint64_t tick;
  Tree tree;
  size_t actors_left, players_left;
  Bytes lanes;
  uint64_t ledger[LEDGER_COUNT];
  uint32_t *lane_id;
  uint64_t *lane_end; /* offset behind the lane's bytes in `lanes` */
  size_t lane_count, lane_room, lane_end_room;
} Cut;

struct Manager {
  ManagerSetup setup;
  League league;
  bool begun, done;
  uint64_t tick;    /* the next to complete */
  Results *arrival; /* not yet merged */
  size_t arrivals, arrival_room;
  Table current, next[2]; /* the last computed; `next`: published for ticks not yet complete */
  bool actors_have;       /* its entries have been sent in this job */
  bool renew;             /* the next table must be computed: players have changed */
  size_t unmeasured;      /* past players left out of the last table's meta-game */
  uint64_t unmeasured_key;
  Directive directive;
  uint64_t directives; /* sent in this job */
  FrozenBlock cache[BLOCKS];
  uint64_t cache_clock;
  Fetch *fetch;
  size_t fetches, fetch_room;
  uint32_t *awaited; /* snapshots ordered but not yet here */
  size_t awaits, await_room;
  Cut cut;
  bool want_save, want_stop;
  uint64_t end_tick; /* the run's last one, known once the frames are done; else NEVER */
  bool unpublished;  /* a tick is merged, but its table waits for an open cut */
  uint64_t publish_tick;
  char reason[64];
  uint64_t generation;
  uint64_t ledger[LEDGER_COUNT]; /* at this job's begin; games that the payoff has no place for: now */
  uint64_t frames, frames_before, frozen_decisions, steps, episodes;
  uint64_t *results_tick; /* (actors) whose results come next */
  uint64_t *said;         /* (actors, LEDGER_OTHER_GAMES) sums of what their results say in this job */
  size_t *surplus;        /* (actors) lanes of a larger run that it was given */
  uint64_t *state_cut;    /* (actors) 1 + tick of the last cut that has its whole state */
  Numbers *report;        /* (learning) */
  uint64_t *version, *dropped;
  Display *display;
  RoleProfile *profile;
  size_t profiles, profile_room;
  WireOut wire;
  int64_t started, last_checkpoint, last_look;
  uint64_t last_checkpoint_tick;
  double seconds_before, checkpoint_seconds;
};

#define NEVER UINT64_MAX

static uint64_t lag_of(const Manager *manager) { return manager->setup.pace == PIPELINED ? 1 : 0; }
static double seconds_since(const Manager *manager, int64_t then) {
  return clock_seconds(clock_now(&manager->setup.clock) - then);
}

/* --- frozen players --- */
static FrozenBlock *cached(Manager *manager, uint32_t player) {
  for (size_t i = 0; i < BLOCKS; i++)
    if (manager->cache[i].block && manager->cache[i].player == player) {
      manager->cache[i].used = ++manager->cache_clock;
      return &manager->cache[i];
    }
  return NULL;
}

static Status cache_block(Manager *manager, uint32_t player, const float *block, FrozenBlock **out) {
  FrozenBlock *place = &manager->cache[0];
  for (size_t i = 0; i < BLOCKS; i++)
    if (!manager->cache[i].block || (place->block && manager->cache[i].used < place->used)) place = &manager->cache[i];
  if (!place->block) TRY_RETURN(NEW_ARRAY(place->block, manager->setup.block));
  memcpy(place->block, block, manager->setup.block * sizeof(float));
  place->player = player;
  place->used = ++manager->cache_clock;
  *out = place;
  return OK;
}

static Status load_block(Manager *manager, uint32_t player, const float **out) {
  char path[PATH_MAX], hash[HASH_TEXT];
  Tree tree;
  const Item *item;
  FrozenBlock *place = cached(manager, player);
  *out = place ? place->block : NULL;
  if (place) return OK;
  const Player *who = &manager->league.player[player];
  TRY_RETURN(text_format(path, sizeof path, "%s/players/%s-%.8s.h5", manager->setup.run->path, who->name, who->hash));
  TRY_RETURN(store_read(path, "player", &tree));
  Status status = tree_get(&tree, "policy", STORE_F32, (int64_t)manager->setup.block, &item);
  if (status == OK) {
    hash_text(hash_bytes(item->data, item->count * item->size), hash);
    if (strcmp(hash, who->hash))
      status = status_set(ERR_FORMAT, "%s does not hold the policy that the checkpoint names", path);
  }
  if (status == OK) status = cache_block(manager, player, item->data, &place);
  tree_free(&tree);
  if (status == OK) *out = place->block;
  return status;
}

static Status write_player(Manager *manager, uint32_t id, const float *block) {
  Status status = OK;
  Tree tree = {0};
  Player *player = &manager->league.player[id];
  Hash hash = hash_bytes(block, manager->setup.block * sizeof(float));
  char role[PLAYER_NAME];
  FrozenBlock *place;
  INVARIANT(player->frozen && finite_floats(block, manager->setup.block));
  hash_text(hash, player->hash);
  for (size_t i = 0; i < manager->setup.header->items; i++) {
    const Item *item = &manager->setup.header->item[i];
    if (item->type == STORE_TEXT)
      TRY(tree_put_texts(&tree, item->path, item->count, item->size, item->data));
    else
      TRY(tree_put(&tree, item->path, item->type, item->count, item->width, item->data));
  }
  TRY(tree_put(&tree, "policy", STORE_F32, manager->setup.block, 1, block));
  TRY(tree_put_text(&tree, "@name", player->name));
  TRY(tree_put_text(&tree, "@role", text_choice_name(ROLE_NAMES, (int)player->role, role, sizeof role)));
  TRY(tree_put_text(&tree, "@parent", player->parent >= 0 ? manager->league.player[player->parent].name : ""));
  TRY(tree_put_text(&tree, "@reason", player->reason));
  TRY(tree_put_text(&tree, "@hash", player->hash));
  TRY(tree_put_u64(&tree, "@frames", player->frames));
  TRY(run_write_player(manager->setup.run, player->name, hash, &tree));
  TRY(cache_block(manager, id, block, &place));
done:
  tree_free(&tree);
  return status;
}

static bool is_awaited(const Manager *manager, uint32_t player) {
  for (size_t i = 0; i < manager->awaits; i++)
    if (manager->awaited[i] == player) return true;
  return false;
}

static Status answer_fetches(Manager *manager) {
  size_t kept = 0;
  for (size_t i = 0; i < manager->fetches; i++) {
    Fetch fetch = manager->fetch[i];
    const float *block;
    if (is_awaited(manager, fetch.player)) {
      manager->fetch[kept++] = fetch;
      continue;
    }
    TRY_RETURN(load_block(manager, fetch.player, &block));
    wire_begin(&manager->wire, WIRE_FROZEN);
    frozen_encode(&(WireFrozen){fetch.player, block}, manager->setup.block, &manager->wire.bytes);
    TRY_RETURN(wire_send(manager->setup.transport, fetch.rank, &manager->wire));
  }
  manager->fetches = kept;
  return OK;
}

/* --- beginning --- */
/* Which actor holds a lane; surplus ones, of a larger run, are spread. */
static size_t actor_of_lane(const ManagerSetup *setup, uint32_t lane) {
  for (size_t a = 0; a < setup->actors && lane < setup->lanes; a++)
    if (lane >= setup->lanes * a / setup->actors && lane < setup->lanes * (a + 1) / setup->actors) return a;
  return lane % setup->actors;
}

/* A learning player's state, to all learners of its group. */
static Status restore_learner_state(Manager *manager, size_t p) {
  const ManagerSetup *setup = &manager->setup;
  const Tree *tree = setup->resume;
  Status status = OK;
  char prefix[64];
  Tree part = {0};
  int length = snprintf(prefix, sizeof prefix, "players/%s/", manager->league.player[p].name);
  for (size_t i = 0; i < tree->items; i++) {
    const Item *item = &tree->item[i];
    if (strncmp(item->path, prefix, (size_t)length)) continue;
    if (item->type == STORE_TEXT) TRY(tree_fault(tree, item->path, -1, "has the wrong type"));
    TRY(tree_put(&part, item->path + length, item->type, item->count, item->width, item->data));
  }
  for (size_t l = p % setup->groups; l < setup->learners; l += setup->groups) {
    wire_begin(&manager->wire, WIRE_RESTORE_PLAYER);
    player_state_encode(&(WirePlayerState){.player = (uint32_t)p}, &manager->wire.bytes);
    tree_encode(&part, &manager->wire.bytes);
    TRY(wire_send(setup->transport, setup->learner_rank[l], &manager->wire));
  }
done:
  tree_free(&part);
  return status;
}

static Status restore_messages(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  const Tree *tree = setup->resume;
  const Item *id, *end, *blob;
  TRY_RETURN(tree_get(tree, "lanes/id", STORE_U32, -1, &id));
  TRY_RETURN(tree_get(tree, "lanes/end", STORE_U64, (int64_t)id->count, &end));
  TRY_RETURN(tree_get(tree, "lanes/state", STORE_U8, -1, &blob));
  uint64_t from = 0;
  for (size_t i = 0; i < id->count; i++) {
    uint32_t lane = ((uint32_t *)id->data)[i];
    uint64_t to = ((uint64_t *)end->data)[i];
    if (i && lane <= ((uint32_t *)id->data)[i - 1])
      return tree_fault(tree, id->path, (int64_t)i, "is not above the row before it");
    if (to < from || to > blob->count || (i + 1 == id->count && to != blob->count))
      return tree_fault(tree, end->path, (int64_t)i, "does not fit the %zu bytes of lanes/state", blob->count);
    size_t actor = actor_of_lane(setup, lane);
    manager->surplus[actor] += lane >= setup->lanes;
    wire_begin(&manager->wire, WIRE_RESTORE_LANE);
    lane_encode(&(WireLane){lane, (uint8_t *)blob->data + from, to - from}, &manager->wire.bytes);
    TRY_RETURN(wire_send(setup->transport, setup->actor_rank[actor], &manager->wire));
    from = to;
  }
  for (size_t p = 0; p < manager->league.learning; p++) TRY_RETURN(restore_learner_state(manager, p));
  return OK;
}

/* What a checkpoint knows of the end of its run. */
typedef struct RunEnd {
  uint64_t tick; /* its last one, or NEVER */
  bool reached;
} RunEnd;

static Status run_end_of(const Tree *tree, RunEnd *out) {
  const Item *item;
  TRY_RETURN(tree_get(tree, "run/end", STORE_U64, 2, &item));
  const uint64_t *value = item->data;
  *out = (RunEnd){value[0], value[1] != 0};
  return OK;
}

Status manager_finished(const Tree *checkpoint, int64_t frames, bool *out) {
  const Item *counters;
  RunEnd end;
  TRY_RETURN(tree_get(checkpoint, "run/counters", STORE_U64, 6, &counters));
  TRY_RETURN(run_end_of(checkpoint, &end));
  *out = ((const uint64_t *)counters->data)[1] >= (uint64_t)frames && end.reached;
  return OK;
}

/* Counts that a run can have reached: so many that adding to them never wraps. */
static Status check_counters(const Tree *tree, const Item *counters) {
  const uint64_t *value = counters->data;
  for (size_t i = 0; i < counters->count; i++)
    if (value[i] >> 53) return tree_fault(tree, counters->path, (int64_t)i, "is an impossible count");
  if (value[5] > value[0] + 3) return tree_fault(tree, counters->path, 5, "is a checkpoint of the future");
  return OK;
}

static Status restore_end(Manager *manager) {
  RunEnd end;
  TRY_RETURN(run_end_of(manager->setup.resume, &end));
  if (end.tick != NEVER && end.tick > manager->tick + 2)
    return tree_fault(manager->setup.resume, "run/end", 0, "is no tick in which the run can end");
  bool ahead = end.tick != NEVER && end.tick >= manager->tick; /* else it is found anew */
  if (ahead && manager->frames >= (uint64_t)manager->setup.config.frames) manager->end_tick = end.tick;
  return OK;
}

static Status restore_tables(Manager *manager) {
  const Tree *tree = manager->setup.resume;
  const Item *tables;
  Table table = {0};
  Status status = OK;
  TRY_RETURN(tree_get(tree, "run/next_tables", STORE_U8, -1, &tables));
  Reader reader = reader_over(tables->data, tables->count);
  manager->renew = reader_u32(&reader) != 0;
  TRY(table_decode(&table, &reader));
  TRY(table_check(&table, manager->league.learning, manager->league.players));
  TRY(table_copy(&manager->current, &table));
  uint32_t more = reader_u32(&reader);
  if (more > 1) TRY(status_set(ERR_FORMAT, "there are too many tables"));
  if (more) {
    TRY(table_decode(&table, &reader));
    TRY(table_check(&table, manager->league.learning, manager->league.players));
    TRY(table_copy(&manager->next[table.tick & 1], &table));
  }
  TRY(reader_finish(&reader, "the last table"));
done:
  table_free(&table);
  if (status != OK) {
    char why[256];
    snprintf(why, sizeof why, "%s", status_message());
    status = tree_fault(tree, tables->path, -1, "is damaged: %s", why);
  }
  return status;
}

/* A checkpoint of an older program has none: then what the league counted is believed. */
static void restore_ledger(Manager *manager) {
  const Item *item;
  uint64_t games = (uint64_t)(payoff_first_seat(&manager->league.payoff).games + 0.5);
  manager->ledger[LEDGER_ACTED] = manager->frames;
  manager->ledger[LEDGER_EPISODES] = manager->episodes;
  manager->ledger[LEDGER_STEPS] = manager->steps;
  manager->ledger[LEDGER_OTHER_GAMES] = manager->episodes > games ? manager->episodes - games : 0;
  if (tree_get(manager->setup.resume, LEDGER_PATH, STORE_U64, LEDGER_COUNT, &item) == OK)
    memcpy(manager->ledger, item->data, sizeof manager->ledger);
}

static Status restore_scalars(Manager *manager) {
  const Tree *tree = manager->setup.resume;
  const Item *counters;
  TRY_RETURN(league_load(&manager->league, tree));
  TRY_RETURN(tree_get(tree, "run/counters", STORE_U64, 6, &counters));
  TRY_RETURN(check_counters(tree, counters));
  const uint64_t *value = counters->data;
  manager->tick = value[0];
  manager->frames = manager->frames_before = value[1];
  manager->frozen_decisions = value[2];
  manager->steps = value[3];
  manager->episodes = value[4];
  manager->last_checkpoint_tick = value[5];
  restore_ledger(manager);
  TRY_RETURN(ledger_check(tree)); /* what does not add up when it is read never will */
  TRY_RETURN(restore_end(manager));
  TRY_RETURN(tree_get_f64(tree, "run/seconds", &manager->seconds_before));
  if (!(manager->seconds_before >= 0 && manager->seconds_before < 1e12))
    return tree_fault(tree, "run/seconds", -1, "is no number of seconds");
  return restore_tables(manager);
}

static Status first_snapshots(Manager *manager) {
  float *block;
  TRY_RETURN(NEW_ARRAY(block, manager->setup.block));
  Status status = OK;
  for (uint32_t id = 0; id < manager->league.players && status == OK; id++) {
    const Player *player = &manager->league.player[id];
    if (!player->frozen) continue;
    manager->setup.initial(manager->setup.context, (uint32_t)player->parent, block);
    status = write_player(manager, id, block);
  }
  free(block);
  return status;
}

static Progress progress_of(const Manager *manager) {
  return (Progress){.tick = manager->tick,
                    .frames = manager->frames,
                    .frozen_decisions = manager->frozen_decisions,
                    .steps = manager->steps,
                    .episodes = manager->episodes,
                    .generation = manager->generation,
                    .seconds = manager->seconds_before + seconds_since(manager, manager->started),
                    .unmeasured = manager->unmeasured,
                    .reason = manager->reason,
                    .report = manager->report,
                    .dropped = manager->dropped};
}

static Status open_display(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  DisplaySetup display = {.league = &manager->league,
                          .run = setup->run,
                          .clock = setup->clock,
                          .game = setup->game,
                          .teams = setup->teams,
                          .metric_names = setup->metric_names,
                          .metric_count = setup->metric_count,
                          .frames_target = (uint64_t)setup->config.frames,
                          .metrics_seconds = setup->config.metrics_seconds,
                          .progress_seconds = setup->config.progress_seconds,
                          .actors = setup->actors,
                          .learners = setup->learners,
                          .resumed = setup->resume != NULL,
                          .observe = setup->observe,
                          .rate = setup->rate,
                          .context = setup->context};
  Progress begin = progress_of(manager);
  begin.seconds = manager->seconds_before;
  return display_create(&display, &begin, &manager->display);
}

Status manager_create(const ManagerSetup *setup, Manager **out) {
  Status status = OK;
  Manager *manager = NULL;
  TRY(NEW_ARRAY(manager, 1));
  manager->setup = *setup;
  manager->started = manager->last_checkpoint = clock_now(&setup->clock);
  TRY(league_create(&setup->league, setup->seed, setup->return_low, setup->return_high, &manager->league));
  TRY(NEW_ARRAY(manager->results_tick, setup->actors));
  TRY(NEW_ARRAY(manager->state_cut, setup->actors));
  TRY(NEW_ARRAY(manager->said, setup->actors * LEDGER_OTHER_GAMES));
  TRY(NEW_ARRAY(manager->surplus, setup->actors));
  TRY(NEW_ARRAY(manager->report, manager->league.learning));
  TRY(NEW_ARRAY(manager->version, manager->league.learning));
  TRY(NEW_ARRAY(manager->dropped, manager->league.learning));
  snprintf(manager->reason, sizeof manager->reason, "%s", "running");
  manager->generation = setup->generation;
  manager->end_tick = NEVER;
  if (setup->resume)
    TRY(restore_scalars(manager));
  else
    TRY(first_snapshots(manager));
  for (size_t a = 0; a < setup->actors; a++) manager->results_tick[a] = manager->tick;
  TRY(open_display(manager));
  *out = manager;
  manager = NULL;
done:
  manager_destroy(manager);
  return status;
}

void manager_destroy(Manager *manager) {
  if (!manager) return;
  for (size_t i = 0; i < manager->arrival_room; i++) results_free(&manager->arrival[i]);
  for (size_t i = 0; i < BLOCKS; i++) free(manager->cache[i].block);
  league_free(&manager->league);
  table_free(&manager->current);
  table_free(&manager->next[0]);
  table_free(&manager->next[1]);
  tree_free(&manager->cut.tree);
  bytes_free(&manager->cut.lanes);
  bytes_free(&manager->wire.bytes);
  display_destroy(manager->display);
  free(manager->cut.lane_id);
  free(manager->cut.lane_end);
  free(manager->arrival);
  free(manager->fetch);
  free(manager->awaited);
  free(manager->results_tick);
  free(manager->state_cut);
  free(manager->said);
  free(manager->surplus);
  free(manager->report);
  free(manager->version);
  free(manager->dropped);
  free(manager->profile);
  free(manager);
}

/* `same`: the actors have its entries. */
static Status send_table(Manager *manager, const Table *table, bool same) {
  Table head = *table;
  head.flags |= same ? TABLE_SAME : 0;
  wire_begin(&manager->wire, WIRE_TABLE);
  table_encode(&head, &manager->wire.bytes);
  return wire_send_many(manager->setup.transport, manager->setup.below, manager->setup.belows, &manager->wire);
}

/* Whether the table of `tick` is to have a cut. The last tick of the run has one always; once it is known, no earlier
 * one, so that the last never waits for another. Else if it is wanted, and the league has captured its own part of the
 * one before. In the deterministic paces these are rules of ticks, whatever the clock says. */
static bool cut_due(const Manager *manager, uint64_t tick) {
  const Cut *cut = &manager->cut;
  bool wanted = manager->want_save || manager->want_stop, ending = manager->end_tick != NEVER;
  if (manager->setup.pace == FREE) return !cut->open && (wanted || ending);
  if (ending) return tick == manager->end_tick;
  return wanted && !(cut->open && !cut->captured);
}

/* A table costs in proportion to the players, so it is computed every so many ticks in proportion to them, too: the
 * cost per tick stays the same. In between, and unless players change, actors play by the one they have. */
static bool table_due(const Manager *manager, uint64_t tick) {
  return manager->renew || !manager->current.homes ||
         tick % (manager->league.players / (size_t)manager->setup.league.table_players + 1) == 0;
}

/* Says in the log who is left out of the meta-game, when that changes; their count is in the metrics. */
static void note_unmeasured(Manager *manager) {
  const League *league = &manager->league;
  char names[160] = "";
  size_t count = 0, used = 0, frozen = 0;
  uint64_t key = 0;
  for (size_t i = 0; i < league->players; i++) {
    const Player *player = &league->player[i];
    frozen += player->frozen;
    if (!player->unmeasured) continue;
    key = key * 31 + i;
    if (count++ < 3)
      used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", player->name);
  }
  if (count && key != manager->unmeasured_key)
    log_line("meta-game of %zu past players; left out until they have met all others: %zu (%s%s)", frozen - count,
             count, names, count > 3 ? ", ..." : "");
  manager->unmeasured = count;
  manager->unmeasured_key = key;
}

/* The table of `tick` into its place; *same: its entries are those that the actors have. */
static Status make_table(Manager *manager, uint64_t tick, bool *same) {
  bool due = table_due(manager, tick);
  *same = !due && manager->actors_have;
  if (due) TRY_RETURN(league_table(&manager->league, &manager->current));
  if (due) note_unmeasured(manager);
  manager->renew = false;
  return table_copy(&manager->next[tick & 1], &manager->current);
}

static void open_cut(Manager *manager, uint64_t tick) {
  Cut *cut = &manager->cut;
  cut->open = true;
  cut->captured = false;
  cut->end = manager->end_tick != NEVER;
  cut->stop = manager->want_stop || cut->end;
  cut->tick = tick;
  cut->actors_left = manager->setup.actors;
  cut->players_left = manager->league.learning;
  memcpy(cut->ledger, manager->ledger, sizeof cut->ledger);
  manager->want_save = false;
  manager->last_checkpoint_tick = tick + 1;
  if (cut->end) snprintf(manager->reason, sizeof manager->reason, "the frames are done");
}

/* What the learners do at the cut. The end of the run freezes the mains; the end of a job is no event in the league. */
static Status order_save(Manager *manager) {
  manager->directive.flags = DIRECTIVE_SAVE | (manager->cut.stop ? DIRECTIVE_STOP : 0);
  return manager->cut.end ? league_force_snapshots(&manager->league, &manager->directive, "end") : OK;
}

static Status send_directive(Manager *manager);

/* Publishes the table of `tick`, with a cut in it if one is due. */
static Status publish_table(Manager *manager, uint64_t tick) {
  bool same, cut = cut_due(manager, tick);
  Table *place = &manager->next[tick & 1];
  TRY_RETURN(make_table(manager, tick, &same));
  place->tick = tick;
  manager->actors_have = true;
  INVARIANT(!cut || !manager->cut.open);
  if (cut) open_cut(manager, tick);
  place->flags = cut ? TABLE_SAVE | (manager->cut.stop ? TABLE_STOP : 0) : 0;
  TRY_RETURN(send_table(manager, place, same));
  if (!cut || manager->setup.pace != FREE) return OK;
  /* pace free: the learners are told at once and save when all actors have marked the cut */
  manager->directive.orders = 0;
  TRY_RETURN(order_save(manager));
  return send_directive(manager);
}

static void look_for_reasons(Manager *manager);

static Status begin(Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  if (setup->resume) {
    TRY_RETURN(restore_messages(manager));
    look_for_reasons(manager); /* as when the saved tick was merged */
  }
  for (int which = 0; which < 2; which++) {
    wire_begin(&manager->wire, which ? WIRE_LEARN : WIRE_BEGIN);
    start_encode(&(WireStart){manager->tick}, &manager->wire.bytes);
    TRY_RETURN(wire_send_many(setup->transport, which ? setup->learner_rank : setup->actor_rank,
                              which ? setup->learners : setup->actors, &manager->wire));
  }
  for (uint64_t t = manager->tick; t <= manager->tick + lag_of(manager); t++) {
    const Table *stored = &manager->next[t & 1];
    bool have = setup->resume && stored->homes && stored->tick == t && setup->pace != FREE;
    if (have)
      TRY_RETURN(send_table(manager, stored, false));
    else
      TRY_RETURN(publish_table(manager, t));
  }
  manager->begun = true;
  return OK;
}

/* --- cuts --- */
static Status capture(Manager *manager) {
  Cut *cut = &manager->cut;
  Bytes tables = {0};
  Status status = OK;
  uint64_t counters[6] = {manager->tick,  manager->frames,   manager->frozen_decisions,
                          manager->steps, manager->episodes, manager->tick};
  uint64_t end[2] = {manager->end_tick, cut->end};
  cut->captured = true;
  cut->ledger[LEDGER_OTHER_GAMES] = manager->ledger[LEDGER_OTHER_GAMES];
  TRY(league_save(&manager->league, &cut->tree));
  TRY(tree_put(&cut->tree, "run/counters", STORE_U64, 6, 1, counters));
  TRY(tree_put(&cut->tree, "run/end", STORE_U64, 2, 1, end));
  TRY(tree_put_f64(&cut->tree, "run/seconds", manager->seconds_before + seconds_since(manager, manager->started)));
  manager->current.flags = 0;
  bytes_u32(&tables, manager->renew);
  table_encode(&manager->current, &tables);
  bytes_u32(&tables, (uint32_t)lag_of(manager));
  if (lag_of(manager)) {
    Table plain = manager->next[manager->tick & 1]; /* already played by when the job resumes; never with a cut in it */
    plain.flags = 0;
    table_encode(&plain, &tables);
  }
  TRY(tree_put(&cut->tree, "run/next_tables", STORE_U8, tables.size, 1, tables.data));
  for (size_t i = 0; i < manager->setup.header->items; i++) {
    const Item *item = &manager->setup.header->item[i];
    if (item->type == STORE_TEXT)
      TRY(tree_put_texts(&cut->tree, item->path, item->count, item->size, item->data));
    else
      TRY(tree_put(&cut->tree, item->path, item->type, item->count, item->width, item->data));
  }
done:
  bytes_free(&tables);
  return status;
}

typedef struct LaneKey {
  uint32_t id;
  uint64_t from, to;
} LaneKey;

static int by_lane(const void *a, const void *b) {
  const LaneKey *x = a, *y = b;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* Lanes in the order of their ids, whoever sent them first. */
static Status put_lanes(Cut *cut) {
  Status status = OK;
  LaneKey *key = NULL;
  Bytes sorted = {0};
  TRY(NEW_ARRAY(key, cut->lane_count));
  for (size_t i = 0; i < cut->lane_count; i++)
    key[i] = (LaneKey){cut->lane_id[i], i ? cut->lane_end[i - 1] : 0, cut->lane_end[i]};
  qsort(key, cut->lane_count, sizeof *key, by_lane);
  for (size_t i = 0; i < cut->lane_count; i++) {
    bytes_put(&sorted, cut->lanes.data + key[i].from, key[i].to - key[i].from);
    cut->lane_id[i] = key[i].id;
    cut->lane_end[i] = sorted.size;
  }
  TRY(tree_put(&cut->tree, "lanes/id", STORE_U32, cut->lane_count, 1, cut->lane_id));
  TRY(tree_put(&cut->tree, "lanes/end", STORE_U64, cut->lane_count, 1, cut->lane_end));
  TRY(tree_put(&cut->tree, "lanes/state", STORE_U8, sorted.size, 1, sorted.data));
done:
  free(key);
  bytes_free(&sorted);
  return status;
}

/* Whether the snapshots that a checkpoint names have been written. */
static bool hashes_are_known(const Tree *tree) {
  const Item *hash = tree_find(tree, "league/hash"), *frozen = tree_find(tree, "league/frozen");
  for (size_t i = 0; hash && frozen && i < hash->count; i++)
    if (((const uint32_t *)frozen->data)[i] && !((const char *)hash->data)[i * hash->size]) return false;
  return hash && frozen;
}

/* A checkpoint that does not add up is never written. What actors say has been held to their results when it came; what
 * learners say is held to it here. The rest is counted by the league alone. */
static Status check_sums(const Manager *manager) {
  const ManagerSetup *setup = &manager->setup;
  const Tree *tree = &manager->cut.tree;
  for (size_t p = 0; p < manager->league.learning; p++) {
    Status status = ledger_check_player(tree, p);
    if (status != OK)
      return status_context(status, "the state of player %zu from rank %d", p, setup->learner_rank[p % setup->groups]);
  }
  Status status = ledger_check(tree);
  INVARIANT(status == OK);
  return status;
}

static Status finish_cut(Manager *manager) {
  Cut *cut = &manager->cut;
  char line[16];
  int64_t start = clock_now(&manager->setup.clock);
  INVARIANT(cut->captured && manager->awaits == 0 && hashes_are_known(&cut->tree));
  INVARIANT(manager->setup.pace == FREE || cut->tick + 1 <= manager->tick);
  TRY_RETURN(tree_put(&cut->tree, LEDGER_PATH, STORE_U64, LEDGER_COUNT, 1, cut->ledger));
  TRY_RETURN(put_lanes(cut));
  Status sums = check_sums(manager);
  if (sums != OK)
    return status_context(sums, "the checkpoint of tick %llu is not written", (unsigned long long)cut->tick);
  TRY_RETURN(run_next_generation(manager->setup.run, &manager->generation));
  TRY_RETURN(
      run_write_checkpoint(manager->setup.run, manager->generation, &cut->tree, (size_t)manager->setup.config.keep));
  double took = clock_seconds(clock_now(&manager->setup.clock) - start);
  manager->checkpoint_seconds += took;
  log_line("checkpoint %06llu: tick %llu, %s frames, %zu players, written in %.3f s",
           (unsigned long long)manager->generation, (unsigned long long)cut->tick,
           text_scaled((double)manager->frames, line, sizeof line), manager->league.players, took);
  tree_free(&cut->tree);
  cut->lanes.size = 0;
  cut->lane_count = 0;
  cut->open = false;
  manager->last_checkpoint = clock_now(&manager->setup.clock);
  if (manager->setup.pace != FREE || cut->stop) return OK;
  wire_begin(&manager->wire, WIRE_RESUME);
  return wire_send_many(manager->setup.transport, manager->setup.actor_rank, manager->setup.actors, &manager->wire);
}

/* The actor that a message names, which must be the one that sent it. */
static Status check_actor(const Manager *manager, const Message *message, uint32_t actor) {
  if (actor < manager->setup.actors && manager->setup.actor_rank[actor] == message->peer) return OK;
  return status_set(ERR_FORMAT, "it names actor %u, who is on another rank", actor);
}

/* What an actor counted of its own is what its results have said. */
static Status take_ledger(Manager *manager, const WireActorState *counts) {
  const uint64_t own[LEDGER_OTHER_GAMES] = {
      [LEDGER_ACTED] = counts->acted,
      [LEDGER_EPISODES] = counts->episodes,
      [LEDGER_STEPS] = counts->steps,
  };
  static const char *const what[LEDGER_OTHER_GAMES] = {"decisions acted", "episodes ended", "env steps made"};
  for (size_t i = 0; i < LEDGER_OTHER_GAMES; i++) {
    uint64_t said = manager->said[counts->actor * LEDGER_OTHER_GAMES + i];
    if (own[i] != said)
      return status_set(ERR_FORMAT, "actor %u counts %llu %s, but its results %llu", counts->actor,
                        (unsigned long long)own[i], what[i], (unsigned long long)said);
    manager->cut.ledger[i] += own[i];
  }
  return OK;
}

static Status take_actor_state(Manager *manager, const Message *message, Reader *body) {
  Cut *cut = &manager->cut;
  WireActorState sent;
  TRY_RETURN(actor_state_decode(&sent, body));
  const uint32_t actor = sent.actor, lane = sent.lane;
  TRY_RETURN(check_actor(manager, message, actor));
  if (!cut->open || manager->state_cut[actor] == cut->tick + 1)
    return status_set(ERR_FORMAT, "no checkpoint waits for the state of actor %u", actor);
  if (lane == (uint32_t)WIRE_NO_LANE) {
    INVARIANT(cut->actors_left > 0);
    manager->state_cut[actor] = cut->tick + 1;
    cut->actors_left--;
    return take_ledger(manager, &sent);
  }
  for (size_t i = 0; i < cut->lane_count; i++)
    if (cut->lane_id[i] == lane) return status_set(ERR_FORMAT, "lane %u came twice", lane);
  if (sent.size == 0 || actor_of_lane(&manager->setup, lane) != actor)
    return status_set(ERR_FORMAT, "lane %u is empty or not of actor %u", lane, actor);
  TRY_RETURN(GROW(cut->lane_id, cut->lane_room, cut->lane_count + 1));
  TRY_RETURN(GROW(cut->lane_end, cut->lane_end_room, cut->lane_count + 1));
  bytes_put(&cut->lanes, sent.state, sent.size);
  if (cut->lanes.failed) return status_set(ERR_MEMORY, "out of memory collecting a checkpoint");
  cut->lane_id[cut->lane_count] = lane;
  cut->lane_end[cut->lane_count++] = cut->lanes.size;
  return OK;
}

static Status take_learner_state(Manager *manager, const Message *message, Reader *body) {
  Cut *cut = &manager->cut;
  Tree part = {0};
  Status status = OK;
  char path[STORE_PATH];
  const ManagerSetup *setup = &manager->setup;
  WirePlayerState sent;
  TRY_RETURN(player_state_decode(&sent, body));
  Reader columns = reader_over(sent.tree, sent.size);
  const uint32_t player = sent.player;
  if (!cut->open || player >= manager->league.learning)
    return status_set(ERR_FORMAT, "no checkpoint waits for the state of player %u", player);
  if (message->peer != setup->learner_rank[player % setup->groups])
    return status_set(ERR_FORMAT, "player %u is learned on another rank", player);
  TRY(tree_decode(&part, &columns));
  TRY(reader_finish(&columns, "the body"));
  if (setup->check_state) TRY(setup->check_state(setup->context, &part));
  TRY(text_format(path, sizeof path, "players/%s/policy", manager->league.player[player].name));
  if (tree_find(&cut->tree, path)) TRY(status_set(ERR_FORMAT, "the state of player %u came twice", player));
  for (size_t i = 0; i < part.items; i++) {
    const Item *item = &part.item[i];
    if (item->type == STORE_TEXT) TRY(tree_fault(&part, item->path, -1, "has the wrong type"));
    if (!text_is_name(item->path, sizeof item->path)) TRY(tree_fault(&part, item->path, -1, "is no name of a column"));
    TRY(text_format(path, sizeof path, "players/%s/%s", manager->league.player[player].name, item->path));
    TRY(tree_put(&cut->tree, path, item->type, item->count, item->width, item->data));
  }
  INVARIANT(cut->players_left > 0);
  cut->players_left--;
done:
  tree_free(&part);
  return status == OK ? OK : status_context(status, "player %u", player);
}

/* --- ticks --- */
static void count_results(Manager *manager, const Results *results) {
  manager->steps += results->steps;
  manager->episodes += results->episodes;
  manager->frozen_decisions += results->decisions_frozen;
  for (size_t i = 0; i < results->frames; i++) manager->frames += results->frame[i].frames;
  for (size_t i = 0; i < results->pairs; i++)
    if (results->pair[i].home == results->pair[i].away || is_builtin(results->pair[i].away))
      manager->ledger[LEDGER_OTHER_GAMES] += results->pair[i].games;
  display_count(manager->display, results);
}

static int by_arrival(const void *a, const void *b) {
  const Results *x = a, *y = b;
  if (x->tick != y->tick) return x->tick < y->tick ? -1 : 1;
  return x->actor < y->actor ? -1 : x->actor > y->actor;
}

/* Whether the players' frames are the run's. */
static bool frames_agree(const Manager *manager) {
  uint64_t sum = 0;
  for (size_t p = 0; p < manager->league.learning; p++) sum += manager->league.player[p].frames;
  return sum == manager->frames;
}

/* Merges the arrivals of the present tick (pace free: all), in order. */
static Status merge(Manager *manager) {
  size_t kept = 0;
  qsort(manager->arrival, manager->arrivals, sizeof *manager->arrival, by_arrival);
  for (size_t i = 0; i < manager->arrivals; i++) {
    Results arrival = manager->arrival[i];
    if (manager->setup.pace != FREE && arrival.tick != manager->tick) {
      manager->arrival[i] = manager->arrival[kept]; /* what is merged keeps its memory, for later arrivals */
      manager->arrival[kept++] = arrival;
      continue;
    }
    TRY_RETURN(league_merge(&manager->league, &arrival));
    count_results(manager, &arrival);
  }
  manager->arrivals = kept;
  league_settle(&manager->league);
  INVARIANT(frames_agree(manager));
  return OK;
}

static Status send_directive(Manager *manager) {
  Directive *directive = &manager->directive;
  for (size_t i = 0; i < directive->orders; i++) {
    Order *order = &directive->order[i];
    if (order->reset == RESET_COPY) TRY_RETURN(load_block(manager, order->source_frozen, &order->block));
    if (!order->snapshot_id) continue;
    TRY_RETURN(GROW(manager->awaited, manager->await_room, manager->awaits + 1));
    manager->awaited[manager->awaits++] = order->snapshot_id;
    const Player *player = &manager->league.player[order->snapshot_id];
    log_line("snapshot %s (%s)%s", player->name, player->reason,
             order->reset == RESET_NONE   ? ""
             : order->reset == RESET_COPY ? ", its model restarts from a past main"
                                          : ", its model restarts from initial weights");
  }
  directive->number = manager->directives++;
  wire_begin(&manager->wire, WIRE_DIRECTIVE);
  directive_encode(directive, manager->setup.block, &manager->wire.bytes);
  return wire_send_many(manager->setup.transport, manager->setup.learner_rank, manager->setup.learners, &manager->wire);
}

static void look_for_reasons(Manager *manager) {
  const ManagerConfig *config = &manager->setup.config;
  /* two lags on, as the table of a tick a lag on may have a cut in it, which must be captured before the last */
  if (manager->frames >= (uint64_t)config->frames && manager->end_tick == NEVER)
    manager->end_tick = manager->tick + 2 * lag_of(manager);
  uint64_t due = manager->last_checkpoint_tick + (uint64_t)config->checkpoint_ticks;
  if (config->checkpoint_ticks && manager->tick >= due) manager->want_save = true;
  if (config->max_seconds > 0 && seconds_since(manager, manager->started) >= config->max_seconds)
    manager_request_stop(manager, "the time is up");
  if (config->checkpoint_seconds > 0 && !manager->cut.open &&
      seconds_since(manager, manager->last_checkpoint) >= config->checkpoint_seconds)
    manager->want_save = true;
}

/* Pipelined, the tick before the job's last is merged: the table after the last one is due now, though only the next
 * job will play it. */
static Status make_unplayed_table(Manager *manager, uint64_t merged) {
  uint64_t tick = merged + 1 + lag_of(manager);
  bool same;
  if (manager->setup.pace != PIPELINED || tick != manager->cut.tick + 1) return OK;
  TRY_RETURN(make_table(manager, tick, &same));
  manager->next[tick & 1].tick = tick;
  return OK;
}

static Status complete_tick(Manager *manager) {
  bool free_pace = manager->setup.pace == FREE;
  TRY_RETURN(merge(manager));
  uint64_t tick = manager->tick;
  bool cut_now = manager->cut.open && !manager->cut.captured && manager->cut.tick == tick && !free_pace;
  manager->directive.tick = tick;
  manager->directive.flags = 0;
  manager->directive.orders = 0;
  bool stop = manager->cut.open && manager->cut.stop;
  if (!(free_pace && stop)) TRY_RETURN(league_decide(&manager->league, &manager->directive));
  manager->renew |= manager->directive.orders > 0;
  if (cut_now) TRY_RETURN(order_save(manager));
  if (!free_pace || manager->directive.orders) TRY_RETURN(send_directive(manager));
  manager->tick++;
  look_for_reasons(manager);
  if (cut_now) TRY_RETURN(capture(manager));
  if (stop) return make_unplayed_table(manager, tick);
  manager->publish_tick = tick + 1 + lag_of(manager);
  manager->unpublished = true;
  return OK;
}

/* The table that a merged tick leads to. In the deterministic paces it waits while it is to have a cut and the one
 * before is still being collected: which tick is cut must not depend on how long saving takes. */
static Status publish_next(Manager *manager) {
  if (manager->setup.pace != FREE && manager->cut.open && cut_due(manager, manager->publish_tick)) return OK;
  manager->unpublished = false;
  return publish_table(manager, manager->publish_tick);
}

static bool tick_complete(const Manager *manager) {
  size_t count = 0;
  for (size_t i = 0; i < manager->arrivals; i++)
    count += manager->setup.pace == FREE || manager->arrival[i].tick == manager->tick;
  return count >= manager->setup.actors;
}

/* --- messages --- */
static Status at_most(const char *what, uint64_t value, const char *than, uint64_t most) {
  if (value <= most) return OK;
  return status_set(ERR_FORMAT, "%llu %s, but %s %llu", (unsigned long long)value, what, than,
                    (unsigned long long)most);
}

/* Counts that add up, and are no more than the actor's lanes can have played. */
static Status check_counts(const Manager *manager, const Results *results) {
  const ManagerSetup *setup = &manager->setup;
  size_t a = results->actor;
  uint64_t lanes = setup->lanes * (a + 1) / setup->actors - setup->lanes * a / setup->actors + manager->surplus[a];
  uint64_t games = 0, frames = 0;
  for (size_t i = 0; i < results->pairs; i++) {
    games += results->pair[i].games;
    TRY_RETURN(at_most("games", results->pair[i].games, "their length in env steps is", results->pair[i].length));
  }
  for (size_t i = 0; i < results->frames; i++) frames += results->frame[i].frames;
  if (games != results->episodes)
    return status_set(ERR_FORMAT, "%llu episodes ended, but %llu games", (unsigned long long)results->episodes,
                      (unsigned long long)games);
  TRY_RETURN(at_most("episodes ended", results->episodes, "the env steps are", results->steps));
  TRY_RETURN(at_most("env steps", results->steps, "a tick has", lanes * setup->lane_steps));
  TRY_RETURN(at_most("decisions to learn from", frames, "a tick has", lanes * setup->lane_rows));
  return at_most("decisions of frozen players", results->decisions_frozen, "a tick has", lanes * setup->lane_rows);
}

static Status check_results(const Manager *manager, const Message *message, const Results *results) {
  TRY_RETURN(check_actor(manager, message, results->actor));
  if (results->tick != manager->results_tick[results->actor])
    return status_set(ERR_FORMAT, "they are of tick %llu where those of tick %llu are due",
                      (unsigned long long)results->tick, (unsigned long long)manager->results_tick[results->actor]);
  const Cut *cut = &manager->cut;
  bool state_due = manager->setup.pace != FREE && cut->open && results->tick > cut->tick;
  if (state_due && manager->state_cut[results->actor] != cut->tick + 1)
    return status_set(ERR_FORMAT, "actor %u went on without the state of a checkpoint", results->actor);
  for (size_t i = 0; i < results->pairs; i++) {
    const PairCount *pair = &results->pair[i];
    bool met = pair->eval ? is_opponent(pair->away, manager->league.players) : pair->away < manager->league.players;
    if (pair->home >= manager->league.players || !met)
      return status_set(ERR_FORMAT, "games of players %u and %u, of %zu", pair->home, pair->away,
                        manager->league.players);
  }
  for (size_t i = 0; i < results->frames; i++)
    if (results->frame[i].player >= manager->league.learning)
      return status_set(ERR_FORMAT, "frames of player %u, who is not learning", results->frame[i].player);
  return check_counts(manager, results);
}

static Status take_results(Manager *manager, const Message *message, Reader *body) {
  TRY_RETURN(GROW(manager->arrival, manager->arrival_room, manager->arrivals + 1));
  Results *results = &manager->arrival[manager->arrivals++];
  TRY_RETURN(results_decode(results, body));
  TRY_RETURN(check_results(manager, message, results));
  manager->results_tick[results->actor]++;
  uint64_t *said = &manager->said[results->actor * LEDGER_OTHER_GAMES];
  for (size_t i = 0; i < results->frames; i++) said[LEDGER_ACTED] += results->frame[i].frames;
  said[LEDGER_EPISODES] += results->episodes;
  said[LEDGER_STEPS] += results->steps;
  return OK;
}

static Status take_snapshot(Manager *manager, Reader *body) {
  WireFrozen snapshot;
  TRY_RETURN(frozen_decode(&snapshot, manager->setup.block, body));
  const uint32_t id = snapshot.player;
  if (!is_awaited(manager, id)) return status_set(ERR_FORMAT, "a snapshot, %u, that was not ordered", id);
  TRY_RETURN(write_player(manager, id, snapshot.value));
  for (size_t i = 0; i < manager->awaits; i++)
    if (manager->awaited[i] == id) manager->awaited[i--] = manager->awaited[--manager->awaits];
  /* a cut that was captured before the block arrived knows the player, but not yet its hash */
  const Item *hashes = manager->cut.captured ? tree_find(&manager->cut.tree, "league/hash") : NULL;
  if (hashes && id < hashes->count)
    memcpy((char *)hashes->data + (size_t)id * PLAYER_NAME, manager->league.player[id].hash, HASH_TEXT);
  return answer_fetches(manager);
}

static Status take_report(Manager *manager, const Message *message, Reader *body) {
  const ManagerSetup *setup = &manager->setup;
  WireReport report;
  TRY_RETURN(report_decode(&report, body));
  const uint32_t player = report.player;
  if (player >= manager->league.learning || message->peer != setup->learner_rank[player % setup->groups])
    return status_set(ERR_FORMAT, "player %u is not learned there", player);
  if (report.version < manager->version[player] || report.dropped < manager->dropped[player])
    return status_set(ERR_FORMAT, "the counters of player %u have gone back", player);
  manager->version[player] = report.version;
  manager->dropped[player] = report.dropped;
  if (report.numbers.count) manager->report[player] = report.numbers;
  return OK;
}

static Status check_bye(const Manager *manager, const Message *message, const RoleProfile *profile) {
  const ManagerSetup *setup = &manager->setup;
  bool actor = !strcmp(profile->role, "actor"); /* else a learner */
  if (profile->index >= (actor ? setup->actors : setup->learners) ||
      message->peer != (actor ? setup->actor_rank : setup->learner_rank)[profile->index])
    return status_set(ERR_FORMAT, "%s %u is on another rank", profile->role, profile->index);
  for (size_t i = 0; i < manager->profiles; i++)
    if (!strcmp(manager->profile[i].role, profile->role) && manager->profile[i].index == profile->index)
      return status_set(ERR_FORMAT, "%s %u has gone before", profile->role, profile->index);
  if (manager->cut.stop) return OK;
  return status_set(ERR_FORMAT, "%s %u goes, though the job does not end", profile->role, profile->index);
}

static Status take_bye(Manager *manager, const Message *message, Reader *body) {
  RoleProfile profile;
  TRY_RETURN(profile_decode(&profile, body));
  TRY_RETURN(check_bye(manager, message, &profile));
  TRY_RETURN(GROW(manager->profile, manager->profile_room, manager->profiles + 1));
  manager->profile[manager->profiles++] = profile;
  return OK;
}

static Status take_fetch(Manager *manager, const Message *message, Reader *body) {
  WireFetch asked;
  TRY_RETURN(fetch_decode(&asked, body));
  const Fetch fetch = {message->peer, asked.player};
  if (fetch.player >= manager->league.players || !manager->league.player[fetch.player].frozen)
    return status_set(ERR_FORMAT, "there is no frozen player %u", fetch.player);
  TRY_RETURN(GROW(manager->fetch, manager->fetch_room, manager->fetches + 1));
  manager->fetch[manager->fetches++] = fetch;
  return answer_fetches(manager);
}

Status manager_receive(Manager *manager, WireKind kind, const Message *message, Reader *body) {
  INVARIANT_AT(manager->setup.transport->rank, manager->tick);
  switch (kind) {
  case WIRE_RESULTS: return take_results(manager, message, body);
  case WIRE_FETCH: return take_fetch(manager, message, body);
  case WIRE_SNAPSHOT: return take_snapshot(manager, body);
  case WIRE_REPORT: return take_report(manager, message, body);
  case WIRE_ACTOR_STATE: return take_actor_state(manager, message, body);
  case WIRE_LEARNER_STATE: return take_learner_state(manager, message, body);
  case WIRE_BYE: return take_bye(manager, message, body);
  default: return status_set(ERR_INTERNAL, "the league was sent a %s message", wire_name(kind));
  }
}

/* --- looking around --- */
static Status look_around(Manager *manager) {
  char path[PATH_MAX];
  if (seconds_since(manager, manager->last_look) < 0.5) return OK;
  manager->last_look = clock_now(&manager->setup.clock);
  TRY_RETURN(run_path(manager->setup.run, path, sizeof path, "stop"));
  if (file_exists(path)) manager_request_stop(manager, "a stop file was found");
  Progress now = progress_of(manager);
  TRY_RETURN(display_status(manager->display, &now, "running"));
  if (display_line_due(manager->display)) display_line(manager->display, &now);
  return display_metrics_due(manager->display) ? display_metrics(manager->display, &now) : OK;
}

void manager_request_stop(Manager *manager, const char *reason) {
  if (!manager->want_stop) snprintf(manager->reason, sizeof manager->reason, "%s", reason);
  manager->want_stop = true;
}

bool manager_done(const Manager *manager) { return manager->done; }

League *manager_league(Manager *manager) { return &manager->league; }

ManagerSummary manager_summary(const Manager *manager) {
  return (ManagerSummary){.ticks = manager->tick,
                          .frames = manager->frames,
                          .frames_this_job = manager->frames - manager->frames_before,
                          .frozen_decisions = manager->frozen_decisions,
                          .steps = manager->steps,
                          .episodes = manager->episodes,
                          .seconds = seconds_since(manager, manager->started),
                          .seconds_before = manager->seconds_before,
                          .reason = manager->reason,
                          .profile = manager->profile,
                          .profiles = manager->profiles,
                          .league = &manager->league,
                          .rating = display_ratings(manager->display),
                          .generation = manager->generation,
                          .checkpoint_seconds = manager->checkpoint_seconds};
}

Status manager_step(Manager *manager, bool *progress) {
  INVARIANT_AT(manager->setup.transport->rank, manager->tick);
  *progress = false;
  if (manager->done) return OK;
  if (!manager->begun) {
    *progress = true;
    return begin(manager);
  }
  TRY_RETURN(look_around(manager));
  if (manager->unpublished) TRY_RETURN(publish_next(manager));
  if (!manager->unpublished && tick_complete(manager) &&
      !(manager->cut.open && manager->cut.stop && manager->cut.captured)) {
    *progress = true;
    TRY_RETURN(complete_tick(manager));
    if (manager->unpublished) TRY_RETURN(publish_next(manager));
  }
  Cut *cut = &manager->cut;
  bool pieces = cut->open && cut->actors_left == 0 && cut->players_left == 0 && manager->awaits == 0;
  if (pieces && !cut->captured && manager->setup.pace == FREE) {
    TRY_RETURN(merge(manager));
    TRY_RETURN(capture(manager));
  }
  if (pieces && cut->captured) {
    *progress = true;
    TRY_RETURN(finish_cut(manager));
  }
  if (cut->open || !cut->stop || manager->profiles < manager->setup.actors + manager->setup.learners) return OK;
  char path[PATH_MAX];
  TRY_RETURN(run_path(manager->setup.run, path, sizeof path, "stop"));
  if (file_exists(path)) file_ops()->remove(path);
  if (cut->end && manager->setup.end) TRY_RETURN(manager->setup.end(manager->setup.context));
  Progress now = progress_of(manager);
  TRY_RETURN(display_finish(manager->display, &now, cut->end ? "finished" : "stopped"));
  manager->done = true;
  return OK;
}

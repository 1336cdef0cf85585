#include "league/checkpoint.h"

#include "base/invariant.h"
#include "base/log.h"
#include "base/text.h"
#include "store/counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A lane's bytes, or a part of them. */
typedef struct LanePiece {
  uint32_t lane;
  uint32_t part;
  uint8_t *data;   /* owned, or ... */
  SpoolPart place; /* ... where it lies in the spool */
} LanePiece;

/* What has come of lanes, in the order of its arrival. */
typedef struct Pieces {
  LanePiece *piece;
  size_t count;
  size_t room;
  size_t bytes; /* of all */
} Pieces;

/* What learners keep of a player's experience. It can be as long as their memory is: each piece is
 * put on the disk as it comes. */
typedef struct Kept {
  Pieces lanes; /* seats of slots, in the spool */
  Bytes last;   /* what is counted of it: the same from every member */
  bool *has;    /* (keepers) whose last piece is here */
} Kept;

struct Checkpoint {
  CheckpointSetup setup;
  uint64_t generation;
  double seconds;                /* spent writing */
  int64_t written;               /* when the last was; at first: when the job began */
  uint64_t ledger[LEDGER_COUNT]; /* at this job's begin; games without a place in the payoff: now */

  Patience patience; /* with the disk */

  /* of the open cut */
  Cut cut;
  bool put_together;                 /* the tree is all that the file will hold */
  Tree tree;                         /* what is here of the file */
  uint64_t cut_ledger[LEDGER_COUNT]; /* as `ledger`, and what the actors have counted since */
  bool *has_actor;                   /* (actors) whose whole state is here */
  size_t actors_left;
  size_t players_left;
  Pieces lanes;
  Spool *spool;     /* where experience is kept; NULL until some has come */
  Kept *kept;       /* (players that learn), likewise */
  size_t kept_room; /* players */
  size_t keepers;   /* learners that share a player */
  size_t kept_left; /* last pieces that are to come */
  uint64_t frames;  /* when it was captured, and ... */
  size_t players;   /* ... players, for the log */
};

/* --- reading --- */
/* What a checkpoint knows of the end of its run. */
typedef struct RunEnd {
  uint64_t tick; /* its last one, or NEVER */
  bool reached;
} RunEnd;

/* In which tick the run is to end (NEVER: unknown as yet), and whether it has. */
static Status read_end(const Tree *tree, RunEnd *out) {
  const Item *item;
  TRY_RETURN(tree_get(tree, "run/end", STORE_U64, 2, &item));
  const uint64_t *value = item->data;
  *out = (RunEnd){value[0], value[1] != 0};
  return OK;
}

/* Whether a run that is resumed for `frames` frames has nothing left to do. */
Status checkpoint_finished(const Tree *checkpoint, int64_t frames, bool *out) {
  const Item *counters;
  RunEnd end;
  TRY_RETURN(tree_get(checkpoint, RUN_COUNTERS_PATH, STORE_U64, RUN_COUNTERS, &counters));
  TRY_RETURN(read_end(checkpoint, &end));
  *out = ((const uint64_t *)counters->data)[RUN_FRAMES] >= (uint64_t)frames && end.reached;
  return OK;
}

/* Counts that a run can have reached: so many that adding to them never wraps. */
static Status check_counters(const Tree *tree, const Item *counters) {
  const uint64_t *value = counters->data;
  for (size_t i = 0; i < counters->count; i++)
    if (value[i] >> 53)
      return tree_fault(tree, counters->path, (int64_t)i, "is an impossible count");
  if (value[RUN_CHECKPOINT_TICK] > value[RUN_TICK] + 3)
    return tree_fault(tree, counters->path, RUN_CHECKPOINT_TICK, "is a checkpoint of the future");
  return OK;
}

/* ERR_FORMAT for counters that no run can reach. */
Status checkpoint_position(const Tree *checkpoint, RunPosition *out) {
  const Item *counters;
  RunEnd end;
  double seconds;
  TRY_RETURN(tree_get(checkpoint, RUN_COUNTERS_PATH, STORE_U64, RUN_COUNTERS, &counters));
  TRY_RETURN(check_counters(checkpoint, counters));
  TRY_RETURN(read_end(checkpoint, &end));
  TRY_RETURN(tree_get_f64(checkpoint, "run/seconds", &seconds));
  const uint64_t *value = counters->data;
  if (end.tick != NEVER && end.tick > value[RUN_TICK] + 2)
    return tree_fault(checkpoint, "run/end", 0, "is no tick in which the run can end");
  if (!(seconds >= 0 && seconds < 1e12))
    return tree_fault(checkpoint, "run/seconds", -1, "is no number of seconds");
  *out = (RunPosition){
      .tick = value[RUN_TICK],
      .frames = value[RUN_FRAMES],
      .frozen_decisions = value[RUN_FROZEN_DECISIONS],
      .steps = value[RUN_STEPS],
      .episodes = value[RUN_EPISODES],
      .checkpoint_tick = value[RUN_CHECKPOINT_TICK],
      .end_tick = end.tick,
      .seconds = seconds,
  };
  return OK;
}

/* Lanes stand in the order of their ids; FOLDER/end says where each one's bytes end. */
Status checkpoint_each_lane(const Tree *tree, const char *folder, TakeLane *take, void *context) {
  char path[3][STORE_PATH];
  const char *const part[3] = {"id", "end", "state"};
  const Item *id;
  const Item *end;
  const Item *blob;
  for (size_t i = 0; i < 3; i++)
    TRY_RETURN(text_format(path[i], sizeof path[i], "%s/%s", folder, part[i]));
  TRY_RETURN(tree_get(tree, path[0], STORE_U32, -1, &id));
  TRY_RETURN(tree_get(tree, path[1], STORE_U64, (int64_t)id->count, &end));
  TRY_RETURN(tree_get(tree, path[2], STORE_U8, -1, &blob));
  const uint32_t *lane = id->data;
  const uint8_t *bytes = blob->data;
  uint64_t from = 0;
  for (size_t i = 0; i < id->count; i++) {
    uint64_t to = ((const uint64_t *)end->data)[i];
    bool last = i + 1 == id->count;
    if (i && lane[i] <= lane[i - 1])
      return tree_fault(tree, id->path, (int64_t)i, "is not above the row before it");
    if (to < from || to > blob->count || (last && to != blob->count))
      return tree_fault(tree, end->path, (int64_t)i, "does not fit the %zu bytes of %s",
                        blob->count, blob->path);
    TRY_RETURN(take(context, lane[i], bytes + from, to - from));
    from = to;
  }
  return OK;
}

static Status restore_lane(void *context, uint32_t lane, const uint8_t *bytes, size_t size) {
  return members_restore_lane(context, &(WireLane){.lane = lane, .state = bytes, .size = size});
}

/* Who gets kept experience, and whose it is. */
typedef struct Restoring {
  Members *members;
  uint32_t player;
} Restoring;

/* In parts that fit messages. */
static Status restore_seat(void *context, uint32_t lane, const uint8_t *bytes, size_t size) {
  const Restoring *to = context;
  WireReplay piece = {.player = to->player, .lane = lane};
  piece.parts = (uint32_t)((size + REPLAY_PART - 1) / REPLAY_PART);
  for (size_t at = 0; piece.part < piece.parts; piece.part++, at += piece.size) {
    piece.state = bytes + at;
    piece.size = size - at < REPLAY_PART ? size - at : REPLAY_PART;
    TRY_RETURN(members_restore_replay(to->members, &piece));
  }
  return OK;
}

/* Experience that was not kept, or that nobody keeps any more, is not missed. */
static Status restore_replay(Tree *tree, const League *league, uint32_t player, Members *members) {
  Restoring to = {members, player};
  const char *name = league->player[player].name;
  char folder[STORE_PATH];
  char path[STORE_PATH];
  const Item *last;
  TRY_RETURN(text_format(folder, sizeof folder, "replay/%s", name));
  TRY_RETURN(text_format(path, sizeof path, "replay/%s/last", name));
  if (members_keepers(members) == 0 || !tree_find(tree, path)) return OK;
  TRY_RETURN(tree_get(tree, path, STORE_U8, -1, &last));
  TRY_RETURN(checkpoint_each_lane(tree, folder, restore_seat, &to));
  TRY_RETURN(restore_seat(&to, (uint32_t)WIRE_NO_LANE, last->data, last->count));
  TRY_RETURN(text_format(path, sizeof path, "%s/state", folder));
  tree_drop(tree, path);
  return OK;
}

/* The columns of a player are those under its name. */
static Status restore_player(const Tree *tree, const League *league, uint32_t player,
                             Members *members) {
  char prefix[64];
  Tree part;
  snprintf(prefix, sizeof prefix, "players/%s/", league->player[player].name);
  TRY_RETURN(tree_view(tree, prefix, &part));
  Status status = members_restore_player(members, player, &part);
  tree_view_free(&part);
  return status;
}

/* Sends every member its part of a checkpoint: actors their lanes, learners their players. */
Status checkpoint_restore(Tree *checkpoint, const League *league, Members *members) {
  TRY_RETURN(checkpoint_each_lane(checkpoint, "lanes", restore_lane, members));
  for (uint32_t p = 0; p < league->learning; p++) {
    TRY_RETURN(restore_player(checkpoint, league, p, members));
    TRY_RETURN(restore_replay(checkpoint, league, p, members));
  }
  return OK;
}

/* --- the open cut --- */
/* A checkpoint of an older program has no ledger: then what the league counted is believed. */
static void restore_ledger(Checkpoint *checkpoint, const Tree *resume, const League *league,
                           const RunPosition *position) {
  const Item *item;
  uint64_t games = (uint64_t)(payoff_first_seat(&league->payoff).games + 0.5);
  uint64_t *ledger = checkpoint->ledger;
  ledger[LEDGER_ACTED] = position->frames;
  ledger[LEDGER_EPISODES] = position->episodes;
  ledger[LEDGER_STEPS] = position->steps;
  ledger[LEDGER_OTHER_GAMES] = position->episodes > games ? position->episodes - games : 0;
  if (tree_get(resume, LEDGER_PATH, STORE_U64, LEDGER_COUNT, &item) == OK)
    memcpy(ledger, item->data, sizeof checkpoint->ledger);
}

Status checkpoint_create(const CheckpointSetup *setup, const Tree *resume, const League *league,
                         const RunPosition *position, Checkpoint **out) {
  Status status = OK;
  Checkpoint *checkpoint = NULL;
  TRY(NEW_ARRAY(checkpoint, 1));
  checkpoint->setup = *setup;
  checkpoint->generation = setup->generation;
  checkpoint->keepers = setup->keepers;
  checkpoint->written = clock_now(&setup->clock);
  checkpoint->patience = patience_of(setup->clock, setup->patience);
  TRY(NEW_ARRAY(checkpoint->has_actor, setup->actors));
  if (resume) {
    restore_ledger(checkpoint, resume, league, position);
    TRY(ledger_check(resume)); /* what does not add up when it is read never will */
  }
  *out = checkpoint;
  checkpoint = NULL;
done:
  checkpoint_destroy(checkpoint);
  return status;
}

static void drop_pieces(Pieces *pieces) {
  for (size_t i = 0; i < pieces->count; i++)
    free(pieces->piece[i].data);
  pieces->count = 0;
  pieces->bytes = 0;
}

static void free_pieces(Pieces *pieces) {
  drop_pieces(pieces);
  free(pieces->piece);
}

void checkpoint_destroy(Checkpoint *checkpoint) {
  if (!checkpoint) return;
  tree_free(&checkpoint->tree);
  free_pieces(&checkpoint->lanes);
  for (size_t p = 0; p < checkpoint->kept_room; p++) {
    free_pieces(&checkpoint->kept[p].lanes);
    bytes_free(&checkpoint->kept[p].last);
    free(checkpoint->kept[p].has);
  }
  spool_close(checkpoint->spool);
  free(checkpoint->kept);
  free(checkpoint->has_actor);
  free(checkpoint);
}

const Cut *checkpoint_cut(const Checkpoint *checkpoint) {
  return &checkpoint->cut;
}
uint64_t checkpoint_generation(const Checkpoint *checkpoint) {
  return checkpoint->generation;
}
double checkpoint_seconds(const Checkpoint *checkpoint) {
  return checkpoint->seconds;
}

/* Seconds since the last one was written. */
double checkpoint_age(const Checkpoint *checkpoint) {
  return clock_seconds(clock_now(&checkpoint->setup.clock) - checkpoint->written);
}

/* Opens the cut after `tick`. From now on each actor sends its lanes and each learner its players,
 * and the cut is whole when the last has arrived. The ledger is copied here, and what its actors
 * and learners report of the cut is added as their states arrive. */
void checkpoint_open(Checkpoint *checkpoint, uint64_t tick, bool stop, bool end, size_t players) {
  INVARIANT(!checkpoint->cut.open);
  checkpoint->cut = (Cut){.open = true, .stop = stop, .end = end, .tick = tick};
  checkpoint->put_together = false;
  checkpoint->actors_left = checkpoint->setup.actors;
  checkpoint->players_left = players;
  checkpoint->kept_left = checkpoint->keepers * players;
  memset(checkpoint->has_actor, 0, checkpoint->setup.actors * sizeof *checkpoint->has_actor);
  memcpy(checkpoint->cut_ledger, checkpoint->ledger, sizeof checkpoint->cut_ledger);
}

Status checkpoint_capture(Checkpoint *checkpoint, const League *league, const RunPosition *position,
                          const Bytes *tables) {
  Tree *tree = &checkpoint->tree;
  const uint64_t counters[RUN_COUNTERS] = {
      [RUN_TICK] = position->tick,
      [RUN_FRAMES] = position->frames,
      [RUN_FROZEN_DECISIONS] = position->frozen_decisions,
      [RUN_STEPS] = position->steps,
      [RUN_EPISODES] = position->episodes,
      [RUN_CHECKPOINT_TICK] = position->tick,
  };
  const uint64_t end[2] = {position->end_tick, checkpoint->cut.end};
  checkpoint->cut.captured = true;
  checkpoint->frames = position->frames;
  checkpoint->players = league->players;
  /* the actors' sums come with their states; these games only the league can tell from others */
  checkpoint->cut_ledger[LEDGER_OTHER_GAMES] = checkpoint->ledger[LEDGER_OTHER_GAMES];
  TRY_RETURN(league_save(league, tree));
  if (checkpoint->setup.curriculum) TRY_RETURN(curriculum_save(checkpoint->setup.curriculum, tree));
  TRY_RETURN(tree_put(tree, RUN_COUNTERS_PATH, STORE_U64, RUN_COUNTERS, 1, counters));
  TRY_RETURN(tree_put(tree, "run/end", STORE_U64, 2, 1, end));
  TRY_RETURN(tree_put_f64(tree, "run/seconds", position->seconds));
  TRY_RETURN(tree_put(tree, "run/next_tables", STORE_U8, tables->size, 1, tables->data));
  return tree_put_all(tree, checkpoint->setup.header);
}

/* Games against oneself and against built-in players have no place in the payoff, so the ledger
 * counts them: episodes = games in the payoff + these. */
void checkpoint_count(Checkpoint *checkpoint, const Results *results) {
  for (size_t i = 0; i < results->pairs; i++) {
    const PairResults *pair = &results->pair[i];
    if (pair->home == pair->away || is_builtin(pair->away))
      checkpoint->ledger[LEDGER_OTHER_GAMES] += (uint64_t)pair->tally.games;
  }
}

/* ERR_FORMAT if an actor's results are of a tick after the cut, but its state has not come: the
 * checkpoint would count games that its state has yet to play. */
Status checkpoint_check_order(const Checkpoint *checkpoint, const Results *results) {
  const Cut *cut = &checkpoint->cut;
  if (!cut->open || results->tick <= cut->tick || checkpoint->has_actor[results->actor]) return OK;
  return status_set(ERR_FORMAT, "actor %u went on without the state of a checkpoint",
                    results->actor);
}

/* --- pieces --- */
/* Puts down a piece. Its bytes are copied, or (with a spool) go there. */
static Status add_piece(Pieces *pieces, Spool *spool, uint32_t lane, uint32_t part,
                        const void *bytes, size_t size) {
  LanePiece piece = {.lane = lane, .part = part, .place = {.size = size}};
  for (size_t i = 0; i < pieces->count; i++)
    if (pieces->piece[i].lane == lane && pieces->piece[i].part == part)
      return status_set(ERR_FORMAT, "lane %u came twice", lane);
  TRY_RETURN(GROW(pieces->piece, pieces->room, pieces->count + 1));
  if (spool) {
    TRY_RETURN(spool_add(spool, bytes, size, &piece.place));
  } else {
    TRY_RETURN(NEW_ARRAY(piece.data, size));
    if (size) memcpy(piece.data, bytes, size);
  }
  pieces->piece[pieces->count++] = piece;
  pieces->bytes += size;
  return OK;
}

static Status add_lane(Checkpoint *checkpoint, const Members *members, const WireActorState *sent) {
  if (sent->size == 0 || members_lane_actor(members, sent->lane) != sent->actor)
    return status_set(ERR_FORMAT, "lane %u is empty or not of actor %u", sent->lane, sent->actor);
  return add_piece(&checkpoint->lanes, NULL, sent->lane, 0, sent->state, sent->size);
}

/* The last piece: all lanes of the actor are here, and this is what it has counted of its own. */
static Status finish_actor(Checkpoint *checkpoint, const Members *members,
                           const WireActorState *counts) {
  INVARIANT(checkpoint->actors_left > 0);
  checkpoint->has_actor[counts->actor] = true;
  checkpoint->actors_left--;
  TRY_RETURN(members_check_counts(members, counts));
  checkpoint->cut_ledger[LEDGER_ACTED] += counts->acted;
  checkpoint->cut_ledger[LEDGER_EPISODES] += counts->episodes;
  checkpoint->cut_ledger[LEDGER_STEPS] += counts->steps;
  return OK;
}

Status checkpoint_take_actor(Checkpoint *checkpoint, const Members *members, const Message *message,
                             Reader *body) {
  WireActorState sent;
  TRY_RETURN(actor_state_decode(&sent, body));
  TRY_RETURN(members_check_actor(members, message, sent.actor));
  if (!checkpoint->cut.open || checkpoint->has_actor[sent.actor])
    return status_set(ERR_FORMAT, "no checkpoint waits for the state of actor %u", sent.actor);
  if (sent.lane == (uint32_t)WIRE_NO_LANE) return finish_actor(checkpoint, members, &sent);
  return add_lane(checkpoint, members, &sent);
}

/* A player's columns, under its name. */
static Status add_player(Checkpoint *checkpoint, const char *name, const Tree *part) {
  char path[STORE_PATH];
  for (size_t i = 0; i < part->items; i++) {
    const Item *item = &part->item[i];
    if (item->type == STORE_TEXT) return tree_fault(part, item->path, -1, "has the wrong type");
    if (!text_is_name(item->path, sizeof item->path))
      return tree_fault(part, item->path, -1, "is no name of a column");
    TRY_RETURN(text_format(path, sizeof path, "players/%s/%s", name, item->path));
    TRY_RETURN(tree_put(&checkpoint->tree, path, item->type, item->count, item->width, item->data));
  }
  return OK;
}

Status checkpoint_take_learner(Checkpoint *checkpoint, const League *league, const Members *members,
                               const Message *message, Reader *body) {
  const CheckpointSetup *setup = &checkpoint->setup;
  Tree part = {0};
  Status status = OK;
  char path[STORE_PATH];
  WirePlayerState sent;
  TRY_RETURN(player_state_decode(&sent, body));
  Reader columns = reader_over(sent.tree, sent.size);
  const uint32_t player = sent.player;
  if (!checkpoint->cut.open || player >= league->learning)
    return status_set(ERR_FORMAT, "no checkpoint waits for the state of player %u", player);
  if (message->peer != members_player_rank(members, player))
    return status_set(ERR_FORMAT, "player %u is learned on another rank", player);
  const char *name = league->player[player].name;
  TRY(tree_decode(&part, &columns));
  TRY(reader_finish(&columns, "the body"));
  if (setup->check_state) TRY(setup->check_state(setup->context, &part));
  TRY(text_format(path, sizeof path, "players/%s/policy", name));
  if (tree_find(&checkpoint->tree, path))
    TRY(status_set(ERR_FORMAT, "the state of player %u came twice", player));
  TRY(add_player(checkpoint, name, &part));
  INVARIANT(checkpoint->players_left > 0);
  checkpoint->players_left--;
done:
  tree_free(&part);
  return status == OK ? OK : status_context(status, "player %u", player);
}

/* Room for what learners keep, as players are first heard of. */
static Status open_kept(Checkpoint *checkpoint, uint32_t player, size_t keepers) {
  if (!checkpoint->spool) TRY_RETURN(spool_open(checkpoint->setup.run->path, &checkpoint->spool));
  TRY_RETURN(GROW(checkpoint->kept, checkpoint->kept_room, (size_t)player + 1));
  Kept *kept = &checkpoint->kept[player];
  return kept->has ? OK : NEW_ARRAY(kept->has, keepers);
}

Status checkpoint_take_replay(Checkpoint *checkpoint, const League *league, const Members *members,
                              const Message *message, Reader *body) {
  WireReplay sent;
  size_t keeper;
  TRY_RETURN(replay_state_decode(&sent, body));
  if (!checkpoint->cut.open || sent.player >= league->learning || checkpoint->keepers == 0)
    return status_set(ERR_FORMAT, "no checkpoint waits for what is kept of player %u", sent.player);
  TRY_RETURN(members_find_keeper(members, message, sent.player, &keeper));
  TRY_RETURN(open_kept(checkpoint, sent.player, checkpoint->keepers));
  Kept *kept = &checkpoint->kept[sent.player];
  if (kept->has[keeper])
    return status_set(ERR_FORMAT, "what is kept of player %u came twice", sent.player);
  if (sent.lane != (uint32_t)WIRE_NO_LANE)
    return add_piece(&kept->lanes, checkpoint->spool, sent.lane, sent.part, sent.state, sent.size);
  kept->has[keeper] = true;
  INVARIANT(checkpoint->kept_left > 0);
  checkpoint->kept_left--;
  kept->last.size = 0;
  bytes_put(&kept->last, sent.state, sent.size);
  return kept->last.failed ? status_set(ERR_MEMORY, "out of memory collecting a checkpoint") : OK;
}

/* A snapshot ordered before the cut may arrive after it: its hash is entered into the columns
 * then. */
void checkpoint_name_policy(Checkpoint *checkpoint, uint32_t player, const char *hash) {
  const Item *hashes = tree_find(&checkpoint->tree, "league/hash");
  if (!checkpoint->cut.captured || !hashes || player >= hashes->count) return;
  memcpy((char *)hashes->data + player * hashes->size, hash, HASH_TEXT);
}

/* All actors' and all players' state is here. The library must be whole as well: a checkpoint names
 * frozen policies, whose files must exist first. */
bool checkpoint_is_whole(const Checkpoint *checkpoint) {
  return checkpoint->cut.open && checkpoint->actors_left == 0 && checkpoint->players_left == 0 &&
         checkpoint->kept_left == 0;
}

/* --- writing --- */
static int by_lane(const void *a, const void *b) {
  const LanePiece *x = a;
  const LanePiece *y = b;
  if (x->lane != y->lane) return x->lane < y->lane ? -1 : 1;
  return x->part < y->part ? -1 : x->part > y->part;
}

/* The bytes of all pieces, in their order, into a column. */
static Status put_bytes(Tree *tree, const char *path, const Pieces *pieces, const Spool *spool) {
  Status status = OK;
  uint8_t *sorted = NULL;
  SpoolPart *part = NULL;
  size_t at = 0;
  TRY(NEW_ARRAY(sorted, spool ? 0 : pieces->bytes));
  TRY(NEW_ARRAY(part, pieces->count));
  for (size_t i = 0; i < pieces->count; i++) {
    const LanePiece *piece = &pieces->piece[i];
    part[i] = piece->place;
    if (piece->data && part[i].size) memcpy(sorted + at, piece->data, part[i].size);
    at += part[i].size;
  }
  if (spool)
    TRY(tree_put_spooled(tree, path, spool, part, pieces->count));
  else
    TRY(tree_put(tree, path, STORE_U8, at, 1, sorted));
done:
  free(sorted);
  free(part);
  return status;
}

/* Lanes in the order of their ids, whoever sent them first. The pieces are then given back. */
static Status put_pieces(Tree *tree, const char *folder, Pieces *pieces, const Spool *spool) {
  Status status = OK;
  const size_t n = pieces->count;
  size_t lanes = 0;
  size_t at = 0;
  char path[STORE_PATH];
  uint32_t *id = NULL;
  uint64_t *end = NULL;
  TRY(NEW_ARRAY(id, n));
  TRY(NEW_ARRAY(end, n));
  if (n) qsort(pieces->piece, n, sizeof *pieces->piece, by_lane);
  for (size_t i = 0; i < n; i++) {
    const LanePiece *piece = &pieces->piece[i];
    at += piece->place.size;
    if (i == 0 || id[lanes - 1] != piece->lane) id[lanes++] = piece->lane;
    end[lanes - 1] = at;
  }
  TRY(text_format(path, sizeof path, "%s/id", folder));
  TRY(tree_put(tree, path, STORE_U32, lanes, 1, id));
  TRY(text_format(path, sizeof path, "%s/end", folder));
  TRY(tree_put(tree, path, STORE_U64, lanes, 1, end));
  TRY(text_format(path, sizeof path, "%s/state", folder));
  TRY(put_bytes(tree, path, pieces, spool));
  drop_pieces(pieces);
done:
  free(id);
  free(end);
  return status;
}

/* Kept experience is long, and is not held beyond the file. */
static Status put_kept(Checkpoint *checkpoint, const League *league) {
  for (uint32_t p = 0; p < checkpoint->kept_room; p++) {
    Kept *kept = &checkpoint->kept[p];
    char path[STORE_PATH];
    if (!kept->has) continue;
    const char *name = league->player[p].name;
    TRY_RETURN(text_format(path, sizeof path, "replay/%s", name));
    TRY_RETURN(put_pieces(&checkpoint->tree, path, &kept->lanes, checkpoint->spool));
    TRY_RETURN(text_format(path, sizeof path, "replay/%s/last", name));
    TRY_RETURN(tree_put(&checkpoint->tree, path, STORE_U8, kept->last.size, 1, kept->last.data));
    memset(kept->has, 0, checkpoint->keepers * sizeof *kept->has);
  }
  return OK;
}

/* Whether the snapshots that a checkpoint names have been written. */
static bool hashes_are_known(const Tree *tree) {
  const Item *hash = tree_find(tree, "league/hash");
  const Item *frozen = tree_find(tree, "league/frozen");
  if (!hash || !frozen) return false;
  for (size_t i = 0; i < hash->count; i++) {
    const char *text = (const char *)hash->data + i * hash->size;
    if (((const uint32_t *)frozen->data)[i] && !*text) return false;
  }
  return true;
}

/* A checkpoint that does not add up is never written. What actors say has been held to their
 * results when it came; what learners say is held to it here. The rest is counted by the league
 * alone. */
static Status check_sums(const Checkpoint *checkpoint, const Members *members) {
  const Tree *tree = &checkpoint->tree;
  const Item *frozen = tree_find(tree, "league/frozen");
  for (uint32_t p = 0; frozen && p < frozen->count; p++) {
    if (((const uint32_t *)frozen->data)[p]) continue;
    Status status = ledger_check_player(tree, p);
    if (status != OK)
      return status_context(status, "the state of player %u from rank %d", p,
                            members_player_rank(members, p));
  }
  Status status = ledger_check(tree);
  INVARIANT(status == OK);
  return status;
}

/* The sums of the ledger are checked before anything is written: a checkpoint that does not add up
 * would spoil all that come after it. */
static Status put_together(Checkpoint *checkpoint, const League *league, const Members *members) {
  Tree *tree = &checkpoint->tree;
  INVARIANT(checkpoint->cut.captured && hashes_are_known(tree));
  if (checkpoint->put_together) return OK;
  checkpoint->put_together = true;
  TRY_RETURN(tree_put(tree, LEDGER_PATH, STORE_U64, LEDGER_COUNT, 1, checkpoint->cut_ledger));
  TRY_RETURN(put_pieces(tree, "lanes", &checkpoint->lanes, NULL));
  TRY_RETURN(put_kept(checkpoint, league));
  Status sums = check_sums(checkpoint, members);
  if (sums == OK) return OK;
  return status_context(sums, "the checkpoint of tick %llu is not written",
                        (unsigned long long)checkpoint->cut.tick);
}

/* Failing leaves the folder's earlier generations as they were. */
static Status write_generation(Checkpoint *checkpoint, bool *written) {
  const CheckpointSetup *setup = &checkpoint->setup;
  char what[64];
  uint64_t generation = checkpoint->generation;
  Status status = run_next_generation(setup->run, &generation);
  if (status == OK)
    status = run_write_checkpoint(setup->run, generation, &checkpoint->tree, setup->keep);
  snprintf(what, sizeof what, "checkpoint %06llu", (unsigned long long)generation);
  if (status == OK) checkpoint->generation = generation;
  return patience_judge(&checkpoint->patience, status, what, written);
}

double checkpoint_failing(const Checkpoint *checkpoint) {
  return patience_failing(&checkpoint->patience);
}

Status checkpoint_write(Checkpoint *checkpoint, const League *league, const Members *members,
                        bool *written) {
  const CheckpointSetup *setup = &checkpoint->setup;
  Cut *cut = &checkpoint->cut;
  char frames[16];
  int64_t start = clock_now(&setup->clock);
  *written = false;
  if (!patience_due(&checkpoint->patience)) return OK;
  TRY_RETURN(put_together(checkpoint, league, members));
  TRY_RETURN(write_generation(checkpoint, written));
  double took = clock_seconds(clock_now(&setup->clock) - start);
  checkpoint->seconds += took;
  if (!*written) return OK;
  log_line("checkpoint %06llu: tick %llu, %s frames, %zu players, written in %.3f s",
           (unsigned long long)checkpoint->generation, (unsigned long long)cut->tick,
           text_scaled((double)checkpoint->frames, frames, sizeof frames), checkpoint->players,
           took);
  tree_free(&checkpoint->tree);
  if (checkpoint->spool) spool_clear(checkpoint->spool);
  cut->open = false;
  checkpoint->written = clock_now(&setup->clock);
  return OK;
}

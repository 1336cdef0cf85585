/* Live environments by the pasts that led them there. A cell is found by a digest of seed and
 * moves; one of an ended episode is used again first. An episode whose live environment is gone
 * gets another one, to which its moves are played again: a copy that goes its own way, a resumed
 * run. So no more are made than are in use: where the one that was used least recently has seen
 * more moves of others than there are cells, it is a copy that was left behind, and is taken. */
#include "env/bridge_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SLACK = 64, /* moves by which a cell in use may be behind */
  BEGUN = 12  /* bytes of an episode to be begun: its cell and seed */
};

static uint64_t mix(uint64_t digest, uint32_t word) {
  digest = (digest ^ word) * 0x9E3779B97F4A7C15ull;
  return digest ^ digest >> 29;
}

void bridge_past_add(const Bridge *bridge, BridgePast *past, const int32_t *words) {
  memcpy(bridge_moves(past) + (size_t)past->moves * bridge->width, words,
         bridge->width * sizeof *words);
  for (uint32_t i = 0; i < bridge->width; i++)
    past->digest = mix(past->digest, (uint32_t)words[i]);
  past->moves++;
}

int bridge_cells_create(Bridge *bridge, AgonError *error) {
  bridge->buckets = 16;
  while (bridge->buckets < 2 * bridge->cells)
    bridge->buckets *= 2;
  bridge->cell = calloc(bridge->cells, sizeof *bridge->cell);
  bridge->bucket = calloc(bridge->buckets, sizeof *bridge->bucket);
  if (bridge->cell && bridge->bucket) return 0;
  snprintf(error->text, sizeof error->text, "out of memory for %u live environments",
           bridge->cells);
  return -1;
}

void bridge_cells_destroy(Bridge *bridge) {
  bytes_free(&bridge->begun);
  free(bridge->cell);
  free(bridge->bucket);
}

/* --- lists and buckets --- */
static BridgeList *list_of(Bridge *bridge, uint32_t index) {
  return bridge->cell[index].ended ? &bridge->ended : &bridge->running;
}

static void unlink_cell(Bridge *bridge, uint32_t index) {
  BridgeCell *cell = &bridge->cell[index];
  BridgeList *list = list_of(bridge, index);
  if (cell->newer)
    bridge->cell[cell->newer - 1].older = cell->older;
  else
    list->newest = cell->older;
  if (cell->older)
    bridge->cell[cell->older - 1].newer = cell->newer;
  else
    list->oldest = cell->newer;
  cell->newer = cell->older = 0;
}

static void link_cell(Bridge *bridge, uint32_t index) {
  BridgeCell *cell = &bridge->cell[index];
  BridgeList *list = list_of(bridge, index);
  cell->older = list->newest;
  cell->newer = 0;
  if (list->newest)
    bridge->cell[list->newest - 1].newer = index + 1;
  else
    list->oldest = index + 1;
  list->newest = index + 1;
  cell->used = bridge->clock;
}

static uint32_t *bucket_of(const Bridge *bridge, uint64_t digest) {
  return &bridge->bucket[(digest ^ digest >> 32) & (bridge->buckets - 1)];
}

static void forget(Bridge *bridge, uint32_t index) {
  uint32_t *at = bucket_of(bridge, bridge->cell[index].digest);
  if (!bridge->cell[index].kept) return;
  while (*at && *at != index + 1)
    at = &bridge->cell[*at - 1].next;
  if (*at) *at = bridge->cell[index].next;
  bridge->cell[index].kept = false;
}

/* It is where this past leads, and can be found. */
static void keep(Bridge *bridge, uint32_t index, const BridgePast *past) {
  BridgeCell *cell = &bridge->cell[index];
  uint32_t *bucket = bucket_of(bridge, past->digest);
  unlink_cell(bridge, index);
  cell->seed = past->seed;
  cell->digest = past->digest;
  cell->moves = past->moves;
  cell->ended = past->status != AGON_RUNNING && past->status != AGON_CHANCE;
  cell->held = false;
  cell->kept = true;
  cell->next = *bucket;
  *bucket = index + 1;
  link_cell(bridge, index);
}

/* --- cells --- */
/* A running one that may be taken for another past: left behind, or the last resort. */
static bool may_take(const Bridge *bridge, uint32_t index) {
  const BridgeCell *cell = &bridge->cell[index];
  if (!bridge->exact || cell->held) return false;
  return bridge->live == bridge->cells ||
         bridge->clock - cell->used > (uint64_t)bridge->live + SLACK;
}

/* A cell for another past, found by nobody: of an ended episode, one left behind, or a new one.
 * bridge->cells if there is none. */
static uint32_t spare(Bridge *bridge) {
  uint32_t index = bridge->cells;
  if (bridge->ended.oldest)
    index = bridge->ended.oldest - 1;
  else if (bridge->running.oldest && may_take(bridge, bridge->running.oldest - 1))
    index = bridge->running.oldest - 1;
  if (index < bridge->cells) {
    forget(bridge, index);
    return index;
  }
  if (bridge->live == bridge->cells) {
    snprintf(bridge->why.text, sizeof bridge->why.text,
             "more than %u live environments at once: fewer slots (actors.slots), please",
             bridge->cells);
    return index;
  }
  index = bridge->live++;
  link_cell(bridge, index);
  return index;
}

/* One whose state is not known any more: it will be the first to begin another episode. */
static void give_up(Bridge *bridge, uint32_t index) {
  forget(bridge, index);
  unlink_cell(bridge, index);
  bridge->cell[index].ended = true;
  bridge->cell[index].held = false;
  link_cell(bridge, index);
}

/* Plays a past again. -1 and bridge->why if that does not lead where it did. */
static int replay(Bridge *bridge, uint32_t index, const BridgePast *past) {
  Bytes bytes = {0};
  bytes_u32(&bytes, index);
  bytes_u64(&bytes, past->seed);
  bytes_put(&bytes, bridge_moves(past), (size_t)past->moves * bridge->width * sizeof(int32_t));
  int failed = -1;
  if (bytes.failed)
    snprintf(bridge->why.text, sizeof bridge->why.text, "out of memory playing an episode again");
  else
    failed =
        bridge_worker_ask(&bridge->worker, BRIDGE_REBUILD, 0, bytes.data, bytes.size, &bridge->why);
  bytes_free(&bytes);
  if (failed) return -1;
  if (bridge->memory.status[index] == past->status) return 0;
  snprintf(bridge->why.text, sizeof bridge->why.text,
           "%u moves played again end with status %d instead of %d: the environment is not decided "
           "by its seed and the actions; env.exact=false trains it without exact resume",
           past->moves, bridge->memory.status[index], past->status);
  return -1;
}

static uint32_t look_up(const Bridge *bridge, const BridgePast *past) {
  for (uint32_t at = *bucket_of(bridge, past->digest); at; at = bridge->cell[at - 1].next) {
    const BridgeCell *cell = &bridge->cell[at - 1];
    if (cell->digest == past->digest && cell->seed == past->seed && cell->moves == past->moves)
      return at - 1;
  }
  return bridge->cells;
}

/* All episodes that were begun and are not yet, by one request. If it fails none of them has:
 * whoever looks at one has it played again, and is told why that fails. */
static void begin_all(Bridge *bridge) {
  const Bytes begun = bridge->begun;
  bridge->begun.size = 0;
  if (!bridge_worker_ask(&bridge->worker, BRIDGE_RESET, 0, begun.data, begun.size, &bridge->fault))
    return;
  for (size_t at = 0; at < begun.size; at += BEGUN) {
    uint32_t index;
    memcpy(&index, begun.data + at, sizeof index);
    if (bridge->cell[index].kept) give_up(bridge, index);
  }
}

uint32_t bridge_cells_find(Bridge *bridge, const BridgePast *past) {
  if (bridge->begun.size) begin_all(bridge);
  uint32_t index = look_up(bridge, past);
  bridge->why.text[0] = 0;
  if (index < bridge->cells) {
    unlink_cell(bridge, index);
    link_cell(bridge, index);
    return index;
  }
  if (!bridge->exact || past->moves > bridge->rows) {
    bridge->why = bridge->fault;
    if (!bridge->why.text[0])
      snprintf(bridge->why.text, sizeof bridge->why.text,
               "an episode's live environment is gone, and cannot be played again");
    return bridge->cells;
  }
  index = spare(bridge);
  if (index == bridge->cells) return index;
  bridge->clock++;
  if (replay(bridge, index, past)) {
    give_up(bridge, index);
    return bridge->cells;
  }
  keep(bridge, index, past);
  return index;
}

/* Where all episodes begin is known, so that many are begun together when one is looked at. */
AgonStatus bridge_cells_begin(Bridge *bridge, BridgePast *past, uint64_t seed, AgonError *error) {
  memset(past, 0, bridge->spec.episode_size);
  past->seed = seed;
  past->digest = mix(mix(0, (uint32_t)seed), (uint32_t)(seed >> 32));
  past->status = AGON_FAILED;
  bridge->why.text[0] = 0;
  const uint32_t index = spare(bridge);
  if (index == bridge->cells) {
    *error = bridge->why;
    return AGON_FAILED;
  }
  bridge->clock++;
  bytes_u32(&bridge->begun, index);
  bytes_u64(&bridge->begun, seed);
  if (bridge->begun.failed) {
    snprintf(error->text, sizeof error->text, "out of memory beginning an episode");
    return AGON_FAILED;
  }
  past->status = bridge->root;
  keep(bridge, index, past);
  if (bridge->begun.size / BEGUN == bridge->batch) begin_all(bridge);
  return (AgonStatus)past->status;
}

uint32_t bridge_cells_take(Bridge *bridge, const BridgePast *past) {
  const uint32_t index = bridge_cells_find(bridge, past);
  if (index == bridge->cells) return index;
  forget(bridge, index);
  bridge->cell[index].held = true;
  bridge->clock++;
  return index;
}

void bridge_cells_moved(Bridge *bridge, uint32_t index, const BridgePast *past) {
  if (past->status == AGON_FAILED)
    give_up(bridge, index);
  else
    keep(bridge, index, past);
}

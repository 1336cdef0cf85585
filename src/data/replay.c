#include "data/replay.h"

#include "base/invariant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One item as batch_encode writes it: a batch of one unroll. It takes no more memory than its rows
 * are long, and goes into a checkpoint as it is. */
typedef struct Item {
  uint8_t *data;
  size_t size;
  double priority;
} Item;

/* Items lie in a ring: item `serial` at serial % quota. */
typedef struct Lane {
  Item *item;     /* (quota), made with the first */
  uint64_t begin; /* serial of the oldest */
  uint64_t end;   /* behind the newest */
  Batch pending;  /* at most one unroll: the episode so far */
  bool created;   /* `pending` is there */
} Lane;

struct Replay {
  ReplaySetup setup;
  Lane *lane;
  size_t bytes;
  size_t total;
  double highest; /* priority */
};

/* --- life cycle --- */

/* Bytes of a row in all columns. */
static size_t row_bytes(const RowFormat *format) {
  size_t sum = 0;
  for (ColumnId id = 0; id < COLUMNS; id++)
    if (batch_column[id].per == PER_ROW) sum += column_bytes(format, id);
  return sum;
}

double replay_bound(const ReplaySetup *setup, size_t lanes) {
  double rows = (double)setup->longest + 1;
  double state = (double)column_bytes(&setup->format, COLUMN_STATE);
  double item = rows * (double)row_bytes(&setup->format) + state + 64;
  /* an episode that has not ended may take twice its room, as what grows does */
  return (double)lanes * ((double)setup->quota + 2) * item;
}

Status replay_create(const ReplaySetup *setup, Replay **out) {
  Replay *replay;
  *out = NULL;
  INVARIANT(setup->quota > 0 && setup->longest > 0);
  INVARIANT(setup->format.flags); /* unrolls say where in their episodes they are */
  TRY_RETURN(NEW_ARRAY(replay, 1));
  replay->setup = *setup;
  replay->highest = 1;
  Status status = NEW_ARRAY(replay->lane, setup->lanes);
  if (status != OK) {
    replay_destroy(replay);
    return status;
  }
  *out = replay;
  return OK;
}

/* Lets go of the oldest item. */
static void drop_oldest(Replay *replay, Lane *lane) {
  Item *item = &lane->item[lane->begin++ % replay->setup.quota];
  replay->bytes -= item->size;
  replay->total--;
  free(item->data);
  *item = (Item){0};
}

/* Empties a lane, which can be used again. */
static void forget_lane(Replay *replay, Lane *lane) {
  while (lane->begin < lane->end)
    drop_oldest(replay, lane);
  lane->begin = lane->end = 0;
  if (lane->created) batch_clear(&lane->pending);
}

void replay_destroy(Replay *replay) {
  if (!replay) return;
  for (size_t i = 0; replay->lane && i < replay->setup.lanes; i++) {
    Lane *lane = &replay->lane[i];
    forget_lane(replay, lane);
    if (lane->created) batch_destroy(&lane->pending);
    free(lane->item);
  }
  free(replay->lane);
  free(replay);
}

void replay_forget(Replay *replay) {
  for (size_t i = 0; i < replay->setup.lanes; i++)
    forget_lane(replay, &replay->lane[i]);
  replay->highest = 1;
}

size_t replay_items(const Replay *replay, size_t lane) {
  return (size_t)(replay->lane[lane].end - replay->lane[lane].begin);
}

size_t replay_total(const Replay *replay) {
  return replay->total;
}

bool replay_has(const Replay *replay, size_t index) {
  const Lane *lane = &replay->lane[index];
  return lane->begin < lane->end || (lane->created && lane->pending.unrolls > 0);
}

/* Of what has not ended, the rows that are there. */
size_t replay_bytes(const Replay *replay) {
  size_t rows = 0;
  for (size_t i = 0; i < replay->setup.lanes; i++)
    if (replay->lane[i].created) rows += replay->lane[i].pending.rows;
  return replay->bytes + rows * row_bytes(&replay->setup.format);
}

/* --- adding --- */

/* A lane's arrays are made when it is first used: most lanes are another rank's. */
static Status open_lane(Replay *replay, Lane *lane) {
  if (!lane->item) TRY_RETURN(NEW_ARRAY(lane->item, replay->setup.quota));
  if (lane->created) return OK;
  TRY_RETURN(batch_create(&replay->setup.format, &lane->pending));
  lane->created = true;
  return OK;
}

/* Puts encoded bytes behind the newest item; they are the lane's then. */
static void put_item(Replay *replay, Lane *lane, uint8_t *data, size_t size, double priority) {
  if (lane->end - lane->begin == replay->setup.quota) drop_oldest(replay, lane);
  lane->item[lane->end++ % replay->setup.quota] = (Item){data, size, priority};
  replay->bytes += size;
  replay->total++;
}

/* What is pending becomes an item. */
static Status finish_item(Replay *replay, Lane *lane) {
  Bytes bytes = {0};
  if (lane->pending.unrolls == 0) return OK;
  batch_encode(&lane->pending, &bytes);
  uint8_t *data = bytes.failed ? NULL : realloc(bytes.data, bytes.size);
  if (!data) {
    bytes_free(&bytes);
    return status_set(ERR_MEMORY, "out of memory keeping experience");
  }
  put_item(replay, lane, data, bytes.size, replay->highest);
  batch_clear(&lane->pending);
  return OK;
}

/* Whether the unroll goes on where what is pending has stopped: in the same episode, by the same
 * life of the player, at the very step. What was too old to be learned from leaves a gap, over
 * which nothing may be joined. */
static bool goes_on(const Batch *pending, const Unroll *next) {
  if (pending->unrolls == 0) return false;
  const Unroll *open = &pending->unroll[0];
  return open->end == END_OPEN && !next->fresh && open->agent == next->agent &&
         open->episode == next->episode && open->life == next->first_life &&
         open->until == next->step;
}

/* Joins an unroll to what is pending. The row that closed it is the first of what comes, seen once
 * more: it makes room. */
static Status join(Batch *pending, const Batch *batch, size_t index) {
  const Unroll *next = &batch->unroll[index];
  TRY_RETURN(batch_append(pending, batch, index));
  Unroll *open = &pending->unroll[0];
  size_t from = pending->unroll[1].first;
  size_t span = unroll_span(next);
  for (size_t i = 0; i < span; i++)
    batch_move_row(pending, from - 1 + i, from + i);
  pending->rows--;
  pending->unrolls = 1;
  open->rows += next->rows;
  open->end = next->end;
  open->until = next->until;
  open->version = next->version;
  open->life = next->life;
  return OK;
}

/* What is pending always has the row that closes it: where nothing goes on from it, it is an item
 * by itself. So is an unroll whose episode's beginning is lost (the player got the seat in the
 * middle of it): it is kept from here on, with the recurrent state that it brings. */
Status replay_add(Replay *replay, size_t index_of_lane, const Batch *batch, size_t index) {
  Lane *lane = &replay->lane[index_of_lane];
  Batch *pending = &lane->pending;
  const Unroll *next = &batch->unroll[index];
  INVARIANT(index_of_lane < replay->setup.lanes && next->rows > 0);
  INVARIANT(next->rows <= replay->setup.longest);
  TRY_RETURN(open_lane(replay, lane));
  bool joins = goes_on(pending, next);
  bool fits = joins && pending->unroll[0].rows + next->rows <= replay->setup.longest;
  if (!fits) TRY_RETURN(finish_item(replay, lane));
  TRY_RETURN(fits ? join(pending, batch, index) : batch_append(pending, batch, index));
  return next->end == END_OPEN ? OK : finish_item(replay, lane);
}

/* --- drawing --- */

/* Systematic sampling: the items of all lanes lie one behind another, the lanes in random order,
 * and the draws point at places that are equally far apart, with one random beginning. Each item is
 * as likely as any other, and a lane gets as many draws as it has items, but for less than one. */
void replay_deal(const float *count, size_t lanes, size_t draws, AgonRng *rng, uint32_t *order,
                 uint32_t *lane_of) {
  size_t have = 0;
  double total = 0;
  for (size_t i = 0; i < lanes; i++) {
    if (count[i] <= 0) continue;
    order[have++] = (uint32_t)i;
    total += (double)count[i];
  }
  INVARIANT(have > 0);
  for (size_t i = have; i > 1; i--) {
    size_t j = rng_below(rng, (uint32_t)i);
    uint32_t swap = order[i - 1];
    order[i - 1] = order[j];
    order[j] = swap;
  }
  double first = rng_unit(rng);
  double end = (double)count[order[0]];
  for (size_t d = 0, at = 0; d < draws; d++) {
    double place = ((double)d + first) * total / (double)draws;
    while (place >= end && at + 1 < have)
      end += (double)count[order[++at]];
    lane_of[d] = order[at];
  }
}

static Item *item_at(const Replay *replay, const Lane *lane, uint64_t serial) {
  return &lane->item[serial % replay->setup.quota];
}

/* A serial drawn in proportion to priority^exponent, and with which chance. */
static uint64_t pick(const Replay *replay, const Lane *lane, double exponent, AgonRng *rng,
                     double *chance) {
  double sum = 0;
  for (uint64_t s = lane->begin; s < lane->end; s++)
    sum += pow(item_at(replay, lane, s)->priority, exponent);
  double left = rng_unit(rng) * sum;
  uint64_t serial = lane->begin;
  double weight = pow(item_at(replay, lane, serial)->priority, exponent);
  while (left >= weight && serial + 1 < lane->end) {
    left -= weight;
    weight = pow(item_at(replay, lane, ++serial)->priority, exponent);
  }
  *chance = weight / sum;
  return serial;
}

Status replay_draw(const Replay *replay, size_t index, double exponent, AgonRng *rng, Batch *out,
                   ReplayDraw *draw) {
  const Lane *lane = &replay->lane[index];
  size_t items = (size_t)(lane->end - lane->begin);
  INVARIANT(items > 0);
  *draw = (ReplayDraw){.lane = index, .chance = 1 / (double)items};
  draw->serial = exponent > 0 ? pick(replay, lane, exponent, rng, &draw->chance)
                              : lane->begin + rng_below(rng, (uint32_t)items);
  const Item *item = item_at(replay, lane, draw->serial);
  Reader reader = reader_over(item->data, item->size);
  return batch_decode(out, &reader);
}

void replay_prefer(Replay *replay, const ReplayDraw *draw, double priority) {
  Lane *lane = &replay->lane[draw->lane];
  if (draw->serial < lane->begin || draw->serial >= lane->end) return;
  item_at(replay, lane, draw->serial)->priority = priority;
  if (priority > replay->highest) replay->highest = priority;
}

/* --- checkpoints --- */

enum { ENCODING = 1 /* of a lane; another one when the bytes change */ };

/* Serial of the oldest, how many, then each; last what is pending, as a batch. */
void replay_encode(const Replay *replay, size_t index, Bytes *out) {
  const Lane *lane = &replay->lane[index];
  bytes_u8(out, ENCODING);
  bytes_u64(out, lane->begin);
  bytes_u64(out, lane->end - lane->begin);
  for (uint64_t s = lane->begin; s < lane->end; s++) {
    const Item *item = item_at(replay, lane, s);
    bytes_f64(out, item->priority);
    bytes_u64(out, item->size);
    bytes_put(out, item->data, item->size);
  }
  bytes_u8(out, lane->created && lane->pending.unrolls > 0);
  if (lane->created && lane->pending.unrolls > 0) batch_encode(&lane->pending, out);
}

static Status damaged(size_t lane) {
  return status_set(ERR_FORMAT, "replay: lane %zu is damaged, or of other rows than this run's",
                    lane);
}

/* One item; that it decodes is seen before it is kept. `pending` is scratch here. */
static Status decode_item(Replay *replay, Lane *lane, size_t index, Reader *reader) {
  double priority = reader_f64(reader);
  size_t size = reader_count(reader, 1);
  const void *bytes = reader_take(reader, size);
  Reader inside = reader_over(bytes, bytes ? size : 0);
  uint8_t *copy;
  if (reader->bad || !isfinite(priority) || priority < 0) return damaged(index);
  TRY_RETURN(batch_decode(&lane->pending, &inside));
  bool one = lane->pending.unrolls == 1 && inside.at == size;
  batch_clear(&lane->pending);
  if (!one) return damaged(index);
  TRY_RETURN(NEW_ARRAY(copy, size));
  memcpy(copy, bytes, size);
  put_item(replay, lane, copy, size, priority);
  if (priority > replay->highest) replay->highest = priority;
  return OK;
}

/* The lane was emptied before. */
static Status decode_lane(Replay *replay, Lane *lane, size_t index, Reader *reader) {
  uint8_t encoding = reader_u8(reader);
  uint64_t begin = reader_u64(reader);
  size_t items = reader_count(reader, 16);
  if (!reader->bad && encoding != ENCODING)
    return status_set(ERR_FORMAT,
                      "replay: lane %zu is kept in a way that this program does not know", index);
  if (reader->bad) return damaged(index);
  lane->begin = lane->end = begin;
  for (size_t i = 0; i < items; i++)
    TRY_RETURN(decode_item(replay, lane, index, reader));
  uint8_t more = reader_u8(reader);
  if (reader->bad || more > 1) return damaged(index);
  if (!more) return OK;
  TRY_RETURN(batch_decode(&lane->pending, reader));
  return lane->pending.unrolls == 1 ? OK : damaged(index);
}

Status replay_decode(Replay *replay, size_t index, Reader *reader) {
  Lane *lane = &replay->lane[index];
  forget_lane(replay, lane);
  TRY_RETURN(open_lane(replay, lane));
  Status status = decode_lane(replay, lane, index, reader);
  if (status != OK) forget_lane(replay, lane);
  return status;
}

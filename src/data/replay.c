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
  uint32_t repeats; /* leading rows that the piece before it ended with */
} Item;

/* Items lie in a ring: item `serial` at serial % quota. */
typedef struct Lane {
  Item *item;     /* (quota), made with the first */
  uint64_t begin; /* serial of the oldest */
  uint64_t end;   /* behind the newest */
  Batch pending;  /* at most one unroll: the episode so far */
  uint32_t pending_repeats;
  /* The last unrolls of what is pending, as they came: the piece that follows begins with them.
   * Only where pieces overlap. */
  Batch recent;
  bool created; /* `pending` and `recent` are there */
  /* What items weigh: a binary tree of sums, in which node i has the children 2i and 2i + 1, and
   * place p of the ring is node quota + p. Node 1 weighs all. Each node is always the sum of its
   * two, so that it does not depend on the order in which weights came. NULL: all are alike. */
  double *mass;   /* (2 quota) */
  double highest; /* priority given to any */
} Lane;

struct Replay {
  ReplaySetup setup;
  Lane *lane;
  size_t bytes;
  size_t total;
  double expected; /* priority of a new item */
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
  /* an episode that has not ended may take twice its room, as what grows does; so may its end */
  double open = setup->overlap ? 4 : 2;
  double weight = setup->exponent > 0 ? 2 * sizeof(double) : 0;
  return (double)lanes * (((double)setup->quota + open) * item + (double)setup->quota * weight);
}

Status replay_create(const ReplaySetup *setup, Replay **out) {
  Replay *replay;
  *out = NULL;
  INVARIANT(setup->quota > 0 && setup->longest > 0);
  INVARIANT(setup->format.flags); /* unrolls say where in their episodes they are */
  TRY_RETURN(NEW_ARRAY(replay, 1));
  replay->setup = *setup;
  replay->expected = 1;
  Status status = NEW_ARRAY(replay->lane, setup->lanes);
  if (status != OK) {
    replay_destroy(replay);
    return status;
  }
  *out = replay;
  return OK;
}

/* Makes the item at a place of the ring weigh so much; 0: there is none. */
static void weigh(const Replay *replay, Lane *lane, size_t place, double weight) {
  if (!lane->mass) return;
  size_t node = replay->setup.quota + place;
  lane->mass[node] = weight;
  for (node /= 2; node > 0; node /= 2)
    lane->mass[node] = lane->mass[2 * node] + lane->mass[2 * node + 1];
}

/* Lets go of the oldest item. */
static void drop_oldest(Replay *replay, Lane *lane) {
  const size_t place = lane->begin++ % replay->setup.quota;
  Item *item = &lane->item[place];
  weigh(replay, lane, place, 0);
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
  lane->pending_repeats = 0;
  lane->highest = 0;
  if (!lane->created) return;
  batch_clear(&lane->pending);
  batch_clear(&lane->recent);
}

void replay_destroy(Replay *replay) {
  if (!replay) return;
  for (size_t i = 0; replay->lane && i < replay->setup.lanes; i++) {
    Lane *lane = &replay->lane[i];
    forget_lane(replay, lane);
    if (lane->created) batch_destroy(&lane->pending);
    if (lane->created) batch_destroy(&lane->recent);
    free(lane->item);
    free(lane->mass);
  }
  free(replay->lane);
  free(replay);
}

void replay_forget(Replay *replay) {
  for (size_t i = 0; i < replay->setup.lanes; i++)
    forget_lane(replay, &replay->lane[i]);
  replay->expected = 1;
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
    if (replay->lane[i].created) rows += replay->lane[i].pending.rows + replay->lane[i].recent.rows;
  return replay->bytes + rows * row_bytes(&replay->setup.format);
}

/* --- adding --- */

/* A lane's arrays are made when it is first used: most lanes are another rank's. */
static Status open_lane(Replay *replay, Lane *lane) {
  const ReplaySetup *setup = &replay->setup;
  if (!lane->item) TRY_RETURN(NEW_ARRAY(lane->item, setup->quota));
  if (!lane->mass && setup->exponent > 0) TRY_RETURN(NEW_ARRAY(lane->mass, 2 * setup->quota));
  if (lane->created) return OK;
  TRY_RETURN(batch_create(&setup->format, &lane->pending));
  Status status = batch_create(&setup->format, &lane->recent);
  if (status != OK) batch_destroy(&lane->pending);
  lane->created = status == OK;
  return status;
}

/* Puts an item behind the newest; its bytes are the lane's then. */
static void put_item(Replay *replay, Lane *lane, const Item *item) {
  if (lane->end - lane->begin == replay->setup.quota) drop_oldest(replay, lane);
  const size_t place = lane->end++ % replay->setup.quota;
  lane->item[place] = *item;
  weigh(replay, lane, place, pow(item->priority, replay->setup.exponent));
  replay->bytes += item->size;
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
  put_item(replay, lane, &(Item){data, bytes.size, replay->expected, lane->pending_repeats});
  batch_clear(&lane->pending);
  lane->pending_repeats = 0;
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

/* Lets go of the first unroll. */
static void drop_first(Batch *batch) {
  const size_t span = unroll_span(&batch->unroll[0]);
  for (size_t row = span; row < batch->rows; row++)
    batch_move_row(batch, row - span, row);
  for (size_t u = 1; u < batch->unrolls; u++) {
    batch_move_unroll(batch, u - 1, u);
    batch->unroll[u - 1].first -= (uint32_t)span;
  }
  batch->rows -= span;
  batch->unrolls--;
}

/* Decisions in all unrolls but the first `skip`. */
static size_t decisions(const Batch *batch, size_t skip) {
  size_t rows = 0;
  for (size_t u = skip; u < batch->unrolls; u++)
    rows += batch->unroll[u].rows;
  return rows;
}

/* The last unrolls, of which the next piece begins with as many as hold the overlap. */
static Status remember(const Replay *replay, Lane *lane, const Batch *batch, size_t index) {
  Batch *recent = &lane->recent;
  if (replay->setup.overlap == 0) return OK;
  TRY_RETURN(batch_append(recent, batch, index));
  while (decisions(recent, 1) >= replay->setup.overlap)
    drop_first(recent);
  return OK;
}

/* A piece begins that goes on from one that is full: with the end of that one, as far as there is
 * room for it before the unroll that comes. */
static Status begin_piece(const Replay *replay, Lane *lane, const Batch *batch, size_t index) {
  Batch *pending = &lane->pending;
  Batch *recent = &lane->recent;
  const size_t room = replay->setup.longest - batch->unroll[index].rows;
  while (recent->unrolls > 0 && decisions(recent, 0) > room)
    drop_first(recent);
  if (recent->unrolls == 0) return batch_append(pending, batch, index);
  TRY_RETURN(batch_append(pending, recent, 0));
  for (size_t u = 1; u < recent->unrolls; u++)
    TRY_RETURN(join(pending, recent, u));
  lane->pending_repeats = pending->unroll[0].rows;
  return join(pending, batch, index);
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
  if (!joins) batch_clear(&lane->recent);
  if (!fits) TRY_RETURN(finish_item(replay, lane));
  TRY_RETURN(fits ? join(pending, batch, index) : begin_piece(replay, lane, batch, index));
  TRY_RETURN(remember(replay, lane, batch, index));
  return next->end == END_OPEN ? OK : finish_item(replay, lane);
}

/* --- drawing --- */

/* Systematic sampling: the items of all lanes lie one behind another, the lanes in random order,
 * and the draws point at places that are equally far apart, with one random beginning. Each item is
 * as likely as any other (or as it is heavy), and a lane gets as many draws as it has items (or as
 * they weigh), but for less than one. */
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

/* A place of the ring drawn by what the items weigh: down the tree, to the side on which what is
 * left falls. Rounding may not lead to where nothing lies. */
static size_t pick(const Replay *replay, const Lane *lane, AgonRng *rng, double *chance) {
  const size_t quota = replay->setup.quota;
  const double *mass = lane->mass;
  double left = rng_unit(rng) * mass[1];
  size_t node = 1;
  while (node < quota) {
    const double first = mass[2 * node];
    const double second = mass[2 * node + 1];
    bool goes_on = second > 0 && (left >= first || first <= 0);
    if (goes_on) left -= first;
    node = 2 * node + goes_on;
  }
  *chance = mass[node] / mass[1];
  return node - quota;
}

/* Serial of the item that lies at a place of the ring. */
static uint64_t serial_at(const Replay *replay, const Lane *lane, size_t place) {
  const size_t quota = replay->setup.quota;
  const size_t first = lane->begin % quota;
  return lane->begin + (place + quota - first) % quota;
}

Status replay_draw(const Replay *replay, size_t index, AgonRng *rng, Batch *out, ReplayDraw *draw) {
  const Lane *lane = &replay->lane[index];
  size_t items = (size_t)(lane->end - lane->begin);
  INVARIANT(items > 0);
  *draw = (ReplayDraw){.lane = index, .chance = 1 / (double)items};
  if (lane->mass)
    draw->serial = serial_at(replay, lane, pick(replay, lane, rng, &draw->chance));
  else
    draw->serial = lane->begin + rng_below(rng, (uint32_t)items);
  INVARIANT(draw->serial < lane->end);
  const Item *item = item_at(replay, lane, draw->serial);
  draw->repeats = item->repeats;
  Reader reader = reader_over(item->data, item->size);
  return batch_decode(out, &reader);
}

/* --- priorities --- */

void replay_expect(Replay *replay, double priority) {
  INVARIANT(priority > 0);
  replay->expected = priority;
}

void replay_prefer(Replay *replay, const ReplayDraw *draw, double priority) {
  Lane *lane = &replay->lane[draw->lane];
  INVARIANT(priority > 0 && isfinite(priority));
  if (!lane->mass || draw->serial < lane->begin || draw->serial >= lane->end) return;
  item_at(replay, lane, draw->serial)->priority = priority;
  weigh(replay, lane, draw->serial % replay->setup.quota, pow(priority, replay->setup.exponent));
  if (priority > lane->highest) lane->highest = priority;
}

double replay_mass(const Replay *replay, size_t lane) {
  const double *mass = replay->lane[lane].mass;
  return mass ? mass[1] : 0;
}

double replay_highest(const Replay *replay, size_t lane) {
  return replay->lane[lane].highest;
}

/* --- checkpoints --- */

/* Of a lane. The first knew neither pieces that overlap nor the highest priority. */
enum { ENCODING_FIRST = 1, ENCODING = 2 };

static void encode_item(const Item *item, Bytes *out) {
  bytes_f64(out, item->priority);
  bytes_u32(out, item->repeats);
  bytes_u64(out, item->size);
  bytes_put(out, item->data, item->size);
}

/* Serial of the oldest, how many, the highest priority, then each; last what is pending, as a
 * batch, and the end of it as it came. */
void replay_encode(const Replay *replay, size_t index, Bytes *out) {
  const Lane *lane = &replay->lane[index];
  bool more = lane->created && lane->pending.unrolls > 0;
  bytes_u8(out, ENCODING);
  bytes_u64(out, lane->begin);
  bytes_u64(out, lane->end - lane->begin);
  bytes_f64(out, lane->highest);
  for (uint64_t s = lane->begin; s < lane->end; s++)
    encode_item(item_at(replay, lane, s), out);
  bytes_u8(out, more);
  if (!more) return;
  bytes_u32(out, lane->pending_repeats);
  batch_encode(&lane->pending, out);
  batch_encode(&lane->recent, out);
}

static Status damaged(size_t lane) {
  return status_set(ERR_FORMAT, "replay: lane %zu is damaged, or of other rows than this run's",
                    lane);
}

static bool is_priority(double value) {
  return isfinite(value) && value > 0;
}

/* One item; that it decodes is seen before it is kept. `pending` is scratch here. */
static Status decode_item(Replay *replay, Lane *lane, size_t index, bool first, Reader *reader) {
  Item item = {.priority = reader_f64(reader)};
  item.repeats = first ? 0 : reader_u32(reader);
  item.size = reader_count(reader, 1);
  const void *bytes = reader_take(reader, item.size);
  Reader inside = reader_over(bytes, bytes ? item.size : 0);
  if (reader->bad || !is_priority(item.priority)) return damaged(index);
  TRY_RETURN(batch_decode(&lane->pending, &inside));
  bool one = lane->pending.unrolls == 1 && inside.at == item.size;
  bool some = one && item.repeats < lane->pending.unroll[0].rows;
  batch_clear(&lane->pending);
  if (!some) return damaged(index);
  TRY_RETURN(NEW_ARRAY(item.data, item.size));
  memcpy(item.data, bytes, item.size);
  put_item(replay, lane, &item);
  return OK;
}

/* What is pending, and the end of it: whole unrolls, of which no more are kept than this run
 * needs. */
static Status decode_pending(const Replay *replay, Lane *lane, size_t index, bool first,
                             Reader *reader) {
  lane->pending_repeats = first ? 0 : reader_u32(reader);
  TRY_RETURN(batch_decode(&lane->pending, reader));
  if (!first) TRY_RETURN(batch_decode(&lane->recent, reader));
  if (lane->pending.unrolls != 1 || lane->pending_repeats >= lane->pending.unroll[0].rows)
    return damaged(index);
  if (decisions(&lane->recent, 0) > lane->pending.unroll[0].rows) return damaged(index);
  if (replay->setup.overlap == 0) batch_clear(&lane->recent);
  return OK;
}

/* The lane was emptied before. */
static Status decode_lane(Replay *replay, Lane *lane, size_t index, Reader *reader) {
  uint8_t encoding = reader_u8(reader);
  uint64_t begin = reader_u64(reader);
  size_t items = reader_count(reader, 16);
  if (!reader->bad && encoding != ENCODING && encoding != ENCODING_FIRST)
    return status_set(ERR_FORMAT,
                      "replay: lane %zu is kept in a way that this program does not know", index);
  bool first = encoding == ENCODING_FIRST;
  lane->highest = first ? 0 : reader_f64(reader);
  if (reader->bad || !isfinite(lane->highest) || lane->highest < 0 || begin > UINT64_MAX / 2)
    return damaged(index);
  lane->begin = lane->end = begin;
  for (size_t i = 0; i < items; i++)
    TRY_RETURN(decode_item(replay, lane, index, first, reader));
  uint8_t more = reader_u8(reader);
  if (reader->bad || more > 1) return damaged(index);
  return more ? decode_pending(replay, lane, index, first, reader) : OK;
}

Status replay_decode(Replay *replay, size_t index, Reader *reader) {
  Lane *lane = &replay->lane[index];
  forget_lane(replay, lane);
  TRY_RETURN(open_lane(replay, lane));
  Status status = decode_lane(replay, lane, index, reader);
  if (status != OK) forget_lane(replay, lane);
  return status;
}

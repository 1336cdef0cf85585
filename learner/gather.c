#include "learner/gather.h"

#include <stdlib.h>

struct Gather {
  Pace pace;
  uint64_t max_lag;
  const TrainState *state; /* borrowed: the player */
  Batch batch;
  Shards shards;
  uint64_t dropped;
  double gamma; /* of shaping, and its weight; 0: there is none */
  double shaping;
};

/* max_lag: pace free: versions that experience may be older than the weights it is learned by. On
 * failure nothing is left. */
Status gather_create(const RowFormat *format, Pace pace, uint64_t max_lag, Gather **out) {
  Status status = OK;
  Gather *gather = NULL;
  TRY(NEW_ARRAY(gather, 1));
  gather->pace = pace;
  gather->max_lag = max_lag;
  TRY(batch_create(format, &gather->batch));
  *out = gather;
  gather = NULL;
done:
  gather_destroy(gather);
  return status;
}

void gather_destroy(Gather *gather) {
  if (!gather) return;
  batch_destroy(&gather->batch);
  free(gather->shards.actor);
  free(gather->shards.unroll_end);
  free(gather);
}

void gather_shape(Gather *gather, double gamma, double weight) {
  gather->gamma = gamma;
  gather->shaping = weight;
}

/* Empties the batch for the player's next update. `state` is borrowed until the next
 * gather_begin. */
void gather_begin(Gather *gather, const TrainState *state) {
  gather->state = state;
  gather->shards.count = 0;
  gather->dropped = 0;
  batch_clear(&gather->batch);
}

Batch *gather_batch(Gather *gather) {
  return &gather->batch;
}

const Shards *gather_shards(const Gather *gather) {
  return &gather->shards;
}

uint64_t gather_dropped(const Gather *gather) {
  return gather->dropped;
}

/* Unrolls are of the player that they say, and not of its future. */
static Status check_unrolls(const Gather *gather, size_t from) {
  const TrainState *state = gather->state;
  for (size_t u = from; u < gather->batch.unrolls; u++) {
    const Unroll *unroll = &gather->batch.unroll[u];
    bool future = unroll->version > state->version || unroll->first_version > state->version;
    if (unroll->rows == 0)
      return status_set(ERR_FORMAT, "experience message: unroll %zu is empty", u - from);
    if (unroll->player != state->player || future)
      return status_set(ERR_FORMAT,
                        "experience message: unroll %zu is of version %llu of player %u, who is %u "
                        "at %llu",
                        u - from, (unsigned long long)unroll->version, unroll->player,
                        state->player, (unsigned long long)state->version);
  }
  return OK;
}

/* Leading decisions of an unroll that are not to be learned from: those of a former life, and in
 * pace free those that lag too far - but never the decision that an episode's end closes: ends are
 * what all other values rest on. */
static uint32_t stale_rows(const Gather *gather, const Unroll *unroll) {
  const TrainState *state = gather->state;
  for (uint32_t row = 0; row < unroll->rows; row++) {
    uint64_t version = unroll_version(unroll, row);
    bool former = unroll_life(unroll, row) != state->life || version < state->min_version;
    bool closes = row + 1 == unroll->rows && unroll->end != END_OPEN;
    bool late = gather->pace == PACE_FREE && version + gather->max_lag < state->version && !closes;
    if (!former && !late) return row;
  }
  return unroll->rows;
}

/* Marks what is stale of the unrolls from `from` on, and removes those that are stale as a
 * whole. */
static void drop_stale(Gather *gather, size_t from) {
  Batch *batch = &gather->batch;
  size_t kept = from;
  for (size_t u = from; u < batch->unrolls; u++) {
    Unroll *unroll = &batch->unroll[u];
    unroll->skip = stale_rows(gather, unroll);
    gather->dropped += batch_acts(batch, unroll->first, unroll->skip);
    if (unroll->skip == unroll->rows) continue;
    if (kept != u) batch_move_unroll(batch, kept, u);
    kept++;
  }
  batch->unrolls = kept;
}

/* Row by row: what follows the last one is the row that closes the unroll, or nothing. */
static void shape_unroll(const Gather *gather, const Unroll *unroll) {
  const Batch *batch = &gather->batch;
  const size_t cells = format_cells(&batch->format);
  const size_t last = unroll->first + unroll->rows - 1;
  for (size_t row = unroll->first; row <= last; row++) {
    const bool ends = row == last && unroll->end == END_TERMINATED;
    for (size_t cell = row * cells; cell < (row + 1) * cells; cell++) {
      const double now = (double)batch->potential[cell];
      const double next = ends ? 0 : (double)batch->potential[cell + cells];
      batch->reward[cell] =
          (float)((double)batch->reward[cell] + gather->shaping * (gather->gamma * next - now));
    }
  }
}

/* A shard of its own for each actor. */
static Status open_shard(Shards *shards, uint32_t actor) {
  size_t room = shards->room;
  if (shards->count && shards->actor[shards->count - 1] == actor) return OK;
  TRY_RETURN(GROW(shards->actor, room, shards->count + 1));
  room = shards->room;
  TRY_RETURN(GROW(shards->unroll_end, room, shards->count + 1));
  shards->room = room;
  shards->actor[shards->count++] = actor;
  return OK;
}

/* One actor's unrolls of one tick become a shard of the batch; rows of a former life, or too old,
 * are dropped. On failure the batch is of no use. */
Status gather_add(Gather *gather, const WireUnrolls *unrolls) {
  Shards *shards = &gather->shards;
  size_t from = gather->batch.unrolls;
  TRY_RETURN(unrolls_batch(unrolls, &gather->batch));
  TRY_RETURN(check_unrolls(gather, from));
  for (size_t u = from; gather->shaping > 0 && u < gather->batch.unrolls; u++)
    shape_unroll(gather, &gather->batch.unroll[u]);
  drop_stale(gather, from);
  TRY_RETURN(open_shard(shards, unrolls->actor));
  shards->unroll_end[shards->count - 1] = gather->batch.unrolls;
  return OK;
}

/* By how many versions the weights that acted are behind those that learn, on the average over
 * decisions. A carried row (row 0) may be of older weights than the rest of its unroll. */
double gather_lag(const Gather *gather) {
  const Batch *batch = &gather->batch;
  const uint64_t present = gather->state->version;
  double sum = 0;
  double decisions = 0;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    if (unroll->skip == unroll->rows) continue;
    size_t at = unroll->first + unroll->skip;
    double first = (double)batch_acts(batch, at, 1);
    /* all but the first are of the same weights */
    double others = (double)batch_acts(batch, at + 1, unroll->rows - unroll->skip - 1);
    sum += first * (double)(present - unroll_version(unroll, unroll->skip));
    sum += others * (double)(present - unroll->version);
    decisions += first + others;
  }
  return decisions > 0 ? sum / decisions : 0;
}

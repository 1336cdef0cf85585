#include "learner/rehearsal.h"

#include "base/invariant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DRAWS = 4095 /* of a batch: draw 4095 is the dealing itself */ };

const Option replay_options[] = {
    {"size", OPT_INT, offsetof(ReplayConfig, size), "5000", 1, 1 << 30, NULL, "episodes",
     "kept for each player, the newest of every slot alike; of longer ones, pieces"},
    {"longest", OPT_INT, offsetof(ReplayConfig, longest), "512", 1, 1 << 20, NULL, "steps",
     "of an episode that are kept together; the rest is a piece by itself"},
    {"batch", OPT_INT, offsetof(ReplayConfig, batch), "32", 1, MOST_DRAWS, NULL, "episodes",
     "that an optimiser step learns from"},
    {"warmup", OPT_INT, offsetof(ReplayConfig, warmup), "32", 1, 1 << 30, NULL, "episodes",
     "that must be there before the first optimiser step"},
    {"ratio", OPT_FLOAT, offsetof(ReplayConfig, ratio), "8", 0.001, 1000, NULL, "",
     "frames learned from for each frame acted: batches of 32 episodes, one for each that is "
     "played, are a ratio of 32"},
    {"burn_in", OPT_INT, offsetof(ReplayConfig, burn_in), "0", 0, 1 << 20, NULL, "steps",
     "at the beginning of a piece that only lead a recurrent net's memory up: they are not "
     "learned from"},
    {"saved", OPT_BOOL, offsetof(ReplayConfig, saved), "true", 0, 0, NULL, "",
     "in checkpoints; false: a job that goes on from one begins to collect anew, and does not "
     "repeat the run byte for byte"},
};
const size_t replay_option_count = COUNT_OF(replay_options);

struct Rehearsal {
  RehearsalSetup setup;
  Replay *replay;
  size_t lanes;
  /* (lanes + 1) items of each lane, then frames acted in the tick: this rank's, then all ranks' */
  float *count;
  uint32_t *order;   /* (lanes) scratch */
  uint32_t *lane_of; /* (batch) which lane each draw takes */
  Batch drawn;
  uint64_t acting; /* version of the weights as the tick's updates began */
  double owed;     /* frames to learn from */
  uint64_t draws;  /* batches drawn in this run */
  double acted;    /* frames of this rank since the last count */
  double items;    /* of all ranks */
  double all_acted;
};

size_t rehearsal_count(size_t slots, size_t teams) {
  return slots * teams + 1;
}

/* As even as it can be; small replays hold one item in every lane. */
size_t rehearsal_quota(const ReplayConfig *config, size_t training, size_t teams) {
  const size_t lanes = training * teams;
  return ((size_t)config->size + lanes - 1) / lanes;
}

Status rehearsal_create(const RehearsalSetup *setup, Rehearsal **out) {
  Status status = OK;
  Rehearsal *rehearsal = NULL;
  const ReplayConfig *config = setup->config;
  const size_t lanes = setup->slots * setup->teams;
  const ReplaySetup replay = {
      .format = setup->format,
      .lanes = lanes,
      .quota = rehearsal_quota(config, setup->training, setup->teams),
      .longest = (size_t)config->longest,
  };
  *out = NULL;
  TRY(NEW_ARRAY(rehearsal, 1));
  rehearsal->setup = *setup;
  rehearsal->lanes = lanes;
  TRY(NEW_ARRAY(rehearsal->count, rehearsal_count(setup->slots, setup->teams)));
  TRY(NEW_ARRAY(rehearsal->order, lanes));
  TRY(NEW_ARRAY(rehearsal->lane_of, (size_t)config->batch));
  TRY(batch_create(&setup->format, &rehearsal->drawn));
  TRY(replay_create(&replay, &rehearsal->replay));
  *out = rehearsal;
  rehearsal = NULL;
done:
  rehearsal_destroy(rehearsal);
  return status;
}

void rehearsal_destroy(Rehearsal *rehearsal) {
  if (!rehearsal) return;
  replay_destroy(rehearsal->replay);
  batch_destroy(&rehearsal->drawn);
  free(rehearsal->count);
  free(rehearsal->order);
  free(rehearsal->lane_of);
  free(rehearsal);
}

/* The seat of a slot. */
static size_t lane_of(const Rehearsal *rehearsal, const Unroll *unroll) {
  const RehearsalSetup *setup = &rehearsal->setup;
  return (size_t)unroll->slot * setup->teams + setup->team_of[unroll->agent];
}

void rehearsal_begin(Rehearsal *rehearsal, uint64_t version) {
  rehearsal->acting = version;
}

uint64_t rehearsal_acting(const Rehearsal *rehearsal) {
  return rehearsal->acting;
}

/* Frames are cells in which somebody acted, as everywhere. Slots beyond the job's are those of a
 * larger one, whose games are only played to their end. */
Status rehearsal_add(Rehearsal *rehearsal, const Batch *batch) {
  rehearsal->acted += (double)batch_learned(batch);
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    if (unroll->skip > 0 || unroll->slot >= rehearsal->setup.slots) continue;
    TRY_RETURN(replay_add(rehearsal->replay, lane_of(rehearsal, unroll), batch, u));
  }
  return OK;
}

float *rehearsal_counts(Rehearsal *rehearsal) {
  for (size_t i = 0; i < rehearsal->lanes; i++)
    rehearsal->count[i] = (float)replay_items(rehearsal->replay, i);
  rehearsal->count[rehearsal->lanes] = (float)rehearsal->acted;
  rehearsal->acted = 0;
  return rehearsal->count;
}

/* Nothing is owed for what was acted before the first batch could be drawn: else the first updates
 * would all be from the first episodes. */
void rehearsal_counted(Rehearsal *rehearsal) {
  const ReplayConfig *config = rehearsal->setup.config;
  rehearsal->items = 0;
  for (size_t i = 0; i < rehearsal->lanes; i++)
    rehearsal->items += (double)rehearsal->count[i];
  rehearsal->all_acted = (double)rehearsal->count[rehearsal->lanes];
  if (rehearsal->items >= (double)config->warmup)
    rehearsal->owed += rehearsal->all_acted * config->ratio;
}

bool rehearsal_due(const Rehearsal *rehearsal) {
  bool warm = rehearsal->items >= (double)rehearsal->setup.config->warmup;
  return warm && rehearsal->items > 0 && rehearsal->owed > 0;
}

/* The streams of a batch: one of each draw, and one that deals. */
static AgonRng stream_of(const Rehearsal *rehearsal, size_t draw) {
  const RehearsalSetup *setup = &rehearsal->setup;
  return rng_stream(setup->seed, setup->player << 12 | (uint32_t)draw, (uint32_t)rehearsal->draws,
                    RNG_REPLAY);
}

/* A piece of an episode begins with a memory that older weights have left: the first rows only lead
 * up to those that are learned from. */
static void mark_burn_in(Rehearsal *rehearsal, Unroll *unroll) {
  uint32_t burn = (uint32_t)rehearsal->setup.config->burn_in;
  if (unroll->fresh || rehearsal->setup.format.state == 0) burn = 0;
  unroll->skip = burn < unroll->rows ? burn : unroll->rows - 1;
}

/* Which lane each draw takes is known to all ranks; each draws from the lanes that are its own. */
Status rehearsal_draw(Rehearsal *rehearsal, const Batch **out) {
  const size_t batch = (size_t)rehearsal->setup.config->batch;
  Batch *drawn = &rehearsal->drawn;
  AgonRng deal = stream_of(rehearsal, MOST_DRAWS);
  INVARIANT(rehearsal_due(rehearsal));
  batch_clear(drawn);
  replay_deal(rehearsal->count, rehearsal->lanes, batch, &deal, rehearsal->order,
              rehearsal->lane_of);
  for (size_t d = 0; d < batch; d++) {
    const uint32_t lane = rehearsal->lane_of[d];
    AgonRng rng = stream_of(rehearsal, d);
    ReplayDraw draw;
    if (replay_items(rehearsal->replay, lane) == 0) continue;
    TRY_RETURN(replay_draw(rehearsal->replay, lane, 0, &rng, drawn, &draw));
    mark_burn_in(rehearsal, &drawn->unroll[drawn->unrolls - 1]);
  }
  rehearsal->draws++;
  *out = drawn;
  return OK;
}

void rehearsal_learned(Rehearsal *rehearsal, double frames) {
  rehearsal->owed -= frames > 0 ? frames : rehearsal->owed;
}

void rehearsal_forget(Rehearsal *rehearsal) {
  replay_forget(rehearsal->replay);
  rehearsal->owed = 0;
  rehearsal->acted = 0;
  rehearsal->items = 0;
}

uint64_t rehearsal_acted(const Rehearsal *rehearsal) {
  return (uint64_t)rehearsal->all_acted;
}

double rehearsal_items(const Rehearsal *rehearsal) {
  return rehearsal->items;
}

size_t rehearsal_bytes(const Rehearsal *rehearsal) {
  return replay_bytes(rehearsal->replay);
}

/* --- checkpoints --- */
size_t rehearsal_lanes(const Rehearsal *rehearsal) {
  return rehearsal->lanes;
}

/* Also the beginning of an episode that has not ended. */
bool rehearsal_has(const Rehearsal *rehearsal, size_t lane) {
  return replay_has(rehearsal->replay, lane);
}

void rehearsal_encode_lane(const Rehearsal *rehearsal, size_t lane, Bytes *out) {
  replay_encode(rehearsal->replay, lane, out);
}

Status rehearsal_decode_lane(Rehearsal *rehearsal, size_t lane, Reader *reader) {
  if (lane >= rehearsal->lanes)
    return status_set(ERR_FORMAT, "seat %zu of %zu", lane, rehearsal->lanes);
  return replay_decode(rehearsal->replay, lane, reader);
}

void rehearsal_encode(const Rehearsal *rehearsal, Bytes *out) {
  bytes_f64(out, rehearsal->owed);
  bytes_u64(out, rehearsal->draws);
  bytes_u64(out, rehearsal->acting);
}

Status rehearsal_decode(Rehearsal *rehearsal, Reader *reader) {
  rehearsal->owed = reader_f64(reader);
  rehearsal->draws = reader_u64(reader);
  rehearsal->acting = reader_u64(reader);
  if (!reader->bad && isfinite(rehearsal->owed)) return OK;
  return status_set(ERR_FORMAT, "what is owed to learn is damaged");
}

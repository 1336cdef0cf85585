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
     "at the beginning of a piece of an episode that only lead a recurrent net's memory up, and "
     "are not learned from: the end of the piece before it, in whole unrolls that hold so many. "
     "'longest' must hold them and one unroll more"},
    {"saved", OPT_BOOL, offsetof(ReplayConfig, saved), "true", 0, 0, NULL, "",
     "in checkpoints; false: a job that goes on from one begins to collect anew, and does not "
     "repeat the run byte for byte"},
    {"priority", OPT_FLOAT, offsetof(ReplayConfig, priority), "0", 0, 1, NULL, "",
     "alpha: episodes are drawn in proportion to their errors, when last learned from, to this "
     "power; 0 = all are equally likely"},
    {"importance", OPT_FLOAT, offsetof(ReplayConfig, importance), "0.4", 0, 1, NULL, "",
     "beta: losses of what is drawn more often count less, by how often to this power. It rises to "
     "1 over the run, when all counts as if drawn equally often"},
    {"priority_mix", OPT_FLOAT, offsetof(ReplayConfig, priority_mix), "0.9", 0, 1, NULL, "",
     "eta: an episode's error is so much of the largest of its steps', and for the rest of their "
     "mean"},
    {"priority_least", OPT_FLOAT, offsetof(ReplayConfig, priority_least), "0.001", 1e-9, 1e9, NULL,
     "", "added to an episode's error, so that each is drawn again some time"},
};
const size_t replay_option_count = COUNT_OF(replay_options);

struct Rehearsal {
  RehearsalSetup setup;
  Replay *replay;
  size_t lanes;
  bool weighed; /* items have priorities */
  /* Items of each lane (lanes); where they have priorities, what they weigh together (lanes), and
   * the highest that was given (lanes); then frames acted in the tick. This rank's, then all
   * ranks'. */
  float *count;
  uint32_t *order;   /* (lanes) scratch */
  uint32_t *lane_of; /* (batch) which lane each draw takes */
  Batch drawn;
  ReplayDraw *draw; /* (batch) of the unrolls of `drawn` */
  float *weight;    /* (batch) likewise: how much their losses count */
  float *error;     /* (batch, 2) */
  uint64_t acting;  /* version of the weights as the tick's updates began */
  double owed;      /* frames to learn from */
  uint64_t draws;   /* batches drawn in this run */
  double acted;     /* frames of this rank since the last count */
  bool counted;     /* in this tick */
  double items;     /* of all ranks */
  double mass;      /* likewise: what they weigh together */
  double expected;  /* priority of what is new: the highest of all ranks */
  double beta;      /* of the last batch */
  double all_acted;
};

size_t rehearsal_count(const ReplayConfig *config, size_t slots, size_t teams) {
  return slots * teams * (config->priority > 0 ? 3 : 1) + 1;
}

/* As even as it can be; small replays hold one item in every lane. */
size_t rehearsal_quota(const ReplayConfig *config, size_t training, size_t seats) {
  const size_t lanes = training * seats;
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
      .quota = rehearsal_quota(config, setup->training, setup->seats),
      .longest = (size_t)config->longest,
      .overlap = setup->recurrent ? (size_t)config->burn_in : 0,
      .exponent = config->priority,
  };
  const size_t batch = (size_t)config->batch;
  *out = NULL;
  TRY(NEW_ARRAY(rehearsal, 1));
  rehearsal->setup = *setup;
  rehearsal->lanes = lanes;
  rehearsal->weighed = config->priority > 0;
  rehearsal->expected = 1;
  TRY(NEW_ARRAY(rehearsal->count, rehearsal_count(config, setup->slots, setup->teams)));
  TRY(NEW_ARRAY(rehearsal->order, lanes));
  TRY(NEW_ARRAY(rehearsal->lane_of, batch));
  TRY(NEW_ARRAY(rehearsal->draw, batch));
  TRY(NEW_ARRAY(rehearsal->weight, batch));
  TRY(NEW_ARRAY(rehearsal->error, 2 * batch));
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
  free(rehearsal->draw);
  free(rehearsal->weight);
  free(rehearsal->error);
  free(rehearsal);
}

/* The seat of a slot. */
static size_t lane_of(const Rehearsal *rehearsal, const Unroll *unroll) {
  const RehearsalSetup *setup = &rehearsal->setup;
  return (size_t)unroll->slot * setup->teams + setup->team_of[unroll->agent];
}

void rehearsal_begin(Rehearsal *rehearsal, uint64_t version) {
  rehearsal->acting = version;
  rehearsal->counted = false;
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

/* The frames acted stand last. */
static float *acted_of(const Rehearsal *rehearsal) {
  return rehearsal->count + rehearsal->lanes * (rehearsal->weighed ? 3 : 1);
}

float *rehearsal_counts(Rehearsal *rehearsal) {
  const Replay *replay = rehearsal->replay;
  const size_t lanes = rehearsal->lanes;
  float *count = rehearsal->count;
  for (size_t i = 0; i < lanes; i++) {
    count[i] = (float)replay_items(replay, i);
    if (!rehearsal->weighed) continue;
    count[lanes + i] = (float)replay_mass(replay, i);
    count[2 * lanes + i] = (float)replay_highest(replay, i);
  }
  *acted_of(rehearsal) = (float)rehearsal->acted;
  rehearsal->acted = 0;
  return count;
}

/* What all items weigh, and the highest priority that any was given. */
static void take_priorities(Rehearsal *rehearsal) {
  const size_t lanes = rehearsal->lanes;
  const float *mass = rehearsal->count + lanes;
  const float *highest = mass + lanes;
  double most = 0;
  rehearsal->mass = 0;
  for (size_t i = 0; i < lanes; i++) {
    rehearsal->mass += (double)mass[i];
    most = fmax(most, (double)highest[i]);
  }
  if (most > 0) rehearsal->expected = most;
  replay_expect(rehearsal->replay, rehearsal->expected);
}

/* Nothing is owed for what was acted before the first batch could be drawn: else the first updates
 * would all be from the first episodes. */
void rehearsal_counted(Rehearsal *rehearsal) {
  const ReplayConfig *config = rehearsal->setup.config;
  rehearsal->items = 0;
  for (size_t i = 0; i < rehearsal->lanes; i++)
    rehearsal->items += (double)rehearsal->count[i];
  if (rehearsal->weighed) take_priorities(rehearsal);
  if (rehearsal->counted) return; /* again, in the same tick */
  rehearsal->counted = true;
  rehearsal->all_acted = (double)*acted_of(rehearsal);
  if (rehearsal->items >= (double)config->warmup)
    rehearsal->owed += rehearsal->all_acted * config->ratio;
}

bool rehearsal_recounts(const Rehearsal *rehearsal) {
  return rehearsal->weighed;
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
 * up to those that are learned from. Those are the rows that it repeats of the piece before it, all
 * of them and no others, as each row is learned from in one piece. Only where there is nothing to
 * repeat, as the beginning of the episode was never seen, rows are given up for it. */
static void mark_burn_in(const Rehearsal *rehearsal, const ReplayDraw *draw, Unroll *unroll) {
  const bool leads = rehearsal->setup.recurrent && !unroll->fresh;
  uint32_t burn = leads ? (uint32_t)rehearsal->setup.config->burn_in : 0;
  if (draw->repeats > 0) burn = draw->repeats;
  unroll->skip = burn < unroll->rows ? burn : unroll->rows - 1;
}

/* How much the losses of an item count: (N P)^-beta, of N items of which it is drawn with
 * probability P. That they are divided by the largest in the paper, so as never to lengthen a step,
 * is left to the update, which divides by their sum. */
static float weight_of(const Rehearsal *rehearsal, const ReplayDraw *draw) {
  const double mass = (double)rehearsal->count[rehearsal->lanes + draw->lane];
  const double chance = mass / rehearsal->mass * draw->chance;
  return (float)pow(rehearsal->items * chance, -rehearsal->beta);
}

/* An item of a lane of this rank, by draw d of the batch. */
static Status draw_item(Rehearsal *rehearsal, size_t d, uint32_t lane) {
  Batch *drawn = &rehearsal->drawn;
  AgonRng rng = stream_of(rehearsal, d);
  const size_t at = drawn->unrolls;
  ReplayDraw *draw = &rehearsal->draw[at];
  TRY_RETURN(replay_draw(rehearsal->replay, lane, &rng, drawn, draw));
  mark_burn_in(rehearsal, draw, &drawn->unroll[at]);
  rehearsal->weight[at] = rehearsal->weighed ? weight_of(rehearsal, draw) : 1;
  return OK;
}

/* Which lane each draw takes is known to all ranks; each draws from the lanes that are its own. */
Status rehearsal_draw(Rehearsal *rehearsal, double progress, Rehearsed *out) {
  const ReplayConfig *config = rehearsal->setup.config;
  const size_t batch = (size_t)config->batch;
  const size_t lanes = rehearsal->lanes;
  const float *share = rehearsal->count + (rehearsal->weighed ? lanes : 0);
  AgonRng deal = stream_of(rehearsal, MOST_DRAWS);
  INVARIANT(rehearsal_due(rehearsal));
  batch_clear(&rehearsal->drawn);
  rehearsal->beta = config->importance + progress * (1 - config->importance);
  replay_deal(share, lanes, batch, &deal, rehearsal->order, rehearsal->lane_of);
  for (size_t d = 0; d < batch; d++) {
    const uint32_t lane = rehearsal->lane_of[d];
    if (replay_items(rehearsal->replay, lane) == 0) continue;
    TRY_RETURN(draw_item(rehearsal, d, lane));
  }
  rehearsal->draws++;
  memset(rehearsal->error, 0, 2 * batch * sizeof *rehearsal->error);
  *out = (Rehearsed){.batch = &rehearsal->drawn,
                     .weight = rehearsal->weighed ? rehearsal->weight : NULL,
                     .error = rehearsal->weighed ? rehearsal->error : NULL};
  return OK;
}

/* Priorities of sequences (Kapturowski et al. 2019, section 2.3). One whose error is not finite
 * keeps that which it has: among the sums of priorities it would spoil all. */
static void prefer_drawn(Rehearsal *rehearsal) {
  const ReplayConfig *config = rehearsal->setup.config;
  const double mix = config->priority_mix;
  for (size_t u = 0; u < rehearsal->drawn.unrolls; u++) {
    const float *error = rehearsal->error + 2 * u;
    const double both = mix * (double)error[0] + (1 - mix) * (double)error[1];
    if (!isfinite(both)) continue;
    replay_prefer(rehearsal->replay, &rehearsal->draw[u], both + config->priority_least);
  }
}

void rehearsal_learned(Rehearsal *rehearsal, double frames) {
  rehearsal->owed -= frames > 0 ? frames : rehearsal->owed;
  if (rehearsal->weighed) prefer_drawn(rehearsal);
}

void rehearsal_forget(Rehearsal *rehearsal) {
  replay_forget(rehearsal->replay);
  rehearsal->owed = 0;
  rehearsal->acted = 0;
  rehearsal->items = 0;
  rehearsal->expected = 1;
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

double rehearsal_spread(const Rehearsal *rehearsal) {
  const double most = pow(rehearsal->expected, rehearsal->setup.config->priority);
  if (!rehearsal->weighed || rehearsal->mass <= 0) return 1;
  return most * rehearsal->items / rehearsal->mass;
}

double rehearsal_importance(const Rehearsal *rehearsal) {
  return rehearsal->beta;
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
  bytes_f64(out, rehearsal->expected);
}

/* Earlier programs knew no priorities. */
Status rehearsal_decode(Rehearsal *rehearsal, Reader *reader) {
  rehearsal->owed = reader_f64(reader);
  rehearsal->draws = reader_u64(reader);
  rehearsal->acting = reader_u64(reader);
  rehearsal->expected = reader->bad || reader->at == reader->size ? 1 : reader_f64(reader);
  bool some = isfinite(rehearsal->expected) && rehearsal->expected > 0;
  if (reader->bad || !some || !isfinite(rehearsal->owed))
    return status_set(ERR_FORMAT, "what is owed to learn is damaged");
  replay_expect(rehearsal->replay, rehearsal->expected);
  return OK;
}

/* An update: batch, targets, then minibatches of forward, loss, backward, sum over members and a step of Adam. A state
 * machine, because sums take time. Shards, each in an order of its own, are dealt out to an epoch's minibatches like
 * one pack of cards, over all members: the same rows meet on any number of members, and none is empty while units last.
 */
#include "learner/train/moments.h"

#include "base/hash.h"
#include "base/invariant.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PASS_ROWS = 512 /* activations of a pass stay in cache */, CHUNK = 16384 /* floats worth a sum of their own */ };

/* --- life cycle --- */
Status trainer_create(const Net *net, const LearnConfig *config, const AlgoOps *algo, const void *algo_config,
                      uint64_t seed, const Reducer *reducer, Trainer **out) {
  Status status = OK;
  Trainer *trainer;
  TRY_RETURN(NEW_ARRAY(trainer, 1));
  *trainer = (Trainer){.net = net,
                       .config = config,
                       .algo = algo,
                       .algo_config = algo_config,
                       .seed = seed,
                       .clock = clock_system(),
                       .reducer = {.members = 1}};
  if (reducer) trainer->reducer = *reducer;
  size_t opening = trainer_opening(net, trainer->reducer.members);
  trainer->moment_count = opening > moments_count(net) ? opening : moments_count(net);
  TRY(NEW_ARRAY(trainer->gradient, net->graph.params + TRAINER_SCALARS));
  TRY(NEW_ARRAY(trainer->moments, trainer->moment_count));
  TRY(NEW_ARRAY(trainer->centre, net->observation_count));
  TRY(NEW_ARRAY(trainer->gap, 2 * net->observation_count));
  trainer->packed = net_pack_create(net, true);
  if (!trainer->packed) TRY(status_set(ERR_MEMORY, "out of memory packing a network"));
done:
  if (status != OK) {
    trainer_destroy(trainer);
    trainer = NULL;
  }
  *out = trainer;
  return status;
}

void trainer_destroy(Trainer *trainer) {
  if (!trainer) return;
  space_destroy(&trainer->space);
  layout_free(&trainer->all);
  layout_free(&trainer->learned);
  free(trainer->packed);
  free(trainer->moments);
  free(trainer->centre);
  free(trainer->gap);
  free(trainer->pull);
  free(trainer->log_prob_now);
  free(trainer->value_now);
  free(trainer->advantage);
  free(trainer->target);
  free(trainer->discount);
  free(trainer->is_learned);
  free(trainer->reference_row);
  free(trainer->before_row);
  free(trainer->states);
  free(trainer->order);
  free(trainer->gradient);
  free(trainer->logits);
  free(trainer->probability);
  free(trainer->value);
  free(trainer->d_logits);
  free(trainer->d_value);
  free(trainer->rows_of);
  free(trainer->restarts);
  free(trainer->raw);
  free(trainer->mask);
  free(trainer);
}

static Status reserve_rows(Trainer *trainer, size_t rows) {
  size_t room[7];
  for (int i = 0; i < 7; i++) room[i] = trainer->row_room;
  TRY_RETURN(GROW(trainer->log_prob_now, room[0], rows));
  TRY_RETURN(GROW(trainer->value_now, room[1], rows));
  TRY_RETURN(GROW(trainer->advantage, room[2], rows));
  TRY_RETURN(GROW(trainer->target, room[3], rows));
  TRY_RETURN(GROW(trainer->discount, room[4], rows));
  TRY_RETURN(GROW(trainer->is_learned, room[5], rows));
  TRY_RETURN(GROW(trainer->pull, room[6], rows));
  trainer->row_room = room[0];
  return OK;
}

static Status reserve_scratch(Trainer *trainer, size_t rows) {
  if (rows <= trainer->scratch_rows) return OK;
  const Net *net = trainer->net;
  size_t line = net->space.width * sizeof(float);
  struct {
    void *column;
    size_t size;
  } columns[] = {{&trainer->logits, line},
                 {&trainer->probability, line},
                 {&trainer->d_logits, line},
                 {&trainer->value, sizeof(float)},
                 {&trainer->d_value, sizeof(float)},
                 {&trainer->rows_of, sizeof(int32_t)},
                 {&trainer->restarts, sizeof(int32_t)},
                 {&trainer->mask, net->space.choices},
                 {&trainer->raw, net->observation_count * (net->observation_type == AGON_U8 ? 1 : 4)}};
  size_t room = 0;
  for (size_t i = 0; i < COUNT_OF(columns); i++) {
    room = trainer->scratch_rows;
    TRY_RETURN(mem_grow(columns[i].column, &room, rows, columns[i].size));
  }
  trainer->scratch_rows = room;
  space_destroy(&trainer->space);
  return space_create(&net->graph, room, true, &trainer->space);
}

static Status lay_out(Trainer *trainer) {
  const Batch *batch = trainer->batch;
  size_t S = trainer->net->graph.state_size, T = (size_t)trainer->config->longest;
  if (S == 0) {
    TRY_RETURN(layout_rows(&trainer->all, batch, trainer->shards, false));
    return layout_rows(&trainer->learned, batch, trainer->shards, true);
  }
  TRY_RETURN(layout_sequences(&trainer->all, batch, trainer->shards, T));
  TRY_RETURN(layout_sequences(&trainer->learned, batch, trainer->shards, T));
  TRY_RETURN(GROW(trainer->states, trainer->states_room, (batch->unrolls + 1) * S));
  memset(trainer->states, 0, S * sizeof(float));
  if (batch->unrolls) memcpy(trainer->states + S, batch->state, batch->unrolls * S * sizeof(float));
  return OK;
}

/* Adds what has passed since *since to *spent. */
static void charge(Trainer *trainer, int64_t *since, int64_t *spent) {
  int64_t now = clock_now(&trainer->clock);
  *spent += now - *since;
  *since = now;
}

/* --- passes --- */
/* Brings `count` units (by index list, NULL = from `first` on) into the network's input. forget: sequences start from
 * state zero, not from the acting policy's. */
static Status gather(Trainer *trainer, const Layout *layout, const uint32_t *unit, size_t first, size_t count,
                     const float *block, bool forget, Sequences *seq) {
  const Batch *batch = trainer->batch;
  size_t T = layout->T, bytes = batch->format.observation_bytes, choices = batch->format.choices;
  TRY_RETURN(reserve_scratch(trainer, count ? count * T : 1));
  for (size_t t = 0; t < T; t++)
    for (size_t b = 0; b < count; b++) {
      size_t cell = (unit ? unit[first + b] : first + b) * T + t, at = t * count + b;
      int32_t row = layout->row[cell];
      trainer->rows_of[at] = row;
      trainer->restarts[at] = forget && layout->restart[cell] > 0 ? 0 : layout->restart[cell];
      if (row >= 0) {
        memcpy(trainer->raw + at * bytes, batch->observation + (size_t)row * bytes, bytes);
        memcpy(trainer->mask + at * choices, batch->mask + (size_t)row * choices, choices);
      } else {
        memset(trainer->raw + at * bytes, 0, bytes);
        memset(trainer->mask + at * choices, 1, choices);
      }
    }
  *seq = (Sequences){
      .B = count, .T = T, .restart = trainer->restarts, .states = trainer->states, .S = trainer->net->graph.state_size};
  net_load(trainer->net, block, trainer->raw, count * T, &trainer->space);
  return OK;
}

static const AgonAction *action_at(const Batch *batch, size_t row, AgonAction *copy) {
  memcpy(copy, batch->action + row * batch->format.heads, batch->format.heads * sizeof(int32_t));
  return copy;
}

static size_t units_per_pass(const Layout *layout) {
  size_t units = PASS_ROWS / layout->T;
  return units ? units : 1;
}

/* Every row through `block`: log-probabilities of the actions and values, or (rows_out) whole normalised rows. */
static Status evaluate(Trainer *trainer, const float *block, float *rows_out) {
  const Net *net = trainer->net;
  const Batch *batch = trainer->batch;
  const Layout *layout = &trainer->all;
  size_t W = net->space.width, step = units_per_pass(layout);
  net_pack(net, block, true, trainer->packed);
  for (size_t first = 0; first < layout->units; first += step) {
    size_t count = layout->units - first < step ? layout->units - first : step;
    Sequences seq;
    TRY_RETURN(gather(trainer, layout, NULL, first, count, block, block == trainer->pupil->reference, &seq));
    net_forward(net, block, trainer->packed, &trainer->space, &seq, trainer->logits, trainer->value, NULL);
    dist_normalise_rows(&net->space, trainer->logits, trainer->mask, count * layout->T, trainer->logits);
    for (size_t at = 0; at < count * layout->T; at++) {
      int32_t row = trainer->rows_of[at];
      if (row < 0) continue;
      AgonAction action;
      const float *line = trainer->logits + at * W;
      if (rows_out) {
        memcpy(rows_out + (size_t)row * W, line, W * sizeof *line);
        continue;
      }
      trainer->log_prob_now[row] = dist_log_prob(&net->space, line, action_at(batch, (size_t)row, &action));
      trainer->value_now[row] = trainer->value[at];
    }
  }
  return OK;
}

/* The reference has no recurrent state of its own at the beginning of an unroll: it starts from none, and the decisions
 * in which it finds its own leave their pull to the rest. */
static void mark_pull(Trainer *trainer, const Unroll *unroll) {
  uint32_t n = unroll->rows - unroll->skip, burn = (uint32_t)trainer->config->reference_burn;
  if (unroll->fresh || trainer->net->graph.state_size == 0) burn = 0;
  burn = burn > unroll->skip ? burn - unroll->skip : 0;
  if (burn > n / 2) burn = n / 2;
  for (uint32_t t = 0; t < unroll->rows; t++)
    trainer->pull[unroll->first + t] = t < unroll->skip + burn ? 0 : (float)n / (float)(n - burn);
}

static bool normalises(const Trainer *trainer) {
  int choice = trainer->config->normalise_advantages;
  return choice == CHOICE_AUTO ? trainer->algo->normalises : choice == CHOICE_TRUE;
}

static void mark_rows(Trainer *trainer) {
  const Batch *batch = trainer->batch;
  memset(trainer->is_learned, 0, batch->rows * sizeof(bool));
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    mark_pull(trainer, unroll);
    for (size_t t = 0; t < unroll->rows; t++) {
      trainer->is_learned[unroll->first + t] = t >= unroll->skip;
      bool last = t + 1 == unroll->rows;
      trainer->discount[unroll->first + t] =
          last && unroll->end == END_TERMINATED ? 0.0f : (float)trainer->config->gamma;
    }
  }
}

/* Each shard in a random order of its own: stream (player and actor; epochs so far). */
static void shuffle(Trainer *trainer) {
  const Layout *layout = &trainer->learned;
  for (size_t s = 0, first = 0; s < layout->shards; first = layout->shard_end[s++]) {
    AgonRng rng = rng_stream(trainer->seed, trainer->pupil->player << 18 | (trainer->shards->actor[s] & 0x3ffff),
                             (uint32_t)(trainer->pupil->version * trainer->epochs + trainer->epoch), RNG_BATCH);
    uint32_t *order = trainer->order + first;
    for (size_t i = layout->shard_end[s] - first; i > 1; i--) {
      size_t j = rng_below(&rng, (uint32_t)i);
      uint32_t swap = order[i - 1];
      order[i - 1] = order[j];
      order[j] = swap;
    }
  }
}

/* --- what opens an update --- */
/* Each member writes to its own place and adds 0 to the others': what is summed arrives as it was sent, and float32
 * carries means of any size. Then come a digest of the weights, which every member must share, the caller's votes, and
 * the observations' sums. */
typedef struct Opening {
  float units, rows;
  float advantage[2], advantage_squares; /* mean in two parts, sum of squares around it */
  float target[2], target_squares;
} Opening;

static Opening *opening_of(const Trainer *trainer, size_t member) { return (Opening *)trainer->moments + member; }
static float *digest_of(const Trainer *trainer) { return (float *)opening_of(trainer, trainer->reducer.members); }
static float *votes_of(const Trainer *trainer) { return digest_of(trainer) + 1; }
static float *sums_of(const Trainer *trainer) { return votes_of(trainer) + TRAINER_VOTES; }

size_t trainer_opening(const Net *net, size_t members) {
  return members * sizeof(Opening) / sizeof(float) + 1 + TRAINER_VOTES + (net->scale_at ? net->observation_count : 0);
}

static Spread spread_of(const Trainer *trainer, const float *column) {
  Spread spread = {0};
  double sum = 0;
  for (size_t r = 0; r < trainer->batch->rows; r++) {
    if (!trainer->is_learned[r]) continue;
    sum += (double)column[r];
    spread.count++;
  }
  spread.mean = spread.count > 0 ? sum / spread.count : 0;
  for (size_t r = 0; r < trainer->batch->rows; r++) {
    double gap = (double)column[r] - spread.mean;
    if (trainer->is_learned[r]) spread.squares += gap * gap;
  }
  return spread;
}

static void put_spread(const Spread *spread, float mean[2], float *squares) {
  mean[0] = (float)spread->mean;
  mean[1] = (float)(spread->mean - (double)mean[0]);
  *squares = (float)spread->squares;
}

/* Chan et al. 1983: two parts' moments make those of the whole. */
static void join_spread(Spread *all, double count, const float mean[2], float squares) {
  double sum = all->count + count, gap = (double)mean[0] + (double)mean[1] - all->mean;
  if (count <= 0) return;
  all->squares += (double)squares + gap * gap * all->count * count / sum;
  all->mean += gap * count / sum;
  all->count = sum;
}

static void gather_opening(Trainer *trainer) {
  memset(trainer->moments, 0, trainer->moment_count * sizeof(float));
  Opening *own = opening_of(trainer, trainer->reducer.self);
  Spread advantages = spread_of(trainer, trainer->advantage), targets = spread_of(trainer, trainer->target);
  own->units = (float)trainer->learned.units;
  own->rows = (float)advantages.count;
  put_spread(&advantages, own->advantage, &own->advantage_squares);
  put_spread(&targets, own->target, &own->target_squares);
  trainer->digest = 0;
  if (trainer->reducer.members > 1)
    trainer->digest = (float)(hash_bytes(trainer->pupil->block, trainer->net->block * sizeof(float)).low & 0xfff);
  *digest_of(trainer) = trainer->digest;
  memcpy(votes_of(trainer), trainer->vote, sizeof trainer->vote);
  moments_open(trainer, sums_of(trainer));
}

static Status use_opening(Trainer *trainer) {
  const Reducer *reducer = &trainer->reducer;
  memcpy(trainer->vote, votes_of(trainer), sizeof trainer->vote);
  if (reducer->members > 1 && *digest_of(trainer) != trainer->digest * (float)reducer->members)
    return status_set(
        ERR_INTERNAL,
        "player %u: the learner ranks' copies of it differ; all hosts must run the same build with the same "
        "kernels (set kernels=avx2, say, for processors of several kinds)",
        trainer->pupil->player);
  trainer->advantages = trainer->targets = (Spread){0};
  trainer->dealt = 0;
  for (size_t m = 0; m < reducer->members; m++) {
    const Opening *part = opening_of(trainer, m);
    if (m < reducer->self) trainer->dealt += (size_t)part->units;
    join_spread(&trainer->advantages, (double)part->rows, part->advantage, part->advantage_squares);
    join_spread(&trainer->targets, (double)part->rows, part->target, part->target_squares);
  }
  moments_centre(trainer, sums_of(trainer));
  return OK;
}

/* To mean 0 and deviation 1 - but never what is left of equal numbers by rounding. */
static void normalise_advantages(Trainer *trainer) {
  const Spread *all = &trainer->advantages;
  double deviation = sqrt(all->squares / all->count), least = 8 * (double)FLT_EPSILON * fabs(all->mean) + 1e-8;
  for (size_t r = 0; r < trainer->batch->rows; r++)
    trainer->advantage[r] = (float)(((double)trainer->advantage[r] - all->mean) / fmax(deviation, least));
}

static Status start_sum(Trainer *trainer, float *values, size_t count, TrainerPhase phase) {
  trainer->phase = phase;
  if (trainer->reducer.members == 1 || count == 0) return OK;
  trainer->waiting = clock_now(&trainer->clock);
  return trainer->reducer.start(trainer->reducer.context, values, count);
}

static Status test_sum(Trainer *trainer, bool *done) {
  *done = true;
  if (trainer->reducer.members > 1) TRY_RETURN(trainer->reducer.test(trainer->reducer.context, done));
  if (*done && trainer->waiting) charge(trainer, &trainer->waiting, &trainer->times.reduce);
  if (*done) trainer->waiting = 0;
  return OK;
}

Status trainer_begin(Trainer *trainer, Pupil *pupil, Batch *batch, const Shards *shards) {
  bool look;
  int64_t since = clock_now(&trainer->clock);
  trainer->pupil = pupil;
  trainer->batch = batch;
  if (!shards) {
    trainer->whole_end = batch->unrolls;
    trainer->whole = (Shards){.actor = &trainer->whole_actor, .unroll_end = &trainer->whole_end, .count = 1};
    shards = &trainer->whole;
  }
  trainer->shards = shards;
  trainer->stats = (AlgoStats){0};
  trainer->stopped = false;
  trainer->waiting = 0;
  TRY_RETURN(reserve_rows(trainer, batch->rows + 1));
  TRY_RETURN(lay_out(trainer));
  mark_rows(trainer);
  trainer->algo->plan(trainer, &trainer->epochs, &trainer->minibatches, &look);
  if (look) TRY_RETURN(evaluate(trainer, pupil->block, NULL));
  trainer->algo->targets(trainer);
  if (trainer->config->reference > 0 || trainer->config->reference_end > 0) {
    TRY_RETURN(GROW(trainer->reference_row, trainer->reference_room, batch->rows * trainer->net->space.width));
    TRY_RETURN(evaluate(trainer, pupil->reference, trainer->reference_row));
  }
  if (trainer->algo->proximal) {
    TRY_RETURN(GROW(trainer->before_row, trainer->before_room, batch->rows * trainer->net->space.width));
    TRY_RETURN(evaluate(trainer, pupil->block, trainer->before_row));
  }
  net_pack(trainer->net, pupil->block, true, trainer->packed);
  TRY_RETURN(GROW(trainer->order, trainer->order_room, trainer->learned.units));
  for (size_t i = 0; i < trainer->learned.units; i++) trainer->order[i] = (uint32_t)i;
  trainer->epoch = trainer->at = 0;
  shuffle(trainer);
  gather_opening(trainer);
  charge(trainer, &since, &trainer->times.batch);
  return start_sum(trainer, trainer->moments, trainer_opening(trainer->net, trainer->reducer.members), TRAIN_MOMENTS);
}

/* --- losses --- */
/* Sums that travel behind the gradient, in this order. */
typedef struct Sums {
  float rows, policy, value, entropy, kl, kl_reference, clipped, spare;
} Sums;
_Static_assert(sizeof(Sums) == TRAINER_SCALARS * sizeof(float), "sums travel as floats");

/* Derivatives of all rows of a pass into d_logits and d_value, summed over rows. */
static void pass_losses(Trainer *trainer, size_t rows, Sums *sums) {
  const Net *net = trainer->net;
  const Batch *batch = trainer->batch;
  const LearnConfig *config = trainer->config;
  size_t W = net->space.width;
  float entropy_weight = (float)learn_schedule(config, trainer->pupil, config->entropy, config->entropy_end);
  float reference_weight = (float)learn_schedule(config, trainer->pupil, config->reference, config->reference_end);
  float proximal = trainer->algo->proximal ? (float)trainer->algo->proximal(trainer) : 0;
  float unit = trainer->pupil->block[net->return_at + 1], value_weight = (float)config->value_weight / (unit * unit);
  dist_normalise_rows(&net->space, trainer->logits, trainer->mask, rows, trainer->logits);
  dist_probabilities(&net->space, trainer->logits, rows, trainer->probability);
  for (size_t at = 0; at < rows; at++) {
    int32_t row = trainer->rows_of[at];
    float *d = trainer->d_logits + at * W;
    const float *line = trainer->logits + at * W, *probability = trainer->probability + at * W;
    if (row < 0 || !trainer->is_learned[row]) {
      memset(d, 0, W * sizeof(float));
      trainer->d_value[at] = 0;
      continue;
    }
    AgonAction action;
    action_at(batch, (size_t)row, &action);
    float pull = reference_weight > 0 ? trainer->pull[row] : 0;
    const float *reference = pull > 0 ? trainer->reference_row + (size_t)row * W : NULL;
    RowLoss loss =
        trainer->algo->row(trainer, (size_t)row, dist_log_prob(&net->space, line, &action), trainer->value[at]);
    float entropy = dist_backward(&net->space, line, probability, reference, &action, loss.by_log_prob, -entropy_weight,
                                  reference_weight * pull, d);
    if (proximal > 0) dist_add_kl(&net->space, line, probability, trainer->before_row + (size_t)row * W, proximal, d);
    trainer->d_value[at] = loss.by_value * value_weight;
    sums->policy += loss.policy_loss;
    sums->value += loss.value_loss / (unit * unit);
    sums->entropy += entropy;
    sums->kl += loss.ratio - 1 - loss.log_ratio;
    if (reference) sums->kl_reference += pull * dist_kl(&net->space, line, reference);
    sums->clipped += loss.clipped;
    sums->rows++;
  }
}

/* --- minibatches --- */
/* The upper layers' sums start while the lower layers are still computed. */
static void gradient_done(void *context, size_t offset) {
  Trainer *trainer = context;
  if (trainer->summed - offset < CHUNK && offset > 0) return;
  if (trainer->failed == OK)
    trainer->failed =
        trainer->reducer.start(trainer->reducer.context, trainer->gradient + offset, trainer->summed - offset);
  trainer->summed = offset;
}

/* This member's part of the gradient of minibatch `at`, summed over rows, with its scalars. */
static Status add_gradient(Trainer *trainer) {
  const Net *net = trainer->net;
  const Layout *layout = &trainer->learned;
  size_t params = net->graph.params, step = units_per_pass(layout), count = 0, T = layout->T;
  uint32_t *unit = trainer->order + layout->units; /* this minibatch's units, gathered behind the orders */
  int64_t since = clock_now(&trainer->clock);
  Sums sums = {0};
  TRY_RETURN(GROW(trainer->order, trainer->order_room, 2 * layout->units));
  unit = trainer->order + layout->units;
  size_t M = trainer->minibatches, skip = (trainer->at + M - trainer->dealt % M) % M;
  for (size_t i = skip; i < layout->units; i += M) unit[count++] = trainer->order[i];
  memset(trainer->gradient, 0, (params + TRAINER_SCALARS) * sizeof(float));
  trainer->summed = params + TRAINER_SCALARS;
  bool several = trainer->reducer.members > 1;
  for (size_t at = 0; at < count || (several && at == 0); at += step) { /* no rows: the same sums in the same order */
    size_t units = count - at < step ? count - at : step;
    bool last = at + units == count && several;
    Sequences seq;
    TRY_RETURN(gather(trainer, layout, unit, at, units, trainer->pupil->block, false, &seq));
    charge(trainer, &since, &trainer->times.batch);
    net_forward(net, trainer->pupil->block, trainer->packed, &trainer->space, &seq, trainer->logits, trainer->value,
                NULL);
    charge(trainer, &since, &trainer->times.forward);
    pass_losses(trainer, units * T, &sums);
    if (last) memcpy(trainer->gradient + params, &sums, sizeof sums);
    charge(trainer, &since, &trainer->times.loss);
    net_backward(net, trainer->pupil->block, trainer->packed, trainer->gradient, &trainer->space, &seq,
                 trainer->d_logits, trainer->d_value, last ? gradient_done : NULL, trainer);
    charge(trainer, &since, &trainer->times.backward);
  }
  if (!several) memcpy(trainer->gradient + params, &sums, sizeof sums);
  return OK;
}

static Status start_minibatch(Trainer *trainer) {
  TRY_RETURN(add_gradient(trainer));
  TRY_RETURN(trainer->failed);
  trainer->phase = TRAIN_GRADIENT;
  if (trainer->reducer.members == 1) return OK;
  trainer->waiting = clock_now(&trainer->clock);
  if (trainer->summed == 0) return OK;
  return trainer->reducer.start(trainer->reducer.context, trainer->gradient, trainer->summed);
}

static Status optimise(Trainer *trainer) {
  const Net *net = trainer->net;
  const LearnConfig *config = trainer->config;
  Pupil *pupil = trainer->pupil;
  int64_t since = clock_now(&trainer->clock);
  Sums sums;
  memcpy(&sums, trainer->gradient + net->graph.params, sizeof sums);
  if (sums.rows <= 0) return OK;
  double each = 1.0 / (double)sums.rows, norm = gradient_norm(trainer->gradient, net->graph.params) * each;
  if (!isfinite(norm))
    return status_set(ERR_INTERNAL, "player %u: the gradient is not finite after %llu updates; lower learner.rate",
                      pupil->player, (unsigned long long)pupil->version);
  double clip = config->clip_norm > 0 && norm > config->clip_norm ? config->clip_norm / norm : 1.0;
  Adam adam = {0.9f, 0.999f, (float)config->epsilon};
  trainer->stats.rate = learn_schedule(config, pupil, config->rate, config->rate_end);
  adam_step(&adam, pupil->block, pupil->m, pupil->v, trainer->gradient, net->graph.params, ++pupil->steps,
            (float)trainer->stats.rate, (float)(clip * each));
  net_pack(net, pupil->block, true, trainer->packed);
  AlgoStats *stats = &trainer->stats;
  stats->policy_loss += (double)sums.policy * each;
  stats->value_loss += (double)sums.value * each;
  stats->entropy += (double)sums.entropy * each;
  stats->kl += (double)sums.kl * each;
  stats->kl_reference += (double)sums.kl_reference * each;
  stats->clipped += (double)sums.clipped * each;
  stats->gradient_norm += norm;
  stats->minibatches++;
  trainer->stopped = trainer->algo->stop(trainer, (double)sums.kl * each);
  charge(trainer, &since, &trainer->times.optimise);
  return OK;
}

static void finish_update(Trainer *trainer) {
  const Net *net = trainer->net;
  Pupil *pupil = trainer->pupil;
  double n = trainer->stats.minibatches;
  double *value[] = {&trainer->stats.policy_loss,  &trainer->stats.value_loss,   &trainer->stats.entropy,
                     &trainer->stats.kl,           &trainer->stats.kl_reference, &trainer->stats.clipped,
                     &trainer->stats.gradient_norm};
  for (size_t i = 0; i < COUNT_OF(value) && n > 0; i++) *value[i] /= n;
  uint64_t learned = (uint64_t)trainer->advantages.count;
  trainer->stats.rows = (double)learned;
  moments_apply(trainer, trainer->moments);
  INVARIANT(finite_floats(pupil->block, net->block) && pupil->min_version <= pupil->version);
  pupil->version++;
  pupil->frames += learned;
  pupil->life_frames += learned;
  if (trainer->config->average > 0) { /* a young average forgets its first, poor members sooner */
    double age = (double)pupil->steps, keep = fmin(trainer->config->average, (age + 1) / (age + 10));
    for (size_t i = 0; i < net->block; i++)
      pupil->average[i] += (float)(1 - keep) * (pupil->block[i] - pupil->average[i]);
  }
  int64_t every = trainer->config->reference_every;
  if (every > 0 && pupil->version % (uint64_t)every == 0)
    memcpy(pupil->reference, pupil_snapshot(trainer->config, pupil), net->block * sizeof(float));
}

static Status start_stats(Trainer *trainer) {
  int64_t since = clock_now(&trainer->clock);
  moments_gather(trainer, trainer->moments);
  charge(trainer, &since, &trainer->times.batch);
  return start_sum(trainer, trainer->moments, moments_count(trainer->net), TRAIN_STATS);
}

static Status after_minibatch(Trainer *trainer) {
  TRY_RETURN(optimise(trainer));
  if (++trainer->at == trainer->minibatches) {
    trainer->at = 0;
    trainer->epoch++;
    if (trainer->epoch < trainer->epochs) shuffle(trainer);
  }
  if (!trainer->stopped && trainer->epoch < trainer->epochs) {
    trainer->phase = TRAIN_MINIBATCH;
    return OK;
  }
  return start_stats(trainer);
}

Status trainer_step(Trainer *trainer, bool *more, bool *progress) {
  bool done = true;
  *more = true;
  *progress = true;
  if (trainer->phase == TRAIN_MINIBATCH) {
    TRY_RETURN(start_minibatch(trainer));
    if (trainer->reducer.members > 1) return OK;
  }
  TRY_RETURN(test_sum(trainer, &done));
  *progress = done;
  if (!done) return OK;
  switch (trainer->phase) {
  case TRAIN_MOMENTS:
    TRY_RETURN(use_opening(trainer));
    if (trainer->advantages.count <= 0) return start_stats(trainer); /* nobody has experience: a version all the same */
    if (normalises(trainer)) normalise_advantages(trainer);
    trainer->phase = TRAIN_MINIBATCH;
    return OK;
  case TRAIN_GRADIENT: return after_minibatch(trainer);
  case TRAIN_STATS:
    finish_update(trainer);
    *more = false;
    return OK;
  case TRAIN_MINIBATCH: break;
  }
  return OK;
}

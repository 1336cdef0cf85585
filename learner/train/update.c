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
Status update_create(const Net *net, const LearnConfig *config, const AlgoOps *algo, const void *algo_config,
                     uint64_t seed, const Reducer *reducer, Update **out) {
  Status status = OK;
  Update *update;
  TRY_RETURN(NEW_ARRAY(update, 1));
  *update = (Update){.net = net,
                     .config = config,
                     .algo = algo,
                     .algo_config = algo_config,
                     .seed = seed,
                     .clock = clock_system(),
                     .reducer = {.members = 1}};
  if (reducer) update->reducer = *reducer;
  size_t opening = update_opening(net, update->reducer.members);
  update->moment_count = opening > moments_count(net) ? opening : moments_count(net);
  TRY(NEW_ARRAY(update->gradient, net->graph.params + UPDATE_SCALARS));
  TRY(NEW_ARRAY(update->moments, update->moment_count));
  TRY(NEW_ARRAY(update->centre, net->observation_count));
  TRY(NEW_ARRAY(update->gap, 2 * net->observation_count));
  update->packed = net_pack_create(net, true);
  if (!update->packed) TRY(status_set(ERR_MEMORY, "out of memory packing a network"));
done:
  if (status != OK) {
    update_destroy(update);
    update = NULL;
  }
  *out = update;
  return status;
}

void update_destroy(Update *update) {
  if (!update) return;
  activations_destroy(&update->space);
  layout_free(&update->all);
  layout_free(&update->learned);
  free(update->packed);
  free(update->moments);
  free(update->centre);
  free(update->gap);
  free(update->pull);
  free(update->log_prob_now);
  free(update->value_now);
  free(update->advantage);
  free(update->target);
  free(update->discount);
  free(update->is_learned);
  free(update->reference_row);
  free(update->before_row);
  free(update->states);
  free(update->order);
  free(update->gradient);
  free(update->logits);
  free(update->probability);
  free(update->value);
  free(update->d_logits);
  free(update->d_value);
  free(update->rows_of);
  free(update->restarts);
  free(update->raw);
  free(update->mask);
  free(update);
}

static Status reserve_rows(Update *update, size_t rows) {
  size_t room[7];
  for (int i = 0; i < 7; i++) room[i] = update->row_room;
  TRY_RETURN(GROW(update->log_prob_now, room[0], rows));
  TRY_RETURN(GROW(update->value_now, room[1], rows));
  TRY_RETURN(GROW(update->advantage, room[2], rows));
  TRY_RETURN(GROW(update->target, room[3], rows));
  TRY_RETURN(GROW(update->discount, room[4], rows));
  TRY_RETURN(GROW(update->is_learned, room[5], rows));
  TRY_RETURN(GROW(update->pull, room[6], rows));
  update->row_room = room[0];
  return OK;
}

static Status reserve_scratch(Update *update, size_t rows) {
  if (rows <= update->scratch_rows) return OK;
  const Net *net = update->net;
  size_t line = net->space.width * sizeof(float);
  struct {
    void *column;
    size_t size;
  } columns[] = {{&update->logits, line},
                 {&update->probability, line},
                 {&update->d_logits, line},
                 {&update->value, sizeof(float)},
                 {&update->d_value, sizeof(float)},
                 {&update->rows_of, sizeof(int32_t)},
                 {&update->restarts, sizeof(int32_t)},
                 {&update->mask, net->space.choices},
                 {&update->raw, net->observation_count * (net->observation_type == AGON_U8 ? 1 : 4)}};
  size_t room = 0;
  for (size_t i = 0; i < COUNT_OF(columns); i++) {
    room = update->scratch_rows;
    TRY_RETURN(mem_grow(columns[i].column, &room, rows, columns[i].size));
  }
  update->scratch_rows = room;
  activations_destroy(&update->space);
  return activations_create(&net->graph, room, true, &update->space);
}

static Status lay_out(Update *update) {
  const Batch *batch = update->batch;
  size_t S = update->net->graph.state_size, T = (size_t)update->config->longest;
  if (S == 0) {
    TRY_RETURN(layout_rows(&update->all, batch, update->shards, false));
    return layout_rows(&update->learned, batch, update->shards, true);
  }
  TRY_RETURN(layout_sequences(&update->all, batch, update->shards, T));
  TRY_RETURN(layout_sequences(&update->learned, batch, update->shards, T));
  TRY_RETURN(GROW(update->states, update->states_room, (batch->unrolls + 1) * S));
  memset(update->states, 0, S * sizeof(float));
  if (batch->unrolls) memcpy(update->states + S, batch->state, batch->unrolls * S * sizeof(float));
  return OK;
}

/* Adds what has passed since *since to *spent. */
static void charge(Update *update, int64_t *since, int64_t *spent) {
  int64_t now = clock_now(&update->clock);
  *spent += now - *since;
  *since = now;
}

/* --- passes --- */
/* Brings `count` units (by index list, NULL = from `first` on) into the network's input. forget: sequences start from
 * state zero, not from the acting policy's. */
static Status gather(Update *update, const Layout *layout, const uint32_t *unit, size_t first, size_t count,
                     const float *block, bool forget, Sequences *seq) {
  const Batch *batch = update->batch;
  size_t T = layout->T, bytes = batch->format.observation_bytes, choices = batch->format.choices;
  TRY_RETURN(reserve_scratch(update, count ? count * T : 1));
  for (size_t t = 0; t < T; t++)
    for (size_t b = 0; b < count; b++) {
      size_t cell = (unit ? unit[first + b] : first + b) * T + t, at = t * count + b;
      int32_t row = layout->row[cell];
      update->rows_of[at] = row;
      update->restarts[at] = forget && layout->restart[cell] > 0 ? 0 : layout->restart[cell];
      if (row >= 0) {
        memcpy(update->raw + at * bytes, batch->observation + (size_t)row * bytes, bytes);
        memcpy(update->mask + at * choices, batch->mask + (size_t)row * choices, choices);
      } else {
        memset(update->raw + at * bytes, 0, bytes);
        memset(update->mask + at * choices, 1, choices);
      }
    }
  *seq = (Sequences){
      .B = count, .T = T, .restart = update->restarts, .states = update->states, .S = update->net->graph.state_size};
  net_load(update->net, block, update->raw, count * T, &update->space);
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
static Status evaluate(Update *update, const float *block, float *rows_out) {
  const Net *net = update->net;
  const Batch *batch = update->batch;
  const Layout *layout = &update->all;
  size_t W = net->space.width, step = units_per_pass(layout);
  net_pack(net, block, true, update->packed);
  for (size_t first = 0; first < layout->units; first += step) {
    size_t count = layout->units - first < step ? layout->units - first : step;
    Sequences seq;
    TRY_RETURN(gather(update, layout, NULL, first, count, block, block == update->state->reference, &seq));
    net_forward(net, block, update->packed, &update->space, &seq, update->logits, update->value, NULL);
    dist_normalise_rows(&net->space, update->logits, update->mask, count * layout->T, update->logits);
    for (size_t at = 0; at < count * layout->T; at++) {
      int32_t row = update->rows_of[at];
      if (row < 0) continue;
      AgonAction action;
      const float *line = update->logits + at * W;
      if (rows_out) {
        memcpy(rows_out + (size_t)row * W, line, W * sizeof *line);
        continue;
      }
      update->log_prob_now[row] = dist_log_prob(&net->space, line, action_at(batch, (size_t)row, &action));
      update->value_now[row] = update->value[at];
    }
  }
  return OK;
}

/* The reference has no recurrent state of its own at the beginning of an unroll: it starts from none, and the decisions
 * in which it finds its own leave their pull to the rest. */
static void mark_pull(Update *update, const Unroll *unroll) {
  uint32_t n = unroll->rows - unroll->skip, burn = (uint32_t)update->config->reference_burn;
  if (unroll->fresh || update->net->graph.state_size == 0) burn = 0;
  burn = burn > unroll->skip ? burn - unroll->skip : 0;
  if (burn > n / 2) burn = n / 2;
  for (uint32_t t = 0; t < unroll->rows; t++)
    update->pull[unroll->first + t] = t < unroll->skip + burn ? 0 : (float)n / (float)(n - burn);
}

static bool normalises(const Update *update) {
  int choice = update->config->normalise_advantages;
  return choice == CHOICE_AUTO ? update->algo->normalises : choice == CHOICE_TRUE;
}

static void mark_rows(Update *update) {
  const Batch *batch = update->batch;
  memset(update->is_learned, 0, batch->rows * sizeof(bool));
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    mark_pull(update, unroll);
    for (size_t t = 0; t < unroll->rows; t++) {
      update->is_learned[unroll->first + t] = t >= unroll->skip;
      bool last = t + 1 == unroll->rows;
      update->discount[unroll->first + t] = last && unroll->end == END_TERMINATED ? 0.0f : (float)update->config->gamma;
    }
  }
}

/* Each shard in a random order of its own: stream (player and actor; epochs so far). */
static void shuffle(Update *update) {
  const Layout *layout = &update->learned;
  for (size_t s = 0, first = 0; s < layout->shards; first = layout->shard_end[s++]) {
    AgonRng rng = rng_stream(update->seed, update->state->player << 18 | (update->shards->actor[s] & 0x3ffff),
                             (uint32_t)(update->state->version * update->epochs + update->epoch), RNG_BATCH);
    uint32_t *order = update->order + first;
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

static Opening *opening_of(const Update *update, size_t member) { return (Opening *)update->moments + member; }
static float *digest_of(const Update *update) { return (float *)opening_of(update, update->reducer.members); }
static float *votes_of(const Update *update) { return digest_of(update) + 1; }
static float *sums_of(const Update *update) { return votes_of(update) + UPDATE_VOTES; }

size_t update_opening(const Net *net, size_t members) {
  return members * sizeof(Opening) / sizeof(float) + 1 + UPDATE_VOTES + (net->scale_at ? net->observation_count : 0);
}

static Spread spread_of(const Update *update, const float *column) {
  Spread spread = {0};
  double sum = 0;
  for (size_t r = 0; r < update->batch->rows; r++) {
    if (!update->is_learned[r]) continue;
    sum += (double)column[r];
    spread.count++;
  }
  spread.mean = spread.count > 0 ? sum / spread.count : 0;
  for (size_t r = 0; r < update->batch->rows; r++) {
    double gap = (double)column[r] - spread.mean;
    if (update->is_learned[r]) spread.squares += gap * gap;
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

static void gather_opening(Update *update) {
  memset(update->moments, 0, update->moment_count * sizeof(float));
  Opening *own = opening_of(update, update->reducer.self);
  Spread advantages = spread_of(update, update->advantage), targets = spread_of(update, update->target);
  own->units = (float)update->learned.units;
  own->rows = (float)advantages.count;
  put_spread(&advantages, own->advantage, &own->advantage_squares);
  put_spread(&targets, own->target, &own->target_squares);
  update->digest = 0;
  if (update->reducer.members > 1)
    update->digest = (float)(hash_bytes(update->state->block, update->net->block * sizeof(float)).low & 0xfff);
  *digest_of(update) = update->digest;
  memcpy(votes_of(update), update->vote, sizeof update->vote);
  moments_open(update, sums_of(update));
}

static Status use_opening(Update *update) {
  const Reducer *reducer = &update->reducer;
  memcpy(update->vote, votes_of(update), sizeof update->vote);
  if (reducer->members > 1 && *digest_of(update) != update->digest * (float)reducer->members)
    return status_set(
        ERR_INTERNAL,
        "player %u: the learner ranks' copies of it differ; all hosts must run the same build with the same "
        "kernels (set kernels=avx2, say, for processors of several kinds)",
        update->state->player);
  update->advantages = update->targets = (Spread){0};
  update->dealt = 0;
  for (size_t m = 0; m < reducer->members; m++) {
    const Opening *part = opening_of(update, m);
    if (m < reducer->self) update->dealt += (size_t)part->units;
    join_spread(&update->advantages, (double)part->rows, part->advantage, part->advantage_squares);
    join_spread(&update->targets, (double)part->rows, part->target, part->target_squares);
  }
  moments_centre(update, sums_of(update));
  return OK;
}

/* To mean 0 and deviation 1 - but never what is left of equal numbers by rounding. */
static void normalise_advantages(Update *update) {
  const Spread *all = &update->advantages;
  double deviation = sqrt(all->squares / all->count), least = 8 * (double)FLT_EPSILON * fabs(all->mean) + 1e-8;
  for (size_t r = 0; r < update->batch->rows; r++)
    update->advantage[r] = (float)(((double)update->advantage[r] - all->mean) / fmax(deviation, least));
}

static Status start_sum(Update *update, float *values, size_t count, UpdatePhase phase) {
  update->phase = phase;
  if (update->reducer.members == 1 || count == 0) return OK;
  update->waiting = clock_now(&update->clock);
  return update->reducer.start(update->reducer.context, values, count);
}

static Status test_sum(Update *update, bool *done) {
  *done = true;
  if (update->reducer.members > 1) TRY_RETURN(update->reducer.test(update->reducer.context, done));
  if (*done && update->waiting) charge(update, &update->waiting, &update->times.reduce);
  if (*done) update->waiting = 0;
  return OK;
}

Status update_begin(Update *update, TrainState *state, Batch *batch, const Shards *shards) {
  bool look;
  int64_t since = clock_now(&update->clock);
  update->state = state;
  update->batch = batch;
  if (!shards) {
    update->whole_end = batch->unrolls;
    update->whole = (Shards){.actor = &update->whole_actor, .unroll_end = &update->whole_end, .count = 1};
    shards = &update->whole;
  }
  update->shards = shards;
  update->stats = (AlgoStats){0};
  update->stopped = false;
  update->waiting = 0;
  TRY_RETURN(reserve_rows(update, batch->rows + 1));
  TRY_RETURN(lay_out(update));
  mark_rows(update);
  update->algo->plan(update, &update->epochs, &update->minibatches, &look);
  if (look) TRY_RETURN(evaluate(update, state->block, NULL));
  update->algo->targets(update);
  if (update->config->reference > 0 || update->config->reference_end > 0) {
    TRY_RETURN(GROW(update->reference_row, update->reference_room, batch->rows * update->net->space.width));
    TRY_RETURN(evaluate(update, state->reference, update->reference_row));
  }
  if (update->algo->proximal) {
    TRY_RETURN(GROW(update->before_row, update->before_room, batch->rows * update->net->space.width));
    TRY_RETURN(evaluate(update, state->block, update->before_row));
  }
  net_pack(update->net, state->block, true, update->packed);
  TRY_RETURN(GROW(update->order, update->order_room, update->learned.units));
  for (size_t i = 0; i < update->learned.units; i++) update->order[i] = (uint32_t)i;
  update->epoch = update->at = 0;
  shuffle(update);
  gather_opening(update);
  charge(update, &since, &update->times.batch);
  return start_sum(update, update->moments, update_opening(update->net, update->reducer.members), TRAIN_MOMENTS);
}

/* --- losses --- */
/* Sums that travel behind the gradient, in this order. */
typedef struct Sums {
  float rows, policy, value, entropy, kl, kl_reference, clipped, spare;
} Sums;
_Static_assert(sizeof(Sums) == UPDATE_SCALARS * sizeof(float), "sums travel as floats");

/* Derivatives of all rows of a pass into d_logits and d_value, summed over rows. */
static void pass_losses(Update *update, size_t rows, Sums *sums) {
  const Net *net = update->net;
  const Batch *batch = update->batch;
  const LearnConfig *config = update->config;
  size_t W = net->space.width;
  float entropy_weight = (float)learn_schedule(config, update->state, config->entropy, config->entropy_end);
  float reference_weight = (float)learn_schedule(config, update->state, config->reference, config->reference_end);
  float proximal = update->algo->proximal ? (float)update->algo->proximal(update) : 0;
  float unit = update->state->block[net->return_at + 1], value_weight = (float)config->value_weight / (unit * unit);
  dist_normalise_rows(&net->space, update->logits, update->mask, rows, update->logits);
  dist_probabilities(&net->space, update->logits, rows, update->probability);
  for (size_t at = 0; at < rows; at++) {
    int32_t row = update->rows_of[at];
    float *d = update->d_logits + at * W;
    const float *line = update->logits + at * W, *probability = update->probability + at * W;
    if (row < 0 || !update->is_learned[row]) {
      memset(d, 0, W * sizeof(float));
      update->d_value[at] = 0;
      continue;
    }
    AgonAction action;
    action_at(batch, (size_t)row, &action);
    float pull = reference_weight > 0 ? update->pull[row] : 0;
    const float *reference = pull > 0 ? update->reference_row + (size_t)row * W : NULL;
    RowLoss loss = update->algo->row(update, (size_t)row, dist_log_prob(&net->space, line, &action), update->value[at]);
    float entropy = dist_backward(&net->space, line, probability, reference, &action, loss.by_log_prob, -entropy_weight,
                                  reference_weight * pull, d);
    if (proximal > 0) dist_add_kl(&net->space, line, probability, update->before_row + (size_t)row * W, proximal, d);
    update->d_value[at] = loss.by_value * value_weight;
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
  Update *update = context;
  if (update->summed - offset < CHUNK && offset > 0) return;
  if (update->failed == OK)
    update->failed = update->reducer.start(update->reducer.context, update->gradient + offset, update->summed - offset);
  update->summed = offset;
}

/* This member's part of the gradient of minibatch `at`, summed over rows, with its scalars. */
static Status add_gradient(Update *update) {
  const Net *net = update->net;
  const Layout *layout = &update->learned;
  size_t params = net->graph.params, step = units_per_pass(layout), count = 0, T = layout->T;
  uint32_t *unit = update->order + layout->units; /* this minibatch's units, gathered behind the orders */
  int64_t since = clock_now(&update->clock);
  Sums sums = {0};
  TRY_RETURN(GROW(update->order, update->order_room, 2 * layout->units));
  unit = update->order + layout->units;
  size_t M = update->minibatches, skip = (update->at + M - update->dealt % M) % M;
  for (size_t i = skip; i < layout->units; i += M) unit[count++] = update->order[i];
  memset(update->gradient, 0, (params + UPDATE_SCALARS) * sizeof(float));
  update->summed = params + UPDATE_SCALARS;
  bool several = update->reducer.members > 1;
  for (size_t at = 0; at < count || (several && at == 0); at += step) { /* no rows: the same sums in the same order */
    size_t units = count - at < step ? count - at : step;
    bool last = at + units == count && several;
    Sequences seq;
    TRY_RETURN(gather(update, layout, unit, at, units, update->state->block, false, &seq));
    charge(update, &since, &update->times.batch);
    net_forward(net, update->state->block, update->packed, &update->space, &seq, update->logits, update->value, NULL);
    charge(update, &since, &update->times.forward);
    pass_losses(update, units * T, &sums);
    if (last) memcpy(update->gradient + params, &sums, sizeof sums);
    charge(update, &since, &update->times.loss);
    net_backward(net, update->state->block, update->packed, update->gradient, &update->space, &seq, update->d_logits,
                 update->d_value, last ? gradient_done : NULL, update);
    charge(update, &since, &update->times.backward);
  }
  if (!several) memcpy(update->gradient + params, &sums, sizeof sums);
  return OK;
}

static Status start_minibatch(Update *update) {
  TRY_RETURN(add_gradient(update));
  TRY_RETURN(update->failed);
  update->phase = TRAIN_GRADIENT;
  if (update->reducer.members == 1) return OK;
  update->waiting = clock_now(&update->clock);
  if (update->summed == 0) return OK;
  return update->reducer.start(update->reducer.context, update->gradient, update->summed);
}

static Status optimise(Update *update) {
  const Net *net = update->net;
  const LearnConfig *config = update->config;
  TrainState *state = update->state;
  int64_t since = clock_now(&update->clock);
  Sums sums;
  memcpy(&sums, update->gradient + net->graph.params, sizeof sums);
  if (sums.rows <= 0) return OK;
  double each = 1.0 / (double)sums.rows, norm = gradient_norm(update->gradient, net->graph.params) * each;
  if (!isfinite(norm))
    return status_set(ERR_INTERNAL, "player %u: the gradient is not finite after %llu updates; lower learner.rate",
                      state->player, (unsigned long long)state->version);
  double clip = config->clip_norm > 0 && norm > config->clip_norm ? config->clip_norm / norm : 1.0;
  Adam adam = {0.9f, 0.999f, (float)config->epsilon};
  update->stats.rate = learn_schedule(config, state, config->rate, config->rate_end);
  adam_step(&adam, state->block, state->m, state->v, update->gradient, net->graph.params, ++state->steps,
            (float)update->stats.rate, (float)(clip * each));
  net_pack(net, state->block, true, update->packed);
  AlgoStats *stats = &update->stats;
  stats->policy_loss += (double)sums.policy * each;
  stats->value_loss += (double)sums.value * each;
  stats->entropy += (double)sums.entropy * each;
  stats->kl += (double)sums.kl * each;
  stats->kl_reference += (double)sums.kl_reference * each;
  stats->clipped += (double)sums.clipped * each;
  stats->gradient_norm += norm;
  stats->minibatches++;
  update->stopped = update->algo->stop(update, (double)sums.kl * each);
  charge(update, &since, &update->times.optimise);
  return OK;
}

static void finish_update(Update *update) {
  const Net *net = update->net;
  TrainState *state = update->state;
  double n = update->stats.minibatches;
  double *value[] = {&update->stats.policy_loss,  &update->stats.value_loss,   &update->stats.entropy,
                     &update->stats.kl,           &update->stats.kl_reference, &update->stats.clipped,
                     &update->stats.gradient_norm};
  for (size_t i = 0; i < COUNT_OF(value) && n > 0; i++) *value[i] /= n;
  uint64_t learned = (uint64_t)update->advantages.count;
  update->stats.rows = (double)learned;
  moments_apply(update, update->moments);
  INVARIANT(finite_floats(state->block, net->block) && state->min_version <= state->version);
  state->version++;
  state->frames += learned;
  state->life_frames += learned;
  if (update->config->average > 0) { /* a young average forgets its first, poor members sooner */
    double age = (double)state->steps, keep = fmin(update->config->average, (age + 1) / (age + 10));
    for (size_t i = 0; i < net->block; i++)
      state->average[i] += (float)(1 - keep) * (state->block[i] - state->average[i]);
  }
  int64_t every = update->config->reference_every;
  if (every > 0 && state->version % (uint64_t)every == 0)
    memcpy(state->reference, train_state_snapshot(update->config, state), net->block * sizeof(float));
}

static Status start_stats(Update *update) {
  int64_t since = clock_now(&update->clock);
  moments_gather(update, update->moments);
  charge(update, &since, &update->times.batch);
  return start_sum(update, update->moments, moments_count(update->net), TRAIN_STATS);
}

static Status after_minibatch(Update *update) {
  TRY_RETURN(optimise(update));
  if (++update->at == update->minibatches) {
    update->at = 0;
    update->epoch++;
    if (update->epoch < update->epochs) shuffle(update);
  }
  if (!update->stopped && update->epoch < update->epochs) {
    update->phase = TRAIN_MINIBATCH;
    return OK;
  }
  return start_stats(update);
}

Status update_step(Update *update, bool *more, bool *progress) {
  bool done = true;
  *more = true;
  *progress = true;
  if (update->phase == TRAIN_MINIBATCH) {
    TRY_RETURN(start_minibatch(update));
    if (update->reducer.members > 1) return OK;
  }
  TRY_RETURN(test_sum(update, &done));
  *progress = done;
  if (!done) return OK;
  switch (update->phase) {
  case TRAIN_MOMENTS:
    TRY_RETURN(use_opening(update));
    if (update->advantages.count <= 0) return start_stats(update); /* nobody has experience: a version all the same */
    if (normalises(update)) normalise_advantages(update);
    update->phase = TRAIN_MINIBATCH;
    return OK;
  case TRAIN_GRADIENT: return after_minibatch(update);
  case TRAIN_STATS:
    finish_update(update);
    *more = false;
    return OK;
  case TRAIN_MINIBATCH: break;
  }
  return OK;
}

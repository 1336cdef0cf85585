#include "learner/algos/algo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MINIBATCH_ROWS = 1024 }; /* rows per pass: activations stay in cache; gradients add up over passes */

/* --- pupils --- */
size_t pupil_stat_count(const Net *net) { return (net->scale_at ? 2 * net->observation_count : 0) + 4; }

Status pupil_create(const Net *net, uint64_t seed, uint32_t player, Pupil *out) {
  *out = (Pupil){.player = player};
  TRY_RETURN(NEW_ARRAY(out->block, net->block));
  TRY_RETURN(NEW_ARRAY(out->acting, net->block));
  TRY_RETURN(NEW_ARRAY(out->reference, net->block));
  TRY_RETURN(NEW_ARRAY(out->m, net->graph.params));
  TRY_RETURN(NEW_ARRAY(out->v, net->graph.params));
  TRY_RETURN(NEW_ARRAY(out->stat, pupil_stat_count(net)));
  pupil_reset(net, seed, out, NULL);
  out->life = 0;
  memcpy(out->acting, out->block, net->block * sizeof(float));
  return OK;
}

void pupil_destroy(Pupil *pupil) {
  free(pupil->block);
  free(pupil->acting);
  free(pupil->reference);
  free(pupil->m);
  free(pupil->v);
  free(pupil->stat);
  *pupil = (Pupil){0};
}

void pupil_reset(const Net *net, uint64_t seed, Pupil *pupil, const float *source) {
  if (source)
    memcpy(pupil->block, source, net->block * sizeof(float));
  else
    net_init(net, seed, pupil->player, pupil->block);
  memcpy(pupil->reference, pupil->block, net->block * sizeof(float));
  memset(pupil->m, 0, net->graph.params * sizeof(float));
  memset(pupil->v, 0, net->graph.params * sizeof(float));
  memset(pupil->stat, 0, pupil_stat_count(net) * sizeof(double));
  pupil->steps = 0;
  pupil->life_frames = 0;
  pupil->life++;
  pupil->min_version = pupil->version;
}

double learn_schedule(const LearnConfig *config, const Pupil *pupil, double a, double b) {
  double progress = config->horizon > 0 ? (double)pupil->frames / config->horizon : 0;
  return a + (b - a) * (progress < 1 ? progress : 1);
}

/* --- life cycle --- */
Status trainer_create(const Net *net, const LearnConfig *config, const AlgoOps *algo, const void *algo_config,
                      uint64_t seed, Trainer **out) {
  Trainer *trainer;
  TRY_RETURN(NEW_ARRAY(trainer, 1));
  *trainer = (Trainer){.net = net, .config = config, .algo = algo, .algo_config = algo_config, .seed = seed};
  Status status = NEW_ARRAY(trainer->gradient, net->graph.params);
  *out = trainer;
  return status;
}

void trainer_destroy(Trainer *trainer) {
  if (!trainer) return;
  space_destroy(&trainer->space);
  free(trainer->all.row);
  free(trainer->all.restart);
  free(trainer->learned.row);
  free(trainer->learned.restart);
  free(trainer->log_prob_now);
  free(trainer->value_now);
  free(trainer->advantage);
  free(trainer->target);
  free(trainer->discount);
  free(trainer->is_learned);
  free(trainer->reference_row);
  free(trainer->states);
  free(trainer->order);
  free(trainer->gradient);
  free(trainer->logits);
  free(trainer->value);
  free(trainer->d_logits);
  free(trainer->d_value);
  free(trainer->rows_of);
  free(trainer->restarts);
  free(trainer->raw);
  free(trainer);
}

static Status reserve_rows(Trainer *trainer, size_t rows) {
  size_t room[6];
  for (int i = 0; i < 6; i++) room[i] = trainer->row_room;
  TRY_RETURN(GROW(trainer->log_prob_now, room[0], rows));
  TRY_RETURN(GROW(trainer->value_now, room[1], rows));
  TRY_RETURN(GROW(trainer->advantage, room[2], rows));
  TRY_RETURN(GROW(trainer->target, room[3], rows));
  TRY_RETURN(GROW(trainer->discount, room[4], rows));
  TRY_RETURN(GROW(trainer->is_learned, room[5], rows));
  trainer->row_room = room[0];
  return OK;
}

static Status reserve_scratch(Trainer *trainer, size_t rows) {
  if (rows <= trainer->scratch_rows) return OK;
  const Net *net = trainer->net;
  size_t row_bytes = net->observation_count * (net->observation_type == AGON_U8 ? 1 : 4), old = trainer->scratch_rows,
         room[7];
  for (int i = 0; i < 7; i++) room[i] = old;
  TRY_RETURN(mem_grow(&trainer->logits, &room[0], rows, net->space.width * sizeof(float)));
  TRY_RETURN(mem_grow(&trainer->d_logits, &room[1], rows, net->space.width * sizeof(float)));
  TRY_RETURN(mem_grow(&trainer->value, &room[2], rows, sizeof(float)));
  TRY_RETURN(mem_grow(&trainer->d_value, &room[3], rows, sizeof(float)));
  TRY_RETURN(mem_grow(&trainer->rows_of, &room[4], rows, sizeof(int32_t)));
  TRY_RETURN(mem_grow(&trainer->restarts, &room[5], rows, sizeof(int32_t)));
  TRY_RETURN(mem_grow(&trainer->raw, &room[6], rows, row_bytes));
  trainer->scratch_rows = room[0];
  space_destroy(&trainer->space);
  return space_create(&net->graph, trainer->scratch_rows, true, &trainer->space);
}

/* --- layout --- */
static Status layout_room(Layout *layout, size_t cells) {
  size_t room = layout->room;
  TRY_RETURN(GROW(layout->row, room, cells));
  room = layout->room;
  TRY_RETURN(GROW(layout->restart, room, cells));
  layout->room = room;
  return OK;
}

/* Feed-forward: one row per unit. */
static Status lay_rows(Layout *layout, const Batch *batch, bool learned_only) {
  TRY_RETURN(layout_room(layout, batch->rows));
  layout->T = 1;
  layout->units = 0;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    size_t span = learned_only ? unroll->rows : unroll_span(unroll);
    for (size_t t = 0; t < span; t++) {
      layout->row[layout->units] = (int32_t)(unroll->first + t);
      layout->restart[layout->units++] = 0;
    }
  }
  return OK;
}

/* Recurrent: unrolls are placed one after another into sequences of the longest span, first fit in order. */
static Status lay_sequences(Layout *layout, const Batch *batch) {
  size_t longest = 1;
  for (size_t u = 0; u < batch->unrolls; u++) {
    size_t span = unroll_span(&batch->unroll[u]);
    if (span > longest) longest = span;
  }
  layout->T = longest;
  layout->units = 0;
  size_t used = longest;
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    size_t span = unroll_span(unroll);
    if (used + span > longest) {
      TRY_RETURN(layout_room(layout, (layout->units + 1) * longest));
      for (size_t t = 0; t < longest; t++) {
        layout->row[layout->units * longest + t] = -1;
        layout->restart[layout->units * longest + t] = t == 0 ? 0 : -1;
      }
      layout->units++;
      used = 0;
    }
    size_t at = (layout->units - 1) * longest + used;
    for (size_t t = 0; t < span; t++) layout->row[at + t] = (int32_t)(unroll->first + t);
    layout->restart[at] = unroll->fresh ? 0 : (int32_t)(u + 1);
    used += span;
  }
  return OK;
}

static Status lay_out(Trainer *trainer) {
  const Batch *batch = trainer->batch;
  size_t S = trainer->net->graph.state_size;
  if (S == 0) {
    TRY_RETURN(lay_rows(&trainer->all, batch, false));
    return lay_rows(&trainer->learned, batch, true);
  }
  TRY_RETURN(lay_sequences(&trainer->all, batch));
  TRY_RETURN(lay_sequences(&trainer->learned, batch));
  TRY_RETURN(GROW(trainer->states, trainer->states_room, (batch->unrolls + 1) * S));
  memset(trainer->states, 0, S * sizeof(float));
  memcpy(trainer->states + S, batch->state, batch->unrolls * S * sizeof(float));
  return OK;
}

/* --- passes --- */
/* Brings `count` units (by index list, NULL = from `first` on) into the network's input; returns the rows. */
static Status gather(Trainer *trainer, const Layout *layout, const uint32_t *unit, size_t first, size_t count,
                     const float *block, Sequences *seq) {
  const Batch *batch = trainer->batch;
  size_t T = layout->T, bytes = batch->format.observation_bytes;
  TRY_RETURN(reserve_scratch(trainer, count * T));
  for (size_t t = 0; t < T; t++)
    for (size_t b = 0; b < count; b++) {
      size_t cell = (unit ? unit[first + b] : first + b) * T + t, at = t * count + b;
      int32_t row = layout->row[cell];
      trainer->rows_of[at] = row;
      trainer->restarts[at] = layout->restart[cell];
      if (row >= 0)
        memcpy(trainer->raw + at * bytes, batch->observation + (size_t)row * bytes, bytes);
      else
        memset(trainer->raw + at * bytes, 0, bytes);
    }
  *seq = (Sequences){
      .B = count, .T = T, .restart = trainer->restarts, .states = trainer->states, .S = trainer->net->graph.state_size};
  net_load(trainer->net, block, trainer->raw, count * T, trainer->space.value[0]);
  return OK;
}

static const AgonAction *action_at(const Batch *batch, size_t row, AgonAction *copy) {
  memcpy(copy, batch->action + row * batch->format.heads, batch->format.heads * sizeof(int32_t));
  return copy;
}

/* Every row through `block`: log-probabilities of the actions and values, or (rows_out) whole normalised rows. */
static Status evaluate(Trainer *trainer, const float *block, float *rows_out) {
  const Net *net = trainer->net;
  const Batch *batch = trainer->batch;
  const Layout *layout = &trainer->all;
  size_t W = net->space.width, step = MINIBATCH_ROWS / layout->T;
  if (step == 0) step = 1;
  for (size_t first = 0; first < layout->units; first += step) {
    size_t count = layout->units - first < step ? layout->units - first : step;
    Sequences seq;
    TRY_RETURN(gather(trainer, layout, NULL, first, count, block, &seq));
    net_forward(net, block, &trainer->space, &seq, trainer->logits, trainer->value, NULL);
    for (size_t at = 0; at < count * layout->T; at++) {
      int32_t row = trainer->rows_of[at];
      if (row < 0) continue;
      AgonAction action;
      float *line = rows_out ? rows_out + (size_t)row * W : trainer->logits + at * W;
      dist_normalise(&net->space, trainer->logits + at * W, batch->mask + (size_t)row * batch->format.choices, line);
      if (rows_out) continue;
      trainer->log_prob_now[row] = dist_log_prob(&net->space, line, action_at(batch, (size_t)row, &action));
      trainer->value_now[row] = trainer->value[at];
    }
  }
  return OK;
}

static void normalise_advantages(Trainer *trainer) {
  double sum = 0, square = 0, count = 0;
  for (size_t r = 0; r < trainer->batch->rows; r++) {
    if (!trainer->is_learned[r]) continue;
    sum += (double)trainer->advantage[r];
    square += (double)trainer->advantage[r] * (double)trainer->advantage[r];
    count++;
  }
  double mean = sum / count, deviation = sqrt(fmax(square / count - mean * mean, 0)) + 1e-8;
  for (size_t r = 0; r < trainer->batch->rows; r++)
    trainer->advantage[r] = (float)(((double)trainer->advantage[r] - mean) / deviation);
}

static void mark_rows(Trainer *trainer) {
  const Batch *batch = trainer->batch;
  memset(trainer->is_learned, 0, batch->rows * sizeof(bool));
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    for (size_t t = 0; t < unroll->rows; t++) {
      trainer->is_learned[unroll->first + t] = true;
      bool last = t + 1 == unroll->rows;
      trainer->discount[unroll->first + t] =
          last && unroll->end == END_TERMINATED ? 0.0f : (float)trainer->config->gamma;
    }
  }
}

static void shuffle(Trainer *trainer) {
  AgonRng rng = rng_stream(trainer->seed, trainer->pupil->player,
                           (uint32_t)(trainer->pupil->version * 64 + trainer->epoch), RNG_BATCH);
  for (size_t i = trainer->learned.units; i > 1; i--) {
    size_t j = rng_below(&rng, (uint32_t)i);
    uint32_t swap = trainer->order[i - 1];
    trainer->order[i - 1] = trainer->order[j];
    trainer->order[j] = swap;
  }
}

Status trainer_begin(Trainer *trainer, Pupil *pupil, Batch *batch) {
  size_t minibatches;
  bool look;
  trainer->pupil = pupil;
  trainer->batch = batch;
  trainer->stats = (AlgoStats){0};
  trainer->stopped = false;
  TRY_RETURN(reserve_rows(trainer, batch->rows));
  TRY_RETURN(lay_out(trainer));
  mark_rows(trainer);
  trainer->algo->plan(trainer, &trainer->epochs, &minibatches, &look);
  for (size_t u = 0; u < batch->unrolls; u++)
    if (batch->unroll[u].end == END_TRUNCATED) look = true; /* their final values were not seen when acting */
  if (look) TRY_RETURN(evaluate(trainer, pupil->block, NULL));
  trainer->algo->targets(trainer);
  if (trainer->config->normalise_advantages) normalise_advantages(trainer);
  if (trainer->config->reference > 0 || trainer->config->reference_end > 0) {
    TRY_RETURN(GROW(trainer->reference_row, trainer->reference_room, batch->rows * trainer->net->space.width));
    TRY_RETURN(evaluate(trainer, pupil->reference, trainer->reference_row));
  }
  TRY_RETURN(GROW(trainer->order, trainer->order_room, trainer->learned.units));
  for (size_t i = 0; i < trainer->learned.units; i++) trainer->order[i] = (uint32_t)i;
  trainer->unit_batch = (trainer->learned.units + minibatches - 1) / minibatches;
  if (trainer->unit_batch == 0) trainer->unit_batch = 1;
  trainer->epoch = trainer->at = 0;
  shuffle(trainer);
  return OK;
}

typedef struct Sums {
  double policy, value, entropy, kl, kl_reference, clipped, rows;
} Sums;

/* Derivatives of all rows of a pass into d_logits and d_value; scale = 1 / learned rows of the minibatch. */
static void pass_losses(Trainer *trainer, size_t rows, float scale, Sums *sums) {
  const Net *net = trainer->net;
  const Batch *batch = trainer->batch;
  const LearnConfig *config = trainer->config;
  size_t W = net->space.width;
  float entropy_weight = (float)learn_schedule(config, trainer->pupil, config->entropy, config->entropy_end);
  float reference_weight = (float)learn_schedule(config, trainer->pupil, config->reference, config->reference_end);
  float unit = trainer->pupil->block[net->return_at + 1], value_weight = (float)config->value_weight / (unit * unit);
  for (size_t at = 0; at < rows; at++) {
    int32_t row = trainer->rows_of[at];
    float *d = trainer->d_logits + at * W, *line = trainer->logits + at * W;
    if (row < 0 || !trainer->is_learned[row]) {
      memset(d, 0, W * sizeof(float));
      trainer->d_value[at] = 0;
      continue;
    }
    AgonAction action;
    action_at(batch, (size_t)row, &action);
    dist_normalise(&net->space, line, batch->mask + (size_t)row * batch->format.choices, line);
    const float *reference = reference_weight > 0 ? trainer->reference_row + (size_t)row * W : NULL;
    RowLoss loss =
        trainer->algo->row(trainer, (size_t)row, dist_log_prob(&net->space, line, &action), trainer->value[at]);
    dist_backward(&net->space, line, reference, &action, loss.by_log_prob * scale, -entropy_weight * scale,
                  reference_weight * scale, d);
    trainer->d_value[at] = loss.by_value * value_weight * scale;
    sums->policy += (double)loss.policy_loss;
    sums->value += (double)(loss.value_loss / (unit * unit));
    sums->entropy += (double)dist_entropy(&net->space, line);
    sums->kl += exp((double)loss.log_ratio) - 1 - (double)loss.log_ratio;
    if (reference) sums->kl_reference += (double)dist_kl(&net->space, line, reference);
    sums->clipped += loss.clipped;
    sums->rows++;
  }
}

static size_t count_learned(const Trainer *trainer, size_t first, size_t count) {
  size_t T = trainer->learned.T, sum = 0;
  for (size_t i = first; i < first + count; i++)
    for (size_t t = 0; t < T; t++) {
      int32_t row = trainer->learned.row[trainer->order[i] * T + t];
      sum += row >= 0 && trainer->is_learned[row];
    }
  return sum;
}

/* Running moments of observations (batches in slot order) and of value targets; the value head is rescaled so that its
 * real-unit outputs stay what they were (PopArt, van Hasselt et al. 2016, eq. 9). */
static void update_observation_stats(Trainer *trainer) {
  const Net *net = trainer->net;
  const Batch *batch = trainer->batch;
  Pupil *pupil = trainer->pupil;
  size_t N = net->observation_count;
  double *count = pupil->stat, *mean = pupil->stat + 4, *square = mean + N;
  for (size_t i = 0; i < N; i++) {
    double sum = 0, sum2 = 0, n = 0;
    for (size_t r = 0; r < batch->rows; r++) {
      if (!trainer->is_learned[r]) continue;
      float value = (float)batch->observation[r * N + i];
      if (net->observation_type == AGON_F32) memcpy(&value, batch->observation + (r * N + i) * 4, 4);
      sum += (double)value;
      sum2 += (double)value * (double)value;
      n++;
    }
    double all = *count + n;
    mean[i] = (mean[i] * *count + sum) / all;
    square[i] = (square[i] * *count + sum2) / all;
    if (i + 1 == N) *count = all;
    pupil->block[net->mean_at + i] = (float)mean[i];
    pupil->block[net->scale_at + i] = (float)(1.0 / sqrt(fmax(square[i] - mean[i] * mean[i], 0) + 1e-4));
  }
}

static void update_return_stats(Trainer *trainer) {
  const Net *net = trainer->net;
  Pupil *pupil = trainer->pupil;
  double sum = 0, square = 0, n = 0, *stat = pupil->stat + 1; /* weight, mean, square */
  for (size_t r = 0; r < trainer->batch->rows; r++) {
    if (!trainer->is_learned[r]) continue;
    sum += (double)trainer->target[r];
    square += (double)trainer->target[r] * (double)trainer->target[r];
    n++;
  }
  const double keep = 0.98;
  stat[0] = stat[0] * keep + (1 - keep);
  stat[1] = stat[1] * keep + (1 - keep) * sum / n;
  stat[2] = stat[2] * keep + (1 - keep) * square / n;
  double mean = stat[1] / stat[0], scale = sqrt(fmax(stat[2] / stat[0] - mean * mean, 1e-6));
  float *old = pupil->block + net->return_at;
  for (size_t v = 0; v < net->graph.views; v++) {
    const View *view = &net->graph.view[v];
    float *w = pupil->block + view->offset;
    if (!strcmp(view->name, "value.weight"))
      for (size_t i = 0; i < view->count; i++) w[i] = (float)((double)w[i] * (double)old[1] / scale);
    if (!strcmp(view->name, "value.bias"))
      w[0] = (float)(((double)w[0] * (double)old[1] + (double)old[0] - mean) / scale);
  }
  old[0] = (float)mean;
  old[1] = (float)scale;
}

static void finish_update(Trainer *trainer) {
  const Net *net = trainer->net;
  Pupil *pupil = trainer->pupil;
  size_t learned = batch_learned(trainer->batch);
  double n = trainer->stats.minibatches;
  double *value[] = {&trainer->stats.policy_loss,  &trainer->stats.value_loss,   &trainer->stats.entropy,
                     &trainer->stats.kl,           &trainer->stats.kl_reference, &trainer->stats.clipped,
                     &trainer->stats.gradient_norm};
  for (size_t i = 0; i < COUNT_OF(value) && n > 0; i++) *value[i] /= n;
  trainer->stats.rows = (double)learned;
  if (net->scale_at) update_observation_stats(trainer);
  if (net->config.normalise_returns) update_return_stats(trainer);
  pupil->version++;
  pupil->frames += learned;
  pupil->life_frames += learned;
  int64_t every = trainer->config->reference_every;
  if (every > 0 && pupil->version % (uint64_t)every == 0)
    memcpy(pupil->reference, pupil->block, net->block * sizeof(float));
}

static Status minibatch(Trainer *trainer, size_t first, size_t count) {
  const Net *net = trainer->net;
  const LearnConfig *config = trainer->config;
  Pupil *pupil = trainer->pupil;
  Sums sums = {0};
  size_t rows = count_learned(trainer, first, count), step = MINIBATCH_ROWS / trainer->learned.T;
  if (step == 0) step = 1;
  if (rows == 0) return OK;
  memset(trainer->gradient, 0, net->graph.params * sizeof(float));
  for (size_t at = first; at < first + count; at += step) {
    size_t units = first + count - at < step ? first + count - at : step;
    Sequences seq;
    TRY_RETURN(gather(trainer, &trainer->learned, trainer->order, at, units, pupil->block, &seq));
    net_forward(net, pupil->block, &trainer->space, &seq, trainer->logits, trainer->value, NULL);
    pass_losses(trainer, units * trainer->learned.T, 1.0f / (float)rows, &sums);
    net_backward(net, pupil->block, trainer->gradient, &trainer->space, &seq, trainer->d_logits, trainer->d_value);
  }
  double norm = gradient_norm(trainer->gradient, net->graph.params);
  if (!isfinite(norm))
    return status_set(ERR_INTERNAL, "player %u: the gradient is not finite after %llu updates; lower learner.rate",
                      pupil->player, (unsigned long long)pupil->version);
  float scale = config->clip_norm > 0 && norm > config->clip_norm ? (float)(config->clip_norm / norm) : 1.0f;
  Adam adam = {0.9f, 0.999f, (float)config->epsilon};
  trainer->stats.rate = learn_schedule(config, pupil, config->rate, config->rate_end);
  adam_step(&adam, pupil->block, pupil->m, pupil->v, trainer->gradient, net->graph.params, ++pupil->steps,
            (float)trainer->stats.rate, scale);
  AlgoStats *stats = &trainer->stats;
  stats->policy_loss += sums.policy / sums.rows;
  stats->value_loss += sums.value / sums.rows;
  stats->entropy += sums.entropy / sums.rows;
  stats->kl += sums.kl / sums.rows;
  stats->kl_reference += sums.kl_reference / sums.rows;
  stats->clipped += sums.clipped / sums.rows;
  stats->gradient_norm += norm;
  stats->minibatches++;
  trainer->stopped = trainer->algo->stop(trainer, sums.kl / sums.rows);
  return OK;
}

Status trainer_step(Trainer *trainer, bool *more) {
  size_t units = trainer->learned.units,
         count = units - trainer->at < trainer->unit_batch ? units - trainer->at : trainer->unit_batch;
  *more = true;
  TRY_RETURN(minibatch(trainer, trainer->at, count));
  trainer->at += count;
  if (trainer->at >= units) {
    trainer->at = 0;
    trainer->epoch++;
    if (trainer->epoch < trainer->epochs) shuffle(trainer);
  }
  if (!trainer->stopped && trainer->epoch < trainer->epochs) return OK;
  finish_update(trainer);
  *more = false;
  return OK;
}

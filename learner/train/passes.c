/* Rows through the network: how they are laid out, brought in, and evaluated. */
#include "learner/train/update_fields.h"

#include "learner/train/schedule.h"

#include <stdlib.h>
#include <string.h>

enum { PASS_ROWS = 512 /* activations of a pass stay in cache */ };

/* See update_fields.h. Time is counted by the stretches between two calls, so none is counted
 * twice. */
void update_charge(Update *update, int64_t *since, int64_t *spent) {
  int64_t now = clock_now(&update->clock);
  *spent += now - *since;
  *since = now;
}

void update_scratch_free(PassScratch *scratch) {
  free(scratch->logits);
  free(scratch->probability);
  free(scratch->d_logits);
  free(scratch->value);
  free(scratch->d_value);
  free(scratch->row_of);
  free(scratch->restarts);
  free(scratch->raw);
  free(scratch->mask);
  *scratch = (PassScratch){0};
}

/* Room for `rows` rows at once. It only grows, with the network's activations; on failure what is
 * there remains, and is freed with the update. */
static Status reserve_scratch(Update *update, size_t rows) {
  const Net *net = update->net;
  PassScratch *scratch = &update->scratch;
  if (rows <= scratch->rows) return OK;
  size_t line = net->space.width * sizeof(float);
  size_t element = net->observation_type == AGON_U8 ? 1 : sizeof(float);
  struct {
    void *column;
    size_t size;
  } columns[] = {
      {&scratch->logits, line},
      {&scratch->probability, line},
      {&scratch->d_logits, line},
      {&scratch->value, sizeof(float)},
      {&scratch->d_value, sizeof(float)},
      {&scratch->row_of, sizeof(int32_t)},
      {&scratch->restarts, sizeof(int32_t)},
      {&scratch->raw, net->observation_count * element},
      {&scratch->mask, net->space.choices},
  };
  size_t room = 0;
  for (size_t i = 0; i < COUNT_OF(columns); i++) {
    room = scratch->rows;
    TRY_RETURN(mem_grow(columns[i].column, &room, rows, columns[i].size));
  }
  scratch->rows = room;
  activations_destroy(&update->space);
  return activations_create(&net->graph, room, true, &update->space);
}

Status update_lay_out(Update *update) {
  const Batch *batch = update->batch;
  size_t S = update->net->graph.state_size;
  size_t T = (size_t)update->config->longest;
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

size_t update_units_per_pass(const Layout *layout) {
  if (layout->T > PASS_ROWS || layout->T == 0) return 1; /* 0: nothing at all to lay out */
  return PASS_ROWS / layout->T;
}

Status update_gather(Update *update, const Layout *layout, const uint32_t *unit, size_t first,
                     size_t count, bool forget, Sequences *out) {
  const Batch *batch = update->batch;
  PassScratch *scratch = &update->scratch;
  size_t T = layout->T;
  size_t bytes = batch->format.observation_bytes;
  size_t choices = batch->format.choices;
  TRY_RETURN(reserve_scratch(update, count ? count * T : 1));
  for (size_t t = 0; t < T; t++)
    for (size_t b = 0; b < count; b++) {
      size_t cell = (unit ? unit[first + b] : first + b) * T + t;
      size_t at = t * count + b;
      int32_t row = layout->row[cell];
      scratch->row_of[at] = row;
      scratch->restarts[at] = forget && layout->restart[cell] > 0 ? 0 : layout->restart[cell];
      if (row >= 0) {
        memcpy(scratch->raw + at * bytes, batch->observation + (size_t)row * bytes, bytes);
        memcpy(scratch->mask + at * choices, batch->mask + (size_t)row * choices, choices);
      } else {
        memset(scratch->raw + at * bytes, 0, bytes);
        memset(scratch->mask + at * choices, 1, choices);
      }
    }
  *out = (Sequences){.B = count,
                     .T = T,
                     .restart = scratch->restarts,
                     .states = update->states,
                     .S = update->net->graph.state_size};
  net_load(update->net, scratch->raw, count * T, &update->space);
  return OK;
}

/* Keeps what evaluation asks for of one row, `at` in the pass. */
static void keep_row(Update *update, size_t at, float *rows_out) {
  const Net *net = update->net;
  const Batch *batch = update->batch;
  size_t W = net->space.width;
  size_t row = (size_t)update->scratch.row_of[at];
  const float *line = update->scratch.logits + at * W;
  if (rows_out) {
    memcpy(rows_out + row * W, line, W * sizeof *line);
    return;
  }
  update->log_prob_now[row] = dist_log_prob(&net->space, line, batch_action(batch, row));
  update->value_now[row] = update->scratch.value[at];
}

Status update_evaluate(Update *update, const float *block, float *rows_out) {
  const Net *net = update->net;
  const Layout *layout = &update->all;
  PassScratch *scratch = &update->scratch;
  size_t step = update_units_per_pass(layout);
  net_pack(net, block, true, update->packed);
  for (size_t first = 0; first < layout->units; first += step) {
    size_t count = layout->units - first < step ? layout->units - first : step;
    size_t rows = count * layout->T;
    bool forget = block == update->state->reference;
    Sequences sequences;
    TRY_RETURN(update_gather(update, layout, NULL, first, count, forget, &sequences));
    net_forward(net, block, update->packed, &update->space, &sequences, scratch->logits,
                scratch->value, NULL);
    dist_normalise_rows(&net->space, scratch->logits, scratch->mask, rows, scratch->logits);
    for (size_t at = 0; at < rows; at++)
      if (scratch->row_of[at] >= 0) keep_row(update, at, rows_out);
  }
  return OK;
}

/* The weights of the loss's terms are taken here, as far as the schedules have come. The value's
 * loss is divided by the unit of returns squared, so that value_weight means the same in every
 * game. */
Pass update_pass(Update *update, const Sequences *sequences, int64_t *since) {
  const LearnConfig *config = update->config;
  const AlgoOps *algo = update->algo;
  const float *block = update->state->block;
  PassScratch *scratch = &update->scratch;
  double progress = update->experience.progress;
  float entropy = (float)schedule_at(config->decay, config->entropy, config->entropy_end, progress);
  float reference =
      (float)schedule_at(config->decay, config->reference, config->reference_end, progress);
  float proximal = algo->proximal ? (float)algo->proximal(&update->experience) : 0;
  float unit = block[update->net->return_at + 1];
  Pass pass = {.algo = algo,
               .experience = &update->experience,
               .net = update->net,
               .block = block,
               .packed = update->packed,
               .space = &update->space,
               .sequences = sequences,
               .rows = sequences->B * sequences->T,
               .row_of = scratch->row_of,
               .mask = scratch->mask,
               .entropy_weight = entropy,
               .reference_weight = reference,
               .proximal_weight = proximal,
               .value_weight = (float)config->value_weight / (unit * unit),
               .value_unit = unit,
               .pull = update->pull,
               .reference_row = reference > 0 ? update->reference_row : NULL,
               .before_row = proximal > 0 ? update->before_row : NULL,
               .logits = scratch->logits,
               .probability = scratch->probability,
               .d_logits = scratch->d_logits,
               .value = scratch->value,
               .d_value = scratch->d_value,
               .gradient = update->gradient,
               .clock = &update->clock,
               .since = since,
               .times = &update->times};
  float *gradient = update->gradient + update->net->graph.params;
  for (size_t i = 1; i < update->state->parts; i++) {
    const TrainPart *part = &update->state->part[i];
    if (part->trained) pass.part_gradient[i - 1] = gradient;
    gradient += part->trained;
  }
  return pass;
}

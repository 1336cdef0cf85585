/* Rows through the network: how they are laid out, brought in, and evaluated. */
#include "learner/train/passes.h"

#include <stdlib.h>
#include <string.h>

enum { PASS_ROWS = 512 /* activations of a pass stay in cache */ };

/* 64-byte aligned, for whole cache lines; of all copies of a graph's parameters. */
static Status create_packed(const Graph *graph, float **out) {
  size_t copies = graph->copies > 1 ? graph->copies : 1;
  *out = aligned_alloc(64, (copies * graph->packed[true] * sizeof(float) + 63) & ~(size_t)63);
  return *out ? OK : status_set(ERR_MEMORY, "out of memory packing a network");
}

Status passes_create(const Algo *algo, Passes *out) {
  *out = (Passes){.net = algo->net, .algo = algo};
  if (algo->sides) {
    TRY_RETURN(NEW_ARRAY(out->side_of, algo->format.agents));
    format_teams(&algo->format, out->side_of);
  }
  out->packed = net_pack_create(algo->net, true);
  if (!out->packed) return status_set(ERR_MEMORY, "out of memory packing a network");
  for (size_t i = 0; i < algo->parts; i++)
    if (algo->part[i].graph) TRY_RETURN(create_packed(algo->part[i].graph, &out->part_packed[i]));
  return OK;
}

void passes_free(Passes *passes) {
  activations_destroy(&passes->space);
  for (size_t i = 0; i < ALGO_PARTS; i++) {
    activations_destroy(&passes->part_space[i]);
    free(passes->part_packed[i]);
  }
  layout_free(&passes->all);
  layout_free(&passes->learned);
  free(passes->states);
  free(passes->agent_of);
  free(passes->last);
  free(passes->moved);
  free(passes->done);
  free(passes->apart);
  free(passes->packed);
  free(passes->logits);
  free(passes->probability);
  free(passes->d_logits);
  free(passes->value);
  free(passes->d_value);
  free(passes->row_of);
  free(passes->agent);
  free(passes->restarts);
  free(passes->hold);
  free(passes->raw);
  free(passes->mask);
  free(passes->alive);
  free(passes->positions);
  free(passes->global);
  free(passes->time);
  free(passes->side_of);
  *passes = (Passes){0};
}

/* How far an episode is after so many steps: from 0 towards 1, however long it may be. */
static float time_of(double step) {
  return (float)(step / (step + 32));
}

/* The time of each row, where a critic sees it. Where teams take turns, an unroll has fewer rows
 * than steps: its later rows are then told too early a time. */
static Status tell_time(Passes *passes, const Batch *batch) {
  if (!passes->algo->critic_time) return OK;
  TRY_RETURN(GROW(passes->time, passes->time_room, batch->rows + 1));
  for (size_t u = 0; u < batch->unrolls; u++) {
    const Unroll *unroll = &batch->unroll[u];
    for (size_t t = 0; t < unroll_span(unroll); t++)
      passes->time[unroll->first + t] = time_of((double)unroll->step + (double)t);
  }
  return OK;
}

/* Activations of the network and of the parts' networks. */
static Status reserve_networks(Passes *passes, size_t rows) {
  const Algo *algo = passes->algo;
  activations_destroy(&passes->space);
  for (size_t i = 0; i < algo->parts; i++) {
    activations_destroy(&passes->part_space[i]);
    const size_t each = algo->part[i].of_teams ? format_cells(&algo->format) : 1;
    if (algo->part[i].graph)
      TRY_RETURN(activations_create(algo->part[i].graph, (rows + each - 1) / each, true,
                                    &passes->part_space[i]));
  }
  return activations_create(&passes->net->graph, rows, true, &passes->space);
}

/* Room for `rows` rows at once. It only grows, with the networks' activations; on failure what is
 * there remains, and is freed with the passes. */
static Status reserve_passes(Passes *passes, size_t rows) {
  const Net *net = passes->net;
  if (rows <= passes->rows) return OK;
  size_t line = net->space.width * sizeof(float);
  const Critic *critic = passes->algo->critic;
  size_t global = critic ? critic->shape.state * sizeof(float) : 0; /* more than enough, by cell */
  size_t element = net->observation_type == AGON_U8 ? 1 : sizeof(float);
  struct {
    void *column;
    size_t size;
  } columns[] = {
      {&passes->logits, line},
      {&passes->probability, line},
      {&passes->d_logits, line},
      {&passes->value, sizeof(float)},
      {&passes->d_value, sizeof(float)},
      {&passes->row_of, sizeof(int32_t)},
      {&passes->agent, sizeof(uint32_t)},
      {&passes->restarts, sizeof(int32_t)},
      {&passes->hold, sizeof(uint8_t)},
      {&passes->raw, net->observation_count * element},
      {&passes->mask, net->space.choices},
      {&passes->done, net->remembered ? net->remembered * sizeof(float) : 1},
      {&passes->alive, sizeof(uint8_t)},
      {&passes->positions, net_wants_positions(net) ? 3 * sizeof(float) : 1},
      {&passes->global, global ? global : 1},
  };
  size_t room = 0;
  for (size_t i = 0; i < COUNT_OF(columns); i++) {
    room = passes->rows;
    TRY_RETURN(mem_grow(columns[i].column, &room, rows, columns[i].size));
  }
  passes->rows = 0;
  TRY_RETURN(reserve_networks(passes, room));
  passes->rows = room;
  return OK;
}

/* Whose weights a cell goes through; nobody's are no copy's. */
static uint32_t copy_of(const Net *net, uint32_t agent) {
  return agent < net->agents ? net->copy_of[agent] : UINT32_MAX;
}

/* A sequence goes through one copy of the weights: which unrolls may not go on behind the one
 * before them, because a cell of theirs is another copy's. */
static Status mark_apart(Passes *passes, const Batch *batch) {
  size_t cells = format_cells(&batch->format);
  TRY_RETURN(GROW(passes->apart, passes->apart_room, batch->unrolls));
  for (size_t u = 0; u < batch->unrolls; u++) {
    passes->apart[u] = 0;
    for (size_t c = 0; u && c < cells; c++) {
      const uint32_t here = passes->agent_of[batch->unroll[u].first * cells + c];
      const uint32_t before = passes->agent_of[batch->unroll[u - 1].first * cells + c];
      passes->apart[u] |= copy_of(passes->net, here) != copy_of(passes->net, before);
    }
  }
  passes->all.apart = passes->apart;
  passes->learned.apart = passes->apart;
  return OK;
}

/* What a cell's agent did before each row of an unroll: what it remembered as that began, and from
 * then on what it has done whenever it acted, also in rows that are not learned from. */
static void recall_cell(Passes *passes, const Unroll *unroll, size_t index, size_t c) {
  const Net *net = passes->net;
  const Batch *batch = passes->batch;
  const size_t cells = format_cells(&batch->format);
  const size_t S = net->graph.state_size;
  const float *before = batch->state + (index * cells + c) * S;
  if (unroll->fresh) before = memset(passes->moved, 0, S * sizeof *passes->moved);
  for (size_t t = 0; t < unroll_span(unroll); t++) {
    const size_t cell = (unroll->first + t) * cells + c;
    float *last = passes->last + cell * net->remembered;
    const bool acts = !batch->format.flags || batch->flags[cell] & AGON_ACTS;
    memcpy(last, before + net->recurrent, net->remembered * sizeof *last);
    if (acts && t < unroll->rows) {
      net_remember(net, batch_action(batch, cell), passes->moved);
      before = passes->moved;
    }
  }
}

/* Of all cells, where the network is told. */
static Status recall(Passes *passes, const Batch *batch) {
  const Net *net = passes->net;
  const size_t cells = format_cells(&batch->format);
  if (net->remembered == 0) return OK;
  if (!passes->moved) TRY_RETURN(NEW_ARRAY(passes->moved, net->graph.state_size));
  TRY_RETURN(GROW(passes->last, passes->last_room, (batch->rows * cells + 1) * net->remembered));
  for (size_t u = 0; u < batch->unrolls; u++)
    for (size_t c = 0; c < cells; c++)
      recall_cell(passes, &batch->unroll[u], u, c);
  return OK;
}

Status passes_lay_out(Passes *passes, const Batch *batch, const Shards *shards, size_t longest,
                      bool sequences) {
  size_t S = passes->net->graph.state_size;
  size_t states = batch->unrolls * format_cells(&batch->format);
  TRY_RETURN(tell_time(passes, batch));
  passes->batch = batch;
  size_t cells = batch->rows * format_cells(&batch->format);
  TRY_RETURN(GROW(passes->agent_of, passes->agent_room, cells));
  batch_agents(batch, passes->agent_of);
  TRY_RETURN(recall(passes, batch));
  if (passes->net->recurrent == 0 && !sequences) {
    TRY_RETURN(layout_rows(&passes->all, batch, shards, false));
    return layout_rows(&passes->learned, batch, shards, true);
  }
  if (passes->net->copies > 1) TRY_RETURN(mark_apart(passes, batch));
  TRY_RETURN(layout_sequences(&passes->all, batch, shards, longest));
  TRY_RETURN(layout_sequences(&passes->learned, batch, shards, longest));
  TRY_RETURN(GROW(passes->states, passes->states_room, (states + 1) * S));
  if (S == 0) return OK;
  memset(passes->states, 0, S * sizeof(float));
  if (states) memcpy(passes->states + S, batch->state, states * S * sizeof(float));
  return OK;
}

size_t passes_units(const Layout *layout) {
  size_t rows = layout->T * layout->cells;
  if (rows > PASS_ROWS || rows == 0) return 1; /* 0: nothing at all to lay out */
  return PASS_ROWS / rows;
}

/* Where the agent was. */
static void put_position(Passes *passes, size_t at, int32_t cell) {
  static const float nowhere[3] = {0};
  const float *from = cell >= 0 ? passes->batch->position + (size_t)cell * 3 : nowhere;
  memcpy(passes->positions + at * 3, from, sizeof nowhere);
}

/* Brings a cell of the batch, or padding (below 0), into place `at` of the pass. */
static void put_cell(Passes *passes, size_t at, int32_t cell, int32_t restart) {
  const Batch *batch = passes->batch;
  size_t bytes = batch->format.observation_bytes;
  size_t choices = batch->format.choices;
  size_t L = passes->net->remembered;
  bool flags = batch->format.flags;
  passes->row_of[at] = cell;
  passes->agent[at] = cell >= 0 ? passes->agent_of[cell] : NO_AGENT;
  passes->restarts[at] = restart;
  passes->hold[at] = flags && cell >= 0 && !(batch->flags[cell] & AGON_ACTS);
  passes->alive[at] = flags && cell >= 0 && batch->flags[cell] & AGON_ALIVE;
  if (batch->format.position && net_wants_positions(passes->net)) put_position(passes, at, cell);
  if (cell >= 0) {
    memcpy(passes->raw + at * bytes, batch->observation + (size_t)cell * bytes, bytes);
    memcpy(passes->mask + at * choices, batch->mask + (size_t)cell * choices, choices);
    if (L) memcpy(passes->done + at * L, passes->last + (size_t)cell * L, L * sizeof(float));
  } else {
    if (L) memset(passes->done + at * L, 0, L * sizeof(float));
    memset(passes->raw + at * bytes, 0, bytes);
    memset(passes->mask + at * choices, 1, choices);
  }
}

/* Brings the critic what it sees of the `rows` rows in the pass: the state of each team row, its
 * time and its team, by its first cell. */
static void load_critic(Passes *passes, size_t rows) {
  const Algo *algo = passes->algo;
  const Batch *batch = passes->batch;
  size_t cells = format_cells(&batch->format);
  if (!algo->critic) return;
  size_t S = algo->critic->shape.state;
  size_t sides = algo->sides;
  size_t teams = sides ? sides : 1;
  size_t G = (S - algo->critic_time - sides) / teams;
  for (size_t at = 0; at < rows; at++) {
    int32_t cell = passes->row_of[at];
    if (at % cells || S == 0) continue;
    float *state = passes->global + at / cells * S;
    memset(state, 0, S * sizeof *state);
    if (cell < 0) continue;
    size_t row = (size_t)cell / cells;
    size_t side = sides ? passes->side_of[passes->agent[at]] : 0;
    if (G) memcpy(state + side * G, batch->global + row * G, G * sizeof *state);
    float *rest = state + teams * G;
    if (algo->critic_time) *rest++ = passes->time[row];
    if (sides) rest[side] = 1;
  }
  const CriticInput input = {
      .state = passes->global, .observation = passes->raw, .alive = passes->alive};
  critic_load(algo->critic, &input, rows, &passes->part_space[algo->critic_part]);
}

Status passes_gather(Passes *passes, const Layout *layout, const uint32_t *unit, size_t first,
                     size_t count, bool forget, Sequences *out) {
  size_t T = layout->T;
  size_t C = layout->cells;
  TRY_RETURN(reserve_passes(passes, count ? count * T * C : 1));
  for (size_t t = 0; t < T; t++)
    for (size_t b = 0; b < count; b++) {
      size_t from = ((unit ? unit[first + b] : first + b) * T + t) * C;
      size_t to = (t * count + b) * C;
      for (size_t c = 0; c < C; c++) {
        int32_t restart = layout->restart[from + c];
        put_cell(passes, to + c, layout->row[from + c], forget && restart > 0 ? 0 : restart);
        /* padding goes through the weights of its sequence */
        if (t && layout->row[from + c] < 0) passes->agent[to + c] = passes->agent[b * C + c];
      }
    }
  *out = (Sequences){.B = count * C,
                     .T = T,
                     .restart = passes->restarts,
                     .hold = passes->batch->format.flags ? passes->hold : NULL,
                     .states = passes->states,
                     .S = passes->net->graph.state_size};
  const NetInput input = {
      .rows = passes->raw,
      .agents = passes->agent,
      .last = passes->done,
      .last_step = passes->net->remembered,
      .alive = passes->alive,
      .positions = passes->positions,
  };
  net_load_input(passes->net, &input, count * T * C, &passes->space);
  load_critic(passes, count * T * C);
  return OK;
}

void passes_pack(Passes *passes, const float *block) {
  net_pack(passes->net, block, true, passes->packed);
}

void passes_pack_part(Passes *passes, size_t part, const float *block) {
  passes->part_block[part] = block;
  const Graph *graph = passes->algo->part[part].graph;
  const size_t copies = graph && graph->copies > 1 ? graph->copies : 1;
  for (size_t k = 0; graph && k < copies; k++)
    graph_pack(graph, block + k * (graph->params + graph->constants), true,
               passes->part_packed[part] + k * graph->packed[true]);
}

/* Keeps what evaluation asks for of one row, `at` in the pass. */
static void keep_row(const Passes *passes, size_t at, const Evaluated *out) {
  const ActionSpace *space = &passes->net->space;
  size_t W = space->width;
  size_t row = (size_t)passes->row_of[at];
  const float *line = passes->logits + at * W;
  if (out->line) memcpy(out->line + row * W, line, W * sizeof *line);
  if (out->log_prob)
    out->log_prob[row] = dist_log_prob(space, line, batch_action(passes->batch, row));
  if (out->value) out->value[row] = passes->value[at];
}

Status passes_evaluate(Passes *passes, const float *block, bool forget, const Evaluated *out) {
  const Net *net = passes->net;
  const Algo *algo = passes->algo;
  const size_t own = algo->critic_part;
  const Layout *layout = &passes->all;
  size_t step = passes_units(layout);
  passes_pack(passes, block);
  for (size_t first = 0; first < layout->units; first += step) {
    size_t count = layout->units - first < step ? layout->units - first : step;
    size_t rows = count * layout->T * layout->cells;
    Sequences sequences;
    TRY_RETURN(passes_gather(passes, layout, NULL, first, count, forget, &sequences));
    net_forward(net, block, passes->packed, &passes->space, &sequences, passes->logits,
                algo->critic ? NULL : passes->value, NULL);
    if (algo->critic && out->value)
      critic_forward(algo->critic, passes->part_block[own], passes->part_packed[own],
                     &passes->part_space[own], &sequences, passes->value, NULL);
    dist_normalise_rows(&net->space, passes->logits, passes->mask, rows, passes->logits);
    for (size_t at = 0; at < rows; at++)
      if (passes->row_of[at] >= 0) keep_row(passes, at, out);
  }
  return OK;
}

Pass passes_open(Passes *passes, const Sequences *sequences) {
  Pass pass = {.algo = passes->algo,
               .net = passes->net,
               .packed = passes->packed,
               .space = &passes->space,
               .sequences = sequences,
               .rows = sequences->B * sequences->T,
               .row_of = passes->row_of,
               .agent = passes->agent,
               .side_of = passes->side_of,
               .mask = passes->mask,
               .logits = passes->logits,
               .probability = passes->probability,
               .d_logits = passes->d_logits,
               .value = passes->value,
               .d_value = passes->d_value};
  for (size_t i = 0; i < passes->algo->parts; i++) {
    pass.part[i].block = passes->part_block[i];
    pass.part[i].packed = passes->part_packed[i];
    pass.part[i].space = &passes->part_space[i];
  }
  return pass;
}

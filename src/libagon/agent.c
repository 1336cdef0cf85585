/* The functions of agon/agent.h: a file that was read and checked, its packed matrices, and for
 * each state what is remembered and room to work in. */
#include "libagon/format.h"
#include "libagon/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct AgonAgent {
  AgentFile file;
  AgonAgentInfo info;
  const RunOps *ops;
  float *packed;
};

struct AgonAgentState {
  const AgonAgent *agent;
  size_t slots;
  float *memory;  /* (slots, memory) */
  float *scratch; /* of RunOps.scratch */
  size_t *source; /* (chunk) */
};

/* For vectors: whole cache lines. */
static float *new_floats(size_t count) {
  return aligned_alloc(64, ((count ? count : 1) * sizeof(float) + 63) & ~(size_t)63);
}

static AgonActionKind kind_of(const Model *m) {
  if (m->rule == MODEL_NUMBERS || m->rule == MODEL_SQUASHED) return AGON_BOX;
  return m->heads - m->inner > 1 ? AGON_MULTI_DISCRETE : AGON_DISCRETE;
}

static void describe(AgonAgent *agent) {
  const AgentFile *file = &agent->file;
  const Model *m = &file->model;
  const bool box = kind_of(m) == AGON_BOX;
  const size_t inner = m->inner ? m->head_size[m->heads - 1] : 0;
  agent->info = (AgonAgentInfo){
      .struct_size = sizeof agent->info,
      .metadata = file->metadata,
      .player = file->player,
      .env = file->env,
      .observation_type = m->bytes ? AGON_U8 : AGON_F32,
      .observation_shape = {file->shape[0], file->shape[1], file->shape[2]},
      .observation_count = m->observation,
      .action_kind = kind_of(m),
      .heads = m->heads - m->inner,
      .head_size = m->head_size,
      .mask_count = m->choices - inner,
      .output_count = box ? 2 * (size_t)m->heads : m->choices - inner,
      .action_low = m->low,
      .action_high = m->high,
      .agents = m->agents,
      .team = m->team,
      .wants_agents = m->ids > 0 || m->copies > 1,
      .wants_positions = m->talk == TALK_NEAREST,
      .memory_count = m->memory,
      .parameters = file->parameters,
  };
}

static AgonAgentStatus open_bytes(const void *bytes, size_t size, const char *name, AgonAgent **out,
                                  AgonError *error) {
  AgonAgent *agent = calloc(1, sizeof *agent);
  *out = NULL;
  if (!agent) return agent_fault(error, AGON_AGENT_MEMORY, "%.160s: out of memory", name);
  AgonAgentStatus status = format_read(bytes, size, name, &agent->file, error);
  if (status == AGON_AGENT_OK) {
    agent->ops = run_ops();
    agent->packed = new_floats(agent->file.model.copies * agent->ops->packed(&agent->file.model));
    if (!agent->packed)
      status = agent_fault(error, AGON_AGENT_MEMORY, "%.160s: out of memory", name);
  }
  if (status != AGON_AGENT_OK) {
    agon_agent_close(agent);
    return status;
  }
  agent->ops->pack(&agent->file.model, agent->packed);
  describe(agent);
  *out = agent;
  return AGON_AGENT_OK;
}

AgonAgentStatus agon_agent_open_bytes(const void *bytes, size_t size, AgonAgent **out,
                                      AgonError *error) {
  return open_bytes(bytes, size, "the agent's bytes", out, error);
}

/* All of a file; *out is the caller's (free). */
static AgonAgentStatus read_file(const char *path, uint8_t **out, size_t *size, AgonError *error) {
  FILE *file = fopen(path, "rb");
  size_t room = 0;
  *out = NULL;
  *size = 0;
  if (!file)
    return agent_fault(error, AGON_AGENT_IO, "%.160s: cannot be opened: %s", path, strerror(errno));
  while (!feof(file) && !ferror(file)) {
    if (*size == room) {
      room = room ? 2 * room : 1 << 16;
      uint8_t *more = realloc(*out, room);
      if (!more) break;
      *out = more;
    }
    *size += fread(*out + *size, 1, room - *size, file);
  }
  const bool whole = feof(file) && !ferror(file);
  const bool failed = ferror(file);
  const int why = errno;
  fclose(file);
  if (whole) return AGON_AGENT_OK;
  free(*out);
  *out = NULL;
  return failed
             ? agent_fault(error, AGON_AGENT_IO, "%.160s: cannot be read: %s", path, strerror(why))
             : agent_fault(error, AGON_AGENT_MEMORY, "%.160s: out of memory", path);
}

AgonAgentStatus agon_agent_open(const char *path, AgonAgent **out, AgonError *error) {
  uint8_t *bytes;
  size_t size;
  *out = NULL;
  AgonAgentStatus status = read_file(path, &bytes, &size, error);
  if (status == AGON_AGENT_OK) status = open_bytes(bytes, size, path, out, error);
  free(bytes);
  return status;
}

void agon_agent_close(AgonAgent *agent) {
  if (!agent) return;
  format_free(&agent->file);
  free(agent->packed);
  free(agent);
}

const AgonAgentInfo *agon_agent_info(const AgonAgent *agent) {
  return &agent->info;
}

uint32_t agon_agent_abi(void) {
  return AGON_AGENT_ABI;
}

AgonAgentStatus agon_state_new(const AgonAgent *agent, size_t n, AgonAgentState **out,
                               AgonError *error) {
  const Model *m = &agent->file.model;
  AgonAgentState *state = calloc(1, sizeof *state);
  *out = NULL;
  if (!state) return agent_fault(error, AGON_AGENT_MEMORY, "out of memory for a state");
  *state = (AgonAgentState){.agent = agent, .slots = n};
  const bool fits = n > 0 && n <= UINT32_MAX && (m->memory == 0 || n < SIZE_MAX / 8 / m->memory);
  if (fits) {
    state->memory = new_floats(n * m->memory);
    state->scratch = new_floats(agent->ops->scratch(m));
    state->source = calloc(agent->ops->chunk(m), sizeof *state->source);
  }
  if (!state->memory || !state->scratch || !state->source) {
    agon_state_free(state);
    return n == 0 ? agent_fault(error, AGON_AGENT_USAGE, "a state of 0 agents remembers nothing")
                  : agent_fault(error, AGON_AGENT_MEMORY, "out of memory for a state of %zu", n);
  }
  memset(state->memory, 0, n * m->memory * sizeof *state->memory);
  *out = state;
  return AGON_AGENT_OK;
}

void agon_state_free(AgonAgentState *state) {
  if (!state) return;
  free(state->memory);
  free(state->scratch);
  free(state->source);
  free(state);
}

void agon_state_reset(AgonAgentState *state, size_t slot) {
  const size_t S = state->agent->file.model.memory;
  if (slot < state->slots) memset(state->memory + slot * S, 0, S * sizeof *state->memory);
}

float *agon_state_memory(AgonAgentState *state) {
  return state->memory;
}

/* Numbers are remembered in half-ranges around the middle, choices from 1 on. */
void agon_state_did(AgonAgentState *state, size_t slot, uint32_t agent, const AgonAction *action) {
  const Model *m = &state->agent->file.model;
  if (slot >= state->slots || agent >= m->agents) return;
  float *last = state->memory + slot * m->memory + m->recurrent;
  for (uint32_t h = 0; h < m->lasts; h++) {
    if (!m->low) {
      last[h] = (float)(action[h].choice + 1);
      continue;
    }
    const float low = m->low[agent * m->heads + h];
    const float half = m->high[agent * m->heads + h] / 2 - low / 2;
    last[h] = half > 0 ? (action[h].value - (low + half)) / half : 0;
  }
}

/* What can be wrong with rows before they are decided. */
static AgonAgentStatus check_rows(const AgonAgent *agent, const AgonAgentState *state,
                                  const AgonAgentRows *rows, AgonError *error) {
  const AgonAgentInfo *info = &agent->info;
  if (state->agent != agent)
    return agent_fault(error, AGON_AGENT_USAGE, "the state is another agent's");
  if (rows->count > 0 && !rows->observations)
    return agent_fault(error, AGON_AGENT_USAGE, "there are rows to decide, but no observations");
  if (rows->count % info->team != 0)
    return agent_fault(error, AGON_AGENT_USAGE,
                       "%s tells its team what it sees: rows come by teams of %u, and %zu are none",
                       info->player, info->team, rows->count);
  if (info->wants_positions && !rows->positions)
    return agent_fault(error, AGON_AGENT_USAGE,
                       "%s hears those who are nearest: it needs to know where they are",
                       info->player);
  if (info->wants_agents && !rows->agents && info->agents > 1)
    return agent_fault(error, AGON_AGENT_USAGE,
                       "%s does different things as another agent: it needs to know which it is",
                       info->player);
  if (!rows->slots && rows->count > state->slots)
    return agent_fault(error, AGON_AGENT_USAGE, "%zu rows for a state of %zu", rows->count,
                       state->slots);
  for (size_t i = 0; rows->slots && i < rows->count; i++)
    if (rows->slots[i] >= state->slots)
      return agent_fault(error, AGON_AGENT_USAGE, "row %zu is of slot %u, and the state has %zu", i,
                         rows->slots[i], state->slots);
  return AGON_AGENT_OK;
}

AgonAgentStatus agon_agent_act(const AgonAgent *agent, AgonAgentState *state,
                               const AgonAgentRows *rows, const AgonAgentAnswer *answer,
                               AgonError *error) {
  const Model *m = &agent->file.model;
  const bool box = agent->info.action_kind == AGON_BOX;
  ModelFault fault;
  AgonAgentStatus status = check_rows(agent, state, rows, error);
  if (status != AGON_AGENT_OK) return status;
  ModelRows all = {
      .count = rows->count,
      .observations = rows->observations,
      .masks = rows->masks,
      .agents = rows->agents,
      .alive = rows->alive,
      .acts = rows->acts,
      .positions = rows->positions,
      .slot = rows->slots,
      .memory = state->memory,
      .greedy = rows->greedy,
      .seed = rows->seed,
      .probability = answer->probabilities,
      .log_prob = answer->log_probs,
      .value = answer->values,
  };
  if (answer->actions && box) all.number = &answer->actions->value;
  if (answer->actions && !box) all.choice = &answer->actions->choice;
  switch (agent->ops->act(m, agent->packed, state->scratch, state->source, &all, &fault)) {
  case MODEL_BAD_OBSERVATION:
    return agent_fault(error, AGON_AGENT_OBSERVATION,
                       "element %zu of the observation of row %zu is %g", fault.element, fault.row,
                       (double)fault.value);
  case MODEL_BAD_OUTPUT:
    return agent_fault(error, AGON_AGENT_NUMBERS,
                       "%s: output %zu of row %zu is %g: its weights are damaged",
                       agent->info.player, fault.element, fault.row, (double)fault.value);
  default: return AGON_AGENT_OK;
  }
}

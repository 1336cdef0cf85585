#include "agent/exported.h"

#include "agon/agent.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An open file, and one row's room. */
typedef struct Exported {
  BuiltinPolicy base;
  AgonAgent *agent;
  AgonAgentState *state;
  uint8_t *row; /* an observation */
} Exported;

/* libagon's numbers are exit codes, as ours lead to. */
static Status status_of(AgonAgentStatus how, const AgonError *error) {
  static const Status of[] = {OK,         ERR_INTERNAL, ERR_USAGE,  ERR_RUN,
                              ERR_FORMAT, ERR_IO,       ERR_MEMORY, ERR_ENV};
  return how == AGON_AGENT_OK ? OK : status_set(of[how], "%s", error->text);
}

/* Decides one agent's position. */
static void decide(Exported *self, const void *episode, uint32_t agent, const uint8_t *mask,
                   uint64_t seed, const AgonAgentAnswer *answer) {
  const Env *env = self->base.env;
  AgonError error = {0};
  env_observe(env, episode, agent, self->row);
  const AgonAgentRows rows = {
      .count = 1,
      .observations = self->row,
      .masks = mask,
      .agents = &agent,
      .greedy = self->base.greedy,
      .seed = seed,
  };
  self->base.failed =
      status_of(agon_agent_act(self->agent, self->state, &rows, answer, &error), &error);
}

/* Nothing is drawn where it takes the best. */
static void exported_act(BuiltinPolicy *base, const void *episode, uint32_t agent,
                         const uint8_t *mask, AgonRng *rng, AgonAction *out) {
  uint64_t seed = 0;
  memset(out, 0, base->env->layout.heads * sizeof *out);
  if (!base->greedy) seed = (uint64_t)rng_next(rng) << 32 | rng_next(rng);
  const AgonAgentAnswer answer = {.actions = out};
  decide((Exported *)base, episode, agent, mask, seed, &answer);
}

static void exported_probabilities(BuiltinPolicy *base, const void *episode, uint32_t agent,
                                   const uint8_t *mask, float *out) {
  const AgonKind *layout = &base->env->layout;
  const AgonAgentAnswer answer = {.probabilities = out};
  decide((Exported *)base, episode, agent, mask, 0, &answer);
  for (uint32_t h = 0; base->greedy && base->failed == OK && h < layout->heads; h++) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < layout->head_size[h]; i++)
      if (out[i] > out[best]) best = i;
    for (uint32_t i = 0; i < layout->head_size[h]; i++)
      out[i] = i == best ? 1.0f : 0.0f;
    out += layout->head_size[h];
  }
}

/* Also for one that was only half made. */
static void exported_destroy(BuiltinPolicy *base) {
  Exported *self = (Exported *)base;
  agon_state_free(self->state);
  agon_agent_close(self->agent);
  free(self->row);
  free(self);
}

/* Not in the list of built-ins: it is made from a file. */
static const BuiltinOps exported_ops = {
    .name = "exported",
    .summary = "an agent from a file of agon export",
    .act = exported_act,
    .probabilities = exported_probabilities,
    .destroy = exported_destroy,
};

/* The same game with the same options, as rows and legal actions are its. */
static Status check(const AgonAgentInfo *info, const Env *env, const char *path) {
  const AgonKind *layout = &env->layout;
  const size_t outputs =
      layout->action_kind == AGON_BOX ? 2 * (size_t)layout->heads : env->action_count;
  const bool same = info->observation_count == env->observation_count &&
                    info->observation_type == layout->observation_type &&
                    info->action_kind == layout->action_kind && info->heads == layout->heads &&
                    info->mask_count == env->action_count && info->agents == env->spec.agents;
  if (strcmp(info->env, env->title) != 0 || !same)
    return status_set(ERR_USAGE, "%s: %s plays %s, not %s", path, info->player, info->env,
                      env->title);
  if (info->memory_count || info->team > 1 || info->wants_positions ||
      info->output_count != outputs)
    return status_set(ERR_USAGE,
                      "%s: %s remembers what it saw or hears its team, and an exported file is "
                      "asked about one position at a time; name its snapshot (FILE.h5) or "
                      "RUN:PLAYER",
                      path, info->player);
  return OK;
}

Status exported_of_bytes(const char *where, const void *bytes, size_t size, const Env *env,
                         char name[EXPORTED_NAME], BuiltinPolicy **out) {
  Status status = OK;
  Exported *self = NULL;
  AgonError error = {0};
  TRY(NEW_ARRAY(self, 1));
  self->base = (BuiltinPolicy){.ops = &exported_ops, .env = env};
  status = status_of(agon_agent_open_bytes(bytes, size, &self->agent, &error), &error);
  if (status != OK) TRY(status_context(status, "%s", where));
  const AgonAgentInfo *info = agon_agent_info(self->agent);
  TRY(check(info, env, where));
  TRY(NEW_ARRAY(self->row, env->observation_bytes));
  TRY(status_of(agon_state_new(self->agent, 1, &self->state, &error), &error));
  snprintf(name, EXPORTED_NAME, "%.80s.agon", info->player);
  *out = &self->base;
  self = NULL;
done:
  if (self) exported_destroy(&self->base);
  return status;
}

Status exported_create(const char *path, const Env *env, char name[EXPORTED_NAME], Hash *hash,
                       BuiltinPolicy **out) {
  char *file;
  size_t size;
  TRY_RETURN(file_read(path, &file, &size));
  *hash = hash_bytes(file, size);
  const Status status = exported_of_bytes(path, file, size, env, name, out);
  free(file);
  return status;
}

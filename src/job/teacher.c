/* A teacher as learners ask it: libagon decides for an exported agent, row by row. */
#include "agon/agent.h"
#include "job/sources.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct ExportedTeacher {
  Teacher base;
  char text[OPTION_TEXT];
  AgonAgent *agent;
  AgonAgentState *state;
  const Env *env;
  uint32_t heads;
} ExportedTeacher;

static Status fault(AgonAgentStatus how, const AgonError *error, const char *text) {
  if (how == AGON_AGENT_OK) return OK;
  const Status status = how == AGON_AGENT_OBSERVATION ? ERR_ENV
                        : how == AGON_AGENT_MEMORY    ? ERR_MEMORY
                                                      : ERR_INTERNAL;
  return status_set(status, "the teacher %s: %s", text, error->text);
}

/* From the env's unit into half-ranges around the middle, which networks give. A component that an
 * agent lacks is masked. */
static void scale_row(const ExportedTeacher *self, uint32_t agent, float *row) {
  for (uint32_t h = 0; h < self->heads; h++) {
    float low;
    float high;
    env_action_range(self->env, agent, h, &low, &high);
    const float half = high / 2 - low / 2;
    row[h] = half > 0 ? (row[h] - (low + half)) / half : 0;
    row[self->heads + h] = half > 0 ? fmaxf(row[self->heads + h] / half, 1e-6f) : 1;
  }
}

static Status ask(void *context, const TeacherRows *rows, float *out) {
  ExportedTeacher *self = context;
  AgonError error = {.text = ""};
  const bool box = self->env->layout.action_kind == AGON_BOX;
  const AgonAgentRows asked = {
      .count = rows->count,
      .observations = rows->observations,
      .masks = rows->masks,
      .agents = rows->agents,
  };
  const AgonAgentAnswer answer = {.probabilities = out};
  TRY_RETURN(
      fault(agon_agent_act(self->agent, self->state, &asked, &answer, &error), &error, self->text));
  for (size_t i = 0; box && i < rows->count; i++)
    scale_row(self, rows->agents[i], out + i * 2 * self->heads);
  return OK;
}

void teacher_destroy(Teacher *teacher) {
  ExportedTeacher *self = (ExportedTeacher *)teacher;
  if (!self) return;
  agon_state_free(self->state);
  agon_agent_close(self->agent);
  free(self);
}

/* What it sees and does must be what the player sees and does, in one position at a time. */
static Status check(const AgentFile *file, const AgonAgentInfo *info, const Env *env,
                    const Net *net, const char *text) {
  const AgonKind *layout = &env->layout;
  const bool box = layout->action_kind == AGON_BOX;
  const uint32_t rule = file->model.rule;
  if (strcmp(info->env, env->title) != 0)
    return status_set(ERR_USAGE, "learner.teacher: %s plays %s, not %s", text, info->env,
                      env->title);
  if (info->observation_count != env->observation_count ||
      info->observation_type != layout->observation_type || info->mask_count != env->action_count ||
      info->heads != layout->heads || info->agents != env->spec.agents)
    return status_set(ERR_USAGE,
                      "learner.teacher: %s sees %zu numbers and has %zu choices, and players of %s "
                      "see %zu and have %u",
                      text, info->observation_count, info->mask_count, env->title,
                      env->observation_count, env->action_count);
  if (info->memory_count || info->team > 1)
    return status_set(ERR_USAGE,
                      "learner.teacher: %s remembers what it saw or hears its team, and a teacher "
                      "is asked about one decision at a time",
                      text);
  if (net->space.inner || net_talks(net))
    return status_set(ERR_USAGE, "learner.teacher: players whose agents tell one another something "
                                 "(net.messages) have none: what they say has no example");
  if (box ? rule != MODEL_NUMBERS : rule != MODEL_CHOICES && rule != MODEL_WORTHS)
    return status_set(ERR_USAGE,
                      "learner.teacher: %s gives numbers without any chance, from which there is "
                      "no distance to a player's",
                      text);
  return OK;
}

Status teacher_create(const Source *source, const Env *env, const Net *net, Teacher **out) {
  Status status = OK;
  ExportedTeacher *self = NULL;
  AgentFile file = {.player = NULL};
  AgonError error = {.text = ""};
  TRY(NEW_ARRAY(self, 1));
  self->base = (Teacher){.context = self, .ask = ask};
  memcpy(self->text, source->text, sizeof self->text);
  self->env = env;
  self->heads = env->layout.heads;
  if (format_read(source->file.data, source->file.size, source->text, &file, &error) !=
      AGON_AGENT_OK)
    TRY(status_set(ERR_FORMAT, "learner.teacher: %s", error.text));
  TRY(fault(agon_agent_open_bytes(source->file.data, source->file.size, &self->agent, &error),
            &error, source->text));
  TRY(check(&file, agon_agent_info(self->agent), env, net, source->text));
  TRY(fault(agon_state_new(self->agent, TEACHER_ROWS, &self->state, &error), &error, source->text));
  *out = &self->base;
  self = NULL;
done:
  format_free(&file);
  if (self) teacher_destroy(&self->base);
  return status;
}

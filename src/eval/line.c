#include "eval/line.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_word(Bytes *line, const char *word) {
  if (line->size) bytes_u8(line, ' ');
  bytes_put(line, word, strlen(word));
}

void line_put_chance(Bytes *line, uint32_t outcome) {
  char word[16];
  snprintf(word, sizeof word, "%u", outcome);
  put_word(line, word);
}

const char *action_word(const Env *env, const AgonAction *action, char out[ACTION_WORD]) {
  size_t used = 0;
  out[0] = 0;
  for (uint32_t h = 0; h < env->spec.heads; h++) {
    const char *join = h ? "/" : "";
    int size = env->spec.action_kind == AGON_BOX
                   ? snprintf(out + used, ACTION_WORD - used, "%s%.9g", join, (double)action->value[h])
                   : snprintf(out + used, ACTION_WORD - used, "%s%d", join, action->choice[h]);
    used += (size_t)size;
  }
  return out;
}

void line_put_actions(Bytes *line, const Env *env, const void *episode, const AgonAction *actions) {
  uint8_t flags[AGON_MAX_AGENTS];
  char word[ACTION_WORD];
  env->table->flags(env->params, episode, flags);
  for (uint32_t a = 0; a < env->spec.agents; a++)
    if (flags[a] & AGON_ACTS) put_word(line, action_word(env, &actions[a], word));
}

Status position_create(const Env *env, Position *out) {
  *out = (Position){.env = env};
  if (!env_copies(env)) return status_set(ERR_USAGE, "%s keeps state outside its episode", env->table->name);
  TRY_RETURN(mem_array(&out->episode, env->spec.episode_size, 1));
  Status status = NEW_ARRAY(out->mask, env->action_count);
  if (status != OK) position_destroy(out);
  return status;
}

void position_destroy(Position *position) {
  free(position->episode);
  free(position->mask);
  *position = (Position){.env = position->env};
}

static void look(Position *position) {
  if (position->status == AGON_RUNNING)
    position->env->table->flags(position->env->params, position->episode, position->flags);
  else
    memset(position->flags, 0, sizeof position->flags);
}

Status position_reset(Position *position, AgonRng rng) {
  const Env *env = position->env;
  position->rng = rng;
  AgonRandom random = rng_handle(&position->rng);
  memset(position->returns, 0, sizeof position->returns);
  position->waiting = 0;
  position->status = env->table->reset(env->params, position->episode, &random);
  look(position);
  return OK;
}

bool position_actor(const Position *position, uint32_t *agent) {
  uint32_t skip = position->waiting;
  for (uint32_t a = 0; a < position->env->spec.agents; a++)
    if ((position->flags[a] & AGON_ACTS) && skip-- == 0) {
      *agent = a;
      return true;
    }
  return false;
}

static void settle(Position *position, AgonStatus how, const float *reward) {
  for (uint32_t a = 0; a < position->env->spec.agents; a++) position->returns[a] += (double)reward[a];
  position->status = how;
  look(position);
}

static Status play_chance(Position *position, const char *word) {
  const Env *env = position->env;
  double probability[AGON_MAX_CHANCE];
  float reward[AGON_MAX_AGENTS] = {0};
  int64_t outcome = -1;
  uint32_t count = env->table->chance_outcomes(env->params, position->episode, probability);
  if (!text_to_int(word, &outcome) || outcome < 0 || outcome >= count || probability[outcome] <= 0)
    return status_set(ERR_USAGE, "'%.40s' is no possible outcome of the chance move here (0 to %u, some excluded)",
                      word, count - 1);
  settle(position, env->table->chance_apply(env->params, position->episode, (uint32_t)outcome, reward), reward);
  return OK;
}

const char *position_action_text(const Env *env, uint32_t head, uint32_t choice, char *out, size_t size) {
  const char *name = env->table->action_name ? env->table->action_name(env->params, head, choice) : NULL;
  snprintf(out, size, "%s", name ? name : "");
  for (char *at = out; *at; at++)
    if (*at == ' ') *at = '_'; /* words have no spaces */
  if (!name) snprintf(out, size, "%u", choice);
  return out;
}

/* One head's part of a word. */
static bool parse_choice(const Env *env, uint32_t head, const char *text, const uint8_t *legal, int32_t *out) {
  char name[64];
  int64_t value = -1;
  if (!text_to_int(text, &value)) {
    for (uint32_t i = 0; i < env->spec.head_size[head] && value < 0; i++)
      if (!strcmp(position_action_text(env, head, i, name, sizeof name), text)) value = i;
  }
  if (value < 0 || value >= env->spec.head_size[head] || !legal[value]) return false;
  *out = (int32_t)value;
  return true;
}

static Status illegal(const Position *position, uint32_t agent, const char *word, const uint8_t *mask) {
  const Env *env = position->env;
  char list[200] = "", name[64];
  size_t used = 0;
  if (env->spec.action_kind == AGON_BOX)
    return status_set(ERR_USAGE, "'%.40s' is no action of agent %u: that is %u number%s, each from %g to %g", word,
                      agent, env->spec.heads, env->spec.heads == 1 ? "" : "s joined by '/'",
                      (double)env->spec.action_low, (double)env->spec.action_high);
  for (uint32_t i = 0; i < env->spec.head_size[0] && used < 160; i++)
    if (mask[i])
      used +=
          (size_t)snprintf(list + used, sizeof list - used, " %s", position_action_text(env, 0, i, name, sizeof name));
  return status_set(ERR_USAGE, "'%.40s' is no legal action of agent %u here (there are:%s)", word, agent, list);
}

static Status parse_action(const Position *position, uint32_t agent, const char *word, AgonAction *out) {
  const Env *env = position->env;
  uint8_t *mask = position->mask;
  const uint8_t *legal = mask;
  const char *at = word;
  env->table->mask(env->params, position->episode, agent, mask);
  for (uint32_t h = 0; h < env->spec.heads; h++) {
    char part[64];
    size_t size = strcspn(at, "/");
    double value;
    if (size >= sizeof part) return illegal(position, agent, word, mask);
    memcpy(part, at, size);
    part[size] = 0;
    at += size + (at[size] == '/');
    if (env->spec.action_kind == AGON_BOX) {
      if (!text_to_float(part, &value)) return illegal(position, agent, word, mask);
      out->value[h] = (float)value;
    } else if (!parse_choice(env, h, part, legal, &out->choice[h])) {
      return illegal(position, agent, word, mask);
    } else {
      legal += env->spec.head_size[h];
    }
  }
  return *at ? illegal(position, agent, word, mask) : OK;
}

Status position_play(Position *position, const char *word) {
  const Env *env = position->env;
  uint32_t agent, next;
  float reward[AGON_MAX_AGENTS] = {0};
  if (position->status == AGON_CHANCE) return play_chance(position, word);
  if (position->status != AGON_RUNNING || !position_actor(position, &agent))
    return status_set(ERR_USAGE, "'%.40s' comes after the end of the game", word);
  TRY_RETURN(parse_action(position, agent, word, &position->pending[agent]));
  position->waiting++;
  if (position_actor(position, &next)) return OK; /* a simultaneous move waits for the others' words */
  if (position->stepping) TRY_RETURN(position->stepping(position->context, position));
  AgonRandom random = rng_handle(&position->rng);
  position->waiting = 0;
  env_clip_actions(env, position->pending);
  AgonStatus how = env->table->step(env->params, position->episode, position->pending, &random, reward);
  if (how == AGON_FAILED) return status_set(ERR_ENV, "env %s failed", env->table->name);
  settle(position, how, reward);
  return OK;
}

Status position_play_line(Position *position, const char *line) {
  for (const char *at = line; *at;) {
    char word[256];
    size_t space = strspn(at, " \t\r\n"), size = strcspn(at + space, " \t\r\n");
    at += space;
    if (size == 0) break;
    if (size >= sizeof word) return status_set(ERR_USAGE, "a word of the line is too long");
    memcpy(word, at, size);
    word[size] = 0;
    at += size;
    TRY_RETURN(position_play(position, word));
  }
  return OK;
}

const char *position_status_text(AgonStatus status) {
  return status == AGON_RUNNING      ? "running"
         : status == AGON_CHANCE     ? "chance"
         : status == AGON_TERMINATED ? "terminated"
                                     : "truncated";
}

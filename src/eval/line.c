#include "eval/line.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Words are separated by one space. */
static void put_word(Bytes *line, const char *word) {
  if (line->size) bytes_u8(line, ' ');
  bytes_put(line, word, strlen(word));
}

/* An outcome is told by its number. */
void line_put_chance(Bytes *line, uint32_t outcome) {
  char word[16];
  snprintf(word, sizeof word, "%u", outcome);
  put_word(line, word);
}

/* Nine digits bring a float back exactly. */
const char *action_word(const Env *env, const AgonAction *action, char out[ACTION_WORD]) {
  size_t used = 0;
  out[0] = 0;
  for (uint32_t h = 0; h < env->layout.heads; h++) {
    const char *join = h ? "/" : "";
    int size =
        env->layout.action_kind == AGON_BOX
            ? snprintf(out + used, ACTION_WORD - used, "%s%.9g", join, (double)action[h].value)
            : snprintf(out + used, ACTION_WORD - used, "%s%d", join, action[h].choice);
    used += (size_t)size;
  }
  return out;
}

/* Only those who must act have a word. */
void line_put_actions(Bytes *line, const Env *env, const void *episode, const AgonAction *actions,
                      uint8_t *flags) {
  char word[ACTION_WORD];
  env_flags_of(env, episode, flags);
  for (uint32_t a = 0; a < env->spec.agents; a++)
    if (flags[a] & AGON_ACTS)
      put_word(line, action_word(env, actions + a * env->layout.heads, word));
}

/* An env that keeps state elsewhere cannot be played forward from a copy, so it is refused. */
Status position_create(const Env *env, Position *out) {
  *out = (Position){.env = env};
  Status status = OK;
  if (!env_copies(env))
    return status_set(ERR_USAGE,
                      "%s keeps state outside its episode, and positions of it cannot be copied: "
                      "agon/history.h makes such an env flat",
                      env->table->name);
  TRY(mem_array(&out->episode, env->spec.episode_size, 1));
  TRY(NEW_ARRAY(out->mask, env->action_count));
  TRY(NEW_ARRAY(out->flags, env->spec.agents));
  TRY(NEW_ARRAY(out->returns, env->spec.agents));
  TRY(NEW_ARRAY(out->reward, env->spec.agents));
  TRY(NEW_ARRAY(out->outcome, env->spec.teams));
  TRY(NEW_ARRAY(out->pending, env->spec.agents * env->layout.heads));
done:
  if (status != OK) position_destroy(out);
  return status;
}

/* Also for one that was only half made. */
void position_destroy(Position *position) {
  free(position->episode);
  free(position->mask);
  free(position->flags);
  free(position->returns);
  free(position->reward);
  free(position->pending);
  free(position->outcome);
  *position = (Position){.env = position->env};
}

/* Whose turn it is now; nobody's at a chance move or the end. */
static void look(Position *position) {
  if (position->status == AGON_RUNNING)
    env_flags_of(position->env, position->episode, position->flags);
  else
    memset(position->flags, 0, position->env->spec.agents);
}

/* Forgets the game before. */
Status position_reset(Position *position, AgonRng rng) {
  const Env *env = position->env;
  position->rng = rng;
  AgonRandom random = rng_handle(&position->rng);
  memset(position->returns, 0, env->spec.agents * sizeof *position->returns);
  memset(position->pending, 0, env->spec.agents * env->layout.heads * sizeof *position->pending);
  position->waiting = 0;
  position->status = env_call_reset(env, position->episode, &random);
  if (position->status == AGON_FAILED)
    return status_set(ERR_ENV, "env %s failed in reset: %s", env->table->name, env_why(env));
  look(position);
  return OK;
}

/* The first who must act and has not given a word yet. */
bool position_actor(const Position *position, uint32_t *agent) {
  uint32_t skip = position->waiting;
  for (uint32_t a = 0; a < position->env->spec.agents; a++)
    if ((position->flags[a] & AGON_ACTS) && skip-- == 0) {
      *agent = a;
      return true;
    }
  return false;
}

/* Takes over what a step or a chance move returned; its rewards are in position->reward. */
static Status settle(Position *position, AgonStatus how, const char *where) {
  const Env *env = position->env;
  position->status = how;
  if (how == AGON_FAILED)
    return status_set(ERR_ENV, "env %s failed in %s: %s", env->table->name, where, env_why(env));
  for (uint32_t a = 0; a < env->spec.agents; a++)
    position->returns[a] += (double)position->reward[a];
  look(position);
  return OK;
}

/* Envs add to rewards, so they begin at 0. */
static float *no_reward(Position *position) {
  memset(position->reward, 0, position->env->spec.agents * sizeof *position->reward);
  return position->reward;
}

/* In a line chance is not drawn but told. */
static Status play_chance(Position *position, const char *word) {
  const Env *env = position->env;
  int64_t outcome = -1;
  uint32_t count;
  const double *probability = env_chance(env, position->episode, &count);
  if (!text_to_int(word, &outcome) || outcome < 0 || outcome >= count || probability[outcome] <= 0)
    return status_set(
        ERR_USAGE,
        "'%.40s' is no possible outcome of the chance move here (0 to %u, some excluded)", word,
        count - 1);
  AgonStatus how = env_call_chance(env, position->episode, (uint32_t)outcome, no_reward(position));
  return settle(position, how, "a chance move");
}

/* Names may have spaces, words may not. */
const char *position_action_text(const Env *env, uint32_t head, uint32_t choice, char *out,
                                 size_t size) {
  const char *name =
      env->table->action_name ? env->table->action_name(env->params, head, choice) : NULL;
  snprintf(out, size, "%s", name ? name : "");
  for (char *at = out; *at; at++)
    if (*at == ' ') *at = '_'; /* words have no spaces */
  if (!name) snprintf(out, size, "%u", choice);
  return out;
}

/* One head's part of a word: a number or a name. false if there is no such choice, or it is not
 * legal. */
static bool parse_choice(const Env *env, uint32_t head, const char *text, const uint8_t *legal,
                         int32_t *out) {
  char name[64];
  int64_t value = -1;
  if (!text_to_int(text, &value)) {
    for (uint32_t i = 0; i < env->layout.head_size[head] && value < 0; i++)
      if (!strcmp(position_action_text(env, head, i, name, sizeof name), text)) value = i;
  }
  if (value < 0 || value >= env->layout.head_size[head] || !legal[value]) return false;
  *out = (int32_t)value;
  return true;
}

/* One range if all components have the same. */
const char *position_range_text(const Env *env, uint32_t agent, char *out, size_t size) {
  const AgonKind *kind = env_kind(env, agent);
  bool alike = true;
  size_t used = 0;
  for (uint32_t h = 1; h < kind->heads; h++)
    alike &= !memcmp(&kind->action_low[h], &kind->action_low[0], sizeof(float)) &&
             !memcmp(&kind->action_high[h], &kind->action_high[0], sizeof(float));
  if (alike) {
    snprintf(out, size, "each from %g to %g", (double)kind->action_low[0],
             (double)kind->action_high[0]);
    return out;
  }
  for (uint32_t h = 0; h < kind->heads && used < size; h++)
    used += (size_t)snprintf(out + used, size - used, "%s%g to %g", h ? ", " : "from ",
                             (double)kind->action_low[h], (double)kind->action_high[h]);
  return out;
}

/* ERR_USAGE that says what would be possible. */
static Status illegal(const Position *position, uint32_t agent, const char *word,
                      const uint8_t *mask) {
  const Env *env = position->env;
  char list[200] = "", name[64];
  size_t used = 0;
  if (env->layout.action_kind == AGON_BOX)
    return status_set(ERR_USAGE, "'%.40s' is no action of agent %u: that is %u number%s, %s", word,
                      agent, env->layout.heads, env->layout.heads == 1 ? "" : "s joined by '/'",
                      position_range_text(env, agent, list, sizeof list));
  for (uint32_t i = 0; i < env->layout.head_size[0] && used < 160; i++)
    if (mask[i])
      used += (size_t)snprintf(list + used, sizeof list - used, " %s",
                               position_action_text(env, 0, i, name, sizeof name));
  return status_set(ERR_USAGE, "'%.40s' is no legal action of agent %u here (there are:%s)", word,
                    agent, list);
}

/* A word has as many parts as the agent has heads, joined by '/'. legal: the mask of the head whose
 * part is read. */
static Status parse_action(const Position *position, uint32_t agent, const char *word,
                           AgonAction *out) {
  const Env *env = position->env;
  uint8_t *mask = position->mask;
  const uint8_t *legal = mask;
  const char *at = word;
  env_mask(env, position->episode, agent, mask);
  for (uint32_t h = 0; h < env->layout.heads; h++) {
    char part[64];
    size_t size = strcspn(at, "/");
    double value;
    if (size >= sizeof part) return illegal(position, agent, word, mask);
    memcpy(part, at, size);
    part[size] = 0;
    at += size + (at[size] == '/');
    if (env->layout.action_kind == AGON_BOX) {
      if (!text_to_float(part, &value)) return illegal(position, agent, word, mask);
      out[h].value = (float)value;
    } else if (!parse_choice(env, h, part, legal, &out[h].choice)) {
      return illegal(position, agent, word, mask);
    } else {
      legal += env->layout.head_size[h];
    }
  }
  return *at ? illegal(position, agent, word, mask) : OK;
}

/* Words of a simultaneous move are kept until all have theirs. */
Status position_play(Position *position, const char *word) {
  const Env *env = position->env;
  uint32_t agent, next;
  if (position->status == AGON_CHANCE) return play_chance(position, word);
  if (position->status != AGON_RUNNING || !position_actor(position, &agent))
    return status_set(ERR_USAGE, "'%.40s' comes after the end of the game", word);
  TRY_RETURN(parse_action(position, agent, word, env_action(env, position->pending, agent)));
  position->waiting++;
  if (position_actor(position, &next))
    return OK; /* a simultaneous move waits for the others' words */
  if (position->stepping) TRY_RETURN(position->stepping(position->context, position));
  AgonRandom random = rng_handle(&position->rng);
  position->waiting = 0;
  env_clip_actions(env, position->pending);
  return settle(
      position,
      env_call_step(env, position->episode, position->pending, &random, no_reward(position)),
      "step");
}

/* Stops at the first word that cannot be played. */
Status position_play_line(Position *position, const char *line) {
  for (const char *at = line; *at;) {
    char word[ACTION_WORD];
    size_t space = strspn(at, " \t\r\n");
    size_t size = strcspn(at + space, " \t\r\n");
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

/* Written anew at each call. */
const float *position_outcome(const Position *position) {
  env_outcome(position->env, position->episode, position->outcome);
  return position->outcome;
}

AgentView position_view(const Position *position) {
  return (AgentView){
      .episode = position->episode,
      .flags = position->flags,
      .running = position->status == AGON_RUNNING,
  };
}

Status position_show(void *agent, const Position *position) {
  AgentView view = position_view(position);
  view.actions = position->pending;
  return agent_follow(agent, &view);
}

/* The words that `agon query` uses. */
const char *position_status_text(AgonStatus status) {
  return status == AGON_RUNNING      ? "running"
         : status == AGON_CHANCE     ? "chance"
         : status == AGON_TERMINATED ? "terminated"
                                     : "truncated";
}

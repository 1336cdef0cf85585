#include "eval/engine.h"

#include <stdlib.h>
#include <string.h>

enum {
  PROTOCOL = 1,
  TOGETHER = 256 /* lines whose last positions are evaluated together */
};

/* A line that was played, until what was asked about it has been thought about. */
typedef struct Open {
  json_t *answer; /* in the list of answers, which owns it */
  size_t first, count;
} Open;

/* Room for TOGETHER lines in whose last positions all agents act. */
Status engine_create(Contestant *who, const Env *env, Engine *out) {
  *out = (Engine){.env = env};
  TRY_RETURN(agent_create(who, env, (size_t)TOGETHER * env->spec.agents, &out->agent));
  TRY_RETURN(position_create(env, &out->position));
  out->position.stepping = position_show;
  out->position.context = &out->agent;
  return OK;
}

/* Also for one that was only half made. */
void engine_destroy(Engine *engine) {
  position_destroy(&engine->position);
  agent_destroy(&engine->agent);
}

/* Seven digits: all that single precision has. */
char *engine_text(json_t *object) {
  char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(7));
  json_decref(object);
  return text;
}

/* What went wrong, as JSON. A message that quotes the first bytes of a word may have cut a
 * character in two, which JSON cannot hold: then its bytes become '?'. */
static json_t *fault(void) {
  char text[1024];
  size_t size =
      strlen(status_message()) < sizeof text - 1 ? strlen(status_message()) : sizeof text - 1;
  memcpy(text, status_message(), size);
  text[size] = 0;
  json_t *whole = json_string(text);
  for (char *at = text; !whole && *at; at++)
    if ((unsigned char)*at >= 128) *at = '?';
  return whole ? whole : json_string(text);
}

/* A list of `count` numbers. */
static json_t *numbers(const float *from, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append_new(list, json_real((double)from[i]));
  return list;
}

/* One number where all components of an action have the same bound, else a list of them. */
static json_t *json_range(const float *bound, uint32_t heads) {
  for (uint32_t h = 1; h < heads; h++)
    if (bound[h] < bound[0] || bound[h] > bound[0]) return numbers(bound, heads);
  return json_real((double)bound[0]);
}

/* For each head the names of its choices. */
static json_t *action_names(const Env *env) {
  const AgonKind *layout = &env->layout;
  char name[64];
  json_t *heads = json_array();
  for (uint32_t h = 0; h < layout->heads; h++) {
    json_t *names = json_array();
    for (uint32_t i = 0; i < layout->head_size[h]; i++)
      json_array_append_new(names, json_string(position_action_text(env, h, i, name, sizeof name)));
    json_array_append_new(heads, names);
  }
  return heads;
}

/* What a program must know to speak of this game: its agents, teams and actions. */
char *engine_greeting(const Engine *engine) {
  const Env *env = engine->env;
  const AgonEnvSpec *spec = &env->spec;
  const AgonKind *layout = &env->layout;
  static const char *const kind[] = {"discrete", "multi_discrete", "box"};
  char player[160];
  json_t *teams = json_array();
  json_t *root;
  if (contestant_id(engine->agent.who, player, sizeof player) != OK) player[0] = 0;
  for (uint32_t a = 0; a < spec->agents; a++)
    json_array_append_new(teams, json_integer(spec->team_of[a]));
  root = json_pack("{s:s,s:i,s:s,s:s,s:o,s:s}", "agon", AGON_VERSION, "protocol", PROTOCOL, "game",
                   env->title, "player", player, "team_of", teams, "actions",
                   kind[layout->action_kind]);
  if (layout->action_kind == AGON_BOX) {
    json_object_set_new(root, "numbers", json_integer(layout->heads));
    json_object_set_new(root, "low", json_range(layout->action_low, layout->heads));
    json_object_set_new(root, "high", json_range(layout->action_high, layout->heads));
  } else {
    json_object_set_new(root, "names", action_names(env));
  }
  return engine_text(root);
}

/* Plays a line and asks about the turns at its end. What goes wrong is left as the status
 * message. */
static Status follow(Engine *engine, const char *line, size_t *first, size_t *count) {
  Position *position = &engine->position;
  agent_forget(&engine->agent);
  TRY_RETURN(position_reset(position, (AgonRng){0}));
  TRY_RETURN(position_play_line(position, line));
  if (position->waiting)
    return status_set(ERR_USAGE, "the last simultaneous move lacks an agent's word");
  AgentView view = position_view(position);
  agent_ask(&engine->agent, &view, first, count);
  return OK;
}

/* What is known of the position before anybody has thought about it. */
static json_t *describe(const Position *position, const char *line) {
  const Env *env = position->env;
  json_t *returns = json_array();
  json_t *chance = json_array();
  for (uint32_t a = 0; a < env->spec.agents; a++)
    json_array_append_new(returns, json_real(position->returns[a]));
  json_t *answer = json_pack("{s:s,s:s,s:[],s:o}", "line", line, "status",
                             position_status_text(position->status), "agents", "returns", returns);
  if (position->status == AGON_CHANCE) {
    uint32_t count;
    const double *probability = env_chance(env, position->episode, &count);
    for (uint32_t i = 0; i < count; i++)
      json_array_append_new(chance, json_real(probability[i]));
    json_object_set(answer, "chance", chance);
  }
  json_decref(chance);
  return answer;
}

/* One agent's turn: probabilities or mean and deviation, value, and the best action; only the last
 * where the player does not tell more. */
static json_t *thought_object(const Engine *engine, const Thought *thought) {
  const Env *env = engine->env;
  char word[ACTION_WORD];
  json_t *object = json_object();
  json_object_set_new(object, "agent", json_integer(thought->agent));
  if (thought->row && env->layout.action_kind == AGON_BOX) {
    json_object_set_new(object, "mean", numbers(thought->row, env->layout.heads));
    json_object_set_new(object, "deviation",
                        numbers(thought->row + env->layout.heads, env->layout.heads));
  } else if (thought->row) {
    json_object_set_new(object, "probabilities", numbers(thought->row, env->action_count));
  }
  if (thought->row) json_object_set_new(object, "value", json_real((double)thought->value));
  json_object_set_new(object, "best", json_string(action_word(env, thought->best, word)));
  return object;
}

/* Thinks about all that the lines of `open` asked, in one batch, and completes their answers. A
 * fault is said in each of them. */
static void complete(Engine *engine, Open *open, size_t count, bool *failed) {
  Status status = agent_think(&engine->agent);
  for (size_t i = 0; i < count; i++) {
    json_t *agents = json_object_get(open[i].answer, "agents");
    for (size_t k = 0; status == OK && k < open[i].count; k++)
      json_array_append_new(agents,
                            thought_object(engine, &engine->agent.thought[open[i].first + k]));
    if (status == OK || open[i].count == 0) continue;
    *failed = true;
    json_object_del(open[i].answer, "agents");
    json_object_set_new(open[i].answer, "error", fault());
  }
}

/* The answers to `count` lines, in their order; a fault in one does not keep the others from being
 * answered. */
static json_t *answer_lines(Engine *engine, json_t *const *lines, size_t count, bool *failed) {
  json_t *answers = json_array();
  Open open[TOGETHER];
  size_t opened = 0;
  for (size_t i = 0; i < count; i++) {
    const char *line = json_string_value(lines[i]);
    json_t *answer;
    Status status = line ? follow(engine, line, &open[opened].first, &open[opened].count)
                         : status_set(ERR_USAGE, "a line of play is a string");
    if (status == OK) {
      answer = describe(&engine->position, line);
      open[opened++].answer = answer;
    } else {
      *failed = true;
      answer = json_pack("{s:O,s:o}", "line", lines[i], "error", fault());
    }
    json_array_append_new(answers, answer);
    if (opened == TOGETHER || i + 1 == count) {
      complete(engine, open, opened, failed);
      opened = 0;
    }
  }
  return answers;
}

/* A list of one line. */
json_t *engine_position(Engine *engine, const char *line, bool *failed) {
  json_t *text = json_string(line);
  json_t *answer = NULL;
  *failed = false;
  if (!text) { /* a line that is no UTF-8 can be neither played nor repeated */
    *failed = true;
    return json_pack("{s:s,s:s}", "line", "", "error", "the line is not UTF-8");
  }
  json_t *answers = answer_lines(engine, &text, 1, failed);
  answer = json_incref(json_array_get(answers, 0));
  json_decref(answers);
  json_decref(text);
  return answer;
}

/* ERR_USAGE unless the request is an object with known keys, of which exactly one says what to
 * do. */
static Status check_request(const json_t *request) {
  const char *key;
  json_t *value;
  json_t *root = (json_t *)request;
  if (!json_is_object(root)) return status_set(ERR_USAGE, "a request is a JSON object");
  json_object_foreach(root, key, value) {
    if (!strcmp(key, "id")) {
      if (!json_is_string(value) && !json_is_integer(value))
        return status_set(ERR_USAGE, "an id is a string or a whole number");
    } else if (!strcmp(key, "line")) {
      if (!json_is_string(value)) return status_set(ERR_USAGE, "a line of play is a string");
    } else if (!strcmp(key, "lines")) {
      if (!json_is_array(value)) return status_set(ERR_USAGE, "'lines' is a list of lines of play");
    } else if (!strcmp(key, "quit")) {
      if (!json_is_true(value)) return status_set(ERR_USAGE, "'quit' is true or absent");
    } else {
      return status_set(ERR_USAGE, "a request has no '%.40s' (there are: id, line, lines, quit)",
                        key);
    }
  }
  int asked = (json_object_get(root, "line") != NULL) + (json_object_get(root, "lines") != NULL) +
              (json_object_get(root, "quit") != NULL);
  if (asked != 1) return status_set(ERR_USAGE, "a request has one of: line, lines, quit");
  return OK;
}

/* Puts the request's id in front of what is answered, so that answers can be told apart; null where
 * it cannot be read. */
static json_t *with_id(const json_t *request, json_t *body) {
  json_t *id = json_is_object(request) ? json_object_get(request, "id") : NULL;
  json_t *root = json_object();
  bool whole = json_is_string(id) || json_is_integer(id);
  if (whole)
    json_object_set(root, "id", id);
  else
    json_object_set_new(root, "id", json_null());
  json_object_update(root, body);
  json_decref(body);
  return root;
}

/* The answers to a request of several lines. */
static json_t *answer_list(Engine *engine, const json_t *lines) {
  size_t count = json_array_size(lines);
  json_t **line = NULL;
  json_t *body;
  bool failed = false;
  if (NEW_ARRAY(line, count) != OK) return json_pack("{s:o}", "error", fault());
  for (size_t i = 0; i < count; i++)
    line[i] = json_array_get(lines, i);
  body = json_pack("{s:o}", "answers", answer_lines(engine, line, count, &failed));
  free(line);
  return body;
}

/* Whatever comes, one line goes out: a program that waits for it must not hang. */
char *engine_answer(Engine *engine, const char *text, size_t size, bool *quit) {
  json_error_t error;
  bool failed = false;
  json_t *request = json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
  json_t *body;
  Status status =
      request ? check_request(request) : status_set(ERR_USAGE, "not JSON: %.120s", error.text);
  if (status != OK) {
    body = json_pack("{s:o}", "error", fault());
  } else if (json_object_get(request, "quit")) {
    *quit = true;
    body = json_pack("{s:b}", "quit", 1);
  } else if (json_object_get(request, "lines")) {
    body = answer_list(engine, json_object_get(request, "lines"));
  } else {
    body = engine_position(engine, json_string_value(json_object_get(request, "line")), &failed);
  }
  body = with_id(request, body);
  json_decref(request);
  return engine_text(body);
}

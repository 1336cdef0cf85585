/* A player that answers other programs: one line of JSON in, one line out. The protocol is in
 * README.md here. The engine neither reads nor writes a stream: its caller does. */
#pragma once
#include "eval/eval.h"
#include "eval/line.h"

#include <jansson.h>

/* A player and the line of play that it is following. */
typedef struct Engine {
  const Env *env;
  Agent agent;
  Position position;
} Engine;

/* `who` and `env` are borrowed. engine_destroy is due in any case. ERR_USAGE for an env whose
 * positions cannot be copied, ERR_MEMORY. */
Status engine_create(Contestant *who, const Env *env, Engine *out);
/* Also for one that is all zero. */
void engine_destroy(Engine *engine);
/* The line that says that the engine is ready and what it plays. The text is the caller's, without
 * a line's end; NULL: out of memory. */
char *engine_greeting(const Engine *engine);
/* The answer to one request, whatever the request is: what is wrong with it is said in the answer.
 * *quit is set where the request asks for the end. NULL: out of memory. */
char *engine_answer(Engine *engine, const char *request, size_t size, bool *quit);
/* One line of play as an object {line, status, agents, returns}, or {line, error}: what is in
 * `answers`. *failed tells which. NULL: out of memory. */
json_t *engine_position(Engine *engine, const char *line, bool *failed);
/* The object on one line, which is the caller's (free); takes the reference. NULL: out of
 * memory. */
char *engine_text(json_t *object);

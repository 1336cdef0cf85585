#include "agent/program.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  PROTOCOL = 1,
  PATIENCE = 10,     /* seconds for an answer, where none are named */
  START = 30,        /* seconds until it is ready, at least: interpreters load libraries */
  FAREWELL = 1000,   /* milliseconds to end by itself */
  LONGEST = 1 << 20, /* bytes of a line of its */
  QUOTED = 160       /* bytes of a line that a message repeats */
};

/* A program that runs, and the last words with it. */
typedef struct Program {
  BuiltinPolicy base;
  char *command;
  pid_t pid;      /* 0: it runs no more */
  int to, from;   /* its standard input and output; -1: closed */
  double seconds; /* patience */
  uint64_t asked; /* requests so far: their ids */
  Bytes sent;     /* the last line to it, with a 0 */
  Bytes heard;    /* what came and was not yet taken */
  char *row;      /* an observation */
} Program;

/* "exec:" or "exec@SECONDS:"; *command is what follows. */
static bool split(const char *text, double *seconds, const char **command) {
  char number[32];
  *seconds = PATIENCE;
  if (!strncmp(text, "exec:", 5)) {
    *command = text + 5;
    return true;
  }
  const char *colon = strchr(text, ':');
  if (strncmp(text, "exec@", 5) != 0 || !colon || (size_t)(colon - text) - 5 >= sizeof number)
    return false;
  memcpy(number, text + 5, (size_t)(colon - text) - 5);
  number[colon - text - 5] = 0;
  *command = colon + 1;
  return text_to_float(number, seconds) && *seconds > 0 && *seconds <= 86400;
}

bool program_named(const char *text) {
  return !strncmp(text, "exec:", 5) || !strncmp(text, "exec@", 5);
}

/* --- its process --- */

/* In a group of its own, so that what it starts ends with it. Its errors go where ours go. */
static Status start(Program *self) {
  Status status = OK;
  int in[2] = {-1, -1};
  int out[2] = {-1, -1};
  char *words[] = {(char *)"sh", (char *)"-c", self->command, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  /* a socket, as a write to a program that has gone must not end this one by a signal */
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) || pipe2(out, O_CLOEXEC))
    TRY(status_set(ERR_IO, "cannot make a pipe to %s: %s", self->command, strerror(errno)));
  int failed = posix_spawn_file_actions_init(&actions);
  if (!failed) {
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
      posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
      posix_spawnattr_setpgroup(&attributes, 0);
      failed = posix_spawn_file_actions_adddup2(&actions, in[1], 0);
      if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, out[1], 1);
      if (!failed)
        failed = posix_spawn(&self->pid, "/bin/sh", &actions, &attributes, words, environ);
      posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
  }
  if (failed) {
    self->pid = 0;
    TRY(status_set(ERR_IO, "cannot start %s: %s", self->command, strerror(failed)));
  }
  self->to = in[0];
  self->from = out[0];
  in[0] = -1;
  out[0] = -1;
done:
  for (int i = 0; i < 2; i++) {
    if (in[i] >= 0) close(in[i]);
    if (out[i] >= 0) close(out[i]);
  }
  return status;
}

/* Gives it a while to end, then ends it with all that it has started. Returns how it ended, as
 * waitpid tells. */
static int finish(Program *self, int milliseconds) {
  int how = 0;
  siginfo_t info = {0};
  if (!self->pid) return 0;
  if (self->to >= 0) close(self->to);
  self->to = -1;
  for (int waited = 0; waited < milliseconds; waited += 5) {
    /* it is not taken away yet: the group's number stays its own until it is killed */
    if (waitid(P_PID, (id_t)self->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid) break;
    poll(NULL, 0, 5);
  }
  kill(-self->pid, SIGKILL);
  while (waitpid(self->pid, &how, 0) < 0 && errno == EINTR) {
  }
  if (self->from >= 0) close(self->from);
  self->from = -1;
  self->pid = 0;
  return how;
}

/* --- lines --- */

/* The beginning of a text, in letters that any terminal bears. */
static void quote(const void *text, size_t size, char out[QUOTED + 8]) {
  const unsigned char *from = text;
  size_t n = size < QUOTED ? size : QUOTED;
  for (size_t i = 0; i < n; i++)
    out[i] = from[i] < 32 || from[i] > 126 ? '?' : (char)from[i];
  memcpy(out + n, size > n ? " ..." : "", size > n ? 5 : 1);
}

/* What is wrong, with what was sent and what came; the program is ended, as nobody knows what it
 * would say next. */
static Status fault(Program *self, const char *came, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static Status fault(Program *self, const char *came, size_t size, const char *format, ...) {
  char what[160];
  char sent[QUOTED + 8];
  char heard[QUOTED + 8];
  va_list list;
  va_start(list, format);
  vsnprintf(what, sizeof what, format, list);
  va_end(list);
  quote(self->sent.data, self->sent.size ? self->sent.size - 1 : 0, sent);
  quote(came ? came : "", came ? size : 0, heard);
  finish(self, 0);
  return status_set(ERR_ENV, "the player exec:%.120s %s. Sent: %s. Came: %s", self->command, what,
                    sent, came && size ? heard : "nothing");
}

/* It has closed its output: mostly it has died. */
static Status died(Program *self) {
  char came[QUOTED];
  const size_t size = self->heard.size < sizeof came ? self->heard.size : sizeof came;
  if (size) memcpy(came, self->heard.data, size);
  const int how = finish(self, FAREWELL);
  if (WIFSIGNALED(how) && WTERMSIG(how) != SIGKILL)
    return fault(self, came, size, "was ended by signal %d before it answered", WTERMSIG(how));
  if (WIFEXITED(how))
    return fault(self, came, size, "ended with exit code %d before it answered", WEXITSTATUS(how));
  return fault(self, came, size, "closed its output before it answered");
}

/* Milliseconds that are left, rounded up; 0: none. */
static int left(int64_t began, double seconds) {
  const Clock clock = clock_system();
  const double rest = seconds - clock_seconds(clock_now(&clock) - began);
  return rest <= 0 ? 0 : (int)ceil(fmin(rest, 86400) * 1e3);
}

static Status late(Program *self, double seconds) {
  return fault(self, (const char *)self->heard.data, self->heard.size,
               "did not answer within %g s (exec@SECONDS:COMMAND gives it more)", seconds);
}

/* Sends the line that lies in `sent`. */
static Status send_line(Program *self, int64_t began, double seconds) {
  const size_t size = self->sent.size - 1;
  for (size_t at = 0; at < size;) {
    struct pollfd look = {.fd = self->to, .events = POLLOUT};
    const ssize_t gone =
        send(self->to, self->sent.data + at, size - at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (gone >= 0) {
      at += (size_t)gone;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      const int wait = left(began, seconds);
      if (!wait) return late(self, seconds);
      poll(&look, 1, wait);
    } else if (errno != EINTR) {
      return died(self);
    }
  }
  return OK;
}

/* Waits for a whole line, which then begins `heard`; *size is without its end. */
static Status read_line(Program *self, int64_t began, double seconds, size_t *size) {
  char piece[4096];
  for (;;) {
    const void *end = self->heard.size ? memchr(self->heard.data, '\n', self->heard.size) : NULL;
    if (end) {
      *size = (size_t)((const uint8_t *)end - self->heard.data);
      return OK;
    }
    if (self->heard.size > LONGEST)
      return fault(self, (const char *)self->heard.data, self->heard.size,
                   "answered more than %d bytes without a line's end", LONGEST);
    struct pollfd look = {.fd = self->from, .events = POLLIN};
    const int wait = left(began, seconds);
    const int ready = wait ? poll(&look, 1, wait) : 0;
    if (ready == 0) {
      if (left(began, seconds)) continue;
      return late(self, seconds);
    }
    if (ready < 0) continue;
    const ssize_t got = read(self->from, piece, sizeof piece);
    if (got > 0) bytes_put(&self->heard, piece, (size_t)got);
    if (self->heard.failed) return status_set(ERR_MEMORY, "out of memory for a player's answer");
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return died(self);
  }
}

/* A line there and one back, which must be an object; *out is the caller's. */
static Status ask(Program *self, double seconds, json_t **out) {
  const Clock clock = clock_system();
  const int64_t began = clock_now(&clock);
  size_t size;
  if (!self->pid) return fault(self, NULL, 0, "has ended");
  bytes_u8(&self->sent, '\n');
  bytes_u8(&self->sent, 0);
  if (self->sent.failed) return status_set(ERR_MEMORY, "out of memory for a question to a player");
  TRY_RETURN(send_line(self, began, seconds));
  TRY_RETURN(read_line(self, began, seconds, &size));
  *out = json_loadb((const char *)self->heard.data, size, 0, NULL);
  if (!json_is_object(*out)) {
    json_decref(*out);
    return fault(self, (const char *)self->heard.data, size,
                 "answered what is no JSON object on a line");
  }
  self->heard.size -= size + 1;
  memmove(self->heard.data, self->heard.data + size + 1, self->heard.size);
  return OK;
}

/* Of an answer that was understood, but is wrong. */
static Status wrong(Program *self, const json_t *answer, const char *what) {
  char *text = json_dumps(answer, JSON_COMPACT);
  const Status status = fault(self, text ? text : "", text ? strlen(text) : 0, "%s", what);
  free(text);
  return status;
}

static void put(Bytes *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(Bytes *to, const char *format, ...) {
  char text[256];
  va_list list;
  va_start(list, format);
  const int size = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  bytes_put(to, text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
}

/* --- the hello --- */

/* BOX: the ranges of all agents' components. */
static void put_ranges(Bytes *to, const Env *env, bool high) {
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    for (uint32_t h = 0; h < env_kind(env, a)->heads; h++) {
      float range[2];
      env_action_range(env, a, h, &range[0], &range[1]);
      put(to, "%s%.9g", h ? "," : a ? ",[" : "[[", (double)range[high]);
    }
    put(to, "]");
  }
  put(to, "]");
}

/* What is played, and the rows that observations and actions are. */
static Status put_hello(Program *self) {
  static const char *const kinds[] = {"discrete", "multi_discrete", "box"};
  const Env *env = self->base.env;
  const AgonKind *layout = &env->layout;
  Bytes *to = &self->sent;
  json_t *title = json_string(env->title);
  char *game = title ? json_dumps(title, JSON_ENCODE_ANY) : NULL;
  json_decref(title);
  if (!game) return status_set(ERR_MEMORY, "out of memory for a player's hello");
  to->size = 0;
  put(to, "{\"agon\":\"%s\",\"protocol\":%d,\"game\":", AGON_VERSION, PROTOCOL);
  bytes_put(to, game, strlen(game));
  free(game);
  put(to, ",\"team_of\":[");
  for (uint32_t a = 0; a < env->spec.agents; a++)
    put(to, "%s%u", a ? "," : "", env->spec.team_of[a]);
  put(to, "],\"observation\":{\"type\":\"%s\",\"shape\":[%u,%u,%u]},\"actions\":\"%s\"",
      layout->observation_type == AGON_U8 ? "uint8" : "float32", layout->observation_shape[0],
      layout->observation_shape[1], layout->observation_shape[2], kinds[layout->action_kind]);
  if (layout->action_kind == AGON_BOX) {
    put(to, ",\"low\":");
    put_ranges(to, env, false);
    put(to, ",\"high\":");
    put_ranges(to, env, true);
  } else {
    for (uint32_t h = 0; h < layout->heads; h++)
      put(to, "%s%u", h ? "," : ",\"choices\":[", layout->head_size[h]);
    put(to, "]");
  }
  put(to, ",\"seconds\":%g}", self->seconds);
  return OK;
}

/* Whether it speaks this protocol, and what it is called. */
static Status greet(Program *self, char name[PROGRAM_NAME]) {
  json_t *answer = NULL;
  TRY_RETURN(put_hello(self));
  TRY_RETURN(ask(self, fmax(self->seconds, START), &answer));
  const json_t *called = json_object_get(answer, "name");
  const json_t *refused = json_object_get(answer, "error");
  Status status = OK;
  snprintf(name, PROGRAM_NAME, "program");
  if (refused)
    status = wrong(self, answer, "does not want to play");
  else if (json_integer_value(json_object_get(answer, "protocol")) != PROTOCOL)
    status = wrong(self, answer, "did not answer {\"protocol\":1} to the hello");
  else if (called &&
           !(json_is_string(called) && text_is_name(json_string_value(called), PROGRAM_NAME)))
    status = wrong(self, answer, "gave itself a name of other letters than a-z, 0-9, _ . and -");
  else if (called)
    snprintf(name, PROGRAM_NAME, "%s", json_string_value(called));
  json_decref(answer);
  return status;
}

/* --- its moves --- */

/* A position as one agent sees it. All that an answer may depend on is in it. */
static void put_question(Program *self, uint32_t agent, const uint8_t *mask, uint32_t seed) {
  const Env *env = self->base.env;
  const AgonKind *kind = env_kind(env, agent);
  Bytes *to = &self->sent;
  to->size = 0;
  put(to, "{\"id\":%" PRIu64 ",\"agent\":%u,\"observation\":[", ++self->asked, agent);
  for (size_t i = 0; i < env->observation_count; i++) {
    float value;
    if (env->layout.observation_type == AGON_U8) {
      put(to, "%s%u", i ? "," : "", (uint8_t)self->row[i]);
      continue;
    }
    memcpy(&value, self->row + i * sizeof value, sizeof value);
    put(to, "%s%.9g", i ? "," : "", (double)value);
  }
  put(to, "]");
  if (env->layout.action_kind != AGON_BOX) {
    for (uint32_t h = 0; h < kind->heads; h++) {
      const char *comma = "";
      put(to, h ? ",[" : ",\"legal\":[[");
      for (uint32_t i = 0; i < env->layout.head_size[h]; i++) {
        if (mask[i]) put(to, "%s%u", comma, i);
        if (mask[i]) comma = ",";
      }
      put(to, "]");
      mask += env->layout.head_size[h];
    }
    put(to, "]");
  }
  put(to, ",\"seed\":%u%s}", seed, self->base.greedy ? ",\"greedy\":true" : "");
}

/* One component of an action; NULL, or what is wrong with it. */
static const char *take_component(const Env *env, uint32_t agent, uint32_t head,
                                  const uint8_t *mask, const json_t *from, AgonAction *out) {
  if (env->layout.action_kind == AGON_BOX) {
    float low;
    float high;
    const double value = json_number_value(from);
    if (!json_is_number(from)) return "answered an action that is no number";
    env_action_range(env, agent, head, &low, &high);
    out->value = (float)fmin(fmax(value, (double)low), (double)high);
    return NULL;
  }
  if (!json_is_integer(from)) return "answered an action that is no whole number";
  const json_int_t choice = json_integer_value(from);
  if (choice < 0 || choice >= (json_int_t)env->layout.head_size[head] || !mask[choice])
    return "answered an action that is not legal";
  out->choice = (int32_t)choice;
  return NULL;
}

/* Where there is one component it may stand by itself. NULL, or what is wrong. */
static const char *take_action(const Program *self, uint32_t agent, const uint8_t *mask,
                               const json_t *answer, AgonAction *out) {
  const Env *env = self->base.env;
  const uint32_t heads = env_kind(env, agent)->heads;
  const json_t *id = json_object_get(answer, "id");
  const json_t *action = json_object_get(answer, "action");
  if (json_object_get(answer, "error")) return "gave up";
  if (!json_is_integer(id) || json_integer_value(id) != (json_int_t)self->asked)
    return "answered without the id of the question, or with another one";
  if (!action) return "answered without an action";
  if (json_is_array(action) ? json_array_size(action) != heads : heads != 1)
    return "answered an action of another number of components";
  memset(out, 0, env->layout.heads * sizeof *out);
  for (uint32_t h = 0; h < heads; h++) {
    const json_t *part = json_is_array(action) ? json_array_get(action, h) : action;
    const char *what = take_component(env, agent, h, mask, part, &out[h]);
    if (what) return what;
    mask += env->layout.action_kind == AGON_BOX ? 1 : env->layout.head_size[h];
  }
  return NULL;
}

/* It always draws: whether the program does is not known, so its games pass for games of chance. */
static void program_act(BuiltinPolicy *base, const void *episode, uint32_t agent,
                        const uint8_t *mask, AgonRng *rng, AgonAction *out) {
  Program *self = (Program *)base;
  json_t *answer = NULL;
  memset(out, 0, base->env->layout.heads * sizeof *out);
  env_observe(base->env, episode, agent, self->row);
  put_question(self, agent, mask, rng_next(rng));
  base->failed = ask(self, self->seconds, &answer);
  if (base->failed != OK) return;
  const char *what = take_action(self, agent, mask, answer, out);
  if (what) base->failed = wrong(self, answer, what);
  json_decref(answer);
}

/* Also for one that was only half made. */
static void program_destroy(BuiltinPolicy *base) {
  static const char quit[] = "{\"quit\":true}\n";
  Program *self = (Program *)base;
  if (self->to >= 0) send(self->to, quit, sizeof quit - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  finish(self, FAREWELL);
  bytes_free(&self->sent);
  bytes_free(&self->heard);
  free(self->command);
  free(self->row);
  free(self);
}

/* Anything with actions. Not in the list of built-ins: it is made from a command. */
static const BuiltinOps program_ops = {
    .name = "exec",
    .summary = "a program that is asked",
    .act = program_act,
    .destroy = program_destroy,
};

Status program_create(const char *text, const Env *env, char name[PROGRAM_NAME],
                      BuiltinPolicy **out) {
  Status status = OK;
  Program *self = NULL;
  double seconds;
  const char *command;
  if (!split(text, &seconds, &command) || !command[strspn(command, " ")])
    return status_set(ERR_USAGE,
                      "'%.80s' is no program: exec:COMMAND, or exec@SECONDS:COMMAND with how long "
                      "an answer may take",
                      text);
  TRY_RETURN(NEW_ARRAY(self, 1));
  self->base = (BuiltinPolicy){.ops = &program_ops, .env = env};
  self->seconds = seconds;
  self->to = -1;
  self->from = -1;
  self->command = strdup(command);
  if (!self->command) TRY(status_set(ERR_MEMORY, "out of memory for a player"));
  TRY(NEW_ARRAY(self->row, env->observation_bytes));
  TRY(start(self));
  TRY(greet(self, name));
  *out = &self->base;
  self = NULL;
done:
  if (self) program_destroy(&self->base);
  return status;
}

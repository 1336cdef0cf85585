#include "base/child.h"

#include "base/bytes.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Status words_add(Words *words, const char *format, ...) {
  char text[PATH_MAX + 1024];
  va_list list;
  va_start(list, format);
  const int length = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (length < 0 || (size_t)length >= sizeof text)
    return status_set(ERR_USAGE, "a word of a command is too long: %.80s...", text);
  TRY_RETURN(GROW(words->word, words->room, words->count + 2));
  words->word[words->count] = strdup(text);
  if (!words->word[words->count]) return status_set(ERR_MEMORY, "out of memory for a command");
  words->word[++words->count] = NULL;
  return OK;
}

void words_free(Words *words) {
  for (size_t i = 0; i < words->count; i++)
    free(words->word[i]);
  free(words->word);
  *words = (Words){0};
}

/* What both ways of starting share. Returns 0, or errno of what went wrong. */
static int spawn_group(const Words *words, posix_spawn_file_actions_t *actions, pid_t *pid) {
  posix_spawnattr_t attributes;
  int failed = posix_spawnattr_init(&attributes);
  if (failed) return failed;
  failed = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
  if (!failed) failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  if (!failed) failed = posix_spawnattr_setpgroup(&attributes, 0);
  if (!failed)
    failed = posix_spawnp(pid, words->word[0], actions, &attributes, words->word, environ);
  posix_spawnattr_destroy(&attributes);
  return failed;
}

Status child_start(const Words *words, const char *out, const char *log, int *pid) {
  posix_spawn_file_actions_t actions;
  const int append = O_WRONLY | O_CREAT | O_APPEND;
  const int fresh = O_WRONLY | O_CREAT | O_TRUNC;
  pid_t child = 0;
  if (posix_spawn_file_actions_init(&actions))
    return status_set(ERR_MEMORY, "out of memory starting %s", words->word[0]);
  int failed =
      posix_spawn_file_actions_addopen(&actions, 1, out ? out : log, out ? fresh : append, 0666);
  if (!failed) failed = posix_spawn_file_actions_addopen(&actions, 2, log, append, 0666);
  if (!failed) failed = spawn_group(words, &actions, &child);
  posix_spawn_file_actions_destroy(&actions);
  if (failed)
    return status_set(ERR_IO, "cannot start %s (its log is %s): %s", words->word[0], log,
                      strerror(failed));
  *pid = (int)child;
  return OK;
}

/* Takes what is there to read within a moment; false at its end. */
static bool take(int from, Bytes *text) {
  enum { MOMENT = 20, MOST = 1 << 20 };
  char piece[4096];
  struct pollfd look = {.fd = from, .events = POLLIN};
  if (poll(&look, 1, MOMENT) <= 0) return true;
  const ssize_t got = read(from, piece, sizeof piece);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got > 0 && text->size < MOST) bytes_put(text, piece, (size_t)got);
  return got > 0;
}

/* Until it has ended and its output too. What it has started may keep the output open: a moment
 * after its end nobody waits for that. */
static void wait_for(pid_t pid, int from, double seconds, Bytes *text, ChildEnd *out) {
  const Clock clock = clock_system();
  const int64_t began = clock_now(&clock);
  double killed = 0;
  double gone = 0;
  bool open = true;
  int how = 0;
  for (;;) {
    const double now = clock_seconds(clock_now(&clock) - began);
    if (open)
      open = take(from, text);
    else
      poll(NULL, 0, 5);
    if (gone <= 0 && waitpid(pid, &how, WNOHANG) == pid) {
      gone = now + 1e-9;
      out->seconds = now;
      out->code = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
    }
    if (gone > 0 && (!open || now > gone + 0.3)) return;
    if (gone <= 0 && killed <= 0 && now > seconds) {
      kill(-pid, SIGKILL);
      out->late = true;
      out->code = 128 + SIGKILL;
      out->seconds = now;
      killed = now + 1e-9;
    }
    if (killed > 0 && now > killed + 1) return;
  }
}

Status child_run(const Words *words, double seconds, ChildEnd *out) {
  Status status = OK;
  int ends[2];
  pid_t pid = 0;
  Bytes text = {0};
  posix_spawn_file_actions_t actions;
  *out = (ChildEnd){.code = 127};
  if (pipe2(ends, O_CLOEXEC)) return status_set(ERR_IO, "cannot make a pipe: %s", strerror(errno));
  int failed = posix_spawn_file_actions_init(&actions);
  if (!failed) {
    failed = posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    if (!failed) failed = spawn_group(words, &actions, &pid);
    posix_spawn_file_actions_destroy(&actions);
  }
  close(ends[1]);
  if (!failed) wait_for(pid, ends[0], seconds, &text, out);
  if (failed) bytes_put(&text, strerror(failed), strlen(strerror(failed)));
  close(ends[0]);
  bytes_u8(&text, 0);
  if (text.failed)
    TRY(status_set(ERR_MEMORY, "out of memory reading what %s says", words->word[0]));
  out->text = (char *)text.data;
  text.data = NULL;
done:
  bytes_free(&text);
  return status;
}

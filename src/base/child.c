#include "base/child.h"

#include "base/bytes.h"
#include "base/clock.h"

#include <dirent.h>
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

/* One word at *at, which is moved behind it, into text[], where it always fits: it is no longer
 * than the line. False: a quote has no end. */
static bool next_word(const char **at, char *text) {
  char quote = 0;
  const char *from = *at;
  for (; *from && (quote || *from != ' '); from++) {
    if (quote ? *from == quote : (*from == '\'' || *from == '"')) {
      quote = quote ? 0 : *from;
      continue;
    }
    if (*from == '\\' && quote != '\'' && from[1]) from++;
    *text++ = *from;
  }
  *text = 0;
  *at = from;
  return !quote;
}

Status words_split(Words *words, const char *line) {
  Status status = OK;
  char *text;
  TRY_RETURN(NEW_ARRAY(text, strlen(line) + 1));
  for (const char *at = line; *at;) {
    if (*at == ' ') {
      at++;
      continue;
    }
    if (!next_word(&at, text)) TRY(status_set(ERR_USAGE, "a quote has no end: %s", line));
    TRY(words_add(words, "%s", text));
  }
done:
  free(text);
  return status;
}

/* A program may be started by one that ignores the ends of its children, and inherits that: the
 * kernel then keeps no end, and nobody could tell how a process has ended. */
static void keep_ends(void) {
  struct sigaction now;
  if (sigaction(SIGCHLD, NULL, &now)) return;
  if (now.sa_handler == SIG_IGN || (now.sa_flags & SA_NOCLDWAIT)) signal(SIGCHLD, SIG_DFL);
}

/* What both ways of starting share. Returns 0, or errno of what went wrong. */
static int spawn_group(const Words *words, posix_spawn_file_actions_t *actions, pid_t *pid) {
  posix_spawnattr_t attributes;
  int failed = posix_spawnattr_init(&attributes);
  if (failed) return failed;
  keep_ends();
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

/* --- ends --- */
bool child_ended(int pid, int *code) {
  siginfo_t info = {.si_pid = 0};
  int how = 0;
  *code = CHILD_UNTOLD;
  /* its end stays untaken at first: until then its group's number is nobody else's */
  if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT)) return errno == ECHILD;
  if (info.si_pid != pid) return false;
  kill(-pid, SIGKILL);
  if (waitpid(pid, &how, 0) == pid)
    *code = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
  return true;
}

/* Parent and group of a process; false for one that is gone, or has ended. */
static bool look_up(pid_t pid, pid_t *parent, pid_t *group) {
  char path[64];
  char text[512];
  char state;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "re");
  if (!file) return false;
  const size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  const char *name_end = strrchr(text, ')'); /* a name may hold anything */
  return name_end && sscanf(name_end + 1, " %c %d %d", &state, parent, group) == 3 && state != 'Z';
}

typedef struct Family {
  pid_t *pid;
  size_t count, room;
} Family;

static bool is_in(const Family *family, pid_t pid) {
  for (size_t i = 0; i < family->count; i++)
    if (family->pid[i] == pid) return true;
  return false;
}

/* Halts each process that one of the family has started, or that is of the group of its first, and
 * takes it in. Returns how many; 0 also without memory. */
static size_t take_in(Family *family) {
  size_t found = 0;
  DIR *dir = opendir("/proc");
  if (!dir) return 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    const pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    pid_t parent;
    pid_t group;
    if (pid < 2 || is_in(family, pid) || !look_up(pid, &parent, &group)) continue;
    if (!is_in(family, parent) && group != family->pid[0]) continue;
    if (GROW(family->pid, family->room, family->count + 1) != OK) break;
    kill(pid, SIGSTOP);
    family->pid[family->count++] = pid;
    found++;
  }
  closedir(dir);
  return found;
}

/* What is halted starts nothing any more. So once a look finds nobody new, all are there. */
void child_kill(int pid) {
  Family family = {.pid = NULL};
  if (GROW(family.pid, family.room, 1) == OK) {
    family.pid[family.count++] = (pid_t)pid;
    kill(pid, SIGSTOP);
    while (take_in(&family))
      ;
  }
  kill(-pid, SIGKILL);
  for (size_t i = 0; i < family.count; i++)
    kill(family.pid[i], SIGKILL);
  free(family.pid);
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
static void wait_for(pid_t pid, int from, double seconds, const volatile sig_atomic_t *stop,
                     Bytes *text, ChildEnd *out) {
  const Clock clock = clock_system();
  const int64_t began = clock_now(&clock);
  double killed = 0;
  double gone = 0;
  bool open = true;
  int code;
  for (;;) {
    const double now = clock_seconds(clock_now(&clock) - began);
    if (open)
      open = take(from, text);
    else
      poll(NULL, 0, 5);
    if (gone <= 0 && child_ended(pid, &code)) {
      gone = now + 1e-9;
      out->seconds = now;
      out->code = code;
    }
    if (gone > 0 && (!open || now > gone + 0.3)) return;
    if (gone <= 0 && killed <= 0 && (now > seconds || (stop && *stop > 0))) {
      child_kill(pid);
      out->late = true;
      out->code = 128 + SIGKILL;
      out->seconds = now;
      killed = now + 1e-9;
    }
    if (killed > 0 && now > killed + 1) return;
  }
}

Status child_run(const Words *words, double seconds, const volatile sig_atomic_t *stop,
                 ChildEnd *out) {
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
  if (!failed) wait_for(pid, ends[0], seconds, stop, &text, out);
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

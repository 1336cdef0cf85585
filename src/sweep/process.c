/* Starting processes, and what their logs say last. */
#include "sweep/records.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Status words_add(Words *words, const char *format, ...) {
  char text[PATH_MAX + 1024];
  va_list list;
  va_start(list, format);
  const int length = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (length < 0 || (size_t)length >= sizeof text)
    return status_set(ERR_USAGE, "a word of a command is too long: %.80s...", text);
  TRY_RETURN(GROW(words->word, words->room[0], words->count + 2));
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

Status words_start(const Words *words, const char *out, const char *log, int *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  const int append = O_WRONLY | O_CREAT | O_APPEND;
  const int fresh = O_WRONLY | O_CREAT | O_TRUNC;
  pid_t child = 0;
  if (posix_spawn_file_actions_init(&actions))
    return status_set(ERR_MEMORY, "out of memory starting %s", words->word[0]);
  if (posix_spawnattr_init(&attributes)) {
    posix_spawn_file_actions_destroy(&actions);
    return status_set(ERR_MEMORY, "out of memory starting %s", words->word[0]);
  }
  int failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (!failed)
    failed =
        posix_spawn_file_actions_addopen(&actions, 1, out ? out : log, out ? fresh : append, 0666);
  if (!failed) failed = posix_spawn_file_actions_addopen(&actions, 2, log, append, 0666);
  /* a group of its own: Ctrl-C at the terminal is for the sweep, which lets its runs save */
  if (!failed) failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  if (!failed) failed = posix_spawnattr_setpgroup(&attributes, 0);
  if (!failed)
    failed = posix_spawnp(&child, words->word[0], &actions, &attributes, words->word, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed)
    return status_set(ERR_IO, "cannot start %s (its log is %s): %s", words->word[0], log,
                      strerror(failed));
  *pid = (int)child;
  return OK;
}

/* agon says in one line what was wrong; a launcher says more behind it. So the last line of agon's
 * counts, and where there is none the last of all. */
void last_words(const char *log, char *out, size_t size) {
  enum { TAIL = 8192 };
  char text[TAIL + 1];
  snprintf(out, size, "its log is empty");
  FILE *file = fopen(log, "r");
  if (!file) return;
  if (!fseek(file, 0, SEEK_END)) {
    const long end = ftell(file);
    fseek(file, end > TAIL ? end - TAIL : 0, SEEK_SET);
  }
  const size_t length = fread(text, 1, TAIL, file);
  fclose(file);
  text[length] = 0;
  bool ours = false;
  char *rest = text;
  for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
    const bool agon = !strncmp(line, "agon", 4) && !strstr(line, ": warning: ");
    if (ours && !agon) continue;
    ours = agon;
    snprintf(out, size, "%s", line);
  }
  for (char *at = out; *at; at++) /* it goes into JSON */
    if (*at < ' ' || *at > '~') *at = '?';
}

/* Programs that are run, and not waited for longer than one is willing to. */
#pragma once
#include "base/status.h"

#include <signal.h>
#include <stdbool.h>

/* A command being put together. Start from {0}. */
typedef struct Words {
  char **word; /* (count), and NULL behind them */
  size_t count, room;
} Words;

/* How a program has ended. */
typedef struct ChildEnd {
  int code;   /* of exit; 128 and the signal that killed it; 127 if it cannot be started */
  bool late;  /* it was killed, as its time was up or it was told to stop */
  char *text; /* what it said, both outputs together; the caller's (free) */
  double seconds;
} ChildEnd;

/* Adds a copy. ERR_MEMORY, ERR_USAGE (too long). */
Status words_add(Words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
void words_free(Words *words);
/* Adds the words of a line, taken apart as a shell does: at spaces that are neither in quotes
 * ('...', "...") nor behind a backslash. Nothing is expanded. ERR_USAGE: a quote has no end;
 * ERR_MEMORY. */
Status words_split(Words *words, const char *line);
/* Starts it in a process group of its own, so that what a terminal sends reaches only its parent:
 * input from nowhere, errors appended to `log`, output too or, where there is one, written to
 * `out`. Its end is the caller's to take (child_ended). ERR_IO, ERR_MEMORY. */
Status child_start(const Words *words, const char *out, const char *log, int *pid);
/* Whether it has ended, without waiting. *code is as in ChildEnd, or CHILD_UNTOLD where somebody
 * else in this process has taken its end. What it has left behind in its group is killed. Once it
 * is true the number may be another process's. */
enum { CHILD_UNTOLD = -1 };
bool child_ended(int pid, int *code);
/* Kills one that has not been seen to end, with all that it has started: also what is in groups of
 * its own, as the ranks of a launcher are. */
void child_kill(int pid);
/* Runs it to its end, or kills it with all that it has started after so many seconds, or once *stop
 * is above 0 (NULL: never): returns within a second of that even if it cannot be killed, as where
 * its file system has gone. A program that is not there is code 127 and no failure. ERR_IO,
 * ERR_MEMORY; then there is no text. */
Status child_run(const Words *words, double seconds, const volatile sig_atomic_t *stop,
                 ChildEnd *out);

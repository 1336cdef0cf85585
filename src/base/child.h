/* Programs that are run, and not waited for longer than one is willing to. */
#pragma once
#include "base/status.h"

#include <stdbool.h>

/* A command being put together. Start from {0}. */
typedef struct Words {
  char **word; /* (count), and NULL behind them */
  size_t count, room;
} Words;

/* How a program has ended. */
typedef struct ChildEnd {
  int code;   /* of exit; 128 and the signal that killed it; 127 if it cannot be started */
  bool late;  /* it was killed, as its time was up */
  char *text; /* what it said, both outputs together; the caller's (free) */
  double seconds;
} ChildEnd;

/* Adds a copy. ERR_MEMORY, ERR_USAGE (too long). */
Status words_add(Words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
void words_free(Words *words);
/* Starts it in a process group of its own, so that what a terminal sends reaches only its parent:
 * input from nowhere, errors appended to `log`, output too or, where there is one, written to
 * `out`. ERR_IO, ERR_MEMORY. */
Status child_start(const Words *words, const char *out, const char *log, int *pid);
/* Runs it to its end, or kills it with all that it has started after so many seconds: returns
 * within a second of that even if it cannot be killed, as where its file system has gone. A program
 * that is not there is code 127 and no failure. ERR_IO, ERR_MEMORY; then there is no text. */
Status child_run(const Words *words, double seconds, ChildEnd *out);

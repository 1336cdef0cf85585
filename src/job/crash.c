/* Only what a signal handler may do: it formats by itself, and writes by write. */
#include "job/crash.h"

#include "base/doing.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Of mistakes in a program; what others send to end it is not among them. */
static const struct {
  int number;
  const char *name;
} deadly[] = {{SIGSEGV, "SIGSEGV, a bad address"},
              {SIGBUS, "SIGBUS, a bad address"},
              {SIGFPE, "SIGFPE, a division by 0"},
              {SIGILL, "SIGILL, no instruction"},
              {SIGABRT, "SIGABRT, an abort"}};
enum { SIGNALS = sizeof deadly / sizeof deadly[0], STACK = 1 << 16 };

static struct {
  bool watches;
  int rank;
  long long seed;
  const char *again;
  struct sigaction before[SIGNALS];
} crash;

/* The handler's own: a stack that has overflowed is of no use to it. */
static char stack[STACK];

typedef struct Line {
  char text[2048];
  size_t size;
} Line;

static void put(Line *line, const char *text) {
  while (*text && line->size < sizeof line->text)
    line->text[line->size++] = *text++;
}

static void put_number(Line *line, unsigned long long value) {
  char digits[24];
  size_t at = sizeof digits - 1;
  digits[at] = 0;
  do
    digits[--at] = (char)('0' + value % 10);
  while (value /= 10);
  put(line, digits + at);
}

/* ", step 12" */
static void put_place(Line *line, const char *name, unsigned long long value) {
  put(line, ", ");
  put(line, name);
  put(line, " ");
  put_number(line, value);
}

/* In the game's code, and where in which game. */
static void put_game(Line *line) {
  put(line, " in ");
  put(line, doing.call);
  put(line, " of env ");
  put(line, doing.game);
  if (doing.slot != DOING_MANY) {
    put_place(line, "slot", doing.slot);
    put_place(line, "episode", doing.episode);
    put_place(line, "step", doing.step);
  } else {
    put(line, " (several games at once)");
  }
  put_place(line, "tick", doing.tick);
  put_place(line, "seed", (unsigned long long)crash.seed);
}

static void on_crash(int number) {
  Line line = {.size = 0};
  size_t at = 0;
  while (at + 1 < SIGNALS && deadly[at].number != number)
    at++;
  put(&line, "\nagon: rank ");
  put_number(&line, (unsigned long long)crash.rank);
  put(&line, " has died of ");
  put(&line, deadly[at].name);
  put(&line, ",");
  if (doing.game) {
    put_game(&line);
    if (crash.again) put(&line, "\nagon: it happens again by: ");
    if (crash.again) put(&line, crash.again);
  } else {
    put(&line, " in agon's own code");
    if (doing.role) put(&line, ", ");
    if (doing.role) put(&line, doing.role);
  }
  put(&line, "\n");
  const ssize_t ignored = write(STDERR_FILENO, line.text, line.size);
  (void)ignored;
  /* then as without us: it comes again when this returns */
  sigaction(number, &crash.before[at], NULL);
  raise(number);
}

void crash_watch(int rank, long long seed, const char *again) {
  const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
  crash_forget();
  crash.rank = rank;
  crash.seed = seed;
  crash.again = again;
  sigaltstack(&own, NULL);
  for (size_t i = 0; i < SIGNALS; i++)
    sigaction(deadly[i].number, &action, &crash.before[i]);
  crash.watches = true;
}

void crash_forget(void) {
  for (size_t i = 0; i < SIGNALS && crash.watches; i++)
    sigaction(deadly[i].number, &crash.before[i], NULL);
  crash.watches = false;
  crash.again = NULL;
}

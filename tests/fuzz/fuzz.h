/* What both fuzzers share: every seed runs in a process of its own, whose end is the verdict; a small world of virtual
 * ranks; and numbers that tend to break things. */
#pragma once
#include "check.h"

#include "base/rng.h"
#include "job/rank.h"

#include <stdbool.h>
#include <stdio.h>

/* Exit codes of a child; others, and signals, are crashes. LOST: a job cannot go on from what a job has written. */
enum { FUZZ_DONE = 0, FUZZ_STUCK = 77, FUZZ_LOST = 78 };

typedef struct FuzzTotals {
  long seeds, crashed, stuck, greedy; /* greedy: took more memory than `megabytes` */
} FuzzTotals;

typedef int (*FuzzOne)(void *context, uint64_t seed);
/* Runs `one` for seeds first .. first + count - 1, each in a child with a time limit; says which seeds failed. */
FuzzTotals fuzz_run(const char *what, FuzzOne one, void *context, uint64_t first, long count, long megabytes);
/* first seed and count: of the command line ("FIRST COUNT"), else 1 and `count`. */
void fuzz_arguments(int argc, char **argv, uint64_t *first, long *count);

uint64_t fuzz_number(AgonRng *rng, uint64_t old); /* one that tends to break things, or near `old` */
double fuzz_real(AgonRng *rng, double old);

/* A league of tic-tac-toe (or what the pairs name) over the simulated transport, in `folder`, which it resumes if it
 * holds a run. Returns FUZZ_DONE at the end, after `steps` steps, or when a rank has failed with a message; FUZZ_STUCK
 * if nothing moves any more. */
typedef struct FuzzWorld {
  const char *const *pairs;
  size_t count;
  int ranks;
  uint64_t seed;
  long steps;                                           /* 0: to the end */
  void (*prepare)(void *context, Transport *transport); /* of each rank; may be NULL */
  void *context;
  bool stored;   /* the configuration of the checkpoint, not `pairs` */
  Status status; /* out: of the rank that failed, or of what was refused */
  bool failed;   /* out: a rank failed, and with it the job */
  bool refused;  /* out: what the folder holds was not accepted, and no rank began */
} FuzzWorld;
int fuzz_world(FuzzWorld *world, const char *folder);

void fuzz_folder(char path[64]);
void fuzz_folder_remove(const char *path);
void fuzz_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

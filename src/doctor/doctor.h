/* What a host needs for agon, looked at piece by piece. Nothing here waits longer than it is told:
 * whatever may hang (a launcher, a file system, an interpreter) is asked by a process of its own.
 */
#pragma once
#include "base/child.h"
#include "base/status.h"

#include <signal.h>
#include <stddef.h>

typedef enum Verdict {
  VERDICT_OK,
  VERDICT_NOTE, /* it works; there is something to know */
  VERDICT_DO,   /* something has to be done */
} Verdict;

/* One line. */
typedef struct Finding {
  Verdict verdict;
  const char *what; /* "launch" */
  char found[640];
  char advice[640]; /* what to do, or to know; "" where all is well */
} Finding;

typedef struct DoctorRequest {
  const char *program;     /* agon, for the processes that ask */
  const char *folder;      /* where runs are to be */
  const char *python;      /* the program */
  const char *python_path; /* where its modules are looked for first (PYTHONPATH); NULL */
  double seconds;          /* that each of them may take */
  /* above 0: what is being asked is killed, and nothing more is looked at; NULL: never */
  const volatile sig_atomic_t *stop;
  void (*tell)(void *context, const Finding *finding);
  void *context;
} DoctorRequest;

/* All checks, each told as soon as it is known; *todo: how many have VERDICT_DO. Told to stop, it
 * returns with what it has. ERR_IO, ERR_MEMORY where the checks themselves cannot be made. */
Status doctor_look(const DoctorRequest *request, size_t *todo);
/* The parts that run in processes of their own, which say what they find in lines that doctor_look
 * reads: `put` is called with each. */
typedef void (*DoctorPut)(const char *line);
/* One rank of a job that a launcher has started: meets the others, and shares memory with them. */
Status doctor_rank(DoctorPut put);
/* The file system of a folder: its kind, room, locks, fsync, speed. */
Status doctor_files(const DoctorRequest *request, DoctorPut put);
/* Whether another process holds the lock file `path`. */
Status doctor_lock(const char *path, DoctorPut put);

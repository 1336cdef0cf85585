/* A sweep being run: its folder, what has come of each run so far, and the jobs that bring it on.
 * Every result is written when it is there, so that a sweep that was killed goes on with what is
 * missing; a run is a usual run folder that goes on from its own checkpoint. */
#pragma once
#include "meta/seeds.h"
#include "sweep/plan.h"

#include <signal.h>

/* What a run was scored at the end of a rung. */
typedef struct RungScore {
  double score, low, high; /* low, high: of its own games, 95 %; NAN where there is none */
  int64_t frames;
} RungScore;

typedef struct SweepRun {
  char name[48]; /* c01-s1 */
  size_t point;  /* of the plan */
  int64_t seed;
  RungScore *rung; /* (scored) */
  size_t scored;   /* rungs behind it */
  bool failed;
  int64_t tries;  /* that failed, by this sweep */
  double seconds; /* of all its jobs */
  char error[512];
} SweepRun;

typedef struct Sweep {
  SweepPlan *plan; /* borrowed; numbers of its points are filled in */
  SweepRun *run;   /* seed by seed, so that every configuration has one early */
  size_t runs;
  int lock;
} Sweep;

/* Where a run stands. */
typedef enum SweepStand { STAND_OPEN, STAND_DONE, STAND_DROPPED, STAND_FAILED } SweepStand;

/* How its jobs are run. */
typedef struct SweepJobs {
  const char *program; /* agon, as it can be started */
  size_t jobs;         /* at once; 0: as many as the plan or the cores say */
  /* signals so far: with the first its jobs are asked to save and end, with the second killed */
  const volatile sig_atomic_t *stop;
  void (*say)(void *context, const char *line); /* what happens, a line at a time */
  void *context;
} SweepJobs;

/* Opens, or begins, the folder of a plan and reads what is there. work: for running it: takes its
 * lock, and runs that failed are open again. *out is the caller's (sweep_close), on failure too.
 * ERR_RUN if the folder is of another plan, or another process works in it; ERR_IO, ERR_FORMAT,
 * ERR_MEMORY. */
Status sweep_open(SweepPlan *plan, bool work, Sweep *out);
void sweep_close(Sweep *sweep);
/* Runs what is missing, to the end or until it is told to stop. Runs that fail are in the results,
 * and no failure of this. ERR_IO, ERR_MEMORY. */
Status sweep_work(Sweep *sweep, const SweepJobs *jobs);
/* The same for one run and one rung, without the folder's lock: a task of a job array. ERR_USAGE if
 * there is no such run; ERR_RUN if an earlier rung is not behind all. */
Status sweep_work_on(Sweep *sweep, const SweepJobs *jobs, size_t run, size_t rung);
/* How many runs stand where. */
Status sweep_count(const Sweep *sweep, size_t count[STAND_FAILED + 1]);

/* One configuration over its seeds, at the last rung that it has come to. */
typedef struct SweepRow {
  size_t point;
  size_t rung; /* rungs behind it: of the scores here */
  bool dropped;
  SeedSummary score; /* count 0: nothing is known yet */
  double worst;
  size_t failed;
} SweepRow;

/* All configurations, the best first; *out (plan->points) is the caller's (free). ERR_MEMORY. */
Status sweep_rank(const Sweep *sweep, SweepRow **out);
/* All that is known, as JSON; *out is the caller's (free). ERR_MEMORY. */
Status sweep_text(const Sweep *sweep, char **out);
/* The same into FOLDER/sweep.json: by whoever holds the sweep's lock alone. ERR_IO, ERR_MEMORY. */
Status sweep_write(const Sweep *sweep);
/* Takes the sweep's lock, for one that was opened for looking. False: another process has it, or
 * the folder cannot be written to. */
bool sweep_take_lock(Sweep *sweep);
/* A path below the sweep's folder. ERR_USAGE: too long. */
Status sweep_path(const SweepPlan *plan, char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A script that submits the sweep to Slurm, one array for each rung, and is each of its tasks.
 * file, words: as the sweep was called. ERR_IO, ERR_MEMORY. */
Status sweep_write_slurm(const Sweep *sweep, const char *program, const char *file,
                         const char *const *words, size_t count, const char *path);

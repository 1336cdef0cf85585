/* What the benchmarks share: peaks of this machine, repeats, and how a result is shown. Each result
 * is a rate beside the bound that follows from a measured peak, and their ratio. */
#pragma once
#include "job/config.h"

#include <stdio.h>

/* A rate, as measured, and the bound that it is compared with. */
typedef struct BenchResult {
  char bench[16], what[96], unit[24];
  double low, median, high; /* over repeats */
  double bound;             /* same unit; 0 = none is stated */
  char bound_by[112];
} BenchResult;

/* One run of benchmarks: how long, what was asked for, what was found. */
typedef struct Bench {
  Clock clock;
  double seconds; /* of one repeat */
  int repeats;
  const char *const *overrides; /* key=value of the command line */
  size_t override_count;
  BenchResult *result;
  size_t results, room;
  /* of the ranks that mpirun started; NULL: alone, and none was needed so far */
  Transport *transport;
  long long actors, players; /* of scale: one size instead of the series; 0 = the series */
  FILE *screen;              /* where lines go as they come; NULL: nowhere, JSON at the end */
  FILE *warnings;
} Bench;

/* Adds a result from `count` samples, which it sorts, and shows it. bound: 0 for none. On ranks
 * other than 0 it does nothing. ERR_MEMORY. */
Status bench_add(Bench *bench, const char *name, const char *what, const char *unit,
                 double *samples, size_t count, double bound, const char *bound_by);
/* Peaks of one core, best of several tries; measured once per process. */
double bench_fma_peak(Bench *bench); /* FLOP/s in registers, fp32 */
/* FLOP/s of the kernels in use on a product of 1024 x 256 x 256 */
double bench_gemm_peak(Bench *bench);
double bench_copy_peak(Bench *bench); /* bytes/s, read and written, of memcpy over 64 MiB */
/* The configuration of the standard case (Connect Four, 2 x 256 tanh, PPO with 4 epochs and
 * minibatches, self-play), changed by `extra` and then by the command line. *out is the caller's.
 * ERR_USAGE. */
Status bench_settings(const Bench *bench, const char *const *extra, size_t count, JobConfig **out);
/* The sum of a number over all ranks; collective. */
Status bench_total(Bench *bench, double *value);
/* Seconds that have passed since `since`, a time of the bench's clock. */
double bench_seconds(const Bench *bench, int64_t since);

Status bench_env(Bench *bench);
Status bench_kernels(Bench *bench);
Status bench_act(Bench *bench); /* collective: all ranks act, rates add up */
Status bench_learn(Bench *bench);
Status bench_checkpoint(Bench *bench);
Status bench_league(Bench *bench);
Status bench_scale(Bench *bench);
/* Collective over all ranks: */
Status bench_comm(Bench *bench);
Status bench_train(Bench *bench);

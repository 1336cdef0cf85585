#include "bench/bench.h"
#include "base/text.h"
#include "nn/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

/* Since a time of the bench's clock. */
double bench_seconds(const Bench *bench, int64_t since) {
  return clock_seconds(clock_now(&bench->clock) - since);
}

/* Order for qsort. */
static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Three significant digits whatever the size; text_scaled is for counts. */
static const char *three_digits(double value, char *out, size_t size) {
  if (value >= 999.5 || value <= 0) return text_scaled(value, out, size);
  snprintf(out, size, "%.*f",
           value >= 99.95    ? 0
           : value >= 9.995  ? 1
           : value >= 0.9995 ? 2
                             : 4,
           value);
  return out;
}

/* One line for people: median, range over the repeats, and the share of the bound. */
static void show(FILE *out, const BenchResult *r) {
  char median[16], low[16], high[16], bound[16];
  fprintf(out, "%-10s %-62s %8s %s", r->bench, r->what,
          three_digits(r->median, median, sizeof median), r->unit);
  if (r->low < r->high)
    fprintf(out, " (%s-%s)", three_digits(r->low, low, sizeof low),
            three_digits(r->high, high, sizeof high));
  if (r->bound > 0)
    fprintf(out, "; %.1f %% of %s by %s", 100 * r->median / r->bound,
            three_digits(r->bound, bound, sizeof bound), r->bound_by);
  fprintf(out, "\n");
  fflush(out);
}

/* Only rank 0 keeps and shows results. */
Status bench_add(Bench *bench, const char *name, const char *what, const char *unit,
                 double *samples, size_t count, double bound, const char *bound_by) {
  if (bench->transport && bench->transport->rank) return OK;
  TRY_RETURN(GROW(bench->result, bench->room, bench->results + 1));
  BenchResult *r = &bench->result[bench->results++];
  qsort(samples, count, sizeof *samples, by_value);
  *r = (BenchResult){
      .low = samples[0], .median = samples[count / 2], .high = samples[count - 1], .bound = bound};
  snprintf(r->bench, sizeof r->bench, "%s", name);
  snprintf(r->what, sizeof r->what, "%s", what);
  snprintf(r->unit, sizeof r->unit, "%s", unit);
  snprintf(r->bound_by, sizeof r->bound_by, "%s", bound_by ? bound_by : "");
  if (bench->screen) show(bench->screen, r);
  return OK;
}

/* Many short tries: on a shared machine the best one is the peak. */
double bench_fma_peak(Bench *bench) {
  static double peak;
  /* many short tries: on a shared machine the best is the peak */
  for (int i = 0; i < 40 && (i > 0 || peak == 0); i++) {
    int64_t start = clock_now(&bench->clock);
    double flops = kernels()->spin(3000000);
    double rate = flops / bench_seconds(bench, start);
    peak = rate > peak ? rate : peak;
  }
  return peak;
}

/* Large enough to be bound by arithmetic, small enough to stay in the caches. */
double bench_gemm_peak(Bench *bench) {
  static double peak;
  enum { R = 1024, N = 256 };
  if (peak > 0) return peak;
  float *x = calloc(R * N, sizeof *x);
  float *y = calloc(R * N, sizeof *y);
  float *w = calloc(N * N, sizeof *w);
  float *packed =
      aligned_alloc(64, (kernels()->packed_size(N, N) * sizeof(float) + 63) & ~(size_t)63);
  Product product = {.M = R,
                     .N = N,
                     .K = N,
                     .a = x,
                     .a_row = N,
                     .a_column = 1,
                     .packed = packed,
                     .c = y,
                     .c_row = N};
  for (int i = 0; x && y && w && packed && i < 20; i++) {
    kernels()->pack(packed, w, N, 1, N, N);
    int64_t start = clock_now(&bench->clock);
    for (int n = 0; n < 20; n++)
      kernels()->multiply(&product);
    double rate = 20 * 2.0 * R * N * N / bench_seconds(bench, start);
    peak = rate > peak ? rate : peak;
  }
  free(x);
  free(y);
  free(w);
  free(packed);
  return peak;
}

/* Reading a byte of each copy keeps the compiler from leaving it out. */
double bench_copy_peak(Bench *bench) {
  static double peak;
  const size_t size = (size_t)64 << 20;
  if (peak > 0) return peak;
  char *from = malloc(size);
  char *to = malloc(size);
  if (from && to) {
    memset(from, 1, size);
    memset(to, 2, size);
  }
  for (int i = 0; from && to && i < 8; i++) {
    int64_t start = clock_now(&bench->clock);
    memcpy(to, from, size);
    double rate = 2.0 * (double)size / bench_seconds(bench, start);
    peak = rate > peak ? rate : peak;
    from[i] = to[size - 1 - (size_t)i];
  }
  free(from);
  free(to);
  return peak;
}

/* The standard case first, then what the benchmark needs, then what the user says. */
Status bench_settings(const Bench *bench, const char *const *extra, size_t count, JobConfig **out) {
  static const char *const standard[] = {"net.hidden=[256, 256]",   "net.activation=tanh",
                                         "league.preset=self-play", "actors.slots=512",
                                         "actors.lanes=16",         "actors.eval_share=0"};
  const char *pairs[256];
  size_t n = 0;
  for (size_t i = 0; i < COUNT_OF(standard); i++)
    pairs[n++] = standard[i];
  for (size_t i = 0; i < count; i++)
    pairs[n++] = extra[i];
  const char *game = "connect_four";
  for (size_t i = 0; i < bench->override_count && n < COUNT_OF(pairs); i++) {
    if (!strncmp(bench->overrides[i], "game=", 5))
      game = bench->overrides[i] + 5;
    else
      pairs[n++] = bench->overrides[i];
  }
  JobConfigSource source = {.game = game, .overrides = pairs, .override_count = n};
  return job_config_create(&source, out);
}

/* agon bench: rates, the bounds that this machine's measured peaks set them, and the ratios. */
#include "cli/bench.h"
#include "cli/cli.h"
#include "cli/job.h"
#include "base/text.h"
#include "nn/gemm.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Flag flags[] = {
    {"--json", NULL, "results as JSON on stdout"},
    {"--seconds", "S", "length of one repeat (default 1)"},
    {"--actors", "N", "scale: so many synthetic actors only"},
    {"--players", "N", "scale: so many frozen players only"},
    {"--repeats", "N", "repeats; the median is shown with the lowest and highest (default 5)"},
};

static const struct {
  const char *name;
  Status (*run)(Bench *bench);
  bool in_all, collective;
  const char *summary;
} benches[] = {
    {"env", bench_env, true, false, "steps of an environment with observation and mask, 1,024 games"},
    {"kernels", bench_kernels, false, false, "dense products by rows and width, beside OpenBLAS and bfloat16"},
    {"act", bench_act, true, true, "acting: the whole actor role, with one and with 1,000 opponents"},
    {"learn", bench_learn, true, false, "learning: updates of the chosen algorithm on one core"},
    {"comm", bench_comm, true, true, "messages and sums between ranks (under mpirun -n 2 or more)"},
    {"checkpoint", bench_checkpoint, true, false, "saving and loading the whole state"},
    {"league", bench_league, true, false, "tables and merging, by the number of players"},
    {"train", bench_train, true, true, "end to end, on the ranks that mpirun started"},
    {"scale", bench_scale, false, false, "league and learner front end with up to 16,384 synthetic actors"},
};

double bench_seconds(const Bench *bench, int64_t since) { return clock_seconds(clock_now(&bench->clock) - since); }

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Three digits whatever the size; text_scaled is for counts. */
static const char *three_digits(double value, char *out, size_t size) {
  if (value >= 999.5 || value <= 0) return text_scaled(value, out, size);
  snprintf(out, size, "%.*f", value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 4, value);
  return out;
}

static void show(const BenchResult *r) {
  char median[16], low[16], high[16], bound[16];
  printf("%-10s %-62s %8s %s", r->bench, r->what, three_digits(r->median, median, sizeof median), r->unit);
  if (r->low < r->high)
    printf(" (%s-%s)", three_digits(r->low, low, sizeof low), three_digits(r->high, high, sizeof high));
  if (r->bound > 0)
    printf("; %.1f %% of %s by %s", 100 * r->median / r->bound, three_digits(r->bound, bound, sizeof bound),
           r->bound_by);
  printf("\n");
  fflush(stdout);
}

Status bench_add(Bench *bench, const char *name, const char *what, const char *unit, double *samples, size_t count,
                 double bound, const char *bound_by) {
  if (bench->transport && bench->transport->rank) return OK;
  TRY_RETURN(GROW(bench->result, bench->room, bench->results + 1));
  BenchResult *r = &bench->result[bench->results++];
  qsort(samples, count, sizeof *samples, by_value);
  *r = (BenchResult){.low = samples[0], .median = samples[count / 2], .high = samples[count - 1], .bound = bound};
  snprintf(r->bench, sizeof r->bench, "%s", name);
  snprintf(r->what, sizeof r->what, "%s", what);
  snprintf(r->unit, sizeof r->unit, "%s", unit);
  snprintf(r->bound_by, sizeof r->bound_by, "%s", bound_by ? bound_by : "");
  if (!bench->quiet) show(r);
  return OK;
}

double bench_fma_peak(Bench *bench) {
  static double peak;
  for (int i = 0; i < 40 && (i > 0 || peak == 0);
       i++) { /* many short tries: on a shared machine the best is the peak */
    int64_t start = clock_now(&bench->clock);
    double flops = kernels()->spin(3000000), rate = flops / bench_seconds(bench, start);
    peak = rate > peak ? rate : peak;
  }
  return peak;
}

double bench_gemm_peak(Bench *bench) {
  static double peak;
  enum { R = 1024, N = 256 };
  if (peak > 0) return peak;
  float *x = calloc(R * N, sizeof *x), *y = calloc(R * N, sizeof *y), *w = calloc(N * N, sizeof *w);
  float *packed = aligned_alloc(64, (kernels()->packed_size(N, N) * sizeof(float) + 63) & ~(size_t)63);
  Product product = {.M = R, .N = N, .K = N, .a = x, .a_row = N, .a_column = 1, .packed = packed, .c = y, .c_row = N};
  for (int i = 0; x && y && w && packed && i < 20; i++) {
    kernels()->pack(packed, w, N, 1, N, N);
    int64_t start = clock_now(&bench->clock);
    for (int n = 0; n < 20; n++) kernels()->multiply(&product);
    double rate = 20 * 2.0 * R * N * N / bench_seconds(bench, start);
    peak = rate > peak ? rate : peak;
  }
  free(x), free(y), free(w), free(packed);
  return peak;
}

double bench_copy_peak(Bench *bench) {
  static double peak;
  const size_t size = (size_t)64 << 20;
  if (peak > 0) return peak;
  char *from = malloc(size), *to = malloc(size);
  if (from && to) memset(from, 1, size), memset(to, 2, size);
  for (int i = 0; from && to && i < 8; i++) {
    int64_t start = clock_now(&bench->clock);
    memcpy(to, from, size);
    double rate = 2.0 * (double)size / bench_seconds(bench, start);
    peak = rate > peak ? rate : peak;
    from[i] = to[size - 1 - (size_t)i];
  }
  free(from), free(to);
  return peak;
}

Status bench_settings(const Bench *bench, const char *const *extra, size_t count, Settings **out) {
  static const char *const standard[] = {"net.hidden=[256, 256]", "net.activation=tanh", "league.preset=self-play",
                                         "actors.slots=512",      "actors.lanes=16",     "actors.eval_share=0",
                                         "ppo.epochs=4",          "ppo.minibatches=4"};
  const char *pairs[256];
  size_t n = 0;
  for (size_t i = 0; i < COUNT_OF(standard); i++) pairs[n++] = standard[i];
  for (size_t i = 0; i < count; i++) pairs[n++] = extra[i];
  const char *game = "connect_four";
  for (size_t i = 0; i < bench->override_count && n < COUNT_OF(pairs); i++) {
    if (!strncmp(bench->overrides[i], "game=", 5))
      game = bench->overrides[i] + 5;
    else
      pairs[n++] = bench->overrides[i];
  }
  SettingsSource source = {.game = game, .overrides = pairs, .override_count = n};
  return settings_create(&source, out);
}

static const char *processor(char *out, size_t size) {
  char line[256];
  FILE *file = fopen("/proc/cpuinfo", "r");
  snprintf(out, size, "unknown processor");
  while (file && fgets(line, sizeof line, file)) {
    char *value = strchr(line, ':');
    if (strncmp(line, "model name", 10) || !value) continue;
    snprintf(out, size, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
    break;
  }
  if (file) fclose(file);
  return out;
}

static void print_json(Bench *bench, const char *cpu) {
  json_t *root = json_object(), *list = json_array();
  json_object_set_new(root, "agon", json_string(AGON_VERSION));
  json_object_set_new(root, "processor", json_string(cpu));
  json_object_set_new(root, "kernels", json_string(kernels()->name));
  json_object_set_new(root, "fma_flops", json_real(bench_fma_peak(bench)));
  json_object_set_new(root, "gemm_flops", json_real(bench_gemm_peak(bench)));
  json_object_set_new(root, "copy_bytes", json_real(bench_copy_peak(bench)));
  for (size_t i = 0; i < bench->results; i++) {
    const BenchResult *r = &bench->result[i];
    json_t *item = json_object();
    json_object_set_new(item, "bench", json_string(r->bench));
    json_object_set_new(item, "what", json_string(r->what));
    json_object_set_new(item, "unit", json_string(r->unit));
    json_object_set_new(item, "low", json_real(r->low));
    json_object_set_new(item, "median", json_real(r->median));
    json_object_set_new(item, "high", json_real(r->high));
    if (r->bound > 0) {
      json_object_set_new(item, "bound", json_real(r->bound));
      json_object_set_new(item, "bound_by", json_string(r->bound_by));
      json_object_set_new(item, "ratio", json_real(r->median / r->bound));
    }
    json_array_append_new(list, item);
  }
  json_object_set_new(root, "results", list);
  json_dumpf(root, stdout, JSON_INDENT(1));
  printf("\n");
  json_decref(root);
}

/* Every rank takes part in what is collective; rank 0 alone does and says the rest. */
static Status run_all(Bench *bench, const char *name) {
  bool all = !strcmp(name, "all"), first = !bench->transport || bench->transport->rank == 0;
  for (size_t i = 0; i < COUNT_OF(benches); i++) {
    if (!(all ? benches[i].in_all : !strcmp(name, benches[i].name))) continue;
    if (benches[i].collective || first) TRY_RETURN(benches[i].run(bench));
  }
  return OK;
}

static Status run_bench(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  Settings *probe = NULL;
  long long seconds, repeats, actors, players;
  char cpu[128], a[16], b[16], c[16];
  bool found = false;
  TRY_RETURN(arguments_parse(&command_bench, argc, argv, &arguments));
  TRY_RETURN(argument_int(&command_bench, &arguments, "--seconds", 1, 1, 3600, &seconds));
  TRY_RETURN(argument_int(&command_bench, &arguments, "--repeats", 5, 1, 1000, &repeats));
  TRY_RETURN(argument_int(&command_bench, &arguments, "--actors", 0, 1, 65536, &actors));
  TRY_RETURN(argument_int(&command_bench, &arguments, "--players", 0, 1, 1000000, &players));
  if (arguments.words == 0)
    return usage_error(&command_bench,
                       "which one? env, kernels, act, learn, train, comm, checkpoint, league, scale or all");
  bool all = !strcmp(arguments.word[0], "all");
  Bench bench = {.clock = clock_system(),
                 .seconds = (double)seconds,
                 .repeats = (int)repeats,
                 .overrides = arguments.word + 1,
                 .override_count = arguments.words - 1,
                 .actors = actors,
                 .players = players,
                 .quiet = argument(&command_bench, &arguments, "--json") != NULL};
  for (size_t i = 0; i < COUNT_OF(benches); i++) found |= all || !strcmp(arguments.word[0], benches[i].name);
  if (!found) return usage_error(&command_bench, "there is no such benchmark");
  gemm_set_threads(1);
  TRY(bench_settings(&bench, NULL, 0, &probe)); /* bad keys show here */
  TRY(kernels_choose(probe->run.kernels));
  processor(cpu, sizeof cpu);
  bool collective = all || !strcmp(arguments.word[0], "comm") || !strcmp(arguments.word[0], "train");
  if (collective || transport_mpi_launched()) TRY(job_join(&argc, &argv, &bench.transport));
  bool speaks = !bench.transport || bench.transport->rank == 0;
  if (!bench.quiet && speaks)
    printf("%s; kernels %s; one core: FMA peak %sFLOP/s, kernels %sFLOP/s, memcpy %sB/s\n", cpu, kernels()->name,
           text_scaled(bench_fma_peak(&bench), a, sizeof a), text_scaled(bench_gemm_peak(&bench), b, sizeof b),
           text_scaled(bench_copy_peak(&bench), c, sizeof c));
  TRY(run_all(&bench, arguments.word[0]));
  if (bench.quiet && speaks) print_json(&bench, cpu);
done:
  if (status != OK && bench.transport && bench.transport->size > 1) /* the other ranks must not wait */
    bench.transport->ops->abort(bench.transport, status_exit_code(status), status_message());
  transport_destroy(bench.transport);
  settings_destroy(probe);
  free(bench.result);
  return status;
}

const Command command_bench = {
    "bench",
    "env|kernels|act|learn|train|comm|checkpoint|league|scale|all [key=value ...] [--json]",
    "measures rates and says how near they are to the machine's bounds",
    "The standard case is Connect Four, 2 x 256 tanh units, PPO with 4 epochs and 4 minibatches, self-play; keys "
    "change it\n"
    "(net.memory=gru, precision=bf16, game=tic_tac_toe). Peaks are measured in the same run: fused multiply-adds in\n"
    "registers, the kernels on a large product, memcpy. act, train and comm use all ranks of mpirun; the others one "
    "core.\n"
    "Opponents are played with 1,024 slots in 8 lanes of 512 episodes, so that each policy has 64 rows a step.\n"
    "all is everything but kernels and scale.",
    flags,
    COUNT_OF(flags),
    run_bench,
};

/* agon bench: rates, the bounds that this machine's measured peaks set them, and the ratios. */
#include "bench/bench.h"
#include "cli/cli.h"
#include "cli/process.h"
#include "base/text.h"
#include "nn/kernels/openblas.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const Command command_bench;

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
  bool in_all;
  bool collective; /* all ranks take part */
  const char *summary;
} benches[] = {
    {"env", bench_env, true, false,
     "steps of an environment with observations, masks and global state, 1,024 games"},
    {"kernels", bench_kernels, false, false,
     "dense products by rows and width, beside OpenBLAS and bfloat16"},
    {"act", bench_act, true, true,
     "acting: the whole actor role, with one and with 1,000 opponents"},
    {"learn", bench_learn, true, false, "learning: updates of the chosen algorithm on one core"},
    {"comm", bench_comm, true, true, "messages and sums between ranks (under mpirun -n 2 or more)"},
    {"checkpoint", bench_checkpoint, true, false, "saving and loading the whole state"},
    {"league", bench_league, true, false, "tables and merging, by the number of players"},
    {"train", bench_train, true, true, "end to end, on the ranks that mpirun started"},
    {"scale", bench_scale, false, false,
     "league and learner front end with up to 16,384 synthetic actors"},
};

/* The processor's name as Linux knows it: without it a rate says nothing. */
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

/* The peaks that were measured now, and each result with its bound and its ratio to it. */
static void print_json(Bench *bench, const char *cpu) {
  json_t *root = json_object();
  json_t *list = json_array();
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
  bool all = !strcmp(name, "all");
  bool first = !bench->transport || bench->transport->rank == 0;
  for (size_t i = 0; i < COUNT_OF(benches); i++) {
    if (!(all ? benches[i].in_all : !strcmp(name, benches[i].name))) continue;
    if (benches[i].collective || first) TRY_RETURN(benches[i].run(bench));
  }
  return OK;
}

/* Bad keys are found before anything is measured. A job is joined where the benchmark needs other
 * ranks, or where mpirun has started them anyhow. */
static Status run_bench(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  JobConfig *probe = NULL;
  long long seconds;
  long long repeats;
  long long actors;
  long long players;
  char cpu[128];
  char a[16];
  char b[16];
  char c[16];
  bool found = false;
  TRY_RETURN(arguments_parse(&command_bench, argc, argv, &arguments));
  TRY_RETURN(argument_int(&command_bench, &arguments, "--seconds", 1, 1, 3600, &seconds));
  TRY_RETURN(argument_int(&command_bench, &arguments, "--repeats", 5, 1, 1000, &repeats));
  TRY_RETURN(argument_int(&command_bench, &arguments, "--actors", 0, 1, 65536, &actors));
  TRY_RETURN(argument_int(&command_bench, &arguments, "--players", 0, 1, 1000000, &players));
  if (arguments.words == 0)
    return usage_error(
        &command_bench,
        "which one? env, kernels, act, learn, train, comm, checkpoint, league, scale or all");
  bool all = !strcmp(arguments.word[0], "all");
  Bench bench = {.clock = clock_system(),
                 .seconds = (double)seconds,
                 .repeats = (int)repeats,
                 .overrides = arguments.word + 1,
                 .override_count = arguments.words - 1,
                 .actors = actors,
                 .players = players,
                 .screen = argument(&command_bench, &arguments, "--json") ? NULL : stdout,
                 .warnings = stderr};
  for (size_t i = 0; i < COUNT_OF(benches); i++)
    found |= all || !strcmp(arguments.word[0], benches[i].name);
  if (!found) return usage_error(&command_bench, "there is no such benchmark");
  gemm_set_threads(1);
  TRY(bench_settings(&bench, NULL, 0, &probe)); /* bad keys show here */
  TRY(kernels_choose(probe->run.kernels));
  processor(cpu, sizeof cpu);
  bool collective =
      all || !strcmp(arguments.word[0], "comm") || !strcmp(arguments.word[0], "train");
  if (collective || transport_mpi_launched()) TRY(job_join(&argc, &argv, &bench.transport));
  bool speaks = !bench.transport || bench.transport->rank == 0;
  if (bench.screen && speaks)
    printf("%s; kernels %s; one core: FMA peak %sFLOP/s, kernels %sFLOP/s, memcpy %sB/s\n", cpu,
           kernels()->name, text_scaled(bench_fma_peak(&bench), a, sizeof a),
           text_scaled(bench_gemm_peak(&bench), b, sizeof b),
           text_scaled(bench_copy_peak(&bench), c, sizeof c));
  TRY(run_all(&bench, arguments.word[0]));
  if (!bench.screen && speaks) print_json(&bench, cpu);
done:
  if (status != OK && bench.transport &&
      bench.transport->size > 1) /* the other ranks must not wait */
    bench.transport->ops->abort(bench.transport, status_exit_code(status), status_message());
  transport_destroy(bench.transport);
  job_config_destroy(probe);
  free(bench.result);
  return status;
}

const Command command_bench = {
    "bench",
    "env|kernels|act|learn|train|comm|checkpoint|league|scale|all [key=value ...] [--json]",
    "measures rates and says how near they are to the machine's bounds",
    "The standard case is Connect Four, 2 x 256 tanh units, PPO with 4 epochs and 4 minibatches, "
    "self-play; keys "
    "change it\n"
    "(net.memory=gru, precision=bf16, game=tic_tac_toe). Peaks are measured in the same run: fused "
    "multiply-adds in\n"
    "registers, the kernels on a large product, memcpy. act, train and comm use all ranks of "
    "mpirun; the others one "
    "core.\n"
    "Opponents are played with 1,024 slots in 8 lanes of 512 episodes, so that each policy has 64 "
    "rows a step.\n"
    "all is everything but kernels and scale.",
    flags,
    COUNT_OF(flags),
    run_bench,
};

/* agon sweep: many runs of configurations and seeds. */
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/process.h"
#include "cli/terminal.h"
#include "sweep/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern const Command command_sweep;

static const Flag flags[] = {
    {"--folder", "DIR", "where it is kept (default: sweep.folder, or sweeps/NAME of FILE's name)"},
    {"--jobs", "N", "runs at once (default: sweep.jobs, or as many as the cores allow)"},
    {"--status", NULL, "runs nothing: how far it is, and the table so far"},
    {"--slurm", "SCRIPT", "runs nothing: writes a script that submits it as a Slurm job array"},
    {"--task", "K", "runs the K-th run alone, from 0 on, as a task of that array"},
    {"--rung", "R", "--task: of halving, from 0 on (default 0)"},
    {"--json", NULL, "print the summary (sweep.json) instead of the table"},
    {"--keys", NULL, "lists what a sweep's file may hold"},
    {"--quiet", NULL, "no line for every run"},
};

/* Signals so far; the handler is all that changes it. */
static volatile sig_atomic_t signals;

static void on_signal(int number) {
  (void)number;
  signals++;
}

/* What is ignored stays so: nohup means that the sweep outlives its terminal. */
static void catch_signals(void) {
  static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
  struct sigaction action = {.sa_handler = on_signal};
  struct sigaction before;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < COUNT_OF(caught); i++)
    if (!sigaction(caught[i], NULL, &before) && before.sa_handler != SIG_IGN)
      sigaction(caught[i], &action, NULL);
}

/* A line with the time of day: a sweep takes hours. */
static void say(void *context, const char *line) {
  char when[32];
  const time_t now = time(NULL);
  struct tm local;
  (void)context;
  strftime(when, sizeof when, "%d %b %H:%M:%S", localtime_r(&now, &local));
  printf("%s  %s\n", when, line);
  fflush(stdout);
}

static void print_options(const char *section, const Option *option, size_t count) {
  char left[96];
  char text[640];
  for (size_t i = 0; i < count; i++) {
    snprintf(left, sizeof left, "  %s.%s", section, option[i].name);
    snprintf(text, sizeof text, "%s%s%s%s", option[i].help, *option[i].fallback ? " (default " : "",
             option[i].fallback, *option[i].fallback ? ")" : "");
    print_row(stdout, left, 21, text, terminal_width());
  }
}

static void print_keys(void) {
  print_options("sweep", sweep_options, sweep_option_count);
  print_row(stdout, "  set.KEY", 21, "a key of agon train, for all runs", terminal_width());
  print_row(stdout, "  grid.KEY", 21, "a list: every value with every value of the others",
            terminal_width());
  print_row(stdout, "  random.KEY", 21,
            "drawn: {uniform: [low, high]}, {log: [low, high]} (log-uniform), {int: [low, high]}, "
            "{log_int: [low, high]}, {choice: [a, b, ...]}",
            terminal_width());
  print_options("score", sweep_score_options, sweep_score_option_count);
  print_options("halving", sweep_halving_options, sweep_halving_option_count);
}

/* Six letters of a number, or "-". */
static const char *cell(double value, char out[16]) {
  if (isfinite(value))
    snprintf(out, 16, "%.4g", value);
  else
    snprintf(out, 16, "-");
  return out;
}

static void print_row_of(const Sweep *sweep, const SweepRow *row, size_t place) {
  const SweepPoint *point = &sweep->plan->point[row->point];
  char name[24];
  char mean[16];
  char low[16];
  char high[16];
  char median[16];
  char worst[16];
  char interval[40] = "-";
  char note[64] = "";
  const bool any = row->score.count > 0;
  snprintf(name, sizeof name, "c%02lld", (long long)point->number);
  if (any && isfinite(row->score.low))
    snprintf(interval, sizeof interval, "[%s, %s]", cell(row->score.low, low),
             cell(row->score.high, high));
  if (row->dropped)
    snprintf(note, sizeof note, "  dropped at rung %zu", row->rung);
  else if (row->failed)
    snprintf(note, sizeof note, "  %zu failed", row->failed);
  printf("%4zu  %-5s %5zu  %8s  %-20s %8s %8s  %s%s\n", place, name, row->score.count,
         cell(any ? row->score.mean : NAN, mean), interval,
         cell(any ? row->score.median : NAN, median), cell(any ? row->worst : NAN, worst),
         point->label, note);
}

/* All configurations, the best first, and then what failed, by name. */
static Status print_table(const Sweep *sweep) {
  SweepRow *row;
  char words[OPTION_TEXT + 128];
  TRY_RETURN(sweep_rank(sweep, &row));
  printf("\n%s; 95 %% interval: Student's t over seeds\n",
         sweep_score_words(sweep->plan, words, sizeof words));
  printf("%4s  %-5s %5s  %8s  %-20s %8s %8s\n", "", "", "seeds", "mean", "interval", "median",
         "worst");
  for (size_t i = 0; i < sweep->plan->points; i++)
    print_row_of(sweep, &row[i], i + 1);
  free(row);
  for (size_t i = 0; i < sweep->runs; i++)
    if (sweep->run[i].failed)
      printf("failed: %s (%s): %s\n        its log: %s/logs/%s.txt\n", sweep->run[i].name,
             sweep->plan->point[sweep->run[i].point].label, sweep->run[i].error,
             sweep->plan->folder, sweep->run[i].name);
  return OK;
}

static Status print_json(const Sweep *sweep) {
  char *text;
  TRY_RETURN(sweep_text(sweep, &text));
  printf("%s\n", text);
  free(text);
  return OK;
}

/* What it has come to, and the failure that the exit code tells of. Whoever only looks writes
 * nothing while another process works on the sweep: two of them would write one file. */
static Status conclude(Sweep *sweep, bool json, bool complain) {
  size_t count[STAND_FAILED + 1];
  if (sweep_take_lock(sweep)) TRY_RETURN(sweep_write(sweep));
  TRY_RETURN(sweep_count(sweep, count));
  if (json)
    TRY_RETURN(print_json(sweep));
  else {
    TRY_RETURN(print_table(sweep));
    printf("%zu runs: %zu done, %zu dropped, %zu failed, %zu open; %s/sweep.json\n", sweep->runs,
           count[STAND_DONE], count[STAND_DROPPED], count[STAND_FAILED], count[STAND_OPEN],
           sweep->plan->folder);
  }
  if (complain && count[STAND_FAILED])
    return status_set(ERR_RUN,
                      "%zu of %zu runs failed: they are named above, with their logs; the same "
                      "command tries them again",
                      count[STAND_FAILED], sweep->runs);
  return OK;
}

/* One run of a job array: its own result, and no table. */
static Status run_task(Sweep *sweep, const SweepJobs *jobs, const char *text, long long rung) {
  int64_t task;
  if (!text_to_int(text, &task) || task < 0)
    return usage_error(&command_sweep, "--task: a number from 0 on is needed");
  TRY_RETURN(sweep_work_on(sweep, jobs, (size_t)task, (size_t)rung));
  const SweepRun *run = &sweep->run[task];
  return run->failed ? status_set(ERR_RUN, "%s failed: %s", run->name, run->error) : OK;
}

static Status run_sweep(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  SweepPlan plan = {.rungs = 1};
  Sweep sweep = {.lock = -1};
  char program[PATH_MAX];
  long long jobs;
  long long rung;
  TRY(arguments_parse(&command_sweep, argc, argv, &arguments));
  if (argument(&command_sweep, &arguments, "--keys")) {
    print_keys();
    return OK;
  }
  if (arguments.words < 1 || argument_is_pair(arguments.word[0]))
    TRY(usage_error(&command_sweep, "which sweep? a FILE.yaml is needed (--keys lists its keys)"));
  for (size_t i = 1; i < arguments.words; i++)
    if (!strchr(arguments.word[i], '='))
      TRY(usage_error(&command_sweep, "behind FILE there are only key=value words"));
  TRY(argument_int(&command_sweep, &arguments, "--jobs", 0, 1, 10000, &jobs));
  TRY(argument_int(&command_sweep, &arguments, "--rung", 0, 0, 1000, &rung));
  if (transport_mpi_launched())
    TRY(status_set(ERR_USAGE,
                   "agon sweep is started without mpirun and srun: it starts its runs itself, on "
                   "sweep.ranks ranks each"));
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length < 0) TRY(status_set(ERR_IO, "cannot find the program itself (/proc/self/exe)"));
  program[length] = 0;
  const char *slurm = argument(&command_sweep, &arguments, "--slurm");
  const char *task = argument(&command_sweep, &arguments, "--task");
  const bool look = argument(&command_sweep, &arguments, "--status") != NULL;
  const bool json = argument(&command_sweep, &arguments, "--json") != NULL;
  const bool quiet = json || argument(&command_sweep, &arguments, "--quiet");
  if ((slurm != NULL) + (task != NULL) + look > 1)
    TRY(usage_error(&command_sweep, "--status, --slurm and --task exclude each other"));
  TRY(sweep_plan_read(arguments.word[0], arguments.word + 1, arguments.words - 1,
                      argument(&command_sweep, &arguments, "--folder"), &plan));
  TRY(sweep_open(&plan, !task && !look, &sweep));
  catch_signals();
  const SweepJobs how = {
      .program = program,
      .jobs = (size_t)jobs,
      .stop = &signals,
      .say = quiet ? NULL : say,
  };
  if (slurm) {
    TRY(sweep_write_slurm(&sweep, program, arguments.word[0], arguments.word + 1,
                          arguments.words - 1, slurm));
    printf("%s: %zu runs, %zu rung%s; submit it: bash %s [options of sbatch]\n", slurm, sweep.runs,
           plan.rungs, plan.rungs == 1 ? "" : "s", slurm);
  } else if (task) {
    TRY(run_task(&sweep, &how, task, rung));
  } else {
    if (!look) TRY(sweep_work(&sweep, &how));
    TRY(conclude(&sweep, json, !look));
  }
done:
  sweep_close(&sweep);
  sweep_plan_free(&plan);
  return status;
}

const Command command_sweep = {
    "sweep",
    "FILE.yaml [key=value ...] [--folder DIR] [--jobs N] [--status | --slurm SCRIPT | --task K]",
    "trains and scores many runs: configurations times seeds, grid, random, halving",
    "FILE names a configuration and what of it is varied:\n"
    "  sweep: {base: rps.yaml, seeds: 1-5}\n"
    "  set: {frames: 100k}\n"
    "  grid: {learner.rate: [0.001, 0.003], learner.entropy: [0.01, 0.05]}\n"
    "  score: {by: match, against: random}\n"
    "Killed or stopped, the same command goes on: no run is lost or repeated, each goes on from "
    "its own checkpoint. Ctrl-C, SIGTERM or SIGUSR1 let the runs save; a second one kills them.\n"
    "Exit codes: 0 all is done, or was asked to stop; 3 some runs failed (they are named, the "
    "others went on; the same command tries them again), or the folder is of another sweep; else "
    "as of every command.",
    flags,
    COUNT_OF(flags),
    run_sweep,
};

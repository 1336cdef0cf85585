/* agon probe: a fresh exploiter learns against one frozen player; what it wins in fresh games
 * afterwards is a lower bound of how exploitable the player is, in games too large to walk. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/process.h"
#include "job/plugin.h"
#include "learner/algos/algo.h"
#include "run/view.h"
#include "job/job.h"
#include "nn/kernels/openblas.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const Command command_probe;

static const Flag flags[] = {
    {"--player", "P", "who is probed (default the first main)"},
    {"--budget", "FRAMES", "that the exploiter learns from (default 5M)"},
    {"--run-dir", "DIR", "of the exploiter's own run (default RUN/probes/P-SEED)"},
    {"--games", "N", "fresh games after it was frozen (default 20000)"},
    {"--seed", "S", "of the exploiter and the games (default 1)"},
    {"--quiet", NULL, "no log of the training"},
    ACCEPT_ENV_FLAG,
    {"--json", NULL, "print JSON"},
};

/* What is probed, and how. */
typedef struct Probe {
  const RunView *run;
  Contestant target;
  char folder[PATH_MAX]; /* of the exploiter's run */
  char config[PATH_MAX]; /* config.yaml of the run that is probed */
  long long budget;      /* frames that the exploiter learns from */
  long long games;       /* fresh ones, after it was frozen */
  long long seed;
} Probe;

/* The run's own configuration, with a league of one exploiter and its one opponent. */
static Status train(Probe *probe, Transport *transport, const Arguments *arguments) {
  static const char *const fixed[] = {"league.main_rule=fictitious",
                                      "league.self_share=0",
                                      "league.mains=1",
                                      "league.main_exploiters=0",
                                      "league.league_exploiters=0",
                                      "league.main_snapshot_min=1e15",
                                      "league.main_snapshot_max=1e15",
                                      "league.frame_scale=1",
                                      "actors.eval_share=0",
                                      "metrics.exploitability=0",
                                      "learner.reference=0",
                                      "learner.reference_end=0",
                                      "learner.average=0",
                                      "learner.normalise_advantages=true",
                                      "learner.decay=linear",
                                      "learner.rate=0.001",
                                      "learner.rate_end=0.0001",
                                      "learner.entropy=0.02",
                                      "learner.entropy_end=0.001",
                                      "max_seconds=0"};
  const char *pairs[COUNT_OF(fixed) + 3 + COUNT_OF(arguments->word)];
  char frames[48];
  char seed[48];
  char algorithm[48];
  size_t count = 0;
  for (size_t i = 0; i < COUNT_OF(fixed); i++)
    pairs[count++] = fixed[i];
  /* The default algorithm, not the run's: a bound should not depend on how the player was trained.
   */
  snprintf(algorithm, sizeof algorithm, "learner.algorithm=%s", algo_ops(0)->name);
  pairs[count++] = algorithm;
  snprintf(frames, sizeof frames, "frames=%lld", probe->budget);
  snprintf(seed, sizeof seed, "seed=%lld", probe->seed);
  pairs[count++] = frames;
  pairs[count++] = seed;
  for (size_t i = 1; i < arguments->words; i++)
    pairs[count++] = arguments->word[i];
  bool quiet = argument(&command_probe, arguments, "--quiet") ||
               argument(&command_probe, arguments, "--json");
  const JobRequest request = {.game = probe->config,
                              .overrides = pairs,
                              .override_count = count,
                              .folder = probe->folder,
                              .resume = "auto",
                              .target = probe->target.block,
                              .screen = quiet ? NULL : stdout,
                              .warnings = stderr};
  return job_train(transport, &request, NULL);
}

/* What the exploiter wins in fresh games; errors are halves of 95 % intervals. */
typedef struct Verdict {
  bool greedy;     /* the exploiter's better way to play */
  double value[2]; /* its mean return in each seat */
  double error[2];
  double sum; /* of both seats: the bound of NashConv */
  double sum_error;
  MatchTally score;
} Verdict;

/* The sum of the mean returns of both seats, which for a best response is NashConv. */
static double gain(const Tally seat[2]) {
  double sum = 0;
  for (int s = 0; s < 2; s++)
    sum += seat[s].returns / seat[s].games;
  return sum;
}

/* Half of the 95 % interval of a seat's mean return: its games are independent of one another. */
static double seat_error(const Tally *score) {
  double n = score->games;
  double mean = score->returns / n;
  return n > 1 ? meta_quantile(n - 1) * sqrt(fmax(score->squares / n - mean * mean, 0) / (n - 1))
               : 0;
}

/* Which way to play is chosen by games that do not count; then come fresh ones. */
static Status judge(Probe *probe, Verdict *out) {
  Status status = OK;
  RunView run = {.folder = {.lock = -1}};
  Contestant exploiter = {.net = NULL};
  MatchTally trial[2];
  TRY(run_view_open(probe->folder, &run));
  TRY(run_view_player(league_first_main(&run.league), &run, run.settings->env, &exploiter));
  for (int greedy = 0; greedy < 2; greedy++) {
    exploiter.policy.greedy = greedy;
    TRY(eval_match(run.settings->env, &exploiter, &probe->target,
                   &(MatchPlan){.seed = (uint64_t)probe->seed + 1000, .pairs = 1000},
                   &trial[greedy]));
  }
  *out = (Verdict){.greedy = gain(trial[1].seat) > gain(trial[0].seat)};
  exploiter.policy.greedy = out->greedy;
  TRY(eval_match(
      run.settings->env, &exploiter, &probe->target,
      &(MatchPlan){.seed = (uint64_t)probe->seed + 2000, .pairs = (uint64_t)probe->games / 2},
      &out->score));
  for (int s = 0; s < 2; s++) {
    const Tally *score = &out->score.seat[s];
    out->value[s] = score->returns / score->games;
    out->error[s] = seat_error(score);
  }
  /* Both games of a pair share its luck, so that the error of their sum comes from pairs. */
  out->sum = 2 * match_mean_return(&out->score, &out->sum_error);
  out->sum_error *= 2;
done:
  contestant_destroy(&exploiter);
  run_view_close(&run);
  return status;
}

/* Prints the bound by seat and in all. It is a lower bound: a better exploiter may exist. */
static void report(const Probe *probe, const Verdict *v, bool json) {
  const Tally *s = v->score.seat;
  double games = tally_games(s);
  double points = s[0].wins + s[1].wins + (s[0].draws + s[1].draws) / 2;
  if (json) {
    json_t *root = json_pack(
        "{s:s,s:s,s:I,s:b,s:[f,f],s:[f,f],s:f,s:f,s:f,s:f,s:f,s:I,s:s}", "run",
        probe->run->folder.path, "player", probe->target.label, "budget", (json_int_t)probe->budget,
        "exploiter_greedy", v->greedy, "value", v->value[0], v->value[1], "value_error",
        v->error[0], v->error[1], "nash_conv_bound", v->sum, "nash_conv_low", v->sum - v->sum_error,
        "nash_conv_high", v->sum + v->sum_error, "exploitability_bound", v->sum / 2, "score",
        points / games, "games", (json_int_t)games, "exploiter", probe->folder);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    printf("\n");
    json_decref(root);
    return;
  }
  printf("%s of %s, probed by %lld frames of a fresh exploiter (%s)\n", probe->target.label,
         probe->run->folder.path, probe->budget,
         v->greedy ? "its most probable actions" : "sampling");
  for (int k = 0; k < 2; k++)
    printf("exploiter as %s: mean return %+.4f +- %.4f, +%.0f =%.0f -%.0f\n",
           k ? "second" : "first ", v->value[k], v->error[k], s[k].wins, s[k].draws, s[k].losses);
  printf("score of the exploiter %.3f; NashConv is at least %.4f +- %.4f (95 %%), exploitability "
         "%.4f, from %.0f fresh "
         "games\n",
         points / games, v->sum, v->sum_error, v->sum / 2, games);
  if (v->score.fixed)
    printf("warning: nothing is random between the two: these are the only two games, one for each "
           "seat\n");
}

/* All ranks train the exploiter; rank 0 then judges it, alone. The player that is probed is loaded
 * by every rank, as each may have to play it. */
static Status run_probe(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  RunView run = {.folder = {.lock = -1}};
  Probe probe = {.run = &run};
  Transport *transport = NULL;
  Verdict verdict;
  TRY(arguments_parse(&command_probe, argc, argv, &arguments));
  plugins_accept(argument(&command_probe, &arguments, "--accept-env") != NULL);
  TRY(argument_int(&command_probe, &arguments, "--budget", 5000000, 1000, 1000000000000,
                   &probe.budget));
  TRY(argument_int(&command_probe, &arguments, "--games", 20000, 100, 100000000, &probe.games));
  TRY(argument_int(&command_probe, &arguments, "--seed", 1, 0, 1000000000, &probe.seed));
  const char *player = argument(&command_probe, &arguments, "--player");
  const char *dir = argument(&command_probe, &arguments, "--run-dir");
  if (arguments.words < 1) TRY(usage_error(&command_probe, "a run is needed"));
  gemm_set_threads(1);
  TRY(run_view_open(arguments.word[0], &run));
  const AgonEnvSpec *spec = &run.settings->env->spec;
  if (!(spec->flags & AGON_ZERO_SUM) || spec->teams != 2)
    TRY(status_set(ERR_USAGE, "a probe bounds NashConv of zero-sum games of two teams; %s is none",
                   run.settings->env->title));
  if (!player) player = league_first_main(&run.league);
  TRY(run_view_player(player, &run, run.settings->env, &probe.target));
  if (probe.target.side)
    TRY(status_set(
        ERR_USAGE,
        "%s always plays team %u (league.sides separate), and a probe is about players of "
        "both seats: agon exploit tells what a best response of the other side earns",
        player, probe.target.side - 1));
  if (!probe.target.block)
    TRY(status_set(ERR_USAGE, "'%s' is no network; a probe needs a player of the run", player));
  TRY(run_path(&run.folder, probe.config, sizeof probe.config, "config.yaml"));
  if (dir)
    TRY(text_format(probe.folder, sizeof probe.folder, "%s", dir));
  else
    TRY(text_format(probe.folder, sizeof probe.folder, "%s/probes/%s-%lld", run.folder.path, player,
                    probe.seed));
  job_catch_signals();
  TRY(job_join(&argc, &argv, &transport));
  bool first = transport->rank == 0;
  status = train(&probe, transport, &arguments);
  if (status != OK) {
    transport_destroy(transport);
    leave_told(status);
  }
  if (first) {
    status = judge(&probe, &verdict);
    if (status == OK)
      report(&probe, &verdict, argument(&command_probe, &arguments, "--json") != NULL);
  }
done:
  transport_destroy(transport);
  contestant_destroy(&probe.target);
  run_view_close(&run);
  message_pool_clear();
  return status;
}

const Command command_probe = {
    "probe",
    "RUN [--player P] [--budget FRAMES] [key=value ...] [--json]",
    "trains a fresh exploiter against a frozen player: a lower bound of its NashConv",
    "For zero-sum games of two sides. The exploiter has the run's network and configuration with "
    "PPO, little entropy "
    "and "
    "no other\n"
    "opponent; keys change that. Its mean return in fresh games, both seats, is a lower bound with "
    "its 95 % interval. "
    "Under mpirun or alone.",
    flags,
    COUNT_OF(flags),
    run_probe,
};

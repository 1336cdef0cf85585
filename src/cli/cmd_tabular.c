/* agon tabular: the classic learners, by tables, in one process. */
#include "base/file.h"
#include "base/text.h"
#include "classics/learn.h"
#include "classics/player.h"
#include "cli/classic_game.h"
#include "job/plugin.h"
#include "run/view.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const Command command_tabular;

static const Flag flags[] = {
    {"--algorithm", "A", "q, hysteretic, lenient, joint-action, minimax-q or nash-q (default q)"},
    {"--steps", "N", "of the game (default 100k)"},
    {"--rate", "R", "of learning (default 0.1)"},
    {"--rate-end", "R", "to which it goes by equal factors (default the same)"},
    {"--down", "R", "hysteretic: of learning from what is worse than expected (default 0.01)"},
    {"--leniency", "K", "lenient: a new pair passes over 1 - exp(-K) of bad news (default 2)"},
    {"--cooling", "C", "lenient: factor of a pair's temperature, a visit (default 0.995)"},
    {"--epsilon", "E", "share of choices that are any (default 0.1)"},
    {"--epsilon-end", "E", "to which it goes by equal steps (default the same)"},
    {"--temperature", "T", "a softmax of worths over T explores, instead of epsilon (default 0)"},
    {"--temperature-end", "T", "to which it goes by equal factors (default the same)"},
    {"--discount", "G", "of what follows, a decision (default 0.9)"},
    {"--initial", "Q", "worth of what was never tried (default 0)"},
    {"--against", "P",
     "a built-in or a player's file has all teams but the one that learns, another one in each "
     "episode: a challenger"},
    {"--greedy", NULL, "that player takes its most probable action"},
    {"--seed", "S", "of games and draws (default 1)"},
    {"--repeats", "N", "learns N times, with seeds S, S+1, ... (default 1)"},
    {"--games", "N", "played at the end by what was learned (default 1000)"},
    {"--out", "FILE.h5", "the player that was learned (of several the first seed's)"},
    {"--csv", "FILE", "the curves"},
    {"--json", NULL, "print JSON"},
    ACCEPT_ENV_FLAG,
};

/* What is asked, besides the plan. */
typedef struct TabularRequest {
  LearnPlan plan;
  long long repeats, games;
  bool json;
  const char *out, *csv;
} TabularRequest;

/* A rate and where it goes: without the second flag it stays. */
static Status read_pair(const Arguments *arguments, const char *name, const char *end,
                        double fallback, double low, double high, double out[2]) {
  TRY_RETURN(argument_float(&command_tabular, arguments, name, fallback, low, high, &out[0]));
  return argument_float(&command_tabular, arguments, end, out[0], low, high, &out[1]);
}

/* Flags that do nothing where another algorithm is asked for are refused, as they are meant to do
 * something. */
static Status refuse_idle(const Arguments *arguments, const ClassicOps *ops) {
  static const struct {
    const char *flag, *algorithm;
  } only[] = {{"--down", "hysteretic"}, {"--leniency", "lenient"}, {"--cooling", "lenient"}};
  for (size_t i = 0; i < COUNT_OF(only); i++)
    if (argument(&command_tabular, arguments, only[i].flag) && strcmp(ops->name, only[i].algorithm))
      return status_set(ERR_USAGE, "%s is of --algorithm %s, not of %s", only[i].flag,
                        only[i].algorithm, ops->name);
  const bool heated = argument(&command_tabular, arguments, "--temperature") != NULL;
  if (heated && argument(&command_tabular, arguments, "--epsilon"))
    return status_set(ERR_USAGE, "--epsilon or --temperature: choices are explored by one of them");
  if (argument(&command_tabular, arguments, "--temperature-end") && !heated)
    return status_set(ERR_USAGE, "--temperature-end needs --temperature");
  if (heated && ops->joint && strcmp(ops->name, "joint-action"))
    return status_set(ERR_USAGE, "%s explores by --epsilon: its policy is no softmax", ops->name);
  return OK;
}

/* One of the names, or the error that lists them. */
static Status read_algorithm(const Arguments *arguments, const ClassicOps **out) {
  const char *name = argument(&command_tabular, arguments, "--algorithm");
  char list[160] = "";
  size_t used = 0;
  *out = classic_named(name ? name : "q");
  if (*out) return OK;
  for (size_t i = 0; i < classic_count; i++)
    used +=
        (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", classics[i]->name);
  return status_set(ERR_USAGE, "--algorithm: '%.40s' is none of %s", name, list);
}

/* All numbers of the plan, and the rest of the flags. */
static Status read_request(const Arguments *arguments, TabularRequest *out) {
  const Command *self = &command_tabular;
  LearnPlan *plan = &out->plan;
  long long steps, seed;
  TRY_RETURN(read_algorithm(arguments, &plan->ops));
  TRY_RETURN(refuse_idle(arguments, plan->ops));
  TRY_RETURN(argument_int(self, arguments, "--steps", 100000, 1, 1000000000, &steps));
  TRY_RETURN(argument_int(self, arguments, "--seed", 1, 0, 1000000000000, &seed));
  TRY_RETURN(argument_int(self, arguments, "--repeats", 1, 1, 10000, &out->repeats));
  TRY_RETURN(argument_int(self, arguments, "--games", 1000, 1, 10000000, &out->games));
  TRY_RETURN(read_pair(arguments, "--rate", "--rate-end", 0.1, 1e-9, 1, plan->rate));
  TRY_RETURN(read_pair(arguments, "--epsilon", "--epsilon-end", 0.1, 0, 1, plan->epsilon));
  TRY_RETURN(
      read_pair(arguments, "--temperature", "--temperature-end", 0, 1e-6, 1e6, plan->temperature));
  TRY_RETURN(argument_float(self, arguments, "--down", 0.01, 0, 1, &plan->down));
  TRY_RETURN(argument_float(self, arguments, "--leniency", 2, 0, 1e6, &plan->leniency));
  TRY_RETURN(argument_float(self, arguments, "--cooling", 0.995, 0, 1, &plan->cooling));
  TRY_RETURN(argument_float(self, arguments, "--discount", 0.9, 0, 1, &plan->discount));
  TRY_RETURN(argument_float(self, arguments, "--initial", 0, -1e6, 1e6, &plan->initial));
  plan->steps = (uint64_t)steps;
  plan->seed = (uint64_t)seed;
  out->json = argument(self, arguments, "--json") != NULL;
  out->out = argument(self, arguments, "--out");
  out->csv = argument(self, arguments, "--csv");
  return out->out ? table_file_check(out->out) : OK;
}

/* --- what is told --- */

/* Adds formatted text; a failure is kept in out->failed. */
__attribute__((format(printf, 2, 3))) static void put(Bytes *out, const char *format, ...) {
  char text[256];
  va_list list;
  va_start(list, format);
  const int size = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (size < 0 || (size_t)size >= sizeof text)
    out->failed = true;
  else
    bytes_put(out, text, (size_t)size);
}

/* A curve's lines of the file. A return that is not known is left empty. */
static void put_curve(Bytes *out, uint64_t seed, const Learned *learned) {
  for (size_t i = 0; i < learned->points; i++) {
    const CurvePoint *point = &learned->point[i];
    put(out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%zu,%" PRIu64, seed, point->step, point->episodes,
        point->rows, point->flips);
    for (uint32_t t = 0; t < learned->teams; t++) {
      const double gained = learned->returns[i * learned->teams + t];
      if (isnan(gained))
        put(out, ",");
      else
        put(out, ",%.9g", gained);
    }
    put(out, "\n");
  }
}

/* Ten lines of a curve, as people see it. */
static void print_curve(const Learned *learned) {
  enum { SHOWN = 4 }; /* teams */
  const uint32_t teams = learned->teams < SHOWN ? learned->teams : SHOWN;
  printf("      step  episodes      rows     flips");
  for (uint32_t t = 0; t < teams; t++)
    printf("    team %u", t);
  printf("\n");
  for (size_t i = 0; i < learned->points; i++) {
    const CurvePoint *point = &learned->point[i];
    if ((i + 1) % (CURVE_POINTS / 10) && i + 1 < learned->points) continue;
    printf("%10" PRIu64 "%10" PRIu64 "%10zu%10" PRIu64, point->step, point->episodes, point->rows,
           point->flips);
    for (uint32_t t = 0; t < teams; t++)
      printf("%10.3f", learned->returns[i * learned->teams + t]);
    printf("\n");
  }
}

/* A choice's name, or its number. */
static const char *choice_name(const Env *env, uint32_t choice, char out[32]) {
  const char *name =
      env->table->action_name ? env->table->action_name(env->params, 0, choice) : NULL;
  if (name)
    snprintf(out, 32, "%s", name);
  else
    snprintf(out, 32, "%u", choice);
  return out;
}

/* An agent's first observation: what it is worth there, and what it would do. */
static void print_first(const LearnPlan *plan, const Learned *learned, uint32_t agent) {
  const ClassicLearner *learner = &learned->learner[agent];
  const Exploration how = {.temperature = learned->last.exploration.temperature};
  double share[64];
  char name[32];
  if (learner->rows.count == 0) return;
  const size_t own = rows_allowed(learner->rows.own, learner->rows.choices);
  printf("agent %u: %zu observation%s; its best choice at the first changed %" PRIu64
         " times; worth %.4f there; plays",
         agent, learner->rows.count, learner->rows.count == 1 ? "" : "s", learned->flips[agent],
         plan->ops->value(learner, 0, (int)agent));
  if (own > COUNT_OF(share)) {
    printf(" one of %zu choices\n", own);
    return;
  }
  plan->ops->act(learner, &how, 0, share);
  for (size_t i = 0; i < own; i++)
    printf(" %s %.3f", choice_name(plan->env, rows_action(learner->rows.own, i), name), share[i]);
  printf("\n");
}

/* One learning, as an object of the JSON. */
static json_t *told_learning(const LearnPlan *plan, const Learned *learned, uint64_t seed,
                             const double *mean) {
  json_t *root = json_pack("{s:I}", "seed", (json_int_t)seed);
  json_t *agents = json_array();
  json_t *returns = json_array();
  for (uint32_t a = 0; a < learned->agents; a++) {
    const LearnedRows *rows = &learned->learner[a].rows;
    json_t *numbers = json_array();
    for (size_t i = 0; rows->count && i < rows->width; i++)
      json_array_append_new(numbers, json_real(rows->numbers[i]));
    const double value = rows->count ? plan->ops->value(&learned->learner[a], 0, (int)a) : 0;
    json_array_append_new(agents, json_pack("{s:I,s:I,s:f,s:o}", "rows", (json_int_t)rows->count,
                                            "flips", (json_int_t)learned->flips[a], "value", value,
                                            "numbers", numbers));
  }
  for (uint32_t t = 0; t < learned->teams; t++)
    json_array_append_new(returns, json_real(mean[t]));
  json_object_set_new(root, "agents", agents);
  json_object_set_new(root, "returns", returns);
  return root;
}

/* What final play of all seeds earned: means[repeat * teams + team]. */
static Status print_means(const TabularRequest *request, const double *means, uint32_t teams,
                          json_t *root) {
  double *x;
  const size_t n = (size_t)request->repeats;
  json_t *list = json_array();
  TRY_RETURN(NEW_ARRAY(x, n));
  for (uint32_t t = 0; t < teams; t++) {
    double half;
    for (size_t i = 0; i < n; i++)
      x[i] = means[i * teams + t];
    const double mean = classic_mean(x, n, &half);
    json_array_append_new(list, json_pack("{s:f,s:f}", "mean", mean, "half", half));
    if (request->json) continue;
    if (request->plan.against)
      printf("the challenger's return");
    else
      printf("team %u's return", t);
    printf(" in %lld games of what was learned: %.4f", request->games, mean);
    if (n > 1) printf(" +- %.4f (95 %%, %zu seeds)", half, n);
    printf("\n");
    if (request->plan.against) break;
  }
  json_object_set_new(root, "returns", list);
  free(x);
  return OK;
}

/* --- the command --- */

/* Learns once, plays, and tells. The first learning is the player that is written. */
static Status learn_once(const TabularRequest *request, long long repeat, double *mean, Bytes *csv,
                         json_t *list) {
  Status status = OK;
  LearnPlan plan = request->plan;
  Learned learned = {0};
  TableRows rows = {0};
  plan.seed += (uint64_t)repeat;
  TRY(learn(&plan, &learned));
  put_curve(csv, plan.seed, &learned);
  if (!request->json && repeat == 0) {
    printf("%s learns %s: %" PRIu64 " steps\n", plan.ops->name, plan.env->title, plan.steps);
    print_curve(&learned);
    for (uint32_t a = 0; a < learned.agents && a < 8; a++)
      print_first(&plan, &learned, a);
  }
  TRY(learned_play(&plan, &learned, (uint64_t)request->games, mean));
  json_array_append_new(list, told_learning(&plan, &learned, plan.seed, mean));
  if (repeat || !request->out) goto done;
  TRY(learned_rows(&plan, &learned, &rows));
  TRY(table_file_write(request->out, plan.ops->name, plan.env, &rows));
done:
  learned_rows_free(&rows);
  learned_free(&learned);
  return status;
}

/* All seeds, one after another. */
static Status learn_all(const TabularRequest *request, json_t *root) {
  Status status = OK;
  Bytes csv = {0};
  double *means = NULL;
  const Env *env = request->plan.env;
  const uint32_t teams = env->spec.teams;
  json_t *list = json_array();
  json_object_set_new(root, "seeds", list);
  put(&csv, "seed,step,episodes,rows,flips");
  for (uint32_t t = 0; t < teams; t++)
    put(&csv, ",return_%u", t);
  put(&csv, "\n");
  TRY(NEW_ARRAY(means, (size_t)request->repeats * teams));
  for (long long i = 0; i < request->repeats; i++)
    TRY(learn_once(request, i, means + (size_t)i * teams, &csv, list));
  TRY(print_means(request, means, teams, root));
  if (csv.failed) TRY(status_set(ERR_MEMORY, "out of memory for the curves"));
  if (request->csv) TRY(file_write_whole(request->csv, csv.data, csv.size));
  if (request->out && !request->json) printf("player: %s\n", request->out);
done:
  bytes_free(&csv);
  free(means);
  return status;
}

/* Opens the game and whom it is learned against. */
static Status run_tabular(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  TabularRequest request = {.games = 0};
  Contestant against = {.net = NULL};
  Env *env = NULL;
  json_t *root = json_object();
  TRY(arguments_parse(&command_tabular, argc, argv, &arguments));
  plugins_accept(argument(&command_tabular, &arguments, "--accept-env") != NULL);
  TRY(read_request(&arguments, &request));
  TRY(classic_game_open(&command_tabular, &arguments, &env));
  request.plan.env = env;
  const char *rival = argument(&command_tabular, &arguments, "--against");
  const bool greedy = argument(&command_tabular, &arguments, "--greedy") != NULL;
  if (greedy && !rival)
    TRY(usage_error(&command_tabular, "--greedy is of the player of --against"));
  if (rival) {
    TRY(run_view_player(rival, NULL, env, &against));
    against.policy.greedy = greedy;
    request.plan.against = &against;
  }
  json_object_set_new(root, "env", json_string(env->title));
  json_object_set_new(root, "algorithm", json_string(request.plan.ops->name));
  TRY(learn_all(&request, root));
  if (request.json) {
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    printf("\n");
  }
done:
  contestant_destroy(&against);
  env_destroy(env);
  json_decref(root);
  return status;
}

const Command command_tabular = {
    "tabular",
    "GAME [env.OPTION=VALUE ...] [--algorithm A] [--steps N] [--out FILE.h5]",
    "the classic learners, by tables, in one process: for games of few observations",
    "GAME: an env, or a preset of matrix_game by itself (matching_pennies). Every agent learns by "
    "what it observes, the others being a part of its world (q, hysteretic, lenient); or, where "
    "two "
    "act at once, by what both do: joint-action counts what the other does, minimax-q plays what "
    "guarantees most (zero-sum), nash-q the equilibrium of highest welfare.\n"
    "The player of --out is opened as any file of a player is: agon eval --env GAME --players "
    "FILE.h5,random; agon exploit --env GAME --player FILE.h5; agon match; agon play. Where it has "
    "never been it takes any action. How often agents changed their minds (flips) tells whether "
    "they settled.",
    flags,
    COUNT_OF(flags),
    run_tabular,
};

/* agon dynamics: where rules of learning lead two players of a matrix game. */
#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"
#include "classics/form.h"
#include "classics/walk.h"
#include "cli/classic_game.h"
#include "report/chart.h"
#include "report/phase.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const Command command_dynamics;

static const Flag flags[] = {
    {"--rule", "R",
     "replicator, q, policy-gradient, fictitious, lola or naive (default replicator); lola is told "
     "and drawn beside naive"},
    {"--steps", "N", "how far (default by the rule: 5000, 20k, 5000, 20k, 500)"},
    {"--rate", "R", "of learning; replicator: length of a step (default by the rule)"},
    {"--epsilon", "E", "q: share of choices that are any (default 0.1)"},
    {"--temperature", "T", "q: a softmax of worths over T explores, instead of epsilon"},
    {"--entropy", "E", "policy-gradient: weight of the entropy (default 0)"},
    {"--inner", "R", "lola: rate of the step that the other is expected to make (default 0.3)"},
    {"--discount", "G", "lola, naive: of a round (default 0.96)"},
    {"--seed", "S", "of starts and draws (default 1)"},
    {"--repeats", "N", "paths, with seeds S, S+1, ... (default 1)"},
    {"--csv", "FILE", "all points of all paths"},
    {"--svg", "FILE",
     "a phase picture: the unit square of games of two choices, the triangle of symmetric ones of "
     "three"},
    {"--json", NULL, "print JSON"},
};

enum { RULES = 2, MOST_PATHS = 1000 };

/* What is asked, and what came of it. */
typedef struct Dynamics {
  const WalkOps *ops[RULES]; /* the rule, and another one that is drawn beside it */
  size_t rules;
  WalkPlan plan;
  long long repeats;
  bool json;
  const char *csv, *svg;
  Env *env;
  FormTables tables;
  Walk *walk; /* (rules, repeats) */
} Dynamics;

/* --- what is asked --- */

/* One of the names, or the error that lists them. */
static Status read_rule(const Arguments *arguments, Dynamics *out) {
  const char *name = argument(&command_dynamics, arguments, "--rule");
  char list[160] = "";
  size_t used = 0;
  out->ops[0] = walk_named(name ? name : "replicator");
  out->rules = 1;
  if (out->ops[0]) {
    if (!strcmp(out->ops[0]->name, "lola")) out->ops[out->rules++] = walk_named("naive");
    return OK;
  }
  for (size_t i = 0; i < walk_count; i++)
    used +=
        (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", walks[i]->name);
  return status_set(ERR_USAGE, "--rule: '%.40s' is none of %s", name, list);
}

/* Flags of other rules are refused, as they are meant to do something. */
static Status refuse_idle(const Arguments *arguments, const WalkOps *ops) {
  static const struct {
    const char *flag, *rules;
  } only[] = {{"--epsilon", "q"},
              {"--temperature", "q"},
              {"--entropy", "policy-gradient"},
              {"--inner", "lola"},
              {"--discount", "lola|naive"},
              {"--rate", "replicator|q|policy-gradient|lola|naive"}};
  for (size_t i = 0; i < COUNT_OF(only); i++)
    if (argument(&command_dynamics, arguments, only[i].flag) &&
        text_choice(only[i].rules, ops->name) < 0)
      return status_set(ERR_USAGE, "%s is of --rule %s, not of %s", only[i].flag, only[i].rules,
                        ops->name);
  if (argument(&command_dynamics, arguments, "--epsilon") &&
      argument(&command_dynamics, arguments, "--temperature"))
    return status_set(ERR_USAGE, "--epsilon or --temperature: choices are explored by one of them");
  return OK;
}

static Status read_flags(const Arguments *arguments, Dynamics *out) {
  const Command *self = &command_dynamics;
  WalkPlan *plan = &out->plan;
  long long steps, seed;
  TRY_RETURN(read_rule(arguments, out));
  TRY_RETURN(refuse_idle(arguments, out->ops[0]));
  TRY_RETURN(argument_int(self, arguments, "--steps", (long long)out->ops[0]->steps, 1, 100000000,
                          &steps));
  TRY_RETURN(argument_int(self, arguments, "--seed", 1, 0, 1000000000000, &seed));
  TRY_RETURN(argument_int(self, arguments, "--repeats", 1, 1, MOST_PATHS, &out->repeats));
  TRY_RETURN(argument_float(self, arguments, "--rate", out->ops[0]->rate, 1e-9, 100, &plan->rate));
  TRY_RETURN(argument_float(self, arguments, "--epsilon", 0.1, 0, 1, &plan->exploration.epsilon));
  TRY_RETURN(argument_float(self, arguments, "--temperature", 0, 1e-6, 1e6,
                            &plan->exploration.temperature));
  TRY_RETURN(argument_float(self, arguments, "--entropy", 0, 0, 1e6, &plan->entropy));
  TRY_RETURN(argument_float(self, arguments, "--inner", 0.3, 0, 100, &plan->inner));
  TRY_RETURN(argument_float(self, arguments, "--discount", 0.96, 0, 0.9999, &plan->discount));
  plan->steps = (uint64_t)steps;
  plan->seed = (uint64_t)seed;
  out->json = argument(self, arguments, "--json") != NULL;
  out->csv = argument(self, arguments, "--csv");
  out->svg = argument(self, arguments, "--svg");
  return OK;
}

/* Whether both players have three choices, and the game is the same from both sides. */
static bool is_symmetric(const Bimatrix *form) {
  if (form->rows != form->columns) return false;
  for (size_t i = 0; i < form->rows; i++)
    for (size_t j = 0; j < form->columns; j++)
      if (fabs(form->a[i * form->columns + j] - form->b[j * form->columns + i]) > 1e-9)
        return false;
  return true;
}

static bool is_square(const Bimatrix *form) {
  return form->rows == 2 && form->columns == 2;
}

/* --- numbers --- */

/* The name of a player's choice. */
static const char *choice_name(const Env *env, size_t choice, char out[32]) {
  const char *name =
      env->table->action_name ? env->table->action_name(env->params, 0, (uint32_t)choice) : NULL;
  if (name)
    snprintf(out, 32, "%s", name);
  else
    snprintf(out, 32, "%zu", choice);
  return out;
}

/* rule,seed,step,x_0,...,y_0,...,value_0,value_1 */
static void put_csv(const Dynamics *d, Bytes *out) {
  const Bimatrix *form = d->plan.form;
  html_put(out, "rule,seed,step");
  for (size_t i = 0; i < form->rows; i++)
    html_put(out, ",x_%zu", i);
  for (size_t j = 0; j < form->columns; j++)
    html_put(out, ",y_%zu", j);
  html_put(out, ",value_0,value_1\n");
  for (size_t r = 0; r < d->rules; r++)
    for (size_t s = 0; s < (size_t)d->repeats; s++) {
      const Walk *walk = &d->walk[r * (size_t)d->repeats + s];
      for (size_t p = 0; p < walk->points; p++) {
        html_put(out, "%s,%" PRIu64 ",%" PRIu64, d->ops[r]->name, d->plan.seed + s, walk->step[p]);
        for (size_t i = 0; i < walk->width; i++)
          html_put(out, ",%.9g", walk->at[p * walk->width + i]);
        html_put(out, ",%.9g,%.9g\n", walk->value[2 * p], walk->value[2 * p + 1]);
      }
    }
}

/* Probabilities of a point, as people see them. */
static void print_point(const Dynamics *d, const Walk *walk, size_t point) {
  const Bimatrix *form = d->plan.form;
  char name[32];
  for (size_t i = 0; i < form->rows; i++)
    printf(" %s %.3f", choice_name(d->env, i, name), walk->at[point * walk->width + i]);
  printf(" |");
  for (size_t j = 0; j < form->columns; j++)
    printf(" %s %.3f", choice_name(d->env, j, name),
           walk->at[point * walk->width + form->rows + j]);
}

/* Probabilities that move less than this within the last quarter have settled. */
#define SETTLED 0.02

static void print_walk(const Dynamics *d, const WalkOps *ops, const Walk *walk, uint64_t seed) {
  const size_t last = walk->points - 1;
  printf("%s, seed %" PRIu64 ":", ops->name, seed);
  print_point(d, walk, 0);
  printf("  ->");
  print_point(d, walk, last);
  printf("; paid %.4f | %.4f; %s (moved %.3f in the last quarter; minds changed %" PRIu64
         " and %" PRIu64 " times)\n",
         walk->value[2 * last], walk->value[2 * last + 1],
         walk->moved < SETTLED ? "settled" : "not settled", walk->moved, walk->flips[0],
         walk->flips[1]);
}

/* One of the numbers of a rule's paths, over all seeds. */
static double mean_over(const Dynamics *d, size_t rule, int what, double *half) {
  double x[MOST_PATHS];
  for (size_t s = 0; s < (size_t)d->repeats; s++) {
    const Walk *walk = &d->walk[rule * (size_t)d->repeats + s];
    x[s] = what == 2   ? walk->moved
           : what == 3 ? (double)walk->flips[0]
                       : walk->value[2 * (walk->points - 1) + (size_t)what];
  }
  return classic_mean(x, (size_t)d->repeats, half);
}

/* All seeds together. */
static void print_means(const Dynamics *d, json_t *root) {
  static const char *const name[] = {"paid_0", "paid_1", "moved", "flips"};
  for (size_t r = 0; r < d->rules; r++) {
    double mean[4], half[4];
    size_t settled = 0;
    json_t *told = json_pack("{s:s}", "rule", d->ops[r]->name);
    for (int k = 0; k < 4; k++) {
      mean[k] = mean_over(d, r, k, &half[k]);
      json_object_set_new(told, name[k], json_pack("{s:f,s:f}", "mean", mean[k], "half", half[k]));
    }
    for (size_t s = 0; s < (size_t)d->repeats; s++)
      settled += d->walk[r * (size_t)d->repeats + s].moved < SETTLED;
    json_object_set_new(told, "settled", json_integer((json_int_t)settled));
    json_array_append_new(root, told);
    if (d->json || d->repeats == 1) continue;
    printf("%s, %lld seeds: paid %.4f +- %.4f | %.4f +- %.4f (95 %%); %zu of %lld settled; minds "
           "changed %.1f +- %.1f times\n",
           d->ops[r]->name, d->repeats, mean[0], half[0], mean[1], half[1], settled, d->repeats,
           mean[3], half[3]);
  }
}

/* --- the picture --- */

/* The rule's field at a point of the square. */
static void field_of_square(const void *context, const double *point, double *out) {
  const Dynamics *d = context;
  const double x[2] = {point[0], 1 - point[0]};
  const double y[2] = {point[1], 1 - point[1]};
  double dx[2], dy[2];
  d->ops[0]->field(&d->plan, x, y, dx, dy);
  out[0] = dx[0];
  out[1] = dy[0];
}

/* Of the triangle, where both are alike. */
static void field_of_triangle(const void *context, const double *point, double *out) {
  const Dynamics *d = context;
  double dy[3];
  d->ops[0]->field(&d->plan, point, point, out, dy);
}

/* What the numbers behind the rule are. */
static void describe(const Dynamics *d, char *out, size_t size) {
  const WalkPlan *plan = &d->plan;
  const char *rule = d->ops[0]->name;
  if (!strcmp(rule, "q") && plan->exploration.temperature > 0)
    snprintf(out, size, "Q-learners, rate %g, softmax of temperature %g", plan->rate,
             plan->exploration.temperature);
  else if (!strcmp(rule, "q"))
    snprintf(out, size, "Q-learners, rate %g, epsilon %g, %" PRIu64 " rounds", plan->rate,
             plan->exploration.epsilon, plan->steps);
  else if (!strcmp(rule, "policy-gradient"))
    snprintf(out, size, "policy gradients, rate %g, entropy %g", plan->rate, plan->entropy);
  else if (!strcmp(rule, "lola"))
    snprintf(out, size, "exact LOLA (blue), naive gradients (orange); shares of first choices");
  else
    snprintf(out, size, "%s", rule);
}

/* A path for each walk in the square; in the triangle two, of both players. */
static size_t lay_paths(const Dynamics *d, PhasePath *path) {
  static const char *const css[] = {"c0", "c1"};
  const size_t rows = d->plan.form->rows;
  size_t paths = 0;
  for (size_t r = 0; r < d->rules; r++)
    for (size_t s = 0; s < (size_t)d->repeats; s++) {
      const Walk *walk = &d->walk[r * (size_t)d->repeats + s];
      for (size_t p = 0; p < (is_square(d->plan.form) ? 1u : 2u); p++)
        path[paths++] = (PhasePath){.at = walk->at + p * rows,
                                    .points = walk->points,
                                    .step = walk->width,
                                    .second = rows,
                                    .css = css[r + p],
                                    .label = d->ops[r]->name};
    }
  return paths;
}

static Status draw(const Dynamics *d) {
  Status status = OK;
  Bytes out = {0};
  PhasePath *path = NULL;
  char note[96], label[3][64], name[32];
  const bool square = is_square(d->plan.form);
  TRY(NEW_ARRAY(path, d->rules * (size_t)d->repeats * 2));
  describe(d, note, sizeof note);
  PhasePicture picture = {.title = d->env->title, .note = note, .path = path, .context = d};
  picture.paths = lay_paths(d, path);
  for (size_t i = 0; i < 3; i++)
    picture.label[i] = label[i];
  for (size_t i = 0; i < 3; i++) {
    choice_name(d->env, square ? 0 : i, name);
    if (square)
      snprintf(label[i], sizeof label[i], "agent %zu: %s of %s", i,
               d->ops[0]->iterated ? "share" : "probability", name);
    else
      snprintf(label[i], sizeof label[i], "%s", name);
  }
  if (d->ops[0]->field) picture.field = square ? field_of_square : field_of_triangle;
  if (square)
    phase_square(&out, &picture);
  else
    phase_simplex(&out, &picture);
  if (out.failed) TRY(status_set(ERR_MEMORY, "out of memory for the picture"));
  TRY(file_write_whole(d->svg, out.data, out.size));
done:
  bytes_free(&out);
  free(path);
  return status;
}

/* --- the command --- */

/* Walks and tells each path. */
static Status walk_all(Dynamics *d) {
  const size_t paths = d->rules * (size_t)d->repeats;
  TRY_RETURN(NEW_ARRAY(d->walk, paths));
  for (size_t i = 0; i < paths; i++) {
    const WalkOps *ops = d->ops[i / (size_t)d->repeats];
    WalkPlan plan = d->plan;
    plan.seed += i % (size_t)d->repeats;
    TRY_RETURN(walk_run(ops, &plan, &d->walk[i]));
    if (!d->json && (d->repeats <= 10 || i % (size_t)d->repeats == 0))
      print_walk(d, ops, &d->walk[i], plan.seed);
  }
  return OK;
}

static Status write_files(const Dynamics *d) {
  Bytes csv = {0};
  Status status = OK;
  if (d->csv) {
    put_csv(d, &csv);
    if (csv.failed) TRY(status_set(ERR_MEMORY, "out of memory for the points"));
    TRY(file_write_whole(d->csv, csv.data, csv.size));
  }
  if (d->svg) TRY(draw(d));
done:
  bytes_free(&csv);
  return status;
}

static void dynamics_close(Dynamics *d) {
  for (size_t i = 0; d->walk && i < d->rules * (size_t)d->repeats; i++)
    walk_free(&d->walk[i]);
  free(d->walk);
  env_destroy(d->env);
}

static Status run_dynamics(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  Dynamics d = {.rules = 0};
  json_t *root = json_object();
  json_t *rules = json_array();
  json_object_set_new(root, "rules", rules);
  TRY(arguments_parse(&command_dynamics, argc, argv, &arguments));
  TRY(read_flags(&arguments, &d));
  TRY(classic_game_open(&command_dynamics, &arguments, &d.env));
  TRY(form_read(d.env, &d.tables));
  const Bimatrix *form = &d.tables.form;
  d.plan.form = form;
  if (d.svg && !is_square(form) && !(form->rows == 3 && is_symmetric(form)))
    TRY(status_set(ERR_USAGE,
                   "--svg: a phase picture is of games of two choices each, or of three that are "
                   "the same from both sides; --csv has the numbers of any"));
  TRY(walk_all(&d));
  print_means(&d, rules);
  TRY(write_files(&d));
  if (d.json) {
    json_object_set_new(root, "env", json_string(d.env->title));
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    printf("\n");
  }
done:
  dynamics_close(&d);
  json_decref(root);
  return status;
}

const Command command_dynamics = {
    "dynamics",
    "GAME [env.OPTION=VALUE ...] [--rule R] [--svg FILE] [--csv FILE]",
    "where rules of learning lead two players of a matrix game, as numbers and as a picture",
    "GAME: an env of two agents that is over after one choice each, or a preset of matrix_game by "
    "itself (matching_pennies). Starts are drawn anew for each seed; q with epsilon "
    "starts from worths of 0. Points of q are means over the rounds between them.\n"
    "lola and naive play the game for ever, by policies that remember the last round: exact "
    "gradients, and their points are how often the first choice is made.\n"
    "Settled: no probability moved by 0.02 within the last quarter of the way.",
    flags,
    COUNT_OF(flags),
    run_dynamics,
};

#include "sweep/plan.h"

#include "base/child.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "config/yaml.h"
#include "job/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const Option sweep_options[] = {
    {"base", OPT_TEXT, offsetof(SweepOptions, base), "", 0, 0, NULL, "",
     "what every run begins with: FILE.yaml (beside this file, or from where you stand) or a game"},
    {"folder", OPT_TEXT, offsetof(SweepOptions, folder), "", 0, 0, NULL, "",
     "where runs, logs and results are kept (default sweeps/NAME, of FILE's name)"},
    {"seeds", OPT_TEXT, offsetof(SweepOptions, seeds), "1", 0, 0, NULL, "",
     "of every configuration: a list [1, 2, 7] or a range 1-5"},
    {"ranks", OPT_INT, offsetof(SweepOptions, ranks), "1", 1, 100000, NULL, "ranks",
     "of each run; more than one by the launcher"},
    {"jobs", OPT_INT, offsetof(SweepOptions, jobs), "0", 0, 10000, NULL, "",
     "runs at once; 0: as many as the cores allow"},
    {"launch", OPT_TEXT, offsetof(SweepOptions, launch),
     "mpirun --oversubscribe --bind-to none -n {ranks}", 0, 0, NULL, "",
     "what starts a run of several ranks; in an allocation of several hosts: "
     "srun --exact --mpi=pmix -n {ranks}; words with spaces stand in quotes"},
    {"samples", OPT_INT, offsetof(SweepOptions, samples), "0", 0, 100000, NULL, "",
     "random: configurations that are drawn (of each point of the grid, if there is one)"},
    {"draw_seed", OPT_INT, offsetof(SweepOptions, draw_seed), "1", 0, OPTION_NO_LIMIT, NULL, "",
     "random: of the draws"},
    {"tries", OPT_INT, offsetof(SweepOptions, tries), "2", 1, 100, NULL, "",
     "a run that fails goes on from its checkpoint until it has failed so often"},
    {"limit", OPT_FLOAT, offsetof(SweepOptions, limit), "0", 0, OPTION_NO_LIMIT, NULL,
     OPTION_SECONDS, "a run whose job takes longer is killed, as a failure; 0: no limit"},
};
const size_t sweep_option_count = COUNT_OF(sweep_options);

const Option sweep_score_options[] = {
    {"by", OPT_CHOICE, offsetof(SweepOptions, score), "auto", 0, 0, SCORE_NAMES, "",
     "match: the score against a fixed player; return: what it earns (against that player, or as a "
     "team); elo: as agon rate says; nashconv: as agon exploit says, less is better; auto: return "
     "where one team plays, else match"},
    {"against", OPT_TEXT, offsetof(SweepOptions, against), "random", 0, 0, NULL, "",
     "match, return: the fixed player: a built-in, RUN:NAME or a snapshot's file"},
    {"player", OPT_TEXT, offsetof(SweepOptions, player), "main_0", 0, 0, NULL, "",
     "who is scored, of each run"},
    {"games", OPT_INT, offsetof(SweepOptions, games), "400", 1, 100000000, NULL, "games",
     "match, return: that are played"},
    {"greedy", OPT_BOOL, offsetof(SweepOptions, greedy), "false", 0, 0, NULL, "",
     "match, return: networks take their most probable action"},
    {"seed", OPT_INT, offsetof(SweepOptions, score_seed), "1", 0, OPTION_NO_LIMIT, NULL, "",
     "of these games, the same for all runs"},
};
const size_t sweep_score_option_count = COUNT_OF(sweep_score_options);

const Option sweep_halving_options[] = {
    {"first", OPT_INT, offsetof(SweepOptions, first), "0", 0, OPTION_NO_LIMIT, NULL, "frames",
     "successive halving: all configurations are scored after so many frames, the best of them "
     "after `factor` times as many, and so on to the end; 0: none"},
    {"factor", OPT_FLOAT, offsetof(SweepOptions, factor), "2", 1.1, 1000, NULL, "",
     "one of so many configurations goes on"},
};
const size_t sweep_halving_option_count = COUNT_OF(sweep_halving_options);

/* --- reading the file --- */
/* One line below set, grid or random. */
typedef struct Axis {
  char key[192];
  char *text; /* owned */
  char place[320];
  char **value; /* (values) owned: of a grid, those of its list */
  size_t values;
  int how; /* of random: which distribution */
  double low, high;
} Axis;

typedef struct Axes {
  Axis *axis;
  size_t count, room;
} Axes;

typedef struct Reading {
  Config *config;
  Axes set, grid, random;
} Reading;

enum { DRAW_UNIFORM, DRAW_LOG, DRAW_INT, DRAW_LOG_INT, DRAW_CHOICE };
#define DRAW_NAMES "uniform|log|int|log_int|choice"

static void axes_free(Axes *axes) {
  for (size_t i = 0; i < axes->count; i++) {
    for (size_t v = 0; v < axes->axis[i].values; v++)
      free(axes->axis[i].value[v]);
    free(axes->axis[i].value);
    free(axes->axis[i].text);
  }
  free(axes->axis);
  *axes = (Axes){0};
}

static Status copy_text(const char *text, size_t length, char **out) {
  TRY_RETURN(NEW_ARRAY(*out, length + 1));
  memcpy(*out, text, length);
  return OK;
}

static Status axes_add(Axes *axes, const char *key, const char *text, const char *place) {
  TRY_RETURN(GROW(axes->axis, axes->room, axes->count + 1));
  Axis *axis = &axes->axis[axes->count];
  TRY_RETURN(text_format(axis->key, sizeof axis->key, "%s", key));
  TRY_RETURN(text_format(axis->place, sizeof axis->place, "%s", place));
  TRY_RETURN(copy_text(text, strlen(text), &axis->text));
  axes->count++;
  return OK;
}

static Axis *axes_find(const Axes *axes, const char *key) {
  for (size_t i = 0; i < axes->count; i++)
    if (!strcmp(axes->axis[i].key, key)) return &axes->axis[i];
  return NULL;
}

/* Takes "[a, [b, c], d]" apart at the commas that stand in no inner list. ERR_USAGE where it is no
 * list, or one without anything in it. */
static Status split_list(Axis *axis) {
  const char *text = axis->text;
  const size_t length = strlen(text);
  size_t room = 0;
  int depth = 0;
  if (length < 2 || text[0] != '[' || text[length - 1] != ']')
    return status_set(ERR_USAGE, "%s: %s: a list of values is needed, [a, b, ...], not '%s'",
                      axis->place, axis->key, text);
  for (size_t at = 1, from = 1; at < length; at++) {
    const bool end = at == length - 1;
    if (text[at] == '[') depth++;
    if (text[at] == ']' && !end) depth--;
    if (!end && (text[at] != ',' || depth > 0)) continue;
    while (text[from] == ' ')
      from++;
    if (from == at)
      return status_set(ERR_USAGE, "%s: %s: %s, so there is nothing to run", axis->place, axis->key,
                        end && axis->values == 0 ? "the list is empty" : "a value is missing");
    TRY_RETURN(GROW(axis->value, room, axis->values + 1));
    TRY_RETURN(copy_text(text + from, at - from, &axis->value[axis->values]));
    axis->values++;
    from = at + 1;
  }
  for (size_t i = 0; i < axis->values; i++)
    for (size_t k = 0; k < i; k++)
      if (!strcmp(axis->value[i], axis->value[k]))
        return status_set(ERR_USAGE, "%s: %s: '%s' is listed twice", axis->place, axis->key,
                          axis->value[i]);
  return OK;
}

/* `key` ends in the name of a distribution, which is taken off. */
static Status take_distribution(Axis *axis) {
  char *dot = strrchr(axis->key, '.');
  axis->how = dot ? text_choice(DRAW_NAMES, dot + 1) : -1;
  if (axis->how < 0)
    return status_set(ERR_USAGE,
                      "%s: random.%s: how is it drawn? {uniform: [low, high]}, {log: [low, high]}, "
                      "{int: [low, high]}, {log_int: [low, high]} or {choice: [a, b, ...]}",
                      axis->place, axis->key);
  *dot = 0;
  TRY_RETURN(split_list(axis));
  if (axis->how == DRAW_CHOICE) return OK;
  if (axis->values != 2 || !text_to_float(axis->value[0], &axis->low) ||
      !text_to_float(axis->value[1], &axis->high) || !(axis->low < axis->high))
    return status_set(ERR_USAGE, "%s: random.%s: two numbers are needed, [low, high], low first",
                      axis->place, axis->key);
  const bool whole = axis->how == DRAW_INT || axis->how == DRAW_LOG_INT;
  if (whole && (axis->low != floor(axis->low) || axis->high != floor(axis->high)))
    return status_set(ERR_USAGE,
                      "%s: random.%s: whole numbers are drawn: low and high must be some",
                      axis->place, axis->key);
  if ((axis->how == DRAW_LOG || axis->how == DRAW_LOG_INT) && !(axis->low > 0))
    return status_set(ERR_USAGE, "%s: random.%s: drawn on a logarithmic scale, it must be above 0",
                      axis->place, axis->key);
  return OK;
}

static bool begins(const char *text, const char *with) {
  return !strncmp(text, with, strlen(with));
}

/* Sections of our own are options; the three others name keys of a run. */
static Status read_value(void *context, const char *key, const char *value, const char *place) {
  Reading *r = context;
  if (begins(key, "set.")) return axes_add(&r->set, key + 4, value, place);
  if (begins(key, "grid.")) return axes_add(&r->grid, key + 5, value, place);
  if (begins(key, "random.")) return axes_add(&r->random, key + 7, value, place);
  if (!strcmp(key, "grid") || !strcmp(key, "random") || !strcmp(key, "set"))
    return status_set(ERR_USAGE, "%s: %s is empty: keys of a run stand below it", place, key);
  if (!strchr(key, '.'))
    return status_set(
        ERR_USAGE,
        "%s: '%s' is no section of a sweep: these are sweep, set, grid, random, score "
        "and halving; keys of a run go below set (for all), grid or random",
        place, key);
  return config_assign(r->config, CONFIG_FILE, key, value, place);
}

/* --- seeds --- */
static Status add_seed(SweepPlan *plan, size_t *room, int64_t seed) {
  for (size_t i = 0; i < plan->seeds; i++)
    if (plan->seed[i] == seed)
      return status_set(ERR_USAGE, "sweep.seeds: %lld is there twice", (long long)seed);
  TRY_RETURN(GROW(plan->seed, *room, plan->seeds + 1));
  plan->seed[plan->seeds++] = seed;
  return OK;
}

/* "7", "1-5", "[1, 2, 10-20]". */
static Status read_seeds(SweepPlan *plan, const char *origin) {
  char text[OPTION_TEXT];
  size_t room = 0;
  char *rest = text;
  snprintf(text, sizeof text, "%s", plan->options.seeds);
  for (char *word; (word = strtok_r(rest, "[], ", &rest)) != NULL;) {
    int64_t first;
    int64_t last;
    char *dash = strchr(word, '-');
    if (dash) *dash = 0;
    if (!text_to_int(word, &first) || first < 0 || (dash && !text_to_int(dash + 1, &last)))
      return status_set(ERR_USAGE,
                        "%s: sweep.seeds: '%s' is no list of whole numbers: [1, 2, 7], 1-5", origin,
                        plan->options.seeds);
    if (!dash) last = first;
    if (last < first || last - first > 100000)
      return status_set(ERR_USAGE, "%s: sweep.seeds: the range %lld-%lld is empty or too long",
                        origin, (long long)first, (long long)last);
    for (int64_t seed = first; seed <= last; seed++)
      TRY_RETURN(add_seed(plan, &room, seed));
  }
  if (!plan->seeds)
    return status_set(ERR_USAGE, "%s: sweep.seeds is empty, so there is nothing to run", origin);
  return OK;
}

/* --- points --- */
static Status point_add(SweepPoint *point, size_t *room, const char *key, const char *value) {
  char text[OPTION_TEXT + 256];
  TRY_RETURN(text_format(text, sizeof text, "%s=%s", key, value));
  TRY_RETURN(GROW(point->setting, *room, point->settings + 1));
  TRY_RETURN(copy_text(text, strlen(text), &point->setting[point->settings]));
  point->settings++;
  return OK;
}

/* A value of one axis, as text that reads back as the same number. Each axis and sample has a
 * stream of its own, so that an axis or a sample more changes none that was drawn before. */
static void draw(const Axis *axis, uint64_t seed, uint64_t sample, char *out, size_t size) {
  const uint32_t stream = (uint32_t)(hash_bytes(axis->key, strlen(axis->key)).low & 0xffffff);
  AgonRng rng = rng_stream(seed, stream, (uint32_t)sample, RNG_SWEEP);
  const double u = rng_unit(&rng);
  const double low = axis->low;
  const double high = axis->high;
  switch (axis->how) {
  case DRAW_CHOICE: {
    const size_t which = (size_t)(u * (double)axis->values);
    snprintf(out, size, "%s", axis->value[which < axis->values ? which : axis->values - 1]);
    return;
  }
  case DRAW_INT: snprintf(out, size, "%.0f", floor(low + u * (high - low + 1))); return;
  case DRAW_LOG_INT: snprintf(out, size, "%.0f", floor(low * pow((high + 1) / low, u))); return;
  case DRAW_LOG: snprintf(out, size, "%.6g", low * pow(high / low, u)); return;
  default: snprintf(out, size, "%.6g", low + u * (high - low)); return;
  }
}

/* The settings of one point: what varies, then what is set for all. */
static Status fill_point(const Reading *r, uint64_t seed, size_t number, size_t samples,
                         SweepPoint *point) {
  char value[OPTION_TEXT];
  size_t room = 0;
  const size_t rest = number / samples;
  size_t stride = 1; /* the last axis moves fastest, as in nested loops */
  for (size_t i = 0; i < r->grid.count; i++)
    stride *= r->grid.axis[i].values;
  for (size_t i = 0; i < r->grid.count; i++) {
    const Axis *axis = &r->grid.axis[i];
    stride /= axis->values;
    TRY_RETURN(point_add(point, &room, axis->key, axis->value[rest / stride % axis->values]));
  }
  for (size_t i = 0; i < r->random.count; i++) {
    draw(&r->random.axis[i], seed, number % samples, value, sizeof value);
    TRY_RETURN(point_add(point, &room, r->random.axis[i].key, value));
  }
  point->varied = point->settings;
  for (size_t i = 0; i < r->set.count; i++)
    TRY_RETURN(point_add(point, &room, r->set.axis[i].key, r->set.axis[i].text));
  size_t length = 1;
  for (size_t i = 0; i < point->varied; i++)
    length += strlen(point->setting[i]) + 1;
  TRY_RETURN(NEW_ARRAY(point->label, length + 16));
  for (size_t i = 0, used = 0; i < point->varied; i++)
    used += (size_t)sprintf(point->label + used, "%s%s", i ? " " : "", point->setting[i]);
  if (!point->varied) memcpy(point->label, "as it is", 9);
  return OK;
}

/* The grid's points, each with every sample. */
static Status make_points(const Reading *r, SweepPlan *plan) {
  enum { MOST = 100000 };
  size_t points = 1;
  if (r->random.count && !plan->options.samples)
    return status_set(ERR_USAGE, "%s: how many configurations are to be drawn? sweep.samples: N",
                      r->random.axis[0].place);
  if (!r->random.count && plan->options.samples)
    return status_set(ERR_USAGE, "%s: sweep.samples, but nothing is drawn: there is no random.KEY",
                      config_origin(r->config, "sweep.samples"));
  const size_t samples = r->random.count ? (size_t)plan->options.samples : 1;
  for (size_t i = 0; i < r->grid.count && points <= MOST; i++)
    points *= r->grid.axis[i].values;
  points *= samples;
  if (points > MOST) return status_set(ERR_USAGE, "the grid has more than %d configurations", MOST);
  TRY_RETURN(NEW_ARRAY(plan->point, points));
  plan->points = points;
  for (size_t i = 0; i < points; i++)
    TRY_RETURN(fill_point(r, (uint64_t)plan->options.draw_seed, i, samples, &plan->point[i]));
  return OK;
}

/* --- checks --- */
/* A key has one place. seed and what the sweep itself gives have none. */
static Status check_keys(const Reading *r) {
  static const char *const own[] = {"seed", "game", "max_seconds", "job_frames"};
  static const char *const why[] = {
      "sweep.seeds has them",
      "sweep.base names it",
      "sweep.limit is for that",
      "halving.first is for that",
  };
  const Axes *all[] = {&r->set, &r->grid, &r->random};
  for (size_t a = 0; a < COUNT_OF(all); a++)
    for (size_t i = 0; i < all[a]->count; i++) {
      const Axis *axis = &all[a]->axis[i];
      for (size_t k = 0; k < COUNT_OF(own); k++)
        if (!strcmp(axis->key, own[k]))
          return status_set(ERR_USAGE, "%s: %s is not set here: %s", axis->place, own[k], why[k]);
      for (size_t k = 0; k < i; k++)
        if (!strcmp(all[a]->axis[k].key, axis->key))
          return status_set(ERR_USAGE, "%s: %s is given twice", axis->place, axis->key);
      for (size_t b = 0; b < a; b++)
        if (axes_find(all[b], axis->key))
          return status_set(ERR_USAGE, "%s: %s is in two sections: also at %s", axis->place,
                            axis->key, axes_find(all[b], axis->key)->place);
    }
  return OK;
}

/* What agon train would say of every configuration is said before any of them runs. */
static Status check_points(SweepPlan *plan) {
  Status status = OK;
  for (size_t i = 0; i < plan->points; i++) {
    SweepPoint *point = &plan->point[i];
    JobConfig *settings = NULL;
    JobConfigSource source = {.overrides = (const char *const *)point->setting,
                              .override_count = point->settings};
    job_config_name(plan->base, &source);
    status = job_config_create(&source, &settings);
    if (status != OK) return status_context(ERR_USAGE, "the configuration %s", point->label);
    point->frames = settings->manager.frames;
    plan->team = settings->game.teams == 1;
    job_config_destroy(settings);
  }
  return OK;
}

static Status check_score(SweepPlan *plan, const Config *config) {
  SweepOptions *o = &plan->options;
  if (o->score == SCORE_AUTO) o->score = plan->team ? SCORE_RETURN : SCORE_MATCH;
  if (plan->team && o->score != SCORE_RETURN)
    return status_set(ERR_USAGE,
                      "%s: score.by: one team plays, so there is nobody to play against: return is "
                      "what it can be scored by",
                      config_origin(config, "score.by"));
  return OK;
}

/* Halving: as many rungs as it takes the run with the fewest frames to come to its end. */
static Status count_rungs(SweepPlan *plan, const Config *config) {
  const SweepOptions *o = &plan->options;
  plan->rungs = 1;
  if (!o->first) return OK;
  int64_t least = plan->point[0].frames;
  for (size_t i = 1; i < plan->points; i++)
    if (plan->point[i].frames < least) least = plan->point[i].frames;
  if (o->first >= least)
    return status_set(
        ERR_USAGE, "%s: halving.first=%lld leaves nothing to halve: a run has %lld frames",
        config_origin(config, "halving.first"), (long long)o->first, (long long)least);
  for (double at = (double)o->first; at < (double)least && plan->rungs < 64; at *= o->factor)
    plan->rungs++;
  return OK;
}

/* Said now, and not by the first run of many. */
static Status check_launch(const SweepPlan *plan, const Config *config) {
  Words words = {0};
  Status status = words_split(&words, plan->options.launch);
  if (status == OK && plan->options.ranks > 1 && !words.count)
    status = status_set(ERR_USAGE, "it is empty, and so starts nothing");
  words_free(&words);
  return status == OK
             ? OK
             : status_context(status, "%s: sweep.launch", config_origin(config, "sweep.launch"));
}

/* A file beside the sweep's own comes before one from where the user stands. */
static Status find_base(const char *file, SweepPlan *plan) {
  char *text;
  size_t size;
  const char *base = plan->options.base;
  const char *slash = strrchr(file, '/');
  if (!*base)
    return status_set(ERR_USAGE,
                      "%s: sweep.base is needed: the configuration FILE.yaml, or the "
                      "game, that every run begins with",
                      file);
  TRY_RETURN(text_format(plan->base, sizeof plan->base, "%.*s%s",
                         *base != '/' && slash ? (int)(slash - file + 1) : 0, file, base));
  if (!file_exists(plan->base) || file_is_folder(plan->base) || env_is_builtin(base))
    TRY_RETURN(text_format(plan->base, sizeof plan->base, "%s", base));
  if (!file_exists(plan->base) || file_is_folder(plan->base)) return OK;
  TRY_RETURN(file_read(plan->base, &text, &size));
  hash_text(hash_bytes(text, size), plan->base_hash);
  free(text);
  return OK;
}

/* sweeps/NAME of the file's name. */
static Status find_folder(const char *file, const char *folder, SweepPlan *plan) {
  if (folder || *plan->options.folder)
    return text_format(plan->folder, sizeof plan->folder, "%s",
                       folder ? folder : plan->options.folder);
  const char *slash = strrchr(file, '/');
  const char *name = slash ? slash + 1 : file;
  const char *dot = strrchr(name, '.');
  return text_format(plan->folder, sizeof plan->folder, "sweeps/%.*s",
                     dot ? (int)(dot - name) : (int)strlen(name), name);
}

/* key=value from the command line: instead of what the file sets for all. */
static Status take_words(Reading *r, const char *const *words, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char key[192];
    const char *equals = strchr(words[i], '=');
    TRY_RETURN(text_format(key, sizeof key, "%.*s", (int)(equals - words[i]), words[i]));
    if (begins(key, "sweep.") || begins(key, "score.") || begins(key, "halving.")) {
      TRY_RETURN(config_assign(r->config, CONFIG_COMMAND, key, equals + 1, "command line"));
      continue;
    }
    Axis *axis = axes_find(&r->set, key);
    if (!axis) {
      TRY_RETURN(axes_add(&r->set, key, equals + 1, "command line"));
      continue;
    }
    free(axis->text);
    axis->text = NULL;
    TRY_RETURN(copy_text(equals + 1, strlen(equals + 1), &axis->text));
  }
  return OK;
}

Status sweep_plan_read(const char *file, const char *const *words, size_t count, const char *folder,
                       SweepPlan *out) {
  Status status = OK;
  Reading r = {.config = NULL};
  YamlVisitor visitor = {read_value, &r};
  char *text = NULL;
  size_t size;
  *out = (SweepPlan){.rungs = 1};
  TRY(config_create(&r.config));
  TRY(config_declare(r.config, "sweep", sweep_options, sweep_option_count, &out->options));
  TRY(config_declare(r.config, "score", sweep_score_options, sweep_score_option_count,
                     &out->options));
  TRY(config_declare(r.config, "halving", sweep_halving_options, sweep_halving_option_count,
                     &out->options));
  if (file_read(file, &text, &size) != OK)
    TRY(status_set(ERR_USAGE, "cannot read the sweep's file %s", file));
  TRY(yaml_walk(text, size, file, &visitor));
  TRY(take_words(&r, words, count));
  TRY(config_resolve(r.config));
  for (size_t i = 0; i < r.grid.count; i++)
    TRY(split_list(&r.grid.axis[i]));
  for (size_t i = 0; i < r.random.count; i++)
    TRY(take_distribution(&r.random.axis[i]));
  TRY(check_keys(&r));
  TRY(check_launch(out, r.config));
  TRY(find_base(file, out));
  TRY(find_folder(file, folder, out));
  TRY(read_seeds(out, config_origin(r.config, "sweep.seeds")));
  TRY(make_points(&r, out));
  TRY(check_points(out));
  TRY(check_score(out, r.config));
  TRY(count_rungs(out, r.config));
done:
  axes_free(&r.set);
  axes_free(&r.grid);
  axes_free(&r.random);
  config_destroy(r.config);
  free(text);
  return status;
}

void sweep_plan_free(SweepPlan *plan) {
  for (size_t i = 0; i < plan->points; i++) {
    for (size_t k = 0; k < plan->point[i].settings; k++)
      free(plan->point[i].setting[k]);
    free(plan->point[i].setting);
    free(plan->point[i].label);
  }
  free(plan->point);
  free(plan->seed);
  *plan = (SweepPlan){.rungs = 1};
}

/* --- what follows from it --- */
int64_t sweep_rung_frames(const SweepPlan *plan, const SweepPoint *point, size_t rung) {
  if (rung + 1 >= plan->rungs) return point->frames;
  const double frames = (double)plan->options.first * pow(plan->options.factor, (double)rung);
  return frames < (double)point->frames ? (int64_t)frames : point->frames;
}

size_t sweep_rung_points(const SweepPlan *plan, size_t points, size_t rung) {
  for (size_t i = 0; i < rung; i++)
    points = (size_t)ceil((double)points / plan->options.factor - 1e-9);
  return points ? points : 1;
}

bool sweep_score_falls(const SweepPlan *plan) {
  return plan->options.score == SCORE_NASHCONV;
}

const char *sweep_score_words(const SweepPlan *plan, char *out, size_t size) {
  const SweepOptions *o = &plan->options;
  const char *play = o->greedy ? ", greedily" : "";
  switch (o->score) {
  case SCORE_MATCH:
    snprintf(out, size, "score of %s against %s, %lld games%s", o->player, o->against,
             (long long)o->games, play);
    break;
  case SCORE_RETURN:
    if (plan->team)
      snprintf(out, size, "return of %s, %lld episodes%s", o->player, (long long)o->games, play);
    else
      snprintf(out, size, "return of %s against %s, %lld games%s", o->player, o->against,
               (long long)o->games, play);
    break;
  case SCORE_ELO: snprintf(out, size, "Elo of %s (agon rate)", o->player); break;
  default: snprintf(out, size, "NashConv of %s (less is better)", o->player); break;
  }
  text_mend(out); /* it goes into JSON, and is compared with what comes out of it */
  return out;
}

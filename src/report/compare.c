#include "report/compare.h"

#include "base/file.h"
#include "base/text.h"
#include "run/view.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Up to so many groups all pairs are compared; beyond, each with the best. */
enum { ALL_PAIRS = 6 };

static Status copy_text(const char *text, char **out) {
  *out = strdup(text);
  return *out ? OK : status_set(ERR_MEMORY, "out of memory comparing runs");
}

/* --- what is compared --- */
/* Keys that say how a run was run, not what it is. */
static bool is_about_running(const char *key) {
  static const char *const names[] = {"seed", "max_seconds", "job_frames", "placement", "kernels"};
  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (!strcmp(key, names[i])) return true;
  return !strncmp(key, "checkpoint.", 11) || !strncmp(key, "metrics.", 8);
}

typedef struct Collecting {
  ComparedRun *run;
  const Config *config;
  size_t room[2];
  Status status;
} Collecting;

static Status add_key(Collecting *c, const char *key) {
  const char *value = config_value(c->config, key);
  TRY_RETURN(GROW(c->run->key, c->room[0], c->run->keys + 1));
  TRY_RETURN(GROW(c->run->value, c->room[1], c->run->keys + 1));
  TRY_RETURN(copy_text(key, &c->run->key[c->run->keys]));
  const Status status = copy_text(value ? value : "", &c->run->value[c->run->keys]);
  c->run->keys++;
  return status;
}

static void on_key(void *context, const char *key, const Option *option) {
  Collecting *c = context;
  (void)option;
  if (c->status == OK && !is_about_running(key)) c->status = add_key(c, key);
}

/* sweep.json of the sweep that was looked at last: its runs mostly come one after another. */
typedef struct SweepLook {
  char file[4096];
  json_t *root; /* NULL: there is none */
} SweepLook;

/* Of SWEEP/sweep.json: whether halving has dropped the run NAME, and (older results do not say so)
 * whether less is better. */
static void take_summary(SweepLook *look, const char *file, const char *name, ComparedRun *run) {
  size_t i;
  json_t *one;
  if (strcmp(look->file, file) != 0) {
    json_decref(look->root);
    look->root = json_load_file(file, 0, NULL);
    snprintf(look->file, sizeof look->file, "%s", file);
  }
  run->score_falls |= json_is_true(json_object_get(look->root, "less_is_better"));
  json_array_foreach(json_object_get(look->root, "runs"), i, one) {
    const char *who = json_string_value(json_object_get(one, "run"));
    const char *state = json_string_value(json_object_get(one, "state"));
    if (who && state && !strcmp(who, name)) run->dropped = !strcmp(state, "dropped");
  }
}

/* Of SWEEP/results/NAME.json: the score, and what it is. */
static Status take_result(const char *file, ComparedRun *run) {
  Status status = OK;
  json_t *root = json_load_file(file, 0, NULL);
  const json_t *rungs = json_object_get(root, "rungs");
  const char *words = json_string_value(json_object_get(root, "score_is"));
  run->rungs = json_array_size(rungs);
  const json_t *last =
      run->rungs ? json_object_get(json_array_get(rungs, run->rungs - 1), "score") : NULL;
  if (json_is_number(last)) {
    run->score = json_number_value(last);
    run->score_falls = json_is_true(json_object_get(root, "less_is_better"));
    status = copy_text(words ? words : "", &run->score_is);
  }
  json_decref(root);
  return status;
}

/* What the sweep says of a run that is SWEEP/runs/NAME, however it is named here. */
static Status take_sweep(SweepLook *look, const char *path, ComparedRun *run) {
  Status status = OK;
  char file[4096];
  run->score = NAN;
  char *name = realpath(path, NULL);
  char *slash = name ? strrchr(name, '/') : NULL;
  if (!slash) goto done;
  *slash = 0;
  TRY(text_format(file, sizeof file, "%s/../results/%s.json", name, slash + 1));
  if (!file_exists(file)) goto done;
  TRY(take_result(file, run));
  TRY(text_format(file, sizeof file, "%s/../sweep.json", name));
  take_summary(look, file, slash + 1, run);
done:
  free(name);
  return status;
}

/* What usually tells how good a run is. */
static const char *const usual[] = {"score", "main_0/eval/return", "main_0/rating/elo",
                                    "main_0/exploitability", "main_0/mean_return"};

/* Whether a name is one of a comma-separated list. */
static bool is_listed(const char *list, const char *name) {
  const size_t length = strlen(name);
  for (const char *at = list; at && (at = strstr(at, name)) != NULL; at++)
    if ((at == list || strchr(", ", at[-1])) && (!at[length] || strchr(", ", at[length])))
      return true;
  return false;
}

/* Of hundreds of runs there is no room for all that was measured: what is not compared keeps its
 * name, for messages, and loses its points. */
static void keep_series(SeriesSet *set, const char *metrics) {
  for (size_t i = 0; i < set->count; i++) {
    Series *series = &set->series[i];
    bool wanted = is_listed(metrics, series->name);
    for (size_t k = 0; k < COUNT_OF(usual); k++)
      wanted |= !metrics && !strcmp(usual[k], series->name);
    if (wanted) continue;
    free(series->x);
    free(series->y);
    series->x = series->y = NULL;
    series->count = 0;
  }
}

static Status load_run(const char *path, const char *metrics, SweepLook *look, ComparedRun *out) {
  Status status = OK;
  RunView view = {.folder = {.lock = -1}};
  char file[4096];
  TRY(copy_text(path, &out->path));
  TRY(run_view_look(path, &view));
  Collecting collecting = {.run = out, .config = view.settings->config, .status = OK};
  config_each(view.settings->config, on_key, &collecting);
  TRY(collecting.status);
  const uint64_t *counters = run_view_counters(&view);
  out->frames = counters ? (double)counters[RUN_FRAMES] : 0;
  out->asked = (double)view.settings->manager.frames;
  out->seed = view.settings->run.seed;
  TRY(take_sweep(look, path, out));
  TRY(run_path(&view.folder, file, sizeof file, "metrics.jsonl"));
  TRY(series_read(file, 0, &out->series));
  keep_series(&out->series, metrics);
done:
  run_view_close(&view);
  return status;
}

/* --- the runs --- */
typedef struct Paths {
  char **path;
  size_t count, room;
} Paths;

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static Status add_path(Paths *paths, const char *path) {
  TRY_RETURN(GROW(paths->path, paths->room, paths->count + 1));
  TRY_RETURN(copy_text(path, &paths->path[paths->count]));
  paths->count++;
  return OK;
}

/* A sweep's folder stands for all of its runs that have saved something. */
static Status add_sweep(Paths *paths, const char *folder) {
  char path[4096];
  char saved[4200];
  const size_t first = paths->count;
  TRY_RETURN(text_format(path, sizeof path, "%s/runs", folder));
  DIR *dir = opendir(path);
  if (!dir) return status_set(ERR_IO, "cannot read the folder %s", path);
  Status status = OK;
  for (struct dirent *entry; status == OK && (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    status = text_format(path, sizeof path, "%s/runs/%s", folder, entry->d_name);
    if (status == OK) status = text_format(saved, sizeof saved, "%s/checkpoints", path);
    if (status == OK && file_is_folder(saved)) status = add_path(paths, path);
  }
  closedir(dir);
  if (paths->path) qsort(paths->path + first, paths->count - first, sizeof *paths->path, by_text);
  return status;
}

static Status find_runs(const CompareRequest *request, Paths *paths) {
  char path[4096];
  for (size_t i = 0; i < request->runs; i++) {
    TRY_RETURN(text_format(path, sizeof path, "%s/plan.json", request->run[i]));
    if (file_exists(path))
      TRY_RETURN(add_sweep(paths, request->run[i]));
    else
      TRY_RETURN(add_path(paths, request->run[i]));
  }
  if (paths->count < 2)
    return status_set(ERR_USAGE, "there is nothing to compare: two runs are needed, or a sweep's "
                                 "folder with two runs in it");
  return OK;
}

/* --- groups --- */
static const char *value_of(const ComparedRun *run, const char *key) {
  for (size_t i = 0; i < run->keys; i++)
    if (!strcmp(run->key[i], key)) return run->value[i];
  return "";
}

/* Also where both wrote one number in two ways. */
static bool same_value(const char *a, const char *b) {
  double x;
  double y;
  if (text_to_float(a, &x) && text_to_float(b, &y)) return x >= y && x <= y;
  return !strcmp(a, b);
}

/* A key that any two runs have otherwise, or that only some have. */
static bool differs(const Comparison *c, const char *key) {
  for (size_t i = 1; i < c->runs; i++)
    if (!same_value(value_of(&c->run[0], key), value_of(&c->run[i], key))) return true;
  return false;
}

static bool is_known(const Comparison *c, const char *key) {
  for (size_t i = 0; i < c->differs; i++)
    if (!strcmp(c->differing[i], key)) return true;
  return false;
}

/* Names the first run and the first that plays something else. */
static Status refuse_games(const Comparison *c, const char *key) {
  const char *first = value_of(&c->run[0], key);
  size_t other = 1;
  while (other + 1 < c->runs && same_value(first, value_of(&c->run[other], key)))
    other++;
  return status_set(ERR_USAGE, "%s and %s are of different games: nothing in them can be compared",
                    c->run[0].path, c->run[other].path);
}

static Status find_differences(Comparison *c) {
  size_t room = 0;
  for (size_t r = 0; r < c->runs; r++)
    for (size_t i = 0; i < c->run[r].keys; i++) {
      char *key = c->run[r].key[i];
      if (is_known(c, key) || !differs(c, key)) continue;
      if (!strcmp(key, "game")) return refuse_games(c, key);
      TRY_RETURN(GROW(c->differing, room, c->differs + 1));
      c->differing[c->differs++] = key;
    }
  return OK;
}

static bool same_group(const Comparison *c, const ComparedRun *a, const ComparedRun *b) {
  for (size_t i = 0; i < c->differs; i++)
    if (!same_value(value_of(a, c->differing[i]), value_of(b, c->differing[i]))) return false;
  return true;
}

static Status label_group(const Comparison *c, const ComparedRun *run, ComparedGroup *group) {
  Bytes text = {0};
  for (size_t i = 0; i < c->differs; i++) {
    const char *value = value_of(run, c->differing[i]);
    bytes_put(&text, " ", i ? 1 : 0);
    bytes_put(&text, c->differing[i], strlen(c->differing[i]));
    bytes_put(&text, "=", 1);
    bytes_put(&text, value, strlen(value));
  }
  if (!c->differs) bytes_put(&text, "all runs", 8);
  bytes_u8(&text, 0);
  if (text.failed) {
    bytes_free(&text);
    return status_set(ERR_MEMORY, "out of memory comparing runs");
  }
  group->label = (char *)text.data;
  return OK;
}

static Status make_groups(Comparison *c) {
  TRY_RETURN(NEW_ARRAY(c->group, c->runs));
  for (size_t r = 0; r < c->runs; r++) {
    ComparedRun *run = &c->run[r];
    run->group = c->groups;
    for (size_t k = 0; k < r && run->group == c->groups; k++)
      if (same_group(c, run, &c->run[k])) run->group = c->run[k].group;
    ComparedGroup *group = &c->group[run->group];
    for (size_t k = 0; k < r; k++)
      group->twice |= c->run[k].group == run->group && c->run[k].seed == run->seed;
    group->runs++;
    if (run->group == c->groups) group->stage = SIZE_MAX;
    if (run->dropped && (group->stage == SIZE_MAX || run->rungs > group->stage))
      group->stage = run->rungs;
    if (run->group < c->groups) continue;
    c->groups++;
    TRY_RETURN(label_group(c, run, group));
  }
  return OK;
}

/* Those of the highest stage are compared. */
static void count_standing(Comparison *c) {
  size_t highest = 0;
  for (size_t g = 0; g < c->groups; g++)
    if (c->group[g].stage > highest) highest = c->group[g].stage;
  for (size_t g = 0; g < c->groups; g++)
    c->standing += c->group[g].stage == highest;
}

/* --- metrics --- */
/* What a run has come to: the mean over the last share of its frames, at least its last point. */
static double end_of(const Series *series, double last) {
  if (!series || !series->count) return NAN;
  const double end = series->x[series->count - 1];
  const double from = end - last * (end - series->x[0]);
  double sum = 0;
  size_t count = 0;
  for (size_t i = series->count; i-- > 0 && (count == 0 || series->x[i] >= from);) {
    sum += series->y[i];
    count++;
  }
  return sum / (double)count;
}

/* Of what is measured less is better of these. */
static bool falls_by_name(const char *name) {
  static const char *const words[] = {"exploitability", "best_response", "nash_conv", "loss"};
  for (size_t i = 0; i < COUNT_OF(words); i++)
    if (strstr(name, words[i])) return true;
  return false;
}

/* Of a configuration those count that have come as far as any of it: one that has failed may be
 * rungs behind the others. */
static double score_of(const Comparison *c, const ComparedRun *run) {
  for (size_t r = 0; r < c->runs; r++)
    if (c->run[r].group == run->group && c->run[r].rungs > run->rungs) return NAN;
  return run->score;
}

static Status add_metric(Comparison *c, const char *name, bool falls, size_t *room) {
  TRY_RETURN(GROW(c->metric, *room, c->metrics + 1));
  ComparedMetric *metric = &c->metric[c->metrics];
  *metric = (ComparedMetric){.falls = falls};
  TRY_RETURN(text_format(metric->name, sizeof metric->name, "%s", name));
  TRY_RETURN(NEW_ARRAY(metric->value, c->runs));
  c->metrics++;
  for (size_t r = 0; r < c->runs; r++)
    metric->value[r] = !strcmp(name, "score")
                           ? score_of(c, &c->run[r])
                           : end_of(series_find(&c->run[r].series, name), c->last);
  return OK;
}

/* Whether all runs have it. */
static bool have_all(const Comparison *c, const char *name) {
  for (size_t r = 0; r < c->runs; r++)
    if (!strcmp(name, "score") ? isnan(c->run[r].score) : !series_find(&c->run[r].series, name))
      return false;
  return true;
}

static bool have_any(const Comparison *c, const char *name) {
  for (size_t r = 0; r < c->runs; r++)
    if (!strcmp(name, "score") ? !isnan(c->run[r].score)
                               : series_find(&c->run[r].series, name) != NULL)
      return true;
  return false;
}

/* The first run that has a score; NULL: none has. */
static const ComparedRun *first_scored(const Comparison *c) {
  for (size_t r = 0; r < c->runs; r++)
    if (c->run[r].score_is) return &c->run[r];
  return NULL;
}

/* A run whose score is of another kind than the first one's; NULL: there is none. */
static const ComparedRun *other_score(const Comparison *c) {
  const ComparedRun *first = first_scored(c);
  for (size_t r = 0; first && r < c->runs; r++)
    if (c->run[r].score_is && (strcmp(c->run[r].score_is, first->score_is) != 0 ||
                               c->run[r].score_falls != first->score_falls))
      return &c->run[r];
  return NULL;
}

static bool score_falls(const Comparison *c) {
  const ComparedRun *first = first_scored(c);
  return first && first->score_falls;
}

static Status refuse_scores(const Comparison *c) {
  const ComparedRun *first = first_scored(c);
  const ComparedRun *other = other_score(c);
  return status_set(
      ERR_USAGE,
      "the scores are of different kinds: %s has the %s, %s the %s; score both sweeps "
      "by one thing (score.by=..., the runs are not trained again)",
      first->path, first->score_is, other->path, other->score_is);
}

/* ERR_USAGE where no run has a metric of that name, with a near one. */
static Status unknown_metric(const Comparison *c, const char *name) {
  const char *near = NULL;
  size_t distance;
  size_t least = SIZE_MAX;
  for (size_t i = 0; i < c->run[0].series.count; i++) {
    const char *candidate = c->run[0].series.series[i].name;
    if (!text_is_near(name, candidate, &distance) || distance >= least) continue;
    least = distance;
    near = candidate;
  }
  return status_set(ERR_USAGE,
                    "no run has a metric '%s'%s%s%s (they are the names of metrics.jsonl, and "
                    "'score' of a sweep's runs)",
                    name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Those that are asked for; else, of what usually tells how good a run is, all that they share. */
static Status find_metrics(Comparison *c, const CompareRequest *request) {
  size_t room = 0;
  char text[1024];
  char *rest = text;
  if (request->metrics) {
    TRY_RETURN(text_format(text, sizeof text, "%s", request->metrics));
    for (char *name; (name = strtok_r(rest, ", ", &rest)) != NULL;) {
      if (!have_any(c, name)) return unknown_metric(c, name);
      if (!strcmp(name, "score") && other_score(c)) return refuse_scores(c);
      TRY_RETURN(add_metric(c, name,
                            request->falls || falls_by_name(name) ||
                                (!strcmp(name, "score") && score_falls(c)),
                            &room));
    }
  } else {
    c->mixed_scores = other_score(c) != NULL;
    for (size_t i = c->mixed_scores; i < COUNT_OF(usual); i++)
      if (have_all(c, usual[i]))
        TRY_RETURN(
            add_metric(c, usual[i], i == 0 ? score_falls(c) : falls_by_name(usual[i]), &room));
  }
  if (!c->metrics)
    return status_set(ERR_USAGE, "the runs have none of the usual metrics in common: name one, "
                                 "--metric NAME (a name of metrics.jsonl)");
  return OK;
}

/* --- statistics --- */
/* The values of a group, and their seeds where `seed` is wanted; returns how many. */
static size_t gather(const Comparison *c, size_t metric, size_t group, double *value,
                     int64_t *seed) {
  size_t count = 0;
  for (size_t r = 0; r < c->runs; r++) {
    if (c->run[r].group != group || !isfinite(c->metric[metric].value[r])) continue;
    if (seed) seed[count] = c->run[r].seed;
    value[count++] = c->metric[metric].value[r];
  }
  return count;
}

typedef struct Place {
  size_t group;
  size_t stage;
  double mean;
  bool any;
} Place;

static int by_mean(const void *a, const void *b) {
  const Place *x = a;
  const Place *y = b;
  if (x->stage != y->stage) return x->stage > y->stage ? -1 : 1;
  if (x->any != y->any) return x->any ? -1 : 1;
  if (x->mean > y->mean || x->mean < y->mean) return x->mean > y->mean ? -1 : 1;
  return (x->group > y->group) - (x->group < y->group);
}

static Status summarise(Comparison *c) {
  Status status = OK;
  double *value = NULL;
  Place *place = NULL;
  TRY(NEW_ARRAY(value, c->runs));
  TRY(NEW_ARRAY(place, c->groups));
  TRY(NEW_ARRAY(c->summary, c->metrics * c->groups));
  TRY(NEW_ARRAY(c->order, c->metrics * c->groups));
  for (size_t m = 0; m < c->metrics; m++) {
    for (size_t g = 0; g < c->groups; g++) {
      SeedSummary *s = &c->summary[m * c->groups + g];
      const size_t count = gather(c, m, g, value, NULL);
      if (count) TRY(seeds_summarise(value, count, s));
      place[g] = (Place){.group = g,
                         .stage = c->group[g].stage,
                         .mean = c->metric[m].falls ? -s->mean : s->mean,
                         .any = count > 0};
    }
    qsort(place, c->groups, sizeof *place, by_mean);
    for (size_t g = 0; g < c->groups; g++)
      c->order[m * c->groups + g] = place[g].group;
  }
done:
  free(place);
  free(value);
  return status;
}

/* Puts b's values into the order of a's seeds; false unless both have the same seeds, each once. */
static bool match_seeds(const int64_t *a, size_t count_a, const int64_t *b, double *value_b,
                        size_t count_b, double *matched) {
  if (count_a != count_b || count_a < 2) return false;
  for (size_t i = 0; i < count_a; i++) {
    size_t found = SIZE_MAX;
    for (size_t k = 0; k < count_b; k++) {
      if (k != i && a[k] == a[i]) return false;
      if (b[k] != a[i]) continue;
      if (found != SIZE_MAX) return false;
      found = k;
    }
    if (found == SIZE_MAX) return false;
    matched[i] = value_b[found];
  }
  memcpy(value_b, matched, count_b * sizeof *value_b);
  return true;
}

static Status compare_pair(const Comparison *c, size_t metric, size_t a, size_t b,
                           ComparedPair *out) {
  Status status = OK;
  double *value = NULL; /* three times (runs): of a, of b, of b in the order of a's seeds */
  int64_t *seed = NULL;
  TRY(NEW_ARRAY(value, 3 * c->runs));
  TRY(NEW_ARRAY(seed, 2 * c->runs));
  double *other = value + c->runs;
  const size_t count_a = gather(c, metric, a, value, seed);
  const size_t count_b = gather(c, metric, b, other, seed + c->runs);
  *out = (ComparedPair){.metric = metric, .a = a, .b = b, .p_holm = NAN, .p_rank_holm = NAN};
  out->test = (SeedTest){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  if (!count_a || !count_b) goto done;
  out->paired = match_seeds(seed, count_a, seed + c->runs, other, count_b, value + 2 * c->runs);
  if (out->paired)
    TRY(seeds_compare_paired(value, other, count_a, &out->test));
  else
    TRY(seeds_compare(value, count_a, other, count_b, &out->test));
done:
  free(seed);
  free(value);
  return status;
}

/* Holm over the pairs of one metric, which stand together. */
static Status correct(ComparedPair *pair, size_t count) {
  Status status = OK;
  double *p = NULL;
  TRY(NEW_ARRAY(p, 2 * count + 1));
  for (size_t i = 0; i < count; i++) {
    p[i] = pair[i].test.p;
    p[count + i] = pair[i].test.p_rank;
  }
  TRY(seeds_holm(p, count));
  TRY(seeds_holm(p + count, count));
  for (size_t i = 0; i < count; i++) {
    pair[i].p_holm = p[i];
    pair[i].p_rank_holm = p[count + i];
  }
done:
  free(p);
  return status;
}

/* The better of two comes first. */
static Status compare_groups(Comparison *c) {
  c->all_pairs = c->standing <= ALL_PAIRS;
  const size_t each = c->all_pairs ? c->standing * (c->standing - 1) / 2 : c->standing - 1;
  TRY_RETURN(NEW_ARRAY(c->pair, c->metrics * each + 1));
  for (size_t m = 0; m < c->metrics; m++) {
    const size_t *order = c->order + m * c->groups;
    const size_t first = c->pairs;
    for (size_t i = 0; i < (c->all_pairs ? c->standing : 1); i++)
      for (size_t k = i + 1; k < c->standing; k++) {
        TRY_RETURN(compare_pair(c, m, order[i], order[k], &c->pair[c->pairs]));
        c->pairs++;
      }
    TRY_RETURN(correct(c->pair + first, c->pairs - first));
  }
  return OK;
}

/* --- curves --- */
/* Linear between points. x lies within the series. */
static double value_at(const Series *series, double x) {
  size_t low = 0;
  size_t high = series->count - 1;
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if (series->x[middle] <= x)
      low = middle;
    else
      high = middle;
  }
  if (high == low || series->x[high] <= series->x[low]) return series->y[low];
  const double part = (x - series->x[low]) / (series->x[high] - series->x[low]);
  return series->y[low] + fmin(fmax(part, 0), 1) * (series->y[high] - series->y[low]);
}

Status compare_curve(const Comparison *c, size_t metric, size_t group, double *x, double *mean,
                     double *low, double *high, size_t *count) {
  const Series **series;
  double *value;
  size_t n = 0;
  double from = -INFINITY;
  double to = INFINITY;
  Status status = OK;
  *count = 0;
  TRY_RETURN(NEW_ARRAY(series, c->runs));
  if (NEW_ARRAY(value, c->runs) != OK) {
    free(series);
    return ERR_MEMORY;
  }
  for (size_t r = 0; r < c->runs; r++) {
    const Series *one =
        c->run[r].group == group ? series_find(&c->run[r].series, c->metric[metric].name) : NULL;
    if (!one || one->count < 2) continue;
    from = fmax(from, one->x[0]);
    to = fmin(to, one->x[one->count - 1]);
    series[n++] = one;
  }
  for (size_t i = 0; n && from < to && i < COMPARE_POINTS && status == OK; i++) {
    SeedSummary s;
    x[i] = from + (to - from) * (double)i / (COMPARE_POINTS - 1);
    for (size_t k = 0; k < n; k++)
      value[k] = value_at(series[k], x[i]);
    status = seeds_summarise(value, n, &s);
    mean[i] = s.mean;
    low[i] = s.low;
    high[i] = s.high;
    *count = i + 1;
  }
  free(value);
  free(series);
  return status;
}

/* Whether two paths lead to one folder, whatever they look like. */
static bool same_folder(const char *a, const char *b) {
  struct stat one;
  struct stat other;
  if (!strcmp(a, b)) return true;
  return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

/* --- all of it --- */
Status compare_load(const CompareRequest *request, Comparison *out) {
  Status status = OK;
  Paths paths = {0};
  SweepLook look = {.root = NULL};
  *out = (Comparison){.last = request->last};
  TRY(find_runs(request, &paths));
  TRY(NEW_ARRAY(out->run, paths.count));
  for (size_t i = 0; i < paths.count; i++) {
    for (size_t k = 0; k < i; k++)
      if (same_folder(paths.path[i], paths.path[k]))
        TRY(status_set(ERR_USAGE, "%s is named twice", paths.path[i]));
    out->runs++;
    TRY(load_run(paths.path[i], request->metrics, &look, &out->run[i]));
  }
  TRY(find_differences(out));
  TRY(make_groups(out));
  count_standing(out);
  TRY(find_metrics(out, request));
  TRY(summarise(out));
  TRY(compare_groups(out));
done:
  json_decref(look.root);
  for (size_t i = 0; i < paths.count; i++)
    free(paths.path[i]);
  free(paths.path);
  return status;
}

void compare_free(Comparison *c) {
  for (size_t r = 0; r < c->runs; r++) {
    ComparedRun *run = &c->run[r];
    for (size_t i = 0; i < run->keys; i++) {
      free(run->key[i]);
      free(run->value[i]);
    }
    free(run->key);
    free(run->value);
    free(run->path);
    free(run->score_is);
    series_free(&run->series);
  }
  for (size_t g = 0; g < c->groups; g++)
    free(c->group[g].label);
  for (size_t m = 0; m < c->metrics; m++)
    free(c->metric[m].value);
  free(c->run);
  free(c->differing);
  free(c->group);
  free(c->metric);
  free(c->summary);
  free(c->order);
  free(c->pair);
  *c = (Comparison){0};
}

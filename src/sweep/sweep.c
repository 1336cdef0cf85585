/* The folder of a sweep: its plan, what came of each run, and what that says of configurations. */
#include "sweep/sweep.h"

#include "base/file.h"
#include "base/text.h"
#include "run/words.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Status sweep_path(const SweepPlan *plan, char *out, size_t size, const char *format, ...) {
  char tail[512];
  va_list list;
  va_start(list, format);
  vsnprintf(tail, sizeof tail, format, list);
  va_end(list);
  return text_format(out, size, "%s/%s", plan->folder, tail);
}

/* How all JSON here is laid out. */
enum { JSON_FORM = JSON_INDENT(1) | JSON_REAL_PRECISION(17) };

/* Writes JSON whole and durably; takes the object. */
static Status write_json(const char *path, json_t *root) {
  char *text = json_dumps(root, JSON_FORM);
  json_decref(root);
  if (!text) return status_set(ERR_MEMORY, "out of memory writing %s", path);
  Status status = file_write_durable(path, text, strlen(text));
  free(text);
  return status;
}

/* A number, or null where there is none. */
static json_t *number_or_null(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static double null_or_number(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

/* All settings of a point as one text, by which it is known again. */
static Status settings_text(const SweepPoint *point, char **out) {
  size_t length = 1;
  for (size_t i = 0; i < point->settings; i++)
    length += strlen(point->setting[i]) + 1;
  TRY_RETURN(NEW_ARRAY(*out, length));
  for (size_t i = 0, used = 0; i < point->settings; i++)
    used += (size_t)sprintf(*out + used, "%s%s", i ? " " : "", point->setting[i]);
  text_mend(*out); /* it is read back from JSON */
  return OK;
}

/* --- the plan that a folder is of --- */
/* plan.json: {"base", "base_hash", "points": [{"number", "settings"}], "seeds"}. */
static Status write_plan(const SweepPlan *plan, const char *path) {
  json_t *points = json_array();
  json_t *seeds = json_array();
  char score[OPTION_TEXT + 128];
  for (size_t i = 0; i < plan->points; i++) {
    char *text;
    TRY_RETURN(settings_text(&plan->point[i], &text));
    json_array_append_new(points, json_pack("{s:I,s:s}", "number",
                                            (json_int_t)plan->point[i].number, "settings", text));
    free(text);
  }
  for (size_t i = 0; i < plan->seeds; i++)
    json_array_append_new(seeds, json_integer(plan->seed[i]));
  return write_json(path, json_pack("{s:i,s:o,s:s,s:s,s:I,s:f,s:o,s:o}", "schema", 1, "base",
                                    json_words(plan->base), "base_hash", plan->base_hash, "score",
                                    sweep_score_words(plan, score, sizeof score), "first",
                                    (json_int_t)plan->options.first, "factor", plan->options.factor,
                                    "seeds", seeds, "points", points));
}

static Status other_plan(const SweepPlan *plan, const char *why, const char *what) {
  return status_set(
      ERR_RUN,
      "%s holds a sweep that %s%s: its runs would be of no use to this one. Configurations "
      "and seeds may be added to a sweep, nothing else may change; another one goes "
      "elsewhere: --folder OTHER",
      plan->folder, why, what);
}

/* Points that were there keep their numbers, and so the names of their runs; all of them must be
 * there still. */
static Status match_points(SweepPlan *plan, const json_t *root) {
  json_int_t highest = 0;
  size_t i;
  json_t *old;
  json_array_foreach(json_object_get(root, "points"), i, old) {
    const char *settings = json_string_value(json_object_get(old, "settings"));
    const json_int_t number = json_integer_value(json_object_get(old, "number"));
    bool found = false;
    for (size_t p = 0; settings && p < plan->points && !found; p++) {
      char *text;
      TRY_RETURN(settings_text(&plan->point[p], &text));
      found = !strcmp(text, settings);
      free(text);
      if (found) plan->point[p].number = number;
    }
    if (!found) return other_plan(plan, "has a configuration which this one lacks, ", settings);
    if (number > highest) highest = number;
  }
  for (size_t p = 0; p < plan->points; p++)
    if (!plan->point[p].number) plan->point[p].number = ++highest;
  return OK;
}

static Status match_seeds(const SweepPlan *plan, const json_t *root) {
  size_t i;
  json_t *old;
  json_array_foreach(json_object_get(root, "seeds"), i, old) {
    bool found = false;
    char text[32];
    for (size_t s = 0; s < plan->seeds; s++)
      found |= plan->seed[s] == json_integer_value(old);
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(old));
    if (!found) return other_plan(plan, "has a seed which this one lacks, ", text);
  }
  return OK;
}

/* Gives points their numbers, from the folder or anew; writes what has come to it. */
static Status take_plan(SweepPlan *plan, bool work) {
  Status status = OK;
  char path[PATH_MAX];
  char score[OPTION_TEXT + 128];
  json_t *root = NULL;
  json_error_t error;
  TRY_RETURN(sweep_path(plan, path, sizeof path, "plan.json"));
  if (!file_exists(path) && !work)
    return status_set(ERR_RUN, "%s holds no sweep yet", plan->folder);
  if (file_exists(path)) {
    root = json_load_file(path, 0, &error);
    if (!root) return status_set(ERR_FORMAT, "%s: %s", path, error.text);
    const char *base = json_string_value(json_object_get(root, "base_hash"));
    const char *was = json_string_value(json_object_get(root, "score"));
    const json_t *first = json_object_get(root, "first");
    if (!base || !was || !json_is_array(json_object_get(root, "points")))
      TRY(status_set(ERR_FORMAT, "%s: it is no plan of a sweep", path));
    if (strcmp(base, plan->base_hash))
      TRY(other_plan(plan, "began with other contents of ", plan->base));
    if (json_integer_value(first) != plan->options.first ||
        (plan->options.first &&
         fabs(null_or_number(root, "factor") - plan->options.factor) > 1e-12))
      TRY(other_plan(plan, "halves otherwise", ""));
    if (plan->rungs > 1 && strcmp(was, sweep_score_words(plan, score, sizeof score)))
      TRY(other_plan(plan, "was halved by another score: ", was));
    TRY(match_seeds(plan, root));
  }
  TRY(match_points(plan, root));
  if (work) TRY(write_plan(plan, path));
done:
  json_decref(root);
  return status;
}

/* --- results --- */
static Status add_rung(SweepRun *run, const RungScore *score) {
  size_t room = run->scored;
  TRY_RETURN(GROW(run->rung, room, run->scored + 1));
  run->rung[run->scored++] = *score;
  return OK;
}

/* results/NAME.json, if there is one. Scores of another kind are left out: the run is trained, and
 * is scored again. */
static Status read_result(const SweepPlan *plan, SweepRun *run) {
  Status status = OK;
  char path[PATH_MAX];
  char score[OPTION_TEXT + 128];
  json_error_t error;
  size_t i;
  json_t *rung;
  TRY_RETURN(sweep_path(plan, path, sizeof path, "results/%s.json", run->name));
  if (!file_exists(path)) return OK;
  json_t *root = json_load_file(path, 0, &error);
  if (!root)
    return status_set(ERR_FORMAT, "%s: %s; delete it, and the run is scored again", path,
                      error.text);
  const char *was = json_string_value(json_object_get(root, "score_is"));
  run->seconds = json_number_value(json_object_get(root, "seconds"));
  if (!was || strcmp(was, sweep_score_words(plan, score, sizeof score))) goto done;
  run->failed = json_is_true(json_object_get(root, "failed"));
  const char *why = json_string_value(json_object_get(root, "error"));
  snprintf(run->error, sizeof run->error, "%s", why ? why : "");
  json_array_foreach(json_object_get(root, "rungs"), i, rung) {
    const RungScore one = {null_or_number(rung, "score"), null_or_number(rung, "low"),
                           null_or_number(rung, "high"),
                           json_integer_value(json_object_get(rung, "frames"))};
    if (isfinite(one.score) && i < plan->rungs) TRY(add_rung(run, &one));
  }
done:
  json_decref(root);
  return status;
}

Status sweep_record(const SweepPlan *plan, const SweepRun *run) {
  char path[PATH_MAX];
  char score[OPTION_TEXT + 128];
  json_t *rungs = json_array();
  for (size_t i = 0; i < run->scored; i++)
    json_array_append_new(rungs, json_pack("{s:o,s:o,s:o,s:I}", "score",
                                           number_or_null(run->rung[i].score), "low",
                                           number_or_null(run->rung[i].low), "high",
                                           number_or_null(run->rung[i].high), "frames",
                                           (json_int_t)run->rung[i].frames));
  json_t *root = json_pack("{s:s,s:o,s:I,s:s,s:b,s:b,s:s,s:f,s:o}", "run", run->name, "settings",
                           json_words(plan->point[run->point].label), "seed", (json_int_t)run->seed,
                           "score_is", sweep_score_words(plan, score, sizeof score),
                           "less_is_better", sweep_score_falls(plan), "failed", run->failed,
                           "error", run->error, "seconds", run->seconds, "rungs", rungs);
  TRY_RETURN(sweep_path(plan, path, sizeof path, "results/%s.json", run->name));
  return write_json(path, root);
}

Status sweep_add_score(SweepRun *run, const RungScore *score) {
  return add_rung(run, score);
}

static Status make_runs(Sweep *sweep, bool work) {
  const SweepPlan *plan = sweep->plan;
  TRY_RETURN(NEW_ARRAY(sweep->run, plan->points * plan->seeds));
  for (size_t s = 0; s < plan->seeds; s++)
    for (size_t p = 0; p < plan->points; p++) {
      SweepRun *run = &sweep->run[sweep->runs];
      *run = (SweepRun){.point = p, .seed = plan->seed[s]};
      snprintf(run->name, sizeof run->name, "c%02lld-s%lld", (long long)plan->point[p].number,
               (long long)plan->seed[s]);
      sweep->runs++;
      TRY_RETURN(read_result(plan, run));
      if (work) run->failed = false;
    }
  return OK;
}

Status sweep_open(SweepPlan *plan, bool work, Sweep *out) {
  static const char *const folder[] = {"runs", "results", "logs", "scores"};
  char path[PATH_MAX];
  *out = (Sweep){.plan = plan, .lock = -1};
  for (size_t i = 0; work && i < COUNT_OF(folder); i++) {
    TRY_RETURN(sweep_path(plan, path, sizeof path, "%s", folder[i]));
    TRY_RETURN(file_make_folders(path));
  }
  if (work) {
    TRY_RETURN(sweep_path(plan, path, sizeof path, "lock"));
    const Status status = file_lock(path, &out->lock);
    if (status == ERR_RUN)
      return status_set(ERR_RUN,
                        "another process works on the sweep in %s: wait for it, or stop it; agon "
                        "sweep FILE --status looks meanwhile",
                        plan->folder);
    TRY_RETURN(status);
  }
  TRY_RETURN(take_plan(plan, work));
  return make_runs(out, work);
}

bool sweep_take_lock(Sweep *sweep) {
  char path[PATH_MAX];
  return sweep->lock >= 0 || (sweep_path(sweep->plan, path, sizeof path, "lock") == OK &&
                              file_lock(path, &sweep->lock) == OK);
}

void sweep_close(Sweep *sweep) {
  for (size_t i = 0; i < sweep->runs; i++)
    free(sweep->run[i].rung);
  free(sweep->run);
  if (sweep->lock >= 0) close(sweep->lock);
  *sweep = (Sweep){.lock = -1};
}

/* --- who goes on --- */
typedef struct Ranked {
  size_t point;
  double score; /* the more the better */
} Ranked;

static int by_score(const void *a, const void *b) {
  const Ranked *x = a;
  const Ranked *y = b;
  if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
  return (x->point > y->point) - (x->point < y->point);
}

/* The mean of a point at a rung over those of its seeds that have one, turned so that more is
 * better; false if there is none. *settled: nothing more will come. */
static bool point_score(const Sweep *sweep, size_t point, size_t rung, double *out, bool *settled) {
  double sum = 0;
  size_t count = 0;
  *settled = true;
  for (size_t i = 0; i < sweep->runs; i++) {
    const SweepRun *run = &sweep->run[i];
    if (run->point != point) continue;
    if (run->scored > rung) {
      sum += run->rung[rung].score;
      count++;
    } else if (!run->failed)
      *settled = false;
  }
  if (count) *out = (sweep_score_falls(sweep->plan) ? -sum : sum) / (double)count;
  return count > 0;
}

/* rungs (points): how many rungs each configuration may run, as far as that is known; *known: rungs
 * of which it is known who is in. A configuration without a single score at a rung goes no
 * further. */
Status sweep_admitted(const Sweep *sweep, size_t *rungs, size_t *known) {
  const SweepPlan *plan = sweep->plan;
  Ranked *ranked;
  TRY_RETURN(NEW_ARRAY(ranked, plan->points));
  for (size_t p = 0; p < plan->points; p++)
    rungs[p] = 1;
  *known = 1;
  for (size_t rung = 0; rung + 1 < plan->rungs; rung++) {
    size_t count = 0;
    bool all = true;
    bool settled;
    for (size_t p = 0; p < plan->points; p++) {
      if (rungs[p] <= rung) continue;
      ranked[count].point = p;
      count += point_score(sweep, p, rung, &ranked[count].score, &settled);
      all &= settled;
    }
    if (!all) break;
    qsort(ranked, count, sizeof *ranked, by_score);
    const size_t most = sweep_rung_points(plan, plan->points, rung + 1);
    for (size_t i = 0; i < count && i < most; i++)
      rungs[ranked[i].point] = rung + 2;
    *known = rung + 2;
  }
  free(ranked);
  return OK;
}

static SweepStand stand_of(const SweepPlan *plan, const SweepRun *run, const size_t *rungs,
                           size_t known) {
  if (run->failed) return STAND_FAILED;
  if (run->scored == plan->rungs) return STAND_DONE;
  return run->scored < known && run->scored >= rungs[run->point] ? STAND_DROPPED : STAND_OPEN;
}

Status sweep_count(const Sweep *sweep, size_t count[STAND_FAILED + 1]) {
  size_t *rungs;
  size_t known;
  TRY_RETURN(NEW_ARRAY(rungs, sweep->plan->points));
  Status status = sweep_admitted(sweep, rungs, &known);
  for (int s = 0; s <= STAND_FAILED; s++)
    count[s] = 0;
  for (size_t i = 0; status == OK && i < sweep->runs; i++)
    count[stand_of(sweep->plan, &sweep->run[i], rungs, known)]++;
  free(rungs);
  return status;
}

/* --- the table --- */
static int by_rank(const void *a, const void *b) {
  const SweepRow *x = a;
  const SweepRow *y = b;
  if (x->rung != y->rung) return x->rung > y->rung ? -1 : 1;
  if ((x->score.count > 0) != (y->score.count > 0)) return x->score.count ? -1 : 1;
  if (x->score.mean > y->score.mean || x->score.mean < y->score.mean)
    return x->score.mean > y->score.mean ? -1 : 1;
  return (x->point > y->point) - (x->point < y->point);
}

/* One configuration: its seeds' scores at the last rung that any of them has. */
static Status fill_row(const Sweep *sweep, double *value, SweepRow *row) {
  size_t count = 0;
  for (size_t i = 0; i < sweep->runs; i++) {
    const SweepRun *run = &sweep->run[i];
    if (run->point != row->point) continue;
    row->failed += run->failed;
    if (run->scored > row->rung) row->rung = run->scored;
  }
  for (size_t i = 0; i < sweep->runs; i++)
    if (sweep->run[i].point == row->point && row->rung && sweep->run[i].scored == row->rung)
      value[count++] = sweep->run[i].rung[row->rung - 1].score;
  if (!count) return OK;
  TRY_RETURN(seeds_summarise(value, count, &row->score));
  row->worst = sweep_score_falls(sweep->plan) ? row->score.most : row->score.least;
  return OK;
}

Status sweep_rank(const Sweep *sweep, SweepRow **out) {
  Status status = OK;
  const SweepPlan *plan = sweep->plan;
  const bool falls = sweep_score_falls(plan);
  double *value = NULL;
  size_t *rungs = NULL;
  size_t known;
  *out = NULL;
  TRY(NEW_ARRAY(value, sweep->runs + 1));
  TRY(NEW_ARRAY(rungs, plan->points));
  TRY(NEW_ARRAY(*out, plan->points));
  TRY(sweep_admitted(sweep, rungs, &known));
  for (size_t p = 0; p < plan->points; p++) {
    SweepRow *row = &(*out)[p];
    row->point = p;
    TRY(fill_row(sweep, value, row));
    row->dropped = row->rung < plan->rungs && row->rung < known && row->rung >= rungs[p];
    if (falls) row->score.mean = -row->score.mean;
  }
  qsort(*out, plan->points, sizeof **out, by_rank);
  for (size_t p = 0; falls && p < plan->points; p++)
    (*out)[p].score.mean = -(*out)[p].score.mean;
done:
  free(rungs);
  free(value);
  return status;
}

/* --- sweep.json --- */
static json_t *json_settings(const SweepPoint *point) {
  json_t *settings = json_object();
  for (size_t i = 0; i < point->varied; i++) {
    char key[256];
    const char *equals = strchr(point->setting[i], '=');
    snprintf(key, sizeof key, "%.*s", (int)(equals - point->setting[i]), point->setting[i]);
    json_object_set_new(settings, key, json_words(equals + 1));
  }
  return settings;
}

static json_t *json_row(const Sweep *sweep, const SweepRow *row) {
  const SweepPoint *point = &sweep->plan->point[row->point];
  const bool any = row->score.count > 0;
  char name[32];
  snprintf(name, sizeof name, "c%02lld", (long long)point->number);
  return json_pack("{s:s,s:o,s:o,s:I,s:b,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "configuration", name,
                   "label", json_words(point->label), "settings", json_settings(point), "rungs",
                   (json_int_t)row->rung, "dropped", row->dropped, "seeds",
                   (json_int_t)row->score.count, "failed", (json_int_t)row->failed, "mean",
                   number_or_null(any ? row->score.mean : NAN), "low",
                   number_or_null(any ? row->score.low : NAN), "high",
                   number_or_null(any ? row->score.high : NAN), "deviation",
                   number_or_null(any ? row->score.deviation : NAN), "median",
                   number_or_null(any ? row->score.median : NAN), "worst",
                   number_or_null(any ? row->worst : NAN));
}

static json_t *json_run(const Sweep *sweep, const SweepRun *run, SweepStand stand) {
  static const char *const name[] = {"open", "done", "dropped", "failed"};
  const RungScore none = {NAN, NAN, NAN, 0};
  const RungScore *last = run->scored ? &run->rung[run->scored - 1] : &none;
  char configuration[32];
  char folder[80];
  snprintf(configuration, sizeof configuration, "c%02lld",
           (long long)sweep->plan->point[run->point].number);
  snprintf(folder, sizeof folder, "runs/%s", run->name);
  return json_pack("{s:s,s:s,s:I,s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:f,s:s}", "run", run->name,
                   "configuration", configuration, "seed", (json_int_t)run->seed, "folder", folder,
                   "state", name[stand], "rungs", (json_int_t)run->scored, "frames",
                   (json_int_t)last->frames, "score", number_or_null(last->score), "low",
                   number_or_null(last->low), "high", number_or_null(last->high), "seconds",
                   run->seconds, "error", run->error);
}

Status sweep_text(const Sweep *sweep, char **out) {
  Status status = OK;
  const SweepPlan *plan = sweep->plan;
  SweepRow *row = NULL;
  size_t *rungs = NULL;
  size_t known;
  size_t count[STAND_FAILED + 1];
  char words[OPTION_TEXT + 128];
  json_t *rows = json_array();
  json_t *runs = json_array();
  TRY(NEW_ARRAY(rungs, plan->points));
  TRY(sweep_admitted(sweep, rungs, &known));
  TRY(sweep_count(sweep, count));
  TRY(sweep_rank(sweep, &row));
  for (size_t i = 0; i < plan->points; i++)
    json_array_append_new(rows, json_row(sweep, &row[i]));
  for (size_t i = 0; i < sweep->runs; i++)
    json_array_append_new(
        runs, json_run(sweep, &sweep->run[i], stand_of(plan, &sweep->run[i], rungs, known)));
  json_t *root =
      json_pack("{s:i,s:o,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:O,s:O}", "schema", 1, "base",
                json_words(plan->base), "score", sweep_score_words(plan, words, sizeof words),
                "less_is_better", sweep_score_falls(plan), "rungs", (json_int_t)plan->rungs, "done",
                (json_int_t)count[STAND_DONE], "dropped", (json_int_t)count[STAND_DROPPED],
                "failed", (json_int_t)count[STAND_FAILED], "open", (json_int_t)count[STAND_OPEN],
                "configurations", rows, "runs", runs);
  *out = root ? json_dumps(root, JSON_FORM) : NULL;
  json_decref(root);
  if (!*out) status = status_set(ERR_MEMORY, "out of memory writing of a sweep");
done:
  json_decref(rows);
  json_decref(runs);
  free(row);
  free(rungs);
  return status;
}

Status sweep_write(const Sweep *sweep) {
  char path[PATH_MAX];
  char *text;
  TRY_RETURN(sweep_path(sweep->plan, path, sizeof path, "sweep.json"));
  TRY_RETURN(sweep_text(sweep, &text));
  Status status = file_write_durable(path, text, strlen(text));
  free(text);
  return status;
}

/* The jobs of a sweep: who runs next, in a process of its own, and what its end means. */
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "job/machine.h"
#include "run/progress.h"
#include "run/view.h"
#include "sweep/records.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A place for a process at work on a run. */
typedef struct Job {
  bool used;
  /* 0: of an earlier sweep, which was killed and left it at work; this one waits for its end */
  int pid;
  size_t run;
  bool scoring;
  int64_t began;
  bool asked, killed, late;
} Job;

enum { EXIT_USAGE = 2 }; /* of usage, and of configuration: the same again would end the same */

typedef struct Work {
  Sweep *sweep;
  const SweepJobs *how;
  Clock clock;
  Job *job; /* (jobs) */
  size_t jobs;
  bool *busy;    /* (runs) */
  size_t *rungs; /* (points) that each configuration may run */
  size_t known;
  size_t only; /* a task's run; SIZE_MAX: all */
  size_t last; /* rungs that may be run */
} Work;

static void say(const Work *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const Work *w, const char *format, ...) {
  char line[1400];
  va_list list;
  va_start(list, format);
  vsnprintf(line, sizeof line, format, list);
  va_end(list);
  if (w->how->say) w->how->say(w->how->context, line);
}

static Status run_folder(const Work *w, const SweepRun *run, char *out, size_t size) {
  return sweep_path(w->sweep->plan, out, size, "runs/%s", run->name);
}

static Status log_path(const Work *w, const SweepRun *run, char *out, size_t size) {
  return sweep_path(w->sweep->plan, out, size, "logs/%s.txt", run->name);
}

/* Written by this process alone: what an earlier sweep may have left at work writes elsewhere. */
static Status score_path(const Work *w, const SweepRun *run, char *out, size_t size) {
  return sweep_path(w->sweep->plan, out, size, "scores/%s-%d.json", run->name, (int)getpid());
}

static size_t free_place(const Work *w) {
  for (size_t i = 0; i < w->jobs; i++)
    if (!w->job[i].used) return i;
  return SIZE_MAX;
}

static bool is_stopping(const Work *w) {
  return w->how->stop && *w->how->stop > 0;
}

/* --- starting --- */
/* Adds a word with {ranks} filled in, wherever it stands in it. */
static Status add_filled(const char *word, int64_t ranks, Words *words) {
  char text[2 * OPTION_TEXT];
  size_t used = 0;
  for (const char *place; (place = strstr(word, "{ranks}")) != NULL;
       word = place + strlen("{ranks}")) {
    TRY_RETURN(text_format(text + used, sizeof text - used, "%.*s%lld", (int)(place - word), word,
                           (long long)ranks));
    used += strlen(text + used);
  }
  TRY_RETURN(text_format(text + used, sizeof text - used, "%s", word));
  return words_add(words, "%s", text);
}

/* The words of launch. */
static Status add_launcher(const SweepOptions *options, Words *words) {
  Status status = OK;
  Words launch = {0};
  TRY(words_split(&launch, options->launch));
  for (size_t i = 0; i < launch.count; i++)
    TRY(add_filled(launch.word[i], options->ranks, words));
done:
  words_free(&launch);
  return status;
}

static Status start_training(Work *w, Job *job) {
  Status status = OK;
  const SweepPlan *plan = w->sweep->plan;
  const SweepRun *run = &w->sweep->run[job->run];
  const SweepPoint *point = &plan->point[run->point];
  char folder[PATH_MAX];
  char log[PATH_MAX];
  Words words = {0};
  TRY(run_folder(w, run, folder, sizeof folder));
  TRY(log_path(w, run, log, sizeof log));
  if (plan->options.ranks > 1) TRY(add_launcher(&plan->options, &words));
  TRY(words_add(&words, "%s", w->how->program));
  TRY(words_add(&words, "train"));
  TRY(words_add(&words, "%s", plan->base));
  for (size_t i = 0; i < point->settings; i++)
    TRY(words_add(&words, "%s", point->setting[i]));
  TRY(words_add(&words, "seed=%lld", (long long)run->seed));
  if (run->scored + 1 < plan->rungs)
    TRY(words_add(&words, "job_frames=%lld",
                  (long long)sweep_rung_frames(plan, point, run->scored)));
  TRY(words_add(&words, "--run-dir"));
  TRY(words_add(&words, "%s", folder));
  TRY(words_add(&words, "--resume"));
  TRY(words_add(&words, "auto"));
  TRY(words_add(&words, "--quiet"));
  TRY(child_start(&words, NULL, log, &job->pid));
  job->scoring = false;
  job->began = clock_now(&w->clock);
done:
  words_free(&words);
  return status;
}

static Status start_scoring(Work *w, Job *job) {
  Status status = OK;
  const SweepOptions *o = &w->sweep->plan->options;
  const SweepRun *run = &w->sweep->run[job->run];
  const bool team = w->sweep->plan->team;
  char folder[PATH_MAX];
  char log[PATH_MAX];
  char out[PATH_MAX];
  Words words = {0};
  TRY(run_folder(w, run, folder, sizeof folder));
  TRY(log_path(w, run, log, sizeof log));
  TRY(score_path(w, run, out, sizeof out));
  TRY(words_add(&words, "%s", w->how->program));
  switch (o->score) {
  case SCORE_ELO:
    TRY(words_add(&words, "rate"));
    TRY(words_add(&words, "%s", folder));
    break;
  case SCORE_NASHCONV:
    TRY(words_add(&words, "exploit"));
    TRY(words_add(&words, "%s", folder));
    TRY(words_add(&words, "--player=%s", o->player));
    break;
  default:
    TRY(words_add(&words, "eval"));
    TRY(words_add(&words, "%s", folder));
    TRY(words_add(&words, "--players=%s%s%s", o->player, team ? "" : ",", team ? "" : o->against));
    TRY(words_add(&words, "--games=%lld", (long long)o->games));
    TRY(words_add(&words, "--seed=%lld", (long long)o->score_seed));
    TRY(words_add(&words, "--quiet"));
    if (!team) TRY(words_add(&words, "--csv=none"));
    if (o->greedy) TRY(words_add(&words, "--greedy"));
  }
  TRY(words_add(&words, "--json"));
  TRY(child_start(&words, out, log, &job->pid));
  job->scoring = true;
  job->began = clock_now(&w->clock);
done:
  words_free(&words);
  return status;
}

/* How far a run is that nobody is at work on: by its newest checkpoint, as a job that was killed
 * after that may have told nobody of it. 0: it has not begun. UNREADABLE, with status_message():
 * nobody knows, which is no reason to begin anew. ERR_MEMORY. */
enum { UNREADABLE = -1 };
static Status how_far(const Work *w, const SweepRun *run, int64_t *frames) {
  char folder[PATH_MAX];
  RunFolder look = {.lock = -1};
  RunView view;
  *frames = 0;
  TRY_RETURN(run_folder(w, run, folder, sizeof folder));
  TRY_RETURN(text_format(look.path, sizeof look.path, "%s", folder));
  if (!run_has_checkpoint(&look)) return OK;
  *frames = UNREADABLE;
  const Status status = run_view_look(folder, &view);
  if (status != OK) return status == ERR_MEMORY ? status : OK;
  const uint64_t *counters = run_view_counters(&view);
  if (counters)
    *frames = (int64_t)counters[RUN_FRAMES];
  else
    status_set(ERR_FORMAT, "%s: its checkpoint has no counters", folder);
  run_view_close(&view);
  return OK;
}

/* Begins with a run: an earlier sweep's process may still be at work on it, or have brought it to
 * where it is scored. The last rung is always begun by training, which finds out by itself what its
 * end still lacks; so is a run that cannot be read, of which training says more and changes
 * nothing. */
static Status start(Work *w, size_t which) {
  const SweepPlan *plan = w->sweep->plan;
  const SweepRun *run = &w->sweep->run[which];
  Job *job = &w->job[free_place(w)];
  char folder[PATH_MAX];
  int64_t frames;
  bool held = false;
  *job = (Job){.used = true, .run = which};
  w->busy[which] = true;
  TRY_RETURN(run_folder(w, run, folder, sizeof folder));
  if (file_is_folder(folder)) TRY_RETURN(status_held(folder, &held));
  if (held) {
    say(w, "%s is still at work for an earlier sweep: waiting for it", run->name);
    return OK;
  }
  TRY_RETURN(how_far(w, run, &frames));
  if (run->scored + 1 < plan->rungs &&
      frames >= sweep_rung_frames(plan, &plan->point[run->point], run->scored))
    return start_scoring(w, job);
  return start_training(w, job);
}

/* Who is next: the lowest rung first, as the next ones wait for it. SIZE_MAX: nobody now. */
static size_t next_run(const Work *w) {
  const Sweep *s = w->sweep;
  for (size_t rung = 0; rung < w->known && rung < w->last; rung++)
    for (size_t i = 0; i < s->runs; i++) {
      const SweepRun *run = &s->run[i];
      if (run->failed || w->busy[i] || run->scored != rung) continue;
      if (w->rungs[run->point] <= rung) continue;
      if (w->only != SIZE_MAX && w->only != i) continue;
      return i;
    }
  return SIZE_MAX;
}

/* --- ends --- */
static void leave(Work *w, Job *job) {
  w->busy[job->run] = false;
  *job = (Job){.used = false};
}

static size_t decided(const Work *w) {
  size_t count[STAND_FAILED + 1];
  if (sweep_count(w->sweep, count) != OK) return 0;
  return w->sweep->runs - count[STAND_OPEN];
}

/* After a change of a run: who goes on, and what people and programs see. */
static Status note(Work *w, const SweepRun *run) {
  TRY_RETURN(sweep_record(w->sweep->plan, run));
  TRY_RETURN(sweep_admitted(w->sweep, w->rungs, &w->known));
  return w->only == SIZE_MAX ? sweep_write(w->sweep) : OK;
}

/* A run has failed once more. It is begun again, from its checkpoint, unless it has failed often
 * enough, or would say the same again. */
static Status fail(Work *w, Job *job, int code, const char *why) {
  SweepRun *run = &w->sweep->run[job->run];
  const SweepOptions *o = &w->sweep->plan->options;
  snprintf(run->error, sizeof run->error, "%s", why);
  run->tries++;
  run->failed = run->tries >= o->tries || code == EXIT_USAGE;
  say(w, "%s %s: %s", run->name, run->failed ? "FAILED" : "failed, and is tried again", why);
  leave(w, job);
  return note(w, run);
}

/* Nobody knows how far the run is: it is left as it is, for people to look at. */
static Status fail_unreadable(Work *w, Job *job) {
  char why[512];
  snprintf(why, sizeof why, "how far it is cannot be told: %s", status_message());
  text_mend(why);
  return fail(w, job, EXIT_USAGE, why);
}

/* What a process that has ended left in its log, with its exit code. */
static Status fail_by_exit(Work *w, Job *job, int code) {
  const SweepRun *run = &w->sweep->run[job->run];
  char log[PATH_MAX];
  char line[256];
  char why[512];
  TRY_RETURN(log_path(w, run, log, sizeof log));
  last_words(log, line, sizeof line);
  if (job->late)
    snprintf(why, sizeof why, "killed after sweep.limit, %g s", w->sweep->plan->options.limit);
  else if (code == CHILD_UNTOLD)
    snprintf(why, sizeof why, "it has ended, and how nobody can tell: %s", line);
  else if (code > 128)
    snprintf(why, sizeof why, "agon %s was killed by signal %d",
             job->scoring ? "was scoring it, and" : "train", code - 128);
  else
    snprintf(why, sizeof why, "exit code %d: %s", code, line);
  return fail(w, job, code, why);
}

static const char *first_of(const json_t *root, const char *list, const char *name,
                            const char *player, json_t **out) {
  size_t i;
  json_t *entry;
  *out = NULL;
  json_array_foreach(json_object_get(root, list), i, entry) {
    const char *who = json_string_value(json_object_get(entry, name));
    if (who && !strcmp(who, player) && !*out) *out = entry;
  }
  return *out ? NULL : "there is no such player";
}

static double number_at(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The score out of what eval, rate or exploit have printed; NULL, or what is wrong. */
static const char *read_score(const SweepPlan *plan, const json_t *root, RungScore *out) {
  const SweepOptions *o = &plan->options;
  json_t *entry;
  *out = (RungScore){NAN, NAN, NAN, 0};
  switch (o->score) {
  case SCORE_NASHCONV: out->score = number_at(root, "nash_conv"); break;
  case SCORE_ELO:
    if (first_of(root, "players", "player", o->player, &entry)) return "it has no rating";
    out->score = number_at(entry, "elo");
    out->low = number_at(entry, "elo_low");
    out->high = number_at(entry, "elo_high");
    if (!isfinite(out->score)) return "it has no rating: it met nobody (actors.eval_share)";
    break;
  case SCORE_RETURN:
    if (plan->team) {
      if (first_of(root, "players", "player", o->player, &entry)) return "it has no return";
      out->score = number_at(entry, "return");
      out->low = number_at(entry, "return_low");
      out->high = number_at(entry, "return_high");
    } else {
      entry = json_array_get(json_object_get(root, "pairs"), 0);
      out->score = number_at(entry, "mean_return");
      out->low = out->score - number_at(entry, "mean_return_error");
      out->high = out->score + number_at(entry, "mean_return_error");
    }
    break;
  default:
    entry = json_array_get(json_object_get(root, "pairs"), 0);
    out->score = number_at(entry, "score");
    out->low = number_at(entry, "score_low");
    out->high = number_at(entry, "score_high");
  }
  return isfinite(out->score) ? NULL : "there is no such number in what agon printed";
}

static Status scored(Work *w, Job *job) {
  const SweepPlan *plan = w->sweep->plan;
  SweepRun *run = &w->sweep->run[job->run];
  char path[PATH_MAX];
  char why[256];
  char interval[64] = "";
  char frames[16];
  json_error_t error;
  RungScore score;
  TRY_RETURN(score_path(w, run, path, sizeof path));
  json_t *root = json_load_file(path, 0, &error);
  const char *wrong = root ? read_score(plan, root, &score) : error.text;
  json_decref(root);
  if (wrong) {
    snprintf(why, sizeof why, "its score cannot be told: %s", wrong);
    return fail(w, job, 0, why);
  }
  file_ops()->remove(path);
  TRY_RETURN(how_far(w, run, &score.frames));
  if (score.frames == UNREADABLE) return fail_unreadable(w, job);
  run->error[0] = 0;
  TRY_RETURN(sweep_add_score(run, &score));
  leave(w, job);
  TRY_RETURN(note(w, run));
  if (isfinite(score.low) && isfinite(score.high))
    snprintf(interval, sizeof interval, " [%.4g, %.4g]", score.low, score.high);
  say(w, "%s  %.4g%s after %s frames (%s); %zu of %zu runs are decided", run->name, score.score,
      interval, text_scaled((double)score.frames, frames, sizeof frames),
      plan->point[run->point].label, decided(w), w->sweep->runs);
  return OK;
}

/* Training has ended by itself and well: it is at its rung's end, or somebody has stopped it. */
static Status trained(Work *w, Job *job) {
  const SweepPlan *plan = w->sweep->plan;
  const SweepRun *run = &w->sweep->run[job->run];
  char why[128];
  int64_t frames;
  TRY_RETURN(how_far(w, run, &frames));
  if (frames == UNREADABLE) return fail_unreadable(w, job);
  const int64_t asked = sweep_rung_frames(plan, &plan->point[run->point], run->scored);
  if (frames >= asked && !is_stopping(w)) return start_scoring(w, job);
  if (is_stopping(w)) {
    leave(w, job);
    return OK;
  }
  snprintf(why, sizeof why, "somebody stopped it at %lld of %lld frames", (long long)frames,
           (long long)asked);
  return fail(w, job, 0, why);
}

/* code: of exit, or 128 and the signal that killed it. */
static Status ended(Work *w, Job *job, int code) {
  SweepRun *run = &w->sweep->run[job->run];
  char folder[PATH_MAX];
  bool held = false;
  run->seconds += clock_seconds(clock_now(&w->clock) - job->began);
  if (code == 0) return job->scoring ? scored(w, job) : trained(w, job);
  if (is_stopping(w)) { /* asked to end, and it did so in its own way: it goes on next time */
    leave(w, job);
    return OK;
  }
  TRY_RETURN(run_folder(w, run, folder, sizeof folder));
  if (code == 3 && !job->scoring && file_is_folder(folder)) TRY_RETURN(status_held(folder, &held));
  if (held) { /* an earlier sweep's process had not taken its lock yet when this one looked */
    job->pid = 0;
    return OK;
  }
  return fail_by_exit(w, job, code);
}

/* Looks at one process. One of an earlier sweep has ended once the run's lock is free. */
static Status look(Work *w, Job *job) {
  int code;
  char folder[PATH_MAX];
  bool held;
  const SweepOptions *o = &w->sweep->plan->options;
  if (job->pid == 0) {
    TRY_RETURN(run_folder(w, &w->sweep->run[job->run], folder, sizeof folder));
    TRY_RETURN(status_held(folder, &held));
    if (!held || is_stopping(w)) leave(w, job);
    return OK;
  }
  if (child_ended(job->pid, &code)) return ended(w, job, code);
  const double seconds = clock_seconds(clock_now(&w->clock) - job->began);
  if (o->limit > 0 && seconds > o->limit && !job->late) {
    job->late = true;
    child_kill(job->pid);
  }
  return OK;
}

/* The first signal: training saves and ends, scoring is given up. The second: all are killed. */
static void pass_on_signals(Work *w) {
  const int signals = w->how->stop ? (int)*w->how->stop : 0;
  for (size_t i = 0; i < w->jobs; i++) {
    Job *job = &w->job[i];
    if (!job->used || job->pid == 0) continue;
    if (signals > 1 && !job->killed) {
      child_kill(job->pid);
      job->killed = true;
    } else if (signals > 0 && !job->asked) {
      if (job->scoring)
        kill(-job->pid, SIGTERM);
      else
        kill(job->pid, SIGUSR1);
      job->asked = true;
    }
  }
}

static void doze(void) {
  const struct timespec time = {.tv_nsec = 30 * 1000 * 1000};
  nanosleep(&time, NULL);
}

/* Until nothing runs and nothing can be started. */
static Status run_all(Work *w) {
  for (;;) {
    bool any = false;
    pass_on_signals(w);
    for (size_t i = 0; i < w->jobs; i++)
      if (w->job[i].used) TRY_RETURN(look(w, &w->job[i]));
    while (!is_stopping(w) && free_place(w) != SIZE_MAX) {
      const size_t next = next_run(w);
      if (next == SIZE_MAX) break;
      TRY_RETURN(start(w, next));
    }
    for (size_t i = 0; i < w->jobs; i++)
      any |= w->job[i].used;
    if (!any) return OK;
    doze();
  }
}

/* After a failure of the sweep itself (a full disk): its processes are asked to save, and nobody
 * waits for them; the next sweep does. */
static void abandon(Work *w) {
  for (size_t i = 0; i < w->jobs; i++)
    if (w->job[i].used && w->job[i].pid) kill(w->job[i].pid, SIGUSR1);
}

/* Runs that fit the cores of this host, or of what this process is bound to. */
static size_t jobs_that_fit(const SweepPlan *plan) {
  Machine machine;
  machine_look(&machine);
  const int cores = machine.bound_cores > 0 ? machine.bound_cores : machine.cores;
  const int64_t fit = cores / plan->options.ranks;
  return fit > 0 ? (size_t)fit : 1;
}

static Status work(Sweep *sweep, const SweepJobs *how, size_t only, size_t last) {
  Status status = OK;
  const SweepPlan *plan = sweep->plan;
  Work w = {.sweep = sweep, .how = how, .clock = clock_system(), .only = only, .last = last};
  w.jobs = how->jobs            ? how->jobs
           : plan->options.jobs ? (size_t)plan->options.jobs
                                : jobs_that_fit(plan);
  if (only != SIZE_MAX) w.jobs = 1;
  if (w.jobs > sweep->runs) w.jobs = sweep->runs;
  TRY(NEW_ARRAY(w.job, w.jobs));
  TRY(NEW_ARRAY(w.busy, sweep->runs));
  TRY(NEW_ARRAY(w.rungs, plan->points));
  TRY(sweep_admitted(sweep, w.rungs, &w.known));
  if (only == SIZE_MAX) TRY(sweep_write(sweep));
  if (only == SIZE_MAX)
    say(&w, "%zu configurations, %zu seeds, %zu runs, %zu at once; %zu are decided already",
        plan->points, plan->seeds, sweep->runs, w.jobs, decided(&w));
  status = run_all(&w);
  if (status != OK) abandon(&w);
done:
  free(w.job);
  free(w.busy);
  free(w.rungs);
  return status;
}

Status sweep_work(Sweep *sweep, const SweepJobs *jobs) {
  return work(sweep, jobs, SIZE_MAX, sweep->plan->rungs);
}

Status sweep_work_on(Sweep *sweep, const SweepJobs *jobs, size_t run, size_t rung) {
  Status status = OK;
  const SweepPlan *plan = sweep->plan;
  size_t *rungs = NULL;
  size_t known;
  if (run >= sweep->runs)
    return status_set(ERR_USAGE, "there is no task %zu: the sweep has %zu runs, from 0 on", run,
                      sweep->runs);
  if (rung >= plan->rungs)
    return status_set(ERR_USAGE, "there is no rung %zu: the sweep has %zu, from 0 on", rung,
                      plan->rungs);
  TRY(NEW_ARRAY(rungs, plan->points));
  TRY(sweep_admitted(sweep, rungs, &known));
  if (rung >= known)
    TRY(status_set(ERR_RUN,
                   "rung %zu cannot begin: runs of an earlier one are neither scored nor failed; "
                   "agon sweep FILE --status lists them, and submitting again runs them",
                   rung));
  sweep->run[run].failed = false;
  TRY(work(sweep, jobs, run, rung + 1));
done:
  free(rungs);
  return status;
}

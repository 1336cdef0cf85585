#include "league/display.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 64 /* players in status.json */ };

/* How an actor's rank has waited: means over the results since the last look, and of the look
 * before. */
typedef struct Waits {
  double sum;
  double count;
  double last; /* -1: not measured */
} Waits;

struct Display {
  DisplaySetup setup;
  Metrics *metrics;
  Progress begin;    /* as this job began */
  Progress recorded; /* at the last record of metrics */
  Progress lined;    /* at the last line of progress */
  int64_t started;
  int64_t record_time;
  int64_t line_time;
  /* since the last record */
  double metric_sum[MEASURES];
  double metric_episodes;
  double metric_sum_before[MEASURES]; /* between the last two records */
  double metric_episodes_before;
  uint64_t length_sum;
  double length_games;
  double branch_games[BRANCH_COUNT];
  LearnerRating *rating;  /* (learning) */
  bool rating_is_new;     /* since the last record */
  int64_t rate_after;     /* not again before */
  TeamScore *score;       /* (learning) the last evaluations */
  bool score_is_new;      /* since the last record */
  int64_t evaluate_after; /* not again before */
  const Baseline *baseline;
  size_t baselines;
  Tally *returns;        /* (learning) since the last record */
  Tally *returns_before; /* (learning) between the last two records */
  Waits *waits;          /* (actors) */
  bool status_fails;     /* status.json could not be written, and that was said */
  bool metrics_fail;     /* likewise */
};

static double seconds_since(const Display *display, int64_t then) {
  return clock_seconds(clock_now(&display->setup.clock) - then);
}

/* begin: where the run stands as the job starts, so that rates are the job's own. On failure
 * nothing is left. */
Status display_create(const DisplaySetup *setup, const Progress *begin, Display **out) {
  Status status = OK;
  Display *display = NULL;
  MetricsStart from = {.step = (double)begin->frames,
                       .resumed = setup->resumed,
                       .general = setup->env.teams == 1 ? "team" : "league",
                       .about = setup->about};
  TRY(NEW_ARRAY(display, 1));
  *display = (Display){.setup = *setup, .begin = *begin, .recorded = *begin, .lined = *begin};
  display->setup.about = NULL;
  if (display->setup.env.return_factor <= 0) display->setup.env.return_factor = 1;
  display->started = display->record_time = display->line_time = clock_now(&setup->clock);
  TRY(NEW_ARRAY(display->rating, setup->league->learning));
  TRY(NEW_ARRAY(display->score, setup->league->learning));
  TRY(NEW_ARRAY(display->returns, setup->league->learning));
  TRY(NEW_ARRAY(display->returns_before, setup->league->learning));
  TRY(NEW_ARRAY(display->waits, setup->actors));
  for (size_t a = 0; a < setup->actors; a++)
    display->waits[a].last = -1;
  TRY(metrics_open(setup->run->path, &from, &display->metrics));
  *out = display;
  display = NULL;
done:
  display_destroy(display);
  return status;
}

void display_destroy(Display *display) {
  if (!display) return;
  metrics_close(display->metrics);
  free(display->rating);
  free(display->score);
  free(display->returns);
  free(display->returns_before);
  free(display->waits);
  free(display);
}

/* --- counting --- */
static void count_pair(Display *display, const PairResults *pair) {
  display->branch_games[pair->branch] += pair->tally.games;
  display->length_sum += pair->length;
  display->length_games += pair->tally.games;
  if (pair->eval || pair->home >= display->setup.league->learning) return;
  Tally told = pair->tally;
  const double factor = display->setup.env.return_factor;
  told.returns *= factor;
  told.squares *= factor * factor;
  tally_add(&display->returns[pair->home], &told);
}

/* One actor's results of a tick, for the averages of the present interval. waits < 0: that rank's
 * loop does not count them. */
void display_count(Display *display, const Results *results) {
  for (size_t i = 0; i < MEASURES; i++)
    display->metric_sum[i] += results->metric[i];
  display->metric_episodes += (double)results->episodes;
  for (size_t i = 0; i < results->pairs; i++)
    count_pair(display, &results->pair[i]);
  if (results->waits < 0 || results->actor >= display->setup.actors) return;
  Waits *waits = &display->waits[results->actor];
  waits->sum += results->waits;
  waits->count++;
}

/* Of the last whole interval and the present one, so that shortly after a record the mean does not
 * rest on a few episodes. */
Tally display_returns(const Display *display, uint32_t player) {
  const Tally *now = &display->returns[player];
  const Tally *before = &display->returns_before[player];
  Tally sum = *now;
  tally_add(&sum, before);
  return sum;
}

/* Means of what was measured in training episodes of late, as display_returns: false before the
 * first. */
static bool measured_of_late(const Display *display, double out[MEASURES]) {
  const double episodes = display->metric_episodes + display->metric_episodes_before;
  if (episodes < 1) return false;
  for (size_t i = 0; i < MEASURES; i++)
    out[i] = (display->metric_sum[i] + display->metric_sum_before[i]) / episodes;
  return true;
}

/* Whether one team plays: nobody is met, and returns are all that players are judged by. */
static bool is_alone(const Display *display) {
  return display->setup.env.teams == 1;
}

static double mean_of(const Tally *tally) {
  return tally->returns / tally->games;
}

/* The sample's standard deviation, from the sum and the sum of squares; rounding must not make a
 * root of less than 0. */
static double deviation_of(const Tally *tally) {
  double n = tally->games;
  double mean = mean_of(tally);
  return n > 1 ? sqrt(fmax(tally->squares - n * mean * mean, 0) / (n - 1)) : 0;
}

/* Returns `out`. "n/a" before the first episode. */
const char *display_returns_text(const Tally *tally, char *out, size_t size) {
  char episodes[16];
  if (tally->games < 1)
    snprintf(out, size, "n/a");
  else
    snprintf(out, size, "%.4g, deviation %.3g, %s episodes", mean_of(tally), deviation_of(tally),
             text_scaled(tally->games, episodes, sizeof episodes));
  return out;
}

/* --- ratings --- */
enum {
  RATE_SHARE = 50 /* of the time that has passed, one part of so many may be spent on rating */
};

/* Ratings cost a fit over all pairs. They are not renewed before RATE_SHARE times as long has
 * passed as the last fit took, so that the league's rank stays free for its work. */
static Status rate(Display *display, bool at_once) {
  int64_t start = clock_now(&display->setup.clock);
  if (!display->setup.rate || (!at_once && start < display->rate_after)) return OK;
  TRY_RETURN(display->setup.rate(display->setup.context, display->rating));
  int64_t end = clock_now(&display->setup.clock);
  display->rate_after = end + RATE_SHARE * (end - start);
  display->rating_is_new = true;
  return OK;
}

const LearnerRating *display_ratings(const Display *display) {
  return display->rating;
}

enum {
  EVALUATE_SHARE = 20 /* as RATE_SHARE, of evaluation episodes: they are what a run is judged by */
};

/* Returns `out`. */
const char *display_score_text(const TeamScore *score, char *out, size_t size) {
  if (!score->known)
    snprintf(out, size, "n/a");
  else if (isfinite(score->low) && isfinite(score->high))
    snprintf(out, size, "%.4g [%.4g, %.4g]", score->mean, score->low, score->high);
  else
    snprintf(out, size, "%.4g", score->mean);
  return out;
}

/* Returns `out`. */
const char *display_metrics_text(const DisplayEnv *env, const double *metric, char *out,
                                 size_t size) {
  size_t used = 0;
  *out = 0;
  for (size_t i = 0; env->metric_names && i < env->metric_count && i < MEASURES; i++) {
    char one[64];
    const size_t length = (size_t)snprintf(one, sizeof one, "%s%s %.3g", used ? ", " : "",
                                           env->metric_names[i], metric[i]);
    if (length >= sizeof one || used + length >= size) break;
    memcpy(out + used, one, length + 1);
    used += length;
  }
  return out;
}

/* What built-in players earn is said once: it is what the run's numbers are to be read against. */
static void say_baselines(const Display *display) {
  const DisplayEnv *env = &display->setup.env;
  char score[96];
  char metrics[160];
  for (size_t i = 0; i < display->baselines; i++) {
    const Baseline *baseline = &display->baseline[i];
    display_score_text(&baseline->score, score, sizeof score);
    display_metrics_text(env, baseline->score.metric, metrics, sizeof metrics);
    log_line("baseline %-9s team return %s%s%s", baseline->name, score, *metrics ? "; " : "",
             metrics);
  }
}

/* Episodes take time from the rank that also trains, so they are as seldom as EVALUATE_SHARE
 * says. */
static Status evaluate(Display *display, uint64_t frames, bool at_once) {
  const DisplaySetup *setup = &display->setup;
  const int64_t start = clock_now(&setup->clock);
  if (!setup->evaluate || (!at_once && start < display->evaluate_after)) return OK;
  const bool first = display->baselines == 0;
  TRY_RETURN(setup->evaluate(setup->context, frames, display->score, &display->baseline,
                             &display->baselines));
  const int64_t end = clock_now(&setup->clock);
  display->evaluate_after = end + EVALUATE_SHARE * (end - start);
  display->score_is_new = true;
  if (first) say_baselines(display);
  return OK;
}

const TeamScore *display_scores(const Display *display) {
  return display->score;
}

const Baseline *display_baselines(const Display *display, size_t *count) {
  *count = display->baselines;
  return display->baseline;
}

/* null where nothing was evaluated. An interval that cannot be told is null, too. */
static json_t *json_score(const DisplayEnv *env, const TeamScore *score) {
  if (!score->known) return json_null();
  json_t *entry = json_pack("{s:f,s:I,s:I,s:f,s:f}", "mean", score->mean, "episodes",
                            (json_int_t)score->episodes, "frames", (json_int_t)score->frames,
                            "deviation", score->deviation, "length", score->length);
  const bool interval = isfinite(score->low) && isfinite(score->high);
  json_object_set_new(entry, "low", interval ? json_real(score->low) : json_null());
  json_object_set_new(entry, "high", interval ? json_real(score->high) : json_null());
  json_t *metrics = json_object();
  for (size_t i = 0; env->metric_names && i < env->metric_count && i < MEASURES; i++)
    json_object_set_new(metrics, env->metric_names[i], json_real(score->metric[i]));
  json_object_set_new(entry, "metrics", metrics);
  return entry;
}

/* What was measured in training episodes of late, by name; null before the first. */
static json_t *json_measures(const Display *display) {
  const DisplayEnv *env = &display->setup.env;
  double mean[MEASURES];
  if (!measured_of_late(display, mean)) return json_null();
  json_t *entry = json_object();
  for (size_t i = 0; env->metric_names && i < env->metric_count && i < MEASURES; i++)
    json_object_set_new(entry, env->metric_names[i], json_real(mean[i]));
  return entry;
}

/* What people look at is not worth a job: that it cannot be written is said once, and again when it
 * can. Other failures are the caller's to see. */
static Status for_people(Status status, const char *what, bool *fails) {
  if (status == ERR_IO && !*fails)
    log_warning("%s; the job goes on without its %s", status_message(), what);
  if (status == OK && *fails) log_line("its %s can be written again", what);
  if (status == OK || status == ERR_IO) *fails = status != OK;
  return status == ERR_IO ? OK : status;
}

/* null until the player's newest snapshot has met others. */
static json_t *json_rating(const Display *display, uint32_t id) {
  const LearnerRating *rating = &display->rating[id];
  if (!rating->rated.known) return json_null();
  return json_pack("{s:s,s:f,s:f,s:f,s:i,s:f}", "as",
                   display->setup.league->player[rating->as].name, "elo", rating->rated.elo, "low",
                   rating->rated.low, "high", rating->rated.high, "bound", rating->rated.bound,
                   "games", rating->rated.games);
}

/* --- the job's state --- */
static json_t *json_returns(const Tally *tally) {
  if (tally->games < 1) return json_null();
  return json_pack("{s:f,s:f,s:I}", "mean", mean_of(tally), "deviation", deviation_of(tally),
                   "episodes", (json_int_t)tally->games);
}

/* The number that says how much chance is in what a player does: epsilon, where it takes the best
 * choice but for that; the noise of the numbers that it gives; else the entropy of its policy. */
static const char *spread_of(const Numbers *report) {
  if (numbers_has(report, "noise")) return "noise";
  return numbers_has(report, "epsilon") ? "epsilon" : "entropy";
}

/* What the player learns by. */
static json_t *json_tuned(const Player *player) {
  json_t *object = json_object();
  for (int k = 0; k < TUNABLES; k++)
    if (player->tune.value[k] > 0)
      json_object_set_new(object, tune_name((Tunable)k), json_real(player->tune.value[k]));
  return object;
}

/* A player's entry in status.json; of frozen players only what can still change is told. */
static json_t *json_player(const Display *display, const Progress *now, uint32_t id) {
  const League *league = display->setup.league;
  const Player *player = &league->player[id];
  double games, wins;
  json_t *entry = json_object();
  payoff_score(&league->payoff, id, &games, &wins);
  json_object_set_new(entry, "name", json_string(player->name));
  json_object_set_new(entry, "frozen", json_boolean(player->frozen));
  if (player->guest) json_object_set_new(entry, "guest", json_string(player->guest));
  if (player->side)
    json_object_set_new(entry, "side",
                        json_string(league_side_name(&league->config, player->side)));
  json_object_set_new(entry, "frames", json_integer((json_int_t)player->frames));
  json_object_set_new(entry, "score", games > 0 ? json_real(wins / games) : json_null());
  if (player->frozen) return entry;
  Tally returns = display_returns(display, id);
  json_object_set_new(entry, "rating", json_rating(display, id));
  json_object_set_new(entry, "return", json_returns(&returns));
  if (is_alone(display))
    json_object_set_new(entry, "evaluation", json_score(&display->setup.env, &display->score[id]));
  const Numbers *report = &now->report[id];
  const char *spread = spread_of(report);
  json_object_set_new(entry, spread,
                      report->count ? json_real(numbers_get(report, spread)) : json_null());
  if (tune_is_on(&league->config.tune)) json_object_set_new(entry, "tuned", json_tuned(player));
  return entry;
}

/* What the actors' ranks waited since the last look: the mean, the most, and which actor it was;
 * null where nobody has said. An actor without results since then is taken as it was. */
static json_t *json_waits(Display *display) {
  double sum = 0;
  size_t known = 0;
  size_t most = 0;
  for (size_t a = 0; a < display->setup.actors; a++) {
    Waits *waits = &display->waits[a];
    if (waits->count > 0) waits->last = waits->sum / waits->count;
    waits->sum = 0;
    waits->count = 0;
    if (waits->last < 0) continue;
    sum += waits->last;
    known++;
    if (waits->last > display->waits[most].last) most = a;
  }
  if (!known) return json_null();
  return json_pack("{s:f, s:f, s:i}", "mean", sum / (double)known, "most",
                   display->waits[most].last, "actor", (int)most);
}

/* null where there is none. */
static json_t *json_curriculum(const Curriculum *curriculum) {
  if (!curriculum || !curriculum->rule.stages) return json_null();
  const size_t stages = curriculum->rule.stages;
  json_t *entry = json_pack("{s:I, s:I, s:s, s:s}", "stage", (json_int_t)curriculum->stage + 1,
                            "stages", (json_int_t)stages + 1, "is", curriculum_text(curriculum),
                            "measure", curriculum->rule.measure);
  const bool known = isfinite(curriculum->measured);
  json_object_set_new(entry, "measured", known ? json_real(curriculum->measured) : json_null());
  json_t *began = json_array();
  for (uint32_t s = 0; s <= curriculum->stage; s++)
    json_array_append_new(began, json_integer((json_int_t)curriculum->began[s]));
  json_object_set_new(entry, "began", began);
  return entry;
}

/* Writes status.json whole (under another name, then renamed), for `agon watch` and for scripts,
 * which may read at any time. */
Status display_status(Display *display, const Progress *now, const char *state) {
  char path[PATH_MAX];
  const DisplaySetup *setup = &display->setup;
  double seconds = now->seconds - display->begin.seconds;
  json_t *root = json_object();
  json_t *players = json_array();
  json_object_set_new(root, "game", json_string(setup->env.game ? setup->env.game : ""));
  json_object_set_new(root, "teams", json_integer((json_int_t)setup->env.teams));
  json_object_set_new(root, "state", json_string(state));
  json_object_set_new(root, "reason", json_string(now->reason));
  json_object_set_new(root, "tick", json_integer((json_int_t)now->tick));
  json_object_set_new(root, "frames", json_integer((json_int_t)now->frames));
  json_object_set_new(root, "frames_target", json_integer((json_int_t)setup->frames_target));
  json_object_set_new(root, "seconds", json_real(now->seconds));
  json_object_set_new(
      root, "sps",
      json_real(seconds > 0 ? (double)(now->frames - display->begin.frames) / seconds : 0));
  json_object_set_new(root, "episodes", json_integer((json_int_t)now->episodes));
  json_object_set_new(root, "checkpoint", json_integer((json_int_t)now->generation));
  json_object_set_new(root, "unsaved_seconds", json_real(now->unsaved));
  json_object_set_new(root, "actors", json_integer((json_int_t)setup->actors));
  json_object_set_new(root, "learners", json_integer((json_int_t)setup->learners));
  json_object_set_new(root, "actor_waits", json_waits(display));
  json_object_set_new(root, "curriculum", json_curriculum(setup->curriculum));
  /* learning players and the newest frozen ones */
  for (uint32_t i = 0; i < setup->league->players; i++) {
    if (i == setup->league->learning && setup->league->players > i + SHOWN)
      i = (uint32_t)setup->league->players - SHOWN;
    json_array_append_new(players, json_player(display, now, i));
  }
  json_object_set_new(root, "players", players);
  if (!is_alone(display)) {
    json_object_set_new(root, "general_sum", json_boolean(setup->env.general_sum));
    json_object_set_new(root, "measures", json_measures(display));
  }
  if (is_alone(display)) {
    json_t *baselines = json_object();
    for (size_t i = 0; i < display->baselines; i++)
      json_object_set_new(baselines, display->baseline[i].name,
                          json_score(&setup->env, &display->baseline[i].score));
    json_object_set_new(root, "baselines", baselines);
    json_object_set_new(root, "return_is",
                        json_string(setup->env.return_words ? setup->env.return_words : ""));
  }
  json_t *warnings = json_array();
  for (size_t i = 0; log_warning_at(i); i++)
    json_array_append_new(warnings, json_string(log_warning_at(i)));
  json_object_set_new(root, "warnings", warnings);
  json_object_set_new(root, "players_in_all", json_integer((json_int_t)setup->league->players));
  char *text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
  json_decref(root);
  if (!text) return status_set(ERR_MEMORY, "out of memory writing status.json");
  Status status = run_path(setup->run, path, sizeof path, "status.json");
  if (status == OK) status = file_write_whole(path, text, strlen(text));
  free(text);
  return for_people(status, "status.json", &display->status_fails);
}

/* --- rates --- */
/* Where rates are measured from: the last look; or the begin of the job, where that was just now: a
 * rate over a moment says nothing. NULL: even the job has just begun. */
static const Progress *rates_from(const Display *display, const Progress *last, const Progress *now,
                                  double every) {
  double least = fmin(0.1 * every, 0.5);
  if (now->seconds - last->seconds >= least) return last;
  return now->seconds > display->begin.seconds ? &display->begin : NULL;
}

static double rate_of(uint64_t now, uint64_t before, double seconds) {
  return (double)(now - before) / seconds;
}

bool display_metrics_due(const Display *display) {
  return seconds_since(display, display->record_time) >= display->setup.metrics_seconds;
}

bool display_line_due(const Display *display) {
  return seconds_since(display, display->line_time) >= display->setup.progress_seconds;
}

/* --- metrics --- */
static void set_rates(const Display *display, const Progress *now, Record *record) {
  const Progress *from =
      rates_from(display, &display->recorded, now, display->setup.metrics_seconds);
  if (!from) return;
  double seconds = now->seconds - from->seconds;
  record_set(record, "charts/SPS", rate_of(now->frames, from->frames, seconds));
  if (!is_alone(display))
    record_set(record, "charts/frozen_decisions_per_second",
               rate_of(now->frozen_decisions, from->frozen_decisions, seconds));
  record_set(record, "charts/env_steps_per_second", rate_of(now->steps, from->steps, seconds));
}

/* What is averaged over the episodes that ended since the last record; what nobody played is left
 * out rather than 0. */
static void set_episodes(const Display *display, Record *record) {
  char name[64], branch[16];
  double games = 0;
  const DisplaySetup *setup = &display->setup;
  if (display->length_games > 0)
    record_set(record, "charts/episodic_length",
               (double)display->length_sum / display->length_games);
  for (int i = 0; i < BRANCH_COUNT; i++)
    games += display->branch_games[i];
  for (int i = 0; i < BRANCH_COUNT && games > 0 && !is_alone(display); i++) {
    snprintf(name, sizeof name, "matchmaking/%s",
             text_choice_name(BRANCH_NAMES, i, branch, sizeof branch));
    record_set(record, name, display->branch_games[i] / games);
  }
  for (size_t i = 0; i < setup->env.metric_count && i < MEASURES && display->metric_episodes > 0;
       i++) {
    if (setup->env.metric_names)
      snprintf(name, sizeof name, "env/%s", setup->env.metric_names[i]);
    else
      snprintf(name, sizeof name, "env/metric_%zu", i);
    record_set(record, name, display->metric_sum[i] / display->metric_episodes);
  }
}

/* A value named PLAYER/what. */
static void set_named(Record *record, const char *player, const char *what, double value) {
  char name[160]; /* a record keeps the first 63 */
  snprintf(name, sizeof name, "%s/%s", player, what);
  record_set(record, name, value);
}

/* Where the curriculum stands; stages are counted from 1 where people see them, and the task itself
 * comes last. Nothing where there is none. */
static void set_stage(const Curriculum *curriculum, Record *record) {
  if (!curriculum || !curriculum->rule.stages) return;
  record_set(record, "curriculum/stage", (double)curriculum->stage + 1);
  if (isfinite(curriculum->measured))
    record_set(record, "curriculum/measure", curriculum->measured);
}

static void set_of(Record *record, const Player *player, const char *what, double value) {
  set_named(record, player->name, what, value);
}

/* PLAYER/eval/return and what belongs to it; PLAYER/eval/METRIC of the env. */
static void set_score(Record *record, const DisplayEnv *env, const char *player,
                      const TeamScore *score) {
  char what[64];
  if (!score->known) return;
  set_named(record, player, "eval/return", score->mean);
  set_named(record, player, "eval/return_low", score->low);
  set_named(record, player, "eval/return_high", score->high);
  set_named(record, player, "eval/return_deviation", score->deviation);
  set_named(record, player, "eval/episodes", (double)score->episodes);
  set_named(record, player, "eval/length", score->length);
  for (size_t i = 0; env->metric_names && i < env->metric_count && i < MEASURES; i++) {
    snprintf(what, sizeof what, "eval/%s", env->metric_names[i]);
    set_named(record, player, what, score->metric[i]);
  }
}

/* Evaluations go in only when they are new, and with them what they are compared with: so that both
 * make lines in one chart. */
static void set_scores(const Display *display, Record *record) {
  const DisplaySetup *setup = &display->setup;
  if (!display->score_is_new) return;
  for (uint32_t p = 0; p < setup->league->learning; p++)
    set_score(record, &setup->env, setup->league->player[p].name, &display->score[p]);
  for (size_t i = 0; i < display->baselines; i++)
    set_score(record, &setup->env, display->baseline[i].name, &display->baseline[i].score);
}

/* What the player learns by, where that is tuned. */
static void set_tuned(const Player *player, Record *record) {
  for (int k = 0; k < TUNABLES; k++) {
    char what[32];
    if (player->tune.value[k] <= 0) continue;
    snprintf(what, sizeof what, "tuned/%s", tune_name((Tunable)k));
    set_of(record, player, what, player->tune.value[k]);
  }
}

/* Learning players' values. Ratings go in only when they are new: a curve of points repeated would
 * look surer than it is. */
static void set_player(const Display *display, const Progress *now, uint32_t id, Record *record) {
  const Player *player = &display->setup.league->player[id];
  const Tally *returns = &display->returns[id];
  set_of(record, player, "frames", (double)player->frames);
  set_of(record, player, "dropped", (double)now->dropped[id]);
  if (display->rating_is_new && display->rating[id].rated.known) {
    set_of(record, player, "rating/elo", display->rating[id].rated.elo);
    set_of(record, player, "rating/low", display->rating[id].rated.low);
    set_of(record, player, "rating/high", display->rating[id].rated.high);
  }
  if (returns->games > 0) {
    set_of(record, player, "mean_return", mean_of(returns));
    set_of(record, player, "return_deviation", deviation_of(returns));
    set_of(record, player, "return_episodes", returns->games);
  }
  set_tuned(player, record);
  for (size_t i = 0; i < now->report[id].count; i++)
    set_of(record, player, now->report[id].item[i].name, now->report[id].item[i].value);
}

/* What is counted between records begins anew. */
static void begin_interval(Display *display, const Progress *now) {
  size_t learning = display->setup.league->learning;
  display->recorded = *now;
  display->record_time = clock_now(&display->setup.clock);
  display->length_sum = 0;
  display->length_games = 0;
  display->rating_is_new = false;
  display->score_is_new = false;
  memset(display->branch_games, 0, sizeof display->branch_games);
  memcpy(display->metric_sum_before, display->metric_sum, sizeof display->metric_sum);
  display->metric_episodes_before = display->metric_episodes;
  memset(display->metric_sum, 0, sizeof display->metric_sum);
  display->metric_episodes = 0;
  memcpy(display->returns_before, display->returns, learning * sizeof *display->returns);
  memset(display->returns, 0, learning * sizeof *display->returns);
}

/* One line of metrics, and the beginning of the next interval. */
static Status write_record(Display *display, const Progress *now) {
  Record *record;
  const DisplaySetup *setup = &display->setup;
  TRY_RETURN(NEW_ARRAY(record, 1));
  record_set(record, "seconds", now->seconds);
  record_set(record, "tick", (double)now->tick);
  record_set(record, "global_step", (double)now->frames);
  set_rates(display, now, record);
  if (!is_alone(display)) record_set(record, "league/players", (double)setup->league->players);
  if (league_has_meta(&setup->league->config))
    record_set(record, "league/unmeasured", (double)now->unmeasured);
  if (tune_is_on(&setup->league->config.tune))
    record_set(record, "league/copies", (double)setup->league->copies);
  set_stage(setup->curriculum, record);
  set_episodes(display, record);
  for (uint32_t p = 0; p < setup->league->learning; p++)
    set_player(display, now, p, record);
  set_scores(display, record);
  begin_interval(display, now);
  Status status = OK;
  if (setup->observe) status = setup->observe(setup->context, now->frames, record);
  if (status == OK)
    status = for_people(metrics_write(display->metrics, record), "metrics", &display->metrics_fail);
  free(record);
  return status;
}

Status display_metrics(Display *display, const Progress *now) {
  TRY_RETURN(rate(display, false));
  TRY_RETURN(evaluate(display, now->frames, false));
  return write_record(display, now);
}

/* --- the progress line --- */
/* What a player earns, where one team plays: evaluated, with the env's metrics, and in its training
 * episodes, which explore: a policy that must be random here and there does better in these. */
static void return_text(const Display *display, uint32_t player, char *out, size_t size) {
  char score[96];
  char metrics[120];
  char training[32] = "";
  const Tally tally = display_returns(display, player);
  const TeamScore *evaluated = &display->score[player];
  if (evaluated->known) {
    display_metrics_text(&display->setup.env, evaluated->metric, metrics, sizeof metrics);
    if (tally.games > 0) snprintf(training, sizeof training, ", in training %.4g", mean_of(&tally));
    snprintf(out, size, "%s%s%s%s", display_score_text(evaluated, score, sizeof score),
             *metrics ? ", " : "", metrics, training);
    return;
  }
  display_returns_text(&tally, score, sizeof score);
  snprintf(out, size, "%s%s", score, tally.games < 1 ? "" : " in training");
}

/* "return main_0 -1.98, ...; welfare -2, minimum -2.1; ": what each earns, and how all fare. */
static void earned_text(const Display *display, char *out, size_t size) {
  enum { NAMED = 4 };
  const League *league = display->setup.league;
  const size_t named = league->learning < NAMED ? league->learning : NAMED;
  double mean[MEASURES];
  char measures[256];
  size_t used = (size_t)snprintf(out, size, "return");
  for (uint32_t p = 0; p < named && used < size; p++) {
    const Tally tally = display_returns(display, p);
    char text[32] = "n/a";
    if (tally.games > 0) snprintf(text, sizeof text, "%.4g", mean_of(&tally));
    used += (size_t)snprintf(out + used, size - used, "%s %s %s", p ? "," : "",
                             league->player[p].name, text);
  }
  if (used >= size || !measured_of_late(display, mean)) return;
  display_metrics_text(&display->setup.env, mean, measures, sizeof measures);
  if (*measures) snprintf(out + used, size - used, "; %s", measures);
}

/* "Elo main_0 +312 [+280, +344]" of the learning players, as many as there is room for; before it,
 * in a general-sum game, what they earn; or, where one team plays, "team return main_0 -23.42
 * [-24.01, -22.83], collisions 1.3". */
static void strengths_text(const Display *display, char *out, size_t size) {
  enum { NAMED = 4 };
  const League *league = display->setup.league;
  const bool alone = is_alone(display);
  size_t used = 0;
  size_t n = league->learning;
  if (display->setup.env.general_sum) {
    earned_text(display, out, size - 2);
    strcat(out, "; ");
    used = strlen(out);
  }
  used += (size_t)snprintf(out + used, size - used, "%s", alone ? "team return" : "Elo");
  for (uint32_t p = 0; p < n && p < NAMED && used < size; p++) {
    char text[240];
    const Rated *rated = &display->rating[p].rated;
    if (alone)
      return_text(display, p, text, sizeof text);
    else
      text_rating(rated->known, rated->bound, rated->elo, rated->low, rated->high, text,
                  sizeof text);
    used += (size_t)snprintf(out + used, size - used, "%s %s %s", p ? (alone ? ";" : ",") : "",
                             league->player[p].name, text);
  }
  if (n > NAMED && used < size) snprintf(out + used, size - used, " and %zu more", n - NAMED);
}

/* The line of progress. Speed is since the last line, not since the start, so that one sees it
 * change; the time left follows from it. */
void display_line(Display *display, const Progress *now) {
  char done[40];
  char rate_text[16] = "n/a";
  char strengths[1024];
  char players[24] = "";
  char spread[16] = "n/a";
  char left[24] = "";
  char stage[24] = "";
  const DisplaySetup *setup = &display->setup;
  const Progress *from = rates_from(display, &display->lined, now, setup->progress_seconds);
  const double speed = from ? rate_of(now->frames, from->frames, now->seconds - from->seconds) : 0;
  if (from) text_scaled(speed, rate_text, sizeof rate_text);
  const double seconds = speed > 0 && now->frames < setup->frames_target
                             ? (double)(setup->frames_target - now->frames) / speed
                             : 0;
  if (seconds >= 0.5) text_duration(seconds, left, sizeof left); /* less would be said as 0 s */
  if (now->report[0].count)
    snprintf(spread, sizeof spread, "%.2f",
             numbers_get(&now->report[0], spread_of(&now->report[0])));
  strengths_text(display, strengths, sizeof strengths);
  if (!is_alone(display))
    snprintf(players, sizeof players, "%zu players, ", setup->league->players);
  const Curriculum *curriculum = setup->curriculum;
  if (curriculum && curriculum->rule.stages)
    snprintf(stage, sizeof stage, "stage %u of %zu, ", curriculum->stage + 1,
             curriculum->rule.stages + 1);
  log_line("%s frames, %s frames/s, tick %llu, %s%s%s%s%s; %s %s",
           text_done((double)now->frames, (double)setup->frames_target, done, sizeof done),
           rate_text, (unsigned long long)now->tick, left, *left ? " to go, " : "", stage, players,
           strengths, spread_of(&now->report[0]), spread);
  display->lined = *now;
  display->line_time = clock_now(&setup->clock);
}

/* The end of a job: rated at once, whatever it costs, and with all of it written. */
Status display_finish(Display *display, const Progress *now, const char *state) {
  TRY_RETURN(rate(display, true));
  TRY_RETURN(evaluate(display, now->frames, true));
  display_line(display, now);
  TRY_RETURN(write_record(display, now));
  TRY_RETURN(metrics_end(display->metrics));
  return display_status(display, now, state);
}

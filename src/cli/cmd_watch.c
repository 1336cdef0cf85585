/* agon watch: a run on one screen, drawn anew every few seconds from status.json, metrics.jsonl and
 * log.txt. On a pipe it prints plain text; colours are left out where NO_COLOR is set. */
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "run/series.h"
#include "run/progress.h"
#include "eval/standing.h"

#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

extern const Command command_watch;

static const Flag flags[] = {
    {"--every", "TIME", "between looks (default 2 s)"},
    {"--times", "N", "looks until it ends by itself (default: until the run ends)"}};

/* The screen and the line of it that is being written. */
typedef struct Screen {
  int width;     /* columns */
  int height;    /* rows */
  int row;       /* the one that is being written, from 0 */
  bool terminal; /* else a pipe, which gets plain text */
  bool colour;
  bool unicode;
  bool legend;     /* what stands on the screen is explained, instead of the players */
  char line[4096]; /* being written, with the codes of colours */
  size_t used;     /* bytes of it */
  int column;      /* characters of it that are seen */
} Screen;

/* How text is written; PLAIN everywhere where there are no colours. */
typedef enum Ink { PLAIN, BOLD, DIM, GREEN, YELLOW, RED, BLUE } Ink;

static void put(Screen *s, Ink ink, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Appends text to the line that is being written, in one of the inks where the terminal has
 * colours. What is beyond the screen's width is left out: columns are counted in characters of
 * UTF-8, not in bytes, and the codes of colours take none. */
static void put(Screen *s, Ink ink, const char *format, ...) {
  static const char *const code[] = {"",         "\033[1m",  "\033[2m", "\033[32m",
                                     "\033[33m", "\033[31m", "\033[36m"};
  char text[2048];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  text_make_plain(text); /* the codes of colours are added below */
  bool dressed = s->colour && ink != PLAIN;
  if (s->used + strlen(text) + 16 > sizeof s->line) return;
  if (dressed) s->used += (size_t)sprintf(s->line + s->used, "%s", code[ink]);
  for (const char *at = text; *at; at++) {
    bool first = ((unsigned char)*at & 0xC0) != 0x80; /* of a character */
    if (first && s->column == s->width) break;
    s->column += first;
    s->line[s->used++] = *at;
  }
  if (dressed) s->used += (size_t)sprintf(s->line + s->used, "\033[0m");
}

/* Writes the line out. On a terminal the rest of its row is cleared instead of the whole screen
 * before each look, which would flicker; rows below the last one are dropped. */
static void end_line(Screen *s) {
  s->line[s->used] = 0;
  if (!s->terminal)
    printf("%s\n", s->line);
  else if (s->row < s->height)
    printf("%s%s\033[K", s->row ? "\n" : "", s->line);
  s->row++;
  s->used = 0;
  s->column = 0;
}

/* --- parts --- */

/* A bar that is full to `share` (0 to 1), `width` columns wide; in Unicode to an eighth of a
 * column. */
static void put_bar(Screen *s, double share, int width) {
  static const char *const part[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  share = share < 0 ? 0 : share > 1 ? 1 : share;
  int eighths = (int)(share * width * 8);
  if (!s->unicode) {
    put(s, PLAIN, "[");
    for (int i = 0; i < width; i++)
      put(s, GREEN, i < eighths / 8 ? "#" : ".");
    put(s, PLAIN, "]");
    return;
  }
  for (int i = 0; i < width; i++)
    put(s, i < (eighths + 7) / 8 ? GREEN : DIM, "%s",
        i < eighths / 8                   ? "█"
        : i == eighths / 8 && eighths % 8 ? part[eighths % 8]
                                          : "░");
}

/* The course of a series as a row of small bars, from its lowest to its highest value so far. It
 * fills `width` columns with spaces where there are fewer points, so that what follows stays
 * aligned. */
static void put_spark(Screen *s, const Series *series, int width) {
  static const char *const block[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static const char plain[] = "_.-=+*%#";
  double x[200];
  double y[200];
  double low = INFINITY;
  double high = -INFINITY;
  if (width > 200) width = 200;
  size_t n = series_thin(series, (size_t)width, x, y);
  for (size_t i = 0; i < n; i++) {
    low = fmin(low, y[i]);
    high = fmax(high, y[i]);
  }
  for (size_t i = 0; i < n; i++) {
    int level = high > low ? (int)((y[i] - low) / (high - low) * 7.999) : 3;
    if (s->unicode)
      put(s, BLUE, "%s", block[level]);
    else
      put(s, BLUE, "%c", plain[level]);
  }
  for (size_t i = n; i < (size_t)width; i++)
    put(s, PLAIN, " ");
}

/* The newest value of a series; 0 where there is none. */
static double last(const Series *series) {
  return series && series->count ? series->y[series->count - 1] : 0;
}

/* A duration as H:MM:SS, with days before it from one day on. Returns `out`. */
static const char *clock_text(double seconds, char *out, size_t size) {
  long t = (long)seconds;
  if (t >= 86400)
    snprintf(out, size, "%ldd %02ld:%02ld:%02ld", t / 86400, t / 3600 % 24, t / 60 % 60, t % 60);
  else
    snprintf(out, size, "%ld:%02ld:%02ld", t / 3600, t / 60 % 60, t % 60);
  return out;
}

/* The first rows: the run and its state, how many of its frames are done and how long the rest will
 * take at the present rate, and the counters of the whole run. */
static void put_head(Screen *s, const char *run, const json_t *root) {
  char a[32];
  char b[40];
  char c[32];
  double frames = status_number(root, "frames");
  double target = status_number(root, "frames_target");
  double sps = status_number(root, "sps");
  double share = target > 0 ? frames / target : 0;
  const char *state = status_state(run, root);
  const double silent = status_silence(run);
  put(s, BOLD, "%s", run);
  put(s, DIM, "  %s  ", status_text(root, "game"));
  put(s,
      !strcmp(state, "running")    ? GREEN
      : !strcmp(state, "finished") ? BLUE
                                   : YELLOW,
      "%s", state);
  if (silent > 0) put(s, RED, ", but no sign of life for %s", text_duration(silent, c, sizeof c));
  end_line(s);
  put_bar(s, share, s->width > 110 ? 50 : s->width > 70 ? 30 : 12);
  put(s, PLAIN, " %3d %%  %s frames", text_percent(frames, target),
      text_done(frames, target, b, sizeof b));
  if (sps > 0 && frames < target && silent <= 0)
    put(s, PLAIN, "  %s to go", clock_text((target - frames) / sps, c, sizeof c));
  end_line(s);
  put(s, DIM, "time ");
  put(s, PLAIN, "%s", clock_text(status_number(root, "seconds"), a, sizeof a));
  put(s, DIM, "  tick ");
  put(s, PLAIN, "%.0f", status_number(root, "tick"));
  put(s, DIM, "  episodes ");
  put(s, PLAIN, "%s", text_scaled(status_number(root, "episodes"), b, sizeof b));
  put(s, DIM, "  checkpoint ");
  put(s, PLAIN, "%06.0f", status_number(root, "checkpoint"));
  if (status_number(root, "teams") != 1) {
    put(s, DIM, "  players ");
    put(s, PLAIN, "%.0f", status_number(root, "players_in_all"));
  }
  const json_t *curriculum = json_object_get(root, "curriculum");
  if (json_is_object(curriculum)) {
    put(s, DIM, "  stage ");
    put(s, PLAIN, "%.0f of %.0f: %s", status_number(curriculum, "stage"),
        status_number(curriculum, "stages"), status_text(curriculum, "is"));
  }
  end_line(s);
  end_line(s);
}

/* A row for a rate: its label, the newest value, and its course. A series that has not come yet
 * shows as n/a rather than vanishing, so that the rows below do not jump when it does. */
static void put_rate(Screen *s, const char *label, const Series *series, const char *unit,
                     int spark) {
  char a[16];
  put(s, DIM, "%-20s", label);
  if (series && series->count)
    put(s, PLAIN, "%8s%-5s", text_scaled(last(series), a, sizeof a), unit);
  else
    put(s, DIM, "%8s%-5s", "n/a", "");
  put_spark(s, series, spark);
  end_line(s);
}

/* A row for a metric of one player, "PLAYER/KEY" in metrics.jsonl. Without such a series there is
 * no row: which metrics there are depends on the algorithm and the configuration. */
static void put_number(Screen *s, const SeriesSet *set, const char *player, const char *key,
                       const char *label, int spark) {
  char name[96];
  snprintf(name, sizeof name, "%s/%s", player, key);
  const Series *series = series_find(set, name);
  if (!series) return;
  snprintf(name, sizeof name, "%s %s", player, label);
  put(s, DIM, "%-20.20s", name);
  put(s, PLAIN, "%9.3g    ", last(series));
  put_spark(s, series, spark);
  end_line(s);
}

/* Rows of Elo, or of the team's return where one team plays (evaluated, or, before that, in
 * training): of as many learning players as there is room for. */
static void put_strengths(Screen *s, json_t *root, const SeriesSet *set, int spark) {
  const json_t *player;
  size_t index;
  int room = s->height >= 30 ? 4 : 1;
  bool alone = status_number(root, "teams") == 1;
  json_array_foreach(json_object_get(root, "players"), index, player) {
    if (json_is_true(json_object_get(player, "frozen")) || room-- <= 0) break;
    char label[24];
    char name[96];
    snprintf(name, sizeof name, "%s/%s", status_text(player, "name"),
             alone ? "eval/return" : "rating/elo");
    const Series *series = series_find(set, name);
    if (alone && !series) {
      snprintf(name, sizeof name, "%s/mean_return", status_text(player, "name"));
      series = series_find(set, name);
    }
    if (!series || !series->count) continue;
    snprintf(label, sizeof label, "%.13s %s", status_text(player, "name"),
             alone ? "return" : "Elo");
    put(s, DIM, "%-20.20s", label);
    put(s, BOLD, alone ? "%9.4g    " : "%+9.0f    ", last(series));
    put_spark(s, series, spark);
    end_line(s);
  }
}

/* The mean of the last eight values: a single tick says little of who waits. */
static double recent(const Series *series) {
  double sum = 0;
  size_t n = series->count < 8 ? series->count : 8;
  for (size_t i = series->count - n; i < series->count; i++)
    sum += series->y[i];
  return sum / (double)n;
}

/* What the ranks of actors and of the first learner had nothing to do for, since the look
 * before. */
static void put_waits(Screen *s, const json_t *root, const SeriesSet *set, int spark) {
  char name[96];
  const json_t *waits = json_object_get(root, "actor_waits");
  const json_t *first = json_array_get(json_object_get(root, "players"), 0);
  snprintf(name, sizeof name, "%s/waits", status_text(first, "name"));
  const Series *series = series_find(set, name);
  if (json_is_object(waits)) {
    put(s, DIM, "%-20s", status_number(root, "actors") == 1 ? "actor waits" : "actors wait");
    put(s, PLAIN, "%8.0f %%   ", 100 * status_number(waits, "mean"));
    if (status_number(root, "actors") > 1)
      put(s, DIM, "most: actor %.0f, %.0f %%", status_number(waits, "actor"),
          100 * status_number(waits, "most"));
    end_line(s);
  }
  if (series && series->count) {
    double share = recent(series);
    put(s, DIM, "%-20s", "learner waits");
    put(s, share > 0.5 ? YELLOW : PLAIN, "%8.0f %%   ", 100 * share);
    put_spark(s, series, spark);
    end_line(s);
  }
}

/* The number whose course says how much chance is in what a player does. */
static const char *charted_spread(const SeriesSet *set, const char *player) {
  static const char *const name[] = {"epsilon", "noise"};
  for (size_t i = 0; i < COUNT_OF(name); i++) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", player, name[i]);
    if (series_find(set, path)) return name[i];
  }
  return "entropy";
}

/* The rows between head and players: strength first, since it is what the run is for, then frames
 * and steps a second, who waits for whom, and the numbers of learning. The less usual ones need a
 * high screen. */
static void put_rates(Screen *s, json_t *root, const SeriesSet *set) {
  int spark = s->width - 36 < 8 ? 8 : s->width - 36 > 90 ? 90 : s->width - 36;
  char label[32];
  snprintf(label, sizeof label, "%.0f learner%s", status_number(root, "learners"),
           status_number(root, "learners") == 1 ? "" : "s");
  put_strengths(s, root, set, spark);
  put_rate(s, label, series_find(set, "charts/SPS"), " f/s", spark);
  snprintf(label, sizeof label, "%.0f actor%s, env", status_number(root, "actors"),
           status_number(root, "actors") == 1 ? "" : "s");
  put_rate(s, label, series_find(set, "charts/env_steps_per_second"), "/s", spark);
  if (s->height >= 30 && status_number(root, "teams") != 1)
    put_rate(s, "frozen decisions", series_find(set, "charts/frozen_decisions_per_second"), "/s",
             spark);
  put_waits(s, root, set, spark);
  const char *first = status_text(json_array_get(json_object_get(root, "players"), 0), "name");
  const char *main = *first ? first : "main_0"; /* mains come first */
  const char *spread = charted_spread(set, main);
  put_number(s, set, main, "exploitability", "exploitability", spark);
  put_number(s, set, main, spread, spread, spark);
  if (s->height >= 30) {
    put_number(s, set, main, "value_loss", "value loss", spark);
    if (!strcmp(spread, "entropy")) put_number(s, set, main, "approx_kl", "KL", spark);
    put_number(s, set, main, "lag", "lag", spark);
  }
  end_line(s);
}

/* Whether a row of the table of players has room for all of its columns. */
static bool is_broad(const Screen *s) {
  return s->width >= 100;
}

/* Elo of a learning player's newest rated snapshot. */
static void put_strength(Screen *s, const json_t *player) {
  char text[80] = "n/a";
  const json_t *rating = json_object_get(player, "rating");
  double low = status_number(rating, "low");
  double high = status_number(rating, "high");
  int bound = (int)status_number(rating, "bound");
  text_rating(json_is_object(rating), bound, status_number(rating, "elo"), low, high, text,
              sizeof text);
  put(s, bound || high - low > STANDING_WIDE ? DIM : PLAIN, "  %-20s", text);
}

/* How much chance is in what it does: epsilon, noise, or the entropy of its policy. */
static const char *spread_of(const json_t *player) {
  if (json_object_get(player, "noise")) return "noise";
  return json_object_get(player, "epsilon") ? "epsilon" : "entropy";
}

/* On a narrow screen the strength comes before what fits no more. */
static void put_player(Screen *s, const json_t *player, bool earns) {
  char a[16];
  bool frozen = json_is_true(json_object_get(player, "frozen"));
  const json_t *score = json_object_get(player, "score");
  const json_t *earned = json_object_get(json_object_get(player, "return"), "mean");
  double value = json_number_value(score);
  put(s, frozen ? PLAIN : BOLD, is_broad(s) ? "%-30.30s" : "%-25.25s", status_text(player, "name"));
  put(s, PLAIN, is_broad(s) ? "%10s  " : "%7s  ",
      text_scaled(status_number(player, "frames"), a, sizeof a));
  if (earns) {
    char text[24] = "n/a";
    if (json_is_number(earned)) snprintf(text, sizeof text, "%.4g", json_number_value(earned));
    put(s, frozen ? DIM : PLAIN, is_broad(s) ? "%-18s" : "%-12s", frozen ? "" : text);
  } else if (json_is_number(score)) {
    put(s, value >= 0.55 ? GREEN : value <= 0.45 ? RED : PLAIN, "%.3f ", value);
    put_bar(s, value, is_broad(s) ? 12 : s->unicode ? 6 : 4);
  } else {
    put(s, DIM, is_broad(s) ? "%-18s" : "%-12s", "no games");
  }
  if (frozen) {
    put(s, DIM, "  frozen");
    end_line(s);
    return;
  }
  put_strength(s, player);
  const char *spread = spread_of(player);
  if (json_is_number(json_object_get(player, spread)))
    put(s, PLAIN, " %7.3f", status_number(player, spread));
  else
    put(s, DIM, " %7s", "n/a");
  const json_t *rating = json_object_get(player, "rating");
  if (is_broad(s) && json_is_object(rating)) put(s, DIM, "  %s", status_text(rating, "as"));
  end_line(s);
}

/* Heads of the columns of the env's metrics; columns that fit no more are left out, here and
 * below, rather than cut in their middle. */
static void put_metric_names(Screen *s, json_t *evaluation) {
  const char *name;
  json_t *value;
  json_object_foreach(json_object_get(evaluation, "metrics"), name, value) {
    if (s->column + 1 + status_metric_width(name) <= s->width)
      put(s, DIM, " %*s", status_metric_width(name), name);
  }
}

/* A player's row: frames ("-": it needs no training), what the team earns with it, and the env's
 * metrics meanwhile. */
static void put_earned(Screen *s, Ink ink, const char *who, const char *frames,
                       json_t *evaluation) {
  char text[160];
  const char *name;
  json_t *value;
  put(s, ink, "%-12.12s", who);
  put(s, ink == DIM ? DIM : PLAIN, "%8s  %-28s", frames,
      status_return(evaluation, text, sizeof text));
  json_object_foreach(json_object_get(evaluation, "metrics"), name, value) {
    const int width = status_metric_width(name);
    if (s->column + 1 + width <= s->width)
      put(s, ink == DIM ? DIM : PLAIN, " %*.3g", width, json_number_value(value));
  }
  end_line(s);
}

/* Where one team plays: what learning players earn in evaluation episodes, what others earn that
 * need no training, and the env's metrics there; of snapshots there is only their number. */
static void put_team(Screen *s, json_t *root, int rows) {
  json_t *player;
  json_t *baseline;
  json_t *baselines = json_object_get(root, "baselines");
  const char *name;
  size_t index;
  size_t snapshots = 0;
  char text[16];
  const char *words = status_text(root, "return_is");
  json_t *first = json_array_get(json_object_get(root, "players"), 0);
  put(s, DIM, "%-12s%8s  %-28s", "player", "frames", "team return [95 %]");
  put_metric_names(s, json_object_get(first, "evaluation"));
  end_line(s);
  json_array_foreach(json_object_get(root, "players"), index, player) {
    const bool frozen = json_is_true(json_object_get(player, "frozen"));
    snapshots += frozen;
    if (frozen || rows-- <= 0) continue;
    put_earned(s, BOLD, status_text(player, "name"),
               text_scaled(status_number(player, "frames"), text, sizeof text),
               json_object_get(player, "evaluation"));
  }
  json_object_foreach(baselines, name, baseline) {
    if (rows-- > 0) put_earned(s, DIM, name, "-", baseline);
  }
  if (*words) put(s, DIM, "returns are the %s; ", words);
  put(s, DIM, "%zu snapshot%s", snapshots, snapshots == 1 ? "" : "s");
  end_line(s);
}

/* What was measured in training episodes of late, as much as fits. */
static void put_measures(Screen *s, const json_t *root) {
  const char *name;
  json_t *value;
  json_t *measures = json_object_get(root, "measures");
  if (!json_object_size(measures)) return;
  put(s, DIM, "in training episodes:");
  json_object_foreach(measures, name, value) {
    char text[AGON_NAME_LEN + 32];
    const int width = snprintf(text, sizeof text, " %s %.4g", name, json_number_value(value));
    if (s->column + width <= s->width) put(s, PLAIN, "%s", text);
  }
  end_line(s);
}

/* Learning players, then the newest frozen ones, as many as there is room for. Where what one gains
 * is not what the others lose they are shown by what they earn instead of by how they score. */
static void put_league(Screen *s, const json_t *root, int rows) {
  const bool earns = json_is_true(json_object_get(root, "general_sum"));
  json_t *players = json_object_get(root, "players");
  json_t *player;
  size_t index;
  size_t frozen = 0;
  size_t learning = 0;
  put(s, DIM, is_broad(s) ? "%-30s%10s  %-18s  %-20s %7s%s" : "%-25s%7s  %-12s  %-20s %7s%s",
      "player", "frames", earns ? "return" : "score", "Elo [95 %]",
      spread_of(json_array_get(players, 0)), is_broad(s) ? "  as" : "");
  end_line(s);
  json_array_foreach(players, index, player) {
    if (json_is_true(json_object_get(player, "frozen")))
      frozen++;
    else if (learning++ < (size_t)rows)
      put_player(s, player, earns);
  }
  size_t room = (size_t)rows > learning ? (size_t)rows - learning : 0;
  size_t skip = frozen > room ? frozen - room : 0;
  size_t seen = 0;
  json_array_foreach(players, index, player) {
    if (json_is_true(json_object_get(player, "frozen")) && seen++ >= skip)
      put_player(s, player, earns);
  }
  put_measures(s, root);
}

/* Lines of the legend that belong together. */
typedef struct Lines {
  const char *const *line;
  size_t count;
  bool shown; /* what they explain is on the screen */
} Lines;

/* What the screen shows, for who asks with '?'; and no more than that, so that it fits a screen. */
static void put_legend(Screen *s, const json_t *root) {
  static const char *const elo[] = {
      "Elo       of the player's newest snapshot that has met others; random is at 0",
      "[95 %]    the interval it lies in; grey where that is wide. 'as': the snapshot"};
  static const char *const score[] = {
      "score     share of points against all it met lately; green > .55, red < .45"};
  static const char *const earns[] = {
      "return    what it earns itself in training",
      "welfare   with minimum and gini: the mean over teams, who earns least, and how",
      "          unequal they are (0: all alike)"};
  static const char *const team[] = {
      "return    of the team in an episode of the greedy policy, mean of many; the last",
      "          evaluation (metrics.evaluation_episodes). The key `returns` says what it is",
      "[95 %]    the interval that the mean lies in",
      "random .. below the learning players: what those earn in the same episodes that need",
      "          no training (random choices, the game's rule-based player, doing nothing)"};
  static const char *const entropy[] = {
      "entropy   of the policy: how much it still tries; 0: always the same choice"};
  static const char *const epsilon[] = {
      "epsilon   how often it takes any choice, instead of the one it values most"};
  static const char *const noise[] = {
      "noise     the deviation of what is added to its actions, which are numbers"};
  static const char *const rates[] = {
      "f/s       frames (decisions of learning players) learned a second; env: steps",
      "waits     share of a rank's time with nothing to do. High at the learner: more",
      "          actors would help. High at the actors: the learner is the limit, more",
      "          learner ranks would. One actor far above the others: its host"};
  static const char *const league[] = {
      "exploit.  what a best responder wins against it (metrics.exploitability)",
      "frozen    a snapshot: it plays, and learns no more"};
  static const char *const both[] = {
      "lag, KL   updates between acting and learning; how far they moved the policy",
      "bars      the course of a number, from its lowest to its highest here"};
  const bool alone = status_number(root, "teams") == 1;
  const bool general = json_is_true(json_object_get(root, "general_sum"));
  const char *spread = spread_of(json_array_get(json_object_get(root, "players"), 0));
  const Lines part[] = {{elo, COUNT_OF(elo), !alone},
                        {score, COUNT_OF(score), !alone && !general},
                        {earns, COUNT_OF(earns), !alone && general},
                        {team, COUNT_OF(team), alone},
                        {entropy, COUNT_OF(entropy), !strcmp(spread, "entropy")},
                        {epsilon, COUNT_OF(epsilon), !strcmp(spread, "epsilon")},
                        {noise, COUNT_OF(noise), !strcmp(spread, "noise")},
                        {rates, COUNT_OF(rates), true},
                        {league, COUNT_OF(league), !alone},
                        {both, COUNT_OF(both), true}};
  for (size_t p = 0; p < COUNT_OF(part); p++)
    for (size_t i = 0; part[p].shown && i < part[p].count; i++) {
      put(s, PLAIN, "%s", part[p].line[i]);
      end_line(s);
    }
}

/* The last lines of the log that are events, not progress. */
static void put_events(Screen *s, const char *run, int rows) {
  char path[PATH_MAX];
  char kept[16][256];
  size_t count = 0;
  if (rows < 1 || text_format(path, sizeof path, "%s/log.txt", run) != OK) return;
  FILE *file = fopen(path, "r");
  char line[1024];
  if (!file) return;
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  /* The tail is enough, and a long run's log is long. Its first line is cut and is skipped. */
  fseek(file, size > 65536 ? size - 65536 : 0, SEEK_SET);
  if (size > 65536 && !fgets(line, sizeof line, file)) line[0] = 0;
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    if (strstr(line, " frames/s, tick ") || !*line) continue;
    snprintf(kept[count++ % COUNT_OF(kept)], sizeof kept[0], "%.255s", line);
  }
  fclose(file);
  size_t shown = count < (size_t)rows ? count : (size_t)rows;
  if (shown > COUNT_OF(kept)) shown = COUNT_OF(kept);
  end_line(s);
  put(s, DIM, "events");
  end_line(s);
  for (size_t i = count - shown; i < count; i++) {
    put(s, PLAIN, "%s", kept[i % COUNT_OF(kept)]);
    end_line(s);
  }
}

/* One look: reads the run's files anew and draws the whole screen. The rows that are left below the
 * rates are shared out between players and events. Fails where status.json or metrics.jsonl cannot
 * be read; ERR_ codes are those of status_load and series_read. */
static Status draw(Screen *s, const char *run) {
  json_t *root;
  SeriesSet set = {0};
  char path[PATH_MAX];
  TRY_RETURN(status_load(run, &root));
  Status status = text_format(path, sizeof path, "%s/metrics.jsonl", run);
  if (status == OK) status = series_read(path, 1 << 20, &set);
  s->row = 0;
  if (s->terminal) printf("\033[H");
  if (status == OK) {
    put_head(s, run, root);
    put_rates(s, root, &set);
    int left = s->height - s->row - 2;
    int events = s->terminal ? (left > 18 ? 8 : left > 11 ? 4 : 2) : 8;
    if (s->legend) {
      put_legend(s, root);
    } else {
      const int rows = s->terminal ? (left - events - 2 > 2 ? left - events - 2 : 2) : 16;
      if (status_number(root, "teams") == 1)
        put_team(s, root, rows);
      else
        put_league(s, root, rows);
      put_events(s, run, events);
    }
    if (s->terminal) {
      while (s->row < s->height - 1)
        end_line(s);
      put(s, DIM,
          s->legend ? "? the players again   q leaves, the run goes on"
                    : "? explains   q leaves, the run goes on");
      end_line(s);
    } else {
      printf("\n");
    }
  }
  fflush(stdout);
  series_free(&set);
  json_decref(root);
  return status;
}

/* --- the terminal --- */
static struct termios before;
static volatile sig_atomic_t leaving;
/* Only marks the wish to leave: restoring the terminal is not safe within a signal handler. */
static void on_leave(int signal) {
  leaving = signal;
}

/* The terminal's size now: the window may have been resized since the last look. */
static void measure(Screen *s) {
  struct winsize size;
  if (s->terminal && ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    s->width = size.ws_col;
    s->height = size.ws_row;
  }
}

/* Takes the terminal: another screen, so that what was on it comes back afterwards, and keys one by
 * one without echo. Signals that would end the process only set `leaving`, as the terminal must be
 * given back. */
static void enter(const Screen *s) {
  struct sigaction action = {.sa_handler = on_leave};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  if (!s->terminal) return;
  printf("\033[?1049h\033[?25l\033[2J"); /* another screen, no cursor */
  if (tcgetattr(0, &before)) return;
  struct termios raw = before;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  tcsetattr(0, TCSANOW, &raw);
}

/* Gives the terminal back as `enter` found it. */
static void leave(const Screen *s) {
  if (!s->terminal) return;
  printf("\033[?25h\033[?1049l");
  fflush(stdout);
  tcsetattr(0, TCSANOW, &before);
}

/* What the person at the keys wants next. */
typedef enum Wish { LOOK, LEAVE, EXPLAIN } Wish;

/* Waits for a key, or until it is time to look again. */
static Wish wait_key(const Screen *s, double seconds) {
  struct pollfd keys = {.fd = 0, .events = POLLIN};
  int found = poll(&keys, s->terminal && isatty(0) ? 1 : 0, (int)(seconds * 1000));
  char key = 0;
  if (leaving) return LEAVE;
  if (found <= 0 || read(0, &key, 1) != 1) return LOOK;
  return key == 'q' || key == 'Q' || key == 27 ? LEAVE : key == '?' || key == 'h' ? EXPLAIN : LOOK;
}

/* Looks, draws and waits, until a key, a signal, the number of looks or, on a pipe, the end of the
 * run. On a terminal the last screen of a finished run stays until the person leaves it. */
static Status run_watch(int argc, char **argv) {
  Status status;
  Arguments arguments;
  double every;
  long long times;
  TRY_RETURN(arguments_parse(&command_watch, argc, argv, &arguments));
  TRY_RETURN(argument_seconds(&command_watch, &arguments, "--every", 2, 1, 3600, &every));
  TRY_RETURN(argument_int(&command_watch, &arguments, "--times", 0, 0, 1000000000, &times));
  if (arguments.words != 1) return usage_error(&command_watch, "one run folder is needed");
  const char *run = arguments.word[0];
  const char *no_colour = getenv("NO_COLOR");
  const char *kind = getenv("TERM");
  json_t *root;
  TRY_RETURN(status_load(run, &root)); /* before the screen changes */
  json_decref(root);
  bool terminal = isatty(1) && !getenv("OMPI_COMM_WORLD_SIZE") && !(kind && !strcmp(kind, "dumb"));
  Screen screen = {.width = terminal ? 80 : 110,
                   .height = terminal ? 24 : 200,
                   .terminal = terminal,
                   .colour = terminal && !(no_colour && *no_colour),
                   .unicode = terminal_unicode()};
  enter(&screen);
  for (long long look = 1;; look++) {
    measure(&screen);
    status = draw(&screen, run);
    if (status != OK || look == times) break;
    bool held = false;
    if (!terminal) status = status_held(run, &held);
    if (status != OK || (!terminal && !held)) break;
    Wish wish = wait_key(&screen, every);
    if (wish == LEAVE) break;
    if (wish == EXPLAIN) screen.legend = !screen.legend;
  }
  leave(&screen);
  return status;
}

const Command command_watch = {
    "watch",
    "RUN [--every TIME] [--times N]",
    "follows a run on one screen; ? explains it, q leaves, the run goes on",
    "On a pipe it prints plain text and ends with the run.",
    flags,
    COUNT_OF(flags),
    run_watch};

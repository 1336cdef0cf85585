#include "league/monitor.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

struct Monitor {
  const League *league; /* borrowed */
  Clock clock;
  Display *display;
  int64_t last_look;
  uint64_t *version;       /* (learning) of the weights that the last report is about */
  Numbers *report;         /* (learning) losses and the like, of the last update with any */
  uint64_t *dropped;       /* (learning) frames thrown away as too old */
  double *skipped;         /* (learning) steps of this job that were passed over (learner.on_nan) */
  double unsaved;          /* seconds for which what must be saved could not be */
  size_t unmeasured;       /* past players left out of the last table's meta-game */
  uint64_t unmeasured_key; /* a number that changes with who they are */
};

/* What the display is to show. */
static Progress progress_of(const Monitor *monitor, const RunPosition *now, uint64_t generation,
                            const char *reason) {
  return (Progress){
      .tick = now->tick,
      .frames = now->frames,
      .frozen_decisions = now->frozen_decisions,
      .steps = now->steps,
      .episodes = now->episodes,
      .generation = generation,
      .seconds = now->seconds,
      .unmeasured = monitor->unmeasured,
      .unsaved = monitor->unsaved,
      .reason = reason,
      .report = monitor->report,
      .dropped = monitor->dropped,
  };
}

Status monitor_create(const DisplaySetup *setup, const RunPosition *begin, uint64_t generation,
                      Monitor **out) {
  Status status = OK;
  Monitor *monitor = NULL;
  const size_t learning = setup->league->learning;
  TRY(NEW_ARRAY(monitor, 1));
  monitor->league = setup->league;
  monitor->clock = setup->clock;
  TRY(NEW_ARRAY(monitor->version, learning));
  TRY(NEW_ARRAY(monitor->report, learning));
  TRY(NEW_ARRAY(monitor->dropped, learning));
  TRY(NEW_ARRAY(monitor->skipped, learning));
  Progress progress = progress_of(monitor, begin, generation, "running");
  TRY(display_create(setup, &progress, &monitor->display));
  *out = monitor;
  monitor = NULL;
done:
  monitor_destroy(monitor);
  return status;
}

void monitor_destroy(Monitor *monitor) {
  if (!monitor) return;
  display_destroy(monitor->display);
  free(monitor->version);
  free(monitor->report);
  free(monitor->dropped);
  free(monitor->skipped);
  free(monitor);
}

/* That a player's steps are passed over is said at the first; how many they are in all, metrics
 * say. */
static void note_skipped(Monitor *monitor, WireReport *report) {
  double *all = &monitor->skipped[report->player];
  const bool first = *all == 0;
  *all += numbers_get(&report->numbers, "skipped");
  if (*all > 0) numbers_set(&report->numbers, "skipped", *all);
  if (!first || *all == 0) return;
  log_warning("%s: steps of tick %llu were passed over, as what they would be made by is not "
              "finite or too large (learner.on_nan=skip); %s/skipped in the metrics counts them",
              monitor->league->player[report->player].name, (unsigned long long)report->tick,
              monitor->league->player[report->player].name);
}

Status monitor_take_report(Monitor *monitor, const Members *members, const Message *message,
                           Reader *body) {
  WireReport report;
  TRY_RETURN(report_decode(&report, body));
  const uint32_t player = report.player;
  if (player >= monitor->league->learning || message->peer != members_player_rank(members, player))
    return status_set(ERR_FORMAT, "player %u is not learned there", player);
  if (report.version < monitor->version[player] || report.dropped < monitor->dropped[player])
    return status_set(ERR_FORMAT, "the counters of player %u have gone back", player);
  monitor->version[player] = report.version;
  monitor->dropped[player] = report.dropped;
  note_skipped(monitor, &report);
  if (report.numbers.count) monitor->report[player] = report.numbers;
  return OK;
}

void monitor_count(Monitor *monitor, const Results *results) {
  display_count(monitor->display, results);
}

/* Says who is left out of the meta-game, and only when that has changed; `key` stands for the set
 * of names. */
void monitor_note_unmeasured(Monitor *monitor) {
  enum { NAMED = 3 }; /* of those left out; the others are only counted */
  const League *league = monitor->league;
  char names[160] = "";
  size_t used = 0;
  size_t count = 0;
  size_t frozen = 0;
  uint64_t key = 0;
  for (size_t i = 0; i < league->players; i++) {
    const Player *player = &league->player[i];
    frozen += player->frozen;
    if (!player->unmeasured) continue;
    key = key * 31 + i;
    if (count++ < NAMED)
      used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                               player->name);
  }
  if (count && key != monitor->unmeasured_key)
    log_line("meta-game of %zu past players; left out until they have met all others: %zu (%s%s)",
             frozen - count, count, names, count > NAMED ? ", ..." : "");
  monitor->unmeasured = count;
  monitor->unmeasured_key = key;
}

void monitor_note_unsaved(Monitor *monitor, double seconds) {
  monitor->unsaved = seconds;
}

/* True at most twice a second: looking at files and clocks in each step of the loop would cost more
 * than it tells. */
bool monitor_look_due(Monitor *monitor) {
  int64_t now = clock_now(&monitor->clock);
  if (clock_seconds(now - monitor->last_look) < 0.5) return false;
  monitor->last_look = now;
  return true;
}

Status monitor_show(Monitor *monitor, const RunPosition *now, uint64_t generation,
                    const char *reason) {
  Display *display = monitor->display;
  Progress progress = progress_of(monitor, now, generation, reason);
  TRY_RETURN(display_status(display, &progress, "running"));
  if (display_line_due(display)) display_line(display, &progress);
  return display_metrics_due(display) ? display_metrics(display, &progress) : OK;
}

Status monitor_finish(Monitor *monitor, const RunPosition *now, uint64_t generation,
                      const char *reason, const char *state) {
  Progress progress = progress_of(monitor, now, generation, reason);
  return display_finish(monitor->display, &progress, state);
}

const Display *monitor_display(const Monitor *monitor) {
  return monitor->display;
}

const LearnerRating *monitor_ratings(const Monitor *monitor) {
  return display_ratings(monitor->display);
}

/* The parts of a run's report. */
#pragma once
#include "run/view.h"
#include "report/chart.h"
#include "run/series.h"
#include "job/strength.h"
#include "nn/kernels/openblas.h"
#include "transport/transport.h"

/* A run, loaded, and the page that is being written. */
typedef struct Report {
  const RunView *run;
  SeriesSet series;
  Strength strength; /* as agon rate shows it */
  uint32_t *order;   /* (players) by role, age; learning players last in their role */
  double frames;
  bool margins; /* league.by_return: returns are the game, not who won */
  char *yaml;   /* RUN/config.yaml, whose comments name the origins; NULL: there is none */
  Bytes out;
} Report;

/* Fills a report whose `run` is set. report_free is due in any case. ERR_IO, ERR_FORMAT,
 * ERR_MEMORY. */
Status report_load(Report *report);
void report_free(Report *report);
/* Elo, or the mean return where margins are the game, into out[size], which is returned; "n/a" if
 * it cannot be told. */
const char *report_strength_text(const Report *report, uint32_t player, char *out, size_t size);
/* Where one team plays: what a learning player earned in its last evaluation, or, where there was
 * none, in training; into out[size], which is returned. */
const char *report_return_text(const Report *report, uint32_t player, char *out, size_t size);
/* The player with the highest lower bound. */
uint32_t report_strongest(const Report *report);
/* The learning player that a player belongs to: itself, or whose copy it is. */
size_t report_line_of(const League *league, size_t player);
/* Games of a against b, from a's side: of two frozen players those of evaluation, else what
 * training remembers. *independent: see payoff_independent. */
Tally report_known(const Report *report, uint32_t a, uint32_t b, double *independent);
/* The learning players and their colours. */
void report_legend(Report *report);
/* The CSS class of a learning player's colour. */
const char *report_colour(size_t learning_player);
/* The sections of the page, each appended to report->out. */
void report_ratings(Report *report);
void report_team(Report *report); /* in place of these where one team plays */
void report_payoff(Report *report);
void report_family(Report *report);
/* The family alone, as an SVG file that stands by itself, light or dark as its reader is. */
void report_family_picture(Report *report);
/* The curve of the team's return alone, likewise. ERR_USAGE where several teams play, or nothing
 * was evaluated. */
Status report_team_picture(Report *report);
void report_forgotten(Report *report);
/* An episode of the first main in pictures, where the game's code is at hand and draws any
 * (report_has_episode). */
bool report_has_episode(const Report *report);
void report_episode(Report *report);
/* A figure: whom the first main meets now. */
void report_opponents(Report *report);
/* A page up to its heading, which is left open: "</h1>" comes next. */
void report_head(Bytes *out, const char *title);
/* The whole page into report->out. */
void report_page(Report *report, const char *title);

/* The parts of a run's report. */
#pragma once
#include "cli/arena.h"
#include "cli/chart.h"
#include "cli/series.h"
#include "nn/gemm.h"
#include "transport/transport.h"

typedef struct Report {
  const LoadedRun *run;
  SeriesSet series;
  Games
      games; /* evaluation games between frozen players; of learning players their recent games. Ids are the league's */
  Standing standing;
  uint32_t *order; /* (players) by role, age; learning players last in their role */
  double frames;
  char *yaml; /* RUN/config.yaml, whose comments name the origins; NULL: there is none */
  Bytes out;
} Report;

Status report_load(Report *report);
void report_free(Report *report);
const char *report_colour(size_t learning_player); /* CSS class */
void report_ratings(Report *report);
void report_payoff(Report *report);
void report_family(Report *report);
void report_forgotten(Report *report);
void report_opponents(Report *report); /* a figure: whom the mains meet now */

/* What a job says: the run's log, the screen, the banner at its beginning and the summary at its
 * end. */
#pragma once
#include "job/rank.h"
#include "league/manager.h"

#include <stdio.h>

typedef struct Screen {
  FILE *out;      /* borrowed; NULL: the log alone */
  FILE *warnings; /* borrowed */
  FILE *log;      /* the run's log; owned; NULL: there is none yet */
  int64_t start;  /* of the clock, when the job began */
} Screen;

/* Lines of log_line and log_warning go here until screen_close; log NULL or a path. */
void screen_open(Screen *screen, const char *log);
void screen_close(Screen *screen);
/* Who does what, with what, until when. Collective: it counts the hosts; rank 0 speaks. resume: the
 * checkpoint that the job goes on from, where it does; NULL. */
void screen_banner(const JobConfig *settings, const Topology *topology, Transport *transport,
                   const char *folder, const Tree *resume);
/* What the job did, where its time went, how strong the learning players are, and what to type
 * next. */
void screen_summary(const Screen *screen, const ManagerSummary *summary, const char *folder,
                    const JobConfig *settings);

/* What the league tells people while it runs: it keeps what the learners report and who is left out
 * of the meta-game, and has the display (display.h) say it when it is due. */
#pragma once
#include "league/checkpoint.h"
#include "league/display.h"
#include "league/members.h"

typedef struct Monitor Monitor;
/* begin: where the run stands as the job begins. */
Status monitor_create(const DisplaySetup *setup, const RunPosition *begin, uint64_t generation,
                      Monitor **out);
void monitor_destroy(Monitor *monitor);

/* Takes a learner's REPORT. ERR_FORMAT unless the player is learned on that rank, and its counters
 * go forward. */
Status monitor_take_report(Monitor *monitor, const Members *members, const Message *message,
                           Reader *body);
void monitor_count(Monitor *monitor, const Results *results);
/* After each table: says in the log who is left out of the meta-game, when that changes. */
void monitor_note_unmeasured(Monitor *monitor);

/* For how many seconds what must be saved could not be; 0: it can. */
void monitor_note_unsaved(Monitor *monitor, double seconds);

/* True twice a second, for looking at what costs a look at the disk; the next look is counted from
 * then. */
bool monitor_look_due(Monitor *monitor);
/* reason: what the run does, or why it ends. */
Status monitor_show(Monitor *monitor, const RunPosition *now, uint64_t generation,
                    const char *reason);
/* The end of a job: everything is said once more, with ratings that are those of the last
 * checkpoint. state: finished or stopped. */
Status monitor_finish(Monitor *monitor, const RunPosition *now, uint64_t generation,
                      const char *reason, const char *state);
const Display *monitor_display(const Monitor *monitor);       /* what it has people see */
const LearnerRating *monitor_ratings(const Monitor *monitor); /* (learning) the last */

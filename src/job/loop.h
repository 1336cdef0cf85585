/* The loop of one rank of a job. */
#pragma once
#include "job/rank.h"

/* Steps the rank's roles until they are done. A signal that job_catch_signals took asks the league
 * to save and end. */
Status loop_run(Rank *rank);
/* Collective: what was sent ahead for ticks that nobody plays any more is received and dropped, so
 * that every send completes and no rank leaves before another has its messages. */
void loop_leave(Transport *transport);

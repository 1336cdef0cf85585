/* The loop of one rank of a job. */
#pragma once
#include "job/rank.h"

/* Steps the rank's roles until they are done. A signal that job_catch_signals took asks the league
 * to save and end. Where an environment of Python does not answer, so that no tick is finished any
 * more, such a signal, or a file at the path `stop`, ends the wait for it, and the job. */
Status loop_run(Rank *rank, const char *stop);
/* Collective: what was sent ahead for ticks that nobody plays any more is received and dropped, so
 * that every send completes and no rank leaves before another has its messages. */
void loop_leave(Transport *transport);

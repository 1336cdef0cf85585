/* A process as part of a job: joining it, and ending all of it where an invariant is broken. */
#pragma once
#include "transport/transport.h"

/* Joins the job that mpirun started, or makes one of this process alone: transport_mpi_create, and
 * job_watch over it. The caller destroys *out; on failure, with the codes of transport_mpi_create,
 * there is none. */
Status job_join(int *argc, char ***argv, Transport **out);
/* On stderr, the warnings that no log has taken. */
void job_show_warnings(void);
/* From now on a broken invariant of this thread is printed and ends the job (NULL: this process)
 * with exit code 1. */
void job_watch(Transport *transport);
/* Ends this process where the message has been printed already (by rank 0 of a job), with the
 * status's exit code. */
_Noreturn void leave_told(Status status);

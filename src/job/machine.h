/* What there is on this host for the job to run on. */
#pragma once
#include <stddef.h>

typedef struct Machine {
  char processor[96]; /* its model; "processor" where the system does not say */
  int packages;       /* sockets */
  int cores;          /* that the job may use, of all packages */
  int threads;        /* hardware threads of these */
  int bound_cores;    /* that this process is bound to, wholly or by one of their threads */
} Machine;

/* Asks hwloc. Where that knows nothing, `cores` and the other numbers are 0. */
void machine_look(Machine *out);

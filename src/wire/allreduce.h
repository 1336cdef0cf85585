/* Sums of float vectors over a few ranks (the learners that share a player), without blocking. A
 * vector is cut into one segment per member; each member sums its segment in the order of the
 * members and hands the result to the others, so all members get the same bits, run after run. A
 * sum costs a member 2 (members - 1) messages and twice the vector's bytes. Sums are numbered by
 * the order in which they are started, which must be the same on all members. */
#pragma once
#include "wire/wire.h"

/* One member's end of the sums of a group. */
typedef struct Allreduce Allreduce;

/* Who the members are, and how they reach each other. */
typedef struct AllreduceSetup {
  Transport *transport;
  const int *rank; /* (members) in order, self among them; borrowed */
  size_t members, self;
  /* Memory that members of one host share (start_shared), or NULL. Between them, vectors go through
   * it: copied once, no message, no help of the other side. `room`: floats of each member's region,
   * as in allreduce_shared_bytes. */
  void *const *shared;
  size_t room;
} AllreduceSetup;

/* Bytes of a member's region for sums that together, while under way, have at most `room` floats.
 */
size_t allreduce_shared_bytes(size_t room);
/* *out is the caller's (allreduce_destroy). ERR_MEMORY; *out is then as it was. */
Status allreduce_create(const AllreduceSetup *setup, Allreduce **out);
/* Accepts NULL. Sums that are under way are dropped. */
void allreduce_destroy(Allreduce *summer);
/* Begins to sum values (count) in place; they are borrowed until allreduce_test says that all that
 * was started is done. ERR_FORMAT if another member's part has another length, ERR_INTERNAL if it
 * is longer than its room, ERR_MEMORY, ERR_IO. */
Status allreduce_start(Allreduce *summer, float *values, size_t count);
/* Does what can be done now, and says whether all that was started is done. Codes as above. */
Status allreduce_test(Allreduce *summer, bool *done);
/* Takes a WIRE_SUM_PART or WIRE_SUM_WHOLE; retains the message if it is needed longer. ERR_FORMAT
 * for one that does not fit what is under way, ERR_MEMORY, ERR_IO. */
Status allreduce_receive(Allreduce *summer, WireKind kind, Message *message, Reader *body);

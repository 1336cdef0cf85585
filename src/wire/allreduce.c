/* A sum goes through three stages at each member. Its vector is given to the others (`given`). The
 * member's own segment is added up when all parts for it are here, and handed round (`summed`). The
 * other segments are taken as they come (`taken`). Sums are worked on in the order of their
 * numbers. Through shared memory a member writes its whole vector into its own region and counts
 * up; where a sum lies in the regions follows from the lengths of the sums before it, so it is the
 * same for all. */
#include "wire/allreduce.h"

#include "base/invariant.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The beginning of a member's shared memory. Two vectors of `room` floats follow: its parts, and
 * its sums. */
typedef struct Region {
  _Atomic uint64_t given, summed, taken; /* how many sums of this member have come so far */
  uint8_t pad[40];
} Region;

/* One sum that is not over yet; others may have sent parts of it before it is started here. */
typedef struct Sum {
  uint64_t number, end; /* end: floats given to all sums up to and with this one */
  float *values;        /* NULL: not started here yet */
  size_t count, at;     /* at: place in the regions */
  Message **part;       /* (members) of the own segment, from other hosts */
  size_t *part_count;   /* (members) floats in it */
  const float **part_at;
  bool *have; /* (members) whose segment is here */
  size_t parts, wholes;
  bool given, summed;
} Sum;

struct Allreduce {
  AllreduceSetup setup;
  uint64_t started, finished;
  /* Position in the ring, counted in floats since the start and never wrapped. A sum must lie in
   * one piece: what is left at the ring's end when the next one does not fit is skipped, and
   * counted here too. */
  uint64_t end;
  Sum *sum; /* by number, from `finished` on */
  size_t sums, room;
  uint64_t *part_due, *whole_due; /* (members) number of the sum whose message comes next */
  uint64_t *freed;                /* ring of the last sums: end of sum n at [n % RING] */
  WireOut wire;
};

enum { RING = 256 };

/* A head and two vectors. */
size_t allreduce_shared_bytes(size_t room) {
  return sizeof(Region) + 2 * room * sizeof(float);
}

/* Shared regions begin as zeros, so that nothing has been given yet. *out is set last: whoever
 * frees it after a failure, too, frees what was there before. */
Status allreduce_create(const AllreduceSetup *setup, Allreduce **out) {
  Status status = OK;
  Allreduce *summer = NULL;
  TRY(NEW_ARRAY(summer, 1));
  summer->setup = *setup;
  TRY(NEW_ARRAY(summer->freed, RING));
  TRY(NEW_ARRAY(summer->part_due, setup->members));
  TRY(NEW_ARRAY(summer->whole_due, setup->members));
  *out = summer;
  summer = NULL;
done:
  allreduce_destroy(summer);
  return status;
}

/* Messages of parts are held until the sum is over. */
static void sum_free(const Allreduce *summer, Sum *sum) {
  for (size_t m = 0; sum->part && m < summer->setup.members; m++)
    message_release(sum->part[m]);
  free(sum->part);
  free(sum->part_count);
  free(sum->part_at);
  free(sum->have);
}

/* Accepts NULL. */
void allreduce_destroy(Allreduce *summer) {
  if (!summer) return;
  for (size_t i = 0; i < summer->sums; i++)
    sum_free(summer, &summer->sum[i]);
  free(summer->sum);
  free(summer->freed);
  free(summer->part_due);
  free(summer->whole_due);
  bytes_free(&summer->wire.bytes);
  free(summer);
}

/* A member's shared memory as seen here; NULL for members on other hosts. */
static Region *region_of(const Allreduce *summer, size_t member) {
  return summer->setup.shared ? summer->setup.shared[summer->setup.rank[member]] : NULL;
}

/* The vector that the member gives. */
static float *parts_of(const Allreduce *summer, size_t member) {
  Region *region = region_of(summer, member);
  return region ? (float *)(region + 1) : NULL;
}

/* The segments that the member has added up. */
static float *sums_of(const Allreduce *summer, size_t member) {
  return parts_of(summer, member) + summer->setup.room;
}

/* Whether vectors go to this member through memory instead of messages. */
static bool is_near(const Allreduce *summer, size_t member) {
  return region_of(summer, summer->setup.self) && region_of(summer, member);
}

/* Whether anybody reads this member's region. */
static bool any_near(const Allreduce *summer) {
  for (size_t m = 0; m < summer->setup.members; m++)
    if (m != summer->setup.self && is_near(summer, m)) return true;
  return false;
}

/* Where a member's segment of the sum begins; the next member's beginning is its end. */
static size_t segment(const Allreduce *summer, const Sum *sum, size_t member) {
  return sum->count * member / summer->setup.members;
}

/* The sum with this number, made if it is new, with all before it. */
static Status sum_of(Allreduce *summer, uint64_t number, Sum **out) {
  while (summer->finished + summer->sums <= number) {
    size_t members = summer->setup.members;
    TRY_RETURN(GROW(summer->sum, summer->room, summer->sums + 1));
    Sum *sum = &summer->sum[summer->sums];
    *sum = (Sum){.number = summer->finished + summer->sums};
    summer->sums++;
    TRY_RETURN(NEW_ARRAY(sum->part, members));
    TRY_RETURN(NEW_ARRAY(sum->part_count, members));
    TRY_RETURN(NEW_ARRAY(sum->part_at, members));
    TRY_RETURN(NEW_ARRAY(sum->have, members));
  }
  *out = &summer->sum[number - summer->finished];
  return OK;
}

/* Sends the piece of `values` that is `member`'s segment. */
static Status send_segment(Allreduce *summer, WireKind kind, const Sum *sum, size_t member,
                           size_t to) {
  size_t first = segment(summer, sum, member);
  size_t end = segment(summer, sum, member + 1);
  const WireSum said = {
      .number = sum->number,
      .member = (uint32_t)summer->setup.self,
      .count = (uint32_t)(end - first),
      .value = sum->values + first,
  };
  wire_begin(&summer->wire, kind);
  sum_encode(&said, &summer->wire.bytes);
  return wire_send(summer->setup.transport, summer->setup.rank[to], &summer->wire);
}

/* Finds the sum's place in the ring of `room` floats, in one piece. */
static void place_sum(Allreduce *summer, Sum *sum) {
  size_t room = summer->setup.room;
  uint64_t begin = summer->end;
  if (room && begin % room + sum->count > room) begin += room - begin % room;
  sum->at = room ? (size_t)(begin % room) : 0;
  sum->end = begin + sum->count;
  summer->end = sum->end;
  summer->freed[sum->number % RING] = sum->end;
}

/* Whether all near members have read what lay in the sum's place before. */
static bool place_is_free(const Allreduce *summer, const Sum *sum) {
  const AllreduceSetup *setup = &summer->setup;
  for (size_t m = 0; m < setup->members; m++) {
    if (m == setup->self || !is_near(summer, m)) continue;
    uint64_t taken = atomic_load_explicit(&region_of(summer, m)->taken, memory_order_acquire);
    if (taken + RING <= sum->number) return false;
    uint64_t gone = taken ? summer->freed[(taken - 1) % RING] : 0; /* floats up to there are read */
    if (sum->end > gone + setup->room) return false;
  }
  return true;
}

/* Copies the vector into the own region, if its place is free; where nobody is near there is
 * nothing to do. */
static void give(Allreduce *summer, Sum *sum) {
  if (sum->given || (any_near(summer) && !place_is_free(summer, sum))) return;
  sum->given = true;
  if (!any_near(summer)) return;
  memcpy(parts_of(summer, summer->setup.self) + sum->at, sum->values, sum->count * sizeof(float));
  atomic_store_explicit(&region_of(summer, summer->setup.self)->given, sum->number + 1,
                        memory_order_release);
}

/* Whether all parts of the own segment, which begins at `first`, have come; notes where near
 * members' parts lie. */
static bool parts_are_here(const Allreduce *summer, Sum *sum, size_t first) {
  const AllreduceSetup *setup = &summer->setup;
  for (size_t m = 0; m < setup->members; m++) {
    if (m == setup->self || sum->part[m]) continue;
    if (!is_near(summer, m)) return false;
    if (atomic_load_explicit(&region_of(summer, m)->given, memory_order_acquire) <= sum->number)
      return false;
    sum->part_at[m] = parts_of(summer, m) + sum->at + first;
  }
  return true;
}

/* Adds up in the order of the members, so that every run rounds alike. Blocks of 1,024 floats stay
 * in the cache. */
static void add_parts(const Allreduce *summer, const Sum *sum, float *own, size_t count) {
  const AllreduceSetup *setup = &summer->setup;
  const float *part = setup->self == 0 ? own : sum->part_at[0];
  float block[1024];
  for (size_t from = 0; from < count; from += COUNT_OF(block)) {
    size_t length = count - from < COUNT_OF(block) ? count - from : COUNT_OF(block);
    memcpy(block, part + from, length * sizeof *block);
    for (size_t m = 1; m < setup->members; m++) {
      const float *more = (m == setup->self ? own : sum->part_at[m]) + from;
      for (size_t i = 0; i < length; i++)
        block[i] += more[i];
    }
    memcpy(own + from, block, length * sizeof *block);
  }
}

/* Adds up the own segment once all parts are here, and hands it round. */
static Status sum_own(Allreduce *summer, Sum *sum) {
  const AllreduceSetup *setup = &summer->setup;
  size_t first = segment(summer, sum, setup->self);
  size_t count = segment(summer, sum, setup->self + 1) - first;
  float *own = sum->values + first;
  if (sum->summed || !sum->given || !parts_are_here(summer, sum, first)) return OK;
  add_parts(summer, sum, own, count);
  INVARIANT(finite_floats(own, count));
  sum->summed = true;
  for (size_t m = 0; m < setup->members; m++)
    if (m != setup->self && !is_near(summer, m))
      TRY_RETURN(send_segment(summer, WIRE_SUM_WHOLE, sum, setup->self, m));
  if (!any_near(summer)) return OK;
  memcpy(sums_of(summer, setup->self) + sum->at + first, own, count * sizeof *own);
  atomic_store_explicit(&region_of(summer, setup->self)->summed, sum->number + 1,
                        memory_order_release);
  return OK;
}

/* Copies the segments that near members have added up. */
static void take_near(Allreduce *summer, Sum *sum) {
  for (size_t m = 0; m < summer->setup.members; m++) {
    if (m == summer->setup.self || sum->have[m] || !is_near(summer, m)) continue;
    if (atomic_load_explicit(&region_of(summer, m)->summed, memory_order_acquire) <= sum->number)
      continue;
    size_t first = segment(summer, sum, m);
    size_t count = segment(summer, sum, m + 1) - first;
    memcpy(sum->values + first, sums_of(summer, m) + sum->at + first, count * sizeof(float));
    sum->have[m] = true;
    sum->wholes++;
  }
}

/* Does what can be done now. A sum may only be given, and added up, after those before it: their
 * places follow one another, and messages are numbered. Sums that are over leave from the front. */
static Status advance(Allreduce *summer) {
  for (size_t i = 0; i < summer->sums && summer->sum[i].values; i++) {
    Sum *sum = &summer->sum[i];
    bool before = i == 0 || (summer->sum[i - 1].given && summer->sum[i - 1].summed);
    if (i == 0 || summer->sum[i - 1].given) give(summer, sum);
    if (before) TRY_RETURN(sum_own(summer, sum));
    if (sum->given) take_near(summer, sum);
  }
  while (summer->sums && summer->sum[0].summed &&
         summer->sum[0].wholes + 1 == summer->setup.members) {
    INVARIANT(summer->sum[0].number == summer->finished);
    sum_free(summer, &summer->sum[0]);
    memmove(summer->sum, summer->sum + 1, --summer->sums * sizeof *summer->sum);
    summer->finished++;
    if (any_near(summer))
      atomic_store_explicit(&region_of(summer, summer->setup.self)->taken, summer->finished,
                            memory_order_release);
  }
  return OK;
}

/* Members that disagree about lengths are of different builds or settings. */
static Status check_length(const Allreduce *summer, const Sum *sum, size_t member, size_t count) {
  if (!sum->values || count == segment(summer, sum, member + 1) - segment(summer, sum, member))
    return OK;
  return status_set(
      ERR_FORMAT,
      "learner ranks disagree about the length of a sum: run the same build on all hosts");
}

/* Parts that came early are checked against the length now that it is known. */
Status allreduce_start(Allreduce *summer, float *values, size_t count) {
  Sum *sum;
  const AllreduceSetup *setup = &summer->setup;
  TRY_RETURN(sum_of(summer, summer->started++, &sum));
  sum->values = values;
  sum->count = count;
  if (any_near(summer) && count > setup->room)
    return status_set(ERR_INTERNAL, "a sum is longer than its room");
  place_sum(summer, sum);
  for (size_t m = 0; m < setup->members; m++) {
    if (sum->part[m]) TRY_RETURN(check_length(summer, sum, setup->self, sum->part_count[m]));
    if (m != setup->self && !is_near(summer, m))
      TRY_RETURN(send_segment(summer, WIRE_SUM_PART, sum, m, m));
  }
  return advance(summer);
}

/* A part may come before the sum is started here; a whole segment cannot. */
Status allreduce_receive(Allreduce *summer, WireKind kind, Message *message, Reader *body) {
  Sum *sum;
  const AllreduceSetup *setup = &summer->setup;
  WireSum said;
  TRY_RETURN(sum_decode(&said, body));
  const uint64_t number = said.number;
  const uint32_t from = said.member;
  uint64_t *due;
  if (from >= setup->members || from == setup->self || setup->rank[from] != message->peer)
    return status_set(ERR_FORMAT, "it names member %u, who is not on that rank", from);
  due = &(kind == WIRE_SUM_PART ? summer->part_due : summer->whole_due)[from];
  if (number != *due || number < summer->finished || number > summer->started + 4096)
    return status_set(ERR_FORMAT, "it is of sum %llu where that of sum %llu is due",
                      (unsigned long long)number, (unsigned long long)*due);
  TRY_RETURN(sum_of(summer, number, &sum));
  TRY_RETURN(
      check_length(summer, sum, kind == WIRE_SUM_PART ? summer->setup.self : from, said.count));
  if (kind == WIRE_SUM_PART) {
    ++*due;
    if (sum->part[from]) return status_set(ERR_FORMAT, "a sum message arrived twice");
    sum->part[from] = message_retain(message);
    sum->part_at[from] = said.value;
    sum->part_count[from] = said.count;
    return advance(summer);
  }
  if (!sum->values || sum->have[from])
    return status_set(ERR_FORMAT, "a sum was finished that was not under way");
  memcpy(sum->values + segment(summer, sum, from), said.value, said.count * sizeof(float));
  sum->have[from] = true;
  sum->wholes++;
  ++*due;
  return advance(summer);
}

/* Shared memory changes without a message, so somebody must look. */
Status allreduce_test(Allreduce *summer, bool *done) {
  TRY_RETURN(advance(summer));
  INVARIANT(summer->finished <= summer->started);
  *done = summer->finished == summer->started;
  return OK;
}

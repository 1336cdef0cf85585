#include "wire/sum.h"

#include <stdlib.h>
#include <string.h>

typedef struct Sum {
  uint64_t number;
  float *values; /* NULL: not started here yet */
  size_t count;
  Message **part; /* (members) of the own segment */
  const float **part_at;
  size_t parts, wholes;
  bool summed;
} Sum;

struct Summer {
  Transport *transport;
  const int *rank;
  size_t members, self;
  uint64_t started;
  Sum *sum; /* in progress */
  size_t sums, room;
  WireOut wire;
};

Status summer_create(Transport *transport, const int *ranks, size_t members, size_t self, Summer **out) {
  TRY_RETURN(NEW_ARRAY(*out, 1));
  **out = (Summer){.transport = transport, .rank = ranks, .members = members, .self = self};
  return OK;
}

static void sum_free(Summer *summer, Sum *sum) {
  for (size_t m = 0; sum->part && m < summer->members; m++) message_release(sum->part[m]);
  free(sum->part);
  free(sum->part_at);
}

void summer_destroy(Summer *summer) {
  if (!summer) return;
  for (size_t i = 0; i < summer->sums; i++) sum_free(summer, &summer->sum[i]);
  free(summer->sum);
  bytes_free(&summer->wire.bytes);
  free(summer);
}

static size_t segment(const Summer *summer, const Sum *sum, size_t member) {
  return sum->count * member / summer->members;
}

static Status sum_of(Summer *summer, uint64_t number, Sum **out) {
  for (size_t i = 0; i < summer->sums; i++) {
    *out = &summer->sum[i];
    if ((*out)->number == number) return OK;
  }
  TRY_RETURN(GROW(summer->sum, summer->room, summer->sums + 1));
  Sum *sum = *out = &summer->sum[summer->sums];
  *sum = (Sum){.number = number};
  TRY_RETURN(NEW_ARRAY(sum->part, summer->members));
  summer->sums++;
  return NEW_ARRAY(sum->part_at, summer->members);
}

static Status send_segment(Summer *summer, WireKind kind, const Sum *sum, size_t member, const int *to, size_t count) {
  size_t first = segment(summer, sum, member), end = segment(summer, sum, member + 1);
  wire_begin(&summer->wire, kind);
  bytes_u64(&summer->wire.bytes, sum->number);
  bytes_u32(&summer->wire.bytes, (uint32_t)summer->self);
  bytes_u32(&summer->wire.bytes, (uint32_t)(end - first));
  bytes_put(&summer->wire.bytes, sum->values + first, (end - first) * sizeof(float));
  return wire_send_many(summer->transport, to, count, &summer->wire);
}

/* Once everything for the own segment is here: sums in the order of the members, and hands it round. */
static Status try_own_segment(Summer *summer, Sum *sum) {
  if (sum->summed || !sum->values || sum->parts + 1 < summer->members) return OK;
  size_t first = segment(summer, sum, summer->self), count = segment(summer, sum, summer->self + 1) - first;
  float *own = sum->values + first;
  for (size_t i = 0; i < count; i++) {
    float total = 0;
    for (size_t m = 0; m < summer->members; m++) total += m == summer->self ? own[i] : sum->part_at[m][i];
    own[i] = total;
  }
  sum->summed = true;
  for (size_t m = 0; m < summer->members; m++)
    if (m != summer->self) TRY_RETURN(send_segment(summer, WIRE_SUM_WHOLE, sum, summer->self, &summer->rank[m], 1));
  return OK;
}

Status summer_start(Summer *summer, float *values, size_t count) {
  Sum *sum;
  TRY_RETURN(sum_of(summer, summer->started++, &sum));
  sum->values = values;
  sum->count = count;
  for (size_t m = 0; m < summer->members; m++) {
    size_t length = segment(summer, sum, m + 1) - segment(summer, sum, m);
    if (m != summer->self) TRY_RETURN(send_segment(summer, WIRE_SUM_PART, sum, m, &summer->rank[m], 1));
    if (m == summer->self)
      for (size_t from = 0; from < summer->members; from++) /* parts that were here first: now their length is known */
        if (sum->part[from] && sum->part[from]->size != 32 + length * sizeof(float))
          return status_set(ERR_FORMAT, "learner ranks disagree about the length of a sum: run the same build on all hosts");
  }
  return try_own_segment(summer, sum);
}

Status summer_receive(Summer *summer, WireKind kind, Message *message, Reader *body) {
  Sum *sum;
  uint64_t number = reader_u64(body);
  uint32_t from = reader_u32(body), count = reader_u32(body);
  const float *values = reader_take(body, (size_t)count * sizeof(float));
  TRY_RETURN(reader_finish(body, "sum message"));
  if (from >= summer->members || from == summer->self || number + 4096 < summer->started)
    return status_set(ERR_FORMAT, "a sum message names a member or number that cannot be");
  TRY_RETURN(sum_of(summer, number, &sum));
  size_t whose = kind == WIRE_SUM_PART ? summer->self : from;
  if (sum->values && count != segment(summer, sum, whose + 1) - segment(summer, sum, whose))
    return status_set(ERR_FORMAT, "learner ranks disagree about the length of a sum: run the same build on all hosts");
  if (kind == WIRE_SUM_PART) {
    if (sum->part[from]) return status_set(ERR_FORMAT, "a sum message arrived twice");
    sum->part[from] = message_retain(message);
    sum->part_at[from] = values;
    sum->parts++;
    return try_own_segment(summer, sum);
  }
  if (!sum->values) return status_set(ERR_FORMAT, "a sum was finished before it was started here");
  memcpy(sum->values + segment(summer, sum, from), values, (size_t)count * sizeof(float));
  sum->wholes++;
  return OK;
}

Status summer_test(Summer *summer, bool *done) {
  for (size_t i = 0; i < summer->sums;) {
    Sum *sum = &summer->sum[i];
    if (!sum->summed || sum->wholes + 1 < summer->members) {
      i++;
      continue;
    }
    sum_free(summer, sum);
    *sum = summer->sum[--summer->sums];
  }
  *done = true;
  for (size_t i = 0; i < summer->sums; i++) *done &= summer->sum[i].values == NULL;
  return OK;
}

/* Sums over ranks: the right totals, the same bits on every member and in every run, whatever the order of messages and
 * wherever the members run. */
#include "check.h"

#include "base/rng.h"
#include "wire/allreduce.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 9, SUMS = 40, LENGTH = 300 };

typedef struct Member {
  Allreduce *summer;
  float values[SUMS][LENGTH];
  size_t started;
} Member;

static size_t length_of(size_t number) { return number % 7 == 0 ? 1 : 1 + number * 37 % LENGTH; }

static void fill(Member *member, int rank) {
  AgonRng rng = rng_stream(5, (uint32_t)rank, 0, RNG_TEST);
  for (size_t s = 0; s < SUMS; s++)
    for (size_t i = 0; i < LENGTH; i++) member->values[s][i] = (float)rng_normal(&rng);
}

/* Members start up to three sums ahead; room holds about two, so places are used again and again. */
static void run(int members, int host, uint64_t seed, uint32_t delay, Member *member) {
  SimWorld *world;
  int rank[MOST];
  bool all = false;
  CHECK_OK(sim_create(&(SimConfig){.seed = seed, .ranks = members, .delay = delay, .ranks_per_host = host}, &world));
  for (int m = 0; m < members; m++) rank[m] = m;
  for (int m = 0; m < members; m++) {
    void *const *shared;
    CHECK_OK(sim_rank(world, m)->ops->start_shared(sim_rank(world, m), allreduce_shared_bytes(2 * LENGTH), &shared));
    AllreduceSetup setup = {sim_rank(world, m), rank, (size_t)members, (size_t)m, shared, 2 * LENGTH};
    CHECK_OK(allreduce_create(&setup, &member[m].summer));
    fill(&member[m], m);
    member[m].started = 0;
  }
  for (long step = 0; !all; step++) {
    assert_true(step < 5000000);
    Member *next = &member[sim_choose(world)];
    Transport *transport = sim_rank(world, (int)(next - member));
    for (Message *message; (message = transport->ops->receive(transport));) {
      WireKind kind;
      Reader body;
      CHECK_OK(wire_open(message, &kind, &body));
      CHECK_OK(allreduce_receive(next->summer, kind, message, &body));
      message_release(message);
    }
    bool done;
    CHECK_OK(allreduce_test(next->summer, &done));
    if (done)
      for (int n = 0; n < 3 && next->started < SUMS; n++, next->started++)
        CHECK_OK(allreduce_start(next->summer, next->values[next->started], length_of(next->started)));
    sim_round(world);
    all = true;
    for (int m = 0; m < members; m++) {
      CHECK_OK(allreduce_test(member[m].summer, &done));
      all &= done && member[m].started == SUMS;
    }
  }
  for (int m = 0; m < members; m++) allreduce_destroy(member[m].summer);
  sim_destroy(world);
}

static void sums_are_right_and_the_same_everywhere(void **state) {
  (void)state;
  Member *member = calloc(MOST, sizeof *member), *again = calloc(MOST, sizeof *again),
         *input = calloc(1, sizeof *input), *total = calloc(1, sizeof *total);
  for (int members = 2; members <= MOST; members += members < 4 ? 1 : 5) {
    run(members, 0, 1, 0, member);
    for (int m = 0; m < members; m++) { /* in the order of the members, as one rank alone would add */
      fill(input, m);
      for (size_t k = 0; k < SUMS * LENGTH; k++) (&total->values[0][0])[k] += (&input->values[0][0])[k];
      if (m == 0) *total = *input;
    }
    for (size_t s = 0; s < SUMS; s++)
      for (int m = 0; m < members; m++)
        assert_memory_equal(member[m].values[s], total->values[s], length_of(s) * sizeof(float));
    for (int host = 0; host <= 3; host++) /* one host, one rank a host, two, three: shared memory, messages, both */
      for (uint64_t seed = 2; seed <= 4; seed++) {
        run(members, host, seed, seed == 2 ? 0 : 30, again);
        for (size_t s = 0; s < SUMS; s++)
          assert_memory_equal(again[members - 1].values[s], member[0].values[s], length_of(s) * sizeof(float));
      }
  }
  free(member);
  free(again);
  free(input);
  free(total);
}

/* Callers destroy what they hold also after a failure: it must not have been freed already. */
static void without_memory_nothing_is_left(void **state) {
  (void)state;
  static const int rank[2] = {0, 1};
  SimWorld *world;
  Allreduce *summer = NULL;
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 2}, &world));
  const AllreduceSetup setup = {
      .transport = sim_rank(world, 0),
      .rank = rank,
      .members = SIZE_MAX / 2, /* what each member needs is more than there can be */
      .self = 0,
  };
  assert_int_equal(allreduce_create(&setup, &summer), ERR_MEMORY);
  assert_null(summer);
  sim_destroy(world);
}

/* A segment of the wrong length, an unknown member, a part twice: refused, not summed. */
static void damaged_parts_are_refused(void **state) {
  (void)state;
  SimWorld *world;
  Allreduce *summer;
  float values[8] = {0};
  const float ones[5] = {1, 1, 1, 1, 1};
  const int rank[2] = {0, 1};
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 2}, &world));
  CHECK_OK(allreduce_create(&(AllreduceSetup){sim_rank(world, 0), rank, 2, 0, NULL, 0}, &summer));
  CHECK_OK(allreduce_start(summer, values, 8));
  static const struct {
    uint32_t from, count;
    WireKind kind;
    Status expected;
  } send[] = {{5, 4, WIRE_SUM_PART, ERR_FORMAT}, {0, 4, WIRE_SUM_PART, ERR_FORMAT}, {1, 3, WIRE_SUM_PART, ERR_FORMAT},
              {1, 4, WIRE_SUM_PART, OK},         {1, 4, WIRE_SUM_PART, ERR_FORMAT}, {1, 5, WIRE_SUM_WHOLE, ERR_FORMAT},
              {1, 4, WIRE_SUM_WHOLE, OK}};
  for (size_t i = 0; i < COUNT_OF(send); i++) {
    WireOut out = {.bytes = {0}};
    wire_begin(&out, send[i].kind);
    sum_encode(&(WireSum){.member = send[i].from, .count = send[i].count, .value = ones}, &out.bytes);
    CHECK_OK(wire_send(sim_rank(world, 1), 0, &out));
    bytes_free(&out.bytes);
    Message *message = sim_rank(world, 0)->ops->receive(sim_rank(world, 0));
    WireKind kind;
    Reader body;
    CHECK_OK(wire_open(message, &kind, &body));
    assert_int_equal(allreduce_receive(summer, kind, message, &body), send[i].expected);
    message_release(message);
  }
  bool done;
  CHECK_OK(allreduce_test(summer, &done));
  assert_true(done && values[0] == 1 && values[7] == 1);
  allreduce_destroy(summer);
  sim_destroy(world);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sums_are_right_and_the_same_everywhere),
                                     cmocka_unit_test(without_memory_nothing_is_left),
                                     cmocka_unit_test(damaged_parts_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

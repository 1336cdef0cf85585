/* Who does what: the plan for jobs of all sizes, and the trees along which weights and tables travel. */
#include "check.h"

#include "job/topology.h"

#include <stdlib.h>

static const TopologyLoad heavy = {.act_flops = 2e5, .learn_flops = 2e6, .minibatch_flops = 1e9},
                          light = {.act_flops = 2e3, .learn_flops = 2e4, .minibatch_flops = 1e6};

/* Every actor feeds exactly one member, members' feeders are contiguous and cover all. */
static void every_actor_feeds_one_member(void **state) {
  (void)state;
  for (int size = 1; size <= 70; size++)
    for (size_t learners = 0; learners <= 8; learners++)
      for (int placement = 0; placement < 3; placement++) {
        Topology t;
        if (topology_plan(placement, learners, 0, &heavy, size, &t) != OK) continue;
        size_t next = 0;
        for (size_t m = 0; m < t.members; m++) {
          size_t first, count;
          topology_feeders(&t, m, &first, &count);
          assert_true(count == 0 || first == next);
          for (size_t a = first; a < first + count; a++) assert_int_equal(topology_fed_member(&t, a), m);
          next += count;
        }
        assert_int_equal(next, t.actors);
        if (t.shared && t.learners == t.actors) /* experience stays on its rank */
          for (int r = 0; r < size; r++)
            assert_int_equal(topology_fed_member(&t, (size_t)topology_actor(&t, r)), topology_learner(&t, r));
        topology_free(&t);
      }
}

static void auto_balances(void **state) {
  (void)state;
  Topology t;
  CHECK_OK(topology_plan(0, 0, 0, &heavy, 16, &t)); /* much to learn: all ranks do both */
  assert_true(t.shared && t.learners == 16 && t.actors == 16);
  topology_free(&t);
  CHECK_OK(topology_plan(0, 0, 0, &light, 16, &t)); /* sums would cost more than they share out */
  assert_true(!t.shared && t.learners == 1 && t.actors == 15);
  topology_free(&t);
  CHECK_OK(topology_plan(0, 0, 0, &heavy, 1000, &t)); /* no more than the minibatch keeps busy */
  assert_true(!t.shared && t.learners == 50 && t.actors == 950);
  topology_free(&t);
  CHECK_OK(topology_plan(1, 0, 0, &heavy, 8, &t)); /* split: by the arithmetic, with an actor at least */
  assert_true(!t.shared && t.learners == 7 && t.actors == 1);
  topology_free(&t);
  assert_int_equal(topology_plan(1, 4, 3, &heavy, 8, &t), ERR_USAGE); /* groups must divide */
  assert_int_equal(topology_plan(1, 8, 0, &heavy, 8, &t), ERR_USAGE); /* nobody would act */
  assert_int_equal(topology_plan(2, 9, 0, &heavy, 8, &t), ERR_USAGE);
}

typedef struct Walk {
  const int *rank;
  size_t count, deepest;
  int *seen;
} Walk;

static void walk(Walk *w, long place, size_t depth) {
  int below[TREE_FAN_OUT];
  size_t n = topology_below(w->rank, w->count, place, below);
  assert_true(n <= TREE_FAN_OUT);
  if (depth > w->deepest) w->deepest = depth;
  for (size_t i = 0; i < n; i++) {
    w->seen[below[i] - w->rank[0]]++;
    walk(w, below[i] - w->rank[0], depth + 1);
  }
}

/* Each actor is reached once, by nobody who sends to more than a few, in a number of steps that grows as the logarithm.
 */
static void trees_reach_everybody_once(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 20, 21, 22, 64, 85, 1000, 16384};
  for (size_t s = 0; s < COUNT_OF(sizes); s++) {
    Walk w = {.count = sizes[s]};
    int *rank = calloc(sizes[s] + 1, sizeof *rank);
    w.seen = calloc(sizes[s] + 1, sizeof *w.seen);
    for (size_t i = 0; i < sizes[s]; i++) rank[i] = (int)(3 + i);
    w.rank = rank;
    walk(&w, -1, 0);
    for (size_t i = 0; i < sizes[s]; i++) assert_int_equal(w.seen[i], 1);
    assert_true(sizes[s] < 1000 || w.deepest <= 8);
    free(w.seen);
    free(rank);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_actor_feeds_one_member), cmocka_unit_test(auto_balances),
                                     cmocka_unit_test(trees_reach_everybody_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

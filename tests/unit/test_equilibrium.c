/* Correlated and coarse correlated equilibria: games worked by hand, games of several players
 * against numbers of scipy (linear programs by HiGHS, quadratic ones by SLSQP), and what must hold
 * of any. */
#include "check.h"

#include "base/rng.h"
#include "meta/equilibrium.h"
#include "meta/meta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 4096 };

/* Aumann's chicken: strategy 0 dares, 1 gives way. Two dares: nothing for anybody. */
static const double chicken[2][4] = {{0, 7, 2, 6}, {0, 2, 7, 6}};
/* Shapley's: the first wants to meet, the second to be one ahead. */
static const double shapley[2][9] = {{1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 1, 0, 0, 0, 1, 1, 0, 0}};

static NormalForm two_players(const double *payoff, const size_t *count) {
  return (NormalForm){.players = 2, .count = count, .payoff = payoff};
}

/* Largest welfare: advice to dare is rarer than to give way, as who is told to give way must not
 * want to dare: .25 for each of the two outcomes in which one dares, .5 for mercy of both, 5.25
 * each. Most even: the constraint that binds is that who is told to dare must fear that the other
 * was, too: (5, 10, 10, 9) / 34. */
static void chicken_by_hand(void **state) {
  (void)state;
  static const size_t count[2] = {2, 2};
  static const double welfare[4] = {0, .25, .25, .5};
  static const double even[4] = {5 / 34., 10 / 34., 10 / 34., 9 / 34.};
  const NormalForm game = two_players(chicken[0], count);
  for (int concept = 0; concept < 2; concept ++) { /* of two strategies both are the same */
    double joint[4];
    EquilibriumFacts facts;
    CHECK_OK(equilibrium_find(&game, (Concept) concept, SELECT_WELFARE, joint));
    CHECK_OK(equilibrium_measure(&game, joint, &facts));
    for (int j = 0; j < 4; j++)
      CHECK_NEAR(joint[j], welfare[j], 1e-9);
    CHECK_NEAR(facts.welfare, 10.5, 1e-9);
    CHECK_NEAR(facts.value[0], 5.25, 1e-9);
    CHECK_NEAR(facts.gini, .625, 1e-9);
    CHECK_NEAR(facts.ce_gap, 0, 1e-9);
    CHECK_NEAR(facts.cce_gap, 0, 1e-9);
    /* by themselves both dare with .25: 5.0625 each, and always daring would get 5.25 */
    CHECK_NEAR(facts.nash_gap, 2 * (5.25 - 5.0625), 1e-9);
    CHECK_OK(equilibrium_find(&game, (Concept) concept, SELECT_GINI, joint));
    CHECK_OK(equilibrium_measure(&game, joint, &facts));
    for (int j = 0; j < 4; j++)
      CHECK_NEAR(joint[j], even[j], 1e-9);
    CHECK_NEAR(facts.gini, 25 / 34., 1e-9);
  }
}

/* The only equilibrium in which somebody always gets the 1 goes round the six outcomes, each alike:
 * what holds one advice from being left for the next holds all of them. By themselves, at the only
 * Nash equilibrium, they get it in 2 of 3. Being as even as can be costs that: all nine alike. */
static void shapleys_cycle_by_hand(void **state) {
  (void)state;
  static const size_t count[2] = {3, 3};
  static const double pays[9] = {1, 1, 0, 0, 1, 1, 1, 0, 1};
  const NormalForm game = two_players(shapley[0], count);
  double joint[9];
  EquilibriumFacts facts;
  CHECK_OK(equilibrium_find(&game, CONCEPT_CE, SELECT_WELFARE, joint));
  for (int j = 0; j < 9; j++)
    CHECK_NEAR(joint[j], pays[j] / 6, 1e-9);
  CHECK_OK(equilibrium_measure(&game, joint, &facts));
  CHECK_NEAR(facts.welfare, 1, 1e-9);
  CHECK_NEAR(facts.value[0], .5, 1e-9);
  CHECK_NEAR(facts.value[1], .5, 1e-9);
  CHECK_NEAR(facts.ce_gap, 0, 1e-9);
  CHECK_NEAR(facts.nash_gap, 0, 1e-9); /* the marginals are the Nash equilibrium */
  CHECK_OK(equilibrium_find(&game, CONCEPT_CCE, SELECT_WELFARE, joint));
  CHECK_OK(equilibrium_measure(&game, joint, &facts));
  CHECK_NEAR(facts.welfare, 1, 1e-9);
  CHECK_NEAR(facts.cce_gap, 0, 1e-9);
  for (int concept = 0; concept < 2; concept ++) {
    CHECK_OK(equilibrium_find(&game, (Concept) concept, SELECT_GINI, joint));
    for (int j = 0; j < 9; j++)
      CHECK_NEAR(joint[j], 1 / 9., 1e-9);
  }
}

/* A CCE that is no CE: three outcomes of Shapley's game, each in a third of the games. Nobody would
 * rather play one strategy always, but two of the six pieces of advice are better not followed. */
static void gaps_tell_the_concepts_apart(void **state) {
  (void)state;
  static const size_t count[2] = {3, 3};
  const NormalForm game = two_players(shapley[0], count);
  static const double joint[9] = {0, 1 / 3., 0, 0, 1 / 3., 0, 0, 0, 1 / 3.};
  EquilibriumFacts facts;
  CHECK_OK(equilibrium_measure(&game, joint, &facts));
  CHECK_NEAR(facts.value[0], 2 / 3., 1e-12);
  CHECK_NEAR(facts.value[1], 1 / 3., 1e-12);
  /* told 0, the first knows that the other is at 1 and goes there, too; told 1, the second knows
   * the first at 0 or 1 alike, but told 2 at 2, where it had better be at 0 */
  CHECK_NEAR(facts.ce_gap, 1 / 3. + 1 / 3., 1e-12);
  CHECK_NEAR(facts.cce_gap, 0, 1e-12);
}

/* Numbers of a formula that other programs can follow. */
static void fill(double *payoff, size_t players, size_t joints, uint32_t seed) {
  for (size_t p = 0; p < players; p++)
    for (size_t j = 0; j < joints; j++) {
      uint32_t h = (uint32_t)(p * joints + j + 1) * 2654435761u + seed * 40503u;
      h ^= h >> 15;
      h *= 2246822519u;
      h ^= h >> 13;
      payoff[p * joints + j] = h % 21;
    }
}

typedef struct Known {
  size_t players, count[4];
  uint32_t seed;
  double welfare[2], gini[2]; /* of CE, CCE */
} Known;

/* scipy 1.17 */
static const Known known[] = {
    {2, {3, 3}, 1, {27.684210526, 29.456310680}, {.464279607, .846094572}},
    {2, {4, 5}, 2, {40, 40}, {.922821126, .938772260}},
    {3, {2, 3, 2}, 3, {43, 43}, {.877390500, .880118534}},
    {2, {7, 6}, 4, {32.774091959, 35.222222222}, {.956460603, .965191482}},
    {3, {3, 3, 3}, 5, {41.285714286, 43.710144928}, {.958225439, .958673150}},
    {4, {2, 2, 2, 2}, 6, {64, 64}, {.928592426, .928592426}},
};

static void against_another_solver(void **state) {
  (void)state;
  for (size_t k = 0; k < COUNT_OF(known); k++) {
    double payoff[4 * 64], joint[64];
    EquilibriumFacts facts;
    const NormalForm game = {
        .players = known[k].players, .count = known[k].count, .payoff = payoff};
    fill(payoff, game.players, equilibrium_joint(&game), known[k].seed);
    for (int concept = 0; concept < 2; concept ++) {
      CHECK_OK(equilibrium_find(&game, (Concept) concept, SELECT_WELFARE, joint));
      CHECK_OK(equilibrium_measure(&game, joint, &facts));
      CHECK_NEAR(facts.welfare, known[k].welfare[concept], 2e-8);
      CHECK_NEAR(concept ? facts.cce_gap : facts.ce_gap, 0, 1e-8);
      CHECK_OK(equilibrium_find(&game, (Concept) concept, SELECT_GINI, joint));
      CHECK_OK(equilibrium_measure(&game, joint, &facts));
      CHECK_NEAR(facts.gini, known[k].gini[concept], 2e-8);
      CHECK_NEAR(concept ? facts.cce_gap : facts.ce_gap, 0, 1e-8);
    }
  }
}

/* What does not change: payoffs in another unit, and what is added to all that a player gets
 * whatever it does. Strategies that are copies of one another, and games in which nobody can gain,
 * are borne. */
static void of_any_game(void **state) {
  (void)state;
  static const size_t count[2] = {3, 4};
  double payoff[24], other[24], one[12], two[12];
  fill(payoff, 2, 12, 11);
  const NormalForm game = two_players(payoff, count), scaled = two_players(other, count);
  for (int j = 0; j < 24; j++)
    other[j] = 1e6 * payoff[j] + (j < 12 ? 5e6 * (j % 4) : 0); /* by what the second does */
  for (int concept = 0; concept < 2; concept ++) {
    CHECK_OK(equilibrium_find(&game, (Concept) concept, SELECT_GINI, one));
    CHECK_OK(equilibrium_find(&scaled, (Concept) concept, SELECT_GINI, two));
    for (int j = 0; j < 12; j++)
      CHECK_NEAR(one[j], two[j], 1e-9);
  }
  static const size_t twice[2] = {4, 2};
  static const double copies[2][8] = {{0, 7, 2, 6, 0, 7, 2, 6}, {0, 2, 7, 6, 0, 2, 7, 6}};
  const NormalForm doubled = two_players(copies[0], twice);
  EquilibriumFacts facts;
  CHECK_OK(equilibrium_find(&doubled, CONCEPT_CE, SELECT_WELFARE, one));
  CHECK_OK(equilibrium_measure(&doubled, one, &facts));
  CHECK_NEAR(facts.welfare, 10.5, 1e-9);
  CHECK_OK(equilibrium_find(&doubled, CONCEPT_CE, SELECT_GINI, one));
  for (int j = 0; j < 4; j++)
    CHECK_NEAR(one[j], one[j + 4], 1e-9);
  static const double dull[2][4] = {{3, 3, 3, 3}, {-1, -1, -1, -1}};
  static const size_t square[2] = {2, 2};
  const NormalForm nothing = two_players(dull[0], square);
  for (int select = 0; select < 2; select++) {
    CHECK_OK(equilibrium_find(&nothing, CONCEPT_CE, (Selection)select, one));
    CHECK_OK(equilibrium_measure(&nothing, one, &facts));
    CHECK_NEAR(facts.welfare, 2, 1e-12);
    CHECK_NEAR(facts.ce_gap, 0, 0);
  }
  for (int j = 0; j < 4; j++)
    CHECK_NEAR(one[j], .25, 1e-12);
  static const size_t single[2] = {1, 1};
  CHECK_OK(equilibrium_find(&(NormalForm){2, single, dull[0]}, CONCEPT_CE, SELECT_GINI, one));
  CHECK_NEAR(one[0], 1, 0);
}

/* Small numbers, so that much is equal to much: copies, dominated strategies, constraints that say
 * the same. Also that nothing more even is near: a step towards equal shares that keeps all
 * constraints would be. */
static void of_many_games_with_ties(void **state) {
  (void)state;
  AgonRng rng = rng_stream(9, 1, 1, RNG_TEST);
  for (int trial = 0; trial < 600; trial++) {
    double payoff[3 * 64], joint[64], other[64];
    size_t count[3];
    const size_t players = 1 + rng_below(&rng, 3);
    const uint32_t values = 1 + rng_below(&rng, 4);
    for (size_t p = 0; p < players; p++)
      count[p] = 1 + rng_below(&rng, players == 3 ? 4 : 8);
    const NormalForm game = {players, count, payoff};
    const size_t joints = equilibrium_joint(&game);
    for (size_t i = 0; i < players * joints; i++)
      payoff[i] = rng_below(&rng, values) / 3.;
    for (int concept = 0; concept < 2; concept ++) {
      EquilibriumFacts even, rich, mixed;
      CHECK_OK(equilibrium_find(&game, (Concept) concept, SELECT_GINI, joint));
      CHECK_OK(equilibrium_measure(&game, joint, &even));
      CHECK_OK(equilibrium_find(&game, (Concept) concept, SELECT_WELFARE, other));
      CHECK_OK(equilibrium_measure(&game, other, &rich));
      assert_true(even.gini >= rich.gini - 1e-9 && rich.welfare >= even.welfare - 1e-7);
      /* both are of one convex set: between them nothing is more even, however near */
      for (size_t j = 0; j < joints; j++)
        other[j] = .999 * joint[j] + .001 * other[j];
      CHECK_OK(equilibrium_measure(&game, other, &mixed));
      assert_true(mixed.gini <= even.gini + 1e-9);
    }
  }
}

/* In zero-sum games the marginals of any CCE are a Nash equilibrium, and its value is the game's.
 */
static void zero_sum_is_nash(void **state) {
  (void)state;
  static const size_t count[2] = {6, 5};
  double payoff[60], joint[30], value;
  const NormalForm game = two_players(payoff, count);
  EquilibriumFacts facts;
  fill(payoff, 1, 30, 21);
  for (int j = 0; j < 30; j++)
    payoff[30 + j] = -payoff[j];
  CHECK_OK(meta_nash(payoff, 6, 5, NULL, NULL, &value));
  for (int kind = 0; kind < 4; kind++) {
    CHECK_OK(equilibrium_find(&game, (Concept)(kind / 2), (Selection)(kind % 2), joint));
    CHECK_OK(equilibrium_measure(&game, joint, &facts));
    CHECK_NEAR(facts.value[0], value, 1e-7);
    CHECK_NEAR(facts.nash_gap, 0, 1e-6);
  }
}

static void refused(void **state) {
  (void)state;
  static const size_t many[2] = {100, 100};
  double payoff[8] = {0}, joint[4];
  static const size_t count[2] = {2, 2};
  NormalForm game = {.players = 2, .count = many, .payoff = calloc(20000, sizeof(double))};
  double *out = calloc(10000, sizeof *out);
  assert_non_null(game.payoff);
  assert_non_null(out);
  assert_int_equal(equilibrium_find(&game, CONCEPT_CE, SELECT_GINI, out), ERR_USAGE);
  free((void *)game.payoff);
  free(out);
  payoff[3] = NAN;
  payoff[2] = INFINITY;
  game = two_players(payoff, count);
  assert_int_equal(equilibrium_find(&game, CONCEPT_CE, SELECT_GINI, joint), ERR_INTERNAL);
}

/* As large as a league asks for. */
static void of_a_leagues_size(void **state) {
  (void)state;
  static const struct {
    size_t n;
    Concept concept;
  } size[] = {{16, CONCEPT_CE}, {24, CONCEPT_CE}, {32, CONCEPT_CCE}, {48, CONCEPT_CCE}};
  static double payoff[2 * MOST], joint[MOST];
  AgonRng rng = rng_stream(5, 1, 1, RNG_TEST);
  for (size_t k = 0; k < COUNT_OF(size); k++)
    for (int select = 0; select < 2; select++) {
      const size_t count[2] = {size[k].n, size[k].n};
      const NormalForm game = two_players(payoff, count);
      EquilibriumFacts facts;
      for (size_t i = 0; i < 2 * size[k].n * size[k].n; i++)
        payoff[i] = rng_unit(&rng);
      clock_t began = clock();
      CHECK_OK(equilibrium_find(&game, size[k].concept, (Selection)select, joint));
      if (getenv("AGON_SHOW_TIMES"))
        printf("%zu x %zu, %s, %s: %.3f s\n", size[k].n, size[k].n,
               size[k].concept == CONCEPT_CE ? "ce" : "cce", select ? "gini" : "welfare",
               (double)(clock() - began) / CLOCKS_PER_SEC);
      CHECK_OK(equilibrium_measure(&game, joint, &facts));
      CHECK_NEAR(size[k].concept == CONCEPT_CE ? facts.ce_gap : facts.cce_gap, 0, 1e-7);
    }
}

/* Players of a league are alike: what they earn depends on few of their traits and a little noise,
 * and most pairs of them are in no equilibrium. Of these constraints hardly any can be left out at
 * first, and many go together. */
static void of_players_that_are_alike(void **state) {
  (void)state;
  static const struct {
    size_t n;
    Concept concept;
  } size[] = {{16, CONCEPT_CE}, {32, CONCEPT_CCE}};
  static double payoff[2 * MOST], joint[MOST];
  AgonRng rng = rng_stream(3, 1, 1, RNG_TEST);
  for (int trial = 0; trial < 24; trial++) {
    const size_t n = size[trial % 2].n, count[2] = {n, n};
    const Concept concept = size[trial % 2].concept;
    const double noise = pow(10, -2 - trial / 2 % 5), spread = trial % 4 == 1 ? .01 : 1;
    const NormalForm game = two_players(payoff, count);
    double trait[2][32][4];
    for (size_t i = 0; i < n; i++)
      for (int k = 0; k < 8; k++)
        trait[k / 4][i][k % 4] = (trial % 3 ? 0 : .05 * (double)i) + spread * rng_unit(&rng);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < n; j++)
        for (int side = 0; side < 2; side++) {
          const double *own = trait[0][i], *other = trait[1][j];
          payoff[(size_t)side * n * n + i * n + j] = own[side] * other[1 - side] -
                                                     own[2 + side] * other[3 - side] +
                                                     noise * rng_unit(&rng);
        }
    for (int select = 0; select < 2; select++) {
      EquilibriumFacts facts;
      CHECK_OK(equilibrium_find(&game, concept, (Selection)select, joint));
      CHECK_OK(equilibrium_measure(&game, joint, &facts));
      CHECK_NEAR(concept == CONCEPT_CE ? facts.ce_gap : facts.cce_gap, 0, 1e-7);
    }
  }
}

/* Rock, paper and scissors with a little noise, five or six of each kind: every strategy is nearly
 * as good as others, so that a vertex breaks many constraints at once, each by what a linear
 * program lets pass. The gap is a sum over all advice. */
static void of_a_noisy_cycle(void **state) {
  (void)state;
  enum { N = 16 };
  static const size_t count[2] = {N, N};
  static double payoff[2 * N * N], joint[N * N];
  const NormalForm game = two_players(payoff, count);
  AgonRng rng = rng_stream(7, 1, 1, RNG_TEST);
  for (int trial = 0; trial < 60; trial++) {
    EquilibriumFacts facts;
    for (size_t i = 0; i < N * N; i++) {
      const size_t ahead = (i / N % 3 + 3 - i % N % 3) % 3;
      const double wins = ahead == 2 ? -1 : (double)ahead;
      payoff[i] = wins + .01 * (rng_unit(&rng) - .5);
      payoff[N * N + i] = -wins + .01 * (rng_unit(&rng) - .5) + .3;
    }
    CHECK_OK(equilibrium_find(&game, CONCEPT_CE, SELECT_WELFARE, joint));
    CHECK_OK(equilibrium_measure(&game, joint, &facts));
    CHECK_NEAR(facts.ce_gap, 0, 1e-7);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chicken_by_hand),
      cmocka_unit_test(shapleys_cycle_by_hand),
      cmocka_unit_test(gaps_tell_the_concepts_apart),
      cmocka_unit_test(against_another_solver),
      cmocka_unit_test(of_any_game),
      cmocka_unit_test(zero_sum_is_nash),
      cmocka_unit_test(of_many_games_with_ties),
      cmocka_unit_test(refused),
      cmocka_unit_test(of_a_leagues_size),
      cmocka_unit_test(of_players_that_are_alike),
      cmocka_unit_test(of_a_noisy_cycle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

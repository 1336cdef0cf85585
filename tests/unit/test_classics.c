/* The classics' arithmetic: updates, equilibria, dynamics and exact LOLA, by numbers worked by hand, closed forms,
 * and matching pennies digit by digit with another library's random numbers. */
#include "check.h"

#include "meta/dynamics.h"
#include "meta/lola.h"
#include "meta/meta.h"
#include "meta/tabular.h"

#include <math.h>
#include <string.h>

/* --- updates --- */

static void worths_move_towards_targets(void **state) {
  (void)state;
  double q = .5;
  q_update(&q, .1, 1);
  CHECK_NEAR(q, .55, 1e-15);
  q = .5;
  hysteretic_update(&q, .1, .01, 1);
  CHECK_NEAR(q, .55, 1e-15);
  q = .5;
  hysteretic_update(&q, .1, .01, 0);
  CHECK_NEAR(q, .495, 1e-15);
}

/* At temperature 1 and leniency ln 4, 1 - exp(-ln 4) = 3/4 of bad news is passed over. */
static void lenience_cools(void **state) {
  (void)state;
  double q = .5, temperature = 1;
  lenient_update(&q, &temperature, .1, 0, log(4), .5, .74);
  CHECK_NEAR(q, .5, 1e-15);
  CHECK_NEAR(temperature, .5, 1e-15); /* now exp(-ln 2) = 1/2 */
  lenient_update(&q, &temperature, .1, 0, log(4), .5, .51);
  CHECK_NEAR(q, .45, 1e-15);
  lenient_update(&q, &temperature, .1, 1, log(4), .5, 0); /* good news is always heard */
  CHECK_NEAR(q, .505, 1e-15);
}

/* x 2 - (1 - x) = -x + (1 - x): x = 2/5, worth 1/5. */
static void minimax_solves_the_stage_game(void **state) {
  (void)state;
  double q[4] = {2, -1, -1, 0}, mix[2], value;
  CHECK_OK(minimax_update(q, 2, 2, 3, .5, 2, mix, &value));
  CHECK_NEAR(q[3], 1, 1e-15);
  CHECK_NEAR(mix[0], .4, 1e-9);
  CHECK_NEAR(mix[1], .6, 1e-9);
  CHECK_NEAR(value, .2, 1e-9);
}

/* The small simplex and the library agree on what games of all shapes are worth, ties and zeros included, and the
 * mixture guarantees it. */
static void minimax_is_what_the_library_finds(void **state) {
  (void)state;
  AgonRng rng = rng_stream(2, 0, 0, RNG_TEST);
  for (int t = 0; t < 2000; t++) {
    size_t own = 1 + rng_below(&rng, 6), other = 1 + rng_below(&rng, 6);
    double q[36], mix[6], value, known, sum = 0;
    for (size_t i = 0; i < own * other; i++) q[i] = t % 2 ? rng_normal(&rng) : (double)rng_below(&rng, 3) - 1;
    CHECK_OK(minimax_value(q, own, other, mix, &value));
    CHECK_OK(meta_nash(q, own, other, NULL, NULL, &known));
    CHECK_NEAR(value, known, 1e-9);
    for (size_t r = 0; r < own; r++) sum += mix[r];
    CHECK_NEAR(sum, 1, 1e-9);
    for (size_t c = 0; c < other; c++) {
      double paid = 0;
      for (size_t r = 0; r < own; r++) paid += mix[r] * q[r * other + c];
      assert_true(paid > value - 1e-9);
    }
  }
  double broken[4] = {NAN, 0, 0, 0}, mix[2], value;
  assert_int_equal(minimax_value(broken, 2, 2, mix, &value), ERR_INTERNAL);
}

/* Stag hunt: of (stag, stag), (hare, hare) and the mixed one the first pays most. Chicken, by hand: the pure
 * equilibria pay 9 together, the mixed one (1/3 dare) 28/3. Prisoner's dilemma: one only. */
static void equilibria_of_highest_welfare(void **state) {
  (void)state;
  double x[3], y[3], value[2];
  assert_true(nash_value((double[]){4, 0, 3, 3}, (double[]){4, 3, 0, 3}, 2, 2, x, y, value));
  CHECK_NEAR(x[0], 1, 1e-12);
  CHECK_NEAR(value[0] + value[1], 8, 1e-12);
  assert_true(nash_value((double[]){0, 7, 2, 6}, (double[]){0, 2, 7, 6}, 2, 2, x, y, value));
  CHECK_NEAR(x[0], 1 / 3., 1e-12);
  CHECK_NEAR(y[0], 1 / 3., 1e-12);
  CHECK_NEAR(value[0] + value[1], 28 / 3., 1e-12);
  assert_true(nash_value((double[]){3, 0, 5, 1}, (double[]){3, 5, 0, 1}, 2, 2, x, y, value));
  CHECK_NEAR(x[1], 1, 1e-12);
  CHECK_NEAR(value[1], 1, 1e-12);
}

static void equilibria_of_three_choices(void **state) {
  (void)state;
  double x[3], y[3], value[2], b[9];
  const double rps[9] = {0, -1, 1, 1, 0, -1, -1, 1, 0};
  const double biased[9] = {0, -25, 50, 25, 0, -5, -50, 5, 0}; /* OpenSpiel: (1/16, 10/16, 5/16) */
  for (int i = 0; i < 9; i++) b[i] = -rps[i];
  assert_true(nash_value(rps, b, 3, 3, x, y, value));
  for (int i = 0; i < 3; i++) CHECK_NEAR(x[i], 1 / 3., 1e-12);
  for (int i = 0; i < 9; i++) b[i] = -biased[i];
  assert_true(nash_value(biased, b, 3, 3, x, y, value));
  CHECK_NEAR(x[1], 10 / 16., 1e-12);
  CHECK_NEAR(y[2], 5 / 16., 1e-12);
  CHECK_NEAR(value[0], 0, 1e-12);
}

/* Rows and columns of different numbers; and where there are too many to look through: uniform, and said so. */
static void equilibria_of_odd_shapes(void **state) {
  (void)state;
  double x[7], y[7], value[2], a[49] = {0}, b[49] = {0};
  const double wide[6] = {3, -1, 2, -2, 4, 1}, minus[6] = {-3, 1, -2, 2, -4, -1}; /* (3/5, 2/5), worth 1 */
  assert_true(nash_value(wide, minus, 2, 3, x, y, value));
  CHECK_NEAR(x[0], .6, 1e-12);
  CHECK_NEAR(y[0], .5, 1e-12);
  CHECK_NEAR(value[0], 1, 1e-12);
  a[0] = 49;
  assert_false(nash_value(a, b, 7, 7, x, y, value));
  CHECK_NEAR(x[3], 1 / 7., 1e-12);
  CHECK_NEAR(value[0], 1, 1e-12);
}

/* Nash-Q of rock-paper-scissors from nothing: whatever is played, worths become payoffs and play 1/3 each. */
static void nash_q_of_rock_paper_scissors(void **state) {
  (void)state;
  const double rps[9] = {0, -1, 1, 1, 0, -1, -1, 1, 0};
  double a[9] = {0}, b[9] = {0}, x[3], y[3], value[2];
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  for (int t = 0; t < 4000; t++) {
    size_t at = rng_below(&rng, 9);
    nash_update(a, b, 3, 3, at, .1, (double[]){rps[at], -rps[at]}, x, y, value);
  }
  for (int i = 0; i < 3; i++) CHECK_NEAR(x[i], 1 / 3., 1e-9);
  for (int i = 0; i < 3; i++) CHECK_NEAR(y[i], 1 / 3., 1e-9);
}

/* --- matching pennies with another library's random numbers --- */

/* NumPy's default_rng(7): PCG64, whose state SeedSequence makes of the seed (taken from NumPy 1.24); random() has 53
 * bits of 64, and integers(2) the top bit of 32, two of which come of one draw. */
__extension__ typedef unsigned __int128 Wide;
typedef struct Pcg {
  Wide state, step;
  uint32_t half;
  bool has_half;
} Pcg;
static uint64_t pcg_next(Pcg *pcg) {
  pcg->state = pcg->state * ((Wide)2549297995355413924u << 64 | 4865540595714422341u) + pcg->step;
  uint64_t folded = (uint64_t)(pcg->state >> 64) ^ (uint64_t)pcg->state;
  unsigned turn = (unsigned)(pcg->state >> 122);
  return folded >> turn | folded << (-turn & 63);
}
static double pcg_unit(Pcg *pcg) { return (double)(pcg_next(pcg) >> 11) * 0x1p-53; }
static size_t pcg_coin(Pcg *pcg) {
  if (pcg->has_half) {
    pcg->has_half = false;
    return pcg->half >> 31;
  }
  uint64_t both = pcg_next(pcg);
  pcg->half = (uint32_t)(both >> 32);
  pcg->has_half = true;
  return (uint32_t)both >> 31;
}
static Wide join(uint64_t high, uint64_t low) { return (Wide)high << 64 | low; }

/* Known outcome: two Q-learners of rate .1 that explore in a tenth of 20,000 rounds. The row's greedy choice flips
 * 1,172 times: they never settle. */
static void pennies_never_settle(void **state) {
  (void)state;
  Pcg pcg = {.state = join(UINT64_C(11316117344166709393), UINT64_C(11160554683178229816)),
             .step = join(UINT64_C(14156248039698386623), UINT64_C(7388295216453704025))};
  double q[2][2] = {{0}};
  int flips = 0;
  size_t last = 0;
  for (int t = 0; t < 20000; t++) {
    size_t choice[2];
    for (int p = 0; p < 2; p++) {
      size_t best = q[p][0] < q[p][1];
      choice[p] = pcg_unit(&pcg) < .1 ? pcg_coin(&pcg) : best;
    }
    double paid = choice[0] == choice[1] ? 1 : -1;
    q_update(&q[0][choice[0]], .1, paid);
    q_update(&q[1][choice[1]], .1, -paid);
    size_t best = q[0][0] < q[0][1];
    flips += best != last;
    last = best;
  }
  CHECK_NEAR(q[0][0], -0.015930769238943918, 1e-12);
  CHECK_NEAR(q[0][1], -0.35640532818313225, 1e-12);
  CHECK_NEAR(q[1][0], -0.3498469171746031, 1e-12);
  CHECK_NEAR(q[1][1], 0.12296521460058579, 1e-12);
  assert_int_equal(flips, 1172);
}

/* --- dynamics --- */

static const double heads[4] = {1, -1, -1, 1}, tails[4] = {-1, 1, 1, -1};
static const Bimatrix pennies = {2, 2, heads, tails};

/* At x = 3/4, y = 1/4 of matching pennies heads pays the row -1/2, tails 1/2: x' = 3/4 (-1/2 + 1/4) = -3/16; the column
 * is paid -1/2 and 1/2 as well: y' = 1/4 (-1/2 - 1/4) = -3/16. */
static void fields_by_hand(void **state) {
  (void)state;
  const double x[2] = {.75, .25}, y[2] = {.25, .75};
  double dx[2], dy[2], value[2];
  form_value(&pennies, x, y, value);
  CHECK_NEAR(value[0], -.25, 1e-15);
  replicator_field(&pennies, x, y, dx, dy);
  CHECK_NEAR(dx[0], -3 / 16., 1e-15);
  CHECK_NEAR(dy[0], -3 / 16., 1e-15);
  gradient_field(&pennies, 0, x, y, dx, dy); /* logits by the same, probabilities by x (1 - x) of their difference */
  CHECK_NEAR(dx[0], .75 * .25 * (-3 / 16. - 3 / 16.), 1e-15);
  boltzmann_field(&pennies, .5, x, y, dx, dy); /* and the pull: x (1 - x) ln((1 - x) / x) */
  CHECK_NEAR(dx[0], -3 / 16. / .5 + 3 / 16. * log(1 / 3.), 1e-12);
  fictitious_field(&pennies, x, y, dx, dy);
  CHECK_NEAR(dx[0], -.75, 1e-15);
  CHECK_NEAR(dy[0], -.25, 1e-15);
}

/* The replicator goes round and round: x (1 - x) y (1 - y) is kept. With entropy the gradient comes to rest in the
 * middle, and frequencies of fictitious play do. */
static void pennies_settle_by_some_rules(void **state) {
  (void)state;
  double x[2] = {.8, .2}, y[2] = {.6, .4}, before = .16 * .24;
  for (int t = 0; t < 10000; t++) replicator_step(&pennies, .01, x, y);
  CHECK_NEAR(x[0] * x[1] * y[0] * y[1], before, 1e-9);
  assert_true(fabs(x[0] - .5) + fabs(y[0] - .5) > .2);
  memcpy(x, (double[]){.8, .2}, sizeof x);
  memcpy(y, (double[]){.6, .4}, sizeof y);
  for (int t = 0; t < 4000; t++) gradient_step(&pennies, .1, .1, x, y);
  CHECK_NEAR(x[0], .5, 1e-6);
  CHECK_NEAR(y[0], .5, 1e-6);
  memcpy(x, (double[]){1, 0}, sizeof x);
  memcpy(y, (double[]){1, 0}, sizeof y);
  for (int t = 1; t < 100000; t++) fictitious_step(&pennies, t, x, y);
  CHECK_NEAR(x[0], .5, .01);
  CHECK_NEAR(y[0], .5, .01);
}

/* Shapley's game: frequencies of fictitious play go round ever more slowly, and never come near 1/3. */
static void fictitious_play_of_shapley(void **state) {
  (void)state;
  const double a[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, b[9] = {0, 1, 0, 0, 0, 1, 1, 0, 0};
  const Bimatrix shapley = {3, 3, a, b};
  double x[3] = {1, 0, 0}, y[3] = {1, 0, 0}, least = 1;
  for (int t = 1; t < 200000; t++) {
    fictitious_step(&shapley, t, x, y);
    double far = fmax(fabs(x[0] - 1 / 3.), fmax(fabs(x[1] - 1 / 3.), fabs(x[2] - 1 / 3.)));
    if (t > 1000 && far < least) least = far;
  }
  assert_true(least > .1);
}

/* --- LOLA --- */

/* Foerster et al. 2018, table of the prisoner's dilemma; the first choice is to cooperate. */
static const IteratedGame dilemma = {{{-1, -3, 0, -2}, {-1, 0, -3, -2}}, .96};

/* Who always cooperates gets -1 / (1 - .96) = -25, who always defects -50. */
static void values_of_fixed_policies(void **state) {
  (void)state;
  double logits[2][LOLA_LOGITS], value[2], share[2];
  for (int k = 0; k < LOLA_LOGITS; k++) logits[0][k] = logits[1][k] = 40;
  lola_value(&dilemma, logits, value);
  CHECK_NEAR(value[0], -25, 1e-9);
  for (int k = 0; k < LOLA_LOGITS; k++) logits[1][k] = -40;
  lola_value(&dilemma, logits, value);
  CHECK_NEAR(value[0], -75, 1e-9);
  CHECK_NEAR(value[1], 0, 1e-9);
  lola_first_choices(&dilemma, logits, share);
  CHECK_NEAR(share[0], 1, 1e-9);
  CHECK_NEAR(share[1], 0, 1e-9);
  for (int k = 0; k < LOLA_LOGITS; k++) logits[0][k] = -40;
  lola_value(&dilemma, logits, value);
  CHECK_NEAR(value[1], -50, 1e-9);
}

/* Tit for tat against who always defects: one round of -3, then -2 for ever. It tells whose view is whose. */
static void tit_for_tat(void **state) {
  (void)state;
  double logits[2][LOLA_LOGITS] = {{40, 40, -40, 40, -40}, {-40, -40, -40, -40, -40}}, value[2];
  lola_value(&dilemma, logits, value);
  CHECK_NEAR(value[0], -3 - 2 * .96 / .04, 1e-9);
  CHECK_NEAR(value[1], 0 - 2 * .96 / .04, 1e-9);
  double turned[2][LOLA_LOGITS];
  memcpy(turned[0], logits[1], sizeof logits[1]);
  memcpy(turned[1], logits[0], sizeof logits[0]);
  lola_value(&dilemma, turned, value);
  CHECK_NEAR(value[1], -3 - 2 * .96 / .04, 1e-9);
}

/* V of a player with the logits moved by h in two places. */
static double moved(int whose, double logits[2][LOLA_LOGITS], int p, int k, double h, int q, int l, double g) {
  double at[2][LOLA_LOGITS], value[2];
  memcpy(at, logits, sizeof at);
  at[p][k] += h;
  at[q][l] += g;
  lola_value(&dilemma, at, value);
  return value[whose];
}

/* Dual numbers against differences, of both players: the gradient, and the other's cross derivatives times its part. */
static void gradients_are_exact(void **state) {
  (void)state;
  double logits[2][LOLA_LOGITS] = {{.3, -.7, 1.1, .2, -.4}, {-.5, .9, -.1, .6, .8}}, out[LOLA_LOGITS];
  const double h = 1e-4, inner = .3;
  for (int p = 0; p < 2; p++) {
    lola_gradient(&dilemma, logits, p, inner, out);
    for (int k = 0; k < LOLA_LOGITS; k++) {
      double want = (moved(p, logits, p, k, h, p, k, 0) - moved(p, logits, p, k, -h, p, k, 0)) / (2 * h);
      for (int l = 0; l < LOLA_LOGITS; l++) {
        int o = 1 - p;
        double of_other = (moved(p, logits, o, l, h, o, l, 0) - moved(p, logits, o, l, -h, o, l, 0)) / (2 * h);
        double cross = (moved(o, logits, p, k, h, o, l, h) - moved(o, logits, p, k, h, o, l, -h) -
                        moved(o, logits, p, k, -h, o, l, h) + moved(o, logits, p, k, -h, o, l, -h)) /
                       (4 * h * h);
        want += inner * of_other * cross;
      }
      CHECK_NEAR(out[k], want, 1e-4);
    }
  }
}

/* From the same start naive learners end in -2 a round, and LOLA near -1. */
static void lola_cooperates(void **state) {
  (void)state;
  double naive[2][LOLA_LOGITS] = {{0}}, shaped[2][LOLA_LOGITS] = {{0}}, value[2];
  for (int t = 0; t < 1000; t++) {
    lola_step(&dilemma, .2, 0, naive);
    lola_step(&dilemma, .2, .3, shaped);
  }
  lola_value(&dilemma, naive, value);
  assert_true(value[0] * .04 < -1.9);
  lola_value(&dilemma, shaped, value);
  assert_true(value[0] * .04 > -1.2 && value[1] * .04 > -1.2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(worths_move_towards_targets),
      cmocka_unit_test(lenience_cools),
      cmocka_unit_test(minimax_solves_the_stage_game),
      cmocka_unit_test(minimax_is_what_the_library_finds),
      cmocka_unit_test(equilibria_of_highest_welfare),
      cmocka_unit_test(equilibria_of_three_choices),
      cmocka_unit_test(equilibria_of_odd_shapes),
      cmocka_unit_test(nash_q_of_rock_paper_scissors),
      cmocka_unit_test(pennies_never_settle),
      cmocka_unit_test(fields_by_hand),
      cmocka_unit_test(pennies_settle_by_some_rules),
      cmocka_unit_test(fictitious_play_of_shapley),
      cmocka_unit_test(values_of_fixed_policies),
      cmocka_unit_test(tit_for_tat),
      cmocka_unit_test(gradients_are_exact),
      cmocka_unit_test(lola_cooperates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

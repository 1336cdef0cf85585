/* Population-based training: who copies whom, and what becomes of its numbers; what is stored comes
 * back; what cannot be tuned is refused. */
#include "check.h"
#include "learn.h"
#include "plain.h"

#include "job/players.h"
#include "league/edit.h"
#include "learner/tuned.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAINS = 3 };

/* Three mains of tic_tac_toe, whose rates are drawn from 1e-5 .. 1e-1; each has 1000 frames. */
static void build(const char *const *more, size_t count, League *league) {
  JobConfig *s;
  const char *all[16] = {"league.preset=population", "league.mains=3",     "league.memory=1000",
                         "tune.rate.low=1e-5",       "tune.rate.high=0.1", "tune.every=500",
                         "tune.min_games=20"};
  for (size_t i = 0; i < count; i++)
    all[7 + i] = more[i];
  CHECK_OK(job_config_create(
      &(JobConfigSource){.game = "tic_tac_toe", .overrides = all, .override_count = 7 + count},
      &s));
  CHECK_OK(league_create(&s->league, 5, -1, 1, league));
  tune_begin(league);
  job_config_destroy(s);
  for (size_t i = 0; i < league->learning; i++)
    league->player[i].frames = 1000;
}

/* Games of both seats alike, of which `home` wins `wins` and loses the rest. */
static void meet(League *league, uint32_t home, uint32_t away, double games, double wins) {
  const Tally each = {.games = games / 2,
                      .wins = wins / 2,
                      .losses = (games - wins) / 2,
                      .returns = wins - games / 2,
                      .squares = games / 2};
  const Tally other = tally_turned(&each);
  CHECK_OK(
      payoff_add(&league->payoff, home, away, &each, -each.returns, each.squares, PAYOFF_TRAIN));
  CHECK_OK(
      payoff_add(&league->payoff, away, home, &other, each.returns, each.squares, PAYOFF_TRAIN));
  payoff_settle(&league->payoff);
}

static double *rate_of(League *league, uint32_t player) {
  return &league->player[player].tune.value[TUNE_RATE];
}

static void numbers_are_drawn_from_their_range(void **state) {
  (void)state;
  enum { DRAWS = 2000 };
  TuneConfig config = {.range = {[TUNE_RATE] = {1e-4, 1e-2}, [TUNE_LAMBDA] = {.9, .9}}};
  double below = 0;
  for (int i = 0; i < DRAWS; i++) {
    char name[24];
    double value[TUNABLES] = {0};
    double again[TUNABLES] = {0};
    snprintf(name, sizeof name, "main_%d", i);
    tune_settle(&config, 7, name, value);
    tune_settle(&config, 7, name, again);
    assert_memory_equal(value, again, sizeof value); /* by its name, whoever asks */
    assert_true(value[TUNE_RATE] >= 1e-4 && value[TUNE_RATE] <= 1e-2);
    CHECK_NEAR(value[TUNE_LAMBDA], .9, 0);
    assert_true(value[TUNE_ENTROPY] == 0); /* not tuned */
    below += value[TUNE_RATE] < 1e-3;      /* the middle of the logarithms */
    double other[TUNABLES] = {0};
    tune_settle(&config, 8, name, other);
    assert_true(other[TUNE_RATE] != value[TUNE_RATE]);
  }
  CHECK_NEAR(below / DRAWS, .5, .04);
  /* what a player has come to stays, within the range */
  double value[TUNABLES] = {[TUNE_RATE] = .5, [TUNE_ENTROPY] = .1};
  tune_settle(&config, 7, "main_0", value);
  CHECK_NEAR(value[TUNE_RATE], 1e-2, 0);
  assert_true(value[TUNE_ENTROPY] == 0);
  value[TUNE_RATE] = 2e-3;
  tune_settle(&config, 7, "main_0", value);
  CHECK_NEAR(value[TUNE_RATE], 2e-3, 0);
}

/* 30 of 100: .3, and by the variance of games with one more won and one more lost, of 31 / 102,
 * 4.3 standard errors under one half. */
static void two_are_compared_by_their_games(void **state) {
  (void)state;
  League league;
  TuneEvidence e;
  build(NULL, 0, &league);
  league.payoff.decay = 1; /* nothing is forgotten: exact counts */
  assert_false(tune_compare(&league, 0, 1, &e));
  meet(&league, 0, 1, 18, 6);
  assert_false(tune_compare(&league, 0, 1, &e)); /* two games too few */
  meet(&league, 0, 1, 82, 24);
  assert_true(tune_compare(&league, 0, 1, &e));
  CHECK_NEAR(e.chance, .3, 1e-12);
  CHECK_NEAR(e.games, 100, 1e-9);
  const double mean = 31.0 / 102;
  CHECK_NEAR(e.errors, -.2 / sqrt((mean - mean * mean) / 100), 1e-9);
  assert_true(tune_compare(&league, 1, 0, &e));
  CHECK_NEAR(e.chance, .7, 1e-12);
  assert_true(e.errors > 4);
  league_free(&league);
}

/* Main 0 wins 60 of 80 against the past main 3 and main 1 wins 20 of 80: their odds there are 3 and
 * 1/3, so in a game of the two they are 9. */
static void or_by_games_against_others(void **state) {
  (void)state;
  League league;
  TuneEvidence e;
  build(NULL, 0, &league);
  league.payoff.decay = 1;
  meet(&league, 0, 3, 80, 60);
  assert_false(tune_compare(&league, 0, 1, &e));
  meet(&league, 1, 3, 80, 20);
  assert_true(tune_compare(&league, 0, 1, &e));
  const double odds = log(61.0 / 21);
  CHECK_NEAR(e.chance, 1 / (1 + exp(-2 * odds)), 1e-9);
  const double variance = 1 / (80 * (61.0 / 82) * (21.0 / 82));
  CHECK_NEAR(e.errors, 2 * odds / sqrt(2 * variance), 1e-9);
  CHECK_NEAR(e.games, 80, 1e-9);
  assert_false(tune_compare(&league, 0, 2, &e));
  league_free(&league);
}

/* Welch's comparison of 40 episodes of mean 1 and variance 1 with 90 of mean 2 and variance 4. */
static void one_team_is_compared_by_what_it_earns(void **state) {
  (void)state;
  League league;
  TuneEvidence e;
  build(NULL, 0, &league);
  league.config.tune.by_returns = true;
  Tally *a = league.player[0].tune.earned;
  Tally *b = league.player[1].tune.earned;
  a[0] = (Tally){.games = 30, .returns = 30, .squares = 59.25};
  a[1] = (Tally){.games = 10, .returns = 10, .squares = 19.75}; /* of the look before */
  assert_false(tune_compare(&league, 0, 1, &e));
  b[0] = (Tally){.games = 90, .returns = 180, .squares = 360 + 4 * 89};
  assert_true(tune_compare(&league, 0, 1, &e));
  CHECK_NEAR(e.errors, -1 / sqrt(1.0 / 40 + 4.0 / 90), 1e-9);
  CHECK_NEAR(e.chance, .5 * erfc(1 / sqrt(5) / sqrt(2)), 1e-9);
  CHECK_NEAR(e.games, 40, 0);
  league_free(&league);
}

static void whoever_loses_goes_on_as_the_winner(void **state) {
  (void)state;
  League league;
  Directive directive = {.orders = 0};
  build(NULL, 0, &league);
  meet(&league, 0, 1, 200, 60);
  *rate_of(&league, 0) = 1e-5;
  *rate_of(&league, 1) = 2e-3;
  CHECK_OK(tune_decide(&league, &directive));
  assert_int_equal(directive.orders, 1);
  const Order *order = &directive.order[0];
  assert_int_equal(order->player, 0);
  assert_int_equal(order->reset, RESET_ADOPT);
  assert_int_equal(order->source, 1);
  assert_int_equal(order->snapshot_id, 0);
  const double rate = *rate_of(&league, 0);
  assert_true(rate == 2e-3 * 1.25 || rate == 2e-3 / 1.25);
  CHECK_NEAR(order->tuned[TUNE_RATE], rate, 0);
  assert_true(order->tuned[TUNE_ENTROPY] == 0);
  CHECK_NEAR(*rate_of(&league, 1), 2e-3, 0);
  /* it is another player now, and what was counted of the former one goes */
  assert_int_equal(league.player[0].life, 1);
  assert_int_equal(league.player[0].parent, 1);
  assert_int_equal(league.player[0].life_start, 1000);
  CHECK_NEAR(payoff_win_rate(&league.payoff, 1, 0), .5, 0);
  assert_int_equal(league.copies, 1);
  const TuneCopy *copy = &league.copy[0];
  assert_true(copy->player == 0 && copy->source == 1 && copy->frames == 3000);
  CHECK_NEAR(copy->chance, .3, 1e-9);
  CHECK_NEAR(copy->before[TUNE_RATE], 1e-5, 0);
  CHECK_NEAR(copy->after[TUNE_RATE], rate, 0);
  assert_int_equal(league.player[1].tune.looked_at, 0); /* whoever is copied waits for its look */
  assert_int_equal(league.player[2].tune.looked_at, 0); /* there was nobody to compare it with */
  directive.orders = 0;
  meet(&league, 0, 1, 200, 0);
  CHECK_OK(tune_decide(&league, &directive));
  assert_int_equal(directive.orders, 0);
  league.player[0].frames = 1500;
  CHECK_OK(tune_decide(&league, &directive));
  assert_int_equal(directive.orders, 1);
  league_free(&league);
}

/* Factors are drawn by the league's own stream: of many, half go each way; none leaves the range.
 */
static void numbers_are_explored_by_the_factor(void **state) {
  (void)state;
  enum { TIMES = 400 };
  const char *more[] = {"tune.factor=2", "tune.entropy.low=0.01", "tune.entropy.high=0.01"};
  League league;
  double more_of = 0;
  build(more, COUNT_OF(more), &league);
  for (int i = 0; i < TIMES; i++) {
    Directive directive = {.orders = 0};
    league.player[0].frames += 500;
    meet(&league, 0, 1, 200, 20);
    *rate_of(&league, 1) = i % 2 ? .001 : .09;
    CHECK_OK(tune_decide(&league, &directive));
    assert_int_equal(directive.orders, 1);
    const double rate = directive.order[0].tuned[TUNE_RATE];
    CHECK_NEAR(directive.order[0].tuned[TUNE_ENTROPY], .01, 0);
    if (i % 2) {
      assert_true(rate == .002 || rate == .0005);
    } else {
      assert_true(rate == .1 || rate == .045); /* no larger than the range */
    }
    more_of += rate == .002 || rate == .1;
  }
  CHECK_NEAR(more_of / TIMES, .5, .1);
  league_free(&league);
}

/* Losing a little, by few games, or to somebody of another role is no reason. */
static void what_is_not_sure_is_left(void **state) {
  (void)state;
  static const struct {
    double games;
    double wins;
    size_t orders;
  } row[] = {
      {400, 184, 0},             /* .46 */
      {400, 176, 1},             /* .44: 2.4 errors */
      {100, 44, 0},              /* .44: 1.2 errors */
      {24, 8, 0},                /* .33: 1.7 errors */
      {24, 6, 1},    {18, 0, 0}, /* fewer than min_games */
  };
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    League league;
    Directive directive = {.orders = 0};
    build(NULL, 0, &league);
    league.payoff.decay = 1;
    meet(&league, 0, 1, row[i].games, row[i].wins);
    CHECK_OK(tune_decide(&league, &directive));
    if (directive.orders != row[i].orders)
      fail_msg("%g of %g: %zu orders", row[i].wins, row[i].games, directive.orders);
    league_free(&league);
  }
  const char *more[] = {"league.mains=1", "league.main_exploiters=1"};
  League league;
  Directive directive = {.orders = 0};
  build(more, COUNT_OF(more), &league);
  meet(&league, 0, 1, 400, 0);
  CHECK_OK(tune_decide(&league, &directive));
  assert_int_equal(directive.orders, 0);
  league_free(&league);
}

/* In one directive nobody is copied who begins anew, and nobody begins anew who is copied: so that
 * learners may obey it in any order. A snapshot is taken before. */
static void orders_of_one_directive_agree(void **state) {
  (void)state;
  enum { SEEDS = 40 };
  League league;
  Directive directive = {.orders = 1, .order = {{.player = 1, .reset = RESET_INITIAL}}};
  size_t waited = 0;
  build(NULL, 0, &league);
  meet(&league, 0, 1, 400, 0);
  CHECK_OK(tune_decide(&league, &directive));
  assert_int_equal(directive.orders, 1);
  league_free(&league);
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    /* 0 loses to 1, who loses to 2: 1 waits until the next time if it is copied by 0 */
    build(NULL, 0, &league);
    league.seed = seed;
    meet(&league, 0, 1, 400, 0);
    meet(&league, 1, 2, 400, 0);
    directive = (Directive){.orders = 1, .order = {{.player = 0, .snapshot_id = 7}}};
    CHECK_OK(tune_decide(&league, &directive));
    const Order *first = &directive.order[0];
    assert_true(first->snapshot_id == 7 && first->reset == RESET_ADOPT && first->source > 0);
    assert_int_equal(directive.orders, first->source == 1 ? 1 : 2);
    waited += first->source == 1;
    assert_true(directive.orders == 1 || directive.order[1].source == 2);
    const size_t late = first->source == 1;
    directive.orders = 0;
    CHECK_OK(tune_decide(&league, &directive));
    assert_int_equal(directive.orders, late);
    league_free(&league);
  }
  assert_true(waited > SEEDS / 4 && waited < SEEDS * 3 / 4); /* rivals are drawn alike */
}

static void what_is_stored_comes_back(void **state) {
  (void)state;
  League league;
  League again;
  Roster roster;
  Directive directive = {.orders = 0};
  Tree tree = {0};
  build(NULL, 0, &league);
  build(NULL, 0, &again);
  meet(&league, 0, 1, 200, 20);
  CHECK_OK(tune_decide(&league, &directive));
  league.player[2].tune.earned[1] = (Tally){.games = 3, .wins = 2, .losses = 1, .squares = 3};
  for (size_t i = league.learning; i < league.players; i++)
    memset(league.player[i].hash, 'a', HASH_TEXT - 1);
  CHECK_OK(league_save(&league, &tree));
  CHECK_OK(league_load(&again, &tree));
  for (size_t i = 0; i < league.players; i++)
    assert_memory_equal(&again.player[i].tune, &league.player[i].tune, sizeof again.player[i].tune);
  assert_int_equal(again.copies, 1);
  assert_memory_equal(again.copy, league.copy, sizeof *again.copy);
  CHECK_OK(roster_of_checkpoint(&tree, &roster));
  Bytes bytes = {0};
  Roster sent;
  roster_encode(&roster, &bytes);
  Reader reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(roster_decode(&sent, &reader));
  for (size_t p = 0; p < MAINS; p++)
    assert_memory_equal(sent.entry[p].tuned, league.player[p].tune.value,
                        TUNABLES * sizeof(double));
  /* a snapshot has what it was frozen with; who joins has none before they are drawn */
  uint32_t id;
  uint32_t map[16];
  CHECK_OK(league_freeze(&again, 0, "test", &id));
  CHECK_NEAR(*rate_of(&again, id), *rate_of(&league, 0), 0);
  CHECK_OK(edit_join(&again, "boss", ROLE_MAIN, 0, -1, &id, map));
  assert_true(*rate_of(&again, id) == 0);
  tune_begin(&again);
  assert_true(*rate_of(&again, id) > 0);
  /* ids of what was copied move along */
  CHECK_OK(edit_retire(&again, 0, &id, map));
  assert_int_equal(again.copy[0].player, id);
  assert_int_equal(again.copy[0].source, 0);
  roster_free(&roster);
  roster_free(&sent);
  bytes_free(&bytes);
  tree_free(&tree);
  league_free(&league);
  league_free(&again);
}

static void what_is_damaged_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *path;
    size_t at; /* bytes */
    double number;
    const char *says;
  } row[] = {
      {"tune/value", 8 * TUNABLES, -1, "is below 0"},
      {"tune/value", 0, NAN, "is not a finite number"},
      {"tune/earned", 0, 1, "holds counts that do not agree"},
      {"tune/looked_at", 0, 1e300, "lies beyond the player's frames"},
      {"tune/copy_players", 0, 1e300, "names players"},
      {"tune/copy_numbers", 0, NAN, "is not a finite number"},
  };
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    League league;
    Directive directive = {.orders = 0};
    Tree tree = {0};
    build(NULL, 0, &league);
    meet(&league, 0, 1, 200, 20);
    CHECK_OK(tune_decide(&league, &directive));
    CHECK_OK(tune_save(&league, &tree));
    CHECK_OK(tree_put_texts(&tree, "league/name", league.players, 2, "a\0b\0c\0d\0e\0f"));
    CHECK_OK(tune_load(&league, &tree));
    Item *item = (Item *)tree_find(&tree, row[i].path);
    memcpy((char *)item->data + row[i].at, &row[i].number, sizeof row[i].number);
    assert_int_equal(tune_load(&league, &tree), ERR_FORMAT);
    if (!strstr(status_message(), row[i].says)) fail_msg("%s: %s", row[i].path, status_message());
    tree_free(&tree);
    league_free(&league);
  }
}

static void what_cannot_be_tuned_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *pairs[3];
    const char *says;
  } row[] = {
      {{"tune.gamma.low=.9"}, "unknown key 'tune.gamma.low'"},
      {{"tune.gamma.low=.9"}, "what can be tuned is what a learner reads anew"},
      {{"tune.rat.low=.9"}, "did you mean 'tune.rate.low'?"},
      {{"tune.rate=.9"}, "unknown key 'tune.rate'"},
      {{"tune.rate.low=.1"}, "tune.rate has a low of 0.1 and no high"},
      {{"tune.rate.high=.1"}, "tune.rate must have a low above 0"},
      {{"tune.rate.high=.1", "tune.rate.low=.2"}, "and not above its high: 0.2 .. 0.1"},
      {{"tune.rate.high=2", "tune.rate.low=.2"}, "is outside 0 .. 1"},
      {{"tune.rate.high=.1", "tune.rate.low=.01", "tune.min_games=100"},
       "tune.min_games (100) is never reached where league.memory is 100"},
      {{"tune.rate.high=.1", "tune.rate.low=.01", "players.main.rate_end=.1"},
       "players.main.rate_end: each player has a rate of its own"},
  };
  JobConfig *s;
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    size_t count = 0;
    while (count < COUNT_OF(row[i].pairs) && row[i].pairs[count])
      count++;
    assert_int_equal(job_config_create(&(JobConfigSource){.game = "tic_tac_toe",
                                                          .overrides = row[i].pairs,
                                                          .override_count = count},
                                       &s),
                     ERR_USAGE);
    if (!strstr(status_message(), row[i].says)) fail_msg("%s", status_message());
  }
}

/* Every rank draws the same, and whoever goes on learns by what its player has come to. */
static void each_learns_by_its_own_numbers(void **state) {
  (void)state;
  const char *pairs[] = {"league.mains=2",        "tune.rate.low=1e-5",  "tune.rate.high=.1",
                         "tune.entropy.low=.001", "tune.entropy.high=1", "run.seed=1"};
  JobConfig *s;
  League league;
  Roster roster = {.count = 2};
  CHECK_OK(job_config_create(
      &(JobConfigSource){.game = "tic_tac_toe", .overrides = pairs, .override_count = 5}, &s));
  CHECK_OK(league_create(&s->league, (uint64_t)s->run.seed, -1, 1, &league));
  tune_begin(&league);
  for (uint32_t p = 0; p < 2; p++) {
    CHECK_NEAR(s->learner_of[p].rate, *rate_of(&league, p), 0);
    CHECK_NEAR(s->learner_of[p].rate_end, *rate_of(&league, p), 0);
    CHECK_NEAR(s->learner_of[p].entropy, league.player[p].tune.value[TUNE_ENTROPY], 0);
    CHECK_NEAR(s->learner_of[p].clip_norm, s->learner.clip_norm, 0);
  }
  assert_true(s->learner_of[0].rate != s->learner_of[1].rate);
  CHECK_OK(NEW_ARRAY(roster.entry, roster.count));
  roster.entry[0] = (RosterEntry){.name = "main_0", .tuned = {[TUNE_RATE] = .03}};
  roster.entry[1] = (RosterEntry){.name = "main_1", .tuned = {[TUNE_RATE] = .7}};
  CHECK_OK(job_config_take_roster(s, &roster));
  CHECK_NEAR(s->learner_of[0].rate, .03, 0);
  CHECK_NEAR(s->learner_of[1].rate, .1, 0); /* the range has become smaller */
  CHECK_NEAR(s->learner_of[1].entropy, league.player[1].tune.value[TUNE_ENTROPY], 0);
  league_free(&league);
  job_config_destroy(s);
}

/* All that an update reads is the other's; what is counted, and what acted, stays. */
static void a_player_goes_on_as_another(void **state) {
  (void)state;
  Bench b;
  TrainState other;
  open_bench(&b, &plain, 0, true);
  bandit(&b, 3);
  const TrainShape shape = {.algo = b.made, .seed = 99};
  CHECK_OK(train_state_create(&shape, 1, &other));
  other.life = 4;
  other.version = 40;
  other.frames = 10;
  other.dropped = 5;
  float acted = other.acting[0];
  b.pupil.reference[0] = 7;
  b.pupil.average[0] = 8;
  train_state_adopt(b.made, &other, &b.pupil);
  for (size_t i = 0; i < other.parts; i++) {
    const TrainPart *was = &b.pupil.part[i];
    const TrainPart *now = &other.part[i];
    assert_memory_equal(now->block, was->block, was->floats * sizeof(float));
    assert_memory_equal(now->m, was->m, was->trained * sizeof(float));
    assert_memory_equal(now->v, was->v, was->trained * sizeof(float));
    assert_int_equal(now->steps, was->steps);
  }
  assert_memory_equal(other.stat, b.pupil.stat, train_state_stat_count(b.net) * sizeof(double));
  assert_true(other.reference[0] == 7 && other.average[0] == 8 && other.acting[0] == acted);
  assert_true(other.player == 1 && other.life == 5 && other.version == 40 && other.frames == 10);
  assert_true(other.min_version == 40 && other.dropped == 5 && other.steps == b.pupil.steps);
  assert_true(other.life_frames <= other.frames);
  train_state_destroy(&other);
  close_bench(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_drawn_from_their_range),
      cmocka_unit_test(two_are_compared_by_their_games),
      cmocka_unit_test(or_by_games_against_others),
      cmocka_unit_test(one_team_is_compared_by_what_it_earns),
      cmocka_unit_test(whoever_loses_goes_on_as_the_winner),
      cmocka_unit_test(numbers_are_explored_by_the_factor),
      cmocka_unit_test(what_is_not_sure_is_left),
      cmocka_unit_test(orders_of_one_directive_agree),
      cmocka_unit_test(what_is_stored_comes_back),
      cmocka_unit_test(what_is_damaged_is_refused),
      cmocka_unit_test(what_cannot_be_tuned_is_refused),
      cmocka_unit_test(each_learns_by_its_own_numbers),
      cmocka_unit_test(a_player_goes_on_as_another),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* league.sides separate: a population for each side. Nobody ever meets its own; every rule of the league reads the
 * other side for "the others"; and a file says who plays what. */
#include "base/log.h"
#include "base/text.h"
#include "check.h"

#include "job/config.h"
#include "league/league.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Status configure(const char *game, const char *const *pairs, size_t count, LeagueConfig *out) {
  const char *all[8] = {"league.sides=separate", "league.memory=100"};
  JobConfig *settings;
  for (size_t i = 0; i < count; i++) all[2 + i] = pairs[i];
  TRY_RETURN(job_config_create(&(JobConfigSource){.game = game, .overrides = all, .override_count = 2 + count},
                               &settings));
  *out = settings->league;
  job_config_destroy(settings);
  return OK;
}

/* A league on simple_tag of so many players of each role and side. */
static void build_on(League *league, const char *preset, int64_t mains, int64_t exploiters, int64_t league_exploiters) {
  LeagueConfig config;
  char word[48];
  snprintf(word, sizeof word, "league.preset=%s", preset);
  const char *pairs[] = {word, "actors.eval_share=0.25"};
  CHECK_OK(configure("simple_tag", pairs, COUNT_OF(pairs), &config));
  config.mains = mains;
  config.main_exploiters = exploiters;
  config.league_exploiters = league_exploiters;
  CHECK_OK(league_create(&config, 1, -1, 1, league));
}

static void build(League *league) { build_on(league, "alphastar-paper", 1, 1, 1); }

/* Ids in the league that `build` makes: learning players, then the first snapshots of both mains. */
enum {
  HUNTER,
  PREY,
  HUNTER_EXPLOITER,
  PREY_EXPLOITER,
  HUNTER_LEAGUE,
  PREY_LEAGUE,
  HUNTER_0,
  PREY_0,
  BUILT
};

static uint32_t frozen(League *league, uint32_t parent) {
  char name[PLAYER_NAME];
  uint32_t id;
  Player *model = &league->player[parent];
  snprintf(name, sizeof name, "%.30s-%06u", model->name, model->snapshots++);
  CHECK_OK(league_add(league, name, model->role, true, parent, &id));
  league->player[id].side = league->player[parent].side;
  return id;
}

/* Games of the only seat that the two can have. */
static void set_games(League *league, uint32_t home, uint32_t away, double games, double x) {
  Pair *pair;
  int seat = league->player[home].side - 1;
  Tally tally = {games, games * x, 0, games - games * x, games * (2 * x - 1), games};
  CHECK_OK(payoff_pair(&league->payoff, home, away, &pair));
  pair->decayed[seat] = pair->raw[seat] = pair->eval[seat] = tally;
  pair->since[seat] = games;
  CHECK_OK(payoff_pair(&league->payoff, away, home, &pair));
  pair->decayed[1 - seat] = pair->raw[1 - seat] = pair->eval[1 - seat] = tally_turned(&tally);
  pair->since[1 - seat] = games;
}

static double probability_of(const Table *table, uint32_t home, uint32_t away, int branch) {
  double sum = 0;
  for (uint32_t i = 0; i < table->home[home].count; i++) {
    const MatchEntry *match = &table->match[table->home[home].first + i];
    if (match->away == away && (branch < 0 || match->branch == branch)) sum += (double)match->probability;
  }
  return sum;
}

static void players_are_called_by_their_side(void **state) {
  (void)state;
  static const char *const name[BUILT] = {"predator_main_0",           "prey_main_0",
                                          "predator_main_exploiter_0", "prey_main_exploiter_0",
                                          "predator_league_exploiter_0", "prey_league_exploiter_0",
                                          "predator_main_0-000000",    "prey_main_0-000000"};
  League league;
  LeagueConfig config;
  build(&league);
  assert_int_equal(league.players, BUILT);
  assert_int_equal(league.learning, league_learners(&league.config));
  for (size_t i = 0; i < BUILT; i++) {
    assert_string_equal(league.player[i].name, name[i]);
    assert_int_equal(league.player[i].side, 1 + i % 2);
    if (i < league.learning) assert_int_equal(league_role_at(&league.config, i), league.player[i].role);
  }
  assert_string_equal(league_first_main(&league), "predator_main_0");
  league_free(&league);
  /* agents of one kind on both sides have no names of their own */
  CHECK_OK(configure("skirmish", NULL, 0, &config));
  CHECK_OK(league_create(&config, 1, -1, 1, &league));
  assert_string_equal(league.player[0].name, "side0_main_0");
  assert_string_equal(league.player[1].name, "side1_main_0");
  league_free(&league);
}

/* Every rule, and many players: whoever is offered plays the other side, at home on its own. */
static void nobody_meets_its_own_side(void **state) {
  (void)state;
  static const char *const preset[] = {"alphastar-paper", "alphastar-pseudocode", "tstarbot-x", "openai-five",
                                       "fictitious",      "self-play",            "psro",       "jpsro"};
  for (size_t p = 0; p < COUNT_OF(preset); p++) {
    League league;
    Table table = {0};
    AgonRng rng = rng_stream(5, (uint32_t)p, 0, RNG_TEST);
    build_on(&league, preset[p], 2, 1, 2);
    const size_t learning = league.learning;
    for (int i = 0; i < 40; i++) frozen(&league, rng_below(&rng, (uint32_t)learning));
    for (uint32_t a = 0; a < league.players; a++)
      for (uint32_t b = a + 1; b < league.players; b++)
        if (league.player[a].side != league.player[b].side) set_games(&league, a, b, 80, rng_unit(&rng));
    CHECK_OK(league_table(&league, &table));
    assert_int_equal(table.homes, learning);
    for (size_t i = 0; i < table.matches + table.evals; i++) {
      const MatchEntry *match = i < table.matches ? &table.match[i] : &table.eval[i - table.matches];
      assert_int_equal(match_side(match), league.player[match->home].side);
      if (is_builtin(match->away)) continue;
      assert_int_not_equal(league.player[match->home].side, league.player[match->away].side);
    }
    assert_true(table.matches > 0 && table.evals > 0 && table_is_whole(&table));
    CHECK_OK(table_check(&table, league.learning, league.players));
    table_free(&table);
    league_free(&league);
  }
}

/* Self-play is with the other side's main, and both learn from it; from no other match does away. */
static void self_play_teaches_both_mains(void **state) {
  (void)state;
  League league;
  Table table = {0};
  build(&league);
  CHECK_OK(league_table(&league, &table));
  CHECK_NEAR(probability_of(&table, HUNTER, PREY, BRANCH_SELF), .5, 1e-6); /* nothing is forgotten: .35 + .15 */
  CHECK_NEAR(probability_of(&table, HUNTER, PREY_0, BRANCH_PFSP), .5, 1e-6);
  CHECK_NEAR(probability_of(&table, PREY, HUNTER, BRANCH_SELF), .5, 1e-6);
  CHECK_NEAR(probability_of(&table, PREY_EXPLOITER, HUNTER, BRANCH_EXPLOIT), .5, 1e-6);
  size_t both = 0;
  for (size_t i = 0; i < table.matches; i++) {
    const MatchEntry *match = &table.match[i];
    bool learns = match->flags & MATCH_AWAY_LEARNS;
    assert_int_equal(learns, match->branch == BRANCH_SELF && match->away < league.learning);
    both += learns;
  }
  assert_int_equal(both, 2);
  table_free(&table);
  league_free(&league);
}

/* What a main may have forgotten is the other side's: exploiters that were made against it, and the past of the main
 * that it meets. */
static void verification_looks_at_the_other_side(void **state) {
  (void)state;
  for (int which = 0; which < 3; which++) {
    League league;
    Table table = {0};
    build(&league);
    uint32_t foe = frozen(&league, PREY_EXPLOITER);
    uint32_t friend = frozen(&league, HUNTER_EXPLOITER);
    uint32_t past = frozen(&league, PREY);
    uint32_t own = frozen(&league, HUNTER);
    set_games(&league, HUNTER, foe, 50, which == 0 ? .1 : .9);
    set_games(&league, PREY, friend, 50, .9);
    set_games(&league, HUNTER, PREY_0, 50, .2);
    set_games(&league, HUNTER, past, 50, which == 1 ? .5 : .1); /* rising, so that PREY_0 is looked at; or falling */
    set_games(&league, own, PREY, 50, .5);
    CHECK_OK(league_table(&league, &table));
    CHECK_NEAR(probability_of(&table, HUNTER, foe, BRANCH_VERIFY), which == 0 ? .15 : 0, 1e-6);
    double verified = probability_of(&table, HUNTER, PREY_0, BRANCH_VERIFY) +
                      probability_of(&table, HUNTER, past, BRANCH_VERIFY);
    CHECK_NEAR(verified, which == 1 ? .15 : 0, 1e-6);
    CHECK_NEAR(probability_of(&table, HUNTER, PREY, BRANCH_SELF), which == 2 ? .5 : .35, 1e-6);
    table_free(&table);
    league_free(&league);
  }
}

static Directive decide(League *league) {
  Directive directive = {.orders = 0};
  CHECK_OK(league_decide(league, &directive));
  return directive;
}

/* The threshold is over the other side's players, and its games are of one seat, all of which count. */
static void thresholds_are_over_the_other_side(void **state) {
  (void)state;
  League league;
  build(&league);
  league.config.snapshot_min[ROLE_MAIN] = 0;
  league.config.frame_scale = 1;
  league.config.min_games = 50;
  league.player[HUNTER].frames = league.player[HUNTER_EXPLOITER].frames = 10;
  set_games(&league, HUNTER, PREY_0, 49, 1);
  set_games(&league, HUNTER_EXPLOITER, PREY, 60, .6);
  assert_int_equal(decide(&league).orders, 0); /* a game too few; not strong enough */
  set_games(&league, HUNTER, PREY_0, 50, 1);
  set_games(&league, HUNTER_EXPLOITER, PREY, 60, .8);
  Directive directive = decide(&league);
  assert_int_equal(directive.orders, 2);
  assert_int_equal(directive.order[0].player, HUNTER);
  assert_int_equal(directive.order[1].player, HUNTER_EXPLOITER);
  assert_int_equal(directive.order[1].reset, RESET_INITIAL);
  for (size_t i = 0; i < 2; i++) assert_int_equal(league.player[directive.order[i].snapshot_id].side, 1);
  league_free(&league);
}

/* A seat's games are all that a pair has: it remembers all of league.memory. */
static void one_seat_remembers_everything(void **state) {
  (void)state;
  League league;
  build(&league);
  CHECK_NEAR(league_decay(&league.config), .99, 1e-12);
  for (int i = 0; i < 2000; i++) {
    PairResults pair = {.home = HUNTER, .away = PREY, .tally = {1, 1, 0, 0, 1, 1}, .away_return = -1, .away_square = 1};
    CHECK_OK(league_merge(&league, &(Results){.pair = &pair, .pairs = 1}));
    league_settle(&league);
  }
  const Pair *pair = payoff_find(&league.payoff, HUNTER, PREY);
  CHECK_NEAR(pair->decayed[0].games, 100, 1e-6);
  CHECK_NEAR(payoff_effective(&league.payoff, pair->since[0], pair->since[1]), 100, 1e-6);
  CHECK_NEAR(payoff_find(&league.payoff, PREY, HUNTER)->decayed[1].losses, 100, 1e-6);
  league_free(&league);
}

/* What no actor can have played is not counted. */
static void results_of_one_side_are_refused(void **state) {
  (void)state;
  static const PairResults bad[] = {
      {.home = HUNTER, .away = HUNTER_0, .tally.games = 1, .tally.wins = 1},
      {.home = HUNTER, .away = PREY, .seat = 1, .tally.games = 1, .tally.wins = 1},
      {.home = HUNTER_0, .away = BUILTIN_RANDOM, .eval = 1, .seat = 1, .tally.games = 1, .tally.wins = 1}};
  League league;
  build(&league);
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    PairResults pair = bad[i];
    assert_int_equal(league_merge(&league, &(Results){.pair = &pair, .pairs = 1}), ERR_FORMAT);
  }
  league_free(&league);
}

/* Who begins anew from a past main takes one of its own side, by how that does against the other side's mains. */
static void resets_stay_on_their_side(void **state) {
  (void)state;
  for (uint32_t which = HUNTER_EXPLOITER; which <= PREY_EXPLOITER; which++) {
    League league;
    build(&league);
    league.config.reset_to = 1;
    league.config.frame_scale = 1;
    uint32_t hunter = frozen(&league, HUNTER);
    uint32_t prey = frozen(&league, PREY);
    set_games(&league, hunter, PREY, 50, .3);
    set_games(&league, prey, HUNTER, 50, .3);
    league.player[which].frames = (uint64_t)5e9;
    Directive directive = decide(&league);
    assert_int_equal(directive.orders, 1);
    assert_int_equal(directive.order[0].reset, RESET_COPY);
    assert_int_equal(directive.order[0].source_frozen, which == HUNTER_EXPLOITER ? hunter : prey);
    league_free(&league);
  }
}

/* Matching pennies between two past players of each side: the equilibrium of the two populations is not that of one,
 * and each side meets the other's mixture. */
static void nash_is_that_of_two_populations(void **state) {
  (void)state;
  League league;
  Table table = {0};
  build_on(&league, "psro", 1, 0, 0); /* 0, 1 learn; 2, 3 are their first snapshots */
  uint32_t hunter = frozen(&league, 0);
  uint32_t prey = frozen(&league, 1);
  /* returns of hunters: [[1, -1], [-1, 3]] / 3 has the equilibrium (2/3, 1/3) on both sides */
  const struct {
    uint32_t home, away;
    double returns;
  } pair[] = {{2, 3, 1}, {2, prey, -1}, {hunter, 3, -1}, {hunter, prey, 3}};
  for (size_t i = 0; i < COUNT_OF(pair); i++) {
    set_games(&league, pair[i].home, pair[i].away, 10, .5);
    Pair *own, *other;
    CHECK_OK(payoff_pair(&league.payoff, pair[i].home, pair[i].away, &own));
    own->eval[0].returns = 10 * pair[i].returns;
    CHECK_OK(payoff_pair(&league.payoff, pair[i].away, pair[i].home, &other));
    other->eval[1].returns = -10 * pair[i].returns;
  }
  uint32_t stranger = frozen(&league, 1); /* has met nobody */
  CHECK_OK(league_table(&league, &table));
  CHECK_NEAR(probability_of(&table, 0, 3, BRANCH_META), 2 / 3., 1e-6);
  CHECK_NEAR(probability_of(&table, 0, prey, BRANCH_META), 1 / 3., 1e-6);
  CHECK_NEAR(probability_of(&table, 1, 2, BRANCH_META), 2 / 3., 1e-6);
  CHECK_NEAR(probability_of(&table, 1, hunter, BRANCH_META), 1 / 3., 1e-6);
  assert_true(league.player[stranger].unmeasured && !league.player[prey].unmeasured);
  table_free(&table);
  league_free(&league);
}

/* Lines of the log. */
typedef struct Told {
  int lines;
  char last[1024];
} Told;

static void count_line(void *context, const char *line) {
  Told *told = context;
  told->lines++;
  snprintf(told->last, sizeof told->last, "%s", line);
}

/* Evaluation games between two of different sides, and what both earn in each. */
static void set_returns(League *league, uint32_t home, uint32_t away, double own, double others) {
  Pair *pair;
  set_games(league, home, away, 10, .5);
  CHECK_OK(payoff_pair(&league->payoff, home, away, &pair));
  pair->eval[0].returns = 10 * own;
  CHECK_OK(payoff_pair(&league->payoff, away, home, &pair));
  pair->eval[1].returns = 10 * others;
}

/* Numbers of which no equilibrium is found: the table is made all the same, of all pairs alike, and
 * the log says so once. */
static void of_a_table_without_equilibrium(void **state) {
  (void)state;
  for (int gini = 0; gini < 2; gini++)
    for (int coarse = 0; coarse < 2; coarse++) {
      League league;
      Table table = {0};
      Told told = {0};
      build_on(&league, "jpsro", 1, 0, 0);
      league.config.main_rule -= !coarse;
      league.config.equilibrium = gini;
      league.config.min_games = 10;
      const uint32_t first = frozen(&league, 0), second = frozen(&league, 1);
      set_returns(&league, 2, 3, 0, 0);
      set_returns(&league, 2, second, (double)INFINITY, 2);
      set_returns(&league, first, 3, 2, 7);
      set_returns(&league, first, second, 6, 6);
      log_set_sink(count_line, &told);
      for (int turn = 0; turn < 2; turn++) {
        CHECK_OK(league_table(&league, &table));
        CHECK_NEAR(probability_of(&table, 0, 3, BRANCH_META), .5, 1e-6);
        CHECK_NEAR(probability_of(&table, 0, second, BRANCH_META), .5, 1e-6);
        CHECK_NEAR(probability_of(&table, 1, 2, BRANCH_META), .5, 1e-6);
        CHECK_NEAR(probability_of(&table, 1, first, BRANCH_META), .5, 1e-6);
      }
      log_set_sink(NULL, NULL);
      assert_int_equal(told.lines, 1);
      assert_non_null(strstr(told.last, "payoffs of a game are not finite"));
      assert_non_null(strstr(told.last, "by all pairs alike"));
      set_returns(&league, 2, second, 7, 2); /* found again: chicken */
      CHECK_OK(league_table(&league, &table));
      assert_true(probability_of(&table, 0, 3, BRANCH_META) < .49);
      table_free(&table);
      league_free(&league);
    }
}

/* Chicken between two past players of each side (tests/unit/test_equilibrium.c works it by hand).
 * By the coarse rule each side meets the other's past as it comes in the equilibrium: daring 1/4 of
 * largest welfare, 15/34 of largest Gini impurity. By the other rule a main answers one piece of
 * advice: told to dare, it meets who gives way (of largest Gini also, one time in three, another
 * that dares); told to give way, a dare in 1/3 (10/19). With its next snapshot it answers the
 * next. */
static void joint_equilibria_choose_opponents(void **state) {
  (void)state;
  static const double meets_dare[2][2][2] = {/* [gini][advice] ce, cce */
                                             {{0, .25}, {1 / 3., .25}},
                                             {{1 / 3., 15 / 34.}, {10 / 19., 15 / 34.}}};
  for (int gini = 0; gini < 2; gini++)
    for (int coarse = 0; coarse < 2; coarse++) {
      League league;
      Table table = {0};
      build_on(&league, "jpsro", 1, 0, 0); /* 0, 1 learn; 2, 3 are their first snapshots, that dare */
      league.config.main_rule -= !coarse; /* ce stands before cce */
      assert_true(league_follows(&league.config, coarse ? "cce" : "ce"));
      league.config.equilibrium = gini;
      league.config.min_games = 10;
      const uint32_t first = frozen(&league, 0), second = frozen(&league, 1);
      set_returns(&league, 2, 3, 0, 0);
      set_returns(&league, 2, second, 7, 2);
      set_returns(&league, first, 3, 2, 7);
      set_returns(&league, first, second, 6, 6);
      const uint32_t stranger = frozen(&league, 1);
      for (int advice = 0; advice < 2; advice++) {
        league.player[0].snapshots = league.player[1].snapshots = 4 + (uint32_t)advice;
        CHECK_OK(league_table(&league, &table));
        const double dare = meets_dare[gini][advice][coarse];
        CHECK_NEAR(probability_of(&table, 0, 3, BRANCH_META), dare, 1e-6);
        CHECK_NEAR(probability_of(&table, 0, second, BRANCH_META), 1 - dare, 1e-6);
        CHECK_NEAR(probability_of(&table, 1, 2, BRANCH_META), dare, 1e-6);
        CHECK_NEAR(probability_of(&table, 1, first, BRANCH_META), 1 - dare, 1e-6);
      }
      assert_true(league.player[stranger].unmeasured && !league.player[second].unmeasured);
      league.config.min_games = 11; /* of which nobody has played so many */
      CHECK_OK(league_table(&league, &table));
      CHECK_NEAR(probability_of(&table, 0, 1, BRANCH_SELF), 1, 1e-6);
      assert_true(league.player[second].unmeasured);
      table_free(&table);
      league_free(&league);
    }
}

/* Two mains of a side answer different advice. */
static void mains_share_the_advice_out(void **state) {
  (void)state;
  League league;
  Table table = {0};
  build_on(&league, "jpsro", 2, 0, 0); /* 0, 1 and 2, 3 learn; 4, 5 and 6, 7 are their snapshots */
  league.config.main_rule--;           /* ce stands before cce */
  assert_true(league_follows(&league.config, "ce"));
  league.config.equilibrium = 0;
  league.config.min_games = 10;
  for (uint32_t m = 0; m < 4; m++)
    league.player[m].snapshots = 0;
  uint32_t past[2][2], found[2] = {0, 0};
  for (uint32_t i = 4; i < 8; i++) {
    const int side = league.player[i].side - 1;
    past[side][found[side]++] = i;
  }
  set_returns(&league, past[0][0], past[1][0], 0, 0);
  set_returns(&league, past[0][0], past[1][1], 7, 2);
  set_returns(&league, past[0][1], past[1][0], 2, 7);
  set_returns(&league, past[0][1], past[1][1], 6, 6);
  CHECK_OK(league_table(&league, &table));
  for (int side = 0; side < 2; side++) {
    int main = 0;
    for (uint32_t home = 0; home < 4; home++)
      if (league.player[home].side == side + 1)
        CHECK_NEAR(probability_of(&table, home, past[!side][0], BRANCH_META), main++ ? 1 / 3. : 0, 1e-6);
    assert_int_equal(main, 2);
  }
  table_free(&table);
  league_free(&league);
}

/* In one population what copies earn against each other is not known. */
static void joint_equilibria_are_of_two_populations(void **state) {
  (void)state;
  static const char *const rule[] = {"league.main_rule=ce", "league.main_rule=cce"};
  for (size_t i = 0; i < COUNT_OF(rule); i++) {
    const char *all[] = {"actors.eval_share=.25", rule[i]};
    JobConfig *settings;
    assert_int_equal(job_config_create(
                         &(JobConfigSource){.game = "kuhn_poker", .overrides = all, .override_count = 2}, &settings),
                     ERR_USAGE);
    assert_non_null(strstr(status_message(), "they need league.sides separate"));
  }
}

/* Newcomers wait until they are measured, however many there are: those who have met stay in. */
static void newcomers_leave_the_meta_game_to_those_who_have_met(void **state) {
  (void)state;
  /* past players of each side that have met, and newcomers that have met nobody */
  static const struct {
    uint32_t measured[2], fresh[2];
  } row[] = {{{1, 1}, {0, 1}}, {{1, 1}, {1, 1}}, {{3, 6}, {0, 3}}, {{6, 3}, {3, 0}}, {{1, 2}, {4, 5}}, {{2, 2}, {0, 0}}};
  for (size_t k = 0; k < COUNT_OF(row); k++) {
    League league;
    Table table = {0};
    uint32_t past[2][9] = {{2}, {3}}; /* the first snapshots of the mains 0 and 1 */
    build_on(&league, "psro", 1, 0, 0);
    for (uint32_t side = 0; side < 2; side++)
      for (uint32_t i = 1; i < row[k].measured[side] + row[k].fresh[side]; i++) past[side][i] = frozen(&league, side);
    for (uint32_t i = 0; i < row[k].measured[0]; i++)
      for (uint32_t j = 0; j < row[k].measured[1]; j++)
        set_games(&league, past[0][i], past[1][j], 100, .5 + .05 * i - .03 * j);
    CHECK_OK(league_table(&league, &table));
    for (uint32_t side = 0; side < 2; side++) {
      double met = 0;
      for (uint32_t i = 0; i < row[k].measured[side] + row[k].fresh[side]; i++) {
        const bool measured = i < row[k].measured[side];
        assert_int_equal(league.player[past[side][i]].unmeasured, !measured);
        if (measured) met += probability_of(&table, 1 - side, past[side][i], BRANCH_META);
      }
      CHECK_NEAR(met, 1, 1e-6);
      CHECK_NEAR(probability_of(&table, side, 1 - side, BRANCH_SELF), 0, 1e-6);
    }
    table_free(&table);
    league_free(&league);
  }
}

/* Until two have met there is nothing to mix. */
static void mains_play_each_other_until_two_have_met(void **state) {
  (void)state;
  League league;
  Table table = {0};
  build_on(&league, "psro", 1, 0, 0);
  frozen(&league, 1);
  CHECK_OK(league_table(&league, &table));
  for (uint32_t main = 0; main < 2; main++) {
    CHECK_NEAR(probability_of(&table, main, 1 - main, BRANCH_SELF), 1, 1e-6);
    assert_true(league.player[2 + main].unmeasured);
  }
  table_free(&table);
  league_free(&league);
}

/* OpenAI Five's q is of the other side's past mains. */
static void qualities_are_of_the_other_sides_past(void **state) {
  (void)state;
  League league;
  Table table = {0};
  build_on(&league, "openai-five", 1, 0, 0);
  uint32_t prey = frozen(&league, 1);
  CHECK_OK(league_table(&league, &table));
  CHECK_NEAR(probability_of(&table, 0, 1, BRANCH_SELF), .8, 1e-6);
  CHECK_NEAR(probability_of(&table, 0, 3, BRANCH_PAST), .1, 1e-6);
  CHECK_NEAR(probability_of(&table, 0, prey, BRANCH_PAST), .1, 1e-6);
  /* one win over it, drawn with p = .5 among the 2: q falls by .01 / (2 x .5) */
  PairResults pair = {.home = 0, .away = prey, .tally = {1, 1, 0, 0, 1, 1}, .wins_over_p = 1 / .1, .away_return = -1,
                      .away_square = 1};
  CHECK_OK(league_merge(&league, &(Results){.pair = &pair, .pairs = 1}));
  CHECK_NEAR(league.player[prey].quality, -.01, 1e-9);
  CHECK_NEAR(league.player[3].quality, 0, 0);
  table_free(&table);
  league_free(&league);
}

static void hash_players(League *league) {
  for (size_t i = league->learning; i < league->players; i++) hash_text(hash_bytes(&i, sizeof i), league->player[i].hash);
}

static void sides_survive_saving(void **state) {
  (void)state;
  League league, again;
  Tree tree = {0};
  build(&league);
  uint32_t id = frozen(&league, PREY_EXPLOITER);
  set_games(&league, HUNTER, id, 50, .3);
  hash_players(&league);
  CHECK_OK(league_save(&league, &tree));
  build(&again);
  memset(again.config.side_name, 0, sizeof again.config.side_name); /* as where the game's code is not at hand */
  CHECK_OK(league_load(&again, &tree));
  for (size_t i = 0; i < league.players; i++) assert_int_equal(again.player[i].side, league.player[i].side);
  assert_string_equal(league_side_name(&again.config, 2), "prey");
  assert_true(again.payoff.one_seat);
  CHECK_NEAR(again.payoff.decay, league.payoff.decay, 0);
  league_free(&again);
  /* a side that there is not, and one that is not the parent's */
  uint32_t *side = tree_find(&tree, "league/side")->data;
  for (uint32_t wrong = 0; wrong <= 3; wrong++) {
    if (wrong == league.player[id].side) continue;
    side[id] = wrong;
    build(&again);
    assert_int_equal(league_load(&again, &tree), ERR_FORMAT);
    assert_non_null(strstr(status_message(), "league/side"));
    league_free(&again);
  }
  tree_free(&tree);
  league_free(&league);
}

/* Files of leagues without sides have no column for them, and are not read as leagues with sides. */
static void leagues_without_sides_have_none(void **state) {
  (void)state;
  League league, again;
  Tree tree = {0};
  JobConfig *settings;
  CHECK_OK(job_config_create(&(JobConfigSource){.game = "simple_tag"}, &settings));
  LeagueConfig together = settings->league;
  job_config_destroy(settings);
  together.mains = 2; /* as many learning players as two sides of one main and two exploiters */
  together.main_exploiters = together.league_exploiters = 2;
  CHECK_OK(league_create(&together, 1, -1, 1, &league));
  assert_string_equal(league.player[0].name, "main_0");
  hash_players(&league);
  CHECK_OK(league_save(&league, &tree));
  assert_null(tree_find(&tree, "league/side"));
  build(&again);
  assert_int_equal(league_load(&again, &tree), ERR_FORMAT);
  league_free(&again);
  tree_free(&tree);
  league_free(&league);
}

static void what_has_no_sides_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *game, *pair, *says;
  } row[] = {{"simple_spread", "seed=1", "two teams"}, {"simple_tag", "league.preset=alpharank", "alpharank"}};
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    LeagueConfig config;
    const bool gone = strstr(row[i].pair, "preset=") && text_choice(PRESETS, row[i].says) < 0;
    if (gone) continue; /* a rule that has been taken out takes its preset along */
    assert_int_equal(configure(row[i].game, &row[i].pair, 1, &config), ERR_USAGE);
    assert_non_null(strstr(status_message(), "league.sides"));
    assert_non_null(strstr(status_message(), row[i].says));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(players_are_called_by_their_side),
      cmocka_unit_test(nobody_meets_its_own_side),
      cmocka_unit_test(self_play_teaches_both_mains),
      cmocka_unit_test(verification_looks_at_the_other_side),
      cmocka_unit_test(thresholds_are_over_the_other_side),
      cmocka_unit_test(one_seat_remembers_everything),
      cmocka_unit_test(results_of_one_side_are_refused),
      cmocka_unit_test(resets_stay_on_their_side),
      cmocka_unit_test(nash_is_that_of_two_populations),
      cmocka_unit_test(joint_equilibria_choose_opponents),
      cmocka_unit_test(of_a_table_without_equilibrium),
      cmocka_unit_test(mains_share_the_advice_out),
      cmocka_unit_test(joint_equilibria_are_of_two_populations),
      cmocka_unit_test(newcomers_leave_the_meta_game_to_those_who_have_met),
      cmocka_unit_test(mains_play_each_other_until_two_have_met),
      cmocka_unit_test(qualities_are_of_the_other_sides_past),
      cmocka_unit_test(sides_survive_saving),
      cmocka_unit_test(leagues_without_sides_have_none),
      cmocka_unit_test(what_has_no_sides_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

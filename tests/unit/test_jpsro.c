/* Joint policy-space response oracles (Marris et al. 2021) with exact oracles: the league's own
 * matchmaking over past players that are pure strategies of general-sum Kuhn poker, whose games are
 * enumerated, and best responses to whom it draws. What it ends in is known from the whole game. */
#include "check.h"

#include "env/env.h"
#include "job/config.h"
#include "league/league.h"
#include "meta/equilibrium.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pure strategy of a seat: what it does with each of three cards in each of two situations, a bit
 * each. The first seat begins, or answers a bet after its pass; the second seat follows a pass, or
 * answers a bet. */
enum { PURE = 64 };

/* The whole game: what both seats earn on average over the six deals. */
typedef struct Poker {
  Env *env;
  double pays[SEATS][PURE][PURE]; /* [seat][of the first][of the second] */
} Poker;

static uint32_t choice_of(uint32_t strategy, uint32_t card, bool answers) {
  return strategy >> (2 * card + answers) & 1;
}

/* One game by the env's own rules: `cards` are dealt to both. */
static void play(const Env *env, const uint32_t cards[SEATS], const uint32_t strategy[SEATS],
                 float reward[SEATS]) {
  uint8_t episode[64];
  bool bet = false;
  assert_true(env->spec.episode_size <= sizeof episode);
  AgonStatus status = env_call_reset(env, episode, NULL);
  reward[0] = reward[1] = 0;
  for (int i = 0; i < SEATS; i++)
    status = env_call_chance(env, episode, cards[i], reward);
  for (uint32_t turn = 0; status == AGON_RUNNING; turn++) {
    AgonAction action[SEATS] = {{0}, {0}};
    const uint32_t seat = turn % SEATS;
    action[seat].choice = (int32_t)choice_of(strategy[seat], cards[seat], bet);
    bet |= action[seat].choice == 1;
    status = env_call_step(env, episode, action, NULL, reward);
  }
  assert_int_equal(status, AGON_TERMINATED);
}

static void open_poker(Poker *poker, const char *option) {
  CHECK_OK(env_create_from("kuhn_poker", &option, 1, &poker->env));
  memset(poker->pays, 0, sizeof poker->pays);
  for (uint32_t a = 0; a < PURE; a++)
    for (uint32_t b = 0; b < PURE; b++)
      for (uint32_t deal = 0; deal < 9; deal++) {
        const uint32_t cards[SEATS] = {deal / 3, deal % 3}, strategy[SEATS] = {a, b};
        float reward[SEATS];
        if (cards[0] == cards[1]) continue;
        play(poker->env, cards, strategy, reward);
        for (int s = 0; s < SEATS; s++)
          poker->pays[s][a][b] += (double)reward[s] / 6;
      }
}

/* A league whose past players are pure strategies. */
typedef struct Oracle {
  const Poker *poker;
  League league;
  Table table;
  uint32_t strategy[256]; /* (players) of the past ones */
} Oracle;

/* Both of a pair are told what each earns, as if by ten evaluation games. */
static void tell(Oracle *o, uint32_t a, uint32_t b) {
  const uint32_t first = o->league.player[a].side == 1 ? a : b, second = first == a ? b : a;
  const double *pays[SEATS] = {o->poker->pays[0][o->strategy[first]],
                               o->poker->pays[1][o->strategy[first]]};
  const double own = pays[0][o->strategy[second]], other = pays[1][o->strategy[second]];
  const Tally games = {10, 0, 10, 0, 10 * own, 10 * own * own};
  CHECK_OK(payoff_add(&o->league.payoff, first, second, &games, 10 * other, 10 * other * other,
                      PAYOFF_EVAL));
}

static void meet_all(Oracle *o, uint32_t player) {
  for (uint32_t p = 0; p < o->league.players; p++)
    if (o->league.player[p].frozen && p != player &&
        o->league.player[p].side != o->league.player[player].side)
      tell(o, player, p);
  league_settle(&o->league);
}

static void begin(Oracle *o, const Poker *poker, const char *rule, int selection,
                  const uint32_t start[SEATS]) {
  const char *const all[] = {"league.preset=jpsro", rule, "actors.eval_share=.25"};
  JobConfig *settings;
  *o = (Oracle){.poker = poker};
  CHECK_OK(job_config_create(
      &(JobConfigSource){.game = "kuhn_poker", .overrides = all, .override_count = 3}, &settings));
  settings->league.equilibrium = selection;
  settings->league.min_games = 10;
  CHECK_OK(league_create(&settings->league, 1, -2, 2, &o->league));
  job_config_destroy(settings);
  assert_int_equal(o->league.learning, 2);
  for (uint32_t s = 0; s < SEATS; s++)
    o->strategy[2 + s] = start[o->league.player[2 + s].side - 1];
  meet_all(o, 2);
}

/* The best pure strategy of the main at home against whom it is matched with, and what it earns. */
static uint32_t respond(const Oracle *o, uint32_t home) {
  const HomeEntry *entry = &o->table.home[home];
  const int side = o->league.player[home].side - 1;
  double most = -INFINITY;
  uint32_t best = 0;
  for (uint32_t s = 0; s < PURE; s++) {
    double value = 0;
    for (uint32_t i = 0; i < entry->count; i++) {
      const MatchEntry *match = &o->table.match[entry->first + i];
      const uint32_t other = o->strategy[match->away];
      assert_int_equal(match->branch, BRANCH_META);
      value += (double)match->probability *
               (side == 0 ? o->poker->pays[0][s][other] : o->poker->pays[1][other][s]);
    }
    if (value <= most + 1e-6) continue; /* probabilities are floats */
    most = value;
    best = s;
  }
  return best;
}

/* A snapshot of the main, who plays this from now on, unless one of its past plays it. */
static bool add_pure(Oracle *o, uint32_t main, uint32_t strategy) {
  char name[PLAYER_NAME];
  uint32_t id;
  for (uint32_t p = 2; p < o->league.players; p++)
    if (o->league.player[p].side == o->league.player[main].side && o->strategy[p] == strategy)
      return false;
  snprintf(name, sizeof name, "%.20s-%u", o->league.player[main].name, strategy);
  CHECK_OK(league_add(&o->league, name, ROLE_MAIN, true, main, &id));
  o->league.player[id].side = o->league.player[main].side;
  o->strategy[id] = strategy;
  meet_all(o, id);
  return true;
}

/* What the past of both sides comes to: its equilibrium, and the gap that is left in the whole
 * game, where any pure strategy may be answered with. */
typedef struct Ending {
  double welfare, gap;
  size_t players;
} Ending;

static Ending judge(const Oracle *o, Concept concept, Selection selection) {
  static double payoff[SEATS * PURE * PURE], joint[PURE * PURE];
  uint32_t own[SEATS][PURE];
  size_t count[SEATS] = {0, 0};
  EquilibriumFacts facts;
  Ending out = {.players = o->league.players - 2};
  for (uint32_t p = 2; p < o->league.players; p++) {
    const int side = o->league.player[p].side - 1;
    own[side][count[side]++] = o->strategy[p];
  }
  const size_t joints = count[0] * count[1];
  for (size_t j = 0; j < joints; j++)
    for (int s = 0; s < SEATS; s++)
      payoff[(size_t)s * joints + j] =
          o->poker->pays[s][own[0][j / count[1]]][own[1][j % count[1]]];
  const NormalForm game = {2, count, payoff};
  CHECK_OK(equilibrium_find(&game, concept, selection, joint));
  CHECK_OK(equilibrium_measure(&game, joint, &facts));
  out.welfare = facts.welfare;
  /* the same distribution over all strategies of the game */
  static const size_t all[SEATS] = {PURE, PURE};
  static double whole[PURE * PURE];
  memset(whole, 0, sizeof whole);
  for (size_t j = 0; j < joints; j++)
    whole[own[0][j / count[1]] * PURE + own[1][j % count[1]]] += joint[j];
  CHECK_OK(equilibrium_measure(&(NormalForm){2, all, &o->poker->pays[0][0][0]}, whole, &facts));
  out.gap = concept == CONCEPT_CE ? facts.ce_gap : facts.cce_gap;
  return out;
}

/* Rounds of matchmaking and best responses until none of so many brings anything new: a main goes
 * through all advice, one piece with each snapshot. */
static Ending learn(const Poker *poker, Concept concept, Selection selection,
                    const uint32_t start[SEATS]) {
  Oracle o;
  Ending out;
  int still = 0;
  begin(&o, poker, concept == CONCEPT_CE ? "league.main_rule=ce" : "league.main_rule=cce",
        (int)selection, start);
  for (int round = 0; round < 400 && still < 17; round++) {
    bool fresh = false;
    CHECK_OK(league_table(&o.league, &o.table));
    for (uint32_t main = 0; main < 2; main++)
      fresh |= add_pure(&o, main, respond(&o, main));
    for (uint32_t main = 0; main < 2; main++)
      o.league.player[main].snapshots++;
    still = fresh ? 0 : still + 1;
  }
  out = judge(&o, concept, selection);
  table_free(&o.table);
  league_free(&o.league);
  return out;
}

/* Never bets, calls with anything; bets with anything, folds; the reverse of both. */
static const uint32_t starts[][SEATS] = {{042, 042}, {025, 0}, {0, 077}, {052, 025}, {0, 0}};

/* With a jackpot of 1 for the queen that calls the king, both are best off where it is paid often:
 * correlated equilibria, coarse ones too, earn from 1/9 to 1/3 together (scipy's HiGHS, over all
 * 27 x 64 pure strategies that differ). From wherever it begins, the learning by advice ends in
 * one that earns 1/3; the coarse one ends in some coarse equilibrium. */
static void the_jackpot_is_found(void **state) {
  (void)state;
  Poker poker;
  open_poker(&poker, "jackpot=1");
  for (size_t i = 0; i < COUNT_OF(starts); i++)
    for (int concept = 0; concept < 2; concept ++) {
      const Ending end = learn(&poker, (Concept) concept, SELECT_WELFARE, starts[i]);
      CHECK_NEAR(end.gap, 0, 1e-5);
      if (concept == CONCEPT_CE)
        CHECK_NEAR(end.welfare, 1 / 3., 1e-5);
      else /* which need not be the best of the whole game */
        assert_true(end.welfare > 1 / 9. - 1e-5 && end.welfare < 1 / 3. + 1e-5);
    }
  env_destroy(poker.env);
}

/* With a rake of .2 on called bets all correlated equilibria lose 22/390 to the house, and the
 * learning ends there by either selection. Coarse ones lose from nothing to .1129: it ends in one
 * of these, which need not be the best of the whole game. */
static void the_rake_is_paid(void **state) {
  (void)state;
  Poker poker;
  open_poker(&poker, "rake=.2");
  for (size_t i = 0; i < COUNT_OF(starts); i++)
    for (int select = 0; select < 2; select++) {
      Ending end = learn(&poker, CONCEPT_CE, (Selection)select, starts[i]);
      CHECK_NEAR(end.gap, 0, 1e-5);
      CHECK_NEAR(end.welfare, -22 / 390., 1e-5);
      end = learn(&poker, CONCEPT_CCE, (Selection)select, starts[i]);
      CHECK_NEAR(end.gap, 0, 1e-5);
      assert_true(end.welfare > -.1129 && end.welfare < 1e-6);
    }
  env_destroy(poker.env);
}

/* What the options say is what is paid, and the env says whether it is zero-sum. */
static void the_house_pays_and_keeps(void **state) {
  (void)state;
  Poker poker;
  float reward[SEATS];
  static const uint32_t calls[SEATS] = {077, 077}, folds[SEATS] = {077, 0};
  static const uint32_t king_queen[SEATS] = {2, 1}, king_jack[SEATS] = {2, 0};
  open_poker(&poker, "jackpot=1");
  assert_false(poker.env->spec.flags & AGON_ZERO_SUM);
  play(poker.env, king_queen, calls, reward);
  assert_true(reward[0] == 2 && reward[1] == -1);
  play(poker.env, king_jack, calls, reward);
  assert_true(reward[0] == 2 && reward[1] == -2);
  play(poker.env, king_queen, folds, reward);
  assert_true(reward[0] == 1 && reward[1] == -1);
  env_destroy(poker.env);
  open_poker(&poker, "rake=.25");
  assert_false(poker.env->spec.flags & AGON_ZERO_SUM);
  play(poker.env, king_queen, calls, reward);
  assert_true(reward[0] == 1.5f && reward[1] == -2);
  play(poker.env, king_queen, folds, reward);
  assert_true(reward[0] == 1 && reward[1] == -1);
  env_destroy(poker.env);
  open_poker(&poker, "rake=0");
  assert_true(poker.env->spec.flags & AGON_ZERO_SUM);
  env_destroy(poker.env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_house_pays_and_keeps),
      cmocka_unit_test(the_jackpot_is_found),
      cmocka_unit_test(the_rake_is_paid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

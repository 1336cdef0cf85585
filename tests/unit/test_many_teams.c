/* Games of more than two teams: who sits where in matches, what is compared and counted, and Kuhn poker for three, whose
 * numbers are published. */
#include "check.h"
#include "folder.h"

#include "eval/line.h"
#include "eval/tournament.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Env *make_env(const char *name, const char *option) {
  Env *env;
  CHECK_OK(env_create_from(name, &option, option != NULL, &env));
  return env;
}

/* --- matches --- */
enum { MOST = 10 };

/* What a match writes down, and what follows from it. */
typedef struct Kept {
  const Env *env;
  uint64_t seed;
  size_t games;
  unsigned alone[2][MOST]; /* side, team */

} Kept;

static Status keep_game(void *context, const GameText *game) {
  Kept *kept = context;
  Position position;
  const uint64_t pair = game->game / 2;
  const int lone = (int)(game->game & 1);
  uint32_t alone = 0, count = 0;
  double sum = 0;
  assert_int_equal(game->teams, kept->env->spec.teams);
  for (uint32_t team = 0; team < game->teams; team++) {
    if (game->side_of[team] == lone) alone = team, count++;
    sum += game->team_return[team];
  }
  assert_int_equal(count, 1);
  CHECK_NEAR(sum, 0, 0); /* whole chips */
  kept->alone[lone][alone]++;
  CHECK_OK(position_create(kept->env, &position));
  CHECK_OK(position_reset(&position, rng_stream(kept->seed, (uint32_t)pair, 0, RNG_ENV)));
  CHECK_OK(position_play_line(&position, game->line));
  const float *outcome = position_outcome(&position);
  for (uint32_t team = 0; team < game->teams; team++) CHECK_NEAR(outcome[team], game->outcome[team], 0);
  position_destroy(&position);
  kept->games++;
  return OK;
}

static void everybody_sits_everywhere(void **state) {
  (void)state;
  static const struct {
    const char *players;
    uint32_t teams;
  } of[] = {{"players=3", 3}, {"players=5", 5}};
  for (size_t i = 0; i < COUNT_OF(of); i++) {
    Env *env = make_env("kuhn_poker", of[i].players);
    Contestant a, b;
    MatchTally score;
    const uint32_t teams = of[i].teams;
    Kept kept = {.env = env, .seed = 7};
    assert_int_equal(match_distinct(env), teams * (teams - 1));
    CHECK_OK(contestant_builtin("random", env, &a));
    CHECK_OK(contestant_builtin("random", env, &b));
    strcpy(b.label, "other");
    MatchPlan plan = {
        .seed = 7, .first = 3, .pairs = 2 * match_distinct(env), .played = keep_game, .context = &kept};
    CHECK_OK(eval_match(env, &a, &b, &plan, &score));
    assert_int_equal(kept.games, 2 * plan.pairs);
    for (uint32_t team = 0; team < teams; team++) {
      assert_int_equal(kept.alone[0][team], 2 * (teams - 1));
      assert_int_equal(kept.alone[1][team], 2 * (teams - 1));
    }
    assert_true(match_tally_is_whole(&score));
    assert_false(score.fixed);
    CHECK_NEAR(score.seat[0].games, plan.pairs, 0);
    CHECK_NEAR(score.seat[1].games, plan.pairs, 0);
    contestant_destroy(&a);
    contestant_destroy(&b);
    env_destroy(env);
  }
}

/* How far apart the most and the fewest are. */
static unsigned spread(const unsigned *count, uint32_t n) {
  unsigned least = UINT_MAX, most = 0;
  for (uint32_t i = 0; i < n; i++) {
    least = count[i] < least ? count[i] : least;
    most = count[i] > most ? count[i] : most;
  }
  return most - least;
}

/* However few pairs are played, from the first on. */
static void few_games_are_even(void **state) {
  (void)state;
  for (uint32_t teams = 3; teams <= AGON_MAX_TEAMS; teams++) {
    unsigned lone[AGON_MAX_TEAMS] = {0}, other[AGON_MAX_TEAMS] = {0}, after[AGON_MAX_TEAMS] = {0};
    bool met[AGON_MAX_TEAMS][AGON_MAX_TEAMS] = {{0}};
    for (uint32_t pair = 0; pair < teams * (teams - 1); pair++) {
      const PairSeats seats = match_seats(teams, pair);
      assert_true(seats.lone < teams && seats.other < teams && seats.lone != seats.other);
      assert_false(met[seats.lone][seats.other]);
      met[seats.lone][seats.other] = true;
      lone[seats.lone]++;
      other[seats.other]++;
      after[(seats.other + teams - seats.lone) % teams - 1]++;
      const unsigned most = pair < teams - 1 ? 1 : 2;
      assert_in_range(spread(lone, teams), 0, most);
      assert_in_range(spread(other, teams), 0, most);
      assert_in_range(spread(after, teams - 1), 0, 1);
      const PairSeats again = match_seats(teams, pair + (uint64_t)teams * (teams - 1));
      assert_true(again.lone == seats.lone && again.other == seats.other);
    }
  }
  for (uint64_t pair = 0; pair < 5; pair++) {
    const PairSeats two = match_seats(2, pair);
    assert_true(two.lone == 0 && two.other == 1);
  }
}

/* The same games, seen by the other: whoever is called a. */
static void matches_are_seen_alike_from_both_sides(void **state) {
  (void)state;
  Env *env = make_env("kuhn_poker", "players=4");
  Contestant a, b;
  MatchTally one, other;
  CHECK_OK(contestant_builtin("random", env, &a));
  CHECK_OK(contestant_builtin("random", env, &b));
  strcpy(b.label, "other");
  const MatchPlan plan = {.seed = 4, .pairs = 120};
  CHECK_OK(eval_match(env, &a, &b, &plan, &one));
  CHECK_OK(eval_match(env, &b, &a, &plan, &other));
  const MatchTally turned = match_tally_turned(&other);
  for (int s = 0; s < SEATS; s++) {
    CHECK_NEAR(one.seat[s].wins, turned.seat[s].wins, 0);
    CHECK_NEAR(one.seat[s].draws, turned.seat[s].draws, 0);
    CHECK_NEAR(one.seat[s].returns, turned.seat[s].returns, 0); /* halves of whole chips */
    CHECK_NEAR(one.seat[s].squares, turned.seat[s].squares, 0);
  }
  for (int k = 0; k < 5; k++) CHECK_NEAR(one.pairs.count[k], turned.pairs.count[k], 0);
  contestant_destroy(&a);
  contestant_destroy(&b);
  env_destroy(env);
}

/* Equal players score .5, and are not ahead of each other. */
static void equals_come_out_even(void **state) {
  (void)state;
  Env *env = make_env("kuhn_poker", "players=3");
  Contestant a, b;
  MatchTally score;
  double error;
  CHECK_OK(contestant_builtin("random", env, &a));
  CHECK_OK(contestant_builtin("random", env, &b));
  strcpy(b.label, "other");
  CHECK_OK(eval_match(env, &a, &b, &(MatchPlan){.seed = 1, .pairs = 6000}, &score));
  const Tally all = tally_both(score.seat);
  CHECK_NEAR(tally_score(&all), 0.5, 0.02);
  CHECK_NEAR(match_mean_return(&score, &error), 0, 0.05);
  contestant_destroy(&a);
  contestant_destroy(&b);
  env_destroy(env);
}

/* Where nothing is random there are as many games as ways to sit, and no more. */
static void games_without_luck_are_played_once_each_way(void **state) {
  (void)state;
  Env *env;
  Contestant a, b;
  MatchTally score;
  const char *teams = "teams=3";
  CHECK_OK(env_create_from(TEST_PLUGINS "/libplugin_crowd.so", &teams, 1, &env));
  CHECK_OK(contestant_builtin("random", env, &a));
  CHECK_OK(contestant_builtin("random", env, &b));
  strcpy(b.label, "other");
  a.policy.greedy = b.policy.greedy = true;
  CHECK_OK(eval_match(env, &a, &b, &(MatchPlan){.seed = 1, .pairs = 20}, &score));
  assert_false(score.fixed); /* these draw */
  CHECK_NEAR(tally_games(score.seat), 40, 0);
  contestant_destroy(&a);
  contestant_destroy(&b);
  NetConfig config = {.hidden = {.count = 1, .item = {4}}};
  Net *net;
  float *block;
  CHECK_OK(net_create(&config, &env->layout, &env->spec, &net));
  block = calloc(net->block, sizeof *block);
  net_init(net, 1, 0, block);
  CHECK_OK(contestant_policy("one", &config, env, block, net->block, &a));
  CHECK_OK(contestant_policy("two", &config, env, block, net->block, &b));
  a.policy.greedy = b.policy.greedy = true;
  CHECK_OK(eval_match(env, &a, &b, &(MatchPlan){.seed = 1, .pairs = 20}, &score));
  assert_true(score.fixed);
  CHECK_NEAR(tally_games(score.seat), 2 * 6, 0);
  CHECK_OK(eval_match(env, &a, &b, &(MatchPlan){.seed = 1, .pairs = 5}, &score)); /* not all ways */
  assert_false(score.fixed);
  CHECK_NEAR(tally_games(score.seat), 2 * 5, 0);
  free(block);
  net_destroy(net);
  contestant_destroy(&a);
  contestant_destroy(&b);
  env_destroy(env);
}

/* Two players of one network, which in a game without chance leave nothing to it. */
typedef struct Sure {
  Env *env;
  Net *net;
  float *block;
  Contestant player[2];
  Fixture fixture;
  Tournament t;
} Sure;

/* values: they choose by what they expect of a choice, and need not be told to be greedy. */
static void open_sure(Sure *sure, const char *teams, bool values, const char *csv) {
  const NetConfig config = {
      .hidden = {.count = 1, .item = {4}}, .rule = values ? RULE_GREEDY_Q : (ActionRule)0};
  *sure = (Sure){.fixture = {.b = 1}};
  CHECK_OK(env_create_from(TEST_PLUGINS "/libplugin_crowd.so", &teams, 1, &sure->env));
  CHECK_OK(net_create(&config, &sure->env->layout, &sure->env->spec, &sure->net));
  sure->block = calloc(sure->net->block, sizeof *sure->block);
  net_init(sure->net, 1, 0, sure->block);
  sure->t = (Tournament){.env = sure->env, .player = sure->player, .players = 2, .fixtures = 1};
  sure->t.fixture = &sure->fixture;
  sure->t.csv = csv;
  sure->t.terms = (GameTerms){.env = "crowd", .greedy = !values, .seed = 3};
  for (int i = 0; i < 2; i++) {
    uint32_t id;
    CHECK_OK(contestant_policy(i ? "two" : "one", &config, sure->env, sure->block, sure->net->block,
                               &sure->player[i]));
    sure->player[i].policy.greedy = !values;
    CHECK_OK(games_player(&sure->t.games, i ? "two" : "one", &id));
  }
  if (csv) CHECK_OK(games_read(csv, &sure->t.terms, &sure->t.games));
}

static void close_sure(Sure *sure) {
  for (int i = 0; i < 2; i++) contestant_destroy(&sure->player[i]);
  free(sure->block);
  net_destroy(sure->net);
  games_free(&sure->t.games);
  env_destroy(sure->env);
}

/* Games that are in the table after at most `each` were asked for. */
static double games_after(Sure *sure, uint64_t each) {
  sure->t.each = each;
  CHECK_OK(tournament_play(&sure->t));
  const Meeting *met = games_find(&sure->t.games, 0, 1);
  return met ? tally_games(met->tally.seat) : 0;
}

/* However the games were asked for and however many ways to sit there are: each counts once, in the table as in the
 * file. */
static void copies_are_never_counted(void **state) {
  (void)state;
  static const struct {
    const char *teams;
    bool values;
    uint64_t each[4];
    double games[4];
  } field[] = {
      {"teams=2", false, {2, 300}, {2, 2}},
      {"teams=2", true, {300, 600}, {2, 2}},
      {"teams=3", false, {200, 204}, {12, 12}},
      {"teams=4", false, {20, 30, 40, 300}, {20, 24, 24, 24}},
      {"teams=4", true, {18, 22, 26, 30}, {18, 22, 24, 24}},
      {"teams=9", false, {1000}, {144}},
      {"teams=10", false, {100, 130, 190, 1000}, {100, 130, 180, 180}},
      {"teams=16", true, {2000}, {480}},
  };
  char folder[FOLDER_PATH];
  folder_make(folder);
  for (size_t i = 0; i < COUNT_OF(field); i++) {
    char path[64];
    snprintf(path, sizeof path, "%s/%zu.csv", folder, i);
    for (size_t k = 0; k < 4 && field[i].each[k]; k++) {
      Sure sure;
      open_sure(&sure, field[i].teams, field[i].values, path);
      CHECK_NEAR(games_after(&sure, field[i].each[k]), field[i].games[k], 0);
      CHECK_NEAR(sure.t.played, field[i].games[k] - (k ? field[i].games[k - 1] : 0), 0);
      const bool all = field[i].games[k] == 2 * (double)match_distinct(sure.env);
      assert_int_equal(games_find(&sure.t.games, 0, 1)->tally.fixed, all);
      close_sure(&sure);
      open_sure(&sure, field[i].teams, field[i].values, path);
      CHECK_NEAR(games_after(&sure, 0), field[i].games[k], 0);
      close_sure(&sure);
    }
  }
}

/* --- Kuhn poker --- */
/* What one player does where it acts, by the moves so far; all others play uniformly. */
typedef struct Reply {
  const Env *env;
  uint32_t player, card;
  uint32_t strategy; /* bit per place: bet there; all others' moves are even */
  bool even;         /* the player's too */
  int place[1 << 11];
  int places;
} Reply;

static double value(Reply *reply, const uint8_t *episode, uint32_t line, double chance) {
  const Env *env = reply->env;
  uint8_t flag[MOST], next[64];
  const AgonRandom none = {0};
  AgonError error = {0};
  env->table->flags(env->params, episode, flag);
  uint32_t actor = 0;
  while (!(flag[actor] & AGON_ACTS)) actor++;
  double sum = 0;
  for (int32_t bet = 0; bet < 2; bet++) {
    float reward[MOST] = {0};
    AgonAction action[MOST] = {{0}};
    double probability = 0.5;
    if (actor == reply->player && !reply->even) {
      if (reply->place[line] < 0) reply->place[line] = reply->places++;
      probability = (int32_t)(reply->strategy >> reply->place[line] & 1) == bet;
    }
    if (probability <= 0) continue;
    memcpy(next, episode, env->spec.episode_size);
    action[actor].choice = bet;
    const AgonStatus status = env->table->step(env->params, next, action, &none, reward, &error);
    const double way = chance * probability;
    double all = 0;
    for (uint32_t p = 0; p < env->spec.agents; p++) all += (double)reward[p];
    CHECK_NEAR(all, 0, 0);
    if (status == AGON_TERMINATED) sum += way * (double)reward[reply->player];
    else sum += value(reply, next, line * 2 + (uint32_t)bet, way);
  }
  return sum;
}

/* Over all deals in which the player has the card. */
static double deal(Reply *reply, const uint8_t *episode, uint32_t dealt, double chance) {
  const Env *env = reply->env;
  double probability[MOST + 1], sum = 0;
  float reward[MOST] = {0};
  AgonError error = {0};
  if (dealt == env->spec.agents) return value(reply, episode, 1, chance);
  const uint32_t cards = env->table->chance_outcomes(env->params, episode, probability);
  for (uint32_t c = 0; c < cards; c++) {
    uint8_t next[64];
    if (probability[c] <= 0 || (dealt == reply->player && c != reply->card)) continue;
    memcpy(next, episode, env->spec.episode_size);
    env->table->chance_apply(env->params, next, c, reward, &error);
    sum += deal(reply, next, dealt + 1, chance * probability[c]);
  }
  return sum;
}

static double worth(const Env *env, uint32_t player, uint32_t card, uint32_t strategy, bool even) {
  uint8_t episode[64];
  const AgonRandom none = {0};
  AgonError error = {0};
  Reply reply = {.env = env, .player = player, .card = card, .strategy = strategy, .even = even};
  memset(reply.place, -1, sizeof reply.place);
  assert_int_equal(env->table->reset(env->params, episode, &none, &error), AGON_CHANCE);
  return deal(&reply, episode, 0, 1);
}

/* What best responses gain over uniform play, summed over the players; each card by itself, as a player knows its own.
 * Places where a player acts: four at most for three. */
static double nash_conv(const Env *env) {
  double sum = 0, zero = 0;
  for (uint32_t p = 0; p < env->spec.agents; p++)
    for (uint32_t card = 0; card <= env->spec.agents; card++) {
      const double even = worth(env, p, card, 0, true);
      double best = -INFINITY;
      for (uint32_t strategy = 0; strategy < 16; strategy++) best = fmax(best, worth(env, p, card, strategy, false));
      sum += best - even;
      zero += even;
    }
  CHECK_NEAR(zero, 0, 1e-12);
  return sum;
}

/* OpenSpiel's tabular_best_response_mdp_test.cc, KuhnNashConvTests and KuhnLeduc3pTests. */
static void uniform_kuhn_poker_is_as_exploitable_as_published(void **state) {
  (void)state;
  Env *two = make_env("kuhn_poker", NULL), *three = make_env("kuhn_poker", "players=3");
  CHECK_NEAR(nash_conv(two), 0.916666666666667, 1e-12);
  CHECK_NEAR(nash_conv(three), 2.0625, 1e-12);
  env_destroy(two);
  env_destroy(three);
}

/* Who folds loses less than who calls, and is ahead of it. */
static void hands_of_three_end_as_they_should(void **state) {
  (void)state;
  static const struct {
    const char *line;
    double returns[3], outcome[3];
  } hand[] = {{"0 1 2 pass pass pass", {-1, -1, 2}, {.25, .25, 1}},
              {"3 1 2 bet bet pass", {3, -2, -1}, {1, 0, .25}},
              {"0 3 2 pass pass bet pass bet", {-1, 3, -2}, {.25, 1, 0}},
              {"0 3 2 pass bet pass pass", {-1, 2, -1}, {.25, 1, .25}},
              {"3 2 1 pass pass bet bet bet", {4, -2, -2}, {1, 0, 0}}};
  Env *env = make_env("kuhn_poker", "players=3");
  Position position;
  CHECK_OK(position_create(env, &position));
  for (size_t i = 0; i < COUNT_OF(hand); i++) {
    CHECK_OK(position_reset(&position, (AgonRng){0}));
    CHECK_OK(position_play_line(&position, hand[i].line));
    assert_int_equal(position.status, AGON_TERMINATED);
    const float *outcome = position_outcome(&position);
    for (int p = 0; p < 3; p++) {
      CHECK_NEAR(position.returns[p], hand[i].returns[p], 0);
      CHECK_NEAR(outcome[p], hand[i].outcome[p], 0);
    }
  }
  position_destroy(&position);
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everybody_sits_everywhere),
      cmocka_unit_test(few_games_are_even),
      cmocka_unit_test(matches_are_seen_alike_from_both_sides),
      cmocka_unit_test(equals_come_out_even),
      cmocka_unit_test(games_without_luck_are_played_once_each_way),
      cmocka_unit_test(copies_are_never_counted),
      cmocka_unit_test(uniform_kuhn_poker_is_as_exploitable_as_published),
      cmocka_unit_test(hands_of_three_end_as_they_should),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

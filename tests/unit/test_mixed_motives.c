/* Games in which players neither share what they earn nor take it from each other: dilemmas in
 * normal form against their published payoffs, and the coin game against its rules, followed step
 * by step. */
#include "check.h"

#include "agent/builtin.h"
#include "agent/contestant.h"
#include "env/env.h"
#include "eval/solo.h"
#include "meta/social.h"
#include "play/measures.h"

#include <stdlib.h>
#include <string.h>

typedef struct Game {
  Env *env;
  void *episode;
  AgonRng rng;
  AgonRandom random;
} Game;

static Game *open_game(const char *name, const char *const *option, size_t options) {
  Game *game = calloc(1, sizeof *game);
  game->rng = rng_stream(1, 0, 0, RNG_TEST);
  game->random = rng_handle(&game->rng);
  CHECK_OK(env_create_from(name, option, options, &game->env));
  game->episode = calloc(1, game->env->spec.episode_size);
  return game;
}

static void close_game(Game *game) {
  free(game->episode);
  env_destroy(game->env);
  free(game);
}

static void begin(Game *game) {
  assert_int_equal(env_call_reset(game->env, game->episode, &game->random), AGON_RUNNING);
}

static AgonStatus play(Game *game, int first, int second, float reward[2]) {
  const AgonAction action[2] = {{.choice = first}, {.choice = second}};
  memset(reward, 0, 2 * sizeof *reward);
  return env_call_step(game->env, game->episode, action, &game->random, reward);
}

static int choice_of_script(Game *game, uint32_t agent) {
  AgonAction action = {.choice = -1};
  game->env->table->scripted(game->env->params, game->episode, agent, &game->random, &action);
  return action.choice;
}

/* --- dilemmas --- */
static void dilemmas_pay_what_was_published(void **state) {
  (void)state;
  static const struct {
    const char *preset;
    int choices;
    float pays[3][3][2];
    bool seated;
    const char *first;
  } of[] = {
      {"preset=ipd", 2, {{{-1, -1}, {-3, 0}}, {{0, -3}, {-2, -2}}}, false, "cooperate"},
      {"preset=prisoners_dilemma", 2, {{{3, 3}, {0, 5}}, {{5, 0}, {1, 1}}}, false, "cooperate"},
      {"preset=stag_hunt", 2, {{{4, 4}, {0, 3}}, {{3, 0}, {3, 3}}}, false, "stag"},
      {"preset=chicken", 2, {{{6, 6}, {2, 7}}, {{7, 2}, {0, 0}}}, false, "swerve"},
      {"preset=battle_of_sexes", 2, {{{2, 1}, {-1, -1}}, {{-1, -1}, {1, 2}}}, true, "his"},
      {"preset=shapley",
       3,
       {{{0, 0}, {1, 0}, {0, 1}}, {{0, 1}, {0, 0}, {1, 0}}, {{1, 0}, {0, 1}, {0, 0}}},
       false,
       "first"},
      {"preset=matching_pennies", 2, {{{1, -1}, {-1, 1}}, {{-1, 1}, {1, -1}}}, false, "heads"},
  };
  for (size_t i = 0; i < COUNT_OF(of); i++) {
    const char *option[] = {of[i].preset, "rounds=3"};
    Game *game = open_game("matrix_game", option, 2);
    const AgonEnv *table = game->env->table;
    const bool zero_sum = game->env->spec.flags & AGON_ZERO_SUM;
    uint8_t row[8];
    assert_int_equal(game->env->spec.teams, 2);
    assert_int_equal(zero_sum, !strcmp(of[i].preset, "preset=matching_pennies"));
    assert_int_equal(game->env->spec.metrics, zero_sum ? 0 : 2);
    assert_string_equal(table->action_name(game->env->params, 0, 0), of[i].first);
    for (int r = 0; r < of[i].choices; r++)
      for (int c = 0; c < of[i].choices; c++) {
        float reward[2];
        begin(game);
        assert_int_equal(play(game, r, c, reward), AGON_RUNNING);
        CHECK_NEAR(reward[0], of[i].pays[r][c][0], 0);
        CHECK_NEAR(reward[1], of[i].pays[r][c][1], 0);
        for (uint32_t agent = 0; agent < 2; agent++) { /* own last choice, then the other's */
          table->observe(game->env->params, game->episode, agent, row);
          assert_int_equal(row[1], agent && of[i].seated);
          assert_int_equal(row[2 + (agent ? c : r)], 1);
          assert_int_equal(row[2 + of[i].choices + (agent ? r : c)], 1);
        }
        assert_int_equal(play(game, r, c, reward), AGON_RUNNING);
        assert_int_equal(play(game, r, c, reward), AGON_TERMINATED);
      }
    close_game(game);
  }
}

/* With pair=true one place of many says what both chose last, or that nobody has chosen yet: each sees its own choice
 * first. Rows of three, columns of two. */
static void pairs_of_choices_are_seen_as_one(void **state) {
  (void)state;
  static const char *const option[] = {"payoff=[[1,2],[3,4],[5,6]]", "rounds=2", "pair=true"};
  Game *game = open_game("matrix_game", option, 3);
  const AgonEnv *table = game->env->table;
  uint8_t row[2 + 9];
  float reward[2];
  assert_int_equal(game->env->observation_count, COUNT_OF(row));
  for (int r = 0; r < 3; r++)
    for (int c = 0; c < 2; c++) {
      begin(game);
      for (int played = 0; played < 2; played++) {
        for (uint32_t agent = 0; agent < 2; agent++) {
          const size_t place = played ? (size_t)(2 + (agent ? 3 * c + r : 3 * r + c)) : 0;
          table->observe(game->env->params, game->episode, agent, row);
          assert_int_equal(row[1], agent);
          for (size_t i = 0; i < COUNT_OF(row); i++)
            if (i != 1) assert_int_equal(row[i], i == place);
        }
        play(game, r, c, reward);
      }
    }
  close_game(game);
}

/* Two rounds of CC, one of CD, one of DD: 5 of 8 decisions are to cooperate, in 2 of 4 rounds both
 * do. */
static void first_choices_are_counted(void **state) {
  (void)state;
  static const char *const option[] = {"preset=ipd", "rounds=4", "time_limit=cut"};
  Game *game = open_game("matrix_game", option, 3);
  float reward[2], metric[2] = {-1, -1}, outcome[2];
  begin(game);
  play(game, 0, 0, reward);
  play(game, 0, 0, reward);
  play(game, 0, 1, reward);
  assert_int_equal(play(game, 1, 1, reward), AGON_TRUNCATED);
  game->env->table->metrics(game->env->params, game->episode, metric);
  CHECK_NEAR(metric[0], 5 / 8., 1e-6);
  CHECK_NEAR(metric[1], 2 / 4., 1e-6);
  game->env->table->outcome(game->env->params, game->episode, outcome); /* -7 and -4 */
  CHECK_NEAR(outcome[0], 0, 0);
  close_game(game);
}

/* A game as a program that counted nothing saved it is gone on with. Which of its rounds were what
 * is not known: of its metrics the last round's are. One that had not begun is counted whole. */
static void older_games_go_on(void **state) {
  (void)state;
  typedef struct Older {
    uint32_t round;
    int32_t last[2];
    float total[2];
  } Older;
  static const struct {
    Older saved;
    int left;
    float first, both;
  } of[] = {{{998, {1, 0}, {70, 30}}, 2, 1, 1}, {{0, {-1, -1}, {0, 0}}, 1000, .999f, .999f}};
  static const char *const option[] = {"preset=prisoners_dilemma", "rounds=1000"};
  for (size_t i = 0; i < COUNT_OF(of); i++) {
    Game *game = open_game("matrix_game", option, 2);
    float reward[2], metric[2] = {-1, -1}, outcome[2];
    assert_int_equal(game->env->spec.episode_size, sizeof(Older));
    memcpy(game->episode, &of[i].saved, sizeof(Older));
    assert_int_equal(play(game, 1, 1, reward), of[i].left > 1 ? AGON_RUNNING : AGON_TERMINATED);
    for (int round = 1; round < of[i].left; round++)
      assert_int_equal(play(game, 0, 0, reward),
                       round + 1 < of[i].left ? AGON_RUNNING : AGON_TERMINATED);
    game->env->table->metrics(game->env->params, game->episode, metric);
    CHECK_NEAR(metric[0], of[i].first, 1e-6);
    CHECK_NEAR(metric[1], of[i].both, 1e-6);
    game->env->table->outcome(game->env->params, game->episode, outcome);
    CHECK_NEAR(outcome[0], of[i].saved.total[0] > 0 ? 1 : .5, 0);
    close_game(game);
  }
}

/* Players of matching_pennies and of tables of one's own have seen no seat since before there was
 * an option for it, unless their numbers of choices differ. */
static void seats_are_seen_where_they_were(void **state) {
  (void)state;
  static const struct {
    const char *option[2];
    size_t options;
    bool seated;
  } of[] = {
      {{"preset=rps"}, 1, false},
      {{"preset=matching_pennies"}, 1, false},
      {{"preset=matching_pennies", "seat=true"}, 2, true},
      {{"payoff=[[1,2],[3,4]]"}, 1, false},
      {{"payoff=[[1,2],[3,4]]", "seat=true"}, 2, true},
      {{"payoff=[[1,2],[3,4]]", "preset=battle_of_sexes"}, 2, false},
      {{"payoff=[[1,2,3],[4,5,6]]"}, 1, true},
      {{"preset=battle_of_sexes"}, 1, true},
      {{"preset=climbing"}, 1, true},
      {{"preset=ipd", "seat=true"}, 2, true},
  };
  for (size_t i = 0; i < COUNT_OF(of); i++) {
    Game *game = open_game("matrix_game", of[i].option, of[i].options);
    uint8_t row[8];
    begin(game);
    for (uint32_t agent = 0; agent < 2; agent++) {
      game->env->table->observe(game->env->params, game->episode, agent, row);
      assert_int_equal(row[1], agent && of[i].seated);
    }
    close_game(game);
  }
}

static void scripted_plays_tit_for_tat(void **state) {
  (void)state;
  static const char *const ipd[] = {"preset=ipd", "rounds=4"};
  static const char *const wide[] = {"payoff=[[1,2,3],[4,5,6]]", "payoff_column=[[1,2,3],[4,5,6]]",
                                     "rounds=4"};
  static const char *const rps[] = {"preset=rps"};
  static const int other[] = {1, 1, 0};
  float reward[2];
  Game *game = open_game("matrix_game", ipd, 2);
  begin(game);
  assert_int_equal(choice_of_script(game, 0), 0);
  for (size_t i = 0; i < COUNT_OF(other); i++) {
    play(game, choice_of_script(game, 0), other[i], reward);
    assert_int_equal(choice_of_script(game, 0), other[i]);
  }
  close_game(game);
  game = open_game("matrix_game", wide, 3);
  begin(game);
  play(game, 0, 2, reward);
  assert_int_equal(choice_of_script(game, 0), 1); /* it has no third choice */
  assert_true(builtin_find("scripted")->supports(game->env));
  close_game(game);
  game = open_game("matrix_game", rps, 1); /* no dilemma, no such rule */
  assert_false(builtin_find("scripted")->supports(game->env));
  close_game(game);
}

/* --- the coin game, followed by a second set of its rules --- */
typedef struct Coins {
  int size;
  int player[2][2]; /* row, column */
  int coin[2];
  int colour;
} Coins;

/* Where things are, from the planes of the global state; each is at one place. */
static Coins read_coins(const Game *game, int size) {
  Coins out = {.size = size, .colour = -1};
  const int cells = size * size;
  float *plane = calloc(game->env->spec.global_state_size, sizeof *plane);
  int found = 0;
  game->env->table->global_state(game->env->params, game->episode, plane);
  for (int i = 0; i < 4 * cells; i++) {
    if (plane[i] == 0) continue;
    int *place = i / cells < 2 ? out.player[i / cells] : out.coin;
    place[0] = i % cells / size;
    place[1] = i % cells % size;
    if (i / cells >= 2) out.colour = i / cells - 2;
    found++;
  }
  assert_int_equal(found, 3);
  free(plane);
  return out;
}

static bool is_at(const int a[2], const int b[2]) {
  return a[0] == b[0] && a[1] == b[1];
}

/* What each sees is the state with itself first. */
static void check_views(const Game *game, int size) {
  const size_t cells = (size_t)(size * size);
  const size_t planes = game->env->spec.global_state_size / cells;
  float *plane = calloc(planes * cells, sizeof *plane);
  uint8_t *row = calloc(planes * cells, 1);
  game->env->table->global_state(game->env->params, game->episode, plane);
  for (uint32_t agent = 0; agent < 2; agent++) {
    game->env->table->observe(game->env->params, game->episode, agent, row);
    for (size_t p = 0; p < planes; p++) {
      const size_t swap = p < 4 ? 1 : 2; /* planes of the grid come one of each, recalled ones two */
      for (size_t c = 0; c < cells; c++)
        CHECK_NEAR(row[p * cells + c], plane[(agent ? p ^ swap : p) * cells + c], 0);
    }
  }
  free(plane);
  free(row);
}

/* Where the game recalls: of each player one plane, for what it took last, is full, and none before
 * its first coin. `last`: 1 its own, 2 the other's. */
static void check_recalled(const Game *game, int size, const int last[2]) {
  const size_t cells = (size_t)(size * size);
  const size_t planes = game->env->spec.global_state_size / cells;
  float *plane = calloc(planes * cells, sizeof *plane);
  game->env->table->global_state(game->env->params, game->episode, plane);
  for (size_t i = 4 * cells; i < planes * cells; i++) {
    const size_t what = i / cells - 4;
    CHECK_NEAR(plane[i], last[what / 2] == 1 + (int)(what % 2), 0);
  }
  free(plane);
}

/* right, left, down, up, stay */
static const int way[5][2] = {{0, 1}, {0, -1}, {1, 0}, {-1, 0}, {0, 0}};

static void follow_coins(const char *const *option, size_t options, int size, int rounds,
                         int choices, bool one_taker, AgonStatus end) {
  Game *game = open_game("coin_game", option, options);
  double own = 0, others = 0, total[2] = {0, 0};
  uint32_t both = 0;
  int last[2] = {0, 0};
  begin(game);
  Coins now = read_coins(game, size);
  assert_false(is_at(now.player[0], now.player[1]));
  for (int round = 1; round <= rounds; round++) {
    const int action[2] = {(int)rng_below(&game->rng, (uint32_t)choices),
                           (int)rng_below(&game->rng, (uint32_t)choices)};
    float reward[2];
    double expected[2] = {0, 0};
    int takers = 0;
    check_views(game, size);
    check_recalled(game, size, last);
    for (int p = 0; p < 2; p++)
      for (int d = 0; d < 2; d++)
        now.player[p][d] = (now.player[p][d] + way[action[p]][d] + size) % size;
    for (int p = 0; p < 2; p++) {
      if (!is_at(now.player[p], now.coin) || (takers && one_taker)) continue;
      takers++;
      expected[p] += 1;
      if (now.colour != p) expected[1 - p] -= 2;
      *(now.colour == p ? &own : &others) += 1;
      last[p] = now.colour == p ? 1 : 2;
    }
    both += takers == 2;
    assert_int_equal(play(game, action[0], action[1], reward), round < rounds ? AGON_RUNNING : end);
    Coins after = read_coins(game, size);
    for (int p = 0; p < 2; p++) {
      CHECK_NEAR(reward[p], expected[p], 0);
      assert_true(is_at(after.player[p], now.player[p]));
      total[p] += expected[p];
    }
    assert_int_equal(after.colour, takers ? 1 - now.colour : now.colour);
    if (!takers) assert_true(is_at(after.coin, now.coin));
    if (takers)
      assert_false(is_at(after.coin, after.player[0]) || is_at(after.coin, after.player[1]));
    now = after;
  }
  float metric[3], outcome[2];
  game->env->table->metrics(game->env->params, game->episode, metric);
  CHECK_NEAR(metric[0], own / (own + others), 1e-6);
  CHECK_NEAR(metric[1], own, 0);
  CHECK_NEAR(metric[2], others, 0);
  game->env->table->outcome(game->env->params, game->episode, outcome);
  CHECK_NEAR(outcome[0], total[0] > total[1] ? 1 : total[0] < total[1] ? 0 : 0.5, 0);
  assert_true(own > 20 && others > 20);
  if (size == 3 && !one_taker) assert_true(both > 0);
  close_game(game);
}

static void coins_follow_the_rules(void **state) {
  (void)state;
  static const char *const lola[] = {"both=first", "rounds=1000", "time_limit=end"};
  static const char *const stay[] = {"stay=true", "rounds=3000"};
  static const char *const wide[] = {"size=5", "rounds=3000"};
  static const char *const least[] = {"size=2", "rounds=1000"};
  static const char *const recall[] = {"recall=true", "rounds=1000"};
  follow_coins(lola, 3, 3, 1000, 4, true, AGON_TERMINATED);
  follow_coins(stay, 2, 3, 3000, 5, false, AGON_TRUNCATED);
  follow_coins(wide, 2, 5, 3000, 4, false, AGON_TRUNCATED);
  follow_coins(least, 2, 2, 1000, 4, false, AGON_TRUNCATED);
  follow_coins(recall, 2, 3, 1000, 4, false, AGON_TRUNCATED);
}

/* Who cooperates takes all of its own coins and none else: both earn, and the share is 1. */
static void scripted_takes_its_own_coins(void **state) {
  (void)state;
  static const char *const option[] = {"rounds=600"};
  Game *game = open_game("coin_game", option, 1);
  double total[2] = {0, 0};
  float reward[2], metric[3];
  AgonStatus status = AGON_RUNNING;
  begin(game);
  while (status == AGON_RUNNING) {
    const int first = choice_of_script(game, 0);
    status = play(game, first, choice_of_script(game, 1), reward);
    for (int p = 0; p < 2; p++) {
      assert_true(reward[p] >= 0);
      total[p] += (double)reward[p];
    }
  }
  game->env->table->metrics(game->env->params, game->episode, metric);
  CHECK_NEAR(metric[0], 1, 0);
  CHECK_NEAR(metric[1], total[0] + total[1], 0);
  CHECK_NEAR(total[0], total[1], 1);  /* colours take turns */
  assert_true(metric[1] >= 600 / 2.); /* on a torus of 3 x 3 no coin is farther than 2 steps */
  close_game(game);
}

/* --- how well all fare --- */
static void social_numbers_are_those_of_paper_and_pencil(void **state) {
  (void)state;
  static const struct {
    double returns[4];
    size_t count;
    double welfare, minimum, gini;
  } of[] = {
      {{1, 3}, 2, 2, 1, .25},         /* |1 - 3| over 2 x 2 x 2 */
      {{2, 2, 2, 2}, 4, 2, 2, 0},     /* all alike */
      {{4, 0, 0, 0}, 4, 1, 0, .75},   /* one has all: 1 - 1 / 4 */
      {{1, 2, 3, 4}, 4, 2.5, 1, .25}, /* 10 over 4 x 10 */
      {{0, 0, 0}, 3, 0, 0, 0},        /* nobody has anything */
      {{-1, -3}, 2, -2, -3, .25},     /* losses are as unequal as gains are */
      {{1, -1}, 2, 0, -1, .5},        /* what one has the other lacks: the mean is 0 */
      {{-2, 0, 0, 6}, 4, 1, -2, .75}, /* 24 over 4 x 8 */
      {{5}, 1, 5, 5, 0},
  };
  for (size_t i = 0; i < COUNT_OF(of); i++) {
    double social[SOCIAL_NUMBERS];
    social_of(of[i].returns, of[i].count, social);
    CHECK_NEAR(social[SOCIAL_WELFARE], of[i].welfare, 1e-12);
    CHECK_NEAR(social[SOCIAL_MINIMUM], of[i].minimum, 1e-12);
    CHECK_NEAR(social[SOCIAL_GINI], of[i].gini, 1e-12);
  }
}

static void games_are_measured_by_what_they_are(void **state) {
  (void)state;
  static const struct {
    const char *env, *option[2];
    size_t options, own;
    const char *names;
  } of[] = {
      {"matrix_game", {"preset=ipd"}, 1, 2, "first_choices both_first welfare minimum gini "},
      {"matrix_game", {"preset=rps"}, 1, 0, ""},
      {"matrix_game", {"preset=climbing"}, 1, 0, ""},
      {"coin_game", {NULL}, 0, 3, "own_share own_coins others_coins welfare minimum gini "},
      {"foraging", {"rewards=own"}, 1, 2, "food_share length minimum gini "},
      {"foraging", {"rewards=team"}, 1, 2, "food_share length "},
  };
  for (size_t i = 0; i < COUNT_OF(of); i++) {
    Env *env;
    Measures measures;
    char names[256] = "";
    if (!env_is_builtin(of[i].env)) continue; /* it has been taken out */
    CHECK_OK(env_create_from(of[i].env, of[i].option, of[i].options, &env));
    measures_of(env, &measures);
    for (size_t m = 0; m < measures.count; m++) {
      strcat(names, measures.name[m]);
      strcat(names, " ");
    }
    assert_string_equal(names, of[i].names);
    assert_int_equal(measures.own, of[i].own);
    env_destroy(env);
  }
}

/* The other's coin, taken twice, and one's own once: 3 and -4. */
static void measures_follow_the_returns(void **state) {
  (void)state;
  Game *game = open_game("coin_game", NULL, 0);
  Measures measures;
  const double returns[2] = {3, -4};
  double value[MEASURES];
  begin(game);
  measures_of(game->env, &measures);
  measures_take(&measures, game->episode, returns, value);
  CHECK_NEAR(value[3], -.5, 1e-12);
  CHECK_NEAR(value[4], -4, 1e-12);
  CHECK_NEAR(value[5], .5, 1e-12); /* 7 over 2 x 7 */
  close_game(game);
}

/* Of one team whose agents earn for themselves: the least of them, and how unequal they are, by
 * what each has earned. */
static void agents_of_a_team_are_compared(void **state) {
  (void)state;
  static const char *const option[] = {"players=2", "food=3", "size=6"};
  enum { MINIMUM = 2, GINI = 3 };
  Env *env;
  Contestant who;
  SoloScore score;
  const SoloPlan plan = {.seed = 3, .episodes = 40};
  if (!env_is_builtin("foraging")) return;
  CHECK_OK(env_create_from("foraging", option, 3, &env));
  CHECK_OK(contestant_builtin("scripted", env, &who));
  CHECK_OK(eval_solo(env, &who, &plan, &score));
  assert_true(score.mean > 0.1); /* they gather */
  assert_true(score.metric[MINIMUM] >= 0 && score.metric[MINIMUM] < score.mean - 1e-3);
  assert_true(score.metric[GINI] > 1e-3 && score.metric[GINI] <= .5);
  /* of two, minimum = mean (1 - 2 gini) in each episode: here all food is found, and the mean is
   * 1/2 in all */
  if (score.deviation < 1e-6)
    CHECK_NEAR(score.metric[MINIMUM], score.mean * (1 - 2 * score.metric[GINI]), 1e-6);
  contestant_destroy(&who);
  env_destroy(env);
}

/* Matches measure what they play: two who cooperate take their own coins alone, welfare is half of
 * what both earned, which the tally knows too. Of three who share a commons each is told by its own
 * return. */
static void matches_are_measured(void **state) {
  (void)state;
  enum { OWN_SHARE, WELFARE = 3, MINIMUM, GINI };
  Env *env;
  Contestant a, b;
  MatchTally tally;
  Measured measured = {0};
  const MatchPlan plan = {.seed = 5, .pairs = 10, .measured = &measured};
  CHECK_OK(env_create_from("coin_game", NULL, 0, &env));
  CHECK_OK(contestant_builtin("scripted", env, &a));
  CHECK_OK(contestant_builtin("scripted", env, &b));
  CHECK_OK(eval_match(env, &a, &b, &plan, &tally));
  CHECK_NEAR(measured.games, 20, 0);
  CHECK_NEAR(measured.sum[OWN_SHARE], 20, 1e-9);
  CHECK_NEAR(measured.sum[WELFARE], (tally.welfare[0] + tally.welfare[1]) / 2, 1e-6);
  assert_true(measured.sum[MINIMUM] <= measured.sum[WELFARE]);
  contestant_destroy(&a);
  contestant_destroy(&b);
  env_destroy(env);
  if (!env_is_builtin("commons")) return; /* it has been taken out */
  static const char *const three[] = {"agents=3", "limit=60", "zap_time=0"};
  CHECK_OK(env_create_from("commons", three, 3, &env));
  CHECK_OK(contestant_builtin("scripted", env, &a));
  CHECK_OK(contestant_builtin("noop", env, &b));
  CHECK_OK(eval_match(env, &a, &b, &plan, &tally));
  /* who does nothing earns nothing, whatever the others do; so welfare is all the others' */
  CHECK_NEAR(tally.welfare[0] + tally.welfare[1], tally.seat[0].returns + tally.seat[1].returns,
             1e-6);
  assert_true(tally.welfare[0] > 10);
  contestant_destroy(&a);
  contestant_destroy(&b);
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dilemmas_pay_what_was_published),
      cmocka_unit_test(pairs_of_choices_are_seen_as_one),
      cmocka_unit_test(first_choices_are_counted),
      cmocka_unit_test(older_games_go_on),
      cmocka_unit_test(seats_are_seen_where_they_were),
      cmocka_unit_test(scripted_plays_tit_for_tat),
      cmocka_unit_test(coins_follow_the_rules),
      cmocka_unit_test(scripted_takes_its_own_coins),
      cmocka_unit_test(social_numbers_are_those_of_paper_and_pencil),
      cmocka_unit_test(games_are_measured_by_what_they_are),
      cmocka_unit_test(measures_follow_the_returns),
      cmocka_unit_test(agents_of_a_team_are_compared),
      cmocka_unit_test(matches_are_measured),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

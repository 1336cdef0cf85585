/* What a checkpoint must add up to: what does passes, and each count that is off by one is named. */
#include "check.h"

#include "league/league.h"
#include "league/ledger.h"

#include <stdio.h>
#include <string.h>

enum { MAINS = 2, GAMES = 7, OTHER = 3, STEPS = 50 };

/* Two mains, of whom each has acted, learned and dropped; games between them and their first copies, and a few that the
 * payoff has no place for. */
static void balanced(Tree *tree) {
  League league;
  LeagueConfig config = {.mains = MAINS, .memory = 100};
  uint64_t frames = 0, episodes = OTHER;
  *tree = (Tree){0};
  CHECK_OK(league_create(&config, 1, -1, 1, &league));
  for (uint32_t p = 0; p < MAINS; p++) {
    char path[STORE_PATH];
    uint64_t counters[8] = {0, 9, 9, 100 + p, 20, 9, 100, 100};
    Tally tally = {.games = GAMES, .wins = 4, .losses = 3};
    league.player[p].frames = counters[3] + counters[4];
    frames += league.player[p].frames;
    CHECK_OK(payoff_add(&league.payoff, p, MAINS, &tally, 0, 0, PAYOFF_TRAIN));
    CHECK_OK(payoff_add(&league.payoff, MAINS + 1, p, &tally, 0, 0, PAYOFF_EVAL));
    episodes += 2 * GAMES;
    snprintf(path, sizeof path, "players/%s/counters", league.player[p].name);
    CHECK_OK(tree_put(tree, path, STORE_U64, 8, 1, counters));
  }
  league_settle(&league);
  CHECK_OK(league_save(&league, tree));
  const uint64_t counters[6] = {5, frames, 11, STEPS, episodes, 5}, ledger[] = {frames, episodes, STEPS, OTHER};
  CHECK_OK(tree_put(tree, "run/counters", STORE_U64, 6, 1, counters));
  CHECK_OK(tree_put(tree, LEDGER_PATH, STORE_U64, LEDGER_COUNT, 1, ledger));
  league_free(&league);
}

static uint64_t *value_at(const Tree *tree, const char *path, size_t row) {
  const Item *item;
  CHECK_OK(tree_get(tree, path, STORE_U64, -1, &item));
  assert_true(row < item->count);
  return (uint64_t *)item->data + row;
}

static void what_adds_up_passes(void **state) {
  (void)state;
  Tree tree;
  balanced(&tree);
  CHECK_OK(ledger_check(&tree));
  for (size_t p = 0; p < MAINS; p++) CHECK_OK(ledger_check_player(&tree, p));
  ++*value_at(&tree, "run/counters", 0); /* the tick, which is in no sum */
  ++*value_at(&tree, "run/counters", 2); /* decisions of frozen players, neither */
  CHECK_OK(ledger_check(&tree));
  tree_free(&tree);
}

static void each_count_that_is_off_by_one_is_named(void **state) {
  (void)state;
  static const struct {
    const char *path;
    size_t row;
    const char *says;
  } count[] = {{LEDGER_PATH, LEDGER_ACTED, "actors acted"},
               {LEDGER_PATH, LEDGER_EPISODES, "actors ended episodes"},
               {LEDGER_PATH, LEDGER_STEPS, "actors made env steps"},
               {LEDGER_PATH, LEDGER_OTHER_GAMES, "games counted"},
               {"run/counters", 1, "actors acted"},
               {"run/counters", 3, "actors made env steps"},
               {"run/counters", 4, "actors ended episodes"},
               {"league/frames", 0, "main_0 acted"},
               {"league/frames", 1, "main_1 acted"},
               {"players/main_0/counters", 3, "main_0 acted"},
               {"players/main_0/counters", 4, "main_0 acted"},
               {"players/main_1/counters", 3, "main_1 acted"},
               {"players/main_1/counters", 4, "main_1 acted"}};
  for (size_t i = 0; i < COUNT_OF(count); i++)
    for (int add = -1; add <= 1; add += 2) {
      Tree tree;
      balanced(&tree);
      *value_at(&tree, count[i].path, count[i].row) += (uint64_t)add;
      assert_int_equal(ledger_check(&tree), ERR_FORMAT);
      if (!strstr(status_message(), count[i].says))
        fail_msg("%s, row %zu: not '%s', but: %s", count[i].path, count[i].row, count[i].says, status_message());
      tree_free(&tree);
    }
}

/* Of three teams an episode of training is two games, in evaluation one, against built-in players too. */
static void episodes_of_more_teams_are_as_many_games_as_opponents(void **state) {
  (void)state;
  enum { TEAMS = 3, ANCHORED = 3, SELF = 4 };
  const Tally won = {.games = ANCHORED, .wins = ANCHORED};
  League league;
  LeagueConfig config = {.mains = MAINS, .memory = 100};
  Anchors anchors = {.room = 0};
  for (int off = -1; off <= 1; off++) {
    Tree tree;
    balanced(&tree);
    CHECK_OK(league_create(&config, 1, -1, 1, &league));
    CHECK_OK(anchors_add(&anchors, MAINS, BUILTIN_RANDOM, 1, &won));
    for (size_t k = 0; k < tree.items; k++) /* in the place of those that were saved without games */
      if (!strncmp(tree.item[k].path, "anchors/", 8)) strcpy(tree.item[k].path, k % 2 ? "elsewhere" : "nowhere");
    CHECK_OK(anchors_save(&anchors, league.players, &tree));
    CHECK_OK(tree_put_u64(&tree, "env/teams", TEAMS));
    const uint64_t episodes = (MAINS * GAMES + SELF) / 2 + MAINS * GAMES + ANCHORED;
    *value_at(&tree, LEDGER_PATH, LEDGER_OTHER_GAMES) = ANCHORED + SELF;
    *value_at(&tree, LEDGER_PATH, LEDGER_EPISODES) = episodes + (uint64_t)off;
    *value_at(&tree, "run/counters", 4) = episodes + (uint64_t)off;
    if (off == 0) {
      CHECK_OK(ledger_check(&tree));
    } else {
      assert_int_equal(ledger_check(&tree), ERR_FORMAT);
      assert_non_null(strstr(status_message(), "games of the episodes that ended"));
    }
    tree_free(&tree);
    anchors_free(&anchors);
    league_free(&league);
  }
}

/* Both counts of the run are wrong alike: only the sum of its players tells. */
static void a_sum_that_is_wrong_in_both_places_is_named(void **state) {
  (void)state;
  Tree tree;
  balanced(&tree);
  ++*value_at(&tree, LEDGER_PATH, LEDGER_ACTED);
  ++*value_at(&tree, "run/counters", 1);
  assert_int_equal(ledger_check(&tree), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "its players' are"));
  tree_free(&tree);
}

static void games_are_those_of_the_payoff(void **state) {
  (void)state;
  const Item *raw;
  Tree tree;
  balanced(&tree);
  CHECK_OK(tree_get_table(&tree, "payoff/raw", STORE_F64, -1, 12, &raw));
  assert_true(raw->count > 0);
  ((double *)raw->data)[0] += 1;
  assert_int_equal(ledger_check(&tree), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "payoff"));
  tree_free(&tree);
  balanced(&tree);
  ++*value_at(&tree, LEDGER_PATH, LEDGER_EPISODES); /* an episode more than there are games */
  ++*value_at(&tree, "run/counters", 4);
  assert_int_equal(ledger_check(&tree), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "games counted"));
  tree_free(&tree);
}

static void a_learner_is_held_to_what_was_acted(void **state) {
  (void)state;
  Tree tree;
  balanced(&tree);
  ++*value_at(&tree, "players/main_1/counters", 4);
  CHECK_OK(ledger_check_player(&tree, 0));
  assert_int_equal(ledger_check_player(&tree, 1), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "main_1 acted 121, but learned from and dropped 122"));
  assert_int_equal(ledger_check_player(&tree, 99), ERR_FORMAT);
  tree_free(&tree);
}

static void columns_that_are_missing_are_named(void **state) {
  (void)state;
  static const char *const path[] = {"run/counters", "league/frames", "players/main_1/counters", "payoff/raw"};
  for (size_t i = 0; i < COUNT_OF(path); i++) {
    Tree tree;
    balanced(&tree);
    for (size_t k = 0; k < tree.items; k++)
      if (!strcmp(tree.item[k].path, path[i])) strcpy(tree.item[k].path, "elsewhere");
    assert_int_equal(ledger_check(&tree), ERR_FORMAT);
    assert_non_null(strstr(status_message(), path[i]));
    tree_free(&tree);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_adds_up_passes),
      cmocka_unit_test(each_count_that_is_off_by_one_is_named),
      cmocka_unit_test(a_sum_that_is_wrong_in_both_places_is_named),
      cmocka_unit_test(episodes_of_more_teams_are_as_many_games_as_opponents),
      cmocka_unit_test(games_are_those_of_the_payoff),
      cmocka_unit_test(a_learner_is_held_to_what_was_acted),
      cmocka_unit_test(columns_that_are_missing_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

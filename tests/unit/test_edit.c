/* A league changed by hand: ids move, and with them payoff, parents and anchors; nobody's games or
 * frames are lost; what cannot be is refused; and the lineage survives saving. */
#include "check.h"

#include "job/config.h"
#include "league/edit.h"
#include "league/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

/* 0 main_0, 1 main_exploiter_0, 2 league_exploiter_0, 3 main_0-000000. */
static void build(League *league) {
  JobConfig *settings;
  CHECK_OK(job_config_create(&(JobConfigSource){.game = "tic_tac_toe"}, &settings));
  CHECK_OK(league_create(&settings->league, 1, -1, 1, league));
  job_config_destroy(settings);
  for (size_t i = 0; i < league->players; i++) {
    league->player[i].frames = 100 + i;
    hash_text(hash_bytes(&i, sizeof i), league->player[i].hash);
  }
}

/* Games of a pair, told by how many there were. */
static void meet(League *league, uint32_t home, uint32_t away, double games) {
  const Tally tally = {.games = games, .wins = games};
  CHECK_OK(payoff_add(&league->payoff, home, away, &tally, -games, games, PAYOFF_TRAIN));
  payoff_settle(&league->payoff);
}

static double met(const League *league, const char *home, const char *away) {
  const Pair *pair = payoff_find(&league->payoff, (uint32_t)league_find(league, home),
                                 (uint32_t)league_find(league, away));
  return pair ? tally_games(pair->raw) : 0;
}

static uint64_t frames_of(const League *league) {
  uint64_t sum = league->retired_frames;
  for (size_t i = 0; i < league->learning; i++)
    sum += league->player[i].frames;
  return sum;
}

/* What holds of every league: learners first, payoff mirrored, a table for each. */
static void check_whole(League *league) {
  Table table = {0};
  for (size_t i = 0; i < league->players; i++) {
    assert_true(league->player[i].frozen == (i >= league->learning));
    assert_true(league->player[i].parent < (int64_t)league->players);
  }
  assert_true(payoff_symmetric(&league->payoff));
  assert_true(league_clocks_in_order(league));
  CHECK_OK(league_table(league, &table));
  assert_int_equal(table.homes, league->learning);
  CHECK_OK(table_check(&table, league->learning, league->players));
  table_free(&table);
}

static void who_joins_learns_behind_the_others(void **state) {
  (void)state;
  League league;
  uint32_t id;
  uint32_t map[MOST];
  build(&league);
  meet(&league, 0, 3, 7);
  meet(&league, 1, 3, 9);
  CHECK_OK(anchors_add(&league.anchors, 3, BUILTIN_RANDOM, 0, &(Tally){.games = 5, .wins = 5}));
  CHECK_OK(edit_join(&league, "boss", ROLE_MAIN, 0, 3, &id, map));
  assert_int_equal(id, 3);
  const uint32_t moved[] = {0, 1, 2, 4};
  for (size_t i = 0; i < COUNT_OF(moved); i++)
    assert_int_equal(map[i], moved[i]);
  assert_string_equal(league.player[3].name, "boss");
  assert_int_equal(league.player[3].parent, 4); /* whose copy it is has moved, too */
  assert_int_equal(league.player[4].parent, 0);
  assert_true(met(&league, "main_0", "main_0-000000") == 7);
  assert_true(met(&league, "main_0-000000", "main_exploiter_0") == 9);
  assert_true(met(&league, "main_0", "boss") == 0);
  assert_true(anchors_find(&league.anchors, 4, BUILTIN_RANDOM)[0].games == 5);
  assert_true(anchors_find(&league.anchors, 3, BUILTIN_RANDOM)[0].games == 0);
  assert_int_equal(edit_count(&league, ROLE_MAIN), 2);
  check_whole(&league);
  league_free(&league);
}

static void who_retires_stays_as_a_frozen_player(void **state) {
  (void)state;
  League league;
  uint32_t id;
  uint32_t map[MOST];
  build(&league);
  const uint64_t frames = frames_of(&league);
  meet(&league, 1, 0, 11);
  meet(&league, 2, 3, 13);
  CHECK_OK(edit_retire(&league, 1, &id, map));
  assert_int_equal(id, 3);
  const uint32_t moved[] = {0, 3, 1, 2};
  for (size_t i = 0; i < COUNT_OF(moved); i++)
    assert_int_equal(map[i], moved[i]);
  assert_int_equal(league.learning, 2);
  assert_string_equal(league.player[3].name, "main_exploiter_0");
  assert_string_equal(league.player[3].reason, "retired");
  assert_true(met(&league, "main_exploiter_0", "main_0") == 11);
  assert_true(met(&league, "league_exploiter_0", "main_0-000000") == 13);
  assert_int_equal(frames_of(&league), frames);
  check_whole(&league);
  assert_int_equal(edit_retire(&league, 3, &id, map), ERR_USAGE); /* it learns no more */
  assert_int_equal(edit_retire(&league, 0, &id, map), ERR_USAGE);
  assert_non_null(strstr(status_message(), "main_0 is the last main"));
  league_free(&league);
}

/* A side cannot be without a main, however many the other has. */
static void each_side_keeps_a_main(void **state) {
  (void)state;
  League league;
  JobConfig *settings;
  uint32_t id;
  uint32_t map[MOST];
  const char *pair[] = {"league.sides=separate", "league.main_exploiters=0",
                        "league.league_exploiters=0"};
  CHECK_OK(job_config_create(
      &(JobConfigSource){.game = "tic_tac_toe", .overrides = pair, .override_count = 3},
      &settings));
  CHECK_OK(league_create(&settings->league, 1, -1, 1, &league));
  job_config_destroy(settings);
  CHECK_OK(edit_join(&league, "boss", ROLE_MAIN, 2, -1, &id, map));
  assert_int_equal(league_live_mains(&league, 0), 2); /* of the other side */
  assert_int_equal(league_live_mains(&league, id), 1);
  assert_int_equal(edit_count(&league, ROLE_MAIN), 2); /* of the side that has more */
  check_whole(&league);
  assert_int_equal(edit_retire(&league, 0, &id, map), ERR_USAGE);
  CHECK_OK(edit_retire(&league, 1, &id, map));
  check_whole(&league);
  league_free(&league);
}

static void names_are_names_and_are_free(void **state) {
  (void)state;
  League league;
  uint32_t id;
  uint32_t map[MOST];
  static const char *const bad[] = {"main_0",
                                    "main_0-000000",
                                    "",
                                    "a b",
                                    "../x",
                                    "-x",
                                    "a_name_of_forty_letters_or_more_is_too_long"};
  build(&league);
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    assert_int_equal(edit_join(&league, bad[i], ROLE_MAIN, 0, -1, &id, map), ERR_USAGE);
    assert_int_equal(edit_rename(&league, 0, bad[i]), ERR_USAGE);
    assert_int_equal(edit_import(&league, bad[i], ROLE_MAIN, 0, "imported", &id), ERR_USAGE);
  }
  assert_int_equal(league.players, 4);
  CHECK_OK(edit_rename(&league, 0, "boss"));
  assert_int_equal(league_find(&league, "main_0"), -1);
  CHECK_OK(edit_import(&league, "guest", ROLE_MAIN, 0, "imported", &id));
  assert_true(league.player[id].frozen);
  check_whole(&league);
  league_free(&league);
}

static void who_is_rolled_back_begins_a_new_life(void **state) {
  (void)state;
  League league;
  build(&league);
  meet(&league, 0, 3, 8);
  assert_int_equal(edit_last_snapshot(&league, 0), 3);
  assert_int_equal(edit_last_snapshot(&league, 1), -1);
  CHECK_OK(edit_rollback(&league, 0, 3));
  assert_int_equal(league.player[0].life, 1);
  assert_int_equal(league.player[0].life_start, 100);
  assert_int_equal(league.player[0].parent, 3);
  assert_int_equal(payoff_seats_known(&league.payoff, 0, 3), 0); /* what is remembered goes */
  assert_true(met(&league, "main_0", "main_0-000000") == 8);     /* what has been stays */
  assert_int_equal(edit_rollback(&league, 3, -1), ERR_USAGE);
  check_whole(&league);
  league_free(&league);
}

/* A league is what its file says, whatever numbers the configuration has. */
static void changes_survive_saving(void **state) {
  (void)state;
  League league;
  League again;
  Tree tree = {0};
  Roster roster;
  uint32_t id;
  uint32_t map[MOST];
  build(&league);
  CHECK_OK(league_save(&league, &tree));
  assert_null(tree_find(&tree, "changes/who")); /* nobody has touched it */
  tree_free(&tree);
  CHECK_OK(edit_join(&league, "boss", ROLE_LEAGUE_EXPLOITER, 0, -1, &id, map));
  CHECK_OK(edit_retire(&league, 1, &id, map));
  hash_text(hash_bytes("x", 1), league.player[id].hash);
  CHECK_OK(edit_record(&league, 1700000000, 306, "me@here", "add league_exploiter boss"));
  CHECK_OK(edit_record(&league, 1700000001, 306, "me@here", "retire main_exploiter_0"));
  CHECK_OK(league_save(&league, &tree));
  build(&again);
  CHECK_OK(league_load(&again, &tree));
  assert_int_equal(again.learning, 3);
  assert_int_equal(again.retired_frames, 101);
  assert_int_equal(again.changes, 2);
  assert_string_equal(again.change[1].what, "retire main_exploiter_0");
  assert_string_equal(again.change[0].who, "me@here");
  assert_int_equal(again.change[1].when, 1700000001);
  assert_int_equal(again.change[0].frames, 306);
  check_whole(&again);
  CHECK_OK(roster_of_checkpoint(&tree, &roster));
  assert_int_equal(roster.count, 3);
  assert_string_equal(roster.entry[2].name, "boss");
  assert_int_equal(roster.entry[2].role, ROLE_LEAGUE_EXPLOITER);
  Bytes bytes = {0};
  Roster sent;
  roster_encode(&roster, &bytes);
  Reader reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(roster_decode(&sent, &reader));
  assert_memory_equal(sent.entry, roster.entry, 3 * sizeof *sent.entry);
  reader = reader_over(bytes.data, bytes.size - 1);
  Roster none;
  assert_int_equal(roster_decode(&none, &reader), ERR_FORMAT);
  bytes_free(&bytes);
  roster_free(&sent);
  roster_free(&roster);
  league_free(&again);
  /* text that would move a terminal's cursor comes in by no file */
  memcpy(tree_find(&tree, "changes/what")->data, "\033[2J", 5);
  build(&again);
  assert_int_equal(league_load(&again, &tree), ERR_FORMAT);
  league_free(&again);
  tree_free(&tree);
  league_free(&league);
}

/* What is written must be readable: files with other texts are refused. */
static void lineage_is_plain_text(void **state) {
  (void)state;
  League league;
  League again;
  Tree tree = {0};
  char text[600];
  build(&league);
  build(&again);
  CHECK_OK(edit_record(&league, 1, 2, "j\xc3\xb6rg@h\x1b[31m", "import r\xc3\xbcn:main_0\nas\tx"));
  assert_string_equal(league.change[0].who, "j??rg@h?[31m");
  assert_string_equal(league.change[0].what, "import r??n:main_0?as?x");
  for (size_t length = 150; length < 500; length++) {
    memset(text, '/', sizeof text);
    memcpy(text, "import ", 7);
    memcpy(text + length - 5, " as x", 6);
    CHECK_OK(edit_record(&league, 1, 2, "me", text));
    const char *what = league.change[league.changes - 1].what;
    if (length < sizeof league.change->what)
      assert_string_equal(what, text);
    else
      assert_int_equal(strlen(what), sizeof league.change->what - 1);
    assert_int_equal(strncmp(what, "import ", 7), 0);
    assert_string_equal(what + strlen(what) - 5, " as x");
    assert_int_equal(strstr(what, "...") != NULL, length >= sizeof league.change->what);
  }
  CHECK_OK(league_save(&league, &tree));
  CHECK_OK(league_load(&again, &tree));
  assert_int_equal(again.changes, league.changes);
  tree_free(&tree);
  league_free(&league);
  league_free(&again);
}

/* A snapshot's name may be a player's already: of one renamed by hand, or of its namesake. */
static void a_snapshot_finds_a_free_name(void **state) {
  (void)state;
  League league;
  uint32_t id;
  uint32_t map[MOST];
  build(&league);
  CHECK_OK(edit_rename(&league, 3, "main_exploiter_0-000001"));
  CHECK_OK(league_freeze(&league, 1, "test", &id));
  assert_string_equal(league.player[id].name, "main_exploiter_0-000000");
  CHECK_OK(league_freeze(&league, 1, "test", &id));
  assert_string_equal(league.player[id].name, "main_exploiter_0-000002");
  assert_int_equal(league.player[1].snapshots, 2);
  CHECK_OK(league_freeze(&league, 1, "test", &id));
  assert_string_equal(league.player[id].name, "main_exploiter_0-000003");
  /* whoever gets the name of one that was renamed */
  CHECK_OK(edit_rename(&league, 1, "hunter"));
  CHECK_OK(edit_join(&league, "main_exploiter_0", ROLE_MAIN_EXPLOITER, 0, -1, &id, map));
  CHECK_OK(league_freeze(&league, id, "test", &id));
  assert_string_equal(league.player[id].name, "main_exploiter_0-000004");
  league_free(&league);
}

static void names_that_mean_something_else_are_refused(void **state) {
  (void)state;
  static const char *const word[] = {"main", "main_exploiter", "league_exploiter", "random",
                                     "noop", "scripted",       "initial"};
  const char *long_name = "a23456789_123456789_123456789_12"; /* 32 letters */
  League league;
  uint32_t id;
  uint32_t map[MOST];
  build(&league);
  for (size_t i = 0; i < COUNT_OF(word); i++) {
    assert_int_equal(edit_rename(&league, 0, word[i]), ERR_USAGE);
    assert_non_null(strstr(status_message(), "cannot be a player's name"));
    assert_int_equal(edit_join(&league, word[i], ROLE_MAIN, 0, -1, &id, map), ERR_USAGE);
    assert_int_equal(edit_import(&league, word[i], ROLE_MAIN, 0, "imported", &id), ERR_USAGE);
  }
  CHECK_OK(edit_rename(&league, 0, long_name));
  CHECK_OK(league_freeze(&league, 0, "test", &id)); /* there is room for its snapshots' names */
  assert_int_equal(edit_rename(&league, 1, "a23456789_123456789_123456789_123"), ERR_USAGE);
  assert_non_null(strstr(status_message(), "too long for a player that learns"));
  CHECK_OK(edit_rename(&league, 3, "a23456789_123456789_123456789_123456789")); /* it is frozen */
  league_free(&league);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lineage_is_plain_text),
      cmocka_unit_test(a_snapshot_finds_a_free_name),
      cmocka_unit_test(names_that_mean_something_else_are_refused),
      cmocka_unit_test(who_joins_learns_behind_the_others),
      cmocka_unit_test(who_retires_stays_as_a_frozen_player),
      cmocka_unit_test(each_side_keeps_a_main),
      cmocka_unit_test(names_are_names_and_are_free),
      cmocka_unit_test(who_is_rolled_back_begins_a_new_life),
      cmocka_unit_test(changes_survive_saving),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

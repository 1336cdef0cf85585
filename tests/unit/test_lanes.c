/* Who meets whom, and who sits where: matches of two and of more teams, what a checkpoint keeps of them, and that every
 * player has every team equally often. */
#include "check.h"

#include "actors/lanes.h"

#include <string.h>

enum { MAIN, PAST, STRONG, OTHER_MAIN }; /* players of the table below; the last learns too */

/* One home that meets itself, its past, a strong one and another learner. */
static MatchEntry match[] = {
    {MAIN, MAIN, 0.4f, MATCH_LIVE | MATCH_AWAY_LEARNS, BRANCH_SELF},
    {MAIN, PAST, 0.1f, 0, BRANCH_PFSP},
    {MAIN, STRONG, 0.2f, 0, BRANCH_PFSP},
    {MAIN, OTHER_MAIN, 0.3f, MATCH_LIVE, BRANCH_SELF},
};
static HomeEntry home[] = {{MAIN, 5, 1, 0, 4}, {OTHER_MAIN, 7, 0, 0, 4}};
static MatchEntry eval[] = {{PAST, STRONG, 0.5f, 0, BRANCH_EVAL}, {STRONG, BUILTIN_RANDOM, 0.5f, 0, BRANCH_EVAL}};
static const Table table = {.home = home, .homes = 2, .match = match, .matches = 4, .eval = eval, .evals = 2};

/* Each other team's opponent is drawn by itself: all pairs of opponents are as likely as the product says. */
static void opponents_are_drawn_independently(void **state) {
  (void)state;
  enum { TEAMS = 4, DRAWS = 40000 };
  AgonRng rng = rng_stream(1, 2, 3, RNG_TEST);
  double both[4][4] = {{0}};
  for (int d = 0; d < DRAWS; d++) {
    Matchup drawn;
    assert_true(matchup_draw(&table, TEAMS, false, &rng, &drawn));
    assert_int_equal(drawn.home, MAIN);
    assert_int_equal(drawn.home_life, 5);
    for (size_t i = 0; i < TEAMS - 1; i++) {
      const Opponent *opponent = &drawn.opponent[i];
      const MatchEntry *entry = &match[opponent->entry.away];
      assert_memory_equal(&opponent->entry, entry, offsetof(MatchEntry, branch) + 1);
      assert_int_equal(opponent->life, entry->away == MAIN ? 5 : entry->away == OTHER_MAIN ? 7 : 0);
    }
    both[drawn.opponent[0].entry.away][drawn.opponent[2].entry.away]++;
  }
  for (int a = 0; a < 4; a++)
    for (int b = 0; b < 4; b++)
      CHECK_NEAR(both[a][b] / DRAWS, (double)(match[a].probability * match[b].probability), 0.01);
}

/* With two teams one opponent is drawn, by the numbers that have always been drawn for it; more teams only draw on. */
static void two_teams_draw_as_before(void **state) {
  (void)state;
  for (uint32_t seed = 0; seed < 50; seed++) {
    AgonRng rng = rng_stream(seed, 1, 1, RNG_TEST), same = rng, more = rng;
    Matchup two, one, five;
    assert_true(matchup_draw(&table, 2, false, &rng, &two));
    assert_true(matchup_draw(&table, 1, false, &same, &one));
    assert_true(matchup_draw(&table, 5, false, &more, &five));
    assert_memory_equal(&rng, &same, sizeof rng);
    assert_true(memcmp(&rng, &more, sizeof rng) != 0);
    assert_int_equal(two.opponent[0].entry.away, one.opponent[0].entry.away);
    assert_int_equal(two.opponent[0].entry.away, five.opponent[0].entry.away);
    assert_int_equal(two.opponent[1].entry.probability > 0, 0);
    assert_int_equal(five.opponent[3].entry.probability > 0, 1);
  }
}

/* In evaluation all other teams are one player's, which is drawn once. */
static void evaluation_has_one_opponent_in_all_teams(void **state) {
  (void)state;
  bool anchored = false;
  for (uint32_t seed = 0; seed < 50; seed++) {
    AgonRng rng = rng_stream(seed, 1, 1, RNG_TEST), same = rng;
    Matchup two, four;
    assert_true(matchup_draw(&table, 2, true, &rng, &two));
    assert_true(matchup_draw(&table, 4, true, &same, &four));
    assert_memory_equal(&rng, &same, sizeof rng);
    for (size_t i = 0; i < 3; i++)
      assert_int_equal(four.opponent[i].entry.away, two.opponent[0].entry.away);
    assert_int_equal(four.home, two.home);
    anchored |= is_builtin(four.opponent[2].entry.away);
  }
  assert_true(anchored);
  AgonRng rng = rng_stream(1, 1, 1, RNG_TEST);
  Matchup none;
  assert_false(matchup_draw(&(Table){.homes = 0}, 3, false, &rng, &none));
  assert_false(matchup_draw(&(Table){.homes = 0}, 3, true, &rng, &none));
}

static void matchups_come_back_from_a_checkpoint(void **state) {
  (void)state;
  enum { OF_TWO = 26, FURTHER = 14 }; /* bytes */
  for (uint32_t teams = 1; teams <= AGON_MAX_TEAMS; teams += teams < 5 ? 1 : 59) {
    AgonRng rng = rng_stream(teams, 4, 4, RNG_TEST);
    Matchup drawn, back, none = {0};
    Bytes bytes = {0};
    const size_t opponents = match_opponents(teams), size = OF_TWO + FURTHER * (opponents - 1);
    assert_true(matchup_draw(&table, teams, false, &rng, &drawn));
    drawn.drawn = 3;
    matchup_encode(&drawn, teams, &bytes);
    matchup_encode(&none, teams, &bytes);
    assert_int_equal(bytes.size, 2 * size);
    for (size_t i = size; i < 2 * size; i++) assert_int_equal(bytes.data[i], 0);
    Reader reader = reader_over(bytes.data, bytes.size);
    matchup_decode(&back, teams, &reader);
    assert_int_equal(back.home, drawn.home);
    assert_int_equal(back.home_life, drawn.home_life);
    assert_int_equal(back.drawn, 3);
    for (size_t i = 0; i < opponents; i++) {
      assert_memory_equal(&back.opponent[i].entry, &drawn.opponent[i].entry, offsetof(MatchEntry, branch) + 1);
      assert_int_equal(back.opponent[i].life, drawn.opponent[i].life);
    }
    matchup_decode(&back, teams, &reader);
    assert_int_equal(back.drawn, 0);
    CHECK_OK(reader_finish(&reader, "both"));
    /* the last opponent is of no league */
    Matchup damaged = drawn;
    damaged.opponent[opponents - 1].entry.away = WIRE_PLAYERS;
    bytes.size = 0;
    matchup_encode(&damaged, teams, &bytes);
    reader = reader_over(bytes.data, bytes.size);
    matchup_decode(&back, teams, &reader);
    assert_true(reader.bad);
    bytes_free(&bytes);
  }
}

/* Home, then the others around the table. */
static void every_team_has_its_opponent(void **state) {
  (void)state;
  for (uint32_t teams = 2; teams <= 6; teams++)
    for (uint32_t at = 0; at < teams; at++) {
      unsigned seen = 0;
      for (uint32_t team = 0; team < teams; team++)
        if (team != at) seen |= 1u << match_opponent_at(teams, at, team);
      assert_int_equal(seen, (1u << (teams - 1)) - 1);
      assert_int_equal(match_opponent_at(teams, at, (at + 1) % teams), 0);
    }
}

static void seats_rotate(void **state) {
  (void)state;
  for (uint32_t teams = 1; teams <= 6; teams++)
    for (uint32_t begin = 0; begin < 5; begin++) {
      unsigned seen = 0;
      for (uint32_t turn = begin; turn < begin + teams; turn++) {
        const Seating seating = lane_seating(teams, false, turn);
        assert_int_equal(seating.home, turn % teams);
        assert_false(seating.crowd);
        seen |= 1u << seating.home;
      }
      assert_int_equal(seen, (1u << teams) - 1);
    }
  for (uint32_t turn = 0; turn < 8; turn++) { /* two teams: they change seats, and nothing else */
    const Seating two = lane_seating(2, true, turn);
    assert_int_equal(two.home, turn % 2);
    assert_int_equal(two.away, 1 - turn % 2);
    assert_false(two.crowd);
  }
}

/* Over 2 teams (teams - 1) turns of evaluation: either player alone, on each team, beside each other one, once. */
static void evaluation_seats_all_ways(void **state) {
  (void)state;
  for (uint32_t teams = 3; teams <= 6; teams++) {
    unsigned count[2][6][6] = {{{0}}};
    const uint32_t turns = 2 * teams * (teams - 1);
    for (uint32_t turn = 0; turn < turns; turn++) {
      const Seating seating = lane_seating(teams, true, turn);
      assert_true(seating.home < teams && seating.away < teams);
      count[seating.crowd][seating.home][seating.away]++;
    }
    for (uint32_t crowd = 0; crowd < 2; crowd++)
      for (uint32_t a = 0; a < teams; a++)
        for (uint32_t b = 0; b < teams; b++) assert_int_equal(count[crowd][a][b], a != b);
  }
}

/* Results of a tick: with three opponents each, five episodes of training are fifteen games, in evaluation five. */
static void counts_fit_the_episodes(void **state) {
  (void)state;
  PairResults pair[] = {{.home = 0, .away = 3, .tally = {.games = 9}},
                        {.home = 0, .away = 0, .tally = {.games = 6}},
                        {.home = 3, .away = 4, .eval = 1, .tally = {.games = 5}}};
  Results results = {.pair = pair, .pairs = 3, .episodes = 10};
  assert_true(results_add_up(&results, 3));
  assert_false(results_add_up(&results, 1));
  assert_false(results_add_up(&results, 2));
  results.episodes = 20;
  assert_true(results_add_up(&results, 1));
  results.episodes = 4; /* fewer than those of evaluation */
  assert_false(results_add_up(&results, 3));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(opponents_are_drawn_independently),
      cmocka_unit_test(two_teams_draw_as_before),
      cmocka_unit_test(evaluation_has_one_opponent_in_all_teams),
      cmocka_unit_test(matchups_come_back_from_a_checkpoint),
      cmocka_unit_test(every_team_has_its_opponent),
      cmocka_unit_test(seats_rotate),
      cmocka_unit_test(evaluation_seats_all_ways),
      cmocka_unit_test(counts_fit_the_episodes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

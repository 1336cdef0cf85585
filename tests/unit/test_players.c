/* Settings of single players: a name's win over its role's, and these over those of all; each
 * player is matched, frozen, reset and taught by its own; what nobody can have is refused. */
#include "check.h"

#include "job/players.h"

#include <stdlib.h>
#include <string.h>

enum { MAIN_0, MAIN_1, EXPLOITER, LEAGUE_EXPLOITER, LEARNERS };

static Status configure(const char *const *pairs, size_t count, JobConfig **out) {
  const char *all[8] = {"league.mains=2"};
  for (size_t i = 0; i < count; i++)
    all[1 + i] = pairs[i];
  return job_config_create(
      &(JobConfigSource){.game = "tic_tac_toe", .overrides = all, .override_count = 1 + count},
      out);
}

static void names_win_over_roles_and_roles_over_all(void **state) {
  (void)state;
  JobConfig *s;
  const char *pairs[] = {"players.main_1.rate=0.125", "players.main.rate=0.25",
                         "players.main.entropy=0.5", "learner.rate=0.75",
                         "players.league_exploiter.pfsp=variance"};
  CHECK_OK(configure(pairs, COUNT_OF(pairs), &s));
  assert_int_equal(s->roster.count, LEARNERS);
  CHECK_NEAR(s->learner_of[MAIN_0].rate, .25, 0);
  CHECK_NEAR(s->learner_of[MAIN_1].rate, .125, 0);
  CHECK_NEAR(s->learner_of[EXPLOITER].rate, .75, 0);
  CHECK_NEAR(s->learner_of[MAIN_1].entropy, .5, 0);
  CHECK_NEAR(s->learner_of[EXPLOITER].entropy, s->learner.entropy, 0);
  /* what is set from elsewhere is the same for all */
  CHECK_NEAR(s->learner_of[MAIN_1].horizon, s->learner.horizon, 0);
  assert_int_equal(s->rules_of[LEAGUE_EXPLOITER].league_pfsp, WEIGH_VARIANCE);
  assert_int_equal(s->rules_of[MAIN_0].league_pfsp, s->league.league_pfsp);
  CHECK_OK(players_check(s));
  job_config_destroy(s);
  CHECK_OK(configure(NULL, 0, &s));
  assert_null(s->learner_of); /* nobody has anything of its own */
  assert_null(s->rules_of);
  job_config_destroy(s);
}

/* Probability that home meets away, over all branches. */
static double meets(const Table *table, uint32_t home, uint32_t away) {
  double sum = 0;
  const HomeEntry *entry = &table->home[home];
  for (uint32_t i = entry->first; i < entry->first + entry->count; i++)
    if (table->match[i].away == away) sum += (double)table->match[i].probability;
  return sum;
}

static void the_league_goes_by_each_players_own_rules(void **state) {
  (void)state;
  JobConfig *s;
  League league;
  Table table = {0};
  Directive directive = {.orders = 0};
  const char *pairs[] = {"players.main_1.share=2",         "players.main_1.self_share=0",
                         "players.main_1.verify_share=0",  "players.main_1.snapshot_min=10",
                         "players.main_1.snapshot_max=10", "league.frame_scale=1"};
  CHECK_OK(configure(pairs, COUNT_OF(pairs), &s));
  CHECK_OK(league_create(&s->league, 1, -1, 1, &league));
  CHECK_OK(league_take_rules(&league, s->rules_of));
  CHECK_OK(league_table(&league, &table));
  CHECK_NEAR(table.home[MAIN_0].share, .2, 1e-6); /* of 1 + 2 + 1 + 1 */
  CHECK_NEAR(table.home[MAIN_1].share, .4, 1e-6);
  for (uint32_t main = MAIN_0; main <= MAIN_1; main++) /* live mains: self-play, or nobody */
    CHECK_NEAR(meets(&table, main, MAIN_0) + meets(&table, main, MAIN_1), main == MAIN_0 ? .5 : 0,
               1e-6);
  league.player[MAIN_0].frames = league.player[MAIN_1].frames = 11;
  CHECK_OK(league_decide(&league, &directive));
  assert_int_equal(directive.orders, 1); /* the other one waits for its 2e9 */
  assert_int_equal(directive.order[0].player, MAIN_1);
  table_free(&table);
  league_free(&league);
  job_config_destroy(s);
}

static void what_nobody_can_have_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *pair;
    const char *says;
  } row[] = {
      {"players.main.rat=1", "unknown key 'players.main.rat', did you mean 'rate'"},
      {"players.rate=1", "unknown key 'players.rate'"},
      {"players.main.average=.9", "learner.average is the same for all players"},
      {"players.main_0.gamma=.9", "learner.gamma is the same for all players"},
      {"players.main_0.hidden=[8]", "net.hidden is the same for all players"},
      {"players.main_0.snapshot=1", "unknown key 'players.main_0.snapshot'"},
      {"players.main_0.rate=x", "'x' is not a number"},
      {"players.main_0.rate=2", "is outside 0 .. 1"},
      {"players.main_exploiter.self_share=.1", "a main_exploiter has no use for self_share"},
      {"players.main_0.self_share=.9", "players.main_0: league.self_share"},
  };
  JobConfig *s;
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    assert_int_equal(configure(&row[i].pair, 1, &s), ERR_USAGE);
    assert_non_null(strstr(status_message(), row[i].says));
  }
  const char *nobody[] = {"players.main_7.rate=.1"};
  CHECK_OK(configure(nobody, 1, &s)); /* who learns may be another's to say */
  assert_int_equal(players_check(s), ERR_USAGE);
  assert_non_null(strstr(status_message(), "no player 'main_7' learns, did you mean 'main_"));
  job_config_destroy(s);
}

/* Whoever goes on with a run takes its players; what is stored of those that are gone is left. */
static void another_roster_is_settled_anew(void **state) {
  (void)state;
  JobConfig *s;
  Roster roster = {.count = 2};
  CHECK_OK(job_config_create(
      &(JobConfigSource){.stored = "game: tic_tac_toe\nplayers: {boss: {rate: 0.5}, "
                                   "boss.b: {rate: 0.5}, "
                                   "main_0: {rate: 0.25}, main: {entropy: 0.125}}\n"},
      &s));
  CHECK_NEAR(s->learner_of[MAIN_0].rate, .25, 0);
  CHECK_OK(players_check(s));
  CHECK_OK(NEW_ARRAY(roster.entry, roster.count));
  roster.entry[0] = (RosterEntry){.name = "boss", .role = ROLE_MAIN};
  roster.entry[1] = (RosterEntry){.name = "x", .role = ROLE_LEAGUE_EXPLOITER};
  CHECK_OK(job_config_take_roster(s, &roster));
  CHECK_NEAR(s->learner_of[0].rate, .5, 0);
  CHECK_NEAR(s->learner_of[0].entropy, .125, 0);
  CHECK_NEAR(s->learner_of[1].rate, s->learner.rate, 0);
  CHECK_OK(config_move(s->config, "players.boss", "players.chief"));
  assert_string_equal(config_value(s->config, "players.chief.rate"), "0.5");
  assert_null(config_value(s->config, "players.boss.rate"));
  assert_string_equal(config_value(s->config, "players.boss.b.rate"), "0.5"); /* another's */
  job_config_destroy(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_win_over_roles_and_roles_over_all),
      cmocka_unit_test(the_league_goes_by_each_players_own_rules),
      cmocka_unit_test(what_nobody_can_have_is_refused),
      cmocka_unit_test(another_roster_is_settled_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

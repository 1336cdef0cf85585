/* League rules: PFSP, the opponent law, payoff, snapshots and resets, presets; and the faults of the published
 * pseudocode, each shown absent. */
#include "base/text.h"
#include "check.h"

#include "actors/lanes.h"
#include "job/config.h"
#include "league/league.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static LeagueConfig rules(const char *preset, const char *override) {
  const char *pairs[] = {override ? override : "seed=1", "league.memory=100"};
  JobConfigSource source = {.game = "tic_tac_toe", .overrides = pairs, .override_count = 2, .preset = preset};
  JobConfig *settings;
  CHECK_OK(job_config_create(&source, &settings));
  LeagueConfig config = settings->league;
  job_config_destroy(settings);
  return config;
}

/* A league of given learning and frozen players; ids: learning first. */
static void build(League *league, const LeagueConfig *config, size_t mains, size_t exploiters,
                  size_t league_exploiters) {
  LeagueConfig copy = *config;
  copy.mains = (int64_t)mains;
  copy.main_exploiters = (int64_t)exploiters;
  copy.league_exploiters = (int64_t)league_exploiters;
  CHECK_OK(league_create(&copy, 1, -1, 1, league));
}

static uint32_t frozen(League *league, uint32_t parent) {
  char name[PLAYER_NAME];
  uint32_t id;
  snprintf(name, sizeof name, "%.20s-%06u", league->player[parent].name, league->player[parent].snapshots++);
  CHECK_OK(league_add(league, name, league->player[parent].role, true, parent, &id));
  return id;
}

static void set_rate(League *league, uint32_t home, uint32_t away, double x) {
  Pair *pair;
  CHECK_OK(payoff_pair(&league->payoff, home, away, &pair));
  for (int seat = 0; seat < SEATS; seat++) pair->decayed[seat] = (Tally){50, 50 * x, 0, 50 - 50 * x, 0, 0};
}

/* --- PFSP --- */
static void pfsp_vectors(void **state) {
  (void)state;
  const double x[3] = {.1, .5, .9};
  static const struct {
    Weighting weighting;
    double p[3];
  } row[] = {{WEIGH_SQUARED, {.757009, .233645, .009346}},       {WEIGH_VARIANCE, {.209302, .581395, .209302}},
             {WEIGH_LINEAR_CAPPED, {.454545, .454545, .090909}}, {WEIGH_LINEAR, {.6, .333333, .066667}},
             {WEIGH_UNIFORM, {1 / 3., 1 / 3., 1 / 3.}},          {WEIGH_HARD, {.757009, .233645, .009346}}};
  double p[3];
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    pfsp_probabilities(row[i].weighting, 2, x, 3, p);
    for (int k = 0; k < 3; k++) CHECK_NEAR(p[k], row[i].p[k], 1e-6);
  }
  const double beaten[2] = {1, 1};
  pfsp_probabilities(WEIGH_SQUARED, 2, beaten, 2, p); /* weights under 1e-10 in sum: uniform */
  CHECK_NEAR(p[0], .5, 1e-12);
}

static void monotonic_suffix(void **state) {
  (void)state;
  const double rising_last[4] = {.9, .8, .5, .6}, falling[3] = {.9, .8, .7}, middle[4] = {.2, .5, .4, .3},
               flat[3] = {.5, .5, .5};
  assert_int_equal(pfsp_without_suffix(rising_last, 4), 4);
  assert_int_equal(pfsp_without_suffix(falling, 3), 0);
  assert_int_equal(pfsp_without_suffix(middle, 4), 2);
  assert_int_equal(pfsp_without_suffix(flat, 3), 0);
  assert_int_equal(pfsp_without_suffix(NULL, 0), 0);
}

/* --- the opponent law of the main agent, played with coins as the paper tells it, against a million dry-run matches
 * --- */
static uint32_t coin_pfsp(League *league, AgonRng *rng, uint32_t home, const uint32_t *id, size_t n,
                          Weighting weighting) {
  double x[64], p[64];
  for (size_t i = 0; i < n; i++) x[i] = payoff_win_rate(&league->payoff, home, id[i]);
  pfsp_probabilities(weighting, 2, x, n, p);
  return id[rng_pick(rng, p, n)];
}

static uint32_t coin_main(League *league, AgonRng *rng, uint32_t home) {
  uint32_t all[64], exploiters[64], past[64], mains[8];
  size_t n = 0, e = 0, s = 0, m = 0;
  for (uint32_t i = 0; i < league->players; i++) {
    const Player *player = &league->player[i];
    if (!player->frozen && player->role == ROLE_MAIN) mains[m++] = i;
    if (player->frozen) all[n++] = i;
    if (player->frozen && player->role == ROLE_MAIN_EXPLOITER) exploiters[e++] = i;
  }
  double u = rng_unit(rng);
  if (u < .5) return coin_pfsp(league, rng, home, all, n, WEIGH_SQUARED);
  uint32_t drawn = mains[rng_below(rng, (uint32_t)m)];
  for (uint32_t i = 0; i < league->players; i++)
    if (league->player[i].frozen && league->player[i].parent == (int64_t)drawn) past[s++] = i;
  if (u < .65) {
    double least = 1;
    for (size_t i = 0; i < e; i++) least = fmin(least, payoff_win_rate(&league->payoff, home, exploiters[i]));
    if (e && least < .3) return coin_pfsp(league, rng, home, exploiters, e, WEIGH_SQUARED);
    double x[64];
    for (size_t i = 0; i < s; i++) x[i] = payoff_win_rate(&league->payoff, home, past[i]);
    size_t kept = pfsp_without_suffix(x, s);
    least = 1;
    for (size_t i = 0; i < kept; i++) least = fmin(least, x[i]);
    if (kept && least < .7) return coin_pfsp(league, rng, home, past, kept, WEIGH_SQUARED);
  }
  if (payoff_win_rate(&league->payoff, home, drawn) > .3) return drawn;
  return coin_pfsp(league, rng, home, past, s, WEIGH_VARIANCE);
}

static double chi_square(League *league, uint32_t home, size_t *freedom) {
  enum { N = 1000000 };
  Table table = {0};
  CHECK_OK(league_table(league, &table));
  double *law = calloc(league->players, sizeof *law), *dry = calloc(league->players, sizeof *dry),
         *coins = calloc(league->players, sizeof *coins), sum = 0;
  AgonRng rng = rng_stream(7, home, 0, RNG_TEST), other = rng_stream(8, home, 0, RNG_TEST);
  const HomeEntry *entry = &table.home[home];
  for (uint32_t i = 0; i < entry->count; i++)
    law[table.match[entry->first + i].away] += (double)table.match[entry->first + i].probability;
  for (int i = 0; i < N; i++) {
    dry[rng_pick(&rng, law, league->players)]++;
    coins[coin_main(league, &other, home)]++;
  }
  *freedom = 0;
  for (size_t i = 0; i < league->players; i++) {
    if (dry[i] + coins[i] == 0) continue;
    sum += (dry[i] - coins[i]) * (dry[i] - coins[i]) / (dry[i] + coins[i]); /* two samples of equal size */
    (*freedom)++;
  }
  (*freedom)--;
  free(law);
  free(dry);
  free(coins);
  table_free(&table);
  return sum;
}

/* Upper 0.1 % point of chi-square (Wilson-Hilferty). */
static double critical(size_t freedom) {
  double k = (double)freedom, t = 1 - 2 / (9 * k) + 3.0902 * sqrt(2 / (9 * k));
  return k * t * t * t;
}

static void main_law_by_chi_square(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-pseudocode", NULL);
  /* scenarios that lead into every branch: forgotten exploiters; forgotten past; nothing forgotten; too weak against a
   * main */
  for (int scenario = 0; scenario < 4; scenario++) {
    League league;
    build(&league, &config, 2, 1, 0);
    for (uint32_t m = 0; m < 2; m++)
      for (int i = 0; i < 4; i++) frozen(&league, m);
    for (int i = 0; i < 3; i++) frozen(&league, 2);
    AgonRng rng = rng_stream(3, (uint32_t)scenario, 0, RNG_TEST);
    for (uint32_t home = 0; home < 2; home++)
      for (uint32_t away = 0; away < league.players; away++) {
        if (home == away) continue;
        const Player *player = &league.player[away];
        double x = .1 + .8 * rng_unit(&rng);
        if (player->role == ROLE_MAIN_EXPLOITER && scenario != 0) x = .35 + .6 * x;
        if (player->role == ROLE_MAIN && player->frozen && scenario == 2)
          x = .95 - .02 * away; /* falling: all a monotonic suffix */
        if (!player->frozen && player->role == ROLE_MAIN) x = scenario == 3 ? .2 : .45;
        set_rate(&league, home, away, x);
      }
    for (uint32_t home = 0; home < 2; home++) {
      size_t freedom;
      double statistic = chi_square(&league, home, &freedom);
      assert_true(freedom >= 4);
      if (statistic > critical(freedom))
        fail_msg("scenario %d, main_%u: chi-square %.1f over %.1f (%zu degrees)", scenario, home, statistic,
                 critical(freedom), freedom);
    }
    league_free(&league);
  }
}

/* The paper in one line: with nothing forgotten 50 % self-play and 50 % PFSP; with forgotten exploiters 35, 50, 15. */
static void branches_add_up(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", NULL);
  for (int forgotten = 0; forgotten < 2; forgotten++) {
    League league;
    Table table = {0};
    double share[BRANCH_COUNT] = {0}, all = 0;
    build(&league, &config, 1, 1, 1);
    uint32_t exploiter = frozen(&league, 1);
    set_rate(&league, 0, exploiter, forgotten ? .1 : .9);
    CHECK_OK(league_table(&league, &table));
    for (uint32_t i = 0; i < table.home[0].count; i++)
      share[table.match[i].branch] += (double)table.match[i].probability;
    CHECK_NEAR(share[BRANCH_PFSP], .5, 1e-6);
    CHECK_NEAR(share[BRANCH_SELF], forgotten ? .35 : .5, 1e-6);
    CHECK_NEAR(share[BRANCH_VERIFY], forgotten ? .15 : 0, 1e-6);
    for (size_t h = 0; h < table.homes; h++) {
      double sum = 0;
      for (uint32_t i = 0; i < table.home[h].count; i++)
        sum += (double)table.match[table.home[h].first + i].probability;
      CHECK_NEAR(sum, 1, 1e-5);
      all += (double)table.home[h].share;
    }
    CHECK_NEAR(all, 1, 1e-6);
    table_free(&table);
    league_free(&league);
  }
}

static double probability_of(const Table *table, uint32_t home, uint32_t away) {
  double sum = 0;
  for (uint32_t i = 0; i < table->home[home].count; i++) {
    const MatchEntry *match = &table->match[table->home[home].first + i];
    if (match->away == away) sum += (double)match->probability;
  }
  return sum;
}

static void exploiter_rules(void **state) {
  (void)state;
  static const struct {
    const char *preset;
    double rate, live;
  } row[] = {{"alphastar-pseudocode", .11, 1},
             {"alphastar-pseudocode", .10, 0},
             {"alphastar-paper", .3, .5},
             {"alphastar-paper", .19, 0}};
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    LeagueConfig config = rules(row[i].preset, NULL);
    League league;
    Table table = {0};
    build(&league, &config, 1, 1, 1);
    set_rate(&league, 1, 0, row[i].rate);
    CHECK_OK(league_table(&league, &table));
    CHECK_NEAR(probability_of(&table, 1, 0), row[i].live, 1e-6);
    CHECK_NEAR(probability_of(&table, 1, 3), 1 - row[i].live, 1e-6); /* main_0-000000 */
    CHECK_NEAR(probability_of(&table, 2, 3), 1, 1e-6);               /* the league exploiter meets the frozen only */
    table_free(&table);
    league_free(&league);
  }
}

static void only_home_learns_except_in_self_play(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", NULL);
  League league;
  Table table = {0};
  build(&league, &config, 2, 1, 1);
  CHECK_OK(league_table(&league, &table));
  for (size_t i = 0; i < table.matches; i++)
    assert_int_equal((table.match[i].flags & MATCH_AWAY_LEARNS) != 0, table.match[i].home == table.match[i].away);
  table_free(&table);
  league_free(&league);
}

static Directive decide(League *league) {
  Directive directive = {.orders = 0};
  CHECK_OK(league_decide(league, &directive));
  return directive;
}

/* --- payoff --- */
static void one_by_one(double decay, const int *won, int n, Tally *out) {
  *out = (Tally){0};
  for (int i = 0; i < n; i++) {
    out->games = out->games * decay + 1;
    out->wins = out->wins * decay + won[i];
  }
}

static void decay_one_game_at_a_time(void **state) {
  (void)state;
  Payoff payoff = {.decay = .99};
  const int won[5] = {1, 0, 1, 1, 0};
  Tally expected;
  one_by_one(.99, won, 5, &expected);
  for (int i = 0; i < 5; i++) {
    Tally game = {1, won[i], 0, 1 - won[i], 2 * won[i] - 1, 1};
    CHECK_OK(payoff_add(&payoff, 0, 1, &game, 1 - 2 * won[i], 1, PAYOFF_TRAIN));
    payoff_settle(&payoff);
  }
  const Pair *home = payoff_find(&payoff, 0, 1), *away = payoff_find(&payoff, 1, 0);
  CHECK_NEAR(home->decayed[0].games, expected.games, 1e-12);
  CHECK_NEAR(home->decayed[0].wins, expected.wins, 1e-12);
  CHECK_NEAR(away->decayed[1].losses, expected.wins, 1e-12);
  CHECK_NEAR(home->raw[0].games, 5, 0);
  CHECK_NEAR(home->raw[0].wins, 3, 0);
  CHECK_NEAR(payoff_win_rate(&payoff, 0, 1) + payoff_win_rate(&payoff, 1, 0), 1, 1e-12);
  CHECK_NEAR(payoff_win_rate(&payoff, 0, 7), .5, 0);
  payoff_free(&payoff);
}

/* A rule that has been taken out takes its presets along, and what is asked of them here. */
static bool there_is(const char *preset) {
  return text_choice(PRESETS, preset) >= 0;
}

/* Three frozen players that beat one another in a circle, unevenly: the mixture of biased rock-paper-scissors. */
static void meta_games_choose_opponents(void **state) {
  (void)state;
  const double a[9] = {0, -25, 50, 25, 0, -5, -50, 5, 0};
  static const char *const preset[] = {"psro", "alpharank"};
  for (int rule = 0; rule < 2; rule++) {
    if (!there_is(preset[rule])) continue;
    LeagueConfig config = rules(preset[rule], NULL);
    League league;
    Table table = {0};
    uint32_t id[3];
    CHECK_OK(league_create(&config, 1, -50, 50, &league));
    id[0] = 1; /* the first snapshot */
    for (int i = 1; i < 3; i++) {
      char name[24];
      snprintf(name, sizeof name, "past-%d", i);
      CHECK_OK(league_add(&league, name, ROLE_MAIN, true, 0, &id[i]));
    }
    for (int i = 0; i < 3; i++)
      for (int j = i + 1; j < 3; j++) {
        Tally games = {100, 50, 0, 50, 100 * a[i * 3 + j], 0};
        CHECK_OK(payoff_add(&league.payoff, id[i], id[j], &games, -100 * a[i * 3 + j], 0, PAYOFF_EVAL));
      }
    league_settle(&league);
    CHECK_OK(league_table(&league, &table));
    double sum = 0, p[3] = {0};
    for (size_t m = 0; m < table.matches; m++) {
      assert_int_equal(table.match[m].branch, BRANCH_META);
      for (int i = 0; i < 3; i++)
        if (table.match[m].away == id[i]) p[i] += (double)table.match[m].probability;
      sum += (double)table.match[m].probability;
    }
    CHECK_NEAR(sum, 1, 1e-6);
    if (rule == 0) { /* OpenSpiel's equilibrium of this game */
      CHECK_NEAR(p[0], 1 / 16., 1e-6);
      CHECK_NEAR(p[1], 10 / 16., 1e-6);
      CHECK_NEAR(p[2], 5 / 16., 1e-6);
    } else { /* strong selection on a cycle: each is left for the one that beats it, equally often */
      for (int i = 0; i < 3; i++) CHECK_NEAR(p[i], 1 / 3., .01);
    }
    table_free(&table);
    league_free(&league);
  }
}

/* A newcomer whose pairs are not all played has no place in the meta-game, and gets one when they are. */
static void meta_games_wait_until_all_have_met(void **state) {
  (void)state;
  static const char *const preset[] = {"psro", "alpharank"};
  for (int rule = 0; rule < 2; rule++) {
    if (!there_is(preset[rule])) continue;
    LeagueConfig config = rules(preset[rule], NULL);
    League league;
    Table table = {0};
    CHECK_OK(league_create(&config, 1, -50, 50, &league));
    uint32_t start = 1, second = frozen(&league, 0), third = frozen(&league, 0);
    Tally lost = {100, 0, 0, 100, -100, 100}, won = {100, 100, 0, 0, 100, 100};
    CHECK_OK(league_table(&league, &table));
    CHECK_NEAR(probability_of(&table, 0, start), 1, 1e-6); /* nobody has met: the oldest alone */
    assert_true(league.player[second].unmeasured && league.player[third].unmeasured);
    CHECK_OK(payoff_add(&league.payoff, start, second, &lost, 100, 100, PAYOFF_EVAL));
    league_settle(&league);
    CHECK_OK(league_table(&league, &table));
    CHECK_NEAR(probability_of(&table, 0, second), 1, .02); /* who beats the start; the third is unmeasured, no draw */
    CHECK_NEAR(probability_of(&table, 0, third), 0, 0);
    assert_true(!league.player[second].unmeasured && league.player[third].unmeasured);
    CHECK_OK(payoff_add(&league.payoff, third, second, &won, -100, 100, PAYOFF_EVAL));
    CHECK_OK(payoff_add(&league.payoff, start, third, &lost, 100, 100, PAYOFF_EVAL));
    league_settle(&league);
    CHECK_OK(league_table(&league, &table));
    CHECK_NEAR(probability_of(&table, 0, third), 1, .02);
    for (uint32_t i = 0; i < league.players; i++) assert_false(league.player[i].unmeasured);
    table_free(&table);
    league_free(&league);
  }
}

/* Rules that go by evaluation games have a lane that plays them, however few lanes there are. */
static void meta_rules_have_evaluation_lanes(void **state) {
  (void)state;
  static const struct {
    const char *preset, *lanes, *share;
    uint32_t count;
    Status status;
  } row[] = {{"psro", "actors.lanes=8", "seed=1", 1, OK},
             {"alpharank", "actors.lanes=8", "seed=1", 1, OK},
             {"psro", "actors.lanes=2", "seed=1", 1, OK},
             {"psro", "actors.lanes=49", "actors.eval_share=.001", 1, OK},
             {"psro", "actors.lanes=64", "seed=1", 4, OK},
             {"self-play", "actors.lanes=8", "seed=1", 0, OK},
             {"psro", "actors.lanes=8", "actors.eval_share=0", 0, ERR_USAGE},
             {"psro", "actors.lanes=1", "seed=1", 0, ERR_USAGE}};
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    if (!there_is(row[i].preset)) continue;
    const char *pairs[] = {row[i].lanes, row[i].share, "actors.slots=3136"};
    JobConfigSource source = {.game = "tic_tac_toe", .overrides = pairs, .override_count = 3, .preset = row[i].preset};
    JobConfig *settings;
    uint32_t count = 0;
    assert_int_equal(job_config_create(&source, &settings), row[i].status);
    if (row[i].status != OK) {
      assert_non_null(strstr(status_message(), "actors.eval_share"));
      continue;
    }
    for (uint32_t id = 0; id < (uint32_t)settings->actors.lanes; id++)
      count += lane_is_eval(id, settings->actors.eval_share);
    assert_int_equal(count, row[i].count);
    job_config_destroy(settings);
  }
}

static void bulk_counts_keep_the_cap(void **state) {
  (void)state;
  Payoff payoff = {.decay = .99};
  Tally bulk = {1000, 700, 100, 200, 500, 1000};
  for (int i = 0; i < 10; i++) {
    CHECK_OK(payoff_add(&payoff, 0, 1, &bulk, -500, 1000, PAYOFF_TRAIN));
    payoff_settle(&payoff);
  }
  const Pair *pair = payoff_find(&payoff, 0, 1);
  CHECK_NEAR(pair->decayed[0].games, 100, .01);
  CHECK_NEAR(pair->decayed[0].wins, 70, .01);
  CHECK_NEAR(payoff_win_rate(&payoff, 0, 1), .75, 1e-6);
  Tally old = pair->decayed[0], four = {4, 1, 0, 3, 0, 0};
  CHECK_OK(payoff_add(&payoff, 0, 1, &four, 0, 0, PAYOFF_TRAIN));
  payoff_settle(&payoff);
  double keep = pow(.99, 4);
  CHECK_NEAR(payoff_find(&payoff, 0, 1)->decayed[0].wins, old.wins * keep + .25 * (1 - keep) / .01, 1e-9);
  payoff_free(&payoff);
}

/* Results of one tick as `actors` of them report it: `games` of each seat between the exploiter 1 and the main 0, dealt
 * out among the actors, which give one seat's counts before the other's; `wins[seat]` of them are the exploiter's. */
static void one_tick(League *league, uint32_t actors, uint32_t games, const uint32_t wins[SEATS]) {
  for (uint32_t a = 0; a < actors; a++) {
    PairResults pair[SEATS] = {{0}};
    for (uint32_t s = 0; s < SEATS; s++) {
      uint32_t seat = (s + a) % 2, mine = games * (a + 1) / actors - games * a / actors;
      uint32_t won = wins[seat] * (a + 1) / actors - wins[seat] * a / actors;
      won = won < mine ? won : mine;
      pair[s] = (PairResults){.home = 1, .away = 0, .seat = (uint8_t)seat, .tally.games = mine, .tally.wins = won};
      pair[s].tally.losses = mine - won;
      pair[s].tally.returns = pair[s].tally.squares = won;
      pair[s].away_return = -(double)won;
    }
    CHECK_OK(league_merge(league, &(Results){.pair = pair, .pairs = SEATS}));
  }
  league_settle(league);
}

/* The first seat always wins, far more games a tick than the memory holds: the players are equal, whichever seat is
 * reported last and however many actors there are. */
static void seats_are_remembered_apart(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", "league.frame_scale=1");
  const uint32_t wins[SEATS] = {400, 0};
  Tally reference[SEATS];
  for (uint32_t actors = 1; actors <= 64; actors *= 4) {
    League league;
    build(&league, &config, 1, 1, 0);
    for (int tick = 0; tick < 50; tick++) {
      one_tick(&league, actors, 400, wins);
      league.player[1].frames += 100;
      CHECK_NEAR(league_rate(&league, 1, 0), .5, 0);
      CHECK_NEAR(league_rate(&league, 0, 1), .5, 0);
      assert_int_equal(decide(&league).orders, 0);
    }
    const Pair *pair = payoff_find(&league.payoff, 1, 0), *back = payoff_find(&league.payoff, 0, 1);
    for (int s = 0; s < SEATS; s++) {
      CHECK_NEAR(pair->decayed[s].wins, back->decayed[1 - s].losses, 0);
      CHECK_NEAR(pair->raw[s].wins, back->raw[1 - s].losses, 0);
      CHECK_NEAR(pair->raw[s].games, 20000, 0);
      CHECK_NEAR(pair->decayed[s].games, 50, .01); /* a memory of 100 in both seats together */
    }
    if (actors == 1) memcpy(reference, pair->decayed, sizeof reference);
    assert_memory_equal(reference, pair->decayed, sizeof reference);
    Tally first = payoff_first_seat(&league.payoff);
    CHECK_NEAR(first.wins, first.games, 0);
    league_free(&league);
  }
}

/* The threshold is for the mean of both seats; games in one seat alone, or few in one of them, prove nothing. */
static void thresholds_want_games_of_both_seats(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", "league.frame_scale=1");
  const uint32_t all[SEATS] = {3, 3};
  League league;
  build(&league, &config, 1, 1, 0);
  league.player[1].frames = 100;
  PairResults one_seat = {.home = 1, .away = 0, .tally.games = 5000, .tally.wins = 5000};
  CHECK_OK(league_merge(&league, &(Results){.pair = &one_seat, .pairs = 1}));
  league_settle(&league);
  assert_int_equal(payoff_seats_known(&league.payoff, 1, 0), 1);
  CHECK_NEAR(league_rate(&league, 1, 0), 1, 0); /* as far as it is known */
  assert_int_equal(decide(&league).orders, 0);
  int ticks = 0;
  for (; decide(&league).orders == 0; ticks++) one_tick(&league, 1, 3, all);
  /* 50 effective games of at most 100: with 50 in the first seat the second needs 16.7, after 21 games 17.3 are left */
  CHECK_NEAR(ticks, 7, 0);
  CHECK_NEAR(seats_effective(30, 20), 48, 1e-12);
  CHECK_NEAR(seats_effective(50, 0), 0, 0);
  league_free(&league);
}

static void self_matches_are_not_recorded(void **state) {
  (void)state;
  Payoff payoff = {.decay = .99};
  Tally game = {1, 1, 0, 0, 1, 1};
  CHECK_OK(payoff_add(&payoff, 3, 3, &game, -1, 1, PAYOFF_TRAIN));
  assert_null(payoff_find(&payoff, 3, 3));
  payoff_free(&payoff);
}

static void results_of_a_former_life_do_not_count(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", NULL);
  League league;
  build(&league, &config, 1, 1, 1);
  league.player[1].life = 2;
  PairResults pair[2] = {{.home = 1, .away = 0, .home_life = 1, .tally.games = 10, .tally.wins = 10},
                         {.home = 1, .away = 0, .home_life = 2, .tally.games = 10, .tally.losses = 10}};
  Results results = {.pair = pair, .pairs = 1};
  CHECK_OK(league_merge(&league, &results));
  league_settle(&league);
  CHECK_NEAR(payoff_win_rate(&league.payoff, 1, 0), .5, 0);
  CHECK_NEAR(payoff_find(&league.payoff, 1, 0)->raw[0].games, 10, 0);
  results.pair = pair + 1;
  CHECK_OK(league_merge(&league, &results));
  league_settle(&league);
  CHECK_NEAR(payoff_win_rate(&league.payoff, 1, 0), 0, 0);
  league_free(&league);
}

static void evaluation_counts_are_apart(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", NULL);
  League league;
  build(&league, &config, 1, 1, 1);
  uint32_t other = frozen(&league, 0);
  PairResults pair = {.home = 3, .away = other, .eval = 1, .tally.games = 4, .tally.wins = 3, .tally.draws = 1};
  Results results = {.pair = &pair, .pairs = 1};
  CHECK_OK(league_merge(&league, &results));
  league_settle(&league);
  const Pair *met = payoff_find(&league.payoff, 3, other);
  CHECK_NEAR(met->eval[0].games, 4, 0);
  CHECK_NEAR(met->raw[0].games, 0, 0);
  CHECK_NEAR(payoff_win_rate(&league.payoff, 3, other), .5, 0);
  league_free(&league);
}

/* --- snapshots and resets --- */
static void met(League *league, uint32_t home, uint32_t away, double games, double rate) {
  Pair *pair;
  set_rate(league, home, away, rate);
  CHECK_OK(payoff_pair(&league->payoff, home, away, &pair));
  pair->since[0] = pair->since[1] = games / 2;
}

static void snapshot_rules(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-pseudocode", "league.frame_scale=1");
  League league;
  build(&league, &config, 1, 1, 1);
  league.player[0].frames = 1999999999;
  met(&league, 0, 3, 1000, .99);
  assert_int_equal(decide(&league).orders, 0); /* not before 2e9 */
  league.player[0].frames = 2000000000;
  met(&league, 0, 3, 1000, .6);
  assert_int_equal(decide(&league).orders, 0); /* not beaten */
  met(&league, 0, 3, 49, .99);
  assert_int_equal(decide(&league).orders, 0); /* one lucky game is not enough: min_games */
  met(&league, 0, 3, 50, .71);
  Directive directive = decide(&league);
  assert_int_equal(directive.orders, 1);
  assert_int_equal(directive.order[0].reset, RESET_NONE); /* a main is never reset */
  assert_string_equal(league.player[directive.order[0].snapshot_id].reason, "win_rate");
  assert_string_equal(league.player[directive.order[0].snapshot_id].name, "main_0-000001");
  assert_int_equal(decide(&league).orders, 0); /* the clock starts anew */
  league.player[0].frames = 2000000000 + 4000000000u;
  directive = decide(&league);
  assert_int_equal(directive.orders, 1);
  assert_string_equal(league.player[directive.order[0].snapshot_id].reason, "age");
  league_free(&league);
}

static void a_pair_never_played_blocks_the_threshold_only(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", "league.frame_scale=1");
  League league;
  build(&league, &config, 1, 1, 1);
  league.player[1].frames = 100;
  assert_int_equal(decide(&league).orders, 0);
  met(&league, 1, 0, 60, .8);
  Directive directive = decide(&league);
  assert_int_equal(directive.orders, 1);
  assert_int_equal(directive.order[0].player, 1);
  league_free(&league);
}

/* Freeze first, then reset: the copy is of the trained player, and its former wins are forgotten. */
static void exploiters_freeze_before_they_reset(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", "league.frame_scale=1");
  League league;
  build(&league, &config, 1, 1, 1);
  league.player[1].frames = 4000000000u;
  met(&league, 1, 0, 60, .9);
  Directive directive = decide(&league);
  assert_int_equal(directive.orders, 1);
  const Order *order = &directive.order[0];
  assert_true(order->snapshot_id != 0);
  assert_int_equal(order->reset, RESET_INITIAL);
  assert_int_equal(league.player[order->snapshot_id].frames, 4000000000u);
  assert_int_equal(league.player[order->snapshot_id].life, 0);
  assert_int_equal(league.player[1].life, 1);
  CHECK_NEAR(payoff_win_rate(&league.payoff, 1, 0), .5, 0);
  CHECK_NEAR(payoff_find(&league.payoff, 1, 0)->since[0], 0, 0);
  league_free(&league);
}

static void league_exploiters_reset_a_quarter_of_the_time(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", "league.frame_scale=1e-9");
  League league;
  int resets = 0;
  build(&league, &config, 1, 0, 1);
  for (int i = 0; i < 2000; i++) {
    league.player[1].frames += 10;
    Directive directive = decide(&league);
    assert_int_equal(directive.orders, 1);
    resets += directive.order[0].reset == RESET_INITIAL;
  }
  CHECK_NEAR(resets / 2000.0, .25, .03);
  league_free(&league);
}

static void resets_may_start_from_a_past_main(void **state) {
  (void)state;
  LeagueConfig config = rules("tstarbot-x", "league.frame_scale=1");
  League league;
  build(&league, &config, 1, 1, 0);
  uint32_t strong = frozen(&league, 0), fit = frozen(&league, 0);
  set_rate(&league, 2, 0, .05);
  set_rate(&league, strong, 0, .6);
  set_rate(&league, fit, 0, .4);
  league.player[1].frames = 4000000000u;
  Directive directive = decide(&league);
  assert_int_equal(directive.orders, 1);
  assert_int_equal(directive.order[0].reset, RESET_COPY);
  assert_int_equal(directive.order[0].source_frozen, fit);
  assert_int_equal(league.player[1].parent, fit);
  league_free(&league);
}

/* With several mains each is looked at, and there may be any number of past ones. */
static void resets_look_at_every_main(void **state) {
  (void)state;
  LeagueConfig config = rules("tstarbot-x", "league.frame_scale=1");
  int times[2] = {0};
  for (int round = 0; round < 64; round++) {
    League league;
    build(&league, &config, 2, 1, 0);
    league.draws = (uint64_t)round * 16;
    uint32_t last = 0;
    for (int i = 0; i < 300; i++) {
      last = frozen(&league, 0);
      set_rate(&league, last, 0, .6);
      set_rate(&league, last, 1, .6);
    }
    uint32_t one = frozen(&league, 0), other = frozen(&league, 1);
    set_rate(&league, one, 1, .3); /* fit against main 1 alone */
    if (round >= 32) set_rate(&league, other, 0, .3);
    league.player[2].frames = 4000000000u;
    Directive directive = decide(&league);
    assert_int_equal(directive.orders, 1);
    assert_int_equal(directive.order[0].reset, RESET_COPY);
    if (round < 32) assert_int_equal(directive.order[0].source_frozen, one);
    if (round >= 32) times[directive.order[0].source_frozen == one]++;
    league_free(&league);
  }
  assert_true(times[0] > 6 && times[1] > 6 && times[0] + times[1] == 32);
}

/* Frozen players have policies, whose hashes a checkpoint names. */
static void name_policies(League *league) {
  for (size_t i = league->learning; i < league->players; i++)
    hash_text(hash_bytes(&i, sizeof i), league->player[i].hash);
}

/* Leduc poker, whose returns go to 13 of 13: an exploiter that wins a chip a game, of returns of about 4, is far over
 * the threshold; noise is not; and where every game is won or lost by 1, x is nearly the win rate. */
static void margins_have_a_unit_that_occurs(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", "league.by_return=true");
  config.memory = 2000;
  League league;
  Table table = {0};
  CHECK_OK(league_create(&config, 1, -13, 13, &league)); /* 0 main, 1 and 2 exploiters, 3 its start */
  CHECK_NEAR(league_rate(&league, 1, 0), .5, 0);
  static const double mean[] = {1, 1.6, .1}; /* exploiter of main; main of its start; league exploiter of it */
  static const uint32_t who[][2] = {{1, 0}, {0, 3}, {2, 3}};
  for (int i = 0; i < 3; i++)
    for (int s = 0; s < 2; s++) {
      uint32_t first = who[i][s], second = who[i][1 - s];
      double r = (s ? -1 : 1) * 500 * mean[i] + 500 * .5; /* the first seat is worth half a chip */
      CHECK_OK(payoff_add(&league.payoff, first, second, &(Tally){500, 250, 0, 250, r, 500 * 16}, -r, 500 * 16,
                          PAYOFF_TRAIN));
    }
  league_settle(&league);
  CHECK_NEAR(payoff_margin(&league.payoff, 1, 0), 1, 1e-9);
  CHECK_OK(league_table(&league, &table));
  /* nine in ten of (1, 1, 1.6, .1) are at most 1; eight errors of returns of 4: 8 x 4 / sqrt(2000) = .716 */
  CHECK_NEAR(league.return_unit, 1, 1e-9);
  CHECK_NEAR(league_rate(&league, 1, 0), 1, 1e-9); /* by the range of the env it was .538: never over .7 */
  CHECK_NEAR(league_rate(&league, 0, 1), 0, 1e-9);
  CHECK_NEAR(league_rate(&league, 2, 3), .55, 1e-9);
  league.player[1].frames = 1000;
  Directive directive = decide(&league);
  assert_int_equal(directive.orders, 1);
  assert_string_equal(league.player[directive.order[0].snapshot_id].reason, "win_rate");
  Tree tree = {0};
  League again;
  name_policies(&league);
  CHECK_OK(league_save(&league, &tree));
  CHECK_OK(league_create(&config, 1, -13, 13, &again));
  CHECK_OK(league_load(&again, &tree));
  assert_true(again.return_unit == league.return_unit);
  tree_free(&tree);
  league_free(&again);
  league.config.return_unit = 4; /* given by its key */
  CHECK_OK(league_table(&league, &table));
  CHECK_NEAR(league_rate(&league, 0, 3), .7, 1e-9);
  league_free(&league);
  /* equal players, noise alone: the unit stays over eight errors, and x near .5 */
  CHECK_OK(league_create(&config, 1, -13, 13, &league));
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  for (int i = 0; i < 400; i++)
    for (int s = 0; s < 2; s++) {
      double sum = 0;
      for (int g = 0; g < 50; g++) sum += 4 * rng_normal(&rng);
      CHECK_OK(payoff_add(&league.payoff, (uint32_t)s, (uint32_t)!s, &(Tally){50, 25, 0, 25, sum, 800}, -sum, 800,
                          PAYOFF_TRAIN));
      league_settle(&league);
      CHECK_OK(league_measure_returns(&league));
      if (i > 20) CHECK_NEAR(league_rate(&league, 1, 0), .5, .2);
    }
  table_free(&table);
  league_free(&league);
}

static void empty_candidate_sets_are_harmless(void **state) {
  (void)state;
  static const char *const preset[] = {"alphastar-paper", "alphastar-pseudocode", "tstarbot-x",
                                       "openai-five",     "fictitious",           "self-play",
                                       "population"};
  for (size_t i = 0; i < 2 * COUNT_OF(preset); i++) {
    bool empty = i >= COUNT_OF(preset);
    LeagueConfig config = rules(preset[i % COUNT_OF(preset)], NULL);
    League league;
    Table table = {0};
    CHECK_OK(league_create(&config, 1, -1, 1, &league));
    if (empty) league.players = league.learning; /* nobody frozen at all */
    CHECK_OK(league_table(&league, &table));
    assert_true(table.homes == league.learning);
    for (size_t h = 0; h < table.homes; h++) {
      double sum = 0;
      for (uint32_t k = 0; k < table.home[h].count; k++)
        sum += (double)table.match[table.home[h].first + k].probability;
      CHECK_NEAR(sum, 1, 1e-5);
    }
    table_free(&table);
    league_free(&league);
  }
}

/* Without a past of the main that was drawn its exploiters meet that main, not all; without any past at all a main of
 * openai_five and fictitious play meets itself. */
static void empty_pasts_fall_to_the_main_that_was_drawn(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", NULL);
  League league;
  Table table = {0};
  build(&league, &config, 2, 1, 0); /* 0, 1 mains; 2 exploiter; 3, 4 their starts */
  league.player[4].parent = 0;      /* main 1 has no past */
  set_rate(&league, 2, 0, .1);
  set_rate(&league, 2, 1, .1);
  CHECK_OK(league_table(&league, &table));
  CHECK_NEAR(probability_of(&table, 2, 0), 0, 0);
  CHECK_NEAR(probability_of(&table, 2, 1), .5, 1e-6);
  CHECK_NEAR(probability_of(&table, 2, 3) + probability_of(&table, 2, 4), .5, 1e-6);
  league_free(&league);
  static const char *const preset[] = {"openai-five", "fictitious", "psro", "alpharank"};
  for (size_t i = 0; i < COUNT_OF(preset); i++) {
    if (!there_is(preset[i])) continue;
    config = rules(preset[i], NULL);
    config.mains = 2;
    CHECK_OK(league_create(&config, 1, -1, 1, &league));
    league.players = league.learning;
    CHECK_OK(league_table(&league, &table));
    for (uint32_t home = 0; home < 2; home++) CHECK_NEAR(probability_of(&table, home, home), 1, 1e-6);
    league_free(&league);
  }
  table_free(&table);
}

static void children_may_inherit_the_payoff(void **state) {
  (void)state;
  for (int on = 0; on < 2; on++) {
    LeagueConfig config = rules("alphastar-paper", on ? "league.inherit_payoff=true" : "league.inherit_payoff=false");
    League league;
    build(&league, &config, 1, 1, 1);
    set_rate(&league, 0, 3, .9);
    league.player[0].frames = 4000000000u;
    Directive directive = decide(&league);
    CHECK_NEAR(payoff_win_rate(&league.payoff, directive.order[0].snapshot_id, 3), on ? .9 : .5, 1e-9);
    league_free(&league);
  }
}

/* --- OpenAI Five --- */
static void openai_five_qualities(void **state) {
  (void)state;
  LeagueConfig config = rules("openai-five", NULL);
  League league;
  Table table = {0};
  CHECK_OK(league_create(&config, 1, -1, 1, &league));
  uint32_t second = frozen(&league, 0);
  league.player[1].quality = .5;
  league.player[second].quality = .2;
  CHECK_OK(league_table(&league, &table));
  double p = exp(.5) / (exp(.5) + exp(.2));
  CHECK_NEAR(probability_of(&table, 0, 0), .8, 1e-6);
  CHECK_NEAR(probability_of(&table, 0, 1), .2 * p, 1e-6);
  /* a win lowers q by 0.01 / (N p), with p as when it was drawn; a past match is drawn with .2 p */
  PairResults pair = {
      .home = 0, .away = 1, .tally.games = 3, .tally.wins = 2, .tally.losses = 1, .wins_over_p = 2 / (.2 * p)};
  Results results = {.pair = &pair, .pairs = 1};
  CHECK_OK(league_merge(&league, &results));
  league_settle(&league);
  CHECK_NEAR(league.player[1].quality, .5 - .01 / 2 * 2 / p, 1e-9);
  league.player[0].frames = 4000000000u; /* a newcomer starts with the largest q */
  Directive directive = decide(&league);
  CHECK_NEAR(league.player[directive.order[0].snapshot_id].quality, league.player[1].quality, 1e-12);
  table_free(&table);
  league_free(&league);
}

/* Two mains and their pasts: q belongs to a main and its own past, and no win moves it far. */
static void openai_five_looks_at_its_own_past_only(void **state) {
  (void)state;
  LeagueConfig config = rules("openai-five", NULL);
  config.main_exploiters = 1;
  config.mains = 2;
  League league;
  CHECK_OK(league_create(&config, 1, -1, 1, &league)); /* 0, 1 mains; 2 exploiter; 3 past of 0; 4 past of 1 */
  uint32_t second = frozen(&league, 0);                /* 0 has two past players, 1 has one */
  league.player[3].quality = -.5;
  league.player[second].quality = -.75;
  /* .01 / (2 x .25) a win, three wins; q does not move for a past player's wins, nor in evaluation, nor when other
   * players beat a past of main 0 */
  PairResults pair[] = {
      {.home = 0, .away = 3, .tally.games = 5, .tally.wins = 3, .tally.losses = 2, .wins_over_p = 3 / (.2 * .25)},
      {.home = 0, .away = 3, .tally.games = 9, .tally.losses = 9},
      {.home = 1, .away = 3, .tally.games = 9, .tally.wins = 9, .wins_over_p = 9 / .1},
      {.home = 2, .away = 3, .tally.games = 9, .tally.wins = 9, .wins_over_p = 9 / .1},
      {.home = 0, .away = 4, .tally.games = 9, .tally.wins = 9, .wins_over_p = 9 / .1},
      {.home = 3, .away = second, .eval = 1, .tally.games = 9, .tally.wins = 9, .wins_over_p = 9 / .1},
      /* drawn with p = .0001, which counts as 1 / 20: 32 wins of a lane move q by 32 x .01 / (2 / 20) */
      {.home = 0, .away = second, .tally.games = 32, .tally.wins = 32, .wins_over_p = 32 / (.2 * .0001)}};
  for (size_t i = 0; i < COUNT_OF(pair); i++) {
    CHECK_OK(league_merge(&league, &(Results){.pair = &pair[i], .pairs = 1}));
    league_settle(&league);
    CHECK_NEAR(league.player[3].quality, -.5 - .06, 1e-12);
    CHECK_NEAR(league.player[4].quality, 0, 0);
    CHECK_NEAR(league.player[second].quality, -.75 - (i + 1 == COUNT_OF(pair) ? 3.2 : 0), 1e-12);
  }
  /* a newcomer starts with the largest q of its own line, below 0 too; the other line has 0 */
  league.player[0].frames = 4000000000u;
  Directive directive = decide(&league);
  assert_int_equal(directive.order[0].player, 0);
  CHECK_NEAR(league.player[directive.order[0].snapshot_id].quality, -.56, 1e-12);
  league_free(&league);
}

static void leagues_survive_saving(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", NULL);
  League league, again;
  Tree tree = {0};
  build(&league, &config, 2, 1, 1);
  uint32_t id = frozen(&league, 2);
  set_rate(&league, 0, id, .3);
  set_rate(&league, id, 0, .7);
  league.player[id].quality = -.25;
  snprintf(league.player[id].reason, REASON, "age");
  for (size_t i = league.learning; i < league.players; i++) hash_text(hash_bytes(&i, sizeof i), league.player[i].hash);
  CHECK_OK(league_save(&league, &tree));
  build(&again, &config, 2, 1, 1);
  CHECK_OK(league_load(&again, &tree));
  assert_int_equal(again.players, league.players);
  assert_string_equal(again.player[id].name, league.player[id].name);
  assert_string_equal(again.player[id].reason, "age");
  assert_true(again.player[id].quality == -.25);
  CHECK_NEAR(payoff_win_rate(&again.payoff, 0, id), .3, 0);
  league_free(&again);
  build(&again, &config, 1, 1, 1); /* the file's numbers of learning players count */
  CHECK_OK(league_load(&again, &tree));
  assert_int_equal(again.learning, league.learning);
  tree_free(&tree);
  league_free(&league);
  league_free(&again);
}

/* Keys that cannot both hold are named. */
static void keys_that_contradict_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *pair[3], *says[2];
  } row[] = {
      {{"league.main_snapshot_min=3e9"}, {"league.main_snapshot_min", "league.main_snapshot_max"}},
      {{"league.exploiter_snapshot_min=5e9"}, {"league.exploiter_snapshot_min", "league.exploiter_snapshot_max"}},
      {{"league.league_snapshot_min=3e9"}, {"league.league_snapshot_min", "league.league_snapshot_max"}},
      {{"league.past_low=.6"}, {"league.past_low", "league.past_high"}},
      {{"league.share_main=0", "league.share_main_exploiter=0", "league.share_league_exploiter=0"},
       {"league.share_main", "share_league_exploiter"}},
      {{"league.preset=self-play", "league.share_main=0"}, {"league.share_main", "0"}},
      {{"league.memory=100", "league.min_games=100"}, {"league.min_games", "league.memory"}},
      {{"league.self_share=.7", "league.verify_share=.4"}, {"league.self_share", "league.verify_share"}}};
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    size_t n = 0;
    JobConfig *settings;
    while (n < 3 && row[i].pair[n]) n++;
    JobConfigSource source = {.game = "tic_tac_toe", .overrides = row[i].pair, .override_count = n};
    assert_int_equal(job_config_create(&source, &settings), ERR_USAGE);
    for (int k = 0; k < 2; k++) assert_non_null(strstr(status_message(), row[i].says[k]));
  }
  /* .7 + .3 is 1, however it is rounded; limits of roles that nobody plays do not matter */
  const char *good[] = {"league.self_share=.9", "league.verify_share=.1", "league.main_exploiters=0",
                        "league.exploiter_snapshot_min=5e9"};
  JobConfig *settings;
  CHECK_OK(
      job_config_create(&(JobConfigSource){.game = "tic_tac_toe", .overrides = good, .override_count = 4}, &settings));
  job_config_destroy(settings);
}

/* Numbers of both seats together, as once kept, are no payoff of today's: nothing is made up from them. */
static void rows_of_another_width_are_refused(void **state) {
  (void)state;
  const uint32_t home[2] = {0, 1}, away[2] = {1, 0};
  const double tally[24] = {0}, since[4] = {0};
  for (size_t width = 6; width <= 12; width += 6) {
    Payoff payoff = {.decay = .99};
    Tree tree = {0};
    CHECK_OK(tree_put(&tree, "payoff/home", STORE_U32, 2, 1, home));
    CHECK_OK(tree_put(&tree, "payoff/away", STORE_U32, 2, 1, away));
    CHECK_OK(tree_put(&tree, "payoff/raw", STORE_F64, 2, width, tally));
    CHECK_OK(tree_put(&tree, "payoff/decayed", STORE_F64, 2, width, tally));
    CHECK_OK(tree_put(&tree, "payoff/eval", STORE_F64, 2, width, tally));
    CHECK_OK(tree_put(&tree, "payoff/since", STORE_F64, 2, width / 6, since));
    assert_int_equal(payoff_load(&payoff, 2, &tree), width == 12 ? OK : ERR_FORMAT);
    tree_free(&tree);
    payoff_free(&payoff);
  }
}

/* A lane draws from the home of every learning player that there may be; a message that has more is refused. */
static void tables_hold_as_many_homes_as_there_may_be_learners(void **state) {
  (void)state;
  enum { MORE = WIRE_LEARNERS + 5 };
  static HomeEntry home[MORE];
  static MatchEntry match[MORE];
  for (uint32_t i = 0; i < MORE; i++) {
    home[i] = (HomeEntry){.player = i, .first = i, .count = 1};
    match[i] = (MatchEntry){.home = i, .away = MORE, .probability = 1};
  }
  for (uint32_t homes = WIRE_LEARNERS; homes <= MORE; homes++) {
    Table table = {.home = home, .homes = homes, .match = match, .matches = homes}, back = {0};
    AgonRng rng = rng_stream(1, homes, 0, RNG_TEST);
    Bytes bytes = {0};
    Matchup drawn;
    for (uint32_t i = 0; i < homes; i++) home[i].share = i + 1 == homes;
    table_encode(&table, &bytes);
    Reader reader = reader_over(bytes.data, bytes.size);
    Status status = table_decode(&back, &reader);
    if (homes > WIRE_LEARNERS) {
      assert_int_equal(status, ERR_FORMAT);
    } else {
      CHECK_OK(status);
      assert_true(matchup_draw(&back, 2, false, &rng, &drawn));
      assert_int_equal(drawn.home, homes - 1);
    }
    table_free(&back);
    bytes_free(&bytes);
  }
}

/* Of more frozen players than the pool holds the newest are met, or those that the mains win least against; who is
 * benched is neither met nor evaluated, holds no snapshot up, and survives saving. */
static void pools_have_a_limit(void **state) {
  (void)state;
  for (int strongest = 0; strongest < 2; strongest++) {
    LeagueConfig config = rules("alphastar-paper", strongest ? "league.pool_rule=strongest" : "league.pool_rule=fifo");
    League league, again;
    Table table = {0};
    Tree tree = {0};
    config.pool = 2;
    build(&league, &config, 1, 1, 1); /* 3: the main's start */
    uint32_t id[4] = {3};
    const double rate[4] = {.2, .9, .1, .6}; /* of the main against them */
    for (int i = 1; i < 4; i++) id[i] = frozen(&league, 0);
    for (int i = 0; i < 4; i++) {
      set_rate(&league, 0, id[i], rate[i]);
      set_rate(&league, id[i], 0, 1 - rate[i]);
      hash_text(hash_bytes(&i, sizeof i), league.player[id[i]].hash);
    }
    CHECK_OK(league_table(&league, &table));
    for (int i = 0; i < 4; i++) {
      const bool in = strongest ? i == 0 || i == 2 : i >= 2;
      assert_true(league.player[id[i]].benched == !in);
      for (uint32_t home = 0; home < league.learning; home++)
        if (!in) CHECK_NEAR(probability_of(&table, home, id[i]), 0, 0);
      assert_true(in == (probability_of(&table, 2, id[i]) > 0)); /* the league exploiter meets all that there are */
      for (size_t e = 0; e < table.evals; e++)
        assert_true(in || (table.eval[e].home != id[i] && table.eval[e].away != id[i]));
    }
    CHECK_OK(league_save(&league, &tree));
    build(&again, &config, 1, 1, 1);
    CHECK_OK(league_load(&again, &tree));
    for (int i = 0; i < 4; i++) assert_true(again.player[id[i]].benched == league.player[id[i]].benched);
    again.config.pool = 0; /* the limit goes, and all come back */
    CHECK_OK(league_table(&again, &table));
    for (int i = 0; i < 4; i++) assert_false(again.player[id[i]].benched);
    tree_free(&tree);
    table_free(&table);
    league_free(&again);
    league_free(&league);
  }
}

/* Besides home those learn whom league.away_learns names. */
static void who_learns_away_is_a_key(void **state) {
  (void)state;
  static const char *const key[] = {"league.away_learns=self", "league.away_learns=live", "league.away_learns=never"};
  for (int how = 0; how < 3; how++) {
    LeagueConfig config = rules("alphastar-paper", key[how]);
    League league;
    Table table = {0};
    bool seen[2] = {false};
    build(&league, &config, 2, 1, 0);
    CHECK_OK(league_table(&league, &table));
    for (size_t i = 0; i < table.matches; i++) {
      const MatchEntry *match = &table.match[i];
      const bool live = match->away < league.learning, self = match->away == match->home;
      const bool learns = how == AWAY_LIVE ? live : self && how == AWAY_SELF;
      assert_true(((match->flags & MATCH_AWAY_LEARNS) != 0) == learns);
      if (live) seen[self] = true;
    }
    assert_true(seen[0] && seen[1]);
    table_free(&table);
    league_free(&league);
  }
}

/* What home meets `away` with. */
static double chance_of(const Table *table, uint32_t home, uint32_t away) {
  double sum = 0;
  for (size_t i = 0; i < table->matches; i++)
    if (table->match[i].home == home && table->match[i].away == away) sum += (double)table->match[i].probability;
  return sum;
}

/* Guests are frozen players to PFSP and to evaluation, or have a share of their own; nobody has to beat them to be frozen,
 * no limit of the pool benches them, and who has been sent away is met no more. All of it survives saving. */
static void guests_are_frozen_members(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", NULL);
  League league, loaded;
  Table table = {0};
  Tree tree = {0};
  build(&league, &config, 1, 1, 1);
  const uint32_t past = 3, easy = 4, hard = 5;
  CHECK_OK(league_add_guest(&league, &(LeagueGuest){"easy", "random", "0123456789abcdef0123456789abcdef"}));
  CHECK_OK(league_add_guest(&league, &(LeagueGuest){"hard", "exec:engine", "0123456789abcdef0123456789abcdee"}));
  assert_int_equal(league_add_guest(&league, &(LeagueGuest){"hard", "random", ""}), ERR_USAGE); /* the name is taken */
  set_rate(&league, 0, past, .5);
  set_rate(&league, 0, easy, .9);
  set_rate(&league, 0, hard, .1);
  CHECK_OK(league_table(&league, &table));
  const double sum = .25 + .01 + .81; /* PFSP's share, by (1 - x)^2 */
  CHECK_NEAR(chance_of(&table, 0, hard), .5 * .81 / sum, 1e-6);
  CHECK_NEAR(chance_of(&table, 0, easy), .5 * .01 / sum, 1e-6);
  CHECK_NEAR(chance_of(&table, 1, hard), 0, 0); /* a main exploiter is for the mains */
  CHECK_NEAR(chance_of(&table, 2, hard), 1. / 3, 1e-6); /* a league exploiter, of whom nothing is known yet */
  bool evaluated = false;
  for (size_t i = 0; i < table.evals; i++) {
    const uint32_t a = table.eval[i].home, b = table.eval[i].away;
    evaluated |= (a == easy && b == hard) || (a == hard && b == easy);
  }
  assert_true(evaluated);

  league.config.guest_share = .3; /* no more, no less; the rest is shared out as without guests */
  CHECK_OK(league_table(&league, &table));
  CHECK_NEAR(chance_of(&table, 0, hard), .3 * .81 / .82, 1e-6);
  CHECK_NEAR(chance_of(&table, 0, easy), .3 * .01 / .82, 1e-6);
  CHECK_NEAR(chance_of(&table, 0, past) + chance_of(&table, 0, 0) , .7, 1e-6);
  CHECK_NEAR(chance_of(&table, 2, hard), 1. / 3, 1e-6);
  league.config.main_rule = text_choice("alphastar|openai_five|fictitious|self_play", "self_play");
  CHECK_OK(league_table(&league, &table)); /* also by rules that know no past players */
  CHECK_NEAR(chance_of(&table, 0, 0), .7, 1e-6);
  CHECK_NEAR(chance_of(&table, 0, hard), .3 * .81 / .82, 1e-6);
  league.config.main_rule = 0;
  league.config.guest_share = 0;

  league.config.pool = 1; /* the newest of those that were frozen */
  const uint32_t newer = frozen(&league, 0);
  CHECK_OK(league_table(&league, &table));
  assert_true(league.player[past].benched && !league.player[newer].benched);
  assert_false(league.player[easy].benched || league.player[hard].benched);
  league_guest_leaves(&league.player[easy], true);
  CHECK_OK(league_table(&league, &table));
  assert_true(league.player[easy].benched && league_guest_is_away(&league.player[easy]));
  CHECK_NEAR(chance_of(&table, 0, easy) + chance_of(&table, 2, easy), 0, 0);
  for (size_t i = 0; i < table.evals; i++) assert_false(table.eval[i].home == easy || table.eval[i].away == easy);
  memcpy(league.player[past].hash, league.player[hard].hash, HASH_TEXT); /* as their files would say */
  memcpy(league.player[newer].hash, league.player[hard].hash, HASH_TEXT);

  payoff_free(&league.payoff); /* it was told one side of games that nobody played */
  league.payoff.decay = league_decay(&league.config);
  CHECK_OK(league_save(&league, &tree));
  CHECK_OK(league_create(&config, 1, -1, 1, &loaded));
  CHECK_OK(league_load(&loaded, &tree));
  assert_string_equal(loaded.player[hard].guest, "exec:engine");
  assert_string_equal(loaded.player[easy].guest, "random");
  assert_true(loaded.player[hard].role == ROLE_GUEST && league_guest_is_away(&loaded.player[easy]));
  assert_null(loaded.player[past].guest);
  CHECK_OK(league_load(&loaded, &tree)); /* again: what was there goes */
  ((uint32_t *)tree_find(&tree, "league/role")->data)[past] = ROLE_GUEST;
  assert_int_equal(league_load(&loaded, &tree), ERR_FORMAT); /* nothing is told of it */
  ((uint32_t *)tree_find(&tree, "league/role")->data)[past] = ROLE_MAIN;
  ((uint32_t *)tree_find(&tree, "league/role")->data)[hard] = ROLE_MAIN;
  assert_int_equal(league_load(&loaded, &tree), ERR_FORMAT); /* and yet it is a guest */
  ((uint32_t *)tree_find(&tree, "league/role")->data)[hard] = ROLE_GUEST;
  CHECK_OK(league_load(&loaded, &tree));
  memcpy((char *)tree_find(&tree, "league/reason")->data + past * PLAYER_NAME, "<b>", 4);
  assert_int_equal(league_load(&loaded, &tree), ERR_FORMAT); /* it would stand in a page */
  assert_non_null(strstr(status_message(), "is no plain text"));
  tree_free(&tree);
  table_free(&table);
  league_free(&loaded);
  league_free(&league);
}

/* Whoever beats all past players is frozen, whatever a guest does to it. */
static void a_guest_keeps_nobody_from_being_frozen(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", "league.main_snapshot_min=1000");
  config.frame_scale = 1;
  for (int guests = 0; guests < 2; guests++) {
    static Directive directive;
    League league;
    build(&league, &config, 1, 0, 0);
    if (guests) CHECK_OK(league_add_guest(&league, &(LeagueGuest){"hard", "alphabeta-9", "0123456789abcdef0123456789abcdef"}));
    Pair *pair;
    CHECK_OK(payoff_pair(&league.payoff, 0, 1, &pair));
    for (int seat = 0; seat < SEATS; seat++) {
      pair->decayed[seat] = (Tally){50, 45, 0, 5, 0, 0};
      pair->since[seat] = 50;
    }
    league.player[0].frames = 2000;
    directive.orders = 0;
    CHECK_OK(league_decide(&league, &directive));
    assert_int_equal(directive.orders, 1);
    assert_string_equal(league.player[directive.order[0].snapshot_id].reason, "win_rate");
    league_free(&league);
  }
}

/* Built-in players give ratings their zero: they meet frozen players in a small share of the evaluation games, nobody
 * trains against them, and what they play survives saving. */
static void builtin_players_are_met_in_evaluation_only(void **state) {
  (void)state;
  LeagueConfig config = rules("alphastar-paper", NULL), scripted = config;
  League league, loaded;
  Table table = {0};
  Tree tree = {0};
  assert_int_equal(config.anchors, 1); /* tic_tac_toe has no scripted player */
  build(&league, &config, 1, 1, 1);
  CHECK_OK(league_table(&league, &table));
  assert_int_equal(table.evals, 1); /* one frozen player: all of the evaluation games */
  assert_int_equal(table.eval[0].home, 3);
  assert_int_equal(table.eval[0].away, BUILTIN_RANDOM);
  CHECK_NEAR(table.eval[0].probability, 1, 1e-6);
  uint32_t second = frozen(&league, 0);
  CHECK_OK(league_table(&league, &table));
  double share = 0, all = 0;
  for (size_t i = 0; i < table.evals; i++) {
    all += (double)table.eval[i].probability;
    if (is_builtin(table.eval[i].away)) share += (double)table.eval[i].probability;
  }
  assert_int_equal(table.evals, 3);
  CHECK_NEAR(all, 1, 1e-6);
  CHECK_NEAR(share, config.anchor_share, 1e-6);
  for (size_t i = 0; i < table.matches; i++) assert_false(is_builtin(table.match[i].away));

  PairResults pair = {.home = second,
                      .away = BUILTIN_RANDOM,
                      .eval = 1,
                      .seat = 1,
                      .tally.games = 4,
                      .tally.wins = 3,
                      .tally.draws = 1};
  Results results = {.pair = &pair, .pairs = 1};
  CHECK_OK(league_merge(&league, &results));
  league_settle(&league);
  const Tally *met = anchors_find(&league.anchors, second, BUILTIN_RANDOM);
  CHECK_NEAR(met[1].wins, 3, 0);
  CHECK_NEAR(met[0].games, 0, 0);
  CHECK_NEAR(anchors_find(&league.anchors, 3, BUILTIN_RANDOM)[1].games, 0, 0);
  pair.eval = 0;
  assert_int_equal(league_merge(&league, &results), ERR_FORMAT); /* nobody learns from them */
  pair.eval = 1, pair.home = 0;
  assert_int_equal(league_merge(&league, &results), ERR_FORMAT);

  CHECK_OK(league_save(&league, &tree));
  CHECK_OK(league_create(&league.config, 1, -1, 1, &loaded));
  CHECK_OK(anchors_load(&loaded.anchors, league.players, &tree));
  CHECK_NEAR(anchors_find(&loaded.anchors, second, BUILTIN_RANDOM)[1].wins, 3, 0);
  ((double *)tree_find(&tree, "anchors/random")->data)[1] = NAN;
  assert_int_equal(anchors_load(&loaded.anchors, league.players, &tree), ERR_FORMAT);
  tree_free(&tree);
  CHECK_OK(anchors_load(&loaded.anchors, league.players, &tree)); /* a run from before */
  CHECK_NEAR(anchors_find(&loaded.anchors, second, BUILTIN_RANDOM)[1].wins, 0, 0);
  league_free(&loaded);
  league_free(&league);

  scripted.anchors = 3, scripted.anchor_share = 0;
  build(&league, &scripted, 1, 0, 0);
  CHECK_OK(league_table(&league, &table));
  assert_int_equal(table.evals, 0);
  league.config.anchor_share = 0.1;
  CHECK_OK(league_table(&league, &table));
  assert_int_equal(table.evals, 2);
  table_free(&table);
  league_free(&league);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pfsp_vectors),
      cmocka_unit_test(monotonic_suffix),
      cmocka_unit_test(main_law_by_chi_square),
      cmocka_unit_test(branches_add_up),
      cmocka_unit_test(exploiter_rules),
      cmocka_unit_test(only_home_learns_except_in_self_play),
      cmocka_unit_test(decay_one_game_at_a_time),
      cmocka_unit_test(meta_games_choose_opponents),
      cmocka_unit_test(meta_games_wait_until_all_have_met),
      cmocka_unit_test(meta_rules_have_evaluation_lanes),
      cmocka_unit_test(bulk_counts_keep_the_cap),
      cmocka_unit_test(seats_are_remembered_apart),
      cmocka_unit_test(thresholds_want_games_of_both_seats),
      cmocka_unit_test(self_matches_are_not_recorded),
      cmocka_unit_test(results_of_a_former_life_do_not_count),
      cmocka_unit_test(evaluation_counts_are_apart),
      cmocka_unit_test(snapshot_rules),
      cmocka_unit_test(a_pair_never_played_blocks_the_threshold_only),
      cmocka_unit_test(exploiters_freeze_before_they_reset),
      cmocka_unit_test(league_exploiters_reset_a_quarter_of_the_time),
      cmocka_unit_test(resets_may_start_from_a_past_main),
      cmocka_unit_test(resets_look_at_every_main),
      cmocka_unit_test(margins_have_a_unit_that_occurs),
      cmocka_unit_test(empty_candidate_sets_are_harmless),
      cmocka_unit_test(empty_pasts_fall_to_the_main_that_was_drawn),
      cmocka_unit_test(children_may_inherit_the_payoff),
      cmocka_unit_test(openai_five_qualities),
      cmocka_unit_test(openai_five_looks_at_its_own_past_only),
      cmocka_unit_test(leagues_survive_saving),
      cmocka_unit_test(keys_that_contradict_are_refused),
      cmocka_unit_test(rows_of_another_width_are_refused),
      cmocka_unit_test(tables_hold_as_many_homes_as_there_may_be_learners),
      cmocka_unit_test(pools_have_a_limit),
      cmocka_unit_test(who_learns_away_is_a_key),
      cmocka_unit_test(guests_are_frozen_members),
      cmocka_unit_test(a_guest_keeps_nobody_from_being_frozen),
      cmocka_unit_test(builtin_players_are_met_in_evaluation_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

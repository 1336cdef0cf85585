/* Tournaments without MPI: counts and games.csv, lines of play, alpha-beta, openings, and what is played next. */
#include "check.h"
#include "folder.h"

#include "base/file.h"
#include "eval/line.h"
#include "eval/standing.h"
#include "eval/tournament.h"
#include "transport/transport.h"
#include "wire/wire.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Env *make_env(const char *name) {
  Env *env;
  CHECK_OK(env_create_from(name, NULL, 0, &env));
  return env;
}

static char folder[FOLDER_PATH];

static const GameTerms terms = {.env = "goofspiel cards=4", .openings = 2, .seed = 9};
static const MatchTally three = {{{3, 2, 1, 0, 2.5, 3}, {3, 0, 0, 3, -3, 3}}, {{1, 0, 1, 1, 0}}, 4.25, false, {0}, {0}, false};

static void csv_keeps_games(void **state) {
  (void)state;
  char path[64];
  Games games = {0};
  GameTerms other = terms;
  uint32_t a, b;
  other.seed = 10;
  snprintf(path, sizeof path, "%s/a.csv", folder);
  CHECK_OK(games_read(path, &terms, &games)); /* no file: no games */
  assert_int_equal(games.players, 0);
  CHECK_OK(games_append(path, &terms, "odd, \"name\"@12345678", "random", 0, &three));
  CHECK_OK(games_append(path, &terms, "random", "odd, \"name\"@12345678", 3, &three));
  CHECK_OK(games_append(path, &other, "random", "odd, \"name\"@12345678", 3, &three));
  CHECK_OK(games_read(path, &terms, &games));
  assert_int_equal(games.players, 2);
  CHECK_OK(games_player(&games, "odd, \"name\"@12345678", &a));
  CHECK_OK(games_player(&games, "random", &b));
  const Meeting *met = games_find(&games, a < b ? a : b, a < b ? b : a);
  assert_non_null(met);
  assert_int_equal(met->next, 6);
  CHECK_NEAR(tally_games(met->tally.seat), 12, 0);
  CHECK_NEAR(met->tally.seat[0].wins, 2 + 3, 0); /* its own, and what random lost as second */
  CHECK_NEAR(met->tally.seat[1].losses, 3 + 2, 0);
  CHECK_NEAR(met->tally.seat[0].returns + met->tally.seat[1].returns, 0, 1e-9); /* -.5 and its mirror */
  assert_true(met->tally.pairs.count[0] == 1 && met->tally.pairs.count[4] == 1 && met->tally.pairs.count[1] == 1);
  double *score;
  CHECK_OK(games_matrix(&games, false, -1, &score));
  CHECK_NEAR(score[a * 2 + b] + score[b * 2 + a], 1, 1e-12);
  free(score);
  games_free(&games);
  other = terms;
  other.vary = true; /* openings of 0 to 2 steps are other games than openings of 2 */
  CHECK_OK(games_append(path, &other, "x", "random", 0, &three));
  CHECK_OK(games_append(path, &terms, "y", "random", 0, &three));
  CHECK_OK(games_read(path, &other, &games));
  assert_int_equal(games.players, 2);
  assert_string_equal(games.name[0], "x");
  games_free(&games);
}

/* Games of a plug-in are those of its build, of builds that were accepted, and of those that nobody wrote down. */
static void csv_tells_builds_apart(void **state) {
  (void)state;
  char path[64];
  char env[512];
  Games games = {0};
  GameTerms now = terms;
  static const char build[4][GAMES_BUILD] = {"", "00000000000000000000000000000001",
                                             "00000000000000000000000000000002",
                                             "00000000000000000000000000000003"};
  const struct {
    const char *accepted;
    bool any;
    size_t others;
  } ask[] = {{NULL, false, 2}, {"00000000000000000000000000000001", false, 1}, {NULL, true, 0}};
  snprintf(path, sizeof path, "%s/builds.csv", folder);
  for (size_t i = 0; i < COUNT_OF(build); i++) {
    char name[8];
    memcpy(now.build, build[i], GAMES_BUILD);
    snprintf(name, sizeof name, "p%zu", i);
    CHECK_OK(games_append(path, &now, name, "random", 0, &three));
  }
  for (size_t i = 0; i < COUNT_OF(ask); i++) {
    now.accepted = ask[i].accepted;
    now.any_build = ask[i].any;
    CHECK_OK(games_read(path, &now, &games));
    assert_int_equal(games.other_lines, ask[i].others);
    assert_int_equal(games.players, 5 - ask[i].others);
    if (ask[i].others) assert_string_equal(games.other_build, build[2]);
    games_free(&games);
  }
  assert_int_equal(games_read_env(path, NULL, false, &games, env), ERR_USAGE);
  assert_non_null(strstr(status_message(), "by two builds of its plug-in"));
  games_free(&games);
  CHECK_OK(games_read_env(path, NULL, true, &games, env));
  assert_int_equal(games.players, 5);
  games_free(&games);
}

static void versions_tell_rules(void **state) {
  (void)state;
  static const char a[] = "00000000000000000000000000000001",
                    b[] = "00000000000000000000000000000002";
  char v[4][GAMES_BUILD];
  for (int i = 0; i < 4; i++)
    snprintf(v[i], GAMES_BUILD, "%s/%d", i & 2 ? b : a, 1 + (i & 1));
  assert_true(games_same_rules("", "") && games_same_rules(a, a) && games_same_rules(v[0], v[2]));
  assert_false(games_same_rules(a, b) || games_same_rules(v[0], v[1]) || games_same_rules(a, v[0]));
  assert_false(games_same_rules("", "/1"));
  assert_true(games_build_good("") && games_build_good(a) && games_build_good(v[3]) &&
              games_build_good("/4294967295"));
  static const char *const bad[] = {"/", "/0",          "/x",
                                    "1", "/4294967296", "0000000000000000000000000000000g/1"};
  for (size_t i = 0; i < COUNT_OF(bad); i++)
    assert_false(games_build_good(bad[i]));
}

static void csv_is_checked(void **state) {
  (void)state;
  char path[64], text[2000], *whole;
  size_t size;
  Games games = {0};
  snprintf(path, sizeof path, "%s/b.csv", folder);
  CHECK_OK(games_append(path, &terms, "x", "y", 0, &three));
  CHECK_OK(file_read(path, &whole, &size));
  snprintf(text, sizeof text, "%s%s", whole, "goofspiel cards=4,0,2,9,x,y,3,1,1"); /* a job was killed while it wrote */
  CHECK_OK(file_write_whole(path, text, strlen(text)));
  CHECK_OK(games_read(path, &terms, &games));
  assert_int_equal(games.meetings, 1);
  CHECK_OK(games_append(path, &terms, "x", "z", 0, &three)); /* the next job goes on behind the last whole line */
  games_free(&games);
  CHECK_OK(games_read(path, &terms, &games));
  assert_int_equal(games.meetings, 2);
  games_free(&games);
  CHECK_OK(file_write_whole(path, whole, 20)); /* killed in the header */
  CHECK_OK(games_append(path, &terms, "x", "y", 0, &three));
  CHECK_OK(games_read(path, &terms, &games));
  assert_int_equal(games.meetings, 1);
  snprintf(text, sizeof text, "%s%s", whole, "goofspiel cards=4,0,2,9,x,y,three,1,1\n");
  CHECK_OK(file_write_whole(path, text, strlen(text)));
  assert_int_equal(games_read(path, &terms, &games), ERR_FORMAT);
  assert_non_null(strstr(status_message(), "line 3"));
  CHECK_OK(file_write_whole(path, "a,b\n1,2\n", 8));
  assert_int_equal(games_read(path, &terms, &games), ERR_FORMAT);
  games_free(&games);
  free(whole);
}

static void lines_are_played(void **state) {
  (void)state;
  Env *env = make_env("kuhn_poker");
  Position position;
  uint32_t agent;
  CHECK_OK(position_create(env, &position));
  CHECK_OK(position_reset(&position, (AgonRng){0}));
  CHECK_OK(position_play_line(&position, "2 0 bet 1")); /* king against jack, a bet that is called */
  assert_int_equal(position.status, AGON_TERMINATED);
  CHECK_NEAR(position.returns[0], 2, 0);
  assert_int_equal(position_play(&position, "pass"), ERR_USAGE);
  CHECK_OK(position_reset(&position, (AgonRng){0}));
  assert_int_equal(position_play_line(&position, "2 2"), ERR_USAGE); /* the king is dealt already */
  assert_int_equal(position_play_line(&position, "0 raise"), ERR_USAGE);
  assert_non_null(strstr(status_message(), "pass bet"));
  position_destroy(&position);
  env_destroy(env);
  env = make_env("matrix_game"); /* rock-paper-scissors: both words make one move */
  CHECK_OK(position_create(env, &position));
  CHECK_OK(position_reset(&position, (AgonRng){0}));
  CHECK_OK(position_play(&position, "1"));
  assert_true(position_actor(&position, &agent) && agent == 1 && position.status == AGON_RUNNING);
  CHECK_OK(position_play(&position, "0"));
  assert_int_equal(position.status, AGON_TERMINATED);
  CHECK_NEAR(position.returns[0], 1, 0);
  position_destroy(&position);
  env_destroy(env);
}

/* What a match writes down leads to the same end when it is played again. */
typedef struct Kept {
  const Env *env;
  size_t games;
  char first[2][64]; /* the opening of both games of pair 0 */
} Kept;

static Status check_game(void *context, const GameText *game) {
  Kept *kept = context;
  Position position;
  uint64_t pair = game->game / 2;
  CHECK_OK(position_create(kept->env, &position));
  CHECK_OK(position_reset(&position, rng_stream(5, (uint32_t)pair, 0, RNG_ENV)));
  CHECK_OK(position_play_line(&position, game->line));
  assert_true(position.status == AGON_TERMINATED || position.status == AGON_TRUNCATED);
  const float *outcome = position_outcome(&position);
  CHECK_NEAR(outcome[0], game->outcome[0], 0);
  if (pair == 0) snprintf(kept->first[game->game & 1], 64, "%.63s", game->line);
  kept->games++;
  position_destroy(&position);
  return OK;
}

static void matches_are_written_down(void **state) {
  (void)state;
  static const char *const name[] = {"leduc_poker", "connect_four", "skirmish", "goofspiel", "liars_dice"};
  for (size_t i = 0; i < COUNT_OF(name); i++) {
    if (!env_is_builtin(name[i])) continue; /* it has been taken out */
    Env *env = make_env(name[i]);
    Contestant a, b;
    MatchTally score;
    Kept kept = {.env = env};
    bool opens = !strcmp(name[i], "connect_four");
    CHECK_OK(contestant_builtin("random", env, &a));
    CHECK_OK(contestant_builtin(env->table->scripted ? "scripted" : "random", env, &b));
    MatchPlan plan = {.seed = 5, .pairs = 30, .openings = opens ? 4 : 0, .played = check_game, .context = &kept};
    CHECK_OK(eval_match(env, &a, &b, &plan, &score));
    assert_int_equal(kept.games, 60);
    CHECK_NEAR(tally_games(score.seat), 60, 0);
    double pairs = 0, points = 0;
    for (int k = 0; k < 5; k++) pairs += score.pairs.count[k], points += score.pairs.count[k] * k / 2;
    CHECK_NEAR(pairs, 30, 0);
    double sum = 0;
    for (int s = 0; s < 2; s++) sum += score.seat[s].wins + score.seat[s].draws / 2;
    CHECK_NEAR(points, sum, 0);
    if (opens) assert_memory_equal(kept.first[0], kept.first[1], 7); /* both games of a pair have one opening */
    contestant_destroy(&a);
    contestant_destroy(&b);
    env_destroy(env);
  }
}

static void alpha_beta_sees_what_it_should(void **state) {
  (void)state;
  Env *env = make_env("tic_tac_toe");
  Contestant deep, exact, shallow;
  MatchTally score;
  CHECK_OK(contestant_builtin("alphabeta-9", env, &deep)); /* the whole game: never loses */
  CHECK_OK(contestant_builtin("minimax", env, &exact));
  CHECK_OK(contestant_builtin("alphabeta-1", env, &shallow));
  CHECK_OK(eval_match(env, &deep, &exact, &(MatchPlan){.seed = 1, .pairs = 10}, &score));
  CHECK_NEAR(score.seat[0].draws + score.seat[1].draws, 20, 0);
  Position position;
  float p[9];
  CHECK_OK(position_create(env, &position));
  CHECK_OK(position_reset(&position, (AgonRng){0}));
  CHECK_OK(position_play_line(&position, "0 3 1 4")); /* 2 wins at once */
  const uint8_t mask[9] = {0, 0, 1, 0, 0, 1, 1, 1, 1};
  shallow.policy.builtin->ops->probabilities(shallow.policy.builtin, position.episode, 0, mask, p);
  CHECK_NEAR(p[2], 1, 0);
  CHECK_OK(position_play_line(&position, "8")); /* now the other wins at 5 */
  BuiltinPolicy *two;
  CHECK_OK(builtin_create("alphabeta-2", env, &two));
  two->ops->probabilities(two, position.episode, 1, (const uint8_t[9]){0, 0, 1, 0, 0, 1, 1, 1, 0}, p);
  CHECK_NEAR(p[5], 1, 0);
  builtin_destroy(two);
  assert_null(builtin_find("alphabeta-13"));
  assert_null(builtin_find("alphabeta-"));
  assert_null(builtin_find("random-2"));
  position_destroy(&position);
  contestant_destroy(&deep);
  contestant_destroy(&exact);
  contestant_destroy(&shallow);
  env_destroy(env);
}

/* --- tournaments --- */
typedef struct Field {
  Env *env;
  Contestant player[4];
  Fixture fixture[6];
  Tournament t;
} Field;

static void open_field(Field *f, const char *csv) {
  static const char *const name[4] = {"random", "scripted", "alphabeta-1", "alphabeta-2"};
  *f = (Field){.env = make_env("connect_four")};
  f->t = (Tournament){.env = f->env, .player = f->player, .players = 4, .fixture = f->fixture, .each = 200, .csv = csv};
  f->t.terms = (GameTerms){.env = "connect_four", .seed = 3};
  for (uint32_t i = 0; i < 4; i++) {
    uint32_t id;
    CHECK_OK(contestant_builtin(name[i], f->env, &f->player[i]));
    CHECK_OK(games_player(&f->t.games, name[i], &id));
    for (uint32_t j = i + 1; j < 4; j++) f->fixture[f->t.fixtures++] = (Fixture){.a = i, .b = j};
  }
}

static void close_field(Field *f) {
  for (int i = 0; i < 4; i++) contestant_destroy(&f->player[i]);
  games_free(&f->t.games);
  env_destroy(f->env);
}

static uint64_t games_of(const Field *f, uint32_t a, uint32_t b) {
  const Meeting *met = games_find(&f->t.games, a, b);
  return met ? (uint64_t)tally_games(met->tally.seat) : 0;
}

static void tournaments_play_what_is_left(void **state) {
  (void)state;
  char path[64];
  Field f;
  snprintf(path, sizeof path, "%s/c.csv", folder);
  open_field(&f, path);
  f.t.each = 100;
  CHECK_OK(tournament_play(&f.t));
  for (size_t i = 0; i < 6; i++) assert_int_equal(games_of(&f, f.fixture[i].a, f.fixture[i].b), 100);
  close_field(&f);
  open_field(&f, path); /* again, with what the file knows: 60 more of each */
  f.t.each = 160;
  CHECK_OK(games_read(path, &f.t.terms, &f.t.games));
  CHECK_OK(tournament_play(&f.t));
  assert_int_equal(f.t.played, 6 * 60);
  Standing standing;
  StandingOptions options = {.prior = .5, .seats = true};
  CHECK_OK(standing_create(&f.t.games, &options, &standing));
  assert_string_equal(standing_anchor(&standing), standing.games->name[0]);
  assert_true(standing.rated[3].elo > standing.rated[2].elo && standing.rated[2].elo > 0); /* two plies, one, none */
  assert_true(standing.rated[1].elo > standing.rated[2].elo);                              /* the scripted one blocks */
  assert_int_equal(standing.order[3], 0);
  standing_destroy(&standing);
  close_field(&f);
}

/* What one rank of two says to another, in a world where nothing else moves. */
static void say(SimWorld *world, int from, int to, WireOut *out) {
  CHECK_OK(wire_send(sim_rank(world, from), to, out));
  bytes_free(&out->bytes);
  sim_round(world);
}

static void say_result(SimWorld *world, uint32_t fixture, uint32_t pairs, const MatchTally *score) {
  WireOut out = {{0}};
  const WireMatchResult result = {.match = {.fixture = fixture, .pairs = pairs}, .tally = *score};
  wire_begin(&out, WIRE_MATCH_RESULT);
  match_result_encode(&result, &out.bytes);
  say(world, 1, 0, &out);
}

/* Plays rank 0 or 1 of a tournament in which the other has said something wrong. */
static void check_refused(SimWorld *world, int rank, const char *says) {
  Field f;
  open_field(&f, NULL);
  f.t.each = 10;
  f.t.transport = sim_rank(world, rank);
  if (tournament_play(&f.t) != ERR_FORMAT || !strstr(status_message(), says))
    fail_msg("not '%s', but: %s", says, status_message());
  close_field(&f);
  sim_destroy(world);
}

static SimWorld *two_ranks(void) {
  SimWorld *world;
  CHECK_OK(sim_create(&(SimConfig){.seed = 1, .ranks = 2, .ranks_per_host = 1}, &world));
  return world;
}

/* Rank 0 books what it has dealt out, and scores that add up; the others play fixtures that there are. */
static void results_that_nobody_asked_for_are_refused(void **state) {
  (void)state;
  SimWorld *world = two_ranks();
  say_result(world, 0, 3, &three);
  check_refused(world, 0, "rank 1: 3 pairs of fixture 0, which it does not hold");
  world = two_ranks();
  say_result(world, 4000000000u, 3, &three);
  check_refused(world, 0, "does not hold");
  for (int wrong = 0; wrong < 3; wrong++) {
    const WireMatch deal[] = {{77, 1, 0}, {0, 1u << 30, 0}, {UINT32_MAX, 3, 0}};
    WireOut out = {{0}};
    world = two_ranks();
    wire_begin(&out, WIRE_MATCH);
    match_encode(&deal[wrong], &out.bytes);
    say(world, 0, 1, &out);
    check_refused(world, 1, "deals out no match");
  }
}

static void the_least_certain_pair_is_next(void **state) {
  (void)state;
  Field f;
  open_field(&f, NULL);
  f.t.each = 100000;
  f.t.until_ci = .03;
  CHECK_OK(tournament_play(&f.t));
  uint64_t most = 0, least = UINT64_MAX;
  for (size_t i = 0; i < 6; i++) {
    const Meeting *met = games_find(&f.t.games, f.fixture[i].a, f.fixture[i].b);
    assert_true(tournament_error(&met->tally.pairs) <= .03);
    uint64_t n = games_of(&f, f.fixture[i].a, f.fixture[i].b);
    most = n > most ? n : most, least = n < least ? n : least;
  }
  assert_true(most >= 3 * least); /* one-sided pairs need few games */
  close_field(&f);
  open_field(&f, NULL);
  f.t.budget = 1000;
  CHECK_OK(tournament_play(&f.t));
  assert_in_range(f.t.played, 900, 1000);
  close_field(&f);
}

/* Takes its first legal action, or always its last: nothing is random about it. */
static void act_first(BuiltinPolicy *self, const void *episode, uint32_t agent, const uint8_t *mask, AgonRng *rng,
                      AgonAction *out) {
  (void)episode, (void)agent, (void)rng;
  for (out->choice = 0; out->choice + 1 < (int)self->env->action_count && !mask[out->choice];) out->choice++;
}
static void free_first(BuiltinPolicy *self) { free(self); }
static const BuiltinOps first_ops = {.name = "first", .act = act_first, .destroy = free_first};

static void contestant_first(const Env *env, const char *label, Contestant *out) {
  *out = (Contestant){.policy = {.builtin = calloc(1, sizeof(BuiltinPolicy))}};
  snprintf(out->label, sizeof out->label, "%s", label);
  *out->policy.builtin = (BuiltinPolicy){.ops = &first_ops, .env = env};
}

/* Two players that leave nothing to chance have two games, however many are asked for; with chance in the env, random
 * openings, or one player that draws, there are more. */
static void copies_are_no_evidence(void **state) {
  (void)state;
  static const struct {
    const char *env, *rival;
    uint32_t openings;
    uint64_t games;
  } field[] = {{"tic_tac_toe", NULL, 0, 2},   {"connect_four", "alphabeta-1", 0, 512},
               {"tic_tac_toe", NULL, 3, 512}, {"tic_tac_toe", "random", 0, 512},
               {"kuhn_poker", NULL, 0, 512},  {"connect_four", NULL, 0, 2}};
  for (size_t i = 0; i < COUNT_OF(field); i++) {
    Env *env = make_env(field[i].env);
    Contestant player[2];
    Fixture fixture = {.b = 1};
    uint32_t id;
    contestant_first(env, "one", &player[0]);
    if (field[i].rival)
      CHECK_OK(contestant_builtin(field[i].rival, env, &player[1]));
    else
      contestant_first(env, "other", &player[1]);
    Tournament t = {.env = env, .player = player, .players = 2, .fixture = &fixture, .fixtures = 1, .each = 512};
    t.terms = (GameTerms){.env = "x", .greedy = true, .openings = field[i].openings, .seed = 3};
    t.sprt = true, t.elo1 = 5, t.alpha = t.beta = 1e-9;
    for (int p = 0; p < 2; p++) CHECK_OK(games_player(&t.games, player[p].label, &id));
    CHECK_OK(tournament_play(&t));
    const Meeting *met = games_find(&t.games, 0, 1);
    CHECK_NEAR(tally_games(met->tally.seat), field[i].games, 0);
    assert_int_equal(met->tally.fixed, field[i].games == 2);
    assert_int_equal(t.played, field[i].games);
    if (met->tally.fixed) {
      EloBlock block = meta_elo_block(&met->tally.pairs);
      assert_true(block.pairs == 1 && block.score_high - block.score_low > .5);
      assert_true(fabs(meta_sprt(&met->tally.pairs, 0, 5)) < meta_sprt_upper(.05, .05));
      fixture.closed = false; /* asked again, as with a table of games: nothing is added */
      CHECK_OK(tournament_play(&t));
      assert_int_equal(t.played, 2);
    }
    games_free(&t.games);
    for (int p = 0; p < 2; p++) contestant_destroy(&player[p]);
    env_destroy(env);
  }
}

static void ratings_say_what_they_cannot(void **state) {
  (void)state;
  Games games = {0};
  Standing standing;
  char text[32];
  uint32_t id[4];
  static const char *const name[4] = {"random", "good", "apart", "other"};
  for (int i = 0; i < 4; i++) CHECK_OK(games_player(&games, name[i], &id[i]));
  CHECK_OK(games_add(&games, 1, 0, 0, &(MatchTally){.seat = {{40, 40, 0, 0, 40, 40}}}));
  CHECK_OK(games_add(&games, 2, 3, 0, &(MatchTally){.seat = {{40, 10, 10, 20, 0, 0}}}));
  StandingOptions options = {.prior = .5};
  CHECK_OK(standing_create(&games, &options, &standing));
  assert_int_equal(standing.fit.islands, 2);
  assert_memory_equal(standing_elo_text(&standing, 1, text, sizeof text), ">= +", 4);
  assert_string_equal(standing_elo_text(&standing, 2, text, sizeof text), "n/a");
  for (int i = 0; i < 4; i++) assert_true(isfinite(standing.rated[i].elo));
  standing_destroy(&standing);
  games_free(&games);
}

/* A snapshot that met only one of the others, and drew: no equilibrium may rest on the games that it never played. */
static void who_never_met_is_left_out(void **state) {
  (void)state;
  Games games = {0};
  Standing standing;
  uint32_t id;
  static const char *const name[4] = {"random", "weak", "strong", "end"};
  for (int i = 0; i < 4; i++) CHECK_OK(games_player(&games, name[i], &id));
  const MatchTally won = {.seat = {{40, 30, 0, 10, 20, 40}, {40, 30, 0, 10, 20, 40}}},
                   drawn = {.seat = {{40, 0, 40, 0, 0, 40}, {40, 0, 40, 0, 0, 40}}};
  CHECK_OK(games_add(&games, 1, 0, 0, &won));
  CHECK_OK(games_add(&games, 2, 0, 0, &won));
  CHECK_OK(games_add(&games, 2, 1, 0, &won));
  CHECK_OK(games_add(&games, 3, 2, 0, &drawn));
  for (int returns = 0; returns < 2; returns++) {
    StandingOptions options = {.prior = .5, .returns = returns};
    CHECK_OK(standing_create(&games, &options, &standing));
    assert_true(standing.has_meta && standing.entered == 3 && !standing.in[3]);
    CHECK_NEAR(standing.nash_average[2], 1, 1e-9);
    CHECK_NEAR(standing.nash[2], 1, 1e-9);
    assert_true(standing.alpha_rank[2] > .99 && isnan(standing.nash_average[3]) && isnan(standing.alpha_rank[3]));
    assert_true(standing.rated[3].known && standing.rated[3].elo > standing.rated[1].elo); /* the model knows it */
    standing_destroy(&standing);
  }
  StandingOptions gauntlet = {.prior = .5, .not_met = "in this format not all players meet one another"};
  CHECK_OK(standing_create(&games, &gauntlet, &standing));
  assert_true(!standing.has_meta && *standing.no_meta);
  standing_destroy(&standing);
  games_free(&games);
}

/* Files from before the squares of pairs were written are read; the interval of returns is then from single games. */
static void older_tables_are_read(void **state) {
  (void)state;
  static const char old[] =
      "env,greedy,openings,seed,a,b,first_pair,first_wins,first_draws,first_losses,second_wins,second_draws,"
      "second_losses,pairs_0,pairs_1,pairs_2,pairs_3,pairs_4,return_sum,return_squares,pairs\n"
      "goofspiel cards=4,0,2,9,x,y,0,10,0,10,10,0,10,0,0,20,0,0,0,40,20\n";
  char path[64];
  Games games = {0};
  double error, known;
  snprintf(path, sizeof path, "%s/old.csv", folder);
  CHECK_OK(file_write_whole(path, old, sizeof old - 1));
  CHECK_OK(games_read(path, &terms, &games));
  CHECK_NEAR(match_mean_return(&games.meeting[0].tally, &error), 0, 1e-12);
  assert_true(error > .3 && error < .34);
  MatchTally fresh = games.meeting[0].tally; /* the same games, each pair of which gave 0 in all */
  fresh.pair_squares = 0;
  match_mean_return(&fresh, &known);
  CHECK_NEAR(known, 0, 1e-12);
  CHECK_OK(games_append(path, &terms, "x", "y", 20, &fresh));
  games_free(&games);
  CHECK_OK(games_read(path, &terms, &games));
  assert_true(games.meeting[0].tally.seat[0].games == 40 && games.meeting[0].tally.pair_squares < 0);
  games_free(&games);
}

/* Commas of the last line of a file. */
static size_t last_commas(const char *path) {
  char *text;
  size_t size;
  size_t count = 0;
  CHECK_OK(file_read(path, &text, &size));
  for (size_t i = 0; i + 1 < size; i++)
    count = text[i] == '\n' ? 0 : count + (text[i] == ',');
  free(text);
  return count;
}

/* Whoever reads the file as a table wants lines as long as its header: one of an older program,
 * that has no column for builds, gets lines without, but for those that name a build. */
static void older_tables_stay_tables(void **state) {
  (void)state;
  static const char old[] =
      "env,greedy,openings,seed,a,b,first_pair,first_wins,first_draws,first_losses,second_wins,"
      "second_draws,second_losses,pairs_0,pairs_1,pairs_2,pairs_3,pairs_4,return_sum,"
      "return_squares,pairs,pair_squares\n";
  char path[64];
  Games games = {0};
  GameTerms plugin = terms;
  snprintf(plugin.build, sizeof plugin.build, "00000000000000000000000000000001");
  snprintf(path, sizeof path, "%s/tables.csv", folder);
  CHECK_OK(games_append(path, &terms, "x", "y", 0, &three));
  assert_int_equal(last_commas(path), 25);
  CHECK_OK(file_write_whole(path, old, sizeof old - 1));
  CHECK_OK(games_append(path, &terms, "x", "y", 0, &three));
  assert_int_equal(last_commas(path), 21);
  CHECK_OK(games_read(path, &terms, &games));
  assert_int_equal(games.meetings, 1);
  CHECK_NEAR(games.meeting[0].tally.pair_squares, three.pair_squares, 0);
  games_free(&games);
  CHECK_OK(games_append(path, &plugin, "x", "z", 0, &three));
  assert_int_equal(last_commas(path), 22);
  CHECK_OK(games_read(path, &plugin, &games));
  assert_int_equal(games.meetings, 2); /* that of no build is taken for the plug-in's */
  games_free(&games);
  CHECK_OK(games_read(path, &terms, &games));
  assert_int_equal(games.meetings, 1);
  assert_string_equal(games.other_build, plugin.build);
  games_free(&games);
}

/* Beyond what is solved at once nothing is made up, and nothing fails. */
static void too_many_players_have_no_ratings(void **state) {
  (void)state;
  Games games = {0};
  Standing standing;
  char name[16], text[32];
  uint32_t id;
  for (uint32_t i = 0; i <= RATING_MOST; i++) {
    snprintf(name, sizeof name, "p%u", i);
    CHECK_OK(games_player(&games, name, &id));
    if (i) CHECK_OK(games_add(&games, i - 1, i, 0, &three));
  }
  StandingOptions options = {.prior = .5, .seats = true, .ratings_only = true};
  CHECK_OK(standing_create(&games, &options, &standing));
  assert_string_equal(standing_elo_text(&standing, 7, text, sizeof text), "n/a");
  assert_true(standing.rated[7].games == 12 && standing.rated[RATING_MOST].games == 6);
  standing_destroy(&standing);
  games_free(&games);
}

/* Where one does not lose what the other earns, the file keeps both, each seen from its own side;
 * files that do not have the columns for it, begun by an older program, get them in such lines. */
static void both_sides_earn(void **state) {
  (void)state;
  static const char old[] =
      "env,greedy,openings,seed,a,b,first_pair,first_wins,first_draws,first_losses,second_wins,"
      "second_draws,second_losses,pairs_0,pairs_1,pairs_2,pairs_3,pairs_4,return_sum,"
      "return_squares,pairs,pair_squares,build\n";
  /* in two games with a first: 3 and 1, b 2 and 0; in two with a second: 4 and 4, b 5 and 1 */
  static const MatchTally trade = {.seat = {{2, 1, 0, 1, 4, 10}, {2, 0, 2, 0, 8, 32}},
                                   .pairs = {{0, 1, 0, 1, 0}},
                                   .pair_squares = 74,
                                   .welfare = {6, 14},
                                   .more_squares = {-6, -6}};
  char path[64];
  const MatchTally turned = match_tally_turned(&trade), back = match_tally_turned(&turned);
  CHECK_NEAR(turned.seat[0].returns, 6, 0); /* b sat first while a sat second */
  CHECK_NEAR(turned.seat[0].squares, 26, 0);
  CHECK_NEAR(turned.seat[1].returns, 2, 0);
  CHECK_NEAR(turned.seat[1].squares, 4, 0);
  CHECK_NEAR(turned.pair_squares, -1, 0); /* b's, of which nothing is known */
  assert_memory_equal(back.seat, trade.seat, sizeof back.seat);
  for (int begun = 0; begun < 2; begun++) {
    Games games = {0};
    double *mean;
    uint32_t x, y;
    snprintf(path, sizeof path, "%s/both%d.csv", folder, begun);
    if (begun) CHECK_OK(file_write_whole(path, old, sizeof old - 1));
    CHECK_OK(games_append(path, &terms, "x", "y", 0, &trade));
    assert_int_equal(last_commas(path), 25);
    CHECK_OK(games_append(path, &terms, "z", "x", 0, &three));
    assert_int_equal(last_commas(path), begun ? 22 : 25); /* zero-sum: nothing is lost */
    CHECK_OK(games_read(path, &terms, &games));
    CHECK_OK(games_player(&games, "x", &x));
    CHECK_OK(games_player(&games, "y", &y));
    CHECK_OK(games_matrix(&games, true, NAN, &mean));
    CHECK_NEAR(mean[x * games.players + y], 3, 1e-12);
    CHECK_NEAR(mean[y * games.players + x], 2, 1e-12);
    free(mean);
    const GameSums sums = games_sums(&games, NULL);
    assert_true(sums.general && sums.half_told == begun);
    CHECK_NEAR(sums.low, 0, 1e-12);
    CHECK_NEAR(sums.high, 5, 1e-12);
    assert_int_equal(games.teams, 2);
    games_free(&games);
  }
}

/* A line says how many teams play: with more than two there are no meta-games. */
static void files_tell_how_many_teams_play(void **state) {
  (void)state;
  char path[64];
  GameTerms crowd = terms;
  Games games = {0};
  crowd.teams = 3;
  snprintf(path, sizeof path, "%s/crowd.csv", folder);
  CHECK_OK(games_append(path, &crowd, "x", "y", 0, &three));
  CHECK_OK(games_read(path, &terms, &games));
  assert_int_equal(games.teams, 3);
  games_free(&games);
}

/* Where all games of two were in one seat, what they returned is that seat's. */
static void one_seats_returns_are_whole(void **state) {
  (void)state;
  static const MatchTally first = {.seat[0] = {4, 4, 0, 0, 12, 36}, .pair_squares = -1};
  char path[64];
  Games games = {0};
  double *mean;
  snprintf(path, sizeof path, "%s/seat.csv", folder);
  CHECK_OK(games_append(path, &terms, "x", "y", 0, &first));
  CHECK_OK(games_read(path, &terms, &games));
  CHECK_OK(games_matrix(&games, true, NAN, &mean));
  CHECK_NEAR(mean[1], 3, 1e-12);
  CHECK_NEAR(mean[2], -3, 1e-12);
  free(mean);
  games_free(&games);
}

static int make_folder(void **state) {
  (void)state;
  folder_make(folder);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(csv_keeps_games),
      cmocka_unit_test(csv_tells_builds_apart),
      cmocka_unit_test(versions_tell_rules),
      cmocka_unit_test(csv_is_checked),
      cmocka_unit_test(lines_are_played),
      cmocka_unit_test(matches_are_written_down),
      cmocka_unit_test(alpha_beta_sees_what_it_should),
      cmocka_unit_test(tournaments_play_what_is_left),
      cmocka_unit_test(results_that_nobody_asked_for_are_refused),
      cmocka_unit_test(the_least_certain_pair_is_next),
      cmocka_unit_test(copies_are_no_evidence),
      cmocka_unit_test(ratings_say_what_they_cannot),
      cmocka_unit_test(who_never_met_is_left_out),
      cmocka_unit_test(older_tables_are_read),
      cmocka_unit_test(older_tables_stay_tables),
      cmocka_unit_test(both_sides_earn),
      cmocka_unit_test(files_tell_how_many_teams_play),
      cmocka_unit_test(one_seats_returns_are_whole),
      cmocka_unit_test(too_many_players_have_no_ratings),
  };
  return cmocka_run_group_tests(tests, make_folder, NULL);
}

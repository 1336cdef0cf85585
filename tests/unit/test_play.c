/* Playing many episodes at once: what a decision draws from depends on nothing but the decision. */
#include "check.h"

#include "eval/line.h"
#include "eval/tournament.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Env *make_env(const char *name, const char *pair) {
  Env *env;
  CHECK_OK(env_create_from(name, &pair, pair != NULL, &env));
  return env;
}

/* --- slots --- */
enum { SLOTS = 12, EPISODES = 3 };

/* Slots played side by side; every game's line is kept by (slot id, episode). */
typedef struct Hall {
  const Env *env;
  Policy policy[3]; /* 0, 1: one net; 2: random */
  uint32_t episodes;
  bool one_for_all, random_first;
  Bytes line[SLOTS][EPISODES];
} Hall;

static bool on_begin(void *context, PlaySlot *slot) {
  Hall *hall = context;
  if (slot->episode == hall->episodes) return false;
  for (uint32_t team = 0; team < hall->env->spec.teams; team++) {
    bool random = (slot->id + team) % 4 == 0;
    slot->policy[team] = &hall->policy[random ? 2 : hall->one_for_all ? 0 : (slot->id + team) % 2];
  }
  return true;
}

static void on_decided(void *context, PlaySlot *slot, const Decision *decision) {
  (void)context, (void)slot, (void)decision;
}
static void on_rewarded(void *context, PlaySlot *slot, const float *reward) { (void)context, (void)slot, (void)reward; }
static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  (void)context, (void)slot, (void)how, (void)outcome;
}

static void on_traced(void *context, PlaySlot *slot, TraceKind kind, const AgonAction *actions, uint32_t outcome) {
  Hall *hall = context;
  Bytes *line = &hall->line[slot->id][slot->episode];
  if (kind == TRACE_CHANCE) line_put_chance(line, outcome);
  if (kind == TRACE_STEP) line_put_actions(line, hall->env, slot->state, actions);
}

/* Plays all games of the slots id[0..count-1] in one Play. */
static void play_slots(Hall *hall, const Net *net, const uint32_t *id, size_t count) {
  Play *play;
  PlaySlot *slot;
  PlayHooks hooks = {hall, on_begin, on_decided, on_rewarded, on_ended, on_traced};
  size_t live = 1;
  CHECK_OK(play_create(hall->env, net, 77, 5, net->graph.state_size, &hooks, &play));
  for (size_t i = 0; i < count; i++) CHECK_OK(play_add_slot(play, id[i], &slot));
  while (live) CHECK_OK(play_step(play, &live));
  play_destroy(play);
}

static void open_hall(Hall *hall, const Env *env, const float *block) {
  *hall = (Hall){.env = env, .episodes = EPISODES};
  for (int i = 0; i < 2; i++) hall->policy[i].block = block;
  CHECK_OK(builtin_create("random", env, &hall->policy[2].builtin));
}

static void close_hall(Hall *hall) {
  for (int i = 0; i < 3; i++) policy_release(&hall->policy[i]);
  builtin_destroy(hall->policy[2].builtin);
  for (int s = 0; s < SLOTS; s++)
    for (int e = 0; e < EPISODES; e++) bytes_free(&hall->line[s][e]);
}

static void check_same_games(const Hall *a, const Hall *b) {
  for (int s = 0; s < SLOTS; s++)
    for (int e = 0; e < EPISODES; e++) {
      assert_true(a->line[s][e].size > 0);
      assert_int_equal(a->line[s][e].size, b->line[s][e].size);
      assert_memory_equal(a->line[s][e].data, b->line[s][e].data, a->line[s][e].size);
    }
}

/* Equal weights, the same slots: in one process, in another order, with the policies grouped otherwise (so that they
 * are served in another order), and spread over processes as actors spread them. */
static void games_depend_on_the_slot_alone(void **state) {
  (void)state;
  static const char *const game[][2] = {{"skirmish", NULL}, {"goofspiel", NULL}, {"matrix_game", "rounds=40"}};
  static const NetConfig config = {.hidden = {.count = 1, .item = {16}}, .init_gain = 1, .memory = 1, .memory_size = 8};
  for (size_t g = 0; g < COUNT_OF(game); g++) {
    Env *env = make_env(game[g][0], game[g][1]);
    Net *net;
    Hall whole, turned, grouped, spread;
    uint32_t id[SLOTS], back[SLOTS];
    for (uint32_t i = 0; i < SLOTS; i++) id[i] = i, back[i] = SLOTS - 1 - i;
    CHECK_OK(net_create(&config, &env->spec, &net));
    float *block = calloc(net->block, sizeof *block);
    net_init(net, 1, 0, block);
    Hall *const all[4] = {&whole, &turned, &grouped, &spread};
    for (int i = 0; i < 4; i++) open_hall(all[i], env, block);
    grouped.one_for_all = true;
    play_slots(&whole, net, id, SLOTS);
    play_slots(&turned, net, back, SLOTS);
    play_slots(&grouped, net, id, SLOTS);
    for (size_t actor = 0; actor < 4; actor++) play_slots(&spread, net, id + actor * (SLOTS / 4), SLOTS / 4);
    for (int i = 1; i < 4; i++) check_same_games(&whole, all[i]);
    for (int i = 0; i < 4; i++) close_hall(all[i]);
    free(block);
    net_destroy(net);
    env_destroy(env);
  }
}

/* --- matches --- */
typedef struct Written {
  char line[2][64]; /* of the present pair */
  size_t games, copies;
} Written;

/* "x y": what agents 0 and 1 chose. */
static Status on_game(void *context, const GameText *game) {
  Written *written = context;
  snprintf(written->line[game->game & 1], 64, "%.63s", game->line);
  written->games++;
  if (written->games % 2) return OK;
  const char *one = written->line[0], *other = written->line[1];
  bool turned = one[0] == other[2] && one[2] == other[0];
  written->copies += turned || !strcmp(one, other);
  return OK;
}

/* Both games of a pair share chance and opening, and nothing else: of independent games of rock-paper-scissors 15 in 81
 * pairs look alike. */
static void mirrored_games_are_not_copies(void **state) {
  (void)state;
  Env *env = make_env("matrix_game", NULL);
  Contestant a, b;
  MatchScore score;
  const char *const label[] = {"random", "other"}; /* a player against itself, and against one of another name */
  for (size_t i = 0; i < COUNT_OF(label); i++) {
    Written written = {.games = 0};
    CHECK_OK(contestant_builtin("random", env, &a));
    CHECK_OK(contestant_builtin("random", env, &b));
    strcpy(b.label, label[i]);
    for (uint64_t pair = 0; pair < 810; pair++) {
      MatchPlan plan = {.seed = 4, .first = pair, .pairs = 1, .played = on_game, .context = &written};
      CHECK_OK(eval_match(env, &a, &b, &plan, &score));
    }
    assert_int_equal(written.games, 1620);
    assert_in_range(written.copies, 100, 200); /* 150 expected, deviation 11 */
    contestant_destroy(&a);
    contestant_destroy(&b);
  }
  env_destroy(env);
}

/* A player's place in the list changes nothing but who is called a. */
static void places_in_the_list_do_not_matter(void **state) {
  (void)state;
  Env *env = make_env("goofspiel", NULL);
  Contestant a, b;
  MatchScore one, other;
  CHECK_OK(contestant_builtin("random", env, &a));
  CHECK_OK(contestant_builtin("random", env, &b));
  strcpy(b.label, "other");
  for (uint64_t pair = 0; pair < 20; pair++) {
    MatchPlan plan = {.seed = 4, .first = pair, .pairs = 1};
    CHECK_OK(eval_match(env, &a, &b, &plan, &one));
    CHECK_OK(eval_match(env, &b, &a, &plan, &other));
    for (int s = 0; s < 2; s++) {
      assert_int_equal(one.seat[s].wins, other.seat[1 - s].losses);
      assert_int_equal(one.seat[s].draws, other.seat[1 - s].draws);
    }
  }
  contestant_destroy(&a);
  contestant_destroy(&b);
  env_destroy(env);
}

/* Six players that are one and the same meet each other: no two of the 15 fixtures are copies, and the scores spread as
 * those of independent games do. */
static void identical_players_do_not_score_alike(void **state) {
  (void)state;
  enum { PLAYERS = 6, PAIRS = 300 };
  Env *env = make_env("matrix_game", NULL);
  Contestant player[PLAYERS];
  MatchScore score[PLAYERS * (PLAYERS - 1) / 2];
  size_t fixtures = 0;
  double spread = 0;
  for (int i = 0; i < PLAYERS; i++) {
    CHECK_OK(contestant_builtin("random", env, &player[i]));
    snprintf(player[i].label, sizeof player[i].label, "main_0-%06d", i);
  }
  for (int i = 0; i < PLAYERS; i++)
    for (int j = i + 1; j < PLAYERS; j++)
      CHECK_OK(eval_match(env, &player[i], &player[j], &(MatchPlan){.seed = 1, .pairs = PAIRS}, &score[fixtures++]));
  for (size_t f = 0; f < fixtures; f++) {
    const double *k = score[f].pairs.count;
    double points = (k[1] + 2 * k[2] + 3 * k[3] + 4 * k[4]) / 2;
    spread += (points - PAIRS) * (points - PAIRS);
    for (size_t other = 0; other < f; other++) assert_memory_not_equal(&score[f], &score[other], sizeof *score);
  }
  /* a pair's points have mean 1 and variance 1/3; chi-square with 15 degrees of freedom, between its 0.1 % and 99.9 %
   */
  double chi = spread / (PAIRS / 3.0);
  assert_true(chi > 3.48 && chi < 37.7);
  for (int i = 0; i < PLAYERS; i++) contestant_destroy(&player[i]);
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(games_depend_on_the_slot_alone),
      cmocka_unit_test(mirrored_games_are_not_copies),
      cmocka_unit_test(places_in_the_list_do_not_matter),
      cmocka_unit_test(identical_players_do_not_score_alike),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

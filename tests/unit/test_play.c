/* Playing many episodes at once: what a decision draws from depends on nothing but the decision. */
#include "check.h"

#include "eval/line.h"
#include "eval/tournament.h"

#include <math.h>
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
  uint8_t flags[16]; /* room for those of all agents */
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
  if (kind == TRACE_STEP) line_put_actions(line, hall->env, slot->state, actions, hall->flags);
}

/* Plays all games of the slots id[0..count-1] in one Play. */
static void play_slots(Hall *hall, const Net *net, const uint32_t *id, size_t count) {
  Play *play;
  PlaySlot *slot;
  PlayHooks hooks = {hall, on_begin, on_decided, on_rewarded, on_ended, on_traced, NULL, NULL};
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
    CHECK_OK(net_create(&config, &env->layout, &env->spec, &net));
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
  MatchTally score;
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
  MatchTally one, other;
  CHECK_OK(contestant_builtin("random", env, &a));
  CHECK_OK(contestant_builtin("random", env, &b));
  strcpy(b.label, "other");
  for (uint64_t pair = 0; pair < 20; pair++) {
    MatchPlan plan = {.seed = 4, .first = pair, .pairs = 1};
    CHECK_OK(eval_match(env, &a, &b, &plan, &one));
    CHECK_OK(eval_match(env, &b, &a, &plan, &other));
    for (int s = 0; s < 2; s++) {
      CHECK_NEAR(one.seat[s].wins, other.seat[1 - s].losses, 0);
      CHECK_NEAR(one.seat[s].draws, other.seat[1 - s].draws, 0);
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
  MatchTally score[PLAYERS * (PLAYERS - 1) / 2];
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

/* --- an env of this file's own: `mode` sets what it does; both agents act in each of six steps --- */
typedef struct Stage {
  uint32_t step;
  float total[2];
} Stage;

static struct {
  float spoilt; /* what element 1 of agent 1 shows at step 2 */
  bool gives_at_reset;
  bool pays_nonsense; /* agent 1, at step 4 */
  float gift;         /* to agent 1 besides, at step 4 and by chance after a reset; 0: none */
  int fails_at;    /* the step that fails, from 1 on; 0: none */
  bool ends_at_reset;
  int ends_with;    /* a status in place of the right one; 0: the right one */
  float outcome[2]; /* less .5 */
  size_t outside;  /* actions that no step should see */
  float low, high; /* of the box, for the check */
  float seen[2][8];
} mode;

static AgonStatus stage_reset(const void *params, void *episode, const AgonRandom *random, AgonError *error) {
  (void)params, (void)random, (void)error;
  memset(episode, 0, sizeof(Stage));
  if (mode.ends_at_reset) return AGON_TERMINATED;
  return mode.gives_at_reset ? AGON_CHANCE : AGON_RUNNING;
}
static uint32_t stage_chance(const void *params, const void *episode, double *probability) {
  (void)params, (void)episode;
  probability[0] = 1;
  return 1;
}
static AgonStatus stage_apply(const void *params, void *episode, uint32_t outcome, float *reward, AgonError *error) {
  (void)params, (void)outcome, (void)error;
  reward[0] += 5;
  reward[1] -= 5;
  ((Stage *)episode)->total[0] += 5;
  if (mode.gift != 0) reward[1] = mode.gift;
  return AGON_RUNNING;
}
static const AgonKind *stage_kind;
static AgonStatus stage_step(const void *params, void *episode, const AgonAction *actions, const AgonRandom *random,
                             float *reward, AgonError *error) {
  (void)params, (void)random;
  Stage *stage = episode;
  if (mode.fails_at == (int)stage->step + 1) {
    snprintf(error->text, sizeof error->text, "the stage has %s", "caught fire");
    return AGON_FAILED;
  }
  for (int a = 0; a < 2; a++)
    for (uint32_t h = 0; h < stage_kind->heads; h++) {
      int32_t choice = actions[(uint32_t)a * stage_kind->heads + h].choice;
      if (stage_kind->action_kind == AGON_BOX) {
        float value = actions[(uint32_t)a * stage_kind->heads + h].value;
        mode.seen[a][stage->step] = value;
        mode.outside += !(value >= mode.low && value <= mode.high);
      } else {
        mode.outside += choice < 0 || (uint32_t)choice >= stage_kind->head_size[h] || choice % 7;
      }
    }
  reward[0] += 1;
  reward[1] -= 1;
  if (mode.pays_nonsense && stage->step == 4) reward[1] = NAN;
  if (mode.gift != 0 && stage->step == 4) reward[1] += mode.gift;
  stage->total[0] += 1;
  if (++stage->step < 6) return AGON_RUNNING;
  return mode.ends_with ? (AgonStatus)mode.ends_with : AGON_TERMINATED;
}
/* Says nothing of how it went. */
static void stage_step_many(const void *params, size_t count, void *const *episodes, const AgonAction *actions,
                            const AgonRandom *random, float *reward, AgonStatus *status, AgonError *error) {
  (void)status;
  for (size_t i = 0; i < count; i++)
    (void)stage_step(params, episodes[i], actions + 2 * i, random + i, reward + 2 * i, error);
}
static void stage_observe(const void *params, const void *episode, uint32_t agent, void *row) {
  (void)params;
  float values[3] = {1, (float)agent, 0};
  if (((const Stage *)episode)->step == 2 && agent == 1) values[1] = mode.spoilt;
  memcpy(row, values, sizeof values);
}
static void stage_mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  (void)params, (void)episode, (void)agent;
  for (uint32_t h = 0; h < stage_kind->heads; h++) {
    uint32_t size = stage_kind->action_kind == AGON_BOX ? 1 : stage_kind->head_size[h];
    for (uint32_t i = 0; i < size; i++) *row++ = i % 7 == 0;
  }
}
static void stage_flags(const void *params, const void *episode, uint8_t *flags) {
  (void)params;
  flags[0] = flags[1] = AGON_ALIVE | (((const Stage *)episode)->step < 6 ? AGON_ACTS : 0);
}
static void stage_outcome(const void *params, const void *episode, float *out) {
  (void)params, (void)episode;
  for (int t = 0; t < 2; t++) out[t] = .5f + mode.outcome[t];
}

static AgonEnv stage_table = {AGON_ENV_SIZES,
                              .name = "stage",
                              .reset = stage_reset,
                              .step = stage_step,
                              .observe = stage_observe,
                              .mask = stage_mask,
                              .flags = stage_flags,
                              .outcome = stage_outcome,
                              .chance_outcomes = stage_chance,
                              .chance_apply = stage_apply};

static Env *stage_env(AgonActionKind kind, uint32_t heads, uint32_t first, uint32_t second) {
  static uint32_t size[2];
  static const float low[2] = {10, 10}, high[2] = {30, 30};
  Env *env;
  size[0] = first, size[1] = second;
  AgonKind only = {.observation_shape = {3, 1, 1},
                   .observation_high = 1,
                   .action_kind = kind,
                   .heads = heads,
                   .head_size = size,
                   .action_low = low,
                   .action_high = high};
  AgonEnvSpec spec = {.episode_size = sizeof(Stage),
                      .agents = 2,
                      .teams = 2,
                      .kinds = 1,
                      .kind = &only,
                      .chance = 1,
                      .step_limit = 6,
                      .flags = AGON_ZERO_SUM | AGON_SIMULTANEOUS | AGON_ENUMERATES_CHANCE,
                      .reward_low = -11,
                      .reward_high = 11};
  CHECK_OK(env_over(&stage_table, &spec, &env));
  memset(&mode, 0, sizeof mode);
  mode.low = 10, mode.high = 30;
  return env;
}

typedef struct Cast {
  Policy policy[2];
  size_t games, decisions;
  double returns;
  float chosen[2][8]; /* BOX: what the network chose */
  const void *state;
} Cast;

static bool cast_begin(void *context, PlaySlot *slot) {
  Cast *cast = context;
  if (cast->games == 20) return false;
  slot->policy[0] = &cast->policy[0];
  slot->policy[1] = &cast->policy[1];
  slot->record[0] = slot->record[1] = true;
  cast->state = slot->state;
  return true;
}
static void cast_decided(void *context, PlaySlot *slot, const Decision *decision) {
  Cast *cast = context;
  cast->decisions++;
  cast->chosen[decision->agent][slot->steps] = decision->action->value;
}
static void cast_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  (void)how, (void)outcome;
  Cast *cast = context;
  cast->games++;
  cast->returns = slot->team_return[0];
  CHECK_NEAR(slot->team_return[0], ((const Stage *)slot->state)->total[0], 1e-6);
  CHECK_NEAR(slot->team_return[1], -slot->team_return[0], 1e-6);
  for (int a = 0; a < 2 && mode.seen[a][0] > 0; a++)
    for (int t = 0; t < 6; t++) {
      float value = 20 + 10 * cast->chosen[a][t];
      CHECK_NEAR(mode.seen[a][t], value < 10 ? 10 : value > 30 ? 30 : value, 1e-4);
    }
}

/* Twenty games of a network against itself, or against random; the status of the first step that fails. */
static Status play_stage(const Env *env, float weight, bool random, uint32_t openings, Cast *cast) {
  static const NetConfig config = {.hidden = {.count = 1, .item = {8}}, .init_gain = 1};
  Net *net;
  Play *play;
  PlaySlot *slot;
  PlayHooks hooks = {cast, cast_begin, cast_decided, on_rewarded, cast_ended, NULL, NULL, NULL};
  size_t live = 1;
  Status status = OK;
  stage_kind = &env->layout;
  *cast = (Cast){.games = 0};
  CHECK_OK(net_create(&config, &env->layout, &env->spec, &net));
  float *block = calloc(net->block, sizeof *block);
  net_init(net, 1, 0, block);
  for (size_t i = 0; weight != 1 && i < net->block; i++) block[i] = weight;
  for (int i = 0; i < 2; i++) cast->policy[i].block = block;
  if (random) CHECK_OK(builtin_create("random", env, &cast->policy[1].builtin));
  CHECK_OK(play_create(env, net, 3, 8, 0, &hooks, &play));
  play_open_randomly(play, openings, false);
  CHECK_OK(play_add_slot(play, 3, &slot));
  while (live && status == OK) status = play_step(play, &live);
  play_destroy(play);
  for (int i = 0; i < 2; i++) policy_release(&cast->policy[i]);
  if (random) builtin_destroy(cast->policy[1].builtin);
  net_destroy(net);
  free(block);
  return status;
}

/* Openings, networks, built-ins, words and the conformance suite; only multiples of seven are legal. */
static void heads_may_have_thousands_of_choices(void **state) {
  (void)state;
  Env *env = stage_env(AGON_MULTI_DISCRETE, 2, 5000, 3000);
  Cast cast;
  Position position;
  size_t checks;
  for (int random = 0; random < 2; random++) CHECK_OK(play_stage(env, 1, random, 3, &cast));
  assert_int_equal(cast.games, 20);
  CHECK_OK(env_conformance(env, 1, 20, &checks));
  CHECK_OK(position_create(env, &position));
  CHECK_OK(position_reset(&position, (AgonRng){0}));
  CHECK_OK(position_play(&position, "4998/2996"));
  assert_int_equal(position_play(&position, "4999/0"), ERR_USAGE);
  CHECK_OK(position_play(&position, "0/7"));
  assert_int_equal(mode.outside, 0);
  position_destroy(&position);
  env_destroy(env);
}

static void returns_count_from_the_reset(void **state) {
  (void)state;
  Env *env = stage_env(AGON_DISCRETE, 1, 8, 0);
  Cast cast;
  mode.gives_at_reset = true;
  CHECK_OK(play_stage(env, 1, true, 3, &cast));
  CHECK_NEAR(cast.returns, 5 + 6, 1e-6); /* chance after the reset, three random steps, three of the players */
  assert_int_equal(cast.decisions, 20 * 3);
  env_destroy(env);
}

static void what_is_no_number_is_named(void **state) {
  (void)state;
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  Env *env = stage_env(AGON_DISCRETE, 1, 8, 0);
  Cast cast;
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    mode.spoilt = bad[i];
    assert_int_equal(play_stage(env, 1, false, 0, &cast), ERR_ENV);
    assert_non_null(strstr(status_message(), "element 1 of agent 1"));
    assert_non_null(strstr(status_message(), "in slot 3, episode 0, step 2"));
    assert_int_equal(status_exit_code(ERR_ENV), 7);
  }
  mode.spoilt = 0;
  mode.pays_nonsense = true;
  assert_int_equal(play_stage(env, 1, false, 0, &cast), ERR_ENV);
  assert_non_null(strstr(status_message(), "slot 3, episode 0, step 5: the reward of agent 1 is no number"));
  mode.pays_nonsense = false;
  mode.fails_at = 3;
  assert_int_equal(play_stage(env, 1, false, 0, &cast), ERR_ENV);
  assert_non_null(
      strstr(status_message(), "env stage failed in step, slot 3, episode 0, step 2: the stage has caught fire"));
  mode.fails_at = 0;
  assert_int_equal(play_stage(env, NAN, false, 0, &cast), ERR_INTERNAL);
  assert_non_null(strstr(status_message(), "of its network is"));
  assert_int_equal(mode.outside, 0);
  env_destroy(env);
}

/* Before the first decision and in random openings too, where nobody learns from it, but returns
 * count it. */
static void rewards_beyond_all_bounds_are_named(void **state) {
  (void)state;
  Env *env = stage_env(AGON_DISCRETE, 1, 8, 0);
  const double most = 1000 * fmax(fmax(fabs((double)env->spec.reward_low), fabs((double)env->spec.reward_high)), 1);
  const float bad[] = {NAN, -INFINITY, 1e30f, (float)(-1.01 * most)};
  Cast cast;
  for (size_t i = 0; i < COUNT_OF(bad); i++)
    for (uint32_t openings = 0; openings < 6; openings += 5) {
      mode.gift = bad[i];
      assert_int_equal(play_stage(env, 1, false, openings, &cast), ERR_ENV);
      assert_non_null(strstr(status_message(), "slot 3, episode 0, step 5: the reward of agent 1 is "));
      mode.gives_at_reset = true;
      assert_int_equal(play_stage(env, 1, false, openings, &cast), ERR_ENV);
      assert_non_null(strstr(status_message(), "slot 3, episode 0, step 0: the reward of agent 1 is "));
      assert_non_null(strstr(status_message(), i < 2 ? "is no number" : "a thousand times what an episode pays"));
      mode.gives_at_reset = false;
    }
  mode.gift = 0;
  env_destroy(env);
}

/* What an env must not do, and that nobody who opens a plug-in unchecked would see: named with slot and episode. */
static void envs_that_break_their_contract_are_named(void **state) {
  (void)state;
  static const float outcomes[][2] = {{.6f, -.6f}, {NAN, 0}, {.5f, .5f}, {-.25f, 0}};
  Env *env = stage_env(AGON_DISCRETE, 1, 8, 0);
  Cast cast;
  for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
    memcpy(mode.outcome, outcomes[i], sizeof mode.outcome);
    assert_int_equal(play_stage(env, 1, false, 0, &cast), ERR_ENV);
    assert_non_null(strstr(status_message(), "env stage: slot 3, episode 0, step 6: outcomes "));
    assert_non_null(strstr(status_message(), "must lie in 0 .. 1, and two teams' must sum to 1"));
  }
  memset(mode.outcome, 0, sizeof mode.outcome);
  mode.ends_with = 9;
  assert_int_equal(play_stage(env, 1, false, 0, &cast), ERR_ENV);
  assert_non_null(strstr(status_message(), "slot 3, episode 0, step 6: the status is 9, which there is not"));
  mode.ends_with = 0;
  for (uint32_t openings = 0; openings < 3; openings += 2) {
    mode.ends_at_reset = true;
    assert_int_equal(play_stage(env, 1, false, openings, &cast), ERR_ENV);
    assert_non_null(strstr(status_message(), "env stage: slot 3, episode 0: it ended before its first decision"));
  }
  mode.ends_at_reset = false;
  stage_table.step_many = stage_step_many;
  assert_int_equal(play_stage(env, 1, false, 0, &cast), ERR_ENV);
  assert_non_null(strstr(status_message(), "env stage failed in step, slot 3, episode 0, step 0: it does not say why"));
  stage_table.step_many = NULL;
  CHECK_OK(play_stage(env, 1, false, 0, &cast));
  env_destroy(env);
}

/* --- a slot as bytes --- */

/* Where a slot's bytes say how they are to be read; see slot_encode. */
enum { SLOT_HOW = 3 * 4 };

/* What a checkpoint has of a game is taken by an env whose episodes are as long; of before sizes were written, too. */
static void slots_know_the_size_of_their_episodes(void **state) {
  (void)state;
  Env *env = stage_env(AGON_DISCRETE, 1, 8, 0);
  Cast cast = {.games = 0};
  Play *play;
  PlaySlot *slot, *other;
  PlayHooks hooks = {&cast, cast_begin, cast_decided, on_rewarded, cast_ended, NULL, NULL, NULL};
  Bytes now = {0}, older = {0};
  size_t live, size_at = SLOT_HOW + 1 + sizeof(AgonRng) + 4 * sizeof(double);
  bool abandoned;
  stage_kind = &env->layout;
  CHECK_OK(play_create(env, NULL, 3, 8, 0, &hooks, &play));
  CHECK_OK(play_add_slot(play, 3, &slot));
  for (int i = 0; i < 2; i++) CHECK_OK(builtin_create("random", env, &cast.policy[i].builtin));
  for (int i = 0; i < 4; i++) CHECK_OK(play_step(play, &live));
  CHECK_OK(slot_encode(play, slot, &now));
  bytes_put(&older, now.data, now.size); /* as it was written before: a 1, and no size */
  older.data[SLOT_HOW] = 1;
  memmove(older.data + size_at, older.data + size_at + 8, older.size - size_at - 8);
  older.size -= 8;
  CHECK_OK(play_add_slot(play, 4, &other));
  for (int old = 0; old < 2; old++) {
    const Bytes *from = old ? &older : &now;
    Reader reader = reader_over(from->data, from->size);
    memset(other->state, 0xEE, sizeof(Stage));
    other->live = false;
    CHECK_OK(slot_decode(play, other, &reader, &abandoned));
    CHECK_OK(reader_finish(&reader, "a slot"));
    assert_true(other->live && !abandoned && other->id == 3 && other->steps == 4);
    assert_memory_equal(other->state, slot->state, sizeof(Stage));
  }
  env->spec.episode_size--; /* as if the env had been built anew, with less in its episodes */
  Reader reader = reader_over(now.data, now.size);
  assert_int_equal(slot_decode(play, other, &reader, &abandoned), ERR_USAGE);
  assert_non_null(strstr(status_message(), "another size than in the checkpoint: 12 bytes, the env has 11"));
  env->spec.episode_size++;
  Bytes staged = {0}; /* a stage of a curriculum after the first */
  slot->stage = 3;
  CHECK_OK(slot_encode(play, slot, &staged));
  assert_int_equal(staged.size, now.size + 4);
  reader = reader_over(staged.data, staged.size);
  CHECK_OK(slot_decode(play, other, &reader, &abandoned));
  CHECK_OK(reader_finish(&reader, "a slot"));
  assert_int_equal(other->stage, 3);
  bytes_free(&staged);
  for (uint8_t how = 8; how; how *= 2) { /* bits that nobody has written */
    now.data[SLOT_HOW] = how;
    reader = reader_over(now.data, now.size);
    assert_int_equal(slot_decode(play, other, &reader, &abandoned), ERR_FORMAT);
  }
  bytes_free(&now);
  bytes_free(&older);
  play_destroy(play);
  for (int i = 0; i < 2; i++) {
    policy_release(&cast.policy[i]);
    builtin_destroy(cast.policy[i].builtin);
  }
  env_destroy(env);
}

/* --- built-ins --- */

/* Every head is drawn by itself, so that probabilities sum to 1 over each. */
static void random_play_is_even_in_every_head(void **state) {
  (void)state;
  Env *env = make_env(TEST_PLUGINS "/libplugin_first.so", NULL);
  BuiltinPolicy *random;
  void *episode = calloc(1, env->spec.episode_size);
  uint8_t mask[8];
  float share[8];
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  float reward[2] = {0};
  /* the thrower has one hand of three, the guesser two; in the layout the thrower's second is 0 */
  static const float expected[2][6] = {{1 / 3.f, 1 / 3.f, 1 / 3.f, 1, 0, 0},
                                       {1 / 3.f, 1 / 3.f, 1 / 3.f, 1 / 3.f, 1 / 3.f, 1 / 3.f}};
  CHECK_OK(builtin_create("random", env, &random));
  assert_int_equal(env->action_count, 6);
  assert_int_equal(env_reset(env, episode, &rng, reward), AGON_RUNNING);
  for (uint32_t a = 0; a < 2; a++) {
    env_mask(env, episode, a, mask);
    random->ops->probabilities(random, episode, a, mask, share);
    for (int i = 0; i < 6; i++) CHECK_NEAR(share[i], expected[a][i], 1e-7);
  }
  builtin_destroy(random);
  free(episode);
  env_destroy(env);
}

/* As many choices as an env may have, the weight on two of them. */
static void picks_are_among_all_choices(void **state) {
  (void)state;
  enum { CHOICES = AGON_MAX_CHOICES, DRAWS = 4000 };
  float *share = calloc(CHOICES, sizeof *share);
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  size_t last = 0;
  share[300] = .25f, share[CHOICES - 1] = .75f;
  for (int i = 0; i < DRAWS; i++) {
    int32_t choice = builtin_pick(share, CHOICES, &rng);
    assert_true(choice == 300 || choice == CHOICES - 1);
    last += choice != 300;
  }
  assert_in_range(last, DRAWS * .75 - 140, DRAWS * .75 + 140); /* five deviations */
  free(share);
}

/* --- asking without playing --- */

/* Rows that are asked about together. */
enum { ASKED = 11 };

/* However many rows fit at once, and whatever else is asked for, a row's answer has the same bits. */
static void rows_are_decided_one_by_one(void **state) {
  (void)state;
  static const NetConfig config = {.hidden = {.count = 1, .item = {16}}, .init_gain = 1, .memory = 1, .memory_size = 8};
  Env *env = make_env("skirmish", NULL);
  Net *net;
  Inference wide, narrow;
  CHECK_OK(net_create(&config, &env->layout, &env->spec, &net));
  CHECK_OK(inference_create(net, ASKED, &wide));
  CHECK_OK(inference_create(net, 3, &narrow));
  size_t W = net->space.width, S = net->graph.state_size;
  float *block = calloc(net->block, sizeof *block);
  uint8_t *observations = calloc(ASKED, env->observation_bytes);
  float *before = calloc(ASKED * S, sizeof *before);
  float *logits = calloc(2 * ASKED * W, sizeof *logits);
  float *memory = calloc(2 * ASKED * S, sizeof *memory);
  float values[3][ASKED];
  void *episode = calloc(1, env->spec.episode_size);
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  AgonRandom random = rng_handle(&rng);
  net_init(net, 1, 0, block);
  CHECK_OK(env_make(env, episode));
  assert_int_equal(env_call_reset(env, episode, &random), AGON_RUNNING);
  for (uint32_t i = 0; i < ASKED; i++)
    env_observe(env, episode, i % env->spec.agents, observations + i * env->observation_bytes);
  for (size_t i = 0; i < ASKED * S; i++) before[i] = (float)rng_unit(&rng) - .5f;
  Policy policy = {.block = block};
  PolicyRows rows = {.count = ASKED, .observations = observations, .memory = before};
  CHECK_OK(policy_decide(&policy, &wide, env, &rows, &(PolicyAnswer){logits, values[0], memory}));
  CHECK_OK(policy_decide(&policy, &narrow, env, &rows,
                         &(PolicyAnswer){logits + ASKED * W, values[1], memory + ASKED * S}));
  CHECK_OK(policy_decide(&policy, &narrow, env, &rows, &(PolicyAnswer){.values = values[2]}));
  assert_memory_equal(logits, logits + ASKED * W, ASKED * W * sizeof *logits);
  assert_memory_equal(memory, memory + ASKED * S, ASKED * S * sizeof *memory);
  for (int i = 1; i < 3; i++) assert_memory_equal(values[0], values[i], sizeof values[0]);
  assert_memory_not_equal(memory, before, ASKED * S * sizeof *memory);
  assert_memory_not_equal(logits, logits + W, W * sizeof *logits);
  policy_release(&policy);
  inference_destroy(&wide);
  inference_destroy(&narrow);
  if (env->table->destroy) env->table->destroy(env->params, episode);
  free(episode);
  free(memory);
  free(logits);
  free(before);
  free(observations);
  free(block);
  net_destroy(net);
  env_destroy(env);
}

/* What spoils an evaluation is named as in a game. With any one parameter damaged a network either says so, or what it
 * gives can be used: a value that is no number is not passed on. */
static void evaluations_name_what_is_no_number(void **state) {
  (void)state;
  static const NetConfig config = {.hidden = {.count = 1, .item = {8}}, .init_gain = 1};
  Env *env = stage_env(AGON_DISCRETE, 1, 8, 0);
  Net *net;
  Inference inference;
  Evaluator evaluator;
  Stage stage = {.step = 2};
  const void *episodes[2] = {&stage, &stage};
  const uint32_t agents[2] = {0, 1};
  float rows[2 * 8], values[2];
  size_t outputs = 0, of_value = 0;
  stage_kind = &env->layout;
  CHECK_OK(net_create(&config, &env->layout, &env->spec, &net));
  CHECK_OK(inference_create(net, 8, &inference));
  CHECK_OK(evaluator_create(env, 8, &evaluator));
  float *block = calloc(net->block, sizeof *block);
  net_init(net, 1, 0, block);
  Policy policy = {.player = 4, .version = 17, .block = block, .inference = &inference};
  assert_int_equal(policy_row_width(env), 8);
  CHECK_OK(policy_evaluate(&policy, &evaluator, 2, episodes, agents, NULL, rows, values));
  mode.spoilt = NAN;
  assert_int_equal(policy_evaluate(&policy, &evaluator, 2, episodes, agents, NULL, rows, values), ERR_ENV);
  assert_non_null(strstr(status_message(), "element 1 of agent 1 is"));
  mode.spoilt = 0;
  for (size_t i = 0; i < net->block; i++) {
    float whole = block[i];
    block[i] = NAN;
    policy.stale = true;
    Status status = policy_evaluate(&policy, &evaluator, 2, episodes, agents, NULL, rows, values);
    block[i] = whole;
    if (status == OK) {
      for (size_t k = 0; k < COUNT_OF(rows); k++) assert_true(rows[k] >= 0 && rows[k] <= 1);
      for (size_t k = 0; k < COUNT_OF(values); k++) assert_true(isfinite(values[k]));
      continue;
    }
    assert_int_equal(status, ERR_INTERNAL);
    assert_non_null(strstr(status_message(), "player 4, version 17: "));
    outputs += strstr(status_message(), ": output ") != NULL;
    of_value += strstr(status_message(), ": the value of its network is") != NULL;
  }
  assert_true(outputs > 0);
  assert_true(of_value > 0);
  policy_release(&policy);
  evaluator_destroy(&evaluator);
  inference_destroy(&inference);
  free(block);
  net_destroy(net);
  env_destroy(env);
}

/* What `step` takes is in the box; what is learned from is what the network chose, in half-ranges around the middle. */
static void boxes_are_scaled_and_clipped(void **state) {
  (void)state;
  Env *env = stage_env(AGON_BOX, 1, 0, 0);
  Cast cast;
  size_t checks, beyond = 0;
  CHECK_OK(play_stage(env, 1, false, 0, &cast));
  for (int a = 0; a < 2; a++)
    for (int t = 0; t < 6; t++) beyond += cast.chosen[a][t] < -1 || cast.chosen[a][t] > 1;
  assert_in_range(beyond, 1, 11); /* deviation e^0 = 1 half-range: a third lies beyond */
  CHECK_OK(env_conformance(env, 1, 20, &checks));
  Position position;
  CHECK_OK(position_create(env, &position));
  CHECK_OK(position_reset(&position, (AgonRng){0}));
  CHECK_OK(position_play_line(&position, "-1000 1e9"));
  assert_int_equal(mode.outside, 0);
  CHECK_NEAR(mode.seen[0][0], 10, 0);
  CHECK_NEAR(mode.seen[1][0], 30, 0);
  position_destroy(&position);
  env_destroy(env);
}

/* --- drawing --- */
/* Logits as far apart as a network's may be, masks that leave one or many, and numbers next to 1. */
static void masked_choices_are_never_drawn(void **state) {
  (void)state;
  enum { CHOICES = 37 };
  AgonRng rng = rng_stream(1, 0, 0, RNG_TEST);
  for (int kind = 0; kind < 2; kind++)
    for (int round = 0; round < 20000; round++) {
      ActionSpace space = {.kind = kind ? AGON_MULTI_DISCRETE : AGON_DISCRETE,
                           .heads = 1,
                           .head_size = {CHOICES},
                           .choices = CHOICES,
                           .width = CHOICES};
      float logits[CHOICES], row[CHOICES], probability[CHOICES];
      uint8_t mask[CHOICES] = {0};
      double scale = pow(10, 30 * rng_unit(&rng) - 1.5);
      uint32_t legal = 1 + rng_below(&rng, CHOICES);
      for (int i = 0; i < CHOICES; i++) logits[i] = (float)(fmin(scale, 1e28) * rng_normal(&rng));
      if (round % 16 == 0) /* as it may come from a damaged policy */
        for (int i = 0; i < CHOICES; i++) logits[i] = round % 32 ? NAN : -INFINITY;
      for (uint32_t i = 0; i < legal; i++) mask[rng_below(&rng, CHOICES)] = 1;
      dist_normalise_rows(&space, logits, mask, 1, row);
      dist_probabilities(&space, row, 1, probability);
      AgonRng high = {.left = 1, .block = {0, 0, 0, 0xffffffffu}}; /* the next number is the greatest */
      AgonAction drawn[3];
      dist_sample(&space, row, probability, &rng, false, &drawn[0]);
      dist_sample(&space, row, probability, &high, false, &drawn[1]);
      dist_sample(&space, row, probability, &rng, true, &drawn[2]);
      for (int d = 0; d < 3 && (round % 16); d++) assert_int_equal(mask[drawn[d].choice], 1);
      for (int d = 0; d < 3; d++) assert_in_range(drawn[d].choice, 0, CHOICES - 1);
    }
}

/* --- networks whose outputs are worths --- */

/* Tic-tac-toe by one network on both sides; team 0's decisions are recorded. */
typedef struct Keen {
  const Env *env;
  Policy policy;
  Inference look; /* what the network says, asked once more */
  float epsilon;
  uint32_t episodes;
  double expected, variance; /* of the number of moves that are not the best */
  size_t explored, decided, games;
} Keen;

/* Worths and legal moves of a position; the best move. */
static uint32_t worths_of(Keen *keen, const void *state, uint32_t agent, float q[9], uint8_t mask[9]) {
  uint8_t row[64];
  uint32_t best = 9;
  PolicyRows rows = {.count = 1, .observations = row, .agents = &agent};
  env_observe(keen->env, state, agent, row);
  env_mask(keen->env, state, agent, mask);
  CHECK_OK(policy_decide(&keen->policy, &keen->look, keen->env, &rows, &(PolicyAnswer){.logits = q}));
  for (uint32_t i = 0; i < 9; i++)
    if (mask[i] && (best == 9 || q[i] > q[best])) best = i;
  return best;
}

static bool keen_begin(void *context, PlaySlot *slot) {
  Keen *keen = context;
  slot->policy[0] = slot->policy[1] = &keen->policy;
  slot->record[0] = true;
  slot->record[1] = false;
  return slot->episode < keen->episodes;
}

static void keen_decided(void *context, PlaySlot *slot, const Decision *decision) {
  Keen *keen = context;
  float q[9];
  uint8_t mask[9];
  uint32_t legal = 0, best = worths_of(keen, slot->state, decision->agent, q, mask);
  for (int i = 0; i < 9; i++) legal += mask[i];
  assert_int_equal(decision->agent, 0);
  double any = (double)keen->epsilon / legal, p = 1 - (double)keen->epsilon + any;
  bool is_best = (uint32_t)decision->action->choice == best;
  assert_true(mask[decision->action->choice]);
  CHECK_NEAR(decision->log_prob, log(is_best ? p : any), 1e-5);
  CHECK_NEAR(decision->value, q[best], 1e-6);
  keen->decided++;
  keen->explored += !is_best;
  keen->expected += 1 - p;
  keen->variance += p * (1 - p);
}

static void keen_traced(void *context, PlaySlot *slot, TraceKind kind, const AgonAction *actions, uint32_t outcome) {
  Keen *keen = context;
  float q[9];
  uint8_t mask[9], flags[2];
  (void)outcome;
  if (kind != TRACE_STEP) return;
  env_flags_of(keen->env, slot->state, flags);
  if (flags[1] & AGON_ACTS) assert_int_equal(actions[1].choice, worths_of(keen, slot->state, 1, q, mask));
}

static void keen_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  Keen *keen = context;
  (void)how, (void)outcome;
  assert_true(slot->drew == (keen->epsilon > 0)); /* of games without chance and luck there is one */
  keen->games++;
}

/* Decisions that are learned from explore as the block says, with the probabilities that are written down; who is only
 * played with does not. */
static void worths_are_chosen_from_greedily(void **state) {
  (void)state;
  static const NetConfig config = {.hidden = {.count = 1, .item = {16}}, .init_gain = 1, .rule = RULE_GREEDY_Q};
  static const float epsilons[] = {0, 0.3f};
  Env *env;
  Net *net;
  CHECK_OK(env_create_from("tic_tac_toe", NULL, 0, &env));
  CHECK_OK(net_create(&config, &env->layout, &env->spec, &net));
  float *block = calloc(net->block, sizeof *block);
  AgonRng rng = rng_stream(4, 0, 0, RNG_TEST);
  for (size_t i = 0; i < net->graph.params; i++) block[i] = 0.3f * (float)rng_normal(&rng);
  for (size_t e = 0; e < COUNT_OF(epsilons); e++) {
    Keen keen = {.env = env, .policy = {.block = block}, .epsilon = epsilons[e], .episodes = 300};
    PlayHooks hooks = {&keen, keen_begin, keen_decided, on_rewarded, keen_ended, keen_traced, NULL, NULL};
    Play *play;
    PlaySlot *slot;
    size_t live = 1;
    net_set_epsilon(net, block, epsilons[e]);
    CHECK_OK(inference_create(net, 4, &keen.look));
    CHECK_OK(play_create(env, net, 3, 8, 0, &hooks, &play));
    CHECK_OK(play_add_slot(play, 0, &slot));
    while (live) CHECK_OK(play_step(play, &live));
    assert_true(keen.games == 300 && keen.decided > 600);
    CHECK_NEAR(keen.explored, keen.expected, 4 * sqrt(keen.variance) + 1e-3);
    /* walks and queries take the best, and give its worth */
    Evaluator evaluator;
    uint32_t agent = 0;
    void *episode = calloc(1, env->spec.episode_size);
    AgonRng env_rng = rng_stream(1, 0, 0, RNG_TEST);
    float q[9], row[9], value, gain[2] = {0};
    uint8_t mask[9];
    CHECK_OK(evaluator_create(env, 4, &evaluator));
    env_reset(env, episode, &env_rng, gain);
    uint32_t best = worths_of(&keen, episode, 0, q, mask);
    keen.policy.inference = &keen.look;
    CHECK_OK(policy_evaluate(&keen.policy, &evaluator, 1, (const void *const *)&episode, &agent, NULL, row, &value));
    for (uint32_t i = 0; i < 9; i++) CHECK_NEAR(row[i], i == best, 0);
    CHECK_NEAR(value, q[best], 1e-6);
    free(episode);
    evaluator_destroy(&evaluator);
    play_destroy(play);
    policy_release(&keen.policy);
    inference_destroy(&keen.look);
  }
  free(block);
  net_destroy(net);
  env_destroy(env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(games_depend_on_the_slot_alone),      cmocka_unit_test(mirrored_games_are_not_copies),
      cmocka_unit_test(places_in_the_list_do_not_matter),    cmocka_unit_test(identical_players_do_not_score_alike),
      cmocka_unit_test(heads_may_have_thousands_of_choices), cmocka_unit_test(returns_count_from_the_reset),
      cmocka_unit_test(what_is_no_number_is_named),
      cmocka_unit_test(rewards_beyond_all_bounds_are_named),          cmocka_unit_test(boxes_are_scaled_and_clipped),
      cmocka_unit_test(envs_that_break_their_contract_are_named),
      cmocka_unit_test(slots_know_the_size_of_their_episodes),
      cmocka_unit_test(random_play_is_even_in_every_head),
      cmocka_unit_test(picks_are_among_all_choices),
      cmocka_unit_test(rows_are_decided_one_by_one),
      cmocka_unit_test(evaluations_name_what_is_no_number),
      cmocka_unit_test(masked_choices_are_never_drawn),
      cmocka_unit_test(worths_are_chosen_from_greedily),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

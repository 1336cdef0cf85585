/* The particle environments against their sources: whole episodes of PettingZoo's MPE and of the
 * first implementation, the published rewards of one, and what simple players get on average. */
#include "check.h"

#include "env/env.h"
#include "env/games/particles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct ParticleCase {
  const char *env;
  const char *option[3];
  size_t options;
  uint32_t agents, landmarks, steps, width; /* width: components of an action in the table */
  uint32_t goal[2];
  bool plain;
  const double *start;  /* (agents + landmarks, 2) */
  const float *action;  /* (steps, agents, width) */
  const double *reward; /* (steps, agents) */
  const double *end;    /* (agents + landmarks, 2) positions, (agents, 2) velocities */
  const float *rows;    /* observations of all agents after the last step */
  size_t row_count;
} ParticleCase;

#include "particles_numbers.h"

typedef struct Table {
  Env *env;
  const ParticleWorld *world;
  ParticleEpisode *episode;
  AgonAction action[PARTICLES_MOST * PARTICLES_COMPONENTS];
  float reward[PARTICLES_MOST];
  AgonRng rng;
} Table;

static void open_table(Table *t, const char *name, const char *const *option, size_t options) {
  memset(t, 0, sizeof *t);
  CHECK_OK(env_create_from(name, option, options, &t->env));
  t->world = t->env->params;
  t->episode = calloc(1, t->env->spec.episode_size);
}

static void close_table(Table *t) {
  free(t->episode);
  env_destroy(t->env);
}

static void begin(Table *t, uint32_t game) {
  t->rng = rng_stream(1, game, 0, RNG_TEST);
  assert_int_equal(env_reset(t->env, t->episode, &t->rng, t->reward), AGON_RUNNING);
}

static AgonStatus advance(Table *t) {
  memset(t->reward, 0, sizeof t->reward);
  return env_step(t->env, t->episode, t->action, &t->rng, t->reward);
}

/* To the last bit, or as near as exp and log1p of another library allow. */
static void check_same(double got, double want, bool exact, const char *what, size_t i) {
  if (exact ? memcmp(&got, &want, sizeof got) == 0 || (got == 0 && want == 0)
            : fabs(got - want) <= 1e-12 * (1 + fabs(want)))
    return;
  fail_msg("%s %zu is %.17g, not %.17g", what, i, got, want);
}

static void play_case(const ParticleCase *c) {
  Table t;
  open_table(&t, c->env, c->option, c->options);
  begin(&t, 0);
  const uint32_t heads = t.env->layout.heads;
  assert_int_equal(t.env->spec.agents, c->agents);
  assert_int_equal(t.world->landmarks, c->landmarks);
  Point *place = particles_place(t.world, t.episode);
  memcpy(place, c->start, (c->agents + c->landmarks) * sizeof *place);
  memcpy(t.episode->goal, c->goal, sizeof c->goal);
  const float *action = c->action;
  for (uint32_t s = 0; s < c->steps; s++) {
    for (uint32_t a = 0; a < c->agents; a++, action += c->width)
      for (uint32_t h = 0; h < c->width; h++) {
        assert_true(h < heads);
        if (t.env->layout.action_kind == AGON_BOX)
          t.action[a * heads + h].value = action[h];
        else
          t.action[a * heads + h].choice = (int32_t)action[h];
      }
    assert_int_equal(advance(&t), s + 1 < c->steps ? AGON_RUNNING : AGON_TRUNCATED);
    for (uint32_t a = 0; a < c->agents; a++) {
      double want = c->reward[s * c->agents + a];
      check_same(particles_reward(t.world, t.episode)[a], want, c->plain, "reward",
                 s * c->agents + a);
      if (c->plain) assert_memory_equal(&t.reward[a], &(float){(float)want}, sizeof(float));
    }
  }
  const double *place_value = (const double *)place;
  for (size_t i = 0; i < 2 * (2 * c->agents + c->landmarks); i++)
    check_same(place_value[i], c->end[i], c->plain && i < 2 * (c->agents + c->landmarks),
               "position or velocity", i);
  float *row = calloc(t.env->spec.global_state_size + 1, sizeof *row);
  assert_int_equal(t.env->spec.global_state_size, c->row_count);
  t.env->table->global_state(t.env->params, t.episode, row);
  for (size_t i = 0; i < c->row_count; i++)
    if (c->plain)
      assert_true(fabsf(row[i] - c->rows[i]) <= 0);
    else
      assert_true(fabsf(row[i] - c->rows[i]) <= 1e-6f * (1 + fabsf(c->rows[i])));
  free(row);
  close_table(&t);
}

static void episodes_are_those_of_the_sources(void **state) {
  (void)state;
  size_t plain = 0;
  for (size_t i = 0; i < COUNT_OF(particle_case); i++) {
    print_message("%s %s%s\n", particle_case[i].env,
                  particle_case[i].option[1] ? particle_case[i].option[1] : "",
                  particle_case[i].plain ? ", to the last bit" : "");
    play_case(&particle_case[i]);
    plain += particle_case[i].plain;
  }
  assert_true(plain >= 10 && plain < COUNT_OF(particle_case)); /* both sorts are there */
}

/* PettingZoo, simple_spread_v3, reset(seed=123): start, actions and rewards as published in its
 * issue 1021. */
static void published_rewards_come_out_bit_for_bit(void **state) {
  (void)state;
  static const double start[] = {0.3647037264962869,  -0.8923579623955546, -0.5592802544547772,
                                 -0.6312563786026607, -0.6481881978299393, 0.6241890133115473,
                                 0.8466899960541128,  -0.4468512044057875, 0.6395091231860042,
                                 0.7797853862223718,  0.02594091045906377, -0.510070797862407};
  static const int action[7][3] = {{3, 0, 0}, {1, 0, 2}, {4, 1, 3}, {2, 3, 2},
                                   {0, 4, 0}, {1, 3, 1}, {0, 2, 3}};
  static const double reward[7] = {-1.232097444068718,  -1.268766325864818,  -1.2759707697215021,
                                   -1.2482396223642986, -1.1983912997060198, -1.1622829338032408,
                                   -1.1649412216478077};
  Table t;
  open_table(&t, "simple_spread", NULL, 0);
  begin(&t, 0);
  memcpy(particles_place(t.world, t.episode), start, sizeof start);
  for (int s = 0; s < 7; s++) {
    for (int a = 0; a < 3; a++)
      t.action[a].choice = action[s][a];
    assert_int_equal(advance(&t), AGON_RUNNING);
    for (int a = 0; a < 3; a++)
      assert_memory_equal(&particles_reward(t.world, t.episode)[a], &reward[s], sizeof(double));
  }
  close_table(&t);
}

/* --- what simple players get --- */
typedef enum Player { RANDOM, IDLE, SCRIPTED } Player;

static void decide(Table *t, Player player, uint32_t agent) {
  AgonAction *action = env_action(t->env, t->action, agent);
  AgonRandom random = rng_handle(&t->rng);
  const AgonKind *kind = env_kind(t->env, agent);
  memset(action, 0, t->env->layout.heads * sizeof *action);
  if (player == RANDOM) {
    uint8_t mask[64];
    env_mask(t->env, t->episode, agent, mask);
    env_random_action(t->env, agent, mask, &t->rng, action);
  } else if (player == IDLE) {
    memcpy(action, kind->idle, kind->heads * sizeof *action);
  } else {
    t->env->table->scripted(t->env->params, t->episode, agent, &random, action);
  }
}

/* Mean over episodes of the return of agents first..end-1 together; team 0 is played by `player`,
 * team 1 by `rival`. *won, if asked for: team 0's mean outcome. */
static double mean_return(const char *name, const char *const *option, size_t options,
                          Player player, Player rival, uint32_t first, uint32_t end, double *won) {
  enum { EPISODES = 20000 };
  Table t;
  double sum = 0;
  double wins = 0;
  open_table(&t, name, option, options);
  for (uint32_t game = 0; game < EPISODES; game++) {
    AgonStatus status = AGON_RUNNING;
    float outcome[2];
    begin(&t, game);
    while (status == AGON_RUNNING) {
      for (uint32_t a = 0; a < t.env->spec.agents; a++)
        decide(&t, t.env->spec.team_of[a] ? rival : player, a);
      status = advance(&t);
      for (uint32_t a = first; a < end; a++)
        sum += (double)t.reward[a];
    }
    env_outcome(t.env, t.episode, outcome);
    wins += (double)outcome[0];
  }
  close_table(&t);
  if (won) *won = wins / EPISODES;
  return sum / EPISODES;
}

static void check_mean(const char *what, double got, double want, double within) {
  print_message("%-44s %8.2f (expected %.2f +- %.2f)\n", what, got, want, within);
  if (fabs(got - want) > within) fail_msg("%s: %g is not %g +- %g", what, got, want, within);
}

/* Random, no-op and scripted on discrete actions as others have measured them; in a box, and by the
 * older rules, scripted is this program's own figure. The older rules pay each the whole. */
static void spread_has_its_ladder(void **state) {
  (void)state;
  static const char *const older[] = {"rules=openai"};
  static const char *const box[] = {"actions=box"};
  const char *name = "simple_spread";
  check_mean("random", mean_return(name, NULL, 0, RANDOM, RANDOM, 0, 3, NULL), -79.4, .6);
  check_mean("no-op", mean_return(name, NULL, 0, IDLE, IDLE, 0, 3, NULL), -72.6, .6);
  check_mean("scripted", mean_return(name, NULL, 0, SCRIPTED, SCRIPTED, 0, 3, NULL), -23.1, .6);
  check_mean("no-op, box", mean_return(name, box, 1, IDLE, IDLE, 0, 3, NULL), -72.6, .6);
  check_mean("scripted, box", mean_return(name, box, 1, SCRIPTED, SCRIPTED, 0, 3, NULL), -20.4, .6);
  check_mean("random, older rules", mean_return(name, older, 1, RANDOM, RANDOM, 0, 1, NULL), -231.7,
             1.6);
  check_mean("no-op, older rules", mean_return(name, older, 1, IDLE, IDLE, 0, 1, NULL), -217.9,
             1.6);
  check_mean("scripted, older rules", mean_return(name, older, 1, SCRIPTED, SCRIPTED, 0, 1, NULL),
             -114.4, 1.6);
}

/* Exact: a listener that never moves is at mean squared distance 4/3 from the goal, and two points
 * of the square 2 * .521405 apart on average. */
static void words_have_theirs(void **state) {
  (void)state;
  static const char *const older[] = {"rules=openai"};
  const char *name = "simple_speaker_listener";
  check_mean("listener no-op", mean_return(name, NULL, 0, IDLE, IDLE, 1, 2, NULL), -100.0 / 3, .6);
  check_mean("listener random", mean_return(name, NULL, 0, RANDOM, RANDOM, 1, 2, NULL), -39.6, .8);
  check_mean("listener scripted", mean_return(name, NULL, 0, SCRIPTED, SCRIPTED, 1, 2, NULL), -7.3,
             .3);
  check_mean("listener random, older rules",
             mean_return(name, older, 1, RANDOM, RANDOM, 1, 2, NULL), 2 * -40.5, 1.6);
  check_mean("listener scripted, older rules",
             mean_return(name, older, 1, SCRIPTED, SCRIPTED, 1, 2, NULL), 2 * -6.1, .6);
  check_mean("reference no-op", mean_return("simple_reference", NULL, 0, IDLE, IDLE, 0, 1, NULL),
             25 * 2 * -.521405, .3);
  check_mean("reference scripted",
             mean_return("simple_reference", NULL, 0, SCRIPTED, SCRIPTED, 0, 1, NULL), -7.7, .4);
}

/* Rule-based players of either side do better than random ones against each kind of opponent. */
static void sides_are_worth_playing(void **state) {
  (void)state;
  static const struct {
    const char *name;
    uint32_t first, end; /* team 0 */
  } game[] = {{"simple_tag", 0, 3}, {"simple_adversary", 0, 1}};
  for (size_t g = 0; g < COUNT_OF(game); g++) {
    double won[2][2];
    double gain[2][2];
    for (int mine = 0; mine < 2; mine++)
      for (int theirs = 0; theirs < 2; theirs++) {
        gain[mine][theirs] =
            mean_return(game[g].name, NULL, 0, mine ? SCRIPTED : RANDOM, theirs ? SCRIPTED : RANDOM,
                        game[g].first, game[g].end, &won[mine][theirs]);
        print_message("%s, %s against %s: %.2f, wins %.3f\n", game[g].name,
                      mine ? "scripted" : "random", theirs ? "scripted" : "random",
                      gain[mine][theirs], won[mine][theirs]);
      }
    for (int other = 0; other < 2; other++) {
      assert_true(won[1][other] > won[0][other] + .05);
      assert_true(won[other][1] < won[other][0] - .05);
      assert_true(gain[1][other] > gain[0][other]);
    }
  }
}

/* Of all ways to share landmarks out, found by trying them, the shortest is what agents take. */
static double best_left(const Table *t, uint32_t agent, uint32_t taken) {
  const Point *place = particles_place(t->world, t->episode);
  const Point *landmark = particles_landmark(t->world, t->episode);
  double best = INFINITY;
  if (agent == t->world->agents) return 0;
  for (uint32_t i = 0; i < t->world->landmarks; i++)
    if (!(taken >> i & 1))
      best = fmin(best, particles_distance(place[agent], landmark[i]) +
                            best_left(t, agent + 1, taken | 1u << i));
  return best;
}

static void landmarks_are_shared_out_best(void **state) {
  (void)state;
  static const char *const option[] = {"agents=5", "landmarks=6"};
  static const char *const few[] = {"agents=5", "landmarks=2"};
  Table t;
  open_table(&t, "simple_spread", option, 2);
  for (uint32_t game = 0; game < 200; game++) {
    double sum = 0;
    uint32_t taken = 0;
    begin(&t, game);
    for (uint32_t a = 0; a < 5; a++) {
      uint32_t which = particles_share(t.world, t.episode, 0, 5, a);
      assert_false(taken >> which & 1);
      taken |= 1u << which;
      sum += particles_distance(particles_place(t.world, t.episode)[a],
                                particles_landmark(t.world, t.episode)[which]);
    }
    check_same(sum, best_left(&t, 0, 0), false, "the shared way of game", game);
  }
  close_table(&t);
  open_table(&t, "simple_spread", few, 2);
  for (uint32_t game = 0; game < 200; game++) {
    uint32_t given[2] = {0, 0};
    begin(&t, game);
    for (uint32_t a = 0; a < 5; a++)
      given[particles_share(t.world, t.episode, 0, 5, a)]++;
    assert_true(given[0] >= 2 && given[1] >= 2);
  }
  close_table(&t);
}

/* Where two agents stand at the same spot the sources divide by nothing; here they just stand. */
static void one_spot_is_no_trouble(void **state) {
  (void)state;
  Table t;
  open_table(&t, "simple_spread", NULL, 0);
  begin(&t, 0);
  Point *place = particles_place(t.world, t.episode);
  place[1] = place[0];
  assert_int_equal(advance(&t), AGON_RUNNING);
  for (int a = 0; a < 3; a++)
    assert_true(isfinite(t.reward[a]) && isfinite(place[a].x));
  close_table(&t);
}

/* The last step of an episode that ends pays what one pays that is cut; only what follows differs. */
static void the_limit_ends_or_cuts(void **state) {
  (void)state;
  static const char *const game[] = {"simple_spread", "simple_tag", "simple_adversary",
                                     "simple_speaker_listener", "simple_reference"};
  static const char *const option[2][2] = {{"limit=7", "time_limit=cut"}, {"limit=7", "time_limit=end"}};
  static const AgonStatus last[2] = {AGON_TRUNCATED, AGON_TERMINATED};
  for (size_t g = 0; g < COUNT_OF(game); g++) {
    float paid[2][7][PARTICLES_MOST] = {{{0}}};
    for (int way = 0; way < 2; way++) {
      Table t;
      open_table(&t, game[g], option[way], 2);
      begin(&t, 3);
      for (int step = 0; step < 7; step++) {
        assert_int_equal(advance(&t), step < 6 ? AGON_RUNNING : last[way]);
        memcpy(paid[way][step], t.reward, sizeof t.reward);
      }
      close_table(&t);
    }
    assert_memory_equal(paid[0], paid[1], sizeof paid[0]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_limit_ends_or_cuts),
      cmocka_unit_test(episodes_are_those_of_the_sources),
      cmocka_unit_test(published_rewards_come_out_bit_for_bit),
      cmocka_unit_test(spread_has_its_ladder),
      cmocka_unit_test(words_have_theirs),
      cmocka_unit_test(sides_are_worth_playing),
      cmocka_unit_test(landmarks_are_shared_out_best),
      cmocka_unit_test(one_spot_is_no_trouble),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

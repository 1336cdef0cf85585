/* simple_reference: two agents, each of which sees which of three landmarks is the other's goal;
 * both move and speak, with ten words. What is said in a step is heard after it. One team.
 *
 * Source: PettingZoo's simple_reference_v3. A step costs an agent the distance of the other from
 * its goal, which only the agent knows, mixed by `local_ratio` with the mean of both. In the older
 * rules it costs the square, unmixed, and each is paid the sum of the two. An action is one choice
 * of 50, move + 5 * word, or with actions=heads one of each, as in the older code. */
#include "env/games/particles.h"

#include <math.h>
#include <stdlib.h>

enum { AGENTS = 2, LANDMARKS = 3, WORDS = 10 };
enum { DISTANCE }; /* tally */
static const double ARRIVED = 0.1;

static const AgonEnvOption options[] = {
    PARTICLES_OPTIONS("discrete|heads|box",
                      "heads: move and word apart; box: components in 0..1, of each move and word"),
    {"local_ratio", AGON_OPT_FLOAT, "0.5", 0, 1, NULL,
     "share of an agent's own reward in what it gets (rules=pettingzoo)"},
};

static const char *const metric_names[] = {"distance", "arrived"};

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  ParticleWorld *world = block;
  particles_begin(world, values, AGENTS, LANDMARKS, WORDS);
  world->ratio = strtod(values[PARTICLES_FIRST_OPTION], NULL);
  for (uint32_t a = 0; a < AGENTS; a++)
    world->body[a].speaks = true;
  world->goals = AGENTS; /* goal[a] is what agent a sees, and the other is to reach */
  world->seeker[0] = 1;
  world->seeker[1] = 0;
  particles_kind(world, "agent", 0, AGENTS, 2 + 2 * LANDMARKS + 3 + WORDS);
  double far = particles_far(world);
  particles_finish(world, spec, true, -(world->openai ? 2 * far * far : far) * world->limit, 0, 2);
  return 0;
}

static AgonStatus reset(const void *world, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  ParticleEpisode *episode = state;
  particles_scatter(world, episode, random, 1);
  for (uint32_t a = 0; a < AGENTS; a++)
    episode->goal[a] = agon_random_below(random, LANDMARKS);
  return AGON_RUNNING;
}

/* Of the other agent from the goal that `agent` sees. */
static double square_from_goal(const ParticleWorld *world, const ParticleEpisode *episode,
                               uint32_t agent) {
  Point to = particles_landmark(world, episode)[episode->goal[agent]];
  return particles_square(particles_place(world, episode)[1 - agent], to);
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random, (void)error;
  const ParticleWorld *world = block;
  ParticleEpisode *episode = state;
  double *paid = particles_reward(world, episode);
  double sum = 0;
  particles_move(world, episode, actions);
  for (uint32_t a = 0; a < AGENTS; a++) {
    double square = square_from_goal(world, episode, a);
    double distance = sqrt(square);
    paid[a] = world->openai ? -square : -distance;
    sum += paid[a];
    episode->tally[DISTANCE] += distance;
  }
  for (uint32_t a = 0; a < AGENTS && !world->openai; a++)
    paid[a] = sum / AGENTS * (1 - world->ratio) + paid[a] * world->ratio;
  if (world->openai) particles_pool(world, episode);
  return particles_pay(world, episode, reward);
}

/* Velocity, landmarks, the colour of the other's goal, the other's words. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  float *row = out;
  row = particles_put(row, particles_velocity(world, episode)[agent]);
  row = particles_put_landmarks(world, episode, agent, row);
  for (uint32_t i = 0; i < 3; i++)
    *row++ = i == episode->goal[agent] ? 0.75f : 0.25f;
  particles_put_words(world, episode, agent, row);
}

static void view_many(const void *world, size_t count, const void *const *episodes,
                      const uint32_t *agents, void *rows, uint8_t *masks) {
  particles_view(world, count, episodes, agents, rows, masks, observe);
}

static void global_state(const void *world, const void *episode, float *row) {
  particles_state(world, episode, row, observe);
}

/* Mean distance of both from their goals; how many are there at the end. */
static void metrics(const void *world, const void *state, float *values) {
  const ParticleEpisode *episode = state;
  values[0] = (float)(episode->tally[DISTANCE] / AGENTS / (episode->time ? episode->time : 1));
  values[1] = 0;
  for (uint32_t a = 0; a < AGENTS; a++)
    values[1] += sqrt(square_from_goal(world, episode, a)) < ARRIVED;
}

/* Says the other's goal by its number, and goes where it was told to; until it has been, to the
 * middle of the landmarks. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)random;
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  const Point *landmark = particles_landmark(world, episode);
  uint32_t word = particles_heard(world, episode, 1 - agent, WORDS);
  Point middle = {(landmark[0].x + landmark[1].x + landmark[2].x) / LANDMARKS,
                  (landmark[0].y + landmark[1].y + landmark[2].y) / LANDMARKS};
  particles_go(world, episode, agent, word < LANDMARKS ? landmark[word] : middle, action);
  particles_say(world, agent, episode->goal[agent], action);
}

const AgonEnv env_simple_reference = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "simple_reference",
    .summary = "each sees the other's goal, both move and speak (particles)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(ParticleWorld),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = particles_flags,
    .global_state = global_state,
    .view_many = view_many,
    .metrics = metrics,
    .metric_names = metric_names,
    .action_name = particles_action_name,
    .position = particles_position,
    .render = particles_render,
    .scripted = scripted,
};

/* simple_spread: as many landmarks as agents, which are to cover them all without touching. One
 * team.
 *
 * Source: PettingZoo's simple_spread_v3. A step costs all the sum over landmarks of the distance to
 * the nearest agent; and costs each 1 for every other agent that it touches. `local_ratio` of an
 * agent's reward is its own part, the rest is the common one. In the older rules the two are added,
 * every agent touches itself as well, and each is paid the sum over agents. */
#include "env/games/particles.h"

#include <math.h>
#include <stdlib.h>

/* What the tallies sum up over an episode. */
enum { TOUCHES, DISTANCE };
static const double OCCUPIED = 0.1; /* a landmark with an agent within this distance */

static const AgonEnvOption options[] = {
    PARTICLES_OPTIONS("discrete|box", "box: five components in 0..1, as much of each move"),
    {"agents", AGON_OPT_INT, "3", 1, PARTICLES_MOST, NULL, "agents"},
    {"landmarks", AGON_OPT_INT, "0", 0, PARTICLES_MOST, NULL, "landmarks; 0: as many as agents"},
    {"local_ratio", AGON_OPT_FLOAT, "0.5", 0, 1, NULL,
     "share of an agent's own reward in what it gets (rules=pettingzoo)"},
};

static const char *const metric_names[] = {"collisions", "occupied", "distance"};

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  ParticleWorld *world = block;
  const char *const *own = values + PARTICLES_FIRST_OPTION;
  uint32_t agents = (uint32_t)atoi(own[0]);
  uint32_t landmarks = (uint32_t)atoi(own[1]);
  particles_begin(world, values, agents, landmarks ? landmarks : agents, 0);
  world->ratio = strtod(own[2], NULL);
  world->colliders = agents;
  for (uint32_t a = 0; a < agents; a++)
    world->body[a].size = 0.15;
  particles_kind(world, "agent", 0, agents, 4 + 2 * world->landmarks + 4 * (agents - 1));
  double worst = world->landmarks * particles_far(world) + agents;
  if (world->openai) worst *= agents;
  particles_finish(world, spec, true, -worst * world->limit, 0, 3);
  return 0;
}

static AgonStatus reset(const void *world, void *episode, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  particles_scatter(world, episode, random, 1);
  return AGON_RUNNING;
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random, (void)error;
  const ParticleWorld *world = block;
  ParticleEpisode *episode = state;
  double *paid = particles_reward(world, episode);
  double common = 0;
  particles_move(world, episode, actions);
  for (uint32_t i = 0; i < world->landmarks; i++)
    common -=
        particles_nearest(world, episode, particles_landmark(world, episode)[i], 0, world->agents);
  for (uint32_t a = 0; a < world->agents; a++)
    paid[a] = world->openai ? common - 1 : 0;
  for (uint32_t a = 0; a < world->agents; a++)
    for (uint32_t b = a + 1; b < world->agents; b++) {
      if (!particles_touch(world, episode, a, b)) continue;
      paid[a] -= 1;
      paid[b] -= 1;
      episode->tally[TOUCHES] += 1;
    }
  for (uint32_t a = 0; a < world->agents && !world->openai; a++)
    paid[a] = common * (1 - world->ratio) + paid[a] * world->ratio;
  if (world->openai) particles_pool(world, episode);
  episode->tally[DISTANCE] -= common;
  return particles_pay(world, episode, reward);
}

/* Velocity, position, landmarks, the others, and what they say: nothing, in two numbers each, which
 * PettingZoo's rows have for all that. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  float *row = out;
  row = particles_put(row, particles_velocity(world, episode)[agent]);
  row = particles_put(row, particles_place(world, episode)[agent]);
  row = particles_put_landmarks(world, episode, agent, row);
  row = particles_put_others(world, episode, agent, row);
  for (uint32_t i = 0; i < 2 * (world->agents - 1); i++)
    row[i] = 0;
}

static void view_many(const void *world, size_t count, const void *const *episodes,
                      const uint32_t *agents, void *rows, uint8_t *masks) {
  particles_view(world, count, episodes, agents, rows, masks, observe);
}

static void global_state(const void *world, const void *episode, float *row) {
  particles_state(world, episode, row, observe);
}

/* Touches of the whole episode (each pair and step); landmarks occupied at its end; mean distance
 * of a landmark from the nearest agent. */
static void metrics(const void *block, const void *state, float *values) {
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  values[0] = (float)episode->tally[TOUCHES];
  values[1] = 0;
  for (uint32_t i = 0; i < world->landmarks; i++)
    values[1] += particles_nearest(world, episode, particles_landmark(world, episode)[i], 0,
                                   world->agents) < OCCUPIED;
  values[2] =
      (float)(episode->tally[DISTANCE] / (episode->time ? episode->time : 1) / world->landmarks);
}

/* Goes to its own landmark: all see all places, and share them out alike. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)random;
  const ParticleWorld *world = block;
  uint32_t which = particles_share(world, state, 0, world->agents, agent);
  particles_go(world, state, agent, particles_landmark(world, state)[which], action);
}

const AgonEnv env_simple_spread = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "simple_spread",
    .summary = "agents share out landmarks, and do not touch (particles)",
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

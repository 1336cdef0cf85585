/* simple_tag: predators chase a prey that is smaller and faster, among obstacles. Two teams, whose
 * agents are of different kinds.
 *
 * Source: PettingZoo's simple_tag_v3; the older rules differ in the order of motion alone. Each
 * touch of a predator and a prey pays all predators 10 and costs the prey 10. A prey also pays for
 * going far out, so that it cannot just run away. Who has won is this program's own: the predators,
 * if they have touched prey `catches` times, each pair and step counted. */
#include "env/games/particles.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  OUTSIDE,
  FIRST
}; /* tallies: what prey paid for being outside; the step of the first touch */

static const AgonEnvOption options[] = {
    PARTICLES_OPTIONS("discrete|box", "box: five components in 0..1, as much of each move"),
    {"predators", AGON_OPT_INT, "3", 1, PARTICLES_MOST / 2, NULL, "agents that chase (team 0)"},
    {"prey", AGON_OPT_INT, "1", 1, PARTICLES_MOST / 2, NULL, "agents that flee (team 1)"},
    {"obstacles", AGON_OPT_INT, "2", 0, PARTICLES_MOST, NULL, "that all bounce off"},
    {"catches", AGON_OPT_INT, "1", 1, 1000000, NULL, "touches with which the predators have won"},
};

static const char *const metric_names[] = {"touches", "first_touch", "outside"};

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  ParticleWorld *world = block;
  const char *const *own = values + PARTICLES_FIRST_OPTION;
  uint32_t predators = (uint32_t)atoi(own[0]);
  uint32_t prey = (uint32_t)atoi(own[1]);
  uint32_t obstacles = (uint32_t)atoi(own[2]);
  particles_begin(world, values, predators + prey, obstacles, 0);
  world->catches = (uint32_t)atoi(own[3]);
  world->colliders = world->agents + obstacles;
  for (uint32_t i = 0; i < world->colliders; i++) {
    ParticleBody *body = &world->body[i];
    if (i < predators)
      *body = (ParticleBody){.size = 0.075, .push = 3, .top_speed = 1, .sign = 'P'};
    else if (i < world->agents)
      *body = (ParticleBody){.size = 0.05, .push = 4, .top_speed = 1.3, .sign = 'o'};
    else
      *body = (ParticleBody){.size = 0.2, .fixed = true, .sign = '#'};
  }
  uint32_t common = 4 + 2 * obstacles + 2 * (world->agents - 1);
  particles_kind(world, "predator", 0, predators, common + 2 * prey);
  particles_kind(world, "prey", predators, world->agents, common + 2 * (prey - 1));
  double touches = 10.0 * predators * prey * world->limit;
  particles_finish(world, spec, false, -(10.0 * predators + 20) * world->limit, touches, 3);
  return 0;
}

static AgonStatus reset(const void *world, void *episode, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  particles_scatter(world, episode, random, 0.9);
  return AGON_RUNNING;
}

/* What a prey pays for a coordinate: nothing up to .9, then ever more, at most 10. */
static double outside(double x) {
  x = fabs(x);
  if (x < 0.9) return 0;
  if (x < 1.0) return (x - 0.9) * 10;
  return fmin(exp(2 * x - 2), 10);
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random, (void)error;
  const ParticleWorld *world = block;
  ParticleEpisode *episode = state;
  const Point *place = particles_place(world, episode);
  double *paid = particles_reward(world, episode);
  uint32_t touches = 0;
  particles_move(world, episode, actions);
  for (uint32_t prey = world->firsts; prey < world->agents; prey++) {
    uint32_t own = 0;
    for (uint32_t a = 0; a < world->firsts; a++)
      own += particles_touch(world, episode, a, prey);
    double x = outside(place[prey].x);
    double y = outside(place[prey].y);
    paid[prey] = -10.0 * own - x - y;
    episode->tally[OUTSIDE] += x + y;
    touches += own;
  }
  for (uint32_t a = 0; a < world->firsts; a++)
    paid[a] = 10.0 * touches;
  if (touches && !episode->count) episode->tally[FIRST] = episode->time + 1;
  episode->count += touches;
  return particles_pay(world, episode, reward);
}

/* Velocity, position, obstacles, the others, and the velocities of other prey. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  const Point *velocity = particles_velocity(world, episode);
  float *row = out;
  row = particles_put(row, velocity[agent]);
  row = particles_put(row, particles_place(world, episode)[agent]);
  row = particles_put_landmarks(world, episode, agent, row);
  row = particles_put_others(world, episode, agent, row);
  for (uint32_t prey = world->firsts; prey < world->agents; prey++)
    if (prey != agent) row = particles_put(row, velocity[prey]);
}

static void global_state(const void *world, const void *episode, float *row) {
  particles_state(world, episode, row, observe);
}

static void outcome(const void *block, const void *state, float *out) {
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  out[0] = episode->count >= world->catches;
  out[1] = 1 - out[0];
}

/* Touches of the episode; the step of the first, and one more than there are where there is none;
 * what all prey paid for being outside. */
static void metrics(const void *block, const void *state, float *values) {
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  values[0] = (float)episode->count;
  values[1] = episode->count ? (float)episode->tally[FIRST] : (float)(world->limit + 1);
  values[2] = (float)episode->tally[OUTSIDE];
}

/* To where the nearest prey will be soon. */
static void chase(const ParticleWorld *world, const ParticleEpisode *episode, uint32_t agent,
                  AgonAction *action) {
  const Point *place = particles_place(world, episode);
  const Point *velocity = particles_velocity(world, episode);
  const double soon = 0.4;
  uint32_t nearest = world->firsts;
  for (uint32_t prey = world->firsts; prey < world->agents; prey++)
    if (particles_square(place[prey], place[agent]) <
        particles_square(place[nearest], place[agent]))
      nearest = prey;
  Point target = {place[nearest].x + soon * velocity[nearest].x,
                  place[nearest].y + soon * velocity[nearest].y};
  particles_go(world, episode, agent, target, action);
}

/* Where it will be if it pushes one way for a while, and predators keep their velocities: far from
 * the nearest of them, and not outside. */
static void flee(const ParticleWorld *world, const ParticleEpisode *episode, uint32_t agent,
                 AgonAction *action) {
  static const Point way[PARTICLES_MOVES] = {{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}};
  const Point *place = particles_place(world, episode);
  const Point *velocity = particles_velocity(world, episode);
  const double ahead = 0.4;
  const double stride = 0.3;
  double best = -INFINITY;
  uint32_t choice = 0;
  for (uint32_t i = 0; i < PARTICLES_MOVES; i++) {
    Point there = {place[agent].x + ahead * velocity[agent].x + stride * way[i].x,
                   place[agent].y + ahead * velocity[agent].y + stride * way[i].y};
    double least = INFINITY;
    for (uint32_t a = 0; a < world->firsts; a++) {
      Point rival = {place[a].x + ahead * velocity[a].x, place[a].y + ahead * velocity[a].y};
      least = fmin(least, particles_distance(there, rival));
    }
    double worth = fmin(least, 1) - outside(there.x) - outside(there.y);
    if (!(worth > best)) continue;
    best = worth;
    choice = i;
  }
  if (world->actions == PARTICLES_BOX)
    for (uint32_t i = 0; i < PARTICLES_MOVES; i++)
      action[i].value = i > 0 && i == choice;
  else
    action->choice = (int32_t)choice;
}

static void scripted(const void *world, const void *episode, uint32_t agent,
                     const AgonRandom *random, AgonAction *action) {
  (void)random;
  if (agent < ((const ParticleWorld *)world)->firsts)
    chase(world, episode, agent, action);
  else
    flee(world, episode, agent, action);
}

static void render(const void *world, const void *state, char *text, size_t size) {
  const ParticleEpisode *episode = state;
  char touches[48];
  snprintf(touches, sizeof touches, "; touches so far %u", episode->count);
  particles_render(world, episode, text, size);
  particles_add(text, size, touches);
}

const AgonEnv env_simple_tag = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "simple_tag",
    .summary = "predators chase a faster prey among obstacles (particles)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(ParticleWorld),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = particles_flags,
    .outcome = outcome,
    .global_state = global_state,
    .metrics = metrics,
    .metric_names = metric_names,
    .action_name = particles_action_name,
    .position = particles_position,
    .render = render,
    .scripted = scripted,
};

/* simple_adversary: one of the landmarks is the goal. The good agents know which, and want one of
 * theirs there and the adversary far away; the adversary sees only where they go. Two teams of
 * different kinds. Nobody collides.
 *
 * Source: PettingZoo's simple_adversary_v3. A step pays each good agent the adversary's distance
 * from the goal less that of the good agent nearest to it; it costs the adversary its distance, in
 * the older rules its square. Who has won is this program's own: the good team, if it was paid more
 * than 0 over the episode, which is to say if it was nearer. */
#include "env/games/particles.h"

#include <math.h>
#include <stdlib.h>

enum { GOOD, BAD, LEAD }; /* tallies: distances from the goal; what a good agent was paid */

static const AgonEnvOption options[] = {
    PARTICLES_OPTIONS("discrete|box", "box: five components in 0..1, as much of each move"),
    {"good", AGON_OPT_INT, "2", 1, PARTICLES_MOST - 1, NULL, "good agents, and landmarks"},
};

static const char *const metric_names[] = {"good_distance", "adversary_distance"};

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  ParticleWorld *world = block;
  uint32_t good = (uint32_t)atoi(values[PARTICLES_FIRST_OPTION]);
  particles_begin(world, values, good + 1, good, 0);
  for (uint32_t i = 0; i < world->agents; i++)
    world->body[i].size = 0.15;
  for (uint32_t i = 0; i < good; i++)
    world->body[world->agents + i].size = 0.08;
  world->body[0].sign = 'x';
  for (uint32_t a = 1; a < world->agents; a++)
    world->body[a].sign = (char)('A' + (a - 1) % 26);
  particles_kind(world, "adversary", 0, 1, 2 * good + 2 * good);
  particles_kind(world, "good", 1, world->agents, 2 + 2 * good + 2 * good);
  double far = particles_far(world);
  double worst = (world->openai ? far * far : far) * world->limit;
  particles_finish(world, spec, false, -worst, far * world->limit, 2);
  return 0;
}

static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  const ParticleWorld *world = block;
  ParticleEpisode *episode = state;
  particles_scatter(world, episode, random, 1);
  episode->goal[0] = agon_random_below(random, world->landmarks);
  return AGON_RUNNING;
}

static Point goal(const ParticleWorld *world, const ParticleEpisode *episode) {
  return particles_landmark(world, episode)[episode->goal[0]];
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random, (void)error;
  const ParticleWorld *world = block;
  ParticleEpisode *episode = state;
  double *paid = particles_reward(world, episode);
  particles_move(world, episode, actions);
  Point to = goal(world, episode);
  double square = particles_square(particles_place(world, episode)[0], to);
  double bad = sqrt(square);
  double good = particles_nearest(world, episode, to, 1, world->agents);
  paid[0] = world->openai ? -square : -bad;
  for (uint32_t a = 1; a < world->agents; a++)
    paid[a] = -good + bad;
  episode->tally[GOOD] += good;
  episode->tally[BAD] += bad;
  episode->tally[LEAD] += paid[1];
  return particles_pay(world, episode, reward);
}

/* The goal, for those who know it; landmarks; the others. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  float *row = out;
  if (agent > 0)
    row = particles_put_from(row, goal(world, episode), particles_place(world, episode)[agent]);
  row = particles_put_landmarks(world, episode, agent, row);
  particles_put_others(world, episode, agent, row);
}

static void global_state(const void *world, const void *episode, float *row) {
  particles_state(world, episode, row, observe);
}

static void outcome(const void *world, const void *state, float *out) {
  (void)world;
  double lead = ((const ParticleEpisode *)state)->tally[LEAD];
  out[1] = lead > 0 ? 1.0f : lead < 0 ? 0.0f : 0.5f;
  out[0] = 1 - out[1];
}

/* Mean distances from the goal: of the nearest good agent, of the adversary. */
static void metrics(const void *world, const void *state, float *values) {
  (void)world;
  const ParticleEpisode *episode = state;
  double steps = episode->time ? episode->time : 1;
  values[0] = (float)(episode->tally[GOOD] / steps);
  values[1] = (float)(episode->tally[BAD] / steps);
}

/* Good agents cover all landmarks, so that their places do not tell which it is. The adversary, who
 * cannot know either, takes the landmark that a good agent is nearest to. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)random;
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  const Point *landmark = particles_landmark(world, episode);
  uint32_t which = 0;
  if (agent > 0) {
    which = particles_share(world, episode, 1, world->agents, agent);
  } else {
    double least = INFINITY;
    for (uint32_t i = 0; i < world->landmarks; i++) {
      double distance = particles_nearest(world, episode, landmark[i], 1, world->agents);
      if (!(distance < least)) continue;
      least = distance;
      which = i;
    }
  }
  particles_go(world, episode, agent, landmark[which], action);
}

/* The landmark that is the goal stands as *. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const ParticleEpisode *episode = state;
  ParticleWorld marked = *(const ParticleWorld *)block;
  marked.body[marked.agents + episode->goal[0]].sign = '*';
  particles_render(&marked, episode, text, size);
  particles_add(text, size, "; the goal is *, which x does not know");
}

const AgonEnv env_simple_adversary = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "simple_adversary",
    .summary = "reach the goal without showing the adversary which it is (particles)",
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

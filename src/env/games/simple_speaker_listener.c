/* simple_speaker_listener: the speaker sees which of three landmarks is the goal, and cannot move;
 * the listener moves, and sees the landmarks but not which. What is said in a step is heard after
 * it. One team of two kinds.
 *
 * Source: PettingZoo's simple_speaker_listener_v4. A step costs both the square of the listener's
 * distance from the goal. In the older rules each is paid the sum, twice as much. */
#include "env/games/particles.h"

#include <math.h>

enum { SPEAKER, LISTENER, AGENTS };
enum { LANDMARKS = 3 };
enum { DISTANCE }; /* tally */
static const double ARRIVED = 0.1;

static const AgonEnvOption options[] = {
    PARTICLES_OPTIONS("discrete|box", "box: components in 0..1, of each move and of each word"),
    {"words", AGON_OPT_BOOL, "true", 0, 0, NULL,
     "what the speaker says is heard; false: the listener sees zeros in its place, so that nobody "
     "learns of the goal but by messages of the network (net.messages.kind)"},
};

static const char *const metric_names[] = {"distance", "arrived"};

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  ParticleWorld *world = block;
  particles_begin(world, values, AGENTS, LANDMARKS, LANDMARKS);
  world->silent = strcmp(values[PARTICLES_FIRST_OPTION], "true") != 0;
  world->body[SPEAKER].fixed = true;
  world->body[SPEAKER].speaks = true;
  world->body[SPEAKER].sign = 'S';
  world->body[LISTENER].sign = 'L';
  world->goals = 1;
  world->seeker[0] = LISTENER;
  for (uint32_t i = 0; i < AGENTS; i++)
    world->body[i].size = 0.075;
  for (uint32_t i = 0; i < LANDMARKS; i++)
    world->body[AGENTS + i].size = 0.04;
  particles_kind(world, "speaker", SPEAKER, LISTENER, 3);
  particles_kind(world, "listener", LISTENER, AGENTS, 2 + 2 * LANDMARKS + LANDMARKS);
  double far = particles_far(world);
  particles_finish(world, spec, true, -(world->openai ? 2 : 1) * far * far * world->limit, 0, 2);
  return 0;
}

static AgonStatus reset(const void *world, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  ParticleEpisode *episode = state;
  particles_scatter(world, episode, random, 1);
  episode->goal[0] = agon_random_below(random, LANDMARKS);
  return AGON_RUNNING;
}

static double square_from_goal(const ParticleWorld *world, const ParticleEpisode *episode) {
  Point to = particles_landmark(world, episode)[episode->goal[0]];
  return particles_square(particles_place(world, episode)[LISTENER], to);
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random, (void)error;
  const ParticleWorld *world = block;
  ParticleEpisode *episode = state;
  double *paid = particles_reward(world, episode);
  particles_move(world, episode, actions);
  double square = square_from_goal(world, episode);
  paid[SPEAKER] = paid[LISTENER] = -square;
  episode->tally[DISTANCE] += sqrt(square);
  if (world->openai) particles_pool(world, episode);
  return particles_pay(world, episode, reward);
}

/* The speaker: the colour of the goal. The listener: velocity, landmarks, the speaker's words. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  float *row = out;
  if (agent == SPEAKER) {
    for (uint32_t i = 0; i < 3; i++)
      row[i] = i == episode->goal[0] ? 0.65f : 0.15f;
    return;
  }
  row = particles_put(row, particles_velocity(world, episode)[LISTENER]);
  row = particles_put_landmarks(world, episode, LISTENER, row);
  if (world->silent)
    memset(row, 0, LANDMARKS * sizeof *row);
  else
    particles_put_words(world, episode, LISTENER, row);
}

static void global_state(const void *world, const void *episode, float *row) {
  particles_state(world, episode, row, observe);
}

/* The listener's mean distance from the goal; whether it is there at the end. */
static void metrics(const void *world, const void *state, float *values) {
  const ParticleEpisode *episode = state;
  values[0] = (float)(episode->tally[DISTANCE] / (episode->time ? episode->time : 1));
  values[1] = sqrt(square_from_goal(world, episode)) < ARRIVED;
}

/* The speaker says the goal by its number. The listener goes where it was told to, and waits in the
 * middle of the landmarks until it has been. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)random;
  const ParticleWorld *world = block;
  const ParticleEpisode *episode = state;
  const Point *landmark = particles_landmark(world, episode);
  if (agent == SPEAKER) {
    particles_say(world, SPEAKER, episode->goal[0], action);
    return;
  }
  uint32_t word = LANDMARKS;
  if (!world->silent) word = particles_heard(world, episode, SPEAKER, LANDMARKS);
  Point middle = {(landmark[0].x + landmark[1].x + landmark[2].x) / LANDMARKS,
                  (landmark[0].y + landmark[1].y + landmark[2].y) / LANDMARKS};
  particles_go(world, episode, LISTENER, word < LANDMARKS ? landmark[word] : middle, action);
}

/* Of both kinds side by side: the speaker's word, the listener's move. */
static const char *action_name(const void *world, uint32_t head, uint32_t choice) {
  static const char *const name[] = {"say A, or stay", "say B, or left", "say C, or right", "down",
                                     "up"};
  (void)head;
  return ((const ParticleWorld *)world)->actions == PARTICLES_BOX ? NULL : name[choice];
}

const AgonEnv env_simple_speaker_listener = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "simple_speaker_listener",
    .summary = "one sees the goal and speaks, one hears and goes there (particles)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(ParticleWorld),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = particles_flags,
    .global_state = global_state,
    .metrics = metrics,
    .metric_names = metric_names,
    .action_name = action_name,
    .position = particles_position,
    .render = particles_render,
    .scripted = scripted,
};

/* A plug-in of this ABI that was compiled against its first header (first.h): a shorter table, spec
 * and kinds, two of them. A thrower hides 0 to 2 fingers of one hand, a guesser names 0 to 4 with
 * two: whoever is closer than one wins. */
#include "first.h"

#include <string.h>

enum { ROUNDS = 5, RUNNING = 0, TERMINATED = 2, ACTS = 1, ALIVE = 2, FAILED = -1 };

typedef struct Episode {
  int32_t round, lead, last;
} Episode;

static const uint32_t hands[2][2] = {{3, 0}, {3, 3}};
static const FirstKind kinds[2] = {
    {"thrower", 0, {1, 1, 1}, 0, ROUNDS, 0, 1, hands[0], NULL, NULL},
    {"guesser", 0, {3, 1, 1}, -ROUNDS, ROUNDS, 1, 2, hands[1], NULL, NULL}};
static const uint8_t kind_of[2] = {0, 1};

static int configure(const char *const *values, void *params, FirstSpec *spec, FirstError *error) {
  (void)values, (void)params, (void)error;
  *spec = (FirstSpec){.episode_size = sizeof(Episode),
                      .agents = 2,
                      .teams = 2,
                      .kinds = 2,
                      .kind = kinds,
                      .kind_of = kind_of,
                      .step_limit = ROUNDS,
                      .flags = 1 | 8,
                      .reward_low = -ROUNDS,
                      .reward_high = ROUNDS};
  return 0;
}

static int reset(const void *params, void *block, const AgonRandom *random, FirstError *error) {
  (void)params, (void)random, (void)error;
  memset(block, 0, sizeof(Episode));
  return RUNNING;
}

/* The guesser's second hand may hide fingers, too; the thrower has no second hand, and its second
 * component is 0. */
static int step(const void *params, void *block, const FirstAction *actions,
                const AgonRandom *random, float *reward, FirstError *error) {
  (void)params, (void)random;
  Episode *episode = (Episode *)block;
  int hidden = actions[0].choice, guess = actions[2].choice + actions[3].choice;
  if (actions[1].choice != 0) {
    strcpy(error->text, "the thrower has one hand");
    return FAILED;
  }
  int gain = guess == hidden ? -1 : guess > hidden + 1 || guess < hidden - 1 ? 1 : 0;
  reward[0] += (float)gain;
  reward[1] -= (float)gain;
  episode->lead += gain;
  episode->last = hidden;
  return ++episode->round < ROUNDS ? RUNNING : TERMINATED;
}

static void observe(const void *params, const void *block, uint32_t agent, void *row) {
  (void)params;
  const Episode *episode = (const Episode *)block;
  float values[3] = {(float)episode->round, (float)episode->last, (float)episode->lead};
  memcpy(row, values, agent ? sizeof values : sizeof values[0]);
}

static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  flag[0] = flag[1] = (uint8_t)(ALIVE | (((const Episode *)block)->round < ROUNDS ? ACTS : 0));
}

static void outcome(const void *params, const void *block, float *out) {
  (void)params;
  int lead = ((const Episode *)block)->lead;
  out[0] = lead > 0 ? 1.0f : lead < 0 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

static const FirstEnv table = {
    2,
    sizeof(FirstEnv),
    sizeof(FirstSpec),
    sizeof(FirstKind),
    sizeof(FirstOption),
    1,
    "fingers",
    "a thrower with one hand, a guesser with two; compiled before the header grew",
    NULL,
    0,
    0,
    configure,
    reset,
    step,
    observe,
    flags,
    NULL,
    NULL,
    outcome};

const void *agon_env(void);
const void *agon_env(void) {
  return &table;
}

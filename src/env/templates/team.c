/* my_game: a fire brigade.
 *
 * Agents move on a grid on which fires burn. A fire goes out when as many agents as are needed
 * stand on its cell, which pays each of them all 1, and another one breaks out elsewhere. After
 * `limit` steps the episode is cut.
 *
 * A game of one team that plays against nobody: what counts is what it earns, beside random play
 * and a rule. To make yours of it, begin with Episode, then `step` (the rules) and `observe` (what
 * an agent sees); agon/env.h explains each function. `agon env check` after every change finds most
 * mistakes. Several teams are `.teams` and `.team_of` in the spec, and an `outcome`; agents that
 * see or do different things are several kinds.
 */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_AGENTS = 8, MOST_FIRES = 4, MOST_SIZE = 12 };
enum { STAY, NORTH, SOUTH, WEST, EAST, CHOICES };

/* What the options chose. It is written once, by configure. */
typedef struct Params {
  uint32_t size, agents, fires, needed, limit;
  AgonKind kind;
} Params;

typedef struct Cell {
  uint8_t x, y;
} Cell;

/* The whole state of an episode: copying these bytes copies it. */
typedef struct Episode {
  Cell agent[MOST_AGENTS];
  Cell fire[MOST_FIRES];
  uint16_t steps;
  uint16_t put_out;
} Episode;

static const AgonEnvOption options[] = {
    {"size", AGON_OPT_INT, "4", 3, MOST_SIZE, NULL, "cells on a side"},
    {"agents", AGON_OPT_INT, "2", 1, MOST_AGENTS, NULL, "agents of the team"},
    {"fires", AGON_OPT_INT, "2", 1, MOST_FIRES, NULL, "fires that burn at a time"},
    {"needed", AGON_OPT_INT, "2", 1, MOST_AGENTS, NULL, "agents that a fire takes"},
    {"limit", AGON_OPT_INT, "25", 5, 500, NULL, "steps of an episode"},
};

static const uint32_t choices[] = {CHOICES};
static const AgonAction idle[] = {{.choice = STAY}};

/* What does not fit together is refused by a sentence for the user. */
static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  Params *params = block;
  params->size = (uint32_t)atoi(values[0]);
  params->agents = (uint32_t)atoi(values[1]);
  params->fires = (uint32_t)atoi(values[2]);
  params->needed = (uint32_t)atoi(values[3]);
  params->limit = (uint32_t)atoi(values[4]);
  if (params->needed > params->agents) {
    snprintf(error->text, sizeof error->text, "needed=%u of agents=%u: no fire would go out",
             params->needed, params->agents);
    return -1;
  }
  params->kind =
      (AgonKind){.observation_type = AGON_F32,
                 .observation_shape = {2 + 2 * (params->agents - 1) + 2 * params->fires, 1, 1},
                 .observation_low = -1,
                 .observation_high = 1,
                 .heads = 1,
                 .head_size = choices,
                 .idle = idle};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = params->agents,
                        .teams = 1,
                        .kinds = 1,
                        .kind = &params->kind,
                        .global_state_size = 2 * (params->agents + params->fires),
                        .step_limit = params->limit,
                        .flags = AGON_COOPERATIVE | AGON_SIMULTANEOUS,
                        .reward_low = 0,
                        .reward_high = (float)(params->limit * params->fires),
                        .metrics = 1};
  return 0;
}

static int same(const Cell *a, const Cell *b) {
  return a->x == b->x && a->y == b->y;
}

/* Chance that is drawn, rather than told by chance_outcomes: for games that are too large to be
 * walked through. All random numbers are the host's, so that runs repeat and resume exactly. */
static Cell draw(const Params *params, const AgonRandom *random) {
  const uint32_t cell = agon_random_below(random, params->size * params->size);
  return (Cell){.x = (uint8_t)(cell % params->size), .y = (uint8_t)(cell / params->size)};
}

/* A fire breaks out where there is none. */
static void break_out(const Params *params, Episode *episode, uint32_t index, uint32_t burning,
                      const AgonRandom *random) {
  int taken = 1;
  while (taken) {
    const Cell cell = draw(params, random);
    taken = 0;
    for (uint32_t f = 0; f < burning; f++)
      taken |= f != index && same(&cell, &episode->fire[f]);
    episode->fire[index] = cell;
  }
}

static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  memset(episode, 0, sizeof *episode);
  for (uint32_t a = 0; a < params->agents; a++)
    episode->agent[a] = draw(params, random);
  for (uint32_t f = 0; f < params->fires; f++)
    break_out(params, episode, f, f, random);
  return AGON_RUNNING;
}

/* The host only passes legal moves on, so that nobody leaves the grid. */
static void move(Cell *cell, int32_t choice) {
  switch (choice) {
  case NORTH: cell->y--; break;
  case SOUTH: cell->y++; break;
  case WEST: cell->x--; break;
  case EAST: cell->x++; break;
  default: break;
  }
}

/* All agents act at once. Rewards add up over the episode, which is cut at its limit: agents do not
 * see it coming, so that is no end by the rules (AGON_TERMINATED), and what would have followed
 * counts. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  for (uint32_t a = 0; a < params->agents; a++)
    move(&episode->agent[a], actions[a].choice);
  for (uint32_t f = 0; f < params->fires; f++) {
    uint32_t there = 0;
    for (uint32_t a = 0; a < params->agents; a++)
      there += (uint32_t)same(&episode->agent[a], &episode->fire[f]);
    if (there < params->needed) continue;
    episode->put_out++;
    for (uint32_t a = 0; a < params->agents; a++)
      reward[a] += 1;
    break_out(params, episode, f, params->fires, random);
  }
  episode->steps++;
  return episode->steps < params->limit ? AGON_RUNNING : AGON_TRUNCATED;
}

/* The way from one cell to another, in parts of the grid. */
static float *put_way(float *row, const Params *params, const Cell *from, const Cell *to) {
  const float side = (float)(params->size - 1);
  *row++ = (float)(to->x - from->x) / side;
  *row++ = (float)(to->y - from->y) / side;
  return row;
}

/* Where an agent is, and the ways to the others and to the fires. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  const Cell corner = {0, 0};
  const Cell *self = &episode->agent[agent];
  float *row = put_way(out, params, &corner, self);
  for (uint32_t i = 1; i < params->agents; i++)
    row = put_way(row, params, self, &episode->agent[(agent + i) % params->agents]);
  for (uint32_t f = 0; f < params->fires; f++)
    row = put_way(row, params, self, &episode->fire[f]);
}

/* All of it at once, for learners whose critic may see everything in training. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  const Cell corner = {0, 0};
  for (uint32_t a = 0; a < params->agents; a++)
    row = put_way(row, params, &corner, &episode->agent[a]);
  for (uint32_t f = 0; f < params->fires; f++)
    row = put_way(row, params, &corner, &episode->fire[f]);
}

/* Moves that stay on the grid. */
static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  const Params *params = block;
  const Cell *self = &((const Episode *)state)->agent[agent];
  row[STAY] = 1;
  row[NORTH] = self->y > 0;
  row[SOUTH] = self->y + 1u < params->size;
  row[WEST] = self->x > 0;
  row[EAST] = self->x + 1u < params->size;
}

/* Everybody acts in every step; once the episode is cut nobody does. */
static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const int over = ((const Episode *)state)->steps == params->limit;
  memset(flag, over ? AGON_ALIVE : AGON_ALIVE | AGON_ACTS, params->agents);
}

/* What is counted of an episode: means of it stand in metrics, `status` and the report. */
static const char *const metric_names[] = {"put_out"};

static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  values[0] = ((const Episode *)state)->put_out;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[CHOICES] = {"stay", "north", "south", "west", "east"};
  (void)block;
  (void)head;
  return name[choice];
}

/* Where an agent is, for what needs to know who is near whom. */
static void position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  (void)block;
  const Cell *self = &((const Episode *)state)->agent[agent];
  xyz[0] = self->x;
  xyz[1] = self->y;
  xyz[2] = 0;
}

/* The grid: agents by their numbers, fires by a star, both on one cell by the number. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (uint32_t y = 0; y < params->size; y++)
    for (uint32_t x = 0; x <= params->size && used + 1 < size; x++) {
      const Cell here = {(uint8_t)x, (uint8_t)y};
      char letter = x == params->size ? '\n' : '.';
      for (uint32_t f = 0; f < params->fires; f++)
        if (same(&here, &episode->fire[f])) letter = '*';
      for (uint32_t a = 0; a < params->agents; a++)
        if (same(&here, &episode->agent[a])) letter = (char)('0' + a);
      text[used++] = letter;
    }
  text[used] = 0;
  snprintf(text + used, size - used, "step %u of %u, %u put out\n", episode->steps, params->limit,
           episode->put_out);
}

static uint32_t distance(const Cell *a, const Cell *b) {
  return (uint32_t)(abs(a->x - b->x) + abs(a->y - b->y));
}

/* A player by rule, for the team's return to be measured against: all go to the fire to which the
 * ways of all are shortest in sum. It is decided from what every agent sees. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)random;
  const Params *params = block;
  const Episode *episode = state;
  const Cell *self = &episode->agent[agent];
  uint32_t best = 0;
  uint32_t least = UINT32_MAX;
  for (uint32_t f = 0; f < params->fires; f++) {
    uint32_t sum = 0;
    for (uint32_t a = 0; a < params->agents; a++)
      sum += distance(&episode->agent[a], &episode->fire[f]);
    if (sum >= least) continue;
    least = sum;
    best = f;
  }
  const Cell *fire = &episode->fire[best];
  action->choice = fire->x > self->x   ? EAST
                   : fire->x < self->x ? WEST
                   : fire->y > self->y ? SOUTH
                   : fire->y < self->y ? NORTH
                                       : STAY;
}

static const AgonEnv env_my_game = {
    AGON_ENV_SIZES,
    .version = 1, /* another number when the rules change: old results are then another game's */
    .name = "my_game",
    .summary = "a fire brigade: a team that must meet where it burns",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .mask = mask,
    .global_state = global_state,
    .metrics = metrics,
    .metric_names = metric_names,
    .action_name = action_name,
    .render = render,
    .scripted = scripted,
    .position = position,
};

/* A plug-in exports this one function. */
const AgonEnv *agon_env(void) {
  return &env_my_game;
}

/* Predators hunt prey on a grid, and must catch together: a prey is caught by two or more who stand
 * beside it and catch in the same step, and who catches alone is punished. The cost of a lone catch
 * teaches learners that value actions one by one not to catch at all (relative overgeneralisation):
 * this is the game in which the literature on value decomposition shows it.
 *
 * Rules and constants are those of the relative overgeneralisation task of Boehmer et al. 2020,
 * "Deep coordination graphs": 8 predators and 8 prey on 10 x 10 cells, 10 for a catch, -2 for a
 * lone one (penalty=2; the paper has 0 to 2), predators see 5 x 5 cells around them, 200 steps. In
 * each step first the predators move, in random order; then each prey, in random order, is caught,
 * or moves to one of the free cells beside it. Who has caught something leaves with it, so that 8
 * predators catch at most 4 prey: at best the team earns 40. (Son et al. 2019 hunt in a plane
 * instead, with the same reward.) Every predator is paid the team's reward. The end by the step
 * limit is a truncation. Their toroidal grids, hares, ghosts and cones of sight are not here. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIZE = 24, MAX_PREDATORS = 32, MAX_PREY = 32, MAX_CELLS = MAX_SIZE * MAX_SIZE };
enum { RIGHT, DOWN, LEFT, UP, STAY, CATCH, ACTIONS, WAYS = 4 };
enum { PREDATOR, PREY, WALL }; /* planes of an observation */
enum { PATIENCE = 8 };         /* the scripted player does anything in one of so many steps */

typedef struct Params {
  int size, predators, prey, sight, needed, limit;
  bool walls; /* are seen */
  float reward, penalty;
  double rest;
  AgonKind kind;
} Params;

typedef struct Place {
  int8_t row, column;
} Place;

typedef struct Episode {
  int32_t time;
  int32_t caught;
  int32_t lone; /* catches that too few took part in */
  int32_t over;
  Place predator[MAX_PREDATORS];
  Place prey[MAX_PREY];
  uint8_t out[MAX_PREDATORS]; /* has left with what it caught */
  uint8_t eaten[MAX_PREY];
  /* Who stands in a cell: 0 nobody, a predator by its number from 1, a prey by its number from
   * MAX_PREDATORS + 1. */
  uint8_t cell[MAX_CELLS];
} Episode;

static const AgonEnvOption options[] = {
    {"size", AGON_OPT_INT, "10", 3, MAX_SIZE, NULL, "cells from side to side of the square grid"},
    {"predators", AGON_OPT_INT, "8", 1, MAX_PREDATORS, NULL, "agents"},
    {"prey", AGON_OPT_INT, "8", 1, MAX_PREY, NULL, "that move at random"},
    {"sight", AGON_OPT_INT, "2", 1, MAX_SIZE, NULL, "cells seen to each side"},
    {"needed", AGON_OPT_INT, "2", 1, WAYS, NULL, "predators that must catch a prey together"},
    {"reward", AGON_OPT_FLOAT, "10", 0, 1000, NULL, "for a catch, to all"},
    {"penalty", AGON_OPT_FLOAT, "2", 0, 1000, NULL,
     "what a catch by fewer than are needed costs all"},
    {"rest", AGON_OPT_FLOAT, "0", 0, 1, NULL, "probability that a prey stays where it is"},
    {"walls", AGON_OPT_BOOL, "false", 0, 0, NULL, "a third plane shows what is beyond the border"},
    {"limit", AGON_OPT_INT, "200", 1, 10000, NULL, "steps until the episode is cut short"},
};

static const char *const metric_names[] = {"caught", "lone_catches", "length"};

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  static const uint32_t head_size = ACTIONS;
  static const AgonAction idle = {.choice = STAY};
  Params *params = block;
  *params = (Params){.size = atoi(values[0]),
                     .predators = atoi(values[1]),
                     .prey = atoi(values[2]),
                     .sight = atoi(values[3]),
                     .needed = atoi(values[4]),
                     .reward = strtof(values[5], NULL),
                     .penalty = strtof(values[6], NULL),
                     .rest = strtod(values[7], NULL),
                     .walls = !strcmp(values[8], "true"),
                     .limit = atoi(values[9])};
  const int cells = params->size * params->size;
  if (params->predators + params->prey > cells) {
    snprintf(error->text, sizeof error->text,
             "%d predators and %d prey have no room on %d x %d cells: make env.size larger",
             params->predators, params->prey, params->size, params->size);
    return -1;
  }
  if (params->predators < params->needed) {
    snprintf(error->text, sizeof error->text,
             "%d predators can never be the %d that a catch needs: make env.needed smaller",
             params->predators, params->needed);
    return -1;
  }
  const uint32_t side = 2 * (uint32_t)params->sight + 1;
  params->kind = (AgonKind){.observation_type = AGON_U8,
                            .observation_shape = {params->walls ? 3 : 2, side, side},
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = &head_size,
                            .idle = &idle};
  const int groups = params->predators / params->needed;
  const int catches = groups < params->prey ? groups : params->prey;
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = (uint32_t)params->predators,
                        .teams = 1,
                        .kinds = 1,
                        .kind = &params->kind,
                        .global_state_size = 2 * (uint32_t)cells + 1,
                        .step_limit = (uint32_t)params->limit,
                        .flags = AGON_COOPERATIVE | AGON_SIMULTANEOUS,
                        .reward_low = -params->penalty * (float)(params->prey * params->limit),
                        .reward_high = params->reward * (float)catches,
                        .metrics = 3};
  return 0;
}

static int cell_of(const Params *params, Place at) {
  return at.row * params->size + at.column;
}

static bool inside(const Params *params, Place at) {
  return at.row >= 0 && at.column >= 0 && at.row < params->size && at.column < params->size;
}

/* The next cell that way; STAY and CATCH: the same. */
static Place beside(Place from, int way) {
  static const int8_t down[ACTIONS] = {[DOWN] = 1, [UP] = -1};
  static const int8_t right[ACTIONS] = {[RIGHT] = 1, [LEFT] = -1};
  from.row = (int8_t)(from.row + down[way]);
  from.column = (int8_t)(from.column + right[way]);
  return from;
}

static bool is_free(const Params *params, const Episode *episode, Place at) {
  return inside(params, at) && !episode->cell[cell_of(params, at)];
}

static int far(Place a, Place b) {
  return abs(a.row - b.row) + abs(a.column - b.column);
}

/* A free cell, all alike, for somebody with this number. */
static Place settle(const Params *params, Episode *episode, const AgonRandom *random, int number) {
  Place at;
  do {
    at.row = (int8_t)agon_random_below(random, (uint32_t)params->size);
    at.column = (int8_t)agon_random_below(random, (uint32_t)params->size);
  } while (!is_free(params, episode, at));
  episode->cell[cell_of(params, at)] = (uint8_t)number;
  return at;
}

static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  memset(episode, 0, sizeof *episode);
  for (int p = 0; p < params->predators; p++)
    episode->predator[p] = settle(params, episode, random, p + 1);
  for (int p = 0; p < params->prey; p++)
    episode->prey[p] = settle(params, episode, random, MAX_PREDATORS + p + 1);
  return AGON_RUNNING;
}

/* Somebody goes to a free cell. */
static void go(const Params *params, Episode *episode, Place *who, Place to) {
  uint8_t *from = &episode->cell[cell_of(params, *who)];
  episode->cell[cell_of(params, to)] = *from;
  *from = 0;
  *who = to;
}

/* The numbers from 0 to count-1 in random order. */
static void shuffle(const AgonRandom *random, int count, uint8_t *order) {
  for (int i = 0; i < count; i++) {
    const uint32_t at = agon_random_below(random, (uint32_t)i + 1);
    order[i] = order[at];
    order[at] = (uint8_t)i;
  }
}

/* One after the other: who finds a cell taken stays where it is. */
static void move_predators(const Params *params, Episode *episode, const AgonAction *actions,
                           const AgonRandom *random) {
  uint8_t order[MAX_PREDATORS] = {0};
  shuffle(random, params->predators, order);
  for (int i = 0; i < params->predators; i++) {
    const int p = order[i];
    const Place to = beside(episode->predator[p], actions[p].choice);
    if (!episode->out[p] && is_free(params, episode, to))
      go(params, episode, &episode->predator[p], to);
  }
}

/* Those beside a prey who catch, a bit for each, and how many they are. */
static int catchers(const Params *params, const Episode *episode, const AgonAction *actions,
                    Place prey, uint32_t *who) {
  int count = 0;
  *who = 0;
  for (int way = 0; way < WAYS; way++) {
    const Place at = beside(prey, way);
    const int p = inside(params, at) ? episode->cell[cell_of(params, at)] - 1 : -1;
    if (p < 0 || p >= MAX_PREDATORS || actions[p].choice != CATCH) continue;
    *who |= 1u << p;
    count++;
  }
  return count;
}

/* A prey and those who caught it leave the grid. */
static void leave(const Params *params, Episode *episode, int prey, uint32_t who) {
  episode->eaten[prey] = 1;
  episode->cell[cell_of(params, episode->prey[prey])] = 0;
  episode->caught++;
  for (int p = 0; p < params->predators; p++) {
    if (!(who >> p & 1)) continue;
    episode->out[p] = 1;
    episode->cell[cell_of(params, episode->predator[p])] = 0;
  }
}

/* To one of the free cells beside it, all alike; where there is none, or it rests, nowhere. */
static void flee(const Params *params, Episode *episode, int prey, const AgonRandom *random) {
  Place open[WAYS];
  uint32_t count = 0;
  for (int way = 0; way < WAYS; way++) {
    const Place to = beside(episode->prey[prey], way);
    if (is_free(params, episode, to)) open[count++] = to;
  }
  if (!count || (params->rest > 0 && agon_random_unit(random) < params->rest)) return;
  go(params, episode, &episode->prey[prey], open[agon_random_below(random, count)]);
}

/* One prey after the other is caught, or moves. Returns what the team is paid. */
static float move_prey(const Params *params, Episode *episode, const AgonAction *actions,
                       const AgonRandom *random) {
  uint8_t order[MAX_PREY] = {0};
  float paid = 0;
  shuffle(random, params->prey, order);
  for (int i = 0; i < params->prey; i++) {
    const int prey = order[i];
    uint32_t who;
    if (episode->eaten[prey]) continue;
    const int count = catchers(params, episode, actions, episode->prey[prey], &who);
    if (count >= params->needed) {
      paid += params->reward;
      leave(params, episode, prey, who);
      continue;
    }
    if (count) {
      paid -= params->penalty;
      episode->lone++;
    }
    flee(params, episode, prey, random);
  }
  return paid;
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  int left = 0;
  move_predators(params, episode, actions, random);
  const float paid = move_prey(params, episode, actions, random);
  for (int p = 0; p < params->predators; p++) {
    reward[p] += paid;
    left += !episode->out[p];
  }
  episode->time++;
  episode->over = episode->caught == params->prey || !left;
  if (episode->over) return AGON_TERMINATED;
  return episode->time >= params->limit ? AGON_TRUNCATED : AGON_RUNNING;
}

/* The cells around oneself: predators (oneself in the middle), prey, and with `walls` the cells
 * beyond the border. Who has left sees nothing. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  const int side = 2 * params->sight + 1, plane = side * side;
  uint8_t *row = out;
  memset(row, 0, (size_t)(plane * (params->walls ? 3 : 2)));
  if (episode->out[agent]) return;
  const int top = episode->predator[agent].row - params->sight;
  const int left = episode->predator[agent].column - params->sight;
  for (int y = 0; y < side; y++)
    for (int x = 0; x < side; x++) {
      const bool beyond =
          top + y < 0 || left + x < 0 || top + y >= params->size || left + x >= params->size;
      const int there = beyond ? 0 : episode->cell[(top + y) * params->size + left + x];
      if (there) row[(there > MAX_PREDATORS ? PREY : PREDATOR) * plane + y * side + x] = 1;
      if (beyond && params->walls) row[WALL * plane + y * side + x] = 1;
    }
}

static bool prey_beside(const Params *params, const Episode *episode, Place at) {
  for (int way = 0; way < WAYS; way++) {
    const Place there = beside(at, way);
    if (inside(params, there) && episode->cell[cell_of(params, there)] > MAX_PREDATORS) return true;
  }
  return false;
}

/* Nobody walks beyond the border; to catch there must be a prey beside one. */
static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  const Params *params = block;
  const Episode *episode = state;
  const Place at = episode->predator[agent];
  for (int way = 0; way < WAYS; way++)
    row[way] = inside(params, beside(at, way));
  row[STAY] = 1;
  row[CATCH] = prey_beside(params, episode, at);
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  for (int p = 0; p < params->predators; p++)
    flag[p] = episode->out[p] ? 0 : (uint8_t)(AGON_ALIVE | (episode->over ? 0 : AGON_ACTS));
}

/* The whole grid: predators, prey; and the share of steps that are left. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  const int cells = params->size * params->size;
  for (int c = 0; c < cells; c++) {
    row[c] = episode->cell[c] > 0 && episode->cell[c] <= MAX_PREDATORS;
    row[cells + c] = episode->cell[c] > MAX_PREDATORS;
  }
  row[2 * cells] = 1 - (float)episode->time / (float)params->limit;
}

static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  const Episode *episode = state;
  values[0] = (float)episode->caught;
  values[1] = (float)episode->lone;
  values[2] = (float)episode->time;
}

static void position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  (void)block;
  const Episode *episode = state;
  xyz[0] = episode->predator[agent].column;
  xyz[1] = episode->predator[agent].row;
  xyz[2] = 0;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[ACTIONS] = {"right", "down", "left", "up", "stay", "catch"};
  (void)block, (void)head;
  return name[choice];
}

/* Predators as large letters (after Z come small ones, which there are seldom), prey as *. */
static void render(const void *block, const void *state, char *text, size_t size) {
  static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (int c = 0; c < params->size * params->size && used + 4 < size; c++) {
    const int there = episode->cell[c];
    text[used++] = ' ';
    text[used++] = there > MAX_PREDATORS ? '*' : there ? letter[there - 1] : '.';
    if (c % params->size == params->size - 1) text[used++] = '\n';
  }
  snprintf(
      text + used, size - used,
      "step %d of %d, %d caught, %d lone catches; predators A.., prey *; who has caught leaves "
      "with it\n",
      episode->time, params->limit, episode->caught, episode->lone);
}

/* Predators who are not out and have no prey to go for, by how far they are from this one: the
 * `needed` nearest, and the sum of their ways; false where there are not so many. */
static bool nearest_free(const Params *params, const Episode *episode, int prey,
                         const int8_t *target, int *who, int *ways) {
  uint32_t taken = 0;
  *ways = 0;
  for (int n = 0; n < params->needed; n++) {
    int best = -1;
    for (int p = 0; p < params->predators; p++)
      if (!episode->out[p] && target[p] < 0 && !(taken >> p & 1) &&
          (best < 0 || far(episode->predator[p], episode->prey[prey]) <
                           far(episode->predator[best], episode->prey[prey])))
        best = p;
    if (best < 0) return false;
    taken |= 1u << best;
    who[n] = best;
    *ways += far(episode->predator[best], episode->prey[prey]);
  }
  return true;
}

/* Shares prey out: again and again the prey that `needed` free predators are nearest to. Who is
 * left over has none (-1). All who ask get the same. */
static void share_out(const Params *params, const Episode *episode, int8_t *target) {
  memset(target, -1, MAX_PREDATORS);
  uint32_t shared = 0;
  for (;;) {
    int chosen = -1, least = 0;
    int group[WAYS] = {0};
    for (int prey = 0; prey < params->prey; prey++) {
      int who[WAYS] = {0}, ways;
      if (episode->eaten[prey] || shared >> prey & 1) continue;
      if (!nearest_free(params, episode, prey, target, who, &ways)) continue;
      if (chosen >= 0 && ways >= least) continue;
      chosen = prey;
      least = ways;
      memcpy(group, who, sizeof group);
    }
    if (chosen < 0) return;
    shared |= 1u << chosen;
    for (int n = 0; n < params->needed; n++)
      target[group[n]] = (int8_t)chosen;
  }
}

/* Goes for the prey that it shares with others, catches when all of them stand beside it, and waits
 * for them before; told, as by a scout, where everybody is. Now and then it goes anywhere, for two
 * who want past each other. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  const Params *params = block;
  const Episode *episode = state;
  const Place at = episode->predator[agent];
  int8_t target[MAX_PREDATORS];
  share_out(params, episode, target);
  const int prey = target[agent];
  int beside_it = 0, ties = 0;
  action->choice = STAY;
  for (int p = 0; prey >= 0 && p < params->predators; p++)
    beside_it += target[p] == prey && far(episode->predator[p], episode->prey[prey]) == 1;
  if (prey >= 0 && far(at, episode->prey[prey]) == 1) {
    if (beside_it >= params->needed) action->choice = CATCH;
    return;
  }
  const bool astray = prey < 0 || !agon_random_below(random, PATIENCE);
  for (int way = 0; way < WAYS; way++) {
    const Place to = beside(at, way);
    if (!is_free(params, episode, to)) continue;
    if (!astray && far(to, episode->prey[prey]) >= far(at, episode->prey[prey])) continue;
    if (!agon_random_below(random, (uint32_t)++ties)) action->choice = way;
  }
}

const AgonEnv env_predator_prey = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "predator_prey",
    .summary = "predators on a grid must catch prey together, and pay for catching alone",
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
    .action_name = action_name,
    .metric_names = metric_names,
    .render = render,
    .scripted = scripted,
    .position = position,
};

/* Multi-robot warehouse: robots drive under shelves, carry those that are requested to a goal, and
 * must bring them back to some empty place before they can take the next. One team; a robot sees
 * the cells around it. Rewards are rare: random play delivers next to nothing.
 *
 * The rules are those of rware 2.0.0 (rware-tiny-4ag-v2 and others; Papoudakis et al. 2021), step
 * for step. Who may move when several want to is a question to the graph of cells, in which each
 * robot is an edge from where it stands to where it wants to go. In a part with a cycle those on
 * the cycle move and nobody else, unless it is two who want to change places: then nobody. In a
 * part without one a chain ends in a free cell, and the longest chain moves; of equal ones that of
 * the cell that the robots, asked by number, name first (the original takes that order, too, where
 * the part has half of all cells, else one of its hash tables). A loaded robot cannot enter the
 * place of a standing shelf. The end by the step limit is a truncation here. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROBOTS = 20, MAX_QUEUE = 64, MAX_CELLS = 800, GOALS = 2 };
enum { NOOP, FORWARD, LEFT, RIGHT, TOGGLE, ACTIONS };
enum { UP, DOWN, WEST, EAST, DIRECTIONS };
enum { OF_SELF = 4 + DIRECTIONS, OF_CELL = 1 + DIRECTIONS + 2, STATE_OF_ROBOT = 4 + DIRECTIONS };
typedef enum Rewards { INDIVIDUAL, GLOBAL, TWO_STAGE } Rewards;

typedef struct Params {
  int width, height, cells, robots, queue, sensor, limit, shelves;
  bool normalised;
  Rewards rewards;
  AgonKind kind;
  uint16_t goal[GOALS];
  uint16_t home[MAX_CELLS];   /* (shelves) where they stand at first */
  uint8_t highway[MAX_CELLS]; /* (cells) 1: shelves cannot be put down here */
} Params;

typedef struct Robot {
  uint16_t cell;
  uint16_t shelf; /* carried: its number from 1, or 0 */
  uint8_t direction;
  uint8_t delivered; /* its shelf was, and waits to be brought back */
} Robot;

typedef struct Episode {
  int32_t time;
  int32_t over;
  int32_t deliveries;
  int32_t blocked; /* moves that others did not let happen */
  Robot robot[MAX_ROBOTS];
  uint16_t request[MAX_QUEUE]; /* (queue) numbers of shelves */
  uint16_t map[];              /* see below; shelves and robots by number from 1, 0: none */
} Episode;

/* The parts of `map`. */
static uint16_t *shelf_at(const Params *params, const Episode *episode) {
  (void)params;
  return (uint16_t *)(uintptr_t)episode->map; /* (cells) */
}
static uint16_t *robot_at(const Params *params, const Episode *episode) {
  return shelf_at(params, episode) + params->cells; /* (cells) */
}
static uint16_t *cell_of(const Params *params, const Episode *episode) {
  return robot_at(params, episode) + params->cells; /* (shelves + 1) */
}
static uint16_t *requested(const Params *params, const Episode *episode) {
  return cell_of(params, episode) + params->shelves + 1; /* (shelves + 1) */
}
static size_t episode_size(const Params *params) {
  return sizeof(Episode) + 2 * (size_t)(2 * params->cells + 2 * (params->shelves + 1));
}

static const AgonEnvOption options[] = {
    {"size", AGON_OPT_CHOICE, "tiny", 0, 0, "tiny|small|medium|large",
     "1 x 3, 2 x 3, 2 x 5 or 3 x 5 blocks of shelves"},
    {"agents", AGON_OPT_INT, "4", 1, MAX_ROBOTS, NULL, "robots"},
    {"difficulty", AGON_OPT_CHOICE, "normal", 0, 0, "easy|normal|hard",
     "requested shelves: two for each robot, one, or one for two robots"},
    {"queue", AGON_OPT_INT, "0", 0, MAX_QUEUE, NULL, "requested shelves; 0 = by difficulty"},
    {"sensor", AGON_OPT_INT, "1", 1, 5, NULL, "cells seen to each side"},
    {"rewards", AGON_OPT_CHOICE, "individual", 0, 0, "individual|global|two_stage",
     "1 for a delivery to who made it, or to all; two_stage: half then, half when it is back"},
    {"column_height", AGON_OPT_INT, "8", 1, 15, NULL, "cells from end to end of a block"},
    {"normalised", AGON_OPT_BOOL, "false", 0, 0, NULL, "coordinates are seen as shares of 1"},
    {"limit", AGON_OPT_INT, "500", 1, 100000, NULL, "steps until the episode is cut short"},
};

static const char *const metric_names[] = {"deliveries", "blocked"};

/* Blocks two wide between roads one wide; the last row is the goals', with a way up from them. */
static void lay_out(Params *params, int columns, int rows, int column_height) {
  params->height = (column_height + 1) * rows + 2;
  params->width = 3 * columns + 1;
  params->cells = params->width * params->height;
  const int middle = params->width / 2, last = params->height - 1;
  for (int y = 0; y < params->height; y++)
    for (int x = 0; x < params->width; x++) {
      const int cell = y * params->width + x;
      const bool way_up =
          y > params->height - (column_height + 3) && (x == middle - 1 || x == middle);
      params->highway[cell] = x % 3 == 0 || y % (column_height + 1) == 0 || y == last || way_up;
      if (!params->highway[cell]) params->home[params->shelves++] = (uint16_t)cell;
    }
  params->goal[0] = (uint16_t)(last * params->width + middle - 1);
  params->goal[1] = (uint16_t)(last * params->width + middle);
}

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  static const uint32_t head_size = ACTIONS;
  static const AgonAction idle = {.choice = NOOP};
  Params *params = block;
  memset(params, 0, sizeof *params);
  const char size = values[0][0];
  lay_out(params, size == 't' || size == 's' ? 3 : 5,
          size == 't'   ? 1
          : size == 'l' ? 3
                        : 2,
          atoi(values[6]));
  params->robots = atoi(values[1]);
  params->queue = atoi(values[3]);
  params->sensor = atoi(values[4]);
  params->rewards = values[5][0] == 'i' ? INDIVIDUAL : values[5][0] == 'g' ? GLOBAL : TWO_STAGE;
  params->normalised = !strcmp(values[7], "true");
  params->limit = atoi(values[8]);
  if (!params->queue) {
    const char difficulty = values[2][0];
    params->queue = difficulty == 'e'   ? 2 * params->robots
                    : difficulty == 'h' ? params->robots / 2
                                        : params->robots;
    if (!params->queue) params->queue = 1;
  }
  if (params->queue >= params->shelves) {
    snprintf(error->text, sizeof error->text,
             "%d shelves are requested, of the %d that there are one must be left: take a larger "
             "size or a smaller queue",
             params->queue, params->shelves);
    return -1;
  }
  const int side = 2 * params->sensor + 1;
  const int far = (params->height > params->width ? params->height : params->width) - 1;
  params->kind = (AgonKind){
      .observation_type = AGON_F32,
      .observation_shape = {OF_SELF + (uint32_t)(side * side) * OF_CELL, 1, 1},
      .observation_high = params->normalised ? 1 : (float)far,
      .heads = 1,
      .head_size = &head_size,
      .idle = &idle,
  };
  *spec = (AgonEnvSpec){
      .params_size = sizeof(Params),
      .episode_size = episode_size(params),
      .agents = (uint32_t)params->robots,
      .teams = 1,
      .kinds = 1,
      .kind = &params->kind,
      .global_state_size = (uint32_t)(params->robots * STATE_OF_ROBOT + 2 * params->cells + 1),
      .step_limit = (uint32_t)params->limit,
      .flags = AGON_COOPERATIVE | AGON_SIMULTANEOUS |
               (params->rewards == GLOBAL ? 0u : (uint32_t)AGON_RETURNS_ADD),
      .reward_high = (float)(GOALS * params->limit),
      .metrics = 2,
  };
  return 0;
}

/* A shelf that is not requested, all alike. */
static uint16_t draw_request(const Params *params, const Episode *episode,
                             const AgonRandom *random) {
  const uint16_t *taken = requested(params, episode);
  uint32_t left = 0;
  for (int s = 1; s <= params->shelves; s++)
    left += !taken[s];
  left = agon_random_below(random, left);
  for (int s = 1;; s++)
    if (!taken[s] && left-- == 0) return (uint16_t)s;
}

static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  memset(episode, 0, episode_size(params));
  for (int s = 0; s < params->shelves; s++) {
    shelf_at(params, episode)[params->home[s]] = (uint16_t)(s + 1);
    cell_of(params, episode)[s + 1] = params->home[s];
  }
  for (int r = 0; r < params->robots; r++) {
    uint32_t cell;
    do
      cell = agon_random_below(random, (uint32_t)params->cells);
    while (robot_at(params, episode)[cell]);
    robot_at(params, episode)[cell] = (uint16_t)(r + 1);
    episode->robot[r] = (Robot){.cell = (uint16_t)cell,
                                .direction = (uint8_t)agon_random_below(random, DIRECTIONS)};
  }
  for (int i = 0; i < params->queue; i++) {
    episode->request[i] = draw_request(params, episode, random);
    requested(params, episode)[episode->request[i]] = 1;
  }
  return AGON_RUNNING;
}

/* The next cell that way; the same one at the wall. */
static int ahead(const Params *params, int cell, int direction) {
  const int x = cell % params->width;
  switch (direction) {
  case UP: return cell >= params->width ? cell - params->width : cell;
  case DOWN: return cell + params->width < params->cells ? cell + params->width : cell;
  case WEST: return x > 0 ? cell - 1 : cell;
  default: return x + 1 < params->width ? cell + 1 : cell;
  }
}

static int turned(int direction, int action) {
  static const uint8_t left[DIRECTIONS] = {[UP] = WEST, [WEST] = DOWN, [DOWN] = EAST, [EAST] = UP};
  static const uint8_t right[DIRECTIONS] = {[UP] = EAST, [EAST] = DOWN, [DOWN] = WEST, [WEST] = UP};
  return action == LEFT ? left[direction] : action == RIGHT ? right[direction] : direction;
}

/* Whether a robot's load keeps it from a cell: a shelf stands there, which nobody carries. */
static bool shelf_stands(const Params *params, const Episode *episode, int cell) {
  const int there = robot_at(params, episode)[cell];
  return shelf_at(params, episode)[cell] && !(there && episode->robot[there - 1].shelf);
}

/* The graph of who wants to go where, robots by number from 0, -1: none. */
typedef struct Moves {
  int target[MAX_ROBOTS];  /* cells; the own one: it stays */
  int next[MAX_ROBOTS];    /* who stands in the target */
  int behind[MAX_ROBOTS];  /* of those who want this robot's cell the end of the longest chain */
  int length[MAX_ROBOTS];  /* robots in the longest chain behind it */
  int rank[MAX_ROBOTS];    /* how early its cell is named */
  int waiting[MAX_ROBOTS]; /* chains behind it that are not measured yet */
  bool free[MAX_ROBOTS];   /* it moves, or stays as it wants */
} Moves;

static bool longer(const Moves *moves, int a, int b) {
  if (b < 0 || moves->length[a] != moves->length[b])
    return b < 0 || moves->length[a] > moves->length[b];
  return moves->rank[a] < moves->rank[b];
}

/* Measures all chains from their ends on, and leaves `waiting` of those on cycles above 0. */
static void measure_chains(const Params *params, Moves *moves) {
  int ready[MAX_ROBOTS], count = 0;
  for (int r = 0; r < params->robots; r++)
    if (!moves->waiting[r]) ready[count++] = r;
  for (int i = 0; i < count; i++) {
    const int r = ready[i], n = moves->next[r];
    if (n < 0) continue;
    if (longer(moves, r, moves->behind[n])) moves->behind[n] = r;
    if (moves->length[n] <= moves->length[r]) moves->length[n] = moves->length[r] + 1;
    if (--moves->waiting[n] == 0) ready[count++] = n;
  }
}

static void free_cycles(const Params *params, Moves *moves) {
  for (int r = 0; r < params->robots; r++) {
    if (!moves->waiting[r]) continue;
    int length = 1;
    for (int at = moves->next[r]; at != r; at = moves->next[at])
      length++;
    moves->free[r] = length != 2;
  }
}

/* Of all chains that end in the same free cell the longest. */
static void free_chains(const Params *params, Moves *moves) {
  for (int r = 0; r < params->robots; r++) {
    if (moves->next[r] >= 0) continue;
    int first = r;
    for (int other = 0; other < params->robots; other++)
      if (moves->next[other] < 0 && moves->target[other] == moves->target[r] &&
          longer(moves, other, first))
        first = other;
    if (first == r)
      for (int at = r; at >= 0; at = moves->behind[at])
        moves->free[at] = true;
  }
}

static void decide_moves(const Params *params, const Episode *episode, const AgonAction *actions,
                         Moves *moves) {
  const uint16_t *at = robot_at(params, episode);
  for (int r = 0; r < params->robots; r++) {
    const Robot *robot = &episode->robot[r];
    int target = robot->cell;
    if (actions[r].choice == FORWARD) target = ahead(params, target, robot->direction);
    if (robot->shelf && target != robot->cell && shelf_stands(params, episode, target))
      target = robot->cell;
    moves->target[r] = target;
    moves->next[r] = at[target] - 1;
    moves->behind[r] = -1;
    moves->length[r] = moves->waiting[r] = 0;
    moves->rank[r] = 2 * r;
    moves->free[r] = false;
  }
  for (int r = params->robots - 1; r >= 0; r--) {
    const int n = moves->next[r];
    if (n < 0) continue;
    moves->waiting[n]++;
    if (2 * r + 1 < moves->rank[n]) moves->rank[n] = 2 * r + 1;
  }
  measure_chains(params, moves);
  free_cycles(params, moves);
  free_chains(params, moves);
}

/* All at once: first all leave, then all arrive. */
static void drive(const Params *params, Episode *episode, const Moves *moves) {
  uint16_t *robots = robot_at(params, episode), *shelves = shelf_at(params, episode);
  for (int r = 0; r < params->robots; r++) {
    const Robot *robot = &episode->robot[r];
    if (!moves->free[r] || moves->target[r] == robot->cell) continue;
    robots[robot->cell] = 0;
    if (robot->shelf) shelves[robot->cell] = 0;
  }
  for (int r = 0; r < params->robots; r++) {
    Robot *robot = &episode->robot[r];
    if (!moves->free[r] || moves->target[r] == robot->cell) continue;
    robot->cell = (uint16_t)moves->target[r];
    robots[robot->cell] = (uint16_t)(r + 1);
    if (!robot->shelf) continue;
    shelves[robot->cell] = robot->shelf;
    cell_of(params, episode)[robot->shelf] = robot->cell;
  }
}

/* Takes the shelf under which it stands, or puts its own down, off the highway. */
static void toggle(const Params *params, const Episode *episode, Robot *robot, float *reward) {
  if (!robot->shelf) {
    robot->shelf = shelf_at(params, episode)[robot->cell];
    return;
  }
  if (params->highway[robot->cell]) return;
  robot->shelf = 0;
  if (robot->delivered && params->rewards == TWO_STAGE) *reward += 0.5f;
  robot->delivered = 0;
}

/* Requested shelves in goals are delivered; another is requested for each. */
static void deliver(const Params *params, Episode *episode, const AgonRandom *random,
                    float *reward) {
  uint16_t *is_requested = requested(params, episode);
  for (int g = 0; g < GOALS; g++) {
    const uint16_t shelf = shelf_at(params, episode)[params->goal[g]];
    if (!shelf || !is_requested[shelf]) continue;
    const uint16_t fresh = draw_request(params, episode, random);
    for (int i = 0; i < params->queue; i++)
      if (episode->request[i] == shelf) episode->request[i] = fresh;
    is_requested[shelf] = 0;
    is_requested[fresh] = 1;
    episode->deliveries++;
    const int r = robot_at(params, episode)[params->goal[g]] - 1; /* shelves get here by robots */
    if (params->rewards == GLOBAL)
      for (int all = 0; all < params->robots; all++)
        reward[all] += 1;
    else if (params->rewards == INDIVIDUAL)
      reward[r] += 1;
    else
      reward[r] += 0.5f, episode->robot[r].delivered = 1;
  }
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  Moves moves;
  decide_moves(params, episode, actions, &moves);
  for (int r = 0; r < params->robots; r++) {
    Robot *robot = &episode->robot[r];
    episode->blocked += !moves.free[r];
    robot->direction = (uint8_t)turned(robot->direction, actions[r].choice);
    if (actions[r].choice == TOGGLE) toggle(params, episode, robot, &reward[r]);
  }
  drive(params, episode, &moves);
  deliver(params, episode, random, reward);
  episode->time++;
  episode->over = episode->time >= params->limit;
  return episode->over ? AGON_TRUNCATED : AGON_RUNNING;
}

/* Own place, load, direction and whether one stands on the highway; then of each cell around one,
 * by rows: is a robot there, its direction (the first, where there is none), is a shelf there, is
 * it requested. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  const uint16_t *robots = robot_at(params, episode), *shelves = shelf_at(params, episode),
                 *is_requested = requested(params, episode);
  const Robot *self = &episode->robot[agent];
  const int x = self->cell % params->width, y = self->cell / params->width;
  const int sensor = params->sensor, side = 2 * sensor + 1;
  float *row = out;
  memset(row, 0, sizeof *row * (OF_SELF + (size_t)(side * side) * OF_CELL));
  row[0] = params->normalised ? (float)((double)x / (params->width - 1)) : (float)x;
  row[1] = params->normalised ? (float)((double)y / (params->height - 1)) : (float)y;
  row[2] = self->shelf != 0;
  row[3 + self->direction] = 1;
  row[3 + DIRECTIONS] = params->highway[self->cell];
  row += OF_SELF;
  for (int v = y - sensor; v <= y + sensor; v++)
    for (int u = x - sensor; u <= x + sensor; u++, row += OF_CELL) {
      const bool inside = u >= 0 && v >= 0 && u < params->width && v < params->height;
      const int cell = v * params->width + u;
      const int robot = inside ? robots[cell] : 0, shelf = inside ? shelves[cell] : 0;
      row[0] = robot != 0;
      row[1 + (robot ? episode->robot[robot - 1].direction : 0)] = 1;
      row[1 + DIRECTIONS] = shelf != 0;
      row[2 + DIRECTIONS] = is_requested[shelf]; /* of 0: never */
    }
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  memset(flag, AGON_ALIVE | (episode->over ? 0 : AGON_ACTS), (size_t)params->robots);
}

/* Of each robot place, load, whether that is requested, direction; of each cell whether a shelf is
 * there and whether it is requested; the share of steps that are left. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  const uint16_t *shelves = shelf_at(params, episode), *is_requested = requested(params, episode);
  memset(row, 0, sizeof *row * (size_t)(params->robots * STATE_OF_ROBOT));
  for (int r = 0; r < params->robots; r++, row += STATE_OF_ROBOT) {
    const Robot *robot = &episode->robot[r];
    row[0] = (float)(robot->cell % params->width) / (float)(params->width - 1);
    row[1] = (float)(robot->cell / params->width) / (float)(params->height - 1);
    row[2] = robot->shelf != 0;
    row[3] = is_requested[robot->shelf];
    row[4 + robot->direction] = 1;
  }
  for (int c = 0; c < params->cells; c++, row += 2) {
    row[0] = shelves[c] != 0;
    row[1] = is_requested[shelves[c]];
  }
  *row = 1 - (float)episode->time / (float)params->limit;
}

static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  const Episode *episode = state;
  values[0] = (float)episode->deliveries;
  values[1] = (float)episode->blocked;
}

static void position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  const Params *params = block;
  const Episode *episode = state;
  xyz[0] = (float)(episode->robot[agent].cell % params->width);
  xyz[1] = (float)(episode->robot[agent].cell / params->width);
  xyz[2] = 0;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[ACTIONS] = {"wait", "forward", "left", "right", "load"};
  (void)block, (void)head;
  return name[choice];
}

/* Shelves x, requested ones X, goals G; robots as a letter and where they look, with their load. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (int c = 0; c < params->cells && used + 5 < size; c++) {
    const int robot = robot_at(params, episode)[c], shelf = shelf_at(params, episode)[c];
    const bool goal = c == params->goal[0] || c == params->goal[1];
    const char load = !shelf ? ' ' : requested(params, episode)[shelf] ? 'X' : 'x';
    char *at = text + used;
    at[0] = robot ? (char)('A' + robot - 1) : ' ';
    at[1] = robot ? "^v<>"[episode->robot[robot - 1].direction] : goal ? 'G' : shelf ? load : '.';
    at[2] = robot ? load : ' ';
    used += 3;
    if (c % params->width == params->width - 1) text[used++] = '\n';
  }
  snprintf(text + used, size - used,
           "step %d of %d, %d delivered; robots A.. point to where they go; x shelf, X requested "
           "(behind "
           "a robot: its load), G goal\n",
           episode->time, params->limit, episode->deliveries);
}

/* What the scripted player is after: cells at which it would toggle, or (goals) be. */
typedef struct Errand {
  uint8_t here[MAX_CELLS];
  bool any;
} Errand;

static int far(const Params *params, int a, int b) {
  return abs(a % params->width - b % params->width) + abs(a / params->width - b / params->width);
}

/* Robots without a load take, by number, the nearest requested shelf that stands and that no other
 * has taken before. */
static int shelf_for(const Params *params, const Episode *episode, int self) {
  bool taken[MAX_QUEUE] = {false};
  for (int r = 0; r <= self; r++) {
    int best = -1;
    if (episode->robot[r].shelf) continue;
    for (int i = 0; i < params->queue; i++) {
      const int cell = cell_of(params, episode)[episode->request[i]];
      const int there = robot_at(params, episode)[cell];
      if (taken[i] || (there && there != r + 1 && !shelf_stands(params, episode, cell))) continue;
      if (best < 0 ||
          far(params, episode->robot[r].cell, cell) <
              far(params, episode->robot[r].cell, cell_of(params, episode)[episode->request[best]]))
        best = i;
    }
    if (best >= 0) taken[best] = true;
    if (r == self) return best < 0 ? 0 : episode->request[best];
  }
  return 0;
}

static void choose_errand(const Params *params, const Episode *episode, int self, Errand *errand) {
  const Robot *robot = &episode->robot[self];
  memset(errand, 0, sizeof *errand);
  if (!robot->shelf) {
    const int shelf = shelf_for(params, episode, self);
    errand->any = shelf != 0;
    if (shelf) errand->here[cell_of(params, episode)[shelf]] = 1;
    return;
  }
  errand->any = true;
  if (requested(params, episode)[robot->shelf]) {
    for (int g = 0; g < GOALS; g++)
      errand->here[params->goal[g]] = 1;
    return;
  }
  for (int s = 0; s < params->shelves; s++) {
    const int home = params->home[s], there = shelf_at(params, episode)[home];
    errand->here[home] = !there || there == robot->shelf;
  }
}

/* The first action of a shortest way to the errand, turns included, around robots that are near;
 * NOOP where there is none. */
static int first_action(const Params *params, const Episode *episode, int self,
                        const Errand *errand) {
  const Robot *robot = &episode->robot[self];
  uint16_t queue[MAX_CELLS * DIRECTIONS];
  uint8_t first[MAX_CELLS * DIRECTIONS] = {0}; /* by cell and direction; NOOP: not reached */
  const int start = robot->cell * DIRECTIONS + robot->direction;
  int head = 0, tail = 0;
  first[start] = TOGGLE; /* so that it is not reached again */
  queue[tail++] = (uint16_t)start;
  while (head < tail) {
    const int at = queue[head++];
    if (errand->here[at / DIRECTIONS] && at != start) return first[at];
    for (int action = FORWARD; action <= RIGHT; action++) {
      int cell = at / DIRECTIONS, direction = turned(at % DIRECTIONS, action);
      if (action == FORWARD) {
        cell = ahead(params, cell, direction);
        const int there = robot_at(params, episode)[cell];
        if (there && there != self + 1 && far(params, robot->cell, cell) <= 2) continue;
        if (robot->shelf && shelf_at(params, episode)[cell] != robot->shelf &&
            shelf_stands(params, episode, cell))
          continue;
      }
      const int to = cell * DIRECTIONS + direction;
      if (first[to]) continue;
      first[to] = at == start ? (uint8_t)action : first[at];
      queue[tail++] = (uint16_t)to;
    }
  }
  return NOOP;
}

/* To the nearest requested shelf, with it to a goal, and back to an empty place. It is told, as by
 * a dispatcher, where shelves and robots are. Now and then, and where there is no way, it does
 * anything, so that two who stand in each other's way do not do so for ever. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  const Params *params = block;
  const Episode *episode = state;
  const Robot *robot = &episode->robot[agent];
  Errand errand;
  choose_errand(params, episode, (int)agent, &errand);
  action->choice = NOOP;
  if (errand.any && errand.here[robot->cell]) {
    action->choice = TOGGLE;
    return;
  }
  if (errand.any && agon_random_below(random, 16))
    action->choice = first_action(params, episode, (int)agent, &errand);
  if (action->choice == NOOP) action->choice = FORWARD + (int32_t)agon_random_below(random, 3);
}

const AgonEnv env_warehouse = {
    AGON_ENV_SIZES,
    .name = "warehouse",
    .summary = "robots bring requested shelves to a goal and back, and must not block each other",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .global_state = global_state,
    .metrics = metrics,
    .action_name = action_name,
    .metric_names = metric_names,
    .render = render,
    .scripted = scripted,
    .position = position,
};

/* Level-based foraging: players with levels walk a grid that food with levels lies on. Food is
 * loaded when the levels of those who load it together, beside it, reach its own: some food needs
 * several. One team; rewards are a player's own, or the team's.
 *
 * The rules are those of lb-foraging 2.0.0 (Foraging-SxS-Pp-Ff[-coop]-v3; Papoudakis et al. 2021),
 * step for step, with its habits: two who want one cell both stay, but a cell whose owner stays
 * only because it collided may be entered, so that two can stand on one cell; those near a border
 * see farther players than others do, since windows are counted from their clipped corner; who
 * stands beside two pieces of food loads the northern, then southern, western, eastern one. Those
 * who load are gone through by their number, which the original leaves to a set of Python. Its end
 * by the step limit is a truncation here. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIZE = 32, MAX_PLAYERS = 16, MAX_FOOD = 16, TRIES = 1000, NOWHERE = -1 };
enum { NONE, NORTH, SOUTH, WEST, EAST, LOAD, ACTIONS };

typedef struct Params {
  int size, players, food, sight, max_player_level, max_food_level, limit;
  bool coop, grid, normalised, common;
  float penalty;
  AgonKind kind;
} Params;

typedef struct Place {
  int8_t row, column;
} Place;

typedef struct Episode {
  int32_t time;
  int32_t over;       /* everything is eaten */
  int32_t spawned;    /* levels of all food at the start */
  int32_t food_count; /* pieces at the start: less than asked for where there was no room */
  float collected;    /* levels of food that was loaded */
  Place player[MAX_PLAYERS];
  uint8_t level[MAX_PLAYERS];
  Place food[MAX_FOOD]; /* by rows, then columns; loaded food keeps its place in the list */
  uint8_t field[];      /* (size, size) level of the food that lies there, or 0 */
} Episode;

static const AgonEnvOption options[] = {
    {"size", AGON_OPT_INT, "8", 5, MAX_SIZE, NULL, "cells from side to side of the square field"},
    {"players", AGON_OPT_INT, "2", 1, MAX_PLAYERS, NULL, "players"},
    {"food", AGON_OPT_INT, "2", 1, MAX_FOOD, NULL, "pieces of food (fewer where none finds room)"},
    {"sight", AGON_OPT_INT, "0", 0, MAX_SIZE, NULL, "cells seen to each side; 0 = the whole field"},
    {"max_player_level", AGON_OPT_INT, "2", 1, 9, NULL,
     "levels of players are drawn from 1 to this"},
    {"max_food_level", AGON_OPT_INT, "0", 0, 27, NULL,
     "levels of food are drawn from 1 to this; 0 = to the sum of the three lowest players'"},
    {"coop", AGON_OPT_BOOL, "false", 0, 0, NULL, "all food has the highest level"},
    {"penalty", AGON_OPT_FLOAT, "0", 0, 10, NULL, "what an attempt to load in vain costs each"},
    {"observation", AGON_OPT_CHOICE, "vector", 0, 0, "vector|grid",
     "vector: row, column, level of each piece of food and player; grid: three planes around it"},
    {"normalised", AGON_OPT_BOOL, "true", 0, 0, NULL, "rewards are shares of all food"},
    {"rewards", AGON_OPT_CHOICE, "own", 0, 0, "own|team",
     "own: each its share of what it helped to load; team: each the sum of all shares"},
    {"limit", AGON_OPT_INT, "50", 1, 10000, NULL, "steps until the episode is cut short"},
};

static const char *const metric_names[] = {"food_share", "length"};

static bool is_true(const char *value) {
  return !strcmp(value, "true");
}

static int highest_food_level(const Params *params) {
  const int helpers = params->players < 3 ? params->players : 3;
  return params->max_food_level ? params->max_food_level : helpers * params->max_player_level;
}

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  static const uint32_t head_size = ACTIONS;
  static const AgonAction idle = {.choice = NONE};
  Params *params = block;
  (void)error;
  *params = (Params){.size = atoi(values[0]),
                     .players = atoi(values[1]),
                     .food = atoi(values[2]),
                     .sight = atoi(values[3]),
                     .max_player_level = atoi(values[4]),
                     .max_food_level = atoi(values[5]),
                     .coop = is_true(values[6]),
                     .penalty = strtof(values[7], NULL),
                     .grid = !strcmp(values[8], "grid"),
                     .normalised = is_true(values[9]),
                     .common = !strcmp(values[10], "team"),
                     .limit = atoi(values[11])};
  if (params->sight == 0) params->sight = params->size;
  const int levels = highest_food_level(params);
  int high = levels > params->max_player_level ? levels : params->max_player_level;
  if (!params->grid && high < params->size - 1) high = params->size - 1;
  const uint32_t numbers = 3 * (uint32_t)(params->food + params->players);
  const uint32_t window = 2 * (uint32_t)params->sight + 1;
  params->kind = (AgonKind){.observation_type = AGON_F32,
                            .observation_shape = {numbers, 1, 1},
                            .observation_low = -1,
                            .observation_high = (float)high,
                            .heads = 1,
                            .head_size = &head_size,
                            .idle = &idle};
  if (params->grid) {
    const uint32_t planes[3] = {3, window, window};
    memcpy(params->kind.observation_shape, planes, sizeof planes);
    params->kind.observation_low = 0;
  }
  const float best =
      params->normalised ? 1 : (float)(levels * params->food * params->max_player_level);
  const float shares = params->common ? (float)params->players : 1;
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode) + (size_t)(params->size * params->size),
                        .agents = (uint32_t)params->players,
                        .teams = 1,
                        .kinds = 1,
                        .kind = &params->kind,
                        .global_state_size = numbers + 1,
                        .step_limit = (uint32_t)params->limit,
                        .flags = AGON_COOPERATIVE | AGON_SIMULTANEOUS |
                                 (params->common ? 0u : (uint32_t)AGON_RETURNS_ADD),
                        .reward_low = -params->penalty * (float)params->limit * shares,
                        .reward_high = best * (params->normalised ? 1 : shares),
                        .metrics = 2};
  return 0;
}

static int cell(const Params *params, int row, int column) {
  return row * params->size + column;
}

/* The level of the food there; 0 where there is none, also beyond the field. */
static int food_at(const Params *params, const Episode *episode, int row, int column) {
  if (row < 0 || column < 0 || row >= params->size || column >= params->size) return 0;
  return episode->field[cell(params, row, column)];
}

static bool player_at(const Episode *episode, int count, int row, int column) {
  for (int p = 0; p < count; p++)
    if (episode->player[p].row == row && episode->player[p].column == column) return true;
  return false;
}

static void spawn_players(const Params *params, Episode *episode, const AgonRandom *random) {
  for (int p = 0; p < params->players; p++) {
    int row, column, tries = 0;
    do {
      row = (int)agon_random_below(random, (uint32_t)params->size);
      column = (int)agon_random_below(random, (uint32_t)params->size);
    } while (player_at(episode, p, row, column) && ++tries < TRIES);
    episode->player[p] = (Place){(int8_t)row, (int8_t)column};
    episode->level[p] =
        (uint8_t)(1 + agon_random_below(random, (uint32_t)params->max_player_level));
  }
}

/* Food lies off the border, with no other beside it (also diagonally) or two cells straight on. */
static bool has_room(const Params *params, const Episode *episode, int row, int column) {
  if (player_at(episode, params->players, row, column)) return false;
  for (int y = row - 1; y <= row + 1; y++)
    for (int x = column - 1; x <= column + 1; x++)
      if (food_at(params, episode, y, x)) return false;
  return !food_at(params, episode, row - 2, column) && !food_at(params, episode, row + 2, column) &&
         !food_at(params, episode, row, column - 2) && !food_at(params, episode, row, column + 2);
}

/* The sum of the three lowest levels of players: whoever they are, they can load it together. */
static int three_lowest(const Params *params, const Episode *episode) {
  int count[10] = {0}, sum = 0, left = 3;
  for (int p = 0; p < params->players; p++)
    count[episode->level[p]]++;
  for (int level = 1; level < 10 && left; level++)
    for (; count[level] && left; count[level]--, left--)
      sum += level;
  return sum;
}

static void spawn_food(const Params *params, Episode *episode, const AgonRandom *random) {
  const int high = params->max_food_level ? params->max_food_level : three_lowest(params, episode);
  const uint32_t inner = (uint32_t)params->size - 2;
  for (int tries = 0, count = 0; count < params->food && tries < TRIES; tries++) {
    const int row = 1 + (int)agon_random_below(random, inner);
    const int column = 1 + (int)agon_random_below(random, inner);
    if (!has_room(params, episode, row, column)) continue;
    const int level = params->coop ? high : 1 + (int)agon_random_below(random, (uint32_t)high);
    episode->field[cell(params, row, column)] = (uint8_t)level;
    count++;
  }
}

/* Lists the food of the field by rows and columns, which is how observations name it. */
static void list_food(const Params *params, Episode *episode) {
  for (int row = 0; row < params->size; row++)
    for (int column = 0; column < params->size; column++)
      if (food_at(params, episode, row, column)) {
        episode->food[episode->food_count++] = (Place){(int8_t)row, (int8_t)column};
        episode->spawned += food_at(params, episode, row, column);
      }
}

static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  memset(episode, 0, sizeof *episode + (size_t)(params->size * params->size));
  spawn_players(params, episode, random);
  spawn_food(params, episode, random);
  list_food(params, episode);
  return AGON_RUNNING;
}

static Place beside(Place from, int action) {
  switch (action) {
  case NORTH: from.row--; break;
  case SOUTH: from.row++; break;
  case WEST: from.column--; break;
  case EAST: from.column++; break;
  default: break;
  }
  return from;
}

/* Moves need a cell of the field without food; who stands there does not count. */
static bool can(const Params *params, const Episode *episode, Place at, int action) {
  if (action == NONE) return true;
  if (action == LOAD)
    return food_at(params, episode, at.row - 1, at.column) ||
           food_at(params, episode, at.row + 1, at.column) ||
           food_at(params, episode, at.row, at.column - 1) ||
           food_at(params, episode, at.row, at.column + 1);
  const Place to = beside(at, action);
  return to.row >= 0 && to.column >= 0 && to.row < params->size && to.column < params->size &&
         !episode->field[cell(params, to.row, to.column)];
}

static bool same(Place a, Place b) {
  return a.row == b.row && a.column == b.column;
}

static bool adjacent(Place a, Place b) {
  return abs(a.row - b.row) + abs(a.column - b.column) == 1;
}

/* All move at once; returns who loads, a bit for each. An action that is not possible is none. */
static uint32_t move(const Params *params, Episode *episode, const AgonAction *actions) {
  Place to[MAX_PLAYERS];
  uint32_t loading = 0, stuck = 0;
  for (int p = 0; p < params->players; p++) {
    const int action = actions[p].choice;
    const bool possible = can(params, episode, episode->player[p], action);
    to[p] = possible ? beside(episode->player[p], action) : episode->player[p];
    if (possible && action == LOAD) loading |= 1u << p;
    for (int q = 0; q < p; q++)
      if (same(to[p], to[q])) stuck |= 1u << p | 1u << q;
  }
  for (int p = 0; p < params->players; p++)
    if (!(stuck >> p & 1)) episode->player[p] = to[p];
  return loading;
}

/* The food that a player at this place loads. */
static Place food_beside(const Params *params, const Episode *episode, Place at) {
  for (int way = NORTH; way <= EAST; way++) {
    const Place to = beside(at, way);
    if (food_at(params, episode, to.row, to.column)) return to;
  }
  return (Place){NOWHERE, NOWHERE};
}

/* One by one, each together with all others who stand beside the same food and load. */
static void load(const Params *params, Episode *episode, uint32_t loading, float *gain) {
  while (loading) {
    const int first = __builtin_ctz(loading);
    const Place food = food_beside(params, episode, episode->player[first]);
    uint32_t group = 0;
    int together = 0;
    for (int p = first; p < params->players; p++)
      if (loading >> p & 1 && adjacent(episode->player[p], food)) {
        group |= 1u << p;
        together += episode->level[p];
      }
    loading &= ~(group | 1u << first);
    const int level = food_at(params, episode, food.row, food.column);
    for (int p = first; p < params->players; p++) {
      if (!(group >> p & 1)) continue;
      const double share = (double)(episode->level[p] * level);
      if (together < level)
        gain[p] -= params->penalty;
      else if (params->normalised)
        gain[p] = (float)(share / (double)(together * episode->spawned));
      else
        gain[p] = (float)share;
    }
    if (together < level) continue;
    episode->collected += (float)level;
    episode->field[cell(params, food.row, food.column)] = 0;
  }
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random, (void)error;
  const Params *params = block;
  Episode *episode = state;
  float gain[MAX_PLAYERS] = {0}, sum = 0;
  load(params, episode, move(params, episode, actions), gain);
  for (int p = 0; p < params->players; p++)
    sum += gain[p];
  for (int p = 0; p < params->players; p++)
    reward[p] += params->common ? sum : gain[p];
  episode->time++;
  const bool eaten = (int)episode->collected == episode->spawned;
  episode->over = eaten;
  if (eaten) return AGON_TERMINATED;
  return episode->time >= params->limit ? AGON_TRUNCATED : AGON_RUNNING;
}

/* Where the window of a player begins: at the field's border, if that is nearer. */
static Place window_of(const Params *params, Place at) {
  const int row = at.row - params->sight, column = at.column - params->sight;
  return (Place){(int8_t)(row > 0 ? row : 0), (int8_t)(column > 0 ? column : 0)};
}

static bool sees_food(const Params *params, Place at, Place food) {
  return abs(at.row - food.row) <= params->sight && abs(at.column - food.column) <= params->sight;
}

static bool sees_player(const Params *params, Place window, Place other) {
  const int row = other.row - window.row, column = other.column - window.column;
  return row >= 0 && column >= 0 && row <= 2 * params->sight && column <= 2 * params->sight;
}

static float *write_triple(float *row, int y, int x, int level) {
  row[0] = (float)y;
  row[1] = (float)x;
  row[2] = (float)level;
  return row + 3;
}

/* Row, column, level within the window of all food that is seen, then of oneself and of all players
 * that are seen; -1, -1, 0 fills what is not. */
static void observe_vector(const Params *params, const Episode *episode, int self, float *row) {
  const Place at = episode->player[self], window = window_of(params, at);
  float *const players = row + 3 * (size_t)params->food;
  float *const end = players + 3 * (size_t)params->players;
  for (int i = 0; i < episode->food_count; i++) {
    const Place food = episode->food[i];
    const int level = episode->field[cell(params, food.row, food.column)];
    if (level && sees_food(params, at, food))
      row = write_triple(row, food.row - window.row, food.column - window.column, level);
  }
  while (row < players)
    row = write_triple(row, NOWHERE, NOWHERE, 0);
  row = write_triple(row, at.row - window.row, at.column - window.column, episode->level[self]);
  for (int p = 0; p < params->players; p++) {
    const Place other = episode->player[p];
    if (p != self && sees_player(params, window, other))
      row = write_triple(row, other.row - window.row, other.column - window.column,
                         episode->level[p]);
  }
  while (row < end)
    row = write_triple(row, NOWHERE, NOWHERE, 0);
}

/* Levels of players, levels of food, and which cells are free, around oneself. */
static void observe_grid(const Params *params, const Episode *episode, int self, float *row) {
  const int side = 2 * params->sight + 1;
  const Place at = episode->player[self];
  const int top = at.row - params->sight, left = at.column - params->sight;
  float *const levels = row, *const food = row + side * side, *const open = food + side * side;
  memset(row, 0, 3 * (size_t)(side * side) * sizeof *row);
  for (int y = 0; y < side; y++)
    for (int x = 0; x < side; x++) {
      if (top + y < 0 || left + x < 0 || top + y >= params->size || left + x >= params->size)
        continue;
      const int level = episode->field[cell(params, top + y, left + x)];
      food[y * side + x] = (float)level;
      open[y * side + x] = level ? 0 : 1;
    }
  for (int p = 0; p < params->players; p++) {
    const int y = episode->player[p].row - top, x = episode->player[p].column - left;
    if (y < 0 || x < 0 || y >= side || x >= side) continue;
    levels[y * side + x] = episode->level[p];
    open[y * side + x] = 0;
  }
}

static void observe(const void *block, const void *state, uint32_t agent, void *row) {
  const Params *params = block;
  (params->grid ? observe_grid : observe_vector)(params, state, (int)agent, row);
}

/* Cut by the limit all would act on: so learners that take the best of what may be done there know
 * what that is. */
static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  memset(flag, AGON_ALIVE | (episode->over ? 0 : AGON_ACTS), (size_t)params->players);
}

static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  const Episode *episode = state;
  for (int action = 0; action < ACTIONS; action++)
    row[action] = can(block, episode, episode->player[agent], action);
}

/* Row, column, level of all food (-1, -1, 0 when it is loaded) and of all players; the share of
 * steps that are left. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  for (int i = 0; i < params->food; i++) {
    const Place at = episode->food[i];
    const int level = i < episode->food_count ? episode->field[cell(params, at.row, at.column)] : 0;
    row = level ? write_triple(row, at.row, at.column, level)
                : write_triple(row, NOWHERE, NOWHERE, 0);
  }
  for (int p = 0; p < params->players; p++)
    row = write_triple(row, episode->player[p].row, episode->player[p].column, episode->level[p]);
  *row = 1 - (float)episode->time / (float)params->limit;
}

static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  const Episode *episode = state;
  values[0] = episode->spawned ? episode->collected / (float)episode->spawned : 0;
  values[1] = (float)episode->time;
}

static void position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  (void)block;
  const Episode *episode = state;
  xyz[0] = episode->player[agent].column;
  xyz[1] = episode->player[agent].row;
  xyz[2] = 0;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[ACTIONS] = {"none", "north", "south", "west", "east", "load"};
  (void)block, (void)head;
  return name[choice];
}

/* Food as its level, players as a letter and their level. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (int row = 0; row < params->size; row++)
    for (int column = 0; column <= params->size && used + 4 < size; column++) {
      char shown[4] = " . ";
      if (column == params->size) {
        memcpy(shown, "\n", 2);
      } else if (food_at(params, episode, row, column)) {
        snprintf(shown, sizeof shown, "%2u ",
                 (unsigned)food_at(params, episode, row, column) % 100);
      }
      for (int p = 0; p < params->players; p++)
        if (episode->player[p].row == row && episode->player[p].column == column)
          snprintf(shown, sizeof shown, " %c%d", 'A' + p, episode->level[p] % 10);
      used += (size_t)snprintf(text + used, size - used, "%s", shown);
    }
  snprintf(text + used, size - used,
           "step %d of %d, levels of %g of %d loaded; players A.. with their levels, food is its "
           "level\n",
           episode->time, params->limit, (double)episode->collected, episode->spawned);
}

/* Of the food that is seen, and that all who are seen could load together, the piece nearest to
 * their middle: those who see the same choose the same. */
static Place choose_food(const Params *params, const Episode *episode, int self) {
  const Place at = episode->player[self], window = window_of(params, at);
  int count = 0, rows = 0, columns = 0, levels = 0, best = 0;
  Place chosen = {NOWHERE, NOWHERE};
  for (int p = 0; p < params->players; p++) {
    if (!sees_player(params, window, episode->player[p])) continue;
    count++;
    rows += episode->player[p].row;
    columns += episode->player[p].column;
    levels += episode->level[p];
  }
  for (int i = 0; i < episode->food_count; i++) {
    const Place food = episode->food[i];
    const int level = episode->field[cell(params, food.row, food.column)];
    if (!level || level > levels || !sees_food(params, at, food)) continue;
    const int dy = count * food.row - rows, dx = count * food.column - columns;
    const int far = dy * dy + dx * dx;
    if (chosen.row != NOWHERE && far >= best) continue;
    chosen = food;
    best = far;
  }
  return chosen;
}

/* Steps from every cell to the nearest free one beside `food`, around food and players that are
 * seen; 0 where there is no way, 1 at the goal. */
static void measure(const Params *params, const Episode *episode, int self, Place food,
                    uint16_t *steps) {
  const Place at = episode->player[self], window = window_of(params, at);
  Place queue[MAX_SIZE * MAX_SIZE];
  bool closed[MAX_SIZE * MAX_SIZE] = {false};
  int head = 0, tail = 0;
  memset(steps, 0, (size_t)(params->size * params->size) * sizeof *steps);
  for (int i = 0; i < episode->food_count; i++)
    closed[cell(params, episode->food[i].row, episode->food[i].column)] =
        sees_food(params, at, episode->food[i]) &&
        food_at(params, episode, episode->food[i].row, episode->food[i].column);
  for (int p = 0; p < params->players; p++) {
    const Place other = episode->player[p];
    if (p != self && sees_player(params, window, other))
      closed[cell(params, other.row, other.column)] = true;
  }
  queue[tail++] = food;
  while (head < tail) {
    const Place from = queue[head++];
    for (int way = NORTH; way <= EAST; way++) {
      const Place to = beside(from, way);
      if (to.row < 0 || to.column < 0 || to.row >= params->size || to.column >= params->size)
        continue;
      const int here = cell(params, to.row, to.column);
      if (closed[here] || steps[here]) continue;
      steps[here] =
          (uint16_t)(1 + (same(from, food) ? 0 : steps[cell(params, from.row, from.column)]));
      queue[tail++] = to;
    }
  }
}

/* Goes to the chosen food by the shortest way and loads; without one, or a way, anywhere. Now and
 * then it waits, for two who want the same cell stay where they are. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  const Params *params = block;
  const Episode *episode = state;
  const Place at = episode->player[agent];
  const Place food = choose_food(params, episode, (int)agent);
  uint16_t steps[MAX_SIZE * MAX_SIZE];
  if (food.row != NOWHERE && adjacent(at, food)) {
    action->choice = LOAD;
    return;
  }
  if (food.row != NOWHERE && agon_random_below(random, 8)) {
    measure(params, episode, (int)agent, food, steps);
    const int left = steps[cell(params, at.row, at.column)];
    for (int way = NORTH; way <= EAST; way++) {
      const Place to = beside(at, way);
      if (!can(params, episode, at, way)) continue;
      const int then = steps[cell(params, to.row, to.column)];
      if (then && then < left) {
        action->choice = way;
        return;
      }
    }
  }
  do
    action->choice = (int32_t)agon_random_below(random, LOAD);
  while (!can(params, episode, at, action->choice));
}

const AgonEnv env_foraging = {
    AGON_ENV_SIZES,
    .name = "foraging",
    .summary = "a team gathers food by levels, some of it only together (level-based foraging)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .mask = mask,
    .flags = flags,
    .global_state = global_state,
    .metrics = metrics,
    .action_name = action_name,
    .metric_names = metric_names,
    .render = render,
    .scripted = scripted,
    .position = position,
};

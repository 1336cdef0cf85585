/* A commons: apples that all may eat, and that grow only as long as somebody holds back. Small grid
 * worlds after the sequential social dilemmas of Perolat et al. 2017 ("A multi-agent reinforcement
 * learning model of common-pool resource appropriation") and Hughes et al. 2018 ("Inequity aversion
 * improves cooperation in intertemporal social dilemmas").
 *
 * kind=harvest: apples grow back the faster the more apples lie within two cells; a patch that is
 * eaten up never comes back. kind=cleanup: apples grow in an orchard as long as the river on the
 * other side is clean; it gets dirty by itself, and who cleans does not eat. Growth by neighbours
 * (0, .005, .02, .05), by dirt (at most .05, falling to 0 at .4 of the river), and dirt (one cell
 * in every other step) are those of the published code of Hughes et al.'s reproduction (Vinitsky et
 * al. 2019); maps are this program's own, of any size, and players move by compass points, look at
 * a square around them, and face where they last wanted to go.
 *
 * Who zaps sends all others ahead of it (3 cells wide, `reach` long) out for `zap_time` steps; they
 * come back anywhere. In each step players move one after another in random order, and eat where
 * they come to; then all beams work at once; then things grow. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIZE = 24, MAX_CELLS = MAX_SIZE * MAX_SIZE, MAX_AGENTS = 16, MAX_SIGHT = 8 };
enum { RIGHT, DOWN, LEFT, UP, WAYS, STAY = WAYS, ZAP, CLEAN, MOST_CHOICES };
enum { GRASS, ORCHARD, RIVER }; /* what a cell is */
/* Planes of what is seen; the last two of kind=cleanup. */
enum { OTHERS, APPLES, WALLS, AHEAD, DIRT, WATER, MOST_PLANES };
enum { HARVEST_PLANES = DIRT, NEAR = 2 /* apples so near make others grow */ };

static const double growth_by_neighbours[] = {0, .005, .02, .05};
static const double growth_when_clean = .05; /* of an apple, where the river is clean */
static const double dirt_that_stops = .4;    /* share of the river; dirt, too, then comes no more */
static const double dirt_comes = .5;         /* of one cell, in a step */
static const double dirt_at_first = .5;      /* share of the river */

typedef struct Params {
  int32_t size, agents, sight, reach, zap_time, limit;
  int32_t cleanup; /* the kind */
  int32_t one_team;
  uint32_t choices;
  float zap_cost;
  double growth; /* a factor */
  int32_t river; /* cells of it */
  uint8_t ground[MAX_CELLS];
  AgonAction idle;
  AgonKind kind;
} Params;

typedef struct Place {
  int8_t row, column;
} Place;

typedef struct Episode {
  int32_t time;
  int32_t dirty; /* cells of the river */
  int32_t zaps, cleaned, absent;
  Place place[MAX_AGENTS];
  uint8_t facing[MAX_AGENTS];
  int32_t out[MAX_AGENTS];   /* steps until it is back; 0: it is here */
  int32_t eaten[MAX_AGENTS]; /* apples */
  int64_t when[MAX_AGENTS];  /* sum of the steps at which it ate */
  float total[MAX_AGENTS];
  uint8_t apple[MAX_CELLS];
  uint8_t dirt[MAX_CELLS];
  uint8_t who[MAX_CELLS]; /* 1 + the number of the agent there; 0: nobody */
} Episode;

static const AgonEnvOption options[] = {
    {"kind", AGON_OPT_CHOICE, "harvest", 0, 0, "harvest|cleanup",
     "harvest: apples grow by apples nearby; cleanup: as long as the river is clean"},
    {"agents", AGON_OPT_INT, "4", 2, MAX_AGENTS, NULL, "players"},
    {"teams", AGON_OPT_CHOICE, "each", 0, 0, "each|one",
     "each player is a team of its own; or all are one team, each still paid for what it eats"},
    {"size", AGON_OPT_INT, "12", 6, MAX_SIZE, NULL, "rows and columns of the field"},
    {"sight", AGON_OPT_INT, "3", 1, MAX_SIGHT, NULL, "cells seen to each side"},
    {"reach", AGON_OPT_INT, "3", 1, MAX_SIZE, NULL, "length of beams, in cells"},
    {"zap_time", AGON_OPT_INT, "25", 0, 1000, NULL,
     "steps that who is zapped is out of the game (0: nobody can zap)"},
    {"zap_cost", AGON_OPT_FLOAT, "0", 0, 100, NULL, "what zapping costs who does it"},
    {"growth", AGON_OPT_FLOAT, "1", 0, 20, NULL, "factor of the probabilities that apples grow"},
    {"limit", AGON_OPT_INT, "500", 1, 10000, NULL, "steps until the episode is cut short"},
};

static const char *const metric_names[] = {"sustainability", "peace", "apples",
                                           "left",           "zaps",  "cleaned"};

static bool inside(const Params *params, int row, int column) {
  return row >= 0 && column >= 0 && row < params->size && column < params->size;
}

static int cell_at(const Params *params, int row, int column) {
  return row * params->size + column;
}

static int cell_of(const Params *params, Place at) {
  return cell_at(params, at.row, at.column);
}

/* Harvest: diamonds of 13 cells, far enough from each other that none can seed another. */
static uint8_t harvest_ground(int row, int column) {
  enum { PERIOD = 7, MIDDLE = 2 };
  return abs(row % PERIOD - MIDDLE) + abs(column % PERIOD - MIDDLE) <= NEAR ? ORCHARD : GRASS;
}

/* Cleanup: a river along the left side, an orchard along the right one, a quarter of the field
 * each. */
static uint8_t cleanup_ground(int size, int column) {
  const int wide = size / 4;
  if (column < wide) return RIVER;
  return column >= size - wide ? ORCHARD : GRASS;
}

/* A diamond that the border cuts is left out. */
static bool is_whole(int size, int row, int column) {
  enum { PERIOD = 7 };
  return row / PERIOD * PERIOD + 2 * NEAR < size && column / PERIOD * PERIOD + 2 * NEAR < size;
}

static void lay_ground(Params *params) {
  for (int row = 0; row < params->size; row++)
    for (int column = 0; column < params->size; column++) {
      uint8_t *ground = &params->ground[cell_at(params, row, column)];
      if (params->cleanup)
        *ground = cleanup_ground(params->size, column);
      else if (is_whole(params->size, row, column))
        *ground = harvest_ground(row, column);
      params->river += *ground == RIVER;
    }
}

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  Params *params = block;
  *params = (Params){.cleanup = !strcmp(values[0], "cleanup"),
                     .agents = atoi(values[1]),
                     .one_team = !strcmp(values[2], "one"),
                     .size = atoi(values[3]),
                     .sight = atoi(values[4]),
                     .reach = atoi(values[5]),
                     .zap_time = atoi(values[6]),
                     .zap_cost = strtof(values[7], NULL),
                     .growth = strtod(values[8], NULL),
                     .limit = atoi(values[9]),
                     .idle = {.choice = STAY}};
  params->choices = params->cleanup ? CLEAN + 1 : params->zap_time ? ZAP + 1 : STAY + 1;
  lay_ground(params);
  if (params->agents > params->size * params->size / 3) {
    snprintf(error->text, sizeof error->text,
             "%d players crowd %d x %d cells: make env.size larger", params->agents, params->size,
             params->size);
    return -1;
  }
  const uint32_t side = 2 * (uint32_t)params->sight + 1;
  const uint32_t planes = params->cleanup ? MOST_PLANES : HARVEST_PLANES;
  const uint32_t cells = (uint32_t)(params->size * params->size);
  params->kind = (AgonKind){.observation_type = AGON_U8,
                            .observation_shape = {planes, side, side},
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = &params->choices,
                            .idle = &params->idle};
  *spec = (AgonEnvSpec){.params_size = sizeof *params,
                        .episode_size = sizeof(Episode),
                        .agents = (uint32_t)params->agents,
                        .teams = params->one_team ? 1 : (uint32_t)params->agents,
                        .kinds = 1,
                        .kind = &params->kind,
                        .global_state_size = cells * (params->cleanup ? 3 : 2),
                        .step_limit = (uint32_t)params->limit,
                        .flags = AGON_SIMULTANEOUS | (params->one_team ? AGON_RETURNS_ADD : 0u),
                        .reward_low = -params->zap_cost * (float)params->limit,
                        .reward_high = (float)params->limit,
                        .metrics = sizeof metric_names / sizeof metric_names[0]};
  return 0;
}

/* Puts an agent on a cell where nobody stands; not on an apple, which it would not have earned. */
static void enter(const Params *params, Episode *episode, int agent, const AgonRandom *random) {
  const uint32_t cells = (uint32_t)(params->size * params->size);
  uint32_t cell;
  uint32_t tries = 0;
  do
    cell = agon_random_below(random, cells);
  while (episode->who[cell] || (episode->apple[cell] && ++tries < 64));
  episode->who[cell] = (uint8_t)(1 + agent);
  episode->apple[cell] = 0;
  episode->place[agent] =
      (Place){(int8_t)((int)cell / params->size), (int8_t)((int)cell % params->size)};
  episode->facing[agent] = (uint8_t)agon_random_below(random, WAYS);
}

/* Harvest begins with all apples, cleanup with none and half a river of dirt. */
static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  const uint32_t cells = (uint32_t)(params->size * params->size);
  memset(episode, 0, sizeof *episode);
  for (uint32_t cell = 0; cell < cells && !params->cleanup; cell++)
    episode->apple[cell] = params->ground[cell] == ORCHARD;
  while (episode->dirty < (int)(dirt_at_first * params->river)) {
    const uint32_t cell = agon_random_below(random, cells);
    if (params->ground[cell] != RIVER || episode->dirt[cell]) continue;
    episode->dirt[cell] = 1;
    episode->dirty++;
  }
  for (int a = 0; a < params->agents; a++)
    enter(params, episode, a, random);
  return AGON_RUNNING;
}

static const int8_t down[WAYS] = {[DOWN] = 1, [UP] = -1};
static const int8_t right[WAYS] = {[RIGHT] = 1, [LEFT] = -1};

/* A random order of the agents. */
static void shuffle(const Params *params, uint8_t *order, const AgonRandom *random) {
  for (int a = 0; a < params->agents; a++) {
    const uint32_t other = agon_random_below(random, (uint32_t)a + 1);
    order[a] = order[other];
    order[other] = (uint8_t)a;
  }
}

/* Turns, and goes there if it can; eats what lies there. */
static void move(const Params *params, Episode *episode, int agent, int way, float *reward) {
  const Place from = episode->place[agent];
  const Place to = {(int8_t)(from.row + down[way]), (int8_t)(from.column + right[way])};
  episode->facing[agent] = (uint8_t)way;
  if (!inside(params, to.row, to.column) || episode->who[cell_of(params, to)]) return;
  episode->who[cell_of(params, from)] = 0;
  episode->who[cell_of(params, to)] = (uint8_t)(1 + agent);
  episode->place[agent] = to;
  if (!episode->apple[cell_of(params, to)]) return;
  episode->apple[cell_of(params, to)] = 0;
  episode->eaten[agent]++;
  episode->when[agent] += episode->time + 1;
  episode->total[agent] += 1;
  reward[agent] += 1;
}

/* The cell of a beam: so many steps ahead in one of its three lines (-1, 0, 1); -1: beyond the
 * border. */
static int beam_cell(const Params *params, const Episode *episode, int agent, int ahead, int line) {
  const uint8_t way = episode->facing[agent];
  const int row = episode->place[agent].row + ahead * down[way] + line * right[way];
  const int column = episode->place[agent].column + ahead * right[way] + line * down[way];
  return inside(params, row, column) ? cell_at(params, row, column) : -1;
}

/* Marks all whom the beam meets. */
static void zap(const Params *params, Episode *episode, int agent, uint8_t *hit) {
  episode->zaps++;
  for (int line = -1; line <= 1; line++)
    for (int ahead = 1; ahead <= params->reach; ahead++) {
      const int cell = beam_cell(params, episode, agent, ahead, line);
      if (cell < 0) break;
      if (episode->who[cell]) hit[episode->who[cell] - 1] = 1;
    }
}

/* Clears the first dirty cell of each line. */
static void clean(const Params *params, Episode *episode, int agent) {
  for (int line = -1; line <= 1; line++)
    for (int ahead = 1; ahead <= params->reach; ahead++) {
      const int cell = beam_cell(params, episode, agent, ahead, line);
      if (cell < 0) break;
      if (!episode->dirt[cell]) continue;
      episode->dirt[cell] = 0;
      episode->dirty--;
      episode->cleaned++;
      break;
    }
}

/* Apples within NEAR cells of one, it left out. */
static int neighbours(const Params *params, const uint8_t *apple, int row, int column) {
  int count = 0;
  for (int r = -NEAR; r <= NEAR; r++)
    for (int c = -NEAR; c <= NEAR; c++)
      if ((r || c) && r * r + c * c <= NEAR * NEAR && inside(params, row + r, column + c))
        count += apple[cell_at(params, row + r, column + c)];
  return count;
}

/* The probability that an apple grows in any cell of the orchard: less, the dirtier the river. */
static double growth_by_dirt(const Params *params, const Episode *episode) {
  const double share = params->river ? (double)episode->dirty / params->river : 0;
  return share >= dirt_that_stops ? 0 : growth_when_clean * (1 - share / dirt_that_stops);
}

static void grow(const Params *params, Episode *episode, const AgonRandom *random) {
  uint8_t before[MAX_CELLS]; /* so that what grows now does not count yet */
  const double everywhere = growth_by_dirt(params, episode);
  memcpy(before, episode->apple, (size_t)(params->size * params->size));
  for (int row = 0; row < params->size; row++)
    for (int column = 0; column < params->size; column++) {
      const int cell = cell_at(params, row, column);
      if (params->ground[cell] != ORCHARD || before[cell] || episode->who[cell]) continue;
      const int near = params->cleanup ? 0 : neighbours(params, before, row, column);
      const double chance =
          params->cleanup ? everywhere : growth_by_neighbours[near < 3 ? near : 3];
      if (chance > 0 && agon_random_unit(random) < params->growth * chance)
        episode->apple[cell] = 1;
    }
}

/* One cell of the river that is clean, if the river is clean enough for more. */
static void soil(const Params *params, Episode *episode, const AgonRandom *random) {
  if (!params->river || episode->dirty >= dirt_that_stops * params->river) return;
  if (agon_random_unit(random) >= dirt_comes) return;
  uint32_t nth = agon_random_below(random, (uint32_t)(params->river - episode->dirty));
  for (int cell = 0; cell < params->size * params->size; cell++) {
    if (params->ground[cell] != RIVER || episode->dirt[cell] || nth--) continue;
    episode->dirt[cell] = 1;
    episode->dirty++;
    return;
  }
}

/* Time passes: things grow, and who was out long enough comes back. Returns how many are here. */
static int pass(const Params *params, Episode *episode, const AgonRandom *random) {
  int here = 0;
  grow(params, episode, random);
  soil(params, episode, random);
  episode->time++;
  for (int a = 0; a < params->agents; a++) {
    if (episode->out[a]) {
      episode->absent++;
      if (--episode->out[a] == 0) enter(params, episode, a, random);
    }
    here += episode->out[a] == 0;
  }
  return here;
}

/* Where all are out, time passes until somebody is back, as nobody could act. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  uint8_t order[MAX_AGENTS] = {0};
  uint8_t hit[MAX_AGENTS] = {0};
  shuffle(params, order, random);
  for (int i = 0; i < params->agents; i++)
    if (!episode->out[order[i]] && actions[order[i]].choice < WAYS)
      move(params, episode, order[i], actions[order[i]].choice, reward);
  for (int a = 0; a < params->agents; a++) {
    if (episode->out[a]) continue;
    if (actions[a].choice == CLEAN) clean(params, episode, a);
    if (actions[a].choice != ZAP) continue;
    zap(params, episode, a, hit);
    reward[a] -= params->zap_cost;
    episode->total[a] -= params->zap_cost;
  }
  for (int a = 0; a < params->agents; a++)
    if (hit[a]) {
      episode->out[a] = params->zap_time;
      episode->who[cell_of(params, episode->place[a])] = 0;
    }
  while (!pass(params, episode, random) && episode->time < params->limit)
    continue;
  return episode->time < params->limit ? AGON_RUNNING : AGON_TRUNCATED;
}

/* What lies in a square around it, and the cell that it faces; nothing for who is out. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  const int sight = params->sight;
  const int side = 2 * sight + 1;
  const int planes = params->cleanup ? MOST_PLANES : HARVEST_PLANES;
  const Place at = episode->place[agent];
  const uint8_t way = episode->facing[agent];
  uint8_t *row = out;
  memset(row, 0, (size_t)(planes * side * side));
  if (episode->out[agent]) return;
  row[AHEAD * side * side + (sight + down[way]) * side + sight + right[way]] = 1;
  for (int r = -sight; r <= sight; r++)
    for (int c = -sight; c <= sight; c++) {
      uint8_t *seen = row + (r + sight) * side + c + sight;
      if (!inside(params, at.row + r, at.column + c)) {
        seen[WALLS * side * side] = 1;
        continue;
      }
      const int cell = cell_at(params, at.row + r, at.column + c);
      seen[OTHERS * side * side] = episode->who[cell] && (r || c);
      seen[APPLES * side * side] = episode->apple[cell];
      if (!params->cleanup) continue;
      seen[DIRT * side * side] = episode->dirt[cell];
      seen[WATER * side * side] = params->ground[cell] == RIVER;
    }
}

/* Players, apples and dirt of the whole field. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  const int cells = params->size * params->size;
  for (int cell = 0; cell < cells; cell++) {
    row[cell] = episode->who[cell] != 0;
    row[cells + cell] = episode->apple[cell];
    if (params->cleanup) row[2 * cells + cell] = episode->dirt[cell];
  }
}

/* Where nobody can zap, the choice is there for cleanup's sake and is not legal. */
static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  (void)state;
  (void)agent;
  const Params *params = block;
  memset(row, 1, params->choices);
  if (params->choices > ZAP && !params->zap_time) row[ZAP] = 0;
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  for (int a = 0; a < params->agents; a++)
    flag[a] = (uint8_t)(AGON_ALIVE | (episode->out[a] ? 0 : AGON_ACTS));
}

/* Who has more is ahead: from 0 of the least to 1 of the most. */
static void outcome(const void *block, const void *state, float *out) {
  const Params *params = block;
  const Episode *episode = state;
  float low = episode->total[0];
  float high = episode->total[0];
  if (params->one_team) {
    out[0] = 0.5f;
    return;
  }
  for (int a = 1; a < params->agents; a++) {
    low = episode->total[a] < low ? episode->total[a] : low;
    high = episode->total[a] > high ? episode->total[a] : high;
  }
  for (int a = 0; a < params->agents; a++)
    out[a] = high > low ? (episode->total[a] - low) / (high - low) : 0.5f;
}

/* sustainability: the mean step at which one ate, as a share of the episode, mean over those who
 * ate. peace: the share of players' steps in which they were not out. */
static void metrics(const void *block, const void *state, float *values) {
  const Params *params = block;
  const Episode *episode = state;
  const double steps = episode->time ? (double)episode->time : 1;
  double when = 0;
  int eaters = 0;
  int eaten = 0;
  int left = 0;
  for (int a = 0; a < params->agents; a++) {
    if (!episode->eaten[a]) continue;
    when += (double)episode->when[a] / episode->eaten[a] / steps;
    eaten += episode->eaten[a];
    eaters++;
  }
  for (int cell = 0; cell < params->size * params->size; cell++)
    left += episode->apple[cell];
  values[0] = eaters ? (float)(when / eaters) : 0;
  values[1] = (float)(1 - episode->absent / (steps * params->agents));
  values[2] = (float)eaten;
  values[3] = (float)left;
  values[4] = (float)episode->zaps;
  values[5] = (float)episode->cleaned;
}

static const char *action_name(const void *params, uint32_t head, uint32_t choice) {
  static const char *const name[MOST_CHOICES] = {"right", "down", "left", "up",
                                                 "stay",  "zap",  "clean"};
  (void)params;
  (void)head;
  return name[choice];
}

static void position(const void *params, const void *state, uint32_t agent, float xyz[3]) {
  (void)params;
  const Episode *episode = state;
  xyz[0] = episode->place[agent].column;
  xyz[1] = episode->place[agent].row;
  xyz[2] = 0;
}

/* The way to a place: down its longer side. */
static int way_to(Place from, Place to) {
  const int rows = to.row - from.row;
  const int columns = to.column - from.column;
  if (abs(columns) >= abs(rows)) return columns > 0 ? RIGHT : LEFT;
  return rows > 0 ? DOWN : UP;
}

/* The nearest cell that `wanted` says is worth going to, if any is. */
static bool nearest(const Params *params, const Episode *episode, Place from,
                    bool (*wanted)(const Params *, const Episode *, int row, int column),
                    Place *out) {
  int least = 4 * MAX_SIZE;
  for (int row = 0; row < params->size; row++)
    for (int column = 0; column < params->size; column++) {
      const int away = abs(row - from.row) + abs(column - from.column);
      if (away >= least || !wanted(params, episode, row, column)) continue;
      least = away;
      *out = (Place){(int8_t)row, (int8_t)column};
    }
  return least < 4 * MAX_SIZE;
}

/* An apple that will grow back: of harvest, one with three others around. */
static bool is_ripe(const Params *params, const Episode *episode, int row, int column) {
  if (!episode->apple[cell_at(params, row, column)]) return false;
  return params->cleanup || neighbours(params, episode->apple, row, column) >= 3;
}

static bool is_dirty(const Params *params, const Episode *episode, int row, int column) {
  return episode->dirt[cell_at(params, row, column)];
}

/* Whether a cleaning beam would clear anything. */
static bool meets_dirt(const Params *params, const Episode *episode, int agent) {
  for (int line = -1; line <= 1; line++)
    for (int ahead = 1; ahead <= params->reach; ahead++) {
      const int cell = beam_cell(params, episode, agent, ahead, line);
      if (cell < 0) break;
      if (episode->dirt[cell]) return true;
    }
  return false;
}

/* Holds back: eats only what grows back, zaps nobody; of cleanup the first third of the players
 * keep the river clean. It sees the whole field. Now and then it does anything, so that two who are
 * in each other's way do not stand there for ever. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  enum { PATIENCE = 8 };
  const Params *params = block;
  const Episode *episode = state;
  const Place from = episode->place[agent];
  const bool cleans = params->cleanup && (int)agent < (params->agents + 2) / 3;
  Place to;
  action->choice = STAY;
  if (cleans && meets_dirt(params, episode, (int)agent)) {
    action->choice = CLEAN;
    return;
  }
  if (!nearest(params, episode, from, cleans ? is_dirty : is_ripe, &to)) return;
  action->choice = agon_random_below(random, PATIENCE) ? way_to(from, to)
                                                       : (int32_t)agon_random_below(random, WAYS);
}

/* Players by number, apples @, dirt %, the river ~. */
static char sign_at(const Params *params, const Episode *episode, int cell) {
  static const char number[] = "0123456789ABCDEF";
  if (episode->who[cell]) return number[episode->who[cell] - 1];
  if (episode->apple[cell]) return '@';
  if (episode->dirt[cell]) return '%';
  return params->ground[cell] == RIVER ? '~' : '.';
}

static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (int row = 0; row < params->size; row++)
    for (int column = 0; column < params->size && used + 8 < size; column++)
      used += (size_t)snprintf(text + used, size - used, "%c%s",
                               sign_at(params, episode, cell_at(params, row, column)),
                               column + 1 == params->size ? "\n" : " ");
  used += (size_t)snprintf(text + used, size - used, "step %d of %d; eaten", episode->time,
                           params->limit);
  for (int a = 0; a < params->agents && used + 32 < size; a++)
    used += (size_t)snprintf(text + used, size - used, " %d%s", episode->eaten[a],
                             episode->out[a] ? " (out)" : "");
  if (used + 2 < size) snprintf(text + used, size - used, "\n");
}

const AgonEnv env_commons = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "commons",
    .summary = "apples for all, which grow only as long as some hold back, or clean the river",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .mask = mask,
    .outcome = outcome,
    .global_state = global_state,
    .metrics = metrics,
    .metric_names = metric_names,
    .action_name = action_name,
    .render = render,
    .scripted = scripted,
    .position = position,
};

/* Skirmish: two teams of units fight on a small grid in real time. All act at once, each sees only
 * what is near, shots need a cooldown; the dead stay dead. One unit is one agent; a team's units
 * share their reward. The world is mirrored for team 1, so that both sides see themselves on the
 * left and one set of weights can play either. A step: all shots hit at once; then those alive
 * move. Two that want one cell both stay. The time limit belongs to the rules (terminated): the
 * team with the larger share of hit points left wins, equal shares draw. With enemy=scripted the
 * other team is played by the rule-based player, inside `step`: one team remains, which must learn
 * to fight together. */
#include "agon/env.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAX_UNITS = 64,
  MAX_SIDE = 64,
  TYPES = 3,
  STAY = 0,
  FIRST_MOVE = 1,
  FIRST_SHOT = 5,
  FEATURES = 8
};

/* What a kind of unit can do: hit points, damage of a shot, its range, steps between shots, how far
 * it sees. */
typedef struct UnitType {
  const char *name;
  int hits, damage, range, cooldown, sight;
} UnitType;

static const UnitType unit_type[TYPES] = {
    {"fighter", 6, 2, 1, 1, 4},
    {"archer", 3, 1, 4, 2, 6},
    {"scout", 4, 1, 2, 1, 8},
};

/* What the options chose. */
typedef struct Params {
  int units, width, height, limit;
  int agents; /* units that players have: both teams', or those of the first */
  float shaping;
  bool own; /* who hits is paid for it, and who is hit pays */
  uint8_t team_of[2 * MAX_UNITS];
  uint32_t head_size; /* of the kind, which depends on the options and therefore lies here */
  AgonKind kind;
  float most_units;         /* the knob's highest value, which is what the options say */
  AgonAction idle;          /* to stay, which is always legal */
  char shot[MAX_UNITS][20]; /* "shoot 1" ... */
} Params;

/* A unit now: where it is, hit points left, steps until it may shoot again. */
typedef struct Unit {
  int8_t x, y, hits, cooldown;
} Unit;

/* The whole state of a game. Units are (2, units), team 0 first. There were at most FIRST_UNITS of
 * them once, and checkpoints hold games as bytes: so these stay in front, and only larger games
 * have more. */
enum { FIRST_UNITS = 16 };
typedef struct Episode {
  Unit first[FIRST_UNITS];
  int32_t time;
  int32_t over;
  float outcome;
  float damage_dealt[2];
  Unit more[];
} Episode;

/* The address of unit `i`, const where the episode is. */
#define UNIT(episode, i)                                                                           \
  ((i) < FIRST_UNITS ? &(episode)->first[i] : &(episode)->more[(i)-FIRST_UNITS])

/* Of one game with n units a side. */
static size_t episode_bytes(uint32_t n) {
  size_t more = 2 * n > FIRST_UNITS ? 2 * n - FIRST_UNITS : 0;
  return sizeof(Episode) + more * sizeof(Unit);
}

static const AgonEnvOption options[] = {
    {"units", AGON_OPT_INT, "3", 1, MAX_UNITS, NULL,
     "units per team; types repeat fighter, archer, scout"},
    {"width", AGON_OPT_INT, "10", 6, MAX_SIDE, NULL, "cells from side to side"},
    {"height", AGON_OPT_INT, "8", 4, MAX_SIDE, NULL,
     "cells from top to bottom (at least the units)"},
    {"limit", AGON_OPT_INT, "60", 10, 500, NULL, "steps until time is called"},
    {"shaping", AGON_OPT_FLOAT, "0.5", 0, 1, NULL,
     "reward for the share of the enemy's hit points taken, less one's own lost"},
    {"enemy", AGON_OPT_CHOICE, "player", 0, 0, "player|scripted",
     "who plays the other team: a player of its own, or the rule-based one (then there is one "
     "team)"},
    {"rewards", AGON_OPT_CHOICE, "team", 0, 0, "team|own",
     "whom the shaping pays: team: all alike; own: who hit, and who was hit, for themselves, so "
     "many times more that a team's mean is the same"},
};

enum { METRICS = 3 };
static const char *const metric_names[] = {"length", "damage_team_0", "damage_team_1", "won"};

/* Rewards are zero-sum between the teams. */
static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  Params *params = block;
  *params = (Params){.units = atoi(values[0]),
                     .width = atoi(values[1]),
                     .height = atoi(values[2]),
                     .limit = atoi(values[3]),
                     .shaping = strtof(values[4], NULL),
                     .own = !strcmp(values[6], "own")};
  const bool alone = !strcmp(values[5], "scripted");
  params->agents = alone ? params->units : 2 * params->units;
  if (params->height < params->units) {
    snprintf(error->text, sizeof error->text, "height %d has no room for %d units in a column",
             params->height, params->units);
    return -1;
  }
  uint32_t n = (uint32_t)params->units;
  params->head_size = FIRST_SHOT + n;
  params->kind = (AgonKind){.observation_type = AGON_F32,
                            .observation_shape = {FEATURES + (2 * n - 1) * FEATURES, 1, 1},
                            .observation_low = -1,
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = &params->head_size,
                            .idle = &params->idle};
  params->idle.choice = STAY;
  static const char *const knob_names[] = {"units"};
  static const float fewest_units = 1;
  params->most_units = (float)params->units;
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = episode_bytes(n),
                        .agents = (uint32_t)params->agents,
                        .teams = alone ? 1 : 2,
                        .team_of = params->team_of,
                        .kinds = 1,
                        .kind = &params->kind,
                        .step_limit = (uint32_t)params->limit,
                        .flags = AGON_SIMULTANEOUS |
                                 (alone ? (uint32_t)AGON_COOPERATIVE : (uint32_t)AGON_ZERO_SUM),
                        .reward_low = -1 - (params->own ? (float)n : 1) * params->shaping,
                        .reward_high = 1 + (params->own ? (float)n : 1) * params->shaping,
                        .metrics = alone ? METRICS + 1 : METRICS,
                        .global_state_size = 2 * n * 7 + 1,
                        .knobs = 1,
                        .knob_names = knob_names,
                        .knob_low = &fewest_units,
                        .knob_high = &params->most_units,
                        .knob_plain = &params->most_units};
  for (uint32_t i = 0; i < n; i++) {
    params->team_of[n + i] = 1;
    snprintf(params->shot[i], sizeof params->shot[i], "shoot %u", i + 1);
  }
  return 0;
}

/* Types repeat: fighter, archer, scout. */
static const UnitType *type_of(const Params *params, int agent) {
  return &unit_type[(agent % params->units) % TYPES];
}

/* Teams stand on opposite sides, in the two outer columns. */
static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  int n = params->units;
  memset(episode, 0, episode_bytes((uint32_t)n));
  int row[MAX_SIDE]; /* rows in random order: no two units of a team share one */
  for (int team = 0; team < 2; team++) {
    for (int y = 0; y < params->height; y++)
      row[y] = y;
    for (int i = 0; i < n; i++) {
      int pick = i + (int)agon_random_below(random, (uint32_t)(params->height - i));
      int swap = row[i];
      row[i] = row[pick];
      row[pick] = swap;
      int x = (int)agon_random_below(random, 2);
      *UNIT(episode, team * n + i) = (Unit){(int8_t)(team ? params->width - 1 - x : x),
                                            (int8_t)row[i], (int8_t)type_of(params, i)->hits, 0};
    }
  }
  return AGON_RUNNING;
}

/* The knob: how many units of each team take part. The others are dead from the beginning, so that
 * what is seen and done keeps its shape. Places are drawn for all, as in a whole fight. */
static AgonStatus reset_with(const void *block, void *state, const float *knob,
                             const AgonRandom *random, AgonError *error) {
  const Params *params = block;
  const int units = (int)(knob[0] + 0.5f);
  const AgonStatus status = reset(block, state, random, error);
  for (int i = units; i < params->units; i++) {
    UNIT((Episode *)state, i)->hits = 0;
    UNIT((Episode *)state, params->units + i)->hits = 0;
  }
  return status;
}

/* In steps of a king: the larger of the two differences. */
static int distance(const Unit *a, const Unit *b) {
  int dx = abs(a->x - b->x);
  int dy = abs(a->y - b->y);
  return dx > dy ? dx : dy;
}

/* An enemy that lives, in range, with a weapon that is ready. */
static bool can_shoot(const Params *params, const Episode *episode, int agent, int target) {
  const Unit *unit = UNIT(episode, agent);
  const Unit *enemy = UNIT(episode, target);
  return enemy->hits > 0 && unit->cooldown == 0 &&
         distance(unit, enemy) <= type_of(params, agent)->range;
}

/* All shots of a step hit at once, also those of units that die by them. taken[team]: hit points
 * that it lost; balance[unit]: those that it took less those that it lost. Who shoot at one target
 * share what it lost by their damage. */
static void shoot(const Params *params, Episode *episode, const AgonAction *actions, float *taken,
                  float *balance) {
  int n = params->units;
  int damage[2 * MAX_UNITS];
  int target[2 * MAX_UNITS];
  float share[2 * MAX_UNITS];                        /* of the damage that found hit points */
  memset(damage, 0, 2 * (size_t)n * sizeof *damage); /* games are mostly small */
  for (int a = 0; a < 2 * n; a++) {
    int choice = actions[a].choice;
    target[a] = -1;
    if (UNIT(episode, a)->hits <= 0) continue;
    if (choice < FIRST_SHOT) {
      if (UNIT(episode, a)->cooldown > 0) UNIT(episode, a)->cooldown--;
      continue;
    }
    target[a] = (a < n ? n : 0) + choice - FIRST_SHOT;
    damage[target[a]] += type_of(params, a)->damage;
    UNIT(episode, a)->cooldown = (int8_t)type_of(params, a)->cooldown;
  }
  for (int a = 0; a < 2 * n; a++) {
    int lost = damage[a] < UNIT(episode, a)->hits ? damage[a] : UNIT(episode, a)->hits;
    UNIT(episode, a)->hits = (int8_t)(UNIT(episode, a)->hits - lost);
    taken[a < n ? 0 : 1] += (float)lost;
    balance[a] = -(float)lost;
    share[a] = damage[a] ? (float)lost / (float)damage[a] : 0;
  }
  for (int a = 0; a < 2 * n; a++)
    if (target[a] >= 0) balance[a] += share[target[a]] * (float)type_of(params, a)->damage;
}

/* A unit stays if the cell it wants is out of bounds, occupied, or wanted by another. "Forward" is
 * away from one's own side, so it is mirrored for team 1. */
static void move(const Params *params, Episode *episode, const AgonAction *actions) {
  static const int dx[4] = {0, 0, 1, -1};
  static const int dy[4] = {-1, 1, 0, 0};
  int n = params->units;
  int x[2 * MAX_UNITS];
  int y[2 * MAX_UNITS];
  bool wants[2 * MAX_UNITS];
  for (int a = 0; a < 2 * n; a++) {
    int way = actions[a].choice - FIRST_MOVE;
    x[a] = UNIT(episode, a)->x;
    y[a] = UNIT(episode, a)->y;
    wants[a] = false;
    if (UNIT(episode, a)->hits <= 0 || way < 0 || way > 3) continue;
    x[a] += a < n ? dx[way] : -dx[way];
    y[a] += dy[way];
    wants[a] = x[a] >= 0 && x[a] < params->width && y[a] >= 0 && y[a] < params->height;
  }
  for (int a = 0; a < 2 * n; a++) {
    if (!wants[a]) continue;
    for (int b = 0; b < 2 * n && wants[a]; b++) {
      if (b == a || UNIT(episode, b)->hits <= 0) continue;
      bool clash = UNIT(episode, b)->x == x[a] && UNIT(episode, b)->y == y[a];
      bool rival = x[b] == x[a] && y[b] == y[a];
      if (clash || rival) wants[a] = false; /* where b wanted to go is kept, so b stays as well */
    }
  }
  for (int a = 0; a < 2 * n; a++)
    if (wants[a]) {
      UNIT(episode, a)->x = (int8_t)x[a];
      UNIT(episode, a)->y = (int8_t)y[a];
    }
}

/* Hit points of a team, over all its units. */
static float hits_left(const Params *params, const Episode *episode, int team) {
  int sum = 0;
  for (int i = 0; i < params->units; i++)
    sum += UNIT(episode, team * params->units + i)->hits;
  return (float)sum;
}

static void scripted(const void *block, const void *state, uint32_t index, const AgonRandom *random,
                     AgonAction *action);

/* The other team's units act by the script, from what each of them sees. */
static void act_for_enemy(const Params *params, const Episode *episode, const AgonRandom *random,
                          AgonAction *actions) {
  for (int a = params->agents; a < 2 * params->units; a++) {
    actions[a].choice = STAY;
    if (UNIT(episode, a)->hits > 0) scripted(params, episode, (uint32_t)a, random, &actions[a]);
  }
}

/* The reward: who won at the end, and on the way a share for hits. A team's units all get the
 * same, or each gets its own share for hits. */
static AgonStatus step(const void *block, void *state, const AgonAction *chosen,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  int n = params->units;
  AgonAction all_chosen[2 * MAX_UNITS];
  const AgonAction *actions = chosen;
  if (params->agents < 2 * n) {
    memcpy(all_chosen, chosen, (size_t)params->agents * sizeof *chosen);
    act_for_enemy(params, episode, random, all_chosen);
    actions = all_chosen;
  }
  float taken[2] = {0, 0};
  float balance[2 * MAX_UNITS];
  float all = 0;
  float won = 0;
  for (int i = 0; i < n; i++)
    all += (float)type_of(params, i)->hits;
  shoot(params, episode, actions, taken, balance);
  move(params, episode, actions);
  episode->time++;
  episode->damage_dealt[0] += taken[1];
  episode->damage_dealt[1] += taken[0];
  float left[2] = {hits_left(params, episode, 0), hits_left(params, episode, 1)};
  const float gain = params->shaping * (taken[1] - taken[0]) / all;
  if (left[0] <= 0 || left[1] <= 0 || episode->time >= params->limit) {
    episode->over = 1;
    episode->outcome = left[0] > left[1] ? 1.0f : left[0] < left[1] ? 0.0f : 0.5f;
    won = 2 * episode->outcome - 1;
  }
  for (int a = 0; a < params->agents; a++) {
    const float own = params->shaping * (float)n * balance[a] / all;
    const float end = a < n ? won : -won;
    reward[a] += params->own ? own + end : a < n ? gain + won : -(gain + won);
  }
  return episode->over ? AGON_TERMINATED : AGON_RUNNING;
}

/* What is seen of any unit: type, hit points, cooldown. */
static void describe(const Params *params, const Episode *episode, int agent, float *out) {
  const Unit *unit = UNIT(episode, agent);
  out[(agent % params->units) % TYPES] = 1;
  out[3] = (float)unit->hits / (float)type_of(params, agent)->hits;
  out[4] = (float)unit->cooldown / 2.0f;
}

/* Itself: type (3), hits, cooldown, x, y, time left. Then every other unit, own team first: type
 * (3), hits, cooldown, dx, dy, seen; all zero where it is dead or out of sight. All between -1
 * and 1. */
static void observe(const void *block, const void *state, uint32_t index, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  float *row = out;
  int n = params->units;
  int agent = (int)index;
  int team = agent >= n;
  int base = team * n;
  const Unit *self = UNIT(episode, agent);
  float mirror = team ? -1.0f : 1.0f;
  memset(row, 0, sizeof(float) * (size_t)(2 * n * FEATURES));
  describe(params, episode, agent, row);
  row[5] = (float)(team ? params->width - 1 - self->x : self->x) / (float)params->width;
  row[6] = (float)self->y / (float)params->height;
  row[7] = 1.0f - (float)episode->time / (float)params->limit;
  float *at = row;
  for (int k = 0; k < 2 * n; k++) {
    int other = k < n ? base + k : (n - base) + (k - n);
    if (other == agent) continue;
    at += FEATURES;
    const Unit *unit = UNIT(episode, other);
    if (unit->hits <= 0 || self->hits <= 0 || distance(self, unit) > type_of(params, agent)->sight)
      continue;
    describe(params, episode, other, at);
    at[5] = mirror * (float)(unit->x - self->x) / (float)params->width;
    at[6] = (float)(unit->y - self->y) / (float)params->height;
    at[7] = 1;
  }
}

/* Moves are always legal; a shot only at who can be shot. */
static void mask(const void *block, const void *state, uint32_t index, uint8_t *row) {
  const Params *params = block;
  const Episode *episode = state;
  int n = params->units;
  int agent = (int)index;
  int enemies = agent < n ? n : 0;
  for (int i = 0; i < FIRST_SHOT; i++)
    row[i] = 1;
  for (int i = 0; i < n; i++)
    row[FIRST_SHOT + i] = can_shoot(params, episode, agent, enemies + i);
}

/* The dead act no more, but their team still earns for them. */
static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  for (int a = 0; a < params->agents; a++) {
    bool alive = UNIT(episode, a)->hits > 0;
    flag[a] = (uint8_t)((alive ? AGON_ALIVE : 0) | (alive && !episode->over ? AGON_ACTS : 0));
  }
}

/* Of the team or the two teams. */
static void outcome(const void *block, const void *state, float *out) {
  const Params *params = block;
  out[0] = ((const Episode *)state)->outcome;
  if (params->agents > params->units) out[1] = 1.0f - out[0];
}

/* In cells. */
static void position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  (void)block;
  const Unit *unit = UNIT((const Episode *)state, agent);
  xyz[0] = (float)unit->x;
  xyz[1] = (float)unit->y;
  xyz[2] = 0;
}

/* For a critic that sees everything: each unit as described, with its place, and the time left. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  memset(row, 0, sizeof(float) * (size_t)(2 * params->units * 7 + 1));
  for (int a = 0; a < 2 * params->units; a++) {
    float *at = row + a * 7;
    describe(params, episode, a, at);
    at[5] = (float)UNIT(episode, a)->x / (float)params->width;
    at[6] = (float)UNIT(episode, a)->y / (float)params->height;
  }
  row[2 * params->units * 7] = 1.0f - (float)episode->time / (float)params->limit;
}

/* In the order of metric_names; the last is of one team alone: of two it is the outcome. */
static void metrics(const void *block, const void *state, float *values) {
  const Params *params = block;
  const Episode *episode = state;
  values[0] = (float)episode->time;
  values[1] = episode->damage_dealt[0];
  values[2] = episode->damage_dealt[1];
  if (params->agents == params->units) values[METRICS] = episode->outcome;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[FIRST_SHOT] = {"stay", "up", "down", "forward", "back"};
  const Params *params = block;
  (void)head;
  return choice < FIRST_SHOT ? name[choice] : params->shot[choice - FIRST_SHOT];
}

/* The sign of a unit on the board: team 0 has capitals, team 1 small letters, from A again
 * after 26.
 */
static char sign_of(const Params *params, int agent) {
  return (char)((agent < params->units ? 'A' : 'a') + agent % params->units % 26);
}

/* A team's units on one line: each one's hit points where they are few, else how many are left. */
static int put_team(const Params *params, const Episode *episode, int team, char *text,
                    size_t size) {
  enum { LISTED = 8 };
  const int first = team * params->units;
  int standing = 0;
  int all = 0;
  int used = 0;
  for (int a = first; a < first + params->units; a++) {
    const int hits = UNIT(episode, a)->hits;
    standing += hits > 0;
    all += type_of(params, a)->hits;
    if (params->units > LISTED || used < 0 || (size_t)used >= size) continue;
    used += snprintf(text + used, size - (size_t)used, "%s%c %d of %d", a > first ? ", " : "",
                     sign_of(params, a), hits, type_of(params, a)->hits);
  }
  if (params->units <= LISTED) return used;
  return snprintf(text, size, "%s: %d of %d units with %.0f of %d hit points",
                  team ? "small letters" : "capitals", standing, params->units,
                  (double)hits_left(params, episode, team), all);
}

/* The field, and below it who has how many hit points. The dead are not on the field. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  char team[2][200];
  for (int y = 0; y < params->height; y++)
    for (int x = 0; x <= params->width && used + 1 < size; x++) {
      char letter = x == params->width ? '\n' : '.';
      for (int a = 0; a < 2 * params->units; a++) {
        const Unit *unit = UNIT(episode, a);
        if (unit->hits > 0 && unit->x == x && unit->y == y) letter = sign_of(params, a);
      }
      text[used++] = letter;
    }
  text[used] = 0;
  for (int t = 0; t < 2; t++)
    put_team(params, episode, t, team[t], sizeof team[t]);
  snprintf(text + used, size - used, "step %d of %d; hit points\n  %s\n  %s\n", episode->time,
           params->limit, team[0], team[1]);
}

/* Which enemy is the weakest in reach, and which the nearest in sight; -1: none. */
static void look_around(const Params *params, const Episode *episode, int agent, int *target,
                        int *near) {
  int enemies = agent < params->units ? params->units : 0;
  const Unit *self = UNIT(episode, agent);
  *target = -1;
  *near = -1;
  for (int i = 0; i < params->units; i++) {
    const Unit *enemy = UNIT(episode, enemies + i);
    if (can_shoot(params, episode, agent, enemies + i) &&
        (*target < 0 || enemy->hits < UNIT(episode, enemies + *target)->hits))
      *target = i;
    if (enemy->hits > 0 && distance(self, enemy) <= type_of(params, agent)->sight &&
        (*near < 0 || distance(self, enemy) < distance(self, UNIT(episode, enemies + *near))))
      *near = i;
  }
}

/* Shoots the weakest enemy in reach, else walks to the nearest one it sees, else forward. */
static void scripted(const void *block, const void *state, uint32_t index, const AgonRandom *random,
                     AgonAction *action) {
  const Params *params = block;
  const Episode *episode = state;
  int n = params->units;
  int agent = (int)index;
  int enemies = agent < n ? n : 0;
  int target, near;
  const Unit *self = UNIT(episode, agent);
  look_around(params, episode, agent, &target, &near);
  action->choice = FIRST_MOVE + 2; /* forward */
  if (target >= 0) {
    action->choice = FIRST_SHOT + target;
  } else if (near >= 0) {
    const Unit *enemy = UNIT(episode, enemies + near);
    int dx = (enemy->x - self->x) * (agent < n ? 1 : -1);
    int dy = enemy->y - self->y;
    bool across = abs(dx) > abs(dy) || (abs(dx) == abs(dy) && agon_random_below(random, 2));
    action->choice = FIRST_MOVE + (across ? (dx > 0 ? 2 : 3) : (dy < 0 ? 0 : 1));
  }
}

const AgonEnv env_skirmish = {
    AGON_ENV_SIZES,
    .name = "skirmish",
    .summary = "two teams of units on a grid: move, shoot, see only what is near, all at once",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .reset_with = reset_with,
    .step = step,
    .observe = observe,
    .mask = mask,
    .flags = flags,
    .outcome = outcome,
    .global_state = global_state,
    .metrics = metrics,
    .action_name = action_name,
    .metric_names = metric_names,
    .render = render,
    .scripted = scripted,
    .position = position,
};

/* A grid of crossings with signals, one agent each: which lanes have green next. Queues are stored
 * on the roads and forwarded lane by lane (store and forward; Aboudolas, Papageorgiou and
 * Kosmatopoulos 2009); cars are whole, so that what comes in goes out or is still there.
 *
 * A crossing has four roads that lead to it (from the north, east, south and west; the same order
 * everywhere), each of two lanes: one straight on or right, one left. A phase gives green to the
 * same lanes of two opposite roads. A second of green lets a car off every `headway` seconds, if
 * its next road has room; a change of phase begins with `lost` seconds in which nobody goes, and
 * cannot be taken back before `min_green` seconds of green. Cars drive `travel` seconds along a
 * road, then queue. At the border cars arrive at random, and wait outside while the road is full.
 *
 * Each `period` seconds one side of the grid may have a surge (its demand times `surge`) and a lane
 * an incident (closed for `closed` seconds); nobody is told but by queues. Delay is the time that
 * cars stand in queues, outside ones included. A step is `interval` seconds of it, and pays the
 * change of the delay so far, with a minus sign, in minutes: that of its own crossing, or the
 * team's.
 *
 * Intervals, the least green and lost times are those of sumo-rl (5, 5 and 2 seconds), which also
 * has phases like these and a grid of 4 x 4 in its collection (RESCO; Ault and Sharon 2021). It
 * simulates every car in SUMO and pays the change of the waiting time of cars that are there, which
 * falls when a car leaves. Max-pressure control is Varaiya's (2013): the phase whose lanes have the
 * most cars beyond what stands where these will go. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 10, MAX_TRAVEL = 60, SIDES = 4, LANES = 2 * SIDES, PHASES = 4 };
enum { NORTH, EAST, SOUTH, WEST, NO_SIDE };
enum { STRAIGHT, TURN_LEFT }; /* the lanes of a road; right turns share the first */
enum { UNDRAWN, AHEAD, RIGHT };
enum { FIXED_TIME, MAX_PRESSURE };
/* Phase, may it change, the share of the least green that is over, lanes, roads, next roads. */
enum { OBSERVED = PHASES + 2 + LANES + SIDES + SIDES };
enum { OF_GRID = 2 }; /* of the global state: the time that is left, whether there is a surge */
static const double SECONDS_OF_UNIT = 60; /* rewards are in minutes of cars */

typedef struct Params {
  int rows, columns, signals;
  int interval, lost, min_green, headway, travel, room, period, closed, limit;
  bool team;                    /* all are paid the team's reward */
  int scripted, straight, left; /* the rule-based player, and the fixed time of phases */
  double demand;                /* cars a second at each entry */
  double surge, surges, incidents, turn_left, turn_right;
} Params;

typedef struct Signal {
  uint8_t phase;
  uint8_t head[SIDES]; /* where the first car of a straight lane goes */
  uint8_t driving[SIDES]
                 [MAX_TRAVEL]; /* cars by the second, modulo `travel`, in which they arrive */
  uint16_t on_road[SIDES];     /* cars that drive */
  uint16_t queue[LANES];       /* 2 * road + lane */
  uint16_t shut[LANES];        /* seconds for which the lane stays closed */
  uint32_t outside[SIDES];     /* cars that wait before the border */
  int32_t lost;                /* seconds until green */
  int32_t green;               /* seconds of it */
} Signal;

typedef struct Episode {
  int32_t time;    /* seconds */
  int32_t surging; /* the side with a surge, or NO_SIDE */
  int32_t incidents;
  uint32_t entered, left;
  uint32_t longest; /* queue of a lane */
  double waited;    /* seconds of all cars */
  double changes;   /* of phases */
  Signal signal[];  /* (rows * columns) by rows from the north */
} Episode;

static const AgonEnvOption options[] = {
    {"rows", AGON_OPT_INT, "4", 1, MAX_SIDE, NULL, "crossings from north to south"},
    {"columns", AGON_OPT_INT, "4", 1, MAX_SIDE, NULL, "crossings from west to east"},
    {"interval", AGON_OPT_INT, "5", 1, 60, NULL, "seconds of a step"},
    {"lost", AGON_OPT_INT, "2", 0, 30, NULL, "seconds without green after a change of phase"},
    {"min_green", AGON_OPT_INT, "5", 0, 300, NULL, "seconds of green before the next change"},
    {"headway", AGON_OPT_INT, "2", 1, 30, NULL, "seconds of green for each car of a lane"},
    {"travel", AGON_OPT_INT, "15", 1, MAX_TRAVEL, NULL, "seconds to drive along a road"},
    {"room", AGON_OPT_INT, "40", 1, 1000, NULL, "cars that a road holds, driving or queued"},
    {"demand", AGON_OPT_FLOAT, "360", 0, 3600, NULL, "cars an hour at each entry"},
    {"turn_left", AGON_OPT_FLOAT, "0.2", 0, 1, NULL, "share of cars that turn left"},
    {"turn_right", AGON_OPT_FLOAT, "0.2", 0, 1, NULL, "share of cars that turn right"},
    {"period", AGON_OPT_INT, "300", 1, 100000, NULL,
     "seconds after which surges and incidents are drawn anew"},
    {"surges", AGON_OPT_FLOAT, "0.5", 0, 1, NULL, "probability that a period has a surge"},
    {"surge", AGON_OPT_FLOAT, "2.5", 1, 10, NULL,
     "what a surge multiplies the demand of a side by"},
    {"incidents", AGON_OPT_FLOAT, "0.25", 0, 1, NULL, "probability that a period has an incident"},
    {"closed", AGON_OPT_INT, "120", 1, 10000, NULL, "seconds for which an incident closes a lane"},
    {"rewards", AGON_OPT_CHOICE, "own", 0, 0, "own|team",
     "minus the change of delay at one's own crossing, or of all, in minutes"},
    {"scripted", AGON_OPT_CHOICE, "max-pressure", 0, 0, "max-pressure|fixed-time",
     "what the rule-based player does"},
    {"fixed_straight", AGON_OPT_INT, "20", 1, 600, NULL,
     "fixed-time: seconds of the phases straight on, lost ones included"},
    {"fixed_left", AGON_OPT_INT, "10", 1, 600, NULL,
     "fixed-time: seconds of the phases to the left"},
    {"limit", AGON_OPT_INT, "360", 1, 100000, NULL, "steps until the episode is cut short"},
};

static const char *const metric_names[] = {"mean_delay",    "throughput", "queue",
                                           "longest_queue", "changes",    "incidents"};

static int refuse(AgonError *error, const char *what) {
  snprintf(error->text, sizeof error->text, "%s", what);
  return -1;
}

/* Numbers that no table can check by itself. */
static int check(const Params *params, AgonError *error) {
  if (params->turn_left + params->turn_right > 1)
    return refuse(error, "env.turn_left and env.turn_right are more than 1 together: they are "
                         "shares of all cars");
  if (params->demand * params->surge > 1)
    return refuse(error, "env.demand times env.surge is more than 3600 cars an hour, one a second, "
                         "which is the most that an entry takes: make one of them smaller");
  if (params->lost + params->min_green + params->headway > params->interval * params->limit)
    return refuse(error, "no phase gets a car through within an episode: env.lost, env.min_green "
                         "and env.headway are longer than env.interval times env.limit");
  return 0;
}

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  static const uint32_t head_size = PHASES;
  static const AgonKind kind = {.name = "signal",
                                .observation_type = AGON_F32,
                                .observation_shape = {OBSERVED, 1, 1},
                                .observation_high = 1,
                                .heads = 1,
                                .head_size = &head_size};
  Params *params = block;
  *params = (Params){.rows = atoi(values[0]),
                     .columns = atoi(values[1]),
                     .interval = atoi(values[2]),
                     .lost = atoi(values[3]),
                     .min_green = atoi(values[4]),
                     .headway = atoi(values[5]),
                     .travel = atoi(values[6]),
                     .room = atoi(values[7]),
                     .demand = strtod(values[8], NULL) / 3600,
                     .turn_left = strtod(values[9], NULL),
                     .turn_right = strtod(values[10], NULL),
                     .period = atoi(values[11]),
                     .surges = strtod(values[12], NULL),
                     .surge = strtod(values[13], NULL),
                     .incidents = strtod(values[14], NULL),
                     .closed = atoi(values[15]),
                     .team = !strcmp(values[16], "team"),
                     .scripted = !strcmp(values[17], "fixed-time") ? FIXED_TIME : MAX_PRESSURE,
                     .straight = atoi(values[18]),
                     .left = atoi(values[19]),
                     .limit = atoi(values[20])};
  params->signals = params->rows * params->columns;
  if (check(params, error)) return -1;
  /* If nobody ever left: a car more a second at each entry, or all that roads hold. */
  const double seconds = (double)params->interval * params->limit;
  const double entries = 2.0 * (params->rows + params->columns);
  const double roads = SIDES * (double)params->signals * params->room;
  const double worst = seconds * (entries * seconds / 2 + roads) / SECONDS_OF_UNIT;
  *spec = (AgonEnvSpec){
      .params_size = sizeof(Params),
      .episode_size = sizeof(Episode) + (size_t)params->signals * sizeof(Signal),
      .agents = (uint32_t)params->signals,
      .teams = 1,
      .kinds = 1,
      .kind = &kind,
      .global_state_size = (uint32_t)(params->signals * OBSERVED + OF_GRID),
      .step_limit = (uint32_t)params->limit,
      .flags =
          AGON_COOPERATIVE | AGON_SIMULTANEOUS | (params->team ? 0u : (uint32_t)AGON_RETURNS_ADD),
      .reward_low = (float)-worst,
      .reward_high = 0,
      .metrics = 6,
  };
  return 0;
}

/* The crossing beside one on a side, or NULL: there the grid ends. */
static Signal *next_to(const Params *params, Episode *episode, int signal, int side) {
  const int row = signal / params->columns + (side == SOUTH) - (side == NORTH);
  const int column = signal % params->columns + (side == EAST) - (side == WEST);
  if (row < 0 || column < 0 || row >= params->rows || column >= params->columns) return NULL;
  return &episode->signal[row * params->columns + column];
}

static int across(int side) {
  return (side + 2) % SIDES;
}

/* The side by which a car leaves that has come from `road`. Seen from who drives south, having come
 * from the north, left is east. */
static int leaves_by(int road, int lane, int head) {
  if (lane == TURN_LEFT) return (road + 1) % SIDES;
  return head == RIGHT ? (road + 3) % SIDES : across(road);
}

static int on_road(const Signal *signal, int road) {
  return signal->on_road[road] + signal->queue[2 * road] + signal->queue[2 * road + 1];
}

/* Puts a car at the beginning of a road; false: it is full. */
static bool enter(const Params *params, const Episode *episode, Signal *signal, int road) {
  if (on_road(signal, road) >= params->room) return false;
  signal->driving[road][episode->time % params->travel]++;
  signal->on_road[road]++;
  return true;
}

static bool may_change(const Params *params, const Signal *signal) {
  return !signal->lost && signal->green >= params->min_green;
}

static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)random, (void)error;
  const Params *params = block;
  Episode *episode = state;
  memset(episode, 0, sizeof *episode + (size_t)params->signals * sizeof *episode->signal);
  episode->surging = NO_SIDE;
  for (int s = 0; s < params->signals; s++)
    episode->signal[s].green = params->min_green; /* it may change at once */
  return AGON_RUNNING;
}

/* What the next period has in store. */
static void draw_period(const Params *params, Episode *episode, const AgonRandom *random) {
  episode->surging = NO_SIDE;
  if (agon_random_unit(random) < params->surges)
    episode->surging = (int32_t)agon_random_below(random, SIDES);
  if (agon_random_unit(random) >= params->incidents) return;
  Signal *signal = &episode->signal[agon_random_below(random, (uint32_t)params->signals)];
  signal->shut[agon_random_below(random, LANES)] = (uint16_t)params->closed;
  episode->incidents++;
}

/* Cars that reach the end of a road choose a lane. */
static void arrive(const Params *params, Episode *episode, Signal *signal, int road,
                   const AgonRandom *random) {
  uint8_t *cars = &signal->driving[road][episode->time % params->travel];
  for (; *cars; --*cars) {
    const int lane = agon_random_unit(random) < params->turn_left ? TURN_LEFT : STRAIGHT;
    const uint32_t length = ++signal->queue[2 * road + lane];
    signal->on_road[road]--;
    if (length > episode->longest) episode->longest = length;
  }
}

/* At an entry: a new car, perhaps, and the first of those outside goes in if there is room. */
static void come_in(const Params *params, Episode *episode, Signal *signal, int road,
                    const AgonRandom *random) {
  const double rate = params->demand * (episode->surging == road ? params->surge : 1);
  if (agon_random_unit(random) < rate) {
    signal->outside[road]++;
    episode->entered++;
  }
  if (signal->outside[road] && enter(params, episode, signal, road)) signal->outside[road]--;
}

/* The first car of a lane goes on, if it can. */
static void let_off(const Params *params, Episode *episode, int at, int road, int lane,
                    const AgonRandom *random) {
  Signal *signal = &episode->signal[at];
  uint16_t *queue = &signal->queue[2 * road + lane];
  if (!*queue || signal->shut[2 * road + lane]) return;
  if (lane == STRAIGHT && signal->head[road] == UNDRAWN) {
    const double right = params->turn_right, rest = 1 - params->turn_left;
    const bool turns = rest > 0 && agon_random_unit(random) * rest < right;
    signal->head[road] = turns ? RIGHT : AHEAD;
  }
  const int side = leaves_by(road, lane, signal->head[road]);
  Signal *next = next_to(params, episode, at, side);
  if (next && !enter(params, episode, next, across(side))) return;
  if (!next) episode->left++;
  if (lane == STRAIGHT) signal->head[road] = UNDRAWN;
  --*queue;
}

/* A second of one signal's clock; every `headway`-th of green its lanes let a car off. Phases are
 * straight on and left for north and south, then for east and west. */
static void tick_signal(const Params *params, Episode *episode, int at, const AgonRandom *random) {
  Signal *signal = &episode->signal[at];
  for (int lane = 0; lane < LANES; lane++)
    signal->shut[lane] = (uint16_t)(signal->shut[lane] - (signal->shut[lane] > 0));
  if (signal->lost) {
    signal->lost--;
    return;
  }
  signal->green++;
  if (signal->green % params->headway) return;
  const int first = signal->phase / 2, lane = signal->phase % 2;
  let_off(params, episode, at, first, lane, random);
  let_off(params, episode, at, across(first), lane, random);
}

/* Cars that stand at a crossing. */
static uint32_t standing(const Signal *signal) {
  uint32_t count = 0;
  for (int lane = 0; lane < LANES; lane++)
    count += signal->queue[lane];
  for (int road = 0; road < SIDES; road++)
    count += signal->outside[road];
  return count;
}

/* One second of the grid: cars arrive at queues and at the border, then signals let them off, in
 * order of their numbers (which decides who gets the last place on a road). */
static void tick(const Params *params, Episode *episode, const AgonRandom *random) {
  if (episode->time % params->period == 0) draw_period(params, episode, random);
  for (int s = 0; s < params->signals; s++)
    for (int road = 0; road < SIDES; road++) {
      arrive(params, episode, &episode->signal[s], road, random);
      if (!next_to(params, episode, s, road))
        come_in(params, episode, &episode->signal[s], road, random);
    }
  for (int s = 0; s < params->signals; s++)
    tick_signal(params, episode, s, random);
  episode->time++;
}

static void change_phase(const Params *params, Episode *episode, Signal *signal, int phase) {
  if (phase == signal->phase || !may_change(params, signal)) return;
  signal->phase = (uint8_t)phase;
  signal->lost = params->lost;
  signal->green = 0;
  episode->changes++;
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  double waited[MAX_SIDE * MAX_SIDE] = {0}, sum = 0;
  for (int s = 0; s < params->signals; s++)
    change_phase(params, episode, &episode->signal[s], actions[s].choice);
  for (int second = 0; second < params->interval; second++) {
    tick(params, episode, random);
    for (int s = 0; s < params->signals; s++)
      waited[s] += standing(&episode->signal[s]);
  }
  for (int s = 0; s < params->signals; s++)
    sum += waited[s];
  for (int s = 0; s < params->signals; s++)
    reward[s] -= (float)((params->team ? sum : waited[s]) / SECONDS_OF_UNIT);
  episode->waited += sum;
  return episode->time >= params->interval * params->limit ? AGON_TRUNCATED : AGON_RUNNING;
}

/* Of the room of a road. */
static float share(const Params *params, int cars) {
  return cars >= params->room ? 1 : (float)cars / (float)params->room;
}

/* Phase (one-hot), may it change, how much of the least green is over; of each lane its queue, of
 * each road the cars that drive on it, of each road that leads away the cars on it: shares of the
 * room. */
static float *describe(const Params *params, const Episode *episode, int at, float *row) {
  const Signal *signal = &episode->signal[at];
  memset(row, 0, PHASES * sizeof *row);
  row[signal->phase] = 1;
  row += PHASES;
  *row++ = may_change(params, signal);
  *row++ = signal->green >= params->min_green ? 1 : (float)signal->green / (float)params->min_green;
  for (int lane = 0; lane < LANES; lane++)
    *row++ = share(params, signal->queue[lane]);
  for (int road = 0; road < SIDES; road++)
    *row++ = share(params, signal->on_road[road]);
  for (int side = 0; side < SIDES; side++) {
    const Signal *next = next_to(params, (Episode *)(uintptr_t)episode, at, side);
    *row++ = next ? share(params, on_road(next, across(side))) : 0;
  }
  return row;
}

static void observe(const void *block, const void *state, uint32_t agent, void *row) {
  describe(block, state, (int)agent, row);
}

/* What all see; the share of steps that are left; whether there is a surge. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  for (int s = 0; s < params->signals; s++)
    row = describe(params, episode, s, row);
  row[0] = 1 - (float)episode->time / (float)(params->interval * params->limit);
  row[1] = episode->surging != NO_SIDE;
}

/* Until the least green is over a phase stays. */
static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  const Signal *signal = &((const Episode *)state)->signal[agent];
  memset(row, may_change(block, signal), PHASES);
  row[signal->phase] = 1;
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  (void)state;
  memset(flag, AGON_ALIVE | AGON_ACTS, (size_t)((const Params *)block)->signals);
}

/* Seconds that a car stood, of all that came; cars that left the grid; cars that stood, on average;
 * the longest queue of a lane; changes of phase of one signal; lanes that were closed. */
static void metrics(const void *block, const void *state, float *values) {
  const Params *params = block;
  const Episode *episode = state;
  values[0] = episode->entered ? (float)(episode->waited / episode->entered) : 0;
  values[1] = (float)episode->left;
  values[2] = episode->time ? (float)(episode->waited / episode->time) : 0;
  values[3] = (float)episode->longest;
  values[4] = (float)(episode->changes / params->signals);
  values[5] = (float)episode->incidents;
}

static void position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  const Params *params = block;
  (void)state;
  xyz[0] = (float)((int)agent % params->columns);
  xyz[1] = (float)((int)agent / params->columns);
  xyz[2] = 0;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[PHASES] = {"ns", "ns-left", "ew", "ew-left"};
  (void)block, (void)head;
  return name[choice];
}

/* Cars that stand on a road and before it, as far as two digits tell. */
static uint32_t shown_cars(const Signal *signal, int road) {
  const uint32_t lanes = (uint32_t)signal->queue[2 * road] + signal->queue[2 * road + 1];
  return lanes + signal->outside[road] < 99 ? lanes + signal->outside[road] : 99;
}

/* One crossing a cell: its signal, and the cars that stand on its four roads. */
static void render(const void *block, const void *state, char *text, size_t size) {
  static const char *const shown[PHASES] = {"|", "|<", "-", "-<"};
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (int s = 0; s < params->signals && used + 64 < size; s++) {
    const Signal *signal = &episode->signal[s];
    used += (size_t)snprintf(text + used, size - used, "  %-2s%c%2u %2u %2u %2u",
                             shown[signal->phase], signal->lost ? '!' : ' ',
                             shown_cars(signal, NORTH), shown_cars(signal, EAST),
                             shown_cars(signal, SOUTH), shown_cars(signal, WEST));
    if ((s + 1) % params->columns == 0) text[used++] = '\n';
  }
  snprintf(text + used, size - used,
           "second %d of %d, %u cars came, %u left, each stood %.1f s so far%s%s; | north-south, - "
           "east-west, < left turns, ! no green yet; then the cars that stand on the roads from "
           "north, east, south, west\n",
           episode->time, params->interval * params->limit, episode->entered, episode->left,
           episode->entered ? episode->waited / episode->entered : 0,
           episode->surging == NO_SIDE ? "" : ", a surge from the ",
           episode->surging == NORTH   ? "north"
           : episode->surging == EAST  ? "east"
           : episode->surging == SOUTH ? "south"
           : episode->surging == WEST  ? "west"
                                       : "");
}

/* The plan: straight on and left for north and south, then for east and west. Crossings farther
 * from the north-western one are later by the way to them. */
static int planned(const Params *params, const Episode *episode, int at) {
  const int half = params->straight + params->left;
  const int hops = at / params->columns + at % params->columns;
  const int late = hops * params->travel % (2 * half);
  const int now = (episode->time + 2 * half - late) % (2 * half);
  return 2 * (now / half) + (now % half >= params->straight);
}

/* Cars of a lane beyond those that stand where they will go, on average. */
static double pressure(const Params *params, const Episode *episode, int at, int road, int lane) {
  const Signal *signal = &episode->signal[at];
  const double rest = 1 - params->turn_left;
  const double right = rest > 0 ? params->turn_right / rest : 0;
  double cars = signal->queue[2 * road + lane];
  for (int head = AHEAD; head <= RIGHT; head++) {
    if (lane == TURN_LEFT && head == RIGHT) break;
    const double weight = lane == TURN_LEFT ? 1 : head == RIGHT ? right : 1 - right;
    const int side = leaves_by(road, lane, head);
    const Signal *next = next_to(params, (Episode *)(uintptr_t)episode, at, side);
    if (!next) continue;
    const int from = across(side);
    const double there = params->turn_left * next->queue[2 * from + TURN_LEFT] +
                         rest * next->queue[2 * from + STRAIGHT];
    cars -= weight * there;
  }
  return cars;
}

/* The phase with the most pressure; of equal ones the present one, else the first. */
static int most_pressed(const Params *params, const Episode *episode, int at) {
  int best = episode->signal[at].phase;
  double most = 0;
  for (int i = 0; i <= PHASES; i++) {
    const int phase = i == 0 ? best : i - 1; /* the present one first */
    const int road = phase / 2, lane = phase % 2;
    const double sum = pressure(params, episode, at, road, lane) +
                       pressure(params, episode, at, across(road), lane);
    if (i > 0 && sum <= most) continue;
    most = sum;
    best = phase;
  }
  return best;
}

static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)random;
  const Params *params = block;
  const Episode *episode = state;
  const Signal *signal = &episode->signal[agent];
  action->choice = signal->phase;
  if (!may_change(params, signal)) return;
  action->choice = params->scripted == FIXED_TIME ? planned(params, episode, (int)agent)
                                                  : most_pressed(params, episode, (int)agent);
}

const AgonEnv env_traffic = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "traffic",
    .summary = "signals of a grid of crossings keep cars from standing, with surges and incidents",
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

/* Agents of one team on a square grid with as many goal cells as agents. The team is paid 10, once,
 * when every agent stands on a goal, each on one of its own, and the episode ends; until then it is
 * paid nothing (or pays step_cost). Whoever is there early learns nothing of it: a game about who
 * earned what. Three cures are declared:
 *
 *   idle       to stay
 *   remove     without an agent: those who are left are paid as soon as *they* stand on goals
 *   potential  minus the way, in cells, that each has to its goal in the best assignment
 *
 * All choose at once and move in the order of their numbers; a cell holds one agent, and who runs
 * into another stays. The step limit, which nobody sees, truncates. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SIZE = 16, MAX_AGENTS = 8, MIN_AGENTS = 2 };
enum { STAY, NORTH, SOUTH, WEST, EAST, ACTIONS };
enum { OF_SELF = 3, OF_PLACE = 4 }; /* numbers in an observation */

static const float prize = 10;

typedef struct Params {
  int size, agents, limit;
  bool fixed; /* goals lie in the same cells in every episode */
  float step_cost;
  float knob_low, knob_high;
  AgonKind kind;
} Params;

typedef struct Place {
  int8_t row, column;
} Place;

typedef struct Episode {
  int32_t time;
  int32_t over;  /* all stood on goals */
  int32_t goals; /* as many as agents at the start */
  int32_t left;  /* agents that are in the game */
  Place goal[MAX_AGENTS];
  Place agent[MAX_AGENTS];
  uint8_t gone[MAX_AGENTS]; /* out of the game */
} Episode;

static const AgonEnvOption options[] = {
    {"agents", AGON_OPT_INT, "4", MIN_AGENTS, MAX_AGENTS, NULL, "agents, and goal cells"},
    {"size", AGON_OPT_INT, "6", 4, MAX_SIZE, NULL, "cells from side to side of the square grid"},
    {"goals", AGON_OPT_CHOICE, "drawn", 0, 0, "drawn|fixed",
     "drawn: anywhere, anew in each episode; fixed: spread evenly over the diagonal"},
    {"step_cost", AGON_OPT_FLOAT, "0", 0, 1, NULL, "what each step costs the team"},
    {"limit", AGON_OPT_INT, "50", 1, 10000, NULL, "steps until the episode is cut short"},
};

static const char *const metric_names[] = {"solved", "length"};

/* Observations: oneself, each goal, each other agent. */
static uint32_t observation_size(int agents) {
  return (uint32_t)(OF_SELF + OF_PLACE * agents + OF_PLACE * (agents - 1));
}

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  static const uint32_t head_size = ACTIONS;
  static const AgonAction idle = {.choice = STAY};
  static const char *const knob_names[] = {"agents"};
  Params *params = block;
  *params = (Params){
      .agents = atoi(values[0]),
      .size = atoi(values[1]),
      .fixed = !strcmp(values[2], "fixed"),
      .step_cost = strtof(values[3], NULL),
      .limit = atoi(values[4]),
      .knob_low = MIN_AGENTS,
  };
  params->knob_high = (float)params->agents;
  if (params->fixed && params->size < params->agents) {
    snprintf(error->text, sizeof error->text,
             "goals=fixed: a diagonal of %d cells has no room for %d goals: raise size",
             params->size, params->agents);
    return -1;
  }
  params->kind = (AgonKind){
      .observation_type = AGON_F32,
      .observation_shape = {observation_size(params->agents), 1, 1},
      .observation_low = -1,
      .observation_high = 1,
      .heads = 1,
      .head_size = &head_size,
      .idle = &idle,
  };
  *spec = (AgonEnvSpec){
      .params_size = sizeof(Params),
      .episode_size = sizeof(Episode),
      .agents = (uint32_t)params->agents,
      .teams = 1,
      .kinds = 1,
      .kind = &params->kind,
      .global_state_size = (uint32_t)(6 * params->agents + 1),
      .step_limit = (uint32_t)params->limit,
      .flags = AGON_COOPERATIVE | AGON_SIMULTANEOUS,
      .reward_low = -params->step_cost * (float)params->limit,
      .reward_high = prize,
      .metrics = 2,
      .knobs = 1,
      .knob_names = knob_names,
      .knob_low = &params->knob_low,
      .knob_high = &params->knob_high,
      .knob_plain = &params->knob_high,
  };
  return 0;
}

static bool same(Place a, Place b) {
  return a.row == b.row && a.column == b.column;
}

static int way_between(Place a, Place b) {
  return abs(a.row - b.row) + abs(a.column - b.column);
}

/* The goal that lies there, or -1. */
static int goal_at(const Episode *episode, Place at) {
  for (int g = 0; g < episode->goals; g++)
    if (same(episode->goal[g], at)) return g;
  return -1;
}

/* The agent that stands there, or -1. */
static int agent_at(const Params *params, const Episode *episode, Place at) {
  for (int a = 0; a < params->agents; a++)
    if (!episode->gone[a] && same(episode->agent[a], at)) return a;
  return -1;
}

static bool on_goal(const Episode *episode, int agent) {
  return goal_at(episode, episode->agent[agent]) >= 0;
}

/* A cell holds one agent, so that as many goals are taken as agents stand on goals. */
static bool all_on_goals(const Params *params, const Episode *episode) {
  for (int a = 0; a < params->agents; a++)
    if (!episode->gone[a] && !on_goal(episode, a)) return false;
  return true;
}

static Place draw_place(const Params *params, const AgonRandom *random) {
  const uint32_t size = (uint32_t)params->size;
  const int8_t row = (int8_t)agon_random_below(random, size);
  return (Place){row, (int8_t)agon_random_below(random, size)};
}

/* Goals first, then agents, all in cells of their own, so that nobody begins on a goal. `count` of
 * each; the other agents are not in this episode. */
static void begin(const Params *params, Episode *episode, int count, const AgonRandom *random) {
  memset(episode, 0, sizeof *episode);
  episode->left = count;
  memset(episode->gone, 1, sizeof episode->gone);
  for (int g = 0; g < count; g++) {
    const int8_t step = (int8_t)(g * (params->size - 1) / (count - 1));
    Place at = {step, step};
    if (!params->fixed) do
        at = draw_place(params, random);
      while (goal_at(episode, at) >= 0);
    episode->goal[episode->goals++] = at;
  }
  for (int a = 0; a < count; a++) {
    Place at;
    do
      at = draw_place(params, random);
    while (goal_at(episode, at) >= 0 || agent_at(params, episode, at) >= 0);
    episode->agent[a] = at;
    episode->gone[a] = 0;
  }
}

static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  const Params *params = block;
  (void)error;
  begin(params, state, params->agents, random);
  return AGON_RUNNING;
}

/* With so many agents, the first ones, and as many goals. */
static AgonStatus reset_with(const void *block, void *state, const float *knob,
                             const AgonRandom *random, AgonError *error) {
  (void)error;
  begin(block, state, (int)(knob[0] + 0.5f), random);
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

static bool is_free(const Params *params, const Episode *episode, Place at) {
  const int size = params->size;
  if (at.row < 0 || at.column < 0 || at.row >= size || at.column >= size) return false;
  return agent_at(params, episode, at) < 0;
}

/* Every agent is paid what the team is: those in the game, and those who take no part in an episode
 * of fewer (there are as many goals as take part), so that the mean over the team says the same in
 * each stage of a curriculum. Who was taken out of the game is paid no more. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  const Params *params = block;
  Episode *episode = state;
  (void)random, (void)error;
  for (int a = 0; a < params->agents; a++) {
    const Place to = beside(episode->agent[a], actions[a].choice);
    if (!episode->gone[a] && is_free(params, episode, to)) episode->agent[a] = to;
  }
  episode->time++;
  episode->over = all_on_goals(params, episode);
  for (int a = 0; a < params->agents; a++)
    if (!episode->gone[a] || a >= episode->goals)
      reward[a] += (episode->over ? prize : 0) - params->step_cost;
  if (episode->over) return AGON_TERMINATED;
  return episode->time >= params->limit ? AGON_TRUNCATED : AGON_RUNNING;
}

static int remove_agent(const void *block, void *state, uint32_t agent, AgonError *error) {
  Episode *episode = state;
  (void)block, (void)error;
  episode->gone[agent] = 1;
  episode->left--;
  return 0;
}

/* How far a place is, in shares of the grid, and two things said of it. */
static float *write_place(const Params *params, float *row, Place from, Place to, bool first) {
  const float span = (float)(params->size - 1);
  *row++ = (float)(to.row - from.row) / span;
  *row++ = (float)(to.column - from.column) / span;
  *row++ = first;
  *row++ = 1;
  return row;
}

/* Oneself: where, and whether on a goal. Each goal: how far, whether another stands on it, whether
 * it is there. Each other agent: how far, whether on a goal, whether it is there. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  const int self = (int)agent;
  const Place at = episode->agent[self];
  const float span = (float)(params->size - 1);
  float *row = out;
  memset(out, 0, observation_size(params->agents) * sizeof *row);
  *row++ = (float)at.row / span;
  *row++ = (float)at.column / span;
  *row++ = on_goal(episode, self);
  for (int g = 0; g < episode->goals; g++) {
    const int who = agent_at(params, episode, episode->goal[g]);
    row = write_place(params, row, at, episode->goal[g], who >= 0 && who != self);
  }
  row = (float *)out + OF_SELF + OF_PLACE * params->agents;
  for (int a = 0; a < params->agents; a++) {
    if (a == self) continue;
    if (!episode->gone[a]) write_place(params, row, at, episode->agent[a], on_goal(episode, a));
    row += OF_PLACE;
  }
}

/* Cut by the limit all would act on. */
static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  for (int a = 0; a < params->agents; a++) {
    const bool acts = !episode->gone[a] && !episode->over;
    flag[a] = (uint8_t)((episode->gone[a] ? 0 : AGON_ALIVE) | (acts ? AGON_ACTS : 0));
  }
}

/* Place and presence of all goals, then of all agents; the share of steps that are left. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  const float span = (float)(params->size - 1);
  for (int i = 0; i < 2 * params->agents; i++) {
    const bool goal = i < params->agents;
    const int which = goal ? i : i - params->agents;
    const bool there = goal ? which < episode->goals : !episode->gone[which];
    const Place at = goal ? episode->goal[which] : episode->agent[which];
    *row++ = there ? (float)at.row / span : 0;
    *row++ = there ? (float)at.column / span : 0;
    *row++ = there;
  }
  *row = 1 - (float)episode->time / (float)params->limit;
}

/* A goal for each agent that is in the game: the sum of the squared ways is least. Squares, since
 * then nobody is sent past another who could go instead. best[set]: of the agents before, onto
 * these goals. */
static void assign(const Params *params, const Episode *episode, int goal_of[MAX_AGENTS]) {
  int best[1 << MAX_AGENTS];
  int8_t taken[MAX_AGENTS][1 << MAX_AGENTS];
  const int sets = 1 << episode->goals;
  int who[MAX_AGENTS];
  int count = 0;
  for (int a = 0; a < params->agents; a++)
    if (!episode->gone[a]) who[count++] = a;
  for (int set = 0; set < sets; set++)
    best[set] = set ? -1 : 0;
  for (int set = 0; set < sets; set++) {
    const int placed = __builtin_popcount((unsigned)set);
    if (best[set] < 0 || placed >= count) continue;
    for (int g = 0; g < episode->goals; g++) {
      const int then = set | 1 << g;
      if (then == set) continue;
      const int way = way_between(episode->agent[who[placed]], episode->goal[g]);
      const int sum = best[set] + way * way;
      if (best[then] >= 0 && best[then] <= sum) continue;
      best[then] = sum;
      taken[placed][then] = (int8_t)g;
    }
  }
  int end = -1;
  for (int set = 0; set < sets; set++)
    if (__builtin_popcount((unsigned)set) == count && (end < 0 || best[set] < best[end])) end = set;
  while (count-- > 0) {
    const int g = taken[count][end];
    goal_of[who[count]] = g;
    end &= ~(1 << g);
  }
}

static void potential(const void *block, const void *state, float *phi) {
  const Params *params = block;
  const Episode *episode = state;
  int goal_of[MAX_AGENTS];
  assign(params, episode, goal_of);
  for (int a = 0; a < params->agents; a++)
    phi[a] =
        episode->gone[a] ? 0 : -(float)way_between(episode->agent[a], episode->goal[goal_of[a]]);
}

static void metrics(const void *block, const void *state, float *values) {
  const Episode *episode = state;
  (void)block;
  values[0] = (float)episode->over;
  values[1] = (float)episode->time;
}

static void position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  const Episode *episode = state;
  (void)block;
  xyz[0] = episode->agent[agent].column;
  xyz[1] = episode->agent[agent].row;
  xyz[2] = 0;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[ACTIONS] = {"stay", "north", "south", "west", "east"};
  (void)block, (void)head;
  return name[choice];
}

/* Agents are letters, big ones on goals; free goals are +. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  int standing = 0;
  for (int row = 0; row < params->size; row++)
    for (int column = 0; column <= params->size && used + 3 < size; column++) {
      const Place at = {(int8_t)row, (int8_t)column};
      const int who = agent_at(params, episode, at);
      const bool goal = goal_at(episode, at) >= 0;
      if (who >= 0 && goal) standing++;
      text[used++] = column == params->size ? '\n' : ' ';
      if (column == params->size) continue;
      text[used++] = who >= 0 ? (char)((goal ? 'A' : 'a') + who) : goal ? '+' : '.';
    }
  snprintf(text + used, size - used, "step %d of %d, %d of %d stand on goals (+)%s\n",
           episode->time, params->limit, standing, episode->left, episode->over ? ": all do" : "");
}

/* To its goal of the best assignment, along the longer side first; around who stands in the way. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  const Params *params = block;
  const Episode *episode = state;
  const Place at = episode->agent[agent];
  int goal_of[MAX_AGENTS];
  assign(params, episode, goal_of);
  const Place to = episode->goal[goal_of[agent]];
  const int down = to.row - at.row, right = to.column - at.column;
  const int upright = down > 0 ? SOUTH : down < 0 ? NORTH : STAY;
  const int level = right > 0 ? EAST : right < 0 ? WEST : STAY;
  const bool steep = abs(down) >= abs(right);
  const int wish[] = {steep ? upright : level, steep ? level : upright};
  action->choice = STAY;
  if (same(at, to)) return;
  for (int i = 0; i < 2; i++)
    if (wish[i] != STAY && is_free(params, episode, beside(at, wish[i]))) {
      action->choice = wish[i];
      return;
    }
  action->choice = (int32_t)agon_random_below(random, ACTIONS);
}

const AgonEnv env_goal_cells = {
    AGON_ENV_SIZES,
    .name = "goal_cells",
    .summary = "a team on a grid is paid only when each agent stands on a goal cell of its own",
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
    .reset_with = reset_with,
    .potential = potential,
    .position = position,
    .remove = remove_agent,
};

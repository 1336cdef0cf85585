/* Soccer on a field of 4 x 5 cells: two players, one ball, a goal of two cells at each end. Both
 * move at once, and who goes first is drawn, so that no deterministic way to play is safe: the game
 * by which minimax-Q was introduced.
 *
 * Sources: Littman 1994, "Markov games as a framework for multi-agent reinforcement learning", and
 * the version of OpenSpiel (markov_soccer). Both have the field, the five moves, the random order
 * and this rule: who walks into the other stays where it is, and the one who stood there has the
 * ball then. They differ in how a game begins and how it ends without a goal:
 *
 *             start=loose draw=0 limit=1000   OpenSpiel: the ball lies on one of the two middle
 *                                             cells; a draw after 1,000 steps
 *             start=held draw=0.1             Littman: one of the two has it; each step may be the
 *                                             last, which is what his discount of .9 stands for
 *
 * His players begin where these do, up to a reflection of the board. He goes on after a goal from
 * the start; here a goal ends the game, which has the same values, for that of the start is 0. The
 * step limit cuts a game (nobody sees the clock) instead of ending it. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4, COLUMNS = 5, CELLS = ROWS * COLUMNS, PLAYERS = 2 };
enum { UP, DOWN, LEFT, RIGHT, STAND, ACTIONS };
/* Where the ball is: with one of the two, or loose on the upper or the lower of the middle cells.
 */
enum { WITH_A, WITH_B, LOOSE_UPPER, LOOSE_LOWER, BALL };
enum { STATE = 2 * CELLS + BALL, OBSERVED = STATE + PLAYERS };
enum { NOBODY = -1, TOP_OF_GOAL = 1, BOTTOM_OF_GOAL = 2 };
enum {
  OUTCOMES = 4
}; /* of a chance move: A first, B first, and the same with the game called off */

typedef struct Params {
  int held;    /* one of the two has the ball at first */
  double draw; /* probability that a step without a goal is the last */
  int limit;
} Params;

typedef struct Episode {
  int8_t row[PLAYERS];
  int8_t column[PLAYERS];
  int8_t ball;
  int8_t kick_off; /* the ball has not been placed yet */
  int8_t over;
  int8_t scorer; /* NOBODY: a draw, or not yet */
  int32_t time;
  int32_t turnovers;       /* how often the ball changed hands */
  int32_t chosen[PLAYERS]; /* what both do in the step whose order is being drawn */
} Episode;

static const AgonEnvOption options[] = {
    {"start", AGON_OPT_CHOICE, "loose", 0, 0, "loose|held",
     "the ball: loose between the players (OpenSpiel), or one of them has it (Littman)"},
    {"draw", AGON_OPT_FLOAT, "0", 0, 0.99, NULL,
     "probability that a step without a goal ends the game as a draw (Littman: 0.1)"},
    {"limit", AGON_OPT_INT, "1000", 1, 100000, NULL, "steps until the game is cut short"},
};

static const char *const metric_names[] = {"length", "turnovers"};

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  static const uint32_t head_size = ACTIONS;
  static const AgonAction idle = {.choice = STAND};
  static const AgonKind kind = {.observation_type = AGON_U8,
                                .observation_shape = {OBSERVED, 1, 1},
                                .observation_high = 1,
                                .heads = 1,
                                .head_size = &head_size,
                                .idle = &idle};
  (void)error;
  Params *params = block;
  *params = (Params){.held = !strcmp(values[0], "held"),
                     .draw = strtod(values[1], NULL),
                     .limit = atoi(values[2])};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = PLAYERS,
                        .teams = PLAYERS,
                        .kinds = 1,
                        .kind = &kind,
                        .chance = params->draw > 0 ? OUTCOMES : OUTCOMES / 2,
                        .global_state_size = STATE,
                        .step_limit = (uint32_t)params->limit,
                        .flags = AGON_ZERO_SUM | AGON_SIMULTANEOUS | AGON_PERFECT_INFORMATION |
                                 AGON_ENUMERATES_CHANCE,
                        .reward_low = -1,
                        .reward_high = 1,
                        .metrics = 2};
  return 0;
}

/* Both at their places; chance says where the ball is. */
static AgonStatus reset(const void *block, void *state, const AgonRandom *random,
                        AgonError *error) {
  (void)block, (void)random, (void)error;
  Episode *episode = state;
  memset(episode, 0, sizeof *episode);
  episode->row[0] = 2;
  episode->column[0] = 1;
  episode->row[1] = 1;
  episode->column[1] = 3;
  episode->kick_off = 1;
  episode->scorer = NOBODY;
  return AGON_CHANCE;
}

/* Of the ball's two places, and of who goes first, both alike; a step may be the last besides. */
static uint32_t chance_outcomes(const void *block, const void *state, double *probability) {
  const Params *params = block;
  const double last = ((const Episode *)state)->kick_off ? 0 : params->draw;
  probability[0] = probability[1] = (1 - last) / 2;
  if (!(last > 0)) return 2;
  probability[2] = probability[3] = last / 2;
  return OUTCOMES;
}

/* The row of the middle column on which a loose ball lies; NOBODY if somebody has it. */
static int loose_row(const Episode *episode) {
  return episode->ball == LOOSE_UPPER ? 1 : episode->ball == LOOSE_LOWER ? 2 : NOBODY;
}

/* Whether a player who leaves the field from here with the ball has scored: A to the right, B to
 * the left, between the posts. */
static bool scores(int player, int row, int column) {
  return row >= TOP_OF_GOAL && row <= BOTTOM_OF_GOAL && column == (player == 0 ? COLUMNS : -1);
}

/* One of the two moves, as the other stands now. True: it has scored. */
static bool move(Episode *episode, int player) {
  static const int8_t down[ACTIONS] = {[UP] = -1, [DOWN] = 1};
  static const int8_t right[ACTIONS] = {[LEFT] = -1, [RIGHT] = 1};
  const int action = episode->chosen[player];
  const int other = 1 - player;
  const int row = episode->row[player] + down[action];
  const int column = episode->column[player] + right[action];
  if (action == STAND) return false;
  if (row < 0 || column < 0 || row >= ROWS || column >= COLUMNS)
    return episode->ball == player && scores(player, row, column);
  if (row == episode->row[other] && column == episode->column[other]) {
    if (episode->ball == player) { /* lost to the one who stands there */
      episode->ball = (int8_t)other;
      episode->turnovers++;
    }
    return false;
  }
  episode->row[player] = (int8_t)row;
  episode->column[player] = (int8_t)column;
  if (row == loose_row(episode) && column == COLUMNS / 2) episode->ball = (int8_t)player;
  return false;
}

/* The end by a goal, or by a draw if that is `nobody`. */
static AgonStatus finish(Episode *episode, int scorer, float *reward) {
  episode->over = 1;
  episode->scorer = (int8_t)scorer;
  if (scorer == NOBODY) return AGON_TERMINATED;
  reward[scorer] += 1;
  reward[1 - scorer] -= 1;
  return AGON_TERMINATED;
}

/* Places the ball; or has both move in the order that was drawn. */
static AgonStatus chance_apply(const void *block, void *state, uint32_t outcome, float *reward,
                               AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  if (episode->kick_off) {
    episode->kick_off = 0;
    episode->ball = (int8_t)((params->held ? WITH_A : LOOSE_UPPER) + (int)outcome);
    return AGON_RUNNING;
  }
  const int first = (int)(outcome % PLAYERS);
  episode->time++;
  if (move(episode, first)) return finish(episode, first, reward);
  if (move(episode, 1 - first)) return finish(episode, 1 - first, reward);
  if (outcome >= PLAYERS) return finish(episode, NOBODY, reward);
  return episode->time >= params->limit ? AGON_TRUNCATED : AGON_RUNNING;
}

/* Nothing moves before the order is known. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)block, (void)random, (void)reward, (void)error;
  Episode *episode = state;
  for (int p = 0; p < PLAYERS; p++)
    episode->chosen[p] = actions[p].choice;
  return AGON_CHANCE;
}

/* The index of what is 1 in each of the three parts of the state. */
static void locate(const Episode *episode, int at[3]) {
  at[0] = episode->row[0] * COLUMNS + episode->column[0];
  at[1] = CELLS + episode->row[1] * COLUMNS + episode->column[1];
  at[2] = 2 * CELLS + episode->ball;
}

/* The whole state, the same for both, and who one is. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  (void)block;
  uint8_t *row = out;
  int at[3];
  memset(row, 0, OBSERVED);
  locate(state, at);
  for (int i = 0; i < 3; i++)
    row[at[i]] = 1;
  row[STATE + agent] = 1;
}

/* The cell of A, the cell of B, where the ball is: one-hot, 20 + 20 + 4. */
static void global_state(const void *block, const void *state, float *row) {
  (void)block;
  int at[3];
  memset(row, 0, STATE * sizeof *row);
  locate(state, at);
  for (int i = 0; i < 3; i++)
    row[at[i]] = 1;
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  (void)block;
  flag[0] = (uint8_t)(AGON_ALIVE | (((const Episode *)state)->over ? 0 : AGON_ACTS));
  flag[1] = flag[0];
}

static void outcome(const void *block, const void *state, float *out) {
  (void)block;
  const Episode *episode = state;
  out[0] = episode->scorer == NOBODY ? 0.5f : episode->scorer == 0 ? 1.0f : 0.0f;
  out[1] = 1 - out[0];
}

static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  const Episode *episode = state;
  values[0] = (float)episode->time;
  values[1] = (float)episode->turnovers;
}

static void position(const void *block, const void *state, uint32_t agent, float xyz[3]) {
  (void)block;
  const Episode *episode = state;
  xyz[0] = episode->column[agent];
  xyz[1] = episode->row[agent];
  xyz[2] = 0;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  static const char *const name[ACTIONS] = {"up", "down", "left", "right", "stand"};
  (void)block, (void)head;
  return name[choice];
}

/* What each byte of an observation says; of all cells the names are built once for all. */
static const char *observation_name(const void *block, uint32_t index) {
#define CELLS_OF_ROW(who, row)                                                                     \
  who " at " row ",0", who " at " row ",1", who " at " row ",2", who " at " row ",3",              \
      who " at " row ",4"
#define CELLS_OF(who)                                                                              \
  CELLS_OF_ROW(who, "0"), CELLS_OF_ROW(who, "1"), CELLS_OF_ROW(who, "2"), CELLS_OF_ROW(who, "3")
  static const char *const name[OBSERVED] = {
      CELLS_OF("A"),       CELLS_OF("B"),       "A has the ball", "B has the ball",
      "ball loose at 1,2", "ball loose at 2,2", "one is A",       "one is B"};
  (void)block;
  return name[index];
}

/* Players as letters, large with the ball; goals as brackets. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (int row = 0; row < ROWS && used + 2 * COLUMNS + 6 < size; row++) {
    const bool goal = row >= TOP_OF_GOAL && row <= BOTTOM_OF_GOAL;
    text[used++] = goal ? '[' : '|';
    for (int column = 0; column < COLUMNS; column++) {
      char shown = row == loose_row(episode) && column == COLUMNS / 2 ? 'o' : '.';
      for (int p = 0; p < PLAYERS; p++)
        if (row == episode->row[p] && column == episode->column[p])
          shown = (char)((episode->ball == p ? 'A' : 'a') + p);
      text[used++] = ' ';
      text[used++] = shown;
    }
    text[used++] = ' ';
    text[used++] = goal ? ']' : '|';
    text[used++] = '\n';
  }
  snprintf(text + used, size - used,
           "step %d of %d; a scores to the right, b to the left; a large letter has the ball, o is "
           "a loose one%s\n",
           episode->time, params->limit,
           episode->scorer == 0   ? "; a has scored"
           : episode->scorer == 1 ? "; b has scored"
                                  : "");
}

static int distance(int row, int column, int to_row, int to_column) {
  return abs(row - to_row) + abs(column - to_column);
}

/* How far a player who stands there is from what it wants: with the ball its goal, and not beside
 * the other; without it the ball, or, if the other has it, the cell in the other's way. */
static int worth(const Episode *episode, int player, int row, int column) {
  const int other = 1 - player;
  const int end = player == 0 ? COLUMNS : -1; /* the column behind the goal that it attacks */
  const int post = row <= TOP_OF_GOAL ? TOP_OF_GOAL : BOTTOM_OF_GOAL;
  if (episode->ball == player) {
    const bool beside = distance(row, column, episode->row[other], episode->column[other]) <= 1;
    return -2 * distance(row, column, post, end) - 3 * beside;
  }
  if (episode->ball == other) {
    const int ahead = episode->column[other] + (other == 0 ? 1 : -1);
    const int between = ahead < 0 || ahead >= COLUMNS ? episode->column[other] : ahead;
    return -2 * distance(row, column, episode->row[other], between);
  }
  return -2 * distance(row, column, loose_row(episode), COLUMNS / 2);
}

/* Goes to where it is best off if the other stands still, one of the best at random; in one of
 * eight steps anywhere, for who is predictable can be stood in the way of for ever. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)block;
  const Episode *episode = state;
  const int player = (int)agent;
  int best = 0, ties = 0;
  action->choice = (int32_t)agon_random_below(random, ACTIONS);
  if (!agon_random_below(random, 8)) return;
  for (int choice = 0; choice < ACTIONS; choice++) {
    Episode then = *episode;
    then.chosen[player] = choice;
    int value = 1000; /* a goal */
    if (!move(&then, player)) {
      value = worth(&then, player, then.row[player], then.column[player]);
      if (then.ball == 1 - player && episode->ball == player) value -= 100; /* it would lose it */
    }
    if (ties && value < best) continue;
    ties = ties && value == best ? ties + 1 : 1;
    best = value;
    if (!agon_random_below(random, (uint32_t)ties)) action->choice = choice;
  }
}

const AgonEnv env_soccer = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "soccer",
    .summary = "one against one on 4 x 5 cells, both move at once in random order (Littman 1994)",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .outcome = outcome,
    .chance_outcomes = chance_outcomes,
    .chance_apply = chance_apply,
    .global_state = global_state,
    .metrics = metrics,
    .action_name = action_name,
    .observation_name = observation_name,
    .metric_names = metric_names,
    .render = render,
    .scripted = scripted,
    .position = position,
};

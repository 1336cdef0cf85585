/* my_game: a race by a die.
 *
 * Two players have two pieces each beside a track. In turn a die is thrown, and one piece of who is
 * to move goes on by as many cells. Where it meets pieces of the other they go back to the start.
 * Who first has both pieces beyond the last cell has won; after `limit` moves nobody has.
 *
 * A game of turns and chance in which everything is seen. To make yours of it, begin with Episode
 * (all that a position is), then `step` (the rules) and `observe` (what a player sees); include
 * agon/env.h explains each function. `agon env check` after every change finds most mistakes.
 */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 2, MOST_CELLS = 24, MOST_DIE = 6 };
enum { REAR, FRONT }; /* the choices: which piece goes on */
enum { NOBODY = 2 };  /* `winner` of a game that is not won */

/* What the options chose. It is written once, by configure. */
typedef struct Params {
  uint32_t cells, die, limit;
  AgonKind kind; /* what is seen depends on the options, so it lies here */
} Params;

/* The whole state of a game: copying these bytes copies the game. No pointers, no gaps. */
typedef struct Episode {
  uint8_t at[2][PIECES]; /* 0: at the start, cells + 1: home; the rear piece first */
  uint8_t player;        /* who is to move */
  uint8_t thrown;        /* what the die shows; 0: it is still to be thrown */
  uint8_t over, winner;
  uint8_t sent_back[2]; /* pieces of the other that each has sent back */
  uint16_t moves;
} Episode;

/* Keys of the game: `agon train my_game env.cells=9`. */
static const AgonEnvOption options[] = {
    {"cells", AGON_OPT_INT, "12", 4, MOST_CELLS, NULL, "length of the track"},
    {"die", AGON_OPT_INT, "4", 2, MOST_DIE, NULL, "faces of the die"},
    {"limit", AGON_OPT_INT, "100", 10, 1000, NULL, "after as many moves the game is drawn"},
};

static const uint32_t choices[] = {PIECES};

/* Values come in the order of `options`, and within their ranges. */
static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  Params *params = block;
  params->cells = (uint32_t)atoi(values[0]);
  params->die = (uint32_t)atoi(values[1]);
  params->limit = (uint32_t)atoi(values[2]);
  const uint32_t places = params->cells + 2;
  params->kind = (AgonKind){.observation_type = AGON_F32,
                            .observation_shape = {2 * PIECES * places + params->die + 1, 1, 1},
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = choices};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &params->kind,
                        .chance = params->die,
                        .step_limit = params->limit,
                        .flags = AGON_ZERO_SUM | AGON_PERFECT_INFORMATION | AGON_ENUMERATES_CHANCE,
                        .reward_low = -1,
                        .reward_high = 1,
                        .metrics = 2};
  return 0;
}

/* A new game begins with chance: the die is thrown. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  memset(block, 0, sizeof(Episode));
  return AGON_CHANCE;
}

/* Chance that is told like this, rather than drawn in `step`, lets game trees be walked: values,
 * best responses and exploitability are then exact. */
static uint32_t chance_outcomes(const void *block, const void *state, double *probability) {
  (void)state;
  const Params *params = block;
  for (uint32_t face = 0; face < params->die; face++)
    probability[face] = 1.0 / params->die;
  return params->die;
}

static AgonStatus chance_apply(const void *block, void *state, uint32_t outcome, float *reward,
                               AgonError *error) {
  (void)block;
  (void)reward;
  (void)error;
  ((Episode *)state)->thrown = (uint8_t)(outcome + 1);
  return AGON_RUNNING;
}

/* Where a piece would come to. */
static uint32_t target(const Params *params, const Episode *episode, uint32_t piece) {
  const uint32_t to = (uint32_t)episode->at[episode->player][piece] + episode->thrown;
  return to > params->cells ? params->cells + 1 : to;
}

/* How many pieces of the other stand on this cell. */
static uint32_t others_on(const Params *params, const Episode *episode, uint32_t cell) {
  const uint8_t *other = episode->at[1 - episode->player];
  if (cell > params->cells) return 0;
  return (uint32_t)((other[REAR] == cell) + (other[FRONT] == cell));
}

/* The rear piece comes first. */
static void sort(uint8_t at[PIECES]) {
  const uint8_t rear = at[REAR];
  if (rear <= at[FRONT]) return;
  at[REAR] = at[FRONT];
  at[FRONT] = rear;
}

/* The host only passes legal moves on, so nothing is checked here. Rewards add up over the game. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random;
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  const uint8_t player = episode->player;
  const uint32_t piece = (uint32_t)actions[player].choice;
  const uint32_t to = target(params, episode, piece);
  uint8_t *own = episode->at[player];
  uint8_t *other = episode->at[1 - player];
  const uint32_t hit = others_on(params, episode, to);
  episode->sent_back[player] = (uint8_t)(episode->sent_back[player] + hit);
  for (uint32_t i = 0; i < PIECES && to <= params->cells; i++)
    if (other[i] == to) other[i] = 0;
  own[piece] = (uint8_t)to;
  sort(own);
  sort(other);
  episode->moves++;
  episode->thrown = 0;
  if (own[REAR] > params->cells) {
    episode->over = 1;
    episode->winner = player;
    reward[player] += 1;
    reward[1 - player] -= 1;
    return AGON_TERMINATED;
  }
  if (episode->moves == params->limit) {
    episode->over = 1;
    episode->winner = NOBODY;
    return AGON_TERMINATED;
  }
  episode->player = (uint8_t)(1 - player);
  return AGON_CHANCE;
}

/* One-hot: the places of one's own pieces, then of the other's, and the die; last the share of the
 * moves that is over. Every element is written, each time. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  const uint32_t places = params->cells + 2;
  float *row = out;
  memset(row, 0, params->kind.observation_shape[0] * sizeof *row);
  for (uint32_t i = 0; i < PIECES; i++) {
    row[i * places + episode->at[agent][i]] = 1;
    row[(PIECES + i) * places + episode->at[1 - agent][i]] = 1;
  }
  row += 2 * PIECES * places;
  if (episode->thrown) row[episode->thrown - 1] = 1;
  row[params->die] = (float)episode->moves / (float)params->limit;
}

/* Pieces that are home stay there. */
static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  const Params *params = block;
  const Episode *episode = state;
  for (uint32_t i = 0; i < PIECES; i++)
    row[i] = episode->at[agent][i] <= params->cells;
}

/* Players take turns; after the end nobody acts. */
static void flags(const void *block, const void *state, uint8_t *flag) {
  (void)block;
  const Episode *episode = state;
  flag[1] = AGON_ALIVE;
  flag[0] = AGON_ALIVE;
  if (!episode->over) flag[episode->player] |= AGON_ACTS;
}

/* 1 won, 0 lost, and a draw is half of either. */
static void outcome(const void *block, const void *state, float *out) {
  (void)block;
  const Episode *episode = state;
  out[0] = episode->winner == NOBODY ? 0.5f : episode->winner == 0 ? 1.0f : 0.0f;
  out[1] = 1.0f - out[0];
}

/* What is counted of a game: means of it stand in metrics, `status` and the report. */
static const char *const metric_names[] = {"moves", "sent_back"};

static void metrics(const void *block, const void *state, float *values) {
  (void)block;
  const Episode *episode = state;
  values[0] = episode->moves;
  values[1] = (float)(episode->sent_back[0] + episode->sent_back[1]);
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  (void)block;
  (void)head;
  return choice == REAR ? "rear" : "front";
}

/* The track from left to right with how many pieces of x and of o are on each cell, for `play` and
 * `watch`. */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  char line[2][3 * (MOST_CELLS + 2) + 1];
  for (uint32_t p = 0; p < 2; p++) {
    for (uint32_t place = 0; place < params->cells + 2; place++) {
      const uint8_t *at = episode->at[p];
      const int count = (at[REAR] == place) + (at[FRONT] == place);
      const char piece = p ? 'o' : 'x';
      char *cell = &line[p][3 * place];
      cell[0] = count ? piece : '.';
      cell[1] = count > 1 ? '2' : ' ';
      cell[2] = ' ';
    }
    line[p][3 * (params->cells + 2)] = 0;
  }
  snprintf(text, size, "start -> home\n%s\n%s\n%c throws %u\n", line[0], line[1],
           episode->player ? 'o' : 'x', episode->thrown);
}

/* A player by rule, for ratings to measure against: it sends back, else brings home, else moves the
 * piece in front. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)random;
  const Params *params = block;
  const Episode *episode = state;
  uint32_t best = 0;
  int32_t choice = REAR;
  for (uint32_t i = 0; i < PIECES; i++) {
    if (episode->at[agent][i] > params->cells) continue;
    const uint32_t to = target(params, episode, i);
    const uint32_t worth = to + 100 * others_on(params, episode, to) + 1;
    if (worth < best) continue;
    best = worth;
    choice = (int32_t)i;
  }
  action->choice = choice;
}

static const AgonEnv env_my_game = {
    AGON_ENV_SIZES,
    .version = 1, /* another number when the rules change: old results are then another game's */
    .name = "my_game",
    .summary = "a race by a die: pieces that are met go back",
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
    .chance_outcomes = chance_outcomes,
    .chance_apply = chance_apply,
    .metrics = metrics,
    .metric_names = metric_names,
    .action_name = action_name,
    .render = render,
    .scripted = scripted,
};

/* A plug-in exports this one function. */
const AgonEnv *agon_env(void) {
  return &env_my_game;
}

/* The coin game: two players on a small torus, where a coin of one's or the other's colour lies.
 * Whoever steps on it gets 1; if it was the other's, that one loses 2. To take every coin is best
 * for each alone and brings both nothing, to take one's own brings both something: a prisoner's
 * dilemma in which to cooperate has to be learned as a way of moving.
 *
 * Source: Lerer and Peysakhovich 2017 (arXiv 1707.01068), as Foerster et al. 2018 (LOLA) play it:
 * colours take turns, a new coin lies where nobody stands, moves wrap around. Where both step on
 * the coin at once LOLA's code gives it to the first player alone; here both have taken it, so that
 * the game is the same from both seats, or with both=first what LOLA's code does. */
#include "agon/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAYERS = 2, MOST = 16, MOVES = 4, STAY = MOVES };
enum { OWN, OTHERS, KINDS };                     /* a coin, seen from who takes it */
enum { PLANES = 4, RECALLED = PLAYERS * KINDS }; /* what is on the grid; what was taken last */

/* What the options chose. */
typedef struct Params {
  uint32_t size;
  uint32_t rounds;
  uint32_t choices;   /* MOVES, or with `stay` one more */
  uint32_t one_taker; /* both=first */
  uint32_t cut;       /* the last move is no end of the game */
  uint32_t planes;    /* PLANES, or with `recall` RECALLED more */
  AgonAction idle;
  AgonKind kind;
} Params;

typedef struct Place {
  uint32_t row;
  uint32_t column;
} Place;

/* The whole state of a game. */
typedef struct Episode {
  uint32_t round;
  Place player[PLAYERS];
  Place coin;
  uint32_t colour;                /* whose coin it is */
  uint32_t taken[PLAYERS][KINDS]; /* by each: own coins, the other's */
  uint8_t last[PLAYERS][KINDS]; /* of the coins that each has taken, which kind the last one was */
  float total[PLAYERS];
} Episode;

static const AgonEnvOption options[] = {
    {"size", AGON_OPT_INT, "3", 2, MOST, NULL, "rows and columns of the grid"},
    {"rounds", AGON_OPT_INT, "150", 1, 10000, NULL, "moves in an episode (LOLA: 150)"},
    {"stay", AGON_OPT_BOOL, "false", 0, 0, NULL, "a fifth choice: not to move (LOLA: false)"},
    {"both", AGON_OPT_CHOICE, "each", 0, 0, "each|first",
     "who has taken a coin that both step on: each of them, or the first player (LOLA)"},
    {"time_limit", AGON_OPT_CHOICE, "cut", 0, 0, "cut|end",
     "after the last move the episode is cut, as nobody sees it coming; or ends, and nothing after "
     "it is worth anything"},
    {"recall", AGON_OPT_BOOL, "false", 0, 0, NULL,
     "each sees, too, whether the last coin that it took, and that the other took, was its taker's "
     "own: with that a network without memory can answer in kind"},
};

static const char *const metric_names[] = {"own_share", "own_coins", "others_coins"};

/* Planes of a grid: oneself, the other, one's own coin, the other's. Recalled: oneself took its own
 * last, the other's; the other took its own, and one's own. */
static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  (void)error;
  Params *params = block;
  const uint32_t size = (uint32_t)atoi(values[0]);
  const bool stay = !strcmp(values[2], "true");
  *params = (Params){.size = size,
                     .rounds = (uint32_t)atoi(values[1]),
                     .choices = MOVES + stay,
                     .one_taker = !strcmp(values[3], "first"),
                     .cut = !strcmp(values[4], "cut"),
                     .planes = !strcmp(values[5], "true") ? PLANES + RECALLED : PLANES,
                     .idle = {.choice = STAY}};
  params->kind = (AgonKind){.observation_type = AGON_U8,
                            .observation_shape = {params->planes, size, size},
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = &params->choices,
                            .idle = stay ? &params->idle : NULL};
  *spec = (AgonEnvSpec){.params_size = sizeof *params,
                        .episode_size = sizeof(Episode),
                        .agents = PLAYERS,
                        .teams = PLAYERS,
                        .kinds = 1,
                        .kind = &params->kind,
                        .global_state_size = params->planes * size * size,
                        .step_limit = params->rounds,
                        .flags = AGON_SIMULTANEOUS | AGON_PERFECT_INFORMATION,
                        .reward_low = -2 * (float)params->rounds,
                        .reward_high = (float)params->rounds,
                        .metrics = 3};
  return 0;
}

static bool is_same(Place a, Place b) {
  return a.row == b.row && a.column == b.column;
}

static Place draw_place(const Params *params, const AgonRandom *random) {
  const uint32_t cell = agon_random_below(random, params->size * params->size);
  return (Place){cell / params->size, cell % params->size};
}

/* Anywhere but under a player. */
static void put_coin(const Params *params, Episode *episode, const AgonRandom *random) {
  do
    episode->coin = draw_place(params, random);
  while (is_same(episode->coin, episode->player[0]) || is_same(episode->coin, episode->player[1]));
}

/* Two places that are not the same, and a coin of either's colour. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)error;
  Episode *episode = block;
  *episode = (Episode){.colour = agon_random_below(random, PLAYERS)};
  episode->player[0] = draw_place(params, random);
  do
    episode->player[1] = draw_place(params, random);
  while (is_same(episode->player[0], episode->player[1]));
  put_coin(params, episode, random);
  return AGON_RUNNING;
}

/* One step on the torus, or none. */
static Place moved(const Params *params, Place from, int32_t choice) {
  static const int32_t way[MOVES + 1][2] = {{0, 1}, {0, -1}, {1, 0}, {-1, 0}, {0, 0}};
  const int32_t size = (int32_t)params->size;
  return (Place){(uint32_t)(((int32_t)from.row + way[choice][0] + size) % size),
                 (uint32_t)(((int32_t)from.column + way[choice][1] + size) % size)};
}

/* One player has stepped on the coin. */
static void take(Episode *episode, uint32_t player, float *reward) {
  const bool own = episode->colour == player;
  episode->taken[player][own ? OWN : OTHERS]++;
  episode->last[player][OWN] = own;
  episode->last[player][OTHERS] = !own;
  reward[player] += 1;
  episode->total[player] += 1;
  if (own) return;
  reward[1 - player] -= 2;
  episode->total[1 - player] -= 2;
}

/* Both move at once; then coins are taken, and the next one is of the other colour. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  bool taken = false;
  for (uint32_t p = 0; p < PLAYERS; p++)
    episode->player[p] = moved(params, episode->player[p], actions[p].choice);
  for (uint32_t p = 0; p < PLAYERS; p++) {
    if (!is_same(episode->player[p], episode->coin) || (taken && params->one_taker)) continue;
    take(episode, p, reward);
    taken = true;
  }
  if (taken) {
    episode->colour = 1 - episode->colour;
    put_coin(params, episode, random);
  }
  if (++episode->round < params->rounds) return AGON_RUNNING;
  return params->cut ? AGON_TRUNCATED : AGON_TERMINATED;
}

/* Which cell of which plane a thing is at. */
static size_t cell_at(const Params *params, uint32_t plane, Place place) {
  return ((size_t)plane * params->size + place.row) * params->size + place.column;
}

/* Seen by each as if it were the first. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  uint8_t *row = out;
  const size_t cells = (size_t)params->size * params->size;
  memset(row, 0, params->planes * cells);
  row[cell_at(params, 0, episode->player[agent])] = 1;
  row[cell_at(params, 1, episode->player[1 - agent])] = 1;
  row[cell_at(params, episode->colour == agent ? 2 : 3, episode->coin)] = 1;
  if (params->planes == PLANES) return;
  for (uint32_t p = 0; p < PLAYERS; p++)
    for (uint32_t kind = 0; kind < KINDS; kind++)
      memset(row + (PLANES + p * KINDS + kind) * cells, episode->last[p ? 1 - agent : agent][kind],
             cells);
}

/* What the first player sees. */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  const size_t cells = (size_t)params->size * params->size;
  memset(row, 0, sizeof(float) * params->planes * cells);
  for (uint32_t p = 0; p < PLAYERS; p++)
    row[cell_at(params, p, episode->player[p])] = 1;
  row[cell_at(params, 2 + episode->colour, episode->coin)] = 1;
  for (size_t i = PLANES * cells; i < params->planes * cells; i++) {
    const size_t what = i / cells - PLANES;
    row[i] = episode->last[what / KINDS][what % KINDS];
  }
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  const uint8_t acts = episode->round < params->rounds ? AGON_ACTS : 0;
  flag[1] = (uint8_t)(acts | AGON_ALIVE);
  flag[0] = flag[1];
}

/* The higher return. */
static void outcome(const void *params, const void *state, float *out) {
  (void)params;
  const Episode *episode = state;
  const float difference = episode->total[0] - episode->total[1];
  out[0] = difference > 0 ? 1.0f : difference < 0 ? 0.0f : 0.5f;
  out[1] = 1 - out[0];
}

/* Of coins that were taken, the share of those whose taker had their colour (0 where none was
 * taken); how many of either kind, by both. */
static void metrics(const void *params, const void *state, float *values) {
  (void)params;
  const Episode *episode = state;
  const uint32_t own = episode->taken[0][OWN] + episode->taken[1][OWN];
  const uint32_t others = episode->taken[0][OTHERS] + episode->taken[1][OTHERS];
  values[0] = own + others ? (float)own / (float)(own + others) : 0;
  values[1] = (float)own;
  values[2] = (float)others;
}

static const char *action_name(const void *params, uint32_t head, uint32_t choice) {
  static const char *const name[MOVES + 1] = {"right", "left", "down", "up", "stay"};
  (void)params;
  (void)head;
  return name[choice];
}

/* How many steps lie between two places. */
static uint32_t distance(const Params *params, Place a, Place b) {
  const uint32_t rows = a.row > b.row ? a.row - b.row : b.row - a.row;
  const uint32_t columns = a.column > b.column ? a.column - b.column : b.column - a.column;
  return (rows < params->size - rows ? rows : params->size - rows) +
         (columns < params->size - columns ? columns : params->size - columns);
}

/* Cooperates whatever the other does: goes for its own coins, and never steps on the other's. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  const Params *params = block;
  const Episode *episode = state;
  const bool own = episode->colour == agent;
  uint32_t best[MOVES + 1];
  uint32_t count = 0;
  uint32_t least = UINT32_MAX;
  for (uint32_t i = 0; i < params->choices; i++) {
    const Place there = moved(params, episode->player[agent], (int32_t)i);
    const uint32_t away = distance(params, there, episode->coin);
    const uint32_t worth = own ? away : away == 0;
    if (worth < least) count = 0;
    if (worth > least) continue;
    least = worth;
    best[count++] = i;
  }
  action->choice = (int32_t)best[agon_random_below(random, count)];
}

/* A for the first player, B for the second, a for its coin, b for the other's; * for both in one
 * cell. */
static char sign_at(const Episode *episode, Place place) {
  const bool a = is_same(episode->player[0], place);
  const bool b = is_same(episode->player[1], place);
  if (a && b) return '*';
  if (a || b) return a ? 'A' : 'B';
  if (is_same(episode->coin, place)) return episode->colour ? 'b' : 'a';
  return '.';
}

static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (uint32_t r = 0; r < params->size; r++)
    for (uint32_t c = 0; c < params->size && used + 8 < size; c++)
      used += (size_t)snprintf(text + used, size - used, "%c%s", sign_at(episode, (Place){r, c}),
                               c + 1 == params->size ? "\n" : " ");
  snprintf(text + used, size - used,
           "round %u of %u; A took %u own and %u of B's, B %u and %u; totals %g and %g\n",
           episode->round, params->rounds, episode->taken[0][OWN], episode->taken[0][OTHERS],
           episode->taken[1][OWN], episode->taken[1][OTHERS], (double)episode->total[0],
           (double)episode->total[1]);
}

const AgonEnv env_coin_game = {
    AGON_ENV_SIZES,
    .version = 1,
    .name = "coin_game",
    .summary =
        "two players, coins of two colours: taking the other's costs it twice what it brings",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .outcome = outcome,
    .global_state = global_state,
    .metrics = metrics,
    .metric_names = metric_names,
    .action_name = action_name,
    .scripted = scripted,
    .render = render,
};

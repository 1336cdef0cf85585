/* A game in normal form for two players, once or repeated: any payoff table, and the usual ones as presets. */
#include "agon/env.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHOICES = 10 };

typedef struct Params {
  uint32_t choices[2]; /* rows, columns */
  uint32_t rounds;
  float payoff[2][MAX_CHOICES * MAX_CHOICES]; /* [player][row * columns + column] */
  uint32_t head_size;                         /* of the kind, which depends on the options and therefore lies here */
  AgonKind kind;
} Params;

typedef struct Episode {
  uint32_t round;
  int32_t last[2]; /* choices of the last round, -1 before the first */
  float total[2];
} Episode;

static const struct {
  const char *name, *row, *column;
} preset[] = {
    {"rps", "[[0,-1,1],[1,0,-1],[-1,1,0]]", ""},     {"biased_rps", "[[0,-25,50],[25,0,-5],[-50,5,0]]", ""},
    {"matching_pennies", "[[1,-1],[-1,1]]", ""},     {"prisoners_dilemma", "[[3,0],[5,1]]", "[[3,5],[0,1]]"},
    {"stag_hunt", "[[4,0],[3,3]]", "[[4,3],[0,3]]"},
};

static const AgonEnvOption options[] = {
    {"preset", AGON_OPT_CHOICE, "rps", 0, 0, "rps|biased_rps|matching_pennies|prisoners_dilemma|stag_hunt",
     "a known game; `payoff` replaces it"},
    {"payoff", AGON_OPT_TEXT, "", 0, 0, NULL, "row player's payoffs, a list of rows: [[0, -1], [1, 0]]"},
    {"payoff_column", AGON_OPT_TEXT, "", 0, 0, NULL, "column player's payoffs in the same layout; empty = zero-sum"},
    {"rounds", AGON_OPT_INT, "1", 1, 1000, NULL, "times the game is played in one episode"},
};

static int parse_table(const char *text, uint32_t *rows, uint32_t *columns, float *out) {
  uint32_t row = 0, column = 0, width = 0, depth = 0;
  for (const char *at = text; *at;) {
    if (*at == '[') {
      if (++depth > 2) return -1;
      column = 0;
      at++;
    } else if (*at == ']') {
      if (depth == 2) {
        if (row && column != width) return -1;
        width = column;
        row++;
      }
      if (depth-- == 0) return -1;
      at++;
    } else if (*at == ',' || isspace((unsigned char)*at)) {
      at++;
    } else {
      char *end;
      float value = strtof(at, &end);
      if (end == at || depth != 2 || row >= MAX_CHOICES || column >= MAX_CHOICES) return -1;
      if (row && column >= width) return -1;
      out[row * MAX_CHOICES + column++] = value;
      at = end;
    }
  }
  *rows = row;
  *columns = width;
  return depth == 0 && row && width ? 0 : -1;
}

static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  Params *params = block;
  float table[2][MAX_CHOICES * MAX_CHOICES];
  const char *row_text = values[1], *column_text = values[2];
  if (!*row_text) {
    for (size_t i = 0; i < sizeof preset / sizeof preset[0]; i++)
      if (!strcmp(preset[i].name, values[0])) {
        row_text = preset[i].row;
        if (!*column_text) column_text = preset[i].column;
      }
  }
  uint32_t rows, columns, rows2, columns2;
  memset(table, 0, sizeof table);
  if (parse_table(row_text, &rows, &columns, table[0])) {
    snprintf(error->text, sizeof error->text, "payoff '%.80s' is not a list of equal rows with at most 10 numbers",
             row_text);
    return -1;
  }
  if (*column_text) {
    if (parse_table(column_text, &rows2, &columns2, table[1]) || rows2 != rows || columns2 != columns) {
      snprintf(error->text, sizeof error->text, "payoff_column must have the shape of payoff (%u x %u)", rows, columns);
      return -1;
    }
  } else {
    for (size_t i = 0; i < MAX_CHOICES * MAX_CHOICES; i++) table[1][i] = -table[0][i];
  }
  *params = (Params){.choices = {rows, columns}, .rounds = (uint32_t)atoi(values[3])};
  float low = 0, high = 0;
  bool zero_sum = true;
  for (uint32_t r = 0; r < rows; r++)
    for (uint32_t c = 0; c < columns; c++)
      for (int p = 0; p < 2; p++) {
        float value = table[p][r * MAX_CHOICES + c];
        params->payoff[p][r * columns + c] = value;
        low = value < low ? value : low;
        high = value > high ? value : high;
        if (table[0][r * MAX_CHOICES + c] + table[1][r * MAX_CHOICES + c] != 0) zero_sum = false;
      }
  uint32_t widest = rows > columns ? rows : columns;
  params->head_size = widest;
  params->kind = (AgonKind){.observation_type = AGON_U8,
                            .observation_shape = {2 + 2 * widest, 1, 1},
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = &params->head_size};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = 2,
                        .kinds = 1,
                        .kind = &params->kind,
                        .step_limit = params->rounds,
                        .flags = AGON_SIMULTANEOUS | AGON_ENUMERATES_CHANCE | (zero_sum ? AGON_ZERO_SUM : 0u),
                        .reward_low = low * (float)params->rounds,
                        .reward_high = high * (float)params->rounds};
  return 0;
}

static AgonStatus reset(const void *params, void *block, const AgonRandom *random, AgonError *error) {
  (void)params, (void)random, (void)error;
  Episode *episode = block;
  memset(episode, 0, sizeof *episode);
  episode->last[0] = episode->last[1] = -1;
  return AGON_RUNNING;
}

static AgonStatus step(const void *block, void *state, const AgonAction *actions, const AgonRandom *random,
                       float *reward, AgonError *error) {
  (void)random, (void)error;
  const Params *params = block;
  Episode *episode = state;
  size_t cell = (size_t)actions[0].choice * params->choices[1] + (size_t)actions[1].choice;
  for (int p = 0; p < 2; p++) {
    episode->last[p] = actions[p].choice;
    episode->total[p] += params->payoff[p][cell];
    reward[p] += params->payoff[p][cell];
  }
  return ++episode->round < params->rounds ? AGON_RUNNING : AGON_TERMINATED;
}

/* bias, seat, own last choice, other's last choice */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  uint8_t *row = out;
  uint32_t widest = params->choices[0] > params->choices[1] ? params->choices[0] : params->choices[1];
  memset(row, 0, 2 + 2 * widest);
  row[0] = 1;
  row[1] = (uint8_t)(agent && params->choices[0] != params->choices[1]);
  if (episode->round == 0) return;
  row[2 + episode->last[agent]] = 1;
  row[2 + widest + (uint32_t)episode->last[1 - agent]] = 1;
}

static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  (void)state;
  const Params *params = block;
  uint32_t widest = params->choices[0] > params->choices[1] ? params->choices[0] : params->choices[1];
  for (uint32_t i = 0; i < widest; i++) row[i] = i < params->choices[agent];
}

static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  uint8_t acts = episode->round < params->rounds ? AGON_ACTS : 0;
  flag[0] = flag[1] = (uint8_t)(acts | AGON_ALIVE);
}

/* The higher total wins. */
static void outcome(const void *block, const void *state, float *out) {
  (void)block;
  const Episode *episode = state;
  float difference = episode->total[0] - episode->total[1];
  out[0] = difference > 0 ? 1.0f : difference < 0 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

const AgonEnv env_matrix_game = {
    AGON_ENV_SIZES,
    .name = "matrix_game",
    .summary = "two-player games in normal form: rock-paper-scissors, prisoner's dilemma, any table",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .params_capacity = sizeof(Params),
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .mask = mask,
    .flags = flags,
    .outcome = outcome,
};

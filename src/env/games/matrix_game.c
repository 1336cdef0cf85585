/* A game in normal form for two players, once or repeated: any payoff table, and the usual ones as
 * presets. With a common payoff (climbing and penalty: Claus and Boutilier 1998) the two are one
 * team that must coordinate, and each is paid the row player's payoff. Dilemmas, where the players
 * neither share what they earn nor take it from each other, name their choices, and count how often
 * the first one is taken (to cooperate, to hunt the stag, to swerve). */
#include "agon/env.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHOICES = 10 };

/* What the options chose. */
typedef struct Params {
  uint32_t choices[2]; /* rows, columns */
  uint32_t rounds;
  uint32_t common; /* one payoff, one team */
  uint32_t seated; /* agents see which side they are on */
  uint32_t mixed;  /* neither zero-sum nor common */
  uint32_t cut;    /* the last round is no end of the game */
  uint32_t pair;   /* agents see the last pair of choices as one thing */
  int32_t named;   /* the preset whose names the choices have; -1: they have none */
  float payoff[2][MAX_CHOICES * MAX_CHOICES]; /* [player][row * columns + column] */
  uint32_t head_size; /* of the kind, which depends on the options and therefore lies here */
  AgonKind kind;
} Params;

/* The whole state of a game. Checkpoints have it, also those of a program that counted nothing and
 * whose rounds had the first 32 bits for themselves: counts, which only mixed games have, lie in
 * those that 1,000 rounds leave, and there they are zero. */
typedef struct Episode {
  uint32_t round : 10;
  uint32_t first : 11;  /* decisions for the first choice, of both */
  uint32_t both : 10;   /* rounds in which both took it */
  uint32_t counted : 1; /* since the first round */
  int32_t last[2];      /* choices of the last round, -1 before the first */
  float total[2];
} Episode;
_Static_assert(sizeof(Episode) == 20, "checkpoints have episodes of 20 bytes");

/* Payoffs as published, and where. The row player's come first; a column player's of "" is their
 * negative. */
static const struct {
  const char *name, *row, *column;
  bool common;
  bool seated;           /* agents see which side they are on, without option seat */
  const char *choice[3]; /* what the choices are called; NULL: nothing */
} preset[] = {
    {"rps", "[[0,-1,1],[1,0,-1],[-1,1,0]]", "", false, false, {NULL}},
    {"biased_rps", "[[0,-25,50],[25,0,-5],[-50,5,0]]", "", false, false, {NULL}},
    {"matching_pennies", "[[1,-1],[-1,1]]", "", false, false, {"heads", "tails"}},
    {"prisoners_dilemma", "[[3,0],[5,1]]", "[[3,5],[0,1]]", false, false, {"cooperate", "defect"}},
    /* Foerster et al. 2018 (LOLA) */
    {"ipd", "[[-1,-3],[0,-2]]", "[[-1,0],[-3,-2]]", false, false, {"cooperate", "defect"}},
    {"stag_hunt", "[[4,0],[3,3]]", "[[4,3],[0,3]]", false, false, {"stag", "hare"}},
    /* Aumann 1974: a correlated equilibrium pays 5.25 each, more than any mixture of Nash's */
    {"chicken", "[[6,2],[7,0]]", "[[6,7],[2,0]]", false, false, {"swerve", "dare"}},
    /* Luce and Raiffa 1957 */
    {"battle_of_sexes", "[[2,-1],[-1,1]]", "[[1,-1],[-1,2]]", false, true, {"his", "hers"}},
    /* Shapley 1964: fictitious play circles for ever */
    {"shapley",
     "[[0,1,0],[0,0,1],[1,0,0]]",
     "[[0,0,1],[1,0,0],[0,1,0]]",
     false,
     false,
     {"first", "second", "third"}},
    {"climbing", "[[11,-30,0],[-30,7,0],[0,6,5]]", "", true, false, {NULL}},
    {"penalty", "", "", true, false, {NULL}}, /* written out by option penalty */
};

/* The two of a mixed game. */
static const char *const metric_names[] = {"first_choices", "both_first"};

static const AgonEnvOption options[] = {
    {"preset", AGON_OPT_CHOICE, "rps", 0, 0,
     "rps|biased_rps|matching_pennies|prisoners_dilemma|ipd|stag_hunt|chicken|battle_of_sexes|"
     "shapley|climbing|penalty",
     "a known game; `payoff` replaces it"},
    {"payoff", AGON_OPT_TEXT, "", 0, 0, NULL,
     "row player's payoffs, a list of rows: [[0, -1], [1, 0]]"},
    {"payoff_column", AGON_OPT_TEXT, "", 0, 0, NULL,
     "column player's payoffs in the same layout; empty = zero-sum"},
    {"rounds", AGON_OPT_INT, "1", 1, 1000, NULL, "times the game is played in one episode"},
    {"common", AGON_OPT_BOOL, "false", 0, 0, NULL,
     "both are paid the row player's payoff, as one team (climbing and penalty always are)"},
    {"penalty", AGON_OPT_FLOAT, "-100", -1000, 0, NULL,
     "what missing each other costs in preset=penalty (published: 0, -25, -50, -75, -100)"},
    {"time_limit", AGON_OPT_CHOICE, "end", 0, 0, "end|cut",
     "after the last round the episode ends, and nothing is worth anything; or is cut, as nobody "
     "sees it coming: the game goes on for ever, discounted"},
    {"seat", AGON_OPT_BOOL, "false", 0, 0, NULL,
     "agents see which side they are on (battle_of_sexes, teams and unequal numbers of choices: "
     "they always do): for matching_pennies and tables that pay both sides differently"},
    {"pair", AGON_OPT_BOOL, "false", 0, 0, NULL,
     "agents see which pair of choices was made last as one of so many, instead of either choice "
     "by "
     "itself: even a network without hidden layers can then answer each by itself (LOLA)"},
};

/* Reads "[[0, -1], [1, 0]]" into out, rows of MAX_CHOICES. All rows must be equally long. 0, or -1
 * for anything else. */
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

/* The options' payoffs as text, and whether both are paid the same. */
typedef struct Chosen {
  const char *row, *column; /* column "": none of its own */
  bool common;
  bool seated;
  int32_t named;
  char penalty[96]; /* holds `row` where it had to be written */
} Chosen;

/* Which game it is: a preset, or the payoffs that replace it. -1, and error->text, if the options
 * contradict one another. */
static int choose(const char *const *values, Chosen *out, AgonError *error) {
  *out = (Chosen){.row = values[1],
                  .column = values[2],
                  .common = !strcmp(values[4], "true"),
                  .seated = !strcmp(values[7], "true"),
                  .named = -1};
  if (!*out->row) {
    for (size_t i = 0; i < sizeof preset / sizeof preset[0]; i++)
      if (!strcmp(preset[i].name, values[0])) {
        out->row = preset[i].row;
        out->common |= preset[i].common;
        out->seated |= preset[i].seated;
        out->named = preset[i].choice[0] ? (int32_t)i : -1;
        if (!*out->column && !out->common) out->column = preset[i].column;
      }
    if (!strcmp(values[0], "penalty")) {
      double k = strtod(values[5], NULL);
      snprintf(out->penalty, sizeof out->penalty, "[[%g,0,10],[0,2,0],[10,0,%g]]", k, k);
      out->row = out->penalty;
    }
  }
  if (out->common && *out->column) {
    snprintf(error->text, sizeof error->text,
             "a common payoff has no payoff_column: both are paid `payoff`");
    return -1;
  }
  return 0;
}

/* Both players' payoffs as numbers. -1, and error->text, if one cannot be read or their shapes
 * differ. Without a column player's table the game is zero-sum, or both are paid alike. */
static int read_tables(const Chosen *chosen, uint32_t *rows, uint32_t *columns,
                       float table[2][MAX_CHOICES * MAX_CHOICES], AgonError *error) {
  uint32_t rows2, columns2;
  if (parse_table(chosen->row, rows, columns, table[0])) {
    snprintf(error->text, sizeof error->text,
             "payoff '%.80s' is not a list of equal rows with at most 10 numbers", chosen->row);
    return -1;
  }
  if (*chosen->column) {
    if (parse_table(chosen->column, &rows2, &columns2, table[1]) || rows2 != *rows ||
        columns2 != *columns) {
      snprintf(error->text, sizeof error->text,
               "payoff_column must have the shape of payoff (%u x %u)", *rows, *columns);
      return -1;
    }
  } else {
    for (size_t i = 0; i < MAX_CHOICES * MAX_CHOICES; i++)
      table[1][i] = chosen->common ? table[0][i] : -table[0][i];
  }
  return 0;
}

/* Keeps the payoffs, close together, and finds their range and whether they cancel out. */
static bool keep_tables(Params *params, float table[2][MAX_CHOICES * MAX_CHOICES], float *low,
                        float *high) {
  bool zero_sum = true;
  *high = 0;
  *low = 0;
  for (uint32_t r = 0; r < params->choices[0]; r++)
    for (uint32_t c = 0; c < params->choices[1]; c++) {
      const size_t at = (size_t)r * MAX_CHOICES + c;
      zero_sum = zero_sum && table[0][at] + table[1][at] == 0;
      for (int p = 0; p < 2; p++) {
        const float value = table[p][at];
        params->payoff[p][r * params->choices[1] + c] = value;
        *low = value < *low ? value : *low;
        *high = value > *high ? value : *high;
      }
    }
  return zero_sum;
}

/* Both players' choices, taken as equally many. */
static uint32_t most_choices(const Params *params) {
  return params->choices[0] > params->choices[1] ? params->choices[0] : params->choices[1];
}

/* Numbers of an observation that tell of the last round. */
static uint32_t memory_size(const Params *params) {
  const uint32_t widest = most_choices(params);
  return params->pair ? widest * widest : 2 * widest;
}

/* Both agents are of one kind, as wide as the larger number of choices; the mask cuts the other
 * down. */
static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  Params *params = block;
  Chosen chosen;
  float table[2][MAX_CHOICES * MAX_CHOICES] = {{0}};
  float low, high;
  uint32_t rows, columns;
  if (choose(values, &chosen, error)) return -1;
  if (read_tables(&chosen, &rows, &columns, table, error)) return -1;
  const bool common = chosen.common;
  *params = (Params){.choices = {rows, columns},
                     .rounds = (uint32_t)atoi(values[3]),
                     .common = common,
                     .seated = chosen.seated || common || rows != columns,
                     .cut = !strcmp(values[6], "cut"),
                     .pair = !strcmp(values[8], "true"),
                     .named = chosen.named};
  const bool zero_sum = keep_tables(params, table, &low, &high);
  params->mixed = !common && !zero_sum;
  const uint32_t widest = most_choices(params);
  params->head_size = widest;
  params->kind = (AgonKind){.observation_type = AGON_U8,
                            .observation_shape = {2 + memory_size(params), 1, 1},
                            .observation_high = 1,
                            .heads = 1,
                            .head_size = &params->head_size};
  *spec = (AgonEnvSpec){.params_size = sizeof(Params),
                        .episode_size = sizeof(Episode),
                        .agents = 2,
                        .teams = common ? 1 : 2,
                        .kinds = 1,
                        .kind = &params->kind,
                        .global_state_size = common ? 1 + 2 * widest : 0,
                        .step_limit = params->rounds,
                        .flags = AGON_SIMULTANEOUS | AGON_ENUMERATES_CHANCE |
                                 (common     ? (uint32_t)AGON_COOPERATIVE
                                  : zero_sum ? (uint32_t)AGON_ZERO_SUM
                                             : 0u) |
                                 (params->mixed ? 0u : (uint32_t)AGON_UNSCRIPTED),
                        .reward_low = low * (float)params->rounds,
                        .reward_high = high * (float)params->rounds,
                        .metrics = params->mixed ? 2 : 0};
  return 0;
}

/* Nothing has been played. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  Episode *episode = block;
  memset(episode, 0, sizeof *episode);
  episode->last[1] = -1;
  episode->last[0] = -1;
  return AGON_RUNNING;
}

/* How often the first choice is taken. */
static void count_choices(Episode *episode, const AgonAction *actions) {
  const uint32_t first = (uint32_t)(actions[0].choice == 0) + (uint32_t)(actions[1].choice == 0);
  if (episode->round == 0) episode->counted = 1;
  episode->first = (episode->first + first) & 0x7ff;
  episode->both = (episode->both + first / 2) & 0x3ff;
}

/* Both choose at once; payoffs add up over the rounds. */
static AgonStatus step(const void *block, void *state, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)random;
  (void)error;
  const Params *params = block;
  Episode *episode = state;
  size_t cell = (size_t)actions[0].choice * params->choices[1] + (size_t)actions[1].choice;
  for (int p = 0; p < 2; p++) {
    episode->last[p] = actions[p].choice;
    episode->total[p] += params->payoff[p][cell];
    reward[p] += params->payoff[p][cell];
  }
  if (params->mixed) count_choices(episode, actions);
  episode->round = (episode->round + 1u) & 0x3ff;
  if (episode->round < params->rounds) return AGON_RUNNING;
  return params->cut ? AGON_TRUNCATED : AGON_TERMINATED;
}

/* A constant 1, the seat (where it makes a difference), own last choice and the other's (one-hot,
 * zero before the first round). Where they are seen as a pair, the 1 is there before the first
 * round only: it is what is seen then instead of a pair. */
static void observe(const void *block, const void *state, uint32_t agent, void *out) {
  const Params *params = block;
  const Episode *episode = state;
  uint8_t *row = out;
  const uint32_t widest = most_choices(params);
  memset(row, 0, 2 + memory_size(params));
  row[0] = !params->pair || episode->round == 0;
  row[1] = (uint8_t)(agent && params->seated);
  if (episode->round == 0) return;
  const uint32_t own = (uint32_t)episode->last[agent];
  const uint32_t other = (uint32_t)episode->last[1 - agent];
  row[2 + (params->pair ? own * widest + other : own)] = 1;
  if (!params->pair) row[2 + widest + other] = 1;
}

/* Only as many choices as the player has. */
static void mask(const void *block, const void *state, uint32_t agent, uint8_t *row) {
  (void)state;
  const Params *params = block;
  const uint32_t widest = most_choices(params);
  for (uint32_t i = 0; i < widest; i++)
    row[i] = i < params->choices[agent];
}

/* Both act until the last round is played. */
static void flags(const void *block, const void *state, uint8_t *flag) {
  const Params *params = block;
  const Episode *episode = state;
  uint8_t acts = episode->round < params->rounds ? AGON_ACTS : 0;
  flag[1] = (uint8_t)(acts | AGON_ALIVE);
  flag[0] = flag[1];
}

/* The higher total wins; one team neither wins nor loses. */
static void outcome(const void *block, const void *state, float *out) {
  const Params *params = block;
  const Episode *episode = state;
  out[0] = 0.5f;
  if (params->common) return;
  float difference = episode->total[0] - episode->total[1];
  out[0] = difference > 0 ? 1.0f : difference < 0 ? 0.0f : 0.5f;
  out[1] = 1.0f - out[0];
}

/* For a critic that sees everything: a constant 1, and what both chose last (one-hot). */
static void global_state(const void *block, const void *state, float *row) {
  const Params *params = block;
  const Episode *episode = state;
  const uint32_t widest = most_choices(params);
  memset(row, 0, sizeof(float) * (1 + 2 * widest));
  row[0] = 1;
  for (uint32_t p = 0; p < 2 && episode->round; p++)
    row[1 + p * widest + (uint32_t)episode->last[p]] = 1;
}

/* Of a mixed game: the share of first choices among all, and of rounds in which both made it. Of a
 * game whose first rounds nobody counted, those of the last round: all that is known. */
static void metrics(const void *block, const void *state, float *values) {
  const Params *params = block;
  const Episode *episode = state;
  if (!params->mixed) return;
  if (episode->round && !episode->counted) {
    const uint32_t first = (uint32_t)(episode->last[0] == 0) + (uint32_t)(episode->last[1] == 0);
    values[0] = (float)first / 2;
    values[1] = first == 2;
    return;
  }
  const float rounds = (float)(episode->round ? episode->round : 1);
  values[0] = (float)episode->first / (2 * rounds);
  values[1] = (float)episode->both / rounds;
}

static const char *action_name(const void *block, uint32_t head, uint32_t choice) {
  const Params *params = block;
  (void)head;
  return params->named < 0 ? NULL : preset[params->named].choice[choice];
}

/* Of a mixed game: tit for tat (Axelrod and Hamilton 1981): the first choice, and then whatever the
 * other did; its own last one where it has fewer. */
static void scripted(const void *block, const void *state, uint32_t agent, const AgonRandom *random,
                     AgonAction *action) {
  (void)random;
  const Params *params = block;
  const Episode *episode = state;
  const int32_t most = (int32_t)params->choices[agent] - 1;
  const int32_t other = episode->round ? episode->last[1 - agent] : 0;
  action->choice = other < most ? other : most;
}

/* The table with the last choices marked (of a mixed game both payoffs), and what was won so far.
 */
static void render(const void *block, const void *state, char *text, size_t size) {
  const Params *params = block;
  const Episode *episode = state;
  size_t used = 0;
  for (uint32_t r = 0; r < params->choices[0]; r++)
    for (uint32_t c = 0; c < params->choices[1] && used + 60 < size; c++) {
      const bool played =
          episode->round && (uint32_t)episode->last[0] == r && (uint32_t)episode->last[1] == c;
      const size_t at = (size_t)r * params->choices[1] + c;
      char other[24] = "";
      if (params->mixed) snprintf(other, sizeof other, ", %-5.4g", (double)params->payoff[1][at]);
      used += (size_t)snprintf(text + used, size - used, played ? "[%7.4g%s]%s" : " %7.4g%s %s",
                               (double)params->payoff[0][at], other,
                               c + 1 == params->choices[1] ? "\n" : "");
    }
  used += (size_t)snprintf(text + used, size - used,
                           "round %u of %u; rows are agent 0's choices, columns agent 1's; ",
                           (uint32_t)episode->round, params->rounds);
  if (used >= size) return;
  if (params->common)
    snprintf(text + used, size - used, "paid so far %g\n", (double)episode->total[0]);
  else
    snprintf(text + used, size - used, "totals %g and %g\n", (double)episode->total[0],
             (double)episode->total[1]);
}

const AgonEnv env_matrix_game = {
    AGON_ENV_SIZES,
    .name = "matrix_game",
    .summary =
        "two-player games in normal form: rock-paper-scissors, dilemmas, climbing, any table",
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
    .global_state = global_state,
    .metrics = metrics,
    .metric_names = metric_names,
    .action_name = action_name,
    .scripted = scripted,
    .render = render,
};

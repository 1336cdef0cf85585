/* The two-step game of the QMIX paper (Rashid et al. 2018, section 5): two agents of one team, two
 * steps, one payoff. In the first step the first agent alone decides which table is played in the
 * second: A pays 7 whatever they do, B pays 8 if both take their second choice, else at most 1. A
 * team value that is a sum of the agents' values cannot represent B, and takes the safe 7 (from
 * uniform data); a monotone mixture of them can, and takes 8. */
#include "agon/env.h"

#include <stdio.h>
#include <string.h>

enum { AGENTS = 2, CHOICES = 2, STATES = 3, OBSERVED = STATES + AGENTS };
enum { FIRST, TABLE_A, TABLE_B };

static const float payoff[STATES][CHOICES][CHOICES] = {
    [FIRST] = {{0, 0}, {0, 0}},
    [TABLE_A] = {{7, 7}, {7, 7}},
    [TABLE_B] = {{0, 1}, {1, 8}},
};
static const char *const state_name[STATES] = {"first step", "table A", "table B"};

/* The whole state of a game. */
typedef struct Episode {
  int32_t state;
  int32_t over;
  int32_t last[AGENTS]; /* choices of the last step */
  float paid;
} Episode;

/* There are no options. */
static int configure(const char *const *values, void *block, AgonEnvSpec *spec, AgonError *error) {
  static const uint32_t head_size = CHOICES;
  static const AgonKind kind = {.observation_type = AGON_U8,
                                .observation_shape = {OBSERVED, 1, 1},
                                .observation_high = 1,
                                .heads = 1,
                                .head_size = &head_size};
  (void)values;
  (void)block;
  (void)error;
  *spec = (AgonEnvSpec){.episode_size = sizeof(Episode),
                        .agents = AGENTS,
                        .teams = 1,
                        .kinds = 1,
                        .kind = &kind,
                        .global_state_size = STATES,
                        .step_limit = 2,
                        .flags = AGON_COOPERATIVE | AGON_SIMULTANEOUS | AGON_PERFECT_INFORMATION,
                        .reward_high = 8};
  return 0;
}

/* The first step, before any table. */
static AgonStatus reset(const void *params, void *block, const AgonRandom *random,
                        AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  memset(block, 0, sizeof(Episode));
  return AGON_RUNNING;
}

/* Each agent is paid the whole, so that the team's return (the mean over its agents) is the table's
 * entry. */
static AgonStatus step(const void *params, void *block, const AgonAction *actions,
                       const AgonRandom *random, float *reward, AgonError *error) {
  (void)params;
  (void)random;
  (void)error;
  Episode *episode = block;
  episode->last[0] = actions[0].choice;
  episode->last[1] = actions[1].choice;
  episode->paid = payoff[episode->state][actions[0].choice][actions[1].choice];
  reward[0] += episode->paid;
  reward[1] += episode->paid;
  if (episode->state == FIRST) {
    episode->state = actions[0].choice == 0 ? TABLE_A : TABLE_B;
    return AGON_RUNNING;
  }
  episode->over = 1;
  return AGON_TERMINATED;
}

/* Which state it is, and which agent one is (networks are shared). */
static void observe(const void *params, const void *block, uint32_t agent, void *out) {
  (void)params;
  const Episode *episode = block;
  uint8_t *row = out;
  memset(row, 0, OBSERVED);
  row[episode->state] = 1;
  row[STATES + agent] = 1;
}

/* Both act in both steps. */
static void flags(const void *params, const void *block, uint8_t *flag) {
  (void)params;
  const Episode *episode = block;
  flag[1] = (uint8_t)(AGON_ALIVE | (episode->over ? 0 : AGON_ACTS));
  flag[0] = flag[1];
}

/* Which of the three states it is (one-hot). */
static void global_state(const void *params, const void *block, float *row) {
  (void)params;
  for (int i = 0; i < STATES; i++)
    row[i] = i == ((const Episode *)block)->state;
}

/* The first agent's choice in the first step is that of a table. */
static const char *action_name(const void *params, uint32_t head, uint32_t choice) {
  (void)params;
  (void)head;
  return choice == 0 ? "a" : "b";
}

/* The state, and what was done and paid. */
static void render(const void *params, const void *block, char *text, size_t size) {
  static const char *const pays[STATES] = {
      "agent 0's a leads to table A, where all pay 7; b to table B",
      "whatever both do pays 7",
      "a a pays 0, a b and b a pay 1, b b pays 8",
  };
  (void)params;
  const Episode *episode = block;
  if (episode->over)
    snprintf(text, size, "%s, %c and %c: %g\n", state_name[episode->state], 'a' + episode->last[0],
             'a' + episode->last[1], (double)episode->paid);
  else
    snprintf(text, size, "%s: %s\n", state_name[episode->state], pays[episode->state]);
}

const AgonEnv env_two_step = {
    AGON_ENV_SIZES,
    .name = "two_step",
    .summary = "two agents, one payoff: the first picks a safe table or one that must be agreed on",
    .configure = configure,
    .reset = reset,
    .step = step,
    .observe = observe,
    .flags = flags,
    .global_state = global_state,
    .action_name = action_name,
    .render = render,
};

#include "classics/learn.h"

#include "agent/agent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What an agent has begun and not yet learned from: its reward comes until it acts again. */
typedef struct Pending {
  bool open;
  size_t row, own;
  double reward;
} Pending;

/* An episode being played, and what its learners are in the middle of. */
typedef struct Table {
  const LearnPlan *plan;
  Learned *learned;
  ClassicRates rates;
  bool learning; /* else only played */
  bool made;     /* the episode */
  uint32_t team; /* whose turn it is to learn, with `against` */
  void *episode; /* owned, with all that follow */
  AgonAction *action;
  float *reward;    /* (agents) of a step */
  double *total;    /* (agents) of the episode */
  uint8_t *flags;   /* (agents) */
  uint8_t *seen;    /* an observation */
  uint8_t *mask;    /* (agents, actions) */
  double *share;    /* (actions) */
  Pending *pending; /* (agents) */
  size_t *best;     /* (agents) the best choice at the first observation */
  Agent rival;      /* asks `against` where it is a network */
} Table;

/* --- whether the game is one for the algorithm --- */

static Status unfit(const LearnPlan *plan, const char *why) {
  return status_set(ERR_USAGE, "%s is no game for %s: %s", plan->env->title, plan->ops->name, why);
}

/* All that can be said before anything is played. */
static Status check_game(const LearnPlan *plan) {
  const Env *env = plan->env;
  const ClassicOps *ops = plan->ops;
  char why[96];
  if (!table_supports(env)) return unfit(plan, "a table needs actions of one choice each");
  if (ops->joint && env->spec.agents != 2)
    return unfit(plan, "it is for two agents, who see what the other one does");
  if (ops->zero_sum && (env->spec.teams != 2 || !(env->spec.flags & AGON_ZERO_SUM)))
    return unfit(plan, "what one agent is paid the other must pay (two teams, zero-sum)");
  if (ops->most && env->action_count > ops->most) {
    snprintf(why, sizeof why, "it takes at most %zu choices, and there are %u", ops->most,
             env->action_count);
    return unfit(plan, why);
  }
  if (!plan->against) return OK;
  if (ops->joint) return unfit(plan, "a learner of both sides' play has no opponent (--against)");
  if (env->spec.teams < 2)
    return unfit(plan, "one team plays it, and there is nobody to be against");
  if (plan->against->net && plan->against->net->graph.state_size)
    return status_set(ERR_USAGE, "%s has a memory, and tables learn against players without",
                      plan->against->label);
  return OK;
}

/* --- making and ending --- */

static Status table_open(const LearnPlan *plan, Learned *learned, Table *out) {
  const Env *env = plan->env;
  const size_t N = env->spec.agents;
  *out = (Table){.plan = plan, .learned = learned};
  TRY_RETURN(mem_array(&out->episode, env->spec.episode_size + 1, 1));
  TRY_RETURN(NEW_ARRAY(out->action, N * env->layout.heads));
  TRY_RETURN(NEW_ARRAY(out->reward, N));
  TRY_RETURN(NEW_ARRAY(out->total, N));
  TRY_RETURN(NEW_ARRAY(out->flags, N));
  TRY_RETURN(NEW_ARRAY(out->seen, env->observation_bytes + 1));
  TRY_RETURN(NEW_ARRAY(out->mask, N * env->action_count));
  TRY_RETURN(NEW_ARRAY(out->share, env->action_count));
  TRY_RETURN(NEW_ARRAY(out->pending, N));
  TRY_RETURN(NEW_ARRAY(out->best, N));
  if (plan->against && plan->against->net)
    TRY_RETURN(agent_create(plan->against, env, N, &out->rival));
  TRY_RETURN(env_make(env, out->episode));
  out->made = true;
  return OK;
}

static void table_close(Table *table) {
  const Env *env = table->plan->env;
  if (table->made && env->table->destroy) env->table->destroy(env->params, table->episode);
  free(table->episode);
  free(table->action);
  free(table->reward);
  free(table->total);
  free(table->flags);
  free(table->seen);
  free(table->mask);
  free(table->share);
  free(table->pending);
  free(table->best);
  if (table->rival.who) agent_destroy(&table->rival);
}

void learned_free(Learned *learned) {
  for (uint32_t a = 0; learned->learner && a < learned->agents; a++)
    rows_destroy(&learned->learner[a].rows);
  free(learned->learner);
  free(learned->flips);
  free(learned->returns);
  *learned = (Learned){.agents = 0};
}

static Status learned_create(const LearnPlan *plan, Learned *out) {
  const size_t A = plan->env->action_count;
  const ClassicOps *ops = plan->ops;
  *out = (Learned){.teams = plan->env->spec.teams};
  out->rng = rng_stream(plan->seed, 0, 0, RNG_ACT);
  TRY_RETURN(NEW_ARRAY(out->learner, plan->env->spec.agents));
  out->agents = plan->env->spec.agents;
  TRY_RETURN(NEW_ARRAY(out->flips, out->agents));
  TRY_RETURN(NEW_ARRAY(out->returns, (size_t)CURVE_POINTS * out->teams));
  for (uint32_t a = 0; a < out->agents; a++) {
    out->learner[a].agent = a;
    out->learner[a].rng = &out->rng;
    TRY_RETURN(
        rows_create(A, ops->worths(A), ops->counts ? ops->counts(A) : 0, &out->learner[a].rows));
  }
  return OK;
}

/* --- one step --- */

/* Whether an agent learns in this episode. */
static bool is_learner(const Table *table, uint32_t agent) {
  return !table->plan->against || table->plan->env->spec.team_of[agent] == table->team;
}

static uint8_t *mask_of(const Table *table, uint32_t agent) {
  return table->mask + (size_t)agent * table->plan->env->action_count;
}

/* The row of what an agent sees now. One that is new is added, unless it is only looked for: then
 * rows->count. */
static Status find_row(Table *table, uint32_t agent, bool add, size_t *out) {
  const Env *env = table->plan->env;
  LearnedRows *rows = &table->learned->learner[agent].rows;
  env_observe(env, table->episode, agent, table->seen);
  const uint64_t key = table_key(env, agent, table->seen);
  *out = rows_find(rows, key);
  if (*out < rows->count || !add) return OK;
  const uint8_t *other = table->plan->ops->joint ? mask_of(table, 1 - agent) : NULL;
  return rows_add(rows, key, mask_of(table, agent), other, table->plan->initial, out);
}

/* Watches whether the best choice at an agent's first observation becomes another. */
static void count_flips(Table *table, uint32_t agent) {
  const Exploration greedy = {0};
  const ClassicLearner *learner = &table->learned->learner[agent];
  const size_t own = rows_allowed(learner->rows.own, learner->rows.choices);
  size_t best = 0;
  table->plan->ops->act(learner, &greedy, 0, table->share);
  for (size_t i = 1; i < own; i++)
    if (table->share[i] > table->share[best]) best = i;
  table->learned->flips[agent] += best != table->best[agent];
  table->best[agent] = best;
}

/* Learns from what an agent did last, now that it is known what came of it. */
static Status settle(Table *table, uint32_t agent, bool goes_on, size_t next) {
  Pending *pending = &table->pending[agent];
  ClassicStep step = {.row = pending->row, .own = pending->own, .goes_on = goes_on, .next = next};
  if (!pending->open) return OK;
  step.reward[0] = pending->reward;
  if (table->plan->ops->joint) {
    step.other = table->pending[1 - agent].own;
    step.reward[0] = table->pending[0].reward;
    step.reward[1] = table->pending[1].reward;
  }
  TRY_RETURN(table->plan->ops->learn(&table->learned->learner[agent], &table->rates, &step));
  if (pending->row == 0) count_flips(table, agent);
  return OK;
}

/* Draws an agent's choice by what it knows. */
static void choose(Table *table, uint32_t agent, size_t row) {
  ClassicLearner *learner = &table->learned->learner[agent];
  const uint8_t *mask = mask_of(table, agent);
  const size_t own = rows_allowed(mask, table->plan->env->action_count);
  table->plan->ops->act(learner, &table->rates.exploration, row, table->share);
  const size_t drawn = rng_pick(learner->rng, table->share, own);
  table->action[agent].choice = (int32_t)rows_action(mask, drawn);
  table->pending[agent] = (Pending){.open = true, .row = row, .own = drawn};
  if (table->learning) learner->rows.visits[row]++;
}

/* An agent that only plays and has never been here takes any choice. */
static void choose_blindly(Table *table, uint32_t agent) {
  const uint8_t *mask = mask_of(table, agent);
  const size_t own = rows_allowed(mask, table->plan->env->action_count);
  const uint32_t drawn = rng_below(&table->learned->rng, (uint32_t)own);
  table->action[agent].choice = (int32_t)rows_action(mask, drawn);
}

/* What the opponent does. */
static Status ask_rival(Table *table, uint32_t agent) {
  const Env *env = table->plan->env;
  Contestant *rival = table->plan->against;
  BuiltinPolicy *builtin = rival->policy.builtin;
  AgonRng *rng = &table->learned->rng;
  const Thought *thought;
  size_t count;
  if (builtin) {
    builtin->greedy = rival->policy.greedy;
    builtin->ops->act(builtin, table->episode, agent, mask_of(table, agent), rng,
                      &table->action[agent]);
    return builtin->failed;
  }
  const AgentView view = {.episode = table->episode, .flags = table->flags, .running = true};
  TRY_RETURN(agent_look(&table->rival, &view, &thought, &count));
  while (count > 1 && thought->agent != agent) {
    thought++;
    count--;
  }
  for (uint32_t i = 0; i < env->action_count; i++)
    table->share[i] = (double)thought->row[i];
  table->action[agent].choice = (int32_t)rng_pick(rng, table->share, env->action_count);
  return OK;
}

/* Flags and masks of the position, and that a joint learner's two agents both act. */
static Status look(Table *table) {
  const Env *env = table->plan->env;
  env_flags_of(env, table->episode, table->flags);
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    if (table->flags[a] & AGON_ACTS)
      env_mask(env, table->episode, a, mask_of(table, a));
    else if (table->plan->ops->joint)
      return unfit(table->plan, "both agents must act at once, at every step");
  }
  return OK;
}

/* Everybody who acts learns from the last decision and makes the next one. Joint learners first
 * both learn, as each needs what the other had begun. */
static Status decide(Table *table) {
  const uint32_t N = table->plan->env->spec.agents;
  size_t row;
  for (uint32_t a = 0; a < N && table->learning; a++) {
    if (!(table->flags[a] & AGON_ACTS) || !is_learner(table, a)) continue;
    TRY_RETURN(find_row(table, a, true, &row));
    TRY_RETURN(settle(table, a, true, row));
  }
  for (uint32_t a = 0; a < N; a++) {
    memset(&table->action[a], 0, sizeof table->action[a]);
    if (!(table->flags[a] & AGON_ACTS)) continue;
    if (!is_learner(table, a)) {
      TRY_RETURN(ask_rival(table, a));
      continue;
    }
    TRY_RETURN(find_row(table, a, false, &row));
    if (row < table->learned->learner[a].rows.count)
      choose(table, a, row);
    else
      choose_blindly(table, a);
  }
  return OK;
}

/* What is still open ends with the episode; where it was cut, the last observation still has its
 * value. */
static Status finish(Table *table, AgonStatus how) {
  const uint32_t N = table->plan->env->spec.agents;
  for (uint32_t a = 0; a < N && table->learning; a++) {
    size_t row;
    if (!table->pending[a].open) continue;
    TRY_RETURN(find_row(table, a, false, &row));
    TRY_RETURN(settle(table, a, how == AGON_TRUNCATED, row));
  }
  return OK;
}

static Status failed(const Table *table) {
  const Env *env = table->plan->env;
  return status_set(ERR_ENV, "env %s: %s", env->table->name, env_why(env));
}

/* Rates as they are at a share of the way, 0 .. 1. */
static ClassicRates rates_at(const LearnPlan *plan, double way) {
  const double *heat = plan->temperature;
  return (ClassicRates){
      .rate = plan->rate[0] * pow(plan->rate[1] / plan->rate[0], way),
      .down = plan->down,
      .leniency = plan->leniency,
      .cooling = plan->cooling,
      .discount = plan->discount,
      .exploration = {.epsilon = plan->epsilon[0] + way * (plan->epsilon[1] - plan->epsilon[0]),
                      .temperature = heat[0] > 0 ? heat[0] * pow(heat[1] / heat[0], way) : 0},
  };
}

/* Plays one episode to its end, or until *steps reaches `most` while it learns; *ended says
 * which. */
static Status play_episode(Table *table, uint64_t number, RngPurpose purpose, uint64_t most,
                           uint64_t *steps, bool *ended) {
  const Env *env = table->plan->env;
  const uint32_t N = env->spec.agents;
  AgonRng rng = rng_stream(table->plan->seed, (uint32_t)(number >> 32), (uint32_t)number, purpose);
  memset(table->reward, 0, N * sizeof *table->reward);
  memset(table->pending, 0, N * sizeof *table->pending);
  table->team = (uint32_t)(number % env->spec.teams);
  AgonStatus how = env_reset(env, table->episode, &rng, table->reward);
  for (uint32_t a = 0; a < N; a++)
    table->total[a] = (double)table->reward[a];
  *ended = false;
  while (how == AGON_RUNNING) {
    if (*steps == most) return OK;
    if (table->learning) table->rates = rates_at(table->plan, (double)*steps / (double)most);
    TRY_RETURN(look(table));
    TRY_RETURN(decide(table));
    memset(table->reward, 0, N * sizeof *table->reward);
    how = env_step(env, table->episode, table->action, &rng, table->reward);
    for (uint32_t a = 0; a < N; a++) {
      table->pending[a].reward += (double)table->reward[a];
      table->total[a] += (double)table->reward[a];
    }
    (*steps)++;
  }
  if (how == AGON_FAILED) return failed(table);
  *ended = true;
  return finish(table, how);
}

/* A team's return: the mean over its agents. */
static double return_of(const Table *table, uint32_t team) {
  const Env *env = table->plan->env;
  double sum = 0;
  double members = 0;
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    if (env->spec.team_of[a] != team) continue;
    sum += table->total[a];
    members++;
  }
  return members > 0 ? sum / members : 0;
}

/* Adds a point to the curve; sums (teams) over `episodes` begin anew. */
static void mark(Learned *learned, uint64_t step, uint64_t episodes, double *sum, uint64_t *since) {
  CurvePoint *point = &learned->point[learned->points];
  *point = (CurvePoint){.step = step, .episodes = episodes, .flips = learned->flips[0]};
  for (uint32_t a = 0; a < learned->agents; a++)
    point->rows += learned->learner[a].rows.count;
  for (uint32_t t = 0; t < learned->teams; t++) {
    learned->returns[learned->points * learned->teams + t] =
        *since ? sum[t] / (double)*since : (double)NAN;
    sum[t] = 0;
  }
  *since = 0;
  learned->points++;
}

/* Episodes follow one another until the steps are through; the last one is left where it is. */
Status learn(const LearnPlan *plan, Learned *out) {
  Status status = OK;
  Table table = {.plan = plan};
  double *sum = NULL;
  uint64_t steps = 0;
  uint64_t since = 0;
  *out = (Learned){.agents = 0};
  TRY(check_game(plan));
  TRY(learned_create(plan, out));
  TRY(table_open(plan, out, &table));
  TRY(NEW_ARRAY(sum, out->teams));
  table.learning = true;
  for (uint64_t e = 0; steps < plan->steps; e++) {
    bool ended;
    TRY(play_episode(&table, e, RNG_ENV, plan->steps, &steps, &ended));
    for (uint32_t t = 0; ended && t < out->teams; t++)
      sum[t] += return_of(&table, t);
    since += ended;
    if (out->points < CURVE_POINTS &&
        (double)steps >= (double)plan->steps * (double)(out->points + 1) / CURVE_POINTS)
      mark(out, steps, e + ended, sum, &since);
  }
  out->last = rates_at(plan, 1);
done:
  free(sum);
  table_close(&table);
  return status;
}

/* --- what was learned --- */

Status learned_rows(const LearnPlan *plan, const Learned *learned, TableRows *out) {
  Status status = OK;
  const size_t A = plan->env->action_count;
  const Exploration how = {.temperature = learned->last.exploration.temperature};
  size_t count = 0;
  size_t at = 0;
  uint64_t *key = NULL;
  float *probability = NULL;
  double *share = NULL;
  for (uint32_t a = 0; a < learned->agents; a++)
    count += learned->learner[a].rows.count;
  TRY(NEW_ARRAY(key, count));
  TRY(NEW_ARRAY(probability, count * A));
  TRY(NEW_ARRAY(share, A));
  for (uint32_t a = 0; a < learned->agents; a++) {
    const LearnedRows *rows = &learned->learner[a].rows;
    for (size_t r = 0; r < rows->count; r++, at++) {
      const uint8_t *own = rows->own + r * A;
      plan->ops->act(&learned->learner[a], &how, r, share);
      key[at] = rows->key[r];
      for (size_t i = 0; i < rows_allowed(own, A); i++)
        probability[at * A + rows_action(own, i)] = (float)share[i];
    }
  }
  *out = (TableRows){.count = count, .key = key, .probability = probability};
  key = NULL;
  probability = NULL;
done:
  free(key);
  free(probability);
  free(share);
  return status;
}

void learned_rows_free(TableRows *rows) {
  free((void *)rows->key);
  free((void *)rows->probability);
  *rows = (TableRows){.count = 0};
}

Status learned_play(const LearnPlan *plan, Learned *learned, uint64_t episodes, double *mean) {
  Status status = OK;
  Table table;
  uint64_t steps = 0;
  const uint32_t teams = learned->teams;
  for (uint32_t t = 0; t < teams; t++)
    mean[t] = 0;
  TRY(table_open(plan, learned, &table));
  table.rates = learned->last;
  table.rates.exploration.epsilon = 0;
  for (uint64_t e = 0; e < episodes; e++) {
    bool ended;
    TRY(play_episode(&table, e, RNG_EVAL, UINT64_MAX, &steps, &ended));
    for (uint32_t t = 0; t < teams; t++)
      mean[t] += return_of(&table, plan->against ? table.team : t) / (double)episodes;
  }
done:
  table_close(&table);
  return status;
}

/* An env around an env. An episode is the inner one's block with what the wrapper keeps behind it:
 * the last actions of all agents, where they stand, and the orders that are in force. So it is flat
 * where the inner one is, and goes on after a resume.
 *
 * Mean field (Yang et al. 2018, arXiv 1802.05438, eq. 4 and 9): an agent's observation ends with
 * the mean of the last actions, as one-hots, of its nearest teammates, and, of several teams, of
 * the nearest others. So the policy, and whatever values what it sees, has the mean action as an
 * input of a fixed size, however many agents there are.
 *
 * Hierarchy: a commander joins each team. Every so many steps it chooses one of `orders`, by what
 * the game tells of its global state, and until the next its team's agents see that order. It is
 * paid the mean of what they are paid. Agents of one kind share a network with net.sharing=kind. */
#include "env/wrap.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const AgonEnvOption wrap_options[] = {
    {"mean_action", AGON_OPT_INT, "0", 0, AGON_MAX_AGENTS, NULL,
     "any game: what an agent sees ends with the mean of what its so many nearest teammates did "
     "last, and of so many nearest others; of all where the game tells no positions, then give "
     "1024; 0: nothing"},
    {"commander", AGON_OPT_INT, "0", 0, 100000, NULL,
     "any game: each team has one agent more, a commander, which gives an order every so many "
     "steps that its team's agents see; 0: none"},
    {"orders", AGON_OPT_INT, "8", 2, 256, NULL, "commander: how many orders it can choose from"},
};

/* Behind the inner episode. */
typedef struct Behind {
  uint32_t step;    /* of the episode */
  int32_t *order;   /* (teams) -1: none yet */
  uint8_t *acted;   /* (agents) something, so far */
  AgonAction *last; /* (agents, heads) */
  float *place;     /* (agents, 3) */
} Behind;

/* What `params` points to. */
typedef struct Wrap {
  AgonEnv table;
  Env *inner;
  uint32_t agents; /* of the inner env; the commanders come after them */
  uint32_t near;   /* 0: no mean actions */
  uint32_t every;  /* 0: no commanders */
  uint32_t orders;
  uint32_t width; /* numbers of a mean action */
  uint32_t means; /* of them: 1, or 2 where there are other teams */
  bool placed;    /* the game tells positions, and they matter */
  size_t behind;  /* where the wrapper's part of an episode begins */
  AgonKind *kind;
  uint8_t *team_of;
  uint8_t *kind_of;
  uint32_t *in_team; /* (teams) agents of the inner env */
  const char **name; /* (agents) */
  uint8_t *flag;     /* (agents) scratch, as the rest */
  float *reward;     /* (agents) */
  uint32_t *found;   /* (agents) */
  float *far;        /* (agents) */
} Wrap;

/* --- the block --- */
static size_t up_to_eight(size_t bytes) {
  return (bytes + 7) & ~(size_t)7;
}

static size_t behind_bytes(const Wrap *wrap) {
  const size_t actions = (size_t)wrap->agents * wrap->inner->layout.heads * sizeof(AgonAction);
  return up_to_eight(4 + 4 * (size_t)wrap->inner->spec.teams) + up_to_eight(wrap->agents) +
         up_to_eight(actions) + (wrap->placed ? (size_t)wrap->agents * 3 * sizeof(float) : 0);
}

/* The parts of a block; all are aligned, as blocks are. */
static Behind behind_of(const Wrap *wrap, const void *episode) {
  char *at = (char *)(uintptr_t)episode + wrap->behind;
  const size_t actions = (size_t)wrap->agents * wrap->inner->layout.heads * sizeof(AgonAction);
  Behind behind = {.order = (int32_t *)(void *)(at + 4)};
  memcpy(&behind.step, at, sizeof behind.step);
  at += up_to_eight(4 + 4 * (size_t)wrap->inner->spec.teams);
  behind.acted = (uint8_t *)at;
  at += up_to_eight(wrap->agents);
  behind.last = (AgonAction *)(void *)at;
  at += up_to_eight(actions);
  behind.place = (float *)(void *)at;
  return behind;
}

static void set_step(const Wrap *wrap, void *episode, uint32_t step) {
  memcpy((char *)episode + wrap->behind, &step, sizeof step);
}

/* Where everybody stands, looked up once a step. */
static void find_places(const Wrap *wrap, void *episode) {
  if (!wrap->placed) return;
  const Env *inner = wrap->inner;
  const Behind behind = behind_of(wrap, episode);
  for (uint32_t a = 0; a < wrap->agents; a++)
    inner->table->position(inner->params, episode, a, behind.place + (size_t)3 * a);
}

/* --- mean actions --- */
static float distance(const float *a, const float *b) {
  float sum = 0;
  for (int i = 0; i < 3; i++)
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/* Who counts for an agent's mean: living agents that have acted, of its own team or of the others.
 * The nearest come first, of equals those with the smaller number; *count of them. */
static void find_nearest(const Wrap *wrap, const Behind *behind, uint32_t agent, bool own,
                         uint32_t *count) {
  const uint8_t *team_of = wrap->inner->spec.team_of;
  uint32_t *found = wrap->found;
  float *far = wrap->far;
  *count = 0;
  for (uint32_t other = 0; other < wrap->agents; other++) {
    if (other == agent || (team_of[other] == team_of[agent]) != own) continue;
    if (!behind->acted[other] || !(wrap->flag[other] & AGON_ALIVE)) continue;
    float gap = 0;
    if (wrap->placed)
      gap = distance(behind->place + (size_t)3 * agent, behind->place + (size_t)3 * other);
    if (*count == wrap->near && gap >= far[*count - 1]) continue;
    uint32_t at = *count < wrap->near ? (*count)++ : *count - 1;
    for (; at > 0 && far[at - 1] > gap; at--) {
      far[at] = far[at - 1];
      found[at] = found[at - 1];
    }
    far[at] = gap;
    found[at] = other;
  }
}

/* One-hots of choices, or the values of a box. */
static void add_action(const Wrap *wrap, const AgonAction *action, float share, float *out) {
  const AgonKind *layout = &wrap->inner->layout;
  for (uint32_t h = 0; h < layout->heads; h++) {
    if (layout->action_kind == AGON_BOX) {
      *out++ += share * action[h].value;
      continue;
    }
    out[action[h].choice] += share;
    out += layout->head_size[h];
  }
}

static void put_means(const Wrap *wrap, const void *episode, uint32_t agent, float *out) {
  const Env *inner = wrap->inner;
  const Behind behind = behind_of(wrap, episode);
  memset(out, 0, sizeof(float) * wrap->means * wrap->width);
  inner->table->flags(inner->params, episode, wrap->flag);
  for (uint32_t m = 0; m < wrap->means; m++) {
    uint32_t count;
    find_nearest(wrap, &behind, agent, m == 0, &count);
    for (uint32_t i = 0; i < count; i++)
      add_action(wrap, behind.last + (size_t)wrap->found[i] * inner->layout.heads,
                 1.0f / (float)count, out + m * wrap->width);
  }
}

/* --- calls --- */
static bool is_commander(const Wrap *wrap, uint32_t agent) {
  return agent >= wrap->agents;
}

static bool may_order(const Wrap *wrap, const Behind *behind) {
  return wrap->every && behind->step % wrap->every == 0;
}

/* No actions yet, no orders yet. */
static AgonStatus begin(const Wrap *wrap, void *episode, AgonStatus status) {
  memset((char *)episode + wrap->behind, 0, behind_bytes(wrap));
  const Behind behind = behind_of(wrap, episode);
  for (uint32_t t = 0; t < wrap->inner->spec.teams; t++)
    behind.order[t] = -1;
  if (status != AGON_FAILED && status != AGON_CHANCE) find_places(wrap, episode);
  return status;
}

static AgonStatus wrap_reset(const void *params, void *episode, const AgonRandom *random,
                             AgonError *error) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  return begin(wrap, episode, inner->table->reset(inner->params, episode, random, error));
}

static AgonStatus wrap_reset_with(const void *params, void *episode, const float *knob,
                                  const AgonRandom *random, AgonError *error) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  return begin(wrap, episode,
               inner->table->reset_with(inner->params, episode, knob, random, error));
}

/* What the agents are paid, and their commander the mean of its team's. */
static void pay(const Wrap *wrap, float *reward) {
  const AgonEnvSpec *spec = &wrap->inner->spec;
  for (uint32_t a = 0; a < wrap->agents; a++) {
    const uint32_t team = spec->team_of[a];
    reward[a] += wrap->reward[a];
    if (wrap->every) reward[wrap->agents + team] += wrap->reward[a] / (float)wrap->in_team[team];
  }
}

/* Of teams that are left: another's commander has not been asked. */
static void take_orders(const Wrap *wrap, const Behind *behind, const AgonAction *actions) {
  const Env *inner = wrap->inner;
  for (uint32_t a = 0; a < wrap->agents; a++) {
    const uint32_t team = inner->spec.team_of[a];
    if (!(wrap->flag[a] & AGON_ALIVE)) continue;
    behind->order[team] = actions[(wrap->agents + team) * inner->layout.heads].choice;
  }
}

static AgonStatus wrap_step(const void *params, void *episode, const AgonAction *actions,
                            const AgonRandom *random, float *reward, AgonError *error) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  const size_t heads = inner->layout.heads;
  const Behind behind = behind_of(wrap, episode);
  inner->table->flags(inner->params, episode, wrap->flag);
  for (uint32_t a = 0; a < wrap->agents; a++) {
    if (!(wrap->flag[a] & AGON_ACTS)) continue;
    behind.acted[a] = 1;
    memcpy(behind.last + a * heads, actions + a * heads, heads * sizeof *actions);
  }
  if (may_order(wrap, &behind)) take_orders(wrap, &behind, actions);
  set_step(wrap, episode, behind.step + 1);
  memset(wrap->reward, 0, wrap->agents * sizeof *wrap->reward);
  const AgonStatus status =
      inner->table->step(inner->params, episode, actions, random, wrap->reward, error);
  pay(wrap, reward);
  if (status != AGON_FAILED && status != AGON_CHANCE) find_places(wrap, episode);
  return status;
}

static uint32_t wrap_chance_outcomes(const void *params, const void *episode, double *probability) {
  const Env *inner = ((const Wrap *)params)->inner;
  return inner->table->chance_outcomes(inner->params, episode, probability);
}

static AgonStatus wrap_chance_apply(const void *params, void *episode, uint32_t outcome,
                                    float *reward, AgonError *error) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  memset(wrap->reward, 0, wrap->agents * sizeof *wrap->reward);
  const AgonStatus status =
      inner->table->chance_apply(inner->params, episode, outcome, wrap->reward, error);
  pay(wrap, reward);
  if (status != AGON_FAILED && status != AGON_CHANCE) find_places(wrap, episode);
  return status;
}

/* A commander lives as long as one of its team, and acts on its steps while the game goes on. */
static void wrap_flags(const void *params, const void *episode, uint8_t *flags) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  inner->table->flags(inner->params, episode, flags);
  if (!wrap->every) return;
  const Behind behind = behind_of(wrap, episode);
  memset(flags + wrap->agents, 0, inner->spec.teams);
  uint8_t anybody = 0;
  for (uint32_t a = 0; a < wrap->agents; a++) {
    anybody |= flags[a];
    flags[wrap->agents + inner->spec.team_of[a]] |= flags[a] & AGON_ALIVE;
  }
  const bool acts = (anybody & AGON_ACTS) && may_order(wrap, &behind);
  for (uint32_t t = 0; t < inner->spec.teams && acts; t++)
    if (flags[wrap->agents + t] & AGON_ALIVE) flags[wrap->agents + t] |= AGON_ACTS;
}

/* --- what is seen --- */
/* The inner row as floats, whatever it is made of. */
static size_t put_inner(const Wrap *wrap, const void *episode, uint32_t agent, float *row) {
  const Env *inner = wrap->inner;
  const AgonKind *kind = env_kind(inner, agent);
  const size_t count =
      (size_t)kind->observation_shape[0] * kind->observation_shape[1] * kind->observation_shape[2];
  if (kind->observation_type == AGON_F32) {
    inner->table->observe(inner->params, episode, agent, row);
    return count;
  }
  uint8_t *bytes = inner->scratch->row;
  inner->table->observe(inner->params, episode, agent, bytes);
  for (size_t i = 0; i < count; i++)
    row[i] = (float)bytes[i];
  return count;
}

/* What a commander sees: the game's global state, or what its agents see side by side; then which
 * team is its own, and the order in force. */
static void put_command(const Wrap *wrap, const void *episode, uint32_t team, float *row) {
  const Env *inner = wrap->inner;
  const Behind behind = behind_of(wrap, episode);
  const size_t most = inner->observation_count;
  if (inner->spec.global_state_size) {
    inner->table->global_state(inner->params, episode, row);
    row += inner->spec.global_state_size;
  } else {
    size_t largest = 0;
    for (uint32_t t = 0; t < inner->spec.teams; t++)
      if (wrap->in_team[t] > largest) largest = wrap->in_team[t];
    memset(row, 0, largest * most * sizeof *row);
    size_t at = 0;
    for (uint32_t a = 0; a < wrap->agents; a++)
      if (inner->spec.team_of[a] == team) put_inner(wrap, episode, a, row + most * at++);
    row += largest * most;
  }
  memset(row, 0, (inner->spec.teams + wrap->orders) * sizeof *row);
  row[team] = 1;
  if (behind.order[team] >= 0) row[inner->spec.teams + (uint32_t)behind.order[team]] = 1;
}

static void wrap_observe(const void *params, const void *episode, uint32_t agent, void *out) {
  const Wrap *wrap = params;
  if (is_commander(wrap, agent)) {
    put_command(wrap, episode, agent - wrap->agents, out);
    return;
  }
  float *row = (float *)out + put_inner(wrap, episode, agent, out);
  if (wrap->near) {
    put_means(wrap, episode, agent, row);
    row += wrap->means * wrap->width;
  }
  if (!wrap->every) return;
  const int32_t order = behind_of(wrap, episode).order[wrap->inner->spec.team_of[agent]];
  memset(row, 0, wrap->orders * sizeof *row);
  if (order >= 0) row[order] = 1;
}

static void wrap_mask(const void *params, const void *episode, uint32_t agent, uint8_t *row) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  if (is_commander(wrap, agent))
    memset(row, 1, wrap->orders);
  else
    inner->table->mask(inner->params, episode, agent, row);
}

static void wrap_outcome(const void *params, const void *episode, float *outcome) {
  const Env *inner = ((const Wrap *)params)->inner;
  inner->table->outcome(inner->params, episode, outcome);
}

static void wrap_global_state(const void *params, const void *episode, float *row) {
  const Env *inner = ((const Wrap *)params)->inner;
  inner->table->global_state(inner->params, episode, row);
}

static void wrap_metrics(const void *params, const void *episode, float *values) {
  const Env *inner = ((const Wrap *)params)->inner;
  inner->table->metrics(inner->params, episode, values);
}

/* --- for people --- */
static const char *wrap_action_name(const void *params, uint32_t head, uint32_t choice) {
  const Env *inner = ((const Wrap *)params)->inner;
  const AgonKind *layout = &inner->layout;
  if (head >= layout->heads || choice >= layout->head_size[head]) return NULL;
  return inner->table->action_name(inner->params, head, choice);
}

static const char *wrap_observation_name(const void *params, uint32_t index) {
  const Env *inner = ((const Wrap *)params)->inner;
  if (index >= inner->observation_count) return NULL;
  return inner->table->observation_name(inner->params, index);
}

/* The orders in force stand below the game's own picture. */
static void wrap_render(const void *params, const void *episode, char *text, size_t size) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  inner->table->render(inner->params, episode, text, size);
  if (!wrap->every) return;
  const Behind behind = behind_of(wrap, episode);
  size_t used = strlen(text);
  const char *before = used && text[used - 1] != '\n' ? "\norders:" : "orders:";
  if (used < size) used += (size_t)snprintf(text + used, size - used, "%s", before);
  for (uint32_t t = 0; t < inner->spec.teams && used < size; t++) {
    if (behind.order[t] < 0)
      used += (size_t)snprintf(text + used, size - used, " -");
    else
      used += (size_t)snprintf(text + used, size - used, " %d", behind.order[t]);
  }
  if (used < size) snprintf(text + used, size - used, "\n");
}

/* The rule-based player knows nothing of orders: its commander gives the first. */
static void wrap_scripted(const void *params, const void *episode, uint32_t agent,
                          const AgonRandom *random, AgonAction *action) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  if (!is_commander(wrap, agent)) {
    inner->table->scripted(inner->params, episode, agent, random, action);
    return;
  }
  memset(action, 0, inner->layout.heads * sizeof *action);
}

static void wrap_potential(const void *params, const void *episode, float *phi) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  inner->table->potential(inner->params, episode, phi);
  if (!wrap->every) return;
  memset(phi + wrap->agents, 0, inner->spec.teams * sizeof *phi);
  for (uint32_t a = 0; a < wrap->agents; a++) {
    const uint32_t team = inner->spec.team_of[a];
    phi[wrap->agents + team] += phi[a] / (float)wrap->in_team[team];
  }
}

static void wrap_position(const void *params, const void *episode, uint32_t agent, float xyz[3]) {
  const Wrap *wrap = params;
  const Env *inner = wrap->inner;
  if (is_commander(wrap, agent))
    memset(xyz, 0, 3 * sizeof *xyz);
  else
    inner->table->position(inner->params, episode, agent, xyz);
}

static int wrap_remove(const void *params, void *episode, uint32_t agent, AgonError *error) {
  const Env *inner = ((const Wrap *)params)->inner;
  return inner->table->remove(inner->params, episode, agent, error);
}

/* --- making one --- */
bool wrap_offered(const AgonEnv *table) {
  for (size_t i = 0; i < table->option_count; i++)
    for (size_t k = 0; k < WRAP_OPTIONS; k++)
      if (!strcmp(table->options[i].name, wrap_options[k].name)) return false;
  return true;
}

static void wrap_unconfigure(void *params) {
  Wrap *wrap = params;
  free(wrap->kind);
  free(wrap->team_of);
  free(wrap->kind_of);
  free(wrap->in_team);
  free(wrap->name);
  free(wrap->flag);
  free(wrap->reward);
  free(wrap->found);
  free(wrap->far);
}

/* What cannot be wrapped, and why. */
static Status check_inner(const Wrap *wrap) {
  const Env *inner = wrap->inner;
  const char *game = inner->table->name;
  if (!env_copies(inner))
    return status_set(ERR_USAGE,
                      "env.%s: %s keeps its episodes to itself (create), so that "
                      "nothing can be kept beside them",
                      wrap->near ? "mean_action" : "commander", game);
  for (uint32_t k = 0; k < inner->spec.kinds; k++) {
    const uint32_t *shape = inner->spec.kind[k].observation_shape;
    if (shape[1] > 1 || shape[2] > 1)
      return status_set(ERR_USAGE,
                        "env.%s: agents of %s see planes of %u x %u, to which nothing can be "
                        "joined: only rows of numbers can",
                        wrap->near ? "mean_action" : "commander", game, shape[1], shape[2]);
  }
  if (wrap->every && inner->layout.action_kind == AGON_BOX)
    return status_set(ERR_USAGE,
                      "env.commander: agents of %s act in values, and a commander "
                      "chooses: a game has either",
                      game);
  if (wrap->near && !wrap->placed && wrap->near + 1 < inner->spec.agents)
    return status_set(ERR_USAGE,
                      "env.mean_action %u: %s does not tell where its agents are, so that nobody "
                      "is nearer than others: give %u or more, for all",
                      wrap->near, game, inner->spec.agents - 1);
  const uint32_t agents = inner->spec.agents + (wrap->every ? inner->spec.teams : 0);
  if (agents > AGON_MAX_AGENTS)
    return status_set(ERR_USAGE,
                      "env.commander: %s has %u agents, and with commanders more than "
                      "%d",
                      game, inner->spec.agents, AGON_MAX_AGENTS);
  return OK;
}

/* Kinds see what they did, and what is joined to it. */
static void extend_kind(const Wrap *wrap, AgonKind *kind) {
  kind->observation_shape[0] +=
      (wrap->near ? wrap->means * wrap->width : 0) + (wrap->every ? wrap->orders : 0);
  kind->observation_type = AGON_F32;
  const bool box = wrap->near && wrap->inner->layout.action_kind == AGON_BOX;
  kind->observation_low = box ? -INFINITY : fminf(kind->observation_low, 0);
  kind->observation_high = box ? INFINITY : fmaxf(kind->observation_high, 1);
}

static void make_commander(Wrap *wrap, AgonKind *kind) {
  static const AgonAction idle[1];
  const Env *inner = wrap->inner;
  uint32_t largest = 0;
  for (uint32_t t = 0; t < inner->spec.teams; t++)
    if (wrap->in_team[t] > largest) largest = wrap->in_team[t];
  const uint32_t state = inner->spec.global_state_size
                             ? inner->spec.global_state_size
                             : largest * (uint32_t)inner->observation_count;
  *kind = (AgonKind){.name = "commander",
                     .observation_type = AGON_F32,
                     .observation_shape = {state + inner->spec.teams + wrap->orders, 1, 1},
                     .observation_low = -INFINITY,
                     .observation_high = INFINITY,
                     .action_kind = AGON_DISCRETE,
                     .heads = 1,
                     .head_size = &wrap->orders,
                     .idle = idle};
}

/* The commander of a team is numbered behind all agents, by its team. */
static Status make_members(Wrap *wrap, AgonEnvSpec *spec) {
  const AgonEnvSpec *own = &wrap->inner->spec;
  const uint32_t more = wrap->every ? own->teams : 0;
  TRY_RETURN(NEW_ARRAY(wrap->kind, own->kinds + 1));
  TRY_RETURN(NEW_ARRAY(wrap->team_of, own->agents + more));
  TRY_RETURN(NEW_ARRAY(wrap->kind_of, own->agents + more));
  TRY_RETURN(NEW_ARRAY(wrap->in_team, own->teams));
  TRY_RETURN(NEW_ARRAY(wrap->flag, own->agents + more));
  TRY_RETURN(NEW_ARRAY(wrap->reward, own->agents));
  TRY_RETURN(NEW_ARRAY(wrap->found, own->agents));
  TRY_RETURN(NEW_ARRAY(wrap->far, own->agents));
  for (uint32_t a = 0; a < own->agents; a++) {
    wrap->team_of[a] = own->team_of[a];
    wrap->kind_of[a] = own->kind_of[a];
    wrap->in_team[own->team_of[a]]++;
  }
  for (uint32_t t = 0; t < more; t++) {
    wrap->team_of[own->agents + t] = (uint8_t)t;
    wrap->kind_of[own->agents + t] = (uint8_t)own->kinds;
  }
  memcpy(wrap->kind, own->kind, own->kinds * sizeof *wrap->kind);
  for (uint32_t k = 0; k < own->kinds; k++)
    extend_kind(wrap, &wrap->kind[k]);
  if (more) make_commander(wrap, &wrap->kind[own->kinds]);
  spec->agents = own->agents + more;
  spec->kinds = own->kinds + (more > 0);
  spec->team_of = wrap->team_of;
  spec->kind_of = wrap->kind_of;
  spec->kind = wrap->kind;
  if (!own->agent_names || !more) return OK;
  TRY_RETURN(NEW_ARRAY(wrap->name, own->agents + more));
  for (uint32_t a = 0; a < spec->agents; a++)
    wrap->name[a] = a < own->agents ? own->agent_names[a] : "commander";
  spec->agent_names = wrap->name;
  return OK;
}

/* What the inner table offers, and no more. Many episodes at once are stepped one by one, and an
 * agent with a commander is not taken out of the game. */
static void make_table(Wrap *wrap) {
  const AgonEnv *own = wrap->inner->table;
  AgonEnv *table = &wrap->table;
  *table = *own;
  table->reset = wrap_reset;
  table->step = wrap_step;
  table->observe = wrap_observe;
  table->flags = wrap_flags;
  table->unconfigure = wrap_unconfigure;
  table->mask = own->mask ? wrap_mask : NULL;
  table->outcome = own->outcome ? wrap_outcome : NULL;
  table->chance_outcomes = own->chance_outcomes ? wrap_chance_outcomes : NULL;
  table->chance_apply = own->chance_apply ? wrap_chance_apply : NULL;
  table->global_state = own->global_state ? wrap_global_state : NULL;
  table->metrics = own->metrics ? wrap_metrics : NULL;
  table->step_many = NULL;
  table->view_many = NULL;
  table->flags_many = NULL;
  table->action_name = own->action_name ? wrap_action_name : NULL;
  table->observation_name = own->observation_name ? wrap_observation_name : NULL;
  table->render = own->render ? wrap_render : NULL;
  table->scripted = own->scripted ? wrap_scripted : NULL;
  table->reset_with = own->reset_with ? wrap_reset_with : NULL;
  table->potential = own->potential ? wrap_potential : NULL;
  table->position = own->position ? wrap_position : NULL;
  table->remove = own->remove && !wrap->every ? wrap_remove : NULL;
}

/* A commander is one agent more in every team: sums over teams of different sizes no longer cancel,
 * and sums over agents would count it. */
static uint32_t flags_of(const Wrap *wrap) {
  uint32_t flags = wrap->inner->spec.flags;
  if (!wrap->every) return flags;
  for (uint32_t t = 1; t < wrap->inner->spec.teams; t++)
    if (wrap->in_team[t] != wrap->in_team[0]) flags &= ~(uint32_t)AGON_ZERO_SUM;
  flags &= ~(uint32_t)(AGON_RETURNS_ADD | AGON_PERFECT_INFORMATION);
  return flags | AGON_SIMULTANEOUS;
}

static uint32_t numbers_of(const AgonKind *layout) {
  if (layout->action_kind == AGON_BOX) return layout->heads;
  uint32_t sum = 0;
  for (uint32_t h = 0; h < layout->heads; h++)
    sum += layout->head_size[h];
  return sum;
}

Status env_wrap(Env *inner, const char *const *values, Env **out) {
  Status status = OK;
  Env *env = NULL;
  const uint32_t near = (uint32_t)atoi(values[0]);
  const uint32_t every = (uint32_t)atoi(values[1]);
  *out = inner;
  if (!near && !every) return OK;
  Wrap *wrap;
  TRY_RETURN(NEW_ARRAY(wrap, 1));
  *wrap = (Wrap){.inner = inner,
                 .agents = inner->spec.agents,
                 .near = near,
                 .every = every,
                 .orders = (uint32_t)atoi(values[2]),
                 .width = numbers_of(&inner->layout),
                 .means = inner->spec.teams > 1 ? 2 : 1,
                 .placed = near && inner->table->position && near + 1 < inner->spec.agents,
                 .behind = up_to_eight(inner->spec.episode_size)};
  AgonEnvSpec spec = inner->spec;
  TRY(check_inner(wrap));
  TRY(make_members(wrap, &spec));
  make_table(wrap);
  spec.params_size = sizeof *wrap;
  spec.episode_size = wrap->behind + behind_bytes(wrap);
  spec.flags = flags_of(wrap);
  wrap->table.params_capacity = sizeof *wrap;
  TRY(NEW_ARRAY(env, 1));
  env->table = &wrap->table;
  env->params = wrap;
  env->spec = spec;
  env->configured = true;
  TRY(env_lay_out(env));
  env->inner = inner;
  *out = env;
  env = NULL;
done:
  if (status != OK && !env) {
    wrap_unconfigure(wrap);
    free(wrap);
  }
  env_destroy(env);
  return status;
}

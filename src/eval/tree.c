/* The tree is built once as nodes and information sets; policies become tables over information sets; values and best
 * responses are sums over it. A best response is found information set by information set: with perfect recall the
 * recursion always ends. */
#include "eval/eval.h"

#include <stdlib.h>
#include <string.h>

enum { CHANCE = -1, TERMINAL = -2, CUT = -3, NONE = -1 };

typedef struct Node {
  int32_t parent, first, set; /* children are consecutive from `first`; set: information set */
  uint16_t children;
  int8_t actor;   /* agent, CHANCE, TERMINAL, CUT (below the depth asked for) */
  uint8_t action; /* of the edge into this node */
  float chance;   /* probability of that edge, if the parent is CHANCE */
  float utility[2], outcome;
  int32_t next_in_set;
  uint16_t depth;
} Node;

typedef struct InfoSet {
  Hash key;
  int32_t first_node;
  uint8_t agent;
} InfoSet;

struct GameTree {
  const Env *env;
  Node *node;
  size_t nodes, node_room, most, most_depth, depth;
  InfoSet *set;
  size_t sets, set_room;
  uint8_t *episode; /* (sets, episode_size) one history of each */
  size_t episode_room;
  int32_t *bucket; /* hash table of sets */
  size_t buckets;
  bool merge, cut;
  TreeHelp help;
  TreeCounts counts;
};

/* What a path has shown each agent, and what is pending in a serialised simultaneous move. */
typedef struct Path {
  Hash history[2];
  AgonAction action[AGON_MAX_AGENTS];
  double total[2];
} Path;

static Status find_set(GameTree *tree, Hash key, uint32_t agent, const void *episode, int32_t *out) {
  if (tree->sets * 2 >= tree->buckets) { /* grow and rehash */
    size_t room = tree->buckets ? tree->buckets * 2 : 1024;
    int32_t *fresh;
    TRY_RETURN(NEW_ARRAY(fresh, room));
    for (size_t i = 0; i < room; i++) fresh[i] = NONE;
    for (size_t i = 0; i < tree->sets; i++) {
      size_t at = tree->set[i].key.low & (room - 1);
      while (fresh[at] != NONE) at = (at + 1) & (room - 1);
      fresh[at] = (int32_t)i;
    }
    free(tree->bucket);
    tree->bucket = fresh;
    tree->buckets = room;
  }
  size_t at = key.low & (tree->buckets - 1);
  for (; tree->bucket[at] != NONE; at = (at + 1) & (tree->buckets - 1)) {
    const InfoSet *set = &tree->set[tree->bucket[at]];
    if (set->key.low == key.low && set->key.high == key.high && set->agent == agent) {
      *out = tree->bucket[at];
      return OK;
    }
  }
  size_t size = tree->env->spec.episode_size;
  TRY_RETURN(GROW(tree->set, tree->set_room, tree->sets + 1));
  TRY_RETURN(GROW(tree->episode, tree->episode_room, (tree->sets + 1) * size));
  memcpy(tree->episode + tree->sets * size, episode, size);
  tree->set[tree->sets] = (InfoSet){.key = key, .first_node = NONE, .agent = (uint8_t)agent};
  tree->counts.information_sets[agent]++;
  tree->bucket[at] = *out = (int32_t)tree->sets++;
  return OK;
}

static Status add_children(GameTree *tree, int32_t parent, size_t count, int32_t *first) {
  if (tree->nodes + count > tree->most)
    return status_set(ERR_USAGE, "%s: the game tree has more than %zu nodes; choose a smaller game",
                      tree->env->table->name, tree->most);
  TRY_RETURN(GROW(tree->node, tree->node_room, tree->nodes + count));
  *first = (int32_t)tree->nodes;
  for (size_t i = 0; i < count; i++)
    tree->node[tree->nodes++] = (Node){.parent = parent,
                                       .set = NONE,
                                       .next_in_set = NONE,
                                       .chance = 1,
                                       .depth = (uint16_t)(tree->node[parent].depth + 1)};
  if (tree->node[*first].depth > tree->depth) tree->depth = tree->node[*first].depth;
  tree->node[parent].first = *first;
  tree->node[parent].children = (uint16_t)count;
  return OK;
}

static Status expand(GameTree *tree, int32_t at, AgonStatus how, const void *episode, const Path *path, uint32_t agent);

/* After a move or chance: the node's kind follows from the status. */
static Status settle(GameTree *tree, int32_t at, AgonStatus how, const void *episode, const Path *path,
                     const float *reward) {
  Path next = *path;
  for (int p = 0; p < 2; p++) next.total[p] += (double)reward[p];
  return expand(tree, at, how, episode, &next, 0);
}

static Status expand_chance(GameTree *tree, int32_t at, const void *episode, const Path *path) {
  const Env *env = tree->env;
  double probability[AGON_MAX_CHANCE];
  uint32_t count = env->table->chance_outcomes(env->params, episode, probability), used = 0;
  int32_t first;
  for (uint32_t i = 0; i < count; i++) used += probability[i] > 0;
  tree->node[at].actor = CHANCE;
  tree->counts.chance++;
  TRY_RETURN(add_children(tree, at, used, &first));
  Status status = OK;
  void *copy = malloc(env->spec.episode_size);
  if (!copy) return status_set(ERR_MEMORY, "out of memory walking a tree");
  for (uint32_t i = 0, child = 0; i < count && status == OK; i++) {
    float reward[AGON_MAX_AGENTS] = {0};
    if (probability[i] <= 0) continue;
    memcpy(copy, episode, env->spec.episode_size);
    AgonStatus how = env->table->chance_apply(env->params, copy, i, reward);
    tree->node[first + (int32_t)child].chance = (float)probability[i];
    tree->node[first + (int32_t)child].action = (uint8_t)i;
    status = settle(tree, first + (int32_t)child++, how, copy, path, reward);
  }
  free(copy);
  return status;
}

static Hash view_key(const GameTree *tree, const void *episode, uint32_t agent, Hash history) {
  uint8_t row[4096];
  const Env *env = tree->env;
  env->table->observe(env->params, episode, agent, row);
  Hash view = hash_bytes(row, env->observation_bytes);
  return tree->merge ? view : hash_join(history, view);
}

static Status expand_decision(GameTree *tree, int32_t at, const void *episode, const Path *path, uint32_t agent,
                              const uint8_t *flags) {
  const Env *env = tree->env;
  uint8_t mask[256];
  int32_t first, set;
  uint32_t legal = 0;
  Hash key = view_key(tree, episode, agent, path->history[agent]);
  env->table->mask(env->params, episode, agent, mask);
  TRY_RETURN(find_set(tree, key, agent, episode, &set));
  for (uint32_t i = 0; i < env->action_count; i++) legal += mask[i];
  Node *node = &tree->node[at];
  node->actor = (int8_t)agent;
  node->set = set;
  node->next_in_set = tree->set[set].first_node;
  tree->set[set].first_node = at;
  tree->counts.decisions++;
  TRY_RETURN(add_children(tree, at, legal, &first));
  Status status = OK;
  void *copy = malloc(env->spec.episode_size);
  if (!copy) return status_set(ERR_MEMORY, "out of memory walking a tree");
  bool last = agent == 1 || !(flags[1] & AGON_ACTS);
  for (uint32_t i = 0, child = 0; i < env->action_count && status == OK; i++) {
    if (!mask[i]) continue;
    Path next = *path;
    int32_t to = first + (int32_t)child++;
    tree->node[to].action = (uint8_t)i;
    next.action[agent].choice[0] = (int32_t)i;
    next.history[agent] = hash_join(key, (Hash){i + 1, agent});
    if (!last) {
      status = expand(tree, to, AGON_RUNNING, episode, &next, 1);
      continue;
    }
    float reward[AGON_MAX_AGENTS] = {0};
    AgonRng rng = {0};
    AgonRandom random = rng_handle(&rng);
    memcpy(copy, episode, env->spec.episode_size);
    AgonStatus how = env->table->step(env->params, copy, next.action, &random, reward);
    status = settle(tree, to, how, copy, &next, reward);
  }
  free(copy);
  return status;
}

/* `agent`: the first who may still move in this (perhaps simultaneous) step. */
static Status expand(GameTree *tree, int32_t at, AgonStatus how, const void *episode, const Path *path,
                     uint32_t agent) {
  const Env *env = tree->env;
  if (tree->node[at].depth >= tree->most_depth && (how == AGON_CHANCE || how == AGON_RUNNING)) {
    tree->node[at].actor = CUT;
    tree->cut = true;
    return OK;
  }
  if (how == AGON_CHANCE) return expand_chance(tree, at, episode, path);
  if (how == AGON_RUNNING) {
    uint8_t flags[AGON_MAX_AGENTS];
    env->table->flags(env->params, episode, flags);
    if (agent == 0 && !(flags[0] & AGON_ACTS)) agent = 1;
    return expand_decision(tree, at, episode, path, agent, flags);
  }
  float outcome[AGON_MAX_TEAMS];
  env->table->outcome(env->params, episode, outcome);
  Node *node = &tree->node[at];
  node->actor = TERMINAL;
  node->utility[0] = (float)path->total[0];
  node->utility[1] = (float)path->total[1];
  node->outcome = outcome[0];
  tree->counts.terminals++;
  return OK;
}

Status tree_build(const Env *env, size_t most_nodes, GameTree **out) {
  return tree_build_top(env, most_nodes, UINT16_MAX, out);
}

Status tree_build_top(const Env *env, size_t most_nodes, size_t depth, GameTree **out) {
  Status status = OK;
  GameTree *tree = NULL;
  void *episode = NULL;
  Path path = {{{0, 0}, {0, 0}}, {{{0}}}, {0, 0}};
  AgonRng rng = {0};
  AgonRandom random = rng_handle(&rng);
  if (!env_copies(env) || !(env->spec.flags & AGON_ENUMERATES_CHANCE) || env->spec.agents != 2 ||
      env->spec.teams != 2 || env->spec.action_kind != AGON_DISCRETE || env->observation_bytes > 4096 ||
      env->action_count > 255)
    return status_set(ERR_USAGE,
                      "%s cannot be walked: that needs two agents, discrete actions, copies and enumerated chance",
                      env->table->name);
  TRY(NEW_ARRAY(tree, 1));
  tree->env = env;
  tree->most = most_nodes;
  tree->most_depth = depth < UINT16_MAX ? depth : UINT16_MAX;
  tree->merge = (env->spec.flags & AGON_PERFECT_INFORMATION) && !(env->spec.flags & AGON_SIMULTANEOUS);
  TRY(mem_array(&episode, env->spec.episode_size, 1));
  TRY(GROW(tree->node, tree->node_room, 1));
  tree->node[tree->nodes++] = (Node){.parent = NONE, .set = NONE, .next_in_set = NONE, .chance = 1};
  TRY(expand(tree, 0, env->table->reset(env->params, episode, &random), episode, &path, 0));
  tree->counts.histories = tree->nodes;
  *out = tree;
  tree = NULL;
done:
  free(episode);
  tree_destroy(tree);
  return status;
}

void tree_destroy(GameTree *tree) {
  if (!tree) return;
  free(tree->node);
  free(tree->set);
  free(tree->episode);
  free(tree->bucket);
  free(tree);
}

void tree_set_help(GameTree *tree, const TreeHelp *help) { tree->help = *help; }

TreeCounts tree_counts(const GameTree *tree) { return tree->counts; }

bool tree_merges(const GameTree *tree) { return tree->merge; }

size_t tree_depth(const GameTree *tree) { return tree->depth; }

Status tree_counts_at(const GameTree *tree, size_t depth, TreeCounts *out) {
  bool *seen;
  *out = (TreeCounts){0};
  TRY_RETURN(NEW_ARRAY(seen, tree->sets + 1));
  for (size_t n = 0; n < tree->nodes; n++) {
    const Node *node = &tree->node[n];
    if (node->depth != depth) continue;
    out->histories++;
    out->terminals += node->actor == TERMINAL;
    out->chance += node->actor == CHANCE;
    if (node->actor < 0) continue;
    out->decisions++;
    out->information_sets[node->actor] += !seen[node->set];
    seen[node->set] = true;
  }
  free(seen);
  return OK;
}

/* --- policies as tables: (sets, actions); of sets first .. last - 1 --- */
static Status fill_table(GameTree *tree, Contestant *who, size_t first, size_t last, float *table) {
  enum { CHUNK = 256 };
  const Env *env = tree->env;
  const void *episode[CHUNK];
  uint32_t agent[CHUNK];
  PlayHooks none = {NULL, NULL, NULL, NULL, NULL, NULL};
  Play *play = NULL;
  Status status = OK;
  who->policy.inference = who->net ? &who->inference : NULL;
  TRY(play_create(env, NULL, 0, CHUNK, 0, &none, &play));
  for (size_t s = first; s < last; s += CHUNK) {
    size_t count = last - s < CHUNK ? last - s : CHUNK;
    for (size_t i = 0; i < count; i++) {
      episode[i] = tree->episode + (s + i) * env->spec.episode_size;
      agent[i] = tree->set[s + i].agent;
    }
    TRY(play_evaluate_many(play, &who->policy, count, episode, agent, table + s * env->action_count));
  }
done:
  play_destroy(play);
  return status;
}

/* The whole table; with helpers each rank evaluates its part, and rank 0 gets all. */
static Status share_table(GameTree *tree, Contestant *who, float *table) {
  const TreeHelp *help = &tree->help;
  size_t R = help->size > 1 ? (size_t)help->size : 1, r = help->size > 1 ? (size_t)help->rank : 0;
  TRY_RETURN(fill_table(tree, who, tree->sets * r / R, tree->sets * (r + 1) / R, table));
  return R > 1 ? help->gather(help->context, table, tree->env->action_count, tree->sets) : OK;
}

/* Probability of each edge under a mixture: members weighted by their own reach. edge: (nodes). */
static Status mix_edges(GameTree *tree, const Mixture *mixture, double *edge) {
  Status status = OK;
  size_t A = tree->env->action_count, K = mixture->count;
  float *table = NULL;
  double *reach[2] = {NULL, NULL}; /* (nodes, K) of the seat's own choices */
  TRY(NEW_ARRAY(table, K * tree->sets * A));
  for (size_t k = 0; k < K; k++) TRY(share_table(tree, mixture->member[k], table + k * tree->sets * A));
  for (int p = 0; p < 2; p++) {
    TRY(NEW_ARRAY(reach[p], tree->nodes * K));
    for (size_t k = 0; k < K; k++) reach[p][k] = mixture->weight[k];
  }
  edge[0] = 1;
  for (size_t n = 1; n < tree->nodes; n++) { /* parents come before their children */
    const Node *node = &tree->node[n], *parent = &tree->node[node->parent];
    for (int p = 0; p < 2; p++) memcpy(reach[p] + n * K, reach[p] + (size_t)node->parent * K, K * sizeof(double));
    edge[n] = (double)node->chance;
    if (parent->actor < 0) continue;
    double before = 0, after = 0, plain = 0, *own = reach[parent->actor] + n * K;
    for (size_t k = 0; k < K; k++) {
      double p = (double)table[(k * tree->sets + (size_t)parent->set) * A + node->action];
      before += own[k];
      plain += mixture->weight[k] * p;
      own[k] *= p;
      after += own[k];
    }
    edge[n] = before > 0 ? after / before : plain;
  }
done:
  free(table);
  free(reach[0]);
  free(reach[1]);
  return status;
}

static double expected(const GameTree *tree, const double *edge, int seat, double *value) {
  for (size_t n = tree->nodes; n-- > 0;) {
    const Node *node = &tree->node[n];
    value[n] = node->actor == TERMINAL ? (double)node->utility[seat] : 0;
    for (int32_t c = node->first; c < node->first + node->children; c++) value[n] += edge[c] * value[c];
  }
  return value[0];
}

typedef struct Response {
  const GameTree *tree;
  const double *edge;
  double *weight;  /* (nodes) chance times opponents */
  double *value;   /* (nodes) */
  bool *known;     /* (nodes) */
  int16_t *choice; /* (sets) child index, -1 = not yet */
  int seat;
} Response;

static double respond(Response *r, int32_t at);

static int16_t best_choice(Response *r, int32_t set) {
  const GameTree *tree = r->tree;
  if (r->choice[set] >= 0) return r->choice[set];
  int16_t best = 0;
  double top = 0;
  uint16_t children = tree->node[tree->set[set].first_node].children;
  for (uint16_t i = 0; i < children; i++) {
    double sum = 0;
    for (int32_t n = tree->set[set].first_node; n != NONE; n = tree->node[n].next_in_set)
      sum += r->weight[n] * respond(r, tree->node[n].first + i);
    if (i == 0 || sum > top) top = sum, best = (int16_t)i;
  }
  return r->choice[set] = best;
}

static double respond(Response *r, int32_t at) {
  const Node *node = &r->tree->node[at];
  if (r->known[at]) return r->value[at];
  double value = 0;
  if (node->actor == TERMINAL)
    value = (double)node->utility[r->seat];
  else if (node->actor == r->seat)
    value = respond(r, node->first + best_choice(r, node->set));
  else
    for (int32_t c = node->first; c < node->first + node->children; c++)
      if (r->edge[c] > 0) value += r->edge[c] * respond(r, c);
  r->known[at] = true;
  return r->value[at] = value;
}

static Status best_response(const GameTree *tree, const double *edge, int seat, double *out) {
  Status status = OK;
  Response r = {.tree = tree, .edge = edge, .seat = seat};
  TRY(NEW_ARRAY(r.weight, tree->nodes));
  TRY(NEW_ARRAY(r.value, tree->nodes));
  TRY(NEW_ARRAY(r.known, tree->nodes));
  TRY(NEW_ARRAY(r.choice, tree->sets));
  for (size_t s = 0; s < tree->sets; s++) r.choice[s] = -1;
  r.weight[0] = 1;
  for (size_t n = 1; n < tree->nodes; n++) {
    const Node *parent = &tree->node[tree->node[n].parent];
    r.weight[n] = r.weight[tree->node[n].parent] * (parent->actor == seat ? 1 : edge[n]);
  }
  *out = respond(&r, 0);
done:
  free(r.weight);
  free(r.value);
  free(r.known);
  free(r.choice);
  return status;
}

/* Games in normal form: each edge of a seat's only information set. */
static void read_strategy(const GameTree *tree, const double *edge, int seat, ExactResult *out) {
  if (tree->counts.information_sets[seat] != 1) return;
  for (size_t n = 0; n < tree->nodes; n++) {
    const Node *node = &tree->node[n];
    if (node->actor != seat || node->children > COUNT_OF(out->strategy[0])) continue;
    out->choices[seat] = node->children;
    for (uint16_t i = 0; i < node->children; i++) out->strategy[seat][i] = edge[node->first + i];
    return;
  }
}

Status tree_exploit(GameTree *tree, const Mixture *mixture, ExactResult *out) {
  Status status = OK;
  double *edge = NULL, *value = NULL;
  *out = (ExactResult){.nash_conv = 0};
  if (tree->cut) return status_set(ERR_USAGE, "a tree that was cut short cannot be exploited");
  TRY(NEW_ARRAY(edge, tree->nodes));
  TRY(NEW_ARRAY(value, tree->nodes));
  TRY(mix_edges(tree, mixture, edge));
  for (int seat = 0; seat < 2 && tree->help.rank == 0; seat++) {
    out->value[seat] = expected(tree, edge, seat, value);
    read_strategy(tree, edge, seat, out);
    TRY(best_response(tree, edge, seat, &out->best_response[seat]));
    out->nash_conv += out->best_response[seat] - out->value[seat];
  }
done:
  free(edge);
  free(value);
  return status;
}

Status tree_match(GameTree *tree, Contestant *a, Contestant *b, int seat, ExactMatch *out) {
  Status status = OK;
  size_t A = tree->env->action_count;
  float *table[2] = {NULL, NULL};
  double *reach = NULL;
  *out = (ExactMatch){.win = 0};
  for (int p = 0; p < 2; p++) {
    TRY(NEW_ARRAY(table[p], tree->sets * A));
    TRY(fill_table(tree, p == seat ? a : b, 0, tree->sets, table[p]));
  }
  TRY(NEW_ARRAY(reach, tree->nodes));
  reach[0] = 1;
  for (size_t n = 0; n < tree->nodes; n++) {
    const Node *node = &tree->node[n];
    if (n) {
      const Node *parent = &tree->node[node->parent];
      double edge = parent->actor < 0 ? (double)node->chance
                                      : (double)table[parent->actor][(size_t)parent->set * A + node->action];
      reach[n] = reach[node->parent] * edge;
    }
    if (node->actor != TERMINAL) continue;
    double outcome = seat == 0 ? (double)node->outcome : 1 - (double)node->outcome;
    out->value += reach[n] * (double)node->utility[seat];
    if (outcome > 0.5)
      out->win += reach[n];
    else if (outcome < 0.5)
      out->loss += reach[n];
    else
      out->draw += reach[n];
  }
done:
  free(table[0]);
  free(table[1]);
  free(reach);
  return status;
}

/* The tree is built once as nodes and information sets, depth first, from a stack of its own:
 * neither the depth of a game nor the depth of the walk is limited by the program's stack. A
 * position that comes again on its own path would have no end and is refused. */
#include "eval/tree.h"

#include <stdlib.h>
#include <string.h>

/* What a path has shown each agent, and what is pending in a serialised simultaneous move. */
typedef struct Path {
  Hash history[2];
  AgonAction action[2];
  double total[2];
  uint32_t steps;
} Path;

/* A node that waits for its turn; its episode lies beside it. */
typedef struct Pending {
  int32_t node;
  AgonStatus how;
  uint32_t agent; /* the first who may still move in this (perhaps simultaneous) step */
  Path path;
} Pending;

/* The positions of the path that is walked, by depth, with a hash table that forgets as it goes
 * back. */
typedef struct Trail {
  Hash *key;
  int32_t *older; /* the one before in the same bucket */
  size_t length, key_room, older_room;
  int32_t *bucket;
  size_t buckets;
} Trail;

typedef struct Walk {
  GameTree *tree;
  Pending *pending;
  uint8_t *episode; /* (pending, episode_size) */
  size_t count, room, episode_room;
  void *here, *next;   /* episodes: of the node that is expanded, of a child */
  uint8_t *row, *mask; /* of the agent who moves */
  Trail trail;
} Walk;

/* --- the path --- */

/* Leaves the path below `depth`; each key gives its bucket back to the one before it. */
static void trail_back(Trail *trail, size_t depth) {
  while (trail->length > depth) {
    trail->length--;
    trail->bucket[trail->key[trail->length].low & (trail->buckets - 1)] =
        trail->older[trail->length];
  }
}

/* Makes key `at` the first of its bucket. */
static void trail_put(Trail *trail, size_t at) {
  int32_t *bucket = &trail->bucket[trail->key[at].low & (trail->buckets - 1)];
  trail->older[at] = *bucket;
  *bucket = (int32_t)at;
}

/* Makes room for one more key, and doubles the buckets before they are half full. */
static Status trail_grow(Trail *trail) {
  TRY_RETURN(GROW(trail->key, trail->key_room, trail->length + 1));
  TRY_RETURN(GROW(trail->older, trail->older_room, trail->length + 1));
  if (trail->length * 2 < trail->buckets) return OK;
  size_t buckets = trail->buckets ? trail->buckets * 2 : 64;
  int32_t *fresh;
  TRY_RETURN(NEW_ARRAY(fresh, buckets));
  free(trail->bucket);
  trail->bucket = fresh;
  trail->buckets = buckets;
  for (size_t i = 0; i < buckets; i++)
    fresh[i] = NONE;
  for (size_t i = 0; i < trail->length; i++)
    trail_put(trail, i);
  return OK;
}

/* Enters a position at `depth`, one below the path's last one that stays. *again: it is on the path
 * already. */
static Status trail_enter(Trail *trail, size_t depth, Hash key, bool *again) {
  trail_back(trail, depth);
  TRY_RETURN(trail_grow(trail));
  *again = false;
  for (int32_t i = trail->bucket[key.low & (trail->buckets - 1)]; i != NONE && !*again;
       i = trail->older[i])
    *again = trail->key[i].low == key.low && trail->key[i].high == key.high;
  trail->key[trail->length] = key;
  trail_put(trail, trail->length++);
  return OK;
}

/* Also for one that was only half made. */
static void walk_free(Walk *walk) {
  free(walk->pending);
  free(walk->episode);
  free(walk->here);
  free(walk->next);
  free(walk->row);
  free(walk->mask);
  free(walk->trail.key);
  free(walk->trail.older);
  free(walk->trail.bucket);
}

/* --- nodes and sets --- */

/* Doubles the hash table of information sets and puts them in anew. */
static Status rehash_sets(GameTree *tree) {
  size_t room = tree->buckets ? tree->buckets * 2 : 1024;
  int32_t *fresh;
  TRY_RETURN(NEW_ARRAY(fresh, room));
  for (size_t i = 0; i < room; i++)
    fresh[i] = NONE;
  for (size_t i = 0; i < tree->sets; i++) {
    size_t at = tree->set[i].key.low & (room - 1);
    while (fresh[at] != NONE)
      at = (at + 1) & (room - 1);
    fresh[at] = (int32_t)i;
  }
  free(tree->bucket);
  tree->bucket = fresh;
  tree->buckets = room;
  return OK;
}

/* The information set of `agent` with this key, added if it is new, with the episode as its
 * example: every history of a set looks the same to the agent. */
static Status find_set(GameTree *tree, Hash key, uint32_t agent, const void *episode,
                       int32_t *out) {
  if (tree->sets * 2 >= tree->buckets) TRY_RETURN(rehash_sets(tree));
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
  *out = (int32_t)tree->sets++;
  tree->bucket[at] = *out;
  return OK;
}

/* Gives a node `count` children, side by side. Appending may move tree->node, so no pointers into
 * it are kept. */
static Status add_children(GameTree *tree, int32_t parent, size_t count, int32_t *first) {
  if (tree->nodes + count > tree->most)
    return status_set(ERR_USAGE, "%s: the game tree has more than %zu nodes; choose a smaller game",
                      tree->env->table->name, tree->most);
  TRY_RETURN(GROW(tree->node, tree->node_room, tree->nodes + count));
  *first = (int32_t)tree->nodes;
  for (size_t i = 0; i < count; i++)
    tree->node[tree->nodes++] = (TreeNode){.parent = parent,
                                           .set = NONE,
                                           .next_in_set = NONE,
                                           .chance = 1,
                                           .depth = (uint16_t)(tree->node[parent].depth + 1)};
  if (tree->node[*first].depth > tree->depth) tree->depth = tree->node[*first].depth;
  tree->node[parent].first = *first;
  tree->node[parent].children = (uint16_t)count;
  return OK;
}

/* Puts a node with its episode on the stack. */
static Status wait_turn(Walk *walk, int32_t node, AgonStatus how, uint32_t agent,
                        const void *episode, const Path *path) {
  size_t size = walk->tree->env->spec.episode_size;
  TRY_RETURN(GROW(walk->pending, walk->room, walk->count + 1));
  TRY_RETURN(GROW(walk->episode, walk->episode_room, (walk->count + 1) * size));
  memcpy(walk->episode + walk->count * size, episode, size);
  walk->pending[walk->count++] = (Pending){node, how, agent, *path};
  return OK;
}

/* After a move or a chance outcome: adds the rewards and puts the node on the stack; who moves next
 * is found when it comes off. */
static Status settle(Walk *walk, int32_t at, AgonStatus how, const Path *path,
                     const float *reward) {
  Path next = *path;
  for (int p = 0; p < 2; p++)
    next.total[p] += (double)reward[p];
  return wait_turn(walk, at, how, 0, walk->next, &next);
}

/* One child for each possible outcome. They go onto the stack last first, so that they come off it
 * in order. */
static Status expand_chance(Walk *walk, const Pending *from) {
  GameTree *tree = walk->tree;
  const Env *env = tree->env;
  uint32_t count, used = 0;
  const double *probability = env_chance(env, walk->here, &count);
  int32_t first;
  for (uint32_t i = 0; i < count; i++)
    used += probability[i] > 0;
  tree->node[from->node].actor = CHANCE;
  tree->counts.chance++;
  TRY_RETURN(add_children(tree, from->node, used, &first));
  for (uint32_t i = count, child = used; i-- > 0;) {
    float reward[2] = {0};
    if (probability[i] <= 0) continue;
    memcpy(walk->next, walk->here, env->spec.episode_size);
    AgonStatus how = env_call_chance(env, walk->next, i, reward);
    int32_t to = first + (int32_t)--child;
    tree->node[to].chance = probability[i];
    tree->node[to].action = (uint16_t)i;
    TRY_RETURN(settle(walk, to, how, &from->path, reward));
  }
  return OK;
}

/* What names an information set: what the agent sees, and, unless equal positions are one set, all
 * that it has seen and done before. */
static Hash view_key(const Walk *walk, uint32_t agent, Hash history) {
  const Env *env = walk->tree->env;
  env_observe(env, walk->here, agent, walk->row);
  Hash view = hash_bytes(walk->row, env->observation_bytes);
  return walk->tree->merge ? view : hash_join(history, view);
}

/* The child of one choice. Of a simultaneous step only the last mover's choice makes it happen;
 * before that the choice is kept in the path. */
static Status expand_choice(Walk *walk, const Pending *from, int32_t to, uint32_t agent,
                            uint32_t choice, Hash key, bool last) {
  const Env *env = walk->tree->env;
  Path next = from->path;
  walk->tree->node[to].action = (uint16_t)choice;
  next.action[agent].choice = (int32_t)choice;
  next.history[agent] = hash_join(key, (Hash){choice + 1, agent});
  if (!last) return wait_turn(walk, to, AGON_RUNNING, 1, walk->here, &next);
  float reward[2] = {0};
  AgonRng rng = {0};
  AgonRandom random = rng_handle(&rng);
  memcpy(walk->next, walk->here, env->spec.episode_size);
  next.steps++;
  AgonStatus how = env_call_step(env, walk->next, next.action, &random, reward);
  return settle(walk, to, how, &next, reward);
}

/* One child for each legal action, and the node joins its information set. */
static Status expand_decision(Walk *walk, const Pending *from, uint32_t agent, Hash key,
                              bool last) {
  GameTree *tree = walk->tree;
  const Env *env = tree->env;
  const uint8_t *mask = walk->mask;
  int32_t first, set;
  uint32_t legal = 0;
  env_mask(env, walk->here, agent, walk->mask);
  TRY_RETURN(find_set(tree, key, agent, walk->here, &set));
  for (uint32_t i = 0; i < env->action_count; i++)
    legal += mask[i];
  TreeNode *node = &tree->node[from->node];
  node->actor = (int8_t)agent;
  node->set = set;
  node->next_in_set = tree->set[set].first_node;
  tree->set[set].first_node = from->node;
  tree->counts.decisions++;
  TRY_RETURN(add_children(tree, from->node, legal, &first));
  for (uint32_t i = env->action_count, child = legal; i-- > 0;)
    if (mask[i])
      TRY_RETURN(expand_choice(walk, from, first + (int32_t)--child, agent, i, key, last));
  return OK;
}

/* A node at which the game has ended. */
static Status finish(Walk *walk, const Pending *from) {
  GameTree *tree = walk->tree;
  float outcome[2];
  if (from->how == AGON_FAILED)
    return status_set(ERR_ENV, "env %s failed %u moves down its tree", tree->env->table->name,
                      tree->node[from->node].depth);
  env_outcome(tree->env, walk->here, outcome);
  TRY_RETURN(GROW(tree->end, tree->end_room, tree->ends + 1));
  tree->end[tree->ends] = (End){{from->path.total[0], from->path.total[1]}, (double)outcome[0]};
  tree->node[from->node].actor = TERMINAL;
  tree->node[from->node].first = (int32_t)tree->ends++;
  tree->counts.terminals++;
  return OK;
}

/* Refuses what makes a walk endless, or an env that is not what it says it is. */
static Status check_path(Walk *walk, const Pending *from, Hash position) {
  const Env *env = walk->tree->env;
  bool again;
  if (from->how == AGON_RUNNING && from->path.steps >= env->spec.step_limit)
    return status_set(ERR_ENV, "env %s: a game goes on beyond its step_limit of %u steps",
                      env->table->name, env->spec.step_limit);
  TRY_RETURN(trail_enter(&walk->trail, walk->tree->node[from->node].depth, position, &again));
  if (again)
    return status_set(ERR_USAGE,
                      "%s cannot be walked: a position comes again on its own path (%zu moves "
                      "down), so that its tree has no end",
                      env->table->name, walk->trail.length - 1);
  return OK;
}

/* Finds out what a node is, and puts its children on the stack. */
static Status expand(Walk *walk, const Pending *from) {
  GameTree *tree = walk->tree;
  const Env *env = tree->env;
  size_t depth = tree->node[from->node].depth;
  uint8_t flags[2];
  if (from->how != AGON_CHANCE && from->how != AGON_RUNNING) return finish(walk, from);
  if (depth >= tree->most_depth) {
    if (depth == UINT16_MAX)
      return status_set(ERR_USAGE, "%s cannot be walked: it is deeper than %zu moves",
                        env->table->name, depth);
    tree->node[from->node].actor = CUT;
    tree->cut = true;
    return OK;
  }
  Hash position = hash_join(hash_bytes(walk->here, env->spec.episode_size),
                            (Hash){(uint64_t)from->how, from->agent});
  TRY_RETURN(check_path(walk, from, position));
  if (from->how == AGON_CHANCE) return expand_chance(walk, from);
  env_flags_of(env, walk->here, flags);
  uint32_t agent = from->agent == 0 && !(flags[0] & AGON_ACTS) ? 1 : from->agent;
  Hash key = view_key(walk, agent, from->path.history[agent]);
  return expand_decision(walk, from, agent, key, agent == 1 || !(flags[1] & AGON_ACTS));
}

/* Depth first, until the stack is empty. */
static Status walk_all(Walk *walk) {
  size_t size = walk->tree->env->spec.episode_size;
  while (walk->count) {
    const Pending from = walk->pending[--walk->count];
    memcpy(walk->here, walk->episode + walk->count * size, size);
    TRY_RETURN(expand(walk, &from));
  }
  return OK;
}

/* The whole tree. */
Status tree_build(const Env *env, size_t most_nodes, GameTree **out) {
  return tree_build_top(env, most_nodes, UINT16_MAX, out);
}

/* All that is random in such an env is a chance move, so the stream that reset and step are given
 * is never drawn from. */
Status tree_build_top(const Env *env, size_t most_nodes, size_t depth, GameTree **out) {
  Status status = OK;
  GameTree *tree = NULL;
  Walk walk = {.count = 0};
  const Path path = {.steps = 0};
  AgonRng rng = {0};
  AgonRandom random = rng_handle(&rng);
  if (env->spec.teams > 2)
    return status_set(ERR_USAGE,
                      "%s has %u teams, and exploitability is of games between two: its players "
                      "are compared by games alone (agon eval, agon rate)",
                      env->title, env->spec.teams);
  if (!env_copies(env) || !(env->spec.flags & AGON_ENUMERATES_CHANCE) || env->spec.agents != 2 ||
      env->spec.teams != 2 || env->layout.action_kind != AGON_DISCRETE ||
      env->spec.chance > UINT16_MAX)
    return status_set(ERR_USAGE,
                      "%s cannot be walked: that needs two agents, discrete actions, copies and "
                      "enumerated chance",
                      env->table->name);
  TRY(NEW_ARRAY(tree, 1));
  tree->env = env;
  tree->most = most_nodes;
  tree->most_depth = depth < UINT16_MAX ? depth : UINT16_MAX;
  tree->merge =
      (env->spec.flags & AGON_PERFECT_INFORMATION) && !(env->spec.flags & AGON_SIMULTANEOUS);
  walk.tree = tree;
  TRY(mem_array(&walk.here, env->spec.episode_size, 1));
  TRY(mem_array(&walk.next, env->spec.episode_size, 1));
  TRY(NEW_ARRAY(walk.row, env->observation_bytes));
  TRY(NEW_ARRAY(walk.mask, env->action_count));
  TRY(GROW(tree->node, tree->node_room, 1));
  tree->node[tree->nodes++] =
      (TreeNode){.parent = NONE, .set = NONE, .next_in_set = NONE, .chance = 1};
  AgonStatus how = env_call_reset(env, walk.next, &random);
  TRY(wait_turn(&walk, 0, how, 0, walk.next, &path));
  TRY(walk_all(&walk));
  tree->counts.histories = tree->nodes;
  *out = tree;
  tree = NULL;
done:
  walk_free(&walk);
  tree_destroy(tree);
  return status;
}

/* Accepts NULL. */
void tree_destroy(GameTree *tree) {
  if (!tree) return;
  free(tree->node);
  free(tree->end);
  free(tree->set);
  free(tree->episode);
  free(tree->bucket);
  free(tree);
}

/* From now on tables of policies are filled together. */
void tree_set_help(GameTree *tree, const TreeHelp *help) {
  tree->help = *help;
}

TreeCounts tree_counts(const GameTree *tree) {
  return tree->counts;
}

bool tree_merges(const GameTree *tree) {
  return tree->merge;
}

size_t tree_depth(const GameTree *tree) {
  return tree->depth;
}

/* A set is counted in the depth at which one of its nodes lies. */
Status tree_counts_at(const GameTree *tree, size_t depth, TreeCounts *out) {
  bool *seen;
  *out = (TreeCounts){0};
  TRY_RETURN(NEW_ARRAY(seen, tree->sets + 1));
  for (size_t n = 0; n < tree->nodes; n++) {
    const TreeNode *node = &tree->node[n];
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

/* Inside of a game tree: nodes in the order of a depth-first walk, children side by side, and
 * information sets. */
#pragma once
#include "eval/eval.h"

enum { CHANCE = -1, TERMINAL = -2, CUT = -3, NONE = -1 };

/* A history of the game: what happened so far, and what can happen next. */
typedef struct TreeNode {
  int32_t parent, set;
  int32_t first; /* children are consecutive from here; of a TERMINAL: its End */
  int32_t next_in_set;
  uint16_t children, depth;
  uint16_t action; /* of the edge into this node: a choice, or an outcome of chance */
  int8_t actor;    /* agent, CHANCE, TERMINAL, CUT (below the depth asked for) */
  double chance;   /* probability of that edge, if the parent is CHANCE */
} TreeNode;

/* What a game was worth that ended here. */
typedef struct End {
  double utility[2], outcome; /* outcome: of agent 0 */
} End;

/* All nodes that look the same to the agent that moves there, chained by next_in_set. */
typedef struct InfoSet {
  Hash key;
  int32_t first_node;
  uint8_t agent;
} InfoSet;

struct GameTree {
  const Env *env;
  TreeNode *node;
  size_t nodes, node_room, most, most_depth, depth;
  End *end;
  size_t ends, end_room;
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

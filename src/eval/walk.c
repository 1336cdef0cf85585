/* Values of a game tree: policies become tables over information sets; values and best responses
 * are sums over the tree, in double precision. A best response is found information set by
 * information set: with perfect recall what a set's choice hangs on never comes back to it. */
#include "eval/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- policies as tables: (sets, actions); of sets first .. last - 1 --- */

/* The policy's action probabilities at information sets first .. last - 1, into table (sets,
 * actions). */
static Status fill_table(GameTree *tree, Contestant *who, size_t first, size_t last, float *table) {
  enum { CHUNK = 256 };
  const Env *env = tree->env;
  const void *episode[CHUNK];
  uint32_t agent[CHUNK];
  Evaluator evaluator = {0};
  Status status = OK;
  who->policy.inference = who->net ? &who->inference : NULL;
  TRY(evaluator_create(env, CHUNK, &evaluator));
  for (size_t s = first; s < last; s += CHUNK) {
    size_t count = last - s < CHUNK ? last - s : CHUNK;
    for (size_t i = 0; i < count; i++) {
      episode[i] = tree->episode + (s + i) * env->spec.episode_size;
      agent[i] = tree->set[s + i].agent;
    }
    TRY(policy_evaluate(&who->policy, &evaluator, count, episode, agent, NULL,
                        table + s * env->action_count, NULL));
  }
done:
  evaluator_destroy(&evaluator);
  return status;
}

/* The whole table; with helpers each rank evaluates its part, and rank 0 gets all. */
static Status share_table(GameTree *tree, Contestant *who, float *table) {
  const TreeHelp *help = &tree->help;
  size_t R = help->size > 1 ? (size_t)help->size : 1;
  size_t r = help->size > 1 ? (size_t)help->rank : 0;
  TRY_RETURN(fill_table(tree, who, tree->sets * r / R, tree->sets * (r + 1) / R, table));
  return R > 1 ? help->gather(help->context, table, tree->env->action_count, tree->sets) : OK;
}

/* What each row of a table of single precision sums to: dividing by it makes them sum to 1 in
 * double precision. */
static Status sum_rows(const GameTree *tree, const float *table, double *sum) {
  size_t A = tree->env->action_count;
  for (size_t s = 0; s < tree->sets; s++) {
    sum[s] = 0;
    for (size_t a = 0; a < A; a++)
      sum[s] += (double)table[s * A + a];
    if (!(sum[s] > 0.5 && sum[s] < 1.5))
      return status_set(ERR_INTERNAL, "a policy's probabilities sum to %g", sum[s]);
  }
  return OK;
}

/* A member's weight in a seat: none where it always plays the other. */
static double weight_at(const Mixture *mixture, size_t k, int seat) {
  const uint32_t side = mixture->member[k]->side;
  return side && (int)side != seat + 1 ? 0 : mixture->weight[k];
}

/* Of all members together. */
static double weight_of_seat(const Mixture *mixture, int seat) {
  double sum = 0;
  for (size_t k = 0; k < mixture->count; k++)
    sum += weight_at(mixture, k, seat);
  return sum;
}

/* Probability of the edge into `node` under the mixture, where the parent is a choice. own (K):
 * each member's probability of having made the seat's choices so far, which is updated. Where no
 * member comes there, their plain mean. */
static double mix_edge(const GameTree *tree, const Mixture *mixture, const TreeNode *node,
                       const float *table, const double *sum, double *own) {
  size_t A = tree->env->action_count;
  const TreeNode *parent = &tree->node[node->parent];
  double before = 0, after = 0, plain = 0, weights = 0;
  for (size_t k = 0; k < mixture->count; k++) {
    size_t row = k * tree->sets + (size_t)parent->set;
    double p = (double)table[row * A + node->action] / sum[row];
    before += own[k];
    const double weight = weight_at(mixture, k, parent->actor);
    plain += weight * p;
    weights += weight;
    own[k] *= p;
    after += own[k];
  }
  if (weights <= 0) return 1.0 / parent->children; /* nobody plays it: nobody asks */
  return before > 0 ? after / before : plain / weights;
}

/* Probability of each edge under a mixture, edge (nodes). A mixture draws a member once an episode,
 * so what it does later depends on which members would have come so far: they are weighted by their
 * own reach. */
static Status mix_edges(GameTree *tree, const Mixture *mixture, double *edge) {
  Status status = OK;
  size_t A = tree->env->action_count;
  size_t K = mixture->count;
  float *table = NULL;
  double *sum = NULL;              /* (K, sets) */
  double *reach[2] = {NULL, NULL}; /* (nodes, K) of the seat's own choices */
  TRY(NEW_ARRAY(table, K * tree->sets * A));
  TRY(NEW_ARRAY(sum, K * tree->sets));
  for (size_t k = 0; k < K; k++)
    TRY(share_table(tree, mixture->member[k], table + k * tree->sets * A));
  if (tree->help.rank) goto done; /* rank 0 has all of it */
  for (size_t k = 0; k < K; k++)
    TRY(sum_rows(tree, table + k * tree->sets * A, sum + k * tree->sets));
  for (int p = 0; p < 2; p++) {
    TRY(NEW_ARRAY(reach[p], tree->nodes * K));
    for (size_t k = 0; k < K; k++)
      reach[p][k] = weight_at(mixture, k, p);
  }
  edge[0] = 1;
  for (size_t n = 1; n < tree->nodes; n++) { /* parents come before their children */
    const TreeNode *node = &tree->node[n];
    const TreeNode *parent = &tree->node[node->parent];
    for (int p = 0; p < 2; p++)
      memcpy(reach[p] + n * K, reach[p] + (size_t)node->parent * K, K * sizeof(double));
    edge[n] = parent->actor < 0
                  ? node->chance
                  : mix_edge(tree, mixture, node, table, sum, reach[parent->actor] + n * K);
  }
done:
  free(table);
  free(sum);
  free(reach[0]);
  free(reach[1]);
  return status;
}

/* The value of the root for `seat`; value (nodes) is filled from the leaves up, as children come
 * behind their parents. */
static double expected(const GameTree *tree, const double *edge, int seat, double *value) {
  for (size_t n = tree->nodes; n-- > 0;) {
    const TreeNode *node = &tree->node[n];
    value[n] = node->actor == TERMINAL ? tree->end[node->first].utility[seat] : 0;
    for (int32_t c = node->first; c < node->first + node->children; c++)
      value[n] += edge[c] * value[c];
  }
  return value[0];
}

/* --- best responses --- */

/* FRESH: not asked for; OPEN: its children are being found; CLOSED: its choice is made. */
typedef enum SetState { FRESH, OPEN, CLOSED } SetState;

/* The search for a best response. A task is a node whose value is wanted or (negative, ~set) a set
 * whose choice is. */
typedef struct Response {
  const GameTree *tree;
  const double *edge;
  double *weight;   /* (nodes) chance times opponents */
  double *value;    /* (nodes) */
  bool *known;      /* (nodes) */
  uint16_t *choice; /* (sets) child index */
  uint8_t *state;   /* (sets) */
  int32_t *task;    /* a stack */
  size_t tasks, task_room;
  int seat;
} Response;

/* Puts a task on top of the stack. */
static Status want(Response *r, int32_t task) {
  TRY_RETURN(GROW(r->task, r->task_room, r->tasks + 1));
  r->task[r->tasks++] = task;
  return OK;
}

/* Asks for all that a set's choice hangs on: the values of its children at nodes that the others
 * reach. That a set is met again while it is open means that its choice would hang on itself. */
static Status open_set(Response *r, int32_t set) {
  const GameTree *tree = r->tree;
  if (r->state[set] == OPEN)
    return status_set(ERR_USAGE, "%s cannot be exploited: a choice there hangs on itself (%s)",
                      tree->env->table->name,
                      tree->merge ? "what is seen of a position comes again on its own path"
                                  : "no perfect recall");
  r->state[set] = OPEN;
  TRY_RETURN(want(r, ~set));
  for (int32_t n = tree->set[set].first_node; n != NONE; n = tree->node[n].next_in_set)
    for (int32_t c = tree->node[n].first;
         r->weight[n] > 0 && c < tree->node[n].first + tree->node[n].children; c++)
      if (!r->known[c]) TRY_RETURN(want(r, c));
  return OK;
}

/* All the children are known: takes the best choice by the sum over the set's nodes, the first of
 * equals. */
static void close_set(Response *r, int32_t set) {
  const GameTree *tree = r->tree;
  uint16_t children = tree->node[tree->set[set].first_node].children;
  double top = 0;
  r->choice[set] = 0;
  for (uint16_t i = 0; i < children; i++) {
    double sum = 0;
    for (int32_t n = tree->set[set].first_node; n != NONE; n = tree->node[n].next_in_set)
      if (r->weight[n] > 0) sum += r->weight[n] * r->value[tree->node[n].first + i];
    if (i == 0 || sum > top) {
      top = sum;
      r->choice[set] = i;
    }
  }
  r->state[set] = CLOSED;
}

/* Finds the value of a node, or asks for what it hangs on and will be visited again. */
static Status visit(Response *r, int32_t at) {
  const TreeNode *node = &r->tree->node[at];
  double value = 0;
  size_t asked = r->tasks;
  if (r->known[at]) return OK;
  TRY_RETURN(want(r, at)); /* again, after what it asks for */
  if (node->actor == TERMINAL) {
    value = r->tree->end[node->first].utility[r->seat];
  } else if (node->actor == r->seat) {
    if (r->state[node->set] != CLOSED) return open_set(r, node->set);
    int32_t child = node->first + r->choice[node->set];
    if (!r->known[child]) return want(r, child);
    value = r->value[child];
  } else {
    for (int32_t c = node->first; c < node->first + node->children; c++) {
      if (!(r->edge[c] > 0)) continue;
      if (!r->known[c]) TRY_RETURN(want(r, c));
      value += r->edge[c] * r->value[c];
    }
    if (r->tasks > asked + 1) return OK;
  }
  r->tasks = asked;
  r->known[at] = true;
  r->value[at] = value;
  return OK;
}

/* A stack of tasks instead of recursion, as trees may be 65,535 moves deep. */
static Status respond(Response *r, double *out) {
  TRY_RETURN(want(r, 0));
  while (r->tasks) {
    int32_t task = r->task[--r->tasks];
    if (task >= 0)
      TRY_RETURN(visit(r, task));
    else
      close_set(r, ~task);
  }
  *out = r->value[0];
  return OK;
}

/* Weights come first: the probability that chance and the others lead to a node, if the seat itself
 * wants to. */
static Status best_response(const GameTree *tree, const double *edge, int seat, double *out) {
  Status status = OK;
  Response r = {.tree = tree, .edge = edge, .seat = seat};
  TRY(NEW_ARRAY(r.weight, tree->nodes));
  TRY(NEW_ARRAY(r.value, tree->nodes));
  TRY(NEW_ARRAY(r.known, tree->nodes));
  TRY(NEW_ARRAY(r.choice, tree->sets));
  TRY(NEW_ARRAY(r.state, tree->sets));
  r.weight[0] = 1;
  for (size_t n = 1; n < tree->nodes; n++) {
    const TreeNode *parent = &tree->node[tree->node[n].parent];
    r.weight[n] = r.weight[tree->node[n].parent] * (parent->actor == seat ? 1 : edge[n]);
  }
  TRY(respond(&r, out));
done:
  free(r.weight);
  free(r.value);
  free(r.known);
  free(r.choice);
  free(r.state);
  free(r.task);
  return status;
}

/* Games in normal form have one information set a seat: its action probabilities are told by
 * themselves. */
static void read_strategy(const GameTree *tree, const double *edge, int seat, ExactResult *out) {
  if (tree->counts.information_sets[seat] != 1) return;
  for (size_t n = 0; n < tree->nodes; n++) {
    const TreeNode *node = &tree->node[n];
    if (node->actor != seat || node->children > COUNT_OF(out->strategy[0])) continue;
    out->choices[seat] = node->children;
    for (uint16_t i = 0; i < node->children; i++)
      out->strategy[seat][i] = edge[node->first + i];
    return;
  }
}

/* Ranks other than 0 only help to fill the tables. */
Status tree_exploit(GameTree *tree, const Mixture *mixture, ExactResult *out) {
  Status status = OK;
  double *edge = NULL, *value = NULL;
  *out = (ExactResult){.nash_conv = 0};
  if (tree->cut) return status_set(ERR_USAGE, "a tree that was cut short cannot be exploited");
  TRY(NEW_ARRAY(edge, tree->nodes));
  TRY(NEW_ARRAY(value, tree->nodes));
  TRY(mix_edges(tree, mixture, edge));
  for (int seat = 0; seat < 2; seat++)
    out->played[seat] = weight_of_seat(mixture, seat) > 0;
  for (int seat = 0; seat < 2 && tree->help.rank == 0; seat++) {
    const bool both = out->played[0] && out->played[1];
    out->value[seat] = both ? expected(tree, edge, seat, value) : NAN;
    out->best_response[seat] = NAN;
    if (out->played[seat]) read_strategy(tree, edge, seat, out);
    if (out->played[1 - seat]) TRY(best_response(tree, edge, seat, &out->best_response[seat]));
    out->nash_conv += out->best_response[seat] - out->value[seat];
  }
done:
  free(edge);
  free(value);
  return status;
}

/* Adds an end of the game, reached with probability `reach`, to a's account. */
static void add_end(const End *end, double reach, int seat, ExactMatch *out) {
  double outcome = seat == 0 ? end->outcome : 1 - end->outcome;
  out->value += reach * end->utility[seat];
  if (outcome > 0.5)
    out->win += reach;
  else if (outcome < 0.5)
    out->loss += reach;
  else
    out->draw += reach;
}

/* Both policies act on one walk down the tree; table[p] is that of whoever sits on seat p. */
Status tree_match(GameTree *tree, Contestant *a, Contestant *b, int seat, ExactMatch *out) {
  Status status = OK;
  size_t A = tree->env->action_count;
  float *table[2] = {NULL, NULL};
  double *sum[2] = {NULL, NULL};
  double *reach = NULL;
  *out = (ExactMatch){.win = 0};
  if (tree->cut)
    return status_set(ERR_USAGE, "a tree that was cut short says nothing about a match");
  for (int p = 0; p < 2; p++) {
    TRY(NEW_ARRAY(table[p], tree->sets * A));
    TRY(NEW_ARRAY(sum[p], tree->sets));
    TRY(fill_table(tree, p == seat ? a : b, 0, tree->sets, table[p]));
    TRY(sum_rows(tree, table[p], sum[p]));
  }
  TRY(NEW_ARRAY(reach, tree->nodes));
  reach[0] = 1;
  for (size_t n = 0; n < tree->nodes; n++) {
    const TreeNode *node = &tree->node[n];
    if (n) {
      const TreeNode *parent = &tree->node[node->parent];
      double edge = node->chance;
      if (parent->actor >= 0)
        edge = (double)table[parent->actor][(size_t)parent->set * A + node->action] /
               sum[parent->actor][parent->set];
      reach[n] = reach[node->parent] * edge;
    }
    if (node->actor == TERMINAL) add_end(&tree->end[node->first], reach[n], seat, out);
  }
done:
  for (int p = 0; p < 2; p++) {
    free(table[p]);
    free(sum[p]);
  }
  free(reach);
  return status;
}

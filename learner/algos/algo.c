/* Questions that others ask of an algorithm's table, with the defaults where it does not answer. */
#include "learner/algos/algo.h"

AlgoNeeds algo_needs(const AlgoOps *algo, const void *own, const AgonKind *layout) {
  bool box = action_space(layout).kind == AGON_BOX;
  AlgoNeeds needs = {
      .rows = ROWS_AGENT, .replay = REPLAY_NONE, .rule = box ? RULE_GAUSSIAN : RULE_SOFTMAX};
  if (algo->needs) algo->needs(own, layout, &needs);
  return needs;
}

Status algo_check(const AlgoOps *algo, const void *own, const AgonKind *layout) {
  AlgoNeeds needs = algo_needs(algo, own, layout);
  bool box = action_space(layout).kind == AGON_BOX;
  if (needs.rows != ROWS_AGENT)
    return status_set(ERR_USAGE,
                      "learner.algorithm: %s learns from whole teams at a time, but actors record "
                      "each agent by itself",
                      algo->name);
  if (needs.replay != REPLAY_NONE)
    return status_set(ERR_USAGE,
                      "learner.algorithm: %s learns from old experience, but none is kept",
                      algo->name);
  if (needs.global)
    return status_set(
        ERR_USAGE, "learner.algorithm: %s learns from the global state, which actors do not record",
        algo->name);
  if (needs.rule == RULE_SOFTMAX && box)
    return status_set(ERR_USAGE,
                      "learner.algorithm: %s is for choices among actions, but actions are numbers "
                      "here",
                      algo->name);
  if (needs.rule == RULE_GAUSSIAN && !box)
    return status_set(ERR_USAGE,
                      "learner.algorithm: %s is for actions that are numbers, but they are choices "
                      "here",
                      algo->name);
  return OK;
}

AlgoPlan algo_plan(const AlgoOps *algo, const void *own) {
  AlgoPlan plan = {.epochs = 1, .minibatches = 1};
  algo->plan(own, &plan);
  return plan;
}

size_t algo_parts(const AlgoOps *algo, const void *own, const Net *net, AlgoPart out[ALGO_PARTS]) {
  return algo->parts ? algo->parts(own, net, out) : 0;
}

size_t algo_trained(const AlgoOps *algo, const void *own, const Net *net) {
  AlgoPart part[ALGO_PARTS];
  size_t count = algo_parts(algo, own, net, part);
  size_t floats = net->graph.params;
  for (size_t i = 0; i < count; i++)
    floats += part[i].trained;
  return floats;
}

double algo_cost(const AlgoOps *algo, const void *own, const Net *net) {
  double forward = graph_flops_forward(&net->graph);
  double train = graph_flops_train(&net->graph);
  if (algo->cost) return algo->cost(own, forward, train);
  AlgoPlan plan = algo_plan(algo, own);
  return (double)plan.epochs * train + (plan.evaluate ? forward : 0);
}

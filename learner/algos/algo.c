/* Questions that others ask of an algorithm's table, with the defaults where it does not answer. */
#include "learner/algos/algo.h"

#include <stdlib.h>
#include <string.h>

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
  if (needs.rows > ROWS_TEAM)
    return status_set(ERR_USAGE,
                      "learner.algorithm: %s learns from rows that actors do not record: theirs "
                      "are of single agents, or of teams",
                      algo->name);
  if (needs.replay != REPLAY_NONE && needs.rows != ROWS_TEAM)
    return status_set(ERR_USAGE,
                      "learner.algorithm: %s learns from kept experience of single agents, but "
                      "only that of whole teams is kept",
                      algo->name);
  if (needs.global && needs.rows != ROWS_TEAM)
    return status_set(ERR_USAGE,
                      "learner.algorithm: %s learns from the global state, which is recorded with "
                      "whole teams only",
                      algo->name);
  if (needs.partner && (needs.rows != ROWS_TEAM || needs.replay != REPLAY_NONE || !algo->shape))
    return status_set(
        ERR_USAGE,
        "learner.algorithm: %s learns from what the other player does, which is known "
        "of whole teams' rows only, and only in the tick in which they are recorded",
        algo->name);
  const bool numbers = needs.rule == RULE_GAUSSIAN || needs.rule == RULE_SQUASHED;
  if (!numbers && box)
    return status_set(ERR_USAGE,
                      "learner.algorithm: %s is for choices among actions, but actions are numbers "
                      "here",
                      algo->name);
  if (numbers && !box)
    return status_set(ERR_USAGE,
                      "learner.algorithm: %s is for actions that are numbers, but they are choices "
                      "here",
                      algo->name);
  return OK;
}

/* One number after another a step nearer to what it follows. */
static void move_copy(float *copy, const float *original, size_t floats, float tau) {
  for (size_t i = 0; i < floats; i++)
    copy[i] += tau * (original[i] - copy[i]);
}

void algo_follow(const Experience *e, float tau) {
  for (size_t i = 0; i < e->algo->parts; i++) {
    const AlgoPart *part = &e->algo->part[i];
    if (!part->copy_of || part->trained) continue;
    const float *original =
        part->copy_of == COPY_POLICY ? e->block : e->part[part->copy_of - COPY_PART];
    if (tau > 0)
      move_copy(e->part[i], original, part->floats, tau);
    else
      memcpy(e->part[i], original, part->floats * sizeof(float));
  }
}

AlgoPlan algo_plan(const AlgoOps *algo, const void *own) {
  AlgoPlan plan = {.epochs = 1, .minibatches = 1};
  algo->plan(own, &plan);
  return plan;
}

Status algo_create(const AlgoOps *ops, const void *own, const Net *net, const RowFormat *format,
                   Algo **out) {
  Status status = OK;
  Algo *algo;
  TRY_RETURN(NEW_ARRAY(algo, 1));
  *algo = (Algo){.ops = ops, .own = own, .net = net, .format = *format};
  if (ops->parts) TRY(ops->parts(algo));
  *out = algo;
  algo = NULL;
done:
  algo_destroy(algo);
  return status;
}

void algo_destroy(Algo *algo) {
  if (!algo) return;
  for (size_t i = 0; i < algo->parts; i++)
    if (algo->part[i].destroy) algo->part[i].destroy(algo->part[i].made);
  free(algo);
}

size_t algo_trained(const Algo *algo) {
  size_t floats = algo->net->trained;
  for (size_t i = 0; i < algo->parts; i++)
    floats += algo->part[i].trained;
  return floats;
}

/* Every part that is a network is taken to go with the policy, row by row; of rows that are whole
 * teams' there is one for as many frames as the team has cells. */
static double rows_of(const Algo *algo, const AlgoPart *part) {
  return part->of_teams ? 1 / (double)format_cells(&algo->format) : 1;
}

double algo_row_cost(const Algo *algo) {
  double train = graph_flops_train(&algo->net->graph);
  for (size_t i = 0; i < algo->parts; i++) {
    const AlgoPart *part = &algo->part[i];
    if (!part->graph) continue;
    train += rows_of(algo, part) *
             (part->trained ? graph_flops_train(part->graph) : graph_flops_forward(part->graph));
  }
  return train;
}

double algo_cost(const Algo *algo) {
  const AlgoOps *ops = algo->ops;
  const double train = algo_row_cost(algo);
  double forward = graph_flops_forward(&algo->net->graph);
  for (size_t i = 0; i < algo->parts; i++) {
    const AlgoPart *part = &algo->part[i];
    if (part->graph) forward += rows_of(algo, part) * graph_flops_forward(part->graph);
  }
  if (ops->cost) return ops->cost(algo->own, forward, train);
  AlgoPlan plan = algo_plan(ops, algo->own);
  return (double)plan.epochs * train + (plan.evaluate ? forward : 0);
}

void pass_charge(const Pass *pass, int64_t *spent) {
  int64_t now = clock_now(pass->clock);
  *spent += now - *pass->since;
  *pass->since = now;
}

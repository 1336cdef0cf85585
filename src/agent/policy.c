#include "agent/policy.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Logits beyond this are no policy, and would leave nothing to draw from. */
#define MOST_LOGIT 1e20f

Status policy_check(const NetConfig *config, const Env *env) {
  if (config->messages.kind != MESSAGES_NEAREST || env->table->position) return OK;
  return status_set(ERR_USAGE,
                    "net.messages.kind nearest needs to know where agents are, which %s does not "
                    "tell (`position` in agon/env.h): use mean or attention",
                    env->table->name);
}

/* S floats of recurrent state a row, W outputs. */
Status inference_create(const Net *net, size_t chunk, Inference *out) {
  Status status = OK;
  size_t S = net->graph.state_size;
  size_t W = net->space.width;
  chunk += net_team(net) - 1 - (chunk + net_team(net) - 1) % net_team(net);
  *out = (Inference){.net = net, .chunk = chunk};
  TRY(activations_create(&net->graph, chunk, false, &out->space));
  TRY(NEW_ARRAY(out->logits, chunk * W));
  TRY(NEW_ARRAY(out->probability, chunk * W));
  TRY(NEW_ARRAY(out->value, chunk));
  TRY(NEW_ARRAY(out->memory_in, chunk * S));
  TRY(NEW_ARRAY(out->memory_out, chunk * S));
  TRY(NEW_ARRAY(out->action, chunk * net->space.heads));
  if (net->space.inner) TRY(NEW_ARRAY(out->mask, chunk * net->space.choices));
  if (net_talks(net)) TRY(NEW_ARRAY(out->nobody, chunk));
done:
  if (status != OK) inference_destroy(out);
  return status;
}

void inference_destroy(Inference *inference) {
  activations_destroy(&inference->space);
  free(inference->logits);
  free(inference->probability);
  free(inference->value);
  free(inference->memory_in);
  free(inference->memory_out);
  free(inference->mask);
  free(inference->action);
  free(inference->nobody);
  *inference = (Inference){0};
}

void policy_release(Policy *policy) {
  free(policy->queue);
  free(policy->packed);
  policy->queue = NULL;
  policy->packed = NULL;
  policy->queue_room = 0;
}

/* Kernels want weights in an order of their own; they are packed once for each new block. */
static Status pack(Policy *policy, const Net *net) {
  if (policy->packed && !policy->stale) return OK;
  if (!policy->packed) policy->packed = net_pack_create(net, false);
  if (!policy->packed) return status_set(ERR_MEMORY, "out of memory packing a policy");
  net_pack(net, policy->block, false, policy->packed);
  policy->stale = false;
  return OK;
}

/* ERR_ENV if an observation is not finite: relu(NaN) is 0, so that it would become a confident
 * move. */
static Status check_observations(const Env *env, const PolicyRows *rows) {
  size_t width = env->observation_count;
  char whose[32] = "";
  char place[128] = "";
  float value;
  if (env->layout.observation_type != AGON_F32) return OK;
  size_t at = env_first_beyond(rows->observations, rows->count * width, INFINITY);
  if (at == rows->count * width) return OK;
  memcpy(&value, (const uint8_t *)rows->observations + at * sizeof value, sizeof value);
  if (rows->agents)
    TRY_RETURN(text_format(whose, sizeof whose, " of agent %u", rows->agents[at / width]));
  if (rows->place) rows->place(rows->context, at / width, place, sizeof place);
  return status_set(ERR_ENV, "env %s: an observation is not finite: element %zu%s is %g%s",
                    env->table->name, at % width, whose, (double)value, place);
}

/* Says that what a network gives is of no use. */
static Status useless(const Policy *policy, const Env *env, const char *what, float value) {
  return status_set(ERR_INTERNAL,
                    "env %s: player %u, version %llu: %s of its network is %g: its weights are "
                    "damaged, or its learning has diverged (lower learner.rate, resume from an "
                    "earlier checkpoint)",
                    env->table->name, policy->player, (unsigned long long)policy->version, what,
                    (double)value);
}

/* ERR_INTERNAL if an output is too large to draw from, or a value is not finite. */
static Status check_outputs(const Policy *policy, const Env *env, size_t width, size_t count,
                            const PolicyAnswer *answer) {
  char what[32];
  size_t at =
      answer->logits ? env_first_beyond(answer->logits, count * width, MOST_LOGIT) : count * width;
  if (at < count * width) {
    TRY_RETURN(text_format(what, sizeof what, "output %zu", at % width));
    return useless(policy, env, what, answer->logits[at]);
  }
  at = answer->values ? env_first_beyond(answer->values, count, INFINITY) : count;
  return at < count ? useless(policy, env, "the value", answer->values[at]) : OK;
}

/* Worths make values: the value head of such a network is idle. */
static void value_worths(const Net *net, const float *worths, const uint8_t *masks, size_t count,
                         float *values) {
  for (size_t r = 0; r < count; r++)
    values[r] = dist_best(&net->space, worths + r * net->space.width,
                          masks ? masks + r * net->space.choices : NULL);
}

/* At most as many rows as the buffers hold. Without logits the network's policy part is not
 * copied. */
static void decide_chunk(const Policy *policy, Inference *inference, const Sequences *sequences,
                         const PolicyAnswer *part) {
  const Net *net = inference->net;
  bool worths = net->config.rule == RULE_GREEDY_Q && part->values;
  float *logits = worths && !part->logits ? inference->logits : part->logits;
  net_forward(net, policy->block, policy->packed, &inference->space, sequences, logits,
              part->values, part->memory);
  if (worths) value_worths(net, logits, NULL, sequences->B, part->values);
}

/* The rows from `first` on, with what their agents remember to have done last. Whoever is out of
 * the game is not heard, and hears nothing: where all are silent, everybody is. */
static void load_chunk(const Policy *policy, Inference *inference, const Env *env,
                       const PolicyRows *rows, size_t first, size_t count) {
  const Net *net = inference->net;
  const size_t S = net->graph.state_size;
  const uint8_t *alive = rows->alive ? rows->alive + first : NULL;
  const NetInput input = {
      .rows = (const uint8_t *)rows->observations + first * env->observation_bytes,
      .agents = rows->agents ? rows->agents + first : NULL,
      .last = net->remembered ? rows->memory + first * S + net->recurrent : NULL,
      .last_step = S,
      .alive = policy->silent && net_talks(net) ? inference->nobody : alive,
      .positions = rows->positions ? rows->positions + first * 3 : NULL,
  };
  net_load_input(net, &input, count, &inference->space);
}

/* What was done last is still that: the network does not move it. */
static void keep_last(const Net *net, const float *before, size_t count, float *after) {
  const size_t S = net->graph.state_size;
  for (size_t r = 0; net->remembered && r < count; r++)
    memcpy(after + r * S + net->recurrent, before + r * S + net->recurrent,
           net->remembered * sizeof *after);
}

/* In chunks that the buffers hold. */
Status policy_decide(Policy *policy, Inference *inference, const Env *env, const PolicyRows *rows,
                     const PolicyAnswer *answer) {
  const Net *net = inference->net;
  size_t S = net->graph.state_size;
  size_t W = net->space.width;
  TRY_RETURN(check_observations(env, rows));
  TRY_RETURN(pack(policy, net));
  for (size_t first = 0; first < rows->count; first += inference->chunk) {
    size_t left = rows->count - first;
    size_t count = left < inference->chunk ? left : inference->chunk;
    PolicyAnswer part = {
        .logits = answer->logits ? answer->logits + first * W : NULL,
        .values = answer->values ? answer->values + first : NULL,
        .memory = S && answer->memory ? answer->memory + first * S : NULL,
    };
    Sequences sequences = {
        .B = count,
        .T = 1,
        .states = S ? rows->memory + first * S : NULL,
        .S = S,
    };
    load_chunk(policy, inference, env, rows, first, count);
    decide_chunk(policy, inference, &sequences, &part);
    if (part.memory) keep_last(net, sequences.states, count, part.memory);
    TRY_RETURN(check_outputs(policy, env, W, count, &part));
  }
  return OK;
}

/* The rows of who explores, where any choice may be taken by chance. */
static void mix_rows(const Net *net, float epsilon, const bool *explores, size_t count,
                     float *rows) {
  const ActionSpace *space = &net->space;
  if (net->config.rule != RULE_MIXED || !explores || epsilon <= 0) return;
  for (size_t r = 0; r < count; r++)
    if (explores[r])
      dist_mix_rows(space, rows + r * space->width, epsilon, 1, rows + r * space->width);
}

void policy_normalise(const Policy *policy, Inference *inference, const uint8_t *masks,
                      const bool *explores, size_t count) {
  const Net *net = inference->net;
  const ActionSpace *space = &net->space;
  float epsilon = net_epsilon(net, policy->block);
  if (net->config.rule == RULE_GREEDY_Q) {
    value_worths(net, inference->logits, masks, count, inference->value);
    for (size_t r = 0; r < count; r++) {
      float *row = inference->logits + r * space->width;
      dist_greedy(space, row, masks + r * space->choices, explores && explores[r] ? epsilon : 0,
                  row);
    }
  } else if (net->config.rule == RULE_SQUASHED) {
    for (size_t r = 0; r < count; r++) {
      float *row = inference->logits + r * space->width;
      dist_squash(space, row, masks + r * space->choices, explores && explores[r] ? epsilon : 0,
                  row);
    }
  } else {
    dist_normalise_rows(space, inference->logits, masks, count, inference->logits);
    mix_rows(net, epsilon, explores, count, inference->logits);
  }
  dist_probabilities(space, inference->logits, count, inference->probability);
}

bool policy_draws(const Policy *policy, const Net *net, bool explores) {
  if (policy->greedy) return false;
  const bool certain = net->config.rule == RULE_GREEDY_Q || net->config.rule == RULE_SQUASHED;
  return !certain || (explores && net_epsilon(net, policy->block) > 0);
}

const uint8_t *policy_masks(Inference *inference, const Env *env, const uint8_t *masks,
                            size_t count) {
  const size_t own = env->action_count;
  const size_t all = inference->net->space.choices;
  if (!inference->mask) return masks;
  for (size_t r = 0; r < count; r++) {
    memcpy(inference->mask + r * all, masks + r * own, own);
    memset(inference->mask + r * all + own, 1, all - own);
  }
  return inference->mask;
}

void policy_draw(const Policy *policy, const Inference *inference, size_t row, AgonRng *rng,
                 AgonAction *out) {
  const ActionSpace *space = &inference->net->space;
  dist_sample(space, inference->logits + row * space->width,
              inference->probability + row * space->width, rng, policy->greedy, out);
  if (inference->net->config.rule == RULE_SQUASHED) dist_clip(space, out);
}

float policy_log_prob(const Inference *inference, size_t row, const AgonAction *action) {
  const ActionSpace *space = &inference->net->space;
  return dist_log_prob(space, inference->logits + row * space->width, action);
}

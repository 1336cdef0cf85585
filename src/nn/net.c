#include "nn/net.h"

#include "base/invariant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The choices of the inner head by which an agent speaks or does not. */
enum { GATE_SHUT, GATE_OPEN, GATE_CHOICES };

/* Random streams of copies: beyond those of a player's other parts. */
enum { COPY_STREAM = 1 << 16 };

const Option net_options[] = {
    {"hidden", OPT_INTS, offsetof(NetConfig, hidden), "[128, 128]", 1, 16384, NULL, "units",
     "widths of the dense layers"},
    {"activation", OPT_CHOICE, offsetof(NetConfig, activation), "tanh", 0, 0, "relu|tanh|gelu", "",
     "of dense and convolution layers"},
    {"layer_norm", OPT_BOOL, offsetof(NetConfig, layer_norm), "false", 0, 0, NULL, "",
     "layer normalisation after each dense layer"},
    {"conv", OPT_INTS, offsetof(NetConfig, conv), "[]", 1, 1024, NULL, "channels",
     "convolutions before the dense layers"},
    {"conv_kernel", OPT_INT, offsetof(NetConfig, conv_kernel), "3", 1, 15, NULL, "cells",
     "side of the square kernels"},
    {"conv_stride", OPT_INT, offsetof(NetConfig, conv_stride), "1", 1, 8, NULL, "cells",
     "step of the kernels"},
    {"conv_pad", OPT_INT, offsetof(NetConfig, conv_pad), "1", 0, 7, NULL, "cells",
     "zeros around the planes"},
    {"memory", OPT_CHOICE, offsetof(NetConfig, memory), "none", 0, 0, "none|gru|lstm", "",
     "recurrent layer after the dense layers"},
    {"memory_size", OPT_INT, offsetof(NetConfig, memory_size), "128", 1, 4096, NULL, "units",
     "width of the recurrent layer"},
    {"separate", OPT_BOOL, offsetof(NetConfig, separate), "false", 0, 0, NULL, "",
     "the value has a trunk of its own"},
    {"agent_id", OPT_CHOICE, offsetof(NetConfig, agent_id), "none", 0, 0, "none|agent|kind", "",
     "appended to the input, as a one-hot: the agent's place within its team, or its kind; so "
     "that agents that share the network can do different things where they see the same"},
    {"sharing", OPT_CHOICE, offsetof(NetConfig, sharing), "all", 0, 0, "all|kind|none", "",
     "which agents of a team have one set of weights: all; those of a kind; none, each place in "
     "the team has its own"},
    {"last_action", OPT_BOOL, offsetof(NetConfig, last_action), "false", 0, 0, NULL, "",
     "what the agent did last is appended to the input, as a one-hot of its choice, or the values "
     "of box actions; zeros as an episode begins"},
    {"messages.kind", OPT_CHOICE, offsetof(NetConfig, messages.kind), "none", 0, 0,
     "none|mean|gated|nearest|attention", "",
     "what agents of a team hear of one another, learned with all else: before memory and heads an "
     "agent makes h' = act(W h + C c + x) of x, what the layers below have made of what it sees, "
     "of "
     "h (x in the first round) and of c, what it hears of its teammates' messages M h: mean, their "
     "mean (CommNet, Sukhbaatar et al. 2016); gated, the same of those who have chosen to speak, "
     "by "
     "a choice of their own that is drawn and learned with their action and holds in the next step "
     "(IC3Net, Singh et al. 2019, but over whom one hears); nearest, that of the nearest "
     "teammates; attention, "
     "weighed by softmax(query . key / sqrt(net.messages.key_size)) (TarMAC, Das et al. 2019). Who "
     "is "
     "out of the game neither speaks nor hears. For algorithms that learn from whole teams"},
    {"messages.rounds", OPT_INT, offsetof(NetConfig, messages.rounds), "1", 1, 8, NULL, "",
     "exchanges of messages in a step, each with weights of its own"},
    {"messages.width", OPT_INT, offsetof(NetConfig, messages.width), "32", 1, 4096, NULL, "numbers",
     "of a message"},
    {"messages.nearest", OPT_INT, offsetof(NetConfig, messages.nearest), "3", 1, 1023, NULL,
     "agents",
     "kind nearest: how many teammates in the game an agent hears, those nearest by where the game "
     "says that they are; of equally near ones the first. With all of them it is kind mean"},
    {"messages.top", OPT_INT, offsetof(NetConfig, messages.top), "0", 0, 1023, NULL, "agents",
     "kind attention: how many teammates an agent attends to, those whose keys fit best; 0 = all"},
    {"messages.key_size", OPT_INT, offsetof(NetConfig, messages.key), "16", 1, 1024, NULL,
     "numbers",
     "kind attention: of what says whom an agent wants to hear, and of what it says it knows"},
    {"messages.cost", OPT_FLOAT, offsetof(NetConfig, messages.cost), "0", 0, OPTION_NO_LIMIT, NULL,
     "",
     "kind gated: what each message costs its sender, for each teammate that hears it in each "
     "round; off the reward that is learned from, not the one that is told"},
    {"normalise_observations", OPT_BOOL, offsetof(NetConfig, normalise_observations), "false", 0, 0,
     NULL, "", "running mean and variance per observation element, part of the policy"},
    {"normalise_returns", OPT_BOOL, offsetof(NetConfig, normalise_returns), "false", 0, 0, NULL, "",
     "value learned in units of the returns' running standard deviation (PopArt, van Hasselt et "
     "al. 2016)"},
    {"init_gain", OPT_FLOAT, offsetof(NetConfig, init_gain), "1.41421356", 0, 10, NULL, "",
     "orthogonal gain of hidden layers"},
    {"log_std", OPT_FLOAT, offsetof(NetConfig, log_std), "0", -5, 2, NULL, "",
     "initial log standard deviation of box actions"},
};
const size_t net_option_count = COUNT_OF(net_options);

/* --- who the agents are --- */

/* How many agents of its team come before it. */
static uint32_t place_in_team(const AgonEnvSpec *spec, uint32_t agent) {
  uint32_t place = 0;
  for (uint32_t a = 0; a < agent; a++)
    place += spec->team_of[a] == spec->team_of[agent];
  return place;
}

/* A number for each agent: its kind, or its place within its team. *count is one more than the
 * largest. */
static Status number_agents(const AgonEnvSpec *spec, uint32_t agents, bool by_kind, uint32_t **out,
                            size_t *count) {
  TRY_RETURN(NEW_ARRAY(*out, agents));
  *count = by_kind && spec ? spec->kinds : 1;
  for (uint32_t a = 0; spec && a < agents; a++) {
    uint32_t number = by_kind ? spec->kind_of[a] : place_in_team(spec, a);
    if (number >= *count) *count = number + 1;
    (*out)[a] = number;
  }
  return OK;
}

/* Who is told apart by an input, and who by weights. Places go as far as in the largest team: then
 * one network plays for each team. */
static Status know_agents(Net *net, const AgonKind *layout, const AgonEnvSpec *spec) {
  const NetConfig *config = &net->config;
  bool planes = config->conv.count > 0;
  net->id_span = planes ? (size_t)layout->observation_shape[1] * layout->observation_shape[2] : 1;
  net->agents = spec ? spec->agents : 1;
  net->copies = 1;
  if (config->agent_id != ID_NONE)
    TRY_RETURN(
        number_agents(spec, net->agents, config->agent_id == ID_KIND, &net->id_of, &net->ids));
  if (config->sharing != SHARE_ALL)
    TRY_RETURN(number_agents(spec, net->agents, config->sharing == SHARE_KIND, &net->copy_of,
                             &net->copies));
  return OK;
}

/* Agents of the largest team: how many rows of it lie side by side. */
static size_t largest_team(const AgonEnvSpec *spec) {
  size_t largest = 1;
  for (uint32_t a = 0; spec && a < spec->agents; a++) {
    const size_t place = place_in_team(spec, a) + 1;
    if (place > largest) largest = place;
  }
  return largest;
}

/* --- making it --- */

/* What an agent hears in a round, of h (R, any). */
static int build_heard(Net *net, const char *prefix, size_t round, int h) {
  const MessageConfig *config = &net->config.messages;
  Graph *graph = &net->graph;
  char name[64];
  snprintf(name, sizeof name, "%ssay%zu", prefix, round);
  int said = graph_product(graph, name, h, (size_t)config->width);
  if (config->kind != MESSAGES_ATTENTION) return graph_mix(graph, net->links, said);
  snprintf(name, sizeof name, "%squery%zu", prefix, round);
  int query = graph_product(graph, name, h, (size_t)config->key);
  snprintf(name, sizeof name, "%skey%zu", prefix, round);
  int key = graph_product(graph, name, h, (size_t)config->key);
  return graph_attend(graph, net->links, query, key, said, (size_t)config->top);
}

/* Rounds of messages: h' = act(W h + C c + x), where c is what the agent hears. The layer W has C
 * behind it, as one product. */
static int build_messages(Net *net, const char *prefix, int x) {
  Graph *graph = &net->graph;
  int h = x;
  for (size_t round = 0; x >= 0 && round < (size_t)net->config.messages.rounds; round++) {
    char name[64];
    int heard = build_heard(net, prefix, round, h);
    int both = graph_join(graph, (int[]){h, heard}, 2);
    snprintf(name, sizeof name, "%shear%zu", prefix, round);
    int sum = graph_dense(graph, name, both, graph->width[x], ACT_NONE);
    sum = graph_add_up(graph, (int[]){sum, x}, 2);
    h = graph_act(graph, sum, (Activation)(net->config.activation + 1));
    snprintf(name, sizeof name, "%sheard%zu", prefix, round);
    if (net->config.layer_norm) h = graph_norm(graph, name, h);
  }
  return h;
}

/* Layers from the input to what the heads read; returns its tensor. */
static int build_trunk(Net *net, const AgonKind *layout, int input, const char *prefix) {
  const NetConfig *config = &net->config;
  Graph *graph = &net->graph;
  Activation act = (Activation)(config->activation + 1);
  char name[64];
  int at = input;
  ConvShape shape = {.out_channels = layout->observation_shape[0] + net->ids + net->last_inputs,
                     .out_height = layout->observation_shape[1],
                     .out_width = layout->observation_shape[2]};
  for (size_t i = 0; i < config->conv.count; i++) {
    ConvShape next = {.in_channels = shape.out_channels,
                      .in_height = shape.out_height,
                      .in_width = shape.out_width,
                      .out_channels = (size_t)config->conv.item[i],
                      .kernel = (size_t)config->conv_kernel,
                      .stride = (size_t)config->conv_stride,
                      .pad = (size_t)config->conv_pad};
    size_t tall = next.in_height + 2 * next.pad;
    size_t wide = next.in_width + 2 * next.pad;
    if (tall < next.kernel || wide < next.kernel) return -1;
    next.out_height = (tall - next.kernel) / next.stride + 1;
    next.out_width = (wide - next.kernel) / next.stride + 1;
    next.step_channel = i == 0 ? next.in_height * next.in_width : 1;
    next.step_x = i == 0 ? 1 : next.in_channels;
    next.step_y = next.in_width * next.step_x;
    snprintf(name, sizeof name, "%sconv%zu", prefix, i);
    at = graph_conv(graph, name, at, next, act);
    shape = next;
  }
  for (size_t i = 0; i < config->hidden.count; i++) {
    snprintf(name, sizeof name, "%sdense%zu", prefix, i);
    at = graph_dense(graph, name, at, (size_t)config->hidden.item[i], act);
    snprintf(name, sizeof name, "%snorm%zu", prefix, i);
    if (config->layer_norm) at = graph_norm(graph, name, at);
  }
  if (net_talks(net)) at = build_messages(net, prefix, at);
  snprintf(name, sizeof name, "%smemory", prefix);
  if (config->memory == 1) at = graph_gru(graph, name, at, (size_t)config->memory_size);
  if (config->memory == 2) at = graph_lstm(graph, name, at, (size_t)config->memory_size);
  return at;
}

/* Heads for policy and value on their trunks, in one product where they share one. */
static void build_heads(Net *net, int trunk, int value_trunk) {
  Graph *graph = &net->graph;
  bool box = net->space.kind == AGON_BOX;
  size_t policy_width = box ? net->space.heads : net->space.width;
  const char *const names[] = {"policy", "value"};
  const size_t widths[] = {policy_width, 1};
  size_t column = 0;
  int raw;
  if (net->config.separate) {
    net->logits = graph_dense(graph, "policy", trunk, policy_width, ACT_NONE);
    raw = graph_dense(graph, "value", value_trunk, 1, ACT_NONE);
  } else {
    net->logits = raw = graph_heads(graph, names, widths, 2, trunk);
    column = policy_width;
  }
  const bool spreads = box && net->config.rule != RULE_SQUASHED;
  net->log_std = spreads ? graph_broadcast(graph, "log_std", net->space.heads) : -1;
  net->value = graph_rescale(graph, raw, column);
  graph_output(graph, net->logits);
  graph_output(graph, net->log_std);
  graph_output(graph, net->value);
}

/* Numbers of an input row: the observation, who the agent is, and what it did last. */
static size_t input_width(const Net *net) {
  return net->observation_count + (net->ids + net->last_inputs) * net->id_span;
}

/* Where the numbers lie in the block that moments write, not gradients. */
static void find_constants(Net *net) {
  const Graph *graph = &net->graph;
  for (size_t i = 0; i < graph->ops; i++) {
    const Op *op = &graph->op[i];
    if (op->ops == &op_normalise) {
      net->mean_at = op->bias;
      net->scale_at = op->weight;
    }
    if (op->ops == &op_rescale) net->return_at = op->bias;
  }
}

/* ERR_USAGE where agents of such teams cannot tell one another anything. */
static Status check_messages(const Net *net, size_t team) {
  const bool gated = net->config.messages.kind == MESSAGES_GATED;
  if (team < 2) return OK;
  if (net->copies > 1)
    return status_set(ERR_USAGE, "net: agents that tell one another something share their weights: "
                                 "leave net.sharing at all, or net.messages.kind at none");
  if (gated && (net->space.kind == AGON_BOX || net->space.heads == AGON_MAX_HEADS))
    return status_set(ERR_USAGE,
                      "net.messages.kind gated adds a choice to those of an agent, but "
                      "its actions are numbers here, or it has %d choices already: use "
                      "mean, nearest or attention",
                      AGON_MAX_HEADS);
  return OK;
}

/* On failure nothing is left. */
Status net_create(const NetConfig *config, const AgonKind *layout, const AgonEnvSpec *spec,
                  Net **out) {
  Net *net;
  TRY_RETURN(NEW_ARRAY(net, 1));
  net->config = *config;
  net->space = action_space(layout);
  net->observation_count = (size_t)layout->observation_shape[0] * layout->observation_shape[1] *
                           layout->observation_shape[2];
  net->observation_type = layout->observation_type;
  Status status = know_agents(net, layout, spec);
  if (status != OK) {
    net_destroy(net);
    return status;
  }
  if (config->last_action) {
    net->lasts = net->space.heads;
    net->last_inputs = net->space.kind == AGON_BOX ? net->space.heads : net->space.width;
  }
  const size_t team = config->messages.kind ? largest_team(spec) : 1;
  status = check_messages(net, team);
  if (status != OK) {
    net_destroy(net);
    return status;
  }
  if (team > 1 && config->messages.kind == MESSAGES_GATED) {
    action_space_add(&net->space, GATE_CHOICES);
    net->gates = 1;
  }
  net->remembered = net->lasts + net->gates;
  /* who has no teammates hears nobody: its network is the same as without messages */
  graph_begin_team(&net->graph, team, input_width(net), LEVEL_AGENT);
  net->links = team > 1 ? graph_input(&net->graph, team, LEVEL_AGENT) : -1;
  int input = config->normalise_observations ? graph_normalise(&net->graph, 0) : 0;
  int trunk = build_trunk(net, layout, input, "");
  int value_trunk = config->separate ? build_trunk(net, layout, input, "value_") : trunk;
  build_heads(net, trunk, value_trunk);
  if (net->logits < 0 || net->value < 0) {
    net_destroy(net);
    return status_set(ERR_USAGE,
                      "net: too many layers, or a convolution's kernel is larger than its planes");
  }
  net->graph.bf16 = config->precision == 1;
  net->graph.copies = net->copies;
  net->recurrent = net->graph.state_size;
  net->graph.state_size += net->remembered;
  graph_finish(&net->graph);
  find_constants(net);
  net->stride = net->graph.params + net->graph.constants;
  net->trained = (net->copies - 1) * net->stride + net->graph.params;
  net->block = net->copies * net->stride;
  if (config->rule == RULE_GREEDY_Q || config->rule == RULE_MIXED || config->rule == RULE_SQUASHED)
    net->epsilon_at = net->block++;
  *out = net;
  return OK;
}

void net_destroy(Net *net) {
  if (net) {
    free(net->id_of);
    free(net->copy_of);
  }
  free(net);
}

/* The policy's last layer gets a gain of 0.01, so that a player begins nearly uniform whatever it
 * sees; the value's gets 1. */
static float gain_of(const void *context, const View *view) {
  const Net *net = context;
  const bool talk = strstr(view->name, "say") || strstr(view->name, "hear") ||
                    strstr(view->name, "query") || strstr(view->name, "key");
  if (!strcmp(view->name, "policy.weight")) return 0.01f;
  if (!strcmp(view->name, "value.weight") || strstr(view->name, "memory") || talk) return 1.0f;
  return (float)net->config.init_gain;
}

/* Random numbers are the player's own: seed and player decide them. */
static void init_copy(const Net *net, AgonRng *rng, float *block) {
  graph_init(&net->graph, block, gain_of, net, rng);
  for (size_t v = 0; v < net->graph.views; v++) {
    const View *view = &net->graph.view[v];
    if (!strcmp(view->name, "log_std.value"))
      for (size_t i = 0; i < view->count; i++)
        block[view->offset + i] = (float)net->config.log_std;
  }
}

/* Each copy from a stream of its own; the first has that of a network without others. */
void net_init(const Net *net, uint64_t seed, uint32_t player, float *block) {
  for (size_t k = 0; k < net->copies; k++) {
    uint32_t which = k ? COPY_STREAM + (uint32_t)k : 0;
    AgonRng rng = rng_stream(seed, player, which, RNG_INIT);
    init_copy(net, &rng, block + k * net->stride);
  }
  net_set_epsilon(net, block, 0);
}

void net_share_constants(const Net *net, float *block) {
  for (size_t k = 1; k < net->copies; k++)
    memcpy(block + k * net->stride + net->graph.params, block + net->graph.params,
           net->graph.constants * sizeof *block);
}

float net_epsilon(const Net *net, const float *block) {
  return net->epsilon_at ? block[net->epsilon_at] : 0;
}

void net_set_epsilon(const Net *net, float *block, float epsilon) {
  if (net->epsilon_at) block[net->epsilon_at] = epsilon;
}

/* Floats of the packed weights. training: also those that the backward pass streams. */
size_t net_packed(const Net *net, bool training) {
  return net->copies * net->graph.packed[training];
}

/* 64-byte aligned, for whole cache lines; the caller frees. NULL: out of memory. */
float *net_pack_create(const Net *net, bool training) {
  return aligned_alloc(64, (net_packed(net, training) * sizeof(float) + 63) & ~(size_t)63);
}

void net_pack(const Net *net, const float *block, bool training, float *packed) {
  for (size_t k = 0; k < net->copies; k++)
    graph_pack(&net->graph, block + k * net->stride, training,
               packed + k * net->graph.packed[training]);
}

/* --- rows in --- */

/* Whose weights a row goes through; nobody's go through the first copy's. */
static size_t copy_at(const Net *net, const uint32_t *agents, size_t row) {
  return net->copy_of && agents[row] < net->agents ? net->copy_of[agents[row]] : 0;
}

/* Where rows lie: copy by copy, and within one as they came, so that the steps of its sequences
 * still follow one another. */
static void deal_out(const Net *net, const uint32_t *agents, size_t R, Activations *space) {
  size_t at = 0;
  if (net->copies < 2) return;
  for (size_t k = 0; k < net->copies; k++) {
    size_t before = at;
    for (size_t r = 0; r < R; r++)
      if (copy_at(net, agents, r) == k) space->source[at++] = (uint32_t)r;
    space->copy_rows[k] = at - before;
  }
}

/* The row brought in that lies at a place. */
static size_t source_of(const Net *net, const Activations *space, size_t place) {
  return net->copies > 1 ? space->source[place] : place;
}

/* What the network knows the agent as; `ids` for nobody. */
static size_t id_at(const Net *net, const uint32_t *agents, size_t row) {
  return agents[row] < net->agents ? net->id_of[agents[row]] : net->ids;
}

/* The numbers of an input row that say whose it is. */
static void put_id(const Net *net, size_t id, float *out) {
  memset(out, 0, net->ids * net->id_span * sizeof *out);
  for (size_t i = 0; id < net->ids && i < net->id_span; i++)
    out[id * net->id_span + i] = 1;
}

/* What a row's agent did last, as it is remembered; NULL: nothing. */
static const float *last_at(const NetInput *input, size_t row) {
  return input->last ? input->last + row * input->last_step : NULL;
}

/* Whether a number that is remembered stands for a choice of the head: a message may bring any. */
static bool was_choice(const ActionSpace *space, size_t head, float last) {
  return last >= 1 && last <= (float)space->head_size[head];
}

/* The numbers of an input row that say so. */
static void put_last(const Net *net, const float *last, float *out) {
  const ActionSpace *space = &net->space;
  const bool box = space->kind == AGON_BOX;
  memset(out, 0, net->last_inputs * net->id_span * sizeof *out);
  for (size_t h = 0, from = 0; last && h < net->lasts; from += box ? 1 : space->head_size[h], h++) {
    if (!box && !was_choice(space, h, last[h])) continue;
    const size_t place = box ? h : from + (size_t)last[h] - 1;
    for (size_t i = 0; i < net->id_span; i++)
      out[place * net->id_span + i] = box ? last[h] : 1;
  }
}

void net_remember(const Net *net, const AgonAction *action, float *state) {
  float *last = state + net->recurrent;
  for (size_t h = 0; h < net->lasts; h++)
    last[h] = net->space.kind == AGON_BOX ? action[h].value : (float)(action[h].choice + 1);
  if (net->gates) net_set_speaks(net, action[net->space.heads - 1].choice == GATE_OPEN, state);
}

/* Adds the places of one input's ones. */
static uint32_t add_ones(const Net *net, size_t input, uint16_t *column, uint32_t count) {
  for (size_t i = 0; i < net->id_span; i++)
    column[count++] = (uint16_t)(net->observation_count + input * net->id_span + i);
  return count;
}

/* Likewise of who the agent is and what it did last. */
static uint32_t find_more(const Net *net, const NetInput *input, size_t row, uint16_t *column,
                          uint32_t count) {
  const ActionSpace *space = &net->space;
  const float *last = last_at(input, row);
  const size_t id = net->ids ? id_at(net, input->agents, row) : 0;
  if (id < net->ids) count = add_ones(net, id, column, count);
  for (size_t h = 0, from = net->ids; last && h < net->lasts; from += space->head_size[h++])
    if (was_choice(space, h, last[h]))
      count = add_ones(net, from + (size_t)last[h] - 1, column, count);
  return count;
}

/* The ones of R byte rows, and behind each those of its agent; false when they hold more than that,
 * or too many ones to gain from it. */
static bool find_ones(const Net *net, const NetInput *input, size_t R, Activations *space) {
  size_t N = net->observation_count;
  uint32_t count = 0;
  size_t most = R * N / 3;
  for (size_t at = 0; at < R; at++) {
    size_t r = source_of(net, space, at);
    const uint8_t *row = (const uint8_t *)input->rows + r * N;
    space->first[at] = count;
    for (size_t i = 0; i < N; i += 8) {
      uint64_t bytes = 0;
      memcpy(&bytes, row + i, N - i < 8 ? N - i : 8);
      if (bytes & 0xfefefefefefefefeull) return false;
      for (; bytes; bytes &= bytes - 1)
        space->column[count++] = (uint16_t)(i + (size_t)__builtin_ctzll(bytes) / 8);
    }
    if (count > most) return false;
    count = find_more(net, input, r, space->column, count);
  }
  space->first[R] = count;
  return true;
}

/* One row into the input: the observation, of bytes or floats, who the agent is and what it did
 * last. */
static void load_row(const Net *net, const NetInput *input, size_t row, float *restrict out) {
  const size_t N = net->observation_count;
  const uint8_t *restrict bytes = (const uint8_t *)input->rows + row * N;
  if (net->observation_type != AGON_U8)
    memcpy(out, (const float *)input->rows + row * N, N * sizeof *out);
  else
    for (size_t i = 0; i < N; i++)
      out[i] = (float)bytes[i];
  if (net->ids) put_id(net, id_at(net, input->agents, row), out + N);
  if (net->last_inputs) put_last(net, last_at(input, row), out + N + net->ids * net->id_span);
}

/* --- who hears whom --- */

/* Whether the agent of a row says something. */
static bool speaks(const Net *net, const NetInput *input, size_t row) {
  if (!input->alive[row]) return false;
  return !net->gates || (input->last && last_at(input, row)[net->lasts] > 0.5f);
}

/* The square of the distance between the agents of two rows. */
static double apart(const NetInput *input, size_t a, size_t b) {
  double sum = 0;
  for (size_t i = 0; i < 3; i++) {
    double gap = (double)input->positions[a * 3 + i] - (double)input->positions[b * 3 + i];
    sum += gap * gap;
  }
  return sum;
}

/* Of a team's rows from `first` on, that which is next nearest to row `own` behind row `last` (last
 * = own: the nearest); own: there is none. Equally near ones go in their order. */
static size_t next_nearest(const Net *net, const NetInput *input, size_t first, size_t own,
                           size_t last) {
  const double behind = last == own ? -1 : apart(input, own, last);
  size_t best = own;
  double least = INFINITY;
  for (size_t row = first; row < first + net_team(net); row++) {
    if (row == own || !input->alive[row]) continue;
    const double far = apart(input, own, row);
    if (far < behind || (!(far > behind) && row <= last)) continue;
    if (best != own && !(far < least)) continue;
    best = row;
    least = far;
  }
  return best;
}

/* Whom the agent of row `own` hears, whose team's rows begin at `first`. */
static void link_row(const Net *net, const NetInput *input, size_t first, size_t own,
                     float *links) {
  const MessageConfig *config = &net->config.messages;
  const size_t N = net_team(net);
  memset(links, 0, N * sizeof *links);
  if (!input->alive[own]) return;
  if (config->kind == MESSAGES_NEAREST && (size_t)config->nearest < N - 1) {
    size_t last = own;
    for (int64_t k = 0; k < config->nearest; k++) {
      size_t next = next_nearest(net, input, first, own, last);
      if (next == own) return;
      links[next - first] = 1;
      last = next;
    }
    return;
  }
  for (size_t j = 0; j < N; j++)
    if (first + j != own && speaks(net, input, first + j)) links[j] = 1;
}

static void load_links(const Net *net, const NetInput *input, size_t R, Activations *space) {
  const size_t N = net_team(net);
  if (!net_talks(net)) return;
  INVARIANT(R % N == 0 && input->alive);
  INVARIANT(input->positions || !net_wants_positions(net));
  for (size_t row = 0; row < R; row++)
    link_row(net, input, row / N * N, row, space->value[net->links] + row * N);
}

double net_heard(const Net *net, const Activations *space, size_t row) {
  const MessageConfig *config = &net->config.messages;
  const size_t N = net_team(net);
  const float *links = space->value[net->links] + row * N;
  double heard = 0;
  for (size_t j = 0; j < N; j++)
    heard += (double)links[j];
  if (config->kind == MESSAGES_ATTENTION && config->top > 0)
    heard = fmin(heard, (double)config->top);
  return heard * (double)config->rounds;
}

/* Where all numbers are 0 or 1 and mostly 0, as boards are, only the places of the ones are kept:
 * the first layer then adds columns instead of multiplying. */
void net_load_input(const Net *net, const NetInput *input, size_t R, Activations *space) {
  const bool values = net->last_inputs && net->space.kind == AGON_BOX;
  INVARIANT(input->agents || !net_wants_agents(net));
  deal_out(net, input->agents, R, space);
  space->ones = net->observation_type == AGON_U8 && net->graph.takes_ones && !values &&
                find_ones(net, input, R, space);
  for (size_t at = 0; !space->ones && at < R; at++)
    load_row(net, input, source_of(net, space, at), space->value[0] + at * input_width(net));
  load_links(net, input, R, space);
}

/* --- running it --- */

/* One copy's rows: the buffers from its first row on, and its sequences. */
typedef struct Part {
  size_t copy;
  size_t first; /* row */
  Activations space;
  Sequences seq;
} Part;

/* Fills the copies' parts of the sequences: which state a row restarts from, and whether it is
 * held. */
static void deal_sequences(const Sequences *seq, Activations *space) {
  for (size_t at = 0; at < seq->B * seq->T; at++) {
    size_t r = space->source[at];
    space->restart[at] = seq->restart ? seq->restart[r] : (int32_t)r;
    if (seq->hold) space->hold[at] = seq->hold[r];
  }
}

/* The rows of a copy, `first` of which lie before it. */
static Part part_of(const Net *net, size_t copy, size_t first, const Activations *space,
                    const Sequences *seq) {
  const Graph *graph = &net->graph;
  Part part = {.copy = copy, .first = first, .space = *space, .seq = *seq};
  if (net->copies < 2) return part;
  size_t rows = space->copy_rows[copy];
  INVARIANT(rows % seq->T == 0);
  part.seq.B = rows / seq->T;
  part.seq.restart = space->restart + first;
  if (seq->hold) part.seq.hold = space->hold + first;
  for (int t = 0; t < graph->tensors; t++) {
    part.space.value[t] += first * graph->width[t];
    if (part.space.grad[t]) part.space.grad[t] += first * graph->width[t];
  }
  for (size_t i = 0; i < graph->ops; i++)
    part.space.keep[i] += first * graph->op[i].keep_width;
  if (part.space.first) part.space.first += first;
  return part;
}

/* States of sequences to where those came from: the first rows of a copy are their first steps. */
static void collect_states(const Net *net, const Activations *space, const Sequences *seq,
                           float *out) {
  size_t S = seq->S;
  const float *state = space->state;
  for (size_t k = 0, first = 0; k < net->copies; first += space->copy_rows[k++])
    for (size_t b = 0; b < space->copy_rows[k] / seq->T; b++, state += S)
      memcpy(out + space->source[first + b] * S, state, S * sizeof *out);
}

static void run_forward(const Net *net, const float *block, const float *packed, Activations *space,
                        const Sequences *seq, float *state_out) {
  if (net->copies < 2) {
    graph_forward(&net->graph, block, packed, space, seq, state_out);
    return;
  }
  deal_sequences(seq, space);
  size_t wide = net->graph.packed[space->training];
  for (size_t k = 0, first = 0; k < net->copies; first += space->copy_rows[k++]) {
    if (!space->copy_rows[k]) continue;
    Part part = part_of(net, k, first, space, seq);
    graph_forward(&net->graph, block + k * net->stride, packed ? packed + k * wide : NULL,
                  &part.space, &part.seq,
                  state_out ? space->state + first / seq->T * seq->S : NULL);
  }
  if (state_out) collect_states(net, space, seq, state_out);
}

/* Whom to tell that a copy's gradient is complete from an offset on. */
typedef struct Telling {
  GraphDone done;
  void *context;
  size_t base;
} Telling;

static void tell(void *context, size_t offset) {
  const Telling *telling = context;
  telling->done(telling->context, telling->base + offset);
}

/* The last copy first: what lies behind is then complete. */
static void run_backward(const Net *net, const float *block, const float *packed, float *gradient,
                         Activations *space, const Sequences *seq, GraphDone done, void *context) {
  if (net->copies < 2) {
    graph_backward(&net->graph, block, packed, gradient, space, seq, done, context);
    return;
  }
  size_t wide = net->graph.packed[true];
  size_t first = seq->B * seq->T;
  for (size_t k = net->copies; k-- > 0;) {
    Telling telling = {done, context, k * net->stride};
    first -= space->copy_rows[k];
    if (space->copy_rows[k]) {
      Part part = part_of(net, k, first, space, seq);
      graph_backward(&net->graph, block + k * net->stride, packed ? packed + k * wide : NULL,
                     gradient + k * net->stride, &part.space, &part.seq, done ? tell : NULL,
                     &telling);
    } else if (done) {
      tell(&telling, 0);
    }
  }
}

void net_load_again(const Net *net, const Activations *from, size_t R, Activations *space) {
  space->ones = from->ones;
  if (net->copies > 1) {
    memcpy(space->source, from->source, R * sizeof *space->source);
    memcpy(space->copy_rows, from->copy_rows, net->copies * sizeof *space->copy_rows);
  }
  if (from->ones) {
    memcpy(space->first, from->first, (R + 1) * sizeof *space->first);
    memcpy(space->column, from->column, from->first[R] * sizeof *space->column);
  } else {
    memcpy(space->value[0], from->value[0], R * net->graph.width[0] * sizeof(float));
  }
  if (net_talks(net))
    memcpy(space->value[net->links], from->value[net->links], R * net_team(net) * sizeof(float));
}

/* Columns of a tensor that are the policy's: where its rows begin to be the next, and how many
 * there are. */
static size_t policy_columns(const Net *net, size_t *out_step) {
  *out_step = net->graph.width[net->logits];
  return net->space.kind == AGON_BOX ? net->space.heads : net->space.width;
}

void net_forward(const Net *net, const float *block, const float *packed, Activations *space,
                 const Sequences *seq, float *logits, float *value, float *state_out) {
  size_t R = seq->B * seq->T;
  size_t W = net->space.width;
  size_t step;
  size_t columns = policy_columns(net, &step);
  size_t rest = W - columns;
  run_forward(net, block, packed, space, seq, state_out);
  const float *policy = space->value[net->logits];
  for (size_t at = 0; at < R; at++) {
    size_t r = source_of(net, space, at);
    if (value) value[r] = space->value[net->value][at];
    if (!logits) continue;
    memcpy(logits + r * W, policy + at * step, columns * sizeof *logits);
    if (net->log_std >= 0)
      memcpy(logits + r * W + columns, space->value[net->log_std] + at * rest,
             rest * sizeof *logits);
    else if (rest)
      memset(logits + r * W + columns, 0, rest * sizeof *logits);
  }
}

void net_backward(const Net *net, const float *block, const float *packed, float *gradient,
                  Activations *space, const Sequences *seq, const float *d_logits,
                  const float *d_value, GraphDone done, void *context) {
  size_t R = seq->B * seq->T;
  size_t W = net->space.width;
  size_t step;
  size_t columns = policy_columns(net, &step);
  size_t rest = W - columns;
  float *policy = space->grad[net->logits];
  for (size_t at = 0; at < R; at++) {
    size_t r = source_of(net, space, at);
    memcpy(policy + at * step, d_logits + r * W, columns * sizeof *d_logits);
    if (net->log_std >= 0)
      memcpy(space->grad[net->log_std] + at * rest, d_logits + r * W + columns,
             rest * sizeof *d_logits);
    space->grad[net->value][at] = d_value[r];
  }
  run_backward(net, block, packed, gradient, space, seq, done, context);
}

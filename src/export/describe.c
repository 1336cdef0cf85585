/* A network and its spaces as the file of format `agon`: the steps of its graph, the layers by
 * name, what else is known of it as JSON, and its numbers. */
#include "export/export.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Constants behind the parameters that have no view of their own in the graph. */
enum { MORE_VIEWS = 4 };

/* --- the steps --- */

static const struct {
  const OpOps *ops;
  ModelOp op;
  const char *name;
} known[] = {
    {&op_dense, MODEL_DENSE, "dense"},
    {&op_product, MODEL_PRODUCT, "product"},
    {&op_broadcast, MODEL_BROADCAST, "broadcast"},
    {&op_conv, MODEL_CONV, "conv"},
    {&op_norm, MODEL_NORM, "layer_norm"},
    {&op_normalise, MODEL_NORMALISE, "normalise"},
    {&op_rescale, MODEL_RESCALE, "rescale"},
    {&op_gru, MODEL_GRU, "gru"},
    {&op_lstm, MODEL_LSTM, "lstm"},
    {&op_join, MODEL_JOIN, "join"},
    {&op_add, MODEL_ADD, "add"},
    {&op_act, MODEL_ACT, "act"},
    {&op_mix, MODEL_MIX, "mix"},
    {&op_attend, MODEL_ATTEND, "attend"},
};

static const char *const act_names[] = {"none", "relu", "tanh", "gelu"};

/* Its place in `known`; COUNT_OF(known): it is none of them. */
static size_t find_op(const OpOps *ops) {
  size_t i = 0;
  while (i < COUNT_OF(known) && known[i].ops != ops)
    i++;
  return i;
}

static uint32_t small(size_t value) {
  return (uint32_t)value;
}

/* An op of the graph as a step. */
static Status take_step(const Op *op, ModelStep *out) {
  const size_t which = find_op(op->ops);
  const ConvShape *c = &op->conv;
  if (which == COUNT_OF(known) || op->act > ACT_GELU || op->weight_h > UINT32_MAX ||
      op->weight > UINT32_MAX)
    return status_set(ERR_USAGE, "an agent with a layer of kind %s cannot be exported",
                      op->ops->name);
  *out = (ModelStep){
      .op = known[which].op,
      .act = (uint32_t)op->act,
      .inputs = small(op->inputs),
      .out = (uint32_t)op->out,
      .weight = small(op->weight),
      .bias = small(op->bias),
      .weight_h = small(op->weight_h),
      .bias_h = small(op->bias_h),
      .column = small(op->column),
      .state_at = small(op->state_at),
      .top = small(op->top),
      .half = op->bf16,
  };
  for (size_t i = 0; i < op->inputs; i++)
    out->in[i] = (uint32_t)op->in[i];
  if (known[which].op == MODEL_CONV)
    out->conv = (ModelConv){
        small(c->in_channels), small(c->in_height),    small(c->in_width), small(c->out_channels),
        small(c->out_height),  small(c->out_width),    small(c->kernel),   small(c->stride),
        small(c->pad),         small(c->step_channel), small(c->step_y),   small(c->step_x),
    };
  return OK;
}

static Status take_steps(const Net *net, ModelStep *step, uint32_t *count) {
  *count = 0;
  for (size_t i = 0; i < net->graph.ops; i++) {
    if (net->graph.op[i].ops == &op_input) continue;
    TRY_RETURN(take_step(&net->graph.op[i], &step[(*count)++]));
  }
  return OK;
}

/* --- the spaces --- */

static ModelRule rule_of(const Net *net) {
  if (net->config.rule == RULE_GREEDY_Q) return MODEL_WORTHS;
  if (net->config.rule == RULE_SQUASHED) return MODEL_SQUASHED;
  return net->space.kind == AGON_BOX ? MODEL_NUMBERS : MODEL_CHOICES;
}

/* Of the nearest teammates all are heard where there are no more. */
static ModelTalk talk_of(const Net *net) {
  const MessageConfig *config = &net->config.messages;
  if (!net_talks(net)) return TALK_NONE;
  if (net->gates) return TALK_GATED;
  const bool few = (size_t)config->nearest < net_team(net) - 1;
  return config->kind == MESSAGES_NEAREST && few ? TALK_NEAREST : TALK_ALL;
}

/* All but the arrays. */
static Model model_of(const Net *net, const Env *env, uint32_t steps) {
  return (Model){
      .bytes = net->observation_type == AGON_U8,
      .observation = small(net->observation_count),
      .ids = small(net->ids),
      .span = small(net->id_span),
      .last_inputs = small(net->last_inputs),
      .recurrent = small(net->recurrent),
      .lasts = small(net->lasts),
      .gates = small(net->gates),
      .memory = small(net->graph.state_size),
      .agents = env->spec.agents,
      .team = small(net_team(net)),
      .copies = small(net->copies),
      .stride = small(net->stride),
      .rule = rule_of(net),
      .heads = net->space.heads,
      .inner = net->space.inner,
      .choices = net->space.choices,
      .width = net->space.width,
      .talk = talk_of(net),
      .nearest = small((size_t)net->config.messages.nearest),
      .tensors = (uint32_t)net->graph.tensors,
      .links = net->links,
      .logits = net->logits,
      .spread = net->log_std,
      .value = net->value,
      .steps = steps,
  };
}

static void put_text(Bytes *out, const char *text) {
  bytes_u32(out, small(strlen(text)));
  bytes_put(out, text, strlen(text));
}

/* The part that libagon sizes everything by. */
static void put_spec(const ExportSource *source, const Model *m, const ModelStep *step,
                     Bytes *out) {
  const Net *net = source->who->net;
  const Env *env = source->env;
  uint32_t fields = 0;
#define COUNT(field) fields++;
#define PUT(field) bytes_u32(out, (uint32_t)m->field);
  FORMAT_FIELDS(COUNT)
  bytes_u32(out, fields);
  FORMAT_FIELDS(PUT)
#undef COUNT
#undef PUT
  for (size_t i = 0; i < 3; i++)
    bytes_u32(out, env->layout.observation_shape[i]);
  put_text(out, source->player);
  put_text(out, env->title);
  for (uint32_t h = 0; h < m->heads; h++)
    bytes_u32(out, net->space.head_size[h]);
  if (m->ids) bytes_put(out, net->id_of, m->agents * sizeof(uint32_t));
  if (m->copies > 1) bytes_put(out, net->copy_of, m->agents * sizeof(uint32_t));
  for (uint32_t t = 0; t < m->tensors; t++)
    bytes_u32(out, small(net->graph.width[t]));
  bytes_put(out, step, m->steps * sizeof *step);
  for (int high = 0; net->space.kind == AGON_BOX && high < 2; high++)
    for (uint32_t a = 0; a < m->agents; a++)
      for (uint32_t h = 0; h < m->heads; h++) {
        float range[2];
        env_action_range(env, a, h, &range[0], &range[1]);
        bytes_put(out, &range[high], sizeof range[high]);
      }
}

/* --- names --- */

static void put_view(Bytes *out, const char *name, size_t dims, const size_t *shape,
                     uint64_t offset) {
  put_text(out, name);
  bytes_u32(out, small(dims));
  for (size_t d = 0; d < 4; d++)
    bytes_u32(out, d < dims ? small(shape[d]) : 1);
  bytes_u64(out, offset);
}

/* Constants: what normalises observations, and the unit of the value. */
static void put_views(const Net *net, Bytes *out) {
  const Graph *graph = &net->graph;
  const bool normalises = net->scale_at > 0;
  const size_t input = graph->width[0];
  const size_t one = 1;
  bytes_u32(out, small(graph->views + (normalises ? MORE_VIEWS : MORE_VIEWS - 2)));
  for (size_t i = 0; i < graph->views; i++)
    put_view(out, graph->view[i].name, graph->view[i].dims, graph->view[i].shape,
             graph->view[i].offset);
  if (normalises) {
    put_view(out, "normaliser.mean", 1, &input, net->mean_at);
    put_view(out, "normaliser.scale", 1, &input, net->scale_at);
  }
  put_view(out, "value_unit.mean", 1, &one, net->return_at);
  put_view(out, "value_unit.scale", 1, &one, net->return_at + 1);
}

/* --- metadata --- */

static json_t *json_numbers(const uint32_t *from, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append_new(list, json_integer(from[i]));
  return list;
}

/* Names of layers that lie in a stretch of a copy's parameters. */
static json_t *names_in(const Graph *graph, size_t at, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < graph->views; i++)
    if (graph->view[i].offset >= at && graph->view[i].offset < at + count)
      json_array_append_new(list, json_string(graph->view[i].name));
  return list;
}

/* The layers that a step reads, by name: in the order of its columns. */
static void put_layers(const Graph *graph, const Op *op, json_t *step) {
  const size_t K = op->in_width;
  const size_t N = op->out_width;
  const bool gates = op->ops == &op_gru || op->ops == &op_lstm;
  const size_t G = (op->ops == &op_gru ? 3 : 4) * N;
  const bool matrix = op->ops == &op_dense || op->ops == &op_product;
  const size_t weights = matrix                ? K * N
                         : op->ops == &op_conv ? op->conv.out_channels
                         : op->ops == &op_norm ? N
                         : gates               ? G * K
                                               : 0;
  const size_t biases = op->ops == &op_conv      ? op->conv.out_channels
                        : op->ops == &op_product ? 0
                        : gates                  ? G
                        : op->constants          ? 0
                                                 : N;
  if (weights) json_object_set_new(step, "weight", names_in(graph, op->weight, weights));
  if (biases && (weights || op->ops == &op_broadcast))
    json_object_set_new(step, "bias", names_in(graph, op->bias, biases));
  if (gates) json_object_set_new(step, "weight_h", names_in(graph, op->weight_h, G * N));
  if (gates) json_object_set_new(step, "bias_h", names_in(graph, op->bias_h, G));
}

/* What the network does, step by step, for those who write it anew. */
static json_t *steps_json(const Net *net) {
  json_t *list = json_array();
  for (size_t i = 0; i < net->graph.ops; i++) {
    const Op *op = &net->graph.op[i];
    const size_t which = find_op(op->ops);
    if (which == COUNT_OF(known)) continue;
    json_t *in = json_array();
    for (size_t k = 0; k < op->inputs; k++)
      json_array_append_new(in, json_integer(op->in[k]));
    json_t *step = json_pack("{s:s,s:o,s:i,s:I}", "op", known[which].name, "in", in, "out", op->out,
                             "width", (json_int_t)op->out_width);
    if (op->act != ACT_NONE)
      json_object_set_new(step, "act", json_string(act_names[op->act <= ACT_GELU ? op->act : 0]));
    if (op->ops == &op_rescale)
      json_object_set_new(step, "column", json_integer((json_int_t)op->column));
    if (op->ops == &op_gru || op->ops == &op_lstm)
      json_object_set_new(step, "memory_at", json_integer((json_int_t)op->state_at));
    if (op->ops == &op_attend) json_object_set_new(step, "top", json_integer((json_int_t)op->top));
    if (op->bf16) json_object_set_new(step, "bfloat16", json_true());
    if (op->ops == &op_conv) {
      const ConvShape *c = &op->conv;
      json_object_set_new(step, "conv",
                          json_pack("{s:[III],s:[III],s:I,s:I,s:I,s:b}", "in",
                                    (json_int_t)c->in_channels, (json_int_t)c->in_height,
                                    (json_int_t)c->in_width, "out", (json_int_t)c->out_channels,
                                    (json_int_t)c->out_height, (json_int_t)c->out_width, "kernel",
                                    (json_int_t)c->kernel, "stride", (json_int_t)c->stride, "pad",
                                    (json_int_t)c->pad, "channels_last", c->step_channel == 1));
    }
    put_layers(&net->graph, op, step);
    json_array_append_new(list, step);
  }
  return list;
}

/* A number, or a word where JSON has none. */
static json_t *bound(float value) {
  if (value > 3e38f) return json_string("inf");
  if (value < -3e38f) return json_string("-inf");
  return json_real((double)value);
}

static json_t *kinds_json(const Env *env) {
  json_t *list = json_array();
  for (uint32_t k = 0; k < env->spec.kinds; k++) {
    const AgonKind *kind = &env->spec.kind[k];
    json_t *entry = json_pack("{s:o,s:o,s:o,s:i}", "observation_shape",
                              json_numbers(kind->observation_shape, 3), "observation_low",
                              bound(kind->observation_low), "observation_high",
                              bound(kind->observation_high), "heads", (int)kind->heads);
    if (kind->name) json_object_set_new(entry, "name", json_string(kind->name));
    if (kind->action_kind != AGON_BOX)
      json_object_set_new(entry, "head_size", json_numbers(kind->head_size, kind->heads));
    json_array_append_new(list, entry);
  }
  return list;
}

/* The range of each agent's numbers. */
static json_t *ranges_json(const Env *env, bool high) {
  json_t *list = json_array();
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    json_t *row = json_array();
    for (uint32_t h = 0; h < env->layout.heads; h++) {
      float range[2];
      env_action_range(env, a, h, &range[0], &range[1]);
      json_array_append_new(row, json_real((double)range[high]));
    }
    json_array_append_new(list, row);
  }
  return list;
}

/* What each choice of each head is called; NULL: the env does not say. */
static json_t *choice_names(const Env *env) {
  if (!env->table->action_name || env->layout.action_kind == AGON_BOX) return NULL;
  json_t *heads = json_array();
  for (uint32_t h = 0; h < env->layout.heads; h++) {
    json_t *list = json_array();
    for (uint32_t i = 0; i < env->layout.head_size[h]; i++) {
      const char *name = env->table->action_name(env->params, h, i);
      json_array_append_new(list, name ? json_string(name) : json_null());
    }
    json_array_append_new(heads, list);
  }
  return heads;
}

static json_t *action_json(const Net *net, const Env *env) {
  static const char *const kinds[] = {"discrete", "multi_discrete", "box"};
  json_t *action = json_pack("{s:s,s:i}", "kind", kinds[env->layout.action_kind], "heads",
                             (int)env->layout.heads);
  if (env->layout.action_kind == AGON_BOX) {
    json_object_set_new(action, "low", ranges_json(env, false));
    json_object_set_new(action, "high", ranges_json(env, true));
  } else {
    json_object_set_new(action, "head_size", json_numbers(env_head_sizes(env), env->layout.heads));
  }
  json_t *names = choice_names(env);
  if (names) json_object_set_new(action, "names", names);
  if (net->gates) json_object_set_new(action, "speaks", json_true());
  return action;
}

/* What the outputs are. */
static const char *output_word(const Net *net) {
  static const char *const words[] = {"logits", "means_and_log_deviations", "worths",
                                      "squashed_means"};
  return words[rule_of(net)];
}

static json_t *agents_json(const Env *env) {
  json_t *agents = json_object();
  json_t *team_of = json_array();
  json_t *kind_of = json_array();
  for (uint32_t a = 0; a < env->spec.agents; a++) {
    json_array_append_new(team_of, json_integer(env->spec.team_of[a]));
    json_array_append_new(kind_of, json_integer(env->spec.kind_of[a]));
  }
  json_object_set_new(agents, "count", json_integer(env->spec.agents));
  json_object_set_new(agents, "team_of", team_of);
  json_object_set_new(agents, "kind_of", kind_of);
  return agents;
}

/* What the network takes besides observations, and gives besides actions. */
static json_t *network_json(const Net *net) {
  json_t *network = json_pack("{s:s,s:o,s:i,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "outputs",
                              output_word(net), "steps", steps_json(net), "logits", net->logits,
                              "value", net->value, "log_std", net->log_std, "links", net->links,
                              "memory", (json_int_t)net->graph.state_size, "recurrent",
                              (json_int_t)net->recurrent, "last_action", (json_int_t)net->lasts,
                              "ids", (json_int_t)net->ids, "id_span", (json_int_t)net->id_span,
                              "team", (json_int_t)net_team(net), "copies", (json_int_t)net->copies);
  if (net->ids) json_object_set_new(network, "id_of", json_numbers(net->id_of, net->agents));
  if (net->copies > 1)
    json_object_set_new(network, "copy_of", json_numbers(net->copy_of, net->agents));
  if (talk_of(net) == TALK_NEAREST)
    json_object_set_new(network, "nearest", json_integer(net->config.messages.nearest));
  return network;
}

/* All that is known of the agent, as one object; the caller's. */
static json_t *metadata_of(const ExportSource *source) {
  const Env *env = source->env;
  char hash[HASH_TEXT];
  hash_text(source->who->hash, hash);
  json_t *root = json_pack(
      "{s:s,s:s,s:s,s:s,s:{s:s,s:s,s:i},s:{s:s,s:o,s:o,s:o},s:o,s:o,s:o,s:o}", "format",
      "agon agent 1", "agon", AGON_VERSION, "player", source->player, "hash", hash, "env", "name",
      env->table->name, "title", env->title, "version", (int)env->table->version, "observation",
      "type", env->layout.observation_type == AGON_U8 ? "uint8" : "float32", "shape",
      json_numbers(env->layout.observation_shape, 3), "low", bound(env->layout.observation_low),
      "high", bound(env->layout.observation_high), "action", action_json(source->who->net, env),
      "agents", agents_json(env), "kinds", kinds_json(env), "network",
      network_json(source->who->net));
  if (root && source->facts) json_object_update(root, (json_t *)source->facts);
  return root;
}

/* --- the file --- */

static void pad(Bytes *out) {
  while (out->size % 8 != 0 && !out->failed)
    bytes_u8(out, 0);
}

static void seal(Bytes *file) {
  const uint32_t sum = format_checksum(file->data + FORMAT_SUMMED, file->size - FORMAT_SUMMED);
  memcpy(file->data + FORMAT_MAGIC_SIZE + sizeof(uint32_t), &sum, sizeof sum);
}

/* Head and parts; lengths and checksum are filled in at the end. */
static void put_file(const Bytes part[FORMAT_PARTS], Bytes *out) {
  bytes_put(out, FORMAT_MAGIC, FORMAT_MAGIC_SIZE);
  bytes_u32(out, AGON_AGENT_FORMAT);
  bytes_u32(out, 0);
  bytes_u64(out, 0);
  for (size_t i = 0; i < FORMAT_PARTS; i++)
    bytes_u64(out, part[i].size);
  while (out->size < FORMAT_HEAD && !out->failed)
    bytes_u8(out, 0);
  for (size_t i = 0; i < FORMAT_PARTS; i++) {
    bytes_put(out, part[i].data, part[i].size);
    pad(out);
  }
  if (out->failed) return;
  const uint64_t size = out->size;
  memcpy(out->data + FORMAT_SUMMED, &size, sizeof size);
  seal(out);
}

Status export_agent(const ExportSource *source, Bytes *out) {
  Status status = OK;
  const Net *net = source->who->net;
  const size_t numbers = net->copies * net->stride;
  ModelStep step[MODEL_STEPS];
  uint32_t steps;
  Bytes part[FORMAT_PARTS] = {{0}};
  char *text = NULL;
  json_t *root = NULL;
  TRY(take_steps(net, step, &steps));
  const Model model = model_of(net, source->env, steps);
  root = metadata_of(source);
  text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
  if (!text)
    TRY(status_set(ERR_USAGE,
                   "exporting %s: what is known of it, or of its env, cannot be written as JSON: a "
                   "name is no UTF-8, or a bound no number",
                   source->player));
  bytes_put(&part[PART_METADATA], text, strlen(text));
  put_spec(source, &model, step, &part[PART_SPEC]);
  put_views(net, &part[PART_VIEWS]);
  bytes_put(&part[PART_NUMBERS], source->who->block, numbers * sizeof(float));
  put_file(part, out);
  for (size_t i = 0; i < FORMAT_PARTS; i++)
    out->failed |= part[i].failed;
  if (out->failed) TRY(status_set(ERR_MEMORY, "out of memory exporting %s", source->player));
done:
  for (size_t i = 0; i < FORMAT_PARTS; i++)
    bytes_free(&part[i]);
  free(text);
  json_decref(root);
  return status;
}

/* The numbers are the last part. */
Status export_with_numbers(const Bytes *agent, const float *block, size_t count, Bytes *out) {
  const size_t size = count * sizeof *block;
  bytes_put(out, agent->data, agent->size);
  if (out->failed) return status_set(ERR_MEMORY, "out of memory exporting a player");
  memcpy(out->data + out->size - ((size + 7) & ~(size_t)7), block, size);
  seal(out);
  return OK;
}

/* What libagon says of it is its own words. */
Status export_read(const Bytes *bytes, AgentFile *out) {
  AgonError error;
  const AgonAgentStatus status = format_read(bytes->data, bytes->size, "the agent", out, &error);
  if (status == AGON_AGENT_OK) return OK;
  return status_set(status == AGON_AGENT_MEMORY ? ERR_MEMORY : ERR_INTERNAL, "%s", error.text);
}

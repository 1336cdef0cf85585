#include "job/sources.h"

#include "base/file.h"
#include "base/text.h"
#include "export/export.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sources_free(Sources *sources) {
  for (size_t i = 0; i < sources->count; i++)
    bytes_free(&sources->item[i].file);
  free(sources->item);
  *sources = (Sources){0};
}

const Source *sources_find(const Sources *sources, const char *text) {
  for (size_t i = 0; i < sources->count; i++)
    if (!strcmp(sources->item[i].text, text)) return &sources->item[i];
  return NULL;
}

/* --- finding them --- */
/* A policy as a file of its own, by the settings that lie beside it. */
static Status export_policy(const Tree *tree, const char *where, const char *name,
                            const Item *policy, Bytes *out) {
  Status status = OK;
  const Item *config;
  JobConfig *settings = NULL;
  GameFacts recorded = {.title = NULL};
  bool known;
  Contestant who = {.net = NULL};
  TRY(tree_get(tree, "config", STORE_TEXT, 1, &config));
  TRY(facts_load(tree, &recorded, &known));
  const JobConfigSource source = {
      .stored = config->data, .recorded = known ? &recorded : NULL, .where = where};
  TRY(job_config_create(&source, &settings));
  TRY(contestant_policy(name, &settings->net, settings->env, policy->data, policy->count, &who));
  const ExportSource agent = {.who = &who, .player = name, .env = settings->env};
  TRY(export_agent(&agent, out));
done:
  contestant_destroy(&who);
  job_config_destroy(settings);
  facts_free(&recorded);
  return status;
}

static Status of_player_file(const char *path, Bytes *out) {
  Tree tree;
  const Item *policy;
  char name[PLAYER_NAME];
  TRY_RETURN(store_read(path, "player", &tree));
  Status status = tree_get(&tree, "policy", STORE_F32, -1, &policy);
  if (status == OK) status = tree_get_text(&tree, "@name", name, sizeof name);
  if (status == OK) status = export_policy(&tree, path, name, policy, out);
  tree_free(&tree);
  return status;
}

/* A player of a checkpoint: a frozen one is in a file of its own. */
static Status of_checkpoint(const Tree *tree, const RunFolder *run, const char *name, Bytes *out) {
  Status status = OK;
  League league = {.players = 0};
  char path[PATH_MAX];
  const Item *policy;
  const Item *names;
  const Item *hashes;
  const Item *frozen;
  size_t at = 0;
  TRY(tree_get(tree, "league/name", STORE_TEXT, -1, &names));
  TRY(tree_get(tree, "league/hash", STORE_TEXT, (int64_t)names->count, &hashes));
  TRY(tree_get(tree, "league/frozen", STORE_U32, (int64_t)names->count, &frozen));
  while (at < names->count && strcmp((const char *)names->data + at * names->size, name))
    at++;
  if (at == names->count)
    TRY(status_set(ERR_USAGE, "%s has no player '%s': agon league show lists them", run->path,
                   name));
  if (((const uint32_t *)frozen->data)[at]) {
    TRY(run_frozen_path(run->path, name, (const char *)hashes->data + at * hashes->size, "", path,
                        sizeof path));
    TRY(of_player_file(path, out));
  } else {
    TRY(text_format(path, STORE_PATH, "players/%s/policy_average", name));
    if (!tree_find(tree, path)) TRY(text_format(path, STORE_PATH, "players/%s/policy", name));
    TRY(tree_get(tree, path, STORE_F32, -1, &policy));
    TRY(export_policy(tree, run->path, name, policy, out));
  }
done:
  league_free(&league);
  return status;
}

static Status of_run(const char *text, const char *colon, Bytes *out) {
  char path[OPTION_TEXT];
  Tree tree = {0};
  RunFolder run;
  uint64_t generation;
  TRY_RETURN(text_format(path, sizeof path, "%.*s", (int)(colon - text), text));
  TRY_RETURN(run_open(path, &run));
  Status status = run_read_checkpoint(&run, &tree, &generation);
  if (status == OK) status = of_checkpoint(&tree, &run, colon + 1, out);
  tree_free(&tree);
  run_close(&run);
  return status;
}

/* The bytes of a file. */
static Status read_file(const char *path, Bytes *out) {
  char *bytes;
  size_t size;
  TRY_RETURN(file_read(path, &bytes, &size));
  bytes_put(out, bytes, size);
  free(bytes);
  return out->failed ? status_set(ERR_MEMORY, "out of memory reading %s", path) : OK;
}

static Status find_source(const char *text, Bytes *out) {
  const char *colon = strrchr(text, ':');
  if (text_ends_in(text, ".agon")) return read_file(text, out);
  if (text_ends_in(text, ".h5")) return of_player_file(text, out);
  if (colon && colon > text && colon[1]) return of_run(text, colon, out);
  return status_set(ERR_USAGE,
                    "'%.200s' is no agent to learn from: RUN:PLAYER, a player's FILE.h5, or "
                    "FILE.agon of agon export",
                    text);
}

static Status kept_path(const char *folder, const char *hash, char *out, size_t size) {
  return text_format(out, size, "%s/players/source-%.8s.agon", folder, hash);
}

/* The run's own copy of what a text named when it was first named. *found: there is one. */
static Status find_kept(const Tree *checkpoint, const char *folder, const char *text, Bytes *out,
                        bool *found) {
  const Item *texts;
  const Item *hashes;
  char path[PATH_MAX];
  char now[HASH_TEXT];
  *found = false;
  if (!checkpoint || !tree_find(checkpoint, "sources/text")) return OK;
  TRY_RETURN(tree_get(checkpoint, "sources/text", STORE_TEXT, -1, &texts));
  TRY_RETURN(tree_get(checkpoint, "sources/hash", STORE_TEXT, (int64_t)texts->count, &hashes));
  for (size_t i = 0; i < texts->count; i++) {
    const char *hash = (const char *)hashes->data + i * hashes->size;
    if (strcmp((const char *)texts->data + i * texts->size, text)) continue;
    *found = true;
    TRY_RETURN(kept_path(folder, hash, path, sizeof path));
    TRY_RETURN(read_file(path, out));
    hash_text(hash_bytes(out->data, out->size), now);
    if (!strcmp(hash, now)) return OK;
    return status_set(ERR_FORMAT, "%s is not the agent that the checkpoint names", path);
  }
  return OK;
}

static Status add_source(const char *key, const char *text, const Tree *checkpoint,
                         const char *folder, Sources *out) {
  bool found;
  if (!*text || sources_find(out, text)) return OK;
  TRY_RETURN(GROW(out->item, out->room, out->count + 1));
  Source *source = &out->item[out->count++];
  *source = (Source){.hash = ""};
  TRY_RETURN(text_format(source->text, sizeof source->text, "%s", text));
  TRY_RETURN(find_kept(checkpoint, folder, text, &source->file, &found));
  if (!found) {
    const Status status = find_source(text, &source->file);
    if (status != OK) return status_context(status, "%s", key);
  }
  hash_text(hash_bytes(source->file.data, source->file.size), source->hash);
  return OK;
}

/* That each can be learned from as it is to be, before anything begins. */
static Status check(const JobConfig *s, const Sources *sources) {
  Status status = OK;
  Net *net = NULL;
  Heritage heritage = {.told = ""};
  const Source *first = sources_find(sources, s->learner.init_from);
  TRY(net_create(&s->net, &s->env->layout, &s->env->spec, &net));
  if (first) TRY(heritage_create(first, net, &heritage));
  for (size_t i = 0; i < sources->count; i++) {
    Teacher *teacher = NULL;
    bool teaches = !strcmp(s->learner.teacher, sources->item[i].text);
    for (size_t p = 0; s->learner_of && p < s->roster.count; p++)
      teaches |= !strcmp(s->learner_of[p].teacher, sources->item[i].text);
    if (teaches) TRY(teacher_create(&sources->item[i], s->env, net, &teacher));
    teacher_destroy(teacher);
  }
done:
  heritage_free(&heritage);
  net_destroy(net);
  return status;
}

Status sources_gather(const JobConfig *s, const Tree *checkpoint, const char *folder,
                      Sources *out) {
  *out = (Sources){0};
  TRY_RETURN(add_source("learner.init_from", s->learner.init_from, checkpoint, folder, out));
  TRY_RETURN(add_source("learner.teacher", s->learner.teacher, checkpoint, folder, out));
  for (size_t p = 0; s->learner_of && p < s->roster.count; p++)
    TRY_RETURN(add_source("a player's teacher", s->learner_of[p].teacher, checkpoint, folder, out));
  return out->count ? check(s, out) : OK;
}

/* --- keeping them, and giving them to others --- */
Status sources_keep(const Sources *sources, const RunFolder *run) {
  for (size_t i = 0; i < sources->count; i++) {
    const Source *source = &sources->item[i];
    char path[PATH_MAX];
    TRY_RETURN(kept_path(run->path, source->hash, path, sizeof path));
    if (file_exists(path)) continue;
    TRY_RETURN(file_write_durable(path, source->file.data, source->file.size));
  }
  return OK;
}

Status sources_save(const Sources *sources, Tree *header) {
  Status status = OK;
  char *text = NULL;
  char *hash = NULL;
  const size_t n = sources->count;
  if (n == 0) return OK;
  TRY(NEW_ARRAY(text, n * OPTION_TEXT));
  TRY(NEW_ARRAY(hash, n * HASH_TEXT));
  for (size_t i = 0; i < n; i++) {
    memcpy(text + i * OPTION_TEXT, sources->item[i].text, OPTION_TEXT);
    memcpy(hash + i * HASH_TEXT, sources->item[i].hash, HASH_TEXT);
  }
  TRY(tree_put_texts(header, "sources/text", n, OPTION_TEXT, text));
  TRY(tree_put_texts(header, "sources/hash", n, HASH_TEXT, hash));
done:
  free(text);
  free(hash);
  return status;
}

void sources_encode(const Sources *sources, Bytes *out) {
  bytes_u32(out, (uint32_t)sources->count);
  for (size_t i = 0; i < sources->count; i++) {
    const Source *source = &sources->item[i];
    bytes_text(out, source->text);
    bytes_text(out, source->hash);
    bytes_u64(out, source->file.size);
    bytes_put(out, source->file.data, source->file.size);
  }
}

Status sources_decode(Sources *out, Reader *reader) {
  const uint32_t count = reader_u32(reader);
  *out = (Sources){0};
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    TRY_RETURN(GROW(out->item, out->room, out->count + 1));
    Source *source = &out->item[out->count++];
    reader_text(reader, source->text, sizeof source->text);
    reader_text(reader, source->hash, sizeof source->hash);
    const size_t size = reader_count(reader, 1);
    const void *bytes = reader_take(reader, size);
    if (bytes) bytes_put(&source->file, bytes, size);
    if (source->file.failed)
      return status_set(ERR_MEMORY, "out of memory for agents to learn from");
  }
  return reader->bad ? status_set(ERR_FORMAT, "the list of agents to learn from is damaged") : OK;
}

/* --- beginning as somebody --- */
void heritage_free(Heritage *heritage) {
  free(heritage->from.layer);
  format_free(&heritage->file);
  *heritage = (Heritage){.told = ""};
}

/* libagon's words on a file that it cannot read. */
static Status read_agent(const Source *source, AgentFile *out) {
  AgonError error = {.text = ""};
  const AgonAgentStatus how =
      format_read(source->file.data, source->file.size, source->text, out, &error);
  if (how == AGON_AGENT_OK) return OK;
  return status_set(how == AGON_AGENT_MEMORY ? ERR_MEMORY : ERR_FORMAT, "%s", error.text);
}

static const FormatView *view_named(const AgentFile *file, const char *name) {
  for (size_t i = 0; i < file->views; i++)
    if (!strcmp(file->view[i].name, name)) return &file->view[i];
  return NULL;
}

static bool same_shape(const View *a, const FormatView *b) {
  if (a->dims != b->dims || a->count != b->count) return false;
  for (size_t d = 0; d < a->dims; d++)
    if (a->shape[d] != b->shape[d]) return false;
  return true;
}

/* Copy `k` of the network takes what the file's copy `k` has, or its only one. */
static Status take(Heritage *to, size_t k, size_t stride, size_t offset, const FormatView *view) {
  const Model *m = &to->file.model;
  const size_t from = k < m->copies ? k : 0;
  size_t room = to->from.layers;
  TRY_RETURN(GROW(to->from.layer, room, to->from.layers + 1));
  to->from.layer[to->from.layers++] = (struct InheritedLayer){
      .offset = k * stride + offset,
      .count = view->count,
      .value = m->block + from * m->stride + view->offset,
  };
  return OK;
}

static Status take_all(Heritage *to, const Net *net, size_t offset, const FormatView *view) {
  for (size_t k = 0; k < net->copies; k++)
    TRY_RETURN(take(to, k, net->stride, offset, view));
  return OK;
}

/* Whether values of the file are in another unit than this network's would be. */
static bool other_unit(const Heritage *to, const Net *net) {
  const FormatView *mean = view_named(&to->file, "value_unit.mean");
  const FormatView *scale = view_named(&to->file, "value_unit.scale");
  if (net->config.normalise_returns || !mean || !scale) return false;
  const float *block = to->file.model.block;
  const float m = block[mean->offset];
  const float s = block[scale->offset];
  return m < 0 || m > 0 || s < 1 || s > 1;
}

/* Constants are no layers, but what these were learned with. */
static Status take_constants(Heritage *to, const Net *net) {
  const FormatView *mean = view_named(&to->file, "normaliser.mean");
  const FormatView *scale = view_named(&to->file, "normaliser.scale");
  const FormatView *centre = view_named(&to->file, "value_unit.mean");
  const FormatView *unit = view_named(&to->file, "value_unit.scale");
  if (net->scale_at && mean && scale && mean->count == net->graph.width[0]) {
    TRY_RETURN(take_all(to, net, net->mean_at, mean));
    TRY_RETURN(take_all(to, net, net->scale_at, scale));
    to->from.normaliser = true;
  }
  if (net->config.normalise_returns && centre && unit) {
    TRY_RETURN(take_all(to, net, net->return_at, centre));
    TRY_RETURN(take_all(to, net, net->return_at + 1, unit));
    to->from.unit = true;
  }
  return OK;
}

static void shape_text(size_t dims, const size_t *shape, char *out, size_t size) {
  size_t used = 0;
  out[0] = 0;
  for (size_t d = 0; d < dims && used < size; d++)
    used += (size_t)snprintf(out + used, size - used, "%s%zu", d ? "x" : "", shape[d]);
}

/* What is left over is told with both shapes; a list that is too long is cut. */
static void tell_left(Heritage *to, const View *view, const FormatView *there, bool unit) {
  char here[48];
  char other[48] = "not there";
  size_t shape[4];
  const size_t used = strlen(to->told);
  shape_text(view->dims, view->shape, here, sizeof here);
  for (size_t d = 0; there && d < there->dims; d++)
    shape[d] = there->shape[d];
  if (there) shape_text(there->dims, shape, other, sizeof other);
  snprintf(to->told + used, sizeof to->told - used, "%s%s (%s here, %s)",
           used ? ", " : "; at random: ", view->name, here, unit ? "another unit" : other);
}

Status heritage_create(const Source *source, const Net *net, Heritage *out) {
  size_t taken = 0;
  size_t matrices = 0; /* of these: a bias of one number fits everywhere, and is nobody's skill */
  char left[sizeof out->told];
  *out = (Heritage){.told = ""};
  TRY_RETURN(read_agent(source, &out->file));
  const bool unit = other_unit(out, net);
  for (size_t v = 0; v < net->graph.views; v++) {
    const View *view = &net->graph.view[v];
    const FormatView *there = view_named(&out->file, view->name);
    const bool foreign = unit && !strncmp(view->name, "value.", 6);
    if (!there || !same_shape(view, there) || foreign) {
      tell_left(out, view, there, foreign && there);
      continue;
    }
    TRY_RETURN(take_all(out, net, view->offset, there));
    matrices += view->dims > 1;
    taken++;
  }
  memcpy(left, out->told, sizeof left);
  if (matrices == 0)
    return status_set(ERR_USAGE, "learner.init_from: no layer of %s fits this network%s",
                      source->text, left);
  TRY_RETURN(take_constants(out, net));
  snprintf(out->told, sizeof out->told, "%zu of %zu layers%s%.300s", taken, net->graph.views,
           out->from.normaliser ? ", and what normalises observations" : "", left);
  return OK;
}

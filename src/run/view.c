#include "run/view.h"

#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Status job_config_of(const Tree *tree, const GameFacts *facts, JobConfig **out) {
  const Item *config;
  TRY_RETURN(tree_get(tree, "config", STORE_TEXT, 1, &config));
  JobConfigSource source = {.stored = config->data, .facts = facts};
  return job_config_create(&source, out);
}

/* Without opening a plug-in, where its facts are known. */
static Status job_config_by_facts(const Tree *tree, JobConfig **out) {
  GameFacts facts;
  bool known;
  TRY_RETURN(facts_load(tree, &facts, &known));
  Status status = job_config_of(tree, known ? &facts : NULL, out);
  facts_free(&facts);
  return status;
}

static Status open_run(const char *path, bool code, RunView *out) {
  Status status = OK;
  *out = (RunView){.folder = {.lock = -1}};
  TRY(run_open(path, &out->folder));
  TRY(run_read_checkpoint(&out->folder, &out->tree, &out->generation));
  TRY(code ? job_config_of(&out->tree, NULL, &out->settings) : job_config_by_facts(&out->tree, &out->settings));
  const GameFacts *game = &out->settings->game;
  TRY(league_create(&out->settings->league, (uint64_t)out->settings->run.seed, game->reward_low, game->reward_high,
                    &out->league));
  TRY(league_load(&out->league, &out->tree));
done:
  if (status != OK) run_view_close(out);
  return status;
}

Status run_view_open(const char *path, RunView *out) { return open_run(path, true, out); }

Status run_view_look(const char *path, RunView *out) { return open_run(path, false, out); }

void run_view_close(RunView *run) {
  tree_free(&run->tree);
  job_config_destroy(run->settings);
  league_free(&run->league);
  *run = (RunView){.folder = {.lock = -1}};
}

static Status from_file(const char *path, const char *label, const Env *env, Contestant *out) {
  Status status = OK;
  Tree tree = {0};
  JobConfig *settings = NULL;
  const Item *policy;
  char name[PLAYER_NAME];
  TRY(store_read(path, "player", &tree));
  TRY(job_config_of(&tree, NULL, &settings));
  TRY(env_check_same(settings->env, env, path));
  TRY(tree_get(&tree, "policy", STORE_F32, -1, &policy));
  TRY(tree_get_text(&tree, "@name", name, sizeof name));
  TRY(contestant_policy(label ? label : name, &settings->net, env, policy->data, policy->count, out));
done:
  job_config_destroy(settings);
  tree_free(&tree);
  return status;
}

static Status unknown_player(const char *name, const RunView *run) {
  const char *near = NULL;
  size_t distance;
  size_t least = SIZE_MAX;
  if (text_is_near(name, "random", &least)) near = "random";
  for (size_t i = 0; i < run->league.players; i++) {
    const char *candidate = run->league.player[i].name;
    if (!text_is_near(name, candidate, &distance) || (near && distance >= least)) continue;
    least = distance;
    near = candidate;
  }
  return status_set(ERR_USAGE, "%s has no player '%s'%s%s%s 'agon league show %s' lists them", run->folder.path, name,
                    near ? ", did you mean '" : ";", near ? near : "", near ? "'?" : "", run->folder.path);
}

static Status from_run(const char *name, const RunView *run, const Env *env, Contestant *out) {
  char plain[PLAYER_NAME] = "";
  size_t stem = strlen(name) > 8 && !strcmp(name + strlen(name) - 8, ".average") ? strlen(name) - 8 : strlen(name);
  if (stem < sizeof plain) memcpy(plain, name, stem);
  TRY_RETURN(env_check_same(run->settings->env, env, run->folder.path));
  int64_t id = league_find(&run->league, plain);
  if (id < 0) return unknown_player(name, run);
  const Player *player = &run->league.player[id];
  char path[PATH_MAX];
  if (player->frozen) {
    TRY_RETURN(text_format(path, sizeof path, "%s/players/%s-%.8s.h5", run->folder.path, player->name, player->hash));
    return from_file(path, name, env, out);
  }
  const Item *policy;
  TRY_RETURN(text_format(path, STORE_PATH, "players/%s/policy%s", plain, name[stem] ? "_average" : ""));
  TRY_RETURN(tree_get(&run->tree, path, STORE_F32, -1, &policy));
  return contestant_policy(name, &run->settings->net, env, policy->data, policy->count, out);
}

Status run_view_player(const char *text, const RunView *run, const Env *env, Contestant *out) {
  size_t size = strlen(text);
  if (builtin_find(text)) return contestant_builtin(text, env, out);
  if (size > 3 && !strcmp(text + size - 3, ".h5")) return from_file(text, NULL, env, out);
  const char *colon = strrchr(text, ':');
  if (colon) {
    char path[PATH_MAX];
    RunView other;
    TRY_RETURN(text_format(path, sizeof path, "%.*s", (int)(colon - text), text));
    TRY_RETURN(run_view_open(path, &other));
    Status status = from_run(colon + 1, &other, env, out);
    if (status == OK) status = text_format(out->label, sizeof out->label, "%s", text);
    run_view_close(&other);
    return status;
  }
  if (!run) return status_set(ERR_USAGE, "'%s' is no built-in and no snapshot file; name the run, RUN:%s", text, text);
  return from_run(text, run, env, out);
}

Status run_view_players(const char *list, const RunView *run, const Env *env, Contestant **out, size_t *count) {
  size_t room = 0;
  *out = NULL;
  *count = 0;
  for (const char *at = list; *at;) {
    size_t length = strcspn(at, ",");
    char word[1024];
    TRY_RETURN(text_item(at, length, word, sizeof word));
    TRY_RETURN(GROW(*out, room, *count + 1));
    TRY_RETURN(run_view_player(word, run, env, &(*out)[*count]));
    (*count)++;
    at += length + (at[length] == ',');
  }
  return *count ? OK : status_set(ERR_USAGE, "no players given");
}

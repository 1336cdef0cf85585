#include "run/view.h"

#include "agent/program.h"
#include "base/text.h"
#include "classics/player.h"
#include "job/guests.h"
#include "job/plugin.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The settings that a file holds. code: with the game itself; else without opening a plug-in, where
 * the file says enough about it. of: settings of the run that the file belongs to, whose plug-in is
 * known already; NULL: none. where: the file or run, for messages. */
static Status job_config_of(const Tree *tree, bool code, const JobConfig *of, const char *where,
                            JobConfig **out) {
  Status status = OK;
  const Item *config;
  GameFacts facts = {.title = NULL};
  bool known;
  TRY(tree_get(tree, "config", STORE_TEXT, 1, &config));
  TRY(facts_load(tree, &facts, &known));
  const GameFacts *recorded = known ? &facts : NULL;
  TRY(job_config_create(
      &(JobConfigSource){
          .stored = config->data,
          .facts = code ? NULL : recorded,
          .recorded = recorded,
          .game = of ? of->run.game : NULL,
          .accepted = of ? of->game.accepted : NULL,
          .where = where,
      },
      out));
done:
  facts_free(&facts);
  return status;
}

/* ERR_USAGE unless a player's game is the one that is played, with the same options and rules: its
 * plug-in is the same, or was taken for the same. */
static Status check_same_game(const JobConfig *settings, const Env *env, const char *where) {
  GameFacts played;
  if (settings->env == env) return OK;
  TRY_RETURN(env_check_same(settings->env, env, where));
  TRY_RETURN(facts_of(env, &played));
  Status status = plugin_check_build(&settings->game, &played, where);
  facts_free(&played);
  return status;
}

/* Everything comes from the newest whole checkpoint. */
static Status open_run(const char *path, bool code, RunView *out) {
  Status status = OK;
  Roster roster = {0};
  *out = (RunView){.folder = {.lock = -1}};
  TRY(run_open(path, &out->folder));
  TRY(run_read_checkpoint(&out->folder, &out->tree, &out->generation));
  TRY(job_config_of(&out->tree, code, NULL, path, &out->settings));
  const GameFacts *game = &out->settings->game;
  TRY(league_create(&out->settings->league, (uint64_t)out->settings->run.seed, game->reward_low,
                    game->reward_high, &out->league));
  TRY(league_load(&out->league, &out->tree));
  TRY(roster_of_checkpoint(&out->tree, &roster));
  TRY(job_config_take_roster(out->settings, &roster));
  TRY(league_take_rules(&out->league, out->settings->rules_of));
done:
  roster_free(&roster);
  if (status != OK) run_view_close(out);
  return status;
}

/* Opens the game's code too, so that its players can play. */
Status run_view_open(const char *path, RunView *out) {
  return open_run(path, true, out);
}

/* Does with what the run says about its game. */
Status run_view_look(const char *path, RunView *out) {
  return open_run(path, false, out);
}

/* Also for one that was only half opened. */
void run_view_close(RunView *run) {
  tree_free(&run->tree);
  job_config_destroy(run->settings);
  league_free(&run->league);
  *run = (RunView){.folder = {.lock = -1}};
}

const uint64_t *run_view_counters(const RunView *run) {
  const Item *item;
  if (tree_get(&run->tree, RUN_COUNTERS_PATH, STORE_U64, RUN_COUNTERS, &item) != OK) return NULL;
  return item->data;
}

/* The side that a player always plays; 0 where its file names none. */
static Status read_side(const Tree *tree, uint32_t *out) {
  uint64_t side = 0;
  if (tree_find(tree, "@side")) TRY_RETURN(tree_get_u64(tree, "@side", &side));
  if (side > SEATS) return tree_fault(tree, "@side", -1, "is no side of two");
  *out = (uint32_t)side;
  return OK;
}

/* A player from the contents of a file that holds a network's weights. run: that the file belongs
 * to; NULL: not known. */
static Status from_weights(const Tree *tree, const char *path, const char *label,
                           const RunView *run, const Env *env, Contestant *out) {
  Status status = OK;
  JobConfig *settings = NULL;
  const Item *policy;
  uint32_t side = 0;
  char name[PLAYER_NAME];
  TRY(job_config_of(tree, true, run ? run->settings : NULL, path, &settings));
  TRY(check_same_game(settings, env, path));
  TRY(tree_get(tree, "policy", STORE_F32, -1, &policy));
  TRY(tree_get_text(tree, "@name", name, sizeof name));
  TRY(read_side(tree, &side));
  TRY(contestant_policy(label ? label : name, &settings->net, env, policy->data, policy->count,
                        out));
  out->side = side;
done:
  job_config_destroy(settings);
  return status;
}

/* A player from its file, which has weights or a table. */
static Status from_file(const char *path, const char *label, const RunView *run, const Env *env,
                        Contestant *out) {
  Status status = OK;
  Tree tree;
  char kind[16];
  TRY_RETURN(store_read(path, NULL, &tree));
  TRY(tree_get_text(&tree, "@kind", kind, sizeof kind));
  if (!strcmp(kind, TABLE_FILE_KIND))
    TRY(table_file_player(&tree, path, label, env, out));
  else if (!strcmp(kind, "player"))
    TRY(from_weights(&tree, path, label, run, env, out));
  else
    TRY(status_set(ERR_FORMAT, "%s: it is a '%s' file, not a 'player'", path, kind));
done:
  tree_free(&tree);
  return status;
}

/* ERR_USAGE with the nearest name. */
static Status unknown_player(const char *name, const RunView *run) {
  const char *near = NULL;
  size_t distance, least = SIZE_MAX;
  char word[PATH_MAX + 64];
  if (text_is_near(name, "random", &least)) near = "random";
  for (size_t i = 0; i < run->league.players; i++) {
    const char *candidate = run->league.player[i].name;
    if (!text_is_near(name, candidate, &distance) || (near && distance >= least)) continue;
    least = distance;
    near = candidate;
  }
  return status_set(ERR_USAGE, "%s has no player '%s'%s%s%s agon league show %s lists them",
                    run->folder.path, name, near ? ", did you mean '" : ";", near ? near : "",
                    near ? "'?" : "", text_quoted(run->folder.path, word, sizeof word));
}

/* A frozen player is in a file of its own, a learning one in the checkpoint. NAME.average is the
 * average of its policies. */
static Status from_run(const char *name, const RunView *run, const Env *env, Contestant *out) {
  char plain[PLAYER_NAME] = "";
  size_t stem = strlen(name) > 8 && !strcmp(name + strlen(name) - 8, ".average") ? strlen(name) - 8
                                                                                 : strlen(name);
  if (stem < sizeof plain) memcpy(plain, name, stem);
  TRY_RETURN(check_same_game(run->settings, env, run->folder.path));
  int64_t id = league_find(&run->league, plain);
  if (id < 0) return unknown_player(name, run);
  const Player *player = &run->league.player[id];
  char path[PATH_MAX];
  if (player->guest) return guests_contestant(run->settings, player, run->folder.path, env, out);
  if (player->frozen) {
    TRY_RETURN(text_format(path, sizeof path, "%s/players/%s-%.8s.h5", run->folder.path,
                           player->name, player->hash));
    return from_file(path, name, run, env, out);
  }
  const Item *policy;
  TRY_RETURN(
      text_format(path, STORE_PATH, "players/%s/policy%s", plain, name[stem] ? "_average" : ""));
  TRY_RETURN(tree_get(&run->tree, path, STORE_F32, -1, &policy));
  TRY_RETURN(contestant_policy(name, &run->settings->net, env, policy->data, policy->count, out));
  out->side = player->side;
  return OK;
}

/* "RUN:NAME": the label keeps the run, as two runs may have players of one name. */
static Status from_other_run(const char *text, const char *colon, const Env *env, Contestant *out) {
  char path[PATH_MAX];
  RunView other;
  TRY_RETURN(text_format(path, sizeof path, "%.*s", (int)(colon - text), text));
  TRY_RETURN(run_view_open(path, &other));
  Status status = from_run(colon + 1, &other, env, out);
  if (status == OK) status = text_format(out->label, sizeof out->label, "%s", text);
  run_view_close(&other);
  return status;
}

/* In the order in which a text can be one: a built-in, a program, a file, a player of a named run,
 * a player of `run`. */
Status run_view_player(const char *text, const RunView *run, const Env *env, Contestant *out) {
  if (builtin_find(text)) return contestant_builtin(text, env, out);
  if (program_named(text)) return contestant_program(text, env, out);
  if (text_ends_in(text, ".h5")) return from_file(text, NULL, NULL, env, out);
  if (text_ends_in(text, ".agon")) return contestant_exported(text, env, out);
  if (text_ends_in(text, ".onnx")) return contestant_onnx(text, env, out);
  const char *colon = strrchr(text, ':');
  if (colon) return from_other_run(text, colon, env, out);
  if (!run)
    return status_set(
        ERR_USAGE, "'%s' is no built-in and no file of a player; name the run, RUN:%s", text, text);
  return from_run(text, run, env, out);
}

/* All frozen mains of a run, oldest first. */
static Status add_snapshots(const RunView *run, const Env *env, Contestant **out, size_t *room,
                            size_t *count) {
  for (size_t i = 0; i < run->league.players; i++) {
    const Player *player = &run->league.player[i];
    if (!player->frozen || player->role != ROLE_MAIN) continue;
    TRY_RETURN(GROW(*out, *room, *count + 1));
    TRY_RETURN(from_run(player->name, run, env, &(*out)[*count]));
    (*count)++;
  }
  return OK;
}

/* On failure those that were made are the caller's to destroy. */
Status run_view_players(const char *list, const RunView *run, const Env *env, Contestant **out,
                        size_t *count) {
  size_t room = 0;
  *out = NULL;
  *count = 0;
  for (const char *at = list; *at;) {
    size_t length = strcspn(at, ",");
    char word[1024];
    TRY_RETURN(text_item(at, length, word, sizeof word));
    at += length + (at[length] == ',');
    if (run && !strcmp(word, "snapshots")) {
      TRY_RETURN(add_snapshots(run, env, out, &room, count));
      continue;
    }
    TRY_RETURN(GROW(*out, room, *count + 1));
    TRY_RETURN(run_view_player(word, run, env, &(*out)[*count]));
    (*count)++;
  }
  return *count ? OK : status_set(ERR_USAGE, "no players given");
}

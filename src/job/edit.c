#include "job/edit.h"

#include "actors/lanes.h"
#include "base/text.h"
#include "job/edit_lanes.h"
#include "job/rank.h"
#include "job/resume.h"
#include "learner/columns.h"
#include "league/ledger.h"
#include "league/library.h"
#include "nn/kernels/kernels.h"
#include "store/counters.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct Edit {
  /* borrowed from the job, or those below */
  Tree *tree;
  JobConfig *settings;
  RunFolder *run;
  /* owned, where the edit itself has opened the run */
  Tree own_tree;
  JobConfig *own_settings;
  RunFolder own_run;

  char who[64];
  uint64_t frames; /* of the run */
  Net *net;
  Algo *algo;
  Tree header;      /* of player files */
  Library *library; /* writes and reads them */
  League league;
  size_t before;  /* players at the beginning, and ... */
  uint32_t *map;  /* ... (before) where each of them is now: LANES_GONE: its games are abandoned */
  uint32_t *step; /* (room for all players) where a change has put them */
  size_t step_room;
  uint64_t abandoned;
};

/* --- opening --- */
/* Who makes the change, for the lineage: "name@host". */
static void name_user(char *out, size_t size) {
  char host[64] = "";
  const struct passwd *user = getpwuid(getuid());
  gethostname(host, sizeof host - 1);
  snprintf(out, size, "%s@%s", user ? user->pw_name : "?", host);
  for (char *at = out; *at; at++)
    if (*at < ' ' || *at > '~') *at = '?';
}

/* It knows policies by the ids of players: after these have changed it is another. */
static Status open_library(Edit *edit) {
  const LibrarySetup library = {
      .run = edit->run,
      .header = &edit->header,
      .block = edit->net->block,
      .clock = clock_system(),
  };
  library_destroy(edit->library);
  edit->library = NULL;
  return library_create(&library, &edit->library);
}

static Status open_parts(Edit *edit) {
  const JobConfig *s = edit->settings;
  const Item *counters;
  TRY_RETURN(net_create(&s->net, &s->env->layout, &s->env->spec, &edit->net));
  TRY_RETURN(job_config_algo(s, edit->net, &edit->algo));
  TRY_RETURN(rank_header(s, &edit->header));
  TRY_RETURN(open_library(edit));
  TRY_RETURN(league_create(&s->league, (uint64_t)s->run.seed, (double)s->env->spec.reward_low,
                           (double)s->env->spec.reward_high, &edit->league));
  TRY_RETURN(league_load(&edit->league, edit->tree));
  TRY_RETURN(tree_get(edit->tree, RUN_COUNTERS_PATH, STORE_U64, RUN_COUNTERS, &counters));
  edit->frames = ((const uint64_t *)counters->data)[RUN_FRAMES];
  edit->before = edit->league.players;
  TRY_RETURN(NEW_ARRAY(edit->map, edit->before));
  for (uint32_t i = 0; i < edit->before; i++)
    edit->map[i] = i;
  return OK;
}

Status edit_begin(Tree *tree, JobConfig *settings, RunFolder *run, Edit **out) {
  Status status = OK;
  Edit *edit = NULL;
  TRY(NEW_ARRAY(edit, 1));
  *edit = (Edit){.tree = tree, .settings = settings, .run = run, .own_run = {.lock = -1}};
  name_user(edit->who, sizeof edit->who);
  TRY(open_parts(edit));
  *out = edit;
  edit = NULL;
done:
  edit_close(edit);
  return status;
}

/* The stored settings, and the game's code: unfinished games are looked into. */
static Status read_settings(const Tree *tree, const char *where, JobConfig **out) {
  Status status = OK;
  const Item *config;
  GameFacts recorded = {.title = NULL};
  bool known;
  TRY(tree_get(tree, "config", STORE_TEXT, 1, &config));
  TRY(facts_load(tree, &recorded, &known));
  const JobConfigSource source = {
      .stored = config->data, .recorded = known ? &recorded : NULL, .where = where};
  TRY(job_config_create(&source, out));
done:
  facts_free(&recorded);
  return status;
}

Status edit_open(const char *run, Edit **out) {
  Status status = OK;
  uint64_t generation;
  Edit *edit = NULL;
  Roster roster = {0};
  RunFolder look;
  TRY_RETURN(run_open(run, &look)); /* before the folder would be made */
  TRY(NEW_ARRAY(edit, 1));
  edit->own_run.lock = -1;
  edit->run = &edit->own_run;
  edit->tree = &edit->own_tree;
  name_user(edit->who, sizeof edit->who);
  TRY(run_lock(run, &edit->own_run));
  TRY(run_read_checkpoint(&edit->own_run, &edit->own_tree, &generation));
  TRY(read_settings(edit->tree, run, &edit->own_settings));
  edit->settings = edit->own_settings;
  TRY(roster_of_checkpoint(edit->tree, &roster));
  TRY(job_config_take_roster(edit->settings, &roster));
  TRY(kernels_choose(edit->settings->run.kernels));
  TRY(open_parts(edit));
  *out = edit;
  edit = NULL;
done:
  roster_free(&roster);
  edit_close(edit);
  return status;
}

void edit_close(Edit *edit) {
  if (!edit) return;
  library_destroy(edit->library);
  tree_free(&edit->header);
  algo_destroy(edit->algo);
  net_destroy(edit->net);
  league_free(&edit->league);
  free(edit->map);
  free(edit->step);
  tree_free(&edit->own_tree);
  job_config_destroy(edit->own_settings);
  run_close(&edit->own_run);
  free(edit);
}

const League *edit_league(const Edit *edit) {
  return &edit->league;
}

uint64_t edit_abandoned(const Edit *edit) {
  return edit->abandoned;
}

/* --- names --- */
/* ERR_USAGE with the nearest name. */
static Status find_player(const Edit *edit, const char *name, uint32_t *out) {
  const League *league = &edit->league;
  const int64_t id = league_find(league, name);
  const char *near = NULL;
  size_t least = SIZE_MAX;
  size_t distance;
  *out = (uint32_t)id;
  if (id >= 0) return OK;
  for (size_t i = 0; i < league->players; i++) {
    const char *candidate = league->player[i].name;
    if (!text_is_near(name, candidate, &distance) || distance >= least) continue;
    least = distance;
    near = candidate;
  }
  return status_set(ERR_USAGE, "%s has no player '%s'%s%s%s", edit->run->path, name,
                    near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static Status find_role(const char *word, Role *out) {
  const int role = text_choice(ROLE_NAMES, word);
  *out = (Role)role;
  if (role >= 0) return OK;
  return status_set(ERR_USAGE, "no role '%s': a player is one of %s", word, ROLE_NAMES);
}

/* Where sides are separate every player has one, and only there. */
static Status find_side(const Edit *edit, const char *word, uint8_t *out) {
  const LeagueConfig *config = &edit->league.config;
  *out = 0;
  if (config->sides != SIDES_SEPARATE)
    return word ? status_set(ERR_USAGE, "league.sides is together: a player has no side of its own")
                : OK;
  for (uint32_t side = 1; word && side <= SEATS; side++) {
    const char number[] = {(char)('0' + side - 1), 0};
    if (!strcmp(word, league_side_name(config, side)) || !strcmp(word, number))
      *out = (uint8_t)side;
  }
  if (*out) return OK;
  return status_set(ERR_USAGE, "%s%s%s: league.sides is separate, and a player has one: %s or %s",
                    word ? "no side '" : "no side is given", word ? word : "", word ? "'" : "",
                    league_side_name(config, 1), league_side_name(config, 2));
}

static bool is_taken(const void *context, const char *name) {
  return league_find(context, name) >= 0;
}

/* The name that is asked for, or the first free one. */
static Status pick_name(const Edit *edit, Role role, uint8_t side, const char *asked,
                        char out[PLAYER_NAME]) {
  if (!asked) return roster_name(&edit->league.config, role, side, is_taken, &edit->league, out);
  if (strlen(asked) < PLAYER_NAME) return text_format(out, PLAYER_NAME, "%s", asked);
  return status_set(ERR_USAGE, "the name '%.50s' is too long: fewer than %d letters", asked,
                    PLAYER_NAME);
}

/* An exploiter of a team that plays against nobody has nothing to exploit. */
static Status check_role(const Edit *edit, Role role) {
  if (role == ROLE_MAIN || edit->settings->env->spec.teams > 1) return OK;
  return status_set(ERR_USAGE, "%s has one team, and nobody to exploit: only mains can learn",
                    edit->settings->game.name);
}

/* --- what changes --- */
/* Room for where a change puts the players. */
static Status make_step(Edit *edit) {
  return GROW(edit->step, edit->step_room, edit->league.players);
}

/* Unfinished games follow their players. */
static Status follow(Edit *edit) {
  for (size_t i = 0; i < edit->before; i++)
    if (edit->map[i] != (uint32_t)LANES_GONE) edit->map[i] = edit->step[edit->map[i]];
  return open_library(edit);
}

/* Their games are of somebody who is no more. */
static void abandon(Edit *edit, uint32_t id) {
  for (size_t i = 0; i < edit->before; i++)
    if (edit->map[i] == id) edit->map[i] = (uint32_t)LANES_GONE;
}

static Status record(Edit *edit, const char *format, const char *a, const char *b, const char *c) {
  char what[PATH_MAX + 256];
  snprintf(what, sizeof what, format, a, b, c);
  return edit_record(&edit->league, (uint64_t)time(NULL), edit->frames, edit->who, what);
}

/* Whether a path lies in a folder; the name behind it. */
static const char *behind(const char *path, const char *folder) {
  const size_t length = strlen(folder);
  return strncmp(path, folder, length) ? NULL : path + length;
}

static void drop_folder(Tree *tree, const char *folder) {
  for (size_t i = 0; i < tree->items;)
    if (behind(tree->item[i].path, folder))
      tree_drop(tree, tree->item[i].path); /* the last one takes its place */
    else
      i++;
}

/* Columns of one player go by its name; experience that is kept, too. */
static const char *const homes[] = {"players", "replay"};

static Status drop_columns(Edit *edit, const char *name) {
  char folder[STORE_PATH];
  for (size_t i = 0; i < COUNT_OF(homes); i++) {
    TRY_RETURN(text_format(folder, sizeof folder, "%s/%s/", homes[i], name));
    drop_folder(edit->tree, folder);
  }
  return OK;
}

/* --- weights --- */
/* What a snapshot of a player that learns would be, now. */
static Status policy_of_learner(const Edit *edit, const Tree *tree, const LearnConfig *learner,
                                const char *name, const Item **out) {
  char path[STORE_PATH];
  TRY_RETURN(text_format(path, sizeof path, "players/%s/policy%s", name,
                         learner->average > 0 ? "_average" : ""));
  if (!tree_find(tree, path)) TRY_RETURN(text_format(path, sizeof path, "players/%s/policy", name));
  TRY_RETURN(tree_get(tree, path, STORE_F32, (int64_t)edit->net->block, out));
  return tree_check_finite(tree, *out);
}

/* A player of this run. *out (block) is the caller's to free. */
static Status policy_of(Edit *edit, uint32_t id, float **out) {
  const League *league = &edit->league;
  const size_t block = edit->net->block;
  const float *policy;
  const Item *item;
  if (league->player[id].frozen) {
    TRY_RETURN(library_read(edit->library, league, id, &policy));
  } else {
    TRY_RETURN(policy_of_learner(edit, edit->tree, &edit->settings->learner,
                                 league->player[id].name, &item));
    policy = item->data;
  }
  TRY_RETURN(NEW_ARRAY(*out, block));
  memcpy(*out, policy, block * sizeof **out);
  return OK;
}

/* A player from elsewhere. */
typedef struct Guest {
  float *policy; /* (block) owned */
  char name[PLAYER_NAME];
  Role role;
  uint8_t side;
} Guest;

/* A tree that weights of this network may be taken from: the game and the shape are the same. */
static Status check_foreign(const Edit *edit, const Tree *tree, const char *where,
                            JobConfig **out) {
  char game[AGON_NAME_LEN];
  const char *own = edit->settings->env->table->name;
  TRY_RETURN(tree_get_text(tree, "@env", game, sizeof game));
  if (strcmp(game, own))
    return status_set(ERR_USAGE, "%s is of another game, %s, not of %s", where, game, own);
  TRY_RETURN(read_settings(tree, where, out));
  return resume_check_weights(*out, edit->settings, where);
}

/* A player's own file. */
static Status guest_of_file(const Edit *edit, const char *path, Guest *out) {
  Status status = OK;
  JobConfig *settings = NULL;
  Tree tree = {0};
  const Item *policy;
  char role[PLAYER_NAME];
  uint64_t side = 0;
  TRY(store_read(path, "player", &tree));
  TRY(check_foreign(edit, &tree, path, &settings));
  TRY(tree_get(&tree, "policy", STORE_F32, (int64_t)edit->net->block, &policy));
  TRY(tree_check_finite(&tree, policy));
  TRY(tree_get_text(&tree, "@name", out->name, sizeof out->name));
  TRY(tree_get_text(&tree, "@role", role, sizeof role));
  TRY(find_role(role, &out->role));
  if (tree_find(&tree, "@side")) TRY(tree_get_u64(&tree, "@side", &side));
  out->side = (uint8_t)(side <= SEATS ? side : 0);
  TRY(NEW_ARRAY(out->policy, edit->net->block));
  memcpy(out->policy, policy->data, edit->net->block * sizeof *out->policy);
done:
  job_config_destroy(settings);
  tree_free(&tree);
  return status;
}

/* Of a run's checkpoint, whose frozen players are in files of their own. */
static Status guest_of_tree(const Edit *edit, const RunFolder *run, const Tree *tree,
                            const char *name, Guest *out) {
  Status status = OK;
  JobConfig *settings = NULL;
  League league = {0};
  const Item *policy;
  char path[PATH_MAX];
  TRY(check_foreign(edit, tree, run->path, &settings));
  TRY(league_create(&settings->league, 0, -1, 1, &league));
  TRY(league_load(&league, tree));
  const int64_t id = league_find(&league, name);
  if (id < 0)
    TRY(status_set(ERR_USAGE, "%s has no player '%s': agon league show lists them", run->path,
                   name));
  const Player *player = &league.player[id];
  if (player->frozen) {
    TRY(text_format(path, sizeof path, "%s/players/%s-%.8s.h5", run->path, player->name,
                    player->hash));
    TRY(guest_of_file(edit, path, out));
    goto done;
  }
  TRY(policy_of_learner(edit, tree, &settings->learner, name, &policy));
  TRY(text_format(out->name, sizeof out->name, "%s", name));
  out->role = player->role;
  out->side = player->side;
  TRY(NEW_ARRAY(out->policy, edit->net->block));
  memcpy(out->policy, policy->data, edit->net->block * sizeof *out->policy);
done:
  league_free(&league);
  job_config_destroy(settings);
  return status;
}

static Status guest_of_run(const Edit *edit, const char *text, const char *colon, Guest *out) {
  Tree tree = {0};
  RunFolder run;
  uint64_t generation;
  char path[2048];
  TRY_RETURN(text_format(path, sizeof path, "%.*s", (int)(colon - text), text));
  TRY_RETURN(run_open(path, &run));
  Status status = run_read_checkpoint(&run, &tree, &generation);
  if (status == OK) status = guest_of_tree(edit, &run, &tree, colon + 1, out);
  tree_free(&tree);
  run_close(&run);
  return status;
}

/* RUN:PLAYER, or a player's file. *out: policy to free, on failure too. */
static Status find_guest(const Edit *edit, const char *text, Guest *out) {
  const size_t length = strlen(text);
  const char *colon = strrchr(text, ':');
  *out = (Guest){0};
  if (length > 3 && !strcmp(text + length - 3, ".h5")) return guest_of_file(edit, text, out);
  if (colon && colon != text && colon[1]) return guest_of_run(edit, text, colon, out);
  return status_set(ERR_USAGE,
                    "'%s' is no player of another run: give RUN:PLAYER, or a player's file "
                    "(RUN/players/NAME-HASH.h5)",
                    text);
}

/* Where a newcomer's weights come from: a player of this run, else of another. */
static Status find_weights(Edit *edit, const char *text, float **out, int64_t *parent) {
  Guest guest;
  const int64_t id = league_find(&edit->league, text);
  *parent = id;
  if (id >= 0) return policy_of(edit, (uint32_t)id, out);
  const Status status = find_guest(edit, text, &guest);
  *out = guest.policy;
  return status;
}

/* --- joining --- */
/* A column that all players have in common: how far the run is, as their learners know. */
static uint64_t run_frames(const Edit *edit) {
  char path[STORE_PATH];
  const Item *counters;
  if (text_format(path, sizeof path, "players/%s/" PLAYER_COUNTERS_COLUMN,
                  edit->league.player[0].name) != OK ||
      tree_get(edit->tree, path, STORE_U64, PLAYER_COUNTERS, &counters) != OK)
    return edit->frames;
  return ((const uint64_t *)counters->data)[PLAYER_RUN_FRAMES];
}

/* Puts a player's columns, in place of those that it had. */
static Status put_state(Edit *edit, const char *name, const TrainState *state) {
  Status status = OK;
  Tree columns = {0};
  char path[STORE_PATH];
  const TrainShape shape = {.algo = edit->algo, .seed = (uint64_t)edit->settings->run.seed};
  TRY(columns_put(edit->net, edit->settings->learner.average > 0, state, &columns));
  TRY(columns_check(&shape, &columns));
  TRY(text_format(path, sizeof path, "players/%s/", name));
  drop_folder(edit->tree, path);
  for (size_t i = 0; i < columns.items; i++) {
    const Item *item = &columns.item[i];
    TRY(text_format(path, sizeof path, "players/%s/%s", name, item->path));
    TRY(tree_put(edit->tree, path, item->type, item->count, item->width, item->data));
  }
done:
  tree_free(&columns);
  return status;
}

/* A player that has never learned: `source` (NULL: initial weights), without experience. */
static Status put_newcomer(Edit *edit, uint32_t id, uint64_t seen, const float *source) {
  const TrainShape shape = {.algo = edit->algo, .seed = (uint64_t)edit->settings->run.seed};
  TrainState state;
  TRY_RETURN(train_state_create(&shape, id, &state));
  state.run_frames = seen;
  Status status = train_state_reset(&shape, &state, source);
  state.life = 0;
  if (status == OK) memcpy(state.acting, state.block, edit->net->block * sizeof(float));
  if (status == OK) status = put_state(edit, edit->league.player[id].name, &state);
  train_state_destroy(&state);
  return status;
}

/* Freezes a player that learns, as it is. */
static Status freeze(Edit *edit, uint32_t id, const char *reason) {
  uint32_t snapshot;
  float *policy = NULL;
  Status status = OK;
  TRY(league_freeze(&edit->league, id, reason, &snapshot));
  TRY(policy_of(edit, id, &policy));
  TRY(library_write(edit->library, &edit->league, snapshot, policy,
                    edit->league.player[snapshot].hash));
done:
  free(policy);
  return status;
}

/* A new main is frozen at once, as at the beginning of a run: so others meet it, and it has a past
 * to be rolled back to. */
static Status begin_life(Edit *edit, uint32_t id, const char *reason) {
  return edit->league.player[id].role == ROLE_MAIN ? freeze(edit, id, reason) : OK;
}

/* Adds one player, whose name is free. from: may be NULL. */
static Status join(Edit *edit, Role role, uint8_t side, const char *name, const char *from,
                   uint32_t *out_id) {
  Status status = OK;
  float *policy = NULL;
  int64_t parent = -1;
  const uint64_t seen = run_frames(edit);
  TRY(check_role(edit, role));
  if (from) TRY(find_weights(edit, from, &policy, &parent));
  if (parent >= 0 && edit->league.player[parent].side != side)
    TRY(status_set(ERR_USAGE, "%s plays the other side", from));
  TRY(make_step(edit));
  TRY(edit_join(&edit->league, name, role, side, parent, out_id, edit->step));
  TRY(follow(edit));
  TRY(put_newcomer(edit, *out_id, seen, policy));
  TRY(begin_life(edit, *out_id, "start"));
done:
  free(policy);
  return status;
}

Status edit_add(Edit *edit, const char *role, const char *name, const char *side,
                const char *from) {
  Role as;
  uint8_t team;
  uint32_t id;
  char own[PLAYER_NAME];
  char how[PATH_MAX + 64] = "";
  TRY_RETURN(find_role(role, &as));
  TRY_RETURN(find_side(edit, side, &team));
  TRY_RETURN(pick_name(edit, as, team, name, own));
  TRY_RETURN(join(edit, as, team, own, from, &id));
  if (from) snprintf(how, sizeof how, " from %s", from);
  return record(edit, "add %s %s%s", role, own, how);
}

/* Its training goes on where the model's is; what the model's experience was is the model's. */
static Status copy_training(Edit *edit, const char *model, const char *name) {
  char path[STORE_PATH];
  TRY_RETURN(text_format(path, sizeof path, "players/%s/", model));
  const size_t items = edit->tree->items;
  for (size_t i = 0; i < items; i++) {
    const char *column = behind(edit->tree->item[i].path, path);
    char to[STORE_PATH];
    if (!column) continue;
    TRY_RETURN(text_format(to, sizeof to, "players/%s/%s", name, column));
    /* before the tree may move its items, and the column's name with them */
    const bool counts = !strcmp(column, PLAYER_COUNTERS_COLUMN);
    const Item item = edit->tree->item[i];
    TRY_RETURN(tree_put(edit->tree, to, item.type, item.count, item.width, item.data));
    if (!counts) continue;
    uint64_t *counter = edit->tree->item[edit->tree->items - 1].data;
    counter[PLAYER_LIFE] = 0;
    counter[PLAYER_FRAMES] = 0;
    counter[PLAYER_DROPPED] = 0;
    counter[PLAYER_LIFE_FRAMES] = 0;
    counter[PLAYER_MIN_VERSION] = counter[PLAYER_VERSION];
  }
  return OK;
}

Status edit_fork(Edit *edit, const char *player, const char *name, const char *role) {
  League *league = &edit->league;
  uint32_t model;
  uint32_t id;
  char own[PLAYER_NAME];
  TRY_RETURN(find_player(edit, player, &model));
  Role as = league->player[model].role;
  const uint8_t side = league->player[model].side;
  if (role) TRY_RETURN(find_role(role, &as));
  TRY_RETURN(pick_name(edit, as, side, name, own));
  if (league->player[model].frozen) {
    TRY_RETURN(join(edit, as, side, own, player, &id));
  } else {
    TRY_RETURN(check_role(edit, as));
    TRY_RETURN(make_step(edit));
    TRY_RETURN(edit_join(league, own, as, side, model, &id, edit->step));
    TRY_RETURN(follow(edit));
    TRY_RETURN(copy_training(edit, player, own));
    /* it plays as its model does: what others know of that is worth more than nothing */
    TRY_RETURN(payoff_inherit(&league->payoff, id, (uint32_t)league_find(league, player)));
    const Player *from = &league->player[league_find(league, player)];
    memcpy(league->player[id].tune.value, from->tune.value, sizeof from->tune.value);
    TRY_RETURN(begin_life(edit, id, "fork"));
  }
  return record(edit, "fork %s as %s%s", player, own, "");
}

/* --- leaving --- */
Status edit_retire_player(Edit *edit, const char *name) {
  League *league = &edit->league;
  uint32_t id;
  float *policy = NULL;
  Status status = OK;
  TRY(find_player(edit, name, &id));
  TRY(make_step(edit));
  if (!league->player[id].frozen) TRY(policy_of(edit, id, &policy));
  abandon(edit, id);
  TRY(edit_retire(league, id, &id, edit->step));
  TRY(follow(edit));
  TRY(library_write(edit->library, league, id, policy, league->player[id].hash));
  TRY(drop_columns(edit, name));
  TRY(record(edit, "retire %s%s%s", name, "", ""));
done:
  free(policy);
  return status;
}

/* --- beginning anew --- */
/* Its counters, which no fault of its weights has touched, are all that is kept. */
static Status take_counters(const Edit *edit, const char *name, TrainState *state) {
  char path[STORE_PATH];
  const Item *item;
  TRY_RETURN(text_format(path, sizeof path, "players/%s/" PLAYER_COUNTERS_COLUMN, name));
  TRY_RETURN(tree_get(edit->tree, path, STORE_U64, PLAYER_COUNTERS, &item));
  const uint64_t *counter = item->data;
  state->life = (uint32_t)counter[PLAYER_LIFE];
  state->version = counter[PLAYER_VERSION];
  state->frames = counter[PLAYER_FRAMES];
  state->dropped = counter[PLAYER_DROPPED];
  state->run_frames = counter[PLAYER_RUN_FRAMES];
  return OK;
}

static Status reset_state(Edit *edit, uint32_t id, const float *source) {
  const TrainShape shape = {.algo = edit->algo, .seed = (uint64_t)edit->settings->run.seed};
  const char *name = edit->league.player[id].name;
  TrainState state;
  TRY_RETURN(train_state_create(&shape, id, &state));
  Status status = take_counters(edit, name, &state);
  if (status == OK) status = train_state_reset(&shape, &state, source);
  if (status == OK) memcpy(state.acting, state.block, edit->net->block * sizeof(float));
  if (status == OK) status = put_state(edit, name, &state);
  train_state_destroy(&state);
  return status;
}

Status edit_reset(Edit *edit, const char *player, const char *to) {
  League *league = &edit->league;
  Status status = OK;
  uint32_t id;
  uint32_t other;
  int64_t source = -1;
  float *policy = NULL;
  char replay[STORE_PATH];
  TRY(find_player(edit, player, &id));
  if (league->player[id].frozen)
    TRY(status_set(ERR_USAGE, "%s is frozen, and stays what it is", player));
  if (!to) source = edit_last_snapshot(league, id);
  if (!to && source < 0)
    TRY(status_set(ERR_USAGE,
                   "%s has no snapshot to be rolled back to: give --to PLAYER, or --to initial",
                   player));
  if (to && strcmp(to, "initial")) {
    TRY(find_player(edit, to, &other));
    source = other;
  }
  if (source == (int64_t)id)
    TRY(status_set(ERR_USAGE, "%s cannot begin anew from itself: --to a snapshot", player));
  if (source >= 0 && league->player[source].side != league->player[id].side)
    TRY(status_set(ERR_USAGE, "%s plays the other side", to));
  if (source >= 0) TRY(policy_of(edit, (uint32_t)source, &policy));
  TRY(edit_rollback(league, id, source));
  TRY(reset_state(edit, id, policy));
  /* what it remembers is of its former life */
  TRY(text_format(replay, sizeof replay, "replay/%s/", player));
  drop_folder(edit->tree, replay);
  TRY(record(edit, "reset %s to %s%s", player,
             source >= 0 ? league->player[source].name : "initial weights", ""));
done:
  free(policy);
  return status;
}

/* --- names --- */
/* Columns under the old name go under the new one. */
static Status move_columns(Edit *edit, const char *name, const char *to) {
  char folder[STORE_PATH];
  for (size_t h = 0; h < COUNT_OF(homes); h++) {
    TRY_RETURN(text_format(folder, sizeof folder, "%s/%s/", homes[h], name));
    for (size_t i = 0; i < edit->tree->items; i++) {
      Item *item = &edit->tree->item[i];
      const char *column = behind(item->path, folder);
      char path[STORE_PATH];
      if (!column) continue;
      TRY_RETURN(text_format(path, sizeof path, "%s/%s/%s", homes[h], to, column));
      memcpy(item->path, path, sizeof path);
    }
  }
  return OK;
}

/* The file of a frozen player has its name: another one is written, and the old one stays for older
 * generations. */
Status edit_rename_player(Edit *edit, const char *player, const char *name) {
  League *league = &edit->league;
  Status status = OK;
  uint32_t id;
  float *policy = NULL;
  TRY(find_player(edit, player, &id));
  const bool frozen = league->player[id].frozen;
  if (league->player[id].guest)
    TRY(status_set(ERR_USAGE,
                   "%s is a guest, and called by its key: let it go by league.guests.%s= and name "
                   "another",
                   player, player));
  if (frozen) TRY(policy_of(edit, id, &policy));
  char section[2][PLAYER_NAME + 16];
  snprintf(section[0], sizeof section[0], "players.%s", player);
  snprintf(section[1], sizeof section[1], "players.%s", name);
  TRY(edit_rename(league, id, name));
  TRY(config_move(edit->settings->config, section[0], section[1]));
  if (frozen)
    TRY(library_write(edit->library, league, id, policy, league->player[id].hash));
  else
    TRY(move_columns(edit, player, name));
  TRY(record(edit, "rename %s to %s%s", player, name, ""));
done:
  free(policy);
  return status;
}

/* --- guests --- */
Status edit_bring(Edit *edit, const char *from, const char *name, const char *role) {
  League *league = &edit->league;
  Status status = OK;
  Guest guest;
  uint32_t id;
  char own[PLAYER_NAME];
  TRY(find_guest(edit, from, &guest));
  if (role) TRY(find_role(role, &guest.role));
  if ((league->config.sides == SIDES_SEPARATE) != (guest.side > 0))
    TRY(status_set(ERR_USAGE, "%s %s, and league.sides is %s here", from,
                   guest.side ? "plays one side" : "plays all sides",
                   guest.side ? "together" : "separate"));
  TRY(pick_name(edit, guest.role, guest.side, name ? name : guest.name, own));
  TRY(edit_import(league, own, guest.role, guest.side, "imported", &id));
  TRY(library_write(edit->library, league, id, guest.policy, league->player[id].hash));
  TRY(record(edit, "import %s as %s%s", from, own, ""));
done:
  free(guest.policy);
  return status;
}

/* Nobody's id changes: frozen players stand behind the others. */
Status edit_invite(Edit *edit, const LeagueGuest *guest) {
  TRY_RETURN(league_add_guest(&edit->league, guest));
  return record(edit, "guest %s joins: %s%s", guest->name, guest->text, "");
}

/* Unfinished games of one that leaves are not played to their end: what it was may be no more. */
Status edit_guest_leaves(Edit *edit, const char *name, bool leaves) {
  uint32_t id;
  TRY_RETURN(find_player(edit, name, &id));
  if (leaves) abandon(edit, id);
  league_guest_leaves(&edit->league.player[id], leaves);
  return record(edit, "guest %s %s%s", name, leaves ? "leaves" : "is back", "");
}

/* Unfinished games against it cannot be played to their end. */
Status edit_lose(Edit *edit, const char *player, bool lost) {
  uint32_t id;
  TRY_RETURN(find_player(edit, player, &id));
  if (lost) abandon(edit, id);
  league_lose(&edit->league.player[id], lost);
  return record(edit,
                lost ? "%s is lost: its file is missing or damaged; it is met no more%s%s"
                     : "%s is there again%s%s",
                player, "", "");
}

/* --- by the configuration --- */
Status edit_grow(Edit *edit, const LeagueConfig *before, const LeagueConfig *now) {
  const int64_t was[ROLE_COUNT] = {before->mains, before->main_exploiters,
                                   before->league_exploiters};
  const int64_t asked[ROLE_COUNT] = {now->mains, now->main_exploiters, now->league_exploiters};
  const uint8_t own = now->sides == SIDES_SEPARATE;
  for (int r = 0; r < ROLE_COUNT; r++)
    for (int64_t i = was[r]; i < asked[r]; i++)
      for (uint8_t s = 0; s < league_sides(now); s++) {
        uint32_t id;
        char name[PLAYER_NAME];
        char role[PLAYER_NAME];
        const uint8_t side = (uint8_t)(own ? s + 1 : 0);
        TRY_RETURN(pick_name(edit, (Role)r, side, NULL, name));
        TRY_RETURN(join(edit, (Role)r, side, name, NULL, &id));
        text_choice_name(ROLE_NAMES, r, role, sizeof role);
        TRY_RETURN(record(edit, "add %s %s%s", role, name, ", by the configuration"));
      }
  return OK;
}

/* --- putting down --- */
/* The numbers of players in the configuration are those that there are now. */
static Status settle_numbers(Edit *edit) {
  static const char *const key[ROLE_COUNT] = {"league.mains", "league.main_exploiters",
                                              "league.league_exploiters"};
  JobConfig *s = edit->settings;
  int64_t *const number[ROLE_COUNT] = {&s->league.mains, &s->league.main_exploiters,
                                       &s->league.league_exploiters};
  char value[24];
  for (int r = 0; r < ROLE_COUNT; r++) {
    const int64_t count = edit_count(&edit->league, (Role)r);
    if (*number[r] == count) continue;
    TRY_RETURN(text_format(value, sizeof value, "%lld", (long long)count));
    TRY_RETURN(config_assign(s->config, CONFIG_COMMAND, key[r], value, "agon league"));
    TRY_RETURN(config_resolve(s->config));
  }
  return league_check(&s->league);
}

static Status put_league(Edit *edit) {
  Tree *tree = edit->tree;
  char *text = NULL;
  Status status = OK;
  static const char *const folder[] = {"league/", "payoff/", "anchors/", "changes/", "tune/"};
  for (size_t i = 0; i < COUNT_OF(folder); i++)
    drop_folder(tree, folder[i]);
  tree_drop(tree, "run/next_tables");
  tree_drop(tree, "config");
  TRY(league_save(&edit->league, tree));
  TRY(tree_put(tree, "run/next_tables", STORE_U8, 0, 1, NULL)); /* made anew */
  TRY(job_config_text(edit->settings, false, &text));
  TRY(tree_put_texts(tree, "config", 1, strlen(text) + 1, text));
done:
  free(text);
  return status;
}

/* Whether a job can take up the league as it was put. */
static Status check_league(const Edit *edit) {
  const JobConfig *s = edit->settings;
  League league = {.players = 0};
  Status status = OK;
  TRY(league_create(&s->league, (uint64_t)s->run.seed, (double)s->env->spec.reward_low,
                    (double)s->env->spec.reward_high, &league));
  TRY(league_load(&league, edit->tree));
done:
  league_free(&league);
  return status;
}

/* What no job could go on from is not written. */
Status edit_finish(Edit *edit) {
  JobConfig *s = edit->settings;
  Roster roster;
  TRY_RETURN(edit_lanes(s, edit->net, edit->map, edit->before, edit->tree, &edit->abandoned));
  TRY_RETURN(settle_numbers(edit));
  TRY_RETURN(put_league(edit));
  TRY_RETURN(check_league(edit));
  TRY_RETURN(roster_of_checkpoint(edit->tree, &roster));
  TRY_RETURN(job_config_take_roster(s, &roster));
  return ledger_check(edit->tree);
}

/* The attributes that say what the file is are written anew. */
Status edit_write(Edit *edit, uint64_t *generation) {
  JobConfig *whole = NULL;
  static const char *const identity[] = {"@kind", "@schema_version", "@digest"};
  for (size_t i = 0; i < COUNT_OF(identity); i++)
    tree_drop(edit->tree, identity[i]);
  /* an algorithm may be of so many players and no more */
  TRY_RETURN(read_settings(edit->tree, edit->run->path, &whole));
  job_config_destroy(whole);
  TRY_RETURN(run_next_generation(&edit->own_run, generation));
  /* none of the older ones is removed */
  TRY_RETURN(run_write_checkpoint(&edit->own_run, *generation, edit->tree, SIZE_MAX));
  return job_config_write(edit->settings, &edit->own_run);
}

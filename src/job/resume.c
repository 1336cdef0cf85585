#include "job/resume.h"

#include "actors/lanes.h"
#include "base/log.h"
#include "base/text.h"
#include "env/bridge.h"
#include "learner/columns.h"

#include <stdio.h>
#include <string.h>

/* Weights of learning and of frozen players have the shape that these give them, and mean something
 * only under them. */
static const char *const shape_keys[] = {
    "net.hidden",        "net.activation",
    "net.layer_norm",    "net.conv",
    "net.memory",        "net.separate",
    "net.agent_id",      "net.sharing",
    "net.last_action",   "net.normalise_observations",
    "net.messages.kind",
};
/* Of those whose agents tell one another something. */
static const char *const message_keys[] = {
    "net.messages.rounds", "net.messages.width",    "net.messages.nearest",
    "net.messages.top",    "net.messages.key_size",
};
static const char *const convolution_keys[] = {
    "net.conv_kernel",
    "net.conv_stride",
    "net.conv_pad",
};
static const char *const memory_keys[] = {
    "net.memory_size",
};
/* Whoever plays one side cannot play both. */
/* ... and what every life begins as is what all of them have begun as. */
static const char *const player_keys[] = {"league.sides", "learner.init_from"};

/* Curves of one run have one unit. */
static const char *const unit_keys[] = {"returns"};

/* The keys that have changed, as text for one message. */
typedef struct Changes {
  const JobConfig *before;
  const JobConfig *now;
  const char *folder;
  char text[1024];
  size_t used;
  size_t count;
} Changes;

/* A message that is too long is cut. */
static void add(Changes *changes, const char *key, const char *was, const char *asked,
                const char *origin) {
  const size_t room = sizeof changes->text - changes->used;
  const int wrote =
      snprintf(changes->text + changes->used, room, "%s%s is %s in %s, and %s is asked for (%s)",
               changes->count ? "; " : "", key, *was ? was : "(empty)", changes->folder,
               *asked ? asked : "(empty)", origin);
  changes->used += wrote < 0 ? 0 : (size_t)wrote < room ? (size_t)wrote : room - 1;
  changes->count++;
}

/* 4 and 4.0 are one number. */
static bool same_value(const char *a, const char *b) {
  double x;
  double y;
  if (text_to_float(a, &x) && text_to_float(b, &y)) return x <= y && x >= y;
  return !strcmp(a, b);
}

/* Keys that either side does not have (of an older program) are not compared. */
static void compare(Changes *changes, const char *key) {
  const char *was = config_value(changes->before->config, key);
  const char *asked = config_value(changes->now->config, key);
  if (!was || !asked || same_value(was, asked)) return;
  add(changes, key, was, asked, config_origin(changes->now->config, key));
}

/* In the order of the list. */
static void compare_all(Changes *changes, const char *const *key, size_t count) {
  for (size_t i = 0; i < count; i++)
    compare(changes, key[i]);
}

/* A game with other options is another game. */
static Status compare_options(Changes *changes) {
  const AgonEnv *table = changes->now->table;
  char key[96];
  for (size_t i = 0; i < env_option_count(table); i++) {
    const char *name = env_option(table, i)->name;
    if (bridge_option_is_aside(table, name)) continue;
    TRY_RETURN(text_format(key, sizeof key, "env.%s", name));
    compare(changes, key);
  }
  return OK;
}

/* Unfinished episodes are stored lane by lane, slots and all: there may be more or fewer lanes, but
 * not lanes of another size. */
static Status compare_lanes(Changes *changes, const Tree *checkpoint) {
  const ActorConfig *was = &changes->before->actors;
  const ActorConfig *asked = &changes->now->actors;
  const Item *lanes;
  char each[2][32];
  char origin[640];
  TRY_RETURN(tree_get(checkpoint, "lanes/id", STORE_U32, -1, &lanes));
  if (lanes->count == 0 || lanes_slots_each(was) == lanes_slots_each(asked)) return OK;
  snprintf(each[0], sizeof each[0], "%zu", lanes_slots_each(was));
  snprintf(each[1], sizeof each[1], "%zu", lanes_slots_each(asked));
  const bool slots = was->slots != asked->slots;
  snprintf(origin, sizeof origin, "actors.slots=%lld, actors.lanes=%lld, %s",
           (long long)asked->slots, (long long)asked->lanes,
           config_origin(changes->now->config, slots ? "actors.slots" : "actors.lanes"));
  add(changes, "actors.slots / actors.lanes", each[0], each[1], origin);
  return OK;
}

/* Whether a list has the key. */
static bool is_among(const char *key, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!strcmp(list[i], key)) return true;
  return false;
}

/* Also keys that only matter for some networks. */
bool resume_is_fixed(const char *key) {
  return is_among(key, shape_keys, COUNT_OF(shape_keys)) ||
         is_among(key, convolution_keys, COUNT_OF(convolution_keys)) ||
         is_among(key, memory_keys, COUNT_OF(memory_keys)) ||
         is_among(key, message_keys, COUNT_OF(message_keys)) ||
         is_among(key, player_keys, COUNT_OF(player_keys)) ||
         is_among(key, unit_keys, COUNT_OF(unit_keys));
}

/* More players may learn than before, but not fewer: which of them was to go? */
static Status check_numbers(const Changes *changes) {
  static const char *const key[] = {"league.mains", "league.main_exploiters",
                                    "league.league_exploiters"};
  const LeagueConfig *was = &changes->before->league;
  const LeagueConfig *asked = &changes->now->league;
  const int64_t before[] = {was->mains, was->main_exploiters, was->league_exploiters};
  const int64_t now[] = {asked->mains, asked->main_exploiters, asked->league_exploiters};
  char word[1200];
  for (size_t i = 0; i < COUNT_OF(key); i++)
    if (now[i] < before[i])
      return status_set(ERR_USAGE,
                        "%s is %lld in %s, and %lld is asked for (%s): a player learns no more "
                        "once it is retired by name: agon league retire %s PLAYER",
                        key[i], (long long)before[i], changes->folder, (long long)now[i],
                        config_origin(changes->now->config, key[i]),
                        text_quoted(changes->folder, word, sizeof word));
  return OK;
}

/* All changes are told at once. Another algorithm may go on with a policy if it reads its outputs
 * in the same way. */
Status resume_check(const Tree *checkpoint, const JobConfig *before, const JobConfig *now,
                    const char *folder) {
  Changes changes = {.before = before, .now = now, .folder = folder};
  TRY_RETURN(compare_options(&changes));
  compare_all(&changes, shape_keys, COUNT_OF(shape_keys));
  if (before->net.conv.count) compare_all(&changes, convolution_keys, COUNT_OF(convolution_keys));
  if (before->net.memory) compare_all(&changes, memory_keys, COUNT_OF(memory_keys));
  if (before->net.messages.kind) compare_all(&changes, message_keys, COUNT_OF(message_keys));
  compare_all(&changes, player_keys, COUNT_OF(player_keys));
  if (before->net.rule != now->net.rule) compare(&changes, "learner.algorithm");
  compare_all(&changes, unit_keys, COUNT_OF(unit_keys));
  TRY_RETURN(compare_lanes(&changes, checkpoint));
  if (!changes.count) return check_numbers(&changes);
  return status_set(ERR_USAGE,
                    "%s: that may not change on resume; leave %s out to go on, or begin another "
                    "run elsewhere with --run-dir OTHER",
                    changes.text, changes.count == 1 ? "it" : "them");
}

Status resume_check_weights(const JobConfig *before, const JobConfig *now, const char *where) {
  Changes changes = {.before = before, .now = now, .folder = where};
  TRY_RETURN(compare_options(&changes));
  compare_all(&changes, shape_keys, COUNT_OF(shape_keys));
  if (before->net.conv.count) compare_all(&changes, convolution_keys, COUNT_OF(convolution_keys));
  if (before->net.memory) compare_all(&changes, memory_keys, COUNT_OF(memory_keys));
  if (before->net.messages.kind) compare_all(&changes, message_keys, COUNT_OF(message_keys));
  if (before->net.rule != now->net.rule) compare(&changes, "learner.algorithm");
  if (!changes.count) return OK;
  return status_set(ERR_USAGE, "%s: its weights mean something else here", changes.text);
}

/* --- rows --- */
/* What an algorithm learns from, in words. */
static void tell_rows(const Algo *algo, char *text, size_t size) {
  const RowFormat *format = &algo->format;
  const char *more = format->potential ? ", with potentials (rewards.shaping)" : "";
  if (!format->flags)
    snprintf(text, size, "single agents%s", more);
  else if (format->global)
    snprintf(text, size, "whole teams, with %u numbers of the global state%s", format->global,
             more);
  else
    snprintf(text, size, "whole teams, without the global state%s", more);
}

/* All else that a row's width depends on is the game's and the network's, and may not change
 * anyway. */
Status resume_check_rows(const Tree *checkpoint, const Algo *before, const Algo *now,
                         const char *folder) {
  const RowFormat *was = &before->format;
  const RowFormat *asked = &now->format;
  const Item *lanes;
  char rows[2][120];
  const bool same = was->flags == asked->flags && was->global == asked->global &&
                    format_cells(was) == format_cells(asked) && was->potential == asked->potential;
  if (same) return OK;
  TRY_RETURN(tree_get(checkpoint, "lanes/id", STORE_U32, -1, &lanes));
  if (lanes->count == 0) return OK;
  tell_rows(before, rows[0], sizeof rows[0]);
  tell_rows(now, rows[1], sizeof rows[1]);
  return status_set(ERR_USAGE,
                    "unfinished games of %s are recorded in rows of %s, for %s, and %s as it is "
                    "asked for learns from rows of %s (learner.algorithm, %s.*): that may not "
                    "change on resume; leave it out to go on, or begin another run elsewhere with "
                    "--run-dir OTHER",
                    folder, rows[0], before->ops->name, now->ops->name, rows[1], now->ops->name);
}

/* --- players --- */
/* Columns that stay behind: those of the first player who has any, and how many others have. */
typedef struct Leftover {
  char player[64];
  char names[256];
  size_t others;
} Leftover;

/* Adds what a player has no use for that learns by it. A list that is too long is cut. */
static void note_leftover(Leftover *leftover, const Algo *now, const char *player,
                          const Tree *columns) {
  char names[sizeof leftover->names] = "";
  size_t used = 0;
  for (size_t i = 0; i < columns->items; i++) {
    const char *name = columns->item[i].path;
    if (columns_takes(now, name)) continue;
    const size_t room = sizeof names - used;
    const int wrote = snprintf(names + used, room, "%s%s", used ? ", " : "", name);
    used += wrote < 0 ? 0 : (size_t)wrote < room ? (size_t)wrote : room - 1;
  }
  if (!used) return;
  if (*leftover->player) {
    leftover->others++;
    return;
  }
  snprintf(leftover->player, sizeof leftover->player, "%s", player);
  memcpy(leftover->names, names, sizeof names);
}

/* If a player has what it needs as it learned before, the file is whole, and it is what is asked
 * for now that does not fit. */
static Status check_player(const char *player, const Tree *columns, const Algo *before,
                           const Algo *now, const char *folder) {
  char fault[512];
  if (columns_check_parts(now, columns) != OK) {
    snprintf(fault, sizeof fault, "%s", status_message());
    if (columns_check_parts(before, columns) != OK)
      return status_set(ERR_FORMAT, "player %s: %s", player, fault);
    return status_set(ERR_USAGE,
                      "%s has learned by %s in %s, and cannot go on by %s as it is asked for "
                      "(learner.algorithm, %s.*): %s; leave that out to go on, or begin another "
                      "run elsewhere with --run-dir OTHER",
                      player, before->ops->name, folder, now->ops->name, now->ops->name, fault);
  }
  const TrainShape shape = {.algo = now};
  Status status = columns_check(&shape, columns);
  return status == OK ? OK : status_context(status, "player %s", player);
}

/* Learning players are those that are not frozen. */
Status resume_check_players(const Tree *checkpoint, const Algo *before, const Algo *now,
                            const char *folder) {
  const Item *name;
  const Item *frozen;
  Leftover leftover = {.others = 0};
  TRY_RETURN(tree_get(checkpoint, "league/name", STORE_TEXT, -1, &name));
  TRY_RETURN(tree_get(checkpoint, "league/frozen", STORE_U32, (int64_t)name->count, &frozen));
  for (size_t i = 0; i < name->count; i++) {
    char prefix[STORE_PATH];
    Tree columns;
    const char *player = (const char *)name->data + i * name->size;
    if (((const uint32_t *)frozen->data)[i]) continue;
    TRY_RETURN(text_format(prefix, sizeof prefix, "players/%s/", player));
    TRY_RETURN(tree_view(checkpoint, prefix, &columns));
    Status status = check_player(player, &columns, before, now, folder);
    if (status == OK) note_leftover(&leftover, now, player, &columns);
    tree_view_free(&columns);
    TRY_RETURN(status);
  }
  if (!*leftover.player) return OK;
  char others[48] = "";
  if (leftover.others) snprintf(others, sizeof others, " (and %zu more)", leftover.others);
  log_warning("%s%s has in %s what learning by %s has no use for, and the next checkpoint will be "
              "without it: %s",
              leftover.player, others, folder, now->ops->name, leftover.names);
  return OK;
}

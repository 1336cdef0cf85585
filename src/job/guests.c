#include "job/guests.h"

#include "agent/guest.h"
#include "agent/program.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "job/edit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION "league.guests"

static bool accepted;

void guests_accept(bool programs) {
  accepted = programs;
}

Status guests_declare(Config *config) {
  if (config_peek(config, SECTION))
    return status_set(ERR_USAGE,
                      "%s: guests have names: %s.NAME=PLAYER on the command line, or guests: "
                      "{NAME: PLAYER} in the section league of a file",
                      SECTION, SECTION);
  return config_declare_assigned(config, SECTION);
}

void guests_free(JobConfig *s) {
  free(s->guest);
  free(s->guest_trusted);
  s->guest = NULL;
  s->guest_trusted = NULL;
  s->guests = 0;
}

/* --- the keys --- */
/* Built-in players of ratings have their names to themselves, and a guest called as a player that
 * learns, or as a snapshot of one will be, would stand in its way. */
static Status check_name(const JobConfig *s, const char *key, const char *name) {
  const char *why = NULL;
  if (!text_is_name(name, PLAYER_NAME - SIDE_NAME) || strchr(name, '.'))
    why = "is no name of a guest: letters, digits, '_' and '-', fewer than 28";
  else if (text_choice(BUILTIN_NAMES, name) >= 0)
    why = "is the name of a built-in player, which ratings stand on: call the guest otherwise";
  for (size_t p = 0; p < s->roster.count && !why; p++) {
    const char *player = s->roster.entry[p].name;
    const size_t length = strlen(player);
    if (!strncmp(name, player, length) && (!name[length] || name[length] == '-'))
      why = "is the name of a player that learns, or of a snapshot of it";
  }
  return why ? status_set(ERR_USAGE, "%s: %s: '%s' %s", config_origin(s->config, key), key, name,
                          why)
             : OK;
}

/* Goes through the keys that are given. */
typedef struct Taking {
  JobConfig *settings;
  const JobConfigSource *source;
  size_t room;
  size_t trust_room;
  Status status; /* of the first key that is wrong */
} Taking;

/* An empty text is a guest that is sent away. */
static Status take_key(Taking *taking, const char *key) {
  JobConfig *s = taking->settings;
  const char *name = key + strlen(SECTION ".");
  const char *text = config_value(s->config, key);
  ConfigLayer layer = CONFIG_DEFAULT;
  TRY_RETURN(check_name(s, key, name));
  for (const char *at = text; *at; at++)
    if (*at < ' ' || *at > '~')
      return status_set(ERR_USAGE, "%s: %s: a guest is told by plain text on one line",
                        config_origin(s->config, key), key);
  if (!*text) return OK;
  if (s->game.teams < 2)
    return status_set(ERR_USAGE, "%s: %s: %s has one team, so that there is nobody to meet a guest",
                      config_origin(s->config, key), key, s->game.name);
  TRY_RETURN(GROW(s->guest, taking->room, s->guests + 1));
  TRY_RETURN(GROW(s->guest_trusted, taking->trust_room, s->guests + 1));
  LeagueGuest *guest = &s->guest[s->guests];
  *guest = (LeagueGuest){.hash = ""};
  TRY_RETURN(text_format(guest->name, sizeof guest->name, "%s", name));
  TRY_RETURN(text_format(guest->text, sizeof guest->text, "%s", text));
  config_peek_layer(s->config, key, &layer);
  s->guest_trusted[s->guests++] = layer != CONFIG_STORED || taking->source->trusted || accepted;
  return OK;
}

static void visit(void *context, const char *key, const Option *option) {
  Taking *taking = context;
  (void)option;
  if (taking->status == OK && !strncmp(key, SECTION ".", strlen(SECTION ".")))
    taking->status = take_key(taking, key);
}

Status guests_take(JobConfig *settings, const JobConfigSource *source) {
  Taking taking = {.settings = settings, .source = source};
  guests_free(settings);
  config_each(settings->config, visit, &taking);
  return taking.status;
}

/* --- what they are --- */
/* Looks at one and tries it: a file is opened, a program started and ended. */
static Status look(const JobConfig *s, LeagueGuest *guest) {
  char *bytes = NULL;
  size_t size;
  Hash hash;
  BuiltinPolicy *player = NULL;
  Status status = guest_read(guest->text, &bytes, &size, &hash);
  if (status == OK)
    hash_text(hash, guest->hash);
  else
    status_context(status, "guest %s", guest->name);
  if (status == OK) status = guest_create(guest->name, guest->text, bytes, size, s->env, &player);
  builtin_destroy(player);
  free(bytes);
  return status;
}

Status guests_look(JobConfig *s) {
  for (size_t i = 0; i < s->guests; i++)
    TRY_RETURN(look(s, &s->guest[i]));
  return OK;
}

static Status keep(const LeagueGuest *guest, const RunFolder *run) {
  char path[PATH_MAX];
  char text[HASH_TEXT];
  char *bytes;
  size_t size;
  Hash hash;
  if (!guest_is_file(guest->text)) return OK;
  TRY_RETURN(run_guest_path(run->path, guest->text, guest->hash, path, sizeof path));
  TRY_RETURN(guest_read(guest->text, &bytes, &size, &hash));
  hash_text(hash, text);
  Status status = OK;
  if (strcmp(text, guest->hash))
    status = status_set(ERR_USAGE, "guest %s: %s was written to while the job began", guest->name,
                        guest->text);
  else
    status = file_write_durable(path, bytes, size);
  free(bytes);
  return status;
}

Status guests_keep(const JobConfig *s, const RunFolder *run) {
  for (size_t i = 0; i < s->guests; i++)
    TRY_RETURN(keep(&s->guest[i], run));
  return OK;
}

/* --- going on --- */
/* Whether a player of the league is this guest. */
static bool is_guest(const League *league, const Player *player, const char *name) {
  char own[PLAYER_NAME];
  return player->guest && league_guest_name(&league->config, name, player->side, own) == OK &&
         !strcmp(own, player->name);
}

/* The guest of the configuration that a player is; NULL: none, it has been sent away. */
static const LeagueGuest *asked_for(const JobConfig *s, const League *league,
                                    const Player *player) {
  for (size_t i = 0; i < s->guests; i++)
    if (is_guest(league, player, s->guest[i].name)) return &s->guest[i];
  return NULL;
}

/* What a program's file holds is the player's file's word, until the user says it. */
static Status check_trust(const JobConfig *s, const char *folder) {
  for (size_t i = 0; i < s->guests; i++) {
    if (s->guest_trusted[i] || !program_named(s->guest[i].text)) continue;
    return status_set(ERR_USAGE,
                      "%s names a guest, %s, whose program would be started: %s. If you trust it, "
                      "say so with --accept-guests, or name it again: %s.%s=...",
                      folder, s->guest[i].name, s->guest[i].text, SECTION, s->guest[i].name);
  }
  return OK;
}

/* Results are of whom they were played by. A file that is not there any more is no reason to stop:
 * the run has its copy. */
static Status check_same(const LeagueGuest *guest, const Player *player, const char *folder) {
  char *bytes = NULL;
  size_t size;
  Hash hash;
  char now[HASH_TEXT];
  Status status = guest_read(guest->text, &bytes, &size, &hash);
  free(bytes);
  if (status == ERR_IO && !strcmp(guest->text, player->guest)) return OK;
  TRY_RETURN(status);
  hash_text(hash, now);
  if (!strcmp(now, player->hash)) return OK;
  return status_set(ERR_USAGE,
                    "guest %s is not who it was in %s: %s with hash %.8s then, %s with hash %.8s "
                    "now, and its results would be of two players. Put back what it was, or give "
                    "the new one another name and let this one go: %s.%s= %s.OTHER='%s'",
                    guest->name, folder, player->guest, player->hash, guest->text, now, SECTION,
                    guest->name, SECTION, guest->text);
}

/* What is to be done with the guests of a league. */
typedef struct Settling {
  JobConfig *settings;
  const char *folder;
  League league;
  Edit *edit; /* NULL: nothing has been changed yet */
  Tree *checkpoint;
  RunFolder *run;
} Settling;

/* The checkpoint is opened for a change when there is one. */
static Status begin(Settling *to) {
  return to->edit ? OK : edit_begin(to->checkpoint, to->settings, to->run, &to->edit);
}

/* Those that the league has. */
static Status settle_known(Settling *to) {
  for (size_t i = 0; i < to->league.players; i++) {
    const Player *player = &to->league.player[i];
    if (!player->guest) continue;
    const LeagueGuest *guest = asked_for(to->settings, &to->league, player);
    if (guest) TRY_RETURN(check_same(guest, player, to->folder));
    if (league_guest_is_away(player) == !guest) continue;
    TRY_RETURN(begin(to));
    TRY_RETURN(edit_guest_leaves(to->edit, player->name, !guest));
  }
  return OK;
}

static bool is_known(const League *league, const char *name) {
  for (size_t i = 0; i < league->players; i++)
    if (is_guest(league, &league->player[i], name)) return true;
  return false;
}

static Status settle_new(Settling *to) {
  JobConfig *s = to->settings;
  for (size_t i = 0; i < s->guests; i++) {
    if (is_known(&to->league, s->guest[i].name)) continue;
    TRY_RETURN(look(s, &s->guest[i]));
    TRY_RETURN(keep(&s->guest[i], to->run));
    TRY_RETURN(begin(to));
    TRY_RETURN(edit_invite(to->edit, &s->guest[i]));
  }
  return OK;
}

static Status finish(Settling *to, size_t already) {
  if (!to->edit) return OK;
  TRY_RETURN(edit_finish(to->edit));
  for (size_t i = already; i < edit_league(to->edit)->changes; i++)
    log_line("league: %s", edit_league(to->edit)->change[i].what);
  return OK;
}

Status guests_settle(JobConfig *s, Tree *checkpoint, RunFolder *run) {
  Status status = OK;
  const AgonEnvSpec *spec = &s->env->spec;
  Settling to = {.settings = s, .folder = run->path, .checkpoint = checkpoint, .run = run};
  if (!s->guests && !tree_find(checkpoint, "league/guest")) return OK;
  TRY(check_trust(s, run->path));
  TRY(league_create(&s->league, (uint64_t)s->run.seed, (double)spec->reward_low,
                    (double)spec->reward_high, &to.league));
  TRY(league_load(&to.league, checkpoint));
  TRY(settle_known(&to));
  TRY(settle_new(&to));
  TRY(finish(&to, to.league.changes));
done:
  edit_close(to.edit);
  league_free(&to.league);
  return status;
}

/* --- outside of training --- */
/* Whether the user has named this program, or accepts what runs name. */
static bool is_trusted(const JobConfig *s, const char *text) {
  for (size_t i = 0; i < s->guests; i++)
    if (!strcmp(s->guest[i].text, text)) return s->guest_trusted[i];
  return accepted;
}

/* 32 hex digits, as hash_text writes them. */
static Hash hash_of(const char *text) {
  char high[17];
  snprintf(high, sizeof high, "%.16s", text);
  return (Hash){strtoull(text + 16, NULL, 16), strtoull(high, NULL, 16)};
}

Status guests_contestant(const JobConfig *s, const Player *player, const char *folder,
                         const Env *env, Contestant *out) {
  char path[PATH_MAX];
  char *bytes = NULL;
  size_t size = 0;
  *out = (Contestant){.net = NULL};
  if (program_named(player->guest) && !is_trusted(s, player->guest))
    return status_set(ERR_USAGE,
                      "%s of %s is a program, %s: where you trust it, name that itself as the "
                      "player (agon train: --accept-guests)",
                      player->name, folder, player->guest);
  if (guest_is_file(player->guest)) {
    TRY_RETURN(run_guest_path(folder, player->guest, player->hash, path, sizeof path));
    TRY_RETURN(file_read(path, &bytes, &size));
  }
  const Status status =
      guest_create(player->name, player->guest, bytes, size, env, &out->policy.builtin);
  free(bytes);
  TRY_RETURN(status);
  out->side = player->side;
  TRY_RETURN(text_format(out->label, sizeof out->label, "%s", player->name));
  out->hash = hash_of(player->hash);
  return OK;
}

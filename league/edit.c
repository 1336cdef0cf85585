#include "league/edit.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The players in the order that `map` gives them; `free_id` (SIZE_MAX: none) stays empty. */
static Status renumber(League *league, const uint32_t *map, size_t free_id) {
  const size_t before = league->players;
  const size_t after = before + (free_id != SIZE_MAX);
  Player *player;
  TRY_RETURN(NEW_ARRAY(player, after));
  for (size_t i = 0; i < before; i++) {
    player[map[i]] = league->player[i];
    if (player[map[i]].parent >= 0) player[map[i]].parent = map[player[map[i]].parent];
  }
  free(league->player);
  league->player = player;
  league->players = after;
  league->room = after;
  for (size_t i = 0; i < league->copies; i++) {
    league->copy[i].player = map[league->copy[i].player];
    league->copy[i].source = map[league->copy[i].source];
  }
  TRY_RETURN(payoff_renumber(&league->payoff, map));
  return anchors_renumber(&league->anchors, map, before);
}

/* Words that mean something else where a player can be named. */
static bool is_reserved(const char *name) {
  return text_choice(ROLE_NAMES "|" BUILTIN_NAMES "|noop|initial", name) >= 0;
}

/* Snapshots are called after their model: "NAME-000000". */
enum { SNAPSHOT_SUFFIX = 7 };

/* learns: it will be frozen, again and again. */
static Status check_name(const League *league, const char *name, bool learns) {
  if (!text_is_name(name, PLAYER_NAME))
    return status_set(ERR_USAGE,
                      "'%s' is no name of a player: letters, digits, '_', '.' and '-', fewer than "
                      "%d, and neither of the last two first",
                      name, PLAYER_NAME);
  if (is_reserved(name))
    return status_set(
        ERR_USAGE,
        "'%s' cannot be a player's name: it is a role's, a built-in player's, or says "
        "what a player begins with",
        name);
  if (learns && strlen(name) + SNAPSHOT_SUFFIX >= PLAYER_NAME)
    return status_set(ERR_USAGE,
                      "'%s' is too long for a player that learns: fewer than %d letters, as its "
                      "snapshots are called %s-000000 and so on",
                      name, PLAYER_NAME - SNAPSHOT_SUFFIX, name);
  if (league_find(league, name) >= 0)
    return status_set(ERR_USAGE, "there is a player '%s' already", name);
  return OK;
}

/* What all newcomers are. */
static Player newcomer(const char *name, Role role, uint8_t side) {
  Player player = {.role = role, .side = side, .parent = -1};
  snprintf(player.name, sizeof player.name, "%s", name);
  return player;
}

/* Those that learn come first in all that is stored: the frozen ones make room. */
Status edit_join(League *league, const char *name, Role role, uint8_t side, int64_t parent,
                 uint32_t *out_id, uint32_t *map) {
  const uint32_t id = (uint32_t)league->learning;
  TRY_RETURN(check_name(league, name, true));
  if (league->learning >= WIRE_LEARNERS)
    return status_set(ERR_USAGE, "%d players learn already, and no more can", WIRE_LEARNERS);
  for (uint32_t i = 0; i < league->players; i++)
    map[i] = i < id ? i : i + 1;
  TRY_RETURN(renumber(league, map, id));
  league->player[id] = newcomer(name, role, side);
  if (parent >= 0) league->player[id].parent = map[parent];
  league->learning++;
  *out_id = id;
  return OK;
}

Status edit_import(League *league, const char *name, Role role, uint8_t side, const char *reason,
                   uint32_t *out_id) {
  TRY_RETURN(check_name(league, name, false));
  TRY_RETURN(league_add(league, name, role, true, -1, out_id));
  Player *player = &league->player[*out_id];
  player->side = side;
  snprintf(player->reason, sizeof player->reason, "%s", reason);
  return OK;
}

/* Mains that learn, of the side of `like`. */
static size_t mains_like(const League *league, const Player *like) {
  size_t mains = 0;
  for (size_t i = 0; i < league->learning; i++)
    mains += league->player[i].role == ROLE_MAIN && league->player[i].side == like->side;
  return mains;
}

Status edit_retire(League *league, uint32_t id, uint32_t *out_id, uint32_t *map) {
  const Player *player = &league->player[id];
  const uint32_t last = (uint32_t)league->players - 1;
  if (player->frozen)
    return status_set(ERR_USAGE, "%s learns no more already: it is frozen", player->name);
  if (player->role == ROLE_MAIN && mains_like(league, player) == 1)
    return status_set(ERR_USAGE,
                      "%s is the last main%s, and a league cannot be without: add another first",
                      player->name, player->side ? " of its side" : "");
  league->retired_frames += player->frames;
  for (uint32_t i = 0; i <= last; i++)
    map[i] = i < id ? i : i > id ? i - 1 : last;
  TRY_RETURN(renumber(league, map, SIZE_MAX));
  Player *retired = &league->player[last];
  retired->frozen = true;
  snprintf(retired->reason, sizeof retired->reason, "retired");
  league->learning--;
  *out_id = last;
  return OK;
}

Status edit_rename(League *league, uint32_t id, const char *name) {
  TRY_RETURN(check_name(league, name, !league->player[id].frozen));
  return text_format(league->player[id].name, PLAYER_NAME, "%s", name);
}

Status edit_rollback(League *league, uint32_t id, int64_t source) {
  const Player *player = &league->player[id];
  if (player->frozen)
    return status_set(ERR_USAGE, "%s is frozen, and stays what it is", player->name);
  league_new_life(league, id, source);
  return OK;
}

int64_t edit_last_snapshot(const League *league, uint32_t id) {
  for (size_t i = league->players; i-- > league->learning;)
    if (league->player[i].parent == (int64_t)id) return (int64_t)i;
  return -1;
}

int64_t edit_count(const League *league, Role role) {
  int64_t count[SEATS + 1] = {0};
  int64_t most = 0;
  for (size_t i = 0; i < league->learning; i++)
    count[league->player[i].side] += league->player[i].role == role;
  for (int s = 0; s <= SEATS; s++)
    most = count[s] > most ? count[s] : most;
  return most;
}

/* Lineage is printed on terminals and into reports, and files with other texts are refused. The end
 * of a path says more than its middle. */
static void plain(const char *text, char *out, size_t size) {
  static const char gap[] = "...";
  const size_t length = strlen(text);
  const size_t head = (size - sizeof gap) / 2;
  const size_t tail = size - sizeof gap - head;
  if (length < size)
    snprintf(out, size, "%s", text);
  else
    snprintf(out, size, "%.*s%s%s", (int)head, text, gap, text + length - tail);
  for (char *at = out; *at; at++)
    if (*at < ' ' || *at > '~') *at = '?';
}

Status edit_record(League *league, uint64_t when, uint64_t frames, const char *who,
                   const char *what) {
  TRY_RETURN(GROW(league->change, league->change_room, league->changes + 1));
  LeagueChange *change = &league->change[league->changes++];
  *change = (LeagueChange){.when = when, .frames = frames};
  plain(who, change->who, sizeof change->who);
  plain(what, change->what, sizeof change->what);
  return OK;
}

#include "league/roster.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void roster_free(Roster *roster) {
  free(roster->entry);
  *roster = (Roster){0};
}

/* "main_0", or with the side in front of it, "prey_main_0". */
static Status name_of(const LeagueConfig *config, Role role, uint32_t side, int64_t number,
                      char out[PLAYER_NAME]) {
  char word[PLAYER_NAME];
  text_choice_name(ROLE_NAMES, (int)role, word, sizeof word);
  return text_format(out, PLAYER_NAME, "%s%s%s_%lld", side ? league_side_name(config, side) : "",
                     side ? "_" : "", word, (long long)number);
}

Status roster_of_config(const LeagueConfig *config, Roster *out) {
  Status status = OK;
  const int64_t count[ROLE_COUNT] = {config->mains, config->main_exploiters,
                                     config->league_exploiters};
  const uint32_t own = config->sides == SIDES_SEPARATE;
  const size_t learners = league_learners(config);
  *out = (Roster){0};
  if (learners > WIRE_LEARNERS)
    return status_set(ERR_USAGE,
                      "at most %d learning players (league.mains and exploiters), not %zu",
                      WIRE_LEARNERS, learners);
  TRY(NEW_ARRAY(out->entry, learners));
  for (int r = 0; r < ROLE_COUNT; r++)
    for (uint32_t s = 0; s < league_sides(config); s++)
      for (int64_t i = 0; i < count[r]; i++) {
        RosterEntry *entry = &out->entry[out->count++];
        entry->role = (uint8_t)r;
        entry->side = (uint8_t)(own ? s + 1 : 0);
        TRY(name_of(config, (Role)r, entry->side, i, entry->name));
      }
done:
  if (status != OK) roster_free(out);
  return status;
}

/* What is looked at here is checked again by league_load, which looks at all of it. */
Status roster_of_checkpoint(const Tree *checkpoint, Roster *out) {
  Status status = OK;
  const Item *name;
  const Item *role;
  const Item *side = NULL;
  const Item *scalars;
  *out = (Roster){0};
  TRY(tree_get(checkpoint, "league/name", STORE_TEXT, -1, &name));
  TRY(tree_get(checkpoint, "league/role", STORE_U32, (int64_t)name->count, &role));
  if (tree_find(checkpoint, "league/side"))
    TRY(tree_get(checkpoint, "league/side", STORE_U32, (int64_t)name->count, &side));
  TRY(tree_get(checkpoint, "league/scalars", STORE_U64, 4, &scalars));
  const uint64_t learners = *(const uint64_t *)scalars->data;
  double(*tuned)[TUNABLES] = NULL;
  if (learners == 0 || learners > name->count || learners > WIRE_LEARNERS)
    TRY(tree_fault(checkpoint, scalars->path, 0, "is no number of learning players"));
  TRY(NEW_ARRAY(out->entry, learners));
  TRY(NEW_ARRAY(tuned, learners));
  TRY(tune_load_values(checkpoint, learners, tuned));
  for (size_t i = 0; i < learners; i++) {
    const uint32_t which = ((const uint32_t *)role->data)[i];
    const uint32_t team = side ? ((const uint32_t *)side->data)[i] : 0;
    if (which >= ROLE_COUNT || team > SEATS)
      TRY(tree_fault(checkpoint, role->path, (int64_t)i, "is no role: %u", which));
    RosterEntry *entry = &out->entry[out->count++];
    entry->role = (uint8_t)which;
    entry->side = (uint8_t)team;
    memcpy(entry->tuned, tuned[i], sizeof entry->tuned);
    TRY(text_format(entry->name, PLAYER_NAME, "%s", (const char *)name->data + i * name->size));
  }
done:
  free(tuned);
  if (status != OK) roster_free(out);
  return status;
}

void roster_encode(const Roster *roster, Bytes *out) {
  bytes_u32(out, (uint32_t)roster->count);
  for (size_t i = 0; i < roster->count; i++) {
    bytes_text(out, roster->entry[i].name);
    bytes_u8(out, roster->entry[i].role);
    bytes_u8(out, roster->entry[i].side);
    for (int k = 0; k < TUNABLES; k++)
      bytes_f64(out, roster->entry[i].tuned[k]);
  }
}

Status roster_decode(Roster *out, Reader *reader) {
  const uint32_t count = reader_u32(reader);
  *out = (Roster){0};
  if (reader->bad || count > WIRE_LEARNERS)
    return status_set(ERR_FORMAT, "the list of players is damaged");
  TRY_RETURN(NEW_ARRAY(out->entry, count));
  for (uint32_t i = 0; i < count; i++) {
    RosterEntry *entry = &out->entry[out->count++];
    reader_text(reader, entry->name, sizeof entry->name);
    entry->role = reader_u8(reader);
    entry->side = reader_u8(reader);
    for (int k = 0; k < TUNABLES; k++)
      entry->tuned[k] = reader_f64(reader);
    if (entry->role >= ROLE_COUNT || entry->side > SEATS) reader->bad = true;
  }
  if (!reader->bad) return OK;
  roster_free(out);
  return status_set(ERR_FORMAT, "the list of players is damaged");
}

Status roster_name(const LeagueConfig *config, Role role, uint32_t side,
                   bool (*taken)(const void *context, const char *name), const void *context,
                   char out[PLAYER_NAME]) {
  int64_t number = 0;
  do
    TRY_RETURN(name_of(config, role, side, number++, out));
  while (taken(context, out));
  return OK;
}

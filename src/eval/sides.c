#include "eval/sides.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

bool games_tell_sides(const Games *games, uint8_t *side) {
  bool played = false;
  for (size_t p = 0; p < games->players; p++)
    side[p] = 0;
  for (size_t i = 0; i < games->meetings; i++) {
    const Meeting *m = &games->meeting[i];
    const bool first = m->tally.seat[0].games > 0;
    const bool second = m->tally.seat[1].games > 0;
    if (first && second) return false;
    if (!first && !second) continue;
    side[m->a] |= first ? 1 : 2; /* bit by bit: 3 is both */
    side[m->b] |= first ? 2 : 1;
    played = true;
  }
  for (size_t p = 0; p < games->players; p++)
    if (side[p] == 3) side[p] = 0;
  return played;
}

/* The new numbers of the old players, by the team that they play. */
typedef struct Parts {
  const Games *from;
  const uint8_t *side;
  uint32_t (*as)[SEATS];
} Parts;

/* All first, so that those of `from` keep their numbers. */
static Status add_players(const Parts *parts, const char *const name[SEATS], Games *out) {
  const Games *from = parts->from;
  char text[2 * GAMES_NAME];
  for (uint32_t p = 0; p < from->players; p++) {
    snprintf(text, sizeof text, "%s%s%s", from->name[p], parts->side[p] ? "" : " as ",
             parts->side[p] ? "" : name[0]);
    TRY_RETURN(games_player(out, text, &parts->as[p][0]));
    parts->as[p][1] = parts->as[p][0];
  }
  for (uint32_t p = 0; p < from->players; p++) {
    if (parts->side[p]) continue;
    snprintf(text, sizeof text, "%s as %s", from->name[p], name[1]);
    TRY_RETURN(games_player(out, text, &parts->as[p][1]));
  }
  return OK;
}

/* The games of one seat. Pairs of games that swapped seats are no pairs any more. */
static Status add_seat(const Parts *parts, const Meeting *m, int seat, Games *out) {
  MatchTally part = {.pair_squares = -1};
  const bool all = m->tally.seat[1 - seat].games <= 0;
  if (m->tally.seat[seat].games <= 0) return OK;
  if (all) {
    part = m->tally;
  } else {
    part.half_told = m->tally.half_told;
    part.seat[seat] = m->tally.seat[seat];
    part.welfare[seat] = m->tally.welfare[seat];
    part.more_squares[seat] = m->tally.more_squares[seat];
  }
  return games_add(out, parts->as[m->a][seat], parts->as[m->b][1 - seat], 0, &part);
}

Status games_by_side(const Games *from, const uint8_t *side, const char *const name[SEATS],
                     Games *out, uint8_t **out_side) {
  Status status = OK;
  Parts parts = {.from = from, .side = side};
  *out = (Games){.teams = from->teams};
  *out_side = NULL;
  TRY(NEW_ARRAY(parts.as, from->players + 1));
  TRY(add_players(&parts, name, out));
  TRY(NEW_ARRAY(*out_side, out->players + 1));
  for (uint32_t p = 0; p < from->players; p++)
    for (int s = 0; s < SEATS; s++)
      (*out_side)[parts.as[p][s]] = side[p] ? side[p] : (uint8_t)(s + 1);
  for (size_t i = 0; i < from->meetings; i++)
    for (int seat = 0; seat < SEATS; seat++)
      TRY(add_seat(&parts, &from->meeting[i], seat, out));
done:
  free(parts.as);
  return status;
}

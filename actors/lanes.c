#include "actors/lanes.h"

#include "base/invariant.h"

#include <math.h>
#include <string.h>

bool lane_is_eval(uint32_t id, double share) { return floor((id + 1) * share) > floor(id * share); }

void lane_range(size_t lanes, size_t actors, size_t index, size_t *first, size_t *count) {
  *first = lanes * index / actors;
  *count = lanes * (index + 1) / actors - *first;
}

static const MatchEntry *pick_match(AgonRng *rng, const MatchEntry *match, size_t count) {
  double target = rng_unit(rng), sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)match[i].probability;
  target *= sum;
  const MatchEntry *last = NULL;
  for (size_t i = 0; i < count; i++) {
    if (match[i].probability <= 0) continue;
    last = &match[i];
    target -= (double)match[i].probability;
    if (target < 0) break;
  }
  return last;
}

bool lane_draw(Lane *lane, const Table *table, Matchup *out) {
  const MatchEntry *pick = NULL;
  uint32_t life = 0;
  if (lane->eval) {
    if (table->evals) pick = pick_match(&lane->rng, table->eval, table->evals);
  } else if (table->homes) {
    double share[WIRE_LEARNERS];
    INVARIANT(table->homes <= WIRE_LEARNERS);
    for (size_t i = 0; i < table->homes; i++) share[i] = (double)table->home[i].share;
    const HomeEntry *home = &table->home[rng_pick(&lane->rng, share, table->homes)];
    pick = pick_match(&lane->rng, table->match + home->first, home->count);
    life = home->life;
  }
  if (!pick) return false;
  INVARIANT(pick->probability > 0);
  *out = (Matchup){*pick, life, table_life(table, pick->away), ++lane->draws};
  return true;
}

void matchup_encode(const Matchup *match, Bytes *out) {
  bytes_u32(out, match->entry.home);
  bytes_u32(out, match->entry.away);
  bytes_put(out, &match->entry.probability, 4);
  bytes_u8(out, match->entry.flags);
  bytes_u8(out, match->entry.branch);
  bytes_u32(out, match->home_life);
  bytes_u32(out, match->away_life);
  bytes_u32(out, match->drawn);
}

void matchup_decode(Matchup *match, Reader *reader) {
  match->entry.home = reader_u32(reader);
  match->entry.away = reader_u32(reader);
  reader_get(reader, &match->entry.probability, 4);
  match->entry.flags = reader_u8(reader);
  match->entry.branch = reader_u8(reader);
  match->home_life = reader_u32(reader);
  match->away_life = reader_u32(reader);
  match->drawn = reader_u32(reader);
  const MatchEntry *entry = &match->entry;
  if (entry->home >= WIRE_PLAYERS || !is_opponent(entry->away, WIRE_PLAYERS) ||
      (is_builtin(entry->away) && entry->flags) || entry->branch >= BRANCH_COUNT ||
      entry->flags > (MATCH_LIVE | MATCH_AWAY_LEARNS) || !(entry->probability >= 0 && entry->probability <= 1.001f))
    reader->bad = true;
}

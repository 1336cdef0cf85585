#include "actors/lanes.h"

#include "base/invariant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A slot and the lane that it is of; what PlaySlot.owner points to. */
typedef struct Seat {
  LaneSlot shown;
  PlaySlot *play;
  size_t lane; /* its index */
} Seat;

typedef struct Lane {
  uint32_t id;
  bool eval;
  bool retiring; /* surplus after a resume; starts no more episodes */
  bool restored;
  uint32_t started; /* episodes of the present matchup */
  uint32_t quota;   /* of them */
  uint32_t draws;
  AgonRng rng;
  Matchup now;
  Matchup next; /* drawn ahead */
  Seat *seat;   /* (Lanes.each); the play's slots point to them */
} Lane;

struct Lanes {
  LanesSetup setup;
  size_t each; /* slots of a lane */
  Lane *lane;
  size_t lanes;
  size_t lane_room;
  size_t slots;       /* of all lanes */
  uint8_t *flags;     /* (agents) of one slot */
  uint32_t *given_up; /* players that have failed in this job */
  size_t gone;
  size_t gone_room;
  uint64_t abandoned; /* games of the job before that cannot go on; not yet told */
};

/* --- matchups --- */
bool lane_is_eval(uint32_t id, double share) {
  return floor((id + 1) * share) > floor(id * share);
}

/* Lanes `first` to `first + count - 1` are those of actor `index`; shares differ by one lane at
 * most. */
void lane_range(size_t lanes, size_t actors, size_t index, size_t *first, size_t *count) {
  *first = lanes * index / actors;
  *count = lanes * (index + 1) / actors - *first;
}

/* One of `count` matches, each as likely as its probability says; those of probability 0 never, not
 * even by rounding. NULL: there is none. */
static const MatchEntry *pick_match(AgonRng *rng, const MatchEntry *match, size_t count) {
  double target = rng_unit(rng);
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    sum += (double)match[i].probability;
  }
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

size_t match_opponents(uint32_t teams) {
  return teams > 1 ? teams - 1 : 1;
}

size_t match_opponent_at(uint32_t teams, uint32_t home, uint32_t team) {
  return teams > 1 ? (team + teams - home - 1) % teams : 0;
}

/* Evaluation lanes draw pairs of frozen players right away, whose life is always 0. The opponent
 * has all other teams, so that a game says how one does among many of another. */
static bool draw_eval(const Table *table, size_t opponents, AgonRng *rng, Matchup *out) {
  const MatchEntry *pick = table->evals ? pick_match(rng, table->eval, table->evals) : NULL;
  if (!pick) return false;
  *out = (Matchup){.home = pick->home};
  for (size_t i = 0; i < opponents; i++) {
    out->opponent[i] = (Opponent){*pick, table_life(table, pick->away)};
  }
  return true;
}

/* One of the homes, each as likely as its share says; the same draw as rng_pick's. */
static const HomeEntry *pick_home(const Table *table, AgonRng *rng) {
  double sum = 0;
  for (size_t i = 0; i < table->homes; i++)
    sum += (double)table->home[i].share;
  double target = rng_unit(rng) * sum;
  const HomeEntry *last = &table->home[0];
  for (size_t i = 0; i < table->homes; i++) {
    const double share = (double)table->home[i].share;
    if (share <= 0) continue;
    last = &table->home[i];
    target -= share;
    if (target < 0) break;
  }
  return last;
}

/* First who plays at home, by the shares of the roles; then, each independently of the others, who
 * has the other teams. */
static bool draw_training(const Table *table, size_t opponents, AgonRng *rng, Matchup *out) {
  if (!table->homes) return false;
  const HomeEntry *home = pick_home(table, rng);
  *out = (Matchup){.home = home->player, .home_life = home->life};
  for (size_t i = 0; i < opponents; i++) {
    const MatchEntry *pick = pick_match(rng, table->match + home->first, home->count);
    if (!pick) return false;
    INVARIANT(pick->probability > 0 && pick->home == home->player);
    out->opponent[i] = (Opponent){*pick, table_life(table, pick->away)};
  }
  return true;
}

bool matchup_draw(const Table *table, uint32_t teams, bool eval, AgonRng *rng, Matchup *out) {
  const size_t opponents = match_opponents(teams);
  return eval ? draw_eval(table, opponents, rng, out) : draw_training(table, opponents, rng, out);
}

/* What a file of two teams has had since before there could be more; then come the opponents in the
 * other teams. */
void matchup_encode(const Matchup *match, uint32_t teams, Bytes *out) {
  const Opponent *first = &match->opponent[0];
  bytes_u32(out, match->home);
  bytes_u32(out, first->entry.away);
  bytes_put(out, &first->entry.probability, 4);
  bytes_u8(out, first->entry.flags);
  bytes_u8(out, first->entry.branch);
  bytes_u32(out, match->home_life);
  bytes_u32(out, first->life);
  bytes_u32(out, match->drawn);
  for (size_t i = 1; i < match_opponents(teams); i++) {
    const Opponent *next = &match->opponent[i];
    bytes_u32(out, next->entry.away);
    bytes_put(out, &next->entry.probability, 4);
    bytes_u8(out, next->entry.flags);
    bytes_u8(out, next->entry.branch);
    bytes_u32(out, next->life);
  }
}

/* Whether a table can have it. */
static bool is_match(const MatchEntry *entry) {
  if (entry->home >= WIRE_PLAYERS || !is_opponent(entry->away, WIRE_PLAYERS)) return false;
  if (is_builtin(entry->away) && (entry->flags & (MATCH_LIVE | MATCH_AWAY_LEARNS))) return false;
  if (entry->branch >= BRANCH_COUNT || entry->flags >= MATCH_FLAGS) return false;
  return entry->probability >= 0 && entry->probability <= 1.001f;
}

void matchup_decode(Matchup *match, uint32_t teams, Reader *reader) {
  *match = (Matchup){.home = reader_u32(reader)};
  for (size_t i = 0; i < match_opponents(teams); i++) {
    Opponent *opponent = &match->opponent[i];
    opponent->entry.home = match->home;
    opponent->entry.away = reader_u32(reader);
    reader_get(reader, &opponent->entry.probability, 4);
    opponent->entry.flags = reader_u8(reader);
    opponent->entry.branch = reader_u8(reader);
    if (i == 0) match->home_life = reader_u32(reader);
    opponent->life = reader_u32(reader);
    if (i == 0) match->drawn = reader_u32(reader);
    if (!is_match(&opponent->entry)) reader->bad = true;
  }
}

/* --- seats --- */
/* Of more than two teams, in evaluation: the turn counts through who is alone where, then through
 * whom of the two that is, then through the teams that it can be compared with. */
Seating lane_seating(uint32_t teams, bool eval, uint32_t turn) {
  const uint32_t lone = turn % teams;
  if (!eval || teams <= 2) return (Seating){(uint8_t)lone, (uint8_t)((lone + 1) % teams), false};
  const uint32_t after = 1 + turn / (2 * teams) % (teams - 1);
  const uint32_t other = (lone + after) % teams;
  if (turn / teams % 2) return (Seating){(uint8_t)other, (uint8_t)lone, true};
  return (Seating){(uint8_t)lone, (uint8_t)other, false};
}

/* --- life cycle --- */
size_t lanes_slots_each(const ActorConfig *config) {
  size_t each = (size_t)(config->slots / config->lanes);
  return each ? each : 1;
}

/* A slot of play and one of the recorder, which get the same index. */
static Status add_seat(Lanes *lanes, Lane *lane, size_t i) {
  const LanesSetup *setup = &lanes->setup;
  Seat *seat = &lane->seat[i];
  seat->lane = (size_t)(lane - lanes->lane);
  TRY_RETURN(play_add_slot(setup->play, (uint32_t)(lane->id * lanes->each + i), &seat->play));
  TRY_RETURN(recorder_add_slot(setup->recorder));
  seat->shown.index = lanes->slots++;
  seat->play->owner = seat;
  return OK;
}

/* An actor's lane is numbered over the whole job, so that its random stream and opponents do not
 * depend on how many actors there are. A lane plays `quota` episodes against one opponent, then
 * draws another. */
static Status add_lane(Lanes *lanes, uint32_t id, bool retiring) {
  const ActorConfig *config = &lanes->setup.config;
  const size_t each = lanes->each;
  const uint32_t wanted = (uint32_t)config->lane_episodes;
  const uint32_t quota = wanted > each ? wanted : (uint32_t)each;
  TRY_RETURN(GROW(lanes->lane, lanes->lane_room, lanes->lanes + 1));
  Lane *lane = &lanes->lane[lanes->lanes];
  *lane = (Lane){
      .id = id,
      .eval = lane_is_eval(id, config->eval_share),
      .retiring = retiring,
      .quota = quota,
      /* lanes start with different counts, so that they do not all change opponents in one step;
       * each leaves room for all its slots, so that a step renews a lane at most once */
      .started = (uint32_t)((uint64_t)quota * id / (uint64_t)config->lanes % (quota - each + 1)),
      .rng = rng_stream(lanes->setup.seed, id, 0, RNG_MATCH),
  };
  TRY_RETURN(NEW_ARRAY(lane->seat, each));
  lanes->lanes++;
  for (size_t i = 0; i < each; i++) {
    TRY_RETURN(add_seat(lanes, lane, i));
  }
  return OK;
}

Status lanes_create(const LanesSetup *setup, Lanes **out) {
  Status status = OK;
  Lanes *lanes = NULL;
  const ActorConfig *config = &setup->config;
  size_t first, count;
  TRY(NEW_ARRAY(lanes, 1));
  lanes->setup = *setup;
  lanes->each = lanes_slots_each(config);
  TRY(NEW_ARRAY(lanes->flags, setup->env->spec.agents));
  lane_range((size_t)config->lanes, setup->actors, setup->index, &first, &count);
  for (size_t i = 0; i < count; i++) {
    TRY(add_lane(lanes, (uint32_t)(first + i), false));
  }
  *out = lanes;
  lanes = NULL;
done:
  lanes_destroy(lanes);
  return status;
}

void lanes_destroy(Lanes *lanes) {
  if (!lanes) return;
  for (size_t i = 0; i < lanes->lanes; i++) {
    free(lanes->lane[i].seat);
  }
  free(lanes->lane);
  free(lanes->given_up);
  free(lanes->flags);
  free(lanes);
}

/* --- policies of a matchup --- */
static size_t opponents_of(const Lanes *lanes) {
  return match_opponents(lanes->setup.env->spec.teams);
}

static void pin_match(const Lanes *lanes, const Matchup *match, int change) {
  if (!match->drawn) return;
  cache_pin(lanes->setup.cache, match->home, change);
  for (size_t i = 0; i < opponents_of(lanes); i++) {
    cache_pin(lanes->setup.cache, match->opponent[i].entry.away, change);
  }
}

/* Sees to it that a policy will be here: a learning player's comes by itself, a frozen one's is
 * fetched from the league unless it has been asked for already. */
static Status want_player(const Lanes *lanes, uint32_t player) {
  bool fetch;
  if (player < lanes->setup.learning_players) return OK;
  TRY_RETURN(cache_want(lanes->setup.cache, player, &fetch));
  return fetch ? lanes->setup.fetch(lanes->setup.context, player) : OK;
}

/* Holds the policies of a matchup, and asks for those that are not here. */
static Status want_match(const Lanes *lanes, const Matchup *match) {
  if (!match->drawn) return OK;
  pin_match(lanes, match, 1);
  TRY_RETURN(want_player(lanes, match->home));
  for (size_t i = 0; i < opponents_of(lanes); i++) {
    TRY_RETURN(want_player(lanes, match->opponent[i].entry.away));
  }
  return OK;
}

/* Whether all teams can be played now. */
static bool match_is_here(const Lanes *lanes, const Matchup *match) {
  PolicyCache *cache = lanes->setup.cache;
  if (!cache_find(cache, match->home)) return false;
  for (size_t i = 0; i < opponents_of(lanes); i++)
    if (!cache_find(cache, match->opponent[i].entry.away)) return false;
  return true;
}

static bool has_player(const Lanes *lanes, const Matchup *match, uint32_t player) {
  bool has = match->home == player;
  for (size_t i = 0; i < opponents_of(lanes); i++)
    has |= match->opponent[i].entry.away == player;
  return match->drawn && has;
}

static bool is_given_up(const Lanes *lanes, const Matchup *match) {
  for (size_t i = 0; i < lanes->gone; i++)
    if (has_player(lanes, match, lanes->given_up[i])) return true;
  return false;
}

/* Draws the matchup after the present one, if there is none yet. */
static Status draw_ahead(Lanes *lanes, Lane *lane, const Table *table) {
  if (lane->next.drawn || lane->retiring) return OK;
  const uint32_t teams = lanes->setup.env->spec.teams;
  if (!matchup_draw(table, teams, lane->eval, &lane->rng, &lane->next)) return OK;
  lane->next.drawn = ++lane->draws;
  if (is_given_up(lanes, &lane->next)) lane->next = (Matchup){0}; /* the next tick draws another */
  return want_match(lanes, &lane->next);
}

Status lanes_draw_ahead(Lanes *lanes, const Table *table) {
  for (size_t i = 0; i < lanes->lanes; i++) {
    TRY_RETURN(draw_ahead(lanes, &lanes->lane[i], table));
  }
  return OK;
}

/* --- episodes --- */
const LaneSlot *lanes_slot(const PlaySlot *slot) {
  return &((const Seat *)slot->owner)->shown;
}

/* Who has the team, if not home; NULL: home has it. */
static const Opponent *opponent_at(const Lanes *lanes, const LaneSlot *slot, uint32_t team) {
  const Seating *seating = &slot->seating;
  const uint32_t teams = lanes->setup.env->spec.teams;
  const bool home = seating->crowd ? team != seating->away : team == seating->home;
  if (home) return NULL;
  return &slot->match.opponent[match_opponent_at(teams, seating->home, team)];
}

static Policy *policy_of_team(const Lanes *lanes, const LaneSlot *slot, uint32_t team) {
  const Opponent *opponent = opponent_at(lanes, slot, team);
  return cache_find(lanes->setup.cache, opponent ? opponent->entry.away : slot->match.home);
}

/* Which teams' decisions are recorded: home's, and those of opponents that learn too, as home does
 * where it meets itself; none in evaluation. */
static void set_record(const Lanes *lanes, const Seat *seat) {
  const LaneSlot *slot = &seat->shown;
  for (uint32_t team = 0; team < lanes->setup.env->spec.teams; team++) {
    const Opponent *opponent = opponent_at(lanes, slot, team);
    const bool learns = !opponent || (opponent->entry.flags & MATCH_AWAY_LEARNS);
    seat->play->record[team] = !slot->eval && learns;
  }
}

static void set_policies(const Lanes *lanes, const Seat *seat) {
  for (uint32_t team = 0; team < lanes->setup.env->spec.teams; team++) {
    seat->play->policy[team] = policy_of_team(lanes, &seat->shown, team);
  }
}

/* Evaluation lanes play the task itself, whatever the stage is. */
static void set_stage(const Lanes *lanes, const Table *table, const Seat *seat) {
  const Stages *stages = lanes->setup.stages;
  PlaySlot *slot = seat->play;
  slot->knob = NULL;
  slot->stage = 0;
  if (!stages || !stages->count) return;
  if (seat->shown.eval || table->stage >= stages->count) return;
  slot->stage = 1 + table->stage;
  slot->knob = stages->stage[table->stage].knob;
}

/* The matchup that was drawn ahead becomes the present one, and another is drawn. */
static Status renew(Lanes *lanes, Lane *lane, const Table *table) {
  if (lane->now.drawn) lane->started = 0; /* the first matchup begins with the lane's own count */
  pin_match(lanes, &lane->now, -1);
  lane->now = lane->next;
  lane->next = (Matchup){0};
  return draw_ahead(lanes, lane, table);
}

/* Whose turn it is to have which team: the one that home always plays; else seats change with
 * episodes and slots, so that all teams are played equally often. */
static uint32_t turn_of(const PlaySlot *slot, const Matchup *match) {
  const uint32_t side = match_side(&match->opponent[0].entry);
  return side ? side - 1 : slot->episode + slot->id;
}

/* Not agreed: the lane is retiring, or its next match has not been drawn; the slot stays empty for
 * now. */
Status lanes_begin_episode(Lanes *lanes, const Table *table, PlaySlot *slot, bool *agreed) {
  Seat *seat = slot->owner;
  Lane *lane = &lanes->lane[seat->lane];
  LaneSlot *shown = &seat->shown;
  *agreed = false;
  if (lane->retiring) return OK;
  if (!lane->now.drawn || lane->started >= lane->quota) {
    if (!lane->next.drawn) return OK;
    TRY_RETURN(renew(lanes, lane, table));
  }
  lane->started++;
  INVARIANT(lane->now.drawn && lane->started <= lane->quota);
  shown->match = lane->now;
  shown->eval = lane->eval;
  shown->seating =
      lane_seating(lanes->setup.env->spec.teams, lane->eval, turn_of(slot, &lane->now));
  pin_match(lanes, &shown->match, 1);
  set_policies(lanes, seat);
  set_record(lanes, seat);
  set_stage(lanes, table, seat);
  *agreed = true;
  return OK;
}

/* To those who learn from it, it was cut off like one that has run out of time; it has no result.
 * The game's number is not used again. */
static void break_off(Lanes *lanes, Seat *seat) {
  PlaySlot *slot = seat->play;
  recorder_ended(lanes->setup.recorder, seat->shown.index, slot, AGON_TRUNCATED);
  pin_match(lanes, &seat->shown.match, -1);
  seat->shown.match = (Matchup){0};
  slot->live = false;
  slot->episode++;
}

static void forget_match(Lanes *lanes, Matchup *match, uint32_t player) {
  if (!has_player(lanes, match, player)) return;
  pin_match(lanes, match, -1);
  *match = (Matchup){0};
}

Status lanes_give_up(Lanes *lanes, uint32_t player) {
  TRY_RETURN(GROW(lanes->given_up, lanes->gone_room, lanes->gone + 1));
  lanes->given_up[lanes->gone++] = player;
  for (size_t i = 0; i < lanes->lanes; i++) {
    Lane *lane = &lanes->lane[i];
    for (size_t s = 0; s < lanes->each; s++)
      if (lane->seat[s].play->live && has_player(lanes, &lane->seat[s].shown.match, player))
        break_off(lanes, &lane->seat[s]);
    if (has_player(lanes, &lane->now, player)) lane->started = 0;
    forget_match(lanes, &lane->now, player);
    forget_match(lanes, &lane->next, player);
  }
  return OK;
}

/* Its policies may be evicted again. */
void lanes_end_episode(Lanes *lanes, const PlaySlot *slot) {
  pin_match(lanes, &lanes_slot(slot)->match, -1);
}

/* Slots restored from a checkpoint are bound to their policies when these are here. */
static bool seat_is_ready(const Lanes *lanes, const Seat *seat) {
  if (!seat->play->live || seat->play->policy[0]) return true;
  if (!match_is_here(lanes, &seat->shown.match)) return false;
  set_policies(lanes, seat);
  return true;
}

/* Whether every match that could be played in the coming tick has its policies here: within a tick
 * nothing waits. */
bool lanes_are_ready(Lanes *lanes) {
  for (size_t i = 0; i < lanes->lanes; i++) {
    const Lane *lane = &lanes->lane[i];
    if (lane->next.drawn && !match_is_here(lanes, &lane->next)) return false;
    if (lane->now.drawn && !match_is_here(lanes, &lane->now)) return false;
    for (size_t s = 0; s < lanes->each; s++)
      if (!seat_is_ready(lanes, &lane->seat[s])) return false;
  }
  return true;
}

/* Only agents that act next can close: a value is taken where there is an observation of theirs to
 * value. */
static void close_seat(Lanes *lanes, const Seat *seat) {
  const Env *env = lanes->setup.env;
  const PlaySlot *slot = seat->play;
  env_flags_of(env, slot->state, lanes->flags);
  for (uint32_t a = 0; a < env->spec.agents; a++)
    if (slot->record[env->spec.team_of[a]] && (lanes->flags[a] & AGON_ACTS))
      recorder_closed(lanes->setup.recorder, seat->shown.index, slot, a);
}

void lanes_close_unrolls(Lanes *lanes) {
  for (size_t i = 0; i < lanes->lanes; i++) {
    const Lane *lane = &lanes->lane[i];
    for (size_t s = 0; s < lanes->each; s++) {
      const Seat *seat = &lane->seat[s];
      if (seat->play->live && !seat->shown.eval) close_seat(lanes, seat);
    }
  }
}

/* --- states --- */
uint64_t lanes_take_abandoned(Lanes *lanes) {
  uint64_t abandoned = lanes->abandoned;
  lanes->abandoned = 0;
  return abandoned;
}

size_t lanes_count(const Lanes *lanes) {
  return lanes->lanes;
}

uint32_t lanes_id(const Lanes *lanes, size_t lane) {
  return lanes->lane[lane].id;
}

/* A lane of a larger job that was resumed with fewer lanes ends its games in progress, then
 * goes. */
bool lanes_is_finished(const Lanes *lanes, size_t lane) {
  const Lane *of = &lanes->lane[lane];
  if (!of->retiring) return false;
  for (size_t i = 0; i < lanes->each; i++)
    if (of->seat[i].play->live) return false;
  return true;
}

/* Of more than two teams, home's alone does not tell who has which. */
static void seating_encode(const Seating *seating, uint32_t teams, Bytes *out) {
  bytes_u8(out, seating->home);
  if (teams <= 2) return;
  bytes_u8(out, seating->away);
  bytes_u8(out, seating->crowd);
}

/* False: it is not one of a game of so many teams. */
static bool seating_decode(Seating *seating, uint32_t teams, Reader *state) {
  const uint8_t home = reader_u8(state);
  *seating = (Seating){.home = home, .away = (uint8_t)((home + 1) % teams)};
  if (teams <= 2) return home < teams;
  seating->away = reader_u8(state);
  const uint8_t crowd = reader_u8(state);
  seating->crowd = crowd == 1;
  return home < teams && seating->away < teams && home != seating->away && crowd <= 1;
}

/* The state of a lane, as lanes_restore takes it back. Policies are named by their ids; they are
 * fetched anew. */
Status lanes_encode(const Lanes *lanes, size_t lane, Bytes *out) {
  const LanesSetup *setup = &lanes->setup;
  const Lane *of = &lanes->lane[lane];
  const uint32_t teams = setup->env->spec.teams;
  bytes_u32(out, of->started);
  bytes_u32(out, of->draws);
  bytes_put(out, &of->rng, sizeof of->rng);
  matchup_encode(&of->now, teams, out);
  matchup_encode(&of->next, teams, out);
  bytes_u32(out, (uint32_t)lanes->each);
  for (size_t i = 0; i < lanes->each; i++) {
    const Seat *seat = &of->seat[i];
    TRY_RETURN(slot_encode(setup->play, seat->play, out));
    matchup_encode(&seat->shown.match, teams, out);
    seating_encode(&seat->shown.seating, teams, out);
    recorder_encode(setup->recorder, seat->shown.index, out);
  }
  return OK;
}

/* Whether a matchup was drawn for evaluation. */
static bool match_is_eval(const Matchup *match) {
  return match->drawn && match->opponent[0].entry.branch == BRANCH_EVAL;
}

/* Another share of evaluation on resume makes other lanes evaluate. What such a lane has drawn is
 * then of the wrong kind: games in progress end as they began, and the next begins with a matchup
 * that is drawn anew. */
static void drop_other_kind(Lane *lane) {
  if (lane->next.drawn && match_is_eval(&lane->next) != lane->eval) lane->next = (Matchup){0};
  if (lane->now.drawn && match_is_eval(&lane->now) != lane->eval) lane->started = lane->quota;
}

/* A slot's game in progress. ERR_FORMAT where what was decoded cannot be a slot of this env; the
 * lane is of no use then, and the job ends. An episode that the env cannot restore is abandoned and
 * counted. */
static Status restore_seat(Lanes *lanes, Seat *seat, Reader *state) {
  const LanesSetup *setup = &lanes->setup;
  const AgonEnvSpec *spec = &setup->env->spec;
  const PlaySlot *slot = seat->play;
  const uint32_t id = slot->id;
  bool abandoned;
  TRY_RETURN(slot_decode(setup->play, seat->play, state, &abandoned));
  matchup_decode(&seat->shown.match, spec->teams, state);
  bool fits = seating_decode(&seat->shown.seating, spec->teams, state);
  TRY_RETURN(recorder_decode(setup->recorder, seat->shown.index, state));
  if (abandoned) recorder_abandoned(setup->recorder, seat->shown.index);
  lanes->abandoned += abandoned;
  fits = fits && slot->id == id && slot->steps <= spec->step_limit;
  if (state->bad || !fits || (slot->live && !seat->shown.match.drawn))
    return status_set(ERR_FORMAT, "the state of slot %u is damaged", id);
  if (!slot->live) return OK;
  seat->shown.eval = match_is_eval(&seat->shown.match);
  set_record(lanes, seat);
  return want_match(lanes, &seat->shown.match);
}

/* The lane of this id; one of a larger run is adopted. */
static Status lane_to_restore(Lanes *lanes, uint32_t id, Lane **out) {
  if (id >= UINT32_MAX / lanes->each)
    return status_set(ERR_FORMAT, "lane %u is not one that can be restored", id);
  for (size_t i = 0; i < lanes->lanes; i++)
    if (lanes->lane[i].id == id) {
      *out = &lanes->lane[i];
      if ((*out)->restored) return status_set(ERR_FORMAT, "lane %u came twice", id);
      return OK;
    }
  TRY_RETURN(add_lane(lanes, id, true));
  *out = &lanes->lane[lanes->lanes - 1];
  return OK;
}

/* --- other ids --- */
/* Built-in players keep theirs. */
static Status renumber_one(uint32_t *player, const uint32_t *map, size_t players, bool *gone) {
  if (is_builtin(*player)) return OK;
  if (*player >= players)
    return status_set(ERR_FORMAT, "a lane has player %u of %zu", *player, players);
  *player = map[*player];
  *gone |= *player == (uint32_t)LANES_GONE;
  return OK;
}

/* *gone: one of its players is. */
static Status renumber_match(const Lanes *lanes, Matchup *match, const uint32_t *map,
                             size_t players, bool *gone) {
  *gone = false;
  if (!match->drawn) return OK;
  TRY_RETURN(renumber_one(&match->home, map, players, gone));
  for (size_t i = 0; i < opponents_of(lanes); i++) {
    MatchEntry *entry = &match->opponent[i].entry;
    entry->home = match->home;
    TRY_RETURN(renumber_one(&entry->away, map, players, gone));
  }
  return OK;
}

/* A game whose player is gone frees its slot, and its number is not used again. */
static Status renumber_seat(Lanes *lanes, Seat *seat, const uint32_t *map, size_t players) {
  bool gone;
  PlaySlot *slot = seat->play;
  TRY_RETURN(renumber_match(lanes, &seat->shown.match, map, players, &gone));
  if (!gone) {
    recorder_renumber(lanes->setup.recorder, seat->shown.index, map);
    return OK;
  }
  seat->shown.match = (Matchup){0};
  if (!slot->live) return OK;
  slot->live = false;
  slot->episode++;
  recorder_abandoned(lanes->setup.recorder, seat->shown.index);
  lanes->abandoned++;
  return OK;
}

Status lanes_renumber(Lanes *lanes, const uint32_t *map, size_t players) {
  for (size_t i = 0; i < lanes->lanes; i++) {
    Lane *lane = &lanes->lane[i];
    bool gone;
    TRY_RETURN(renumber_match(lanes, &lane->now, map, players, &gone));
    if (gone) lane->now = (Matchup){0};
    if (gone) lane->started = 0;
    TRY_RETURN(renumber_match(lanes, &lane->next, map, players, &gone));
    if (gone) lane->next = (Matchup){0};
    for (size_t s = 0; s < lanes->each; s++)
      TRY_RETURN(renumber_seat(lanes, &lane->seat[s], map, players));
  }
  return OK;
}

/* ERR_USAGE if the number of slots per lane has changed, ERR_FORMAT if the state is damaged. */
Status lanes_restore(Lanes *lanes, const WireLane *sent) {
  Lane *lane = NULL;
  Reader state = reader_over(sent->state, sent->size);
  const uint32_t teams = lanes->setup.env->spec.teams;
  TRY_RETURN(lane_to_restore(lanes, sent->lane, &lane));
  lane->restored = true;
  lane->started = reader_u32(&state);
  lane->draws = reader_u32(&state);
  reader_get(&state, &lane->rng, sizeof lane->rng);
  matchup_decode(&lane->now, teams, &state);
  matchup_decode(&lane->next, teams, &state);
  size_t slots = reader_u32(&state);
  if (state.bad) return status_set(ERR_FORMAT, "the state of lane %u is damaged", sent->lane);
  if (slots != lanes->each)
    return status_set(ERR_USAGE,
                      "actors.slots / actors.lanes may not change on resume (%zu slots per lane "
                      "before, %zu now)",
                      slots, lanes->each);
  drop_other_kind(lane);
  TRY_RETURN(want_match(lanes, &lane->now));
  TRY_RETURN(want_match(lanes, &lane->next));
  for (size_t i = 0; i < slots; i++) {
    TRY_RETURN(restore_seat(lanes, &lane->seat[i], &state));
  }
  return reader_finish(&state, "the state of a lane");
}

#include "eval/eval.h"

#include "eval/line.h"
#include "play/measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Two players, their games so far, and what is noted of each game. */
typedef struct Match {
  const Env *env;
  Contestant *player[2];
  const MatchPlan *plan;
  uint64_t next, games;
  MatchTally *tally;
  uint32_t teams;
  uint64_t *act_key; /* (2, teams) of player, on the team it plays */
  uint8_t *side_of;  /* (teams) of the game that is handed over */
  uint8_t *half;     /* (games) points of a, in halves, plus 1; 0 = not yet played */
  double *gain;      /* (games) return of a */
  Bytes *line;       /* (slots) what happened so far */
  uint8_t *flags;    /* (agents) of one game */
  int side;          /* team of a in all games; -1: they swap */
  Measures measures;
  bool drew; /* of games to try: something was drawn at random in one of them */
  Status failed;
} Match;

/* What names a player's random stream: who it is, against whom, and from which seat. So its draws
 * in the two games of a pair, and in games of the same number against others, have nothing in
 * common, and do not depend on its place in a list. */
static Status key_streams(Match *match) {
  char id[2][192];
  for (int i = 0; i < 2; i++)
    TRY_RETURN(contestant_id(match->player[i], id[i], sizeof id[i]));
  bool alike = !strcmp(id[0], id[1]);
  for (int i = 0; i < 2; i++)
    for (uint32_t team = 0; team < match->teams; team++) {
      const uint8_t place[2] = {(uint8_t)team, (uint8_t)(alike && i)};
      Hash who =
          hash_join(hash_bytes(id[i], strlen(id[i])), hash_bytes(id[1 - i], strlen(id[1 - i])));
      match->act_key[(size_t)i * match->teams + team] =
          hash_join(who, hash_bytes(place, sizeof place)).low;
    }
  return OK;
}

int eval_side(const Contestant *a, const Contestant *b) {
  return a->side ? (int)a->side - 1 : b->side ? 2 - (int)b->side : -1;
}

Status eval_check_sides(const Contestant *a, const Contestant *b) {
  if (!a->side || a->side != b->side) return OK;
  return status_set(ERR_USAGE,
                    "%s and %s cannot meet: both always play team %u (their league had "
                    "league.sides=separate); name one of the other side",
                    a->label, b->label, a->side - 1);
}

/* So few games are as even as can be. The pairs of a round go 0, 1, -1, 2, -2, ... around the
 * table, from each team to the next one; where N is odd distances would come twice, and they go
 * from 0 to 1, from 1 to 3, from 2 to 5, ... Each round begins a team before the last one's. */
PairSeats match_seats(uint32_t teams, uint64_t pair) {
  if (teams <= 2) return (PairSeats){0, 1};
  const uint32_t i = (uint32_t)(pair % (teams - 1));
  const uint32_t round = (uint32_t)(pair / (teams - 1) % teams);
  const bool even = teams % 2 == 0;
  const uint32_t start = !even ? i : i % 2 ? (i + 1) / 2 : teams - i / 2;
  const uint32_t after = even && i % 2 ? teams - 1 - i : 1 + i;
  const uint32_t lone = (start + teams - round) % teams;
  return (PairSeats){lone, (lone + after) % teams};
}

/* How a game is seated. Two of the teams are compared: one of each player. */
typedef struct Seats {
  uint32_t team[2]; /* of a, of b: those compared */
  int lone;         /* who has that team alone: 0 a, 1 b; the other has all others */
} Seats;

/* Game 2 k and 2 k + 1 are one pair: the same chance and opening, seats swapped; a player that
 * always plays the same side keeps it. With more than two teams first a, then b is alone against
 * teams that are all the other's. */
static Seats seats_of(const Match *match, uint64_t game) {
  const PairSeats pair = match_seats(match->teams, match->plan->first + game / 2);
  Seats seats = {.lone = match->side >= 0 ? match->side : (int)(game & 1)};
  seats.team[seats.lone] = pair.lone;
  seats.team[1 - seats.lone] = pair.other;
  return seats;
}

/* Which player has a team. */
static int side_at(const Seats *seats, uint32_t team) {
  return team == seats->team[seats->lone] ? seats->lone : 1 - seats->lone;
}

/* The number that chance and opening go by: the pair's. Where seats are not swapped the same chance
 * would make the same game: each then has its own. */
static uint64_t luck_of(const Match *match, uint64_t game) {
  const uint64_t first = match->plan->first;
  return match->side >= 0 ? 2 * first + game : first + game / 2;
}

static bool on_begin(void *context, PlaySlot *slot) {
  Match *match = context;
  if (match->next == match->games) return false;
  uint64_t game = match->next++;
  const uint64_t luck = luck_of(match, game);
  const Seats seats = seats_of(match, game);
  slot->id = (uint32_t)(luck & 0xffffff);
  slot->episode = (uint32_t)(luck >> 24);
  for (uint32_t team = 0; team < match->teams; team++) {
    const int who = side_at(&seats, team);
    slot->policy[team] = &match->player[who]->policy;
    slot->act_key[team] = match->act_key[(size_t)who * match->teams + team];
    slot->record[team] = false;
  }
  slot->owner = (void *)(uintptr_t)game;
  return true;
}

/* Returns are taken from the slot at the end. */
static void on_rewarded(void *context, PlaySlot *slot, const float *reward) {
  (void)context;
  (void)slot;
  (void)reward;
}
static void on_decided(void *context, PlaySlot *slot, const Decision *decision) {
  (void)context;
  (void)slot;
  (void)decision;
}

/* Writes the game down as it happens; a reset begins it anew (a random opening may have ended a
 * game). */
static void on_traced(void *context, PlaySlot *slot, TraceKind kind, const AgonAction *actions,
                      uint32_t outcome) {
  Match *match = context;
  Bytes *line = &match->line[(uintptr_t)slot->owner];
  if (kind == TRACE_RESET)
    line->size = 0;
  else if (kind == TRACE_CHANCE)
    line_put_chance(line, outcome);
  else
    line_put_actions(line, match->env, slot->state, actions, match->flags);
}

/* Gives a game that was written down to the plan's `played`, and frees its text. */
static void hand_over(Match *match, uint64_t game, const float *outcome, const PlaySlot *slot) {
  Bytes *line = &match->line[game];
  const Seats seats = seats_of(match, game);
  bytes_u8(line, 0);
  for (uint32_t team = 0; team < match->teams; team++)
    match->side_of[team] = (uint8_t)side_at(&seats, team);
  GameText text = {
      .game = 2 * match->plan->first + game,
      .line = (const char *)line->data,
      .teams = match->teams,
      .side_of = match->side_of,
      .outcome = outcome,
      .team_return = slot->team_return,
  };
  match->failed = line->failed ? ERR_MEMORY : match->plan->played(match->plan->context, &text);
  bytes_free(line);
}

/* What a got out of a game, 0 .. 1: by its own outcome, of more than two teams beside the one that
 * it is compared with. */
static float points_of(const Match *match, const Seats *seats, const float *outcome) {
  const float own = outcome[seats->team[0]];
  const float other = outcome[seats->team[1]];
  if (match->teams == 2) return own;
  return own > other ? 1 : own < other ? 0 : 0.5f;
}

/* Whether the two teams that are compared are told by what each earned itself. In a zero-sum game
 * of more than two teams that would depend on the others, too. */
static bool tells_own(const Match *match) {
  return match->teams == 2 || is_general_sum(match->env);
}

/* What a earned: its return, or half of what it is ahead of the other, which in a zero-sum game of
 * two is the same. */
static double gain_of(const Match *match, const Seats *seats, const double *team_return) {
  const double own = team_return[seats->team[0]];
  return tells_own(match) ? own : (own - team_return[seats->team[1]]) / 2;
}

/* What b earned, or the negative of what a did. */
static double other_gain(const Match *match, const Seats *seats, const double *team_return) {
  return tells_own(match) ? team_return[seats->team[1]] : -gain_of(match, seats, team_return);
}

/* Adds what is measured of a game, where the plan asks for it. */
static void measure(const Match *match, const PlaySlot *slot) {
  Measured *to = match->plan->measured;
  double value[MEASURES] = {0};
  if (!to) return;
  measures_take(&match->measures, slot->state, slot->team_return, value);
  to->games++;
  for (size_t i = 0; i < match->measures.count; i++)
    to->sum[i] += value[i];
}

/* Counts a game, and its pair when the other one has ended before. */
static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  (void)how;
  Match *match = context;
  uint64_t game = (uint64_t)(uintptr_t)slot->owner;
  const Seats seats = seats_of(match, game);
  const float points = points_of(match, &seats, outcome);
  const double gain = gain_of(match, &seats, slot->team_return);
  const double other = other_gain(match, &seats, slot->team_return);
  const int seat = seats.team[0] > seats.team[1];
  tally_game(&match->tally->seat[seat], points, gain);
  match->tally->welfare[seat] += gain + other;
  match->tally->more_squares[seat] += other * other - gain * gain;
  match->half[game] = (uint8_t)(1 + (points > 0.5f ? 2 : points == 0.5f ? 1 : 0));
  match->gain[game] = gain;
  if (match->half[game ^ 1]) {
    double both = match->gain[game] + match->gain[game ^ 1];
    match->tally->pairs.count[match->half[game] + match->half[game ^ 1] - 2]++;
    match->tally->pair_squares += both * both;
  }
  measure(match, slot);
  if (match->plan->played && match->failed == OK) hand_over(match, game, outcome, slot);
}

/* The two games of a pair depend on each other, so the interval comes from pairs where their
 * squares are known. */
double match_mean_return(const MatchTally *tally, double *error) {
  const Tally *s = tally->seat;
  double games = tally_games(s);
  double pairs = 0, mean = 0;
  *error = INFINITY;
  if (games <= 0) return 0;
  mean = (s[0].returns + s[1].returns) / games;
  for (int k = 0; k < 5; k++)
    pairs += tally->pairs.count[k];
  bool paired = tally->pair_squares >= 0 && 2 * pairs >= games;
  double n = paired ? pairs : games;
  double square =
      paired ? tally->pair_squares / (4 * pairs) : (s[0].squares + s[1].squares) / games;
  if (n > 1) *error = meta_quantile(n - 1) * sqrt(fmax(square - mean * mean, 0) / (n - 1));
  return mean;
}

uint64_t match_distinct(const Env *env) {
  const uint64_t teams = env->spec.teams;
  return teams > 2 ? teams * (teams - 1) : 1;
}

uint64_t match_counts(const Env *env, uint64_t first, uint64_t pairs, bool fixed) {
  const uint64_t distinct = match_distinct(env);
  if (!fixed) return pairs;
  if (first >= distinct) return 0;
  return pairs < distinct - first ? pairs : distinct - first;
}

/* Plays all games of the match: 128 at once, in batches of up to 256 decisions. */
static Status play_games(Match *match, const PlayHooks *hooks) {
  Status status = OK;
  Play *play = NULL;
  const MatchPlan *plan = match->plan;
  const size_t slots = match->games < 128 ? (size_t)match->games : 128;
  size_t memory = 0, live = 1;
  for (int i = 0; i < 2; i++)
    if (match->player[i]->net && match->player[i]->net->graph.state_size > memory)
      memory = match->player[i]->net->graph.state_size;
  TRY(play_create(match->env, NULL, plan->seed, 256, memory, hooks, &play));
  play_open_randomly(play, plan->openings, plan->vary);
  for (size_t i = 0; i < slots; i++) {
    PlaySlot *slot;
    TRY(play_add_slot(play, (uint32_t)i, &slot));
  }
  while (live && match->failed == OK && !match->drew)
    TRY(play_step(play, &live));
  status = match->failed;
done:
  play_destroy(play);
  return status;
}

/* --- games that nothing is random in --- */
/* The env's stream has moved if it drew, or the opening did, or chance moved. */
static void note_draws(Match *match, const PlaySlot *slot) {
  const AgonRng fresh = rng_stream(match->plan->seed, slot->id, slot->episode, RNG_ENV);
  match->drew |= slot->drew || memcmp(&fresh, &slot->env_rng, sizeof fresh) != 0;
}

static void on_tried_step(void *context, PlaySlot *slot, TraceKind kind, const AgonAction *actions,
                          uint32_t outcome) {
  (void)kind;
  (void)actions;
  (void)outcome;
  note_draws(context, slot);
}

static void on_tried(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  (void)how;
  (void)outcome;
  note_draws(context, slot);
}

/* Whether nothing is random between the two: plays every way to sit once, without counting it,
 * until something is drawn. It is the same whichever pairs the match has, so that all matches of
 * the two agree about which games are copies. */
static Status try_all_ways(const Match *match, bool *fixed) {
  MatchPlan plan = *match->plan;
  Match trial = *match;
  const PlayHooks hooks = {
      .context = &trial,
      .begin = on_begin,
      .decided = on_decided,
      .rewarded = on_rewarded,
      .ended = on_tried,
      .traced = on_tried_step,
  };
  plan.first = 0;
  plan.pairs = match_distinct(match->env);
  trial.plan = &plan;
  trial.games = 2 * plan.pairs;
  TRY_RETURN(play_games(&trial, &hooks));
  *fixed = !trial.drew;
  return OK;
}

/* Whether a player may draw, whatever the game. */
static bool draws(const Contestant *player) {
  return player->net && policy_draws(&player->policy, player->net, false);
}

Status eval_match(const Env *env, Contestant *a, Contestant *b, const MatchPlan *plan,
                  MatchTally *out) {
  Status status = OK;
  Match match = {
      .env = env,
      .player = {a, b},
      .plan = plan,
      .tally = out,
      .teams = env->spec.teams,
      .side = eval_side(a, b),
  };
  const PlayHooks hooks = {
      .context = &match,
      .begin = on_begin,
      .decided = on_decided,
      .rewarded = on_rewarded,
      .ended = on_ended,
      .traced = plan->played ? on_traced : NULL,
  };
  *out = (MatchTally){0};
  measures_of(env, &match.measures);
  if (env->spec.teams == 1)
    return status_set(ERR_USAGE,
                      "one team plays %s, so there are no matches: agon eval says what its players "
                      "earn",
                      env->table->name);
  TRY_RETURN(eval_check_sides(a, b));
  a->policy.inference = a->net ? &a->inference : NULL;
  b->policy.inference = b->net ? &b->inference : NULL;
  TRY(NEW_ARRAY(match.act_key, 2 * (size_t)match.teams));
  TRY(NEW_ARRAY(match.side_of, match.teams));
  TRY(key_streams(&match));
  if (plan->pairs && plan->first + plan->pairs >= match_distinct(env) && !draws(a) && !draws(b))
    TRY(try_all_ways(&match, &out->fixed));
  match.games = 2 * match_counts(env, plan->first, plan->pairs, out->fixed);
  TRY(NEW_ARRAY(match.half, match.games + 1));
  TRY(NEW_ARRAY(match.gain, match.games + 1));
  TRY(NEW_ARRAY(match.flags, env->spec.agents));
  if (plan->played) TRY(NEW_ARRAY(match.line, match.games + 1));
  if (match.games) TRY(play_games(&match, &hooks));
done:
  for (uint64_t i = 0; match.line && i < match.games; i++)
    bytes_free(&match.line[i]);
  free(match.line);
  free(match.flags);
  free(match.act_key);
  free(match.side_of);
  free(match.half);
  free(match.gain);
  return status;
}

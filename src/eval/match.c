#include "eval/eval.h"

#include "eval/line.h"

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
  uint64_t act_key[2][2]; /* [player][team it plays] */
  uint8_t *half;          /* (games) points of a, in halves, plus 1; 0 = not yet played */
  double *gain;           /* (games) return of a */
  Bytes *line;            /* (slots) what happened so far */
  uint8_t *flags;         /* (agents) of one game */
  bool alone;             /* the first pair plays first: there may be nothing else to play */
  bool drew;              /* something was drawn at random, in any game */
  int side;               /* team of a in all games; -1: they swap */
  uint64_t ended;         /* games */
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
    for (int team = 0; team < 2; team++) {
      const uint8_t place[2] = {(uint8_t)team, (uint8_t)(alike && i)};
      Hash who =
          hash_join(hash_bytes(id[i], strlen(id[i])), hash_bytes(id[1 - i], strlen(id[1 - i])));
      match->act_key[i][team] = hash_join(who, hash_bytes(place, sizeof place)).low;
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

/* The team of a in a game. */
static size_t seat_of(const Match *match, uint64_t game) {
  return match->side >= 0 ? (size_t)match->side : game & 1;
}

/* Game 2 k and 2 k + 1 are one pair: the same chance and opening, seats swapped. Where seats are
 * not swapped the same chance would make the same game: each then has its own. Where nothing may
 * be random the first pair is waited for, as it may be all there is. */
static bool on_begin(void *context, PlaySlot *slot) {
  Match *match = context;
  if (match->next == match->games) return false;
  if (match->alone && match->next >= 2 && (match->ended < 2 || !match->drew)) return false;
  uint64_t game = match->next++;
  uint64_t pair = match->plan->first + game / 2;
  size_t home = seat_of(match, game);
  if (match->side >= 0) pair = 2 * match->plan->first + game;
  slot->id = (uint32_t)(pair & 0xffffff); /* chance and opening are the pair's */
  slot->episode = (uint32_t)(pair >> 24);
  slot->policy[home] = &match->player[0]->policy;
  slot->policy[1 - home] = &match->player[1]->policy;
  slot->act_key[home] = match->act_key[0][home];
  slot->act_key[1 - home] = match->act_key[1][1 - home];
  slot->record[1] = false;
  slot->record[0] = false;
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
  bytes_u8(line, 0);
  GameText text = {
      .game = 2 * match->plan->first + game,
      .line = (const char *)line->data,
      .outcome = outcome,
      .team_return = slot->team_return,
  };
  match->failed = line->failed ? ERR_MEMORY : match->plan->played(match->plan->context, &text);
  bytes_free(line);
}

/* Counts a game, and its pair when the other one has ended before. */
static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  (void)how;
  Match *match = context;
  uint64_t game = (uint64_t)(uintptr_t)slot->owner;
  size_t home = seat_of(match, game);
  const AgonRng fresh = rng_stream(match->plan->seed, slot->id, slot->episode, RNG_ENV);
  match->drew |= slot->drew || memcmp(&fresh, &slot->env_rng, sizeof fresh) != 0;
  match->ended++;
  tally_game(&match->tally->seat[home], outcome[home], slot->team_return[home]);
  match->half[game] = (uint8_t)(1 + (outcome[home] > 0.5f ? 2 : outcome[home] == 0.5f ? 1 : 0));
  match->gain[game] = slot->team_return[home];
  if (match->half[game ^ 1]) {
    double both = match->gain[game] + match->gain[game ^ 1];
    match->tally->pairs.count[match->half[game] + match->half[game ^ 1] - 2]++;
    match->tally->pair_squares += both * both;
  }
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

/* 128 games at once, in batches of up to 256 decisions. */
Status eval_match(const Env *env, Contestant *a, Contestant *b, const MatchPlan *plan,
                  MatchTally *out) {
  Status status = OK;
  Play *play = NULL;
  Match match = {.env = env,
                 .player = {a, b},
                 .plan = plan,
                 .games = 2 * plan->pairs,
                 .tally = out,
                 .side = eval_side(a, b)};
  PlayHooks hooks = {
      .context = &match,
      .begin = on_begin,
      .decided = on_decided,
      .rewarded = on_rewarded,
      .ended = on_ended,
      .traced = plan->played ? on_traced : NULL,
  };
  size_t memory = 0, live = 1;
  size_t slots = match.games < 128 ? (size_t)match.games : 128;
  *out = (MatchTally){0};
  if (env->spec.teams == 1)
    return status_set(ERR_USAGE,
                      "one team plays %s, so there are no matches: agon eval says what its players "
                      "earn",
                      env->table->name);
  if (env->spec.teams != 2) return status_set(ERR_USAGE, "matches need an env with two teams");
  TRY_RETURN(eval_check_sides(a, b));
  for (int i = 0; i < 2; i++)
    if (match.player[i]->net && match.player[i]->net->graph.state_size > memory)
      memory = match.player[i]->net->graph.state_size;
  match.alone = (!a->net || a->policy.greedy) && (!b->net || b->policy.greedy);
  TRY(key_streams(&match));
  TRY(NEW_ARRAY(match.half, match.games + 1));
  TRY(NEW_ARRAY(match.gain, match.games + 1));
  TRY(NEW_ARRAY(match.flags, env->spec.agents));
  if (plan->played) TRY(NEW_ARRAY(match.line, match.games + 1));
  TRY(play_create(env, NULL, plan->seed, 256, memory, &hooks, &play));
  play_open_randomly(play, plan->openings, plan->vary);
  a->policy.inference = a->net ? &a->inference : NULL;
  b->policy.inference = b->net ? &b->inference : NULL;
  for (size_t i = 0; i < slots; i++) {
    PlaySlot *slot;
    TRY(play_add_slot(play, (uint32_t)i, &slot));
  }
  while (live && match.failed == OK)
    TRY(play_step(play, &live));
  status = match.failed;
  out->fixed = match.games > 0 && !match.drew;
done:
  for (uint64_t i = 0; match.line && i < match.games; i++)
    bytes_free(&match.line[i]);
  free(match.line);
  free(match.flags);
  free(match.half);
  free(match.gain);
  play_destroy(play);
  return status;
}

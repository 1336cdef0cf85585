#include "eval/solo.h"

#include "eval/line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 128 };

/* Episodes under way: the player, the next episode's number, and what was seen so far. */
typedef struct Solo {
  const Env *env;
  Contestant *player;
  const SoloPlan *plan;
  uint64_t next, key;
  double squares; /* around the mean so far (Welford) */
  SoloScore *score;
  Measures measures;
  Bytes *line;    /* (recorded) what happened so far */
  double *gained; /* (recorded) the team's return */
  uint8_t *flags; /* (agents) scratch */
} Solo;

/* Of the number of an episode in a slot: set in all that are played here, and in none that a run
 * gets to. So whoever is trained with the same seed has never seen the starts it is judged by. */
#define JUDGED (UINT32_C(1) << 31)

/* An episode's number becomes the slot's and the episode's, which name its random streams: so it
 * does not matter in which slot it is played. */
static void name_episode(uint64_t episode, uint32_t *slot, uint32_t *number) {
  *slot = (uint32_t)(episode & 0xffffff);
  *number = (uint32_t)(episode >> 24) | JUDGED;
}

AgonRng solo_stream(uint64_t seed, uint64_t episode) {
  uint32_t slot;
  uint32_t number;
  name_episode(episode, &slot, &number);
  return rng_stream(seed, slot, number, RNG_ENV);
}

/* The next episode of the plan, in whichever slot is free. */
static bool on_begin(void *context, PlaySlot *slot) {
  Solo *solo = context;
  if (solo->next == solo->plan->episodes) return false;
  uint64_t episode = solo->next++;
  name_episode(episode, &slot->id, &slot->episode);
  slot->owner = (void *)(uintptr_t)episode;
  slot->policy[0] = &solo->player->policy;
  slot->act_key[0] = solo->key;
  slot->record[0] = false;
  return true;
}

/* Nothing is learned from these games. */
static void on_decided(void *context, PlaySlot *slot, const Decision *decision) {
  (void)context;
  (void)slot;
  (void)decision;
}
static void on_rewarded(void *context, PlaySlot *slot, const float *reward) {
  (void)context;
  (void)slot;
  (void)reward;
}

/* Writes the first episodes down as they happen; a reset begins one anew (a random opening may have
 * ended it). */
static void on_traced(void *context, PlaySlot *slot, TraceKind kind, const AgonAction *actions,
                      uint32_t outcome) {
  Solo *solo = context;
  const uint64_t episode = (uintptr_t)slot->owner;
  if (episode >= solo->plan->recorded) return;
  Bytes *line = &solo->line[episode];
  if (kind == TRACE_RESET)
    line->size = 0;
  else if (kind == TRACE_CHANCE)
    line_put_chance(line, outcome);
  else
    line_put_actions(line, solo->env, slot->state, actions, solo->flags);
}

/* Mean and squares are kept up episode by episode (Welford), without storing returns. That the env
 * drew anything shows in its stream having moved. */
static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  Solo *solo = context;
  SoloScore *score = solo->score;
  const AgonRng fresh = rng_stream(solo->plan->seed, slot->id, slot->episode, RNG_ENV);
  double value = slot->team_return[0];
  double gap = value - score->mean;
  (void)how;
  (void)outcome;
  score->episodes++;
  score->mean += gap / (double)score->episodes;
  solo->squares += gap * (value - score->mean);
  score->least = fmin(score->least, value);
  score->most = fmax(score->most, value);
  score->length += slot->steps;
  if (solo->line && (uintptr_t)slot->owner < solo->plan->recorded)
    solo->gained[(uintptr_t)slot->owner] = value;
  score->drew |= slot->drew || memcmp(&fresh, &slot->env_rng, sizeof fresh) != 0;
  double measured[MEASURES] = {0};
  measures_take(&solo->measures, slot->state, slot->agent_return, measured);
  for (size_t i = 0; i < solo->measures.count; i++)
    score->metric[i] += measured[i];
}

/* Divides the sums, and gives an interval only where something was random: else all episodes are
 * one. */
static void conclude(const Solo *solo) {
  SoloScore *score = solo->score;
  double n = (double)score->episodes;
  score->length /= n;
  for (int i = 0; i < MEASURES; i++)
    score->metric[i] /= n;
  score->high = NAN;
  score->low = NAN;
  if (n < 2) return;
  score->deviation = sqrt(solo->squares / (n - 1));
  if (!score->drew) return;
  double half = meta_quantile(n - 1) * score->deviation / sqrt(n);
  score->low = score->mean - half;
  score->high = score->mean + half;
}

/* Gives what was written down to the plan's `played`, one after another. */
static Status hand_over(Solo *solo) {
  const SoloPlan *plan = solo->plan;
  for (uint64_t i = 0; i < plan->recorded && i < plan->episodes; i++) {
    Bytes *line = &solo->line[i];
    bytes_u8(line, 0);
    if (line->failed) return status_set(ERR_MEMORY, "out of memory recording an episode");
    const GameText text = {
        .game = i, .line = (const char *)line->data, .team_return = &solo->gained[i]};
    TRY_RETURN(plan->played(plan->context, &text));
  }
  return OK;
}

/* As many slots as give full batches; each plays episode after episode until the plan is done. */
Status eval_solo(const Env *env, Contestant *player, const SoloPlan *plan, SoloScore *out) {
  Status status = OK;
  Play *play = NULL;
  char id[192];
  Solo solo = {.env = env, .player = player, .plan = plan, .score = out};
  const bool records = plan->recorded > 0 && plan->played;
  PlayHooks hooks = {
      .context = &solo,
      .begin = on_begin,
      .decided = on_decided,
      .rewarded = on_rewarded,
      .ended = on_ended,
      .traced = records ? on_traced : NULL,
  };
  size_t memory = player->net ? player->net->graph.state_size : 0;
  size_t live = 1;
  if (env->spec.teams != 1 || plan->episodes == 0)
    return status_set(
        ERR_USAGE, "returns alone judge players of envs with one team, over one episode or more");
  *out = (SoloScore){.least = INFINITY, .most = -INFINITY};
  TRY_RETURN(contestant_id(player, id, sizeof id));
  solo.key = hash_bytes(id, strlen(id)).low;
  if (records) {
    TRY(NEW_ARRAY(solo.line, plan->recorded));
    TRY(NEW_ARRAY(solo.gained, plan->recorded));
    TRY(NEW_ARRAY(solo.flags, env->spec.agents));
  }
  TRY(play_create(env, NULL, plan->seed, 256, memory, &hooks, &play));
  play_open_randomly(play, plan->openings, false);
  measures_of(env, &solo.measures);
  if (solo.measures.of_agents) play_tell_agents(play);
  player->policy.inference = player->net ? &player->inference : NULL;
  for (uint32_t i = 0; i < SLOTS && i < plan->episodes; i++) {
    PlaySlot *slot;
    TRY(play_add_slot(play, i, &slot));
  }
  while (live)
    TRY(play_step(play, &live));
  conclude(&solo);
  if (records) TRY(hand_over(&solo));
done:
  for (uint64_t i = 0; solo.line && i < plan->recorded; i++)
    bytes_free(&solo.line[i]);
  free(solo.line);
  free(solo.gained);
  free(solo.flags);
  play_destroy(play);
  return status;
}

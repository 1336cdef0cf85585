#include "eval/eval.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void contestant_destroy(Contestant *contestant) {
  policy_release(&contestant->policy);
  builtin_destroy(contestant->policy.builtin);
  inference_destroy(&contestant->inference);
  net_destroy(contestant->net);
  free(contestant->block);
  *contestant = (Contestant){.net = NULL};
}

Status contestant_builtin(const char *name, const Env *env, Contestant *out) {
  *out = (Contestant){.net = NULL};
  TRY_RETURN(text_format(out->label, sizeof out->label, "%s", name));
  return builtin_create(name, env, &out->policy.builtin);
}

Status contestant_policy(const char *label, const NetConfig *config, const Env *env, const float *block, size_t count,
                         Contestant *out) {
  Status status = OK;
  *out = (Contestant){.net = NULL};
  TRY(text_format(out->label, sizeof out->label, "%s", label));
  TRY(net_create(config, &env->spec, &out->net));
  if (out->net->block != count)
    TRY(status_set(ERR_FORMAT, "%s: its policy has %zu numbers, its network %zu", label, count, out->net->block));
  TRY(inference_create(out->net, 256, &out->inference));
  TRY(NEW_ARRAY(out->block, count));
  memcpy(out->block, block, count * sizeof *block);
  out->hash = hash_bytes(block, count * sizeof *block);
  out->policy.block = out->block;
done:
  if (status != OK) contestant_destroy(out);
  return status;
}

typedef struct Match {
  Contestant *side[2];
  uint64_t next, games;
  Score *seat;
} Match;

static bool on_begin(void *context, PlaySlot *slot) {
  Match *match = context;
  if (match->next == match->games) return false;
  uint64_t game = match->next++;
  size_t home = game & 1;
  slot->id = (uint32_t)(game / 2); /* both games of a pair draw from one stream */
  slot->episode = 0;
  slot->policy[home] = &match->side[0]->policy;
  slot->policy[1 - home] = &match->side[1]->policy;
  slot->record[0] = slot->record[1] = false;
  slot->owner = &match->seat[home];
  return true;
}

static void on_rewarded(void *context, PlaySlot *slot, const float *reward) { (void)context, (void)slot, (void)reward; }
static void on_decided(void *context, PlaySlot *slot, const Decision *decision) {
  (void)context, (void)slot, (void)decision;
}

static void on_ended(void *context, PlaySlot *slot, AgonStatus how, const float *outcome) {
  (void)how;
  Match *match = context;
  Score *score = slot->owner;
  size_t home = score == &match->seat[1];
  score->games++;
  score->wins += outcome[home] > 0.5f;
  score->draws += outcome[home] == 0.5f;
  score->losses += outcome[home] < 0.5f;
  score->returns += slot->team_return[home];
  score->squares += slot->team_return[home] * slot->team_return[home];
}

Status eval_match(const Env *env, Contestant *a, Contestant *b, uint64_t games, uint64_t seed, Score seat[2]) {
  Status status = OK;
  Play *play = NULL;
  Match match = {{a, b}, 0, games + (games & 1), seat};
  PlayHooks hooks = {&match, on_begin, on_decided, on_rewarded, on_ended};
  size_t memory = 0, live = 1, slots = games < 128 ? (size_t)games : 128;
  if (env->spec.teams != 2) return status_set(ERR_USAGE, "matches need an env with two teams");
  seat[0] = seat[1] = (Score){0};
  for (int i = 0; i < 2; i++)
    if (match.side[i]->net && match.side[i]->net->graph.state_size > memory)
      memory = match.side[i]->net->graph.state_size;
  TRY(play_create(env, NULL, seed, 256, memory, &hooks, &play));
  a->policy.inference = a->net ? &a->inference : NULL;
  b->policy.inference = b->net ? &b->inference : NULL;
  for (size_t i = 0; i < slots; i++) {
    PlaySlot *slot;
    TRY(play_add_slot(play, (uint32_t)i, &slot));
  }
  while (live) TRY(play_step(play, &live));
done:
  play_destroy(play);
  return status;
}

#include "job/lost.h"

#include "base/log.h"
#include "base/text.h"

#include <limits.h>
#include <string.h>

/* The file is whole, and holds the policy that the league names by its hash. */
static Status check_file(const Player *player, const char *folder) {
  char path[PATH_MAX];
  char hash[HASH_TEXT];
  const Item *policy;
  Tree tree;
  TRY_RETURN(run_frozen_path(folder, player->name, player->hash, "", path, sizeof path));
  TRY_RETURN(store_read(path, "player", &tree));
  Status status = tree_get(&tree, "policy", STORE_F32, -1, &policy);
  if (status == OK) {
    hash_text(hash_bytes(policy->data, policy->count * policy->size), hash);
    if (strcmp(hash, player->hash))
      status =
          status_set(ERR_FORMAT, "%s does not hold the policy that the checkpoint names", path);
  }
  tree_free(&tree);
  return status;
}

/* *changed: it is lost and was not, or the other way round. */
static Status look_at(const Player *player, const char *folder, bool *lost, bool *changed) {
  *lost = *changed = false;
  if (!player->frozen || player->guest) return OK;
  const Status status = check_file(player, folder);
  if (status == ERR_MEMORY) return status;
  *lost = status != OK;
  *changed = *lost != league_is_lost(player);
  return OK;
}

Status lost_look(const League *league, const char *folder, size_t *lost, size_t *found) {
  *lost = *found = 0;
  for (size_t i = 0; i < league->players; i++) {
    const Player *player = &league->player[i];
    bool is_lost;
    bool changed;
    TRY_RETURN(look_at(player, folder, &is_lost, &changed));
    if (!changed) continue;
    *lost += is_lost;
    *found += !is_lost;
    if (is_lost) log_warning("%s is lost, and met no more: %s", player->name, status_message());
  }
  return OK;
}

Status lost_mark(Edit *edit, const char *folder) {
  const League *league = edit_league(edit);
  for (size_t i = 0; i < league->players; i++) {
    bool lost;
    bool changed;
    TRY_RETURN(look_at(&league->player[i], folder, &lost, &changed));
    if (changed) TRY_RETURN(edit_lose(edit, league->player[i].name, lost));
  }
  return OK;
}

Status lost_settle(JobConfig *s, Tree *checkpoint, RunFolder *run) {
  Status status = OK;
  const AgonEnvSpec *spec = &s->env->spec;
  League league = {.players = 0};
  Edit *edit = NULL;
  size_t lost;
  size_t found;
  TRY(league_create(&s->league, (uint64_t)s->run.seed, (double)spec->reward_low,
                    (double)spec->reward_high, &league));
  TRY(league_load(&league, checkpoint));
  TRY(lost_look(&league, run->path, &lost, &found));
  if (lost + found == 0) goto done;
  TRY(edit_begin(checkpoint, s, run, &edit));
  TRY(lost_mark(edit, run->path));
  TRY(edit_finish(edit));
done:
  edit_close(edit);
  league_free(&league);
  return status;
}

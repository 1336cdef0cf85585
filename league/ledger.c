#include "league/ledger.h"

#include "agon/env.h"
#include "league/anchors.h"
#include "league/payoff.h"
#include "store/counters.h"

#include <stdio.h>

/* ERR_FORMAT, with both in words, unless two counts of the same are equal. */
static Status equal(const char *what, uint64_t one, const char *of_what, uint64_t other) {
  if (one == other) return OK;
  return status_set(ERR_FORMAT, "it contradicts itself: %s %llu, but %s %llu", what,
                    (unsigned long long)one, of_what, (unsigned long long)other);
}

/* Of the players of a checkpoint. */
typedef struct Columns {
  const Item *name;
  const Item *frozen;
  const Item *frames;
} Columns;

/* What is needed of the league's columns. */
static Status find_columns(const Tree *tree, Columns *out) {
  TRY_RETURN(tree_get(tree, "league/name", STORE_TEXT, -1, &out->name));
  TRY_RETURN(tree_get(tree, "league/frozen", STORE_U32, (int64_t)out->name->count, &out->frozen));
  return tree_get(tree, "league/frames", STORE_U64, (int64_t)out->name->count, &out->frames);
}

/* Frames of a player, as the league counts them. */
static uint64_t acted_of(const Columns *c, size_t row) {
  return ((const uint64_t *)c->frames->data)[row];
}

/* What a player acted, its learner has learned from or thrown away. */
static Status check_player(const Tree *tree, const Columns *c, size_t row) {
  const Item *counters;
  char name[64];
  char path[STORE_PATH];
  char what[STORE_PATH];
  snprintf(name, sizeof name, "%.*s", (int)c->name->size,
           (const char *)c->name->data + row * c->name->size);
  snprintf(path, sizeof path, "players/%.60s/" PLAYER_COUNTERS_COLUMN, name);
  snprintf(what, sizeof what, "%.60s acted", name);
  TRY_RETURN(tree_get(tree, path, STORE_U64, -1, &counters));
  if (counters->count <= PLAYER_DROPPED)
    return status_set(ERR_FORMAT, "dataset '%s' is too short", path);
  const uint64_t *value = counters->data;
  const uint64_t used = value[PLAYER_FRAMES] + value[PLAYER_DROPPED];
  return equal(what, acted_of(c, row), "learned from and dropped", used);
}

/* Of one learning player alone, by its row in the columns. ERR_FORMAT says which two counts
 * differ. */
Status ledger_check_player(const Tree *checkpoint, size_t row) {
  Columns c;
  TRY_RETURN(find_columns(checkpoint, &c));
  if (row >= c.name->count)
    return status_set(ERR_FORMAT, "dataset 'league/name' has no row %zu", row);
  return check_player(checkpoint, &c, row);
}

/* The same for all learning players, whose frames add up to the run's. */
static Status check_players(const Tree *tree, uint64_t frames) {
  Columns c;
  uint64_t sum = 0;
  TRY_RETURN(find_columns(tree, &c));
  for (size_t i = 0; i < c.name->count; i++) {
    if (((const uint32_t *)c.frozen->data)[i]) continue;
    TRY_RETURN(check_player(tree, &c, i));
    sum += acted_of(&c, i);
  }
  if (tree_find(tree, RETIRED_FRAMES_PATH)) {
    uint64_t retired;
    TRY_RETURN(tree_get_u64(tree, RETIRED_FRAMES_PATH, &retired));
    sum += retired;
  }
  return equal("the run's frames are", frames, "its players' are", sum);
}

/* Games counted in a checkpoint. In training an episode is one with each opponent, in evaluation
 * one in all. */
typedef struct Counted {
  uint64_t evaluated; /* of evaluation lanes, those against built-in players included */
  uint64_t all;       /* with those that the payoff has no place for */
} Counted;

static uint64_t whole(double games) {
  return (uint64_t)(games + 0.5);
}

static Status count_payoff(const Tree *tree, size_t players, Counted *to) {
  Payoff payoff = {.decay = 1};
  double evaluated = 0;
  Status status = payoff_load(&payoff, players, tree);
  if (status == OK && !payoff_symmetric(&payoff))
    status = status_set(ERR_FORMAT,
                        "it contradicts itself: a pair's games are not the same from both sides");
  for (size_t home = 0; home < payoff.rows; home++)
    for (size_t i = 0; i < payoff.row[home].pairs; i++)
      evaluated += payoff.row[home].pair[i].eval[0].games;
  to->evaluated += whole(evaluated);
  to->all += whole(payoff_first_seat(&payoff).games);
  payoff_free(&payoff);
  return status;
}

/* They are among the ledger's other games. */
static Status count_anchors(const Tree *tree, size_t players, Counted *to) {
  Anchors anchors = {.room = 0};
  double games = 0;
  Status status = anchors_load(&anchors, players, tree);
  for (uint32_t p = 0; p < players && status == OK; p++)
    for (uint32_t b = 0; b < BUILTINS; b++)
      games += tally_games(anchors_find(&anchors, p, BUILTIN_FIRST + b));
  to->evaluated += whole(games);
  anchors_free(&anchors);
  return status;
}

/* Opponents in an episode of training: one in each other team. Checkpoints that do not tell the
 * teams are of two. */
static uint64_t opponents_of(const Tree *tree) {
  uint64_t teams;
  if (!tree_find(tree, "env/teams") || tree_get_u64(tree, "env/teams", &teams) != OK) return 1;
  return teams > 2 && teams <= AGON_MAX_TEAMS ? teams - 1 : 1;
}

/* Episodes that ended are games of the payoff, or others that the ledger has. */
static Status check_payoff(const Tree *tree, uint64_t episodes, const uint64_t *ledger) {
  Counted counted = {0};
  const Item *name;
  const uint64_t opponents = opponents_of(tree);
  TRY_RETURN(tree_get(tree, "league/name", STORE_TEXT, -1, &name));
  TRY_RETURN(count_payoff(tree, name->count, &counted));
  if (!ledger) {
    if (counted.all <= episodes) return OK;
    return equal("episodes ended", episodes, "games counted", counted.all);
  }
  counted.all += ledger[LEDGER_OTHER_GAMES];
  if (opponents == 1) return equal("episodes ended", episodes, "games counted", counted.all);
  TRY_RETURN(count_anchors(tree, name->count, &counted));
  if (counted.evaluated > episodes)
    return equal("episodes ended", episodes, "games of evaluation", counted.evaluated);
  const uint64_t due = (episodes - counted.evaluated) * opponents + counted.evaluated;
  return equal("games of the episodes that ended", due, "games counted", counted.all);
}

/* ERR_FORMAT unless the whole checkpoint adds up. Checkpoints from before the ledger was kept have
 * none; of them the rest is checked. */
Status ledger_check(const Tree *checkpoint) {
  const Item *counters;
  const Item *item = tree_find(checkpoint, LEDGER_PATH);
  TRY_RETURN(tree_get(checkpoint, RUN_COUNTERS_PATH, STORE_U64, -1, &counters));
  if (counters->count <= RUN_EPISODES)
    return status_set(ERR_FORMAT, "dataset '" RUN_COUNTERS_PATH "' is too short");
  if (item) TRY_RETURN(tree_get(checkpoint, LEDGER_PATH, STORE_U64, LEDGER_COUNT, &item));
  const uint64_t *value = counters->data;
  const uint64_t *ledger = item ? item->data : NULL;
  if (ledger) {
    TRY_RETURN(equal("actors acted", ledger[LEDGER_ACTED], "the league counts", value[RUN_FRAMES]));
    TRY_RETURN(equal("actors ended episodes", ledger[LEDGER_EPISODES], "the league counts",
                     value[RUN_EPISODES]));
    TRY_RETURN(equal("actors made env steps", ledger[LEDGER_STEPS], "the league counts",
                     value[RUN_STEPS]));
  }
  TRY_RETURN(check_players(checkpoint, value[RUN_FRAMES]));
  return check_payoff(checkpoint, value[RUN_EPISODES], ledger);
}

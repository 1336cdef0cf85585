#include "metrics/names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define OF_PLAYER "PLAYER/"
enum { OF_PLAYER_SIZE = sizeof OF_PLAYER - 1 };

/* Rows with a '*' come behind those that they would cover. */
static const MetricName table[] = {
    {"seconds", NULL, "trained so far, all jobs of the run together"},
    {"tick", NULL, "which tick it is"},
    {"global_step", NULL, "frames: decisions learned from, of all players together"},
    {"charts/SPS", NULL, "frames learned from in a second"},
    {"charts/frozen_decisions_per_second", NULL, "decisions of frozen players in a second"},
    {"charts/env_steps_per_second", NULL, "steps of all games in a second"},
    {"charts/episodic_length", NULL, "mean steps of the episodes that ended since the last record"},
    {"league/players", NULL, "players of the league, frozen ones and guests with them"},
    {"league/unmeasured", NULL, "past players left out of the last table's meta-game"},
    {"league/copies", NULL, "how often players have taken over another's weights (population)"},
    {"matchmaking/*", NULL, "share of the episodes that this rule of matchmaking has paired"},
    {"curriculum/stage", NULL, "which stage it is, from 1 on; the task itself comes last"},
    {"curriculum/measure", NULL, "what decides whether the next stage is begun"},
    {"env/*", NULL, "mean of what the game measures, over training episodes"},
    {"PLAYER/frames", NULL, "decisions that it has learned from"},
    {"PLAYER/dropped", NULL, "frames that came too late to be learned from"},
    {"PLAYER/rating/elo", NULL, "Elo of its newest rated snapshot; random play (or the mean) at 0"},
    {"PLAYER/rating/low", NULL, "lower end of the rating's 95 % interval"},
    {"PLAYER/rating/high", NULL, "upper end of the rating's 95 % interval"},
    {"PLAYER/mean_return", "charts/episodic_return", "mean return of its training episodes"},
    {"PLAYER/return_deviation", NULL, "standard deviation of these returns"},
    {"PLAYER/return_episodes", NULL, "how many episodes these are of"},
    {"PLAYER/eval/return", NULL, "one team: mean return of the greedy policy in evaluation"},
    {"PLAYER/eval/return_low", NULL, "lower end of that mean's 95 % interval"},
    {"PLAYER/eval/return_high", NULL, "upper end of that mean's 95 % interval"},
    {"PLAYER/eval/return_deviation", NULL, "standard deviation of these returns"},
    {"PLAYER/eval/episodes", NULL, "how many episodes these are of"},
    {"PLAYER/eval/length", NULL, "mean steps of these episodes"},
    {"PLAYER/eval/*", NULL, "mean of what the game measures, over these episodes"},
    {"PLAYER/exploitability", NULL, "half of the exact NashConv of its policy"},
    {"PLAYER/best_response", NULL, "what an exact best response earns against it (separate sides)"},
    {"PLAYER/policy_loss", "losses/policy_loss", "loss of the policy"},
    {"PLAYER/value_loss", "losses/value_loss", "loss of the value"},
    {"PLAYER/entropy", "losses/entropy", "how undecided the policy still is, in nats"},
    {"PLAYER/approx_kl", "losses/approx_kl", "how far an update has moved the policy"},
    {"PLAYER/kl_reference", "losses/kl_reference", "how far the policy is from its reference"},
    {"PLAYER/kl_teacher", "losses/kl_teacher", "how far the policy is from its teacher"},
    {"PLAYER/clipped", "losses/clipfrac", "share of the rows whose ratio was clipped"},
    {"PLAYER/gradient_norm", "losses/gradient_norm", "norm of the gradient, before it is cut"},
    {"PLAYER/messages", NULL, "messages that a team's agents hear in a step"},
    {"PLAYER/met", NULL, "share of what was learned from in which the other player learns, too"},
    {"PLAYER/learning_rate", "charts/learning_rate", "step size of the optimiser"},
    {"PLAYER/batch", NULL, "rows that an update has learned from, on all ranks"},
    {"PLAYER/skipped", NULL, "minibatches that were passed over: their numbers were not finite"},
    {"PLAYER/lag", NULL, "versions of the weights between acting and learning"},
    {"PLAYER/waits", NULL, "share of its time that the learner's rank has waited"},
    {"PLAYER/epsilon", NULL, "share of decisions that are drawn at random, to explore"},
    {"PLAYER/noise", NULL, "deviation of the noise in its actions, to explore"},
    {"PLAYER/updates", NULL, "updates of a tick"},
    {"PLAYER/replay_items", NULL, "episodes or stretches that are kept to learn from again"},
    {"PLAYER/replay_mb", NULL, "megabytes that these take"},
    {"PLAYER/priority_spread", NULL, "how much likelier than the mean the first of them is drawn"},
    {"PLAYER/importance", NULL, "beta: how far drawing by priority is made up for"},
};

enum { ROWS = sizeof table / sizeof *table };

static bool of_player(const MetricName *row) {
  return !strncmp(row->name, OF_PLAYER, OF_PLAYER_SIZE);
}

const MetricName *metric_name(size_t index) {
  return index < ROWS ? &table[index] : NULL;
}

/* Whatever stands before the slash is a player, unless it is a group of the table. */
size_t metric_player(const char *name) {
  const size_t size = strcspn(name, "/");
  if (!name[size]) return 0;
  for (size_t i = 0; i < ROWS; i++)
    if (!of_player(&table[i]) && !strncmp(table[i].name, name, size + 1)) return 0;
  return size;
}

const MetricName *metric_find(const char *name) {
  const size_t player = metric_player(name);
  const char *rest = player ? name + player + 1 : name;
  for (size_t i = 0; i < ROWS; i++) {
    if (of_player(&table[i]) != (player > 0)) continue;
    const char *own = table[i].name + (player ? OF_PLAYER_SIZE : 0);
    const size_t size = strlen(own);
    const bool open = size > 0 && own[size - 1] == '*';
    if (open ? !strncmp(own, rest, size - 1) : !strcmp(own, rest)) return &table[i];
  }
  return NULL;
}

void metric_tag(const char *name, char *out, size_t size) {
  const MetricName *row = metric_find(name);
  const size_t player = metric_player(name);
  const char *rest = player ? name + player + 1 : name;
  if (row && row->tag)
    snprintf(out, size, "%s", row->tag);
  else
    snprintf(out, size, "%s%s", strchr(rest, '/') ? "" : player ? "player/" : "charts/", rest);
}

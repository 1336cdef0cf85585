#include "cli/team_returns.h"

#include "eval/solo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One row: a player, and how it acts. */
typedef struct Row {
  char label[160];
  const char *acts; /* how it acts, where the label does not say so */
  SoloScore score;
} Row;

/* Where recorded episodes go, and of whom they are. */
typedef struct Recording {
  const GameTerms *terms;
  const char *label;
  FILE *file;
} Recording;

/* A line of JSON, as agon replay reads it. */
static Status write_episode(void *context, const GameText *game) {
  const Recording *to = context;
  json_t *object =
      json_pack("{s:s,s:[s],s:I,s:I,s:i,s:s,s:[f]}", "env", to->terms->env, "players", to->label,
                "seed", (json_int_t)to->terms->seed, "game", (json_int_t)game->game, "openings",
                (int)to->terms->openings, "line", game->line, "returns", game->team_return[0]);
  char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
  json_decref(object);
  if (!text) return status_set(ERR_MEMORY, "out of memory writing a replay");
  const bool good = fprintf(to->file, "%s\n", text) > 0;
  free(text);
  return good ? OK : status_set(ERR_IO, "cannot append to the file of replays");
}

/* null for what cannot be told. */
static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

/* mean_return is the mean over the team's agents, whatever the run tells; `return` is as it is told
 * (return_is of the whole). */
static json_t *json_row(const Env *env, const Row *row, double factor) {
  const SoloScore *s = &row->score;
  Measures measures;
  json_t *metrics = json_object();
  measures_of(env, &measures);
  json_t *entry =
      json_pack("{s:s,s:I,s:f,s:f,s:f,s:f,s:f}", "player", row->label, "episodes",
                (json_int_t)s->episodes, "mean_return", s->mean, "deviation", s->deviation, "least",
                s->least, "most", s->most, "mean_length", s->length);
  json_object_set_new(entry, "mean_return_low", number(s->low));
  json_object_set_new(entry, "mean_return_high", number(s->high));
  json_object_set_new(entry, "return", number(factor * s->mean));
  json_object_set_new(entry, "return_low", number(factor * s->low));
  json_object_set_new(entry, "return_high", number(factor * s->high));
  json_object_set_new(entry, "random", json_boolean(s->drew));
  for (size_t i = 0; i < measures.count; i++)
    json_object_set_new(metrics, measures.name[i], json_real(s->metric[i]));
  json_object_set_new(entry, "metrics", metrics);
  return entry;
}

/* The other way of telling a return than the run's: so that the reader finds the number of
 * whichever table they compare with. "": there is one agent. */
static const char *other_words(const Env *env, const ReturnTold *told) {
  if (!*told->words) return "";
  return told->factor < env->spec.agents ? "sum" : "mean an agent";
}

/* What the columns are. */
static void print_head(const TournamentSetup *arena, const ReturnTold *told, uint64_t episodes) {
  Measures measures;
  measures_of(arena->env, &measures);
  const Env *env = arena->env;
  printf("team return of an episode%s%s, 95 %% intervals (Student's t), %llu episodes each; %s\n",
         *told->words ? ", " : "", told->words, (unsigned long long)episodes,
         arena->tournament.terms.env);
  printf("%-24s %10s %-20s", "player", "return", "  95 %");
  if (*told->words) printf(" %13s", other_words(env, told));
  printf(" %9s %9s %9s %6s", "deviation", "least", "most", "steps");
  for (size_t i = 0; i < measures.count; i++)
    printf(" %10s", measures.name[i]);
  printf("\n");
}

/* The interval is left out where it cannot be told: one episode, or all the same. */
static void print_row(const Env *env, const ReturnTold *told, const Row *row) {
  const SoloScore *s = &row->score;
  const double factor = told->factor;
  Measures measures;
  measures_of(env, &measures);
  char interval[64] = "[n/a]";
  if (isfinite(s->low))
    snprintf(interval, sizeof interval, "[%.4g, %.4g]", factor * s->low, factor * s->high);
  char who[192];
  snprintf(who, sizeof who, "%s%s", row->label, row->acts);
  printf("%-24s %10.4g %-20s", who, factor * s->mean, interval);
  if (*told->words) printf(" %13.4g", s->mean * (factor > 1 ? 1 : (double)env->spec.agents));
  printf(" %9.3g %9.4g %9.4g %6.4g", factor * s->deviation, factor * s->least, factor * s->most,
         s->length);
  for (size_t i = 0; i < measures.count; i++)
    printf(" %10.3g", s->metric[i]);
  if (!s->drew) printf("  nothing was random: all episodes are one");
  printf("\n");
}

/* Plays a player's episodes, as it is set. */
static Status play_row(const TournamentSetup *arena, const TeamRequest *request, Contestant *player,
                       FILE *replays, Row *out) {
  const GameTerms *terms = &arena->tournament.terms;
  const char *acts = !player->net ? "" : player->policy.greedy ? ", greedy" : ", sampling";
  const char *silent = player->policy.silent ? ", silent" : "";
  snprintf(out->label, sizeof out->label, "%s%s%s", player->label, request->both ? acts : "",
           silent);
  out->acts = request->both ? "" : acts;
  Recording to = {terms, out->label, replays};
  const SoloPlan plan = {.seed = terms->seed,
                         .episodes = request->episodes,
                         .openings = terms->openings,
                         .recorded = replays ? request->recorded : 0,
                         .played = write_episode,
                         .context = &to};
  return eval_solo(arena->env, player, &plan, &out->score);
}

/* A player's rows, one for each way it acts. */
static Status play_player(const TournamentSetup *arena, const TeamRequest *request,
                          const ReturnTold *told, Contestant *player, FILE *replays, json_t *list) {
  const int rows = request->both && player->net ? 2 : 1;
  for (int i = 0; i < rows; i++) {
    Row row;
    if (rows == 2) player->policy.greedy = i == 0;
    TRY_RETURN(play_row(arena, request, player, replays, &row));
    if (request->json)
      json_array_append_new(list, json_row(arena->env, &row, told->factor));
    else
      print_row(arena->env, told, &row);
    fflush(stdout);
  }
  return OK;
}

/* Which of the players that need no training this game cannot have, and why: else one would wonder
 * where they are. */
static void print_absent(const Env *env) {
  static const struct {
    const char *name;
    const char *why;
  } built_in[] = {{"scripted", "no rule-based player"}, {"noop", "no action that does nothing"}};
  bool any = false;
  for (size_t i = 0; i < COUNT_OF(built_in); i++) {
    if (builtin_find(built_in[i].name)->supports(env)) continue;
    printf("%s%s (%s)", any ? ", " : "not in this game: ", built_in[i].name, built_in[i].why);
    any = true;
  }
  if (any) printf("\n");
}

static void print_recorded(const TeamRequest *request) {
  if (request->recorded == 1)
    printf("the first episode of each is in %s (agon replay)\n", request->replays);
  else
    printf("the first %llu episodes of each are in %s (agon replay)\n",
           (unsigned long long)request->recorded, request->replays);
}

/* Silences the players whose agents have something to tell by their network. */
static Status silence(TournamentSetup *arena) {
  bool any = false;
  for (size_t p = 0; p < arena->players; p++) {
    Contestant *player = &arena->player[p];
    player->policy.silent = player->net && net_talks(player->net);
    any |= player->policy.silent;
  }
  if (any) return OK;
  return status_set(ERR_USAGE,
                    "--silent: no player here tells another anything by its network (such are "
                    "trained with net.messages.kind); leave it out");
}

Status team_returns(TournamentSetup *arena, const TeamRequest *request) {
  const GameTerms *terms = &arena->tournament.terms;
  const ReturnTold told = setup_told(arena);
  FILE *replays = NULL;
  json_t *players = NULL;
  Status status = OK;
  if (!setup_speaks(arena)) return OK;
  if (request->silent) TRY_RETURN(silence(arena));
  if (request->replays && !(replays = fopen(request->replays, "a")))
    return status_set(ERR_IO, "cannot append to %s", request->replays);
  players = json_array();
  if (!request->json) print_head(arena, &told, request->episodes);
  for (size_t p = 0; p < arena->players && status == OK; p++)
    status = play_player(arena, request, &told, &arena->player[p], replays, players);
  if (status == OK && request->all && !request->json) print_absent(arena->env);
  if (status == OK && request->json) {
    json_t *root =
        json_pack("{s:s,s:b,s:i,s:s,s:i,s:O}", "env", terms->env, "greedy", terms->greedy,
                  "openings", (int)terms->openings, "return_is", told.words, "agents",
                  (int)arena->env->spec.agents, "players", players);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    printf("\n");
    json_decref(root);
  }
  json_decref(players);
  if (replays && fclose(replays) && status == OK)
    status = status_set(ERR_IO, "cannot append to %s", request->replays);
  if (status == OK && replays && !request->json) print_recorded(request);
  return status;
}

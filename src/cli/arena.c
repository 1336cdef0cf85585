#include "cli/arena.h"

#include "base/text.h"
#include "cli/job.h"
#include "nn/gemm.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The run of the first RUN:NAME among the players. */
static bool run_among(const ArenaRequest *request, char *out, size_t size) {
  for (size_t i = 0; i < COUNT_OF(request->lists); i++)
    for (const char *at = request->lists[i]; at && *at;) {
      size_t length = strcspn(at, ",");
      const char *colon = memchr(at, ':', length);
      if (colon) return text_format(out, size, "%.*s", (int)(colon - at), at) == OK;
      at += length + (at[length] == ',');
    }
  return false;
}

/* "goofspiel cards=4": the name and what differs from the defaults. */
static Status describe_env(const Settings *settings, const ArenaRequest *request, const AgonEnv *table, char *out,
                           size_t size) {
  size_t used = (size_t)snprintf(out, size, "%s", table->name);
  for (size_t i = 0; i < table->option_count && used < size; i++) {
    char key[128];
    const char *value = NULL;
    snprintf(key, sizeof key, "env.%s", table->options[i].name);
    if (settings) value = config_value(settings->config, key);
    for (size_t o = 0; !settings && o < request->env_option_count; o++) {
      size_t length = strlen(table->options[i].name);
      if (!strncmp(request->env_options[o], table->options[i].name, length) && request->env_options[o][length] == '=')
        value = request->env_options[o] + length + 1;
    }
    if (value && strcmp(value, table->options[i].fallback))
      used += (size_t)snprintf(out + used, size - used, " %s=%s", table->options[i].name, value);
  }
  return used < size ? OK : status_set(ERR_USAGE, "the env's options are too long");
}

static Status open_env(const ArenaRequest *request, Arena *out) {
  char folder[PATH_MAX];
  if (request->env_name) {
    TRY_RETURN(env_create_from(request->env_name, request->env_options, request->env_option_count, &out->own));
    out->env = out->own;
    return describe_env(NULL, request, out->own->table, out->tournament.terms.env, sizeof out->tournament.terms.env);
  }
  if (request->run)
    TRY_RETURN(text_format(folder, sizeof folder, "%s", request->run));
  else if (!run_among(request, folder, sizeof folder))
    return status_set(ERR_USAGE, "what is played? Name a run, players as RUN:NAME, or --env ENV");
  TRY_RETURN(loaded_open(folder, &out->run));
  out->has_run = true;
  out->env = out->run.settings->env;
  return describe_env(out->run.settings, request, out->run.settings->table, out->tournament.terms.env,
                      sizeof out->tournament.terms.env);
}

static Status open_players(const ArenaRequest *request, Arena *out, size_t counts[3]) {
  size_t room = 0;
  for (size_t i = 0; i < COUNT_OF(request->lists); i++) {
    Contestant *more = NULL;
    counts[i] = 0;
    if (!request->lists[i]) continue;
    Status status = loaded_players(request->lists[i], out->has_run ? &out->run : NULL, out->env, &more, &counts[i]);
    if (status == OK) status = GROW(out->player, room, out->players + counts[i]);
    for (size_t p = 0; status == OK && p < counts[i]; p++) {
      char id[GAMES_NAME];
      uint32_t index;
      more[p].policy.greedy = request->greedy;
      out->player[out->players++] = more[p];
      status = contestant_id(&more[p], id, sizeof id);
      if (status == OK) status = games_player(&out->tournament.games, id, &index);
      if (status == OK && index != out->players - 1)
        status = status_set(ERR_USAGE, "the player '%s' is named twice", more[p].label);
    }
    free(more);
    TRY_RETURN(status);
  }
  return OK;
}

/* Games between players that are not here stay in the file and out of the table. */
static Status read_earlier(Arena *arena) {
  Games all = {0};
  Tournament *t = &arena->tournament;
  Status status = games_read(t->csv, &t->terms, &all);
  for (size_t i = 0; status == OK && i < all.counts; i++) {
    const GameCount *c = &all.count[i];
    int64_t id[2] = {-1, -1};
    for (size_t p = 0; p < arena->players; p++) {
      if (!strcmp(t->games.name[p], all.name[c->a])) id[0] = (int64_t)p;
      if (!strcmp(t->games.name[p], all.name[c->b])) id[1] = (int64_t)p;
    }
    if (id[0] < 0 || id[1] < 0) continue;
    status = games_add(&t->games, (uint32_t)id[0], (uint32_t)id[1], 0, &c->score);
    GameCount *mine;
    if (status == OK)
      status = games_count(&t->games, (uint32_t)(id[0] < id[1] ? id[0] : id[1]),
                           (uint32_t)(id[0] < id[1] ? id[1] : id[0]), &mine);
    if (status == OK) mine->next = c->next;
  }
  games_free(&all);
  return status;
}

Status arena_open(const ArenaRequest *request, Arena *out, size_t counts[3]) {
  Status status = OK;
  *out = (Arena){.run = {.folder = {.lock = -1}}};
  Tournament *t = &out->tournament;
  gemm_set_threads(1);
  t->terms.greedy = request->greedy;
  t->terms.openings = (uint32_t)request->openings;
  t->terms.seed = (uint64_t)request->seed;
  TRY(open_env(request, out));
  TRY(open_players(request, out, counts));
  t->env = out->env;
  t->player = out->player;
  t->players = out->players;
  if (request->csv && strcmp(request->csv, "none"))
    TRY(text_format(out->csv, sizeof out->csv, "%s", request->csv));
  else if (!request->csv && request->run)
    TRY(text_format(out->csv, sizeof out->csv, "%s/games.csv", request->run));
  if (*out->csv) {
    t->csv = out->csv;
    TRY(read_earlier(out));
  }
  if (transport_mpi_launched()) TRY(job_join(NULL, NULL, &t->transport));
done:
  if (status != OK) arena_close(out);
  return status;
}

Status arena_add(Arena *arena, uint32_t a, uint32_t b) {
  Tournament *t = &arena->tournament;
  size_t room = t->fixtures;
  if (a > b) return arena_add(arena, b, a);
  if (a == b) return OK;
  for (size_t i = 0; i < t->fixtures; i++)
    if (arena->fixture[i].a == a && arena->fixture[i].b == b) return OK;
  TRY_RETURN(GROW(arena->fixture, room, t->fixtures + 1));
  arena->fixture[t->fixtures++] = (Fixture){.a = a, .b = b};
  t->fixture = arena->fixture;
  return OK;
}

bool arena_speaks(const Arena *arena) { return !arena->tournament.transport || arena->tournament.transport->rank == 0; }

Status arena_play(Arena *arena) {
  Transport *transport = arena->tournament.transport;
  Status status = tournament_play(&arena->tournament);
  if (status != OK && transport && transport->size > 1)
    transport->ops->abort(transport, status_exit_code(status), status_message());
  return status;
}

void arena_close(Arena *arena) {
  for (size_t i = 0; i < arena->players; i++) contestant_destroy(&arena->player[i]);
  free(arena->player);
  free(arena->fixture);
  games_free(&arena->tournament.games);
  transport_destroy(arena->tournament.transport);
  env_destroy(arena->own);
  if (arena->has_run) loaded_close(&arena->run);
  *arena = (Arena){.run = {.folder = {.lock = -1}}};
}

/* --- printing --- */
void print_standing(const Standing *s, size_t most) {
  const Games *games = s->games;
  bool anchored = s->anchor >= 0;
  printf("Bradley-Terry ratings, %s at 0, 95 %% intervals", anchored ? games->name[s->anchor] : "mean");
  if (fabs(s->fit.seat) > 0) printf("; sitting first is worth %+.0f Elo", s->fit.seat);
  printf("\n");
  printf("rank player                                    Elo   interval          games  score    Nash  alpha-rank\n");
  for (size_t i = 0; i < games->players && i < most; i++) {
    uint32_t p = s->order[i];
    char elo[32], interval[48] = "n/a";
    const Rated *rated = &s->rated[p];
    if (standing_comparable(s, p)) {
      if (rated->bound > 0)
        snprintf(interval, sizeof interval, "%+.0f ...", rated->low);
      else if (rated->bound < 0)
        snprintf(interval, sizeof interval, "... %+.0f", rated->high);
      else
        snprintf(interval, sizeof interval, "%+.0f to %+.0f", rated->low, rated->high);
    }
    printf("%4zu %-38s %9s %-17s %7.0f  %.3f", i + 1, games->name[p], standing_elo_text(s, p, elo, sizeof elo),
           interval, rated->games, s->points[p]);
    if (s->has_meta) printf("  %.3f  %.3f", s->nash_average[p], s->alpha_rank[p]);
    printf("\n");
  }
  if (games->players > most) printf("     ... and %zu more\n", games->players - most);
  if (s->fit.islands > 1)
    printf("warning: the players fall into %zu groups that no games connect; ratings of different groups cannot be "
           "compared\n",
           s->fit.islands);
  const Transitivity *t = &s->transitivity;
  printf("ratings explain %.1f %% of the variance of scores; ", 100 * t->explained);
  if (t->margin > 0)
    printf("strongest cycle: %s > %s > %s > %s, each by at least %.3f\n", games->name[t->cycle[0]],
           games->name[t->cycle[1]], games->name[t->cycle[2]], games->name[t->cycle[0]], 0.5 + t->margin);
  else
    printf("no cycle of three\n");
}

json_t *json_standing(const Standing *s) {
  json_t *list = json_array(), *root = json_object();
  for (size_t i = 0; i < s->games->players; i++) {
    uint32_t p = s->order[i];
    const Rated *rated = &s->rated[p];
    bool known = standing_comparable(s, p);
    json_t *player = json_pack("{s:s,s:f,s:f,s:i}", "player", s->games->name[p], "games", rated->games, "score",
                               s->points[p], "bound", rated->bound);
    json_object_set_new(player, "elo", known ? json_real(rated->elo) : json_null());
    json_object_set_new(player, "elo_low", known ? json_real(rated->low) : json_null());
    json_object_set_new(player, "elo_high", known ? json_real(rated->high) : json_null());
    if (s->has_meta) {
      json_object_set_new(player, "nash", json_real(s->nash[p]));
      json_object_set_new(player, "nash_average", json_real(s->nash_average[p]));
      json_object_set_new(player, "skill", json_real(s->skill[p]));
      json_object_set_new(player, "alpha_rank", json_real(s->alpha_rank[p]));
    }
    json_array_append_new(list, player);
  }
  json_object_set_new(root, "players", list);
  json_object_set_new(root, "seat_elo", json_real(s->fit.seat));
  json_object_set_new(root, "draw", json_real(s->fit.draw));
  json_object_set_new(root, "groups", json_integer((json_int_t)s->fit.islands));
  json_object_set_new(root, "transitive_share", json_real(s->transitivity.explained));
  if (s->transitivity.margin > 0) {
    const uint32_t *c = s->transitivity.cycle;
    json_object_set_new(root, "cycle",
                        json_pack("{s:[s,s,s],s:f}", "players", s->games->name[c[0]], s->games->name[c[1]],
                                  s->games->name[c[2]], "margin", s->transitivity.margin));
  }
  return root;
}

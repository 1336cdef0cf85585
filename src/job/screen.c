#include "job/screen.h"
#include "base/log.h"
#include "base/text.h"
#include "job/machine.h"
#include "nn/kernels/kernels.h"
#include "nn/kernels/openblas.h"
#include "store/counters.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Every line of the log comes by here: to the screen, to the run's log file, or, if it is a
 * warning, to stderr as well. */
static void screen_line(void *context, const char *line) {
  Screen *screen = context;
  const Clock clock = clock_system();
  double seconds = clock_seconds(clock_now(&clock) - screen->start);
  if (!strncmp(line, LOG_WARNING, strlen(LOG_WARNING)))
    fprintf(screen->warnings, "agon train: %s\n", line);
  else if (screen->out)
    fprintf(screen->out, "[%8.1f] %s\n", seconds, line);
  if (screen->out) fflush(screen->out);
  if (!screen->log) return;
  fprintf(screen->log, "[%8.1f] %s\n", seconds, line);
  fflush(screen->log);
}

/* log: the run's log file, appended to; NULL for none. It may fail silently: a run does not end for
 * want of it. */
void screen_open(Screen *screen, const char *log) {
  screen->log = log ? fopen(log, "a") : NULL;
  log_set_sink(screen_line, screen);
}

void screen_close(Screen *screen) {
  if (screen->log) fclose(screen->log);
  screen->log = NULL;
  log_set_sink(NULL, NULL);
}

/* Which arithmetic this is, since it decides both speed and the last bits. */
static void kernels_line(const JobConfig *s) {
  const Bf16Kernels *bf16 = bf16_kernels();
  if (s->run.precision == 0)
    log_line("kernels %s, fp32", kernels()->name);
  else if (bf16)
    log_line("kernels %s, bf16 through %s", kernels()->name, bf16->name);
  else
    log_line("kernels %s, fp32 (this processor gains nothing by bf16)", kernels()->name);
}

/* "main_0, main_1 and 2 exploiters": who learns. Where sides are separate: "predator_main_0,
 * prey_main_0 and 4 exploiters". */
static void say_learners(const LeagueConfig *league, char *out, size_t size) {
  if (league->sides == SIDES_SEPARATE) {
    const long long others = 2 * (league->main_exploiters + league->league_exploiters);
    const char *side[SEATS] = {league_side_name(league, 1), league_side_name(league, 2)};
    size_t wrote = 0;
    if (league->mains == 1)
      wrote = (size_t)snprintf(out, size, "%s_main_0%s%s_main_0", side[0], others ? ", " : " and ",
                               side[1]);
    else
      wrote = (size_t)snprintf(out, size, "%lld mains of each side", (long long)league->mains);
    if (others && wrote < size) snprintf(out + wrote, size - wrote, " and %lld exploiters", others);
    return;
  }
  const long long exploiters = league->main_exploiters + league->league_exploiters;
  size_t used = 0;
  if (league->mains <= 3)
    for (int64_t i = 0; i < league->mains && used < size; i++)
      used += (size_t)snprintf(out + used, size - used, "%smain_%lld",
                               i == 0                                  ? ""
                               : i + 1 == league->mains && !exploiters ? " and "
                                                                       : ", ",
                               (long long)i);
  else
    used = (size_t)snprintf(out, size, "%lld mains", (long long)league->mains);
  if (exploiters && used < size)
    snprintf(out + used, size - used, "%s%lld exploiter%s", league->mains ? " and " : "",
             exploiters, exploiters == 1 ? "" : "s");
}

/* What is to come, and when it ends. How long that takes is said where this run has measured it
 * before. */
static void say_plan(const JobConfig *s, const Topology *t, const Tree *resume) {
  char learners[160];
  char frames[16];
  char limit[24];
  char rate[16];
  char left[24];
  char done[40];
  const Item *counters;
  double seconds;
  say_learners(&s->league, learners, sizeof learners);
  text_scaled((double)s->manager.frames, frames, sizeof frames);
  log_line(
      "plan    %zu actor%s play%s %s, %zu learner%s%s train%s %s, until %s frames are learned "
      "from%s%s",
      t->actors, t->actors == 1 ? "" : "s", t->actors == 1 ? "s" : "", s->table->name, t->learners,
      t->learners == 1 ? "" : "s", t->shared ? " on the same ranks" : "",
      t->learners == 1 ? "s" : "", learners, frames, s->manager.max_seconds > 0 ? ", or for " : "",
      s->manager.max_seconds > 0 ? text_duration(s->manager.max_seconds, limit, sizeof limit) : "");
  if (!resume || tree_get(resume, RUN_COUNTERS_PATH, STORE_U64, -1, &counters) != OK ||
      counters->count <= RUN_FRAMES)
    return;
  if (tree_get_f64(resume, "run/seconds", &seconds) != OK) return;
  const double so_far = (double)((const uint64_t *)counters->data)[RUN_FRAMES];
  const double speed = seconds >= 1 ? so_far / seconds : 0;
  text_done(so_far, (double)s->manager.frames, done, sizeof done);
  if (speed > 0 && so_far < (double)s->manager.frames)
    log_line("        %s are done, at %s frames/s so far; as fast as that, the rest takes %s", done,
             text_scaled(speed, rate, sizeof rate),
             text_duration(((double)s->manager.frames - so_far) / speed, left, sizeof left));
  else
    log_line("        %s are done", done);
}

/* In place of the league, where there is nobody to meet. */
static void say_team(const JobConfig *s) {
  char evaluated[96] = "no evaluation";
  const AgonEnvSpec *spec = &s->env->spec;
  if (s->manager.evaluation_episodes > 0)
    snprintf(evaluated, sizeof evaluated, "evaluated greedily, %lld episodes at a time",
             (long long)s->manager.evaluation_episodes);
  log_line("team    %u agent%s, one interest: no opponents; %s", spec->agents,
           spec->agents == 1 ? "" : "s", evaluated);
  if (*s->told.words)
    log_line("        returns are told as the %s (returns=%s gives the %s)", s->told.words,
             s->run.returns == RETURNS_SUM ? "mean" : "sum",
             s->run.returns == RETURNS_SUM ? "mean" : "sum");
}

/* What was asked for and does nothing beside what else was asked for. What has its default was not
 * asked for. */
static void say_idle_keys(const ReplayConfig *replay, const Net *net) {
  if (replay->burn_in > 0 && net->recurrent == 0)
    log_line("        replay.burn_in %lld is without effect: the network has no memory that could "
             "be led up (net.memory none)",
             (long long)replay->burn_in);
  for (size_t i = 0; replay->priority <= 0 && i < replay_option_count; i++) {
    const Option *option = &replay_options[i];
    double value;
    double usual;
    if (text_choice("importance|priority_mix|priority_least", option->name) < 0) continue;
    memcpy(&value, (const char *)replay + option->offset, sizeof value);
    if (!text_to_float(option->fallback, &usual) || value == usual) continue;
    log_line("        replay.%s %g is without effect: all episodes are equally likely "
             "(replay.priority 0)",
             option->name, value);
  }
}

/* How much experience is kept, and what memory that may take. */
static void say_replay(const JobConfig *s, const Net *net) {
  const ReplayConfig *replay = job_config_replay(s);
  if (!replay) return;
  const size_t training = job_config_training_slots(s);
  const size_t seats = job_config_seats(s);
  const size_t lanes = training * seats;
  const RowFormat format = job_config_format(s, net);
  const ReplaySetup kept = {
      .format = format,
      .overlap = net->recurrent > 0 ? (size_t)replay->burn_in : 0,
      .exponent = replay->priority,
      .quota = rehearsal_quota(replay, training, seats),
      .longest = job_config_item_rows(s),
  };
  char items[16];
  log_line("replay  %s episodes of each player in %.0f MB at most, over all learners; %lld before "
           "the first update",
           text_scaled((double)(kept.quota * lanes), items, sizeof items),
           replay_bound(&kept, lanes) * 1e-6, (long long)replay->warmup);
  if (!replay->saved && s->run.pace != PACE_FREE)
    log_line("        it is not saved: a resume begins to collect anew, and goes on otherwise than "
             "a run without a stop");
  say_idle_keys(replay, net);
}

void screen_banner(const JobConfig *s, const Topology *topology, Transport *transport,
                   const char *folder, const Tree *resume) {
  Net *net = NULL;
  char params[16], blas[48];
  int *host = calloc((size_t)transport->size, sizeof *host);
  int hosts = 0;
  int here = 0;
  if (host && transport->ops->start_hosts(transport, host) == OK)
    for (int i = 0; i < transport->size; i++) {
      hosts += host[i] == i;
      here += host[i] == host[0];
    }
  free(host);
  if (transport->rank != 0) return;
  if (net_create(&s->net, &s->env->layout, &s->env->spec, &net) != OK) return;
  Machine machine;
  machine_look(&machine);
  snprintf(blas, sizeof blas, "%.*s",
           (int)strcspn(gemm_library() + strcspn(gemm_library(), " ") + 1, " "),
           gemm_library() + strcspn(gemm_library(), " ") + 1);
  log_line("agon %s: %s, %s", AGON_VERSION, s->table->name, s->table->summary);
  log_line("ranks   %d on %d host%s: league on 0, %zu learner%s, %zu actor%s%s; 1 thread a rank, "
           "rank 0 bound to %d core%s",
           transport->size, hosts, hosts == 1 ? "" : "s", topology->learners,
           topology->learners == 1 ? "" : "s", topology->actors, topology->actors == 1 ? "" : "s",
           topology->shared ? " (shared)" : "", machine.bound_cores,
           machine.bound_cores == 1 ? "" : "s");
  log_line("host    %s: %d package%s, %d core%s, %d hardware thread%s; %d rank%s here",
           machine.processor, machine.packages, machine.packages == 1 ? "" : "s", machine.cores,
           machine.cores == 1 ? "" : "s", machine.threads, machine.threads == 1 ? "" : "s", here,
           here == 1 ? "" : "s");
  if (here > 0 && here < machine.bound_cores)
    log_line("        %d core%s of this host would stand idle: start %d ranks a host",
             machine.bound_cores - here, machine.bound_cores - here == 1 ? "" : "s",
             machine.bound_cores);
  log_line("pace    %s; %lld slots in %lld lanes, ticks of %lld steps",
           config_value(s->config, "pace"), (long long)s->actors.slots, (long long)s->actors.lanes,
           (long long)s->actors.unroll);
  if (!env_saves(s->env))
    log_line("        games of %s are not saved: a resume abandons and counts those under way, and "
             "goes on otherwise "
             "than a run without a stop",
             s->table->name);
  log_line("network %s parameters, %.1f kFLOP forward; %s",
           text_scaled((double)(net->copies * net->graph.params), params, sizeof params),
           graph_flops_forward(&net->graph) * 1e-3, s->algo->summary);
  say_replay(s, net);
  if (s->game.teams == 1)
    say_team(s);
  else
    log_line("league  %s: %lld main, %lld main exploiter, %lld league exploiter%s",
             config_value(s->config, "league.preset"), (long long)s->league.mains,
             (long long)s->league.main_exploiters, (long long)s->league.league_exploiters,
             s->league.sides == SIDES_SEPARATE ? " of each side" : "");
  if (s->league.sides == SIDES_SEPARATE)
    log_line("        two populations: %s and %s; each meets only the other",
             league_side_name(&s->league, 1), league_side_name(&s->league, 2));
  if (s->game.teams > 2)
    log_line(
        "        %u teams in a game: who has each of the others is drawn by itself; scores and "
        "Elo compare two of them",
        s->game.teams);
  kernels_line(s);
  log_line("using   %s, OpenBLAS %s, %s", transport_mpi_library(), blas, store_library());
  log_line("folder  %s%s", folder, resume ? " (resumed)" : "");
  say_plan(s, topology, resume);
  net_destroy(net);
}

static double spent(const RoleProfile *profile, const char *name) {
  return numbers_get(&profile->numbers, name);
}

/* What the ranks of one role did in all. */
typedef struct RoleTotal {
  const ManagerSummary *summary;
  const char *role;
  size_t ranks;
  /* of all of them together */
  double seconds;
  double frames;
  double decisions;
} RoleTotal;

/* One role's profile, summed over its ranks. */
static RoleTotal total_of(const ManagerSummary *m, const char *role) {
  RoleTotal out = {.summary = m, .role = role};
  for (size_t i = 0; i < m->profiles; i++) {
    if (strcmp(m->profile[i].role, role)) continue;
    out.frames += spent(&m->profile[i], "frames");
    out.decisions += spent(&m->profile[i], "decisions");
    out.seconds += spent(&m->profile[i], "seconds");
    out.ranks++;
  }
  return out;
}

/* Per second of all its ranks together: seconds are summed, so their mean is what has passed. */
static double rate_of(const RoleTotal *total, double count) {
  return total->seconds > 0 ? count * (double)total->ranks / total->seconds : 0;
}

/* A line of the log alone: what the table leaves out, for whoever looks closer. Each part's share
 * of the ranks' time, mean (lowest-highest over ranks). agon watch reads it. */
static void write_details(const Screen *screen, const RoleTotal *total, const char *parts) {
  char rate[16];
  char line[512];
  char name[24];
  const ManagerSummary *m = total->summary;
  const size_t ranks = total->ranks;
  size_t used = 0;
  if (!ranks || total->seconds <= 0 || !screen->log) return;
  line[0] = 0;
  for (const char *at = parts; *at; at += strspn(at, " ")) {
    size_t length = strcspn(at, " ");
    double sum = 0;
    double low = 1;
    double high = 0;
    snprintf(name, sizeof name, "%.*s", (int)length, at);
    at += length;
    for (size_t i = 0; i < m->profiles; i++) {
      if (strcmp(m->profile[i].role, total->role)) continue;
      double share = spent(&m->profile[i], name) / fmax(spent(&m->profile[i], "seconds"), 1e-9);
      sum += share;
      low = fmin(low, share);
      high = fmax(high, share);
    }
    int wrote = ranks == 1 ? snprintf(line + used, sizeof line - used, "%s %.1f", name, 100 * sum)
                           : snprintf(line + used, sizeof line - used, "%s %.1f (%.1f-%.1f)", name,
                                      100 * sum / (double)ranks, 100 * low, 100 * high);
    used += (size_t)wrote < sizeof line - used ? (size_t)wrote : 0;
    if (*at && used + 2 < sizeof line) {
      memcpy(line + used, ", ", 3);
      used += 2;
    }
  }
  const Clock clock = clock_system();
  fprintf(screen->log, "[%8.1f] %zu %s%s: %s frames/s%s; %% of time: %s\n",
          clock_seconds(clock_now(&clock) - screen->start), ranks, total->role,
          ranks == 1 ? "" : "s", text_scaled(rate_of(total, total->frames), rate, sizeof rate),
          strcmp(total->role, "actor") ? " learned" : " acted", line);
  fflush(screen->log);
}

enum { CELL = 24 };

/* "1.6 s  16.7 %": seconds of a rank and their share, of several parts together; "" where the role
 * has none of them. */
static void say_spent(const RoleTotal *total, const char *parts, char out[CELL]) {
  const ManagerSummary *m = total->summary;
  char name[24];
  double sum = 0;
  snprintf(out, CELL, "%s", "");
  if (!*parts || !total->ranks || total->seconds <= 0) return;
  for (const char *at = parts; *at; at += strspn(at, " ")) {
    const size_t length = strcspn(at, " ");
    snprintf(name, sizeof name, "%.*s", (int)length, at);
    at += length;
    for (size_t i = 0; i < m->profiles; i++)
      if (!strcmp(m->profile[i].role, total->role)) sum += spent(&m->profile[i], name);
  }
  snprintf(out, CELL, "%.1f s %5.1f %%", sum / (double)total->ranks, 100 * sum / total->seconds);
}

/* "actor 3, 41.0 %": whose rank waited the largest part of its time; "" of a single one. */
static void say_longest(const RoleTotal *total, char out[CELL]) {
  const ManagerSummary *m = total->summary;
  double most = -1;
  snprintf(out, CELL, "%s", "");
  for (size_t i = 0; total->ranks > 1 && i < m->profiles; i++) {
    const RoleProfile *profile = &m->profile[i];
    const double share = spent(profile, "idle") / fmax(spent(profile, "seconds"), 1e-9);
    if (strcmp(profile->role, total->role) || share <= most) continue;
    most = share;
    snprintf(out, CELL, "%s %u, %.1f %%", total->role, profile->index, 100 * share);
  }
}

/* Nothing for nothing. */
static void say_rate(const RoleTotal *total, double count, char out[CELL]) {
  char rate[16];
  snprintf(out, CELL, "%s", count > 0 ? text_scaled(rate_of(total, count), rate, sizeof rate) : "");
}

/* A line of the table, if either role has something in it. */
static void show_row(const char *what, const char *actors, const char *learners) {
  if (*actors || *learners) log_line("  %-36s %16s   %16s", what, actors, learners);
}

/* A small table of where time went, mean over the ranks of a role. A rank with two roles appears in
 * both columns. */
static void show_profile(const Screen *screen, const ManagerSummary *m) {
  static const struct {
    const char *what;
    const char *actor;
    const char *learner;
  } row[] = {
      {"env: the game's own steps", "env", ""},
      {"inference: what to do there", "forward sample", ""},
      {"recording: what is learned from", "record pack", ""},
      {"learning", "", "batch forward loss backward optimise"},
      {"sums over learners, and messages", "", "receive reduce publish"},
      {"other roles of the same rank", "wait", ""},
      {"waiting for other ranks", "idle", "idle"},
  };
  const RoleTotal actors = total_of(m, "actor");
  const RoleTotal learners = total_of(m, "learner");
  char left[CELL];
  char right[CELL];
  if (actors.seconds <= 0 || learners.seconds <= 0) return;
  snprintf(left, sizeof left, "%zu actor%s", actors.ranks, actors.ranks == 1 ? "" : "s");
  snprintf(right, sizeof right, "%zu learner%s", learners.ranks, learners.ranks == 1 ? "" : "s");
  show_row("where the time of a rank went", left, right);
  say_rate(&actors, actors.frames, left);
  say_rate(&learners, learners.frames, right);
  show_row("frames/s: acted, learned from", left, right);
  say_rate(&actors, actors.decisions > actors.frames ? actors.decisions : 0, left);
  show_row("decisions/s, of frozen players too", left, "");
  for (size_t i = 0; i < COUNT_OF(row); i++) {
    say_spent(&actors, row[i].actor, left);
    say_spent(&learners, row[i].learner, right);
    show_row(row[i].what, left, right);
  }
  say_longest(&actors, left);
  say_longest(&learners, right);
  show_row("who waited longest", left, right);
  write_details(screen, &actors, "env forward sample record pack wait idle");
  write_details(screen, &learners,
                "receive batch forward loss backward optimise reduce publish idle");
}

/* What learning players and those that need no training earn, best looked at together. */
static void show_returns(const ManagerSummary *m, const JobConfig *s) {
  char frames[16];
  char score[96];
  char metrics[160];
  const DisplayEnv env = {.metric_names = s->measures.name, .metric_count = s->measures.own};
  log_line("team return of an episode, greedy, with 95 %% intervals%s%s:",
           *s->told.words ? "; " : "", s->told.words);
  for (size_t i = 0; i < m->league->learning + m->baselines; i++) {
    const bool learns = i < m->league->learning;
    const Player *player = &m->league->player[i];
    const Baseline *baseline = learns ? NULL : &m->baseline[i - m->league->learning];
    const TeamScore *of = learns ? &m->score[i] : &baseline->score;
    text_scaled(learns ? (double)player->frames : 0, frames, sizeof frames);
    display_metrics_text(&env, of->metric, metrics, sizeof metrics);
    log_line("  %-12s %10s%s  %-26s  %s", learns ? player->name : baseline->name,
             learns ? frames : "", learns ? " frames" : "       ",
             display_score_text(of, score, sizeof score), of->known ? metrics : "");
  }
}

/* Commands to go on with. Whoever plays with a plug-in's players names its file: a run's own word
 * for it opens nothing. */
static void say_next(const char *folder, const Env *env, const League *league) {
  char file[PATH_MAX] = "";
  char run_word[PATH_MAX + 64];
  char file_word[PATH_MAX + 64];
  char plugin[PATH_MAX + 96] = "";
  if (env_plugin_file(env, file, sizeof file) != OK) file[0] = 0;
  folder = text_quoted(folder, run_word, sizeof run_word);
  if (*file)
    snprintf(plugin, sizeof plugin, "AGON_PLUGINS=%s ",
             text_quoted(file, file_word, sizeof file_word));
  if (env->spec.teams == 1)
    log_line("next: agon report %s; %sagon eval %s; %sagon play %s", folder, plugin, folder, plugin,
             folder);
  else
    log_line("next: agon league show %s; %sagon eval %s --players %s,random", folder, plugin,
             folder, league_first_main(league));
}

/* The players of a league with their scores and ratings. */
static void show_players(const ManagerSummary *m) {
  char frames[16];
  log_line("  %-24s %10s  %-28s  %s", "player", "frames", "score over all its opponents",
           "Elo of its newest rated snapshot, random at 0");
  for (uint32_t i = 0; i < m->league->learning; i++) {
    double games, score;
    char text[16] = "n/a";
    char elo[80];
    payoff_score(&m->league->payoff, i, &games, &score);
    if (games > 0) snprintf(text, sizeof text, "%.3f", score / games);
    const Rated *rated = &m->rating[i].rated;
    text_rating(rated->known, rated->bound, rated->elo, rated->low, rated->high, elo, sizeof elo);
    log_line("  %-24s %10s  %-28s  %s%s%s", m->league->player[i].name,
             text_scaled((double)m->league->player[i].frames, frames, sizeof frames), text, elo,
             rated->known ? "  " : "", rated->known ? m->league->player[m->rating[i].as].name : "");
  }
}

/* What a run has come to: speed, where the time went, players with their scores and ratings, and
 * what to type next. */
void screen_summary(const Screen *screen, const ManagerSummary *summary, const char *folder,
                    const JobConfig *settings) {
  const ManagerSummary m = *summary;
  char a[16];
  char b[16];
  if (m.frames_this_job && m.seconds > 0)
    text_scaled((double)m.frames_this_job / m.seconds, b, sizeof b);
  else
    snprintf(b, sizeof b, "n/a");
  log_line("ended: %s; %s frames in %.1f s (%s frames/s learned), %llu ticks, %llu episodes",
           m.reason, text_scaled((double)m.frames, a, sizeof a), m.seconds_before + m.seconds, b,
           (unsigned long long)m.ticks, (unsigned long long)m.episodes);
  show_profile(screen, &m);
  const bool alone = settings->game.teams == 1;
  log_line("%s: %zu %s, checkpoint %06llu, saving took %.2f s in all", alone ? "saved" : "league",
           alone ? m.league->players - m.league->learning : m.league->players,
           alone ? "snapshots" : "players", (unsigned long long)m.generation, m.checkpoint_seconds);
  if (alone)
    show_returns(&m, settings);
  else
    show_players(&m);
  say_next(folder, settings->env, m.league);
}

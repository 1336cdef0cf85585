/* agon train: a league, from nothing or from a checkpoint. The only command that starts MPI. */
#include "cli/cli.h"
#include "cli/end_games.h"
#include "cli/job.h"
#include "cli/node.h"
#include "cli/train.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "nn/gemm.h"
#include "nn/kernel.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const Flag flags[] = {
    {"--run-dir", "DIR", "folder of the run (default runs/GAME)"},
    {"--resume", "HOW",
     "auto: go on if there is a run, else start; must: there has to be one; never; or a checkpoint FILE"},
    {"--max-time", "SECONDS", "save and end this job after so long"},
    {"--quiet", NULL, "the log goes to its file only"},
};

static volatile sig_atomic_t stop_signal;
static void on_signal(int signal) { stop_signal = signal; }

/* What rank 0 decides before anything starts, and sends to all. */
typedef struct Start {
  Settings *settings;
  RunFolder run;
  Tree resume;
  bool resuming;
  bool finished; /* there is nothing left to do */
  uint64_t generation;
  char *text; /* resolved YAML */
} Start;

typedef struct Screen {
  FILE *log;
  bool quiet;
  struct timespec start;
} Screen;

static void screen_line(void *context, const char *line) {
  Screen *screen = context;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double seconds = (double)(now.tv_sec - screen->start.tv_sec) + (double)(now.tv_nsec - screen->start.tv_nsec) * 1e-9;
  if (!strncmp(line, LOG_WARNING, strlen(LOG_WARNING)))
    fprintf(stderr, "agon train: %s\n", line);
  else if (!screen->quiet)
    printf("[%8.1f] %s\n", seconds, line);
  if (!screen->quiet) fflush(stdout);
  if (!screen->log) return;
  fprintf(screen->log, "[%8.1f] %s\n", seconds, line);
  fflush(screen->log);
}

static Status pick_run_dir(const Arguments *arguments, const char *name, char *out, size_t size) {
  const char *given = argument(&command_train, arguments, "--run-dir");
  char base[256];
  if (given && !*given) return usage_error(&command_train, "--run-dir: the name of the folder is empty");
  if (given) return text_format(out, size, "%s", given);
  const char *slash = strrchr(name, '/');
  TRY_RETURN(text_format(base, sizeof base, "%s", slash ? slash + 1 : name));
  char *dot = strrchr(base, '.');
  if (dot) *dot = 0;
  if (!*base) return usage_error(&command_train, "which folder is the run to be in? --run-dir DIR");
  return text_format(out, size, "runs/%s", base);
}

/* A checkpoint of another folder: the frozen players that it names come along. */
static Status bring_players(const Start *start, const char *file) {
  const Item *name, *frozen, *hash;
  char folder[2048], from[PATH_MAX], to[PATH_MAX];
  TRY_RETURN(tree_get(&start->resume, "league/name", STORE_TEXT, -1, &name));
  TRY_RETURN(tree_get(&start->resume, "league/frozen", STORE_U32, (int64_t)name->count, &frozen));
  TRY_RETURN(tree_get(&start->resume, "league/hash", STORE_TEXT, (int64_t)name->count, &hash));
  const char *slash = strrchr(file, '/');
  TRY_RETURN(
      text_format(folder, sizeof folder, "%.*s../players", slash ? (int)(slash - file + 1) : 0, slash ? file : ""));
  for (size_t i = 0; i < name->count; i++) {
    char *bytes;
    size_t size;
    if (!((uint32_t *)frozen->data)[i]) continue;
    const char *who = (char *)name->data + i * name->size, *content = (char *)hash->data + i * hash->size;
    TRY_RETURN(text_format(from, sizeof from, "%s/%s-%.8s.h5", folder, who, content));
    TRY_RETURN(text_format(to, sizeof to, "%s/players/%s-%.8s.h5", start->run.path, who, content));
    if (file_exists(to)) continue;
    TRY_RETURN(file_read(from, &bytes, &size));
    Status status = file_write_durable(to, bytes, size);
    free(bytes);
    TRY_RETURN(status);
  }
  return OK;
}

/* Whoever asked for a stop before this job had the lock asked another one. */
static Status forget_stop(const RunFolder *run) {
  char path[PATH_MAX];
  TRY_RETURN(run_path(run, path, sizeof path, "stop"));
  if (!file_ops()->remove(path)) log_warning("removed %s: it was meant for an earlier job", path);
  return OK;
}

static Status open_run(Start *start, const char *dir, const char *how) {
  RunFolder look = {.lock = -1};
  TRY_RETURN(text_format(look.path, sizeof look.path, "%s", dir));
  bool exists = run_has_checkpoint(&look), file = false;
  if (how && strcmp(how, "auto") && strcmp(how, "must") && strcmp(how, "never")) file = true;
  if (exists && (!how || !strcmp(how, "never")))
    return status_set(
        ERR_RUN, "%s already holds a run. Go on with it: --resume auto. Start afresh elsewhere: --run-dir OTHER", dir);
  if (!exists && how && !strcmp(how, "must"))
    return status_set(ERR_RUN, "%s holds no run to resume (--resume must)", dir);
  TRY_RETURN(run_lock(dir, &start->run));
  TRY_RETURN(forget_stop(&start->run));
  if (file)
    TRY_RETURN(store_read(how, "checkpoint", &start->resume));
  else if (exists)
    TRY_RETURN(run_read_checkpoint(&start->run, &start->resume, &start->generation));
  start->resuming = file || exists;
  return OK;
}

/* Ranks and lanes must suit each other: said by rank 0 before anything starts. */
static Status check_size(const Settings *s, int ranks) {
  Topology topology;
  if (s->env->spec.teams > SEATS)
    return status_set(ERR_USAGE,
                      "%s has %u teams: leagues match one player against another, so only envs with one or "
                      "two teams can be trained",
                      s->table->name, s->env->spec.teams);
  TRY_RETURN(settings_topology(s, ranks, &topology));
  Status status = OK;
  if (s->actors.lanes < (int64_t)topology.actors)
    status = status_set(ERR_USAGE, "%zu actor ranks, but only %lld lanes: raise actors.lanes and actors.slots",
                        topology.actors, (long long)s->actors.lanes);
  topology_free(&topology);
  return status;
}

static Status check_game(const Start *start) {
  char name[AGON_NAME_LEN];
  const char *given = start->settings->env->table->name;
  TRY_RETURN(tree_get_text(&start->resume, "@env", name, sizeof name));
  if (!strcmp(name, given)) return OK;
  return status_set(ERR_USAGE, "the run in %s is of %s, not of %s: start another with --run-dir", start->run.path, name,
                    given);
}

/* A run's players and unfinished games are of one game with one set of options. */
static Status check_options(const Start *start, const char *game, const char *stored) {
  Settings *before = NULL;
  TRY_RETURN(settings_create(&(SettingsSource){.stored = stored, .game = game}, &before));
  Status status = env_check_same(before->env, start->settings->env, start->run.path);
  settings_destroy(before);
  return status;
}

/* With the stored configuration, and what is given now over it. */
static Status prepare_resume(const Arguments *arguments, int ranks, SettingsSource *source, Start *start) {
  const Item *stored;
  const char *how = argument(&command_train, arguments, "--resume");
  TRY_RETURN(tree_get(&start->resume, "config", STORE_TEXT, 1, &stored));
  source->stored = stored->data;
  TRY_RETURN(check_game(start));
  settings_destroy(start->settings);
  start->settings = NULL;
  TRY_RETURN(settings_create(source, &start->settings));
  TRY_RETURN(check_options(start, start->settings->run.game, stored->data));
  TRY_RETURN(kernels_choose(start->settings->run.kernels));
  TRY_RETURN(check_size(start->settings, ranks));
  if (start->settings->run.pace != 2 && !env_copies(start->settings->env))
    return status_set(
        ERR_USAGE,
        "this env's episodes cannot be copied, so a deterministic pace cannot resume it exactly: use pace=free");
  TRY_RETURN(manager_finished(&start->resume, start->settings->manager.frames, &start->finished));
  return !start->finished && strcmp(how, "auto") && strcmp(how, "must") ? bring_players(start, how) : OK;
}

/* The games at a run's end are played here if the job that finished it did not come to them. */
static Status close_finished(const Start *start, const char *how, bool quiet) {
  Status status = OK;
  const Settings *s = start->settings;
  const AgonEnvSpec *spec = &s->env->spec;
  League league = {.players = 0};
  FILE *out = quiet ? stderr : stdout;
  char done[80] = "nothing was changed";
  uint64_t games = 0;
  if (!strcmp(how, "auto") || !strcmp(how, "must")) {
    TRY(league_create(&s->league, (uint64_t)s->run.seed, (double)spec->reward_low, (double)spec->reward_high, &league));
    TRY(league_load(&league, &start->resume));
    TRY(end_games_play(&league, s, &start->run, &games));
  }
  if (games)
    snprintf(done, sizeof done, "%llu evaluation games that its end lacked were played", (unsigned long long)games);
  fprintf(out, "%s is finished: its %lld frames are done, and %s; to go on give more: frames=N\n", start->run.path,
          (long long)s->manager.frames, done);
  fflush(out);
done:
  league_free(&league);
  return status;
}

static Status prepare(const Arguments *arguments, int ranks, Start *start) {
  SettingsSource source = {.overrides = arguments->word + 1,
                           .override_count = arguments->words ? arguments->words - 1 : 0};
  char dir[2048], path[PATH_MAX], time_limit[64];
  char *annotated = NULL;
  if (arguments->words == 0) return usage_error(&command_train, "which game? (agon env list shows them)");
  settings_name(arguments->word[0], &source);
  const char *limit = argument(&command_train, arguments, "--max-time");
  const char *overrides[257];
  if (limit) {
    TRY_RETURN(text_format(time_limit, sizeof time_limit, "max_seconds=%s", limit));
    for (size_t i = 0; i < source.override_count; i++) overrides[i] = source.overrides[i];
    overrides[source.override_count++] = time_limit;
    source.overrides = overrides;
  }
  TRY_RETURN(settings_create(&source, &start->settings)); /* bad input shows before the folder is touched */
  TRY_RETURN(kernels_choose(start->settings->run.kernels));
  TRY_RETURN(check_size(start->settings, ranks));
  TRY_RETURN(pick_run_dir(arguments, arguments->word[0], dir, sizeof dir));
  TRY_RETURN(open_run(start, dir, argument(&command_train, arguments, "--resume")));
  if (start->resuming) TRY_RETURN(prepare_resume(arguments, ranks, &source, start));
  if (start->finished)
    TRY_RETURN(close_finished(start, argument(&command_train, arguments, "--resume"),
                              argument(&command_train, arguments, "--quiet") != NULL));
  TRY_RETURN(settings_text(start->settings, false, &start->text));
  if (start->finished) return OK;
  TRY_RETURN(settings_text(start->settings, true, &annotated));
  Status status = run_path(&start->run, path, sizeof path, "config.yaml");
  if (status == OK) status = file_write_durable(path, annotated, strlen(annotated));
  free(annotated);
  return status;
}

/* Rank 0's decision reaches all: on failure every rank leaves with the same code, and only rank 0 speaks. */
static Status share_start(Transport *transport, Status mine, Start *start) {
  Bytes packet = {0};
  void *bytes = NULL;
  size_t size = 0;
  if (transport->rank == 0) {
    bytes_u32(&packet, (uint32_t)-mine);
    bytes_u32(&packet, start->finished);
    bytes_text(&packet, mine == OK ? start->text : "");
    bytes = packet.data;
    size = packet.size;
  }
  TRY_RETURN(transport->ops->start_broadcast(transport, &bytes, &size));
  if (transport->rank == 0) {
    bytes_free(&packet);
    return mine;
  }
  Reader reader = reader_over(bytes, size);
  Status status = (Status) - (int)reader_u32(&reader);
  start->finished = reader_u32(&reader) != 0;
  uint32_t length = reader_u32(&reader);
  const void *text = reader_take(&reader, length);
  if (status == OK && !start->finished) {
    TRY_RETURN(NEW_ARRAY(start->text, (size_t)length + 1));
    memcpy(start->text, text, length);
    SettingsSource source = {.stored = start->text, .trusted = true};
    status = settings_create(&source, &start->settings);
    if (status == OK) status = kernels_choose(start->settings->run.kernels);
    if (status != OK) /* this host alone lacks something, a plug-in perhaps: the others cannot know */
      transport->ops->abort(transport, status_exit_code(status), status_message());
  }
  free(bytes);
  return status;
}

static int cores_bound(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) ? 0 : CPU_COUNT(&set);
}

static void kernels_line(const Settings *s) {
  const Bf16Kernels *bf16 = bf16_kernels();
  if (s->run.precision == 0)
    log_line("kernels %s, fp32", kernels()->name);
  else if (bf16)
    log_line("kernels %s, bf16 through %s", kernels()->name, bf16->name);
  else
    log_line("kernels %s, fp32 (this processor gains nothing by bf16)", kernels()->name);
}

static void banner(const Start *start, const Topology *topology, Transport *transport) {
  const Settings *s = start->settings;
  Net *net = NULL;
  char params[16], blas[48];
  int *host = calloc((size_t)transport->size, sizeof *host), hosts = 0, here = 0;
  if (host && transport->ops->start_hosts(transport, host) == OK)
    for (int i = 0; i < transport->size; i++) hosts += host[i] == i, here += host[i] == host[0];
  free(host);
  if (transport->rank != 0 || net_create(&s->net, &s->env->spec, &net) != OK) return;
  snprintf(blas, sizeof blas, "%.*s", (int)strcspn(gemm_library() + strcspn(gemm_library(), " ") + 1, " "),
           gemm_library() + strcspn(gemm_library(), " ") + 1);
  log_line("agon %s: %s, %s", AGON_VERSION, s->table->name, s->table->summary);
  log_line(
      "ranks   %d on %d host%s: league on 0, %zu learner%s, %zu actor%s%s; 1 thread a rank, rank 0 bound to %d core%s",
      transport->size, hosts, hosts == 1 ? "" : "s", topology->learners, topology->learners == 1 ? "" : "s",
      topology->actors, topology->actors == 1 ? "" : "s", topology->shared ? " (shared)" : "", cores_bound(),
      cores_bound() == 1 ? "" : "s");
  if (here > 0 && here < cores_bound())
    log_line("        %d core%s of this host would stand idle: start %d ranks a host", cores_bound() - here,
             cores_bound() - here == 1 ? "" : "s", cores_bound());
  log_line("pace    %s; %lld slots in %lld lanes, ticks of %lld steps", config_value(s->config, "pace"),
           (long long)s->actors.slots, (long long)s->actors.lanes, (long long)s->actors.unroll);
  log_line("network %s parameters, %.1f kFLOP forward; %s",
           text_scaled((double)net->graph.params, params, sizeof params), graph_flops_forward(&net->graph) * 1e-3,
           s->algo->summary);
  log_line("league  %s: %lld main, %lld main exploiter, %lld league exploiter",
           config_value(s->config, "league.preset"), (long long)s->league.mains, (long long)s->league.main_exploiters,
           (long long)s->league.league_exploiters);
  kernels_line(s);
  log_line("using   %s, OpenBLAS %s, %s", transport_mpi_library(), blas, store_library());
  log_line("folder  %s%s", start->run.path, start->resuming ? " (resumed)" : "");
  net_destroy(net);
}

static double spent(const RoleProfile *profile, const char *name) { return numbers_get(&profile->numbers, name); }

/* Where the time of a role went: each part's share of the ranks' time, mean (lowest-highest over ranks). */
static void show_profile(const ManagerSummary *m, const char *role, const char *parts) {
  char rate[16], line[512], name[24];
  double frames = 0, decisions = 0, seconds = 0;
  size_t ranks = 0, used = 0;
  for (size_t i = 0; i < m->profiles; i++) {
    if (strcmp(m->profile[i].role, role)) continue;
    frames += spent(&m->profile[i], "frames");
    decisions += spent(&m->profile[i], "decisions");
    seconds += spent(&m->profile[i], "seconds");
    ranks++;
  }
  if (!ranks || seconds <= 0) return;
  line[0] = 0;
  for (const char *at = parts; *at; at += strspn(at, " ")) {
    size_t length = strcspn(at, " ");
    double sum = 0, low = 1, high = 0;
    snprintf(name, sizeof name, "%.*s", (int)length, at);
    at += length;
    for (size_t i = 0; i < m->profiles; i++) {
      if (strcmp(m->profile[i].role, role)) continue;
      double share = spent(&m->profile[i], name) / fmax(spent(&m->profile[i], "seconds"), 1e-9);
      sum += share;
      low = fmin(low, share);
      high = fmax(high, share);
    }
    int wrote = ranks == 1 ? snprintf(line + used, sizeof line - used, "%s %.1f", name, 100 * sum)
                           : snprintf(line + used, sizeof line - used, "%s %.1f (%.1f-%.1f)", name,
                                      100 * sum / (double)ranks, 100 * low, 100 * high);
    used += (size_t)wrote < sizeof line - used ? (size_t)wrote : 0;
    if (*at && used + 2 < sizeof line) memcpy(line + used, ", ", 3), used += 2;
  }
  log_line("%zu %s%s: %s frames/s%s; %% of time: %s", ranks, role, ranks == 1 ? "" : "s",
           text_scaled(frames * (double)ranks / seconds, rate, sizeof rate),
           strcmp(role, "actor") ? " learned" : " acted", line);
  if (decisions > frames)
    log_line("  and %s decisions/s in all", text_scaled(decisions * (double)ranks / seconds, rate, sizeof rate));
}

static void summary(const Manager *manager, const char *folder) {
  ManagerSummary m = manager_summary(manager);
  char a[16], b[16], c[16];
  if (m.frames_this_job && m.seconds > 0)
    text_scaled((double)m.frames_this_job / m.seconds, b, sizeof b);
  else
    snprintf(b, sizeof b, "n/a");
  log_line("ended: %s; %s frames in %.1f s (%s frames/s learned), %llu ticks, %llu episodes", m.reason,
           text_scaled((double)m.frames, a, sizeof a), m.seconds_before + m.seconds, b, (unsigned long long)m.ticks,
           (unsigned long long)m.episodes);
  show_profile(&m, "actor", "env forward sample record pack wait idle");
  show_profile(&m, "learner", "receive batch forward loss backward optimise reduce publish idle");
  log_line("league: %zu players, checkpoint %06llu, saving took %.2f s in all", m.league->players,
           (unsigned long long)m.generation, m.checkpoint_seconds);
  log_line("  %-24s %10s  %-28s  %s", "player", "frames", "score over all its opponents",
           "Elo of its newest rated snapshot, random at 0");
  for (uint32_t i = 0; i < m.league->learning; i++) {
    double games, score;
    char text[16] = "n/a", elo[80];
    payoff_score(&m.league->payoff, i, &games, &score);
    if (games > 0) snprintf(text, sizeof text, "%.3f", score / games);
    const Rated *rated = &m.rating[i].rated;
    text_rating(rated->known, rated->bound, rated->elo, rated->low, rated->high, elo, sizeof elo);
    log_line("  %-24s %10s  %-28s  %s%s%s", m.league->player[i].name,
             text_scaled((double)m.league->player[i].frames, c, sizeof c), text, elo, rated->known ? "  " : "",
             rated->known ? m.league->player[m.rating[i].as].name : "");
  }
  log_line("next: agon league show %s; agon eval %s --players main_0,random", folder, folder);
}

/* Idle ranks yield for a tenth of a millisecond, then nap for an eighth of the time that they have waited, at most a
 * millisecond: a short wait for another rank is hardly prolonged, a long one burns no core. */
static void back_off(int64_t waited) {
  if (waited < 100000) {
    sched_yield();
    return;
  }
  struct timespec nap = {0, waited > 8000000 ? 1000000 : waited / 8};
  nanosleep(&nap, NULL);
}

static Status run_loop(Node *node) {
  SteadyClock steady;
  const Clock clock = clock_steady(&steady, clock_system());
  bool progress;
  int64_t since = 0, counted = 0; /* when waiting began (0: not waiting), and up to when it has been counted as idle */
  while (!node_done(node)) {
    TRY_RETURN(node_step(node, &progress));
    if (stop_signal && node_manager(node))
      manager_request_stop(node_manager(node),
                           stop_signal == SIGUSR1 ? "SIGUSR1 asked for it" : "a signal asked for it");
    if (progress) {
      since = 0;
      continue;
    }
    int64_t now = clock_now(&clock);
    if (!since) since = counted = now;
    back_off(now - since);
    now = clock_now(&clock);
    node_idle(node, now - counted); /* before what ends the wait is done: that is work */
    counted = now;
  }
  return OK;
}

/* What was sent ahead for ticks that nobody plays any more is received and dropped, so that every send completes. */
static void leave_together(Transport *transport) {
  const Clock clock = clock_system();
  int64_t since = clock_now(&clock);
  while (!transport->ops->finish(transport)) {
    Message *message = transport->ops->receive(transport);
    message_release(message);
    if (message) since = clock_now(&clock);
    back_off(clock_now(&clock) - since);
  }
}

void train_catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  signal(SIGXFSZ, SIG_IGN); /* a file size limit shows as a failed write */
  signal(SIGPIPE, SIG_IGN);
  if (!transport_mpi_launched()) { /* alone, Ctrl-C is a graceful stop; a second one kills */
    action.sa_flags = (int)(SA_RESETHAND | SA_RESTART);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
  }
}

static Status play_league(Start *start, Transport *transport, Screen *screen, const TrainExtras *extras) {
  Status status = OK;
  Topology topology = {0};
  Node *node = NULL;
  Tree header = {0};
  const Settings *s = start->settings;
  char path[PATH_MAX];
  if (transport->rank == 0) {
    TRY(run_path(&start->run, path, sizeof path, "log.txt"));
    screen->log = fopen(path, "a");
    log_set_sink(screen_line, screen);
  }
  TRY(settings_topology(s, transport->size, &topology));
  banner(start, &topology, transport);
  TRY(node_header(s, &header));
  NodeSetup setup = {.settings = s,
                     .topology = &topology,
                     .transport = transport,
                     .clock = clock_system(),
                     .run = &start->run,
                     .resume = start->resuming ? &start->resume : NULL,
                     .generation = start->generation,
                     .header = &header,
                     .target = extras ? extras->target : NULL};
  TRY(node_create(&setup, &node));
  TRY(run_loop(node));
  if (node_manager(node)) summary(node_manager(node), start->run.path);
  if (node_manager(node) && extras && extras->finished) {
    ManagerSummary end = manager_summary(node_manager(node));
    extras->finished(extras->context, &end);
  }
  leave_together(transport);
done:
  node_destroy(node);
  topology_free(&topology);
  tree_free(&header);
  return status;
}

static void close_start(Start *start) {
  settings_destroy(start->settings);
  tree_free(&start->resume);
  run_close(&start->run);
  free(start->text);
}

Status train_job(Transport *transport, int argc, char **argv, const TrainExtras *extras) {
  Arguments arguments;
  Start start = {.run = {.lock = -1}};
  Screen screen = {.log = NULL};
  clock_gettime(CLOCK_MONOTONIC, &screen.start);
  Status mine = arguments_parse(&command_train, argc, argv, &arguments);
  screen.quiet = argument(&command_train, &arguments, "--quiet") != NULL;
  gemm_set_threads(1);
  train_catch_signals();
  if (transport->rank != 0)
    mine = OK; /* rank 0 decides */
  else if (mine == OK)
    mine = prepare(&arguments, transport->size, &start);
  if (mine !=
      OK) { /* before the others hear of it: a rank that leaves first would end the job, and the message with it */
    fprintf(stderr, "agon train: %s\n", status_message());
    fflush(stderr);
  }
  Status status = share_start(transport, mine, &start);
  if (status != OK) { /* known on all ranks: leave together */
    transport_destroy(transport);
    close_start(&start);
    job_show_warnings();
    exit(status_exit_code(status)); /* rank 0 has spoken */
  }
  if (!start.finished) status = play_league(&start, transport, &screen, extras);
  if (status != OK) transport->ops->abort(transport, status_exit_code(status), status_message());
  close_start(&start);
  if (screen.log) fclose(screen.log);
  log_set_sink(NULL, NULL);
  return status;
}

static Status train(int argc, char **argv) {
  Transport *transport = NULL;
  train_catch_signals(); /* starting MPI takes a while */
  TRY_RETURN(job_join(&argc, &argv, &transport));
  Status status = train_job(transport, argc, argv, NULL);
  transport_destroy(transport);
  message_pool_clear();
  return status;
}

const Command command_train = {
    "train",
    "GAME|FILE.yaml [key=value ...] [--run-dir DIR] [--resume auto|must|never|FILE] [--max-time SECONDS]",
    "trains a league; under mpirun on any number of ranks, or alone",
    "Stop it with 'agon stop RUN', SIGUSR1 to mpirun, or --max-time: it finishes the tick, saves and exits 0.\n"
    "Keys are listed by 'agon config schema'; ready configurations are in deploy/runs.",
    flags,
    COUNT_OF(flags),
    train,
};

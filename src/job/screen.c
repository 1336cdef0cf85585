#include "job/screen.h"
#include "base/log.h"
#include "base/text.h"
#include "job/machine.h"
#include "nn/kernels/kernels.h"
#include "nn/kernels/openblas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

void screen_open(Screen *screen, const char *log) {
  screen->log = log ? fopen(log, "a") : NULL;
  log_set_sink(screen_line, screen);
}

void screen_close(Screen *screen) {
  if (screen->log) fclose(screen->log);
  screen->log = NULL;
  log_set_sink(NULL, NULL);
}

static void kernels_line(const JobConfig *s) {
  const Bf16Kernels *bf16 = bf16_kernels();
  if (s->run.precision == 0)
    log_line("kernels %s, fp32", kernels()->name);
  else if (bf16)
    log_line("kernels %s, bf16 through %s", kernels()->name, bf16->name);
  else
    log_line("kernels %s, fp32 (this processor gains nothing by bf16)", kernels()->name);
}

void screen_banner(const JobConfig *s, const Topology *topology, Transport *transport, const char *folder,
                   bool resumed) {
  Net *net = NULL;
  char params[16], blas[48];
  int *host = calloc((size_t)transport->size, sizeof *host), hosts = 0, here = 0;
  if (host && transport->ops->start_hosts(transport, host) == OK)
    for (int i = 0; i < transport->size; i++) hosts += host[i] == i, here += host[i] == host[0];
  free(host);
  if (transport->rank != 0 || net_create(&s->net, &s->env->layout, &net) != OK) return;
  Machine machine;
  machine_look(&machine);
  snprintf(blas, sizeof blas, "%.*s", (int)strcspn(gemm_library() + strcspn(gemm_library(), " ") + 1, " "),
           gemm_library() + strcspn(gemm_library(), " ") + 1);
  log_line("agon %s: %s, %s", AGON_VERSION, s->table->name, s->table->summary);
  log_line(
      "ranks   %d on %d host%s: league on 0, %zu learner%s, %zu actor%s%s; 1 thread a rank, rank 0 bound to %d core%s",
      transport->size, hosts, hosts == 1 ? "" : "s", topology->learners, topology->learners == 1 ? "" : "s",
      topology->actors, topology->actors == 1 ? "" : "s", topology->shared ? " (shared)" : "", machine.bound_cores,
      machine.bound_cores == 1 ? "" : "s");
  log_line("host    %s: %d package%s, %d core%s, %d hardware thread%s; %d rank%s here", machine.processor,
           machine.packages, machine.packages == 1 ? "" : "s", machine.cores, machine.cores == 1 ? "" : "s",
           machine.threads, machine.threads == 1 ? "" : "s", here, here == 1 ? "" : "s");
  if (here > 0 && here < machine.bound_cores)
    log_line("        %d core%s of this host would stand idle: start %d ranks a host", machine.bound_cores - here,
             machine.bound_cores - here == 1 ? "" : "s", machine.bound_cores);
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
  log_line("folder  %s%s", folder, resumed ? " (resumed)" : "");
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

void screen_summary(const ManagerSummary *summary, const char *folder) {
  const ManagerSummary m = *summary;
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

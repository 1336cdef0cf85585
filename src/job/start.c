/* How a job begins: rank 0 reads what is asked and what the run's folder holds, decides, and tells
 * the others; and how it goes on and ends. */
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "env/bridge.h"
#include "job/crash.h"
#include "job/edit.h"
#include "job/end_games.h"
#include "job/guests.h"
#include "job/job.h"
#include "job/loop.h"
#include "job/lost.h"
#include "job/players.h"
#include "job/resume.h"
#include "job/screen.h"
#include "league/checkpoint.h"
#include "nn/kernels/kernels.h"
#include "nn/kernels/openblas.h"
#include "store/counters.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What rank 0 decides before anything starts, and sends to all. */
typedef struct Start {
  char stop[PATH_MAX]; /* the file by which a stop is asked for, on all ranks */

  JobConfig *settings;
  RunFolder run;
  Tree resume;
  bool resuming;
  bool finished; /* there is nothing left to do */
  uint64_t generation;
  Sources sources;  /* agents that it learns from */
  const char *from; /* the run or the checkpoint's file that is gone on from; borrowed */
  char *text;       /* resolved YAML */
  char again[3 *
             PATH_MAX]; /* a command by which what has happened happens again; "": there is none */
} Start;

/* A request once it is known which of its words name a run. */
typedef struct Asked {
  const char *game; /* NULL: the run's own */
  const char *how;  /* as JobRequest.resume, but no folder */
  char folder[2048];
} Asked;

/* Looks only; the folder is not locked. */
static bool holds_run(const char *folder) {
  RunFolder look = {.lock = -1};
  return text_format(look.path, sizeof look.path, "%s", folder) == OK && run_has_checkpoint(&look);
}

/* Else it is one of the words of --resume. */
static bool is_checkpoint_file(const char *how) {
  return how && strcmp(how, "auto") && strcmp(how, "must") && strcmp(how, "never");
}

/* A folder that was given in place of a game, or to --resume: it is the run's. */
static Status take_run(const char *folder, Asked *out) {
  char word[PATH_MAX + 64];
  if (!holds_run(folder))
    return status_set(ERR_RUN,
                      "%s is a folder that holds no run (no checkpoints/*.h5 in it), so there is "
                      "nothing to go on "
                      "with; a new run begins with a game: agon train GAME --run-dir %s",
                      folder, text_quoted(folder, word, sizeof word));
  if (*out->folder && strcmp(out->folder, folder))
    return status_set(
        ERR_USAGE,
        "two folders for one run, %s and %s: leave --run-dir out to go on in the first; to begin "
        "another "
        "run from a checkpoint of it, name that file: --resume %s/checkpoints/NNNNNN.h5",
        folder, out->folder, text_quoted(folder, word, sizeof word));
  return text_format(out->folder, sizeof out->folder, "%s", folder);
}

/* The folder of a run that nobody has named: runs/, and the last part of the game's or the file's
 * name. */
static Status pick_folder(const char *game, char *out, size_t size) {
  char base[256];
  if (bridge_is(game)) { /* gymnasium:CartPole-v1 becomes gymnasium-CartPole-v1 */
    TRY_RETURN(text_format(out, size, "runs/%s", game));
    for (char *at = out + strlen("runs/"); *at; at++)
      if (!isalnum((unsigned char)*at) && !strchr("_-.", *at)) *at = '-';
    return OK;
  }
  const char *slash = strrchr(game, '/');
  TRY_RETURN(text_format(base, sizeof base, "%s", slash ? slash + 1 : game));
  char *dot = strrchr(base, '.');
  if (dot) *dot = 0;
  if (!*base) return status_set(ERR_USAGE, "which folder is the run to be in? --run-dir DIR");
  return text_format(out, size, "runs/%s", base);
}

/* Without a game there must be a run, or a checkpoint and a folder for what it begins. */
static Status need_run(const Asked *asked) {
  char word[PATH_MAX + 64];
  if (is_checkpoint_file(asked->how) && !file_exists(asked->how))
    return status_set(ERR_USAGE,
                      "--resume %s: that is no run, no checkpoint's file, and none of auto, must "
                      "and never; if it is "
                      "the game, write it first: agon train %s --resume",
                      asked->how, text_quoted(asked->how, word, sizeof word));
  if (is_checkpoint_file(asked->how))
    return *asked->folder
               ? OK
               : status_set(ERR_USAGE, "which folder is the run to be in? --run-dir DIR");
  if (!*asked->folder)
    return status_set(
        ERR_USAGE, "which game, or which run? (agon env list shows the games; a run is a folder)");
  if (holds_run(asked->folder)) return OK;
  return status_set(ERR_RUN,
                    "%s holds no run yet, so a game is needed: agon train GAME --run-dir %s",
                    asked->folder, text_quoted(asked->folder, word, sizeof word));
}

/* What the user means: a game, or a run to go on with, by whichever of the arguments it was
 * named. */
static Status understand(const JobRequest *request, Asked *out) {
  *out = (Asked){.game = request->game, .how = request->resume};
  if (request->folder)
    TRY_RETURN(text_format(out->folder, sizeof out->folder, "%s", request->folder));
  /* whoever stands among their runs may well have a folder with the name of a game */
  if (out->game && !env_is_builtin(out->game) && file_is_folder(out->game)) {
    TRY_RETURN(take_run(out->game, out));
    out->game = NULL;
    if (!out->how) out->how = "must";
  }
  if (is_checkpoint_file(out->how) && file_is_folder(out->how)) {
    TRY_RETURN(take_run(out->how, out));
    out->how = "must";
  }
  if (!out->game) return need_run(out);
  return *out->folder ? OK : pick_folder(out->game, out->folder, sizeof out->folder);
}

/* A checkpoint of another folder: the frozen players that it names come along. */
static Status bring_players(const Start *start, const char *file) {
  const Item *name;
  const Item *frozen;
  const Item *hash;
  const Item *guest = NULL;
  char folder[2048];
  char from[PATH_MAX];
  char to[PATH_MAX];
  TRY_RETURN(tree_get(&start->resume, "league/name", STORE_TEXT, -1, &name));
  TRY_RETURN(tree_get(&start->resume, "league/frozen", STORE_U32, (int64_t)name->count, &frozen));
  TRY_RETURN(tree_get(&start->resume, "league/hash", STORE_TEXT, (int64_t)name->count, &hash));
  if (tree_find(&start->resume, "league/guest"))
    TRY_RETURN(tree_get(&start->resume, "league/guest", STORE_TEXT, (int64_t)name->count, &guest));
  const char *slash = strrchr(file, '/');
  TRY_RETURN(text_format(folder, sizeof folder, "%.*s..", slash ? (int)(slash - file + 1) : 0,
                         slash ? file : ""));
  for (size_t i = 0; i < name->count; i++) {
    char *bytes;
    size_t size;
    if (!((uint32_t *)frozen->data)[i]) continue;
    const char *who = (char *)name->data + i * name->size;
    const char *content = (char *)hash->data + i * hash->size;
    const char *text = guest ? (char *)guest->data + i * guest->size : "";
    TRY_RETURN(run_frozen_path(folder, who, content, text, from, sizeof from));
    TRY_RETURN(run_frozen_path(start->run.path, who, content, text, to, sizeof to));
    if (!*from) continue;
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

/* ERR_USAGE: it is another one. */
static Status check_game(const Start *start) {
  char name[AGON_NAME_LEN];
  const char *given = start->settings->env->table->name;
  TRY_RETURN(tree_get_text(&start->resume, "@env", name, sizeof name));
  if (!strcmp(name, given)) return OK;
  return status_set(
      ERR_USAGE,
      "%s is of another game, %s, not of %s: begin another run elsewhere with --run-dir OTHER",
      start->from, name, given);
}

/* Locks the folder, so that no second job writes into it, and reads what is resumed from. ERR_RUN:
 * the folder holds a run though none was to be resumed, or holds none. */
static Status open_run(Start *start, const char *dir, const char *how) {
  const bool exists = holds_run(dir);
  const bool file = is_checkpoint_file(how);
  if (exists && (!how || !strcmp(how, "never")))
    return status_set(ERR_RUN,
                      "%s already holds a run. Go on with it: --resume auto. Start afresh "
                      "elsewhere: --run-dir OTHER",
                      dir);
  if (!exists && how && !strcmp(how, "must"))
    return status_set(ERR_RUN, "%s holds no run to resume (--resume must)", dir);
  start->from = file ? how : dir;
  /* before the folder is made: what is no good leaves none behind */
  if (file) TRY_RETURN(store_read(how, "checkpoint", &start->resume));
  if (file && start->settings) TRY_RETURN(check_game(start));
  TRY_RETURN(run_lock(dir, &start->run));
  TRY_RETURN(forget_stop(&start->run));
  if (!file && exists)
    TRY_RETURN(run_read_checkpoint(&start->run, &start->resume, &start->generation));
  start->resuming = file || exists;
  return OK;
}

/* Ranks and lanes must suit each other: said by rank 0 before anything starts. */
static Status check_size(const JobConfig *s, int ranks) {
  Topology topology;
  TRY_RETURN(job_config_topology(s, ranks, &topology));
  Status status = OK;
  if (s->actors.lanes < (int64_t)topology.actors)
    status = status_set(ERR_USAGE,
                        "%zu actor ranks, but only %lld lanes: raise actors.lanes and actors.slots",
                        topology.actors, (long long)s->actors.lanes);
  topology_free(&topology);
  return status;
}

/* The network is the same as before (resume_check). */
static Status check_players(const Start *start, const JobConfig *before) {
  Status status = OK;
  const JobConfig *now = start->settings;
  Net *net = NULL;
  Algo *learned = NULL;
  Algo *learning = NULL;
  TRY(net_create(&now->net, &now->env->layout, &now->env->spec, &net));
  TRY(job_config_algo(before, net, &learned));
  TRY(job_config_algo(now, net, &learning));
  TRY(resume_check_rows(&start->resume, learned, learning, start->from));
  TRY(resume_check_players(&start->resume, learned, learning, start->from));
done:
  algo_destroy(learning);
  algo_destroy(learned);
  net_destroy(net);
  return status;
}

/* Told before anything is said or started: the ranks could only fail on it later, each in its own
 * words. */
static Status check_unchanged(const Start *start, const JobConfig *before) {
  Status status = resume_check(&start->resume, before, start->settings, start->from);
  if (status == OK) status = check_players(start, before);
  return status;
}

/* Players that the configuration asks for beyond those of before join the league that is gone on
 * with. */
static Status grow_league(Start *start, const JobConfig *before) {
  const LeagueConfig *was = &before->league;
  const LeagueConfig *now = &start->settings->league;
  Edit *edit = NULL;
  if (now->mains <= was->mains && now->main_exploiters <= was->main_exploiters &&
      now->league_exploiters <= was->league_exploiters)
    return OK;
  TRY_RETURN(edit_begin(&start->resume, start->settings, &start->run, &edit));
  const size_t already = edit_league(edit)->changes;
  Status status = edit_grow(edit, was, now);
  if (status == OK) status = edit_finish(edit);
  for (size_t i = already; i < edit_league(edit)->changes && status == OK; i++)
    log_line("league: %s", edit_league(edit)->change[i].what);
  edit_close(edit);
  return status;
}

/* With the stored configuration, and what is given now over it. */
static Status take_stored(JobConfigSource *source, Start *start) {
  Status status = OK;
  const Item *stored;
  Roster roster = {0};
  GameFacts recorded = {.title = NULL};
  bool known;
  TRY(tree_get(&start->resume, "config", STORE_TEXT, 1, &stored));
  TRY(facts_load(&start->resume, &recorded, &known));
  source->stored = stored->data;
  source->recorded = known ? &recorded : NULL;
  source->where = start->from;
  if (start->settings) TRY(check_game(start));
  job_config_destroy(start->settings);
  start->settings = NULL;
  TRY(job_config_create(source, &start->settings));
  TRY(roster_of_checkpoint(&start->resume, &roster));
  TRY(job_config_take_roster(start->settings, &roster));
  const GameFacts *now = &start->settings->game;
  if (known && *recorded.build && *now->build && strcmp(recorded.build, now->build))
    log_warning("the plug-in %s is another build than before (XXH3 %.12s then, %.12s now), taken "
                "for the same game%s",
                now->plugin, recorded.build, now->build,
                now->version && now->version == recorded.version
                    ? ": the version of its rules is the same"
                    : "");
done:
  roster_free(&roster);
  source->recorded = NULL;
  facts_free(&recorded);
  return status;
}

/* A job that is to end where the run is already has nothing to do: so it may be started twice. */
static Status end_where_it_is(const JobRequest *request, Start *start) {
  const Item *counters;
  const int64_t limit = start->settings->manager.job_frames;
  FILE *out = request->screen ? request->screen : request->warnings;
  if (!limit || start->finished) return OK;
  TRY_RETURN(tree_get(&start->resume, RUN_COUNTERS_PATH, STORE_U64, RUN_COUNTERS, &counters));
  const uint64_t frames = ((const uint64_t *)counters->data)[RUN_FRAMES];
  if (frames < (uint64_t)limit) return OK;
  start->finished = true;
  fprintf(out, "%s has %llu frames, and job_frames=%lld: nothing was changed\n", start->run.path,
          (unsigned long long)frames, (long long)limit);
  fflush(out);
  return OK;
}

/* The configuration is the stored one with the keys that may change; the others must be what they
 * were. */
static Status prepare_resume(const char *how, int ranks, JobConfigSource *source, Start *start) {
  Status status = OK;
  const Item *stored;
  JobConfig *before = NULL;
  TRY(take_stored(source, start));
  TRY(tree_get(&start->resume, "config", STORE_TEXT, 1, &stored));
  const JobConfigSource then = {.stored = stored->data, .game = start->settings->run.game};
  TRY(job_config_create(&then, &before));
  TRY(check_unchanged(start, before));
  TRY(kernels_choose(start->settings->run.kernels));
  TRY(check_size(start->settings, ranks));
  TRY(checkpoint_finished(&start->resume, start->settings->manager.frames, &start->finished));
  if (start->finished) goto done;
  if (is_checkpoint_file(how)) TRY(bring_players(start, how));
  TRY(lost_settle(start->settings, &start->resume, &start->run));
  TRY(grow_league(start, before));
  TRY(guests_settle(start->settings, &start->resume, &start->run));
  TRY(sources_gather(start->settings, &start->resume, start->run.path, &start->sources));
done:
  job_config_destroy(before);
  return status;
}

/* The games at a run's end are played here if the job that finished it did not come to them. */
static Status close_finished(const Start *start, const JobRequest *request, const char *how) {
  Status status = OK;
  const JobConfig *s = start->settings;
  const AgonEnvSpec *spec = &s->env->spec;
  League league = {.players = 0};
  FILE *out = request->screen ? request->screen : request->warnings;
  char done[80] = "nothing was changed";
  uint64_t games = 0;
  if (!is_checkpoint_file(how)) {
    TRY(league_create(&s->league, (uint64_t)s->run.seed, (double)spec->reward_low,
                      (double)spec->reward_high, &league));
    TRY(league_load(&league, &start->resume));
    TRY(end_games_play(&league, s, &start->run, &games));
  }
  if (games)
    snprintf(done, sizeof done, "%llu evaluation games that its end lacked were played",
             (unsigned long long)games);
  fprintf(out, "%s is finished: its %lld frames are done, and %s; to go on give more: frames=N\n",
          start->run.path, (long long)s->manager.frames, done);
  fflush(out);
done:
  league_free(&league);
  return status;
}

/* What a new run has beside its game: looked at before the folder is made. */
static Status begin_afresh(Start *start) {
  TRY_RETURN(players_check(start->settings));
  TRY_RETURN(guests_look(start->settings));
  return sources_gather(start->settings, NULL, NULL, &start->sources);
}

/* Rank 0 alone: everything that can fail by what the user gave, before other ranks are told
 * anything. */
static Status prepare(const JobRequest *request, int ranks, Start *start) {
  Status status = OK;
  char time_limit[64];
  char init_from[OPTION_TEXT + 32];
  Asked asked;
  const char **overrides = NULL;
  JobConfigSource source = {.override_count = request->override_count};
  TRY(NEW_ARRAY(overrides, request->override_count + 2));
  for (size_t i = 0; i < request->override_count; i++)
    overrides[i] = request->overrides[i];
  if (request->max_time) {
    TRY(text_format(time_limit, sizeof time_limit, "max_seconds=%s", request->max_time));
    overrides[source.override_count++] = time_limit;
  }
  if (request->init_from) {
    TRY(text_format(init_from, sizeof init_from, "learner.init_from=%s", request->init_from));
    overrides[source.override_count++] = init_from;
  }
  source.overrides = overrides;
  TRY(understand(request, &asked));
  if (asked.game) { /* bad input shows before the folder is touched */
    job_config_name(asked.game, &source);
    TRY(job_config_create(&source, &start->settings));
    TRY(kernels_choose(start->settings->run.kernels));
    TRY(check_size(start->settings, ranks));
  }
  if (start->settings && !holds_run(asked.folder) && !is_checkpoint_file(asked.how))
    TRY(begin_afresh(start));
  TRY(open_run(start, asked.folder, asked.how));
  if (start->resuming) TRY(prepare_resume(asked.how, ranks, &source, start));
  TRY(players_check(start->settings));
  if (start->finished) TRY(close_finished(start, request, asked.how));
  if (start->resuming && !is_checkpoint_file(asked.how)) TRY(end_where_it_is(request, start));
  if (!start->resuming) TRY(guests_keep(start->settings, &start->run));
  if (!start->finished) TRY(sources_keep(&start->sources, &start->run));
  TRY(job_config_text(start->settings, false, &start->text));
  if (!start->finished) TRY(job_config_write(start->settings, &start->run));
done:
  free(overrides);
  return status;
}

/* The command that goes on with the run: what happens in a pace that repeats happens again. In pace
 * free nothing need. */
static void name_again(Start *start) {
  const JobConfig *s = start->settings;
  char run_word[PATH_MAX + 64];
  char file[PATH_MAX] = "";
  char file_word[PATH_MAX + 64];
  if (s->run.pace == PACE_FREE || start->finished) return;
  if (env_plugin_file(s->env, file, sizeof file) != OK) *file = 0;
  const char *run = text_quoted(start->run.path, run_word, sizeof run_word);
  const char *game = *file ? text_quoted(file, file_word, sizeof file_word) : s->table->name;
  const int size =
      start->resuming && !*file
          ? snprintf(start->again, sizeof start->again, "agon train %s", run)
          : snprintf(start->again, sizeof start->again, "agon train %s --run-dir %s --resume%s%s%s",
                     game, run, start->resuming ? "" : "; before its first checkpoint: agon train ",
                     start->resuming ? "" : run,
                     start->resuming ? "" : "/config.yaml --run-dir OTHER");
  if (size >= (int)sizeof start->again) *start->again = 0;
}

/* An env's failure is told with what makes it come again. */
static Status tell_again(const Start *start, Status status) {
  char why[700];
  if (status != ERR_ENV || !*start->again) return status;
  snprintf(why, sizeof why, "%s", status_message());
  return status_set(status, "%s (seed %lld; again by: %.250s)", why,
                    (long long)start->settings->run.seed, start->again);
}

/* Rank 0's decision reaches all: on failure every rank leaves with the same code, and only rank 0
 * speaks. */
static Status share_start(Transport *transport, Status mine, Start *start) {
  Bytes packet = {0};
  void *bytes = NULL;
  size_t size = 0;
  if (transport->rank == 0) {
    if (mine == OK) mine = run_path(&start->run, start->stop, sizeof start->stop, "stop");
    bytes_u32(&packet, (uint32_t)-mine);
    bytes_u32(&packet, start->finished);
    bytes_text(&packet, mine == OK ? start->text : "");
    bytes_text(&packet, start->again);
    bytes_text(&packet, mine == OK ? start->settings->game.build : "");
    bytes_text(&packet, start->stop);
    if (mine == OK) roster_encode(&start->settings->roster, &packet);
    if (mine == OK) sources_encode(&start->sources, &packet);
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
  reader_text(&reader, start->again, sizeof start->again);
  char build[HASH_TEXT];
  reader_text(&reader, build, sizeof build);
  reader_text(&reader, start->stop, sizeof start->stop);
  Roster roster = {0};
  if (status == OK) TRY_RETURN(roster_decode(&roster, &reader));
  if (status == OK) TRY_RETURN(sources_decode(&start->sources, &reader));
  if (status == OK && !start->finished) {
    TRY_RETURN(NEW_ARRAY(start->text, (size_t)length + 1));
    memcpy(start->text, text, length);
    JobConfigSource source = {.stored = start->text, .trusted = true};
    status = job_config_create(&source, &start->settings);
    if (status == OK) status = job_config_take_roster(start->settings, &roster);
    if (status == OK) status = kernels_choose(start->settings->run.kernels);
    if (status == OK && strcmp(start->settings->game.build, build))
      status = status_set(ERR_USAGE,
                          "rank %d's host has another build of the plug-in %s than rank 0's (XXH3 "
                          "%.12s here, %.12s "
                          "there): copy one file to all hosts",
                          transport->rank, start->settings->game.plugin,
                          start->settings->game.build, build);
    if (status !=
        OK) /* this host alone lacks something, a plug-in perhaps: the others cannot know */
      transport->ops->abort(transport, status_exit_code(status), status_message());
  }
  roster_free(&roster);
  free(bytes);
  return status;
}

/* For callers in the same process: benchmarks and tests. */
static void keep_result(const ManagerSummary *summary, JobResult *result) {
  *result = (JobResult){.started = true,
                        .frames = (double)summary->frames_this_job,
                        .seconds = summary->seconds,
                        .saving = summary->checkpoint_seconds};
  for (size_t i = 0; i < summary->profiles; i++)
    result->decisions += numbers_get(&summary->profile[i].numbers, "decisions");
}

static Status play_league(Start *start, Transport *transport, const JobRequest *request,
                          Screen *screen, JobResult *result) {
  Status status = OK;
  Topology topology = {0};
  Rank *rank = NULL;
  Tree header = {0};
  const JobConfig *s = start->settings;
  char log[PATH_MAX];
  if (transport->rank == 0) {
    TRY(run_path(&start->run, log, sizeof log, "log.txt"));
    screen_open(screen, log);
  }
  TRY(job_config_topology(s, transport->size, &topology));
  screen_banner(s, &topology, transport, start->run.path, start->resuming ? &start->resume : NULL);
  TRY(rank_header(s, &header));
  TRY(sources_save(&start->sources, &header));
  RankSetup setup = {.settings = s,
                     .topology = &topology,
                     .sources = &start->sources,
                     .transport = transport,
                     .clock = clock_system(),
                     .run = &start->run,
                     .resume = start->resuming ? &start->resume : NULL,
                     .generation = start->generation,
                     .header = &header,
                     .target = request->target};
  TRY(rank_create(&setup, &rank));
  TRY(loop_run(rank, start->stop));
  if (rank_manager(rank)) {
    const ManagerSummary summary = manager_summary(rank_manager(rank));
    screen_summary(screen, &summary, start->run.path, start->settings);
    keep_result(&summary, result);
  }
  loop_leave(transport);
  if (rank_manager(rank) && *manager_fault(rank_manager(rank)))
    status = status_set(ERR_ENV, "%s", manager_fault(rank_manager(rank)));
done:
  rank_destroy(rank);
  topology_free(&topology);
  tree_free(&header);
  return status;
}

static void close_start(Start *start) {
  job_config_destroy(start->settings);
  tree_free(&start->resume);
  sources_free(&start->sources);
  run_close(&start->run);
  free(start->text);
}

/* The whole job. Rank 0 prepares; whether that went well, and with what configuration, is shared
 * with all; then the loop. A failure before that is one message and the same status on all ranks;
 * one in the loop aborts the job, since others may be waiting for this rank. */
Status job_train(Transport *transport, const JobRequest *request, JobResult *result) {
  const Clock clock = clock_system();
  JobResult own;
  Start start = {.run = {.lock = -1}};
  Screen screen = {
      .out = request->screen, .warnings = request->warnings, .start = clock_now(&clock)};
  Status mine = OK;
  if (!result) result = &own;
  *result = (JobResult){.started = false};
  gemm_set_threads(1);
  job_catch_signals();
  if (transport->rank == 0)
    mine = request->fault != OK ? request->fault : prepare(request, transport->size, &start);
  if (transport->rank == 0 && mine == OK) name_again(&start);
  if (mine != OK) { /* before the others hear of it: a rank that leaves first would end the job, and
                       the message with it */
    fprintf(request->warnings, "agon train: %s\n", status_message());
    fflush(request->warnings);
  }
  Status status = share_start(transport, mine, &start);
  if (status != OK) { /* known on all ranks */
    close_start(&start);
    return status;
  }
  if (!start.finished) {
    crash_watch(transport->rank, (long long)start.settings->run.seed,
                *start.again ? start.again : NULL);
    status = tell_again(&start, play_league(&start, transport, request, &screen, result));
    crash_forget();
  }
  if (status != OK) transport->ops->abort(transport, status_exit_code(status), status_message());
  close_start(&start);
  screen_close(&screen);
  return status;
}

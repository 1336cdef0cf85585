/* Commands that look at a run, or ask it to stop: stop, status, checkpoint. None starts MPI. */
#include "cli/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "job/lost.h"
#include "run/progress.h"
#include "league/ledger.h"
#include "store/store.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern const Command command_stop, command_status, command_checkpoint;

/* The folder that a command was given; ERR_USAGE where there is not exactly one, ERR_RUN where it
 * holds no run. A run that has no checkpoint yet has a status.json, or, in its first tick, a lock
 * that a job holds. */
static Status need_run(const Command *command, const Arguments *arguments, size_t at,
                       RunFolder *out) {
  if (arguments->words != at + 1) return usage_error(command, "one run folder is needed");
  *out = (RunFolder){.lock = -1};
  char path[PATH_MAX];
  bool held = false;
  if (!*arguments->word[at]) return usage_error(command, "the run folder's name is empty");
  TRY_RETURN(text_format(out->path, sizeof out->path, "%s", arguments->word[at]));
  TRY_RETURN(run_path(out, path, sizeof path, "status.json"));
  if (!run_has_checkpoint(out) && !file_exists(path) &&
      (status_held(out->path, &held) != OK || !held))
    return status_set(ERR_RUN, "%s holds no run", out->path);
  return OK;
}

/* --- stop --- */

/* A file in the folder, not a signal: it works from every host that sees the folder, and for jobs
 * that a batch system started. */
static Status run_stop(int argc, char **argv) {
  Arguments arguments;
  RunFolder run;
  char path[PATH_MAX];
  bool held;
  TRY_RETURN(arguments_parse(&command_stop, argc, argv, &arguments));
  TRY_RETURN(need_run(&command_stop, &arguments, 0, &run));
  /* where the system knows no locks, nobody can tell: then it is asked */
  if (status_held(run.path, &held) == OK && !held)
    return status_set(ERR_RUN, "%s is not running: there is nothing to stop", run.path);
  TRY_RETURN(run_path(&run, path, sizeof path, "stop"));
  TRY_RETURN(file_write_whole(path, "", 0));
  printf("asked %s to finish its tick, save and end\n", run.path);
  return OK;
}

const Command command_stop = {
    "stop",
    "RUN",
    "asks a running job to finish its tick, save and exit 0",
    "It leaves a file 'stop' in the folder; the job looks for it twice a second and removes "
    "it. Where no job runs: exit "
    "code 3.",
    NULL,
    0,
    run_stop};

/* --- status --- */

/* A bar of `width` characters, full to `share`, in plain ASCII as this goes to log files too. */
static void print_bar(double share, int width) {
  putchar('[');
  for (int i = 0; i < width; i++)
    putchar(i < share * width ? '#' : '.');
  putchar(']');
}

/* One player of a team's table; frames "-": it needs no training. */
static void print_earned(const char *who, const char *frames, json_t *evaluation) {
  char earned[96];
  const char *name;
  json_t *value;
  printf("%-12s%8s  %-28s", who, frames, status_return(evaluation, earned, sizeof earned));
  json_object_foreach(json_object_get(evaluation, "metrics"), name, value) {
    printf(" %*.3g", status_metric_width(name), json_number_value(value));
  }
  printf("\n");
}

/* Where one team plays: what the players that learn earn, and what there is to compare it with; a
 * column for each of the env's metrics. */
static void print_returns(json_t *root) {
  char frames[16];
  const char *words = status_text(root, "return_is");
  json_t *players = json_object_get(root, "players");
  json_t *first = json_object_get(json_array_get(players, 0), "evaluation");
  size_t index;
  size_t snapshots = 0;
  json_t *player;
  const char *name;
  json_t *value;
  printf("%-12s%8s  %-28s", "player", "frames", "team return [95 %]");
  json_object_foreach(json_object_get(first, "metrics"), name, value) {
    printf(" %*s", status_metric_width(name), name);
  }
  printf("\n");
  json_array_foreach(players, index, player) {
    const bool frozen = json_is_true(json_object_get(player, "frozen"));
    snapshots += frozen;
    if (frozen) continue;
    print_earned(status_text(player, "name"),
                 text_scaled(status_number(player, "frames"), frames, sizeof frames),
                 json_object_get(player, "evaluation"));
  }
  json_object_foreach(json_object_get(root, "baselines"), name, value) {
    print_earned(name, "-", value);
  }
  printf("returns are of the greedy policy%s%s; ", *words ? ", the " : "", words);
  printf("%zu snapshot%s\n", snapshots, snapshots == 1 ? "" : "s");
}

/* What was measured in training episodes of late: the env's metrics and, in general-sum games, how
 * well all fare together. */
static void print_measures(const json_t *root) {
  const char *name;
  json_t *value;
  json_t *measures = json_object_get(root, "measures");
  const char *between = "in training episodes: ";
  json_object_foreach(measures, name, value) {
    printf("%s%s %.4g", between, name, json_number_value(value));
    between = ", ";
  }
  if (json_object_size(measures)) printf("\n");
}

/* The players of a league: all that learn and the newest frozen ones. */
static void print_players(json_t *root) {
  char frames[16];
  size_t index;
  json_t *player;
  json_t *players = json_object_get(root, "players");
  size_t frozen = 0;
  size_t skip = json_array_size(players) > 16 ? json_array_size(players) - 16 : 0;
  const json_t *first = json_array_get(players, 0); /* all learn by one algorithm */
  const char *spread = json_object_get(first, "epsilon") ? "epsilon"
                       : json_object_get(first, "noise") ? "noise"
                                                         : "entropy";
  int wide = 28; /* of names; more where sides are in them */
  json_array_foreach(players, index, player) {
    const int length = (int)strlen(status_text(player, "name"));
    if (length > wide) wide = length;
  }
  const bool earns = json_is_true(json_object_get(root, "general_sum"));
  printf("%-*s %10s %7s %8s\n", wide, "player", "frames", earns ? "return" : "score", spread);
  json_array_foreach(players, index, player) {
    bool still = json_is_true(json_object_get(player, "frozen"));
    if (still && frozen++ < skip) continue;
    const json_t *score = earns ? json_object_get(json_object_get(player, "return"), "mean")
                                : json_object_get(player, "score");
    printf("%-*s %10s", wide, status_text(player, "name"),
           text_scaled(status_number(player, "frames"), frames, sizeof frames));
    if (json_is_number(score))
      printf(earns ? " %7.4g" : " %7.3f", json_number_value(score));
    else
      printf(" %7s", "-");
    if (still)
      printf(" %8s\n", "frozen");
    else
      printf(" %8.3f\n", status_number(player, spread));
  }
  if (skip) printf("(%zu older frozen players are not shown)\n", skip);
  print_measures(root);
}

/* Where the curriculum stands, if there is one. */
static void print_stage(const json_t *curriculum) {
  char since[16];
  if (!json_is_object(curriculum)) return;
  const json_t *began = json_object_get(curriculum, "began");
  const json_t *last = json_array_get(began, json_array_size(began) - 1);
  const json_t *measured = json_object_get(curriculum, "measured");
  printf("curriculum: stage %.0f of %.0f (%s), since %s frames", status_number(curriculum, "stage"),
         status_number(curriculum, "stages"), status_text(curriculum, "is"),
         text_scaled(json_number_value(last), since, sizeof since));
  if (json_is_number(measured))
    printf("; %s %.4g", status_text(curriculum, "measure"), json_number_value(measured));
  printf("\n\n");
}

/* The run's state, its counters, and its players: all that learn and the newest frozen ones.
 * Warnings come last, where they are seen. */
static void print_status(const RunFolder *run, json_t *root) {
  char a[16];
  char b[40];
  char c[16];
  char left[24];
  double frames = status_number(root, "frames");
  double target = status_number(root, "frames_target");
  double sps = status_number(root, "sps");
  const double silent = status_silence(run->path);
  printf("%s: %s", run->path, status_state(run->path, root));
  if (silent > 0)
    printf(", but no sign of life for %s: a rank, its host or a game hangs, or the job is stopped",
           text_duration(silent, left, sizeof left));
  printf("\n");
  print_bar(target > 0 ? frames / target : 0, 40);
  printf(" %s frames, %s frames/s", text_done(frames, target, b, sizeof b),
         sps > 0 ? text_scaled(sps, c, sizeof c) : "n/a");
  if (sps > 0 && frames < target && silent <= 0)
    printf(", %s to go", text_duration((target - frames) / sps, left, sizeof left));
  printf("\ntick %.0f, %.0f s, %s episodes, checkpoint %06.0f, %.0f learner%s, %.0f actor%s\n\n",
         status_number(root, "tick"), status_number(root, "seconds"),
         text_scaled(status_number(root, "episodes"), a, sizeof a),
         status_number(root, "checkpoint"), status_number(root, "learners"),
         status_number(root, "learners") == 1 ? "" : "s", status_number(root, "actors"),
         status_number(root, "actors") == 1 ? "" : "s");
  const double unsaved = status_number(root, "unsaved_seconds");
  if (unsaved > 0)
    printf("NOT SAVED for %s: the disk refuses; it is tried again (checkpoint.patience)\n\n",
           text_duration(unsaved, left, sizeof left));
  print_stage(json_object_get(root, "curriculum"));
  if (status_number(root, "teams") == 1)
    print_returns(root);
  else
    print_players(root);
  size_t index;
  json_t *warning;
  json_array_foreach(json_object_get(root, "warnings"), index, warning) {
    if (json_is_string(warning))
      printf("%swarning: %s\n", index ? "" : "\n", json_string_value(warning));
  }
}

static const Flag status_flags[] = {
    {"--json", NULL, "print status.json, with its present state and for how long it is silent"}};

/* Prints status.json, which the job replaces whole from time to time: it is not disturbed. What the
 * run is doing now is added by who looks, as a job that was killed could not say so. */
static Status run_status(int argc, char **argv) {
  Arguments arguments;
  RunFolder run;
  json_t *root;
  TRY_RETURN(arguments_parse(&command_status, argc, argv, &arguments));
  TRY_RETURN(need_run(&command_status, &arguments, 0, &run));
  TRY_RETURN(status_load(run.path, &root));
  if (argument(&command_status, &arguments, "--json")) {
    json_object_set_new(root, "state", json_string(status_state(run.path, root)));
    json_object_set_new(root, "silent_seconds", json_real(status_silence(run.path)));
    json_dumpf(root, stdout, JSON_INDENT(1));
    printf("\n");
  } else {
    print_status(&run, root);
  }
  json_decref(root);
  return OK;
}

const Command command_status = {"status",  "RUN [--json]", "how far a run is, once",
                                NULL,      status_flags,   COUNT_OF(status_flags),
                                run_status};

/* --- checkpoint --- */

/* The checkpoint file itself, or the newest one of a run. */
static Status find_checkpoint(const char *word, char *path, size_t size) {
  uint64_t *list;
  size_t count;
  size_t length = strlen(word);
  if (length > 3 && !strcmp(word + length - 3, ".h5")) return text_format(path, size, "%s", word);
  RunFolder run;
  TRY_RETURN(run_open(word, &run));
  TRY_RETURN(run_generations(&run, &list, &count));
  Status status =
      text_format(path, size, "%s/checkpoints/%06llu.h5", word, (unsigned long long)list[0]);
  free(list);
  return status;
}

/* The copy of a guest's file; other guests have none. */
static Status verify_guest(const char *file, const char *want) {
  char *bytes;
  size_t size;
  char text[HASH_TEXT];
  if (!*file) return OK;
  TRY_RETURN(file_read(file, &bytes, &size));
  hash_text(hash_bytes(bytes, size), text);
  free(bytes);
  if (!strcmp(text, want)) return OK;
  return status_set(ERR_FORMAT, "%s: it is not the file that the checkpoint names", file);
}

/* Checks a checkpoint, which has been read whole, and every frozen player's file that it names: the
 * policy in it must have the hash that the checkpoint has for it. ERR_FORMAT names the first file
 * that is not as it was. The folder of players lies beside that of checkpoints. */
static Status verify(const char *path, const Tree *tree) {
  const Item *name;
  const Item *frozen;
  const Item *hash;
  const Item *policy;
  const Item *guest = NULL;
  const Item *reason;
  char folder[PATH_MAX];
  char file[PATH_MAX];
  char text[HASH_TEXT];
  size_t good = 0;
  size_t lost = 0;
  TRY_RETURN(tree_get(tree, "league/name", STORE_TEXT, -1, &name));
  TRY_RETURN(tree_get(tree, "league/frozen", STORE_U32, (int64_t)name->count, &frozen));
  TRY_RETURN(tree_get(tree, "league/hash", STORE_TEXT, (int64_t)name->count, &hash));
  TRY_RETURN(tree_get(tree, "league/reason", STORE_TEXT, (int64_t)name->count, &reason));
  if (tree_find(tree, "league/guest"))
    TRY_RETURN(tree_get(tree, "league/guest", STORE_TEXT, (int64_t)name->count, &guest));
  TRY_RETURN(text_format(folder, sizeof folder, "%s", path));
  for (int up = 0; up < 2; up++) {
    char *slash = strrchr(folder, '/');
    if (slash)
      *slash = 0;
    else
      snprintf(folder, sizeof folder, "..");
  }
  for (size_t i = 0; i < name->count; i++) {
    if (!((uint32_t *)frozen->data)[i]) continue;
    const char *who = (char *)name->data + i * name->size;
    const char *want = (char *)hash->data + i * hash->size;
    const char *what = guest ? (char *)guest->data + i * guest->size : "";
    Tree player;
    TRY_RETURN(run_frozen_path(folder, who, want, what, file, sizeof file));
    if (*what) {
      TRY_RETURN(verify_guest(file, want));
      good += *file != 0;
      continue;
    }
    if (!strcmp((char *)reason->data + i * reason->size, "lost")) { /* the league knows */
      lost++;
      continue;
    }
    TRY_RETURN(store_read(file, "player", &player));
    Status status = tree_get(&player, "policy", STORE_F32, -1, &policy);
    if (status == OK) {
      hash_text(hash_bytes(policy->data, policy->count * policy->size), text);
      if (strcmp(text, want))
        status =
            status_set(ERR_FORMAT, "%s: its policy is not the one that the checkpoint names", file);
    }
    tree_free(&player);
    TRY_RETURN(status);
    good++;
  }
  Status sums = ledger_check(tree);
  if (sums != OK) return status_context(sums, "%s", path);
  printf("%s is whole: %zu datasets and attributes, and %zu player files", path, tree->items, good);
  if (lost) printf("; %zu player%s lost", lost, lost == 1 ? " is" : "s are");
  printf("\n");
  return OK;
}

/* Marks frozen players lost whose files are missing or damaged, and found whose files are back, in
 * a new generation, as a resumed job would do by itself. dry: only says what it would do. */
static Status repair(const char *folder, bool dry) {
  Status status = OK;
  Edit *edit = NULL;
  uint64_t generation = 0;
  size_t lost;
  size_t found;
  TRY(edit_open(folder, &edit));
  const size_t already = edit_league(edit)->changes;
  TRY(lost_look(edit_league(edit), folder, &lost, &found));
  if (lost + found == 0) {
    printf("%s: every frozen player's file is as it was: nothing is to be done\n", folder);
    goto done;
  }
  if (dry) {
    printf("%s: %zu would be marked lost, %zu found; nothing was written\n", folder, lost, found);
    goto done;
  }
  TRY(lost_mark(edit, folder));
  TRY(edit_finish(edit));
  TRY(edit_write(edit, &generation));
  for (size_t i = already; i < edit_league(edit)->changes; i++)
    printf("%s\n", edit_league(edit)->change[i].what);
  printf("%s: checkpoint %06llu; the generation before it is kept\n", folder,
         (unsigned long long)generation);
done:
  edit_close(edit);
  return status;
}

/* info lists what the file holds; verify reads it and all players it names against their
 * checksums. */
static Status run_checkpoint(int argc, char **argv) {
  static const char *const type[] = {"f32", "f64", "i32", "u32", "u64", "u8", "text"};
  Arguments arguments;
  char path[PATH_MAX];
  Tree tree;
  TRY_RETURN(arguments_parse(&command_checkpoint, argc, argv, &arguments));
  const char *what = arguments.words ? arguments.word[0] : "";
  const bool repairs = !strcmp(what, "repair");
  const bool dry = argument(&command_checkpoint, &arguments, "--dry-run") != NULL;
  if (arguments.words != 2 || (strcmp(what, "info") && strcmp(what, "verify") && !repairs))
    return usage_error(&command_checkpoint,
                       "info or verify, and a run or a checkpoint file; or repair and a run");
  if (dry && !repairs) return usage_error(&command_checkpoint, "--dry-run goes with repair");
  if (repairs) return repair(arguments.word[1], dry);
  TRY_RETURN(find_checkpoint(arguments.word[1], path, sizeof path));
  TRY_RETURN(store_read(path, "checkpoint", &tree));
  Status status = OK;
  if (!strcmp(what, "verify")) {
    status = verify(path, &tree);
  } else {
    printf("%s\n", path);
    for (size_t i = 0; i < tree.items; i++) {
      const Item *item = &tree.item[i];
      printf("  %-44s %-5s %zu", item->path, type[item->type], item->count);
      if (item->width != 1) printf(" x %zu", item->width);
      if (item->type == STORE_TEXT && item->path[0] == '@') printf("  %s", (char *)item->data);
      printf("\n");
    }
  }
  tree_free(&tree);
  return status;
}

static const Flag checkpoint_flags[] = {{"--dry-run", NULL, "repair: only say what would be done"}};

const Command command_checkpoint = {
    "checkpoint",
    "info|verify RUN|FILE.h5, repair RUN [--dry-run]",
    "what is in a checkpoint, whether it and its player files are whole, and a league without "
    "those that are not",
    "repair marks frozen players lost whose files are missing or damaged (agon train does so when "
    "it goes on): nobody meets them any more, and what they have played stays. Once a file is "
    "back, its player is found again.",
    checkpoint_flags,
    COUNT_OF(checkpoint_flags),
    run_checkpoint};

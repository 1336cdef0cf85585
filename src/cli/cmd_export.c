/* agon export: a player as a file that other programs can use. */
#include "base/file.h"
#include "base/text.h"
#include "cli/board.h"
#include "export/c_source.h"
#include "export/examples.h"
#include "export/export.h"
#include "export/onnx.h"
#include "job/plugin.h"
#include "job/strength.h"
#include "nn/kernels/openblas.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const Command command_export;

#define FORMATS "agon|npz|safetensors|onnx|c"
/* How far the numbers of a C file may lead from the player's own, in positions of its play. */
#define MOST_APART 6e-6
/* Positions for that, and others by which numbers are rounded. */
enum { LOOKED_AT = 1000, ROUNDED_BY = 4000 };

static const Flag export_flags[] = {
    {"--player", "P", "who (default the first main)"},
    {"--format", "F", FORMATS " (default: by the end of the output's name, else agon)"},
    {"--output", "FILE", "where to (default PLAYER.FORMAT, here)"},
    {"--examples", "N",
     "also N positions of play with what the player does in them, into FILE.examples.npz: for "
     "testing what reads the file"},
    {"--characters", "N",
     "of C: what a number of a matrix takes, 3, 4, or 5, which hold every float (default: as few "
     "as "
     "do no harm that shows)"},
    {"--seed", "N", "of these positions (default 1)"},
    {"--licence", "TEXT", "under which the weights may be used, for the metadata"},
    ACCEPT_ENV_FLAG,
};

/* What the command line asks for. */
typedef struct Wish {
  const char *format;
  char player[PLAYER_NAME + PATH_MAX];
  char path[PATH_MAX];
  long long examples;
  long long seed;
  long long characters; /* 0: not said */
  const char *licence;
} Wish;

/* --- what is known of the player besides its network --- */

/* Who it is a copy of, and whose copy that was. */
static json_t *lineage_of(const League *league, int64_t id) {
  json_t *list = json_array();
  for (size_t i = 0; id >= 0 && (size_t)id < league->players && i < league->players; i++) {
    static const char *const roles[] = {"main", "main_exploiter", "league_exploiter", "guest"};
    const Player *player = &league->player[id];
    json_t *entry =
        json_pack("{s:s,s:s,s:I,s:b}", "player", player->name, "role", roles[player->role],
                  "frames", (json_int_t)player->frames, "frozen", player->frozen);
    if (player->frozen && player->reason[0])
      json_object_set_new(entry, "reason", json_string(player->reason));
    json_array_append_new(list, entry);
    id = player->parent;
  }
  return list;
}

/* Its rating with the interval, as agon rate has it; nothing where no games tell it. */
static Status add_rating(const RunView *run, int64_t id, json_t *facts) {
  const StrengthOptions options = {.prior = STRENGTH_PRIOR, .ratings_only = true};
  Strength strength;
  TRY_RETURN(strength_create(&run->league, run->settings, &run->folder, &options, &strength));
  const Standing *standing = &strength.standing;
  if ((size_t)id < standing->games->players && standing_comparable(standing, (uint32_t)id)) {
    const uint32_t as = standing->as[id];
    const Rated *rated = &standing->rated[as];
    json_t *elo = json_pack("{s:s,s:s,s:f}", "anchor", standing_anchor(standing), "of",
                            standing->games->name[as], "games", rated->games);
    if (rated->bound == 0) json_object_set_new(elo, "elo", json_real(rated->elo));
    if (rated->bound >= 0) json_object_set_new(elo, "low", json_real(rated->low));
    if (rated->bound <= 0) json_object_set_new(elo, "high", json_real(rated->high));
    json_object_set_new(facts, "rating", elo);
  }
  strength_destroy(&strength);
  return OK;
}

/* Of a player of the run itself; of others their files say nothing of the kind. side: 1 + the team
 * that it always plays; 0: any. */
static Status facts_of_player(const RunView *run, const Wish *wish, uint32_t side, json_t *facts) {
  const int64_t id = league_find(&run->league, wish->player);
  if (wish->licence && json_object_set_new(facts, "licence", json_string(wish->licence)) != 0)
    return status_set(ERR_USAGE, "--licence: its text is no UTF-8");
  if (side) json_object_set_new(facts, "side", json_integer((json_int_t)side - 1));
  if (id < 0) return OK;
  json_object_set_new(facts, "algorithm", json_string(run->settings->algo->name));
  json_object_set_new(facts, "precision",
                      json_string(run->settings->run.precision ? "bf16" : "fp32"));
  json_object_set_new(facts, "frames", json_integer((json_int_t)run->league.player[id].frames));
  json_object_set_new(facts, "lineage", lineage_of(&run->league, id));
  return add_rating(run, id, facts);
}

/* --- the command --- */

/* The format that a file's name ends in; NULL: none of them. */
static const char *format_of_name(const char *path) {
  static char name[32];
  const char *dot = path ? strrchr(path, '.') : NULL;
  const int which = dot ? text_choice(FORMATS, dot + 1) : -1;
  return which < 0 ? NULL : text_choice_name(FORMATS, which, name, sizeof name);
}

/* A player's name without the run or folder before it. */
static const char *short_name(const char *player) {
  const char *colon = strrchr(player, ':');
  const char *slash = strrchr(player, '/');
  const char *at = colon > slash ? colon : slash;
  return at ? at + 1 : player;
}

static Status read_wish(const Arguments *arguments, const RunView *run, Wish *out) {
  const Command *command = &command_export;
  const char *player = argument(command, arguments, "--player");
  const char *format = argument(command, arguments, "--format");
  const char *output = argument(command, arguments, "--output");
  *out = (Wish){.licence = argument(command, arguments, "--licence")};
  TRY_RETURN(text_format(out->player, sizeof out->player, "%s",
                         player ? player : league_first_main(&run->league)));
  if (format && text_choice(FORMATS, format) < 0)
    return usage_error(command, "--format is one of " FORMATS);
  out->format = format ? format : format_of_name(output) ? format_of_name(output) : "agon";
  if (output)
    TRY_RETURN(text_format(out->path, sizeof out->path, "%s", output));
  else
    TRY_RETURN(
        text_format(out->path, sizeof out->path, "%s.%s", short_name(out->player), out->format));
  TRY_RETURN(argument_int(command, arguments, "--characters", 0, EXPORT_SHORT, EXPORT_EXACT,
                          &out->characters));
  TRY_RETURN(argument_int(command, arguments, "--examples", 0, 1, 1000000, &out->examples));
  return argument_int(command, arguments, "--seed", 1, 0, LLONG_MAX, &out->seed);
}

static Status write_file(const char *path, const Bytes *bytes, const AgentFile *file) {
  TRY_RETURN(file_write_whole(path, bytes->data, bytes->size));
  printf("%s: %s of %s, %zu parameters, %zu bytes\n", path, file->player, file->env,
         file->parameters, bytes->size);
  return OK;
}

/* The numbers as the file will hold them: in *digits characters, or where that is 0, in as few as
 * do no harm that shows, which *digits is then. */
static Status choose_digits(const ExportSource *source, const Bytes *agent, const AgentFile *file,
                            uint32_t *digits, float *block) {
  Status status = OK;
  Examples shown = {0};
  Examples asked = {0};
  Bytes rounded = {0};
  const uint32_t wanted = *digits;
  double apart = 1;
  TRY(examples_play(source, ROUNDED_BY, 2, &shown));
  TRY(examples_play(source, LOOKED_AT, 1, &asked));
  for (*digits = wanted ? wanted : EXPORT_SHORT;; (*digits)++) {
    bytes_free(&rounded);
    TRY(export_rounded(file, &shown, *digits, block));
    TRY(export_with_numbers(agent, block, file->parameters, &rounded));
    TRY(examples_apart(&asked, &rounded, agent, &apart));
    if (wanted || apart <= MOST_APART || *digits == EXPORT_EXACT) break;
  }
  if (*digits < EXPORT_EXACT)
    printf("numbers in %u characters: at most %.1e apart from the player's in %zu positions\n",
           *digits, apart, asked.rows);
  else
    printf("numbers exactly%s\n", wanted ? "" : ": less would show");
done:
  bytes_free(&rounded);
  examples_free(&shown);
  examples_free(&asked);
  return status;
}

/* FILE.c, and FILE.h beside it. */
static Status write_c(const Wish *wish, const ExportSource *source, const Bytes *agent,
                      const AgentFile *file) {
  Status status = OK;
  Bytes code = {0};
  Bytes header = {0};
  float *block = NULL;
  char stem[PATH_MAX];
  char path[PATH_MAX];
  uint32_t digits = (uint32_t)wish->characters;
  const char *end = strrchr(wish->path, '.');
  const size_t size = end && !strcmp(end, ".c") ? (size_t)(end - wish->path) : strlen(wish->path);
  TRY(text_format(stem, sizeof stem, "%.*s", (int)size, wish->path));
  const char *name = strrchr(stem, '/') ? strrchr(stem, '/') + 1 : stem;
  if (!*name || strpbrk(name, "\"\\\n"))
    TRY(status_set(ERR_USAGE,
                   "'%s' is no name for a C file and its header, which it includes by name", name));
  TRY(NEW_ARRAY(block, file->parameters));
  TRY(choose_digits(source, agent, file, &digits, block));
  TRY(export_c(file, block, digits, name, &code, &header));
  TRY(text_format(path, sizeof path, "%s.h", stem));
  TRY(write_file(path, &header, file));
  TRY(text_format(path, sizeof path, "%s.c", stem));
  TRY(write_file(path, &code, file));
done:
  free(block);
  bytes_free(&code);
  bytes_free(&header);
  return status;
}

static Status write_format(const Wish *wish, const ExportSource *source, const Bytes *agent,
                           const AgentFile *file) {
  Status status = OK;
  Bytes made = {0};
  if (!strcmp(wish->format, "c")) return write_c(wish, source, agent, file);
  if (!strcmp(wish->format, "npz")) TRY(export_npz(file, &made));
  if (!strcmp(wish->format, "safetensors")) TRY(export_safetensors(file, &made));
  if (!strcmp(wish->format, "onnx")) TRY(export_onnx(file, &made));
  TRY(write_file(wish->path, strcmp(wish->format, "agon") ? &made : agent, file));
done:
  bytes_free(&made);
  return status;
}

static Status write_examples(const Wish *wish, const ExportSource *source) {
  Status status = OK;
  Examples examples = {0};
  Bytes bytes = {0};
  char path[PATH_MAX];
  TRY(text_format(path, sizeof path, "%s.examples.npz", wish->path));
  TRY(examples_play(source, (size_t)wish->examples, (uint64_t)wish->seed, &examples));
  TRY(examples_write(source, &examples, &bytes));
  TRY(file_write_whole(path, bytes.data, bytes.size));
  printf("%s: %zu positions of play, and what %s does in them\n", path, examples.rows,
         source->player);
done:
  examples_free(&examples);
  bytes_free(&bytes);
  return status;
}

static Status run_export(int argc, char **argv) {
  Status status = OK;
  Arguments arguments;
  RunView run = {.folder = {.lock = -1}};
  Env *own = NULL;
  const Env *env = NULL;
  Contestant who = {.net = NULL};
  Bytes agent = {0};
  AgentFile file = {.player = NULL};
  Wish wish;
  json_t *facts = json_object();
  TRY(arguments_parse(&command_export, argc, argv, &arguments));
  plugins_accept(argument(&command_export, &arguments, "--accept-env") != NULL);
  gemm_set_threads(1);
  if (arguments.words != 1) TRY(usage_error(&command_export, "name one run"));
  TRY(open_game(&command_export, &arguments, NULL, arguments.word[0], 0, &run, &own, &env));
  TRY(read_wish(&arguments, &run, &wish));
  TRY(run_view_player(wish.player, &run, env, &who));
  if (!who.net)
    TRY(status_set(ERR_USAGE, "%s has no network: only what has learned one can be exported",
                   wish.player));
  TRY(facts_of_player(&run, &wish, who.side, facts));
  const ExportSource source = {&who, short_name(wish.player), env, facts};
  TRY(export_agent(&source, &agent));
  TRY(export_read(&agent, &file));
  TRY(write_format(&wish, &source, &agent, &file));
  if (wish.examples) TRY(write_examples(&wish, &source));
done:
  json_decref(facts);
  format_free(&file);
  bytes_free(&agent);
  contestant_destroy(&who);
  env_destroy(own);
  run_view_close(&run);
  return status;
}

const Command command_export = {
    "export",
    "RUN [--player P] [--format F] [--output FILE] [--examples N]",
    "a player as a file for other programs",
    "Formats:\n"
    "  agon         one file that libagon opens (agon/agent.h): C, C++, what calls C\n"
    "  npz          numpy's: an array for each layer, by PyTorch's names\n"
    "  safetensors  the same for PyTorch and others\n"
    "  onnx         for onnxruntime and others: operators of opset 17\n"
    "  c            one C11 file and its header, which need nothing else\n\n"
    "All hold the layers by name and shape, the normaliser of observations among them, and as "
    "JSON, under `metadata` (of C the header's last comment): the env and the version of its "
    "rules, what the player sees and does, masks, memory, the network step by step, whom it was "
    "trained from, its rating where games tell one, and the licence where --licence says one. With "
    "--examples the file can be tested wherever it is used. src/export/README.md has the formats, "
    "and readers in a few lines.",
    export_flags,
    COUNT_OF(export_flags),
    run_export,
};

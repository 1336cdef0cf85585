/* Changes of a league by hand: each reads the arguments, asks for its change, and writes it down as
 * a new generation of the run. */
#include "cli/league_edit.h"

#include "base/text.h"
#include "job/edit.h"

#include <stdio.h>
#include <string.h>

/* What stands behind the run, and the flags; those that are not there are NULL. */
typedef struct Words {
  const char *first;
  const char *second;
  const char *from;
  const char *role;
  const char *side;
  const char *to;
} Words;

static Status add(Edit *edit, const Words *words) {
  return edit_add(edit, words->first, words->second, words->side, words->from);
}

static Status retire(Edit *edit, const Words *words) {
  return edit_retire_player(edit, words->first);
}

static Status fork_player(Edit *edit, const Words *words) {
  return edit_fork(edit, words->first, words->second, words->role);
}

static Status reset(Edit *edit, const Words *words) {
  return edit_reset(edit, words->first, words->to);
}

static Status rename_player(Edit *edit, const Words *words) {
  return edit_rename_player(edit, words->first, words->second);
}

static Status bring(Edit *edit, const Words *words) {
  return edit_bring(edit, words->first, words->second, words->role);
}

typedef struct Kind {
  const char *name;
  const char *usage;
  size_t least; /* words behind the run */
  size_t most;
  const char *flags; /* that it takes */
  Status (*change)(Edit *edit, const Words *words);
} Kind;

static const Kind kinds[] = {
    {"add", "add RUN ROLE [NAME] [--from PLAYER] [--side SIDE]", 1, 2, "--from --side", add},
    {"retire", "retire RUN PLAYER", 1, 1, "", retire},
    {"fork", "fork RUN PLAYER [NAME] [--role ROLE]", 1, 2, "--role", fork_player},
    {"reset", "reset RUN PLAYER [--to PLAYER|initial]", 1, 1, "--to", reset},
    {"rename", "rename RUN PLAYER NAME", 2, 2, "", rename_player},
    {"import", "import RUN OTHER:PLAYER|FILE.h5 [NAME] [--role ROLE]", 1, 2, "--role", bring},
};

static const Kind *kind_of(const char *word) {
  for (size_t i = 0; i < COUNT_OF(kinds); i++)
    if (!strcmp(kinds[i].name, word)) return &kinds[i];
  return NULL;
}

bool league_edits(const char *word) {
  return kind_of(word) != NULL;
}

/* A flag that would do nothing is a mistake. */
static Status check_flags(const Command *command, const Arguments *arguments, const Kind *kind) {
  static const char *const own[] = {"--from", "--role", "--side", "--to"};
  for (size_t i = 0; i < COUNT_OF(own); i++)
    if (argument(command, arguments, own[i]) && !strstr(kind->flags, own[i]))
      return status_set(ERR_USAGE, "%s has no use for %s: agon league %s", kind->name, own[i],
                        kind->usage);
  return OK;
}

/* What was done, and how to go on. */
static void tell(const Edit *edit, const char *run, uint64_t generation) {
  char word[4200];
  char lost[80] = "";
  const League *league = edit_league(edit);
  const unsigned long long abandoned = edit_abandoned(edit);
  if (abandoned)
    snprintf(lost, sizeof lost, ", %llu unfinished game%s of it abandoned", abandoned,
             abandoned == 1 ? "" : "s");
  printf("%s: %s%s; checkpoint %06llu, %zu of %zu players learn\n", run,
         league->change[league->changes - 1].what, lost, (unsigned long long)generation,
         league->learning, league->players);
  printf("the generation before it is kept; go on with: agon train %s\n",
         text_quoted(run, word, sizeof word));
}

Status league_edit(const Command *command, const Arguments *arguments) {
  Status status = OK;
  Edit *edit = NULL;
  uint64_t generation;
  const Kind *kind = kind_of(arguments->word[0]);
  const char *const run = arguments->words > 1 ? arguments->word[1] : NULL;
  const size_t words = arguments->words < 2 ? 0 : arguments->words - 2;
  if (!run || words < kind->least || words > kind->most) return usage_error(command, kind->usage);
  TRY(check_flags(command, arguments, kind));
  const Words given = {
      .first = arguments->word[2],
      .second = words > 1 ? arguments->word[3] : NULL,
      .from = argument(command, arguments, "--from"),
      .role = argument(command, arguments, "--role"),
      .side = argument(command, arguments, "--side"),
      .to = argument(command, arguments, "--to"),
  };
  TRY(edit_open(run, &edit));
  TRY(kind->change(edit, &given));
  TRY(edit_finish(edit));
  TRY(edit_write(edit, &generation));
  tell(edit, run, generation);
done:
  edit_close(edit);
  return status;
}

#include "cli/board.h"
#include "cli/option_words.h"

#include <stdio.h>
#include <string.h>

/* Where an env is named the caller owns *own; else *loaded holds the run, and the env is the run's.
 * ERR_USAGE where neither is named. */
Status open_game(const Command *command, const Arguments *arguments, const char *env,
                 const char *run, size_t first_option, RunView *loaded, Env **own,
                 const Env **out) {
  if (env) {
    TRY_RETURN(
        option_words_check(arguments->word + first_option, arguments->words - first_option, env));
    TRY_RETURN(
        env_create_from(env, arguments->word + first_option, arguments->words - first_option, own));
    *out = *own;
    return OK;
  }
  if (!run) return usage_error(command, "a run, or --env ENV, is needed");
  TRY_RETURN(run_view_open(run, loaded));
  *out = loaded->settings->env;
  return OK;
}

/* A picture that is a board: cells borrowed from it, and their sizes. */
typedef struct Board {
  const char *cells; /* rows of `columns` characters and a line's end */
  size_t rows;
  size_t columns;
  size_t stride; /* characters of a row with its line's end */
  int width;     /* of a cell on the screen, without the space before it */
  bool sides; /* nothing but x and o: two sides' pieces, which have signs of their own in Unicode */
} Board;

/* A board has at least two lines, all of one length, of pieces and dots alone: no spaces, no
 * digits. */
static bool is_board(const char *picture, Board *out) {
  size_t columns = strcspn(picture, "\n");
  size_t rows = 0;
  bool sides = true;
  for (const char *at = picture; *at; rows++) {
    size_t size = strcspn(at, "\n");
    if (size != columns || size < 2 || at[size] != '\n') return false;
    for (size_t i = 0; i < size; i++) {
      bool letter = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z');
      if (!letter && !strchr(".#*+-", at[i])) return false;
      sides &= strchr(".xoXO", at[i]) != NULL;
    }
    at += size + 1;
  }
  *out = (Board){picture, rows, columns, columns + 1, 1, sides};
  return rows >= 2;
}

/* The upper or lower edge of a board's frame, as wide as its cells with a space before each and one
 * at the end. */
static void put_rule(const Board *board, const char *indent, const char *left, const char *line,
                     const char *right) {
  printf("%s%s", indent, left);
  for (size_t i = 0; i < board->columns * ((size_t)board->width + 1) + 1; i++)
    printf("%s", line);
  printf("%s\n", right);
}

/* The sign of a cell. Returned text is valid until the next call. */
static const char *piece(char cell, bool unicode) {
  static char plain[2];
  plain[0] = cell;
  if (!unicode) return plain;
  switch (cell) {
  case 'x':
  case 'X': return "✕";
  case 'o':
  case 'O': return "○";
  case '.': return "·";
  default: return plain;
  }
}

/* The longest of an env's action names, of head 0. */
static int longest_name(const Env *env) {
  char name[64];
  int most = 0;
  for (uint32_t i = 0; i < env->layout.head_size[0]; i++) {
    int size = (int)strlen(position_action_text(env, 0, i, name, sizeof name));
    most = size > most ? size : most;
  }
  return most;
}

/* Draws the frame, the pieces, and the words of the moves that may be played: in the empty cells
 * where actions are cells, below the board where they are columns. Names that are too long to fit
 * are left out. */
static void show_board(const Position *position, Board *board, const char *indent, bool unicode) {
  const Env *env = position->env;
  const char *side = unicode ? "│" : "|";
  bool discrete = env->layout.action_kind == AGON_DISCRETE;
  uint32_t actions = discrete ? env->action_count : 0;
  uint32_t agent = 0;
  bool by_cell = actions == board->rows * board->columns;
  bool by_column = actions == board->columns;
  bool asked = position->status == AGON_RUNNING && position_actor(position, &agent);
  char name[64];
  if (by_cell || by_column) board->width = longest_name(env);
  if (board->width > 4) { /* such names would tear the board apart */
    by_cell = false;
    by_column = false;
    board->width = 1;
  }
  /* Only moves that are possible now are offered in the cells. */
  if (by_cell && asked) env_mask(env, position->episode, agent, position->mask);
  if (unicode) put_rule(board, indent, "┌", "─", "┐");
  if (!unicode) put_rule(board, indent, "+", "-", "+");
  for (size_t y = 0; y < board->rows; y++) {
    printf("%s%s", indent, side);
    for (size_t x = 0; x < board->columns; x++) {
      char cell = board->cells[y * board->stride + x];
      uint32_t action = (uint32_t)(y * board->columns + x);
      if (by_cell && asked && cell == '.' && position->mask[action])
        printf(" %*s", board->width, position_action_text(env, 0, action, name, sizeof name));
      else
        printf(" %*s%s", board->width - 1, "",
               piece(cell, unicode && (board->sides || cell == '.')));
    }
    printf(" %s\n", side);
  }
  if (unicode) put_rule(board, indent, "└", "─", "┘");
  if (!unicode) put_rule(board, indent, "+", "-", "+");
  if (!by_column) return;
  printf("%s ", indent);
  for (uint32_t i = 0; i < actions; i++)
    printf(" %*s", board->width, position_action_text(env, 0, i, name, sizeof name));
  printf("\n");
}

/* A map: its first lines, at least four, are all of one length of at least eight, without spaces.
 * Returns how many there are; 0: it is none. */
static size_t map_rows(const char *picture, size_t *columns) {
  size_t rows = 0;
  *columns = strcspn(picture, "\n");
  if (*columns < 8) return 0;
  for (const char *at = picture; *at; rows++) {
    const size_t size = strcspn(at, "\n");
    if (size != *columns || at[size] != '\n' || memchr(at, ' ', size)) break;
    at += size + 1;
  }
  return rows >= 4 ? rows : 0;
}

/* A map gets a frame, and its empty places stay empty: things are seen better so than among dots.
 * Returns what stands below it. */
static const char *show_map(const char *picture, size_t rows, size_t columns, const char *indent,
                            bool unicode) {
  const char *side = unicode ? "│" : "|";
  const Board edge = {.columns = columns, .width = 0};
  if (unicode) put_rule(&edge, indent, "┌", "─", "┐");
  if (!unicode) put_rule(&edge, indent, "+", "-", "+");
  for (size_t y = 0; y < rows; y++, picture += columns + 1) {
    printf("%s%s ", indent, side);
    for (size_t x = 0; x < columns; x++)
      putchar(picture[x] == '.' ? ' ' : picture[x]);
    printf("%s\n", side);
  }
  if (unicode) put_rule(&edge, indent, "└", "─", "┘");
  if (!unicode) put_rule(&edge, indent, "+", "-", "+");
  return picture;
}

/* An env without a picture shows nothing; a picture that is no board is shown as it is. */
void board_show(const Position *position, const char *indent, bool unicode) {
  char picture[4096] = "";
  Board board;
  if (!position->env->table->render) return;
  position->env->table->render(position->env->params, position->episode, picture, sizeof picture);
  if (is_board(picture, &board)) {
    show_board(position, &board, indent, unicode);
    return;
  }
  size_t columns;
  const size_t rows = map_rows(picture, &columns);
  const char *rest = rows ? show_map(picture, rows, columns, indent, unicode) : picture;
  for (const char *line = rest; *line;) {
    size_t size = strcspn(line, "\n");
    printf("%s%.*s\n", indent, (int)size, line);
    line += size + (line[size] == '\n');
  }
}

double board_team_return(const Position *position) {
  double sum = 0;
  for (uint32_t a = 0; a < position->env->spec.agents; a++)
    sum += position->returns[a];
  return sum / position->env->spec.agents;
}

const char *board_returns_text(const Position *position, char *out, size_t size) {
  const AgonEnvSpec *spec = &position->env->spec;
  const GameFacts facts = {.teams = spec->teams, .agents = spec->agents};
  const ReturnTold told = facts_told(&facts, (spec->flags & AGON_RETURNS_ADD) != 0);
  snprintf(out, size, "%.4g%s%s", told.factor * board_team_return(position),
           *told.words ? ", " : "", told.words);
  return out;
}

/* Rewards that are alike are told once; of many agents, those of the first. */
void board_show_gains(const Position *position, const char *indent) {
  enum { SHOWN = 8 };
  const uint32_t agents = position->env->spec.agents;
  const float *reward = position->reward;
  char so_far[96];
  bool alike = true;
  if (position->env->spec.teams != 1) return;
  for (uint32_t a = 1; a < agents; a++)
    alike &= !memcmp(&reward[a], &reward[0], sizeof *reward);
  printf("%sreward%s", indent, agents > 1 && !alike ? "s" : "");
  for (uint32_t a = 0; a < agents && a < (alike ? 1 : SHOWN); a++)
    printf(" %.3g", (double)reward[a]);
  printf("%s%s; the team's return so far %s\n", agents > 1 && alike ? " each" : "",
         !alike && agents > SHOWN ? " ..." : "",
         board_returns_text(position, so_far, sizeof so_far));
}

/* What one agent sees: its row by the env's names, or as numbers. */
void board_show_view(const Position *position, uint32_t agent) {
  const Env *env = position->env;
  float row[4096];
  if (env->observation_count > COUNT_OF(row)) return;
  env_observe_f32(env, position->episode, agent, row);
  printf("  you see:");
  for (uint32_t i = 0; i < env->observation_count; i++) {
    const char *name =
        env->table->observation_name ? env->table->observation_name(env->params, i) : NULL;
    if (row[i] <= 0 && row[i] >= 0) continue;
    if (name && row[i] == 1.0f)
      printf(" %s;", name);
    else if (name)
      printf(" %s %g;", name, (double)row[i]);
    else
      printf(" [%u] %g", i, (double)row[i]);
  }
  printf("\n");
}

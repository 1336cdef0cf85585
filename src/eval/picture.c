#include "eval/picture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest picture that an env may draw: a map of 64 by 64 cells takes 4 KiB of it. */
enum { PICTURE = 1 << 15 };
/* A map of so many columns is drawn as a board is, with a space before each cell; a wider one
 * would not fit on a screen so. */
enum { SPACED = 30 };

/* Where a picture goes, and how it may be drawn. */
typedef struct Canvas {
  Bytes *out;
  const char *indent;
  bool unicode;
} Canvas;

static void put(const Canvas *canvas, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Appends text; what is put at once is short. */
static void put(const Canvas *canvas, const char *format, ...) {
  char text[512];
  va_list list;
  va_start(list, format);
  const int size = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (size > 0)
    bytes_put(canvas->out, text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
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

/* The upper or lower edge of a frame around `cells` columns. */
static void put_edge(const Canvas *canvas, size_t cells, bool upper) {
  const bool unicode = canvas->unicode;
  put(canvas, "%s%s", canvas->indent, !unicode ? "+" : upper ? "┌" : "└");
  for (size_t i = 0; i < cells; i++)
    put(canvas, "%s", unicode ? "─" : "-");
  put(canvas, "%s\n", !unicode ? "+" : upper ? "┐" : "┘");
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
static void put_board(const Canvas *canvas, const Position *position, Board *board) {
  const Env *env = position->env;
  const char *side = canvas->unicode ? "│" : "|";
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
  const size_t edge = board->columns * ((size_t)board->width + 1) + 1;
  /* Only moves that are possible now are offered in the cells. */
  if (by_cell && asked) env_mask(env, position->episode, agent, position->mask);
  put_edge(canvas, edge, true);
  for (size_t y = 0; y < board->rows; y++) {
    put(canvas, "%s%s", canvas->indent, side);
    for (size_t x = 0; x < board->columns; x++) {
      char cell = board->cells[y * board->stride + x];
      uint32_t action = (uint32_t)(y * board->columns + x);
      if (by_cell && asked && cell == '.' && position->mask[action])
        put(canvas, " %*s", board->width, position_action_text(env, 0, action, name, sizeof name));
      else
        put(canvas, " %*s%s", board->width - 1, "",
            piece(cell, canvas->unicode && (board->sides || cell == '.')));
    }
    put(canvas, " %s\n", side);
  }
  put_edge(canvas, edge, false);
  if (!by_column) return;
  put(canvas, "%s ", canvas->indent);
  for (uint32_t i = 0; i < actions; i++)
    put(canvas, " %*s", board->width, position_action_text(env, 0, i, name, sizeof name));
  put(canvas, "\n");
}

/* A map: its first lines, at least four, are all of one length of at least six, without spaces.
 * Returns how many there are; 0: it is none. */
static size_t map_rows(const char *picture, size_t *columns) {
  size_t rows = 0;
  *columns = strcspn(picture, "\n");
  if (*columns < 6) return 0;
  for (const char *at = picture; *at; rows++) {
    const size_t size = strcspn(at, "\n");
    if (size != *columns || at[size] != '\n' || memchr(at, ' ', size)) break;
    at += size + 1;
  }
  return rows >= 4 ? rows : 0;
}

/* A map gets a frame, and the empty places of a wide one stay empty: things are seen better so than
 * among dots. Returns what stands below it. */
static const char *put_map(const Canvas *canvas, const char *picture, size_t rows, size_t columns) {
  const char *side = canvas->unicode ? "│" : "|";
  const bool spaced = columns <= SPACED;
  const size_t edge = spaced ? 2 * columns + 1 : columns + 1;
  put_edge(canvas, edge, true);
  for (size_t y = 0; y < rows; y++, picture += columns + 1) {
    put(canvas, "%s%s%s", canvas->indent, side, spaced ? "" : " ");
    for (size_t x = 0; x < columns; x++) {
      const char cell = picture[x];
      if (spaced)
        put(canvas, " %s", cell == '.' ? piece(cell, canvas->unicode) : piece(cell, false));
      else
        put(canvas, "%c", cell == '.' ? ' ' : cell);
    }
    put(canvas, "%s%s\n", spaced ? " " : "", side);
  }
  put_edge(canvas, edge, false);
  return picture;
}

/* How much of a line stands in the first of several that it is broken into: whole words. What has
 * two spaces in a row is a row of cells, which is not broken. */
static size_t broken_at(const char *line, size_t size, size_t room) {
  size_t at = room;
  if (size <= room) return size;
  for (size_t i = 0; i + 1 < size; i++)
    if (line[i] == ' ' && line[i + 1] == ' ') return size;
  while (at > 0 && line[at] != ' ')
    at--;
  return at > 0 ? at : size;
}

/* A line of text, in several where it is too long for one. Its own spaces in front are its indent,
 * and what goes on has two more. */
static void put_line(const Canvas *canvas, const char *line, size_t size, size_t width) {
  const size_t own = strspn(line, " ");
  const size_t used = strlen(canvas->indent) + own;
  const size_t room = width > used + 2 ? width - used - 2 : size;
  const char *at = line + own;
  size_t left = own < size ? size - own : 0;
  bool first = true;
  do {
    const size_t part = width ? broken_at(at, left, room) : left;
    put(canvas, "%s%*s", canvas->indent, (int)(first ? own : own + 2), "");
    bytes_put(canvas->out, at, part);
    bytes_u8(canvas->out, '\n');
    const size_t taken = part + (part < left); /* the space where it was broken */
    at += taken;
    left -= taken;
    first = false;
  } while (left > 0);
}

/* A picture that is neither board nor map is shown as it is, and so is what stands below a map. */
Status picture_put(const Position *position, const char *indent, bool unicode, size_t width,
                   Bytes *out) {
  const Canvas canvas = {out, indent, unicode};
  Board board;
  size_t columns;
  char *picture;
  if (!position->env->table->render) return OK;
  TRY_RETURN(NEW_ARRAY(picture, PICTURE));
  position->env->table->render(position->env->params, position->episode, picture, PICTURE);
  if (is_board(picture, &board)) {
    put_board(&canvas, position, &board);
  } else {
    const size_t rows = map_rows(picture, &columns);
    const char *rest = rows ? put_map(&canvas, picture, rows, columns) : picture;
    for (const char *line = rest; *line;) {
      const size_t size = strcspn(line, "\n");
      put_line(&canvas, line, size, width);
      line += size + (line[size] == '\n');
    }
  }
  free(picture);
  return out->failed ? status_set(ERR_MEMORY, "out of memory drawing a picture") : OK;
}

/* Who beats whom: the heat map of the report. */
#include "report/report.h"

#include "meta/meta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  CELLS = 44,          /* rows and columns at most, but for many short lines */
  LINES_IN_COLOUR = 8, /* more lines than colours: players go by their full names */
  LABEL = 2 * PLAYER_NAME + 8,
  LEGIBLE = 20 /* side of a cell that has room for its number */
};

/* Players that share a row and a column: one, or neighbours in age of one line. */
typedef struct Group {
  size_t first, count; /* of r->order */
} Group;

/* The heat map being drawn. */
typedef struct Map {
  Report *r;
  Group group[2 * CELLS + 1];
  size_t count;
  /* Whose rows and columns there are, by the number of their group: all; or, where sides are
   * separate, those of one and of the other, as players of one never meet. */
  size_t row[2 * CELLS + 1], column[2 * CELLS + 1];
  size_t rows, columns;
  double side, left, top; /* of a cell; of the first cell */
  double unit;            /* where margins are the game: the mean return of the strongest colour */
  bool brief;             /* a colour says whose row it is, so that its label is a number */
} Map;

/* Whose line a group belongs to. */
static size_t line_at(const Map *map, const Group *group) {
  return report_line_of(&map->r->run->league, map->r->order[group->first]);
}

/* Cuts the order of players into groups of equal size. Groups never mix lines, unless there are too
 * many lines. */
static void make_groups(Map *map) {
  const Report *r = map->r;
  const League *league = &r->run->league;
  size_t n = league->players;
  const bool sided = league->config.sides == SIDES_SEPARATE;
  /* a table of two sides has two lists of players, each half as long */
  size_t size = (n + CELLS - 1) / CELLS;
  for (size_t i = 0; i < n;) { /* groups never mix lines, unless there are too many lines */
    size_t end = i + 1;
    while (end < n && end - i < size &&
           (report_line_of(league, r->order[end]) == report_line_of(league, r->order[i]) ||
            (!sided && league->learning > CELLS / 2)))
      end++;
    if (map->count == 2 * CELLS) end = n;
    map->group[map->count++] = (Group){i, end - i};
    i = end;
  }
  for (size_t g = 0; g < map->count; g++) {
    const Player *first = &league->player[r->order[map->group[g].first]];
    if (first->side != 2) map->row[map->rows++] = g;
    if (first->side != 1) map->column[map->columns++] = g;
  }
}

/* A group in full, for those who point at a cell. */
static void group_name(const Report *r, const Group *g, char *out, size_t size) {
  const League *league = &r->run->league;
  const char *first = league->player[r->order[g->first]].name;
  const char *last = league->player[r->order[g->first + g->count - 1]].name;
  if (g->count == 1)
    snprintf(out, size, "%s", first);
  else
    snprintf(out, size, "%s ... %s (%zu)", first, last, g->count);
}

/* What a snapshot's name adds to that of its line, without zeros in front: "main_0-000013" is 13.
 * The learning player itself is "now". */
static const char *age_text(const League *league, uint32_t player, char *out, size_t size) {
  const Player *p = &league->player[player];
  const char *line = league->player[report_line_of(league, player)].name;
  size_t length = strlen(line);
  if (!p->frozen)
    snprintf(out, size, "now");
  else if (!strncmp(p->name, line, length) && p->name[length] == '-')
    snprintf(out, size, "%lu", strtoul(p->name + length + 1, NULL, 10));
  else
    snprintf(out, size, "%s", p->name);
  return out;
}

/* A group in short, for the margin: "13", "10-13" or, where names are not brief, the first name and
 * dots. */
static void group_label(const Map *map, const Group *g, char *out, size_t size) {
  const League *league = &map->r->run->league;
  uint32_t first = map->r->order[g->first];
  uint32_t last = map->r->order[g->first + g->count - 1];
  char a[PLAYER_NAME + 1] = "", b[PLAYER_NAME + 1] = "";
  if (map->brief) {
    age_text(league, first, a, sizeof a);
    age_text(league, last, b, sizeof b);
  } else {
    snprintf(a, sizeof a, "%s", league->player[first].name);
    snprintf(b, sizeof b, "%s", league->player[last].name);
  }
  if (g->count == 1)
    snprintf(out, size, "%s", a);
  else if (map->brief)
    snprintf(out, size, "%s\u2013%s", a, b);
  else
    snprintf(out, size, "%.24s \u2026", a);
}

/* All games of one group against another, from the first's side; *independent: see
 * payoff_independent. */
static Tally between(const Report *r, const Group *a, const Group *b, double *independent) {
  Tally sum = {0};
  *independent = 0;
  for (size_t i = 0; i < a->count; i++)
    for (size_t j = 0; j < b->count; j++) {
      double own;
      const Tally t = report_known(r, r->order[a->first + i], r->order[b->first + j], &own);
      tally_add(&sum, &t);
      *independent += own;
    }
  return sum;
}

/* How much colour a cell gets, from none to all, for a strength of -1 .. 1. */
static double depth(double strength) {
  return fmin(fabs(strength) * 0.95 + 0.04, 1);
}

/* The number in a cell, in hundredths, if it has room. */
static void put_number(Map *map, double x, double y, double value, double strength) {
  char text[16];
  snprintf(text, sizeof text, map->r->margins ? "%+.0f" : "%.0f",
           fabs(value) < 0.005 ? 0 : 100 * value);
  if (map->side < LEGIBLE || (double)strlen(text) * 6.4 > map->side) return;
  html_put(&map->r->out, "<text class=%s x=\"%.1f\" y=\"%.1f\">%s</text>",
           depth(strength) > 0.55 ? "s" : "v", x + map->side / 2 - 0.5, y + map->side / 2 + 3.5,
           text);
}

/* The number of a cell, which is a mean return or a score, and in words with its 95 % interval into
 * said[size]. */
static double value_of(const Report *r, const Tally *t, double independent, char *said,
                       size_t size) {
  double mean = t->returns / t->games;
  double score = (t->wins + t->draws / 2) / t->games;
  if (r->margins) {
    double half = 1.959964 * sqrt(fmax(t->squares / t->games - mean * mean, 0) / independent);
    snprintf(said, size, "mean return %+.4f +- %.4f", mean, half);
    return mean;
  }
  double low, high;
  meta_interval(score, independent, &low, &high);
  snprintf(said, size, "%.3f [%.3f, %.3f]", score, low, high);
  return score;
}

/* The square of row i and column j. Three looks: itself, never met, and a number with its
 * colour. */
static void put_cell(Map *map, size_t i, size_t j) {
  Report *r = map->r;
  const Group *row = &map->group[map->row[i]];
  const Group *column = &map->group[map->column[j]];
  double x = map->left + map->side * (double)j;
  double y = map->top + map->side * (double)i;
  double side = map->side - 1;
  char a[160], b[160], said[120];
  double independent;
  Tally t = between(r, row, column, &independent);
  if (row == column && row->count == 1) { /* nobody is judged against itself */
    html_put(&r->out, "<circle class=i cx=\"%.1f\" cy=\"%.1f\" r=1.5 />", x + side / 2,
             y + side / 2);
    return;
  }
  group_name(r, row, a, sizeof a);
  group_name(r, column, b, sizeof b);
  if (t.games < 1) {
    html_put(&r->out,
             "<rect class=z x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s "
             "against %s: never met</title></rect>",
             x, y, side, side, a, b);
    return;
  }
  double value = value_of(r, &t, independent, said, sizeof said);
  double strength = r->margins ? value / map->unit : 2 * value - 1;
  html_put(&r->out,
           "<rect class=%s fill-opacity=\"%.2f\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
           "height=\"%.1f\"><title>%s against %s: %s, %.0f games (+%.0f =%.0f -%.0f)</title>"
           "</rect>",
           strength >= 0 ? "w" : "f", depth(strength), x, y, side, side, a, b, said, t.games,
           t.wins, t.draws, t.losses);
  put_number(map, x, y, value, fmax(fmin(strength, 1), -1));
}

/* The label of row i, and the bar whose colour says whose it is. */
static void put_row_label(Map *map, size_t i) {
  Bytes *out = &map->r->out;
  const Group *g = &map->group[map->row[i]];
  double y = map->top + map->side * (double)i;
  double side = map->side;
  char text[LABEL];
  group_label(map, g, text, sizeof text);
  html_put(out, "<rect class=\"d %s\" x=\"%.1f\" y=\"%.1f\" width=4 height=\"%.1f\"/>",
           report_colour(line_at(map, g)), map->left - 7, y, side - 1);
  if (side < 12) return;
  html_put(out, "<text class=t x=\"%.1f\" y=\"%.1f\" text-anchor=end>%s</text>", map->left - 11,
           y + side / 2 + 3.5, text);
}

/* The same of columns. */
static void put_labels(Map *map, bool upright) {
  Bytes *out = &map->r->out;
  for (size_t i = 0; i < map->rows; i++)
    put_row_label(map, i);
  for (size_t i = 0; i < map->columns; i++) {
    const Group *g = &map->group[map->column[i]];
    double x = map->left + map->side * (double)i;
    double side = map->side;
    char text[LABEL];
    group_label(map, g, text, sizeof text);
    html_put(out, "<rect class=\"d %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=4 />",
             report_colour(line_at(map, g)), x, map->top - 7, side - 1);
    if (side < 12) continue;
    if (upright)
      html_put(out, "<text class=t x=\"%.1f\" y=\"%.1f\" text-anchor=middle>%s</text>",
               x + side / 2 - 0.5, map->top - 12, text);
    else
      html_put(out, "<text class=t transform=\"translate(%.1f %.1f)rotate(-90)\">%s</text>",
               x + side / 2 + 3.5, map->top - 12, text);
  }
}

/* The colour bar: from what loses most to what wins most, and what has no colour because it has no
 * games. */
static void put_scale(Report *r, double unit) {
  enum { STEPS = 11 };
  Bytes *out = &r->out;
  html_put(out, "<svg class=scale viewBox=\"0 0 330 40\" role=img aria-label=\"colour bar\">"
                "<defs><pattern id=never width=5 height=5 patternUnits=userSpaceOnUse "
                "patternTransform=rotate(45)><path class=h d=\"M0 0V5\"/></pattern></defs>");
  for (int i = 0; i < STEPS; i++) {
    double strength = 2.0 * i / (STEPS - 1) - 1;
    html_put(out, "<rect class=%s fill-opacity=\"%.2f\" x=%d y=2 width=18 height=14 />",
             strength >= 0 ? "w" : "f", depth(strength), 8 + 18 * i);
  }
  for (int i = 0; i <= 2; i++) {
    char text[24];
    if (r->margins)
      snprintf(text, sizeof text, "%+.3g", (i - 1) * unit);
    else
      snprintf(text, sizeof text, "%s", i == 0 ? "loses: 0" : i == 1 ? "even: 50" : "wins: 100");
    html_put(out, "<text class=t x=\"%.1f\" y=31 text-anchor=%s>%s</text>",
             i == 0   ? 8.0
             : i == 1 ? 107.0
                      : 206.0,
             i == 0   ? "start"
             : i == 1 ? "middle"
                      : "end",
             r->margins && i == 1 ? "0" : text);
  }
  html_put(out, "<rect class=z x=240 y=2 width=18 height=14 /><text class=t x=263 y=13>never met"
                "</text></svg>");
}

/* What sitting first is worth, over all games of all pairs. */
static void put_seats(Report *r) {
  const Payoff *payoff = &r->run->league.payoff;
  const uint32_t teams = r->run->settings->game.teams;
  const Tally t = payoff_first_seat(payoff);
  const double trained = payoff_trained(payoff);
  const LeagueConfig *config = &r->run->league.config;
  const bool sided = config->sides == SIDES_SEPARATE;
  double low, high;
  if (t.games < 1) return;
  double score = (t.wins + t.draws / 2) / t.games;
  meta_interval(score, payoff_independent(teams, trained, t.games - trained), &low, &high);
  html_put(
      &r->out, "<p id=seats>%s scores %.3f [%.3f, %.3f], mean return %+.4g, over all %.0f games.%s",
      sided ? league_side_name(config, 1) : "The first seat", score, low, high, t.returns / t.games,
      t.games, sided ? "" : " Matchmaking goes by the mean of both seats.");
  if (teams > 2)
    html_put(&r->out,
             " %u teams play: scores compare two of them, and first is which of the two comes "
             "first in turn; a game of training counts once against each opponent, so %u times, "
             "and weighs as one in intervals.",
             teams, teams - 1);
  html_put(&r->out, "</p>");
}

/* Sizes of cells and margins for a small screen, which scrolls; with more room the picture grows.
 * Returns whether the columns are wide enough for their labels to be written upright. */
static bool lay_out(Map *map) {
  size_t longest = 0;
  map->brief = map->r->run->league.learning <= LINES_IN_COLOUR;
  for (size_t i = 0; i < map->count; i++) {
    char text[LABEL];
    size_t size = 0;
    group_label(map, &map->group[i], text, sizeof text);
    for (const char *at = text; *at; at++)
      size += ((unsigned char)*at & 0xC0) != 0x80;
    longest = size > longest ? size : longest;
  }
  map->side = map->count > CELLS + 8 ? 12 : map->r->margins ? 26 : 22;
  double label = 6.7 * (double)longest;
  bool upright = label <= map->side;
  map->left = label + 14;
  map->top = (upright ? 12 : label) + 14;
  map->unit = 1e-9;
  for (size_t i = 0; map->r->margins && i < map->count * map->count; i++) {
    double independent;
    const Tally t =
        between(map->r, &map->group[i / map->count], &map->group[i % map->count], &independent);
    if (independent >= 20) map->unit = fmax(map->unit, fabs(t.returns / t.games));
  }
  return upright;
}

/* The section, with the map inside. */
void report_payoff(Report *r) {
  Map map = {.r = r};
  make_groups(&map);
  bool upright = lay_out(&map);
  bool grouped = map.count < r->run->league.players;
  const LeagueConfig *config = &r->run->league.config;
  double wide = map.side * (double)map.columns + 4;
  double high = map.side * (double)map.rows + 4;
  html_put(&r->out,
           "<section id=payoff><h2>Payoff</h2><p>%s of the row's player against the column's, in "
           "hundredths; hover for counts and 95 %% intervals. Frozen pairs from evaluation "
           "games, learning players from recent training games. %s</p>",
           r->margins ? "Mean return" : "Score",
           grouped ? "Each row stands for a group of snapshots of one line, by their numbers, in "
                     "order of age."
                   : "In order of line and age: a number is a snapshot's, &ldquo;now&rdquo; the "
                     "learning player.");
  if (config->sides == SIDES_SEPARATE)
    html_put(&r->out, "<p>Rows are players of the side %s, columns of the side %s.</p>",
             league_side_name(config, 1), league_side_name(config, 2));
  report_legend(r);
  html_put(&r->out, "<figure class=map>");
  put_scale(r, map.unit);
  html_put(&r->out,
           "<div class=scroll><svg viewBox=\"0 0 %.0f %.0f\" "
           "style=\"min-width:%.0fpx;max-width:%.0fpx\" role=img>",
           map.left + wide, map.top + high, map.left + wide, 1.5 * (map.left + wide));
  put_labels(&map, upright);
  for (size_t i = 0; i < map.rows * map.columns; i++)
    put_cell(&map, i / map.columns, i % map.columns);
  html_put(&r->out, "</svg></div></figure>");
  put_seats(r);
  html_put(&r->out, "</section>\n");
}

/* Who came from whom: the family tree of the report. */
#include "report/report.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  MOST_SNAPSHOTS = 60, /* drawn in a line */
  MOST_RESTARTS = 40,  /* marked in a line */
  MOST_REASONS = 16
};

/* The drawing: its report, and how frames and lines become places. */
typedef struct Family {
  Report *r;
  double left, scale; /* where 0 frames are; points a frame */
  double top, row;    /* of the first line; from line to line */
} Family;

static double x_of(const Family *f, uint64_t frames) {
  return f->left + f->scale * (double)frames;
}

static double y_of(const Family *f, size_t line) {
  return f->top + f->row * (double)line;
}

/* The stretch of a line that one life took: a rule, with a square where it began. */
static void put_life(const Family *f, size_t line, uint32_t life, uint64_t from, uint64_t to,
                     bool marked) {
  const char *css = report_colour(line);
  double x = x_of(f, from);
  double y = y_of(f, line);
  html_put(&f->r->out, "<path class=\"e %s\" d=\"M%.1f %.1fH%.1f\"/>", css, x + (life ? 3 : 0), y,
           x_of(f, to));
  if (!marked) return;
  html_put(&f->r->out,
           "<rect class=\"o %s\" x=\"%.1f\" y=\"%.1f\" width=\"6\" height=\"6\"><title>life %u "
           "begins after %.3g frames</title></rect>",
           css, x - 2, y - 3, life, (double)from);
}

/* Disc or ring: whether it was frozen because it beat its targets, or by age. */
static void put_snapshot(const Family *f, size_t line, uint32_t id) {
  Report *r = f->r;
  const Player *p = &r->run->league.player[id];
  bool won = !strcmp(p->reason, "win_rate");
  char elo[32], hash[12];
  snprintf(hash, sizeof hash, "%.8s", p->hash);
  html_put(&r->out,
           "<circle class=\"%s %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>%s: frozen after "
           "%.3g frames, reason: %s, %s %s, %s</title></circle>",
           won ? "d" : "o", report_colour(line), x_of(f, p->frames), y_of(f, line), won ? 4.5 : 3.8,
           p->name, (double)p->frames, *p->reason ? p->reason : "start",
           r->margins ? "return" : "Elo", report_strength_text(r, id, elo, sizeof elo), hash);
}

/* A branch, from the snapshot whose weights a learning player went on from to where it did so; only
 * of its present life. */
static void put_parent(const Family *f, size_t line) {
  const League *league = &f->r->run->league;
  const Player *player = &league->player[line];
  if (player->parent < 0 || !league->player[player->parent].frozen) return;
  uint32_t parent = (uint32_t)player->parent;
  double x = x_of(f, league->player[parent].frames);
  double y = y_of(f, report_line_of(league, parent));
  double to_x = x_of(f, player->life_start);
  double to_y = y_of(f, line);
  double bend = to_y > y ? f->row * 0.6 : to_y < y ? -f->row * 0.6 : -f->row * 0.9;
  html_put(&f->r->out,
           "<path class=\"j %s\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"><title>life %u "
           "of %s goes on from the weights of %s</title></path>",
           report_colour(line), x, y, x, y + bend, to_x, to_y - (to_y == y ? -bend : bend), to_x,
           to_y, player->life, player->name, league->player[parent].name);
}

/* The lives of a line one after another. A life ends at its last snapshot, as a player begins anew
 * right after one. With very many lives they become one stretch. */
static void put_lives(const Family *f, size_t line) {
  const Report *r = f->r;
  const League *league = &r->run->league;
  const Player *player = &league->player[line];
  bool marked = player->life > 0 && player->life <= MOST_RESTARTS;
  uint32_t life = 0;
  uint64_t from = 0, to = 0; /* of the present life: where it began; its newest snapshot */
  for (size_t i = 0; i < league->players; i++) {
    const Player *p = &league->player[r->order[i]];
    if (!p->frozen || report_line_of(league, r->order[i]) != line) continue;
    if (p->life != life && marked) { /* a player begins anew right after a snapshot */
      put_life(f, line, life, from, to, marked);
      from = to;
    }
    life = p->life;
    to = p->frames;
  }
  if (player->life != life && marked) {
    put_life(f, line, life, from, to, marked);
    from = player->life_start;
  }
  put_life(f, line, player->life, marked ? from : 0, player->frames, marked);
}

/* The lives, the snapshots (of very many only every n-th), and at its end what the line is called
 * and has. */
static void put_line(const Family *f, size_t line) {
  Report *r = f->r;
  const League *league = &r->run->league;
  const Player *player = &league->player[line];
  size_t total = 0, seen = 0;
  for (size_t i = 0; i < league->players; i++)
    total += league->player[i].frozen && report_line_of(league, (uint32_t)i) == line;
  size_t stride = total > MOST_SNAPSHOTS ? (total + MOST_SNAPSHOTS - 1) / MOST_SNAPSHOTS : 1;
  put_lives(f, line);
  for (size_t i = 0; i < league->players; i++)
    if (league->player[r->order[i]].frozen && report_line_of(league, r->order[i]) == line &&
        seen++ % stride == 0)
      put_snapshot(f, line, r->order[i]);
  double end = x_of(f, player->frames);
  double y = y_of(f, line);
  html_put(&r->out,
           "<text class=\"n\" x=\"4\" y=\"%.1f\">%s</text><path class=\"d %s\" d=\"M%.1f %.1fl9 "
           "4.5l-9 4.5z\"><title>%s, learning: %.3g frames, life %u</title></path><text "
           "class=\"t\" x=\"%.1f\" y=\"%.1f\">%zu snapshot%s%s, life %u</text>",
           y + 4, player->name, report_colour(line), end + 2, y - 4.5, player->name,
           (double)player->frames, player->life, end + 15, y + 4, total, total == 1 ? "" : "s",
           stride > 1 ? " (thinned)" : "", player->life);
}

/* How many snapshots were frozen for each reason. */
static void put_reasons(Report *r) {
  const League *league = &r->run->league;
  struct {
    const char *name;
    size_t count;
  } reason[MOST_REASONS];
  size_t reasons = 0;
  for (size_t i = 0; i < league->players; i++) {
    const Player *p = &league->player[i];
    const char *name = *p->reason ? p->reason : "start";
    size_t k = 0;
    if (!p->frozen) continue;
    while (k < reasons && strcmp(reason[k].name, name))
      k++;
    if (k == reasons && reasons < MOST_REASONS) {
      reason[reasons++].count = 0;
      reason[k].name = name;
    }
    if (k < reasons) reason[k].count++;
  }
  for (size_t k = 0; k < reasons; k++)
    html_put(&r->out, "%s%s %zu", k ? ", " : "", reason[k].name, reason[k].count);
}

/* The axis below: how many frames of its own a player had learned. */
static void put_frames(const Family *f, double most, double height) {
  const double step = chart_step(most, 4);
  for (double at = 0; at <= most; at += step) {
    char text[16];
    const double x = x_of(f, (uint64_t)at);
    html_put(&f->r->out,
             "<path class=\"g\" d=\"M%.1f %.1fV%.1f\"/><text class=\"t\" x=\"%.1f\" y=\"%.1f\" "
             "text-anchor=\"middle\">%s</text>",
             x, f->top - 14, height - 34, x, height - 20, text_scaled(at, text, sizeof text));
  }
}

/* The drawing from its opening <svg> to its end. `head` goes into the opening tag; `inside` stands
 * behind it. */
static void put_tree(Report *r, const char *head, bool picture) {
  const double width = 760;
  const League *league = &r->run->league;
  /* for the words at the end of a line */
  const double behind = league->players > MOST_SNAPSHOTS ? 215 : 158;
  size_t longest = 0;
  uint64_t most = 1;
  for (size_t i = 0; i < league->players; i++) {
    size_t length = strlen(league->player[i].name);
    if (i < league->learning && length > longest) longest = length;
    if (league->player[i].frames > most) most = league->player[i].frames;
  }
  Family f = {.r = r, .left = 6.7 * (double)longest + 16, .top = 26, .row = 36};
  f.scale = (width - f.left - behind) / (double)most;
  const double height = f.top + f.row * (double)league->learning + 14;
  html_put(&r->out, "<svg %s viewBox=\"0 0 %.0f %.0f\" role=\"img\">", head, width, height);
  if (picture) report_picture_style(&r->out);
  put_frames(&f, (double)most, height);
  for (size_t line = 0; line < league->learning; line++)
    put_parent(&f, line);
  for (size_t line = 0; line < league->learning; line++)
    put_line(&f, line);
  html_put(&r->out,
           "<text class=\"t\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">frames of the player"
           "</text></svg>",
           (f.left + width - behind) / 2, height - 4);
}

void report_family(Report *r) {
  html_put(&r->out, "<section id=family><h2>Family</h2><p>Each line is a learning player. A ring "
                    "is a snapshot that was frozen by age, a disc one frozen because it beat its "
                    "targets (win_rate); a square is where a life begins, from initial weights "
                    "or, where a branch leads to it, from the snapshot that the branch comes "
                    "from (drawn for present lives). Snapshots by reason: ");
  put_reasons(r);
  html_put(&r->out, ".</p><figure class=scroll>");
  put_tree(r, "class=\"tree\"", false);
  html_put(&r->out, "</figure></section>\n");
}

/* The same drawing with its own colours, to be looked at outside the page. */
void report_family_picture(Report *r) {
  put_tree(r, "xmlns=\"http://www.w3.org/2000/svg\"", true);
  html_put(&r->out, "\n");
}

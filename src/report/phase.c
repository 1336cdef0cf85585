#include "report/phase.h"

#include "report/chart.h"

#include <math.h>
#include <stdio.h>

/* Where pictures lie in their files. */
enum { WIDTH = 460, HEIGHT = 500, LEFT = 58, TOP = 52, SIDE = 380 };

/* A place in the file. */
typedef struct Spot {
  double x, y;
} Spot;

static void open_file(Bytes *out, const PhasePicture *picture) {
  html_put(out,
           "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
           "height=\"%d\">\n",
           WIDTH, HEIGHT, WIDTH, HEIGHT);
  report_picture_style(out);
  html_put(out, "<text class=\"n\" x=\"%d\" y=\"22\">", 14);
  html_text(out, picture->title);
  html_put(out, "</text>\n<text class=\"t\" x=\"%d\" y=\"39\">", 14);
  html_text(out, picture->note);
  html_put(out, "</text>\n");
}

static void put_text(Bytes *out, double x, double y, const char *anchor, const char *text) {
  html_put(out, "<text class=\"t\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
  html_text(out, text);
  html_put(out, "</text>\n");
}

/* An arrow of a given length; nothing where there is no direction. */
static void put_arrow(Bytes *out, Spot from, double dx, double dy, double length) {
  const double size = hypot(dx, dy);
  if (size < 1e-9 || length <= 0) return;
  const double ux = dx / size;
  const double uy = dy / size;
  const Spot tip = {from.x + ux * length, from.y + uy * length};
  html_put(out, "<path class=\"g\" d=\"M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1fL%.1f %.1f\"/>",
           from.x, from.y, tip.x, tip.y, tip.x - 4 * ux + 2.4 * uy, tip.y - 4 * uy - 2.4 * ux,
           tip.x, tip.y, tip.x - 4 * ux - 2.4 * uy, tip.y - 4 * uy + 2.4 * ux);
}

/* A path, with a ring where it begins and a dot where it ends. */
static void put_path(Bytes *out, const PhasePath *path, Spot (*place)(const PhasePath *, size_t)) {
  if (path->points == 0) return;
  html_put(out, "<g class=\"%s\"><path class=\"l\" stroke-opacity=\".75\" d=\"", path->css);
  for (size_t i = 0; i < path->points; i++) {
    const Spot at = place(path, i);
    html_put(out, "%c%.1f %.1f", i ? 'L' : 'M', at.x, at.y);
  }
  html_put(out, "\"><title>");
  html_text(out, path->label);
  const Spot first = place(path, 0);
  const Spot last = place(path, path->points - 1);
  html_put(out,
           "</title></path><circle class=\"o\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>"
           "<circle class=\"d\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/></g>\n",
           first.x, first.y, last.x, last.y);
}

/* --- the square --- */

static Spot in_square(double x, double y) {
  return (Spot){LEFT + x * SIDE, TOP + (1 - y) * SIDE};
}

static Spot square_place(const PhasePath *path, size_t i) {
  const double *at = path->at + i * path->step;
  return in_square(at[0], at[path->second]);
}

/* Arrows grow with the square root of the field, so that slow places show, too. */
static void square_field(Bytes *out, const PhasePicture *picture) {
  enum { GRID = 13 };
  double most = 0;
  for (int draw = 0; draw < 2; draw++)
    for (int i = 0; i < GRID; i++)
      for (int j = 0; j < GRID; j++) {
        const double point[2] = {(i + .5) / GRID, (j + .5) / GRID};
        double d[2];
        picture->field(picture->context, point, d);
        const double size = hypot(d[0], d[1]);
        if (!draw)
          most = fmax(most, size);
        else
          put_arrow(out, in_square(point[0], point[1]), d[0], -d[1], 22 * sqrt(size / most));
      }
  html_put(out, "\n");
}

void phase_square(Bytes *out, const PhasePicture *picture) {
  static const double tick[] = {0, .25, .5, .75, 1};
  open_file(out, picture);
  html_put(out, "<path class=\"g\" d=\"M%d %dh%dv%dh%dz\"/>\n", LEFT, TOP, SIDE, SIDE, -SIDE);
  for (size_t i = 0; i < COUNT_OF(tick); i++) {
    char text[16];
    snprintf(text, sizeof text, "%g", tick[i]);
    put_text(out, LEFT + tick[i] * SIDE, TOP + SIDE + 16, "middle", text);
    put_text(out, LEFT - 7, TOP + (1 - tick[i]) * SIDE + 4, "end", text);
  }
  put_text(out, LEFT + SIDE / 2, TOP + SIDE + 36, "middle", picture->label[0]);
  html_put(out,
           "<text class=\"t\" transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">",
           TOP + SIDE / 2);
  html_text(out, picture->label[1]);
  html_put(out, "</text>\n");
  if (picture->field) square_field(out, picture);
  for (size_t i = 0; i < picture->paths; i++)
    put_path(out, &picture->path[i], square_place);
  html_put(out, "</svg>\n");
}

/* --- the triangle --- */

/* The first probability is 1 at the left corner, the second at the right one, the third on top. */
static Spot in_triangle(const double *p) {
  const double height = SIDE * sqrt(3) / 2;
  return (Spot){LEFT + SIDE * (p[1] + p[2] / 2), TOP + 40 + height * (1 - p[2])};
}

static Spot triangle_place(const PhasePath *path, size_t i) {
  return in_triangle(path->at + i * path->step);
}

static void triangle_field(Bytes *out, const PhasePicture *picture) {
  enum { GRID = 15 };
  double most = 0;
  for (int draw = 0; draw < 2; draw++)
    for (int i = 0; i < GRID; i++)
      for (int j = 0; i + j < GRID; j++) {
        const double point[3] = {(i + 1 / 3.) / GRID, (j + 1 / 3.) / GRID,
                                 (GRID - i - j - 2 / 3.) / GRID};
        double d[3];
        picture->field(picture->context, point, d);
        const double dx = d[1] + d[2] / 2;
        const double dy = -d[2] * sqrt(3) / 2;
        const double size = hypot(dx, dy);
        if (!draw)
          most = fmax(most, size);
        else
          put_arrow(out, in_triangle(point), dx, dy, 18 * sqrt(size / most));
      }
  html_put(out, "\n");
}

void phase_simplex(Bytes *out, const PhasePicture *picture) {
  static const double corner[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  const Spot a = in_triangle(corner[0]);
  const Spot b = in_triangle(corner[1]);
  const Spot c = in_triangle(corner[2]);
  open_file(out, picture);
  html_put(out, "<path class=\"g\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fz\"/>\n", a.x, a.y, b.x, b.y,
           c.x, c.y);
  put_text(out, a.x, a.y + 18, "middle", picture->label[0]);
  put_text(out, b.x, b.y + 18, "middle", picture->label[1]);
  put_text(out, c.x, c.y - 9, "middle", picture->label[2]);
  if (picture->field) triangle_field(out, picture);
  for (size_t i = 0; i < picture->paths; i++)
    put_path(out, &picture->path[i], triangle_place);
  html_put(out, "</svg>\n");
}

#include "report/chart.h"

#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Markup of our own with numbers and names of players; nothing in it is escaped. Names are letters,
 * digits, '_', '.' and '-', so that they cannot be markup. */
void html_put(Bytes *out, const char *format, ...) {
  char text[4096];
  va_list list;
  va_start(list, format);
  int size = vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (size < 0 || (size_t)size >= sizeof text) {
    out->failed = true;
    return;
  }
  bytes_put(out, text, (size_t)size);
}

/* For text that somebody else wrote: titles, paths, values of keys. */
void html_text(Bytes *out, const char *text) {
  for (; *text; text++)
    switch (*text) {
    case '<': bytes_put(out, "&lt;", 4); break;
    case '>': bytes_put(out, "&gt;", 4); break;
    case '&': bytes_put(out, "&amp;", 5); break;
    case '"': bytes_put(out, "&quot;", 6); break;
    default: bytes_u8(out, (uint8_t)*text);
    }
}

double chart_step(double span, int count) {
  double raw = span / count;
  double power = pow(10, floor(log10(raw)));
  double lead = raw / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}

/* Makes room for an axis where all values are equal, or there are none. */
static void widen(double *low, double *high) {
  if (!isfinite(*low) || !isfinite(*high)) {
    *low = 0;
    *high = 1;
  }
  if (*high - *low > 1e-9 * (fabs(*high) + fabs(*low))) return;
  double half = fabs(*high) > 1e-9 ? fabs(*high) * 0.1 : 1;
  *low -= half;
  *high += half;
}

double chart_x(const Chart *c, double x) {
  return c->left + (x - c->x_low) / (c->x_high - c->x_low) * (c->width - c->left - c->right);
}

double chart_y(const Chart *c, double y) {
  return c->height - c->bottom -
         (y - c->y_low) / (c->y_high - c->y_low) * (c->height - c->top - c->bottom);
}

/* A label below the axis at x; one that would reach over the picture's edge ends there. A letter of
 * this size is at most 7.5 wide. */
static void put_x_label(Chart *c, double x, const char *text) {
  const double half = 7.5 * (double)strlen(text) / 2;
  const bool fits = chart_x(c, x) + half <= c->width;
  html_put(c->out, "<text class=\"t\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
           fits ? chart_x(c, x) : c->width - 1, c->height - c->bottom + 15, fits ? "middle" : "end",
           text);
}

/* Only labels: lines downward would hide the curves. The tiny shares of a step undo what rounding
 * adds up. */
static void x_ticks(Chart *c) {
  char text[16];
  double step = chart_step(c->x_high - c->x_low, 4);
  for (double x = ceil(c->x_low / step - 1e-9) * step; x <= c->x_high + 1e-9 * step; x += step)
    put_x_label(c, x, text_scaled(fabs(x) < step * 1e-6 ? 0 : x, text, sizeof text));
}

/* Lines across and their labels. y_low is a whole number of steps, as chart_begin has rounded
 * it. */
static void y_ticks(Chart *c, double step, const char *format) {
  char text[32];
  for (double y = c->y_low; y <= c->y_high + 1e-9 * step; y += step) {
    double shown = fabs(y) < step * 1e-6 ? 0 : y;
    if (format)
      snprintf(text, sizeof text, "%g", shown);
    else
      text_scaled(shown, text, sizeof text);
    html_put(c->out,
             "<path class=\"g\" d=\"M%.1f %.1fH%.1f\"/><text class=\"t\" x=\"%.1f\" y=\"%.1f\" "
             "text-anchor=\"end\">%s</text>",
             c->left, chart_y(c, y), c->width - c->right, c->left - 5, chart_y(c, y) + 3.5, text);
  }
}

/* The page's colours and classes of drawings alone: a file of its own has no page around it. */
static const char picture_style[] =
    "<style>svg{--ink:#23262b;--dim:#63686f;--rule:#dddad2;--card:#fff;--p0:#2166ac;--p1:#c8701a;"
    "--p2:#2f8f5b;--p3:#8a4fbf;--p4:#b8385e;--p5:#12908e;--p6:#7c6a1c;--p7:#5563d1;"
    "font-family:system-ui,sans-serif}@media (prefers-color-scheme:dark){svg{--ink:#e6e4df;"
    "--dim:#a3a9b1;--rule:#3a3f46;--card:#1d2024;--p0:#5aa7f0;--p1:#f0a04b;--p2:#5cc98d;"
    "--p3:#c08cf0;--p4:#f07a9c;--p5:#4fd0cd;--p6:#d6bf55;--p7:#95a0ff}}"
    ".t{font-size:11.5px;fill:var(--dim)}.n{font-size:11.5px;fill:var(--ink)}"
    ".g{stroke:var(--rule);fill:none}.d{fill:var(--c)}.o{fill:var(--card);stroke:var(--c);"
    "stroke-width:1.6}.e{fill:none;stroke:var(--c);stroke-width:1.4;stroke-opacity:.6}"
    ".j{fill:none;stroke:var(--c);stroke-width:1.4;stroke-dasharray:4 3}.c0{--c:var(--p0)}"
    ".c1{--c:var(--p1)}.c2{--c:var(--p2)}.c3{--c:var(--p3)}.c4{--c:var(--p4)}.c5{--c:var(--p5)}"
    ".c6{--c:var(--p6)}.c7{--c:var(--p7)}"
    ".l{fill:none;stroke:var(--c);stroke-width:1.7;stroke-linejoin:round}"
    ".b{fill:var(--c);fill-opacity:.17;stroke:none}</style><rect width=\"100%\" height=\"100%\" "
    "rx=\"8\" "
    "style=\"fill:var(--card)\"/>\n";

void report_picture_style(Bytes *out) {
  bytes_put(out, picture_style, sizeof picture_style - 1);
}

/* The ranges of the axes, y's widened to round numbers. Returns the step of y's labels. */
static double open_ranges(Chart *c, double x_low, double x_high, double y_low, double y_high) {
  widen(&x_low, &x_high);
  widen(&y_low, &y_high);
  const double step = chart_step(y_high - y_low, 4);
  c->x_low = x_low;
  c->x_high = x_high;
  c->y_low = floor(y_low / step + 1e-9) * step;
  c->y_high = ceil(y_high / step - 1e-9) * step;
  return step;
}

/* Lines across, labels of both axes, and what x is. */
static void put_axes(Chart *c, double step, const char *x_label, const char *y_format) {
  y_ticks(c, step, y_format);
  x_ticks(c);
  html_put(c->out, "<text class=\"t\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
           (c->left + c->width - c->right) / 2, c->height - 4, x_label);
}

/* Sizes are in the units of the picture, which is shown at least that large. */
void chart_begin(Chart *c, Bytes *out, const char *title, const char *x_label, double x_low,
                 double x_high, double y_low, double y_high, const char *y_format) {
  *c = (Chart){
      .out = out,
      .width = 320,
      .height = 200,
      .left = 48,
      .right = 16,
      .top = 10,
      .bottom = 36,
  };
  const double step = open_ranges(c, x_low, x_high, y_low, y_high);
  html_put(out, "<figure><figcaption>");
  html_text(out, title);
  html_put(out, "</figcaption><svg viewBox=\"0 0 %.0f %.0f\" role=img>", c->width, c->height);
  put_axes(c, step, x_label, y_format);
}

/* Its title stands within, and names of lines have room on the right. */
void chart_begin_picture(Chart *c, Bytes *out, const char *title, const char *x_label, double x_low,
                         double x_high, double y_low, double y_high) {
  *c = (Chart){
      .out = out,
      .picture = true,
      .width = 560,
      .height = 300,
      .left = 56,
      .right = 84,
      .top = 34,
      .bottom = 40,
  };
  const double step = open_ranges(c, x_low, x_high, y_low, y_high);
  html_put(out, "<svg viewBox=\"0 0 %.0f %.0f\" xmlns=\"http://www.w3.org/2000/svg\">", c->width,
           c->height);
  report_picture_style(out);
  html_put(out, "<text class=\"n\" x=\"%.1f\" y=\"20\">", c->left);
  html_text(out, title);
  html_put(out, "</text>");
  put_axes(c, step, x_label, "%g");
}

/* Whether a name at this height would touch one that is there. */
static bool is_taken(const Chart *c, double y) {
  for (size_t i = 0; i < c->names; i++)
    if (fabs(c->taken[i] - y) < 13) return true;
  return false;
}

/* Lines that end close to one another have their names below each other; above, where below they
 * would stand on the axis' labels. */
void chart_name(Chart *c, double y, const char *css, const char *name) {
  const double lowest = c->height - c->bottom + 4; /* beside the axis */
  double height = chart_y(c, y) + 4;
  double up = height;
  while (is_taken(c, height))
    height += 1;
  while (height > lowest && is_taken(c, up))
    up -= 1;
  if (height > lowest) height = up;
  if (c->names < sizeof c->taken / sizeof c->taken[0]) c->taken[c->names++] = height;
  html_put(c->out, "<text class=\"n %s\" style=\"fill:var(--c)\" x=\"%.1f\" y=\"%.1f\">", css,
           c->width - c->right + 5, height);
  html_text(c->out, name);
  html_put(c->out, "</text>");
}

/* A number that is missing (not finite) lifts the pen. */
void chart_line(Chart *c, const double *x, const double *y, size_t count, const char *css,
                const char *label) {
  bool pen = false;
  html_put(c->out, "<path class=\"l %s\" d=\"", css);
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(y[i])) {
      pen = false;
      continue;
    }
    html_put(c->out, "%s%.1f %.1f", pen ? "L" : "M", chart_x(c, x[i]), chart_y(c, y[i]));
    pen = true;
  }
  html_put(c->out, "\"><title>");
  html_text(c->out, label);
  html_put(c->out, "</title></path>");
  for (size_t i = 0; i < count; i++) /* a point without a neighbour is no line */
    if (isfinite(y[i]) && (i == 0 || !isfinite(y[i - 1])) &&
        (i + 1 == count || !isfinite(y[i + 1])))
      chart_dot(c, x[i], y[i], css, label);
}

/* There along the upper edge, and back along the lower. */
void chart_band(Chart *c, const double *x, const double *low, const double *high, size_t count,
                const char *css) {
  if (count == 0) return;
  html_put(c->out, "<path class=\"b %s\" d=\"M", css);
  for (size_t i = 0; i < count; i++)
    html_put(c->out, "%s%.1f %.1f", i ? "L" : "", chart_x(c, x[i]), chart_y(c, high[i]));
  for (size_t i = count; i-- > 0;)
    html_put(c->out, "L%.1f %.1f", chart_x(c, x[i]), chart_y(c, low[i]));
  html_put(c->out, "Z\"/>");
}

/* What hovers is the browser's own tooltip, so that the page needs no script. */
void chart_dot(Chart *c, double x, double y, const char *css, const char *hover) {
  html_put(c->out, "<circle class=\"d %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>", css,
           chart_x(c, x), chart_y(c, y));
  html_text(c->out, hover);
  html_put(c->out, "</title></circle>");
}

void chart_end(Chart *c) {
  html_put(c->out, c->picture ? "</svg>\n" : "</svg></figure>\n");
}

void chart_legend(Bytes *out, const char *const *css, const char *const *label, size_t count) {
  html_put(out, "<p class=legend>");
  for (size_t i = 0; i < count; i++) {
    html_put(out, "<span><i class=\"%s\"></i>", css[i]);
    html_text(out, label[i]);
    html_put(out, "</span> ");
  }
  html_put(out, "</p>\n");
}

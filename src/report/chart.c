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

/* Only labels: lines downward would hide the curves. The tiny shares of a step undo what rounding
 * adds up. */
static void x_ticks(Chart *c) {
  char text[16];
  double step = chart_step(c->x_high - c->x_low, 4);
  for (double x = ceil(c->x_low / step - 1e-9) * step; x <= c->x_high + 1e-9 * step; x += step)
    html_put(c->out, "<text class=t x=\"%.1f\" y=\"%.1f\" text-anchor=middle>%s</text>",
             chart_x(c, x), c->height - c->bottom + 15,
             text_scaled(fabs(x) < step * 1e-6 ? 0 : x, text, sizeof text));
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
             "<path class=g d=\"M%.1f %.1fH%.1f\"/><text class=t x=\"%.1f\" y=\"%.1f\" "
             "text-anchor=end>%s</text>",
             c->left, chart_y(c, y), c->width - c->right, c->left - 5, chart_y(c, y) + 3.5, text);
  }
}

/* Sizes are in the units of the picture, which is shown at least that large. */
void chart_begin(Chart *c, Bytes *out, const char *title, const char *x_label, double x_low,
                 double x_high, double y_low, double y_high, const char *y_format) {
  widen(&x_low, &x_high);
  widen(&y_low, &y_high);
  double step = chart_step(y_high - y_low, 4);
  *c = (Chart){
      .out = out,
      .width = 320,
      .height = 200,
      .left = 48,
      .right = 16,
      .top = 10,
      .bottom = 36,
      .x_low = x_low,
      .x_high = x_high,
      .y_low = floor(y_low / step + 1e-9) * step,
      .y_high = ceil(y_high / step - 1e-9) * step,
  };
  html_put(out, "<figure><figcaption>");
  html_text(out, title);
  html_put(out, "</figcaption><svg viewBox=\"0 0 %.0f %.0f\" role=img>", c->width, c->height);
  y_ticks(c, step, y_format);
  x_ticks(c);
  html_put(out, "<text class=t x=\"%.1f\" y=\"%.1f\" text-anchor=middle>%s</text>",
           (c->left + c->width - c->right) / 2, c->height - 4, x_label);
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
  html_put(c->out, "<circle class=\"d %s\" cx=\"%.1f\" cy=\"%.1f\" r=3><title>", css, chart_x(c, x),
           chart_y(c, y));
  html_text(c->out, hover);
  html_put(c->out, "</title></circle>");
}

void chart_end(Chart *c) {
  html_put(c->out, "</svg></figure>\n");
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

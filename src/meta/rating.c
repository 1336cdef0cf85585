/* Bradley-Terry by coordinate-wise Newton steps on a concave log-likelihood; intervals by resampling the games of each
 * meeting; the pentanomial tests of chess engines. */
#include "meta/rating.h"

#include "base/rng.h"
#include "meta/meta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PER_ELO 0.0057564627324851146 /* ln 10 / 400 */

typedef struct Model {
  const Meeting *meeting; /* with the prior added */
  size_t meetings, players;
  const size_t *of; /* meetings of player p: of[first[p]] .. of[first[p + 1] - 1] */
  const size_t *first;
  bool seats, draws;
  double *theta; /* (players) log strengths */
  double seat, log_nu;
} Model;

/* Probabilities of win, draw, loss for the first seat. */
static void predict(const Model *m, const Meeting *meeting, double p[3]) {
  double gap = m->theta[meeting->a] - m->theta[meeting->b] + m->seat, nu = m->draws ? exp(m->log_nu) : 0;
  double top = fmax(fmax(gap, 0), gap / 2);
  double win = exp(gap - top), draw = nu * exp(gap / 2 - top), loss = exp(-top), sum = win + draw + loss;
  p[0] = win / sum, p[1] = draw / sum, p[2] = loss / sum;
}

/* First and second derivative of the log-likelihood by the gap. */
static void slope(const Model *m, const Meeting *meeting, double *d1, double *d2) {
  double p[3], n = meeting->wins + meeting->draws + meeting->losses;
  predict(m, meeting, p);
  double mean = p[0] + p[1] / 2, square = p[0] + p[1] / 4;
  *d1 = meeting->wins + meeting->draws / 2 - n * mean;
  *d2 = -n * (square - mean * mean);
}

static double newton(double d1, double d2) {
  double step = d2 < -1e-12 ? -d1 / d2 : 0;
  return step > 1 ? 1 : step < -1 ? -1 : step;
}

static void slope_of_player(const Model *m, size_t p, double *sum1, double *sum2) {
  double d1, d2;
  *sum1 = *sum2 = 0;
  for (size_t i = m->first[p]; i < m->first[p + 1]; i++) {
    const Meeting *meeting = &m->meeting[m->of[i]];
    if (meeting->a == meeting->b) continue;
    slope(m, meeting, &d1, &d2);
    *sum1 += meeting->a == p ? d1 : -d1;
    *sum2 += d2;
  }
}

static double step_player(Model *m, size_t p) {
  double sum1, sum2;
  slope_of_player(m, p, &sum1, &sum2);
  double step = newton(sum1, sum2);
  m->theta[p] += step;
  return fabs(step);
}

static double step_seat(Model *m) {
  double sum1 = 0, sum2 = 0, d1, d2;
  for (size_t i = 0; i < m->meetings; i++) {
    slope(m, &m->meeting[i], &d1, &d2);
    sum1 += d1, sum2 += d2;
  }
  double step = newton(sum1, sum2);
  m->seat += step;
  return fabs(step);
}

static double step_draws(Model *m) {
  double sum1 = 0, sum2 = 0, p[3];
  for (size_t i = 0; i < m->meetings; i++) {
    const Meeting *meeting = &m->meeting[i];
    double n = meeting->wins + meeting->draws + meeting->losses;
    predict(m, meeting, p);
    sum1 += meeting->draws - n * p[1];
    sum2 -= n * p[1] * (1 - p[1]);
  }
  double step = newton(sum1, sum2);
  m->log_nu += step;
  return fabs(step);
}

static void fit(Model *m, const RatingOptions *options, double precision) {
  for (int sweep = 0; sweep < 5000; sweep++) {
    double moved = 0, shift = 0;
    for (size_t p = 0; p < m->players; p++) moved = fmax(moved, step_player(m, p));
    if (m->seats) moved = fmax(moved, step_seat(m));
    if (m->draws) moved = fmax(moved, step_draws(m));
    if (options->anchor < m->players)
      shift = m->theta[options->anchor];
    else
      for (size_t p = 0; p < m->players; p++) shift += m->theta[p] / (double)m->players;
    for (size_t p = 0; p < m->players; p++) m->theta[p] -= shift;
    if (moved < precision) return;
  }
}

/* Draws the meeting's games anew from its own frequencies. */
static Meeting resample(const Meeting *meeting, AgonRng *rng) {
  double n = meeting->wins + meeting->draws + meeting->losses;
  Meeting out = {meeting->a, meeting->b, 0, 0, 0};
  if (n > 2000) { /* a normal approximation of the multinomial */
    double w = meeting->wins / n, d = meeting->draws / n;
    out.wins = fmin(fmax(meeting->wins + sqrt(n * w * (1 - w)) * rng_normal(rng), 0), n);
    double rest = n - out.wins, share = w < 1 ? d / (1 - w) : 0;
    out.draws = fmin(fmax(rest * share + sqrt(rest * share * (1 - share)) * rng_normal(rng), 0), rest);
    out.losses = rest - out.draws;
    return out;
  }
  for (double i = 0; i < n; i++) {
    double u = rng_unit(rng) * n;
    if (u < meeting->wins)
      out.wins++;
    else if (u < meeting->wins + meeting->draws)
      out.draws++;
    else
      out.losses++;
  }
  return out;
}

static void add_prior(Meeting *meeting, double prior) {
  meeting->wins += prior;
  meeting->losses += prior;
}

static size_t root_of(size_t *parent, size_t p) {
  while (parent[p] != p) p = parent[p] = parent[parent[p]];
  return p;
}

/* Islands: players joined by any game. */
static Status find_islands(const Meeting *meeting, size_t meetings, size_t players, Rated *out, size_t *islands) {
  size_t *parent;
  TRY_RETURN(NEW_ARRAY(parent, players));
  for (size_t p = 0; p < players; p++) parent[p] = p;
  for (size_t i = 0; i < meetings; i++) {
    if (meeting[i].wins + meeting[i].draws + meeting[i].losses <= 0) continue;
    size_t a = root_of(parent, meeting[i].a), b = root_of(parent, meeting[i].b);
    if (a != b) parent[a > b ? a : b] = a > b ? b : a;
  }
  *islands = 0;
  for (size_t p = 0; p < players; p++) {
    size_t root = root_of(parent, p);
    out[p].island = root == p ? (*islands)++ : out[root].island;
  }
  free(parent);
  return OK;
}

static void tally(const Meeting *meeting, size_t meetings, size_t players, Rated *out) {
  double *score;
  for (size_t p = 0; p < players; p++) out[p] = (Rated){.games = 0};
  if (NEW_ARRAY(score, players + 1) != OK) return;
  for (size_t i = 0; i < meetings; i++) {
    const Meeting *m = &meeting[i];
    double n = m->wins + m->draws + m->losses, points = m->wins + m->draws / 2;
    if (m->a == m->b) continue;
    out[m->a].games += n, out[m->b].games += n;
    score[m->a] += points, score[m->b] += n - points;
  }
  for (size_t p = 0; p < players; p++)
    out[p].bound = out[p].games <= 0 ? 0 : score[p] <= 0 ? -1 : score[p] >= out[p].games ? 1 : 0;
  free(score);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static Status bootstrap(Model *m, const Meeting *meeting, const RatingOptions *options, Meeting *sample, Rated *out) {
  size_t n = options->bootstraps, players = m->players;
  double *seen = NULL, *best = NULL, seat = m->seat, log_nu = m->log_nu;
  Status status = OK;
  TRY(NEW_ARRAY(seen, players * n));
  TRY(NEW_ARRAY(best, players));
  memcpy(best, m->theta, players * sizeof *best);
  for (size_t b = 0; b < n; b++) {
    AgonRng rng = rng_stream(options->seed, 0, (uint32_t)b, RNG_EVAL);
    for (size_t i = 0; i < m->meetings; i++) {
      sample[i] = resample(&meeting[i], &rng);
      add_prior(&sample[i], options->prior);
    }
    memcpy(m->theta, best, players * sizeof *best);
    m->seat = seat, m->log_nu = log_nu;
    fit(m, options, 1e-4);
    for (size_t p = 0; p < players; p++) seen[p * n + b] = m->theta[p] / PER_ELO;
  }
  memcpy(m->theta, best, players * sizeof *best);
  m->seat = seat, m->log_nu = log_nu;
  for (size_t p = 0; p < players; p++) {
    if (out[p].bound) continue; /* every resample is as one-sided: the likelihood's curvature says more */
    qsort(seen + p * n, n, sizeof *seen, by_value);
    out[p].low = fmin(seen[p * n + (size_t)(0.025 * (double)(n - 1) + 0.5)], out[p].elo);
    out[p].high = fmax(seen[p * n + (size_t)(0.975 * (double)(n - 1) + 0.5)], out[p].elo);
  }
done:
  free(seen);
  free(best);
  return status;
}

static Status index_meetings(const Meeting *meeting, size_t meetings, size_t players, size_t **of, size_t **first) {
  TRY_RETURN(NEW_ARRAY(*of, 2 * meetings + 1));
  TRY_RETURN(NEW_ARRAY(*first, players + 2));
  for (size_t i = 0; i < meetings; i++) (*first)[meeting[i].a + 2]++, (*first)[meeting[i].b + 2]++;
  for (size_t p = 2; p < players + 2; p++) (*first)[p] += (*first)[p - 1];
  for (size_t i = 0; i < meetings; i++) {
    (*of)[(*first)[meeting[i].a + 1]++] = i;
    (*of)[(*first)[meeting[i].b + 1]++] = i;
  }
  return OK;
}

Status meta_bradley_terry(const Meeting *meeting, size_t meetings, size_t players, const RatingOptions *options,
                          Rated *out, RatingFit *result) {
  Status status = OK;
  Meeting *sample = NULL;
  size_t *of = NULL, *first = NULL;
  double draws = 0;
  Model m = {.meetings = meetings, .players = players, .seats = options->seats};
  *result = (RatingFit){.seat = 0};
  tally(meeting, meetings, players, out);
  TRY(find_islands(meeting, meetings, players, out, &result->islands));
  TRY(NEW_ARRAY(sample, meetings + 1));
  TRY(NEW_ARRAY(m.theta, players + 1));
  TRY(index_meetings(meeting, meetings, players, &of, &first));
  for (size_t i = 0; i < meetings; i++) {
    sample[i] = meeting[i];
    add_prior(&sample[i], options->prior);
    draws += meeting[i].draws;
  }
  m.meeting = sample, m.of = of, m.first = first;
  m.draws = options->draws && draws > 0;
  fit(&m, options, 1e-9);
  for (size_t p = 0; p < players; p++) {
    double slope1, slope2;
    slope_of_player(&m, p, &slope1, &slope2);
    double half = slope2 < -1e-9 ? 1.959964 / sqrt(-slope2) / PER_ELO : 0;
    out[p].elo = m.theta[p] / PER_ELO;
    out[p].low = out[p].elo - half;
    out[p].high = out[p].elo + half;
  }
  result->seat = m.seat / PER_ELO;
  result->draw = m.draws ? exp(m.log_nu) : 0;
  for (size_t i = 0; i < meetings; i++) {
    double p[3], n[3] = {meeting[i].wins, meeting[i].draws, meeting[i].losses};
    predict(&m, &meeting[i], p);
    for (int k = 0; k < 3; k++)
      if (n[k] > 0 && p[k] > 0) result->log_likelihood += n[k] * log(p[k]);
  }
  if (options->bootstraps > 1) TRY(bootstrap(&m, meeting, options, sample, out));
done:
  free(sample);
  free(of);
  free(first);
  free(m.theta);
  return status;
}

/* --- pairs of games --- */
static double points(int k) { return k / 4.0; }

EloBlock meta_elo_block(const Pentanomial *pairs) {
  EloBlock block = {.pairs = 0, .superiority = 0.5};
  double square = 0;
  for (int k = 0; k < 5; k++) block.pairs += pairs->count[k];
  if (block.pairs <= 0) return block;
  for (int k = 0; k < 5; k++) block.score += pairs->count[k] * points(k) / block.pairs;
  for (int k = 0; k < 5; k++) square += pairs->count[k] * pow(points(k) - block.score, 2) / block.pairs;
  double edge = 1 / (4 * block.pairs), spread = sqrt(square / block.pairs);
  block.bound = block.score >= 1 ? 1 : block.score <= 0 ? -1 : 0;
  if (spread <= 0) spread = edge / 1.96; /* all pairs alike: as if half a game more had gone otherwise */
  double held = fmin(fmax(block.score, edge), 1 - edge);
  double low = fmin(fmax(block.score - 1.959964 * spread, edge), 1 - edge),
         high = fmin(fmax(block.score + 1.959964 * spread, edge), 1 - edge);
  block.elo = meta_elo(held);
  block.low = meta_elo(low);
  block.high = meta_elo(high);
  block.error = (block.high - block.low) / 2;
  block.superiority = 0.5 * erfc(-(block.score - 0.5) / spread / sqrt(2));
  return block;
}

/* Maximum likelihood over the frequencies f with mean t: p_i = f_i / (1 + x (s_i - t)), x by bisection. */
static void constrained(const double f[5], double t, double p[5]) {
  double low = -1 / (1 - t) + 1e-12, high = 1 / t - 1e-12;
  for (int i = 0; i < 100; i++) {
    double x = (low + high) / 2, sum = 0;
    for (int k = 0; k < 5; k++) sum += f[k] * (points(k) - t) / (1 + x * (points(k) - t));
    if (sum > 0)
      low = x;
    else
      high = x;
  }
  for (int k = 0; k < 5; k++) p[k] = f[k] / (1 + (low + high) / 2 * (points(k) - t));
}

static double expected_score(double elo) { return 1 / (1 + pow(10, -elo / 400)); }

double meta_sprt(const Pentanomial *pairs, double elo0, double elo1) {
  double f[5], p0[5], p1[5], n = 0, sum = 0;
  for (int k = 0; k < 5; k++) n += f[k] = pairs->count[k] + 1e-3; /* an empty class must not decide */
  for (int k = 0; k < 5; k++) f[k] /= n;
  constrained(f, expected_score(elo0), p0);
  constrained(f, expected_score(elo1), p1);
  for (int k = 0; k < 5; k++) sum += n * f[k] * log(p1[k] / p0[k]);
  return sum;
}

double meta_sprt_upper(double alpha, double beta) { return log((1 - beta) / alpha); }
double meta_sprt_lower(double alpha, double beta) { return log(beta / (1 - alpha)); }

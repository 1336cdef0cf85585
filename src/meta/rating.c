/* Bradley-Terry by Newton's method, intervals by the Hessian's inverse around the variance of
 * pairs; the pentanomial tests of chess engines. */
#include "meta/rating.h"

#include "meta/dense.h"
#include "meta/sparse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PER_ELO 0.0057564627324851146 /* ln 10 / 400 */

/* The inverse of meta_expected_score: 0 and 1 give infinities, which callers keep away from. */
double meta_elo(double score) {
  return -400 * log10(1 / score - 1);
}

/* The logistic curve of chess ratings. */
double meta_expected_score(double elo) {
  return 1 / (1 + pow(10, -elo / 400));
}

/* --- intervals --- */
/* Student's quantile by its expansion around the normal's (Abramowitz and Stegun 26.7.5). With very
 * few degrees of freedom it is too small (exact: 12.7 with one); nobody should read more into such
 * an interval than that it is wide. */
double meta_quantile(double freedom) {
  const double z = 1.959964;
  const double f = fmax(freedom, 1);
  double one = (pow(z, 3) + z) / 4;
  double two = (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / 96;
  double three = (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * pow(z, 3) - 15 * z) / 384;
  return z + one / f + two / (f * f) + three / (f * f * f);
}

/* How many results, their mean and their variance. */
typedef struct Moments {
  double n, mean, variance;
} Moments;

/* Of results worth 0, 1 / (classes - 1), ... 1. Each class counts `more` than it was seen, as no
 * sample shows that something cannot happen. No results: a mean of 0.5. */
static Moments moments(const double *count, int classes, double more) {
  Moments m = {0};
  for (int k = 0; k < classes; k++) {
    m.n += count[k] + more;
    m.mean += (count[k] + more) * k / (classes - 1);
  }
  if (m.n <= 0) return (Moments){.mean = 0.5};
  m.mean /= m.n;
  for (int k = 0; k < classes; k++)
    m.variance += (count[k] + more) * pow((double)k / (classes - 1) - m.mean, 2) / m.n;
  return m;
}

/* Wilson's interval is made for coins. A pair of games varies less than a coin with the same mean,
 * so the interval is taken for as many coins as would vary as much as these pairs. */
static EloBlock block_of(const double *count, int classes) {
  const Moments seen = moments(count, classes, 0);
  const Moments held = moments(count, classes, 1.0 / classes);
  EloBlock block = {.pairs = seen.n, .score = seen.mean, .score_high = 1, .superiority = 0.5};
  if (seen.n <= 0) return block;
  /* of the variance of a coin with that mean */
  double share = held.variance / (held.mean * (1 - held.mean));
  double n = seen.n / share;
  double z = meta_quantile(seen.n);
  double edge = 1 / (4 * seen.n);
  double centre = (seen.mean + z * z / (2 * n)) / (1 + z * z / n);
  double half = z / (1 + z * z / n) * sqrt(seen.mean * (1 - seen.mean) / n + z * z / (4 * n * n));
  block.score_low = fmax(centre - half, 0);
  block.score_high = fmin(centre + half, 1);
  block.bound = seen.mean >= 1 ? 1 : seen.mean <= 0 ? -1 : 0;
  block.elo = meta_elo(fmin(fmax(block.score, edge), 1 - edge));
  block.low = meta_elo(fmin(fmax(block.score_low, edge / 4), 1 - edge));
  block.high = meta_elo(fmin(fmax(block.score_high, edge), 1 - edge / 4));
  block.error = (block.high - block.low) / 2;
  block.superiority = 0.5 * erfc(-(seen.mean - 0.5) / sqrt(2 * held.variance / held.n));
  return block;
}

EloBlock meta_elo_block(const Pentanomial *pairs) {
  return block_of(pairs->count, 5);
}

EloBlock meta_elo_block_of_games(double wins, double draws, double losses) {
  return block_of((const double[]){losses, draws, wins}, 3);
}

/* --- meetings --- */

/* Games of a meeting in which a had this seat. */
static double games_in(const Meeting *m, int seat) {
  return m->tally.seat[seat].games;
}

/* Whether a meeting says anything: a player against itself, or one without games, does not. */
static bool counts(const Meeting *m) {
  return m->a != m->b && games_in(m, 0) + games_in(m, 1) > 0;
}

/* Each seat counts the same, so that whoever had the better seat more often gains nothing by it. */
double meta_meeting_score(const Meeting *meeting) {
  double sum = 0, seats = 0;
  for (int s = 0; s < 2; s++)
    if (games_in(meeting, s) > 0) {
      sum += tally_score(&meeting->tally.seat[s]);
      seats++;
    }
  return seats > 0 ? sum / seats : 0.5;
}

/* How many games with balanced seats say as much about the score as these: all of them, if the
 * seats have as many each. It is what has the variance of the mean of the two seats' means. */
static double weight_of(const Meeting *m) {
  double first = games_in(m, 0);
  double second = games_in(m, 1);
  return first > 0 && second > 0 ? 4 / (1 / first + 1 / second) : first + second;
}

/* Pairs in any result. */
static double pairs_in(const Meeting *m) {
  double pairs = 0;
  for (int k = 0; k < 5; k++)
    pairs += m->tally.pairs.count[k];
  return pairs;
}

/* The variance of meta_meeting_score: of the pairs, and of the games of each seat that are in no
 * pair. Half a pair (or game) more, spread over all results, keeps it above 0. */
static double variance_of(const Meeting *m) {
  double pairs = pairs_in(m);
  double games = games_in(m, 0) + games_in(m, 1);
  double paired = fmin(2 * pairs / games, 1);
  double sum = 0, single = 0, seats = 0;
  if (pairs > 0) {
    Moments of_pairs = moments(m->tally.pairs.count, 5, 0.1);
    sum = paired * paired * of_pairs.variance / of_pairs.n;
  }
  for (int s = 0; s < 2 && paired < 1; s++) {
    if (games_in(m, s) <= pairs) continue;
    const Tally *seat = &m->tally.seat[s];
    Moments of_seat = moments((const double[]){seat->losses, seat->draws, seat->wins}, 3, 0.5 / 3);
    single += of_seat.variance / (of_seat.n - pairs);
    seats++;
  }
  return seats > 0 ? sum + (1 - paired) * (1 - paired) * single / (seats * seats) : sum;
}

/* --- the model --- */

/* A meeting as the model sees it. */
typedef struct Tie { /* a meeting as the model sees it */
  uint32_t a, b;
  double points, weight; /* of a, prior included */
  double variance;       /* of its points */
  double evidence;       /* pairs (games, where they are not paired), for the quantile */
} Tie;

/* The likelihood and what Newton's method needs. A rating here is a log strength: 400 / ln 10
 * Elo. */
typedef struct Model {
  Tie *tie;
  size_t ties, players;
  double *theta; /* (players) log strengths */
  bool *pinned;  /* (players) one of each island, at 0 */
  double *gradient, *trial;
  bool dense;      /* how the Hessian is kept */
  double *hessian; /* (players, players) dense: its factor; NULL until it is needed */
  Sparse sparse;
  size_t (*entry)[2];   /* (ties) of a tie in the rows of a and of b */
  double *right, *left; /* (players, SPARSE_LANES) */
} Model;

/* Up to so many a factor costs next to nothing. Beyond, most players have met few of the others,
 * and solving by what they have played costs as much as there are meetings, not as the cube of the
 * players. */
enum { DENSE_PLAYERS = 256 };

/* Expected score of a against b. */
static double expected(const double *theta, const Tie *tie) {
  return 1 / (1 + exp(theta[tie->b] - theta[tie->a]));
}

/* log(1 / (1 + exp(-x))), written so that exp never overflows. */
static double log_logistic(double x) {
  return x < 0 ? x - log1p(exp(x)) : -log1p(exp(-x));
}

/* Bradley and Terry's: a point is a win, and half a point is half of one. */
static double log_likelihood(const Model *m, const double *theta) {
  double sum = 0;
  for (size_t i = 0; i < m->ties; i++) {
    const Tie *t = &m->tie[i];
    double gap = theta[t->a] - theta[t->b];
    sum += t->points * log_logistic(gap) + (t->weight - t->points) * log_logistic(-gap);
  }
  return sum;
}

/* Minus the second derivative of a tie's log-likelihood by the gap between the two. */
static double bend_of(const Model *m, const Tie *t) {
  double p = expected(m->theta, t);
  return t->weight * p * (1 - p);
}

/* The gradient: points made less points expected. Pinned players do not move. */
static void differentiate(Model *m) {
  memset(m->gradient, 0, m->players * sizeof *m->gradient);
  for (size_t i = 0; i < m->ties; i++) {
    const Tie *t = &m->tie[i];
    double slope = t->points - t->weight * expected(m->theta, t);
    m->gradient[t->a] += slope;
    m->gradient[t->b] -= slope;
  }
  for (size_t p = 0; p < m->players; p++)
    if (m->pinned[p]) m->gradient[p] = 0;
}

/* Fills the dense matrix with minus the Hessian. Pinned players have a 1 on the diagonal and
 * nothing else. */
static void bend_dense(Model *m) {
  size_t n = m->players;
  memset(m->hessian, 0, n * n * sizeof *m->hessian);
  for (size_t i = 0; i < m->ties; i++) {
    const Tie *t = &m->tie[i];
    double bend = bend_of(m, t);
    m->hessian[t->a * n + t->a] += bend;
    m->hessian[t->b * n + t->b] += bend;
    m->hessian[(t->a > t->b ? t->a : t->b) * n + (t->a > t->b ? t->b : t->a)] -= bend;
  }
  for (size_t p = 0; p < n; p++) {
    if (!m->pinned[p]) continue;
    for (size_t q = 0; q < n; q++)
      m->hessian[(p > q ? p : q) * n + (p > q ? q : p)] = p == q;
  }
}

/* The same matrix, sparse. */
static void bend_sparse(Model *m) {
  memset(m->sparse.diagonal, 0, m->players * sizeof *m->sparse.diagonal);
  for (size_t i = 0; i < m->ties; i++) {
    const Tie *t = &m->tie[i];
    double bend = bend_of(m, t);
    double apart = m->pinned[t->a] || m->pinned[t->b] ? 0 : -bend;
    m->sparse.diagonal[t->a] += bend;
    m->sparse.diagonal[t->b] += bend;
    m->sparse.value[m->entry[i][1]] = apart;
    m->sparse.value[m->entry[i][0]] = apart;
  }
  for (size_t p = 0; p < m->players; p++)
    if (m->pinned[p]) m->sparse.diagonal[p] = 1;
}

/* Finds the place of each tie's two entries in the sparse matrix; rows hold them in the order of
 * the ties. `first` is used as a cursor while it fills up, and then moved back by one. */
static Status lay_out(Model *m) {
  size_t *first;
  TRY_RETURN(NEW_ARRAY(m->entry, m->ties + 1));
  TRY_RETURN(NEW_ARRAY(m->right, m->players * SPARSE_LANES + 1));
  TRY_RETURN(NEW_ARRAY(m->left, m->players * SPARSE_LANES + 1));
  TRY_RETURN(sparse_create(m->players, 2 * m->ties, &m->sparse));
  first = m->sparse.first;
  for (size_t i = 0; i < m->ties; i++) {
    first[m->tie[i].a + 1]++;
    first[m->tie[i].b + 1]++;
  }
  for (size_t p = 0; p < m->players; p++)
    first[p + 1] += first[p];
  for (size_t i = 0; i < m->ties; i++) {
    const uint32_t side[2] = {m->tie[i].a, m->tie[i].b};
    for (int s = 0; s < 2; s++) {
      m->entry[i][s] = first[side[s]]++;
      m->sparse.column[m->entry[i][s]] = side[1 - s];
    }
  }
  for (size_t p = m->players; p > 0; p--)
    first[p] = first[p - 1];
  first[0] = 0;
  return OK;
}

/* ERR_INTERNAL with the reason and what helps. */
static Status no_fit(const char *why, int step) {
  return status_set(
      ERR_INTERNAL,
      "ratings did not converge: %s at Newton step %d; a prior above 0 keeps them finite", why,
      step);
}

/* Fills and factors the dense matrix, which is allocated when it is first needed. */
static Status factor(Model *m, int step) {
  if (!m->hessian) TRY_RETURN(NEW_ARRAY(m->hessian, m->players * m->players + 1));
  bend_dense(m);
  return dense_factor(m->hessian, m->players) ? OK : no_fit("the likelihood is flat", step);
}

/* x := minus the inverse of the Hessian times x. Where conjugate gradients over the meetings do not
 * converge, the dense factor does it, from then on. */
static Status solve(Model *m, int step, double *x) {
  bool solved[SPARSE_LANES];
  if (!m->dense) {
    bend_sparse(m);
    memset(m->right, 0, m->players * SPARSE_LANES * sizeof *m->right);
    for (size_t p = 0; p < m->players; p++)
      m->right[p * SPARSE_LANES] = x[p];
    sparse_solve(&m->sparse, m->right, m->left, solved);
    m->dense = !solved[0];
    for (size_t p = 0; p < m->players && solved[0]; p++)
      x[p] = m->left[p * SPARSE_LANES];
  }
  if (!m->dense) return OK;
  TRY_RETURN(factor(m, step));
  dense_solve(m->hessian, m->players, x);
  return OK;
}

/* Moves along `move`, from `length` on halved until the likelihood does not fall; *value goes
 * along. `slope` is how fast it rises at first: a rise that rounding hides counts as none to be
 * had. */
static bool climb(Model *m, const double *move, double length, double slope, double *value) {
  enum { HALVINGS = 60 };
  for (int halving = 0; halving <= HALVINGS; halving++, length /= 2) {
    for (size_t p = 0; p < m->players; p++)
      m->trial[p] = m->theta[p] + length * move[p];
    double next = log_likelihood(m, m->trial);
    if (next >= *value || length * slope < 1e-11 * (1 + fabs(*value))) {
      *value = next;
      return true;
    }
  }
  return false;
}

/* Newton's method with halved steps. Leaves theta at the maximum and the Hessian (dense: its
 * factor) there. The likelihood is concave, so the maximum is the only one. */
static Status fit(Model *m) {
  enum { STEPS = 200 };
  size_t n = m->players;
  double value = log_likelihood(m, m->theta);
  for (int step = 0; step < STEPS; step++) {
    double longest = 0, gain = 0, length = 1;
    differentiate(m);
    double *move = m->gradient;
    memcpy(m->trial, m->gradient, n * sizeof *m->trial);
    TRY_RETURN(solve(m, step, move));
    for (size_t p = 0; p < n; p++) {
      longest = fmax(longest, fabs(move[p]));
      gain += move[p] * m->trial[p];
    }
    if (longest < 1e-9) return OK;
    if (longest > 3) length = 3 / longest; /* far from the maximum the quadratic says little */
    if (!climb(m, move, length, gain, &value)) return no_fit("no step makes it likelier", step);
    memcpy(m->theta, m->trial, n * sizeof *m->theta);
  }
  return no_fit("the last step was still too long", STEPS);
}

/* --- who is connected with whom --- */
/* Who met whom, as lists by player: the edges of p are of[first[p]] to of[first[p + 1] - 1],
 * numbers of meetings. */
typedef struct Graph {
  size_t *of, *first; /* edges of p: of[first[p]] .. of[first[p + 1] - 1], indices of ties */
  const Meeting *meeting;
  size_t players;
  uint32_t *queue;
} Graph;

/* Also for one that was only half made. */
static void graph_free(Graph *graph) {
  free(graph->of);
  free(graph->first);
  free(graph->queue);
}

/* Counts the edges of each player two places ahead, so that after the sums first[p + 1] is a cursor
 * that ends as the beginning of p + 1. */
static Status graph_create(const Meeting *meeting, size_t meetings, size_t players, Graph *out) {
  *out = (Graph){.meeting = meeting, .players = players};
  TRY_RETURN(NEW_ARRAY(out->of, 2 * meetings + 1));
  TRY_RETURN(NEW_ARRAY(out->first, players + 2));
  TRY_RETURN(NEW_ARRAY(out->queue, players + 1));
  for (size_t i = 0; i < meetings; i++) {
    out->first[meeting[i].a + 2]++;
    out->first[meeting[i].b + 2]++;
  }
  for (size_t p = 2; p < players + 2; p++)
    out->first[p] += out->first[p - 1];
  for (size_t i = 0; i < meetings; i++) {
    out->of[out->first[meeting[i].a + 1]++] = i;
    out->of[out->first[meeting[i].b + 1]++] = i;
  }
  return OK;
}

typedef enum Direction { ANY, SCORED /* took points off */, CONCEDED } Direction;

/* Marks with `mark` everyone that can be reached from `from`, itself included: by any meeting, or
 * only by those in which the one who is already reached took points (SCORED) or gave some
 * (CONCEDED). Returns how many. */
static size_t reach(const Graph *graph, uint32_t from, Direction how, size_t mark, size_t *marked) {
  size_t count = 0, next = 0;
  marked[from] = mark;
  graph->queue[count++] = from;
  while (next < count) {
    uint32_t p = graph->queue[next++];
    for (size_t i = graph->first[p]; i < graph->first[p + 1]; i++) {
      const Meeting *m = &graph->meeting[graph->of[i]];
      if (!counts(m)) continue;
      double score = meta_meeting_score(m);
      double own = m->a == p ? score : 1 - score;
      uint32_t other = m->a == p ? m->b : m->a;
      if (marked[other] == mark || (how == SCORED && own <= 0) || (how == CONCEDED && own >= 1))
        continue;
      marked[other] = mark;
      graph->queue[count++] = other;
    }
  }
  return count;
}

#define UNMARKED SIZE_MAX

/* An island is all who are connected by games, however indirectly. mark (players) is scratch. */
static void find_islands(const Graph *graph, size_t *mark, Rated *out, size_t *islands) {
  *islands = 0;
  for (size_t p = 0; p < graph->players; p++)
    mark[p] = UNMARKED;
  for (uint32_t p = 0; p < graph->players; p++)
    if (mark[p] == UNMARKED) reach(graph, p, ANY, (*islands)++, mark);
  for (size_t p = 0; p < graph->players; p++)
    out[p].island = mark[p];
}

/* Whom to measure from when nobody is asked for: in the island with the most games, the one who
 * played most of those that both took and gave points. */
static uint32_t pivot(const Rated *rated, const bool *mixed, const double *played, size_t players) {
  uint32_t best = 0;
  for (uint32_t p = 1; p < players; p++) {
    double more = played[rated[p].island] - played[rated[best].island];
    if (more > 0 || (more >= 0 && (mixed[p] > mixed[best] || (mixed[p] == mixed[best] &&
                                                              rated[p].games > rated[best].games))))
      best = p;
  }
  return best;
}

/* Adds up what `pivot` compares. */
static Status choose_pivot(const Meeting *meeting, size_t meetings, size_t players,
                           const Rated *rated, uint32_t *out) {
  Status status = OK;
  double *points = NULL, *played = NULL;
  bool *mixed = NULL;
  TRY(NEW_ARRAY(points, players + 1));
  TRY(NEW_ARRAY(played, players + 1));
  TRY(NEW_ARRAY(mixed, players + 1));
  for (size_t i = 0; i < meetings; i++) {
    double n = games_in(&meeting[i], 0) + games_in(&meeting[i], 1);
    double own = n * meta_meeting_score(&meeting[i]);
    points[meeting[i].a] += own;
    points[meeting[i].b] += n - own;
  }
  for (size_t p = 0; p < players; p++) {
    mixed[p] = points[p] > 0 && points[p] < rated[p].games;
    played[rated[p].island] += rated[p].games;
  }
  *out = pivot(rated, mixed, played, players);
done:
  free(points);
  free(played);
  free(mixed);
  return status;
}

/* Finds the anchor's set, in (players): the player that is asked for, or all who can be compared
 * both ways with the pivot. Says of everyone what is known against it: who is reached by points
 * taken only is below it, without a lower bound; who is reached by points given only is above. */
static Status place_anchor(const Graph *graph, const Meeting *meeting, size_t meetings,
                           const RatingOptions *options, Rated *out, bool *in, RatingFit *fit) {
  Status status = OK;
  size_t *scored = NULL;
  size_t *conceded = NULL;
  size_t n = graph->players;
  size_t members = 0;
  uint32_t centre = options->anchor;
  TRY(NEW_ARRAY(scored, n + 1));
  TRY(NEW_ARRAY(conceded, n + 1));
  if (centre >= n) TRY(choose_pivot(meeting, meetings, n, out, &centre));
  for (size_t p = 0; p < n; p++) {
    scored[p] = UNMARKED;
    conceded[p] = UNMARKED;
  }
  reach(graph, centre, SCORED, 0, scored);
  reach(graph, centre, CONCEDED, 0, conceded);
  for (size_t p = 0; p < n; p++) {
    bool below = scored[p] == 0;
    bool above = conceded[p] == 0; /* the anchor's upper, lower bound */
    out[p].known = (below || above) && out[p].games > 0;
    out[p].bound = above && !below ? 1 : below && !above ? -1 : 0;
    in[p] = options->anchor < n ? p == centre : below && above;
    members += in[p];
  }
  fit->anchor = members == 1 ? centre : RATING_MEAN;
done:
  free(scored);
  free(conceded);
  return status;
}

/* --- intervals of ratings --- */
/* The difference between p and the mean of `in`, as a vector over players: 1 at p, less 1 / members
 * at each of `in`. The number for player q goes to y[q * stride]. */
static void compare_with(const Model *m, uint32_t p, const bool *in, double members, double *y,
                         size_t stride) {
  for (size_t q = 0; q < m->players; q++)
    y[q * stride] = m->pinned[q] ? 0 : (q == p) - (in[q] ? 1 / members : 0);
}

/* Standard deviation of such a difference: the root of the sum over ties of (y_a - y_b)^2 times the
 * variance of their points, where y is the vector multiplied by H^-1. */
static double deviation(const Model *m, const double *y, size_t stride) {
  double sum = 0;
  for (size_t i = 0; i < m->ties; i++) {
    const Tie *t = &m->tie[i];
    double apart = y[t->a * stride] - y[t->b * stride];
    sum += apart * apart * t->variance;
  }
  return sqrt(sum);
}

/* The same for up to SPARSE_LANES players side by side. What one comes to depends on it alone, so
 * that whoever asks for few gets the same numbers as whoever asks for all. */
static Status deviations(Model *m, const uint32_t *player, size_t count, const bool *in,
                         double members, double *out) {
  bool solved[SPARSE_LANES] = {false};
  if (!m->dense) {
    memset(m->right, 0, m->players * SPARSE_LANES * sizeof *m->right);
    for (size_t i = 0; i < count; i++)
      compare_with(m, player[i], in, members, m->right + i, SPARSE_LANES);
    sparse_solve(&m->sparse, m->right, m->left, solved);
  }
  for (size_t i = 0; i < count; i++) {
    if (solved[i]) {
      out[i] = deviation(m, m->left + i, SPARSE_LANES);
      continue;
    }
    if (!m->hessian) TRY_RETURN(factor(m, 0));
    compare_with(m, player[i], in, members, m->gradient, 1);
    dense_solve(m->hessian, m->players, m->gradient);
    out[i] = deviation(m, m->gradient, 1);
  }
  return OK;
}

/* Puts ratings and intervals into `out`, in Elo from the mean of `in`. Those not in `only` become
 * unknown. */
static Status bracket(Model *m, const bool *in, const bool *only, const double *evidence,
                      Rated *out) {
  double shift = 0, members = 0, half[SPARSE_LANES];
  uint32_t group[SPARSE_LANES], p = 0;
  for (size_t q = 0; q < m->players; q++)
    if (in[q]) {
      shift += m->theta[q];
      members++;
    }
  while (p < m->players) {
    size_t count = 0;
    for (; p < m->players && count < SPARSE_LANES; p++) {
      if (only && !only[p]) out[p].known = false;
      if (out[p].known) group[count++] = p;
    }
    if (count) TRY_RETURN(deviations(m, group, count, in, members, half));
    for (size_t i = 0; i < count; i++) {
      Rated *rated = &out[group[i]];
      double wide = meta_quantile(evidence[group[i]] - 1) * half[i] / PER_ELO;
      rated->elo = (m->theta[group[i]] - shift / members) / PER_ELO;
      rated->low = rated->elo - wide;
      rated->high = rated->elo + wide;
    }
  }
  return OK;
}

/* --- all of it --- */

/* A meeting with the prior. Where all points went one way and there is no prior, half a win each
 * way stands in: without it the maximum may lie at infinity. */
static Tie tie_of(const Meeting *m, const RatingOptions *options) {
  double weight = weight_of(m);
  double score = meta_meeting_score(m);
  double prior = options->prior;
  double pairs = pairs_in(m);
  bool one_sided = score <= 0 || score >= 1; /* without any prior the maximum may lie at infinity */
  if (one_sided && prior <= 0) prior = 0.5;
  Tie tie = {
      m->a, m->b, weight * score + prior, weight + 2 * prior, 0, fmax(weight - pairs, pairs)};
  tie.variance = tie.weight * tie.weight * variance_of(m);
  return tie;
}

/* What is simply counted: everyone's games, and over all of them the draws and what sitting first
 * is worth. */
static void tally(const Meeting *meeting, size_t meetings, size_t players, Rated *out,
                  RatingFit *fit) {
  double games = 0, draws = 0, first = 0, weight = 0;
  for (size_t p = 0; p < players; p++)
    out[p] = (Rated){.games = 0};
  for (size_t i = 0; i < meetings; i++) {
    const Meeting *m = &meeting[i];
    double seat[2] = {games_in(m, 0), games_in(m, 1)};
    double n = seat[0] + seat[1];
    if (m->a == m->b || n <= 0) continue;
    out[m->a].games += n;
    out[m->b].games += n;
    games += n;
    draws += m->tally.seat[0].draws + m->tally.seat[1].draws;
    fit->one_seated += seat[0] <= 0 || seat[1] <= 0;
    if (seat[0] <= 0 || seat[1] <= 0) continue;
    first +=
        weight_of(m) * (tally_score(&m->tally.seat[0]) + 1 - tally_score(&m->tally.seat[1])) / 2;
    weight += weight_of(m);
  }
  fit->first_seat = weight > 0 ? first / weight : -1;
  fit->draws = games > 0 ? draws / games : 0;
}

/* One player of each island is pinned at 0, as only differences within an island have a
 * likelihood. */
static Status model_create(const Meeting *meeting, size_t meetings, size_t players,
                           const RatingOptions *options, const Rated *rated, Model *out) {
  Status status = OK;
  bool *taken = NULL;
  *out = (Model){.players = players};
  TRY(NEW_ARRAY(out->tie, meetings + 1));
  TRY(NEW_ARRAY(out->theta, players + 1));
  TRY(NEW_ARRAY(out->pinned, players + 1));
  TRY(NEW_ARRAY(out->gradient, players + 1));
  TRY(NEW_ARRAY(out->trial, players + 1));
  TRY(NEW_ARRAY(taken, players + 1));
  for (size_t i = 0; i < meetings; i++)
    if (counts(&meeting[i])) out->tie[out->ties++] = tie_of(&meeting[i], options);
  for (size_t p = 0; p < players; p++) {
    out->pinned[p] = !taken[rated[p].island];
    taken[rated[p].island] = true;
  }
  out->dense = players <= DENSE_PLAYERS;
  if (!out->dense) TRY(lay_out(out));
done:
  free(taken);
  return status;
}

/* Also for one that was only half made. */
static void model_free(Model *m) {
  free(m->tie);
  free(m->theta);
  free(m->pinned);
  free(m->hessian);
  free(m->gradient);
  free(m->trial);
  sparse_free(&m->sparse);
  free(m->entry);
  free(m->right);
  free(m->left);
}

/* Islands and bounds come from the games as they are, ratings from the games with the prior. */
Status meta_bradley_terry(const Meeting *meeting, size_t meetings, size_t players,
                          const RatingOptions *options, Rated *out, RatingFit *result) {
  Status status = OK;
  Model m = {0};
  Graph graph = {0};
  size_t *mark = NULL;
  bool *in = NULL;
  double *evidence = NULL;
  *result = (RatingFit){.anchor = RATING_MEAN};
  tally(meeting, meetings, players, out, result);
  if (players == 0) return OK;
  if (players > RATING_MOST)
    return status_set(ERR_USAGE,
                      "ratings of more than %d players at once are not computed (there are %zu)",
                      RATING_MOST, players);
  TRY(graph_create(meeting, meetings, players, &graph));
  TRY(NEW_ARRAY(mark, players));
  TRY(NEW_ARRAY(in, players));
  TRY(NEW_ARRAY(evidence, players));
  find_islands(&graph, mark, out, &result->islands);
  TRY(place_anchor(&graph, meeting, meetings, options, out, in, result));
  TRY(model_create(meeting, meetings, players, options, out, &m));
  TRY(fit(&m));
  for (size_t i = 0; i < m.ties; i++) {
    evidence[m.tie[i].a] += m.tie[i].evidence;
    evidence[m.tie[i].b] += m.tie[i].evidence;
  }
  TRY(bracket(&m, in, options->only, evidence, out));
done:
  model_free(&m);
  graph_free(&graph);
  free(mark);
  free(in);
  free(evidence);
  return status;
}

/* --- the sequential test --- */

/* What the k-th result of a pair is worth, 0..1. */
static double points(int k) {
  return k / 4.0;
}

/* The most likely distribution p of results whose mean is t, given that f was seen: p_k = f_k / (1
 * + x (s_k - t)), with x by bisection. */
static void constrained(const double f[5], double t, double p[5]) {
  double low = -1 / (1 - t) + 1e-12;
  double high = 1 / t - 1e-12;
  for (int i = 0; i < 100; i++) {
    double x = (low + high) / 2;
    double sum = 0;
    for (int k = 0; k < 5; k++)
      sum += f[k] * (points(k) - t) / (1 + x * (points(k) - t));
    if (sum > 0)
      low = x;
    else
      high = x;
  }
  for (int k = 0; k < 5; k++)
    p[k] = f[k] / (1 + (low + high) / 2 * (points(k) - t));
}

/* Every result counts a thousandth more than it was seen: one that never came must not decide by a
 * logarithm of 0. */
double meta_sprt(const Pentanomial *pairs, double elo0, double elo1) {
  double f[5], p0[5], p1[5], n = 0, sum = 0;
  for (int k = 0; k < 5; k++) {
    f[k] = pairs->count[k] + 1e-3;
    n += f[k];
  }
  for (int k = 0; k < 5; k++)
    f[k] /= n;
  constrained(f, meta_expected_score(elo0), p0);
  constrained(f, meta_expected_score(elo1), p1);
  for (int k = 0; k < 5; k++)
    sum += n * f[k] * log(p1[k] / p0[k]);
  return sum;
}

/* Wald's bounds, which the ratio crosses. */
double meta_sprt_upper(double alpha, double beta) {
  return log((1 - beta) / alpha);
}

double meta_sprt_lower(double alpha, double beta) {
  return log(beta / (1 - alpha));
}

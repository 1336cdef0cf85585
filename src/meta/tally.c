#include "meta/tally.h"

#include "base/invariant.h"

#include <math.h>

void tally_game(Tally *tally, float outcome, double value) {
  tally->games++;
  tally->wins += outcome > 0.5f;
  tally->draws += outcome == 0.5f;
  tally->losses += outcome < 0.5f;
  tally->returns += value;
  tally->squares += value * value;
}

void tally_add(Tally *to, const Tally *from) {
  to->games += from->games;
  to->wins += from->wins;
  to->draws += from->draws;
  to->losses += from->losses;
  to->returns += from->returns;
  to->squares += from->squares;
}

void tally_fade(Tally *to, const Tally *from, double keep, double weight) {
  to->games = to->games * keep + from->games * weight;
  to->wins = to->wins * keep + from->wins * weight;
  to->draws = to->draws * keep + from->draws * weight;
  to->losses = to->losses * keep + from->losses * weight;
  to->returns = to->returns * keep + from->returns * weight;
  to->squares = to->squares * keep + from->squares * weight;
}

Tally tally_of_opponent(const Tally *tally, double returns, double squares) {
  return (Tally){
      .games = tally->games,
      .wins = tally->losses,
      .draws = tally->draws,
      .losses = tally->wins,
      .returns = returns,
      .squares = squares,
  };
}

Tally tally_turned(const Tally *tally) {
  return tally_of_opponent(tally, -tally->returns, tally->squares);
}

bool tally_mirrors(const Tally *one, const Tally *other) {
  double sum = one->wins + one->draws + one->losses;
  return one->games == other->games && one->wins == other->losses && one->draws == other->draws &&
         one->losses == other->wins && fabs(sum - one->games) < 1e-6 * one->games + 1e-9;
}

bool tally_is_good(const Tally *tally) {
  const double sum = tally->wins + tally->draws + tally->losses;
  if (!finite_doubles(&tally->games, TALLY_NUMBERS)) return false;
  if (tally->wins < 0 || tally->draws < 0 || tally->losses < 0 || tally->squares < 0) return false;
  if (tally->games < 0 || tally->games > TALLY_MOST) return false;
  return fabs(sum - tally->games) <= 1e-6 * (1 + tally->games); /* faded ones are rounded */
}

bool tally_is_whole(const Tally *tally) {
  return tally_is_good(tally) && floor(tally->wins) == tally->wins &&
         floor(tally->draws) == tally->draws && floor(tally->losses) == tally->losses &&
         tally->wins + tally->draws + tally->losses == tally->games;
}

/* --- of both seats --- */
double tally_score(const Tally *tally) {
  return (tally->wins + tally->draws / 2) / tally->games;
}

Tally tally_both(const Tally seat[SEATS]) {
  Tally sum = seat[0];
  tally_add(&sum, &seat[1]);
  return sum;
}

double tally_games(const Tally seat[SEATS]) {
  return seat[0].games + seat[1].games;
}

bool tally_means(const Tally seat[SEATS], SeatMeans *out) {
  int known = 0;
  *out = (SeatMeans){0};
  for (int s = 0; s < SEATS; s++) {
    const Tally *tally = &seat[s];
    if (tally->games <= 0) continue;
    out->score += tally_score(tally);
    out->returns += tally->returns / tally->games;
    out->squares += tally->squares / tally->games;
    known++;
  }
  if (known < SEATS) return known > 0;
  out->score /= SEATS;
  out->returns /= SEATS;
  out->squares /= SEATS;
  return true;
}

double seats_effective(double first, double second) {
  /* variance of the mean of two means: (v / first + v / second) / 4 */
  return first > 0 && second > 0 ? 4 * first * second / (first + second) : 0;
}

/* --- of two players --- */
void match_tally_add(MatchTally *to, const MatchTally *from) {
  for (int s = 0; s < SEATS; s++)
    tally_add(&to->seat[s], &from->seat[s]);
  for (int k = 0; k < 5; k++)
    to->pairs.count[k] += from->pairs.count[k];
  to->fixed |= from->fixed;
  for (int s = 0; s < SEATS; s++) {
    to->welfare[s] += from->welfare[s];
    to->more_squares[s] += from->more_squares[s];
  }
  to->half_told |= from->half_told;
  bool known = to->pair_squares >= 0 && from->pair_squares >= 0;
  to->pair_squares = known ? to->pair_squares + from->pair_squares : -1;
}

/* What b earned in both games of a pair is known only where it is the negative of a's. */
MatchTally match_tally_turned(const MatchTally *tally) {
  bool general = false;
  MatchTally out = *tally;
  for (int s = 0; s < SEATS; s++) {
    const int back = 1 - s; /* while a sat second, b sat first */
    const Tally *seat = &tally->seat[back];
    out.seat[s] = tally_of_opponent(seat, tally->welfare[back] - seat->returns,
                                    seat->squares + tally->more_squares[back]);
    out.welfare[s] = tally->welfare[back];
    out.more_squares[s] = 0 - tally->more_squares[back];
    general |= tally->welfare[back] != 0 || tally->more_squares[back] != 0;
  }
  for (int k = 0; k < 5; k++)
    out.pairs.count[k] = tally->pairs.count[4 - k];
  if (general) out.pair_squares = -1; /* those are a's */
  return out;
}

bool match_tally_is_whole(const MatchTally *tally) {
  const Tally *seat = tally->seat;
  double pairs = 0;
  for (int s = 0; s < SEATS; s++) {
    if (!tally_is_whole(&seat[s])) return false;
    if (!isfinite(tally->welfare[s]) || !isfinite(tally->more_squares[s])) return false;
  }
  for (int k = 0; k < 5; k++) {
    if (!(tally->pairs.count[k] >= 0)) return false;
    pairs += tally->pairs.count[k];
  }
  const double games = tally_games(seat);
  const bool even = seat[0].games == seat[1].games; /* else in pairs that swap no seats */
  if (!even && (seat[0].games > 0) + (seat[1].games > 0) != 1) return false;
  return isfinite(tally->pair_squares) && 2 * pairs <= games;
}

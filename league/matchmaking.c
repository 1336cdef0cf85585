/* Matchmaking tables: the whole rule, with its mixtures and fall-throughs, as probabilities. */
#include "league/league.h"

#include "base/invariant.h"
#include "base/log.h"
#include "meta/equilibrium.h"
#include "meta/meta.h"
#include "meta/population.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prioritised fictitious self-play: weight of an opponent by x, the rate at which it is beaten.
 * squared and hard prefer those that are hard to beat, (1 - x)^p; variance those on one's own
 * level, x (1 - x) (AlphaStar, Vinyals et al. 2019). */
void pfsp_probabilities(Weighting weighting, double power, const double *x, size_t n, double *out) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double loss = 1 - x[i];
    switch (weighting) {
    case WEIGH_SQUARED: out[i] = loss * loss; break;
    case WEIGH_HARD: out[i] = pow(loss, power); break;
    case WEIGH_VARIANCE: out[i] = x[i] * loss; break;
    case WEIGH_LINEAR: out[i] = loss; break;
    case WEIGH_LINEAR_CAPPED: out[i] = loss < 0.5 ? loss : 0.5; break;
    case WEIGH_UNIFORM: out[i] = 1; break;
    }
    sum += out[i];
  }
  for (size_t i = 0; i < n; i++)
    out[i] = sum < 1e-10 ? 1.0 / (double)n : out[i] / sum;
}

/* Rates against one main's past players, oldest first, tend to fall: newer ones are stronger. A
 * rise among them is a sign of forgetting, and only up to there verification is of use. */
size_t pfsp_without_suffix(const double *x, size_t n) {
  for (size_t i = n; i-- > 1;)
    if (x[i - 1] < x[i]) return i + 1;
  return 0;
}

/* A list of candidate opponents with their rates and room for probabilities. */
typedef struct Field {
  uint32_t *id;
  double *rate;
  double *weight;
  size_t count;
} Field;

/* An equilibrium over pairs of past players, one of each side: the same for all homes of a table.
 */
typedef struct Joint {
  bool made;
  size_t count[SEATS];
  uint32_t *id[SEATS]; /* (count) owned, the oldest first */
  double *share;       /* (count[0], count[1]) owned */
} Joint;

typedef struct Builder {
  League *league;
  Table *table;
  uint32_t home;
  size_t first;    /* of the home player's entries */
  uint32_t *place; /* (BRANCH_COUNT, players) 1 + index of the home player's entry, 0 = none */
  Field field;
  Joint joint;
  Status status;
} Builder;

/* What the home player goes by. */
static const LeagueConfig *rules(const Builder *b) {
  return league_rules(b->league, b->home);
}

/* Adds probability to the entry (away, branch). */
static void offer(Builder *b, uint32_t away, Branch branch, double probability) {
  Table *table = b->table;
  if (probability <= 0 || b->status != OK) return;
  uint32_t *place = &b->place[(size_t)branch * b->league->players + away];
  if (*place) {
    table->match[*place - 1].probability += (float)probability;
    return;
  }
  b->status = GROW(table->match, table->match_room, table->matches + 1);
  if (b->status != OK) return;
  bool live = away < b->league->learning;
  uint8_t side = b->league->player[b->home].side;
  /* only the home side learns, except in self-play: then both seats are the experience of the one
   * player, or, where sides are separate, of the two mains */
  const int learns = rules(b)->away_learns;
  const bool self = away == b->home || (side && live && branch == BRANCH_SELF);
  const bool both = learns == AWAY_LIVE ? live : self && learns != AWAY_NEVER;
  uint8_t flags =
      (uint8_t)((live ? MATCH_LIVE : 0) | (both ? MATCH_AWAY_LEARNS : 0) | side << MATCH_SIDE);
  INVARIANT(league_meets(&b->league->player[b->home], &b->league->player[away]));
  table->match[table->matches++] =
      (MatchEntry){b->home, away, (float)probability, flags, (uint8_t)branch};
  *place = (uint32_t)table->matches;
}

/* Forgets the places of one home player's entries. */
static void clear_places(Builder *b) {
  for (size_t i = b->first; i < b->table->matches; i++) {
    const MatchEntry *match = &b->table->match[i];
    b->place[(size_t)match->branch * b->league->players + match->away] = 0;
  }
}

/* Whether the home player can meet `other`: where sides are separate, only the other side. */
static bool meets(const Builder *b, uint32_t other) {
  return league_meets(&b->league->player[b->home], &b->league->player[other]);
}

/* Whether `other` is a live main that home can meet. */
static bool is_live_main(const Builder *b, uint32_t other) {
  return other < b->league->learning && b->league->player[other].role == ROLE_MAIN &&
         meets(b, other);
}

/* Whether the player at home has a share for guests alone, and meets none besides. */
static bool keeps_guests(const Builder *b) {
  return b->league->player[b->home].role == ROLE_MAIN && rules(b)->guest_share > 0;
}

/* Gathers frozen players that home can meet: all; of one role; or snapshots of one parent, in order
 * of age (their ids). */
static Field *gather(Builder *b, int role, int64_t parent) {
  Field *field = &b->field;
  field->count = 0;
  for (uint32_t i = 0; i < b->league->players; i++) {
    const Player *player = &b->league->player[i];
    if (!player->frozen || player->benched || (role >= 0 && (int)player->role != role) ||
        (parent >= 0 && player->parent != parent) || !meets(b, i))
      continue;
    if (player->role == ROLE_GUEST && role != ROLE_GUEST && keeps_guests(b)) continue;
    field->id[field->count] = i;
    field->rate[field->count++] = league_rate(b->league, b->home, i);
  }
  return field;
}

/* The worst rate in the field; over 1 if it is empty. */
static double lowest(const Field *field) {
  double least = 2;
  for (size_t i = 0; i < field->count; i++)
    if (field->rate[i] < least) least = field->rate[i];
  return least;
}

/* Shares `probability` out over the players gathered. */
static void offer_pfsp(Builder *b, Weighting weighting, Branch branch, double probability) {
  const Field *field = &b->field;
  pfsp_probabilities(weighting, rules(b)->hard_power, field->rate, field->count, field->weight);
  for (size_t i = 0; i < field->count; i++)
    offer(b, field->id[i], branch, probability * field->weight[i]);
}

/* Self-play against main `drawn`: live if not too weak against it, otherwise its past. */
static void offer_self(Builder *b, uint32_t drawn, double probability) {
  bool live = league_rate(b->league, b->home, drawn) > rules(b)->self_above;
  if (live || gather(b, -1, drawn)->count == 0)
    offer(b, drawn, BRANCH_SELF, probability);
  else
    offer_pfsp(b, WEIGH_VARIANCE, BRANCH_SELF, probability);
}

/* A main verifies that it has forgotten nothing: it plays past main exploiters if any of them beats
 * it too often, or else those past players of the drawn main that do; if there are neither,
 * self-play takes the share. */
static void offer_verification(Builder *b, uint32_t drawn, double probability) {
  const LeagueConfig *config = rules(b);
  if (gather(b, ROLE_MAIN_EXPLOITER, -1)->count &&
      lowest(&b->field) < config->verify_exploiters_below) {
    offer_pfsp(b, WEIGH_SQUARED, BRANCH_VERIFY, probability);
    return;
  }
  Field *past = gather(b, -1, drawn);
  past->count = pfsp_without_suffix(past->rate, past->count);
  if (past->count && lowest(past) < config->verify_past_below)
    offer_pfsp(b, WEIGH_SQUARED, BRANCH_VERIFY, probability);
  else
    offer_self(b, drawn, probability);
}

/* 35 % self-play, 50 % PFSP over all past players, 15 % verification, in the paper's numbers; the
 * shares are keys here. */
static void offer_alphastar(Builder *b) {
  const LeagueConfig *config = rules(b);
  double pfsp = 1 - config->self_share - config->verify_share;
  gather(b, -1, -1);
  offer_pfsp(b, (Weighting)config->pfsp, BRANCH_PFSP, pfsp);
  const size_t mains = league_live_mains(b->league, b->home);
  for (uint32_t m = 0; m < b->league->learning; m++) {
    if (!is_live_main(b, m)) continue;
    offer_verification(b, m, config->verify_share / (double)mains);
    offer_self(b, m, config->self_share / (double)mains);
  }
}

/* Self-play where the rule knows no other main than the player itself: with itself, or, where sides
 * are separate, with the other side's mains, all alike. */
static void offer_live(Builder *b, double probability) {
  if (!b->league->player[b->home].side) {
    offer(b, b->home, BRANCH_SELF, probability);
    return;
  }
  const size_t mains = league_live_mains(b->league, b->home);
  for (uint32_t m = 0; m < b->league->learning; m++)
    if (is_live_main(b, m)) offer(b, m, BRANCH_SELF, probability / (double)mains);
}

/* 80 % against itself, the rest against its own past with a softmax over their qualities (arXiv
 * 1912.06680, appendix N). The largest is taken off before exp, against overflow. Where sides are
 * separate, itself and its past are the other side's mains and theirs. */
static void offer_openai_five(Builder *b) {
  double self = rules(b)->self_share;
  double sum = 0;
  double top = -1e300;
  Field *past = b->league->player[b->home].side ? gather(b, ROLE_MAIN, -1) : gather(b, -1, b->home);
  offer_live(b, past->count ? self : 1);
  for (size_t i = 0; i < past->count; i++)
    top = fmax(top, b->league->player[past->id[i]].quality);
  for (size_t i = 0; i < past->count; i++)
    sum += past->weight[i] = exp(b->league->player[past->id[i]].quality - top);
  for (size_t i = 0; i < past->count; i++)
    offer(b, past->id[i], BRANCH_PAST, (1 - self) * past->weight[i] / sum);
}

/* The rest of self-play uniformly against all past players: a sampled form of fictitious play
 * (Brown 1951). */
static void offer_fictitious(Builder *b) {
  double self = rules(b)->self_share;
  const Field *past = gather(b, -1, -1);
  offer_live(b, past->count ? self : 1);
  for (size_t i = 0; i < past->count; i++)
    offer(b, past->id[i], BRANCH_PAST, (1 - self) / (double)past->count);
}

enum { /* the newest frozen players (of each side): programs of more would hold the job up */
       META_PLAYERS = 200,
       META_PLAYERS_CCE = 64,
       META_PLAYERS_CE = 16
};

/* Mean payoff between frozen players by their evaluation games, antisymmetric, the mean of the
 * seats. False: never met. */
static bool frozen_payoff(const League *league, uint32_t a, uint32_t b, double *out) {
  const Pair *pair = payoff_find(&league->payoff, a, b);
  const Pair *back = payoff_find(&league->payoff, b, a);
  SeatMeans own, other;
  if (!pair || !back || !tally_means(pair->eval, &own) || !tally_means(back->eval, &other))
    return false;
  *out = (own.returns - other.returns) / 2;
  return true;
}

/* The last player of a field first. */
static void turn_round(Field *field) {
  for (size_t i = 0; i < field->count / 2; i++) {
    const size_t other = field->count - 1 - i;
    const uint32_t id = field->id[i];
    field->id[i] = field->id[other];
    field->id[other] = id;
  }
}

/* The meta-game's table, the newest player first, so that newcomers wait until they are measured:
 * leaves in the field those who have all met one another, and their payoffs, in the unit of the
 * largest, in `payoff` (n, n). */
static Status meta_table(League *league, Field *field, double *payoff) {
  size_t n = field->count;
  size_t kept = 0;
  double largest = 0;
  double *all = NULL;
  unsigned char *met = NULL;
  unsigned char *in = NULL;
  Status status = OK;
  TRY(NEW_ARRAY(all, n * n));
  TRY(NEW_ARRAY(met, n * n));
  TRY(NEW_ARRAY(in, n));
  turn_round(field);
  for (size_t i = 0; i < n * n; i++)
    met[i] = i / n != i % n && frozen_payoff(league, field->id[i / n], field->id[i % n], &all[i]);
  size_t count = meta_all_met(met, n, in);
  if (count == 0) TRY(status_set(ERR_MEMORY, "out of memory in a meta-game"));
  meta_select(all, n, in, payoff);
  for (size_t i = 0; i < count * count; i++)
    largest = fmax(largest, fabs(payoff[i]));
  for (size_t i = 0; i < count * count && largest > 0; i++)
    payoff[i] /= largest;
  for (size_t i = 0; i < n; i++) {
    league->player[field->id[i]].unmeasured = !in[i];
    if (in[i]) field->id[kept++] = field->id[i];
  }
  field->count = kept;
done:
  free(all);
  free(met);
  free(in);
  return status;
}

/* The newest players of a field that a linear program can bear. */
static void keep_newest(Field *field) {
  if (field->count <= META_PLAYERS) return;
  size_t skip = field->count - META_PLAYERS;
  memmove(field->id, field->id + skip, META_PLAYERS * sizeof *field->id);
  field->count = META_PLAYERS;
}

/* Gathers the newest frozen players of both sides, the oldest first: `most` of each side. */
static void gather_both_sides(Builder *b, size_t most) {
  const League *league = b->league;
  Field *field = &b->field;
  size_t room[1 + SEATS] = {0, most, most};
  field->count = 0;
  for (uint32_t i = (uint32_t)league->players; i-- > 0;) {
    const Player *player = &league->player[i];
    if (!player->frozen || player->benched || room[player->side] == 0) continue;
    if (player->role == ROLE_GUEST && league->config.guest_share > 0) continue;
    room[player->side]--;
    field->id[field->count++] = i;
  }
  turn_round(field);
}

/* The empirical game of two sides, between those who have met all of the other side that are in.
 * payoff (*own, others): of home's side, in the unit of the largest; of the field's players it
 * leaves those others. Both homes ask for the same field, so that they leave out the same. */
static Status sides_table(Builder *b, double *payoff, size_t *own) {
  Field *field = &b->field;
  const size_t n = field->count;
  size_t kept = 0;
  size_t at = 0;
  size_t count;
  double largest = 0;
  double *all = NULL;
  unsigned char *met = NULL;
  unsigned char *in = NULL;
  unsigned char *is_other = NULL;
  Status status = OK;
  TRY(NEW_ARRAY(all, n * n + 1));
  TRY(NEW_ARRAY(met, n * n + 1));
  TRY(NEW_ARRAY(in, n + 1));
  TRY(NEW_ARRAY(is_other, n + 1));
  for (size_t i = 0; i < n; i++)
    is_other[i] = meets(b, field->id[i]);
  for (size_t i = 0; i < n * n; i++)
    met[i] = is_other[i / n] != is_other[i % n] &&
             frozen_payoff(b->league, field->id[i / n], field->id[i % n], &all[i]);
  TRY(meta_sides_met(met, is_other, n, in, &count));
  *own = 0;
  for (size_t i = 0; i < n; i++) {
    b->league->player[field->id[i]].unmeasured = !in[i];
    if (!in[i] || is_other[i]) continue;
    ++*own;
    for (size_t j = 0; j < n; j++) {
      if (!in[j] || !is_other[j]) continue;
      payoff[at++] = all[i * n + j];
      largest = fmax(largest, fabs(all[i * n + j]));
    }
  }
  for (size_t i = 0; i < at && largest > 0; i++)
    payoff[i] /= largest;
  for (size_t i = 0; i < n; i++)
    if (in[i] && is_other[i]) field->id[kept++] = field->id[i];
  field->count = kept;
done:
  free(all);
  free(met);
  free(in);
  free(is_other);
  return status;
}

/* The other side's past players by its mixture in the equilibrium of the two populations' empirical
 * game; live self-play only until two of them have met. */
static void offer_sides_meta(Builder *b) {
  const double self = rules(b)->self_share;
  Field *field = &b->field;
  double *payoff = NULL;
  size_t own = 0;
  gather_both_sides(b, META_PLAYERS);
  b->status = NEW_ARRAY(payoff, field->count * field->count + 1);
  if (b->status == OK) b->status = sides_table(b, payoff, &own);
  const size_t others = b->status == OK ? field->count : 0;
  offer_live(b, others ? self : 1);
  if (others) b->status = meta_nash(payoff, own, others, NULL, field->weight, NULL);
  for (size_t i = 0; i < others && b->status == OK; i++)
    offer(b, field->id[i], BRANCH_META, (1 - self) * field->weight[i]);
  free(payoff);
}

/* Past players by a mixture of the empirical game of those whose pairs are all measured: its Nash
 * equilibrium (PSRO, Lanctot et al. 2017) or alpha-rank (Muller et al. 2020, strong selection). */
static void offer_meta(Builder *b, bool alpha_rank) {
  League *league = b->league;
  double self = rules(b)->self_share;
  double *payoff = NULL;
  if (league->player[b->home].side) {
    offer_sides_meta(b);
    return;
  }
  Field *field = gather(b, -1, -1);
  keep_newest(field);
  offer(b, b->home, BRANCH_SELF, field->count ? self : 1);
  if (field->count == 0 || b->status != OK) return;
  b->status = NEW_ARRAY(payoff, field->count * field->count);
  if (b->status == OK) b->status = meta_table(league, field, payoff);
  size_t n = field->count;
  if (b->status == OK)
    b->status = alpha_rank ? meta_alpha_rank(payoff, n, 50, 100, field->weight)
                           : meta_nash(payoff, n, n, field->weight, NULL, NULL);
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += field->weight[i];
  for (size_t i = 0; i < n && b->status == OK && sum > 0; i++)
    offer(b, field->id[i], BRANCH_META, (1 - self) * field->weight[i] / sum);
  free(payoff);
}

/* --- equilibria over joint strategies --- */

/* What a frozen player earns on average against another, by their evaluation games. False: they
 * have not played league.min_games: who is chosen for what it earned in a few was lucky. */
static bool frozen_returns(const League *league, uint32_t a, uint32_t b, double *out) {
  const Pair *pair = payoff_find(&league->payoff, a, b);
  SeatMeans means;
  if (!pair || !tally_means(pair->eval, &means)) return false;
  if (tally_games(pair->eval) < (double)league->config.min_games) return false;
  *out = means.returns;
  return true;
}

/* Of the field those who have met all of the other side that are in, by side. */
static Status enter_joint(Builder *b) {
  Status status = OK;
  Joint *joint = &b->joint;
  const Field *field = &b->field;
  const size_t n = field->count;
  unsigned char *met = NULL;
  unsigned char *side = NULL;
  unsigned char *in = NULL;
  size_t count;
  TRY(NEW_ARRAY(met, n * n + 1));
  TRY(NEW_ARRAY(side, n + 1));
  TRY(NEW_ARRAY(in, n + 1));
  for (int s = 0; s < SEATS; s++)
    TRY(NEW_ARRAY(joint->id[s], n + 1));
  for (size_t i = 0; i < n; i++)
    side[i] = b->league->player[field->id[i]].side;
  for (size_t i = 0; i < n * n; i++) {
    double returns;
    met[i] = side[i / n] != side[i % n] &&
             frozen_returns(b->league, field->id[i / n], field->id[i % n], &returns) &&
             frozen_returns(b->league, field->id[i % n], field->id[i / n], &returns);
  }
  TRY(meta_sides_met(met, side, n, in, &count));
  for (size_t i = 0; i < n; i++) {
    const int s = side[i] - 1;
    b->league->player[field->id[i]].unmeasured = !in[i];
    if (in[i]) joint->id[s][joint->count[s]++] = field->id[i];
  }
done:
  free(met);
  free(side);
  free(in);
  return status;
}

/* The equilibrium that is asked for, or what is nearest to it: numbers on which a method fails are
 * no reason to end a job. By the most even one, else by all pairs alike, the mains learn on against
 * their past, until the numbers of a later table are others. Told once a job. */
static Status find_joint(League *league, const NormalForm *game, Concept concept, double *share) {
  const Selection asked = (Selection)league->config.equilibrium;
  const size_t joints = equilibrium_joint(game);
  const char *instead = "the most even one";
  char why[512];
  Status status = equilibrium_find(game, concept, asked, share);
  if (status != ERR_INTERNAL) return status;
  snprintf(why, sizeof why, "%s", status_message());
  if (asked != SELECT_GINI) status = equilibrium_find(game, concept, SELECT_GINI, share);
  if (status == ERR_INTERNAL) {
    instead = "all pairs alike";
    for (size_t i = 0; i < joints; i++)
      share[i] = 1 / (double)joints;
    status = OK;
  }
  if (status == OK && !league->told_of_stand_in) {
    log_line("no equilibrium as league.equilibrium asks for (%s): opponents are drawn by %s", why,
             instead);
    league->told_of_stand_in = true;
  }
  return status;
}

/* The equilibrium of the game between both sides' past, paid by what each side earned; once a
 * table. */
static Status make_joint(Builder *b, Concept concept) {
  Status status = OK;
  Joint *joint = &b->joint;
  double *payoff = NULL;
  if (joint->made) return OK;
  joint->made = true;
  gather_both_sides(b, concept == CONCEPT_CE ? META_PLAYERS_CE : META_PLAYERS_CCE);
  TRY(enter_joint(b));
  const size_t joints = joint->count[0] * joint->count[1];
  if (joints == 0) return OK;
  TRY(NEW_ARRAY(payoff, SEATS * joints));
  TRY(NEW_ARRAY(joint->share, joints));
  for (size_t i = 0; i < joints; i++) {
    const uint32_t first = joint->id[0][i / joint->count[1]];
    const uint32_t second = joint->id[1][i % joint->count[1]];
    frozen_returns(b->league, first, second, &payoff[i]);
    frozen_returns(b->league, second, first, &payoff[joints + i]);
  }
  const NormalForm game = {.players = SEATS, .count = joint->count, .payoff = payoff};
  TRY(find_joint(b->league, &game, concept, joint->share));
done:
  free(payoff);
  return status;
}

/* The probability of home's side sending its player `own` and the other side its player `other`. */
static double share_of(const Joint *joint, int side, size_t own, size_t other) {
  return joint->share[side == 0 ? own * joint->count[1] + other : other * joint->count[1] + own];
}

/* Which piece of advice home answers: the mains of a side share those out that are ever given, and
 * go on to the next ones with each snapshot. */
static size_t advice_of(const Builder *b, int side) {
  const League *league = b->league;
  const Joint *joint = &b->joint;
  size_t own_mains = 0;
  size_t before = 0;
  size_t given = 0;
  for (uint32_t id = 0; id < league->learning; id++) {
    const bool own = league->player[id].role == ROLE_MAIN && !is_live_main(b, id);
    own_mains += own;
    before += own && id < b->home;
  }
  const size_t turn = league->player[b->home].snapshots * own_mains + before;
  for (int pass = 0; pass < 2; pass++) {
    size_t at = 0;
    for (size_t own = 0; own < joint->count[side]; own++) {
      double told = 0;
      for (size_t other = 0; other < joint->count[!side]; other++)
        told += share_of(joint, side, own, other);
      if (told < 1e-6) continue;
      if (pass && at++ == turn % given) return own;
      given += !pass;
    }
  }
  return 0;
}

/* The other side's past players as JPSRO has them (Marris et al. 2021): whoever answers a coarse
 * equilibrium meets them as often as they come in it; a piece of advice of an equilibrium, as often
 * as they come together with it. Live self-play only until two have met often enough. */
static void offer_joint(Builder *b, Concept concept) {
  const double self = rules(b)->self_share;
  const int side = b->league->player[b->home].side - 1;
  const Joint *joint = &b->joint;
  double sum = 0;
  b->status = make_joint(b, concept);
  if (b->status != OK) return;
  const bool some = joint->count[0] > 0 && joint->count[1] > 0;
  offer_live(b, some ? self : 1);
  if (!some) return;
  const size_t others = joint->count[!side];
  const size_t advice = concept == CONCEPT_CE ? advice_of(b, side) : 0;
  for (size_t other = 0; other < others; other++) {
    double *weight = &b->field.weight[other];
    *weight = 0;
    for (size_t own = 0; own < joint->count[side]; own++)
      if (concept == CONCEPT_CCE || own == advice) *weight += share_of(joint, side, own, other);
    sum += *weight;
  }
  for (size_t other = 0; other < others; other++)
    offer(b, joint->id[!side][other], BRANCH_META, (1 - self) * b->field.weight[other] / sum);
}

/* By the advice of a correlated equilibrium (Aumann 1974). */
static void offer_ce(Builder *b) {
  offer_joint(b, CONCEPT_CE);
}

/* By the marginals of a coarse correlated equilibrium (Moulin and Vial 1978). */
static void offer_cce(Builder *b) {
  offer_joint(b, CONCEPT_CCE);
}

/* The latest self only. */
static void offer_self_play(Builder *b) {
  offer_live(b, 1);
}

/* Self-play of a whole population: any of the mains that learn, itself among them (Jaderberg et
 * al., Science 364, 2019, without their matching by rating). */
static void offer_population(Builder *b) {
  const size_t mains = league_live_mains(b->league, b->home);
  for (uint32_t m = 0; m < b->league->learning; m++)
    if (is_live_main(b, m)) offer(b, m, BRANCH_SELF, 1 / (double)mains);
}

/* Past players by the Nash mixture of their meta-game, as in PSRO (Lanctot et al., arXiv
 * 1711.00832). */
static void offer_nash(Builder *b) {
  offer_meta(b, false);
}

/* Past players by the stationary distribution of alpha-Rank (Omidshafiei et al., arXiv
 * 1903.01373). */
static void offer_alpharank(Builder *b) {
  offer_meta(b, true);
}

/* A main exploiter looks for weaknesses of the present mains. While it loses too often to learn
 * from it, it plays that main's past instead, of its own level. */
static void offer_main_exploiter(Builder *b) {
  const LeagueConfig *config = rules(b);
  const size_t mains = league_live_mains(b->league, b->home);
  for (uint32_t m = 0; m < b->league->learning; m++) {
    if (!is_live_main(b, m)) continue;
    bool strong = league_rate(b->league, b->home, m) > config->exploiter_live_above;
    double past = gather(b, -1, m)->count == 0 ? 0 : strong ? config->exploiter_past_share : 1;
    offer(b, m, BRANCH_EXPLOIT, (1 - past) / (double)mains);
    offer_pfsp(b, WEIGH_VARIANCE, BRANCH_EXPLOIT, past / (double)mains);
  }
}

/* Looks for weaknesses of the whole league: PFSP over all past players. */
static void offer_league_exploiter(Builder *b) {
  gather(b, -1, -1);
  offer_pfsp(b, (Weighting)rules(b)->league_pfsp, BRANCH_PFSP, 1);
}

#define OFFER(name) offer_##name,

/* What the rule has offered a main makes room for its guests. */
static void offer_guests(Builder *b) {
  const double share = rules(b)->guest_share;
  if (!keeps_guests(b) || gather(b, ROLE_GUEST, -1)->count == 0) return;
  for (size_t i = b->first; i < b->table->matches; i++)
    b->table->match[i].probability *= (float)(1 - share);
  offer_pfsp(b, (Weighting)rules(b)->pfsp, BRANCH_PFSP, share);
}

/* By the role of the player at home. Whatever a rule leaves unoffered, offer_rest fills up. */
static void offer_all(Builder *b) {
  static void (*const main_rule[])(Builder *) = {MAIN_RULES(OFFER)};
  switch (b->league->player[b->home].role) {
  case ROLE_MAIN: main_rule[b->league->config.main_rule](b); break;
  case ROLE_MAIN_EXPLOITER: offer_main_exploiter(b); break;
  case ROLE_LEAGUE_EXPLOITER: offer_league_exploiter(b); break;
  case ROLE_GUEST: break; /* never at home but in evaluation */
  }
}

/* Where nobody is frozen at all, what PFSP over all frozen players leaves goes to a live main,
 * drawn from all alike. */
static void offer_rest(Builder *b) {
  double rest = 1;
  size_t mains = 0;
  for (size_t i = b->first; i < b->table->matches; i++)
    rest -= (double)b->table->match[i].probability;
  if (rest < 1e-6) return;
  for (uint32_t m = 0; m < b->league->learning; m++)
    mains += is_live_main(b, m);
  if (mains == 0) offer(b, b->home, BRANCH_SELF, rest);
  for (uint32_t m = 0; m < b->league->learning; m++)
    if (is_live_main(b, m)) offer(b, m, BRANCH_SELF, rest / (double)mains);
}

/* The pairs with the fewest evaluation games so far, in a list of at most `most`. */
typedef struct Rarest {
  MatchEntry *match;
  double *games;
  size_t count;
  size_t most;
} Rarest;

/* Evaluation games of the pair so far, both seats together. */
static double evaluated(const League *league, uint32_t home, uint32_t away) {
  const Pair *pair = is_builtin(away) ? NULL : payoff_find(&league->payoff, home, away);
  const Tally *eval = is_builtin(away) ? anchors_find(&league->anchors, home, away)
                      : pair           ? pair->eval
                                       : NULL;
  return eval ? eval[0].games + eval[1].games : 0;
}

/* Keeps the `most` pairs with the fewest evaluation games, by insertion into a list that is sorted
 * by them. Of equals the first considered stays ahead. */
static void consider(Rarest *rarest, const League *league, uint32_t home, uint32_t away) {
  const Player *sits = &league->player[home];
  if (!is_builtin(away) && !league_meets(sits, &league->player[away])) return;
  double played = evaluated(league, home, away);
  size_t at = rarest->count;
  for (size_t i = 0; i < rarest->count; i++)
    if (rarest->match[i].home == home && rarest->match[i].away == away) return;
  while (at > 0 && rarest->games[at - 1] > played)
    at--;
  if (at >= rarest->most) return;
  size_t last = rarest->count < rarest->most ? rarest->count++ : rarest->most - 1;
  memmove(rarest->games + at + 1, rarest->games + at, (last - at) * sizeof *rarest->games);
  memmove(rarest->match + at + 1, rarest->match + at, (last - at) * sizeof *rarest->match);
  rarest->games[at] = played;
  rarest->match[at] = (MatchEntry){home, away, 0, (uint8_t)(sits->side << MATCH_SIDE), BRANCH_EVAL};
}

enum {
  EVERY_PAIR = 256 /* players: beyond, a table looks at a sample of pairs */,
  SAMPLE = 4096,
  ANCHOR_PAIRS = 16
};

/* Frozen players that have met the built-in ones least, in a small share of the evaluation
 * games. */
static void add_anchor_pairs(const League *league, const uint32_t *frozen, size_t count,
                             Rarest *rarest) {
  for (uint32_t b = 0; b < BUILTINS && league->config.anchor_share > 0; b++)
    for (size_t i = 0; i < count && (league->config.anchors & 1u << b); i++)
      consider(rarest, league, frozen[i], BUILTIN_FIRST + b);
}

/* All of them alike. */
static void share_out(const Rarest *rarest, double share) {
  for (size_t i = 0; i < rarest->count; i++)
    rarest->match[i].probability = (float)(share / (double)rarest->count);
}

/* The frozen pairs with the fewest evaluation games; equal shares. In a large league, those of a
 * random sample, so that a table's cost does not grow with the square of the players. */
static Status add_eval_pairs(League *league, Table *table, uint32_t *frozen) {
  Rarest rarest = {.most = (size_t)league->config.eval_pairs};
  Rarest anchored = {.most = ANCHOR_PAIRS};
  size_t count = 0;
  for (uint32_t i = 0; i < league->players; i++)
    if (league->player[i].frozen && !league->player[i].benched) frozen[count++] = i;
  TRY_RETURN(NEW_ARRAY(rarest.games, rarest.most + anchored.most));
  Status status = GROW(table->eval, table->eval_room, rarest.most + anchored.most);
  rarest.match = table->eval;
  if (status == OK && count <= EVERY_PAIR) {
    for (size_t i = 0; i < count; i++)
      for (size_t j = i + 1; j < count; j++)
        consider(&rarest, league, frozen[i], frozen[j]);
  } else if (status == OK) {
    AgonRng rng = rng_stream(league->seed, 1, (uint32_t)league->table_version, RNG_EVAL);
    for (int n = 0; n < SAMPLE; n++) {
      uint32_t i = rng_below(&rng, (uint32_t)count);
      uint32_t j = rng_below(&rng, (uint32_t)count - 1);
      j += j >= i;
      consider(&rarest, league, frozen[i < j ? i : j], frozen[i < j ? j : i]);
    }
  }
  if (status == OK) {
    anchored.match = table->eval + rarest.count;
    anchored.games = rarest.games + rarest.count;
    add_anchor_pairs(league, frozen, count, &anchored);
    double share = !anchored.count ? 0 : !rarest.count ? 1 : league->config.anchor_share;
    share_out(&rarest, 1 - share);
    share_out(&anchored, share);
    table->evals = rarest.count + anchored.count;
  }
  free(rarest.games);
  return status;
}

/* --- the pool --- */
/* A frozen player, and how it stands in the pool: the smaller the better. */
typedef struct Standing {
  uint32_t id;
  double rate; /* at which the mains beat it */
} Standing;

/* Of equals the newer one is ahead. */
static int by_strength(const void *a, const void *b) {
  const Standing *x = a;
  const Standing *y = b;
  if (x->rate < y->rate || x->rate > y->rate) return x->rate < y->rate ? -1 : 1;
  return x->id > y->id ? -1 : x->id < y->id;
}

/* The mean over the mains that can meet it. */
static double rate_against(const League *league, uint32_t id) {
  double sum = 0;
  size_t mains = 0;
  for (uint32_t m = 0; m < league->learning; m++) {
    const Player *main = &league->player[m];
    if (main->role != ROLE_MAIN || !league_meets(main, &league->player[id])) continue;
    sum += league_rate(league, m, id);
    mains++;
  }
  return mains ? sum / (double)mains : 0.5;
}

/* Of one side (0: sides are together). */
static void bench_side(League *league, uint8_t side, Standing *standing) {
  const LeagueConfig *config = &league->config;
  const bool limited = config->pool > 0;
  const bool strongest = config->pool_rule == POOL_STRONGEST;
  size_t count = 0;
  for (uint32_t i = 0; i < league->players; i++) {
    const Player *player = &league->player[i];
    if (player->role == ROLE_GUEST) league->player[i].benched = league_guest_is_away(player);
    if (league_is_lost(player)) league->player[i].benched = true;
    if (!player->frozen || player->side != side || player->role == ROLE_GUEST ||
        league_is_lost(player))
      continue;
    standing[count++] = (Standing){i, limited && strongest ? rate_against(league, i) : 0};
  }
  if (limited) qsort(standing, count, sizeof *standing, by_strength);
  for (size_t i = 0; i < count; i++)
    league->player[standing[i].id].benched = limited && (int64_t)i >= config->pool;
}

/* Who is met from this table on. Who is benched may come back: a stronger one falls behind, or the
 * limit is raised. */
static Status choose_pool(League *league) {
  Standing *standing;
  TRY_RETURN(NEW_ARRAY(standing, league->players));
  for (uint8_t side = 0; side <= SEATS; side++)
    bench_side(league, side, standing);
  free(standing);
  return OK;
}

/* A home's matches sum to 1; the homes' shares too. Deterministic: the same league makes the same
 * table. On failure *table is not to be used, but remains the caller's to free. */
Status league_table(League *league, Table *table) {
  Status status = OK;
  Builder b = {.league = league, .table = table};
  double shares = 0;
  table_clear(table);
  TRY(league_measure_returns(league));
  TRY(choose_pool(league));
  TRY(NEW_ARRAY(b.field.id, league->players));
  TRY(NEW_ARRAY(b.field.rate, league->players));
  TRY(NEW_ARRAY(b.field.weight, league->players));
  TRY(NEW_ARRAY(b.place, BRANCH_COUNT * league->players));
  TRY(GROW(table->home, table->home_room, league->learning));
  table->version = ++league->table_version;
  for (uint32_t id = 0; id < league->learning; id++)
    shares += league_rules(league, id)->share[league->player[id].role];
  if (shares <= 0)
    TRY(status_set(ERR_USAGE,
                   "no learning player of this league has a share of the matches at home"));
  for (uint32_t id = 0; id < league->learning; id++) {
    b.home = id;
    b.first = table->matches;
    offer_all(&b);
    offer_rest(&b);
    offer_guests(&b);
    clear_places(&b);
    TRY(b.status);
    table->home[table->homes++] =
        (HomeEntry){id, league->player[id].life,
                    (float)(league_rules(league, id)->share[league->player[id].role] / shares),
                    (uint32_t)b.first, (uint32_t)(table->matches - b.first)};
  }
  TRY(add_eval_pairs(league, table, b.field.id));
  INVARIANT(table_is_whole(table));
done:
  free(b.field.id);
  free(b.field.rate);
  free(b.field.weight);
  free(b.place);
  for (int s = 0; s < SEATS; s++)
    free(b.joint.id[s]);
  free(b.joint.share);
  return status;
}

/* Population-based training (Jaderberg et al., arXiv 1711.09846 and Science 364, 2019): the numbers
 * that a run marks as tunable differ from player to player. From time to time each player is looked
 * at. One that clearly loses against another of its role *exploits*: it goes on as a copy of the
 * other, with its weights, the state of its optimiser and its numbers; and *explores*: each number
 * is multiplied by a factor or divided by it. So what works spreads, and schedules come about by
 * themselves. Pure and seeded as the league that it is a part of.
 *
 *     tune:
 *       every: 200k
 *       rate: {low: 1e-5, high: 1e-1}
 *       entropy: {low: 1e-3, high: 1e-1} */
#pragma once
#include "config/config.h"
#include "meta/tally.h"
#include "store/store.h"
#include "wire/messages.h"

/* Section `tune`. */
typedef struct TuneConfig {
  double every;         /* frames of a player between two looks */
  int64_t min_games;    /* that two players are compared by */
  double exploit_below; /* chance to win against the other under which it is copied, if also ... */
  double errors;        /* ... it is so many standard errors under one half */
  double factor;        /* of explore */
  struct {
    double low;
    double high; /* 0: not tuned */
  } range[TUNABLES];
  /* One team plays, and players are compared by what they earn. Not a key. */
  bool by_returns;
} TuneConfig;
extern const Option tune_options[];
extern const size_t tune_option_count;

/* A player went on as another one. */
typedef struct TuneCopy {
  uint64_t frames; /* of the run by then */
  uint32_t player;
  uint32_t source;
  double chance;           /* to win against the source, as it was estimated */
  double games;            /* that this rests on */
  double before[TUNABLES]; /* the player's numbers; 0: not tuned */
  double after[TUNABLES];
} TuneCopy;

/* What a player's numbers are judged by, besides the payoff. */
typedef struct TuneLife {
  double value[TUNABLES]; /* 0: not tuned. A frozen player's are those it was frozen with */
  uint64_t looked_at;     /* its frames then */
  /* by_returns: what it earned in training since the last look, and between that and the one
   * before */
  Tally earned[2];
} TuneLife;

struct League;

/* Whether anything is tuned. */
bool tune_is_on(const TuneConfig *config);
bool tune_has(const TuneConfig *config, Tunable what);
const char *tune_name(Tunable what);
/* "rate 0.003 to 0.0024, entropy 0.01 to 0.0125". */
void tune_describe(const TuneCopy *copy, char *out, size_t size);
/* ERR_USAGE names keys that do not fit together. memory: league.memory. */
Status tune_check(const TuneConfig *config, double memory);
/* Declares whatever else has been assigned under `tune`; after all layers are read. */
Status tune_declare(Config *config);
/* ERR_USAGE, with what can be tuned, for a key that cannot; after config_resolve. */
Status tune_check_keys(const Config *config);
/* A player's numbers as the configuration wants them: drawn log-uniformly from the range where it
 * has none, by a stream of the seed and its name; within the range; 0 where not tuned. */
void tune_settle(const TuneConfig *config, uint64_t seed, const char *name, double value[TUNABLES]);
/* The same of all players of the league that learn. */
void tune_begin(struct League *league);
/* Takes in what has been earned in training. */
void tune_count(struct League *league, const PairResults *pair);
/* How likely `player` wins against `other`, by how many games, and how many standard errors that is
 * over one half. By the games that they remember of each other; where they have fewer than
 * min_games, by those against opponents that both have met so often; one team: by what they earned.
 * False: too little is known. */
typedef struct TuneEvidence {
  double chance;
  double errors;
  double games;
} TuneEvidence;
bool tune_compare(const struct League *league, uint32_t player, uint32_t other, TuneEvidence *out);
/* Looks at all players that are due, and orders copies (RESET_ADOPT) behind what is ordered
 * already. Nobody is copied who begins anew by the same directive, and whoever is copied stays. */
Status tune_decide(struct League *league, Directive *directive);

/* Columns tune/NAME and what belongs to them; nothing where nothing was ever tuned. */
Status tune_save(const struct League *league, Tree *tree);
/* ERR_FORMAT: the checkpoint is damaged. */
Status tune_load(struct League *league, const Tree *tree);
/* The values of players alone: (rows, TUNABLES) to out; 0 where there are none. */
Status tune_load_values(const Tree *tree, size_t rows, double (*out)[TUNABLES]);

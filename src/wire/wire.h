/* Every message of the system. A message = header (magic, version, kind, check sum of the body) + body. What a body
 * says is checked where it is read, against what the run can send. */
#pragma once
#include "agon/env.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "transport/transport.h"

enum {
  WIRE_VERSION = 3,
  WIRE_PLAYERS = 1 << 20, /* ids are below: what an id indexes stays small */
  WIRE_LEARNERS = 60      /* learning players of a league: homes of a table, orders of a directive */
};

typedef enum WireKind {
  WIRE_WEIGHTS = 1,    /* learner -> actor (-> actors below it): a learning player's policy for a tick */
  WIRE_FETCH,          /* actor -> league: a frozen player's policy, please */
  WIRE_FROZEN,         /* league -> actor: here it is */
  WIRE_TABLE,          /* league -> actor (-> actors below it): who plays whom in a tick */
  WIRE_UNROLLS,        /* actor -> learner: experience of one player */
  WIRE_TICK_END,       /* actor -> learner: all experience of a tick has been sent; of so many frames, all players */
  WIRE_CREDIT,         /* learner -> actor: ticks of yours that are consumed (pace free) */
  WIRE_RESULTS,        /* actor -> league: counts of a tick */
  WIRE_DIRECTIVE,      /* league -> learner: what to do after the update of a tick */
  WIRE_SNAPSHOT,       /* learner -> league: frozen copy that a directive asked for */
  WIRE_REPORT,         /* learner -> league: what an update did */
  WIRE_ACTOR_STATE,    /* actor -> league: lanes and slots at a cut, one piece per lane */
  WIRE_LEARNER_STATE,  /* learner -> league: one piece per player at a cut */
  WIRE_RESTORE_LANE,   /* league -> actor */
  WIRE_RESTORE_PLAYER, /* league -> learner */
  WIRE_BEGIN,          /* league -> actor: restoring is over, go; carries the first tick */
  WIRE_LEARN,          /* league -> learner: the same */
  WIRE_RESUME,         /* league -> actor: the cut is saved, go on (pace free) */
  WIRE_SUM_PART,       /* learner -> learner: what it adds to a segment of a sum */
  WIRE_SUM_WHOLE,      /* learner -> learner: a segment's sum */
  WIRE_MATCH,          /* eval's rank 0 -> player: games to play (count 0: none are left, go home) */
  WIRE_MATCH_RESULT,   /* player -> eval's rank 0 */
  WIRE_TREE_PART,      /* helper -> rank 0 of a walk: policies at its share of the information sets */
  WIRE_BYE,            /* anyone -> league: finished, with the profile of the role */
  WIRE_LAST
} WireKind;

/* --- envelope --- */
typedef struct WireOut {
  Bytes bytes;
} WireOut;
void wire_begin(WireOut *out, WireKind kind);
/* Sends and empties `out`. */
Status wire_send(Transport *transport, int to, WireOut *out);
/* The same bytes to several ranks without copying. */
Status wire_send_many(Transport *transport, const int *to, size_t count, WireOut *out);
/* Passes a message that has arrived on to other ranks, without copying. */
Status wire_forward(Transport *transport, const int *to, size_t count, Message *message);
/* Checks the envelope; *reader stands at the body. ERR_FORMAT for foreign, damaged or newer messages, naming the rank
 * they came from. */
Status wire_open(const Message *message, WireKind *kind, Reader *reader);
const char *wire_name(WireKind kind);

/* --- matchmaking table --- */
enum { MATCH_LIVE = 1, MATCH_AWAY_LEARNS = 2 };
enum { TABLE_SAVE = 1, TABLE_STOP = 2, TABLE_SAME = 4 /* the entries are those of the table before */ };
typedef enum Branch {
  BRANCH_SELF,
  BRANCH_PFSP,
  BRANCH_VERIFY,
  BRANCH_EXPLOIT,
  BRANCH_PAST,
  BRANCH_EVAL,
  BRANCH_META, /* by a meta-game's mixture */
  BRANCH_COUNT
} Branch;
#define BRANCH_NAMES "self|pfsp|verify|exploit|past|eval|meta"

typedef struct MatchEntry {
  uint32_t home, away; /* player ids */
  float probability;   /* given the home player; eval entries: over all of them */
  uint8_t flags, branch;
} MatchEntry;

typedef struct HomeEntry {
  uint32_t player, life;
  float share;           /* of matches at home */
  uint32_t first, count; /* its rows in `match` */
} HomeEntry;

typedef struct Table {
  uint64_t tick, version;
  uint32_t flags;
  HomeEntry *home;
  size_t homes, home_room;
  MatchEntry *match;
  size_t matches, match_room;
  MatchEntry *eval; /* frozen against frozen */
  size_t evals, eval_room;
} Table;
void table_clear(Table *table);
void table_free(Table *table);
Status table_copy(Table *to, const Table *from);
void table_encode(const Table *table, Bytes *out);
/* ERR_FORMAT unless every entry is one that a league of so many players can have, and no home is without a match. */
Status table_check(const Table *table, size_t learning, size_t players);
/* With TABLE_SAME no entries are encoded; decoding then leaves those of *table as they are. */
Status table_decode(Table *table, Reader *reader);
/* Whether shares, and each home player's probabilities, sum to 1 (for invariants). */
bool table_is_whole(const Table *table);
void table_head(Table *to, const Table *from);            /* tick, version and flags alone */
uint32_t table_life(const Table *table, uint32_t player); /* 0 for players not in it */

/* Players that need neither training nor weights: opponents in evaluation lanes, under ids of their own. */
enum { BUILTIN_FIRST = 0x7ffffff0, BUILTIN_RANDOM = BUILTIN_FIRST, BUILTIN_SCRIPTED, BUILTIN_END };
enum { BUILTINS = BUILTIN_END - BUILTIN_FIRST };
#define BUILTIN_NAMES "random|scripted"
static inline bool is_builtin(uint32_t player) { return player >= BUILTIN_FIRST && player < BUILTIN_END; }
/* Whether an evaluation game can have it, in a league of so many players. */
static inline bool is_opponent(uint32_t player, size_t players) { return player < players || is_builtin(player); }

/* --- results --- */
typedef struct PairCount {
  uint32_t home, away, home_life, away_life;
  uint8_t seat; /* team that home played */
  uint8_t eval; /* counted apart from training */
  uint8_t branch, pad;
  uint32_t games, wins, draws, losses; /* for home */
  double outcome;                      /* sum of home's outcomes */
  double home_return, home_square, away_return, away_square;
  double wins_over_p; /* sum over home's wins of 1 / probability of the match when it was drawn (OpenAI Five's rule) */
  uint64_t length;    /* env steps */
} PairCount;
typedef struct FrameCount {
  uint32_t player;
  uint64_t frames; /* learned from */
} FrameCount;
typedef struct Results {
  uint64_t tick;
  PairCount *pair;
  size_t pairs, pair_room;
  FrameCount *frame;
  size_t frames, frame_room;
  uint64_t decisions_frozen, steps, episodes; /* acted but not learned from; env steps; episodes ended */
  double metric[AGON_MAX_METRICS];            /* sums of env metrics over episodes */
} Results;
void results_clear(Results *results);
void results_free(Results *results);
PairCount *results_pair(Results *results, const PairCount *key); /* finds or adds; NULL without memory */
Status results_frames(Results *results, uint32_t player, uint64_t frames);
void results_encode(const Results *results, Bytes *out);
Status results_decode(Results *results, Reader *reader);

/* --- directives --- */
enum { DIRECTIVE_SAVE = 1, DIRECTIVE_STOP = 2 };
typedef enum ResetKind { RESET_NONE, RESET_INITIAL, RESET_COPY } ResetKind;
typedef struct Order {
  uint32_t player;
  uint32_t snapshot_id;   /* 0 = none */
  uint32_t reset;         /* ResetKind */
  uint32_t source_frozen; /* RESET_COPY: id of a frozen player, its block follows; 0 = none */
  const float *block;     /* borrowed from the message when decoded */
} Order;
typedef struct Directive {
  uint64_t tick, number; /* number: of the directives of this job, from 0 */
  uint32_t flags;
  Order order[WIRE_LEARNERS];
  size_t orders;
} Directive;
void directive_encode(const Directive *directive, size_t block_floats, Bytes *out);
Status directive_decode(Directive *directive, size_t block_floats, Reader *reader);

/* --- reports and profiles --- */
typedef struct NamedNumber {
  char name[24];
  double value;
} NamedNumber;
typedef struct Numbers {
  NamedNumber item[48];
  size_t count;
} Numbers;
void numbers_set(Numbers *numbers, const char *name, double value);
double numbers_get(const Numbers *numbers, const char *name);
void numbers_encode(const Numbers *numbers, Bytes *out);
void numbers_decode(Numbers *numbers, Reader *reader);

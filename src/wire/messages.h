/* What messages say: for each kind a struct, its encoder and its decoder, and one table of which
 * role says it to which. When they are sent is drawn in PROTOCOL.md.
 *
 * An encoder appends a body to what wire_begin has begun. A decoder takes the whole body, and
 * refuses (ERR_FORMAT) what is short, damaged or too long, and what no run can say: numbers that
 * are not finite, counts that contradict each other, ids out of range. Only the role that receives
 * it knows what this run rules out - its players, its ticks, who is on which rank; what it checks
 * is said at each struct as "also checked". Pointers in a decoded struct lead into the message, and
 * are borrowed with it. `block` is always the number of floats of a policy. */
#pragma once
#include "agon/env.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "data/batch.h"
#include "meta/social.h"
#include "meta/tally.h"

enum {
  WIRE_VERSION = 9,
  WIRE_PLAYERS = 1 << 20, /* ids are below: what an id indexes stays small */
  /* learning players of a league, homes of a table, orders of a directive: so many that memory and
   * processors end before, and so few that what a damaged message claims is no danger */
  WIRE_LEARNERS = 1024,
  WIRE_NO_LANE = -1 /* in an actor's state: the last piece, which is of no lane */
};

typedef enum WireKind {
  WIRE_WEIGHTS = 1,
  WIRE_FETCH,
  WIRE_FROZEN,
  WIRE_TABLE,
  WIRE_UNROLLS,
  WIRE_TICK_END,
  WIRE_CREDIT,
  WIRE_RESULTS,
  WIRE_DIRECTIVE,
  WIRE_SNAPSHOT,
  WIRE_REPORT,
  WIRE_ACTOR_STATE,
  WIRE_LEARNER_STATE,
  WIRE_RESTORE_LANE,
  WIRE_RESTORE_PLAYER,
  WIRE_BEGIN,
  WIRE_LEARN,
  WIRE_RESUME,
  WIRE_SUM_PART,
  WIRE_SUM_WHOLE,
  WIRE_MATCH,
  WIRE_MATCH_RESULT,
  WIRE_TREE_PART,
  WIRE_BYE,
  WIRE_REPLAY_STATE,
  WIRE_RESTORE_REPLAY,
  WIRE_REPLAY_TAKEN,
  WIRE_GUEST,
  WIRE_TRAINING,
  WIRE_FAULT,
  WIRE_LAST
} WireKind;

/* --- who says what to whom --- */

/* Who sends and receives. */
typedef enum WireRole {
  WIRE_ACTOR,
  WIRE_LEARNER,
  WIRE_LEAGUE,
  WIRE_ANYONE, /* as a sender: actors and learners */
  WIRE_HEAD,   /* rank 0 of a tournament or of a walk */
  WIRE_HELPER  /* its other ranks */
} WireRole;

/* What a decoder must know of a run to read a body. */
typedef struct WireShape {
  size_t block;            /* floats of a policy */
  const RowFormat *format; /* of experience */
  size_t part;             /* floats of a helper's share of a walk */
} WireShape;

/* What there is to know about a kind of message. */
typedef struct WireRoute {
  WireKind kind;
  const char *name; /* in messages to people */
  WireRole from, to;
  /* Decodes a body and lets go of it: OK, or why a receiver would refuse it. What an actor keeps of
   * a lane and the columns of a player's state are bytes to the wire, and are not looked into. */
  Status (*check)(const WireShape *shape, Reader *body);
} WireRoute;
/* Of 1 <= kind < WIRE_LAST. */
const WireRoute *wire_route(WireKind kind);
const char *wire_name(WireKind kind); /* "unknown" for others */

/* --- policies --- */
/* WEIGHTS: the policy of a learning player for ticks to come, after LEARN and after each update.
 * Every learner sends it to the top of the tree of actors that feed it, which pass it on. Also
 * checked: the player is learning; the version is no older than what is here; in the deterministic
 * paces the tick is that player's next. */
typedef struct WireWeights {
  uint32_t player, life;
  uint64_t version;
  uint64_t tick;      /* that is played with it; pace free: from now on, whatever the tick */
  const float *value; /* (block) finite */
} WireWeights;
void weights_encode(const WireWeights *weights, size_t block, Bytes *out);
Status weights_decode(WireWeights *weights, size_t block, Reader *body);

/* FETCH: an actor that has drawn a match against a frozen player asks the league for its policy.
 * Also checked: there is such a player, and it is frozen. */
typedef struct WireFetch {
  uint32_t player;
} WireFetch;
void fetch_encode(const WireFetch *fetch, Bytes *out);
Status fetch_decode(WireFetch *fetch, Reader *body);

/* FROZEN: the league's answer to a FETCH, as soon as the policy is written. Also checked: it was
 * asked for. SNAPSHOT: what a directive ordered to be frozen, from the group's first learner to the
 * league. Also checked: the league waits for it. */
typedef struct WireFrozen {
  uint32_t player;
  const float *value; /* (block) finite */
} WireFrozen;
void frozen_encode(const WireFrozen *frozen, size_t block, Bytes *out);
Status frozen_decode(WireFrozen *frozen, size_t block, Reader *body);

/* GUEST: the same of a guest, who has no weights: what it is (agent/guest.h), and the bytes of its
 * file, if it is one. Also checked: it was asked for, and can play the env. */
typedef struct WireGuest {
  uint32_t player;
  char name[64]; /* what it is to the run */
  char text[512];
  const void *bytes;
  size_t size;
} WireGuest;
void guest_encode(const WireGuest *guest, Bytes *out);
Status guest_decode(WireGuest *guest, Reader *body);

/* FAULT: a guest has failed at this actor, which has broken off its games and plays on without it;
 * the league is to save, and to end the job with these words. Also checked: it is a guest. */
typedef struct WireFault {
  uint32_t player;
  char text[1000];
} WireFault;
void fault_encode(const WireFault *fault, Bytes *out);
Status fault_decode(WireFault *fault, Reader *body);

/* --- matchmaking table --- */
enum {
  MATCH_LIVE = 1,
  MATCH_AWAY_LEARNS = 2,
  /* flags >> MATCH_SIDE: 1 + the team that home always plays; 0: it takes the seats in turn */
  MATCH_SIDE = 2,
  MATCH_FLAGS = (SEATS + 1) << MATCH_SIDE /* all are below */
};
enum {
  TABLE_SAVE = 1,
  TABLE_STOP = 2,
  TABLE_SAME = 4 /* the entries are those of the table before */
};
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

/* 1 + the team that home always plays, 0: whichever comes next. */
static inline uint32_t match_side(const MatchEntry *match) {
  return (uint32_t)match->flags >> MATCH_SIDE;
}

typedef struct HomeEntry {
  uint32_t player, life;
  float share;           /* of matches at home */
  uint32_t first, count; /* its rows in `match` */
} HomeEntry;

/* TABLE: who plays whom in a tick, from the league to the actors at the top of a tree, which pass
 * it on. Also checked: its tick is the next; table_check. */
typedef struct Table {
  uint64_t tick, version;
  uint32_t flags;
  uint32_t stage; /* of the curriculum, at which training episodes begin; 0: the first, or none */
  HomeEntry *home;
  size_t homes, home_room;
  MatchEntry *match;
  size_t matches, match_room;
  MatchEntry *eval; /* frozen against frozen */
  size_t evals, eval_room;
} Table;

/* Empties the table but keeps its memory. */
void table_clear(Table *table);
void table_free(Table *table);
/* Copies all of a table. ERR_MEMORY; then *to may have room but is not changed otherwise. */
Status table_copy(Table *to, const Table *from);
void table_encode(const Table *table, Bytes *out);
/* ERR_FORMAT unless every entry is one that a league of so many players can have, and no home is
 * without a match. */
Status table_check(const Table *table, size_t learning, size_t players);
/* With TABLE_SAME no entries are encoded; decoding then leaves those of *table as they are. The
 * reader stands behind the table, since checkpoints hold several. */
Status table_decode(Table *table, Reader *reader);
/* Reads tick, version and flags, and no further. */
Status table_decode_head(Table *table, Reader *reader);
/* Whether shares, and each home player's probabilities, sum to 1 (for invariants). */
bool table_is_whole(const Table *table);
/* Copies tick, version and flags alone. */
void table_head(Table *to, const Table *from);
uint32_t table_life(const Table *table, uint32_t player); /* 0 for players not in it */

/* Players that need neither training nor weights: opponents in evaluation lanes, under ids of their
 * own. */
enum { BUILTIN_FIRST = 0x7ffffff0, BUILTIN_RANDOM = BUILTIN_FIRST, BUILTIN_SCRIPTED, BUILTIN_END };
enum { BUILTINS = BUILTIN_END - BUILTIN_FIRST };
#define BUILTIN_NAMES "random|scripted"
static inline bool is_builtin(uint32_t player) {
  return player >= BUILTIN_FIRST && player < BUILTIN_END;
}
/* Whether an evaluation game can have it, in a league of so many players. */
static inline bool is_opponent(uint32_t player, size_t players) {
  return player < players || is_builtin(player);
}

/* --- experience --- */
/* UNROLLS: what an actor's lanes have recorded of one player in a tick, to the learner of the
 * player's group that this actor feeds; none if there is nothing. Also checked: the player is
 * learned there; the actor is on the rank that sent it; the tick is that actor's next, and comes
 * once; the versions of the unrolls are none of the future. */
typedef struct WireUnrolls {
  uint64_t tick;
  uint32_t player, actor;
  const void *batch; /* as batch_encode writes it; NULL when encoding: the sender appends it */
  size_t size;       /* bytes */
} WireUnrolls;
void unrolls_encode(const WireUnrolls *unrolls, Bytes *out);
/* Leaves the experience as it is: it is decoded when its tick is learned, by unrolls_batch. */
Status unrolls_decode(WireUnrolls *unrolls, Reader *body);
/* Appends the experience to a batch. ERR_FORMAT as batch_decode, ERR_MEMORY. */
Status unrolls_batch(const WireUnrolls *unrolls, Batch *batch);

/* TICK_END: the actor has sent all experience of a tick; to one learner of each group. Also
 * checked: the actor is on the rank that sent it; the tick is its next; in the deterministic paces
 * all actors say the same of the cut. */
typedef struct WireTickEnd {
  uint64_t tick;
  uint32_t actor;
  uint32_t flags;  /* of the tick's table: TABLE_SAVE, TABLE_STOP */
  uint64_t frames; /* decisions to learn from, of all players */
} WireTickEnd;
void tick_end_encode(const WireTickEnd *end, Bytes *out);
Status tick_end_decode(WireTickEnd *end, Reader *body);

/* CREDIT (pace free): after an update, the learners of group 0 tell each of their actors how many
 * of its ticks are consumed; one that is too far ahead waits. Also checked: it never falls, and is
 * of ticks that have been played. */
typedef struct WireCredit {
  uint64_t ticks;
} WireCredit;
void credit_encode(const WireCredit *credit, Bytes *out);
Status credit_decode(WireCredit *credit, Reader *body);

/* --- results --- */
/* RESULTS: what an actor has counted in a tick, to the league. An episode is a game of home with
 * each of its opponents: in training one in every other team, in evaluation one in all. Also
 * checked: the actor is on the
 * rank that sent it; the tick is its next; the players exist; the counts add up, and are no more
 * than its lanes can have played. */
typedef struct PairResults {
  uint32_t home, away, home_life, away_life;
  uint8_t seat; /* 0: home's team comes before the opponent's; with two teams: which one home has */
  uint8_t eval; /* counted apart from training */
  uint8_t branch;
  Tally tally;    /* home's; whole games, fewer than 2^32 */
  double outcome; /* sum of home's points, 0 .. 1 each */
  double away_return;
  double away_square;
  /* sum over home's wins of 1 / probability of the match when it was drawn (OpenAI Five's rule) */
  double wins_over_p;
  uint64_t length; /* env steps */
} PairResults;
typedef struct FrameCount {
  uint32_t player;
  uint64_t frames; /* learned from */
} FrameCount;
typedef struct Results {
  uint32_t actor;
  uint64_t tick;
  PairResults *pair;
  size_t pairs, pair_room;
  FrameCount *frame;
  size_t frames, frame_room;
  /* acted but not learned from; env steps; episodes ended */
  uint64_t decisions_frozen, steps, episodes;
  /* games of the job before that cannot go on: their env does not save them. In the first of a
   * job */
  uint64_t abandoned;
  double metric[MEASURES]; /* sums over episodes of what is measured of each (play/measures.h) */
  /* Episodes that began and ended at this stage of the curriculum, and the sum of what promotion
   * goes by over them. 0 where there is no curriculum. */
  uint32_t stage;
  uint64_t staged;
  double staged_sum;
  /* Share of the time since the results before in which the rank had nothing to do; -1: not
   * measured. */
  double waits;
} Results;
void results_clear(Results *results);
void results_free(Results *results);
/* The counts under the key's players, lives, seat, branch and kind, added if new; borrowed until
 * the next one is added. NULL without memory. */
PairResults *results_pair(Results *results, const PairResults *key);
/* Whether the games are those of so many episodes as ended, with so many opponents in training. */
bool results_add_up(const Results *results, size_t opponents);
/* Adds decisions that a player will learn from. ERR_MEMORY. */
Status results_frames(Results *results, uint32_t player, uint64_t frames);
void results_encode(const Results *results, Bytes *out);
Status results_decode(Results *results, Reader *body);

/* --- directives --- */
/* DIRECTIVE: what learners do after the update of a tick. In the deterministic paces one for each
 * tick; in pace free only when there is something to do. Also checked: its number and tick are the
 * next; its players are learning; it saves if the actors' tables said so. */
enum { DIRECTIVE_SAVE = 1, DIRECTIVE_STOP = 2 };
/* RESET_ADOPT: a player goes on as another one that learns, with all of its training. */
typedef enum ResetKind { RESET_NONE, RESET_INITIAL, RESET_COPY, RESET_ADOPT } ResetKind;
/* Numbers of section learner that each player may have its own of, to be tuned as it learns
 * (league/tune.h). */
#define TUNABLE_NAMES "rate|entropy|value_weight|clip_norm|lambda|reference"
typedef enum Tunable {
  TUNE_RATE,
  TUNE_ENTROPY,
  TUNE_VALUE_WEIGHT,
  TUNE_CLIP_NORM,
  TUNE_LAMBDA,
  TUNE_REFERENCE,
  TUNABLES
} Tunable;
typedef struct Order {
  uint32_t player;
  uint32_t snapshot_id;   /* 0 = none */
  uint32_t reset;         /* ResetKind */
  uint32_t source_frozen; /* RESET_COPY: id of a frozen player, its block follows; 0 = none */
  const float *block;     /* borrowed from the message when decoded */
  uint32_t source;        /* RESET_ADOPT: the player that is copied; as of the same directive */
  double tuned[TUNABLES]; /* RESET_ADOPT: what is learned by from then on; 0: not tuned */
} Order;
typedef struct Directive {
  uint64_t tick, number; /* number: of the directives of this job, from 0 */
  uint32_t flags;
  Order order[WIRE_LEARNERS];
  size_t orders;
} Directive;
void directive_encode(const Directive *directive, size_t block, Bytes *out);
Status directive_decode(Directive *directive, size_t block, Reader *body);

/* --- reports and profiles --- */

/* A number of an algorithm's own, by name. */
typedef struct NamedNumber {
  char name[24];
  double value;
} NamedNumber;
typedef struct Numbers {
  NamedNumber item[48];
  size_t count;
} Numbers;

/* Sets a number, in place of an earlier one of that name. */
void numbers_set(Numbers *numbers, const char *name, double value);
/* The number of that name; 0 if there is none. */
double numbers_get(const Numbers *numbers, const char *name);
bool numbers_has(const Numbers *numbers, const char *name);
void numbers_encode(const Numbers *numbers, Bytes *out);
void numbers_decode(Numbers *numbers, Reader *reader); /* a part of a body: sets reader->bad */

/* REPORT: what an update did, from the group's first learner to the league. Also checked: the
 * player is learned on that rank; version and dropped never fall. */
typedef struct WireReport {
  uint64_t tick;
  uint32_t player;
  uint64_t version;
  /* decisions of the player learned from, and thrown away, in its whole life */
  uint64_t frames, dropped;
  Numbers numbers; /* losses and the like; none where there was nothing to learn from */
} WireReport;
void report_encode(const WireReport *report, Bytes *out);
Status report_decode(WireReport *report, Reader *body);

/* BYE: an actor or a learner has done its last tick; where its time went. Also checked: it is that
 * role of that rank; it has not gone before; the job ends. */
typedef struct RoleProfile {
  char role[12]; /* actor, learner */
  uint32_t index;
  Numbers numbers;
} RoleProfile;
void profile_encode(const RoleProfile *profile, Bytes *out);
Status profile_decode(RoleProfile *profile, Reader *body);

/* --- states: cuts and resuming --- */
/* ACTOR_STATE: at a cut an actor sends the league each of its lanes, then a last piece with what it
 * has counted by itself in this job. Also checked: the actor is on the rank that sent it; a cut is
 * open that lacks its state; the lane is one of its own, and comes once; the counts are the sums of
 * its results. */
typedef struct WireActorState {
  uint32_t actor;
  uint32_t lane; /* (uint32_t)WIRE_NO_LANE: the last piece */
  /* of the lane, as the actor keeps it; NULL when encoding: the sender appends it */
  const void *state;
  size_t size; /* bytes */
  /* last piece only: decisions to learn from, games that ended, env steps */
  uint64_t acted, episodes, steps;
} WireActorState;
void actor_state_encode(const WireActorState *state, Bytes *out);
Status actor_state_decode(WireActorState *state, Reader *body);

/* RESTORE_LANE: before BEGIN, the league gives the lanes of a checkpoint back to whichever actor
 * has them now. Also checked: the job has not begun; the lane comes once; its state fits the env,
 * the net and the slots of a lane. */
typedef struct WireLane {
  uint32_t lane;
  const void *state; /* of an ACTOR_STATE */
  size_t size;       /* bytes */
} WireLane;
void lane_encode(const WireLane *lane, Bytes *out);
Status lane_decode(WireLane *lane, Reader *body);

/* LEARNER_STATE: at a cut, the first learner of a group sends the league each of its players. Also
 * checked: a cut is open that lacks it; the player is learned on that rank; a learner could go on
 * from it. RESTORE_PLAYER: before LEARN, the league gives it back to all learners of the group.
 * Also checked: the job has not begun; the player is learned there; its columns fit the net. */
typedef struct WirePlayerState {
  uint32_t player;
  /* columns, as tree_encode writes them; NULL when encoding: the sender appends them */
  const void *tree;
  size_t size; /* bytes */
} WirePlayerState;
void player_state_encode(const WirePlayerState *state, Bytes *out);
Status player_state_decode(WirePlayerState *state, Reader *body);

/* TRAINING: where a directive has a player go on as another one (RESET_ADOPT) that other learners
 * have, the first of these sends it to all learners of the player's group. Also checked: it comes
 * once; its columns fit the net. */
typedef struct WireTraining {
  uint64_t number;  /* of the directive */
  uint32_t player;  /* who is copied */
  const void *tree; /* as in WirePlayerState */
  size_t size;
} WireTraining;
void training_encode(const WireTraining *training, Bytes *out);
Status training_decode(WireTraining *training, Reader *body);

/* REPLAY_STATE: at a cut, where experience is kept, every learner sends the league what it keeps of
 * each of its players, lane by lane; the last piece is of no lane. Also checked: a cut is open that
 * lacks it; the player is learned on that rank; the lane comes once. RESTORE_REPLAY: before LEARN,
 * the league gives each lane back to the learner whose actors have its slot now, and the last piece
 * to all learners of the group. Also checked: the job has not begun; the player is learned there;
 * it is experience of this env and net. */
typedef struct WireReplay {
  uint32_t player;
  uint32_t lane; /* a seat of a slot (replay.h); (uint32_t)WIRE_NO_LANE: the last piece */
  /* A lane may be longer than a message: this one is part `part` of `parts`, which follow one
   * another. */
  uint32_t part;
  uint32_t parts;
  /* of the lane, or what is counted of all of it */
  const void *state;
  size_t size; /* bytes */
} WireReplay;
enum { REPLAY_PART = 1 << 22 /* bytes of a part at most */ };
/* REPLAY_TAKEN to the learner that sent a REPLAY_STATE: it is on the disk, and the next may come.
 * It has no body. Also checked: one is awaited. */
void replay_state_encode(const WireReplay *state, Bytes *out);
Status replay_state_decode(WireReplay *state, Reader *body);

/* BEGIN to actors, LEARN to learners: nothing more is restored; the job begins with this tick. Also
 * checked: it comes once, and before any table or weights of another tick. RESUME (pace free) to
 * actors held at a cut: it is saved, go on; it has no body. */
typedef struct WireStart {
  uint64_t tick;
} WireStart;
void start_encode(const WireStart *start, Bytes *out);
Status start_decode(WireStart *start, Reader *body);

/* --- sums over the learners of a group --- */
/* SUM_PART: what a member adds to the receiver's segment of a sum. SUM_WHOLE: the sender's segment,
 * summed. Also checked: the member is on the rank that sent it; the number is its next; the length
 * is the segment's. */
typedef struct WireSum {
  uint64_t number;
  uint32_t member; /* who sends it */
  uint32_t count;
  const float *value; /* (count) */
} WireSum;
void sum_encode(const WireSum *sum, Bytes *out);
Status sum_decode(WireSum *sum, Reader *body);

/* --- tournaments and walks --- */
/* MATCH: rank 0 deals a batch of paired games out to another rank; without pairs: nothing is left,
 * go home. Also checked: it is from rank 0; there is such a fixture; a batch is no larger than rank
 * 0 makes them. */
typedef struct WireMatch {
  uint32_t fixture, pairs;
  uint64_t first; /* number of the first pair */
} WireMatch;
void match_encode(const WireMatch *match, Bytes *out);
Status match_decode(WireMatch *match, Reader *body);

/* MATCH_RESULT: how they went. Also checked: the rank holds that batch; the counts add up to its
 * games. */
typedef struct WireMatchResult {
  WireMatch match;
  MatchTally tally;   /* of the fixture's first player */
  Measured measured;  /* of its games */
  const char *replay; /* lines of text, without an end */
  size_t size;        /* bytes of it */
} WireMatchResult;
void match_result_encode(const WireMatchResult *result, Bytes *out);
Status match_result_decode(WireMatchResult *result, Reader *body);

/* TREE_PART: a helper's share of the policies of a walk, to rank 0; back, without values: all
 * shares are here, begin the next. Also checked: one from each helper. */
typedef struct WireTreePart {
  const float *value; /* finite */
  size_t count;       /* decoding: so many there must be */
} WireTreePart;
void tree_part_encode(const WireTreePart *part, Bytes *out);
Status tree_part_decode(WireTreePart *part, Reader *body);

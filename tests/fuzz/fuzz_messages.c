/* Messages that arrive altered: some bits flipped or the end missing, as in transit; a field changed and the check sum
 * made to fit, as by a rank that is wrong; or the same message twice. The job ends, well or with a message; no rank
 * crashes, and none waits for ever. */
#include "fuzz.h"

#include "league/ledger.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 16, SUM_AT = 12 };

typedef enum Damage { FLIP, CUT, TWICE, FIELD, FIELDS, CUT_FIT, DAMAGES, CLAIM } Damage;

/* A count that a rank gets wrong, and the words that must name it. */
typedef struct Claim {
  WireKind kind;
  long at; /* of the body, or from its end */
  int64_t add;
  const char *says;
} Claim;

/* What one seed does, to which message. */
typedef struct Attack {
  AgonRng rng;
  Damage damage;
  WireKind kind;
  long which; /* the so manieth of its kind */
  long seen;
  const Claim *claim;
  Message *again; /* waits to arrive once more */
  int again_at;
} Attack;

static Attack *attack; /* the transport's table of operations has no context of its own */
static const TransportOps *plain;

static void fit_sum(Message *message) {
  Hash body = hash_bytes(message->data + HEADER, message->size - HEADER), head = hash_bytes(message->data, SUM_AT);
  uint32_t sum = (uint32_t)hash_join(head, body).low;
  memcpy(message->data + SUM_AT, &sum, sizeof sum);
}

static void change_field(Message *message) {
  size_t size = rng_below(&attack->rng, 2) ? 8 : 4, body = message->size - HEADER;
  if (body < size) return;
  size_t words = body / 4 - size / 4 + 1, most = words < 24 || rng_below(&attack->rng, 2) ? words : 24;
  size_t at = HEADER + 4 * rng_below(&attack->rng, (uint32_t)most);
  uint64_t value = 0;
  memcpy(&value, message->data + at, size);
  value = fuzz_number(&attack->rng, value);
  if (rng_below(&attack->rng, 6) == 0) {
    double real = fuzz_real(&attack->rng, 1);
    float half = (float)real;
    value = 0;
    memcpy(&value, size == 8 ? (void *)&real : (void *)&half, size);
  }
  memcpy(message->data + at, &value, size);
}

static void change_count(Message *message, const Claim *claim) {
  uint64_t value;
  uint8_t *at = message->data + (claim->at < 0 ? (long)message->size : HEADER) + claim->at;
  memcpy(&value, at, sizeof value);
  value += (uint64_t)claim->add;
  memcpy(at, &value, sizeof value);
  fit_sum(message);
}

/* The piece of an actor's state that holds counts is the one without a lane. */
static bool holds_counts(const Message *message) {
  uint32_t lane = 0;
  if (message->size == HEADER + 32) memcpy(&lane, message->data + HEADER + 4, sizeof lane);
  return attack->kind != WIRE_ACTOR_STATE || lane == UINT32_MAX;
}

static void damage(Message *message) {
  AgonRng *rng = &attack->rng;
  size_t body = message->size - HEADER;
  switch (attack->damage) {
  case FLIP:
    for (uint32_t n = 1 + rng_below(rng, 4); body && n > 0; n--)
      message->data[HEADER + rng_below(rng, (uint32_t)body)] ^= (uint8_t)(1u << rng_below(rng, 8));
    break;
  case CUT: message->size = rng_below(rng, (uint32_t)message->size); break;
  case CUT_FIT:
    if (body) message->size = HEADER + rng_below(rng, (uint32_t)body);
    fit_sum(message);
    break;
  case FIELDS: change_field(message); change_field(message); /* fall through */
  case FIELD:
    change_field(message);
    fit_sum(message);
    break;
  case CLAIM: change_count(message, attack->claim); break;
  default: break;
  }
}

static Message *receive(Transport *transport) {
  if (attack->again && attack->again_at == transport->rank) {
    Message *message = attack->again;
    attack->again = NULL;
    return message;
  }
  Message *message = plain->receive(transport);
  uint32_t kind = 0;
  if (!message || message->size < HEADER) return message;
  memcpy(&kind, message->data + 8, sizeof kind);
  if (kind != attack->kind || (attack->damage == CLAIM && !holds_counts(message))) return message;
  if (attack->seen++ != attack->which) return message;
  if (attack->damage != TWICE) {
    damage(message);
    return message;
  }
  attack->again = message_create(message->size);
  attack->again_at = transport->rank;
  memcpy(attack->again->data, message->data, message->size);
  attack->again->peer = message->peer;
  return message;
}

static void intercept(void *context, Transport *transport) {
  static TransportOps altered;
  (void)context;
  if (!plain) {
    plain = transport->ops;
    altered = *plain;
    altered.receive = receive;
  }
  transport->ops = &altered;
}

#define SMALL                                                                                                          \
  "net.hidden=[8]", "actors.slots=16", "actors.lanes=8", "actors.lane_episodes=4", "actors.unroll=8", "frames=2k",     \
      "league.frame_scale=1", "league.main_snapshot_max=400", "league.main_snapshot_min=200",                          \
      "league.exploiter_snapshot_max=600", "league.league_snapshot_max=600", "league.min_games=10",                    \
      "checkpoint.ticks=4", "metrics.seconds=1000"

static const char *const paces[] = {"pace=lockstep", "pace=pipelined", "pace=free"};

/* Experience of single agents, and of whole teams. */
static const char *const rows_of[] = {"ppo.rows=agent", "ppo.rows=team"};

/* Runs that are half done, one for each pace and kind of rows: for the messages that restore. */
static char half[COUNT_OF(rows_of)][COUNT_OF(paces)][64];

static int one_attack(void *context, uint64_t seed) {
  static Attack this;
  bool faulty = *(bool *)context; /* a faulty sender, not a faulty wire */
  AgonRng rng = rng_stream(seed, 1, 0, RNG_TEST);
  uint32_t pace = rng_below(&rng, 3), learners = 1 + rng_below(&rng, 2);
  bool resume = rng_below(&rng, 3) == 0;
  uint32_t teams = seed % 2;
  this = (Attack){.kind = (WireKind)(1 + rng_below(&rng, WIRE_SUM_WHOLE)), .again_at = -1};
  if (rng_below(&rng, 12) == 0) this.kind = WIRE_BYE;
  if (this.kind == WIRE_RESTORE_LANE || this.kind == WIRE_RESTORE_PLAYER) resume = true;
  if (this.kind == WIRE_RESUME) pace = 2;
  if (this.kind == WIRE_SUM_PART || this.kind == WIRE_SUM_WHOLE) learners = 2;
  this.damage = faulty ? FIELD + (Damage)rng_below(&rng, 3) : (Damage)rng_below(&rng, 3);
  this.which = rng_below(&rng, 2) ? (long)rng_below(&rng, 3) : (long)rng_below(&rng, 40);
  this.rng = rng;
  attack = &this;
  const char *pairs[] = {SMALL, paces[pace], learners == 2 ? "learner.ranks=2" : "learner.ranks=1",
                         learners == 2 ? "placement=shared" : "placement=split", rows_of[teams]};
  char folder[64];
  fuzz_folder(folder);
  if (resume) fuzz_shell("cp -r %s/. %s", half[teams][pace], folder);
  FuzzWorld world = {.pairs = pairs, .count = COUNT_OF(pairs), .ranks = 4, .seed = seed, .prepare = intercept};
  int code = fuzz_world(&world, folder);
  if (code == FUZZ_STUCK)
    fprintf(stderr, "stuck: %s, damage %d, number %ld, pace %u%s\n", wire_name(this.kind), this.damage, this.which,
            pace, resume ? ", resumed" : "");
  if (getenv("FUZZ_SHOW"))
    fprintf(stderr, "%s, damage %d, %s: %s\n", wire_name(this.kind), this.damage,
            this.seen > this.which ? "hit" : "not met", world.failed ? status_message() : "ended well");
  fuzz_folder_remove(folder);
  return code;
}

/* What is in the folder adds up, whatever a rank has said. */
static void check_written(const char *folder) {
  RunFolder run;
  Tree tree;
  uint64_t generation;
  CHECK_OK(run_lock(folder, &run));
  if (run_has_checkpoint(&run)) {
    CHECK_OK(run_read_checkpoint(&run, &tree, &generation));
    CHECK_OK(ledger_check(&tree));
    tree_free(&tree);
  }
  run_close(&run);
}

/* Counts that contradict others end the job with a message that names rank and count, in every build; those that only
 * a learner knows before the checkpoint is written, the others when they arrive. */
static void counts_that_contradict_are_named(void **state) {
  (void)state;
  const int64_t much = INT64_C(1) << 40;
  const Claim claim[] = {{WIRE_ACTOR_STATE, 8, 1, "decisions acted"},
                         {WIRE_ACTOR_STATE, 8, -1, "decisions acted"},
                         {WIRE_ACTOR_STATE, 16, 1, "episodes ended"},
                         {WIRE_ACTOR_STATE, 24, 1, "env steps made"},
                         {WIRE_RESULTS, 12, much, "decisions of frozen players"},
                         {WIRE_RESULTS, 20, much, "env steps, but a tick has"},
                         {WIRE_RESULTS, 20, -1, "env steps made"},
                         {WIRE_RESULTS, 28, 1, "episodes ended, but"},
                         {WIRE_RESULTS, -8, much, "decisions to learn from"},
                         {WIRE_RESULTS, -8, 1, "decisions acted"},
                         {WIRE_LEARNER_STATE, -64 + 24, 1, "learned from and dropped"},
                         {WIRE_LEARNER_STATE, -64 + 32, 1, "learned from and dropped"},
                         {WIRE_LEARNER_STATE, -64 + 16, much, "'counters', row 2"}};
  for (size_t i = 0; i < COUNT_OF(claim); i++)
    for (size_t p = 0; p < COUNT_OF(paces); p++) {
      static Attack this;
      char folder[64];
      const char *pairs[] = {SMALL, paces[p], rows_of[i % 2]};
      FuzzWorld world = {.pairs = pairs, .count = COUNT_OF(pairs), .ranks = 4, .seed = 1, .prepare = intercept};
      this = (Attack){.damage = CLAIM, .kind = claim[i].kind, .claim = &claim[i], .which = 3, .again_at = -1};
      attack = &this;
      fuzz_folder(folder);
      assert_int_equal(fuzz_world(&world, folder), FUZZ_DONE);
      const char *message = status_message();
      if (!world.failed || !strstr(message, "from rank ") || !strstr(message, claim[i].says))
        fail_msg("%s, %s: not '%s', but: %s", wire_name(claim[i].kind), paces[p], claim[i].says,
                 world.failed ? message : "nothing is said");
      assert_int_equal(world.status, ERR_FORMAT);
      check_written(folder);
      fuzz_folder_remove(folder);
    }
}

static uint64_t first = 1;
static long count = 40;

static void check(bool faulty) {
  FuzzTotals totals = fuzz_run(faulty ? "messages of a faulty rank" : "messages damaged on the way", one_attack,
                               &faulty, first, count, 1500);
  assert_int_equal(totals.crashed, 0);
  assert_int_equal(totals.stuck, 0);
  assert_int_equal(totals.greedy, 0);
}

static void damaged_messages_end_the_job(void **state) {
  (void)state;
  check(false);
}

static void wrong_messages_end_the_job(void **state) {
  (void)state;
  check(true);
}

static int begin_runs(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT_OF(paces) * COUNT_OF(rows_of); i++) {
    const char *pairs[] = {SMALL, paces[i / 2], rows_of[i % 2]};
    char *folder = half[i % 2][i / 2];
    fuzz_folder(folder);
    FuzzWorld world = {.pairs = pairs, .count = COUNT_OF(pairs), .ranks = 3, .seed = 1, .steps = 6000};
    assert_int_equal(fuzz_world(&world, folder), FUZZ_DONE);
    RunFolder run;
    CHECK_OK(run_open(folder, &run));
  }
  return 0;
}

int main(int argc, char **argv) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  fuzz_arguments(argc, argv, &first, &count);
  const struct CMUnitTest tests[] = {cmocka_unit_test(counts_that_contradict_are_named),
                                     cmocka_unit_test(damaged_messages_end_the_job),
                                     cmocka_unit_test(wrong_messages_end_the_job)};
  return cmocka_run_group_tests(tests, begin_runs, NULL);
}

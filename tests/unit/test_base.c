/* Foundation: random streams, byte strings, texts, files. */
#include "check.h"
#include "folder.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/processor.h"
#include "base/rng.h"
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Known answers of Philox4x32-10 from the Random123 library's kat_vectors. */
static void philox_known_answers(void **state) {
  (void)state;
  AgonRng zero = {0};
  const uint32_t first[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (int i = 0; i < 4; i++) assert_int_equal(rng_next(&zero), first[i]);
  AgonRng ones = {.key = UINT64_MAX, .stream = UINT32_MAX, .episode = UINT32_MAX, .counter = UINT64_MAX};
  const uint32_t second[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  for (int i = 0; i < 4; i++) assert_int_equal(rng_next(&ones), second[i]);
  AgonRng pi = {
      .key = 0x299f31d0a4093822u, .stream = 0x03707344, .episode = 0x13198a2e, .counter = 0x85a308d3243f6a88u};
  const uint32_t third[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  for (int i = 0; i < 4; i++) assert_int_equal(rng_next(&pi), third[i]);
}

static void what_a_processor_lacks_is_said(void **state) {
  (void)state;
  static const char flags[] = "flags\t\t: fpu avx2_more fma avx512f\n";
  char lacking[32], cut[8];
  assert_false(processor_lacks(flags, (const char *const[]){NULL}, lacking, sizeof lacking));
  assert_false(processor_lacks(flags, (const char *const[]){"fpu", "fma", "avx512f", NULL}, lacking, sizeof lacking));
  assert_string_equal(lacking, "");
  assert_true(processor_lacks(flags, (const char *const[]){"avx2", "fma", "more", NULL}, lacking, sizeof lacking));
  assert_string_equal(lacking, "avx2, more");
  assert_true(processor_lacks(flags, (const char *const[]){"avx2", "more", NULL}, cut, sizeof cut));
  assert_string_equal(cut, "avx2, m");
  assert_false(processor_lacks_any(lacking, sizeof lacking)); /* or this would not run */
}

/* The first four and the last but one are RFC 3720's, appendix B.4; then the check value of the catalogue of CRCs. */
static void crc_known_answers(void **state) {
  (void)state;
  static const uint8_t read_command[48] = {
      0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
  uint8_t zeros[32] = {0}, ones[32], rising[32], falling[32];
  memset(ones, 0xff, sizeof ones);
  for (uint8_t i = 0; i < 32; i++) {
    rising[i] = i;
    falling[i] = (uint8_t)(31 - i);
  }
  assert_int_equal(crc32c(zeros, 32), 0x8a9136aa);
  assert_int_equal(crc32c(ones, 32), 0x62a8ab43);
  assert_int_equal(crc32c(rising, 32), 0x46dd794e);
  assert_int_equal(crc32c(falling, 32), 0x113fdb5c);
  assert_int_equal(crc32c(read_command, 48), 0xd9963a56);
  assert_int_equal(crc32c("123456789", 9), 0xe3069283);
  assert_int_equal(crc32c("", 0), 0);
}

static void streams_differ_by_every_part_of_their_name(void **state) {
  (void)state;
  AgonRng stream[5] = {rng_stream(1, 2, 3, RNG_ENV), rng_stream(2, 2, 3, RNG_ENV), rng_stream(1, 3, 3, RNG_ENV),
                       rng_stream(1, 2, 4, RNG_ENV), rng_stream(1, 2, 3, RNG_ACT)};
  uint32_t value[5];
  for (int i = 0; i < 5; i++) value[i] = rng_next(&stream[i]);
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < i; j++) assert_int_not_equal(value[i], value[j]);
}

static void pick_follows_weights(void **state) {
  (void)state;
  AgonRng rng = rng_stream(5, 0, 0, RNG_TEST);
  const double weight[4] = {1, 0, 2, 1};
  int count[4] = {0};
  for (int i = 0; i < 40000; i++) count[rng_pick(&rng, weight, 4)]++;
  assert_int_equal(count[1], 0);
  CHECK_NEAR(count[0] / 40000.0, 0.25, 0.01);
  CHECK_NEAR(count[2] / 40000.0, 0.5, 0.01);
}

static void reader_never_runs_past_its_end(void **state) {
  (void)state;
  Bytes bytes = {0};
  char text[16];
  bytes_u32(&bytes, 7);
  bytes_text(&bytes, "hello");
  bytes_f64(&bytes, 1.5);
  for (size_t size = 0; size <= bytes.size; size++) {
    Reader reader = reader_over(bytes.data, size);
    uint32_t number = reader_u32(&reader);
    reader_text(&reader, text, sizeof text);
    double real = reader_f64(&reader);
    assert_int_equal(reader_finish(&reader, "x") == OK, size == bytes.size);
    if (size < bytes.size) continue;
    assert_int_equal(number, 7);
    assert_string_equal(text, "hello");
    assert_true(real == 1.5);
  }
  Reader greedy = reader_over("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  assert_int_equal(reader_count(&greedy, 8), 0);
  assert_true(greedy.bad);
  bytes_free(&bytes);
}

static void numbers_are_read_whole_or_not_at_all(void **state) {
  (void)state;
  int64_t whole;
  double real;
  assert_true(text_to_int("12", &whole) && whole == 12);
  assert_true(text_to_int("20M", &whole) && whole == 20000000);
  assert_true(text_to_int("1e6", &whole) && whole == 1000000);
  assert_true(text_to_int("9007199254740993", &whole) && whole == 9007199254740993);
  assert_false(text_to_int("4x", &whole));
  assert_false(text_to_int("1.5", &whole));
  assert_false(text_to_int("", &whole));
  assert_true(text_to_float("2.5k", &real) && real == 2500);
  assert_false(text_to_float("nan", &real));
  assert_false(text_to_float("1.0.0", &real));
}

static void times_are_read_as_people_and_slurm_write_them(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double seconds;
  } good[] = {{"90", 90},        {"2.5", 2.5},         {"20s", 20},      {"5m", 300},         {"2h", 7200},
              {"1.5h", 5400},    {"1h30m", 5400},      {"2d", 172800},   {"1d1s", 86401},     {"90:00", 5400},
              {"1:30:00", 5400}, {"100:00:00", 3.6e5}, {"1-12", 129600}, {"1-12:30", 131400}, {"1-12:00:00", 129600},
              {"0", 0},          {"10k", 10000}};
  static const char *const bad[] = {"",     "m",      "5x",      "5m5",  "30m1h",     "5mm",  "-5m", "1:2:3:4",
                                    "1:60", "1:0:60", "1:60:00", "1-24", "1-1:60:00", "1-",   "-1",  ":30",
                                    "1::2", "1-2-3",  "1:30-2",  "inf",  "1e400s",    "0x1m", "5 m", "1:1.5"};
  double seconds;
  for (size_t i = 0; i < COUNT_OF(good); i++) {
    if (!text_to_seconds(good[i].text, &seconds)) fail_msg("'%s' is a time", good[i].text);
    if (fabs(seconds - good[i].seconds) > 1e-9) fail_msg("'%s' is not %g s", good[i].text, seconds);
  }
  for (size_t i = 0; i < COUNT_OF(bad); i++)
    if (text_to_seconds(bad[i], &seconds) && seconds >= 0) fail_msg("'%s' is no time", bad[i]);
}

static void a_wrong_suffix_is_asked_back(void **state) {
  (void)state;
  char meant[80];
  assert_true(text_scale_meant("20m", meant, sizeof meant));
  assert_string_equal(meant, "20M (million)");
  assert_true(text_scale_meant("1.5b", meant, sizeof meant));
  assert_string_equal(meant, "1.5G (billion)");
  assert_true(text_scale_meant("3K", meant, sizeof meant));
  assert_string_equal(meant, "3k (thousand)");
  static const char *const none[] = {"", "m", "20", "20x", "xm", "20kb", "--m"};
  for (size_t i = 0; i < COUNT_OF(none); i++) assert_false(text_scale_meant(none[i], meant, sizeof meant));
}

static void suggestions_share_two_thirds_of_the_letters(void **state) {
  (void)state;
  size_t distance;
  assert_int_equal(text_distance("trian", "train"), 1); /* a swap is one slip */
  assert_int_equal(text_distance("ab", "ba"), 1);
  assert_int_equal(text_distance("", "abc"), 3);
  assert_true(text_is_near("trian", "train", &distance));
  assert_true(text_is_near("hiden", "hidden", &distance));
  assert_true(text_is_near("rat", "rate", &distance));
  assert_false(text_is_near("lr", "rate", &distance));
  assert_false(text_is_near("ra", "rate", &distance));
  assert_false(text_is_near("", "a", &distance));
  assert_false(text_is_near("kitten", "sitting", &distance));
}

static void items_of_lists_lose_the_spaces_around_them(void **state) {
  (void)state;
  char out[16];
  CHECK_OK(text_item("  main_0 , x", 9, out, sizeof out));
  assert_string_equal(out, "main_0");
  CHECK_OK(text_item("   ", 3, out, sizeof out));
  assert_string_equal(out, "");
  CHECK_OK(text_item("a b", 3, out, sizeof out));
  assert_string_equal(out, "a b");
}

/* What a shell makes of it must be the text again. */
static void text_for_a_shell(void **state) {
  (void)state;
  static const char *const plain[] = {"runs/tic_tac_toe", "./a-b.so", "/tmp/x:y@1,2=3%4+5~"};
  static const char *const special[] = {"my runs", "", "~", "it's", "''", "a$HOME", "a;b&c|d>e<f", "`x`", "a\\b",
                                        "\"", "*?[a]", "!", "#x", "a\nb", "caf\xc3\xa9", "(x)", "{a,b}"};
  char out[64], command[96], back[64];
  for (size_t i = 0; i < COUNT_OF(plain); i++)
    assert_string_equal(text_quoted(plain[i], out, sizeof out), plain[i]);
  for (size_t i = 0; i < COUNT_OF(special); i++) {
    const char *quoted = text_quoted(special[i], out, sizeof out);
    assert_ptr_equal(quoted, out);
    snprintf(command, sizeof command, "printf '%%s' %s", quoted);
    FILE *shell = popen(command, "r");
    assert_non_null(shell);
    back[fread(back, 1, sizeof back - 1, shell)] = 0;
    assert_int_equal(pclose(shell), 0);
    assert_string_equal(back, special[i]);
  }
  /* too small for the quoted text, in which nothing is written behind the end */
  for (size_t size = 0; size < 10; size++) {
    memset(out, '?', sizeof out);
    assert_string_equal(text_quoted("it's", out, size), "it's");
    assert_true(out[size] == '?');
  }
  assert_string_equal(text_quoted("it's", out, 10), "'it'\\''s'");
}

/* A byte of no letter of UTF-8 becomes a '?', whatever stands around it; letters stay. */
static void text_is_mended(void **state) {
  (void)state;
  static const char *const pair[][2] = {
      {"", ""}, {"caf\xc3\xa9", "caf\xc3\xa9"}, {"caf\xe9", "caf?"}, {"\xe9t\xe9", "?t?"},
      {"\xe2\x82\xac \xf0\x9f\x8e\xb2", "\xe2\x82\xac \xf0\x9f\x8e\xb2"},
      {"\xe2\x82", "??"}, {"\xf0\x9f\x8ex", "???x"}, {"\xc0\xaf", "??"}, {"\xe0\x80\xaf", "???"}, /* longer than needed */
      {"\xed\xa0\x80", "???"}, {"\xf4\x90\x80\x80", "????"}, {"\xff\xfe", "??"}, {"\x80", "?"},
  };
  for (size_t i = 0; i < COUNT_OF(pair); i++) {
    char text[32];
    snprintf(text, sizeof text, "%s", pair[i][0]);
    text_mend(text);
    assert_string_equal(text, pair[i][1]);
  }
}

static void text_helpers(void **state) {
  (void)state;
  char out[16];
  assert_int_equal(text_distance("kitten", "sitting"), 3);
  assert_int_equal(text_choice("a|bc|d", "bc"), 1);
  assert_int_equal(text_choice("a|bc|d", "b"), -1);
  assert_string_equal(text_choice_name("a|bc|d", 1, out, sizeof out), "bc");
  assert_string_equal(text_scaled(12345, out, sizeof out), "12.3 k");
  char time[24];
  assert_string_equal(text_duration(89, time, sizeof time), "89 s");
  assert_string_equal(text_duration(720, time, sizeof time), "12 min");
  assert_string_equal(text_duration(12000, time, sizeof time), "3 h 20 min");
  assert_string_equal(text_duration(2 * 86400 + 4.9 * 3600, time, sizeof time), "2 d 4 h");
  assert_string_equal(text_duration(NAN, time, sizeof time), "n/a");
  assert_int_equal(text_format(out, 4, "%s", "long text"), ERR_USAGE);
}

static void locks_are_exclusive_between_processes(void **state) {
  (void)state;
  char folder[FOLDER_PATH], path[FOLDER_PATH + 8];
  int fd;
  folder_make(folder);
  snprintf(path, sizeof path, "%s/lock", folder);
  CHECK_OK(file_lock(path, &fd));
  char command[512];
  snprintf(command, sizeof command,
           "flock -n %s true 2>/dev/null; python3 -c \"import "
           "fcntl;fcntl.lockf(open('%s','w'),fcntl.LOCK_EX|fcntl.LOCK_NB)\" 2>/dev/null",
           path, path);
  assert_int_not_equal(system(command), 0);
  close(fd);
  assert_int_equal(system(command), 0);
}

static void hashes_depend_on_order(void **state) {
  (void)state;
  Hash a = hash_bytes("a", 1), b = hash_bytes("b", 1);
  Hash ab = hash_join(a, b), ba = hash_join(b, a);
  assert_memory_not_equal(&ab, &ba, sizeof ab);
}

static char seen[8][64];
static size_t sights;
static void note(const char *what, const char *path) {
  assert_true(sights < COUNT_OF(seen));
  snprintf(seen[sights++], sizeof seen[0], "%s %s", what, strrchr(path, '/') + 1);
}
static int watched_create(const char *path) {
  note("create", path);
  return 0;
}
static int watched_sync(int descriptor, const char *path) {
  note("sync", path);
  return fsync(descriptor);
}
static int watched_rename(const char *from, const char *to) {
  note("rename", from);
  return rename(from, to);
}

/* What a power cut can meet: the contents are on the disk before the name is, and the name before OK is returned. */
static void contents_are_synced_before_they_get_their_name(void **state) {
  (void)state;
  static const FileOps watch = {watched_create, watched_sync, watched_rename, unlink};
  char folder[FOLDER_PATH], path[FOLDER_PATH + 8], last[32];
  const char *const expected[] = {"create x.new", "sync x.new", "rename x.new", last};
  folder_make(folder);
  snprintf(path, sizeof path, "%s/x", folder);
  snprintf(last, sizeof last, "sync %s", strrchr(folder, '/') + 1);
  file_set_ops(&watch);
  sights = 0;
  CHECK_OK(file_write_durable(path, "abc", 3));
  file_set_ops(NULL);
  assert_int_equal(sights, COUNT_OF(expected));
  for (size_t i = 0; i < sights; i++) assert_string_equal(seen[i], expected[i]);
}

/* What tests leave behind goes with the program, however it ends, unless somebody wants to look at it. */
static void folders_of_tests_go_whatever_happens(void **state) {
  (void)state;
  enum { RETURNS, ABORTS, KILLED, KEEPS, ENDS };
  for (int how = 0; how < ENDS; how++) {
    int told[2];
    char root[sizeof folder_root], path[FOLDER_PATH];
    assert_int_equal(pipe(told), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      folder_root[0] = 0;
      if (how == KEEPS) setenv("AGON_TEST_KEEP", "1", 1);
      if (how == KEEPS && !freopen("/dev/null", "w", stderr)) _exit(3);
      folder_make(path);
      if (write(told[1], folder_root, sizeof folder_root) < 0) _exit(3);
      if (how == KILLED) kill(getpid(), SIGKILL);
      if (how == ABORTS) abort();
      _exit(1);
    }
    assert_int_equal(read(told[0], root, sizeof root), (int)sizeof root);
    close(told[0]);
    close(told[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    for (int wait = 0; wait < (how == KEEPS ? 20 : 1000) && access(root, F_OK) == 0; wait++) usleep(10000);
    assert_int_equal(access(root, F_OK) == 0, how == KEEPS);
    if (how == KEEPS) folder_remove(root);
  }
}

static void keep_breach(void *context, const Breach *breach) { *(Breach *)context = *breach; }

static void broken_invariants_reach_their_handler(void **state) {
  (void)state;
  Breach breach = {.line = 0};
  invariant_set_handler(keep_breach, &breach);
  invariant_place(3, 17);
  INVARIANT(1 + 1 == 2);
  assert_int_equal(breach.line, 0);
  INVARIANT(1 + 1 == 3);
#ifdef AGON_CHECKED
  assert_string_equal(breach.condition, "1 + 1 == 3");
#else
  assert_int_equal(breach.line, 0);
  invariant_broken("1 + 1 == 3", __FILE__, __LINE__);
#endif
  assert_int_equal(breach.rank, 3);
  assert_int_equal(breach.tick, 17);
  assert_non_null(strstr(breach.file, "test_base.c"));
  invariant_set_handler(breach_fails_the_test, NULL);
  float bad[3] = {1, INFINITY, 2};
  assert_false(finite_floats(bad, 3));
  bad[1] = NAN;
  assert_false(finite_floats(bad, 3));
  assert_true(finite_floats(bad + 2, 1));
}

static int64_t read_number(void *context) { return *(int64_t *)context; }

/* Whatever the clock below does: what has passed is never negative, and is counted on from where it was set back. */
static void a_steady_clock_never_goes_back(void **state) {
  (void)state;
  int64_t below = 1000;
  SteadyClock steady;
  Clock clock = clock_steady(&steady, (Clock){read_number, &below});
  assert_int_equal(clock_now(&clock), 1000);
  const int64_t set[] = {1500, 200, 700, 700, -4000, 9000}, shown[] = {1500, 1500, 2000, 2000, 2000, 15000};
  for (size_t i = 0; i < COUNT_OF(set); i++) {
    below = set[i];
    assert_int_equal(clock_now(&clock), shown[i]);
  }
}

/* Wherever it stands in rows of any length, which are read in blocks; signed zeros and the largest numbers are finite.
 */
static void what_is_no_number_is_found(void **state) {
  (void)state;
  const double none[] = {(double)INFINITY, -(double)INFINITY, (double)NAN, -(double)NAN};
  float f[41] = {0};
  double d[41] = {0};
  for (size_t count = 0; count <= COUNT_OF(f); count++) {
    for (size_t i = 0; i < count; i++) {
      f[i] = i % 3 == 0 ? -0.0f : i % 3 == 1 ? -FLT_MAX : FLT_MIN / 2;
      d[i] = i % 3 == 0 ? -0.0 : i % 3 == 1 ? DBL_MAX : DBL_MIN / 2;
    }
    assert_true(finite_floats(f, count) && finite_doubles(d, count));
    for (size_t i = 0; i < count * COUNT_OF(none); i++) {
      float was = f[i / COUNT_OF(none)];
      double also = d[i / COUNT_OF(none)];
      f[i / COUNT_OF(none)] = (float)none[i % COUNT_OF(none)];
      d[i / COUNT_OF(none)] = none[i % COUNT_OF(none)];
      assert_false(finite_floats(f, count) || finite_doubles(d, count));
      f[i / COUNT_OF(none)] = was;
      d[i / COUNT_OF(none)] = also;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_known_answers),
      cmocka_unit_test(crc_known_answers),
      cmocka_unit_test(what_a_processor_lacks_is_said),
      cmocka_unit_test(what_is_no_number_is_found),
      cmocka_unit_test(streams_differ_by_every_part_of_their_name),
      cmocka_unit_test(pick_follows_weights),
      cmocka_unit_test(reader_never_runs_past_its_end),
      cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
      cmocka_unit_test(times_are_read_as_people_and_slurm_write_them),
      cmocka_unit_test(a_wrong_suffix_is_asked_back),
      cmocka_unit_test(suggestions_share_two_thirds_of_the_letters),
      cmocka_unit_test(items_of_lists_lose_the_spaces_around_them),
      cmocka_unit_test(text_for_a_shell),
      cmocka_unit_test(text_is_mended), cmocka_unit_test(text_helpers),
      cmocka_unit_test(a_steady_clock_never_goes_back),
      cmocka_unit_test(locks_are_exclusive_between_processes),
      cmocka_unit_test(hashes_depend_on_order),
      cmocka_unit_test(contents_are_synced_before_they_get_their_name),
      cmocka_unit_test(folders_of_tests_go_whatever_happens),
      cmocka_unit_test(broken_invariants_reach_their_handler),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

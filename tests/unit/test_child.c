/* Programs that are run with a time limit: their ends, their words, and that nobody waits for what hangs. */
#include "check.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ChildEnd run_shell(const char *script, double seconds) {
  Words words = {0};
  ChildEnd end;
  CHECK_OK(words_add(&words, "sh"));
  CHECK_OK(words_add(&words, "-c"));
  CHECK_OK(words_add(&words, "%s", script));
  CHECK_OK(child_run(&words, seconds, NULL, &end));
  words_free(&words);
  return end;
}

static void ends_and_words(void **state) {
  (void)state;
  ChildEnd end = run_shell("echo one; echo two >&2; exit 5", 60);
  assert_int_equal(end.code, 5);
  assert_string_equal(end.text, "one\ntwo\n");
  assert_false(end.late);
  free(end.text);
  end = run_shell("kill -TERM $$", 60);
  assert_int_equal(end.code, 128 + SIGTERM);
  free(end.text);
  end = run_shell("read line; echo \"$? $line\"", 60); /* its input is empty: it does not wait for a terminal */
  assert_string_equal(end.text, "1 \n");
  free(end.text);
  Words words = {0};
  CHECK_OK(words_add(&words, "no-such-program-%d", 7));
  CHECK_OK(child_run(&words, 60, NULL, &end));
  assert_int_equal(end.code, 127);
  assert_string_equal(end.text, strerror(ENOENT));
  free(end.text);
  words_free(&words);
}

/* Whoever started this program ignored the ends of its children, which is inherited. */
static void ends_are_heard(void **state) {
  (void)state;
  int pid;
  int code = 0;
  Words words = {0};
  signal(SIGCHLD, SIG_IGN);
  ChildEnd end = run_shell("exit 5", 5);
  assert_false(end.late);
  assert_int_equal(end.code, 5);
  free(end.text);
  signal(SIGCHLD, SIG_IGN);
  CHECK_OK(words_split(&words, "sh -c 'exit 6'"));
  CHECK_OK(child_start(&words, NULL, "/dev/null", &pid));
  for (int i = 0; i < 6000 && !child_ended(pid, &code); i++)
    usleep(10000);
  assert_int_equal(code, 6);
  /* it has been taken: nobody waits for it for ever */
  assert_true(child_ended(pid, &code));
  assert_int_equal(code, CHILD_UNTOLD);
  words_free(&words);
}

/* The process whose number is the first line of a text is gone, or will be at once. */
static void check_gone(char *text) {
  int64_t pid = 0;
  text[strcspn(text, "\n")] = 0;
  assert_true(text_to_int(text, &pid) && pid > 1);
  for (int i = 0; i < 1000 && !kill((pid_t)pid, 0); i++)
    usleep(10000);
  assert_true(kill((pid_t)pid, 0) && errno == ESRCH);
}

/* As launchers put their ranks: each in a group of its own, and what they start in others. */
static void other_groups_are_killed(void **state) {
  (void)state;
  ChildEnd end = run_shell("setsid sh -c 'setsid sleep 1000 & echo $!; wait' & wait", 0.5);
  assert_true(end.late);
  check_gone(end.text);
  free(end.text);
}

static void told_to_stop(void **state) {
  (void)state;
  const Clock clock = clock_system();
  const int64_t began = clock_now(&clock);
  const volatile sig_atomic_t stop = 1;
  ChildEnd end;
  Words words = {0};
  CHECK_OK(words_split(&words, "sleep 1000"));
  CHECK_OK(child_run(&words, 500, &stop, &end));
  assert_true(end.late);
  assert_true(clock_seconds(clock_now(&clock) - began) < 100);
  free(end.text);
  words_free(&words);
}

static void check_words(const char *line, size_t count, const char *const *want) {
  Words words = {0};
  CHECK_OK(words_split(&words, line));
  assert_int_equal(words.count, count);
  for (size_t i = 0; i < count; i++)
    assert_string_equal(words.word[i], want[i]);
  words_free(&words);
}

static void lines_are_taken_apart(void **state) {
  (void)state;
  Words words = {0};
  check_words("  a  -n 2 ", 3, (const char *const[]){"a", "-n", "2"});
  check_words("'my mpi/mpirun' \"x 'y'\" b\\ c", 3, (const char *const[]){"my mpi/mpirun", "x 'y'", "b c"});
  check_words("a'b c'd '' '\\'", 3, (const char *const[]){"ab cd", "", "\\"});
  check_words("", 0, NULL);
  assert_int_equal(words_split(&words, "mpirun 'a b"), ERR_USAGE);
  words_free(&words);
}

/* The limits here are far apart: a slow machine changes nothing. */
static void what_hangs_is_killed(void **state) {
  (void)state;
  const Clock clock = clock_system();
  int64_t began = clock_now(&clock);
  ChildEnd end = run_shell("trap '' TERM INT; sleep 1000 & echo $!; wait", 0.5);
  assert_true(end.late);
  assert_int_equal(end.code, 128 + SIGKILL);
  assert_true(clock_seconds(clock_now(&clock) - began) < 100);
  check_gone(end.text); /* what it had started itself */
  free(end.text);
  began = clock_now(&clock);
  end = run_shell("sleep 1000 & echo $!", 500); /* it has ended; what it left holds its output open */
  assert_int_equal(end.code, 0);
  assert_true(clock_seconds(clock_now(&clock) - began) < 100);
  check_gone(end.text);
  free(end.text);
}

static void much_is_cut(void **state) {
  (void)state;
  ChildEnd end = run_shell("yes 0123456789 | head -c 4000000", 60);
  assert_int_equal(end.code, 0);
  assert_true(strlen(end.text) > 1000000 && strlen(end.text) < 1100000);
  free(end.text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ends_and_words),
      cmocka_unit_test(ends_are_heard),
      cmocka_unit_test(other_groups_are_killed),
      cmocka_unit_test(told_to_stop),
      cmocka_unit_test(lines_are_taken_apart),
      cmocka_unit_test(what_hangs_is_killed),
      cmocka_unit_test(much_is_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

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
  CHECK_OK(child_run(&words, seconds, &end));
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
  CHECK_OK(child_run(&words, 60, &end));
  assert_int_equal(end.code, 127);
  assert_string_equal(end.text, strerror(ENOENT));
  free(end.text);
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
  int64_t pid = 0; /* of what it had started itself: gone with it */
  end.text[strcspn(end.text, "\n")] = 0;
  assert_true(text_to_int(end.text, &pid) && pid > 1);
  for (int i = 0; i < 1000 && !kill((pid_t)pid, 0); i++)
    usleep(10000);
  assert_true(kill((pid_t)pid, 0) && errno == ESRCH);
  free(end.text);
  began = clock_now(&clock);
  end = run_shell("sleep 1000 & echo $!", 500); /* it has ended; what it left holds its output open */
  assert_int_equal(end.code, 0);
  assert_true(clock_seconds(clock_now(&clock) - began) < 100);
  end.text[strcspn(end.text, "\n")] = 0;
  if (text_to_int(end.text, &pid) && pid > 1) kill((pid_t)pid, SIGKILL);
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
      cmocka_unit_test(what_hangs_is_killed),
      cmocka_unit_test(much_is_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Whether players can go on from a checkpoint, asked before a job says or starts anything: by the
 * algorithm that they have learned by, by another one, from a file that lacks something. */
#include "check.h"
#include "folder.h"
#include "learn.h"
#include "plain.h"

#include "base/file.h"
#include "base/log.h"
#include "job/job.h"
#include "job/resume.h"
#include "learner/columns.h"

static const char *const names[] = {"main_0", "main_exploiter_0", "main_0-000000"};
enum { LEARNING = 2 }; /* the last is frozen, and has no columns of its own */

/* A checkpoint of players that learn by b's algorithm, as far as it is looked at here. */
static void make_checkpoint(const Bench *b, Tree *out) {
  static const uint32_t frozen[] = {0, 0, 1};
  char list[COUNT_OF(names)][24] = {""};
  *out = (Tree){0};
  for (size_t i = 0; i < COUNT_OF(names); i++)
    snprintf(list[i], sizeof list[i], "%s", names[i]);
  CHECK_OK(tree_put_texts(out, "league/name", COUNT_OF(names), sizeof *list, *list));
  CHECK_OK(tree_put(out, "league/frozen", STORE_U32, COUNT_OF(frozen), 1, frozen));
  for (size_t i = 0; i < LEARNING; i++) {
    Tree part = {0};
    CHECK_OK(columns_put(b->net, false, &b->pupil, &part));
    for (size_t k = 0; k < part.items; k++) {
      const Item *item = &part.item[k];
      char path[STORE_PATH];
      snprintf(path, sizeof path, "players/%.20s/%.40s", names[i], item->path);
      CHECK_OK(tree_put(out, path, item->type, item->count, item->width, item->data));
    }
    tree_free(&part);
  }
}

/* Gives the column a name under which nobody looks for it. */
static void hide(Tree *tree, const char *path) {
  for (size_t i = 0; i < tree->items; i++)
    if (!strcmp(tree->item[i].path, path)) {
      snprintf(tree->item[i].path, STORE_PATH, "elsewhere");
      return;
    }
  fail_msg("there is no column '%s'", path);
}

static char line[1024]; /* the log's last */

static void keep_line(void *context, const char *text) {
  (void)context;
  snprintf(line, sizeof line, "%s", text);
}

static void players_go_on_as_they_were(void **state) {
  (void)state;
  Bench b;
  Tree tree;
  const AlgoOps *const algo[] = {&plain, algo_ops(0)};
  for (size_t i = 0; i < COUNT_OF(algo); i++) {
    open_bench(&b, algo[i], 0, false);
    make_checkpoint(&b, &tree);
    *line = 0;
    CHECK_OK(resume_check_players(&tree, b.made, b.made, "runs/x"));
    assert_string_equal(line, "");
    tree_free(&tree);
    close_bench(&b);
  }
}

/* It needs parts that nobody has: that is what is asked for, and not a fault of the file. */
static void another_algorithm_may_need_what_is_not_there(void **state) {
  (void)state;
  Bench b;
  Bench other;
  Tree tree;
  open_bench(&b, algo_ops(0), 0, false);
  open_bench(&other, &plain, 0, false);
  make_checkpoint(&b, &tree);
  assert_int_equal(resume_check_players(&tree, b.made, other.made, "runs/x"), ERR_USAGE);
  char says[128];
  snprintf(says, sizeof says, "main_0 has learned by %s in runs/x, and cannot go on by plain",
           algo_ops(0)->name);
  if (!strstr(status_message(), says)) fail_msg("not '%s', but: %s", says, status_message());
  assert_non_null(strstr(status_message(), "'guess' is missing"));
  assert_non_null(strstr(status_message(), "--run-dir OTHER"));
  tree_free(&tree);
  close_bench(&b);
  close_bench(&other);
}

/* What it has no use for is lost with the next checkpoint, which is said. */
static void another_algorithm_leaves_parts_behind(void **state) {
  (void)state;
  Bench b;
  Bench other;
  Tree tree;
  open_bench(&b, &plain, 0, false);
  open_bench(&other, algo_ops(0), 0, false);
  make_checkpoint(&b, &tree);
  *line = 0;
  CHECK_OK(resume_check_players(&tree, b.made, other.made, "runs/x"));
  assert_non_null(strstr(line, LOG_WARNING "main_0 (and 1 more) has in runs/x"));
  assert_non_null(strstr(line, "guess, guess_m, guess_v, guess_slow"));
  tree_free(&tree);
  close_bench(&b);
  close_bench(&other);
}

/* What is open of unfinished games has rows as the algorithm before wanted them. Without any there
 * is nothing in the way. */
static void rows_stay_as_they_are_while_games_are_unfinished(void **state) {
  (void)state;
  static const RowFormat format[] = {
      {.cells = 1}, {.cells = 2, .flags = true}, {.cells = 2, .flags = true, .global = 3}};
  static const char *const words[] = {"rows of single agents",
                                      "rows of whole teams, without the global state",
                                      "rows of whole teams, with 3 numbers of the global state"};
  static const uint32_t lanes[] = {0, 1};
  Bench b[COUNT_OF(format)];
  for (size_t i = 0; i < COUNT_OF(format); i++)
    open_bench_with(&b[i], algo_ops(0), 0, false, &format[i]);
  for (size_t count = 0; count <= 2; count += 2) {
    Tree tree = {0};
    CHECK_OK(tree_put(&tree, "lanes/id", STORE_U32, count, 1, lanes));
    for (size_t i = 0; i < COUNT_OF(format); i++)
      for (size_t k = 0; k < COUNT_OF(format); k++) {
        Status status = resume_check_rows(&tree, b[i].made, b[k].made, "runs/x");
        assert_int_equal(status, count && i != k ? ERR_USAGE : OK);
        if (status == OK) continue;
        assert_non_null(strstr(status_message(), "unfinished games of runs/x"));
        assert_non_null(strstr(status_message(), words[i]));
        assert_non_null(strstr(status_message(), words[k]));
      }
    tree_free(&tree);
  }
  for (size_t i = 0; i < COUNT_OF(format); i++)
    close_bench(&b[i]);
}

static void a_file_at_fault_is_named_with_the_player(void **state) {
  (void)state;
  static const char *const lacks[] = {"guess", "guess_v", "policy_acting", "counters"};
  Bench b;
  open_bench(&b, &plain, 0, false);
  for (size_t i = 0; i < COUNT_OF(lacks); i++) {
    Tree tree;
    char path[STORE_PATH];
    char says[64];
    make_checkpoint(&b, &tree);
    tree.origin = strdup("x/000001.h5");
    snprintf(path, sizeof path, "players/main_exploiter_0/%s", lacks[i]);
    hide(&tree, path);
    assert_int_equal(resume_check_players(&tree, b.made, b.made, "runs/x"), ERR_FORMAT);
    snprintf(says, sizeof says, "dataset '%s' is missing", lacks[i]);
    assert_non_null(strstr(status_message(), says));
    assert_non_null(strstr(status_message(), "player main_exploiter_0: x/000001.h5: "));
    tree_free(&tree);
  }
  close_bench(&b);
}

/* A transport of one rank, which does not get further than to what it starts with. */
static Status start_alone(Transport *transport, void **bytes, size_t *size) {
  (void)transport;
  (void)bytes;
  (void)size;
  return OK;
}

/* Takes the section of an algorithm that this program may be built without out of a stored
 * configuration. */
static void leave_out(Tree *tree, const char *algorithm) {
  char head[64];
  char *text = tree_find(tree, "config")->data;
  snprintf(head, sizeof head, "\n%s:\n", algorithm);
  char *from = strstr(text, head);
  if (!from || algo_find(algorithm)) return;
  char *to = from + strlen(head);
  while (*to == ' ') to = strchr(to, '\n') + 1;
  memmove(from + 1, to, strlen(to) + 1);
}

/* The same through the front door: a real run, one of whose players lacks a column. Nothing is said
 * but the reason, nothing is written, and the code is that of a damaged file. */
static void a_job_does_not_start_on_it(void **state) {
  (void)state;
  char folder[FOLDER_PATH];
  char command[512];
  char path[128];
  char *said = NULL;
  char *shown = NULL;
  size_t said_size = 0;
  size_t shown_size = 0;
  Tree tree;
  JobResult result;
  const TransportOps ops = {.start_broadcast = start_alone};
  Transport transport = {.ops = &ops, .rank = 0, .size = 1};
  folder_make(folder);
  snprintf(command, sizeof command, "cp -r %s/tests/end_to_end/old_runs/tic_tac_toe/* %s",
           TEST_SOURCE_DIR, folder);
  assert_int_equal(system(command), 0);
  snprintf(path, sizeof path, "%s/checkpoints/000001.h5", folder);
  CHECK_OK(store_read(path, "checkpoint", &tree));
  leave_out(&tree, "impala");
  leave_out(&tree, "mmd");
  hide(&tree, "players/main_exploiter_0/adam_v");
  for (size_t i = 0; i < tree.items; i++) /* these the writer adds by itself */
    if (!strcmp(tree.item[i].path, "@kind") || !strcmp(tree.item[i].path, "@digest") ||
        !strcmp(tree.item[i].path, "@schema_version")) {
      free(tree.item[i].data);
      tree.item[i--] = tree.item[--tree.items];
    }
  CHECK_OK(store_write(&tree, "checkpoint", path));
  tree_free(&tree);
  FILE *warnings = open_memstream(&said, &said_size);
  FILE *screen = open_memstream(&shown, &shown_size);
  const JobRequest request = {
      .folder = folder, .resume = "must", .screen = screen, .warnings = warnings};
  const Status status = job_train(&transport, &request, &result);
  fclose(screen);
  fclose(warnings);
  if (status != ERR_FORMAT) fail_msg("code %d: %s", status, said);
  assert_false(result.started);
  assert_int_equal(shown_size, 0);
  if (!strstr(said, "player main_exploiter_0: ") || !strstr(said, "'adam_v' is missing"))
    fail_msg("%s", said);
  snprintf(path, sizeof path, "%s/log.txt", folder);
  assert_false(file_exists(path));
  free(said);
  free(shown);
}

int main(void) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  log_set_sink(keep_line, NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(players_go_on_as_they_were),
      cmocka_unit_test(another_algorithm_may_need_what_is_not_there),
      cmocka_unit_test(another_algorithm_leaves_parts_behind),
      cmocka_unit_test(rows_stay_as_they_are_while_games_are_unfinished),
      cmocka_unit_test(a_file_at_fault_is_named_with_the_player),
      cmocka_unit_test(a_job_does_not_start_on_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Files: round trips, damage anywhere, generations, two runs in one folder. */
#include "check.h"
#include "folder.h"

#include "base/file.h"
#include "base/log.h"
#include "store/counters.h"
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[FOLDER_PATH];

static int set_up(void **state) {
  (void)state;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  folder_make(folder);
  return 0;
}

static void sample(Tree *tree, size_t n) {
  float *f = calloc(n, sizeof *f);
  double d[3] = {1, 2, 3};
  uint8_t none = 0;
  for (size_t i = 0; i < n; i++) f[i] = (float)i * .5f;
  *tree = (Tree){0};
  CHECK_OK(tree_put(tree, "policy", STORE_F32, n, 1, f));
  CHECK_OK(tree_put(tree, "group/table", STORE_F64, 1, 3, d));
  CHECK_OK(tree_put(tree, "group/empty", STORE_U8, 0, 1, &none));
  CHECK_OK(tree_put_texts(tree, "group/names", 2, 8, "first\0\0\0second\0"));
  CHECK_OK(tree_put_text(tree, "@note", "hello"));
  CHECK_OK(tree_put_u64(tree, "@count", 42));
  free(f);
}

static void trees_survive(void **state) {
  (void)state;
  char path[128];
  Tree tree, back;
  const Item *item;
  uint64_t count;
  snprintf(path, sizeof path, "%s/a.h5", folder);
  sample(&tree, 1000);
  CHECK_OK(store_write(&tree, "checkpoint", path));
  CHECK_OK(store_read(path, "checkpoint", &back));
  CHECK_OK(tree_get(&back, "policy", STORE_F32, 1000, &item));
  assert_memory_equal(item->data, tree.item[0].data, 4000);
  CHECK_OK(tree_get_table(&back, "group/table", STORE_F64, 1, 3, &item));
  assert_int_equal(item->width, 3);
  CHECK_OK(tree_get(&back, "group/empty", STORE_U8, 0, &item));
  CHECK_OK(tree_get(&back, "group/names", STORE_TEXT, 2, &item));
  assert_string_equal((char *)item->data + 8, "second");
  CHECK_OK(tree_get_u64(&back, "@count", &count));
  assert_int_equal(count, 42);
  assert_int_equal(tree_get(&back, "policy", STORE_F64, -1, &item), ERR_FORMAT);
  assert_int_equal(tree_get(&back, "missing", STORE_F64, -1, &item), ERR_FORMAT);
  tree_free(&back);
  assert_int_equal(store_read(path, "player", &back), ERR_FORMAT); /* another kind of file */
  tree_free(&tree);
}

/* As large in structure as a checkpoint: links and attributes enough for what the library would put into heaps. */
static void rich_sample(Tree *tree) {
  char path[64], text[64];
  sample(tree, 200);
  for (int group = 0; group < 4; group++)
    for (int i = 0; i < 12; i++) {
      snprintf(path, sizeof path, "group%d/deeper/column%02d", group, i);
      CHECK_OK(tree_put(tree, path, STORE_U64, 2, 1, (uint64_t[]){1, 2}));
    }
  for (int i = 0; i < 12; i++) {
    snprintf(path, sizeof path, "@text%d", i);
    snprintf(text, sizeof text, "the value of number %d", i);
    CHECK_OK(tree_put_text(tree, path, text));
  }
}

/* In a child, as the library may die of what it is given: 0 noticed, 1 not noticed, else dead. Fresh memory is not
 * zero, as in a job. */
static int read_in_child(const char *path) {
  int code;
  pid_t child = fork();
  if (child == 0) {
    Tree tree;
    mallopt(M_PERTURB, 165);
    signal(SIGSEGV, SIG_DFL); /* not cmocka's */
    signal(SIGABRT, SIG_DFL);
    _exit(store_read(path, "checkpoint", &tree) == ERR_FORMAT && strstr(status_message(), path) ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &code, 0), child);
  return WIFEXITED(code) ? WEXITSTATUS(code) : 100 + WTERMSIG(code);
}

/* Any flipped bit and any truncation is noticed, and the library does not get to see it. */
/* A long column that waits in a spool, in parts that fit neither its windows nor the file's chunks, is read back as one
 * that was in memory; the spool can be used again. */
static void spooled_columns_are_read_as_others(void **state) {
  (void)state;
  const size_t sizes[] = {0, 1, STORE_CHUNK - 1, STORE_CHUNK, STORE_CHUNK + 1, 3 * STORE_CHUNK + 77777};
  Spool *spool;
  CHECK_OK(spool_open(folder, &spool));
  for (size_t s = 0; s < COUNT_OF(sizes); s++) {
    Tree back[2];
    uint8_t *bytes = calloc(sizes[s] + 1, 1);
    SpoolPart part[64];
    size_t parts = 0;
    for (size_t i = 0; i < sizes[s]; i++) bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    spool_clear(spool);
    for (size_t at = 0, size; at < sizes[s]; at += size) { /* the last first */
      size = sizes[s] - at < 999983 ? sizes[s] - at : 999983;
      parts++;
    }
    for (size_t i = parts; i-- > 0;) {
      size_t size = sizes[s] - i * 999983 < 999983 ? sizes[s] - i * 999983 : 999983;
      CHECK_OK(spool_add(spool, bytes + i * 999983, size, &part[i]));
    }
    for (int way = 0; way < 2; way++) {
      Tree tree;
      char path[128];
      snprintf(path, sizeof path, "%s/way%d.h5", folder, way);
      sample(&tree, 10);
      if (way) CHECK_OK(tree_put_spooled(&tree, "long/state", spool, part, parts));
      if (!way) CHECK_OK(tree_put(&tree, "long/state", STORE_U8, sizes[s], 1, bytes));
      CHECK_OK(store_write(&tree, "checkpoint", path));
      tree_free(&tree);
      CHECK_OK(store_read(path, "checkpoint", &back[way]));
    }
    const Item *item;
    CHECK_OK(tree_get(&back[1], "long/state", STORE_U8, (int64_t)sizes[s], &item));
    assert_memory_equal(item->data, bytes, sizes[s]);
    const Hash one = tree_digest(&back[0]), other = tree_digest(&back[1]);
    assert_memory_equal(&one, &other, sizeof one);
    tree_free(&back[0]);
    tree_free(&back[1]);
    free(bytes);
  }
  spool_close(spool);
}

static void damage_is_noticed(void **state) {
  (void)state;
  char path[128];
  Tree tree, back;
  char *bytes;
  size_t size, tried = 0, noticed = 0, dead = 0;
  snprintf(path, sizeof path, "%s/b.h5", folder);
  rich_sample(&tree);
  CHECK_OK(store_write(&tree, "checkpoint", path));
  CHECK_OK(file_read(path, &bytes, &size));
  for (size_t at = 0; at < size; at += 29) {
    bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
    CHECK_OK(file_write_whole(path, bytes, size));
    bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
    int got = read_in_child(path);
    tried++;
    noticed += got == 0;
    dead += got > 1;
  }
  if (noticed < tried) fail_msg("%zu of %zu flipped bytes noticed, %zu deaths", noticed, tried, dead);
  for (size_t cut = 0; cut < size; cut += 1 + size / 50) {
    CHECK_OK(file_write_whole(path, bytes, cut));
    assert_int_not_equal(store_read(path, "checkpoint", &back), OK);
  }
  free(bytes);
  tree_free(&tree);
}

/* A file of before there were seals: its HDF5 part alone. */
static void files_without_a_seal_load(void **state) {
  (void)state;
  char path[128];
  Tree tree, back;
  char *bytes;
  size_t size;
  bool damaged;
  snprintf(path, sizeof path, "%s/old.h5", folder);
  rich_sample(&tree);
  CHECK_OK(store_write(&tree, "checkpoint", path));
  CHECK_OK(file_read(path, &bytes, &size));
  char *seal = bytes + size - 60;
  assert_int_equal(strncmp(seal, "agon seal ", 10), 0);
  CHECK_OK(file_write_whole(path, bytes, size - 60));
  CHECK_OK(store_check(path, &damaged));
  CHECK_OK(store_read(path, "checkpoint", &back));
  Hash a = tree_digest(&back);
  tree_free(&back);
  CHECK_OK(file_write_whole(path, bytes, size));
  CHECK_OK(store_read(path, "checkpoint", &back));
  Hash b = tree_digest(&back);
  assert_memory_equal(&a, &b, sizeof a);
  tree_free(&back);
  tree_free(&tree);
  free(bytes);
}

static void older_generations_stand_in(void **state) {
  (void)state;
  RunFolder run;
  Tree tree, back;
  uint64_t generation, *list;
  size_t count;
  char path[3200];
  CHECK_OK(run_lock(folder, &run));
  for (uint64_t g = 1; g <= 5; g++) {
    sample(&tree, 10 * g);
    CHECK_OK(run_write_checkpoint(&run, g, &tree, 3));
    tree_free(&tree);
  }
  CHECK_OK(run_generations(&run, &list, &count));
  assert_int_equal(count, 3); /* keep */
  assert_int_equal(list[0], 5);
  free(list);
  CHECK_OK(run_path(&run, path, sizeof path, "checkpoints/000005.h5"));
  CHECK_OK(file_write_whole(path, "not HDF5", 8));
  CHECK_OK(run_read_checkpoint(&run, &back, &generation));
  assert_int_equal(generation, 4);
  tree_free(&back);
  run_close(&run);
}

static void write_generations(RunFolder *run, int count, size_t keep) {
  for (int i = 0; i < count; i++) {
    Tree tree;
    uint64_t generation;
    sample(&tree, 10);
    CHECK_OK(run_next_generation(run, &generation));
    CHECK_OK(run_write_checkpoint(run, generation, &tree, keep));
    tree_free(&tree);
  }
}

static void write_text(const RunFolder *run, const char *name, const char *text) {
  char path[3200];
  CHECK_OK(run_path(run, path, sizeof path, name));
  CHECK_OK(file_write_whole(path, text, strlen(text)));
}

static void check_present(const RunFolder *run, const char *names) {
  char have[1024] = "", path[3200];
  CHECK_OK(run_path(run, path, sizeof path, "checkpoints"));
  struct dirent **entry;
  int count = scandir(path, &entry, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    if (entry[i]->d_name[0] != '.') snprintf(have + strlen(have), sizeof have - strlen(have), "%s ", entry[i]->d_name);
    free(entry[i]);
  }
  free(entry);
  assert_string_equal(have, names);
}

/* Files of higher numbers that are no checkpoints neither hide nor push out those that are; a new generation never
 * takes the place of another file. */
static void junk_pushes_nothing_out(void **state) {
  (void)state;
  char path[80];
  RunFolder run;
  Tree back;
  uint64_t generation;
  snprintf(path, sizeof path, "%s/junk", folder);
  CHECK_OK(run_lock(path, &run));
  write_generations(&run, 4, 3);
  check_present(&run, "000002.h5 000003.h5 000004.h5 ");
  run_close(&run);
  write_text(&run, "checkpoints/000004.h5", "torn");
  write_text(&run, "checkpoints/000900.h5", "junk");
  write_text(&run, "checkpoints/000901.h5", "junk");
  write_text(&run, "checkpoints/notes.h5", "somebody's");
  size_t before = 0;
  while (log_warning_at(before)) before++;
  CHECK_OK(run_open(path, &run)); /* who only looks changes nothing */
  CHECK_OK(run_read_checkpoint(&run, &back, &generation));
  tree_free(&back);
  check_present(&run, "000002.h5 000003.h5 000004.h5 000900.h5 000901.h5 notes.h5 ");
  CHECK_OK(run_lock(path, &run));
  CHECK_OK(run_read_checkpoint(&run, &back, &generation));
  tree_free(&back);
  assert_int_equal(generation, 3);
  assert_non_null(log_warning_at(before));
  assert_non_null(strstr(log_warning_at(before), "000901.h5"));
  check_present(&run, "000002.h5 000003.h5 000004.h5.damaged 000900.h5.damaged 000901.h5.damaged notes.h5 ");
  write_text(&run, "checkpoints/000950.h5", "junk that comes while the job runs");
  write_generations(&run, 1, 3);
  write_text(&run, "checkpoints/000960.h5", "junk that comes while the job runs");
  write_generations(&run, 4, 3);
  check_present(&run, "000004.h5.damaged 000900.h5.damaged 000901.h5.damaged 000950.h5.damaged 000960.h5.damaged "
                      "000962.h5 000963.h5 000964.h5 notes.h5 ");
  run_close(&run);
}

/* A column of the sample that holds numbers; one of them is then none. */
static void spoil(Tree *tree, const char *path, double number) {
  const Item *item = tree_find(tree, path);
  if (item->type == STORE_F32)
    ((float *)item->data)[2] = (float)number;
  else
    ((double *)item->data)[2] = number;
}

/* A file that somebody has written with such a number is as damaged as one with a flipped bit; a job
 * writes none. What a curriculum has not measured may be no number. */
static void numbers_that_are_none_are_damage(void **state) {
  (void)state;
  static const struct {
    const char *path, *says;
    double number;
  } wrong[] = {{"policy", "'policy', row 2 is not a finite number", NAN},
               {"policy", "'policy', row 2 is not a finite number", -INFINITY},
               {"group/table", "'group/table', row 0 is not a finite number", INFINITY}};
  char path[80];
  char file[3200];
  RunFolder run;
  Tree tree, back;
  uint64_t generation;
  bool damaged;
  snprintf(path, sizeof path, "%s/numbers", folder);
  CHECK_OK(run_lock(path, &run));
  write_generations(&run, 1, 3);
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    sample(&tree, 10);
    spoil(&tree, wrong[i].path, wrong[i].number);
    assert_int_equal(run_write_checkpoint(&run, 2, &tree, 3), ERR_FORMAT);
    assert_non_null(strstr(status_message(), wrong[i].says));
    assert_int_equal(run_write_player(&run, "main_0-000000", (Hash){1, 2}, &tree), ERR_FORMAT);
    check_present(&run, "000001.h5 ");
    CHECK_OK(run_path(&run, file, sizeof file, "checkpoints/000002.h5"));
    CHECK_OK(store_write(&tree, "checkpoint", file));
    assert_int_equal(store_load(file, "checkpoint", &back, &damaged), ERR_FORMAT);
    assert_non_null(strstr(status_message(), wrong[i].says));
    assert_non_null(strstr(status_message(), "000002.h5"));
    assert_true(damaged);
    CHECK_OK(run_read_checkpoint(&run, &back, &generation));
    assert_int_equal(generation, 1);
    tree_free(&back);
    tree_free(&tree);
    check_present(&run, "000001.h5 000002.h5.damaged ");
    CHECK_OK(run_path(&run, file, sizeof file, "checkpoints/000002.h5.damaged"));
    assert_int_equal(remove(file), 0);
  }
  const double unknown[] = {0, NAN};
  sample(&tree, 10);
  CHECK_OK(tree_put(&tree, CURRICULUM_MEASURE_PATH, STORE_F64, 2, 1, unknown));
  CHECK_OK(run_write_checkpoint(&run, 3, &tree, 3));
  CHECK_OK(run_read_checkpoint(&run, &back, &generation));
  assert_int_equal(generation, 3);
  tree_free(&back);
  tree_free(&tree);
  run_close(&run);
}

/* A pipe that nobody writes to never answers: it is passed over, and left alone. */
static void a_pipe_among_the_generations_does_not_hang(void **state) {
  (void)state;
  char path[80];
  char file[3200];
  RunFolder run;
  Tree back;
  uint64_t generation;
  snprintf(path, sizeof path, "%s/pipe", folder);
  CHECK_OK(run_lock(path, &run));
  write_generations(&run, 2, 3);
  CHECK_OK(run_path(&run, file, sizeof file, "checkpoints/000003.h5"));
  assert_int_equal(mkfifo(file, 0600), 0);
  alarm(20); /* ends the test in place of waiting */
  CHECK_OK(run_read_checkpoint(&run, &back, &generation));
  assert_int_equal(generation, 2);
  tree_free(&back);
  assert_int_equal(store_read(file, "checkpoint", &back), ERR_IO);
  assert_non_null(strstr(status_message(), "000003.h5: it is no regular file"));
  write_generations(&run, 3, 3);
  alarm(0);
  check_present(&run, "000003.h5 000004.h5 000005.h5 000006.h5 ");
  run_close(&run);
}

/* What another process is told that wants the folder: 0: it gets it. */
static int tried_by_another(const char *path) {
  int code;
  const pid_t child = fork();
  if (child == 0) {
    RunFolder run;
    const Status status = run_lock(path, &run);
    _exit(status == OK ? 0 : status == ERR_RUN ? 3 : 9);
  }
  assert_int_equal(waitpid(child, &code, 0), child);
  return WEXITSTATUS(code);
}

/* The last line of the log, and how many there were. */
typedef struct Heard {
  char line[512];
  int lines;
} Heard;

static void hear(void *context, const char *line) {
  Heard *heard = context;
  snprintf(heard->line, sizeof heard->line, "%s", line);
  heard->lines++;
}

/* The lock file can be removed, the lock cannot: and whoever holds it puts the file back. */
static void a_lock_outlives_its_file(void **state) {
  (void)state;
  char path[80];
  char file[3200];
  RunFolder run;
  snprintf(path, sizeof path, "%s/locked", folder);
  CHECK_OK(run_lock(path, &run));
  CHECK_OK(run_path(&run, file, sizeof file, "lock"));
  assert_int_equal(tried_by_another(path), 3);
  assert_int_equal(remove(file), 0);
  assert_int_equal(tried_by_another(path), 3);
  assert_false(file_exists(file)); /* who may not have the folder does not touch it either */
  Heard heard = {.lines = 0};
  log_set_sink(hear, &heard);
  heard.lines = 0; /* what others left */
  CHECK_OK(run_keep_lock(&run));
  assert_true(file_exists(file));
  assert_non_null(strstr(heard.line, "was removed while the job runs; it is there again"));
  CHECK_OK(run_keep_lock(&run));
  assert_int_equal(heard.lines, 1);
  log_set_sink(NULL, NULL);
  assert_int_equal(tried_by_another(path), 3);
  run_close(&run);
  assert_int_equal(tried_by_another(path), 0);
  /* where folders cannot be locked, another job may have taken it: then this one must end */
  CHECK_OK(run_lock(path, &run));
  close(run.guard - 1);
  run.guard = 0;
  assert_int_equal(remove(file), 0);
  int ready[2];
  int done[2];
  assert_int_equal(pipe(ready) | pipe(done), 0);
  const pid_t child = fork();
  if (child == 0) {
    RunFolder other;
    char word = run_lock(path, &other) == OK ? 'y' : 'n';
    const bool told = write(ready[1], &word, 1) == 1;
    close(done[1]); /* its own: where the test fails, the end of it shows, and nobody is left */
    _exit(told && read(done[0], &word, 1) == 0 ? 0 : 1);
  }
  char word = 0;
  assert_int_equal(read(ready[0], &word, 1), 1);
  assert_int_equal(word, 'y');
  assert_int_equal(run_keep_lock(&run), ERR_RUN);
  assert_non_null(strstr(status_message(), "another job has taken the folder"));
  run_close(&run);
  assert_int_equal(run_lock(path, &run), ERR_RUN);
  run_close(&run);
  assert_int_equal(kill(child, SIGKILL), 0); /* nothing of it stays behind */
  assert_int_equal(waitpid(child, NULL, 0), child);
  CHECK_OK(run_lock(path, &run));
  run_close(&run);
  close(done[0]);
  close(done[1]);
}

/* Nothing stands in: no file changes its name, so that the next job does not begin anew. */
static void a_run_without_a_whole_checkpoint_is_left_alone(void **state) {
  (void)state;
  char path[80];
  RunFolder run;
  Tree back;
  uint64_t generation;
  snprintf(path, sizeof path, "%s/all", folder);
  CHECK_OK(run_lock(path, &run));
  write_text(&run, "checkpoints/000001.h5", "torn");
  write_text(&run, "checkpoints/000002.h5", "torn");
  assert_int_equal(run_read_checkpoint(&run, &back, &generation), ERR_FORMAT);
  check_present(&run, "000001.h5 000002.h5 ");
  run_close(&run);
}

/* In a child, as locks of the same process do not show: 0 not held, 1 held, 2 unknown. */
static int look_at_lock(const char *path) {
  int code;
  pid_t child = fork();
  if (child == 0) {
    bool held;
    if (geteuid() == 0 && seteuid(65534)) _exit(3);
    _exit(open(path, O_RDWR) < 0 && file_locked(path, &held) == OK ? held : 2);
  }
  assert_int_equal(waitpid(child, &code, 0), child);
  return WIFEXITED(code) ? WEXITSTATUS(code) : 100;
}

/* Whoever may only read the folder still sees whether a job runs in it. */
static void locks_are_seen_by_readers(void **state) {
  (void)state;
  char path[80];
  RunFolder run;
  snprintf(path, sizeof path, "%s/locked", folder);
  CHECK_OK(run_lock(path, &run));
  CHECK_OK(run_path(&run, path, sizeof path, "lock"));
  assert_int_equal(chmod(folder, 0755), 0);
  assert_int_equal(chmod(path, 0444), 0);
  assert_int_equal(look_at_lock(path), 1);
  run_close(&run);
  assert_int_equal(look_at_lock(path), 0);
  bool held = true;
  snprintf(path, sizeof path, "%s/nothing", folder);
  CHECK_OK(file_locked(path, &held));
  assert_false(held);
}

static void read_only_folders_are_an_error(void **state) {
  (void)state;
  Tree tree;
  sample(&tree, 10);
  assert_int_equal(store_write(&tree, "checkpoint", "/proc/agon/a.h5"), ERR_IO);
  assert_non_null(strstr(status_message(), "/proc/agon"));
  tree_free(&tree);
}

/* A limit on file sizes stands for the full disk. In a child: after a failed write HDF5 may not be left in the usual
 * way. */
static void a_full_disk_is_an_error(void **state) {
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    Tree tree;
    char path[128];
    const struct rlimit limit = {100000, 100000};
    snprintf(path, sizeof path, "%s/big.h5", folder);
    signal(SIGXFSZ, SIG_IGN);
    sample(&tree, 1000000);
    bool limited = setrlimit(RLIMIT_FSIZE, &limit) == 0;
    bool named = store_write(&tree, "checkpoint", path) == ERR_IO && strstr(status_message(), path);
    _exit(limited && named && !file_exists(path) ? 0 : 1); /* nothing half-written under the final name */
  }
  int code;
  assert_int_equal(waitpid(child, &code, 0), child);
  assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
}

static void trees_travel_in_messages(void **state) {
  (void)state;
  Tree tree, back = {0};
  Bytes bytes = {0};
  sample(&tree, 50);
  tree_encode(&tree, &bytes);
  Reader reader = reader_over(bytes.data, bytes.size);
  CHECK_OK(tree_decode(&back, &reader));
  Hash a = tree_digest(&tree), b = tree_digest(&back);
  assert_memory_equal(&a, &b, sizeof a);
  tree_free(&back);
  for (size_t size = 0; size < bytes.size; size += 7) {
    Reader cut = reader_over(bytes.data, size);
    assert_int_not_equal(tree_decode(&back, &cut), OK);
    tree_free(&back);
  }
  tree_free(&tree);
  bytes_free(&bytes);
}

/* Whatever shape is written can be read, from a file as from a message: rows wider than the rest of the file, of which
 * there are none, too. */
static void what_is_written_can_be_read(void **state) {
  (void)state;
  char path[128];
  static const struct {
    StoreType type;
    size_t size, count, width;
  } shape[] = {{STORE_F64, 8, 0, 12}, {STORE_TEXT, 2107, 0, 6},   {STORE_F32, 4, 0, 1u << 30},
               {STORE_U8, 1, 0, 1},   {STORE_TEXT, 100000, 0, 1}, {STORE_U64, 8, 3, 5},
               {STORE_TEXT, 1, 2, 3}, {STORE_U8, 1, 1, 70000},    {STORE_TEXT, 64, 1, 1}};
  snprintf(path, sizeof path, "%s/shape.h5", folder);
  for (size_t i = 0; i < COUNT_OF(shape); i++) {
    Tree tree = {0}, back = {0};
    Bytes bytes = {0};
    char *none = calloc(shape[i].count * shape[i].width + 1, shape[i].size);
    if (shape[i].type == STORE_TEXT && shape[i].width == 1)
      CHECK_OK(tree_put_texts(&tree, "x", shape[i].count, shape[i].size, none));
    else
      CHECK_OK(tree_put(&tree, "x", shape[i].type, shape[i].count, shape[i].width, none));
    tree.item[0].size = shape[i].size;
    CHECK_OK(store_write(&tree, "player", path));
    CHECK_OK(store_read(path, "player", &back));
    const Item *item = tree_find(&back, "x");
    assert_non_null(item);
    assert_int_equal(item->count, shape[i].count);
    assert_int_equal(item->width, shape[i].width);
    assert_int_equal(item->size, shape[i].size);
    tree_free(&back);
    tree_encode(&tree, &bytes);
    Reader reader = reader_over(bytes.data, bytes.size);
    CHECK_OK(tree_decode(&back, &reader));
    Hash a = tree_digest(&tree), b = tree_digest(&back);
    assert_memory_equal(&a, &b, sizeof a);
    bytes_free(&bytes);
    tree_free(&back);
    tree_free(&tree);
    free(none);
  }
}

/* What could not be read is not written, and is named. */
static void what_cannot_be_read_is_not_written(void **state) {
  (void)state;
  char path[128];
  const uint64_t two[2] = {1, 2};
  snprintf(path, sizeof path, "%s/never.h5", folder);
  Tree wide = {0}, none = {0}, letters = {0};
  CHECK_OK(tree_put(&wide, "@two", STORE_U64, 2, 1, two));
  assert_int_equal(store_write(&wide, "player", path), ERR_INTERNAL);
  assert_non_null(strstr(status_message(), "'@two'"));
  CHECK_OK(tree_put(&none, "group/narrow", STORE_U64, 2, 0, two));
  assert_int_equal(store_write(&none, "player", path), ERR_INTERNAL);
  assert_non_null(strstr(status_message(), "'group/narrow'"));
  CHECK_OK(tree_put_texts(&letters, "names", 2, 0, ""));
  assert_int_equal(store_write(&letters, "player", path), ERR_INTERNAL);
  assert_non_null(strstr(status_message(), "'names'"));
  assert_false(file_exists(path));
  tree_free(&wide);
  tree_free(&none);
  tree_free(&letters);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trees_survive),
      cmocka_unit_test(spooled_columns_are_read_as_others),
      cmocka_unit_test(damage_is_noticed),
      cmocka_unit_test(files_without_a_seal_load),
      cmocka_unit_test(junk_pushes_nothing_out),
      cmocka_unit_test(numbers_that_are_none_are_damage),
      cmocka_unit_test(a_pipe_among_the_generations_does_not_hang),
      cmocka_unit_test(a_run_without_a_whole_checkpoint_is_left_alone),
      cmocka_unit_test(locks_are_seen_by_readers),
      cmocka_unit_test(a_lock_outlives_its_file),
      cmocka_unit_test(older_generations_stand_in),
      cmocka_unit_test(read_only_folders_are_an_error),
      cmocka_unit_test(a_full_disk_is_an_error),
      cmocka_unit_test(trees_travel_in_messages),
      cmocka_unit_test(what_is_written_can_be_read),
      cmocka_unit_test(what_cannot_be_read_is_not_written),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}

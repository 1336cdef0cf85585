/* Files: round trips, damage anywhere, generations, two runs in one folder. */
#include "check.h"

#include "base/file.h"
#include "store/store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int set_up(void **state) {
  (void)state;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  snprintf(folder, sizeof folder, "/tmp/agon-store-XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return system(command);
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
  CHECK_OK(tree_get(&back, "group/table", STORE_F64, 1, &item));
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

/* Any flipped bit and any truncation is either noticed or harmless (slack that carries no data): never other contents.
 */
static void damage_is_noticed(void **state) {
  (void)state;
  char path[128];
  Tree tree, back;
  char *bytes;
  size_t size, noticed = 0, tried = 0;
  snprintf(path, sizeof path, "%s/b.h5", folder);
  sample(&tree, 200);
  CHECK_OK(store_write(&tree, "checkpoint", path));
  CHECK_OK(file_read(path, &bytes, &size));
  CHECK_OK(store_read(path, "checkpoint", &back));
  Hash whole = tree_digest(&back);
  tree_free(&back);
  for (size_t at = 0; at < size; at += 1 + size / 400) {
    bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
    CHECK_OK(file_write_whole(path, bytes, size));
    bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
    tried++;
    if (store_read(path, "checkpoint", &back) != OK) {
      assert_non_null(strstr(status_message(), path));
      noticed++;
      continue;
    }
    Hash digest = tree_digest(&back);
    assert_memory_equal(&digest, &whole, sizeof whole);
    tree_free(&back);
  }
  assert_true(noticed > tried / 4);
  for (size_t cut = 0; cut < size; cut += 1 + size / 50) {
    CHECK_OK(file_write_whole(path, bytes, cut));
    assert_int_not_equal(store_read(path, "checkpoint", &back), OK);
  }
  free(bytes);
  tree_free(&tree);
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trees_survive),
      cmocka_unit_test(damage_is_noticed),
      cmocka_unit_test(older_generations_stand_in),
      cmocka_unit_test(read_only_folders_are_an_error),
      cmocka_unit_test(a_full_disk_is_an_error),
      cmocka_unit_test(trees_travel_in_messages),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}

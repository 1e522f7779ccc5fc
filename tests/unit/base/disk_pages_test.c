/* The structure of an environment's pages: a sound one is sound, whatever its history; wounds are seen; and no byte of it
 * leads a look out of the map (it lies in memory that ends where the file ends, so the sanitizers see that). */
#include "support.h"
#include "base/disk/disk.h"
#include "base/disk/parts.h"
#include "tests/support/share.h"
#include <sys/stat.h>

#define PAGE  4096u
#define STEPS 400
#define FLIPS 20000

static uint64_t random_state = 1;

static uint32_t roll(uint32_t below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 20) % below;
}

struct file {
  uint8_t *bytes;
  uint64_t length;
};

/* data.mdb up to the last page of its newest commit. */
static struct file read_file(const char *path) {
  char name[160];
  struct stat about;
  struct file file = {NULL, 0};
  uint64_t last[2], transaction[2];
  snprintf(name, sizeof name, "%s/data.mdb", path);
  FILE *from = fopen(name, "rb");
  assert_non_null(from);
  assert_int_equal(fstat(fileno(from), &about), 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(fseek(from, i * (long)PAGE + 136, SEEK_SET), 0);
    assert_int_equal(fread(&last[i], 8, 1, from), 1);
    assert_int_equal(fread(&transaction[i], 8, 1, from), 1);
  }
  file.length = (last[transaction[1] > transaction[0]] + 1) * PAGE;
  file.bytes =
      calloc(1, file.length); /* a file may end before its last page, which then is nobody's */
  assert_non_null(file.bytes);
  uint64_t there = (uint64_t)about.st_size < file.length ? (uint64_t)about.st_size : file.length;
  rewind(from);
  assert_int_equal(fread(file.bytes, 1, there, from), there);
  assert_int_equal(fclose(from), 0);
  return file;
}

/* Rows of all sizes in two trees come and go, in commits of all sizes. */
static struct file grown(struct scratch *scratch) {
  struct disk_options options = {.path = scratch_path(scratch, "store"),
                                 .format = "test",
                                 .version = 1,
                                 .map_bytes = 64 << 20,
                                 .databases = 2};
  struct disk *disk;
  assert_int_equal(disk_open(&options, &disk, NULL), COLLEGA_OK);
  static uint8_t data[3 * PAGE];
  for (int i = 0; i < STEPS; i++) {
    MDB_txn *txn;
    MDB_dbi tree;
    assert_int_equal(disk_write(disk, &txn, NULL), COLLEGA_OK);
    assert_int_equal(mdb_dbi_open(txn, roll(2) ? "rows" : "more", MDB_CREATE, &tree), 0);
    for (uint32_t rows = 1 + roll(20); rows > 0; rows--) {
      uint32_t number = roll(1000);
      MDB_val key = {sizeof number + roll(2) * 100,
                     (uint8_t[120]){(uint8_t)number, (uint8_t)(number >> 8)}};
      MDB_val value = {roll(8) ? roll(300) : roll(sizeof data), data};
      int result = roll(3) ? mdb_put(txn, tree, &key, &value, 0) : mdb_del(txn, tree, &key, NULL);
      assert_true(result == 0 || result == MDB_NOTFOUND);
    }
    assert_int_equal(disk_commit(&txn, NULL), COLLEGA_OK);
    if (i % 20 != 0) continue;
    struct file file = read_file(options.path);
    assert_true(disk_pages_sound(file.bytes, file.length));
    free(file.bytes);
  }
  disk_close(&disk);
  return read_file(options.path);
}

static void what_lmdb_wrote_is_sound(void **state) {
  struct file file = grown(*state);
  assert_true(file.length > 100 * PAGE); /* branches, big values and free pages are among them */
  assert_true(disk_pages_sound(file.bytes, file.length));
  free(file.bytes);
}

static bool sound_with(const struct file *file, uint64_t at, const void *bytes, size_t length) {
  uint8_t before[8];
  memcpy(before, file->bytes + at, length);
  memcpy(file->bytes + at, bytes, length);
  bool sound = disk_pages_sound(file->bytes, file->length);
  memcpy(file->bytes + at, before, length);
  return sound;
}

static uint64_t root_of(const struct file *file, uint64_t at) {
  uint64_t transaction[2], root;
  for (int i = 0; i < 2; i++)
    memcpy(&transaction[i], file->bytes + (unsigned)i * PAGE + 144, 8);
  memcpy(&root, file->bytes + (transaction[1] > transaction[0] ? PAGE : 0) + at, 8);
  return root;
}

static void wounds_are_seen(void **state) {
  struct file file = grown(*state);
  static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255}, odd[2] = {19, 0};
  for (int i = 0; i < 2; i++) {
    uint64_t root = root_of(&file, i == 0 ? 80 : 128) * PAGE; /* of the free pages; of the rest */
    uint16_t first;
    memcpy(&first, file.bytes + root + 16, 2);
    assert_false(sound_with(&file, root, ones, 8));      /* the page's number */
    assert_false(sound_with(&file, root + 10, ones, 2)); /* flags */
    assert_false(sound_with(&file, root + 12, ones, 2)); /* the end of the list */
    assert_false(sound_with(&file, root + 12, odd, 2));
    assert_false(sound_with(&file, root + 14, ones, 2)); /* where nodes begin */
    assert_false(sound_with(&file, root + 16, ones, 2)); /* where one is */
    assert_false(
        sound_with(&file, root + first, ones, 4)); /* the size of its value, or the page below */
    assert_false(sound_with(&file, root + first + 6, ones, 2)); /* the size of its key */
  }
  free(file.bytes);
}

static void no_byte_leads_out_of_the_map(void **state) {
  struct file file = grown(*state);
  size_t wounds = 0;
  for (int i = 0; i < TESTS_SHARE(FLIPS); i++) {
    uint64_t page = roll((uint32_t)(file.length / PAGE)) * PAGE;
    uint64_t at = page + roll(roll(2) ? 64 : PAGE);
    uint8_t wound = (uint8_t)(file.bytes[at] ^ 1u << roll(8));
    wounds += !sound_with(&file, at, &wound, 1);
  }
  assert_true(wounds > 0);
  free(file.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_lmdb_wrote_is_sound, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(wounds_are_seen, scratch_setup, scratch_teardown),
      cmocka_unit_test_setup_teardown(no_byte_leads_out_of_the_map, scratch_setup,
                                      scratch_teardown),
  };
  return cmocka_run_group_tests_name("base/disk: pages", tests, NULL, NULL);
}

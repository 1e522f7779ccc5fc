/* What happens when LMDB, or who reads a row that it gave, runs into a damaged page.
 *
 * LMDB 0.9 keeps no checksums. Beyond its meta pages (inspect.c) it believes what stands in the file: a
 * length that points behind the end of the file is a bus error when it is read, a count that cannot be
 * is an assertion of LMDB. No check on the way would find them all. So a program that has asked for it
 * (disk_watch_damage) ends there with a sentence that says which database it was and what to do, and with
 * exit status 1 - not with a signal that tells nobody anything. What was committed stays; what the
 * program was at may be, too, when LMDB stumbles only behind the commit.
 *
 * What counts as such: a fault at an address in the map; one of LMDB's own instructions anywhere, or in a memcpy that it
 * calls (a writer works on copies of pages, and runs astray in them); and any fault or abort when the pages that a commit
 * left are not what they should be (pages.c). The handler of a signal may not allocate or format: the sentence is made
 * when the environment is opened. Any other fault is somebody else's and goes its old way. */
#include "base/disk/parts.h"
#include "base/words.h"
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <ucontext.h>
#include <unistd.h>

#define MOST_WATCHED 16 /* environments; further ones are opened, and not watched */
#define EXIT_DAMAGED 1

struct watched {
  atomic_uintptr_t start, end; /* of the map; end 0: not watched */
  bool taken;                  /* under the mutex */
  size_t length;
  char words[768];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct watched all[MOST_WATCHED];
static atomic_bool watching;
static enum language language;
static struct sigaction before_bus, before_segment;
static uintptr_t lmdb_start, lmdb_end; /* its code; written once, before the handler is there */

static void say_and_end(const struct watched *watched) {
  ssize_t written = write(STDERR_FILENO, watched->words, watched->length);
  (void)written;
  _exit(EXIT_DAMAGED);
}

/* Where the program was. */
static uintptr_t instruction(const void *context) {
  const ucontext_t *machine = context;
#if defined(__x86_64__)
  return (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return (uintptr_t)machine->uc_mcontext.pc;
#else
  (void)machine;
  return 0;
#endif
}

/* Who called the function that the program was in, if that is one that keeps nothing on the stack, as memcpy is. */
__attribute__((no_sanitize("address"))) static uintptr_t caller(const void *context) {
  const ucontext_t *machine = context;
#if defined(__x86_64__)
  uintptr_t stack = (uintptr_t)machine->uc_mcontext.gregs[REG_RSP];
  return stack % sizeof stack == 0 ? *(const uintptr_t *)stack : 0;
#elif defined(__aarch64__)
  return (uintptr_t)machine->uc_mcontext.regs[30];
#else
  (void)machine;
  return 0;
#endif
}

static bool is_of_lmdb(uintptr_t at) {
  return at >= lmdb_start && at < lmdb_end;
}

/* LMDB may also have written over what is not its own, and something else has stumbled over that. */
static void look_at_pages(void) {
  for (size_t i = 0; i < MOST_WATCHED; i++) {
    uintptr_t start = atomic_load(&all[i].start), end = atomic_load(&all[i].end);
    if (end != 0 && !disk_pages_sound((const void *)start, end - start)) say_and_end(&all[i]);
  }
}

/* As malloc does that finds its lists written over. It ends the program when this returns. */
static void on_abort(int number) {
  (void)number;
  look_at_pages();
}

static void on_fault(int number, siginfo_t *about, void *context) {
  uintptr_t address = (uintptr_t)about->si_addr;
  bool in_lmdb = is_of_lmdb(instruction(context)) || is_of_lmdb(caller(context));
  for (size_t i = 0; i < MOST_WATCHED; i++) {
    uintptr_t end = atomic_load(&all[i].end);
    if (end != 0 && (in_lmdb || (address >= atomic_load(&all[i].start) && address < end)))
      say_and_end(&all[i]);
  }
  look_at_pages();
  /* Back to the instruction, which faults again under the handler from before. */
  sigaction(number, number == SIGBUS ? &before_bus : &before_segment, NULL);
}

/* Where this process has mapped the file, or what is mapped around `inside` (about NULL); false:
 * nowhere that could be found. */
static bool find_map(const struct stat *about, uintptr_t inside, uintptr_t *start, uintptr_t *end) {
  FILE *maps = fopen("/proc/self/maps", "re");
  char line[PATH_MAX + 128];
  bool found = false;
  while (maps != NULL && !found && fgets(line, sizeof line, maps) != NULL) {
    unsigned major_number, minor_number;
    uint64_t inode;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %x:%x %" SCNu64, start, end, &major_number,
               &minor_number, &inode) != 5)
      continue;
    found = about == NULL ? inside >= *start && inside < *end
                          : inode == about->st_ino && major_number == major(about->st_dev) &&
                                minor_number == minor(about->st_dev);
  }
  if (maps != NULL) fclose(maps);
  return found;
}

static int damage_watch(const char *path) {
  char file[PATH_MAX];
  struct stat about;
  uintptr_t start, end;
  int printed = snprintf(file, sizeof file, "%s/data.mdb", path);
  if (!atomic_load(&watching) || printed < 0 || (size_t)printed >= sizeof file ||
      stat(file, &about) != 0 || !find_map(&about, 0, &start, &end))
    return -1;
  int slot = -1;
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < MOST_WATCHED && slot < 0; i++)
    if (!all[i].taken) slot = i;
  if (slot >= 0) all[slot].taken = true;
  pthread_mutex_unlock(&mutex);
  if (slot < 0) return -1;
  struct watched *watched = &all[slot];
  struct collega_error why;
  error_set(&why, COLLEGA_DAMAGED, RULE_disk_page_damaged, NULL, path, NULL);
  error_render(language, &why, watched->words, sizeof watched->words - 1);
  watched->length = strlen(watched->words);
  watched->words[watched->length++] = '\n';
  atomic_store(&watched->start, start);
  atomic_store(&watched->end, end);
  return slot;
}

static void damage_forget(int slot) {
  if (slot < 0) return;
  atomic_store(&all[slot].end, 0);
  pthread_mutex_lock(&mutex);
  all[slot].taken = false;
  pthread_mutex_unlock(&mutex);
}

static void damage_told(int slot) {
  if (slot >= 0) say_and_end(&all[slot]);
}

static const struct damage_watcher watcher = {damage_watch, damage_forget, damage_told};

void disk_watch_damage(enum language speaks) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigemptyset(&action.sa_mask);
  language = speaks;
  if (atomic_load(&watching)) return;
  if (!find_map(NULL, (uintptr_t)mdb_txn_commit, &lmdb_start, &lmdb_end)) lmdb_end = 0;
  sigaction(SIGBUS, &action, &before_bus);
  sigaction(SIGSEGV, &action, &before_segment);
  struct sigaction abort_action = {.sa_handler = on_abort};
  sigemptyset(&abort_action.sa_mask);
  sigaction(SIGABRT, &abort_action, NULL);
  atomic_store(&watching, true);
  disk_set_watcher(&watcher);
}

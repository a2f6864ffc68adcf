/* A disk that is full, or fails, from a chosen moment on, for one folder and one program, without anybody's privilege:
   cc -shared -fPIC -o full_disk.so full_disk.c -ldl; LD_PRELOAD=.../full_disk.so FULL_FOLDER=/tmp/x FULL_AFTER=7 program

   FULL_FOLDER  what lies below it is on that disk
   FULL_AFTER   the how-manieth operation that needs room finds none; from then on all of them fail
   FULL_WHILE   instead: they fail as long as this file exists
   FULL_ERROR   the error in numbers (28, ENOSPC, unless given; 5 is EIO, 30 EROFS, 122 EDQUOT)
   FULL_COUNT   a file that gets, when the program ends, how many operations needed room

   What fails are the calls of the C library that take room: write, pwrite, ftruncate to more, fallocate, opening with
   O_CREAT a file that is not there, mkdir, rename and link. The write that meets the end of the disk is cut off in its
   middle, as a real one is; fsync then tells nothing, as on most file systems. Reading and removing go on. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *folder, *condition, *count_file;
static long after;
static int code = ENOSPC;
static atomic_long seen;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* A copy: programs that show in `ps` what they do write over their environment, as PostgreSQL does. */
static const char *given(const char *name) {
  const char *value = getenv(name);
  return value ? strdup(value) : NULL;
}

__attribute__((constructor)) static void begin(void) {
  const char *number = getenv("FULL_AFTER"), *error = getenv("FULL_ERROR");
  folder = given("FULL_FOLDER");
  condition = given("FULL_WHILE");
  count_file = given("FULL_COUNT");
  after = number ? atol(number) : 0;
  if (error) code = atoi(error);
}

__attribute__((destructor)) static void end(void) {
  char text[32];
  int file, length;
  if (!count_file) return;
  length = snprintf(text, sizeof text, "%ld", atomic_load(&seen));
  file = REAL(open)(count_file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0) {
    if (REAL(write)(file, text, (size_t)length) != length) unlink(count_file);
    close(file);
  }
}

static int below(const char *path) {
  size_t length;
  if (!folder || !path) return 0;
  length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* 0: there is room; 1: this operation is the first that finds none; 2: a later one. */
static int full(void) {
  long turn = atomic_fetch_add(&seen, 1) + 1;
  int now = condition ? access(condition, F_OK) == 0 : after > 0 && turn >= after;
  if (!now) return 0;
  return !condition && turn == after ? 1 : 2;
}

static int full_for_file(int file) {
  char link[64], path[PATH_MAX];
  int kept = errno;
  ssize_t length;
  if (!folder) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  length = readlink(link, path, sizeof path - 1);
  errno = kept;
  if (length <= 0) return 0;
  path[length] = 0;
  return below(path) ? full() : 0;
}

/* A path may be relative; what it leads to is what counts. */
static int full_for_path(const char *path) {
  char whole[PATH_MAX];
  if (path && path[0] != '/' && getcwd(whole, sizeof whole) && strlen(whole) + strlen(path) + 2 < sizeof whole) {
    strcat(whole, "/");
    strcat(whole, path);
    path = whole;
  }
  return below(path) ? full() : 0;
}

#define FAIL return errno = code, -1

ssize_t write(int file, const void *bytes, size_t count) {
  int found = full_for_file(file);
  if (found == 1 && count > 1) return REAL(write)(file, bytes, count / 2);
  if (found) FAIL;
  return REAL(write)(file, bytes, count);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  if (full_for_file(file)) FAIL;
  return REAL(writev)(file, parts, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  int found = full_for_file(file);
  if (found == 1 && count > 1) return REAL(pwrite)(file, bytes, count / 2, offset);
  if (found) FAIL;
  return REAL(pwrite)(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  int found = full_for_file(file);
  if (found == 1 && count > 1) return REAL(pwrite64)(file, bytes, count / 2, offset);
  if (found) FAIL;
  return REAL(pwrite64)(file, bytes, count, offset);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
  if (full_for_file(file)) FAIL;
  return REAL(pwritev)(file, parts, count, offset);
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
  if (full_for_file(file)) FAIL;
  return REAL(pwritev64)(file, parts, count, offset);
}

static int grows(int file, off64_t length) {
  struct stat now;
  return fstat(file, &now) == 0 && length > now.st_size;
}

int ftruncate(int file, off_t length) {
  if (grows(file, length) && full_for_file(file)) FAIL;
  return REAL(ftruncate)(file, length);
}

int ftruncate64(int file, off64_t length) {
  if (grows(file, length) && full_for_file(file)) FAIL;
  return REAL(ftruncate64)(file, length);
}

int posix_fallocate(int file, off_t offset, off_t length) {
  if (full_for_file(file)) return code;
  return REAL(posix_fallocate)(file, offset, length);
}

int posix_fallocate64(int file, off64_t offset, off64_t length) {
  if (full_for_file(file)) return code;
  return REAL(posix_fallocate64)(file, offset, length);
}

#define OPENS(name)                                                                   \
  int name(const char *path, int flags, ...) {                                        \
    va_list rest;                                                                     \
    mode_t mode;                                                                      \
    va_start(rest, flags);                                                            \
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                  \
    va_end(rest);                                                                     \
    if (flags & O_CREAT && access(path, F_OK) != 0 && full_for_path(path)) FAIL;      \
    return REAL(name)(path, flags, mode);                                             \
  }
OPENS(open)
OPENS(open64)

int mkdir(const char *path, mode_t mode) {
  if (access(path, F_OK) != 0 && full_for_path(path)) FAIL;
  return REAL(mkdir)(path, mode);
}

int rename(const char *from, const char *to) {
  if (full_for_path(to)) FAIL;
  return REAL(rename)(from, to);
}

int link(const char *from, const char *to) {
  if (full_for_path(to)) FAIL;
  return REAL(link)(from, to);
}

/* How Rust's standard library links. Paths below an open folder are not followed. */
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  if (to_folder == AT_FDCWD && full_for_path(to)) FAIL;
  return REAL(linkat)(from_folder, from, to_folder, to, flags);
}

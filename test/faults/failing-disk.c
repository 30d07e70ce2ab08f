/* Loaded in front of the C library: what is synced or written below the paths that the file named by
 * NIGHTJAR_FAULTS_FAIL holds (a part of a path) fails with EIO, as a broken disk's does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int fails(int fd) {
  const char *control = getenv("NIGHTJAR_FAULTS_FAIL");
  char part[256], path[4096], link[64];
  int file = control == NULL ? -1 : open(control, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t length = read(file, part, sizeof part - 1);
  close(file);
  if (length <= 0) return 0;
  part[length] = 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  if (strstr(path, part) == NULL) return 0;
  errno = EIO;
  return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fdatasync(int fd) { return fails(fd) ? -1 : NEXT(fdatasync)(fd); }
int fsync(int fd) { return fails(fd) ? -1 : NEXT(fsync)(fd); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  return fails(fd) ? -1 : NEXT(pwrite64)(fd, bytes, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  return fails(fd) ? -1 : NEXT(pwritev64)(fd, parts, count, at);
}

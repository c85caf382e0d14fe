/* LD_PRELOAD: fails or delays what a program writes, as the file that FAILING_DISK names says: "ERRNO DELAY_US WHAT".
   WHAT: "all" (writes, syncs, truncations, files that are made) or "sync". No such file: all is well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int (*true_open)(const char *, int, ...);

static int failing(int sync) {
    int error = 0, delay = 0;
    char what[8] = "", text[64];
    const char *name = getenv("FAILING_DISK");
    if (!true_open) true_open = dlsym(RTLD_NEXT, "open64");
    int control = name ? true_open(name, O_RDONLY) : -1;
    if (control < 0) return 0;
    ssize_t count = read(control, text, sizeof text - 1);
    close(control);
    text[count > 0 ? count : 0] = 0;
    if (sscanf(text, "%d %d %7s", &error, &delay, what) != 3) return 0;
    if (!sync && strcmp(what, "sync") == 0) return 0;
    if (delay) usleep(delay);
    return error;
}

static int regular(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

#define GUARDED(sync, fd, call) \
    int error = regular(fd) ? failing(sync) : 0; \
    if (error) { errno = error; return -1; } \
    return call

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t at) {
    ssize_t (*next)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    GUARDED(0, fd, next(fd, data, count, at));
}

ssize_t write(int fd, const void *data, size_t count) {
    ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    GUARDED(0, fd, next(fd, data, count));
}

int ftruncate64(int fd, off64_t size) {
    int (*next)(int, off64_t) = dlsym(RTLD_NEXT, "ftruncate64");
    GUARDED(0, fd, next(fd, size));
}

int fdatasync(int fd) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fdatasync");
    GUARDED(1, fd, next(fd));
}

int fsync(int fd) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
    GUARDED(1, fd, next(fd));
}

int open64(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    if (!true_open) true_open = dlsym(RTLD_NEXT, "open64");
    if (flags & O_CREAT && access(path, F_OK) != 0) {
        int error = failing(0);
        if (error) { errno = error; return -1; }
    }
    return true_open(path, flags, mode);
}

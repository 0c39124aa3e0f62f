// SPDX-License-Identifier: Apache-2.0
//
// The calendar clock of a program, moved by as many seconds as COUNTERSIGN_CLOCK_MOVED says:
//
//   clang-19 -shared -fPIC -o moved_clock.so moved_clock.c
//   COUNTERSIGN_CLOCK_MOVED=-86400 LD_PRELOAD=./moved_clock.so countersign serve
//
// It asks the kernel and looks up no other symbol, so that it also works under AddressSanitizer,
// whose allocator reads clocks before there is anything to look up. The monotonic clock goes on as
// it is.

#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t moved_by(void) {
  const char* const text = getenv("COUNTERSIGN_CLOCK_MOVED");
  return text == NULL ? 0 : (time_t)strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    time->tv_sec += moved_by();
  return (int)result;
}

int gettimeofday(struct timeval* time, void* zone) {
  (void)zone;
  struct timespec now;
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return result;
}

time_t time(time_t* copy) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (copy != NULL) *copy = now.tv_sec;
  return now.tv_sec;
}

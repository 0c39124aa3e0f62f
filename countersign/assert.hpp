// SPDX-License-Identifier: Apache-2.0
//
// The check for our own bugs. Text from the wire never reaches one: it is judged by values
// (result.hpp).

#pragma once

#include <cstdio>
#include <cstdlib>

/// Ends the program with file, line and condition when our own code is in an impossible state; on
/// in release builds.
#define COUNTERSIGN_ASSERT(condition)                                                             \
  do {                                                                                            \
    if (!(condition)) [[unlikely]] {                                                              \
      static_cast<void>(                                                                          \
          std::fprintf(stderr, "%s:%d: impossible state: %s\n", __FILE__, __LINE__, #condition)); \
      std::abort();                                                                               \
    }                                                                                             \
  } while (false)

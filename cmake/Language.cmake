# SPDX-License-Identifier: Apache-2.0
#
# The dialect and the warnings of every target. C++23 as far as libstdc++ 12 has it.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(countersign_options INTERFACE)
target_compile_options(countersign_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Werror
  # A designated initializer that leaves a member to its default is how our request structs are
  # meant.
  -Wno-missing-field-initializers -Wno-missing-designated-field-initializers
  -Xclang -fno-pch-timestamp)

find_program(CCACHE ccache)
if(CCACHE)
  # The sloppiness lets precompiled headers hit the cache; base_dir shares it between checkouts. A
  # header that was edited while a file was compiled must not be overlooked, so times are looked at.
  set(sloppiness pch_defines,time_macros)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=${sloppiness}
      CCACHE_PCH_EXTSUM=1 CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE})
endif()

find_program(LLD ld.lld-19)
if(LLD)
  add_link_options(-fuse-ld=lld)
endif()

# SPDX-License-Identifier: Apache-2.0
#
# Precompiled headers: foreign headers alone, which take most of the time that a file takes to
# compile and never change. Our own headers stay out, so that a change of one compiles what includes
# it and no more, and each still has to name what it needs (tests/house_rules).
#
# A precompiled header holds the path of the build that made it, so ccache would never find in one
# checkout what another has compiled. It takes the file *.pch.sum in its place, a digest of what was
# precompiled; the header itself is then given by -include-pch alone, whose path ccache knows to
# make relative.
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)

# countersign_precompile(target <header>…): precompiles these headers for the sources of a target.
function(countersign_precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  set(includes "")
  foreach(header ${ARGN})
    string(APPEND includes "#include ${header}\n")
  endforeach()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir)
  file(WRITE ${folder}/precompiled_text.cpp "${includes}")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++2b -E ${folder}/precompiled_text.cpp
                  OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "${folder}" "" text "${text}")
  string(SHA256 sum "${CMAKE_CXX_COMPILER_VERSION}${text}")
  file(WRITE ${folder}/cmake_pch.hxx.pch.sum "${sum}\n")
endfunction()

# What nearly every file of ours includes.
set(countersign_standard_headers
    <algorithm> <array> <chrono> <compare> <coroutine> <cstdint> <expected> <functional> <map>
    <memory> <optional> <span> <string> <string_view> <tuple> <unordered_map> <utility> <variant>
    <vector>)

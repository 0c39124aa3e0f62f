# SPDX-License-Identifier: Apache-2.0
#
# COUNTERSIGN_SANITIZE: address (ASan, UBSan and the fuzzer's coverage points in one build), thread,
# coverage or none.
set(COUNTERSIGN_SANITIZE none CACHE STRING "address, thread, coverage or none")
if(COUNTERSIGN_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(COUNTERSIGN_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(COUNTERSIGN_SANITIZE STREQUAL "coverage")
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
elseif(NOT COUNTERSIGN_SANITIZE STREQUAL "none")
  message(FATAL_ERROR "COUNTERSIGN_SANITIZE is '${COUNTERSIGN_SANITIZE}'; "
                      "it takes address, thread, coverage or none")
endif()

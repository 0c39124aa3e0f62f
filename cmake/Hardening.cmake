# SPDX-License-Identifier: Apache-2.0
#
# What a program that reads strangers' bytes is compiled with; the sanitizer builds bring their own
# checks.
if(COUNTERSIGN_SANITIZE STREQUAL "none")
  add_compile_options(-fstack-protector-strong -fcf-protection)
  add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2> _GLIBCXX_ASSERTIONS)
  add_link_options(-Wl,-z,relro -Wl,-z,now)
endif()
# Every target is compiled alike, the static libraries too, so that all share one precompiled
# header.
add_compile_options(-fPIE)
add_link_options(-pie)

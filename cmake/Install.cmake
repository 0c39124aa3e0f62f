# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` lays down: the program and the old tools' names as links to it.
include(GNUInstallDirs)
install(TARGETS countersign RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
foreach(tool opendkim-genkey opendkim-testkey opendkim-testmsg)
  set(link "\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}/${tool}")
  install(CODE "file(CREATE_LINK countersign \"${link}\" SYMBOLIC)")
endforeach()

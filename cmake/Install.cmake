# What `cmake --install` lays down: the program and the old tools' names as links to it.
include(GNUInstallDirs)
install(TARGETS countersign RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
foreach(tool opendkim-genkey opendkim-testkey opendkim-testmsg)
  install(CODE "file(CREATE_LINK countersign \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}/${tool}\" SYMBOLIC)")
endforeach()

# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` lays down: the program, the old tools' names as links to it, the manual
# pages, and what systemd needs to run it. systemd looks below /usr/lib and /usr/local/lib.
include(GNUInstallDirs)
install(TARGETS countersign RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
foreach(tool opendkim-genkey opendkim-testkey opendkim-testmsg)
  set(link "\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}/${tool}")
  install(CODE "file(CREATE_LINK countersign \"${link}\" SYMBOLIC)")
endforeach()

# The manual pages, written in scdoc's form.
find_program(SCDOC scdoc REQUIRED)
file(GLOB manual_sources CONFIGURE_DEPENDS docs/*.scd)
foreach(source ${manual_sources})
  get_filename_component(page ${source} NAME_WLE)
  string(REGEX MATCH "[1-8]$" section ${page})
  set(made ${CMAKE_BINARY_DIR}/man/${page})
  add_custom_command(OUTPUT ${made} DEPENDS ${source} VERBATIM
                     COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man
                     COMMAND sh -c "exec \"$1\" < \"$2\" > \"$3\"" sh ${SCDOC} ${source} ${made})
  list(APPEND manual_pages ${made})
  install(FILES ${made} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
add_custom_target(manual ALL DEPENDS ${manual_pages})

configure_file(packaging/countersign.service.in ${CMAKE_BINARY_DIR}/countersign.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/countersign.service DESTINATION lib/systemd/system)
install(FILES packaging/countersign.sysusers DESTINATION lib/sysusers.d RENAME countersign.conf)
install(FILES packaging/grafana/countersign.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/countersign/grafana)

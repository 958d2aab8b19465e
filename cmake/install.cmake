# What `cmake --install` puts where, and the Debian package of the same (cpack).
include(GNUInstallDirs)

# The program describes itself.
add_custom_command(TARGET capstan POST_BUILD
  COMMAND capstan man > ${CMAKE_BINARY_DIR}/capstan.1
  COMMAND capstan completion bash > ${CMAKE_BINARY_DIR}/capstan.bash
  VERBATIM)

install(TARGETS capstan RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${CMAKE_BINARY_DIR}/capstan.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/capstan.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME capstan)
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
# A unit for each role; the instance is the job.
set(scheduler_arguments "/etc/capstan/%i.yaml --recover $SCHEDULER_ARGS")
set(ps_arguments "--scheduler \${SCHEDULER} --job %i --bind tcp://0.0.0.0:0 $PS_ARGS")
set(worker_arguments "--scheduler \${SCHEDULER} --job %i $WORKER_ARGS")
foreach(role scheduler ps worker)
  set(arguments "${${role}_arguments}")
  configure_file(packaging/capstan@.service.in capstan-${role}@.service @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/capstan-${role}@.service DESTINATION lib/systemd/system)
  # systemd looks for programs in its own path alone. Where this one lies is known when it is installed;
  # cpack installs into a folder of its own first, for what will be /usr.
  install(CODE "set(role ${role})\nset(program ${CMAKE_INSTALL_BINDIR}/capstan)")
  install(CODE [[
    get_filename_component(prefix "${CMAKE_INSTALL_PREFIX}" ABSOLUTE)
    if(prefix MATCHES "/_CPack_Packages/")
      set(prefix /usr)
    endif()
    set(unit "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/lib/systemd/system/capstan-${role}@.service")
    file(READ "${unit}" text)
    string(REPLACE "ExecStart=capstan " "ExecStart=${prefix}/${program} " text "${text}")
    file(WRITE "${unit}" "${text}")]])
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "parameter-server cluster that trains recommender models")
set(CPACK_PACKAGE_DESCRIPTION
  "Trains, evaluates and recommends with models whose embedding tables are too large for one machine.")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The Capstan developers <capstan@invalid>")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/postinst
  ${CMAKE_SOURCE_DIR}/packaging/prerm ${CMAKE_SOURCE_DIR}/packaging/postrm)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
include(CPack)

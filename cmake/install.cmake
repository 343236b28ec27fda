# What `cmake --install` lays down, and what CPack says of it. Pages, completions and licences are there once
# they were made (targets `man` and `completions`; packaging/build.py).
include(GNUInstallDirs)

install(TARGETS amp RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(section 1 5)
  install(DIRECTORY ${CMAKE_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
    OPTIONAL FILES_MATCHING PATTERN "*.${section}")
endforeach()
install(FILES ${CMAKE_BINARY_DIR}/completions/amp DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions OPTIONAL)
install(FILES ${CMAKE_BINARY_DIR}/completions/_amp DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions OPTIONAL)
install(FILES ${CMAKE_BINARY_DIR}/completions/amp.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d OPTIONAL)
set(doc ${CMAKE_INSTALL_DATADIR}/doc/amp)
install(FILES ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${doc})
install(FILES ${CMAKE_BINARY_DIR}/licences/THIRD-PARTY-LICENSES ${CMAKE_BINARY_DIR}/licences/amp.spdx.json DESTINATION ${doc} OPTIONAL)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples DESTINATION ${doc} PATTERN .amp EXCLUDE PATTERN __pycache__ EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME amp-flow)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The amp authors <amp@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES OFF)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, git")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "flows of steps in any language that survive being killed")
set(CPACK_PACKAGE_DESCRIPTION "amp runs flows that people who train models write down in one flow.toml:
steps in any language, checked for every mistake before anything starts.
What a run did lies in a folder; killed at any moment, it goes on where it
was, and what has finished is not done again.
.
It is one static executable without a server and without dependencies.")
include(CPack)

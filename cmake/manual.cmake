# What packages bring beside the program: manual pages (target `man`: build/man/*.1 and *.5) and completions of shells
# (target `completions`: build/completions/amp, _amp, amp.fish). Both are printed by the amp that was just built.

function(amp_manual)
  set(pages ${CMAKE_BINARY_DIR}/man)
  set(scripts ${CMAKE_BINARY_DIR}/completions)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.in)
  add_custom_command(OUTPUT ${pages}/amp.1 VERBATIM
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${pages}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${pages}
    COMMAND amp manual ${pages} ${CMAKE_SOURCE_DIR}/docs/man
    DEPENDS amp ${sources}
    COMMENT "Writing the manual's pages")
  add_custom_target(man DEPENDS ${pages}/amp.1)
  set(made "")
  foreach(pair bash:amp zsh:_amp fish:amp.fish)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 shell)
    list(GET pair 1 name)
    add_custom_command(OUTPUT ${scripts}/${name} VERBATIM
      COMMAND ${CMAKE_COMMAND} -E make_directory ${scripts}
      COMMAND sh -c "\"$1\" completion \"$2\" > \"$3\"" sh $<TARGET_FILE:amp> ${shell} ${scripts}/${name}
      DEPENDS amp
      COMMENT "Writing the completions for ${shell}")
    list(APPEND made ${scripts}/${name})
  endforeach()
  add_custom_target(completions DEPENDS ${made})
endfunction()

amp_manual()

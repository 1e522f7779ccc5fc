# One static library per room, linking exactly its arrows; one program per unit test.

# collega_room(NAME SOURCES file... [LINKS target...] [PRIVATE_LINKS target...])
# The library is `collega_NAME`; headers are included from the repository's root.
function(collega_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(collega_${name} STATIC ${ROOM_SOURCES})
  set_target_properties(collega_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(collega_${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(collega_${name} PUBLIC ${ROOM_LINKS} PRIVATE collega_warnings ${ROOM_PRIVATE_LINKS})
endfunction()

# collega_unit_test(NAME [LABOURS] SOURCES file... LINKS target...): a cmocka program, run by ctest as unit/NAME. LABOURS:
# the test itself works for seconds, beside what it tests, and is optimised. Others would take longer to compile than to run.
function(collega_unit_test name)
  if(NOT COLLEGA_TESTING)
    return()
  endif()
  cmake_parse_arguments(UNIT "LABOURS" "" "SOURCES;LINKS" ${ARGN})
  add_executable(unit_${name} ${UNIT_SOURCES})
  target_include_directories(unit_${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(unit_${name} PRIVATE collega_warnings ${UNIT_LINKS} PkgConfig::CMOCKA)
  if(NOT UNIT_LABOURS)
    target_compile_options(unit_${name} PRIVATE -O0)
  endif()
  add_test(NAME unit/${name} COMMAND unit_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(unit/${name} PROPERTIES TIMEOUT 120)
endfunction()

# collega_manual(PROGRAM): its man page and its completion for bash, printed by the program itself from the tables of
# its commands, and installed with it.
function(collega_manual program)
  set(manual ${PROJECT_BINARY_DIR}/share/man/man1/${program}.1)
  set(completion ${PROJECT_BINARY_DIR}/share/bash-completion/completions/${program})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/man/man1 ${PROJECT_BINARY_DIR}/share/bash-completion/completions)
  add_custom_command(TARGET ${program} POST_BUILD
    COMMAND $<TARGET_FILE:${program}> help --man > ${manual}
    COMMAND $<TARGET_FILE:${program}> help --completion > ${completion}
    COMMENT "Man page and completion of ${program}"
    VERBATIM)
  install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${completion} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endfunction()

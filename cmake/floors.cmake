# capstan_floor(NAME FOLDER dir PUBLIC libs... PRIVATE libs... PRECOMPILE headers...): one static library from
# every .cc below dir.
function(capstan_floor name)
  cmake_parse_arguments(ARG "" "FOLDER" "PUBLIC;PRIVATE;PRECOMPILE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${ARG_FOLDER}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(${name} PUBLIC capstan_options ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  target_precompile_headers(${name} PRIVATE <cmake/pch.h> ${ARG_PRECOMPILE})
endfunction()

# capstan_wire_library(NAME dir): the code generated from every Cap'n Proto schema in dir, our warnings off.
function(capstan_wire_library name folder)
  set(CAPNPC_SRC_PREFIX ${CMAKE_SOURCE_DIR})
  set(CAPNPC_OUTPUT_DIR ${CMAKE_BINARY_DIR}/generated)
  set(CAPNPC_IMPORT_DIRS ${CMAKE_SOURCE_DIR})
  file(MAKE_DIRECTORY ${CAPNPC_OUTPUT_DIR})
  file(GLOB schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.capnp)
  capnp_generate_cpp(sources headers ${schemas})
  add_library(${name} STATIC ${sources} ${headers})
  target_include_directories(${name} SYSTEM PUBLIC ${CAPNPC_OUTPUT_DIR})
  target_link_libraries(${name} PUBLIC CapnProto::capnp)
endfunction()

set(CAPSTAN_TEST_SECONDS 300 CACHE STRING "A test that takes longer has failed")

# capstan_test(NAME FOLDER dir LIBS libs...): one GoogleTest program from every *_test.cc below tests/dir.
function(capstan_test name)
  cmake_parse_arguments(ARG "" "FOLDER" "LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${ARG_FOLDER}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE capstan_options test_paths ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  target_precompile_headers(${name} PRIVATE <cmake/pch.h> <gtest/gtest.h>)
  gtest_discover_tests(${name} TEST_PREFIX "${ARG_FOLDER}/" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${CAPSTAN_TEST_SECONDS})
endfunction()

# The Python package: the extension module beside links to its sources, so that build/NAME/python can be imported.
# Without pybind11 and Python's headers there is none, and nothing else lacks anything.
option(CAPSTAN_PYTHON "Build the Python package if pybind11 is there" ON)
if(NOT CAPSTAN_PYTHON OR CAPSTAN_SANITIZE)
  return()
endif()
if(NOT DEFINED Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
  set(Python3_EXECUTABLE /usr/bin/python3)  # Debian's, which has Debian's NumPy and PyTorch
endif()
find_package(Python3 COMPONENTS Interpreter Development.Module)
find_package(pybind11 2.10 CONFIG QUIET)
if(NOT Python3_Development.Module_FOUND OR NOT pybind11_FOUND)
  message(STATUS "no Python package: pybind11-dev or python3-dev is missing")
  return()
endif()

# A client needs little of the worker: what goes into a shared object is compiled for it.
set(CAPSTAN_PYTHON_PACKAGE ${CMAKE_BINARY_DIR}/python/capstan)
Python3_add_library(capstan_python MODULE WITH_SOABI
  python/capstan_module.cc python/session.cc python/wire_order.cc
  worker/train/direct_client.cc worker/train/push_stream.cc worker/train/puller.cc worker/train/shard_ranges.cc
  worker/train/step_program.cc)
set_target_properties(capstan_python PROPERTIES OUTPUT_NAME _capstan LIBRARY_OUTPUT_DIRECTORY ${CAPSTAN_PYTHON_PACKAGE}
  CXX_VISIBILITY_PRESET hidden LINKER_LANGUAGE CXX)
target_link_libraries(capstan_python PRIVATE capstan_options capstan_common pybind11::headers Boost::json)
target_link_options(capstan_python PRIVATE -Wl,--exclude-libs,ALL)

file(GLOB python_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/python/capstan/*.py)
file(MAKE_DIRECTORY ${CAPSTAN_PYTHON_PACKAGE})
foreach(source ${python_sources})
  get_filename_component(name ${source} NAME)
  file(CREATE_LINK ${source} ${CAPSTAN_PYTHON_PACKAGE}/${name} SYMBOLIC)
endforeach()

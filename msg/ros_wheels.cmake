# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0

# Lets the standard CMakeLists.txt beside this file build against ROS 2 installed from PyPI wheels. Read by project(),
# through CMAKE_PROJECT_TOP_LEVEL_INCLUDES (CMake >= 3.24). On a machine with a real ROS 2 it changes nothing.

if(DEFINED SKBUILD)
  # pip builds in an isolated environment: the ROS wheels' prefix is four levels above ament_package's __file__
  # (<prefix>/lib/pythonX.Y/site-packages/ament_package/__init__.py).
  find_package(Python3 REQUIRED COMPONENTS Interpreter Development.Module)
  execute_process(
    COMMAND "${Python3_EXECUTABLE}" -c
      "import pathlib, ament_package; print(pathlib.Path(ament_package.__file__).resolve().parents[4].as_posix())"
    OUTPUT_VARIABLE _ros_wheels_prefix
    OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  list(PREPEND CMAKE_PREFIX_PATH "${_ros_wheels_prefix}")
  set(ENV{AMENT_PREFIX_PATH} "${_ros_wheels_prefix}:$ENV{AMENT_PREFIX_PATH}")
  set(PYTHON_INSTALL_DIR "${SKBUILD_PLATLIB_DIR}" CACHE PATH "where the generated Python package goes" FORCE)
endif()

# The wheels' generator targets export include directories of the machine that built the wheels, and CMake refuses to use
# a target whose include directories do not exist. Drop those, once every target is known.
function(_ros_wheels_drop_foreign_includes)
  get_property(_targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(_target IN LISTS _targets)
    if(NOT _target MATCHES "__rosidl_generator_py$")
      continue()
    endif()
    get_target_property(_includes "${_target}" INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT _includes)
      continue()
    endif()
    set(_kept)
    foreach(_include IN LISTS _includes)
      if(NOT IS_ABSOLUTE "${_include}" OR EXISTS "${_include}")
        list(APPEND _kept "${_include}")
      endif()
    endforeach()
    set_property(TARGET "${_target}" PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${_kept}")
  endforeach()
endfunction()
cmake_language(DEFER CALL _ros_wheels_drop_foreign_includes)

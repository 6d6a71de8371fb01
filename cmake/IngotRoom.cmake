# Settings that every target shares, and the one way to declare a room of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
    set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE}")
endif()

# An interface target rather than add_compile_options: the flags stay ours and never reach a dependency.
add_library(ingot_flags INTERFACE)
target_compile_options(ingot_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                       -Werror)
# Members that designated initialisers leave to their defaults are what those are for.
target_compile_options(ingot_flags INTERFACE -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 reports overlapping copies inside std::string that can't happen (GCC bugs 105329 and 105651), and null
    # arguments on paths that it made up itself.
    target_compile_options(ingot_flags INTERFACE -Wno-restrict -Wno-nonnull)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # libstdc++ 12's std::stable_sort uses a function that it declares deprecated itself. The other is as for GCC.
    target_compile_options(ingot_flags INTERFACE -Wno-deprecated-declarations
                           -Wno-missing-designated-field-initializers)
endif()
if(INGOT_SANITIZE)
    add_compile_options(-fsanitize=${INGOT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${INGOT_SANITIZE})
endif()

# ingot_room(NAME USES room...): a static library ingot_NAME of every .cpp in the folder.
# Each room sees only its own headers and those of the rooms it uses: the headers are reached through a
# folder of symbolic links made for that room, so an include against the way of the data does not build.
function(ingot_room name)
    cmake_parse_arguments(ROOM "" "" "USES" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
    add_library(ingot_${name} STATIC ${sources})
    add_library(ingot::${name} ALIAS ingot_${name})
    set(view "${CMAKE_BINARY_DIR}/include/${name}")
    file(MAKE_DIRECTORY "${view}")
    file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${view}/${name}" SYMBOLIC)
    target_include_directories(ingot_${name} PUBLIC "$<BUILD_INTERFACE:${view}>" "$<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/gen/${name}>")
    target_link_libraries(ingot_${name} PUBLIC fmt::fmt PRIVATE $<BUILD_INTERFACE:ingot_flags>)
    foreach(used IN LISTS ROOM_USES)
        target_link_libraries(ingot_${name} PUBLIC ingot_${used})
    endforeach()
endfunction()

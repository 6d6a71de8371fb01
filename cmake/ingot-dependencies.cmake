# Libraries of the runtime that come without a CMake package: a target ingot::NAME for each. Included by the build
# and by the installed package (ingot-config.cmake), which links them where the runtime is a static library.
foreach(name hwloc utf8proc xxhash)
    if(NOT TARGET ingot::${name})
        find_library(INGOT_${name}_LIBRARY ${name})
        if(NOT INGOT_${name}_LIBRARY)
            list(APPEND INGOT_MISSING_LIBRARIES ${name})
            continue()
        endif()
        add_library(ingot::${name} UNKNOWN IMPORTED)
        set_target_properties(ingot::${name} PROPERTIES IMPORTED_LOCATION "${INGOT_${name}_LIBRARY}")
    endif()
endforeach()

# Installs into a folder of its own, finds the package from there, builds the examples and runs them.
include("${CMAKE_CURRENT_LIST_DIR}/steps.cmake")
make_plan()
step("install" "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix" --component api)
# What is installed stands alone: it names nothing of the checkout or the build.
file(GLOB_RECURSE installed "${WORK}/prefix/*.cmake" "${WORK}/prefix/*.h" "${WORK}/prefix/*.hpp")
foreach(file IN LISTS installed)
    file(READ "${file}" text)
    foreach(folder "${SOURCE}" "${BUILD}")
        string(FIND "${text}" "${folder}" at)
        if(NOT at EQUAL -1)
            message(FATAL_ERROR "${file} names ${folder}")
        endif()
    endforeach()
endforeach()
foreach(example c/complete cpp/branches)
    get_filename_component(language "${example}" DIRECTORY)
    step("configure ${example}" "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${SOURCE}/tools/examples/${language}" -B "${language}"
         "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_C_COMPILER=${C_COMPILER}"
         "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}" -DCMAKE_BUILD_TYPE=Release)
    step("build ${example}" "${CMAKE_COMMAND}" --build "${language}")
    expect_text("${WORK}/${example}")
endforeach()

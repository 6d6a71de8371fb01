# What the tests of this folder share.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")

# Runs a command; stops the test where it fails. Its standard output is in `output` afterwards.
function(step name)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${WORK}" RESULT_VARIABLE result OUTPUT_VARIABLE out
                    ERROR_VARIABLE err)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${name} failed (${result}):\n${out}\n${err}")
    endif()
    message(STATUS "${name}: done")
    set(output "${out}" PARENT_SCOPE)
endfunction()

# A plan of a small random model, as ${WORK}/tiny.ingot.
function(make_plan)
    step("write a model" "${WRITE_MODEL}" tiny.gguf)
    step("compile it" "${INGOT}" compile tiny.gguf -o tiny.ingot)
endfunction()

# Of random weights nothing can be expected but that the prompt stands in front and that the same comes again.
function(expect_text program)
    step("run ${program}" "${program}" tiny.ingot "and the" 8)
    set(first "${output}")
    if(NOT first MATCHES "^and the")
        message(FATAL_ERROR "${program} printed: ${first}")
    endif()
    step("run it again" "${program}" tiny.ingot "and the" 8)
    if(NOT output STREQUAL first)
        message(FATAL_ERROR "${program} printed: ${first}\nand then: ${output}")
    endif()
    execute_process(COMMAND "${program}" tiny.gguf WORKING_DIRECTORY "${WORK}" RESULT_VARIABLE result
                    ERROR_VARIABLE err OUTPUT_QUIET)
    if(NOT result EQUAL 1 OR NOT err MATCHES "tiny.gguf: is not a plan[^\n]*code 2[^\n]*\n$")
        message(FATAL_ERROR "${program} of a file that is no plan: ${result}, ${err}")
    endif()
endfunction()

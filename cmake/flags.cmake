# Compiler flags, build types and the choice of engine.
#
# Build types: Release (-O2 -g, asserts stay in), Debug (-O0), Asan (address + undefined), Fuzz (the same with libFuzzer; clang).
# TRAPLINE_ENGINE: "tail" dispatches by tail calls, "plain" by a call loop from the same rows. A compiler promises tail calls only
# when it optimises and no sanitizer is on, so "auto" means tail for Release and plain for the others.

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, Asan or Fuzz" FORCE)
endif()
set(TRAPLINE_ENGINE auto CACHE STRING "auto, tail or plain")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(tl_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
string(JOIN " " tl_sanitizer_text ${tl_sanitizers})
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
set(CMAKE_C_FLAGS_ASAN "-O1 -g ${tl_sanitizer_text}")
set(CMAKE_C_FLAGS_FUZZ "-O1 -g ${tl_sanitizer_text} -fsanitize=fuzzer-no-link")
set(CMAKE_EXE_LINKER_FLAGS_ASAN "${tl_sanitizer_text}")
set(CMAKE_EXE_LINKER_FLAGS_FUZZ "${tl_sanitizer_text}")

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
    -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror
    # Pragmas in the sources name warnings that only gcc has.
    $<$<C_COMPILER_ID:Clang>:-Wno-unknown-warning-option>
    -fno-plt -fno-semantic-interposition
    # The guest's arithmetic is exactly what is written: a*b+c is never fused behind our back.
    -ffp-contract=off
    -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)

if(TRAPLINE_ENGINE STREQUAL auto)
    set(tl_engine plain)
    if(CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$")
        set(tl_engine tail)
    endif()
elseif(TRAPLINE_ENGINE MATCHES "^(tail|plain)$")
    set(tl_engine ${TRAPLINE_ENGINE})
else()
    message(FATAL_ERROR "TRAPLINE_ENGINE is '${TRAPLINE_ENGINE}': it must be auto, tail or plain")
endif()
if(tl_engine STREQUAL plain)
    add_compile_definitions(TL_ENGINE_PLAIN=1)
endif()
message(STATUS "Engine: ${tl_engine}")

if(NOT CMAKE_C_COMPILER_LAUNCHER)
    find_program(TRAPLINE_CCACHE ccache)
    if(TRAPLINE_CCACHE)
        set(CMAKE_C_COMPILER_LAUNCHER ${TRAPLINE_CCACHE})
    endif()
endif()

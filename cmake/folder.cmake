# tl_folder(<folder> [USES <folder>...] [LIBRARIES <tl::name>...] [EXCEPT <file>...])
#
# Makes the target tl_<folder> from all C files below src/<folder> but those of EXCEPT. Its headers are reached through an include
# directory of its own, which holds one link, <folder> -> src/<folder>. So `#include "csr/x.h"` compiles only in a target that
# uses csr: the rule who may include whom is enforced by the compiler. A folder without C files is headers only.
function(tl_folder folder)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;LIBRARIES;EXCEPT")
    set(include ${CMAKE_BINARY_DIR}/include/${folder})
    file(MAKE_DIRECTORY ${include})
    if(NOT IS_SYMLINK ${include}/${folder})
        file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include}/${folder} SYMBOLIC)
    endif()

    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    foreach(file IN LISTS arg_EXCEPT)
        list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    endforeach()
    list(TRANSFORM arg_USES PREPEND tl_)

    if(sources)
        add_library(tl_${folder} STATIC ${sources})
        target_include_directories(tl_${folder} PUBLIC ${include})
        target_link_libraries(tl_${folder} PUBLIC ${arg_USES} PRIVATE ${arg_LIBRARIES} m)
        set_property(GLOBAL APPEND PROPERTY TL_STATIC tl_${folder})
    else()
        add_library(tl_${folder} INTERFACE)
        target_include_directories(tl_${folder} INTERFACE ${include})
        target_link_libraries(tl_${folder} INTERFACE ${arg_USES})
    endif()
endfunction()

# The libraries of docs/dependencies.md as imported targets tl::<name>; a folder links only those its CMakeLists.txt names.
find_package(PkgConfig REQUIRED)

# tl_library(<name> <pkg-config module> <Debian package>)
function(tl_library name module package)
    pkg_check_modules(TL_${name} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(NOT TL_${name}_FOUND)
        message(FATAL_ERROR "${module} or what its .pc file requires is missing: install ${package} (./x build does)")
    endif()
    add_library(tl::${name} ALIAS PkgConfig::TL_${name})
endfunction()

tl_library(xxhash libxxhash libxxhash-dev)
tl_library(mpfr mpfr libmpfr-dev)
tl_library(gmp gmp libgmp-dev)
tl_library(elf libelf libelf-dev)
tl_library(zlib zlib zlib1g-dev)
tl_library(zstd libzstd libzstd-dev)
tl_library(slirp slirp "libslirp-dev libglib2.0-dev")
tl_library(jansson jansson libjansson-dev)
tl_library(capstone capstone libcapstone-dev)
tl_library(edit libedit libedit-dev)

# libfdt comes without a .pc file.
find_library(TRAPLINE_FDT_LIBRARY fdt)
find_path(TRAPLINE_FDT_INCLUDE libfdt.h)
if(NOT TRAPLINE_FDT_LIBRARY OR NOT TRAPLINE_FDT_INCLUDE)
    message(FATAL_ERROR "libfdt is missing: install the package libfdt-dev (./x build does)")
endif()
add_library(tl_fdt_imported UNKNOWN IMPORTED GLOBAL)
set_target_properties(tl_fdt_imported PROPERTIES IMPORTED_LOCATION ${TRAPLINE_FDT_LIBRARY}
                      INTERFACE_INCLUDE_DIRECTORIES ${TRAPLINE_FDT_INCLUDE})
add_library(tl::fdt ALIAS tl_fdt_imported)

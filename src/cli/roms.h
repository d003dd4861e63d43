/* Where the bundled guest images are. */
#ifndef TL_CLI_ROMS_H
#define TL_CLI_ROMS_H
#include "base/err.h"
#include <stddef.h>

/* The folder of the bundled images, found from where the program is: share/trapline/roms of the prefix it is installed in, or
   roms/ beside it in a build tree. False with a sentence if there is none. */
bool roms_folder(char *path, size_t cap, struct err *e);
#endif

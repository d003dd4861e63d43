#include "cli/roms.h"
#include "base/bits.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool roms_folder(char *path, size_t cap, struct err *e)
{
    static const char *const places[] = {"roms", "../share/trapline/roms"};
    char self[4096], manifest[4352];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        return err_set(e, "/proc/self/exe: %s", strerror(errno));
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        snprintf(manifest, sizeof manifest, "%s/%s/MANIFEST", self, places[i]);
        if (!access(manifest, R_OK) && (size_t)snprintf(path, cap, "%s/%s", self, places[i]) < cap)
            return true;
    }
    return err_set(e, "the bundled guest images are neither in %s/%s nor in %s/%s", self, places[0], self, places[1]);
}

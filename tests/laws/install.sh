# What `cmake --install` puts in place works from there: the program, and a program of somebody else's that is linked with the
# installed library through its .pc file.
# sanitized: yes
. "$(dirname "$0")/../lib/env.sh"
prefix=$scratch/prefix
cmake --install "$TRAPLINE_BUILD" --prefix "$prefix" >"$scratch/log" || { cat "$scratch/log"; fail "cmake --install"; }
for file in bin/trapline include/trapline/trapline.h share/man/man1/trapline.1 share/bash-completion/completions/trapline; do
    [ -s "$prefix/$file" ] || fail "$file is not installed"
done
[ -n "$(ls -A "$prefix/share/trapline/roms")" ] || fail "no roms are installed"
"$prefix/bin/trapline" --version | grep -qE '[0-9]+\.[0-9]+\.[0-9]+' || fail "the installed program does not tell its version"

cat >"$scratch/user.c" <<'END'
#include <stdio.h>
#include <trapline.h>

int main(void)
{
    struct err e;
    struct machine_config c = {.board = "virt"};
    struct machine *m = machine_new(&c, &e);
    if (!m) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    machine_free(m);
    return 0;
}
END
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name trapline.pc)")
# The .pc file names the prefix it was configured for; this installation has another.
flags=$(pkg-config --define-variable=prefix="$prefix" --cflags --libs --static trapline)
# shellcheck disable=SC2086
"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror "$scratch/user.c" $flags -o "$scratch/user" || fail "the installed library does not link"
"$scratch/user" || fail "the program linked with the installed library fails"

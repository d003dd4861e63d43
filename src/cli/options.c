#include "cli/options.h"
#include "base/bits.h"
#include "cli/cli.h"
#include "csr/arm/config.h"
#include "machine/board.h"
#include "machine/image.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    OPT_BIOS = 0x100,
    OPT_KERNEL,
    OPT_INITRD,
    OPT_APPEND,
    OPT_DTB,
    OPT_DUMPDTB,
    OPT_DRIVE,
    OPT_SMP,
    OPT_NOGRAPHIC,
    OPT_DISPLAY,
    OPT_SERIAL,
    OPT_MACHINE,
    OPT_CPU,
    OPT_DEVICE,
    OPT_NETDEV,
    OPT_QUANTUM,
    OPT_SEED,
    OPT_CLOCK,
    OPT_EPOCH,
    OPT_SEMIHOSTING
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Machine (each --name may be written -name, as QEMU does):", 1},
    {"bios", OPT_BIOS, "FILE", 0,
     "firmware; virt-arm: flash image or ELF; 'default': Debian's OpenSBI (virt's default with -kernel); 'none'", 1},
    {"kernel", OPT_KERNEL, "FILE", 0, "what the firmware starts: ELF, Linux Image (gzip too) or raw", 1},
    {"initrd", OPT_INITRD, "FILE", 0, "initial RAM disk", 1},
    {"append", OPT_APPEND, "TEXT", 0, "kernel command line", 1},
    {"dtb", OPT_DTB, "FILE", 0, "device tree instead of the generated one", 1},
    {"dumpdtb", OPT_DUMPDTB, "FILE", 0, "write the device tree and end", 1},
    {"drive", OPT_DRIVE, "FILE", 0, "disk image: FILE, or file=FILE,readonly=on,write=on; writes stay in memory unless write=on",
     1},
    {"smp", OPT_SMP, "N", 0, "harts, 1 to 8 (1)", 1},
    {"memory", 'm', "SIZE", 0, "RAM: 512 or 512M or 1G (128M)", 1},
    {"machine", 'M', "NAME", 0,
     "board: virt (RISC-V) or virt-arm[,virtualization=on][,secure=on] (AArch64); else the one for the image", 1},
    {"cpu", OPT_CPU, "CONFIG", 0, "rv64,h=on,sstc=off; max,mte=off; or @FILE with such words; `trapline doc --cpu` lists them",
     1},
    {"device", OPT_DEVICE, "NAME", 0, "add virtio-net, virtio-rng or virtio-console", 1},
    {"netdev", OPT_NETDEV, "user", 0,
     "network behind virtio-net: user[,hostfwd=tcp::2222-:22]; depends on the outside, so off by default", 1},
    {"nographic", OPT_NOGRAPHIC, 0, 0, "accepted: the console is always stdin and stdout", 1},
    {"display", OPT_DISPLAY, "none", 0, "accepted: there is no display", 1},
    {"serial", OPT_SERIAL, "[mon:]stdio", 0, "accepted: the console is always stdin and stdout", 1},
    {"semihosting", OPT_SEMIHOSTING, 0, 0, "answer semihosting calls", 1},
    {"quantum", OPT_QUANTUM, "CYCLES", 0, "cycles a hart runs before the next one does; 1: lock step", 1},
    {"seed", OPT_SEED, "N", 0, "seed of the machine's random numbers (0)", 1},
    {"clock", OPT_CLOCK, "HZ", 0, "machine cycles in a second of guest time (1G)", 1},
    {"epoch", OPT_EPOCH, "SECONDS", 0, "what the guest's clock shows at the start, since 1970", 1},
    {0}};

/* ---- values --------------------------------------------------------------------------------------------------------------- */

bool options_size(const char *text, uint64_t unit, uint64_t *bytes, struct err *e)
{
    static const struct {
        char letter;
        unsigned shift;
    } units[] = {{'B', 0}, {'K', 10}, {'M', 20}, {'G', 30}, {'T', 40}};
    char *end;
    errno = 0;
    uint64_t v = strtoull(text, &end, 0);
    if (!isdigit((unsigned char)*text) || errno)
        return err_set(e, "'%s' is not a size; write 512M or 1G", text);
    for (size_t i = 0; *end && i < ARRAY_LEN(units); i++) {
        if (toupper((unsigned char)*end) == units[i].letter && !end[1]) {
            unit = UINT64_C(1) << units[i].shift;
            end++;
            break;
        }
    }
    if (*end || __builtin_mul_overflow(v, unit, bytes))
        return err_set(e, "'%s' is not a size; write 512M or 1G", text);
    return true;
}

bool options_count(const char *what, const char *text, uint64_t *value, struct err *e)
{
    static const struct {
        char letter;
        uint64_t unit;
    } units[] = {{'K', 1000}, {'M', 1000000}, {'G', 1000000000}, {'T', 1000000000000}};
    char *end;
    errno = 0;
    uint64_t v = strtoull(text, &end, 0), unit = 1;
    bool ok = isdigit((unsigned char)*text) && !errno;
    if (ok && (*end == 'e' || *end == '.')) { /* exact up to 2^53, and whole */
        double d = strtod(text, &end);
        ok = d >= 0 && d <= 0x1p53;
        v = ok ? (uint64_t)d : 0;
        ok = ok && (double)v == d;
    }
    for (size_t i = 0; ok && *end && i < ARRAY_LEN(units); i++) {
        if (toupper((unsigned char)*end) == units[i].letter && !end[1]) {
            unit = units[i].unit;
            end++;
        }
    }
    if (!ok || *end || __builtin_mul_overflow(v, unit, value))
        return err_set(e, "%s '%s' is not a number; write 1000000, 0x10, 5e7 or 20M", what, text);
    return true;
}

static int hex(char c)
{
    if (!isxdigit((unsigned char)c))
        return -1;
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

long options_unescape(char *text)
{
    static const char from[] = "nrte\\\"'0", to[] = "\n\r\t\033\\\"'";
    char *out = text;
    for (const char *p = text; *p; p++) {
        if (*p != '\\') {
            *out++ = *p;
            continue;
        }
        const char *k = *++p ? strchr(from, *p) : NULL;
        if (k) {
            *out++ = to[k - from];
        } else if (*p == 'x' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
            *out++ = (char)(hex(p[1]) * 16 + hex(p[2]));
            p += 2;
        } else {
            return -1;
        }
    }
    *out = '\0';
    return out - text;
}

/* ---- parsing -------------------------------------------------------------------------------------------------------------- */

/* The part of "a,b=c,d" before the first comma, kept in o. */
static const char *first_word(struct machine_options *o, const char *arg, struct err *e)
{
    size_t n = strcspn(arg, ",");
    if (n >= sizeof o->text[0] || o->texts == OPTIONS_LIST_MAX) {
        err_set(e, "'%s' is too long", arg);
        return NULL;
    }
    char *t = o->text[o->texts++];
    memcpy(t, arg, n);
    t[n] = '\0';
    return t;
}

static bool parse_smp(struct machine_options *o, const char *arg, struct err *e)
{
    uint64_t n;
    const char *word = first_word(o, strncmp(arg, "cpus=", 5) ? arg : arg + 5, e);
    if (!word || !options_count("-smp", word, &n, e))
        return false;
    if (n < 1 || n > 8)
        return err_set(e, "-smp %s: a machine has 1 to 8 harts", arg);
    o->config.harts = (unsigned)n;
    return true;
}

static bool parse_ram(struct machine_options *o, const char *arg, struct err *e)
{
    struct err why;
    const char *word = first_word(o, strncmp(arg, "size=", 5) ? arg : arg + 5, e);
    if (!word)
        return false;
    if (!options_size(word, 1 << 20, &o->config.ram, &why))
        return err_set(e, "-m %s: %s", arg, why.text);
    if (!o->config.ram)
        return err_set(e, "-m %s: a machine with 0 bytes of RAM cannot run anything", arg);
    if (o->config.ram % 4096)
        return err_set(e, "-m %s: RAM comes in pages of 4096 bytes", arg);
    return true;
}

static bool parse_machine(struct machine_options *o, const char *arg, struct err *e)
{
    o->config.board = arg;
    return board_parse(arg, e) != NULL;
}

static bool parse_device(struct machine_options *o, const char *arg, struct err *e)
{
    if (o->config.ndevices == OPTIONS_LIST_MAX)
        return err_set(e, "-device %s: too many devices", arg);
    const char *word = first_word(o, arg, e);
    if (word && !*word)
        return err_set(e, "-device '%s': the name of the device is empty", arg);
    o->devices[o->config.ndevices++] = word;
    return word != NULL;
}

static bool parse_drive(struct machine_options *o, const char *arg, struct err *e)
{
    if (!*arg)
        return err_set(e, "-drive: the name of the disk image is empty");
    if (o->config.ndrives == OPTIONS_LIST_MAX)
        return err_set(e, "-drive %s: too many drives", arg);
    o->drives[o->config.ndrives++] = arg;
    return true;
}

static bool parse_netdev(struct machine_options *o, const char *arg, struct err *e)
{
    const char *word = first_word(o, arg, e);
    if (word && strcmp(word, "user"))
        return err_set(e, "-netdev %s: only 'user' is there", arg);
    if (!word)
        return false;
    o->netdev = true;
    for (const char *p = arg + strlen(word); *p; p += strcspn(p, ",")) {
        p++;
        if (!strncmp(p, "hostfwd=", 8) && o->hostfwds < OPTIONS_LIST_MAX) {
            o->hostfwd[o->hostfwds] = first_word(o, p + 8, e);
            if (!o->hostfwd[o->hostfwds++])
                return false;
        } else if (strncmp(p, "id=", 3)) {
            return err_set(e, "-netdev %s: 'id=' and 'hostfwd=' are the options of user", arg);
        }
    }
    return true;
}

/* A configuration as text, or "@FILE": the same in a file, with one setting a line and # comments. */
static bool parse_cpu(struct machine_options *o, const char *arg, struct err *e)
{
    struct buf b;
    o->cpu_file = NULL;
    o->config.cpu = arg;
    if (*arg != '@')
        return *arg || err_set(e, "-cpu: the configuration is empty");
    o->cpu_file = arg + 1;
    if (!image_read_file(arg + 1, &b, e))
        return false;
    buf_put_u8(&b, '\0');
    free(o->cpu_text);
    o->config.cpu = o->cpu_text = (char *)b.data;
    return strlen(o->config.cpu) + 1 == b.len || err_set(e, "%s is not a cpu configuration: it holds a NUL byte", arg + 1);
}

static bool parse_serial(const char *arg, struct err *e)
{
    return !strcmp(arg, "stdio") || !strcmp(arg, "mon:stdio") ||
           err_set(e, "-serial %s: the console is stdin and stdout; only stdio and mon:stdio are accepted", arg);
}

static bool parse_one(struct machine_options *o, int key, char *arg, struct err *e)
{
    struct machine_config *c = &o->config;
    switch (key) {
    case OPT_BIOS: c->bios = arg; return true;
    case OPT_KERNEL: c->kernel = arg; return true;
    case OPT_INITRD: c->initrd = arg; return true;
    case OPT_APPEND: c->append = arg; return true;
    case OPT_DTB: c->dtb = arg; return true;
    case OPT_CPU: return parse_cpu(o, arg, e);
    case OPT_DUMPDTB: o->dumpdtb = arg; return true;
    case OPT_NOGRAPHIC: return true;
    case OPT_DISPLAY:
        return !strcmp(arg, "none") || err_set(e, "-display %s: there is no display, the console is stdin and stdout", arg);
    case OPT_SERIAL: return parse_serial(arg, e);
    case OPT_SEMIHOSTING: c->semihosting = true; return true;
    case OPT_SMP: return parse_smp(o, arg, e);
    case 'm': return parse_ram(o, arg, e);
    case 'M':
    case OPT_MACHINE: return parse_machine(o, arg, e);
    case OPT_DEVICE: return parse_device(o, arg, e);
    case OPT_DRIVE: return parse_drive(o, arg, e);
    case OPT_NETDEV: return parse_netdev(o, arg, e);
    case OPT_SEED: return options_count("--seed", arg, &c->seed, e);
    case OPT_QUANTUM:
        return options_count("--quantum", arg, &c->quantum, e) &&
               (c->quantum || err_set(e, "--quantum 0: a hart runs at least 1 cycle"));
    case OPT_CLOCK:
        return options_count("--clock", arg, &c->clock_hz, e) && (c->clock_hz || err_set(e, "--clock 0: time would stand still"));
    case OPT_EPOCH: return options_count("--epoch", arg, &c->rtc_epoch, e);
    default: return false;
    }
}

static bool is_ours(int key)
{
    for (const struct argp_option *t = table; t->name || t->doc; t++)
        if (t->key && t->key == key)
            return true;
    return false;
}

static error_t parser(int key, char *arg, struct argp_state *state)
{
    struct machine_options *o = state->input;
    struct err e;
    if (key == ARGP_KEY_INIT) {
        return 0;
    }
    if (key == ARGP_KEY_ARG) {
        if (o->image)
            exit(cli_errorf("one image is run at a time: '%s' and '%s' were given", o->image, arg));
        o->image = arg;
        return 0;
    }
    if (!is_ours(key))
        return ARGP_ERR_UNKNOWN;
    if (!parse_one(o, key, arg, &e))
        exit(cli_error(&e));
    return 0;
}

/* The names of the cores are the table's. */
static char *help(int key, const char *text, void *input)
{
    char names[128], *more;
    (void)input;
    if (key != OPT_CPU)
        return (char *)(uintptr_t)text;
    arm_core_names(names, sizeof names);
    if (asprintf(&more, "%s. Cores of virt-arm: %s", text, names) < 0)
        abort();
    return more;
}

const struct argp options_argp = {.options = table, .parser = parser, .help_filter = help};

/* ---- QEMU's spelling ------------------------------------------------------------------------------------------------------ */

static const struct argp_option *find_long(const struct argp *a, const char *name, size_t n)
{
    for (const struct argp_option *t = a->options; t && (t->name || t->doc); t++)
        if (t->name && strlen(t->name) == n && !memcmp(t->name, name, n))
            return t;
    for (const struct argp_child *c = a->children; c && c->argp; c++) {
        const struct argp_option *t = find_long(c->argp, name, n);
        if (t)
            return t;
    }
    return NULL;
}

static const struct argp_option *find_short(const struct argp *a, char letter)
{
    for (const struct argp_option *t = a->options; t && (t->name || t->doc); t++)
        if (t->key == letter)
            return t;
    for (const struct argp_child *c = a->children; c && c->argp; c++) {
        const struct argp_option *t = find_short(c->argp, letter);
        if (t)
            return t;
    }
    return NULL;
}

/* QEMU's options that are none here, and what there is in their place. */
static const struct {
    const char *name, *instead;
} hints[] = {
    {"s", "`trapline gdb` serves a machine to GDB"},
    {"S", "`trapline gdb` serves a machine to GDB, which starts it"},
    {"gdb", "`trapline gdb` serves a machine to GDB"},
    {"d", "`trapline run --trace traps` tells every trap and return, --trace sbi and --trace calls every call"},
    {"semihosting-config", "--semihosting answers semihosting calls"},
    {"chardev", "the console is stdin and stdout"},
    {"mon", "the console is stdin and stdout"},
    {"monitor", "the console is stdin and stdout; `trapline step` has commands"},
    {"accel", "it is not needed, every run is deterministic"},
    {"icount", "it is not needed, every run is deterministic"},
    {"no-reboot", "a reset starts the machine again; --exit-on, --max-cycles and --timeout end a run"},
};

/* A word with one - that is no long option; its name has n characters. argp would name the first of them only, or take the rest
   for a value of that (-mon). */
static void refuse_unknown(const char *word, size_t n, const struct argp *argp)
{
    bool letter = find_short(argp, word[1]) || strchr("?V", word[1]);
    if (letter && n == 1)
        return;
    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (strlen(hints[i].name) == n && !memcmp(hints[i].name, word + 1, n))
            exit(cli_errorf("there is no option '-%s': %s", hints[i].name, hints[i].instead));
    if (!letter)
        exit(cli_errorf("there is no option '%s'; `%s --help` lists them", word, program_invocation_name));
}

/* Whether the option w takes the next word as its argument; t: as a long one; NULL: it is none. */
static bool takes_next(const char *w, const struct argp_option *t, const struct argp *argp)
{
    if (t)
        return t->arg && !(t->flags & OPTION_ARG_OPTIONAL) && !strchr(w, '=');
    t = w[1] != '-' && !w[2] ? find_short(argp, w[1]) : NULL;
    return t && t->arg && !(t->flags & OPTION_ARG_OPTIONAL);
}

void options_long(int argc, char **argv, const struct argp *argp)
{
    for (int i = 1; i < argc; i++) {
        char *w = argv[i];
        if (!strcmp(w, "--"))
            return;
        if (w[0] != '-' || !w[1])
            continue;
        const char *name = w + (w[1] == '-' ? 2 : 1);
        size_t n = strcspn(name, "=");
        const struct argp_option *t = n > 1 ? find_long(argp, name, n) : NULL;
        if (!t && w[1] != '-')
            refuse_unknown(w, n, argp);
        if (t && w[1] != '-') {
            char *longer;
            if (asprintf(&longer, "-%s", w) < 0)
                abort();
            argv[i] = longer;
        }
        i += takes_next(w, t, argp); /* that word is this option's argument, whatever it looks like */
    }
}

/* ---- the image ------------------------------------------------------------------------------------------------------------ */

void options_free(struct machine_options *o) { free(o->cpu_text); }

/* A Linux kernel given by itself needs firmware below it; everything else is started as it is. */
static bool is_linux_kernel(const char *path, bool *linux_image, struct err *e)
{
    struct buf b;
    if (!image_no_pipe(path, e) || !image_read_file(path, &b, e))
        return false;
    bool ok = image_unpack(path, &b, UINT64_C(4) << 30, e);
    *linux_image = ok && image_kind_of(b.data, b.len) == IMAGE_LINUX;
    buf_free(&b);
    return ok;
}

/* Firmware on a flash drive is something to run. */
static bool has_flash(const struct machine_options *o)
{
    for (unsigned i = 0; i < o->config.ndrives; i++)
        if (strstr(o->drives[i], "if=pflash"))
            return true;
    return false;
}

/* Without -machine: the board for what is to be run, if that can be told. */
static bool choose_board(struct machine_options *o, struct err *e)
{
    const char *path = o->config.kernel ? o->config.kernel : o->config.bios;
    const struct board *b = NULL;
    struct buf bytes;
    struct stat st;
    if (path && !stat(path, &st) && S_ISREG(st.st_mode) && /* a pipe can be read once only */ strcmp(path, "default") &&
        strcmp(path, "none")) {
        if (!image_read_file(path, &bytes, e))
            return false;
        const struct cpu_arch *arch =
            image_unpack(path, &bytes, UINT64_C(4) << 30, e) ? image_arch_of(bytes.data, bytes.len) : NULL;
        b = arch ? board_of_arch(arch) : NULL;
        buf_free(&bytes);
    }
    o->config.board = b ? b->name : board_at(0)->name;
    return true;
}

bool options_settle(struct machine_options *o, struct err *e)
{
    struct machine_config *c = &o->config;
    bool linux_image;
    c->drives = o->drives;
    c->devices = o->devices;
    if (o->image && c->kernel)
        return err_set(e, "'%s' and -kernel '%s' both name what to run", o->image, c->kernel);
    if (o->image) {
        if (!is_linux_kernel(o->image, &linux_image, e))
            return false;
        c->kernel = o->image;
        if (!c->bios && !linux_image)
            c->bios = "none";
    }
    if (!c->kernel && (!c->bios || !strcmp(c->bios, "none")) && !o->dumpdtb && !has_flash(o))
        return err_set(e, "nothing to run: name an image, or -kernel FILE, or -bios FILE; see `trapline run --help`");
    if (c->append && !c->kernel)
        return err_set(e, "-append '%s': a command line needs a kernel (-kernel)", c->append);
    if (!c->board && !choose_board(o, e))
        return false;
    const struct board *b = board_find(c->board);
    if (c->bios && !strcmp(c->bios, "default") && !b->firmware)
        return err_set(e, "-bios default: there is no default firmware for the board %s; name a file, or 'none'", b->name);
    if (!c->bios)
        c->bios = c->kernel && b->firmware ? "default" : "none";
    return true;
}

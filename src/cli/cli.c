#include "cli/cli.h"
#include "base/bits.h"
#include "machine/trapline.h"
#include <argp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct verb verbs[] = {
    {"run", "run firmware, kernels, ELF or raw images; the guest's console is stdin and stdout", verb_run},
    {"record", "run something and record it in a trace", verb_record},
    {"replay", "run traces again and check that nothing differs", verb_replay},
    {"export", "write a recorded run for other tools: a page for browsers, Perfetto, CSV, Spike, Tarmac", verb_export},
    {"check", "run the bundled scenarios on every firmware and judge them", verb_check},
    {"doc", "print what the tables know: registers, their fields, the cpu configuration", verb_doc},
    {"sweep", "inject an event at every instruction boundary of a window; compare what it interrupted", verb_sweep},
    {"diff", "compare instruction logs, of this and other simulators, to the first real difference", verb_diff},
    {"step", "run a machine by commands: to the next trap and into it, and back; explain what happened", verb_step},
    {"gdb", "serve a machine to GDB: harts as threads, system registers, watchpoints, reverse execution", verb_gdb},
    {"bench", "measure this program, beside QEMU where that is installed", verb_bench},
};

int cli_errorf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("trapline: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return CLI_USER;
}

int cli_error(const struct err *e) { return cli_errorf("%s", e->text); }

bool cli_colour(int fd)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(fd) && term && strcmp(term, "dumb") && !(no && *no);
}

static void usage(FILE *f)
{
    fputs("Usage: trapline VERB [OPTION...] [ARGUMENT...]\n"
          "Deterministic, cycle-level emulator of RISC-V and Arm machines for firmware, hypervisors and kernels.\n\nVerbs\n",
          f);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        fprintf(f, "  %-8s %s\n", verbs[i].name, verbs[i].title);
    fputs("\nExamples\n"
          "    trapline run hello.elf\n"
          "    trapline run -bios default -kernel linux -initrd initrd.gz -append console=ttyS0 -m 1G -smp 4\n"
          "    trapline doc mstatus=0xa00000080\n"
          "\n`trapline VERB --help` tells the options of a verb; `trapline --version` the version; trapline(1) everything.\n",
          f);
}

/* Output that could not be written (a full disk) must not look like success. */
static int finish(int status)
{
    bool bad = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || bad)
        return cli_errorf("standard output: %s", strerror(errno ? errno : EIO));
    return status;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
    char name[64];
    snprintf(name, sizeof name, "trapline %s", v->name);
    argv[0] = name;
    program_invocation_name = program_invocation_short_name = name;
    return finish(v->run(argc, argv));
}

int cli_main(int argc, char **argv)
{
    argp_err_exit_status = CLI_USER;
    argp_program_version = "trapline " TRAPLINE_VERSION;
    if (argc < 2) {
        usage(stderr);
        return CLI_USER;
    }
    const char *word = argv[1];
    if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
        puts(argp_program_version);
        return finish(CLI_OK);
    }
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "-?") || (!strcmp(word, "help") && argc == 2)) {
        usage(stdout);
        return finish(CLI_OK);
    }
    if (!strcmp(word, "help")) {
        static char help[] = "--help";
        argv[1] = argv[2];
        argv[2] = help;
        word = argv[1];
        argc = 3;
    }
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (!strcmp(verbs[i].name, word))
            return run_verb(&verbs[i], argc - 1, argv + 1);
    return cli_errorf("there is no verb '%s'; `trapline --help` lists them", word);
}

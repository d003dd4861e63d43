/* The options that describe a machine, shared by all verbs that run one; in QEMU's spelling (-kernel) and GNU's (--kernel). */
#ifndef TL_CLI_OPTIONS_H
#define TL_CLI_OPTIONS_H
#include "machine/trapline.h"
#include <argp.h>

#define OPTIONS_LIST_MAX 32

/* A machine from options. Strings are argv's. Give it to argp as the input of the child options_argp. */
struct machine_options {
    struct machine_config config;
    const char *image;                     /* the positional argument; NULL: none */
    const char *cpu_file;                  /* file that config.cpu was read from (-cpu @FILE); NULL: none */
    char *cpu_text;                        /* what was in it */
    const char *dumpdtb;                   /* file to write the device tree to instead of running */
    bool netdev;                           /* -netdev user was given */
    const char *hostfwd[OPTIONS_LIST_MAX]; /* "tcp::2222-:22" */
    unsigned hostfwds;
    const char *drives[OPTIONS_LIST_MAX], *devices[OPTIONS_LIST_MAX];
    char text[OPTIONS_LIST_MAX][64]; /* storage of what was cut out of an argument */
    unsigned texts;
};

extern const struct argp options_argp;

/* Makes "-kernel" of argv into "--kernel" for every long option of the tables, so that argp takes QEMU's spelling. In place;
   replaced words are allocated and live as long as the program. A word with one - that is no option ends the program with a
   sentence, and an option of QEMU's that has a counterpart here with its name. */
void options_long(int argc, char **argv, const struct argp *argp);

/* After parsing: what the positional image means, and which firmware goes with a kernel. False with a sentence on a
 * contradiction. */
bool options_settle(struct machine_options *o, struct err *e);

/* Frees what parsing allocated. */
void options_free(struct machine_options *o);

/* "64", "64K", "2M", "1G", "1T" in binary units (a plain number counts `unit` bytes). */
bool options_size(const char *text, uint64_t unit, uint64_t *bytes, struct err *e);
/* "1000", "0x10", "5e7", "20k", "3M", "1G" in decimal units. what names the option for the sentence. */
bool options_count(const char *what, const char *text, uint64_t *value, struct err *e);
/* Replaces \n \r \t \e \\ \" \xHH by what they mean; returns the length, or -1 for a bad escape. In place; may hold NULs after.
 */
long options_unescape(char *text);
#endif

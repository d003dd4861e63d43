/* What the files of the GDB server share. */
#ifndef TL_DEBUG_GDB_INTERNAL_H
#define TL_DEBUG_GDB_INTERNAL_H
#include "base/buf.h"
#include "debug/gdb.h"
#include "debug/stepper.h"
#include "debug/target.h"

#define GDB_PACKET 0x4000 /* bytes between $ and #, in both directions */

/* ---- gdb_link.c: packets of a stream */

enum gdb_event { GDB_NOTHING, GDB_PACKET_IN, GDB_INTERRUPT, GDB_AGAIN, GDB_BAD };
struct gdb_link {
    enum { LINK_IDLE, LINK_BODY, LINK_ESCAPE, LINK_SUM1, LINK_SUM2 } state;
    uint8_t sum, want;
    bool too_long;
    struct buf in;  /* the packet being read, unescaped; a NUL behind it when it is complete */
    struct buf out; /* the last packet sent, as it was, for when GDB asks again */
};
/* What byte c completes. */
enum gdb_event gdb_link_byte(struct gdb_link *l, uint8_t c);
/* Makes l->out the packet of these bytes. */
void gdb_link_packet(struct gdb_link *l, const void *p, size_t n);
void gdb_link_free(struct gdb_link *l);

/* ---- numbers in packets */

int gdb_hex_digit(char c);
/* Reads hexadecimal digits at *p, at most 16, and moves on. False: there are none, or too many. */
bool gdb_take_hex(const char **p, uint64_t *v);
/* Whether c comes next; then moves on. */
bool gdb_take(const char **p, char c);
/* Reads 2 * n digits into n bytes. False: there are fewer. */
bool gdb_take_bytes(const char **p, uint8_t *out, size_t n);
void gdb_put_hex(struct buf *b, const void *p, size_t n);

/* ---- a session */

struct gdb_register {
    int index;             /* number of struct machine_register, or ~number of the target's extra */
    uint16_t bytes, width; /* in the protocol, and at home, in bytes */
};

struct gdb {
    struct stepper s; /* its debugger, and the commands of monitor */
    struct gdb_host host;
    struct gdb_link link;
    enum gdb_state state;
    bool no_ack, extended, swbreak, hwbreak;
    bool exited, restarted;
    int exit_code;
    bool interrupted; /* Ctrl-C came while the machine runs */
    bool abandoned;   /* GDB does not wait for the answer of its monitor command any more */
    int going;        /* Hc: the hart that c, s, bc and bs are of; negative: all, or any */
    unsigned general; /* Hg: the hart registers and memory are of */
    struct buf reply; /* of the packet being answered */
    bool silent;      /* it is answered later, by a stop */
    struct gdb_register *reg;
    unsigned regs;
    unsigned pc, sp; /* their numbers in the protocol; UINT_MAX: none */
    struct buf xml;  /* target description */
    struct machine_watchpoint *watch;
    unsigned watches;
};

void gdb_send(struct gdb *g, const void *p, size_t n);
/* Console text for the person at GDB. */
void gdb_say(struct gdb *g, const void *p, size_t n);
void gdb_error(struct gdb *g, unsigned number);
/* Reads a thread: hart number, -1 all, -2 any. False: no such one. */
bool gdb_take_thread(struct gdb *g, const char **p, int *hart);

/* gdb_target.c */
void gdb_target_make(struct gdb *g);
/* gdb_regs.c */
void gdb_regs_put(struct gdb *g, unsigned n, struct buf *out);
void gdb_read_all(struct gdb *g, const char *args, size_t len);
void gdb_write_all(struct gdb *g, const char *args, size_t len);
void gdb_read_one(struct gdb *g, const char *args, size_t len);
void gdb_write_one(struct gdb *g, const char *args, size_t len);
/* gdb_mem.c */
void gdb_mem_read(struct gdb *g, const char *args, size_t len);
void gdb_mem_read_binary(struct gdb *g, const char *args, size_t len);
void gdb_mem_write(struct gdb *g, const char *args, size_t len);
void gdb_mem_write_binary(struct gdb *g, const char *args, size_t len);
void gdb_point_set(struct gdb *g, const char *args, size_t len);
void gdb_point_clear(struct gdb *g, const char *args, size_t len);
void gdb_points_none(struct gdb *g);
/* gdb_run.c */
void gdb_vcont(struct gdb *g, const char *args, size_t len);
void gdb_vcont_query(struct gdb *g, const char *args, size_t len);
void gdb_continue(struct gdb *g, const char *args, size_t len);
void gdb_step(struct gdb *g, const char *args, size_t len);
void gdb_back(struct gdb *g, const char *args, size_t len);
void gdb_back_one(struct gdb *g, const char *args, size_t len);
void gdb_why(struct gdb *g, const char *args, size_t len);
bool gdb_gives_up(void *gdb);
/* gdb_query.c */
void gdb_query(struct gdb *g, const char *args, size_t len);
void gdb_set(struct gdb *g, const char *args, size_t len);
#endif

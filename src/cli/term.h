/* The user's terminal: raw while the guest has the keyboard, as it was after any end of the program. */
#ifndef TL_CLI_TERM_H
#define TL_CLI_TERM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the keys asked for besides bytes for the guest. */
enum term_key { TERM_NONE, TERM_LEAVE };

/* Takes stdin: raw mode if it is a terminal, and handlers for signals that end the program. */
void term_open(void);
/* Gives it back. Harmless if not taken. */
void term_close(void);
bool term_is_tty(void);
/* The signal that asked for the end, or 0. */
int term_signal(void);

/* Waits at most ms milliseconds (-1: no limit, 0: not at all) for a byte on stdin. True if one can be read, or stdin is at its
 * end. */
bool term_wait(int ms);
/* Reads what is there without waiting: bytes for the guest into p, returns how many; *eof: nothing will ever come again.
   On a terminal Ctrl-a is the escape: x leaves, a or Ctrl-a sends it, h helps. */
size_t term_read(uint8_t *p, size_t cap, bool *eof, enum term_key *key);
#endif

/*
 * The complete state of a machine as named pieces of bytes; RAM and disk pages are apart. Digests and snapshots are made of it,
 * so what is not here is not state.
 */
#ifndef TL_MACHINE_PIECES_H
#define TL_MACHINE_PIECES_H
#include "machine/machine.h"

#define PIECE_NAME_MAX 80

/* name is unique in the machine: "hart0.x", "hart0.csr.mstatus", "device.serial0.ns16550", "event.serial0.0". */
typedef void piece_fn(void *ctx, const char *name, void *p, size_t n);
void machine_pieces(struct machine *m, piece_fn *fn, void *ctx);
/* True if what the pieces hold can be run. Else a sentence names the piece. */
bool machine_pieces_valid(struct machine *m, struct err *e);
#endif

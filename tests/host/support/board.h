/*
 * A machine as QEMU's riscv64 `virt,aia=aplic-imsic' describes itself, or with other controllers:
 * its device tree, and models behind the addresses. The numbering of harts is awkward on purpose.
 */
#ifndef TESTS_HOST_BOARD_H
#define TESTS_HOST_BOARD_H

#include "support/tree.h"

#define BOARD_HARTS	4

/* The tree's order of cpu nodes; the boot hart; the order of the IMSIC's files. */
extern const u64 board_harts[BOARD_HARTS];
#define BOARD_BOOT_HART	7
extern const u64 board_files[BOARD_HARTS];

enum {
	BOARD_PCI	= 1 << 0,
	BOARD_SERIAL	= 1 << 1,
	/* Instead of APLIC and IMSIC; without the parts above. */
	BOARD_PLIC	= 1 << 2,
	BOARD_PLIC_QEMU	= 1 << 3,	/* the same, with QEMU's liberties */
	BOARD_PLIC_2	= 1 << 4,	/* with two cells: its sources may be edges */
	BOARD_APLIC	= 1 << 5,	/* delivers directly */
	BOARD_APLIC_QEMU = 1 << 6,
};
#define BOARD_ANY_PLIC	(BOARD_PLIC | BOARD_PLIC_QEMU | BOARD_PLIC_2)
#define BOARD_ANY_APLIC	(BOARD_APLIC | BOARD_APLIC_QEMU)

/* The PLIC's contexts: for each of board_files one of M-mode, then one of S-mode. */
#define BOARD_CONTEXTS	(2 * BOARD_HARTS)
unsigned int board_context(unsigned int cpu);
/* That CPU's place in board_files. */
unsigned int board_file(unsigned int cpu);

const void *board_tree(unsigned int parts, size_t *size);
/* host_boot() with the controllers' models, and MORE's (may be NULL). */
void board_boot(unsigned int parts, void (*more)(void));
/* A mapping of that source of the wires' controller; 0: refused. TYPE is left out where it has one
 * cell. */
unsigned int board_map(u32 source, u32 type);

#endif

/*
 * A machine as QEMU's riscv64 `virt,aia=aplic-imsic' describes itself: its device tree, and models
 * behind the addresses. The numbering of harts is made awkward on purpose.
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
};

const void *board_tree(unsigned int parts, size_t *size);
/* host_boot() with the AIA models, and MORE's (may be NULL). */
void board_boot(unsigned int parts, void (*more)(void));

#endif

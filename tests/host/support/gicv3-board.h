/*
 * A machine as QEMU's aarch64 `virt,gic-version=3' describes itself: its device tree, with the
 * GICv3's model behind the addresses. Four CPUs whose affinities use all fields, redistributors in
 * another order than they, one more that is nobody's.
 */
#ifndef TESTS_HOST_GICV3_BOARD_H
#define TESTS_HOST_GICV3_BOARD_H

#include "models/gicv3.h"

#define GICV3_CPUS	4
/* How the host bridge makes a DeviceID of a requester id: functions of a slot share one. */
#define GICV3_PCI_MASK		0xfff8
#define GICV3_PCI_OFFSET	0x1000

struct gicv3_board {
	struct gicv3_setup gic;		/* NR 0: as described above */
	bool no_its;
	bool pci;			/* with models/pci.h; MORE adds the functions */
	void (*more)(void);
	const char *arguments;		/* NULL: none */
	u32 cells;			/* of a specifier; 0: 3 */
};
/* host_boot() of that. */
void gicv3_boot(const struct gicv3_board *board);

#endif

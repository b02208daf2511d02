/* Who wants how many addresses on a bus: between claim.c, which measures, and assign.c. */
#ifndef DRIVERS_PCI_CLAIM_H
#define DRIVERS_PCI_CLAIM_H

#include <drivers/pci/internals.h>

/* What somebody on a bus wants of it. */
struct pci_claim {
	struct pci_dev *dev;
	struct pci_bus *behind;		/* for the window of that bus; NULL: for a BAR */
	unsigned int bar, order;	/* order of discovery: equal ones stay in it */
	enum pci_space space;
	u64 size, align, end;		/* must end below END */
	const struct pci_window *window;	/* where it got ADDR; NULL: nowhere */
	u64 addr;
};

struct pci_claims {
	struct pci_claim *list;
	unsigned int n;
};

/* What is on BUS, the largest alignment first: 0 or -ENOMEM. */
int pci_collect_claims(const struct pci_bus *bus, struct pci_claims *claims);
void pci_drop_claims(struct pci_claims *claims);
/* bus->need of all behind TOP; RESERVE: with room in the slots for hot plug. 0 or -ENOMEM. */
int pci_measure(struct pci_bus *top, bool reserve);

#endif

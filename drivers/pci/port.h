/* What a port tells by interrupt, between its driver (port.c) and who listens: hotplug.c, aer.c. */
#ifndef DRIVERS_PCI_PORT_H
#define DRIVERS_PCI_PORT_H

#include <drivers/pci/slot.h>

/* Errors that arrive at a root port. */
struct aer {
	struct pci_dev *port;		/* NULL: nobody listens */
	unsigned int irq;
	u16 cap;
	spinlock_t lock;		/* pending and the Root Error Command register, together */
	bool pending;			/* quiet, until the thread has been here */
	u64 since;			/* ns; when a second began, … */
	unsigned int reports;		/* … and how often the thread has reported in it */
	struct list_head link;		/* aer.c's ports, under devices_lock() */
};

/* IRQ may be an errno: why there is none. Returns 0, -ENOMEM or what request_irq() says. */
int hotplug_start(struct slot *slot, struct pci_dev *port, int irq);
int aer_start(struct aer *aer, struct pci_dev *port, u16 cap, int irq);
/* Harmless for what was not started. */
void hotplug_stop(struct slot *slot);
void aer_stop(struct aer *aer);

#endif

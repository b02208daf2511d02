/* A slot for cards that come and go: its registers (slot.c) and what happens in it (hotplug.c). */
#ifndef DRIVERS_PCI_SLOT_H
#define DRIVERS_PCI_SLOT_H

#include <drivers/pci/internals.h>

enum slot_state {
	SLOT_OFF,
	SLOT_ON,
	SLOT_BLINK_ON,			/* button pressed: will go on, or off, … */
	SLOT_BLINK_OFF,			/* … at the deadline */
};

enum slot_light { LIGHT_OFF, LIGHT_ON, LIGHT_BLINK };

struct slot {
	struct pci_dev *port;		/* NULL: nobody listens */
	u32 caps;			/* PCI_EXP_SLTCAP */
	bool link_reported;
	int irq;			/* 0: none to be had */
	bool looked_at;			/* now and then, as not every event may interrupt */
	enum slot_state state;
	u64 deadline;			/* ns; of the blinking */
	u64 power_off_ns;		/* when power went off last */
	spinlock_t lock;		/* the event bits of the status register */
	u32 events;			/* taken from there, not yet dealt with; atomic */
	struct list_head link;		/* hotplug.c's slots, under devices_lock() */
};

/* What the slot has and how it is; clears old events. */
void slot_init(struct slot *slot, struct pci_dev *port);
/* Allows events to interrupt, or forbids them all. */
void slot_enable_events(struct slot *slot, bool enable);
/* Any context: moves what has happened from the status register to slot->events. False: nothing,
 * or the port is gone. */
bool slot_collect_events(struct slot *slot);

bool slot_occupied(const struct slot *slot);
bool slot_link_up(const struct slot *slot);
void slot_set_light(struct slot *slot, enum slot_light light);
/* Power and its light off; the attention light on if something went wrong. */
void slot_power_off(struct slot *slot, bool fault);
/* Power on, until function 0 of the card answers: 0, -ENODEV or -ETIMEDOUT (said). */
int slot_power_on(struct slot *slot);

#endif

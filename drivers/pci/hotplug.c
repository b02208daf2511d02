/*
 * Hot plug: cards that come to and go from the slots of root ports and switches.
 *
 *	port --interrupt--> events of the slot --wake--> thread "pci-hotplug", one for all slots
 *
 *	      card comes                     button (5 s to think it over)
 *	OFF --------------> ON       ON ----------------> BLINK_OFF --------> OFF: driver's remove,
 *	 ^                   |       OFF ---------------> BLINK_ON ---------> ON   then power off
 *	 +-------------------+                  button again: back
 *	   card or link gone: driver's remove finds nothing but ones
 *
 * One thread, as slots nest: whoever removes a switch removes the slots of its ports with it, and
 * must not wait for a thread of theirs that waits for the same lock. Bus number and windows of an
 * empty slot were kept free when the buses were numbered (scan.c, assign.c). Manual: [PCIE 6.7].
 */
#include <drivers/pci/port.h>
#include <kernel/printk.h>

#define THINKING_NS	(5 * NSEC_PER_SEC)	/* to press the button again [PCIE 6.7.1.5] */
#define LOOK_NS		NSEC_PER_SEC		/* at a slot without messages */
#define ANY_CARD_EVENT	(PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC)

static LIST_HEAD(slots);
static struct thread *hotplug_thread;

/* ---- Cards ---------------------------------------------------------------------------------- */

static struct pci_bus *slot_bus(const struct slot *slot)
{
	return slot->port->subordinate;
}

static void card_comes(struct slot *slot)
{
	struct pci_bus *bus = slot_bus(slot);
	int err = slot_power_on(slot);

	if (!err)
		err = pci_add_devices(bus);
	if (!err && !bus->devices)
		err = -ENODEV;
	/* The power that we gave brought the link up. */
	__atomic_fetch_and(&slot->events, ~PCI_EXP_SLTSTA_DLLSC, __ATOMIC_RELAXED);
	if (err) {
		if (err != -ENODEV && err != -ETIMEDOUT)
			dev_err(&slot->port->dev, "slot: the card cannot be used: %s",
				errname(err));
		slot_power_off(slot, slot_occupied(slot));
		slot->state = SLOT_OFF;
		return;
	}
	for (const struct pci_dev *dev = bus->devices; dev; dev = dev->next)
		pr_info("pci: %s: plugged in at %s: %04x:%04x, %s", dev->name, slot->port->name,
			dev->vendor, dev->device, dev->driver ? dev->driver->name : "no driver");
	slot_set_light(slot, LIGHT_ON);
	slot->state = SLOT_ON;
}

static void card_goes(struct slot *slot, bool surprise)
{
	struct pci_bus *bus = slot_bus(slot);

	for (const struct pci_dev *dev = bus->devices; dev; dev = dev->next)
		pr_info("pci: %s: %s at %s", dev->name, surprise ? "pulled out" : "removed",
			slot->port->name);
	pci_remove_devices(bus);
	slot_power_off(slot, false);
	slot->state = SLOT_OFF;
}

/* ---- What happened -------------------------------------------------------------------------- */

static void blink(struct slot *slot, enum slot_state state)
{
	slot->state = state;
	slot->deadline = ktime_get_ns() + THINKING_NS;
	slot_set_light(slot, LIGHT_BLINK);
	pr_info("pci: %s: slot: button pressed; switched %s in 5 s unless pressed again",
		slot->port->name, state == SLOT_BLINK_OFF ? "off" : "on");
}

/* What a button press asks for while the lights blink is to leave it. */
static void button_pressed(struct slot *slot)
{
	switch (slot->state) {
	case SLOT_ON:
		blink(slot, SLOT_BLINK_OFF);
		break;
	case SLOT_OFF:
		if (slot_occupied(slot))
			blink(slot, SLOT_BLINK_ON);
		break;
	case SLOT_BLINK_OFF:
		slot->state = SLOT_ON;
		slot_set_light(slot, LIGHT_ON);
		break;
	case SLOT_BLINK_ON:
		slot->state = SLOT_OFF;
		slot_set_light(slot, LIGHT_OFF);
		break;
	}
}

static bool is_on(const struct slot *slot)
{
	return slot->state == SLOT_ON || slot->state == SLOT_BLINK_OFF;
}

/* A card that was on and has moved is another one, even if a card is there now. One that we have
 * switched off stays so, although its link goes down. */
static void card_moved(struct slot *slot, u32 events)
{
	bool was_on = is_on(slot);

	if (was_on)
		card_goes(slot, true);
	if (slot_occupied(slot) &&
	    (was_on || events & PCI_EXP_SLTSTA_PDC || slot_link_up(slot)))
		card_comes(slot);
	else if (slot->state == SLOT_BLINK_ON && !slot_occupied(slot))
		button_pressed(slot);
}

static void deadline_passed(struct slot *slot)
{
	if (slot->state == SLOT_BLINK_OFF)
		card_goes(slot, false);
	else
		card_comes(slot);
}

static bool is_blinking(const struct slot *slot)
{
	return slot->state == SLOT_BLINK_OFF || slot->state == SLOT_BLINK_ON;
}

static void service(struct slot *slot)
{
	u32 events = __atomic_exchange_n(&slot->events, 0, __ATOMIC_ACQUIRE);

	if (events & PCI_EXP_SLTSTA_PFD)
		dev_err(&slot->port->dev, "slot: power fault");
	if (events & ANY_CARD_EVENT)
		card_moved(slot, events);
	else if (events & PCI_EXP_SLTSTA_ABP)
		button_pressed(slot);
	else if (is_blinking(slot) && ktime_get_ns() >= slot->deadline)
		deadline_passed(slot);
}

/* ---- The thread ----------------------------------------------------------------------------- */

static bool is_due(struct slot *slot)
{
	if (slot->looked_at)
		slot_collect_events(slot);
	return __atomic_load_n(&slot->events, __ATOMIC_RELAXED) ||
	       (is_blinking(slot) && ktime_get_ns() >= slot->deadline);
}

/* Serving one may remove others: each search starts at the beginning. */
static struct slot *find_due(u64 *deadline)
{
	struct slot *slot;

	*deadline = TIME_NEVER;
	list_for_each_entry(slot, &slots, link) {
		if (is_due(slot))
			return slot;
		if (is_blinking(slot))
			*deadline = min(*deadline, slot->deadline);
		if (slot->looked_at)
			*deadline = min(*deadline, ktime_get_ns() + LOOK_NS);
	}
	return NULL;
}

static int hotplug_main(void *unused)
{
	struct slot *slot;
	u64 deadline;

	(void)unused;
	for (;;) {
		devices_lock();
		while ((slot = find_due(&deadline)))
			service(slot);
		devices_unlock();
		thread_block(deadline);
	}
	return 0;
}

static irqreturn_t slot_interrupt(int irq, void *dev_id)
{
	struct slot *slot = dev_id;

	(void)irq;
	if (!slot_collect_events(slot))
		return IRQ_NONE;
	thread_wake(hotplug_thread);
	return IRQ_HANDLED;
}

/* ---- Starting and stopping ------------------------------------------------------------------ */

/* The slot as it was found; what has changed since the bus was scanned is an event. */
static void start_slot(struct slot *slot)
{
	bool found = slot_bus(slot)->devices;

	slot->state = found ? SLOT_ON : SLOT_OFF;
	slot_enable_events(slot, true);
	if (found)
		slot_set_light(slot, LIGHT_ON);
	else
		slot_power_off(slot, false);
	if (slot_occupied(slot) != found)
		__atomic_fetch_or(&slot->events, PCI_EXP_SLTSTA_PDC, __ATOMIC_RELEASE);
	thread_wake(hotplug_thread);
}

int hotplug_start(struct slot *slot, struct pci_dev *port, int irq)
{
	int err = 0;

	if (!hotplug_thread)
		hotplug_thread = thread_create("pci-hotplug", hotplug_main, NULL, PRIO_NORMAL, 0);
	if (!hotplug_thread)
		return -ENOMEM;
	slot_init(slot, port);
	slot->looked_at = irq < 0 || port->intx_enabled;
	if (irq < 0)
		pr_info("pci: %s: slot: no interrupt (%s), so it is looked at every second",
			port->name, errname(irq));
	else
		err = request_irq(irq, slot_interrupt, IRQF_SHARED, "pci-hotplug", slot);
	if (err) {
		slot->port = NULL;
		return err;
	}
	slot->irq = max(irq, 0);
	list_add_tail(&slot->link, &slots);
	start_slot(slot);
	return 0;
}

void hotplug_stop(struct slot *slot)
{
	if (!slot->port)
		return;
	list_del_init(&slot->link);
	slot_enable_events(slot, false);
	if (slot->irq)
		free_irq(slot->irq, slot);
}

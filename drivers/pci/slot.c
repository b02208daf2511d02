/*
 * The registers of a hot-plug slot, in the PCI Express capability of the port in front of it.
 *
 *	Slot Control  power, two lights, which events interrupt; each write is a command, answered
 *	Slot Status   by "command completed"; other events; is a card there?
 *	Link Status   does it talk?
 *
 * The answer is waited for, the events interrupt. (QEMU's ports take an INTx down at any write to
 * their configuration space, so that a controller may never see it: after each command the events
 * are looked for, too, and a slot with a wire is looked at now and then.)
 *
 * Parts may be missing: no power controller, no lights, no answers (NCCS).
 * Manual: [PCIE 6.7.3, 7.5.3.9 … 7.5.3.11].
 */
#include <drivers/pci/slot.h>
#include <kernel/printk.h>

#define COMMAND_MS	1000			/* [PCIE 6.7.3.2] */
#define DISCHARGE_NS	NSEC_PER_SEC		/* off is off after that [PCIE 6.7.1.8] */
#define LINK_MS		1000
#define RESET_MS	100			/* before the first request [PCIE 6.6.1] */
#define ANSWER_MS	1000
#define STEP_MS		10
#define MAX_ROUNDS	16

#define EVENTS	(PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PFD | PCI_EXP_SLTSTA_MRLSC | \
		 PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC)
#define ENABLES	(PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PFDE | PCI_EXP_SLTCTL_PDCE | \
		 PCI_EXP_SLTCTL_CCIE | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE)
#define GONE	0xffff

static u16 read16(const struct slot *slot, unsigned int reg)
{
	return pci_read_config16(slot->port, slot->port->pcie_cap + reg);
}

static void write16(struct slot *slot, unsigned int reg, u16 value)
{
	pci_write_config16(slot->port, slot->port->pcie_cap + reg, value);
}

/* ---- Status --------------------------------------------------------------------------------- */

bool slot_occupied(const struct slot *slot)
{
	u16 status = read16(slot, PCI_EXP_SLTSTA);

	return status != GONE && status & PCI_EXP_SLTSTA_PDS;
}

bool slot_link_up(const struct slot *slot)
{
	u16 status = read16(slot, PCI_EXP_LNKSTA);

	if (!slot->link_reported)
		return slot_occupied(slot);
	return status != GONE && status & PCI_EXP_LNKSTA_DLLLA;
}

/* A message is sent when the first event appears, not for each: so until there is none, or one does
 * not go, such as a power fault that lasts. Writing ones takes them back. [PCIE 6.7.3.4] */
bool slot_collect_events(struct slot *slot)
{
	unsigned long flags = spin_lock_irqsave(&slot->lock);
	u32 all = 0;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		u16 status = read16(slot, PCI_EXP_SLTSTA);

		if (status == GONE || !(status & EVENTS))
			break;
		write16(slot, PCI_EXP_SLTSTA, status & EVENTS);
		all |= status & EVENTS;
	}
	__atomic_fetch_or(&slot->events, all, __ATOMIC_RELEASE);
	spin_unlock_irqrestore(&slot->lock, flags);
	return all;
}

/* Until FN says so, at most MS. */
static bool wait_until(const struct slot *slot, bool (*fn)(const struct slot *slot), int ms)
{
	for (; ms > 0 && !fn(slot); ms -= STEP_MS)
		msleep(STEP_MS);
	return fn(slot);
}

/* ---- Commands ------------------------------------------------------------------------------- */

static bool answered(const struct slot *slot)
{
	return read16(slot, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_CC;	/* or it is gone */
}

/* The controller takes one command at a time. */
static void command(struct slot *slot, u16 clear, u16 set)
{
	u16 control = read16(slot, PCI_EXP_SLTCTL);

	if (control == GONE)
		return;
	control = (control & ~clear) | set;
	write16(slot, PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_CC);
	write16(slot, PCI_EXP_SLTCTL, control);
	if (!(slot->caps & PCI_EXP_SLTCAP_NCCS) && !wait_until(slot, answered, COMMAND_MS))
		dev_warn(&slot->port->dev, "slot: no answer to a command (control 0x%04x) in 1 s",
			 control);
	slot_collect_events(slot);
}

static u16 power_light(const struct slot *slot, u16 bits)
{
	return slot->caps & PCI_EXP_SLTCAP_PIP ? bits : 0;
}

static u16 attention_light(const struct slot *slot, u16 bits)
{
	return slot->caps & PCI_EXP_SLTCAP_AIP ? bits : 0;
}

static u16 power(const struct slot *slot)
{
	return slot->caps & PCI_EXP_SLTCAP_PCP ? PCI_EXP_SLTCTL_PCC : 0;
}

void slot_enable_events(struct slot *slot, bool enable)
{
	u16 events = PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_PDCE;

	if (slot->caps & PCI_EXP_SLTCAP_ABP)
		events |= PCI_EXP_SLTCTL_ABPE;
	if (slot->caps & PCI_EXP_SLTCAP_PCP)
		events |= PCI_EXP_SLTCTL_PFDE;
	if (slot->link_reported)
		events |= PCI_EXP_SLTCTL_DLLSCE;
	command(slot, ENABLES, enable ? events : 0);
}

void slot_set_light(struct slot *slot, enum slot_light light)
{
	static const u16 bits[] = {
		[LIGHT_OFF] = PCI_EXP_SLTCTL_PIC_OFF,
		[LIGHT_ON] = PCI_EXP_SLTCTL_PIC_ON,
		[LIGHT_BLINK] = PCI_EXP_SLTCTL_PIC_BLINK,
	};

	if (slot->caps & PCI_EXP_SLTCAP_PIP)
		command(slot, PCI_EXP_SLTCTL_PIC, bits[light]);
}

void slot_power_off(struct slot *slot, bool fault)
{
	u16 clear = power_light(slot, PCI_EXP_SLTCTL_PIC) |
		    attention_light(slot, PCI_EXP_SLTCTL_AIC);

	command(slot, clear, power(slot) | power_light(slot, PCI_EXP_SLTCTL_PIC_OFF) |
		attention_light(slot, fault ? PCI_EXP_SLTCTL_AIC_ON : PCI_EXP_SLTCTL_AIC_OFF));
	slot->power_off_ns = ktime_get_ns();
}

/* ---- Switching on --------------------------------------------------------------------------- */

static void wait_discharged(const struct slot *slot)
{
	u64 now = ktime_get_ns(), ready = slot->power_off_ns + DISCHARGE_NS;

	if (slot->caps & PCI_EXP_SLTCAP_PCP && slot->power_off_ns && now < ready)
		msleep((ready - now) / NSEC_PER_MSEC + 1);
}

static bool card_answers(const struct slot *slot)
{
	u16 vendor = pci_bus_read_config32(slot->port->subordinate, 0, PCI_VENDOR_ID);

	return vendor != GONE && vendor != 1;	/* 1: "ask me again" [PCIE 2.3.2] */
}

int slot_power_on(struct slot *slot)
{
	u16 clear = power(slot) | power_light(slot, PCI_EXP_SLTCTL_PIC) |
		    attention_light(slot, PCI_EXP_SLTCTL_AIC);
	bool up;

	wait_discharged(slot);
	command(slot, clear, power_light(slot, PCI_EXP_SLTCTL_PIC_BLINK) |
		attention_light(slot, PCI_EXP_SLTCTL_AIC_OFF));
	up = wait_until(slot, slot_link_up, LINK_MS);
	if (!up && !slot_occupied(slot))
		return -ENODEV;
	if (up) {
		msleep(RESET_MS);
		if (wait_until(slot, card_answers, ANSWER_MS))
			return 0;
	}
	dev_err(&slot->port->dev, "slot: %s within a second; it is switched off",
		up ? "the card does not answer" : "no link to the card");
	return -ETIMEDOUT;
}

void slot_init(struct slot *slot, struct pci_dev *port)
{
	slot->port = port;
	slot->caps = pci_read_config32(port, port->pcie_cap + PCI_EXP_SLTCAP);
	slot->link_reported = pci_read_config32(port, port->pcie_cap + PCI_EXP_LNKCAP) &
			      PCI_EXP_LNKCAP_DLLLARC;
	spin_lock_init(&slot->lock);
	slot_enable_events(slot, false);
	slot->events = 0;
}

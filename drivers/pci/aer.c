/*
 * Errors on PCI Express links: each function notes what went wrong in its status register and
 * sends a message up to the root port, which notes who was first, and interrupts.
 *
 *	status bit --ERR_COR, _NONFATAL, _FATAL--> bridges --> Root Error Status, Error Source
 *	of a function                                           | interrupt
 *	     ^                                                 handler: port be quiet
 *	     '------names, counts and takes them back------ thread "pci-aer": port may speak again
 *
 * If there was more than one error, all functions behind the port are looked at.
 *
 * The port interrupts when "a bit of its status is set and enabled" comes true: what has arrived
 * while it was disabled does so at once when it is enabled again, and nothing is lost. A flood of
 * errors waits while quiet, so that it costs at most BURST reports a second.
 * Manual: [PCIE 6.2.4.1, 6.2.6, 7.8.4].
 */
#include <drivers/pci/port.h>
#include <kernel/printk.h>

#define BURST		10
#define ALL_ERRORS	(PCI_ERR_ROOT_CMD_COR | PCI_ERR_ROOT_CMD_NONFATAL | PCI_ERR_ROOT_CMD_FATAL)
#define RECEIVED	(PCI_ERR_ROOT_COR_RCV | PCI_ERR_ROOT_UNCOR_RCV)

static LIST_HEAD(ports);
static struct thread *aer_thread;

/* By the bits of the status registers. [PCIE 7.8.4.2, 7.8.4.5] */
static const char *const correctable[32] = {
	[0] = "receiver", [6] = "bad TLP", [7] = "bad DLLP", [8] = "replay number rollover",
	[12] = "replay timeout", [13] = "advisory non-fatal", [14] = "internal",
	[15] = "header log overflow",
};
static const char *const uncorrectable[32] = {
	[4] = "data link protocol", [5] = "surprise down", [12] = "poisoned TLP",
	[13] = "flow control", [14] = "completion timeout", [15] = "completer abort",
	[16] = "unexpected completion", [17] = "receiver overflow", [18] = "malformed TLP",
	[19] = "ECRC", [20] = "unsupported request", [21] = "ACS violation", [22] = "internal",
	[23] = "blocked multicast TLP", [24] = "blocked AtomicOp", [25] = "blocked TLP prefix",
};

const char *pci_severity_name(enum pci_severity severity)
{
	static const char *const names[] = { "correctable", "nonfatal", "fatal" };

	return names[severity];
}

/* ---- At the function that has noticed ------------------------------------------------------- */

static void report_bits(struct pci_dev *dev, enum pci_severity severity, u32 bits)
{
	const char *const *names = severity == PCI_CORRECTABLE ? correctable : uncorrectable;

	for (; bits; bits &= bits - 1) {
		int bit = __builtin_ctz(bits);

		dev->errors[severity]++;
		dev_warn(&dev->dev, "%s error: %s (bit %d)", pci_severity_name(severity),
			 names[bit] ? names[bit] : "reserved", bit);
	}
}

/* The bits at STATUS that the mask behind it lets pass; takes them back. */
static u32 take(const struct pci_dev *dev, unsigned int status, unsigned int mask)
{
	u32 bits = pci_read_config32(dev, status);

	if (bits == ~0U)
		return 0;			/* pulled out */
	bits &= ~pci_read_config32(dev, mask);
	pci_write_config32(dev, status, bits);
	return bits;
}

/* NAMED by the port, and so told of even if it has no registers to tell more. */
static void report_device(struct pci_dev *dev, enum pci_severity severity, bool named)
{
	u16 cap = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ERR);
	u32 bits, fatal;

	if (!cap && named) {
		dev->errors[severity]++;
		dev_warn(&dev->dev, "%s error", pci_severity_name(severity));
	}
	if (!cap)
		return;
	if (severity == PCI_CORRECTABLE) {
		report_bits(dev, severity, take(dev, cap + PCI_ERR_COR_STATUS,
						cap + PCI_ERR_COR_MASK));
		return;
	}
	bits = take(dev, cap + PCI_ERR_UNCOR_STATUS, cap + PCI_ERR_UNCOR_MASK);
	fatal = bits & pci_read_config32(dev, cap + PCI_ERR_UNCOR_SEVER);
	report_bits(dev, PCI_NONFATAL, bits & ~fatal);
	report_bits(dev, PCI_FATAL, fatal);
}

void pci_enable_error_reporting(struct pci_dev *dev)
{
	u16 cap, control;

	if (!dev->pcie_cap || (!dev->bus->bridge && !pcie_is(dev, PCI_EXP_TYPE_ROOT_PORT)))
		return;				/* no root port hears of it */
	cap = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ERR);
	if (cap) {
		take(dev, cap + PCI_ERR_COR_STATUS, cap + PCI_ERR_COR_MASK);
		take(dev, cap + PCI_ERR_UNCOR_STATUS, cap + PCI_ERR_UNCOR_MASK);
	}
	control = pci_read_config16(dev, dev->pcie_cap + PCI_EXP_DEVCTL);
	pci_write_config16(dev, dev->pcie_cap + PCI_EXP_DEVCTL, control | PCI_EXP_DEVCTL_CERE |
			   PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE);
	if (pci_is_bridge(dev))			/* passes on what comes from behind */
		pci_write_config16(dev, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_SERR |
				   pci_read_config16(dev, PCI_BRIDGE_CONTROL));
}

/* ---- At the port ---------------------------------------------------------------------------- */

static u32 read32(const struct aer *aer, unsigned int reg)
{
	return pci_read_config32(aer->port, aer->cap + reg);
}

static void write32(const struct aer *aer, unsigned int reg, u32 value)
{
	pci_write_config32(aer->port, aer->cap + reg, value);
}

/* ID was the first; MORE: there were others. */
static void report_source(struct aer *aer, enum pci_severity severity, u16 id, bool more)
{
	bool known = pci_dev_id(aer->port) == id;
	struct pci_bus *bus;

	if (known || more)
		report_device(aer->port, severity, known);
	for_each_bus_below(bus, aer->port->subordinate)
		for (struct pci_dev *dev = bus->devices; dev; dev = dev->next) {
			bool named = pci_dev_id(dev) == id;

			known |= named;
			if (named || more)
				report_device(dev, severity, named);
		}
	if (!known)
		dev_warn(&aer->port->dev, "%s error of %02x:%02x.%x, which is not there",
			 pci_severity_name(severity), id >> 8, id >> 3 & 0x1f, id & 7);
}

static void report(struct aer *aer)
{
	u32 status = read32(aer, PCI_ERR_ROOT_STATUS), source = read32(aer, PCI_ERR_ROOT_ERR_SRC);

	if (status == ~0U)
		return;
	write32(aer, PCI_ERR_ROOT_STATUS, status);
	if (status & PCI_ERR_ROOT_COR_RCV)
		report_source(aer, PCI_CORRECTABLE, source, status & PCI_ERR_ROOT_MULTI_COR_RCV);
	if (status & PCI_ERR_ROOT_UNCOR_RCV)
		report_source(aer, status & PCI_ERR_ROOT_FATAL_RCV ? PCI_FATAL : PCI_NONFATAL,
			      source >> 16, status & PCI_ERR_ROOT_MULTI_UNCOR_RCV);
}

static void set_pending(struct aer *aer, bool pending)
{
	aer->pending = pending;
	write32(aer, PCI_ERR_ROOT_COMMAND, pending ? 0 : ALL_ERRORS);
}

/* Until when to wait. */
static u64 service(struct aer *aer)
{
	u64 now = ktime_get_ns();
	unsigned long flags;

	if (!__atomic_load_n(&aer->pending, __ATOMIC_RELAXED))
		return TIME_NEVER;
	if (now >= aer->since + NSEC_PER_SEC) {
		aer->since = now;
		aer->reports = 0;
	}
	if (aer->reports == BURST)
		return aer->since + NSEC_PER_SEC;
	if (++aer->reports == BURST)
		dev_warn(&aer->port->dev, "errors come often: those of the rest of this second "
			 "are reported together");
	report(aer);
	flags = spin_lock_irqsave(&aer->lock);
	set_pending(aer, false);
	spin_unlock_irqrestore(&aer->lock, flags);
	return TIME_NEVER;
}

static int aer_main(void *unused)
{
	(void)unused;
	for (;;) {
		u64 deadline = TIME_NEVER;
		struct aer *aer;

		devices_lock();
		list_for_each_entry(aer, &ports, link)
			deadline = min(deadline, service(aer));
		devices_unlock();
		thread_block(deadline);
	}
	return 0;
}

static irqreturn_t aer_interrupt(int irq, void *dev_id)
{
	struct aer *aer = dev_id;
	bool ours;

	(void)irq;
	spin_lock(&aer->lock);
	ours = !aer->pending && read32(aer, PCI_ERR_ROOT_STATUS) & RECEIVED;
	if (ours)
		set_pending(aer, true);
	spin_unlock(&aer->lock);
	if (!ours)
		return IRQ_NONE;
	thread_wake(aer_thread);
	return IRQ_HANDLED;
}

int aer_start(struct aer *aer, struct pci_dev *port, u16 cap, int irq)
{
	int err;

	if (irq < 0) {
		pr_info("pci: %s: no interrupt (%s) for errors: they are not reported", port->name,
			errname(irq));
		return 0;
	}
	if (!aer_thread)
		aer_thread = thread_create("pci-aer", aer_main, NULL, PRIO_NORMAL, 0);
	if (!aer_thread)
		return -ENOMEM;
	*aer = (struct aer){ .port = port, .irq = irq, .cap = cap, .pending = true };
	spin_lock_init(&aer->lock);
	INIT_LIST_HEAD(&aer->link);
	err = request_irq(irq, aer_interrupt, IRQF_SHARED, "pci-aer", aer);
	if (err) {
		aer->port = NULL;
		return err;
	}
	list_add_tail(&aer->link, &ports);
	pci_write_config16(port, port->pcie_cap + PCI_EXP_RTCTL, 0);	/* no system errors */
	write32(aer, PCI_ERR_ROOT_STATUS, ~0U);
	set_pending(aer, false);
	return 0;
}

void aer_stop(struct aer *aer)
{
	if (!aer->port)
		return;
	list_del_init(&aer->link);
	write32(aer, PCI_ERR_ROOT_COMMAND, 0);
	free_irq(aer->irq, aer);
}

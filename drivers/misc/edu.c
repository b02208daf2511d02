/*
 * QEMU's "edu" device: it computes factorials, copies memory, and interrupts when told to. Its one
 * interrupt is an MSI or a wire; either way the interrupt status register says why, and the handler
 * must acknowledge just that, or the wire stays high. Manual: QEMU, "EDU device" specification.
 *
 *	fact	number -> 0x08 … busy … -> interrupt 0x001
 *	raise	any bits -> 0x60 -> interrupt with these
 *	dma	see edu-dma.c -> interrupt 0x100
 */
#include <drivers/misc/edu.h>
#include <kernel/mm.h>
#include <string.h>

enum {
	EDU_ID		= 0x00,		/* 0xRRrr00ed */
	EDU_FACT	= 0x08,
	EDU_STATUS	= 0x20,
	EDU_COMPUTING	= 1 << 0,
	EDU_IRQ_FACT	= 1 << 7,	/* interrupt when done */
	EDU_ISR		= 0x24,
	EDU_RAISE	= 0x60,
	EDU_ACK		= 0x64,
	ISR_FACT	= 0x001,
};

#define TIMEOUT_NS	(30 * NSEC_PER_SEC)

static struct edu *devices;		/* in the order they were found; devices_lock() */

/* A wire with a bit left would stay high, and some controllers only notice when it rises. */
static irqreturn_t edu_irq(int irq, void *dev_id)
{
	struct edu *edu = dev_id;
	u32 why, all = 0;

	(void)irq;
	while ((why = readl(edu->regs + EDU_ISR)) &&
	       (why != ~0U || pci_device_is_present(edu->pci))) {
		writel(why, edu->regs + EDU_ACK);
		all |= why;
	}
	if (!all)
		return IRQ_NONE;
	__atomic_fetch_add(&edu->irqs, 1, __ATOMIC_RELAXED);
	__atomic_fetch_or(&edu->seen, all & ~ISR_DMA, __ATOMIC_RELEASE);
	return all & ISR_DMA ? IRQ_WAKE_THREAD : IRQ_HANDLED;
}

static irqreturn_t edu_thread(int irq, void *dev_id)
{
	struct edu *edu = dev_id;

	(void)irq;
	edu_dma_done(edu);
	__atomic_fetch_or(&edu->seen, ISR_DMA, __ATOMIC_RELEASE);
	return IRQ_HANDLED;
}

/* ---- Waiting (shell thread) ----------------------------------------------------------------- */

struct wanted {
	struct edu *edu;
	u32 bits;
};

static bool has_come(void *arg)
{
	const struct wanted *w = arg;

	return (__atomic_load_n(&w->edu->seen, __ATOMIC_ACQUIRE) & w->bits) == w->bits ||
	       !pci_device_is_present(w->edu->pci);
}

u32 edu_expect(struct edu *edu)
{
	__atomic_store_n(&edu->seen, 0, __ATOMIC_RELAXED);
	return __atomic_load_n(&edu->irqs, __ATOMIC_RELAXED);
}

int edu_await(struct edu *edu, u32 bits)
{
	struct wanted w = { edu, bits };
	int err = shell_wait(has_come, &w, TIMEOUT_NS);

	if (err == -ETIMEDOUT)
		return shell_error(err, "%s: edu: interrupt 0x%x did not come on irq %u in %llu s",
				   edu->pci->name, bits, edu->irq, TIMEOUT_NS / NSEC_PER_SEC);
	if (!pci_device_is_present(edu->pci))
		return shell_error(-ENODEV, "%s: edu: it is gone", edu->pci->name);
	return err;
}

void edu_show(const struct edu *edu, const char *name, u32 value, u32 before)
{
	u32 irqs = __atomic_load_n(&edu->irqs, __ATOMIC_RELAXED) - before;
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("%s: %u, %u interrupt%s\n", name, value, irqs, irqs == 1 ? "" : "s");
		return;
	}
	json_open(j, "{");
	json_key(j, name), json_uint(j, value);
	json_key(j, "irqs"), json_uint(j, irqs);
	json_close(j, "}");
}

/* ---- fact and raise ------------------------------------------------------------------------- */

static int edu_fact(struct edu *edu, u32 n)
{
	u32 before;
	int err;

	if (readl(edu->regs + EDU_STATUS) & EDU_COMPUTING)
		return shell_error(-EBUSY, "%s: edu: it still computes", edu->pci->name);
	before = edu_expect(edu);
	writel(EDU_IRQ_FACT, edu->regs + EDU_STATUS);
	writel(n, edu->regs + EDU_FACT);
	err = edu_await(edu, ISR_FACT);
	if (!err)
		edu_show(edu, "result", readl(edu->regs + EDU_FACT), before);
	return err;
}

static int edu_raise(struct edu *edu, u32 bits)
{
	u32 before = edu_expect(edu);
	int err;

	writel(bits, edu->regs + EDU_RAISE);
	err = edu_await(edu, bits);
	if (!err)
		edu_show(edu, "raised", bits, before);
	return err;
}

/* ---- The command ---------------------------------------------------------------------------- */

static int with_number(struct edu *edu, const char *text, u32 least,
		       int (*fn)(struct edu *edu, u32 n))
{
	u64 n;

	if (shell_parse_u64(text, "N", &n))
		return -EINVAL;
	if (n < least || n > ~0U)
		return shell_error(-EINVAL, "N is %s, not %u to 0xffffffff", text, least);
	return fn(edu, n);
}

static int run_edu(int argc, char **argv)
{
	struct edu *edu = devices;
	u64 nr = 0;

	if (shell_take_option(&argc, argv, "--dev", &nr) < 0)
		return -EINVAL;
	for (u64 i = 0; i < nr && edu; i++)
		edu = edu->next;
	if (argc < 2)
		return shell_usage("edu");
	if (!edu)
		return shell_error(-ENODEV, "there is no edu device %llu", (unsigned long long)nr);
	if (argc == 3 && !strcmp(argv[1], "fact"))
		return with_number(edu, argv[2], 0, edu_fact);
	if (argc == 3 && !strcmp(argv[1], "raise"))
		return with_number(edu, argv[2], 1, edu_raise);
	if (argc == 2 && !strcmp(argv[1], "dma"))
		return edu_dma(edu);
	return shell_usage("edu");
}

static const struct shell_command edu_command = {
	.name = "edu",
	.usage = "edu fact N [--dev N] [--json]\n"
		 "edu raise N [--dev N] [--json]\n"
		 "edu dma [--dev N] [--json]",
	.help = "the edu device: a factorial, any interrupt, a copy of memory and back",
	.run = run_edu,
	.holds_devices = true,
};
SHELL_COMMAND(edu_command);

/* ---- Coming and going ----------------------------------------------------------------------- */

static int start_device(struct edu *edu)
{
	struct pci_dev *pci = edu->pci;
	int err = pci_enable_device(pci), irq;
	u32 id;

	if (err)
		return err;
	edu->regs = pci_ioremap_bar(pci, 0);
	if (!edu->regs)
		return -ENXIO;
	id = readl(edu->regs + EDU_ID);
	if ((id & 0xffff) != 0xed) {
		dev_err(&pci->dev, "edu: not an edu device (0x%08x)", id);
		return -ENXIO;
	}
	err = pci_alloc_irq_vectors(pci, 1, 1, PCI_IRQ_ALL_TYPES);
	if (err < 0) {
		dev_err(&pci->dev, "edu: no interrupt to be had (%s)", errname(err));
		return err;
	}
	irq = pci_irq_vector(pci, 0);
	writel(~0U, edu->regs + EDU_ACK);
	pci_set_master(pci);
	err = irq < 0 ? irq : request_threaded_irq(irq, edu_irq, edu_thread,
						   pci->intx_enabled ? IRQF_SHARED : 0, "edu", edu);
	if (err)
		pci_free_irq_vectors(pci);
	else
		edu->irq = irq;
	return err;
}

static int edu_probe(struct pci_dev *pci)
{
	struct edu *edu = kzalloc(sizeof(*edu)), **end = &devices;
	int err;

	if (!edu)
		return -ENOMEM;
	edu->pci = pci;
	err = start_device(edu);
	if (err) {
		kfree(edu);
		return err;
	}
	pci->dev.driver_data = edu;
	while (*end)
		end = &(*end)->next;
	*end = edu;
	return 0;
}

/* A transfer may still be on its way: after this it cannot write. */
static void edu_remove(struct pci_dev *pci)
{
	struct edu *edu = pci->dev.driver_data, **link = &devices;

	while (*link != edu)
		link = &(*link)->next;
	*link = edu->next;
	pci_clear_master(pci);
	free_irq(edu->irq, edu);
	pci_free_irq_vectors(pci);
	if (edu->page)
		free_pages(edu->page, 0);
	pci->dev.driver_data = NULL;
	kfree(edu);
}

static const struct pci_device_id edu_ids[] = {
	{ .vendor = 0x1234, .device = 0x11e8 },
	{ .vendor = 0 },
};

static const struct pci_driver edu_driver = {
	.name = "edu",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};
PCI_DRIVER(edu_driver);

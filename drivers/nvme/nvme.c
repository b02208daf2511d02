/*
 * NVMe controllers on PCI, of any maker: found by their class.
 *
 *	reset -> admin queue -> vectors -> enable -> what are you, how many queues -> I/O queues
 *
 * A controller says in CAP.TO how long it may take to become ready; what takes longer is named and
 * left alone. Manual: [NVME 3.1, 7.6].
 */
#include <drivers/nvme/nvme.h>
#include <kernel/io.h>

#define CLASS_NVME		0x010802	/* [NVME 2.1.5] */
#define MAX_DEPTH		64
#define ADMIN_DEPTH		16
#define READY_LIMIT_MS		10000U		/* or the boot watchdog would bite */
#define HALT_TIMEOUT_US		10000		/* with irqs off, perhaps */

static unsigned int nvme_count;

/* ---- Starting and stopping ------------------------------------------------------------------ */

static u32 csts(const struct nvme *ctrl)
{
	return readl(ctrl->regs + NVME_CSTS);
}

/* How long the controller may take, in its own words: units of 500 ms. [NVME 3.1.1] */
static unsigned int ready_ms(const struct nvme *ctrl)
{
	return min((u32)max(ctrl->cap >> 24 & 0xff, (u64)1) * 500, READY_LIMIT_MS);
}

/* Sleeps until the bits of CSTS in MASK are VALUE. */
static int wait_csts(const struct nvme *ctrl, u32 mask, u32 value, const char *what)
{
	u64 deadline = ktime_get_ns() + ready_ms(ctrl) * NSEC_PER_MSEC;

	while ((csts(ctrl) & mask) != value) {
		if (value == NVME_CSTS_RDY && csts(ctrl) & NVME_CSTS_CFS) {
			nvme_err(ctrl, "the controller fails to start (CSTS 0x%x: fatal status)",
				 csts(ctrl));
			return -EIO;
		}
		if (ktime_get_ns() > deadline) {
			nvme_err(ctrl, "the controller did not %s in %u ms (CSTS 0x%x)", what,
				 ready_ms(ctrl), csts(ctrl));
			return -ETIMEDOUT;
		}
		msleep(1);
	}
	return 0;
}

void nvme_halt(struct nvme *ctrl)
{
	writel(0, ctrl->regs + NVME_CC);
	if (poll_timeout(!(csts(ctrl) & NVME_CSTS_RDY), HALT_TIMEOUT_US) &&
	    pci_device_is_present(ctrl->pci))
		nvme_err(ctrl, "no end of reset (CSTS 0x%x); its access to memory is cut off",
			 csts(ctrl));
	pci_clear_master(ctrl->pci);
}

/* The queues as they are in memory, then the enable bit. [NVME 7.6.1] */
static int enable(struct nvme *ctrl)
{
	const struct nvme_queue *q = &ctrl->queue[0];

	writel((q->depth - 1U) << 16 | (q->depth - 1U), ctrl->regs + NVME_AQA);
	lo_hi_writeq(q->sq_dma, ctrl->regs + NVME_ASQ);
	lo_hi_writeq(q->cq_dma, ctrl->regs + NVME_ACQ);
	writel(NVME_CC_IOCQES | NVME_CC_IOSQES | NVME_CC_EN, ctrl->regs + NVME_CC);
	return wait_csts(ctrl, NVME_CSTS_RDY, NVME_CSTS_RDY, "get ready");
}

/* It may have something to write back from its cache. [NVME 7.6.2] */
static void shut_down(struct nvme *ctrl)
{
	nvme_close(ctrl);
	if (nvme_is_broken(ctrl) || !pci_device_is_present(ctrl->pci))
		return;
	for (unsigned int i = 1; i < ctrl->nr_queues; i++)
		nvme_delete_io_queue(&ctrl->queue[i]);
	writel(readl(ctrl->regs + NVME_CC) | NVME_CC_SHN, ctrl->regs + NVME_CC);
	wait_csts(ctrl, NVME_CSTS_SHST, NVME_CSTS_SHST_COMPLETE, "shut down");
}

/* ---- I/O queues ----------------------------------------------------------------------------- */

/* As many as there are doorbells for, too. */
static unsigned int wanted_queues(const struct nvme *ctrl)
{
	u64 room = (ctrl->pci->bar[0].size - NVME_DOORBELLS) / (8ULL << (ctrl->cap >> 32 & 0xf));

	return min((u64)cpumask_weight(cpu_possible_mask), room - 1);
}

static int setup_io_queue(struct nvme *ctrl, u16 id, u16 depth)
{
	unsigned int vector = nvme_vector(ctrl, id), cpu;
	int err = nvme_queue_create(ctrl, id, depth);

	if (err)
		return err;
	__atomic_store_n(&ctrl->nr_queues, id + 1U, __ATOMIC_RELEASE);
	err = nvme_request_irq(&ctrl->queue[id]);
	if (!err)
		err = nvme_create_io_queue(&ctrl->queue[id]);
	for_each_cpu(cpu, vector ? pci_irq_get_affinity(ctrl->pci, vector) : cpu_possible_mask)
		ctrl->queue_of[cpu] = id;
	return err;
}

static int setup_io_queues(struct nvme *ctrl)
{
	unsigned int cpus = cpumask_weight(cpu_possible_mask), queues;
	u16 depth = min((ctrl->cap & 0xffff) + 1, (u64)MAX_DEPTH);
	int n = nvme_set_queue_count(ctrl, wanted_queues(ctrl)), err = 0;

	if (n < 0)
		return n;
	if (n + 1U < ctrl->nr_vectors)
		err = nvme_setup_vectors(ctrl, n);	/* spread anew, over fewer */
	if (err)
		return err;
	queues = min((unsigned int)n, max(ctrl->nr_vectors, 2U) - 1);
	if (queues < cpus)
		pr_info("%s: nvme: %u I/O queue%s for %u CPUs (%d to be had, %u vector%s)",
			ctrl->pci->name, queues, queues == 1 ? "" : "s", cpus, n,
			ctrl->nr_vectors, ctrl->nr_vectors == 1 ? "" : "s");
	for (unsigned int id = 1; id <= queues && !err; id++)
		err = setup_io_queue(ctrl, id, depth);
	return err;
}

/* ---- Coming and going ----------------------------------------------------------------------- */

/* What we cannot drive. [NVME 3.1.1] */
static int check_capabilities(const struct nvme *ctrl)
{
	u64 cap = ctrl->cap;

	if (cap == ~0ULL || ctrl->pci->bar[0].size < NVME_DOORBELLS + (16ULL << (cap >> 32 & 0xf)))
		nvme_err(ctrl, "no registers in BAR 0 (CAP 0x%llx)", (unsigned long long)cap);
	else if (!(cap >> 37 & 1) || !(cap & 0xffff))
		nvme_err(ctrl, "not for NVM commands, or with queues of one entry (CAP 0x%llx)",
			 (unsigned long long)cap);
	else if (cap >> 48 & 0xf)
		nvme_err(ctrl, "its smallest page is %u KiB; ours are of 4 KiB",
			 4U << (cap >> 48 & 0xf));
	else
		return 0;
	return -ENOTSUPP;
}

static int map_registers(struct nvme *ctrl)
{
	struct pci_dev *pci = ctrl->pci;
	int err = pci_enable_device(pci);

	if (err)
		return err;
	if (pci->bar[0].type == PCI_BAR_IO || pci->bar[0].size < NVME_DOORBELLS) {
		nvme_err(ctrl, "BAR 0 cannot hold its registers");
		return -ENXIO;
	}
	ctrl->regs = pci_ioremap_bar(pci, 0);
	if (!ctrl->regs)
		return -ENXIO;
	ctrl->cap = lo_hi_readq(ctrl->regs + NVME_CAP);
	return check_capabilities(ctrl);
}

static int start_controller(struct nvme *ctrl)
{
	int err = map_registers(ctrl);

	if (err)
		return err;
	writel(0, ctrl->regs + NVME_CC);
	err = wait_csts(ctrl, NVME_CSTS_RDY, 0, "stop");
	if (err)
		return err;
	err = nvme_queue_create(ctrl, 0, min((ctrl->cap & 0xffff) + 1, (u64)ADMIN_DEPTH));
	if (err)
		return err;
	ctrl->nr_queues = 1;
	err = nvme_setup_vectors(ctrl, wanted_queues(ctrl));
	if (err)
		return err;
	pci_set_master(ctrl->pci);
	err = enable(ctrl);
	if (!err)
		err = nvme_identify_controller(ctrl);
	if (!err)
		err = setup_io_queues(ctrl);
	return err ? err : nvme_add_disks(ctrl);
}

/* From any point of start_controller() on. */
static void stop_controller(struct nvme *ctrl)
{
	if (ctrl->nr_queues)
		nvme_fail(ctrl);
	nvme_remove_disks(ctrl);
	nvme_free_vectors(ctrl);
	for (unsigned int i = 0; i < ctrl->nr_queues; i++)
		nvme_queue_destroy(&ctrl->queue[i]);
	kfree(ctrl->queue);
	kfree(ctrl);
}

static int nvme_probe(struct pci_dev *pci)
{
	struct nvme *ctrl = kzalloc(sizeof(*ctrl));
	int err;

	if (!ctrl)
		return -ENOMEM;
	ctrl->pci = pci;
	ctrl->index = nvme_count;
	mutex_init(&ctrl->admin_lock);
	ctrl->queue = kcalloc(1 + cpumask_weight(cpu_possible_mask), sizeof(*ctrl->queue));
	err = ctrl->queue ? start_controller(ctrl) : -ENOMEM;
	if (err) {
		stop_controller(ctrl);
		return err;
	}
	nvme_count++;
	pci->dev.driver_data = ctrl;
	return 0;
}

static void nvme_remove(struct pci_dev *pci)
{
	struct nvme *ctrl = pci->dev.driver_data;

	pci->dev.driver_data = NULL;
	shut_down(ctrl);
	stop_controller(ctrl);
}

static const struct pci_device_id nvme_ids[] = {
	{ PCI_ANY_ID, PCI_ANY_ID, CLASS_NVME, 0xffffff },
	{ .vendor = 0 },
};

static const struct pci_driver nvme_driver = {
	.name = "nvme",
	.id_table = nvme_ids,
	.probe = nvme_probe,
	.remove = nvme_remove,
};
PCI_DRIVER(nvme_driver);

/*
 * NVMe interrupts. Each CPU has an I/O queue whose vector is spread to it and managed (S-125), in
 * front of these is one vector for the admin queue.
 *
 *	vector 0: queue 0    vector 1: queue 1 -> cpu 0    vector 2: queue 2 -> cpu 1 …
 *
 * With fewer vectors there are fewer queues; a single one, perhaps a wire, is shared by two. A wire
 * stays high as long as an entry is left in any of its queues, and there are controllers that only
 * notice when it rises: the handler goes on until it has seen every queue empty in one round. A
 * message is sent for each entry, however many are left. Manual: [NVME 7.5].
 */
#include <drivers/nvme/nvme.h>

/* ---- Handlers (irq context) ----------------------------------------------------------------- */

/* May find that the handler of an earlier message has taken its entries, too. */
static irqreturn_t nvme_irq(int irq, void *dev_id)
{
	struct nvme_queue *q = dev_id;
	bool any = q->id ? nvme_drain_io(q) : nvme_drain_admin(q);

	(void)irq;
	return any ? IRQ_HANDLED : IRQ_NONE;
}

static irqreturn_t nvme_irq_of_all(int irq, void *dev_id)
{
	struct nvme_queue *admin = dev_id;
	struct nvme *ctrl = admin->ctrl;
	unsigned int queues = __atomic_load_n(&ctrl->nr_queues, __ATOMIC_ACQUIRE);
	bool any = false, more;

	(void)irq;
	do {
		more = nvme_drain_admin(admin);
		for (unsigned int i = 1; i < queues; i++)
			more |= nvme_drain_io(&ctrl->queue[i]);
		any |= more;
	} while (more);
	return any ? IRQ_HANDLED : IRQ_NONE;
}

/* ---- Vectors -------------------------------------------------------------------------------- */

unsigned int nvme_vector(const struct nvme *ctrl, unsigned int id)
{
	return ctrl->nr_vectors == 1 ? 0 : id;
}

/* A vector for all is the admin queue's. */
int nvme_request_irq(struct nvme_queue *q)
{
	struct nvme *ctrl = q->ctrl;
	int irq = pci_irq_vector(ctrl->pci, nvme_vector(ctrl, q->id)), err;
	bool shared = ctrl->nr_vectors == 1;

	if (shared && q->id)
		return 0;
	q->irq_name = shared  ? kasprintf("nvme%u", ctrl->index)
		      : q->id ? kasprintf("nvme%u-io.%u", ctrl->index, q->id)
			      : kasprintf("nvme%u-admin", ctrl->index);
	if (!q->irq_name)
		return -ENOMEM;
	err = irq < 0 ? irq : request_irq(irq, shared ? nvme_irq_of_all : nvme_irq,
					  shared ? IRQF_SHARED : 0, q->irq_name, q);
	if (!err)
		q->irq = irq;
	return err;
}

static void nvme_free_irq(struct nvme_queue *q)
{
	if (q->irq)
		free_irq(q->irq, q);
	q->irq = 0;
	kfree(q->irq_name);
	q->irq_name = NULL;
}

void nvme_free_vectors(struct nvme *ctrl)
{
	for (unsigned int i = 0; i < ctrl->nr_queues; i++)
		nvme_free_irq(&ctrl->queue[i]);
	pci_free_irq_vectors(ctrl->pci);
}

int nvme_setup_vectors(struct nvme *ctrl, unsigned int io)
{
	struct irq_affinity admin_first = { .pre_vectors = 1 };
	int n;

	nvme_free_vectors(ctrl);
	n = pci_alloc_irq_vectors_affinity(ctrl->pci, 1, 1 + io,
					   PCI_IRQ_ALL_TYPES | PCI_IRQ_AFFINITY, &admin_first);
	if (n < 0) {
		nvme_err(ctrl, "no interrupt to be had (%s)", errname(n));
		return n;
	}
	ctrl->nr_vectors = n;
	return nvme_request_irq(&ctrl->queue[0]);
}

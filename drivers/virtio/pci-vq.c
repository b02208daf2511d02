/*
 * virtio over PCI: queues and their interrupts.
 *
 * Each queue has a doorbell and, by an entry of the device's MSI-X table, an interrupt. The device
 * is told the number of the entry and answers NO_VECTOR if it could not do that, so every write is
 * read back. With enough vectors the queues are spread over the CPUs, each interrupting where its
 * requests come from. They may be moved away from there later (shell: affinity), which is why they
 * are not allocated as managed ones. Manual: [VIRTIO 4.1.4.3, 4.1.5.1].
 */
#include <drivers/virtio/virtio-pci.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

#define MAX_QUEUE_SIZE	128		/* descriptors: memory for little use beyond */
#define CONFIG_VECTOR	0

/* ---- Handlers (irq context) ----------------------------------------------------------------- */

static irqreturn_t vp_config_interrupt(int irq, void *dev_id)
{
	(void)irq;
	vp_config_changed(dev_id);
	return IRQ_HANDLED;
}

static irqreturn_t vp_all_queues(int irq, void *dev_id)
{
	struct virtio_pci *vp = dev_id;

	for (unsigned int i = 0; i < vp->vdev.nr_vqs; i++)
		vring_interrupt(irq, vp->vdev.vqs[i]);
	return IRQ_HANDLED;
}

static irqreturn_t vp_everything(int irq, void *dev_id)
{
	struct virtio_pci *vp = dev_id;
	u8 generation = readb(vp->common.base + CONFIG_GENERATION);

	if (generation != vp->generation)
		vp_config_changed(vp);
	vp->generation = generation;
	return vp_all_queues(irq, vp);
}

/* Reading the register also takes the line down. [VIRTIO 4.1.4.5] */
static irqreturn_t vp_intx(int irq, void *dev_id)
{
	struct virtio_pci *vp = dev_id;
	u8 isr = readb(vp->isr.base);

	if (isr & ~(ISR_QUEUE | ISR_CONFIG))
		return IRQ_NONE;		/* pulled out: nothing but ones */
	if (isr & ISR_CONFIG)
		vp_config_changed(vp);
	if (isr & ISR_QUEUE)
		vp_all_queues(irq, vp);
	return isr ? IRQ_HANDLED : IRQ_NONE;
}

/* ---- Vectors -------------------------------------------------------------------------------- */

/* As many queues as get a vector of their own, down to sharing. Returns the number of queues. */
static int alloc_vectors(struct virtio_pci *vp, unsigned int min, unsigned int max)
{
	int n = pci_alloc_irq_vectors(vp->pci, min + 1, max + 1, PCI_IRQ_MSIX);

	if (n > 0) {
		vp->vectors = VP_PER_QUEUE;
		return n - 1;
	}
	n = pci_alloc_irq_vectors(vp->pci, 1, 2, PCI_IRQ_MSIX);
	if (n > 0) {
		vp->vectors = n == 2 ? VP_SHARED : VP_ONE;
		return min;
	}
	if (vp->isr.base)
		n = pci_alloc_irq_vectors(vp->pci, 1, 1, PCI_IRQ_INTX);
	vp->vectors = VP_INTX;
	if (n > 0)
		return min;
	dev_err(&vp->pci->dev, "virtio: no interrupt to be had (%s)", errname(n));
	return n;
}

static unsigned int queue_vector(const struct virtio_pci *vp, unsigned int queue)
{
	switch (vp->vectors) {
	case VP_PER_QUEUE:	return 1 + queue;
	case VP_SHARED:		return 1;
	case VP_ONE:		return CONFIG_VECTOR;
	default:		return VIRTIO_MSI_NO_VECTOR;
	}
}

/* Tells the device at REG which vector to use; -EBUSY if it does not take it. */
static int set_vector(struct virtio_pci *vp, unsigned int reg, unsigned int vector)
{
	writew(vector, vp->common.base + reg);
	if (readw(vp->common.base + reg) == vector)
		return 0;
	dev_err(&vp->pci->dev, "virtio: the device does not take vector %u", vector);
	return -EBUSY;
}

static int request_vector(struct virtio_pci *vp, unsigned int vector, irq_handler_t handler)
{
	int irq = pci_irq_vector(vp->pci, vector);
	unsigned int flags = vp->vectors == VP_INTX ? IRQF_SHARED : 0;
	int err = irq < 0 ? irq : request_irq(irq, handler, flags, vp->name, vp);

	if (!err)
		vp->irqs_requested++;
	return err;
}

/* The vectors that are not a single queue's, in order from 0. */
static int request_common(struct virtio_pci *vp)
{
	int err;

	switch (vp->vectors) {
	case VP_PER_QUEUE:
		return request_vector(vp, CONFIG_VECTOR, vp_config_interrupt);
	case VP_SHARED:
		err = request_vector(vp, CONFIG_VECTOR, vp_config_interrupt);
		return err ? err : request_vector(vp, 1, vp_all_queues);
	case VP_ONE:
		return request_vector(vp, CONFIG_VECTOR, vp_everything);
	default:
		return request_vector(vp, 0, vp_intx);
	}
}

static int request_queue_irq(struct virtio_pci *vp, struct virtqueue *vq)
{
	int irq = pci_irq_vector(vp->pci, queue_vector(vp, vq->index)), err;

	vq->irq_name = kasprintf("%s-%s.%u", vp->name, vq->name, vq->index);
	if (!vq->irq_name)
		return -ENOMEM;
	if (irq > 0)
		irq_set_affinity(irq, &vq->cpus);
	err = irq < 0 ? irq : request_irq(irq, vring_interrupt, 0, vq->irq_name, vq);
	if (!err)
		vq->irq = irq;
	return err;
}

/* ---- Queues --------------------------------------------------------------------------------- */

/* The doorbell of the selected queue; NULL if it would lie outside. */
static char *doorbell(struct virtio_pci *vp)
{
	u64 offset = (u64)readw(vp->common.base + QUEUE_NOTIFY_OFF) * vp->notify_multiplier;

	return offset + 2 <= vp->notify.len ? vp->notify.base + offset : NULL;
}

/* Makes queue I and leaves it selected; *SLOT is set once it needs to be destroyed. */
static int setup_queue(struct virtio_pci *vp, unsigned int i, const struct virtqueue_info *info,
		       unsigned int vector, struct virtqueue **slot)
{
	char *common = vp->common.base;
	struct virtqueue *vq;
	unsigned int num;

	writew(i, common + QUEUE_SELECT);
	num = readw(common + QUEUE_SIZE);
	if (!num || num & (num - 1) || readw(common + QUEUE_ENABLE) || !doorbell(vp)) {
		dev_err(&vp->pci->dev, "virtio: queue %u is of no use (size %u)", i, num);
		return -ENXIO;
	}
	vq = vring_create(&vp->vdev, i, min(num, (unsigned int)MAX_QUEUE_SIZE), info);
	if (!vq)
		return -ENOMEM;
	*slot = vq;
	vq->notify = doorbell(vp);
	writew(vq->num, common + QUEUE_SIZE);
	lo_hi_writeq(vq->desc_dma, common + QUEUE_DESC);
	lo_hi_writeq(vq->avail_dma, common + QUEUE_DRIVER);
	lo_hi_writeq(vq->used_dma, common + QUEUE_DEVICE);
	return vp->vectors == VP_INTX ? 0 : set_vector(vp, QUEUE_MSIX_VECTOR, vector);
}

/* Which CPUs each queue is for: all, or its part of them. */
static int spread_queues(struct virtio_pci *vp)
{
	struct irq_affinity config_first = { .pre_vectors = 1 };
	struct virtio_device *vdev = &vp->vdev;
	unsigned int together = max(1U, vdev->driver->queues_per_cpu);
	struct irq_affinity_desc *masks = NULL;

	if (vp->vectors == VP_PER_QUEUE) {
		masks = irq_create_affinity_masks(1 + DIV_ROUND_UP(vdev->nr_vqs, together),
						  &config_first);
		if (!masks)
			return -ENOMEM;
	}
	for (unsigned int i = 0; i < vdev->nr_vqs; i++)
		vdev->vqs[i]->cpus = masks ? masks[1 + i / together].mask : *cpu_possible_mask;
	kfree(masks);
	return 0;
}

static int setup_queues(struct virtio_pci *vp, const struct virtqueue_info *info)
{
	struct virtio_device *vdev = &vp->vdev;
	int err = 0;

	for (unsigned int i = 0; i < vdev->nr_vqs && !err; i++)
		err = setup_queue(vp, i, &info[i], queue_vector(vp, i), &vdev->vqs[i]);
	if (!err)
		err = spread_queues(vp);
	if (!err && vp->vectors != VP_INTX)
		err = set_vector(vp, CONFIG_MSIX_VECTOR, CONFIG_VECTOR);
	if (!err)
		err = request_common(vp);
	for (unsigned int i = 0; i < vdev->nr_vqs && !err && vp->vectors == VP_PER_QUEUE; i++)
		err = request_queue_irq(vp, vdev->vqs[i]);
	for (unsigned int i = 0; i < vdev->nr_vqs && !err; i++) {
		writew(i, vp->common.base + QUEUE_SELECT);
		writew(1, vp->common.base + QUEUE_ENABLE);
	}
	return err;
}

int virtio_find_vqs(struct virtio_device *vdev, unsigned int min, unsigned int max,
		    const struct virtqueue_info *info)
{
	struct virtio_pci *vp = to_vp(vdev);
	unsigned int have = readw(vp->common.base + NUM_QUEUES);
	unsigned int together = max(1U, vdev->driver->queues_per_cpu);
	int n, err;

	if (have < min) {
		dev_err(&vp->pci->dev, "virtio: %u queues, at least %u are needed", have, min);
		return -ENXIO;
	}
	n = alloc_vectors(vp, min, min(max, have));
	if (n < 0)
		return n;
	n -= n % together;
	vdev->vqs = kcalloc(n, sizeof(struct virtqueue *));
	vdev->nr_vqs = vdev->vqs ? n : 0;
	err = vdev->vqs ? setup_queues(vp, info) : -ENOMEM;
	if (!err)
		return n;
	dev_err(&vp->pci->dev, "virtio: queues cannot be set up: %s", errname(err));
	virtio_del_vqs(vdev);
	return err;
}

struct virtqueue *virtio_find_polled_vq(struct virtio_device *vdev, unsigned int index,
					const char *name)
{
	struct virtqueue_info info = { name, NULL };
	struct virtio_pci *vp = to_vp(vdev);
	struct virtqueue *vq = NULL;
	int err = setup_queue(vp, index, &info, VIRTIO_MSI_NO_VECTOR, &vq);

	if (!err) {
		virtqueue_disable_cb(vq);
		writew(1, vp->common.base + QUEUE_ENABLE);
		return vq;
	}
	dev_err(&vp->pci->dev, "virtio: queue %u cannot be set up: %s", index, errname(err));
	if (vq)
		vring_destroy(vq);
	return NULL;
}

void virtio_del_vqs(struct virtio_device *vdev)
{
	struct virtio_pci *vp = to_vp(vdev);

	virtio_reset_device(vdev);
	for (unsigned int i = 0; i < vdev->nr_vqs; i++)
		if (vdev->vqs[i] && vdev->vqs[i]->irq)
			free_irq(vdev->vqs[i]->irq, vdev->vqs[i]);
	while (vp->irqs_requested)
		free_irq(pci_irq_vector(vp->pci, --vp->irqs_requested), vp);
	for (unsigned int i = 0; i < vdev->nr_vqs; i++)
		if (vdev->vqs[i])
			vring_destroy(vdev->vqs[i]);
	pci_free_irq_vectors(vp->pci);
	kfree(vdev->vqs);
	vdev->vqs = NULL;
	vdev->nr_vqs = 0;
}

/*
 * virtio over PCI: finding a device's registers and its driver.
 *
 *	capability (vendor, id 9)    { type, BAR, offset, length }  one for each of:
 *	  common   status, features, queues        isr      who interrupts, without MSI-X
 *	  notify   doorbells                       config   what the device's type defines
 *
 * Devices older than virtio 1.0 have no such capabilities and are refused.
 * Manual: [VIRTIO 3.1, 4.1].
 */
#include <drivers/virtio/virtio-pci.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <stdio.h>

#define VIRTIO_VENDOR		0x1af4
#define MODERN_DEVICE_ID	0x1040		/* plus the type */
#define LAST_DEVICE_ID		0x107f
#define TRANSITIONAL_DEVICE_ID	0x1000		/* the type is the subsystem id */

/* In a vendor capability */
enum { CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_NOTIFY_MULTIPLIER = 16 };
enum { TYPE_COMMON = 1, TYPE_NOTIFY, TYPE_ISR, TYPE_CONFIG };

DECLARE_TABLE(virtio_driver, const struct virtio_driver);

static unsigned int vp_count;

/* ---- Registers ------------------------------------------------------------------------------ */

/* The structure that the capability at POS describes, mapped; false if it cannot be right. */
static bool map_region(struct pci_dev *pci, u8 pos, u32 min_len, struct vp_region *region)
{
	u8 index = pci_read_config8(pci, pos + CAP_BAR);
	u32 offset = pci_read_config32(pci, pos + CAP_OFFSET);
	u32 len = pci_read_config32(pci, pos + CAP_LENGTH);
	const struct pci_bar *bar = index < PCI_NUM_BARS ? &pci->bar[index] : NULL;

	if (!bar || !bar->assigned || bar->type == PCI_BAR_IO || len < min_len || offset % 4 ||
	    (u64)offset + len > bar->size) {
		dev_warn(&pci->dev, "virtio: capability at 0x%02x: 0x%x bytes at 0x%x of BAR %u "
			 "cannot be; skipped", pos, len, offset, index);
		return false;
	}
	region->base = ioremap(bar->cpu_addr + offset, len);
	region->len = len;
	return region->base != NULL;
}

/* The first good one of each type counts. [VIRTIO 4.1.4.1] */
static void find_regions(struct virtio_pci *vp)
{
	struct pci_dev *pci = vp->pci;

	for (u8 pos = pci_find_capability(pci, PCI_CAP_ID_VNDR); pos;
	     pos = pci_find_next_capability(pci, pos, PCI_CAP_ID_VNDR)) {
		u8 type = pci_read_config8(pci, pos + CAP_TYPE);

		if (type == TYPE_COMMON && !vp->common.base)
			map_region(pci, pos, COMMON_CFG_SIZE, &vp->common);
		else if (type == TYPE_ISR && !vp->isr.base)
			map_region(pci, pos, 1, &vp->isr);
		else if (type == TYPE_CONFIG && !vp->config.base)
			map_region(pci, pos, 1, &vp->config);
		else if (type == TYPE_NOTIFY && !vp->notify.base &&
			 map_region(pci, pos, 2, &vp->notify))
			vp->notify_multiplier =
				pci_read_config32(pci, pos + CAP_NOTIFY_MULTIPLIER);
	}
}

/* ---- Device and driver ---------------------------------------------------------------------- */

static const struct virtio_driver *find_driver(u32 id)
{
	for_each_table(pos, virtio_driver, const struct virtio_driver)
		if ((*pos)->id == id)
			return *pos;
	return NULL;
}

/* [VIRTIO 3.1.1], steps 1 to 8 */
static int start_device(struct virtio_pci *vp)
{
	struct virtio_device *vdev = &vp->vdev;
	int err = virtio_reset_device(vdev);

	if (err)
		return err;
	vp_add_status(vp, STATUS_ACKNOWLEDGE);
	vp_add_status(vp, STATUS_DRIVER);
	err = vp_negotiate(vp, vdev->driver->features);
	if (!err)
		err = vdev->driver->probe(vdev);
	if (err)
		vp_add_status(vp, STATUS_FAILED);
	return err;
}

static u32 device_type(const struct pci_dev *pci)
{
	return pci->device >= MODERN_DEVICE_ID ? pci->device - MODERN_DEVICE_ID : pci->subsystem;
}

static int vp_setup(struct virtio_pci *vp)
{
	struct pci_dev *pci = vp->pci;
	int err = pci_enable_device(pci);

	if (err)
		return err;
	pci_set_master(pci);
	find_regions(vp);
	if (!vp->common.base || !vp->notify.base) {
		dev_err(&pci->dev, "virtio: no registers of virtio 1.0; older is not driven");
		return -ENOTSUPP;
	}
	return start_device(vp);
}

static int vp_probe(struct pci_dev *pci)
{
	const struct virtio_driver *driver;
	struct virtio_pci *vp;
	int err;

	if (pci->device > LAST_DEVICE_ID || pci->device < TRANSITIONAL_DEVICE_ID)
		return -ENODEV;
	driver = find_driver(device_type(pci));
	if (!driver) {
		pr_info("virtio: %s: no driver for type %u", pci->name, device_type(pci));
		return -ENODEV;
	}
	vp = kzalloc(sizeof(*vp));
	if (!vp)
		return -ENOMEM;
	vp->pci = pci;
	vp->index = vp_count;
	snprintf(vp->name, sizeof(vp->name), "virtio%u", vp->index);
	vp->vdev.dev.name = vp->name;
	vp->vdev.dev.parent = &pci->dev;
	vp->vdev.dev.dma_offset = pci->dev.dma_offset;
	vp->vdev.id = driver->id;
	vp->vdev.driver = driver;
	err = vp_setup(vp);
	if (err) {
		kfree(vp);
		return err;
	}
	vp_count++;
	pci->dev.driver_data = vp;
	return 0;
}

static void vp_remove(struct pci_dev *pci)
{
	struct virtio_pci *vp = pci->dev.driver_data;

	vp->vdev.driver->remove(&vp->vdev);
	pci->dev.driver_data = NULL;
	kfree(vp);
}

static const struct pci_device_id vp_ids[] = {
	{ VIRTIO_VENDOR, PCI_ANY_ID, 0, 0 },
	{ 0, 0, 0, 0 },
};

static const struct pci_driver virtio_pci_driver = {
	.name = "virtio-pci",
	.id_table = vp_ids,
	.probe = vp_probe,
	.remove = vp_remove,
};
PCI_DRIVER(virtio_pci_driver);

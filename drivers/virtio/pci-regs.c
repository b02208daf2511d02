/*
 * virtio over PCI: a device's status, features and configuration.
 *
 * Driver and device agree step by step, each a bit of the status register: the driver has seen the
 * device, knows how to drive it, both like the features, the queues are there.
 *
 *	0 -> ACKNOWLEDGE -> DRIVER -> FEATURES_OK -> DRIVER_OK		and at any time: 0, a reset
 *
 * Manual: [VIRTIO 2.1, 2.2, 2.5, 3.1, 4.1.4.3].
 */
#include <drivers/virtio/virtio-pci.h>
#include <kernel/io.h>
#include <kernel/printk.h>

#define RESET_TIMEOUT_US	1000000
#define BREAK_TIMEOUT_US	10000		/* with irqs off, perhaps */
#define CONFIG_TRIES		100

/* ---- Status and configuration --------------------------------------------------------------- */

static u8 get_status(struct virtio_pci *vp)
{
	return readb(vp->common.base + DEVICE_STATUS);
}

void vp_add_status(struct virtio_pci *vp, u8 bits)
{
	writeb(get_status(vp) | bits, vp->common.base + DEVICE_STATUS);
}

/* A device that was pulled out reads as ones, and writes no memory any more. */
static bool gone(struct virtio_pci *vp)
{
	return get_status(vp) == 0xff && !pci_device_is_present(vp->pci);
}

/* Writing 0 begins the reset, reading 0 ends it. [VIRTIO 4.1.4.3.2] */
static int reset(struct virtio_pci *vp, unsigned int timeout_us)
{
	int err;

	writeb(0, vp->common.base + DEVICE_STATUS);
	err = poll_timeout(get_status(vp) == 0 || gone(vp), timeout_us);
	if (err) {
		pci_clear_master(vp->pci);
		dev_err(&vp->pci->dev, "virtio: no end of reset after %u ms (status 0x%02x); "
			"its access to memory is cut off", timeout_us / 1000, get_status(vp));
	}
	return err;
}

int virtio_reset_device(struct virtio_device *vdev)
{
	return reset(to_vp(vdev), RESET_TIMEOUT_US);
}

bool virtio_break_device(struct virtio_device *vdev)
{
	if (__atomic_exchange_n(&vdev->broken, true, __ATOMIC_ACQ_REL))
		return false;
	reset(to_vp(vdev), BREAK_TIMEOUT_US);
	return true;
}

void virtio_device_ready(struct virtio_device *vdev)
{
	vp_add_status(to_vp(vdev), STATUS_DRIVER_OK);
}

static bool config_has(struct virtio_device *vdev, unsigned int offset, unsigned int size)
{
	return (u64)offset + size <= to_vp(vdev)->config.len;
}

u8 virtio_cread8(struct virtio_device *vdev, unsigned int offset)
{
	return config_has(vdev, offset, 1) ? readb(to_vp(vdev)->config.base + offset) : 0;
}

u16 virtio_cread16(struct virtio_device *vdev, unsigned int offset)
{
	return config_has(vdev, offset, 2) ? readw(to_vp(vdev)->config.base + offset) : 0;
}

u32 virtio_cread32(struct virtio_device *vdev, unsigned int offset)
{
	return config_has(vdev, offset, 4) ? readl(to_vp(vdev)->config.base + offset) : 0;
}

/* Two reads, repeated if the device changed its configuration in between. [VIRTIO 2.5.1] */
u64 virtio_cread64(struct virtio_device *vdev, unsigned int offset)
{
	char *generation = to_vp(vdev)->common.base + CONFIG_GENERATION;
	u64 value;

	for (int tries = 0; tries < CONFIG_TRIES; tries++) {
		u8 before = readb(generation);

		value = virtio_cread32(vdev, offset);
		value |= (u64)virtio_cread32(vdev, offset + 4) << 32;
		if (readb(generation) == before)
			break;
	}
	return value;
}

void vp_config_changed(struct virtio_pci *vp)
{
	struct virtio_device *vdev = &vp->vdev;

	if (gone(vp))
		return;
	if (get_status(vp) & STATUS_NEEDS_RESET) {
		dev_err(&vp->pci->dev, "virtio: the device has failed and asks for a reset");
		if (vdev->driver->failed)
			vdev->driver->failed(vdev);
		return;
	}
	if (vdev->driver->config_changed)
		vdev->driver->config_changed(vdev);
}

/* ---- Features ------------------------------------------------------------------------------- */

int vp_negotiate(struct virtio_pci *vp, u64 wanted)
{
	char *common = vp->common.base;
	u64 offered;

	wanted |= BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_EVENT_IDX) | BIT(VIRTIO_F_ACCESS_PLATFORM);
	writel(0, common + DEVICE_FEATURE_SELECT);
	offered = readl(common + DEVICE_FEATURE);
	writel(1, common + DEVICE_FEATURE_SELECT);
	offered |= (u64)readl(common + DEVICE_FEATURE) << 32;
	vp->vdev.features = offered & wanted;
	if (!virtio_has_feature(&vp->vdev, VIRTIO_F_VERSION_1)) {
		dev_err(&vp->pci->dev, "virtio: the device does not offer virtio 1.0");
		return -ENOTSUPP;
	}
	writel(0, common + DRIVER_FEATURE_SELECT);
	writel((u32)vp->vdev.features, common + DRIVER_FEATURE);
	writel(1, common + DRIVER_FEATURE_SELECT);
	writel(vp->vdev.features >> 32, common + DRIVER_FEATURE);
	vp_add_status(vp, STATUS_FEATURES_OK);
	if (!(get_status(vp) & STATUS_FEATURES_OK)) {
		dev_err(&vp->pci->dev, "virtio: the device refuses features 0x%llx",
			(unsigned long long)vp->vdev.features);
		return -ENOTSUPP;
	}
	return 0;
}

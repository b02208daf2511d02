/*
 * virtio-net, coming and going: what the device tells of itself, and a pair of queues per CPU as
 * far as it has pairs and there are vectors for them.
 *
 *	queue 0, 1: receive, send of pair 0 … 2n, 2n + 1: of pair n … 2 * its pairs: control
 *
 * The device uses pair 0 alone until the control queue has told it how many there are; that is a
 * single command, so its answer is polled for. The frames are in net.c.
 * Manual: [VIRTIO 5.1.2 … 5.1.5, 5.1.6.5.6].
 */
#include <drivers/virtio/virtio-net.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <string.h>

enum { VIRTIO_NET_CTRL_MQ = 4, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET = 0, VIRTIO_NET_OK = 0 };

#define COMMAND_TIMEOUT_MS	10000
#define MAX_PAIRS		0x8000	/* [VIRTIO 5.1.4.1] */

static void vnet_config_changed(struct virtio_device *vdev)
{
	struct vnet *vn = vdev->dev.driver_data;
	u32 link = virtio_cread16(vdev, CFG_STATUS) & STATUS_LINK_UP;

	if (vn && virtio_has_feature(vdev, VIRTIO_NET_F_STATUS) &&
	    __atomic_exchange_n(&vn->nic.link, link, __ATOMIC_RELAXED) != link)
		pr_info("nic %u (%s): link %s", vn->nic.nic, vn->nic.bus_name,
			link ? "up" : "down");
}

static void vnet_failed(struct virtio_device *vdev)
{
	virtio_break_device(vdev);
}

/* ---- How many pairs ------------------------------------------------------------------------- */

static bool command_answered(struct vnet *vn)
{
	unsigned long flags = spin_lock_irqsave(&vn->ctrl->lock);
	u32 len;
	bool answered = virtqueue_get_buf(vn->ctrl, &len);

	spin_unlock_irqrestore(&vn->ctrl->lock, flags);
	return answered;
}

static int tell_pairs(struct vnet *vn)
{
	struct vnet_command *c = vn->command;
	struct vq_buf buf[] = { { &c->class, 2 }, { &c->pairs, 2 }, { &c->ack, 1 } };
	unsigned long flags = spin_lock_irqsave(&vn->ctrl->lock);
	int err;

	c->class = VIRTIO_NET_CTRL_MQ;
	c->command = VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET;
	c->pairs = cpu_to_le16(vn->nr_pairs);
	c->ack = ~VIRTIO_NET_OK;
	err = virtqueue_add(vn->ctrl, buf, 2, 1, vn);
	virtqueue_kick(vn->ctrl);
	spin_unlock_irqrestore(&vn->ctrl->lock, flags);
	if (err)
		return err;
	for (unsigned int ms = 0; !command_answered(vn); ms++) {
		if (ms >= COMMAND_TIMEOUT_MS || vn->ctrl->broken)
			return -ETIMEDOUT;
		msleep(1);
	}
	return c->ack == VIRTIO_NET_OK ? 0 : -EIO;
}

/* Pair 0 works whatever the device says. */
static void use_pairs(struct vnet *vn)
{
	int err = vn->ctrl ? tell_pairs(vn) : 0;

	vn->nic.pairs = vn->nr_pairs;
	if (!err)
		return;
	pr_warn("virtio-net: %s: the device does not take %u queue pairs (%s); it works with one",
		vn->nic.bus_name, vn->nr_pairs, errname(err));
	vn->nic.pairs = 1;
	memset(vn->pair_of, 0, sizeof(vn->pair_of));
}

/* ---- Queues --------------------------------------------------------------------------------- */

static void free_pairs(struct vnet *vn)
{
	struct device *dev = &vn->vdev->dev;

	for (unsigned int i = 0; vn->pair && i < vn->nr_pairs; i++) {
		struct vnet_pair *pair = &vn->pair[i];

		dma_free_coherent(dev, pair->rx_num * sizeof(*pair->rx_bufs), pair->rx_bufs,
				  pair->rx_dma);
		dma_free_coherent(dev, pair->tx_num * sizeof(*pair->tx_bufs), pair->tx_bufs,
				  pair->tx_dma);
	}
	kfree(vn->pair);
	dma_free_coherent(dev, sizeof(*vn->command), vn->command, vn->command_dma);
}

static int setup_pair(struct vnet *vn, unsigned int i)
{
	struct virtio_device *vdev = vn->vdev;
	struct vnet_pair *pair = &vn->pair[i];
	unsigned int cpu;

	pair->vn = vn;
	pair->rx = vdev->vqs[2 * i];
	pair->tx = vdev->vqs[2 * i + 1];
	pair->rx_num = pair->rx->num;
	pair->tx_num = pair->tx->num;
	pair->rx_bufs = dma_alloc_coherent(&vdev->dev, pair->rx_num * sizeof(*pair->rx_bufs),
					   &pair->rx_dma);
	pair->tx_bufs = dma_alloc_coherent(&vdev->dev, pair->tx_num * sizeof(*pair->tx_bufs),
					   &pair->tx_dma);
	if (!pair->rx_bufs || !pair->tx_bufs)
		return -ENOMEM;
	for (unsigned int n = 0; n < pair->tx_num; n++) {
		pair->tx_bufs[n].next_free = pair->tx_free;
		pair->tx_free = &pair->tx_bufs[n];
	}
	pair->poll.poll = vnet_poll;
	pair->poll.enable = vnet_enable;
	net_poll_init(&pair->poll);
	for_each_cpu(cpu, &pair->tx->cpus)
		vn->pair_of[cpu] = i;
	pair->rx->priv = pair->tx->priv = pair;
	return 0;
}

static int setup_control(struct vnet *vn, unsigned int device_pairs)
{
	vn->ctrl = virtio_find_polled_vq(vn->vdev, 2 * device_pairs, "ctrl");
	vn->command = dma_alloc_coherent(&vn->vdev->dev, sizeof(*vn->command), &vn->command_dma);
	return vn->ctrl && vn->command ? 0 : -ENOMEM;
}

static unsigned int max_pairs(struct virtio_device *vdev)
{
	unsigned int pairs;

	if (!virtio_has_feature(vdev, VIRTIO_NET_F_MQ) ||
	    !virtio_has_feature(vdev, VIRTIO_NET_F_CTRL_VQ))
		return 1;
	pairs = virtio_cread16(vdev, CFG_MAX_PAIRS);
	return pairs && pairs <= MAX_PAIRS ? pairs : 1;
}

static int setup_queues(struct vnet *vn)
{
	struct virtqueue_info info[2 * NR_CPUS];
	struct virtio_device *vdev = vn->vdev;
	unsigned int device_pairs = max_pairs(vdev), wanted;
	int n, err = 0;

	wanted = min(device_pairs, cpumask_weight(cpu_online_mask));
	for (unsigned int i = 0; i < wanted; i++) {
		info[2 * i] = (struct virtqueue_info){ "rx", vnet_received };
		info[2 * i + 1] = (struct virtqueue_info){ "tx", vnet_sent };
	}
	n = virtio_find_vqs(vdev, 2, 2 * wanted, info);
	if (n < 0)
		return n;
	vn->pair = kcalloc(n / 2, sizeof(*vn->pair));
	if (!vn->pair)
		return -ENOMEM;
	vn->nr_pairs = n / 2;
	for (unsigned int i = 0; i < vn->nr_pairs && !err; i++)
		err = setup_pair(vn, i);
	if (!err && vn->nr_pairs > 1)
		err = setup_control(vn, device_pairs);
	return err;
}

/* ---- Coming and going ----------------------------------------------------------------------- */

static void stop(struct vnet *vn)
{
	for (unsigned int i = 0; i < vn->nr_pairs; i++)
		if (vn->pair[i].poll.poll)
			net_poll_stop(&vn->pair[i].poll);
	virtio_del_vqs(vn->vdev);
	if (vn->ctrl)
		vring_destroy(vn->ctrl);
	free_pairs(vn);
	kfree(vn);
}

/* Without an address of its own, one out of those that anybody may use. */
static void read_config(struct vnet *vn)
{
	static const u8 made_up[ETH_ALEN] = { 0x02, 0xca, 0x5c, 0xad, 0xe0, 0x00 };
	static const u8 none[ETH_ALEN];
	u8 *mac = vn->nic.mac;

	for (unsigned int i = 0; i < ETH_ALEN; i++)
		mac[i] = virtio_cread8(vn->vdev, CFG_MAC + i);
	if (!virtio_has_feature(vn->vdev, VIRTIO_NET_F_MAC) || mac[0] & 1 ||
	    !memcmp(mac, none, ETH_ALEN)) {
		static u32 count;

		memcpy(mac, made_up, ETH_ALEN);
		mac[ETH_ALEN - 1] = __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
	}
	vn->nic.link = !virtio_has_feature(vn->vdev, VIRTIO_NET_F_STATUS) ||
		       virtio_cread16(vn->vdev, CFG_STATUS) & STATUS_LINK_UP;
}

static int vnet_probe(struct virtio_device *vdev)
{
	struct vnet *vn = kzalloc(sizeof(*vn));
	int err;

	if (!vn)
		return -ENOMEM;
	vn->vdev = vdev;
	vn->nic.ops = &vnet_ops;
	vn->nic.bus_name = virtio_bus_name(vdev);
	read_config(vn);
	err = setup_queues(vn);
	if (err) {
		stop(vn);
		return err;
	}
	virtio_device_ready(vdev);
	use_pairs(vn);
	nic_register(&vn->nic);
	vdev->dev.driver_data = vn;
	for (unsigned int i = 0; i < vn->nr_pairs; i++)
		vnet_fill(&vn->pair[i]);
	return 0;
}

static void vnet_remove(struct virtio_device *vdev)
{
	struct vnet *vn = vdev->dev.driver_data;

	nic_unregister(&vn->nic);
	vdev->dev.driver_data = NULL;
	stop(vn);
}

static const struct virtio_driver vnet_driver = {
	.name = "virtio-net",
	.id = VIRTIO_ID_NET,
	.features = BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_CTRL_VQ) |
		    BIT(VIRTIO_NET_F_MQ),
	.queues_per_cpu = 2,
	.probe = vnet_probe,
	.remove = vnet_remove,
	.config_changed = vnet_config_changed,
	.failed = vnet_failed,
};
VIRTIO_DRIVER(vnet_driver);

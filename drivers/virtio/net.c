/*
 * virtio-net: a network card with a pair of queues per CPU, one to receive and one to send.
 *
 *	receive   buffers wait in the ring; interrupt -> its own switched off, softirq -> poll:
 *	          take a frame, give it to the network, put its buffer back; interrupt on again
 *	send      copy the frame into a free buffer -> ring; free again by interrupt, or when
 *	          the next sender looks
 *
 * A buffer is one descriptor: a header of zeros, then the frame. Only the softirq takes received
 * frames, so a flood cannot keep a CPU in its interrupt handler. Manual: [VIRTIO 5.1.6].
 */
#include <drivers/virtio/virtio-net.h>
#include <string.h>

static bool is_stopped(const struct virtio_device *vdev)
{
	return __atomic_load_n(&vdev->broken, __ATOMIC_ACQUIRE);
}

/* ---- Receiving ------------------------------------------------------------------------------ */

static void give(struct vnet_pair *pair, struct vnet_buf *buf)
{
	virtqueue_add(pair->rx, &(struct vq_buf){ buf, VNET_BUF_BYTES }, 0, 1, buf);
}

void vnet_fill(struct vnet_pair *pair)
{
	unsigned long flags = spin_lock_irqsave(&pair->rx->lock);

	for (unsigned int i = 0; i < pair->rx_num; i++)
		give(pair, &pair->rx_bufs[i]);
	virtqueue_kick(pair->rx);
	spin_unlock_irqrestore(&pair->rx->lock, flags);
}

void vnet_received(struct virtqueue *vq)
{
	struct vnet_pair *pair = vq->priv;
	unsigned long flags;

	if (!pair)			/* not set up yet */
		return;
	flags = spin_lock_irqsave(&vq->lock);
	virtqueue_disable_cb(vq);
	spin_unlock_irqrestore(&vq->lock, flags);
	net_poll_schedule(&pair->poll);
}

/* Puts OLD back, if there is one, and takes the next. */
static struct vnet_buf *next(struct vnet_pair *pair, struct vnet_buf *old, u32 *len)
{
	unsigned long flags = spin_lock_irqsave(&pair->rx->lock);
	struct vnet_buf *buf = NULL;

	if (!is_stopped(pair->vn->vdev)) {
		if (old)
			give(pair, old);
		buf = virtqueue_get_buf(pair->rx, len);
	}
	spin_unlock_irqrestore(&pair->rx->lock, flags);
	return buf;
}

unsigned int vnet_poll(struct net_poll *poll, unsigned int budget)
{
	struct vnet_pair *pair = container_of(poll, struct vnet_pair, poll);
	struct vnet_buf *buf = NULL;
	unsigned int n = 0;
	unsigned long flags;
	u32 len;

	while (n < budget && (buf = next(pair, buf, &len))) {
		net_receive(&pair->vn->nic, buf->frame,
			    len < sizeof(buf->header) ? 0 : len - sizeof(buf->header));
		n++;
	}
	if (pair->rx->broken)
		virtio_break_device(pair->vn->vdev);
	flags = spin_lock_irqsave(&pair->rx->lock);
	if (!is_stopped(pair->vn->vdev)) {
		if (buf)
			give(pair, buf);
		virtqueue_kick(pair->rx);
	}
	spin_unlock_irqrestore(&pair->rx->lock, flags);
	return n;
}

bool vnet_enable(struct net_poll *poll)
{
	struct vnet_pair *pair = container_of(poll, struct vnet_pair, poll);
	unsigned long flags = spin_lock_irqsave(&pair->rx->lock);
	bool done = is_stopped(pair->vn->vdev) || virtqueue_enable_cb(pair->rx);

	if (!done)
		virtqueue_disable_cb(pair->rx);
	spin_unlock_irqrestore(&pair->rx->lock, flags);
	return done;
}

/* ---- Sending -------------------------------------------------------------------------------- */

/* Locked. */
static void reclaim(struct vnet_pair *pair)
{
	struct vnet_buf *buf;
	u32 len;

	while ((buf = virtqueue_get_buf(pair->tx, &len))) {
		buf->next_free = pair->tx_free;
		pair->tx_free = buf;
	}
}

void vnet_sent(struct virtqueue *vq)
{
	struct vnet_pair *pair = vq->priv;
	unsigned long flags;
	bool broken;

	if (!pair)			/* not set up yet */
		return;
	flags = spin_lock_irqsave(&vq->lock);
	if (!is_stopped(vq->vdev))
		do {
			virtqueue_disable_cb(vq);
			reclaim(pair);
		} while (!virtqueue_enable_cb(vq));
	broken = vq->broken;
	spin_unlock_irqrestore(&vq->lock, flags);
	if (broken)
		virtio_break_device(vq->vdev);
}

/* Locked. */
static int send(struct vnet_pair *pair, const void *frame, size_t len)
{
	size_t padded = max(len, (size_t)ETH_ZLEN);
	struct vnet_buf *buf;
	int err;

	if (is_stopped(pair->vn->vdev))
		return -EIO;
	reclaim(pair);
	buf = pair->tx_free;
	if (!buf)
		return -ENOSPC;
	memset(&buf->header, 0, sizeof(buf->header));
	memcpy(buf->frame, frame, len);
	memset(buf->frame + len, 0, padded - len);
	err = virtqueue_add(pair->tx, &(struct vq_buf){ buf, sizeof(buf->header) + padded }, 1, 0,
			    buf);
	if (err)
		return err;
	pair->tx_free = buf->next_free;
	virtqueue_kick(pair->tx);
	return 0;
}

static int vnet_transmit(struct nic *nic, const void *frame, size_t len)
{
	struct vnet *vn = container_of(nic, struct vnet, nic);
	unsigned long irqs = arch_local_irq_save();
	struct vnet_pair *pair = &vn->pair[vn->pair_of[smp_processor_id()]];
	int err;

	spin_lock(&pair->tx->lock);
	err = send(pair, frame, len);
	spin_unlock_irqrestore(&pair->tx->lock, irqs);
	return err;
}

const struct nic_ops vnet_ops = {
	.transmit = vnet_transmit,
};

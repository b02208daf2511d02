/* virtio-net: shared by net.c (frames) and net-probe.c (coming and going). [VIRTIO 5.1] */
#ifndef DRIVERS_VIRTIO_VIRTIO_NET_H
#define DRIVERS_VIRTIO_VIRTIO_NET_H

#include <drivers/virtio/virtio.h>
#include <kernel/net.h>

/* Feature bits [VIRTIO 5.1.3] and configuration fields [VIRTIO 5.1.4] */
enum {
	VIRTIO_NET_F_MAC	= 5,
	VIRTIO_NET_F_STATUS	= 16,
	VIRTIO_NET_F_CTRL_VQ	= 17,
	VIRTIO_NET_F_MQ		= 22,

	CFG_MAC			= 0,
	CFG_STATUS		= 6,
	CFG_MAX_PAIRS		= 8,

	STATUS_LINK_UP		= 1,
};

/* Before each frame; nothing of it is used without offloads, so it is zero. [VIRTIO 5.1.6] */
struct vnet_header {
	u8 flags, gso_type;
	le16 hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};

/* Longer than a frame may be, so that those which are too long arrive and can be counted. */
struct vnet_buf {
	struct vnet_header header;
	u8 frame[2028];
	struct vnet_buf *next_free;
};
#define VNET_BUF_BYTES	offsetof(struct vnet_buf, next_free)	/* the device's part */

struct vnet;
struct vnet_pair {
	struct vnet *vn;
	struct virtqueue *rx, *tx;	/* their locks protect what is theirs */
	struct vnet_buf *rx_bufs, *tx_bufs, *tx_free;
	dma_addr_t rx_dma, tx_dma;
	unsigned int rx_num, tx_num;	/* buffers */
	struct net_poll poll;
};

/* A command for the control queue and the device's answer. [VIRTIO 5.1.6.5.6] */
struct vnet_command {
	u8 class, command;
	le16 pairs;
	u8 ack;
};

struct vnet {
	struct virtio_device *vdev;
	struct nic nic;
	struct vnet_pair *pair;
	unsigned int nr_pairs;		/* that are set up */
	u8 pair_of[NR_CPUS];		/* to send on */
	struct virtqueue *ctrl;		/* NULL: not needed */
	struct vnet_command *command;
	dma_addr_t command_dma;
};

extern const struct nic_ops vnet_ops;
/* Irq context: frames were received; were sent. */
void vnet_received(struct virtqueue *vq);
void vnet_sent(struct virtqueue *vq);
/* For the pair's poll. */
unsigned int vnet_poll(struct net_poll *poll, unsigned int budget);
bool vnet_enable(struct net_poll *poll);
/* Gives the device the pair's receive buffers. */
void vnet_fill(struct vnet_pair *pair);

#endif

/*
 * virtio-blk, coming and going: what the device tells of itself, and one queue per CPU as far as
 * it has queues and there are vectors for them. The requests are in blk.c.
 * Manual: [VIRTIO 5.2.3 … 5.2.5].
 */
#include <drivers/virtio/virtio-blk.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

#define MAX_SECTORS	2048		/* of a request: 1 MiB, no more gain beyond */

static void vblk_config_changed(struct virtio_device *vdev)
{
	struct vblk *vb = vdev->dev.driver_data;
	u64 sectors = virtio_cread64(vdev, CFG_CAPACITY);

	if (!vb || sectors == blk_sectors(&vb->block))
		return;
	__atomic_store_n(&vb->block.sectors, sectors, __ATOMIC_RELAXED);
	pr_info("disk %u (%s): now %llu sectors", vb->block.disk, vb->block.bus_name,
		(unsigned long long)sectors);
}

static void vblk_failed(struct virtio_device *vdev)
{
	if (vdev->dev.driver_data)
		vblk_fail(vdev->dev.driver_data);
}

/* ---- Coming and going ----------------------------------------------------------------------- */

static void free_queues(struct vblk *vb)
{
	for (unsigned int i = 0; vb->queue && i < vb->block.queues; i++) {
		struct vblk_queue *q = &vb->queue[i];

		dma_free_coherent(&vb->vdev->dev, q->nr_slots * sizeof(*q->slots), q->slots,
				  q->slots_dma);
	}
	kfree(vb->queue);
	vb->queue = NULL;
}

static int setup_queue(struct vblk *vb, unsigned int i)
{
	struct virtqueue *vq = vb->vdev->vqs[i];
	struct vblk_queue *q = &vb->queue[i];
	unsigned int cpu;

	q->vq = vq;
	q->nr_slots = vq->num / DESCS_PER_REQUEST;
	blk_queue_init(&q->blk, vblk_start_request);
	if (!q->nr_slots) {
		pr_err("virtio-blk: %s: a queue of %u is too small for a request",
		       vb->block.bus_name, vq->num);
		return -ENOSPC;
	}
	q->slots = dma_alloc_coherent(&vb->vdev->dev, q->nr_slots * sizeof(*q->slots),
				      &q->slots_dma);
	if (!q->slots)
		return -ENOMEM;
	for (unsigned int n = 0; n < q->nr_slots; n++)
		blk_queue_add_slot(&q->blk, &q->slots[n].slot);
	for_each_cpu(cpu, &vq->cpus)
		vb->queue_of[cpu] = i;
	vq->priv = q;
	return 0;
}

static int setup_queues(struct vblk *vb)
{
	static const struct virtqueue_info req = { "req", vblk_done };
	struct virtqueue_info info[NR_CPUS];
	unsigned int wanted = 1;
	int n, err = 0;

	if (virtio_has_feature(vb->vdev, VIRTIO_BLK_F_MQ))
		wanted = virtio_cread16(vb->vdev, CFG_NUM_QUEUES);
	wanted = max(1U, min(wanted, cpumask_weight(cpu_online_mask)));
	for (unsigned int i = 0; i < wanted; i++)
		info[i] = req;
	n = virtio_find_vqs(vb->vdev, 1, wanted, info);
	if (n < 0)
		return n;
	vb->queue = kcalloc(n, sizeof(*vb->queue));
	if (!vb->queue)
		return -ENOMEM;
	vb->block.queues = n;
	for (int i = 0; i < n && !err; i++)
		err = setup_queue(vb, i);
	return err;
}

static void read_config(struct vblk *vb)
{
	struct virtio_device *vdev = vb->vdev;
	u32 size_max = 0;

	vb->block.sectors = virtio_cread64(vdev, CFG_CAPACITY);
	vb->block.read_only = virtio_has_feature(vdev, VIRTIO_BLK_F_RO);
	vb->block.max_sectors = MAX_SECTORS;
	if (virtio_has_feature(vdev, VIRTIO_BLK_F_SIZE_MAX))
		size_max = virtio_cread32(vdev, CFG_SIZE_MAX);
	if (size_max >= SECTOR_SIZE)
		vb->block.max_sectors = min(size_max / SECTOR_SIZE, (u32)MAX_SECTORS);
}

static int vblk_probe(struct virtio_device *vdev)
{
	struct vblk *vb = kzalloc(sizeof(*vb));
	int err;

	if (!vb)
		return -ENOMEM;
	vb->vdev = vdev;
	vb->block.ops = &vblk_ops;
	vb->block.kind = "blk";
	vb->block.bus_name = virtio_bus_name(vdev);
	read_config(vb);
	err = setup_queues(vb);
	if (err) {
		virtio_del_vqs(vdev);
		free_queues(vb);
		kfree(vb);
		return err;
	}
	vdev->dev.driver_data = vb;
	virtio_device_ready(vdev);
	blk_register(&vb->block);
	return 0;
}

static void vblk_remove(struct virtio_device *vdev)
{
	struct vblk *vb = vdev->dev.driver_data;

	blk_unregister(&vb->block);	/* fails what is under way; nobody uses it after that */
	virtio_del_vqs(vdev);
	vdev->dev.driver_data = NULL;
	free_queues(vb);
	kfree(vb);
}

static const struct virtio_driver vblk_driver = {
	.name = "virtio-blk",
	.id = VIRTIO_ID_BLOCK,
	.features = BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_RO) | BIT(VIRTIO_BLK_F_FLUSH) |
		    BIT(VIRTIO_BLK_F_MQ),
	.probe = vblk_probe,
	.remove = vblk_remove,
	.config_changed = vblk_config_changed,
	.failed = vblk_failed,
};
VIRTIO_DRIVER(vblk_driver);

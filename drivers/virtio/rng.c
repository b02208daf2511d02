/*
 * virtio-rng: a source of random numbers. It has one queue, of buffers to fill, and no more to it.
 *
 *	buffer -> queue ... the host finds some entropy ... -> interrupt, with so many bytes
 *
 * It may take its time and need not fill the whole buffer. The buffer is the device's until it
 * comes back, also if nobody waits any more; then the next command finds what it has brought.
 * Manual: [VIRTIO 5.4].
 */
#include <drivers/virtio/virtio.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <stdio.h>

#define VIRTIO_ID_ENTROPY	4
#define BUFFER_SIZE		1024
#define MAX_BYTES		4096	/* of a command */
#define TIMEOUT_NS		(10 * NSEC_PER_SEC)

struct vrng {
	struct virtio_device *vdev;
	struct virtqueue *vq;
	u8 *buf;
	bool out;			/* the device has the buffer; atomic */
	u32 have, taken;		/* bytes in the buffer, when it is ours */
	struct vrng *next;
};

static struct vrng *sources;		/* in the order they were found; devices_lock() */

static void vrng_done(struct virtqueue *vq)
{
	struct vrng *rng = vq->priv;
	unsigned long flags = spin_lock_irqsave(&vq->lock);
	u32 len;

	do {
		virtqueue_disable_cb(vq);
		while (virtqueue_get_buf(vq, &len)) {
			rng->have = len;
			rng->taken = 0;
			__atomic_store_n(&rng->out, false, __ATOMIC_RELEASE);
		}
	} while (!virtqueue_enable_cb(vq));
	spin_unlock_irqrestore(&vq->lock, flags);
}

/* ---- The command (shell thread) ------------------------------------------------------------- */

static bool is_back(void *arg)
{
	struct vrng *rng = arg;

	return !__atomic_load_n(&rng->out, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&rng->vq->broken, __ATOMIC_RELAXED);
}

static int give_buffer(struct vrng *rng)
{
	struct vq_buf buf = { rng->buf, BUFFER_SIZE };
	unsigned long flags = spin_lock_irqsave(&rng->vq->lock);
	int err;

	__atomic_store_n(&rng->out, true, __ATOMIC_RELAXED);
	err = virtqueue_add(rng->vq, &buf, 0, 1, rng);
	if (!err)
		virtqueue_kick(rng->vq);
	else
		__atomic_store_n(&rng->out, false, __ATOMIC_RELAXED);
	spin_unlock_irqrestore(&rng->vq->lock, flags);
	return err;
}

/* Waits until there are bytes in the buffer. */
static int refill(struct vrng *rng)
{
	const char *name = virtio_bus_name(rng->vdev);
	int err = 0;

	while (!err && (!is_back(rng) || rng->taken == rng->have)) {
		if (is_back(rng))
			err = give_buffer(rng);
		if (!err)
			err = shell_wait(is_back, rng, TIMEOUT_NS);
		if (!err && !rng->have)
			err = -ENODATA;
	}
	if (err == -ETIMEDOUT)
		return shell_error(err, "%s: virtio-rng: no random bytes in %llu s", name,
				   TIMEOUT_NS / NSEC_PER_SEC);
	if (err && err != -EINTR)
		return shell_error(err, "%s: virtio-rng: the device %s", name,
				   err == -ENODATA ? "gave none" : "is broken");
	return err;
}

static int get_bytes(struct vrng *rng, u8 *bytes, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int err = is_back(rng) && rng->taken < rng->have ? 0 : refill(rng);

		if (err)
			return err;
		bytes[i] = rng->buf[rng->taken++];
	}
	return 0;
}

static int show_bytes(const u8 *bytes, unsigned int n)
{
	char *hex = kmalloc(2 * n + 1);

	if (!hex)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		snprintf(&hex[2 * i], 3, "%02x", bytes[i]);
	if (shell_wants_json()) {
		json_open(shell_json(), "{");
		json_key(shell_json(), "hex"), json_string(shell_json(), hex);
		json_close(shell_json(), "}");
	} else {
		shell_printf("%s\n", hex);
	}
	kfree(hex);
	return 0;
}

static int run_rng(int argc, char **argv)
{
	static u8 bytes[MAX_BYTES];
	u64 n;
	int err;

	if (argc != 2)
		return shell_usage("rng");
	if (shell_parse_u64(argv[1], "N", &n))
		return -EINVAL;
	if (!n || n > MAX_BYTES)
		return shell_error(-EINVAL, "N is %s, not 1 to %d", argv[1], MAX_BYTES);
	if (!sources)
		return shell_error(-ENODEV, "there is no virtio-rng device");
	err = get_bytes(sources, bytes, n);
	return err ? err : show_bytes(bytes, n);
}

static const struct shell_command rng_command = {
	.name = "rng",
	.usage = "rng N [--json]",
	.help = "N random bytes from the host, by virtio-rng",
	.run = run_rng,
	.holds_devices = true,
};
SHELL_COMMAND(rng_command);

/* ---- Coming and going ----------------------------------------------------------------------- */

static int vrng_probe(struct virtio_device *vdev)
{
	static const struct virtqueue_info info = { "req", vrng_done };
	struct vrng *rng = kzalloc(sizeof(*rng)), **end = &sources;
	int err;

	if (rng)
		rng->buf = kmalloc(BUFFER_SIZE);
	err = rng && rng->buf ? virtio_find_vqs(vdev, 1, 1, &info) : -ENOMEM;
	if (err < 0) {
		if (rng)
			kfree(rng->buf);
		kfree(rng);
		return err;
	}
	rng->vdev = vdev;
	rng->vq = vdev->vqs[0];
	rng->vq->priv = rng;
	vdev->dev.driver_data = rng;
	virtio_device_ready(vdev);
	while (*end)
		end = &(*end)->next;
	*end = rng;
	return 0;
}

static void vrng_remove(struct virtio_device *vdev)
{
	struct vrng *rng = vdev->dev.driver_data, **link = &sources;

	while (*link != rng)
		link = &(*link)->next;
	*link = rng->next;
	virtio_del_vqs(vdev);
	vdev->dev.driver_data = NULL;
	kfree(rng->buf);
	kfree(rng);
}

static const struct virtio_driver vrng_driver = {
	.name = "virtio-rng",
	.id = VIRTIO_ID_ENTROPY,
	.probe = vrng_probe,
	.remove = vrng_remove,
};
VIRTIO_DRIVER(vrng_driver);

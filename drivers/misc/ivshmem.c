/*
 * ivshmem-doorbell: memory that virtual machines share, and doorbells between them. A peer has a
 * number; writing (peer, vector) to the doorbell register makes the peer's device send the message
 * of that row of its MSI-X table. There is no status register: an interrupt is all there is to see,
 * and two doorbells in quick succession may become one. Manual: QEMU, "Device Specification for
 * Inter-VM shared memory device"; revision 1.
 *
 *	peer  --(our id, vector)-->  MSI-X row  -->  handler: counts, and with "echo" rings back
 *
 * What the memory (BAR 2) holds is the peers' business: it is not touched.
 */
#include <drivers/pci/pci.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <stdio.h>
#include <string.h>

enum { IV_POSITION = 8, IV_DOORBELL = 12, BAR_REGS = 0, BAR_MEMORY = 2 };

#define MAX_PEER	0xffff
#define NO_PEER		(MAX_PEER + 1)

struct ivshmem_vector {
	struct ivshmem *dev;
	u64 count;			/* atomic */
	char name[16];
};

struct ivshmem {
	struct pci_dev *pci;
	char *regs;
	unsigned int nr_vectors, nr_requested;
	u32 echo;			/* atomic: the peer whose doorbells are answered */
	struct ivshmem_vector *vector;
	struct ivshmem *next;
};

static struct ivshmem *devices;		/* in the order they were found; devices_lock() */

static void ring(struct ivshmem *iv, u32 peer, u32 vector)
{
	writel(peer << 16 | vector, iv->regs + IV_DOORBELL);
}

static irqreturn_t ivshmem_irq(int irq, void *dev_id)
{
	struct ivshmem_vector *v = dev_id;
	u32 echo = __atomic_load_n(&v->dev->echo, __ATOMIC_RELAXED);

	(void)irq;
	__atomic_fetch_add(&v->count, 1, __ATOMIC_RELAXED);
	if (echo != NO_PEER)
		ring(v->dev, echo, v - v->dev->vector);
	return IRQ_HANDLED;
}

/* ---- The command ---------------------------------------------------------------------------- */

static void show_counts(const struct ivshmem *iv)
{
	struct json *j = shell_json();

	if (shell_wants_json()) {
		json_open(j, "{");
		json_key(j, "counts"), json_open(j, "[");
	}
	for (unsigned int i = 0; i < iv->nr_vectors; i++) {
		u64 count = __atomic_load_n(&iv->vector[i].count, __ATOMIC_RELAXED);

		if (shell_wants_json())
			json_uint(j, count);
		else
			shell_printf("vector %u: %llu\n", i, (unsigned long long)count);
	}
	if (shell_wants_json()) {
		json_close(j, "]");
		json_close(j, "}");
	}
}

static void show_info(const struct ivshmem *iv)
{
	u64 memory = iv->pci->bar[BAR_MEMORY].size;
	u32 id = readl(iv->regs + IV_POSITION);
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("%s: we are peer %u, %u vectors, %llu bytes of shared memory\n",
			     iv->pci->name, id, iv->nr_vectors, (unsigned long long)memory);
		return;
	}
	json_open(j, "{");
	json_key(j, "bdf"), json_string(j, iv->pci->name);
	json_key(j, "id"), json_uint(j, id);
	json_key(j, "vectors"), json_uint(j, iv->nr_vectors);
	json_key(j, "memory"), json_uint(j, memory);
	json_close(j, "}");
}

static int parse_id(const char *text, const char *what, u32 *id)
{
	u64 value;

	if (shell_parse_u64(text, what, &value))
		return -EINVAL;
	if (value > MAX_PEER)
		return shell_error(-EINVAL, "%s is %s, not 0 to %d", what, text, MAX_PEER);
	*id = value;
	return 0;
}

/* Whether there is such a peer the device does not tell. */
static int run_ring(struct ivshmem *iv, char **argv, u64 count)
{
	struct json *j = shell_json();
	u32 peer = 0, vector = 0;

	if (parse_id(argv[0], "PEER", &peer) || parse_id(argv[1], "VECTOR", &vector))
		return -EINVAL;
	for (u64 i = 0; i < count; i++) {
		if (console_interrupted())
			return shell_error(-EINTR, "interrupted after %llu doorbells",
					   (unsigned long long)i);
		ring(iv, peer, vector);
	}
	if (!shell_wants_json())
		return 0;
	json_open(j, "{");
	json_key(j, "peer"), json_uint(j, peer);
	json_key(j, "vector"), json_uint(j, vector);
	json_key(j, "count"), json_uint(j, count);
	json_close(j, "}");
	return 0;
}

static int run_echo(struct ivshmem *iv, const char *text)
{
	u32 peer = NO_PEER;

	if (strcmp(text, "off") && parse_id(text, "PEER", &peer))
		return -EINVAL;
	__atomic_store_n(&iv->echo, peer, __ATOMIC_RELAXED);
	return 0;
}

static int run_ivshmem(int argc, char **argv)
{
	struct ivshmem *iv = devices;
	u64 nr = 0, count = 1;

	if (shell_take_option(&argc, argv, "--dev", &nr) < 0 ||
	    shell_take_option(&argc, argv, "--count", &count) < 0)
		return -EINVAL;
	for (u64 i = 0; i < nr && iv; i++)
		iv = iv->next;
	if (!iv)
		return shell_error(-ENODEV, "there is no ivshmem-doorbell device %llu",
				   (unsigned long long)nr);
	if (argc == 4 && !strcmp(argv[1], "ring"))
		return run_ring(iv, argv + 2, count);
	if (argc == 3 && !strcmp(argv[1], "echo"))
		return run_echo(iv, argv[2]);
	if (argc == 2 && !strcmp(argv[1], "info"))
		show_info(iv);
	else if (argc == 1)
		show_counts(iv);
	else
		return shell_usage("ivshmem");
	return 0;
}

static const struct shell_command ivshmem_command = {
	.name = "ivshmem",
	.usage = "ivshmem [--dev N] [--json]\n"
		 "ivshmem info [--dev N] [--json]\n"
		 "ivshmem ring PEER VECTOR [--count N] [--dev N] [--json]\n"
		 "ivshmem echo PEER|off [--dev N]",
	.help = "doorbells between machines: how often each was rung here; ring; ring back",
	.run = run_ivshmem,
	.holds_devices = true,
};
SHELL_COMMAND(ivshmem_command);

/* ---- Coming and going ----------------------------------------------------------------------- */

static int request_vectors(struct ivshmem *iv)
{
	for (unsigned int i = 0; i < iv->nr_vectors; i++) {
		struct ivshmem_vector *v = &iv->vector[i];
		int irq = pci_irq_vector(iv->pci, i), err;

		v->dev = iv;
		/* MSI-X has at most 2048. */
		snprintf(v->name, sizeof(v->name), "ivshmem.%u", (u16)i);
		err = irq < 0 ? irq : request_irq(irq, ivshmem_irq, 0, v->name, v);
		if (err)
			return err;
		iv->nr_requested++;
	}
	return 0;
}

/* One for each row of the table, or as many as there are. */
static int setup_vectors(struct ivshmem *iv)
{
	int rows = pci_msix_vec_count(iv->pci), n = rows;

	if (rows > 0)
		n = pci_alloc_irq_vectors(iv->pci, 1, rows, PCI_IRQ_MSIX);
	if (n < 0) {
		dev_err(&iv->pci->dev, "ivshmem: no MSI-X vector to be had (%s), and it has "
			"nothing else to interrupt with", errname(n));
		return n;
	}
	if (n < rows)
		dev_warn(&iv->pci->dev, "ivshmem: %d vectors of %d, no more are to be had", n,
			 rows);
	iv->vector = kcalloc(n, sizeof(*iv->vector));
	if (!iv->vector)
		return -ENOMEM;
	iv->nr_vectors = n;
	return request_vectors(iv);
}

static void stop_device(struct ivshmem *iv)
{
	for (unsigned int i = 0; i < iv->nr_requested; i++)
		free_irq(pci_irq_vector(iv->pci, i), &iv->vector[i]);
	pci_free_irq_vectors(iv->pci);
	kfree(iv->vector);
	kfree(iv);
}

static int ivshmem_probe(struct pci_dev *pci)
{
	struct ivshmem *iv, **end = &devices;
	int err;

	if (!pci->msix_cap)		/* ivshmem-plain: memory and nothing to drive */
		return -ENODEV;
	iv = kzalloc(sizeof(*iv));
	if (!iv)
		return -ENOMEM;
	iv->pci = pci;
	iv->echo = NO_PEER;
	iv->regs = pci_ioremap_bar(pci, BAR_REGS);
	err = iv->regs ? pci_enable_device(pci) : -ENXIO;
	if (!err)
		err = setup_vectors(iv);
	if (err) {
		stop_device(iv);
		return err;
	}
	pci_set_master(pci);
	pci->dev.driver_data = iv;
	while (*end)
		end = &(*end)->next;
	*end = iv;
	return 0;
}

static void ivshmem_remove(struct pci_dev *pci)
{
	struct ivshmem *iv = pci->dev.driver_data, **link = &devices;

	while (*link != iv)
		link = &(*link)->next;
	*link = iv->next;
	pci->dev.driver_data = NULL;
	stop_device(iv);
}

static const struct pci_device_id ivshmem_ids[] = {
	{ .vendor = 0x1af4, .device = 0x1110 },
	{ .vendor = 0 },
};

static const struct pci_driver ivshmem_driver = {
	.name = "ivshmem",
	.id_table = ivshmem_ids,
	.probe = ivshmem_probe,
	.remove = ivshmem_remove,
};
PCI_DRIVER(ivshmem_driver);

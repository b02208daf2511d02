/* The NVMe driver on a strict controller: queues and vectors, I/O, errors, removal. */
#include <drivers/pci/internals.h>
#include <kernel/block.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <stdlib.h>
#include <string.h>
#include "models/imsic.h"
#include "models/nvme.h"
#include "support/board.h"
#include "support/random.h"
#include "support/rec.h"

#define SECTORS		4096UL

static struct nvme_model ctrl, neighbour;
static unsigned int rows;		/* MSI-X vectors of the controller; 0: a wire */
static bool with_neighbour;
static u64 seed;

static void models(void)
{
	pci_model();
	nvme_model_add(&ctrl, 1, rows);
	if (with_neighbour)
		nvme_model_add(&neighbour, 2, BOARD_HARTS + 1);
}

static void fresh(unsigned int vectors)
{
	nvme_model_init(&ctrl, SECTORS, seed);
	rows = vectors;
}

static void boot(void)
{
	host_printk();
	board_boot(BOARD_PCI, models);
}

static int setup(void **state)
{
	(void)state;
	seed = random_seed();
	with_neighbour = false;
	return 0;
}
#define N(fn)	cmocka_unit_test_setup(fn, setup)

static struct block_device *disk(unsigned int n)
{
	struct block_device *b = blk_get("nvme", n);

	assert_non_null(b);
	blk_put(b);			/* stays: nobody removes it meanwhile */
	return b;
}

static bool is_there(void)
{
	struct block_device *b = blk_get("nvme", 0);

	if (b)
		blk_put(b);
	return b;
}

/* ---- I/O ---------------------------------------------------------------------------------------- */

/* Buffers at any multiple of four, so that every shape of PRPs comes up. */
static void check_io(struct block_device *b, u64 *r, unsigned int steps)
{
	u8 *mem = kmalloc(800 * SECTOR_SIZE), *shadow = malloc(SECTORS * SECTOR_SIZE);

	memcpy(shadow, ctrl.disk, SECTORS * SECTOR_SIZE);
	for (unsigned int i = 0; i < steps; i++) {
		u64 n = 1 + host_random(r) % (i % 8 ? 20 : 700);
		u64 lba = host_random(r) % (SECTORS - n + 1);
		u8 *buf = mem + 4 * (host_random(r) % 4096);

		host_set_cpu(host_random(r) % BOARD_HARTS);
		switch (host_random(r) % 5) {
		case 0:
			for (u64 k = 0; k < n * SECTOR_SIZE; k++)
				buf[k] = host_random(r);
			memcpy(shadow + lba * SECTOR_SIZE, buf, n * SECTOR_SIZE);
			assert_int_equal(blk_write(b, lba, buf, n), 0);
			break;
		case 1:
			assert_int_equal(blk_flush(b), 0);
			break;
		default:
			memset(buf, 0xee, n * SECTOR_SIZE);
			assert_int_equal(blk_read(b, lba, buf, n), 0);
			assert_memory_equal(buf, shadow + lba * SECTOR_SIZE, n * SECTOR_SIZE);
		}
	}
	assert_memory_equal(ctrl.disk, shadow, SECTORS * SECTOR_SIZE);
	host_set_cpu(0);
	free(shadow);
	kfree(mem);
}

static void each_cpu_has_a_queue_and_a_managed_vector(void **state)
{
	unsigned int irq, managed = 0, plain = 0;

	(void)state;
	fresh(10);
	boot();
	assert_int_equal(disk(0)->queues, BOARD_HARTS);
	assert_int_equal(disk(0)->sectors, SECTORS);
	assert_string_equal(disk(0)->bus_name, "00:01.0");
	for (unsigned int i = 0; i <= BOARD_HARTS; i++)
		assert_int_equal(ctrl.queue[i].vector, i);
	assert_false(ctrl.queue[BOARD_HARTS + 1].sq);
	for_each_irq(irq) {
		const struct irq_data *d = irq_get_irq_data(irq);

		if (!irq_get_msi_desc(irq))
			continue;
		managed += irqd_affinity_is_managed(d) &&
			   cpumask_weight(irq_data_get_affinity_mask(d)) == 1;
		plain += !irqd_affinity_is_managed(d);
	}
	assert_int_equal(managed, BOARD_HARTS);
	assert_int_equal(plain, 1);
}

static void every_number_of_queues_and_vectors_reads_and_writes(void **state)
{
	static const struct {
		unsigned int rows, queues;
		u16 max_io, mqes;
		u8 mdts;
	} variants[] = {
		{ 5, 4, 8, 63, 5 }, { 10, 4, 4, 1023, 9 }, { 5, 1, 1, 63, 1 }, { 3, 2, 8, 1, 5 },
		{ 2, 1, 8, 3, 5 }, { 1, 1, 8, 63, 7 }, { 0, 1, 8, 15, 5 }, { 4, 3, 3, 2, 3 },
	};
	u64 r = seed;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(variants); i++) {
		fresh(variants[i].rows);
		ctrl.max_io = variants[i].max_io;
		ctrl.cap = (ctrl.cap & ~0xffffUL) | variants[i].mqes;
		ctrl.mdts = variants[i].mdts;
		boot();
		assert_int_equal(disk(0)->queues, variants[i].queues);
		check_io(disk(0), &r, 150);
		assert_int_equal(ctrl.nr_flying, 0);
	}
}

/* ---- Many in flight ----------------------------------------------------------------------------- */

#define MANY	400

static struct blk_request many[MANY];
static u8 *many_buf[MANY];
static unsigned int done_count[MANY];

static void many_done(struct blk_request *req)
{
	done_count[req - many]++;
}

static void submit_many(u64 *r)
{
	struct block_device *b = disk(0);

	for (unsigned int i = 0; i < MANY; i++) {
		host_set_cpu(host_random(r) % BOARD_HARTS);
		many_buf[i] = kmalloc(SECTOR_SIZE);
		done_count[i] = 0;
		many[i] = (struct blk_request){ .op = BLK_READ, .lba = i, .nsectors = 1,
						.buf = many_buf[i], .done = many_done };
		b->ops->submit(b, &many[i]);
		if (host_random(r) % 8 == 0)
			nvme_model_step(&ctrl);
	}
	host_set_cpu(0);
}

static void check_many(int status)
{
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(done_count[i], 1);
		assert_int_equal(many[i].status, status);
		if (!status)
			assert_int_equal(*(u64 *)many_buf[i], i ^ seed);
		kfree(many_buf[i]);
	}
}

static void more_requests_than_slots_all_complete_once(void **state)
{
	static const unsigned int vectors[] = { 5, 2, 1, 0 };
	u64 r = seed;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++) {
		fresh(vectors[i]);
		ctrl.cap = (ctrl.cap & ~0xffffUL) | 7;
		boot();
		submit_many(&r);
		host_run_deferred();
		check_many(0);
	}
}

/* ---- Errors ------------------------------------------------------------------------------------- */

static void status_is_named_and_the_next_one_works(void **state)
{
	u8 *buf;

	(void)state;
	fresh(5);
	boot();
	buf = kmalloc(SECTOR_SIZE);
	host_printk();
	ctrl.fail_next = 0x4281;		/* Do Not Retry is no part of the code */
	assert_int_equal(blk_read(disk(0), 7, buf, 1), -EIO);
	assert_true(logged("00:01.0: nvme: namespace 1, read of 1 sectors at 7: unrecovered read "
			   "error (0x281)"));
	ctrl.fail_next = 0x020;
	assert_int_equal(blk_write(disk(0), 7, buf, 1), -EPERM);
	ctrl.fail_next = 0x001;
	assert_int_equal(blk_flush(disk(0)), -EOPNOTSUPP);
	ctrl.fail_next = 0x7ff;
	assert_int_equal(blk_flush(disk(0)), -EIO);
	assert_int_equal(blk_read(disk(0), 7, buf, 1), 0);
	kfree(buf);
}

/* Its neighbour works; what it says is one line with its name, besides that of the core. */
static void expect_no_disk(const char *text)
{
	const char *log;
	u64 r = seed, *word;

	with_neighbour = true;
	nvme_model_init(&neighbour, SECTORS, seed);
	boot();
	log = host_printk();
	if (!strstr(log, text) || !strstr(log, "00:01.0"))
		fail_msg("expected '%s' in: %s", text, log);
	assert_true(ktime_get_ns() < 15 * NSEC_PER_SEC);	/* since the boot began */
	assert_string_equal(disk(0)->bus_name, "00:02.0");
	assert_int_equal(pci_model_get16(&ctrl.pci, 4) & PCI_COMMAND_MASTER, 0);
	word = kmalloc(SECTOR_SIZE);
	for (int i = 0; i < 20; i++) {
		u64 lba = host_random(&r) % SECTORS;

		assert_int_equal(blk_read(disk(0), lba, word, 1), 0);
		assert_int_equal(*word, lba ^ seed);
	}
	kfree(word);
}

static void controllers_that_cannot_be_driven_are_named(void **state)
{
	(void)state;
	fresh(5);
	ctrl.never_ready = true;
	expect_no_disk("the controller did not get ready in 2000 ms");
	fresh(5);
	ctrl.never_ready = true;
	ctrl.cap |= 0xffUL << 24;		/* 127 s: longer than anybody waits */
	expect_no_disk("the controller did not get ready in 10000 ms");
	fresh(5);
	ctrl.fatal = true;
	expect_no_disk("fatal status");
	fresh(5);
	ctrl.deaf = true;
	expect_no_disk("no answer in 10 s to: Identify");
	fresh(5);
	ctrl.cap |= 1UL << 48;
	expect_no_disk("its smallest page is 8 KiB");
	fresh(5);
	ctrl.cap &= ~(1UL << 37);
	expect_no_disk("not for NVM commands");
	fresh(5);
	ctrl.cap &= ~0xffffUL;
	expect_no_disk("queues of one entry");
	fresh(5);
	ctrl.cap = ~0UL;
	expect_no_disk("no registers in BAR 0");
}

static void namespaces_that_cannot_be_driven_are_named(void **state)
{
	(void)state;
	fresh(5);
	ctrl.lbads = 12;
	boot();
	assert_true(logged("namespace 1 has blocks of 4096 + 0 bytes"));
	assert_false(is_there());
	fresh(5);
	ctrl.ms = 8;
	boot();
	assert_true(logged("namespace 1 has blocks of 512 + 8 bytes"));
	fresh(5);
	ctrl.namespaces = 0;
	boot();
	assert_true(logged("has no namespace"));
	fresh(5);
	ctrl.namespaces = 3;
	ctrl.nsattr = 1;
	boot();
	assert_int_equal(blk_write(disk(2), 0, ctrl.disk, 1), -EPERM);
}

static void controller_that_never_answers_is_given_up(void **state)
{
	u64 before;
	u8 *buf;

	(void)state;
	fresh(5);
	boot();
	buf = kmalloc(SECTOR_SIZE);
	ctrl.deaf = true;
	before = ktime_get_ns();
	host_printk();
	assert_int_equal(blk_read(disk(0), 0, buf, 1), -ETIMEDOUT);
	assert_in_range(ktime_get_ns() - before, BLK_TIMEOUT_NS, 2 * BLK_TIMEOUT_NS);
	assert_true(logged("00:01.0"));
	kfree(buf);			/* the device may not touch it any more */
	ctrl.deaf = false;
	host_run_deferred();
	buf = kmalloc(SECTOR_SIZE);
	assert_int_equal(blk_read(disk(0), 0, buf, 1), -EIO);
	kfree(buf);
}

static void wrong_command_id_stops_it(void **state)
{
	u64 r = seed;

	(void)state;
	fresh(5);
	boot();
	ctrl.deaf = true;
	submit_many(&r);
	ctrl.deaf = false;
	ctrl.wrong_cid = true;
	host_printk();
	host_run_deferred();
	check_many(-EIO);
	assert_true(logged("which it was not given"));
}

/* ---- Coming and going --------------------------------------------------------------------------- */

static struct pci_bus *root_bus(void)
{
	return list_first_entry(&pci_hosts, struct pci_host, link)->root;
}

static void remove_all(void)
{
	devices_lock();
	pci_remove_devices(root_bus());
	devices_unlock();
	host_run_deferred();
}

static bool come_and_go(void *arg)
{
	bool there;
	int err;

	(void)arg;
	devices_lock();
	err = pci_add_devices(root_bus());
	devices_unlock();
	there = !err && is_there();
	if (!err)
		remove_all();
	return there;
}

static void removal_and_failures_leave_nothing(void **state)
{
	(void)state;
	fresh(5);
	ctrl.no_wire = true;		/* whose irq, once mapped, stays */
	boot();
	remove_all();
	assert_false(is_there());
	assert_true(ctrl.shut_down);
	assert_int_equal(ctrl.cc & 1, 0);
	assert_true(come_and_go(NULL));
	assert_true(fail_each(come_and_go, NULL) > 40);
	assert_true(come_and_go(NULL));
}

static void removal_fails_what_is_in_flight(void **state)
{
	u64 r = seed;

	(void)state;
	fresh(5);
	boot();
	ctrl.deaf = true;
	submit_many(&r);
	remove_all();
	check_many(-EIO);
}

/* Nobody takes the completions by interrupt: the CPUs are too slow, as it were. */
static void removal_takes_what_was_finished_meanwhile(void **state)
{
	unsigned int irq, good = 0;
	u64 r = seed;

	(void)state;
	fresh(BOARD_HARTS + 1);
	boot();
	for_each_irq(irq)
		if (irq_get_msi_desc(irq) && irqd_affinity_is_managed(irq_get_irq_data(irq)))
			disable_irq_nosync(irq);
	submit_many(&r);
	remove_all();
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(done_count[i], 1);
		assert_true(many[i].status == 0 || many[i].status == -EIO);
		good += !many[i].status;
		kfree(many_buf[i]);
	}
	assert_true(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		N(each_cpu_has_a_queue_and_a_managed_vector),
		N(every_number_of_queues_and_vectors_reads_and_writes),
		N(more_requests_than_slots_all_complete_once),
		N(status_is_named_and_the_next_one_works),
		N(controllers_that_cannot_be_driven_are_named),
		N(namespaces_that_cannot_be_driven_are_named),
		N(controller_that_never_answers_is_given_up),
		N(wrong_command_id_stops_it),
		N(removal_and_failures_leave_nothing),
		N(removal_fails_what_is_in_flight),
		N(removal_takes_what_was_finished_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

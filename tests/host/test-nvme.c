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
#include "support/disk.h"
#include "support/random.h"
#include "support/rec.h"

static struct nvme_model ctrl, neighbour;
static unsigned int rows;		/* MSI-X vectors of the controller; 0: a wire */
static bool with_neighbour;

static void models(void)
{
	pci_model();
	nvme_model_add(&ctrl, 1, rows);
	if (with_neighbour)
		nvme_model_add(&neighbour, 2, BOARD_HARTS + 1);
}

static void fresh(unsigned int vectors)
{
	nvme_model_init(&ctrl, DISK_SECTORS, random_seed());
	rows = vectors;
}

static const struct disk_model model = {
	.kind = "nvme", .most = 700, .contents = &ctrl.disk, .step = nvme_model_step,
	.model = &ctrl,
};

static void boot(void)
{
	disk_model = &model;
	host_printk();
	board_boot(BOARD_PCI, models);
}

static int setup(void **state)
{
	(void)state;
	with_neighbour = false;
	return 0;
}
#define N(fn)	cmocka_unit_test_setup(fn, setup)

static void each_cpu_has_a_queue_and_a_managed_vector(void **state)
{
	unsigned int irq, managed = 0, plain = 0;

	(void)state;
	fresh(10);
	boot();
	assert_int_equal(the_disk()->queues, BOARD_HARTS);
	assert_int_equal(the_disk()->sectors, DISK_SECTORS);
	assert_string_equal(the_disk()->bus_name, "00:01.0");
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
	u64 r = random_seed();

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(variants); i++) {
		fresh(variants[i].rows);
		ctrl.max_io = variants[i].max_io;
		ctrl.cap = (ctrl.cap & ~0xffffUL) | variants[i].mqes;
		ctrl.mdts = variants[i].mdts;
		boot();
		assert_int_equal(the_disk()->queues, variants[i].queues);
		disk_io(&r, 150);
		assert_int_equal(ctrl.nr_flying, 0);
	}
}

static void more_requests_than_slots_all_complete_once(void **state)
{
	static const unsigned int vectors[] = { 5, 2, 1, 0 };
	u64 r = random_seed();

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(vectors); i++) {
		fresh(vectors[i]);
		ctrl.cap = (ctrl.cap & ~0xffffUL) | 7;
		boot();
		disk_submit_many(&r);
		host_run_deferred();
		assert_int_equal(disk_many_read(0), DISK_MANY);
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
	assert_int_equal(blk_read(the_disk(), 7, buf, 1), -EIO);
	assert_true(logged("00:01.0: nvme: namespace 1, read of 1 sectors at 7: unrecovered read "
			   "error (0x281)"));
	ctrl.fail_next = 0x020;
	assert_int_equal(blk_write(the_disk(), 7, buf, 1), -EPERM);
	ctrl.fail_next = 0x001;
	assert_int_equal(blk_flush(the_disk()), -EOPNOTSUPP);
	ctrl.fail_next = 0x7ff;
	assert_int_equal(blk_flush(the_disk()), -EIO);
	assert_int_equal(blk_read(the_disk(), 7, buf, 1), 0);
	kfree(buf);
}

/* Its neighbour works; what it says is one line with its name, besides that of the core. */
static void expect_no_disk(const char *text)
{
	const char *log;
	u64 r = random_seed(), *word;

	with_neighbour = true;
	nvme_model_init(&neighbour, DISK_SECTORS, random_seed());
	boot();
	log = host_printk();
	if (!strstr(log, text) || !strstr(log, "00:01.0"))
		fail_msg("expected '%s' in: %s", text, log);
	assert_true(ktime_get_ns() < 15 * NSEC_PER_SEC);	/* since the boot began */
	assert_string_equal(the_disk()->bus_name, "00:02.0");
	assert_int_equal(pci_model_get16(&ctrl.pci, 4) & PCI_COMMAND_MASTER, 0);
	word = kmalloc(SECTOR_SIZE);
	for (int i = 0; i < 20; i++) {
		u64 lba = host_random(&r) % DISK_SECTORS;

		assert_int_equal(blk_read(the_disk(), lba, word, 1), 0);
		assert_int_equal(*word, lba ^ random_seed());
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
	assert_false(disk_is_there());
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
	assert_int_equal(blk_write(disk_of(2), 0, ctrl.disk, 1), -EPERM);
}

static void controller_that_never_answers_is_given_up(void **state)
{
	(void)state;
	fresh(5);
	boot();
	assert_given_up(&ctrl.deaf);
}

static void wrong_command_id_stops_it(void **state)
{
	u64 r = random_seed();

	(void)state;
	fresh(5);
	boot();
	ctrl.deaf = true;
	disk_submit_many(&r);
	ctrl.deaf = false;
	ctrl.wrong_cid = true;
	host_printk();
	host_run_deferred();
	assert_int_equal(disk_many_read(-EIO), 0);
	assert_true(logged("which it was not given"));
}

/* ---- Coming and going --------------------------------------------------------------------------- */

static void removal_and_failures_leave_nothing(void **state)
{
	(void)state;
	fresh(5);
	ctrl.no_wire = true;		/* whose irq, once mapped, stays */
	boot();
	disk_remove();
	assert_false(disk_is_there());
	assert_true(ctrl.shut_down);
	assert_int_equal(ctrl.cc & 1, 0);
	assert_true(disk_comes_and_goes(NULL));
	assert_true(fail_each(disk_comes_and_goes, NULL) > 40);
	assert_true(disk_comes_and_goes(NULL));
}

static void removal_fails_what_is_in_flight(void **state)
{
	u64 r = random_seed();

	(void)state;
	fresh(5);
	boot();
	ctrl.deaf = true;
	disk_submit_many(&r);
	disk_remove();
	assert_int_equal(disk_many_read(-EIO), 0);
}

/* Nobody takes the completions by interrupt: the CPUs are too slow, as it were. */
static void removal_takes_what_was_finished_meanwhile(void **state)
{
	unsigned int irq;
	u64 r = random_seed();

	(void)state;
	fresh(BOARD_HARTS + 1);
	boot();
	for_each_irq(irq)
		if (irq_get_msi_desc(irq) && irqd_affinity_is_managed(irq_get_irq_data(irq)))
			disable_irq_nosync(irq);
	disk_submit_many(&r);
	disk_remove();
	assert_true(disk_many_read(-EIO));
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

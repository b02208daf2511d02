/* virtio-blk over the PCI transport, on a strict device: I/O, notifications, errors, removal. */
#include <drivers/pci/internals.h>
#include <drivers/virtio/virtio.h>
#include <kernel/block.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "models/imsic.h"
#include "models/virtio.h"
#include "support/board.h"
#include "support/disk.h"
#include "support/random.h"
#include "support/rec.h"

#define EVENT_IDX	BIT(VIRTIO_F_EVENT_IDX)

static struct vblk_model disk;
static unsigned int rows;		/* MSI-X vectors of the device; 0: INTx */

static void models(void)
{
	pci_model();
	vblk_model_add(&disk, 1, rows);
}

static const struct disk_model model = {
	.kind = "blk", .most = 64, .contents = &disk.disk, .step = vblk_model_step, .model = &disk,
};

static void boot_disk(unsigned int queues, u16 size, u64 features)
{
	vblk_model_init(&disk, DISK_SECTORS, queues, size, features, random_seed());
	rows = queues + 1;
	board_boot(BOARD_PCI, models);
}

static int setup(void **state)
{
	(void)state;
	disk_model = &model;
	return 0;
}
#define V(fn)	cmocka_unit_test_setup(fn, setup)

/* ---- Waiting I/O ------------------------------------------------------------------------------------- */

static unsigned long unwanted(void)
{
	unsigned long n = 0;

	for (unsigned int i = 0; i < disk.vm.nr_queues; i++)
		n += disk.vm.queue[i].unwanted;
	return n;
}

static void disk_is_found_and_has_a_queue_per_cpu(void **state)
{
	struct block_device *b;

	(void)state;
	boot_disk(BOARD_HARTS, 128, EVENT_IDX);
	b = the_disk();
	assert_int_equal(b->sectors, DISK_SECTORS);
	assert_int_equal(b->queues, BOARD_HARTS);
	assert_string_equal(b->bus_name, "00:01.0");
	assert_int_equal(disk.vm.status, 15);
	for (unsigned int i = 0; i < BOARD_HARTS; i++)
		assert_int_equal(disk.vm.queue[i].vector, i + 1);
	assert_int_equal(disk.vm.config_vector, 0);
}

static void every_layout_of_queues_and_vectors_reads_and_writes(void **state)
{
	static const struct {
		unsigned int queues, rows;
		u16 size;
		u64 features;
	} variants[] = {
		{ 4, 5, 128, EVENT_IDX }, { 4, 5, 128, 0 }, { 1, 2, 4, EVENT_IDX }, { 1, 2, 4, 0 },
		{ 8, 9, 16, EVENT_IDX }, { 4, 2, 128, 0 }, { 4, 1, 8, EVENT_IDX }, { 4, 0, 16, 0 },
		{ 2, 3, 256, BIT(VIRTIO_F_ACCESS_PLATFORM) }, { 4, 0, 64, EVENT_IDX },
	};
	u64 r = random_seed();

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(variants); i++) {
		vblk_model_init(&disk, DISK_SECTORS, variants[i].queues, variants[i].size,
				variants[i].features, random_seed() + i);
		rows = variants[i].rows;
		board_boot(BOARD_PCI, models);
		disk_io(&r, 150);
		assert_int_equal(unwanted(), 0);
		assert_int_equal(disk.nr_flying, 0);
	}
}

static void read_beyond_the_end_does_nothing(void **state)
{
	unsigned long served;
	char *buf;

	(void)state;
	boot_disk(1, 8, 0);
	buf = kmalloc(2 * SECTOR_SIZE);
	served = disk.served;
	assert_int_equal(blk_read(the_disk(), DISK_SECTORS - 1, buf, 2), -EINVAL);
	assert_int_equal(blk_read(the_disk(), ~0ULL, buf, 2), -EINVAL);
	assert_int_equal(blk_read(the_disk(), DISK_SECTORS, buf, 1), -EINVAL);
	assert_int_equal(disk.served, served);
	assert_int_equal(blk_read(the_disk(), DISK_SECTORS - 1, buf, 1), 0);
	kfree(buf);
}

static void read_only_disk_is_not_written(void **state)
{
	char *buf;

	(void)state;
	vblk_model_init(&disk, DISK_SECTORS, 1, 8, 0, random_seed());
	disk.read_only = true;
	rows = 2;
	board_boot(BOARD_PCI, models);
	buf = kzalloc(SECTOR_SIZE);
	assert_int_equal(blk_write(the_disk(), 0, buf, 1), -EPERM);
	assert_int_equal(blk_read(the_disk(), 0, buf, 1), 0);
	kfree(buf);
}

/* ---- Many in flight ------------------------------------------------------------------------------------ */

static void more_requests_than_descriptors_all_complete_once(void **state)
{
	u64 r = random_seed();

	(void)state;
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		boot_disk(2, 16, event_idx ? EVENT_IDX : 0);
		disk_submit_many(&r);
		host_run_deferred();
		assert_int_equal(disk_many_read(0), DISK_MANY);
		assert_int_equal(unwanted(), 0);
	}
}

static void moving_vectors_loses_no_completion(void **state)
{
	struct block_device *b;
	u64 r = random_seed();
	u8 *buf;

	(void)state;
	boot_disk(BOARD_HARTS, 16, EVENT_IDX);
	b = the_disk();
	buf = kmalloc(SECTOR_SIZE);
	for (int i = 0; i < 1000; i++) {
		unsigned int irq = 0, pick = host_random(&r) % 8;

		for_each_irq(irq)
			if (irq_get_msi_desc(irq) && !pick--)
				break;
		if (irq < NR_IRQS)
			irq_set_affinity(irq, cpumask_of(host_random(&r) % BOARD_HARTS));
		host_set_cpu(host_random(&r) % BOARD_HARTS);
		assert_int_equal(blk_read(b, i, buf, 1), 0);
		assert_int_equal(*(u64 *)buf, i ^ random_seed());
	}
	host_set_cpu(0);
	kfree(buf);
}

/* ---- Errors ---------------------------------------------------------------------------------------------- */

static void failed_request_is_an_error_and_the_next_one_works(void **state)
{
	u8 *buf;

	(void)state;
	boot_disk(1, 8, 0);
	buf = kmalloc(SECTOR_SIZE);
	disk.fail_next = 1;
	assert_int_equal(blk_read(the_disk(), 0, buf, 1), -EIO);
	assert_int_equal(blk_read(the_disk(), 0, buf, 1), 0);
	kfree(buf);
}

static void disk_that_never_answers_is_given_up(void **state)
{
	(void)state;
	boot_disk(2, 8, EVENT_IDX);
	assert_given_up(&disk.vm.dead);
}

static void device_that_asks_for_a_reset_fails_what_it_has(void **state)
{
	u64 r = random_seed();

	(void)state;
	boot_disk(2, 16, 0);
	disk.vm.dead = true;
	disk_submit_many(&r);
	virtio_model_fail(&disk.vm);
	host_run_deferred();
	assert_int_equal(disk_many_read(-EIO), 0);
	assert_true(logged("00:01.0"));
}

static void config_change_is_a_new_capacity(void **state)
{
	u64 sectors = 100;

	(void)state;
	boot_disk(1, 8, 0);
	memcpy(disk.vm.config, &sectors, 8);
	virtio_model_config_changed(&disk.vm);
	host_run_deferred();
	assert_int_equal(blk_sectors(the_disk()), 100);
}

/* The device has CHAIN but returns something else. */
static void with_nonsense(u32 id_offset, u32 len, unsigned int times)
{
	u64 r = random_seed();
	struct vm_chain c;

	boot_disk(1, 16, 0);
	disk.vm.dead = true;
	disk_submit_many(&r);
	assert_true(vring_model_pop(&disk.vm, &disk.vm.queue[0], &c));
	host_printk();
	while (times--)
		vring_model_push_raw(&disk.vm, &disk.vm.queue[0], c.head + id_offset, len);
	host_run_deferred();
	assert_true(logged("00:01.0"));
	assert_int_equal(disk_many_read(-EIO), 0);
}

static void device_that_returns_nonsense_is_given_up(void **state)
{
	(void)state;
	with_nonsense(16, 513, 1);		/* an id that there is not */
	with_nonsense(0x80000000, 513, 1);
	with_nonsense(1, 513, 1);		/* the middle of a chain */
	with_nonsense(0, 5000, 1);		/* more bytes than room */
	with_nonsense(0, 513, 40);		/* more elements than descriptors */
}

static void nothing(struct blk_request *req) { (void)req; }

static void short_answer_is_an_error(void **state)
{
	struct vm_chain c;
	struct blk_request req = { .op = BLK_READ, .nsectors = 1, .done = nothing };

	(void)state;
	boot_disk(1, 8, 0);
	disk.vm.dead = true;
	req.buf = kmalloc(SECTOR_SIZE);
	the_disk()->ops->submit(the_disk(), &req);
	assert_true(vring_model_pop(&disk.vm, &disk.vm.queue[0], &c));
	*c.buf[2].p = 0;
	vring_model_push(&disk.vm, &disk.vm.queue[0], &c, 100);
	host_run_deferred();
	assert_int_equal(req.status, -EIO);
	kfree(req.buf);
}

static void expect_no_disk(const char *text)
{
	board_boot(BOARD_PCI, models);
	if (!logged(text))
		fail_msg("no message with \"%s\"", text);
	assert_false(disk_is_there());
	assert_int_equal(pci_model_get16(&disk.vm.pci, 4) & 4, 0);
}

static void fresh(unsigned int queues, u16 size)
{
	vblk_model_init(&disk, DISK_SECTORS, queues, size, 0, random_seed());
	rows = queues + 1;
}

static void devices_that_cannot_be_driven_are_named_and_left_alone(void **state)
{
	(void)state;
	fresh(1, 8);
	disk.vm.hangs_in_reset = true;
	disk.vm.status = 4;
	expect_no_disk("reset");
	fresh(1, 8);
	disk.vm.refuses_features = true;
	expect_no_disk("features");
	fresh(1, 8);
	disk.vm.takes_no_vector = true;
	expect_no_disk("vector");
	fresh(1, 2);				/* a request needs three */
	expect_no_disk("small");
	fresh(1, 0);
	expect_no_disk("queue 0");
	fresh(1, 6);				/* not a power of two */
	expect_no_disk("queue 0");
	fresh(0, 8);
	expect_no_disk("queues");
}

/* ---- Coming and going -------------------------------------------------------------------------------------- */

static void removal_and_failures_leave_nothing(void **state)
{
	(void)state;
	boot_disk(2, 8, 0);
	disk_remove();
	assert_false(disk_is_there());
	assert_int_equal(disk.vm.status, 0);
	assert_true(disk_comes_and_goes(NULL));
	assert_true(fail_each(disk_comes_and_goes, NULL) > 30);
	assert_true(disk_comes_and_goes(NULL));
}

static void removal_fails_what_is_in_flight(void **state)
{
	u64 r = random_seed();

	(void)state;
	boot_disk(2, 8, 0);
	disk.vm.dead = true;
	disk_submit_many(&r);
	disk_remove();
	assert_int_equal(disk_many_read(-EIO), 0);
}

/* ---- A device and CPUs that really run at the same time ---------------------------------------------------- */

static bool stop;

static void *device_thread(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		if (!vblk_model_step(arg))
			nanosleep(&(struct timespec){ .tv_nsec = 1000 }, NULL);
	return NULL;
}

static void *io_thread(void *arg)
{
	unsigned long cpu = (unsigned long)arg;
	struct block_device *b;
	u64 r = random_seed() + cpu;
	u8 *buf;

	host_set_cpu(cpu);
	b = blk_get("blk", 0);
	buf = kmalloc(8 * SECTOR_SIZE);
	for (int i = 0; i < 300; i++) {
		u64 n = 1 + host_random(&r) % 8, lba = host_random(&r) % (DISK_SECTORS - n);

		if (blk_read(b, lba, buf, n))
			host_die("CPU %lu: read failed", cpu);
		for (u64 k = 0; k < n; k++)
			if (((u64 *)buf)[k * 64] != ((lba + k) ^ random_seed()))
				host_die("CPU %lu: sector %lu is wrong", cpu,
					 (unsigned long)(lba + k));
	}
	kfree(buf);
	blk_put(b);
	return NULL;
}

static void models_without_poll(void)
{
	pci_model();
	virtio_model_add(&disk.vm, 1, rows);
}

static void io_from_all_cpus_while_the_device_runs_freely(void **state)
{
	pthread_t device, cpu[BOARD_HARTS];

	(void)state;
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		vblk_model_init(&disk, DISK_SECTORS, BOARD_HARTS, 16, event_idx ? EVENT_IDX : 0,
				random_seed());
		rows = BOARD_HARTS + 1;
		board_boot(BOARD_PCI, models_without_poll);
		stop = false;
		host_hold_time(1);
		pthread_create(&device, NULL, device_thread, &disk);
		for (unsigned long i = 1; i < BOARD_HARTS; i++)
			pthread_create(&cpu[i], NULL, io_thread, (void *)i);
		io_thread((void *)0UL);
		for (unsigned int i = 1; i < BOARD_HARTS; i++)
			pthread_join(cpu[i], NULL);
		stop = true;
		pthread_join(device, NULL);
		host_hold_time(-1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		V(disk_is_found_and_has_a_queue_per_cpu),
		V(every_layout_of_queues_and_vectors_reads_and_writes),
		V(read_beyond_the_end_does_nothing),
		V(read_only_disk_is_not_written),
		V(more_requests_than_descriptors_all_complete_once),
		V(moving_vectors_loses_no_completion),
		V(failed_request_is_an_error_and_the_next_one_works),
		V(disk_that_never_answers_is_given_up),
		V(device_that_asks_for_a_reset_fails_what_it_has),
		V(config_change_is_a_new_capacity),
		V(device_that_returns_nonsense_is_given_up),
		V(short_answer_is_an_error),
		V(devices_that_cannot_be_driven_are_named_and_left_alone),
		V(removal_and_failures_leave_nothing),
		V(removal_fails_what_is_in_flight),
		V(io_from_all_cpus_while_the_device_runs_freely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

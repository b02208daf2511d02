/*
 * The strict virtio device catches what it names: a driver written by hand that breaks one rule at a
 * time. Its type is one that no driver of the kernel takes.
 */
#include <kernel/io.h>
#include <kernel/mm.h>
#include <string.h>
#include "models/virtio.h"
#include "support/board.h"
#include "support/rec.h"
#include "support/violation.h"

#define NOBODYS		63		/* type */
#define SIZE		8		/* of the queue */
#define VERSION_1	1		/* in the upper word */
#define EVENT_IDX	BIT(29)
#define F_FLUSH		BIT(9)

enum { DEVICE_SELECT = 0, DEVICE_FEATURE = 4, DRIVER_SELECT = 8, DRIVER_FEATURE = 12,
       CONFIG_VECTOR = 16, NUM_QUEUES = 18, STATUS = 20, GENERATION = 21, QUEUE_SELECT = 22,
       QUEUE_SIZE = 24, QUEUE_VECTOR = 26, QUEUE_ENABLE = 28, QUEUE_NOTIFY_OFF = 30,
       QUEUE_DESC = 32, QUEUE_DRIVER = 40, QUEUE_DEVICE = 48, ISR = 0x1000, CONFIG = 0x2000,
       NOTIFY = 0x3000 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };
enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };
enum { READS_SECTORS = 0, FLUSHES = 4 };

static struct vblk_model disk;
static char *regs;
static struct ring {
	struct { u64 addr; u32 len; u16 flags, next; } desc[SIZE];
	struct { u16 flags, idx, ring[SIZE], event; } avail;
	u16 pad;
	struct { u16 flags, idx; struct { u32 id, len; } ring[SIZE]; u16 event; } used;
} *ring;
static struct {
	u32 type, reserved;
	u64 sector;
	u8 data[512], status;
} *request;

static void models(void)
{
	pci_model();
	virtio_model_add(&disk.vm, 1, 3);
}

static void fresh(void)
{
	u64 bar;

	vblk_model_init(&disk, 64, 2, SIZE, EVENT_IDX, 1);
	disk.vm.type = NOBODYS;
	board_boot(BOARD_PCI, models);
	pci_model_put16(&disk.vm.pci, 4, 6);
	bar = pci_model_get32(&disk.vm.pci, 0x20) & ~15U;
	bar |= (u64)pci_model_get32(&disk.vm.pci, 0x24) << 32;
	regs = ioremap(bar, 0x4000);
	ring = kzalloc(4096);
	request = kzalloc(sizeof(*request));
}

/* ---- The steps of a good driver [VIRTIO 3.1.1] ----------------------------------------------------- */

static void put64(unsigned int reg, u64 v)
{
	writel((u32)v, regs + reg);
	writel(v >> 32, regs + reg + 4);
}

static void status(u8 v) { writeb(v, regs + STATUS); }

static void accept(u32 low)
{
	status(ACKNOWLEDGE);
	status(ACKNOWLEDGE | DRIVER);
	writel(0, regs + DRIVER_SELECT);
	writel(low, regs + DRIVER_FEATURE);
	writel(1, regs + DRIVER_SELECT);
	writel(VERSION_1, regs + DRIVER_FEATURE);
	status(ACKNOWLEDGE | DRIVER | FEATURES_OK);
	readb(regs + STATUS);
}

static void addresses(void)
{
	writew(SIZE, regs + QUEUE_SIZE);
	put64(QUEUE_DESC, (u64)ring->desc);
	put64(QUEUE_DRIVER, (u64)&ring->avail);
	put64(QUEUE_DEVICE, (u64)&ring->used);
}

static void queue(u32 features)
{
	accept(features);
	writew(0, regs + QUEUE_SELECT);
	addresses();
}

static void ready(u32 features)
{
	queue(features);
	writew(1, regs + QUEUE_ENABLE);
	status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

static void describe(unsigned int i, void *p, u32 len, u16 flags)
{
	ring->desc[i].addr = (u64)p;
	ring->desc[i].len = len;
	ring->desc[i].flags = flags;
	ring->desc[i].next = i + 1;
}

/* A read of a sector, as descriptors 0 to 2. */
static void prepare(u32 features)
{
	ready(features);
	request->type = READS_SECTORS;
	describe(0, request, 16, NEXT);
	describe(1, request->data, 512, NEXT | WRITE);
	describe(2, &request->status, 1, WRITE);
}

static void offer(u16 head)
{
	ring->avail.ring[ring->avail.idx % SIZE] = head;
	ring->avail.idx++;
	writew(0, regs + NOTIFY);
}

static void work(void)
{
	for (unsigned int i = 0; i < 30; i++)
		vblk_model_step(&disk);
}

static void the_good_driver_breaks_no_rule(void **state)
{
	u64 sectors;

	(void)state;
	fresh();
	prepare(EVENT_IDX | F_FLUSH);
	offer(0);
	work();
	assert_int_equal(ring->used.idx, 1);
	assert_int_equal(request->status, 0);
	request->type = FLUSHES;
	describe(0, request, 16, NEXT);
	ring->desc[0].next = 2;
	offer(0);
	work();
	assert_int_equal(disk.flushes, 1);
	readb(regs + GENERATION);
	sectors = readl(regs + CONFIG) | (u64)readl(regs + CONFIG + 4) << 32;
	readb(regs + GENERATION);
	assert_int_equal(sectors, 64);
	status(0);
	assert_int_equal(readb(regs + STATUS), 0);
	status(ACKNOWLEDGE);
	assert_string_equal(model_violations(), "");
	kfree(request);
	kfree(ring);
}

/* ---- Status and features -------------------------------------------------------------------------- */

static void s_driver_first(void) { status(DRIVER); }
static void s_ok_without_features(void) { status(ACKNOWLEDGE); status(3); status(3 | DRIVER_OK); }
static void s_bit_cleared(void) { status(ACKNOWLEDGE); status(3); status(DRIVER); }
static void s_features_not_read_back(void)
{
	accept(0);
	disk.vm.features_seen = false;		/* as if accept() had not */
	status(15);
}
static void s_reset_not_awaited(void) { status(ACKNOWLEDGE); status(0); status(ACKNOWLEDGE); }
static void f_read_too_early(void) { status(ACKNOWLEDGE); readl(regs + DEVICE_FEATURE); }
static void f_written_too_early(void)
{
	status(ACKNOWLEDGE);
	writel(0, regs + DRIVER_FEATURE);
}
static void f_written_too_late(void) { accept(0); writel(0, regs + DRIVER_FEATURE); }
static void f_not_offered(void) { accept(BIT(3)); }
static void f_without_version_1(void)
{
	status(ACKNOWLEDGE);
	status(3);
	status(11);
}

/* ---- Registers ------------------------------------------------------------------------------------ */

static void r_status_wide(void) { readl(regs + STATUS); }
static void r_address_in_one(void) { accept(0); writeq((u64)ring, regs + QUEUE_DESC); }
static void r_num_queues_written(void) { writew(1, regs + NUM_QUEUES); }
static void r_notify_off_written(void) { queue(0); writew(1, regs + QUEUE_NOTIFY_OFF); }
static void r_isr_wide(void) { readw(regs + ISR); }
static void r_isr_written(void) { writeb(0, regs + ISR); }
static void r_hole(void) { readl(regs + 0x800); }
static void c_narrow(void) { readb(regs + GENERATION); readw(regs + CONFIG); }
static void c_too_wide(void) { readl(regs + CONFIG + 32); }
static void c_half_a_pair(void) { readl(regs + CONFIG); }
static void c_not_looked_after(void)
{
	readb(regs + GENERATION);
	readl(regs + CONFIG);
	readl(regs + CONFIG + 4);
	readw(regs + CONFIG + 34);
}
static void c_never_looked_after(void)
{
	queue(0);
	readb(regs + GENERATION);
	readl(regs + CONFIG);
	readl(regs + CONFIG + 4);
	status(15);
}
static void c_needs_feature(void) { readl(regs + CONFIG + 8); }
static void c_beyond(void) { readl(regs + CONFIG + 60); }
static void c_written(void) { writel(0, regs + CONFIG); }

/* ---- Queues --------------------------------------------------------------------------------------- */

static void q_too_early(void) { status(ACKNOWLEDGE); status(3); writew(SIZE, regs + QUEUE_SIZE); }
static void q_too_late(void)
{
	accept(0);
	status(15);
	writew(SIZE, regs + QUEUE_SIZE);
}
static void q_there_is_none(void)
{
	accept(0);
	writew(2, regs + QUEUE_SELECT);
	writew(SIZE, regs + QUEUE_SIZE);
}
static void q_while_enabled(void)
{
	queue(0);
	writew(1, regs + QUEUE_ENABLE);
	writew(4, regs + QUEUE_SIZE);
}
static void q_enabled_by_zero(void) { queue(0); writew(0, regs + QUEUE_ENABLE); }
static void q_size_of_three(void)
{
	queue(0);
	writew(3, regs + QUEUE_SIZE);
	writew(1, regs + QUEUE_ENABLE);
}
static void q_size_too_great(void)
{
	queue(0);
	writew(2 * SIZE, regs + QUEUE_SIZE);
	writew(1, regs + QUEUE_ENABLE);
}
static void q_not_aligned(void)
{
	queue(0);
	put64(QUEUE_DESC, (u64)ring + 8);
	writew(1, regs + QUEUE_ENABLE);
}
static void q_without_addresses(void)
{
	accept(0);
	writew(1, regs + QUEUE_ENABLE);
}
static void q_vector_not_read(void)
{
	queue(0);
	writew(1, regs + QUEUE_VECTOR);
	writew(1, regs + QUEUE_ENABLE);
}
static void q_config_vector_not_read(void)
{
	queue(0);
	writew(0, regs + CONFIG_VECTOR);
	status(15);
}
static void n_disabled(void) { ready(0); writew(1, regs + NOTIFY + 4); }
static void n_too_early(void)
{
	queue(0);
	writew(1, regs + QUEUE_ENABLE);
	writew(0, regs + NOTIFY);
}
static void n_wrong_place(void) { ready(0); writew(0, regs + NOTIFY + 4); }
static void n_wide(void) { ready(0); writel(0, regs + NOTIFY); }

/* ---- Rings ---------------------------------------------------------------------------------------- */

static void v_index_jumps(void) { prepare(0); ring->avail.idx = SIZE; offer(0); work(); }
static void v_flags(void) { prepare(0); ring->avail.flags = 2; offer(0); work(); }
static void v_flags_and_event(void)
{
	prepare(EVENT_IDX);
	ring->avail.flags = 1;
	offer(0);
	work();
}
static void v_no_master(void)
{
	prepare(0);
	pci_model_put16(&disk.vm.pci, 4, 2);
	offer(0);
	work();
}
static void v_head_beyond(void) { prepare(0); offer(SIZE); work(); }
static void v_next_beyond(void) { prepare(0); ring->desc[1].next = 99; offer(0); work(); }
static void v_loop(void) { prepare(0); ring->desc[1].next = 0; offer(0); work(); }
static void v_given_twice(void)
{
	prepare(0);
	vring_model_push_raw(&disk.vm, &disk.vm.queue[0], 7, 0);	/* so nothing runs of itself */
	offer(0);
	offer(0);
	disk.vm.queue[0].awake = true;
	for (struct vm_chain c; vring_model_pop(&disk.vm, &disk.vm.queue[0], &c);)
		;
}
static void v_indirect(void) { prepare(0); ring->desc[0].flags |= INDIRECT; offer(0); work(); }
static void v_empty(void) { prepare(0); ring->desc[1].len = 0; offer(0); work(); }
static void v_readable_behind(void) { prepare(0); ring->desc[2].flags = 0; offer(0); work(); }
static void v_not_memory(void) { prepare(0); ring->desc[1].addr = 0x1000; offer(0); work(); }
static void v_beyond_memory(void) { prepare(0); ring->desc[1].len = 1 << 20; offer(0); work(); }
static void v_changed_in_flight(void)
{
	struct vm_chain c;

	prepare(0);
	offer(0);
	assert_true(vring_model_pop(&disk.vm, &disk.vm.queue[0], &c));
	ring->desc[1].len = 256;
	vring_model_push(&disk.vm, &disk.vm.queue[0], &c, 513);
}
static void v_used_written(void) { prepare(0); ring->used.idx = 5; offer(0); work(); }
static void v_freed_in_flight(void)
{
	void *p = kmalloc(512);

	prepare(0);
	describe(1, p, 512, NEXT | WRITE);
	offer(0);
	disk.vm.queue[0].awake = true;
	assert_true(vring_model_pop(&disk.vm, &disk.vm.queue[0], &disk.flying[0].c));
	disk.flying[0].q = &disk.vm.queue[0];
	disk.nr_flying = 1;
	disk.resets = disk.vm.resets;
	kfree(p);
	work();
}

/* ---- Requests ------------------------------------------------------------------------------------- */

static void b_no_status(void) { prepare(0); ring->desc[1].flags = WRITE; offer(0); work(); }
static void b_reserved(void) { prepare(0); request->reserved = 1; offer(0); work(); }
static void b_flush_not_agreed(void)
{
	prepare(0);
	request->type = FLUSHES;
	ring->desc[0].next = 2;
	offer(0);
	work();
}
static void b_part_of_a_sector(void) { prepare(0); ring->desc[1].len = 500; offer(0); work(); }

static void the_model_catches_what_it_names(void **state)
{
	static const struct violation cases[] = {
		VIOLATION(s_driver_first, "status 0x2 after 0x0 skips a step"),
		VIOLATION(s_ok_without_features, "status 0x7 after 0x3 skips a step"),
		VIOLATION(s_bit_cleared, "status bits cleared: 0x2 after 0x3"),
		VIOLATION(s_features_not_read_back, "DRIVER_OK before FEATURES_OK was read back"),
		VIOLATION(s_reset_not_awaited, "before the status read as 0 after a reset"),
		VIOLATION(f_read_too_early, "features read at status 0x1"),
		VIOLATION(f_written_too_early, "features written at status 0x1"),
		VIOLATION(f_written_too_late, "features written at status 0xb"),
		VIOLATION(f_not_offered, "features 0x100000008 accepted"),
		VIOLATION(f_without_version_1, "VERSION_1 is not accepted"),
		VIOLATION(r_status_wide, "common register 0x14 accessed by 4 bytes, not 1"),
		VIOLATION(r_address_in_one, "common register 0x20 accessed by 8 bytes, not 4"),
		VIOLATION(r_num_queues_written, "common register 0x12 written, which is read-only"),
		VIOLATION(r_notify_off_written, "common register 0x1e written, which is read-only"),
		VIOLATION(r_isr_wide, "2 bytes read at 0x1000, no register"),
		VIOLATION(r_isr_written, "1 bytes written at 0x1000, no register"),
		VIOLATION(r_hole, "4 bytes read at 0x800, no register"),
		VIOLATION(c_narrow, "field 0x0 of 8 bytes read by 2"),
		VIOLATION(c_too_wide, "field 0x20 of 1 bytes read by 4"),
		VIOLATION(c_half_a_pair, "the generation was not read before it"),
		VIOLATION(c_not_looked_after, "the generation was not read after it"),
		VIOLATION(c_never_looked_after, "DRIVER_OK, but a field of two words may be torn"),
		VIOLATION(c_needs_feature, "field 0x8 read, which needs feature 1"),
		VIOLATION(c_beyond, "4 bytes of configuration read at 0x3c, of 60"),
		VIOLATION(c_written, "4 bytes written at 0x2000, no register"),
		VIOLATION(q_too_early, "queue 0, register 0x18 written at status 0x3"),
		VIOLATION(q_too_late, "queue 0, register 0x18 written at status 0xf"),
		VIOLATION(q_there_is_none, "queue 2, of 2, register 0x18 written"),
		VIOLATION(q_while_enabled, "register 0x18 written, but it is enabled"),
		VIOLATION(q_enabled_by_zero, "0 written to queue_enable, not 1"),
		VIOLATION(q_size_of_three, "queue 0 enabled with size 3 of 8"),
		VIOLATION(q_size_too_great, "queue 0 enabled with size 16 of 8"),
		VIOLATION(q_not_aligned, "queue 0 is not aligned"),
		VIOLATION(q_without_addresses, "queue 0 enabled before its addresses"),
		VIOLATION(q_vector_not_read, "queue 0 enabled, but its vector was not read back"),
		VIOLATION(q_config_vector_not_read, "DRIVER_OK, but a vector was not read back"),
		VIOLATION(n_disabled, "notification of queue 1, disabled at status 0xf"),
		VIOLATION(n_too_early, "notification of queue 0, enabled at status 0xb"),
		VIOLATION(n_wrong_place, "notification of queue 0, 2 bytes at 0x4"),
		VIOLATION(n_wide, "notification of queue 0, 4 bytes at 0x0"),
		VIOLATION(v_index_jumps, "available index jumped by 9, it has 8"),
		VIOLATION(v_flags, "available flags 0x2"),
		VIOLATION(v_flags_and_event, "available flags 0x1"),
		VIOLATION(v_no_master, "requests, but no bus mastering"),
		VIOLATION(v_head_beyond, "descriptor 8 does not exist"),
		VIOLATION(v_next_beyond, "descriptor 99 does not exist"),
		VIOLATION(v_loop, "descriptor 0 is in its chain already"),
		VIOLATION(v_given_twice, "descriptor 0 is the device's"),
		VIOLATION(v_indirect, "descriptor 0 has flags that were not agreed on"),
		VIOLATION(v_empty, "descriptor 1 is empty"),
		VIOLATION(v_readable_behind, "descriptor 2 is readable, behind a writable one"),
		VIOLATION(v_not_memory, "descriptor 1 is not memory"),
		VIOLATION(v_beyond_memory, "descriptor 1 is not memory"),
		VIOLATION(v_changed_in_flight, "a chain in flight was changed"),
		VIOLATION(v_used_written, "the driver has written the used index"),
		VIOLATION(v_freed_in_flight, "buffer 1 in flight was freed"),
		VIOLATION(b_no_status, "without header or status"),
		VIOLATION(b_reserved, "reserved fields that are not 0"),
		VIOLATION(b_flush_not_agreed, "to flush, which was not agreed on"),
		VIOLATION(b_part_of_a_sector, "a part of a sector"),
	};

	(void)state;
	assert_violations(cases, ARRAY_SIZE(cases), fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_good_driver_breaks_no_rule),
		cmocka_unit_test(the_model_catches_what_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

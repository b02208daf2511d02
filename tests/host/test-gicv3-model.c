/*
 * That the GICv3's model catches what it names: every rule broken once, on a machine that a few
 * lines set up without the drivers.
 */
#include <asm/sysreg.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/smp.h>
#include <string.h>
#include "models/gicv3.h"
#include "support/rec.h"
#include "support/violation.h"

#define BASER_CACHED	(7UL << 59 | 1UL << 10)
#define LPI_CACHED	(7UL << 7 | 1UL << 10)
#define VALID		BIT(63)
#define LPI_BITS	14
#define QUEUE_SIZE	0x10000U
#define DEVICE		8U
#define EVENTS		4U
#define LPI		8192U

static char *dist, *redist[4], *its;
static struct gicv3_setup setup;
static u8 *property, *pending[4];
static u64 *queue, *devices, *itt;
static void *collections;
static u32 at;				/* our GITS_CWRITER */

static char *sgis(unsigned int cpu) { return redist[cpu] + 0x10000; }

/* ---- Three stages of a machine -------------------------------------------------------------- */

static void settle(char *ctlr, unsigned int bit)
{
	while (readl(ctlr) & BIT(bit))
		;
}

static void as_firmware_left_it(void)
{
	static const u64 hwid[] = { 0, 1, 2, 3 };

	host_init(4);
	setup.nr = 4;
	setup.hwid = hwid;
	gicv3_model(&setup);
	dist = ioremap(GICV3_DIST, 0x10000);
	its = ioremap(GICV3_ITS, 0x20000);
	for (unsigned int i = 0; i < 4; i++)
		redist[i] = ioremap(GICV3_REDIST + i * 0x20000, 0x20000);
}

static void cpu_on(unsigned int cpu)
{
	writel(0, redist[cpu] + 0x14);
	while (readl(redist[cpu] + 0x14) & 4)
		;
	writel(~0U, sgis(cpu) + 0x180);
	settle(redist[cpu], 3);
	writel(~0U, sgis(cpu) + 0x280);
	writel(~0U, sgis(cpu) + 0x380);
	writel(~0U, sgis(cpu) + 0x80);
	sysreg_write(ICC_SRE_EL1, 1);
	isb();
	sysreg_write(ICC_PMR_EL1, 0xf0);
	sysreg_write(ICC_AP1R0_EL1, 0);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
}

static void running(void)
{
	as_firmware_left_it();
	arch_local_irq_disable();
	writel(0x10, dist);
	settle(dist, 31);
	writel(~0U, dist + 0x184);
	settle(dist, 31);
	writel(~0U, dist + 0x284);
	writel(~0U, dist + 0x384);
	for (unsigned int n = 32; n < GICV3_INTIDS; n += 32)
		writel(~0U, dist + 0x80 + n / 8);
	writeq(0, dist + 0x6000 + 8 * 40);
	writel(0x12, dist);
	cpu_on(0);
}

static void lpis_on(unsigned int cpu)
{
	pending[cpu] = alloc_pages(4);
	writeq((u64)property | LPI_CACHED | (LPI_BITS - 1), redist[cpu] + 0x70);
	writeq((u64)pending[cpu] | LPI_CACHED | BIT(62), redist[cpu] + 0x78);
	writel(1, redist[cpu]);
}

static void command(u64 word0, u64 word1, u64 word2)
{
	queue[at / 8] = word0;
	queue[at / 8 + 1] = word1;
	queue[at / 8 + 2] = word2;
	queue[at / 8 + 3] = 0;
	at = (at + 32) % QUEUE_SIZE;
}

static void go(void) { writeq(at, its + 0x88); }
static u64 target(unsigned int cpu) { return (u64)(7 * cpu + 3) << 16; }	/* Processor_Number */

/* COMMAND and the SYNC after it, to CPU 0. */
static void send(u64 word0, u64 word1, u64 word2)
{
	command(word0, word1, word2);
	command(5, 0, target(0));
	go();
}

static void mapd(u32 device, void *table, unsigned int bits)
{
	command((u64)device << 32 | 8, bits - 1, VALID | (u64)table);
	go();
}

/* Every table is flat, but for the devices', which has pages of 4 KiB. */
static void its_configured(void)
{
	running();
	property = alloc_pages(1);
	memset(property, 0xa2, 8192);
	lpis_on(0);
	at = 0;
	queue = alloc_pages(get_order(QUEUE_SIZE));
	devices = alloc_pages(0);
	collections = alloc_pages(0);
	devices[0] = VALID | (u64)alloc_pages(0);
	writel(0, its);
	while (!(readl(its) & BIT(31)))
		;
	writeq(VALID | BASER_CACHED | (u64)queue | (QUEUE_SIZE / 4096 - 1), its + 0x80);
	writeq(0, its + 0x88);
	writeq(VALID | BIT(62) | BASER_CACHED | (u64)devices, its + 0x100);
	writeq(VALID | BASER_CACHED | (u64)collections, its + 0x108);
}

/* Event 0 of DEVICE is LPI, at CPU 0. */
static void translating(void)
{
	its_configured();
	writel(1, its);
	send(9, 0, VALID | target(0));
	itt = alloc_pages(0);
	mapd(DEVICE, itt, 2);
	send((u64)DEVICE << 32 | 0xa, (u64)LPI << 32, 0);
	property[0] = 0xa3;
	send((u64)DEVICE << 32 | 0xc, 0, 0);
}

/* ---- Distributor ---------------------------------------------------------------------------- */

static void enable_by_a_byte(void) { writeb(1, dist + 0x105); }
static void half_a_route(void) { writel(0, dist + 0x6000 + 8 * 40); }
static void reserved_bit_of_ctlr(void) { writel(0x12 | BIT(20), dist); }
static void ctlr_twice(void) { writel(0x10, dist), writel(0x12, dist); }
static void no_more_routing(void) { writel(2, dist); }
static void sgi_in_the_distributor(void) { writel(1, dist + 0x100); }
static void no_such_line(void) { writel(1, dist + 0x100 + GICV3_INTIDS / 8); }
static void on(void) { writel(BIT(8), dist + 0x104); }		/* 40 */
static void off(void) { writel(BIT(8), dist + 0x184); }
static void group_while_enabled(void) { on(), writel(0, dist + 0x84); }
static void group_while_leaving(void) { on(), off(), writel(0, dist + 0x84); }
static void lower_bit_of_trigger(void) { writel(1, dist + 0xc08); }
static void trigger_of_sgi(void) { writel(0xaaaaaaa8, sgis(0) + 0xc00); }
static void trigger_while_enabled(void) { on(), writel(2U << 16, dist + 0xc08); }
static void enable_while_leaving(void) { on(), off(), on(); }
static void route_while_enabled(void) { on(), writeq(1, dist + 0x6000 + 8 * 40); }
static void route_while_leaving(void) { on(), off(), writeq(1, dist + 0x6000 + 8 * 40); }
static void route_to_nobody(void) { writeq(9, dist + 0x6000 + 8 * 40); }
static void reserved_bit_of_route(void) { writeq(BIT(24), dist + 0x6000 + 8 * 40); }
static void target_of_version_2(void) { writel(1, dist + 0x828); }
static void sgi_of_version_2(void) { writel(0x10000, dist + 0xf00); }
static void nobody_waits_for_disabling(void) { on(), off(), gicv3_check(); }

static void distributor_catches(void **state)
{
	static const struct violation rules[] = {
		VIOLATION(enable_by_a_byte, "an access of 1 bytes, not 4"),
		VIOLATION(half_a_route, "GICD_IROUTER at 0x6140: 64 bits, torn"),
		VIOLATION(reserved_bit_of_ctlr, "GICD_CTLR: reserved bits 0x100000"),
		VIOLATION(ctlr_twice, "GICD_CTLR is written while GICD_CTLR.RWP is 1"),
		VIOLATION(no_more_routing, "ARE goes from 1 to 0"),
		VIOLATION(sgi_in_the_distributor, "are in the redistributors"),
		VIOLATION(no_such_line, "there is no INTID 288"),
		VIOLATION(group_while_enabled, "INTID 40 changes its group while enabled"),
		VIOLATION(group_while_leaving, "INTID 40 changes its group while enabled"),
		VIOLATION(lower_bit_of_trigger, "ICFGR: reserved bits 0x1"),
		VIOLATION(trigger_while_enabled, "INTID 40 changes its trigger while enabled"),
		VIOLATION(enable_while_leaving, "INTID 40 is enabled while disabling it is under"),
		VIOLATION(route_while_enabled, "the route of INTID 40 is written while"),
		VIOLATION(route_while_leaving, "the route of INTID 40 is written while"),
		VIOLATION(route_to_nobody, "INTID 40 is routed to 0x9, where no CPU is"),
		VIOLATION(reserved_bit_of_route, "GICD_IROUTER: reserved bits 0x1000000"),
		VIOLATION(target_of_version_2, "nothing to write at 0x828, with affinity"),
		VIOLATION(sgi_of_version_2, "nothing to write at 0xf00, with affinity"),
		VIOLATION(nobody_waits_for_disabling, "nobody has waited for GICD_CTLR.RWP"),
	};

	(void)state;
	setup = (struct gicv3_setup){ 0 };
	assert_violations(rules, ARRAY_SIZE(rules), running);
}

static void routing_while_a_group_is_on(void) { writel(0x12, dist); }
static void route_without_routing(void) { writeq(0, dist + 0x6000 + 8 * 50); }

static void distributor_without_routing_catches(void **state)
{
	static const struct violation rules[] = {
		VIOLATION(routing_while_a_group_is_on, "ARE changes while a group is enabled"),
		VIOLATION(route_without_routing, "GICD_IROUTER50 does not exist while ARE is 0"),
	};

	(void)state;
	setup = (struct gicv3_setup){ .no_routing = true };
	assert_violations(rules, ARRAY_SIZE(rules), as_firmware_left_it);
}

/* What is disabled may come until RWP says that it cannot. */
static void disabled_line_comes_until_waited_for(void **state)
{
	(void)state;
	setup = (struct gicv3_setup){ 0 };
	running();
	writeb(0xa0, dist + 0x428);
	on();
	off();
	gicv3_wire(40, true);
	assert_int_equal(sysreg_read(ICC_IAR1_EL1), 40);
	sysreg_write(ICC_EOIR1_EL1, 40);
	settle(dist, 31);
	assert_int_equal(sysreg_read(ICC_IAR1_EL1), 1023);
}

/* ---- Redistributors ------------------------------------------------------------------------- */

static void touched_asleep(void) { writel(~0U, sgis(1) + 0x180); }
static void of_another_cpu(void) { cpu_on(0), writel(0, redist[1] + 0x14); }
static void beyond_the_last(void) { readl((char *)ioremap(GICV3_REDIST + 0x80000, 4096) + 0x14); }
static void reserved_bit_of_waker(void) { writel(8, redist[0] + 0x14); }
static void sleep_while_on(void) { writel(2, redist[0] + 0x14); }
static void reserved_bit_of_gicr_ctlr(void) { writel(BIT(5), redist[0]); }
static void gicr_ctlr_while_busy(void) { writel(1, sgis(0) + 0x180), writel(0, redist[0]); }
static void half_a_propbaser(void) { writel(13, redist[0] + 0x70); }
static void reserved_bit_of_propbaser(void) { writeq(BIT(60), redist[0] + 0x70); }
static void unaligned_pending_table(void) { writeq(0x1000, redist[0] + 0x78); }
static void nothing_there(void) { writel(1, redist[0] + 0x20); }
static void nobody_waits(void) { writel(1, sgis(0) + 0x180), gicv3_check(); }

static void with_tables(u64 table, u64 pend, unsigned int bits)
{
	writeq(table | LPI_CACHED | (bits - 1), redist[0] + 0x70);
	writeq(pend | LPI_CACHED | BIT(62), redist[0] + 0x78);
	writel(1, redist[0]);
}

static void too_few_lpis(void) { with_tables(0, 0, 13); }
static void property_table_too_short(void)
{
	with_tables((u64)alloc_pages(0), (u64)alloc_pages(4), 14);
}
static void pending_table_nowhere(void)
{
	void *table = alloc_pages(1);

	memset(table, 2, 8192);
	with_tables((u64)table, 0x770000, 14);
}
static void pending_table_not_zeroed(void)
{
	u8 *table = alloc_pages(1), *pend = alloc_pages(4);

	memset(table, 2, 8192);
	pend[1500] = 1;
	with_tables((u64)table, (u64)pend, 14);
}

static void redistributor_catches(void **state)
{
	static const struct violation rules[] = {
		VIOLATION(of_another_cpu, "CPU 0 writes to the redistributor of CPU 1"),
		VIOLATION(beyond_the_last, "there is no redistributor 4"),
		VIOLATION(reserved_bit_of_waker, "GICR_WAKER: reserved bits 0x8"),
		VIOLATION(sleep_while_on, "goes to sleep while its CPU interface takes"),
		VIOLATION(reserved_bit_of_gicr_ctlr, "GICR_CTLR: reserved bits 0x20"),
		VIOLATION(gicr_ctlr_while_busy, "GICR_CTLR is written while GICR_CTLR.RWP is 1"),
		VIOLATION(half_a_propbaser, "64 bits, torn into accesses of 4 bytes"),
		VIOLATION(reserved_bit_of_propbaser, "GICR_PROPBASER: reserved bits"),
		VIOLATION(unaligned_pending_table, "GICR_PENDBASER: reserved bits 0x1000"),
		VIOLATION(nothing_there, "GICR: nothing to write at 0x20"),
		VIOLATION(nobody_waits, "nobody has waited for GICR_CTLR.RWP of redistributor 0"),
		VIOLATION(trigger_of_sgi, "SGI 0: its trigger is read-only"),
		VIOLATION(too_few_lpis, "GICR_PROPBASER.IDbits says 13 bits"),
		VIOLATION(property_table_too_short, "the LPI property table: 0x"),
		VIOLATION(pending_table_nowhere, "an LPI pending table: 0x770000, 2048 bytes"),
		VIOLATION(pending_table_not_zeroed, "is not zeroed: byte 1500 is 0x1"),
	};
	static const struct violation asleep[] = {
		VIOLATION(touched_asleep, "redistributor 1 is accessed at 0x10180 while asleep"),
	};

	(void)state;
	setup = (struct gicv3_setup){ 0 };
	assert_violations(rules, ARRAY_SIZE(rules), running);
	assert_violations(asleep, ARRAY_SIZE(asleep), as_firmware_left_it);
}

/* ---- CPU interface -------------------------------------------------------------------------- */

static u32 claim(void)
{
	writeb(0xa0, dist + 0x428);
	on();
	gicv3_wire(40, true);
	return sysreg_read(ICC_IAR1_EL1);
}
static void mode_1(void) { sysreg_write(ICC_CTLR_EL1, 2); }

static void end_of_nothing(void) { sysreg_write(ICC_EOIR1_EL1, 40); }
static void end_of_spurious(void) { sysreg_write(ICC_EOIR1_EL1, sysreg_read(ICC_IAR1_EL1)); }
static void end_of_another(void) { sysreg_write(ICC_EOIR1_EL1, claim() + 1); }
static void end_twice(void)
{
	u32 intid = claim();

	gicv3_wire(40, false);
	sysreg_write(ICC_EOIR1_EL1, intid);
	sysreg_write(ICC_EOIR1_EL1, intid);
}
static void deactivate_in_mode_0(void) { sysreg_write(ICC_DIR_EL1, claim()); }
static void deactivate_too_early(void) { mode_1(), sysreg_write(ICC_DIR_EL1, claim()); }
static void deactivate_what_is_not(void) { mode_1(), sysreg_write(ICC_DIR_EL1, 40); }
static void deactivate_lpi(void) { mode_1(), sysreg_write(ICC_DIR_EL1, 8192); }
static void claim_with_interrupts_on(void)
{
	host_irqs_on = true;
	sysreg_read(ICC_IAR1_EL1);
	host_irqs_on = false;
}
static void claimed_and_left(void) { claim(), gicv3_check(); }
static void sgi_without_barrier(void) { sysreg_write(ICC_SGI1R_EL1, 3UL << 24 | 1); }
static void sgi_to_nobody(void) { dsb(ishst), sysreg_write(ICC_SGI1R_EL1, 3UL << 24 | BIT(9)); }
static void sgi_to_all(void) { dsb(ishst), sysreg_write(ICC_SGI1R_EL1, BIT(40)); }
static void sgi_reserved(void) { dsb(ishst), sysreg_write(ICC_SGI1R_EL1, BIT(62) | 1); }
static void eighth_bit_of_priority(void) { sysreg_write(ICC_PMR_EL1, 0x1f0); }
static void invented_active_priority(void) { sysreg_write(ICC_AP1R0_EL1, 4); }
static void absent_active_priority(void) { sysreg_write(ICC_AP1R1_EL1, 0); }
static void no_register_to_read(void) { sysreg_read(ICC_EOIR1_EL1); }
static void no_more_registers(void) { sysreg_write(ICC_SRE_EL1, 0); }

static void sre_off(void) { sysreg_write(ICC_PMR_EL1, 0xf0); }
static void no_isb(void) { sysreg_write(ICC_SRE_EL1, 1), sysreg_write(ICC_PMR_EL1, 0xf0); }
static void interface_asleep(void)
{
	sysreg_write(ICC_SRE_EL1, 1);
	isb();
	sysreg_write(ICC_PMR_EL1, 0xf0);
}

static void cpu_interface_catches(void **state)
{
	static const struct violation rules[] = {
		VIOLATION(end_of_nothing, "CPU 0 ends INTID 40, but has claimed nothing"),
		VIOLATION(end_of_spurious, "CPU 0 ends INTID 1023, but has claimed nothing"),
		VIOLATION(end_of_another, "CPU 0 ends INTID 41, but has claimed 40"),
		VIOLATION(end_twice, "CPU 0 ends INTID 40, but has claimed nothing"),
		VIOLATION(deactivate_in_mode_0, "ICC_DIR_EL1 is written in EOI mode 0"),
		VIOLATION(deactivate_too_early, "deactivated before its priority has dropped"),
		VIOLATION(deactivate_what_is_not, "deactivates INTID 40, which it has not"),
		VIOLATION(deactivate_lpi, "LPI 8192 is deactivated, which has no active state"),
		VIOLATION(claim_with_interrupts_on, "ICC_IAR1_EL1 is read with interrupts on"),
		VIOLATION(claimed_and_left, "INTID 40 was claimed and has not been ended"),
		VIOLATION(sgi_without_barrier, "SGI 3 is sent without a DSB"),
		VIOLATION(sgi_to_nobody, "SGI 3 is sent to 0x9, where no CPU is"),
		VIOLATION(sgi_to_all, "SGI 0 is sent to all the others"),
		VIOLATION(sgi_reserved, "ICC_SGI1R_EL1: reserved bits 0x4000000000000000"),
		VIOLATION(eighth_bit_of_priority, "ICC_PMR_EL1: reserved bits 0x100"),
		VIOLATION(invented_active_priority, "ICC_AP1R0_EL1: reserved bits 0x4"),
		VIOLATION(absent_active_priority, "there is no ICC_AP1R1_EL1 to write"),
		VIOLATION(no_register_to_read, "there is no ICC_EOIR1_EL1 to read"),
		VIOLATION(no_more_registers, "ICC_SRE_EL1.SRE goes from 1 to 0"),
	};
	static const struct violation early[] = {
		VIOLATION(sre_off, "accessed while ICC_SRE_EL1.SRE is 0"),
		VIOLATION(no_isb, "accessed without an ISB after ICC_SRE_EL1"),
		VIOLATION(interface_asleep, "accessed while the redistributor is asleep"),
	};

	(void)state;
	setup = (struct gicv3_setup){ 0 };
	assert_violations(rules, ARRAY_SIZE(rules), running);
	assert_violations(early, ARRAY_SIZE(early), as_firmware_left_it);
}

/* ---- LPIs ----------------------------------------------------------------------------------- */

static void message(void) { gicv3_message(DEVICE, 0); }

static void byte_without_inv(void) { property[0] = 0xa2, message(); }
static void byte_without_inv_at_the_end(void) { property[0] = 0xa2, gicv3_check(); }
static void byte_without_its_bit(void)
{
	property[0] = 0xa1;
	send((u64)DEVICE << 32 | 0xc, 0, 0);
}
static void pending_table_written(void) { pending[0][LPI / 8] = 1, message(); }
static void pending_table_freed(void) { free_pages(pending[0], 4), message(); }
static void property_table_freed(void) { free_pages(property, 1), message(); }
static void tables_changed_while_on(void) { writeq(0, redist[0] + 0x70); }

static void join(unsigned int cpu, u8 *table, u8 *pend)
{
	host_set_cpu(cpu);
	arch_local_irq_disable();
	cpu_on(cpu);
	writeq((u64)table | LPI_CACHED | (LPI_BITS - 1), redist[cpu] + 0x70);
	writeq((u64)pend | LPI_CACHED | BIT(62), redist[cpu] + 0x78);
	writel(1, redist[cpu]);
	host_set_cpu(0);
	arch_local_irq_disable();
}

static void another_property_table(void)
{
	join(1, memset(alloc_pages(1), 0xa2, 8192), alloc_pages(4));
}
static void the_same_pending_table(void) { join(1, property, pending[0]); }

static void lpis_catch(void **state)
{
	static const struct violation rules[] = {
		VIOLATION(byte_without_inv, "LPI 8192: its property byte has become 0xa2 without"),
		VIOLATION(byte_without_inv_at_the_end, "become 0xa2 without an INV: 0xa3 is"),
		VIOLATION(byte_without_its_bit, "LPI 8192: bit 1 of its property byte is 0"),
		VIOLATION(pending_table_written, "an LPI pending table was written by software"),
		VIOLATION(pending_table_freed, "an LPI pending table: 0x"),
		VIOLATION(property_table_freed, "the LPI property table: 0x"),
		VIOLATION(tables_changed_while_on, "GICR_PROPBASER is written while LPIs are on"),
		VIOLATION(another_property_table, "is not the one of redistributor 0"),
		VIOLATION(the_same_pending_table, "lies in an LPI pending table"),
	};

	(void)state;
	setup = (struct gicv3_setup){ 0 };
	assert_violations(rules, ARRAY_SIZE(rules), translating);
}

/* ---- ITS: starting -------------------------------------------------------------------------- */

static void reserved_bit_of_gits_ctlr(void) { writel(4, its); }
static void half_a_cbaser(void) { writel(0, its + 0x80); }
static void queue_unaligned(void) { writeq(VALID | ((u64)queue + 0x1000), its + 0x80); }
static void reserved_bit_of_cbaser(void) { writeq(BIT(62) | (u64)queue, its + 0x80); }
static void reserved_page_size(void) { writeq(VALID | 3UL << 8, its + 0x100); }
static void started_without_a_queue(void)
{
	writeq(0, its + 0x80);
	writeq(0, its + 0x88);
	writel(1, its);
}
static void started_without_cwriter(void)
{
	writeq(readq(its + 0x80), its + 0x80);
	writel(1, its);
}
static void started_without_devices(void) { writeq(0, its + 0x100), writel(1, its); }
static void started_without_collections(void) { writeq(0, its + 0x108), writel(1, its); }
static void collections_unaligned(void)
{
	writeq(VALID | 1UL << 8 | ((u64)collections & ~0x3fffUL) | 0x1000, its + 0x108);
	writel(1, its);
}
static void collections_not_zeroed(void) { memset(collections, 1, 8), writel(1, its); }
static void collections_nowhere(void) { writeq(VALID | 0x5000, its + 0x108), writel(1, its); }
static void queue_nowhere(void)
{
	writeq(VALID | 0x70000, its + 0x80);
	writeq(0, its + 0x88);
	writel(1, its);
}
static void tables_in_one_place(void)
{
	writeq(VALID | BASER_CACHED | (u64)collections, its + 0x100);
	writel(1, its);
}
static void commands_while_off(void) { writeq(32, its + 0x88); }

static void restarted_too_early(void) { writel(1, its), writel(0, its), writel(1, its); }
static void its_register_that_is_none(void) { writeq(0, its + 0x98); }

static void its_start_catches(void **state)
{
	static const struct violation rules[] = {
		VIOLATION(reserved_bit_of_gits_ctlr, "GITS_CTLR: reserved bits 0x4"),
		VIOLATION(half_a_cbaser, "GITS at 0x80: 64 bits, torn"),
		VIOLATION(queue_unaligned, "the queue is not aligned to 64 KiB"),
		VIOLATION(reserved_bit_of_cbaser, "GITS_CBASER: reserved bits"),
		VIOLATION(reserved_page_size, "GITS_BASER0: page size 3 is reserved"),
		VIOLATION(started_without_a_queue, "turned on without a command queue"),
		VIOLATION(started_without_cwriter, "with a GITS_CWRITER from before its queue"),
		VIOLATION(started_without_devices, "turned on without a device table"),
		VIOLATION(started_without_collections, "turned on without a collection table"),
		VIOLATION(collections_unaligned, "is not aligned to its pages"),
		VIOLATION(collections_not_zeroed, "a collection table is not zeroed"),
		VIOLATION(collections_nowhere, "a collection table: 0x5000, 4096 bytes"),
		VIOLATION(queue_nowhere, "the command queue: 0x70000, 4096 bytes"),
		VIOLATION(tables_in_one_place, "lies in a device table"),
		VIOLATION(commands_while_off, "the ITS is off, and is given commands"),
		VIOLATION(restarted_too_early, "turned on again before it is quiescent"),
		VIOLATION(its_register_that_is_none, "GITS: nothing to write at 0x98"),
	};

	(void)state;
	setup = (struct gicv3_setup){ 0 };
	assert_violations(rules, ARRAY_SIZE(rules), its_configured);
}

/* ---- ITS: commands -------------------------------------------------------------------------- */

static void about(u64 opcode, u32 device, u64 word1, u64 word2)
{
	send((u64)device << 32 | opcode, word1, word2);
}

static void queue_moved_while_on(void) { writeq(0, its + 0x80); }
static void table_moved_while_on(void) { writeq(0, its + 0x100); }
static void cwriter_beyond(void) { writeq(QUEUE_SIZE, its + 0x88); }
static void cwriter_between(void) { writeq(at | 1, its + 0x88); }
static void queue_overrun(void)
{
	gicv3_hold_commands(true);
	for (unsigned int i = 0; i < QUEUE_SIZE / 32 - 1; i++)
		command(5, 0, target(0));
	go();
	command(5, 0, target(0));
	go();
	gicv3_hold_commands(false);
}
static void command_overwritten(void)
{
	gicv3_hold_commands(true);
	command(5, 0, target(0));
	go();
	queue[at / 8 - 4] = 6;
	gicv3_hold_commands(false);
}
static void queue_freed(void) { free_pages(queue, get_order(QUEUE_SIZE)), writeq(64, its + 0x88); }
static void commands_left(void)
{
	gicv3_hold_commands(true);
	command(5, 0, target(0));
	go();
	gicv3_check();
}
static void no_sync(void) { command((u64)DEVICE << 32 | 0xc, 0, 0), go(); }
static void sync_of_another(void)
{
	command((u64)DEVICE << 32 | 0xc, 0, 0);
	command(5, 0, target(1));
	go();
}
static void sync_of_nobody(void) { command(5, 0, 99UL << 16), go(); }
static void unknown_command(void) { command(0x1f, 0, 0), go(); }
static void reserved_field(void) { about(0xc, DEVICE, BIT(40), 0); }
static void inv_of_unmapped_device(void) { about(0xc, 9, 0, 0); }
static void inv_of_unmapped_event(void) { about(0xc, DEVICE, 3, 0); }
static void int_of_unmapped_event(void) { about(3, DEVICE, 3, 0); }
static void clear_of_unmapped_event(void) { about(4, DEVICE, 3, 0); }
static void discard_of_unmapped_event(void) { about(0xf, DEVICE, 3, 0); }
static void movi_to_unmapped_collection(void) { about(1, DEVICE, 0, 2); }
static void movi_of_unmapped_event(void) { about(1, DEVICE, 1, 0); }
static void invall_of_unmapped_collection(void) { send(0xd, 0, 2); }
static void collection_beyond_the_table(void) { send(0xd, 0, 0xffff); }
static void mapti_of_unmapped_device(void) { about(0xa, 9, 8193UL << 32, 0); }
static void mapti_beyond_the_itt(void) { about(0xa, DEVICE, 8193UL << 32 | EVENTS, 0); }
static void mapti_twice(void) { about(0xa, DEVICE, 8193UL << 32, 0); }
static void mapti_of_one_lpi_twice(void) { about(0xa, DEVICE, (u64)LPI << 32 | 1, 0); }
static void mapti_of_no_lpi(void) { about(0xa, DEVICE, 8191UL << 32 | 1, 0); }
static void mapti_beyond_the_lpis(void) { about(0xa, DEVICE, BIT(LPI_BITS) << 32 | 1, 0); }
static void mapti_to_unmapped_collection(void) { about(0xa, DEVICE, 8193UL << 32 | 1, 5); }
static void mapc_to_lpis_off(void) { send(9, 0, VALID | target(1) | 1); }
static void mapc_to_nobody(void) { send(9, 0, VALID | 99UL << 16 | 1); }
static void mapc_of_one_in_use(void) { send(9, 0, target(0)); }
static void mapd_twice(void) { mapd(DEVICE, alloc_pages(0), 2); }
static void mapd_of_too_many_events(void) { mapd(9, alloc_pages(0), GICV3_EVENT_BITS + 1); }
static void mapd_beyond_the_table(void) { mapd(BIT(GICV3_DEVICE_BITS), alloc_pages(0), 2); }
static void mapd_without_a_page(void) { mapd(0x300, alloc_pages(0), 2); }
static void mapd_with_a_short_table(void) { mapd(9, kzalloc(256), 5); }
static void mapd_with_a_table_not_zeroed(void) { mapd(9, memset(alloc_pages(0), 1, 16), 2); }
static void mapd_with_another_ones_table(void) { mapd(9, itt, 2); }
static void mapd_with_a_table_not_aligned(void)
{
	command(9UL << 32 | 8, 1, VALID | ((u64)alloc_pages(0) + 128));
	go();
}
static void unmapped_with_events(void) { command((u64)DEVICE << 32 | 8, 0, 0), go(); }
static void unmapped_twice(void) { command(9UL << 32 | 8, 0, 0), go(); }
static void itt_written(void) { ((u32 *)itt)[1] = 1, message(); }
static void itt_freed(void) { free_pages(itt, 0), message(); }
static void device_page_moved(void) { devices[0] = VALID | (u64)alloc_pages(0), message(); }
static void collection_table_written(void) { memset(collections, 0, 8), message(); }
static void message_of_another_size(void) { host_bus_write(GICV3_ITS + 0x10040, 0, 2); }

static void its_commands_catch(void **state)
{
	static const struct violation rules[] = {
		VIOLATION(queue_moved_while_on, "GITS_CBASER is written while the ITS works"),
		VIOLATION(table_moved_while_on, "GITS_BASER0 is written while the ITS works"),
		VIOLATION(cwriter_beyond, "GITS_CWRITER 0x10000 lies beyond the queue"),
		VIOLATION(cwriter_between, "GITS_CWRITER: reserved bits 0x1"),
		VIOLATION(queue_overrun, "the command queue overruns: 2047 commands wait, 1 are"),
		VIOLATION(command_overwritten, "was overwritten before it was read"),
		VIOLATION(commands_left, "commands are left in the queue"),
		VIOLATION(no_sync, "inv is not followed by a SYNC to its redistributor"),
		VIOLATION(sync_of_another, "inv is not followed by a SYNC to its redistributor"),
		VIOLATION(sync_of_nobody, "sync: there is no redistributor 0x63"),
		VIOLATION(unknown_command, "there is no command 0x1f"),
		VIOLATION(reserved_field, "inv: reserved bits"),
		VIOLATION(inv_of_unmapped_device, "inv: device 0x9 is not mapped"),
		VIOLATION(inv_of_unmapped_event, "inv: event 3 of device 0x8 is not mapped"),
		VIOLATION(int_of_unmapped_event, "int: event 3 of device 0x8 is not mapped"),
		VIOLATION(clear_of_unmapped_event, "clear: event 3 of device 0x8 is not mapped"),
		VIOLATION(discard_of_unmapped_event, "discard: event 3 of device 0x8 is not"),
		VIOLATION(movi_to_unmapped_collection, "movi: collection 2 is not mapped"),
		VIOLATION(movi_of_unmapped_event, "movi: event 1 of device 0x8 is not mapped"),
		VIOLATION(invall_of_unmapped_collection, "invall: collection 2 is not mapped"),
		VIOLATION(collection_beyond_the_table, "collection 65535 lies beyond their"),
		VIOLATION(mapti_of_unmapped_device, "mapti: device 0x9 is not mapped"),
		VIOLATION(mapti_beyond_the_itt, "mapti: device 0x8 has no event 4"),
		VIOLATION(mapti_twice, "mapti: event 0 of device 0x8 is mapped already"),
		VIOLATION(mapti_of_one_lpi_twice, "mapti: LPI 8192 is of another event already"),
		VIOLATION(mapti_of_no_lpi, "mapti: INTID 8191 is no LPI"),
		VIOLATION(mapti_beyond_the_lpis, "mapti: INTID 16384 is no LPI"),
		VIOLATION(mapti_to_unmapped_collection, "mapti: collection 5 is not mapped"),
		VIOLATION(mapc_to_lpis_off, "goes to redistributor 1, whose LPIs are off"),
		VIOLATION(mapc_to_nobody, "mapc: there is no redistributor 0x63"),
		VIOLATION(mapc_of_one_in_use, "mapc: collection 0 changes while events are in it"),
		VIOLATION(mapd_twice, "mapd: device 0x8 is mapped already"),
		VIOLATION(mapd_of_too_many_events, "mapd: device 0x9: 9 bits of event"),
		VIOLATION(mapd_beyond_the_table, "device 0x10000: the ITS knows 16 bits"),
		VIOLATION(mapd_without_a_page, "device 0x300: its page of the device table is not"),
		VIOLATION(mapd_with_a_short_table, "an ITT: 0x"),
		VIOLATION(mapd_with_a_table_not_zeroed, "an ITT is not zeroed"),
		VIOLATION(mapd_with_another_ones_table, "lies in an ITT"),
		VIOLATION(mapd_with_a_table_not_aligned, "mapd: reserved bits 0x80"),
		VIOLATION(unmapped_with_events, "mapd: device 0x8 is unmapped, but has events"),
		VIOLATION(unmapped_twice, "mapd: device 0x9 is not mapped"),
		VIOLATION(itt_written, "an ITT was written by software"),
		VIOLATION(itt_freed, "an ITT: 0x"),
		VIOLATION(device_page_moved, "its page of the device table has been changed"),
		VIOLATION(collection_table_written, "a collection table was written by software"),
		VIOLATION(queue_freed, "the command queue: 0x"),
		VIOLATION(message_of_another_size, "GITS_TRANSLATER: a message of 2 bytes"),
	};

	(void)state;
	setup = (struct gicv3_setup){ 0 };
	assert_violations(rules, ARRAY_SIZE(rules), translating);
}

static void what_is_right_is_not_objected_to(void **state)
{
	(void)state;
	setup = (struct gicv3_setup){ 0 };
	translating();
	message();
	assert_true(gicv3_pending(0, LPI));
	assert_int_equal(sysreg_read(ICC_IAR1_EL1), LPI);
	sysreg_write(ICC_EOIR1_EL1, LPI);
	about(0xf, DEVICE, 0, 0);
	assert_false(gicv3_message(DEVICE, 0));
	assert_int_equal(gicv3_lost(), 1);
	command((u64)DEVICE << 32 | 8, 0, 0), go();
	gicv3_check();
}

static int teardown(void **state)
{
	(void)state;
	host_init(1);
	return 0;
}
#define M(fn)	cmocka_unit_test_teardown(fn, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		M(what_is_right_is_not_objected_to),
		M(distributor_catches),
		M(distributor_without_routing_catches),
		M(disabled_line_comes_until_waited_for),
		M(redistributor_catches),
		M(cpu_interface_catches),
		M(lpis_catch),
		M(its_start_catches),
		M(its_commands_catch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

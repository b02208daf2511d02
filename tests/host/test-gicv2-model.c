/* That the GICv2's model catches what it names: every rule broken once, without the drivers. */
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/smp.h>
#include "models/gicv2.h"
#include "support/rec.h"
#include "support/violation.h"

#define LINE	40U

static char *dist, *cpu, *frame;

/* Claims nothing, takes everything; SGIs are on; LINE is an edge to CPU 0, and off. */
static void running(void)
{
	static const u64 hwid[] = { 0, 1, 2, 3 };

	host_init(4);
	gicv2_model(4, hwid, 80U << 16 | 64);
	arch_local_irq_disable();
	dist = ioremap(GIC_DIST, 0x1000);
	cpu = ioremap(GIC_CPU, 0x2000);
	frame = ioremap(GIC_FRAME, 0x1000);
	for (unsigned int n = 0; n < GIC_INTIDS; n += 32) {
		writel(~0U, dist + 0x180 + n / 8);
		writel(~0U, dist + 0x280 + n / 8);
		writel(~0U, dist + 0x380 + n / 8);
	}
	for (unsigned int i = 0; i < 4; i++)
		writel(~0U, dist + 0xf10 + 4 * i);
	writel(0xffff, dist + 0x100);
	writel(2U << LINE % 16 * 2, dist + 0xc00 + LINE / 16 * 4);
	writeb(1, dist + 0x800 + LINE);
	writel(1, dist);
	writel(0, cpu + 0xd0);
	writel(0xf0, cpu + 4);
	writel(1, cpu);
}

static void on(void) { writel(BIT(LINE % 32), dist + 0x104); }
static u32 claim(void)
{
	on();
	gicv2_wire(LINE, true);
	return readl(cpu + 0x0c);
}

static void line_that_is_none(void) { writel(1, dist + 0x100 + GIC_INTIDS / 8); }
static void enable_by_a_byte(void) { writeb(1, dist + 0x105); }
static void read_by_a_half(void) { readw(dist + 0x400); }
static void trigger_while_enabled(void) { on(), writel(0, dist + 0xc00 + LINE / 16 * 4); }
static void targets_while_enabled(void) { on(), writeb(2, dist + 0x800 + LINE); }
static void target_that_is_none(void) { writeb(0x10, dist + 0x800 + LINE); }
static void targets_of_a_ppi(void) { writeb(1, dist + 0x800 + 30); }
static void reserved_bit_of_the_distributor(void) { writel(3, dist); }
static void sgi_to_nobody(void) { writel(3, dist + 0xf00); }
static void sgi_by_a_filter(void) { writel(1U << 24 | 1U << 16 | 3, dist + 0xf00); }
static void register_that_is_none(void) { writel(1, dist + 0xe00); }
static void read_of_what_is_none(void) { readl(dist + 0xf00); }

static void end_of_nothing(void) { writel(LINE, cpu + 0x10); }
static void end_of_spurious(void) { writel(readl(cpu + 0x0c), cpu + 0x10); }
static void end_of_another(void) { writel(claim() + 1, cpu + 0x10); }
static void end_twice(void)
{
	u32 iar = claim();

	writel(iar, cpu + 0x10);
	writel(iar, cpu + 0x10);
}
static void end_without_the_sender(void)
{
	host_set_cpu(2);
	writel(1U << 16 | 3, dist + 0xf00);
	host_set_cpu(0);
	arch_local_irq_disable();
	writel(readl(cpu + 0x0c) & 15, cpu + 0x10);
}
static void claimed_and_left(void) { claim(), gicv2_check(); }
static void claim_with_interrupts_on(void)
{
	host_irqs_on = true;
	readl(cpu + 0x0c);
	host_irqs_on = false;
}
static void claim_by_a_byte(void) { readb(cpu + 0x0c); }
static void ninth_bit_of_priority(void) { writel(0x1f0, cpu + 4); }
static void reserved_bit_of_the_interface(void) { writel(0x401, cpu); }
static void reserved_bit_of_the_point(void) { writel(8, cpu + 8); }
static void invented_active_priority(void) { writel(1, cpu + 0xd0); }
static void interface_register_that_is_none(void) { writel(0, cpu + 0x100); }
static void interface_read_of_what_is_none(void) { readl(cpu + 0x10); }

static void message_for_a_level(void) { host_bus_write(GIC_FRAME + 0x40, 90, 4); }
static void message_of_two_bytes(void) { host_bus_write(GIC_FRAME + 0x40, 90, 2); }
static void message_elsewhere(void) { host_bus_write(GIC_FRAME + 0x44, 90, 4); }
static void frame_read_elsewhere(void) { readl(frame + 0x40); }

static void every_rule_is_watched(void **state)
{
	static const struct violation rules[] = {
		VIOLATION(line_that_is_none, "there is no INTID 288"),
		VIOLATION(enable_by_a_byte, "GICD store of 1 bytes at 0x105"),
		VIOLATION(read_by_a_half, "GICD load of 2 bytes at 0x400"),
		VIOLATION(trigger_while_enabled, "INTID 40 changes its trigger while enabled"),
		VIOLATION(targets_while_enabled, "the targets of INTID 40 change while"),
		VIOLATION(target_that_is_none, "INTID 40: no interface is target 0x10"),
		VIOLATION(targets_of_a_ppi, "the targets of INTID 30 are read-only"),
		VIOLATION(reserved_bit_of_the_distributor, "GICD_CTLR: reserved bits 0x2"),
		VIOLATION(sgi_to_nobody, "SGI 3 goes to nobody"),
		VIOLATION(sgi_by_a_filter, "GICD_SGIR: reserved bits 0x1000000"),
		VIOLATION(register_that_is_none, "GICD store at 0xe00"),
		VIOLATION(read_of_what_is_none, "GICD load at 0xf00"),
		VIOLATION(end_of_nothing, "interface 0 ends 0x28, but has claimed nothing"),
		VIOLATION(end_of_spurious, "interface 0 ends 0x3ff, but has claimed nothing"),
		VIOLATION(end_of_another, "interface 0 ends 0x29, but has claimed 0x28"),
		VIOLATION(end_twice, "interface 0 ends 0x28, but has claimed nothing"),
		VIOLATION(end_without_the_sender, "ends 0x3, but has claimed 0x803"),
		VIOLATION(claimed_and_left, "interface 0 has claimed 0x28 and not ended it"),
		VIOLATION(claim_with_interrupts_on, "uses its interface with interrupts on"),
		VIOLATION(claim_by_a_byte, "GICC load of 1 bytes"),
		VIOLATION(ninth_bit_of_priority, "GICC_PMR: reserved bits 0x100"),
		VIOLATION(reserved_bit_of_the_interface, "GICC_CTLR: reserved bits 0x400"),
		VIOLATION(reserved_bit_of_the_point, "GICC_BPR: reserved bits 0x8"),
		VIOLATION(invented_active_priority, "GICC_APR: reserved bits 0x1"),
		VIOLATION(interface_register_that_is_none, "GICC store at 0x100"),
		VIOLATION(interface_read_of_what_is_none, "GICC load at 0x10"),
		VIOLATION(message_for_a_level, "a message comes for INTID 90, which is a level"),
		VIOLATION(message_of_two_bytes, "frame store of 2 bytes at 0x40"),
		VIOLATION(message_elsewhere, "frame store of 4 bytes at 0x44"),
		VIOLATION(frame_read_elsewhere, "frame load of 4 bytes at 0x40"),
	};

	(void)state;
	assert_violations(rules, ARRAY_SIZE(rules), running);
}

static void what_is_right_is_not_objected_to(void **state)
{
	(void)state;
	running();
	writel(claim(), cpu + 0x10);
	writel(1U << 16 | 3, dist + 0xf00);
	writel(readl(cpu + 0x0c), cpu + 0x10);
	assert_int_equal(readl(cpu + 0x0c), 1023);
	gicv2_check();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_is_watched),
		cmocka_unit_test(what_is_right_is_not_objected_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

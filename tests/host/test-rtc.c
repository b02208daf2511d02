/* The real goldfish RTC and PL031 drivers on models, and the shell's alarm that sleeps on them. */
#include <asm/csr.h>
#include <kernel/driver.h>
#include <kernel/printk.h>
#include <kernel/rtc.h>
#include <kernel/shell.h>
#include <stdio.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"
#include "support/tree.h"

#define WIRE		11
#define RTC_BASE	0x101000
#define EPOCH		1700000000ULL	/* when the clocks begin */

DECLARE_TABLE(of_driver, const struct of_driver);

/* ---- Its controller: one level wire, and the CPU's external interrupt -------------------------- */

static struct irq_domain *intc;
static bool wire, masked;

static void update_wire(void)
{
	host_set_line(0, IRQ_S_EXT, wire && !masked);
}

static void set_wire(bool level)
{
	wire = level;
	update_wire();
}

static void intc_mask(struct irq_data *d) { (void)d; masked = true; update_wire(); }
static void intc_unmask(struct irq_data *d) { (void)d; masked = false; update_wire(); }
static const struct irq_chip intc_chip = {
	.name = "intc", .irq_mask = intc_mask, .irq_unmask = intc_unmask,
};

static int intc_map(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	irq_domain_set_info(d, virq, hwirq, &intc_chip, NULL, handle_level_irq, NULL, NULL);
	return 0;
}

static const struct irq_domain_ops intc_ops = { .map = intc_map, .xlate = irq_domain_xlate_onecell };

static void root_irq(struct pt_regs *regs)
{
	(void)regs;
	generic_handle_domain_irq(intc, WIRE);
}

/* ---- Models ------------------------------------------------------------------------------------- */

/* What an alarm that was armed finds when its time has come: only the last one armed counts. */
static unsigned long armings;
static bool dead;			/* the alarm never comes */

static struct { u64 alarm; u32 high; bool enabled, pending; } gf;

static void gf_update(void) { set_wire(gf.pending && gf.enabled); }

static void gf_due(void *priv)
{
	if (dead || (unsigned long)priv != armings)
		return;
	gf.pending = true;
	gf_update();
}

static u64 gf_now(void) { return EPOCH * NSEC_PER_SEC + host_now(); }

static u64 gf_read(void *priv, u64 offset, unsigned int size)
{
	u64 now = gf_now();

	(void)priv;
	if (size != 4 || offset > 4)
		host_die("goldfish model: load of %u bytes at 0x%lx", size, (unsigned long)offset);
	if (offset)
		return gf.high;
	gf.high = now >> 32;
	return (u32)now;
}

static void gf_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	if (size != 4)
		host_die("goldfish model: store of %u bytes", size);
	switch (offset) {
	case 0x08:
		gf.alarm = gf.alarm >> 32 << 32 | v;
		host_after(gf.alarm > gf_now() ? gf.alarm - gf_now() : 0, gf_due,
			   (void *)++armings);
		break;
	case 0x0c: gf.alarm = v << 32 | (u32)gf.alarm; break;
	case 0x10: gf.enabled = v & 1; break;
	case 0x14: armings++; break;
	case 0x1c: gf.pending = false; break;
	default: host_die("goldfish model: store at 0x%lx", (unsigned long)offset);
	}
	gf_update();
}

/* Counts from EPOCH, half a second after every full one of the kernel's clock. */
static struct { u32 match; bool started, enabled, raw; unsigned int ticks_at_reads; u32 more; } pl;

static void pl_update(void) { set_wire(pl.raw && pl.enabled); }
static u64 pl_phase(void) { return host_now() + NSEC_PER_SEC / 2; }
static u32 pl_count(void) { return EPOCH + pl_phase() / NSEC_PER_SEC + pl.more; }

static void pl_due(void *priv)
{
	if (dead || (unsigned long)priv != armings)
		return;
	pl.raw = true;
	pl_update();
}

static void pl_compare(void)
{
	u32 ticks = pl.match - pl_count();

	armings++;
	if (!ticks)
		pl.raw = !dead;
	else if (ticks < 1000000)
		host_after(ticks * NSEC_PER_SEC - pl_phase() % NSEC_PER_SEC, pl_due,
			   (void *)armings);
}

static u64 pl_read(void *priv, u64 offset, unsigned int size)
{
	u32 now = pl_count();

	(void)priv;
	if (size != 4)
		host_die("pl031 model: load of %u bytes", size);
	switch (offset) {
	case 0x00:
		if (pl.ticks_at_reads) {	/* it ticks right behind this read */
			pl.ticks_at_reads--;
			pl.more++;
			pl_compare();
		}
		return now;
	case 0x0c: return pl.started;
	case 0x18: return pl.raw && pl.enabled;
	default: host_die("pl031 model: load at 0x%lx", (unsigned long)offset);
	}
}

static void pl_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	if (size != 4)
		host_die("pl031 model: store of %u bytes", size);
	switch (offset) {
	case 0x04: pl.match = v; pl_compare(); break;
	case 0x0c: pl.started |= v & 1; break;
	case 0x10: pl.enabled = v & 1; break;
	case 0x1c: pl.raw = false; break;
	default: host_die("pl031 model: store at 0x%lx", (unsigned long)offset);
	}
	pl_update();
}

/* ---- The machine -------------------------------------------------------------------------------- */

static struct tree tree;

static void power_on(const char *compatible)
{
	static const struct host_mmio_ops gf_ops = { gf_read, gf_write };
	static const struct host_mmio_ops pl_ops = { pl_read, pl_write };

	tree_begin(&tree);
	tree_cells(&tree, "#address-cells", 1, 2);
	tree_cells(&tree, "#size-cells", 1, 2);
	tree_cells(&tree, "interrupt-parent", 1, 1);
	tree_node(&tree, "intc");
	tree_empty(&tree, "interrupt-controller");
	tree_cells(&tree, "#interrupt-cells", 1, 1);
	tree_cells(&tree, "phandle", 1, 1);
	tree_end(&tree);
	tree_node(&tree, "rtc@101000");
	tree_string(&tree, "compatible", compatible);
	tree_cells(&tree, "reg", 4, 0, RTC_BASE, 0, 0x1000);
	tree_cells(&tree, "interrupts", 1, WIRE);
	tree_end(&tree);
	rec_setup(NULL);
	assert_int_equal(of_init(tree_finish(&tree, NULL)), 0);
	intc = irq_domain_create_linear(of_fwnode(of_find_node_by_path("/intc")), 16, &intc_ops,
					NULL);
	assert_non_null(intc);
	assert_int_equal(set_handle_irq(root_irq), 0);
	wire = dead = false;
	masked = true;
	armings = 0;
	memset(&gf, 0, sizeof(gf));
	memset(&pl, 0, sizeof(pl));
	gf.pending = pl.raw = true;		/* left by firmware */
	host_mmio_add("rtc", RTC_BASE, 0x1000, strstr(compatible, "pl031") ? &pl_ops : &gf_ops,
		      NULL);
	csr_write(CSR_SIE, BIT(IRQ_S_EXT));
}

static int setup_goldfish(void **state)
{
	(void)state;
	power_on("google,goldfish-rtc");
	of_probe_drivers(PROBE_NORMAL);
	return 0;
}

static int setup_pl031(void **state)
{
	(void)state;
	power_on("arm,pl031");
	of_probe_drivers(PROBE_NORMAL);
	return 0;
}

static unsigned int alarms(void)
{
	return irq_to_desc(rtc_get()->irq)->tot_count;
}

/* An alarm of that many seconds comes, not before LEAST ns. */
static void good_alarm(unsigned int seconds, u64 least)
{
	u64 begun = host_now(), ns = 0;
	unsigned int before = alarms();

	assert_int_equal(rtc_sleep(rtc_get(), seconds, &ns), 0);
	assert_in_range(ns, least, seconds * NSEC_PER_SEC + NSEC_PER_MSEC);
	assert_in_range(host_now() - begun, ns, ns + NSEC_PER_MSEC);
	assert_int_equal(alarms(), before + 1);
	assert_false(wire);
}

/* ---- Tests -------------------------------------------------------------------------------------- */

static void goldfish_alarms_come_to_the_nanosecond(void **state)
{
	(void)state;
	assert_string_equal(rtc_get()->name, "rtc@101000");
	assert_int_equal(alarms(), 0);
	for (unsigned int s = 1; s < 12; s += 3)
		good_alarm(s, s * NSEC_PER_SEC);
	good_alarm(RTC_MAX_SECONDS, RTC_MAX_SECONDS * NSEC_PER_SEC);
}

static void pl031_alarms_come_with_a_tick(void **state)
{
	(void)state;
	assert_true(pl.started);
	assert_int_equal(alarms(), 0);
	for (unsigned int s = 1; s < 12; s += 3)
		good_alarm(s, (s - 1) * NSEC_PER_SEC);
	good_alarm(RTC_MAX_SECONDS, (RTC_MAX_SECONDS - 1) * NSEC_PER_SEC);
}

/* Between reading the clock and setting the match, and before the old state is cleared. */
static void pl031_ticks_while_it_is_set(void **state)
{
	(void)state;
	for (unsigned int ticks = 1; ticks < 6; ticks++) {
		pl.ticks_at_reads = ticks;
		good_alarm(1, 1);
		pl.ticks_at_reads = ticks;
		good_alarm(3, 2 * NSEC_PER_SEC);
	}
	pl.ticks_at_reads = 1000;
	assert_int_equal(rtc_sleep(rtc_get(), 1, &(u64){ 0 }), -EIO);
	pl.ticks_at_reads = 0;
	good_alarm(2, NSEC_PER_SEC);
}

static void an_alarm_that_never_comes(void **state)
{
	char text[256];
	u64 begun = host_now();

	(void)state;
	dead = true;
	assert_int_equal(shell_capture("alarm 2", text, sizeof(text)), -ETIMEDOUT);
	assert_non_null(strstr(text, "{\"error\":\"rtc@101000: no interrupt on irq "));
	assert_in_range(host_now() - begun, 7 * NSEC_PER_SEC, 8 * NSEC_PER_SEC);
	dead = false;
	good_alarm(3, 2 * NSEC_PER_SEC);
}

static void type_ctrl_c(void *priv)
{
	(void)priv;
	console_input(3);
}

static void ctrl_c_cancels(void **state)
{
	u64 begun = host_now();
	char text[256];

	(void)state;
	host_after(NSEC_PER_SEC / 4, type_ctrl_c, NULL);
	assert_int_equal(shell_capture("alarm 3", text, sizeof(text)), -EINTR);
	assert_string_equal(text, "{\"error\":\"alarm: interrupted\"}");
	assert_in_range(host_now() - begun, NSEC_PER_SEC / 4, NSEC_PER_SEC / 2);
	assert_int_equal(alarms(), 0);
	good_alarm(5, 4 * NSEC_PER_SEC);	/* and the first one does not end it */
}

static void the_command(void **state)
{
	char text[256], want[256];
	unsigned int seconds, irq;
	unsigned long ns;

	(void)state;
	assert_int_equal(shell_capture("alarm 2", text, sizeof(text)), 0);
	assert_int_equal(sscanf(text, "{\"seconds\":%u,\"ns\":%lu,\"irq\":%u}", &seconds, &ns, &irq),
			 3);
	snprintf(want, sizeof(want), "{\"seconds\":%u,\"ns\":%lu,\"irq\":%u}", 2, ns,
		 rtc_get()->irq);
	assert_string_equal(text, want);
	assert_in_range(ns, 2 * NSEC_PER_SEC, 2 * NSEC_PER_SEC + NSEC_PER_MSEC);
	assert_int_equal(shell_capture("alarm", text, sizeof(text)), -EINVAL);
	assert_int_equal(shell_capture("alarm 1 2", text, sizeof(text)), -EINVAL);
	assert_int_equal(shell_capture("alarm soon", text, sizeof(text)), -EINVAL);
	assert_int_equal(shell_capture("alarm 0", text, sizeof(text)), -EINVAL);
	assert_int_equal(shell_capture("alarm 86401", text, sizeof(text)), -EINVAL);
	assert_string_equal(text, "{\"error\":\"SECONDS is 86401, not 1 to 86400\"}");
	assert_int_equal(shell_capture("alarm 99999999999999999999", text, sizeof(text)), -EINVAL);
	assert_int_equal(alarms(), 1);
}

static void no_clock(void **state)
{
	char text[256];

	(void)state;
	rec_setup(NULL);
	assert_null(rtc_get());
	assert_int_equal(shell_capture("alarm 1", text, sizeof(text)), -ENODEV);
	assert_string_equal(text, "{\"error\":\"this machine has no real-time clock with a "
				  "driver\"}");
}

/* ---- Coming and going --------------------------------------------------------------------------- */

static struct platform_device pdev;

static const struct of_driver *driver_of(struct device_node *np)
{
	pdev = (struct platform_device){ .node = np };
	pdev.dev.name = np->name;
	pdev.dev.fwnode = &np->fwnode;
	for_each_table(pos, of_driver, const struct of_driver)
		if (of_device_is_compatible(np, (*pos)->compatible[0]))
			return *pos;
	fail_msg("no driver");
	return NULL;
}

static bool come_and_go(void *arg)
{
	const struct of_driver *driver = arg;

	if (driver->probe(&pdev))
		return false;
	driver->remove(&pdev);
	return true;
}

static void come_and_go_of(const char *compatible)
{
	const struct of_driver *driver;

	power_on(compatible);
	irq_create_mapping(intc, WIRE);
	driver = driver_of(of_find_node_by_path("/rtc@101000"));
	assert_true(fail_each(come_and_go, (void *)driver) >= 2);
	assert_null(rtc_get());
	assert_true(masked);
	assert_false(wire);
	assert_int_equal(driver->probe(&pdev), 0);
	good_alarm(2, NSEC_PER_SEC);
	assert_int_equal(driver->probe(&pdev), -EBUSY);
	driver->remove(&pdev);
}

static void removed_or_without_memory_nothing_is_left(void **state)
{
	(void)state;
	come_and_go_of("google,goldfish-rtc");
	come_and_go_of("arm,pl031");
}

#define GF(fn)	cmocka_unit_test_setup(fn, setup_goldfish)
#define PL(fn)	cmocka_unit_test_setup(fn, setup_pl031)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GF(goldfish_alarms_come_to_the_nanosecond),
		PL(pl031_alarms_come_with_a_tick),
		PL(pl031_ticks_while_it_is_set),
		GF(an_alarm_that_never_comes),
		PL(an_alarm_that_never_comes),
		GF(ctrl_c_cancels),
		PL(ctrl_c_cancels),
		GF(the_command),
		GF(no_clock),
		GF(removed_or_without_memory_nothing_is_left),
	};

	return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}

/*
 * The real ITS driver, under the real PCI layer, on strict models: what the commands are, what a
 * message does, and that nothing is done behind the redistributors' backs.
 */
#include <drivers/irqchip/gic-v3.h>
#include <drivers/irqchip/gic-v3-its.h>
#include <drivers/pci/pci.h>
#include <kernel/msi.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <stdio.h>
#include <string.h>
#include "models/pci.h"
#include "support/doctor.h"
#include "support/gicv3-board.h"
#include "support/rec.h"
#include "support/traffic.h"

#define NR_FUNCTIONS	4
#define ROWS		8

/* DeviceIDs: A and B are functions of one slot, and cannot be told apart. */
#define DEVICE_AB	(GICV3_PCI_OFFSET + 8)
#define DEVICE_C	(GICV3_PCI_OFFSET + 16)
#define DEVICE_D	(GICV3_PCI_OFFSET + 24)
enum { A, B, C, D };

static struct pci_function fn[NR_FUNCTIONS];

static int probe(struct pci_dev *dev)
{
	int ret = pci_enable_device(dev);

	pci_set_master(dev);
	return ret;
}
static void removed(struct pci_dev *dev) { (void)dev; }

static const struct pci_device_id ids[] = { { 0x1234, PCI_ANY_ID, 0, 0 }, { 0, 0, 0, 0 } };
static const struct pci_driver driver = {
	.name = "test-its", .id_table = ids, .probe = probe, .remove = removed,
};
PCI_DRIVER(driver);

static void functions(void)
{
	static const u8 devfn[] = { 8, 9, 16, 24 };
	static const u8 rows[] = { ROWS, ROWS, 5, 0 };

	memset(fn, 0, sizeof(fn));
	for (unsigned int i = 0; i < NR_FUNCTIONS; i++) {
		fn[i].devfn = devfn[i];
		fn[i].vendor = 0x1234;
		fn[i].device = 0x1000 + i;
		fn[i].class = 0xff0000;
		fn[i].header_type = i == A ? 0x80 : 0;
		fn[i].bar[1].size = 0x1000;
		fn[i].msix_bar = 1;
		fn[i].msix_rows = rows[i];
		fn[i].has_msi = i == D;
		fn[i].msi_log2 = 2;
		pci_model_add(&fn[i]);
	}
}

static struct gicv3_board board;

static int boot(void)
{
	board.pci = true;
	board.more = functions;
	rec_ret = IRQ_HANDLED;
	rec_take();
	gicv3_boot(&board);
	return 0;
}

static int as_usual(void **state)
{
	(void)state;
	board = (struct gicv3_board){ .no_its = false };
	return boot();
}
static int otherwise(void **state)		/* addresses for CPUs, flat tables of 64 KiB pages */
{
	(void)state;
	board = (struct gicv3_board){ .gic = { .pta = true, .no_indirect = true, .page = 3 } };
	return boot();
}
static int slowly(void **state)
{
	(void)state;
	board = (struct gicv3_board){ .gic = { .slow = 3 }, .arguments = "gic.eoimode=1" };
	return boot();
}
static int teardown(void **state)
{
	(void)state;
	gicv3_check();
	return 0;
}
#define I(fn)	cmocka_unit_test_setup_teardown(fn, as_usual, teardown)
#define I3(fn)	I(fn), cmocka_unit_test_setup_teardown(fn, otherwise, teardown),		\
		cmocka_unit_test_setup_teardown(fn, slowly, teardown)

static struct pci_dev *dev_of(unsigned int f)
{
	struct pci_dev *dev;
	char bdf[16];

	snprintf(bdf, sizeof(bdf), "%02x:%02x.%u", fn[f].bus, fn[f].devfn >> 3, fn[f].devfn & 7);
	devices_lock();
	dev = pci_find_dev(bdf);
	devices_unlock();
	assert_non_null(dev);
	return dev;
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static unsigned int runs, ran_on;

static irqreturn_t serve(int irq, void *arg)
{
	(void)irq, (void)arg;
	runs++;
	ran_on = smp_processor_id();
	return IRQ_HANDLED;
}

/* The first of NR vectors of that function, requested. */
static unsigned int line(unsigned int f, unsigned int nr)
{
	int irq;

	assert_int_equal(pci_alloc_irq_vectors(dev_of(f), nr, nr, PCI_IRQ_MSIX | PCI_IRQ_MSI), nr);
	irq = pci_irq_vector(dev_of(f), 0);
	assert_int_equal(request_irq(irq, serve, 0, "its-test", fn), 0);
	runs = 0;
	return irq;
}

static void unline(unsigned int f, unsigned int irq)
{
	free_irq(irq, fn);
	pci_free_irq_vectors(dev_of(f));
}

static void comes(unsigned int f, unsigned int n, unsigned int cpu)
{
	unsigned int before = runs;

	assert_true(pci_model_send(&fn[f], n));
	host_run_deferred();
	assert_int_equal(runs, before + 1);
	assert_int_equal(ran_on, cpu);
	assert_int_equal(gicv3_lost(), 0);
}

static struct irq_data *its_data(unsigned int irq)
{
	return irq_domain_get_irq_data(gic.its->domain, irq);
}

static unsigned int cpu_of(unsigned int irq)
{
	const struct cpumask *mask = irq_data_get_effective_affinity_mask(irq_get_irq_data(irq));

	assert_int_equal(cpumask_weight(mask), 1);
	return cpumask_first(mask);
}

/* The trace is that text, in which %C stands for CPU. */
static void assert_trace(const char *expected, unsigned int cpu)
{
	char text[512], *out = text;

	for (const char *p = expected; *p; p++) {
		if (p[0] == '%' && p[1] == 'C')
			out += sprintf(out, "%u", cpu), p++;
		else
			*out++ = *p;
	}
	*out = '\0';
	assert_string_equal(gicv3_trace(), text);
}

/* ---- Start ---------------------------------------------------------------------------------- */

static const char *after(const char *text, const char *word)
{
	const char *found = strstr(text, word);

	if (!found)
		fail_msg("no %s after %s", word, text);
	return found;
}

static void s171_each_cpu_has_tables_before_lpis_and_lpis_before_mapc(void **state)
{
	const char *trace = gicv3_trace();

	(void)state;
	for (unsigned int cpu = 0; cpu < GICV3_CPUS; cpu++) {
		char words[6][24];
		const char *p = trace;

		sprintf(words[0], "propbaser(%u)", cpu);
		sprintf(words[1], "pendbaser(%u)", cpu);
		sprintf(words[2], "lpis(%u,1)", cpu);
		sprintf(words[3], "mapc(%u,%u)", cpu, cpu);
		sprintf(words[4], "sync(%u) invall(%u)", cpu, cpu);
		sprintf(words[5], "sync(%u)", cpu);
		for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
			p = after(p, words[i]);
	}
	assert_null(strstr(host_printk(), "error"));
}

/* Firmware's tables are given up where that can be done, and else no LPI goes there. */
static void s171_lpis_that_firmware_left_on(void **state)
{
	unsigned int irq;

	(void)state;
	board = (struct gicv3_board){ .gic = { .lpis_on = true } };
	boot();
	assert_true(logged("firmware left LPIs on; from now on they use the kernel's tables"));
	irq = line(C, 5);
	comes(C, 0, cpu_of(irq));
	unline(C, irq);
	gicv3_check();
	board.gic.lpis_stuck = true;
	boot();
	assert_true(logged("they cannot be turned off: no messages for this CPU"));
	assert_null(gic.its);
	assert_int_equal(pci_alloc_irq_vectors(dev_of(C), 1, 1, PCI_IRQ_MSIX), -ENOTSUPP);
}

static void what_cannot_work_is_said(void **state)
{
	static const struct {
		struct gicv3_setup gic;
		const char *says;
	} wrong[] = {
		{ { .uncached = true }, "past the caches, which is not supported" },
		{ { .never_quiet = true }, "still busy a second after it was turned off" },
		{ { .no_lpis = true }, "has no LPIs, so no ITS can work" },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		board = (struct gicv3_board){ .gic = wrong[i].gic };
		boot();
		assert_true(logged(wrong[i].says));
		assert_null(gic.its);
	}
}

/* ---- Devices and events --------------------------------------------------------------------- */

static void s165_device_table_and_syncs(void **state)
{
	unsigned int irq, cpu;

	(void)state;
	gicv3_trace();
	irq = line(C, 5);		/* of which 8 are made; the model checks the memory */
	cpu = cpu_of(irq);
	assert_non_null(strstr(gicv3_trace(), "mapd(1010,3) mapti(1010,0,8192,"));
	assert_int_equal(irq_set_affinity(irq, cpumask_of(!cpu)), 0);
	comes(C, 0, !cpu);
	unline(C, irq);
	/* MAPD is the only command that is not followed by a SYNC to its redistributor: the model. */
	assert_null(strstr(gicv3_trace(), "mapd(1010,3) sync"));
	assert_int_equal(pci_alloc_irq_vectors(dev_of(C), 1, 1, PCI_IRQ_MSIX), 1);
	assert_non_null(strstr(gicv3_trace(), "mapd(1010,1) "));	/* at least two entries */
	pci_free_irq_vectors(dev_of(C));
}

static void s165_device_beyond_the_its_is_refused(void **state)
{
	struct its_device *dev;

	(void)state;
	mutex_lock(&gic.domain->mutex);
	assert_int_equal(its_events_take(gic.its, BIT(GICV3_DEVICE_BITS), 1, 1, &dev), -ERANGE);
	mutex_unlock(&gic.domain->mutex);
	assert_true(logged("where it knows ids of 16 bits"));
	assert_int_equal(gic_lpis_given(), 0);
}

static void s166_activation_maps_and_the_last_event_unmaps(void **state)
{
	unsigned int irq, cpu;

	(void)state;
	irq = line(C, 2);
	cpu = cpu_of(irq);
	gicv3_trace();
	free_irq(irq, fn);
	assert_trace("inv(1010,0) sync(%C) discard(1010,0) sync(%C)", cpu);
	assert_int_equal(request_irq(irq, serve, 0, "its-test", fn), 0);
	cpu = cpu_of(irq);
	assert_non_null(strstr(gicv3_trace(), "mapti(1010,0,8192,"));
	comes(C, 0, cpu);
	gicv3_trace();
	unline(C, irq);
	assert_non_null(strstr(gicv3_trace(), "mapd(1010,0)"));
	assert_int_equal(gic_lpis_given(), 0);
}

static void s167_message_is_the_event_not_the_lpi(void **state)
{
	unsigned int irq = line(A, 3), other;
	struct msi_msg msg;

	(void)state;
	for (unsigned int n = 0; n < 3; n++) {
		get_cached_msi_msg(pci_irq_vector(dev_of(A), n), &msg);
		assert_int_equal(msi_msg_address(&msg), GICV3_ITS + 0x10040);
		assert_int_equal(msg.data, n);
		assert_int_equal(its_data(irq + n)->hwirq, 8192 + n);
	}
	comes(A, 0, cpu_of(irq));		/* the model's bridge makes the DeviceID */
	other = line(C, 1);
	get_cached_msi_msg(other, &msg);
	assert_int_equal(msg.data, 0);
	assert_true(its_data(other)->hwirq > 8200);
	comes(C, 0, cpu_of(other));
	assert_int_equal(gic.its->devices.next != gic.its->devices.prev, 1);
	unline(C, other);
	unline(A, irq);
}

static u8 property(unsigned int irq)
{
	return gic.lpi_property[its_data(irq)->hwirq - GICV3_LPI];
}

static void s168_mask_is_a_byte_and_inv(void **state)
{
	unsigned int irq = line(C, 1), cpu = cpu_of(irq);
	struct irq_data *d = its_data(irq);
	u32 lpi = d->hwirq;

	(void)state;
	assert_int_equal(property(irq), 0xa3);
	gicv3_trace();
	d->chip->irq_mask(d);
	assert_trace("inv(1010,0) sync(%C)", cpu);
	assert_int_equal(property(irq), 0xa2);
	pci_model_send(&fn[C], 0);
	host_run_deferred();
	assert_int_equal(runs, 0);
	assert_true(gicv3_pending(cpu, lpi));
	gicv3_trace();
	d->chip->irq_unmask(d);
	host_run_deferred();
	assert_int_equal(property(irq), 0xa3);
	assert_int_equal(runs, 1);
	assert_non_null(strstr(gicv3_trace(), "inv(1010,0) sync("));
	unline(C, irq);
	assert_int_equal(gic.lpi_property[lpi - GICV3_LPI], 0xa2);
}

static unsigned int writes;

static void note_write(struct pci_function *f, const char *what)
{
	(void)f, (void)what;
	writes++;
}

static void s169_affinity_is_movi_and_a_sync_of_the_old_cpu(void **state)
{
	unsigned int irq = line(C, 1), old = cpu_of(irq);
	struct pci_model_row row = fn[C].row[0];
	struct cpumask two;
	char text[64];

	(void)state;
	fn[C].on_event = note_write;
	for (unsigned int n = 1; n < 2 * GICV3_CPUS; n++) {
		unsigned int cpu = (old + 1) % GICV3_CPUS;

		writes = 0;
		gicv3_trace();
		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		sprintf(text, "movi(1010,0,%u) sync(%u)", cpu, old);
		assert_string_equal(gicv3_trace(), text);
		assert_int_equal(cpu_of(irq), cpu);
		assert_memory_equal(&row, &fn[C].row[0], sizeof(row));
		assert_int_equal(writes, 0);		/* not even with the same */
		comes(C, 0, cpu);
		old = cpu;
	}
	gicv3_trace();
	assert_int_equal(irq_set_affinity(irq, cpumask_of(old)), 0);
	cpumask_copy(&two, cpumask_of(old));
	cpumask_set_cpu(!old, &two);
	assert_int_equal(irq_set_affinity(irq, &two), 0);
	assert_string_equal(gicv3_trace(), "");
	assert_int_equal(cpu_of(irq), old);
	for (unsigned int n = 0; n < 2; n++)	/* there already, and there in the end */
		assert_int_equal(its_data(irq)->chip->irq_set_affinity(its_data(irq),
				 cpumask_of((old + n) % GICV3_CPUS), false),
				 IRQ_SET_MASK_OK_DONE);
	unline(C, irq);
}

static void s169_what_is_pending_goes_along(void **state)
{
	unsigned int irq = line(C, 1), cpu = cpu_of(irq);
	struct irq_data *d = its_data(irq);

	(void)state;
	d->chip->irq_mask(d);
	pci_model_send(&fn[C], 0);
	assert_int_equal(irq_set_affinity(irq, cpumask_of((cpu + 2) % GICV3_CPUS)), 0);
	assert_false(gicv3_pending(cpu, d->hwirq));
	d->chip->irq_unmask(d);
	host_run_deferred();
	assert_int_equal(runs, 1);
	assert_int_equal(ran_on, (cpu + 2) % GICV3_CPUS);
	unline(C, irq);
}

static void s170_inject_is_int_and_clear_is_clear(void **state)
{
	unsigned int irq = line(C, 1), cpu = cpu_of(irq);
	struct irq_data *d = its_data(irq);
	bool is;

	(void)state;
	gicv3_trace();
	assert_int_equal(irq_inject_interrupt(irq), 0);
	host_run_deferred();
	assert_int_equal(runs, 1);
	assert_non_null(strstr(gicv3_trace(), "int(1010,0) sync("));
	d->chip->irq_mask(d);
	gicv3_trace();
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, true), 0);
	assert_true(gicv3_pending(cpu, d->hwirq));
	assert_trace("int(1010,0) sync(%C)", cpu);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, false), 0);
	assert_false(gicv3_pending(cpu, d->hwirq));
	assert_trace("clear(1010,0) sync(%C)", cpu);
	assert_int_equal(d->chip->irq_retrigger(d), 1);
	assert_trace("int(1010,0) sync(%C)", cpu);
	for (enum irqchip_irq_state which = IRQCHIP_STATE_ACTIVE;
	     which <= IRQCHIP_STATE_LINE_LEVEL; which++)
		assert_int_equal(irq_set_irqchip_state(irq, which, true), -EINVAL);
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_MASKED, &is), -EINVAL);
	d->chip->irq_unmask(d);
	host_run_deferred();
	assert_int_equal(runs, 2);
	unline(C, irq);
}

/* ---- The queue ------------------------------------------------------------------------------ */

/* More commands than the ring has places, done one by one while the driver looks. */
static void s172_queue_goes_round(void **state)
{
	unsigned int irq = line(C, 1);
	u64 before = its_commands_sent(gic.its);

	(void)state;
	while (its_commands_sent(gic.its) - before <
	       2 * ITS_QUEUE_SIZE / sizeof(struct its_command)) {
		assert_int_equal(irq_set_affinity(irq, cpumask_of(!cpu_of(irq))), 0);
		if (its_commands_sent(gic.its) % 64 < 2)
			comes(C, 0, cpu_of(irq));
	}
	assert_true(gicv3_commands(ITS_MOVI) > 1000);
	unline(C, irq);
}

static void s172_late_commands_are_reported_and_made_up_for(void **state)
{
	unsigned int irq = line(C, 1), cpu = cpu_of(irq);
	u64 start = host_now();

	(void)state;
	host_printk();
	gicv3_hold_commands(true);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(!cpu)), -ETIMEDOUT);
	assert_true(host_now() - start >= 1000000000 && host_now() - start < 2000000000);
	assert_true(logged("command movi is not done after a second"));
	assert_int_equal(cpu_of(irq), !cpu);		/* it will be carried out */
	assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), -EBUSY);
	assert_int_equal(cpu_of(irq), !cpu);
	gicv3_hold_commands(false);
	comes(C, 0, !cpu);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
	assert_true(logged("has caught up with its commands"));
	comes(C, 0, cpu);
	unline(C, irq);
}

/* Vectors that go while it does not answer: what it still has is taken from it later. */
static void s172_vectors_freed_while_it_is_late(void **state)
{
	unsigned int irq = line(C, 5);

	(void)state;
	for (unsigned int n = 1; n < 5; n++)
		assert_int_equal(request_irq(irq + n, serve, 0, "its-test", fn), 0);
	gicv3_hold_commands(true);
	for (unsigned int n = 1; n < 5; n++)
		free_irq(irq + n, fn);
	unline(C, irq);
	assert_true(pci_alloc_irq_vectors(dev_of(C), 5, 5, PCI_IRQ_MSIX) < 0);
	assert_int_equal(gic_lpis_given(), 8);		/* it may still use them */
	gicv3_hold_commands(false);
	irq = line(C, 5);
	for (unsigned int n = 1; n < 5; n++)
		assert_int_equal(request_irq(irq + n, serve, 0, "its-test", fn), 0);
	for (unsigned int n = 0; n < 5; n++)
		comes(C, n, cpu_of(irq + n));
	for (unsigned int n = 1; n < 5; n++)
		free_irq(irq + n, fn);
	unline(C, irq);
	assert_int_equal(gic_lpis_given(), 0);
}

static void s172_activation_that_is_late(void **state)
{
	unsigned int irq = line(C, 1);

	(void)state;
	free_irq(irq, fn);
	gicv3_hold_commands(true);
	assert_int_equal(request_irq(irq, serve, 0, "its-test", fn), -ETIMEDOUT);
	assert_int_equal(request_irq(irq, serve, 0, "its-test", fn), -EBUSY);
	gicv3_hold_commands(false);
	assert_int_equal(request_irq(irq, serve, 0, "its-test", fn), 0);
	comes(C, 0, cpu_of(irq));
	unline(C, irq);
}

/* ---- LPIs ----------------------------------------------------------------------------------- */

static void s173_wish_is_halved_until_it_fits(void **state)
{
	unsigned int irq;

	(void)state;
	board = (struct gicv3_board){ .arguments = "gic.lpis=11" };
	boot();
	irq = line(A, 1);			/* with what B may want: 16 … */
	assert_true(logged("8 LPIs instead of 16"));
	assert_int_equal(gic_lpis_given(), 8);
	assert_int_equal(pci_alloc_irq_vectors(dev_of(C), 1, 5, PCI_IRQ_MSIX), 2);
	assert_true(logged("2 LPIs instead of 8"));
	assert_int_equal(gic_lpis_given(), 10);
	assert_int_equal(pci_alloc_irq_vectors(dev_of(D), 1, 1, PCI_IRQ_MSI), 1);
	assert_int_equal(gic_lpis_given(), 11);
	comes(A, 0, cpu_of(irq));
	pci_free_irq_vectors(dev_of(D));
	pci_free_irq_vectors(dev_of(C));
	unline(A, irq);
	assert_int_equal(gic_lpis_given(), 0);
	gicv3_check();
	board.arguments = "gic.lpis=1";
	boot();
	assert_int_equal(pci_alloc_irq_vectors(dev_of(C), 1, 5, PCI_IRQ_MSIX), 1);
	assert_int_equal(pci_alloc_irq_vectors(dev_of(D), 1, 4, PCI_IRQ_MSI), -ENOSPC);
	assert_true(logged("no LPI is left, all 1 are given"));
	pci_free_irq_vectors(dev_of(C));
}

static void s173_functions_behind_one_id_share_a_device(void **state)
{
	unsigned int a, b;

	(void)state;
	gicv3_trace();
	a = line(A, ROWS);
	assert_non_null(strstr(gicv3_trace(), "mapd(1008,4) mapti(1008,0,8192,"));
	b = line(B, ROWS);
	assert_null(strstr(gicv3_trace(), "mapd"));
	for (unsigned int n = 0; n < ROWS; n++) {
		assert_int_equal(fn[A].row[n].data, n);
		assert_int_equal(fn[B].row[n].data, ROWS + n);
	}
	comes(B, 0, cpu_of(b));
	comes(A, 0, cpu_of(a));
	gicv3_trace();
	unline(A, a);
	assert_null(strstr(gicv3_trace(), "mapd"));
	comes(B, 0, cpu_of(b));
	unline(B, b);
	assert_non_null(strstr(gicv3_trace(), "mapd(1008,0)"));
}

static void several_messages_of_one_capability(void **state)
{
	unsigned int irq = line(D, 4);
	struct msi_msg msg;

	(void)state;
	get_cached_msi_msg(irq, &msg);
	assert_int_equal(msg.data % 4, 0);
	for (unsigned int n = 1; n < 4; n++)
		assert_int_equal(request_irq(irq + n, serve, 0, "its-test", fn), 0);
	for (unsigned int n = 0; n < 4; n++) {
		assert_int_equal(irq_set_affinity(irq + n, cpumask_of(n)), 0);
		comes(D, n, n);
	}
	for (unsigned int n = 1; n < 4; n++)
		free_irq(irq + n, fn);
	unline(D, irq);
}

static bool try_vectors(void *arg)
{
	int ret = pci_alloc_irq_vectors(dev_of(A), 4, 4, PCI_IRQ_MSIX);

	(void)arg;
	if (ret > 0)
		pci_free_irq_vectors(dev_of(A));
	return ret == 4;
}

static void vectors_without_memory(void **state)
{
	(void)state;
	assert_true(try_vectors(NULL));		/* the device table's page stays */
	assert_true(fail_each(try_vectors, NULL) > 5);
	assert_int_equal(gic_lpis_given(), 0);
	assert_true(list_empty(&gic.its->devices));
}

/* ---- irq doctor ------------------------------------------------------------------------------ */

static void expect_broken(unsigned int irq, const char *name, const char *value)
{
	assert_broken(irq, name);
	assert_string_equal(doctor_value, value);
}

static void doctor_tells_what_a_message_lacks(void **state)
{
	unsigned int irq = line(C, 2);
	struct its_device *dev = its_data(irq)->chip_data;

	(void)state;
	assert_int_equal(irq_set_affinity(irq, cpumask_of(0)), 0);
	assert_whole(irq);
	dev->mapped = false;
	expect_broken(irq, "translation", "device 1010, which is not mapped, event 0: LPI 8192");
	dev->mapped = true;
	dev->event[0].present = false;
	expect_broken(irq, "translation", "device 1010, event 0, which is not mapped: LPI 8192");
	dev->event[0].present = true;
	cpumask_clear_cpu(0, &gic.its->mapped);
	expect_broken(irq, "collection", "of cpu 0, which is not mapped");
	cpumask_set_cpu(0, &gic.its->mapped);
	assert_whole(irq);
	unline(C, irq);
}

/* ---- At random ------------------------------------------------------------------------------ */

/* The functions that share a DeviceID, each with half of the lines. */
static void raise(unsigned int n)
{
	pci_model_send(&fn[n < ROWS ? A : B], n % ROWS);
}

static void random_traffic(void **state)
{
	struct traffic t = { .lines = 2 * ROWS, .cpus = GICV3_CPUS, .steps = 2000, .raise = raise };

	(void)state;
	for (unsigned int f = A; f <= B; f++) {
		assert_int_equal(pci_alloc_irq_vectors(dev_of(f), ROWS, ROWS, PCI_IRQ_MSIX), ROWS);
		for (unsigned int n = 0; n < ROWS; n++)
			t.irq[(f - A) * ROWS + n] = pci_irq_vector(dev_of(f), n);
	}
	traffic_at_random(&t);
	for (unsigned int f = A; f <= B; f++)
		pci_free_irq_vectors(dev_of(f));
	assert_int_equal(gicv3_lost(), 0);
	assert_int_equal(gic_lpis_given(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		I3(s171_each_cpu_has_tables_before_lpis_and_lpis_before_mapc),
		cmocka_unit_test(s171_lpis_that_firmware_left_on),
		cmocka_unit_test(what_cannot_work_is_said),
		I3(s165_device_table_and_syncs),
		I(s165_device_beyond_the_its_is_refused),
		I3(s166_activation_maps_and_the_last_event_unmaps),
		I3(s167_message_is_the_event_not_the_lpi),
		I3(s168_mask_is_a_byte_and_inv),
		I3(s169_affinity_is_movi_and_a_sync_of_the_old_cpu),
		I3(s169_what_is_pending_goes_along),
		I3(s170_inject_is_int_and_clear_is_clear),
		I3(s172_queue_goes_round),
		I(s172_late_commands_are_reported_and_made_up_for),
		I(s172_vectors_freed_while_it_is_late),
		I(s172_activation_that_is_late),
		cmocka_unit_test(s173_wish_is_halved_until_it_fits),
		I3(s173_functions_behind_one_id_share_a_device),
		I3(several_messages_of_one_capability),
		I(vectors_without_memory),
		I(doctor_tells_what_a_message_lacks),
		I3(random_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

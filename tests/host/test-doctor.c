/*
 * irq doctor's links: each one broken on purpose is the one that is named, those before it are
 * whole, and mended it is whole again. The core's on a recording chip, the IMSIC's and the APLIC's
 * on their models; other controllers and the PCI device: tests/boot/test_doctor.py.
 */
#include <asm/csr.h>
#include <drivers/irqchip/imsic.h>
#include <kernel/irq/internals.h>
#include <kernel/of.h>
#include <kernel/smp.h>
#include <string.h>
#include "models/imsic.h"
#include "support/board.h"
#include "support/doctor.h"
#include "support/rec.h"

/* ---- The core -------------------------------------------------------------------------------- */

static struct irq_domain *domain;

static unsigned int mapped_line(irq_flow_handler_t flow)
{
	rec_map_chip = rec_chip(R_LEVEL);
	rec_map_flow = flow;
	domain = rec_domain(8);
	return irq_create_mapping(domain, 3);
}

static void done(unsigned int irq)
{
	struct fwnode_handle *fwnode = domain->fwnode;

	irq_dispose_mapping(irq);
	irq_domain_remove(domain);
	irq_domain_free_fwnode(fwnode);
}

static void core_links_in_turn(void **state)
{
	unsigned int irq = mapped_line(handle_level_irq);

	(void)state;
	assert_broken(irq, "activated");
	assert_int_equal(request_irq(irq, rec_handler, 0, "test", &irq), 0);
	assert_whole(irq);
	disable_irq(irq);
	disable_irq(irq);
	assert_broken(irq, "depth");
	assert_non_null(strstr(doctor_value, "2"));
	enable_irq(irq);
	assert_broken(irq, "depth");
	enable_irq(irq);
	assert_whole(irq);
	free_irq(irq, &irq);
	done(irq);
}

static void a_line_that_was_turned_off_as_spurious(void **state)
{
	unsigned int irq = mapped_line(handle_level_irq);

	(void)state;
	rec_ret = IRQ_NONE;
	assert_int_equal(request_irq(irq, rec_handler, 0, "test", &irq), 0);
	for (unsigned int n = 0; n < 100000; n++)
		raise_irq(irq);
	rec_take();
	assert_broken(irq, "depth");
	assert_non_null(strstr(doctor_value, "nobody handled it"));
	free_irq(irq, &irq);
	done(irq);
}

static void a_masked_line_whose_thread_runs_is_whole(void **state)
{
	unsigned int irq = mapped_line(handle_level_irq);

	(void)state;
	rec_ret = IRQ_WAKE_THREAD;
	assert_int_equal(request_threaded_irq(irq, rec_handler, rec_thread, IRQF_ONESHOT, "test", &irq),
			 0);
	raise_irq(irq);
	assert_true(irqd_irq_masked(irq_get_irq_data(irq)));
	assert_whole(irq);
	host_run_deferred();
	assert_whole(irq);
	free_irq(irq, &irq);
	done(irq);
}

static void a_mask_that_nobody_knows(void **state)
{
	unsigned int irq = mapped_line(handle_level_irq);
	struct irq_data *d = irq_get_irq_data(irq);

	(void)state;
	assert_int_equal(request_irq(irq, rec_handler, 0, "test", &irq), 0);
	irqd_set(d, IRQD_IRQ_MASKED);
	assert_broken(irq, "unmasked");
	irqd_clear(d, IRQD_IRQ_MASKED);
	assert_whole(irq);
	free_irq(irq, &irq);
	done(irq);
}

static void no_domain_no_flow(void **state)
{
	unsigned int irq = mapped_line(handle_bad_irq);
	int bare = irq_alloc_desc(-1);

	(void)state;
	assert_true(bare > 0);
	assert_broken(bare, "domain");
	irq_free_desc(bare);
	irq_activate(irq_to_desc(irq));
	irqd_set(irq_get_irq_data(irq), IRQD_IRQ_STARTED);
	irq_to_desc(irq)->depth = 0;
	irqd_clear(irq_get_irq_data(irq), IRQD_IRQ_MASKED | IRQD_IRQ_DISABLED);
	assert_broken(irq, "flow");
	irq_domain_deactivate_irq(irq_get_irq_data(irq));
	done(irq);
}

static void a_percpu_line_that_this_cpu_has_not_enabled(void **state)
{
	unsigned int irq = mapped_line(handle_percpu_devid_irq);
	static int cookies[NR_CPUS];

	(void)state;
	assert_int_equal(irq_set_percpu_devid(irq), 0);
	assert_int_equal(request_percpu_irq(irq, rec_handler, "test", cookies), 0);
	assert_broken(irq, "enabled");
	enable_percpu_irq(irq, IRQ_TYPE_NONE);
	assert_whole(irq);
	disable_percpu_irq(irq);
	free_percpu_irq(irq, cookies);
	done(irq);
}

/* ---- IMSIC and APLIC ------------------------------------------------------------------------- */

static int setup_board(void **state)
{
	(void)state;
	rec_ret = IRQ_HANDLED;
	board_boot(0, NULL);
	return 0;
}

static int spec_cookie;

/* A wire of the APLIC, which sends a message to the IMSIC: cause 9, all on CPU 0. */
static unsigned int wire(void)
{
	struct device_node *np = of_find_compatible_node(NULL, "riscv,aplic");
	struct irq_fwspec spec = { .fwnode = &np->fwnode, .param_count = 2,
				   .param = { 10, IRQ_TYPE_LEVEL_HIGH } };
	unsigned int irq = irq_create_fwspec_mapping(&spec);

	assert_int_not_equal(irq, 0);
	assert_int_equal(request_irq(irq, rec_handler, 0, "wire", &spec_cookie), 0);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(0)), 0);
	host_run_deferred();
	return irq;
}

static void unwire(unsigned int irq)
{
	free_irq(irq, &spec_cookie);
	irq_dispose_mapping(irq);
}

static unsigned long file_access(unsigned int reg, unsigned long v)
{
	unsigned long flags = arch_local_irq_save(), old;

	csr_write(CSR_SISELECT, reg);
	old = csr_read(CSR_SIREG);
	csr_write(CSR_SIREG, v);
	arch_local_irq_restore(flags);
	return old;
}

static void break_file(unsigned int irq, unsigned int reg, unsigned long v, const char *name)
{
	unsigned long old = file_access(reg, v);

	assert_broken(irq, name);
	file_access(reg, old);
	assert_whole(irq);
}

static void imsic_links(void **state)
{
	unsigned int irq = wire();
	struct irq_data *d = irq_get_irq_data(irq)->parent_data;
	struct imsic_vector *vec = d->chip_data;
	struct irq_desc *desc = vec->desc;

	(void)state;
	assert_whole(irq);
	break_file(irq, IMSIC_EIDELIVERY, 0, "delivery");
	break_file(irq, IMSIC_EITHRESHOLD, 1, "threshold");
	break_file(irq, IMSIC_EIE(vec->id), BIT(IMSIC_IPI_ID), "identity");
	vec->desc = irq_to_desc(imsic.ipi_irq);
	assert_broken(irq, "translation");
	vec->desc = desc;
	csr_clear(CSR_SIE, BIT(9));
	assert_broken(irq, "cause");
	csr_set(CSR_SIE, BIT(9));
	assert_whole(irq);
	assert_whole(imsic.ipi_irq);
	break_file(imsic.ipi_irq, IMSIC_EIDELIVERY, 0, "delivery");
	unwire(irq);
}

static void a_masked_line_is_disabled_not_broken(void **state)
{
	unsigned int irq = wire();

	(void)state;
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	disable_irq(irq);
	assert_broken(irq, "depth");
	enable_irq(irq);
	assert_whole(irq);
	irq_clear_status_flags(irq, IRQ_DISABLE_UNLAZY);
	unwire(irq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(core_links_in_turn),
		T(a_line_that_was_turned_off_as_spurious),
		T(a_masked_line_whose_thread_runs_is_whole),
		T(a_mask_that_nobody_knows),
		T(no_domain_no_flow),
		T(a_percpu_line_that_this_cpu_has_not_enabled),
		cmocka_unit_test_setup(imsic_links, setup_board),
		cmocka_unit_test_setup(a_masked_line_is_disabled_not_broken, setup_board),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A program of somebody else's: libc, threads, cmocka, and the core driven by a mock chip. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#include <host.h>
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/irqdomain.h>
#include <kernel/mm.h>
#include <kernel/msi.h>
#include <kernel/smp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char log_text[256];
static unsigned int started_chips;

static void say(const char *word) { strcat(log_text, word); }
static void chip_ack(struct irq_data *d) { (void)d; say("ack "); }
static void chip_mask(struct irq_data *d) { (void)d; say("mask "); }
static void chip_unmask(struct irq_data *d) { (void)d; say("unmask "); }

static const struct irq_chip chip = {
	.name = "mock", .irq_ack = chip_ack, .irq_mask = chip_mask, .irq_unmask = chip_unmask,
};

static int map(struct irq_domain *d, unsigned int irq, irq_hw_number_t hwirq)
{
	(void)d, (void)hwirq;
	irq_set_chip_and_handler(irq, &chip, handle_edge_irq);
	return 0;
}

static const struct irq_domain_ops ops = { .map = map, .xlate = irq_domain_xlate_twocell };

static irqreturn_t handler(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	say("hard ");
	return IRQ_WAKE_THREAD;
}

static irqreturn_t thread_fn(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	say("thread ");
	return IRQ_HANDLED;
}

/* A controller of the program's own stands in the kernel's table beside the kernel's. */
static int own_init(struct device_node *node, struct device_node *parent)
{
	(void)node, (void)parent;
	started_chips++;
	return 0;
}
IRQCHIP_DECLARE(own, "test,own", own_init);
DECLARE_TABLE(irqchip, const struct irqchip_decl);

static void an_interrupt_arrives(void **state)
{
	struct irq_domain *d;
	unsigned int irq;

	(void)state;
	host_init(4);
	d = irq_domain_create_linear(NULL, 16, &ops, NULL);
	irq = irq_create_mapping(d, 5);
	assert_int_not_equal(irq, 0);
	assert_int_equal(request_threaded_irq(irq, handler, thread_fn, 0, "mine", &irq), 0);
	host_set_cpu(3);
	host_irq_enter();
	assert_int_equal(generic_handle_domain_irq(d, 5), 0);
	host_irq_exit();
	host_run_deferred();
	free_irq(irq, &irq);
	assert_string_equal(log_text, "unmask ack hard thread mask ");
	assert_int_equal(generic_handle_domain_irq(d, 6), -EINVAL);
}

static void tables_hold_both(void **state)
{
	bool imsic = false, own = false;

	(void)state;
	for_each_table(pos, irqchip, const struct irqchip_decl) {
		const char *compatible = (*pos)->compatible ? (*pos)->compatible : "";

		imsic |= !strcmp(compatible, "riscv,imsics");
		own |= !strcmp(compatible, "test,own");
	}
	assert_true(imsic && own);
}

static void failures_are_felt(void **state)
{
	(void)state;
	host_init(1);
	host_fail_after(1);
	assert_null(irq_domain_alloc_named_fwnode("x"));
	host_fail_after(-1);
	assert_true(host_bytes_live() > 0);
	assert_non_null(host_printk());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interrupt_arrives),
		cmocka_unit_test(tables_hold_both),
		cmocka_unit_test(failures_are_felt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Statements about the IMSIC's and the APLIC's drivers whose claim is an order, or where something
 * is kept: looked at from inside, at the moment. Beside it test-aia.c, where they work.
 */
#include <asm/csr.h>
#include <drivers/irqchip/imsic.h>
#include <kernel/io.h>
#include <kernel/msi.h>
#include <kernel/of.h>
#include <kernel/smp.h>
#include <string.h>
#include "models/imsic.h"
#include "support/board.h"
#include "support/rec.h"

static int setup(void **state)
{
	(void)state;
	rec_ret = IRQ_HANDLED;
	board_boot(0, NULL);
	host_run_deferred();
	rec_take();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	aplic_model_on_enable = NULL;
	imsic_model_on_delivery = NULL;
	return 0;
}
#define B(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* A line with the vector that it has; the APLIC's are the only messages here. */
static unsigned int line(u32 n, u32 type)
{
	unsigned int irq = board_map(n, type);

	assert_int_not_equal(irq, 0);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	return irq;
}

static struct imsic_vector *vector(unsigned int irq)
{
	return irq_get_irq_data(irq)->parent_data->chip_data;
}

static bool given(const struct imsic_vector *vec)
{
	return irq_matrix_test(imsic.matrix, vec->cpu, vec->id);
}

/* ---- APLIC: modes, order, target ------------------------------------------------------------------- */

static void s179_each_type_has_its_mode(void **state)
{
	static const struct { unsigned int type, mode; } modes[] = {
		{ IRQ_TYPE_EDGE_RISING, 4 }, { IRQ_TYPE_EDGE_FALLING, 5 },
		{ IRQ_TYPE_LEVEL_HIGH, 6 }, { IRQ_TYPE_LEVEL_LOW, 7 }, { IRQ_TYPE_NONE, 0 },
	};
	struct device_node *np = of_find_compatible_node(NULL, "riscv,aplic");
	struct irq_fwspec one = { .fwnode = &np->fwnode, .param_count = 1, .param = { 20 } };
	unsigned int irq = board_map(20, IRQ_TYPE_EDGE_RISING);

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(irq_set_irq_type(irq, modes[i].type), 0);
		assert_int_equal(aplic_model_mode(20), modes[i].mode);
	}
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW), 0);
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_BOTH), -EINVAL);
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_MASK), -EINVAL);
	assert_int_equal(aplic_model_mode(20), 7);
	assert_int_equal(irq_create_fwspec_mapping(&one), 0);
}

static void s180_messages_with_an_msi_parent(void **state)
{
	const struct irq_data *d = irq_get_irq_data(board_map(20, IRQ_TYPE_LEVEL_HIGH));

	(void)state;
	assert_string_equal(d->chip->name, "APLIC-MSI");
	assert_ptr_equal(d->parent_data->domain, imsic.domain);
}

static unsigned int watched;

static void tell(unsigned int n, bool on)
{
	const struct imsic_vector *vec = vector(watched);

	if (n == irq_get_irq_data(watched)->hwirq)
		rec("%s-parent-%s", on ? "on" : "off",
		    imsic_model_enabled(vec->cpu, vec->id) ? "open" : "closed");
}

static void s182_masks_source_then_parent_unmasks_parent_then_source(void **state)
{
	(void)state;
	watched = line(20, IRQ_TYPE_LEVEL_HIGH);
	assert_int_equal(vector(watched)->cpu, smp_processor_id());
	irq_set_status_flags(watched, IRQ_DISABLE_UNLAZY);
	aplic_model_on_enable = tell;
	for (int round = 0; round < 3; round++) {
		disable_irq(watched);
		assert_rec("off-parent-open");
		assert_false(imsic_model_enabled(vector(watched)->cpu, vector(watched)->id));
		enable_irq(watched);
		assert_rec("on-parent-open");
	}
}

static void s182_target_is_hart_guest_identity_or_zero(void **state)
{
	unsigned int irq = line(20, IRQ_TYPE_LEVEL_HIGH);

	(void)state;
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++) {
		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		assert_int_equal(aplic_model_target(20), board_file(cpu) << 18 | vector(irq)->id);
		host_run_deferred();
	}
	free_irq(irq, NULL);		/* deactivated: the message of zeros */
	assert_int_equal(aplic_model_mode(20), 6);
	assert_int_equal(aplic_model_target(20), 0);
}

static irqreturn_t makes_it_high(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	rec("L");
	aplic_model_wire(20, true);
	return IRQ_HANDLED;
}

static void s181_a_level_that_is_another_type_now_comes_if_it_is_there(void **state)
{
	unsigned int irq = board_map(20, IRQ_TYPE_LEVEL_HIGH);
	unsigned long sent;

	(void)state;
	assert_int_equal(request_irq(irq, makes_it_high, 0, "t", NULL), 0);
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW), 0);	/* and it is low */
	host_run_deferred();
	assert_rec("L");
	sent = aplic_model_sent();
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_RISING), 0);	/* but none came */
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW), 0);		/* and it is high */
	host_run_deferred();
	assert_rec("");
	assert_int_equal(aplic_model_sent(), sent);
}

/* ---- IMSIC: identities ----------------------------------------------------------------------------- */

static void s183_identities_begin_at_two_and_spread_over_the_harts(void **state)
{
	unsigned int of[BOARD_HARTS] = { 0 };

	(void)state;
	for (unsigned int n = 1; n <= 3 * BOARD_HARTS; n++) {
		const struct imsic_vector *vec = vector(board_map(n, IRQ_TYPE_EDGE_RISING));

		assert_true(vec->id > IMSIC_IPI_ID);
		of[vec->cpu]++;
	}
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++) {
		assert_int_equal(of[cpu], 3);
		assert_int_equal(irq_matrix_allocated(imsic.matrix, cpu), 3);
		assert_int_equal(irq_matrix_available(imsic.matrix, cpu), IMSIC_IDS - 1 - 3);
		assert_true(imsic_model_enabled(cpu, IMSIC_IPI_ID));
	}
}

static void s183_several_at_once_are_not_to_be_had(void **state)
{
	(void)state;
	assert_int_equal(irq_domain_alloc_irqs(imsic.domain, 2, -1, NULL), -EOPNOTSUPP);
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++)
		assert_int_equal(irq_matrix_allocated(imsic.matrix, cpu), 0);
}

static void s185_a_cpu_that_is_in_the_mask_already_keeps_it(void **state)
{
	unsigned int irq = line(20, IRQ_TYPE_EDGE_RISING), cpu = vector(irq)->cpu;
	struct imsic_vector *before = vector(irq);
	struct cpumask mask = *cpu_online_mask;

	(void)state;
	assert_int_equal(irq_set_affinity(irq, &mask), 0);
	assert_ptr_equal(vector(irq), before);
	assert_int_equal(irq_matrix_allocated(imsic.matrix, cpu), 1);
}

static int alloc_on_top(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	static const struct irq_chip forwards = {
		.name = "on top", .irq_ack = irq_chip_ack_parent, .irq_eoi = irq_chip_eoi_parent,
		.irq_mask = irq_chip_mask_parent, .irq_unmask = irq_chip_unmask_parent,
		.irq_set_type = irq_chip_set_type_parent,
		.irq_set_affinity = irq_chip_set_affinity_parent,
	};

	(void)nr, (void)arg;
	return irq_domain_set_hwirq_and_chip(d, irq, 1, &forwards, NULL);
}

static const struct irq_domain_ops on_top_ops = {
	.alloc = alloc_on_top, .free = irq_domain_free_irqs_common,
};

/* Who sends the message need not be the outermost. */
static void s185_message_is_rewritten_below_another_level(void **state)
{
	unsigned int irq = board_map(20, IRQ_TYPE_EDGE_RISING);
	struct irq_domain *aplic = irq_get_irq_data(irq)->domain;
	struct irq_domain *d = irq_domain_create_hierarchy(aplic, 0, 8, NULL, &on_top_ops, NULL);

	(void)state;
	assert_int_equal(irq_domain_push_irq(d, irq, NULL), 0);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	for (unsigned int cpu = 0; cpu < BOARD_HARTS; cpu++) {
		const struct imsic_vector *vec;

		assert_int_equal(irq_set_affinity(irq, cpumask_of(cpu)), 0);
		vec = irq_domain_get_irq_data(imsic.domain, irq)->chip_data;
		assert_int_equal(vec->cpu, cpu);
		assert_int_equal(aplic_model_target(20), board_file(cpu) << 18 | vec->id);
		host_run_deferred();
		rec_take();
		aplic_model_wire(20, true);
		aplic_model_wire(20, false);
		host_run_deferred();
		assert_rec("H");
	}
}

/* The old hart is kept from looking: until it does, nobody else may get the identity. */
static void s185_old_identity_is_free_only_when_its_hart_has_left_it(void **state)
{
	unsigned int irq = line(20, IRQ_TYPE_EDGE_RISING);
	struct imsic_vector *old, *new;

	(void)state;
	assert_int_equal(irq_set_affinity(irq, cpumask_of(1)), 0);
	host_run_deferred();
	old = vector(irq);
	arch_local_irq_disable();
	assert_int_equal(irq_set_affinity(irq, cpumask_of(2)), 0);
	new = vector(irq);
	assert_int_equal(new->cpu, 2);
	assert_int_equal(aplic_model_target(20), board_file(2) << 18 | new->id);
	assert_true(cpumask_equal(irq_data_get_effective_affinity_mask(irq_get_irq_data(irq)),
				  cpumask_of(2)));
	assert_true(given(old) && given(new));
	assert_true(imsic_model_enabled(1, old->id));
	assert_ptr_equal(new->former, old);
	assert_non_null(old->desc);
	arch_local_irq_enable();
	host_run_deferred();
	assert_false(given(old));
	assert_false(imsic_model_enabled(1, old->id));
	assert_null(new->former);
	assert_null(old->desc);
	assert_true(given(new) && imsic_model_enabled(2, new->id));
}

static void s186_another_harts_enable_bits_are_written_there(void **state)
{
	unsigned int irq = line(20, IRQ_TYPE_EDGE_RISING), id;
	unsigned long word;

	(void)state;
	assert_int_equal(irq_set_affinity(irq, cpumask_of(3)), 0);
	host_run_deferred();
	id = vector(irq)->id;
	word = BIT(id / 64);
	assert_true(imsic_model_enabled(3, id));
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	for (int round = 0; round < 3; round++) {
		arch_local_irq_disable();
		disable_irq_nosync(irq);
		assert_true(imsic_model_enabled(3, id));
		assert_true(imsic.hart[3].dirty & word);
		assert_true(imsic_model_pending(3, IMSIC_IPI_ID));	/* it is told */
		arch_local_irq_enable();
		host_run_deferred();
		assert_false(imsic_model_enabled(3, id));
		assert_int_equal(imsic.hart[3].dirty, 0);
		enable_irq(irq);
		host_run_deferred();
		assert_true(imsic_model_enabled(3, id));
	}
}

/* Of an identity that nobody has, as firmware or a stray device might send it. */
static void stray(unsigned int id)
{
	unsigned long flags = arch_local_irq_save();

	csr_write(CSR_SISELECT, 0xc0 + id / 64 * 2);
	csr_set(CSR_SIREG, BIT(id % 64));
	writel(id, imsic.hart[smp_processor_id()].page);
	arch_local_irq_restore(flags);
	host_run_deferred();
}

static void s187_claims_all_and_reports_the_unknown_seldom(void **state)
{
	unsigned int told = 0, before;

	(void)state;
	for (unsigned int n = 1; n <= 8; n++) {
		unsigned int irq = line(n, IRQ_TYPE_EDGE_RISING);

		assert_int_equal(irq_set_affinity(irq, cpumask_of(2)), 0);
	}
	host_run_deferred();
	before = irq_to_desc(imsic.parent_irq)->kstat_irqs[2];
	arch_local_irq_disable();
	for (unsigned int n = 1; n <= 8; n++)
		aplic_model_wire(n, true);
	arch_local_irq_enable();
	host_run_deferred();
	assert_rec("H H H H H H H H");
	assert_true(irq_to_desc(imsic.parent_irq)->kstat_irqs[2] <= before + 1);
	for (unsigned int id = 1; id <= IMSIC_IDS; id++)
		assert_false(imsic_model_pending(2, id));
	host_printk();
	for (int i = 0; i < 100; i++) {
		stray(200);
		assert_false(imsic_model_pending(0, 200));
		told += logged("identity 200, which nobody has");
	}
	assert_int_equal(imsic.unknown, 100);
	assert_in_range(told, 1, 8);
	assert_rec("");
}

/* ---- Harts ----------------------------------------------------------------------------------------- */

static unsigned int delivering;

static void at_delivery(unsigned int cpu)
{
	const struct cpumask *mask = cpumask_of(cpu);
	unsigned int got;
	int id = irq_matrix_alloc(imsic.matrix, mask, &got);

	if (id < 0)
		fail_msg("cpu %u: delivery before its allocator is online", cpu);
	irq_matrix_free(imsic.matrix, got, id);
	if (!(csr_read(CSR_SIE) & BIT(IRQ_S_EXT)))
		fail_msg("cpu %u: delivery before the parent line", cpu);
	if (!test_bit(IMSIC_IPI_ID, imsic.hart[cpu].enabled))
		fail_msg("cpu %u: delivery before the IPI", cpu);
	delivering++;
}

/* That the enable bits are written in between the model itself watches. */
static void s189_delivery_is_the_last_of_a_harts_start(void **state)
{
	(void)state;
	delivering = 0;
	imsic_model_on_delivery = at_delivery;
	board_boot(0, NULL);
	assert_int_equal(delivering, BOARD_HARTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		B(s179_each_type_has_its_mode),
		B(s180_messages_with_an_msi_parent),
		B(s182_masks_source_then_parent_unmasks_parent_then_source),
		B(s182_target_is_hart_guest_identity_or_zero),
		B(s181_a_level_that_is_another_type_now_comes_if_it_is_there),
		B(s183_identities_begin_at_two_and_spread_over_the_harts),
		B(s183_several_at_once_are_not_to_be_had),
		B(s185_a_cpu_that_is_in_the_mask_already_keeps_it),
		B(s185_message_is_rewritten_below_another_level),
		B(s185_old_identity_is_free_only_when_its_hart_has_left_it),
		B(s186_another_harts_enable_bits_are_written_there),
		B(s187_claims_all_and_reports_the_unknown_seldom),
		B(s189_delivery_is_the_last_of_a_harts_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

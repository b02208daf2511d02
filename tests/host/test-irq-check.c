/*
 * irq_check() sees what it is for: each function below breaks one thing that must hold, as a bug
 * in the core or in a controller's driver would, and mends it again.
 */
#include <drivers/irqchip/aplic.h>
#include <drivers/irqchip/imsic.h>
#include <drivers/irqchip/plic.h>
#include <kernel/irq/internals.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/msi.h>
#include <kernel/of.h>
#include <lib/radix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "models/aplic-direct.h"
#include "models/plic.h"
#include "models/virtio.h"
#include "support/board.h"
#include "support/rec.h"

/* Breaks or mends; which is told so that one function has both. */
struct fault {
	const char *name, *text;
	void (*fn)(bool breaks);
};
#define FAULT(fn, text) { #fn, text, fn }

static char reports[8192];
static size_t used;

static void collect(void *arg, const char *text)
{
	(void)arg;
	used += snprintf(reports + used, sizeof(reports) - used, "%s\n", text);
	used = min(used, sizeof(reports) - 1);
}

static unsigned int check(void)
{
	used = 0;
	reports[0] = '\0';
	return irq_check(collect, NULL);
}

static void sees(const struct fault *f, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int n;

		if (check())
			fail_msg("before %s: %s", f[i].name, reports);
		f[i].fn(true);
		n = check();
		f[i].fn(false);
		if (!n || !strstr(reports, f[i].text))
			fail_msg("%s: no \"%s\" in %u reports: %s", f[i].name, f[i].text, n,
				 reports);
	}
	if (check())
		fail_msg("at the end: %s", reports);
}
#define SEES(faults) sees(faults, ARRAY_SIZE(faults))

/* Breaks a variable; mends it by what it was. One at a time. */
#define SWAP(variable, broken) do {						\
	static typeof(variable) was_;						\
	if (breaks) {								\
		was_ = (variable);						\
		(variable) = (broken);						\
	} else {								\
		(variable) = was_;						\
	}									\
} while (0)

/* ---- Descriptors, chains, maps --------------------------------------------------------------------- */

static struct irq_domain *linear, *tree;
static struct rec_stack stack;
static unsigned int wired, grown, stacked;

static struct irq_data *data(unsigned int irq) { return irq_get_irq_data(irq); }
static struct irq_desc *desc(unsigned int irq) { return irq_to_desc(irq); }

static void c_number(bool breaks) { SWAP(data(wired)->irq, grown); }
static void c_common(bool breaks) { SWAP(data(wired)->common, data(grown)->common); }
static void c_no_chip(bool breaks) { SWAP(data(wired)->chip, NULL); }
static void c_hwirq(bool breaks) { SWAP(data(wired)->hwirq, 5); }
static void c_hwirq_too_great(bool breaks) { SWAP(data(wired)->hwirq, 99); }
static void c_domain(bool breaks) { SWAP(data(wired)->domain, tree); }
static void c_inner_number(bool breaks) { SWAP(data(stacked)->parent_data->irq, wired); }
static void c_inner_common(bool breaks)
{
	SWAP(data(stacked)->parent_data->common, data(wired)->common);
}
static void c_inner_hwirq(bool breaks) { SWAP(data(stacked)->parent_data->hwirq, 7); }
static void c_inner_domain(bool breaks)
{
	SWAP(data(stacked)->parent_data->domain, stack.root);
}
static void c_chain_cut(bool breaks) { SWAP(data(stacked)->parent_data, NULL); }
static void c_parent_domain(bool breaks) { SWAP(stack.leaf->parent, stack.root); }
static void m_forgotten(bool breaks) { SWAP(linear->revmap[3], NULL); }
static void m_of_another(bool breaks) { SWAP(linear->revmap[3], data(grown)); }
static void m_twice(bool breaks) { SWAP(linear->revmap[4], data(wired)); }
static void m_count(bool breaks) { SWAP(linear->mapcount, 2); }
static void m_count_of_tree(bool breaks) { SWAP(tree->mapcount, 0); }
static void m_count_of_inner(bool breaks) { SWAP(stack.middle->mapcount, 2); }
static void m_tree_forgets(bool breaks)
{
	if (breaks)
		radix_delete(&tree->revmap_tree, 1000);
	else
		assert_int_equal(radix_insert(&tree->revmap_tree, 1000, data(grown)), 0);
}
static void d_gone(bool breaks) { SWAP(irq_desc_table[wired], NULL); }
static void d_of_another(bool breaks) { SWAP(irq_desc_table[wired], desc(grown)); }
static void d_of_free_number(bool breaks) { SWAP(irq_desc_table[NR_IRQS - 1], desc(grown)); }

/* ---- States ---------------------------------------------------------------------------------------- */

static void flag(unsigned int irq, u32 bit, bool set)
{
	if (set)
		irqd_set(data(irq), bit);
	else
		irqd_clear(data(irq), bit);
}

static void s_started_alone(bool breaks) { SWAP(desc(wired)->action, NULL); }
static void s_not_activated(bool breaks) { flag(stacked, IRQD_ACTIVATED, !breaks); }
static void s_without_chip(bool breaks) { SWAP(data(wired)->chip, &no_irq_chip); }
static void s_depth(bool breaks) { SWAP(desc(wired)->depth, 1); }
static void s_disabled(bool breaks) { flag(wired, IRQD_IRQ_DISABLED, breaks); }
static void s_chained(bool breaks) { SWAP(desc(wired)->istate, IRQS_CHAINED); }
static void s_chained_action(bool breaks) { SWAP(desc(wired)->action, &chained_action); }
static void s_two_targets(bool breaks)
{
	flag(wired, IRQD_SINGLE_TARGET, breaks);
	SWAP(data(wired)->common->effective_affinity, *cpu_possible_mask);
}

static void descriptors_chains_maps_states(void **state)
{
	static const struct fault faults[] = {
		FAULT(c_number, "its descriptor says"),
		FAULT(c_common, "belongs to irq"),
		FAULT(c_no_chip, "a level without a chip"),
		FAULT(c_hwirq, "does not map hwirq 5 to it"),
		FAULT(c_hwirq_too_great, "hwirq 99 is outside of"),
		FAULT(c_domain, "does not map hwirq 3 to it"),
		FAULT(c_inner_number, "a level of its chain belongs to irq"),
		FAULT(c_inner_common, "a level of its chain belongs to irq"),
		FAULT(c_inner_hwirq, "middle does not map hwirq 7 to it"),
		FAULT(c_inner_domain, "is of another domain than its parent"),
		FAULT(c_chain_cut, "which does not know it"),
		FAULT(c_parent_domain, "is of another domain than its parent"),
		FAULT(m_forgotten, "mapcount is 1, its map holds 0"),
		FAULT(m_of_another, "hwirq 3 maps to a level of another"),
		FAULT(m_twice, "hwirq 4 maps to a level of another"),
		FAULT(m_count, "mapcount is 2, 1 irqs are in it"),
		FAULT(m_count_of_tree, "mapcount is 0, its map holds 1"),
		FAULT(m_count_of_inner, "middle: mapcount is 2, 1 irqs are in it"),
		FAULT(m_tree_forgets, "does not map hwirq 1000 to it"),
		FAULT(d_gone, "allocated without a descriptor"),
		FAULT(d_of_another, "its descriptor says"),
		FAULT(d_of_free_number, "has a descriptor, but is free"),
		FAULT(s_started_alone, "started without an action"),
		FAULT(s_not_activated, "started but not activated"),
		FAULT(s_without_chip, "activated without a chip"),
		FAULT(s_depth, "depth 1, but enabled"),
		FAULT(s_disabled, "depth 0, but disabled"),
		FAULT(s_chained, "chained without the chained action, or the reverse"),
		FAULT(s_chained_action, "chained without the chained action, or the reverse"),
		FAULT(s_two_targets, "has to interrupt one CPU, but its effective mask has 4"),
	};
	struct irq_fwspec spec = { .param_count = 2, .param = { 9, 1 } };

	(void)state;
	rec_map_chip = rec_chip(R_LEVEL);
	rec_map_flow = handle_level_irq;
	linear = rec_domain(8);
	tree = rec_domain(0);
	wired = irq_create_mapping(linear, 3);
	grown = irq_create_mapping(tree, 1000);
	rec_stack(&stack, R_EDGE, R_EDGE, R_EDGE);
	stacked = irq_domain_alloc_irqs(stack.leaf, 1, -1, &spec);
	assert_int_equal(request_irq(wired, rec_handler, 0, "t", NULL), 0);
	assert_int_equal(request_irq(stacked, rec_handler, 0, "t", NULL), 0);
	SEES(faults);
}

/* ---- Ids and vectors: IMSIC; messages: PCI, APLIC ---------------------------------------------------- */

static struct vblk_model disk;
static struct msi_desc *row;		/* of the disk's first queue */
static unsigned int source;		/* an APLIC line */
static struct imsic_vector *vec;	/* of that row's line */
static struct aplic *aplic;

static void models(void)
{
	pci_model();
	vblk_model_add(&disk, 1, 3);
}

static unsigned int map_source(u32 n)
{
	struct device_node *np = of_find_compatible_node(NULL, "riscv,aplic");
	struct irq_fwspec spec = { .fwnode = &np->fwnode, .param_count = 2, .param = { n, 4 } };

	return irq_create_fwspec_mapping(&spec);
}

static void find_lines(void)
{
	for (unsigned int irq = 0; (irq = irq_get_next_irq(irq + 1)) < NR_IRQS;)
		if (irq_get_msi_desc(irq) && irq_get_msi_desc(irq)->pci.is_msix) {
			row = irq_get_msi_desc(irq);
			if (row->msi_index == 1)
				break;
		}
	assert_int_equal(row->msi_index, 1);
	vec = data(row->irq)->parent_data->chip_data;
	source = map_source(20);
	assert_int_equal(request_irq(source, rec_handler, 0, "t", NULL), 0);
	aplic = data(source)->chip_data;
}

/* Of a CPU's identities the first that is free. */
static struct imsic_vector *free_vec(void)
{
	struct imsic_vector *v = imsic.hart[1].vector + 2;

	while (irq_matrix_test(imsic.matrix, 1, v->id))
		v++;
	return v;
}

static void v_no_line(bool breaks) { SWAP(vec->desc, NULL); }
static void v_line_of_another(bool breaks) { SWAP(vec->desc, desc(source)); }
static void v_free_has_line(bool breaks) { SWAP(free_vec()->desc, desc(source)); }
static void v_free_enabled(bool breaks)
{
	if (breaks)
		__set_bit(free_vec()->id, imsic.hart[1].enabled);
	else
		__clear_bit(free_vec()->id, imsic.hart[1].enabled);
}
static void v_line_has_another(bool breaks)
{
	SWAP(data(row->irq)->parent_data->chip_data, (void *)free_vec());
}
static void x_not_given(bool breaks)
{
	static unsigned int cpu, id;
	struct cpumask mask;

	if (breaks) {
		irq_matrix_free(imsic.matrix, cpu = vec->cpu, id = vec->id);
		return;
	}
	cpumask_copy(&mask, cpumask_of(cpu));
	assert_int_equal(irq_matrix_alloc(imsic.matrix, &mask, &cpu), id);
}
static void x_given_to_nobody(bool breaks)
{
	static unsigned int cpu;
	static int id;

	if (breaks)
		id = irq_matrix_alloc(imsic.matrix, cpumask_of(1), &cpu);
	else
		irq_matrix_free(imsic.matrix, cpu, id);
}

static void p_data(bool breaks) { SWAP(disk.vm.pci.row[1].data, 77); }
static void p_address(bool breaks) { SWAP(disk.vm.pci.row[1].lo, IMSIC_BASE + 0x3000); }
static void p_high(bool breaks) { SWAP(disk.vm.pci.row[1].hi, 1); }
static void p_masked(bool breaks) { SWAP(disk.vm.pci.row[1].ctrl, 1); }
static void p_cached(bool breaks) { SWAP(row->msg.data, 77); }
static void p_both(bool breaks)
{
	SWAP(row->msg.data, 77);
	SWAP(disk.vm.pci.row[1].data, 77);
}
static void p_not_activated(bool breaks) { flag(row->irq, IRQD_ACTIVATED, !breaks); }

static void a_target(bool breaks)
{
	static u32 was;
	char *reg = aplic->regs + TARGET(20);

	if (breaks)
		was = readl(reg);
	writel(breaks ? was ^ 1 << TARGET_HART_SHIFT : was, reg);
}
static void a_nobodys(bool breaks)
{
	writel(breaks ? SM_EDGE1 : SM_INACTIVE, aplic->regs + SOURCECFG(50));
	if (!breaks)
		return;
	writel(1, aplic->regs + TARGET(50));
	writel(50, aplic->regs + SETIENUM);
}

static void a_nobodys_off(bool breaks)
{
	if (!breaks)
		writel(50, aplic->regs + CLRIENUM);
	a_nobodys(breaks);
}

static void matrix_vectors_messages(void **state)
{
	static const struct fault faults[] = {
		FAULT(v_no_line, "is given in the matrix, but has no line"),
		FAULT(v_line_of_another, "is not the vector of its line"),
		FAULT(v_free_has_line, "has a line, but is free in the matrix"),
		FAULT(v_free_enabled, "is enabled, but free"),
		FAULT(v_line_has_another, "is not the vector of its line"),
		FAULT(x_not_given, "has a line, but is free in the matrix"),
		FAULT(x_given_to_nobody, "is given in the matrix, but has no line"),
		FAULT(p_data, "has another message in the device than was written"),
		FAULT(p_address, "has another message in the device than was written"),
		FAULT(p_high, "has another message in the device than was written"),
		FAULT(p_masked, "is masked in its device, or is not, against what was written"),
		FAULT(p_cached, "has another message in the device than was written"),
		FAULT(p_both, "does not have the message of its parent"),
		FAULT(p_not_activated, "is not activated, but its device has a message"),
		FAULT(a_target, "aplic: source 20 does not go where its irq says"),
		FAULT(a_nobodys_off, "aplic: source 50 is enabled, but has no irq"),
	};

	(void)state;
	vblk_model_init(&disk, 64, 2, 8, 0, 1);
	board_boot(BOARD_PCI, models);
	find_lines();
	SEES(faults);
	free(disk.disk);
	disk.disk = NULL;
}

static void a_matrix_that_gave_what_is_reserved(void **state)
{
	struct irq_matrix *m = irq_matrix_create(1, 64);
	unsigned int cpu;

	(void)state;
	irq_matrix_online(m, 0);
	irq_matrix_reserve(m, 1);
	assert_int_equal(irq_matrix_alloc(m, cpumask_of(0), &cpu), 2);
	assert_true(irq_matrix_is_sound(m, 0));
	irq_matrix_reserve(m, 2);
	assert_false(irq_matrix_is_sound(m, 0));
	assert_true(irq_matrix_is_sound(m, 1));
	irq_matrix_destroy(m);
}

/* ---- Wires: PLIC, APLIC without messages -------------------------------------------------------------- */

static struct plic_context *context(unsigned int cpu) { return &plic_contexts[cpu]; }

static void w_for_another(bool breaks)
{
	unsigned int cpu = cpumask_first(irq_data_get_effective_affinity_mask(data(source)));

	plic_toggle(context(cpu), 20, !breaks);
	plic_toggle(context((cpu + 1) % BOARD_HARTS), 20, breaks);
}
static void w_for_two(bool breaks)
{
	unsigned int cpu = cpumask_first(irq_data_get_effective_affinity_mask(data(source)));

	plic_toggle(context((cpu + 1) % BOARD_HARTS), 20, breaks);
}
static void w_nobodys(bool breaks) { plic_toggle(context(2), 50, breaks); }
static void w_not_completed(bool breaks) { SWAP(context(0)->plic->claimed_by[20], 1); }

static void wires_of_a_plic(void **state)
{
	static const struct fault faults[] = {
		FAULT(w_for_another, "source 20 is enabled for another CPU than its irq says"),
		FAULT(w_for_two, "source 20 is enabled in several contexts"),
		FAULT(w_nobodys, "source 50 is enabled, but has no irq"),
		FAULT(w_not_completed, "source 20 was claimed and is not completed"),
	};
	struct device_node *np;
	struct irq_fwspec spec = { .param_count = 1, .param = { 20 } };

	(void)state;
	board_boot(BOARD_PLIC, NULL);
	np = of_find_compatible_node(NULL, "sifive,plic-1.0.0");
	spec.fwnode = &np->fwnode;
	source = irq_create_fwspec_mapping(&spec);
	assert_int_equal(request_irq(source, rec_handler, 0, "t", NULL), 0);
	arch_local_irq_disable();
	SEES(faults);
	arch_local_irq_enable();
}

static void wires_of_an_aplic(void **state)
{
	static const struct fault faults[] = {
		FAULT(a_target, "aplic: source 20 does not go where its irq says"),
		FAULT(a_nobodys_off, "aplic: source 50 is enabled, but has no irq"),
	};

	(void)state;
	board_boot(BOARD_APLIC, NULL);
	source = map_source(20);
	assert_int_equal(request_irq(source, rec_handler, 0, "t", NULL), 0);
	aplic = data(source)->chip_data;
	SEES(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(descriptors_chains_maps_states),
		T(matrix_vectors_messages),
		T(a_matrix_that_gave_what_is_reserved),
		T(wires_of_a_plic),
		T(wires_of_an_aplic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Hierarchical domains: semantics D. */
#include <kernel/msi.h>
#include <kernel/printk.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

static struct rec_stack s;

static int stack_alloc_nr(u32 hwirq, unsigned int nr)
{
	struct irq_fwspec spec = { .fwnode = s.fwnode[0], .param_count = 2, .param = { hwirq, 1 } };

	return irq_domain_alloc_irqs(s.leaf, nr, -1, &spec);
}

static int setup_stack(void **state)
{
	rec_setup(state);
	rec_stack(&s, R_UNMASK | R_MASK | R_ACK, R_ACK, R_ACK);
	return 0;
}
#define S(fn)	cmocka_unit_test_setup(fn, setup_stack)

static void s034_one_root(void **state)
{
	(void)state;
	assert_ptr_equal(s.leaf->root, s.root);
	assert_ptr_equal(s.middle->root, s.root);
	assert_ptr_equal(s.root->root, s.root);
}

static void s035_s036_allocation_fills_every_level(void **state)
{
	struct irq_domain *levels[3] = { s.leaf, s.middle, s.root };
	irq_hw_number_t above[3] = { 0, 100, 1100 };
	int irq = stack_alloc_nr(5, 2);
	size_t live;

	(void)state;
	assert_true(irq > 0);
	assert_rec("leaf.alloc(2) middle.alloc(2) root.alloc(2)");
	for (int i = 0; i < 2; i++) {
		struct irq_data *top = irq_get_irq_data(irq + i);

		for (int l = 0; l < 3; l++) {
			struct irq_data *d = irq_domain_get_irq_data(levels[l], irq + i);

			assert_int_equal(d->irq, irq + i);
			assert_ptr_equal(d->common, top->common);
			assert_ptr_equal(d->domain, levels[l]);
			assert_ptr_equal(d->chip, s.chip[l]);
			assert_int_equal(d->hwirq, 5 + i + above[l]);
			assert_int_equal(irq_find_mapping(levels[l], d->hwirq), irq + i);
		}
		assert_false(irq_to_desc(irq + i)->status_use_accessors & IRQ_NOREQUEST);
		assert_false(irqd_is_activated(top));
	}
	for (int l = 0; l < 3; l++)
		assert_int_equal(levels[l]->mapcount, 2);
	irq_domain_free_irqs(irq, 2);
	for (int l = 0; l < 3; l++)
		assert_int_equal(levels[l]->mapcount, 0);
	assert_null(irq_to_desc(irq));
	/* The tree of the middle domain keeps its nodes. */
	irq = stack_alloc_nr(5, 1);
	live = host_bytes_live();
	irq_domain_free_irqs(irq, 1);
	irq = stack_alloc_nr(5, 1);
	assert_int_equal(host_bytes_live(), live);
}

static bool alloc_three(void *arg)
{
	int irq = stack_alloc_nr(8, 3);

	(void)arg;
	if (irq <= 0) {
		assert_int_equal(irq, -ENOMEM);
		assert_int_equal(s.leaf->mapcount + s.middle->mapcount + s.root->mapcount, 0);
		assert_int_equal(irq_get_next_irq(1), NR_IRQS);
		return false;
	}
	irq_domain_free_irqs(irq, 3);
	return true;
}

static void allocation_without_memory_leaves_nothing(void **state)
{
	(void)state;
	irq_domain_free_irqs(stack_alloc_nr(8, 3), 3);
	assert_true(fail_each(alloc_three, NULL) >= 9);
}

static void failing_alloc_of_any_level_leaves_nothing(void **state)
{
	const char *names[3] = { "leaf", "middle", "root" };
	size_t live = host_bytes_live();

	(void)state;
	for (int l = 0; l < 3; l++) {
		rec_domain_results.alloc = -EBUSY;
		rec_domain_results.at = names[l];
		assert_int_equal(stack_alloc_nr(5, 2), -EBUSY);
		assert_int_equal(s.leaf->mapcount + s.middle->mapcount + s.root->mapcount, 0);
		assert_int_equal(irq_get_next_irq(1), NR_IRQS);
		assert_int_equal(host_bytes_live(), live);
	}
}

static void taken_hwirq_of_an_inner_level_rolls_everything_back(void **state)
{
	int first = stack_alloc_nr(5, 1);

	(void)state;
	assert_true(first > 0);
	rec_take();
	assert_int_equal(stack_alloc_nr(4, 3), -EEXIST);
	assert_string_equal(strstr(rec_take(), "leaf.free"),
		"leaf.free(1) middle.free(1) root.free(1) leaf.free(1) middle.free(1) root.free(1) "
		"leaf.free(1) middle.free(1) root.free(1)");
	assert_int_equal(s.middle->mapcount, 1);
	assert_int_equal(irq_find_mapping(s.middle, 105), first);
	assert_int_equal(irq_find_mapping(s.leaf, 4), 0);
}

static int alloc_without_chip(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < nr; i++) {
		struct irq_data *data = irq_domain_get_irq_data(d, irq + i);

		data->hwirq = i;
		data->chip = NULL;
	}
	return 0;
}

static void record_free(struct irq_domain *d, unsigned int irq, unsigned int nr)
{
	(void)d, (void)irq;
	rec("free(%u)", nr);
}

static void s038_s040_chipless_level_is_refused_and_freed(void **state)
{
	static const struct irq_domain_ops ops = { .alloc = alloc_without_chip,
						   .free = record_free };
	struct irq_domain *d = irq_domain_create_hierarchy(NULL, 0, 8, NULL, &ops, NULL);

	(void)state;
	assert_int_equal(irq_domain_alloc_irqs(d, 1, -1, NULL), -EINVAL);
	assert_rec("free(1)");
	assert_int_equal(d->mapcount, 0);
	assert_int_equal(irq_get_next_irq(1), NR_IRQS);
}

static int alloc_nothing(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	(void)nr, (void)arg;
	return irq_domain_set_hwirq_and_chip(d, irq, 3, NULL, NULL);
}

static void s040_s050_placeholder_chip_passes_but_cannot_be_requested(void **state)
{
	static const struct irq_domain_ops ops = { .alloc = alloc_nothing, .free = record_free };
	struct irq_domain *d = irq_domain_create_hierarchy(NULL, 0, 8, NULL, &ops, NULL);
	int irq = irq_domain_alloc_irqs(d, 1, -1, NULL);

	(void)state;
	assert_true(irq > 0);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), -ENOSYS);
}

static int alloc_and_cut(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	(void)nr, (void)arg;
	if (d->parent) {
		irq_domain_set_hwirq_and_chip(d, irq, 3, s.chip[0], NULL);
		return irq_domain_disconnect_hierarchy(d->parent, irq);
	}
	return 0;
}

static void s040_disconnected_levels_are_cut_off(void **state)
{
	static const struct irq_domain_ops ops = { .alloc = alloc_and_cut, .free = record_free };
	struct irq_domain *inner = irq_domain_create_hierarchy(NULL, 0, 8, NULL, &ops, NULL);
	struct irq_domain *outer = irq_domain_create_hierarchy(inner, 0, 8, NULL, &ops, NULL);
	int irq = irq_domain_alloc_irqs(outer, 1, -1, NULL);

	(void)state;
	assert_true(irq > 0);
	assert_null(irq_get_irq_data(irq)->parent_data);
	assert_int_equal(inner->mapcount, 0);
	irq_domain_free_irqs(irq, 1);
	assert_rec("free(1)");
}

static void s039_missing_alloc_and_parent(void **state)
{
	struct irq_domain *d = irq_domain_create_hierarchy(NULL, 0, 8, NULL, &rec_ops, NULL);

	(void)state;
	assert_int_equal(irq_domain_alloc_irqs(d, 1, -1, NULL), -ENOSYS);
	assert_int_equal(irq_domain_alloc_irqs_parent(s.root, 1, 1, NULL), -ENOSYS);
	irq_domain_free_irqs_parent(s.root, 1, 1);
}

static void s042_common_free_resets_the_level_before_the_parent(void **state)
{
	int irq = stack_alloc_nr(5, 1);
	struct irq_data *d = irq_get_irq_data(irq);

	(void)state;
	irq_domain_free_irqs_common(s.leaf, irq, 1);
	assert_int_equal(d->hwirq, 0);
	assert_null(d->chip_data);
	assert_ptr_equal(d->chip, &no_irq_chip);
	/* Put back, for what follows. */
	irq_domain_set_hwirq_and_chip(s.leaf, irq, 5, s.chip[0], &s);
	irq_domain_set_hwirq_and_chip(s.middle, irq, 105, s.chip[1], &s);
	irq_domain_set_hwirq_and_chip(s.root, irq, 1105, s.chip[2], &s);
}

static void s043_s045_activation_goes_from_the_root(void **state)
{
	struct irq_data *d = irq_get_irq_data(stack_alloc_nr(5, 1));

	(void)state;
	rec_take();
	irq_domain_deactivate_irq(d);
	assert_rec("");
	assert_int_equal(irq_domain_activate_irq(d, false), 0);
	assert_rec("root.activate middle.activate leaf.activate");
	assert_int_equal(irq_domain_activate_irq(d, false), 0);
	assert_rec("");
	assert_true(irqd_is_activated(d));
	irq_domain_deactivate_irq(d);
	assert_rec("leaf.deactivate middle.deactivate root.deactivate");
	assert_false(irqd_is_activated(d));
}

static void s044_failed_activation_undoes_the_inner_levels(void **state)
{
	struct irq_data *d = irq_get_irq_data(stack_alloc_nr(5, 1));

	(void)state;
	rec_take();
	rec_domain_results.activate = -EIO;
	rec_domain_results.at = "leaf";
	assert_int_equal(irq_domain_activate_irq(d, false), -EIO);
	assert_rec("root.activate middle.activate leaf.activate middle.deactivate root.deactivate");
	rec_domain_results.at = "middle";
	assert_int_equal(irq_domain_activate_irq(d, false), -EIO);
	assert_rec("root.activate middle.activate root.deactivate");
	rec_domain_results.at = "root";
	assert_int_equal(irq_domain_activate_irq(d, false), -EIO);
	assert_rec("root.activate");
	assert_false(irqd_is_activated(d));
}

static void s046_parent_helpers_without_a_callback(void **state)
{
	struct irq_data *d = irq_get_irq_data(stack_alloc_nr(5, 1));

	(void)state;
	rec_take();
	assert_int_equal(irq_chip_set_affinity_parent(d, cpu_online_mask, false), -ENOSYS);
	assert_int_equal(irq_chip_set_type_parent(d, 1), -ENOSYS);
	assert_int_equal(irq_chip_retrigger_hierarchy(d), 0);
	*s.chip[1] = *rec_chip(R_RETRIGGER);
	*s.chip[2] = *rec_chip(R_RETRIGGER);
	assert_int_equal(irq_chip_retrigger_hierarchy(d), 0);
	assert_rec("middle.retrigger");	/* the first decides, even with 0 */
	*s.chip[1] = *rec_chip(0);
	rec_results.retrigger = 1;
	assert_int_equal(irq_chip_retrigger_hierarchy(d), 1);
	assert_rec("root.retrigger");
}

static void s047_outermost_composer_writes_the_message(void **state)
{
	struct irq_data *d = irq_get_irq_data(stack_alloc_nr(5, 1));
	struct msi_msg msg = { 0 };

	(void)state;
	rec_take();
	assert_int_equal(irq_chip_compose_msi_msg(d, &msg), -ENOSYS);
	*s.chip[2] = *rec_chip(R_COMPOSE);
	assert_int_equal(irq_chip_compose_msi_msg(d, &msg), 0);
	assert_rec("root.compose");
	assert_int_equal(msg.data, 1105);
	*s.chip[1] = *rec_chip(R_COMPOSE);
	assert_int_equal(irq_chip_compose_msi_msg(d, &msg), 0);
	assert_rec("middle.compose");
	assert_int_equal(msg.data, 105);
}

static void request_and_free_drive_the_whole_stack(void **state)
{
	int irq = stack_alloc_nr(5, 1);

	(void)state;
	rec_take();
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_rec("root.activate middle.activate leaf.activate leaf.unmask");
	assert_int_equal(raise_hwirq(s.root, 1105), 0);
	assert_rec("leaf.ack H");
	free_irq(irq, NULL);
	assert_rec("leaf.mask leaf.deactivate middle.deactivate root.deactivate");
}

static void failing_activation_fails_the_request(void **state)
{
	int irq = stack_alloc_nr(5, 1);

	(void)state;
	rec_domain_results.activate = -EIO;
	rec_domain_results.at = "middle";
	rec_take();
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), -EIO);
	assert_rec("root.activate middle.activate root.deactivate");
	assert_null(irq_to_desc(irq)->action);
	assert_int_equal(irq_to_desc(irq)->depth, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(s034_one_root),
		S(s035_s036_allocation_fills_every_level),
		S(allocation_without_memory_leaves_nothing),
		S(failing_alloc_of_any_level_leaves_nothing),
		S(taken_hwirq_of_an_inner_level_rolls_everything_back),
		S(s038_s040_chipless_level_is_refused_and_freed),
		S(s040_s050_placeholder_chip_passes_but_cannot_be_requested),
		S(s040_disconnected_levels_are_cut_off),
		S(s039_missing_alloc_and_parent),
		S(s042_common_free_resets_the_level_before_the_parent),
		S(s043_s045_activation_goes_from_the_root),
		S(s044_failed_activation_undoes_the_inner_levels),
		S(s046_parent_helpers_without_a_callback),
		S(s047_outermost_composer_writes_the_message),
		S(request_and_free_drive_the_whole_stack),
		S(failing_activation_fails_the_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static void s034_one_root_serves_the_whole_stack(void **state)
{
	(void)state;
	assert_ptr_equal(s.leaf->root, s.root);
	assert_ptr_equal(s.middle->root, s.root);
	assert_ptr_equal(s.root->root, s.root);
}

/* Nothing of it can be found yet, while the levels and the numbers are there. */
static int look_round_and_alloc(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	rec("alloc(%u)", nr);
	assert_int_equal(d->mapcount + s.leaf->mapcount + s.middle->mapcount + s.root->mapcount, 0);
	for (unsigned int i = 0; i < nr; i++) {
		struct irq_data *data = irq_get_irq_data(irq + i);

		assert_ptr_equal(data->domain, d);
		for (struct irq_domain *l = d; l; l = l->parent, data = data->parent_data) {
			assert_ptr_equal(data->domain, l);
			assert_int_equal(data->irq, irq + i);
			assert_int_equal(irq_find_mapping(l, 0), 0);
		}
		assert_null(data);
		irq_domain_set_hwirq_and_chip(d, irq + i, i, s.chip[0], NULL);
	}
	return irq_domain_alloc_irqs_parent(d, irq, nr, arg);
}

static void record_free(struct irq_domain *d, unsigned int irq, unsigned int nr)
{
	rec("free(%u)", nr);
	irq_domain_free_irqs_common(d, irq, nr);
}

static void s035_numbers_and_levels_come_first_publishing_last(void **state)
{
	static const struct irq_domain_ops ops = { .alloc = look_round_and_alloc,
						   .free = record_free };
	struct irq_fwspec spec = { .param_count = 2, .param = { 5, 1 } };
	struct irq_domain *d = irq_domain_create_hierarchy(s.leaf, 0, 8, NULL, &ops, NULL);
	int irq = irq_domain_alloc_irqs(d, 3, -1, &spec);

	(void)state;
	assert_rec("alloc(3) leaf.alloc(3) middle.alloc(3) root.alloc(3)");
	for (struct irq_domain *l = d; l; l = l->parent)
		assert_int_equal(l->mapcount, 3);
	assert_false(irq_to_desc(irq)->status_use_accessors & IRQ_NOREQUEST);
	assert_int_equal(irq_find_mapping(d, 2), irq + 2);
	/* Numbers of one's own, and with descriptors that exist. */
	irq_domain_free_irqs(irq, 3);
	assert_int_equal(irq_alloc_desc_at(50, -1), 50);
	assert_int_equal(__irq_domain_alloc_irqs(s.leaf, 50, 1, -1, &spec, false, NULL), -EEXIST);
	assert_int_equal(__irq_domain_alloc_irqs(s.leaf, 50, 1, -1, &spec, true, NULL), 50);
	assert_int_equal(irq_find_mapping(s.root, 1105), 50);
}

static void s036_every_level_has_its_own_data_of_one_irq(void **state)
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
			assert_ptr_equal(d->chip_data, &s);
			assert_int_equal(d->hwirq, 5 + i + above[l]);
			assert_int_equal(irq_find_mapping(levels[l], d->hwirq), irq + i);
		}
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

/* ARG: over descriptors that exist and were not made for a hierarchy. */
static bool alloc_three(void *arg)
{
	struct irq_fwspec spec = { .fwnode = s.fwnode[0], .param_count = 2, .param = { 8, 1 } };
	int irq = arg ? irq_alloc_descs(-1, 1, 3, -1) : -1;

	if (!arg || irq > 0)
		irq = __irq_domain_alloc_irqs(s.leaf, irq, 3, -1, &spec, arg, NULL);
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
	assert_true(fail_each(alloc_three, NULL) >= 3);
	assert_true(fail_each(alloc_three, &s) >= 9);
}

static void s035_failing_alloc_of_any_level_leaves_nothing(void **state)
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

/* ---- What alloc() may leave a chain like: one letter a level, outermost first -------------------- */

static const char *shape;	/* Chip, Nothing, placeholder (P), marked as disconnected (X) */

static int alloc_shape(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	const char *letter = shape;

	(void)arg;
	for (struct irq_domain *l = d; l; l = l->parent, letter++) {
		for (unsigned int i = 0; i < nr; i++) {
			irq_domain_set_hwirq_and_chip(l, irq + i, 3 + i,
						      *letter == 'P' ? NULL : s.chip[0], NULL);
			if (*letter == 'N')
				irq_domain_get_irq_data(l, irq + i)->chip = NULL;
			if (*letter == 'X')
				assert_int_equal(irq_domain_disconnect_hierarchy(l, irq + i), 0);
		}
	}
	return 0;
}

static void free_shape(struct irq_domain *d, unsigned int irq, unsigned int nr)
{
	const struct irq_data *data = irq_domain_get_irq_data(d, irq);

	rec("%s.free(%u,%lu)", d->host_data ? (char *)d->host_data : "", nr, data->hwirq);
	irq_domain_free_irqs_common(d, irq, nr);
}

static const struct irq_domain_ops shape_ops = { .alloc = alloc_shape, .free = free_shape };
static struct irq_domain *shaped[3];

static void make_shaped(void)
{
	static char names[3][2] = { "o", "m", "i" };

	for (int i = 2; i >= 0; i--)
		shaped[i] = irq_domain_create_hierarchy(i < 2 ? shaped[i + 1] : NULL, 0, 8, NULL,
							&shape_ops, names[i]);
}

/* How many levels are left of a chain of that shape; or the errno, and then it left nothing. */
static int levels_of(const char *letters)
{
	int irq, levels = 0;

	shape = letters;
	irq = irq_domain_alloc_irqs(shaped[0], 1, -1, NULL);
	if (irq > 0) {
		for (struct irq_data *d = irq_get_irq_data(irq); d; d = d->parent_data)
			levels++;
		for (int i = 0; i < 3; i++)
			assert_int_equal(shaped[i]->mapcount, i < levels);
		irq_domain_free_irqs(irq, 1);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(shaped[i]->mapcount, 0);
	assert_int_equal(irq_get_next_irq(1), NR_IRQS);
	return irq > 0 ? levels : irq;
}

static void s038_free_is_called_when_alloc_had_succeeded(void **state)
{
	size_t live;

	(void)state;
	make_shaped();
	live = host_bytes_live();
	assert_int_equal(levels_of("CNC"), -EINVAL);
	assert_rec("o.free(1,3) m.free(1,3) i.free(1,3)");	/* the data is still there */
	assert_int_equal(host_bytes_live(), live);
	assert_int_equal(levels_of("CNX"), -EINVAL);
	assert_rec("o.free(1,3) m.free(1,3) i.free(1,3)");	/* nor is anything cut off */
	assert_int_equal(levels_of("NCX"), -EINVAL);
	assert_rec("o.free(1,3) m.free(1,3) i.free(1,3)");
	assert_int_equal(host_bytes_live(), live);
	shape = "CNC";
	assert_int_equal(irq_domain_alloc_irqs(shaped[0], 2, -1, NULL), -EINVAL);
	assert_rec("o.free(1,3) m.free(1,3) i.free(1,3) o.free(1,4) m.free(1,4) i.free(1,4)");
	assert_int_equal(host_bytes_live(), live);
}

static void s040_which_chains_pass(void **state)
{
	static const char *const refused[] = { "NCC", "XCC", "XXX", "CNC", "CCN", "CNX", "CXC",
					       "CXX", "CNN" };

	(void)state;
	make_shaped();
	assert_int_equal(levels_of("CCC"), 3);
	assert_rec("o.free(1,3) m.free(1,3) i.free(1,3)");
	assert_int_equal(levels_of("CCX"), 2);
	assert_rec("o.free(1,3) m.free(1,3)");
	assert_int_equal(levels_of("CXN"), 1);
	assert_rec("o.free(1,3)");	/* never that of a level that is cut off */
	assert_int_equal(levels_of("PCC"), 3);
	for (unsigned int i = 0; i < ARRAY_SIZE(refused); i++)
		if (levels_of(refused[i]) != -EINVAL)
			fail_msg("%s passed", refused[i]);
}

static void s040_s050_placeholder_chip_passes_but_cannot_be_requested(void **state)
{
	int irq;

	(void)state;
	make_shaped();
	shape = "PCC";
	irq = irq_domain_alloc_irqs(shaped[0], 1, -1, NULL);
	assert_true(irq > 0);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), -ENOSYS);
}

static void s039_missing_alloc_and_missing_parent(void **state)
{
	struct irq_domain *d = irq_domain_create_hierarchy(s.root, 0, 8, NULL, &rec_ops, NULL);
	struct irq_domain *above = irq_domain_create_hierarchy(d, 0, 8, NULL, &shape_ops, NULL);
	int irq = stack_alloc_nr(5, 1);
	size_t live = host_bytes_live();

	(void)state;
	assert_int_equal(irq_domain_alloc_irqs(d, 1, -1, NULL), -ENOSYS);
	assert_int_equal(irq_alloc_descs(50, 50, 1, -1), 50);	/* taken over, so freed as well */
	assert_int_equal(__irq_domain_alloc_irqs(d, 50, 1, -1, NULL, true, NULL), -ENOSYS);
	assert_null(irq_to_desc(50));
	assert_int_equal(host_bytes_live(), live);
	assert_int_equal(irq_domain_alloc_irqs_parent(above, irq, 1, NULL), -ENOSYS);
	assert_int_equal(irq_domain_alloc_irqs_parent(s.root, irq, 1, NULL), -ENOSYS);
	host_printk();
	rec_take();
	irq_domain_free_irqs_parent(s.root, irq, 1);
	assert_rec("");
	assert_string_equal(host_printk(), "");
	/* A parent does not make a hierarchy: without alloc() it maps by map(). */
	assert_false(irq_domain_is_hierarchy(d));
	assert_int_not_equal(irq_create_mapping(d, 3), 0);
	assert_rec("map(3)");
}

static void free_that_reads_its_data(struct irq_domain *d, unsigned int irq, unsigned int nr)
{
	struct irq_data *data = irq_domain_get_irq_data(d, irq);

	assert_ptr_equal(data->chip_data, d);
	rec("%s", d->parent ? "outer" : "inner");
	if (!d->parent) {
		struct irq_data *outer = irq_get_irq_data(irq);

		assert_int_equal(outer->hwirq, 0);
		assert_null(outer->chip_data);
		assert_ptr_equal(outer->chip, &no_irq_chip);
	}
	irq_domain_free_irqs_common(d, irq, nr);
	assert_null(data->chip_data);
}

static int alloc_with_data(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	irq_domain_set_hwirq_and_chip(d, irq, 3, s.chip[0], d);
	return d->parent ? irq_domain_alloc_irqs_parent(d, irq, nr, arg) : 0;
}

static void s042_common_free_resets_the_level_before_the_parent(void **state)
{
	static const struct irq_domain_ops ops = { .alloc = alloc_with_data,
						   .free = free_that_reads_its_data };
	struct irq_domain *inner = irq_domain_create_hierarchy(NULL, 0, 8, NULL, &ops, NULL);
	struct irq_domain *outer = irq_domain_create_hierarchy(inner, 0, 8, NULL, &ops, NULL);

	(void)state;
	irq_domain_free_irqs(irq_domain_alloc_irqs(outer, 1, -1, NULL), 1);
	assert_rec("outer inner");
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
	irq_domain_deactivate_irq(d);
	assert_rec("");
	irq_domain_activate_irq(d, false);
	rec_take();
	irq_domain_free_irqs(d->irq, 1);	/* does not deactivate */
	assert_rec("leaf.free(1) middle.free(1) root.free(1)");
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

static void s046_parent_helpers_with_a_callback(void **state)
{
	struct irq_data *d = irq_get_irq_data(stack_alloc_nr(5, 1));
	bool value = true;

	(void)state;
	rec_take();
	assert_int_equal(irq_chip_get_parent_state(d, IRQCHIP_STATE_PENDING, &value), 0);
	assert_int_equal(irq_chip_set_parent_state(d, IRQCHIP_STATE_PENDING, true), 0);
	assert_true(value);
	assert_int_equal(irq_chip_request_resources_parent(d), 0);
	irq_chip_release_resources_parent(d);
	assert_rec("");
	*s.chip[1] = *rec_chip(R_AFFINITY | R_TYPE | R_LEVEL | R_MASK_ACK | R_EOI | R_RESOURCES |
			       R_STATE);
	irq_chip_enable_parent(d);
	irq_chip_disable_parent(d);
	assert_rec("middle.unmask middle.mask");
	*s.chip[1] = *rec_chip(~0U);
	rec_results.set_type = rec_results.resources = -EIO;
	rec_results.set_affinity = IRQ_SET_MASK_OK_DONE;
	assert_int_equal(irq_chip_set_affinity_parent(d, cpumask_of(2), true), IRQ_SET_MASK_OK_DONE);
	assert_int_equal(irq_chip_set_type_parent(d, IRQ_TYPE_LEVEL_LOW), -EIO);
	assert_int_equal(irq_chip_request_resources_parent(d), -EIO);
	assert_rec("middle.set_affinity(4,force) middle.set_type(8) middle.request_resources");
	irq_chip_ack_parent(d);
	irq_chip_mask_parent(d);
	irq_chip_mask_ack_parent(d);
	irq_chip_unmask_parent(d);
	irq_chip_eoi_parent(d);
	irq_chip_enable_parent(d);
	irq_chip_disable_parent(d);
	assert_rec("middle.ack middle.mask middle.mask_ack middle.unmask middle.eoi middle.enable "
		   "middle.disable");
	assert_int_equal(irq_chip_get_parent_state(d, IRQCHIP_STATE_PENDING, &value), 0);
	assert_false(value);
	assert_int_equal(irq_chip_set_parent_state(d, IRQCHIP_STATE_ACTIVE, true), 0);
	irq_chip_release_resources_parent(d);
	assert_rec("middle.set_state(1,1) middle.release_resources");
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

static void s053_failing_activation_fails_the_request(void **state)
{
	int irq = stack_alloc_nr(5, 1);

	(void)state;
	*s.chip[0] = *rec_chip(R_RESOURCES | R_TYPE | R_STARTUP);
	rec_domain_results.activate = -EIO;
	rec_domain_results.at = "middle";
	rec_take();
	assert_int_equal(request_irq(irq, rec_handler, IRQF_TRIGGER_HIGH, "t", NULL), -EIO);
	assert_rec("leaf.request_resources leaf.set_type(4) root.activate middle.activate "
		   "root.deactivate leaf.release_resources");
	assert_false(irq_has_action(irq));
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	assert_false(irqd_is_started(irq_get_irq_data(irq)));
	assert_int_equal(irq_get_trigger_type(irq), IRQ_TYPE_LEVEL_HIGH);	/* stays */
}

/* ---- One level more, while the irq exists -------------------------------------------------------- */

static int push_result;

static int alloc_pushed(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	rec("alloc(%u)", nr);
	if (push_result)
		return push_result;
	return irq_domain_set_hwirq_and_chip(d, irq, (unsigned long)arg, rec_chip(0), NULL);
}

static const struct irq_domain_ops push_ops = { .alloc = alloc_pushed, .free = record_free };

static void pushed_level_is_the_outermost_until_it_is_popped(void **state)
{
	static const struct irq_chip forwards = { .name = "push", .irq_ack = irq_chip_ack_parent,
						  .irq_mask = irq_chip_mask_parent,
						  .irq_unmask = irq_chip_unmask_parent };
	struct irq_domain *d = irq_domain_create_hierarchy(s.leaf, 0, 8, NULL, &push_ops, NULL);
	int irq = stack_alloc_nr(5, 1);

	(void)state;
	rec_take();
	irq_get_irq_data(irq)->mask = 77;
	assert_int_equal(irq_domain_push_irq(d, irq, (void *)6), 0);
	assert_rec("alloc(1)");
	assert_int_equal(irq_get_irq_data(irq)->mask, 0);
	assert_ptr_equal(irq_get_irq_data(irq)->domain, d);
	assert_ptr_equal(irq_get_irq_data(irq)->parent_data, irq_domain_get_irq_data(s.leaf, irq));
	assert_int_equal(irq_domain_get_irq_data(s.leaf, irq)->hwirq, 5);
	assert_int_equal(irq_find_mapping(d, 6), irq);
	assert_int_equal(irq_find_mapping(s.leaf, 5), irq);
	irq_set_chip(irq, &forwards);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	raise_hwirq(s.root, 1105);
	assert_rec("root.activate middle.activate leaf.activate leaf.unmask leaf.ack H");
	assert_int_equal(irq_domain_pop_irq(d, irq), -EBUSY);
	free_irq(irq, NULL);
	assert_int_equal(irq_domain_pop_irq(s.leaf, irq), -EINVAL);
	rec_take();
	assert_int_equal(irq_domain_pop_irq(d, irq), 0);
	assert_rec("free(1)");				/* and not the parent's */
	assert_int_equal(irq_get_irq_data(irq)->mask, 77);
	assert_ptr_equal(irq_get_irq_data(irq)->domain, s.leaf);
	assert_int_equal(irq_find_mapping(d, 6), 0);
	assert_int_equal(irq_find_mapping(s.leaf, 5), irq);
	assert_int_equal(d->mapcount, 0);
	/* Freed with the level on it. */
	assert_int_equal(irq_domain_push_irq(d, irq, (void *)6), 0);
	rec_take();
	irq_domain_free_irqs(irq, 1);
	assert_rec("free(1) leaf.free(1) middle.free(1) root.free(1)");
	assert_int_equal(d->mapcount + s.leaf->mapcount, 0);
}

static struct irq_domain *push_to;

static bool push_and_pop(void *arg)
{
	int irq = *(int *)arg, ret = irq_domain_push_irq(push_to, irq, (void *)6);

	if (!ret)
		return !irq_domain_pop_irq(push_to, irq);
	assert_int_equal(ret, -ENOMEM);
	assert_ptr_equal(irq_get_irq_data(irq)->domain, s.leaf);
	return false;
}

static void push_that_fails_changes_nothing(void **state)
{
	int irq = stack_alloc_nr(5, 1), other = stack_alloc_nr(7, 1);
	size_t live;

	(void)state;
	push_to = irq_domain_create_hierarchy(s.leaf, 0, 8, NULL, &push_ops, NULL);
	assert_int_equal(irq_domain_push_irq(s.leaf, irq, NULL), -EINVAL);	/* not on top */
	assert_int_equal(irq_domain_push_irq(s.root, irq, NULL), -EINVAL);	/* no parent */
	assert_int_equal(irq_domain_push_irq(NULL, irq, NULL), -EINVAL);
	assert_int_equal(irq_domain_push_irq(push_to, NR_IRQS - 1, NULL), -EINVAL);
	assert_int_equal(irq_domain_pop_irq(push_to, NR_IRQS - 1), -EINVAL);
	assert_int_equal(irq_domain_pop_irq(NULL, irq), -EINVAL);
	assert_int_equal(fail_each(push_and_pop, &irq), 1);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_int_equal(irq_domain_push_irq(push_to, irq, NULL), -EBUSY);
	free_irq(irq, NULL);
	live = host_bytes_live();
	push_result = -EIO;
	assert_int_equal(irq_domain_push_irq(push_to, irq, (void *)6), -EIO);
	push_result = 0;
	assert_int_equal(irq_find_mapping(s.leaf, 5), irq);
	assert_int_equal(host_bytes_live(), live);
	assert_int_equal(irq_domain_push_irq(push_to, other, (void *)6), 0);
	live = host_bytes_live();
	rec_take();
	assert_int_equal(irq_domain_push_irq(push_to, irq, (void *)6), -EEXIST);
	assert_rec("alloc(1) free(1)");
	assert_int_equal(irq_find_mapping(push_to, 6), other);
	assert_ptr_equal(irq_get_irq_data(irq)->domain, s.leaf);
	assert_int_equal(host_bytes_live(), live);
	assert_int_equal(push_to->mapcount, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		S(s034_one_root_serves_the_whole_stack),
		S(s035_numbers_and_levels_come_first_publishing_last),
		S(s036_every_level_has_its_own_data_of_one_irq),
		S(allocation_without_memory_leaves_nothing),
		S(s035_failing_alloc_of_any_level_leaves_nothing),
		S(taken_hwirq_of_an_inner_level_rolls_everything_back),
		S(s038_free_is_called_when_alloc_had_succeeded),
		S(s040_which_chains_pass),
		S(s040_s050_placeholder_chip_passes_but_cannot_be_requested),
		S(s039_missing_alloc_and_missing_parent),
		S(s042_common_free_resets_the_level_before_the_parent),
		S(s043_s045_activation_goes_from_the_root),
		S(s044_failed_activation_undoes_the_inner_levels),
		S(s046_parent_helpers_without_a_callback),
		S(s046_parent_helpers_with_a_callback),
		S(s047_outermost_composer_writes_the_message),
		S(request_and_free_drive_the_whole_stack),
		S(s053_failing_activation_fails_the_request),
		S(pushed_level_is_the_outermost_until_it_is_popped),
		S(push_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Descriptors, domains and mappings from firmware: semantics A, B, C. */
#include <kernel/printk.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

/* ---- A. Descriptors --------------------------------------------------------------------------- */

static void s001_fresh_descriptor_is_disabled_masked_and_without_chip(void **state)
{
	int irq = irq_alloc_desc(-1);
	struct irq_desc *desc = irq_to_desc(irq);
	struct irq_data *d = &desc->irq_data;

	(void)state;
	assert_int_equal(desc->depth, 1);
	assert_true(irqd_irq_disabled(d) && irqd_irq_masked(d));
	assert_false(irqd_is_started(d) || irqd_is_activated(d));
	assert_null(desc->action);
	assert_ptr_equal(d->chip, &no_irq_chip);
	assert_ptr_equal(desc->handle_irq, handle_bad_irq);
	irq_free_desc(irq);
	assert_null(irq_to_desc(irq));
}

static void s002_zero_is_never_a_number_even_when_all_are_taken(void **state)
{
	size_t live = host_bytes_live();
	struct irq_domain *d = rec_domain(0);
	struct fwnode_handle *fwnode = d->fwnode;
	unsigned int n = 0, irq;

	(void)state;
	while ((irq = irq_create_mapping(d, 3 * n))) {
		assert_in_range(irq, 1, NR_IRQS - 1);
		n++;
	}
	assert_int_equal(n, NR_IRQS - 1);
	assert_int_equal(irq_alloc_desc(-1), -ENOSPC);
	assert_int_equal(irq_alloc_desc_from(0, -1), -ENOSPC);
	assert_int_equal(irq_alloc_desc_at(0, -1), -EEXIST);
	while (n--)
		irq_dispose_mapping(irq_find_mapping(d, 3 * n));
	assert_int_equal(d->mapcount, 0);
	irq_domain_remove(d);
	irq_domain_free_fwnode(fwnode);
	assert_int_equal(host_bytes_live(), live);
}

static void s003_mapping_succeeds_when_the_hinted_numbers_are_taken(void **state)
{
	struct irq_domain *d = rec_domain(0);
	unsigned int irq;

	(void)state;
	assert_int_equal(irq_alloc_descs(NR_IRQS - 50, NR_IRQS - 50, 50, -1), NR_IRQS - 50);
	irq = irq_create_mapping(d, NR_IRQS - 20);
	assert_in_range(irq, 1, NR_IRQS - 51);
}

static void s004_taken_and_impossible_numbers_are_refused(void **state)
{
	int irq = irq_alloc_descs(7, 7, 1, -1);

	(void)state;
	assert_int_equal(irq, 7);
	assert_int_equal(irq_alloc_descs(7, 7, 1, -1), -EEXIST);
	assert_int_equal(irq_alloc_descs(6, 6, 3, -1), -EEXIST);
	assert_null(irq_to_desc(6));
	assert_int_equal(irq_alloc_descs(-1, 1, 0, -1), -EINVAL);
	assert_int_equal(irq_alloc_descs(5, 6, 1, -1), -EINVAL);
	assert_int_equal(irq_alloc_descs(NR_IRQS, 1, 1, -1) < 0, 1);
}

static void s005_several_numbers_are_contiguous(void **state)
{
	int a, b;

	(void)state;
	assert_int_equal(irq_alloc_descs(3, 3, 1, -1), 3);
	a = irq_alloc_descs(-1, 1, 4, -1);
	assert_int_equal(a, 4);
	b = irq_alloc_descs(-1, 1, 2, -1);
	assert_int_equal(b, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(irq_to_desc(a + i)->irq_data.irq, a + i);
	irq_free_descs(a, 4);
	assert_int_equal(irq_get_next_irq(4), NR_IRQS);
}

static void s006_unset_irq_is_counted_and_reported(void **state)
{
	struct irq_domain *d = rec_domain(8);
	unsigned int irq = irq_create_mapping(d, 5);

	(void)state;
	host_printk();
	assert_int_equal(raise_hwirq(d, 5), 0);
	assert_int_equal(irq_to_desc(irq)->kstat_irqs[0], 1);
	assert_true(logged("irq 5"));
}

static void s007_removed_handler_masks_and_disables(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	irq_set_handler(irq, NULL);
	assert_rec("mask ack");
	assert_true(irqd_irq_disabled(irq_get_irq_data(irq)));
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, handle_bad_irq);
	irq_set_handler(irq, NULL);
	assert_rec("ack");			/* it is masked already */
	assert_true(irq_has_action(irq));
}

/* ---- B. Domains ------------------------------------------------------------------------------- */

static void s008_linear_and_nomap_exclude_each_other(void **state)
{
	struct irq_domain_info both = { .size = 8, .direct_max = 8, .hwirq_max = 8 };
	struct irq_domain_info odd = { .direct_max = 8, .hwirq_max = 9 };

	(void)state;
	assert_null(irq_domain_instantiate(&both));
	assert_true(logged("EINVAL"));
	assert_null(irq_domain_instantiate(&odd));
	assert_true(logged("EINVAL"));
	assert_null(irq_domain_next(NULL));
}

static void s009_linear_tree_and_mixed_answer_alike(void **state)
{
	struct irq_domain_info mixed = { .size = 16, .hwirq_max = 64, .ops = &rec_ops };
	struct irq_domain *d[3] = { rec_domain(64), rec_domain(0),
				    irq_domain_instantiate(&mixed) };
	bool model[64] = { false };
	u64 r = 42;

	(void)state;
	for (int step = 0; step < 2000; step++) {
		irq_hw_number_t h = host_random(&r) % 64;
		unsigned int irq[3];

		for (int i = 0; i < 3; i++) {
			irq[i] = irq_find_mapping(d[i], h);
			assert_int_equal(irq[i] != 0, model[h]);
			if (model[h])
				irq_dispose_mapping(irq[i]);
			else
				assert_int_not_equal(irq_create_mapping(d[i], h), 0);
		}
		model[h] = !model[h];
		assert_int_equal(d[0]->mapcount, d[1]->mapcount);
		assert_int_equal(d[0]->mapcount, d[2]->mapcount);
	}
}

static void s009_second_number_for_a_hwirq_is_refused(void **state)
{
	struct irq_domain *d = rec_domain(16);
	unsigned int irq = irq_create_mapping(d, 3);
	int other = irq_alloc_desc(-1);

	(void)state;
	rec_take();
	assert_int_equal(irq_domain_associate(d, other, 3), -EEXIST);
	assert_rec("");
	assert_int_equal(irq_find_mapping(d, 3), irq);
	assert_null(irq_to_desc(other)->irq_data.domain);
}

static void s010_hwirq_beyond_the_limit_leaves_nothing(void **state)
{
	struct irq_domain *d = rec_domain(16);
	size_t live = host_bytes_live();

	(void)state;
	assert_int_equal(irq_create_mapping(d, 16), 0);
	assert_int_equal(d->mapcount, 0);
	assert_int_equal(host_bytes_live(), live);
	assert_int_equal(irq_domain_associate(d, irq_alloc_desc(-1), 16), -EINVAL);
	assert_rec("");
}

static void s011_second_mapping_is_the_first(void **state)
{
	struct irq_domain *d = rec_domain(16);
	unsigned int irq = irq_create_mapping(d, 3);

	(void)state;
	assert_int_not_equal(irq, 0);
	assert_int_equal(irq_create_mapping(d, 3), irq);
	assert_int_equal(d->mapcount, 1);
	assert_rec("map(3)");
}

static void s012_number_of_another_domain_is_refused(void **state)
{
	struct irq_domain *a = rec_domain(16), *b = rec_domain(16);
	unsigned int irq = irq_create_mapping(a, 3);

	(void)state;
	rec_take();
	assert_int_equal(irq_domain_associate(b, irq, 4), -EINVAL);
	assert_ptr_equal(irq_get_irq_data(irq)->domain, a);
	assert_int_equal(irq_get_irq_data(irq)->hwirq, 3);
	assert_int_equal(b->mapcount, 0);
	assert_rec("");
}

static void s013_failing_map_leaves_nothing(void **state)
{
	struct irq_domain *d = rec_domain(16);
	size_t live = host_bytes_live();
	int irq;

	(void)state;
	rec_domain_results.map = -EPERM;
	host_printk();
	assert_int_equal(irq_create_mapping(d, 3), 0);
	assert_string_equal(host_printk(), "");
	rec_domain_results.map = -EBUSY;
	assert_int_equal(irq_create_mapping(d, 3), 0);
	assert_true(logged("EBUSY"));
	assert_int_equal(host_bytes_live(), live);
	assert_int_equal(d->mapcount, 0);
	irq = irq_alloc_desc(-1);
	assert_int_equal(irq_domain_associate(d, irq, 3), -EBUSY);
	assert_null(irq_get_irq_data(irq)->domain);
	assert_int_equal(irq_get_irq_data(irq)->hwirq, 0);
	assert_int_equal(irq_find_mapping(d, 3), 0);
	/* The same once others are there. */
	rec_domain_results.map = 0;
	irq_create_mapping(d, 1);
	live = host_bytes_live();
	rec_domain_results.map = -EIO;
	assert_int_equal(irq_create_mapping(d, 3), 0);
	assert_int_equal(d->mapcount, 1);
	assert_int_equal(host_bytes_live(), live);
}

static bool map_far(void *arg)
{
	unsigned int irq = irq_create_mapping(arg, 1UL << 40);

	if (irq)
		irq_dispose_mapping(irq);
	return irq;
}

static void s013_mapping_without_memory_leaves_nothing(void **state)
{
	struct irq_domain *d = rec_domain(0);

	(void)state;
	/* The tree keeps its inner nodes for later keys: let them be there. */
	assert_int_not_equal(irq_create_mapping(d, (1UL << 40) + 1), 0);
	assert_true(fail_each(map_far, d) >= 1);
	assert_int_equal(d->mapcount, 1);
}

static bool make_domain(void *arg)
{
	struct irq_domain *d = rec_domain((unsigned long)arg);
	struct fwnode_handle *fwnode = d ? d->fwnode : NULL;
	bool ok = d && fwnode;

	if (d)
		irq_domain_remove(d);
	irq_domain_free_fwnode(fwnode);
	return ok;
}

static bool make_named(void *arg)
{
	struct fwnode_handle *fwnode = irq_domain_alloc_named_fwnode("x");
	struct irq_domain *d = NULL;

	(void)arg;
	if (fwnode)
		d = irq_domain_create_linear(fwnode, 8, &rec_ops, NULL);
	if (d)
		irq_domain_remove(d);
	irq_domain_free_fwnode(fwnode);
	return d;
}

static void domain_without_memory_is_not_created(void **state)
{
	(void)state;
	assert_true(fail_each(make_named, NULL) >= 3);
	assert_null(irq_domain_next(NULL));
	assert_true(make_domain((void *)8));
}

static int init_result;

static int on_init_hook(struct irq_domain *d)
{
	rec("init");
	assert_null(irq_find_matching_fwnode(d->fwnode, DOMAIN_BUS_ANY));
	return init_result;
}

static void init_hook_comes_before_anybody_can_find_the_domain(void **state)
{
	struct irq_domain_info info = { .fwnode = irq_domain_alloc_named_id_fwnode("chip", 7),
					.size = 8, .hwirq_max = 8, .init = on_init_hook };
	struct irq_domain *d;
	size_t live = host_bytes_live();

	(void)state;
	init_result = -EIO;
	assert_null(irq_domain_instantiate(&info));
	assert_rec("init");
	assert_true(logged("chip-7: interrupt domain not created (EIO)"));
	assert_int_equal(host_bytes_live(), live);
	init_result = 0;
	d = irq_domain_instantiate(&info);
	assert_rec("init");
	assert_ptr_equal(irq_find_matching_fwnode(info.fwnode, DOMAIN_BUS_ANY), d);
	assert_string_equal(d->name, "chip-7");
}

static void s014_only_associated_numbers_can_be_requested(void **state)
{
	struct irq_domain *d = rec_domain(16);
	int irq = irq_alloc_desc(-1);

	(void)state;
	rec_map_chip = rec_chip(R_LEVEL);
	rec_map_flow = handle_level_irq;
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), -ENOSYS);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(irq_domain_associate(d, irq, 3), 0);
		assert_false(irq_to_desc(irq)->status_use_accessors & IRQ_NOREQUEST);
		assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
		free_irq(irq, NULL);
		irq_domain_disassociate(d, irq);
		assert_true(irq_to_desc(irq)->status_use_accessors & IRQ_NOREQUEST);
		irq_set_chip_and_handler(irq, rec_map_chip, rec_map_flow);
		assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), -EINVAL);
	}
	irq_free_desc(irq);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), -EINVAL);
}

static void unmap_looks_round(struct irq_domain *d, unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	rec("unmap");
	assert_true(desc->status_use_accessors & IRQ_NOREQUEST);
	assert_ptr_equal(desc->irq_data.chip, &no_irq_chip);
	assert_ptr_equal(desc->handle_irq, handle_bad_irq);
	assert_ptr_equal(desc->irq_data.domain, d);
	assert_int_equal(desc->irq_data.hwirq, 3);
	assert_int_equal(d->mapcount, 1);
	assert_int_equal(irq_find_mapping(d, 3), irq);
}

static void s015_disposal_in_order(void **state)
{
	static const struct irq_domain_ops ops = { .unmap = unmap_looks_round };
	struct irq_domain *d = irq_domain_create_linear(NULL, 16, &ops, NULL);
	unsigned int irq = irq_create_mapping(d, 3);
	size_t live = host_bytes_live();

	(void)state;
	irq_set_chip_and_handler(irq, rec_chip(R_LEVEL), handle_level_irq);
	irq_dispose_mapping(irq);
	assert_rec("unmap");
	assert_int_equal(irq_find_mapping(d, 3), 0);
	assert_null(irq_to_desc(irq));
	assert_int_equal(d->mapcount, 0);
	assert_true(host_bytes_live() < live);
	irq_dispose_mapping(0);
	irq_dispose_mapping(irq);
	irq_dispose_mapping(NR_IRQS + 5);
	assert_rec("");
	assert_string_equal(host_printk(), "");
	irq = irq_alloc_desc(-1);
	irq_dispose_mapping(irq);
	assert_true(logged("warning"));
	assert_non_null(irq_to_desc(irq));
	irq_domain_disassociate(d, irq);
	assert_true(logged("warning"));
}

static void s016_nomap_is_its_own_number(void **state)
{
	struct irq_domain *d = irq_domain_create_nomap(NULL, 3, &rec_ops, NULL);
	struct irq_domain *other = rec_domain(16);
	unsigned int irq = irq_create_direct_mapping(d), foreign;

	(void)state;
	assert_int_equal(irq, 1);
	assert_int_equal(irq_get_irq_data(irq)->hwirq, 1);
	assert_int_equal(irq_find_mapping(d, 1), 1);
	assert_int_equal(irq_find_mapping(d, 2), 0);
	foreign = irq_create_mapping(other, 2);
	assert_int_equal(foreign, 2);
	assert_int_equal(irq_find_mapping(d, 2), 0);
	assert_int_equal(irq_create_direct_mapping(d), 0);	/* 3 is not below the limit */
	assert_null(irq_to_desc(3));
	assert_int_equal(d->revmap_tree.count, 0);
	irq_dispose_mapping(irq);
	assert_int_equal(irq_find_mapping(d, 1), 0);
	assert_int_equal(irq_create_direct_mapping(d), 1);
	assert_int_equal(d->mapcount, 1);
}

static void s017_null_means_the_default_domain(void **state)
{
	struct irq_domain *d;

	(void)state;
	assert_int_equal(irq_create_mapping(NULL, 3), 0);
	assert_true(logged("warning"));
	assert_int_equal(irq_find_mapping(NULL, 3), 0);
	d = rec_domain(16);
	irq_set_default_domain(d);
	assert_int_not_equal(irq_create_mapping(NULL, 3), 0);
	assert_int_equal(irq_find_mapping(NULL, 3), irq_find_mapping(d, 3));
}

static void on_exit_hook(struct irq_domain *d)
{
	rec("exit");
	if (irq_find_matching_fwnode(d->fwnode, DOMAIN_BUS_ANY) == d)
		rec("listed");
}

static void s018_removal_of_the_default_domain(void **state)
{
	struct fwnode_handle *fwnode = irq_domain_alloc_named_fwnode("x");
	struct irq_domain_info info = { .fwnode = fwnode, .ops = &rec_ops, .exit = on_exit_hook };
	struct irq_domain *d = irq_domain_instantiate(&info), *other = rec_domain(8);

	(void)state;
	irq_set_default_host(d);
	irq_domain_remove(d);
	assert_rec("exit listed");
	assert_null(irq_get_default_host());
	assert_string_equal(host_printk(), "");
	irq_set_default_host(other);
	irq_domain_remove(irq_domain_instantiate(&info));
	assert_ptr_equal(irq_get_default_host(), other);
	irq_domain_free_fwnode(fwnode);
}

static void count_report(void *arg, const char *text)
{
	if (strstr(text, "removed"))
		++*(unsigned int *)arg;
}

static void s018_removal_with_mappings_left_is_noticed(void **state)
{
	(void)state;
	for (unsigned int linear = 0; linear <= 8; linear += 8) {
		struct irq_domain *d = rec_domain(linear);
		struct fwnode_handle *fwnode = d->fwnode;
		unsigned int irq = irq_create_mapping(d, 5), found = 0;

		host_printk();
		irq_domain_remove(d);
		assert_true(logged("warning"));
		assert_int_equal(irq_check(count_report, &found), 1);
		assert_int_equal(found, 1);
		irq_get_irq_data(irq)->domain = NULL;
		irq_free_desc(irq);
		irq_domain_free_fwnode(fwnode);
	}
}

static void s019_positive_first_number_maps_the_range(void **state)
{
	struct irq_domain *d = irq_domain_create_simple(NULL, 4, 100, &rec_ops, NULL);

	(void)state;
	assert_rec("map(0) map(1) map(2) map(3)");
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(irq_find_mapping(d, i), 100 + i);
	d = irq_domain_create_simple(NULL, 4, 0, &rec_ops, NULL);
	assert_int_equal(d->mapcount, 0);
	assert_rec("");
	/* The numbers may be there before. */
	assert_int_equal(irq_alloc_descs(200, 200, 4, -1), 200);
	d = irq_domain_create_simple(NULL, 4, 200, &rec_ops, NULL);
	assert_int_equal(irq_find_mapping(d, 3), 203);
	assert_int_equal(irq_alloc_descs(300, 300, 2, -1), 300);
	rec_take();
	d = irq_domain_create_legacy(NULL, 2, 300, 7, &rec_ops, NULL);
	assert_rec("map(7) map(8)");
	assert_int_equal(irq_find_mapping(d, 8), 301);
	assert_int_equal(d->mapcount, 2);
}

/* ---- C. Specifiers ------------------------------------------------------------------------------ */

static int select_result;

static int record_select(struct irq_domain *d, struct irq_fwspec *spec,
			 enum irq_domain_bus_token token)
{
	(void)spec, (void)token;
	rec("select(%s)", d->name);
	return select_result;
}

static int match_result;

static int record_match(struct irq_domain *d, struct device_node *np,
			enum irq_domain_bus_token token)
{
	(void)np, (void)token;
	rec("match(%s)", d->name);
	return match_result;
}

static void s020_select_alone_decides(void **state)
{
	static const struct irq_domain_ops ops = { .select = record_select, .match = record_match };
	struct fwnode_handle *fwnode = irq_domain_alloc_named_fwnode("x");
	struct irq_domain *d = irq_domain_create_linear(fwnode, 8, &ops, NULL);
	struct irq_fwspec spec = { .fwnode = fwnode, .param_count = 1 }, foreign = { NULL, 0, { 0 } };

	(void)state;
	match_result = 1;
	select_result = 0;
	assert_null(irq_find_matching_fwspec(&spec, DOMAIN_BUS_WIRED));
	assert_rec("select(x)");
	select_result = 1;
	assert_ptr_equal(irq_find_matching_fwspec(&spec, DOMAIN_BUS_WIRED), d);
	assert_ptr_equal(irq_find_matching_fwspec(&foreign, DOMAIN_BUS_WIRED), d);
	assert_rec("select(x) select(x)");
	assert_ptr_equal(irq_find_matching_fwspec(&spec, DOMAIN_BUS_ANY), d);
	assert_rec("match(x)");
	match_result = 0;
	assert_null(irq_find_matching_fwspec(&spec, DOMAIN_BUS_ANY));
}

static void s020_then_match_then_the_fwnode_and_the_newest_wins(void **state)
{
	static const struct irq_domain_ops matching = { .match = record_match };
	struct fwnode_handle *fwnode = irq_domain_alloc_named_fwnode("x");
	struct irq_domain *d = irq_domain_create_linear(fwnode, 8, &matching, NULL), *newer;
	struct irq_fwspec spec = { .fwnode = fwnode, .param_count = 1 }, foreign = { NULL, 0, { 0 } };

	(void)state;
	match_result = 0;
	assert_null(irq_find_matching_fwspec(&spec, DOMAIN_BUS_WIRED));
	match_result = 1;
	assert_ptr_equal(irq_find_matching_fwspec(&foreign, DOMAIN_BUS_WIRED), d);
	newer = irq_domain_create_linear(fwnode, 8, &matching, NULL);
	rec_take();
	assert_ptr_equal(irq_find_matching_fwspec(&spec, DOMAIN_BUS_ANY), newer);
	assert_rec("match(x-2)");		/* nobody else was asked */
	irq_domain_remove(newer);
	irq_domain_remove(d);

	d = irq_domain_create_linear(fwnode, 8, &rec_ops, NULL);
	assert_null(irq_find_matching_fwspec(&foreign, DOMAIN_BUS_ANY));
	assert_ptr_equal(irq_find_matching_fwspec(&spec, DOMAIN_BUS_ANY), d);
	assert_null(irq_find_matching_fwnode(fwnode, DOMAIN_BUS_WIRED));
	irq_domain_update_bus_token(d, DOMAIN_BUS_WIRED);
	assert_ptr_equal(irq_find_matching_fwnode(fwnode, DOMAIN_BUS_WIRED), d);
	newer = irq_domain_create_linear(fwnode, 8, &rec_ops, NULL);
	assert_ptr_equal(irq_find_matching_fwnode(fwnode, DOMAIN_BUS_ANY), newer);
	assert_ptr_equal(irq_find_matching_fwnode(fwnode, DOMAIN_BUS_WIRED), d);
}

static void s020_refusal_by_select_is_overruled_by_the_retry(void **state)
{
	static const struct irq_domain_ops ops = { .select = record_select };
	struct irq_fwspec spec = { .fwnode = irq_domain_alloc_named_fwnode("x"), .param_count = 1 };
	struct irq_domain *d = irq_domain_create_linear(spec.fwnode, 8, &ops, NULL);

	(void)state;
	select_result = 0;
	assert_int_not_equal(irq_create_fwspec_mapping(&spec), 0);
	assert_rec("select(x)");
	assert_int_equal(d->mapcount, 1);
}

static void s021_wired_wins_over_any(void **state)
{
	struct fwnode_handle *fwnode = irq_domain_alloc_named_fwnode("x");
	struct irq_domain *wired = irq_domain_create_linear(fwnode, 8, &rec_ops, NULL);
	struct irq_domain *msi = irq_domain_create_linear(fwnode, 8, &rec_ops, NULL);
	struct irq_fwspec spec = { .fwnode = fwnode, .param_count = 1, .param = { 3 } };
	struct irq_fwspec none = { .param_count = 1, .param = { 4 } };
	struct irq_fwspec lost = { .fwnode = irq_domain_alloc_named_fwnode("y"),
				   .param_count = 1 };

	(void)state;
	irq_domain_update_bus_token(wired, DOMAIN_BUS_WIRED);
	irq_domain_update_bus_token(msi, DOMAIN_BUS_NEXUS);
	assert_int_not_equal(irq_create_fwspec_mapping(&spec), 0);
	assert_int_equal(wired->mapcount, 1);
	assert_int_equal(irq_create_fwspec_mapping(&none), 0);
	assert_int_equal(irq_create_fwspec_mapping(&lost), 0);
	assert_true(logged("y"));
	irq_set_default_domain(msi);
	assert_int_not_equal(irq_create_fwspec_mapping(&none), 0);
	assert_int_equal(msi->mapcount, 1);
	irq_domain_free_fwnode(lost.fwnode);
}

static int translate_fails(struct irq_domain *d, struct irq_fwspec *spec, unsigned long *hwirq,
			   unsigned int *type)
{
	(void)d, (void)spec, (void)hwirq, (void)type;
	return -EINVAL;
}

static int translate_wild(struct irq_domain *d, struct irq_fwspec *spec, unsigned long *hwirq,
			  unsigned int *type)
{
	(void)d;
	*hwirq = spec->param[0] + 1;
	*type = IRQ_TYPE_LEVEL_HIGH | 0x100;
	return 0;
}

static unsigned int map_with(const struct irq_domain_ops *ops, struct irq_domain **d)
{
	struct irq_fwspec spec = { .fwnode = irq_domain_alloc_named_fwnode("x"), .param_count = 1,
				   .param = { 3 } };

	*d = irq_domain_create_linear(spec.fwnode, 8, ops, NULL);
	return irq_create_fwspec_mapping(&spec);
}

static int xlate_plus_two(struct irq_domain *d, struct device_node *np, const u32 *spec,
			  unsigned int size, unsigned long *hwirq, unsigned int *type)
{
	(void)d, (void)np, (void)size;
	*hwirq = spec[0] + 2;
	*type = IRQ_TYPE_EDGE_FALLING;
	return 0;
}

static void assert_mapped(const struct irq_domain_ops *ops, irq_hw_number_t hwirq, u32 type)
{
	struct irq_domain *d;
	unsigned int irq = map_with(ops, &d);

	assert_int_equal(irq_find_mapping(d, hwirq), irq);
	assert_int_equal(irq_get_irq_data(irq)->hwirq, hwirq);
	assert_int_equal(irq_get_trigger_type(irq), type);
}

static void s022_translate_before_xlate_before_the_first_cell(void **state)
{
	static const struct irq_domain_ops none = { .map = NULL };
	static const struct irq_domain_ops xlate = { .xlate = xlate_plus_two };
	static const struct irq_domain_ops both = { .translate = translate_wild,
						    .xlate = xlate_plus_two };
	static const struct irq_domain_ops bad = { .translate = translate_fails,
						   .xlate = xlate_plus_two };
	unsigned int before;
	struct irq_domain *d;

	(void)state;
	assert_mapped(&none, 3, IRQ_TYPE_NONE);
	assert_mapped(&xlate, 5, IRQ_TYPE_EDGE_FALLING);
	assert_false(logged("warning"));
	assert_mapped(&both, 4, IRQ_TYPE_LEVEL_HIGH);
	before = irq_get_next_irq(4);
	assert_int_equal(map_with(&bad, &d), 0);
	assert_int_equal(d->mapcount, 0);
	assert_int_equal(irq_get_next_irq(4), before);
}

static void s023_type_bits_outside_the_sense_mask_are_cut_off(void **state)
{
	static const struct irq_domain_ops wild = { .translate = translate_wild };
	struct irq_fwspec spec = { .param_count = 1, .param = { 3 } };
	struct irq_domain *d;
	unsigned int irq;

	(void)state;
	host_printk();
	assert_mapped(&wild, 4, IRQ_TYPE_LEVEL_HIGH);
	assert_true(logged("warning"));
	/* Nor do they make an existing mapping another one's. */
	irq = map_with(&wild, &d);
	spec.fwnode = d->fwnode;
	assert_int_equal(irq_create_fwspec_mapping(&spec), irq);
}

static unsigned int map_typed(struct irq_domain *d, u32 type)
{
	struct irq_fwspec spec = { .fwnode = d->fwnode, .param_count = 2, .param = { 3, type } };

	return irq_create_fwspec_mapping(&spec);
}

static void s024_trigger_mismatch_leaves_the_mapping_alone(void **state)
{
	struct irq_domain *d = rec_domain(8);
	struct irq_data *data;
	const char *said;
	unsigned int irq;

	(void)state;
	rec_map_chip = rec_chip(R_LEVEL | R_TYPE);
	rec_map_flow = handle_level_irq;
	irq = map_typed(d, IRQ_TYPE_NONE);
	data = irq_get_irq_data(irq);
	assert_rec("map(3)");
	/* (c) NONE is replaced, (b) equal, (a) NONE keeps */
	assert_int_equal(map_typed(d, IRQ_TYPE_LEVEL_HIGH), irq);
	assert_int_equal(irqd_get_trigger_type(data), IRQ_TYPE_LEVEL_HIGH);
	assert_int_equal(map_typed(d, IRQ_TYPE_LEVEL_HIGH), irq);
	assert_int_equal(map_typed(d, IRQ_TYPE_NONE), irq);
	assert_int_equal(irqd_get_trigger_type(data), IRQ_TYPE_LEVEL_HIGH);
	assert_rec("");
	/* (d) */
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	host_printk();
	rec_take();
	assert_int_equal(map_typed(d, IRQ_TYPE_EDGE_RISING), 0);
	said = strstr(host_printk(), "warning");
	assert_non_null(said);
	assert_null(strstr(said + 1, "warning"));
	assert_int_equal(irq_find_mapping(d, 3), irq);
	assert_int_equal(d->mapcount, 1);
	assert_int_equal(irqd_get_trigger_type(data), IRQ_TYPE_LEVEL_HIGH);
	assert_int_equal(raise_hwirq(d, 3), 0);
	assert_rec("mask ack H unmask");
}

static void s025_type_reaches_the_chip_at_request(void **state)
{
	struct irq_domain *d = rec_domain(8);
	unsigned int irq;

	(void)state;
	rec_map_chip = rec_chip(R_UNMASK | R_TYPE);
	rec_map_flow = handle_level_irq;
	irq = map_typed(d, IRQ_TYPE_LEVEL_HIGH);
	assert_rec("map(3)");
	assert_false(irqd_is_level_type(irq_get_irq_data(irq)));
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_rec("set_type(4) unmask");
	assert_true(irqd_is_level_type(irq_get_irq_data(irq)));
}

static int map_with_a_type(struct irq_domain *d, unsigned int irq, irq_hw_number_t hwirq)
{
	(void)d, (void)hwirq;
	irqd_set_trigger_type(irq_get_irq_data(irq), IRQ_TYPE_LEVEL_HIGH);
	return 0;
}

static void s025_new_mapping_overwrites_what_map_stored(void **state)
{
	static const struct irq_domain_ops ops = { .map = map_with_a_type,
						   .xlate = irq_domain_xlate_onetwocell };
	struct irq_domain *d = irq_domain_create_linear(irq_domain_alloc_named_fwnode("x"), 8, &ops,
							NULL);

	(void)state;
	assert_int_equal(irq_get_trigger_type(map_typed(d, IRQ_TYPE_NONE)), IRQ_TYPE_NONE);
}

static void s026_translations_check_the_number_of_cells(void **state)
{
	struct irq_fwspec one = { .param_count = 1, .param = { 9, 0xffff } }, two = one, none = one;
	unsigned long hwirq;
	unsigned int type = 77;

	(void)state;
	two.param_count = 2;
	none.param_count = 0;
	assert_int_equal(irq_domain_translate_onecell(NULL, &two, &hwirq, &type), 0);
	assert_int_equal(type, IRQ_TYPE_NONE);
	assert_int_equal(irq_domain_translate_onecell(NULL, &none, &hwirq, &type), -EINVAL);
	assert_true(logged("0 cells"));
	assert_int_equal(irq_domain_translate_twocell(NULL, &one, &hwirq, &type), -EINVAL);
	assert_true(logged("1 cells"));
	assert_int_equal(irq_domain_translate_twocell(NULL, &two, &hwirq, &type), 0);
	assert_int_equal(hwirq, 9);
	assert_int_equal(type, 0xf);
	assert_int_equal(irq_domain_xlate_onecell(NULL, NULL, one.param, 2, &hwirq, &type), 0);
	assert_int_equal(type, IRQ_TYPE_NONE);
	assert_int_equal(irq_domain_xlate_onecell(NULL, NULL, one.param, 0, &hwirq, &type), -EINVAL);
	assert_int_equal(irq_domain_xlate_twocell(NULL, NULL, one.param, 1, &hwirq, &type), -EINVAL);
	assert_true(logged("1 cells"));
	assert_int_equal(irq_domain_xlate_twocell(NULL, NULL, one.param, 2, &hwirq, &type), 0);
	assert_int_equal(type, 0xf);
	assert_int_equal(irq_domain_xlate_onetwocell(NULL, NULL, one.param, 1, &hwirq, &type), 0);
	assert_int_equal(type, IRQ_TYPE_NONE);
	assert_int_equal(irq_domain_xlate_onetwocell(NULL, NULL, one.param, 2, &hwirq, &type), 0);
	assert_int_equal(type, 0xf);
	assert_ptr_equal(irq_domain_simple_ops.xlate, irq_domain_xlate_onetwocell);
}

static void s027_hierarchical_leaf_allocates_with_the_specifier(void **state)
{
	struct rec_stack s;
	struct irq_fwspec spec = { .param_count = 2, .param = { 7, IRQ_TYPE_EDGE_RISING } };
	unsigned int irq;

	(void)state;
	rec_stack(&s, 0, 0, 0);
	spec.fwnode = s.fwnode[0];
	irq = irq_create_fwspec_mapping(&spec);
	assert_int_not_equal(irq, 0);
	assert_rec("leaf.alloc(1) middle.alloc(1) root.alloc(1)");
	assert_int_equal(irq_get_irq_data(irq)->hwirq, 7);
	assert_int_equal(irqd_get_trigger_type(irq_get_irq_data(irq)), IRQ_TYPE_EDGE_RISING);
	host_printk();
	assert_int_equal(irq_create_mapping(s.leaf, 8), 0);
	assert_true(logged("leaf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(s001_fresh_descriptor_is_disabled_masked_and_without_chip),
		T(s002_zero_is_never_a_number_even_when_all_are_taken),
		T(s003_mapping_succeeds_when_the_hinted_numbers_are_taken),
		T(s004_taken_and_impossible_numbers_are_refused),
		T(s005_several_numbers_are_contiguous),
		T(s006_unset_irq_is_counted_and_reported),
		T(s007_removed_handler_masks_and_disables),
		T(s008_linear_and_nomap_exclude_each_other),
		T(s009_linear_tree_and_mixed_answer_alike),
		T(s009_second_number_for_a_hwirq_is_refused),
		T(s010_hwirq_beyond_the_limit_leaves_nothing),
		T(s011_second_mapping_is_the_first),
		T(s012_number_of_another_domain_is_refused),
		T(s013_failing_map_leaves_nothing),
		T(s013_mapping_without_memory_leaves_nothing),
		T(domain_without_memory_is_not_created),
		T(init_hook_comes_before_anybody_can_find_the_domain),
		T(s014_only_associated_numbers_can_be_requested),
		T(s015_disposal_in_order),
		T(s016_nomap_is_its_own_number),
		T(s017_null_means_the_default_domain),
		T(s018_removal_of_the_default_domain),
		T(s018_removal_with_mappings_left_is_noticed),
		T(s019_positive_first_number_maps_the_range),
		T(s020_select_alone_decides),
		T(s020_then_match_then_the_fwnode_and_the_newest_wins),
		T(s020_refusal_by_select_is_overruled_by_the_retry),
		T(s021_wired_wins_over_any),
		T(s022_translate_before_xlate_before_the_first_cell),
		T(s023_type_bits_outside_the_sense_mask_are_cut_off),
		T(s024_trigger_mismatch_leaves_the_mapping_alone),
		T(s025_type_reaches_the_chip_at_request),
		T(s025_new_mapping_overwrites_what_map_stored),
		T(s026_translations_check_the_number_of_cells),
		T(s027_hierarchical_leaf_allocates_with_the_specifier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

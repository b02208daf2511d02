/* The MSI core: descriptors, per-device domains, rollback: semantics N and S-049. */
#include <kernel/mm.h>
#include <kernel/msi.h>
#include <kernel/printk.h>
#include <stdio.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

/* A parent of messages with a limited supply: hwirq = irq number, as the IMSIC has it. */
static struct {
	struct irq_domain *domain;
	struct irq_chip chip;
	int supply;
	int affinity_result;
	unsigned int cpu;
	bool refuse;
} parent;

static void parent_compose(struct irq_data *d, struct msi_msg *msg)
{
	*msg = (struct msi_msg){ 0x28000000 + 0x1000 * parent.cpu, 1, d->hwirq };
}

static int parent_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	(void)force;
	rec("parent.set_affinity(%lx)", mask->bits);
	parent.cpu = cpumask_first(mask);
	irq_data_update_effective_affinity(d, cpumask_of(parent.cpu));
	return parent.affinity_result;
}

static void parent_mask(struct irq_data *d) { (void)d; rec("parent.mask"); }
static void parent_unmask(struct irq_data *d) { (void)d; rec("parent.unmask"); }

static int parent_alloc(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	(void)arg;
	if (parent.supply < (int)nr)
		return -ENOSPC;
	parent.supply -= nr;
	for (unsigned int i = 0; i < nr; i++)
		irq_domain_set_info(d, irq + i, irq + i, &parent.chip, NULL, handle_edge_irq, NULL,
				    "edge");
	return 0;
}

static void parent_free(struct irq_domain *d, unsigned int irq, unsigned int nr)
{
	parent.supply += nr;
	irq_domain_free_irqs_common(d, irq, nr);
}

static int parent_activate(struct irq_domain *d, struct irq_data *data, bool reserve)
{
	(void)d, (void)data, (void)reserve;
	rec("parent.activate");
	return 0;
}

static void parent_deactivate(struct irq_domain *d, struct irq_data *data)
{
	(void)d, (void)data;
	rec("parent.deactivate");
}

static const struct irq_domain_ops parent_ops = {
	.alloc = parent_alloc,
	.free = parent_free,
	.activate = parent_activate,
	.deactivate = parent_deactivate,
};

static bool parent_init(struct device *dev, struct irq_domain *d, struct irq_domain *real_parent,
			struct msi_domain_info *info)
{
	return !parent.refuse && msi_lib_init_dev_msi_info(dev, d, real_parent, info);
}

static const struct msi_parent_ops msi_parent_ops = {
	.supported_flags = MSI_GENERIC_FLAGS_MASK | MSI_FLAG_PCI_MSIX,
	.required_flags = MSI_FLAG_USE_DEF_CHIP_OPS,
	.prefix = "P-",
	.init_dev_msi_info = parent_init,
};

/* ---- A device ----------------------------------------------------------------------------------- */

static void dev_mask(struct irq_data *d) { rec("mask(%lu)", d->hwirq); irq_chip_mask_parent(d); }
static void dev_unmask(struct irq_data *d) { irq_chip_unmask_parent(d); rec("unmask(%lu)", d->hwirq); }

static void dev_write(struct irq_data *d, struct msi_msg *msg)
{
	rec("write(%lu,%x)", d->hwirq, msg->address_lo);
	irq_data_get_msi_desc(d)->msg = *msg;
}

static int dev_prepare(struct irq_domain *d, struct device *dev, int nvec, msi_alloc_info_t *arg)
{
	(void)d, (void)dev, (void)arg;
	rec("prepare(%d)", nvec);
	return 0;
}

static void dev_set_desc(msi_alloc_info_t *arg, struct msi_desc *desc)
{
	rec("set_desc(%u)", desc->msi_index);
	arg->hwirq = desc->msi_index;
}

static const struct msi_domain_template tmpl = {
	.name = "TEST",
	.chip = { .name = "test", .irq_mask = dev_mask, .irq_unmask = dev_unmask,
		  .irq_write_msi_msg = dev_write },
	.ops = { .msi_prepare = dev_prepare, .set_desc = dev_set_desc },
	.info = { .bus_token = DOMAIN_BUS_PCI_DEVICE_MSIX,
		  .flags = MSI_FLAG_ACTIVATE_EARLY | MSI_FLAG_FREE_MSI_DESCS |
			   MSI_FLAG_MULTI_PCI_MSI },
};

static struct device dev;

static int setup_msi(void **state)
{
	rec_setup(state);
	parent = (typeof(parent)){ .supply = 10, .affinity_result = IRQ_SET_MASK_OK };
	parent.chip = (struct irq_chip){ .name = "parent", .irq_mask = parent_mask,
		.irq_unmask = parent_unmask, .irq_set_affinity = parent_set_affinity,
		.irq_compose_msi_msg = parent_compose };
	parent.domain = irq_domain_create_hierarchy(NULL, IRQ_DOMAIN_FLAG_MSI_PARENT, 0, NULL,
						    &parent_ops, NULL);
	parent.domain->msi_parent_ops = &msi_parent_ops;
	dev = (struct device){ .name = "dev0", .msi.domain = parent.domain };
	return 0;
}
#define M(fn)	cmocka_unit_test_setup(fn, setup_msi)

/* The irq, or an errno. */
static int alloc_at(unsigned int index, const struct irq_affinity_desc *affinity)
{
	struct msi_map map = msi_domain_alloc_irq_at(&dev, MSI_DEFAULT_DOMAIN, index, affinity,
						     NULL);

	return map.virq ? map.virq : map.index;
}

static void make_domain(unsigned int hwsize)
{
	assert_true(msi_create_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN, &tmpl, hwsize, NULL,
						 NULL));
}

static void insert(unsigned int first, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct msi_desc init = { .msi_index = first + i, .nvec_used = 1 };

		assert_true(msi_insert_msi_desc(&dev, &init) == 0);
	}
}

static int alloc_range(unsigned int first, unsigned int last)
{
	return msi_domain_alloc_irqs_range(&dev, MSI_DEFAULT_DOMAIN, first, last);
}

/* The only message of a domain of four, allocated; the log is empty. */
static unsigned int first_message(void)
{
	make_domain(4);
	insert(0, 1);
	assert_int_equal(alloc_range(0, 0), 0);
	rec_take();
	return msi_get_virq(&dev, 0);
}

static void remove_domain(void)
{
	msi_remove_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN);
}

static void s133_one_domain_per_device(void **state)
{
	struct device orphan = { .name = "orphan" };

	(void)state;
	make_domain(4);
	assert_false(msi_create_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN, &tmpl, 4, NULL, NULL));
	assert_true(msi_create_device_irq_domain(&dev, MSI_SECONDARY_DOMAIN, &tmpl, 4, NULL, NULL));
	assert_true(msi_get_device_domain(&dev, MSI_SECONDARY_DOMAIN) !=
		    msi_get_device_domain(&dev, MSI_DEFAULT_DOMAIN));
	assert_false(msi_create_device_irq_domain(&dev, MSI_MAX_DEVICE_IRQDOMAINS, &tmpl, 4, NULL,
						  NULL));
	msi_remove_device_irq_domain(&dev, MSI_SECONDARY_DOMAIN);
	assert_false(msi_create_device_irq_domain(&orphan, MSI_DEFAULT_DOMAIN, &tmpl, 4, NULL, NULL));
	assert_ptr_equal(msi_get_device_domain(&dev, MSI_DEFAULT_DOMAIN)->parent, parent.domain);
	assert_int_equal(msi_get_device_domain(&dev, MSI_DEFAULT_DOMAIN)->bus_token, DOMAIN_BUS_PCI_DEVICE_MSIX);
	remove_domain();
	assert_null(msi_get_device_domain(&dev, MSI_DEFAULT_DOMAIN));
	parent.refuse = true;
	assert_false(msi_create_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN, &tmpl, 4, NULL, NULL));
}

static void s128_s129_order_of_an_allocation(void **state)
{
	struct msi_desc *desc;
	unsigned int irq;

	(void)state;
	make_domain(4);
	insert(0, 2);
	assert_int_equal(alloc_range(0, 1), 0);
	assert_rec("prepare(2) set_desc(0) parent.activate write(0,28000000) "
		   "set_desc(1) parent.activate write(1,28000000)");
	irq = msi_get_virq(&dev, 1);
	desc = irq_get_msi_desc(irq);
	assert_ptr_equal(desc, msi_desc_at(&dev, 1));
	assert_int_equal(desc->irq, irq);
	assert_int_equal(irq_get_irq_data(irq)->hwirq, 1);
	assert_int_equal(irq_get_irq_data(irq)->parent_data->hwirq, irq);
	assert_true(irqd_is_activated(irq_get_irq_data(irq)));
	assert_int_equal(desc->msg.data, irq);
	/* Requested later: activated already, nothing is written again. */
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_null(strstr(rec_take(), "activate"));
	free_irq(irq, NULL);
	msi_domain_free_irqs_all(&dev, MSI_DEFAULT_DOMAIN);
	assert_null(irq_to_desc(irq));
	assert_null(msi_desc_at(&dev, 0));
	assert_int_equal(parent.supply, 10);
	remove_domain();
}

static void s131_affinity_rewrites_the_message_unless_done(void **state)
{
	unsigned int irq = first_message();

	(void)state;
	assert_int_equal(irq_set_affinity(irq, cpumask_of(2)), 0);
	assert_rec("parent.set_affinity(4) write(0,28002000)");
	parent.affinity_result = IRQ_SET_MASK_OK_DONE;
	assert_int_equal(irq_set_affinity(irq, cpumask_of(3)), 0);
	assert_rec("parent.set_affinity(8)");
	assert_int_equal(msi_desc_at(&dev, 0)->msg.address_lo, 0x28002000);
}

static void s132_cached_message(void **state)
{
	struct msi_msg msg;

	(void)state;
	make_domain(4);
	insert(2, 1);
	assert_int_equal(alloc_range(0, 3), 0);
	get_cached_msi_msg(msi_get_virq(&dev, 2), &msg);
	assert_int_equal(msg.address_lo, 0x28000000);
	assert_int_equal(msi_msg_address(&msg), 0x128000000);
}

static void s133_indices(void **state)
{
	int irq;

	(void)state;
	make_domain(3);
	assert_int_equal(alloc_at(3, NULL), -ERANGE);
	host_printk();
	assert_int_equal(alloc_range(0, 3), -EINVAL);
	assert_true(logged("warning"));
	irq = alloc_at(1, NULL);
	assert_true(irq > 0);
	assert_int_equal(alloc_at(1, NULL), -EBUSY);
	assert_int_equal(alloc_at(MSI_ANY_INDEX, NULL) > 0, 1);
	assert_int_not_equal(msi_get_virq(&dev, 0), 0);
	assert_int_equal(alloc_at(MSI_ANY_INDEX, NULL) > 0, 1);
	assert_int_not_equal(msi_get_virq(&dev, 2), 0);
	assert_int_equal(alloc_at(MSI_ANY_INDEX, NULL), -EBUSY);
	assert_int_equal(msi_get_virq(&dev, 7), 0);
	msi_domain_free_irqs_range(&dev, MSI_DEFAULT_DOMAIN, 1, 1);
	assert_null(irq_to_desc(irq));
	assert_int_equal(alloc_at(MSI_ANY_INDEX, NULL) > 0, 1);
	assert_int_not_equal(msi_get_virq(&dev, 1), 0);
}

static void s134_flags_are_cut_to_what_the_parent_supports(void **state)
{
	struct msi_domain_info *info;

	(void)state;
	make_domain(4);
	info = msi_get_device_domain(&dev, MSI_DEFAULT_DOMAIN)->host_data;
	assert_int_equal(info->flags, MSI_FLAG_ACTIVATE_EARLY | MSI_FLAG_FREE_MSI_DESCS |
			 MSI_FLAG_USE_DEF_CHIP_OPS);
}

static void s135_out_of_supply_undoes_this_call_only(void **state)
{
	size_t live;

	(void)state;
	make_domain(16);
	insert(0, 4);
	assert_int_equal(alloc_range(0, 3), 0);
	insert(4, 8);
	live = host_bytes_live();
	assert_int_equal(alloc_range(4, 11), 6);
	assert_int_equal(parent.supply, 6);
	assert_int_equal(host_bytes_live(), live);
	for (unsigned int i = 0; i < 12; i++)
		assert_int_equal(msi_get_virq(&dev, i) != 0, i < 4);
	parent.supply = 0;
	assert_int_equal(alloc_range(4, 11), -ENOSPC);
	assert_int_equal(parent.domain->mapcount, 4);
}

static void s136_teardown_deactivates_first(void **state)
{
	(void)state;
	first_message();
	msi_domain_free_irqs_all(&dev, MSI_DEFAULT_DOMAIN);
	assert_rec("write(0,0) parent.deactivate");
}

static bool whole_life(void *arg)
{
	bool ok = false;

	(void)arg;
	if (msi_create_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN, &tmpl, 4, NULL, NULL)) {
		ok = true;
		for (unsigned int i = 0; i < 3 && ok; i++) {
			struct msi_desc init = { .msi_index = i, .nvec_used = 1 };

			ok = msi_insert_msi_desc(&dev, &init) == 0;
		}
		ok = ok && alloc_range(0, 2) == 0;
		msi_domain_free_irqs_all(&dev, MSI_DEFAULT_DOMAIN);
		remove_domain();
	}
	return ok;
}

static void life_without_memory_leaves_nothing(void **state)
{
	unsigned int failures;

	(void)state;
	whole_life(NULL);
	dev.msi.data = NULL;
	failures = fail_each(whole_life, NULL);
	print_message("# %u allocations\n", failures);
	assert_true(failures > 10);
	assert_int_equal(parent.supply, 10);
	assert_int_equal(irq_get_next_irq(1), NR_IRQS);
}

static void s049_message_domains_take_no_wires(void **state)
{
	struct irq_fwspec spec = { .param_count = 2, .param = { 1, 1 } };
	irq_hw_number_t hwirq;
	struct irq_domain *d;
	unsigned int type;

	(void)state;
	make_domain(4);
	d = msi_get_device_domain(&dev, MSI_DEFAULT_DOMAIN);
	spec.fwnode = d->fwnode;
	assert_int_equal(d->ops->translate(d, &spec, &hwirq, &type), -ENOTSUPP);
	assert_int_equal(irq_create_fwspec_mapping(&spec), 0);
	assert_int_equal(d->mapcount, 0);
}

static void s128_managed_vector_without_a_cpu_gets_no_message(void **state)
{
	struct irq_affinity_desc affinity = { .mask = { BIT(3) }, .is_managed = true };
	int irq;

	(void)state;
	cpumask_clear_cpu(3, &cpu_online_mask_);
	make_domain(4);
	irq = alloc_at(0, &affinity);
	assert_true(irq > 0);
	assert_null(strstr(rec_take(), "write"));
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_false(irqd_is_started(irq_get_irq_data(irq)));
	cpumask_set_cpu(3, &cpu_online_mask_);
	irq_affinity_online_cpu(3);
	assert_true(irqd_is_started(irq_get_irq_data(irq)));
	assert_int_equal(msi_desc_at(&dev, 0)->msg.address_lo, 0x28003000);
}

static void make_from(const struct msi_domain_template *t)
{
	assert_true(msi_create_device_irq_domain(&dev, MSI_DEFAULT_DOMAIN, t, 8, NULL, NULL));
}

static void same_hwirq(msi_alloc_info_t *arg, struct msi_desc *desc)
{
	(void)desc;
	arg->hwirq = 5;
}

static void s128_a_hwirq_twice_is_no_room(void **state)
{
	struct msi_domain_template t = tmpl;

	(void)state;
	t.ops.set_desc = same_hwirq;
	make_from(&t);
	insert(0, 2);
	assert_int_equal(alloc_range(0, 1), 1);
	assert_int_equal(alloc_range(0, 0), 0);
	assert_int_equal(alloc_range(1, 1), -ENOSPC);
	assert_int_equal(parent.domain->mapcount, 1);
}

static void s135_what_would_have_fitted_is_told_to_pci_only(void **state)
{
	struct msi_domain_template t = tmpl;
	struct msi_desc block = { .msi_index = 4, .nvec_used = 4 };

	(void)state;
	make_from(&tmpl);
	parent.supply = 3;
	assert_int_equal(msi_insert_msi_desc(&dev, &block), 0);
	assert_int_equal(alloc_range(4, 4), 1);
	msi_domain_free_msi_descs_range(&dev, MSI_DEFAULT_DOMAIN, 4, 4);
	remove_domain();

	t.info.bus_token = DOMAIN_BUS_WIRED_TO_MSI;
	make_from(&t);
	insert(0, 4);
	assert_int_equal(alloc_range(0, 3), -ENOSPC);
	assert_int_equal(parent.supply, 3);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(msi_get_virq(&dev, i), 0);
	msi_domain_free_msi_descs_range(&dev, MSI_DEFAULT_DOMAIN, 0, 3);
	remove_domain();
}

static void s136_a_bound_descriptor_is_not_freed(void **state)
{
	struct msi_desc *desc;

	(void)state;
	make_domain(4);
	insert(0, 2);
	assert_int_equal(alloc_range(0, 0), 0);
	desc = msi_desc_at(&dev, 0);
	host_printk();
	msi_domain_free_msi_descs_range(&dev, MSI_DEFAULT_DOMAIN, 0, 3);
	assert_true(logged("warning"));
	assert_ptr_equal(msi_desc_at(&dev, 0), desc);
	assert_null(msi_desc_at(&dev, 1));
	msi_domain_free_irqs_all(&dev, MSI_DEFAULT_DOMAIN);
	assert_null(msi_desc_at(&dev, 0));
}

static void s136_irq_is_0_when_its_descriptor_goes(void **state)
{
	struct msi_domain_template t = tmpl;

	(void)state;
	t.info.flags &= ~MSI_FLAG_FREE_MSI_DESCS;
	make_from(&t);
	insert(0, 1);
	assert_int_equal(alloc_range(0, 0), 0);
	msi_domain_free_irqs_all(&dev, MSI_DEFAULT_DOMAIN);
	assert_int_equal(msi_desc_at(&dev, 0)->irq, 0);
	assert_int_equal(irq_get_next_irq(1), NR_IRQS);
	msi_domain_free_msi_descs_range(&dev, MSI_DEFAULT_DOMAIN, 0, 0);
	remove_domain();
}

static void s138_a_level_means_nothing_to_a_message(void **state)
{
	unsigned int irq = first_message();

	(void)state;
	parent.chip.irq_ack = parent_mask;
	assert_int_equal(request_irq(irq, rec_handler, IRQF_TRIGGER_HIGH, "t", NULL), 0);
	assert_false(irqd_is_level_type(irq_get_irq_data(irq)));
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, handle_edge_irq);
	free_irq(irq, NULL);
}

static void two_messages(struct irq_data *d, struct msi_msg *msg)
{
	parent_compose(d, &msg[0]);
	msg[1] = (struct msi_msg){ 0x29000000, 1, d->hwirq };
}

static u32 second_message;

static void write_two(struct irq_data *d, struct msi_msg *msg)
{
	irq_data_get_msi_desc(d)->msg = msg[0];
	second_message = msg[1].address_lo;
}

static void level_by(u32 bus_token, u32 chip_flags, bool works)
{
	struct msi_domain_template t = tmpl;
	const struct msi_domain_info *info;

	t.info.flags |= MSI_FLAG_LEVEL_CAPABLE;
	t.info.bus_token = bus_token;
	t.chip.flags = chip_flags;
	t.chip.irq_write_msi_msg = write_two;
	host_printk();
	make_from(&t);
	info = msi_get_device_domain(&dev, MSI_DEFAULT_DOMAIN)->host_data;
	assert_int_equal(info->flags & MSI_FLAG_LEVEL_CAPABLE,
			 works ? MSI_FLAG_LEVEL_CAPABLE : 0);
	insert(0, 1);
	second_message = 0;
	assert_int_equal(alloc_range(0, 0), 0);
	assert_int_equal(logged("warning"), !works);
	if (works)
		assert_int_equal(second_message, 0x29000000);
	msi_domain_free_irqs_all(&dev, MSI_DEFAULT_DOMAIN);
	remove_domain();
}

static void s134_s138_levels_take_two_messages_of_parent_and_chip(void **state)
{
	struct msi_parent_ops both = msi_parent_ops;

	(void)state;
	both.supported_flags |= MSI_FLAG_LEVEL_CAPABLE;
	parent.domain->msi_parent_ops = &both;
	parent.chip.irq_compose_msi_msg = two_messages;
	level_by(DOMAIN_BUS_WIRED_TO_MSI, IRQCHIP_SUPPORTS_LEVEL_MSI, true);
	level_by(DOMAIN_BUS_WIRED_TO_MSI, 0, false);
	level_by(DOMAIN_BUS_PCI_DEVICE_MSIX, IRQCHIP_SUPPORTS_LEVEL_MSI, false);
	parent.domain->msi_parent_ops = &msi_parent_ops;
	level_by(DOMAIN_BUS_WIRED_TO_MSI, IRQCHIP_SUPPORTS_LEVEL_MSI, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		M(s133_one_domain_per_device),
		M(s128_s129_order_of_an_allocation),
		M(s131_affinity_rewrites_the_message_unless_done),
		M(s132_cached_message),
		M(s133_indices),
		M(s134_flags_are_cut_to_what_the_parent_supports),
		M(s135_out_of_supply_undoes_this_call_only),
		M(s136_teardown_deactivates_first),
		M(life_without_memory_leaves_nothing),
		M(s049_message_domains_take_no_wires),
		M(s128_managed_vector_without_a_cpu_gets_no_message),
		M(s128_a_hwirq_twice_is_no_room),
		M(s135_what_would_have_fitted_is_told_to_pci_only),
		M(s136_a_bound_descriptor_is_not_freed),
		M(s136_irq_is_0_when_its_descriptor_goes),
		M(s138_a_level_means_nothing_to_a_message),
		M(s134_s138_levels_take_two_messages_of_parent_and_chip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

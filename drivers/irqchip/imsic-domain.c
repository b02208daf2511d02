/*
 * IMSIC, the domain: lines that are a message each.
 *
 *   PCI-MSIX domain of a device, hwirq = row ---> this domain, hwirq = irq number (root)
 *   APLIC domain,                hwirq = source ---^
 *
 * A line owns one vector, a (hart, identity) from the matrix, and gets another one to move. So the
 * hwirq, which must not change, is the irq number, and chip_data is the vector. This chip receives
 * messages; the device's own domain, made on top of this one, has the chip that sends them.
 * Manual: RISC-V AIA, 3.2 (what a message is).
 */
#include <drivers/irqchip/imsic.h>
#include <kernel/msi.h>
#include <kernel/printk.h>

/* ---- The chip ------------------------------------------------------------------------------- */

/* The claim has done it: from then on another message sets the pending bit anew. */
static void imsic_irq_ack(struct irq_data *d)
{
	(void)d;
}

static void imsic_irq_mask(struct irq_data *d)
{
	spin_lock(&imsic.lock);
	imsic_vector_enable(d->chip_data, false);
	spin_unlock(&imsic.lock);
}

static void imsic_irq_unmask(struct irq_data *d)
{
	spin_lock(&imsic.lock);
	imsic_vector_enable(d->chip_data, true);
	spin_unlock(&imsic.lock);
}

static void imsic_irq_compose_msi_msg(struct irq_data *d, struct msi_msg *msg)
{
	const struct imsic_vector *vec = d->chip_data;
	phys_addr_t address = vec->hart->msi_address;

	msg->address_lo = (u32)address;
	msg->address_hi = address >> 32;
	msg->data = vec->id;
}

/* The device must have the new message before the old vector is left, so it is written here, by the
 * outermost level that sends messages. */
static void imsic_write_msg(struct irq_data *d)
{
	struct irq_data *sender = &irq_data_to_desc(d)->irq_data;
	struct msi_msg msg;

	while (sender && !sender->chip->irq_write_msi_msg)
		sender = sender->parent_data;
	if (!sender || !irqd_is_activated(d))
		return;		/* activation will */
	irq_chip_compose_msi_msg(sender, &msg);
	sender->chip->irq_write_msi_msg(sender, &msg);
}

/* A vector on one CPU of MASK for the line DESC; as irq_matrix_alloc(). */
static inline int imsic_vector_alloc(const struct cpumask *mask, struct irq_desc *desc,
				     struct imsic_vector **out)
{
	unsigned int cpu;
	int id = irq_matrix_alloc(imsic.matrix, mask, &cpu);

	if (id < 0)
		return id;
	*out = &imsic.hart[cpu].vector[id];
	__atomic_store_n(&(*out)->desc, desc, __ATOMIC_RELEASE);
	return 0;
}

static int __attribute__((noinline)) imsic_move(struct irq_data *d, const struct cpumask *dest)
{
	struct imsic_vector *old = d->chip_data, *new;
	int ret;

	spin_lock(&imsic.lock);
	ret = old->former ? -EBUSY : imsic_vector_alloc(dest, irq_data_to_desc(d), &new);
	if (!ret) {
		if (test_bit(old->id, old->hart->enabled))
			imsic_vector_enable(new, true);
		new->used = old->used;
		old->heir = new;
		new->former = old;
		d->chip_data = new;
	}
	spin_unlock(&imsic.lock);
	if (ret)
		return ret;

	imsic_write_msg(d);
	irq_data_update_effective_affinity(d, cpumask_of(new->cpu));
	spin_lock(&imsic.lock);
	imsic_vector_leave(old);
	spin_unlock(&imsic.lock);
	return IRQ_SET_MASK_OK_DONE;
}

/* A line that starts is nearly always there already. */
static int imsic_irq_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force)
{
	const struct imsic_vector *vec = d->chip_data;

	(void)force;
	return cpumask_test_cpu(vec->cpu, dest) ? IRQ_SET_MASK_OK_DONE : imsic_move(d, dest);
}

static int imsic_irq_retrigger(struct irq_data *d)
{
	imsic_vector_send(d->chip_data);
	return 1;
}

/* Only its own hart can read or clear a pending bit. */
static int imsic_irq_get_irqchip_state(struct irq_data *d, enum irqchip_irq_state which,
				       bool *state)
{
	const struct imsic_vector *vec = d->chip_data;

	if (which == IRQCHIP_STATE_MASKED) {
		*state = !test_bit(vec->id, vec->hart->enabled);
		return 0;
	}
	if (which != IRQCHIP_STATE_PENDING)
		return -EINVAL;
	if (vec->cpu != smp_processor_id())
		return -EOPNOTSUPP;
	*state = imsic_vector_pending(vec);
	return 0;
}

static int imsic_irq_set_irqchip_state(struct irq_data *d, enum irqchip_irq_state which,
				       bool state)
{
	const struct imsic_vector *vec = d->chip_data;

	if (which != IRQCHIP_STATE_PENDING)
		return -EINVAL;
	if (state)
		imsic_vector_send(vec);
	else if (vec->cpu == smp_processor_id())
		imsic_vector_clear_pending(vec);
	else
		return -EOPNOTSUPP;
	return 0;
}

const struct irq_chip imsic_chip = {
	.name = "IMSIC",
	.irq_ack = imsic_irq_ack,
	.irq_mask = imsic_irq_mask,
	.irq_unmask = imsic_irq_unmask,
	.irq_set_affinity = imsic_irq_set_affinity,
	.irq_retrigger = imsic_irq_retrigger,
	.irq_compose_msi_msg = imsic_irq_compose_msi_msg,
	.irq_get_irqchip_state = imsic_irq_get_irqchip_state,
	.irq_set_irqchip_state = imsic_irq_set_irqchip_state,
	.irq_diagnose = imsic_diagnose,
};

/* ---- The domain ----------------------------------------------------------------------------- */

static void imsic_say_full(const struct cpumask *mask)
{
	char list[64];

	pr_warn_once("imsic: no identity left on cpu %s: all %u are given",
		     cpulist_print(list, sizeof(list), mask),
		     irq_matrix_allocated(imsic.matrix, cpumask_first(mask)));
}

/* The line of identity 1, the same on every hart. */
static int imsic_ipi_alloc(struct irq_domain *d, unsigned int virq)
{
	int ret = irq_set_percpu_devid(virq);
	unsigned int cpu;

	if (ret)
		return ret;
	irq_domain_set_info(d, virq, virq, &imsic_ipi_chip, NULL, handle_percpu_devid_irq, NULL,
			    NULL);
	for_each_possible_cpu(cpu)
		imsic.hart[cpu].vector[IMSIC_IPI_ID].desc = irq_to_desc(virq);
	return 0;
}

/* ARG: &imsic for the IPI, else the child's msi_alloc_info_t, of which nothing is needed. */
static int imsic_domain_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs,
			      void *arg)
{
	struct irq_data *data = irq_domain_get_irq_data(d, virq);
	struct imsic_vector *vec;
	struct cpumask mask;
	int ret;

	if (nr_irqs > 1)
		return -EOPNOTSUPP;	/* identities are given one by one */
	if (arg == &imsic)
		return imsic_ipi_alloc(d, virq);
	if (!cpumask_and(&mask, irq_data_get_affinity_mask(data), cpu_online_mask))
		cpumask_copy(&mask, cpu_online_mask);
	ret = imsic_vector_alloc(&mask, irq_data_to_desc(data), &vec);
	if (ret == -ENOSPC)
		imsic_say_full(&mask);
	if (ret)
		return ret;
	irq_data_set_chip(data, virq, &imsic_chip, vec);
	irq_data_set_flow(data, handle_edge_irq, "edge");
	irqd_set_single_target(data);
	irq_data_update_effective_affinity(data, cpumask_of(vec->cpu));
	return 0;
}

static void imsic_vector_drop(struct imsic_vector *vec)
{
	unsigned long flags = spin_lock_irqsave(&imsic.lock);
	struct imsic_vector *former = vec->former;

	if (former)
		former->heir = NULL;
	vec->former = NULL;
	imsic_vector_leave(vec);
	spin_unlock_irqrestore(&imsic.lock, flags);

	/* Next the descriptor is freed, and a hart may have claimed for it just before. */
	imsic_vector_wait(vec);
	if (former)
		imsic_vector_wait(former);
}

static void imsic_domain_free(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_data *data = irq_domain_get_irq_data(d, virq + i);

		if (data && data->chip_data)	/* the IPI has none */
			imsic_vector_drop(data->chip_data);
	}
	irq_domain_free_irqs_common(d, virq, nr_irqs);
}

/* By fwnode, for whoever looks for a parent of messages. */
static int imsic_domain_select(struct irq_domain *d, struct irq_fwspec *fwspec,
			       enum irq_domain_bus_token bus_token)
{
	if (fwspec->fwnode != d->fwnode || fwspec->param_count)
		return 0;
	switch (bus_token) {
	case DOMAIN_BUS_NEXUS:
	case DOMAIN_BUS_PCI_MSI:
	case DOMAIN_BUS_PLATFORM_MSI:
	case DOMAIN_BUS_WIRED_TO_MSI:
		return 1;
	default:
		return 0;
	}
}

/* No wire ends here. (S-049) */
static int imsic_domain_translate(struct irq_domain *d, struct irq_fwspec *fwspec,
				  unsigned long *out_hwirq, unsigned int *out_type)
{
	(void)fwspec, (void)out_hwirq, (void)out_type;
	pr_err("%s: takes messages, not wired interrupts", d->name);
	return -ENOTSUPP;
}

const struct irq_domain_ops imsic_domain_ops = {
	.select = imsic_domain_select,
	.translate = imsic_domain_translate,
	.alloc = imsic_domain_alloc,
	.free = imsic_domain_free,
};

/* ---- For the devices' own domains ----------------------------------------------------------- */

static bool imsic_init_dev_msi_info(struct device *dev, struct irq_domain *d,
				    struct irq_domain *real_parent, struct msi_domain_info *info)
{
	if (!msi_lib_init_dev_msi_info(dev, d, real_parent, info))
		return false;
	info->chip->irq_ack = imsic_irq_ack;	/* at once, without a walk to the parent */
	info->chip->irq_set_affinity = irq_chip_set_affinity_parent;	/* writes the message */
	return true;
}

const struct msi_parent_ops imsic_msi_parent_ops = {
	.supported_flags = MSI_GENERIC_FLAGS_MASK | MSI_FLAG_PCI_MSIX,
	.required_flags = MSI_FLAG_USE_DEF_CHIP_OPS | MSI_FLAG_PCI_MSI_MASK_PARENT,
	.bus_select_mask = MATCH_PCI_MSI | MATCH_PLATFORM_MSI,
	.prefix = "IMSIC-",
	.init_dev_msi_info = imsic_init_dev_msi_info,
};

/*
 * msi-poll, its lines: one for each slot of the page.
 *
 *   PCI-MSIX domain of a device, hwirq = row ---> this domain, hwirq = slot = message (root)
 *
 * What other controllers do by registers is here a matter of who looks: a masked line's slot is
 * looked at by nobody, and moving a line is another CPU that looks. The device never notices.
 */
#include <drivers/irqchip/msi-poll.h>
#include <kernel/diagnose.h>
#include <kernel/printk.h>

/* ---- The chip ------------------------------------------------------------------------------- */

static void msi_poll_irq_mask(struct irq_data *d)
{
	__atomic_store_n(&msi_poll.line[d->hwirq].looker, 0, __ATOMIC_SEQ_CST);
}

static void msi_poll_irq_unmask(struct irq_data *d)
{
	struct msi_poll_line *line = &msi_poll.line[d->hwirq];

	__atomic_store_n(&line->looker, line->cpu + 1, __ATOMIC_SEQ_CST);
}

/* The exchange has done it. */
static void msi_poll_irq_ack(struct irq_data *d)
{
	(void)d;
}

static int msi_poll_irq_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force)
{
	struct msi_poll_line *line = &msi_poll.line[d->hwirq];
	unsigned int cpu = cpumask_first(dest);

	(void)force;
	if (cpumask_test_cpu(line->cpu, dest))
		return IRQ_SET_MASK_OK_DONE;
	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	line->cpu = cpu;
	if (__atomic_load_n(&line->looker, __ATOMIC_RELAXED))
		msi_poll_irq_unmask(d);
	irq_data_update_effective_affinity(d, cpumask_of(cpu));
	return IRQ_SET_MASK_OK_DONE;
}

/* As the device sees it, which need not be as the CPU does. */
static void msi_poll_irq_compose_msi_msg(struct irq_data *d, struct msi_msg *msg)
{
	u32 *slot = &msi_poll.slot[d->hwirq];
	dma_addr_t address = dma_map(irq_data_get_msi_desc(d)->dev, slot, sizeof(*slot));

	msg->address_lo = (u32)address;
	msg->address_hi = address >> 32;
	msg->data = d->hwirq;
}

/* What a device does: a store. Here the CPU can see what it meets. */
static int msi_poll_irq_retrigger(struct irq_data *d)
{
	if (__atomic_exchange_n(&msi_poll.slot[d->hwirq], (u32)d->hwirq, __ATOMIC_RELEASE))
		__atomic_fetch_add(&msi_poll.line[d->hwirq].merged, 1, __ATOMIC_RELAXED);
	return 1;
}

static int msi_poll_irq_get_irqchip_state(struct irq_data *d, enum irqchip_irq_state which,
					  bool *state)
{
	if (which == IRQCHIP_STATE_PENDING)
		*state = __atomic_load_n(&msi_poll.slot[d->hwirq], __ATOMIC_RELAXED);
	else if (which == IRQCHIP_STATE_MASKED)
		*state = !__atomic_load_n(&msi_poll.line[d->hwirq].looker, __ATOMIC_RELAXED);
	else
		return -EINVAL;
	return 0;
}

static int msi_poll_irq_set_irqchip_state(struct irq_data *d, enum irqchip_irq_state which,
					  bool state)
{
	if (which != IRQCHIP_STATE_PENDING)
		return -EINVAL;
	if (state)
		msi_poll_irq_retrigger(d);
	else
		__atomic_store_n(&msi_poll.slot[d->hwirq], 0, __ATOMIC_RELAXED);
	return 0;
}

static void msi_poll_diagnose(struct irq_data *d, struct diagnosis *dx)
{
	const struct msi_poll_line *line = &msi_poll.line[d->hwirq];
	u32 looker = __atomic_load_n(&line->looker, __ATOMIC_RELAXED);

	dx->cpu = line->cpu;
	diagnose(dx, true, "pending", "slot %lu holds %u", d->hwirq,
		 __atomic_load_n(&msi_poll.slot[d->hwirq], __ATOMIC_RELAXED));
	diagnose_gate(dx, d, looker == line->cpu + 1, "looked at", "slot %lu: %s cpu %u", d->hwirq,
		      looker ? "by" : "not by", looker ? looker - 1 : line->cpu);
}

const struct irq_chip msi_poll_chip = {
	.name = "MSI-poll",
	.irq_ack = msi_poll_irq_ack,
	.irq_mask = msi_poll_irq_mask,
	.irq_unmask = msi_poll_irq_unmask,
	.irq_set_affinity = msi_poll_irq_set_affinity,
	.irq_retrigger = msi_poll_irq_retrigger,
	.irq_compose_msi_msg = msi_poll_irq_compose_msi_msg,
	.irq_get_irqchip_state = msi_poll_irq_get_irqchip_state,
	.irq_set_irqchip_state = msi_poll_irq_set_irqchip_state,
	.irq_diagnose = msi_poll_diagnose,
};

/* ---- The domain ----------------------------------------------------------------------------- */

static int msi_poll_domain_alloc(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs,
				 void *arg)
{
	struct irq_data *data = irq_domain_get_irq_data(d, virq);
	unsigned int n = find_next_zero_bit(msi_poll.given, MSI_POLL_SLOTS, 1), cpu;
	struct cpumask mask;

	(void)arg;
	if (nr_irqs > 1)
		return -EOPNOTSUPP;	/* messages of one address would share a slot */
	if (n == MSI_POLL_SLOTS) {
		pr_warn_once("msi-poll: no slot left: all %lu are given", MSI_POLL_SLOTS - 1);
		return -ENOSPC;
	}
	if (!cpumask_and(&mask, irq_data_get_affinity_mask(data), cpu_online_mask))
		cpumask_copy(&mask, cpu_online_mask);
	cpu = cpumask_first(&mask);
	__set_bit(n, msi_poll.given);
	msi_poll.line[n] = (struct msi_poll_line){ .cpu = cpu };
	__atomic_store_n(&msi_poll.slot[n], 0, __ATOMIC_RELAXED);
	if (n >= msi_poll.end)
		__atomic_store_n(&msi_poll.end, n + 1, __ATOMIC_RELAXED);
	irq_domain_set_info(d, virq, n, &msi_poll_chip, NULL, handle_edge_irq, NULL, "edge");
	irqd_set_single_target(data);
	irq_data_update_effective_affinity(data, cpumask_of(cpu));
	return 0;
}

static void msi_poll_domain_free(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs)
{
	for (unsigned int i = 0; i < nr_irqs; i++) {
		struct irq_data *data = irq_domain_get_irq_data(d, virq + i);

		msi_poll_irq_mask(data);
		msi_poll_wait(data->hwirq);
		__clear_bit(data->hwirq, msi_poll.given);
	}
	irq_domain_free_irqs_common(d, virq, nr_irqs);
}

const struct irq_domain_ops msi_poll_domain_ops = {
	.alloc = msi_poll_domain_alloc,
	.free = msi_poll_domain_free,
};

static bool msi_poll_init_dev_msi_info(struct device *dev, struct irq_domain *d,
				       struct irq_domain *real_parent, struct msi_domain_info *info)
{
	if (!msi_lib_init_dev_msi_info(dev, d, real_parent, info))
		return false;
	info->chip->irq_ack = msi_poll_irq_ack;
	return true;
}

const struct msi_parent_ops msi_poll_parent_ops = {
	.supported_flags = MSI_GENERIC_FLAGS_MASK | MSI_FLAG_PCI_MSIX,
	.required_flags = MSI_FLAG_USE_DEF_CHIP_OPS | MSI_FLAG_PCI_MSI_MASK_PARENT,
	.bus_select_mask = MATCH_PCI_MSI,
	.prefix = "POLL-",
	.init_dev_msi_info = msi_poll_init_dev_msi_info,
};

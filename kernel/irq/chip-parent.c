/*
 * Callbacks of a chip that has nothing to do at its own level and passes the request on to its
 * parent: D->parent_data is the next level towards the CPU. Locked. (Linux: kernel/irq/chip.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/msi.h>

#define PASS_ON(callback)						\
void irq_chip_##callback##_parent(struct irq_data *d)			\
{									\
	d = d->parent_data;						\
	d->chip->irq_##callback(d);					\
}
PASS_ON(ack)
PASS_ON(mask)
PASS_ON(mask_ack)
PASS_ON(unmask)
PASS_ON(eoi)

void irq_chip_enable_parent(struct irq_data *d)
{
	d = d->parent_data;
	(d->chip->irq_enable ? d->chip->irq_enable : d->chip->irq_unmask)(d);
}

void irq_chip_disable_parent(struct irq_data *d)
{
	d = d->parent_data;
	(d->chip->irq_disable ? d->chip->irq_disable : d->chip->irq_mask)(d);
}

unsigned int irq_chip_startup_parent(struct irq_data *d)
{
	if (d->parent_data->chip->irq_startup)
		return d->parent_data->chip->irq_startup(d->parent_data);
	irq_chip_enable_parent(d);
	return 0;
}

void irq_chip_shutdown_parent(struct irq_data *d)
{
	if (d->parent_data->chip->irq_shutdown)
		d->parent_data->chip->irq_shutdown(d->parent_data);
	else
		irq_chip_disable_parent(d);
}

int irq_chip_set_affinity_parent(struct irq_data *d, const struct cpumask *dest, bool force)
{
	d = d->parent_data;
	return d->chip->irq_set_affinity ? d->chip->irq_set_affinity(d, dest, force) : -ENOSYS;
}

int irq_chip_set_type_parent(struct irq_data *d, unsigned int type)
{
	d = d->parent_data;
	return d->chip->irq_set_type ? d->chip->irq_set_type(d, type) : -ENOSYS;
}

int irq_chip_retrigger_hierarchy(struct irq_data *d)
{
	for (d = d->parent_data; d; d = d->parent_data)
		if (d->chip && d->chip->irq_retrigger)
			return d->chip->irq_retrigger(d);
	return 0;
}

int irq_chip_get_parent_state(struct irq_data *d, enum irqchip_irq_state which, bool *state)
{
	d = d->parent_data;
	if (!d || !d->chip->irq_get_irqchip_state)
		return 0;
	return d->chip->irq_get_irqchip_state(d, which, state);
}

int irq_chip_set_parent_state(struct irq_data *d, enum irqchip_irq_state which, bool state)
{
	d = d->parent_data;
	if (!d || !d->chip->irq_set_irqchip_state)
		return 0;
	return d->chip->irq_set_irqchip_state(d, which, state);
}

int irq_chip_request_resources_parent(struct irq_data *d)
{
	d = d->parent_data;
	return d->chip->irq_request_resources ? d->chip->irq_request_resources(d) : 0;
}

void irq_chip_release_resources_parent(struct irq_data *d)
{
	d = d->parent_data;
	if (d->chip->irq_release_resources)
		d->chip->irq_release_resources(d);
}

int irq_chip_compose_msi_msg(struct irq_data *d, struct msi_msg *msg)
{
	for (; d; d = d->parent_data) {
		if (d->chip && d->chip->irq_compose_msi_msg) {
			d->chip->irq_compose_msi_msg(d, msg);
			return 0;
		}
	}
	return -ENOSYS;
}

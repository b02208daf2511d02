/*
 * Hierarchies: an irq whose interrupt passes several controllers, each with a domain, an irq_data
 * and a chip of its own. Included by <kernel/irqdomain.h>; the same contexts.
 */
#ifndef KERNEL_IRQHIERARCHY_H
#define KERNEL_IRQHIERARCHY_H

#include <kernel/irqdesc.h>
#include <kernel/irqdomain.h>
#include <lib/errno.h>

/* ---- Levels -------------------------------------------------------------------------------- */

/*
 * NR_IRQS consecutive irqs with a full chain of irq_data from D to its root: the number of the
 * first, or a negative errno, and then nothing is left behind. IRQ_BASE < 0: any number; else
 * these, and REALLOC says that their descriptors exist. ARG is handed to D's alloc(). Does not
 * activate. (S-035 … S-040)
 */
int __irq_domain_alloc_irqs(struct irq_domain *d, int irq_base, unsigned int nr_irqs, int node,
			    void *arg, bool realloc, const struct irq_affinity_desc *affinity);
static inline int irq_domain_alloc_irqs(struct irq_domain *d, unsigned int nr_irqs, int node,
					void *arg)
{
	return __irq_domain_alloc_irqs(d, -1, nr_irqs, node, arg, false, NULL);
}
void irq_domain_free_irqs(unsigned int virq, unsigned int nr_irqs);
/* Called by an alloc() / free() for its parent: -ENOSYS if there is none / nothing. */
static inline int irq_domain_alloc_irqs_parent(struct irq_domain *d, unsigned int virq,
					       unsigned int nr_irqs, void *arg)
{
	d = d->parent;
	return d && d->ops && d->ops->alloc ? d->ops->alloc(d, virq, nr_irqs, arg) : -ENOSYS;
}
void irq_domain_free_irqs_parent(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs);
/* Resets this level's data, then frees at the parent (S-042). */
void irq_domain_free_irqs_common(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs);
void irq_domain_free_irqs_top(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs);
void irq_domain_reset_irq_data(struct irq_data *d);
/* The level of VIRQ that belongs to D, or NULL. */
static inline struct irq_data *irq_domain_get_irq_data(struct irq_domain *d, unsigned int virq)
{
	struct irq_data *data = irq_get_irq_data(virq);

	while (data && data->domain != d)
		data = data->parent_data;
	return data;
}
/* Who has a level at hand sets it; the others name it. */
static inline void irq_data_set_chip(struct irq_data *data, irq_hw_number_t hwirq,
				     const struct irq_chip *chip, void *chip_data)
{
	data->hwirq = hwirq;
	data->chip = chip ? chip : &no_irq_chip;
	data->chip_data = chip_data;
}
/* The same of a line that is new, and nobody else's: no lock. */
static inline void irq_data_set_flow(struct irq_data *data, irq_flow_handler_t handle,
				     const char *name)
{
	irq_data_to_desc(data)->handle_irq = handle;
	irq_data_to_desc(data)->name = name;
}
int irq_domain_set_hwirq_and_chip(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq,
				  const struct irq_chip *chip, void *chip_data);
/* That, and flow handler, its data and name (S-036). */
void irq_domain_set_info(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq,
			 const struct irq_chip *chip, void *chip_data, irq_flow_handler_t handler,
			 void *handler_data, const char *handler_name);
/* Cuts everything from D's level on towards the root off, when alloc() is done (S-040). */
int irq_domain_disconnect_hierarchy(struct irq_domain *d, unsigned int virq);
/* Adds / removes the outermost level of an existing irq: 0; -EBUSY (it has an action); -EINVAL (D
 * is not the one that goes there); -ENOMEM; what alloc() said. */
int irq_domain_push_irq(struct irq_domain *d, unsigned int virq, void *arg);
int irq_domain_pop_irq(struct irq_domain *d, unsigned int virq);
/* Root first / leaf first; idempotent (S-043 … S-045). Callers hold desc->lock or own the irq. */
int irq_domain_activate_irq(struct irq_data *d, bool reserve);
void irq_domain_deactivate_irq(struct irq_data *d);
#define DEFINE_DOMAIN_TEST(name, flag) \
	static inline bool name(const struct irq_domain *d) { return d->flags & (flag); }
DEFINE_DOMAIN_TEST(irq_domain_is_hierarchy, IRQ_DOMAIN_FLAG_HIERARCHY)
DEFINE_DOMAIN_TEST(irq_domain_is_msi, IRQ_DOMAIN_FLAG_MSI)
DEFINE_DOMAIN_TEST(irq_domain_is_msi_parent, IRQ_DOMAIN_FLAG_MSI_PARENT)
DEFINE_DOMAIN_TEST(irq_domain_is_msi_device, IRQ_DOMAIN_FLAG_MSI_DEVICE)

/* ---- Helpers for chips that only pass on to their parent (locked). -------------------------- */

void irq_chip_ack_parent(struct irq_data *d);
void irq_chip_mask_parent(struct irq_data *d);
void irq_chip_mask_ack_parent(struct irq_data *d);
void irq_chip_unmask_parent(struct irq_data *d);
void irq_chip_eoi_parent(struct irq_data *d);
/* Where the parent's chip has no such callback: its next simpler one (enable, unmask). */
unsigned int irq_chip_startup_parent(struct irq_data *d);
void irq_chip_shutdown_parent(struct irq_data *d);
void irq_chip_enable_parent(struct irq_data *d);
void irq_chip_disable_parent(struct irq_data *d);
int irq_chip_set_affinity_parent(struct irq_data *d, const struct cpumask *dest, bool force);
int irq_chip_set_type_parent(struct irq_data *d, unsigned int type);
int irq_chip_retrigger_hierarchy(struct irq_data *d);
/* 0, and nothing done, if the parent cannot tell. */
int irq_chip_get_parent_state(struct irq_data *d, enum irqchip_irq_state which, bool *state);
int irq_chip_set_parent_state(struct irq_data *d, enum irqchip_irq_state which, bool state);
int irq_chip_request_resources_parent(struct irq_data *d);
void irq_chip_release_resources_parent(struct irq_data *d);
/* The message of the outermost level that composes one: 0 or -ENOSYS. (S-047) */
int irq_chip_compose_msi_msg(struct irq_data *d, struct msi_msg *msg);

#endif

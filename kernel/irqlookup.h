/*
 * hwirq -> line, in any context. What an interrupt needs of it is inline: one load of an array,
 * its bound checked. Included by <kernel/irqdomain.h>. (Linux: <linux/irqdomain.h>)
 */
#ifndef KERNEL_IRQLOOKUP_H
#define KERNEL_IRQLOOKUP_H

#include <kernel/irqdomain.h>

/* The irq_data of HWIRQ, for the parts of a map that are not the hot array: tree, nomap. */
struct irq_data *irq_domain_lookup_slow(struct irq_domain *d, irq_hw_number_t hwirq);

static __always_inline struct irq_data *irq_domain_lookup(struct irq_domain *d,
							  irq_hw_number_t hwirq)
{
	if (likely(hwirq < d->revmap_size))
		return load_pointer(&d->revmap[hwirq]);
	return irq_domain_lookup_slow(d, hwirq);
}
/* The line of HWIRQ; NULL if there is none in the array, as there cannot be for a linear domain. */
static __always_inline struct irq_desc *irq_domain_linear_desc(const struct irq_domain *d,
							       irq_hw_number_t hwirq)
{
	struct irq_data *data = NULL;

	if (likely(hwirq < d->revmap_size))
		data = load_pointer(&d->revmap[hwirq]);
	return likely(data) ? irq_data_to_desc(data) : NULL;
}
/* NULL domain: the default one. *irq (may be NULL) gets the number. NULL if unmapped. */
struct irq_desc *__irq_resolve_mapping(struct irq_domain *d, irq_hw_number_t hwirq,
				       unsigned int *irq);
static inline struct irq_desc *irq_resolve_mapping(struct irq_domain *d, irq_hw_number_t hwirq)
{
	return __irq_resolve_mapping(d, hwirq, NULL);
}
unsigned int irq_find_mapping(struct irq_domain *d, irq_hw_number_t hwirq);	/* 0: none */
#define irq_linear_revmap	irq_find_mapping
/* A controller has claimed HWIRQ: runs its flow handler. 0; -EINVAL if unmapped; -EPERM outside
 * irq context where that is enforced (S-111). Irqs off. */
int generic_handle_domain_irq(struct irq_domain *d, irq_hw_number_t hwirq);
int generic_handle_domain_irq_safe(struct irq_domain *d, irq_hw_number_t hwirq);  /* or irqs on */

#endif

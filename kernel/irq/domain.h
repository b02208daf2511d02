/* Shared by the files of kernel/irq that implement domains. */
#ifndef KERNEL_IRQ_DOMAIN_H
#define KERNEL_IRQ_DOMAIN_H

#include <kernel/irqdomain.h>

extern struct list_head irq_domain_list;	/* oldest first; under the mutex */
extern struct mutex irq_domain_mutex;

/* revmap.c. Under the root's mutex. 0, -EEXIST or -ENOMEM. */
int irq_domain_set_mapping_slow(struct irq_domain *d, struct irq_data *data);
static inline int irq_domain_set_mapping(struct irq_domain *d, struct irq_data *data)
{
	if (data->hwirq >= d->revmap_size)
		return irq_domain_set_mapping_slow(d, data);
	if (d->revmap[data->hwirq])
		return -EEXIST;
	__atomic_store_n(&d->revmap[data->hwirq], data, __ATOMIC_RELEASE);
	return 0;
}
void irq_domain_clear_mapping(struct irq_domain *d, irq_hw_number_t hwirq);
void irq_domain_fix_revmap(struct irq_data *data);
unsigned int irq_create_mapping_locked(struct irq_domain *d, irq_hw_number_t hwirq,
				       const struct irq_affinity_desc *affinity);

/* hierarchy.c. Under the root's mutex. */
void irq_domain_free_level(struct irq_data *d);		/* of its memory, if it is its own */
int irq_domain_alloc_irqs_locked(struct irq_domain *d, int irq_base, unsigned int nr_irqs,
				 void *arg, bool realloc, const struct irq_affinity_desc *affinity);

/* Its last step, for numbers that irq_alloc_row() has made for D; on failure they are freed. */
int irq_domain_fill_irqs(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs, void *arg);

/* level.c. Under the root's mutex: calls D's free() for each of the irqs that has a level there. */
void irq_domain_free_hierarchy(struct irq_domain *d, unsigned int virq, unsigned int nr_irqs);
extern const struct irq_chip irq_disconnected_chip;

/* msi.c: a line of a wire-to-MSI bridge's own domain. The irq, 0 on failure. Takes the mutex. */
unsigned int msi_device_domain_alloc_wired(struct irq_domain *d, irq_hw_number_t hwirq,
					   unsigned int type, struct irq_fwspec *fwspec);
void msi_device_domain_free_wired(struct irq_domain *d, unsigned int irq);

#endif

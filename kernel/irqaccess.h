/*
 * What a line, or one level of it, is asked for: by number where a driver has only that, by
 * irq_data in a chip's callbacks. A number without a line answers NULL, 0 or false.
 * Included by <kernel/irqdesc.h>. (Linux: <linux/irq.h>, <linux/irqdesc.h>)
 */
#ifndef KERNEL_IRQACCESS_H
#define KERNEL_IRQACCESS_H

#include <kernel/irqdesc.h>

/* ---- One level, or the state common to all. ------------------------------------------------- */

/* For a chip's own callbacks, such as a set_type that changes the flow. */
static inline void irq_set_handler_locked(struct irq_data *d, irq_flow_handler_t handle)
{
	irq_data_to_desc(d)->handle_irq = handle;
}

/* ---- A line by its number. Any context. ----------------------------------------------------- */

static inline bool irq_check_status_bit(unsigned int irq, unsigned int bits)
{
	const struct irq_desc *desc = irq_to_desc(irq);

	return desc && (__atomic_load_n(&desc->status_use_accessors, __ATOMIC_RELAXED) & bits);
}
#define DEFINE_IRQ_TEST(name, bits) \
	static inline bool name(unsigned int irq) { return irq_check_status_bit(irq, bits); }
DEFINE_IRQ_TEST(irq_is_percpu, IRQ_PER_CPU)
DEFINE_IRQ_TEST(irq_is_percpu_devid, IRQ_PER_CPU_DEVID)
DEFINE_IRQ_TEST(irq_balancing_disabled, IRQ_PER_CPU | IRQ_NO_BALANCING)
#define DEFINE_IRQ_MASK(name, of_data) \
	static inline const struct cpumask *name(unsigned int irq) \
	{ struct irq_data *d = irq_get_irq_data(irq); return d ? of_data(d) : NULL; }
DEFINE_IRQ_MASK(irq_get_affinity_mask, irq_data_get_affinity_mask)
DEFINE_IRQ_MASK(irq_get_effective_affinity_mask, irq_data_get_effective_affinity_mask)

#endif

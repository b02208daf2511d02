/* What the controllers behind the harts' external interrupt, cause 9, have in common. */
#ifndef DRIVERS_IRQCHIP_RISCV_INTC_H
#define DRIVERS_IRQCHIP_RISCV_INTC_H

#include <kernel/irqdomain.h>
#include <kernel/of.h>

/*
 * Such a controller has an output for each hart and privilege mode that it serves, in the order of
 * its interrupts-extended. The CPU whose S-mode external interrupt output INDEX is: -ENOENT behind
 * the last one, -ENODEV if it is another interrupt or of a hart that the kernel does not run,
 * -EINVAL, with a message, if the property is malformed. Thread context.
 */
int riscv_intc_cpu_of_output(struct device_node *node, unsigned int index);

/*
 * HANDLER becomes the flow of that interrupt on every hart; INTC is the node of any one's cpu-intc.
 * Returns the irq, which each CPU must enable for itself, or -ENODEV; -EBUSY, with a message, if it
 * feeds another kind of controller already. Boot thread.
 */
int riscv_intc_chain_external(struct device_node *intc, irq_flow_handler_t handler);

/*
 * A line that is a wire to the end goes to one CPU, of those that its controller delivers to: in
 * the beginning, and when it shall go to one of DEST, to that which has the fewest such lines. If
 * none of CPUS is up yet, it waits for one. 0, or -EINVAL if DEST has none. Locked.
 */
void riscv_intc_place_line(struct irq_data *d, const struct cpumask *cpus);
int riscv_intc_move_line(struct irq_data *d, const struct cpumask *cpus,
			 const struct cpumask *dest);
void riscv_intc_drop_line(struct irq_data *d);
static inline unsigned int riscv_intc_cpu_of_line(const struct irq_data *d)
{
	return cpumask_first(irq_data_get_effective_affinity_mask(d));
}

#endif

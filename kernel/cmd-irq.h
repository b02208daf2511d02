/* Shared by the shell commands about irqs and CPUs. Shell thread. */
#ifndef KERNEL_CMD_IRQ_H
#define KERNEL_CMD_IRQ_H

#include <kernel/irq.h>

/* The line that TEXT names, or NULL after shell_error(). */
struct irq_desc *shell_parse_irq(const char *text);
/* irq shuffle: ARGV is COUNT COMMAND… */
int irq_shuffle(int argc, char **argv);
/* cpu shuffle: COUNT changes at least, while the command ARGV runs. */
int cpu_shuffle(u64 count, int argc, char **argv);
/* irq doctor: ARGV is empty, or the irq. */
int irq_doctor(int argc, char **argv);
/* domains --dot: prints the tree of domains and irqs as a graph. Under devices_lock(). */
void domains_dot(void);
/* "KEY":[cpu,…] of the running command's document. */
void shell_json_cpus(const char *key, const struct cpumask *mask);

#endif

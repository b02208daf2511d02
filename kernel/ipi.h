/*
 * Inter-processor interrupts: ordinary per-CPU irqs, several over one software interrupt where the
 * hardware has only that. (Linux: kernel/irq/ipi-mux.c, asm/smp.h)
 */
#ifndef KERNEL_IPI_H
#define KERNEL_IPI_H

#include <kernel/irq.h>

/*
 * A controller with one software interrupt per CPU (PARENT sends it) gets NR virtual ones, as a
 * domain of per-CPU irqs. Returns the first irq; -EEXIST for a second instance; -EINVAL for NR
 * above 32. (S-101; Linux: ipi_mux_create)
 */
int ipi_mux_create(unsigned int nr, void (*send)(unsigned int cpu));
/* The controller's handler calls this on the CPU that received it. Irq context. */
void ipi_mux_process(void);
/* IRQ, an IPI, on another CPU, or on each of DEST. 0; -EINVAL for no such irq, one whose chip sends
 * none, a CPU that is not possible. Any context. (Linux: ipi_send_single, ipi_send_mask) */
int ipi_send_single(unsigned int irq, unsigned int cpu);
int ipi_send_mask(unsigned int irq, const struct cpumask *dest);
/* FIRST is the first of the kernel's IPIs (enum ipi_kind), per-CPU irqs: requests and enables
 * them on every CPU. The controller calls it once, boot thread. (Linux: riscv_ipi_set_virq_range,
 * set_smp_ipi_range) */
void set_smp_ipi_range(unsigned int first, unsigned int nr);
enum ipi_kind { IPI_RESCHEDULE, IPI_CALL, NR_IPIS };
void smp_send_ipi(unsigned int cpu, enum ipi_kind kind);	/* any context */

#endif

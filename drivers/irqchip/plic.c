/*
 * PLIC, the RISC-V Platform-Level Interrupt Controller: wires only, no messages. Each source has a
 * priority, 0 being never, and a gateway that lets one request through and then waits. Each
 * context, a privilege mode of a hart, has an enable bit for every source, a threshold, and one
 * register that hands out requests by being read (claim) and takes them back by being written
 * (complete). Used: the S-mode contexts of our harts, priority 1. Manual: RISC-V PLIC 1.0.0;
 * [PLIC n] is its chapter.
 *
 *   wire -> gateway -> pending & enable[context] & priority > threshold -> cause 9 -> claim -> irq
 *              ^                                                                         |
 *              +------------- next request only after completion by eoi <----------------+
 * Each line is enabled in the context of one CPU. Files: plic-chip.c (what is done to a line).
 */
#include <drivers/irqchip/plic.h>
#include <drivers/irqchip/riscv-intc.h>
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/trace.h>
#include <stdio.h>
#include <string.h>

#define GRACE_US	2000000		/* for what irq_check() finds in the middle of a change */
/* A thread is at work, or was when somebody disabled the line: it is completed after that. */
#define HANDLED_LATER	(IRQD_IRQ_INPROGRESS | IRQD_IRQ_MASKED | IRQD_IRQ_DISABLED)

static struct plic *plics;
static unsigned int parent_irq;

/* ---- The interrupt -------------------------------------------------------------------------- */

/* The notification was on its way when the line moved or another CPU claimed it. [PLIC 1.3] */
static void __attribute__((noinline)) plic_spurious(struct plic *plic)
{
	if (!__atomic_fetch_add(&plic->spurious, 1, __ATOMIC_RELAXED))
		pr_info("%s: cpu %u was interrupted and found nothing to claim (told once)",
			plic->domain->name, smp_processor_id());
}

/* Signed, as a 32-bit load leaves it: to widen an unsigned one takes riscv64 two instructions. */
static __always_inline long plic_claim(const struct plic_context *context)
{
	return (int)readl(context->regs + PLIC_CLAIM);
}

/* Nobody could quieten such a source, so it is turned off; and completed, for a later owner. */
static void __attribute__((noinline)) plic_unmapped(struct plic_context *context, u32 hwirq)
{
	struct plic *plic = context->plic;

	if (!__atomic_fetch_add(&plic->unmapped, 1, __ATOMIC_RELAXED))
		pr_warn("%s: cpu %u turned off source %u, which no driver has mapped (told once)",
			plic->domain->name, smp_processor_id(), hwirq);
	if (hwirq > plic->nr_sources) {
		writel(hwirq, context->regs + PLIC_CLAIM);
		return;
	}
	writel(0, plic->regs + PLIC_PRIORITY(hwirq));
	__atomic_store_n(&plic->claimed_by[hwirq], PLIC_NOBODY, __ATOMIC_RELAXED);
	plic_complete(context, hwirq);
	plic_toggle(context, hwirq, false);
}

static void plic_handle_irq(struct irq_desc *desc);
/* Gives LINE back, so that while nobody traces nothing has to be kept across a call. */
static struct irq_desc * __attribute__((noinline)) plic_trace(struct plic_context *context,
							      u32 hwirq, struct irq_desc *line)
{
	unsigned long pc = (unsigned long)plic_handle_irq;

	trace_record_at(pc, ST_CLAIM, 0, &plic_chip, hwirq, 0);
	trace_record_at(pc, ST_LOOKUP, line->irq_data.irq, context->plic->domain, hwirq, 0);
	return line;
}

static __always_inline void plic_handle_source(struct plic_context *context, long hwirq)
{
	struct plic *plic = context->plic;
	struct irq_desc *line = irq_domain_linear_desc(plic->domain, hwirq);

	if (unlikely(!line)) {
		plic_unmapped(context, hwirq);
		return;
	}
	__atomic_store_n(&plic->claimed_by[hwirq], smp_processor_id(), __ATOMIC_RELAXED);
	if (unlikely(this_cpu()->trace_on))
		line = plic_trace(context, hwirq, line);
	generic_handle_irq_desc(line);
}

static void plic_handle_irq(struct irq_desc *desc)
{
	struct plic_context *context = this_cpu()->irqchip;
	long hwirq;

	chained_irq_enter(irq_desc_get_chip(desc), desc);
	hwirq = plic_claim(context);
	if (unlikely(!hwirq))
		plic_spurious(context->plic);
	for (; hwirq; hwirq = plic_claim(context))
		plic_handle_source(context, hwirq);
	station(ST_CLAIM, 0, &plic_chip, 0, 0);
	chained_irq_exit(irq_desc_get_chip(desc), desc);
}

/* ---- Invariants ----------------------------------------------------------------------------- */

static unsigned int plic_taken(struct irq_data *d)
{
	return __atomic_load_n(&irq_data_to_desc(d)->tot_count, __ATOMIC_RELAXED);
}

/* TAKEN: as often as at the first look. A busy line may be claimed at every look, namely if it is
 * this CPU that runs its thread, and so never looks while that does. */
static const char *plic_fault(const struct plic *plic, u32 hwirq, unsigned int taken)
{
	struct irq_data *d = irq_domain_lookup(plic->domain, hwirq);
	unsigned int cpu, enabled = 0;

	for_each_possible_cpu(cpu)
		enabled += plic_contexts[cpu].plic == plic &&
			   plic_enabled(&plic_contexts[cpu], hwirq);
	if (enabled > 1)
		return "is enabled in several contexts";
	if (enabled && !d)
		return "is enabled, but has no irq";
	if (enabled && !plic_enabled(plic_context_of(d), hwirq))
		return "is enabled for another CPU than its irq says";
	return __atomic_load_n(&plic->claimed_by[hwirq], __ATOMIC_RELAXED) == PLIC_NOBODY ||
	       (d && (irqd_test(d, HANDLED_LATER) || plic_taken(d) != taken)) ? NULL :
	       "was claimed and is not completed";
}

static unsigned int plic_check(void (*report)(void *arg, const char *text), void *arg)
{
	unsigned int faults = 0;
	char text[96];

	for (const struct plic *plic = plics; plic; plic = plic->next) {
		for (u32 n = 1; n <= plic->nr_sources; n++) {
			struct irq_data *d = irq_domain_lookup(plic->domain, n);
			unsigned int taken = d ? plic_taken(d) : 0;
			const char *fault;

			if (!poll_timeout(!(fault = plic_fault(plic, n, taken)), GRACE_US))
				continue;
			snprintf(text, sizeof(text), "%s: source %u %s", plic->domain->name, n,
				 fault);
			report(arg, text);
			faults++;
		}
	}
	return faults;
}

/* ---- Starting ------------------------------------------------------------------------------- */

static void plic_free(struct plic *plic)
{
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		if (plic_contexts[cpu].plic == plic)
			plic_contexts[cpu].plic = NULL;
	if (plic->domain)
		irq_domain_remove(plic->domain);
	kfree(plic);
}

/* Entry n of interrupts-extended is context n. Those that our harts take in S-mode are ours. */
static int plic_find_contexts(struct plic *plic, struct device_node *node, u64 size)
{
	unsigned int found = 0;
	int cpu;

	for (u64 i = 0; (cpu = riscv_intc_cpu_of_output(node, i)) != -ENOENT; i++) {
		if (cpu == -EINVAL)
			return cpu;
		if (cpu < 0)
			continue;
		if (PLIC_CONTEXT(i) + PLIC_CONTEXT_SIZE > size || plic_contexts[cpu].plic) {
			pr_err("%s: context %llu, of cpu %u, %s", node->fwnode.name,
			       (unsigned long long)i, cpu, plic_contexts[cpu].plic ?
			       "has one already" : "lies behind the end of reg");
			return -EINVAL;
		}
		cpus[cpu].irqchip = &plic_contexts[cpu];
		cpumask_set_cpu(cpu, &plic->cpus);
		plic_contexts[cpu].plic = plic;
		plic_contexts[cpu].regs = plic->regs + PLIC_CONTEXT(i);
		plic_contexts[cpu].enable = plic->regs + PLIC_ENABLE(i);
		for (u32 n = 0; n <= plic->nr_sources; n += 32)
			writel(0, plic_contexts[cpu].enable + n / 32 * 4);
		found++;
	}
	if (!found)
		pr_err("%s: no context is for the S-mode interrupts of a CPU", node->fwnode.name);
	return found ? 0 : -ENODEV;
}

static int plic_parse(struct plic *plic, struct device_node *node)
{
	struct resource res;

	of_property_read_u32(node, "riscv,ndev", &plic->nr_sources);
	of_property_read_u32(node, "#interrupt-cells", &plic->cells);
	if (!plic->nr_sources || plic->nr_sources > PLIC_MAX_SOURCE) {
		pr_err("%s: riscv,ndev is %u, not 1 to %u", node->fwnode.name, plic->nr_sources,
		       PLIC_MAX_SOURCE);
		return -EINVAL;
	}
	if (plic->cells != 1 && plic->cells != 2) {
		pr_err("%s: #interrupt-cells is %u, not 1 or 2", node->fwnode.name, plic->cells);
		return -EINVAL;
	}
	if (!of_address_to_resource(node, 0, &res))
		plic->regs = ioremap(res.start, res.size);
	return plic->regs ? plic_find_contexts(plic, node, res.size) : -EINVAL;
}

/* Firmware has left the threshold of every context at its maximum. */
static void plic_cpu_up(unsigned int cpu)
{
	if (!plic_contexts[cpu].plic)
		return;
	writel(0, plic_contexts[cpu].regs + PLIC_THRESHOLD);
	enable_percpu_irq(parent_irq, IRQ_TYPE_NONE);
}

/* No line is enabled in its context any more. */
static void plic_cpu_down(unsigned int cpu)
{
	if (!plic_contexts[cpu].plic)
		return;
	disable_percpu_irq(parent_irq);
	writel(~0U, plic_contexts[cpu].regs + PLIC_THRESHOLD);
}

/* Only the first PLIC takes the external interrupt: the handler finds each CPU's own. */
static int plic_connect(struct device_node *parent)
{
	unsigned long flags;
	int irq;

	if (parent_irq) {
		flags = arch_local_irq_save();
		plic_cpu_up(smp_processor_id());
		arch_local_irq_restore(flags);
		return 0;
	}
	irq = riscv_intc_chain_external(parent, plic_handle_irq);
	if (irq < 0)
		return irq;
	parent_irq = irq;
	cpu_hooks("plic", plic_cpu_up, plic_cpu_down);
	irq_check_register(plic_check);
	return 0;
}

static int plic_setup(struct plic *plic, struct device_node *node, struct device_node *parent)
{
	int ret = plic_parse(plic, node);

	if (ret)
		return ret;
	memset(plic->claimed_by, PLIC_NOBODY, sizeof(plic->claimed_by));
	for (u32 n = 1; n <= plic->nr_sources; n++)
		writel(0, plic->regs + PLIC_PRIORITY(n));
	plic->domain = irq_domain_create_linear(&node->fwnode, plic->nr_sources + 1,
						&plic_domain_ops, plic);
	if (!plic->domain)
		return -ENOMEM;
	irq_domain_set_name(plic->domain, "plic");
	ret = plic_connect(parent);
	if (ret)
		return ret;
	irq_domain_set_chained_on(plic->domain, parent_irq);
	plic->next = plics;
	plics = plic;
	return 0;
}

static int plic_init(struct device_node *node, struct device_node *parent)
{
	struct plic *plic = kzalloc(sizeof(*plic));
	int ret;

	if (!plic)
		return -ENOMEM;
	ret = plic_setup(plic, node, parent);
	if (ret)
		plic_free(plic);
	return ret;
}

IRQCHIP_DECLARE(sifive_plic, "sifive,plic-1.0.0", plic_init);
IRQCHIP_DECLARE(riscv_plic, "riscv,plic0", plic_init);
IRQCHIP_DECLARE(andes_plic, "andestech,nceplic100", plic_init);
IRQCHIP_DECLARE(thead_plic, "thead,c900-plic", plic_init);

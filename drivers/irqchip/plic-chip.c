/*
 * PLIC, one line: enabled in the context of one CPU, masked by its priority, completed with care.
 * Manual: RISC-V PLIC 1.0.0, chapters 4 to 9.
 *
 *             irq_disable           irq_mask
 *   pending --- enable[context] --- priority > 0 ---> claim ... handlers ... complete ---> gateway
 *                  |                                                             |
 *                  +---- the bit must be set for the completion to count --------+
 *
 * So a mask between claim and completion takes the priority and leaves the enable bit alone; where
 * the bit is gone all the same, plic_complete() lends it.
 */
#include <drivers/irqchip/plic.h>
#include <drivers/irqchip/riscv-intc.h>
#include <kernel/diagnose.h>
#include <kernel/io.h>
#include <kernel/printk.h>
#include <kernel/smp.h>

struct plic_context plic_contexts[NR_CPUS];

static spinlock_t enable_lock;

/* ---- Enable bits. Irqs off. ----------------------------------------------------------------- */

bool plic_enabled(const struct plic_context *context, irq_hw_number_t hwirq)
{
	return __atomic_load_n(&context->enabled[hwirq / 32], __ATOMIC_RELAXED) >> hwirq % 32 & 1;
}

void plic_toggle(struct plic_context *context, irq_hw_number_t hwirq, bool on)
{
	u32 *word = &context->enabled[hwirq / 32], bit = 1U << hwirq % 32;

	spin_lock(&enable_lock);
	if (plic_enabled(context, hwirq) != on) {
		__atomic_store_n(word, *word ^ bit, __ATOMIC_RELAXED);
		writel(*word, context->enable + hwirq / 32 * 4);
	}
	spin_unlock(&enable_lock);
}

/* A completion in a context where the source is not enabled is ignored [PLIC 9], and then nothing
 * comes through the gateway ever again. But since the claim it may have been disabled or moved
 * to another CPU. */
void plic_complete(struct plic_context *context, irq_hw_number_t hwirq)
{
	bool enabled = plic_enabled(context, hwirq);

	if (unlikely(!enabled))
		plic_toggle(context, hwirq, true);
	writel(hwirq, context->regs + PLIC_CLAIM);
	if (unlikely(!enabled))
		plic_toggle(context, hwirq, false);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static void plic_set_priority(struct irq_data *d, u32 priority)
{
	struct plic *plic = d->chip_data;

	writel(priority, plic->regs + PLIC_PRIORITY(d->hwirq));
}

static void plic_irq_mask(struct irq_data *d) { plic_set_priority(d, 0); }
static void plic_irq_unmask(struct irq_data *d) { plic_set_priority(d, 1); }

struct plic_context *plic_context_of(const struct irq_data *d)
{
	return &plic_contexts[riscv_intc_cpu_of_line(d)];
}

/* The priority last, also after a move: only then QEMU looks at what enable bits let through. */
static void plic_irq_enable(struct irq_data *d)
{
	plic_toggle(plic_context_of(d), d->hwirq, true);
	plic_irq_unmask(d);
}

static void plic_irq_disable(struct irq_data *d)
{
	plic_toggle(plic_context_of(d), d->hwirq, false);
}

/* By the claimer's context: a thread may end the handling on any CPU. A replay claimed nothing,
 * and what another CPU claims meanwhile that one will complete. */
static void __attribute__((noinline)) plic_eoi_elsewhere(struct irq_data *d)
{
	struct plic *plic = d->chip_data;
	unsigned int claimer = __atomic_load_n(&plic->claimed_by[d->hwirq], __ATOMIC_RELAXED);

	if (claimer == PLIC_NOBODY ||
	    (claimer != smp_processor_id() && irqd_irq_inprogress(d)))
		return;
	__atomic_store_n(&plic->claimed_by[d->hwirq], PLIC_NOBODY, __ATOMIC_RELAXED);
	plic_complete(&plic_contexts[claimer], d->hwirq);
}

/* Nearly always this CPU has claimed it and still has it enabled. */
static void plic_irq_eoi(struct irq_data *d)
{
	const struct plic_context *context = this_cpu()->irqchip;
	struct plic *plic = d->chip_data;
	u8 *claimer = &plic->claimed_by[d->hwirq];

	if (unlikely(__atomic_load_n(claimer, __ATOMIC_RELAXED) != smp_processor_id() ||
		     !plic_enabled(context, d->hwirq))) {
		plic_eoi_elsewhere(d);
		return;
	}
	__atomic_store_n(claimer, PLIC_NOBODY, __ATOMIC_RELAXED);
	writel(d->hwirq, context->regs + PLIC_CLAIM);
}

/* Before the handlers of an edge: the gateway need not remember those that come before completion.
 * [PLIC 1.2] */
static void plic_irq_ack(struct irq_data *d)
{
	plic_irq_eoi(d);
}

static int plic_irq_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force)
{
	const struct plic *plic = d->chip_data;
	struct plic_context *from = plic_context_of(d);
	int ret = riscv_intc_move_line(d, &plic->cpus, dest);

	(void)force;
	if (ret)
		return ret;
	if (from != plic_context_of(d) && plic_enabled(from, d->hwirq)) {
		plic_toggle(from, d->hwirq, false);
		plic_toggle(plic_context_of(d), d->hwirq, true);
		plic_set_priority(d, irqd_irq_masked(d) ? 0 : 1);
	}
	return IRQ_SET_MASK_OK_DONE;
}

/* With one cell neither the tree nor the driver can choose: the gateway is built for its wire. */
static int plic_irq_set_type(struct irq_data *d, unsigned int type)
{
	const struct plic *plic = d->chip_data;
	struct irq_desc *desc = irq_data_to_desc(d);

	if (plic->cells == 1)
		return IRQ_SET_MASK_OK_NOCOPY;
	if (type != IRQ_TYPE_EDGE_RISING && type != IRQ_TYPE_LEVEL_HIGH)
		return -EINVAL;
	desc->handle_irq = type == IRQ_TYPE_LEVEL_HIGH ? handle_fasteoi_irq : handle_edge_irq;
	desc->name = type == IRQ_TYPE_LEVEL_HIGH ? "fasteoi" : "edge";
	return IRQ_SET_MASK_OK;
}

/* Not whether it is active: of a line that its thread has disabled it is, until it is enabled. */
static int plic_irq_get_state(struct irq_data *d, enum irqchip_irq_state which, bool *state)
{
	struct plic *plic = d->chip_data;

	if (which == IRQCHIP_STATE_PENDING)
		*state = readl(plic->regs + PLIC_PENDING(d->hwirq)) >> d->hwirq % 32 & 1;
	else if (which == IRQCHIP_STATE_MASKED)
		*state = !readl(plic->regs + PLIC_PRIORITY(d->hwirq));
	else
		return -EINVAL;
	return 0;
}

/* The line's CPU answers when its trap has ended: what it had claimed is completed. */
static void plic_answer(void *unused)
{
	(void)unused;
}

static void plic_diagnose(struct irq_data *d, struct diagnosis *dx)
{
	const struct plic *plic = d->chip_data;
	const struct plic_context *context = plic_context_of(d);
	u32 pending = readl(plic->regs + PLIC_PENDING(d->hwirq)) >> d->hwirq % 32 & 1;
	u32 priority = readl(plic->regs + PLIC_PRIORITY(d->hwirq));
	u32 enable = readl(context->enable + d->hwirq / 32 * 4) >> d->hwirq % 32 & 1;
	u32 threshold = readl(context->regs + PLIC_THRESHOLD);
	u8 claimer;

	dx->cpu = context - plic_contexts;
	if (!diagnose_on_cpu(dx, plic_answer, NULL))
		return;
	claimer = __atomic_load_n(&plic->claimed_by[d->hwirq], __ATOMIC_RELAXED);
	diagnose(dx, true, "pending", "source %lu: %u", d->hwirq, pending);
	diagnose(dx, claimer == PLIC_NOBODY || irqd_irq_inprogress(d) || irqd_irq_masked(d),
		 "gateway", "source %lu is %s", d->hwirq, claimer == PLIC_NOBODY ? "open" :
		 "claimed and not completed: nothing more comes through");
	diagnose_gate(dx, d, priority, "priority", "%u", priority);
	diagnose(dx, enable || dx->desc->depth, "enable", "context of cpu %u: %u", dx->cpu,
		 enable);
	diagnose(dx, priority > threshold || !priority, "threshold",
		 "context of cpu %u: %u, the source's priority is %u", dx->cpu, threshold,
		 priority);
}

const struct irq_chip plic_chip = {
	.name = "PLIC",
	.irq_enable = plic_irq_enable,
	.irq_disable = plic_irq_disable,
	.irq_mask = plic_irq_mask,
	.irq_unmask = plic_irq_unmask,
	.irq_ack = plic_irq_ack,
	.irq_eoi = plic_irq_eoi,
	.irq_set_affinity = plic_irq_set_affinity,
	.irq_set_type = plic_irq_set_type,
	.irq_get_irqchip_state = plic_irq_get_state,
	.irq_diagnose = plic_diagnose,
	.flags = IRQCHIP_AFFINITY_PRE_STARTUP | IRQCHIP_EOI_THREADED,
};

/* ---- The domain ----------------------------------------------------------------------------- */

static int plic_translate(struct irq_domain *d, struct irq_fwspec *fwspec, unsigned long *hwirq,
			  unsigned int *type)
{
	const struct plic *plic = d->host_data;
	int ret = plic->cells == 2 ? irq_domain_translate_twocell(d, fwspec, hwirq, type)
				   : irq_domain_translate_onecell(d, fwspec, hwirq, type);

	if (ret || (*hwirq && *hwirq <= plic->nr_sources))
		return ret;
	pr_err("%s: source %lu is not one of 1 to %u", d->name, *hwirq, plic->nr_sources);
	return -EINVAL;
}

static int plic_map(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	struct plic *plic = d->host_data;

	irq_domain_set_info(d, virq, hwirq, &plic_chip, plic, handle_fasteoi_irq, NULL, "fasteoi");
	riscv_intc_place_line(irq_get_irq_data(virq), &plic->cpus);
	return 0;
}

static void plic_unmap(struct irq_domain *d, unsigned int virq)
{
	struct irq_data *data = irq_get_irq_data(virq);
	unsigned long flags = arch_local_irq_save();

	(void)d;
	plic_irq_mask(data);
	plic_irq_eoi(data);		/* disabled while its thread ran, never enabled again */
	plic_irq_disable(data);
	riscv_intc_drop_line(data);
	arch_local_irq_restore(flags);
}

const struct irq_domain_ops plic_domain_ops = {
	.translate = plic_translate,
	.map = plic_map,
	.unmap = plic_unmap,
};

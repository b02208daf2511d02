/*
 * Inter-processor interrupts as ordinary per-CPU irqs.
 *
 * A controller that has one software interrupt per CPU multiplexes several virtual ones over it:
 *
 *   smp_send_ipi -> ipi-mux: set bit in the target's word -> controller raises it there
 *                                                                 |
 *   handler of virtual irq <- ipi_mux_process: take all bits <----+
 *
 * The physical interrupt is raised only when the word held no bit that the target would take:
 * so every one raised is one taken, and the two can be counted against each other.
 * (Linux: kernel/irq/ipi-mux.c, ipi.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/ipi.h>
#include <kernel/smp.h>

struct ipi_mux_cpu {
	u32 enable, bits;
};

static struct ipi_mux_cpu mux_cpu[NR_CPUS];
static struct irq_domain *mux_domain;
static void (*mux_send)(unsigned int cpu);

static void mux_mask(struct irq_data *d)
{
	__atomic_fetch_and(&mux_cpu[smp_processor_id()].enable, ~BIT(d->hwirq), __ATOMIC_ACQ_REL);
}

static void mux_unmask(struct irq_data *d)
{
	struct ipi_mux_cpu *c = &mux_cpu[smp_processor_id()];

	__atomic_fetch_or(&c->enable, BIT(d->hwirq), __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&c->bits, __ATOMIC_SEQ_CST) & BIT(d->hwirq))
		mux_send(smp_processor_id());
}

static void mux_ipi_send(struct irq_data *d, unsigned int cpu)
{
	struct ipi_mux_cpu *c = &mux_cpu[cpu];
	u32 bit = BIT(d->hwirq);
	u32 old = __atomic_fetch_or(&c->bits, bit, __ATOMIC_SEQ_CST);
	u32 enable = __atomic_load_n(&c->enable, __ATOMIC_SEQ_CST);

	if ((enable & bit) && !(old & enable))
		mux_send(cpu);
}

static const struct irq_chip mux_chip = {
	.name = "IPI-mux",
	.irq_mask = mux_mask,
	.irq_unmask = mux_unmask,
	.ipi_send_single = mux_ipi_send,
};

static int mux_map(struct irq_domain *d, unsigned int irq, irq_hw_number_t hwirq)
{
	(void)d, (void)hwirq;
	irq_set_percpu_devid(irq);
	irq_set_chip_and_handler(irq, &mux_chip, handle_percpu_devid_irq);
	return 0;
}

static const struct irq_domain_ops mux_ops = { .map = mux_map };

int ipi_mux_create(unsigned int nr, void (*send)(unsigned int cpu))
{
	struct fwnode_handle *fwnode;
	int first;

	if (mux_domain)
		return -EEXIST;
	if (!nr || nr > 32 || !send)
		return -EINVAL;
	fwnode = irq_domain_alloc_named_fwnode("ipi-mux");
	if (!fwnode)
		return -ENOMEM;
	mux_domain = irq_domain_create_linear(fwnode, nr, &mux_ops, NULL);
	if (!mux_domain)
		goto free_fwnode;
	mux_domain->bus_token = DOMAIN_BUS_IPI;
	mux_send = send;
	first = irq_alloc_descs(-1, 1, nr, -1);
	if (first < 0)
		goto remove_domain;
	irq_domain_associate_many(mux_domain, first, 0, nr);
	return first;
remove_domain:
	irq_domain_remove(mux_domain);
	mux_domain = NULL;
free_fwnode:
	irq_domain_free_fwnode(fwnode);
	return -ENOMEM;
}

void ipi_mux_process(void)
{
	struct ipi_mux_cpu *c = &mux_cpu[smp_processor_id()];
	u32 enable = __atomic_load_n(&c->enable, __ATOMIC_RELAXED);
	u32 bits = __atomic_fetch_and(&c->bits, ~enable, __ATOMIC_SEQ_CST) & enable;

	for (; bits; bits &= bits - 1)
		generic_handle_domain_irq(mux_domain, __builtin_ctz(bits));
}

/* ---- Sending by number ---------------------------------------------------------------------- */

/* A chip may have either callback; DEST is not empty. */
int ipi_send_mask(unsigned int irq, const struct cpumask *dest)
{
	struct irq_data *d = irq_get_irq_data(irq);
	unsigned int cpu;

	if (!d || cpumask_empty(dest) || !cpumask_subset(dest, cpu_possible_mask) ||
	    (!d->chip->ipi_send_mask && !d->chip->ipi_send_single))
		return -EINVAL;
	if (d->chip->ipi_send_mask) {
		d->chip->ipi_send_mask(d, dest);
		return 0;
	}
	for_each_cpu(cpu, dest)
		d->chip->ipi_send_single(d, cpu);
	return 0;
}

int ipi_send_single(unsigned int irq, unsigned int cpu)
{
	struct irq_data *d = irq_get_irq_data(irq);

	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	if (!d || !d->chip->ipi_send_single)
		return ipi_send_mask(irq, cpumask_of(cpu));
	d->chip->ipi_send_single(d, cpu);
	return 0;
}

/* ---- The kernel's own IPIs ------------------------------------------------------------------ */

static unsigned int ipi_first_irq;
static u8 ipi_cookie[NR_CPUS];

static irqreturn_t ipi_reschedule(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	this_cpu()->need_resched = true;	/* the interrupt's exit does the rest */
	return IRQ_HANDLED;
}

static irqreturn_t ipi_call(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	smp_call_ipi();
	return IRQ_HANDLED;
}

static const struct {
	const char *name;
	irq_handler_t handler;
} ipis[NR_IPIS] = {
	[IPI_RESCHEDULE] = { "ipi-reschedule", ipi_reschedule },
	[IPI_CALL] = { "ipi-call", ipi_call },
};

static void enable_ipis(unsigned int cpu)
{
	(void)cpu;
	for (unsigned int i = 0; i < NR_IPIS; i++)
		enable_percpu_irq(ipi_first_irq + i, IRQ_TYPE_NONE);
}

static void disable_ipis(unsigned int cpu)
{
	(void)cpu;
	for (unsigned int i = 0; i < NR_IPIS; i++)
		disable_percpu_irq(ipi_first_irq + i);
}

void set_smp_ipi_range(unsigned int first, unsigned int nr)
{
	if (WARN_ON(ipi_first_irq || nr < NR_IPIS))
		return;
	for (unsigned int i = 0; i < NR_IPIS; i++)
		if (request_percpu_irq(first + i, ipis[i].handler, ipis[i].name, ipi_cookie))
			panic("%s: cannot be requested", ipis[i].name);
	ipi_first_irq = first;
	cpu_hooks("ipis", enable_ipis, disable_ipis);
}

void smp_send_ipi(unsigned int cpu, enum ipi_kind kind)
{
	WARN_ON(!ipi_first_irq || ipi_send_single(ipi_first_irq + kind, cpu));
}

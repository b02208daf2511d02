/*
 * IMSIC, the interrupt files: which (hart, identity) belongs to which line, what eie holds, how a
 * line moves without losing an interrupt, and the IPI. Manual: RISC-V AIA, chapter 3.
 *
 * eip and eie can be reached from their own hart only [AIA 3.7]. What another CPU wants there it
 * leaves in struct imsic_hart, and kicks the hart by the IPI:
 *
 *   mover                                         the old hart
 *   1. takes a vector on the new hart, enables it
 *   2. gives the device the new message
 *   3. leaves the old vector ------- IPI -------> 4. disables it
 *                                                 5. pending? clears it, stores the heir's message
 *                                                 6. only now the identity is free
 *
 * A message that comes before its enable bit waits in eip.
 */
#include <asm/csr.h>
#include <drivers/irqchip/imsic.h>
#include <kernel/io.h>
#include <kernel/ipi.h>
#include <kernel/irqdomain.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/thread.h>

struct imsic imsic;

static void imsic_csr_write(unsigned int reg, unsigned long v)
{
	csr_write(CSR_SISELECT, reg);
	csr_write(CSR_SIREG, v);
}

int imsic_state_init(void)
{
	unsigned int cpu;

	imsic.matrix = irq_matrix_create(1, imsic.nr_ids + 1);
	if (!imsic.matrix)
		return -ENOMEM;
	irq_matrix_reserve(imsic.matrix, IMSIC_IPI_ID);
	for_each_possible_cpu(cpu) {
		struct imsic_hart *hart = &imsic.hart[cpu];

		hart->vector = kcalloc(imsic.nr_ids + 1, sizeof(*hart->vector));
		if (!hart->vector) {
			imsic_state_free();
			return -ENOMEM;
		}
		cpus[cpu].irqchip = hart->vector;
		cpus[cpu].nr_irqchip = imsic.nr_ids + 1;
		for (unsigned int id = 0; id <= imsic.nr_ids; id++) {
			hart->vector[id].hart = hart;
			hart->vector[id].cpu = cpu;
			hart->vector[id].id = id;
		}
	}
	return 0;
}

void imsic_state_free(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		kfree(imsic.hart[cpu].vector);
	irq_matrix_destroy(imsic.matrix);
}

/* ---- What other CPUs want of a hart --------------------------------------------------------- */

/* Of several kicks only the first stores, and the store is claimed before the next one can be
 * made: as many claims as stores. */
static void imsic_kick(struct imsic_hart *hart)
{
	if (hart->page && !__atomic_exchange_n(&hart->kicked, 1, __ATOMIC_ACQ_REL))
		writel(IMSIC_IPI_ID, hart->page);
}

void imsic_send_ipi(unsigned int cpu)
{
	imsic_kick(&imsic.hart[cpu]);
}

static void imsic_leave_work(struct imsic_hart *hart)
{
	__atomic_store_n(&hart->work, true, __ATOMIC_RELEASE);
	imsic_kick(hart);
}

/* LAST: from now on nobody leaves more of it. */
static void imsic_do_work(struct imsic_hart *hart, bool last)
{
	spin_lock(&imsic.lock);
	__atomic_store_n(&hart->work, false, __ATOMIC_RELAXED);
	for (unsigned int word = 0; hart->dirty; word++) {
		if (hart->dirty & BIT(word))
			imsic_csr_write(IMSIC_EIE(word * 64), hart->enabled[word]);
		hart->dirty &= ~BIT(word);
	}
	while (hart->retire) {
		struct imsic_vector *vec = hart->retire;

		hart->retire = vec->next;
		imsic_vector_leave(vec);
	}
	hart->down = last;
	spin_unlock(&imsic.lock);
}

irqreturn_t imsic_ipi(int irq, void *dev_id)
{
	struct imsic_hart *hart = dev_id;

	(void)irq;
	__atomic_exchange_n(&hart->kicked, 0, __ATOMIC_ACQ_REL);
	if (unlikely(__atomic_load_n(&hart->work, __ATOMIC_ACQUIRE)))
		imsic_do_work(hart, false);
	ipi_mux_process();
	return IRQ_HANDLED;
}

/* ---- Vectors -------------------------------------------------------------------------------- */

void imsic_vector_enable(struct imsic_vector *vec, bool on)
{
	struct imsic_hart *hart = vec->hart;
	unsigned int word = vec->id / 64;
	unsigned long bit = BIT(vec->id % 64), eie = hart->enabled[word];

	eie = on ? eie | bit : eie & ~bit;
	hart->enabled[word] = eie;
	vec->used |= on;
	if (hart->down)
		return;				/* eie is written when it starts */
	if (vec->cpu == smp_processor_id()) {
		imsic_csr_write(IMSIC_EIE(vec->id), eie);
	} else {
		hart->dirty |= BIT(word);
		imsic_leave_work(hart);
	}
}

void imsic_vector_clear_pending(const struct imsic_vector *vec)
{
	csr_write(CSR_SISELECT, IMSIC_EIP(vec->id));
	csr_clear(CSR_SIREG, BIT(vec->id % 64));
}

void imsic_vector_send(const struct imsic_vector *vec)
{
	writel(vec->id, vec->hart->page);
}

static void imsic_vector_free(struct imsic_vector *vec)
{
	if (vec->heir)
		vec->heir->former = NULL;
	vec->heir = NULL;
	vec->used = false;
	__atomic_store_n(&vec->desc, NULL, __ATOMIC_RELEASE);
	__atomic_store_n(&vec->retiring, false, __ATOMIC_RELEASE);
	irq_matrix_free(imsic.matrix, vec->cpu, vec->id);
}

void imsic_vector_leave(struct imsic_vector *vec)
{
	struct imsic_hart *hart = vec->hart;

	if (vec->used && !hart->down && vec->cpu != smp_processor_id()) {
		vec->retiring = true;
		vec->next = hart->retire;
		hart->retire = vec;
		imsic_leave_work(hart);
		return;
	}
	if (vec->used) {
		imsic_vector_enable(vec, false);
		if (!hart->down && imsic_vector_pending(vec)) {
			imsic_vector_clear_pending(vec);
			if (vec->heir)
				imsic_vector_send(vec->heir);
		}
	}
	imsic_vector_free(vec);
}

void imsic_vector_wait(struct imsic_vector *vec)
{
	for (int ms = 0; ms < 5000; ms++) {
		if (!poll_timeout(!__atomic_load_n(&vec->retiring, __ATOMIC_ACQUIRE), 100))
			return;
		msleep(1);
	}
	pr_err("imsic: cpu %u does not let go of identity %u", vec->cpu, vec->id);
}

/* ---- A hart comes up, a hart goes ----------------------------------------------------------- */

/* Delivery comes last, when everything that can be claimed has its vector. (S-189) */
void imsic_hart_start(unsigned int cpu)
{
	struct imsic_hart *hart = &imsic.hart[cpu];

	if (!hart->page) {
		pr_err("imsic: cpu %u has no interrupt file, so neither IPIs nor devices", cpu);
		return;
	}
	spin_lock(&imsic.lock);
	hart->down = false;
	spin_unlock(&imsic.lock);
	irq_matrix_online(imsic.matrix, cpu);
	enable_percpu_irq(imsic.parent_irq, IRQ_TYPE_NONE);
	enable_percpu_irq(imsic.ipi_irq, IRQ_TYPE_NONE);
	for (unsigned int id = 0; id <= imsic.nr_ids; id += 64) {
		/* What firmware left pending is nobody's; the IPI may be real already. */
		csr_write(CSR_SISELECT, IMSIC_EIP(id));
		csr_clear(CSR_SIREG, id ? ~0UL : ~BIT(IMSIC_IPI_ID));
		imsic_csr_write(IMSIC_EIE(id), hart->enabled[id / 64]);
	}
	imsic_csr_write(IMSIC_EITHRESHOLD, 0);
	imsic_csr_write(IMSIC_EIDELIVERY, 1);
}

/* All lines have left. What others have moved away just before is still to be retired here, and
 * what is pending there sent on; only then may delivery end. A later kick is nobody's. */
void imsic_hart_stop(unsigned int cpu)
{
	struct imsic_hart *hart = &imsic.hart[cpu];

	if (!hart->page)
		return;
	irq_matrix_offline(imsic.matrix, cpu);
	imsic_do_work(hart, true);
	disable_percpu_irq(imsic.ipi_irq);	/* notes it; eie matters no more */
	disable_percpu_irq(imsic.parent_irq);
	imsic_csr_write(IMSIC_EIDELIVERY, 0);
	imsic_vector_clear_pending(&hart->vector[IMSIC_IPI_ID]);
	__atomic_store_n(&hart->kicked, 0, __ATOMIC_RELEASE);
}

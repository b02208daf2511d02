/*
 * IMSIC, the RISC-V Incoming MSI Controller: an interrupt file per hart (here the S-mode ones). A
 * message is a 32-bit store of an identity, 1 to num-ids, into the file's page: it sets the
 * identity's bit in eip. If its bit in eie is set too, the hart takes cause 9; writing stopei
 * claims the lowest such identity. Manual: RISC-V AIA, chapter 3.
 *
 *   device --- store id ---> page of hart: eip[id] & eie[id] ---> stopei ---> vector[id] ---> irq
 *
 * A line owns one vector, a (hart, identity) from the matrix, and gets another one to move. So this
 * domain's hwirq, which must not change, is the irq number, and chip_data is the vector. Identity 1
 * of every hart is the IPI, one per-CPU line of this domain. Files: imsic-state.c.
 */
#include <asm/csr.h>
#include <drivers/irqchip/imsic.h>
#include <drivers/irqchip/riscv-intc.h>
#include <kernel/driver.h>
#include <kernel/io.h>
#include <kernel/ipi.h>
#include <kernel/msi.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/trace.h>
#include <stdio.h>
#include <string.h>

/* ---- The interrupt -------------------------------------------------------------------------- */

static struct irq_desc * __attribute__((noinline)) imsic_unknown(unsigned long id)
{
	unsigned long n = __atomic_add_fetch(&imsic.unknown, 1, __ATOMIC_RELAXED);

	station(ST_CLAIM, 0, &imsic_chip, id, 0);
	if (!(n & (n - 1)))
		pr_warn("imsic: cpu %u was sent identity %lu, which nobody has (%lu such so far)",
			smp_processor_id(), id, n);
	return NULL;
}

static void imsic_handle_irq(struct irq_desc *desc);

/* Gives LINE back, so that while nobody traces nothing has to be kept across a call. */
static struct irq_desc * __attribute__((noinline)) imsic_trace(struct irq_desc *line,
							       unsigned long id)
{
	unsigned long pc = (unsigned long)imsic_handle_irq;

	trace_record_at(pc, ST_CLAIM, 0, &imsic_chip, id, 0);
	trace_record_at(pc, ST_LOOKUP, line->irq_data.irq, imsic.domain, id, 0);
	return line;
}

static __always_inline struct irq_desc *imsic_line(unsigned long id)
{
	const struct imsic_vector *vector = this_cpu()->irqchip;
	struct irq_desc *line;

	if (unlikely(id >= this_cpu()->nr_irqchip))
		return imsic_unknown(id);
	line = load_pointer(&vector[id].desc);
	if (unlikely(!line))
		return imsic_unknown(id);
	return unlikely(this_cpu()->trace_on) ? imsic_trace(line, id) : line;
}

/* Reading stopei tells the identity, writing it claims: one instruction must do both. [AIA 3.9] */
static __always_inline unsigned long imsic_claim(void)
{
	return csr_swap(CSR_STOPEI, 0);
}

static void imsic_handle_irq(struct irq_desc *desc)
{
	chained_irq_enter(irq_desc_get_chip(desc), desc);
	for (unsigned long topei = imsic_claim(); topei; topei = imsic_claim()) {
		struct irq_desc *line = imsic_line(topei >> 16);

		if (likely(line))
			generic_handle_irq_desc(line);
	}
	station(ST_CLAIM, 0, &imsic_chip, 0, 0);
	chained_irq_exit(irq_desc_get_chip(desc), desc);
}

/* ---- The IPI: the per-CPU line behind identity 1, which each hart enables for itself -------- */

static void imsic_ipi_enable(bool on)
{
	spin_lock(&imsic.lock);
	imsic_vector_enable(&imsic.hart[smp_processor_id()].vector[IMSIC_IPI_ID], on);
	spin_unlock(&imsic.lock);
}

static void imsic_ipi_mask(struct irq_data *d) { (void)d; imsic_ipi_enable(false); }
static void imsic_ipi_unmask(struct irq_data *d) { (void)d; imsic_ipi_enable(true); }

/* Injection: as if another CPU had sent it to this one. */
static int imsic_ipi_set_state(struct irq_data *d, enum irqchip_irq_state which, bool state)
{
	(void)d;
	if (which != IRQCHIP_STATE_PENDING || !state)
		return -EINVAL;
	imsic_send_ipi(smp_processor_id());
	return 0;
}

const struct irq_chip imsic_ipi_chip = {
	.name = "IMSIC-IPI",
	.irq_mask = imsic_ipi_mask, .irq_unmask = imsic_ipi_unmask,
	.irq_set_irqchip_state = imsic_ipi_set_state,
	.irq_diagnose = imsic_ipi_diagnose,
};

/* ---- Invariants ----------------------------------------------------------------------------- */

/* A given identity has a line, the line knows it as its own unless it has left, and what is not
 * given is not enabled. */
static const char *imsic_vector_fault(const struct imsic_vector *vec)
{
	bool given = irq_matrix_test(imsic.matrix, vec->cpu, vec->id);
	struct irq_data *d;

	if (vec->id == IMSIC_IPI_ID + 1 && !irq_matrix_is_sound(imsic.matrix, vec->cpu))
		return "is the first of a cpu whose identities are counted wrongly";
	if (given != (vec->desc != NULL))
		return given ? "is given in the matrix, but has no line"
			     : "has a line, but is free in the matrix";
	if (!given)
		return test_bit(vec->id, vec->hart->enabled) ? "is enabled, but free" : NULL;
	if (vec->heir || vec->retiring)
		return NULL;
	d = irq_domain_get_irq_data(imsic.domain, vec->desc->irq_data.irq);
	return d && d->chip_data == vec ? NULL : "is not the vector of its line";
}

static unsigned int imsic_check(void (*report)(void *arg, const char *text), void *arg)
{
	unsigned int cpu, faults = 0;
	char text[96];

	for_each_possible_cpu(cpu) {
		for (unsigned int id = IMSIC_IPI_ID + 1; id <= imsic.nr_ids; id++) {
			unsigned long flags = spin_lock_irqsave(&imsic.lock);
			const char *fault = imsic_vector_fault(&imsic.hart[cpu].vector[id]);

			spin_unlock_irqrestore(&imsic.lock, flags);
			if (!fault)
				continue;
			snprintf(text, sizeof(text), "imsic: cpu %u identity %u %s", cpu, id,
				 fault);
			report(arg, text);
			faults++;
		}
	}
	return faults;
}

/* ---- The tree ------------------------------------------------------------------------------- */

/* Entry n of interrupts-extended has the n-th file, 2^(guest bits) pages apart. [AIA 3.6] */
static int imsic_find_files(struct device_node *node, u32 guest_bits)
{
	unsigned int shift = IMSIC_PAGE_SHIFT + guest_bits, found = 0;
	struct resource res;
	void *base = NULL;
	int cpu;

	if (!of_address_to_resource(node, 0, &res))
		base = ioremap(res.start, res.size);
	if (!base)
		return -EINVAL;
	for (u64 i = 0; (cpu = riscv_intc_cpu_of_output(node, i)) != -ENOENT; i++) {
		if (cpu == -EINVAL)
			return cpu;
		if (cpu < 0)
			continue;
		if ((i << shift) + BIT(IMSIC_PAGE_SHIFT) > res.size) {
			pr_err("%s: reg has no room for file %llu", node->fwnode.name,
			       (unsigned long long)i);
			return -EINVAL;
		}
		imsic.hart[cpu].page = (char *)base + (i << shift);
		imsic.hart[cpu].msi_address = res.start + (i << shift);
		found++;
	}
	if (!found)
		pr_err("%s: no file is for the S-mode interrupts of a CPU", node->fwnode.name);
	return found ? 0 : -ENODEV;
}

static int imsic_parse(struct device_node *node)
{
	u32 ids = 0, guest_bits = 0, group_bits = 0;
	struct resource second;

	of_property_read_u32(node, "riscv,num-ids", &ids);
	of_property_read_u32(node, "riscv,guest-index-bits", &guest_bits);
	of_property_read_u32(node, "riscv,group-index-bits", &group_bits);
	if (ids < 63 || ids > IMSIC_MAX_ID || (ids + 1) % 64) {	/* [AIA 3.1] */
		pr_err("%s: riscv,num-ids is %u, not 63 to 2047 and one less than 64n",
		       node->fwnode.name, ids);
		return -EINVAL;
	}
	if (group_bits || !of_address_to_resource(node, 1, &second)) {
		pr_err("%s: files in several groups are not supported", node->fwnode.name);
		return -EOPNOTSUPP;
	}
	if (guest_bits > 7) {
		pr_err("%s: riscv,guest-index-bits is %u, more than 7", node->fwnode.name,
		       guest_bits);
		return -EINVAL;
	}
	imsic.nr_ids = ids;
	return imsic_find_files(node, guest_bits);
}

/* ---- Starting ------------------------------------------------------------------------------- */

static int imsic_create_domain(struct device_node *node)
{
	imsic.domain = irq_domain_create_hierarchy(NULL, IMSIC_DOMAIN_FLAGS, 0, &node->fwnode,
						   &imsic_domain_ops, NULL);
	if (!imsic.domain)
		return -ENOMEM;
	irq_domain_set_name(imsic.domain, "imsic");
	irq_domain_update_bus_token(imsic.domain, DOMAIN_BUS_NEXUS);
	imsic.domain->msi_parent_ops = &imsic_msi_parent_ops;
	return 0;
}

static int imsic_create_ipi(void)
{
	int ret, irq = irq_domain_alloc_irqs(imsic.domain, 1, -1, &imsic);

	if (irq < 0)
		return irq;
	ret = request_percpu_irq(irq, imsic_ipi, "imsic-ipi", imsic.hart);
	if (ret)
		irq_domain_free_irqs(irq, 1);
	imsic.ipi_irq = irq;
	return ret;
}

static int imsic_connect(struct device_node *parent)
{
	int irq, first;

	irq = riscv_intc_chain_external(parent, imsic_handle_irq);
	if (irq < 0)
		return irq;
	first = ipi_mux_create(NR_IPIS, imsic_send_ipi);
	if (first < 0) {
		irq_dispose_mapping(irq);
		return first;
	}
	imsic.parent_irq = irq;
	irq_domain_set_chained_on(imsic.domain, imsic.parent_irq);
	cpu_hooks("imsic", imsic_hart_start, imsic_hart_stop);
	set_smp_ipi_range(first, NR_IPIS);
	irq_check_register(imsic_check);
	return 0;
}

static int imsic_init(struct device_node *node, struct device_node *parent)
{
	int ret;

	for (struct irq_domain *d = irq_domain_next(NULL); d; d = irq_domain_next(d))
		if (d->ops == &imsic_domain_ops)
			return -EBUSY;	/* the CSRs of a hart reach one file only */
	memset(&imsic, 0, sizeof(imsic));
	ret = imsic_parse(node);
	if (ret)
		return ret;
	ret = imsic_state_init();
	if (ret)
		return ret;
	ret = imsic_create_domain(node);
	if (ret)
		goto free_state;
	ret = imsic_create_ipi();
	if (ret)
		goto remove_domain;
	ret = imsic_connect(parent);
	if (ret)
		goto free_ipi;
	return 0;

free_ipi:
	free_percpu_irq(imsic.ipi_irq, imsic.hart);
	irq_domain_free_irqs(imsic.ipi_irq, 1);
remove_domain:
	irq_domain_remove(imsic.domain);
free_state:
	imsic_state_free();
	return ret;
}

IRQCHIP_DECLARE(imsic, "riscv,imsics", imsic_init);

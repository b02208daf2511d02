/*
 * irq doctor, the IMSIC's part: a hart's interrupt file, which only the hart itself can read.
 * Manual: RISC-V AIA, 3.8.
 *
 *	message --> eip[id] & eie[id] --> id below eithreshold (0: all) --> eidelivery --> cause 9
 */
#include <asm/csr.h>
#include <drivers/irqchip/imsic.h>
#include <kernel/diagnose.h>

struct file_state {
	unsigned int id;
	unsigned long eidelivery, eithreshold, eip, eie;
};

static unsigned long imsic_csr_read(unsigned int reg)
{
	csr_write(CSR_SISELECT, reg);
	return csr_read(CSR_SIREG);
}

static void read_file(void *arg)
{
	struct file_state *file = arg;

	file->eidelivery = imsic_csr_read(IMSIC_EIDELIVERY);
	file->eithreshold = imsic_csr_read(IMSIC_EITHRESHOLD);
	file->eip = imsic_csr_read(IMSIC_EIP(file->id)) >> file->id % 64 & 1;
	file->eie = imsic_csr_read(IMSIC_EIE(file->id)) >> file->id % 64 & 1;
}

static void check_file(struct diagnosis *dx, const struct irq_data *d, unsigned int id)
{
	struct file_state file = { .id = id };

	if (!diagnose_on_cpu(dx, read_file, &file))
		return;
	diagnose(dx, true, "pending", "eip[%u] of cpu %u is %lu", id, dx->cpu, file.eip);
	diagnose_gate(dx, d, file.eie, "identity", "eie[%u] of cpu %u is %lu", id, dx->cpu,
		      file.eie);
	diagnose(dx, !file.eithreshold || id < file.eithreshold, "threshold",
		 "eithreshold of cpu %u is %lu", dx->cpu, file.eithreshold);
	diagnose(dx, file.eidelivery == 1, "delivery", "eidelivery of cpu %u is %lu", dx->cpu,
		 file.eidelivery);
}

void imsic_diagnose(struct irq_data *d, struct diagnosis *dx)
{
	const struct imsic_vector *vec = d->chip_data;

	if (!irqd_is_activated(d) || !vec)
		return;
	diagnose(dx, vec->desc == dx->desc, "translation", "identity %u of cpu %u is %s", vec->id,
		 vec->cpu, vec->desc == dx->desc ? "this line's" : "another line's");
	dx->cpu = vec->cpu;
	check_file(dx, d, vec->id);
}

void imsic_ipi_diagnose(struct irq_data *d, struct diagnosis *dx)
{
	check_file(dx, d, d->hwirq);
}

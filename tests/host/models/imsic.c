/*
 * IMSIC interrupt files [AIA 3]: the page that takes messages, and the CSRs of the hart behind it.
 *
 *	store id -> eip[id]; eip & eie & eidelivery -> line 9 of the hart; stopei claims the lowest
 */
#include <asm/csr.h>
#include <kernel/cpu.h>
#include <kernel/smp.h>
#include <lib/bitmap.h>
#include <pthread.h>
#include <string.h>
#include "models/imsic.h"

#define MAX_FILES	16
#define REG_EIDELIVERY	0x70
#define REG_EITHRESHOLD	0x72
#define REG_EIP		0x80
#define REG_EIE		0xc0
#define WORDS		((IMSIC_IDS + 64) / 64)
#define THRESHOLD	BIT(WORDS)

static struct file {
	u64 hwid;
	unsigned long written;		/* bit n: word n of eie; THRESHOLD */
	unsigned long eidelivery, eithreshold, select;
	DECLARE_BITMAP(eip, IMSIC_IDS + 1);
	DECLARE_BITMAP(eie, IMSIC_IDS + 1);
} files[MAX_FILES];
static unsigned int nr_files;
static unsigned long stores;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct file *file_of_cpu(unsigned int cpu)
{
	for (unsigned int i = 0; i < nr_files; i++)
		if (files[i].hwid == cpus[cpu].hwid)
			return &files[i];
	host_die("imsic model: CPU %u (hart %lu) has no file", cpu, (unsigned long)cpus[cpu].hwid);
}

/* The lowest identity that is pending, enabled and below the threshold; 0: none. */
static unsigned int top(const struct file *f)
{
	for (unsigned int id = 1; id <= IMSIC_IDS; id++)
		if (test_bit(id, f->eip) && test_bit(id, f->eie))
			return f->eithreshold && id >= f->eithreshold ? 0 : id;
	return 0;
}

static void update_line(const struct file *f)
{
	int cpu = cpu_by_hwid(f->hwid);

	if (cpu >= 0)
		host_set_line(cpu, IRQ_S_EXT, f->eidelivery == 1 && top(f));
}

/* ---- The page: only a 32-bit store of an identity means something [AIA 3.5] ------------------ */

static void page_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	struct file *f = &files[offset >> 12];

	(void)priv;
	pthread_mutex_lock(&lock);
	stores++;
	if (size != 4 || offset & 0xfff)
		model_violation("imsic model: store of %u bytes at offset 0x%lx, which is none of "
				"an identity", size, (unsigned long)offset);
	else if (!v || v > IMSIC_IDS)
		model_violation("imsic model: store of identity %lu, not 1 to %u", (unsigned long)v,
				IMSIC_IDS);
	else
		__set_bit(v, f->eip);
	update_line(f);
	pthread_mutex_unlock(&lock);
}

static u64 page_read(void *priv, u64 offset, unsigned int size)
{
	(void)priv, (void)offset;
	if (size != 4)
		model_violation("imsic model: load of %u bytes, not 4", size);
	return 0;
}

/* ---- CSRs --------------------------------------------------------------------------------------- */

static unsigned long update(unsigned long *reg, int op, unsigned long v)
{
	unsigned long old = *reg;

	*reg = op == CSR_OP_WRITE ? v : op == CSR_OP_SET ? old | v : op == CSR_OP_CLEAR ? old & ~v
		: old;
	return old;
}

/* Odd numbers and those of identities that are not there trap on RV64. [AIA 3.8] */
static unsigned long *indirect(struct file *f)
{
	static unsigned long nowhere;
	unsigned long n = f->select;

	if (n == REG_EIDELIVERY)
		return &f->eidelivery;
	if (n == REG_EITHRESHOLD)
		return &f->eithreshold;
	if (n >= REG_EIP && n < REG_EIP + 2 * WORDS && n % 2 == 0)
		return &f->eip[(n - REG_EIP) / 2];
	if (n >= REG_EIE && n < REG_EIE + 2 * WORDS && n % 2 == 0)
		return &f->eie[(n - REG_EIE) / 2];
	model_violation("imsic model: illegal instruction, sireg with siselect 0x%lx", n);
	return &nowhere;
}

/* Before delivery all that decides about it has been written: firmware leaves anything. */
static void check_delivery(const struct file *f, unsigned long v)
{
	if (v > 1)
		model_violation("imsic model: eidelivery 0x%lx, not 0 or 1", v);
	else if (v && !(f->written & THRESHOLD))
		model_violation("imsic model: delivery before eithreshold was written");
	else if (v && f->written != BIT(WORDS + 1) - 1)
		model_violation("imsic model: delivery before word %u of eie was written",
				__builtin_ctzl(~f->written));
}

void (*imsic_model_on_delivery)(unsigned int cpu);

static void note_write(struct file *f, unsigned long v)
{
	unsigned long n = f->select;

	if ((n == REG_EIP || n == REG_EIE) && v & 1)
		model_violation("imsic model: identity 0 set in %s", n == REG_EIP ? "eip" : "eie");
	if (n == REG_EITHRESHOLD && v > IMSIC_IDS)
		model_violation("imsic model: eithreshold %lu, identities end at %u", v, IMSIC_IDS);
	if (n == REG_EIDELIVERY)
		check_delivery(f, v);
	if (n == REG_EIDELIVERY && v && imsic_model_on_delivery)
		imsic_model_on_delivery(smp_processor_id());
	if (n == REG_EITHRESHOLD)
		f->written |= THRESHOLD;
	else if (n >= REG_EIE)
		f->written |= BIT((n - REG_EIE) / 2);
}

static unsigned long access_sireg(struct file *f, int op, unsigned long v)
{
	unsigned long *reg = indirect(f), old;

	old = update(reg, op, v);
	if (op != CSR_OP_READ && op != CSR_OP_CLEAR)
		note_write(f, v);
	return old;
}

/* Any write claims what a read would have told. */
static unsigned long access_stopei(struct file *f, int op, unsigned long v)
{
	unsigned int id = top(f);

	if (op == CSR_OP_WRITE || (op != CSR_OP_READ && v))
		if (id)
			__clear_bit(id, f->eip);
	return id << 16 | id;
}

static unsigned long csr(void *priv, unsigned int cpu, unsigned int number, int op,
			 unsigned long v)
{
	struct file *f = file_of_cpu(cpu);
	unsigned long old;

	(void)priv;
	pthread_mutex_lock(&lock);
	if (host_irqs_on)
		model_violation("imsic model: CSR 0x%x used with interrupts on", number);
	if (number == CSR_SISELECT)
		old = update(&f->select, op, v);
	else if (number == CSR_SIREG)
		old = access_sireg(f, op, v);
	else
		old = access_stopei(f, op, v);
	f->eip[0] &= ~1UL;
	f->eie[0] &= ~1UL;
	update_line(f);
	pthread_mutex_unlock(&lock);
	return old;
}

/* ---- For tests ---------------------------------------------------------------------------------- */

void imsic_model(unsigned int nr, const u64 *hwid)
{
	static const struct host_mmio_ops ops = { page_read, page_write };

	memset(files, 0, sizeof(files));
	nr_files = nr;
	stores = 0;
	for (unsigned int i = 0; i < nr; i++) {
		files[i].hwid = hwid[i];
		/* What firmware may have left behind. */
		memset(files[i].eie, 0xa5, sizeof(files[i].eie));
		memset(files[i].eip, 0x5a, sizeof(files[i].eip));
		files[i].eie[0] &= ~1UL;
		files[i].eip[0] &= ~3UL;
		files[i].eithreshold = 3;
	}
	host_mmio_add("imsic", IMSIC_BASE, nr << 12, &ops, NULL);
	host_csr_claim(CSR_SISELECT, csr, NULL);
	host_csr_claim(CSR_SIREG, csr, NULL);
	host_csr_claim(CSR_STOPEI, csr, NULL);
}

bool imsic_model_pending(unsigned int cpu, unsigned int id)
{
	return test_bit(id, file_of_cpu(cpu)->eip);
}

bool imsic_model_enabled(unsigned int cpu, unsigned int id)
{
	return test_bit(id, file_of_cpu(cpu)->eie);
}

unsigned long imsic_model_stores(void)
{
	return stores;
}

unsigned int imsic_model_files(void)
{
	return nr_files;
}

/*
 * riscv's CSRs and interrupt lines as the drivers of that ISA see them. Per CPU: sie, the lines
 * (sip), stimecmp; every other number belongs to the model that claimed it, or is unknown and ends
 * the program as the instruction would; so with all of aarch64's system registers. An interrupt is taken when its line is up, its bit in sie
 * set, and the CPU's flag on; of several the order is external, software, timer. [PRIV 4.1.3]
 */
#include <asm/csr.h>
#include <asm/sbi.h>
#include <asm/sysreg.h>
#include <kernel/cpu.h>
#include <kernel/smp.h>
#include "port.h"

#define MAX_CLAIMS	16

bool host_has_lines;

static struct {
	unsigned long sie, lines;
	u64 stimecmp;
} state[NR_CPUS];
static struct {
	unsigned int csr;
	host_csr_fn fn;
	void *priv;
} claims[MAX_CLAIMS];
static unsigned int nr_claims;
static host_sysreg_fn sysreg_fn;
static void *sysreg_priv;

void host_csr_reset(void)
{
	host_has_lines = false;
	nr_claims = 0;
	sysreg_fn = NULL;
	for (unsigned int i = 0; i < NR_CPUS; i++) {
		state[i].sie = state[i].lines = 0;
		state[i].stimecmp = ~0ULL;
	}
}

void host_csr_claim(unsigned int csr, host_csr_fn fn, void *priv)
{
	if (nr_claims == MAX_CLAIMS)
		host_die("too many CSRs claimed");
	claims[nr_claims].csr = csr;
	claims[nr_claims].fn = fn;
	claims[nr_claims++].priv = priv;
}

void host_set_line(unsigned int cpu, unsigned int cause, bool level)
{
	if (level)
		__atomic_or_fetch(&state[cpu].lines, BIT(cause), __ATOMIC_SEQ_CST);
	else
		__atomic_and_fetch(&state[cpu].lines, ~BIT(cause), __ATOMIC_SEQ_CST);
	host_has_lines = true;
}

static unsigned long sip(unsigned int cpu)
{
	unsigned long v = __atomic_load_n(&state[cpu].lines, __ATOMIC_SEQ_CST);

	return host_now() >= state[cpu].stimecmp ? v | BIT(IRQ_S_TIMER) : v;
}

int host_pending_cause(unsigned int cpu)
{
	static const int order[] = { IRQ_S_EXT, IRQ_S_SOFT, IRQ_S_TIMER };
	unsigned long pending = sip(cpu) & state[cpu].sie;

	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++)
		if (pending & BIT(order[i]))
			return order[i];
	return -1;
}

u64 host_csr_deadline(unsigned int cpu)
{
	return state[cpu].sie & BIT(IRQ_S_TIMER) ? state[cpu].stimecmp : ~0ULL;
}

static unsigned long update(unsigned long *reg, int op, unsigned long v)
{
	unsigned long old = *reg;

	*reg = op == CSR_OP_WRITE ? v : op == CSR_OP_SET ? old | v : op == CSR_OP_CLEAR ? old & ~v
		: old;
	return old;
}

unsigned long host_csr(unsigned int csr, enum host_csr_op op, unsigned long v)
{
	unsigned int cpu = smp_processor_id();
	unsigned long old;

	for (unsigned int i = 0; i < nr_claims; i++)
		if (claims[i].csr == csr)
			return claims[i].fn(claims[i].priv, cpu, csr, op, v);
	switch (csr) {
	case CSR_SIE:
		host_has_lines = true;
		return update(&state[cpu].sie, op, v);
	case CSR_SIP:
		old = sip(cpu);
		if (op == CSR_OP_WRITE || (op != CSR_OP_READ && v & BIT(IRQ_S_SOFT)))
			host_set_line(cpu, IRQ_S_SOFT, op != CSR_OP_CLEAR && v & BIT(IRQ_S_SOFT));
		return old;
	case CSR_STIMECMP:
		host_has_lines = true;
		return update(&state[cpu].stimecmp, op, v);
	case CSR_TIME:
	case CSR_CYCLE:
		return host_counter();
	}
	host_die("illegal instruction: CSR 0x%x", csr);
}

/* [SBI 3, 4.4, 7]; -2: not supported, -3: no such hart */
struct sbiret sbi_ecall(unsigned long ext, unsigned long fid, unsigned long arg0,
			unsigned long arg1, unsigned long arg2, unsigned long arg3)
{
	int cpu = cpu_by_hwid(arg1);

	(void)arg2, (void)arg3;
	if (ext == SBI_EXT_BASE && fid == SBI_BASE_PROBE)
		return (struct sbiret){ 0, arg0 == SBI_EXT_IPI };
	if (ext != SBI_EXT_IPI || fid != SBI_IPI_SEND)
		return (struct sbiret){ -2, 0 };
	if (arg0 != 1 || cpu < 0)
		return (struct sbiret){ -3, 0 };
	host_set_line(cpu, IRQ_S_SOFT, true);
	return (struct sbiret){ 0, 0 };
}

void host_sysreg_claim(host_sysreg_fn fn, void *priv)
{
	sysreg_fn = fn;
	sysreg_priv = priv;
}

void host_sysreg_barrier(const char *name)
{
	__sync_synchronize();
	if (sysreg_fn)
		sysreg_fn(sysreg_priv, smp_processor_id(), name, true, 0);
}

u64 host_sysreg(const char *name, bool write, u64 v)
{
	if (!sysreg_fn)
		host_die("illegal instruction: system register %s", name);
	return sysreg_fn(sysreg_priv, smp_processor_id(), name, write, v);
}

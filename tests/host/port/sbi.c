/* Firmware as the SBI describes it, with two extensions: timer and IPI. [SBI 4, 6, 7] */
#include <asm/csr.h>
#include <asm/sbi.h>
#include <kernel/smp.h>
#include "port.h"

static long send_ipi(unsigned long mask, unsigned long base)
{
	for (unsigned int i = 0; i < BITS_PER_LONG; i++) {
		int cpu = mask & BIT(i) ? cpu_by_hwid(base + i) : 0;

		if (cpu < 0)
			return SBI_ERR_INVALID_PARAM;
		if (mask & BIT(i))
			host_set_line(cpu, IRQ_S_SOFT, true);
	}
	return SBI_SUCCESS;
}

struct sbiret sbi_ecall(unsigned long ext, unsigned long fid, unsigned long arg0,
			unsigned long arg1, unsigned long arg2, unsigned long arg3)
{
	(void)arg2, (void)arg3;
	if (ext == SBI_EXT_BASE && fid == SBI_BASE_PROBE)
		return (struct sbiret){ SBI_SUCCESS, arg0 == SBI_EXT_TIME || arg0 == SBI_EXT_IPI };
	if (ext == SBI_EXT_IPI && fid == SBI_IPI_SEND)
		return (struct sbiret){ send_ipi(arg0, arg1), 0 };
	if (ext != SBI_EXT_TIME || fid != SBI_TIME_SET_TIMER)
		return (struct sbiret){ SBI_ERR_NOT_SUPPORTED, 0 };
	csr_write(CSR_STIMECMP, arg0);
	return (struct sbiret){ SBI_SUCCESS, 0 };
}

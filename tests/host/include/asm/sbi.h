/* The firmware's services: of those, a process of the host has only send_ipi (port/csr.c). */
#ifndef ASM_SBI_H
#define ASM_SBI_H

#include <lib/types.h>

#define SBI_EXT_BASE		0x10
#define SBI_BASE_PROBE		3

#define SBI_EXT_TIME		0x54494d45
#define SBI_TIME_SET_TIMER	0

#define SBI_EXT_IPI		0x735049
#define SBI_IPI_SEND		0

struct sbiret {
	long error;
	long value;
};

struct sbiret sbi_ecall(unsigned long ext, unsigned long fid, unsigned long arg0,
			unsigned long arg1, unsigned long arg2, unsigned long arg3);

static inline long sbi_send_ipi(unsigned long hartid)
{
	return sbi_ecall(SBI_EXT_IPI, SBI_IPI_SEND, 1, hartid, 0, 0).error;
}

#endif

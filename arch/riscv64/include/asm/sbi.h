/* The firmware's services that we use, by extension. [SBI 3, 6-10, 12] */
#ifndef ASM_SBI_H
#define ASM_SBI_H

#define SBI_EXT_BASE		0x10
#define SBI_BASE_PROBE		3

#define SBI_EXT_TIME		0x54494d45
#define SBI_TIME_SET_TIMER	0

#define SBI_EXT_IPI		0x735049
#define SBI_IPI_SEND		0

#define SBI_EXT_RFENCE		0x52464e43
#define SBI_RFENCE_SFENCE_VMA	1

#define SBI_EXT_HSM		0x48534d
#define SBI_HSM_HART_START	0
#define SBI_HSM_HART_STOP	1

#define SBI_EXT_SRST		0x53525354
#define SBI_SRST_RESET		0
#define SBI_SRST_SHUTDOWN	0
#define SBI_SRST_NO_REASON	0
#define SBI_SRST_SYSTEM_FAILURE	1

#define SBI_EXT_DBCN		0x4442434e
#define SBI_DBCN_WRITE_BYTE	2

#define SBI_EXT_LEGACY_PUTCHAR	0x01

/* Errors. [SBI 3] */
#define SBI_SUCCESS		0
#define SBI_ERR_NOT_SUPPORTED	(-2)
#define SBI_ERR_INVALID_PARAM	(-3)
#define SBI_ERR_ALREADY_AVAILABLE (-6)

#ifndef __ASSEMBLER__

#include <lib/types.h>

struct sbiret {
	long error;
	long value;
};

static inline struct sbiret sbi_ecall(unsigned long ext, unsigned long fid, unsigned long arg0,
				      unsigned long arg1, unsigned long arg2, unsigned long arg3)
{
	register unsigned long a0 __asm__("a0") = arg0;
	register unsigned long a1 __asm__("a1") = arg1;
	register unsigned long a2 __asm__("a2") = arg2;
	register unsigned long a3 __asm__("a3") = arg3;
	register unsigned long a6 __asm__("a6") = fid;
	register unsigned long a7 __asm__("a7") = ext;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbiret){ (long)a0, (long)a1 };
}

/* Sends a software interrupt (cause 1) to the hart. */
static inline long sbi_send_ipi(unsigned long hartid)
{
	return sbi_ecall(SBI_EXT_IPI, SBI_IPI_SEND, 1, hartid, 0, 0).error;
}

#endif
#endif

/* The firmware's services, of which a process of the host has none. */
#ifndef ASM_SBI_H
#define ASM_SBI_H

#include <lib/types.h>

#define SBI_EXT_TIME		0x54494d45
#define SBI_TIME_SET_TIMER	0

struct sbiret {
	long error;
	long value;
};

static inline struct sbiret sbi_ecall(unsigned long ext, unsigned long fid, unsigned long arg0,
				      unsigned long arg1, unsigned long arg2, unsigned long arg3)
{
	(void)ext, (void)fid, (void)arg0, (void)arg1, (void)arg2, (void)arg3;
	return (struct sbiret){ -2, 0 };	/* not supported [SBI 3.1] */
}

#endif

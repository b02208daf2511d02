/* The firmware's services that we use. [PSCI 5] */
#ifndef ASM_PSCI_H
#define ASM_PSCI_H

#include <lib/types.h>

#define PSCI_CPU_OFF		0x84000002
#define PSCI_CPU_ON		0xc4000003	/* hardware id, entry point, its x0 */
#define PSCI_AFFINITY_INFO	0xc4000004	/* hardware id, lowest level: 0 */
#define PSCI_AFFINITY_ON	0
#define PSCI_SYSTEM_OFF		0x84000008

#define PSCI_SUCCESS		0
#define PSCI_NOT_SUPPORTED	(-1)
#define PSCI_INVALID_PARAMETERS	(-2)
#define PSCI_ALREADY_ON		(-4)
#define PSCI_ON_PENDING		(-5)
#define PSCI_NOT_PRESENT	(-7)

/* PSCI_NOT_SUPPORTED too where there is no firmware. Any context. */
long psci_call(u32 function, u64 arg0, u64 arg1, u64 arg2);

#endif

/* What entry.S knows of C structures; cpu.c asserts every line. */
#ifndef ASM_OFFSETS_H
#define ASM_OFFSETS_H

#define CPU_STACK_LIMIT		0
#define CPU_EMERGENCY_SP	8
#define CPU_HWID		16
#define CPU_CURRENT		40
#define THREAD_SP		8	/* context[1] */

#endif

/* Where the kernel lies. Read by linker.ld, entry.S and C. */
#ifndef ASM_LAYOUT_H
#define ASM_LAYOUT_H

/* Right above OpenSBI, which takes the first 2 MiB of RAM; a 2 MiB boundary, as SBI boot wants. */
#define KERNEL_BASE		0x80200000

/* Of the boot CPU's first stack, which stays its idle thread's, and of its emergency stack: the
 * same as that of all others, STACK_SIZE in <kernel/mm.h>. */
#define BOOT_STACK_SIZE		16384

#endif

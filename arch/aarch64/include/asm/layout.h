/* Where the kernel lies. Read by linker.ld, entry.S and C. */
#ifndef ASM_LAYOUT_H
#define ASM_LAYOUT_H

/* The lowest RAM of QEMU's virt machine, where it leaves the device tree for an ELF kernel. */
#define RAM_BASE		0x40000000

/* Behind that tree; a 2 MiB boundary, as the boot protocol of a flat Image wants. [BOOT] */
#define KERNEL_OFFSET		0x200000
#define KERNEL_BASE		0x40200000

/* Of the boot CPU's first stack, which stays its idle thread's, and of its emergency stack: the
 * same as that of all others, STACK_SIZE in <kernel/mm.h>. */
#define BOOT_STACK_SIZE		16384
#define STACK_ROOM		512	/* at its lower end, for a frame and a little */

#endif

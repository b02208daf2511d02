/* The null port has no layout of its own. */
#ifndef ASM_LAYOUT_H
#define ASM_LAYOUT_H

#define KERNEL_BASE	0

#endif

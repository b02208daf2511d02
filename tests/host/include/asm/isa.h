/* riscv's extensions, for the drivers bound to that ISA: what the tree says is the same anywhere. */
#include <arch/riscv64/include/asm/isa.h>

/*
 * What lies below the kernel: firmware that switches CPUs on and off (PSCI), and a debugger or
 * emulator that may be there to take an exit status (semihosting).
 *
 *	PSCI		function id in x0, arguments from x1, result in x0; a call into EL2 by HVC
 *			or into EL3 by SMC, as the tree's psci node says [PSCI 5] [SMCCC 2]
 *	semihosting	HLT #0xf000, operation in w0, its parameters at x1; undefined where nobody
 *			listens: only the boot argument "semihosting" makes us use it [SEMI]
 */
#include <asm/psci.h>
#include <kernel/driver.h>
#include <kernel/printk.h>
#include <string.h>

#define SYS_EXIT		0x18
#define APPLICATION_EXIT	0x20026		/* ADP_Stopped_ApplicationExit [SEMI SYS_EXIT] */

u32 boot_el;			/* the exception level the boot CPU was entered at */

/* ---- PSCI ----------------------------------------------------------------------------------- */

enum conduit { CONDUIT_UNKNOWN, CONDUIT_NONE, CONDUIT_HVC, CONDUIT_SMC };

/* "arm,psci" alone is version 0.1, whose function ids are the machine's own: not for us. */
static enum conduit tree_conduit(void)
{
	struct device_node *np = of_find_compatible_node(NULL, "arm,psci-0.2");
	const char *method = "";

	if (!np)
		np = of_find_compatible_node(NULL, "arm,psci-1.0");
	if (!np) {
		pr_warn("device tree: no PSCI 0.2 or later, so this CPU has to do alone");
		return CONDUIT_NONE;
	}
	of_property_read_string(np, "method", &method);
	if (!strcmp(method, "hvc"))
		return CONDUIT_HVC;
	if (!strcmp(method, "smc"))
		return CONDUIT_SMC;
	pr_err("device tree: %s: method \"%s\" is neither hvc nor smc", np->fwnode.name, method);
	return CONDUIT_NONE;
}

/* Before the tree can be read, firmware is taken to be one level above. */
static enum conduit conduit(void)
{
	static enum conduit known;

	if (!of_root)
		return boot_el == 2 ? CONDUIT_SMC : CONDUIT_HVC;
	if (known == CONDUIT_UNKNOWN)
		known = tree_conduit();
	return known;
}

/* x4 to x17 may come back changed. [SMCCC 2] */
#define DEFINE_SMCCC_CALL(insn)								\
static long insn##_call(u32 function, u64 arg0, u64 arg1, u64 arg2)			\
{											\
	register u64 x0 __asm__("x0") = function;					\
	register u64 x1 __asm__("x1") = arg0;						\
	register u64 x2 __asm__("x2") = arg1;						\
	register u64 x3 __asm__("x3") = arg2;						\
											\
	__asm__ volatile(#insn " #0"							\
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)			\
			 : : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",	\
			     "x13", "x14", "x15", "x16", "x17", "memory");		\
	return (s32)x0;									\
}

DEFINE_SMCCC_CALL(hvc)
DEFINE_SMCCC_CALL(smc)

long psci_call(u32 function, u64 arg0, u64 arg1, u64 arg2)
{
	switch (conduit()) {
	case CONDUIT_HVC:
		return hvc_call(function, arg0, arg1, arg2);
	case CONDUIT_SMC:
		return smc_call(function, arg0, arg1, arg2);
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

/* ---- The end -------------------------------------------------------------------------------- */

static void semihosting_exit(int status)
{
	const u64 block[2] = { APPLICATION_EXIT, status };
	register u64 op __asm__("x0") = SYS_EXIT;
	register const u64 *parameters __asm__("x1") = block;

	__asm__ volatile("hlt #0xf000" : "+r"(op) : "r"(parameters) : "memory");
}

/* Each way is tried once, also when the one before it has trapped and so led here again. */
void arch_exit(int status)
{
	static u32 tried;

	arch_local_irq_disable();
	for (;;) {
		switch (__atomic_fetch_add(&tried, 1, __ATOMIC_RELAXED)) {
		case 0:
			machine_exit(status);
			break;
		case 1:
			if (boot_arg("semihosting", NULL, 0))
				semihosting_exit(status);
			break;
		case 2:
			psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
			break;
		default:
			for (;;)
				arch_wait_for_interrupt();
		}
	}
}

/*
 * Registration. Each macro puts a pointer into a table that the linker gathers (section tbl_*),
 * so that a driver is one file and one line of a Makefile, and the kernel never names a driver.
 */
#ifndef KERNEL_DRIVER_H
#define KERNEL_DRIVER_H

#include <kernel/device.h>
#include <kernel/of.h>

struct console;

#define TABLE_ENTRY(table, type, object)							\
	static type *const table##_entry_##object						\
	__attribute__((section("tbl_" #table), used)) = &(object)
#define DECLARE_TABLE(table, type)								\
	extern type *const __start_tbl_##table[] __attribute__((weak));				\
	extern type *const __stop_tbl_##table[] __attribute__((weak))
/* for_each_table(pos, irqchip, struct irqchip_decl): POS is a pointer to the table's slot. */
#define for_each_table(pos, table, type)							\
	for (type *const *pos = __start_tbl_##table; pos < __stop_tbl_##table; pos++)

/* An interrupt controller that of_irq_init() finds by COMPAT. INIT returns 0 or a negative errno,
 * which the core prints with the node's path. Boot thread, irqs on, one CPU. COMPAT NULL: it is
 * made of software, no node describes it, and INIT gets none; after all those of the tree. */
struct irqchip_decl {
	const char *compatible;
	int (*init)(struct device_node *node, struct device_node *parent);
};
#define IRQCHIP_DECLARE(name, compat, fn)							\
	static const struct irqchip_decl irqchip_decl_##name = { compat, fn };			\
	TABLE_ENTRY(irqchip, const struct irqchip_decl, irqchip_decl_##name)

/*
 * A console before there are drivers, where firmware has none to offer: SETUP gets the address of
 * the registers of stdout-path's node and returns a console that polls. Boot CPU, the MMU off.
 */
struct earlycon_decl {
	const char *compatible;
	const struct console *(*setup)(void *regs);
};
#define EARLYCON_DECLARE(name, compat, fn)							\
	static const struct earlycon_decl earlycon_decl_##name = { compat, fn };		\
	TABLE_ENTRY(earlycon, const struct earlycon_decl, earlycon_decl_##name)

/* A device that the tree describes. */
struct platform_device {
	struct device dev;
	struct device_node *node;
	const struct of_driver *driver;
	struct platform_device *next;
};
enum probe_stage {
	PROBE_FIRST,		/* exit device: no interrupt, no thread is there yet */
	PROBE_EARLY,		/* console, clock: before other CPUs are up */
	PROBE_NORMAL,		/* everything else: all CPUs are up */
};
struct of_driver {
	const char *name;
	const char *const *compatible;		/* NULL-terminated */
	enum probe_stage stage;
	int (*probe)(struct platform_device *pdev);	/* 0 or errno; the core prints it */
	void (*remove)(struct platform_device *pdev);	/* quiet device, no irq, no memory left */
};
#define OF_DRIVER(object)	TABLE_ENTRY(of_driver, const struct of_driver, object)

/* Probes every available node a driver of that stage is compatible with. Boot thread. */
void of_probe_drivers(enum probe_stage stage);

/* Between these no device comes or goes, nor do its interrupts: for whoever walks them, beside the
 * drivers' probe() and remove(), which run under it when the machine is up. Thread context. */
void devices_lock(void);
void devices_unlock(void);

/*
 * Interrupt INDEX of a tree device, or the one that "interrupt-names" calls NAME: > 0, or a
 * negative errno: -ENXIO if it has none, -EINVAL if it maps nowhere; never 0. (S-028)
 * That one is missing is only news if probe() fails of it, and then the core says it: _optional
 * says no less.
 */
int platform_get_irq(struct platform_device *pdev, unsigned int index);
int platform_get_irq_byname(struct platform_device *pdev, const char *name);
#define platform_get_irq_optional		platform_get_irq
#define platform_get_irq_byname_optional	platform_get_irq_byname
static inline int platform_irq_count(struct platform_device *pdev)
{
	return of_irq_count(pdev->node);
}

/* A device that can end the machine with a status (design section 2): arch_exit() asks FN first,
 * which returns if it could not. The last one registered wins; NULL removes it. Any context. */
void machine_exit_register(void (*fn)(int status));
void machine_exit(int status);		/* arch_exit() only */

/* A command of the shell: see <kernel/shell.h>. */
struct shell_command;
#define SHELL_COMMAND(object)	TABLE_ENTRY(shell_command, const struct shell_command, object)

/* Boot arguments: the value of NAME=value in /chosen/bootargs into BUF (quotes resolved), or NAME
 * alone (BUF then holds ""). False if absent. Any context after of_early_init(). */
bool boot_arg(const char *name, char *buf, size_t size);
u64 boot_arg_u64(const char *name, u64 fallback);

#endif

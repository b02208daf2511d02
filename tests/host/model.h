/*
 * For models of hardware in host tests: regions of MMIO, interrupt lines, bus-master accesses,
 * things that happen later. All forgotten by host_init().
 */
#ifndef TESTS_HOST_MODEL_H
#define TESTS_HOST_MODEL_H

#include <host.h>

/*
 * Instead of host_init(): boots as the kernel does, from a device tree, up to the probed drivers.
 * MODELS is called first and registers what the drivers will find. The CPU with hardware id
 * BOOT_HWID is CPU 0, which the caller acts as.
 */
void host_boot(const void *fdt, u64 boot_hwid, void (*models)(void));

/* ---- MMIO: ioremap() of a registered region leads to its model, anything else aborts. ---- */

struct host_mmio_ops {
	/* OFFSET in the region; SIZE 1, 2, 4 or 8 and OFFSET a multiple of it. */
	u64 (*read)(void *priv, u64 offset, unsigned int size);
	void (*write)(void *priv, u64 offset, u64 v, unsigned int size);
};
void host_mmio_add(const char *name, phys_addr_t phys, size_t size,
		   const struct host_mmio_ops *ops, void *priv);

/* ---- What a device does on the bus ---------------------------------------------------------- */

/* A store of 1, 2, 4 or 8 bytes, to a region or to memory. */
void host_bus_write(u64 addr, u64 v, unsigned int size);
extern u32 host_bus_requester;	/* whose store it is: a requester id; 0: a CPU's */
/* Memory that a device may reach: [addr, addr + len) inside one live allocation, else aborts with
 * the device's NAME. */
void *host_dma(const char *name, u64 addr, size_t len);
bool host_dma_ok(u64 addr, size_t len);

/* ---- Interrupts of a CPU: riscv's, by cause number ------------------------------------------- */

void host_set_line(unsigned int cpu, unsigned int cause, bool level);

/* Reads and writes of CSRs: a model may claim a number (OP as in <asm/csr.h>). */
typedef unsigned long (*host_csr_fn)(void *priv, unsigned int cpu, unsigned int csr, int op,
				     unsigned long v);
void host_csr_claim(unsigned int csr, host_csr_fn fn, void *priv);

/* All of aarch64's system registers, by name; and its barriers, as writes to "isb" and "dsb". */
typedef u64 (*host_sysreg_fn)(void *priv, unsigned int cpu, const char *name, bool write, u64 v);
void host_sysreg_claim(host_sysreg_fn fn, void *priv);

/* ---- Memory ---------------------------------------------------------------------------------- */

extern bool host_clears;	/* the CPU clears by the cache block: arch_clear() does not say no */
extern size_t host_cleared;	/* bytes, so far */

/* ---- Later ---------------------------------------------------------------------------------- */

/* Called whenever a CPU is idle or runs deferred work; returns whether it did anything. */
void host_poll_add(bool (*fn)(void *priv), void *priv);
/* Calls FN once when the clock has passed NS from now, from an idle CPU or deferred work. */
void host_after(u64 ns, void (*fn)(void *priv), void *priv);

/* A model with an OS thread of its own: as long as it holds the time, that does not jump ahead
 * because all CPUs wait. +1, -1. */
void host_hold_time(int n);

/* What went wrong, the log, abort. */
void __noreturn host_die(const char *fmt, ...) __printf(1, 2);

/*
 * A driver has broken a rule of the hardware: noted, with the functions that called the model, and
 * the test in which it happens fails. The model then does what does least.
 */
void model_violation(const char *fmt, ...) __printf(1, 2);
/* What has been noted since the last call, one a line; valid until the next one. */
const char *model_violations(void);

bool host_fail_armed(void);	/* the allocation that host_fail_after() meant has not come yet */
u64 host_now(void);		/* the clock, without a side effect */

/* A small repeatable random generator, for tests and models that take turns at random. */
u32 host_random(u64 *state);

#endif

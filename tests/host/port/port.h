/* Shared by the files of the null port only. */
#ifndef TESTS_HOST_PORT_H
#define TESTS_HOST_PORT_H

#include <kernel/cpu.h>
#include <kernel/thread.h>
#include "../model.h"

/* The sanitizers', if the program is linked with one. */
void __asan_poison_memory_region(const void *p, size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(const void *p, size_t size) __attribute__((weak));
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size)
	__attribute__((weak));
void *__tsan_get_current_fiber(void) __attribute__((weak));
void *__tsan_create_fiber(unsigned int flags) __attribute__((weak));
void __tsan_switch_to_fiber(void *fiber, unsigned int flags) __attribute__((weak));
void __sanitizer_finish_switch_fiber(void *save, const void **old_bottom, size_t *old_size)
	__attribute__((weak));

#define HOST_STACK_SIZE	(512 * 1024UL)	/* of a kernel thread: sanitizers and libc want room */

extern unsigned int host_ncpus;

void host_snapshot(void);	/* image.c: the core's variables as they were at first */
void host_mem_reset(void);	/* mem.c */
void host_mmio_reset(void);	/* mmio.c */
void host_csr_reset(void);	/* csr.c */
void host_idle_reset(void);	/* idle.c */
void host_cpu_is_up(void);	/* boot.c: a CPU that was being started is idle for the first time */
void host_forget(void);		/* init.c: everything as new, no CPU yet */
void host_time_reset(void);	/* time.c */
void host_console_reset(void);	/* console.c */
void host_console_start(void);
void host_log_dump(void);	/* to stderr */

/* csr.c: the cause to take now, or -1. */
int host_pending_cause(unsigned int cpu);
u64 host_csr_deadline(unsigned int cpu);	/* when stimecmp raises its line */

/* time.c */
void host_clock_start(void);
bool host_clock_due(unsigned int cpu);
void host_clock_fire(unsigned int cpu);		/* on that CPU, irqs off */
bool host_events_run(void);
bool host_time_jump(void);	/* to the next event of any CPU or model; false: there is none */
void host_time_pass(u64 ns);

bool host_polls_run(void);	/* mmio.c */

#endif

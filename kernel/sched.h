/* Between sched.c and thread.c only. */
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include <kernel/thread.h>

/* Empty run queues on every CPU. Boot CPU, once. */
void sched_init(void);
/* Makes T the thread that CPU runs. Irqs off. */
void sched_set_current(struct cpu *cpu, struct thread *t);
/* What every thread does first when it gets the CPU: PREV's registers are saved now. Irqs off. */
void sched_finish_switch(struct thread *prev);
/* Switches away from the calling thread for ever. Irqs off. */
void __noreturn sched_exit(void);
/* Frees a thread that has switched away for ever. Irqs off. */
void thread_reap(struct thread *t);

#endif

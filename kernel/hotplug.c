/*
 * CPUs that stop and come back while everything runs.
 *
 *	cpu_offline() on another CPU	the CPU's idle thread
 *	asks, kicks it --------------->	cpu_leave(): no other threads? then it is not online
 *					lines move away, managed ones are shut down
 *					clock off, down hooks, last one first
 *	takes over its timers <--------	says so, arch_cpu_down()
 *
 * Only the idle thread can stop a CPU: when it runs, no other thread and no interrupt is half done.
 * A line is looked at under its lock after the CPU has left the online mask; so whoever moves lines
 * and has seen the old mask was done with it before, or will see the new one.
 * (Linux: kernel/cpu.c, stop_machine and the hotplug states do the same in many more steps)
 */
#include <kernel/interrupt.h>
#include <kernel/smp.h>
#include <kernel/thread.h>
#include <lib/errno.h>

#define LEAVE_TIMEOUT_NS	(5 * NSEC_PER_SEC)
#define GOING_TIMEOUT_NS	(30 * NSEC_PER_SEC)
#define LEAVE_POLL_NS		(50 * NSEC_PER_USEC)

static struct mutex hotplug_mutex = MUTEX_INIT(hotplug_mutex);	/* one CPU at a time */

/* ---- The CPU that leaves -------------------------------------------------------------------- */

static bool leaving_moves(struct cpu *cpu, u32 from, u32 to)
{
	return __atomic_compare_exchange_n(&cpu->leaving, &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

void cpu_leave(void)
{
	struct cpu *cpu = this_cpu();

	if (cpu->softirq_pending) {
		do_softirq();			/* and back, as it may have woken ksoftirqd */
		return;
	}
	if (!leaving_moves(cpu, CPU_ASKED, CPU_GOING))
		return;				/* the other one has stopped waiting */
	if (thread_leave_cpu(cpu)) {
		__atomic_store_n(&cpu->leaving, CPU_STAYS, __ATOMIC_RELEASE);
		return;
	}
	irq_migrate_all_off_this_cpu();
	clock_stop();
	cpu_run_down_hooks();
	__atomic_store_n(&cpu->leaving, CPU_LEFT, __ATOMIC_RELEASE);
	arch_cpu_down();
}

/* ---- The CPU that asks it to ---------------------------------------------------------------- */

static int wait_until_left(struct cpu *cpu)
{
	u64 deadline = ktime_get_ns() + LEAVE_TIMEOUT_NS;

	for (;;) {
		switch (__atomic_load_n(&cpu->leaving, __ATOMIC_ACQUIRE)) {
		case CPU_LEFT:
			return 0;
		case CPU_STAYS:
			return -EBUSY;
		case CPU_ASKED:
			if (ktime_get_ns() > deadline && leaving_moves(cpu, CPU_ASKED, CPU_STAYS))
				return -ETIMEDOUT;
			break;
		case CPU_GOING:
			if (ktime_get_ns() > deadline + GOING_TIMEOUT_NS)
				return -ETIMEDOUT;
		}
		thread_block(ktime_get_ns() + LEAVE_POLL_NS);
	}
}

static int take_down(struct cpu *cpu)
{
	int err;

	__atomic_store_n(&cpu->leaving, CPU_ASKED, __ATOMIC_RELEASE);
	smp_send_reschedule(cpu->id);
	err = wait_until_left(cpu);
	if (!err)
		timers_take_over(cpu);
	return err;
}

int cpu_offline(unsigned int cpu)
{
	int err = 0;

	if (!cpu || cpu >= nr_cpu_ids || cpu == smp_processor_id())
		return -EINVAL;
	mutex_lock(&hotplug_mutex);
	smp_hold_calls();
	if (cpumask_test_cpu(cpu, cpu_online_mask))
		err = take_down(&cpus[cpu]);
	smp_release_calls();
	mutex_unlock(&hotplug_mutex);
	return err;
}

int cpu_online(unsigned int cpu)
{
	int err = 0;

	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	mutex_lock(&hotplug_mutex);
	if (!cpumask_test_cpu(cpu, cpu_online_mask))
		err = smp_start_cpu(cpu);
	mutex_unlock(&hotplug_mutex);
	return err;
}

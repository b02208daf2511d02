/*
 * The idle thread of each CPU makes the world go on: it takes interrupts, lets models work, visits
 * the CPUs that no flow is on, and at last moves the clock to the next event.
 *
 *	flow --blocks--> idle of CPU 0 --visits CPU 1--> (as idle of CPU 1) schedule() -> threads …
 *	     <--woken---                <---all blocked--
 */
#include <kernel/ipi.h>
#include <kernel/smp.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include "flow.h"

static __thread bool visiting;
static u32 ipi_calls[NR_CPUS];		/* without a controller: a call waits */
static bool has_ipis;
static int time_held;

static bool runnable(struct cpu *cpu)
{
	return __atomic_load_n(&cpu->rq_bitmap, __ATOMIC_RELAXED);
}

static bool has_events(struct cpu *cpu)
{
	return host_clock_due(cpu->id) || cpu->softirq_pending ||
	       __atomic_load_n(&ipi_calls[cpu->id], __ATOMIC_ACQUIRE) ||
	       (host_has_lines && host_pending_cause(cpu->id) >= 0);
}

/* The interrupts that wait for this CPU, and its softirqs. Irqs off. */
static bool take_events(struct cpu *cpu)
{
	if (!has_events(cpu))
		return false;
	if (host_clock_due(cpu->id))
		host_clock_fire(cpu->id);
	irq_enter();
	if (__atomic_exchange_n(&ipi_calls[cpu->id], 0, __ATOMIC_ACQ_REL))
		smp_call_ipi();
	irq_exit();
	arch_local_irq_enable();
	arch_local_irq_disable();
	return true;
}

/* As the idle thread of CPU, on the caller's stack: whatever waits there, until all is blocked. */
static bool visit(struct cpu *cpu)
{
	struct host_context here = { .fake_stack = NULL };
	struct cpu *back = this_cpu();
	struct thread *idle = cpu->idle;
	void *context;
	bool any = false;

	if ((!runnable(cpu) && !has_events(cpu)) || !host_borrow(cpu))
		return false;
	arch_set_this_cpu(cpu);
	context = idle->arch_private;	/* not before: another visitor may have had it */
	idle->arch_private = &here;
	while (take_events(cpu) || runnable(cpu)) {
		schedule();
		any = true;
	}
	idle->arch_private = context;
	arch_set_this_cpu(back);
	host_return(cpu);
	return any;
}

static bool visit_others(void)
{
	bool any = false;

	if (visiting)
		return false;
	visiting = true;
	for (unsigned int i = 0; i < host_ncpus; i++)
		if (&cpus[i] != this_cpu() && cpus[i].online)
			any |= visit(&cpus[i]);
	visiting = false;
	return any;
}

/* Everything that can happen now. Irqs off, in an idle thread. */
static bool make_progress(void)
{
	bool any = take_events(this_cpu());

	any |= host_events_run();
	any |= host_polls_run();
	return visit_others() || any;
}

static bool somebody_can_run(void)
{
	for (unsigned int i = 0; i < host_ncpus; i++)
		if (runnable(&cpus[i]) || has_events(&cpus[i]))
			return true;
	return false;
}

static void name_blocked(const struct thread *t, void *arg)
{
	(void)arg;
	if (t->state == THREAD_BLOCKED)
		fprintf(stderr, "host: blocked: %s, on CPU %u\n", t->name, t->cpu->id);
}

static void pause_a_moment(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
}

void host_hold_time(int n)
{
	__atomic_add_fetch(&time_held, n, __ATOMIC_SEQ_CST);
}

/* Nothing left at this instant: on to the next, unless another flow is still at work. */
static void time_goes_on(unsigned int *patience)
{
	__atomic_store_n(&flow.idle, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&time_held, __ATOMIC_SEQ_CST) || !host_flows_quiet() ||
	    somebody_can_run()) {
		pause_a_moment();
		*patience = 0;
	} else if (!host_time_jump()) {
		pause_a_moment();
		if (++*patience > 5000) {
			thread_for_each(name_blocked, NULL);
			host_die("deadlock: every thread waits, and nothing is going to happen");
		}
	}
	__atomic_store_n(&flow.idle, false, __ATOMIC_SEQ_CST);
}

void host_idle_wait(void)
{
	struct cpu *cpu = this_cpu();
	unsigned int patience = 0;

	host_cpu_is_up();
	while (!runnable(cpu)) {
		struct thread *deferred = flow.deferred;

		host_activity++;
		if (make_progress())
			continue;
		if (deferred) {
			flow.deferred = NULL;
			thread_wake(deferred);
		} else {
			time_goes_on(&patience);
		}
	}
}

void host_run_deferred(void)
{
	flow.deferred = current_thread();
	while (flow.deferred)
		thread_block(TIME_NEVER);
}

/*
 * A busy loop waits for the time, a model or another CPU. Other CPUs are let run only if the caller
 * could be interrupted: it may hold a lock that they want.
 */
void host_relax(void)
{
	static __thread unsigned int spins;
	static __thread bool nested;

	host_time_pass(100);
	if (++spins % 64 || nested)
		return;
	nested = true;
	sched_yield();
	host_events_run();
	host_polls_run();
	if (host_irqs_on && !visiting) {
		host_irqs_on = false;
		visit_others();
		arch_local_irq_enable();
	}
	nested = false;
}

/* ---- IPIs: the controller's, if there is one --------------------------------------------------- */

void core_smp_send_ipi(unsigned int cpu, enum ipi_kind kind);
void core_set_smp_ipi_range(unsigned int first, unsigned int nr);

void smp_send_ipi(unsigned int cpu, enum ipi_kind kind)
{
	if (has_ipis)
		core_smp_send_ipi(cpu, kind);
	else if (kind == IPI_CALL)
		__atomic_store_n(&ipi_calls[cpu], 1, __ATOMIC_RELEASE);
	/* else: that CPU looks at its run queue anyway */
}

void set_smp_ipi_range(unsigned int first, unsigned int nr)
{
	has_ipis = true;
	core_set_smp_ipi_range(first, nr);
}

void host_idle_reset(void)
{
	has_ipis = false;
	visiting = false;
	time_held = 0;
	for (unsigned int i = 0; i < NR_CPUS; i++)
		ipi_calls[i] = 0;
}

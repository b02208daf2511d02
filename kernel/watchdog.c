/*
 * Watchdogs, both made of timers; a bite says what is wrong and ends the machine with status 3.
 *
 *	boot	one timer on the boot CPU, disarmed when the shell starts; names the step
 *	running	each CPU now and then notes the time and looks at its neighbour's note, so that a
 *		CPU with interrupts off is found by another one; and at itself: a thread above
 *		normal priority that never lets go keeps everybody else from running
 *
 * A CPU that was itself not running for a while (a suspended host) does not judge the others.
 */
#include <kernel/driver.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/thread.h>
#include <kernel/watchdog.h>

#define EXIT_WATCHDOG	3
#define BOOT_SECONDS	30
#define RUN_SECONDS	20
#define MAX_PERIOD_NS	(2 * NSEC_PER_SEC)

const char *boot_step_now = "the first instructions";

static struct timer boot_timer;
static u64 limit_ns, period_ns;

static struct {
	struct timer timer;
	u64 switches;		/* of this CPU when it last had switched */
	u64 since;		/* ns: from when on they did not change */
} watch[NR_CPUS];

void boot_step(const char *what)
{
	__atomic_store_n(&boot_step_now, what, __ATOMIC_RELAXED);
}

static void __noreturn __printf(1, 2) bite(const char *fmt, ...)
{
	va_list args;

	console_panic_mode();
	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
	show_backtrace(NULL);
	arch_exit(EXIT_WATCHDOG);
}

/* ---- Boot ----------------------------------------------------------------------------------- */

static void boot_too_long(struct timer *timer)
{
	(void)timer;
	bite("\nwatchdog: boot has waited too long for: %s\n", boot_step_now);
}

/* ---- Running -------------------------------------------------------------------------------- */

static const char *current_name(const struct cpu *cpu)
{
	const struct thread *t = __atomic_load_n(&cpu->current, __ATOMIC_RELAXED);

	return t ? t->name : "?";
}

static void check_neighbour(const struct cpu *self, u64 now)
{
	unsigned int n = cpumask_next(self->id, cpu_online_mask);
	const struct cpu *other;
	u64 beat;

	if (n >= NR_CPUS)
		n = cpumask_first(cpu_online_mask);
	other = &cpus[n];
	beat = __atomic_load_n(&other->heartbeat, __ATOMIC_RELAXED);
	if (other == self || beat + limit_ns >= now)
		return;
	bite("\nwatchdog: cpu %u has taken no timer interrupt for %llu s; it runs thread %s\n", n,
	     (unsigned long long)((now - beat) / NSEC_PER_SEC), current_name(other));
}

static void check_self(struct cpu *self, u64 now)
{
	if (self->switches != watch[self->id].switches || self->current->prio <= PRIO_NORMAL) {
		watch[self->id].switches = self->switches;
		watch[self->id].since = now;
	} else if (now - watch[self->id].since > limit_ns) {
		bite("\nwatchdog: on cpu %u thread %s has let no other run for %llu s\n", self->id,
		     current_name(self),
		     (unsigned long long)((now - watch[self->id].since) / NSEC_PER_SEC));
	}
}

static void beat(struct timer *timer)
{
	struct cpu *self = this_cpu();
	u64 now = ktime_get_ns(), before = self->heartbeat;

	__atomic_store_n(&self->heartbeat, now, __ATOMIC_RELAXED);
	if (now - before < 2 * period_ns)
		check_neighbour(self, now);
	check_self(self, now);
	timer_arm(timer, now + period_ns);
}

static void start_on_this_cpu(unsigned int cpu)
{
	u64 now = ktime_get_ns();

	__atomic_store_n(&cpus[cpu].heartbeat, now, __ATOMIC_RELAXED);
	watch[cpu].since = now;
	timer_init(&watch[cpu].timer, beat);
	timer_arm(&watch[cpu].timer, now + period_ns);
}

static void stop_on_this_cpu(unsigned int cpu)
{
	timer_cancel(&watch[cpu].timer);
}

/* ---- Start ---------------------------------------------------------------------------------- */

/* "watchdog=SECONDS" sets both, 0 switches them off. */
void watchdog_init(void)
{
	u64 boot_ns = boot_arg_u64("watchdog", BOOT_SECONDS) * NSEC_PER_SEC;

	timer_init(&boot_timer, boot_too_long);
	if (!boot_ns)
		return;
	limit_ns = boot_arg_u64("watchdog", RUN_SECONDS) * NSEC_PER_SEC;
	period_ns = min(limit_ns / 4, (u64)MAX_PERIOD_NS);
	timer_arm(&boot_timer, ktime_get_ns() + boot_ns);
	cpu_hooks("watchdog", start_on_this_cpu, stop_on_this_cpu);
}

void watchdog_boot_done(void)
{
	timer_cancel(&boot_timer);
}

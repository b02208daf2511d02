/*
 * CPUs: which there are, how they start, how one calls another.
 *
 *	boot CPU: stacks, idle thread -> arch_cpu_up() … waits	-> next
 *	new CPU:   kernel_secondary_main(): each up hook, online, idle loop
 *
 * Logical numbers have nothing to do with hardware ids: the boot CPU is 0, the others follow in the
 * tree's order. [DT 3.8]
 */
#include <kernel/interrupt.h>
#include <kernel/ipi.h>
#include <kernel/of.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/softirq.h>
#include <kernel/watchdog.h>
#include <string.h>

#define START_TIMEOUT_NS	(5 * NSEC_PER_SEC)
#define STOP_TIMEOUT_NS		(5 * NSEC_PER_SEC)
#define START_POLL_NS		(50 * NSEC_PER_USEC)
#define CALL_TIMEOUT_NS		(5 * NSEC_PER_SEC)
#define MAX_HOOKS		16

struct cpu cpus[NR_CPUS];
struct cpumask cpu_possible_mask_, cpu_online_mask_;
unsigned int nr_cpu_ids;

static struct {
	void (*up)(unsigned int cpu), (*down)(unsigned int cpu);
} hooks[MAX_HOOKS];
static unsigned int nr_hooks;

/* Decides between a CPU that comes late and the boot CPU that has given it up. */
enum { START_NONE, START_WAITING, START_DONE, START_GIVEN_UP };
static u32 start_state[NR_CPUS];

static bool start_moves(unsigned int cpu, u32 to)
{
	u32 from = START_WAITING;

	return __atomic_compare_exchange_n(&start_state[cpu], &from, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/* ---- The list of CPUs ----------------------------------------------------------------------- */

int cpu_by_hwid(u64 hwid)
{
	for (unsigned int cpu = 0; cpu < nr_cpu_ids; cpu++)
		if (cpus[cpu].hwid == hwid)
			return cpu;
	return -ENODEV;
}

static void add_cpu(u64 hwid)
{
	struct cpu *cpu = &cpus[nr_cpu_ids];

	cpu->hwid = hwid;
	cpu->id = nr_cpu_ids++;
	cpumask_set_cpu(cpu->id, &cpu_possible_mask_);
}

static void add_node(struct device_node *np)
{
	int len, cells = of_n_addr_cells(np->parent);
	const void *reg = of_get_property(np, "reg", &len);
	const char *type;
	u64 hwid;

	if (!np->available || of_property_read_string(np, "device_type", &type) ||
	    strcmp(type, "cpu"))
		return;
	if (!reg || cells < 1 || len < 4 * cells) {
		pr_err("%s: no usable reg; this CPU is left out", np->fwnode.name);
		return;
	}
	hwid = of_read_number(reg, cells);
	if (cpu_by_hwid(hwid) >= 0)
		return;				/* the boot CPU */
	if (nr_cpu_ids == NR_CPUS)
		pr_err("%s: more than %d CPUs; this one is left out", np->fwnode.name, NR_CPUS);
	else
		add_cpu(hwid);
}

static void mark_online(struct cpu *cpu)
{
	cpu->online = true;
	__atomic_fetch_or(&cpu_online_mask_.bits, BIT(cpu->id), __ATOMIC_RELEASE);
}

void smp_init_cpus(void)
{
	struct device_node *parent = of_find_node_by_path("/cpus"), *np;

	add_cpu(cpus[0].hwid);
	mark_online(&cpus[0]);
	if (parent)
		for_each_child_of_node(parent, np)
			add_node(np);
}

/* ---- Start ---------------------------------------------------------------------------------- */

void cpu_hooks(const char *name, void (*up)(unsigned int cpu), void (*down)(unsigned int cpu))
{
	unsigned long flags;

	if (nr_hooks == MAX_HOOKS)
		panic("cpu_hooks: no room for %s", name);
	hooks[nr_hooks].up = up;
	hooks[nr_hooks++].down = down;
	flags = arch_local_irq_save();
	up(smp_processor_id());
	arch_local_irq_restore(flags);
}

void cpu_run_down_hooks(void)
{
	for (unsigned int i = nr_hooks; i--; )
		if (hooks[i].down)
			hooks[i].down(smp_processor_id());
}

void kernel_secondary_main(void)
{
	struct cpu *cpu = this_cpu();

	arch_cpu_init(cpu);
	for (unsigned int i = 0; i < nr_hooks; i++)
		hooks[i].up(cpu->id);
	timers_start_cpu();
	if (!start_moves(cpu->id, START_DONE))
		arch_cpu_down();
	mark_online(cpu);
	idle_loop();
}

/* Idle thread and ksoftirqd of a CPU that comes again are still there. */
static int prepare_cpu(struct cpu *cpu)
{
	int err = 0;

	if (cpu->idle)
		arch_thread_init(cpu->idle);	/* from the top of its stack */
	else
		err = thread_init_cpu(cpu);
	if (!err && !cpu->ksoftirqd)
		err = softirq_init_cpu(cpu);
	return err;
}

/* One that has only just left may still be on its way through the firmware. */
static int ask_firmware(struct cpu *cpu)
{
	u64 deadline = ktime_get_ns() + STOP_TIMEOUT_NS;
	int err = arch_cpu_up(cpu);

	while (err && cpu->leaving == CPU_LEFT && ktime_get_ns() < deadline) {
		thread_block(ktime_get_ns() + START_POLL_NS);
		err = arch_cpu_up(cpu);
	}
	return err;
}

static int start_cpu(struct cpu *cpu)
{
	u64 deadline;
	int err = prepare_cpu(cpu);

	if (err)
		return err;
	start_state[cpu->id] = START_WAITING;
	err = ask_firmware(cpu);
	deadline = ktime_get_ns() + START_TIMEOUT_NS;
	while (!err && !cpumask_test_cpu(cpu->id, cpu_online_mask)) {
		if (ktime_get_ns() > deadline && start_moves(cpu->id, START_GIVEN_UP))
			err = -ETIMEDOUT;
		thread_block(ktime_get_ns() + START_POLL_NS);
	}
	return err;
}

int smp_start_cpu(unsigned int id)
{
	int err = start_cpu(&cpus[id]);

	if (!err)
		irq_affinity_online_cpu(id);
	return err;
}

void smp_boot_cpus(void)
{
	for (unsigned int id = 1; id < nr_cpu_ids; id++) {
		int err = smp_start_cpu(id);

		if (err)
			pr_err("cpu %u (hardware id %llu) does not start: %s; going on without",
			       id, (unsigned long long)cpus[id].hwid, errname(err));
	}
}

/* ---- Calls between CPUs --------------------------------------------------------------------- */

struct call {
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
};

static struct call *calls[NR_CPUS];	/* what each CPU is to do; it takes it out */
static struct mutex call_mutex = MUTEX_INIT(call_mutex);

void smp_call_ipi(void)
{
	struct call *call = __atomic_exchange_n(&calls[smp_processor_id()], NULL, __ATOMIC_ACQ_REL);

	if (!call)
		return;
	call->fn(call->arg);
	complete(&call->done);
}

static int call_other(unsigned int cpu, struct call *call)
{
	__atomic_store_n(&calls[cpu], call, __ATOMIC_RELEASE);
	smp_send_ipi(cpu, IPI_CALL);
	if (!wait_for_completion_timeout(&call->done, CALL_TIMEOUT_NS))
		return 0;
	if (__atomic_exchange_n(&calls[cpu], NULL, __ATOMIC_ACQ_REL))
		return -ETIMEDOUT;
	wait_for_completion(&call->done);	/* it is being done just now */
	return 0;
}

int smp_call_function_single(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	struct call call = { .fn = fn, .arg = arg };
	unsigned long flags;
	int err = -ENXIO;

	if (cpu == smp_processor_id()) {
		flags = arch_local_irq_save();
		irq_enter_inline();
		fn(arg);
		irq_exit_inline();
		arch_local_irq_restore(flags);
		return 0;
	}
	init_completion(&call.done);
	mutex_lock(&call_mutex);
	if (cpumask_test_cpu(cpu, cpu_online_mask))
		err = call_other(cpu, &call);
	mutex_unlock(&call_mutex);
	return err;
}

void smp_hold_calls(void)
{
	mutex_lock(&call_mutex);
}

void smp_release_calls(void)
{
	mutex_unlock(&call_mutex);
}

void smp_send_reschedule(unsigned int cpu)
{
	if (cpu == smp_processor_id())
		this_cpu()->need_resched = true;
	else
		smp_send_ipi(cpu, IPI_RESCHEDULE);
}

/*
 * The trace rings and the catcher.
 *
 * Each CPU writes only its own ring, with irqs off, so recording takes no lock. The catcher picks
 * one interrupt out of all of them:
 *
 *	idle --trace_arm()--> armed --handler of the irq begins, on some CPU--> catching
 *	     catching --that trap ends there--> copying --> caught: the path is in `caught`
 *
 * A path runs from the trap that led to the handler to that trap's exit; that of a replayed
 * interrupt, from the softirq that replays it to its end. Traps that nest in it (softirqs run with
 * interrupts on) are left out of the copy.
 */
#include <kernel/driver.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/smp.h>
#include <kernel/trace.h>
#include <lib/errno.h>

#define TRACE_RING_MAX	(1U << 20)

const struct station_info station_table[NR_STATIONS] = {
	[ST_TRAP]	 = { "trap", "entry", "the CPU leaves what it was doing" },
	[ST_ROOT]	 = { "root", "dispatch", "the root chip turns the cause into a hwirq" },
	[ST_CLAIM]	 = { "claim", "dispatch", "a controller says what is pending" },
	[ST_LOOKUP]	 = { "lookup", "dispatch", "a reverse map turns a hwirq into an irq" },
	[ST_CHAIN_ENTER] = { "chain", "dispatch", "the line feeds another controller" },
	[ST_CHAIN_EXIT]	 = { "unchain", "exit", "that controller has nothing more" },
	[ST_FLOW]	 = { "flow", "flow", "what this kind of line needs around its handlers" },
	[ST_CHIP]	 = { "chip", "chip", "a callback of the line's controller" },
	[ST_HANDLER]	 = { "handler", "action", "the driver's function" },
	[ST_HANDLED]	 = { "handled", "action", "what the driver's function returned" },
	[ST_SOFTIRQ]	 = { "softirq", "exit", "work that handlers left for the way out" },
	[ST_WAKE]	 = { "wake", "action", "a thread that waited becomes runnable" },
	[ST_THREAD]	 = { "thread", "action", "the rest of the handler, in a thread" },
	[ST_THREADED]	 = { "threaded", "action", "what the thread's function returned" },
	[ST_VECTOR]	 = { "vector", "setup", "a CPU's interrupt id is given, or given back" },
	[ST_EXIT]	 = { "exit", "exit", "back to what was interrupted" },
};

enum catch_state { CATCH_IDLE, CATCH_ARMED, CATCH_CATCHING, CATCH_COPYING, CATCH_CAUGHT };

static struct {
	u32 state;			/* enum catch_state, atomic */
	unsigned int irq;
	/* From CATCHING on, these are the catching CPU's until CAUGHT. */
	unsigned int cpu;
	u64 start;			/* ring position of the trap or softirq */
	unsigned int nested;
	unsigned int count;
	struct trace_event path[TRACE_PATH_MAX];
} caught;

static bool trace_wanted;		/* by trace_all(), not by the catcher */

static bool catch_move(enum catch_state from, enum catch_state to)
{
	u32 expected = from;

	return __atomic_compare_exchange_n(&caught.state, &expected, to, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static enum catch_state catch_state(void)
{
	return __atomic_load_n(&caught.state, __ATOMIC_ACQUIRE);
}

/* Where a level begins that an ST_EXIT ends. */
static bool begins_level(const struct trace_event *event)
{
	return event->station == ST_TRAP || event->station == ST_SOFTIRQ;
}

static void copy_path(const struct trace_ring *ring)
{
	u64 from = caught.start;
	unsigned int level = 0, n = 0;

	if (ring->head - from > ring->mask + 1)
		from = ring->head - ring->mask - 1;
	for (; from < ring->head && n < TRACE_PATH_MAX; from++) {
		const struct trace_event *event = &ring->event[from & ring->mask];

		level += begins_level(event);
		if (level <= 1)
			caught.path[n++] = *event;
		level -= event->station == ST_EXIT && level;
	}
	caught.count = n;
}

static void finish(const struct trace_ring *ring)
{
	if (!catch_move(CATCH_CATCHING, CATCH_COPYING))
		return;
	copy_path(ring);
	__atomic_store_n(&caught.state, CATCH_CAUGHT, __ATOMIC_RELEASE);
}

/* Advances the catcher by the event just written on CPU. */
static void catch_event(const struct cpu *cpu, const struct trace_event *event)
{
	enum catch_state state = catch_state();

	if (state == CATCH_ARMED) {
		if (event->irq != caught.irq ||
		    (event->station != ST_HANDLER && event->station != ST_CHAIN_ENTER) ||
		    !catch_move(CATCH_ARMED, CATCH_CATCHING))
			return;
		caught.cpu = cpu->id;
		caught.start = cpu->trace->in_trap ? cpu->trace->trap_start :
						     cpu->trace->softirq_start;
		caught.nested = 0;
		return;
	}
	if (state != CATCH_CATCHING || caught.cpu != cpu->id)
		return;
	if (begins_level(event))
		caught.nested++;
	else if (event->station == ST_EXIT && caught.nested)
		caught.nested--;
	else if (event->station == ST_EXIT)
		finish(cpu->trace);
}

/* What comes in a softirq begins there, even if traps came within it. */
static void note_starts(struct trace_ring *ring, enum station st, bool of_softirq)
{
	if (st == ST_TRAP) {
		ring->trap_start = ring->head;
		ring->in_trap = true;
	} else if (st == ST_EXIT && !of_softirq) {
		ring->trap_end = ring->head + 1;
		ring->in_trap = false;
	} else if (st == ST_SOFTIRQ) {
		ring->softirq_start = ring->trap_end == ring->head ? ring->trap_start : ring->head;
		ring->in_trap = false;
	}
}

void trace_record(enum station st, unsigned int irq, const void *obj, unsigned long a,
		  unsigned long b)
{
	trace_record_at((unsigned long)__builtin_return_address(0), st, irq, obj, a, b);
}

void trace_record_at(unsigned long pc, enum station st, unsigned int irq, const void *obj,
		     unsigned long a, unsigned long b)
{
	struct cpu *cpu = this_cpu();
	struct trace_ring *ring = cpu->trace;
	struct trace_event *event;

	if (!ring)
		return;
	note_starts(ring, st, a);
	event = &ring->event[ring->head & ring->mask];
	*event = (struct trace_event){
		.stamp = arch_cycles(), .time = arch_counter(), .station = st,
		.depth = cpu->irq_depth, .irq = irq, .obj = obj, .a = a, .b = b, .pc = pc,
	};
	ring->head++;
	catch_event(cpu, event);
}

/* Events of a ring: what the boot argument asks for, up to a power of two. */
static u64 wanted_events(void)
{
	u64 wanted = boot_arg_u64("trace", TRACE_RING_SIZE), events = TRACE_RING_SIZE;

	if (wanted > TRACE_RING_MAX)
		pr_warn("boot argument trace: a ring of %u events at most", TRACE_RING_MAX);
	while (events < wanted && events < TRACE_RING_MAX)
		events *= 2;
	return events;
}

void trace_init(void)
{
	u64 events = wanted_events();
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct trace_ring empty = { .mask = events - 1 };

		cpus[cpu].trace = kzalloc(trace_ring_bytes(&empty));
		if (cpus[cpu].trace)
			*cpus[cpu].trace = empty;
		else
			pr_err("trace: no memory for %llu events of cpu %u; it records nothing",
			       (unsigned long long)events, cpu);
	}
}

static void set_recording(bool on)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		__atomic_store_n(&cpus[cpu].trace_on, on, __ATOMIC_RELAXED);
}

/* Irq context, on the ring's CPU. */
static void forget(void *unused)
{
	struct trace_ring *ring = this_cpu()->trace;

	(void)unused;
	if (ring)
		ring->begin = ring->head;
}

void trace_all(bool on)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (on && !trace_wanted)
			smp_call_function_single(cpu, forget, NULL);
	trace_wanted = on;
	set_recording(on || catch_state() == CATCH_ARMED || catch_state() == CATCH_CATCHING);
}

int trace_arm(unsigned int irq)
{
	enum catch_state state = catch_state();

	if (state != CATCH_IDLE && state != CATCH_CAUGHT)
		return -EBUSY;
	caught.irq = irq;
	caught.count = 0;
	__atomic_store_n(&caught.state, CATCH_ARMED, __ATOMIC_RELEASE);
	set_recording(true);
	return 0;
}

bool trace_caught(void)
{
	return catch_state() == CATCH_CAUGHT;
}

void trace_disarm(void)
{
	while (catch_state() == CATCH_COPYING)
		cpu_relax();
	if (!catch_move(CATCH_ARMED, CATCH_IDLE))
		catch_move(CATCH_CATCHING, CATCH_IDLE);
	set_recording(trace_wanted);
}

unsigned int trace_path(const struct trace_event **events, unsigned int *cpu)
{
	*events = caught.path;
	*cpu = caught.cpu;
	return trace_caught() ? caught.count : 0;
}

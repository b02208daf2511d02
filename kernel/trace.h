/*
 * Stations: the named points an interrupt passes, and the per-CPU ring that records them.
 *
 * The station table (name, function, phase) is read-only data, kept for the narration, the trace
 * commands and the debugger alike. Recording costs one load and one branch where tracing is off.
 */
#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H

#include <kernel/cpu.h>

#include <string.h>

enum station {
	ST_TRAP,	/* a: cause register, if any  b: interrupted pc */
	ST_ROOT,	/* a: hwirq at the root chip */
	ST_CLAIM,	/* a: identity or INTID claimed, 0: none left    chip */
	ST_LOOKUP,	/* a: hwirq                   obj: domain        irq */
	ST_CHAIN_ENTER,	/* irq: the chained line      obj: chip */
	ST_CHAIN_EXIT,
	ST_FLOW,	/* irq                        a: flow handler */
	ST_CHIP,	/* irq, obj: chip             a: callback (code address)  b: hwirq */
	ST_HANDLER,	/* irq                        a: handler, b: dev_id */
	ST_HANDLED,	/* irq                        a: irqreturn */
	ST_SOFTIRQ,	/* a: pending bits */
	ST_WAKE,	/* a, b: the first letters of the woken thread's name; it may end */
	ST_THREAD,	/* irq                        a: handler, b: dev_id, in its thread */
	ST_THREADED,	/* irq                        a: irqreturn */
	ST_VECTOR,	/* a: CPU  b: id of its matrix, given; or ~id, given back */
	ST_EXIT,	/* leaving the trap, or  a: 1, the softirq */
	NR_STATIONS,
};

struct station_info {
	const char *name;	/* "claim" */
	const char *phase;	/* entry, dispatch, chip, flow, action, exit, setup */
	const char *what;	/* one sentence for the narration */
};
extern const struct station_info station_table[NR_STATIONS];

struct trace_event {
	u64 stamp;		/* arch_cycles(): of one CPU, for differences */
	u64 time;		/* arch_counter(): the same clock on all CPUs */
	u8 station;
	u8 depth;		/* irq_depth at the time */
	u32 irq;		/* 0: not known here */
	const void *obj;	/* irq_chip or irq_domain, as the station says; it may be gone */
	unsigned long a, b;
	unsigned long pc;	/* where it was recorded: the station's function */
};

#define TRACE_RING_SIZE	256U	/* events; the boot argument trace=N keeps more */
#define TRACE_PATH_MAX	256U	/* events of a caught path */

struct trace_ring {
	u64 head;		/* events ever written; slot = head & mask */
	u64 begin;		/* head when tracing was last turned on */
	u64 trap_start;		/* head when the newest trap began */
	u64 trap_end;		/* ... and after its end */
	u64 softirq_start;	/* ... the newest round of softirqs, or the trap right before it */
	bool in_trap;
	u64 mask;		/* of the slots, a power of two, less one */
	struct trace_event event[];
};

/* The oldest event since tracing was turned on that is still there; those between ring->begin and
 * it are lost. */
static inline u64 trace_oldest(const struct trace_ring *ring)
{
	return ring->head - min(ring->head - ring->begin, ring->mask + 1);
}

static inline size_t trace_ring_bytes(const struct trace_ring *ring)
{
	return sizeof(*ring) + (ring->mask + 1) * sizeof(ring->event[0]);
}

void trace_init(void);		/* a ring for each possible CPU */

void trace_record(enum station st, unsigned int irq, const void *obj, unsigned long a,
		  unsigned long b);
/* The same for the function at PC, of which the caller is a part that is only called to record. */
void trace_record_at(unsigned long pc, enum station st, unsigned int irq, const void *obj,
		     unsigned long a, unsigned long b);

/* Records a station of this CPU, irqs off. Arguments are not evaluated unless tracing is on. */
#define station(st, irq, obj, a, b) do {							\
	if (unlikely(this_cpu()->trace_on))							\
		trace_record(st, irq, obj, (unsigned long)(a), (unsigned long)(b));		\
} while (0)

/* The same in thread context, irqs on: where a handler has a thread. */
#define station_thread(st, irq, obj, a, b) do {							\
	if (unlikely(this_cpu()->trace_on)) {							\
		unsigned long flags_ = arch_local_irq_save();					\
												\
		trace_record(st, irq, obj, (unsigned long)(a), (unsigned long)(b));		\
		arch_local_irq_restore(flags_);							\
	}											\
} while (0)

static inline void station_wake(const char *name)
{
	unsigned long letters[2] = { 0 };

	if (likely(!this_cpu()->trace_on))
		return;
	memcpy(letters, name, strnlen(name, sizeof(letters)));
	trace_record(ST_WAKE, 0, NULL, letters[0], letters[1]);
}

/* Every CPU. On: what the rings hold is forgotten. Thread context. */
void trace_all(bool on);

/*
 * Catches the path of the next interrupt whose handler runs for IRQ, on whichever CPU: arm, let it
 * happen, then trace_caught() gives its events (until the next arm). One catcher at a time:
 * -EBUSY. Thread context.
 */
int trace_arm(unsigned int irq);
bool trace_caught(void);
void trace_disarm(void);
/* The caught path, oldest first; returns the number of events; *cpu is where it ran. */
unsigned int trace_path(const struct trace_event **events, unsigned int *cpu);
/* The name of the first action of a line, "-" without one. */
const char *trace_action(unsigned int irq);
/* The function of an event: the callback it is about, else the one that recorded it. */
const char *trace_symbol(const struct trace_event *event);
/* What the event is about (chip, domain or thread) by name, into BUF; NULL: nothing, or it is gone.
 * Under devices_lock(), as the next. */
const char *trace_object(char *buf, size_t size, const struct trace_event *event);
/* What happened there, in words, with its values, into BUF; returns BUF. */
const char *trace_detail(char *buf, size_t size, const struct trace_event *event);
/* Prints the caught path, station by station, for somebody who has never seen one. */
void trace_narrate(void);

#endif

/*
 * What a driver needs: request, enable, wait for an interrupt, and softirqs.
 * (Linux: <linux/interrupt.h>)
 */
#ifndef KERNEL_INTERRUPT_H
#define KERNEL_INTERRUPT_H

#include <kernel/irq.h>

typedef enum irqreturn {
	IRQ_NONE	= 0,
	IRQ_HANDLED	= 1,
	IRQ_WAKE_THREAD	= 2,
} irqreturn_t;

#define IRQ_RETVAL(handled)	((handled) ? IRQ_HANDLED : IRQ_NONE)

typedef irqreturn_t (*irq_handler_t)(int irq, void *dev_id);

enum {
	IRQF_TRIGGER_NONE	= IRQ_TYPE_NONE,
	IRQF_TRIGGER_RISING	= IRQ_TYPE_EDGE_RISING,
	IRQF_TRIGGER_FALLING	= IRQ_TYPE_EDGE_FALLING,
	IRQF_TRIGGER_HIGH	= IRQ_TYPE_LEVEL_HIGH,
	IRQF_TRIGGER_LOW	= IRQ_TYPE_LEVEL_LOW,
	IRQF_TRIGGER_MASK	= 0xf,
	IRQF_SHARED		= 0x80,
	IRQF_PROBE_SHARED	= 0x100,	/* refusal to share is no news */
	__IRQF_TIMER		= 0x200,
	IRQF_PERCPU		= 0x400,
	IRQF_NOBALANCING	= 0x800,
	IRQF_ONESHOT		= 0x2000,	/* masked until the thread has finished */
	IRQF_NO_SUSPEND		= 0x4000,	/* nothing is ever suspended here */
	IRQF_NO_THREAD		= 0x10000,
	IRQF_TIMER		= __IRQF_TIMER | IRQF_NO_SUSPEND | IRQF_NO_THREAD,
	IRQF_NO_AUTOEN		= 0x80000,
	IRQF_COND_ONESHOT	= 0x400000,
};

struct irqaction {
	irq_handler_t handler;
	union {
		void *dev_id;		/* cookie */
		void *percpu_dev_id;	/* per-CPU lines: array of a slot of percpu_size a CPU */
	};
	struct irqaction *next;		/* sharers, in order of registration */
	irq_handler_t thread_fn;
	const char *name;
	unsigned int irq;
	unsigned int flags;
	/* An action that can have no thread, which is most of them, ends here. */
	struct thread *thread;
	struct irqaction *secondary;	/* forced threading: the former thread function */
	unsigned long thread_mask;	/* this sharer's bit in threads_oneshot */
	unsigned int thread_flags;	/* IRQTF_* of internals.h, atomic */
	unsigned int percpu_size;
};

/*
 * Installs HANDLER for IRQ and, for the first, starts the line: set_type if a trigger is known,
 * activate, startup. 0, or -ENOTCONN, -EINVAL, -ENOSYS, -EBUSY, -ENOMEM, or what the chip said
 * (semantics E). The handler runs with irqs off, in irq context, perhaps before this returns.
 * THREAD_FN (may be NULL): a kernel thread runs it after HANDLER returned IRQ_WAKE_THREAD (HANDLER
 * NULL: always; needs IRQF_ONESHOT). Thread context.
 */
int __must_check request_threaded_irq(unsigned int irq, irq_handler_t handler,
				      irq_handler_t thread_fn, unsigned long flags,
				      const char *name, void *dev_id);
static inline int __must_check request_irq(unsigned int irq, irq_handler_t handler,
					   unsigned long flags, const char *name, void *dev_id)
{
	return request_threaded_irq(irq, handler, NULL, flags | IRQF_COND_ONESHOT, name, dev_id);
}
/* For either kind of line; > 0 would mean that HANDLER runs in a thread, as it never does here. */
enum { IRQC_IS_HARDIRQ = 0 };
static inline int __must_check request_any_context_irq(unsigned int irq, irq_handler_t handler,
						       unsigned long flags, const char *name,
						       void *dev_id)
{
	return request_irq(irq, handler, flags, name, dev_id);
}
/*
 * Undoes request_irq() of that cookie: after it returns the handler runs on no CPU and never
 * again. Returns the name given at request, or NULL (with a warning) if DEV_ID is not on the line.
 * Thread context.
 */
const void *free_irq(unsigned int irq, void *dev_id);

/*
 * Lines that each CPU enables for itself (timer, IPIs). PERCPU_DEV_ID is an array of NR_CPUS
 * slots of SIZE bytes: the handler on CPU n gets slot n. Does not enable anything.
 * (Linux's PER-CPU pointers are what the size stands for; see docs/deviations.md)
 */
int __must_check request_percpu_irq_sized(unsigned int irq, irq_handler_t handler,
					  unsigned long flags, const char *name,
					  void *percpu_dev_id, size_t size);
/* FLAGS: 0 or IRQF_TIMER, else -EINVAL. */
#define __request_percpu_irq(irq, handler, flags, name, percpu_dev_id) \
	request_percpu_irq_sized(irq, handler, flags, name, percpu_dev_id, sizeof(*(percpu_dev_id)))
#define request_percpu_irq(irq, handler, name, percpu_dev_id) \
	__request_percpu_irq(irq, handler, 0, name, percpu_dev_id)
void free_percpu_irq(unsigned int irq, void *percpu_dev_id);
/* On the calling CPU; TYPE is applied first unless NONE. Irqs off or pinned thread. */
void enable_percpu_irq(unsigned int irq, unsigned int type);
void disable_percpu_irq(unsigned int irq);
bool irq_percpu_is_enabled(unsigned int irq);

/*
 * Nested: depth counts. enable at depth 0 warns. disable_irq() waits for running handlers and
 * threads, so thread context and not from one of them (warns, returns); _nosync: any context.
 * The hardirq forms wait for hard handlers only, also from an interrupt of another line, and
 * return whether no thread of the line is active. They are false, and true, for no such irq.
 */
void enable_irq(unsigned int irq);
void disable_irq(unsigned int irq);
void disable_irq_nosync(unsigned int irq);
bool disable_hardirq(unsigned int irq);
/* Waits until no handler (and no thread) of the line runs, on any CPU. Thread context. */
void synchronize_irq(unsigned int irq);
bool synchronize_hardirq(unsigned int irq);
void irq_wake_thread(unsigned int irq, void *dev_id);

/* State in the chip hierarchy: 0, -EINVAL if no level can tell, or the chip's error. */
int irq_get_irqchip_state(unsigned int irq, enum irqchip_irq_state which, bool *state);
int irq_set_irqchip_state(unsigned int irq, enum irqchip_irq_state which, bool state);
/* As if the device had interrupted: pending state, else replay. (S-079) */
int irq_inject_interrupt(unsigned int irq);

/* ---- Affinity and CPUs ---------------------------------------------------------------------- */

/* Linux's rules: semantics M. -EINVAL: no such irq, cannot move, no online CPU in MASK. */
int irq_set_affinity(unsigned int irq, const struct cpumask *mask);
int irq_force_affinity(unsigned int irq, const struct cpumask *mask);
/* The user's form: refuses managed and per-CPU lines (-EIO as Linux's procfs). */
int irq_set_affinity_user(unsigned int irq, const struct cpumask *mask);
/* Where the driver wants its line (valid as long as the line is requested; NULL: no wish), shown
 * only; _and_hint and irq_set_affinity_hint() also move it there. 0 or -EINVAL for no such irq. */
int irq_apply_affinity_hint(unsigned int irq, const struct cpumask *mask, bool move);
static inline int irq_update_affinity_hint(unsigned int irq, const struct cpumask *mask)
{
	return irq_apply_affinity_hint(irq, mask, false);
}
static inline int irq_set_affinity_and_hint(unsigned int irq, const struct cpumask *mask)
{
	return irq_apply_affinity_hint(irq, mask, true);
}
#define irq_set_affinity_hint	irq_set_affinity_and_hint
extern struct cpumask irq_default_affinity;
int irq_can_set_affinity(unsigned int irq);

#define IRQ_AFFINITY_MAX_SETS	4

struct irq_affinity {
	unsigned int pre_vectors, post_vectors;	/* not spread, not managed */
	unsigned int nr_sets, set_size[IRQ_AFFINITY_MAX_SETS];
	void (*calc_sets)(struct irq_affinity *affd, unsigned int nvecs);	/* NULL: one set */
	void *priv;
};
struct irq_affinity_desc {
	struct cpumask mask;
	bool is_managed;
};
/* One mask per vector (semantics S-125), to be kfree()d; NULL if none are left to spread. */
struct irq_affinity_desc *irq_create_affinity_masks(unsigned int nvecs, struct irq_affinity *affd);
/* How many of MINVEC … MAXVEC vectors are of use; 0 if the fixed ones are more than MINVEC. */
unsigned int irq_calc_affinity_vectors(unsigned int minvec, unsigned int maxvec,
				       const struct irq_affinity *affd);
/* A CPU leaves: moves or shuts down its lines (irqs off, on that CPU). Comes: restarts managed. */
void irq_migrate_all_off_this_cpu(void);
void irq_affinity_online_cpu(unsigned int cpu);

/* ---- Softirqs: work at the outermost interrupt exit, irqs on, this CPU. --------------------- */

enum { TIMER_SOFTIRQ, NET_RX_SOFTIRQ, IRQ_RESEND_SOFTIRQ, NR_SOFTIRQS };

void open_softirq(unsigned int nr, void (*fn)(void));	/* boot thread, once each */
void raise_softirq(unsigned int nr);			/* any context */
void raise_softirq_irqoff(unsigned int nr);		/* irqs off */
void softirq_init(void);				/* after threads exist */
void do_softirq(void);			/* irq_exit(), cpu_leave() and host port only */
/* A thread keeps softirqs, and other threads, off its CPU; nests. What was raised meanwhile runs
 * in the last enable. Irqs on; must not block in between. */
void local_bh_disable(void);
void local_bh_enable(void);

/* Boot argument threadirqs: hard handlers run in threads, softirqs in ksoftirqd. */
extern bool force_irqthreads_key;
static inline bool force_irqthreads(void) { return force_irqthreads_key; }

#endif

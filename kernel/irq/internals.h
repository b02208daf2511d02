/* Shared by the files of kernel/irq only. */
#ifndef KERNEL_IRQ_INTERNALS_H
#define KERNEL_IRQ_INTERNALS_H

#include <kernel/interrupt.h>
#include <kernel/irqdomain.h>
#include <kernel/printk.h>

/* irq_desc.istate */
enum {
	IRQS_SPURIOUS_DISABLED	= 1 << 1,	/* switched off by the spurious detector */
	IRQS_POLL_INPROGRESS	= 1 << 3,
	IRQS_ONESHOT		= 1 << 5,
	IRQS_REPLAY		= 1 << 6,
	IRQS_TRIM		= 1 << 7,	/* being allocated: some levels are to be cut off */
	IRQS_PENDING		= 1 << 9,
	IRQS_EOI_OWED		= 1 << 15,	/* chip waits for the eoi of a threaded line */
	IRQS_CHAINED		= 1 << 16,	/* the line feeds another controller */
};

/* irqaction.thread_flags: bit numbers */
enum { IRQTF_RUNTHREAD, IRQTF_FORCED_THREAD };
/* irqaction.flags, atomic: it has been said that there is no thread to wake */
#define IRQF_WARNED	(1U << 31)

extern struct irqaction chained_action;	/* the sentinel of a chained line */

/* The line's settings: written locked, read also without. */
static inline bool irq_settings_is(const struct irq_desc *desc, unsigned int bits)
{
	return __atomic_load_n(&desc->status_use_accessors, __ATOMIC_RELAXED) & bits;
}
static inline void irq_settings_change(struct irq_desc *desc, unsigned int clear, unsigned int set)
{
	unsigned int *settings = &desc->status_use_accessors;

	__atomic_store_n(settings, (*settings & ~clear) | set, __ATOMIC_RELAXED);
}

/* Takes desc->lock with irqs off. NULL: no such irq. */
static inline struct irq_desc *irq_get_desc_lock(unsigned int irq, unsigned long *flags)
{
	struct irq_desc *desc = irq_to_desc(irq);

	if (desc)
		*flags = spin_lock_irqsave(&desc->lock);
	return desc;
}
static inline void irq_put_desc_unlock(struct irq_desc *desc, unsigned long flags)
{
	spin_unlock_irqrestore(&desc->lock, flags);
}

/* A chip behind a slow bus collects what it is told and sends it at the unlock: that lock
 * is taken outside of desc->lock, so thread context where there is one. NULL also for a line that
 * is not of the KIND: per-CPU (devid) or not. */
static inline void chip_bus_lock(struct irq_desc *desc)
{
	if (desc->irq_data.chip->irq_bus_lock)
		desc->irq_data.chip->irq_bus_lock(&desc->irq_data);
}
static inline void chip_bus_sync_unlock(struct irq_desc *desc)
{
	if (desc->irq_data.chip->irq_bus_sync_unlock)
		desc->irq_data.chip->irq_bus_sync_unlock(&desc->irq_data);
}
enum irq_desc_kind { IRQ_DESC_ANY, IRQ_DESC_GLOBAL, IRQ_DESC_PERCPU };
static inline struct irq_desc *irq_get_desc_buslock(unsigned int irq, unsigned long *flags,
						    enum irq_desc_kind kind)
{
	struct irq_desc *desc = irq_to_desc(irq);

	if (!desc || (kind != IRQ_DESC_ANY &&
		      irq_settings_is(desc, IRQ_PER_CPU_DEVID) != (kind == IRQ_DESC_PERCPU)))
		return NULL;
	chip_bus_lock(desc);
	*flags = spin_lock_irqsave(&desc->lock);
	return desc;
}

static inline void irq_put_desc_busunlock(struct irq_desc *desc, unsigned long flags)
{
	spin_unlock_irqrestore(&desc->lock, flags);
	chip_bus_sync_unlock(desc);
}

/* irqdesc.c. Thread. As irq_alloc_descs(), with a mask for each descriptor (or NULL), and in each
 * an irq_data for D and for every parent of it (NULL: for none). */
int irq_alloc_descs_affinity(int irq, unsigned int from, unsigned int cnt, struct irq_domain *d,
			     const struct irq_affinity_desc *affinity);
/* The lowest free numbers that are a row, up to MAX of them: how many, from *START on. */
unsigned int irq_alloc_row(unsigned int max, struct irq_domain *d, unsigned int *start);
/* Where in a descriptor level N lies, if N < desc->nr_levels. */
static inline size_t irq_desc_level_offset(unsigned int n)
{
	return offsetof(struct irq_desc, kstat_irqs) + ALIGN_UP(nr_cpu_ids, 2U) * sizeof(int) +
	       n * sizeof(struct irq_data);
}
static inline struct irq_data *irq_desc_level(struct irq_desc *desc, unsigned int n)
{
	return (struct irq_data *)((char *)desc + irq_desc_level_offset(n));
}

/* startup.c: masking is cached (S-098). Locked. */
enum { IRQ_NORESEND, IRQ_RESEND };
int irq_startup(struct irq_desc *desc, bool resend);
/* A managed line is activated when a CPU of its mask is there. */
static inline int irq_activate(struct irq_desc *desc)
{
	return irqd_test(&desc->irq_data, IRQD_AFFINITY_MANAGED | IRQD_ACTIVATED)
			? 0 : irq_domain_activate_irq(&desc->irq_data, false);
}
int irq_activate_and_startup(struct irq_desc *desc, bool resend);
void irq_shutdown(struct irq_desc *desc);
void irq_shutdown_and_deactivate(struct irq_desc *desc);
void irq_startup_managed(struct irq_desc *desc);
void irq_enable(struct irq_desc *desc);
void irq_disable(struct irq_desc *desc);
void mask_irq(struct irq_desc *desc);
void unmask_irq(struct irq_desc *desc);
void unmask_threaded_irq(struct irq_desc *desc);
void mask_ack_irq(struct irq_desc *desc);

/* enable.c. Locked; synchronize_hw(): thread, waits for handlers and the chip's active state. */
bool synchronize_hw(struct irq_desc *desc, bool ask_chip);
int __irq_set_trigger(struct irq_desc *desc, unsigned int type);
void __enable_irq(struct irq_desc *desc);
int __irq_get_irqchip_state(struct irq_data *d, enum irqchip_irq_state which, bool *state);

/* affinity.c. Locked. */
int irq_setup_affinity(struct irq_desc *desc);
int irq_set_affinity_locked(struct irq_data *d, const struct cpumask *mask, bool force);
int irq_do_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force);

/* resend.c. Locked. */
int check_irq_resend(struct irq_desc *desc, bool inject);
void clear_irq_resend(struct irq_desc *desc);

/* spurious.c. Locked / unlocked. */
void note_interrupt(struct irq_desc *desc, irqreturn_t ret);
bool irq_wait_for_poll(struct irq_desc *desc);

/* irqthread.c */
int irq_setup_forced_threading(struct irqaction *action);
/* Threads of the action and of its secondary: none if it has no thread function. Thread. */
int irq_threads_create(struct irqaction *action);
void irq_threads_stop(struct irqaction *action);
void irq_free_action(struct irqaction *action);
void __irq_wake_thread(struct irq_desc *desc, struct irqaction *action);
irqreturn_t irq_default_primary_handler(int irq, void *dev_id);
void irq_wait_threads(struct irq_desc *desc);	/* thread; until none of its threads runs */

/* manage.c. Thread. What request_irq() does with an action; percpu.c uses it too. */
int irq_setup_action(struct irq_desc *desc, struct irqaction *new);
void irq_release_line(struct irq_desc *desc);	/* its last action is gone */

/* handle.c. Unlocked. */
irqreturn_t __handle_irq_event_percpu(struct irq_desc *desc);

/* flow.c. Locked; drops the lock for the handlers. */
irqreturn_t handle_irq_event(struct irq_desc *desc);
void edge_the_long_way(struct irq_desc *desc);
void edge_again(struct irq_desc *desc);		/* another edge came while the handlers ran */
void fasteoi_the_long_way(struct irq_desc *desc);

/* The detector only needs to see lines that misbehave or have done so. Unlocked. */
static __always_inline void judge_event(struct irq_desc *desc, irqreturn_t ret)
{
	if (unlikely(ret != IRQ_HANDLED || desc->irqs_unhandled))
		note_interrupt(desc, ret);
}

static __always_inline void kstat_incr_irqs_this_cpu(struct irq_desc *desc)
{
	desc->kstat_irqs[smp_processor_id()]++;
	desc->tot_count++;
}

/* The line's state, without the way to it by irq_data.common. */
static __always_inline u32 desc_state(const struct irq_desc *desc)
{
	return __atomic_load_n(&desc->irq_common_data.state_use_accessors, __ATOMIC_RELAXED);
}
/* Sets what is clear and clears what is set: one constant for both, and a short one. Locked. */
static __always_inline void desc_toggle_inprogress(struct irq_desc *desc)
{
	__atomic_store_n(&desc->irq_common_data.state_use_accessors,
			 desc_state(desc) ^ IRQD_IRQ_INPROGRESS, __ATOMIC_RELAXED);
}

#endif

/*
 * The irq core's objects, as in Linux's <linux/irq.h>, <linux/irqdesc.h>, <linux/irqhandler.h>.
 *
 *   irq        the kernel's number of an interrupt; 0 is none
 *   hwirq      a controller's own number of one of its inputs
 *   irq_desc   one per irq: flow handler, actions, depth, counts, lock
 *   irq_data   one per irq and controller on its way: (domain, hwirq, chip), chained by
 *              parent_data from the device's side to the root; the outermost sits in the irq_desc
 *   irq_common_data   one per irq, shared by all its irq_data: state, affinity, msi_desc
 *   irq_chip   what a controller can do, called with an irq_data of its own level
 *
 * Contexts: "locked" = desc->lock held, irqs off. Chip callbacks run locked unless said otherwise.
 */
#ifndef KERNEL_IRQ_H
#define KERNEL_IRQ_H

#include <kernel/cpumask.h>
#include <kernel/fwnode.h>
#include <kernel/spinlock.h>
#include <kernel/thread.h>
#include <lib/bitmap.h>
#include <lib/errno.h>

#define NR_IRQS		4096		/* irq numbers 1 .. NR_IRQS - 1 */
#define IRQ_NOTCONNECTED (1U << 31)

struct irq_data;
struct diagnosis;
struct irq_desc;
struct irq_domain;
struct irqaction;
struct msi_desc;
struct msi_msg;
struct pt_regs;

typedef void (*irq_flow_handler_t)(struct irq_desc *desc);

/* ---- Trigger types and line settings (desc->status_use_accessors) --------------------------- */

enum {
	IRQ_TYPE_NONE		= 0,
	IRQ_TYPE_EDGE_RISING	= 1,
	IRQ_TYPE_EDGE_FALLING	= 2,
	IRQ_TYPE_EDGE_BOTH	= 3,
	IRQ_TYPE_LEVEL_HIGH	= 4,
	IRQ_TYPE_LEVEL_LOW	= 8,
	IRQ_TYPE_LEVEL_MASK	= 12,
	IRQ_TYPE_SENSE_MASK	= 15,

	IRQ_LEVEL		= 1 << 8,	/* follows the type by set_type */
	IRQ_PER_CPU		= 1 << 9,
	IRQ_NOPROBE		= 1 << 10,
	IRQ_NOREQUEST		= 1 << 11,	/* request_irq() gives -EINVAL */
	IRQ_NOAUTOEN		= 1 << 12,	/* request does not start it */
	IRQ_NO_BALANCING	= 1 << 13,	/* affinity cannot be set */
	IRQ_NESTED_THREAD	= 1 << 15,
	IRQ_NOTHREAD		= 1 << 16,
	IRQ_PER_CPU_DEVID	= 1 << 17,
	IRQ_IS_POLLED		= 1 << 18,
	IRQ_DISABLE_UNLAZY	= 1 << 19,
	IRQ_HIDDEN		= 1 << 20,
};
#define IRQF_MODIFY_MASK (IRQ_TYPE_SENSE_MASK | IRQ_NOPROBE | IRQ_NOREQUEST | IRQ_NOAUTOEN |	\
	IRQ_LEVEL | IRQ_NO_BALANCING | IRQ_PER_CPU | IRQ_NESTED_THREAD | IRQ_NOTHREAD |		\
	IRQ_PER_CPU_DEVID | IRQ_IS_POLLED | IRQ_DISABLE_UNLAZY | IRQ_HIDDEN)

/* ---- State of a line (irq_common_data.state_use_accessors) ---------------------------------- */

enum {
	IRQD_TRIGGER_MASK		= 0xf,
	IRQD_SETAFFINITY_PENDING	= 1 << 8,
	IRQD_ACTIVATED			= 1 << 9,
	IRQD_NO_BALANCING		= 1 << 10,
	IRQD_PER_CPU			= 1 << 11,
	IRQD_AFFINITY_SET		= 1 << 12,
	IRQD_LEVEL			= 1 << 13,
	IRQD_IRQ_DISABLED		= 1 << 16,
	IRQD_IRQ_MASKED			= 1 << 17,
	IRQD_IRQ_INPROGRESS		= 1 << 18,
	IRQD_AFFINITY_MANAGED		= 1 << 21,
	IRQD_IRQ_STARTED		= 1 << 22,
	IRQD_MANAGED_SHUTDOWN		= 1 << 23,
	IRQD_SINGLE_TARGET		= 1 << 24,
	IRQD_DEFAULT_TRIGGER_SET	= 1 << 25,
	IRQD_HANDLE_ENFORCE_IRQCTX	= 1 << 27,
	IRQD_AFFINITY_ON_ACTIVATE	= 1 << 28,
	IRQD_RESEND_WHEN_IN_PROGRESS	= 1 << 30,
};

struct irq_common_data {
	u32 state_use_accessors;
	struct cpumask affinity;		/* as requested */
	struct cpumask effective_affinity;	/* where the chip really delivers */
	void *handler_data;			/* of the flow handler: a chained chip's own */
	struct msi_desc *msi_desc;
};

struct irq_data {
	u32 mask;			/* this line's bit in a generic chip's registers */
	unsigned int irq;
	irq_hw_number_t hwirq;		/* in this level's domain */
	struct irq_common_data *common;
	const struct irq_chip *chip;
	struct irq_domain *domain;
	struct irq_data *parent_data;	/* one level nearer to the CPU; NULL at the root */
	void *chip_data;
};

/* ---- irq_chip ------------------------------------------------------------------------------- */

/* What set_affinity and set_type return: the core copies the value / it is set / chip copied it. */
enum {
	IRQ_SET_MASK_OK = 0,		/* core updates the affinity or the type */
	IRQ_SET_MASK_OK_NOCOPY,		/* chip has updated it */
	IRQ_SET_MASK_OK_DONE,		/* as OK, and no level outside needs to do anything */
};

enum irqchip_irq_state {
	IRQCHIP_STATE_PENDING,
	IRQCHIP_STATE_ACTIVE,
	IRQCHIP_STATE_MASKED,
	IRQCHIP_STATE_LINE_LEVEL,
};

/* irq_chip.flags */
enum {
	IRQCHIP_SET_TYPE_MASKED		= 1 << 0,	/* mask round set_type */
	IRQCHIP_EOI_IF_HANDLED		= 1 << 1,
	IRQCHIP_ONESHOT_SAFE		= 1 << 5,
	IRQCHIP_EOI_THREADED		= 1 << 6,
	IRQCHIP_SUPPORTS_LEVEL_MSI	= 1 << 7,	/* sends a message at either edge */
	IRQCHIP_AFFINITY_PRE_STARTUP	= 1 << 10,
	IRQCHIP_IMMUTABLE		= 1 << 11,
	IRQCHIP_MOVE_DEFERRED		= 1 << 12,	/* moves only inside its own interrupt */
};

/*
 * A controller's callbacks; every one may be NULL unless the flow handler in use needs it. Locked,
 * irqs off, except irq_bus_*, irq_request/release_resources (threads) and ipi_send_*. D is the
 * irq_data of the chip's own level. Names and meaning are Linux's.
 */
struct irq_chip {
	const char *name;
	unsigned int (*irq_startup)(struct irq_data *d);	/* else irq_enable, else unmask */
	void (*irq_shutdown)(struct irq_data *d);		/* else irq_disable, else mask */
	void (*irq_enable)(struct irq_data *d);
	void (*irq_disable)(struct irq_data *d);		/* NULL: disabling is lazy */
	void (*irq_ack)(struct irq_data *d);
	void (*irq_mask)(struct irq_data *d);
	void (*irq_mask_ack)(struct irq_data *d);
	void (*irq_unmask)(struct irq_data *d);
	void (*irq_eoi)(struct irq_data *d);
	/* DEST: requested and online; non-empty unless FORCE. IRQ_SET_MASK_* or errno; updates the
	 * effective affinity itself. */
	int (*irq_set_affinity)(struct irq_data *d, const struct cpumask *dest, bool force);
	int (*irq_retrigger)(struct irq_data *d);		/* non-zero: done */
	int (*irq_set_type)(struct irq_data *d, unsigned int type);
	void (*irq_bus_lock)(struct irq_data *d);
	void (*irq_bus_sync_unlock)(struct irq_data *d);
	int (*irq_request_resources)(struct irq_data *d);
	void (*irq_release_resources)(struct irq_data *d);
	/* A chip with this receives messages; a chip with the next sends them. */
	void (*irq_compose_msi_msg)(struct irq_data *d, struct msi_msg *msg);
	void (*irq_write_msi_msg)(struct irq_data *d, struct msi_msg *msg);
	int (*irq_get_irqchip_state)(struct irq_data *d, enum irqchip_irq_state which, bool *state);
	int (*irq_set_irqchip_state)(struct irq_data *d, enum irqchip_irq_state which, bool state);
	void (*ipi_send_single)(struct irq_data *d, unsigned int cpu);
	void (*ipi_send_mask)(struct irq_data *d, const struct cpumask *dest);
	/* Not Linux's: tells diagnose() of this level's links; see <kernel/diagnose.h>. Unlocked,
	 * irqs on. */
	void (*irq_diagnose)(struct irq_data *d, struct diagnosis *dx);
	unsigned long flags;
};

/* The placeholder of a line that has no controller yet, and one for software-only lines. */
extern const struct irq_chip no_irq_chip, dummy_irq_chip;

/* ---- State accessors. Locked, unless only reading for display. ------------------------------ */

/* Written locked; atomic because some are looked at without the lock. */
static __always_inline bool irqd_test(const struct irq_data *d, u32 bits)
{
	return __atomic_load_n(&d->common->state_use_accessors, __ATOMIC_RELAXED) & bits;
}
static __always_inline void irqd_change(struct irq_data *d, u32 clear, u32 set)
{
	u32 *state = &d->common->state_use_accessors;

	__atomic_store_n(state, (*state & ~clear) | set, __ATOMIC_RELAXED);
}
static __always_inline void irqd_set(struct irq_data *d, u32 bits) { irqd_change(d, 0, bits); }
static __always_inline void irqd_clear(struct irq_data *d, u32 bits) { irqd_change(d, bits, 0); }
static inline u32 irqd_get_trigger_type(const struct irq_data *d)
{
	return __atomic_load_n(&d->common->state_use_accessors, __ATOMIC_RELAXED) &
	       IRQD_TRIGGER_MASK;
}
static inline void irqd_set_trigger_type(struct irq_data *d, u32 type)
{
	irqd_clear(d, IRQD_TRIGGER_MASK);
	irqd_set(d, (type & IRQD_TRIGGER_MASK) | IRQD_DEFAULT_TRIGGER_SET);
}
#define DEFINE_IRQD_TEST(name, bit) \
	static __always_inline bool name(const struct irq_data *d) { return irqd_test(d, bit); }
DEFINE_IRQD_TEST(irqd_is_setaffinity_pending, IRQD_SETAFFINITY_PENDING)
DEFINE_IRQD_TEST(irqd_is_activated, IRQD_ACTIVATED)
DEFINE_IRQD_TEST(irqd_is_per_cpu, IRQD_PER_CPU)
DEFINE_IRQD_TEST(irqd_affinity_was_set, IRQD_AFFINITY_SET)
DEFINE_IRQD_TEST(irqd_is_level_type, IRQD_LEVEL)
DEFINE_IRQD_TEST(irqd_irq_disabled, IRQD_IRQ_DISABLED)
DEFINE_IRQD_TEST(irqd_irq_masked, IRQD_IRQ_MASKED)
DEFINE_IRQD_TEST(irqd_irq_inprogress, IRQD_IRQ_INPROGRESS)
DEFINE_IRQD_TEST(irqd_affinity_is_managed, IRQD_AFFINITY_MANAGED)
DEFINE_IRQD_TEST(irqd_is_started, IRQD_IRQ_STARTED)
DEFINE_IRQD_TEST(irqd_is_managed_and_shutdown, IRQD_MANAGED_SHUTDOWN)
DEFINE_IRQD_TEST(irqd_is_single_target, IRQD_SINGLE_TARGET)
DEFINE_IRQD_TEST(irqd_is_handle_enforce_irqctx, IRQD_HANDLE_ENFORCE_IRQCTX)
DEFINE_IRQD_TEST(irqd_affinity_on_activate, IRQD_AFFINITY_ON_ACTIVATE)
DEFINE_IRQD_TEST(irqd_needs_resend_when_in_progress, IRQD_RESEND_WHEN_IN_PROGRESS)
DEFINE_IRQD_TEST(irqd_trigger_type_was_set, IRQD_DEFAULT_TRIGGER_SET)
static inline void irqd_set_single_target(struct irq_data *d) { irqd_set(d, IRQD_SINGLE_TARGET); }
static inline void irqd_set_affinity_on_activate(struct irq_data *d)
{
	irqd_set(d, IRQD_AFFINITY_ON_ACTIVATE);
}
/* A fasteoi edge that can arrive elsewhere while it is being handled: once more afterwards. */
#define irqd_set_resend_when_in_progress(d)	irqd_set(d, IRQD_RESEND_WHEN_IN_PROGRESS)
static inline void irqd_set_handle_enforce_irqctx(struct irq_data *d)
{
	irqd_set(d, IRQD_HANDLE_ENFORCE_IRQCTX);
}
static inline irq_hw_number_t irqd_to_hwirq(const struct irq_data *d) { return d->hwirq; }

static inline const struct cpumask *irq_data_get_affinity_mask(const struct irq_data *d)
{
	return &d->common->affinity;
}
static inline const struct cpumask *irq_data_get_effective_affinity_mask(const struct irq_data *d)
{
	return &d->common->effective_affinity;
}
static inline void irq_data_update_affinity(struct irq_data *d, const struct cpumask *m)
{
	cpumask_copy(&d->common->affinity, m);
}
static inline void irq_data_update_effective_affinity(struct irq_data *d, const struct cpumask *m)
{
	cpumask_copy(&d->common->effective_affinity, m);
}

/* A chip's ack or eoi calls it where moves are deferred: does the parked move now. (S-122) */
void irq_move_irq(struct irq_data *d);
void irq_move_masked_irq(struct irq_data *d);

#include <kernel/irqdesc.h>

#endif

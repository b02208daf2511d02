/*
 * struct irq_desc and what is done with whole lines: allocate, set up, deliver, check.
 * Included by <kernel/irq.h>. (Linux: <linux/irqdesc.h>)
 */
#ifndef KERNEL_IRQDESC_H
#define KERNEL_IRQDESC_H

#include <kernel/irq.h>

struct irq_desc {
	/* What every interrupt touches comes first. */
	spinlock_t lock;
	unsigned int istate;		/* IRQS_*: the core's own, <kernel/irq/internals.h> */
	unsigned int depth;		/* disables that are not undone; 1 when fresh */
	irq_flow_handler_t handle_irq;
	struct irqaction *action;
	struct irq_common_data irq_common_data;
	struct irq_data irq_data;
	unsigned int status_use_accessors;
	unsigned int tot_count;
	unsigned int irq_count, irqs_unhandled;	/* the spurious detector's window */
	u64 last_unhandled;		/* ns */
	unsigned int threads_handled_last;
	unsigned int threads_handled;
	unsigned long threads_oneshot;	/* sharers whose thread must finish before unmask */
	unsigned int threads_active;
	unsigned int nr_levels;		/* irq_data that lie behind kstat_irqs */
	union {
		struct cpumask pending_mask;	/* a move parked for the next interrupt */
		struct cpumask percpu_enabled;	/* of a per-CPU (devid) line: who enabled it */
	};
	const struct cpumask *affinity_hint;	/* where its driver wants it; may be NULL */
	struct mutex request_mutex;	/* request and free of this line, one at a time */
	const char *name;		/* of the flow: "edge" */
	unsigned int kstat_irqs[];	/* per CPU: interrupts taken */
};

/* Boot thread, before the first controller: softirq of the replay, boot argument threadirqs. */
void irq_init(void);
void irq_resend_init(void);

/* ---- From one object to the other. Any context. --------------------------------------------- */

extern struct irq_desc *irq_desc_table[NR_IRQS];

static __always_inline struct irq_desc *irq_to_desc(unsigned int irq)
{
	return irq < NR_IRQS ? load_pointer(&irq_desc_table[irq]) : NULL;
}
static __always_inline struct irq_desc *irq_data_to_desc(const struct irq_data *d)
{
	return container_of(d->common, struct irq_desc, irq_common_data);
}
static inline struct irq_data *irq_get_irq_data(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc ? &desc->irq_data : NULL;
}
static inline unsigned int irq_desc_get_irq(struct irq_desc *desc) { return desc->irq_data.irq; }
static inline struct irq_data *irq_desc_get_irq_data(struct irq_desc *desc)
{
	return &desc->irq_data;
}
static inline const struct irq_chip *irq_desc_get_chip(struct irq_desc *desc)
{
	return desc->irq_data.chip;
}
static inline void *irq_desc_get_handler_data(struct irq_desc *desc)
{
	return desc->irq_common_data.handler_data;
}
static inline void *irq_data_get_irq_chip_data(const struct irq_data *d) { return d->chip_data; }
static inline void *irq_desc_get_chip_data(struct irq_desc *desc)
{
	return desc->irq_data.chip_data;
}
static inline const struct irq_chip *irq_data_get_irq_chip(const struct irq_data *d)
{
	return d->chip;
}
static inline void *irq_data_get_irq_handler_data(const struct irq_data *d)
{
	return d->common->handler_data;
}
static inline u32 irq_get_trigger_type(unsigned int irq)
{
	struct irq_data *d = irq_get_irq_data(irq);

	return d ? irqd_get_trigger_type(d) : 0;
}
static inline bool irq_desc_has_action(struct irq_desc *desc) { return desc->action != NULL; }
static inline bool irq_has_action(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc && irq_desc_has_action(desc);
}
const struct irq_chip *irq_get_chip(unsigned int irq);
void *irq_get_chip_data(unsigned int irq);
void *irq_get_handler_data(unsigned int irq);
struct msi_desc *irq_get_msi_desc(unsigned int irq);
static inline struct msi_desc *irq_data_get_msi_desc(const struct irq_data *d)
{
	return d->common->msi_desc;
}

/* ---- Descriptors. Threads. ------------------------------------------------------------------ */

/*
 * CNT consecutive free numbers at or above FROM; IRQ >= 0 asks for exactly that number. Returns
 * the first, or -EEXIST (taken), -EINVAL (CNT 0, IRQ below FROM), -ENOSPC, -ENOMEM. (S-001, S-004)
 */
int irq_alloc_descs(int irq, unsigned int from, unsigned int cnt, int node);
static inline int irq_alloc_descs_from(unsigned int from, unsigned int cnt, int node)
{
	return irq_alloc_descs(-1, from, cnt, node);
}
static inline int irq_alloc_desc_from(unsigned int from, int node)
{
	return irq_alloc_descs_from(from, 1, node);
}
static inline int irq_alloc_desc_at(unsigned int at, int node)
{
	return irq_alloc_descs(at, at, 1, node);
}
static inline int irq_alloc_desc(int node) { return irq_alloc_desc_from(1, node); }
/* Frees them. Nobody may still use them: actions freed, domains dissociated. */
void irq_free_descs(unsigned int irq, unsigned int cnt);
static inline void irq_free_desc(unsigned int irq) { irq_free_descs(irq, 1); }
/* The first allocated irq >= FROM, or NR_IRQS. */
unsigned int irq_get_next_irq(unsigned int from);
#define for_each_irq(irq) \
	for ((irq) = irq_get_next_irq(1); (irq) < NR_IRQS; (irq) = irq_get_next_irq((irq) + 1))

/* ---- Setting a line up. Thread context; each takes desc->lock. ------------------------------ */

int irq_set_chip(unsigned int irq, const struct irq_chip *chip);
int irq_set_chip_data(unsigned int irq, void *data);
int irq_set_handler_data(unsigned int irq, void *data);
int irq_set_msi_desc(unsigned int irq, struct msi_desc *desc);
/* Programs the type now; see semantics F. Errors of the chip; -EINVAL for no such irq. */
int irq_set_irq_type(unsigned int irq, unsigned int type);
/* NULL for HANDLE removes (S-007). */
void irq_set_handler(unsigned int irq, irq_flow_handler_t handle);
void __irq_set_handler(unsigned int irq, irq_flow_handler_t handle, int is_chained,
		       const char *name);
void irq_set_chip_and_handler_name(unsigned int irq, const struct irq_chip *chip,
				   irq_flow_handler_t handle, const char *name);
static inline void irq_set_chip_and_handler(unsigned int irq, const struct irq_chip *chip,
					    irq_flow_handler_t handle)
{
	irq_set_chip_and_handler_name(irq, chip, handle, NULL);
}
/* Makes the line another controller's input and starts it at once (S-109). DATA is what the flow
 * gets by irq_desc_get_handler_data(). */
void irq_set_chained_handler_and_data(unsigned int irq, irq_flow_handler_t handle, void *data);
static inline void irq_set_chained_handler(unsigned int irq, irq_flow_handler_t handle)
{
	irq_set_chained_handler_and_data(irq, handle, irq_get_handler_data(irq));
}
void irq_modify_status(unsigned int irq, unsigned long clr, unsigned long set);
static inline void irq_set_status_flags(unsigned int irq, unsigned long set)
{
	irq_modify_status(irq, 0, set);
}
static inline void irq_clear_status_flags(unsigned int irq, unsigned long clr)
{
	irq_modify_status(irq, clr, 0);
}
static inline void irq_set_noprobe(unsigned int irq) { irq_modify_status(irq, 0, IRQ_NOPROBE); }
static inline void irq_set_probe(unsigned int irq) { irq_modify_status(irq, IRQ_NOPROBE, 0); }
static inline void irq_set_nothread(unsigned int irq) { irq_modify_status(irq, 0, IRQ_NOTHREAD); }
static inline void irq_set_thread(unsigned int irq) { irq_modify_status(irq, IRQ_NOTHREAD, 0); }
/* A line that each CPU enables for itself; -EINVAL for no such irq, or if it is one. */
int irq_set_percpu_devid(unsigned int irq);

/* ---- Flow handlers: what happens around the action. Irq context, irqs off. ------------------ */

void handle_level_irq(struct irq_desc *desc);	/* mask+ack, action, unmask (S-083) */
void handle_edge_irq(struct irq_desc *desc);	/* ack, action, again while pending (S-091) */
void handle_fasteoi_irq(struct irq_desc *desc);	/* action, eoi (S-088) */
void handle_simple_irq(struct irq_desc *desc);	/* action only (S-094) */
void handle_percpu_irq(struct irq_desc *desc);	/* ack, action, eoi; no lock (S-095) */
void handle_percpu_devid_irq(struct irq_desc *desc);	/* with this CPU's cookie (S-096) */
void handle_bad_irq(struct irq_desc *desc);	/* counts and reports (S-006) */

/* ---- Delivery ------------------------------------------------------------------------------- */

/*
 * The architecture's up-call for an interrupt. The root chip sets it once: 0, or -EBUSY if there
 * is one already.
 */
int set_handle_irq(void (*handler)(struct pt_regs *regs));
void irq_enter(void);
/* Runs softirqs and switches threads if this is the outermost level. */
void irq_exit(void);

static __always_inline void generic_handle_irq_desc(struct irq_desc *desc)
{
	desc->handle_irq(desc);
}
/* By number: 0, -EINVAL for no such irq, -EPERM outside irq context where that is enforced. */
int generic_handle_irq(unsigned int irq);
int generic_handle_irq_safe(unsigned int irq);		/* irqs on or off */

/* A chained flow handler begins and ends with these (S-110). Inline: part of the hot path. */
void chained_irq_enter_slow(const struct irq_chip *chip, struct irq_desc *desc);
void chained_irq_exit_slow(const struct irq_chip *chip, struct irq_desc *desc);
static __always_inline void chained_irq_enter(const struct irq_chip *chip, struct irq_desc *desc)
{
	if (unlikely(this_cpu()->trace_on || !chip->irq_eoi))
		chained_irq_enter_slow(chip, desc);
}
static __always_inline void chained_irq_exit(const struct irq_chip *chip, struct irq_desc *desc)
{
	if (unlikely(this_cpu()->trace_on || !chip->irq_eoi))
		chained_irq_exit_slow(chip, desc);
	else
		chip->irq_eoi(&desc->irq_data);
}

/* ---- Introspection -------------------------------------------------------------------------- */

/* Checks descriptor <=> irq_data chain <=> reverse maps <=> mapcounts <=> registered checkers.
 * Calls REPORT once per violation; returns their number. Thread context. */
unsigned int irq_check(void (*report)(void *arg, const char *text), void *arg);
/* A controller adds its own invariants (matrix bits, vector tables); returns their violations. */
typedef unsigned int (*irq_check_fn)(void (*report)(void *arg, const char *text), void *arg);
void irq_check_register(irq_check_fn fn);
/* "edge", "fasteoi", … as the shell prints it; "edge-rising", …; for words of state see debug.c */
const char *irq_flow_name(const struct irq_desc *desc);
const char *irq_type_name(unsigned int type);

#include <kernel/irqaccess.h>

#endif

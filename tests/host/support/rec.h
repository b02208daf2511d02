/*
 * Recorders: chips and domains whose callbacks append a word to one log, and what most tests of
 * the irq core share.
 *
 *	rec-chip	rec_chip(R_MASK | R_UNMASK): "mask", "unmask"; of a stack "leaf.mask"
 *	rec-dom		rec_domain(): "map(5)", "unmap(5)"
 *	3-stack		rec_stack(): leaf -> middle -> root, hwirqs 1000 and 100 above the leaf's
 */
#ifndef TESTS_HOST_REC_H
#define TESTS_HOST_REC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <host.h>
#include <kernel/interrupt.h>
#include <kernel/irqdomain.h>

/* ---- The log --------------------------------------------------------------------------------- */

void rec(const char *fmt, ...) __printf(1, 2);	/* appends a word; any OS thread */
const char *rec_take(void);			/* the log since the last take, words by one space */
#define assert_rec(expected)	assert_string_equal(rec_take(), expected)

/* ---- Chips ----------------------------------------------------------------------------------- */

enum {
	R_STARTUP = 1 << 0, R_SHUTDOWN = 1 << 1, R_ENABLE = 1 << 2, R_DISABLE = 1 << 3,
	R_ACK = 1 << 4, R_MASK = 1 << 5, R_MASK_ACK = 1 << 6, R_UNMASK = 1 << 7, R_EOI = 1 << 8,
	R_AFFINITY = 1 << 9, R_RETRIGGER = 1 << 10, R_TYPE = 1 << 11, R_RESOURCES = 1 << 12,
	R_COMPOSE = 1 << 13, R_WRITE = 1 << 14, R_STATE = 1 << 15, R_BUS = 1 << 16,
	R_LEVEL = R_MASK | R_UNMASK | R_ACK,
	R_EDGE = R_ACK | R_MASK | R_UNMASK,
	R_FASTEOI = R_MASK | R_UNMASK | R_EOI,
};

/* What the callbacks of every recording chip return, and the states they know. */
extern struct rec_results {
	int set_type, set_affinity, retrigger, resources;
	bool no_effective;		/* set_affinity leaves the effective mask alone */
	bool pending, active;
	int state;			/* of get/set_irqchip_state */
	void (*on_startup)(struct irq_data *d);
} rec_results;

/* A chip with those callbacks; valid until the test ends. */
struct irq_chip *rec_chip(unsigned int callbacks);

/* ---- Domains --------------------------------------------------------------------------------- */

extern struct rec_domain_results {
	int map, alloc, activate;	/* what the callback returns */
	const char *at;			/* alloc, activate: only at the level of that name */
} rec_domain_results;

extern const struct irq_domain_ops rec_ops;	/* map: rec_map_chip, rec_map_flow */
extern const struct irq_chip *rec_map_chip;
extern irq_flow_handler_t rec_map_flow;

struct irq_domain *rec_domain(unsigned int linear);	/* linear size, 0: a tree */

struct rec_stack {
	struct fwnode_handle *fwnode[3];
	struct irq_domain *leaf, *middle, *root;
	struct irq_chip *chip[3];		/* of each level; R_* callbacks */
};
void rec_stack(struct rec_stack *s, unsigned int leaf, unsigned int middle, unsigned int root);

/* ---- Lines ----------------------------------------------------------------------------------- */

/* A line with that chip and flow, in no domain. */
unsigned int rec_line(const struct irq_chip *chip, irq_flow_handler_t flow);
/* The same, requested for rec_handler or for that HANDLER; what was logged meanwhile is taken. */
unsigned int rec_started(const struct irq_chip *chip, irq_flow_handler_t flow);
unsigned int rec_started_by(irq_handler_t handler, const struct irq_chip *chip,
			    irq_flow_handler_t flow);

/* Handlers: "H", "H2" by the cookie; what they return. */
extern irqreturn_t rec_ret;
irqreturn_t rec_handler(int irq, void *dev_id);
irqreturn_t rec_thread(int irq, void *dev_id);

/* Delivers as an interrupt would: enter, flow, exit. */
void raise_irq(unsigned int irq);
int raise_hwirq(struct irq_domain *d, irq_hw_number_t hwirq);

/* ---- Fixture --------------------------------------------------------------------------------- */

int rec_setup(void **state);		/* host_init(4), everything of this file as new */
#define T(fn)	cmocka_unit_test_setup(fn, rec_setup)

/* True if TEXT was logged since the last call of host_printk(). */
bool logged(const char *text);
/*
 * Runs FN with the first, second … allocation failing, until a run needs no more: their number. FN
 * undoes what it did, so live bytes are the same after each run, and returns whether it succeeded.
 */
unsigned int fail_each(bool (*fn)(void *arg), void *arg);

#endif

/* Recorders: see rec.h. */
#include <kernel/irqdesc.h>
#include <kernel/msi.h>
#include <kernel/printk.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "model.h"
#include "rec.h"

/* ---- The log --------------------------------------------------------------------------------- */

static char log_text[2][16384];
static unsigned int log_now;
static size_t log_used;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

void rec(const char *fmt, ...)
{
	char *at;
	size_t room;
	va_list args;

	pthread_mutex_lock(&log_lock);
	at = log_text[log_now] + log_used;
	room = sizeof(log_text[0]) - log_used;
	if (room > 100) {
		size_t n = log_used ? snprintf(at, room, " ") : 0;

		va_start(args, fmt);
		n += vsnprintf(at + n, room - n, fmt, args);
		va_end(args);
		log_used += n;
	}
	pthread_mutex_unlock(&log_lock);
}

const char *rec_take(void)
{
	const char *text = log_text[log_now];

	pthread_mutex_lock(&log_lock);
	log_now ^= 1;
	log_used = 0;
	log_text[log_now][0] = '\0';
	pthread_mutex_unlock(&log_lock);
	return text;
}

/* ---- Chips ----------------------------------------------------------------------------------- */

struct rec_results rec_results;

static void rec_level(struct irq_data *d, const char *what)
{
	if (d->domain && irq_domain_is_hierarchy(d->domain))
		rec("%s.%s", d->domain->name, what);
	else
		rec("%s", what);
}

#define VOID_CB(cb, word) \
	static void cb(struct irq_data *d) { rec_level(d, word); }
VOID_CB(rec_shutdown, "shutdown")
VOID_CB(rec_enable, "enable")
VOID_CB(rec_disable, "disable")
VOID_CB(rec_ack, "ack")
VOID_CB(rec_mask, "mask")
VOID_CB(rec_mask_ack, "mask_ack")
VOID_CB(rec_unmask, "unmask")
VOID_CB(rec_eoi, "eoi")
VOID_CB(rec_release_resources, "release_resources")
VOID_CB(rec_bus_lock, "bus_lock")
VOID_CB(rec_bus_unlock, "bus_unlock")

static unsigned int rec_startup(struct irq_data *d)
{
	rec_level(d, "startup");
	if (rec_results.on_startup)
		rec_results.on_startup(d);
	return 0;
}

static int rec_set_affinity(struct irq_data *d, const struct cpumask *dest, bool force)
{
	char word[40];

	snprintf(word, sizeof(word), "set_affinity(%lx%s)", dest->bits, force ? ",force" : "");
	rec_level(d, word);
	if (rec_results.set_affinity >= 0 && !rec_results.no_effective)
		irq_data_update_effective_affinity(d, cpumask_of(cpumask_first(dest)));
	return rec_results.set_affinity;
}

static int rec_retrigger(struct irq_data *d)
{
	rec_level(d, "retrigger");
	return rec_results.retrigger;
}

static int rec_set_type(struct irq_data *d, unsigned int type)
{
	char word[24];

	snprintf(word, sizeof(word), "set_type(%u)", type);
	rec_level(d, word);
	return rec_results.set_type;
}

static int rec_request_resources(struct irq_data *d)
{
	rec_level(d, "request_resources");
	return rec_results.resources;
}

static void rec_compose(struct irq_data *d, struct msi_msg *msg)
{
	rec_level(d, "compose");
	*msg = (struct msi_msg){ 0x28000000, 0, d->hwirq };
}

static void rec_write(struct irq_data *d, struct msi_msg *msg)
{
	char word[40];

	snprintf(word, sizeof(word), "write(%x,%x)", msg->address_lo, msg->data);
	rec_level(d, word);
}

static int rec_get_state(struct irq_data *d, enum irqchip_irq_state which, bool *state)
{
	(void)d;
	*state = which == IRQCHIP_STATE_PENDING ? rec_results.pending : rec_results.active;
	return rec_results.state;
}

static int rec_set_state(struct irq_data *d, enum irqchip_irq_state which, bool state)
{
	char word[32];

	snprintf(word, sizeof(word), "set_state(%d,%d)", which, state);
	rec_level(d, word);
	return rec_results.state;
}

static struct irq_chip chips[32];
static unsigned int nr_chips;

#define IF(flag, fn)	((callbacks & (flag)) ? (fn) : NULL)

struct irq_chip *rec_chip(unsigned int callbacks)
{
	struct irq_chip *chip = &chips[nr_chips++ % ARRAY_SIZE(chips)];

	*chip = (struct irq_chip){
		.name = "rec",
		.irq_startup = IF(R_STARTUP, rec_startup),
		.irq_shutdown = IF(R_SHUTDOWN, rec_shutdown),
		.irq_enable = IF(R_ENABLE, rec_enable),
		.irq_disable = IF(R_DISABLE, rec_disable),
		.irq_ack = IF(R_ACK, rec_ack),
		.irq_mask = IF(R_MASK, rec_mask),
		.irq_mask_ack = IF(R_MASK_ACK, rec_mask_ack),
		.irq_unmask = IF(R_UNMASK, rec_unmask),
		.irq_eoi = IF(R_EOI, rec_eoi),
		.irq_set_affinity = IF(R_AFFINITY, rec_set_affinity),
		.irq_retrigger = IF(R_RETRIGGER, rec_retrigger),
		.irq_set_type = IF(R_TYPE, rec_set_type),
		.irq_bus_lock = IF(R_BUS, rec_bus_lock),
		.irq_bus_sync_unlock = IF(R_BUS, rec_bus_unlock),
		.irq_request_resources = IF(R_RESOURCES, rec_request_resources),
		.irq_release_resources = IF(R_RESOURCES, rec_release_resources),
		.irq_compose_msi_msg = IF(R_COMPOSE, rec_compose),
		.irq_write_msi_msg = IF(R_WRITE, rec_write),
		.irq_get_irqchip_state = IF(R_STATE, rec_get_state),
		.irq_set_irqchip_state = IF(R_STATE, rec_set_state),
	};
	return chip;
}

/* ---- Domains --------------------------------------------------------------------------------- */

struct rec_domain_results rec_domain_results;
const struct irq_chip *rec_map_chip;
irq_flow_handler_t rec_map_flow;

static int rec_map(struct irq_domain *d, unsigned int irq, irq_hw_number_t hwirq)
{
	(void)d;
	rec("map(%lu)", hwirq);
	if (!rec_domain_results.map && rec_map_chip)
		irq_set_chip_and_handler(irq, rec_map_chip, rec_map_flow);
	return rec_domain_results.map;
}

static void rec_unmap(struct irq_domain *d, unsigned int irq)
{
	rec("unmap(%lu)", irq_get_irq_data(irq)->hwirq);
	if (irq_find_mapping(d, irq_get_irq_data(irq)->hwirq) != irq)
		rec("not-found");
}

const struct irq_domain_ops rec_ops = {
	.map = rec_map,
	.unmap = rec_unmap,
	.xlate = irq_domain_xlate_onetwocell,
};

struct irq_domain *rec_domain(unsigned int linear)
{
	struct fwnode_handle *fwnode = irq_domain_alloc_named_fwnode("rec");

	return linear ? irq_domain_create_linear(fwnode, linear, &rec_ops, NULL)
		      : irq_domain_create_tree(fwnode, &rec_ops, NULL);
}

static int at_level(struct irq_domain *d, int result)
{
	const char *at = rec_domain_results.at;

	return result && (!at || !strcmp(at, d->name)) ? result : 0;
}

/* The hwirq of the innermost level is the first cell; each parent's is 100, then 1000 higher. */
static int stack_alloc_irqs(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	struct rec_stack *s = d->host_data;
	struct irq_fwspec *spec = arg;
	irq_hw_number_t base = spec->param[0] +
		(d == s->middle ? 100 : d == s->root ? 1100 : 0);
	const struct irq_chip *chip = s->chip[d == s->leaf ? 0 : d == s->middle ? 1 : 2];
	int ret = 0;

	rec("%s.alloc(%u)", d->name, nr);
	if (d->parent)
		ret = irq_domain_alloc_irqs_parent(d, irq, nr, arg);
	if (!ret && at_level(d, rec_domain_results.alloc)) {
		if (d->parent)
			irq_domain_free_irqs_parent(d, irq, nr);
		ret = rec_domain_results.alloc;
	}
	for (unsigned int i = 0; !ret && i < nr; i++) {
		if (d == s->root)
			irq_domain_set_info(d, irq + i, base + i, chip, s, handle_edge_irq, NULL,
					    "edge");
		else
			irq_domain_set_hwirq_and_chip(d, irq + i, base + i, chip, s);
	}
	return ret;
}

static void stack_free_irqs(struct irq_domain *d, unsigned int irq, unsigned int nr)
{
	rec("%s.free(%u)", d->name, nr);
	irq_domain_free_irqs_common(d, irq, nr);
}

static int stack_activate(struct irq_domain *d, struct irq_data *data, bool reserve)
{
	(void)data, (void)reserve;
	rec("%s.activate", d->name);
	return at_level(d, rec_domain_results.activate);
}

static void stack_deactivate(struct irq_domain *d, struct irq_data *data)
{
	(void)data;
	rec("%s.deactivate", d->name);
}

static const struct irq_domain_ops stack_ops = {
	.alloc = stack_alloc_irqs,
	.free = stack_free_irqs,
	.activate = stack_activate,
	.deactivate = stack_deactivate,
	.translate = irq_domain_translate_twocell,
};

void rec_stack(struct rec_stack *s, unsigned int leaf, unsigned int middle, unsigned int root)
{
	static const char *const names[] = { "leaf", "middle", "root" };

	for (unsigned int i = 0; i < 3; i++)
		s->fwnode[i] = irq_domain_alloc_named_fwnode(names[i]);
	s->chip[0] = rec_chip(leaf);
	s->chip[1] = rec_chip(middle);
	s->chip[2] = rec_chip(root);
	s->root = irq_domain_create_hierarchy(NULL, 0, 2000, s->fwnode[2], &stack_ops, s);
	s->middle = irq_domain_create_hierarchy(s->root, 0, 0, s->fwnode[1], &stack_ops, s);
	s->leaf = irq_domain_create_hierarchy(s->middle, 0, 64, s->fwnode[0], &stack_ops, s);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

unsigned int rec_line(const struct irq_chip *chip, irq_flow_handler_t flow)
{
	int irq = irq_alloc_desc(-1);

	assert_true(irq > 0);
	irq_set_chip_and_handler(irq, chip, flow);
	irq_clear_status_flags(irq, IRQ_NOREQUEST);
	return irq;
}

unsigned int rec_started(const struct irq_chip *chip, irq_flow_handler_t flow)
{
	return rec_started_by(rec_handler, chip, flow);
}

unsigned int rec_started_by(irq_handler_t handler, const struct irq_chip *chip,
			    irq_flow_handler_t flow)
{
	unsigned int irq = rec_line(chip, flow);

	assert_int_equal(request_irq(irq, handler, 0, "t", NULL), 0);
	rec_take();
	return irq;
}

irqreturn_t rec_ret = IRQ_HANDLED;

irqreturn_t rec_handler(int irq, void *dev_id)
{
	(void)irq;
	rec(dev_id ? "%s" : "H", (const char *)dev_id);
	return rec_ret;
}

irqreturn_t rec_thread(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	rec("T");
	return IRQ_HANDLED;
}

void raise_irq(unsigned int irq)
{
	host_irq_enter();
	generic_handle_irq(irq);
	host_irq_exit();
}

int raise_hwirq(struct irq_domain *d, irq_hw_number_t hwirq)
{
	int ret;

	host_irq_enter();
	ret = generic_handle_domain_irq(d, hwirq);
	host_irq_exit();
	return ret;
}

/* ---- Fixture --------------------------------------------------------------------------------- */

int rec_setup(void **state)
{
	(void)state;
	host_init(4);
	host_printk();
	rec_take();
	nr_chips = 0;
	rec_results = (struct rec_results){ 0 };
	rec_domain_results = (struct rec_domain_results){ 0 };
	rec_map_chip = NULL;
	rec_map_flow = NULL;
	rec_ret = IRQ_HANDLED;
	return 0;
}

bool logged(const char *text)
{
	return strstr(host_printk(), text) != NULL;
}

unsigned int fail_each(bool (*fn)(void *arg), void *arg)
{
	for (unsigned int n = 1;; n++) {
		size_t before = host_bytes_live();
		bool ok, enough;

		host_fail_after(n);
		ok = fn(arg);
		enough = host_fail_armed();
		host_fail_after(-1);
		if (enough) {
			assert_true(ok);
			return n - 1;
		}
		if (host_bytes_live() != before)
			fail_msg("allocation %u failed: %zu bytes live, before %zu", n,
				 host_bytes_live(), before);
		assert_true(n < 1000);
	}
}

/*
 * Descriptors, domains, hierarchies and requests in random order, some with an allocation or a
 * callback that fails, against a naive model: what exists, what maps where, who is called. After
 * every step the core is checked; in the end everything goes, and no byte is left.
 * SEED=n repeats a run.
 */
#include <stdio.h>
#include <string.h>
#include "model.h"
#include "support/random.h"
#include "support/rec.h"

#define LINES	24
#define HWIRQS	24
#define SHARERS	4

enum kind { GONE, BARE, LINEAR, TREE, NOMAP, STACK };

struct line {
	enum kind kind;
	unsigned int irq, pushed;		/* levels on top of the stack */
	irq_hw_number_t hwirq, push_hwirq[2];
	bool pending, shared, oneshot;		/* of the first action */
	unsigned int depth;			/* while there are actions */
	struct sharer {
		bool there;
		unsigned int calls;
	} sharer[SHARERS];
};

static struct line lines[LINES];
static struct irq_domain *domains[STACK], *push[2];
static struct rec_stack s;
static u64 seed;
static bool injected;		/* the step has an allocation or a callback that may fail */
static char doing[80];

static u32 chance(u32 n)
{
	return host_random(&seed) % n;
}

static struct line *pick(unsigned long kinds)
{
	for (int i = 0; i < 20; i++) {
		struct line *l = &lines[chance(LINES)];

		if (kinds & BIT(l->kind))
			return l;
	}
	return NULL;
}

static bool in_use(const struct line *l)
{
	for (int i = 0; i < SHARERS; i++)
		if (l->sharer[i].there)
			return true;
	return false;
}

/* One that has handlers, if there is one at hand. */
static struct line *pick_used(unsigned long kinds)
{
	struct line *l = pick(kinds);

	for (int i = 0; i < 10 && l && !in_use(l); i++)
		l = pick(kinds);
	return l;
}

static struct line *of_hwirq(enum kind kind, irq_hw_number_t hwirq)
{
	for (struct line *l = lines; l < lines + LINES; l++)
		if (l->kind == kind && l->hwirq == hwirq)
			return l;
	return NULL;
}

static void born(struct line *l, enum kind kind, unsigned int irq, irq_hw_number_t hwirq)
{
	*l = (struct line){ .kind = kind, .irq = irq, .hwirq = hwirq };
}

/* An operation was to give EXPECTED, or where something was made to fail, an error. */
static void gave(int got, int expected)
{
	if (got != expected && !(injected && got < 0))
		fail_msg("%s: %d, expected %d", doing, got, expected);
}

#define DOING(...)	snprintf(doing, sizeof(doing), __VA_ARGS__)

/* ---- Handlers ----------------------------------------------------------------------------------- */

static irqreturn_t counts(int irq, void *dev_id)
{
	(void)irq;
	((struct sharer *)dev_id)->calls++;
	return IRQ_HANDLED;
}

static irqreturn_t wakes(int irq, void *dev_id)
{
	(void)irq, (void)dev_id;
	return IRQ_WAKE_THREAD;
}

/* ---- Steps: each does one thing to the core and the same to the model ---------------------------- */

static void alloc_number(void)
{
	struct line *l = pick(BIT(GONE));
	unsigned int from = 1 + chance(60);
	int irq;

	if (!l)
		return;
	DOING("number from %u", from);
	irq = irq_alloc_desc_from(from, -1);
	if (irq < 0)
		return gave(irq, 1);
	assert_in_range(irq, from, NR_IRQS - 1);
	irq_set_status_flags(irq, IRQ_NOREQUEST);
	born(l, BARE, irq, 0);
}

static void free_number(void)
{
	struct line *l = pick(BIT(BARE));

	if (!l)
		return;
	DOING("free number %u", l->irq);
	irq_free_desc(l->irq);
	l->kind = GONE;
}

static void map(void)
{
	enum kind kind = chance(2) ? LINEAR : TREE;
	irq_hw_number_t hwirq = chance(HWIRQS);
	struct line *l = of_hwirq(kind, hwirq), *new = pick(BIT(GONE));
	unsigned int irq;

	if (!new)
		return;
	DOING("map kind %d hwirq %lu", kind, hwirq);
	if (!chance(8)) {
		rec_domain_results.map = -EIO;
		injected = true;
	}
	irq = irq_create_mapping(domains[kind], hwirq);
	if (l)
		assert_int_equal(irq, l->irq);
	else if (irq)
		born(new, kind, irq, hwirq);
	else
		gave(-EIO, 0);
}

static void map_direct(void)
{
	struct line *l = pick(BIT(GONE));
	unsigned int irq;

	if (!l)
		return;
	DOING("map direct");
	irq = irq_create_direct_mapping(domains[NOMAP]);
	if (irq)
		born(l, NOMAP, irq, irq);
	else
		gave(-ENOMEM, 0);
}

static void associate(void)
{
	struct line *l = pick(BIT(BARE) | BIT(LINEAR));
	enum kind kind = chance(2) ? LINEAR : TREE;
	irq_hw_number_t hwirq = chance(HWIRQS + 1);
	int ret;

	if (!l)
		return;
	DOING("associate irq %u with hwirq %lu of kind %d", l->irq, hwirq, kind);
	ret = irq_domain_associate(domains[kind], l->irq, hwirq);
	gave(ret, (hwirq == HWIRQS && kind == LINEAR) || l->kind != BARE ? -EINVAL :
	     of_hwirq(kind, hwirq) ? -EEXIST : 0);
	if (!ret) {
		l->kind = kind;
		l->hwirq = hwirq;
	}
}

static void free_handlers(struct line *l)
{
	for (struct sharer *who = l->sharer; who < l->sharer + SHARERS; who++) {
		if (who->there)
			assert_non_null(free_irq(l->irq, who));
		who->there = false;
	}
}

static void disassociate(void)
{
	struct line *l = pick(BIT(LINEAR) | BIT(TREE));

	if (!l)
		return;
	DOING("disassociate irq %u", l->irq);
	free_handlers(l);
	irq_domain_disassociate(domains[l->kind], l->irq);
	l->kind = BARE;
	assert_int_equal(request_irq(l->irq, counts, 0, "no", NULL), -EINVAL);
}

static void dispose(void)
{
	struct line *l = pick(~(BIT(GONE) | BIT(BARE)));

	if (!l)
		return;
	DOING("dispose of irq %u", l->irq);
	free_handlers(l);
	if (l->kind == STACK && chance(2))
		irq_domain_free_irqs(l->irq, 1);
	else
		irq_dispose_mapping(l->irq);
	l->kind = GONE;
}

static void alloc_stack(void)
{
	static const char *const level[] = { "leaf", "middle", "root" };
	irq_hw_number_t hwirq = chance(HWIRQS);
	struct irq_fwspec spec = { .param_count = 2, .param = { hwirq, 1 } };
	unsigned int nr = 1 + chance(3);
	struct line *new[3];
	bool taken = false;
	int irq;

	for (unsigned int i = 0; i < nr; i++) {
		new[i] = pick(BIT(GONE));
		if (!new[i] || (i > 0 && new[i] == new[i - 1]) || (i > 1 && new[i] == new[0]))
			return;
		taken |= of_hwirq(STACK, hwirq + i) != NULL;
	}
	DOING("alloc %u from hwirq %lu", nr, hwirq);
	if (!chance(8)) {
		rec_domain_results.alloc = -EIO;
		rec_domain_results.at = level[chance(3)];
		injected = true;
	}
	irq = irq_domain_alloc_irqs(s.leaf, nr, -1, &spec);
	gave(min(irq, 0), taken ? -EEXIST : 0);
	for (unsigned int i = 0; irq > 0 && i < nr; i++)
		born(new[i], STACK, irq + i, hwirq + i);
}

static void push_level(void)
{
	struct line *l = pick(BIT(STACK));
	irq_hw_number_t hwirq = chance(12);
	unsigned int n = l ? l->pushed : 0;
	int ret, expected = 0;

	if (!l)
		return;
	for (struct line *o = lines; o < lines + LINES; o++)
		if (o->kind == STACK && o->pushed > n && n < 2 && o->push_hwirq[n] == hwirq)
			expected = -EEXIST;
	if (n == 2)
		expected = -EINVAL;
	if (in_use(l))
		expected = -EBUSY;
	DOING("push level %u, hwirq %lu, on irq %u", n, hwirq, l->irq);
	ret = irq_domain_push_irq(push[n % 2], l->irq, (void *)hwirq);
	gave(ret, expected);
	if (!ret)
		l->push_hwirq[l->pushed++] = hwirq;
}

static void pop_level(void)
{
	struct line *l = pick(BIT(STACK));
	int ret;

	if (!l)
		return;
	DOING("pop a level of irq %u, which has %u", l->irq, l->pushed);
	ret = irq_domain_pop_irq(push[l->pushed ? l->pushed - 1 : 0], l->irq);
	gave(ret, in_use(l) ? -EBUSY : l->pushed ? 0 : -EINVAL);
	if (!ret)
		l->pushed--;
}

/* What request_irq() of a sharer ought to give. */
static int may_request(const struct line *l, unsigned long flags, bool plain)
{
	if (l->kind == BARE)
		return -EINVAL;
	if (!in_use(l))
		return 0;
	if (!l->shared || !(flags & IRQF_SHARED))
		return -EBUSY;
	return l->oneshot == !!(flags & IRQF_ONESHOT) || (l->oneshot && plain) ? 0 : -EBUSY;
}

static void request(void)
{
	struct line *l = chance(3) ? pick_used(~BIT(GONE)) : pick(~BIT(GONE));
	struct sharer *who = l ? &l->sharer[chance(SHARERS)] : NULL;
	unsigned long flags = chance(3) ? IRQF_SHARED : 0;
	unsigned int how = chance(4);
	int ret, expected;

	if (!l || who->there)
		return;
	flags |= how == 1 ? IRQF_ONESHOT : how == 3 && !flags ? IRQF_NO_AUTOEN : 0;
	expected = may_request(l, flags, how != 1 && how != 2);
	DOING("request irq %u, flags %lx, way %u", l->irq, flags, how);
	if (l->kind == STACK && !chance(8) && !in_use(l)) {
		rec_domain_results.activate = -EIO;
		rec_domain_results.at = "middle";
		injected = true;
	}
	who->calls = 0;
	if (how == 1 || how == 2)
		ret = request_threaded_irq(l->irq, how == 1 ? NULL : wakes, counts, flags, "t", who);
	else
		ret = request_irq(l->irq, counts, flags, "t", who);
	gave(ret, expected);
	if (ret)
		return;
	if (!in_use(l)) {
		l->shared = flags & IRQF_SHARED;
		l->oneshot = flags & IRQF_ONESHOT;
		l->depth = !!(flags & IRQF_NO_AUTOEN);
	}
	who->there = true;
}

static void release(void)
{
	struct line *l = pick_used(~BIT(GONE));
	struct sharer *who = l ? &l->sharer[chance(SHARERS)] : NULL;

	if (!l)
		return;
	DOING("free irq %u", l->irq);
	assert_int_equal(free_irq(l->irq, who) != NULL, who->there);
	who->there = false;
}

static void disable_or_enable(void)
{
	struct line *l = pick_used(~BIT(GONE));

	if (!l || !in_use(l))
		return;
	DOING("depth of irq %u", l->irq);
	if (chance(5) < 2) {
		disable_irq(l->irq);
		l->depth++;
	} else {
		enable_irq(l->irq);
		l->depth -= l->depth > 0;
	}
}

static void raise_line(void)
{
	struct line *l = chance(4) ? pick_used(~(BIT(GONE) | BIT(BARE)))
				   : pick(~(BIT(GONE) | BIT(BARE)));

	if (!l)
		return;
	DOING("raise irq %u", l->irq);
	if (l->kind == STACK)
		assert_int_equal(raise_hwirq(s.root, l->hwirq + 1100), 0);
	else
		assert_int_equal(raise_hwirq(domains[l->kind], l->hwirq), 0);
	l->pending = true;
}

/* ---- After each step ------------------------------------------------------------------------------ */

/* What came is handled by every sharer once the line is open. */
static void settle(struct line *l)
{
	struct irq_desc *desc = irq_to_desc(l->irq);

	assert_int_equal(irq_has_action(l->irq), in_use(l));
	if (!in_use(l))
		return;
	assert_int_equal(desc->depth, l->depth);
	for (int i = 0; i < SHARERS; i++) {
		unsigned int due = l->sharer[i].there && l->pending && !l->depth;

		if (l->sharer[i].calls != due)
			fail_msg("%s: irq %u called sharer %d %u times, due %u", doing, l->irq, i,
				 l->sharer[i].calls, due);
		l->sharer[i].calls = 0;
	}
	l->pending &= l->depth > 0;
	assert_true(l->depth || !irqd_irq_masked(&desc->irq_data));
}

static void complain(void *arg, const char *text)
{
	(void)arg;
	print_error("irq_check: %s\n", text);
}

static void compare(void)
{
	for (enum kind kind = LINEAR; kind < NOMAP; kind++)
		for (irq_hw_number_t h = 0; h < HWIRQS; h++) {
			struct line *l = of_hwirq(kind, h);

			assert_int_equal(irq_find_mapping(domains[kind], h), l ? l->irq : 0);
		}
	for (struct line *l = lines; l < lines + LINES; l++) {
		if (l->kind == GONE)
			continue;
		settle(l);
		if (l->kind == NOMAP)
			assert_int_equal(irq_find_mapping(domains[NOMAP], l->irq), l->irq);
		if (l->kind != STACK)
			continue;
		assert_int_equal(irq_find_mapping(s.leaf, l->hwirq), l->irq);
		assert_int_equal(irq_find_mapping(s.middle, l->hwirq + 100), l->irq);
		for (unsigned int i = 0; i < l->pushed; i++)
			assert_int_equal(irq_find_mapping(push[i], l->push_hwirq[i]), l->irq);
	}
	if (irq_check(complain, NULL))
		fail_msg("%s: the core is not well", doing);
}

/* ---- The world ------------------------------------------------------------------------------------- */

static int alloc_pushed(struct irq_domain *d, unsigned int irq, unsigned int nr, void *arg)
{
	static const struct irq_chip chip = {
		.name = "push", .irq_ack = irq_chip_ack_parent, .irq_mask = irq_chip_mask_parent,
		.irq_unmask = irq_chip_unmask_parent,
	};

	(void)nr;
	return irq_domain_set_hwirq_and_chip(d, irq, (unsigned long)arg, &chip, NULL);
}

static void make_world(void)
{
	static const struct irq_domain_ops push_ops = { .alloc = alloc_pushed,
							.free = irq_domain_free_irqs_common };

	memset(lines, 0, sizeof(lines));
	rec_map_chip = rec_chip(R_LEVEL);
	rec_map_flow = handle_level_irq;
	domains[LINEAR] = irq_domain_create_linear(NULL, HWIRQS, &rec_ops, NULL);
	domains[TREE] = irq_domain_create_tree(NULL, &rec_ops, NULL);
	domains[NOMAP] = irq_domain_create_nomap(NULL, 200, &rec_ops, NULL);
	rec_stack(&s, R_EDGE, R_EDGE, R_EDGE);
	push[0] = irq_domain_create_hierarchy(s.leaf, 0, 8, NULL, &push_ops, NULL);
	push[1] = irq_domain_create_hierarchy(push[0], 0, 8, NULL, &push_ops, NULL);
}

static void end_world(void)
{
	for (struct line *l = lines; l < lines + LINES; l++) {
		if (l->kind != GONE)
			free_handlers(l);
		if (l->kind == BARE)
			irq_free_desc(l->irq);
		else if (l->kind != GONE)
			irq_dispose_mapping(l->irq);
	}
	host_run_deferred();
	irq_domain_remove(push[1]);
	irq_domain_remove(push[0]);
	irq_domain_remove(s.leaf);
	irq_domain_remove(s.middle);
	irq_domain_remove(s.root);
	for (int i = 0; i < 3; i++)
		irq_domain_free_fwnode(s.fwnode[i]);
	for (enum kind kind = LINEAR; kind < STACK; kind++)
		irq_domain_remove(domains[kind]);
}

static void one_step(void)
{
	static void (*const steps[])(void) = {
		alloc_number, free_number, map, map_direct, associate, disassociate, dispose,
		dispose, alloc_stack, alloc_stack, push_level, push_level, pop_level,
		request, request, request, release, release, disable_or_enable, disable_or_enable,
		raise_line, raise_line, raise_line,
	};

	injected = !chance(4);
	host_fail_after(injected ? (long)(1 + chance(6)) : -1);
	steps[chance(ARRAY_SIZE(steps))]();
	host_fail_after(-1);
	rec_domain_results = (struct rec_domain_results){ 0 };
	host_run_deferred();
	compare();
	rec_take();
	host_printk();
}

static void anything_in_any_order_keeps_the_core_consistent(void **state)
{
	unsigned int n = soak(30000, 1000000);
	size_t live;

	(void)state;
	seed = random_seed();
	make_world();
	end_world();
	live = host_bytes_live();
	make_world();
	for (unsigned int i = 0; i < n; i++)
		one_step();
	end_world();
	assert_int_equal(host_bytes_live(), live);
	assert_int_equal(irq_get_next_irq(1), NR_IRQS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(anything_in_any_order_keeps_the_core_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

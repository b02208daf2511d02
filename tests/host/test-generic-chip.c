/* Generic chips: semantics L, on a page of registers that only remembers what is written to it. */
#include <kernel/irqgeneric.h>
#include <kernel/mm.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

enum { MASK = 0x10, ENABLE = 0x14, DISABLE = 0x18, ACK = 0x1c, EOI = 0x20, MASK2 = 0x24 };

static u32 held[0x100 / 4];		/* what a read gives */
static struct irq_domain *domain;

static u64 regs_read(void *priv, u64 offset, unsigned int size)
{
	(void)priv;
	assert_int_equal(size, 4);
	rec("r%lx", (unsigned long)offset);
	return held[offset / 4];
}

static void regs_write(void *priv, u64 offset, u64 v, unsigned int size)
{
	(void)priv;
	assert_int_equal(size, 4);
	rec("%lx=%lx", (unsigned long)offset, (unsigned long)v);
}

static const struct host_mmio_ops regs_ops = { regs_read, regs_write };
static void *regs;

static int setup(void **state)
{
	rec_setup(state);
	host_mmio_add("regs", 0x1000, 0x100, &regs_ops, NULL);
	regs = ioremap(0x1000, 0x100);
	memset(held, 0, sizeof(held));
	domain = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (domain) {
		for (unsigned long n = 0; n < domain->revmap_size; n++)
			irq_dispose_mapping(irq_find_mapping(domain, n));
		irq_domain_remove_generic_chips(domain);
		irq_domain_remove(domain);
	}
	return 0;
}
#define G(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* A domain of LINES with chips of PER_CHIP lines and TYPES types, at the registers. */
static void make(unsigned int lines, unsigned int per_chip, unsigned int types,
		 enum irq_gc_flags flags)
{
	domain = irq_domain_create_linear(NULL, lines, &irq_generic_chip_ops, NULL);
	assert_non_null(domain);
	assert_int_equal(irq_alloc_domain_generic_chips(domain, per_chip, types, "gc",
							handle_level_irq, 0, 0, flags), 0);
	for (unsigned int i = 0; i < domain->gc->num_chips; i++) {
		domain->gc->gc[i]->reg_base = regs;
		for (unsigned int t = 0; t < types; t++)
			domain->gc->gc[i]->chip_types[t].regs = (struct irq_chip_regs){
				.mask = t ? MASK2 : MASK, .enable = ENABLE, .disable = DISABLE,
				.ack = ACK, .eoi = EOI };
	}
}

static struct irq_data *line(irq_hw_number_t hwirq)
{
	unsigned int irq = irq_create_mapping(domain, hwirq);

	assert_int_not_equal(irq, 0);
	return irq_get_irq_data(irq);
}

/* ---- S-115 -------------------------------------------------------------------------------------- */

static void s115_as_many_chips_as_the_lines_need(void **state)
{
	static const struct { unsigned int lines, per_chip, chips; } cases[] = {
		{ 1, 32, 1 }, { 31, 32, 1 }, { 32, 32, 1 }, { 33, 32, 2 }, { 64, 32, 2 },
		{ 65, 32, 3 }, { 8, 8, 1 }, { 9, 8, 2 }, { 5, 1, 5 }, { 1000, 32, 32 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		make(cases[i].lines, cases[i].per_chip, 1, 0);
		assert_int_equal(domain->gc->num_chips, cases[i].chips);
		for (unsigned int n = 0; n < cases[i].lines; n++) {
			unsigned int chip = n / cases[i].per_chip;

			assert_ptr_equal(irq_get_domain_generic_chip(domain, n),
					 domain->gc->gc[chip]);
			assert_int_equal(domain->gc->gc[chip]->irq_base, chip * cases[i].per_chip);
		}
		assert_null(irq_get_domain_generic_chip(domain, cases[i].chips *
							cases[i].per_chip));
		irq_domain_remove_generic_chips(domain);
		irq_domain_remove(domain);
		domain = NULL;
	}
}

static int alloc(struct irq_domain *d, int per_chip, int types)
{
	return irq_alloc_domain_generic_chips(d, per_chip, types, "gc", handle_level_irq, 0, 0, 0);
}

static void s115_what_is_refused(void **state)
{
	struct irq_domain *tree = irq_domain_create_tree(NULL, &irq_generic_chip_ops, NULL);

	(void)state;
	assert_int_equal(alloc(tree, 32, 1), -EINVAL);
	assert_null(irq_get_domain_generic_chip(tree, 0));
	assert_int_equal(irq_create_mapping(tree, 0), 0);	/* it has no chips: -ENODEV */
	irq_domain_remove(tree);

	domain = irq_domain_create_linear(NULL, 64, &irq_generic_chip_ops, NULL);
	assert_int_equal(alloc(domain, 33, 1), -EINVAL);
	assert_int_equal(alloc(domain, 0, 1), -EINVAL);
	assert_int_equal(alloc(domain, -1, 1), -EINVAL);
	assert_int_equal(alloc(domain, 32, 0), -EINVAL);
	assert_int_equal(alloc(domain, 32, -1), -EINVAL);
	assert_int_equal(alloc(domain, 32, 1), 0);
	assert_int_equal(alloc(domain, 32, 1), -EBUSY);
	irq_domain_remove_generic_chips(domain);
	assert_int_equal(alloc(domain, 16, 2), 0);
	assert_int_equal(domain->gc->num_chips, 4);
}

static unsigned int init_fails_at;

static int chip_init(struct irq_chip_generic *gc)
{
	rec("init%u", gc->irq_base);
	assert_ptr_equal(gc->domain, domain);
	return gc->irq_base == init_fails_at ? -EIO : 0;
}

static void chip_exit(struct irq_chip_generic *gc)
{
	rec("exit%u", gc->irq_base);
}

static void chips_are_initialised_and_undone_in_reverse(void **state)
{
	static const struct irq_domain_chip_generic_info info = {
		.name = "gc", .handler = handle_edge_irq, .irqs_per_chip = 32, .num_ct = 1,
		.init = chip_init, .exit = chip_exit,
	};
	size_t live;

	(void)state;
	domain = irq_domain_create_linear(NULL, 128, &irq_generic_chip_ops, NULL);
	live = host_bytes_live();
	init_fails_at = 64;
	assert_int_equal(irq_domain_alloc_generic_chips(domain, &info), -EIO);
	assert_rec("init0 init32 init64 exit32 exit0");
	assert_null(domain->gc);
	assert_int_equal(host_bytes_live(), live);
	host_fail_after(1);
	assert_int_equal(irq_domain_alloc_generic_chips(domain, &info), -ENOMEM);
	assert_rec("");
	init_fails_at = 1;
	assert_int_equal(irq_domain_alloc_generic_chips(domain, &info), 0);
	assert_rec("init0 init32 init64 init96");
	irq_domain_remove_generic_chips(domain);
	assert_rec("exit96 exit64 exit32 exit0");
	assert_int_equal(host_bytes_live(), live);
	irq_domain_remove_generic_chips(domain);	/* nothing left: nothing done */
	assert_rec("");
}

/* ---- Mapping ------------------------------------------------------------------------------------ */

static void a_line_gets_its_chip_and_its_bit(void **state)
{
	struct irq_data *d;

	(void)state;
	make(100, 32, 2, 0);
	d = line(69);
	assert_int_equal(d->mask, BIT(5));
	assert_ptr_equal(d->chip_data, domain->gc->gc[2]);
	assert_ptr_equal(d->chip, &domain->gc->gc[2]->chip_types[0].chip);
	assert_ptr_equal(irq_data_get_chip_type(d), &domain->gc->gc[2]->chip_types[0]);
	assert_string_equal(d->chip->name, "gc");
	assert_ptr_equal(irq_to_desc(d->irq)->handle_irq, handle_level_irq);
	assert_int_equal(domain->gc->gc[2]->installed, BIT(5));
	assert_int_equal(line(31)->mask, 0x80000000);

	irq_dispose_mapping(d->irq);
	assert_int_equal(domain->gc->gc[2]->installed, 0);
	assert_int_equal(line(69)->mask, BIT(5));
}

static void lines_that_cannot_be_mapped(void **state)
{
	struct irq_domain *other;
	int irq;

	(void)state;
	make(40, 32, 1, 0);
	domain->gc->gc[1]->unused = BIT(3);
	assert_int_equal(irq_create_mapping(domain, 35), 0);
	assert_int_not_equal(irq_create_mapping(domain, 36), 0);
	irq = irq_alloc_desc(-1);
	assert_int_equal(irq_map_generic_chip(domain, irq, 35), -ENOTSUPP);
	assert_int_equal(irq_map_generic_chip(domain, irq, 36), -EBUSY);
	assert_int_equal(irq_map_generic_chip(domain, irq, 64), -EINVAL);
	other = irq_domain_create_linear(NULL, 4, &irq_generic_chip_ops, NULL);
	assert_int_equal(irq_map_generic_chip(other, irq, 0), -ENODEV);
	irq_domain_remove(other);
	irq_free_desc(irq);
}

static void settings_of_each_line(void **state)
{
	struct irq_desc *desc;

	(void)state;
	domain = irq_domain_create_linear(NULL, 4, &irq_generic_chip_ops, NULL);
	assert_int_equal(irq_alloc_domain_generic_chips(domain, 4, 1, "gc", handle_edge_irq, 0,
							IRQ_NOTHREAD | IRQ_NOPROBE, 0), 0);
	desc = irq_to_desc(line(1)->irq);
	assert_int_equal(desc->status_use_accessors & (IRQ_NOTHREAD | IRQ_NOPROBE),
			 IRQ_NOTHREAD | IRQ_NOPROBE);
	irq_domain_remove_generic_chips(domain);
	assert_int_equal(irq_alloc_domain_generic_chips(domain, 4, 1, "gc", handle_edge_irq,
							IRQ_NOPROBE, 0, 0), 0);
	desc = irq_to_desc(line(2)->irq);
	assert_int_equal(desc->status_use_accessors & (IRQ_NOTHREAD | IRQ_NOPROBE), 0);
}

static void one_cell_or_two(void **state)
{
	struct fwnode_handle *fwnode = irq_domain_alloc_named_fwnode("gpio");
	struct irq_fwspec spec = { .fwnode = fwnode, .param_count = 1, .param = { 3, 4 } };
	unsigned int irq;

	(void)state;
	domain = irq_domain_create_linear(fwnode, 8, &irq_generic_chip_ops, NULL);
	assert_int_equal(alloc(domain, 8, 1), 0);
	irq = irq_create_fwspec_mapping(&spec);
	assert_int_equal(irq_get_irq_data(irq)->hwirq, 3);
	assert_int_equal(irqd_get_trigger_type(irq_get_irq_data(irq)), IRQ_TYPE_NONE);
	spec.param_count = 2;
	assert_int_equal(irq_create_fwspec_mapping(&spec), irq);
	assert_int_equal(irqd_get_trigger_type(irq_get_irq_data(irq)), IRQ_TYPE_LEVEL_HIGH);
	domain->fwnode = NULL;
	irq_domain_free_fwnode(fwnode);
}

/* ---- Callbacks ---------------------------------------------------------------------------------- */

static void what_the_callbacks_write(void **state)
{
	struct irq_data *a, *b, *c;

	(void)state;
	make(64, 32, 1, 0);
	a = line(0), b = line(9), c = line(32 + 9);
	rec_take();
	irq_gc_mask_set_bit(a);
	irq_gc_mask_set_bit(b);
	irq_gc_mask_set_bit(c);
	irq_gc_mask_clr_bit(a);
	assert_rec("10=1 10=201 10=200 10=200");
	assert_int_equal(domain->gc->gc[0]->mask_cache, 0x200);
	assert_int_equal(domain->gc->gc[1]->mask_cache, 0x200);
	irq_gc_unmask_enable_reg(a);
	assert_int_equal(domain->gc->gc[0]->mask_cache, 0x201);
	irq_gc_mask_disable_reg(b);
	assert_int_equal(domain->gc->gc[0]->mask_cache, 0x001);
	irq_gc_ack_set_bit(b);
	irq_gc_ack_clr_bit(b);
	irq_gc_eoi(c);
	assert_rec("14=1 18=200 1c=200 1c=fffffdff 20=200");
	irq_gc_mask_disable_and_ack_set(a);
	assert_rec("18=1 1c=1");
	assert_int_equal(domain->gc->gc[0]->mask_cache, 0);
	irq_gc_noop(a);
	assert_rec("");
}

static u32 my_read(void *addr) { rec("in%lx", (unsigned long)((char *)addr - (char *)regs)); return 7; }
static void my_write(u32 v, void *addr)
{
	rec("out%lx,%x", (unsigned long)((char *)addr - (char *)regs), v);
}

static void a_driver_may_bring_its_own_access(void **state)
{
	(void)state;
	make(32, 32, 1, IRQ_GC_INIT_MASK_CACHE);
	domain->gc->gc[0]->reg_readl = my_read;
	domain->gc->gc[0]->reg_writel = my_write;
	irq_gc_mask_clr_bit(line(1));
	assert_rec("in10 out10,5");
}

static void mask_cache_from_the_hardware_once_and_shared(void **state)
{
	struct irq_data *a, *b;

	(void)state;
	held[MASK / 4] = 0xff00;
	make(64, 32, 2, IRQ_GC_INIT_MASK_CACHE);
	a = line(1);
	assert_rec("r10");
	b = line(2);
	assert_rec("");
	b->chip = &domain->gc->gc[0]->chip_types[1].chip;
	irq_gc_mask_set_bit(a);
	irq_gc_mask_set_bit(b);			/* same cache, that type's register */
	assert_rec("10=ff02 24=ff06");
	line(40);
	assert_rec("r10");			/* the second chip's */
}

static void mask_cache_of_each_type(void **state)
{
	struct irq_data *a, *b;

	(void)state;
	held[MASK / 4] = 0xf0;
	held[MASK2 / 4] = 0xf000;
	make(32, 32, 2, IRQ_GC_INIT_MASK_CACHE | IRQ_GC_MASK_CACHE_PER_TYPE);
	a = line(1), b = line(2);
	assert_rec("r10 r24");
	b->chip = &domain->gc->gc[0]->chip_types[1].chip;
	irq_gc_mask_set_bit(a);
	irq_gc_mask_set_bit(b);
	assert_rec("10=f2 24=f004");
}

static void alternative_chip_and_flow(void **state)
{
	struct irq_chip_type *ct;
	struct irq_desc *desc;
	struct irq_data *d;

	(void)state;
	make(32, 32, 3, 0);
	ct = domain->gc->gc[0]->chip_types;
	ct[0].type = IRQ_TYPE_LEVEL_MASK;
	ct[1].type = IRQ_TYPE_EDGE_RISING;
	ct[2].type = IRQ_TYPE_EDGE_BOTH;
	ct[1].handler = handle_edge_irq;
	ct[2].handler = handle_simple_irq;
	d = line(4);
	desc = irq_to_desc(d->irq);
	assert_int_equal(irq_setup_alt_chip(d, IRQ_TYPE_EDGE_RISING), 0);
	assert_ptr_equal(d->chip, &ct[1].chip);
	assert_ptr_equal(desc->handle_irq, handle_edge_irq);
	assert_int_equal(irq_setup_alt_chip(d, IRQ_TYPE_EDGE_FALLING), 0);
	assert_ptr_equal(d->chip, &ct[2].chip);
	assert_ptr_equal(desc->handle_irq, handle_simple_irq);
	assert_int_equal(irq_setup_alt_chip(d, IRQ_TYPE_NONE), -EINVAL);
	assert_ptr_equal(d->chip, &ct[2].chip);
	assert_int_equal(irq_setup_alt_chip(d, IRQ_TYPE_LEVEL_LOW), 0);
	assert_ptr_equal(desc->handle_irq, handle_level_irq);
}

static void a_line_in_use(void **state)
{
	struct irq_chip *chip;
	struct irq_data *d;

	(void)state;
	make(64, 32, 1, 0);
	for (unsigned int i = 0; i < 2; i++) {
		chip = &domain->gc->gc[i]->chip_types[0].chip;
		chip->irq_mask = irq_gc_mask_clr_bit;
		chip->irq_unmask = irq_gc_mask_set_bit;
		chip->irq_ack = irq_gc_ack_set_bit;
	}
	d = line(33);
	rec_take();
	assert_int_equal(request_irq(d->irq, rec_handler, 0, "t", NULL), 0);
	assert_rec("10=2");
	assert_int_equal(raise_hwirq(domain, 33), 0);
	assert_rec("10=0 1c=2 H 10=2");
	assert_int_equal(raise_hwirq(domain, 34), -EINVAL);
	disable_irq(d->irq);
	raise_hwirq(domain, 33);		/* lazily disabled: masked only now */
	assert_rec("10=0 1c=2");
	enable_irq(d->irq);
	assert_rec("10=2");
	free_irq(d->irq, NULL);
	assert_rec("10=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		G(s115_as_many_chips_as_the_lines_need),
		G(s115_what_is_refused),
		G(chips_are_initialised_and_undone_in_reverse),
		G(a_line_gets_its_chip_and_its_bit),
		G(lines_that_cannot_be_mapped),
		G(settings_of_each_line),
		G(one_cell_or_two),
		G(what_the_callbacks_write),
		G(a_driver_may_bring_its_own_access),
		G(mask_cache_from_the_hardware_once_and_shared),
		G(mask_cache_of_each_type),
		G(alternative_chip_and_flow),
		G(a_line_in_use),
	};

	return cmocka_run_group_tests_name("generic-chip", tests, NULL, NULL);
}

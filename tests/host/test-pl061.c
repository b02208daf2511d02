/*
 * The real PL061 and gpio-keys drivers on a model: a GPIO controller cascaded under another one
 * (S-069, S-109, S-110, S-118), and the power key.
 */
#include <kernel/driver.h>
#include <kernel/gpio.h>
#include <kernel/irqgeneric.h>
#include <kernel/printk.h>
#include <kernel/shell.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "models/pl061.h"
#include "support/rec.h"
#include "support/tree.h"

enum { GPIOIS = 0x404, GPIOIBE = 0x408, GPIOIEV = 0x40c, GPIOIE = 0x410 };
enum { PH_INTC = 1, PH_PL061 = 2 };

#define WIRE	7		/* of the PL061 at its parent */

DECLARE_TABLE(of_driver, const struct of_driver);

/* ---- The parent: like a GIC, level lines with an eoi ------------------------------------------- */

static struct irq_domain *intc;
static bool wire, wire_masked, in_service;
static unsigned int parent_irqs;

static void intc_mask(struct irq_data *d) { (void)d; wire_masked = true; }
static void intc_unmask(struct irq_data *d) { (void)d; wire_masked = false; }
static void intc_eoi(struct irq_data *d) { (void)d; in_service = false; }
static int intc_set_type(struct irq_data *d, unsigned int type)
{
	(void)d;
	return type == IRQ_TYPE_LEVEL_HIGH ? 0 : -EINVAL;
}

static const struct irq_chip intc_chip = {
	.name = "intc", .irq_mask = intc_mask, .irq_unmask = intc_unmask, .irq_eoi = intc_eoi,
	.irq_set_type = intc_set_type,
};

static int intc_map(struct irq_domain *d, unsigned int virq, irq_hw_number_t hwirq)
{
	irq_domain_set_info(d, virq, hwirq, &intc_chip, NULL, handle_fasteoi_irq, NULL, NULL);
	return 0;
}

static const struct irq_domain_ops intc_ops = { .map = intc_map, .xlate = irq_domain_xlate_twocell };

static void wire_changes(bool level)
{
	wire = level;
}

/* Takes interrupts until there is none; more than LIMIT is a storm. Returns how many. */
static unsigned int serve(void)
{
	unsigned int n = 0;

	while (wire && !wire_masked) {
		in_service = true;
		assert_int_equal(raise_hwirq(intc, WIRE), 0);
		assert_false(in_service);
		assert_true(++n < 20);
	}
	parent_irqs += n;
	return n;
}

static void drive(unsigned int line, bool level)
{
	pl061_model_line(line, level);
	serve();
}

/* ---- The machine -------------------------------------------------------------------------------- */

static struct tree tree;

static void add_intc(struct tree *t)
{
	tree_begin(t);
	tree_cells(t, "#address-cells", 1, 2);
	tree_cells(t, "#size-cells", 1, 2);
	tree_cells(t, "interrupt-parent", 1, PH_INTC);
	tree_node(t, "intc");
	tree_empty(t, "interrupt-controller");
	tree_cells(t, "#interrupt-cells", 1, 2);
	tree_cells(t, "phandle", 1, PH_INTC);
	tree_end(t);
}

static void add_pl061(struct tree *t)
{
	tree_node(t, "pl061@9030000");
	tree_strings(t, "compatible", "arm,pl061\0arm,primecell", 23);
	tree_cells(t, "reg", 4, 0, PL061_BASE, 0, 0x1000);
	tree_empty(t, "gpio-controller");
	tree_cells(t, "#gpio-cells", 1, 2);
	tree_cells(t, "interrupts", 2, WIRE, 4);
	tree_cells(t, "phandle", 1, PH_PL061);
	tree_end(t);
}

static void add_key(struct tree *t, const char *name, u32 phandle, u32 line, u32 flags, u32 code)
{
	tree_node(t, name);
	tree_cells(t, "gpios", 3, phandle, line, flags);
	tree_cells(t, "linux,code", 1, code);
	tree_end(t);
}

static const void *machine(void)
{
	add_intc(&tree);
	add_pl061(&tree);
	tree_node(&tree, "gpio-keys");
	tree_string(&tree, "compatible", "gpio-keys");
	add_key(&tree, "poweroff", PH_PL061, 3, 0, 116);
	tree_end(&tree);
	return tree_finish(&tree, NULL);
}

static void power_on(const void *fdt, bool latch_levels)
{
	rec_setup(NULL);
	wire = wire_masked = in_service = false;
	parent_irqs = 0;
	pl061_model(latch_levels, wire_changes);
	assert_int_equal(of_init(fdt), 0);
	intc = irq_domain_create_linear(of_fwnode(of_find_node_by_path("/intc")), 16, &intc_ops,
					NULL);
	assert_non_null(intc);
	wire_masked = true;
}

static struct gpio_chip *gpio;

static void find_gpio(void)
{
	gpio = gpiochip_next(NULL);
	assert_non_null(gpio);
	assert_null(gpiochip_next(gpio));
}

static int setup(void **state)
{
	(void)state;
	power_on(machine(), false);
	of_probe_drivers(PROBE_EARLY);
	find_gpio();
	return 0;
}

static int setup_keys(void **state)
{
	setup(state);
	of_probe_drivers(PROBE_NORMAL);
	return 0;
}
#define P(fn)	cmocka_unit_test_setup(fn, setup)
#define K(fn)	cmocka_unit_test_setup(fn, setup_keys)

static struct irq_data *line(unsigned int n)
{
	struct gpio_desc desc = { gpio, n, false };
	int irq = gpiod_to_irq(&desc);

	assert_true(irq > 0);
	return irq_get_irq_data(irq);
}

static unsigned int start(unsigned int n, unsigned long flags, void *cookie)
{
	unsigned int irq = line(n)->irq;

	assert_int_equal(request_irq(irq, rec_handler, flags, "t", cookie), 0);
	return irq;
}

static void assert_regs(u32 is, u32 ibe, u32 iev, u32 ie)
{
	assert_int_equal(pl061_model_reg(GPIOIS), is);
	assert_int_equal(pl061_model_reg(GPIOIBE), ibe);
	/* For both edges it does not matter. */
	assert_int_equal(pl061_model_reg(GPIOIEV) & ~ibe, iev & ~ibe);
	assert_int_equal(pl061_model_reg(GPIOIE), ie);
}

/* ---- The cascade -------------------------------------------------------------------------------- */

static void a_domain_of_eight_lines_under_the_parent(void **state)
{
	struct irq_domain *d = gpio->domain;
	unsigned int parent = irq_find_mapping(intc, WIRE);
	struct irq_desc *desc = irq_to_desc(parent);

	(void)state;
	assert_string_equal(d->name, "pl061");
	assert_int_equal(d->revmap_size, 8);
	assert_int_equal(d->gc->num_chips, 1);
	assert_int_equal(irq_domain_chained_on(d), parent);
	assert_int_equal(pl061_model_reg(GPIOIE), 0);	/* whatever was on before */

	assert_string_equal(irq_flow_name(desc), "chained");		/* S-109 */
	assert_int_equal(irqd_get_trigger_type(&desc->irq_data), IRQ_TYPE_LEVEL_HIGH);
	assert_true(irqd_is_started(&desc->irq_data));
	assert_false(wire_masked);
	assert_int_equal(request_irq(parent, rec_handler, 0, "t", NULL), -EINVAL);
	assert_int_equal(irq_create_mapping(d, 8), 0);
}

static void lines_apart_and_together(void **state)
{
	(void)state;
	start(0, IRQF_TRIGGER_RISING, "a");
	start(5, IRQF_TRIGGER_RISING, "b");
	start(7, IRQF_TRIGGER_HIGH, "c");
	drive(5, true);
	assert_rec("b");
	drive(1, true);
	assert_rec("");
	pl061_model_line(0, true);
	pl061_model_line(5, false);
	pl061_model_line(5, true);
	assert_int_equal(serve(), 1);		/* both in one interrupt of the parent */
	assert_rec("a b");
	assert_int_equal(parent_irqs, 2);
}

/* ---- S-069, S-118: triggers --------------------------------------------------------------------- */

static void s118_each_trigger_has_its_registers_and_its_flow(void **state)
{
	static const struct {
		unsigned int type;
		bool is, ibe, iev;
		irq_flow_handler_t flow;
	} cases[] = {
		{ IRQ_TYPE_EDGE_RISING, 0, 0, 1, handle_edge_irq },
		{ IRQ_TYPE_LEVEL_HIGH, 1, 0, 1, handle_level_irq },
		{ IRQ_TYPE_EDGE_BOTH, 0, 1, 0, handle_edge_irq },
		{ IRQ_TYPE_LEVEL_LOW, 1, 0, 0, handle_level_irq },
		{ IRQ_TYPE_EDGE_FALLING, 0, 0, 0, handle_edge_irq },
		{ IRQ_TYPE_NONE, 0, 0, 0, handle_bad_irq },
	};

	(void)state;
	for (unsigned int n = 0; n < 8; n += 3) {
		struct irq_data *d = line(n);

		assert_ptr_equal(irq_to_desc(d->irq)->handle_irq, handle_bad_irq);
		for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
			assert_int_equal(irq_set_irq_type(d->irq, cases[i].type), 0);
			assert_int_equal(irqd_get_trigger_type(d), cases[i].type);
			assert_ptr_equal(irq_to_desc(d->irq)->handle_irq, cases[i].flow);
			assert_regs(cases[i].is << n, cases[i].ibe << n, cases[i].iev << n, 0);
		}
	}
}

static void s118_not_an_edge_and_a_level(void **state)
{
	struct irq_data *d = line(2);

	(void)state;
	assert_int_equal(irq_set_irq_type(d->irq, IRQ_TYPE_LEVEL_LOW), 0);
	host_printk();
	assert_int_equal(irq_set_irq_type(d->irq, IRQ_TYPE_LEVEL_HIGH | IRQ_TYPE_EDGE_RISING),
			 -EINVAL);
	assert_true(logged("pl061@9030000: line 2"));
	assert_int_equal(irq_set_irq_type(d->irq, IRQ_TYPE_SENSE_MASK), -EINVAL);
	assert_int_equal(irq_set_irq_type(d->irq, IRQ_TYPE_LEVEL_MASK), -EINVAL);
	assert_int_equal(request_irq(d->irq, rec_handler,
				     IRQF_TRIGGER_LOW | IRQF_TRIGGER_FALLING, "t", NULL), -EINVAL);
	assert_int_equal(irqd_get_trigger_type(d), IRQ_TYPE_LEVEL_LOW);
	assert_ptr_equal(irq_to_desc(d->irq)->handle_irq, handle_level_irq);
	assert_regs(BIT(2), 0, 0, 0);
}

static void s118_both_edges_whatever_the_polarity_was(void **state)
{
	unsigned int irq = line(4)->irq;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(irq_set_irq_type(irq, i ? IRQ_TYPE_EDGE_RISING
							 : IRQ_TYPE_EDGE_FALLING), 0);
		start(4, IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING, NULL);
		rec_take();
		drive(4, true);
		drive(4, false);
		drive(4, true);
		drive(4, false);
		assert_rec("H H H H");
		free_irq(irq, NULL);
	}
}

static void one_edge_only(void **state)
{
	unsigned int rising = start(1, IRQF_TRIGGER_RISING, "r");

	(void)state;
	start(6, IRQF_TRIGGER_FALLING, "f");
	for (unsigned int i = 0; i < 3; i++) {
		drive(1, true), drive(6, true);
		assert_rec("r");
		drive(1, false), drive(6, false);
		assert_rec("f");
	}
	assert_int_equal(irq_to_desc(rising)->tot_count, 3);
}

/* The type changes under a running line: nothing is lost or made up by that. */
static void the_trigger_changes_while_it_runs(void **state)
{
	unsigned int irq = start(0, IRQF_TRIGGER_RISING, NULL);

	(void)state;
	drive(0, true);
	assert_rec("H");
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_FALLING), 0);
	serve();
	assert_rec("");
	assert_regs(0, 0, 0, 1);
	drive(0, false);
	assert_rec("H");
	drive(0, true);
	assert_rec("");
}

static void s118_a_line_without_a_trigger_is_silent(void **state)
{
	unsigned int irq = start(3, 0, NULL);

	(void)state;
	assert_int_equal(pl061_model_reg(GPIOIE), 0);
	drive(3, true);
	drive(3, false);
	assert_rec("");
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_RISING), 0);
	serve();
	assert_rec("");
	drive(3, true);
	assert_rec("H");
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_NONE), 0);
	drive(3, false);
	drive(3, true);
	assert_rec("");
}

/* ---- Levels ------------------------------------------------------------------------------------- */

static unsigned int quiet_after;	/* runs of the handler, before its device is quiet */

static irqreturn_t level_handler(int irq, void *dev_id)
{
	unsigned int n = irq_get_irq_data(irq)->hwirq;

	(void)dev_id;
	rec("L");
	assert_false(pl061_model_reg(GPIOIE) & BIT(n));		/* masked while it is served */
	if (!--quiet_after)
		pl061_model_line(n, !!(irqd_get_trigger_type(irq_get_irq_data(irq)) &
				       IRQ_TYPE_LEVEL_LOW));
	return IRQ_HANDLED;
}

/* Once a time that it is served, never once more; whether levels are latched or not. */
static void a_level_comes_until_it_is_gone(void **state)
{
	for (unsigned int latched = 0; latched < 2; latched++) {
		unsigned int irq;

		power_on(machine(), latched);
		of_probe_drivers(PROBE_EARLY);
		find_gpio();
		irq = line(4)->irq;
		assert_int_equal(request_irq(irq, level_handler, IRQF_TRIGGER_HIGH, "t", NULL), 0);
		for (unsigned int round = 1; round < 4; round++) {
			quiet_after = round;
			drive(4, true);
			assert_rec(round == 1 ? "L" : round == 2 ? "L L" : "L L L");
		}
		pl061_model_line(3, true);
		irq = line(3)->irq;
		assert_int_equal(request_irq(irq, level_handler, IRQF_TRIGGER_LOW, "t", NULL), 0);
		quiet_after = 1;
		drive(3, false);
		assert_rec("L");
		assert_false(wire);
	}
	(void)state;
}

static void a_level_that_was_there_before(void **state)
{
	(void)state;
	pl061_model_line(6, true);
	assert_int_equal(request_irq(line(6)->irq, level_handler, IRQF_TRIGGER_HIGH, "t", NULL),
			 0);
	quiet_after = 1;
	serve();
	assert_rec("L");
}

/* ---- Enabling and disabling --------------------------------------------------------------------- */

static void an_edge_of_a_disabled_line_comes_once_later(void **state)
{
	unsigned int irq = start(5, IRQF_TRIGGER_RISING, NULL);

	(void)state;
	disable_irq(irq);
	drive(5, true);			/* lazy: taken, masked, remembered */
	drive(5, false);
	drive(5, true);			/* latched behind the mask */
	assert_rec("");
	assert_int_equal(pl061_model_reg(GPIOIE), 0);
	enable_irq(irq);
	host_run_deferred();
	serve();
	assert_true(irq_to_desc(irq)->tot_count >= 1);
	rec_take();
	drive(5, false);
	drive(5, true);
	assert_rec("H");

	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	disable_irq(irq);
	drive(5, false);
	drive(5, true);
	assert_rec("");
	enable_irq(irq);
	host_run_deferred();
	serve();
	assert_rec("H");
}

static void free_turns_the_line_off(void **state)
{
	unsigned int irq = start(5, IRQF_TRIGGER_RISING, NULL);

	(void)state;
	start(1, IRQF_TRIGGER_RISING, "other");
	assert_int_equal(pl061_model_reg(GPIOIE), BIT(5) | BIT(1));
	free_irq(irq, NULL);
	assert_int_equal(pl061_model_reg(GPIOIE), BIT(1));
	drive(5, true);
	drive(1, true);
	assert_rec("other");
}

static void a_stray_line_is_turned_off_by_name(void **state)
{
	unsigned int irq = start(2, IRQF_TRIGGER_RISING, NULL);

	(void)state;
	start(1, IRQF_TRIGGER_RISING, "other");
	free_irq(irq, NULL);
	irq_dispose_mapping(irq);
	/* Nobody could do that but a driver that writes past us. */
	host_bus_write(PL061_BASE + GPIOIE, BIT(2) | BIT(1), 4);
	host_printk();
	drive(2, false);
	drive(2, true);
	assert_true(logged("line 2"));
	assert_int_equal(pl061_model_reg(GPIOIE), BIT(1));
	assert_int_equal(serve(), 0);
	drive(1, true);
	assert_rec("other");
}

static void an_output_does_not_interrupt(void **state)
{
	struct gpio_desc desc = { gpio, 2, false };
	bool level;

	(void)state;
	pl061_model_set_dir(BIT(2) | BIT(6));
	host_printk();
	assert_int_equal(request_irq(line(2)->irq, rec_handler, IRQF_TRIGGER_RISING, "t", NULL),
			 -EIO);
	assert_true(logged("line 2 is an output"));
	assert_int_equal(gpiod_direction_input(&desc), 0);
	assert_int_equal(pl061_model_reg(0x400), BIT(6));
	start(2, IRQF_TRIGGER_RISING, NULL);
	assert_int_equal(gpiod_get_value(&desc), 0);
	drive(2, true);
	assert_int_equal(gpiod_get_value(&desc), 1);
	desc.active_low = true;
	assert_int_equal(gpiod_get_value(&desc), 0);
	assert_int_equal(irq_get_irqchip_state(line(2)->irq, IRQCHIP_STATE_LINE_LEVEL, &level), 0);
	assert_true(level);
}

/* ---- Coming and going --------------------------------------------------------------------------- */

static struct platform_device pdev;

static const struct of_driver *prepare(const char *name, const char *path)
{
	struct device_node *np = of_find_node_by_path(path);

	assert_non_null(np);
	pdev = (struct platform_device){ .node = np };
	pdev.dev.name = np->name;
	pdev.dev.fwnode = &np->fwnode;
	for_each_table(pos, of_driver, const struct of_driver)
		if (!strcmp((*pos)->name, name))
			return *pos;
	fail_msg("no driver %s", name);
	return NULL;
}

static bool come_and_go(void *arg)
{
	const struct of_driver *pl061 = arg;

	if (pl061->probe(&pdev))
		return false;
	pl061->remove(&pdev);
	return true;
}

static void without_memory_and_removed_nothing_is_left(void **state)
{
	const struct of_driver *pl061;
	unsigned int parent;

	(void)state;
	power_on(machine(), false);
	parent = irq_create_mapping(intc, WIRE);
	irq_get_irq_data(parent);
	irqd_set_trigger_type(irq_get_irq_data(parent), IRQ_TYPE_LEVEL_HIGH);
	pl061 = prepare("pl061", "/pl061@9030000");
	assert_true(fail_each(come_and_go, (void *)pl061) >= 5);
	assert_null(gpiochip_next(NULL));
	assert_true(wire_masked);
	assert_int_equal(request_irq(parent, rec_handler, 0, "t", NULL), -EINVAL);

	assert_int_equal(pl061->probe(&pdev), 0);
	find_gpio();
	start(3, IRQF_TRIGGER_RISING, NULL);
	drive(3, true);
	assert_rec("H");
	free_irq(line(3)->irq, NULL);
	pl061->remove(&pdev);
	assert_int_equal(pl061_model_reg(GPIOIE), 0);
}

static void a_parent_line_in_use_is_refused(void **state)
{
	const struct of_driver *pl061;
	unsigned int parent;

	(void)state;
	power_on(machine(), false);
	pl061 = prepare("pl061", "/pl061@9030000");
	parent = irq_create_mapping(intc, WIRE);
	assert_int_equal(request_irq(parent, rec_handler, IRQF_TRIGGER_HIGH, "t", NULL), 0);
	assert_int_equal(pl061->probe(&pdev), -EBUSY);
	assert_null(gpiochip_next(NULL));
	free_irq(parent, NULL);
}

/* ---- The power key ------------------------------------------------------------------------------ */

static unsigned int key_irq(void)
{
	unsigned int irq = irq_find_mapping(gpio->domain, 3);

	assert_int_not_equal(irq, 0);
	return irq;
}

static void press(void)
{
	drive(3, true);
	drive(3, false);
	host_run_deferred();
}

static void fifty_presses_are_a_hundred_edges(void **state)
{
	char text[2048];

	(void)state;
	assert_string_equal(irq_to_desc(key_irq())->action->name, "poweroff");
	assert_int_equal(shell_capture("gpio watch", text, sizeof(text)), 0);
	assert_non_null(strstr(text, "\"watch\":true"));
	for (unsigned int i = 0; i < 50; i++)
		press();
	assert_int_equal(irq_to_desc(key_irq())->tot_count, 100);
	assert_int_equal(shell_capture("gpio", text, sizeof(text)), 0);
	assert_non_null(strstr(text, "{\"lines\":[{\"chip\":\"pl061@9030000\",\"line\":0,\"level\":0,"
				     "\"irq\":null,\"edges\":0}"));
	assert_non_null(strstr(text, "\"line\":3,\"level\":0,\"irq\":"));
	assert_non_null(strstr(text, "\"edges\":100}"));
	assert_int_equal(parent_irqs, 100);
}

static void leave_at_once(int status, void *arg)
{
	(void)arg;
	_exit(status);
}

/* Runs FN in a child: its exit status; the power-off of the host port is exit(0). */
static int status_of(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		on_exit(leave_at_once, NULL);	/* without a look for leaks */
		fn();
		_exit(42);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void press_down(void) { drive(3, true); host_run_deferred(); }
static void press_unseen(void)
{
	pl061_model_line(3, true);
	pl061_model_line(3, false);
	serve();
	host_run_deferred();
}
static void press_watched(void) { gpio_watch(true); press(); }
static void press_unwatched(void)
{
	char text[2048];

	press_watched();
	shell_capture("gpio watch off", text, sizeof(text));
	press();
}
static void other_line(void) { drive(2, true); drive(4, true); host_run_deferred(); }
static void released(void) { gpio_watch(true); drive(3, true); gpio_watch(false); drive(3, false); }

static void the_power_key_powers_off(void **state)
{
	(void)state;
	assert_int_equal(status_of(press_down), 0);
	assert_int_equal(status_of(press_unseen), 0);
	assert_int_equal(status_of(press_unwatched), 0);
	assert_int_equal(status_of(press_watched), 42);
	assert_int_equal(status_of(other_line), 42);
	assert_int_equal(status_of(released), 42);
}

static const char *boot_with_keys(void (*keys)(struct tree *t))
{
	add_intc(&tree);
	add_pl061(&tree);
	tree_node(&tree, "gpio-keys");
	tree_string(&tree, "compatible", "gpio-keys");
	keys(&tree);
	tree_end(&tree);
	power_on(tree_finish(&tree, NULL), false);
	of_probe_drivers(PROBE_EARLY);
	find_gpio();
	host_printk();
	of_probe_drivers(PROBE_NORMAL);
	return host_printk();
}

static void one_good_key_among_bad_ones(struct tree *t)
{
	add_key(t, "beyond", PH_PL061, 8, 0, 1);
	add_key(t, "nowhere", 77, 1, 0, 1);
	add_key(t, "strange", PH_INTC, 1, 0, 1);
	tree_node(t, "without");
	tree_end(t);
	add_key(t, "low", PH_PL061, 5, 1, 30);
}

static void bad_keys_are_named_and_good_ones_work(void **state)
{
	const char *log = boot_with_keys(one_good_key_among_bad_ones);

	(void)state;
	assert_non_null(strstr(log, "beyond: gpios: line 8"));
	assert_non_null(strstr(log, "/gpio-keys/nowhere: this key does not work"));
	assert_non_null(strstr(log, "/gpio-keys/strange: this key does not work"));
	assert_non_null(strstr(log, "/gpio-keys/without: this key does not work: ENOENT"));
	assert_null(strstr(log, "gpio-keys: /gpio-keys"));
	assert_int_equal(pl061_model_reg(GPIOIE), BIT(5));
	drive(5, true);
	drive(5, false);
	host_run_deferred();
	assert_int_equal(irq_to_desc(irq_find_mapping(gpio->domain, 5))->tot_count, 2);
}

static void no_good_key(struct tree *t)
{
	add_key(t, "beyond", PH_PL061, 9, 0, 116);
}

static void without_any_key_the_driver_does_not_start(void **state)
{
	(void)state;
	assert_non_null(strstr(boot_with_keys(no_good_key), "gpio-keys: /gpio-keys"));
}

static void keys_without_memory_leave_nothing(void **state)
{
	const struct of_driver *keys = prepare("gpio-keys", "/gpio-keys");

	(void)state;
	assert_true(fail_each(come_and_go, (void *)keys) >= 3);
	assert_int_equal(irq_find_mapping(gpio->domain, 3), 0);
	assert_int_equal(pl061_model_reg(GPIOIE), 0);
}

static void no_controller(void **state)
{
	char text[256];

	(void)state;
	add_intc(&tree);
	power_on(tree_finish(&tree, NULL), false);
	of_probe_drivers(PROBE_EARLY);
	assert_int_equal(shell_capture("gpio", text, sizeof(text)), 0);
	assert_string_equal(text, "{\"lines\":[],\"watch\":false}");
	assert_int_equal(shell_capture("gpio watch", text, sizeof(text)), -ENODEV);
	assert_non_null(strstr(text, "{\"error\":"));
	assert_int_equal(shell_capture("gpio wotch", text, sizeof(text)), -EINVAL);
	assert_int_equal(shell_capture("gpio watch of", text, sizeof(text)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		P(a_domain_of_eight_lines_under_the_parent),
		P(lines_apart_and_together),
		P(s118_each_trigger_has_its_registers_and_its_flow),
		P(s118_not_an_edge_and_a_level),
		P(s118_both_edges_whatever_the_polarity_was),
		P(one_edge_only),
		P(the_trigger_changes_while_it_runs),
		P(s118_a_line_without_a_trigger_is_silent),
		P(a_level_comes_until_it_is_gone),
		P(a_level_that_was_there_before),
		P(an_edge_of_a_disabled_line_comes_once_later),
		P(free_turns_the_line_off),
		P(a_stray_line_is_turned_off_by_name),
		P(an_output_does_not_interrupt),
		P(without_memory_and_removed_nothing_is_left),
		P(a_parent_line_in_use_is_refused),
		K(fifty_presses_are_a_hundred_edges),
		K(the_power_key_powers_off),
		P(bad_keys_are_named_and_good_ones_work),
		P(without_any_key_the_driver_does_not_start),
		P(keys_without_memory_leave_nothing),
		P(no_controller),
	};

	return cmocka_run_group_tests_name("pl061", tests, NULL, NULL);
}

/* The device tree: nodes, addresses, interrupts (semantics S-028 to S-031), and damaged trees. */
#include <asm/isa.h>
#include <kernel/driver.h>
#include <kernel/printk.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "model.h"
#include "models/imsic.h"
#include "models/pci.h"
#include "support/board.h"
#include "support/die.h"
#include "support/random.h"
#include "support/rec.h"
#include "support/tree.h"

static struct tree t;

static void load(void)
{
	assert_int_equal(of_init(tree_finish(&t, NULL)), 0);
}

static void controller(const char *name, u32 phandle, u32 cells)
{
	tree_node(&t, name);
	tree_empty(&t, "interrupt-controller");
	tree_cells(&t, "#interrupt-cells", 1, cells);
	tree_cells(&t, "phandle", 1, phandle);
}

/* ---- Nodes and properties ------------------------------------------------------------------------------ */

static void nodes_and_properties(void **state)
{
	struct device_node *a, *b;
	const char *text;
	u32 v;

	(void)state;
	tree_begin(&t);
	tree_node(&t, "a@1");
	tree_strings(&t, "compatible", "x,one\0y,two", 11);
	tree_cells(&t, "list", 3, 7, 8, 0xffffffff);
	tree_string(&t, "text", "hello");
	tree_prop(&t, "unterminated", "abc", 3);
	tree_cells(&t, "phandle", 1, 5);
	tree_node(&t, "b");
	tree_string(&t, "status", "disabled");
	tree_end(&t);
	tree_end(&t);
	tree_node(&t, "c");
	tree_string(&t, "compatible", "y,two");
	tree_string(&t, "status", "ok");
	tree_end(&t);
	load();
	a = of_find_node_by_path("/a@1");
	b = of_find_node_by_path("/a@1/b");
	assert_string_equal(a->name, "a@1");
	assert_string_equal(b->fwnode.name, "/a@1/b");
	assert_ptr_equal(b->parent, a);
	assert_true(a->available && !b->available);
	assert_ptr_equal(of_find_node_by_phandle(5), a);
	assert_null(of_find_node_by_phandle(6));
	assert_null(of_find_node_by_path("/nobody"));
	assert_true(of_device_is_compatible(a, "y,two"));
	assert_false(of_device_is_compatible(a, "y,tw"));
	assert_ptr_equal(of_find_compatible_node(NULL, "y,two"), a);
	assert_ptr_equal(of_find_compatible_node(a, "y,two"), of_find_node_by_path("/c"));
	assert_int_equal(of_property_read_u32_index(a, "list", 2, &v), 0);
	assert_int_equal(v, 0xffffffff);
	assert_int_equal(of_property_read_u32_index(a, "list", 3, &v), -ENODATA);
	assert_int_equal(of_property_read_u32(a, "none", &v), -EINVAL);
	assert_int_equal(of_property_read_string(a, "text", &text), 0);
	assert_string_equal(text, "hello");
	assert_int_not_equal(of_property_read_string(a, "unterminated", &text), 0);
	assert_true(of_property_present(a, "list"));
	assert_ptr_equal(of_node_next(a), b);
	assert_null(of_node_next(of_find_node_by_path("/c")));
}

static void boot_arguments(void **state)
{
	char value[40];

	(void)state;
	tree_begin(&t);
	tree_node(&t, "chosen");
	tree_string(&t, "bootargs", "one=1 two cmd=\"a \\\"b\\\"; c\\\\d\" big=0x10 twofold=2");
	tree_end(&t);
	load();
	assert_true(boot_arg("cmd", value, sizeof(value)));
	assert_string_equal(value, "a \"b\"; c\\d");
	assert_true(boot_arg("two", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_false(boot_arg("three", value, sizeof(value)));
	assert_int_equal(boot_arg_u64("one", 9), 1);
	assert_int_equal(boot_arg_u64("big", 9), 16);
	assert_int_equal(boot_arg_u64("none", 9), 9);
}

/* ---- Addresses -------------------------------------------------------------------------------------------- */

static void addresses_are_translated_through_every_bus(void **state)
{
	struct resource res;

	(void)state;
	tree_begin(&t);
	tree_cells(&t, "#address-cells", 1, 2);
	tree_cells(&t, "#size-cells", 1, 2);
	tree_node(&t, "outer");
	tree_cells(&t, "#address-cells", 1, 1);
	tree_cells(&t, "#size-cells", 1, 1);
	tree_cells(&t, "ranges", 8, 0x1000, 2, 0x30000000, 0x1000, 0x8000, 4, 0, 0x8000);
	tree_node(&t, "inner");
	tree_cells(&t, "#address-cells", 1, 1);
	tree_cells(&t, "#size-cells", 1, 1);
	tree_empty(&t, "ranges");
	tree_node(&t, "dev");
	tree_cells(&t, "reg", 4, 0x1800, 0x100, 0x8004, 4);
	tree_end(&t);
	tree_end(&t);
	tree_node(&t, "closed");
	tree_cells(&t, "#address-cells", 1, 1);
	tree_cells(&t, "#size-cells", 1, 0);
	tree_node(&t, "dev");
	tree_cells(&t, "reg", 1, 7);
	tree_end(&t);
	tree_end(&t);
	tree_end(&t);
	load();
	assert_int_equal(of_address_to_resource(of_find_node_by_path("/outer/inner/dev"), 0, &res), 0);
	assert_int_equal(res.start, 0x230000800);
	assert_int_equal(res.size, 0x100);
	assert_int_equal(of_address_to_resource(of_find_node_by_path("/outer/inner/dev"), 1, &res), 0);
	assert_int_equal(res.start, 0x400000004);
	assert_int_equal(of_address_to_resource(of_find_node_by_path("/outer/inner/dev"), 2, &res),
			 -EINVAL);
	assert_int_equal(of_address_to_resource(of_find_node_by_path("/outer/closed/dev"), 0, &res),
			 -EINVAL);
}

static void pci_ranges(void **state)
{
	struct of_range range;
	struct device_node *np;

	(void)state;
	assert_int_equal(of_init(board_tree(BOARD_PCI, NULL)), 0);
	np = of_find_compatible_node(NULL, "pci-host-ecam-generic");
	assert_int_equal(of_range_at(np, "ranges", 2, &range), 0);
	assert_int_equal(range.flags, 0x3000000);
	assert_int_equal(range.bus_addr, 0x400000000);
	assert_int_equal(range.cpu_addr, 0x400000000);
	assert_int_equal(of_range_at(np, "ranges", 3, &range), -ENOENT);
	assert_int_equal(of_range_at(np, "dma-ranges", 0, &range), -ENOENT);
}

/* ---- Interrupts --------------------------------------------------------------------------------------------- */

static void parse(const char *path, unsigned int index, const char *expected)
{
	struct of_phandle_args args;
	int err = of_irq_parse_one(of_find_node_by_path(path), index, &args);
	char text[128] = "";

	if (err)
		snprintf(text, sizeof(text), "%s", errname(err));
	else
		snprintf(text, sizeof(text), "%s %u:%u,%u", args.np->name, args.args_count,
			 args.args[0], args.args_count > 1 ? args.args[1] : 0);
	assert_string_equal(text, expected);
}

static void s029_extended_wins_and_the_parent_is_inherited(void **state)
{
	(void)state;
	tree_begin(&t);
	tree_cells(&t, "interrupt-parent", 1, 1);
	controller("a", 1, 2);
	tree_end(&t);
	controller("b", 2, 1);
	tree_node(&t, "below");		/* its parent is a controller: nearest with cells */
	tree_cells(&t, "interrupts", 1, 77);
	tree_end(&t);
	tree_end(&t);
	tree_node(&t, "bus");
	tree_node(&t, "dev");
	tree_cells(&t, "interrupts", 4, 5, 4, 6, 1);
	tree_end(&t);
	tree_node(&t, "both");
	tree_cells(&t, "interrupts", 2, 5, 4);
	tree_cells(&t, "interrupts-extended", 5, 2, 9, 1, 8, 2);
	tree_end(&t);
	tree_node(&t, "own");
	tree_cells(&t, "interrupt-parent", 1, 2);
	tree_cells(&t, "interrupts", 1, 3);
	tree_end(&t);
	tree_node(&t, "none");
	tree_end(&t);
	tree_node(&t, "short");
	tree_cells(&t, "interrupts", 1, 3);
	tree_end(&t);
	tree_node(&t, "nowhere");
	tree_cells(&t, "interrupts-extended", 2, 99, 1);
	tree_end(&t);
	tree_end(&t);
	load();
	parse("/bus/dev", 0, "a 2:5,4");
	parse("/bus/dev", 1, "a 2:6,1");
	parse("/bus/dev", 2, "ENXIO");
	parse("/bus/both", 0, "b 1:9,0");
	parse("/bus/both", 1, "a 2:8,2");
	parse("/bus/both", 2, "ENXIO");
	parse("/bus/own", 0, "b 1:3,0");
	parse("/bus/none", 0, "ENXIO");
	parse("/bus/short", 0, "EINVAL");
	parse("/bus/nowhere", 0, "EINVAL");
	assert_int_equal(of_irq_count(of_find_node_by_path("/bus/dev")), 2);
	assert_int_equal(of_irq_count(of_find_node_by_path("/bus/both")), 2);
	assert_int_equal(of_irq_count(of_find_node_by_path("/bus/none")), 0);
}

static void s030_s031_controllers_with_a_map_use_it(void **state)
{
	(void)state;
	tree_begin(&t);
	tree_cells(&t, "#address-cells", 1, 0);
	tree_cells(&t, "#size-cells", 1, 0);
	controller("end", 1, 2);
	tree_end(&t);
	controller("mapped", 2, 1);
	tree_cells(&t, "#address-cells", 1, 0);
	/* line 3 goes on to `end', line 4 ends here, 5 is to nobody, 6 to a disabled one, then end */
	tree_cells(&t, "interrupt-map", 15, 3, 1, 33, 4, 4, 2, 4, 6, 3, 1, 1, 6, 1, 66, 4);
	tree_end(&t);
	controller("off", 3, 2);
	tree_string(&t, "status", "disabled");
	tree_end(&t);
	for (u32 i = 3; i <= 6; i++) {
		char name[8];

		snprintf(name, sizeof(name), "d%u", i);
		tree_node(&t, name);
		tree_cells(&t, "interrupt-parent", 1, 2);
		tree_cells(&t, "interrupts", 1, i);
		tree_end(&t);
	}
	load();
	parse("/d3", 0, "end 2:33,4");
	parse("/d4", 0, "mapped 1:4,0");
	parse("/d5", 0, "EINVAL");
	parse("/d6", 0, "end 2:66,4");
}

static void s030_maps_in_a_circle_end(void **state)
{
	(void)state;
	tree_begin(&t);
	tree_cells(&t, "#address-cells", 1, 0);
	tree_cells(&t, "#size-cells", 1, 0);
	for (u32 i = 1; i <= 2; i++) {
		tree_node(&t, i == 1 ? "x" : "y");
		tree_cells(&t, "#interrupt-cells", 1, 1);
		tree_cells(&t, "#address-cells", 1, 0);
		tree_cells(&t, "phandle", 1, i);
		tree_cells(&t, "interrupt-map", 3, 7, 3 - i, 7);
		tree_end(&t);
	}
	tree_node(&t, "dev");
	tree_cells(&t, "interrupt-parent", 1, 1);
	tree_cells(&t, "interrupts", 1, 7);
	tree_end(&t);
	tree_node(&t, "self");
	tree_cells(&t, "phandle", 1, 9);
	tree_cells(&t, "interrupt-parent", 1, 9);
	tree_cells(&t, "interrupts", 1, 7);
	tree_end(&t);
	load();
	parse("/dev", 0, "EINVAL");
	parse("/self", 0, "EINVAL");
}

static void s031_qemus_map_of_four_slots_and_pins(void **state)
{
	struct device_node *np;

	(void)state;
	assert_int_equal(of_init(board_tree(BOARD_PCI, NULL)), 0);
	np = of_find_compatible_node(NULL, "pci-host-ecam-generic");
	for (u32 dev = 0; dev < 32; dev++)
		for (u32 pin = 1; pin <= 4; pin++) {
			u8 unit[12] = { 0, 0, dev << 3 };
			struct of_phandle_args args = { np, 1, { pin } };

			assert_int_equal(of_irq_parse_raw(unit, &args), 0);
			assert_string_equal(args.np->name, "interrupt-controller@d000000");
			assert_int_equal(args.args[0], 32 + (dev + pin - 1) % 4);
			assert_int_equal(args.args[1], 4);
		}
	struct of_phandle_args none = { np, 1, { 5 } };
	u8 unit[12] = { 0 };

	assert_int_equal(of_irq_parse_raw(unit, &none), -EINVAL);
}

static void s028_platform_get_irq_never_gives_zero(void **state)
{
	struct platform_device pdev = { .dev.name = "dev" };
	struct irq_domain *d;

	(void)state;
	tree_begin(&t);
	controller("a", 1, 1);
	tree_end(&t);
	tree_node(&t, "dev");
	tree_cells(&t, "interrupt-parent", 1, 1);
	tree_cells(&t, "interrupts", 3, 3, 99, 4);
	tree_strings(&t, "interrupt-names", "rx\0far\0tx", 9);
	tree_end(&t);
	tree_node(&t, "odd");
	tree_cells(&t, "interrupt-parent", 1, 1);
	tree_cells(&t, "interrupts", 1, 5);
	tree_prop(&t, "interrupt-names", "abc", 3);
	tree_end(&t);
	tree_node(&t, "none");
	tree_end(&t);
	load();
	pdev.node = of_find_node_by_path("/dev");
	host_printk();
	assert_int_equal(platform_get_irq(&pdev, 0), -EINVAL);	/* no domain */
	assert_true(logged("warning: kernel/driver.c"));
	assert_int_equal(of_irq_get(pdev.node, 0), 0);
	assert_int_equal(irq_of_parse_and_map(pdev.node, 0), 0);
	d = irq_domain_add_linear(of_find_node_by_path("/a"), 8, &rec_ops, NULL);
	assert_true(platform_get_irq(&pdev, 0) > 0);
	assert_int_equal(irq_find_mapping(d, 3), platform_get_irq(&pdev, 0));
	assert_int_equal(platform_get_irq(&pdev, 1), -EINVAL);	/* beyond the domain */
	assert_int_equal(platform_get_irq(&pdev, 3), -ENXIO);
	assert_int_equal(platform_get_irq_optional(&pdev, 3), -ENXIO);
	assert_int_equal(platform_irq_count(&pdev), 3);
	assert_int_equal(platform_get_irq_byname(&pdev, "tx"), platform_get_irq(&pdev, 2));
	assert_int_equal(irq_find_mapping(d, 4), irq_of_parse_and_map(pdev.node, 2));
	assert_int_equal(of_irq_get_byname(pdev.node, "rx"), irq_find_mapping(d, 3));
	assert_int_equal(of_irq_get_byname(pdev.node, "r"), -ENODATA);
	assert_int_equal(platform_get_irq_byname(&pdev, "far"), -EINVAL);
	assert_int_equal(platform_get_irq_byname_optional(&pdev, "no"), -ENXIO);
	pdev.node = of_find_node_by_path("/odd");
	assert_int_equal(platform_get_irq_byname(&pdev, "abc"), -ENXIO);
	pdev.node = of_find_node_by_path("/none");
	assert_int_equal(platform_get_irq(&pdev, 0), -ENXIO);
	assert_int_equal(platform_get_irq_byname(&pdev, "rx"), -ENXIO);
	assert_int_equal(platform_irq_count(&pdev), 0);
}

static void z5_domains_by_node_under_either_name(void **state)
{
	static const struct irq_domain_ops alloc_only = { .alloc = NULL };
	struct device_node *np;
	struct irq_domain *d;
	struct irq_fwspec spec;
	u32 cells[] = { 3, 4 };

	(void)state;
	tree_begin(&t);
	controller("a", 1, 2);
	tree_end(&t);
	load();
	np = of_find_node_by_path("/a");
	assert_null(irq_find_host(np));
	d = irq_domain_add_tree(np, &rec_ops, NULL);
	assert_ptr_equal(irq_find_host(np), d);
	assert_ptr_equal(irq_domain_get_of_node(d), np);
	irq_domain_update_bus_token(d, DOMAIN_BUS_WIRED);
	irq_domain_add_nomap(np, 8, &rec_ops, NULL);
	irq_domain_add_hierarchy(d, 0, 0, np, &alloc_only, NULL);
	assert_int_equal(irq_alloc_descs(20, 20, 4, -1), 20);
	assert_int_equal(irq_find_mapping(irq_domain_add_simple(np, 2, 20, &rec_ops, NULL), 1), 21);
	assert_int_equal(irq_find_mapping(irq_domain_add_legacy(np, 2, 22, 7, &rec_ops, NULL), 7), 22);
	assert_ptr_equal(irq_find_host(np), d);		/* its wires */
	of_phandle_args_to_fwspec(np, cells, 2, &spec);
	assert_int_not_equal(irq_create_fwspec_mapping(&spec), 0);
	assert_int_not_equal(irq_find_mapping(d, 3), 0);
}

static void phandle_lists(void **state)
{
	struct of_phandle_args args;
	struct device_node *np;

	(void)state;
	tree_begin(&t);
	tree_node(&t, "two");
	tree_cells(&t, "phandle", 1, 1);
	tree_cells(&t, "#x-cells", 1, 2);
	tree_end(&t);
	tree_node(&t, "wild");
	tree_cells(&t, "phandle", 1, 2);
	tree_cells(&t, "#x-cells", 1, 0x40000000);
	tree_end(&t);
	tree_node(&t, "user");
	tree_cells(&t, "good", 6, 1, 10, 11, 1, 20, 21);
	tree_cells(&t, "cut", 2, 1, 10);
	tree_cells(&t, "wild", 2, 2, 1);
	tree_cells(&t, "lost", 1, 77);
	tree_end(&t);
	load();
	np = of_find_node_by_path("/user");
	assert_int_equal(of_parse_phandle_with_args(np, "good", "#x-cells", 1, &args), 0);
	assert_int_equal(args.args[1], 21);
	assert_int_equal(of_parse_phandle_with_args(np, "good", "#x-cells", 2, &args), -ENOENT);
	assert_int_equal(of_parse_phandle_with_args(np, "absent", "#x-cells", 0, &args), -ENOENT);
	assert_int_equal(of_parse_phandle_with_args(np, "cut", "#x-cells", 0, &args), -EINVAL);
	assert_int_equal(of_parse_phandle_with_args(np, "wild", "#x-cells", 0, &args), -EINVAL);
	assert_int_equal(of_parse_phandle_with_args(np, "lost", "#x-cells", 0, &args), -EINVAL);
	assert_null(of_parse_phandle(np, "lost", 0));
}

/* ---- Damaged trees -------------------------------------------------------------------------------------------- */

/* Whatever one can ask a node. */
static void ask_everything(void)
{
	struct of_phandle_args args;
	struct device_node *np, *other;
	struct resource res;
	struct of_range range;
	const char *text;
	u32 v;

	for_each_of_node(np) {
		for (unsigned int i = 0; i < 4; i++) {
			of_address_to_resource(np, i, &res);
			of_irq_parse_one(np, i, &args);
			of_irq_map_at(np, i, &args);
			of_range_at(np, "ranges", i, &range);
			of_property_read_u32_index(np, "reg", i, &v);
		}
		of_irq_count(np);
		of_msi_map_id(np, 8, &other, &v);
		of_property_read_string(np, "compatible", &text);
		of_device_is_compatible(np, "riscv");
		of_find_node_by_path(np->fwnode.name);
	}
}

static void try_tree(const u8 *blob, size_t size)
{
	u8 *copy = malloc(size);		/* exactly: one byte beyond is an error */

	memcpy(copy, blob, size);
	if (!of_init(copy))
		ask_everything();
	host_printk();
	of_init(tree_finish(&t, NULL));		/* forget it */
	free(copy);
}

static void put_be32(u8 *p, u32 v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static void truncated_trees_are_refused(void **state)
{
	size_t size;
	const u8 *blob = board_tree(BOARD_PCI | BOARD_SERIAL, &size);
	u8 *cut = malloc(size);

	(void)state;
	tree_begin(&t);
	for (size_t n = 40; n < size; n += n < 200 ? 1 : 37) {
		memcpy(cut, blob, n);
		put_be32(cut + 4, n);		/* totalsize: the rest is not there */
		try_tree(cut, n);
		assert_int_not_equal(of_init(cut), 0);
		tree_begin(&t);
		of_init(tree_finish(&t, NULL));
		tree_begin(&t);
	}
	free(cut);
}

/* A few bytes, cells or words of the tree become something else. */
static void damage(u8 *p, size_t size, u64 *r)
{
	for (unsigned int n = 1 + host_random(r) % 4; n; n--) {
		size_t at = 8 + host_random(r) % (size - 12);

		switch (host_random(r) % 4) {
		case 0:
			p[at] = host_random(r);
			break;
		case 1:
			p[at] ^= 1 << host_random(r) % 8;
			break;
		case 2:
			at = ALIGN_DOWN(at, 4UL);
			put_be32(p + at, host_random(r) % 2 ? 0xffffffff : host_random(r) % 64);
			break;
		default:
			at = ALIGN_DOWN(at, 4UL);
			memmove(p + at, p + 56 + host_random(r) % (size - 60), 4);
		}
	}
}

static void damaged_trees_do_no_harm(void **state)
{
	u64 r = random_seed();
	size_t size;
	const u8 *blob = board_tree(BOARD_PCI | BOARD_SERIAL, &size);
	u8 *bad = malloc(size);

	(void)state;
	tree_begin(&t);
	for (int i = 0; i < 1500; i++) {
		memcpy(bad, blob, size);
		damage(bad, size, &r);
		try_tree(bad, size);
		tree_begin(&t);
	}
	free(bad);
}

/* ---- A machine that boots from a damaged tree: in a child, as a panic is a fair answer -------------------------- */

static const void *bad_tree;

static void models(void)
{
	imsic_model(BOARD_HARTS, board_files);
	aplic_model();
	pci_model();
}

static void boot_bad_tree(void)
{
	host_boot(bad_tree, BOARD_BOOT_HART, models);
	host_run_deferred();
}

/* True unless a sanitizer complained, it crashed or hung. */
static bool survives(void)
{
	static char out[65536];
	int status = in_child(boot_bad_tree, out, sizeof(out));

	if (!strstr(out, "Sanitizer") && !strstr(out, "runtime error") &&
	    (!WIFSIGNALED(status) || WTERMSIG(status) == SIGABRT))
		return true;
	print_error("status 0x%x: %s\n", status, out);
	return false;
}

static void booting_from_damaged_trees_does_no_harm(void **state)
{
	unsigned int rounds = soak(120, 5000);
	u64 r = random_seed();
	size_t size;
	u8 *bad;

	(void)state;
	board_tree(BOARD_PCI | BOARD_SERIAL, &size);
	bad = malloc(size);
	bad_tree = bad;
	for (unsigned int i = 0; i < rounds; i++) {
		memcpy(bad, board_tree(BOARD_PCI, &size), size);
		damage(bad, size, &r);
		if (!survives())
			fail_msg("round %u", i);
	}
	free(bad);
}

/* ---- A hart's extensions ------------------------------------------------------------------------------- */

/* In LIST, or in STRING (NULL: there is none). */
static bool has(const char *list, size_t len, const char *string, const char *extension)
{
	tree_begin(&t);
	tree_node(&t, "cpu");
	if (list)
		tree_strings(&t, "riscv,isa-extensions", list, len);
	if (string)
		tree_string(&t, "riscv,isa", string);
	tree_end(&t);
	load();
	return hart_has(of_find_node_by_path("/cpu"), extension);
}

static void extensions_are_whole_words(void **state)
{
	(void)state;
	assert_false(has(NULL, 0, NULL, "sstc"));
	assert_true(has("i\0zicboz\0sstc", 13, NULL, "zicboz"));
	assert_true(has("i\0zicboz\0sstc", 13, NULL, "sstc"));
	assert_false(has("i\0zicbozx\0xsstc", 15, NULL, "sstc"));
	assert_true(has("i", 1, "rv64i_sstc", "sstc"));
	assert_true(has(NULL, 0, "rv64imac_zicboz_sstc", "zicboz"));
	assert_true(has(NULL, 0, "rv64imac_sstcx_sstc", "sstc"));
	assert_false(has(NULL, 0, "rv64imac_sstcx_xsstc_ss", "sstc"));
	assert_false(has(NULL, 0, "sstc", "sstc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(extensions_are_whole_words),
		T(nodes_and_properties),
		T(boot_arguments),
		T(addresses_are_translated_through_every_bus),
		T(pci_ranges),
		T(s029_extended_wins_and_the_parent_is_inherited),
		T(s030_s031_controllers_with_a_map_use_it),
		T(s030_maps_in_a_circle_end),
		T(s031_qemus_map_of_four_slots_and_pins),
		T(s028_platform_get_irq_never_gives_zero),
		T(z5_domains_by_node_under_either_name),
		T(phandle_lists),
		T(truncated_trees_are_refused),
		T(damaged_trees_do_no_harm),
		T(booting_from_damaged_trees_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

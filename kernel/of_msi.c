/*
 * Message interrupts and controllers in the device tree: which controller takes a device's
 * messages, and in which order controllers start.
 *
 *	msi-map = <first-id &controller first-out-id count> …	under msi-map-mask, or
 *	msi-parent = <&controller>				for every id alike
 *
 * Starting order: a controller comes after its parent, which is the first phandle of msi-parent,
 * else of interrupts-extended, else what the interrupt-parent walk finds. (QEMU's riscv tree lists
 * the APLIC before the IMSIC it sends to.) [DT 2.4; Linux: of_irq_init]
 */
#include <kernel/driver.h>
#include <kernel/mm.h>
#include <kernel/printk.h>

DECLARE_TABLE(irqchip, const struct irqchip_decl);

/* ---- msi-map -------------------------------------------------------------------------------- */

static int map_id(struct device_node *np, const u8 *cell, u32 rows, u32 id,
		  struct device_node **controller, u32 *out_id)
{
	u32 mask = ~0U;

	of_property_read_u32(np, "msi-map-mask", &mask);
	for (; rows; rows--, cell += 16) {
		u32 first = of_read_number(cell, 1), count = of_read_number(cell + 12, 1);

		if ((id & mask) < first || (id & mask) - first >= count)
			continue;
		*controller = of_find_node_by_phandle(of_read_number(cell + 4, 1));
		if (!*controller) {
			pr_err("device tree: %s: msi-map points to a phandle that no node has",
			       np->fwnode.name);
			return -EINVAL;
		}
		*out_id = of_read_number(cell + 8, 1) + (id & mask) - first;
		return 0;
	}
	return -ENODEV;
}

int of_msi_map_id(struct device_node *np, u32 id, struct device_node **controller, u32 *out_id)
{
	int len;
	const u8 *map = of_get_property(np, "msi-map", &len);

	if (map && (len % 16 || !len)) {
		pr_err("device tree: %s: msi-map is %d bytes, not rows of 4 cells",
		       np->fwnode.name, len);
		return -EINVAL;
	}
	if (map)
		return map_id(np, map, len / 16, id, controller, out_id);
	if (!of_property_present(np, "msi-parent"))
		return -ENODEV;
	*controller = of_parse_phandle(np, "msi-parent", 0);
	*out_id = id;
	return *controller ? 0 : -EINVAL;
}

/* ---- Starting the controllers --------------------------------------------------------------- */

enum chip_state { CHIP_WAITING, CHIP_STARTED, CHIP_FAILED };

struct chip_start {
	struct device_node *np, *parent;
	const struct irqchip_decl *decl;
	enum chip_state state;
};

static const struct irqchip_decl *find_decl(const struct device_node *np)
{
	for_each_table(pos, irqchip, const struct irqchip_decl)
		if ((*pos)->compatible && of_device_is_compatible(np, (*pos)->compatible))
			return *pos;
	return NULL;
}

static struct device_node *chip_parent(struct device_node *np)
{
	struct device_node *parent;

	if (of_property_present(np, "msi-parent"))
		parent = of_parse_phandle(np, "msi-parent", 0);
	else if (of_property_present(np, "interrupts-extended"))
		parent = of_parse_phandle(np, "interrupts-extended", 0);
	else
		parent = of_irq_find_parent(np);
	return parent == np ? NULL : parent;
}

/* The entry of NP; NULL if it has no driver, and then nobody waits for it. */
static struct chip_start *find_start(struct chip_start *list, unsigned int n,
				     const struct device_node *np)
{
	for (unsigned int i = 0; np && i < n; i++)
		if (list[i].np == np)
			return &list[i];
	return NULL;
}

static void start_chip(struct chip_start *chip)
{
	int err = chip->decl->init(chip->np, chip->parent);

	chip->state = err ? CHIP_FAILED : CHIP_STARTED;
	if (err)
		pr_err("irqchip: %s: does not start: %s", chip->np->fwnode.name, errname(err));
}

/* Starts whatever has nothing left to wait for; returns whether anything changed. */
static bool start_round(struct chip_start *list, unsigned int n)
{
	bool progress = false;

	for (unsigned int i = 0; i < n; i++) {
		struct chip_start *parent = find_start(list, n, list[i].parent);

		if (list[i].state != CHIP_WAITING || (parent && parent->state == CHIP_WAITING))
			continue;
		progress = true;
		if (!parent || parent->state == CHIP_STARTED) {
			start_chip(&list[i]);
			continue;
		}
		list[i].state = CHIP_FAILED;
		pr_err("irqchip: %s: not started, because its parent %s was not",
		       list[i].np->fwnode.name, parent->np->fwnode.name);
	}
	return progress;
}

static unsigned int collect_chips(struct chip_start *list)
{
	struct device_node *np;
	unsigned int n = 0;

	for_each_of_node(np) {
		const struct irqchip_decl *decl = np->available ? find_decl(np) : NULL;

		if (decl && list)
			list[n] = (struct chip_start){ np, chip_parent(np), decl, CHIP_WAITING };
		n += decl != NULL;
	}
	return n;
}

static void start_software_chips(void)
{
	for_each_table(pos, irqchip, const struct irqchip_decl) {
		int err = (*pos)->compatible ? 0 : (*pos)->init(NULL, NULL);

		if (err)
			pr_err("irqchip: one made of software does not start: %s", errname(err));
	}
}

void of_irq_init(void)
{
	unsigned int n = collect_chips(NULL);
	struct chip_start *list = n ? kcalloc(n, sizeof(*list)) : NULL;

	if (n && !list) {
		pr_err("irqchip: no memory to order %u interrupt controllers", n);
		return;
	}
	collect_chips(list);
	while (start_round(list, n))
		;
	for (unsigned int i = 0; i < n; i++)
		if (list[i].state == CHIP_WAITING)
			pr_err("irqchip: %s: not started, its parents form a circle by %s",
			       list[i].np->fwnode.name, list[i].parent->fwnode.name);
	kfree(list);
	start_software_chips();
}

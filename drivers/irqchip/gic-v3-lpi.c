/*
 * GICv3, LPIs: interrupts whose configuration and state are tables in memory, because there may be
 * thousands. Manual: GICv3 architecture, 5.1.
 *
 *   property table, one for all CPUs         pending table, one for each CPU
 *   byte n: LPI 8192 + n                     bit n: INTID n, so LPI 8192 is bit 0 of byte 1024
 *   | priority 7:2 | 1 | enable |            written by the redistributor only
 *
 * A redistributor caches both. It looks at a changed byte after an INV of the ITS, which is also
 * the one that makes an LPI pending; so nothing here does anything without an ITS, and its node in
 * the tree, not the GIC's feature bits, tells whether there are LPIs.
 */
#include <drivers/irqchip/gic-v3.h>
#include <kernel/driver.h>
#include <kernel/io.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <string.h>

#define PROPERTY_ENABLE		BIT(0)
#define PROPERTY_GROUP1		BIT(1)
#define PENDING_ALIGN		0x10000UL
#define WAIT_US			1000000

/* ---- How many ------------------------------------------------------------------------------- */

static bool has_its(struct device_node *node)
{
	struct device_node *child;

	for_each_child_of_node(node, child)
		if (child->available && of_device_is_compatible(child, "arm,gic-v3-its"))
			return true;
	return false;
}

/* As many as there are irq numbers: then the domain's array of INTIDs ends at 8192 + NR_IRQS, and
 * the property table at the next power of two. */
void gic_count_lpis(struct device_node *node)
{
	u32 typer = readl(gic.dist + GICD_TYPER);
	u32 id_bits = (typer >> 19 & 0x1f) + 1, num_lpis = typer >> 11 & 0x1f;
	u64 nr = id_bits > 13 ? BIT(id_bits) - GIC_FIRST_LPI : 0;

	if (!(typer & GICD_TYPER_LPIS) || !has_its(node))
		return;
	if (num_lpis)	/* fewer than the INTID has bits for [GIC3 GICD_TYPER: num_LPIs] */
		nr = min(nr, BIT(num_lpis + 1));
	nr = min(nr, (u64)NR_IRQS);
	gic.nr_lpis = min(nr, boot_arg_u64("gic.lpis", nr));
	gic.lpi_id_bits = min(id_bits, 14U);
}

_Static_assert(GIC_FIRST_LPI + NR_IRQS <= 1 << 14, "lpi_id_bits");

/* ---- Who has which -------------------------------------------------------------------------- */

int gic_lpi_alloc(unsigned int *nr)
{
	unsigned long flags = spin_lock_irqsave(&gic.lock);
	unsigned int n = *nr, first = gic.nr_lpis;

	for (; n; n /= 2) {
		first = bitmap_find_next_zero_area(gic.lpi_given, gic.nr_lpis, 0, n, 1);
		if (first < gic.nr_lpis)
			break;
	}
	if (n)
		bitmap_set(gic.lpi_given, first, n);
	spin_unlock_irqrestore(&gic.lock, flags);
	*nr = n;
	return n ? (int)(GIC_FIRST_LPI + first) : -ENOSPC;
}

void gic_lpi_free(unsigned int first, unsigned int nr)
{
	unsigned long flags = spin_lock_irqsave(&gic.lock);

	bitmap_clear(gic.lpi_given, first - GIC_FIRST_LPI, nr);
	spin_unlock_irqrestore(&gic.lock, flags);
}

bool gic_lpi_is_given(unsigned int lpi)
{
	return test_bit(lpi - GIC_FIRST_LPI, gic.lpi_given);
}

unsigned int gic_lpis_given(void)
{
	return bitmap_weight(gic.lpi_given, gic.nr_lpis);
}

void gic_lpi_enable(unsigned int lpi, bool on)
{
	u8 byte = GIC_PRIORITY | PROPERTY_GROUP1 | (on ? PROPERTY_ENABLE : 0);

	__atomic_store_n(&gic.lpi_property[lpi - GIC_FIRST_LPI], byte, __ATOMIC_RELAXED);
}

bool gic_lpi_is_enabled(unsigned int lpi)
{
	return gic.lpi_property[lpi - GIC_FIRST_LPI] & PROPERTY_ENABLE;
}

/* ---- Tables --------------------------------------------------------------------------------- */

static size_t property_size(void)
{
	return BIT(gic.lpi_id_bits) - GIC_FIRST_LPI;
}

static size_t pending_size(void)
{
	return max(BIT(gic.lpi_id_bits) / 8, PENDING_ALIGN);	/* and so aligned to that */
}

static void free_tables(void)
{
	unsigned int cpu;

	free_pages(gic.lpi_property, get_order(property_size()));
	gic.lpi_property = NULL;
	for_each_possible_cpu(cpu) {
		if (gic.redist[cpu].pending)
			free_pages(gic.redist[cpu].pending, get_order(pending_size()));
		gic.redist[cpu].pending = NULL;
	}
}

static int alloc_tables(void)
{
	unsigned int cpu;

	gic.lpi_property = alloc_pages(get_order(property_size()));
	if (!gic.lpi_property)
		return -ENOMEM;
	memset(gic.lpi_property, GIC_PRIORITY | PROPERTY_GROUP1, property_size());
	for_each_possible_cpu(cpu) {
		gic.redist[cpu].pending = alloc_pages(get_order(pending_size()));
		if (!gic.redist[cpu].pending) {
			free_tables();
			return -ENOMEM;
		}
	}
	return 0;
}

int gic_lpi_init(void)
{
	if (gic.lpi_property)
		return 0;
	if (!gic.nr_lpis) {
		pr_err("gic: has no LPIs, so no ITS can work");
		return -ENODEV;
	}
	return alloc_tables();
}

/* ---- Each CPU ------------------------------------------------------------------------------- */

/*
 * While LPIs are on, the table registers cannot be changed, and whether they can be turned off
 * again is the implementation's choice. If not, the redistributor goes on using tables in memory
 * that the kernel cannot know to be its own. [GIC3 GICR_CTLR: EnableLPIs] (S-171)
 */
static int turn_off(unsigned int cpu, char *base)
{
	u32 ctlr = readl(base + GICR_CTLR);

	if (!(ctlr & GICR_CTLR_EnableLPIs))
		return 0;
	writel(ctlr & ~GICR_CTLR_EnableLPIs, base + GICR_CTLR);
	if (poll_timeout(!(readl(base + GICR_CTLR) & (GICR_CTLR_EnableLPIs | GICR_CTLR_RWP)),
			 WAIT_US)) {
		pr_err("gic: cpu %u: firmware left LPIs on, with tables at %#llx, and they cannot "
		       "be turned off: no messages for this CPU", cpu,
		       (unsigned long long)readq(base + GICR_PROPBASER));
		return -EBUSY;
	}
	pr_info("gic: cpu %u: firmware left LPIs on; from now on they use the kernel's tables",
		cpu);
	return 0;
}

int gic_lpi_cpu_start(unsigned int cpu)
{
	const struct gic_redist *redist = &gic.redist[cpu];
	char *base = redist->base;
	u64 attributes = GIC_BASER_WRITE_BACK << 7 | GIC_BASER_InnerShareable;

	if (!base || cpumask_test_cpu(cpu, &gic.lpi_cpus))
		return base ? 0 : -ENODEV;
	if (!(readq(base + GICR_TYPER) & GICR_TYPER_PLPIS)) {
		pr_err("gic: cpu %u: its redistributor takes no LPIs", cpu);
		return -ENODEV;
	}
	if (turn_off(cpu, base))
		return -EBUSY;
	writeq((uintptr_t)gic.lpi_property | attributes | (gic.lpi_id_bits - 1),
	       base + GICR_PROPBASER);
	writeq((uintptr_t)redist->pending | attributes | GICR_PENDBASER_PTZ,
	       base + GICR_PENDBASER);
	if (!(readq(base + GICR_PROPBASER) & GIC_BASER_Shareability) ||
	    !(readq(base + GICR_PENDBASER) & GIC_BASER_Shareability)) {
		pr_err("gic: cpu %u: its redistributor reads tables past the caches, which is "
		       "not supported", cpu);
		return -ENODEV;
	}
	writel(readl(base + GICR_CTLR) | GICR_CTLR_EnableLPIs, base + GICR_CTLR);
	cpumask_set_cpu(cpu, &gic.lpi_cpus);
	return 0;
}

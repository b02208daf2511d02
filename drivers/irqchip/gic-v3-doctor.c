/*
 * irq doctor, the parts of GICv3 and its ITS: affinity routing, the CPU interface's system
 * registers, and the tables that an LPI passes. [GIC3 5.1, 5.2]
 *
 *   (DeviceID, EventID) --ITS: device, event, collection--> LPI --property: enable--> redistributor
 */
#include <drivers/irqchip/gic-v3.h>
#include <drivers/irqchip/gic-v3-its.h>
#include <kernel/diagnose.h>

void gic_read_path_v3(u32 intid, struct gic_path *path)
{
	path->ctlr = readl(gic.dist + GICD_CTLR);
	path->distributor = path->ctlr & GICD_CTLR_EnableGrp1;
	path->mask = sysreg_read(ICC_PMR_EL1);
	path->interface = sysreg_read(ICC_IGRPEN1_EL1) & 1;
	path->route = cpus[smp_processor_id()].hwid & 0xff00ffffffUL;
	path->routed = true;
	if (intid < GIC_FIRST_SPI || intid >= GIC_FIRST_LPI)
		return;
	path->routed = readq(gic.dist + GICD_IROUTER(intid)) == path->route;
	path->route = readq(gic.dist + GICD_IROUTER(intid));
}

/* The CPU's side of an LPI; its level at the GIC has the tables behind it. */
static void read_lpi_path(void *path)
{
	gic_read_path_v3(GIC_FIRST_LPI, path);
}

static void diagnose_lpi_cpu(struct diagnosis *dx, unsigned int cpu)
{
	u32 ctlr = readl(gic.redist[cpu].base + GICR_CTLR);
	struct gic_path path = { 0 };

	diagnose(dx, ctlr & GICR_CTLR_EnableLPIs, "redistributor", "GICR_CTLR of cpu %u is %#x",
		 cpu, ctlr);
	if (!diagnose_on_cpu(dx, read_lpi_path, &path))
		return;
	diagnose(dx, path.distributor, "distributor", "GICD_CTLR is %#x", path.ctlr);
	diagnose(dx, GIC_PRIORITY < path.mask, "priority",
		 "LPIs have %#x, cpu %u takes what is below %#x", GIC_PRIORITY, cpu, path.mask);
	diagnose(dx, path.interface, "CPU interface", "of cpu %u is %s", cpu,
		 path.interface ? "on" : "off");
}

static const char *or_not(bool mapped)
{
	return mapped ? "" : ", which is not mapped";
}

void its_diagnose(struct irq_data *d, struct diagnosis *dx)
{
	const struct its_device *dev = d->chip_data;
	unsigned int event = its_event(d), cpu = dev->event[event].cpu;
	u32 ctlr = readl(dev->its->regs + GITS_CTLR);
	bool present = dev->event[event].present, enabled = gic_lpi_is_enabled(d->hwirq);
	bool collected = cpumask_test_cpu(cpu, &dev->its->mapped);

	if (!irqd_is_activated(d))
		return;
	diagnose(dx, ctlr & GITS_CTLR_Enabled, "ITS", "GITS_CTLR is %#x", ctlr);
	diagnose(dx, !dev->its->stuck, "command queue", dev->its->stuck ?
		 "a command was not done in time" : "all commands are done");
	diagnose(dx, dev->mapped && present, "translation", "device %04x%s, event %u%s: LPI %lu",
		 dev->id, or_not(dev->mapped), event, or_not(present), d->hwirq);
	diagnose(dx, collected, "collection", "of cpu %u%s", cpu, or_not(collected));
	diagnose_gate(dx, d, enabled, "property", "LPI %lu: enable %u", d->hwirq, enabled);
	dx->cpu = cpu;
	if (!dx->broken)
		diagnose_lpi_cpu(dx, cpu);
}

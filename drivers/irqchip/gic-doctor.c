/*
 * irq doctor, the part that GICv2 and GICv3 have in common: a wire or an SGI on its way through the
 * distributor to a CPU interface. [GIC2 3.2] [GIC3 4.1]
 *
 *   pending & enabled & not active --> route --> priority above the CPU's mask --> IRQ
 */
#include <drivers/irqchip/gic-common.h>
#include <kernel/diagnose.h>

/* On the line's CPU: an SGI or PPI has registers there. */
static void gic_read_path(void *arg)
{
	struct gic_path *path = arg;
	u32 intid = path->d->hwirq;
	const struct gic_wires *wires = path->d->chip_data;
	char *bank = wires->bank(intid);

	path->enabled = gic_peek(bank, intid, GICD_ISENABLER);
	path->pending = gic_peek(bank, intid, GICD_ISPENDR);
	path->active = gic_peek(bank, intid, GICD_ISACTIVER);
	path->priority = readb(bank + GICD_IPRIORITYR + intid);
	wires->read_path(intid, path);
}

void gic_wire_diagnose(struct irq_data *d, struct diagnosis *dx)
{
	struct gic_path path = { .d = d };
	u32 intid = d->hwirq;

	if (!diagnose_on_cpu(dx, gic_read_path, &path))
		return;
	diagnose(dx, true, "pending", "INTID %u: %u", intid, path.pending);
	diagnose_gate(dx, d, path.enabled || irq_is_percpu_devid(d->irq), "enable", "INTID %u: %u",
		      intid, path.enabled);
	diagnose(dx, path.distributor, "distributor", "GICD_CTLR is %#x", path.ctlr);
	diagnose(dx, path.routed, "route", "INTID %u goes to %#llx, which is %scpu %u", intid,
		 (unsigned long long)path.route, path.routed ? "" : "not ", dx->cpu);
	diagnose(dx, path.priority < path.mask, "priority",
		 "INTID %u has %#x, cpu %u takes what is below %#x", intid, path.priority, dx->cpu,
		 path.mask);
	diagnose(dx, path.interface, "CPU interface", "of cpu %u is %s", dx->cpu,
		 path.interface ? "on" : "off");
	diagnose(dx, !path.active || irqd_irq_inprogress(d) || intid < GIC_FIRST_SPI, "active",
		 "INTID %u: %s", intid, path.active ? "yes, its end was never written" : "no");
}

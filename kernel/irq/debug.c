/* The words for flows and triggers, as the shell, the narration and the debugger print them. */
#include <kernel/irq/internals.h>

const char *irq_flow_name(const struct irq_desc *desc)
{
	static const struct {
		irq_flow_handler_t handler;
		const char *name;
	} flows[] = {
		{ handle_level_irq, "level" },
		{ handle_edge_irq, "edge" },
		{ handle_fasteoi_irq, "fasteoi" },
		{ handle_simple_irq, "simple" },
		{ handle_percpu_irq, "percpu" },
		{ handle_percpu_devid_irq, "percpu_devid" },
		{ handle_bad_irq, "bad" },
	};

	if (desc->istate & IRQS_CHAINED)
		return "chained";
	for (unsigned int i = 0; i < ARRAY_SIZE(flows); i++)
		if (desc->handle_irq == flows[i].handler)
			return flows[i].name;
	return "simple";	/* a controller's own flow */
}

const char *irq_type_name(unsigned int type)
{
	static const char *const names[16] = {
		[IRQ_TYPE_NONE] = "none",
		[IRQ_TYPE_EDGE_RISING] = "edge-rising",
		[IRQ_TYPE_EDGE_FALLING] = "edge-falling",
		[IRQ_TYPE_EDGE_BOTH] = "edge-both",
		[IRQ_TYPE_LEVEL_HIGH] = "level-high",
		[IRQ_TYPE_LEVEL_LOW] = "level-low",
	};

	return type < 16 && names[type] ? names[type] : "none";
}

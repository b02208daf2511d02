/*
 * Lines that exist once per CPU under one number: timers, IPIs. Each CPU has its own instance in
 * the controller, enables it for itself, and its handler gets that CPU's slot of the cookie; no
 * lock is needed, as no CPU ever touches another's. (Linux: kernel/irq/manage.c, chip.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/mm.h>
#include <kernel/trace.h>

static void chip_eoi(struct irq_desc *desc, const struct irq_chip *chip)
{
	if (!chip->irq_eoi)
		return;
	station(ST_CHIP, desc->irq_data.irq, chip, chip->irq_eoi, desc->irq_data.hwirq);
	chip->irq_eoi(&desc->irq_data);
}

void handle_percpu_irq(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;
	irqreturn_t ret;

	station(ST_FLOW, desc->irq_data.irq, NULL, handle_percpu_irq, 0);
	desc->kstat_irqs[smp_processor_id()]++;
	if (chip->irq_ack)
		chip->irq_ack(&desc->irq_data);
	ret = __handle_irq_event_percpu(desc);
	judge_event(desc, ret);
	chip_eoi(desc, chip);
}

static void __attribute__((noinline)) percpu_without_action(struct irq_desc *desc)
{
	unsigned int cpu = smp_processor_id();

	if (cpumask_test_cpu(cpu, &desc->percpu_enabled))
		disable_percpu_irq(desc->irq_data.irq);
	pr_warn_once("irq %u: per-CPU interrupt without a handler on cpu %u",
		     desc->irq_data.irq, cpu);
}

void handle_percpu_devid_irq(struct irq_desc *desc)
{
	const struct irq_chip *chip = desc->irq_data.chip;
	struct irqaction *action = desc->action;
	unsigned int irq = desc->irq_data.irq, cpu = smp_processor_id();
	irqreturn_t res;

	station(ST_FLOW, irq, NULL, handle_percpu_devid_irq, 0);
	desc->kstat_irqs[cpu]++;
	if (chip->irq_ack)
		chip->irq_ack(&desc->irq_data);
	if (likely(action)) {
		void *cookie = (char *)action->percpu_dev_id + cpu * action->percpu_size;

		station(ST_HANDLER, irq, NULL, action->handler, cookie);
		res = action->handler(irq, cookie);
		station(ST_HANDLED, irq, NULL, res, 0);
		(void)res;
	} else {
		percpu_without_action(desc);
	}
	chip_eoi(desc, chip);
}

int request_percpu_irq_sized(unsigned int irq, irq_handler_t handler, unsigned long flags,
			     const char *name, void *percpu_dev_id, size_t size)
{
	struct irq_desc *desc = irq_to_desc(irq);
	struct irqaction *action;
	int ret;

	if (!desc || !handler || !percpu_dev_id || (flags && flags != IRQF_TIMER) ||
	    irq_settings_is(desc, IRQ_NOREQUEST) || !irq_settings_is(desc, IRQ_PER_CPU_DEVID))
		return -EINVAL;
	action = kzalloc(sizeof(*action));
	if (!action)
		return -ENOMEM;
	*action = (struct irqaction){
		.handler = handler, .percpu_dev_id = percpu_dev_id, .percpu_size = size,
		.irq = irq, .flags = flags | IRQF_PERCPU, .name = name,
	};
	ret = irq_setup_action(desc, action);	/* such a line is never started by that */
	if (ret)
		kfree(action);
	return ret;
}

void free_percpu_irq(unsigned int irq, void *percpu_dev_id)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_buslock(irq, &flags, IRQ_DESC_PERCPU);
	struct irqaction *action;

	if (!desc)
		return;
	action = desc->action;
	if (!action || action->percpu_dev_id != percpu_dev_id ||
	    !cpumask_empty(&desc->percpu_enabled)) {
		pr_warn("irq %u: free of a per-CPU handler that is not there or is enabled", irq);
		action = NULL;
	} else {
		desc->action = NULL;
	}
	irq_put_desc_busunlock(desc, flags);
	if (action)
		irq_release_line(desc);
	kfree(action);
}

/* Told to the chip each time: what one CPU did says nothing of the others. (S-098) */
void enable_percpu_irq(unsigned int irq, unsigned int type)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_buslock(irq, &flags, IRQ_DESC_PERCPU);
	struct irq_data *d;

	if (!desc)
		return;
	d = &desc->irq_data;
	type &= IRQ_TYPE_SENSE_MASK;
	if (type == IRQ_TYPE_NONE)
		type = irqd_get_trigger_type(d);
	if (type == IRQ_TYPE_NONE || !__irq_set_trigger(desc, type)) {
		(d->chip->irq_enable ? d->chip->irq_enable : d->chip->irq_unmask)(d);
		cpumask_set_cpu(smp_processor_id(), &desc->percpu_enabled);
	}
	irq_put_desc_busunlock(desc, flags);
}

void disable_percpu_irq(unsigned int irq)
{
	unsigned long flags;
	struct irq_desc *desc = irq_get_desc_buslock(irq, &flags, IRQ_DESC_PERCPU);
	struct irq_data *d;

	if (!desc)
		return;
	d = &desc->irq_data;
	(d->chip->irq_disable ? d->chip->irq_disable : d->chip->irq_mask)(d);
	cpumask_clear_cpu(smp_processor_id(), &desc->percpu_enabled);
	irq_put_desc_busunlock(desc, flags);
}

bool irq_percpu_is_enabled(unsigned int irq)
{
	struct irq_desc *desc = irq_to_desc(irq);

	return desc && irq_is_percpu_devid(irq) &&
	       cpumask_test_cpu(smp_processor_id(), &desc->percpu_enabled);
}

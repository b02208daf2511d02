/*
 * request_irq() and free_irq(): a line gets its first handler and starts, gets sharers, loses its
 * last one and stops.
 *
 *   request   chip resources -> set_type -> activate -> startup -> action visible
 *   free      action gone -> shutdown -> wait for handlers and threads -> deactivate -> resources
 *
 * (Linux: kernel/irq/manage.c)
 */
#include <kernel/irq/internals.h>
#include <kernel/mm.h>

static int request_resources(struct irq_desc *desc)
{
	struct irq_data *d = &desc->irq_data;

	return d->chip->irq_request_resources ? d->chip->irq_request_resources(d) : 0;
}

static void release_resources(struct irq_desc *desc)
{
	struct irq_data *d = &desc->irq_data;

	if (d->chip->irq_release_resources)
		d->chip->irq_release_resources(d);
}

void irq_release_line(struct irq_desc *desc)
{
	unsigned long flags;

	chip_bus_lock(desc);
	flags = spin_lock_irqsave(&desc->lock);
	if (WARN_ON(desc->affinity_hint))	/* the driver's memory */
		desc->affinity_hint = NULL;
	irq_domain_deactivate_irq(&desc->irq_data);
	spin_unlock_irqrestore(&desc->lock, flags);
	release_resources(desc);
	chip_bus_sync_unlock(desc);
}

/* ---- request -------------------------------------------------------------------------------- */

static int mismatch(struct irqaction *old, struct irqaction *new, const char *what)
{
	if (!(new->flags & IRQF_PROBE_SHARED))
		pr_err("irq %u: %s cannot share with %s: %s differs", new->irq, new->name,
		       old->name, what);
	return -EBUSY;
}

/* What all sharers of a line must agree on (S-055). */
static int check_sharing(struct irq_desc *desc, struct irqaction *old, struct irqaction *new)
{
	unsigned int type = irqd_get_trigger_type(&desc->irq_data);

	if (type == IRQ_TYPE_NONE)	/* the chip sets none */
		type = old->flags & IRQF_TRIGGER_MASK;
	if (!(old->flags & new->flags & IRQF_SHARED))
		return mismatch(old, new, "IRQF_SHARED");
	if (type != (new->flags & IRQF_TRIGGER_MASK))
		return mismatch(old, new, "the trigger type");
	if ((old->flags & IRQF_ONESHOT) && (new->flags & IRQF_COND_ONESHOT))
		new->flags |= IRQF_ONESHOT;
	else if ((old->flags ^ new->flags) & IRQF_ONESHOT)
		return mismatch(old, new, "IRQF_ONESHOT");
	if ((old->flags ^ new->flags) & IRQF_PERCPU)
		return mismatch(old, new, "IRQF_PERCPU");
	return 0;
}

/* The action's bit in threads_oneshot, out of those its sharers leave. */
static int assign_thread_mask(struct irq_desc *desc, struct irqaction *new)
{
	unsigned long used = 0;

	if (!(new->flags & IRQF_ONESHOT)) {
		if (!new->thread_fn || new->handler != irq_default_primary_handler ||
		    (desc->irq_data.chip->flags & IRQCHIP_ONESHOT_SAFE))
			return 0;
		/* Nobody would quiet the device before its line is open again. (S-058) */
		pr_err("irq %u: %s has only a thread and no IRQF_ONESHOT", new->irq, new->name);
		return -EINVAL;
	}
	for (struct irqaction *a = desc->action; a; a = a->next)
		used |= a->thread_mask;
	if (used == ~0UL)
		return -EBUSY;
	new->thread_mask = ~used & (used + 1);	/* the lowest clear bit */
	return 0;
}

static void adopt_flags(struct irq_desc *desc, unsigned int flags)
{
	if (flags & IRQF_PERCPU) {
		irqd_set(&desc->irq_data, IRQD_PER_CPU);
		irq_settings_change(desc, 0, IRQ_PER_CPU);
	}
	if (flags & IRQF_NOBALANCING) {
		irq_settings_change(desc, 0, IRQ_NO_BALANCING);
		irqd_set(&desc->irq_data, IRQD_NO_BALANCING);
	}
	if (flags & IRQF_ONESHOT)
		desc->istate |= IRQS_ONESHOT;
}

static int start_line(struct irq_desc *desc, struct irqaction *new)
{
	int ret;

	if (new->flags & IRQF_TRIGGER_MASK) {
		ret = __irq_set_trigger(desc, new->flags & IRQF_TRIGGER_MASK);
		if (ret)
			return ret;
	}
	ret = irq_activate(desc);
	if (ret)
		return ret;
	desc->istate &= ~(IRQS_SPURIOUS_DISABLED | IRQS_ONESHOT);
	irqd_clear(&desc->irq_data, IRQD_IRQ_INPROGRESS);
	if (new->flags & (IRQF_PERCPU | IRQF_NOBALANCING | IRQF_ONESHOT))
		adopt_flags(desc, new->flags);
	if (!(new->flags & IRQF_NO_AUTOEN) && !irq_settings_is(desc, IRQ_NOAUTOEN)) {
		irq_startup(desc, IRQ_RESEND);
		return 0;
	}
	WARN_ON(new->flags & IRQF_SHARED);	/* its sharers would wait for an enable */
	desc->depth = 1;
	return 0;
}

static int install_locked(struct irq_desc *desc, struct irqaction *new)
{
	struct irqaction *old = desc->action, **link = &desc->action;
	int ret = old ? check_sharing(desc, old, new) : 0;

	if (!ret)
		ret = assign_thread_mask(desc, new);
	/* Started before it is linked, under the lock: what fires at once waits for the action. */
	if (!ret && !old)
		ret = start_line(desc, new);
	if (ret)
		return ret;
	while (*link)
		link = &(*link)->next;
	__atomic_store_n(link, new, __ATOMIC_RELEASE);
	desc->irq_count = 0;
	desc->irqs_unhandled = 0;
	if (old && (desc->istate & IRQS_SPURIOUS_DISABLED)) {
		desc->istate &= ~IRQS_SPURIOUS_DISABLED;
		__enable_irq(desc);
	}
	return 0;
}

int irq_setup_action(struct irq_desc *desc, struct irqaction *new)
{
	unsigned long flags;
	bool first;
	int ret;

	if (desc->irq_data.chip == &no_irq_chip)
		return -ENOSYS;
	if (!(new->flags & IRQF_TRIGGER_MASK))
		new->flags |= irqd_get_trigger_type(&desc->irq_data);
	if (force_irqthreads() && !irq_settings_is(desc, IRQ_NOTHREAD)) {
		ret = irq_setup_forced_threading(new);
		if (ret)
			return ret;
	}
	ret = new->thread_fn ? irq_threads_create(new) : 0;
	if (ret)
		goto stop;
	if (new->flags & IRQF_ONESHOT && desc->irq_data.chip->flags & IRQCHIP_ONESHOT_SAFE)
		new->flags &= ~IRQF_ONESHOT;

	mutex_lock(&desc->request_mutex);
	chip_bus_lock(desc);
	first = !desc->action;
	ret = first ? request_resources(desc) : 0;
	if (!ret) {
		flags = spin_lock_irqsave(&desc->lock);
		ret = install_locked(desc, new);
		spin_unlock_irqrestore(&desc->lock, flags);
		if (ret && first)
			release_resources(desc);
	}
	chip_bus_sync_unlock(desc);
	mutex_unlock(&desc->request_mutex);
stop:
	if (ret)
		irq_threads_stop(new);
	return ret;
}

static int check_request(const struct irq_desc *desc, irq_handler_t handler,
			 irq_handler_t thread_fn, unsigned long flags, void *dev_id)
{
	if ((flags & IRQF_SHARED) && (!dev_id || (flags & IRQF_NO_AUTOEN)))
		return -EINVAL;
	if (!desc || irq_settings_is(desc, IRQ_NOREQUEST | IRQ_PER_CPU_DEVID))
		return -EINVAL;
	return handler || thread_fn ? 0 : -EINVAL;
}

/* Sharers may have to be as oneshot as the first. */
static size_t action_size(irq_handler_t thread_fn, unsigned long flags)
{
	return thread_fn || force_irqthreads() || (flags & (IRQF_ONESHOT | IRQF_SHARED))
		       ? sizeof(struct irqaction) : offsetof(struct irqaction, thread);
}

int request_threaded_irq(unsigned int irq, irq_handler_t handler, irq_handler_t thread_fn,
			 unsigned long flags, const char *name, void *dev_id)
{
	struct irq_desc *desc = irq_to_desc(irq);
	struct irqaction *action;
	int ret;

	if (irq == IRQ_NOTCONNECTED)
		return -ENOTCONN;
	ret = check_request(desc, handler, thread_fn, flags, dev_id);
	if (ret)
		return ret;
	action = kzalloc(action_size(thread_fn, flags));
	if (!action)
		return -ENOMEM;
	action->handler = handler ? handler : irq_default_primary_handler;
	action->thread_fn = thread_fn;
	action->dev_id = dev_id;
	action->name = name;
	action->irq = irq;
	action->flags = flags;
	ret = irq_setup_action(desc, action);
	if (ret)
		irq_free_action(action);
	return ret;
}

/* ---- free ----------------------------------------------------------------------------------- */

/* Takes the action of DEV_ID off the line, and stops the line with the last one. */
static struct irqaction *unlink_action(struct irq_desc *desc, void *dev_id)
{
	unsigned long flags = spin_lock_irqsave(&desc->lock);
	struct irqaction *action, **link = &desc->action;

	while ((action = *link) && action->dev_id != dev_id)
		link = &action->next;
	if (action && action != &chained_action) {
		__atomic_store_n(link, action->next, __ATOMIC_RELEASE);
		if (!desc->action) {
			irq_settings_change(desc, IRQ_DISABLE_UNLAZY, 0);
			irq_shutdown(desc);
		}
	} else {
		action = NULL;
	}
	spin_unlock_irqrestore(&desc->lock, flags);
	return action;
}

static struct irqaction *remove_action(struct irq_desc *desc, void *dev_id)
{
	struct irqaction *action;

	mutex_lock(&desc->request_mutex);
	chip_bus_lock(desc);
	action = unlink_action(desc, dev_id);
	chip_bus_sync_unlock(desc);
	if (!action) {
		mutex_unlock(&desc->request_mutex);
		pr_warn("irq %u: free of a handler that is not there (dev_id %p)",
			desc->irq_data.irq, dev_id);
		return NULL;
	}
	synchronize_hw(desc, true);
	irq_threads_stop(action);
	/* Only now: a late interrupt still had its way through the controllers. (S-060) */
	if (!desc->action)
		irq_release_line(desc);
	mutex_unlock(&desc->request_mutex);
	return action;
}

const void *free_irq(unsigned int irq, void *dev_id)
{
	struct irq_desc *desc = irq_to_desc(irq);
	struct irqaction *action;
	const char *name;

	if (!desc || WARN_ON(irq_settings_is(desc, IRQ_PER_CPU_DEVID)))
		return NULL;
	action = remove_action(desc, dev_id);
	if (!action)
		return NULL;
	name = action->name;
	irq_free_action(action);
	return name;
}

/* Triggers, disable depth, replay, injection, waiting, managed shutdown: semantics F, G and Z. */
#include <kernel/irq/internals.h>
#include <string.h>
#include "model.h"
#include "support/rec.h"

#define request(irq, flags, cookie)	request_irq(irq, rec_handler, flags, "t", cookie)

static struct irq_data *data_of(unsigned int irq)
{
	return irq_get_irq_data(irq);
}

static bool pending(unsigned int irq)
{
	return irq_to_desc(irq)->istate & IRQS_PENDING;
}

/* ---- F. set_type -------------------------------------------------------------------------------- */

static void s066_without_set_type_nothing_is_stored_or_called(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_HIGH), 0);
	assert_int_equal(request(irq, IRQF_TRIGGER_LOW, NULL), 0);
	assert_rec("unmask");
	assert_int_equal(irq_get_trigger_type(irq), IRQ_TYPE_NONE);
	assert_false(irqd_is_level_type(data_of(irq)));
}

static void s067_type_is_cut_to_its_sense_bits(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_TYPE), handle_simple_irq);

	(void)state;
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW | 0xff0), 0);
	assert_rec("set_type(8)");
	assert_int_equal(irq_get_trigger_type(irq), IRQ_TYPE_LEVEL_LOW);
	assert_true(irqd_is_level_type(data_of(irq)));
	assert_true(irq_check_status_bit(irq, IRQ_LEVEL));
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_EDGE_BOTH), 0);
	assert_false(irqd_is_level_type(data_of(irq)));
	assert_false(irq_check_status_bit(irq, IRQ_LEVEL));
}

static void s067_percpu_lines_get_their_type_by_enable(void **state)
{
	int irq = irq_alloc_desc(-1);

	(void)state;
	irq_set_percpu_devid(irq);
	irq_set_chip_and_handler(irq, rec_chip(R_TYPE | R_UNMASK), handle_percpu_devid_irq);
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW), -EINVAL);
	assert_rec("");
}

static void s068_masked_round_set_type(void **state)
{
	struct irq_chip *chip = rec_chip(R_LEVEL | R_TYPE);
	unsigned int irq = rec_line(chip, handle_level_irq);

	(void)state;
	chip->flags = IRQCHIP_SET_TYPE_MASKED;
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_HIGH), 0);
	assert_rec("set_type(4)");		/* never started: masked, and disabled */
	assert_int_equal(request(irq, 0, NULL), 0);
	rec_take();
	rec_results.set_type = -EINVAL;
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW), -EINVAL);
	assert_rec("mask set_type(8) unmask");
}

static int type_sets_flow(struct irq_data *d, unsigned int type)
{
	irq_set_handler_locked(d, type & IRQ_TYPE_LEVEL_MASK ? handle_level_irq :
				  type ? handle_edge_irq : handle_bad_irq);
	return 0;
}

static void s069_set_type_may_replace_the_flow(void **state)
{
	struct irq_chip *chip = rec_chip(R_LEVEL);
	unsigned int irq;

	(void)state;
	chip->irq_set_type = type_sets_flow;
	irq = rec_started(chip, handle_level_irq);
	raise_irq(irq);
	assert_rec("mask ack H unmask");
	irq_set_irq_type(irq, IRQ_TYPE_EDGE_RISING);
	raise_irq(irq);
	assert_rec("ack H");
	irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW);
	raise_irq(irq);
	assert_rec("mask ack H unmask");
	irq_set_irq_type(irq, IRQ_TYPE_NONE);
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, handle_bad_irq);
}

static void chained(struct irq_desc *desc)
{
	(void)desc;
	rec("chained");
}

static void s069_chained_line_keeps_its_handler(void **state)
{
	struct irq_chip *chip = rec_chip(R_LEVEL);
	unsigned int irq;

	(void)state;
	chip->irq_set_type = type_sets_flow;
	irq = rec_line(chip, handle_level_irq);
	irqd_set_trigger_type(data_of(irq), IRQ_TYPE_EDGE_RISING);
	irq_set_chained_handler(irq, chained);
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, chained);
	assert_int_equal(irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW), 0);
	assert_ptr_equal(irq_to_desc(irq)->handle_irq, chained);
	rec_take();
	raise_irq(irq);
	assert_rec("chained");
}

/* ---- G. Depth ----------------------------------------------------------------------------------- */

static void s071_depth_never_wraps(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_LEVEL | R_DISABLE | R_ENABLE), handle_level_irq);

	(void)state;
	for (int i = 0; i < 3; i++)
		enable_irq(irq);
	assert_true(logged("unbalanced"));
	assert_int_equal(irq_to_desc(irq)->depth, 0);
	disable_irq(irq);
	assert_rec("disable");
	assert_int_equal(irq_to_desc(irq)->depth, 1);
}

static void s073_lazy_disable_touches_no_hardware(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_FASTEOI), handle_fasteoi_irq);

	(void)state;
	disable_irq(irq);
	assert_rec("");
	assert_true(irqd_irq_disabled(data_of(irq)) && !irqd_irq_masked(data_of(irq)));
	enable_irq(irq);
	assert_rec("");
	disable_irq(irq);
	raise_irq(irq);
	assert_rec("mask eoi");
	assert_true(pending(irq) && irqd_irq_masked(data_of(irq)));
}

static void s074_disable_callback_and_unlazy_lines(void **state)
{
	unsigned int eager = rec_started(rec_chip(R_LEVEL | R_DISABLE), handle_level_irq);
	unsigned int lazy = rec_started(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	disable_irq(eager);
	assert_rec("disable");
	assert_true(irqd_irq_masked(data_of(eager)));
	irq_set_status_flags(lazy, IRQ_DISABLE_UNLAZY);
	disable_irq(lazy);
	assert_rec("mask");
	enable_irq(lazy);
	assert_int_equal(request_irq(lazy, rec_handler, 0, "t", "B"), -EBUSY);
	assert_true(irq_check_status_bit(lazy, IRQ_DISABLE_UNLAZY));
	free_irq(lazy, NULL);
	assert_false(irq_check_status_bit(lazy, IRQ_DISABLE_UNLAZY));
}

/* Neither the level flow nor a recorded type makes a line level: only a set_type that worked. */
static void s075_level_is_what_set_type_made_it(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_LEVEL), handle_level_irq);
	unsigned int typed = rec_line(rec_chip(R_LEVEL | R_TYPE), handle_level_irq);

	(void)state;
	irqd_set_trigger_type(data_of(irq), IRQ_TYPE_LEVEL_HIGH);
	disable_irq(irq);
	raise_irq(irq);
	rec_take();
	enable_irq(irq);
	host_run_deferred();
	assert_rec("unmask mask ack H unmask");
	assert_int_equal(request(typed, IRQF_TRIGGER_HIGH, NULL), 0);
	disable_irq(typed);
	raise_irq(typed);
	assert_true(pending(typed));
	rec_take();
	enable_irq(typed);
	host_run_deferred();
	assert_rec("unmask");
	assert_false(pending(typed));
}

static void s076_parents_are_asked_only_by_a_chip_without_retrigger(void **state)
{
	struct irq_fwspec spec = { .param_count = 2, .param = { 3, 1 } };
	struct rec_stack s;
	unsigned int irq;

	(void)state;
	rec_stack(&s, R_EDGE, R_RETRIGGER, R_RETRIGGER);
	irq = irq_domain_alloc_irqs(s.leaf, 1, -1, &spec);
	assert_int_equal(request(irq, 0, NULL), 0);
	rec_take();
	rec_results.retrigger = 1;
	assert_int_equal(irq_inject_interrupt(irq), 0);
	host_run_deferred();
	assert_rec("middle.retrigger");
	raise_irq(irq);				/* it comes */
	assert_rec("leaf.ack H");
	rec_results.retrigger = 0;
	irq_set_chip(irq, rec_chip(R_EDGE | R_RETRIGGER));
	assert_int_equal(irq_inject_interrupt(irq), 0);
	host_run_deferred();
	assert_rec("leaf.retrigger leaf.ack H");
}

static void s076_one_replay_at_a_time(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	host_irq_enter();		/* no softirq before its end */
	assert_int_equal(irq_inject_interrupt(irq), 0);
	assert_int_equal(irq_inject_interrupt(irq), -EBUSY);
	assert_rec("");
	host_irq_exit();
	assert_rec("ack H");
	assert_int_equal(irq_inject_interrupt(irq), 0);
	host_run_deferred();
	assert_rec("ack H");
}

static void s078_refused_replay_loses_what_was_pending(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	irqd_set_handle_enforce_irqctx(data_of(irq));
	disable_irq(irq);
	raise_irq(irq);
	assert_true(pending(irq));
	enable_irq(irq);
	host_run_deferred();
	assert_false(pending(irq));
	assert_rec("mask ack unmask");
	irq_set_chip(irq, rec_chip(R_EDGE | R_RETRIGGER));	/* with one it is not lost */
	rec_results.retrigger = 1;
	disable_irq(irq);
	raise_irq(irq);
	rec_take();
	enable_irq(irq);
	assert_rec("unmask retrigger");
}

static void s079_pending_state_needs_no_activation(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE | R_STATE), handle_edge_irq);
	unsigned int level = rec_line(rec_chip(R_LEVEL | R_TYPE | R_STATE), handle_level_irq);
	bool value = false;

	(void)state;
	assert_int_equal(irq_inject_interrupt(irq), 0);
	assert_rec("set_state(0,1)");
	assert_int_equal(request(level, IRQF_TRIGGER_HIGH, NULL), 0);
	rec_take();
	assert_int_equal(irq_inject_interrupt(level), 0);
	assert_rec("set_state(0,1)");
	rec_results.state = -EIO;		/* then the replay, which levels have not */
	assert_int_equal(irq_inject_interrupt(level), -EINVAL);
	assert_int_equal(irq_inject_interrupt(irq), -EINVAL);
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_PENDING, &value), -EIO);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_MASKED, true), -EIO);
}

static void s079_state_of_the_first_level_that_knows(void **state)
{
	struct irq_fwspec spec = { .param_count = 2, .param = { 3, 1 } };
	struct rec_stack s;
	unsigned int irq;
	bool value = false;

	(void)state;
	rec_stack(&s, R_EDGE, R_STATE, R_STATE);
	irq = irq_domain_alloc_irqs(s.leaf, 1, -1, &spec);
	rec_take();
	rec_results.pending = true;
	assert_int_equal(irq_get_irqchip_state(irq, IRQCHIP_STATE_PENDING, &value), 0);
	assert_true(value);
	assert_int_equal(irq_set_irqchip_state(irq, IRQCHIP_STATE_ACTIVE, true), 0);
	assert_rec("middle.set_state(1,1)");
}

static void what_is_sent_over_a_slow_bus_is_sent_at_the_unlock(void **state)
{
	unsigned int irq = rec_started(rec_chip(R_LEVEL | R_BUS | R_TYPE | R_DISABLE | R_STATE),
				   handle_level_irq);

	(void)state;
	disable_irq_nosync(irq);
	assert_rec("bus_lock disable bus_unlock");
	enable_irq(irq);
	assert_rec("bus_lock unmask bus_unlock");
	irq_set_irq_type(irq, IRQ_TYPE_LEVEL_LOW);
	assert_rec("bus_lock set_type(8) bus_unlock");
	irq_set_irqchip_state(irq, IRQCHIP_STATE_PENDING, false);
	assert_rec("bus_lock set_state(0,0) bus_unlock");
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

static void s081_no_such_irq_and_percpu_lines(void **state)
{
	int devid = irq_alloc_desc(-1);

	(void)state;
	assert_false(disable_hardirq(NR_IRQS - 1));
	assert_true(synchronize_hardirq(NR_IRQS - 1));
	disable_irq(NR_IRQS - 1);
	synchronize_irq(NR_IRQS - 1);
	irq_set_percpu_devid(devid);
	irq_set_chip_and_handler(devid, rec_chip(R_DISABLE), handle_percpu_devid_irq);
	assert_false(disable_hardirq(devid));
	assert_rec("");
}

static irqreturn_t disables_itself(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	disable_irq(irq);
	return IRQ_HANDLED;
}

static irqreturn_t disables_itself_hard(int irq, void *dev_id)
{
	rec_handler(irq, dev_id);
	disable_hardirq(irq);
	return IRQ_HANDLED;
}

static void s081_waiting_for_oneself_is_diagnosed(void **state)
{
	static const irq_handler_t waits[] = { disables_itself, disables_itself_hard };

	(void)state;
	for (int replayed = 0; replayed < 2; replayed++)
		for (int i = 0; i < 2; i++) {
			unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

			assert_int_equal(request_irq(irq, waits[i], 0, "t", NULL), 0);
			rec_take();
			if (replayed) {		/* in a softirq, not in an interrupt */
				assert_int_equal(irq_inject_interrupt(irq), 0);
				host_run_deferred();
			} else {
				raise_irq(irq);
			}
			assert_rec("ack H");
			assert_true(logged("waited for from a handler"));
			assert_int_equal(irq_to_desc(irq)->depth, 1);
		}
}

static irqreturn_t disables_in_thread(int irq, void *dev_id)
{
	(void)dev_id;
	rec("T");
	disable_irq(irq);
	return IRQ_HANDLED;
}

static void s081_waiting_for_the_own_thread_is_diagnosed(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_LEVEL), handle_level_irq);

	(void)state;
	assert_int_equal(request_threaded_irq(irq, NULL, disables_in_thread, IRQF_ONESHOT, "t",
					      NULL), 0);
	rec_take();
	raise_irq(irq);
	host_run_deferred();
	assert_rec("mask ack T");		/* disabled: stays masked */
	assert_true(logged("waited for from its thread"));
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	enable_irq(irq);
	assert_rec("unmask");
}

static void s081_hardirq_form_tells_of_threads(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE), handle_edge_irq);

	(void)state;
	assert_int_equal(request_threaded_irq(irq, rec_handler, rec_thread, 0, "t", NULL), 0);
	rec_ret = IRQ_WAKE_THREAD;
	raise_irq(irq);
	assert_false(synchronize_hardirq(irq));
	assert_false(disable_hardirq(irq));
	host_run_deferred();
	assert_true(disable_hardirq(irq));
	assert_int_equal(irq_to_desc(irq)->depth, 2);
}

static void quiet(void *arg)
{
	rec("quiet");
	*(bool *)arg = false;
}

static void s082_synchronize_asks_any_level_that_can_answer(void **state)
{
	struct irq_fwspec spec = { .param_count = 2, .param = { 3, 1 } };
	struct rec_stack s;
	unsigned int irq;

	(void)state;
	rec_stack(&s, R_EDGE, 0, R_STATE);
	irq = irq_domain_alloc_irqs(s.leaf, 1, -1, &spec);
	assert_int_equal(request(irq, 0, NULL), 0);
	rec_take();
	rec_results.active = true;
	host_after(1000000, quiet, &rec_results.active);
	synchronize_irq(irq);
	rec("done");
	assert_rec("quiet done");
}

/* ---- Z. What newer kernels do ------------------------------------------------------------------- */

static unsigned int fake_line(struct irq_affinity_desc *affinity)
{
	int irq = irq_domain_alloc_descs(-1, 1, 0, -1, affinity);

	assert_true(irq > 0);
	irq_set_chip_and_handler(irq, rec_chip(R_STARTUP | R_SHUTDOWN | R_ENABLE | R_DISABLE |
					       R_LEVEL | R_AFFINITY), handle_simple_irq);
	irq_clear_status_flags(irq, IRQ_NOREQUEST);
	assert_int_equal(request(irq, 0, NULL), 0);
	assert_int_equal(irq_to_desc(irq)->depth, 0);
	rec_take();
	return irq;
}

static void assert_live(unsigned int irq, bool live, unsigned int depth)
{
	assert_int_equal(irqd_is_activated(data_of(irq)), live);
	assert_int_equal(irqd_is_started(data_of(irq)), live);
	assert_int_equal(irq_to_desc(irq)->depth, depth);
}

static void z2_depth_nests(void **state)
{
	unsigned int irq = fake_line(NULL);

	(void)state;
	disable_irq(irq);
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	enable_irq(irq);
	assert_int_equal(irq_to_desc(irq)->depth, 0);
	assert_rec("disable enable");
}

static void z2_freed_while_disabled_starts_afresh(void **state)
{
	unsigned int irq = fake_line(NULL);

	(void)state;
	disable_irq(irq);
	free_irq(irq, NULL);
	assert_true(irq_to_desc(irq)->depth >= 1);
	assert_int_equal(request(irq, 0, NULL), 0);
	assert_live(irq, true, 0);
}

static void z2_disable_outlives_a_managed_shutdown(void **state)
{
	struct irq_affinity_desc affinity = { .is_managed = true, .mask = { ~0UL } };
	unsigned int irq = fake_line(&affinity);
	struct irq_desc *desc = irq_to_desc(irq);
	unsigned long flags;

	(void)state;
	assert_true(irqd_affinity_is_managed(data_of(irq)));
	assert_live(irq, true, 0);
	disable_irq(irq);
	flags = spin_lock_irqsave(&desc->lock);
	irq_shutdown_and_deactivate(desc);
	assert_live(irq, false, 2);
	assert_int_equal(irq_activate(desc), 0);
	irq_startup_managed(desc);
	spin_unlock_irqrestore(&desc->lock, flags);
	assert_live(irq, false, 1);
	enable_irq(irq);
	assert_live(irq, true, 0);
}

static void leave(unsigned int cpu)
{
	cpumask_clear_cpu(cpu, &cpu_online_mask_);
	host_set_cpu(cpu);
	arch_local_irq_disable();
	irq_migrate_all_off_this_cpu();
	arch_local_irq_enable();
	host_set_cpu(0);
}

static void z2_disable_outlives_unplug_and_replug(void **state)
{
	struct irq_affinity_desc affinity = { .is_managed = true, .mask = { 1 << 1 } };
	unsigned int irq = fake_line(&affinity);

	(void)state;
	for (int round = 0; round < 3; round++) {
		disable_irq(irq);
		leave(1);
		assert_live(irq, false, 2);
		cpumask_set_cpu(1, &cpu_online_mask_);
		irq_affinity_online_cpu(1);
		assert_live(irq, false, 1);
		enable_irq(irq);
		assert_live(irq, true, 0);
	}
}

/* No setting asks for it: the chip's flag is all there is. */
static void z1_lines_move_in_process_context_unless_the_chip_refuses(void **state)
{
	struct irq_chip *plain = rec_chip(R_EDGE | R_AFFINITY);
	struct irq_chip *later = rec_chip(R_EDGE | R_AFFINITY);
	unsigned int irq = rec_started(plain, handle_edge_irq), deferred;

	(void)state;
	later->flags = IRQCHIP_MOVE_DEFERRED;
	deferred = rec_started(later, handle_edge_irq);
	assert_int_equal(irq_set_affinity(irq, cpumask_of(2)), 0);
	assert_rec("set_affinity(4)");
	assert_int_equal(irq_set_affinity(deferred, cpumask_of(2)), 0);
	assert_rec("");
	assert_true(irqd_is_setaffinity_pending(data_of(deferred)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(s066_without_set_type_nothing_is_stored_or_called),
		T(s067_type_is_cut_to_its_sense_bits),
		T(s067_percpu_lines_get_their_type_by_enable),
		T(s068_masked_round_set_type),
		T(s069_set_type_may_replace_the_flow),
		T(s069_chained_line_keeps_its_handler),
		T(s071_depth_never_wraps),
		T(s073_lazy_disable_touches_no_hardware),
		T(s074_disable_callback_and_unlazy_lines),
		T(s075_level_is_what_set_type_made_it),
		T(s076_parents_are_asked_only_by_a_chip_without_retrigger),
		T(s076_one_replay_at_a_time),
		T(s078_refused_replay_loses_what_was_pending),
		T(s079_pending_state_needs_no_activation),
		T(s079_state_of_the_first_level_that_knows),
		T(what_is_sent_over_a_slow_bus_is_sent_at_the_unlock),
		T(s081_no_such_irq_and_percpu_lines),
		T(s081_waiting_for_oneself_is_diagnosed),
		T(s081_waiting_for_the_own_thread_is_diagnosed),
		T(s081_hardirq_form_tells_of_threads),
		T(s082_synchronize_asks_any_level_that_can_answer),
		T(z2_depth_nests),
		T(z2_freed_while_disabled_starts_afresh),
		T(z2_disable_outlives_a_managed_shutdown),
		T(z2_disable_outlives_unplug_and_replug),
		T(z1_lines_move_in_process_context_unless_the_chip_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Affinity, managed lines, spreading: semantics M. */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <stdlib.h>
#include "model.h"
#include "support/random.h"
#include "support/rec.h"

static struct irq_data *data_of(unsigned int irq)
{
	return irq_get_irq_data(irq);
}

static unsigned long requested(unsigned int irq)
{
	return irq_data_get_affinity_mask(data_of(irq))->bits;
}

static unsigned long effective(unsigned int irq)
{
	return irq_data_get_effective_affinity_mask(data_of(irq))->bits;
}

static const struct cpumask *mask(unsigned long bits)
{
	static struct cpumask m;

	m.bits = bits;
	return &m;
}

static unsigned int started(const struct irq_chip *chip)
{
	return rec_started(chip, handle_edge_irq);
}

/* As if CPU went away or came back. */
static void online(unsigned int cpu, bool on)
{
	if (on)
		cpumask_set_cpu(cpu, &cpu_online_mask_);
	else
		cpumask_clear_cpu(cpu, &cpu_online_mask_);
	if (on) {
		irq_affinity_online_cpu(cpu);
		return;
	}
	host_set_cpu(cpu);
	arch_local_irq_disable();
	irq_migrate_all_off_this_cpu();
	arch_local_irq_enable();
	host_set_cpu(0);
}

static void s119_masks(void **state)
{
	unsigned int fixed = started(rec_chip(R_EDGE));
	unsigned int irq = started(rec_chip(R_EDGE | R_AFFINITY));

	(void)state;
	assert_int_equal(irq_set_affinity(fixed, mask(1)), -EINVAL);
	assert_int_equal(irq_set_affinity(irq, mask(0)), -EINVAL);
	assert_int_equal(irq_set_affinity(irq, mask(0xf0)), -EINVAL);
	assert_int_equal(irq_set_affinity(NR_IRQS - 1, mask(1)), -EINVAL);
	assert_rec("");
	assert_int_equal(irq_set_affinity(irq, mask(0xfc)), 0);
	assert_rec("set_affinity(c)");
	assert_int_equal(requested(irq), 0xfc);
	assert_int_equal(effective(irq), 0x4);
	assert_int_equal(irq_force_affinity(irq, mask(0x8)), 0);
	assert_rec("set_affinity(8,force)");
}

static void s120_results(void **state)
{
	unsigned int irq = started(rec_chip(R_EDGE | R_AFFINITY));

	(void)state;
	rec_results.set_affinity = IRQ_SET_MASK_OK_NOCOPY;
	assert_int_equal(irq_set_affinity(irq, mask(2)), 0);
	assert_int_equal(requested(irq), 0xf);
	rec_results.set_affinity = IRQ_SET_MASK_OK_DONE;
	assert_int_equal(irq_set_affinity(irq, mask(2)), 0);
	assert_int_equal(requested(irq), 2);
	rec_results.set_affinity = -EIO;
	assert_int_equal(irq_set_affinity(irq, mask(4)), -EIO);
	assert_int_equal(requested(irq), 2);
	assert_int_equal(effective(irq), 2);
}

static void s120_silent_chip_is_named_once(void **state)
{
	unsigned int irq;

	(void)state;
	rec_results.no_effective = true;
	host_printk();
	irq = started(rec_chip(R_EDGE | R_AFFINITY));
	assert_true(logged("rec"));
	irq_set_affinity(irq, mask(2));
	assert_string_equal(host_printk(), "");
}

static void s121_affinity_on_activate(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE | R_AFFINITY), handle_edge_irq);

	(void)state;
	irqd_set_affinity_on_activate(data_of(irq));
	assert_int_equal(irq_set_affinity(irq, mask(6)), 0);
	assert_rec("");
	assert_int_equal(requested(irq), 6);
	assert_int_equal(effective(irq), 6);
}

static void move_at_ack(struct irq_data *d)
{
	rec("ack");
	irq_move_irq(d);
}

static void s122_deferred_move(void **state)
{
	struct irq_chip *chip = rec_chip(R_EDGE | R_AFFINITY);
	unsigned int irq;

	(void)state;
	chip->flags = IRQCHIP_MOVE_DEFERRED;
	chip->irq_ack = move_at_ack;
	irq = started(chip);
	assert_int_equal(irq_set_affinity(irq, mask(4)), 0);
	assert_rec("");
	assert_true(irqd_is_setaffinity_pending(data_of(irq)));
	assert_int_equal(irq_set_affinity(irq, mask(0x30)), -EINVAL);
	rec_results.set_affinity = -EBUSY;
	raise_irq(irq);
	assert_rec("ack mask set_affinity(4) unmask H");
	assert_true(irqd_is_setaffinity_pending(data_of(irq)));
	rec_results.set_affinity = 0;
	raise_irq(irq);
	assert_rec("ack mask set_affinity(4) unmask H");
	assert_false(irqd_is_setaffinity_pending(data_of(irq)));
	raise_irq(irq);
	assert_rec("ack H");
	assert_int_equal(effective(irq), 4);
}

static void s123_first_startup(void **state)
{
	struct irq_chip *chip = rec_chip(R_EDGE | R_AFFINITY);
	unsigned int irq = rec_line(chip, handle_edge_irq), other = rec_line(chip, handle_edge_irq);

	(void)state;
	assert_int_equal(irq_set_affinity(irq, mask(0xc)), 0);
	rec_take();
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_rec("unmask set_affinity(c)");
	irq_default_affinity = *mask(0x12);
	assert_int_equal(request_irq(other, rec_handler, 0, "t", NULL), 0);
	assert_rec("unmask set_affinity(2)");
	free_irq(irq, NULL);
	cpumask_clear_cpu(2, &cpu_online_mask_);
	cpumask_clear_cpu(3, &cpu_online_mask_);
	rec_take();
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_rec("unmask set_affinity(2)");
}

static unsigned int managed_line(unsigned long bits)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE | R_AFFINITY | R_SHUTDOWN), handle_edge_irq);

	irqd_set(data_of(irq), IRQD_AFFINITY_MANAGED);
	irq_data_update_affinity(data_of(irq), mask(bits));
	return irq;
}

static void s124_managed_lines_follow_their_cpus(void **state)
{
	unsigned int irq = managed_line(0x4), plain = started(rec_chip(R_EDGE | R_AFFINITY));

	(void)state;
	irq_set_affinity(plain, mask(4));
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_int_equal(irq_set_affinity_user(irq, mask(1)), -EIO);
	assert_int_equal(irq_set_affinity(irq, mask(4)), 0);
	rec_take();
	online(2, false);
	assert_rec("shutdown set_affinity(b)");
	assert_false(irqd_is_started(data_of(irq)));
	assert_false(irqd_is_activated(data_of(irq)));
	assert_true(irqd_is_managed_and_shutdown(data_of(irq)));
	assert_int_equal(requested(irq), 4);
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	online(2, true);
	assert_rec("set_affinity(4) unmask");
	assert_true(irqd_is_started(data_of(irq)));
	assert_int_equal(irq_to_desc(irq)->depth, 0);
}

static void s124_managed_request_without_a_cpu_succeeds_unstarted(void **state)
{
	unsigned int irq = managed_line(0x8);

	(void)state;
	cpumask_clear_cpu(3, &cpu_online_mask_);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_rec("");
	assert_false(irqd_is_started(data_of(irq)));
	assert_int_equal(irq_to_desc(irq)->depth, 0);
	online(3, true);
	assert_rec("set_affinity(8) unmask");
}

/* Z-2: what the driver had disabled stays disabled over unplug and replug. */
static void z2_disabled_line_stays_disabled_over_managed_shutdown(void **state)
{
	unsigned int irq = managed_line(0x4);

	(void)state;
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	disable_irq(irq);
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	online(2, false);
	online(2, true);
	assert_int_equal(irq_to_desc(irq)->depth, 1);
	assert_true(irqd_irq_disabled(data_of(irq)));
	enable_irq(irq);
	assert_int_equal(irq_to_desc(irq)->depth, 0);
	assert_true(irqd_is_started(data_of(irq)));
	assert_false(irqd_irq_masked(data_of(irq)));
}

static void z2_free_while_disabled(void **state)
{
	unsigned int irq = started(rec_chip(R_EDGE));

	(void)state;
	disable_irq(irq);
	free_irq(irq, NULL);
	assert_int_equal(irq_to_desc(irq)->depth, 1 + 1);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_int_equal(irq_to_desc(irq)->depth, 0);
}

static void s125_spreading(void **state)
{
	struct irq_affinity affd = { .pre_vectors = 1, .post_vectors = 1 };

	(void)state;
	assert_null(irq_create_affinity_masks(2, &affd));
	for (unsigned int n = 3; n <= 6; n++) {
		struct irq_affinity_desc *m = irq_create_affinity_masks(n, &affd);
		unsigned long all = 0;
		unsigned int least = 99, most = 0;

		assert_false(m[0].is_managed || m[n - 1].is_managed);
		assert_int_equal(m[0].mask.bits, irq_default_affinity.bits);
		for (unsigned int i = 1; i < n - 1; i++) {
			unsigned int weight = cpumask_weight(&m[i].mask);

			assert_true(m[i].is_managed);
			assert_int_equal(all & m[i].mask.bits, 0);
			all |= m[i].mask.bits;
			least = min(least, weight);
			most = max(most, weight);
		}
		assert_int_equal(all, 0xf);
		assert_true(most - least <= 1);
		kfree(m);
	}
}

static void s125_surplus_vectors_get_no_cpu(void **state)
{
	struct irq_affinity affd = { 0 };
	struct irq_affinity_desc *m;

	(void)state;
	host_printk();
	m = irq_create_affinity_masks(7, &affd);
	assert_true(logged("warning"));
	for (unsigned int i = 0; i < 7; i++)
		assert_int_equal(cpumask_weight(&m[i].mask), i < 4);
	kfree(m);
}

static void s120_affinity_follows_startup(void **state)
{
	unsigned int irq = rec_line(rec_chip(R_EDGE | R_AFFINITY | R_STARTUP | R_TYPE | R_RESOURCES),
				    handle_edge_irq);

	(void)state;
	assert_int_equal(request_irq(irq, rec_handler, IRQF_TRIGGER_RISING, "t", NULL), 0);
	assert_rec("request_resources set_type(1) startup set_affinity(f)");
	assert_int_equal(irq_get_affinity_mask(irq)->bits, 0xf);
	assert_int_equal(irq_get_effective_affinity_mask(irq)->bits, 1);
}

static void s122_deferred_move_of_a_masked_line_leaves_it_masked(void **state)
{
	struct irq_chip *chip = rec_chip(R_LEVEL | R_AFFINITY);
	unsigned int irq;

	(void)state;
	chip->flags = IRQCHIP_MOVE_DEFERRED;
	chip->irq_ack = move_at_ack;
	irq = rec_line(chip, handle_level_irq);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	assert_int_equal(irq_set_affinity(irq, mask(8)), 0);
	rec_take();
	raise_irq(irq);
	assert_rec("mask ack set_affinity(8) H unmask");
}

static void s124_parked_move_is_made_when_its_cpu_leaves(void **state)
{
	struct irq_chip *chip = rec_chip(R_EDGE | R_AFFINITY);
	unsigned int irq;

	(void)state;
	chip->flags = IRQCHIP_MOVE_DEFERRED;
	irq = started(chip);
	assert_int_equal(effective(irq), 1);
	assert_int_equal(irq_set_affinity(irq, mask(0xc)), 0);
	assert_rec("");
	online(0, false);
	host_set_cpu(1);
	assert_rec("mask set_affinity(c) unmask");
	assert_false(irqd_is_setaffinity_pending(data_of(irq)));
	assert_int_equal(requested(irq), 0xc);
	cpumask_set_cpu(0, &cpu_online_mask_);
	host_set_cpu(0);
}

static int full_but_for_cpu_3(struct irq_data *d, const struct cpumask *dest, bool force)
{
	(void)force;
	rec("set_affinity(%lx)", dest->bits);
	if (!cpumask_test_cpu(3, dest))
		return -ENOSPC;
	irq_data_update_effective_affinity(d, cpumask_of(3));
	return 0;
}

static void s124_no_room_on_its_own_cpus(void **state)
{
	struct irq_chip *chip = rec_chip(R_EDGE | R_AFFINITY);
	unsigned int irq = started(chip);

	(void)state;
	assert_int_equal(irq_set_affinity(irq, mask(0x6)), 0);
	chip->irq_set_affinity = full_but_for_cpu_3;
	rec_take();
	online(1, false);
	assert_rec("set_affinity(4) set_affinity(d)");
	assert_int_equal(effective(irq), 8);
}

static int to_all(struct irq_data *d, const struct cpumask *dest, bool force)
{
	(void)force;
	rec("set_affinity(%lx)", dest->bits);
	irq_data_update_effective_affinity(d, dest);
	return 0;
}

static void s124_managed_line_for_several_takes_the_one_that_comes(void **state)
{
	unsigned int irq = managed_line(0x6);
	struct irq_chip *chip = (struct irq_chip *)data_of(irq)->chip;

	(void)state;
	chip->irq_set_affinity = to_all;
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	online(2, false);
	rec_take();
	online(2, true);
	assert_rec("set_affinity(6)");
	assert_int_equal(effective(irq), 6);
	irq_data_update_effective_affinity(data_of(irq), cpumask_of(1));
	irqd_set_single_target(data_of(irq));
	online(2, true);
	assert_rec("");
}

static void s125_larger_groups_first_and_all_cpus_once(void **state)
{
	static const unsigned long wanted[] = { 0x3, 0x4, 0x8 };
	struct cpumask *groups = group_cpus_evenly(3);

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(groups[i].bits, wanted[i]);
	kfree(groups);
	assert_null(group_cpus_evenly(0));
}

static void two_sets(struct irq_affinity *affd, unsigned int nvecs)
{
	rec("sets(%u)", nvecs);
	affd->nr_sets = 2;
	affd->set_size[0] = min(nvecs, 2U);
	affd->set_size[1] = nvecs - affd->set_size[0];
}

static void s125_each_set_is_spread_over_all_cpus(void **state)
{
	static const unsigned long wanted[] = { ~0UL, 0x3, 0xc, 0x1, 0x2, 0x4, 0x8, ~0UL };
	struct irq_affinity affd = { .pre_vectors = 1, .post_vectors = 1, .calc_sets = two_sets };
	struct irq_affinity_desc *m = irq_create_affinity_masks(8, &affd);

	(void)state;
	assert_rec("sets(6)");
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(m[i].mask.bits, wanted[i]);
		assert_int_equal(m[i].is_managed, i > 0 && i < 7);
	}
	kfree(m);
	assert_null(irq_create_affinity_masks(2, &affd));
	assert_rec("sets(0)");			/* is told all the same */
}

static void s125_vectors_that_are_of_use(void **state)
{
	struct irq_affinity affd = { .pre_vectors = 1, .post_vectors = 2 };

	(void)state;
	assert_int_equal(irq_calc_affinity_vectors(2, 9, &affd), 0);
	assert_int_equal(irq_calc_affinity_vectors(3, 5, &affd), 5);
	assert_int_equal(irq_calc_affinity_vectors(3, 20, &affd), 3 + 4);
	affd.calc_sets = two_sets;
	assert_int_equal(irq_calc_affinity_vectors(3, 20, &affd), 20);
}

static void s127_hint_at_free_is_a_warning(void **state)
{
	unsigned int irq = started(rec_chip(R_EDGE | R_AFFINITY));
	static const struct cpumask hint = { 0x4 };

	(void)state;
	assert_int_equal(irq_update_affinity_hint(irq, &hint), 0);
	assert_rec("");
	assert_int_equal(irq_set_affinity_and_hint(irq, &hint), 0);
	assert_rec("set_affinity(4)");
	assert_int_equal(irq_update_affinity_hint(NR_IRQS - 1, &hint), -EINVAL);
	host_printk();
	free_irq(irq, NULL);
	assert_true(logged("warning"));
	assert_null(irq_to_desc(irq)->affinity_hint);
	assert_int_equal(request_irq(irq, rec_handler, 0, "t", NULL), 0);
	irq_set_affinity_and_hint(irq, &hint);
	irq_update_affinity_hint(irq, NULL);
	host_printk();
	free_irq(irq, NULL);
	assert_string_equal(host_printk(), "");
}

/* ---- At random ------------------------------------------------------------------------------ */

#define LINES	8

static void say(void *arg, const char *text)
{
	(void)arg;
	print_error("irq_check: %s\n", text);
}

/* What must hold of a line between any two steps. */
static void check_line(unsigned int irq, bool requested_now)
{
	struct irq_data *d = data_of(irq);

	if (!requested_now)
		assert_false(irqd_is_started(d));
	else if (!irqd_affinity_is_managed(d))
		assert_true(irqd_is_started(d));
	else
		assert_int_equal(irqd_is_started(d), cpumask_intersects(
			irq_data_get_affinity_mask(d), cpu_online_mask));
	if (irqd_is_started(d))
		assert_true(cpumask_intersects(irq_data_get_effective_affinity_mask(d),
					       cpu_online_mask));
}

static void s124_lines_and_cpus_at_random(void **state)
{
	u64 r = random_seed();
	unsigned int irq[LINES];
	bool have[LINES] = { false };

	(void)state;
	for (unsigned int i = 0; i < LINES; i++)
		irq[i] = i % 2 ? managed_line(BIT(i / 2) | BIT((i / 2 + 1) % 4))
			       : rec_line(rec_chip(R_EDGE | R_AFFINITY), handle_edge_irq);
	for (unsigned int step = 0; step < 3000; step++) {
		unsigned int i = host_random(&r) % LINES, cpu = 1 + host_random(&r) % 3;

		switch (host_random(&r) % 5) {
		case 0:
			host_fail_after(host_random(&r) % 4 ? -1 : 1);
			if (have[i])
				free_irq(irq[i], NULL), have[i] = false;
			else
				have[i] = !request_irq(irq[i], rec_handler, 0, "t", NULL);
			host_fail_after(-1);
			break;
		case 1:
			online(cpu, !cpumask_test_cpu(cpu, cpu_online_mask));
			break;
		case 2:
			irq_set_affinity_user(irq[i], mask(host_random(&r) % 16));
			break;
		case 3:
			if (have[i] && irqd_is_started(data_of(irq[i])))
				disable_irq(irq[i]), raise_irq(irq[i]), enable_irq(irq[i]);
			break;
		default:
			if (have[i] && irqd_is_started(data_of(irq[i])))
				raise_irq(irq[i]);
		}
		rec_take();
		for (unsigned int n = 0; n < LINES; n++)
			check_line(irq[n], have[n]);
		assert_int_equal(irq_check(say, NULL), 0);
	}
	for (unsigned int i = 0; i < LINES; i++)
		if (have[i])
			free_irq(irq[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(s119_masks),
		T(s120_results),
		T(s120_silent_chip_is_named_once),
		T(s121_affinity_on_activate),
		T(s122_deferred_move),
		T(s123_first_startup),
		T(s124_managed_lines_follow_their_cpus),
		T(s124_managed_request_without_a_cpu_succeeds_unstarted),
		T(z2_disabled_line_stays_disabled_over_managed_shutdown),
		T(z2_free_while_disabled),
		T(s125_spreading),
		T(s125_surplus_vectors_get_no_cpu),
		T(s120_affinity_follows_startup),
		T(s122_deferred_move_of_a_masked_line_leaves_it_masked),
		T(s124_parked_move_is_made_when_its_cpu_leaves),
		T(s124_no_room_on_its_own_cpus),
		T(s124_managed_line_for_several_takes_the_one_that_comes),
		T(s125_larger_groups_first_and_all_cpus_once),
		T(s125_each_set_is_spread_over_all_cpus),
		T(s125_vectors_that_are_of_use),
		T(s127_hint_at_free_is_a_warning),
		T(s124_lines_and_cpus_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

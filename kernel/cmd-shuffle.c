/*
 * irq shuffle, cpu shuffle: runs a command while a thread moves every line in use that may be
 * moved, again and again, to CPUs at random; or stops CPUs and starts them again. What a move may
 * lose or deliver twice, it loses or delivers here; and a wait for a CPU that is gone shows.
 *
 *	shell thread   COMMAND … … … … … … … … done      waits for the mover
 *	mover          move move move … … … … … … … at least COUNT moves, then ends
 *
 * Threads never change their CPU, so one on which a command has threads of its own stays.
 */
#include <kernel/cmd-irq.h>
#include <kernel/interrupt.h>
#include <kernel/shell.h>
#include <kernel/smp.h>
#include <kernel/thread.h>
#include <lib/errno.h>

#define STALLED_S	30		/* without one successful move */

struct shuffle {
	void (*round)(struct shuffle *s);	/* tries to move something */
	u64 wanted, moves, busy;
	unsigned int refused;		/* moves that ended with another error */
	int error;			/* the last such */
	unsigned int bad_cpu;		/* which did not change */
	struct cpumask stopped;
	bool over;			/* no use to go on */
	u32 random;
};

/* A linear congruential generator; its upper half. */
static u32 roll(struct shuffle *s, u32 below)
{
	s->random = s->random * 1664525 + 1013904223;
	return (u64)(s->random >> 8) * below >> 24;
}

static int mover(void *arg)
{
	struct shuffle *s = arg;
	u64 last = ktime_get_ns();

	while (!s->over && (s->moves < s->wanted || !thread_should_stop())) {
		u64 before = s->moves;

		s->round(s);
		if (s->moves != before)
			last = ktime_get_ns();
		s->over |= ktime_get_ns() - last > STALLED_S * NSEC_PER_SEC;
		msleep(1);
	}
	while (!thread_should_stop())
		msleep(1);
	return 0;
}

/* The command while the mover moves: 0 or an error, said. */
static int run_beside(struct shuffle *s, unsigned int cpu, int argc, char **argv)
{
	struct thread *thread;
	char line[512];
	int failed;

	s->random = 1;
	if (shell_join(line, sizeof(line), argc, argv))
		return -EINVAL;
	thread = thread_create("shuffle", mover, s, PRIO_NORMAL, cpu);
	if (!thread)
		return shell_error(-ENOMEM, "no memory for a thread");
	failed = shell_run(line);
	thread_stop(thread);
	return failed ? shell_error(-EIO, "'%s' failed while it was shuffled", argv[0]) : 0;
}

/* ---- irq shuffle ---------------------------------------------------------------------------- */

static bool may_move(unsigned int irq)
{
	return irq_desc_has_action(irq_to_desc(irq)) && irq_can_set_affinity(irq) &&
	       !irqd_affinity_is_managed(irq_get_irq_data(irq));
}

static unsigned int random_online_cpu(struct shuffle *s)
{
	const struct cpumask online = cpu_online_mask_;
	unsigned int cpu = cpumask_first(&online);

	for (u32 n = roll(s, cpumask_weight(&online)); n; n--)
		cpu = cpumask_next(cpu, &online);
	return cpu;
}

static void move_each_line(struct shuffle *s)
{
	unsigned int irq;

	devices_lock();
	for_each_irq(irq) {
		unsigned int cpu = random_online_cpu(s);
		int err = may_move(irq) ? irq_set_affinity_user(irq, cpumask_of(cpu)) : -EBUSY;

		if (!err)
			s->moves++;
		else if (err == -EBUSY || !cpumask_test_cpu(cpu, cpu_online_mask))
			s->busy++;
		else
			s->refused++, s->error = err;
	}
	devices_unlock();
}

int irq_shuffle(int argc, char **argv)
{
	struct shuffle s = { .round = move_each_line };
	struct json *j = shell_json();
	int err = shell_parse_u64(argv[0], "count", &s.wanted);

	if (!err)
		err = run_beside(&s, random_online_cpu(&s), argc - 1, argv + 1);
	if (err)
		return err;
	if (s.refused)
		return shell_error(s.error, "%u moves were refused (%s)", s.refused,
				   errname(s.error));
	if (s.over)
		return shell_error(-ETIMEDOUT, "no line could be moved for %d s; %llu moves before",
				   STALLED_S, (unsigned long long)s.moves);
	if (!shell_wants_json()) {
		shell_printf("%llu moves meanwhile\n", (unsigned long long)s.moves);
		return 0;
	}
	json_open(j, "{");
	json_key(j, "moves"), json_uint(j, s.moves);
	json_close(j, "}");
	return 0;
}

/* ---- cpu shuffle ---------------------------------------------------------------------------- */

static void change_cpu(struct shuffle *s, unsigned int cpu)
{
	bool back = cpumask_test_cpu(cpu, &s->stopped);
	int err = back ? cpu_online(cpu) : cpu_offline(cpu);

	if (err == -EBUSY && !back) {
		s->busy++;
	} else if (err) {
		s->bad_cpu = cpu;
		s->error = err;
		s->over = true;
	} else {
		s->stopped.bits ^= BIT(cpu);
		s->moves++;
	}
}

/* Any but the boot CPU. */
static void change_one_cpu(struct shuffle *s)
{
	change_cpu(s, 1 + roll(s, nr_cpu_ids - 1));
}

int cpu_shuffle(u64 count, int argc, char **argv)
{
	struct shuffle s = { .wanted = count, .round = change_one_cpu };
	struct json *j = shell_json();
	unsigned int cpu;
	int err;

	if (cpumask_weight(cpu_online_mask) < 2)
		return shell_error(-EINVAL, "there is no second CPU online");
	err = run_beside(&s, 0, argc, argv);
	for_each_possible_cpu(cpu)
		if (cpumask_test_cpu(cpu, &s.stopped))
			change_cpu(&s, cpu);
	if (err)
		return err;
	if (s.error)
		return shell_error(s.error, "cpu %u does not change (%s)", s.bad_cpu,
				   errname(s.error));
	if (s.over)
		return shell_error(-ETIMEDOUT, "no CPU changed for %d s; %llu changes before",
				   STALLED_S, (unsigned long long)s.moves);
	if (!shell_wants_json()) {
		shell_printf("%llu changes meanwhile, %llu refused\n", (unsigned long long)s.moves,
			     (unsigned long long)s.busy);
		return 0;
	}
	json_open(j, "{");
	json_key(j, "changes"), json_uint(j, s.moves);
	json_key(j, "refused"), json_uint(j, s.busy);
	json_close(j, "}");
	return 0;
}

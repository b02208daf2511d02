/*
 * irq shuffle: runs a command while a thread moves every line in use that may be moved, again and
 * again, to CPUs at random. What a move may lose or deliver twice, it loses or delivers here.
 *
 *	shell thread   COMMAND … … … … … … … … done      waits for the mover
 *	mover          move move move … … … … … … … at least COUNT moves, then ends
 */
#include <kernel/cmd-irq.h>
#include <kernel/interrupt.h>
#include <kernel/shell.h>
#include <kernel/thread.h>
#include <lib/errno.h>

#define STALLED		(5 * NSEC_PER_SEC)	/* without one successful move */

struct shuffle {
	u64 wanted, moves, busy;
	unsigned int refused;		/* lines that answered with another error */
	int error;			/* the last such */
	bool stalled;
	u32 random;
};

/* A linear congruential generator; its upper half. */
static u32 roll(struct shuffle *s, u32 below)
{
	s->random = s->random * 1664525 + 1013904223;
	return (u64)(s->random >> 8) * below >> 24;
}

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

/* One round over all lines; the number of moves that succeeded. */
static unsigned int move_each(struct shuffle *s)
{
	unsigned int irq, moved = 0;

	devices_lock();
	for_each_irq(irq) {
		unsigned int cpu = random_online_cpu(s);
		int err = may_move(irq) ? irq_set_affinity_user(irq, cpumask_of(cpu)) : -EBUSY;

		if (!err)
			moved++;
		else if (err == -EBUSY || !cpumask_test_cpu(cpu, cpu_online_mask))
			s->busy++;
		else
			s->refused++, s->error = err;
	}
	devices_unlock();
	return moved;
}

static int mover(void *arg)
{
	struct shuffle *s = arg;
	u64 last = ktime_get_ns();

	while (!s->stalled && (s->moves < s->wanted || !thread_should_stop())) {
		unsigned int moved = move_each(s);

		s->moves += moved;
		if (moved)
			last = ktime_get_ns();
		s->stalled = ktime_get_ns() - last > STALLED;
		msleep(1);
	}
	while (!thread_should_stop())
		msleep(1);
	return 0;
}

static int report(const struct shuffle *s)
{
	struct json *j = shell_json();

	if (s->refused)
		return shell_error(s->error, "%u moves were refused (%s)", s->refused,
				   errname(s->error));
	if (s->stalled)
		return shell_error(-ETIMEDOUT, "no line could be moved for 5 s; %llu moves before",
				   (unsigned long long)s->moves);
	if (!shell_wants_json()) {
		shell_printf("%llu moves meanwhile\n", (unsigned long long)s->moves);
		return 0;
	}
	json_open(j, "{");
	json_key(j, "moves"), json_uint(j, s->moves);
	json_close(j, "}");
	return 0;
}

int irq_shuffle(int argc, char **argv)
{
	struct shuffle s = { .random = 1 };
	struct thread *thread;
	char line[512];
	int failed;

	if (shell_parse_u64(argv[0], "count", &s.wanted) ||
	    shell_join(line, sizeof(line), argc - 1, argv + 1))
		return -EINVAL;
	thread = thread_create("shuffle", mover, &s, PRIO_NORMAL, random_online_cpu(&s));
	if (!thread)
		return shell_error(-ENOMEM, "no memory for a thread");
	failed = shell_run(line);
	thread_stop(thread);
	if (failed)
		return shell_error(-EIO, "'%s' failed while lines were moved", argv[1]);
	return report(&s);
}

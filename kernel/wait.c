/*
 * What one waits with: a spin lock's loop; and for threads, completions, mutexes, sleep. There a
 * waiter queues itself, and whoever lets it go on hands over exactly that: one count of the
 * completion, the ownership of the mutex.
 */
#include <kernel/thread.h>
#include <lib/errno.h>

#define FOR_ALL		(~0U)		/* completion.done after complete_all() */

void spin_lock_contended(spinlock_t *lock)
{
	do {
		while (spin_is_locked(lock))
			cpu_relax();
	} while (!spin_trylock(lock));
}

struct waiter {
	struct list_head link;
	struct thread *thread;
	bool served;			/* off the list, and it was for us */
};

static void enlist(struct waiter *w, struct list_head *waiters)
{
	w->thread = current_thread();
	w->served = false;
	list_add_tail(&w->link, waiters);
}

/* Takes the first waiter off a non-empty list and wakes it. The object's lock is held, so that the
 * waiter, which takes it before it returns, cannot be gone. */
static struct thread *serve_first(struct list_head *waiters)
{
	struct waiter *w = list_first_entry(waiters, struct waiter, link);

	list_del_init(&w->link);
	w->served = true;
	thread_wake(w->thread);
	return w->thread;
}

/* Blocks with LOCK dropped until served or DEADLINE; returns with LOCK held. */
static bool wait_served(struct waiter *w, spinlock_t *lock, unsigned long *flags, u64 deadline)
{
	while (!w->served) {
		bool woken;

		spin_unlock_irqrestore(lock, *flags);
		woken = thread_block(deadline);
		*flags = spin_lock_irqsave(lock);
		if (!woken)
			break;
	}
	return w->served;
}

/* ---- Completions ---------------------------------------------------------------------------- */

void init_completion(struct completion *c)
{
	spin_lock_init(&c->lock);
	c->done = 0;
	INIT_LIST_HEAD(&c->waiters);
}

void complete(struct completion *c)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);

	if (!list_empty(&c->waiters))
		serve_first(&c->waiters);
	else if (c->done != FOR_ALL)
		c->done++;
	spin_unlock_irqrestore(&c->lock, flags);
}

void complete_all(struct completion *c)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);

	c->done = FOR_ALL;
	while (!list_empty(&c->waiters))
		serve_first(&c->waiters);
	spin_unlock_irqrestore(&c->lock, flags);
}

static bool wait_until(struct completion *c, u64 deadline)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);
	bool done = c->done;
	struct waiter w;

	if (done) {
		c->done -= c->done != FOR_ALL;
	} else {
		enlist(&w, &c->waiters);
		done = wait_served(&w, &c->lock, &flags, deadline);
		if (!done)
			list_del_init(&w.link);
	}
	spin_unlock_irqrestore(&c->lock, flags);
	return done;
}

void wait_for_completion(struct completion *c)
{
	wait_until(c, TIME_NEVER);
}

int wait_for_completion_timeout(struct completion *c, u64 timeout_ns)
{
	return wait_until(c, ktime_get_ns() + timeout_ns) ? 0 : -ETIMEDOUT;
}

/* ---- Mutexes -------------------------------------------------------------------------------- */

void mutex_init(struct mutex *m)
{
	spin_lock_init(&m->lock);
	m->owner = NULL;
	INIT_LIST_HEAD(&m->waiters);
}

void mutex_lock(struct mutex *m)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);
	struct waiter w;

	if (!m->owner) {
		m->owner = current_thread();
	} else {
		enlist(&w, &m->waiters);
		wait_served(&w, &m->lock, &flags, TIME_NEVER);
	}
	spin_unlock_irqrestore(&m->lock, flags);
}

void mutex_unlock(struct mutex *m)
{
	unsigned long flags = spin_lock_irqsave(&m->lock);

	m->owner = list_empty(&m->waiters) ? NULL : serve_first(&m->waiters);
	spin_unlock_irqrestore(&m->lock, flags);
}

/* ---- Sleep ---------------------------------------------------------------------------------- */

void msleep(unsigned int ms)
{
	u64 deadline = ktime_get_ns() + ms * NSEC_PER_MSEC;

	while (thread_block(deadline))
		;
}

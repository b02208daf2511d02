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
	struct mutex *mutex;		/* that it waits for, if it is one */
	bool served;			/* off the list, and it was for us */
};

static void enlist(struct waiter *w, struct list_head *waiters)
{
	w->thread = current_thread();
	w->served = false;
	list_add_tail(&w->link, waiters);
}

/* Takes a waiter off its list and wakes it. The list's lock is held, so that the waiter, which
 * takes it before it returns, cannot be gone. */
static void serve(struct waiter *w)
{
	list_del_init(&w->link);
	w->served = true;
	thread_wake(w->thread);
}

static void serve_first(struct list_head *waiters)
{
	serve(list_first_entry(waiters, struct waiter, link));
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

/*
 * Nobody waits: one compare-and-swap takes it, one lets it go. Who waits is in one list for all
 * mutexes, oldest first, under one lock; bit 0 keeps the owner from letting go without a look
 * there.
 */
#define OTHERS_WAIT	1UL

static struct list_head mutex_waiters = LIST_HEAD_INIT(mutex_waiters);
static spinlock_t mutex_waiters_lock = SPINLOCK_INIT;

static bool mutex_change(struct mutex *m, uintptr_t from, uintptr_t to, int order)
{
	return __atomic_compare_exchange_n(&m->owner, &from, to, false, order, __ATOMIC_RELAXED);
}

static void __attribute__((noinline)) mutex_lock_contended(struct mutex *m)
{
	unsigned long flags = spin_lock_irqsave(&mutex_waiters_lock);
	struct waiter w = { .mutex = m };

	if (__atomic_fetch_or(&m->owner, OTHERS_WAIT, __ATOMIC_ACQUIRE)) {
		enlist(&w, &mutex_waiters);
		wait_served(&w, &mutex_waiters_lock, &flags, TIME_NEVER);
	} else {			/* it has been let go meanwhile */
		__atomic_store_n(&m->owner, (uintptr_t)current_thread(), __ATOMIC_RELAXED);
	}
	spin_unlock_irqrestore(&mutex_waiters_lock, flags);
}

void mutex_lock(struct mutex *m)
{
	if (unlikely(!mutex_change(m, 0, (uintptr_t)current_thread(), __ATOMIC_ACQUIRE)))
		mutex_lock_contended(m);
}

/* The first of those behind W that waits for M. */
static struct waiter *next_for(struct mutex *m, struct list_head *w)
{
	for (w = w->next; w != &mutex_waiters; w = w->next)
		if (list_entry(w, struct waiter, link)->mutex == m)
			return list_entry(w, struct waiter, link);
	return NULL;
}

static void __attribute__((noinline)) mutex_unlock_contended(struct mutex *m)
{
	unsigned long flags = spin_lock_irqsave(&mutex_waiters_lock);
	struct waiter *w = next_for(m, &mutex_waiters);
	uintptr_t owner = 0;

	if (w)
		owner = (uintptr_t)w->thread | (next_for(m, &w->link) ? OTHERS_WAIT : 0);
	__atomic_store_n(&m->owner, owner, __ATOMIC_RELEASE);
	if (w)
		serve(w);
	spin_unlock_irqrestore(&mutex_waiters_lock, flags);
}

void mutex_unlock(struct mutex *m)
{
	if (unlikely(!mutex_change(m, (uintptr_t)current_thread(), 0, __ATOMIC_RELEASE)))
		mutex_unlock_contended(m);
}

/* ---- Sleep ---------------------------------------------------------------------------------- */

void msleep(unsigned int ms)
{
	u64 deadline = ktime_get_ns() + ms * NSEC_PER_MSEC;

	while (thread_block(deadline))
		;
}

/*
 * Spin locks. Lock order: domain tree mutex (threads, set-up) -> desc->lock -> a chip's own lock;
 * desc and chip locks are taken with irqs off. Never sleep while holding one.
 */
#ifndef KERNEL_SPINLOCK_H
#define KERNEL_SPINLOCK_H

#include <kernel/arch.h>

typedef struct spinlock {
	u32 locked;
} spinlock_t;

#define SPINLOCK_INIT	{ 0 }

static __always_inline void spin_lock_init(spinlock_t *lock)
{
	lock->locked = 0;
}

static __always_inline bool spin_trylock(spinlock_t *lock)
{
	return __atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE) == 0;
}

static __always_inline void spin_lock(spinlock_t *lock)
{
	while (unlikely(!spin_trylock(lock)))
		while (__atomic_load_n(&lock->locked, __ATOMIC_RELAXED))
			cpu_relax();
}

static __always_inline void spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

static __always_inline bool spin_is_locked(spinlock_t *lock)
{
	return __atomic_load_n(&lock->locked, __ATOMIC_RELAXED);
}

/* flags = spin_lock_irqsave(&lock); … spin_unlock_irqrestore(&lock, flags); */
static __always_inline unsigned long spin_lock_irqsave(spinlock_t *lock)
{
	unsigned long flags = arch_local_irq_save();

	spin_lock(lock);
	return flags;
}

static __always_inline void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_unlock(lock);
	arch_local_irq_restore(flags);
}

#endif

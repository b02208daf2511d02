/*
 * Spin locks. Lock order: domain tree mutex (threads, set-up) -> desc->lock -> a chip's own lock;
 * desc and chip locks are taken with irqs off. Never sleep while holding one.
 */
#ifndef KERNEL_SPINLOCK_H
#define KERNEL_SPINLOCK_H

#include <kernel/arch.h>

/* A register wide: of a narrower word that an atomic operation returns, riscv64 code extends the
 * sign first, two instructions in each interrupt. */
typedef struct spinlock {
	unsigned long locked;
} spinlock_t;

#define SPINLOCK_INIT	{ 0 }

static __always_inline void spin_lock_init(spinlock_t *lock)
{
	lock->locked = 0;
}

static __always_inline bool spin_trylock(spinlock_t *lock)
{
	return __atomic_exchange_n(&lock->locked, 1UL, __ATOMIC_ACQUIRE) == 0;
}

void spin_lock_contended(spinlock_t *lock);	/* somebody has it: waits, and takes it */

static __always_inline void spin_lock(spinlock_t *lock)
{
	if (unlikely(!spin_trylock(lock)))
		spin_lock_contended(lock);
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

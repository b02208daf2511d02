/*
 * MMIO, as drivers use it: little-endian registers of an exact width.
 *
 * writel() and friends order all earlier RAM writes before the register write (a doorbell must not
 * overtake the ring it announces); readl() orders the read before all later RAM reads (a status
 * bit before the data it vouches for). The _relaxed forms order only against other MMIO of the
 * same device. Addresses come from ioremap(). Any context.
 */
#ifndef KERNEL_IO_H
#define KERNEL_IO_H

#include <kernel/arch.h>
#include <kernel/time.h>
#include <lib/errno.h>

#define DEFINE_MMIO(suffix, bits)								\
static __always_inline u##bits read##suffix##_relaxed(const void *addr)				\
{												\
	return arch_read##bits(addr);								\
}												\
static __always_inline void write##suffix##_relaxed(u##bits v, void *addr)			\
{												\
	arch_write##bits(v, addr);								\
}												\
static __always_inline u##bits read##suffix(const void *addr)					\
{												\
	u##bits v = arch_read##bits(addr);							\
	io_rmb();										\
	return v;										\
}												\
static __always_inline void write##suffix(u##bits v, void *addr)				\
{												\
	io_wmb();										\
	arch_write##bits(v, addr);								\
}

DEFINE_MMIO(b, 8)
DEFINE_MMIO(w, 16)
DEFINE_MMIO(l, 32)
DEFINE_MMIO(q, 64)

/* For registers of 64 bits that take 32 at a time. */
static inline u64 lo_hi_readq(const char *addr)
{
	u32 low = readl(addr);

	return low | (u64)readl(addr + 4) << 32;
}
static inline void lo_hi_writeq(u64 v, char *addr)
{
	writel((u32)v, addr);
	writel(v >> 32, addr + 4);
}

/* Maps a device's registers; NULL (reason printed) on failure. The same range again gives the same
 * address. Thread context. */
void *ioremap(phys_addr_t phys, size_t size);

/*
 * Evaluates COND until it is true or TIMEOUT_US have passed; 0 or -ETIMEDOUT. Every wait on
 * hardware goes through here or through a completion. Any context; needs time_init().
 */
#define poll_timeout(cond, timeout_us) ({							\
	u64 deadline_ = 0;	/* from when it was seen not to hold */				\
	int ret_ = 0;										\
	while (!(cond)) {									\
		u64 now_ = ktime_get_ns();							\
		if (!deadline_)									\
			deadline_ = now_ + (u64)(timeout_us) * 1000;				\
		if (now_ > deadline_) {								\
			ret_ = (cond) ? 0 : -ETIMEDOUT;						\
			break;									\
		}										\
		cpu_relax();									\
	}											\
	ret_; })

#endif

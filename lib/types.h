/* Fixed-width integers, little-endian wire types, and the few macros every file uses. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 phys_addr_t;		/* what a CPU puts on its bus */
typedef u64 dma_addr_t;			/* what a device puts on its bus */
typedef unsigned long irq_hw_number_t;	/* a controller's own number of one of its inputs */

/* Fields that a device reads or writes. The struct keeps them from being used as plain integers. */
typedef struct { u16 raw; } le16;
typedef struct { u32 raw; } le32;
typedef struct { u64 raw; } le64;

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "every machine of ours is little-endian");

static inline le16 cpu_to_le16(u16 v) { return (le16){ v }; }
static inline le32 cpu_to_le32(u32 v) { return (le32){ v }; }
static inline le64 cpu_to_le64(u64 v) { return (le64){ v }; }
static inline u16 le16_to_cpu(le16 v) { return v.raw; }
static inline u32 le32_to_cpu(le32 v) { return v.raw; }
static inline u64 le64_to_cpu(le64 v) { return v.raw; }

#define BITS_PER_LONG		64
#define BIT(n)			(1UL << (n))
#define GENMASK(h, l)		((~0UL >> (63 - (h))) & (~0UL << (l)))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a)		(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define min(a, b)		({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b);	\
				   a_ < b_ ? a_ : b_; })
#define max(a, b)		({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b);	\
				   a_ > b_ ? a_ : b_; })
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))

/* The host's libc has some of these names for itself. */
#undef __always_inline
#undef __noreturn
#undef __printf
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define __printf(f, a)		__attribute__((format(printf, f, a)))
#define __must_check		__attribute__((warn_unused_result))
#define __noreturn		__attribute__((noreturn))
#define __always_inline		inline __attribute__((always_inline))
#define __maybe_unused		__attribute__((unused))

/*
 * A pointer that was published by a release store. What is reached through it is read after it: the
 * address depends on it, and both ISAs' memory models keep that order without a fence. Only
 * ThreadSanitizer has to be told. (Linux: rcu_dereference)
 */
#ifdef __SANITIZE_THREAD__
#define load_pointer(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#else
#define load_pointer(p)		__atomic_load_n(p, __ATOMIC_RELAXED)
#endif

#endif

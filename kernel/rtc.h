/*
 * The real-time clock, as far as the kernel uses it: an alarm that comes as an interrupt.
 * A driver registers one; with several in a tree the first one found is it.
 */
#ifndef KERNEL_RTC_H
#define KERNEL_RTC_H

#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/thread.h>

#define RTC_MAX_SECONDS	86400U		/* of an alarm: a day */

struct rtc_device;
struct rtc_ops {
	/* NULL: it runs already. */
	void (*start)(struct rtc_device *rtc);
	/* The alarm shall come SECONDS (1 to RTC_MAX_SECONDS) from now, one set before shall not.
	 * 0, or a negative errno. Thread context. */
	int (*set_alarm)(struct rtc_device *rtc, unsigned int seconds);
	/* No alarm comes any more, except one that the handler is just taking. Thread context. */
	void (*clear_alarm)(struct rtc_device *rtc);
	/* dev_id is the clock; calls rtc_alarm_irq() when the alarm has come. */
	irq_handler_t handler;
};

struct rtc_device {
	const struct rtc_ops *ops;
	const char *name;		/* "rtc@101000" */
	char *regs;
	unsigned int irq;
	struct completion alarm;
	u64 fired;			/* ktime_get_ns() at the interrupt */
};

/* What a driver's probe() and remove() do: a clock with registers and an interrupt; 0, -EBUSY if
 * there is one already, -EINVAL, -ENOMEM. Nobody may be waiting for its alarm when it goes. */
int rtc_probe(struct platform_device *pdev, const struct rtc_ops *ops);
void rtc_remove(struct platform_device *pdev);
struct rtc_device *rtc_get(void);	/* NULL: none */

/* When the alarm has come. Irq context. (Linux: rtc_update_irq) */
void rtc_alarm_irq(struct rtc_device *rtc);

/*
 * Sets an alarm and sleeps until its interrupt: 0 and *ns, the time it took; -ETIMEDOUT when it has
 * not come RTC_GRACE seconds after it was due; -EINTR after Ctrl-C; what set_alarm() said. One
 * caller at a time, the shell's thread.
 */
#define RTC_GRACE	5U
int rtc_sleep(struct rtc_device *rtc, unsigned int seconds, u64 *ns);

#endif

/*
 * A clock with an alarm: its driver arms the hardware, its interrupt handler comes here, and the
 * thread that slept goes on.
 *
 *	rtc_sleep() -> set_alarm() ... interrupt -> driver -> rtc_alarm_irq() -> complete() -> awake
 */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/rtc.h>

#define LOOK	(50 * NSEC_PER_MSEC)	/* how long a Ctrl-C may take to be noticed */

static struct rtc_device *the_rtc;

static int start(struct rtc_device *rtc, struct platform_device *pdev)
{
	int irq = platform_get_irq(pdev, 0);

	rtc->name = pdev->dev.name;
	rtc->regs = of_iomap(pdev->node, 0);
	if (!rtc->regs)
		return -EINVAL;
	if (irq < 0)
		return irq;
	rtc->irq = irq;
	init_completion(&rtc->alarm);
	if (rtc->ops->start)
		rtc->ops->start(rtc);
	rtc->ops->clear_alarm(rtc);
	return request_irq(irq, rtc->ops->handler, 0, rtc->name, rtc);
}

int rtc_probe(struct platform_device *pdev, const struct rtc_ops *ops)
{
	struct rtc_device *rtc = the_rtc ? NULL : kzalloc(sizeof(*rtc));
	int err;

	if (!rtc)
		return the_rtc ? -EBUSY : -ENOMEM;
	rtc->ops = ops;
	err = start(rtc, pdev);
	if (err) {
		kfree(rtc);
		return err;
	}
	pdev->dev.driver_data = the_rtc = rtc;
	return 0;
}

void rtc_remove(struct platform_device *pdev)
{
	struct rtc_device *rtc = pdev->dev.driver_data;

	the_rtc = NULL;
	rtc->ops->clear_alarm(rtc);
	free_irq(rtc->irq, rtc);
	kfree(rtc);
}

struct rtc_device *rtc_get(void)
{
	return the_rtc;
}

void rtc_alarm_irq(struct rtc_device *rtc)
{
	rtc->fired = ktime_get_ns();
	complete(&rtc->alarm);
}

static int wait_for_alarm(struct rtc_device *rtc, u64 deadline)
{
	while (wait_for_completion_timeout(&rtc->alarm, LOOK)) {
		if (console_interrupted())
			return -EINTR;
		if (ktime_get_ns() >= deadline)
			return -ETIMEDOUT;
	}
	return 0;
}

int rtc_sleep(struct rtc_device *rtc, unsigned int seconds, u64 *ns)
{
	u64 begun;
	int ret;

	init_completion(&rtc->alarm);
	begun = ktime_get_ns();
	ret = rtc->ops->set_alarm(rtc, seconds);
	if (ret)
		return ret;
	ret = wait_for_alarm(rtc, begun + (seconds + RTC_GRACE) * NSEC_PER_SEC);
	if (!ret) {
		*ns = rtc->fired - begun;
		return 0;
	}
	rtc->ops->clear_alarm(rtc);
	synchronize_irq(rtc->irq);	/* so that the next alarm cannot be taken for this one */
	return ret;
}

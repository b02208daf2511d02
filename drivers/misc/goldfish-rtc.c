/*
 * Goldfish RTC, the real-time clock of QEMU's riscv64 machine: nanoseconds since 1970 in 64 bits,
 * and one alarm. Used: both. Manual: Android emulator, GOLDFISH-VIRTUAL-HARDWARE.TXT, "rtc".
 *
 *   TIME_LOW, TIME_HIGH --= ALARM?--> pending --(IRQ_ENABLED)--> level line, until CLEAR_INTERRUPT
 *
 * A 64-bit register is two of 32 bits: reading TIME_LOW holds TIME_HIGH fast, and writing ALARM_LOW
 * arms, so a time is read low half first and an alarm written high half first.
 */
#include <kernel/driver.h>
#include <kernel/interrupt.h>
#include <kernel/io.h>
#include <kernel/rtc.h>

#define TIME_LOW	0x00		/* and TIME_HIGH */
#define ALARM_LOW	0x08
#define ALARM_HIGH	0x0c
#define IRQ_ENABLED	0x10
#define CLEAR_ALARM	0x14
#define CLEAR_INTERRUPT	0x1c

static int goldfish_rtc_set_alarm(struct rtc_device *rtc, unsigned int seconds)
{
	char *regs = rtc->regs;
	u64 alarm = lo_hi_readq(regs + TIME_LOW) + seconds * NSEC_PER_SEC;

	writel(1, regs + CLEAR_INTERRUPT);
	writel(1, regs + IRQ_ENABLED);
	writel(alarm >> 32, regs + ALARM_HIGH);
	writel(alarm, regs + ALARM_LOW);
	return 0;
}

static void goldfish_rtc_clear_alarm(struct rtc_device *rtc)
{
	writel(1, rtc->regs + CLEAR_ALARM);
	writel(0, rtc->regs + IRQ_ENABLED);
	writel(1, rtc->regs + CLEAR_INTERRUPT);
}

static irqreturn_t goldfish_rtc_irq(int irq, void *dev_id)
{
	struct rtc_device *rtc = dev_id;

	(void)irq;
	writel(1, rtc->regs + CLEAR_INTERRUPT);
	rtc_alarm_irq(rtc);
	return IRQ_HANDLED;
}

static int goldfish_rtc_probe(struct platform_device *pdev)
{
	static const struct rtc_ops ops = {
		.set_alarm = goldfish_rtc_set_alarm,
		.clear_alarm = goldfish_rtc_clear_alarm,
		.handler = goldfish_rtc_irq,
	};

	return rtc_probe(pdev, &ops);
}

static const struct of_driver goldfish_rtc_driver = {
	.name = "goldfish-rtc",
	.compatible = (const char *const[]){ "google,goldfish-rtc", NULL },
	.stage = PROBE_NORMAL,
	.probe = goldfish_rtc_probe,
	.remove = rtc_remove,
};
OF_DRIVER(goldfish_rtc_driver);

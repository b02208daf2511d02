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
#include <kernel/mm.h>
#include <kernel/rtc.h>

#define TIME_LOW	0x00
#define TIME_HIGH	0x04
#define ALARM_LOW	0x08
#define ALARM_HIGH	0x0c
#define IRQ_ENABLED	0x10
#define CLEAR_ALARM	0x14
#define CLEAR_INTERRUPT	0x1c

struct goldfish_rtc {
	struct rtc_device rtc;
	char *regs;
};

static int goldfish_rtc_set_alarm(struct rtc_device *rtc, unsigned int seconds)
{
	char *regs = container_of(rtc, struct goldfish_rtc, rtc)->regs;
	u64 alarm = readl(regs + TIME_LOW);

	alarm |= (u64)readl(regs + TIME_HIGH) << 32;
	alarm += seconds * NSEC_PER_SEC;
	writel(1, regs + CLEAR_INTERRUPT);
	writel(1, regs + IRQ_ENABLED);
	writel(alarm >> 32, regs + ALARM_HIGH);
	writel(alarm, regs + ALARM_LOW);
	return 0;
}

static void goldfish_rtc_clear_alarm(struct rtc_device *rtc)
{
	char *regs = container_of(rtc, struct goldfish_rtc, rtc)->regs;

	writel(1, regs + CLEAR_ALARM);
	writel(0, regs + IRQ_ENABLED);
	writel(1, regs + CLEAR_INTERRUPT);
}

static irqreturn_t goldfish_rtc_irq(int irq, void *dev_id)
{
	struct goldfish_rtc *clock = dev_id;

	(void)irq;
	writel(1, clock->regs + CLEAR_INTERRUPT);
	rtc_alarm_irq(&clock->rtc);
	return IRQ_HANDLED;
}

static int goldfish_rtc_start(struct goldfish_rtc *clock, struct platform_device *pdev)
{
	int ret, irq;

	clock->regs = of_iomap(pdev->node, 0);
	if (!clock->regs)
		return -EINVAL;
	irq = platform_get_irq(pdev, 0);
	if (irq < 0)
		return irq;
	clock->rtc = (struct rtc_device){
		.name = pdev->dev.name, .irq = irq, .set_alarm = goldfish_rtc_set_alarm,
		.clear_alarm = goldfish_rtc_clear_alarm,
	};
	goldfish_rtc_clear_alarm(&clock->rtc);
	ret = request_irq(irq, goldfish_rtc_irq, 0, pdev->dev.name, clock);
	if (ret)
		return ret;
	ret = rtc_register(&clock->rtc);
	if (ret)
		free_irq(irq, clock);
	return ret;
}

static int goldfish_rtc_probe(struct platform_device *pdev)
{
	struct goldfish_rtc *clock = kzalloc(sizeof(*clock));
	int ret = clock ? goldfish_rtc_start(clock, pdev) : -ENOMEM;

	if (ret)
		kfree(clock);
	pdev->dev.driver_data = ret ? NULL : clock;
	return ret;
}

static void goldfish_rtc_remove(struct platform_device *pdev)
{
	struct goldfish_rtc *clock = pdev->dev.driver_data;

	rtc_unregister(&clock->rtc);
	goldfish_rtc_clear_alarm(&clock->rtc);
	free_irq(clock->rtc.irq, clock);
	kfree(clock);
}

static const struct of_driver goldfish_rtc_driver = {
	.name = "goldfish-rtc",
	.compatible = (const char *const[]){ "google,goldfish-rtc", NULL },
	.stage = PROBE_NORMAL,
	.probe = goldfish_rtc_probe,
	.remove = goldfish_rtc_remove,
};
OF_DRIVER(goldfish_rtc_driver);

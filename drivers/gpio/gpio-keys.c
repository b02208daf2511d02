/*
 * Keys on GPIO lines, as the tree's "gpio-keys" node lists them: each child names a line and the
 * code of its key. Used: both edges of every key, as interrupts; the power key ends the machine as
 * the shell's `poweroff` does, unless `gpio watch` only wants its edges counted.
 * Binding: devicetree gpio-keys; the codes are those of Linux's input-event-codes.h.
 */
#include <kernel/driver.h>
#include <kernel/gpio.h>
#include <kernel/interrupt.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/shell.h>

#define KEY_POWER	116

struct key {
	struct key *next;
	const char *name;
	struct gpio_desc gpio;
	unsigned int irq;
	u32 code;
	bool pressed;		/* at the last interrupt */
};

/* An edge that finds the key as the last one left it: it went there and back in between. */
static irqreturn_t key_irq(int irq, void *dev_id)
{
	struct key *key = dev_id;
	bool was = key->pressed;

	(void)irq;
	key->pressed = gpiod_get_value(&key->gpio);
	if (was && !key->pressed)
		return IRQ_HANDLED;	/* released */
	return key->code == KEY_POWER && !gpio_watched() ? IRQ_WAKE_THREAD : IRQ_HANDLED;
}

static irqreturn_t power_key_thread(int irq, void *dev_id)
{
	struct key *key = dev_id;

	(void)irq;
	pr_info("%s: pressed, power off", key->name);
	console_flush();
	arch_exit(shell_status());
}

static int key_start(struct key *key, struct device_node *np)
{
	int ret = of_get_named_gpiod(np, "gpios", 0, &key->gpio);

	if (ret)
		return ret;
	key->name = np->name;
	of_property_read_u32(np, "linux,code", &key->code);
	ret = gpiod_direction_input(&key->gpio);
	if (ret)
		return ret;
	ret = gpiod_to_irq(&key->gpio);
	if (ret < 0)
		return ret;
	key->irq = ret;
	key->pressed = gpiod_get_value(&key->gpio);
	ret = request_threaded_irq(key->irq, key_irq,
				   key->code == KEY_POWER ? power_key_thread : NULL,
				   IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING, key->name, key);
	if (ret)
		irq_dispose_mapping(key->irq);
	return ret;
}

static int add_key(struct platform_device *pdev, struct device_node *np)
{
	struct key *key = kzalloc(sizeof(*key));
	int ret = key ? key_start(key, np) : -ENOMEM;

	if (ret) {
		pr_err("%s: this key does not work: %s", np->fwnode.name, errname(ret));
		kfree(key);
		return ret;
	}
	key->next = pdev->dev.driver_data;
	pdev->dev.driver_data = key;
	return 0;
}

/* One key that works is enough. */
static int gpio_keys_probe(struct platform_device *pdev)
{
	struct device_node *np;
	int ret = 0;

	pdev->dev.driver_data = NULL;
	for_each_child_of_node(pdev->node, np)
		if (np->available && add_key(pdev, np))
			ret = -ENODEV;
	return pdev->dev.driver_data ? 0 : ret;
}

static void gpio_keys_remove(struct platform_device *pdev)
{
	struct key *key = pdev->dev.driver_data, *next;

	for (; key; key = next) {
		next = key->next;
		free_irq(key->irq, key);
		irq_dispose_mapping(key->irq);
		kfree(key);
	}
}

static const struct of_driver gpio_keys_driver = {
	.name = "gpio-keys",
	.compatible = (const char *const[]){ "gpio-keys", NULL },
	.stage = PROBE_NORMAL,
	.probe = gpio_keys_probe,
	.remove = gpio_keys_remove,
};
OF_DRIVER(gpio_keys_driver);

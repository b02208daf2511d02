/*
 * Finds GPIO lines: "gpios = <&controller line flags>" names them, flag bit 0 says that the active
 * level is the low one. (Linux: drivers/gpio/gpiolib.c, gpiolib-of.c)
 */
#include <kernel/gpio.h>
#include <kernel/of.h>
#include <kernel/printk.h>

#define FLAG_ACTIVE_LOW	BIT(0)

static struct gpio_chip *chips;
static bool watched;

void gpiochip_add(struct gpio_chip *chip)
{
	struct gpio_chip **end = &chips;

	while (*end)
		end = &(*end)->next;
	chip->next = NULL;
	*end = chip;
}

void gpiochip_remove(struct gpio_chip *chip)
{
	struct gpio_chip **link = &chips;

	while (*link && *link != chip)
		link = &(*link)->next;
	if (*link)
		*link = chip->next;
}

struct gpio_chip *gpiochip_next(struct gpio_chip *prev)
{
	return prev ? prev->next : chips;
}

static struct gpio_chip *chip_of(const struct device_node *np)
{
	struct gpio_chip *chip = chips;

	while (chip && chip->fwnode != &np->fwnode)
		chip = chip->next;
	return chip;
}

int of_get_named_gpiod(struct device_node *np, const char *list, unsigned int index,
		       struct gpio_desc *out)
{
	struct of_phandle_args args;
	struct gpio_chip *chip;
	int ret = of_parse_phandle_with_args(np, list, "#gpio-cells", index, &args);

	if (ret)
		return ret;
	chip = chip_of(args.np);
	if (!chip) {
		pr_err("%s: %s: no driver for the controller %s", np->fwnode.name, list,
		       args.np->fwnode.name);
		return -ENODEV;
	}
	if (!args.args_count || args.args[0] >= chip->ngpio) {
		pr_err("%s: %s: line %u is not one of the %u of %s", np->fwnode.name, list,
		       args.args_count ? args.args[0] : 0, chip->ngpio, chip->label);
		return -EINVAL;
	}
	*out = (struct gpio_desc){
		.chip = chip, .line = args.args[0],
		.active_low = args.args_count > 1 && args.args[1] & FLAG_ACTIVE_LOW,
	};
	return 0;
}

int gpiod_get_value(const struct gpio_desc *gpio)
{
	return gpio->chip->get(gpio->chip, gpio->line) != gpio->active_low;
}

int gpiod_direction_input(const struct gpio_desc *gpio)
{
	return gpio->chip->direction_input(gpio->chip, gpio->line);
}

int gpiod_to_irq(const struct gpio_desc *gpio)
{
	struct irq_domain *d = gpio->chip->domain;
	unsigned int irq = d ? irq_create_mapping(d, gpio->line) : 0;

	return irq ? (int)irq : -ENXIO;
}

bool gpio_watched(void)
{
	return __atomic_load_n(&watched, __ATOMIC_RELAXED);
}

void gpio_watch(bool on)
{
	__atomic_store_n(&watched, on, __ATOMIC_RELAXED);
}

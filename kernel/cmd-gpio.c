/*
 * gpio: the lines of the GPIO controllers, and what keys on them may do. Edges are counted where
 * every interrupt is: in the descriptor of the line's irq.
 */
#include <kernel/gpio.h>
#include <kernel/shell.h>
#include <string.h>

static void show_line(struct gpio_chip *chip, unsigned int line)
{
	unsigned int irq = chip->domain ? irq_find_mapping(chip->domain, line) : 0;
	struct irq_desc *desc = irq ? irq_to_desc(irq) : NULL;
	int level = chip->get(chip, line);
	struct json *j = shell_json();

	if (!shell_wants_json()) {
		shell_printf("%s line %u: %s", chip->label, line, level ? "high" : "low");
		if (desc)
			shell_printf(", irq %u (%s), %u edges", irq,
				     irq_type_name(irqd_get_trigger_type(&desc->irq_data)),
				     desc->tot_count);
		shell_printf("\n");
		return;
	}
	json_open(j, "{");
	json_key(j, "chip"), json_string(j, chip->label);
	json_key(j, "line"), json_uint(j, line);
	json_key(j, "level"), json_int(j, level);
	json_key(j, "irq");
	if (irq)
		json_uint(j, irq);
	else
		json_null(j);
	json_key(j, "edges"), json_uint(j, desc ? desc->tot_count : 0);
	json_close(j, "}");
}

static void show_lines(void)
{
	struct json *j = shell_json();

	if (shell_wants_json()) {
		json_open(j, "{");
		json_key(j, "lines"), json_open(j, "[");
	}
	for (struct gpio_chip *chip = gpiochip_next(NULL); chip; chip = gpiochip_next(chip))
		for (unsigned int line = 0; line < chip->ngpio; line++)
			show_line(chip, line);
	if (shell_wants_json()) {
		json_close(j, "]");
		json_key(j, "watch"), json_bool(j, gpio_watched());
		json_close(j, "}");
		return;
	}
	if (!gpiochip_next(NULL))
		shell_printf("no GPIO controller\n");
	else
		shell_printf("the power key %s\n",
			     gpio_watched() ? "is only counted" : "powers off");
}

static int cmd_gpio(int argc, char **argv)
{
	bool off = argc == 3 && !strcmp(argv[2], "off");

	if (argc > 1 && (strcmp(argv[1], "watch") || argc > 2 + off))
		return shell_usage("gpio");
	if (argc > 1 && !gpiochip_next(NULL))
		return shell_error(-ENODEV, "there is no GPIO controller to watch");
	if (argc > 1)
		gpio_watch(!off);
	show_lines();
	return 0;
}

static const struct shell_command gpio_command = {
	.name = "gpio",
	.usage = "gpio [--json]\n"
		 "gpio watch [off] [--json]",
	.help = "GPIO lines: level, irq, edges; with watch, keys are only counted",
	.run = cmd_gpio,
};
SHELL_COMMAND(gpio_command);

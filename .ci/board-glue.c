// SPDX-License-Identifier: MIT OR GPL-2.0-or-later
/*
 * What dtoverlay=pps-gpio is on a Raspberry Pi: a platform device "pps-gpio" whose pulse comes from line 0 of the board's
 * simulated GPIO chip, so that the kernel's own driver makes a PPS device of it.
 */
#include <linux/gpio/machine.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>

static struct gpiod_lookup_table lines = {
	.dev_id = "pps-gpio",
	/* A line without a name is taken for every name: the driver's own echo needs one before it. */
	.table = { GPIO_LOOKUP("board", 5, "echo", GPIO_ACTIVE_HIGH), GPIO_LOOKUP("board", 0, NULL, GPIO_ACTIVE_HIGH), {} },
};
static const struct property_entry properties[] = { PROPERTY_ENTRY_U32("echo-active-ms", 100), {} };
static const struct platform_device_info info = {
	.name = "pps-gpio", .id = PLATFORM_DEVID_NONE, .properties = properties,
};
static struct platform_device *device;

static int __init board_init(void)
{
	gpiod_add_lookup_table(&lines);
	device = platform_device_register_full(&info);
	if (IS_ERR(device)) {
		gpiod_remove_lookup_table(&lines);
		return PTR_ERR(device);
	}
	return 0;
}

static void __exit board_exit(void)
{
	platform_device_unregister(device);
	gpiod_remove_lookup_table(&lines);
}

module_init(board_init);
module_exit(board_exit);
MODULE_DESCRIPTION("The virtual board's pulse per second");
MODULE_LICENSE("Dual MIT/GPL");

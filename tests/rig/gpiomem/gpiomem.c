// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/gpiomem for a kernel that is not Raspberry Pi's own: lets a program that may open it map the page of the BCM2837's
 * GPIO registers, and nothing else. rppal needs it, Debian's kernel lacks it.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define GPIO_REGISTERS 0x3f200000UL

static int gpiomem_mmap(struct file *file, struct vm_area_struct *area)
{
	if (area->vm_pgoff != 0 || area->vm_end - area->vm_start != PAGE_SIZE)
		return -EINVAL;
	area->vm_page_prot = pgprot_noncached(area->vm_page_prot);
	return remap_pfn_range(area, area->vm_start, GPIO_REGISTERS >> PAGE_SHIFT, PAGE_SIZE, area->vm_page_prot);
}

static const struct file_operations gpiomem_operations = {
	.owner = THIS_MODULE,
	.mmap = gpiomem_mmap,
};

static struct miscdevice gpiomem = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gpiomem",
	.fops = &gpiomem_operations,
	.mode = 0660,
};

module_misc_device(gpiomem);
MODULE_DESCRIPTION("The GPIO registers of a BCM2837, for user space");
MODULE_LICENSE("GPL");

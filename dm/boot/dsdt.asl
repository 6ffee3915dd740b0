/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest cannot find by asking: the PCI root, the serial port, S5. */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "ACRN", "VHOSTDM", 1)
{
	/* ACPI_SLEEP_TYPE_S5 in acpi.h */
	Name (\_S5, Package () { 5, 0, 0, 0 })

	Scope (\_SB)
	{
		/* Memory from PCI_MMIO_BASE, PCI_MMIO_SIZE bytes, in pci.h */
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, 0, 0, 0, 0, 1)
				IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, EntireRange,
					0, 0x1000, 0xFFFF, 0, 0xF000)
				DWordMemory (ResourceProducer, PosDecode, MinFixed,
					MaxFixed, NonCacheable, ReadWrite,
					0, 0x80000000, 0xDFFFFFFF, 0, 0x60000000)
			})
		}

		/* CONSOLE_PORT and CONSOLE_GSI in console.h */
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03F8, 0x03F8, 1, 8)
				Interrupt (ResourceConsumer, Edge, ActiveHigh,
					Exclusive) { 4 }
			})
		}
	}
}

/**
 * The configuration space of a two-port serial card, as the kernel's mtty sample shows it (samples/vfio-mdev/mtty.c, Linux 6.18):
 * Linux's 8250_pci knows the ids and takes each port from a base address of its own.
 */
import { PciConfig } from "../pci/config.js";
import { PciCommand, PciOffset, PciStatus } from "../pci/config-offsets.js";
import { UART_BYTES } from "./uart-registers.js";
/** A WCH CH352 with two serial ports. */
export const SERIAL_IDS = { vendorId: 0x4348, deviceId: 0x3253 };
/** Simple communication controller, serial, 16550-compatible. */
const classCode = 0x07_00_02;
const revision = 0x10;
const firstPin = 1;
/** Part of the sample's vendor-specific bytes. */
const vendorBytes = [
    [0x40, 0x23],
    [0x43, 0x80],
    [0x44, 0x23],
    [0x48, 0x23],
    [0x4c, 0x23],
];
export function serialConfig(ports) {
    const config = new PciConfig()
        .define(PciOffset.vendorId, 2, SERIAL_IDS.vendorId)
        .define(PciOffset.deviceId, 2, SERIAL_IDS.deviceId)
        .define(PciOffset.command, 2, PciCommand.ioSpace, PciCommand.ioSpace | PciCommand.interruptsOff)
        .define(PciOffset.status, 2, PciStatus.mediumTiming)
        .define(PciOffset.revision, 1, revision)
        .define(PciOffset.classCode, 1, classCode & 0xff)
        .define(PciOffset.classCode + 1, 2, classCode >>> 8)
        .define(PciOffset.subsystemVendorId, 2, SERIAL_IDS.vendorId)
        .define(PciOffset.subsystemId, 2, SERIAL_IDS.deviceId)
        .define(PciOffset.interruptLine, 1, 0, 0xff)
        .define(PciOffset.interruptPin, 1, firstPin)
        .text(0x60, "PCI Serial/UART");
    for (const [offset, value] of vendorBytes)
        config.define(offset, 1, value);
    for (let index = 0; index < ports; index++)
        config.bar({ index, kind: "io", size: UART_BYTES });
    return config;
}

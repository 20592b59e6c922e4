/** VMBus, PCI, mediated devices and subchannels as bus types on the device model: the guest's end, and the host's. */
export * from "./css/index.js";
export {
  type MdevAvailability,
  MdevBus,
  type MdevCreateOptions,
  MdevDevice,
  type MdevDriver,
  type MdevLife,
  MdevParent,
  type MdevParentInit,
  type MdevParentState,
  type MdevRequest,
  type MdevType,
} from "./mdev/index.js";
export { ConfigModel } from "./pci/config-model.js";
export { type ConfigAccess, ConfigSpace } from "./pci/config-space.js";
export {
  createPciBus,
  PciDevice,
  type PciDeviceInit,
  type PciDriver,
  type PciId,
  type PciIdentity,
} from "./pci/device.js";
export { CONFIG_BYTES, pciHeader, VGPU_IDS, VGPU_LAYOUT, vgpuRegisters } from "./pci/layout.js";
export { createPciPassthroughDriver, pciPassthroughOffer } from "./pci/passthrough.js";
export type { ReadableRegister, Register, WritableRegister } from "./pci/register.js";
export { type VgpuFunctionInit, vgpuConfigModel } from "./pci/vgpu-function.js";
export { type BootClock, systemBootClock } from "./vmbus/boot-clock.js";
export type { VmbusCarrier, VmbusReceiver } from "./vmbus/carrier.js";
export { type ChannelState, type OpenInit, VmbusChannel } from "./vmbus/channel.js";
export { MAX_CHANNELS, type VmbusConnectInit, VmbusConnection } from "./vmbus/connection.js";
export { createVmbus, VmbusDevice, type VmbusDriver, type VmbusId, type VmbusOffer } from "./vmbus/device.js";
export { type GuestConnection, identifyConnection } from "./vmbus/front-door.js";
export { type Beating, defaultHeartbeatTimes, Heartbeat, type HeartbeatTimes } from "./vmbus/heartbeat.js";
export { type VmbusAcceptInit, VmbusHost } from "./vmbus/host.js";
export { HostChannel, type HostChannelInit, type HostChannelState } from "./vmbus/host-channel.js";
export { type ChannelIdentity, STALE } from "./vmbus/identity.js";
export { ChannelType, type Command, MAX_PACKET } from "./vmbus/packet.js";
export {
  type AskInit,
  type CommandHandlers,
  MAX_OUTSTANDING,
  type RequestInit,
} from "./vmbus/packet-endpoint.js";
export { createVmbusPipe, type VmbusPipe } from "./vmbus/pipe.js";
export { VmbusRefusedError } from "./vmbus/refused.js";
export { GLOBAL_CHANNEL, PCI_CHANNEL, VGPU_CHANNEL } from "./vmbus/types.js";

/** VFIO on the device model: any device whose driver is written on it, handed to a user outside. */
export {
  type BitmapRange,
  type ContainerCalls,
  type ContainerFile,
  type ContainerReply,
  type ContainerRequest,
  DirtyFlag,
  Extension,
  type IommuCalls,
  type IommuInfo,
  IommuInfoCap,
  IommuInfoFlag,
  type MapDma,
  MapFlag,
  type UnmapDma,
  UnmapFlag,
} from "./container/calls.js";
export { containerCall, deviceCall, groupCall, iommufdCall } from "./device/call.js";
export {
  type DeviceCalls,
  type DeviceFile,
  DeviceFlag,
  type DeviceInfo,
  type DeviceReply,
  type DeviceRequest,
  Feature,
  type FeatureCall,
  FeatureFlag,
  type FeatureReply,
  type FileHandle,
  type IrqInfo,
  type RegionInfo,
} from "./device/calls.js";
export { VfioDevice, type VfioDeviceInit, type VfioDeviceLife } from "./device/device.js";
export { type MapAccess, type OpenDevice, type SharedMemory, sharedBytes } from "./device/open-device.js";
export type { VfioDeviceOps } from "./device/ops.js";
export type { LineEnd, SerialLine } from "./devices/serial/line.js";
export { type LineChoice, type PluggedLine, parseLine, plugLine } from "./devices/serial/line-choice.js";
export { LoopBackPlug } from "./devices/serial/loop-back-plug.js";
export { openPty, type Pty, type PtyLibrary } from "./devices/serial/pty.js";
export type { SerialPorts } from "./devices/serial/serial-config.js";
export type { PlugPort, SerialPort } from "./devices/serial/serial-device.js";
export { createSerialDriver, SERIAL_PORTS, SerialParent } from "./devices/serial/serial-parent.js";
export { StreamLine } from "./devices/serial/stream-line.js";
export { vfioDeviceOf } from "./devices/vfio-device-of.js";
export type {
  VgpuBackend,
  VgpuCommand,
  VgpuNotice,
  VgpuReply,
  VgpuSession,
} from "./devices/vgpu/vgpu-backend.js";
export { vgpuDeviceOps } from "./devices/vgpu/vgpu-device.js";
export {
  CommandSlot,
  MOST_COMMAND_BYTES,
  NoticeSlot,
  QueueAttach,
  QueueCommand,
  QueueRegister,
  QueueState,
  VgpuControl,
  VgpuPage,
  VgpuRegister,
  VgpuStatus,
  VgpuVector,
} from "./devices/vgpu/vgpu-registers.js";
export {
  type GroupCalls,
  type GroupFile,
  GroupFlag,
  type GroupReply,
  type GroupRequest,
} from "./group/calls.js";
export type { VfioGroup } from "./group/group.js";
export { maxPinnedBytes } from "./iommu/access.js";
export type { DeviceDma, PinnedRange } from "./iommu/dma.js";
export { type IovaRange, lastIova } from "./iommu/ioas.js";
export type { IommuGroup } from "./iommu/iommu-group.js";
export { bytesMemory, type UserMemory } from "./iommu/user-memory.js";
export { AttachedDevice } from "./iommufd/attached-device.js";
export {
  IoasMapFlag,
  type IommufdCalls,
  type IommufdFile,
  type IommufdReply,
  type IommufdRequest,
} from "./iommufd/calls.js";
export { EventCounter, type Eventfd } from "./irq/eventfd.js";
export {
  type IrqChange,
  IrqFlag,
  type IrqSet,
  IrqSetFlag,
  PciIrq,
  type VfioIrq,
} from "./irq/irq.js";
export type { IrqTable } from "./irq/irq-table.js";
export { createVfioMdevDriver, type VfioMdevDriverInit } from "./mdev/driver.js";
export { nextState } from "./migration/fsm.js";
export {
  type MigrationArc,
  MigrationFlag,
  type MigrationOps,
  type MigrationState,
  type MigrationStream,
  migrationStates,
} from "./migration/ops.js";
export { encodeDeviceInfo, encodeRegionInfo, parseChain } from "./region/layout.js";
export {
  type Capability,
  PciRegion,
  type RegionArea,
  RegionCap,
  RegionFlag,
  type VfioRegion,
} from "./region/region.js";
export {
  type DeviceWrite,
  defaultPatience,
  type KoffiModule,
  listenAt,
  loadKoffi,
  type Patience,
  type VfioUserConnectOptions,
  VfioUserDevice,
  type VfioUserOptions,
  VfioUserServer,
} from "./user/index.js";
export { type RegisterOptions, Vfio, type VfioOptions } from "./vfio.js";

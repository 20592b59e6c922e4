/** Main storage. */
export { AbsoluteStorage, maxStorageSize, type StorageKey } from "./absolute.js";
export {
  type Answer,
  type MainStorage,
  StorageFault,
  type StorageFaultReason,
  storageBlock,
} from "./storage.js";

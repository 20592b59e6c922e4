/** The interface types of channels that Parhelion uses. */

/** One a guest: what belongs to the whole guest (dxgkrnl's global channel). */
export const GLOBAL_CHANNEL = "dde9cbc0-5060-4436-9448-ea1254a5d177";
/** One a vGPU. */
export const VGPU_CHANNEL = "6e382d18-3336-4f4b-acc4-2b7703d4df4a";
/** PCI pass-through, one a function (HV_PCIE_GUID in include/linux/hyperv.h). */
export const PCI_CHANNEL = "44c4f61d-4444-4400-9d52-802e27ede19f";
